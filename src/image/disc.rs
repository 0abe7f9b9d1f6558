//! One disc image: its tree of files, each a list of extents of the image, read in place.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::stored::{Filesystem, Node, SECTOR, Stored, read_at};
use super::{Foreign, foreign, glob, hole, span, volume};

/// Writers put this much padding behind a volume, which some downloads lack; nothing is stored there.
const PADDING: u64 = 150 * SECTOR;
/// How many links are followed in one path.
const MAX_LINKS: usize = 16;
/// Most files that a pattern stands for: each may be read to look for a text. Live media have about thirty.
const MAX_MATCHES: usize = 1000;

/// Why a file is no image that can be used.
#[derive(Debug, thiserror::Error)]
pub enum DiscError {
    /// It is not there, or not ours to read.
    #[error("cannot open {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A folder or a device.
    #[error("{path} is not a file")]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// Nothing in it.
    #[error("{path} is empty")]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Neither ISO 9660 nor UDF.
    #[error("{path} is not a disc image")]
    NotAnImage {
        /// The file.
        path: PathBuf,
    },
    /// Something else that people take for one.
    #[error("{path} is {what}, not a disc image")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: Foreign,
    },
    /// It ends before its volume does: its download was broken off.
    #[error("{path} is cut off: {missing} bytes are missing")]
    Truncated {
        /// The file.
        path: PathBuf,
        /// How many bytes it has.
        size: u64,
        /// How many are missing at least.
        missing: u64,
    },
    /// It is an image, but its tables cannot be read.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
}

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Size in bytes.
    pub size: u64,
    /// When it was last written.
    pub modified: Option<SystemTime>,
    file: u64,
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Stamp {
        #[cfg(unix)]
        let file = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let file = 0;
        Stamp { size: metadata.len(), modified: metadata.modified().ok(), file }
    }

    /// The file's number in its file system; 0 where the system has none.
    pub(super) fn number(&self) -> u64 {
        self.file
    }
}

/// What has become of an image's file since it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing.
    Unchanged,
    /// It was written to: its extents may be wrong now.
    Changed,
    /// It was removed, moved or replaced. What was opened can still be read.
    Gone,
}

/// An opened disc image. Cheap to share; reading takes no lock.
#[derive(Debug)]
pub struct Disc {
    path: PathBuf,
    file: Arc<File>,
    stamp: Stamp,
    filesystem: Filesystem,
    label: Option<String>,
    nodes: BTreeMap<String, Node>,
    /// Every path in lower case and as it is stored, in order.
    folded: Vec<(String, String)>,
    damage: Vec<String>,
}

impl Disc {
    /// Opens an image and lists it. Reads its tables only, never whole files.
    pub fn open(path: &Path) -> Result<Disc, DiscError> {
        let path = path.to_path_buf();
        let open = |source| DiscError::Open { path: path.clone(), source };
        // Looked at before it is opened: opening a pipe would wait for its other end.
        if !std::fs::metadata(&path).map_err(open)?.is_file() {
            return Err(DiscError::NotAFile { path });
        }
        let file = File::open(&path).map_err(open)?;
        let stamp = Stamp::of(&file.metadata().map_err(open)?);
        if stamp.size == 0 {
            return Err(DiscError::Empty { path });
        }
        let declared = span::declared(&file);
        let cut_off = |needed: u64| {
            let missing = needed.saturating_sub(stamp.size);
            DiscError::Truncated { path: path.clone(), size: stamp.size, missing }
        };
        if declared.saturating_sub(PADDING) > stamp.size {
            return Err(cut_off(declared));
        }
        let mut listing = match volume::list(&file, stamp.size) {
            Ok(Some(listing)) => listing,
            Ok(None) => {
                return Err(match foreign::look(&file, stamp.size) {
                    Some(what) => DiscError::Foreign { path, what },
                    None => DiscError::NotAnImage { path },
                });
            }
            Err(reason) => return Err(DiscError::Damaged { path, reason }),
        };
        let outside = listing.remove_outside(stamp.size);
        // A volume of unknown size says by its files how long it should be.
        if declared == 0 && outside > 0 {
            return Err(cut_off(outside));
        }
        if listing.entries.is_empty() && !listing.damage.is_empty() {
            let reason = listing.damage.into_iter().next().unwrap_or_default();
            return Err(DiscError::Damaged { path, reason });
        }
        let files = listing.entries.iter().filter_map(|(path, node)| match node {
            Node::File(stored) => Some((path.as_str(), stored)),
            _ => None,
        });
        listing.damage.extend(hole::find(&file, files));
        let lower = |(path, _): &(String, Node)| (path.to_lowercase(), path.clone());
        let mut folded: Vec<(String, String)> = listing.entries.iter().map(lower).collect();
        folded.sort();
        Ok(Disc {
            path,
            file: Arc::new(file),
            stamp,
            filesystem: listing.filesystem,
            label: listing.label,
            nodes: listing.entries.into_iter().collect(),
            folded,
            damage: listing.damage,
        })
    }

    /// The image's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open file.
    pub fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Its size in bytes and when it was written.
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// The file system that was read.
    pub fn filesystem(&self) -> Filesystem {
        self.filesystem
    }

    /// The volume's label.
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// What could not be read, for people.
    pub fn damage(&self) -> &[String] {
        &self.damage
    }

    /// What has become of the file since it was opened.
    pub fn fate(&self) -> Fate {
        let still = self.file.metadata().map(|metadata| Stamp::of(&metadata));
        match (still, std::fs::metadata(&self.path).map(|metadata| Stamp::of(&metadata))) {
            (Ok(open), _) if open != self.stamp => Fate::Changed,
            (_, Ok(named)) if named.file == self.stamp.file => Fate::Unchanged,
            _ => Fate::Gone,
        }
    }

    /// The file at an absolute path, links followed, letters in either case where the exact name is not there.
    pub fn find(&self, path: &str) -> Option<&Stored> {
        match self.nodes.get(&self.resolve(path)?)? {
            Node::File(stored) => Some(stored),
            _ => None,
        }
    }

    /// The path of a file or folder as the disc has it, links followed.
    pub fn resolve(&self, path: &str) -> Option<String> {
        let mut wanted = path.to_owned();
        for _ in 0..MAX_LINKS {
            match self.step(&wanted)? {
                Ok(found) => return Some(found),
                Err(next) => wanted = next,
            }
        }
        None
    }

    /// The path of a file as the disc has it, links followed; not of a folder.
    pub fn resolve_file(&self, path: &str) -> Option<String> {
        self.find(path)?;
        self.resolve(path)
    }

    /// Follows a path until it ends (`Ok`) or meets a link (`Err` with the path to go on with).
    fn step(&self, path: &str) -> Option<Result<String, String>> {
        let mut at = String::new();
        let mut names = path.split('/').filter(|name| !name.is_empty() && *name != ".");
        while let Some(name) = names.next() {
            if name == ".." {
                at.truncate(at.rfind('/').unwrap_or(0));
                continue;
            }
            let next = self.named(&format!("{at}/{name}"))?;
            if let Node::Link(target) = self.nodes.get(&next)? {
                let base = if target.starts_with('/') { "" } else { at.as_str() };
                let rest: Vec<&str> = names.collect();
                return Some(Err(format!("{base}/{target}/{}", rest.join("/"))));
            }
            at = next;
        }
        Some(Ok(at))
    }

    fn named(&self, path: &str) -> Option<String> {
        if self.nodes.contains_key(path) {
            return Some(path.to_owned());
        }
        self.from(&path.to_lowercase())
            .next()
            .filter(|(lower, _)| *lower == path.to_lowercase())
            .map(|(_, path)| path.clone())
    }

    /// Paths that begin so in lower case, and those after them.
    fn from<'a>(&'a self, start: &str) -> impl Iterator<Item = &'a (String, String)> + use<'a> {
        let first = self.folded.partition_point(|(lower, _)| lower.as_str() < start);
        self.folded.get(first..).unwrap_or_default().iter()
    }

    /// Paths that a pattern with `*` matches, and what that stood for. Only what begins as the pattern does is looked at:
    /// there are hundreds of patterns, and a hostile image has 200 000 paths.
    fn matched<'a>(&'a self, pattern: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> + 'a {
        let start = pattern.split('*').next().unwrap_or_default().to_lowercase();
        let near = self.from(&start).take_while(move |(lower, _)| lower.starts_with(&start));
        near.filter_map(|(_, path)| Some((path.as_str(), glob::captures(pattern, path)?)))
    }

    /// Paths of files that match a pattern, and what its first `*` stood for; a thousand at most. A pattern without
    /// `*` finds through links as well.
    pub fn matching<'a>(&'a self, pattern: &'a str) -> impl Iterator<Item = (String, String)> + 'a {
        let exact = (!pattern.contains('*')).then(|| self.resolve_file(pattern)).flatten();
        let matched = pattern.contains('*').then(|| self.matched(pattern)).into_iter().flatten();
        let files = matched.filter(|(path, _)| matches!(self.nodes.get(*path), Some(Node::File(_))));
        let listed = files.map(|(path, captured)| (path.to_owned(), captured.to_owned()));
        exact.map(|path| (path, String::new())).into_iter().chain(listed.take(MAX_MATCHES))
    }

    /// Whether a file or folder matches a pattern.
    pub fn has(&self, pattern: &str) -> bool {
        if pattern.contains('*') { self.matched(pattern).next().is_some() } else { self.resolve(pattern).is_some() }
    }

    /// Whether a file's path is of some kind.
    pub fn has_file(&self, kind: impl Fn(&str) -> bool) -> bool {
        self.nodes.iter().any(|(path, node)| matches!(node, Node::File(_)) && kind(path))
    }

    /// The first bytes of a file, `limit` at most.
    pub fn read_start(&self, path: &str, limit: usize) -> io::Result<Vec<u8>> {
        let stored = self.find(path).ok_or(io::ErrorKind::NotFound)?;
        let length = usize::try_from(stored.size).unwrap_or(usize::MAX).min(limit);
        let mut bytes = vec![0u8; length];
        read_at(&self.file, &stored.extents, 0, &mut bytes)?;
        Ok(bytes)
    }

    /// A text file of the image, at most `limit` bytes of it.
    pub fn read_text(&self, path: &str, limit: usize) -> Option<String> {
        self.read_start(path, limit).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// A reader over a whole file, for looking inside.
    pub fn reader(&self, path: &str) -> Option<Reader> {
        let stored = self.find(path)?.clone();
        Some(Reader { file: Arc::clone(&self.file), stored, at: 0 })
    }
}

/// Reads a file of a disc from its start to its end.
#[derive(Debug)]
pub struct Reader {
    file: Arc<File>,
    stored: Stored,
    at: u64,
}

impl io::Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.stored.size.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let count = left.min(buffer.len());
        let part = buffer.get_mut(..count).unwrap_or_default();
        read_at(&self.file, &self.stored.extents, self.at, part)?;
        self.at += count as u64;
        Ok(count)
    }
}
