//! One computer's events as the rules look at them: this boot, what came before it, and how long nothing came since.

use std::time::Duration;

use jiff::Timestamp;

use super::Surroundings;
use crate::boot::Machine;
use crate::boot::tree::Role;
use crate::dhcp::{self, Question};
use crate::http;
use crate::journal::cause::{Cause, Kind, Likelihood};
use crate::journal::{Computer, Event, Note, What};
use crate::tftp;

/// Questions that follow each other faster are one, which came by two ways.
const SAME: Duration = Duration::from_millis(500);

/// What the rules look at.
pub(super) struct Story<'a> {
    pub computer: &'a Computer,
    pub now: Timestamp,
    pub around: &'a Surroundings,
    /// Events of this boot, in order.
    pub boot: Vec<&'a Event>,
    /// Events of earlier ones.
    pub before: Vec<&'a Event>,
}

/// A question of a network-booting computer.
#[derive(Clone, Copy)]
pub(super) struct Ask {
    pub time: Timestamp,
    pub question: Question,
    pub machine: Machine,
    /// Its place among the events that it was taken from.
    pub at: usize,
}

impl<'a> Story<'a> {
    pub(super) fn of(computer: &'a Computer, now: Timestamp, around: &'a Surroundings) -> Story<'a> {
        let (boot, before) = computer.history.iter().partition(|event| event.time >= computer.began);
        Story { computer, now, around, boot, before }
    }

    /// For how long nothing was heard of it.
    pub(super) fn silence(&self) -> Duration {
        self.computer.silent_for(self.now)
    }

    /// Whether nothing was heard for so many seconds.
    pub(super) fn silent(&self, seconds: u64) -> bool {
        self.silence() >= Duration::from_secs(seconds)
    }

    /// What came after the last word about a file, our own remarks on one left out.
    pub(super) fn since_file(&self) -> &[&'a Event] {
        let last = self.boot.iter().rposition(|event| is_file(event));
        self.boot.get(last.map_or(0, |at| at + 1)..).unwrap_or_default()
    }

    /// Its questions among some events.
    pub(super) fn asks(events: &[&'a Event]) -> Vec<Ask> {
        let mut asks: Vec<Ask> = Vec::new();
        for (at, event) in events.iter().enumerate() {
            let What::Dhcp(dhcp::Note::Asked { question, client, .. }) = &event.what else { continue };
            let Some(machine) = Machine::of(client) else { continue };
            let ask = Ask { time: event.time, question: *question, machine, at };
            let echo = |last: &Ask| last.question == ask.question && last.machine == machine;
            if asks.last().is_some_and(|last| echo(last) && since(last.time, ask.time) < SAME) {
                continue;
            }
            asks.push(ask);
        }
        asks
    }

    /// The files of this boot that came whole, with their parts in it and their sizes.
    pub(super) fn whole(&self) -> impl Iterator<Item = (&'a Event, &'a str, Role, u64)> {
        self.boot.iter().filter_map(|event| whole(event))
    }
}

/// A file that came whole.
pub(super) fn whole(event: &Event) -> Option<(&Event, &str, Role, u64)> {
    match &event.what {
        What::Tftp(tftp::Note::Done { file, bytes, .. }) => Some((event, file, event.role?, *bytes)),
        What::Http(http::Note::Done { file, from: 0, bytes, size, .. }) if bytes == size => {
            Some((event, file, event.role?, *size))
        }
        _ => None,
    }
}

/// Whether an event is the computer's own about a file, or its menu.
pub(super) fn is_file(event: &Event) -> bool {
    match &event.what {
        What::Tftp(tftp::Note::Stalled { .. } | tftp::Note::TimedOut { .. }) => false,
        What::Tftp(_) | What::Http(_) | What::Service(Note::Menu { .. }) => true,
        _ => false,
    }
}

/// How much time lies between two moments; none where the clock was set back.
pub(super) fn since(from: Timestamp, to: Timestamp) -> Duration {
    to.duration_since(from).try_into().unwrap_or_default()
}

/// A cause, from its parts.
pub(super) fn cause(
    (kind, likelihood): (Kind, Likelihood),
    since: Timestamp,
    evidence: impl Into<String>,
    next_step: impl Into<String>,
) -> Cause {
    Cause { kind, likelihood, since, evidence: evidence.into(), next_step: next_step.into() }
}
