//! UDF discs made byte by byte (ECMA-167), right ones and those that no tool would write.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

const SECTOR: usize = 2048;
/// Where the partition begins; numbers of blocks count from there.
pub const PARTITION: u32 = 300;
const SEQUENCE: u32 = 32;

/// A disc in the making.
pub struct Udf {
    pub bytes: Vec<u8>,
    next: u32,
    /// Length of the partition as its descriptor has it; as it is where none is given.
    pub declared: Option<u32>,
}

/// What a folder has: a name in its stored form, whether it is a folder, and the block of its entry.
pub type Named<'a> = (&'a [u8], bool, u32);

impl Udf {
    pub fn new() -> Udf {
        // Block 0 has the file set, block 1 the root folder's entry.
        Udf { bytes: Vec::new(), next: 2, declared: None }
    }

    pub const ROOT: u32 = 1;

    pub fn reserve(&mut self, blocks: u32) -> u32 {
        let block = self.next;
        self.next += blocks;
        block
    }

    pub fn put(&mut self, sector: u32, bytes: &[u8]) {
        let at = sector as usize * SECTOR;
        self.bytes.resize(self.bytes.len().max((at + bytes.len()).next_multiple_of(SECTOR)), 0);
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    pub fn put_block(&mut self, block: u32, bytes: &[u8]) {
        self.put(PARTITION + block, bytes);
    }

    /// A file; returns the block of its entry.
    pub fn file(&mut self, bytes: &[u8]) -> u32 {
        let data = self.reserve(u32::try_from(bytes.len().div_ceil(SECTOR).max(1)).unwrap());
        self.put_block(data, bytes);
        let entry = self.reserve(1);
        let length = u32::try_from(bytes.len()).unwrap();
        self.put_block(entry, &file_entry(entry, 5, u64::from(length), 0, &short(length, data)));
        entry
    }

    /// A folder at a block that was reserved, or at [`Udf::ROOT`].
    pub fn folder(&mut self, block: u32, parent: u32, named: &[Named]) {
        let mut names = identifier(self.next, b"", 0x0a, parent);
        for (name, is_folder, entry) in named {
            // Each says in which block it begins.
            let block = self.next + u32::try_from(names.len() / SECTOR).unwrap();
            names.extend(identifier(block, name, if *is_folder { 2 } else { 0 }, *entry));
        }
        let data = self.reserve(u32::try_from(names.len().div_ceil(SECTOR)).unwrap());
        self.put_block(data, &names);
        let length = u32::try_from(names.len()).unwrap();
        self.put_block(block, &file_entry(block, 4, u64::from(length), 0, &short(length, data)));
    }

    /// The whole disc: what comes before the partition, and the anchor.
    pub fn finish(mut self, label: &[u8]) -> Vec<u8> {
        for (at, name) in [b"BEA01", b"NSR02", b"TEA01"].iter().enumerate() {
            self.put(16 + at as u32, &[&[0], &name[..], &[1]].concat());
        }
        let mut set = vec![0; 512];
        set[400..416].copy_from_slice(&long(SECTOR as u32, Udf::ROOT));
        self.put_block(0, &tagged(256, 0, set));
        let length = u32::try_from(self.bytes.len() / SECTOR).unwrap() - PARTITION;
        let length = self.declared.unwrap_or(length);
        let mut partition = vec![0; 512];
        partition[188..192].copy_from_slice(&PARTITION.to_le_bytes());
        partition[192..196].copy_from_slice(&length.to_le_bytes());
        let mut logical = vec![0; 512];
        dstring(&mut logical[84..212], label);
        logical[212..216].copy_from_slice(&(SECTOR as u32).to_le_bytes());
        logical[217..236].copy_from_slice(b"*OSTA UDF Compliant");
        logical[240..242].copy_from_slice(&[2, 1]);
        logical[248..264].copy_from_slice(&long(SECTOR as u32, 0));
        logical[264] = 6;
        logical[268] = 1;
        logical[440..446].copy_from_slice(&[1, 6, 1, 0, 0, 0]);
        let mut primary = vec![0; 512];
        dstring(&mut primary[24..56], label);
        let sequence = [(1, primary), (5, partition), (6, logical), (8, vec![0; 512])];
        for (at, (tag, bytes)) in (SEQUENCE..).zip(sequence) {
            self.put(at, &tagged(tag, at, bytes));
        }
        let mut anchor = vec![0; 512];
        for at in [16, 24] {
            anchor[at..at + 4].copy_from_slice(&(16 * SECTOR as u32).to_le_bytes());
            anchor[at + 4..at + 8].copy_from_slice(&SEQUENCE.to_le_bytes());
        }
        self.put(256, &tagged(2, 256, anchor));
        self.bytes
    }
}

/// A name of 8-bit characters as UDF stores it (OSTA Compressed Unicode).
pub fn name(text: &str) -> Vec<u8> {
    [&[8], text.as_bytes()].concat()
}

/// One of 16-bit characters.
pub fn wide(text: &str) -> Vec<u8> {
    [16].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect()
}

fn dstring(field: &mut [u8], text: &[u8]) {
    field[0] = 8;
    field[1..=text.len()].copy_from_slice(text);
    let last = field.len() - 1;
    field[last] = text.len() as u8 + 1;
}

/// A file entry (4/14.9) with these allocation descriptors; the low bits of `flags` say of which kind.
pub fn file_entry(block: u32, kind: u8, size: u64, flags: u16, allocation: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 176];
    bytes[20..22].copy_from_slice(&4u16.to_le_bytes());
    bytes[24] = 1;
    bytes[27] = kind;
    bytes[34..36].copy_from_slice(&flags.to_le_bytes());
    bytes[44..48].copy_from_slice(&0x14a5u32.to_le_bytes());
    bytes[48] = 1;
    bytes[56..64].copy_from_slice(&size.to_le_bytes());
    bytes[172..176].copy_from_slice(&u32::try_from(allocation.len()).unwrap().to_le_bytes());
    bytes.extend(allocation);
    tagged(261, block, bytes)
}

/// A file identifier (4/14.4), padded to four bytes.
pub fn identifier(block: u32, name: &[u8], characteristics: u8, entry: u32) -> Vec<u8> {
    let mut bytes = vec![0; 38];
    bytes[16] = 1;
    bytes[18] = characteristics;
    bytes[19] = u8::try_from(name.len()).unwrap();
    bytes[20..36].copy_from_slice(&long(SECTOR as u32, entry));
    bytes.extend(name);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    tagged(257, block, bytes)
}

pub fn short(length: u32, block: u32) -> Vec<u8> {
    [length.to_le_bytes(), block.to_le_bytes()].concat()
}

pub fn long(length: u32, block: u32) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&length.to_le_bytes());
    bytes[4..8].copy_from_slice(&block.to_le_bytes());
    bytes
}

/// Puts the tag before a descriptor (3/7.2), with both checksums.
pub fn tagged(tag: u16, location: u32, mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = crc(&bytes[16..]).to_le_bytes();
    let length = u16::try_from(bytes.len() - 16).unwrap().to_le_bytes();
    let head = [&tag.to_le_bytes()[..], &[2, 0, 0, 0, 0, 0], &crc, &length, &location.to_le_bytes()].concat();
    bytes[..16].copy_from_slice(&head);
    bytes[4] = head.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte));
    bytes
}

/// CRC-16 of ITU-T V.41 (3/7.2.6).
pub fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 })
    })
}
