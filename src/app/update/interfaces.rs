//! The network: which interface, and who hands out addresses.

use std::sync::Arc;

use iced::Task;
use ipnet::Ipv4Net;

use crate::app::overlay::{Overlay, Question, Then};
use crate::app::parcel::Parcel;
use crate::app::screen::network::Asking;
use crate::app::screen::{Step, network};
use crate::app::world::World;
use crate::app::{App, Message};
use crate::check as judge;
use crate::deployment::DhcpMode;
use crate::engine::probe::Probe;
use crate::net::privilege::{self, Grant, PrivilegeError};
use crate::net::{Interface, interface};
use crate::text;

impl App {
    pub(in crate::app) fn on_network(&mut self, message: network::Message) -> Task<Message> {
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

    pub(in crate::app) fn choose_interface(&mut self, name: String) -> Task<Message> {
        if self.draft.interface.as_ref() == Some(&name) {
            return Task::none();
        }
        self.mode_by_hand = false;
        self.draft.choose_network(&name, DhcpMode::Proxy, None);
        self.address_trouble = None;
        self.reached = Step::Network;
        self.probe()
    }

    pub(in crate::app) fn choose_mode(&mut self, mode: DhcpMode) -> Task<Message> {
        self.mode_by_hand = true;
        self.set_mode(mode);
        Task::none()
    }

    pub(in crate::app) fn set_mode(&mut self, mode: DhcpMode) {
        self.draft.dhcp = Some(mode);
        // A range means something only where addresses are handed out; it comes back with that.
        if mode == DhcpMode::Full {
            self.draft.range = self.draft.range.take().or(self.kept_range.take());
        } else {
            self.kept_range = self.draft.range.take().or(self.kept_range.take());
        }
    }

    pub(in crate::app) fn choose_range(&mut self, text: String) -> Task<Message> {
        let text: String = text.chars().filter(|letter| !letter.is_control()).take(64).collect();
        self.draft.range = Some(text).filter(|text| !text.trim().is_empty());
        // Who types a range wants it kept, whatever the network says after the next flap of the cable.
        self.mode_by_hand |= self.draft.range.is_some();
        Task::none()
    }

    /// Handing out addresses where another server does so too is asked about, with the name of that server.
    pub(in crate::app) fn leave_network(&mut self) -> Task<Message> {
        match self.question_about_servers() {
            Some(question) => self.open(Overlay::Question(question)),
            None => self.next(),
        }
    }

    pub(in crate::app) fn question_about_servers(&self) -> Option<Question> {
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

    pub(in crate::app) fn interfaces_changed(&mut self, interfaces: Vec<Interface>) -> Task<Message> {
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

    pub(in crate::app) fn interface(&self) -> Option<&Interface> {
        let name = self.draft.interface.as_ref()?;
        self.interfaces.iter().find(|interface| interface.is_called(name))
    }

    /// Chooses what is most likely meant while nothing is chosen, and asks its network.
    pub(in crate::app) fn settle_interface(&mut self) -> Task<Message> {
        if self.draft.interface.is_none() {
            if let Some(name) = interface::likely(&self.interfaces).map(|interface| interface.name.clone()) {
                self.draft.choose_network(&name, DhcpMode::Proxy, None);
                return self.probe();
            }
            return Task::none();
        }
        if matches!(self.asking, Asking::NotYet) { self.probe() } else { Task::none() }
    }

    pub(in crate::app) fn probe(&mut self) -> Task<Message> {
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

    pub(in crate::app) fn probed(&mut self, run: u64, probe: Probe) -> Task<Message> {
        // A late answer, about another interface or another address, says nothing about this one.
        if run == self.probe_run {
            self.probing = None;
            self.heard(probe);
        }
        Task::none()
    }

    pub(in crate::app) fn heard(&mut self, probe: Probe) {
        let Some(interface) = self.interface().cloned() else { return };
        let advice = judge::mode_advice(&interface, &probe, &crate::net::hint::hint(&interface));
        if !self.mode_by_hand && self.is_idle() {
            self.set_mode(advice.mode);
        }
        self.advice = Some(advice);
        self.asking = Asking::Heard(probe);
    }

    pub(in crate::app) fn set_address(&mut self, address: Ipv4Net) -> Task<Message> {
        let (Some(interface), None) = (self.interface().map(|interface| interface.name.clone()), &self.setting_address)
        else {
            return Task::none();
        };
        if matches!(self.world, World::Described(_)) {
            return self.regret("A demonstration sets no address".to_owned());
        }
        self.address_trouble = None;
        let request = privilege::Request {
            interface,
            own: address.addr(),
            udp: vec![],
            tcp: vec![],
            address: Some(address),
            router: false,
            guard: false,
            firewall: vec![],
        };
        let acquire = self.world.clone().acquire(request);
        let (task, handle) = Task::perform(acquire, |result| Message::AddressSet(result.map(Parcel::new))).abortable();
        self.setting_address = Some(handle.abort_on_drop());
        task
    }

    pub(in crate::app) fn address_set(&mut self, result: Result<Parcel<Grant>, Arc<PrivilegeError>>) -> Task<Message> {
        self.setting_address = None;
        match result {
            // The interface's change shows by itself.
            Ok(grant) => self.address = grant.take(),
            Err(error) if self.step == Step::Check => self.failure = Some(judge::explain_privilege(&error)),
            Err(error) => self.address_trouble = Some(judge::explain_privilege(&error)),
        }
        Task::none()
    }

    pub(in crate::app) fn network_context(&self) -> network::Context<'_> {
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
