//! What keeps a computer, provoked with real firmware: the log says it, with what was seen and what to do.
//!
//! Each test prints the log of its boot and the sentence that it yielded.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

mod lab;

use std::time::Duration;

use lab::boot::{MEMTEST, MEMTEST_RUNS, SHORT, first_entry};
use lab::office::{Pace, office, started};
use lab::pack::{installer, installer_disc, own_loaders};
use lab::vm::{Firmware, Vm};
use lab::{Host, Lab, Process, SERVER, Server, fetched, must};
use serde_json::Value;

/// Waits until the log tells this cause of the computer, prints it, and returns it.
fn told(server: &Server, computer: &Vm, cause: &str) -> Value {
    let is =
        |line: &Value| line["event"] == "diagnosis" && line["cause"] == cause && line["mac"] == computer.mac.as_str();
    server.expect(&[cause]);
    let found = server.wait_long(cause, SHORT, is);
    server.tell(&computer.mac);
    println!("  {cause}: {}", found["text"].as_str().expect("a sentence"));
    found
}

fn says(line: &Value, part: &str) {
    let text = line["text"].as_str().unwrap_or_default();
    assert!(text.contains(part), "{part:?} is not in {text:?}");
}

/// Drops what this rule of nftables matches where the server runs.
fn drop_packets(host: &Host, chain: &str, rule: &str) {
    let table = format!("table ip provoked {{ chain c {{ type filter hook {chain} priority 0; {rule} drop; }}\n}}\n");
    must(host.command("nft").arg(&table));
}

#[test]
fn requests_for_files_that_a_firewall_drops() {
    if !Firmware::EfiX64.ready("port 69 dropped", &["nft", MEMTEST]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.server();
    drop_packets(&host, "input", "udp dport 69");
    let server = Server::start(&lab, &host, &first_entry("full", MEMTEST));
    let computer = Vm::start(&lab, 1, Firmware::EfiX64, 256);
    let cause = told(&server, &computer, "no-file-asked");
    assert_eq!(cause["likelihood"], "likely");
    says(&cause, "Let UDP 69 in through the firewall of this computer");
    assert_eq!(server.trouble(&computer.mac), ["no-file-asked"]);
    server.stop();
}

/// Answers come from a port of their own, which a firewall that knows 69 alone does not let out.
#[test]
fn files_that_a_firewall_keeps_in() {
    if !Firmware::EfiX64.ready("data port dropped", &["nft", MEMTEST]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.server();
    drop_packets(&host, "output", "udp sport 1024-65535 udp dport 1024-65535");
    let server = Server::start(&lab, &host, &first_entry("full", MEMTEST));
    let computer = Vm::start(&lab, 1, Firmware::EfiX64, 256);
    let cause = told(&server, &computer, "transfer-port-blocked");
    says(&cause, "any UDP port");
    assert_eq!(server.trouble(&computer.mac), ["transfer-port-blocked"]);
    server.stop();
}

#[test]
fn a_way_that_loses_large_packets() {
    if !Firmware::EfiX64.ready("MTU 1300", &[MEMTEST]) {
        return;
    }
    let lab = Lab::new();
    let server = Server::start(&lab, &lab.server(), &first_entry("full", MEMTEST));
    let computer = Vm::start(&lab, 1, Firmware::EfiX64, 256);
    lab.switch().ip("link set tap1 mtu 1300");
    let cause = told(&server, &computer, "large-packets-lost");
    says(&cause, "blocks of 1468 bytes");
    // The less likely explanation of the same silence.
    told(&server, &computer, "transfer-port-blocked");
    assert_eq!(server.trouble(&computer.mac), ["large-packets-lost", "transfer-port-blocked"]);
    server.stop();
}

#[test]
fn a_system_that_does_not_fit_into_memory() {
    let kernel = installer("amd64", "linux");
    if !Firmware::Bios.ready("too little memory", &["xorriso", &kernel]) {
        return;
    }
    let lab = Lab::new();
    let disc = installer_disc(&lab, "amd64");
    let server = Server::start(&lab, &lab.server(), &first_entry("full", &disc));
    let mut computer = Vm::start(&lab, 1, Firmware::Bios, 40);
    let cause = told(&server, &computer, "too-little-memory");
    assert_eq!(cause["likelihood"], "certain");
    computer.wait_for("No space left", SHORT);
    says(&cause, "It has 40 MiB of memory. Kernel and initrd of");
    server.stop();
}

/// A file that its menu names is withdrawn while the computer looks at the menu, since its image was written to.
#[test]
fn an_image_that_is_changed_meanwhile() {
    if !Firmware::Bios.ready("missing file", &[MEMTEST]) {
        return;
    }
    let lab = Lab::new();
    let image = lab.path("memtest.iso");
    std::fs::copy(MEMTEST, &image).expect("a copy");
    let image = image.display().to_string();
    let server = Server::start(
        &lab,
        &lab.server(),
        &["--dhcp", "full", "--image", &image, "--default", "1", "--menu-timeout", "10"],
    );
    let computer = Vm::start(&lab, 1, Firmware::Bios, 128);
    server.wait_long("menu", SHORT, |line| line["event"] == "menu");
    std::fs::write(&image, vec![0; 100_000]).expect("written");
    let cause = told(&server, &computer, "file-missing");
    says(&cause, "image/");
    says(&cause, "changed or removed");
    assert_eq!(server.trouble(&computer.mac), ["file-missing"]);
    server.stop();
}

#[test]
fn a_menu_that_is_left_alone() {
    if !Firmware::Bios.ready("menu left alone", &[MEMTEST]) {
        return;
    }
    let lab = Lab::new();
    let options = ["--dhcp", "full", "--image", MEMTEST, "--menu-timeout", "5"];
    let server = Server::start(&lab, &lab.server(), &options);
    let computer = Vm::start(&lab, 1, Firmware::Bios, 128);
    let waits = told(&server, &computer, "waiting-in-menu");
    says(&waits, "After 5 s its own disk starts by itself.");
    let over = told(&server, &computer, "menu-timed-out");
    says(&over, "after 5 s its own disk started");
    assert_eq!(server.trouble(&computer.mac), Vec::<String>::new());
    server.stop();
}

/// Its loader comes by TFTP, and then its menu does not come by HTTP.
#[test]
fn a_menu_that_a_firewall_drops() {
    if !Firmware::PlainRom.ready("port 80 dropped", &["nft", MEMTEST]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.server();
    drop_packets(&host, "input", "tcp dport 80");
    let server = Server::start(&lab, &host, &first_entry("full", MEMTEST));
    let computer = Vm::start(&lab, 1, Firmware::PlainRom, 128);
    let cause = told(&server, &computer, "no-file-asked");
    says(&cause, "Let TCP 80 in");
    assert!(fetched(&server.about(&computer.mac)).contains(&"undionly.kpxe".to_owned()));
    assert_eq!(server.trouble(&computer.mac), ["no-file-asked"]);
    server.stop();
}

#[test]
fn an_ipxe_without_http_that_gets_no_other() {
    if !Firmware::CutIpxe.ready("iPXE without HTTP", &["nft", MEMTEST]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.server();
    drop_packets(&host, "input", "udp dport 69");
    let server = Server::start(&lab, &host, &first_entry("full", MEMTEST));
    let computer = Vm::start(&lab, 1, Firmware::CutIpxe, 128);
    let cause = told(&server, &computer, "ipxe-without-http");
    assert_eq!(cause["likelihood"], "likely");
    says(&cause, "In VirtualBox install the extension pack");
    assert_eq!(server.trouble(&computer.mac), ["ipxe-without-http"]);
    server.stop();
}

/// This firmware is told to ask the boot server where it asks again, since the answer to its first question was lost.
#[test]
fn a_boot_server_whose_answer_a_firewall_keeps_in() {
    if !Firmware::EfiX64.ready("port 4011 dropped", &["nft", "dnsmasq", MEMTEST]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.server();
    drop_packets(&host, "output", "udp sport 4011");
    // So much is one answer.
    must(host.command("nft").arg("add rule ip provoked c udp sport 67 quota until 600 bytes drop"));
    let server = Server::start(&lab, &host, &first_entry("proxy", MEMTEST));
    let computer = Vm::start(&lab, 1, Firmware::EfiX64, 256);
    server.wait_long("question", SHORT, |line| line["event"] == "offered");
    let _office = office(&lab, Pace::Quick);
    let cause = told(&server, &computer, "silent-after-boot-server");
    says(&cause, "asked on port 4011 3 times, was told snponly.efi");
    assert_eq!(server.trouble(&computer.mac), ["silent-after-boot-server"]);
    server.stop();
}

/// A switch that looks for loops lets nothing through for half a minute, while the firmware asks already.
#[test]
fn a_switch_that_learns_first() {
    if !Firmware::EfiX64.ready("spanning tree", &[MEMTEST]) {
        return;
    }
    let lab = Lab::new();
    let server = Server::start(&lab, &lab.server(), &first_entry("full", MEMTEST));
    // The port of the server forwards already; that of a computer which is switched on from now on learns first.
    lab.switch().ip("link set br0 type bridge stp_state 1 forward_delay 1500");
    let computer = Vm::start(&lab, 1, Firmware::EfiX64, 256);
    let cause = told(&server, &computer, "switch-slow");
    says(&cause, "PortFast");
    server.wait_long("loader", SHORT, |line| line["stage"] == "loader");
    assert_eq!(server.trouble(&computer.mac), ["switch-slow"]);
    server.stop();
}

/// dnsmasq as a relay agent, which passes the questions of one network on to the server in another.
fn relay(lab: &Lab, host: &Host, address: &str) -> Process {
    let pid = lab.path("relay-pid");
    let mut command = host.command("dnsmasq");
    command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--user=root"]);
    command.arg(format!("--dhcp-relay={address},{SERVER}")).arg(format!("--pid-file={}", pid.display()));
    started(&mut command, &pid)
}

#[test]
fn a_router_that_passes_questions_on() {
    if !Firmware::Bios.ready("relay", &["dnsmasq", MEMTEST]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.server();
    // The server's network is another one than that of the computers, and the router is in both.
    let (switch, router) = (lab.switch(), lab.host("r", Some("10.78.0.1/24")));
    switch.ip("link add br1 type bridge forward_delay 0 stp_state 0 mcast_snooping 0");
    switch.ip("link set br1 up");
    switch.ip("link set p1 master br1");
    switch.ip(&format!("link add q1 type veth peer name eth1 netns {}", router.name));
    switch.ip("link set q1 master br1 up");
    router.ip("addr add 10.77.0.9/24 dev eth1");
    router.ip("link set eth1 up");
    let server = Server::start(&lab, &host, &first_entry("full", MEMTEST));
    let _relay = relay(&lab, &router, "10.78.0.1");
    let computer = Vm::start(&lab, 1, Firmware::Bios, 128);
    let cause = told(&server, &computer, "relay-elsewhere");
    says(&cause, "Connect it to the network that is served here");
    let seen = told(&server, &computer, "relay-seen");
    says(&seen, "10.78.0.1");
    assert_eq!(server.trouble(&computer.mac), ["relay-elsewhere"]);
    server.stop();
}

/// One in the network that is served, as some switches have it: that is no trouble.
#[test]
fn a_switch_that_passes_questions_on() {
    if !Firmware::Bios.ready("relay in the network", &["dnsmasq", MEMTEST]) {
        return;
    }
    let lab = Lab::new();
    let server = Server::start(&lab, &lab.server(), &first_entry("full", MEMTEST));
    let _relay = relay(&lab, &lab.host("r", Some("10.77.0.9/24")), "10.77.0.9");
    let mut computer = Vm::start(&lab, 1, Firmware::Bios, 128);
    let seen = told(&server, &computer, "relay-seen");
    says(&seen, "10.77.0.9");
    computer.wait_for(MEMTEST_RUNS, SHORT);
    assert_eq!(server.trouble(&computer.mac), Vec::<String>::new());
    server.stop();
}

/// The firmware asks by TFTP how large it is and stops there, and loads it by HTTP.
#[test]
fn a_loader_without_a_byte() {
    if !Firmware::EfiX64.ready("empty loader", &[MEMTEST]) {
        return;
    }
    let lab = Lab::new();
    let folder = own_loaders(&lab);
    std::fs::write(folder.join("snponly.efi"), []).expect("a file");
    let server = Server::start_with(&lab, &lab.server(), &folder, &first_entry("full", MEMTEST));
    let computer = Vm::start(&lab, 1, Firmware::EfiX64, 256);
    let cause = told(&server, &computer, "file-empty");
    says(&cause, "snponly.efi, which has no bytes");
    server.wait_long("loader by HTTP", SHORT, |line| line["event"] == "http-done");
    assert_eq!(server.trouble(&computer.mac), ["file-empty"]);
    server.stop();
}

/// Another server appears while addresses are given, and the computer never sees our offers: it takes that one's.
#[test]
fn another_server_that_is_taken() {
    if !Firmware::Bios.ready("second server", &["nft", "dnsmasq", MEMTEST]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.server();
    drop_packets(&host, "output", "udp sport 67");
    let server = Server::start(&lab, &host, &first_entry("full", MEMTEST));
    let computer = Vm::start(&lab, 1, Firmware::Bios, 128);
    server.wait_long("question", SHORT, |line| line["event"] == "offered");
    let _office = office(&lab, Pace::Quick);
    let cause = told(&server, &computer, "other-server-won");
    says(&cause, "10.77.0.254");
    assert_eq!(server.trouble(&computer.mac), ["other-server-won"]);
    server.stop();
}

#[test]
#[ignore = "waits for two minutes; packaging/test.sh --all"]
fn nobody_at_all() {
    if !lab::ready("nobody", &[]) {
        return;
    }
    let lab = Lab::new();
    let server = Server::start(&lab, &lab.server(), &["--dhcp", "full", "--image", MEMTEST]);
    let is = |line: &Value| line["event"] == "diagnosis" && line["cause"] == "nothing-arrives";
    let cause = server.wait_long("a hint", Duration::from_secs(180), is);
    println!("  nothing-arrives: {}", cause["text"]);
    says(&cause, "Nobody has asked for 2 minutes.");
    server.stop();
}
