//! Damaged and hostile images (S20): each has an answer, nothing that could command a terminal gets through, and no
//! count grows without end.
//!
//! The images are made here, byte by byte, since no tool writes them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

#[path = "disc/raw.rs"]
mod raw;
#[path = "disc/udf.rs"]
mod udf;

#[path = "hostile/content.rs"]
mod content;
#[path = "hostile/iso.rs"]
mod iso;
#[path = "hostile/joliet.rs"]
mod joliet;
#[path = "hostile/rockridge.rs"]
mod rockridge;
#[path = "hostile/universal.rs"]
mod universal;

use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bootwright::check;
use bootwright::image::{self, Disc, DiscError, Inspection};

/// Longest that one image may take, with a machine that does much else: a hang, not a delay, is what this finds.
const WATCHDOG: Duration = Duration::from_secs(240);
/// Most memory of the whole test, in KiB, on systems that tell.
const MAX_MEMORY: u64 = 1_500_000;

/// What is to come of an image.
enum Want {
    /// An answer, whichever.
    Answer,
    /// An error of this kind, by the first word of its `Debug`.
    Error(&'static str),
    /// These paths are listed, and those are not.
    Lists(&'static [&'static str], &'static [&'static str]),
    /// It is listed, and a warning says so.
    Warns(&'static str),
    /// It is listed, and this holds.
    Holds(fn(&Disc, &Inspection)),
}

/// A case: its name, its image, and what is to come of it.
struct Case(&'static str, Vec<u8>, Want);

type Answer = Result<(Disc, Inspection), DiscError>;

fn answer(name: &str, bytes: &[u8]) -> Answer {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile.iso");
    std::fs::write(&path, bytes).unwrap();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || drop(sender.send(image::inspect(&path))));
    match receiver.recv_timeout(WATCHDOG) {
        Ok(answer) => answer,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{name}: no answer"),
        Err(mpsc::RecvTimeoutError::Disconnected) => panic!("{name}: it panicked"),
    }
}

fn run(cases: Vec<Case>) {
    // All are tried, so that one mistake does not hide the others.
    let tried = cases.into_iter().map(|case| (case.0, holds(case)));
    let wrong: Vec<&str> = tried.filter(|(_, held)| !held).map(|(name, _)| name).collect();
    assert!(wrong.is_empty(), "{} cases are wrong: {wrong:?}", wrong.len());
    let memory = most_memory();
    assert!(memory < MAX_MEMORY, "{memory} KiB");
}

fn holds(case: Case) -> bool {
    std::panic::catch_unwind(|| judge(case)).is_ok()
}

fn judge(Case(name, bytes, want): Case) {
    let began = Instant::now();
    let answer = answer(name, &bytes);
    let outcome = match &answer {
        Ok((disc, inspection)) => {
            bounded(name, disc, inspection);
            format!("{} warnings, {} damages", inspection.warnings.len(), disc.damage().len())
        }
        Err(error) => {
            harmless(name, &check::explain_disc(error).sentence());
            format!("{error:?}")
        }
    };
    println!("{name}: {outcome} ({:?})", began.elapsed());
    wanted(name, want, &answer);
}

fn wanted(name: &str, want: Want, answer: &Answer) {
    match (want, answer) {
        (Want::Answer, _) => {}
        (Want::Error(kind), Err(error)) => assert!(format!("{error:?}").starts_with(kind), "{name}: {error:?}"),
        (Want::Error(kind), Ok(_)) => panic!("{name}: listed, but {kind} is right"),
        (_, Err(error)) => panic!("{name}: {error:?}"),
        (Want::Lists(there, not), Ok((disc, _))) => {
            for path in there {
                assert!(disc.find(path).is_some(), "{name}: {path} is not listed, {:?}", disc.damage());
            }
            for path in not {
                assert!(disc.find(path).is_none(), "{name}: {path} is listed");
            }
        }
        (Want::Warns(part), Ok((_, found))) => {
            assert!(found.warnings.iter().any(|warning| warning.contains(part)), "{name}: {:?}", found.warnings);
        }
        (Want::Holds(holds), Ok((disc, found))) => holds(disc, found),
    }
}

/// No part of what is printed, logged and shown is dangerous or endless.
fn bounded(name: &str, disc: &Disc, found: &Inspection) {
    let json = serde_json::to_value(found).unwrap();
    let mut strings = Vec::new();
    collect(&json, &mut strings);
    for text in &strings {
        harmless(name, text);
        assert!(text.len() <= 10_000, "{name}: a text of {} bytes", text.len());
    }
    assert!(strings.len() <= 5000, "{name}: {} texts", strings.len());
    assert!(found.entries.len() <= 100 && found.warnings.len() <= 100, "{name}");
    assert!(disc.damage().len() <= 1100, "{name}: {} damages", disc.damage().len());
    assert!(disc.matching("/*").count() <= 200_000, "{name}");
    for entry in &found.entries {
        for path in entry.kernel.iter().chain(&entry.initrd) {
            let Some(stored) = disc.find(path) else { panic!("{name}: {path} is offered and not there") };
            let inside = |end: u64| end <= found.size;
            assert!(stored.extents.iter().all(|extent| inside(extent.offset + extent.length)), "{name}: {path}");
        }
    }
}

fn collect(value: &serde_json::Value, strings: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => strings.push(text.clone()),
        serde_json::Value::Array(list) => list.iter().for_each(|value| collect(value, strings)),
        serde_json::Value::Object(map) => map.values().for_each(|value| collect(value, strings)),
        _ => {}
    }
}

fn harmless(name: &str, text: &str) {
    let dangerous = |c: char| {
        c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
    };
    assert!(!text.contains(dangerous), "{name}: {:?}", text.chars().take(300).collect::<String>());
}

/// Most memory that this process had, in KiB; 0 where the system does not tell.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// The least header of a kernel that a BIOS and UEFI start.
fn kernel() -> Vec<u8> {
    let mut bytes = vec![0u8; 2048];
    bytes[..2].copy_from_slice(b"MZ");
    bytes[0x3c] = 0x80;
    bytes[0x80..0x86].copy_from_slice(b"PE\0\0\x64\x86");
    bytes[0x202..0x206].copy_from_slice(b"HdrS");
    bytes[0x236] = 1;
    bytes
}

#[test]
fn volumes_and_records() {
    run(iso::cases());
}

#[test]
fn rock_ridge() {
    run(rockridge::cases());
}

#[test]
fn joliet_and_el_torito() {
    run(joliet::cases());
}

#[test]
fn udf_discs() {
    run(universal::cases());
}

#[test]
fn what_is_in_the_files() {
    run(content::cases());
}

#[test]
fn labels_are_harmless() {
    let labels: [&[u8]; 8] = [
        b"\x1b[2J\x1b]0;owned\x07",
        b"A\r\nB",
        "\u{202e}oninim".as_bytes(),
        b"${net0/mac}",
        b"$(reboot)`x`;&&||",
        b"<script>&amp;\"'",
        b"\xff\xfe\x00\x01",
        b"%s%n{base_url}{iso_url}",
    ];
    for label in labels {
        let (disc, found) = answer("label", &raw::Iso::of(label, &[("/a", b"a".to_vec())]).finish()).unwrap();
        bounded("label", &disc, &found);
        let found = answer("label", &{
            let mut disc = udf::Udf::new();
            let file = disc.file(b"a");
            disc.folder(udf::Udf::ROOT, udf::Udf::ROOT, &[(&udf::name("a"), false, file)]);
            disc.finish(label)
        });
        let (disc, found) = found.unwrap();
        bounded("UDF label", &disc, &found);
        assert!(disc.find("/a").is_some());
    }
}

/// The broken-off download: at every sector it is called one, and by how much.
#[test]
fn cut_off_images_are_told_by_how_much() {
    let padding = 150 * raw::SECTOR;
    let files = [("/live/vmlinuz", kernel()), ("/live/large", vec![1; 700_000])];
    let mut disc = udf::Udf::new();
    let file = disc.file(&vec![1; 700_000]);
    disc.folder(udf::Udf::ROOT, udf::Udf::ROOT, &[(&udf::name("large"), false, file)]);
    for (kind, whole) in [("ISO 9660", raw::Iso::of(b"CUT", &files).finish()), ("UDF", disc.finish(b"CUT"))] {
        assert!(answer(kind, &whole).is_ok(), "{kind}");
        let first = if kind == "UDF" { 258 } else { 17 };
        for length in (first * raw::SECTOR..whole.len() - padding).step_by(7 * raw::SECTOR + 1) {
            let Err(DiscError::Truncated { size, missing, .. }) = answer(kind, &whole[..length]) else {
                panic!("{kind}: {length} of {} bytes are not called cut off", whole.len());
            };
            assert_eq!((size, missing), (length as u64, (whole.len() - length) as u64), "{kind}");
        }
        let longer = [whole.clone(), vec![7; 10_000_000]].concat();
        assert!(answer(kind, &longer).is_ok(), "{kind}: more behind the volume is no harm");
    }
}

/// What lies outside an image of full size is damage, not a broken-off download.
#[test]
fn a_file_outside_the_image_is_left_out() {
    let mut iso = raw::Iso::new(b"OUTSIDE");
    let inside = iso.add(b"inside");
    iso.root(&[raw::named(inside, 6, 0, b"inside"), raw::named(1_000_000, 6, 0, b"outside")]);
    let (disc, found) = answer("outside", &iso.finish()).unwrap();
    assert!(disc.find("/inside").is_some() && disc.find("/outside").is_none());
    assert!(found.warnings[0].contains("/outside"), "{:?}", found.warnings);
}

#[test]
fn the_image_itself_may_have_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a\u{1b}[2J\n\u{202e}${x}.iso");
    std::fs::write(
        &path,
        raw::Iso::of(b"", &[("/boot/grub/grub.cfg", b"menuentry x {\nlinux /k\n}".to_vec()), ("/k", kernel())])
            .finish(),
    )
    .unwrap();
    let (_, found) = image::inspect(&path).unwrap();
    harmless("title", &found.title().replace(|c: char| c.is_control(), ""));
    harmless("name", &image::file_name(&path));
    harmless("recognised", &found.recognised.unwrap().name);
    harmless("error", &check::explain_disc(&image::inspect(Path::new("/x\u{1b}\n")).unwrap_err()).sentence());
}
