//! Rock Ridge: names, links and continuation areas.

use super::raw::{self, Iso, SECTOR, both, ce, entry, link, named, nm, px, record, sl};
use super::{Case, Want};

const ALL: &[&str] = &["/a"];

fn image(records: &[Vec<u8>]) -> Vec<u8> {
    let mut iso = Iso::new(b"ROCK");
    add(&mut iso, records);
    iso.finish()
}

fn add(iso: &mut Iso, records: &[Vec<u8>]) {
    let file = iso.add(b"a");
    let all: Vec<Vec<u8>> = [named(file, 1, 0, b"a")].into_iter().chain(records.iter().cloned()).collect();
    iso.root(&all);
}

/// A file with these fields behind its name.
fn file(fields: &[u8]) -> Vec<u8> {
    record(64, 1, 0, b"X.;1", fields)
}

/// An image with a file whose fields go on in areas of a sector each, by number.
fn continued(first: impl Fn(u32) -> Vec<u8>, areas: impl Fn(u32, u32) -> Vec<u8>, count: u32) -> Vec<u8> {
    let mut iso = Iso::new(b"ROCK");
    let start = iso.reserve(count as usize * SECTOR);
    for number in 0..count {
        iso.put(start + number, &areas(start, number));
    }
    let record = file(&[px(false), first(start)].concat());
    add(&mut iso, &[record]);
    iso.finish()
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = names();
    cases.extend(links());
    cases.extend(areas());
    cases
}

fn names() -> Vec<Case> {
    let called = |name: &[u8]| image(&[named(64, 1, 0, name)]);
    let long = vec![b'n'; 200];
    vec![
        Case("as it should be", image(&[]), Want::Lists(ALL, &[])),
        Case("a name that leads out", called(b"../../etc/passwd"), Want::Lists(ALL, &["/etc/passwd", "/passwd"])),
        Case("a name with slashes", called(b"x/y/z"), Want::Lists(ALL, &["/x/y/z"])),
        Case("a name of a slash", called(b"/"), Want::Lists(ALL, &[])),
        Case("a name of a point", called(b"."), Want::Lists(ALL, &[])),
        Case("a name of two points", called(b".."), Want::Lists(ALL, &[])),
        Case("a name of nothing", called(b""), Want::Lists(ALL, &[])),
        Case("a name with a NUL", called(b"x\0y"), Want::Lists(ALL, &[])),
        Case("a name with a line break", called(b"x\ny"), Want::Lists(ALL, &["/x\ny"])),
        Case("a name with an escape", called(b"x\x1b[2Jy"), Want::Lists(ALL, &["/x\x1b[2Jy"])),
        Case("a name from right to left", called("x\u{202e}y".as_bytes()), Want::Lists(ALL, &["/x\u{202e}y"])),
        Case("a name that is no UTF-8", called(b"x\xff\xfe"), Want::Lists(ALL, &[])),
        Case(
            "a name that stands for its folder",
            image(&[file(&[px(false), nm(2, b"")].concat())]),
            Want::Lists(ALL, &[]),
        ),
        Case(
            "a name that stands for its parent",
            image(&[file(&[px(false), nm(4, b"")].concat())]),
            Want::Lists(ALL, &[]),
        ),
        Case(
            "a name that goes on and does not",
            image(&[file(&[px(false), nm(1, b"x")].concat())]),
            Want::Lists(ALL, &[]),
        ),
        Case(
            "a name of a megabyte",
            continued(
                |start| ce(start, 0, SECTOR as u32),
                |start, number| {
                    let names = nm(1, &long).repeat(9);
                    [names, ce(start + number + 1, 0, SECTOR as u32)].concat()
                },
                500,
            ),
            Want::Lists(ALL, &[]),
        ),
        Case("letters in every case", image(&[named(64, 1, 0, b"A")]), Want::Lists(&["/a", "/A"], &[])),
    ]
}

fn links() -> Vec<Case> {
    let many: Vec<(u8, &[u8])> = vec![(4, b""); 100];
    let climbing = record(0, 0, 0, b"L.;1", &[raw::px_mode(0o120_777), nm(0, b"up"), sl(0, &many[..60])].concat());
    let chain: Vec<Vec<u8>> = (0..1000).map(|n| link(format!("l{n}").as_bytes(), &format!("l{}", n + 1))).collect();
    let endless = record(0, 0, 0, b"L.;1", &[raw::px_mode(0o120_777), nm(0, b"more"), sl(1, &[(1, b"x")])].concat());
    let bent = |flag: u8, length: u8| {
        let mut field = sl(0, &[(flag, b"abc")]);
        field[6] = length;
        record(0, 0, 0, b"L.;1", &[raw::px_mode(0o120_777), nm(0, b"bent"), field].concat())
    };
    let device = record(64, 1, 0, b"D.;1", &[raw::px_mode(0o020_666), nm(0, b"null")].concat());
    vec![
        Case("a link to itself", image(&[link(b"l", "l")]), Want::Lists(ALL, &["/l"])),
        Case("two links to each other", image(&[link(b"l", "m"), link(b"m", "l")]), Want::Lists(ALL, &["/l", "/m"])),
        Case(
            "a link out",
            image(&[link(b"l", "../../../etc/passwd"), link(b"m", "/etc/passwd")]),
            Want::Lists(ALL, &["/l", "/m"]),
        ),
        Case("a link to its folder", image(&[link(b"l", ".")]), Want::Lists(&["/a", "/l/a", "/l/l/l/a"], &[])),
        Case("a link below itself", image(&[link(b"l", "l/x")]), Want::Lists(ALL, &["/l", "/l/x"])),
        Case("a link to the root", image(&[link(b"l", "/")]), Want::Lists(&["/a", "/l/a"], &[])),
        Case("a thousand links in a row", image(&chain), Want::Lists(ALL, &["/l0"])),
        Case("a link of many steps up", image(&[climbing]), Want::Lists(ALL, &["/up"])),
        Case("a link that goes on and does not", image(&[endless]), Want::Lists(ALL, &["/more"])),
        Case("a link's part too long", image(&[bent(0, 255)]), Want::Lists(ALL, &["/bent"])),
        Case("a link's part of unknown kind", image(&[bent(0xf0, 3)]), Want::Lists(ALL, &["/bent"])),
        Case("a device", image(&[device]), Want::Lists(ALL, &["/null"])),
        Case(
            "a kernel through a loop",
            image(&[link(b"casper", "casper"), link(b"live", "casper")]),
            Want::Lists(ALL, &["/casper/vmlinuz"]),
        ),
    ]
}

fn areas() -> Vec<Case> {
    let whole = SECTOR as u32;
    let bent = |at: usize, byte: u8| {
        let mut fields = [px(false), nm(0, b"bent")].concat();
        fields[at] = byte;
        image(&[file(&fields)])
    };
    let relocated = |name: &[u8; 2], sector: u32| {
        let fields = [px(true), nm(0, b"moved"), entry(name, &both(sector))].concat();
        image(&[record(64, 1, 0, b"M.;1", &fields)])
    };
    let sp = |skip: u8| {
        let mut iso = Iso::new(b"ROCK");
        add(&mut iso, &[]);
        let at = iso.bytes.windows(6).position(|part| part == b"SP\x07\x01\xbe\xef").unwrap();
        iso.bytes[at + 6] = skip;
        iso.finish()
    };
    vec![
        Case(
            "an area that goes on in itself",
            continued(|start| ce(start, 0, whole), |start, _| ce(start, 0, whole), 1),
            Want::Lists(ALL, &[]),
        ),
        Case(
            "two areas that go on in each other",
            continued(|start| ce(start, 0, whole), |start, number| ce(start + 1 - number, 0, whole), 2),
            Want::Lists(ALL, &[]),
        ),
        Case(
            "twenty thousand areas",
            continued(|start| ce(start, 0, 28), |start, number| ce(start + number + 1, 0, 28), 20_000),
            Want::Lists(ALL, &[]),
        ),
        Case("an area outside", image(&[file(&ce(5_000_000, 0, whole))]), Want::Lists(ALL, &[])),
        Case("an area of 2^32 - 1 bytes", image(&[file(&ce(64, 0, u32::MAX))]), Want::Lists(ALL, &[])),
        Case("an area at 2^32 - 1", image(&[file(&ce(u32::MAX, u32::MAX, u32::MAX))]), Want::Lists(ALL, &[])),
        Case("an area in the descriptors", image(&[file(&ce(16, 0, whole))]), Want::Lists(ALL, &[])),
        Case("a field of no length", bent(2, 0), Want::Lists(ALL, &[])),
        Case("a field of three bytes", bent(2, 3), Want::Lists(ALL, &[])),
        Case("a field of 255 bytes", bent(2, 255), Want::Lists(ALL, &[])),
        Case("a field of version 255", bent(3, 255), Want::Lists(ALL, &[])),
        Case("a folder moved onto the root", relocated(b"CL", raw::ROOT), Want::Lists(ALL, &[])),
        Case("a folder moved outside", relocated(b"CL", u32::MAX), Want::Lists(ALL, &[])),
        Case("a folder moved into a file", relocated(b"CL", 64), Want::Lists(ALL, &[])),
        Case("a parent moved", relocated(b"PL", raw::ROOT), Want::Lists(ALL, &[])),
        Case(
            "a folder that was moved away",
            image(&[file(&[px(true), entry(b"RE", b"")].concat())]),
            Want::Lists(ALL, &[]),
        ),
        Case("255 bytes before each field", sp(255), Want::Answer),
    ]
}
