//! The gate: who is answered, who has the menu, and who waits for the technician's word. What was decided is kept on disk.

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::sync::watch as flag;

use super::events::Events;
use super::kept;
use crate::boot::approval::{Answer, Approval, Kept, NobodyShows, Waiting, Which};
use crate::dhcp::Guests;
use crate::journal::{Note, What};
use crate::mac::Mac;

/// Who was approved in earlier runs; nobody where there is no such file.
///
/// # Errors
/// The file cannot be read or written, or is not understood.
pub fn approved(file: &Path) -> io::Result<Kept> {
    kept::read(file)
}

/// Keeps this for the next run.
///
/// # Errors
/// The file cannot be written.
pub fn keep_approved(file: &Path, kept: &Kept) -> io::Result<()> {
    kept::save(file, kept)
}

/// What an earlier run kept.
#[derive(Debug)]
pub(super) struct Prepared {
    kept: Kept,
    file: PathBuf,
    /// Where an unreadable file was put.
    pub(super) set_aside: Option<PathBuf>,
}

impl Prepared {
    /// Reads it. May wait for a disk.
    pub(super) fn from(file: PathBuf) -> io::Result<Prepared> {
        let (kept, set_aside) = kept::open::<Kept>(&file)?;
        Ok(Prepared { kept, file, set_aside })
    }
}

/// The gate.
#[derive(Debug)]
pub(super) struct Gate {
    guests: flag::Sender<Guests>,
    approval: Mutex<Approval>,
    /// Where it is kept; nowhere in a rehearsal.
    file: Option<PathBuf>,
    /// Held while the file is written, so that an older state never replaces a newer one.
    writing: Mutex<()>,
    events: Events,
}

impl Gate {
    pub(super) fn new(prepared: Prepared, guests: Guests, events: Events) -> Gate {
        let (approval, guests) = (Mutex::new(Approval::new(prepared.kept)), flag::Sender::new(guests));
        Gate { guests, approval, file: Some(prepared.file), writing: Mutex::default(), events }
    }

    /// One that everybody passes, for a rehearsal.
    pub(super) fn open(events: Events) -> Gate {
        let (approval, guests) = (Mutex::default(), flag::Sender::new(Guests::default()));
        Gate { guests, approval, file: None, writing: Mutex::default(), events }
    }

    /// Who may be answered, as that changes.
    pub(super) fn guests(&self) -> flag::Receiver<Guests> {
        self.guests.subscribe()
    }

    /// Whether a computer may be answered at all.
    pub(super) fn welcome(&self, mac: Mac) -> bool {
        self.guests.borrow().welcome(mac)
    }

    /// Never answers a computer any more, or answers it again.
    pub(super) fn deny(&self, mac: Mac, denied: bool) {
        let changed = self.guests.send_if_modified(|guests| match denied {
            true => guests.deny.insert(mac),
            false => guests.deny.remove(&mac),
        });
        if changed {
            self.events.tell(Some(mac), None, None, What::Service(Note::Answered { again: !denied }));
        }
    }

    /// Answers these from now on, and no others.
    pub(super) fn admit(&self, guests: Guests) {
        let changed = self.guests.send_if_modified(|known| {
            let changed = *known != guests;
            known.clone_from(&guests);
            changed
        });
        if changed {
            self.events.service(Note::Guests {
                ask: guests.ask,
                allowed: guests.allow.len(),
                denied: guests.deny.len(),
            });
        }
    }

    /// Whether nobody is asked about, and nobody left out: then nobody has to be known.
    pub(super) fn is_open(&self) -> bool {
        let guests = self.guests.borrow();
        let anybody_refused = self.approval.lock().is_ok_and(|approval| approval.refuses_anybody());
        !guests.ask && guests.deny.is_empty() && guests.allow.is_empty() && !anybody_refused
    }

    /// Whether a computer may fetch more than its loader; nobody knows who it is where there is none.
    pub(super) fn admits(&self, mac: Option<Mac>) -> bool {
        self.approval.lock().is_ok_and(|approval| approval.admits(mac, &self.guests.borrow()))
    }

    /// What a computer gets that asks for its menu.
    pub(super) fn ask(&self, mac: Mac, ip: Ipv4Addr, product: Option<String>) -> Answer {
        let random = {
            let mut bytes = [0; 2];
            // Without random numbers the codes are those from 0000 on, which are as good for telling computers apart.
            let _ = getrandom::fill(&mut bytes);
            u16::from_ne_bytes(bytes)
        };
        let Ok(mut approval) = self.approval.lock() else { return Answer::Refused };
        let answer = approval.ask(Instant::now(), mac, product.clone(), &self.guests.borrow(), random);
        drop(approval);
        if let Answer::Wait { code, new: true } = answer {
            self.events.tell(Some(mac), Some(ip), None, What::Service(Note::Waiting { code, product }));
        }
        answer
    }

    /// Who waits.
    pub(super) fn waiting(&self) -> Vec<Waiting> {
        self.approval.lock().map(|mut approval| approval.waiting(Instant::now())).unwrap_or_default()
    }

    /// Lets a computer have its menu, or sends it to its own disk. Returns which one.
    pub(super) fn decide(self: &Arc<Self>, which: Which, approved: bool) -> Result<Mac, NobodyShows> {
        let decided = match (self.approval.lock(), approved, which) {
            (Ok(mut approval), true, _) => approval.approve(Instant::now(), which),
            (Ok(mut approval), false, _) => approval.refuse(Instant::now(), which),
            // Only after a fault of this program.
            (Err(_), _, Which::Code(code)) => return Err(NobodyShows(code)),
            (Err(_), _, Which::Mac(mac)) => return Ok(mac),
        };
        let mac = decided?;
        self.save();
        let note = if approved { Note::Approved } else { Note::TurnedAway };
        self.events.tell(Some(mac), None, None, What::Service(note));
        Ok(mac)
    }

    /// Asks about a computer again.
    pub(super) fn forget(self: &Arc<Self>, mac: Mac) {
        if self.approval.lock().is_ok_and(|mut approval| approval.forget(mac)) {
            self.save();
        }
    }

    fn save(self: &Arc<Self>) {
        let gate = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            let _writing = gate.writing.lock();
            let (Some(file), Ok(approval)) = (&gate.file, gate.approval.lock()) else { return };
            let kept = approval.kept();
            drop(approval);
            if let Err(error) = kept::save(file, &kept) {
                let (path, reason) = (file.display().to_string(), error.to_string());
                gate.events.service(Note::ApprovalNotSaved { path, reason });
            }
        });
    }
}
