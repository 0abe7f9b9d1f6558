//! What the app does about each message.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use iced::advanced::widget::Id;
use iced::{Task, clipboard, window};
use ipnet::Ipv4Net;
use jiff::{Timestamp, Zoned};

use super::overlay::{self, Overlay, Question, Then};
use super::parcel::Parcel;
use super::screen::check::{Checks, Starting};
use super::screen::images::{Checksum, Import, State};
use super::screen::network::Asking;
use super::screen::serve::{Serving, Tab};
use super::screen::{Step, check, images, menu, network, serve};
use super::shortcut::{self, Shortcut};
use super::widget::page;
use super::world::World;
use super::world::{Chosen, Comparing};
use super::{App, Message, clock, focus, log};
use crate::check as judge;
use crate::check::preflight::{self, Facts};
use crate::check::{Finding, Remedy};
use crate::deployment::{DhcpMode, Plan, SaveError, Settings};
use crate::engine::probe::Probe;
use crate::engine::{self, Listening, Update};
use crate::image::{DiscError, Inspection};
use crate::journal::{Event, Note, What, wording};
use crate::net::privilege::{self, Grant, PrivilegeError};
use crate::net::socket::Sockets;
use crate::net::{Interface, interface};
use crate::text;

/// The name by which replaced answers are kept.
pub(super) const PREVIOUS: &str = "Previous";
/// How long the answers rest before they are saved, so that typing does not write a file for each letter.
const SAVE_AFTER: Duration = Duration::from_millis(800);
/// Files that are dropped together come as single events within this time.
const DROPS_COME_WITHIN: Duration = Duration::from_millis(50);
/// How long a word like "Copied" stays.
pub(super) const SAID_FOR: Duration = Duration::from_secs(4);

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
            Message::ChecksumFound(path, expected) => self.checksum_found(&path, expected),
            Message::Compared(path, comparing) => self.compared(&path, comparing),
            Message::Surveyed(run, facts) => self.surveyed(run, &facts),
            Message::AddressSet(result) => self.address_set(result),
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
            Message::Copied => self.say("Copied".to_owned()),
        }
    }
}

/// The frame: steps, keys, overlays, the window itself.
impl App {
    fn on_key(&mut self, shortcut: Shortcut) -> Task<Message> {
        let open = self.overlay.is_some();
        match shortcut {
            Shortcut::Focus(way) => focus::travel(way, open.then(overlay::scope)),
            Shortcut::Back if open => self.close_overlay(),
            Shortcut::Close => self.ask_to_close(),
            Shortcut::Copy => self.copy_shown(),
            Shortcut::Help if !open => self.open(Overlay::Help),
            Shortcut::Settings if !open => self.open(Overlay::Settings),
            Shortcut::Primary if !open => self.do_primary(),
            Shortcut::Back => self.go_back(),
            Shortcut::Visit(step) if !open => self.visit(step),
            Shortcut::Search if !open && self.step == Step::Serve => self.search_log(),
            _ => Task::none(),
        }
    }

    /// Enter does what the button at the lower right says; where that waits, it goes to what it waits for.
    fn do_primary(&mut self) -> Task<Message> {
        let primary = self.primary();
        match (primary.message, primary.cause) {
            (Some(message), _) => self.react(message),
            (None, Some(cause)) => focus::to(cause),
            (None, None) => Task::none(),
        }
    }

    fn search_log(&mut self) -> Task<Message> {
        let task = self.serve.show(Tab::Log);
        let task = self.serve_action(task);
        task.chain(focus::to(serve::search_id()))
    }

    fn copy_shown(&mut self) -> Task<Message> {
        match &self.overlay {
            Some(Overlay::Timeline(mac)) => self.copy_timeline(*mac),
            None if self.step == Step::Serve && self.serve.tab() == Tab::Log => self.copy_log(),
            _ => Task::none(),
        }
    }

    fn copy(&self, text: String) -> Task<Message> {
        clipboard::write(text).chain(Task::done(Message::Copied))
    }

    fn copy_timeline(&self, mac: crate::mac::Mac) -> Task<Message> {
        self.journal
            .computer(mac)
            .map_or_else(Task::none, |computer| self.copy(wording::report(computer, &Zoned::now())))
    }

    /// Whether a step can be visited, or why not.
    pub(super) fn may_visit(&self, step: Step) -> bool {
        if step == self.step {
            return true;
        }
        // Forward only where every page in between has its answer: one that still reads images, for example, has not.
        let answered = |between: &Step| self.primary_of(*between).message.is_some();
        let ahead = Step::ALL.into_iter().filter(|other| (self.step..step).contains(other));
        step <= self.reached && self.is_idle() && { ahead }.all(|between| answered(&between))
    }

    /// Whether nothing is being served or started.
    pub(super) fn is_idle(&self) -> bool {
        let serving = matches!(self.serving, Serving::On { .. } | Serving::Stopping);
        !serving && self.starting == Starting::No
    }

    fn visit(&mut self, step: Step) -> Task<Message> {
        if step == self.step || !self.may_visit(step) {
            return Task::none();
        }
        self.go_to(step)
    }

    fn go_back(&mut self) -> Task<Message> {
        match self.step.before() {
            Some(step) if self.is_idle() => self.go_to(step),
            _ => Task::none(),
        }
    }

    pub(super) fn go_to(&mut self, step: Step) -> Task<Message> {
        self.step = step;
        self.reached = self.reached.max(step);
        self.failure = None;
        let (focus, task) = match step {
            Step::Network => (network::first_focus(self.network_context()), self.list_saved()),
            Step::Images => (images::first_focus(&self.imports), Task::none()),
            Step::Menu => (Some(page::primary_id()), Task::none()),
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
    fn focus(&self, id: Id) -> Task<Message> {
        if self.overlay.is_some() { Task::none() } else { focus::to(id) }
    }

    fn next(&mut self) -> Task<Message> {
        self.step.after().map_or_else(Task::none, |step| self.go_to(step))
    }

    fn open(&mut self, overlay: Overlay) -> Task<Message> {
        let first = overlay::first_focus(&overlay);
        self.now = Timestamp::now();
        self.overlay = Some(overlay);
        focus::to(first)
    }

    fn close_overlay(&mut self) -> Task<Message> {
        self.overlay = None;
        focus::to(page::primary_id())
    }

    fn close_notice(&mut self) -> Task<Message> {
        self.notice = None;
        Task::none()
    }

    fn say(&mut self, words: String) -> Task<Message> {
        self.now = Timestamp::now();
        self.said = Some((words, self.now));
        Task::none()
    }

    fn window_opened(&mut self, id: window::Id, size: iced::Size) -> Task<Message> {
        super::run::opened();
        (self.window, self.size) = (Some(id), size);
        let focus = network::first_focus(self.network_context()).map_or_else(Task::none, focus::to);
        // What it says of itself at its opening leaves the text size out.
        Task::batch([focus, window::size(id).map(Message::Resized)])
    }

    fn resized(&mut self, size: iced::Size) -> Task<Message> {
        self.size = size;
        Task::none()
    }

    fn close_requested(&mut self, id: window::Id) -> Task<Message> {
        self.window = Some(id);
        self.ask_to_close()
    }

    /// Closes at once while nothing is served, else asks.
    fn ask_to_close(&mut self) -> Task<Message> {
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

    pub(super) fn close_window(&mut self) -> Task<Message> {
        self.closing = true;
        // What is not saved yet is saved now; there is no later.
        if let (Some(library), Some(_), true) = (&self.library, &self.lock, self.draft != self.saved_draft) {
            // A folder that cannot be written to was told when it was found out.
            let _ = crate::deployment::save(&library.current(), &self.draft);
        }
        self.window.map_or_else(iced::exit, window::close)
    }

    fn system_theme(&mut self, mode: iced::theme::Mode) -> Task<Message> {
        self.system_is_dark = mode == iced::theme::Mode::Dark;
        Task::none()
    }

    fn tick(&mut self, now: Timestamp) -> Task<Message> {
        self.now = now;
        if self.said.as_ref().is_some_and(|(_, at)| clock::since(*at, now) >= SAID_FOR) {
            self.said = None;
        }
        Task::none()
    }

    fn on_overlay(&mut self, message: overlay::Message) -> Task<Message> {
        match message {
            overlay::Message::Closed => self.close_overlay(),
            overlay::Message::ShadePicked(shade) => self.prefer(super::Preferences { shade, ..self.preferences }),
            overlay::Message::ScalePicked(scale) => self.prefer(super::Preferences { scale, ..self.preferences }),
            overlay::Message::NameTyped(name) => self.name_typed(name),
            overlay::Message::NameGiven => self.name_given(false),
            overlay::Message::SaveAsAsked => self.open(Overlay::SaveAs(String::new())),
            overlay::Message::TimelineCopied(mac) => self.copy_timeline(mac),
            overlay::Message::TimelineSaved(mac) => self.save_timeline(mac),
            overlay::Message::Confirmed(then) => self.confirmed(then),
        }
    }

    fn prefer(&mut self, preferences: super::Preferences) -> Task<Message> {
        // The same window has another size in logical pixels then.
        self.size = self.size * (self.preferences.scale / preferences.scale);
        self.preferences = preferences;
        if let Some(state) = self.world.state() {
            preferences.save(state);
        }
        Task::none()
    }

    fn save_timeline(&self, mac: crate::mac::Mac) -> Task<Message> {
        let Some(computer) = self.journal.computer(mac) else { return Task::none() };
        let name = format!("bootwright-{}.txt", mac.to_string().replace(':', "-"));
        let report = wording::report(computer, &Zoned::now());
        Task::perform(self.world.clone().save_text(name, report), Message::TextSaved)
    }

    fn text_saved(&mut self, result: Result<Option<PathBuf>, String>) -> Task<Message> {
        match result {
            Ok(Some(path)) => self.say(format!("Saved as {}", text::plain(&path.to_string_lossy(), 200))),
            Ok(None) => Task::none(),
            Err(reason) => self.say(text::plain(&reason, 300)),
        }
    }

    fn confirmed(&mut self, then: Then) -> Task<Message> {
        self.overlay = None;
        match then {
            Then::UseFullMode => {
                self.two_servers_meant = true;
                if self.step == Step::Network { self.next() } else { self.start() }
            }
            Then::Stop => self.stop(),
            Then::Close => {
                self.closing = true;
                self.stop()
            }
            Then::Replace(name) => self.save_by_name(name, true),
        }
    }
}

/// Deployments.
impl App {
    pub(super) fn list_saved(&self) -> Task<Message> {
        let Some(library) = self.library.clone() else { return Task::none() };
        let list = async move { tokio::task::spawn_blocking(move || library.list()).await.unwrap_or_default() };
        Task::perform(list, |saved| Message::Listed(Arc::new(saved)))
    }

    fn listed(&mut self, saved: Arc<Vec<crate::deployment::Saved>>) -> Task<Message> {
        self.saved = saved;
        Task::none()
    }

    fn save_due(&mut self) -> Task<Message> {
        let Some(path) = self.library.as_ref().map(super::Library::current) else { return Task::none() };
        let (draft, tried) = (self.draft.clone(), self.draft.clone());
        let save = async move {
            let work = tokio::task::spawn_blocking(move || crate::deployment::save(&path, &draft)).await;
            work.unwrap_or_else(|error| Err(SaveError::Unwritable { reason: error.to_string() }))
        };
        Task::perform(save, move |result| Message::AutoSaved(Box::new(tried.clone()), Arc::new(result)))
    }

    fn auto_saved(&mut self, draft: Settings, result: &Result<(), SaveError>) -> Task<Message> {
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

    fn name_typed(&mut self, name: String) -> Task<Message> {
        self.overlay = Some(Overlay::SaveAs(name));
        Task::none()
    }

    fn name_given(&mut self, replace: bool) -> Task<Message> {
        let Some(Overlay::SaveAs(name)) = self.overlay.take() else { return Task::none() };
        self.save_by_name(name.trim().to_owned(), replace)
    }

    fn save_by_name(&mut self, name: String, replace: bool) -> Task<Message> {
        let Some(library) = self.library.clone() else {
            return self.say("A demonstration is not saved".to_owned());
        };
        let (draft, given) = (self.draft.clone(), name.clone());
        let save = async move {
            let work = tokio::task::spawn_blocking(move || library.save_as(&given, &draft, replace)).await;
            work.ok()
        };
        Task::perform(save, |saved| saved)
            .and_then(move |result| Task::done(Message::NameSaved(name.clone(), Arc::new(result))))
    }

    fn name_saved(&mut self, name: String, result: &Result<PathBuf, SaveError>) -> Task<Message> {
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

    fn open_deployment(&self, path: PathBuf) -> Task<Message> {
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

    fn loaded(&mut self, result: &Result<Settings, crate::deployment::PlanError>) -> Task<Message> {
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
    fn keep_previous(&self) -> Task<Message> {
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
    pub(super) fn take_over(&mut self, settings: Settings) -> Task<Message> {
        // Who hands out addresses is decided anew by what the network says now: yesterday's bench may be today's
        // office. That nobody does here was said by a person, who knows of another server.
        self.mode_by_hand = settings.dhcp == Some(DhcpMode::Off);
        self.kept_range = None;
        (self.asking, self.advice, self.address_trouble) = (Asking::NotYet, None, None);
        self.check_run += 1;
        self.imports = settings.image.iter().cloned().map(Import::new).collect();
        self.comparing.clear();
        self.draft = settings;
        (self.step, self.reached) = (Step::Network, Step::Network);
        self.checks = Checks::NotYet;
        self.items.clear();
        Task::batch([self.settle_interface(), self.read_next()])
    }
}

/// The network.
impl App {
    fn on_network(&mut self, message: network::Message) -> Task<Message> {
        match self.network.update(message) {
            network::Action::None => Task::none(),
            network::Action::Choose(name) => self.choose_interface(name),
            network::Action::Mode(mode) => self.choose_mode(mode),
            network::Action::Range(text) => self.choose_range(text),
            network::Action::Probe => self.probe(),
            network::Action::SetAddress(address) => self.set_address(address),
            network::Action::Open(path) => self.open_deployment(path),
            network::Action::Next => self.leave_network(),
        }
    }

    fn choose_interface(&mut self, name: String) -> Task<Message> {
        if self.draft.interface.as_ref() == Some(&name) {
            return Task::none();
        }
        self.mode_by_hand = false;
        self.draft.choose_network(&name, DhcpMode::Proxy, None);
        self.address_trouble = None;
        self.reached = Step::Network;
        self.probe()
    }

    fn choose_mode(&mut self, mode: DhcpMode) -> Task<Message> {
        self.mode_by_hand = true;
        self.set_mode(mode);
        Task::none()
    }

    fn set_mode(&mut self, mode: DhcpMode) {
        self.draft.dhcp = Some(mode);
        // A range means something only where addresses are handed out; it comes back with that.
        if mode == DhcpMode::Full {
            self.draft.range = self.draft.range.take().or(self.kept_range.take());
        } else {
            self.kept_range = self.draft.range.take().or(self.kept_range.take());
        }
    }

    fn choose_range(&mut self, text: String) -> Task<Message> {
        let text: String = text.chars().filter(|letter| !letter.is_control()).take(64).collect();
        self.draft.range = Some(text).filter(|text| !text.trim().is_empty());
        // Who types a range wants it kept, whatever the network says after the next flap of the cable.
        self.mode_by_hand |= self.draft.range.is_some();
        Task::none()
    }

    /// Handing out addresses where another server does so too is asked about, with the name of that server.
    fn leave_network(&mut self) -> Task<Message> {
        match self.question_about_servers() {
            Some(question) => self.open(Overlay::Question(question)),
            None => self.next(),
        }
    }

    fn question_about_servers(&self) -> Option<Question> {
        let (Asking::Heard(Probe::Answered(answers)), Some(DhcpMode::Full), false) =
            (&self.asking, self.draft.dhcp, self.two_servers_meant)
        else {
            return None;
        };
        let servers: Vec<String> = answers.iter().map(|answer| answer.server.to_string()).collect();
        let name = self.draft.interface.clone().unwrap_or_default();
        let words = format!(
            "{} already gives addresses on {}. Two DHCP servers on one network give one address to two computers, and \
             everyone on it may lose the connection.",
            servers.join(" and "),
            text::plain(&name, 40)
        );
        Some(Question {
            title: "Hand out addresses beside another server?".to_owned(),
            words,
            yes: "Hand them out anyway".to_owned(),
            then: Then::UseFullMode,
        })
    }

    fn interfaces_changed(&mut self, interfaces: Vec<Interface>) -> Task<Message> {
        let before = self.interface().cloned();
        self.interfaces = interfaces;
        let task = self.settle_interface();
        let after = self.interface();
        let same = |a: &Interface, b: &Interface| a.link == b.link && a.addresses == b.addresses;
        let changed = match (&before, after) {
            (Some(before), Some(after)) => !same(before, after),
            (before, after) => before.is_some() != after.is_some(),
        };
        if !changed || !self.is_idle() {
            return task;
        }
        if self.step == Step::Check {
            return Task::batch([task, self.check_anew()]);
        }
        // Where the list brought a choice, its network is being asked already.
        if matches!(self.asking, Asking::Waiting) && before.is_none() {
            task
        } else {
            Task::batch([task, self.probe()])
        }
    }

    pub(super) fn interface(&self) -> Option<&Interface> {
        let name = self.draft.interface.as_ref()?;
        self.interfaces.iter().find(|interface| interface.is_called(name))
    }

    /// Chooses what is most likely meant while nothing is chosen, and asks its network.
    pub(super) fn settle_interface(&mut self) -> Task<Message> {
        if self.draft.interface.is_none() {
            if let Some(name) = interface::likely(&self.interfaces).map(|interface| interface.name.clone()) {
                self.draft.choose_network(&name, DhcpMode::Proxy, None);
                return self.probe();
            }
            return Task::none();
        }
        if matches!(self.asking, Asking::NotYet) { self.probe() } else { Task::none() }
    }

    fn probe(&mut self) -> Task<Message> {
        self.probe_run += 1;
        self.advice = None;
        self.two_servers_meant = false;
        let Some(interface) = self.interface().cloned() else {
            (self.asking, self.probing) = (Asking::NotYet, None);
            return Task::none();
        };
        self.asking = Asking::Waiting;
        let run = self.probe_run;
        let ask = self.world.clone().probe(interface);
        let (task, handle) = Task::perform(ask, move |probe| Message::Probed(run, probe)).abortable();
        self.probing = Some(handle.abort_on_drop());
        task
    }

    fn probed(&mut self, run: u64, probe: Probe) -> Task<Message> {
        // A late answer, about another interface or another address, says nothing about this one.
        if run == self.probe_run {
            self.probing = None;
            self.heard(probe);
        }
        Task::none()
    }

    fn heard(&mut self, probe: Probe) {
        let Some(interface) = self.interface().cloned() else { return };
        let advice = judge::mode_advice(&interface, &probe, &crate::net::hint::hint(&interface));
        if !self.mode_by_hand && self.is_idle() {
            self.set_mode(advice.mode);
        }
        self.advice = Some(advice);
        self.asking = Asking::Heard(probe);
    }

    fn set_address(&mut self, address: Ipv4Net) -> Task<Message> {
        let (Some(interface), None) = (self.interface().map(|interface| interface.name.clone()), &self.setting_address)
        else {
            return Task::none();
        };
        if matches!(self.world, World::Described(_)) {
            return self.say("A demonstration sets no address".to_owned());
        }
        self.address_trouble = None;
        let request =
            privilege::Request { interface, own: address.addr(), udp: vec![], tcp: vec![], address: Some(address) };
        let acquire = self.world.clone().acquire(request);
        let (task, handle) = Task::perform(acquire, |result| Message::AddressSet(result.map(Parcel::new))).abortable();
        self.setting_address = Some(handle.abort_on_drop());
        task
    }

    fn address_set(&mut self, result: Result<Parcel<Grant>, Arc<PrivilegeError>>) -> Task<Message> {
        self.setting_address = None;
        match result {
            // The interface's change shows by itself.
            Ok(grant) => self.address = grant.take(),
            Err(error) if self.step == Step::Check => self.failure = Some(judge::explain_privilege(&error)),
            Err(error) => self.address_trouble = Some(judge::explain_privilege(&error)),
        }
        Task::none()
    }

    pub(super) fn network_context(&self) -> network::Context<'_> {
        network::Context {
            draft: &self.draft,
            interfaces: &self.interfaces,
            asking: &self.asking,
            advice: self.advice.as_ref(),
            saved: &self.saved,
            trouble: self.address_trouble.as_ref(),
            setting_address: self.setting_address.is_some(),
        }
    }
}

/// The images.
impl App {
    fn on_images(&mut self, message: images::Message) -> Task<Message> {
        match self.images.update(message) {
            images::Action::None => Task::none(),
            images::Action::Browse => Task::perform(self.world.clone().choose_images(), Message::ImagesChosen),
            images::Action::Add(paths) => self.find_files(paths),
            images::Action::Remove(path) => self.remove_image(&path),
            images::Action::Move(path, by) => self.move_image(&path, by),
            images::Action::Compare(path) => self.compare(&path),
            images::Action::StopComparing(path) => self.stop_comparing(&path),
            images::Action::Next => self.next(),
        }
    }

    fn hover_files(&mut self, hovered: bool) -> Task<Message> {
        let _ = self.images.update(images::Message::Hovered(hovered));
        Task::none()
    }

    fn file_dropped(&mut self, path: PathBuf) -> Task<Message> {
        // Forty files are forty events; they are taken together, in their order.
        self.dropped.push(path);
        if self.dropped.len() > 1 {
            return Task::none();
        }
        Task::perform(after(DROPS_COME_WITHIN), |()| Message::DropsOver)
    }

    fn drops_over(&mut self) -> Task<Message> {
        let unhover = self.hover_files(false);
        let paths = std::mem::take(&mut self.dropped);
        if self.overlay.is_some() {
            return Task::batch([unhover, self.say("Close what is open before you add images".to_owned())]);
        }
        // A drop on another page is meant for this one.
        let elsewhere = self.step != Step::Images && self.is_idle();
        let visit = if elsewhere { self.go_to(Step::Images) } else { Task::none() };
        Task::batch([unhover, visit, self.find_files(paths)])
    }

    fn images_chosen(&mut self, chosen: Chosen<Vec<PathBuf>>) -> Task<Message> {
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

    fn find_files(&self, paths: Vec<PathBuf>) -> Task<Message> {
        Task::perform(self.world.clone().files_of(paths), Message::FilesFound)
    }

    fn add_images(&mut self, paths: Vec<PathBuf>) -> Task<Message> {
        if !self.is_idle() {
            return self.say("Stop serving before you add images".to_owned());
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
        self.images.say(said);
        self.read_next()
    }

    /// Reads images that wait, some at once.
    pub(super) fn read_next(&mut self) -> Task<Message> {
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

    fn inspected(&mut self, path: &Path, result: Result<Arc<Inspection>, Arc<DiscError>>) -> Task<Message> {
        let mut look = Task::none();
        // It may have been taken out meanwhile.
        let awaited = |import: &&mut Import| import.path == path && matches!(import.state, State::Reading);
        if let Some(import) = self.imports.iter_mut().find(awaited) {
            import.state = match result {
                Ok(inspection) => {
                    let (wanted, named) = (import.path.clone(), import.path.clone());
                    let find = self.world.clone().expected_checksum(wanted);
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
    fn list_entries(&mut self) {
        self.items = self.draft.items(&self.inspections());
    }

    fn remove_image(&mut self, path: &Path) -> Task<Message> {
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

    fn inspections(&self) -> Vec<Inspection> {
        self.imports.iter().filter_map(Import::inspection).cloned().collect()
    }

    fn move_image(&mut self, path: &Path, by: isize) -> Task<Message> {
        let inspections = self.inspections();
        self.draft.move_image(path, by, &inspections);
        let order = &self.draft.image;
        let place = |import: &Import| order.iter().position(|path| *path == import.path).unwrap_or(usize::MAX);
        self.imports.sort_by_key(place);
        self.list_entries();
        Task::none()
    }

    fn import_mut(&mut self, path: &Path) -> Option<&mut Import> {
        self.imports.iter_mut().find(|import| import.path == path)
    }

    fn checksum_found(&mut self, path: &Path, expected: Option<crate::image::checksum::Expected>) -> Task<Message> {
        if let (Some(import), Some(expected)) = (self.import_mut(path), expected)
            && matches!(import.checksum, Checksum::Unknown)
        {
            import.checksum = Checksum::Found(expected);
        }
        Task::none()
    }

    fn compare(&mut self, path: &Path) -> Task<Message> {
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

    fn stop_comparing(&mut self, path: &Path) -> Task<Message> {
        self.comparing.remove(path);
        if let Some(import) = self.import_mut(path)
            && let Checksum::Running(expected, ..) = &import.checksum
        {
            import.checksum = Checksum::Found(expected.clone());
        }
        Task::none()
    }

    fn compared(&mut self, path: &Path, comparing: Comparing) -> Task<Message> {
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

/// The menu.
impl App {
    fn on_menu(&mut self, message: menu::Message) -> Task<Message> {
        match self.menu.update(message) {
            menu::Action::None => Task::none(),
            menu::Action::Focus(id) => self.focus(id),
            menu::Action::Next => self.next(),
            menu::Action::Edit(edit) => {
                self.edit_menu(edit);
                Task::none()
            }
        }
    }

    fn edit_menu(&mut self, edit: menu::Edited) {
        let (draft, items) = (&mut self.draft, &self.items);
        match edit {
            menu::Edited::Title(id, title) => draft.set_title(&id, &title, items),
            menu::Edited::Append(id, text) => draft.set_append(&id, &text, items),
            menu::Edited::AppendAll(text) => draft.append = Some(text).filter(|text| !text.trim().is_empty()),
            menu::Edited::Move(id, by) => draft.move_entry(&id, by, items),
            // What is hidden does not start by itself any more; the mark on the page shows it.
            menu::Edited::Hide(id, hidden) => drop(draft.set_hidden(&id, hidden, items)),
            menu::Edited::Default(id) => draft.default_entry = id,
            menu::Edited::Timeout(seconds) => draft.menu_timeout = Some(seconds),
        }
    }

    pub(super) fn menu_context(&self) -> menu::Context<'_> {
        menu::Context { draft: &self.draft, items: &self.items, wide: self.is_wide() }
    }

    /// Whether a page has room for two columns.
    pub(super) fn is_wide(&self) -> bool {
        self.size.width >= 1100.0
    }

    pub(super) fn room(&self) -> page::Room {
        page::Room::of(self.size)
    }
}

/// Ends after a while. The clock starts when it is first waited for.
async fn after(time: Duration) {
    tokio::time::sleep(time).await;
}

/// The checks, and the start.
impl App {
    fn on_check(&mut self, message: check::Message) -> Task<Message> {
        match self.check.update(message) {
            check::Action::None => Task::none(),
            check::Action::Check => self.check_anew(),
            check::Action::Mend(remedy) => self.mend(remedy),
            check::Action::Start => self.start(),
            check::Action::GiveUp => self.give_up(),
        }
    }

    /// Checks with a new question to the network: what it said an hour ago may be over.
    fn check_anew(&mut self) -> Task<Message> {
        self.asking = Asking::NotYet;
        self.check_everything()
    }

    fn check_everything(&mut self) -> Task<Message> {
        self.check_run += 1;
        self.probe_run += 1;
        self.probing = None;
        let run = self.check_run;
        self.checks = Checks::Running(self.checks.findings().to_vec());
        let probe = match &self.asking {
            Asking::Heard(probe) => Some(probe.clone()),
            Asking::NotYet | Asking::Waiting => None,
        };
        let facts = self.world.clone().facts(self.draft.clone(), probe);
        let (task, handle) = Task::perform(facts, move |facts| Message::Surveyed(run, Arc::new(facts))).abortable();
        self.checking = Some(handle.abort_on_drop());
        task
    }

    fn surveyed(&mut self, run: u64, facts: &Result<Facts, String>) -> Task<Message> {
        if run != self.check_run {
            return Task::none();
        }
        self.checking = None;
        if let Ok(facts) = facts
            && !matches!(self.asking, Asking::Heard(_))
        {
            self.heard(facts.probe.clone());
        }
        self.checks = Checks::Done(match facts {
            Ok(facts) => preflight::preflight(facts),
            Err(reason) => vec![judge::explain(&engine::Error::Broken(reason.clone()))],
        });
        // It waited for this, so it could not have the focus until now.
        if self.step == Step::Check { self.focus(page::primary_id()) } else { Task::none() }
    }

    fn mend(&mut self, remedy: Remedy) -> Task<Message> {
        match remedy {
            Remedy::UseProxyMode => self.set_mode(DhcpMode::Proxy),
            Remedy::UseFullMode => self.set_mode(DhcpMode::Full),
            Remedy::UseHttpPort(port) => {
                self.draft.http_port = Some(port);
                return self.check_everything();
            }
            Remedy::RemoveImage(path) => return Task::batch([self.remove_image(&path), self.check_everything()]),
            Remedy::SetAddress(address) => return self.set_address(address),
        }
        self.mode_by_hand = true;
        self.check_everything()
    }

    pub(super) fn plan(&self) -> Result<Plan, Box<Finding>> {
        let plan = self.draft.clone().plan(&self.interfaces, self.world.places());
        plan.map_err(|error| Box::new(judge::explain_plan(&error)))
    }

    pub(super) fn start(&mut self) -> Task<Message> {
        if !self.is_idle() {
            return Task::none();
        }
        self.failure = None;
        // Every way to a start ends here, also those that did not leave the first page by its button.
        if let Some(question) = self.question_about_servers() {
            return self.open(Overlay::Question(question));
        }
        let plan = match self.plan() {
            Ok(plan) => plan,
            Err(finding) => return self.not_started(*finding),
        };
        let Some(interface) = self.interface() else { return Task::none() };
        let request = engine::request(&plan);
        match self.world.rights(interface, &request) {
            privilege::Rights::Present => self.run(&plan, Sockets::default()),
            privilege::Rights::ByHelper => {
                self.starting = Starting::Asking;
                let acquire = self.world.clone().acquire(request);
                let (task, handle) =
                    Task::perform(acquire, |result| Message::Acquired(result.map(Parcel::new))).abortable();
                self.acquiring = Some(handle.abort_on_drop());
                task
            }
            privilege::Rights::Missing(error) => self.not_started(judge::explain_privilege(&error)),
        }
    }

    fn give_up(&mut self) -> Task<Message> {
        self.acquiring = None;
        self.starting = Starting::No;
        // Services that are coming up end; until they have, their messages find nobody.
        if let Some(stopper) = self.stopper.take() {
            stopper.stop();
        }
        Task::none()
    }

    fn acquired(&mut self, result: Result<Parcel<Grant>, Arc<PrivilegeError>>) -> Task<Message> {
        if self.starting != Starting::Asking {
            return Task::none();
        }
        self.acquiring = None;
        self.starting = Starting::No;
        let mut grant = match result {
            Ok(grant) => grant.take(),
            Err(error) => return self.not_started(judge::explain_privilege(&error)),
        };
        let sockets = grant.as_mut().map(|grant| std::mem::take(&mut grant.sockets)).unwrap_or_default();
        self.grant = grant;
        match self.plan() {
            Ok(plan) => self.run(&plan, sockets),
            Err(finding) => self.not_started(*finding),
        }
    }

    fn run(&mut self, plan: &Plan, sockets: Sockets) -> Task<Message> {
        self.starting = Starting::Binding;
        self.serve_run += 1;
        self.log.pause(false);
        let run = self.serve_run;
        let (stopper, stream) = self.world.serve(plan, sockets);
        (self.stopper, self.running) = (Some(stopper), Some(plan.clone()));
        let updates = Task::run(stream, move |update| Message::Engine(run, Parcel::new(update)));
        updates.chain(Task::done(Message::EngineEnded(run)))
    }

    fn not_started(&mut self, finding: Finding) -> Task<Message> {
        self.starting = Starting::No;
        self.grant = None;
        self.failure = Some(finding);
        if self.step == Step::Check { Task::none() } else { self.go_to_failed() }
    }

    /// A start from the Serve page failed: the Check page says why, and what to do.
    fn go_to_failed(&mut self) -> Task<Message> {
        let failure = self.failure.take();
        let task = self.go_to(Step::Check);
        self.failure = failure;
        task
    }

    pub(super) fn check_context(&self) -> check::Context<'_> {
        check::Context { checks: &self.checks, starting: self.starting, failure: self.failure.as_ref() }
    }
}

/// The running services.
impl App {
    fn on_serve(&mut self, message: serve::Message) -> Task<Message> {
        let action = self.serve.update(message);
        self.serve_action(action)
    }

    fn serve_action(&mut self, action: serve::Action) -> Task<Message> {
        match action {
            serve::Action::None => Task::none(),
            serve::Action::Open(mac) => self.open(Overlay::Timeline(mac)),
            serve::Action::Search(text) => {
                self.log.search(text);
                self.follow_log()
            }
            serve::Action::Level(level) => {
                self.log.set_level(level);
                self.follow_log()
            }
            serve::Action::Pause(paused) => {
                self.log.pause(paused);
                self.follow_log()
            }
            serve::Action::ToEnd => iced::widget::operation::snap_to_end(serve::log_id()),
            serve::Action::Copy => self.copy_log(),
            serve::Action::Save => self.save_log(),
            serve::Action::Stop => self.ask_to_stop(),
            // What was clear before may not be now, so a new start begins with the checks.
            serve::Action::Start => self.go_to(Step::Check),
        }
    }

    fn follow_log(&self) -> Task<Message> {
        if self.serve.follows() { iced::widget::operation::snap_to_end(serve::log_id()) } else { Task::none() }
    }

    fn copy_log(&self) -> Task<Message> {
        self.log_text().then(|text| clipboard::write(text).chain(Task::done(Message::Copied)))
    }

    fn save_log(&self) -> Task<Message> {
        let name = format!("bootwright-{}.log", Zoned::now().strftime("%Y-%m-%d-%H%M"));
        let world = self.world.clone();
        let save = move |text| Task::perform(world.clone().save_text(name.clone(), text), Message::TextSaved);
        self.log_text().then(save)
    }

    /// The log as text, written beside the window: a hundred thousand lines take their time.
    fn log_text(&self) -> Task<String> {
        let lines = self.log.lines();
        let write = async move { tokio::task::spawn_blocking(move || log::text(&lines)).await.unwrap_or_default() };
        Task::perform(write, |text| text)
    }

    /// A stop that would cut computers off is asked about; any other is not.
    fn ask_to_stop(&mut self) -> Task<Message> {
        let Some(who) = self.cut_off() else { return self.stop() };
        self.open(Overlay::Question(Question {
            title: "Stop serving?".to_owned(),
            words: who,
            yes: "Stop".to_owned(),
            then: Then::Stop,
        }))
    }

    /// Whom a stop would cut off, in words.
    fn cut_off(&self) -> Option<String> {
        let names: Vec<String> = self.journal.active(self.now).map(crate::journal::Computer::name).collect();
        match names.as_slice() {
            [] => None,
            [one] => Some(format!("{one} is in the middle of booting and would be cut off.")),
            more => Some(format!("{} computers are in the middle of booting and would be cut off.", more.len())),
        }
    }

    fn stop(&mut self) -> Task<Message> {
        self.acquiring = None;
        match self.stopper.take() {
            Some(stopper) => {
                self.serving = Serving::Stopping;
                stopper.stop();
                Task::none()
            }
            None if self.closing => self.close_window(),
            None => Task::none(),
        }
    }

    fn on_engine(&mut self, update: Update) -> Task<Message> {
        match update {
            Update::Listening(listening) => self.listening(*listening),
            Update::Events(events) => self.events(&events),
            Update::Failed(error) => self.failed(&error),
        }
    }

    fn listening(&mut self, listening: Listening) -> Task<Message> {
        // Given up while they were coming up.
        let (Some(plan), true) = (self.running.take(), self.stopper.is_some()) else { return Task::none() };
        self.starting = Starting::No;
        self.now = Timestamp::now();
        self.cautions = judge::at_start(&listening);
        let notes = engine::notes(&plan, &listening);
        self.serving = Serving::On { plan: Box::new(plan), url: listening.url, since: self.now };
        let event = |note| Event { time: self.now, mac: None, ip: None, role: None, what: What::Service(note) };
        let warnings = self.cautions.iter().map(|finding| Note::Warning { sentence: finding.sentence() });
        let events: Vec<Event> = notes.into_iter().chain(warnings).map(event).collect();
        let told = self.events(&events);
        if self.step == Step::Serve { told } else { Task::batch([told, self.go_to(Step::Serve)]) }
    }

    pub(super) fn events(&mut self, events: &[Event]) -> Task<Message> {
        self.now = Timestamp::now();
        for event in events {
            self.log.record(event);
            if let Some(further) = self.journal.record(event) {
                self.log.record(&further);
            }
        }
        self.serve.arrange(&self.journal);
        self.follow_log()
    }

    fn failed(&mut self, error: &engine::Error) -> Task<Message> {
        let finding = judge::explain(error);
        self.stopper = None;
        if self.starting == Starting::Binding {
            return self.not_started(finding);
        }
        let note = Note::Failed { sentence: finding.sentence() };
        self.serving = Serving::Ended(Some(finding));
        self.events(&[Event { time: Timestamp::now(), mac: None, ip: None, role: None, what: What::Service(note) }])
    }

    fn engine_ended(&mut self) -> Task<Message> {
        self.stopper = None;
        self.grant = None;
        self.starting = Starting::No;
        if matches!(self.serving, Serving::On { .. } | Serving::Stopping) {
            self.serving = Serving::Ended(None);
            self.log.pause(false);
            let stopped = What::Service(Note::Stopped);
            let _ = self.events(&[Event { time: Timestamp::now(), mac: None, ip: None, role: None, what: stopped }]);
        }
        if self.closing { self.close_window() } else { Task::none() }
    }

    pub(super) fn serve_context(&self) -> serve::Context<'_> {
        serve::Context {
            journal: &self.journal,
            log: &self.log,
            serving: &self.serving,
            cautions: &self.cautions,
            now: self.now,
            wide: self.is_wide(),
            narrow: self.room().narrow,
        }
    }

    pub(super) fn primary(&self) -> page::Primary<Message> {
        self.primary_of(self.step)
    }

    fn primary_of(&self, step: Step) -> page::Primary<Message> {
        match step {
            Step::Network => self.network.primary(self.network_context()).map(Message::Network),
            Step::Images => self.images.primary(&self.imports).map(Message::Images),
            Step::Menu => self.menu.primary(self.menu_context()).map(Message::Menu),
            Step::Check => self.check.primary(self.check_context()).map(Message::Check),
            Step::Serve => self.serve.primary(self.serve_context()).map(Message::Serve),
        }
    }
}
