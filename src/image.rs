//! Disc images: what is in one, what system it holds and how that boots over a network.
//!
//! Images come from anywhere, so everything is bounded and every verdict carries its evidence. Nothing is extracted or
//! mounted: files are extents of the image. [`disc::Disc`] lists and reads; [`recipe`] holds what is known of systems,
//! as data; [`bootcfg`] reads an image's own boot menu; [`recognise`] puts them together into an [`Inspection`].

pub mod bootcfg;
pub mod checksum;
pub mod disc;
pub mod family;
pub mod glob;
pub mod kernel;
pub mod recipe;
pub mod recognise;
pub mod stored;
mod volume;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, Serializer};

use crate::text;

pub use disc::{Disc, DiscError};
pub use recognise::inspect;

/// How an entry's files reach the computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// Kernel and initrd, and single files of the tree by HTTP.
    HttpTree,
    /// Kernel and initrd; the system then fetches the whole image by HTTP.
    HttpIso,
    /// The image as a disc drive of the BIOS (iPXE `sanboot`). Works only for what asks the BIOS for its disc.
    Sanboot,
}

/// The two kinds of firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Firmware {
    /// PC BIOS.
    Bios,
    /// UEFI.
    Uefi,
}

/// A file of the image that goes into the initramfs, under a name of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Injection {
    /// Its absolute path in the image.
    pub from: String,
    /// Its path in the initramfs.
    pub to: String,
    /// Its mode, octal.
    pub mode: String,
}

/// One thing that the image can start.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Entry {
    /// Short name for menus, scripts and `--default`: lower-case letters, digits and dashes.
    pub id: String,
    /// What people read.
    pub title: String,
    /// Absolute path of the kernel in the image; none where the image boots as a disc.
    pub kernel: Option<String>,
    /// Absolute paths of the initrds, in order.
    #[serde(default)]
    pub initrd: Vec<String>,
    /// Files added to the initramfs.
    #[serde(default)]
    pub inject: Vec<Injection>,
    /// Kernel arguments with placeholders: `{base_url}`, `{iso_url}`, `{server}`, `{mac_dashes}`.
    pub cmdline: String,
    /// How its files reach the computer.
    pub transport: Transport,
    /// The firmware that can start it.
    pub firmware: Vec<Firmware>,
    /// The processor it is for, as `uname -m` says it.
    pub arch: String,
    /// Memory that a computer needs, in MiB; none where it is not known.
    pub min_ram_mb: Option<u64>,
}

/// What system an image holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recognised {
    /// The recipe's name, or `boot-menu` where only the image's own menu was read.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Its version, where it says one.
    pub version: Option<String>,
    /// The processors it is for.
    pub arch: Vec<String>,
    /// Installer, live system or tool.
    pub category: String,
    /// How we know.
    pub evidence: Vec<String>,
}

/// All that is known of one image: what `inspect --json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// The file.
    #[serde(serialize_with = "lossy")]
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// The volume's label.
    pub volume_label: Option<String>,
    /// Which file system was read.
    pub filesystem: stored::Filesystem,
    /// The system, where it is known.
    pub recognised: Option<Recognised>,
    /// What it can start.
    pub entries: Vec<Entry>,
    /// What to know before walking to the computer.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// A path that is not UTF-8 is still worth printing.
fn lossy<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

impl Inspection {
    /// The name for people: system and version, else label, else file name.
    pub fn title(&self) -> String {
        let file_name = || self.path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = self.recognised.as_ref().map(|system| match &system.version {
            Some(version) => format!("{} {version}", system.name),
            None => system.name.clone(),
        });
        name.or_else(|| self.volume_label.clone()).or_else(file_name).unwrap_or_else(|| "image".to_owned())
    }
}

/// The last part of a path, for people.
pub fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    text::plain(&name.to_string_lossy(), 200)
}
