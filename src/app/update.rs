//! What the app does about each message: one line per message here, and the frame of the window; the rest in a room for
//! each subject.

mod answers;
mod deployments;
mod imports;
mod interfaces;
mod jobs;
mod remedies;
mod services;
mod start;

pub(super) use remedies::Undo;

use std::path::PathBuf;
use std::time::Duration;

use iced::advanced::widget::Id;
use iced::{Task, clipboard, window};
use jiff::{Timestamp, Zoned};

use super::overlay::{self, Overlay, Question, Then};
use super::screen::check::Starting;
use super::screen::serve::{Serving, Tab};
use super::screen::{Step, images, menu, network, serve};
use super::shortcut::{self, Shortcut};
use super::theme::Tone;
use super::widget::page;
use super::{App, Message, clock, focus};
use crate::boot::loader::Preference;
use crate::deployment::parse_duration;
use crate::engine::control::Request;
use crate::journal::wording;
use crate::text;

/// How long the answers rest before they are saved, so that typing does not write a file for each letter.
const SAVE_AFTER: Duration = Duration::from_millis(800);
/// How long a word like "Copied" stays.
const SAID_FOR: Duration = Duration::from_secs(4);

impl App {
    /// Takes note of a message and does what it asks for. Answers that changed are saved after a while.
    pub fn update(&mut self, message: Message) -> Task<Message> {
        let task = self.react(message);
        if self.wants_saving() && !self.save_pending {
            self.save_pending = true;
            let rest = Task::perform(after(SAVE_AFTER), |()| Message::SaveDue);
            return Task::batch([task, rest]);
        }
        task
    }

    /// Whether there are answers that are not saved. Those that could not be saved are not tried again and again.
    fn wants_saving(&self) -> bool {
        let may = self.lock.is_some() && self.library.is_some();
        may && self.draft != self.saved_draft && self.unsavable.as_ref() != Some(&self.draft)
    }

    fn react(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Network(message) => self.on_network(message),
            Message::Images(message) => self.on_images(message),
            Message::Menu(message) => self.on_menu(message),
            Message::Check(message) => self.on_check(message),
            Message::Serve(message) => self.on_serve(message),
            Message::Overlay(message) => self.on_overlay(message),
            Message::Visited(step) => self.visit(step),
            Message::WentBack => self.go_back(),
            Message::Opened(overlay) => self.open(overlay),
            Message::NoticeClosed => self.close_notice(),
            Message::Key(event) => shortcut::of(&event).map_or_else(Task::none, |shortcut| self.on_key(shortcut)),
            Message::WindowOpened(id, size) => self.window_opened(id, size),
            Message::Resized(size) => self.resized(size),
            Message::CloseRequested(id) => self.close_requested(id),
            Message::FilesHovered => self.hover_files(true),
            Message::FilesLeft => self.hover_files(false),
            Message::FileDropped(path) => self.file_dropped(path),
            Message::DropsOver => self.drops_over(),
            Message::SystemTheme(mode) => self.system_theme(mode),
            Message::Ticked(now) => self.tick(now),
            Message::InterfacesChanged(interfaces) => self.interfaces_changed(interfaces),
            Message::Probed(run, probe) => self.probed(run, probe),
            Message::ImagesChosen(chosen) => self.images_chosen(chosen),
            Message::FilesFound(paths) => self.add_images(paths),
            Message::Inspected(path, result) => self.inspected(&path, result),
            Message::ChecksumFound(path, known) => self.checksum_found(&path, known),
            Message::ChecksumPasted(path, text) => self.checksum_pasted(&path, text),
            Message::Compared(path, comparing) => self.compared(&path, comparing),
            Message::AnswersRead(settings, read) => self.answers_read(&settings, read),
            Message::FilledIn(entry, at, shown) => self.filled_in(&entry, at, shown),
            Message::AnswersChosen(wanted, chosen) => self.answers_chosen(wanted, chosen),
            Message::Rehearsing(run, far) => self.rehearsing(run, *far),
            Message::Surveyed(run, facts) => self.surveyed(run, &facts),
            Message::AddressSet(result) => self.address_set(result),
            Message::ServiceStopped(unit, result) => self.service_stopped(&unit, result),
            Message::Awake(run, result) => self.stays_awake(run, result),
            Message::Undone(sentences) => self.undone(sentences),
            Message::Acquired(result) => self.acquired(result),
            // What earlier services still had to say is not about these.
            Message::Engine(run, _) | Message::EngineEnded(run) if run != self.serve_run => Task::none(),
            Message::Engine(_, update) => update.take().map_or_else(Task::none, |update| self.on_engine(update)),
            Message::EngineEnded(_) => self.engine_ended(),
            Message::Listed(saved) => self.listed(saved),
            Message::Loaded(result) => self.loaded(&result),
            Message::SaveDue => self.save_due(),
            Message::AutoSaved(draft, result) => self.auto_saved(*draft, &result),
            Message::NameSaved(name, result) => self.name_saved(name, &result),
            Message::TextSaved(result) => self.text_saved(result),
            Message::JobsRead(read) => self.jobs_read(read),
            Message::Copied => self.say("Copied".to_owned()),
        }
    }
}

/// The frame: steps, keys, overlays, the window itself.
impl App {
    pub(in crate::app) fn on_key(&mut self, shortcut: Shortcut) -> Task<Message> {
        let open = self.overlay.is_some();
        match shortcut {
            Shortcut::Focus(way) => focus::travel(way, open.then(overlay::scope)),
            Shortcut::Back if open => self.close_overlay(),
            Shortcut::Close => self.ask_to_close(),
            Shortcut::Copy => self.copy_shown(),
            Shortcut::Help if !open => self.open(Overlay::Help(String::new())),
            Shortcut::Settings if !open => self.open(Overlay::Settings),
            Shortcut::Safety if !open => self.open(Overlay::Safety(String::new())),
            Shortcut::Primary if !open => self.do_primary(),
            Shortcut::Back => self.go_back(),
            Shortcut::Visit(step) if !open => self.visit(step),
            Shortcut::Search if !open && self.step == Step::Serve => self.search_log(),
            _ => Task::none(),
        }
    }

    /// Enter does what the button at the lower right says; where that waits, it goes to what it waits for.
    pub(in crate::app) fn do_primary(&mut self) -> Task<Message> {
        let primary = self.primary();
        match (primary.message, primary.cause) {
            // What ends something is done by its own button alone.
            _ if primary.danger => Task::none(),
            (Some(message), _) => self.react(message),
            (None, Some(cause)) => focus::to(cause),
            (None, None) => Task::none(),
        }
    }

    pub(in crate::app) fn search_log(&mut self) -> Task<Message> {
        let task = self.serve.show(Tab::Log);
        let task = self.serve_action(task);
        task.chain(focus::to(serve::search_id()))
    }

    pub(in crate::app) fn copy_shown(&mut self) -> Task<Message> {
        match &self.overlay {
            Some(Overlay::Timeline(mac)) => self.copy_timeline(*mac),
            None if self.step == Step::Serve && self.serve.tab() == Tab::Log => self.copy_log(),
            _ => Task::none(),
        }
    }

    pub(in crate::app) fn copy(&self, text: String) -> Task<Message> {
        clipboard::write(text).chain(Task::done(Message::Copied))
    }

    pub(in crate::app) fn copy_timeline(&self, mac: crate::mac::Mac) -> Task<Message> {
        self.journal.computer(mac).map_or_else(Task::none, |computer| {
            self.copy(wording::report(computer, self.watch.causes(mac), &Zoned::now()))
        })
    }

    /// Lets a computer begin with the usual loader again.
    fn forget_loader(&mut self, mac: crate::mac::Mac) -> Task<Message> {
        if let Some(stopper) = &self.stopper {
            stopper.tell(Request::Forget { mac, all: false });
        }
        self.close_overlay()
    }

    /// Answers a computer never, or again: now, and with this set-up from now on.
    fn answer_computer(&mut self, mac: crate::mac::Mac, again: bool) -> Task<Message> {
        self.draft.deny.retain(|denied| *denied != mac);
        if !again {
            self.draft.deny.push(mac);
        }
        if let Some(stopper) = &self.stopper {
            stopper.tell(Request::Answer { mac, again });
        }
        // The overlay stays, with the way back.
        self.say(if again { "It is answered again" } else { "It is never answered from now on" }.to_owned())
    }

    /// Whether a step can be visited, or why not.
    pub(in crate::app) fn may_visit(&self, step: Step) -> bool {
        if step == self.step {
            return true;
        }
        // Forward only where every page in between has its answer: one that still reads images, for example, has not.
        let answered = |between: &Step| self.primary_of(*between).message.is_some();
        let ahead = Step::ALL.into_iter().filter(|other| (self.step..step).contains(other));
        step <= self.reached && self.is_idle() && { ahead }.all(|between| answered(&between))
    }

    /// Whether nothing is being served or started.
    pub(in crate::app) fn is_idle(&self) -> bool {
        let serving = matches!(self.serving, Serving::On { .. } | Serving::Stopping);
        !serving && self.starting == Starting::No
    }

    pub(in crate::app) fn visit(&mut self, step: Step) -> Task<Message> {
        if step == self.step || !self.may_visit(step) {
            return Task::none();
        }
        self.go_to(step)
    }

    pub(in crate::app) fn go_back(&mut self) -> Task<Message> {
        match self.step.before() {
            Some(step) if self.is_idle() => self.go_to(step),
            _ => Task::none(),
        }
    }

    pub(in crate::app) fn go_to(&mut self, step: Step) -> Task<Message> {
        if let Some(edit) = self.menu.leave().filter(|_| self.step == Step::Menu) {
            self.edit_menu(edit);
        }
        self.step = step;
        self.reached = self.reached.max(step);
        self.failure = None;
        let (focus, task) = match step {
            Step::Network => (network::first_focus(self.network_context()), self.list_saved()),
            Step::Images => (images::first_focus(&self.imports), Task::none()),
            Step::Menu => (Some(page::primary_id()), self.read_answers()),
            // Not at Stop: a second Enter must not end what the first one began.
            Step::Serve => (Some(serve::computers_tab_id()), Task::none()),
            Step::Check => (Some(page::primary_id()), self.check_everything()),
        };
        let top = iced::widget::operation::scroll_to(
            page::body_id(),
            iced::widget::operation::AbsoluteOffset { x: 0.0, y: 0.0 },
        );
        Task::batch([top.chain(focus.map_or_else(Task::none, |id| self.focus(id))), task])
    }

    /// Gives something on the page the focus. What lies under an overlay cannot have it.
    pub(in crate::app) fn focus(&self, id: Id) -> Task<Message> {
        if self.overlay.is_some() { Task::none() } else { focus::to(id) }
    }

    pub(in crate::app) fn next(&mut self) -> Task<Message> {
        self.step.after().map_or_else(Task::none, |step| self.go_to(step))
    }

    pub(in crate::app) fn open(&mut self, overlay: Overlay) -> Task<Message> {
        let first = overlay::first_focus(&overlay);
        self.now = Timestamp::now();
        self.overlay = Some(overlay);
        focus::to(first)
    }

    pub(in crate::app) fn close_overlay(&mut self) -> Task<Message> {
        self.overlay = None;
        // Not at Stop, where an Enter that is meant for something else would end what others depend on.
        focus::to(match (self.step, self.serve.tab()) {
            (Step::Serve, Tab::Log) => serve::search_id(),
            (Step::Serve, Tab::Computers) => serve::computers_tab_id(),
            _ => page::primary_id(),
        })
    }

    pub(in crate::app) fn close_notice(&mut self) -> Task<Message> {
        self.notice = None;
        Task::none()
    }

    pub(in crate::app) fn say(&mut self, words: String) -> Task<Message> {
        self.tell_person(words, Tone::Good)
    }

    /// Says that something was not done, and why.
    pub(in crate::app) fn regret(&mut self, words: String) -> Task<Message> {
        self.tell_person(words, Tone::Caution)
    }

    fn tell_person(&mut self, words: String, tone: Tone) -> Task<Message> {
        self.now = Timestamp::now();
        self.said = Some((words, tone, self.now));
        Task::none()
    }

    pub(in crate::app) fn window_opened(&mut self, id: window::Id, size: iced::Size) -> Task<Message> {
        super::run::opened();
        (self.window, self.size) = (Some(id), size);
        let focus = network::first_focus(self.network_context()).map_or_else(Task::none, focus::to);
        // What it says of itself at its opening leaves the text size out.
        Task::batch([focus, window::size(id).map(Message::Resized)])
    }

    pub(in crate::app) fn resized(&mut self, size: iced::Size) -> Task<Message> {
        self.size = size;
        Task::none()
    }

    pub(in crate::app) fn close_requested(&mut self, id: window::Id) -> Task<Message> {
        self.window = Some(id);
        self.ask_to_close()
    }

    /// Closes at once while nothing is served, else asks.
    pub(in crate::app) fn ask_to_close(&mut self) -> Task<Message> {
        if self.is_idle() {
            return self.close_window();
        }
        let computers = self.cut_off().unwrap_or_else(|| "No computer is booting just now.".to_owned());
        self.open(Overlay::Question(Question {
            title: "Stop serving and close?".to_owned(),
            words: format!("{computers} Computers that run already go on by themselves if they need nothing more."),
            yes: "Stop and close".to_owned(),
            then: Then::Close,
        }))
    }

    pub(in crate::app) fn close_window(&mut self) -> Task<Message> {
        self.closing = true;
        if let Some(undoing) = self.end_meanwhile() {
            return undoing;
        }
        // What is not saved yet is saved now; there is no later.
        if let (Some(library), Some(_), true) = (&self.library, &self.lock, self.draft != self.saved_draft) {
            // A folder that cannot be written to was told when it was found out.
            let _ = crate::deployment::save(&library.current(), &self.draft);
        }
        self.window.map_or_else(iced::exit, window::close)
    }

    pub(in crate::app) fn system_theme(&mut self, mode: iced::theme::Mode) -> Task<Message> {
        self.system_is_dark = mode == iced::theme::Mode::Dark;
        Task::none()
    }

    pub(in crate::app) fn tick(&mut self, now: Timestamp) -> Task<Message> {
        self.now = now;
        self.look_at_computers();
        self.serve.arrange(&self.journal, &self.watch);
        if self.said.as_ref().is_some_and(|(_, _, at)| clock::since(*at, now) >= SAID_FOR) {
            self.said = None;
        }
        if self.is_due() { self.stop() } else { Task::none() }
    }

    /// When it stops by itself, where it does.
    pub(in crate::app) fn due(&self) -> Option<Timestamp> {
        let Serving::On { since, .. } = &self.serving else { return None };
        let time = self.draft.duration.as_deref().and_then(|text| parse_duration(text).ok())?;
        since.checked_add(time).ok()
    }

    /// Whether the time is over for which it was to serve.
    pub(in crate::app) fn is_due(&self) -> bool {
        self.due().is_some_and(|due| self.now >= due)
    }

    pub(in crate::app) fn on_overlay(&mut self, message: overlay::Message) -> Task<Message> {
        match message {
            overlay::Message::Closed => self.close_overlay(),
            overlay::Message::ShadePicked(shade) => {
                self.prefer(super::preferences::Preferences { shade, ..self.preferences })
            }
            overlay::Message::ScalePicked(scale) => {
                self.prefer(super::preferences::Preferences { scale, ..self.preferences })
            }
            overlay::Message::NameTyped(name) => self.name_typed(name),
            overlay::Message::HelpTyped(shown) => self.help_typed(shown),
            overlay::Message::NameGiven => self.name_given(false),
            overlay::Message::SaveAsAsked => self.open(Overlay::SaveAs(String::new())),
            overlay::Message::TimelineCopied(mac) => self.copy_timeline(mac),
            overlay::Message::LoaderForgotten(mac) => self.forget_loader(mac),
            overlay::Message::AnswerPicked(mac, again) => self.answer_computer(mac, again),
            overlay::Message::TimelineSaved(mac) => self.save_timeline(mac),
            overlay::Message::Confirmed(then) => self.confirmed(then),
            overlay::Message::TraceSaved(mac) => self.save_trace(mac),
            overlay::Message::ColleagueCopied(mac) => self.copy_for_colleague(mac),
            overlay::Message::Jobs(message) => self.on_jobs(message),
            overlay::Message::SafetyChanged(change) => self.change_safety(&change),
            overlay::Message::AllowTyped(typed) => {
                self.overlay = Some(Overlay::Safety(typed));
                Task::none()
            }
            overlay::Message::AllowGiven => self.allow_typed(),
        }
    }

    /// Changes what protects the network; who may boot counts at once.
    fn change_safety(&mut self, change: &overlay::Change) -> Task<Message> {
        change.apply(&mut self.draft);
        let guests = self.draft.guests();
        self.stopper.iter().for_each(|stopper| stopper.tell(Request::Guests { guests: guests.clone() }));
        Task::none()
    }

    fn allow_typed(&mut self) -> Task<Message> {
        let Some(Overlay::Safety(typed)) = &self.overlay else { return Task::none() };
        let Some(named) = overlay::named(typed).ok().filter(|named| !named.is_empty()) else { return Task::none() };
        self.overlay = Some(Overlay::Safety(String::new()));
        let mut allow = self.draft.allow.clone();
        for mac in named {
            if !allow.contains(&mac) {
                allow.push(mac);
            }
        }
        self.change_safety(&overlay::Change::Allow(allow))
    }

    fn help_typed(&mut self, shown: String) -> Task<Message> {
        self.overlay = Some(Overlay::Help(shown));
        Task::none()
    }

    pub(in crate::app) fn prefer(&mut self, preferences: super::preferences::Preferences) -> Task<Message> {
        // The same window has another size in logical pixels then.
        self.size = self.size * (self.preferences.scale / preferences.scale);
        self.preferences = preferences;
        if let Some(state) = self.world.state() {
            preferences.save(state);
        }
        Task::none()
    }

    pub(in crate::app) fn save_timeline(&self, mac: crate::mac::Mac) -> Task<Message> {
        let Some(computer) = self.journal.computer(mac) else { return Task::none() };
        let name = format!("bootwright-{}.txt", mac.to_string().replace(':', "-"));
        let report = wording::report(computer, self.watch.causes(mac), &Zoned::now());
        Task::perform(self.world.clone().save_text(name, report), Message::TextSaved)
    }

    pub(in crate::app) fn text_saved(&mut self, result: Result<Option<PathBuf>, String>) -> Task<Message> {
        match result {
            Ok(Some(path)) => self.say(format!("Saved as {}", text::plain(&path.to_string_lossy(), 200))),
            Ok(None) => Task::none(),
            Err(reason) => self.regret(text::plain(&reason, 300)),
        }
    }

    pub(in crate::app) fn confirmed(&mut self, then: Then) -> Task<Message> {
        self.overlay = None;
        match then {
            Then::UseFullMode => {
                self.two_servers_meant = true;
                if self.step == Step::Network { self.next() } else { self.start() }
            }
            Then::Stop => self.stop(),
            Then::WorkBeside => self.work_beside(),
            Then::Close => {
                self.closing = true;
                self.stop()
            }
            Then::Replace(name) => self.save_by_name(name, true),
        }
    }
}

/// The menu.
impl App {
    pub(in crate::app) fn on_menu(&mut self, message: menu::Message) -> Task<Message> {
        match self.menu.update(message) {
            menu::Action::None => Task::none(),
            menu::Action::Focus(id) => self.focus(id),
            menu::Action::Next => self.next(),
            menu::Action::Answers(change) => self.change_answers(change),
            menu::Action::Browse(wanted) => self.browse_answers(wanted),
            menu::Action::FillIn => self.fill_in(),
            menu::Action::Edit(edit) => {
                self.edit_menu(edit);
                Task::none()
            }
        }
    }

    pub(in crate::app) fn edit_menu(&mut self, edit: menu::Edited) {
        let (draft, items) = (&mut self.draft, &self.items);
        match edit {
            menu::Edited::Title(id, title) => draft.set_title(&id, &title, items),
            menu::Edited::Append(id, text) => draft.set_append(&id, &text, items),
            menu::Edited::AppendAll(text) => draft.append = Some(text).filter(|text| !text.trim().is_empty()),
            menu::Edited::Move(id, by) => draft.move_entry(&id, by, items),
            // What is hidden does not start by itself any more; the mark on the page shows it.
            menu::Edited::Hide(id, hidden) => drop(draft.set_hidden(&id, hidden, items)),
            menu::Edited::Once(id, once) => draft.set_once(&id, once, items),
            menu::Edited::Password(id, hash) => draft.set_password(&id, hash, items),
            menu::Edited::Default(id) => draft.default_entry = id,
            menu::Edited::Timeout(seconds) => draft.menu_timeout = Some(seconds),
            // The usual choice needs no word in the saved file.
            menu::Edited::AskFirst(asks) => draft.ask_first = Some(true).filter(|_| asks),
            menu::Edited::Loader(preference) => draft.loader = Some(preference).filter(|own| *own != Preference::Auto),
        }
    }

    pub(in crate::app) fn menu_context(&self) -> menu::Context<'_> {
        menu::Context {
            draft: &self.draft,
            items: &self.items,
            loaders: &self.loaders,
            answers: self.answers.as_ref(),
            wide: self.is_wide(),
        }
    }

    /// Whether a page has room for two columns.
    pub(in crate::app) fn is_wide(&self) -> bool {
        self.size.width >= 1100.0
    }

    pub(in crate::app) fn room(&self) -> page::Room {
        page::Room::of(self.size)
    }
}

/// Ends after a while. The clock starts when it is first waited for.
async fn after(time: Duration) {
    tokio::time::sleep(time).await;
}
