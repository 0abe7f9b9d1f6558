//! What happened to each computer: events, folded into computers with stages.
//!
//! No clock and no I/O: an [`Event`] carries its time. [`wording`] says an event in one line; the window's cards, the log
//! and reports all use it.

pub mod wording;

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::boot::tree::Role;
use crate::boot::{self, Machine};
use crate::dhcp::{self, Question};
use crate::mac::Mac;
use crate::{http, tftp};

/// Most computers that are remembered; the one silent for longest goes first.
const MAX_COMPUTERS: usize = 4096;
/// Most events kept of one computer.
const MAX_HISTORY: usize = 200;

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
    /// An answer could not be sent.
    NotSent {
        /// To this address.
        to: Ipv4Addr,
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

/// One computer.
#[derive(Clone, Debug)]
pub struct Computer {
    /// Its network card.
    pub mac: Mac,
    /// Its address.
    pub ip: Option<Ipv4Addr>,
    /// What it is, as its DHCP said last.
    pub machine: Option<Machine>,
    /// Its SMBIOS UUID.
    pub uuid: Option<String>,
    /// How far it came in this boot.
    pub stage: Stage,
    /// Bytes that it fetched in this boot.
    pub bytes: u64,
    /// When it was heard last.
    pub heard: Timestamp,
    /// Its latest events.
    pub history: VecDeque<Event>,
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

    /// Takes note of an event. Returns another one where a computer came further by it.
    pub fn record(&mut self, event: &Event) -> Option<Event> {
        let mac = event.mac?;
        let known = self.computers.get(&mac).map(|computer| computer.stage);
        let boots =
            matches!(&event.what, What::Dhcp(dhcp::Note::Asked { client, .. }) if Machine::of(client).is_some());
        // Ordinary clients of the network are none of our computers until they boot from it.
        if known.is_none() && !boots && !matches!(event.what, What::Tftp(_) | What::Http(_) | What::Service(_)) {
            return None;
        }
        let computer = self.computer_mut(mac, event.time);
        computer.note(event);
        let stage = computer.stage_after(event)?;
        let further = known.is_none() || stage != computer.stage;
        computer.stage = stage;
        further.then(|| Event { role: None, what: What::Service(Note::Stage { stage }), ..event.clone() })
    }

    fn computer_mut(&mut self, mac: Mac, now: Timestamp) -> &mut Computer {
        if !self.computers.contains_key(&mac) && self.computers.len() >= MAX_COMPUTERS {
            let oldest = self.computers.values().min_by_key(|computer| computer.heard).map(|computer| computer.mac);
            oldest.and_then(|mac| self.computers.remove(&mac));
        }
        self.computers.entry(mac).or_insert_with(|| Computer {
            mac,
            ip: None,
            machine: None,
            uuid: None,
            stage: Stage::Asked,
            bytes: 0,
            heard: now,
            history: VecDeque::new(),
        })
    }
}

impl Computer {
    fn note(&mut self, event: &Event) {
        self.heard = event.time;
        self.ip = event.ip.or(self.ip);
        match &event.what {
            What::Dhcp(dhcp::Note::Asked { client, .. }) => {
                self.machine = Machine::of(client).or(self.machine);
                self.uuid = client.uuid.clone().or_else(|| self.uuid.take());
            }
            What::Dhcp(dhcp::Note::Granted { address: Some(address), .. }) => self.ip = Some(*address),
            What::Tftp(tftp::Note::Done { bytes, .. }) | What::Http(http::Note::Done { bytes, .. }) => {
                self.bytes = self.bytes.saturating_add(*bytes);
            }
            // Progress is worth a bar, not a place in the history.
            What::Tftp(tftp::Note::Progress { .. }) | What::Http(http::Note::Progress { .. }) => return,
            _ => {}
        }
        if self.history.len() >= MAX_HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(event.clone());
    }

    /// The stage after an event, where it tells one. A computer never falls back, except that its firmware asking anew
    /// begins a new boot.
    fn stage_after(&mut self, event: &Event) -> Option<Stage> {
        let reached = match (&event.what, event.role) {
            (What::Dhcp(dhcp::Note::Asked { client, question, .. }), _) => match Machine::of(client) {
                Some(machine) if *question == Question::Discover => {
                    // Firmware asks at the start only; an iPXE that was loaded asks once more, and one that is itself
                    // the ROM is at its start again when the kernel is long behind.
                    let from_firmware = matches!(machine.stage, boot::Stage::Pxe | boot::Stage::Http);
                    if (from_firmware && self.stage > Stage::Offered) || self.stage >= Stage::Kernel {
                        self.bytes = 0;
                        return Some(Stage::Asked);
                    }
                    Stage::Asked
                }
                None if self.stage >= Stage::Kernel => Stage::HandedOver,
                _ => return None,
            },
            (What::Dhcp(dhcp::Note::Offered { boot: Some(_), .. }), _) => Stage::Offered,
            (What::Service(Note::Menu { .. }), _) => Stage::Menu,
            (What::Tftp(tftp::Note::Done { .. }) | What::Http(http::Note::Done { .. }), Some(role)) => match role {
                Role::Loader => Stage::Loader,
                Role::Kernel => Stage::Kernel,
                Role::Content | Role::Disc if self.stage >= Stage::Kernel => Stage::System,
                _ => return None,
            },
            _ => return None,
        };
        Some(reached.max(self.stage))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let note = dhcp::Note::Asked { question: Question::Discover, client, address: None, relay: None };
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
            (event(None, What::Service(Note::Menu { platform: None, uuid: None, product: None })), Some(Stage::Menu)),
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
