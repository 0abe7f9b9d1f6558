//! The engine on loopback, with ports of its own choice: no rights needed.
//!
//! HTTP and TFTP are spoken by hand where the point is what goes over the wire, and by async-tftp as a second opinion.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

#[path = "engine/approval.rs"]
mod approval;
mod disc;
#[path = "disc/layout.rs"]
mod layout;
mod plan;
#[path = "disc/raw.rs"]
mod raw;
#[path = "disc/table.rs"]
mod table;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::time::Duration;

use bootwright::boot::menu::Default as Choice;
use bootwright::deployment::{DhcpPlan, Plan, Ports};
use bootwright::dhcp::Guests;
use bootwright::engine::{self, Error, Listening, Running, Update};
use bootwright::journal::{Note, What};
use bootwright::net::socket::{self, Hear, Sockets};
use futures_util::StreamExt;

const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

struct Bench {
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Bench {
    /// A folder with a loader of 100,000 bytes, and a published folder with one file.
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("undionly.kpxe"), pattern(100_000)).unwrap();
        std::fs::create_dir(folder.path().join("files")).unwrap();
        std::fs::write(folder.path().join("files/Setup.cmd"), b"echo hello\r\n").unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        Bench { folder, runtime }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn plan(&self, images: &[&Path]) -> Plan {
        Plan {
            images: images.iter().map(|path| path.to_path_buf()).collect(),
            files: Some(self.path("files")),
            ..plan::on_loopback(self.folder.path())
        }
    }

    /// Runs a plan until it listens.
    fn run(&self, plan: &Plan) -> Result<(Running, Listening), Error> {
        self.runtime.block_on(async {
            let mut running = engine::run(plan);
            match running.next().await.unwrap() {
                Update::Listening(listening) => Ok((running, *listening)),
                Update::Failed(error) => Err(error),
                Update::Events(events) => panic!("events before listening: {events:?}"),
            }
        })
    }

    /// Reads updates until one event is as wanted.
    fn wait(&self, running: &mut Running, wanted: impl Fn(&What) -> bool) {
        self.runtime.block_on(async {
            let look = async {
                loop {
                    match running.next().await {
                        Some(Update::Events(events)) if events.iter().any(|event| wanted(&event.what)) => return,
                        Some(Update::Events(_)) => {}
                        other => panic!("{other:?}"),
                    }
                }
            };
            tokio::time::timeout(Duration::from_secs(30), look).await.unwrap();
        });
    }
}

/// Bytes that tell where they are from.
fn pattern(length: u32) -> Vec<u8> {
    (0..length).map(|at| (at / 251 + at) as u8).collect()
}

/// Sends raw bytes to the HTTP port and reads until the other side closes.
fn raw_http(port: u16, request: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect((LOOPBACK, port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|part| part == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
    (String::from_utf8_lossy(&answer[..end]).into_owned(), answer[end..].to_vec())
}

fn get(port: u16, path: &str, headers: &str) -> (String, Vec<u8>) {
    raw_http(port, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n"))
}

#[test]
fn running_services_answer_other_programs_of_the_same_user() {
    use bootwright::engine::control::{Reply, Request, ask};
    let bench = Bench::new();
    let plan = bench.plan(&[]);
    let (running, _) = bench.run(&plan).unwrap();
    bench.runtime.block_on(async {
        let told = ask(&plan.control_file, &Request::Status).await.unwrap();
        assert!(matches!(&told, Reply::Status { interface, .. } if *interface == plan.interface), "{told:?}");
        let mac = "52:54:00:77:01:01".parse().unwrap();
        assert_eq!(running.control().ask(Request::Forget { mac, all: false }).await, Some(Reply::Done));
        running.stop().await;
        assert!(!plan.control_file.exists(), "it goes with the services");
        ask(&plan.control_file, &Request::Status).await.unwrap_err();
    });
}

#[test]
fn http_serves_loaders_scripts_files_and_nothing_else() {
    let bench = Bench::new();
    let (running, listening) = bench.run(&bench.plan(&[])).unwrap();
    let port = listening.http_port;
    let (head, body) = get(port, "/undionly.kpxe", "");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(
        head.contains("Content-Length: 100000\r\n") && head.contains("Etag: \"") && head.contains("Date: "),
        "{head}"
    );
    assert_eq!(body, pattern(100_000));
    assert_eq!(get(port, "//undionly.kpxe", "").1, pattern(100_000), "shim doubles slashes");
    let (head, body) = get(port, "/undionly.kpxe", "Range: bytes=99990-\r\n");
    assert!(head.starts_with("HTTP/1.1 206") && head.contains("Content-Range: bytes 99990-99999/100000\r\n"), "{head}");
    assert_eq!(body, &pattern(100_000)[99_990..]);
    assert_eq!(get(port, "/files/setup.cmd", "").1, b"echo hello\r\n");
    assert!(String::from_utf8(get(port, "/boot.ipxe", "").1).unwrap().starts_with("#!ipxe\n"));
    let (head, body) = raw_http(port, "HEAD /undionly.kpxe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(head.contains("Content-Length: 100000\r\n") && body.is_empty(), "{head}");
    for path in ["/files/", "/files", "/image/", "/../etc/passwd", "/files/../../etc/passwd", "/files/%2e%2e/x", "/x"] {
        let (head, body) = get(port, path, "");
        assert!(head.starts_with("HTTP/1.1 404"), "{path}: {head}");
        assert_eq!(body, b"Not found.\n", "{path}");
    }
    drop(running);
}

/// CONFORMANCE Q25 (Smee PR 229, EDK2 issues 9714 and 9920), Q29 and Q30 (EDK2 `HttpBootClient.c`, `HttpBootSupport.c`):
/// HEAD and GET on one connection, no redirect, exact lengths and no chunks; then it resumes, by `If-Match` where the tag
/// begins with a quote and by `If-Unmodified-Since` where it does not; and it knows what the file is.
#[test]
fn edk2_boots_and_resumes_by_its_own_rules() {
    let bench = Bench::new();
    std::fs::write(bench.path("snponly.efi"), pattern(5_000)).unwrap();
    let (_running, listening) = bench.run(&bench.plan(&[])).unwrap();
    let port = listening.http_port;
    let both = "HEAD //snponly.efi HTTP/1.1\r\nHost: x\r\nUser-Agent: UefiHttpBoot/1.0\r\n\r\n\
                GET //snponly.efi HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let (head, rest) = raw_http(port, both);
    let second = String::from_utf8_lossy(&rest[..rest.len().min(1000)]).into_owned();
    for head in [head.to_ascii_lowercase(), second.to_ascii_lowercase()] {
        assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
        assert!(head.contains("content-length: 5000\r\n") && !head.contains("transfer-encoding"), "{head}");
        assert!(head.contains("content-type: application/efi\r\n"), "{head}");
    }
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    let (tag, modified) = (header("Etag: "), header("Last-Modified: "));
    assert!(tag.starts_with('"'), "a weak tag is taken for a date: {tag}");
    for condition in [format!("If-Match: {tag}"), format!("If-Unmodified-Since: {modified}")] {
        let (head, body) = get(port, "/snponly.efi", &format!("Range: bytes=2000-4999\r\n{condition}\r\n"));
        assert!(head.starts_with("HTTP/1.1 206"), "{condition}: {head}");
        assert_eq!(body, &pattern(5_000)[2_000..], "{condition}");
    }
    let changed = get(port, "/snponly.efi", "Range: bytes=2000-4999\r\nIf-Match: \"other\"\r\n").0;
    assert!(changed.starts_with("HTTP/1.1 412"), "{changed}");
}

#[test]
fn http_refuses_what_cannot_be_read() {
    let bench = Bench::new();
    let (_running, listening) = bench.run(&bench.plan(&[])).unwrap();
    let port = listening.http_port;
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(100_000));
    let cases = [
        ("GET / HTTP/1.1\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n", "400"),
        ("GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "400"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "405"),
        ("BREW / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "501"),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400"),
        (&long, "431"),
        ("GET /undionly.kpxe HTTP/1.0\r\n\r\n", "200"),
        ("GET http://other/undionly.kpxe?x=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "200"),
    ];
    for (request, status) in cases {
        let request = if request.starts_with("GET / HTTP/1.1\r\n\r\n") {
            "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
        } else {
            request
        };
        let (head, _) = raw_http(port, request);
        assert_eq!(head.split(' ').nth(1), Some(status), "{:?}: {head}", &request[..request.len().min(60)]);
    }
}

#[test]
fn connections_stay_open_and_answers_come_in_order() {
    let bench = Bench::new();
    let (_running, listening) = bench.run(&bench.plan(&[])).unwrap();
    let request = "GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET /files/Setup.cmd HTTP/1.1\r\nHost: a\r\n\r\n\
                   GET /boot.ipxe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let mut stream = TcpStream::connect((LOOPBACK, listening.http_port)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    let places: Vec<_> = ["404 Not Found", "echo hello", "#!ipxe"].iter().map(|text| all.find(text).unwrap()).collect();
    assert!(places.is_sorted(), "{all}");
}

#[test]
fn half_requests_of_many_connections_lock_nobody_out() {
    let bench = Bench::new();
    let (_running, listening) = bench.run(&bench.plan(&[])).unwrap();
    let half: Vec<TcpStream> = (0..400)
        .map(|_| {
            let mut stream = TcpStream::connect((LOOPBACK, listening.http_port)).unwrap();
            stream.write_all(b"GET /undionly.kpxe HTT").unwrap();
            stream
        })
        .collect();
    assert_eq!(get(listening.http_port, "/undionly.kpxe", "").1.len(), 100_000);
    drop(half);
}

struct Tftp {
    socket: UdpSocket,
    server: SocketAddr,
}

impl Tftp {
    fn ask(port: u16, request: &[u8]) -> Tftp {
        let socket = UdpSocket::bind((LOOPBACK, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let tftp = Tftp { socket, server: (LOOPBACK, port).into() };
        tftp.send_to(tftp.server, request);
        tftp
    }

    /// The same as firmware does it: the request again each second until something comes. In a burst the system may
    /// drop some.
    fn insist(port: u16, request: &[u8]) -> Tftp {
        let tftp = Tftp::ask(port, request);
        tftp.socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        let came = (0..30).any(|_| {
            let came = tftp.socket.peek(&mut [0u8; 1]).is_ok();
            if !came {
                tftp.send_to(tftp.server, request);
            }
            came
        });
        assert!(came, "no answer to {request:?}");
        tftp.socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        tftp
    }

    fn send_to(&self, to: SocketAddr, bytes: &[u8]) {
        self.socket.send_to(bytes, to).unwrap();
    }

    fn next(&self) -> (Vec<u8>, SocketAddr) {
        let mut packet = [0u8; 70_000];
        let (length, from) = self.socket.recv_from(&mut packet).unwrap();
        (packet[..length].to_vec(), from)
    }

    /// The rest of a transfer, acknowledged block by block, from the packet that opened it.
    fn all(&self, block_size: usize) -> Vec<u8> {
        let mut file = Vec::new();
        loop {
            let (packet, from) = self.next();
            match packet[1] {
                6 => self.send_to(from, &[0, 4, 0, 0]),
                3 => {
                    self.send_to(from, &[0, 4, packet[2], packet[3]]);
                    file.extend_from_slice(&packet[4..]);
                    if packet.len() - 4 < block_size {
                        return file;
                    }
                }
                _ => panic!("{packet:?}"),
            }
        }
    }
}

#[test]
fn tftp_serves_the_same_tree() {
    let bench = Bench::new();
    let (_running, listening) = bench.run(&bench.plan(&[])).unwrap();
    let port = listening.tftp_port;
    assert_eq!(Tftp::ask(port, b"\0\x01undionly.kpxe\0octet\0").all(512), pattern(100_000));
    assert_eq!(Tftp::ask(port, b"\0\x01\\FILES\\setup.cmd\0octet\0blksize\x001024\0").all(1024), b"echo hello\r\n");
    let cases: [(&[u8], u8); 10] = [
        (b"\0\x01nothing\0octet\0", 1),
        (b"\0\x01/\0octet\0", 1),
        (b"\0\x01../../etc/passwd\0octet\0", 1),
        (b"\0\x01/etc/passwd\0octet\0", 1),
        (b"\0\x01files/..\\..\\..\\etc\\passwd\0octet\0", 1),
        (b"\0\x01\xff\xfe\0octet\0", 1),
        (b"\0\x02undionly.kpxe\0octet\0", 2),
        (b"\0\x01undionly.kpxe\0netascii\0", 0),
        (b"\0\x01undionly.kpxe\0mail\0", 4),
        (b"\0\x01undionly.kpxe", 4),
    ];
    for (request, code) in cases {
        let (answer, _) = Tftp::ask(port, request).next();
        assert_eq!(answer[..4], [0, 5, 0, code], "{request:?}: {answer:?}");
        assert_eq!(answer.last(), Some(&0));
    }
}

#[test]
fn a_size_probe_is_no_failure_and_the_same_port_may_ask_again() {
    let bench = Bench::new();
    let (mut running, listening) = bench.run(&bench.plan(&[])).unwrap();
    let tftp = Tftp::ask(listening.tftp_port, b"\0\x01undionly.kpxe\0octet\0tsize\x000\0blksize\x001468\0");
    let (oack, from) = tftp.next();
    assert_eq!(oack, b"\0\x06tsize\x00100000\0blksize\x001468\0");
    tftp.send_to(from, b"\0\x05\0\x08User aborted the transfer\0");
    bench
        .wait(&mut running, |what| matches!(what, What::Tftp(bootwright::tftp::Note::SizeAsked { size: 100_000, .. })));
    tftp.send_to(tftp.server, b"\0\x01undionly.kpxe\0octet\0blksize\x001468\0");
    assert_eq!(tftp.all(1468), pattern(100_000));
    bench.wait(&mut running, |what| matches!(what, What::Tftp(bootwright::tftp::Note::Done { bytes: 100_000, .. })));
}

#[test]
fn what_is_repeated_into_silence_is_no_progress() {
    let bench = Bench::new();
    let (mut running, listening) = bench.run(&bench.plan(&[])).unwrap();
    let tftp = Tftp::ask(listening.tftp_port, b"\0\x01undionly.kpxe\0octet\0");
    let (first, from) = tftp.next();
    assert_eq!(tftp.next(), (first, from), "the first block again, a second later");
    tftp.send_to(from, &[0, 4, 0, 1]);
    let (second, _) = tftp.next();
    assert_eq!(tftp.next().0, second);
    tftp.send_to(from, b"\0\x05\0\0enough\0");
    let told = std::sync::Mutex::new(Vec::new());
    bench.wait(&mut running, |what| {
        if let What::Tftp(bootwright::tftp::Note::Progress { bytes, .. }) = what {
            told.lock().unwrap().push(*bytes);
        }
        matches!(what, What::Tftp(bootwright::tftp::Note::Aborted { .. }))
    });
    assert_eq!(told.into_inner().unwrap(), [512]);
}

#[test]
fn strangers_and_repeats_change_nothing() {
    let bench = Bench::new();
    let (_running, listening) = bench.run(&bench.plan(&[])).unwrap();
    let tftp = Tftp::ask(listening.tftp_port, b"\0\x01undionly.kpxe\0octet\0");
    let (first, from) = tftp.next();
    assert_eq!(first[..4], [0, 3, 0, 1]);
    let stranger = UdpSocket::bind((LOOPBACK, 0)).unwrap();
    stranger.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stranger.send_to(&[0, 4, 0, 1], from).unwrap();
    let mut packet = [0u8; 100];
    let (length, _) = stranger.recv_from(&mut packet).unwrap();
    assert_eq!(packet[..4], [0, 5, 0, 5], "{:?}", &packet[..length]);
    // The request again, as if the first block had been lost: the same block, from the same port.
    tftp.send_to(tftp.server, b"\0\x01undionly.kpxe\0octet\0");
    assert_eq!(tftp.next(), (first.clone(), from));
    tftp.send_to(from, &[0, 4, 0, 1]);
    assert_eq!(first[4..].iter().copied().chain(tftp.all(512)).collect::<Vec<_>>(), pattern(100_000));
}

#[test]
fn abandoned_transfers_lock_nobody_out() {
    let bench = Bench::new();
    let (_running, listening) = bench.run(&bench.plan(&[])).unwrap();
    let port = listening.tftp_port;
    let abandoned: Vec<Tftp> = (0..400).map(|_| Tftp::ask(port, b"\0\x01undionly.kpxe\0octet\0")).collect();
    let together: Vec<_> = (0..100)
        .map(|_| {
            std::thread::spawn(move || Tftp::insist(port, b"\0\x01undionly.kpxe\0octet\0blksize\x001468\0").all(1468))
        })
        .collect();
    for transfer in together {
        assert_eq!(transfer.join().unwrap(), pattern(100_000));
    }
    drop(abandoned);
}

/// The crate that this server replaced, as a second opinion: its client half is a server that takes what we send by
/// nothing but the standard.
#[test]
fn what_async_tftp_serves_is_what_we_serve() {
    let bench = Bench::new();
    let (_running, listening) = bench.run(&bench.plan(&[])).unwrap();
    let folder = bench.folder.path().to_path_buf();
    let theirs = bench.runtime.block_on(async {
        async_tftp::server::TftpServerBuilder::with_dir_ro(&folder)
            .unwrap()
            .bind((LOOPBACK, 0).into())
            .build()
            .await
            .unwrap()
    });
    let their_port = theirs.listen_addr().unwrap().port();
    std::thread::spawn(move || futures_executor(theirs));
    for request in [
        b"\0\x01undionly.kpxe\0octet\0".as_slice(),
        b"\0\x01undionly.kpxe\0octet\0blksize\x001468\0tsize\x000\0",
        b"\0\x01files/Setup.cmd\0octet\0tsize\x000\0",
    ] {
        let block =
            if request.ends_with(b"\x000\0") && request.windows(7).any(|part| part == b"blksize") { 1468 } else { 512 };
        let (ours, theirs) = (Tftp::ask(listening.tftp_port, request), Tftp::ask(their_port, request));
        assert_eq!(ours.all(block), theirs.all(block), "{request:?}");
    }
}

fn futures_executor(server: async_tftp::server::TftpServer<async_tftp::server::handlers::DirHandler>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _ = runtime.block_on(server.serve());
}

#[test]
fn stopping_frees_every_port() {
    let bench = Bench::new();
    let mut plan = bench.plan(&[]);
    plan.dhcp = DhcpPlan::Proxy;
    let (running, listening) = bench.run(&plan).unwrap();
    plan.ports = Ports {
        dhcp: listening.dhcp_port.unwrap(),
        pxe: 0,
        tftp: listening.tftp_port,
        http: Some(listening.http_port),
    };
    let taken = bench.run(&plan).expect_err("taken");
    assert!(matches!(taken, Error::Bind { .. }), "{taken:?}");
    bench.runtime.block_on(running.stop());
    let (_running, again) = bench.run(&plan).unwrap();
    assert_eq!(again.http_port, listening.http_port);
}

#[test]
fn it_can_be_stopped_while_somebody_else_reads_the_stream() {
    let bench = Bench::new();
    let (mut running, listening) = bench.run(&bench.plan(&[])).unwrap();
    // A handle that goes unused stops nothing.
    drop(running.control());
    let stopper = running.control();
    get(listening.http_port, "/undionly.kpxe", "");
    stopper.stop();
    let last = bench.runtime.block_on(async {
        let mut last = Vec::new();
        while let Some(update) = tokio::time::timeout(Duration::from_secs(30), running.next()).await.unwrap() {
            let Update::Events(events) = update else { panic!("{update:?}") };
            last.extend(events);
        }
        last
    });
    assert!(last.iter().any(|event| matches!(event.what, What::Http(_))), "{last:?}");
    // Free before the stream has ended, and the stream's owner still lives.
    UdpSocket::bind((LOOPBACK, listening.tftp_port)).unwrap();
    std::net::TcpListener::bind((LOOPBACK, listening.http_port)).unwrap();
    drop(running);
}

#[test]
fn sockets_that_were_handed_over_are_served_on() {
    let bench = Bench::new();
    let loopback = bootwright::net::interface::list().pop().unwrap();
    let tftp = socket::open_udp(&loopback, LOOPBACK, 0, Hear::Own).unwrap();
    let http = socket::open_tcp(&loopback, LOOPBACK, 0).unwrap();
    let ports = (tftp.local_addr().unwrap().port(), http.local_addr().unwrap().port());
    let plan = Plan { ports: Ports { dhcp: 0, pxe: 0, tftp: ports.0, http: Some(ports.1) }, ..bench.plan(&[]) };
    let mut sockets = Sockets::on(&loopback.name, LOOPBACK);
    sockets.add_udp(ports.0, tftp);
    sockets.add_tcp(ports.1, Ok(http));
    let running = bench.runtime.block_on(async {
        let mut running = engine::run_with(&plan, sockets);
        let Some(Update::Listening(listening)) = running.next().await else { panic!("it listens") };
        assert_eq!((listening.tftp_port, listening.http_port), ports);
        running
    });
    assert_eq!(get(ports.1, "/undionly.kpxe", "").1, pattern(100_000));
    let (tftp, request) = (UdpSocket::bind((LOOPBACK, 0)).unwrap(), b"\0\x01undionly.kpxe\0octet\0");
    tftp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    tftp.send_to(request, (LOOPBACK, ports.0)).unwrap();
    assert_eq!(tftp.recv(&mut [0; 1000]).unwrap(), 4 + 512);
    bench.runtime.block_on(running.stop());
    UdpSocket::bind((LOOPBACK, ports.0)).unwrap();
}

#[test]
fn a_file_beyond_four_gigabytes_is_right_at_both_ends() {
    let bench = Bench::new();
    let image = bench.path("big.iso");
    disc::with_big_file(&image);
    let (_running, listening) = bench.run(&bench.plan(&[&image])).unwrap();
    assert_eq!(listening.images[0].size, std::fs::metadata(&image).unwrap().len());
    let port = listening.http_port;
    let url = "/image/image/big.bin";
    let (head, _) = raw_http(port, &format!("HEAD {url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    assert!(head.contains(&format!("Content-Length: {}\r\n", disc::BIG)), "{head}");
    for (offset, text) in disc::MARKS {
        let last = offset + text.len() as u64 - 1;
        let (head, body) = get(port, url, &format!("Range: bytes={offset}-{last}\r\n"));
        assert!(head.starts_with("HTTP/1.1 206"), "{head}");
        assert_eq!(body, text.as_bytes(), "at {offset}");
    }
    let (head, body) = get(port, "/image/image.iso", "Range: bytes=32769-32773\r\n");
    assert!(head.contains("Content-Type: application/vnd.efi-iso"), "{head}");
    assert_eq!(body, b"CD001");
}

#[test]
fn a_changed_image_is_withdrawn_and_a_removed_one_served_on() {
    let bench = Bench::new();
    let (kept, changed) = (bench.path("kept.iso"), bench.path("changed.iso"));
    disc::with_big_file(&kept);
    disc::with_big_file(&changed);
    let (mut running, listening) = bench.run(&bench.plan(&[&kept, &changed])).unwrap();
    let start = |id: &str| get(listening.http_port, &format!("/image/{id}/big.bin"), "Range: bytes=0-4\r\n").0;
    assert!(start("image").starts_with("HTTP/1.1 206") && start("image-2").starts_with("HTTP/1.1 206"));
    std::fs::remove_file(&kept).unwrap();
    bench.wait(&mut running, |what| matches!(what, What::Service(Note::ImageGone { image }) if image == "kept.iso"));
    assert!(start("image").starts_with("HTTP/1.1 206"));
    std::fs::OpenOptions::new().write(true).open(&changed).unwrap().set_len(70_000).unwrap();
    bench.wait(
        &mut running,
        |what| matches!(what, What::Service(Note::ImageChanged { image }) if image == "changed.iso"),
    );
    assert!(start("image-2").starts_with("HTTP/1.1 404"));
}

#[test]
fn a_thing_that_cannot_be_used_is_named() {
    let bench = Bench::new();
    let empty = bench.path("empty.iso");
    std::fs::write(&empty, b"").unwrap();
    let error = bench.run(&bench.plan(&[&empty])).expect_err("an empty image");
    assert!(matches!(error, Error::Image(_)), "{error:?}");
    let mut plan = bench.plan(&[]);
    plan.default = Choice::Position(1);
    assert!(matches!(bench.run(&plan).expect_err("no entries"), Error::NoDefault { .. }));
    let plan = Plan { own_loaders: Some(bench.path("files")), ..bench.plan(&[]) };
    assert!(matches!(bench.run(&plan).expect_err("no loaders"), Error::NoLoaders { .. }));
    let plan = Plan { interface: "nowhere0".into(), ..bench.plan(&[]) };
    assert!(matches!(bench.run(&plan).expect_err("no interface"), Error::InterfaceGone { .. }));
}
