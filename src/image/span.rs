//! How long an image should be by its own account, read by hand: one that is cut off often cannot be listed at all, and
//! then this alone tells a download that was broken off from a disc that is damaged.

use std::fs::File;

use super::stored::{SECTOR, read_exact_at};

/// Where the volume descriptors of ISO 9660 begin, in sectors (ECMA-119 section 7.2.1 in its later editions, 6.2.1).
const DESCRIPTORS: u64 = 16;
/// Where a UDF disc has its anchor (ECMA-167 3/8.4.2.1).
const ANCHOR: u64 = 256;
/// Most descriptors of a sequence that are looked at; discs have six.
const MAX_DESCRIPTORS: u64 = 64;
/// Tags of UDF descriptors (ECMA-167 3/7.2.1).
const TAG_ANCHOR: u16 = 2;
const TAG_PARTITION: u16 = 5;
const TAG_TERMINATOR: u16 = 8;

/// The size in bytes that the tables of a file speak of, the largest where there are several; 0 where there are none.
pub(super) fn declared(file: &File) -> u64 {
    iso(file).unwrap_or(0).max(udf(file).unwrap_or(0))
}

fn sector(file: &File, number: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0u8; SECTOR as usize];
    read_exact_at(file, &mut bytes, number.checked_mul(SECTOR)?).ok()?;
    Some(bytes)
}

/// The volume's size is in the primary descriptor, in blocks (ECMA-119 section 8.4.8 and 8.4.12).
fn iso(file: &File) -> Option<u64> {
    let primary = sector(file, DESCRIPTORS).filter(|bytes| bytes.starts_with(b"\x01CD001"))?;
    u64::from(u32_at(&primary, 80)?).checked_mul(u64::from(u16_at(&primary, 128)?))
}

/// The end of the last partition (ECMA-167 3/10.5). Everything that a volume stores lies in one.
fn udf(file: &File) -> Option<u64> {
    let anchor = sector(file, ANCHOR).filter(|bytes| u16_at(bytes, 0) == Some(TAG_ANCHOR))?;
    let (length, start) = (u32_at(&anchor, 16)?, u32_at(&anchor, 20)?);
    let count = u64::from(length).div_ceil(SECTOR).min(MAX_DESCRIPTORS);
    let mut end = None;
    for number in 0..count {
        let bytes = sector(file, u64::from(start) + number)?;
        match u16_at(&bytes, 0)? {
            TAG_PARTITION => end = end.max(partition_end(&bytes)),
            TAG_TERMINATOR | 0 => break,
            _ => {}
        }
    }
    end
}

/// Starting location and length, in sectors (ECMA-167 3/10.5.8 and 3/10.5.9).
fn partition_end(bytes: &[u8]) -> Option<u64> {
    u64::from(u32_at(bytes, 188)?).checked_add(u64::from(u32_at(bytes, 192)?))?.checked_mul(SECTOR)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|&field| u16::from_le_bytes(field))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|&field| u32::from_le_bytes(field))
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, SeekFrom, Write};

    use super::*;

    fn file(sectors: &[(u64, Vec<u8>)]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        for (number, bytes) in sectors {
            file.seek(SeekFrom::Start(number * SECTOR)).unwrap();
            let mut bytes = bytes.clone();
            bytes.resize(SECTOR as usize, 0);
            file.write_all(&bytes).unwrap();
        }
        file
    }

    fn put(bytes: &mut Vec<u8>, at: usize, field: &[u8]) {
        bytes.resize(bytes.len().max(at + field.len()), 0);
        bytes[at..at + field.len()].copy_from_slice(field);
    }

    fn primary(blocks: u32, size: u16) -> (u64, Vec<u8>) {
        let mut bytes = b"\x01CD001\x01".to_vec();
        put(&mut bytes, 80, &blocks.to_le_bytes());
        put(&mut bytes, 128, &size.to_le_bytes());
        (DESCRIPTORS, bytes)
    }

    fn tagged(number: u64, tag: u16, fields: &[(usize, u32)]) -> (u64, Vec<u8>) {
        let mut bytes = tag.to_le_bytes().to_vec();
        fields.iter().for_each(|(at, field)| put(&mut bytes, *at, &field.to_le_bytes()));
        (number, bytes)
    }

    fn anchor(length: u32, start: u32) -> (u64, Vec<u8>) {
        tagged(ANCHOR, TAG_ANCHOR, &[(16, length), (20, start)])
    }

    #[test]
    fn both_file_systems_tell_their_size() {
        let partition = |number, start, length| tagged(number, TAG_PARTITION, &[(188, start), (192, length)]);
        let cases: [(&str, Vec<(u64, Vec<u8>)>, u64); 9] = [
            ("nothing", vec![], 0),
            ("text", vec![(16, b"hello".to_vec())], 0),
            ("ISO 9660", vec![primary(1000, 2048)], 2_048_000),
            ("the most of ISO 9660", vec![primary(u32::MAX, u16::MAX)], 0xffff_ffff * 0xffff),
            (
                "UDF",
                vec![
                    anchor(16 * 2048, 32),
                    tagged(32, 1, &[]),
                    partition(33, 300, 5000),
                    tagged(34, TAG_TERMINATOR, &[]),
                ],
                5300 * 2048,
            ),
            ("both", vec![primary(10, 2048), anchor(2048, 32), partition(32, 300, 5000)], 5300 * 2048),
            (
                "behind the terminator",
                vec![anchor(9 * 2048, 32), tagged(32, TAG_TERMINATOR, &[]), partition(33, 1, 1)],
                0,
            ),
            ("a sequence of 4 GB", vec![anchor(u32::MAX, 32), partition(33, 1, 1)], 0),
            ("a sequence at the end of the world", vec![anchor(2048, u32::MAX)], 0),
        ];
        for (name, sectors, size) in cases {
            assert_eq!(declared(&file(&sectors)), size, "{name}");
        }
    }
}
