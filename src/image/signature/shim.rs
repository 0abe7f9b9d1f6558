//! What a shim accepts besides the firmware's keys: its section `.vendor_cert` (rhboot/shim `cert.S` and `Makefile`,
//! VENDOR_CERT_FILE, VENDOR_DB_FILE and VENDOR_DBX_FILE).

use super::authenticode;
use super::pe::{Image, u32_at};

/// Largest section that is read, in bytes; Debian's with its list of revoked hashes has 10 kB.
const MAX_SECTION: usize = 1 << 20;
/// Most names that are kept of each list.
const MAX_NAMES: usize = 16;
/// Most lists of signatures in a section.
const MAX_LISTS: usize = 64;
/// EFI_CERT_X509_GUID, and the lengths of a list's header and of the owner before each certificate, in bytes (UEFI 2.10
/// section 32.4.1).
const X509: [u8; 16] = [0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a, 0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72];
const LIST_HEADER: usize = 28;
const OWNER: usize = 16;

/// The common names of the certificates that a shim accepts, and of those that it refuses; empty where it is no shim.
pub(super) fn certificates(image: &Image) -> (Vec<String>, Vec<String>) {
    let section = image.section(".vendor_cert").and_then(|place| image.start_of(place, MAX_SECTION));
    let Some(section) = section else { return Default::default() };
    (names(part(&section, 0)), names(part(&section, 4)))
}

/// One of the two lists: its size is at `field`, its place eight bytes on, counted from the section's start.
fn part(section: &[u8], field: usize) -> &[u8] {
    let number = |at| u32_at(section, at).and_then(|number| usize::try_from(number).ok());
    let find = || {
        let (size, at) = (number(field)?, number(field + 8)?);
        section.get(at..at.checked_add(size)?)
    };
    find().unwrap_or_default()
}

/// One certificate, or lists of them.
fn names(bytes: &[u8]) -> Vec<String> {
    if let Some(name) = authenticode::subject(bytes) {
        return vec![name];
    }
    let mut names = Vec::new();
    let mut rest = bytes;
    for _ in 0..MAX_LISTS {
        let Some((list, behind)) = split(rest) else { break };
        for name in of_list(list).into_iter().flatten() {
            if names.len() < MAX_NAMES && !names.contains(&name) {
                names.push(name);
            }
        }
        rest = behind;
    }
    names
}

/// The first list, and what is behind it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let size = usize::try_from(u32_at(bytes, 16)?).ok()?;
    (size >= LIST_HEADER).then(|| bytes.split_at_checked(size)).flatten()
}

/// The names of one list; `None` for a list of hashes.
fn of_list(list: &[u8]) -> Option<Vec<String>> {
    let number = |at| u32_at(list, at).and_then(|number| usize::try_from(number).ok());
    let (header, size) = (number(20)?, number(24)?);
    if !list.starts_with(&X509) || size <= OWNER {
        return None;
    }
    let certificates = list.get(LIST_HEADER.checked_add(header)?..)?.chunks_exact(size).take(MAX_NAMES);
    Some(certificates.filter_map(|entry| authenticode::subject(entry.get(OWNER..)?)).collect())
}
