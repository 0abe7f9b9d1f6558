//! Files that keep what must outlive a run: leases, the numbers in host names, who was approved.
//!
//! Services on two interfaces share the state folder of their user, and with it all of these files but leases. So none
//! writes what it has in memory: it makes its [changes](Shared::Change) in what stands in the file, with a lock that only
//! one program has, and takes over what else stands there.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const VERSION: u32 = 1;
/// Most changes that wait for a disk that takes none; the oldest go.
const MAX_WAITING: usize = 4096;
/// A file that was written so short a time ago may be written again without its time telling so.
const SAME_TIME: Duration = Duration::from_secs(2);

/// What several services keep in one file.
pub(super) trait Shared: Clone + Default + PartialEq + Serialize + DeserializeOwned {
    /// One change of it.
    type Change: Clone;

    /// Makes a change. Made twice it does no more than once.
    fn apply(&mut self, change: &Self::Change);
}

#[derive(Serialize, Deserialize)]
struct Contents<T> {
    version: u32,
    #[serde(flatten)]
    kept: T,
}

/// Reads what an earlier run kept, and changes nothing; nothing is what a file that is not there holds.
pub(super) fn read<T: DeserializeOwned + Default>(path: &Path) -> io::Result<T> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(T::default()),
        Err(error) => return Err(error),
    };
    understood(&bytes).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not understood"))
}

fn understood<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let contents = serde_json::from_slice::<Contents<T>>(bytes).ok()?;
    (contents.version == VERSION).then_some(contents.kept)
}

/// Reads what an earlier run kept and proves that the file can be written. A file that cannot be understood is set aside
/// under another name, never overwritten; its new name is returned.
pub(super) fn open<T: Serialize + DeserializeOwned + Default>(path: &Path) -> io::Result<(T, Option<PathBuf>)> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let _lock = lock(path);
    let (kept, aside) = take(path)?;
    let kept = kept.unwrap_or_default();
    save(path, &kept)?;
    Ok((kept, aside))
}

/// What a file holds, if anything, and where it was put if it cannot be understood.
fn take<T: DeserializeOwned>(path: &Path) -> io::Result<(Option<T>, Option<PathBuf>)> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((None, None)),
        Err(error) => return Err(error),
    };
    if let Some(kept) = understood(&bytes) {
        return Ok((Some(kept), None));
    }
    let place = free_name(path);
    fs::rename(path, &place)?;
    Ok((None, Some(place)))
}

/// Keeps other programs from changing a file until it is dropped. The file itself is replaced, so one beside it is locked.
/// Where a file system has no locks, it is done without.
fn lock(path: &Path) -> Option<fs::File> {
    let beside = format!("{}.lock", path.display());
    let made = fs::OpenOptions::new().write(true).create(true).truncate(false).open(&beside);
    // One that belongs to root can be locked all the same.
    let file = made.or_else(|_| fs::File::open(&beside)).ok()?;
    file.lock().ok()?;
    Some(file)
}

/// Changes what stands in a file, while no other program does. Without such a file `mine` is changed. Returns what stands
/// there now, and what the change returned. May wait for a disk.
pub(super) fn change<T, R>(
    path: &Path,
    mine: impl FnOnce() -> T,
    change: impl FnOnce(&mut T) -> R,
) -> io::Result<(T, R)>
where
    T: Clone + PartialEq + Serialize + DeserializeOwned,
{
    let _lock = lock(path);
    let before: Option<T> = take(path)?.0;
    let mut now = before.clone().unwrap_or_else(mine);
    let returned = change(&mut now);
    if before.as_ref() != Some(&now) {
        save(path, &now)?;
    }
    Ok((now, returned))
}

/// Makes changes in a file from outside the services. One that is not there stays away. Returns what stands there now.
pub(super) fn apply<T: Shared>(path: &Path, changes: impl Iterator<Item = T::Change>) -> io::Result<T> {
    if !path.exists() {
        return Ok(T::default());
    }
    let (now, ()) = change(path, T::default, |kept: &mut T| changes.for_each(|change| kept.apply(&change)))?;
    Ok(now)
}

/// The file of one service, which others may write as well.
#[derive(Debug)]
pub(super) struct Store<T: Shared> {
    /// None for a double, of which nothing is kept.
    path: Option<PathBuf>,
    /// What is not in the file yet, in its order.
    waiting: Mutex<VecDeque<T::Change>>,
    /// Held while the file is used, with what told its state when it was read or written last.
    seen: Mutex<Option<Stamp>>,
}

/// What tells one state of a file from another.
type Stamp = (u64, SystemTime);

impl<T: Shared> Store<T> {
    pub(super) fn new(path: Option<PathBuf>) -> Store<T> {
        Store { path, waiting: Mutex::default(), seen: Mutex::default() }
    }

    /// Takes note of a change that was made in memory, which is to be locked meanwhile. Whether it is to be written.
    pub(super) fn note(&self, change: T::Change) -> bool {
        let (Some(_), Ok(mut waiting)) = (&self.path, self.waiting.lock()) else { return false };
        if waiting.len() >= MAX_WAITING {
            waiting.pop_front();
        }
        waiting.push_back(change);
        true
    }

    /// What is kept, with what is not in the file yet. For whoever takes it over, with the memory locked.
    pub(super) fn on_top(&self, mut kept: T) -> T {
        if let Ok(waiting) = self.waiting.lock() {
            waiting.iter().for_each(|change| kept.apply(change));
        }
        kept
    }

    /// Writes what was noted, and has all that is kept taken over. May wait for a disk.
    ///
    /// # Errors
    /// The file cannot be read or written. What was noted is written the next time.
    pub(super) fn write(&self, mine: impl FnOnce() -> T, adopt: impl FnOnce(T)) -> Result<(), (PathBuf, io::Error)> {
        let (Some(path), Ok(mut seen)) = (&self.path, self.seen.lock()) else { return Ok(()) };
        let changes = self.waiting.lock().map(|waiting| waiting.clone()).unwrap_or_default();
        let changed = change(path, mine, |kept| changes.iter().for_each(|change| kept.apply(change)));
        let (now, ()) = changed.map_err(|error| (path.clone(), error))?;
        if let Ok(mut waiting) = self.waiting.lock() {
            let written = changes.len().min(waiting.len());
            waiting.drain(..written);
        }
        // Whoever writes it from here on makes another one of it.
        *seen = None;
        adopt(now);
        Ok(())
    }

    /// Has what others wrote taken over. May wait for a disk, though not for a service of ours that writes.
    pub(super) fn look(&self, adopt: impl FnOnce(T)) {
        let (Some(path), Ok(mut seen)) = (&self.path, self.seen.try_lock()) else { return };
        let stamp = stamp(path);
        if stamp.is_none() || *seen == stamp {
            return;
        }
        // What cannot be read or understood is for whoever writes it.
        let Some(kept) = fs::read(path).ok().and_then(|bytes| understood(&bytes)) else { return };
        *seen = stamp.filter(|(_, written)| written.elapsed().is_ok_and(|age| age > SAME_TIME));
        adopt(kept);
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}

/// `leases.json.unreadable`, with a number where that is taken.
fn free_name(path: &Path) -> PathBuf {
    let named = |ending: String| PathBuf::from(format!("{}.{ending}", path.display()));
    let numbered = (2..1000).map(|number| named(format!("unreadable-{number}")));
    let mut names = std::iter::once(named("unreadable".to_owned())).chain(numbered);
    names.find(|name| !name.exists()).unwrap_or_else(|| named("unreadable".to_owned()))
}

/// Writes all of it: into a file beside it that then takes its place, so that a power cut leaves one of the two whole.
pub(super) fn save<T: Serialize>(path: &Path, kept: &T) -> io::Result<()> {
    let contents = Contents { version: VERSION, kept };
    let beside = PathBuf::from(format!("{}.new", path.display()));
    let mut file = fs::File::create(&beside)?;
    file.write_all(&serde_json::to_vec_pretty(&contents).map_err(io::Error::other)?)?;
    file.sync_data()?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Names {
        names: Vec<String>,
    }

    impl Shared for Names {
        type Change = (bool, String);

        fn apply(&mut self, (there, name): &(bool, String)) {
            self.names.retain(|known| known != name);
            self.names.extend(there.then(|| name.clone()));
        }
    }

    /// A service: what it has in memory, and its file.
    struct Service {
        mine: Mutex<Names>,
        store: Store<Names>,
    }

    impl Service {
        fn new(path: &Path) -> Service {
            Service { mine: Mutex::new(open(path).unwrap().0), store: Store::new(Some(path.to_owned())) }
        }

        fn notes(&self, there: bool, name: &str) {
            let mut mine = self.mine.lock().unwrap();
            mine.apply(&(there, name.to_owned()));
            assert!(self.store.note((there, name.to_owned())));
        }

        fn adopt(&self, kept: Names) {
            let mut mine = self.mine.lock().unwrap();
            *mine = self.store.on_top(kept);
        }

        fn write(&self) -> Result<(), (PathBuf, io::Error)> {
            self.store.write(|| self.mine.lock().unwrap().clone(), |kept| self.adopt(kept))
        }

        fn knows(&self) -> Vec<String> {
            self.mine.lock().unwrap().names.clone()
        }
    }

    #[test]
    fn services_that_share_a_file_undo_nothing_of_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("names.json");
        let (one, other) = (Service::new(&path), Service::new(&path));
        one.notes(true, "a");
        one.write().unwrap();
        other.notes(true, "b");
        assert_eq!(other.knows(), ["b"], "it has not looked");
        other.write().unwrap();
        assert_eq!(other.knows(), ["a", "b"]);
        one.notes(false, "a");
        one.store.look(|kept| one.adopt(kept));
        assert_eq!(one.knows(), ["b"], "what is not written yet counts already");
        one.write().unwrap();
        other.store.look(|kept| other.adopt(kept));
        assert_eq!((other.knows(), read::<Names>(&path).unwrap().names), (vec!["b".to_owned()], vec!["b".to_owned()]));
    }

    #[test]
    fn what_could_not_be_written_is_written_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/names.json");
        let one = Service::new(&path);
        one.notes(true, "a");
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
        assert_eq!(one.write().unwrap_err().0, path);
        fs::create_dir(path.parent().unwrap()).unwrap();
        one.notes(true, "b");
        one.write().unwrap();
        assert_eq!(read::<Names>(&path).unwrap().names, ["a", "b"], "its own are all there is");
        fs::write(&path, "{").unwrap();
        one.notes(true, "c");
        one.write().unwrap();
        assert_eq!(read::<Names>(&path).unwrap().names, ["a", "b", "c"]);
        assert_eq!(fs::read_to_string(folder.path().join("new/names.json.unreadable")).unwrap(), "{");
    }

    #[test]
    fn many_at_once_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("names.json");
        std::thread::scope(|scope| {
            for service in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    let own = Service::new(path);
                    for number in 0..10 {
                        own.notes(true, &format!("{service}-{number}"));
                        own.write().unwrap();
                    }
                });
            }
        });
        assert_eq!(read::<Names>(&path).unwrap().names.len(), 40);
        let now: Names = apply(&path, [(false, "1-1".to_owned())].into_iter()).unwrap();
        assert_eq!(now.names.len(), 39);
        assert_eq!(apply::<Names>(&folder.path().join("none"), [].into_iter()).unwrap(), Names::default());
    }

    #[test]
    fn what_was_kept_comes_back_and_a_broken_file_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/names.json");
        let names = || Names { names: vec!["a".into()] };
        assert_eq!(open(&path).unwrap(), (Names::default(), None));
        save(&path, &names()).unwrap();
        assert_eq!(open(&path).unwrap(), (names(), None));
        fs::write(&path, "{\"version\": 1, \"nam").unwrap();
        let (found, aside) = open::<Names>(&path).unwrap();
        assert_eq!(found, Names::default());
        assert_eq!(fs::read_to_string(aside.unwrap()).unwrap(), "{\"version\": 1, \"nam");
        assert!(open::<Names>(Path::new("/proc/nowhere/names.json")).is_err());
    }
}
