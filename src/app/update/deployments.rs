//! Deployments: saved by themselves and by name, opened again.

use std::path::PathBuf;
use std::sync::Arc;

use iced::Task;

use crate::app::overlay::{Overlay, Question, Then};
use crate::app::screen::Step;
use crate::app::screen::check::Checks;
use crate::app::screen::images::Import;
use crate::app::screen::network::Asking;
use crate::app::{App, Message};
use crate::check as judge;
use crate::deployment::{DhcpMode, SaveError, Settings};
use crate::text;

/// The name by which replaced answers are kept.
const PREVIOUS: &str = "Previous";

impl App {
    pub(in crate::app) fn list_saved(&self) -> Task<Message> {
        let Some(library) = self.library.clone() else { return Task::none() };
        let list = async move { tokio::task::spawn_blocking(move || library.list()).await.unwrap_or_default() };
        Task::perform(list, |saved| Message::Listed(Arc::new(saved)))
    }

    pub(in crate::app) fn listed(&mut self, saved: Arc<Vec<crate::deployment::Saved>>) -> Task<Message> {
        self.saved = saved;
        Task::none()
    }

    pub(in crate::app) fn save_due(&mut self) -> Task<Message> {
        let Some(path) = self.library.as_ref().map(crate::deployment::Library::current) else { return Task::none() };
        let (draft, tried) = (self.draft.clone(), self.draft.clone());
        let save = async move {
            let work = tokio::task::spawn_blocking(move || crate::deployment::save(&path, &draft)).await;
            work.unwrap_or_else(|error| Err(SaveError::Unwritable { reason: error.to_string() }))
        };
        Task::perform(save, move |result| Message::AutoSaved(Box::new(tried.clone()), Arc::new(result)))
    }

    pub(in crate::app) fn auto_saved(&mut self, draft: Settings, result: &Result<(), SaveError>) -> Task<Message> {
        self.save_pending = false;
        match result {
            Ok(()) => (self.saved_draft, self.unsavable) = (draft, None),
            Err(error) => {
                self.unsavable = Some(draft);
                self.notice = Some(judge::explain_save(error));
            }
        }
        Task::none()
    }

    pub(in crate::app) fn name_typed(&mut self, name: String) -> Task<Message> {
        self.overlay = Some(Overlay::SaveAs(name));
        Task::none()
    }

    pub(in crate::app) fn name_given(&mut self, replace: bool) -> Task<Message> {
        let Some(Overlay::SaveAs(name)) = self.overlay.take() else { return Task::none() };
        self.save_by_name(name.trim().to_owned(), replace)
    }

    pub(in crate::app) fn save_by_name(&mut self, name: String, replace: bool) -> Task<Message> {
        let Some(library) = self.library.clone() else {
            return self.regret("A demonstration is not saved".to_owned());
        };
        let (draft, given) = (self.draft.clone(), name.clone());
        let save = async move {
            let work = tokio::task::spawn_blocking(move || library.save_as(&given, &draft, replace)).await;
            work.ok()
        };
        Task::perform(save, |saved| saved)
            .and_then(move |result| Task::done(Message::NameSaved(name.clone(), Arc::new(result))))
    }

    pub(in crate::app) fn name_saved(&mut self, name: String, result: &Result<PathBuf, SaveError>) -> Task<Message> {
        match result {
            Ok(_) => Task::batch([self.say(format!("Saved as “{}”", text::plain(&name, 60))), self.list_saved()]),
            Err(SaveError::Exists { .. }) => self.open(Overlay::Question(Question {
                title: format!("Replace “{}”?", text::plain(&name, 60)),
                words: "A deployment of this name was saved before. Its answers would be lost.".to_owned(),
                yes: "Replace it".to_owned(),
                then: Then::Replace(name),
            })),
            Err(error) => {
                self.notice = Some(judge::explain_save(error));
                Task::none()
            }
        }
    }

    pub(in crate::app) fn open_deployment(&self, path: PathBuf) -> Task<Message> {
        let library = self.library.clone();
        let load = async move {
            let work = tokio::task::spawn_blocking(move || {
                let settings = Settings::load(&path);
                if let (Some(library), Ok(_)) = (library, &settings) {
                    // Not to find it in the list next time is a small loss.
                    let _ = library.remember(&path);
                }
                settings
            });
            work.await.ok()
        };
        Task::perform(load, |loaded| loaded).and_then(|result| Task::done(Message::Loaded(Arc::new(result))))
    }

    pub(in crate::app) fn loaded(&mut self, result: &Result<Settings, crate::deployment::PlanError>) -> Task<Message> {
        match result {
            Ok(settings) => {
                let kept = self.keep_previous();
                let begun = self.take_over(settings.clone());
                self.opened = Some(self.draft.clone());
                Task::batch([kept, begun])
            }
            Err(error) => {
                self.notice = Some(judge::explain_plan(error));
                Task::none()
            }
        }
    }

    /// Answers that have no name and are about to be replaced stay in the list as "Previous".
    pub(in crate::app) fn keep_previous(&self) -> Task<Message> {
        let unnamed = !self.draft.image.is_empty() && self.opened.as_ref() != Some(&self.draft);
        let Some(library) = self.library.clone().filter(|_| unnamed && self.lock.is_some()) else {
            return Task::none();
        };
        let draft = self.draft.clone();
        let keep =
            async move { tokio::task::spawn_blocking(move || library.save_as(PREVIOUS, &draft, true).map(drop)).await };
        // That they could not be kept is told by the next save, which fails for the same reason.
        Task::perform(keep, |_| ()).discard()
    }

    /// Begins anew with these answers.
    pub(in crate::app) fn take_over(&mut self, settings: Settings) -> Task<Message> {
        // Who hands out addresses is decided anew by what the network says now: yesterday's bench may be today's
        // office. That nobody does here was said by a person, who knows of another server.
        self.mode_by_hand = settings.dhcp == Some(DhcpMode::Off);
        self.kept_range = None;
        (self.asking, self.advice, self.address_trouble) = (Asking::NotYet, None, None);
        self.check_run += 1;
        self.imports = settings.image.iter().cloned().map(Import::new).collect();
        self.comparing.clear();
        self.draft = settings;
        self.loaders = self.world.loaders(&self.draft);
        (self.step, self.reached) = (Step::Network, Step::Network);
        self.checks = Checks::NotYet;
        self.items.clear();
        self.answers = None;
        Task::batch([self.settle_interface(), self.read_next()])
    }
}
