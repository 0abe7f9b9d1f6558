//! The job sheet: what each computer booted, when, for how long, from which image, and what came of it.
//!
//! A pure fold like the rest of this room: [`Sheet`] takes events and says which jobs are to be written down. A job is
//! written whenever something about it changes, so that what is on disk is never far behind; [`book`] reads that back.
//! The time is that of the events and of whoever looks whether a computer went silent.

pub mod book;
pub mod export;
pub mod words;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::computer::GONE;
use super::{Computer, Event, Journal, Note, Stage, What, wording};
use crate::boot::menu::Leave;
use crate::boot::tree::Role;
use crate::mac::Mac;
use crate::{http, text, tftp};

pub use book::{Book, Line};

/// Longest text of one job, in characters.
const MAX_TEXT: usize = 300;
/// Most jobs that go on at once; the one that began first is given up.
const MAX_OPEN: usize = 4096;
/// How much too fast a computer may count, and how late it may come to count, in seconds: the menu is fetched and drawn
/// first.
const COUNTS_AMISS: f64 = 1.0;
const LATE: f64 = 5.0;
/// Most entries that are named where several start with the same files.
const MAX_ENTRIES: usize = 6;
/// The folder of images in the served tree.
const IMAGES: &str = "image/";

/// One boot of one computer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its name: no other job has it.
    pub id: String,
    /// The computer.
    pub mac: Mac,
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ip: Option<Ipv4Addr>,
    /// Its product name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub product: Option<String>,
    /// Its SMBIOS UUID.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uuid: Option<String>,
    /// What its firmware is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub firmware: Option<String>,
    /// When it began.
    pub began: Timestamp,
    /// When it ended; none while it goes on, and where nobody was there to see its end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ended: Option<Timestamp>,
    /// How far it came.
    pub stage: Stage,
    /// Titles of the entries that start with the files it fetched: one, where they tell it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub entries: Vec<String>,
    /// The image that it fetched from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub image: Option<Image>,
    /// What came of it.
    pub result: Outcome,
    /// How it came to its own disk, where that can be told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub own_disk: Option<OwnDisk>,
    /// Why it failed, a sentence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cause: Option<String>,
    /// Bytes that it fetched.
    #[serde(default)]
    pub bytes: u64,
    /// Who was there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub operator: Option<String>,
    /// What they wrote about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub note: Option<String>,
}

/// The image of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The name of its file.
    pub file: String,
    /// What it is.
    pub title: String,
    /// Its checksum with the algorithm before it, where it was computed: `SHA-256 …`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub checksum: Option<String>,
}

/// What came of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It goes on; in a book whose program is gone, nobody saw its end.
    Open,
    /// Its system asked for an address by itself.
    HandedOver,
    /// It has its kernel, or files of its system, and was not heard since.
    Started,
    /// It started from its own disk.
    OwnDisk,
    /// It has its menu, and fetched nothing more.
    Menu,
    /// Something went wrong, and it did not get on.
    Failed,
    /// It was not heard any more, and nothing tells why.
    Silent,
    /// The services were stopped in the middle.
    Interrupted,
}

/// How a computer came to its own disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OwnDisk {
    /// Somebody chose it.
    Chosen,
    /// Nobody chose, and the time ran out.
    TimeUp,
    /// The same, since what starts once was begun before.
    Done,
    /// The computer was refused.
    Refused,
}

impl OwnDisk {
    /// Which one it was, so long after the menu was fetched. A person who presses a key stops the countdown.
    fn of(leave: Leave, waited: Option<Duration>) -> Option<OwnDisk> {
        let (after, by_itself) = match leave {
            Leave::Chosen => return Some(OwnDisk::Chosen),
            Leave::Refused => return Some(OwnDisk::Refused),
            Leave::After(seconds) => (seconds, OwnDisk::TimeUp),
            Leave::Done(seconds) => (seconds, OwnDisk::Done),
        };
        let waited = waited?.as_secs_f64() - f64::from(after);
        Some(if (-COUNTS_AMISS..=LATE).contains(&waited) { by_itself } else { OwnDisk::Chosen })
    }
}

/// What is served: by it fetched files are told apart.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Images by their place in the served tree.
    pub images: BTreeMap<String, Image>,
    /// The menu's entries.
    pub entries: Vec<Entry>,
}

/// An entry of the menu, as far as fetched files tell it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// What people read.
    pub title: String,
    /// The place of its image in the served tree.
    pub image: String,
    /// Paths of its kernel and initrds in the image.
    pub files: Vec<String>,
}

/// The jobs that go on, and the computers that they are of.
#[derive(Debug, Default)]
pub struct Sheet {
    catalogue: Catalogue,
    journal: Journal,
    open: BTreeMap<Mac, Open>,
}

#[derive(Debug)]
struct Open {
    job: Job,
    /// When its computer was heard last.
    heard: Timestamp,
    /// As it was written last.
    written: Option<Job>,
    /// Ids of the entries that it can be.
    entries: Option<Vec<String>>,
    /// When it got its menu last.
    menu: Option<Timestamp>,
}

impl Sheet {
    /// An empty sheet for what is served.
    pub fn new(catalogue: Catalogue) -> Sheet {
        Sheet { catalogue, ..Sheet::default() }
    }

    /// The computers.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Takes note of an event. Returns the jobs that are to be written down.
    pub fn hear(&mut self, event: &Event) -> Vec<Job> {
        self.journal.record(event);
        let Some(mac) = event.mac else { return Vec::new() };
        let Some(computer) = self.journal.computer(mac) else { return Vec::new() };
        let mut changed = Vec::new();
        if let Some(open) = self.open.get_mut(&mac).filter(|open| open.job.began != computer.began) {
            open.end();
            changed.extend(open.news());
            self.open.remove(&mac);
        }
        if !self.open.contains_key(&mac) && self.open.len() >= MAX_OPEN {
            let first = self.open.values().min_by_key(|open| open.job.began).map(|open| open.job.mac);
            first.and_then(|mac| self.open.remove(&mac));
        }
        let open = self.open.entry(mac).or_insert_with(|| Open::new(computer));
        open.hear(computer, event, &self.catalogue);
        changed.extend(open.news());
        changed
    }

    /// Looks who was not heard for too long: those jobs are over, until the computer is heard again.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Job> {
        let journal = &self.journal;
        let silent = |mac: &Mac| journal.computer(*mac).is_none_or(|computer| computer.silent_for(now) > GONE);
        let over = self.open.iter_mut().filter(|(mac, open)| open.job.ended.is_none() && silent(mac));
        over.filter_map(|(_, open)| {
            open.end();
            open.news()
        })
        .collect()
    }

    /// The services end: so does every job.
    pub fn stop(&mut self, now: Timestamp) -> Vec<Job> {
        let journal = &self.journal;
        let going = self.open.iter_mut().filter(|(_, open)| open.job.ended.is_none());
        going
            .filter_map(|(mac, open)| {
                let computer = journal.computer(*mac);
                open.end();
                if computer.is_some_and(|computer| computer.is_booting(now)) && open.job.result != Outcome::Failed {
                    open.job.result = Outcome::Interrupted;
                }
                open.news()
            })
            .collect()
    }
}

impl Open {
    fn new(computer: &Computer) -> Open {
        let digits: String = computer.mac.0.iter().map(|octet| format!("{octet:02x}")).collect();
        let job = Job {
            id: format!("{digits}-{}", computer.began.as_millisecond()),
            mac: computer.mac,
            ip: None,
            product: None,
            uuid: None,
            firmware: None,
            began: computer.began,
            ended: None,
            stage: computer.stage,
            entries: Vec::new(),
            image: None,
            result: Outcome::Open,
            own_disk: None,
            cause: None,
            bytes: 0,
            operator: None,
            note: None,
        };
        Open { job, heard: computer.heard, written: None, entries: None, menu: None }
    }

    fn hear(&mut self, computer: &Computer, event: &Event, catalogue: &Catalogue) {
        // What its system does later is no part of the boot.
        if matches!(self.job.result, Outcome::HandedOver | Outcome::OwnDisk) {
            return;
        }
        let shown = |text: &Option<String>| text.as_ref().map(|text| text::plain(text, MAX_TEXT));
        self.heard = computer.heard;
        let job = &mut self.job;
        job.ip = computer.ip;
        job.product = shown(&computer.product);
        job.uuid = shown(&computer.uuid);
        job.firmware = computer.machine.map(|machine| machine.describe());
        job.stage = computer.stage;
        job.bytes = computer.bytes;
        // The event that was the trouble tells it, until the computer gets on.
        match &computer.trouble {
            Some(trouble) if job.cause.is_none() || trouble.since == event.time => {
                job.cause = wording::words(event).map(|words| text::plain(&text::capital(&words), MAX_TEXT));
            }
            Some(_) => {}
            None => job.cause = None,
        }
        // Whoever is heard again goes on.
        (job.ended, job.result) = (None, Outcome::Open);
        self.learn(event, catalogue);
        if self.job.stage == Stage::HandedOver {
            (self.job.ended, self.job.result) = (Some(event.time), Outcome::HandedOver);
        }
        match &event.what {
            What::Service(Note::Menu { .. }) => self.menu = Some(event.time),
            What::Service(Note::OwnDisk { leave }) => self.leaves(*leave, event.time),
            _ => {}
        }
    }

    fn leaves(&mut self, leave: Leave, now: Timestamp) {
        // After an entry that did not start the menu counts anew, at a time that nobody knows.
        let went_on = self.job.stage > Stage::Menu || !self.job.entries.is_empty();
        let waited = self.menu.filter(|_| !went_on).map(|menu| super::between(menu, now));
        (self.job.ended, self.job.result) = (Some(now), Outcome::OwnDisk);
        self.job.own_disk = OwnDisk::of(leave, waited);
    }

    /// What a file tells of image and entry.
    fn learn(&mut self, event: &Event, catalogue: &Catalogue) {
        let file = match &event.what {
            What::Service(Note::AnswerGiven { entry } | Note::Chosen { entry } | Note::Begun { entry }) => {
                return self.is_of(std::slice::from_ref(entry), catalogue);
            }
            What::Tftp(tftp::Note::Done { file, .. }) | What::Http(http::Note::Done { file, .. }) => file,
            _ => return,
        };
        let Some(rest) = file.trim_start_matches('/').strip_prefix(IMAGES) else { return };
        let (id, path) = rest.split_once('/').unwrap_or((rest.trim_end_matches(".iso"), ""));
        let Some(image) = catalogue.images.get(id) else { return };
        self.job.image = Some(image.clone());
        let of_image = || catalogue.entries.iter().filter(|entry| entry.image == id);
        let is_named =
            |entry: &&Entry| entry.files.iter().any(|named| named.trim_start_matches('/').eq_ignore_ascii_case(path));
        match event.role {
            Some(Role::Kernel | Role::Initrd) => {
                let fitting: Vec<String> = of_image().filter(is_named).map(|entry| entry.id.clone()).collect();
                self.is_of(&fitting, catalogue);
            }
            Some(Role::Disc) => {
                let whole: Vec<String> =
                    of_image().filter(|entry| entry.files.is_empty()).map(|entry| entry.id.clone()).collect();
                self.is_of(&whole, catalogue);
            }
            _ => {}
        }
    }

    /// It is one of these, and of those that it could be before.
    fn is_of(&mut self, ids: &[String], catalogue: &Catalogue) {
        let before = self.entries.take();
        let both: Vec<String> = match &before {
            Some(before) => ids.iter().filter(|id| before.contains(id)).cloned().collect(),
            None => ids.to_vec(),
        };
        // Where nothing is left, it began another one.
        let now = if both.is_empty() { ids.to_vec() } else { both };
        let titled = |id: &String| {
            let entry = catalogue.entries.iter().find(|entry| entry.id == *id)?;
            Some(text::plain(&entry.title, MAX_TEXT))
        };
        self.job.entries = now.iter().filter_map(titled).take(MAX_ENTRIES).collect();
        self.entries = Some(now);
    }

    /// It is over. It ended when the computer was heard last.
    fn end(&mut self) {
        let job = &mut self.job;
        if job.ended.is_some() {
            return;
        }
        job.ended = Some(self.heard.max(job.began));
        job.result = match job.stage {
            _ if job.cause.is_some() => Outcome::Failed,
            Stage::HandedOver => Outcome::HandedOver,
            Stage::Kernel | Stage::System => Outcome::Started,
            Stage::Menu => Outcome::Menu,
            Stage::Asked | Stage::Offered | Stage::Loader => Outcome::Silent,
        };
    }

    /// The job, where it is to be written: something about it changed that people want to know.
    fn news(&mut self) -> Option<Job> {
        let job = &self.job;
        let worth = job.stage >= Stage::Loader || job.cause.is_some();
        if !worth && (job.ended.is_none() || job.stage < Stage::Offered) {
            return None;
        }
        let told = |job: &Job| Job { bytes: 0, ip: None, ..job.clone() };
        if self.written.as_ref().map(told) == Some(told(job)) {
            return None;
        }
        self.written = Some(job.clone());
        Some(job.clone())
    }
}

#[cfg(test)]
mod tests;
