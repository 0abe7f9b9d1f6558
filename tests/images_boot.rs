//! More real boots, beside tests/firmware.rs: an installation with an answer file, discs given whole, a hypervisor, and
//! a long menu.
//!
//! Their images are made here, of files from Debian's packages: those that are installed, and those that
//! packaging/test.sh only unpacks into target/packages.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

mod lab;

use std::process::Command;

use lab::boot::{LONG, MEMTEST, MEMTEST_RUNS, SHORT};
use lab::pack::{self, Content, installer};
use lab::vm::{Firmware, Vm};
use lab::{Host, Lab, SERVER, Server, fetched, must, packaged, ready};
use serde_json::Value;

/// A preseed file that says what it was filled in with, and sends the installer to us for its packages.
const PRESEED: &str = r#"#_preseed_V1
d-i preseed/early_command string echo "this is {{ hostname }}, {{ mac }}" >/dev/console
d-i netcfg/get_hostname string {{ hostname }}
d-i netcfg/get_domain string lab
d-i mirror/country string manual
d-i mirror/protocol string http
d-i mirror/http/hostname string 10.77.0.1
d-i mirror/http/directory string /debian
d-i mirror/http/proxy string
"#;

/// The secret part of an answer file's address, as the kernel's command line has it.
fn token(serial: &str) -> String {
    let (_, rest) = serial.split_once("/answer/").expect("the address of an answer file");
    let token: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
    assert_eq!(token.len(), 32, "{token}");
    token
}

fn status(host: &Host, url: &str) -> String {
    let output = host.sh(&format!("curl -s -o /dev/null -w '%{{http_code}}' --max-time 10 {url}"));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Past language, keyboard and network without a key, to the mirror, which this cable does not have.
#[test]
fn the_debian_installer_is_answered_by_a_preseed_file() {
    let (kernel, initrd) = (installer("amd64", "linux"), installer("amd64", "initrd.gz"));
    if !ready("preseed", &["qemu-system-x86_64", "xorriso", "curl", &kernel, &initrd]) {
        return;
    }
    let lab = Lab::new();
    let image = pack::installer_disc(&lab, "amd64");
    let preseed = lab.path("lab.cfg");
    std::fs::write(&preseed, PRESEED).expect("a file");
    let answer = format!("debian-installer={}", preseed.display());
    let options = ["--dhcp", "full", "--image", &image, "--answer", &answer, "--host-name", "lab-{nn}"];
    let start = ["--default", "debian-installer", "--menu-timeout", "2", "--append", "console=ttyS0,115200"];
    let server = Server::start(&lab, &lab.server(), &[&options[..], &start[..]].concat());
    let mut computer = Vm::start(&lab, 1, Firmware::Bios, 1024);
    let mac = computer.mac.clone();
    let given = server.wait_long("answer file", LONG, |line| line["event"] == "answer-given");
    assert_eq!((&given["mac"], &given["entry"]), (&Value::from(mac.as_str()), &Value::from("debian-installer")));
    computer.wait_for(&format!("this is lab-01, {mac}"), SHORT);

    // Nobody else gets it, and the log does not say how to.
    let token = token(&computer.serial());
    let url = format!("http://{SERVER}/answer/{token}/preseed.cfg");
    assert_eq!(status(&lab.host("c", Some("10.77.0.9/24")), &url), "404");
    server.wait("refusal", |line| line["event"] == "answer-refused" && line["ip"] == "10.77.0.9");

    let mirror = |line: &Value| line["event"] == "http-not-found" && line["file"] == "debian/dists/bookworm/Release";
    let asked = server.wait_long("mirror", LONG, mirror);
    assert_eq!(asked["mac"], mac.as_str());
    server.tell(&mac);
    let fetches = server.lines().into_iter().filter(|line| line["event"] == "answer-given").count();
    assert_eq!(fetches, 1, "it reads its answer file once");
    assert!(server.lines().iter().all(|line| !line.to_string().contains(&token)), "the log has the token");
    server.stop();
}

/// What a menu needs of an image of each category; these are not started.
fn stand_ins(lab: &Lab) -> Vec<(&'static str, String)> {
    let kinds: [(&str, &[&str]); 5] = [
        ("mageia", &["/isolinux/x86_64/vmlinuz", "/isolinux/x86_64/all.rdz", "/x86_64/VERSION"]),
        ("tinycore", &["/boot/core.gz", "/boot/vmlinuz"]),
        ("redo", &["/live/filesystem.squashfs", "/vmlinuz", "/initrd"]),
        ("xcp", &["/boot/xen.gz", "/boot/vmlinuz", "/install.img", "/.treeinfo"]),
        ("mfsbsd", &["/mfsroot.gz", "/boot/loader"]),
    ];
    let image = |(name, paths): (&'static str, &[&str])| {
        let files: Vec<_> = paths.iter().map(|path| (*path, Content::Text("nothing\n"))).collect();
        (name, pack::iso(lab, &format!("a-{name}"), name, &files, &[]))
    };
    kinds.map(image).into()
}

/// A hundred entries in six submenus: by the arrow keys to one in the middle.
#[test]
fn an_entry_of_a_hundred_is_reached_by_keys() {
    if !ready("long menu", &["qemu-system-x86_64", "xorriso", MEMTEST]) {
        return;
    }
    let lab = Lab::new();
    let mut images = pack::copies(&lab, MEMTEST, "memtest", 50);
    for (name, image) in stand_ins(&lab) {
        images.extend(pack::copies(&lab, &image, name, 10));
    }
    let images = images.iter().flat_map(|image| ["--image", image.as_str()]);
    let options: Vec<&str> = ["--dhcp", "full", "--menu-timeout", "600"].into_iter().chain(images).collect();
    let server = Server::start(&lab, &lab.server(), &options);
    let entries = server.lines().iter().filter_map(|line| Some(line["entries"].as_array()?.len())).sum::<usize>();
    assert_eq!(entries, 100);
    let mut computer = Vm::start(&lab, 1, Firmware::Bios, 128);
    computer.wait_for("BSD (10)", SHORT);
    let groups =
        ["Install a system", "Run a live system", "Rescue and backup", "Tests and tools", "Install a hypervisor"];
    let screen = computer.screen();
    assert!(groups.iter().all(|group| screen.contains(group)), "{screen}");
    // Its own disk, then the groups.
    computer.press(&["down", "down", "down", "down", "ret"]);
    computer.wait_for("memtest-01.iso", SHORT);
    computer.press(&["down"; 30]);
    computer.wait_for("memtest-31.iso", SHORT);
    computer.press(&["ret"]);
    computer.wait_for(MEMTEST_RUNS, SHORT);
    let kernels: Vec<String> =
        server.lines().iter().filter(|line| line["role"] == "kernel").map(|line| line["file"].to_string()).collect();
    assert!(!kernels.is_empty() && kernels.iter().all(|file| file.contains("/memtest86plus-31/")), "{kernels:?}");
    server.tell(&computer.mac);
    server.stop();
}

/// A boot sector that tells the label of the disc that it was started from, as it reads it from there (`as`, `.code16`):
///
/// ```text
///        ljmp $0, $1f
/// 1:     xor %ax, %ax;  mov %ax, %ds;  mov %ax, %es;  mov %ax, %ss;  mov $0x7c00, %sp
///        mov $packet, %si;  mov $0x42, %ah;  int $0x13;  jc stop      # sector 16 to 0x8000
///        mov $text, %si;  call print;  mov $0x8028, %si;  call print  # the label
/// stop:  hlt;  jmp stop
/// print: lodsb;  test %al, %al;  jz 3f;  mov $0x0e, %ah;  mov $7, %bx;  int $0x10;  jmp print
/// 3:     ret
/// text:  .asciz "The disc that started me is "
/// packet: .byte 16, 0;  .word 1, 0x8000, 0;  .quad 16
/// ```
const TELLS_ITS_DISC: &[u8] = b"\xea\x05\x7c\x00\x00\x31\xc0\x8e\xd8\x8e\xc0\x8e\xd0\xbc\x00\x7c\xbe\x54\x7c\xb4\x42\
    \xcd\x13\x72\x0c\xbe\x37\x7c\xe8\x09\x00\xbe\x28\x80\xe8\x03\x00\xf4\xeb\xfd\xac\x84\xc0\x74\x09\xb4\x0e\xbb\x07\x00\
    \xcd\x10\xeb\xf2\xc3The disc that started me is \0\x10\0\x01\0\0\x80\0\0\x10\0\0\0\0\0\0\0";

/// No recipe knows this disc. Its program reads the drive that it was started from, in memory and over the network.
#[test]
fn a_bios_boots_an_unknown_disc_in_memory_and_as_a_drive() {
    if !ready("unknown disc", &["qemu-system-x86_64", "xorriso"]) {
        return;
    }
    let lab = Lab::new();
    let options = ["-b", "boot.bin", "-no-emul-boot", "-boot-load-size", "4"];
    let image = pack::iso(&lab, "disc", "BENCHDISC", &[("/boot.bin", Content::Bytes(TELLS_ITS_DISC))], &options);
    let tells = "The disc that started me is BENCHDISC";
    let host = lab.server();
    for (number, entry, file) in [(1, "disc-memory", "memdisk"), (2, "disc", "image/disc.iso")] {
        let options = ["--dhcp", "full", "--image", &image, "--default", entry, "--menu-timeout", "2"];
        let server = Server::start(&lab, &host, &options);
        let mut computer = Vm::start(&lab, number, Firmware::Bios, 128);
        computer.wait_for(tells, SHORT);
        server.wait(file, |line| line["event"] == "http-done" && line["file"] == file);
        server.tell(&computer.mac);
        server.stop();
    }
}

/// GRUB's rescue disc, by its own El Torito image for UEFI: as a drive of iPXE, and whole by UEFI HTTP Boot.
#[test]
fn ovmf_boots_the_grub_rescue_disc_as_a_disc() {
    let grub = ["grub-mkrescue", "/usr/lib/grub/x86_64-efi/normal.mod", "/usr/lib/grub/i386-pc/normal.mod"];
    let programs =
        ["qemu-system-x86_64", "/usr/share/OVMF/OVMF_CODE_4M.fd", "xorriso", "mformat", grub[0], grub[1], grub[2]];
    if !ready("GRUB rescue on UEFI", &programs) {
        return;
    }
    let lab = Lab::new();
    let image = lab.path("grub.iso").display().to_string();
    let empty = lab.path("empty");
    std::fs::create_dir(&empty).expect("a folder");
    must(Command::new("grub-mkrescue").args(["-o", &image]).arg(&empty));
    let host = lab.server();
    for (number, firmware, timeout) in [(1, Firmware::EfiX64, "2"), (2, Firmware::EfiX64Http, "0")] {
        let options = ["--dhcp", "full", "--image", &image, "--default", "grub-rescue-uefi", "--menu-timeout", timeout];
        let server = Server::start(&lab, &host, &options);
        let mut computer = Vm::start(&lab, number, firmware, 512);
        computer.wait_for("grub> ", SHORT);
        server.tell(&computer.mac);
        let files = fetched(&server.about(&computer.mac));
        assert_eq!(files.contains(&"menu.ipxe".to_owned()), firmware == Firmware::EfiX64, "{files:?}");
        server.stop();
    }
}

/// An archive with nothing in it (Linux `Documentation/driver-api/early-userspace/buffer-format.rst`).
fn empty_initrd() -> String {
    let mut archive = format!("070701{}0000000B00000000TRAILER!!!", "00000000".repeat(11));
    archive.push_str(&"\0".repeat(512 - archive.len()));
    archive
}

/// Xen with Linux as its first module, which alone gets the address of the answer file.
fn xen_to_linux(test: &str, firmware: Firmware, loader: &str) {
    let (xen, kernel) = (packaged("xen-hypervisor-4.17-amd64/boot/xen-4.17-amd64.gz"), installer("amd64", "linux"));
    if !ready(test, &["qemu-system-x86_64", "/usr/share/OVMF/OVMF_CODE_4M.fd", "xorriso", &xen, &kernel]) {
        return;
    }
    let lab = Lab::new();
    let initrd = empty_initrd();
    let files = [
        ("/boot/xen.gz", Content::File(&xen)),
        ("/boot/vmlinuz", Content::File(&kernel)),
        ("/install.img", Content::Text(&initrd)),
        ("/.treeinfo", Content::Text("[branding]\nname = XCP-ng\nversion = 8.3.0\n")),
    ];
    let image = pack::iso(&lab, "xcp-ng", "XCP-ng 8.3", &files, &[]);
    let answers = lab.path("answers.xml");
    std::fs::write(&answers, "<installation/>\n").expect("a file");
    let answer = format!("xcp-ng={}", answers.display());
    let options = ["--dhcp", "full", "--image", &image, "--answer", &answer, "--append", "loglevel=8"];
    let server =
        Server::start(&lab, &lab.server(), &[&options[..], &["--default", "1", "--menu-timeout", "2"]].concat());
    let mut computer = Vm::start(&lab, 1, firmware, 768);
    computer.wait_for("Xen version", SHORT);
    computer.wait_for("Hypervisor detected: Xen PV", SHORT);
    computer.wait_for("Trying to unpack rootfs image as initramfs", SHORT);
    let serial = computer.serial();
    let own = "dom0_max_vcpus=1-16 dom0_mem=max:8192M com1=115200,8n1 console=com1,vga";
    assert!(serial.lines().any(|line| line == format!("(XEN) Command line: {own}")), "{serial}");
    let token = token(&serial);
    let linux =
        format!("console=hvc0 console=tty0 answerfile=http://{SERVER}/answer/{token}/answer install loglevel=8");
    assert!(serial.contains(&format!("Command line: {linux}\n")), "{serial}");
    server.tell(&computer.mac);
    let files = fetched(&server.about(&computer.mac));
    let wanted = [loader, "unpacked/xcp-ng/boot/xen.gz", "image/xcp-ng/boot/vmlinuz", "image/xcp-ng/install.img"];
    assert!(wanted.iter().all(|file| files.iter().any(|done| done == file)), "{files:?}");
    assert!(server.lines().iter().all(|line| !line.to_string().contains(&token)), "the log has the token");
    server.stop();
}

#[test]
fn a_bios_boots_xen_by_ipxe() {
    xen_to_linux("Xen on BIOS", Firmware::Bios, "menu.ipxe");
}

#[test]
fn ovmf_boots_xen_by_grub() {
    if !lab::loaders().join("grub-http-x64.efi").exists() {
        println!("SKIPPED Xen on UEFI: packaging/loaders.sh made no grub-http-x64.efi");
        return;
    }
    xen_to_linux("Xen on UEFI", Firmware::EfiX64, "grub-http-x64.efi");
}
