//! Where packets are kept as they pass the sockets, and the file that `--trace` writes of them as it happens.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::task::JoinHandle;

use super::events::Events;
use crate::journal::{Computer, Event, Note, wording};
use crate::mac::Mac;
use crate::trace::pcapng::{self, About};
use crate::trace::secret::Mask;
use crate::trace::{Packet, Ring, Way, Whose, words};

/// Packets that may wait for the disk; those beyond are counted in the file.
const WAITING: usize = 16_384;
/// How long packets wait, so that what is said about them a moment later is written with them. What a kill loses.
const PAUSE: Duration = Duration::from_millis(50);
/// Longest file, in bytes. Without data a gigabyte by TFTP is about 200 MB of packets.
const LONGEST: u64 = 512 << 20;
/// How far back a packet is looked for that something is said about.
const NEAR: usize = 64;

/// The packets of running services. Cheap to clone; what is kept stays as long as one of them does.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct State {
    ring: Ring,
    about: About,
    /// What waits for the file, where one is written.
    waiting: Option<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    packets: VecDeque<Packet>,
    /// Packets that found no room since the last one that did.
    dropped: u64,
    ended: bool,
}

impl Trace {
    /// The packets of one computer, and of its address from before it was known.
    pub fn of(&self, mac: Mac, ip: Option<Ipv4Addr>) -> Vec<Packet> {
        self.state().map(|state| state.ring.of(mac, ip)).unwrap_or_default()
    }

    /// All packets that are kept.
    pub fn all(&self) -> Vec<Packet> {
        self.state().map(|state| state.ring.all()).unwrap_or_default()
    }

    /// The packets of a computer, or of all, as Wireshark and as people read them; beside them what these computers did.
    /// Where `anonymous` is set, hardware addresses are told only as far as their maker.
    pub fn written(&self, mac: Option<Mac>, computers: &[Computer], anonymous: bool) -> (Vec<u8>, String) {
        let ip = computers.iter().find(|computer| Some(computer.mac) == mac).and_then(|computer| computer.ip);
        let packets = mac.map_or_else(|| self.all(), |mac| self.of(mac, ip));
        let told = |computer: &Computer| computer.history.iter().filter_map(said).collect::<Vec<_>>();
        let said: Vec<(Timestamp, String)> = computers.iter().flat_map(told).collect();
        if !anonymous {
            return (pcapng::file(&packets, &self.about()), words::file(&packets, &said, &TimeZone::system()));
        }
        let known = self.all().into_iter().filter_map(|packet| packet.mac);
        let mask = Mask::of(known.chain(computers.iter().map(|computer| computer.mac)).chain(mac));
        let packets: Vec<Packet> = packets.iter().map(|packet| mask.packet(packet)).collect();
        let text = mask.text(&words::file(&packets, &said, &TimeZone::system()));
        (pcapng::file(&packets, &self.about()), text)
    }

    /// Where they passed.
    pub fn about(&self) -> About {
        self.state().map(|state| state.about.clone()).unwrap_or_default()
    }

    fn state(&self) -> Option<MutexGuard<'_, State>> {
        self.shared.state.lock().ok()
    }

    pub(super) fn begins(&self, about: About) {
        if let Some(mut state) = self.state() {
            state.about = about;
        }
    }

    /// Keeps a packet: one lock, one copy of some dozen bytes, for it is called for each block that is sent.
    pub(super) fn keep(&self, packet: Packet) {
        let Some(mut state) = self.state() else { return };
        if let Some(waiting) = &mut state.waiting {
            if waiting.packets.len() < WAITING {
                waiting.packets.push_back(packet.clone());
                self.shared.news.notify_one();
            } else {
                waiting.dropped += 1;
            }
        }
        state.ring.keep(whose(&packet), packet);
    }

    /// Puts a sentence beside the newest packet of a computer.
    pub(super) fn say(&self, mac: Option<Mac>, ip: Ipv4Addr, sentence: &str) {
        let Some(mut state) = self.state() else { return };
        let about = mac.map_or(Whose::Address(ip), Whose::Computer);
        state.ring.say(about, sentence);
        let waiting = state.waiting.iter_mut().flat_map(|waiting| waiting.packets.iter_mut().rev().take(NEAR));
        if let Some(packet) = waiting.into_iter().find(|packet| whose(packet) == about) {
            packet.say(sentence);
        }
    }
}

/// An event beside the packets.
fn said(event: &Event) -> Option<(Timestamp, String)> {
    Some((event.time, wording::line(event)?))
}

fn whose(packet: &Packet) -> Whose {
    let other = match packet.way {
        Way::Received => packet.from,
        Way::Sent => packet.to,
    };
    packet.mac.map_or(Whose::Address(*other.ip()), Whose::Computer)
}

/// A file that packets are written to while the services run. Dropping it ends the file.
pub(super) struct Live {
    trace: Trace,
}

impl Live {
    /// Opens the file, and begins it.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn open(path: &Path, about: &About) -> io::Result<File> {
        let mut file = File::create(path)?;
        file.write_all(&pcapng::beginning(about))?;
        Ok(file)
    }

    /// Writes to it from now on. The task ends when this is dropped and everything is written.
    pub(super) fn start(trace: &Trace, file: File, path: PathBuf, events: Events) -> (Live, JoinHandle<()>) {
        if let Some(mut state) = trace.state() {
            state.waiting = Some(Waiting::default());
        }
        let (live, trace) = (Live { trace: trace.clone() }, trace.clone());
        let task = tokio::task::spawn_blocking(move || {
            if let Err(error) = write(&trace, file) {
                events.service(Note::TraceNotWritten { path: path.display().to_string(), reason: error.to_string() });
            }
            if let Some(mut state) = trace.state() {
                state.waiting = None;
            }
        });
        (live, task)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some(waiting) = self.trace.state().as_mut().and_then(|state| state.waiting.as_mut()) {
            waiting.ended = true;
        }
        self.trace.shared.news.notify_one();
    }
}

fn write(trace: &Trace, mut file: File) -> io::Result<()> {
    let about = trace.about();
    let mut written = 0;
    while let Some((packets, dropped)) = next(trace) {
        let mut bytes = Vec::new();
        for (number, packet) in packets.iter().enumerate() {
            bytes.extend(pcapng::packet(packet, &about, if number == 0 { dropped } else { 0 }));
        }
        written += bytes.len() as u64;
        if written > LONGEST {
            return Err(io::Error::other(format!("it has {} MB already", LONGEST >> 20)));
        }
        file.write_all(&bytes)?;
    }
    Ok(())
}

/// Waits for packets; `None` when there will be no more.
fn next(trace: &Trace) -> Option<(VecDeque<Packet>, u64)> {
    let nothing =
        |state: &mut State| state.waiting.as_ref().is_some_and(|waiting| waiting.packets.is_empty() && !waiting.ended);
    drop(trace.shared.news.wait_while(trace.state()?, nothing).ok()?);
    std::thread::sleep(PAUSE);
    let mut state = trace.state()?;
    let waiting = state.waiting.as_mut()?;
    if waiting.packets.is_empty() && waiting.ended {
        return None;
    }
    Some((std::mem::take(&mut waiting.packets), std::mem::take(&mut waiting.dropped)))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddrV4;

    use super::*;

    fn packet(number: u8) -> Packet {
        let (from, to) =
            (SocketAddrV4::new([10, 0, 0, number].into(), 68), SocketAddrV4::new([10, 0, 0, 1].into(), 67));
        Packet::whole(Timestamp::UNIX_EPOCH, Way::Received, (from, to), &[1, 1, 6, number])
    }

    #[test]
    fn what_is_said_a_moment_later_stands_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.pcapng");
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let trace = Trace::default();
        let file = Live::open(&path, &trace.about()).unwrap();
        runtime.block_on(async {
            let (events, _batches) = super::super::events::channel();
            let (live, task) = Live::start(&trace, file, path.clone(), events);
            trace.keep(packet(100));
            trace.keep(packet(101));
            trace.say(None, [10, 0, 0, 100].into(), "is the first");
            drop(live);
            task.await.unwrap();
        });
        let mut first = packet(100);
        first.say("is the first");
        assert_eq!(trace.all(), [first, packet(101)]);
        assert_eq!(std::fs::read(&path).unwrap(), pcapng::file(&trace.all(), &trace.about()));
        trace.keep(packet(102));
        assert!(trace.state().unwrap().waiting.is_none(), "nothing waits for a file that has ended");
    }
}
