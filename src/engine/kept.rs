//! Files that keep what must outlive a run: leases, and the numbers in host names.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const VERSION: u32 = 1;

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
    let mut aside = None;
    let kept = match fs::read(path) {
        Ok(bytes) => match understood(&bytes) {
            Some(kept) => kept,
            None => {
                let place = free_name(path);
                fs::rename(path, &place)?;
                aside = Some(place);
                T::default()
            }
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => T::default(),
        Err(error) => return Err(error),
    };
    save(path, &kept)?;
    Ok((kept, aside))
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

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Names {
        names: Vec<String>,
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
