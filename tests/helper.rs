//! The helper that opens ports for the window: as itself over a socket pair, and by way of a stand-in for pkexec, both in
//! closed namespaces.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod lab;
mod plan;

use std::collections::BTreeSet;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bootwright::deployment::{DhcpPlan, Plan, Ports};
use bootwright::dhcp::Guests;
use bootwright::dhcp::lease::Range;
use bootwright::dhcp::probe::{self, discover};
use bootwright::engine::{self, Update};
use bootwright::mac::Mac;
use bootwright::net::interface;
use bootwright::net::ports::Transport;
use bootwright::net::privilege::{self, Grant, PrivilegeError, Request, Rights};
use futures_util::StreamExt;
use lab::office::{Pace, office};
use lab::{Host, Lab, Process, ask_for_routers, must, program, ready};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendFlags, SocketFlags,
    SocketType, sockopt,
};
use serde_json::{Value, json};

/// `bootwright helper` in a namespace, and our end of its standard input.
struct Helper {
    process: Process,
    channel: OwnedFd,
}

impl Helper {
    fn start(host: &Host) -> Helper {
        let flags = SocketFlags::CLOEXEC;
        let (channel, theirs) =
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
        sockopt::set_socket_timeout(&channel, sockopt::Timeout::Recv, Some(Duration::from_secs(30))).unwrap();
        let mut command = host.command(program());
        let process = Process::start(command.arg("helper").stdin(theirs).stderr(Stdio::piped()));
        Helper { process, channel }
    }

    fn ask(&self, request: &[u8]) -> (Value, Vec<OwnedFd>) {
        let control = &mut SendAncillaryBuffer::default();
        rustix::net::sendmsg(&self.channel, &[IoSlice::new(request)], control, SendFlags::NOSIGNAL).unwrap();
        let (mut bytes, mut room) = ([0; 4096], [MaybeUninit::uninit(); 256]);
        let mut control = RecvAncillaryBuffer::new(&mut room);
        let into = &mut [IoSliceMut::new(&mut bytes)];
        let read = rustix::net::recvmsg(&self.channel, into, &mut control, RecvFlags::CMSG_CLOEXEC).unwrap().bytes;
        let sockets = control.drain().flat_map(|message| match message {
            RecvAncillaryMessage::ScmRights(sockets) => sockets.collect::<Vec<_>>(),
            _ => vec![],
        });
        let sockets = sockets.collect();
        (serde_json::from_slice(&bytes[..read]).unwrap(), sockets)
    }

    /// Its exit status and what it said on standard error; the channel stays open.
    fn end(&mut self) -> (Option<i32>, String) {
        let until = Instant::now() + Duration::from_secs(30);
        while self.process.0.try_wait().unwrap().is_none() {
            assert!(Instant::now() < until, "the helper does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut errors = String::new();
        std::io::Read::read_to_string(self.process.0.stderr.as_mut().unwrap(), &mut errors).unwrap();
        (self.process.0.wait().unwrap().code(), errors)
    }

    fn runs(&mut self) -> bool {
        std::thread::sleep(Duration::from_millis(300));
        self.process.0.try_wait().unwrap().is_none()
    }
}

/// One plain line from the program, with this in it.
fn is_sentence(text: &str, part: &str) {
    assert!(text.starts_with("bootwright: ") && text.ends_with(".\n") && text.lines().count() == 1, "{text:?}");
    assert!(text.contains(part), "{part:?} is not in {text:?}");
}

/// Which of the ports of booting are held in a namespace.
fn held(host: &Host) -> Vec<(&'static str, u16)> {
    let ports = [("udp", 67), ("udp", 69), ("udp", 4011), ("tcp", 80)];
    let table = |kind: &str| String::from_utf8(host.sh(&format!("cat /proc/net/{kind}")).stdout).unwrap();
    let (udp, tcp) = (table("udp"), table("tcp"));
    let is_held = |kind: &str, port: u16| {
        let table = if kind == "udp" { &udp } else { &tcp };
        table.lines().skip(1).any(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            fields[1].ends_with(&format!(":{port:04X}")) && (fields[3] == "0A" || fields[3] == "07")
        })
    };
    ports.into_iter().filter(|&(kind, port)| is_held(kind, port)).collect()
}

fn card(host: &Host) -> String {
    String::from_utf8(host.sh("cat /sys/class/net/eth0/address").stdout).unwrap().trim().to_owned()
}

fn addresses(host: &Host) -> String {
    must(host.command("ip").args(["addr", "show", "dev", "eth0"]))
}

/// Everything that booting needs, from one's own address.
fn everything(own: &str) -> Value {
    let udp = [(67, "all"), (4011, "all"), (69, "own")].map(|(port, hear)| json!({"port": port, "hear": hear}));
    json!({"interface": "eth0", "own": own, "udp": udp, "tcp": [80]})
}

fn with(mut request: Value, field: &str, value: Value) -> Vec<u8> {
    request[field] = value;
    request.to_string().into_bytes()
}

/// A program in the namespace that holds a port.
fn hold(lab: &Lab, host: &Host, kind: &str, port: u16) -> Process {
    let ready = lab.path("held");
    let _ = std::fs::remove_file(&ready);
    let script = format!(
        "import socket, signal\ns = socket.socket(socket.AF_INET, socket.SOCK_{kind})\ns.bind(('', {port}))\n\
         if '{kind}' == 'STREAM': s.listen()\nopen('{}', 'w').close()\nsignal.pause()\n",
        ready.display()
    );
    let process = Process::start(host.command("python3").args(["-c", &script]).stderr(Stdio::null()));
    while !ready.exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    process
}

#[test]
fn started_by_hand_it_says_who_starts_it() {
    let mut command = Command::new(program());
    let output = command.arg("helper").stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    is_sentence(&String::from_utf8_lossy(&output.stderr), "is started by the window");
    let help = Command::new(program()).arg("--help").output().unwrap();
    assert!(!String::from_utf8_lossy(&help.stdout).contains("helper"));
}

#[test]
fn sockets_hold_their_ports_for_whoever_got_them() {
    if !ready("passing sockets", &["python3"]) {
        return;
    }
    let lab = Lab::new();
    let (host, client) = (lab.server(), lab.host("c", Some("10.77.0.2/24")));
    let mut helper = Helper::start(&host);
    let (answer, sockets) = helper.ask(everything("10.77.0.1").to_string().as_bytes());
    assert_eq!(helper.end(), (Some(0), String::new()), "{answer}");
    let ports = json!([["udp", 67], ["udp", 4011], ["udp", 69], ["tcp", 80]]);
    assert_eq!(answer, json!({"opened": {"ports": ports, "taken": null}}));
    assert_eq!(held(&host).len(), 4);
    let mut sockets = sockets.into_iter().map(std::net::UdpSocket::from);
    let dhcp = sockets.next().unwrap();
    dhcp.set_nonblocking(false).unwrap();
    dhcp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let shout = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); \
                 s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1); s.sendto(b'hello', ('10.77.0.255', 67))";
    must(client.command("python3").args(["-c", shout]));
    let mut bytes = [0; 9];
    assert_eq!(dhcp.recv(&mut bytes).unwrap(), 5, "a broadcast is heard");
    drop((dhcp, sockets));
    assert_eq!(held(&host), []);
}

#[test]
fn what_booting_does_not_need_is_refused() {
    if !ready("refusals", &["ip"]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.server();
    let good = || everything("10.77.0.1");
    let udp = |port: u16, hear: &str| with(good(), "udp", json!([{"port": port, "hear": hear}]));
    let cases = [
        (udp(53, "all"), "UDP port 53"),
        (udp(69, "all"), "UDP port 69"),
        (with(good(), "tcp", json!([80, 22])), "TCP port 22"),
        (with(good(), "tcp", json!([8080])), "TCP port 8080"),
        (with(good(), "interface", json!("eth9")), "no interface \"eth9\""),
        (with(good(), "interface", json!("../eth0")), "no interface"),
        (with(good(), "own", json!("10.77.0.9")), "eth0 does not have the address 10.77.0.9"),
        (with(good(), "address", json!("10.88.0.1/24")), "eth0 has the address 10.77.0.1/24 already"),
        (with(good(), "program", json!("/bin/sh")), "unknown field"),
        (b"hello".to_vec(), "does not understand"),
        (vec![b' '; 100_000], "does not understand"),
    ];
    for (request, part) in cases {
        let mut helper = Helper::start(&host);
        let (answer, sockets) = helper.ask(&request);
        assert!(answer["refused"].is_object() && sockets.is_empty(), "{part}: {answer}");
        let (status, sentence) = helper.end();
        assert_eq!(status, Some(2), "{sentence}");
        is_sentence(&sentence, part);
    }
    // Whoever says nothing and goes leaves no helper behind.
    let Helper { mut process, channel } = Helper::start(&host);
    drop(channel);
    assert_eq!(process.0.wait().unwrap().code(), Some(2));
    assert_eq!(held(&host), []);
}

#[test]
fn a_port_that_is_held_is_told_with_its_holder() {
    if !ready("held ports", &["python3"]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.server();
    {
        let holder = hold(&lab, &host, "DGRAM", 69);
        let mut helper = Helper::start(&host);
        let (answer, sockets) = helper.ask(everything("10.77.0.1").to_string().as_bytes());
        assert_eq!(answer["failed"]["holder"], json!({"program": "python3", "pid": holder.0.id()}), "{answer}");
        assert!(sockets.is_empty());
        let (status, sentence) = helper.end();
        assert_eq!((status, held(&host)), (Some(3), vec![("udp", 69)]));
        is_sentence(&sentence, "UDP port 69 is held by python3");
    }
    let _holder = hold(&lab, &host, "STREAM", 80);
    let (answer, sockets) = Helper::start(&host).ask(everything("10.77.0.1").to_string().as_bytes());
    assert_eq!(answer["opened"]["taken"]["holder"]["program"], "python3", "{answer}");
    assert_eq!(sockets.len(), 3);
}

#[test]
fn an_address_stays_as_long_as_somebody_holds_the_other_end() {
    if !ready("addresses", &["python3"]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.host("s", None);
    let request = with(everything("10.88.0.1"), "address", json!("10.88.0.1/24"));
    for (end, up) in [("EOF", true), ("EOF", false), ("TERM", true), ("INT", false), ("HUP", true)] {
        host.ip(&format!("link set eth0 {}", if up { "up" } else { "down" }));
        let before = addresses(&host);
        let mut helper = Helper::start(&host);
        let (answer, sockets) = helper.ask(&request);
        assert_eq!(sockets.len(), 4, "{answer}");
        let now = addresses(&host);
        assert!(now.contains("inet 10.88.0.1/24 brd 10.88.0.255") && now.contains(",UP"), "{now}");
        assert!(helper.runs(), "{end}");
        // The ports are ours alone by now.
        drop(sockets);
        assert_eq!(held(&host), []);
        if end == "EOF" {
            let Helper { mut process, channel } = helper;
            drop(channel);
            assert_eq!(process.0.wait().unwrap().code(), Some(0));
        } else {
            must(Command::new("kill").args([&format!("-{end}"), &helper.process.0.id().to_string()]));
            assert_eq!(helper.end(), (Some(0), String::new()));
        }
        assert!(!addresses(&host).contains("inet "), "{end}");
        assert_eq!(addresses(&host).contains(",UP"), before.contains(",UP"), "{end}");
    }
    // It is taken away as well where a port then fails.
    let _holder = hold(&lab, &host, "DGRAM", 67);
    let mut helper = Helper::start(&host);
    let (answer, _) = helper.ask(&request);
    assert_eq!((answer["failed"]["port"].as_u64(), helper.end().0), (Some(67), Some(3)));
    assert!(!addresses(&host).contains("inet "));
}

#[test]
fn other_dhcp_servers_are_asked_for_and_heard_by_who_has_fewer_rights() {
    if !ready("lent socket", &["dnsmasq", "udhcpc"]) {
        return;
    }
    let lab = Lab::new();
    let server = lab.server();
    let _office = office(&lab, Pace::Quick);
    let mut helper = Helper::start(&server);
    let (answer, mut sockets) = helper.ask(&with(everything("10.77.0.1"), "guard", json!(true)));
    assert_eq!((answer["opened"]["guard"].as_bool(), sockets.len()), (Some(true), 5), "{answer}");
    let end = sockets.pop().unwrap();
    sockopt::set_socket_timeout(&end, sockopt::Timeout::Recv, Some(Duration::from_secs(10))).unwrap();
    let own: Mac = card(&server).parse().unwrap();
    let send = |bytes: &[u8]| rustix::net::send(&end, bytes, SendFlags::NOSIGNAL).unwrap();
    let receive = || {
        let mut bytes = [0; 4096];
        let (read, _) = rustix::net::recv(&end, &mut bytes[..], rustix::net::RecvFlags::empty()).unwrap();
        bytes[..read].to_vec()
    };
    // Neither in another card's name nor anything else.
    send(&discover(Mac([2; 6]), 1).unwrap());
    send(b"junk");
    send(&discover(own, 7).unwrap());
    let heard = receive();
    assert_eq!(heard[..4], [10, 77, 0, 254], "who answered");
    let answer = probe::offer(&heard[10..], 7, own).expect("the answer to the one question that was let through");
    assert_eq!(answer.server, Ipv4Addr::new(10, 77, 0, 254));
    // What it says to everybody is heard as well; a switch keeps the rest from us.
    let client = lab.host("c", None);
    let said = std::thread::spawn(move || client.sh("udhcpc -i eth0 -B -n -q -f -t 3 -T 2 -s /bin/true"));
    let said_to_client =
        std::iter::repeat_with(receive).find_map(|heard| probe::said(&heard[10..]).filter(|said| said.client != own));
    assert!(said_to_client.is_some());
    said.join().unwrap();
    assert!(helper.runs());
    drop(std::mem::replace(&mut helper.channel, std::fs::File::open("/dev/null").unwrap().into()));
    assert_eq!(helper.end().0, Some(0));
}

#[test]
fn ipv6_routers_are_denied_as_long_as_somebody_holds_the_other_end() {
    if !ready("denying routers", &["python3"]) {
        return;
    }
    let lab = Lab::new();
    let (host, client) = (lab.server(), lab.host("c", None));
    let ask = || ask_for_routers(&client, &["sleep", "0.5"]).lines().count();
    let mut helper = Helper::start(&host);
    let (answer, sockets) = helper.ask(&with(everything("10.77.0.1"), "router", json!(true)));
    assert_eq!((answer["opened"]["router"].as_bool(), sockets.len()), (Some(true), 4), "{answer}");
    assert!(helper.runs());
    drop(sockets);
    assert_eq!(held(&host), [], "it keeps none of what it passed on");
    assert_eq!(ask(), 2);
    let Helper { mut process, channel } = helper;
    drop(channel);
    assert_eq!(process.0.wait().unwrap().code(), Some(0));
    assert_eq!(ask(), 0);
}

/// Runs this program's [`in_the_namespace`] as an ordinary user who has only these capabilities, with a stand-in for
/// pkexec whose script this is.
fn as_window(lab: &Lab, host: &Host, scene: &str, capabilities: &str, pkexec: &str) {
    let folder = lab.path(scene);
    std::fs::create_dir_all(&folder).unwrap();
    let script = folder.join("pkexec");
    std::fs::write(&script, format!("#!/bin/sh\n{pkexec}\n")).unwrap();
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::write(folder.join("undionly.kpxe"), "a loader").unwrap();
    let path = if pkexec.is_empty() { "/nowhere".into() } else { format!("{}:/usr/bin:/bin", folder.display()) };
    let mut command = host.command("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    command.args(["--inh-caps", capabilities, "--ambient-caps", capabilities, "env"]);
    command.args([&format!("PATH={path}"), &format!("SCENE={scene}"), &format!("FOLDER={}", folder.display())]);
    command.arg(std::env::current_exe().unwrap()).args(["--exact", "in_the_namespace", "--nocapture"]);
    let output = must(&mut command);
    assert!(output.contains("1 passed") && output.contains(&format!("did {scene}")), "{scene}: {output}");
}

/// Files of the lab belong to root.
const ORDINARY: &str = "+dac_override";
/// What pkexec would give, for a stand-in that gives nothing.
const ABLE: &str = "+dac_override,+net_bind_service,+net_admin,+sys_ptrace";

/// A stand-in that says yes, to the very program and argument that the policy is for.
fn yes() -> String {
    format!(
        "[ \"$#\" = 2 ] && [ -x \"$1\" ] && [ \"$2\" = helper ] && [ -z \"$SHELL\" ] || exit 99\nexec {} helper",
        program()
    )
}

#[test]
fn the_window_gets_its_sockets_by_way_of_pkexec() {
    if !ready("acquiring", &["python3", "setpriv"]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.server();
    as_window(&lab, &host, "rights", ORDINARY, &yes());
    as_window(&lab, &host, "none", ORDINARY, "");
    as_window(&lab, &host, "served", ABLE, &yes());
    as_window(&lab, &host, "unadvertised", ABLE, &yes());
    as_window(&lab, &host, "dismissed", ABLE, "echo 'Request dismissed' >&2; exit 126");
    as_window(&lab, &host, "unauthorised", ABLE, "echo 'Error: Not authorized' >&2; exit 127");
    as_window(&lab, &host, "words", ABLE, "echo 'it is'; echo 'broken' >&2; exit 5");
    as_window(&lab, &host, "garbage", ABLE, "echo garbage >&0; exec sleep 60");
    as_window(&lab, &host, "refused", ABLE, &yes());
    as_window(&lab, &host, "dropped", ABLE, &format!("echo $$ >{}; exec sleep 60", lab.path("pid").display()));
    let pid = std::fs::read_to_string(lab.path("pid")).unwrap();
    assert!(!Path::new("/proc").join(pid.trim()).exists(), "the question is taken away");
    assert_eq!(held(&host), []);
    let _holder = hold(&lab, &host, "STREAM", 80);
    as_window(&lab, &host, "second", ABLE, &yes());
    let bare = lab.host("b", None);
    as_window(&lab, &bare, "addressed", ABLE, &yes());
    assert!(!addresses(&bare).contains("inet "));
}

/// The part of the test above that runs as the window.
#[test]
fn in_the_namespace() {
    let Ok(scene) = std::env::var("SCENE") else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(play(&scene));
    #[allow(clippy::print_stdout, reason = "how its parent knows")]
    {
        println!("did {scene}");
    }
}

async fn play(scene: &str) {
    let own = if scene == "addressed" { "10.88.0.1/24" } else { "10.77.0.1/24" };
    let folder = std::path::PathBuf::from(std::env::var("FOLDER").unwrap());
    let plan = Plan {
        interface: "eth0".into(),
        network: own.parse().unwrap(),
        dhcp: DhcpPlan::Proxy,
        ports: Ports { dhcp: 67, pxe: 4011, tftp: 69, http: None },
        ..plan::on_loopback(&folder)
    };
    let request = engine::request(&plan);
    let acquire = async |request: &Request| {
        tokio::time::timeout(Duration::from_secs(30), privilege::acquire(request)).await.unwrap()
    };
    let eth0 = || interface::list().into_iter().find(|interface| interface.name == "eth0").unwrap();
    let rights = || privilege::rights(&eth0(), Ipv4Addr::new(10, 77, 0, 1), &request.ports());
    match scene {
        "rights" => {
            assert!(matches!(rights(), Rights::ByHelper), "{:?}", rights());
            let high = privilege::rights(&eth0(), Ipv4Addr::new(10, 77, 0, 1), &[(Transport::Udp, 4011)]);
            assert!(matches!(high, Rights::Present), "{high:?}");
            // The stand-in gives no rights, and what the helper then lacks is told as it is.
            let error = acquire(&request).await.unwrap_err();
            let PrivilegeError::Port { source, .. } = error else { panic!("{error:?}") };
            assert_eq!((source.port, source.source.kind()), (67, std::io::ErrorKind::PermissionDenied));
        }
        "none" => {
            assert!(matches!(rights(), Rights::Missing(PrivilegeError::NoPkexec)), "{:?}", rights());
            let error = acquire(&request).await.unwrap_err();
            assert!(matches!(error, PrivilegeError::NoPkexec), "{error:?}");
        }
        "served" | "second" => {
            assert!(matches!(rights(), Rights::Present), "{:?}", rights());
            let Grant { sockets, .. } = acquire(&request).await.unwrap();
            serve(&plan, sockets, if scene == "served" { 80 } else { 8080 }).await;
        }
        "unadvertised" => {
            let full = DhcpPlan::Full {
                range: Range { first: [10, 77, 0, 100].into(), last: [10, 77, 0, 110].into() },
                excluded: Default::default(),
                lease_file: std::env::temp_dir().join("unused-leases"),
                advertise: true,
                probe: false,
                beside: BTreeSet::new(),
            };
            let plan = Plan { dhcp: full, ..plan };
            let guests = Guests { deny: ["52:54:00:77:01:02".parse().unwrap()].into(), ..Guests::default() };
            assert!(!engine::request(&Plan { guests, ..plan.clone() }).router, "the helper would answer it");
            let request = engine::request(&plan);
            assert!(request.router);
            // Neither this scene nor its helper has the right to a packet socket. All the rest is served.
            let Grant { sockets, .. } = acquire(&request).await.unwrap();
            let mut running = engine::run_with(&plan, sockets);
            let update = running.next().await.unwrap();
            let Update::Listening(listening) = update else { panic!("{update:?}") };
            assert!(listening.unadvertised.is_some() && listening.dhcp_port == Some(67), "{listening:?}");
            running.stop().await;
        }
        "addressed" => {
            let request = Request { address: Some(plan.network), ..request };
            let mut grant = acquire(&request).await.unwrap();
            serve(&plan, std::mem::take(&mut grant.sockets), 80).await;
            assert_eq!(eth0().addresses, [plan.network]);
            grant.release().await;
            assert_eq!(eth0().addresses, []);
            // Dropping it does the same in its own time.
            drop(acquire(&request).await.unwrap());
            while !eth0().addresses.is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        "dismissed" => {
            let error = acquire(&request).await.unwrap_err();
            assert!(matches!(error, PrivilegeError::Dismissed), "{error:?}");
        }
        "unauthorised" => {
            let error = acquire(&request).await.unwrap_err();
            let PrivilegeError::NotAuthorised { reason } = error else { panic!("{error:?}") };
            assert_eq!(reason, "Error: Not authorized");
        }
        "words" => {
            let error = acquire(&request).await.unwrap_err();
            let PrivilegeError::Helper { reason } = error else { panic!("{error:?}") };
            assert_eq!(reason, "broken");
        }
        "garbage" => {
            let error = acquire(&request).await.unwrap_err();
            assert!(matches!(error, PrivilegeError::Helper { .. }), "{error:?}");
        }
        "refused" => {
            let error = acquire(&Request { tcp: vec![22], ..request }).await.unwrap_err();
            assert!(matches!(error, PrivilegeError::Refused(_)), "{error:?}");
        }
        "dropped" => {
            let asking = tokio::time::timeout(Duration::from_millis(500), privilege::acquire(&request)).await;
            assert!(asking.is_err(), "{asking:?}");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        other => panic!("{other}"),
    }
}

/// Runs a plan on these sockets until it listens, and stops it.
async fn serve(plan: &Plan, sockets: bootwright::net::socket::Sockets, http: u16) {
    assert!(!sockets.is_empty());
    let mut running = engine::run_with(plan, sockets);
    let update = running.next().await.unwrap();
    let Update::Listening(listening) = update else { panic!("{update:?}") };
    assert_eq!((listening.dhcp_port, listening.tftp_port, listening.http_port), (Some(67), 69, http));
    let holder = listening.port_taken.and_then(|taken| taken.holder);
    assert_eq!(holder.map(|holder| holder.program), (http != 80).then(|| "python3".to_owned()));
    running.stop().await;
}
