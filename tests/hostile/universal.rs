//! UDF discs.

use super::udf::{self, PARTITION, Udf, file_entry, identifier, name, short, tagged, wide};
use super::{Case, Want};

const SECTOR: usize = 2048;
const ALL: &[&str] = &["/a"];

/// A disc with a file `a`, and with what is put there and named besides.
fn disc(more: impl FnOnce(&mut Udf) -> Vec<(Vec<u8>, bool, u32)>) -> Vec<u8> {
    made(more).finish(b"UDF")
}

fn made(more: impl FnOnce(&mut Udf) -> Vec<(Vec<u8>, bool, u32)>) -> Udf {
    let mut disc = Udf::new();
    let file = disc.file(b"a");
    let more = more(&mut disc);
    let first = name("a");
    let all: Vec<udf::Named> = [(first.as_slice(), false, file)]
        .into_iter()
        .chain(more.iter().map(|(name, is_folder, entry)| (name.as_slice(), *is_folder, *entry)))
        .collect();
    disc.folder(Udf::ROOT, Udf::ROOT, &all);
    disc
}

/// A disc with one more entry of this kind, size and allocation.
fn with_entry(kind: u8, size: u64, flags: u16, allocation: &[u8]) -> Vec<u8> {
    disc(|disc| {
        let entry = disc.reserve(1);
        disc.put_block(entry, &file_entry(entry, kind, size, flags, allocation));
        vec![(name("x"), kind == 4, entry)]
    })
}

fn patched(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut disc = disc(|_| vec![]);
    disc[at..at + bytes.len()].copy_from_slice(bytes);
    disc
}

/// A disc whose descriptor sequence has this at its place of this number.
fn with_descriptor(sector: u32, bytes: Vec<u8>) -> Vec<u8> {
    let mut disc = disc(|_| vec![]);
    let at = sector as usize * SECTOR;
    disc[at..at + bytes.len()].copy_from_slice(&bytes);
    disc
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = volumes();
    cases.extend(entries());
    cases.extend(names());
    cases
}

fn volumes() -> Vec<Case> {
    let mut pointer = vec![0; 512];
    pointer[20..28].copy_from_slice(&[0, 0x80, 0, 0, 32, 0, 0, 0]);
    let mut shorter = made(|_| vec![]);
    shorter.declared = Some(1);
    let mut longer = made(|_| vec![]);
    longer.declared = Some(u32::MAX);
    let mut anchor = vec![0; 512];
    anchor[16..24].copy_from_slice(&[255; 8]);
    vec![
        Case("as it should be", disc(|_| vec![]), Want::Lists(ALL, &[])),
        Case("a sequence that leads to itself", with_descriptor(32, tagged(3, 32, pointer)), Want::Answer),
        Case("a sequence outside", with_descriptor(256, tagged(2, 256, anchor)), Want::Answer),
        Case("no end of the sequence", with_descriptor(35, vec![0; 512]), Want::Lists(ALL, &[])),
        Case("a wrong checksum", patched(33 * SECTOR + 188, &[9]), Want::Answer),
        Case("a partition of one block", shorter.finish(b"UDF"), Want::Answer),
        Case("a partition of 2^32 - 1 blocks", longer.finish(b"UDF"), Want::Error("Truncated")),
        Case("blocks of no bytes", with_descriptor(34, tagged(6, 34, vec![0; 512])), Want::Answer),
        Case("no file set", patched(PARTITION as usize * SECTOR, &[0; 512]), Want::Answer),
        Case("no root", patched((PARTITION as usize + 1) * SECTOR, &[0; 512]), Want::Answer),
        Case("no anchor", patched(256 * SECTOR, &[0; 512]), Want::Answer),
    ]
}

fn entries() -> Vec<Case> {
    let most = 0x3fff_ffff;
    let spread: Vec<u8> = (0..200).flat_map(|_| short(2048, 2)).collect();
    vec![
        Case("a folder that is its parent", disc(|_| vec![(name("up"), true, Udf::ROOT)]), Want::Lists(ALL, &[])),
        Case(
            "a folder that contains itself",
            disc(|disc| {
                let own = disc.reserve(1);
                disc.folder(own, Udf::ROOT, &[(&name("again"), true, own)]);
                vec![(name("self"), true, own)]
            }),
            Want::Lists(ALL, &[]),
        ),
        Case(
            "folders that double",
            disc(|disc| {
                let mut inner = disc.reserve(1);
                disc.folder(inner, Udf::ROOT, &[]);
                for _ in 0..30 {
                    let outer = disc.reserve(1);
                    disc.folder(outer, Udf::ROOT, &[(&name("l"), true, inner), (&name("r"), true, inner)]);
                    inner = outer;
                }
                vec![(name("l"), true, inner), (name("r"), true, inner)]
            }),
            Want::Lists(ALL, &[]),
        ),
        Case(
            "a thousand folders in one",
            disc(|disc| {
                let mut inner = disc.reserve(1);
                disc.folder(inner, Udf::ROOT, &[]);
                for _ in 0..1000 {
                    let outer = disc.reserve(1);
                    disc.folder(outer, Udf::ROOT, &[(&name("d"), true, inner)]);
                    inner = outer;
                }
                vec![(name("d"), true, inner)]
            }),
            Want::Warns("too deep"),
        ),
        Case("an entry that is none", disc(|_| vec![(name("x"), false, 2)]), Want::Lists(ALL, &[])),
        Case("an entry outside", disc(|_| vec![(name("x"), false, u32::MAX)]), Want::Lists(ALL, &["/x"])),
        Case("a file outside", with_entry(5, 2048, 0, &short(2048, 9_000_000)), Want::Lists(ALL, &["/x"])),
        Case(
            "a file at 2^32 - 1",
            with_entry(5, u64::from(most), 0, &short(most, u32::MAX)),
            Want::Lists(ALL, &["/x"]),
        ),
        Case("a file of 2^63 bytes of nothing", with_entry(5, 1 << 63, 0, &[]), Want::Lists(ALL, &[])),
        Case("a file of 2^64 - 1 bytes", with_entry(5, u64::MAX, 0, &short(1, 2)), Want::Lists(ALL, &[])),
        Case("a folder of 2^63 bytes", with_entry(4, 1 << 63, 0, &short(2048, 2)), Want::Lists(ALL, &[])),
        Case("a folder of holes", with_entry(4, 1 << 40, 0, &short(most | 0x8000_0000, 0)), Want::Lists(ALL, &[])),
        Case(
            "pieces that all lie in one place",
            with_entry(5, 200 * 2048, 0, &spread),
            Want::Lists(&["/a", "/x"], &[]),
        ),
        Case("bytes in the entry itself", with_entry(5, 3, 3, b"abc"), Want::Lists(&["/a", "/x"], &[])),
        Case("more bytes than the entry has", with_entry(5, 3000, 3, b"abc"), Want::Lists(ALL, &[])),
        Case("pieces of an unknown kind", with_entry(5, 3, 4, b"abc"), Want::Lists(ALL, &[])),
        Case(
            "descriptors that go on in themselves",
            disc(|disc| {
                let (entry, more) = (disc.reserve(1), disc.reserve(1));
                let again = short(2048 | 0xc000_0000, more);
                let mut own = vec![0; 24];
                own[20] = 8;
                own.extend(&again);
                disc.put_block(more, &tagged(258, more, own));
                disc.put_block(entry, &file_entry(entry, 5, 1 << 40, 0, &again));
                vec![(name("x"), false, entry)]
            }),
            Want::Lists(ALL, &["/x"]),
        ),
        Case(
            "an entry that leads to itself",
            disc(|disc| {
                let entry = disc.reserve(1);
                let mut bytes = vec![0; 52];
                bytes[20] = 0;
                bytes[21] = 0x10;
                bytes[24] = 2;
                bytes[27] = 3;
                bytes[36..52].copy_from_slice(&udf::long(2048, entry));
                disc.put_block(entry, &tagged(248, entry, bytes));
                vec![(name("x"), false, entry)]
            }),
            Want::Lists(ALL, &[]),
        ),
        Case("a link", with_entry(12, 4, 3, &[5, 200, 0, 0]), Want::Lists(ALL, &["/x"])),
        Case(
            "a folder's names of 2^16 bytes",
            disc(|disc| {
                let folder = disc.reserve(1);
                let data = disc.reserve(1);
                let mut bent = identifier(data, &name("x"), 0, 3);
                (bent[36], bent[37]) = (255, 255);
                let bent = tagged(257, data, bent);
                disc.put_block(data, &bent);
                disc.put_block(folder, &file_entry(folder, 4, bent.len() as u64, 0, &short(bent.len() as u32, data)));
                vec![(name("bent"), true, folder)]
            }),
            Want::Lists(ALL, &[]),
        ),
    ]
}

fn names() -> Vec<Case> {
    let called = |stored: Vec<u8>| {
        disc(|disc| {
            let file = disc.file(b"x");
            vec![(stored, false, file)]
        })
    };
    let crowd = disc(|disc| {
        let file = disc.file(b"x");
        (0..20_000).map(|n| (name(&format!("f{n}")), false, file)).collect()
    });
    vec![
        Case("a name that leads out", called(name("../../x")), Want::Lists(ALL, &["/x", "/../../x"])),
        Case("a name of two points", called(name("..")), Want::Lists(ALL, &[])),
        Case("a name with an escape", called(name("x\x1b[2J")), Want::Lists(ALL, &["/x\x1b[2J"])),
        Case("a name from right to left", called(wide("x\u{202e}y")), Want::Lists(ALL, &["/x\u{202e}y"])),
        Case("half a character", called(vec![16, 0, b'x', 0]), Want::Lists(ALL, &[])),
        Case("half a pair", called(vec![16, 0xd8, 0, 0, b'x']), Want::Lists(ALL, &[])),
        Case("a name of unknown kind", called(vec![99, b'x']), Want::Lists(ALL, &[])),
        Case("a name of nothing", called(vec![]), Want::Lists(ALL, &[])),
        Case("a name of its kind alone", called(vec![8]), Want::Lists(ALL, &[])),
        Case("twenty thousand names", crowd, Want::Lists(&["/a", "/f19999"], &[])),
    ]
}
