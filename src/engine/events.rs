//! Events on their way to the reader, and which computer has which address.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Update;
use super::jobs::Writer;
use crate::boot::tree::Role;
use crate::journal::job::{Job, Sheet};
use crate::journal::{Event, Note, What};
use crate::mac::Mac;

/// Events that wait for the reader; those beyond are counted only.
const WAITING: usize = 8192;
/// How often a batch leaves.
const BATCH: Duration = Duration::from_millis(100);
/// Most events a second from one computer; more are noise, and would push out those of the others (SECURITY S17). A
/// boot has about fifty in a minute, an installer that fetches packages some dozens a second.
const PER_SECOND: u32 = 200;
/// How often it is looked which computers went silent.
const LOOK: Duration = Duration::from_secs(5);
/// Most computers that are counted at once.
const MAX_COUNTED: usize = 4096;
/// Most addresses that are remembered.
const MAX_KNOWN: usize = 65_536;

/// Where services tell what happened. Never waits.
#[derive(Clone, Debug)]
pub(super) struct Events {
    sender: mpsc::Sender<Event>,
    dropped: Arc<AtomicU64>,
    second: Arc<Mutex<Second>>,
}

/// How many events came from whom in this second.
#[derive(Debug)]
struct Second {
    began: Instant,
    counts: HashMap<(Option<Mac>, Option<Ipv4Addr>), u32>,
}

impl Second {
    /// Counts an event; `false` if its source has had enough for now.
    fn count(&mut self, source: (Option<Mac>, Option<Ipv4Addr>), now: Instant) -> bool {
        if now.duration_since(self.began) >= Duration::from_secs(1) || self.counts.len() >= MAX_COUNTED {
            *self = Second { began: now, counts: HashMap::new() };
        }
        let count = self.counts.entry(source).or_default();
        *count += 1;
        *count <= PER_SECOND
    }
}

/// The other end of [`Events`].
#[derive(Debug)]
pub(super) struct Batches {
    receiver: mpsc::Receiver<Event>,
    dropped: Arc<AtomicU64>,
}

pub(super) fn channel() -> (Events, Batches) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let dropped = Arc::new(AtomicU64::new(0));
    let second = Arc::new(Mutex::new(Second { began: Instant::now(), counts: HashMap::new() }));
    (Events { sender, dropped: Arc::clone(&dropped), second }, Batches { receiver, dropped })
}

impl Events {
    /// One whose words nobody hears.
    pub(super) fn muted() -> Events {
        channel().0
    }

    pub(super) fn tell(&self, mac: Option<Mac>, ip: Option<Ipv4Addr>, role: Option<Role>, what: What) {
        // What concerns the services themselves is always told.
        let from_a_computer = mac.is_some() || ip.is_some() || matches!(what, What::Dhcp(_));
        let counted = || self.second.lock().is_ok_and(|mut second| second.count((mac, ip), Instant::now()));
        let event = Event { time: Timestamp::now(), mac, ip, role, what };
        if (from_a_computer && !counted()) || self.sender.try_send(event).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn service(&self, note: Note) {
        self.tell(None, None, None, What::Service(note));
    }
}

/// What is written down of events before anybody reads them.
#[derive(Debug)]
pub(super) struct Record {
    /// The computers, and their jobs.
    pub(super) sheet: Arc<Mutex<Sheet>>,
    /// Where jobs are written, where that is wanted.
    pub(super) writer: Option<Writer>,
}

impl Record {
    fn write(&self, jobs: impl FnOnce(&mut Sheet) -> Vec<Job>) {
        let Ok(mut sheet) = self.sheet.lock() else { return };
        let jobs = jobs(&mut sheet);
        jobs.into_iter().for_each(|job| self.writer.iter().for_each(|writer| writer.write(job.clone())));
    }

    /// Ends every job, and waits until it is on the disk.
    async fn finish(self) {
        self.write(|sheet| sheet.stop(Timestamp::now()));
        if let Some(writer) = self.writer {
            writer.finish().await;
        }
    }
}

/// Sends what happened to the reader, a batch at a time. Ends when the reader is gone, or all who could tell more.
pub(super) async fn forward(batches: Batches, updates: mpsc::Sender<Update>, record: Record) {
    tell_all(batches, updates, &record).await;
    record.finish().await;
}

async fn tell_all(mut batches: Batches, updates: mpsc::Sender<Update>, record: &Record) {
    let mut batch = Vec::new();
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            count = batches.receiver.recv_many(&mut batch, WAITING) => if count == 0 { return },
            _ = look.tick() => record.write(|sheet| sheet.tick(Timestamp::now())),
        }
        record.write(|sheet| batch.iter().flat_map(|event| sheet.hear(event)).collect());
        if let Some(note) = record.writer.as_ref().and_then(Writer::trouble) {
            let what = What::Service(note);
            batch.push(Event { time: Timestamp::now(), mac: None, ip: None, role: None, what });
        }
        if batch.is_empty() {
            continue;
        }
        let dropped = batches.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let what = What::Service(Note::Dropped { count: dropped });
            batch.push(Event { time: Timestamp::now(), mac: None, ip: None, role: None, what });
        }
        let next = Instant::now() + BATCH;
        if updates.send(Update::Events(std::mem::take(&mut batch))).await.is_err() {
            return;
        }
        tokio::time::sleep_until(next).await;
    }
}

/// Which computer has which address: learnt from DHCP, and from iPXE's request for its menu, which may say anything.
#[derive(Clone, Debug, Default)]
pub(super) struct Whois(Arc<RwLock<HashMap<Ipv4Addr, Known>>>);

/// Whose an address is.
#[derive(Clone, Copy, Debug)]
struct Known {
    mac: Mac,
    /// By DHCP, and not by a computer's own word.
    leased: bool,
}

impl Whois {
    /// A computer says of itself that it has this address. What DHCP said of that one goes before.
    pub(super) fn learn(&self, address: Ipv4Addr, mac: Mac) {
        self.put(address, Known { mac, leased: false });
    }

    /// DHCP gave a computer this address, or saw it take the address.
    pub(super) fn lease(&self, address: Ipv4Addr, mac: Mac) {
        self.put(address, Known { mac, leased: true });
    }

    fn put(&self, address: Ipv4Addr, known: Known) {
        let Ok(mut all) = self.0.write() else { return };
        // Whoever makes up that many loses names for all; nobody gets more than before by it.
        if all.len() >= MAX_KNOWN && !all.contains_key(&address) {
            all.clear();
        }
        match all.get_mut(&address) {
            Some(other) if other.leased && !known.leased => {}
            Some(other) => *other = known,
            None => drop(all.insert(address, known)),
        }
    }

    /// The computer that has an address.
    pub(super) fn mac(&self, address: Ipv4Addr) -> Option<Mac> {
        Some(self.0.read().ok()?.get(&address)?.mac)
    }

    /// The same, where DHCP says so.
    pub(super) fn leased(&self, address: Ipv4Addr) -> Option<Mac> {
        self.0.read().ok()?.get(&address).filter(|known| known.leased).map(|known| known.mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_noisy_computer_does_not_push_out_the_others() {
        let now = Instant::now();
        let mut second = Second { began: now, counts: HashMap::new() };
        let source = |last: u8| (None, Some(Ipv4Addr::new(10, 0, 0, last)));
        let told = (0..1000).filter(|_| second.count(source(1), now)).count();
        assert_eq!(told, PER_SECOND as usize);
        assert!(second.count(source(2), now));
        assert!(second.count(source(1), now + Duration::from_secs(1)));
    }
}
