//! The DHCP driver: two sockets, ARP, and the machines.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Instant, SystemTime};

use tokio::net::UdpSocket;
use tokio::sync::watch;

use super::bind::{Dhcp, Full};
use super::{Error, Services, leases};
use crate::boot::Offer;
use crate::dhcp::lease::Record;
use crate::dhcp::{Note, Outputs, Question};
use crate::journal::{self, What};
use crate::mac::Mac;

/// Largest UDP payload that is read, in bytes; no DHCP client sends more than one Ethernet packet.
const LARGEST: usize = 2048;

pub(super) async fn run(services: Services, dhcp: Dhcp, offer: Offer) -> Result<(), Error> {
    let Dhcp { socket, pxe, proxy, mut full } = dhcp;
    if let Some(aside) = full.as_ref().and_then(|full| full.set_aside.as_ref()) {
        let text =
            format!("The lease file could not be understood; it was kept as {} and a new one begun.", aside.display());
        services.events.service(journal::Note::Warning { text });
    }
    let saver = full.as_ref().map(|full| Saver::start(&services, full.lease_file.clone()));
    if let Some(full) = &mut full {
        let ahead = full.server.tick(Instant::now(), &offer);
        carry_out(&services, &socket, ahead, full.arp.as_ref()).await;
    }
    let (mut packet, mut pxe_packet) = ([0u8; LARGEST], [0u8; LARGEST]);
    loop {
        let deadline = full.as_ref().and_then(|full| full.server.deadline());
        let (answer_on, outputs) = tokio::select! {
            // A receive error (an ICMP message for an earlier answer) ends nothing.
            Ok((length, SocketAddr::V4(from))) = socket.recv_from(&mut packet) => {
                let bytes = packet.get(..length).unwrap_or_default();
                let outputs = match &mut full {
                    Some(full) => full.server.handle(Instant::now(), bytes, from, &offer),
                    None => proxy.handle(bytes, &offer),
                };
                (&socket, outputs)
            }
            Ok((length, SocketAddr::V4(from))) = pxe.recv_from(&mut pxe_packet) => {
                (&pxe, proxy.handle_boot_server(pxe_packet.get(..length).unwrap_or_default(), from, &offer))
            }
            Some((address, mac)) = heard(full.as_ref()) => {
                match &mut full {
                    Some(full) => (&socket, full.server.heard(Instant::now(), address, mac)),
                    None => continue,
                }
            }
            () = sleep_until(deadline) => match &mut full {
                Some(full) => (&socket, full.server.tick(Instant::now(), &offer)),
                None => continue,
            },
            else => {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        let save = outputs.leases_changed;
        carry_out(&services, answer_on, outputs, full.as_ref().and_then(|full| full.arp.as_ref())).await;
        if let (true, Some(full), Some(saver)) = (save, &full, &saver) {
            saver.save(full.server.records(Instant::now(), SystemTime::now()));
        }
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}

/// The next ARP packet of another machine; never, where ARP is not heard.
async fn heard(full: Option<&Full>) -> Option<(Ipv4Addr, Mac)> {
    match full.and_then(|full| full.arp.as_ref()) {
        Some(arp) => arp.heard().await.ok(),
        None => std::future::pending().await,
    }
}

/// Sends first, tells afterwards: no computer waits for the log.
async fn carry_out(
    services: &Services,
    socket: &UdpSocket,
    outputs: Outputs,
    arp: Option<&crate::net::platform::ArpSocket>,
) {
    let mut trouble = None;
    for transmit in &outputs.send {
        if let Err(error) = socket.send_to(&transmit.bytes, transmit.to).await {
            trouble = Some((transmit.to, error));
        }
    }
    for address in outputs.probe {
        // A probe that cannot be sent (the cable is out) counts as unanswered.
        let _ = arp.map(|arp| arp.ask(address));
    }
    for (mac, note) in outputs.notes {
        if let Some((mac, address)) = mac.zip(held(&note)) {
            services.whois.learn(address, mac);
        }
        services.events.tell(mac, None, None, What::Dhcp(note));
    }
    if let Some((to, error)) = trouble {
        let text = format!("An answer to {} could not be sent: {error}.", to.ip());
        services.events.service(journal::Note::Warning { text });
    }
}

/// The address that a computer has, as far as a note tells: granted by us, or, in proxy mode, the one that it takes from
/// another server's offer or asks port 4011 from.
fn held(note: &Note) -> Option<Ipv4Addr> {
    match note {
        Note::Granted { address, .. } => *address,
        Note::Asked { address, question: Question::Select | Question::BootServer, .. } => *address,
        _ => None,
    }
}

/// Writes leases in the background, always the newest.
struct Saver(watch::Sender<Vec<Record>>);

impl Saver {
    fn start(services: &Services, path: std::path::PathBuf) -> Saver {
        let (sender, mut newest) = watch::channel(Vec::new());
        let events = services.events.clone();
        tokio::spawn(async move {
            while newest.changed().await.is_ok() {
                let records = newest.borrow_and_update().clone();
                let file = path.clone();
                let saved = tokio::task::spawn_blocking(move || leases::save(&file, &records)).await;
                if let Ok(Err(error)) = saved {
                    let text = format!("Leases could not be saved to {}: {error}.", path.display());
                    events.service(journal::Note::Warning { text });
                }
            }
        });
        Saver(sender)
    }

    fn save(&self, records: Vec<Record>) {
        self.0.send_replace(records);
    }
}
