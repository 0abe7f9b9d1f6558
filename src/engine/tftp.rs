//! The TFTP driver: one socket that hears requests, and a task with a port of its own for each transfer.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::net::UdpSocket;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinSet};

use super::visit::{self, Missing};
use super::{Error, Services, Trace, double};
use crate::answer::tickets;
use crate::boot::tree::{self, Found, Role};
use crate::journal::{Event, What, wording};
use crate::mac::Mac;
use crate::net::Interface;
use crate::net::socket::{self, Hear};
use crate::text;
use crate::tftp::Note;
use crate::tftp::transfer::{Send, Status, Terms, Transfer, low_bits};
use crate::tftp::wire::{self, Answer, Mode, Opening, Request, error};
use crate::trace::{Packet, Way};

/// Most transfers at once.
const MAX_TRANSFERS: usize = 1024;
/// Most transfers at once of one computer; firmware has one.
const MAX_PER_CLIENT: usize = 256;
/// Most transfers that no acknowledgement was seen of: their addresses may be made up. The oldest goes first, so that
/// abandoned ones never lock anybody out.
const MAX_UNCONFIRMED: usize = 256;
/// How much of a file is read at a time, in bytes.
const READ_AHEAD: usize = 256 << 10;
/// Longest that an answer from port 69 may wait for room in the socket's buffer.
const SEND_WAIT: Duration = Duration::from_millis(20);
/// How often progress is told: enough for a bar that moves smoothly.
const PROGRESS: Duration = Duration::from_millis(250);
/// Longest that one transfer may take. 1 GB at the slowest rate seen (660 kB a second, PXELINUX over an emulated UNDI)
/// needs 26 minutes.
const LONGEST: Duration = Duration::from_secs(4 * 3600);

/// What a computer is told that may not have a file.
const NOT_APPROVED: &str = "this computer is not approved";

/// A running transfer, as the socket that hears requests knows it.
struct Slot {
    request: Vec<u8>,
    started: Instant,
    confirmed: Arc<AtomicBool>,
    repeat: Arc<Notify>,
    task: AbortHandle,
}

pub(super) async fn run(services: Services, interface: Interface, socket: UdpSocket) -> Result<(), Error> {
    let mut transfers: HashMap<SocketAddrV4, Slot> = HashMap::new();
    let mut tasks: JoinSet<(SocketAddrV4, Instant)> = JoinSet::new();
    let mut packet = [0u8; wire::MAX_REQUEST + 1];
    loop {
        let received = tokio::select! {
            received = socket.recv_from(&mut packet) => received,
            Some(ended) = tasks.join_next() => {
                // A newer transfer from the same port has its own start.
                if let Ok((client, started)) = ended
                    && transfers.get(&client).is_some_and(|slot| slot.started == started)
                {
                    transfers.remove(&client);
                }
                continue;
            }
        };
        let (length, from) = match received {
            Ok((length, SocketAddr::V4(from))) => (length, from),
            Ok(_) => continue,
            // An ICMP message for an earlier answer, or an oversized packet on Windows: neither ends the service.
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(1)).await;
                continue;
            }
        };
        // Answers go inside the served network only: nobody else is to be hit through us (SECURITY S13).
        if !services.admits(*from.ip()) {
            continue;
        }
        let bytes = packet.get(..length).unwrap_or_default();
        let line = Line::of(&services, &socket, from);
        let opening = wire::opening(bytes);
        let rehearsed = match &opening {
            Opening::Read(request) => rehearsal(&services, request),
            _ => None,
        };
        // What a made-up computer does leaves no trace.
        if rehearsed.is_none() {
            line.received(bytes);
        }
        let request = match opening {
            Opening::Read(request) => request,
            Opening::Write => {
                refuse(&services, &socket, from, "a write", error::REFUSED, "files are only read here").await;
                continue;
            }
            Opening::Illegal => {
                let answer = wire::error(error::ILLEGAL, "illegal request");
                line.sent(&answer);
                let _ = tokio::time::timeout(SEND_WAIT, socket.send_to(&answer, from)).await;
                continue;
            }
            Opening::Stray => continue,
        };
        transfers.retain(|_, slot| !slot.task.is_finished());
        if let Some(running) = transfers.get(&from) {
            let same = running.request == bytes && !running.confirmed.load(Ordering::Relaxed);
            if same {
                running.repeat.notify_one();
                continue;
            }
            // A new request from the port of an abandoned transfer.
            running.task.abort();
            transfers.remove(&from);
        }
        if !make_room(&mut transfers, from) {
            refuse(&services, &socket, from, &request.file, error::OTHER, "too many transfers").await;
            continue;
        }
        let objection = match request.mode {
            Mode::Octet => None,
            Mode::Netascii => Some((error::OTHER, "only octet (binary) mode is served")),
            Mode::Unknown => Some((error::ILLEGAL, "unknown transfer mode")),
        };
        if let Some((code, text)) = objection {
            refuse(&services, &socket, from, &request.file, code, text).await;
            continue;
        }
        let own = match socket::udp(&interface, *services.doubles.at().tftp.ip(), 0, Hear::One) {
            Ok(own) => own,
            Err(_) => {
                refuse(&services, &socket, from, &request.file, error::OTHER, "no port is free").await;
                continue;
            }
        };
        let started = Instant::now();
        let (confirmed, repeat) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let (services, computer) = rehearsed.unwrap_or_else(|| (services.clone(), *from.ip()));
        let session = Session {
            open: AtomicBool::new(false),
            line: Line::of(&services, &own, from),
            services,
            computer,
            socket: own,
            client: from,
            confirmed: Arc::clone(&confirmed),
            repeat: Arc::clone(&repeat),
            file: text::plain(&tickets::shown(&request.file), 300),
            name: request.file.clone(),
        };
        let task = tasks.spawn(async move {
            session.run(request).await;
            (from, started)
        });
        transfers.insert(from, Slot { request: bytes.to_vec(), started, confirmed, repeat, task });
    }
}

async fn refuse(services: &Services, socket: &UdpSocket, to: SocketAddrV4, file: &str, code: u16, text: &str) {
    let (answer, line) = (wire::error(code, text), Line::of(services, socket, to));
    line.sent(&answer);
    // Waiting for room in the buffer would keep everybody waiting; the client asks again.
    let _ = tokio::time::timeout(SEND_WAIT, socket.send_to(&answer, to)).await;
    let note = Note::Refused { file: text::plain(&tickets::shown(file), 300), reason: text.to_owned() };
    let (mac, what) = (services.whois.mac(*to.ip()), What::Tftp(note));
    line.say(None, &what);
    services.events.tell(mac, Some(*to.ip()), None, what);
}

/// The double that a request is for, and the address of its made-up computer.
fn rehearsal(services: &Services, request: &Request) -> Option<(Services, Ipv4Addr)> {
    let (_, token) = request.options.iter().find(|(name, _)| name == double::TOKEN)?;
    let double = services.doubles.services(token)?;
    let address = double.double?;
    Some((double, address))
}

/// Makes room for one more transfer, at the cost of the oldest unconfirmed one where need be.
fn make_room(transfers: &mut HashMap<SocketAddrV4, Slot>, from: SocketAddrV4) -> bool {
    let unconfirmed = |slot: &Slot| !slot.confirmed.load(Ordering::Relaxed);
    let oldest = |transfers: &HashMap<SocketAddrV4, Slot>, of: Option<SocketAddrV4>| {
        let mine = |client: &SocketAddrV4| of.is_none_or(|of| of.ip() == client.ip());
        let candidates = transfers.iter().filter(|(client, slot)| unconfirmed(slot) && mine(client));
        candidates.min_by_key(|(_, slot)| slot.started).map(|(&client, _)| client)
    };
    let per_client = transfers.keys().filter(|client| client.ip() == from.ip()).count();
    let all_unconfirmed = transfers.values().filter(|slot| unconfirmed(slot)).count();
    let victim = match () {
        () if per_client >= MAX_PER_CLIENT => oldest(transfers, Some(from)),
        () if transfers.len() >= MAX_TRANSFERS || all_unconfirmed >= MAX_UNCONFIRMED => oldest(transfers, None),
        () => return true,
    };
    match victim.and_then(|client| transfers.remove(&client)) {
        Some(slot) => {
            slot.task.abort();
            true
        }
        None => false,
    }
}

/// What passes between a socket of ours and a computer, for the trace.
struct Line {
    trace: Trace,
    mac: Option<Mac>,
    own: SocketAddrV4,
    client: SocketAddrV4,
}

impl Line {
    fn of(services: &Services, socket: &UdpSocket, client: SocketAddrV4) -> Line {
        let port = socket.local_addr().map_or(0, |address| address.port());
        let own = SocketAddrV4::new(services.plan.network.addr(), port);
        Line { trace: services.trace.clone(), mac: services.whois.mac(*client.ip()), own, client }
    }

    fn received(&self, bytes: &[u8]) {
        let packet = Packet::whole(Timestamp::now(), Way::Received, (self.client, self.own), bytes);
        self.trace.keep(Packet { mac: self.mac, ..packet });
    }

    fn sent(&self, bytes: &[u8]) {
        let packet = Packet::whole(Timestamp::now(), Way::Sent, (self.own, self.client), bytes);
        self.trace.keep(Packet { mac: self.mac, ..packet });
    }

    fn sent_block(&self, bytes: &[u8], role: Role) {
        let packet = Packet::block(Timestamp::now(), (self.own, self.client), bytes, role);
        self.trace.keep(Packet { mac: self.mac, ..packet });
    }

    /// Puts a note beside the newest packet.
    fn say(&self, role: Option<Role>, what: &What) {
        let ip = *self.client.ip();
        let event = Event { time: Timestamp::now(), mac: self.mac, ip: Some(ip), role, what: what.clone() };
        if let Some(words) = wording::words(&event) {
            self.trace.say(self.mac, ip, &words);
        }
    }
}

/// One transfer's task. Dropped in the middle, for a newer request or for want of room, it says so.
struct Session {
    /// Whether the log has its beginning and not its end.
    open: AtomicBool,
    services: Services,
    /// The address of the computer that it is for.
    computer: Ipv4Addr,
    line: Line,
    socket: UdpSocket,
    /// Where the packets go.
    client: SocketAddrV4,
    confirmed: Arc<AtomicBool>,
    repeat: Arc<Notify>,
    /// The file as it is told.
    file: String,
    /// The file as it was asked for.
    name: String,
}

impl Session {
    fn tell(&self, role: Option<Role>, note: Note) {
        let open = matches!(note, Note::Started { .. } | Note::Progress { .. } | Note::Stalled { answered: true, .. });
        self.open.store(open, Ordering::Relaxed);
        let (ip, what) = (self.computer, What::Tftp(note));
        self.line.say(role, &what);
        self.services.tell(self.services.whois.mac(ip), ip, role, what);
    }

    async fn run(self, request: Request) {
        let (services, name, client) = (self.services.clone(), request.file.clone(), self.computer);
        let find = move || {
            let path = tree::path_of_name(&name).ok_or(Missing::NotHere)?;
            visit::find(&services, &path, &visit::introduce_by_tftp(&services, client, &path), false)
        };
        let found = match tokio::task::spawn_blocking(find).await.unwrap_or(Err(Missing::NotHere)) {
            Ok(found) => found,
            Err(missing @ (Missing::NotApproved | Missing::NoPassword)) => {
                let reason = match missing {
                    Missing::NoPassword => "this computer has not given the password",
                    _ => NOT_APPROVED,
                };
                self.send_packet(&wire::error(error::REFUSED, reason)).await;
                return self.tell(None, Note::Refused { file: self.file.clone(), reason: reason.to_owned() });
            }
            Err(Missing::NotHere) => {
                // At once: silence would cost the client seconds for each of the files that it only hopes for.
                self.send_packet(&wire::error(error::NOT_FOUND, "file not found")).await;
                return self.tell(None, Note::NotFound { file: self.file.clone() });
            }
        };
        let role = Some(found.role);
        let (size, file) = (found.meta.size, self.file.clone());
        let terms = Terms::negotiate(&request.options, size, self.services.mtu);
        let (block_size, window) = (terms.block_size, terms.window);
        let started = Instant::now();
        let (transfer, opening) = Transfer::start(terms, size, started);
        match self.transfer(transfer, opening, found, (block_size, window)).await {
            Ok(End::Done { resent }) => {
                let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                self.tell(role, Note::Done { file, bytes: size, millis, resent });
            }
            Ok(End::Aborted { bytes: 0, code: error::OPTIONS, .. }) => self.tell(role, Note::SizeAsked { file, size }),
            Ok(End::Aborted { bytes, code, text: words }) => {
                self.tell(role, Note::Aborted { file, bytes, code, words });
            }
            Ok(End::Refused { reason }) => self.tell(None, Note::Refused { file, reason: reason.to_owned() }),
            Ok(End::TimedOut { bytes }) => self.tell(role, Note::TimedOut { file, bytes, size }),
            Err(problem) => {
                self.send_packet(&wire::error(error::OTHER, "the file cannot be read")).await;
                self.tell(role, Note::ReadFailed { file, reason: problem.to_string() });
            }
        }
    }

    async fn transfer(
        &self,
        mut transfer: Transfer,
        opening: Send,
        found: Found,
        (block_size, window): (u16, u16),
    ) -> io::Result<End> {
        let (role, size, file) = (Some(found.role), found.meta.size, self.file.clone());
        let mut blocks = Blocks { found: Arc::new(found), at: 0, ahead: Vec::new() };
        let (mut told, mut told_bytes) = (Instant::now(), 0);
        let overall = told + LONGEST;
        let mut stalled = false;
        self.send(&transfer, &mut blocks, opening).await?;
        let mut packet = [0u8; 1024];
        loop {
            let next = tokio::select! {
                received = self.socket.recv_from(&mut packet) => {
                    let Ok((length, SocketAddr::V4(from))) = received else { continue };
                    if from != self.client {
                        // A stranger, told so, changes nothing (RFC 1350 section 4).
                        let text = wire::error(error::UNKNOWN_TRANSFER, "unknown transfer");
                        if self.services.admits(*from.ip()) {
                            let _ = self.socket.send_to(&text, from).await;
                        }
                        continue;
                    }
                    let bytes = packet.get(..length).unwrap_or_default();
                    self.line.received(bytes);
                    match wire::answer(bytes) {
                        Answer::Ack(block) => transfer.acknowledge(Instant::now(), block),
                        Answer::Error { code, text } => {
                            return Ok(End::Aborted { bytes: transfer.acknowledged(), code, text });
                        }
                        Answer::Other => continue,
                    }
                }
                () = tokio::time::sleep_until(transfer.deadline().into()) => transfer.expire(Instant::now()),
                () = self.repeat.notified() => transfer.repeat_opening(),
            };
            if transfer.confirmed() && !self.confirmed.load(Ordering::Relaxed) && !self.may_go_on().await {
                let reason = NOT_APPROVED;
                self.send_packet(&wire::error(error::REFUSED, reason)).await;
                return Ok(End::Refused { reason });
            }
            if transfer.confirmed() && !self.confirmed.swap(true, Ordering::Relaxed) {
                self.tell(role, Note::Started { file: file.clone(), size, block_size, window });
            }
            if transfer.is_stalled() && !stalled {
                let (bytes, answered) = (transfer.acknowledged(), transfer.confirmed());
                self.tell(role, Note::Stalled { file: file.clone(), bytes, size, block_size, answered });
            }
            stalled = transfer.is_stalled();
            match transfer.status() {
                Status::Done => return Ok(End::Done { resent: transfer.repeated_packets() }),
                Status::TimedOut => return Ok(End::TimedOut { bytes: transfer.acknowledged() }),
                Status::Running if Instant::now() > overall => {
                    return Ok(End::TimedOut { bytes: transfer.acknowledged() });
                }
                Status::Running => {}
            }
            if let Some(send) = next {
                self.send(&transfer, &mut blocks, send).await?;
            }
            // What we repeat into silence is no progress.
            if transfer.acknowledged() > told_bytes && told.elapsed() >= PROGRESS {
                (told, told_bytes) = (Instant::now(), transfer.acknowledged());
                self.tell(role, Note::Progress { file: file.clone(), bytes: told_bytes, size });
            }
        }
    }

    /// Whether the computer may still have the file, now that the system knows who it is: a first datagram may come before
    /// the neighbour table has its sender (one that never asked for our hardware address), and our answer to it made the
    /// system ask. What went out until then is the confirmation of options, or one block.
    async fn may_go_on(&self) -> bool {
        if self.services.gate.is_open() {
            return true;
        }
        let (services, ip, file) = (self.services.clone(), self.computer, self.name.clone());
        tokio::task::spawn_blocking(move || visit::may_have(&services, &file, ip)).await.unwrap_or(false)
    }

    async fn send_packet(&self, packet: &[u8]) {
        self.line.sent(packet);
        let _ = self.socket.send_to(packet, self.client).await;
    }

    /// A packet that the network does not take is as good as lost on the way; the machine repeats it.
    async fn send(&self, transfer: &Transfer, blocks: &mut Blocks, send: Send) -> io::Result<()> {
        match send {
            Send::Oack(packet) => self.send_packet(&packet).await,
            Send::Blocks(range) => {
                for block in range {
                    let (offset, length) = transfer.extent(block);
                    let mut packet = wire::data_header(low_bits(block)).to_vec();
                    packet.extend_from_slice(blocks.bytes(offset, length).await?);
                    self.line.sent_block(&packet, blocks.found.role);
                    let _ = self.socket.send_to(&packet, self.client).await;
                }
            }
        }
        Ok(())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.open.load(Ordering::Relaxed) {
            self.tell(None, Note::Replaced { file: self.file.clone() });
        }
    }
}

enum End {
    Done { resent: u64 },
    Aborted { bytes: u64, code: u16, text: String },
    Refused { reason: &'static str },
    TimedOut { bytes: u64 },
}

/// A file's bytes, read ahead so that not each block waits for the disk.
struct Blocks {
    found: Arc<Found>,
    at: u64,
    ahead: Vec<u8>,
}

impl Blocks {
    async fn bytes(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        let held = offset >= self.at && offset + length as u64 <= self.at + self.ahead.len() as u64;
        if !held && length > 0 {
            let left = self.found.meta.size.saturating_sub(offset);
            let want = usize::try_from(left).unwrap_or(usize::MAX).min(READ_AHEAD.max(length));
            let (found, mut buffer) = (Arc::clone(&self.found), std::mem::take(&mut self.ahead));
            let read = tokio::task::spawn_blocking(move || {
                buffer.resize(want, 0);
                found.read_at(offset, &mut buffer).map(|()| buffer)
            });
            self.ahead = read.await.map_err(io::Error::other)??;
            self.at = offset;
        }
        let from = usize::try_from(offset.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let to = from.saturating_add(length);
        if length == 0 { Ok(&[]) } else { self.ahead.get(from..to).ok_or_else(|| io::ErrorKind::UnexpectedEof.into()) }
    }
}
