//! What the fuzz targets share: small discs to begin with, changes to them, and what must hold whatever comes in.

#[path = "../../tests/disc/raw.rs"]
pub mod raw;
#[path = "../../tests/disc/udf.rs"]
pub mod udf;

use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex};

use bootwright::image::{Disc, DiscError, Inspection};
use bootwright::text;

/// Where images are put: memory, on Linux.
static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = ["/dev/shm", "/tmp"].into_iter().find(|folder| std::path::Path::new(folder).is_dir()).unwrap_or(".");
    PathBuf::from(folder).join(format!("bootwright-fuzz-{}.iso", std::process::id()))
});
static OPEN: LazyLock<Mutex<std::fs::File>> = LazyLock::new(|| {
    let mut options = std::fs::OpenOptions::new();
    Mutex::new(options.write(true).create(true).truncate(true).open(&*FILE).unwrap())
});

/// Puts bytes into a file and gives its path, which is the same each time.
pub fn file(bytes: &[u8]) -> PathBuf {
    let mut file = OPEN.lock().unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.write_all(bytes).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
    FILE.clone()
}

pub fn open(bytes: &[u8]) -> Result<Disc, DiscError> {
    Disc::open(&file(bytes))
}

/// The least header of a kernel that a BIOS and UEFI start.
pub fn kernel() -> Vec<u8> {
    let mut bytes = vec![0u8; 2048];
    bytes[..2].copy_from_slice(b"MZ");
    bytes[0x3c] = 0x80;
    bytes[0x80..0x86].copy_from_slice(b"PE\0\0\x64\x86");
    bytes[0x202..0x206].copy_from_slice(b"HdrS");
    bytes[0x236] = 1;
    bytes
}

/// A disc of each kind, with something of everything that is read: names, links, folders, areas that go on, a menu.
pub fn bases() -> [Vec<u8>; 3] {
    [rock_ridge(), joliet(), universal()]
}

fn rock_ridge() -> Vec<u8> {
    use raw::{Iso, SECTOR, ce, link, named, nm, px, record};
    let mut iso = Iso::new(b"FUZZ");
    let (file, menu) = (iso.add(&kernel()), b"menuentry a {\n linux /k quiet\n initrd /i\n}\n");
    let (menu_at, more) = (iso.add(menu), iso.add(&[nm(1, b"long"), nm(0, b"name")].concat()));
    let grub = iso.subfolder(&[named(menu_at, menu.len() as u32, 0, b"grub.cfg")]);
    let boot = iso.subfolder(&[named(grub.0, grub.1, 2, b"grub")]);
    let piece = |more| named(file, SECTOR as u32, if more { 0x80 } else { 0 }, b"pieces");
    iso.root(&[
        named(file, 2048, 0, b"k"),
        named(file, 1, 0, b"i"),
        named(boot.0, boot.1, 2, b"boot"),
        link(b"link", "../boot/grub"),
        record(file, 1, 0, b"LONG.;1", &[px(false), ce(more, 0, 30)].concat()),
        piece(true),
        piece(false),
    ]);
    iso.put(raw::SECOND, &raw::boot_record(file));
    iso.put(raw::SECOND + 1, b"\xffCD001\x01");
    iso.finish()
}

fn joliet() -> Vec<u8> {
    use raw::{Iso, record, utf16};
    let mut iso = Iso::new(b"FUZZ");
    let file = iso.add(&kernel());
    let wide = |name: &str, at, length, flags| record(at, length, flags, &utf16(name), &[]);
    let inner = iso.subfolder(&[wide("Ein langer Name.txt", file, 100, 0)]);
    let (root, length) = iso.subfolder(&[wide("k", file, 2048, 0), wide("Ordner", inner.0, inner.1, 2)]);
    iso.put(raw::ROOT, &raw::folder(raw::ROOT, raw::ROOT, false, &[record(file, 1, 0, b"K.;1", &[])]));
    iso.put(raw::SECOND, &raw::joliet(root, length));
    iso.put(raw::SECOND + 1, b"\xffCD001\x01");
    iso.finish()
}

fn universal() -> Vec<u8> {
    use udf::{Udf, file_entry, name, short, tagged, wide};
    let mut disc = Udf::new();
    let (file, inner) = (disc.file(&kernel()), disc.reserve(1));
    let embedded = disc.reserve(1);
    disc.put_block(embedded, &file_entry(embedded, 5, 3, 3, b"abc"));
    let (entry, more) = (disc.reserve(1), disc.reserve(1));
    let mut chain = vec![0; 24];
    chain[20] = 8;
    chain.extend(short(2048, 2));
    disc.put_block(more, &tagged(258, more, chain));
    disc.put_block(entry, &file_entry(entry, 5, 2048, 0, &short(2048 | 0xc000_0000, more)));
    disc.folder(inner, Udf::ROOT, &[(&wide("Ein Name"), false, file), (&name("chain"), false, entry)]);
    disc.folder(
        Udf::ROOT,
        Udf::ROOT,
        &[(&name("k"), false, file), (&name("d"), true, inner), (&name("small"), false, embedded)],
    );
    disc.finish(b"FUZZ")
}

/// Overwrites bytes: each change is a sector (of those that have anything in them), an offset, a count below 16 and the
/// bytes themselves.
pub fn change(image: &mut [u8], mut changes: &[u8]) {
    let used: Vec<usize> = image
        .chunks(raw::SECTOR)
        .enumerate()
        .filter(|(_, sector)| sector.iter().any(|&b| b != 0))
        .map(|(n, _)| n)
        .collect();
    while let [sector, low, high, count, rest @ ..] = changes {
        let Some(sector) = used.get(usize::from(*sector) % used.len().max(1)) else { return };
        let at = sector * raw::SECTOR + usize::from(u16::from_le_bytes([*low, *high])) % raw::SECTOR;
        let (bytes, rest) = rest.split_at(usize::from(count % 16).min(rest.len()));
        if let Some(place) = image.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
        changes = rest;
    }
}

/// Makes the checksums of a UDF disc right again, at every sector that begins with a known tag and in the names of
/// folders. Without this, every change ends at the first checksum.
pub fn seal(image: &mut [u8]) {
    for sector in image.chunks_mut(raw::SECTOR) {
        let mut at = 0;
        while let Some(tag) = sector.get(at..at + 2).map(|tag| u16::from_le_bytes([tag[0], tag[1]])) {
            if !matches!(tag, 1..=9 | 256..=266) {
                break;
            }
            seal_one(&mut sector[at..]);
            // Only names of folders follow each other within a sector.
            let lengths = sector.get(at + 36..at + 38).filter(|_| tag == 257);
            let Some(used) = lengths.map(|field| usize::from(u16::from_le_bytes([field[0], field[1]]))) else { break };
            at += (38 + used + usize::from(sector[at + 19])).next_multiple_of(4);
        }
    }
}

fn seal_one(bytes: &mut [u8]) {
    let Some(length) = bytes.get(10..12).map(|field| usize::from(u16::from_le_bytes([field[0], field[1]]))) else {
        return;
    };
    let Some(covered) = bytes.get(16..16 + length) else { return };
    let crc = udf::crc(covered).to_le_bytes();
    bytes[8..10].copy_from_slice(&crc);
    bytes[4] = 0;
    bytes[4] = bytes[..16].iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte));
}

/// What must hold of a disc that was opened.
pub fn check_disc(disc: &Disc) {
    let size = disc.stamp().size;
    assert!(disc.damage().len() <= 1100);
    for (path, _) in disc.matching("/*").chain(disc.matching("/*/*")) {
        assert!(text::is_plain(&path), "{path:?}");
        let stored = disc.find(&path).unwrap();
        for extent in stored.extents.iter() {
            assert!(extent.offset.checked_add(extent.length).is_some_and(|end| end <= size), "{path}: {extent:?}");
        }
        disc.read_start(&path, 100).unwrap();
    }
}

/// What must hold of what is said of it.
pub fn check_inspection(found: &Inspection) {
    let said = [found.volume_label.clone(), found.recognised.as_ref().map(|system| system.name.clone())];
    let texts = said.into_iter().flatten().chain(found.warnings.clone());
    assert!(texts.into_iter().all(|text| text::is_plain(&text)), "{found:?}");
    for entry in &found.entries {
        let texts = [&entry.title, &entry.cmdline].into_iter().chain(&entry.kernel).chain(&entry.initrd);
        texts.for_each(|text| assert!(text::is_plain(text) && text.len() < 10_000, "{text:?}"));
    }
    assert!(found.entries.len() <= 100 && found.warnings.len() <= 100);
}
