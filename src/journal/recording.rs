//! Recorded boots: what the engine told of real ones, a line of JSON for each event. For tests, for pictures, and for
//! showing the program where no computer is at hand.

use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Event, What, between};
use crate::dhcp;
use crate::mac::Mac;

/// Longest line that is read, in bytes; the longest that the engine tells has some thousands.
const MAX_LINE: usize = 64 << 10;
/// Most events of one recording.
const MAX_EVENTS: usize = 100_000;
/// First and number of the last parts that stand-ins get for addresses.
const STAND_INS: (u8, u8) = (100, 100);

/// A line of a recording that is no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is no event: {reason}")]
pub struct BadRecording {
    /// Its number, counted from 1.
    pub line: usize,
    /// What the reader said.
    pub reason: String,
}

/// A recorded boot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    events: Vec<Event>,
}

/// The events of a recording, a line for each; empty lines count for nothing. A log of `serve --log json` is one too.
pub fn parse(text: &str) -> Result<Vec<Event>, BadRecording> {
    let mut events = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let bad = |reason: &dyn ToString| BadRecording { line: number, reason: reason.to_string() };
        if line.len() > MAX_LINE {
            return Err(bad(&format!("it has more than {MAX_LINE} bytes")));
        }
        if events.len() >= MAX_EVENTS {
            return Err(bad(&format!("there are {MAX_EVENTS} before it")));
        }
        events.push(serde_json::from_str(line).map_err(|error| bad(&error))?);
    }
    Ok(events)
}

impl Recording {
    /// Reads a recording.
    pub fn read(text: &str) -> Result<Recording, BadRecording> {
        Ok(Recording::new(parse(text)?))
    }

    /// A recording of these events, which are put in the order of their times.
    pub fn new(mut events: Vec<Event>) -> Recording {
        events.sort_by_key(|event| event.time);
        Recording { events }
    }

    /// Its events, with the times of the day when it was made.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The computer that it is about: the first that is named.
    pub fn mac(&self) -> Option<Mac> {
        self.events.iter().find_map(|event| event.mac)
    }

    /// How long it takes from the first event to the last.
    pub fn length(&self) -> Duration {
        self.events.first().zip(self.events.last()).map_or(Duration::ZERO, |(first, last)| between(first.time, last.time))
    }

    /// The events that come after `from` and not after `to`, both counted from the first event, which itself comes where
    /// `from` is `None`. Called with the time now and the time of the call before, this plays a recording.
    pub fn play(&self, from: Option<Duration>, to: Duration) -> &[Event] {
        let Some(first) = self.events.first() else { return &[] };
        let before = |limit: Duration| self.events.partition_point(|event| between(first.time, event.time) <= limit);
        self.events.get(from.map_or(0, before)..before(to)).unwrap_or_default()
    }

    /// The same boot at another time, its first event at `start`. With `mac` it is the boot of another computer, which
    /// also has another address, so that many can be shown at once.
    pub fn shifted(&self, start: Timestamp, mac: Option<Mac>) -> Vec<Event> {
        let Some(first) = self.events.first() else { return Vec::new() };
        let by = start.duration_since(first.time);
        let guise = mac.map(|mac| Guise { of: self.mac(), own: self.address(), mac });
        self.events.iter().map(|event| moved(event, by, guise.as_ref())).collect()
    }

    /// The address of the computer that it is about.
    fn address(&self) -> Option<Ipv4Addr> {
        let mac = self.mac()?;
        self.events.iter().filter(|event| event.mac == Some(mac)).find_map(|event| event.ip)
    }
}

/// Another computer in the place of the recorded one.
struct Guise {
    of: Option<Mac>,
    own: Option<Ipv4Addr>,
    mac: Mac,
}

impl Guise {
    fn mac(&self, mac: &mut Mac) {
        if Some(*mac) == self.of {
            *mac = self.mac;
        }
    }

    fn address(&self, address: &mut Option<Ipv4Addr>) {
        if address.is_some() && *address == self.own {
            *address = address.map(|address| self.stand_in(address));
        }
    }

    /// Computers that differ in the last part of their hardware addresses differ in that of these too, a hundred of them.
    fn stand_in(&self, address: Ipv4Addr) -> Ipv4Addr {
        let ([a, b, c, _], Mac([.., last])) = (address.octets(), self.mac);
        let (first, count) = STAND_INS;
        Ipv4Addr::new(a, b, c, first + last % count)
    }
}

fn moved(event: &Event, by: SignedDuration, guise: Option<&Guise>) -> Event {
    // Only a recording of centuries could leave the range of times.
    let time = event.time.checked_add(by).unwrap_or(event.time);
    let mut event = Event { time, ..event.clone() };
    let Some(guise) = guise else { return event };
    if let Some(mac) = &mut event.mac {
        guise.mac(mac);
    }
    guise.address(&mut event.ip);
    match &mut event.what {
        What::Dhcp(dhcp::Note::Asked { client, address, .. }) => {
            guise.mac(&mut client.mac);
            guise.address(address);
        }
        What::Dhcp(dhcp::Note::Offered { address, .. } | dhcp::Note::Granted { address, .. }) => guise.address(address),
        _ => {}
    }
    event
}
