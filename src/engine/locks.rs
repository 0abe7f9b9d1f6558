//! What stands before entries: which computers have begun those that start once, and who has given a password.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::events::Events;
use super::kept::{self, Store};
use crate::boot::once::{Change, Kept, Watched};
use crate::boot::password::{Attempts, Hash};
use crate::boot::tree::Role;
use crate::journal::{Note, What};
use crate::mac::Mac;
use crate::{http, tftp};

/// Most computers whose choice or passwords are remembered at once.
const MAX_REMEMBERED: usize = 4096;

/// Which computers began which entries, as an earlier run kept it; nothing where there is no such file.
///
/// # Errors
/// The file cannot be read, or is not understood.
pub fn begun(file: &Path) -> io::Result<Kept> {
    kept::read(file)
}

/// Forgets what these began, where no services run that would know of it. Returns what is left.
///
/// # Errors
/// The file cannot be read or written.
pub fn forget_begun(file: &Path, macs: &BTreeSet<Mac>) -> io::Result<Kept> {
    kept::apply(file, macs.iter().map(|&mac| Change::Forgotten(mac)))
}

impl kept::Shared for Kept {
    type Change = Change;

    fn apply(&mut self, change: &Change) {
        Kept::apply(self, change);
    }
}

/// Whom a password lets pass: the computer behind an address, or the address where nothing proves the computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Caller {
    Computer(Mac),
    Address(Ipv4Addr),
}

/// What came of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    Wrong,
    /// It was not looked at: so many seconds have to pass first.
    Wait(u64),
}

/// What is read from disk for it.
#[derive(Debug)]
pub(super) struct Prepared {
    kept: Kept,
    /// Where it is kept; nowhere for a rehearsal.
    file: Option<PathBuf>,
    /// The entries that start once.
    pub(super) watched: Vec<Watched>,
    /// Where an unreadable file was put.
    pub(super) set_aside: Option<PathBuf>,
}

impl Prepared {
    /// Reads it: also where no entry starts once now, since a computer may be forgotten. May wait for a disk.
    pub(super) fn from(file: PathBuf, watched: Vec<Watched>) -> io::Result<Prepared> {
        let (kept, set_aside) = kept::open::<Kept>(&file)?;
        Ok(Prepared { kept, file: Some(file), watched, set_aside })
    }

    /// For a rehearsal, in which nothing has begun and nothing is kept.
    pub(super) fn none(watched: Vec<Watched>) -> Prepared {
        Prepared { kept: Kept::default(), file: None, watched, set_aside: None }
    }
}

/// The locks.
#[derive(Debug)]
pub(super) struct Locks {
    watched: Vec<Watched>,
    kept: Mutex<Kept>,
    store: Store<Kept>,
    /// The entry that each computer chose last.
    chosen: Mutex<HashMap<Mac, String>>,
    /// The entries whose passwords each has given since it last asked for its menu.
    passed: Mutex<HashMap<Caller, BTreeSet<String>>>,
    attempts: Mutex<Attempts<Caller>>,
    /// Held while a password is checked: each check takes 19 MiB and some time, so there is one at a time.
    checking: Mutex<()>,
    events: Events,
}

impl Locks {
    pub(super) fn new(prepared: Prepared, events: Events) -> Locks {
        let Prepared { kept, file, watched, .. } = prepared;
        Locks {
            watched,
            kept: Mutex::new(kept),
            store: Store::new(file),
            chosen: Mutex::default(),
            passed: Mutex::default(),
            attempts: Mutex::default(),
            checking: Mutex::default(),
            events,
        }
    }

    /// Locks for a rehearsal.
    pub(super) fn double(&self, events: Events) -> Locks {
        Locks::new(Prepared::none(self.watched.clone()), events)
    }

    /// A computer asks for its menu, so it has started anew.
    pub(super) fn started(&self, caller: Caller, mac: Option<Mac>) {
        if let (Ok(mut chosen), Some(mac)) = (self.chosen.lock(), mac) {
            chosen.remove(&mac);
        }
        if let Ok(mut passed) = self.passed.lock() {
            passed.remove(&caller);
        }
    }

    /// Whether a computer has begun an entry that starts once.
    pub(super) fn has_begun(&self, mac: Option<Mac>, entry: &str) -> bool {
        let watched = self.watched.iter().find(|watched| watched.id == entry);
        let (Some(mac), Some(watched), Ok(kept)) = (mac, watched, self.kept.lock()) else { return false };
        kept.has(mac, &watched.name)
    }

    /// A computer chose an entry.
    pub(super) fn choose(&self, mac: Mac, entry: &str) {
        let Ok(mut chosen) = self.chosen.lock() else { return };
        *remember(&mut chosen, mac, String::new) = entry.to_owned();
    }

    /// Looks whether a transfer means that an entry has begun.
    pub(super) fn heard(self: &Arc<Self>, mac: Mac, role: Option<Role>, what: &What) {
        if self.watched.is_empty() {
            return;
        }
        let (file, whole) = match what {
            What::Tftp(tftp::Note::Done { file, .. }) => (file, true),
            What::Http(http::Note::Done { file, from, bytes, size, .. }) => (file, *from == 0 && bytes == size),
            _ => return,
        };
        let Some(entry) = self.chosen.lock().ok().and_then(|chosen| chosen.get(&mac).cloned()) else { return };
        let watched = self.watched.iter().find(|watched| watched.id == entry);
        let Some(watched) = watched.filter(|watched| watched.begins_by(role, file, whole)) else { return };
        if self.change(Change::Began(mac, watched.name.clone()), |kept| kept.begin(mac, &watched.name)) {
            self.events.tell(Some(mac), None, None, What::Service(Note::Begun { entry }));
            self.save();
        }
    }

    /// Forgets what a computer has begun.
    pub(super) fn forget(self: &Arc<Self>, mac: Mac) {
        if self.change(Change::Forgotten(mac), |kept| kept.forget(mac)) {
            self.save();
        }
    }

    /// Learns what computers began that other services of this user serve, or served. May wait for a disk.
    pub(super) fn look(&self) {
        if !self.watched.is_empty() {
            self.store.look(|kept| self.adopt(kept));
        }
    }

    /// Whether something changed.
    fn change(&self, change: Change, make: impl FnOnce(&mut Kept) -> bool) -> bool {
        let Ok(mut kept) = self.kept.lock() else { return false };
        let changed = make(&mut kept);
        if changed {
            self.store.note(change);
        }
        changed
    }

    fn adopt(&self, now: Kept) {
        if let Ok(mut kept) = self.kept.lock() {
            *kept = self.store.on_top(now);
        }
    }

    fn save(self: &Arc<Self>) {
        let locks = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            let mine = || locks.kept.lock().map(|kept| kept.clone()).unwrap_or_default();
            if let Err((file, error)) = locks.store.write(mine, |kept| locks.adopt(kept)) {
                let (path, reason) = (file.display().to_string(), error.to_string());
                locks.events.service(Note::OnceNotSaved { path, reason });
            }
        });
    }

    /// Checks a password, and lets its caller pass if it is right. Takes a while: not for an asynchronous task.
    pub(super) fn check(&self, caller: Caller, entry: &str, hash: &Hash, password: &str) -> Verdict {
        let Ok(_checking) = self.checking.lock() else { return Verdict::Wrong };
        let begun = self.attempts.lock().map(|mut attempts| attempts.begin(Instant::now(), caller));
        match begun {
            Ok(Ok(())) => {}
            Ok(Err(wait)) => return Verdict::Wait(wait.as_secs_f64().ceil() as u64),
            Err(_) => return Verdict::Wrong,
        }
        if !hash.fits(password) {
            return Verdict::Wrong;
        }
        if let (Ok(mut attempts), Ok(mut passed)) = (self.attempts.lock(), self.passed.lock()) {
            attempts.right(caller);
            remember(&mut passed, caller, BTreeSet::new).insert(entry.to_owned());
        }
        Verdict::Right
    }

    /// Whether a caller has given the password of one of these entries.
    pub(super) fn has_passed(&self, caller: Caller, entries: &[&str]) -> bool {
        let Ok(passed) = self.passed.lock() else { return false };
        passed.get(&caller).is_some_and(|passed| entries.iter().any(|entry| passed.contains(*entry)))
    }
}

/// Finds or makes what is remembered of one, at the cost of another where there is no room.
fn remember<K: Copy + Eq + std::hash::Hash, V>(all: &mut HashMap<K, V>, who: K, what: impl FnOnce() -> V) -> &mut V {
    if all.len() >= MAX_REMEMBERED && !all.contains_key(&who) {
        let other = all.keys().next().copied();
        other.and_then(|other| all.remove(&other));
    }
    all.entry(who).or_insert_with(what)
}
