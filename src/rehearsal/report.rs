//! What a rehearsal comes to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::dhcp::Shortcoming;
use super::driver::Trouble;
use super::firmware::Firmware;
use super::ipxe::Entry;
use super::script::Wrong;
use crate::image::signature::Machine;

/// How a file was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// TFTP.
    Tftp,
    /// HTTP.
    Http,
}

/// What a client asked by DHCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Asked {
    /// Who is there.
    Discover,
    /// To have the offered address.
    Request,
    /// The boot server, on port 4011.
    BootServer,
}

/// The first thing that fails. Names in it are foreign text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "kebab-case")]
pub enum Fault {
    /// The services could not be asked.
    NoServices {
        /// Why.
        reason: String,
    },
    /// No answer to a question.
    Silent {
        /// Which.
        asked: Asked,
    },
    /// No address is free.
    NoAddress {
        /// How many the range has.
        size: u64,
    },
    /// An address was offered, and refused when it was to be taken.
    Refused,
    /// An answer that firmware stumbles over.
    Answer {
        /// Over what.
        shortcoming: Shortcoming,
        /// The boot file that it names.
        file: String,
    },
    /// There is no boot file for it.
    NoBootFile {
        /// Why, a clause.
        reason: String,
    },
    /// A file did not come.
    Fetch {
        /// The file.
        file: String,
        /// How it was asked for.
        by: By,
        /// Why not.
        trouble: Trouble,
    },
    /// A file has nothing in it.
    Empty {
        /// The file.
        file: String,
    },
    /// A file ends before it should.
    Short {
        /// The file.
        file: String,
        /// How long it is said to be, in bytes.
        expected: u64,
    },
    /// TFTP and HTTP say different lengths.
    Lengths {
        /// The file.
        file: String,
        /// By TFTP, in bytes.
        tftp: u64,
        /// By HTTP, in bytes.
        http: u64,
    },
    /// UEFI gets what is no program of UEFI.
    NoProgram {
        /// The file.
        file: String,
    },
    /// A BIOS gets a program of UEFI, or UEFI one for another processor.
    WrongMachine {
        /// The file.
        file: String,
        /// What it is for.
        found: Machine,
    },
    /// With Secure Boot on: the loader is not signed by whom the firmware trusts.
    Unsigned {
        /// The file.
        file: String,
    },
    /// With Secure Boot on: shim does not start what lies beside it.
    NotAccepted {
        /// What shim asked for.
        file: String,
    },
    /// A script cannot be understood.
    Script {
        /// The file.
        file: String,
        /// What is wrong with it.
        wrong: Wrong,
    },
    /// A script leads to another server.
    Elsewhere {
        /// Where.
        url: String,
    },
    /// The menu is not where the first script leads.
    NoMenu {
        /// The first script.
        file: String,
    },
    /// The arguments of a kernel are longer than Linux takes.
    TooLong {
        /// So many characters.
        length: usize,
    },
    /// The entry starts nothing.
    Nothing,
    /// An answer file cannot be had.
    Answers {
        /// The entry.
        entry: String,
    },
}

/// How far a firmware gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// To its menu, or to what it starts without one.
    Ready,
    /// There is nothing here for it, which is no fault.
    NotServed {
        /// Why, a clause.
        reason: String,
    },
    /// No further than this.
    Failed(Fault),
}

/// What becomes of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Start {
    /// Every file of it is there.
    Starts,
    /// Not on this computer, and the menu says why.
    NotHere {
        /// What it says.
        reason: String,
    },
    /// It does not start.
    Failed(Fault),
}

/// An entry on a firmware.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// What becomes of it.
    #[serde(flatten)]
    pub start: Start,
    /// How many files it fetches.
    pub files: usize,
    /// How many bytes those have.
    pub bytes: u64,
}

/// A firmware.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Which.
    pub firmware: Firmware,
    /// How far it gets.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What it fetches to get there, in that order.
    pub loaders: Vec<String>,
    /// The entries of its menu, by their ids.
    pub entries: BTreeMap<String, Cell>,
    /// How long that took, in milliseconds.
    pub millis: u64,
}

impl Row {
    /// What fails on it: the entry where it is one, and how.
    pub fn faults(&self) -> impl Iterator<Item = (Option<&str>, &Fault)> {
        let own = match &self.outcome {
            Outcome::Failed(fault) => Some((None, fault)),
            Outcome::Ready | Outcome::NotServed { .. } => None,
        };
        own.into_iter().chain(self.entries.iter().filter_map(|(id, cell)| match &cell.start {
            Start::Failed(fault) => Some((Some(id.as_str()), fault)),
            Start::Starts | Start::NotHere { .. } => None,
        }))
    }
}

/// The whole of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// A row for each firmware.
    pub rows: Vec<Row>,
    /// The entries, in the menu's order.
    pub entries: Vec<Named>,
    /// How long it took, in milliseconds.
    pub millis: u64,
}

/// An entry's id and title.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// What stands in the menu.
    pub title: String,
}

impl From<Entry> for Named {
    fn from(Entry { id, title }: Entry) -> Named {
        Named { id, title }
    }
}

impl Report {
    /// Everything that fails, the firmware with it.
    pub fn faults(&self) -> impl Iterator<Item = (Firmware, Option<&str>, &Fault)> {
        self.rows.iter().flat_map(|row| row.faults().map(|(entry, fault)| (row.firmware, entry, fault)))
    }

    /// Entries that no firmware starts, though none fails with one: they are for computers that were not rehearsed.
    pub fn unseen(&self) -> impl Iterator<Item = &Named> {
        self.entries.iter().filter(|entry| self.rows.iter().all(|row| !row.entries.contains_key(&entry.id)))
    }
}
