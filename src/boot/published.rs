//! The folder of `--files`: scripts, drivers, answer files, read only.
//!
//! Names from the network are looked up in an index and go no further; what is opened is the index's own path, and the
//! system is told to follow no link (SECURITY S10, S11).

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::net::platform;

const MAX_FILES: usize = 100_000;
const MAX_DEPTH: usize = 32;
/// How soon after the last look a name that is not there makes us look again, so that a file just dropped in is found.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// A published folder.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    index: Mutex<Index>,
}

#[derive(Debug)]
struct Index {
    /// Path with `/`, relative to the root, to the path for the system.
    files: HashMap<String, PathBuf>,
    made: Instant,
}

impl Folder {
    /// Publishes a folder.
    pub fn open(root: &Path) -> io::Result<Folder> {
        let root = root.canonicalize()?;
        let index = Mutex::new(Index { files: list(&root)?, made: Instant::now() });
        Ok(Folder { root, index })
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.index.lock().map_or(0, |index| index.files.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Opens a file by its name, which is compared as it is, then without regard to letter case.
    pub fn file(&self, name: &str) -> Option<File> {
        let relative = self.lookup(name)?;
        let file = platform::open_beneath(&self.root, &relative).ok()?;
        file.metadata().ok()?.is_file().then_some(file)
    }

    fn lookup(&self, name: &str) -> Option<PathBuf> {
        let mut index = self.index.lock().ok()?;
        if let Some(path) = named(&index.files, name) {
            return Some(path);
        }
        if index.made.elapsed() < LOOK_AGAIN {
            return None;
        }
        *index = Index { files: list(&self.root).ok()?, made: Instant::now() };
        named(&index.files, name)
    }
}

fn named(files: &HashMap<String, PathBuf>, name: &str) -> Option<PathBuf> {
    let exact = files.get(name);
    exact.or_else(|| files.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, path)| path)).cloned()
}

/// Every plain file below a folder, links left out.
fn list(root: &Path) -> io::Result<HashMap<String, PathBuf>> {
    let mut files = HashMap::new();
    let mut folders = vec![(PathBuf::new(), String::new(), 0usize)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        let entries = match fs::read_dir(root.join(&folder)) {
            Ok(entries) => entries,
            Err(error) if depth == 0 => return Err(error),
            // A folder below that is not ours to read is left out.
            Err(_) => continue,
        };
        for entry in entries.flatten() {
            let (Ok(kind), Ok(name)) = (entry.file_type(), entry.file_name().into_string()) else { continue };
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            if kind.is_dir() && depth < MAX_DEPTH {
                folders.push((folder.join(&name), path, depth + 1));
            } else if kind.is_file() && files.len() < MAX_FILES {
                files.insert(path, folder.join(&name));
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_files_below_the_folder_are_published() {
        let (outside, inside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(outside.path().join("secret"), "s").unwrap();
        fs::create_dir(inside.path().join("sub")).unwrap();
        fs::write(inside.path().join("sub/Setup.cmd"), "x").unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(outside.path().join("secret"), inside.path().join("link")).unwrap();
            std::os::unix::fs::symlink(outside.path(), inside.path().join("way")).unwrap();
        }
        let folder = Folder::open(inside.path()).unwrap();
        assert_eq!(folder.len(), 1);
        assert!(folder.file("sub/Setup.cmd").is_some());
        assert!(folder.file("sub/setup.CMD").is_some());
        for name in ["link", "way/secret", "sub", "", "../secret", "/etc/passwd"] {
            assert!(folder.file(name).is_none(), "{name}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_link_swapped_in_later_is_not_followed() {
        let (outside, inside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(outside.path().join("secret"), "s").unwrap();
        fs::write(inside.path().join("a"), "x").unwrap();
        let folder = Folder::open(inside.path()).unwrap();
        fs::remove_file(inside.path().join("a")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret"), inside.path().join("a")).unwrap();
        assert!(folder.file("a").is_none());
    }
}
