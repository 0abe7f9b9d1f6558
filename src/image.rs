//! Disc images: what is in one, what system it holds and how that boots over a network.
//!
//! Images come from anywhere, so everything is bounded and every verdict carries its evidence. Nothing is extracted or
//! mounted: files are extents of the image. [`disc::Disc`] lists and reads; [`recipe`] holds what is known of systems,
//! as data; [`bootcfg`] reads an image's own boot menu; [`recognise`] puts them together into an [`Inspection`].

pub mod bootcfg;
pub mod checksum;
pub mod disc;
pub mod family;
mod foreign;
pub mod glob;
mod hole;
pub mod initrd;
pub mod kernel;
pub mod pattern;
pub mod recipe;
pub mod recognise;
pub mod signature;
mod span;
pub mod stored;
mod torito;
mod volume;
pub mod wim;
pub mod words;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, Serializer};

use crate::text;

pub use disc::{Disc, DiscError};
pub use foreign::Foreign;
pub use recognise::{inspect, inspect_all};

/// What the boot loader does to start an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Boot {
    /// A Linux kernel, or another program with its boot protocol, and initrds.
    #[default]
    Linux,
    /// A UEFI program that needs no other file.
    EfiProgram,
    /// A hypervisor and its modules by Multiboot: iPXE for a BIOS, GRUB for UEFI.
    Multiboot,
    /// Windows PE by `wimboot`, which is a loader that the user adds.
    Wimboot,
    /// ESXi's own loader with a `boot.cfg` that we make. UEFI only.
    Esxi,
    /// The image in memory as a drive of the BIOS (`memdisk`). Works for what asks the BIOS for its disc.
    Memdisk,
    /// The image as a drive of the firmware, read over the network (iPXE `sanboot`). Works for what asks the firmware
    /// for its disc.
    Sanboot,
    /// The image given to UEFI HTTP Boot, which makes a memory disc of it: the last resort. Few systems find that disc
    /// again.
    HttpDisc,
}

/// What a system is for: long menus have a submenu for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// Installs a system.
    Installer,
    /// Runs from memory or the network.
    Live,
    /// Repairs and backs up.
    Rescue,
    /// Tests, wipes, or is a boot loader.
    Tool,
    /// Installs a host for virtual machines.
    Hypervisor,
    /// Windows and Windows PE.
    Windows,
    /// FreeBSD and its relatives.
    Bsd,
    /// Anything else, and what only its own menu tells.
    Other,
}

/// How an entry's files reach the computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// Kernel and initrd, and single files of the tree by HTTP.
    HttpTree,
    /// Kernel and initrd; the system then fetches the whole image by HTTP.
    HttpIso,
    /// The whole image, read piece by piece as if it were a drive.
    Sanboot,
    /// The whole image, loaded into memory before anything starts.
    Memdisk,
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
    /// Its absolute path in the image, or [`WHOLE_IMAGE`].
    pub from: String,
    /// Its path in the initramfs.
    pub to: String,
    /// Its mode, octal.
    pub mode: String,
}

impl Injection {
    /// Largest file that can be injected, in bytes: archives for an initramfs have eight hexadecimal digits for a size
    /// (Linux `Documentation/driver-api/early-userspace/buffer-format.rst`).
    pub const LARGEST: u64 = u32::MAX as u64;
}

/// What stands for the image itself among injected files.
pub const WHOLE_IMAGE: &str = "{iso_url}";

/// An unattended installation that a system understands, and how it is told of its answer file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Answering {
    /// The kind of file.
    pub kind: AnswerKind,
    /// Kernel arguments that name it, with `{answer_url}` (the file) or `{answer_dir_url}` (a folder, with a slash
    /// behind it, that has the files which cloud-init asks for).
    pub arguments: String,
}

/// The kinds of answer files that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerKind {
    /// Ubuntu's subiquity: YAML, with cloud-init's NoCloud around it.
    Autoinstall,
    /// debian-installer, and Ubuntu's ubiquity.
    Preseed,
    /// Anaconda, and ESXi's own dialect.
    Kickstart,
    /// openSUSE and SLE up to 15: XML.
    Autoyast,
    /// Windows: XML.
    Autounattend,
    /// Another file that the system fetches: a shell script, Ignition, a product's own format. Not checked.
    Other,
}

/// One thing that the image can start.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Entry {
    /// Short name for menus, scripts and `--default`: lower-case letters, digits and dashes.
    pub id: String,
    /// What people read.
    pub title: String,
    /// What the loader does.
    #[serde(default)]
    pub boot: Boot,
    /// Absolute path of the kernel, hypervisor or UEFI program in the image; none where the image boots as a disc.
    pub kernel: Option<String>,
    /// Absolute paths of the initrds, in order; for Multiboot of the modules, for `wimboot` of the files that it takes by
    /// their last names.
    #[serde(default)]
    pub initrd: Vec<String>,
    /// For Multiboot, the arguments of each module.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub module_arguments: Vec<String>,
    /// Files added to the initramfs.
    #[serde(default)]
    pub inject: Vec<Injection>,
    /// Kernel arguments with placeholders, which [`crate::boot::menu::arguments`] fills in.
    pub cmdline: String,
    /// How an answer file is named to it, where it can use one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answering: Option<Answering>,
    /// How its files reach the computer.
    pub transport: Transport,
    /// The firmware that can start it.
    pub firmware: Vec<Firmware>,
    /// The processor it is for, as `uname -m` says it.
    pub arch: String,
    /// Memory that a computer needs, in MiB; none where it is not known.
    pub min_ram_mb: Option<u64>,
    /// Who signed its kernel or UEFI program; empty where nobody did, none where that cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Vec<signature::Signature>>,
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
    /// What it can install, where one image installs several editions (Windows).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub editions: Vec<String>,
    /// Which submenu it belongs to.
    pub category: Category,
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
    /// Who signed what firmware starts on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<signature::Signed>,
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
        let file_name = || self.path.file_name().map(|_| file_name(&self.path));
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
