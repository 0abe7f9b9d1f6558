//! Other DHCP servers, met while we hand out addresses: dnsmasq in a namespace of its own, real clients in others.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may stop at the first surprise")]

mod lab;

use lab::office::{Pace, office};
use lab::{Host, Lab, Server, ready};

const OFFICE: &str = "10.77.0.254";
const FULL: [&str; 6] = ["--dhcp", "full", "--range", "10.77.0.20-10.77.0.40", "--probe", "on"];

/// The address that a client gets and the server that it got it from, as udhcpc tells.
fn lease(host: &Host) -> Option<(String, String)> {
    let output = host.sh("udhcpc -i eth0 -n -q -f -t 4 -T 2 -s /bin/true 2>&1");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, rest) = text.split_once("lease of ")?;
    let mut words = rest.split_whitespace();
    let address = words.next()?.to_owned();
    let server = words.skip_while(|word| *word != "from").nth(1)?.trim_end_matches(',').to_owned();
    Some((address, server))
}

/// How often clients that are none of ours were offered an address by us.
fn offers(server: &Server) -> usize {
    server.lines().iter().filter(|line| line["event"] == "offered" && line["address"].is_string()).count()
}

#[test]
fn a_server_that_appears_while_we_serve_ends_the_handing_out() {
    if !ready("guard", &["dnsmasq", "udhcpc"]) {
        return;
    }
    let lab = Lab::new();
    let server = Server::start(&lab, &lab.server(), &FULL);
    let (ours, late) = (lab.host("c", None), lab.host("d", None));
    let (kept, from) = lease(&ours).expect("a lease");
    assert!(kept.starts_with("10.77.0.") && from == lab::SERVER, "{kept} from {from}");
    let _office = office(&lab, Pace::Quick);
    // Both may offer once; the first word of the other one ends it.
    let (_, from) = lease(&late).expect("a lease");
    let told = server.wait("the other server", |line| line["event"] == "foreign-server");
    assert_eq!(told["server"], OFFICE);
    assert!(told["text"].as_str().is_some_and(|text| text.contains(OFFICE) && text.contains("proxy")), "{told}");
    let before = offers(&server);
    for name in ["e", "f", "g"] {
        let host = lab.host(name, None);
        let (address, from) = lease(&host).expect("a lease");
        assert_eq!(from, OFFICE, "{address}");
    }
    assert_eq!(offers(&server), before, "nobody is offered anything any more");
    assert!(from == OFFICE || from == lab::SERVER, "{from}");
    // Each client has one address, and who had ours keeps it until it asks anew.
    let granted = |line: &serde_json::Value| line["event"] == "granted" && line["address"].is_string();
    assert!(server.lines().iter().filter(|line| granted(line)).count() <= 2);
    // Only who chose our own offer, made just before, is told to ask anew.
    let refused = |line: &&serde_json::Value| line["event"] == "refused";
    assert!(server.lines().iter().filter(refused).all(|line| line["reason"] == "other-server"));
    server.stop();
}

#[test]
fn a_server_that_is_there_before_is_found_before_the_first_address() {
    if !ready("guard", &["dnsmasq", "udhcpc"]) {
        return;
    }
    let lab = Lab::new();
    // The slow one answers after three seconds, as a server does that pings an address first.
    let _office = office(&lab, Pace::Late);
    let host = lab.server();
    let server = Server::start(&lab, &host, &FULL);
    let (_, from) = lease(&lab.host("c", None)).expect("a lease");
    assert_eq!(from, OFFICE);
    let told = server.wait("the other server", |line| line["event"] == "foreign-server");
    assert!(told["mac"].as_str().is_some_and(|mac| mac.starts_with("52:54:00:77:00:")), "{told}");
    assert_eq!(offers(&server), 0);
    server.stop();
    // By the person's own word, and for that very server.
    let options = [&FULL[..], &["--beside", OFFICE]].concat();
    let server = Server::start(&lab, &host, &options);
    // The first may get the other one's address while the network is still asked; nobody asks it for four seconds.
    lease(&lab.host("d", None)).expect("a lease");
    let (_, from) = lease(&lab.host("e", None)).expect("a lease");
    assert_eq!(from, lab::SERVER, "which answers at once, and the other one after three seconds");
    assert!(server.lines().iter().all(|line| line["event"] != "foreign-server"));
    server.stop();
}
