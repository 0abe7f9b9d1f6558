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

use bootwright::engine::probe::{PATIENCE, other_servers};
use bootwright::net::interface;
use lab::{Host, Lab, Process, must, ready};

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
    if !ready("survey", &["dnsmasq"]) {
        return;
    }
    let lab = Lab::new();
    let office = lab.host("o", Some("10.77.0.254/24"));
    let _server = dnsmasq(&lab, &office, "10.77.0.254", &["--no-ping", "--dhcp-boot=pxelinux.0"]);
    for (name, address) in [("a", Some("10.77.0.1/24")), ("b", None)] {
        let (said, spent) = probe(&lab.host(name, address), &[]);
        assert!(said.starts_with("Answered([Answer { server: 10.77.0.254, address: Some(10.77.0.1"), "{said}");
        assert!(said.ends_with("router: Some(10.77.0.254), boot_file: Some(\"pxelinux.0\") }])"), "{said}");
        assert!(spent < Duration::from_secs(2), "{spent:?}");
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
    if !ready("survey own", &["dnsmasq"]) {
        return;
    }
    let lab = Lab::new();
    let own = lab.server();
    let _server = dnsmasq(&lab, &own, lab::SERVER, &["--no-ping"]);
    assert_eq!(probe(&own, &[]).0, "Nobody");
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
fn a_client_that_shares_the_port_is_no_hindrance_and_another_is_named() {
    if !ready("survey held", &["dnsmasq", "python3"]) {
        return;
    }
    let lab = Lab::new();
    let office = lab.host("o", Some("10.77.0.254/24"));
    let _server = dnsmasq(&lab, &office, "10.77.0.254", &["--no-ping"]);
    let server = lab.server();
    for (share, wanted) in [(1, "Answered([Answer { server: 10.77.0.254"), (0, "Unable(Held { holder: Some(Holder {")] {
        let ready = lab.path(&format!("ready-{share}"));
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
        let (said, _) = probe(&server, &[]);
        assert!(said.starts_with(wanted), "{said}");
        assert!(share == 1 || said.contains("program: \"python3"), "{said}");
    }
}
