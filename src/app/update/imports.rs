//! The images: found, read, compared, put in order.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use iced::Task;

use crate::app::screen::images::{Checksum, Import, State};
use crate::app::screen::{Step, images};
use crate::app::widget::page;
use crate::app::world::{Chosen, Comparing};
use crate::app::{App, Message, focus};
use crate::image::checksum::{self, Known};
use crate::image::{DiscError, Inspection};

use super::after;

/// Files that are dropped together come as single events within this time.
const DROPS_COME_WITHIN: Duration = Duration::from_millis(50);

impl App {
    pub(in crate::app) fn on_images(&mut self, message: images::Message) -> Task<Message> {
        match self.images.update(message) {
            images::Action::None => Task::none(),
            images::Action::Browse => Task::perform(self.world.clone().choose_images(), Message::ImagesChosen),
            images::Action::Add(paths) => self.find_files(paths),
            images::Action::Remove(path) => self.remove_image(&path),
            images::Action::Move(path, by) => self.move_image(&path, by),
            images::Action::Compare(path) => self.compare(&path),
            images::Action::Paste(path) => {
                iced::clipboard::read().map(move |text| Message::ChecksumPasted(path.clone(), text))
            }
            images::Action::StopComparing(path) => self.stop_comparing(&path),
            images::Action::Next => self.next(),
        }
    }

    pub(in crate::app) fn hover_files(&mut self, hovered: bool) -> Task<Message> {
        let _ = self.images.update(images::Message::Hovered(hovered));
        Task::none()
    }

    pub(in crate::app) fn file_dropped(&mut self, path: PathBuf) -> Task<Message> {
        // Forty files are forty events; they are taken together, in their order.
        self.dropped.push(path);
        if self.dropped.len() > 1 {
            return Task::none();
        }
        Task::perform(after(DROPS_COME_WITHIN), |()| Message::DropsOver)
    }

    pub(in crate::app) fn drops_over(&mut self) -> Task<Message> {
        let unhover = self.hover_files(false);
        let paths = std::mem::take(&mut self.dropped);
        if self.overlay.is_some() {
            return Task::batch([unhover, self.regret("Close what is open before you add images".to_owned())]);
        }
        // A drop on another page is meant for this one.
        let elsewhere = self.step != Step::Images && self.is_idle();
        let visit = if elsewhere { self.go_to(Step::Images) } else { Task::none() };
        Task::batch([unhover, visit, self.find_files(paths)])
    }

    pub(in crate::app) fn images_chosen(&mut self, chosen: Chosen<Vec<PathBuf>>) -> Task<Message> {
        match chosen {
            Chosen::Some(paths) => self.find_files(paths),
            Chosen::None => Task::none(),
            Chosen::NoDialog => {
                let words = "This desktop has no file dialog. Drop files on the window, or type a path below.";
                self.images.say(Some(words.to_owned()));
                focus::to(images::path_id())
            }
        }
    }

    pub(in crate::app) fn find_files(&self, paths: Vec<PathBuf>) -> Task<Message> {
        Task::perform(self.world.clone().files_of(paths), Message::FilesFound)
    }

    pub(in crate::app) fn add_images(&mut self, paths: Vec<PathBuf>) -> Task<Message> {
        if !self.is_idle() {
            return self.regret("Stop serving before you add images".to_owned());
        }
        if paths.is_empty() {
            self.images.say(Some("There is no ISO file in that folder.".to_owned()));
            return Task::none();
        }
        let room = images::MOST.saturating_sub(self.imports.len());
        let beyond = paths.len().saturating_sub(room);
        let paths: Vec<PathBuf> = paths.into_iter().take(room).collect();
        let twice = self.draft.add_images(paths.clone());
        let new = paths.into_iter().filter(|path| !self.imports.iter().any(|import| import.path == *path));
        let new: Vec<Import> = new.map(Import::new).collect();
        self.imports.extend(new);
        let said = match (twice.as_slice(), beyond) {
            (_, 1) => Some(format!("One file was left out: {} images are the most.", images::MOST)),
            (_, 2..) => Some(format!("{beyond} files were left out: {} images are the most.", images::MOST)),
            ([], 0) => None,
            ([one], 0) => Some(format!("{} is there already.", crate::image::file_name(one))),
            (more, 0) => Some(format!("{} of them are there already.", more.len())),
        };
        let told = said.is_some();
        self.images.say(said);
        // What came last stands at the end, and the field for more below it; what is said stands at the top.
        let to_end = iced::widget::operation::snap_to_end(page::body_id());
        let shown = if self.step == Step::Images && !told { to_end } else { Task::none() };
        Task::batch([self.read_next(), shown])
    }

    /// Reads images that wait, some at once.
    pub(in crate::app) fn read_next(&mut self) -> Task<Message> {
        let reading = self.imports.iter().filter(|import| matches!(import.state, State::Reading)).count();
        let waiting = self.imports.iter_mut().filter(|import| matches!(import.state, State::Queued));
        let mut tasks = Vec::new();
        for import in waiting.take(images::AT_ONCE.saturating_sub(reading)) {
            import.state = State::Reading;
            let (path, named) = (import.path.clone(), import.path.clone());
            let read = self.world.clone().inspect(path);
            tasks.push(Task::perform(read, move |result| Message::Inspected(named.clone(), result)));
        }
        Task::batch(tasks)
    }

    pub(in crate::app) fn inspected(
        &mut self,
        path: &Path,
        result: Result<Arc<Inspection>, Arc<DiscError>>,
    ) -> Task<Message> {
        let mut look = Task::none();
        // It may have been taken out meanwhile.
        let awaited = |import: &&mut Import| import.path == path && matches!(import.state, State::Reading);
        if let Some(import) = self.imports.iter_mut().find(awaited) {
            import.state = match result {
                Ok(inspection) => {
                    let (wanted, named) = (import.path.clone(), import.path.clone());
                    let find = self.world.clone().known_checksum(wanted);
                    look = Task::perform(find, move |found| Message::ChecksumFound(named.clone(), found));
                    State::Ready(inspection)
                }
                Err(error) => State::Failed(error),
            };
        }
        self.list_entries();
        Task::batch([self.read_next(), look])
    }

    /// The menu's entries follow from the images.
    pub(in crate::app) fn list_entries(&mut self) {
        self.items = self.draft.items(&self.inspections());
    }

    pub(in crate::app) fn remove_image(&mut self, path: &Path) -> Task<Message> {
        let inspections: Vec<Inspection> = self.inspections();
        let dropped = self.draft.remove_image(path, &inspections);
        self.comparing.remove(path);
        self.imports.retain(|import| import.path != path);
        self.list_entries();
        self.images.say(
            dropped.map(|_| {
                "The entry that started by itself went with it; now it is the computer's own disk.".to_owned()
            }),
        );
        Task::batch([self.read_next(), self.focus(page::primary_id())])
    }

    pub(in crate::app) fn inspections(&self) -> Vec<Inspection> {
        self.imports.iter().filter_map(Import::inspection).cloned().collect()
    }

    pub(in crate::app) fn move_image(&mut self, path: &Path, by: isize) -> Task<Message> {
        let inspections = self.inspections();
        self.draft.move_image(path, by, &inspections);
        let order = &self.draft.image;
        let place = |import: &Import| order.iter().position(|path| *path == import.path).unwrap_or(usize::MAX);
        self.imports.sort_by_key(place);
        self.list_entries();
        Task::none()
    }

    pub(in crate::app) fn import_mut(&mut self, path: &Path) -> Option<&mut Import> {
        self.imports.iter_mut().find(|import| import.path == path)
    }

    pub(in crate::app) fn checksum_found(&mut self, path: &Path, known: Known) -> Task<Message> {
        let unknown = |import: &&mut Import| matches!(import.checksum, Checksum::Unknown);
        if let Some(import) = self.import_mut(path).filter(unknown) {
            import.checksum = match known {
                Known::Nothing => Checksum::Unknown,
                Known::Expected(expected) => Checksum::Found(expected),
                Known::Compared(verdict) => Checksum::Done(verdict),
            };
        }
        Task::none()
    }

    pub(in crate::app) fn checksum_pasted(&mut self, path: &Path, text: Option<String>) -> Task<Message> {
        let expected = match checksum::pasted(&text.unwrap_or_default(), path) {
            Ok(expected) => expected,
            Err(problem) => {
                self.images.say(Some(format!("The clipboard has no checksum for it. {problem}")));
                return Task::none();
            }
        };
        self.images.say(None);
        let Some(import) = self.import_mut(path) else { return Task::none() };
        if matches!(import.checksum, Checksum::Running(..)) {
            return Task::none();
        }
        import.checksum = Checksum::Found(expected);
        self.compare(path)
    }

    pub(in crate::app) fn compare(&mut self, path: &Path) -> Task<Message> {
        let Some(import) = self.import_mut(path) else { return Task::none() };
        let Checksum::Found(expected) = import.checksum.clone() else { return Task::none() };
        let total = import.inspection().map_or(0, |inspection| inspection.size);
        import.checksum = Checksum::Running(expected.clone(), 0, total);
        let named = path.to_path_buf();
        let stream = self.world.compare(path.to_path_buf(), expected);
        let (task, handle) =
            Task::run(stream, move |comparing| Message::Compared(named.clone(), comparing)).abortable();
        self.comparing.insert(path.to_path_buf(), handle.abort_on_drop());
        task
    }

    pub(in crate::app) fn stop_comparing(&mut self, path: &Path) -> Task<Message> {
        self.comparing.remove(path);
        if let Some(import) = self.import_mut(path)
            && let Checksum::Running(expected, ..) = &import.checksum
        {
            import.checksum = Checksum::Found(expected.clone());
        }
        Task::none()
    }

    pub(in crate::app) fn compared(&mut self, path: &Path, comparing: Comparing) -> Task<Message> {
        let Some(import) = self.import_mut(path) else { return Task::none() };
        let Checksum::Running(expected, ..) = import.checksum.clone() else { return Task::none() };
        import.checksum = match comparing {
            Comparing::Read(done, total) => Checksum::Running(expected, done, total),
            Comparing::Done(verdict) => Checksum::Done(verdict),
            Comparing::Failed(reason) => Checksum::Failed(reason),
        };
        if !matches!(self.import_mut(path).map(|import| &import.checksum), Some(Checksum::Running(..))) {
            self.comparing.remove(path);
        }
        Task::none()
    }
}
