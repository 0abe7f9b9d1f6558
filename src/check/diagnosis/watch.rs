//! What keeps each computer, looked at again and again: what is shown now, and what is new and worth telling once.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Foreign, Surroundings, diagnose, nothing_arrives};
use crate::dhcp;
use crate::journal::cause::{Cause, Kind, Likelihood};
use crate::journal::{Computer, Event, Journal, Note, What};
use crate::mac::Mac;

/// A computer that has been silent for longer tells nothing new by being silent still.
const SETTLED: std::time::Duration = std::time::Duration::from_secs(600);
/// Most other DHCP servers that are remembered.
const MAX_FOREIGN: usize = 8;

/// What was found, and what of it was told.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    known: BTreeMap<Mac, Known>,
    nothing: Option<Cause>,
    told_nothing: bool,
    /// DHCP of an ordinary computer was heard.
    others: bool,
    /// Other DHCP servers that were heard meanwhile.
    foreign: Vec<Foreign>,
}

#[derive(Clone, Debug, Default)]
struct Known {
    causes: Vec<Cause>,
    /// What was told in this boot, and how sure it was.
    told: Vec<(Kind, Likelihood)>,
    boots: u32,
    heard: Option<Timestamp>,
}

impl Watch {
    /// Takes note of an event: that somebody's DHCP arrives says that the way is open, and who else answers explains much.
    pub fn hear(&mut self, event: &Event) {
        match event.what {
            What::Dhcp(dhcp::Note::ForeignServer { server, .. }) => {
                let known = self.foreign.iter().any(|foreign| foreign.server == server);
                if !known && self.foreign.len() < MAX_FOREIGN {
                    self.foreign.push(Foreign { server, vendor: None });
                }
            }
            What::Dhcp(_) => self.others = true,
            _ => {}
        }
    }

    /// Looks at all computers. Returns what is new, each with its computer, once in a boot.
    pub fn look(&mut self, journal: &Journal, now: Timestamp, around: &Surroundings) -> Vec<Event> {
        let mut around = around.clone();
        let new = |foreign: &&Foreign| around.foreign.iter().all(|known| known.server != foreign.server);
        let heard: Vec<Foreign> = self.foreign.iter().filter(new).cloned().collect();
        around.foreign.extend(heard);
        let around = &around;
        self.known.retain(|mac, _| journal.computer(*mac).is_some());
        self.nothing = nothing_arrives(around, self.others, now).filter(|_| journal.count() == 0);
        let mut events = Vec::new();
        if let Some(cause) = self.nothing.as_ref().filter(|_| !self.told_nothing) {
            self.told_nothing = true;
            events.push(told(None, cause, now));
        }
        for computer in journal.computers() {
            let known = self.known.entry(computer.mac).or_default();
            if known.heard == Some(computer.heard) && computer.silent_for(now) > SETTLED {
                continue;
            }
            events.extend(known.look(computer, now, around).iter().map(|cause| told(Some(computer), cause, now)));
        }
        events
    }

    /// What keeps a computer, the surest first.
    pub fn causes(&self, mac: Mac) -> &[Cause] {
        self.known.get(&mac).map_or(&[], |known| &known.causes)
    }

    /// What keeps a computer most likely, where something is wrong.
    pub fn trouble(&self, mac: Mac) -> Option<&Cause> {
        self.causes(mac).first().filter(|cause| cause.is_trouble())
    }

    /// What to look for where no computer asks.
    pub fn nothing(&self) -> Option<&Cause> {
        self.nothing.as_ref()
    }
}

impl Known {
    /// Judges anew, and returns what was not told in this boot, or not as sure as that.
    fn look(&mut self, computer: &Computer, now: Timestamp, around: &Surroundings) -> Vec<Cause> {
        self.causes = diagnose(computer, now, around);
        self.heard = Some(computer.heard);
        if self.boots != computer.boots {
            (self.boots, self.told) = (computer.boots, Vec::new());
        }
        let told = &mut self.told;
        let is_new = |cause: &&Cause| match told.iter_mut().find(|(kind, _)| *kind == cause.kind) {
            Some((_, sure)) if *sure <= cause.likelihood => false,
            Some((_, sure)) => {
                *sure = cause.likelihood;
                true
            }
            None => {
                told.push((cause.kind, cause.likelihood));
                true
            }
        };
        self.causes.iter().filter(is_new).cloned().collect()
    }
}

fn told(computer: Option<&Computer>, cause: &Cause, now: Timestamp) -> Event {
    let (mac, ip) = (computer.map(|computer| computer.mac), computer.and_then(|computer| computer.ip));
    Event { time: now, mac, ip, role: None, what: What::Service(Note::Diagnosis(cause.clone())) }
}
