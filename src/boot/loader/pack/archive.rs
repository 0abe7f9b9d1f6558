//! Reads iPXE's release archive: a tar file, mostly packed with gzip, or the folder that it was unpacked to.
//!
//! Names of the archive are only compared with those that we know; none of them reaches the file system.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use super::{PARTS, PackError};
use crate::text;

/// Largest file that is read, in bytes: 2.0.0 has 12 MB.
const MAX_PACKED: u64 = 128 << 20;
/// Most bytes that may come out of it: 2.0.0 has about 40 MB.
const MAX_UNPACKED: u64 = 256 << 20;
/// Most members: 2.0.0 has 54.
const MAX_MEMBERS: usize = 4096;
/// Largest loader, in bytes: the largest of 2.0.0 has 1.2 MB.
const MAX_LOADER: u64 = 16 << 20;
/// Longest name of a member, in bytes.
const MAX_NAME: usize = 255;

/// How a file begins that is packed with gzip (RFC 1952 section 2.3.1).
const GZIP: &[u8] = &[0x1f, 0x8b];
/// How a program for DOS, Windows and UEFI begins.
const PROGRAM: &[u8] = b"MZ";
/// The mark of a tar file (POSIX.1-1988 "ustar", GNU's has a space behind it), and where it stands.
const TAR: (usize, &[u8]) = (257, b"ustar");

/// Loaders by their path in the archive, as [`PARTS`] has it.
pub(super) type Members = BTreeMap<&'static str, Vec<u8>>;

/// What was found.
#[derive(Debug)]
pub(super) enum Content {
    /// Loaders.
    Members(Members),
    /// A single program.
    Wimboot(Vec<u8>),
}

/// Reads what a pack is made of.
pub(super) fn read(path: &Path) -> Result<Content, PackError> {
    let unreadable = |source| PackError::Unreadable { path: path.to_path_buf(), source };
    if path.is_dir() {
        return folder(path).map(Content::Members);
    }
    let mut file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.len() > MAX_PACKED {
        return Err(too_much(path, format!("more than {} MiB", MAX_PACKED >> 20)));
    }
    let mut start = Vec::new();
    file.by_ref().take(512).read_to_end(&mut start).and_then(|_| file.rewind()).map_err(unreadable)?;
    // What a file says of its length may change while it is read.
    let file = BufReader::new(file.take(MAX_PACKED));
    if start.starts_with(GZIP) {
        members(flate2::bufread::MultiGzDecoder::new(file), path).map(Content::Members)
    } else if start.get(TAR.0..).is_some_and(|rest| rest.starts_with(TAR.1)) {
        members(file, path).map(Content::Members)
    } else if start.starts_with(PROGRAM) {
        whole(file, path, "the program").map(Content::Wimboot)
    } else {
        Err(PackError::NoArchive { path: path.to_path_buf() })
    }
}

/// The loaders of a tar file. It is read to its end: the checksum of the gzip format stands there.
fn members(stream: impl Read, path: &Path) -> Result<Members, PackError> {
    let damaged = |error: io::Error| PackError::Damaged { path: path.to_path_buf(), reason: reason(&error) };
    let mut archive = tar::Archive::new(stream.take(MAX_UNPACKED + 1));
    let mut found = Members::new();
    // Raw: no extension may give a member another name, and none is read into memory.
    for (number, entry) in archive.entries().map_err(damaged)?.raw(true).enumerate() {
        let mut entry = entry.map_err(damaged)?;
        if number >= MAX_MEMBERS {
            return Err(too_much(path, format!("more than {MAX_MEMBERS} files")));
        }
        // Where the stream was cut off at our limit, the last member is told as damaged otherwise.
        if entry.raw_file_position().saturating_add(entry.size()) > MAX_UNPACKED {
            return Err(too_much(path, format!("more than {} MiB unpacked", MAX_UNPACKED >> 20)));
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let named = || PackError::Name { path: path.to_path_buf(), name: text::plain(&name, 80) };
        if !is_harmless(&name) {
            return Err(named());
        }
        // Links are not followed: what they lead to is in the archive itself.
        let Some(known) = known(&name).filter(|_| entry.header().entry_type().is_file()) else { continue };
        let bytes = whole(&mut entry, path, known)?;
        if found.insert(known, bytes).is_some() {
            return Err(named());
        }
    }
    drain(archive.into_inner(), path)?;
    if found.is_empty() { Err(PackError::Nothing { path: path.to_path_buf() }) } else { Ok(found) }
}

fn drain(rest: io::Take<impl Read>, path: &Path) -> Result<(), PackError> {
    let mut rest = rest;
    let read = io::copy(&mut rest, &mut io::sink());
    read.map_err(|error| PackError::Damaged { path: path.to_path_buf(), reason: reason(&error) })?;
    if rest.limit() == 0 {
        return Err(too_much(path, format!("more than {} MiB unpacked", MAX_UNPACKED >> 20)));
    }
    Ok(())
}

/// The loaders of a folder that the archive was unpacked to, or of its one folder.
fn folder(path: &Path) -> Result<Members, PackError> {
    let inner = path.join("ipxeboot");
    let root = if inner.is_dir() { inner.as_path() } else { path };
    let mut found = Members::new();
    for name in PARTS.iter().flat_map(|part| part.from).copied() {
        let place = root.join(name);
        // Links are left alone, as in the archive.
        if !place.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
            continue;
        }
        let file = File::open(&place).map_err(|source| PackError::Unreadable { path: place, source })?;
        found.insert(name, whole(file, path, name)?);
    }
    if found.is_empty() { Err(PackError::Nothing { path: path.to_path_buf() }) } else { Ok(found) }
}

/// All bytes of a loader.
fn whole(stream: impl Read, path: &Path, name: &str) -> Result<Vec<u8>, PackError> {
    let mut bytes = Vec::new();
    let read = stream.take(MAX_LOADER + 1).read_to_end(&mut bytes);
    read.map_err(|error| PackError::Damaged { path: path.to_path_buf(), reason: reason(&error) })?;
    if bytes.len() as u64 > MAX_LOADER {
        return Err(too_much(path, format!("more than {} MiB in {name}", MAX_LOADER >> 20)));
    }
    Ok(bytes)
}

/// The place in [`PARTS`] that a member's name means: `ipxeboot/x86_64/ipxe.efi`, `./x86_64/ipxe.efi`, and with any other
/// folder in front, as a folder may be called after its release.
fn known(name: &str) -> Option<&'static str> {
    let name = name.strip_prefix("./").unwrap_or(name);
    let inner = name.split_once('/').map(|(_, inner)| inner);
    let mut places = PARTS.iter().flat_map(|part| part.from).copied();
    places.find(|place| *place == name || Some(*place) == inner)
}

fn is_harmless(name: &str) -> bool {
    let plain = !name.is_empty() && name.len() <= MAX_NAME && text::is_plain(name) && !name.contains(['\\', ':']);
    plain && !name.starts_with('/') && name.split('/').all(|part| part != "..")
}

fn too_much(path: &Path, what: String) -> PackError {
    PackError::TooMuch { path: path.to_path_buf(), what }
}

/// What a reader says of bad data, which may hold names out of it.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "it ends too early".to_owned(),
        _ => text::plain(&error.to_string(), 120),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_places_are_taken() {
        assert_eq!(known("ipxeboot/x86_64-sb/shimx64.efi"), Some("x86_64-sb/shimx64.efi"));
        assert_eq!(known("./x86_64/snponly.efi"), Some("x86_64/snponly.efi"));
        assert_eq!(known("ipxe-2.0.1/undionly.kpxe"), Some("undionly.kpxe"));
        for other in ["a/b/x86_64/ipxe.efi", "riscv64/ipxe.efi", "ipxeboot/x86_64/ipxe.efi/x", "ipxe.efi", ""] {
            assert_eq!(known(other), None, "{other}");
        }
        for bad in ["", "/a", "a/../b", "..", "a\\b", "c:/x", "a\nb", &"x".repeat(300)] {
            assert!(!is_harmless(bad), "{bad:?}");
        }
        assert!(is_harmless("./a..b/...") && is_harmless("././@LongLink"));
    }
}
