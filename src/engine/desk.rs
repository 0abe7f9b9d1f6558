//! The desk where computers get their answer files: tickets for a menu, texts for a ticket, numbers for host names.

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::{Error, kept};
use crate::answer::tickets::{self, Client, Refusal};
use crate::answer::{AnswerError, Answers, Computer, Counters, Rendered, Tickets};
use crate::boot::menu::{Item, Menu, Place};
use crate::boot::tree::Found;
use crate::deployment::Plan;
use crate::mac::Mac;
use crate::text;

/// What is kept of host names: which computer has which number.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Names {
    numbers: Counters,
}

/// The desk. Texts and tokens never leave it but to the computer that they are for.
#[derive(Debug)]
pub(super) struct Desk {
    answers: Answers,
    items: Vec<Item>,
    place: Place,
    tickets: Mutex<Tickets>,
    names: Mutex<Names>,
    file: PathBuf,
}

/// A file that a computer gets.
#[derive(Debug)]
pub(super) struct Fetched {
    /// What it gets.
    pub(super) file: Found,
    /// The entry that it is for.
    pub(super) entry: String,
    /// Why the numbers in host names could not be saved, and where, if they could not.
    pub(super) unsaved: Option<(PathBuf, io::Error)>,
}

/// Why a computer gets no answer file.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The ticket opens nothing.
    Refused(Refusal),
    /// The file cannot be filled in for it.
    Unfilled(AnswerError),
    /// The entry is on the menu no more.
    Gone,
}

impl Desk {
    /// Reads the answer files. `None` where there are none to give.
    pub(super) fn open(plan: &Plan, menu: &Menu, place: Place) -> Result<Option<(Desk, Option<PathBuf>)>, Error> {
        if plan.answers.is_empty() {
            return Ok(None);
        }
        let answers = Answers::load(&plan.answers).map_err(Error::Answers)?;
        let file = plan.names_file.clone();
        let opened = kept::open::<Names>(&file);
        let (names, set_aside) = opened.map_err(|source| Error::Names { path: file.clone(), source })?;
        let (tickets, names, items) = (Mutex::default(), Mutex::new(names), menu.items.clone());
        Ok(Some((Desk { answers, items, place, tickets, names, file }, set_aside)))
    }

    /// The address under which a computer finds the answer file of an entry; `None` where there is none for it.
    pub(super) fn address(&self, item: &Item, computer: &Computer, ip: Ipv4Addr) -> Option<String> {
        let answering = item.entry.answering.as_ref()?;
        let (_, kind) = self.answers.file(&item.id, computer)?;
        let token = self.tickets.lock().ok()?.issue(&item.id, computer, ip, Instant::now()).ok()?;
        let base = &self.place.base;
        Some(match answering.arguments.contains("{answer_dir_url}") {
            true => tickets::folder_url(base, &token),
            false => tickets::file_url(base, &token, kind),
        })
    }

    /// A file for a ticket. `length_only` does not count as reading it.
    pub(super) fn fetch(
        &self,
        (token, name): (&str, &str),
        (ip, mac): (Ipv4Addr, Option<Mac>),
        length_only: bool,
    ) -> Result<Fetched, Trouble> {
        let (client, now) = (Client { ip, mac }, Instant::now());
        let redeemed = {
            let mut tickets = self.tickets.lock().map_err(|_| Trouble::Gone)?;
            match length_only {
                true => tickets.look(token, name, client, now),
                false => tickets.redeem(token, name, client, now),
            }
        };
        let redeemed = redeemed.map_err(Trouble::Refused)?;
        let item = self.items.iter().find(|item| item.id == redeemed.entry).ok_or(Trouble::Gone)?;
        let place = crate::answer::Place {
            server: self.place.server,
            base_url: self.place.tree(item),
            iso_url: self.place.disc(item),
        };
        let (rendered, unsaved) = {
            let mut names = self.names.lock().map_err(|_| Trouble::Gone)?;
            let before = names.numbers.clone();
            let part = (redeemed.part, redeemed.entry.as_str());
            let rendered = self.answers.part(part.0, part.1, &redeemed.computer, &place, &mut names.numbers);
            // A number that is lost in a power cut would be given twice.
            let saved = if names.numbers == before { Ok(()) } else { kept::save(&self.file, &*names) };
            (rendered, saved.err().map(|error| (self.file.clone(), error)))
        };
        let Rendered { text, .. } = rendered.map_err(Trouble::Unfilled)?;
        Ok(Fetched { file: Found::answer(name, text), entry: text::plain(&redeemed.entry, 60), unsaved })
    }
}
