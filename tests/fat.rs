//! Disks that are made while they are read, as others read them: mtools, fsck.fat, and GRUB's own code.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod lab;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use bootwright::boot::fat::{Content, Image, MAX_FILES};
use bootwright::image::stored::Extent;

const PIECE: usize = 1 << 20;
const READERS: [&str; 4] = ["mdir", "mcopy", "fsck.fat", "grub-fstest"];

fn bytes(path: &str, text: &[u8]) -> (String, Content) {
    (path.to_owned(), Content::Bytes(text.into()))
}

/// A file of this length whose bytes tell where they are, in two pieces that lie the other way round.
fn pieces(folder: &Path, path: &str, length: u64) -> (String, Content) {
    let mut file =
        File::options().create_new(true).read(true).write(true).open(folder.join(path.replace('/', "_"))).unwrap();
    let half = length / 2;
    let text: Vec<u8> = (0..length).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect();
    file.write_all(&text).unwrap();
    let extents =
        [Extent { at: 0, offset: half, length: length - half }, Extent { at: length - half, offset: 0, length: half }];
    (path.to_owned(), Content::Pieces { file: Arc::new(file), extents: extents.into(), length })
}

/// A file that is a hole almost everywhere.
fn sparse(path: &str, length: u64, marks: &[u64]) -> (String, Content) {
    let mut file = tempfile::tempfile().unwrap();
    file.set_len(length).unwrap();
    for mark in marks {
        file.seek(SeekFrom::Start(*mark)).unwrap();
        file.write_all(format!("mark {mark}").as_bytes()).unwrap();
    }
    let extents = [Extent { at: 0, offset: 0, length }].into();
    (path.to_owned(), Content::Pieces { file: Arc::new(file), extents, length })
}

/// What a file should contain, piece by piece.
fn read(content: &Content, at: u64, buffer: &mut [u8]) {
    match content {
        Content::Bytes(bytes) => buffer.copy_from_slice(&bytes[at as usize..at as usize + buffer.len()]),
        Content::Pieces { file, extents, .. } => bootwright::image::stored::read_at(file, extents, at, buffer).unwrap(),
    }
}

/// Writes a disk to a file, holes as holes.
fn write(image: &Image, path: &Path) {
    let mut file = File::create(path).unwrap();
    file.set_len(image.size()).unwrap();
    let (mut buffer, zeros) = (vec![0; PIECE], vec![0; PIECE]);
    for at in (0..image.size()).step_by(PIECE) {
        let piece = &mut buffer[..PIECE.min((image.size() - at) as usize)];
        image.read_at(at, piece).unwrap();
        if *piece != zeros[..piece.len()] {
            file.seek(SeekFrom::Start(at)).unwrap();
            file.write_all(piece).unwrap();
        }
    }
}

/// Whether a stream has the bytes of a file, and nothing behind them.
fn compare(name: &str, mut stream: impl Read, content: &Content) {
    let (mut found, mut expected) = (vec![0; PIECE], vec![0; PIECE]);
    let mut at = 0;
    while at < content.len() {
        let length = PIECE.min((content.len() - at) as usize);
        stream.read_exact(&mut found[..length]).unwrap_or_else(|error| panic!("{name} from {at}: {error}"));
        read(content, at, &mut expected[..length]);
        assert!(found[..length] == expected[..length], "{name} from {at}");
        at += length as u64;
    }
    assert_eq!(stream.read(&mut found).unwrap(), 0, "{name} is longer");
}

/// Has every file read by others. Returns the disk, which is kept in the folder.
fn check(folder: &Path, files: &[(String, Content)], kind: &str) -> PathBuf {
    let image = Image::new(files.to_vec(), 8 << 30).unwrap();
    let path = folder.join("disk.img");
    write(&image, &path);
    let disk = path.to_str().unwrap();

    let words = lab::must(Command::new("fsck.fat").args(["-n", "-v", disk]));
    assert!(words.contains(kind), "{words}");

    let listed = lab::must(Command::new("mdir").args(["-/", "-b", "-a", "-i", disk, "::/"]));
    let listed: BTreeSet<&str> = listed.lines().map(|line| line.trim_start_matches("::/")).collect();
    let listed: BTreeSet<&str> = listed.into_iter().filter(|line| !line.ends_with('/')).collect();
    let expected: BTreeSet<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(listed, expected);

    let copies = folder.join("copies");
    if files.len() > 100 {
        std::fs::create_dir(&copies).unwrap();
        lab::must(Command::new("mcopy").args(["-s", "-n", "-i", disk, "::/*", copies.to_str().unwrap()]));
    }
    for (name, content) in files {
        if copies.exists() {
            compare(name, File::open(copies.join(name)).unwrap(), content);
            continue;
        }
        let mut command = Command::new("mcopy");
        let mut reader = command.args(["-i", disk, &format!("::/{name}"), "-"]).stdout(Stdio::piped()).spawn().unwrap();
        compare(name, reader.stdout.take().unwrap(), content);
        assert!(reader.wait().unwrap().success(), "{name}");
    }
    path
}

/// Has a file read by GRUB, which starts what is on such a disk.
fn check_grub(disk: &Path, name: &str, content: &Content) {
    let mut command = Command::new("grub-fstest");
    let mut reader =
        command.arg(disk).args(["cat", &format!("(loop0)/{name}")]).stdout(Stdio::piped()).spawn().unwrap();
    compare(name, reader.stdout.take().unwrap(), content);
    assert!(reader.wait().unwrap().success(), "{name}");
}

#[test]
fn a_tiny_disk() {
    if !lab::ready("a_tiny_disk", &READERS) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let files = [bytes("empty", b""), bytes("grub/grub.cfg", b"boot\n")];
    let disk = check(folder.path(), &files, "16 bit entries");
    check_grub(&disk, "grub/grub.cfg", &files[1].1);
}

#[test]
fn a_disk_that_starts_debian() {
    if !lab::ready("a_disk_that_starts_debian", &READERS) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let files = [
        pieces(path, "EFI/BOOT/BOOTX64.EFI", 1_048_504),
        pieces(path, "EFI/BOOT/grubx64.efi", 3_843_520),
        bytes("EFI/BOOT/a-name-that-takes-three-records.cfg", b""),
        bytes("grub/grub.cfg", &[b'#'; 8192]),
        bytes("one/of/the/deepest/folders/that/are/allowed", b"there"),
        pieces(path, "boot/vmlinuz-6.1.0-18-amd64", 8_222_656),
        bytes("boot/vmlinuz-6.1.0-18-rt-amd64", b"another of that beginning"),
        pieces(path, "boot/initrd", 47_810_277),
    ];
    let disk = check(path, &files, "16 bit entries");
    for (name, content) in &files {
        check_grub(&disk, name, content);
    }
}

#[test]
fn a_disk_with_a_crowded_folder() {
    if !lab::ready("a_disk_with_a_crowded_folder", &READERS) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let names = (0..MAX_FILES).map(|number| format!("pkg/package-number-{number}.tar.gz"));
    let files: Vec<_> = names.map(|name| bytes(&name, name.as_bytes())).collect();
    let disk = check(folder.path(), &files, "16 bit entries");
    check_grub(&disk, &files[4000].0, &files[4000].1);
}

#[test]
fn a_disk_whose_root_is_crowded() {
    if !lab::ready("a_disk_whose_root_is_crowded", &READERS) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let names = (0..MAX_FILES).map(|number| format!("{number}-{}", "x".repeat(80)));
    let files: Vec<_> = names.map(|name| bytes(&name, name.as_bytes())).collect();
    let disk = check(folder.path(), &files, "16 bit entries");
    check_grub(&disk, &files[4000].0, &files[4000].1);
}

#[test]
fn a_disk_of_more_than_two_gigabytes() {
    if !lab::ready("a_disk_of_more_than_two_gigabytes", &READERS) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let length = (2 << 30) + 12_345_679;
    let files = [
        pieces(folder.path(), "EFI/BOOT/BOOTX64.EFI", 1_048_504),
        sparse("live/filesystem.squashfs", length, &[0, 1 << 30, (1 << 31) - 3, length - 15]),
        bytes("empty", b""),
        bytes("grub/grub.cfg", b"boot\n"),
    ];
    let disk = check(folder.path(), &files, "32 bit entries");
    check_grub(&disk, "grub/grub.cfg", &files[3].1);
}
