//! ISO 9660 and UDF by hadris: the only place that names it, so that it stays replaceable.
//!
//! What it needs from us: a budget, since one directory of a hostile image can make it read gigabytes; a way round a
//! damaged record, which otherwise hides its later siblings; and its link index, without which many hard links take
//! quadratic time (7.5 s for ten thousand, 12 ms with it).

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

use hadris_fs::sync::FileSystem;
use hadris_fs::{DirCursor, Error, ErrorKind, FileType, MountError, MountOptions, NodeId, Permissions};
use hadris_iso::sync::IsoFs;
use hadris_iso::{CacheOptions, Namespace};
use hadris_storage::host::FileDevice;
use hadris_storage::sync::BlockDevice;
use hadris_storage::{BlockIndex, BlockSize};
use hadris_udf::sync::UdfFs;

use super::stored::{Extent, Filesystem, Node, SECTOR};
use crate::text;

/// Most entries of one image. The largest install media have about ten thousand.
const MAX_ENTRIES: usize = 200_000;
const MAX_DEPTH: usize = 32;
/// Most bytes of all paths together; the largest install media have about one million.
const MAX_PATHS: usize = 32 << 20;
const MAX_PATH: usize = 4096;
/// Most extents of one file: 4 TiB at ISO 9660's largest.
const MAX_EXTENTS: usize = 1024;
/// Most damaged records that are skipped, and most notes of damage.
const MAX_DAMAGE: usize = 1000;
/// Longest name in a note of damage, in characters.
const MAX_NAME: usize = 100;
const MAX_READS: u64 = 1_000_000;
/// Longest that listing one image may take. Ten thousand entries take 12 ms from a warm cache.
const MAX_TIME: Duration = Duration::from_secs(30);

type FsError = Error<io::Error>;

/// A volume's listing, as far as it could be read.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) filesystem: Filesystem,
    pub(super) label: Option<String>,
    pub(super) entries: Vec<(String, Node)>,
    /// What could not be read.
    pub(super) damage: Vec<String>,
}

impl Listing {
    fn note(&mut self, damage: String) {
        if self.damage.len() < MAX_DAMAGE {
            self.damage.push(damage);
        }
    }

    /// Drops files that lie behind the end of an image of this size, and notes them as damage. Returns where the last one
    /// would end; 0 where there is none.
    pub(super) fn remove_outside(&mut self, size: u64) -> u64 {
        let (mut last, damage) = (0, &mut self.damage);
        self.entries.retain(|(path, node)| {
            let Node::File(stored) = node else { return true };
            let ends = stored.extents.iter().map(|extent| extent.offset.saturating_add(extent.length));
            let end = ends.max().unwrap_or(0);
            if end <= size {
                return true;
            }
            last = last.max(end);
            if damage.len() < MAX_DAMAGE {
                damage.push(format!("{path}: behind the end of the image"));
            }
            false
        });
        last
    }
}

/// Lists the volume in a file: UDF where there is one, since a bridge disc's ISO 9660 side may show a read-me only, and
/// gives the low 32 bits of the size of larger files. `Ok(None)`: neither.
pub(super) fn list(file: &File, size: u64) -> Result<Option<Listing>, String> {
    let udf = device(file).and_then(|device| recognised(UdfFs::mount(device, MountOptions::new())));
    if let Ok(Some(mut volume)) = udf {
        return Ok(Some(walk(&mut volume, Filesystem::Udf)));
    }
    // Without this a short file would be called a damaged disc.
    if size < 17 * SECTOR {
        return Ok(None);
    }
    let iso = device(file)
        .and_then(|device| recognised(IsoFs::mount_namespace(device, MountOptions::new(), Namespace::Preferred)));
    match (iso, udf) {
        (Ok(Some(volume)), _) => {
            let mut volume =
                volume.with_cache(CacheOptions::new().with_blocks(64).with_records(64).with_links(MAX_ENTRIES));
            Ok(Some(walk(&mut volume, Filesystem::Iso9660)))
        }
        (Ok(None), Ok(_)) => Ok(None),
        (Err(error), _) | (Ok(None), Err(error)) => Err(error.to_string()),
    }
}

/// A file whose reads are counted and timed.
#[derive(Debug)]
struct Budgeted {
    device: FileDevice,
    reads_left: u64,
    until: Instant,
}

impl hadris_io::ErrorType for Budgeted {
    type Error = io::Error;
}

impl BlockDevice for Budgeted {
    fn block_size(&self) -> BlockSize {
        BlockDevice::block_size(&self.device)
    }

    fn block_count(&self) -> u64 {
        BlockDevice::block_count(&self.device)
    }

    fn read_blocks(&mut self, first: BlockIndex, buffer: &mut [u8]) -> Result<(), FsError> {
        let left = self.reads_left.checked_sub(1).filter(|_| Instant::now() < self.until);
        self.reads_left =
            left.ok_or_else(|| Error::device(io::Error::from(io::ErrorKind::TimedOut), "the listing is endless"))?;
        self.device.read_blocks(first, buffer)
    }
}

fn device(file: &File) -> Result<Budgeted, FsError> {
    let measure = |error| Error::device(error, "the file cannot be measured");
    let device = FileDevice::new(file.try_clone().map_err(measure)?).map_err(measure)?;
    Ok(Budgeted { device, reads_left: MAX_READS, until: Instant::now() + MAX_TIME })
}

fn recognised<T>(mounted: Result<T, MountError<Budgeted, io::Error>>) -> Result<Option<T>, FsError> {
    match mounted {
        Ok(volume) => Ok(Some(volume)),
        Err(error) if error.kind() == ErrorKind::NotRecognized => Ok(None),
        Err(error) => Err(error.into_error()),
    }
}

/// What both readers have but no common trait declares.
trait Mapped: FileSystem<DeviceError = io::Error> {
    fn map(&mut self, node: NodeId, from: u64, out: &mut [hadris_fs::Extent]) -> Result<usize, FsError>;

    /// Where to go on behind a record that could not be read, if that can be told.
    fn skip(&mut self, _folder: NodeId, _at: DirCursor) -> Option<DirCursor> {
        None
    }
}

impl Mapped for UdfFs<Budgeted> {
    fn map(&mut self, node: NodeId, from: u64, out: &mut [hadris_fs::Extent]) -> Result<usize, FsError> {
        self.extents(node, from, out)
    }
}

impl Mapped for IsoFs<Budgeted> {
    fn map(&mut self, node: NodeId, from: u64, out: &mut [hadris_fs::Extent]) -> Result<usize, FsError> {
        self.extents(node, from, out)
    }

    /// A folder's id is the offset of its first record, a cursor an offset from there; a record begins with its length,
    /// and a zero fills a block up (ECMA-119 section 6.8.1).
    fn skip(&mut self, folder: NodeId, at: DirCursor) -> Option<DirCursor> {
        let (at, block) = (at.into_raw(), u64::from(self.info().block_size()));
        let mut length = [0u8];
        self.read_raw(folder.get().checked_add(at)?, &mut length).ok()?;
        let [length] = length;
        let next = if length == 0 { (at / block + 1).checked_mul(block)? } else { at.checked_add(u64::from(length))? };
        Some(DirCursor::from_raw(next))
    }
}

fn walk<F: Mapped>(volume: &mut F, filesystem: Filesystem) -> Listing {
    let mut buffer = [0u8; 1024];
    let label = volume.label(&mut buffer).ok().flatten().map(str::to_owned);
    let mut listing = Listing { filesystem, label, entries: Vec::new(), damage: Vec::new() };
    // Ids of folders are unique, so a folder that contains itself is entered once.
    let mut seen = HashSet::from([volume.root()]);
    let mut folders = vec![(volume.root(), String::new(), 0usize)];
    let mut paths = 0usize;
    while let Some((folder, path, depth)) = folders.pop() {
        let mut cursor = DirCursor::START;
        loop {
            let found = match volume.readdir(folder, cursor) {
                Ok(Some(found)) => found,
                Ok(None) => break,
                Err(error) => {
                    let endless = error.kind() == ErrorKind::Io || listing.damage.len() >= MAX_DAMAGE;
                    listing.damage.push(format!("{path}/: {error}"));
                    match volume.skip(folder, cursor).filter(|_| !endless) {
                        Some(next) => cursor = next,
                        None if endless => return listing,
                        None => break,
                    }
                    continue;
                }
            };
            cursor = found.next_cursor();
            if listing.entries.len() >= MAX_ENTRIES {
                listing.damage.push(format!("more than {MAX_ENTRIES} entries"));
                return listing;
            }
            let name = String::from_utf8_lossy(found.name().as_bytes()).into_owned();
            // Nobody names files so but to deceive; what is listed goes into scripts, logs and pages.
            if !text::is_plain(&name) {
                listing.note(format!("{path}/{}: control characters in its name", text::plain(&name, MAX_NAME)));
                continue;
            }
            let path = format!("{path}/{name}");
            if path.len() > MAX_PATH {
                listing.note("a path that is too long".to_owned());
                continue;
            }
            paths += path.len();
            if paths > MAX_PATHS {
                listing.damage.push("paths too long altogether".to_owned());
                return listing;
            }
            let (node, size) = (found.node(), found.metadata().len());
            match found.file_type() {
                FileType::Dir => {
                    if depth + 1 >= MAX_DEPTH {
                        listing.note(format!("{path}/: nested too deep"));
                    } else if seen.insert(node) {
                        folders.push((node, path.clone(), depth + 1));
                    }
                    listing.entries.push((path, Node::Folder));
                }
                FileType::Symlink => {
                    let mut target = vec![0u8; usize::try_from(size).unwrap_or(MAX_PATH).clamp(1, MAX_PATH)];
                    if let Ok(target) = volume.readlink(node, &mut target) {
                        let target = String::from_utf8_lossy(target).into_owned();
                        listing.entries.push((path, Node::Link(target)));
                    }
                }
                // A damaged entry is listed as an empty file without permissions; only `stat` tells.
                FileType::File if size == 0 && found.metadata().permissions() == Permissions::new(0) => {
                    match volume.stat(node) {
                        Ok(_) => listing.entries.push((path, Node::file(0, Vec::new()))),
                        Err(error) => listing.note(format!("{path}: {error}")),
                    }
                }
                FileType::File => match extents(volume, node) {
                    Ok(extents) => listing.entries.push((path, Node::file(size, extents))),
                    Err(error) => listing.note(format!("{path}: {error}")),
                },
                _ => {}
            }
        }
    }
    listing
}

fn extents<F: Mapped>(volume: &mut F, node: NodeId) -> Result<Vec<Extent>, String> {
    let (mut all, mut from) = (Vec::new(), 0);
    let mut buffer = [hadris_fs::Extent::new(0, 0); 64];
    loop {
        let count = volume.map(node, from, &mut buffer).map_err(|error| error.to_string())?;
        let found = buffer.get(..count).unwrap_or_default();
        let written = found.iter().filter(|extent| !extent.is_unwritten());
        all.extend(written.map(|extent| Extent {
            at: extent.file_offset(),
            offset: extent.offset(),
            length: extent.len(),
        }));
        if all.len() > MAX_EXTENTS {
            return Err(format!("more than {MAX_EXTENTS} pieces"));
        }
        match found.last() {
            Some(last) if count == buffer.len() => from = last.file_offset().saturating_add(last.len()),
            _ => return Ok(all),
        }
    }
}
