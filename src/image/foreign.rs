//! What a file is that is no disc image: people choose the download's page, the packed file, the image of a USB stick.

use std::fmt;
use std::fs::File;

use super::stored::read_exact_at;

/// How much of a file's beginning is looked at, in bytes: a tar's mark and a partition table are within it.
const START: u64 = 64 << 10;
/// How far into a text a web page must have begun.
const PAGE: usize = 1024;

/// What it is instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// A web page: a sign-in, an error, or the choice of a mirror.
    WebPage,
    /// Packed, and what unpacks it on a command line.
    Packed {
        /// The format's name.
        format: &'static str,
        /// The command before the file's name.
        unpack: &'static str,
    },
    /// An image of a hard disk, a memory stick or a floppy.
    Drive {
        /// What kind, with its article.
        format: &'static str,
    },
    /// A disc in the raw form of CD writers: sectors of 2352 bytes.
    RawCd,
    /// A Windows image without the disc around it.
    Wim,
    /// A room for a download that has not come: only zeros.
    Blank,
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Foreign::WebPage => f.write_str("a web page"),
            Foreign::Packed { format, .. } => write!(f, "packed with {format}"),
            Foreign::Drive { format } => f.write_str(format),
            Foreign::RawCd => f.write_str("a raw copy of a CD"),
            Foreign::Wim => f.write_str("a Windows image"),
            Foreign::Blank => f.write_str("filled with zeros"),
        }
    }
}

/// Beginnings of packed files, and what unpacks them.
const PACKED: [(&[u8], &str, &str); 9] = [
    (b"\x1f\x8b", "gzip", "gunzip"),
    (b"PK\x03\x04", "ZIP", "unzip"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip", "7z x"),
    (b"\xfd7zXZ\0", "xz", "unxz"),
    (b"BZh", "bzip2", "bunzip2"),
    (b"\x28\xb5\x2f\xfd", "Zstandard", "unzstd"),
    (b"Rar!\x1a\x07", "RAR", "unrar x"),
    (b"LZIP", "lzip", "lzip -d"),
    (b"\x04\x22\x4d\x18", "LZ4", "unlz4"),
];

/// Beginnings of images of other drives.
const DRIVES: [(&[u8], &str); 6] = [
    (b"QFI\xfb", "a QEMU disk image"),
    (b"KDMV", "a VMware disk image"),
    (b"# Disk DescriptorFile", "a VMware disk image"),
    (b"conectix", "a VHD disk image"),
    (b"vhdxfile", "a VHDX disk image"),
    (b"<<< Oracle VM VirtualBox Disk Image", "a VirtualBox disk image"),
];

/// What a file of `size` bytes is by its beginning and end; `None` where it is nothing that we know.
pub(super) fn look(file: &File, size: u64) -> Option<Foreign> {
    let mut start = vec![0u8; usize::try_from(size.min(START)).ok()?];
    read_exact_at(file, &mut start, 0).ok()?;
    by_start(&start).or_else(|| by_end(file, size))
}

fn by_start(start: &[u8]) -> Option<Foreign> {
    if let Some((_, format, unpack)) = PACKED.iter().find(|(magic, ..)| start.starts_with(magic)) {
        return Some(Foreign::Packed { format, unpack });
    }
    // POSIX.1 "ustar Interchange Format": the mark is in the first header.
    if start.get(257..262) == Some(b"ustar") {
        return Some(Foreign::Packed { format: "tar", unpack: "tar xf" });
    }
    if let Some((_, format)) = DRIVES.iter().find(|(magic, _)| start.starts_with(magic)) {
        return Some(Foreign::Drive { format });
    }
    if start.starts_with(b"MSWIM\0\0\0") {
        return Some(Foreign::Wim);
    }
    // ECMA-130 section 14: twelve bytes before each sector.
    if start.starts_with(b"\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0") {
        return Some(Foreign::RawCd);
    }
    if is_page(start) {
        return Some(Foreign::WebPage);
    }
    partitioned(start).or_else(|| start.iter().all(|&byte| byte == 0).then_some(Foreign::Blank))
}

fn is_page(start: &[u8]) -> bool {
    let start = start.get(..start.len().min(PAGE)).unwrap_or_default();
    let text = String::from_utf8_lossy(start).to_ascii_lowercase();
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    // A comment or a processing instruction may stand before the page itself.
    text.starts_with('<') && ["<!doctype html", "<html", "<head", "<body"].iter().any(|tag| text.contains(tag))
}

/// A partition table or a FAT file system (UEFI specification section 5; Microsoft's FAT specification section 3).
fn partitioned(start: &[u8]) -> Option<Foreign> {
    if start.get(512..520) == Some(b"EFI PART") || start.get(4096..4104) == Some(b"EFI PART") {
        return Some(Foreign::Drive { format: "an image of a hard disk or memory stick" });
    }
    if start.get(510..512) != Some(&[0x55, 0xaa]) {
        return None;
    }
    let is_fat = start.get(54..57) == Some(b"FAT") || start.get(82..85) == Some(b"FAT");
    let entries = start.get(446..510)?.chunks_exact(16);
    // Each entry begins with 0x80 for the one that boots or with 0, and has a type.
    let has_partition = entries.into_iter().any(|entry| {
        matches!(entry, [0 | 0x80, _, _, _, kind, ..] if *kind != 0) && entry.iter().skip(8).any(|&byte| byte != 0)
    });
    match (is_fat, has_partition) {
        (true, _) => Some(Foreign::Drive { format: "an image of a floppy or memory stick" }),
        (false, true) => Some(Foreign::Drive { format: "an image of a hard disk or memory stick" }),
        (false, false) => None,
    }
}

/// Formats that have their mark at the end: a VHD of fixed size and Apple's disk images.
fn by_end(file: &File, size: u64) -> Option<Foreign> {
    let mut end = [0u8; 512];
    read_exact_at(file, &mut end, size.checked_sub(512)?).ok()?;
    if end.starts_with(b"conectix") {
        return Some(Foreign::Drive { format: "a VHD disk image" });
    }
    end.starts_with(b"koly").then_some(Foreign::Drive { format: "an Apple disk image" })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn kind(bytes: &[u8]) -> Option<Foreign> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        look(&file, bytes.len() as u64)
    }

    fn with(at: usize, field: &[u8]) -> Vec<u8> {
        let mut bytes = vec![1u8; 70_000];
        bytes[at..at + field.len()].copy_from_slice(field);
        bytes
    }

    #[test]
    fn each_kind_is_named() {
        let mut mbr = vec![0u8; 70_000];
        mbr[446..462].copy_from_slice(&[0x80, 0, 1, 0, 0x83, 0, 1, 0, 0, 8, 0, 0, 0, 0, 1, 0]);
        mbr[510..512].copy_from_slice(&[0x55, 0xaa]);
        let mut no_partition = mbr.clone();
        no_partition[446..510].fill(0);
        no_partition[0] = 1;
        let mut fat = no_partition.clone();
        fat[54..59].copy_from_slice(b"FAT12");
        let mut packed: Vec<(Vec<u8>, &str)> =
            PACKED.iter().map(|(magic, format, _)| (with(0, magic), *format)).collect();
        packed.push((with(257, b"ustar"), "tar"));
        for (bytes, expected) in packed {
            assert!(matches!(kind(&bytes), Some(Foreign::Packed { format, .. }) if format == expected), "{expected}");
        }
        let drives = [
            (with(0, b"QFI\xfb"), "QEMU"),
            (with(512, b"EFI PART"), "hard disk"),
            (with(4096, b"EFI PART"), "hard disk"),
            (mbr, "hard disk"),
            (fat, "floppy"),
            (with(70_000 - 512, b"conectix"), "VHD"),
            (with(70_000 - 512, b"koly"), "Apple"),
        ];
        for (bytes, expected) in drives {
            let found = kind(&bytes);
            assert!(
                matches!(found, Some(Foreign::Drive { format }) if format.contains(expected)),
                "{expected}: {found:?}"
            );
        }
        let pages = ["<!DOCTYPE html><p>", "\u{feff}\n <HTML>", "<?xml version=\"1.0\"?>\n<html>", "<!-- x --><head>"];
        assert!(pages.iter().all(|page| kind(page.as_bytes()) == Some(Foreign::WebPage)));
        assert_eq!(kind(&with(0, b"\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0")), Some(Foreign::RawCd));
        assert_eq!(kind(b"MSWIM\0\0\0"), Some(Foreign::Wim));
        assert_eq!(kind(&[0; 100_000]), Some(Foreign::Blank));
        for nothing in [&b"hello"[..], b"a <html>", b"P", &no_partition] {
            assert_eq!(kind(nothing), None, "{:?}", nothing.first());
        }
    }
}
