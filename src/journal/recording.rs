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
        self.events
            .first()
            .zip(self.events.last())
            .map_or(Duration::ZERO, |(first, last)| between(first.time, last.time))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Computer, Journal, Stage};

    const OTHER: Mac = Mac([2, 0, 0, 0, 0, 7]);

    fn recording(name: &str) -> Recording {
        let path = format!("{}/tests/boots/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        Recording::read(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The journal after these events, and the files whose bar was shown, in order.
    fn folded(events: &[Event]) -> (Journal, Vec<String>) {
        let (mut journal, mut shown) = (Journal::default(), Vec::<String>::new());
        for event in events {
            journal.record(event);
            let computer = event.mac.and_then(|mac| journal.computer(mac));
            let trouble = computer.and_then(|computer| computer.trouble.as_ref());
            assert!(trouble.is_none(), "{trouble:?} in a boot where nothing failed that its events could tell");
            let transfer = computer.and_then(Computer::transfer);
            let name = transfer.map(|transfer| transfer.file.rsplit('/').next().unwrap_or_default().to_owned());
            shown.extend(name.filter(|name| shown.last() != Some(name)));
        }
        (journal, shown)
    }

    #[test]
    fn recorded_boots_come_as_far_as_they_came() {
        use Stage::{Asked, HandedOver, Kernel, Loader, Menu, Offered};
        let live: &[Stage] = &[Asked, Offered, Loader, Menu, Kernel, HandedOver];
        let cases: [(&str, u32, &[Stage], &str); 6] = [
            ("memtest-seabios", 1, &[Asked, Offered, Menu, Kernel], "bootx64.efi"),
            ("memtest-plain-rom", 1, &[Asked, Offered, Loader, Menu, Kernel], "bootx64.efi"),
            ("debian-live-uefi", 1, live, "filesystem.squashfs"),
            ("debian-live-http-boot", 1, live, "filesystem.squashfs"),
            // OVMF asked three times before the office's server was there; its menu was the last thing recorded.
            ("uefi-beside-late-office", 1, &[Asked, Offered, Loader, Menu], "boot.ipxe"),
            // It was given its loader by PXE, did not start it, and tried HTTP Boot.
            ("secure-boot-refused", 2, &[Asked, Offered, Loader], "snponly.efi"),
        ];
        for (name, boots, stages, last_transfer) in cases {
            let (journal, shown) = folded(recording(name).events());
            let computers = journal.by_activity();
            let [computer] = computers.as_slice() else { panic!("{name}: {} computers", computers.len()) };
            let reached: Vec<Stage> = computer.reached.iter().map(|(stage, _)| *stage).collect();
            assert_eq!((computer.boots, reached.as_slice()), (boots, stages), "{name}");
            assert_eq!(shown.last().map(String::as_str), Some(last_transfer), "{name}: {shown:?}");
            assert!(computer.transfer().is_none(), "{name}: {computer:#?}");
            assert!(computer.reached.is_sorted_by_key(|(_, time)| *time), "{name}");
            assert_eq!(computer.reached.first().map(|(_, time)| *time), Some(computer.began), "{name}");
        }
    }

    #[test]
    fn a_recorded_download_has_a_bar_that_moves() {
        let recording = recording("debian-live-uefi");
        let mut journal = Journal::default();
        let mut fractions = Vec::new();
        for event in recording.events() {
            journal.record(event);
            let computer = recording.mac().and_then(|mac| journal.computer(mac));
            let transfer = computer.and_then(Computer::transfer).filter(|transfer| transfer.total > 200_000_000);
            fractions.extend(transfer.map(|transfer| (transfer.fraction(), transfer.rate_bps, transfer.left())));
        }
        assert!(fractions.len() >= 8, "{fractions:?}");
        assert!(fractions.is_sorted_by_key(|(fraction, ..)| *fraction), "{fractions:?}");
        assert!(fractions.iter().skip(1).all(|(_, rate, left)| *rate > 0 && left.is_some()), "{fractions:?}");
    }

    #[test]
    fn recordings_are_small_and_tell_nothing_of_where_they_were_made() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/boots");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.len() < 100_000, "{path:?}");
            assert!(!["/tmp/", "/home/", "/var/"].iter().any(|part| text.contains(part)), "{path:?}");
            let again: String =
                parse(&text).unwrap().iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect();
            assert!(again == text, "{path:?} is not what an event is written as");
        }
    }

    #[test]
    fn a_boot_is_moved_to_another_time_and_computer() {
        let recording = recording("debian-live-uefi");
        let start = Timestamp::from_second(1_000_000).unwrap();
        let moved = recording.shifted(start, Some(OTHER));
        let (first, last) = (moved.first().unwrap().time, moved.last().unwrap().time);
        assert_eq!((first, between(first, last)), (start, recording.length()));
        let of_it = moved.iter().filter(|event| event.mac.is_some());
        let text: String = of_it.map(|event| serde_json::to_string(event).unwrap()).collect();
        let (mac, address) = (recording.mac().unwrap().to_string(), recording.address().unwrap().to_string());
        assert!(!text.contains(&mac) && !text.contains(&address), "{text}");
        let (journal, _) = folded(&moved);
        let computer = journal.computer(OTHER).expect("the other computer");
        assert_eq!((computer.stage, computer.ip), (Stage::HandedOver, Some([10, 77, 0, 107].into())));
        let same = recording.shifted(recording.events()[0].time, None);
        assert_eq!(same, recording.events());
    }

    #[test]
    fn a_recording_is_played_piece_by_piece() {
        let recording = recording("memtest-seabios");
        let mut played = Vec::new();
        let mut before = None;
        for tenths in 0..=recording.length().as_millis() as u64 / 100 + 1 {
            let now = Duration::from_millis(tenths * 100);
            played.extend_from_slice(recording.play(before, now));
            before = Some(now);
        }
        assert_eq!(played, recording.events());
        assert_eq!(recording.play(None, Duration::ZERO).len(), 1);
        assert!(Recording::default().play(None, Duration::MAX).is_empty());
        assert!(Recording::default().shifted(Timestamp::UNIX_EPOCH, None).is_empty());
    }

    #[test]
    fn what_is_no_recording_is_told_with_its_line() {
        let good = r#"{"time":"1970-01-01T00:00:00Z","event":"stopped","text":"stopped"}"#;
        assert_eq!(parse(&format!("{good}\n\n{good}\r\n")).map(|events| events.len()), Ok(2));
        let long =
            format!(r#"{{"time":"1970-01-01T00:00:00Z","event":"link-up","interface":"{}"}}"#, "x".repeat(MAX_LINE));
        for bad in ["{", "[]", r#"{"time":"1970-01-01T00:00:00Z","event":"no-such"}"#, r#"{"event":"stopped"}"#, &long]
        {
            let line = parse(&format!("{good}\n\n{bad}\n{good}")).map_err(|error| error.line);
            assert_eq!(line, Err(3), "{bad:.80}");
        }
    }
}
