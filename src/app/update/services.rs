//! The running services: what they tell, and their end.

use iced::{Task, clipboard};
use jiff::{Timestamp, Zoned};

use crate::app::overlay::{Overlay, Question, Then};
use crate::app::screen::check::Starting;
use crate::app::screen::serve::Serving;
use crate::app::screen::{Step, serve};
use crate::app::widget::page;
use crate::app::world::World;
use crate::app::{App, Message, log};
use crate::boot::approval::Which;
use crate::check as judge;
use crate::check::diagnosis::{Surroundings, Watch};
use crate::deployment::DhcpMode;
use crate::dhcp;
use crate::engine::control::Request;
use crate::engine::{self, Listening, Update};
use crate::journal::{Event, Note, What};

impl App {
    pub(in crate::app) fn on_serve(&mut self, message: serve::Message) -> Task<Message> {
        let action = self.serve.update(message);
        self.serve_action(action)
    }

    pub(in crate::app) fn serve_action(&mut self, action: serve::Action) -> Task<Message> {
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
            serve::Action::ToTop => iced::widget::operation::snap_to(
                serve::computers_id(),
                iced::widget::operation::RelativeOffset { x: None, y: Some(0.0) },
            ),
            serve::Action::ToEnd => iced::widget::operation::snap_to_end(serve::log_id()),
            serve::Action::Copy => self.copy_log(),
            serve::Action::Save => self.save_log(),
            serve::Action::Stop => self.ask_to_stop(),
            // What was clear before may not be now, so a new start begins with the checks.
            serve::Action::Start => self.go_to(Step::Check),
            serve::Action::WorkBeside => self.ask_to_work_beside(),
            serve::Action::Decide(mac, approved) => {
                let which = Which::Mac(mac);
                let request = if approved { Request::Approve { which } } else { Request::Refuse { which } };
                self.stopper.iter().for_each(|stopper| stopper.tell(request.clone()));
                if matches!(self.world, World::Described(_)) {
                    let note = if approved { Note::Approved } else { Note::TurnedAway };
                    let what = What::Service(note);
                    return self.events(&[Event {
                        time: Timestamp::now(),
                        mac: Some(mac),
                        ip: None,
                        role: None,
                        what,
                    }]);
                }
                Task::none()
            }
            serve::Action::Jobs => self.open_jobs(),
            serve::Action::Safety => self.open(Overlay::Safety(String::new())),
        }
    }

    pub(in crate::app) fn follow_log(&self) -> Task<Message> {
        if self.serve.follows() { iced::widget::operation::snap_to_end(serve::log_id()) } else { Task::none() }
    }

    pub(in crate::app) fn copy_log(&self) -> Task<Message> {
        self.log_text().then(|text| clipboard::write(text).chain(Task::done(Message::Copied)))
    }

    pub(in crate::app) fn save_log(&self) -> Task<Message> {
        let name = format!("bootwright-{}.log", Zoned::now().strftime("%Y-%m-%d-%H%M"));
        let world = self.world.clone();
        let save = move |text| Task::perform(world.clone().save_text(name.clone(), text), Message::TextSaved);
        self.log_text().then(save)
    }

    /// The log as text, written beside the window: a hundred thousand lines take their time.
    pub(in crate::app) fn log_text(&self) -> Task<String> {
        let lines = self.log.lines();
        let write = async move { tokio::task::spawn_blocking(move || log::text(&lines)).await.unwrap_or_default() };
        Task::perform(write, |text| text)
    }

    /// A stop that would cut computers off is asked about; any other is not.
    pub(in crate::app) fn ask_to_stop(&mut self) -> Task<Message> {
        let Some(who) = self.cut_off() else { return self.stop() };
        self.open(Overlay::Question(Question {
            title: "Stop serving?".to_owned(),
            words: who,
            yes: "Stop".to_owned(),
            then: Then::Stop,
        }))
    }

    /// The same for a stop that is a new start in another mode.
    fn ask_to_work_beside(&mut self) -> Task<Message> {
        let Some(who) = self.cut_off() else { return self.work_beside() };
        self.open(Overlay::Question(Question {
            title: "Start again beside the other server?".to_owned(),
            words: who,
            yes: "Start again".to_owned(),
            then: Then::WorkBeside,
        }))
    }

    pub(in crate::app) fn work_beside(&mut self) -> Task<Message> {
        self.mode_by_hand = true;
        self.start_again = self.stopper.is_some();
        self.set_mode(DhcpMode::Proxy);
        self.stop()
    }

    /// Whom a stop would cut off, in words.
    pub(in crate::app) fn cut_off(&self) -> Option<String> {
        let names: Vec<String> = self.journal.active(self.now).map(crate::journal::Computer::name).collect();
        match names.as_slice() {
            [] => None,
            [one] => Some(format!("{one} is in the middle of booting and would be cut off.")),
            more => Some(format!("{} computers are in the middle of booting and would be cut off.", more.len())),
        }
    }

    pub(in crate::app) fn stop(&mut self) -> Task<Message> {
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

    pub(in crate::app) fn on_engine(&mut self, update: Update) -> Task<Message> {
        match update {
            Update::Listening(listening) => self.listening(*listening),
            Update::Events(events) => self.events(&events),
            Update::Failed(error) => self.failed(&error),
        }
    }

    pub(in crate::app) fn listening(&mut self, listening: Listening) -> Task<Message> {
        // Given up while they were coming up.
        let (Some(plan), true) = (self.running.take(), self.stopper.is_some()) else { return Task::none() };
        self.starting = Starting::No;
        self.now = Timestamp::now();
        self.cautions = judge::at_start(&listening);
        let (arranged, staying) = self.begin_meanwhile(&plan);
        let notes = engine::notes(&plan, &listening);
        self.around = Some(Surroundings::of(&plan, &listening, self.now));
        self.watch = Watch::default();
        if matches!(self.world, World::Described(_)) {
            self.jobs.serves(engine::jobs::catalogue(&listening.images, &plan.menu(&listening.images), None));
        }
        self.serving = Serving::On { plan: Box::new(plan), url: listening.url, since: self.now };
        let event = |note| Event { time: self.now, mac: None, ip: None, role: None, what: What::Service(note) };
        let warnings = self.cautions.iter().map(|finding| Note::Warning { sentence: finding.sentence() });
        let events: Vec<Event> = notes.into_iter().chain(warnings).chain(arranged).map(event).collect();
        let told = Task::batch([self.events(&events), staying]);
        if self.step == Step::Serve { told } else { Task::batch([told, self.go_to(Step::Serve)]) }
    }

    pub(in crate::app) fn events(&mut self, events: &[Event]) -> Task<Message> {
        self.now = Timestamp::now();
        for event in events {
            if let What::Dhcp(dhcp::Note::ForeignServer { server, mac, maker }) = &event.what {
                self.foreign = Some(judge::foreign_server(*server, *mac, maker.as_deref()));
            }
            self.log.record(event);
            self.watch.hear(event);
            if let Some(further) = self.journal.record(event) {
                self.log.record(&further);
            }
        }
        self.look_at_computers();
        self.serve.arrange(&self.journal, &self.watch);
        let jobs = self.follow_jobs(events);
        Task::batch([self.follow_log(), jobs])
    }

    /// The job sheet follows while it is open; on a described machine it is only here.
    fn follow_jobs(&mut self, events: &[Event]) -> Task<Message> {
        if matches!(self.world, World::Described(_)) {
            events.iter().for_each(|event| self.jobs.play(event));
            return Task::none();
        }
        if matches!(self.overlay, Some(Overlay::Jobs)) { self.read_jobs() } else { Task::none() }
    }

    /// Looks what keeps each computer, and tells what is new. Once nothing is served any more, silence says nothing.
    pub(in crate::app) fn look_at_computers(&mut self) {
        if let (Some(around), Serving::On { .. }) = (&self.around, &self.serving) {
            let new = self.watch.look(&self.journal, self.now, around);
            new.iter().for_each(|event| self.log.record(event));
        }
    }

    pub(in crate::app) fn failed(&mut self, error: &engine::Error) -> Task<Message> {
        let finding = judge::explain(error);
        self.stopper = None;
        if self.starting == Starting::Binding {
            return self.not_started(finding);
        }
        let note = Note::Failed { sentence: finding.sentence() };
        self.serving = Serving::Ended(Some(finding));
        self.events(&[Event { time: Timestamp::now(), mac: None, ip: None, role: None, what: What::Service(note) }])
    }

    pub(in crate::app) fn engine_ended(&mut self) -> Task<Message> {
        self.stopper = None;
        let undoing = self.end_meanwhile();
        self.starting = Starting::No;
        if matches!(self.serving, Serving::On { .. } | Serving::Stopping) {
            self.serving = Serving::Ended(None);
            self.log.pause(false);
            let stopped = What::Service(Note::Stopped);
            let _ = self.events(&[Event { time: Timestamp::now(), mac: None, ip: None, role: None, what: stopped }]);
        }
        match undoing {
            // What comes next comes after this.
            Some(undoing) => undoing,
            None => self.go_on(),
        }
    }

    /// What is to come after the end of the services, once all is undone that was for their time.
    pub(in crate::app) fn go_on(&mut self) -> Task<Message> {
        match (self.closing, std::mem::take(&mut self.start_again)) {
            (true, _) => self.close_window(),
            (false, true) => self.start(),
            (false, false) => Task::none(),
        }
    }

    pub(in crate::app) fn serve_context(&self) -> serve::Context<'_> {
        serve::Context {
            journal: &self.journal,
            watch: &self.watch,
            log: &self.log,
            serving: &self.serving,
            foreign: self.foreign.as_ref(),
            cautions: &self.cautions,
            now: self.now,
            asks: self.draft.guests().ask,
            until: self.due(),
            wide: self.is_wide(),
            narrow: self.room().narrow,
        }
    }

    pub(in crate::app) fn primary(&self) -> page::Primary<Message> {
        self.primary_of(self.step)
    }

    pub(in crate::app) fn primary_of(&self, step: Step) -> page::Primary<Message> {
        match step {
            Step::Network => self.network.primary(self.network_context()).map(Message::Network),
            Step::Images => self.images.primary(&self.imports).map(Message::Images),
            Step::Menu => self.menu.primary(self.menu_context()).map(Message::Menu),
            Step::Check => self.check.primary(self.check_context()).map(Message::Check),
            Step::Serve => self.serve.primary(self.serve_context()).map(Message::Serve),
        }
    }
}
