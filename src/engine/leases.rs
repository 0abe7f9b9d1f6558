//! The file that keeps leases over a restart.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::dhcp::lease::Record;

#[derive(Debug, Serialize, Deserialize)]
struct Contents {
    version: u32,
    leases: Vec<Record>,
}

const VERSION: u32 = 1;

/// Reads the leases of an earlier run and proves that the file can be written. A file that cannot be understood is set
/// aside under another name, never overwritten; its new name is returned.
pub(super) fn open(path: &Path) -> io::Result<(Vec<Record>, Option<PathBuf>)> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut aside = None;
    let records = match fs::read(path) {
        Ok(bytes) => match serde_json::from_slice::<Contents>(&bytes) {
            Ok(contents) if contents.version == VERSION => contents.leases,
            _ => {
                let place = free_name(path);
                fs::rename(path, &place)?;
                aside = Some(place);
                Vec::new()
            }
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    save(path, &records)?;
    Ok((records, aside))
}

/// `leases.json.unreadable`, with a number where that is taken.
fn free_name(path: &Path) -> PathBuf {
    let named = |ending: String| PathBuf::from(format!("{}.{ending}", path.display()));
    let numbered = (2..1000).map(|number| named(format!("unreadable-{number}")));
    let mut names = std::iter::once(named("unreadable".to_owned())).chain(numbered);
    names.find(|name| !name.exists()).unwrap_or_else(|| named("unreadable".to_owned()))
}

/// Writes all leases: into a file beside it that then takes its place, so that a power cut leaves one of the two whole.
pub(super) fn save(path: &Path, records: &[Record]) -> io::Result<()> {
    let contents = Contents { version: VERSION, leases: records.to_vec() };
    let beside = PathBuf::from(format!("{}.new", path.display()));
    let mut file = fs::File::create(&beside)?;
    file.write_all(&serde_json::to_vec_pretty(&contents).map_err(io::Error::other)?)?;
    file.sync_data()?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_come_back_and_a_broken_file_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/leases.json");
        let record = Record {
            address: [10, 0, 0, 5].into(),
            mac: "52:54:00:77:01:01".parse().unwrap(),
            client: "01525400770101".into(),
            until: 99,
        };
        assert_eq!(open(&path).unwrap(), (vec![], None));
        save(&path, std::slice::from_ref(&record)).unwrap();
        assert_eq!(open(&path).unwrap(), (vec![record], None));
        fs::write(&path, "{\"version\": 1, \"leas").unwrap();
        let (records, aside) = open(&path).unwrap();
        assert!(records.is_empty());
        assert_eq!(fs::read_to_string(aside.unwrap()).unwrap(), "{\"version\": 1, \"leas");
        assert!(open(Path::new("/proc/nowhere/leases.json")).is_err());
    }
}
