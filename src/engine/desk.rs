//! The desk where computers get their answer files: tickets for a menu, texts for a ticket, numbers for host names.

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use super::{Error, kept};
use crate::answer::tickets::{self, Client, Refusal};
use crate::answer::{self, load};
use crate::answer::{AnswerError, Answers, Computer, Counters, Fault, Rendered, Tickets};
use crate::boot::menu::{Item, Menu, Place};
use crate::boot::tree::Found;
use crate::deployment::Plan;
use crate::mac::Mac;
use crate::text;

/// What is kept of host names: which computer has which number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Names {
    numbers: Counters,
}

/// Most mistakes of all answer files that are told at the start.
const MOST_FAULTS: usize = 20;

/// The desk. Texts and tokens never leave it but to the computer that they are for.
#[derive(Debug)]
pub(super) struct Desk {
    settings: answer::Settings,
    read: Mutex<Read>,
    items: Vec<Item>,
    place: Place,
    tickets: Mutex<Tickets>,
    names: Mutex<Names>,
    /// None for a double, of which nothing is kept.
    file: Option<PathBuf>,
}

/// The answer files as they were read, and what their files were like then.
#[derive(Debug)]
struct Read {
    answers: Arc<Answers>,
    files: Vec<Stamp>,
}

/// What tells one state of a file from another.
type Stamp = Option<(u64, SystemTime)>;

fn stamps(settings: &answer::Settings) -> Vec<Stamp> {
    let stamp = |path: &mut PathBuf| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.len(), metadata.modified().ok()?))
    };
    settings.clone().paths().map(stamp).collect()
}

/// What is read from disk for it.
#[derive(Debug)]
pub(super) struct Prepared {
    settings: answer::Settings,
    /// What their files were like before they were read.
    files: Vec<Stamp>,
    answers: Answers,
    names: Names,
    file: Option<PathBuf>,
    /// Where an unreadable file with host names was put.
    pub(super) set_aside: Option<PathBuf>,
}

impl Prepared {
    /// Reads the answer files. `None` where there are none to give. May wait for a disk. For a rehearsal nothing is
    /// written.
    pub(super) fn from(plan: &Plan, menu: &Menu, rehearsed: bool) -> Result<Option<Prepared>, Error> {
        if plan.answers.is_empty() {
            return Ok(None);
        }
        if let Some(file) = plan.files.as_ref().and_then(|folder| load::published(&plan.answers, folder).pop()) {
            return Err(Error::AnswerPublished { file });
        }
        let (settings, files) = (plan.answers.clone(), stamps(&plan.answers));
        let answers = Answers::load(&plan.answers).map_err(Error::Answers)?;
        let takes = |id: &str| menu.items.iter().any(|item| item.id == id && item.entry.answering.is_some());
        let named = plan.answers.computer.iter().filter_map(|computer| computer.entry.as_ref());
        if let Some(entry) = plan.answers.entry.keys().chain(named).find(|id| !takes(id)) {
            let able = menu.items.iter().filter(|item| item.entry.answering.is_some());
            let able = able.map(|item| item.id.clone()).collect();
            return Err(Error::AnswerEntry { entry: entry.clone(), able });
        }
        let file = plan.names_file.clone();
        if rehearsed {
            let names = kept::read(&file).unwrap_or_default();
            return Ok(Some(Prepared { settings, files, answers, names, file: None, set_aside: None }));
        }
        let opened = kept::open::<Names>(&file);
        let (names, set_aside) = opened.map_err(|source| Error::Names { path: file.clone(), source })?;
        let file = Some(file);
        Ok(Some(Prepared { settings, files, answers, names, file, set_aside }))
    }

    /// What is wrong inside the files, some of it.
    pub(super) fn faults(&self) -> Vec<(PathBuf, Fault)> {
        let all = self.answers.faults().flat_map(|(path, _, faults)| faults.iter().map(move |fault| (path, fault)));
        all.take(MOST_FAULTS).map(|(path, fault)| (path.to_owned(), fault.clone())).collect()
    }
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
    /// The desk for a menu, with what was read for it.
    pub(super) fn new(prepared: Prepared, menu: &Menu, place: Place) -> Desk {
        let Prepared { settings, files, answers, names, file, .. } = prepared;
        let read = Mutex::new(Read { answers: Arc::new(answers), files });
        // A default that starts by itself late is to find its answers still.
        let lifetime = tickets::LIFETIME + Duration::from_secs(menu.timeout.into());
        let (tickets, names) = (Mutex::new(Tickets::new(lifetime)), Mutex::new(names));
        Desk { settings, read, items: menu.items.clone(), place, tickets, names, file }
    }

    /// A copy for a rehearsal: its tickets are its own, and no number is kept.
    pub(super) fn double(&self) -> Option<Desk> {
        let (settings, items, place) = (self.settings.clone(), self.items.clone(), self.place.clone());
        let read = self.read.lock().ok()?;
        let read = Read { answers: Arc::clone(&read.answers), files: read.files.clone() };
        let names = self.names.lock().ok()?.clone();
        let tickets = Mutex::new(Tickets::new(tickets::LIFETIME));
        Some(Desk { settings, read: Mutex::new(read), items, place, tickets, names: Mutex::new(names), file: None })
    }

    /// The answer files. Those that were written to meanwhile are read again: whoever writes one tries it again and again.
    /// What cannot be used does not take the place of what could; it is told once.
    fn answers(&self) -> (Option<Arc<Answers>>, Option<AnswerError>) {
        let Ok(mut read) = self.read.lock() else { return (None, None) };
        let files = stamps(&self.settings);
        let mut trouble = None;
        if files != read.files {
            read.files = files;
            match Answers::load(&self.settings) {
                Ok(answers) => read.answers = Arc::new(answers),
                Err(error) => trouble = Some(error),
            }
        }
        (Some(Arc::clone(&read.answers)), trouble)
    }

    /// Reads answer files that were written to, before a computer gets its menu. What is wrong with them now.
    pub(super) fn refresh(&self) -> Option<AnswerError> {
        self.answers().1
    }

    /// Lets a computer's tickets live on: it asked for something just now, so its installation goes on.
    pub(super) fn heard(&self, mac: Mac) {
        if let Ok(mut tickets) = self.tickets.lock() {
            tickets.renew(mac, Instant::now());
        }
    }

    /// The address under which a computer finds the answer file of an entry; `None` where there is none for it.
    pub(super) fn address(&self, item: &Item, computer: &Computer, ip: Ipv4Addr) -> Option<String> {
        let answering = item.entry.answering.as_ref()?;
        let (_, kind) = self.answers().0?.file(&item.id, computer)?;
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
        let redeemed = self.tickets.lock().map_err(|_| Trouble::Gone)?.look(token, name, client, now);
        let redeemed = redeemed.map_err(Trouble::Refused)?;
        let answers = self.answers().0.ok_or(Trouble::Gone)?;
        let item = self.items.iter().find(|item| item.id == redeemed.entry).ok_or(Trouble::Gone)?;
        let place = crate::answer::Place {
            server: self.place.server,
            base_url: self.place.tree(item),
            iso_url: self.place.disc(item),
        };
        let (rendered, unsaved) = {
            let mut names = self.names.lock().map_err(|_| Trouble::Gone)?;
            let give = |names: &mut Names| {
                answers.part(redeemed.part, &redeemed.entry, &redeemed.computer, &place, &mut names.numbers)
            };
            // On top of what other services gave that share the file: no number is given twice.
            let kept = self.file.as_ref().map(|file| (file, kept::change(file, || names.clone(), give)));
            match kept {
                Some((_, Ok((now, rendered)))) => {
                    *names = now;
                    (rendered, None)
                }
                other => {
                    let before = names.numbers.clone();
                    let rendered = give(&mut names);
                    // A number that is lost in a power cut would be given twice.
                    let lost = names.numbers != before;
                    let unsaved = other.and_then(|(file, kept)| Some((file.clone(), kept.err()?)));
                    (rendered, unsaved.filter(|_| lost))
                }
            }
        };
        let Rendered { text, .. } = rendered.map_err(Trouble::Unfilled)?;
        // Only what is given counts as read.
        if !length_only {
            let counted = self.tickets.lock().map_err(|_| Trouble::Gone)?.redeem(token, name, client, now);
            counted.map_err(Trouble::Refused)?;
        }
        Ok(Fetched { file: Found::answer(name, text), entry: text::plain(&redeemed.entry, 60), unsaved })
    }
}
