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

use lab::boot::{MEMTEST, SHORT, first_entry};
use lab::pack::{installer, installer_disc};
use lab::vm::{Firmware, Vm};
use lab::{Host, Lab, Server, must};
use serde_json::Value;

/// Waits until the log tells this cause of the computer, prints it, and returns it.
fn told(server: &Server, computer: &Vm, cause: &str) -> Value {
    let is =
        |line: &Value| line["event"] == "diagnosis" && line["cause"] == cause && line["mac"] == computer.mac.as_str();
    server.expect(cause);
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
    server.expect("transfer-port-blocked");
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
