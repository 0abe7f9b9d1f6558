//! Packs: loaders out of iPXE's release archive, and `wimboot`, installed from a file.
//!
//! iPXE's releases from 2.0.0 on have a file `ipxeboot.tar.gz`: a folder for each processor, and for x64 and ARM64 one
//! more (`x86_64-sb`, `arm64-sb`) with iPXE signed for Secure Boot and its shim, which Microsoft signed
//! (<https://ipxe.org/secboot>). [`PARTS`] says what is taken, and under which name it is served. No byte is changed.
//!
//! A pack is a folder `ipxe-VERSION` or `wimboot-VERSION` inside a loaders' folder, with a manifest.

mod archive;
mod binary;
mod install;

use std::io;
use std::path::{Path, PathBuf};

use binary::Machine;

use super::manifest::{Manifest, Origin};
use super::version::Version;
use crate::text;

/// How the folders of iPXE's packs begin.
const IPXE: &str = "ipxe-";
/// How the folders of wimboot's packs begin.
const WIMBOOT: &str = "wimboot-";
/// Most packs of one folder that are looked at.
const MAX_PACKS: usize = 64;

/// A loader of the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where it lies below the archive's one folder; the first place that there is counts.
    pub from: &'static [&'static str],
    /// Its path in the pack's folder and in the served tree.
    pub file: &'static str,
    /// What it is to be.
    kind: Kind,
    /// Whether its signature is what it is wanted for.
    pub signed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bios,
    Ipxe(Machine),
    Shim(Machine),
}

const fn plain(from: &'static [&'static str], file: &'static str, kind: Kind) -> Part {
    Part { from, file, kind, signed: false }
}

const fn signed(from: &'static [&'static str], file: &'static str, kind: Kind) -> Part {
    Part { from, file, kind, signed: true }
}

/// What is taken out of the archive.
///
/// The shim strips `-shim` off its own name to know what it loads next, in its own folder (ipxe/shim, "Allow next loader
/// path to be derived from shim path"); the archive has it once and links to it under both names. It takes its own name
/// from the header field `file` of DHCP (WIRE.md 3); where it finds none it asks for `ipxe.efi` at TFTP's root (ipxe/ipxe
/// issue 1684), which the engine answers for it. A BIOS gets the 32-bit builds, which the 64-bit processors run as well.
pub const PARTS: [Part; 16] = [
    plain(&["i386/undionly.kpxe", "x86_64/undionly.kpxe", "undionly.kpxe"], "undionly.kpxe", Kind::Bios),
    plain(&["i386/ipxe.pxe", "x86_64/ipxe.pxe", "ipxe.pxe"], "ipxe.pxe", Kind::Bios),
    plain(&["x86_64/snponly.efi"], "snponly.efi", Kind::Ipxe(Machine::X64)),
    plain(&["x86_64/ipxe.efi"], "ipxe.efi", Kind::Ipxe(Machine::X64)),
    plain(&["i386/snponly.efi"], "snponly-ia32.efi", Kind::Ipxe(Machine::Ia32)),
    plain(&["i386/ipxe.efi"], "ipxe-ia32.efi", Kind::Ipxe(Machine::Ia32)),
    plain(&["arm64/snponly.efi"], "snponly-arm64.efi", Kind::Ipxe(Machine::Arm64)),
    plain(&["arm64/ipxe.efi"], "ipxe-arm64.efi", Kind::Ipxe(Machine::Arm64)),
    signed(&["x86_64-sb/snponly.efi"], "ipxe-x64/snponly.efi", Kind::Ipxe(Machine::X64)),
    signed(&["x86_64-sb/ipxe.efi"], "ipxe-x64/ipxe.efi", Kind::Ipxe(Machine::X64)),
    signed(&SHIM_X64, "ipxe-x64/snponly-shim.efi", Kind::Shim(Machine::X64)),
    signed(&SHIM_X64, "ipxe-x64/ipxe-shim.efi", Kind::Shim(Machine::X64)),
    signed(&["arm64-sb/snponly.efi"], "ipxe-arm64/snponly.efi", Kind::Ipxe(Machine::Arm64)),
    signed(&["arm64-sb/ipxe.efi"], "ipxe-arm64/ipxe.efi", Kind::Ipxe(Machine::Arm64)),
    signed(&SHIM_ARM64, "ipxe-arm64/snponly-shim.efi", Kind::Shim(Machine::Arm64)),
    signed(&SHIM_ARM64, "ipxe-arm64/ipxe-shim.efi", Kind::Shim(Machine::Arm64)),
];

const SHIM_X64: [&str; 1] = ["x86_64-sb/shimx64.efi"];
const SHIM_ARM64: [&str; 1] = ["arm64-sb/shimaa64.efi"];

/// What a shim of a pack loads, by the shim's path in the tree. Without it the shim is of no use.
fn second_stage(shim: &str) -> Option<&'static str> {
    let stem = shim.strip_suffix("-shim.efi")?;
    PARTS.iter().map(|part| part.file).find(|file| file.strip_suffix(".efi") == Some(stem))
}

/// An installed pack.
#[derive(Clone, Debug)]
pub struct Pack {
    /// Its folder.
    pub folder: PathBuf,
    /// The folder's name, `ipxe-2.0.0`.
    pub name: String,
    /// What the loaders say of themselves.
    pub version: Version,
    /// What is in it.
    pub manifest: Manifest,
}

impl Pack {
    fn of(folder: PathBuf) -> Option<Pack> {
        let name = folder.file_name()?.to_str()?.to_owned();
        if !name.starts_with(IPXE) && !name.starts_with(WIMBOOT) {
            return None;
        }
        let manifest = Manifest::of(&folder)?;
        let version = manifest.iter().find_map(|origin| Version::parse(&origin.version))?;
        Some(Pack { folder, name, version, manifest })
    }
}

/// Why a pack cannot be installed or removed. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The file cannot be opened or read.
    #[error("{path} cannot be read: {source}.")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Neither an archive nor wimboot.
    #[error("{path} is neither iPXE's release archive nor wimboot. {GET}")]
    NoArchive {
        /// The file.
        path: PathBuf,
    },
    /// It ends too early, or its checksums are wrong.
    #[error("{path} is cut off or damaged ({reason}). Download it again.")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong, in a few words.
        reason: String,
    },
    /// It has more than any release.
    #[error("{path} has {what}, more than any release of iPXE. {GET}")]
    TooMuch {
        /// The file.
        path: PathBuf,
        /// Of what, and how much may be.
        what: String,
    },
    /// A member's name leads out of the archive, or stands there twice.
    #[error("{path} has a file named {name:?}, which no release of iPXE has. {GET}")]
    Name {
        /// The archive.
        path: PathBuf,
        /// The name, made safe to show.
        name: String,
    },
    /// None of the loaders is there.
    #[error("{path} has no boot loader of iPXE where its releases have them. {GET}")]
    Nothing {
        /// The archive.
        path: PathBuf,
    },
    /// A loader is not what its place says.
    #[error("{name} in {path} {why}. {GET}")]
    Wrong {
        /// The archive.
        path: PathBuf,
        /// The loader.
        name: String,
        /// What is wrong, as the end of a sentence.
        why: String,
    },
    /// No loader tells its version.
    #[error("No file in {path} tells which version of iPXE it is. {GET}")]
    NoVersion {
        /// The archive.
        path: PathBuf,
    },
    /// The loaders are of different releases.
    #[error("{path} has loaders of iPXE {one} and of {other}. Add one release at a time.")]
    Mixed {
        /// The archive.
        path: PathBuf,
        /// A version.
        one: String,
        /// Another.
        other: String,
    },
    /// It cannot be put where loaders are kept. What was there is still there.
    #[error("The pack cannot be put into {path}: {source}. What was installed before is still there.")]
    Install {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no such pack.
    #[error("There is no pack {wanted:?}. {}", known_packs(.known))]
    Unknown {
        /// What was asked for, made safe to show.
        wanted: String,
        /// The packs that there are.
        known: Vec<String>,
    },
}

/// Where the archive comes from.
const GET: &str = "Download ipxeboot.tar.gz of iPXE 2.0.0 or later from github.com/ipxe/ipxe/releases, and add that.";

fn known_packs(known: &[String]) -> String {
    match known {
        [] => "None is installed.".to_owned(),
        known => format!("Installed: {}.", known.join(", ")),
    }
}

/// The packs inside a loaders' folder, newest first.
pub fn packs(loaders: &Path) -> Vec<Pack> {
    let entries = std::fs::read_dir(loaders).into_iter().flatten().flatten().take(MAX_PACKS * 2);
    let mut packs: Vec<Pack> = entries.filter_map(|entry| Pack::of(entry.path())).take(MAX_PACKS).collect();
    packs.sort_by(|one, other| other.version.cmp(&one.version).then_with(|| one.name.cmp(&other.name)));
    packs
}

/// These folders, each with its packs behind it: what somebody puts into the folder itself counts more.
pub fn with_packs(folders: &[PathBuf]) -> Vec<PathBuf> {
    let with =
        |folder: &PathBuf| std::iter::once(folder.clone()).chain(packs(folder).into_iter().map(|pack| pack.folder));
    folders.iter().flat_map(with).collect()
}

/// What the manifest beside a loader says of it: `file` as [`super::Loader::file`] has it, `path` where it was found.
pub fn origin(file: &str, path: &Path) -> Option<Origin> {
    let folder = path.ancestors().nth(Path::new(file).components().count())?;
    Manifest::of(folder)?.origin(file).cloned()
}

/// Installs the pack in a file (`ipxeboot.tar.gz`, packed or not, or `wimboot`) or in a folder that it was unpacked to.
/// The same version again replaces what is there. May take a second; not for an asynchronous task.
///
/// # Errors
/// Nothing is changed then.
pub fn import(file: &Path, loaders: &Path) -> Result<Pack, PackError> {
    let new = match archive::read(file)? {
        archive::Content::Wimboot(bytes) => wimboot(file, bytes)?,
        archive::Content::Members(members) => release(file, members)?,
    };
    let source_of = |source| PackError::Install { path: loaders.to_path_buf(), source };
    let folder = install::install(loaders, &new.name, &new.files).map_err(source_of)?;
    Pack::of(folder).ok_or_else(|| source_of(io::ErrorKind::InvalidData.into()))
}

/// Removes a pack: by its folder's name (`ipxe-2.0.0`), or its version where one pack alone has it.
pub fn remove(loaders: &Path, wanted: &str) -> Result<Pack, PackError> {
    let packs = packs(loaders);
    let known = packs.iter().map(|pack| pack.name.clone()).collect();
    let named = packs.iter().find(|pack| pack.name == wanted);
    let of_version: Vec<&Pack> =
        packs.iter().filter(|pack| pack.version.to_string() == wanted || pack.version.folder() == wanted).collect();
    let chosen = match (named, of_version.as_slice()) {
        (Some(pack), _) => pack.clone(),
        (None, [pack]) => (*pack).clone(),
        _ => return Err(PackError::Unknown { wanted: text::plain(wanted, 60), known }),
    };
    let source_of = |source| PackError::Install { path: chosen.folder.clone(), source };
    install::remove(loaders, &chosen.name).map_err(source_of)?;
    Ok(chosen)
}

/// What is to be installed.
struct New {
    name: String,
    files: Vec<(Origin, Vec<u8>)>,
}

fn release(path: &Path, members: archive::Members) -> Result<New, PackError> {
    let mut taken: Vec<(&Part, &Vec<u8>)> = Vec::new();
    let mut version: Option<Version> = None;
    for part in &PARTS {
        let Some((name, bytes)) = part.from.iter().find_map(|name| members.get_key_value(*name)) else { continue };
        let wrong = |why| PackError::Wrong { path: path.to_path_buf(), name: (*name).to_owned(), why };
        let said = check(part, bytes).map_err(wrong)?;
        match (&version, said) {
            (Some(one), Some(other)) if *one != other => {
                let (one, other) = (one.to_string(), other.to_string());
                return Err(PackError::Mixed { path: path.to_path_buf(), one, other });
            }
            (None, Some(said)) => version = Some(said),
            _ => {}
        }
        taken.push((part, bytes));
    }
    // A shim without what it loads starts nothing.
    let there: Vec<&str> = taken.iter().map(|(part, _)| part.file).collect();
    taken.retain(|(part, _)| second_stage(part.file).is_none_or(|second| there.contains(&second)));
    if taken.is_empty() {
        return Err(PackError::Nothing { path: path.to_path_buf() });
    }
    let version = version.ok_or_else(|| PackError::NoVersion { path: path.to_path_buf() })?;
    let files = taken.into_iter().map(|(part, bytes)| {
        let licence = if matches!(part.kind, Kind::Shim(_)) { "BSD-2-Clause-Patent" } else { "GPL-2.0-or-later" };
        (described(part.file, "ipxe release", &version, licence, bytes), bytes.clone())
    });
    Ok(New { name: format!("{IPXE}{}", version.folder()), files: files.collect() })
}

/// Checks a loader, and finds the version that it says it is.
fn check(part: &Part, bytes: &[u8]) -> Result<Option<Version>, String> {
    let machine = match part.kind {
        Kind::Bios => return binary::bios(bytes).map(|()| None),
        Kind::Ipxe(machine) | Kind::Shim(machine) => machine,
    };
    let program = binary::program(bytes, machine)?;
    if part.signed && program.signers.is_none() {
        return Err("has no signature, so no computer with Secure Boot starts it".to_owned());
    }
    Ok(if matches!(part.kind, Kind::Ipxe(_)) { binary::ipxe_version(bytes) } else { None })
}

fn wimboot(path: &Path, bytes: Vec<u8>) -> Result<New, PackError> {
    let wrong = |why| PackError::Wrong { path: path.to_path_buf(), name: "The program".to_owned(), why };
    let version = binary::wimboot_version(&bytes).map_err(wrong)?;
    let origin = described("wimboot", "wimboot release", &version, "GPL-2.0-or-later", &bytes);
    Ok(New { name: format!("{WIMBOOT}{}", version.folder()), files: vec![(origin, bytes)] })
}

fn described(file: &str, package: &str, version: &Version, licence: &str, bytes: &[u8]) -> Origin {
    Origin {
        file: file.to_owned(),
        package: package.to_owned(),
        version: version.to_string(),
        sha256: binary::sha256(bytes),
        licence: licence.to_owned(),
        signed_by: binary::signers(bytes),
    }
}

#[cfg(test)]
mod tests;
