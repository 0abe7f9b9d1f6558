//! Discs and disks for the lab, made of files from Debian's packages.

use std::path::PathBuf;
use std::process::Command;

use super::{Lab, loaders, must, packaged};

/// What a file of an image is made of.
pub enum Content<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
    File(&'a str),
}

/// Packs an ISO of these files, each with its path in it and either its content or the file to copy.
pub fn iso(lab: &Lab, name: &str, label: &str, files: &[(&str, Content)], options: &[&str]) -> String {
    let folder = lab.path(&format!("{name}.d"));
    for (path, content) in files {
        let to = folder.join(path.trim_start_matches('/'));
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        match content {
            Content::Text(text) => std::fs::write(&to, text).expect("a file"),
            Content::Bytes(bytes) => std::fs::write(&to, bytes).expect("a file"),
            Content::File(from) => std::fs::copy(from, &to).map(drop).expect(from),
        }
    }
    let iso = lab.path(&format!("{name}.iso")).display().to_string();
    let mut xorriso = Command::new("xorriso");
    xorriso.args(["-as", "mkisofs", "-quiet", "-R", "-J", "-V", label]).args(options).args(["-o", &iso]).arg(folder);
    must(&mut xorriso);
    iso
}

/// A file of Debian's netboot installer for an architecture by its name in Debian.
pub fn installer(architecture: &str, name: &str) -> String {
    packaged(&format!(
        "debian-installer-12-netboot-{architecture}/usr/lib/debian-installer/images/12/{architecture}/text/\
         debian-installer/{architecture}/{name}"
    ))
}

/// An installer's disc as Debian makes it, with the kernel and the initrd that find their packages over the network.
pub fn installer_disc(lab: &Lab, architecture: &str) -> String {
    // The folder has the architecture in three letters at most, a rule of older disc formats.
    let folder = if architecture == "arm64" { "install.a64" } else { "install.amd" };
    let [kernel, initrd] = [("vmlinuz", "linux"), ("initrd.gz", "initrd.gz")]
        .map(|(to, from)| (format!("/{folder}/{to}"), installer(architecture, from)));
    let info = format!("Debian GNU/Linux 12.0.0 \"Bookworm\" - Unofficial {architecture} NETINST\n");
    let files = [
        (kernel.0.as_str(), Content::File(&kernel.1)),
        (&initrd.0, Content::File(&initrd.1)),
        ("/.disk/info", Content::Text(&info)),
        ("/dists/bookworm/Release", Content::Text("Suite: stable\n")),
    ];
    iso(lab, &format!("installer-{architecture}"), &format!("Debian 12.0.0 {architecture} n"), &files, &[])
}

/// Whole images: each is another file of the same bytes.
pub fn copies(lab: &Lab, image: &str, name: &str, count: usize) -> Vec<String> {
    let link = |number: usize| {
        let to = lab.path(&format!("{name}-{number:02}.iso"));
        std::fs::hard_link(image, &to).or_else(|_| std::fs::copy(image, &to).map(drop)).expect("a copy");
        to.display().to_string()
    };
    (1..=count).map(link).collect()
}

/// A folder of our boot loaders for a test to change.
pub fn own_loaders(lab: &Lab) -> PathBuf {
    let folder = lab.path("loaders");
    std::fs::create_dir(&folder).expect("a folder");
    for file in std::fs::read_dir(loaders()).expect("loaders") {
        let file = file.expect("a file").path();
        if file.is_file() {
            std::fs::copy(&file, folder.join(file.file_name().expect("a name"))).expect("a copy");
        }
    }
    folder
}

/// What a computer shows that was started from its own disk.
pub const OWN_DISK: &str = "OWN DISK STARTED";

/// A boot sector that prints the text behind it (`as`, `.code16`):
///
/// ```text
///        ljmp $0, $1f
/// 1:     xor %ax, %ax;  mov %ax, %ds;  mov $text, %si
/// next:  lodsb;  test %al, %al;  jz stop;  mov $0x0e, %ah;  mov $7, %bx;  int $0x10;  jmp next
/// stop:  hlt;  jmp stop
/// text:
/// ```
const PRINTS: &[u8] =
    b"\xea\x05\x7c\x00\x00\x31\xc0\x8e\xd8\xbe\x1d\x7c\xac\x84\xc0\x74\x09\xb4\x0e\xbb\x07\x00\xcd\x10\
    \xeb\xf2\xf4\xeb\xfd";

/// A disk that a BIOS starts, and that says so.
pub fn bios_disk(lab: &Lab) -> PathBuf {
    let mut bytes = [PRINTS, OWN_DISK.as_bytes()].concat();
    bytes.resize(510, 0);
    bytes.extend([0x55, 0xaa]);
    // Room for the partitions that it does not have; less is no disk to some programs.
    bytes.resize(1 << 20, 0);
    let disk = lab.path("bios.disk");
    std::fs::write(&disk, bytes).expect("a file");
    disk
}

/// Where the partition of [`uefi_disk`] begins and how long it is, in sectors of 512 bytes.
const PARTITION: [u32; 2] = [2048, 30720];

/// The same for UEFI without Secure Boot: an EFI system partition with GRUB of this format (`x86_64-efi`, `i386-efi`).
pub fn uefi_disk(lab: &Lab, format: &str) -> PathBuf {
    let (script, program, disk) = (lab.path("own.cfg"), lab.path("own.efi"), lab.path(&format!("{format}.disk")));
    std::fs::write(&script, format!("echo \"{OWN_DISK}\"\nsleep 3600\n")).expect("a file");
    let mut grub = Command::new("grub-mkstandalone");
    grub.args(["-O", format, "--install-modules=echo sleep normal", "--modules=echo sleep normal"]);
    grub.args(["--locales=", "--fonts=", "--themes=", "-o"]).arg(&program);
    must(grub.arg(format!("boot/grub/grub.cfg={}", script.display())));
    std::fs::write(&disk, partitioned()).expect("a file");
    let place = format!("{}@@{}s", disk.display(), PARTITION[0]);
    let on_disk = |tool: &str, arguments: &[&str]| must(Command::new(tool).args(["-i", &place]).args(arguments));
    on_disk("mformat", &["-T", &PARTITION[1].to_string(), "-h", "255", "-s", "63", "::"]);
    on_disk("mmd", &["::EFI", "::EFI/BOOT"]);
    let name = if format == "i386-efi" { "BOOTIA32.EFI" } else { "BOOTX64.EFI" };
    on_disk("mcopy", &[&program.display().to_string(), &format!("::EFI/BOOT/{name}")]);
    disk
}

/// An empty disk with one partition: a master boot record (UEFI 2.10 section 5.2.1) that calls it an EFI system partition.
fn partitioned() -> Vec<u8> {
    let mut bytes = vec![0; (PARTITION[0] + PARTITION[1]) as usize * 512];
    // No cylinders: it is reached by sector numbers alone.
    bytes[446..454].copy_from_slice(&[0, 0xfe, 0xff, 0xff, 0xef, 0xfe, 0xff, 0xff]);
    bytes[454..458].copy_from_slice(&PARTITION[0].to_le_bytes());
    bytes[458..462].copy_from_slice(&PARTITION[1].to_le_bytes());
    bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
    bytes
}
