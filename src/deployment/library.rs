//! The user's deployments: the one that the window is at, those with a name, and those opened from elsewhere.
//!
//! ```text
//! STATE/current.toml             what the window is at, saved with every change
//! STATE/recent.toml              files that were opened from elsewhere, the latest first
//! STATE/window.lock              held by the window that saves current.toml
//! DATA/deployments/NAME.toml     deployments with a name
//! ```

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{DhcpMode, PlanError, SaveError, Settings, file};
use crate::text;

/// Most deployments in a list.
const MAX_LISTED: usize = 200;
/// Most files in the folder that are looked at for it.
const MAX_FILES: usize = 10_000;
/// Most files from elsewhere that are remembered.
const MAX_RECENT: usize = 20;
/// Most bytes of a name, so that with its ending it fits every file system.
const MAX_NAME: usize = 100;
const ENDING: &str = "toml";

/// Where the deployments of one user are.
#[derive(Clone, Debug)]
pub struct Library {
    state: PathBuf,
    named: PathBuf,
}

/// One deployment in the list.
#[derive(Debug)]
pub struct Saved {
    /// Its name for people.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// When it was saved.
    pub modified: Option<Timestamp>,
    /// What is in it, or why that cannot be told.
    pub summary: Result<Summary, PlanError>,
}

/// What a list tells of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The interface that it serves.
    pub interface: Option<String>,
    /// How many images it has.
    pub images: usize,
    /// Who hands out addresses.
    pub mode: DhcpMode,
}

/// Held while a window saves what it is at. Dropping it lets the next one have it; so does the end of the program,
/// however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why a window may not save what it is at.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another window does.
    #[error("another window is open")]
    Busy,
    /// The state folder cannot be written to.
    #[error(transparent)]
    Folder(#[from] SaveError),
}

#[derive(Default, Serialize, Deserialize)]
struct Recent {
    #[serde(default)]
    file: Vec<PathBuf>,
}

impl Library {
    /// The deployments of these folders, which need not be there yet.
    pub fn new(state: PathBuf, data: PathBuf) -> Library {
        Library { state, named: data.join("deployments") }
    }

    /// The file that holds what the window is at.
    pub fn current(&self) -> PathBuf {
        self.state.join("current.toml")
    }

    /// All deployments but the current one, the one saved last first.
    pub fn list(&self) -> Vec<Saved> {
        let folder = fs::read_dir(&self.named).into_iter().flatten().take(MAX_FILES);
        let named = folder.filter_map(|file| file.ok().map(|file| file.path())).filter(|path| is_deployment(path));
        let paths: BTreeSet<PathBuf> = named.chain(self.recent()).collect();
        let mut files: Vec<(Option<SystemTime>, PathBuf)> =
            paths.into_iter().filter_map(|path| Some((modified(&path)?, path))).collect();
        files.sort_by(|(a, _), (b, _)| b.cmp(a));
        files.truncate(MAX_LISTED);
        files.into_iter().map(|(modified, path)| Saved::at(path, modified)).collect()
    }

    /// Remembers a file that was opened from elsewhere, so that the list has it.
    pub fn remember(&self, path: &Path) -> Result<(), SaveError> {
        let path = std::path::absolute(path).map_err(|source| SaveError::Write { path: path.into(), source })?;
        if path.parent() == Some(&self.named) || path == self.current() {
            return Ok(());
        }
        if path.to_str().is_none() {
            return Err(SaveError::NotText { path });
        }
        let others = self.recent().into_iter().filter(|other| *other != path);
        let file = std::iter::once(path.clone()).chain(others).take(MAX_RECENT).collect();
        let text = toml::to_string_pretty(&Recent { file });
        file::replace(&self.recent_file(), &text.map_err(|error| SaveError::Unwritable { reason: error.to_string() })?)
    }

    /// Saves under a name. One that is there already is replaced only if that is asked for, since two names may come
    /// to one file.
    pub fn save_as(&self, name: &str, settings: &Settings, replace: bool) -> Result<PathBuf, SaveError> {
        let path = self.path_of(name)?;
        if !replace && path.exists() {
            return Err(SaveError::Exists { name: name_of(&path), path });
        }
        file::save(&path, settings)?;
        Ok(path)
    }

    /// The file for a name.
    pub fn path_of(&self, name: &str) -> Result<PathBuf, SaveError> {
        let stem = file_stem(name).ok_or(SaveError::NoName)?;
        Ok(self.named.join(format!("{stem}.{ENDING}")))
    }

    /// Makes this window the one that saves what it is at.
    pub fn lock(&self) -> Result<Lock, LockError> {
        let path = self.state.join("window.lock");
        let refused = |source| LockError::Folder(SaveError::Write { path: path.clone(), source });
        fs::create_dir_all(&self.state).map_err(refused)?;
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(refused)?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Busy),
            Err(TryLockError::Error(source)) => Err(refused(source)),
        }
    }

    fn recent_file(&self) -> PathBuf {
        self.state.join("recent.toml")
    }

    /// Files from elsewhere that are still there. A list that cannot be read is begun anew: it is only a memory.
    fn recent(&self) -> Vec<PathBuf> {
        let text = file::read(&self.recent_file()).unwrap_or_default();
        let recent: Recent = toml::from_str(&text).unwrap_or_default();
        recent.file.into_iter().filter(|path| path.is_file()).collect()
    }
}

impl Saved {
    fn at(path: PathBuf, modified: Option<SystemTime>) -> Saved {
        let summary = Settings::load(&path).map(|settings| Summary {
            interface: settings.interface,
            images: settings.image.len(),
            mode: settings.dhcp.unwrap_or(DhcpMode::Proxy),
        });
        let modified = modified.and_then(|time| Timestamp::try_from(time).ok());
        Saved { name: name_of(&path), path, modified, summary }
    }
}

fn is_deployment(path: &Path) -> bool {
    // A name that begins with a dot is a file that is being written.
    let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    !hidden && path.extension().is_some_and(|ending| ending == ENDING)
}

/// When a file was changed, where the system knows; none if it is not there, or no file.
fn modified(path: &Path) -> Option<Option<SystemTime>> {
    let found = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    Some(found.modified().ok())
}

fn name_of(path: &Path) -> String {
    text::plain(&path.file_stem().unwrap_or_default().to_string_lossy(), MAX_NAME)
}

/// What a name becomes as that of a file, on every system: a deployment may be carried to another one.
fn file_stem(name: &str) -> Option<String> {
    let safe = |c: char| if matches!(c, '<' | '>' | ':' | '"' | '/' | '\\' | '|' | '?' | '*') { '-' } else { c };
    let at_ends = |c: char| c == '.' || c.is_whitespace();
    let name: String = text::plain(name, MAX_NAME).chars().map(safe).collect();
    let name = name.trim_matches(at_ends);
    let name = if is_reserved(name) { format!("_{name}") } else { name.to_owned() };
    let (name, _) = name.split_at(name.floor_char_boundary(MAX_NAME));
    let name = name.trim_end_matches(at_ends);
    (!name.is_empty()).then(|| name.to_owned())
}

/// Names of devices on Windows, also with an ending ("Naming Files, Paths, and Namespaces").
fn is_reserved(name: &str) -> bool {
    let base = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |device: &str| {
        let number = base.strip_prefix(device).map(|number| number.chars().collect::<Vec<_>>());
        matches!(number.as_deref(), Some(['0'..='9' | '¹' | '²' | '³']))
    };
    matches!(base.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    struct Home {
        folder: tempfile::TempDir,
        library: Library,
    }

    impl Home {
        fn new() -> Home {
            let folder = tempfile::tempdir().unwrap();
            let library = Library::new(folder.path().join("state"), folder.path().join("data"));
            Home { folder, library }
        }

        /// A file from elsewhere.
        fn file(&self, name: &str, text: &str) -> PathBuf {
            let path = self.folder.path().join(name);
            fs::write(&path, text).unwrap();
            path
        }

        fn names(&self) -> Vec<String> {
            self.library.list().into_iter().map(|saved| saved.name).collect()
        }
    }

    fn settings(interface: &str) -> Settings {
        Settings { interface: Some(interface.into()), ..Settings::default() }
    }

    /// Sets a file's time, in seconds before now.
    fn age(path: &Path, seconds: u64) {
        let time = SystemTime::now() - Duration::from_secs(seconds);
        OpenOptions::new().write(true).open(path).unwrap().set_modified(time).unwrap();
    }

    #[test]
    fn names_become_file_names_that_every_system_takes() {
        let long = "ü".repeat(80);
        let cases = [
            ("Büro 3", Some("Büro 3")),
            ("  Lab  ", Some("Lab")),
            ("教室 2", Some("教室 2")),
            ("v1.2", Some("v1.2")),
            ("../../etc/passwd", Some("-..-etc-passwd")),
            ("a\\b:c*?", Some("a-b-c--")),
            (".hidden.", Some("hidden")),
            ("a\nb\u{202e}c", Some("a·b·c")),
            ("con", Some("_con")),
            ("Com1.bench", Some("_Com1.bench")),
            ("LPT²", Some("_LPT²")),
            ("NUL .x", Some("_NUL .x")),
            ("console", Some("console")),
            ("COM10", Some("COM10")),
            (&long, Some(&long[..100])),
            ("", None),
            (" . .. ", None),
        ];
        for (name, expected) in cases {
            assert_eq!(file_stem(name).as_deref(), expected, "{name:?}");
        }
        let (home, kept) = (Home::new(), format!("{}a", "ü".repeat(49)));
        assert_eq!(file_stem(&format!("{kept}. xyz")).as_deref(), Some(kept.as_str()), "no dot after a cut");
        let path = home.library.path_of("v1.2").unwrap();
        assert_eq!(path, home.folder.path().join("data/deployments/v1.2.toml"));
        assert!(matches!(home.library.path_of("."), Err(SaveError::NoName)));
    }

    #[test]
    fn a_name_is_replaced_only_when_asked_for() {
        let home = Home::new();
        let path = home.library.save_as("Lab/1", &settings("eth0"), false).unwrap();
        let again = home.library.save_as("Lab-1", &settings("eth1"), false).unwrap_err();
        assert!(matches!(again, SaveError::Exists { name, path: there } if name == "Lab-1" && there == path));
        assert_eq!(Settings::load(&path).unwrap().interface.as_deref(), Some("eth0"));
        assert_eq!(home.library.save_as("Lab-1", &settings("eth1"), true).unwrap(), path);
        assert_eq!(Settings::load(&path).unwrap().interface.as_deref(), Some("eth1"));
    }

    #[test]
    fn the_list_has_the_latest_first_and_broken_ones_as_well() {
        let home = Home::new();
        assert!(home.names().is_empty());
        let old = home.library.save_as("Old", &settings("eth0"), false).unwrap();
        age(&old, 500);
        let image = vec!["/a.iso".into(), "/b.iso".into()];
        let full = Settings { dhcp: Some(DhcpMode::Full), image, ..settings("eth1") };
        age(&home.library.save_as("New", &full, false).unwrap(), 100);
        let broken = home.file("data/deployments/Broken.toml", "interfacce = 'x'");
        age(&broken, 300);
        home.file("data/deployments/.bootwright-1-2.new", "");
        home.file("data/deployments/.x.toml", "");
        home.file("data/deployments/notes.txt", "");
        fs::create_dir(home.folder.path().join("data/deployments/folder.toml")).unwrap();
        let elsewhere = home.file("Elsewhere.toml", "interface = 'eth9'");
        age(&elsewhere, 400);
        home.library.remember(&elsewhere).unwrap();
        home.library.remember(&old).unwrap();
        file::save(&home.library.current(), &settings("eth0")).unwrap();
        assert_eq!(home.names(), ["New", "Broken", "Elsewhere", "Old"]);
        let list = home.library.list();
        let expected = Summary { interface: Some("eth1".into()), images: 2, mode: DhcpMode::Full };
        assert_eq!(list[0].summary.as_ref().ok(), Some(&expected));
        assert!(matches!(&list[1].summary, Err(PlanError::Syntax { path, .. }) if *path == broken));
        assert!(list.iter().all(|saved| saved.modified.is_some()));
    }

    #[test]
    fn the_list_is_bounded_and_keeps_the_latest() {
        let home = Home::new();
        let first = home.library.save_as("first", &settings("eth0"), false).unwrap();
        age(&first, 500);
        (0..MAX_LISTED).for_each(|number| {
            home.file(&format!("data/deployments/{number}.toml"), "");
        });
        let names = home.names();
        assert_eq!((names.len(), names.contains(&"first".to_owned())), (MAX_LISTED, false));
    }

    #[test]
    fn files_from_elsewhere_are_remembered_while_they_are_there() {
        let home = Home::new();
        let files: Vec<PathBuf> = (0..25).map(|number| home.file(&format!("{number}.toml"), "")).collect();
        files.iter().for_each(|path| home.library.remember(path).unwrap());
        home.library.remember(&files[10]).unwrap();
        let recent = home.library.recent();
        assert_eq!((recent.len(), &recent[0], &recent[1]), (MAX_RECENT, &files[10], &files[24]));
        fs::remove_file(&files[24]).unwrap();
        assert_eq!(home.library.recent()[1], files[23]);
        fs::write(home.library.recent_file(), "file = [").unwrap();
        assert!(home.library.recent().is_empty());
        home.library.remember(&files[3]).unwrap();
        assert_eq!(home.library.recent(), files[3..4]);
    }

    #[test]
    fn a_second_window_knows_of_the_first() {
        let home = Home::new();
        let first = home.library.lock().expect("free");
        assert!(matches!(home.library.lock(), Err(LockError::Busy)));
        drop(first);
        drop(home.library.lock().expect("free again"));
        let nowhere = Library::new("/proc/nowhere".into(), "/proc/nowhere".into());
        assert!(matches!(nowhere.lock(), Err(LockError::Folder(SaveError::Write { .. }))));
    }
}
