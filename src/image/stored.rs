//! Where the bytes of a disc's files lie in its image, and how they are read from there.

use std::fs::File;
use std::io;
use std::sync::Arc;

use serde::Serialize;

/// Logical sector of optical discs, in bytes.
pub(super) const SECTOR: u64 = 2048;
/// The file system that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Filesystem {
    /// ISO 9660, with Rock Ridge or Joliet where it has them.
    Iso9660,
    /// UDF (ECMA-167).
    Udf,
}

/// A run of a file's bytes in the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Offset in the file. What no extent covers reads as zeros (UDF has such holes).
    pub at: u64,
    /// Offset in the image.
    pub offset: u64,
    /// Length in bytes.
    pub length: u64,
}

/// A file of a disc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its size in bytes.
    pub size: u64,
    /// Where its bytes are, in the file's order.
    pub extents: Arc<[Extent]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Folder,
    File(Stored),
    Link(String),
}

impl Node {
    pub(super) fn file(size: u64, extents: Vec<Extent>) -> Node {
        Node::File(Stored { size, extents: extents.into() })
    }
}

/// Fills `buffer` with a file's bytes from `at` on. A file that ended meanwhile is an error, never zeros.
pub fn read_at(file: &File, extents: &[Extent], at: u64, buffer: &mut [u8]) -> io::Result<()> {
    buffer.fill(0);
    let end = at.saturating_add(buffer.len() as u64);
    for extent in extents {
        let first = extent.at.max(at);
        let last = extent.at.saturating_add(extent.length).min(end);
        if first >= last {
            continue;
        }
        let span = usize::try_from(first - at).ok().zip(usize::try_from(last - at).ok());
        let part = span.and_then(|(from, to)| buffer.get_mut(from..to)).ok_or(io::ErrorKind::InvalidInput)?;
        read_exact_at(file, part, extent.offset + (first - extent.at))?;
    }
    Ok(())
}

/// Fills `buffer` with a file's own bytes from `offset` on.
#[cfg(unix)]
pub(super) fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

/// Fills `buffer` with a file's own bytes from `offset` on.
#[cfg(windows)]
pub(super) fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        let count = std::os::windows::fs::FileExt::seek_read(file, buffer, offset)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer = buffer.get_mut(count..).unwrap_or_default();
        offset += count as u64;
    }
    Ok(())
}
