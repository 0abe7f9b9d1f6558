//! Disc images made byte by byte, right ones and those that no tool would write: ISO 9660 with Rock Ridge and Joliet.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use std::collections::BTreeMap;

pub const SECTOR: usize = 2048;
/// Where the root folder of [`Iso::new`] lies.
pub const ROOT: u32 = 20;
/// Where a second volume descriptor goes, and where those end.
pub const SECOND: u32 = 17;
const FIRST_FREE: u32 = 64;
/// Where holes begin: 2 GiB behind the start, so that all that is written fits before them.
const HOLES: u32 = 1 << 20;

/// An image in the making. Numbers of sectors are those of the image.
pub struct Iso {
    pub bytes: Vec<u8>,
    next: u32,
}

impl Iso {
    /// An image with an empty root folder.
    pub fn new(label: &[u8]) -> Iso {
        let mut iso = Iso { bytes: Vec::new(), next: FIRST_FREE };
        iso.put(16, &descriptor(1, label));
        iso.put(SECOND, b"\xffCD001\x01");
        // Path tables with the root alone (ECMA-119 section 9.4).
        iso.put(18, &[1, 0, 20, 0, 0, 0, 1, 0, 0, 0]);
        iso.put(19, &[1, 0, 0, 0, 0, 20, 0, 1, 0, 0]);
        iso.root(&[]);
        iso
    }

    /// An image of files, with Rock Ridge names.
    pub fn of(label: &[u8], files: &[(&str, Vec<u8>)]) -> Iso {
        Iso::with_holes(label, files, &[]).0
    }

    /// The same with large files that are nothing but holes, each below 4 GiB. Returns how many bytes the image has with
    /// them; whoever writes it makes it that long.
    pub fn with_holes(label: &[u8], files: &[(&str, Vec<u8>)], holes: &[(&str, u32)]) -> (Iso, u64) {
        fn parts(path: &str) -> Vec<&[u8]> {
            path.trim_start_matches('/').split('/').map(str::as_bytes).collect()
        }
        let mut iso = Iso::new(label);
        let mut next = HOLES;
        let holes = holes.iter().map(|(path, length)| {
            let at = next;
            next += length.div_ceil(SECTOR as u32);
            (parts(path), Content::Hole(at, *length))
        });
        let files = files.iter().map(|(path, bytes)| (parts(path), Content::File(bytes)));
        let all: Vec<_> = files.chain(holes).collect();
        let has_holes = next > HOLES;
        let (extent, length) = iso.folder(all, ROOT, true);
        iso.point(extent, length);
        if !has_holes {
            let length = iso.bytes.len() as u64;
            return (iso, length);
        }
        assert!(iso.next < HOLES, "no room before the holes");
        iso.patch(80, &both(next));
        (iso, u64::from(next) * SECTOR as u64)
    }

    /// Writes whole sectors, with zeros behind the bytes.
    pub fn put(&mut self, sector: u32, bytes: &[u8]) {
        let at = sector as usize * SECTOR;
        let end = (at + bytes.len()).next_multiple_of(SECTOR);
        self.bytes.resize(self.bytes.len().max(end), 0);
        self.bytes[at..end].fill(0);
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Overwrites bytes of the primary descriptor.
    pub fn patch(&mut self, at: usize, bytes: &[u8]) -> &mut Iso {
        let at = 16 * SECTOR + at;
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// Puts bytes where there is room, and says where.
    pub fn add(&mut self, bytes: &[u8]) -> u32 {
        let sector = self.reserve(bytes.len());
        self.put(sector, bytes);
        sector
    }

    pub fn reserve(&mut self, length: usize) -> u32 {
        let sector = self.next;
        self.next += u32::try_from(length.div_ceil(SECTOR).max(1)).unwrap();
        sector
    }

    /// Puts these records into the root folder, behind its own two, with the mark of Rock Ridge.
    pub fn root(&mut self, records: &[Vec<u8>]) -> &mut Iso {
        let length = folder(ROOT, ROOT, true, records).len();
        let extent = if length > SECTOR { self.reserve(length) } else { ROOT };
        self.put(extent, &folder(extent, extent, true, records));
        self.point(extent, length);
        self
    }

    /// Names the root folder in the primary descriptor.
    pub fn point(&mut self, extent: u32, length: usize) {
        self.patch(156, &record(extent, u32::try_from(length).unwrap(), 2, &[0], &[]));
    }

    /// A folder with these records somewhere.
    pub fn subfolder(&mut self, records: &[Vec<u8>]) -> (u32, u32) {
        let length = folder(0, ROOT, false, records).len();
        let extent = self.reserve(length);
        self.put(extent, &folder(extent, ROOT, false, records));
        (extent, u32::try_from(length).unwrap())
    }

    /// The whole image, which says its own size.
    pub fn finish(mut self) -> Vec<u8> {
        let sectors = u32::try_from(self.bytes.len() / SECTOR).unwrap();
        if self.bytes[16 * SECTOR + 80..16 * SECTOR + 88] == [0; 8] {
            self.patch(80, &both(sectors));
        }
        self.bytes
    }

    fn folder(&mut self, files: Vec<(Vec<&[u8]>, Content)>, parent: u32, is_root: bool) -> (u32, usize) {
        let mut entries: BTreeMap<Vec<u8>, Entry> = BTreeMap::new();
        for (mut path, content) in files {
            let name = path.remove(0).to_vec();
            if path.is_empty() {
                entries.insert(name, Entry::File(content));
            } else if let Entry::Folder(inside) = entries.entry(name).or_insert(Entry::Folder(Vec::new())) {
                inside.push((path, content));
            }
        }
        let named = |number: usize, name: &[u8], extent: u32, length: usize, is_folder: bool| {
            let flags = if is_folder { 2 } else { 0 };
            let own = if is_folder { format!("D{number}") } else { format!("F{number}.;1") };
            let length = u32::try_from(length).unwrap();
            record(extent, length, flags, own.as_bytes(), &[px(is_folder), nm(0, name)].concat())
        };
        let sizes: Vec<Vec<u8>> = entries.keys().enumerate().map(|(n, name)| named(n, name, 0, 0, false)).collect();
        let length = folder(0, 0, is_root, &sizes).len();
        let extent = self.reserve(length);
        let mut records = Vec::new();
        for (number, (name, entry)) in entries.into_iter().enumerate() {
            let is_folder = matches!(entry, Entry::Folder(_));
            let (at, size) = match entry {
                Entry::File(Content::File(bytes)) => (self.add(bytes), bytes.len()),
                Entry::File(Content::Hole(at, length)) => (at, length as usize),
                Entry::Folder(inside) => self.folder(inside, extent, false),
            };
            records.push(named(number, &name, at, size, is_folder));
        }
        self.put(extent, &folder(extent, parent, is_root, &records));
        (extent, length)
    }
}

enum Content<'a> {
    File(&'a [u8]),
    Hole(u32, u32),
}

enum Entry<'a> {
    File(Content<'a>),
    Folder(Vec<(Vec<&'a [u8]>, Content<'a>)>),
}

/// A folder's bytes: its own record and its parent's, and the others, none across a sector's end (section 6.8.1.1).
pub fn folder(extent: u32, parent: u32, is_root: bool, records: &[Vec<u8>]) -> Vec<u8> {
    let length = |bytes: &[Vec<u8>]| pack(bytes).len().next_multiple_of(SECTOR).max(SECTOR);
    // SUSP's mark, and a field of Rock Ridge (SUSP 1.12 section 5.3).
    let own = if is_root { [&b"SP\x07\x01\xbe\xef\0"[..], &px(true)].concat() } else { Vec::new() };
    let with = |length: usize| {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let first = [record(extent, length, 2, &[0], &own), record(parent, SECTOR as u32, 2, &[1], &[])];
        first.into_iter().chain(records.iter().cloned()).collect::<Vec<_>>()
    };
    let size = length(&with(0));
    let mut bytes = pack(&with(size));
    bytes.resize(size, 0);
    bytes
}

fn pack(records: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in records {
        if bytes.len() % SECTOR + record.len() > SECTOR {
            bytes.resize(bytes.len().next_multiple_of(SECTOR), 0);
        }
        bytes.extend(record);
    }
    bytes
}

/// A directory record (section 9.1), with what Rock Ridge adds to it.
pub fn record(extent: u32, length: u32, flags: u8, name: &[u8], more: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    bytes.extend(both(extent));
    bytes.extend(both(length));
    bytes.extend([126, 1, 1, 0, 0, 0, 0, flags, 0, 0, 1, 0, 0, 1]);
    bytes.push(u8::try_from(name.len()).unwrap());
    bytes.extend(name);
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes.extend(more);
    bytes.resize(bytes.len().next_multiple_of(2), 0);
    bytes[0] = u8::try_from(bytes.len()).unwrap();
    bytes
}

/// A file with a Rock Ridge name.
pub fn named(extent: u32, length: u32, flags: u8, name: &[u8]) -> Vec<u8> {
    record(extent, length, flags, b"X.;1", &[px(flags & 2 != 0), nm(0, name)].concat())
}

/// A number in both byte orders (section 7.3.3).
pub fn both(number: u32) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    bytes
}

/// Rock Ridge: POSIX modes (RRIP section 4.1.1).
pub fn px(is_folder: bool) -> Vec<u8> {
    px_mode(if is_folder { 0o040_755 } else { 0o100_644 })
}

pub fn px_mode(mode: u32) -> Vec<u8> {
    [b"PX\x24\x01".as_slice(), &both(mode), &both(1), &both(0), &both(0)].concat()
}

/// Rock Ridge: a name (section 4.1.4).
pub fn nm(flags: u8, name: &[u8]) -> Vec<u8> {
    entry(b"NM", &[&[flags], name].concat())
}

/// Rock Ridge: where a link leads, by its parts with their flags (section 4.1.3).
pub fn sl(flags: u8, parts: &[(u8, &[u8])]) -> Vec<u8> {
    let parts: Vec<u8> = parts.iter().flat_map(|(flag, name)| [&[*flag, name.len() as u8], *name].concat()).collect();
    entry(b"SL", &[&[flags], parts.as_slice()].concat())
}

/// A link with a name and where it leads; `..` and names only.
pub fn link(name: &[u8], target: &str) -> Vec<u8> {
    let parts: Vec<(u8, &[u8])> = target
        .split('/')
        .map(|part| match part {
            "" => (8, &b""[..]),
            "." => (2, &b""[..]),
            ".." => (4, &b""[..]),
            other => (0, other.as_bytes()),
        })
        .collect();
    record(0, 0, 0, b"L.;1", &[px_mode(0o120_777), nm(0, name), sl(0, &parts)].concat())
}

/// SUSP: it goes on elsewhere (section 5.1).
pub fn ce(sector: u32, offset: u32, length: u32) -> Vec<u8> {
    entry(b"CE", &[both(sector), both(offset), both(length)].concat())
}

pub fn entry(name: &[u8; 2], data: &[u8]) -> Vec<u8> {
    [&name[..], &[u8::try_from(data.len() + 4).unwrap(), 1], data].concat()
}

/// A volume descriptor (section 8.4) with its root at [`ROOT`].
pub fn descriptor(kind: u8, label: &[u8]) -> Vec<u8> {
    let mut bytes = vec![b' '; SECTOR];
    bytes[..8].copy_from_slice(b"\x01CD001\x01\0");
    bytes[0] = kind;
    bytes[40..40 + label.len()].copy_from_slice(label);
    bytes[72..120].fill(0);
    bytes[120..124].copy_from_slice(&[1, 0, 0, 1]);
    bytes[124..128].copy_from_slice(&[1, 0, 0, 1]);
    bytes[128..132].copy_from_slice(&[0, 8, 8, 0]);
    bytes[132..140].copy_from_slice(&both(10));
    bytes[140..148].copy_from_slice(&[18, 0, 0, 0, 0, 0, 0, 0]);
    bytes[148..156].copy_from_slice(&[0, 0, 0, 19, 0, 0, 0, 0]);
    bytes[156..190].copy_from_slice(&record(ROOT, SECTOR as u32, 2, &[0], &[]));
    for date in [813, 830, 847, 864] {
        bytes[date..date + 16].fill(b'0');
        bytes[date + 16] = 0;
    }
    bytes[881] = 1;
    bytes[882..].fill(0);
    bytes
}

/// Joliet's descriptor: a second tree with names of two bytes a character (Joliet specification, level 3).
pub fn joliet(root: u32, length: u32) -> Vec<u8> {
    let mut bytes = descriptor(2, b"");
    bytes[40..72].copy_from_slice(&utf16("JOLIET          "));
    bytes[88..91].copy_from_slice(b"%/E");
    bytes[156..190].copy_from_slice(&record(root, length, 2, &[0], &[]));
    bytes
}

pub fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// El Torito's boot record with the sector of its catalogue.
pub fn boot_record(catalogue: u32) -> Vec<u8> {
    let mut bytes = vec![0; SECTOR];
    bytes[..7].copy_from_slice(b"\0CD001\x01");
    bytes[7..30].copy_from_slice(b"EL TORITO SPECIFICATION");
    bytes[71..75].copy_from_slice(&catalogue.to_le_bytes());
    bytes
}
