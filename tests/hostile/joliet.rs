//! Joliet's second tree, and El Torito's catalogue of what boots.

use super::raw::{self, Iso, ROOT, SECOND, SECTOR, named, record, utf16};
use super::{Case, Want};

/// An image without Rock Ridge, whose Joliet folder has these records.
fn image(records: &[Vec<u8>]) -> Vec<u8> {
    let mut iso = Iso::new(b"JOLIET");
    let (extent, length) = iso.subfolder(records);
    second(&mut iso, extent, length);
    iso.finish()
}

fn second(iso: &mut Iso, root: u32, length: u32) {
    // Without SUSP's mark, so that there is no Rock Ridge to be preferred.
    let file = iso.add(b"p");
    iso.put(ROOT, &raw::folder(ROOT, ROOT, false, &[record(file, 1, 0, b"PRIMARY.;1", &[])]));
    iso.put(SECOND, &raw::joliet(root, length));
    iso.put(SECOND + 1, b"\xffCD001\x01");
}

fn wide(name: &str) -> Vec<u8> {
    record(64, 1, 0, &utf16(name), &[])
}

/// An image with a file `a`, a boot record, and this catalogue.
fn bootable(catalogue: &[u8]) -> Vec<u8> {
    let mut iso = Iso::of(b"BOOT", &[("/a", b"a".to_vec())]);
    let at = iso.add(catalogue);
    iso.put(SECOND, &raw::boot_record(at));
    iso.put(SECOND + 1, b"\xffCD001\x01");
    iso.finish()
}

fn boot_record_at(sector: u32, count: u32) -> Vec<u8> {
    let mut iso = Iso::of(b"BOOT", &[("/a", b"a".to_vec())]);
    // There is room for two of them before the root; the path tables lie there as well, which nobody reads.
    let count = count.min(ROOT - SECOND - 1);
    (0..count).for_each(|n| iso.put(SECOND + n, &raw::boot_record(sector)));
    iso.put(SECOND + count, b"\xffCD001\x01");
    iso.finish()
}

fn validation() -> Vec<u8> {
    let mut entry = vec![0; 32];
    entry[0] = 1;
    entry[28..32].copy_from_slice(&[0xaa, 0x55, 0x55, 0xaa]);
    entry
}

pub(super) fn cases() -> Vec<Case> {
    let mut outside = Iso::new(b"JOLIET");
    second(&mut outside, 1_000_000, SECTOR as u32);
    let mut endless = Iso::new(b"JOLIET");
    second(&mut endless, ROOT, u32::MAX);
    let mut both = Iso::new(b"BOTH");
    let (extent, length) = both.subfolder(&[wide("only in Joliet")]);
    let file = both.add(b"r");
    both.root(&[named(file, 1, 0, b"rock")]);
    both.put(SECOND, &raw::joliet(extent, length));
    both.put(SECOND + 1, b"\xffCD001\x01");
    let odd = record(64, 1, 0, &utf16("odd")[1..], &[]);
    let surrogate = record(64, 1, 0, &[0xd8, 0, 0, b'x', 0xdc, 0], &[]);
    let nonsense: Vec<u8> = (0..SECTOR).map(|n| (n * 7) as u8).collect();
    let sections: Vec<u8> =
        [validation(), vec![0x88; 32]].concat().into_iter().chain([0x90, 0xef, 255, 255].repeat(5000)).collect();
    let mut image_outside = [validation(), vec![0; 32]].concat();
    image_outside[32..44].copy_from_slice(&[0x88, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255]);
    vec![
        Case("as it should be", image(&[wide("Ein Name.txt")]), Want::Lists(&["/Ein Name.txt"], &["/PRIMARY"])),
        Case("Joliet outside", outside.finish(), Want::Answer),
        Case("Joliet of 2^32 - 1 bytes over the other tree", endless.finish(), Want::Answer),
        Case("Joliet and Rock Ridge that differ", both.finish(), Want::Lists(&["/rock"], &["/only in Joliet"])),
        Case("half a character", image(&[odd, wide("b")]), Want::Lists(&["/b"], &[])),
        Case("half a pair", image(&[surrogate, wide("b")]), Want::Lists(&["/b"], &[])),
        Case("right to left", image(&[wide("x\u{202e}y"), wide("b")]), Want::Lists(&["/b"], &["/x\u{202e}y"])),
        Case("a slash", image(&[wide("x/../y"), wide("b")]), Want::Lists(&["/b"], &["/y", "/x/../y"])),
        Case("two points", image(&[wide(".."), wide("b")]), Want::Lists(&["/b"], &[])),
        Case("control characters", image(&[wide("\u{1b}[2J"), wide("b")]), Want::Lists(&["/b"], &["/\u{1b}[2J"])),
        Case("a catalogue outside", boot_record_at(u32::MAX, 1), Want::Lists(&["/a"], &[])),
        Case("a catalogue in the boot record", boot_record_at(SECOND, 1), Want::Lists(&["/a"], &[])),
        Case("several boot records", boot_record_at(ROOT, 100), Want::Lists(&["/a"], &[])),
        Case("a catalogue of nonsense", bootable(&nonsense), Want::Lists(&["/a"], &[])),
        Case("a catalogue of zeros", bootable(&[0; SECTOR]), Want::Lists(&["/a"], &[])),
        Case("a catalogue of 65535 sections", bootable(&sections), Want::Lists(&["/a"], &[])),
        Case("a boot image outside", bootable(&image_outside), Want::Lists(&["/a"], &[])),
    ]
}
