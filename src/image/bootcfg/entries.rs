//! Entries of systemd-boot, one file each.
//!
//! Source: UAPI Group, "Boot Loader Specification", type 1. Keys may be repeated where that makes sense.

use super::{Kind, Sheet, absolute};

/// Where they are. On a disc the entries lie at its root, as on an EFI system partition.
pub(super) const FOLDERS: [&str; 2] = ["/loader/entries", "/boot/loader/entries"];
/// Most entries that are read.
const MAX_ENTRIES: usize = 32;

/// Reads all entries of a folder, in the order of their file names.
pub(super) fn read(sheet: &mut Sheet, folder: &str) {
    let pattern = format!("{folder}/*.conf");
    let files: Vec<String> = sheet.disc.matching(&pattern).map(|(path, _)| path).take(MAX_ENTRIES).collect();
    for file in files {
        let Some(text) = sheet.text(&file, 0) else { continue };
        entry(sheet, &text);
    }
}

fn entry(sheet: &mut Sheet, text: &str) {
    let before = sheet.items.len();
    sheet.item("");
    let Some(item) = sheet.items.get_mut(before) else { return };
    let mut version = "";
    let mut options = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let Some((key, value)) = line.split_once(char::is_whitespace).map(|(key, value)| (key, value.trim())) else {
            continue;
        };
        match key {
            "title" => item.title = super::cut(value),
            "version" => version = value,
            "linux" => item.kernel = path(value),
            "initrd" => item.initrd.push(path(value)),
            "options" => options.push(value),
            "efi" | "uki" => (item.kernel, item.kind) = (path(value), Kind::EfiProgram),
            _ => {}
        }
    }
    if item.title.is_empty() {
        item.title = super::cut(version);
    }
    item.arguments = options.join(" ");
}

/// Some are written with the separators of UEFI.
fn path(value: &str) -> String {
    absolute("/", &value.replace('\\', "/"))
}
