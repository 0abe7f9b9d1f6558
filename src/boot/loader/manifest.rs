//! Where the boot loaders come from: the list that packaging/loaders.sh writes beside them.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The list's file name.
pub const FILE: &str = "manifest.json";
/// Largest list that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// One loader and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Its file name.
    pub file: String,
    /// The package.
    pub package: String,
    /// The package's version.
    pub version: String,
    /// The SHA-256 of its content, as hexadecimal digits.
    #[serde(default)]
    pub sha256: String,
    /// Its licence, as SPDX names it.
    pub licence: String,
    /// Whose certificates are in it, where it is signed.
    #[serde(serialize_with = "empty_if_none", deserialize_with = "none_if_empty")]
    pub signed_by: Option<String>,
}

fn none_if_empty<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Some(String::deserialize(deserializer)?).filter(|text| !text.is_empty()))
}

fn empty_if_none<S: serde::Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text.as_deref().unwrap_or_default())
}

/// The list of one folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest(Vec<Origin>);

impl Manifest {
    /// Reads the list of the first of these folders that has one; empty where none has.
    pub fn find(folders: &[PathBuf]) -> Manifest {
        folders.iter().find_map(|folder| Manifest::of(folder)).unwrap_or_default()
    }

    /// Reads the list of this folder; `None` where it has none that can be understood.
    pub fn of(folder: &Path) -> Option<Manifest> {
        let path = folder.join(FILE);
        let small = std::fs::metadata(&path).ok()?.len() <= LARGEST;
        let text = small.then(|| std::fs::read_to_string(path).ok()).flatten()?;
        serde_json::from_str(&text).ok().map(Manifest)
    }

    /// What it says of a loader by its file name.
    pub fn origin(&self, file: &str) -> Option<&Origin> {
        self.0.iter().find(|origin| origin.file == file)
    }

    /// The loaders in it.
    pub fn iter(&self) -> impl Iterator<Item = &Origin> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_folder_with_a_list_tells() {
        let (empty, full) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let text = r#"[{"file": "ipxe.efi", "package": "ipxe", "version": "1.0", "sha256": "0", "licence": "GPL", "signed_by": ""}]"#;
        std::fs::write(full.path().join(FILE), text).unwrap();
        let folders = [empty.path().to_path_buf(), full.path().to_path_buf()];
        let manifest = Manifest::find(&folders);
        assert_eq!(manifest.iter().map(|loader| loader.file.as_str()).collect::<Vec<_>>(), ["ipxe.efi"]);
        assert_eq!(manifest.iter().next().and_then(|loader| loader.signed_by.clone()), None);
        std::fs::write(full.path().join(FILE), "no list").unwrap();
        assert_eq!(Manifest::find(&folders), Manifest::default());
    }
}
