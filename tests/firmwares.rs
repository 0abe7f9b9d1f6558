//! Firmware that is neither a BIOS nor 64-bit PC UEFI boots by GRUB: 32-bit UEFI on a 64-bit processor, and ARM64.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

mod lab;

use lab::boot::{LONG, MEMTEST_TESTS, in_order};
use lab::pack::{self, installer};
use lab::vm::{Firmware, Vm};
use lab::{Lab, Server, fetched, loaders};

const MEMTEST_IA32: &str = "/usr/lib/memtest86+/memtest86+ia32.iso";
/// Debian's own line of its kernel, the first that it writes.
const LINUX_RUNS: &str = "Linux version 6.1";

/// Boots the first entry until the computer shows a text; returns the files that it got, in order.
fn boots(firmware: Firmware, image: &str, console: &str, memory: u32, shows: &str) -> Vec<String> {
    let lab = Lab::new();
    let console = format!("console={console}");
    let options = ["--dhcp", "full", "--image", image, "--default", "1", "--menu-timeout", "2", "--append", &console];
    let server = Server::start(&lab, &lab.server(), &options);
    let mut computer = Vm::start(&lab, 1, firmware, memory);
    computer.wait_for(shows, LONG);
    server.wait("kernel", |line| line["stage"] == "kernel");
    server.tell(&computer.mac);
    let story = server.about(&computer.mac);
    in_order(&story, &[("asked", ""), ("offered", ""), ("stage", "loader"), ("menu", ""), ("stage", "kernel")]);
    server.stop();
    fetched(&story)
}

fn has_loader(test: &str, name: &str) -> bool {
    let there = loaders().join(name).exists();
    if !there {
        println!("SKIPPED {test}: packaging/loaders.sh made no {name}");
    }
    there
}

#[test]
fn a_32_bit_uefi_boots_a_32_bit_program() {
    let test = "32-bit UEFI, memtest86+";
    if !Firmware::EfiIa32.ready(test, &[MEMTEST_IA32]) || !has_loader(test, "grub-http-ia32.efi") {
        return;
    }
    let files = boots(Firmware::EfiIa32, MEMTEST_IA32, "ttyS0,115200", 256, MEMTEST_TESTS);
    assert_eq!(files.first().map(String::as_str), Some("grub-http-ia32.efi"), "{files:?}");
}

/// A kernel for 64-bit processors has an entry for 32-bit firmware, so the menu offers it.
#[test]
fn a_32_bit_uefi_boots_a_64_bit_kernel() {
    let (test, kernel) = ("32-bit UEFI, Linux", installer("amd64", "linux"));
    if !Firmware::EfiIa32.ready(test, &["xorriso", &kernel]) || !has_loader(test, "grub-http-ia32.efi") {
        return;
    }
    let disc = Lab::new();
    let image = pack::installer_disc(&disc, "amd64");
    let files = boots(Firmware::EfiIa32, &image, "ttyS0,115200", 1024, LINUX_RUNS);
    assert_eq!(files.first().map(String::as_str), Some("grub-http-ia32.efi"), "{files:?}");
    assert!(files.iter().any(|file| file.ends_with("/install.amd/initrd.gz")), "{files:?}");
}

fn arm64_installer(test: &str, firmware: Firmware) {
    let kernel = installer("arm64", "linux");
    if !firmware.ready(test, &["xorriso", &kernel]) || !has_loader(test, "grub-http-arm64.efi") {
        return;
    }
    let disc = Lab::new();
    let image = pack::installer_disc(&disc, "arm64");
    let files = boots(firmware, &image, "ttyAMA0", 1024, LINUX_RUNS);
    assert_eq!(files.first().map(String::as_str), Some("grub-http-arm64.efi"), "{files:?}");
    assert!(files.iter().any(|file| file.ends_with("/install.a64/initrd.gz")), "{files:?}");
}

#[test]
fn an_arm64_computer_boots_the_installer_by_pxe() {
    arm64_installer("ARM64 PXE", Firmware::EfiArm64);
}

#[test]
fn an_arm64_computer_boots_the_installer_by_http_boot() {
    arm64_installer("ARM64 HTTP Boot", Firmware::EfiArm64Http);
}

/// A disc for another processor is none of its business, and its menu does not have it.
#[test]
fn an_arm64_computer_is_not_offered_a_disc_for_a_pc() {
    let (test, kernels) = ("ARM64 menu", ["amd64", "arm64"].map(|name| installer(name, "linux")));
    let firmware = Firmware::EfiArm64;
    if !firmware.ready(test, &["xorriso", &kernels[0], &kernels[1]]) || !has_loader(test, "grub-http-arm64.efi") {
        return;
    }
    let lab = Lab::new();
    let [pc, arm] = ["amd64", "arm64"].map(|architecture| pack::installer_disc(&lab, architecture));
    let options = ["--dhcp", "full", "--image", &pc, "--image", &arm, "--menu-timeout", "600"];
    let server = Server::start(&lab, &lab.server(), &options);
    let mut computer = Vm::start(&lab, 1, firmware, 1024);
    computer.wait_for("installer-arm64.iso", LONG);
    let serial = computer.serial();
    assert!(!serial.contains("installer-amd64.iso"), "{serial}");
    server.tell(&computer.mac);
    server.stop();
}
