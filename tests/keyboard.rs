//! The menu under a person's hands, and under nobody's: the second entry by the arrow keys, and the time-out that falls to
//! the computer's own disk. In iPXE on a BIOS and in GRUB on 32-bit UEFI.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

mod lab;

use std::path::PathBuf;

use lab::boot::{MEMTEST, MEMTEST_RUNS, MEMTEST_TESTS, SHORT};
use lab::pack::{self, OWN_DISK};
use lab::vm::{Firmware, Options, Vm};
use lab::{Lab, Server, loaders};

const MEMTEST_IA32: &str = "/usr/lib/memtest86+/memtest86+ia32.iso";

/// Two entries behind the computer's own disk: two keys down is the second.
fn second_entry(firmware: Firmware, memory: u32, image: &str, runs: &str) {
    let lab = Lab::new();
    let images = pack::copies(&lab, image, "memtest", 2);
    let options = [
        "--dhcp",
        "full",
        "--image",
        &images[0],
        "--image",
        &images[1],
        "--menu-timeout",
        "600",
        "--append",
        "console=ttyS0,115200",
    ];
    let server = Server::start(&lab, &lab.server(), &options);
    let mut computer = Vm::start(&lab, 1, firmware, memory);
    computer.wait_for("memtest-02.iso", SHORT);
    computer.press(&["down", "down", "ret"]);
    computer.wait_for(runs, SHORT);
    server.wait("kernel", |line| line["role"] == "kernel");
    server.tell(&computer.mac);
    let kernels: Vec<String> =
        server.lines().iter().filter(|line| line["role"] == "kernel").map(|line| line["file"].to_string()).collect();
    let second = |file: &String| file.contains("/memtest86plus-2/") || file.contains("/memtest86plus-02/");
    assert!(!kernels.is_empty() && kernels.iter().all(second), "{kernels:?}");
    server.stop();
}

/// Nobody touches a key, so it starts as if we were not there.
fn own_disk(lab: &Lab, firmware: Firmware, memory: u32, image: &str, disk: PathBuf) {
    let options = ["--dhcp", "full", "--image", image, "--default", "local", "--menu-timeout", "5"];
    let server = Server::start(lab, &lab.server(), &options);
    let options = Options { disk: Some(disk), ..Options::default() };
    let mut computer = Vm::start_with(lab, 1, firmware, memory, &options);
    computer.wait_for(OWN_DISK, SHORT);
    server.wait("menu", |line| line["event"] == "menu");
    server.tell(&computer.mac);
    assert!(server.lines().iter().all(|line| line["role"] != "kernel"), "it fetched no kernel");
    server.stop();
}

#[test]
fn keys_choose_the_second_entry_in_ipxe() {
    if Firmware::Bios.ready("keys in iPXE", &[MEMTEST]) {
        second_entry(Firmware::Bios, 128, MEMTEST, MEMTEST_RUNS);
    }
}

#[test]
fn ipxe_leaves_a_computer_alone_to_its_own_disk() {
    if Firmware::Bios.ready("own disk by iPXE", &[MEMTEST]) {
        let lab = Lab::new();
        own_disk(&lab, Firmware::Bios, 128, MEMTEST, pack::bios_disk(&lab));
    }
}

fn grub_is_ready(test: &str, more: &[&str]) -> bool {
    let loader = loaders().join("grub-http-ia32.efi").display().to_string();
    Firmware::EfiIa32.ready(test, &[&[MEMTEST_IA32, &loader], more].concat())
}

#[test]
fn keys_choose_the_second_entry_in_grub() {
    if grub_is_ready("keys in GRUB", &[]) {
        second_entry(Firmware::EfiIa32, 256, MEMTEST_IA32, MEMTEST_TESTS);
    }
}

#[test]
fn grub_leaves_a_computer_alone_to_its_own_disk() {
    let modules = "/usr/lib/grub/i386-efi/normal.mod";
    if grub_is_ready("own disk by GRUB", &["grub-mkstandalone", "mformat", "mcopy", modules]) {
        let lab = Lab::new();
        let disk = pack::uefi_disk(&lab, "i386-efi");
        own_disk(&lab, Firmware::EfiIa32, 256, MEMTEST_IA32, disk);
    }
}

/// The same by iPXE on UEFI, which leaves in another way than on a BIOS.
#[test]
fn ipxe_leaves_a_uefi_computer_alone_to_its_own_disk() {
    let tools = ["grub-mkstandalone", "mformat", "mcopy", "/usr/lib/grub/x86_64-efi/normal.mod"];
    if Firmware::EfiX64.ready("own disk by iPXE on UEFI", &[&[MEMTEST], &tools[..]].concat()) {
        let lab = Lab::new();
        let disk = pack::uefi_disk(&lab, "x86_64-efi");
        own_disk(&lab, Firmware::EfiX64, 256, MEMTEST, disk);
    }
}
