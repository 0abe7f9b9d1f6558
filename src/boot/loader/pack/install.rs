//! Puts a pack's files where loaders are kept: all of them or none.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::super::manifest;
use super::Origin;

/// How folders begin that are being filled, or are on their way out. A run that was killed may leave one.
const ASIDE: &str = ".pack-";

/// Writes the files into a folder of this name, which takes the place of one that there is. It is filled under another
/// name first, so that nobody ever finds half of it.
pub(super) fn install(loaders: &Path, name: &str, files: &[(Origin, Vec<u8>)]) -> io::Result<PathBuf> {
    fs::create_dir_all(loaders)?;
    sweep(loaders);
    let (new, old, folder) = (aside(loaders, "new", name), aside(loaders, "old", name), loaders.join(name));
    let filled = fill(&new, files).and_then(|()| exchange(&new, &old, &folder));
    // Without effect where all went well.
    let _ = fs::remove_dir_all(&new);
    let _ = fs::remove_dir_all(&old);
    filled.map(|()| folder)
}

/// Takes a pack away: at once under its name, then its files.
pub(super) fn remove(loaders: &Path, name: &str) -> io::Result<()> {
    sweep(loaders);
    let gone = aside(loaders, "gone", name);
    fs::rename(loaders.join(name), &gone)?;
    fs::remove_dir_all(gone)
}

fn aside(loaders: &Path, what: &str, name: &str) -> PathBuf {
    loaders.join(format!("{ASIDE}{what}-{}-{name}", std::process::id()))
}

fn fill(folder: &Path, files: &[(Origin, Vec<u8>)]) -> io::Result<()> {
    fs::create_dir(folder)?;
    for (origin, bytes) in files {
        // These names are ours, out of the table of parts.
        let path = folder.join(&origin.file);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        write(&path, bytes)?;
    }
    let origins: Vec<&Origin> = files.iter().map(|(origin, _)| origin).collect();
    write(&folder.join(manifest::FILE), &serde_json::to_vec_pretty(&origins).map_err(io::Error::other)?)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_data()
}

/// Two steps, since a full folder cannot be replaced in one; where the second fails the first is taken back.
fn exchange(new: &Path, old: &Path, folder: &Path) -> io::Result<()> {
    let replaces = folder.symlink_metadata().is_ok();
    if replaces {
        fs::rename(folder, old)?;
    }
    fs::rename(new, folder).inspect_err(|_| {
        if replaces {
            let _ = fs::rename(old, folder);
        }
    })
}

/// Clears up after a run that was killed: a pack that was about to be replaced comes back, all else goes.
fn sweep(loaders: &Path) {
    for entry in fs::read_dir(loaders).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(left) = name.to_str().and_then(|name| name.strip_prefix(ASIDE)) else { continue };
        let replaced =
            left.strip_prefix("old-").and_then(|rest| rest.split_once('-')).map(|(_, name)| loaders.join(name));
        let back =
            replaced.filter(|folder| !folder.exists()).is_some_and(|folder| fs::rename(entry.path(), folder).is_ok());
        if !back {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
