//! Safety switches as a real computer meets them: one that nobody knows waits for the technician.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

mod lab;

use lab::boot::{MEMTEST, SHORT};
use lab::vm::{Firmware, Vm};
use lab::{Host, Lab, Server, fetched, loaders, must, program};

/// Starts a computer that nobody knows, waits until its screen shows the code that the log says, and checks what it got
/// until then. Approves it, and waits until it has its kernel.
fn waits_and_boots(firmware: Firmware, memory: u32, image: &str) {
    let lab = Lab::new();
    let options = ["--dhcp", "full", "--image", image, "--default", "1", "--menu-timeout", "1", "--ask-first"];
    let host = lab.server();
    let server = Server::start(&lab, &host, &options);
    let mut computer = Vm::start(&lab, 1, firmware, memory);
    let code = server.wait_long("code", SHORT, |line| line["event"] == "waiting")["code"].clone();
    let code = code.as_str().expect("four digits");
    computer.wait_for(&format!("bootwright approve {code}"), SHORT);
    let list = says(&lab, &host, &["approve"]);
    assert!(list.starts_with(&format!("{code}  {}", computer.mac)), "{list}");
    // It asks again by itself, and still has nothing but its loader.
    let before = server.lines();
    server.wait("page again", |line| line["role"] == "page" && !before.contains(line));
    let story = server.about(&computer.mac);
    assert!(story.iter().all(|line| line["event"] != "menu" && line["role"] != "kernel"), "{:?}", fetched(&story));
    assert!(says(&lab, &host, &["approve", code]).starts_with(&computer.mac));
    server.wait("kernel", |line| line["stage"] == "kernel");
    server.tell(&computer.mac);
    let known = says(&lab, &host, &["computers"]);
    let line = known.lines().find(|line| line.ends_with(" was approved.")).expect("a line");
    assert!(line.starts_with(&computer.mac), "{known}");
    server.stop();
}

/// What the program says in the namespace of the services.
fn says(lab: &Lab, host: &Host, arguments: &[&str]) -> String {
    must(host.command(program()).args(arguments).arg("--state-dir").arg(lab.path("state")))
}

#[test]
fn a_uefi_computer_waits_in_ipxe_and_boots_once_it_is_approved() {
    if Firmware::EfiX64.ready("asked about in iPXE", &[MEMTEST]) {
        waits_and_boots(Firmware::EfiX64, 256, MEMTEST);
    }
}

/// GRUB with its own first script, as the pack has it: the page makes it wait all by itself.
#[test]
fn a_32_bit_uefi_computer_waits_in_grub_and_boots_once_it_is_approved() {
    let (image, loader) = ("/usr/lib/memtest86+/memtest86+ia32.iso", loaders().join("grub-http-ia32.efi"));
    if Firmware::EfiIa32.ready("asked about in GRUB", &[image, &loader.display().to_string()]) {
        waits_and_boots(Firmware::EfiIa32, 256, image);
    }
}
