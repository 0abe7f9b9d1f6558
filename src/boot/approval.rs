//! Which computers may have the menu where strangers are asked about first: who waits, under which code, and who was
//! approved before.
//!
//! A stranger's screen shows a code, and the technician approves that code: so the right one of two computers on the bench
//! is meant. No clock and no random source: who uses it brings both. An approval stands for a hardware address, which a
//! computer can make up (SECURITY S12).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::dhcp::Guests;
use crate::mac::Mac;

/// The file of the state folder that keeps who was approved.
pub const FILE: &str = "approved.json";

/// A computer that waits asks every 3 s. One that was silent for so long was switched off, and its code means nothing.
pub const SILENT: Duration = Duration::from_secs(180);
/// How many codes there are.
const CODES: u16 = 10_000;
/// Most computers that wait at once; made-up addresses are not to fill the technician's list, nor use up the codes.
const MAX_WAITING: usize = 256;
/// Most computers that are remembered as refused.
const MAX_REFUSED: usize = 4096;

/// What the screen of a computer that waits shows: four digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Code(u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

impl From<Code> for String {
    fn from(code: Code) -> String {
        code.to_string()
    }
}

/// A text that is no code.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a code has four digits, an address is like 52:54:00:12:34:56")]
pub struct NoCode;

impl FromStr for Code {
    type Err = NoCode;

    fn from_str(text: &str) -> Result<Code, NoCode> {
        let digits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| digits).map(Code).ok_or(NoCode)
    }
}

impl TryFrom<String> for Code {
    type Error = NoCode;

    fn try_from(text: String) -> Result<Code, NoCode> {
        text.parse()
    }
}

/// The computer that the technician means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// The one whose screen shows this.
    Code(Code),
    /// The one with this network card, whether it waits or not.
    Mac(Mac),
}

impl FromStr for Which {
    type Err = NoCode;

    fn from_str(text: &str) -> Result<Which, NoCode> {
        let code = text.parse().map(Which::Code);
        code.or_else(|_| text.parse().map(Which::Mac)).map_err(|_| NoCode)
    }
}

/// A computer that was approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    /// Its network card.
    pub mac: Mac,
    /// Its product name, where it said one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub product: Option<String>,
}

/// What is kept from one run to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The computers that were approved.
    pub computers: Vec<Approved>,
}

/// What changes in it. Services that share a state folder write changes alone, so that none undoes what another wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A computer was approved.
    Approved(Approved),
    /// It is not approved any more.
    Removed(Mac),
}

impl Kept {
    /// Makes a change.
    pub fn apply(&mut self, change: &Change) {
        let mac = match change {
            Change::Approved(known) => known.mac,
            Change::Removed(mac) => *mac,
        };
        let before = self.computers.iter().position(|known| known.mac == mac).map(|at| self.computers.remove(at));
        if let Change::Approved(known) = change {
            let product = known.product.clone().or(before.and_then(|before| before.product));
            let at = self.computers.partition_point(|other| other.mac < mac);
            self.computers.insert(at, Approved { mac, product });
        }
    }
}

/// A computer that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Its network card.
    pub mac: Mac,
    /// Its product name, where it said one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub product: Option<String>,
    /// What its screen shows.
    pub code: Code,
}

/// What a computer gets that asks for its menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The menu.
    Menu,
    /// The page that shows a code, since it is asked about.
    Wait {
        /// The code.
        code: Code,
        /// Whether it did not wait before.
        new: bool,
    },
    /// A page that says that too many wait.
    Crowded,
    /// A page that says so, and its own disk.
    Refused,
}

/// Nobody waits under that code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no computer that waits shows {0}")]
pub struct NobodyShows(pub Code);

/// Why nothing was decided about a computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undecided {
    /// Nobody waits under that code.
    NobodyShows(Code),
    /// It is on the list of those who are never answered, which counts for more than an approval.
    Denied(Mac),
    /// Only those on a list may boot, and it is not on that.
    NotListed(Mac),
}

impl From<NobodyShows> for Undecided {
    fn from(NobodyShows(code): NobodyShows) -> Undecided {
        Undecided::NobodyShows(code)
    }
}

/// One that waits, as it is kept here.
#[derive(Debug)]
struct Guest {
    code: Code,
    product: Option<String>,
    heard: Instant,
}

/// Who waits, who was approved, who was refused.
#[derive(Debug, Default)]
pub struct Approval {
    approved: BTreeMap<Mac, Option<String>>,
    waiting: BTreeMap<Mac, Guest>,
    refused: BTreeSet<Mac>,
}

impl Approval {
    /// With those who were approved in earlier runs.
    pub fn new(kept: Kept) -> Approval {
        let approved = kept.computers.into_iter().map(|known| (known.mac, known.product)).collect();
        Approval { approved, ..Approval::default() }
    }

    /// What is to be kept.
    pub fn kept(&self) -> Kept {
        let known = |(mac, product): (&Mac, &Option<String>)| Approved { mac: *mac, product: product.clone() };
        Kept { computers: self.approved.iter().map(known).collect() }
    }

    /// Whether a computer is approved, as a change of what is kept.
    pub fn change(&self, mac: Mac) -> Change {
        match self.approved.get(&mac) {
            Some(product) => Change::Approved(Approved { mac, product: product.clone() }),
            None => Change::Removed(mac),
        }
    }

    /// Takes over what is kept now, by whichever services.
    pub fn adopt(&mut self, kept: Kept) {
        self.approved = kept.computers.into_iter().map(|known| (known.mac, known.product)).collect();
    }

    /// Whether a computer may fetch more than its loader and the page that it waits at. Whoever is not known is not
    /// approved, where strangers are asked about.
    pub fn admits(&self, mac: Option<Mac>, guests: &Guests) -> bool {
        match mac {
            Some(mac) if !guests.welcome(mac) || self.refused.contains(&mac) => false,
            Some(mac) => !guests.ask || guests.allow.contains(&mac) || self.approved.contains_key(&mac),
            None => !guests.ask && guests.allow.is_empty(),
        }
    }

    /// What a computer gets that asks for its menu. `random` is any number; the codes of those who wait all differ.
    pub fn ask(&mut self, now: Instant, mac: Mac, product: Option<String>, guests: &Guests, random: u16) -> Answer {
        self.expire(now);
        if self.admits(Some(mac), guests) {
            self.waiting.remove(&mac);
            return Answer::Menu;
        }
        if !guests.welcome(mac) || self.refused.contains(&mac) {
            return Answer::Refused;
        }
        if let Some(guest) = self.waiting.get_mut(&mac) {
            guest.heard = now;
            guest.product = product.or(guest.product.take());
            return Answer::Wait { code: guest.code, new: false };
        }
        let taken: BTreeSet<u16> = self.waiting.values().map(|guest| guest.code.0).collect();
        let free = (0..CODES).map(|step| (random % CODES + step) % CODES).find(|code| !taken.contains(code));
        let Some(code) = free.filter(|_| taken.len() < MAX_WAITING).map(Code) else { return Answer::Crowded };
        self.waiting.insert(mac, Guest { code, product, heard: now });
        Answer::Wait { code, new: true }
    }

    /// Whether there is somebody whom the technician refused.
    pub fn refuses_anybody(&self) -> bool {
        !self.refused.is_empty()
    }

    /// Who waits.
    pub fn waiting(&mut self, now: Instant) -> Vec<Waiting> {
        self.expire(now);
        let waiting =
            |(mac, guest): (&Mac, &Guest)| Waiting { mac: *mac, product: guest.product.clone(), code: guest.code };
        self.waiting.iter().map(waiting).collect()
    }

    /// Lets a computer have the menu, in later runs as well. Returns which one.
    ///
    /// # Errors
    /// Nobody waits under that code, or an approval would change nothing: then none is kept.
    pub fn approve(&mut self, now: Instant, which: Which, guests: &Guests) -> Result<Mac, Undecided> {
        let mac = self.meant(now, which)?;
        if !guests.welcome(mac) {
            return Err(if guests.deny.contains(&mac) { Undecided::Denied(mac) } else { Undecided::NotListed(mac) });
        }
        let product = self.waiting.remove(&mac).and_then(|guest| guest.product);
        self.refused.remove(&mac);
        let known = self.approved.entry(mac).or_default();
        *known = product.or(known.take());
        Ok(mac)
    }

    /// Sends a computer to its own disk, until the services end or it is approved. Returns which one.
    ///
    /// # Errors
    /// Nobody waits under that code.
    pub fn refuse(&mut self, now: Instant, which: Which) -> Result<Mac, NobodyShows> {
        let mac = self.meant(now, which)?;
        self.waiting.remove(&mac);
        self.approved.remove(&mac);
        // Nobody refuses so many by hand; the technician's latest word counts.
        if self.refused.len() >= MAX_REFUSED {
            self.refused.pop_first();
        }
        self.refused.insert(mac);
        Ok(mac)
    }

    /// Asks about a computer again, whatever was decided. Returns whether anything was.
    pub fn forget(&mut self, mac: Mac) -> bool {
        let refused = self.refused.remove(&mac);
        self.approved.remove(&mac).is_some() || refused
    }

    fn meant(&mut self, now: Instant, which: Which) -> Result<Mac, NobodyShows> {
        self.expire(now);
        match which {
            Which::Mac(mac) => Ok(mac),
            Which::Code(code) => {
                let shown = self.waiting.iter().find(|(_, guest)| guest.code == code);
                shown.map(|(&mac, _)| mac).ok_or(NobodyShows(code))
            }
        }
    }

    fn expire(&mut self, now: Instant) {
        self.waiting.retain(|_, guest| now.saturating_duration_since(guest.heard) < SILENT);
    }
}

#[cfg(test)]
mod tests;
