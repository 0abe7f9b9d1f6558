//! What the services keep of packets: on loopback, with other programs to read what is written.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

mod plan;

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bootwright::deployment::{DhcpPlan, Plan, Records};
use bootwright::dhcp;
use bootwright::engine::{self, Listening, Running, Update};
use bootwright::journal::What;
use bootwright::mac::Mac;
use bootwright::tftp;
use bootwright::trace::{MAX_DATA, Packet, pcapng, words};
use futures_util::StreamExt;

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;
const MAC: Mac = Mac([0x52, 0x54, 0, 0x77, 1, 1]);
const TOKEN: &str = "00112233445566778899aabbccddeeff";

struct Bench {
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("undionly.kpxe"), vec![b'L'; 3000]).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        Bench { folder, runtime }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn plan(&self, trace: Option<&Path>) -> Plan {
        Plan {
            dhcp: DhcpPlan::Proxy,
            records: Records { trace: trace.map(Path::to_path_buf), ..Records::default() },
            ..plan::on_loopback(self.folder.path())
        }
    }

    fn start(&self, trace: Option<&Path>) -> (Running, Update) {
        self.runtime.block_on(async {
            let mut running = engine::run(&self.plan(trace));
            let first = running.next().await.unwrap();
            (running, first)
        })
    }

    fn serve(&self, trace: Option<&Path>) -> (Running, Listening) {
        match self.start(trace) {
            (running, Update::Listening(listening)) => (running, *listening),
            (_, other) => panic!("{other:?}"),
        }
    }

    /// Reads events until so many were as wanted.
    fn wait(&self, running: &mut Running, mut count: usize, wanted: impl Fn(&What) -> bool) {
        self.runtime.block_on(async {
            while count > 0 {
                let update = tokio::time::timeout(Duration::from_secs(30), running.next()).await.unwrap();
                let Some(Update::Events(events)) = update else { panic!("{update:?}") };
                count = count.saturating_sub(events.iter().filter(|event| wanted(&event.what)).count());
            }
        });
    }
}

fn client() -> UdpSocket {
    let socket = UdpSocket::bind((LOOPBACK, 0)).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    socket
}

fn next(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut packet = [0u8; 2048];
    let (length, from) = socket.recv_from(&mut packet).unwrap();
    (packet[..length].to_vec(), from)
}

/// Fetches a file by TFTP. An answer that says "no" is an answer too.
fn fetch(port: u16, name: &str) -> Vec<u8> {
    let (socket, mut file) = (client(), Vec::new());
    socket.send_to(format!("\0\x01{name}\0octet\0blksize\x001000\0").as_bytes(), (LOOPBACK, port)).unwrap();
    loop {
        let (packet, from) = next(&socket);
        match packet[1] {
            6 => drop(socket.send_to(&[0, 4, 0, 0], from).unwrap()),
            3 => {
                file.extend_from_slice(&packet[4..]);
                socket.send_to(&[&[0, 4], &packet[2..4]].concat(), from).unwrap();
                if packet.len() < 1004 {
                    return file;
                }
            }
            _ => return file,
        }
    }
}

/// A DISCOVER of BIOS firmware.
fn discover() -> Vec<u8> {
    let mut packet = vec![0u8; 240];
    packet[..4].copy_from_slice(&[1, 1, 6, 0]);
    packet[28..34].copy_from_slice(&MAC.0);
    packet[236..].copy_from_slice(&[99, 130, 83, 99]);
    packet.extend([53, 1, 1, 93, 2, 0, 0, 60, 20]);
    packet.extend(b"PXEClient:Arch:00000");
    packet.push(255);
    packet
}

/// What tcpdump says of a file; `None` where there is no tcpdump.
fn tcpdump(file: &Path) -> Option<String> {
    let output = Command::new("tcpdump").args(["-n", "-vvv", "-e", "-r"]).arg(file).output();
    let Ok(output) = output else {
        println!("SKIPPED the reading of {} by tcpdump: there is none", file.display());
        return None;
    };
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A boot's worth of packets: DHCP, a loader, its menu with a secret beside it, a file that is not there.
fn boot(bench: &Bench, running: &mut Running, listening: &Listening) {
    client().send_to(&discover(), (LOOPBACK, listening.dhcp_port.unwrap())).unwrap();
    bench.wait(running, 1, |what| matches!(what, What::Dhcp(dhcp::Note::Offered { .. })));
    assert_eq!(fetch(listening.tftp_port, "undionly.kpxe").len(), 3000);
    assert!(fetch(listening.tftp_port, "boot.ipxe").starts_with(b"#!ipxe"));
    fetch(listening.tftp_port, &format!("answer/{TOKEN}/preseed.cfg"));
    let ends = |what: &What| matches!(what, What::Tftp(tftp::Note::Done { .. } | tftp::Note::NotFound { .. }));
    bench.wait(running, 3, ends);
}

fn starts(packet: &Packet, bytes: &[u8]) -> bool {
    packet.payload.starts_with(bytes)
}

#[test]
fn a_boot_is_kept_packet_by_packet_without_what_is_secret() {
    let bench = Bench::new();
    let (mut running, listening) = bench.serve(None);
    boot(&bench, &mut running, &listening);
    let trace = running.control().trace().clone();
    let packets = trace.all();
    let offered = packets.iter().find(|packet| starts(packet, &[2])).expect("the offer");
    assert_eq!(offered.mac, Some(MAC));
    assert!(offered.comments.iter().any(|comment| comment.starts_with("is offered undionly.kpxe")), "{offered:?}");
    let asked = packets.iter().find(|packet| starts(packet, &[1])).expect("the question");
    assert!(asked.comments.iter().any(|comment| comment.contains("asks what to boot")), "{asked:?}");
    let blocks: Vec<&Packet> = packets.iter().filter(|packet| starts(packet, &[0, 3])).collect();
    let loader: Vec<(usize, usize)> =
        blocks.iter().take(3).map(|packet| (packet.length, packet.payload.len())).collect();
    assert_eq!(loader, [(1004, 4 + MAX_DATA); 3]);
    let acknowledged = packets.iter().filter(|packet| starts(packet, &[0, 4, 0, 4]));
    let said: Vec<&String> = acknowledged.flat_map(|packet| &packet.comments).collect();
    assert!(said.iter().any(|comment| comment.starts_with("has undionly.kpxe by TFTP: 3.0 kB")), "{said:?}");
    let script: Vec<&&Packet> = blocks.iter().skip(4).collect();
    assert!(!script.is_empty() && script.iter().all(|packet| packet.payload.len() == 4 && packet.length > 4));
    let (file, text) = (pcapng::file(&packets, &trace.about()), words::file(&packets, &[], &jiff::tz::TimeZone::UTC));
    for secret in [TOKEN, "#!ipxe", "menu.ipxe"] {
        assert!(!file.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret}");
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert!(text.contains(&format!("answer/{}/preseed.cfg", "x".repeat(32))), "{text}");
}

#[test]
fn tcpdump_reads_what_is_written() {
    let bench = Bench::new();
    let (mut running, listening) = bench.serve(None);
    boot(&bench, &mut running, &listening);
    let trace = running.control().trace().clone();
    let file = bench.path("boot.pcapng");
    // tcpdump knows protocols by their usual ports.
    let usual = |mut packet: Packet| {
        for (found, known) in [(listening.dhcp_port.unwrap(), 67), (listening.tftp_port, 69)] {
            for end in [&mut packet.from, &mut packet.to].into_iter().filter(|end| end.port() == found) {
                end.set_port(known);
            }
        }
        packet
    };
    let packets: Vec<Packet> = trace.all().into_iter().map(usual).collect();
    std::fs::write(&file, pcapng::file(&packets, &trace.about())).unwrap();
    let Some(said) = tcpdump(&file) else { return };
    let expected = [
        "DHCP-Message (53), length 1: Discover",
        "PXEClient:Arch:00000",
        "DHCP-Message (53), length 1: Offer",
        "file \"undionly.kpxe\"",
        "TFTP, length 35, RRQ \"undionly.kpxe\" octet blksize 1000",
        &format!("RRQ \"answer/{}/preseed.cfg\" octet", "x".repeat(32)),
    ];
    for part in expected {
        assert!(said.contains(part), "{part}: {said}");
    }
    for bad in ["bad cksum", "wrong", "incorrect", "truncated-ip"] {
        assert!(!said.contains(bad), "{bad}: {said}");
    }
    assert!(said.matches("udp sum ok").count() >= 4, "{said}");
}

#[test]
fn a_file_is_written_as_it_happens() {
    let bench = Bench::new();
    let file = bench.path("live.pcapng");
    let (mut running, listening) = bench.serve(Some(&file));
    boot(&bench, &mut running, &listening);
    let trace = running.control().trace().clone();
    bench.runtime.block_on(running.stop());
    let (written, kept) = (std::fs::read(&file).unwrap(), pcapng::file(&trace.all(), &trace.about()));
    assert!(written == kept, "{} bytes, {} kept", written.len(), kept.len());
}

#[test]
fn a_file_that_cannot_be_written_is_named_before_anything_starts() {
    let bench = Bench::new();
    let (_running, first) = bench.start(Some(&bench.path("no/such/folder.pcapng")));
    let Update::Failed(error) = first else { panic!("{first:?}") };
    let sentence = bootwright::check::explain(&error).sentence();
    assert!(sentence.contains("folder.pcapng") && sentence.contains("--trace"), "{sentence}");
}
