//! The image's own boot menus, read for what they start: `grub.cfg`, `isolinux.cfg` and `syslinux.cfg`, and the entries
//! of systemd-boot. [`esxi`] reads and writes ESXi's `boot.cfg`, which is one entry and not a menu.
//!
//! Not an interpreter: conditions are not evaluated, so all branches count; loops and functions are passed over. That is
//! enough to learn what an image starts, which is all that is asked.

mod entries;
pub mod esxi;
mod grub;
mod isolinux;

use std::collections::HashSet;

use super::{Disc, Firmware, kernel};

/// Menus of all sorts that are read, the main ones and those that they include.
const MAX_FILES: usize = 40;
const MAX_DEPTH: usize = 8;
const MAX_SIZE: usize = 256 << 10;
const MAX_LINE: usize = 8192;
/// Items of one menu before those are left out that start nothing.
const MAX_RAW_ITEMS: usize = 256;
const MAX_ITEMS: usize = 64;
/// Submenus within submenus that are told of.
const MAX_SUBMENUS: usize = 16;
/// Longest title; longer ones are cut.
const MAX_TITLE: usize = 200;

/// One item of a menu.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// What its menu calls it.
    pub title: String,
    /// The titles of the submenus that it is in, the outermost first.
    pub path: Vec<String>,
    /// What the loader does with it.
    pub kind: Kind,
    /// Absolute path of the kernel, hypervisor, UEFI program or `memdisk`, as written.
    pub kernel: String,
    /// Absolute paths of the initrds, as written; for `memdisk` of the disc or drive that it takes.
    pub initrd: Vec<String>,
    /// Kernel arguments, without `initrd=`.
    pub arguments: String,
    /// The menu that it was found in.
    pub menu: String,
}

/// What a loader does with an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A Linux kernel, or another program with its boot protocol, and initrds.
    #[default]
    Linux,
    /// A hypervisor or kernel by Multiboot.
    Multiboot {
        /// Its modules: absolute paths, and the arguments of each.
        modules: Vec<(String, String)>,
    },
    /// A UEFI program that needs no other file.
    EfiProgram,
    /// `memdisk`, which makes a drive of an image inside this one.
    Memdisk,
}

/// How a menu is written.
#[derive(Clone, Copy, Debug)]
enum Language {
    Grub,
    Isolinux,
}

/// Where images keep their menus, those made for other media first: `loopback.cfg` is the shortest and most general.
const MENUS: [(&str, Language); 16] = [
    ("/boot/grub/loopback.cfg", Language::Grub),
    ("/boot/grub/grub.cfg", Language::Grub),
    ("/boot/grub2/grub.cfg", Language::Grub),
    ("/EFI/BOOT/grub.cfg", Language::Grub),
    ("/grub/grub.cfg", Language::Grub),
    ("/isolinux/isolinux.cfg", Language::Isolinux),
    ("/boot/isolinux/isolinux.cfg", Language::Isolinux),
    ("/boot/x86_64/loader/isolinux.cfg", Language::Isolinux),
    ("/syslinux/syslinux.cfg", Language::Isolinux),
    ("/boot/syslinux/syslinux.cfg", Language::Isolinux),
    ("/syslinux/isolinux.cfg", Language::Isolinux),
    ("/boot/syslinux/isolinux.cfg", Language::Isolinux),
    ("/isolinux.cfg", Language::Isolinux),
    ("/syslinux.cfg", Language::Isolinux),
    ("/boot/isolinux.cfg", Language::Isolinux),
    ("/boot/syslinux.cfg", Language::Isolinux),
];

/// Where they are when they are in none of these places. Fedora CoreOS has `/EFI/fedora/grub.cfg`, SystemRescue
/// `/sysresccd/boot/syslinux`.
const ELSEWHERE: [(&str, Language); 8] = [
    ("/EFI/*/grub.cfg", Language::Grub),
    ("/*/grub.cfg", Language::Grub),
    ("/*/*/grub.cfg", Language::Grub),
    ("/*/*/*/grub.cfg", Language::Grub),
    ("/*/*/isolinux.cfg", Language::Isolinux),
    ("/*/*/syslinux.cfg", Language::Isolinux),
    ("/*/*/*/isolinux.cfg", Language::Isolinux),
    ("/*/*/*/syslinux.cfg", Language::Isolinux),
];

/// What the image's own menu starts and has the files for: of the first menu that starts a system, else of the first
/// that starts anything.
pub fn read(disc: &Disc) -> Vec<Item> {
    let mut tools = Vec::new();
    let mut files = 0;
    for menu in menus(disc) {
        if files >= MAX_FILES {
            break;
        }
        let items = startable(disc, menu.read(disc, &mut files));
        if items.iter().any(|item| matches!(item.kind, Kind::Linux | Kind::Multiboot { .. })) {
            return items;
        }
        if tools.is_empty() {
            tools = items;
        }
    }
    tools
}

/// A menu that the image has.
enum Menu {
    File(String, Language),
    Entries(&'static str),
}

impl Menu {
    fn read(&self, disc: &Disc, files: &mut usize) -> Vec<Item> {
        let mut sheet = Sheet { disc, items: Vec::new(), path: Vec::new(), files: *files };
        let place = match self {
            Menu::File(path, Language::Grub) => {
                grub::read(&mut sheet, path);
                path
            }
            Menu::File(path, Language::Isolinux) => {
                isolinux::read(&mut sheet, path);
                path
            }
            Menu::Entries(folder) => {
                entries::read(&mut sheet, folder);
                *folder
            }
        };
        *files = sheet.files;
        let mut items = sheet.items;
        items.iter_mut().for_each(|item| item.menu = place.to_owned());
        items
    }
}

fn menus(disc: &Disc) -> Vec<Menu> {
    let mut menus = Vec::new();
    let mut seen = HashSet::new();
    let mut add = |path: String, language| {
        if seen.insert(path.clone()) {
            menus.push(Menu::File(path, language));
        }
    };
    for (path, language) in MENUS {
        disc.resolve_file(path).into_iter().for_each(|path| add(path, language));
    }
    let known = menus.len();
    let folders = entries::FOLDERS.into_iter().filter(|folder| disc.has(folder)).map(Menu::Entries);
    let folders: Vec<Menu> = folders.collect();
    let mut add = |path: String, language| {
        if seen.insert(path.clone()) {
            menus.push(Menu::File(path, language));
        }
    };
    for (pattern, language) in ELSEWHERE {
        disc.matching(pattern).for_each(|(path, _)| add(path, language));
    }
    menus.splice(known..known, folders);
    menus
}

/// Items that have their files and can be started, each once: names differ in their letters and still mean one file.
fn startable(disc: &Disc, items: Vec<Item>) -> Vec<Item> {
    let real = |path: &str| disc.resolve(path).unwrap_or_else(|| path.to_owned());
    let mut seen = HashSet::new();
    let mut unseen = |item: &Item| {
        let modules = match &item.kind {
            Kind::Multiboot { modules } => {
                modules.iter().map(|(path, arguments)| (real(path), arguments.clone())).collect()
            }
            _ => Vec::new(),
        };
        let initrd: Vec<String> = item.initrd.iter().map(|path| real(path)).collect();
        seen.insert((real(&item.kernel), initrd, item.arguments.clone(), modules))
    };
    items.into_iter().filter(|item| starts(disc, item) && unseen(item)).take(MAX_ITEMS).collect()
}

fn starts(disc: &Disc, item: &Item) -> bool {
    match &item.kind {
        Kind::Linux => kernel::probe(disc, &item.kernel).is_some(),
        Kind::Multiboot { modules } => {
            multiboot(disc, &item.kernel) && modules.iter().all(|(path, _)| disc.find(path).is_some())
        }
        Kind::EfiProgram => {
            !loader(&item.kernel)
                && kernel::probe(disc, &item.kernel).is_some_and(|program| program.firmware.contains(&Firmware::Uefi))
        }
        Kind::Memdisk => item.initrd.first().is_some_and(|path| disc.find(path).is_some()),
    }
}

/// Whether a file can be started by Multiboot: its header is aligned and near the beginning (Multiboot 0.6.96 section
/// 3.1, Multiboot2 section 3.1), or GRUB unpacks it first.
fn multiboot(disc: &Disc, path: &str) -> bool {
    const HEADERS: [[u8; 4]; 2] = [0x1bad_b002_u32.to_le_bytes(), 0xe852_50d6_u32.to_le_bytes()];
    let start = disc.read_start(path, 32 << 10).unwrap_or_default();
    start.starts_with(&[0x1f, 0x8b]) || start.chunks_exact(4).any(|word| HEADERS.iter().any(|header| word == header))
}

/// Whether a UEFI program is a boot loader that needs its own files: it would look for them in vain.
fn loader(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or_default();
    let own = ["boot", "grub", "shim", "mm", "fb", "refind", "systemd-boot", "elilo", "syslinux", "loader"];
    path.starts_with("/efi/boot/") || path.starts_with("/efi/microsoft/") || own.iter().any(|own| name.starts_with(own))
}

/// What all readers of menus fill in.
struct Sheet<'a> {
    disc: &'a Disc,
    items: Vec<Item>,
    /// The submenus that are open.
    path: Vec<String>,
    files: usize,
}

impl Sheet<'_> {
    /// The text of a menu, while there are not too many. Lines that are too long for people are left out.
    fn text(&mut self, path: &str, depth: usize) -> Option<String> {
        if depth > MAX_DEPTH || self.files >= MAX_FILES {
            return None;
        }
        let text = self.disc.read_text(path, MAX_SIZE)?;
        self.files += 1;
        let lines: Vec<&str> = text.lines().filter(|line| line.len() <= MAX_LINE).collect();
        Some(lines.join("\n"))
    }

    fn item(&mut self, title: &str) {
        if self.items.len() < MAX_RAW_ITEMS {
            let path = self.path.iter().take(MAX_SUBMENUS).cloned().collect();
            self.items.push(Item { title: cut(title), path, ..Item::default() });
        }
    }

    fn open(&mut self, title: &str) {
        self.path.push(cut(title));
    }
}

fn cut(title: &str) -> String {
    title.chars().take(MAX_TITLE).collect()
}

/// An absolute path without empty, `.` and `..` parts, from one that may be relative to a folder.
fn absolute(folder: &str, path: &str) -> String {
    let base = if path.starts_with('/') { "" } else { folder };
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Whether a kernel is the program that makes a drive of an image.
fn is_memdisk(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    name == "memdisk" || name.starts_with("memdisk.") || name == "memdisk4"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_absolute_and_plain() {
        let cases = [
            ("/isolinux", "vmlinuz", "/isolinux/vmlinuz"),
            ("/isolinux", "../live/vmlinuz", "/live/vmlinuz"),
            ("/boot/isolinux", "/casper//./vmlinuz", "/casper/vmlinuz"),
            ("", "../../etc/passwd", "/etc/passwd"),
        ];
        for (folder, path, expected) in cases {
            assert_eq!(absolute(folder, path), expected, "{folder} {path}");
        }
    }

    #[test]
    fn loaders_are_no_programs_of_their_own() {
        for path in ["/EFI/BOOT/BOOTX64.EFI", "/efi/debian/grubx64.efi", "/EFI/Microsoft/Boot/x.efi", "/shimx64.efi"] {
            assert!(loader(path), "{path}");
        }
        for path in ["/boot/memtest86+/memtest.efi", "/shellx64.efi", "/EFI/Linux/foo.efi"] {
            assert!(!loader(path), "{path}");
        }
        assert!(is_memdisk("/isolinux/MEMDISK") && !is_memdisk("/boot/memdisk-files/vmlinuz"));
    }
}
