//! Safety switches as a real computer meets them: one that nobody knows waits for the technician, passwords are typed, and
//! what starts once does so.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

mod lab;

use lab::boot::{MEMTEST, MEMTEST_RUNS, SHORT};
use lab::pack::{self, OWN_DISK};
use lab::vm::{Firmware, Options, Vm};
use lab::{Host, Lab, Server, fetched, loaders, must, program};

const ENTRY: &str = "memtest86plus";

/// A person at the keyboard mistypes, and then does not.
#[test]
fn a_password_is_asked_for_until_it_is_right() {
    if !Firmware::Bios.ready("password", &[MEMTEST]) {
        return;
    }
    let lab = Lab::new();
    let deployment = lab.path("locked.toml");
    let hash = bootwright::boot::password::Hash::of("sesame").expect("a hash");
    let text = format!(
        "dhcp = 'full'\nimage = ['{MEMTEST}']\nmenu-timeout = 600\nappend = 'console=ttyS0,115200'\n\n\
         [[entry]]\nid = '{ENTRY}'\npassword-hash = '{}'\n",
        hash.as_str()
    );
    std::fs::write(&deployment, text).expect("written");
    let server = Server::start(&lab, &lab.server(), &["--deployment", &deployment.display().to_string()]);
    let mut computer = Vm::start(&lab, 1, Firmware::Bios, 128);
    computer.wait_for("(password)", SHORT);
    for word in [&["b", "a", "r", "l", "e", "y"][..], &["s", "e", "s", "a", "m", "e"]] {
        computer.press(&["down", "ret"]);
        computer.wait_for("Password", SHORT);
        // The name is there already, and does not matter.
        computer.press(&["ret"]);
        computer.press(word);
        assert!(!computer.screen().contains(&word.concat()), "it is not to be read over a shoulder");
        computer.press(&["ret"]);
        if word[0] == "b" {
            server.wait("a wrong password", |line| line["event"] == "password-refused");
            assert!(!computer.screen().contains("barley"), "nor in the address that is shown");
            computer.wait_for("what shall this computer start", SHORT);
        }
    }
    computer.wait_for(MEMTEST_RUNS, SHORT);
    server.tell(&computer.mac);
    let lines = server.lines();
    let at = |event: &str| lines.iter().position(|line| line["event"] == event).unwrap_or_else(|| panic!("no {event}"));
    let kernel = lines.iter().position(|line| line["role"] == "kernel").expect("a kernel");
    assert!(at("password-refused") < at("chosen") && at("chosen") < kernel, "{lines:?}");
    let log = server.stop();
    assert!(!log.contains("sesame") && !log.contains("barley"), "{log}");
}

/// An installation that asks nothing does not begin again at the reset that ends it.
#[test]
fn an_entry_that_starts_once_leaves_the_computer_to_its_own_disk() {
    if !Firmware::Bios.ready("once", &[MEMTEST]) {
        return;
    }
    let lab = Lab::new();
    let options = [
        "--dhcp",
        "full",
        "--image",
        MEMTEST,
        "--once",
        ENTRY,
        "--default",
        ENTRY,
        "--menu-timeout",
        "2",
        "--append",
        "console=ttyS0,115200",
    ];
    let host = lab.server();
    let server = Server::start(&lab, &host, &options);
    let options = Options { disk: Some(pack::bios_disk(&lab)), resets: true };
    let mut computer = Vm::start_with(&lab, 1, Firmware::Bios, 128, &options);
    computer.wait_for(MEMTEST_RUNS, SHORT);
    server.wait("its beginning", |line| line["event"] == "begun" && line["entry"] == ENTRY);
    computer.reset();
    computer.wait_for(OWN_DISK, SHORT);
    let left = server.wait("its leaving", |line| line["event"] == "own-disk");
    assert_eq!(left["leave"], serde_json::json!({ "done": 2 }), "{left}");
    server.tell(&computer.mac);
    let kernels = server.lines().iter().filter(|line| line["role"] == "kernel" && line["event"] == "http-done").count();
    assert_eq!(kernels, 1, "it fetched its kernel once");
    server.stop();
    let jobs = says(&lab, &host, &["jobs"]);
    let last = jobs.lines().last().expect("a job");
    assert!(last.ends_with("its own disk: what starts once had begun before"), "{jobs}");
}

/// A computer says that it leaves for its own disk; a laptop that is gone by then does not keep it.
#[test]
fn a_laptop_that_is_gone_keeps_nobody_from_its_own_disk() {
    if !Firmware::Bios.ready("own disk", &[MEMTEST]) {
        return;
    }
    let (lab, options) = (Lab::new(), ["--dhcp", "full", "--image", MEMTEST, "--menu-timeout", "8"]);
    let host = lab.server();
    let _server = Server::start(&lab, &host, &options);
    let options = Options { disk: Some(pack::bios_disk(&lab)), resets: false };
    let mut computer = Vm::start_with(&lab, 1, Firmware::Bios, 128, &options);
    computer.wait_for("what shall this computer start", SHORT);
    // Nobody answers any more, not even that there is nobody.
    must(host.command("ip").args(["link", "set", "eth0", "down"]));
    let gone = std::time::Instant::now();
    computer.wait_for(OWN_DISK, SHORT);
    println!("own disk after {:?}", gone.elapsed());
    assert!(!computer.screen().contains("could not be started"), "{}", computer.screen());
}

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
