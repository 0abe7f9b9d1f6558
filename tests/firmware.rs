//! Real firmware boots real images from `bootwright serve`: SeaBIOS and OVMF in QEMU, in closed namespaces.
//!
//! The images are Debian's own packages (memtest86+, grub-rescue-pc) and a live system that live-build made
//! (packaging/live-iso.sh; its path in BOOTWRIGHT_LIVE_ISO). Each test prints the log of its boot. With BOOTWRIGHT_RECORD
//! they write what was told into that folder; `tests/boots` was made so.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

mod lab;

use std::time::Duration;

use lab::boot::{
    LONG, MEMTEST, MEMTEST_RUNS, MEMTEST_TESTS, REFUSED, SHORT, came_whole, first_entry, in_order, live_iso, no_address,
};
use lab::office::{Pace, office};
use lab::vm::{Firmware, Vm};
use lab::{Lab, Process, Server, fetched, ready};
use serde_json::Value;

const GRUB: &str = "/usr/lib/grub-rescue/grub-rescue-cdrom.iso";
/// Boots memtest86+ on a BIOS computer until it runs, and returns what the log says of it.
fn memtest_runs(firmware: Firmware, recording: &str) -> Vec<Value> {
    let lab = Lab::new();
    let server = Server::start(&lab, &lab.server(), &first_entry("full", MEMTEST));
    let mut computer = Vm::start(&lab, 1, firmware, 128);
    computer.wait_for(MEMTEST_RUNS, SHORT);
    server.wait("kernel", |line| line["stage"] == "kernel");
    server.tell(&computer.mac);
    let story = server.about(&computer.mac);
    server.record(recording);
    server.stop();
    story
}

#[test]
fn seabios_with_qemus_rom_boots_memtest() {
    if !ready("seabios", &["qemu-system-x86_64", MEMTEST]) {
        return;
    }
    let story = memtest_runs(Firmware::Bios, "memtest-seabios");
    in_order(
        &story,
        &[
            ("asked", ""),
            ("offered", ""),
            ("granted", ""),
            ("menu", ""),
            ("http-done", "bootx64.efi"),
            ("stage", "kernel"),
        ],
    );
    assert!(!fetched(&story).iter().any(|file| file == "undionly.kpxe"), "its ROM is iPXE already");
    assert!(story.iter().any(|line| line["event"] == "http-done" && line["millis"].is_u64() && line["bytes"].is_u64()));
}

#[test]
fn a_plain_pxe_rom_is_chained_into_the_menu() {
    if !ready("plain ROM", &["qemu-system-x86_64", "python3", "ethtool", MEMTEST]) {
        return;
    }
    let story = memtest_runs(Firmware::PlainRom, "memtest-plain-rom");
    in_order(
        &story,
        &[("offered", ""), ("tftp-done", "undionly.kpxe"), ("stage", "loader"), ("menu", ""), ("stage", "kernel")],
    );
    let first = story.iter().find(|line| line["event"] == "asked").expect("it asked");
    assert!(first["client"]["user_class"].is_null() && first["client"]["ipxe"].is_null(), "{first}");
    assert_eq!(first["client"]["uuid"], "00000000-0000-4000-8000-525400770001");
}

#[test]
fn a_bios_boots_the_grub_rescue_disc_as_a_disc() {
    if !ready("GRUB rescue", &["qemu-system-x86_64", GRUB]) {
        return;
    }
    let lab = Lab::new();
    let server = Server::start(&lab, &lab.server(), &first_entry("full", GRUB));
    let mut computer = Vm::start(&lab, 1, Firmware::Bios, 256);
    computer.wait_for("GNU GRUB", SHORT);
    server.stop();
}

/// A live system to its login prompt, its root file system fetched out of the ISO.
fn live_to_login(test: &str, firmware: Firmware, loader: &str, recording: &str) {
    let Some(image) = live_iso(test) else { return };
    if !ready(test, &["qemu-system-x86_64", "/usr/share/OVMF/OVMF_CODE_4M.fd"]) {
        return;
    }
    let lab = Lab::new();
    let server = Server::start(&lab, &lab.server(), &first_entry("full", &image));
    let mut computer = Vm::start(&lab, 1, firmware, 2048);
    computer.wait_for("login:", LONG);
    server.tell(&computer.mac);
    let story = server.about(&computer.mac);
    check_live_story(&story, loader);
    in_order(&story, &[("stage", "kernel"), ("stage", "handed-over")]);
    server.record(recording);
    server.stop();
}

fn check_live_story(story: &[Value], loader: &str) {
    let done = if loader.starts_with("http") { "http-done" } else { "tftp-done" };
    in_order(
        story,
        &[
            ("asked", ""),
            ("offered", ""),
            (done, "snponly.efi"),
            ("stage", "loader"),
            ("http-done", "boot.ipxe"),
            ("menu", ""),
            ("http-done", "image/debian-live/live/vmlinuz"),
            ("http-done", "image/debian-live/live/initrd.img"),
            ("http-done", "image/debian-live/live/filesystem.squashfs"),
        ],
    );
    came_whole(story);
}

#[test]
fn ovmf_boots_a_live_system_by_pxe() {
    live_to_login("OVMF PXE", Firmware::EfiX64, "tftp", "debian-live-uefi");
}

#[test]
fn ovmf_boots_a_live_system_by_http_boot() {
    live_to_login("OVMF HTTP Boot", Firmware::EfiX64Http, "http", "debian-live-http-boot");
}

/// Debian's iPXE is not signed, so this firmware fetches it and does not start it.
#[test]
fn secure_boot_fetches_an_unsigned_loader_and_goes_no_further() {
    let (code, keys) = ("/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd");
    if !ready("Secure Boot", &["qemu-system-x86_64", code, keys, MEMTEST]) {
        return;
    }
    let lab = Lab::new();
    let server = Server::start(&lab, &lab.server(), &first_entry("full", MEMTEST));
    // By HTTP there is nothing that it would start.
    server.expect(&[&REFUSED[..], &["no-boot-file"]].concat());
    let computer = Vm::start(&lab, 1, Firmware::EfiX64Secure, 256);
    server.wait_long("loader", SHORT, |line| line["event"] == "tftp-done" && line["file"] == "snponly.efi");
    // Firmware that refuses a loader says nothing; it tries its next way to boot, or ends.
    server.wait_for_silence(Duration::from_secs(40), SHORT);
    server.tell(&computer.mac);
    let story = server.about(&computer.mac);
    assert!(fetched(&story).iter().all(|file| file == "snponly.efi"), "{:?}", fetched(&story));
    assert!(!story.iter().any(|line| line["event"] == "menu" || line["role"] == "kernel"));
    server.record("secure-boot-refused");
    server.stop();
}

#[test]
fn ovmf_boots_beside_another_dhcp_server() {
    let Some(image) = live_iso("proxy") else { return };
    if !ready("proxy", &["qemu-system-x86_64", "dnsmasq", "udhcpc", "tcpdump"]) {
        return;
    }
    let lab = Lab::new();
    let server = Server::start(&lab, &lab.server(), &first_entry("proxy", &image));
    let _dnsmasq = office(&lab, Pace::Late);

    // A client that does not network-boot gets its address from dnsmasq and never hears from us.
    let plain = lab.host("c", None);
    let capture = lab.path("plain.pcap");
    let mut sniffer = plain.command("tcpdump");
    sniffer.args(["-i", "eth0", "-U", "-n", "-Z", "root", "-w"]).arg(&capture).arg("udp and src host 10.77.0.1");
    let sniffing = Process::start(sniffer.stderr(std::process::Stdio::null()));
    while std::fs::metadata(&capture).map_or(0, |file| file.len()) < 24 {
        std::thread::sleep(Duration::from_millis(50));
    }
    let udhcpc = plain.sh("udhcpc -i eth0 -n -q -f -t 5 -T 2 -s /bin/true 2>&1");
    let said = String::from_utf8_lossy(&udhcpc.stdout).into_owned();
    assert!(udhcpc.status.success() && said.contains("10.77.0.254"), "{said}");
    drop(sniffing);
    let heard = std::fs::metadata(&capture).expect("a capture").len();
    assert_eq!(heard, 24, "the capture has packets of ours behind its header");

    let mut computer = Vm::start(&lab, 1, Firmware::EfiX64, 2048);
    computer.wait_for("login:", LONG);
    server.tell(&computer.mac);
    let story = server.about(&computer.mac);
    check_live_story(&story, "tftp");
    no_address(&story);

    let strangers: Vec<_> =
        server.lines().into_iter().filter(|line| line["mac"].as_str().is_some_and(|mac| mac != computer.mac)).collect();
    assert!(strangers.is_empty(), "{strangers:#?}");
    server.stop();
}

/// A plain ROM asks both servers at once and takes the office's address when that comes, 3 s late.
#[test]
fn a_plain_pxe_rom_boots_beside_a_slow_dhcp_server() {
    if !ready("slow office", &["qemu-system-x86_64", "python3", "ethtool", "dnsmasq", MEMTEST]) {
        return;
    }
    let lab = Lab::new();
    let server = Server::start(&lab, &lab.server(), &first_entry("proxy", MEMTEST));
    let _office = office(&lab, Pace::Late);
    let mut computer = Vm::start(&lab, 1, Firmware::PlainRom, 128);
    computer.wait_for(MEMTEST_RUNS, SHORT);
    server.wait("kernel", |line| line["stage"] == "kernel");
    server.tell(&computer.mac);
    let story = server.about(&computer.mac);
    in_order(&story, &[("offered", ""), ("tftp-done", "undionly.kpxe"), ("menu", ""), ("stage", "kernel")]);
    no_address(&story);
    server.stop();
}

#[test]
fn ovmf_boots_by_http_boot_beside_another_dhcp_server() {
    let Some(image) = live_iso("HTTP Boot, proxy") else { return };
    if !Firmware::EfiX64Http.ready("HTTP Boot, proxy", &["dnsmasq"]) {
        return;
    }
    let lab = Lab::new();
    let server = Server::start(&lab, &lab.server(), &first_entry("proxy", &image));
    let _office = office(&lab, Pace::Quick);
    let mut computer = Vm::start(&lab, 1, Firmware::EfiX64Http, 2048);
    computer.wait_for("login:", LONG);
    server.tell(&computer.mac);
    let story = server.about(&computer.mac);
    check_live_story(&story, "http");
    no_address(&story);
    server.stop();
}

#[test]
fn three_computers_boot_at_once() {
    if !ready("three computers", &["qemu-system-x86_64", "/usr/share/OVMF/OVMF_CODE_4M.fd", MEMTEST]) {
        return;
    }
    let lab = Lab::new();
    let server = Server::start(&lab, &lab.server(), &first_entry("full", MEMTEST));
    let kinds = [(Firmware::Bios, 128), (Firmware::PlainRom, 128), (Firmware::EfiX64, 256)];
    let mut computers: Vec<Vm> =
        (1..).zip(kinds).map(|(number, (firmware, memory))| Vm::start(&lab, number, firmware, memory)).collect();
    for computer in &mut computers[..2] {
        computer.wait_for(MEMTEST_RUNS, LONG);
    }
    computers[2].wait_for(MEMTEST_TESTS, LONG);
    let mut addresses: Vec<String> = Vec::new();
    for computer in &computers {
        server.tell(&computer.mac);
        let story = server.about(&computer.mac);
        in_order(&story, &[("granted", ""), ("menu", ""), ("stage", "kernel")]);
        let granted = story.iter().find(|line| line["event"] == "granted").expect("an address");
        addresses.push(granted["address"].as_str().expect("an address").to_owned());
    }
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), 3, "each has its own address");
    server.stop();
}
