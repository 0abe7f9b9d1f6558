//! A machine that is described in a file, with computers that boot as they once did: for people who want to look first,
//! for tests and for pictures. It opens no socket, needs no rights and saves nothing.
//!
//! Machines lie in `tests/machines`, recorded boots in `tests/boots`; both are inside the program.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use iced::futures::SinkExt;
use iced::futures::channel::mpsc;
use iced::stream;
use jiff::{SignedDuration, Timestamp};
use rust_embed::RustEmbed;
use serde::Deserialize;
use tokio::sync::oneshot;

use crate::boot::loader::{Loader, Loaders};
use crate::boot::menu;
use crate::check;
use crate::check::preflight::Facts;
use crate::deployment::{DhcpMode, Places, Plan, Settings};
use crate::dhcp::probe::Answer;
use crate::engine::probe::{Probe, ProbeError};
use crate::engine::{Listening, Update};
use crate::image::{DiscError, Inspection};
use crate::journal::recording::Recording;
use crate::journal::{Event, Note, What};
use crate::mac::Mac;
use crate::net::Interface;
use crate::net::survey::{PortState, State};
use crate::rehearsal::{Cell, Firmware, Named, Outcome, Report, Row, Start};

#[derive(RustEmbed)]
#[folder = "tests/machines"]
#[include = "*.toml"]
struct Machines;

#[derive(RustEmbed)]
#[folder = "tests/boots"]
#[include = "*.jsonl"]
struct Boots;

/// The machine that `bootwright --demo` shows.
pub const USUAL: &str = "bench";
/// Time between two computers of one kind: a row of them behind one switch of the mains.
const APART: SignedDuration = SignedDuration::from_millis(20);
/// Events that come within this time are told at once, as the engine does.
const BATCH: SignedDuration = SignedDuration::from_millis(100);

/// A described machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Its name.
    pub name: String,
    /// Its interfaces.
    #[serde(default, rename = "interface")]
    pub interfaces: Vec<Interface>,
    /// What its network says when it is asked for DHCP servers.
    #[serde(default)]
    network: Network,
    /// The images that its file dialog offers.
    #[serde(default, rename = "image")]
    images: Vec<Image>,
    /// The computers on its cable.
    #[serde(default, rename = "computer")]
    computers: Vec<Computer>,
}

/// What a network says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Network {
    /// Nobody answers.
    #[default]
    Quiet,
    /// This server answers.
    Server(std::net::Ipv4Addr),
    /// It may not be asked without rights.
    NoRights,
}

/// An image, or what is wrong with it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Image {
    /// It can be read.
    Readable(Box<Inspection>),
    /// It is cut off.
    CutOff {
        /// Its path.
        path: PathBuf,
        /// Bytes that it has.
        size: u64,
        /// Bytes that are missing.
        missing: u64,
    },
}

impl Image {
    fn path(&self) -> &Path {
        match self {
            Image::Readable(inspection) => &inspection.path,
            Image::CutOff { path, .. } => path,
        }
    }
}

/// A computer that boots.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Computer {
    /// Name of the recorded boot.
    boot: String,
    /// The address that it shows instead of the recorded one.
    #[serde(default)]
    mac: Option<Mac>,
    /// Seconds until it is switched on.
    #[serde(default)]
    after: u32,
    /// So many of the same kind, switched on one after the other.
    #[serde(default = "one")]
    count: u16,
}

fn one() -> u16 {
    1
}

/// Why a machine cannot be shown. Those inside the program are proved by a test.
#[derive(Debug, thiserror::Error)]
pub enum NoMachine {
    /// There is none of this name.
    #[error("there is no described machine {0}")]
    Unknown(String),
    /// Its description has a mistake.
    #[error("the description of {0} has a mistake: {1}")]
    Syntax(String, String),
}

/// The names of the described machines.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = Machines::iter().map(|file| file.trim_end_matches(".toml").to_owned()).collect();
    names.sort();
    names
}

impl Machine {
    /// A machine by its name.
    pub fn named(name: &str) -> Result<Machine, NoMachine> {
        let file = Machines::get(&format!("{name}.toml")).ok_or_else(|| NoMachine::Unknown(name.to_owned()))?;
        let text = String::from_utf8_lossy(&file.data);
        toml::from_str(&text).map_err(|error| NoMachine::Syntax(name.to_owned(), error.to_string()))
    }

    /// Nothing lies anywhere.
    pub fn places(&self) -> Places {
        Places { loaders: Vec::new(), state: PathBuf::from("demonstration"), data: PathBuf::from("demonstration") }
    }

    /// The files that its dialog offers.
    pub fn files(&self) -> Vec<PathBuf> {
        self.images.iter().map(|image| image.path().to_path_buf()).collect()
    }

    /// What its network says.
    pub fn probe(&self) -> Probe {
        match self.network {
            Network::Quiet => Probe::Nobody,
            Network::Server(server) => Probe::Answered(vec![Answer::from_server(server)]),
            Network::NoRights => Probe::Unable(ProbeError::NoRights),
        }
    }

    /// What one of its files is.
    pub fn inspect(&self, path: &Path) -> Result<Arc<Inspection>, Arc<DiscError>> {
        match self.images.iter().find(|image| image.path() == path) {
            Some(Image::Readable(inspection)) => Ok(Arc::new((**inspection).clone())),
            Some(Image::CutOff { path, size, missing }) => {
                Err(Arc::new(DiscError::Truncated { path: path.clone(), size: *size, missing: *missing }))
            }
            None => {
                let source = std::io::ErrorKind::NotFound.into();
                Err(Arc::new(DiscError::Open { path: path.to_path_buf(), source }))
            }
        }
    }

    /// What a rehearsal of this plan would come to there: all files are as they should be.
    pub fn rehearsal(&self, plan: &Plan) -> Report {
        let found: Vec<Inspection> =
            plan.images.iter().filter_map(|path| Some((*self.inspect(path).ok()?).clone())).collect();
        let menu = plan.menu(&found);
        let row = |firmware: Firmware| {
            let fitting = menu.fitting(firmware.asker());
            let cell = |item: &menu::Item| {
                let files = item.entry.initrd.len() + usize::from(item.entry.kernel.is_some());
                let unsigned = firmware.is_secure() && item.entry.signed.as_ref().is_none_or(Vec::is_empty);
                let start = match unsigned {
                    true => Start::NotHere { reason: "It starts only with Secure Boot off.".to_owned() },
                    false => Start::Starts,
                };
                (item.id.clone(), Cell { start, files: files.max(1), bytes: 0 })
            };
            let entries = fitting.into_iter().map(cell).collect();
            Row { firmware, outcome: Outcome::Ready, loaders: Vec::new(), entries, millis: 300 }
        };
        let named = |item: &menu::Item| Named { id: item.id.clone(), title: item.entry.title.clone() };
        let rows = Firmware::ALL.into_iter().map(row).collect();
        Report { rows, entries: menu.items.iter().map(named).collect(), millis: 900 }
    }

    /// What its checks see: all is well, except for what the answers themselves say.
    pub fn facts(&self, draft: Settings) -> Facts {
        let mode = draft.dhcp.unwrap_or(DhcpMode::Proxy);
        let interface = draft
            .interface
            .as_ref()
            .and_then(|name| self.interfaces.iter().find(|found| found.is_called(name)).cloned());
        let ports = crate::check::preflight::ports_for(mode, draft.http_port);
        Facts {
            interface,
            proposal: crate::deployment::proposed_address(&self.interfaces),
            mode,
            ports: ports
                .into_iter()
                .map(|(transport, port)| PortState { transport, port, state: State::Free })
                .collect(),
            rights: check::Rights::Present,
            firewall: None,
            loaders: Loaders::of(Loader::OF_DEBIAN),
            images: draft
                .image
                .iter()
                .map(|path| (path.clone(), self.inspect(path).map(|found| (*found).clone())))
                .collect(),
            probe: self.probe(),
            published: Vec::new(),
            vendors: Default::default(),
            around: Default::default(),
            answers: (!draft.answers.is_empty()).then(|| crate::answer::Answers::load(&draft.answers)),
            state: Ok(()),
            files: Ok(()),
            plan: draft.plan(&self.interfaces, self.places()),
        }
    }

    /// Plays its computers' boots until it is stopped.
    pub fn play(self: Arc<Machine>, plan: Plan, stopped: oneshot::Receiver<()>) -> impl Stream<Item = Update> {
        stream::channel(16, async move |mut sender: mpsc::Sender<Update>| {
            let told = async {
                // A reader that is gone ends the play.
                let _ = sender.send(Update::Listening(Box::new(self.listening(&plan)))).await;
                let start = Timestamp::now();
                let mut story = self.story(start);
                if plan.guests.ask {
                    story.extend(stranger(start));
                    story.sort_by_key(|event| event.time);
                }
                for batch in batches(story) {
                    let Some(first) = batch.first() else { continue };
                    let wait = Duration::try_from(first.time.duration_since(Timestamp::now())).unwrap_or_default();
                    tokio::time::sleep(wait).await;
                    if sender.send(Update::Events(batch)).await.is_err() {
                        return;
                    }
                }
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = told => {}
                _ = stopped => {}
            }
        })
    }

    fn listening(&self, plan: &Plan) -> Listening {
        let images: Vec<Inspection> =
            plan.images.iter().filter_map(|path| self.inspect(path).ok()).map(|found| (*found).clone()).collect();
        Listening {
            url: format!("http://{}/", plan.network.addr()),
            http_port: 80,
            port_taken: None,
            tftp_port: 69,
            dhcp_port: Some(67),
            entries: menu::arrange(menu::items(&images), &plan.edits),
            images,
            unserved: Vec::new(),
            lacking: Vec::new(),
            answer_faults: Vec::new(),
            unprobed: false,
            unguarded: false,
            locked_default: None,
            unadvertised: None,
        }
    }

    /// What all its computers do, in the order of time.
    pub fn story(&self, start: Timestamp) -> Vec<Event> {
        let mut events: Vec<Event> = self.computers.iter().flat_map(|computer| computer.story(start)).collect();
        events.sort_by_key(|event| event.time);
        events
    }
}

impl Computer {
    fn story(&self, start: Timestamp) -> Vec<Event> {
        let recording = recorded(&self.boot).unwrap_or_default();
        let first = SignedDuration::from_secs(i64::from(self.after));
        let boot = |number: u16| {
            let start = start.checked_add(first + APART * i32::from(number)).unwrap_or(start);
            let mac = if number == 0 { self.mac } else { self.mac.map(|mac| next(mac, number)) };
            recording.shifted(start, mac)
        };
        // What a recording tells of its services would come once for each computer.
        (0..self.count).flat_map(boot).filter(|event| event.mac.is_some()).collect()
    }
}

/// A computer that nobody knows, and that waits for the person's word.
fn stranger(start: Timestamp) -> Option<Event> {
    let code = "4821".parse().ok()?;
    let note = Note::Waiting { code, product: Some("OptiPlex 7090".to_owned()) };
    let time = start.checked_add(SignedDuration::from_secs(4)).ok()?;
    Some(Event { time, mac: Some(STRANGER), ip: None, role: None, what: What::Service(note) })
}

/// The address of the computer that stands so many places behind this one.
fn next(Mac([a, b, c, d, e, f]): Mac, number: u16) -> Mac {
    let [e, f] = u16::from_be_bytes([e, f]).wrapping_add(number).to_be_bytes();
    Mac([a, b, c, d, e, f])
}

/// A recorded boot by its name.
pub fn recorded(name: &str) -> Option<Recording> {
    let file = Boots::get(&format!("{name}.jsonl"))?;
    Recording::read(&String::from_utf8_lossy(&file.data)).ok()
}

/// The computer that nobody knows.
const STRANGER: Mac = Mac([0x52, 0x54, 0x00, 0x77, 0x01, 0x63]);

/// Events that come close together, as one batch.
fn batches(events: Vec<Event>) -> Vec<Vec<Event>> {
    let mut batches: Vec<Vec<Event>> = Vec::new();
    for event in events {
        match batches.last_mut() {
            Some(batch) if batch.first().is_some_and(|first| event.time.duration_since(first.time) < BATCH) => {
                batch.push(event);
            }
            _ => batches.push(vec![event]),
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_machine_and_every_boot_inside_the_program_can_be_read() {
        let machines: Vec<Machine> = Machines::iter()
            .map(|file| Machine::named(file.trim_end_matches(".toml")).unwrap_or_else(|error| panic!("{error}")))
            .collect();
        assert!(machines.iter().any(|machine| machine.name == USUAL));
        for computer in machines.iter().flat_map(|machine| &machine.computers) {
            assert!(recorded(&computer.boot).is_some(), "{}", computer.boot);
        }
    }

    #[test]
    fn a_story_is_told_in_order_and_in_batches() {
        let machine = Machine::named(USUAL).unwrap();
        let story = machine.story(Timestamp::now());
        assert!(story.is_sorted_by_key(|event| event.time));
        let count = story.len();
        let batches = batches(story);
        assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), count);
        assert!(batches.len() > 10);
    }
}
