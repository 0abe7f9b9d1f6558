//! Disc images made by hand: sparse ones, larger than any tool should write in a test.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

const SECTOR: u64 = 2048;
/// ISO 9660 keeps 32-bit sizes, so a larger file has several extents; all but the last are whole sectors.
const FIRST_EXTENT: u64 = 0xffff_f800;
const DATA: u64 = 21;

/// Size of the file in [`with_big_file`], in bytes: beyond what 32 bits hold.
pub const BIG: u64 = FIRST_EXTENT + 1_000_000_007;
/// Texts in it, and where they stand: at both ends, and across the border between its extents.
pub const MARKS: [(u64, &str); 3] =
    [(0, "first bytes"), (FIRST_EXTENT - 5, "across the border"), (BIG - 10, "last bytes")];

/// An ISO 9660 image (ECMA-119) with one file `BIG.BIN` of [`BIG`] bytes in two extents, almost all of it a hole.
pub fn with_big_file(path: &Path) {
    let mut file = File::create(path).unwrap();
    let second = DATA + FIRST_EXTENT / SECTOR;
    let sectors = second + (BIG - FIRST_EXTENT).div_ceil(SECTOR);
    file.set_len(sectors * SECTOR).unwrap();
    write(&mut file, 16 * SECTOR, &descriptor(sectors));
    write(&mut file, 17 * SECTOR, b"\xffCD001\x01");
    // Path tables: the root only (ECMA-119 section 9.4).
    write(&mut file, 18 * SECTOR, &[1, 0, 20, 0, 0, 0, 1, 0, 0, 0]);
    write(&mut file, 19 * SECTOR, &[1, 0, 0, 0, 0, 20, 0, 1, 0, 0]);
    let folder = [
        record(20, SECTOR, 2, &[0]),
        record(20, SECTOR, 2, &[1]),
        // 0x80: more extents follow (section 9.1.6).
        record(DATA, FIRST_EXTENT, 0x80, b"BIG.BIN;1"),
        record(second, BIG - FIRST_EXTENT, 0, b"BIG.BIN;1"),
    ];
    write(&mut file, 20 * SECTOR, &folder.concat());
    for (at, text) in MARKS {
        write(&mut file, DATA * SECTOR + at, text.as_bytes());
    }
}

fn write(file: &mut File, at: u64, bytes: &[u8]) {
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

/// A number in both byte orders (section 7.3.3).
fn both(number: u64) -> Vec<u8> {
    let number = u32::try_from(number).unwrap();
    [number.to_le_bytes(), number.to_be_bytes()].concat()
}

/// A directory record (section 9.1).
fn record(extent: u64, length: u64, flags: u8, name: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    bytes.extend(both(extent));
    bytes.extend(both(length));
    bytes.extend([126, 1, 1, 0, 0, 0, 0, flags, 0, 0, 1, 0, 0, 1]);
    bytes.push(u8::try_from(name.len()).unwrap());
    bytes.extend(name);
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes[0] = u8::try_from(bytes.len()).unwrap();
    bytes
}

/// The primary volume descriptor (section 8.4).
fn descriptor(sectors: u64) -> Vec<u8> {
    let mut bytes = vec![b' '; 2048];
    bytes[..8].copy_from_slice(b"\x01CD001\x01\0");
    bytes[72..80].fill(0);
    bytes[80..88].copy_from_slice(&both(sectors));
    bytes[88..120].fill(0);
    bytes[120..124].copy_from_slice(&[1, 0, 0, 1]);
    bytes[124..128].copy_from_slice(&[1, 0, 0, 1]);
    bytes[128..132].copy_from_slice(&[0, 8, 8, 0]);
    bytes[132..140].copy_from_slice(&both(10));
    bytes[140..148].copy_from_slice(&[18, 0, 0, 0, 0, 0, 0, 0]);
    bytes[148..156].copy_from_slice(&[0, 0, 0, 19, 0, 0, 0, 0]);
    bytes[156..190].copy_from_slice(&record(20, SECTOR, 2, &[0]));
    for date in [813, 830, 847, 864] {
        bytes[date..date + 16].fill(b'0');
        bytes[date + 16] = 0;
    }
    bytes[881] = 1;
    bytes[882..].fill(0);
    bytes
}
