//! The gate: who is answered, who has the menu, and who waits for the technician's word. What was decided is kept on disk.

use std::collections::BTreeSet;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::sync::watch as flag;

use super::events::Events;
use super::kept::{self, Store};
use crate::boot::approval::{Answer, Approval, Change, Kept, Undecided, Waiting, Which};
use crate::dhcp::Guests;
use crate::journal::{Note, What, wording};
use crate::mac::Mac;

/// Who was approved in earlier runs; nobody where there is no such file.
///
/// # Errors
/// The file cannot be read or written, or is not understood.
pub fn approved(file: &Path) -> io::Result<Kept> {
    kept::read(file)
}

/// Approves these no more, where no services run that would know of it. Returns who is left.
///
/// # Errors
/// The file cannot be read or written.
pub fn forget_approved(file: &Path, macs: &BTreeSet<Mac>) -> io::Result<Kept> {
    kept::apply(file, macs.iter().map(|&mac| Change::Removed(mac)))
}

impl kept::Shared for Kept {
    type Change = Change;

    fn apply(&mut self, change: &Change) {
        Kept::apply(self, change);
    }
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
    store: Store<Kept>,
    events: Events,
}

impl Gate {
    pub(super) fn new(prepared: Prepared, guests: Guests, events: Events) -> Gate {
        let (approval, guests) = (Mutex::new(Approval::new(prepared.kept)), flag::Sender::new(guests));
        Gate { guests, approval, store: Store::new(Some(prepared.file)), events }
    }

    /// One that everybody passes, for a rehearsal.
    pub(super) fn open(events: Events) -> Gate {
        let (approval, guests) = (Mutex::default(), flag::Sender::new(Guests::default()));
        Gate { guests, approval, store: Store::new(None), events }
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
        // One after the other: elsewhere the approvals are locked first.
        let anybody_refused = self.approval.lock().is_ok_and(|approval| approval.refuses_anybody());
        let guests = self.guests.borrow();
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
        // Other services of this user may have approved it meanwhile.
        self.store.look(|kept| self.adopt(kept));
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
    pub(super) fn decide(self: &Arc<Self>, which: Which, approved: bool) -> Result<Mac, Undecided> {
        let decided = match (self.approval.lock(), which) {
            (Ok(mut approval), _) => {
                let now = Instant::now();
                let decided = match approved {
                    true => approval.approve(now, which, &self.guests.borrow()),
                    false => approval.refuse(now, which).map_err(Undecided::from),
                };
                decided.inspect(|&mac| {
                    self.store.note(approval.change(mac));
                })
            }
            // Only after a fault of this program.
            (Err(_), Which::Code(code)) => Err(Undecided::NobodyShows(code)),
            (Err(_), Which::Mac(mac)) => return Ok(mac),
        };
        match decided {
            Ok(mac) => {
                self.save();
                let note = if approved { Note::Approved } else { Note::TurnedAway };
                self.events.tell(Some(mac), None, None, What::Service(note));
            }
            // The window asks without waiting for an answer.
            Err(Undecided::Denied(mac) | Undecided::NotListed(mac)) => {
                let sentence = decided.err().map(wording::undecided).unwrap_or_default();
                self.events.tell(Some(mac), None, None, What::Service(Note::Warning { sentence }));
            }
            Err(Undecided::NobodyShows(_)) => {}
        }
        decided
    }

    /// Asks about a computer again.
    pub(super) fn forget(self: &Arc<Self>, mac: Mac) {
        let forgot = self.approval.lock().is_ok_and(|mut approval| {
            let forgot = approval.forget(mac);
            if forgot {
                self.store.note(approval.change(mac));
            }
            forgot
        });
        if forgot {
            self.save();
        }
    }

    fn adopt(&self, kept: Kept) {
        if let Ok(mut approval) = self.approval.lock() {
            approval.adopt(self.store.on_top(kept));
        }
    }

    fn save(self: &Arc<Self>) {
        let gate = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            let mine = || gate.approval.lock().map(|approval| approval.kept()).unwrap_or_default();
            if let Err((file, error)) = gate.store.write(mine, |kept| gate.adopt(kept)) {
                let (path, reason) = (file.display().to_string(), error.to_string());
                gate.events.service(Note::ApprovalNotSaved { path, reason });
            }
        });
    }
}
