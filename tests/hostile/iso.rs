//! Volume descriptors and directory records.

use super::raw::{self, Iso, ROOT, SECTOR, both, named, record};
use super::{Case, Want};

const ALL: &[&str] = &["/a"];

/// An image with a file `a` and these other records.
fn with(records: &[Vec<u8>]) -> Iso {
    let mut iso = Iso::new(b"HOSTILE");
    let file = iso.add(b"a");
    let all: Vec<Vec<u8>> = [named(file, 1, 0, b"a")].into_iter().chain(records.iter().cloned()).collect();
    iso.root(&all);
    iso
}

fn image(records: &[Vec<u8>]) -> Vec<u8> {
    with(records).finish()
}

/// An image with a file `a` whose primary descriptor has been changed.
fn patched(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut iso = with(&[]);
    iso.patch(at, bytes);
    iso.finish()
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = descriptors();
    cases.extend(folders());
    cases.extend(files());
    cases.extend(records());
    cases.extend(crowds());
    cases
}

fn descriptors() -> Vec<Case> {
    let mut unterminated = with(&[]);
    unterminated.put(17, &raw::descriptor(1, b"AGAIN"));
    let mut thousand = Iso::new(b"MANY");
    (17..1017).for_each(|sector| thousand.put(sector, &raw::descriptor(1, b"AGAIN")));
    let mut strange = with(&[]);
    strange.put(17, &[0x42; SECTOR]);
    vec![
        Case("as it should be", image(&[]), Want::Lists(ALL, &[])),
        Case("no end of the descriptors", unterminated.finish(), Want::Answer),
        Case("a thousand descriptors", thousand.finish(), Want::Answer),
        Case("a descriptor of nothing", strange.finish(), Want::Answer),
        Case("descriptor version 255", patched(6, &[255]), Want::Answer),
        Case("block size 0", patched(128, &[0, 0, 0, 0]), Want::Answer),
        Case("block size 1", patched(128, &[1, 0, 0, 1]), Want::Answer),
        Case("block size 512", patched(128, &[0, 2, 2, 0]), Want::Answer),
        Case("block size 65535", patched(128, &[255; 4]), Want::Answer),
        Case("a volume of 2^32 - 1 blocks", patched(80, &both(u32::MAX)), Want::Error("Truncated")),
        Case("a volume of one block", patched(80, &both(1)), Want::Answer),
        Case("the two halves of a number differ", patched(80, &[1, 0, 0, 0, 0, 0, 0, 9]), Want::Answer),
        Case("path tables outside", patched(132, &[255; 24]), Want::Answer),
        Case("the root in sector 0", patched(156 + 2, &both(0)), Want::Answer),
        Case("the root outside", patched(156 + 2, &both(1_000_000)), Want::Error("Damaged")),
        Case("the root at 2^32 - 1", patched(156 + 2, &both(u32::MAX)), Want::Error("Damaged")),
        Case("a root of 2^32 - 1 bytes", patched(156 + 10, &both(u32::MAX)), Want::Answer),
        Case("a root of no bytes", patched(156 + 10, &both(0)), Want::Answer),
        Case("a root that is a file", patched(156 + 25, &[0]), Want::Answer),
        Case("a root of no length", patched(156, &[0]), Want::Answer),
    ]
}

fn folders() -> Vec<Case> {
    let mut itself = with(&[]);
    let sector = itself.reserve(SECTOR);
    itself.put(sector, &raw::folder(sector, ROOT, false, &[named(sector, SECTOR as u32, 2, b"again")]));
    let file = itself.add(b"a");
    itself.root(&[named(file, 1, 0, b"a"), named(sector, SECTOR as u32, 2, b"self")]);
    let mut two = with(&[]);
    let (one, other) = (two.reserve(SECTOR), two.reserve(SECTOR));
    two.put(one, &raw::folder(one, ROOT, false, &[named(other, SECTOR as u32, 2, b"other")]));
    two.put(other, &raw::folder(other, ROOT, false, &[named(one, SECTOR as u32, 2, b"one")]));
    let file = two.add(b"a");
    two.root(&[named(file, 1, 0, b"a"), named(one, SECTOR as u32, 2, b"one")]);
    vec![
        Case("a folder that is its parent", image(&[named(ROOT, SECTOR as u32, 2, b"up")]), Want::Lists(ALL, &[])),
        Case("a folder that contains itself", itself.finish(), Want::Lists(ALL, &[])),
        Case("two folders that contain each other", two.finish(), Want::Lists(ALL, &[])),
        Case("a folder outside", image(&[named(9_000_000, SECTOR as u32, 2, b"out")]), Want::Lists(ALL, &[])),
        Case("a folder of 2^32 - 1 bytes", image(&[named(ROOT, u32::MAX, 2, b"huge")]), Want::Lists(ALL, &[])),
        Case("a folder of no bytes", image(&[named(ROOT, 0, 2, b"none")]), Want::Lists(ALL, &[])),
        Case("a folder of one byte", image(&[named(ROOT, 1, 2, b"one")]), Want::Lists(ALL, &[])),
        Case("a folder of file data", image(&[named(64, SECTOR as u32, 2, b"data")]), Want::Lists(ALL, &[])),
        Case("a folder in the descriptors", image(&[named(16, SECTOR as u32, 2, b"x")]), Want::Lists(ALL, &[])),
        Case("a thousand folders in one", deep(1000), Want::Warns("too deep")),
        Case("folders that double", doubling(), Want::Lists(ALL, &[])),
    ]
}

/// Folders in folders.
fn deep(depth: usize) -> Vec<u8> {
    let mut iso = Iso::new(b"DEEP");
    let mut inner = iso.subfolder(&[]);
    for _ in 0..depth {
        inner = iso.subfolder(&[named(inner.0, inner.1, 2, b"d")]);
    }
    iso.root(&[named(inner.0, inner.1, 2, b"d")]);
    iso.finish()
}

/// Thirty folders, each of which names the next one twice: a thousand million paths.
fn doubling() -> Vec<u8> {
    let mut iso = with(&[]);
    let mut inner = iso.subfolder(&[]);
    for _ in 0..30 {
        inner = iso.subfolder(&[named(inner.0, inner.1, 2, b"l"), named(inner.0, inner.1, 2, b"r")]);
    }
    let file = iso.add(b"a");
    iso.root(&[named(file, 1, 0, b"a"), named(inner.0, inner.1, 2, b"l"), named(inner.0, inner.1, 2, b"r")]);
    iso.finish()
}

fn files() -> Vec<Case> {
    let piece = |more: bool| named(64, SECTOR as u32, if more { 0x80 } else { 0 }, b"pieces");
    let mut other = piece(true);
    other.truncate(0);
    other.extend(named(64, SECTOR as u32, 0x80, b"one"));
    let endless: Vec<Vec<u8>> = (0..100).map(|_| piece(true)).collect();
    let many: Vec<Vec<u8>> = (0..3000).map(|n| piece(n < 2999)).collect();
    let mut large: Vec<Vec<u8>> = (0..900).map(|_| named(64, 0xffff_f800, 0x80, b"large")).collect();
    large.push(named(64, 1, 0, b"large"));
    let mut attribute = named(64, 1, 0, b"attribute");
    attribute[1] = 255;
    let mut interleaved = named(64, 1, 0, b"interleaved");
    (interleaved[26], interleaved[27]) = (1, 255);
    vec![
        Case("a file outside", image(&[named(5_000_000, 1, 0, b"out")]), Want::Lists(ALL, &["/out"])),
        Case("a file at 2^32 - 1", image(&[named(u32::MAX, 1, 0, b"out")]), Want::Lists(ALL, &["/out"])),
        Case("a file of 2^32 - 1 bytes", image(&[named(64, u32::MAX, 0, b"out")]), Want::Lists(ALL, &["/out"])),
        Case("both", image(&[named(u32::MAX, u32::MAX, 0, b"out")]), Want::Lists(ALL, &["/out"])),
        Case("a file of 4 TiB in pieces", image(&large), Want::Lists(ALL, &["/large"])),
        Case("a file in the descriptors", image(&[named(16, 2048, 0, b"x")]), Want::Lists(&["/a", "/x"], &[])),
        Case("a file over a folder", image(&[named(ROOT, 2048, 0, b"x")]), Want::Lists(&["/a", "/x"], &[])),
        Case("two files in one place", image(&[named(64, 1, 0, b"x")]), Want::Lists(&["/a", "/x"], &[])),
        Case("pieces without an end", image(&endless), Want::Lists(ALL, &[])),
        Case("three thousand pieces", image(&many), Want::Lists(ALL, &["/pieces"])),
        Case("pieces of two names", image(&[other, piece(false)]), Want::Lists(ALL, &[])),
        Case("255 blocks of attributes", image(&[attribute]), Want::Lists(ALL, &[])),
        Case("interleaved", image(&[interleaved]), Want::Lists(ALL, &[])),
    ]
}

fn records() -> Vec<Case> {
    let bent = |at: usize, byte: u8| {
        let mut bent = named(64, 1, 0, b"bent");
        bent[at] = byte;
        image(&[bent, named(64, 1, 0, b"z")])
    };
    let plain = |name: &[u8]| record(64, 1, 0, name, &[]);
    vec![
        Case("a record of one byte", bent(0, 1), Want::Lists(ALL, &[])),
        Case("a record of 33 bytes", bent(0, 33), Want::Lists(ALL, &[])),
        Case("a record of 255 bytes", bent(0, 255), Want::Lists(ALL, &[])),
        Case("a record of no bytes", bent(0, 0), Want::Lists(ALL, &[])),
        Case("a name of 255 bytes in a short record", bent(32, 255), Want::Lists(ALL, &[])),
        Case("a name of no bytes", bent(32, 0), Want::Lists(ALL, &[])),
        Case("all flags", bent(25, 255), Want::Lists(ALL, &[])),
        Case("volume 65535", bent(28, 255), Want::Lists(ALL, &[])),
        Case("a name of a version alone", image(&[plain(b";1")]), Want::Lists(ALL, &[])),
        Case("a name with a slash", image(&[plain(b"A/../B;1")]), Want::Lists(ALL, &["/B"])),
        Case("a name of two points", image(&[plain(b"..")]), Want::Lists(ALL, &[])),
        Case("a name of NUL", image(&[plain(b"\0\0\0")]), Want::Lists(ALL, &[])),
        Case("a name with an escape", image(&[plain(b"A\x1b[2J.;1")]), Want::Lists(ALL, &[])),
        Case("a second record of the folder itself", image(&[record(ROOT, 2048, 2, &[0], &[])]), Want::Lists(ALL, &[])),
    ]
}

fn crowds() -> Vec<Case> {
    let numbered = |count: u32| (0..count).map(|n| record(64, 1, 0, format!("F{n}.;1").as_bytes(), &[]));
    let same: Vec<Vec<u8>> = (0..10_000).map(|_| named(64, 1, 0, b"same")).collect();
    let letters = (0..1024u32).map(|n| {
        let name: String = (0..10).map(|bit| if n >> bit & 1 == 0 { 'a' } else { 'A' }).collect();
        named(64, 1, 0, name.as_bytes())
    });
    let letters: Vec<Vec<u8>> = letters.collect();
    let memtests: Vec<Vec<u8>> = (0..20_000).map(|n| named(64, 1, 0, format!("memtest{n}").as_bytes())).collect();
    let mut memtest = with(&[]);
    let folder = memtest.subfolder(&memtests);
    let file = memtest.add(b"a");
    memtest.root(&[named(file, 1, 0, b"a"), named(folder.0, folder.1, 2, b"boot")]);
    let long = "n".repeat(100);
    let paths: Vec<Vec<u8>> = (0..30_000).map(|n| named(64, 1, 0, format!("{long}{n}").as_bytes())).collect();
    vec![
        Case("250 000 files in one folder", image(&numbered(250_000).collect::<Vec<_>>()), Want::Warns("200000")),
        Case("one name ten thousand times", image(&same), Want::Lists(&["/a", "/same"], &[])),
        Case("names that differ in their letters' case", image(&letters), Want::Lists(&["/a", "/AAAAAAAAAA"], &[])),
        Case("twenty thousand files that a recipe looks into", memtest.finish(), Want::Lists(ALL, &[])),
        Case("thirty thousand long names", image(&paths), Want::Lists(ALL, &[])),
    ]
}
