//! The checks, and the start of the services.

use std::path::Path;
use std::sync::Arc;

use iced::Task;

use crate::app::overlay::Overlay;
use crate::app::parcel::Parcel;
use crate::app::screen::check::rehearsal::Rehearsal;
use crate::app::screen::check::{Checks, Starting};
use crate::app::screen::images::State;
use crate::app::screen::network::Asking;
use crate::app::screen::{Step, check};
use crate::app::widget::page;
use crate::app::{App, Message};
use crate::check as judge;
use crate::check::preflight::{self, Facts};
use crate::check::{Finding, Remedy};
use crate::deployment::{DhcpMode, Firewall, Plan};
use crate::engine;
use crate::engine::probe::Probe;
use crate::image::Inspection;
use crate::net::privilege::{self, Grant, PrivilegeError};
use crate::net::socket::Sockets;

/// Whether two looks at a file saw the same image, as far as a look can tell.
fn same_disc(then: &Inspection, now: &Inspection) -> bool {
    (then.size, &then.volume_label, &then.entries) == (now.size, &now.volume_label, &now.entries)
}

impl App {
    pub(in crate::app) fn on_check(&mut self, message: check::Message) -> Task<Message> {
        match self.check.update(message) {
            check::Action::None => Task::none(),
            check::Action::Check => self.check_anew(),
            check::Action::Mend(remedy) => self.mend(remedy),
            check::Action::Start => self.start(),
            check::Action::GiveUp => self.give_up(),
            check::Action::Rehearse => self.rehearse(),
            check::Action::Safety => self.open(Overlay::Safety(String::new())),
        }
    }

    /// Checks with a new question to the network: what it said an hour ago may be over.
    pub(in crate::app) fn check_anew(&mut self) -> Task<Message> {
        self.asking = Asking::NotYet;
        self.check_everything()
    }

    pub(in crate::app) fn check_everything(&mut self) -> Task<Message> {
        self.forget_rehearsal();
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

    pub(in crate::app) fn surveyed(&mut self, run: u64, facts: &Result<Facts, String>) -> Task<Message> {
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
            Ok(facts) => [preflight::preflight(facts), self.changed_images(facts)].concat(),
            Err(reason) => vec![judge::explain(&engine::Error::Broken(reason.clone()))],
        });
        // It waited for this, so it could not have the focus until now.
        if self.step == Step::Check { self.focus(page::primary_id()) } else { Task::none() }
    }

    /// Images that are not what their cards say any more.
    fn changed_images(&self, facts: &Facts) -> Vec<Finding> {
        let as_chosen = |path: &Path| {
            let import = self.imports.iter().find(|import| import.path == path)?;
            match &import.state {
                State::Ready(inspection) => Some(inspection),
                _ => None,
            }
        };
        let read = facts.images.iter().filter_map(|(path, found)| Some((path, found.as_ref().ok()?)));
        let changed = read.filter(|(path, found)| as_chosen(path).is_some_and(|then| !same_disc(then, found)));
        changed.map(|(path, _)| judge::around::changed_since_chosen(path)).collect()
    }

    /// Rehearses what would be served now.
    pub(in crate::app) fn rehearse(&mut self) -> Task<Message> {
        self.rehearsal_run += 1;
        let run = self.rehearsal_run;
        let plan = match self.plan() {
            Ok(plan) => plan,
            Err(finding) => {
                self.rehearsal = Rehearsal::Failed(finding);
                return Task::none();
            }
        };
        self.rehearsal = Rehearsal::Running(Vec::new());
        let stream = self.world.rehearse(plan);
        let (task, handle) = Task::run(stream, move |far| Message::Rehearsing(run, Box::new(far))).abortable();
        self.rehearsing = Some(handle.abort_on_drop());
        task
    }

    pub(in crate::app) fn rehearsing(&mut self, run: u64, far: Rehearsal) -> Task<Message> {
        if run == self.rehearsal_run {
            self.rehearsal = far;
        }
        Task::none()
    }

    /// What was rehearsed counts for the same answers only.
    fn forget_rehearsal(&mut self) {
        let same = match &self.rehearsal {
            Rehearsal::Over(plan, _) => self.plan().is_ok_and(|now| now == **plan),
            Rehearsal::NotYet => true,
            Rehearsal::Running(_) | Rehearsal::Failed(_) => false,
        };
        if !same {
            self.rehearsal_run += 1;
            (self.rehearsal, self.rehearsing) = (Rehearsal::NotYet, None);
        }
    }

    pub(in crate::app) fn mend(&mut self, remedy: Remedy) -> Task<Message> {
        match remedy {
            Remedy::UseProxyMode => self.set_mode(DhcpMode::Proxy),
            Remedy::UseFullMode => self.set_mode(DhcpMode::Full),
            Remedy::UseHttpPort(port) => {
                self.draft.http_port = Some(port);
                return self.check_everything();
            }
            Remedy::RemoveImage(path) => return Task::batch([self.remove_image(&path), self.check_everything()]),
            Remedy::SetAddress(address) => return self.set_address(address),
            Remedy::StopService(unit) => return self.stop_service(unit),
            Remedy::OpenFirewall => return self.choose_firewall(Firewall::Open),
            Remedy::LeaveFirewall => return self.choose_firewall(Firewall::Leave),
        }
        self.mode_by_hand = true;
        self.check_everything()
    }

    pub(in crate::app) fn plan(&self) -> Result<Plan, Box<Finding>> {
        let mut draft = self.draft.clone();
        // Only the servers that the question named; any other one still ends the handing out.
        if let (true, Asking::Heard(Probe::Answered(answers))) = (self.two_servers_meant, &self.asking) {
            draft.beside.extend(answers.iter().map(|answer| answer.server));
        }
        let plan = draft.plan(&self.interfaces, self.world.places());
        plan.map_err(|error| Box::new(judge::explain_plan(&error)))
    }

    pub(in crate::app) fn start(&mut self) -> Task<Message> {
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
        let request = self.with_firewall(&plan, engine::request(&plan));
        match self.world.rights(interface, &request) {
            privilege::Rights::Present if request.firewall.is_empty() => self.run(&plan, Sockets::default()),
            // The firewall's rule is the helper's, who takes it away whatever becomes of us.
            privilege::Rights::Present | privilege::Rights::ByHelper => {
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

    pub(in crate::app) fn give_up(&mut self) -> Task<Message> {
        self.acquiring = None;
        self.starting = Starting::No;
        // Services that are coming up end; until they have, their messages find nobody.
        if let Some(stopper) = self.stopper.take() {
            stopper.stop();
        }
        Task::none()
    }

    pub(in crate::app) fn acquired(&mut self, result: Result<Parcel<Grant>, Arc<PrivilegeError>>) -> Task<Message> {
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

    pub(in crate::app) fn run(&mut self, plan: &Plan, sockets: Sockets) -> Task<Message> {
        self.starting = Starting::Binding;
        self.serve_run += 1;
        self.log.pause(false);
        self.foreign = None;
        let run = self.serve_run;
        let (stopper, stream) = self.world.serve(plan, sockets);
        self.trace = stopper.trace();
        (self.stopper, self.running) = (Some(stopper), Some(plan.clone()));
        let updates = Task::run(stream, move |update| Message::Engine(run, Parcel::new(update)));
        updates.chain(Task::done(Message::EngineEnded(run)))
    }

    pub(in crate::app) fn not_started(&mut self, finding: Finding) -> Task<Message> {
        self.starting = Starting::No;
        self.grant = None;
        self.failure = Some(finding);
        if self.step == Step::Check { Task::none() } else { self.go_to_failed() }
    }

    /// A start from the Serve page failed: the Check page says why, and what to do.
    pub(in crate::app) fn go_to_failed(&mut self) -> Task<Message> {
        let failure = self.failure.take();
        let task = self.go_to(Step::Check);
        self.failure = failure;
        task
    }

    pub(in crate::app) fn check_context(&self) -> check::Context<'_> {
        let (checks, starting, rehearsal) = (&self.checks, self.starting, &self.rehearsal);
        check::Context { checks, starting, failure: self.failure.as_ref(), rehearsal }
    }
}
