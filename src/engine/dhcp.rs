//! The DHCP driver: two sockets, ARP, and the machines.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::net::UdpSocket;
use tokio::sync::mpsc as mpsc_async;
use tokio::task::JoinHandle;

use super::bind::{Dhcp, Full};
use super::double::{Machines, Wanted};
use super::events::Events;
use super::guard::{Foreign, Guard, Word};
use super::{Error, Services, kept};
use crate::dhcp::lease::Record;
use crate::dhcp::{Guests, Note, Outputs, Question};
use crate::journal::{self, Event, What, wording};
use crate::mac::Mac;
use crate::net::platform::ArpSocket;
use crate::net::vendor;
use crate::trace::{Packet, Way};

/// Longest that an answer may wait for room in the socket's buffer.
const SEND_WAIT: Duration = Duration::from_millis(20);
/// Largest UDP payload that is read, in bytes; no DHCP client sends more than one Ethernet packet.
const LARGEST: usize = 2048;

pub(super) async fn run(
    services: Services,
    dhcp: Dhcp,
    saver: Option<Saver>,
    mut doubles: mpsc_async::UnboundedReceiver<Wanted>,
) -> Result<(), Error> {
    let Dhcp { socket, pxe, mut proxy, mut full } = dhcp;
    let policy = Arc::clone(&services.rungs);
    let mut guests = services.gate.guests();
    if let Some(aside) = full.as_ref().and_then(|full| full.set_aside.as_ref()) {
        services.events.service(journal::Note::LeasesSetAside { path: aside.display().to_string() });
    }
    if let Some(full) = &mut full {
        let ahead = full.server.tick(Instant::now(), &policy);
        carry_out(&services, &socket, ahead, Some(full), None).await;
    }
    let (mut packet, mut pxe_packet) = ([0u8; LARGEST], [0u8; LARGEST]);
    loop {
        let deadline = full.as_ref().and_then(|full| full.server.deadline());
        let (arp, guard) = full.as_mut().map(|full| (full.arp.as_ref(), full.guard.as_mut())).unzip();
        let happened = tokio::select! {
            received = socket.recv_from(&mut packet) => packet_from(received, Happened::Packet),
            received = pxe.recv_from(&mut pxe_packet) => packet_from(received, Happened::PxePacket),
            word = guarded(guard.flatten()) => Happened::Guard(word),
            heard = heard(arp.flatten()) => heard.map_or(Happened::Nothing, |(address, mac)| Happened::Arp(address, mac)),
            () = sleep_until(deadline) => Happened::Deadline,
            Some(wanted) = doubles.recv() => {
                let full = full.as_ref().map(|full| full.server.double());
                // Whoever asked may be gone.
                let _ = wanted.send(Machines { proxy: proxy.double(), full });
                continue;
            }
            Ok(()) = guests.changed() => Happened::Guests(guests.borrow_and_update().clone()),
        };
        let now = Instant::now();
        let heard = match happened {
            Happened::Packet(length, from) => Some(traced(&services, &socket, from, packet.get(..length))),
            Happened::PxePacket(length, from) => Some(traced(&services, &pxe, from, pxe_packet.get(..length))),
            _ => None,
        };
        let (answer_on, outputs) = match (happened, &mut full) {
            (Happened::Packet(length, from), Some(full)) => {
                (&socket, full.server.handle(now, packet.get(..length).unwrap_or_default(), from, &policy))
            }
            (Happened::Packet(length, _), None) => {
                (&socket, proxy.handle(packet.get(..length).unwrap_or_default(), &policy))
            }
            (Happened::PxePacket(length, from), _) => {
                (&pxe, proxy.handle_boot_server(pxe_packet.get(..length).unwrap_or_default(), from, &policy))
            }
            (Happened::Arp(address, mac), Some(full)) => (&socket, full.server.heard(now, address, mac)),
            (Happened::Guard(Word::Foreign(Foreign { server, mac })), Some(full)) => {
                (&socket, full.server.foreign(server, mac))
            }
            (Happened::Guard(Word::Ended), Some(full)) => {
                full.guard = None;
                services.events.service(journal::Note::GuardEnded);
                continue;
            }
            (Happened::Deadline, Some(full)) => (&socket, full.server.tick(now, &policy)),
            (Happened::Guests(guests), full) => {
                full.iter_mut().for_each(|full| full.server.welcome(guests.clone()));
                proxy.welcome(guests);
                continue;
            }
            // An ICMP message for an earlier answer, or a link that is down: neither ends the service.
            _ => {
                tokio::time::sleep(Duration::from_millis(1)).await;
                continue;
            }
        };
        let save = outputs.leases_changed;
        carry_out(&services, answer_on, outputs, full.as_ref(), heard).await;
        if let (true, Some(full), Some(saver)) = (save, &full, &saver) {
            saver.save(full.server.records(Instant::now(), SystemTime::now()));
        }
    }
}

/// What the driver waits for.
enum Happened {
    Packet(usize, SocketAddrV4),
    PxePacket(usize, SocketAddrV4),
    Arp(Ipv4Addr, Mac),
    Guard(Word),
    Deadline,
    Guests(Guests),
    Nothing,
}

fn packet_from(
    received: io::Result<(usize, SocketAddr)>,
    happened: impl FnOnce(usize, SocketAddrV4) -> Happened,
) -> Happened {
    match received {
        Ok((length, SocketAddr::V4(from))) => happened(length, from),
        _ => Happened::Nothing,
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

/// The next word of the guard; never, where there is none.
async fn guarded(guard: Option<&mut Guard>) -> Word {
    match guard {
        Some(guard) => guard.heard().await,
        None => std::future::pending().await,
    }
}

/// The next ARP packet of another machine; never, where ARP is not heard.
async fn heard(arp: Option<&ArpSocket>) -> Option<(Ipv4Addr, Mac)> {
    match arp {
        Some(arp) => arp.heard().await.ok(),
        None => std::future::pending().await,
    }
}

/// A packet that came, for the trace. Its sender may have had no address and asked everybody.
fn traced(services: &Services, socket: &UdpSocket, from: SocketAddrV4, bytes: Option<&[u8]>) -> Packet {
    let own = own_address(services, socket);
    let to = if from.ip().is_unspecified() { SocketAddrV4::new(Ipv4Addr::BROADCAST, own.port()) } else { own };
    let packet = Packet::whole(Timestamp::now(), Way::Received, (from, to), bytes.unwrap_or_default());
    Packet { mac: sender(&packet.payload), ..packet }
}

/// The computer that a message says it is from (RFC 2131 section 2), as far as it can be told.
fn sender(payload: &[u8]) -> Option<Mac> {
    let octets = payload.get(28..34)?.try_into().ok()?;
    (payload.get(2) == Some(&6)).then_some(Mac(octets))
}

fn own_address(services: &Services, socket: &UdpSocket) -> SocketAddrV4 {
    let port = socket.local_addr().map_or(0, |address| address.port());
    SocketAddrV4::new(services.plan.network.addr(), port)
}

/// Sends first, tells afterwards: no computer waits for the log.
async fn carry_out(
    services: &Services,
    socket: &UdpSocket,
    outputs: Outputs,
    full: Option<&Full>,
    heard: Option<Packet>,
) {
    let mut trouble = None;
    let mut passed: Vec<Packet> = heard.into_iter().collect();
    for transmit in &outputs.send {
        let between = (own_address(services, socket), transmit.to);
        let sent = Packet::whole(Timestamp::now(), Way::Sent, between, &transmit.bytes);
        passed.push(Packet { mac: sender(&sent.payload), ..sent });
        // Packets to made-up addresses wait for ARP and may fill the socket's buffer; nobody else is to wait for them.
        let sent = tokio::time::timeout(SEND_WAIT, socket.send_to(&transmit.bytes, transmit.to)).await;
        if let Ok(Err(error)) = sent {
            trouble = Some((*transmit.to.ip(), error));
        }
    }
    for address in outputs.probe {
        // A probe that cannot be sent (the cable is out) counts as unanswered.
        let _ = full.and_then(|full| full.arp.as_ref()).map(|arp| arp.ask(address));
    }
    for (mac, note) in outputs.notes {
        if let Some((mac, address)) = mac.zip(held(&note, full.is_none()))
            && services.plan.network.contains(&address)
        {
            services.whois.lease(address, mac);
        }
        // What was asked stands beside the question, and everything else beside the answer, where there is one.
        let asked = matches!(note, Note::Asked { .. });
        let event = Event { time: Timestamp::now(), mac, ip: None, role: None, what: What::Dhcp(note) };
        let beside = if asked { passed.first_mut() } else { passed.last_mut() };
        if let Some((packet, words)) = beside.zip(wording::words(&event)) {
            packet.say(&words);
        }
        match event.what {
            What::Dhcp(Note::ForeignServer { server, mac: Some(card), .. }) => tell_foreign(services, server, card),
            what => services.events.tell(mac, None, None, what),
        }
    }
    passed.into_iter().for_each(|packet| services.trace.keep(packet));
    for (mac, note) in services.rungs.untold() {
        services.events.tell(Some(mac), None, None, What::Service(note));
    }
    if let Some((to, error)) = trouble {
        services.events.service(journal::Note::NotSent { to, reason: error.to_string() });
    }
}

/// Tells of another server and who made its card, which says where to look. The list of makers is read in the
/// background: computers are not to wait for it.
fn tell_foreign(services: &Services, server: Ipv4Addr, card: Mac) {
    let events = services.events.clone();
    tokio::task::spawn_blocking(move || {
        let maker = vendor::of([card]).remove(&card);
        events.tell(None, None, None, What::Dhcp(Note::ForeignServer { server, mac: Some(card), maker }));
    });
}

/// The address that a computer has, as far as a note tells: granted by us, or, where another server gives the
/// addresses, the one that it takes from there or asks port 4011 from.
fn held(note: &Note, beside: bool) -> Option<Ipv4Addr> {
    match note {
        Note::Granted { address, .. } => *address,
        Note::Asked { address, question: Question::Select | Question::BootServer, .. } if beside => *address,
        _ => None,
    }
}

/// What is kept of the leases.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Leases {
    pub(super) leases: Vec<Record>,
}

/// Writes leases in the background, always the newest.
pub(super) struct Saver(mpsc::Sender<Vec<Record>>);

impl Saver {
    /// Its task ends when the saver is dropped and the last leases are on disk.
    pub(super) fn start(events: Events, path: PathBuf) -> (Saver, JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel::<Vec<Record>>();
        let task = tokio::task::spawn_blocking(move || {
            while let Ok(mut newest) = receiver.recv() {
                while let Ok(newer) = receiver.try_recv() {
                    newest = newer;
                }
                if let Err(error) = kept::save(&path, &Leases { leases: newest }) {
                    let path = path.display().to_string();
                    events.service(journal::Note::LeasesNotSaved { path, reason: error.to_string() });
                }
            }
        });
        (Saver(sender), task)
    }

    fn save(&self, records: Vec<Record>) {
        // The thread ends only after this sender.
        let _ = self.0.send(records);
    }
}
