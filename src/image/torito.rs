//! On which firmware a disc starts by itself, as its boot catalogue says (the El Torito specification 1.0, sections 2.0
//! to 2.4; for UEFI, platform 0xef: UEFI 2.10 section 13.3.2.1).

use std::fs::File;

use super::Firmware;
use super::stored::{SECTOR, read_exact_at};

/// Where the descriptor with the catalogue's place is, in sectors.
const BOOT_RECORD: u64 = 17;
/// How that descriptor begins, and where in it the place is.
const BOOT_RECORD_START: &[u8] = b"\0CD001\x01EL TORITO SPECIFICATION";
const PLACE: usize = 71;
/// Length of the catalogue's entries in bytes. One sector of them is read: discs have up to four.
const ENTRY: usize = 32;
/// First byte of what can be started, and of the headers of further sections; the second one is the last section's.
const BOOTABLE: u8 = 0x88;
const SECTION: [u8; 2] = [0x90, 0x91];
/// Platforms.
const BIOS: u8 = 0;
const EFI: u8 = 0xef;

/// The firmware that starts this disc where it is given as a drive. `None` where it has no boot catalogue.
///
/// For a BIOS only what is started without emulation counts: iPXE and memdisk know no other.
pub(super) fn starts(file: &File) -> Option<Vec<Firmware>> {
    let record = sector(file, BOOT_RECORD).filter(|record| record.starts_with(BOOT_RECORD_START))?;
    let place = record.get(PLACE..)?.first_chunk().map(|&place| u32::from_le_bytes(place))?;
    let catalogue = sector(file, u64::from(place))?;
    let mut entries = catalogue.chunks_exact(ENTRY);
    let mut platform = entries.next().filter(|first| validates(first)).and_then(|first| first.get(1).copied())?;
    let mut found = Vec::new();
    for entry in entries {
        let (Some(&kind), Some(&detail)) = (entry.first(), entry.get(1)) else { break };
        match (kind, platform) {
            (kind, _) if SECTION.contains(&kind) => platform = detail,
            (BOOTABLE, BIOS) if detail & 0x0f == 0 => found.push(Firmware::Bios),
            (BOOTABLE, EFI) => found.push(Firmware::Uefi),
            _ => {}
        }
    }
    found.sort_unstable();
    found.dedup();
    Some(found)
}

/// The first entry says what the catalogue is, and adds up to nothing.
fn validates(entry: &[u8]) -> bool {
    let sum = entry
        .chunks_exact(2)
        .filter_map(|pair| pair.first_chunk())
        .fold(0u16, |sum, &pair| sum.wrapping_add(u16::from_le_bytes(pair)));
    entry.first() == Some(&1) && entry.ends_with(&[0x55, 0xaa]) && sum == 0
}

fn sector(file: &File, number: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0u8; usize::try_from(SECTOR).ok()?];
    read_exact_at(file, &mut bytes, number.checked_mul(SECTOR)?).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn disc(record: &[u8], entries: &[[u8; 2]]) -> Option<Vec<Firmware>> {
        let mut bytes = vec![0u8; 20 * 2048];
        bytes[17 * 2048..][..record.len()].copy_from_slice(record);
        bytes[17 * 2048 + PLACE] = 19;
        for (entry, start) in bytes[19 * 2048..].chunks_exact_mut(ENTRY).zip(entries) {
            entry[..2].copy_from_slice(start);
        }
        let first = &mut bytes[19 * 2048..][..ENTRY];
        first[30..].copy_from_slice(&[0x55, 0xaa]);
        let sum = u16::from_le_bytes([first[0], first[1]]).wrapping_add(0xaa55).wrapping_neg();
        first[28..30].copy_from_slice(&sum.to_le_bytes());
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        starts(&file)
    }

    #[test]
    fn the_catalogue_says_which_firmware_starts_it() {
        use Firmware::{Bios, Uefi};
        let cases: [(&str, &[[u8; 2]], Option<Vec<Firmware>>); 8] = [
            ("BIOS", &[[1, 0], [0x88, 0]], Some(vec![Bios])),
            ("BIOS and UEFI", &[[1, 0], [0x88, 0], [0x91, 0xef], [0x88, 0]], Some(vec![Bios, Uefi])),
            ("UEFI alone", &[[1, 0xef], [0x88, 0]], Some(vec![Uefi])),
            ("a floppy for a BIOS", &[[1, 0], [0x88, 2]], Some(vec![])),
            (
                "a section of BIOS behind one of UEFI",
                &[[1, 0xef], [0x88, 0], [0x90, 0], [0x88, 0]],
                Some(vec![Bios, Uefi]),
            ),
            ("what cannot be started", &[[1, 0], [0, 0], [0x91, 0xef], [0, 0]], Some(vec![])),
            ("a Macintosh", &[[1, 2], [0x88, 0]], Some(vec![])),
            ("no catalogue", &[[2, 0], [0x88, 0]], None),
        ];
        for (name, entries, expected) in cases {
            assert_eq!(disc(BOOT_RECORD_START, entries), expected, "{name}");
        }
        assert_eq!(disc(b"\0CD001\x01something else", &[[1, 0], [0x88, 0]]), None);
    }

    #[test]
    fn a_catalogue_behind_the_end_is_none() {
        let mut file = tempfile::tempfile().unwrap();
        assert_eq!(starts(&file), None);
        let mut bytes = vec![0u8; 18 * 2048];
        bytes[17 * 2048..][..BOOT_RECORD_START.len()].copy_from_slice(BOOT_RECORD_START);
        bytes[17 * 2048 + PLACE..][..4].copy_from_slice(&[0xff; 4]);
        file.write_all(&bytes).unwrap();
        assert_eq!(starts(&file), None);
    }
}
