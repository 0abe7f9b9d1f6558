//! Secure Boot: OVMF with Microsoft's keys starts what Microsoft has signed, and nothing else. Debian's shim and signed GRUB
//! bring it to a kernel that Debian has signed; what is unsigned or damaged is refused, and the log says so.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

mod lab;

use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use lab::boot::{LONG, MEMTEST, REFUSED, SHORT, came_whole, first_entry, in_order, live_iso, no_address};
use lab::office::{Pace, office};
use lab::pack::{self, installer};
use lab::vm::{Firmware, Options, Vm};
use lab::{Lab, Server, fetched, loaders};
use serde_json::Value;

/// What Linux says of itself where it was started with Secure Boot on (`drivers/firmware/efi/secureboot.c`; Debian's kernel
/// has this line beside the former's).
const SECURE: &str = "ecure boot enabled";
/// What the log says of a loader that firmware does not trust.
const NOT_TRUSTED: &str = "signature refused?";

fn ready(test: &str, more: &[&str]) -> bool {
    let chain = ["shimx64.efi", "grubx64.efi", "manifest.json"].map(|name| loaders().join(name).display().to_string());
    let chain = chain.each_ref().map(String::as_str);
    Firmware::EfiX64Secure.ready(test, &[&chain, more].concat())
}

/// By shim and GRUB to the login prompt, with the kernel's word that Secure Boot is on.
fn live_to_login(lab: &Lab, dhcp: &str, image: &str, loaders: &[(&str, &str)]) -> Vec<Value> {
    let options = [&first_entry(dhcp, image)[..], &["--loader", "signed"]].concat();
    let server = Server::start(lab, &lab.server(), &options);
    if dhcp == "proxy" {
        // It is told nothing by PXE, and comes by HTTP.
        server.expect(&["no-boot-file"]);
    }
    let _office = (dhcp == "proxy").then(|| office(lab, Pace::Quick));
    let mut computer = Vm::start(lab, 1, Firmware::EfiX64Secure, 2048);
    computer.wait_for(SECURE, LONG);
    computer.wait_for("login:", LONG);
    server.tell(&computer.mac);
    let story = server.about(&computer.mac);
    let system = [
        ("menu", ""),
        ("tftp-done", "image/debian-live/live/vmlinuz"),
        ("tftp-done", "image/debian-live/live/initrd.img"),
        ("http-done", "image/debian-live/live/filesystem.squashfs"),
    ];
    in_order(&story, &[&[("asked", ""), ("offered", "")][..], loaders, &system].concat());
    came_whole(&story);
    assert!(!fetched(&story).iter().any(|file| file.ends_with("ipxe.efi") || file.ends_with("snponly.efi")));
    server.stop();
    story
}

#[test]
#[ignore = "takes more than three minutes; packaging/test.sh --all"]
fn a_signed_chain_boots_a_live_system() {
    let Some(image) = live_iso("Secure Boot") else { return };
    if ready("Secure Boot", &[]) {
        let chain = [("tftp-done", "shimx64.efi"), ("tftp-done", "grubx64.efi")];
        let story = live_to_login(&Lab::new(), "full", &image, &chain);
        in_order(&story, &[("stage", "kernel"), ("stage", "handed-over")]);
    }
}

/// GRUB would look for its menu at the server that gave the address. So the computer is told nothing by PXE, and goes on to
/// HTTP Boot by itself, where both come on a disk on which it is written where we are.
#[test]
#[ignore = "takes more than three minutes; packaging/test.sh --all"]
fn a_signed_chain_boots_a_live_system_beside_another_dhcp_server() {
    let Some(image) = live_iso("Secure Boot, proxy") else { return };
    if ready("Secure Boot, proxy", &["dnsmasq"]) {
        let story = live_to_login(&Lab::new(), "proxy", &image, &[("http-done", "signed-x64.img")]);
        no_address(&story);
        assert!(story.iter().any(|line| line["event"] == "no-boot-file" && says(line, "by HTTP only")), "by PXE");
    }
}

/// The first try is refused, the one after it by HTTP is not led anywhere, and after a reset the signed chain boots.
#[test]
fn a_computer_that_refuses_a_loader_gets_a_signed_one() {
    let kernel = installer("amd64", "linux");
    if !ready("Secure Boot, ladder", &["xorriso", &kernel]) {
        return;
    }
    let lab = Lab::new();
    let image = pack::installer_disc(&lab, "amd64");
    let options = [&first_entry("full", &image)[..], &["--loader", "auto"]].concat();
    let server = Server::start(&lab, &lab.server(), &options);
    server.expect(&[&REFUSED[..], &["no-boot-file"]].concat());
    let options = Options { resets: true, ..Options::default() };
    let mut computer = Vm::start_with(&lab, 1, Firmware::EfiX64Secure, 1024, &options);
    let refused = server.wait_long("refusal", SHORT, |line| line["event"] == "loader-refused");
    assert_eq!(refused["file"], "snponly.efi");
    assert!(says(&refused, NOT_TRUSTED), "{refused}");
    server.wait_long("HTTP Boot", SHORT, |line| line["event"] == "no-boot-file" && says(line, "by PXE only"));
    let before = server.about(&computer.mac);
    assert!(fetched(&before).iter().all(|file| file == "snponly.efi"), "{:?}", fetched(&before));

    computer.reset();
    computer.wait_for(SECURE, LONG);
    server.tell(&computer.mac);
    let story = server.about(&computer.mac).split_off(before.len());
    in_order(
        &story,
        &[
            ("offered", ""),
            ("tftp-done", "shimx64.efi"),
            ("tftp-done", "grubx64.efi"),
            ("menu", ""),
            ("stage", "kernel"),
        ],
    );
    let offered = story.iter().find(|line| line["event"] == "offered").expect("an offer");
    assert_eq!(offered["boot"]["file"], "shimx64.efi");
    assert!(says(&offered["boot"], "it did not start iPXE"), "{offered}");
    assert!(!fetched(&story).contains(&"snponly.efi".to_owned()), "{:?}", fetched(&story));
    server.record("secure-boot-ladder");
    server.stop();
}

/// Whether any text of a line has this in it.
fn says(line: &Value, text: &str) -> bool {
    line.as_object().is_some_and(|line| line.values().any(|value| value.as_str().is_some_and(|it| it.contains(text))))
}

/// The loaders with one byte of one of them flipped, in its code.
fn damaged(lab: &Lab, name: &str) -> PathBuf {
    let folder = pack::own_loaders(lab);
    let mut bytes = std::fs::read(folder.join(name)).expect("a loader");
    // Both have a megabyte and more, most of it code.
    bytes[300_000] ^= 1;
    std::fs::write(folder.join(name), bytes).expect("a file");
    folder
}

/// How long after a file was there a line was told.
fn since(story: &[Value], file: &str, line: &Value) -> SignedDuration {
    let time = |line: &Value| line["time"].as_str().and_then(|time| time.parse::<Timestamp>().ok()).expect("a time");
    let done = story.iter().find(|line| line["event"] == "tftp-done" && line["file"] == file).expect("the file");
    time(line).duration_since(time(done))
}

/// Boots with a damaged loader, and returns what the log says of it.
fn refused(name: &str, shows: &str) {
    let lab = Lab::new();
    let loaders = damaged(&lab, name);
    let options = [&first_entry("full", MEMTEST)[..], &["--loader", "signed"]].concat();
    let server = Server::start_with(&lab, &lab.server(), &loaders, &options);
    server.expect(&REFUSED);
    let mut computer = Vm::start(&lab, 1, Firmware::EfiX64Secure, 256);
    let line = server.wait_long("refusal", SHORT, |line| line["event"] == "loader-refused" && line["file"] == name);
    assert!(says(&line, NOT_TRUSTED), "{line}");
    computer.wait_for(shows, SHORT);
    server.tell(&computer.mac);
    let story = server.about(&computer.mac);
    let late = since(&story, name, &line);
    assert!(late <= SignedDuration::from_secs(20), "it says so after {late}");
    assert!(!story.iter().any(|line| line["event"] == "menu"), "it got on");
    server.stop();
}

/// shim refuses it, says so on the screen and waits there.
#[test]
fn a_damaged_grub_is_told() {
    if ready("damaged GRUB", &[MEMTEST]) {
        refused("grubx64.efi", "Security Violation");
    }
}

/// The firmware refuses it, and says so in its own words.
#[test]
fn a_damaged_shim_is_told() {
    if ready("damaged shim", &[MEMTEST]) {
        refused("shimx64.efi", "Access Denied");
    }
}
