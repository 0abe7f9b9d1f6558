//! Asking a network for DHCP servers, against dnsmasq in namespaces.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

mod lab;

use std::time::{Duration, Instant};

use bootwright::dhcp::probe::discover;
use bootwright::engine::probe::{PATIENCE, other_servers};
use bootwright::net::interface;
use lab::{Host, Lab, Process, must, ready};

/// Before a program: root, but without the right for packet sockets.
const PORT_ONLY: &[&str] = &["setpriv", "--bounding-set=-net_raw"];

/// dnsmasq at this address, giving out addresses of its network. It is ready when this returns.
fn dnsmasq(lab: &Lab, host: &Host, address: &str, options: &[&str]) -> Process {
    let (network, _) = address.rsplit_once('.').unwrap();
    let file = |kind: &str| lab.path(&format!("{}-{kind}", host.name));
    let mut command = host.command("dnsmasq");
    command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--user=root"]);
    command.arg(format!("--dhcp-range={network}.100,{network}.199,255.255.255.0,1h"));
    command.arg(format!("--dhcp-leasefile={}", file("leases").display()));
    command.arg(format!("--pid-file={}", file("pid").display())).args(options);
    let server = Process::start(&mut command);
    let until = Instant::now() + Duration::from_secs(10);
    while !file("pid").exists() {
        assert!(Instant::now() < until, "dnsmasq does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    server
}

/// What the probe says in this namespace, and how long it took. `before` goes before the program: another user, say.
fn probe(host: &Host, before: &[&str]) -> (String, Duration) {
    let this = std::env::current_exe().unwrap();
    let mut command = host.command("env");
    command.arg("BOOTWRIGHT_PROBE=eth0").args(before).arg(this);
    let output = must(command.args(["--exact", "child_probe", "--nocapture", "--ignored"]));
    let line = output.lines().find_map(|line| line.split_once("PROBE ")).unwrap_or_else(|| panic!("{output}")).1;
    let (millis, said) = line.split_once(' ').unwrap();
    println!("    {millis} ms: {said}");
    (said.to_owned(), Duration::from_millis(millis.parse().unwrap()))
}

/// Not a test by itself: the library inside a namespace, for the others.
#[test]
#[ignore = "run by the other tests, in a namespace"]
fn child_probe() {
    let Ok(name) = std::env::var("BOOTWRIGHT_PROBE") else { return };
    let interface = interface::list().into_iter().find(|interface| interface.name == name).expect("the interface");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let started = Instant::now();
    let said = runtime.block_on(other_servers(&interface, PATIENCE));
    println!("\nPROBE {} {said:?}", started.elapsed().as_millis());
}

#[test]
fn a_server_is_found_with_and_without_an_address_of_our_own() {
    if !ready("survey", &["dnsmasq", "setpriv"]) {
        return;
    }
    let lab = Lab::new();
    let office = lab.host("o", Some("10.77.0.254/24"));
    let _server = dnsmasq(&lab, &office, "10.77.0.254", &["--no-ping", "--dhcp-boot=pxelinux.0"]);
    for (name, address) in [("a", Some("10.77.0.1/24")), ("b", None)] {
        let host = lab.host(name, address);
        for rights in [&[][..], PORT_ONLY] {
            let (said, spent) = probe(&host, rights);
            assert!(
                said.starts_with("Answered([Answer { server: 10.77.0.254") && said.contains("address: Some(10.77.0.1"),
                "{said}"
            );
            assert!(said.ends_with("router: Some(10.77.0.254), boot_file: Some(\"pxelinux.0\") }])"), "{said}");
            assert!(spent < Duration::from_secs(2), "{spent:?}");
        }
    }
}

/// The accident to prevent: the address of the bench is still set, and the cable is in the office.
#[test]
fn a_server_of_another_network_is_found_whoever_checks_the_way_back() {
    if !ready("survey other network", &["dnsmasq"]) {
        return;
    }
    let lab = Lab::new();
    let office = lab.host("o", Some("192.168.1.1/24"));
    let _server = dnsmasq(&lab, &office, "192.168.1.1", &["--no-ping"]);
    let server = lab.server();
    let found = || {
        let (said, _) = probe(&server, &[]);
        assert!(
            said.starts_with("Answered([Answer { server: 192.168.1.1") && said.contains("address: Some(192.168.1.1"),
            "{said}"
        );
    };
    for (ours, theirs) in [(0, 0), (1, 0), (2, 0), (0, 1), (0, 2)] {
        println!("  rp_filter {ours} here, {theirs} there");
        for (host, check) in [(&server, ours), (&office, theirs)] {
            must(host.command("sysctl").args(["-qw", &format!("net.ipv4.conf.all.rp_filter={check}")]));
        }
        found();
    }
    if server.sh("command -v nft").status.success() {
        println!("  a firewall that lets nothing in or out");
        let rules = "add table ip t; add chain ip t i { type filter hook input priority 0; policy drop; }; \
                     add chain ip t o { type filter hook output priority 0; policy drop; }";
        must(server.command("nft").arg(rules));
        found();
    }
}

#[test]
fn a_server_that_pings_first_is_waited_for() {
    if !ready("survey ping", &["dnsmasq"]) {
        return;
    }
    let lab = Lab::new();
    let office = lab.host("o", Some("10.77.0.254/24"));
    let _server = dnsmasq(&lab, &office, "10.77.0.254", &[]);
    let (said, spent) = probe(&lab.server(), &[]);
    assert!(said.starts_with("Answered([Answer { server: 10.77.0.254"), "{said}");
    assert!(spent > Duration::from_secs(2), "it did not ping: {spent:?}");
}

/// A download fills a socket's buffer as fast as it is read, and faster on a slow computer: here nobody reads.
#[test]
fn on_a_busy_line_there_is_room_for_an_offer() {
    if !ready("survey busy", &["dnsmasq", "python3"]) {
        return;
    }
    let lab = Lab::new();
    let office = lab.host("o", Some("10.77.0.254/24"));
    let server = lab.server();
    let _dhcp = dnsmasq(&lab, &office, "10.77.0.254", &["--no-ping"]);
    let flood = format!(
        "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n\
         while True: s.sendto(bytes(1000), ('{}', 4011))\n",
        lab::SERVER
    );
    let _download = Process::start(office.command("python3").args(["-c", &flood]));
    let this = std::env::current_exe().unwrap();
    let mut command = server.command("env");
    command.arg("BOOTWRIGHT_BUSY=eth0").arg(this).args(["--exact", "child_busy", "--nocapture", "--ignored"]);
    must(&mut command);
}

/// The socket inside a namespace, read long after the offer came.
#[test]
#[ignore = "run by another test, in a namespace"]
fn child_busy() {
    use bootwright::net::platform::ClientSocket;
    let Ok(name) = std::env::var("BOOTWRIGHT_BUSY") else { return };
    let interface = interface::list().into_iter().find(|interface| interface.name == name).expect("the interface");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (_, from, mac) = runtime.block_on(async {
        let socket = ClientSocket::open(&interface).expect("a socket");
        std::thread::sleep(Duration::from_secs(1));
        socket.ask(&discover(interface.mac.expect("an address"), 7).expect("a question")).await.expect("sent");
        std::thread::sleep(Duration::from_secs(1));
        tokio::time::timeout(Duration::from_secs(1), socket.heard()).await.expect("an offer").expect("a socket")
    });
    assert_eq!(from.to_string(), "10.77.0.254");
    assert!(mac.is_some_and(|mac| mac.to_string().starts_with("52:54:00:77:00:")), "{mac:?}");
}

#[test]
fn where_nobody_answers_it_ends_in_time() {
    if !ready("survey nobody", &["ip"]) {
        return;
    }
    let (said, spent) = probe(&Lab::new().server(), &[]);
    assert_eq!(said, "Nobody");
    assert!(spent >= PATIENCE && spent < PATIENCE + Duration::from_secs(1), "{spent:?}");
}

#[test]
fn two_servers_are_both_found() {
    if !ready("survey two", &["dnsmasq"]) {
        return;
    }
    let lab = Lab::new();
    let (one, two) = (lab.host("o", Some("10.77.0.253/24")), lab.host("p", Some("10.77.0.254/24")));
    let _one = dnsmasq(&lab, &one, "10.77.0.253", &["--no-ping"]);
    let _two = dnsmasq(&lab, &two, "10.77.0.254", &["--no-ping"]);
    let (said, _) = probe(&lab.server(), &[]);
    assert_eq!(said.matches("Answer {").count(), 2, "{said}");
    assert!(said.contains("server: 10.77.0.253") && said.contains("server: 10.77.0.254"), "{said}");
}

#[test]
fn our_own_server_is_no_other() {
    if !ready("survey own", &["dnsmasq", "setpriv"]) {
        return;
    }
    let lab = Lab::new();
    let own = lab.server();
    let _server = dnsmasq(&lab, &own, lab::SERVER, &["--no-ping"]);
    for rights in [&[][..], PORT_ONLY] {
        assert_eq!(probe(&own, rights).0, "Nobody");
    }
}

#[test]
fn without_rights_it_says_so() {
    if !ready("survey rights", &["setpriv"]) {
        return;
    }
    let (said, _) = probe(&Lab::new().server(), &["setpriv", "--reuid=65534", "--clear-groups"]);
    assert_eq!(said, "Unable(NoRights)");
}

#[test]
fn only_without_packet_sockets_is_a_client_that_does_not_share_the_port_in_the_way() {
    if !ready("survey held", &["dnsmasq", "setpriv", "python3"]) {
        return;
    }
    let lab = Lab::new();
    let office = lab.host("o", Some("10.77.0.254/24"));
    let _server = dnsmasq(&lab, &office, "10.77.0.254", &["--no-ping"]);
    let server = lab.server();
    let (found, held) = ("Answered([Answer { server: 10.77.0.254", "Unable(Held { holder: Some(Holder {");
    for (share, rights, wanted) in [(1, PORT_ONLY, found), (0, PORT_ONLY, held), (0, &[][..], found)] {
        let ready = lab.path(&format!("ready-{share}-{}", rights.len()));
        let script = format!(
            "import socket, signal\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n\
             s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, {share})\ns.bind(('', 68))\n\
             open('{}', 'w').close()\nsignal.pause()\n",
            ready.display()
        );
        let _holder = Process::start(server.command("python3").args(["-c", &script]));
        while !ready.exists() {
            std::thread::sleep(Duration::from_millis(20));
        }
        let (said, _) = probe(&server, rights);
        assert!(said.starts_with(wanted), "{said}");
        assert!(wanted == found || said.contains("program: \"python3"), "{said}");
    }
}
