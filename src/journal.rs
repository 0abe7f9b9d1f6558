//! What happened to each computer: events, folded into computers with stages.
//!
//! No clock and no I/O: an [`Event`] carries its time, and who asks how long something has been going on brings the
//! present. [`wording`] says an event in one line; the window's cards, the log and reports all use it.

pub mod cause;
mod computer;
mod heed;
pub mod job;
pub mod recording;
mod transfer;
mod trouble;
pub mod wording;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::boot::Machine;
use crate::boot::approval::Code;
use crate::boot::menu::Leave;
use crate::boot::tree::Role;
use crate::mac::Mac;
use crate::{dhcp, http, tftp};

pub use cause::{Cause, Likelihood};
pub use computer::Computer;
pub use heed::Unheeded;
pub use transfer::Transfer;
pub use trouble::{Fault, Trouble};

/// Most computers that are remembered; the one silent for longest goes first.
const MAX_COMPUTERS: usize = 4096;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub time: Timestamp,
    /// Which computer, where that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mac: Option<Mac>,
    /// Its address, where it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ip: Option<Ipv4Addr>,
    /// What part the file plays in a boot, for events about files.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub role: Option<Role>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened, in the words of the room where it did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum What {
    /// In DHCP.
    Dhcp(dhcp::Note),
    /// In TFTP.
    Tftp(tftp::Note),
    /// In HTTP.
    Http(http::Note),
    /// With the services themselves, or told from the rest.
    Service(Note),
}

/// What concerns the services as a whole, or follows from several events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Note {
    /// Everything is bound.
    Ready {
        /// Where the tree begins.
        url: String,
    },
    /// What is about to be served, and how.
    Serving {
        /// The interface.
        interface: String,
        /// Our address on it.
        address: Ipv4Addr,
        /// `full`, `proxy` or `off`.
        dhcp: String,
        /// The addresses to hand out, `A-B`.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        range: Option<String>,
        /// The id of the entry that starts by itself; none is the computer's own disk.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        default: Option<String>,
        /// After how many seconds.
        timeout: u32,
    },
    /// The usual HTTP port is taken, and another one is used.
    PortTaken {
        /// The usual one.
        port: u16,
        /// Who holds it, where that is known.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        holder: Option<String>,
        /// The one that is used.
        used: u16,
    },
    /// An image is in the menu.
    Image {
        /// Its file.
        image: String,
        /// What it is.
        title: String,
        /// Ids of its entries.
        entries: Vec<String>,
        /// What to know about it.
        warnings: Vec<String>,
    },
    /// A computer got its menu.
    Menu {
        /// `pcbios` or `efi`, as iPXE says.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        platform: Option<String>,
        /// Its SMBIOS UUID.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        uuid: Option<String>,
        /// Its product name.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        product: Option<String>,
        /// Its memory in MiB, where its iPXE was built to say it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        memory_mb: Option<u64>,
    },
    /// A computer that asks for an IPv6 router was told that there is none, for the first time.
    NoRouter,
    /// A computer got its answer file.
    AnswerGiven {
        /// The entry that it is for.
        entry: String,
    },
    /// A computer got no answer file.
    AnswerRefused {
        /// Why. Nothing of the file is in it.
        reason: String,
    },
    /// A computer has a loader whole, and the loader did not get on.
    LoaderRefused {
        /// The loader's name in the tree.
        file: String,
        /// What that means and what comes next; it goes on after the name.
        reason: String,
    },
    /// The file with what is known of computers and loaders could not be understood, and was kept under another name.
    LadderSetAside {
        /// Its new name.
        path: String,
    },
    /// What is known of computers and loaders could not be saved.
    LadderNotSaved {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// A computer came further than before.
    Stage {
        /// How far.
        stage: Stage,
    },
    /// Something that the technician should know; the services go on.
    Warning {
        /// What, what it means, and what to do.
        sentence: String,
    },
    /// The lease file could not be understood, and was kept under another name.
    LeasesSetAside {
        /// Its new name.
        path: String,
    },
    /// Leases could not be saved.
    LeasesNotSaved {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// The file with the numbers in host names could not be understood, and was kept under another name.
    NamesSetAside {
        /// Its new name.
        path: String,
    },
    /// The numbers in host names could not be saved.
    NamesNotSaved {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// An answer could not be sent.
    NotSent {
        /// To this address.
        to: Ipv4Addr,
        /// What the system said.
        reason: String,
    },
    /// Other programs cannot ask these services for anything.
    NoControl {
        /// The socket that could not be opened.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// An image was written to and is not served any more.
    ImageChanged {
        /// Its file.
        image: String,
    },
    /// An image was removed or moved; what is open is served on.
    ImageGone {
        /// Its file.
        image: String,
    },
    /// The cable was pulled, or the other end switched off.
    LinkDown {
        /// The interface.
        interface: String,
    },
    /// It is back.
    LinkUp {
        /// The interface.
        interface: String,
    },
    /// So many events were not told, since one computer made too many, or the reader was too slow.
    Dropped {
        /// How many.
        count: u64,
    },
    /// The services cannot go on, or could not begin.
    Failed {
        /// What, what it means, and what to do.
        sentence: String,
    },
    /// The services ended.
    Stopped,
    /// Something about this computer was arranged for the time of serving, or undone after it.
    Arranged {
        /// What.
        sentence: String,
    },
    /// Other DHCP servers are not listened for any more: the helper that did it has ended.
    GuardEnded,
    /// What keeps a computer, or all of them, as far as can be told now.
    Diagnosis(Cause),
    /// A computer waits for the technician's approval before it gets its menu.
    Waiting {
        /// What its screen shows.
        code: Code,
        /// Its product name.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        product: Option<String>,
    },
    /// The technician approved a computer.
    Approved,
    /// The technician refused a computer.
    TurnedAway,
    /// The technician changed who is answered while serving.
    Guests {
        /// Whether those on neither list wait for approval.
        ask: bool,
        /// How many are on the list of those who may; none is everybody.
        allowed: usize,
        /// How many are never answered.
        denied: usize,
    },
    /// The technician lets a computer be answered never, or again.
    Answered {
        /// Whether it is answered again.
        again: bool,
    },
    /// The file with the approved computers could not be understood, and was kept under another name.
    ApprovalSetAside {
        /// Its new name.
        path: String,
    },
    /// Which computers were approved could not be saved.
    ApprovalNotSaved {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// A computer chose an entry that asks the server before it starts.
    Chosen {
        /// The entry's id.
        entry: String,
    },
    /// A computer began an entry that starts once: from now on its own disk starts by itself.
    Begun {
        /// The entry's id.
        entry: String,
    },
    /// A computer was not let in by a password. Nothing of what was typed is in it.
    PasswordRefused {
        /// The entry's id.
        entry: String,
        /// After how many seconds it may try again, where it was not even looked at.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        wait: Option<u64>,
    },
    /// A computer leaves its menu for its own disk.
    OwnDisk {
        /// What its menu would have done by itself.
        leave: Leave,
    },
    /// The file with what began could not be understood, and was kept under another name.
    OnceSetAside {
        /// Its new name.
        path: String,
    },
    /// What began could not be saved.
    OnceNotSaved {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// The job sheet could not be written.
    JobsNotWritten {
        /// Its folder.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// Packets could not be written to the file for them any more.
    TraceNotWritten {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
}

/// How far a computer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// It asked for something to boot.
    Asked,
    /// It was told what.
    Offered,
    /// It has its loader.
    Loader,
    /// It has its menu.
    Menu,
    /// It has its kernel.
    Kernel,
    /// Its system fetches files.
    System,
    /// Its system asked for an address by itself.
    HandedOver,
}

/// All computers.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    computers: BTreeMap<Mac, Computer>,
}

impl Journal {
    /// All computers, by hardware address.
    pub fn computers(&self) -> impl Iterator<Item = &Computer> {
        self.computers.values()
    }

    /// One computer.
    pub fn computer(&self, mac: Mac) -> Option<&Computer> {
        self.computers.get(&mac)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.computers.len()
    }

    /// All computers, the one heard last first.
    pub fn by_activity(&self) -> Vec<&Computer> {
        let mut computers: Vec<&Computer> = self.computers.values().collect();
        computers.sort_by_key(|computer| std::cmp::Reverse(computer.heard));
        computers
    }

    /// The computers that are in the middle of a boot, and would be interrupted if the services stopped now.
    pub fn active(&self, now: Timestamp) -> impl Iterator<Item = &Computer> {
        self.computers.values().filter(move |computer| computer.is_booting(now))
    }

    /// Takes note of an event. Returns another one where a computer came further by it.
    pub fn record(&mut self, event: &Event) -> Option<Event> {
        let mac = event.mac?;
        // What follows from other events follows from them again when a log is read back.
        if matches!(event.what, What::Service(Note::Stage { .. } | Note::Diagnosis(_))) {
            return None;
        }
        let known = self.computers.get(&mac).map(|computer| computer.stage);
        let boots =
            matches!(&event.what, What::Dhcp(dhcp::Note::Asked { client, .. }) if Machine::of(client).is_some());
        // Ordinary clients of the network are none of our computers until they boot from it. Every system asks for IPv6
        // routers.
        let ours = match &event.what {
            What::Dhcp(_) | What::Service(Note::NoRouter) => boots,
            What::Tftp(_) | What::Http(_) | What::Service(_) => true,
        };
        if known.is_none() && !ours {
            return None;
        }
        let computer = self.computer_mut(mac, event.time);
        let stage = computer.hear(event).filter(|stage| known != Some(*stage))?;
        Some(Event { role: None, what: What::Service(Note::Stage { stage }), ..event.clone() })
    }

    fn computer_mut(&mut self, mac: Mac, now: Timestamp) -> &mut Computer {
        if !self.computers.contains_key(&mac) && self.computers.len() >= MAX_COMPUTERS {
            let oldest = self.computers.values().min_by_key(|computer| computer.heard).map(|computer| computer.mac);
            oldest.and_then(|mac| self.computers.remove(&mac));
        }
        self.computers.entry(mac).or_insert_with(|| Computer::new(mac, now))
    }
}

/// How much time lies between two moments; none where the clock was set back in between.
fn between(from: Timestamp, to: Timestamp) -> Duration {
    to.duration_since(from).try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::computer::MAX_HISTORY;
    use super::*;
    use crate::dhcp::Question;
    use crate::dhcp::pxe::{Boot, Class, Client, Ipxe};

    fn event(role: Option<Role>, what: What) -> Event {
        let mac = "52:54:00:77:01:01".parse().ok();
        Event { time: Timestamp::UNIX_EPOCH, mac, ip: None, role, what }
    }

    fn asked(class: Option<Class>, ipxe: Option<Ipxe>) -> Event {
        let mac = "52:54:00:77:01:01".parse().unwrap();
        let client = Client {
            mac,
            class,
            vendor_class: None,
            user_class: None,
            architectures: vec![7],
            uuid: Some("u".into()),
            ipxe,
        };
        let note = dhcp::Note::Asked { question: Question::Discover, client, address: None, relay: None, secs: None };
        event(None, What::Dhcp(note))
    }

    fn done(role: Role) -> Event {
        let note = http::Note::Done { file: "f".into(), from: 0, bytes: 10, size: 10, millis: 1 };
        event(Some(role), What::Http(note))
    }

    #[test]
    fn a_boot_goes_through_its_stages() {
        let boot = Boot { file: "snponly.efi".into(), why: String::new() };
        let story = [
            (asked(Some(Class::Pxe), None), Some(Stage::Asked)),
            (event(None, What::Dhcp(dhcp::Note::Offered { address: None, boot: Some(boot) })), Some(Stage::Offered)),
            (done(Role::Loader), Some(Stage::Loader)),
            (asked(Some(Class::Pxe), Some(Ipxe { http: true })), None),
            (
                event(None, What::Service(Note::Menu { platform: None, uuid: None, product: None, memory_mb: None })),
                Some(Stage::Menu),
            ),
            (done(Role::Kernel), Some(Stage::Kernel)),
            (done(Role::Initrd), None),
            (done(Role::Content), Some(Stage::System)),
            (asked(None, None), Some(Stage::HandedOver)),
            (done(Role::Content), None),
            (asked(Some(Class::Pxe), None), Some(Stage::Asked)),
            (done(Role::Kernel), Some(Stage::Kernel)),
            (asked(Some(Class::Pxe), Some(Ipxe { http: true })), Some(Stage::Asked)),
        ];
        let mut journal = Journal::default();
        for (number, (event, expected)) in story.into_iter().enumerate() {
            let told = journal.record(&event).map(|event| event.what);
            assert_eq!(told, expected.map(|stage| What::Service(Note::Stage { stage })), "event {number}");
        }
        let computer = journal.computers().next().expect("one computer");
        assert_eq!((computer.history.len(), computer.uuid.as_deref()), (13, Some("u")));
    }

    fn heard(last: u8, second: i64) -> Event {
        let note = Note::Menu { platform: None, uuid: None, product: None, memory_mb: None };
        let time = Timestamp::from_second(second).unwrap();
        Event { time, mac: Some(Mac([2, 0, 0, 0, 0, last])), ip: None, role: None, what: What::Service(note) }
    }

    #[test]
    fn who_was_heard_last_comes_first_and_who_boots_is_known() {
        let mut journal = Journal::default();
        for (last, second) in [(1, 300), (2, 100), (3, 310), (1, 320)] {
            journal.record(&heard(last, second));
        }
        let order: Vec<u8> = journal.by_activity().iter().map(|computer| computer.mac.0[5]).collect();
        assert_eq!((order, journal.count()), (vec![1, 3, 2], 3));
        let now = Timestamp::from_second(325).unwrap();
        let active: Vec<u8> = journal.active(now).map(|computer| computer.mac.0[5]).collect();
        assert_eq!(active, [1, 3], "2 was heard too long ago");
    }

    #[test]
    fn a_log_that_is_read_back_tells_each_stage_once() {
        let mut journal = Journal::default();
        let stage = journal.record(&heard(1, 0)).expect("a stage");
        assert_eq!(journal.record(&stage), None);
        assert!(journal.computers().all(|computer| computer.history.len() == 1));
    }

    #[test]
    fn ordinary_clients_are_not_computers_of_ours() {
        let mut journal = Journal::default();
        assert_eq!(journal.record(&asked(None, None)), None);
        assert_eq!(journal.computers().count(), 0);
    }

    #[test]
    fn memory_is_bounded() {
        let mut journal = Journal::default();
        for number in 0..MAX_COMPUTERS as u32 + 10 {
            let [a, b, c, d] = number.to_be_bytes();
            let mut event = asked(Some(Class::Pxe), None);
            event.mac = Some(Mac([2, 0, a, b, c, d]));
            event.time = Timestamp::from_second(i64::from(number)).unwrap();
            journal.record(&event);
        }
        assert_eq!(journal.computers().count(), MAX_COMPUTERS);
        for _ in 0..MAX_HISTORY * 2 {
            journal.record(&asked(Some(Class::Pxe), None));
        }
        assert!(journal.computers().all(|computer| computer.history.len() <= MAX_HISTORY));
    }

    #[test]
    fn an_event_is_one_flat_object_and_comes_back() {
        let text = serde_json::to_string(&done(Role::Kernel)).unwrap();
        let expected = r#"{"time":"1970-01-01T00:00:00Z","mac":"52:54:00:77:01:01","role":"kernel","event":"http-done","file":"f","from":0,"bytes":10,"size":10,"millis":1}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), done(Role::Kernel));
    }
}
