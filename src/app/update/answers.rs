//! Answer files: changed, read anew, chosen.

use std::path::PathBuf;
use std::sync::Arc;

use iced::Task;

use crate::answer;
use crate::app::screen::menu::answers::{self, Change, Read, Wanted};
use crate::app::world::Chosen;
use crate::app::{App, Message, focus};

impl App {
    pub(in crate::app) fn change_answers(&mut self, change: Change) -> Task<Message> {
        let said = |text: String| Some(text).filter(|text| !text.trim().is_empty());
        let answers = &mut self.draft.answers;
        match change {
            Change::File(entry, text) => match said(text) {
                Some(path) => drop(answers.entry.insert(entry, PathBuf::from(path))),
                None => drop(answers.entry.remove(&entry)),
            },
            Change::List(text) => answers.list = said(text).map(PathBuf::from),
            Change::HostName(text) => answers.host_name = said(text),
        }
        self.read_answers()
    }

    /// Reads the answer files that the draft names, where it names any.
    pub(in crate::app) fn read_answers(&mut self) -> Task<Message> {
        let settings = self.draft.answers.clone();
        if settings.is_empty() {
            self.answers = None;
            return Task::none();
        }
        let named = Box::new(settings.clone());
        Task::perform(self.world.clone().read_answers(settings), move |read| match read {
            Some(read) => Message::AnswersRead(named.clone(), Arc::new(read)),
            None => Message::NoticeClosed,
        })
    }

    pub(in crate::app) fn answers_read(&mut self, settings: &answer::Settings, read: Read) -> Task<Message> {
        // What was typed meanwhile is read by itself.
        if *settings != self.draft.answers {
            return Task::none();
        }
        self.answers = Some(read);
        self.fill_in()
    }

    /// Fills in what is shown of an answer file.
    pub(in crate::app) fn fill_in(&mut self) -> Task<Message> {
        let Some((entry, at)) = self.menu.previewed() else { return Task::none() };
        let Some(read) = self.answers.clone() else { return Task::none() };
        let (entry, named) = (entry.to_owned(), entry.to_owned());
        let fill = self.world.clone().fill_in(read, entry, at);
        Task::perform(fill, move |shown| Message::FilledIn(named.clone(), at, shown))
    }

    pub(in crate::app) fn filled_in(&mut self, entry: &str, at: usize, shown: answers::Shown) -> Task<Message> {
        self.menu.show(entry, at, shown);
        Task::none()
    }

    pub(in crate::app) fn browse_answers(&mut self, wanted: Wanted) -> Task<Message> {
        let title = match &wanted {
            Wanted::File(_) => "Choose an answer file",
            Wanted::List => "Choose a list of computers",
        };
        let choose = self.world.clone().choose_file(title);
        Task::perform(choose, move |chosen| Message::AnswersChosen(wanted.clone(), chosen))
    }

    pub(in crate::app) fn answers_chosen(&mut self, wanted: Wanted, chosen: Chosen<PathBuf>) -> Task<Message> {
        let field = match &wanted {
            Wanted::File(entry) => answers::file_id(entry),
            Wanted::List => answers::list_id(),
        };
        match chosen {
            Chosen::Some(path) => {
                let path = path.to_string_lossy().into_owned();
                self.change_answers(match wanted {
                    Wanted::File(entry) => Change::File(entry, path),
                    Wanted::List => Change::List(path),
                })
            }
            Chosen::None => Task::none(),
            Chosen::NoDialog => {
                let said = self.regret("This desktop has no file dialog: type the path".to_owned());
                Task::batch([said, focus::to(field)])
            }
        }
    }
}
