//! Remedies that last while something is served, and that are undone after it: the firewall, sleep, and services that are
//! in the way.

use iced::Task;
use jiff::Timestamp;

use crate::app::parcel::Parcel;
use crate::app::world::World;
use crate::app::{App, Message};
use crate::check as judge;
use crate::deployment::{DhcpPlan, Firewall, Plan};
use crate::engine::{self, Arranged};
use crate::journal::{Event, Note, What};
use crate::net::awake::{self, Awake};
use crate::net::privilege::{Gate, Request};
use crate::net::service::Stopped;

/// What is to be undone.
#[derive(Debug, Default)]
pub(in crate::app) struct Undo {
    /// Keeps this computer awake.
    awake: Option<Awake>,
    /// Services that were stopped.
    stopped: Vec<Stopped>,
}

impl App {
    pub(in crate::app) fn choose_firewall(&mut self, firewall: Firewall) -> Task<Message> {
        self.draft.firewall = Some(firewall).filter(|firewall| *firewall != Firewall::default());
        self.check_everything()
    }

    /// The request with the ways in through the firewall, where they are wanted.
    pub(in crate::app) fn with_firewall(&self, plan: &Plan, request: Request) -> Request {
        if self.draft.firewall != Some(Firewall::Open) || matches!(self.world, World::Described(_)) {
            return request;
        }
        Request { firewall: engine::incoming(plan.dhcp != DhcpPlan::Off, plan.ports.http), ..request }
    }

    pub(in crate::app) fn stop_service(&mut self, unit: String) -> Task<Message> {
        if matches!(self.world, World::Described(_)) {
            return self.regret("A demonstration stops no service".to_owned());
        }
        self.failure = None;
        let stop = self.world.clone().stop_service(unit.clone());
        Task::perform(stop, move |result| Message::ServiceStopped(unit.clone(), result.map(Parcel::new)))
    }

    pub(in crate::app) fn service_stopped(
        &mut self,
        unit: &str,
        result: Result<Parcel<Stopped>, String>,
    ) -> Task<Message> {
        match result {
            Ok(stopped) => {
                self.undo.stopped.extend(stopped.take());
                self.check_everything()
            }
            Err(reason) => {
                self.failure = Some(judge::not_stopped(unit, &reason));
                Task::none()
            }
        }
    }

    /// Keeps this computer awake from now on, and says what the firewall lets in.
    pub(in crate::app) fn begin_meanwhile(&mut self, plan: &Plan) -> (Vec<Note>, Task<Message>) {
        let interface = plan.interface.as_str();
        let gate = self.grant.as_ref().and_then(|grant| grant.firewall.as_ref());
        let notes = gate.map(|gate| judge::gate(gate, interface).note()).into_iter().collect();
        let task = match &self.world {
            World::Real(_) => {
                let run = self.serve_run;
                Task::perform(awake::stay(), move |result| Message::Awake(run, result.map(Parcel::new)))
            }
            World::Described(_) => Task::none(),
        };
        (notes, task)
    }

    pub(in crate::app) fn stays_awake(&mut self, run: u64, result: Result<Parcel<Awake>, String>) -> Task<Message> {
        // Services that have ended meanwhile need it no more.
        if run != self.serve_run || self.stopper.is_none() {
            return Task::none();
        }
        let result = result.map(|awake| awake.take());
        let told = result.as_ref().map(|awake| awake.as_ref().is_some_and(|awake| awake.with_lid));
        let arranged = Arranged { awake: told.map_err(Clone::clone), firewall: None };
        self.undo.awake = result.ok().flatten();
        let told = judge::arranged(&arranged, "", awake::power().is_portable);
        self.tell(told.iter().map(judge::Finding::note))
    }

    /// Undoes what was for the time of serving. Nothing where there is nothing that has to be waited for.
    pub(in crate::app) fn end_meanwhile(&mut self) -> Option<Task<Message>> {
        self.undo.awake = None;
        let (grant, stopped) = (self.grant.take(), std::mem::take(&mut self.undo.stopped));
        if grant.is_none() && stopped.is_empty() {
            return None;
        }
        let interface = self.draft.interface.clone().unwrap_or_default();
        let undo = async move {
            let mut told = Vec::new();
            if let Some(grant) = grant {
                let was_open = grant.firewall == Some(Gate::Opened);
                grant.release().await;
                told.extend(was_open.then(|| judge::gate_closed(&interface)));
            }
            for service in stopped {
                let unit = service.unit().to_owned();
                let result = service.start().await;
                told.push(judge::started_again(&unit, result.err().as_deref()));
            }
            told
        };
        Some(Task::perform(undo, Message::Undone))
    }

    pub(in crate::app) fn undone(&mut self, sentences: Vec<String>) -> Task<Message> {
        let told = self.tell(sentences.into_iter().map(|sentence| Note::Arranged { sentence }));
        if self.stopper.is_some() { told } else { Task::batch([told, self.go_on()]) }
    }

    fn tell(&mut self, notes: impl Iterator<Item = Note>) -> Task<Message> {
        let event = |note| Event { time: Timestamp::now(), mac: None, ip: None, role: None, what: What::Service(note) };
        let events: Vec<Event> = notes.map(event).collect();
        if events.is_empty() { Task::none() } else { self.events(&events) }
    }
}
