//! The job sheet, reports and packets: what leaves the window for others.

use std::path::PathBuf;
use std::sync::Arc;

use iced::Task;
use jiff::Zoned;

use crate::app::jobs::{Form, Message as Jobs};
use crate::app::overlay::Overlay;
use crate::app::screen::serve::Serving;
use crate::app::world::World;
use crate::app::{App, Message};
use crate::check::report::{self, Ours};
use crate::deployment::jobs_folder;
use crate::journal::job::{Book, Job, export};
use crate::mac::Mac;

impl App {
    pub(in crate::app) fn open_jobs(&mut self) -> Task<Message> {
        Task::batch([self.open(Overlay::Jobs), self.read_jobs()])
    }

    fn jobs_folder(&self) -> Option<PathBuf> {
        let state = self.draft.state_dir.clone().unwrap_or_else(|| self.world.places().state);
        jobs_folder(self.draft.job_sheet.clone(), &state)
    }

    /// Reads the job sheet anew, where it is on disk.
    pub(in crate::app) fn read_jobs(&self) -> Task<Message> {
        match (&self.world, self.jobs_folder()) {
            (World::Real(_), Some(folder)) => Task::perform(self.world.clone().read_jobs(folder), Message::JobsRead),
            _ => Task::none(),
        }
    }

    pub(in crate::app) fn jobs_read(&mut self, read: Result<Arc<Book>, String>) -> Task<Message> {
        self.jobs.read(read);
        Task::none()
    }

    pub(in crate::app) fn on_jobs(&mut self, message: Jobs) -> Task<Message> {
        if let Jobs::Exported(form) = message {
            return self.export_jobs(form);
        }
        let Some(line) = self.jobs.update(message) else { return Task::none() };
        match (&self.world, self.jobs_folder()) {
            (World::Real(_), Some(folder)) => {
                Task::perform(self.world.clone().write_job(folder, line), Message::JobsRead)
            }
            _ => {
                self.jobs.take(line);
                Task::none()
            }
        }
    }

    fn export_jobs(&self, form: Form) -> Task<Message> {
        let (now, jobs): (Zoned, Vec<&Job>) = (Zoned::now(), self.jobs.book().jobs().collect());
        let (ending, text) = match form {
            Form::Csv => ("csv", export::csv(&jobs, now.time_zone())),
            Form::Json => ("json", export::json(&jobs)),
            Form::Page => ("html", export::page(&jobs, &now)),
        };
        let name = format!("bootwright-jobs-{}.{ending}", now.strftime("%Y-%m-%d"));
        Task::perform(self.world.clone().save(name, text.into_bytes()), Message::TextSaved)
    }

    /// Copies a page about a computer for somebody who was not there.
    pub(in crate::app) fn copy_for_colleague(&self, mac: Mac) -> Task<Message> {
        let Some(computer) = self.journal.computer(mac) else { return Task::none() };
        let ours = match &self.serving {
            Serving::On { plan, .. } => {
                let interface = self.interfaces.iter().find(|interface| interface.name == plan.interface);
                let items = crate::boot::menu::arrange(self.items.clone(), &plan.edits);
                Ours::of(plan, interface, &items, &self.manifest)
            }
            Serving::No | Serving::Stopping | Serving::Ended(_) => Ours::default(),
        };
        self.copy(report::colleague(computer, &ours, self.watch.causes(mac), &Zoned::now()))
    }

    /// Saves the packets of a computer.
    pub(in crate::app) fn save_trace(&self, mac: Mac) -> Task<Message> {
        let Some(trace) = &self.trace else { return Task::none() };
        let computers: Vec<_> = self.journal.computer(mac).cloned().into_iter().collect();
        let (pcapng, _) = trace.written(Some(mac), &computers, false);
        let name = format!("bootwright-{}.pcapng", mac.to_string().replace(':', "-"));
        Task::perform(self.world.clone().save(name, pcapng), Message::TextSaved)
    }
}
