//! Who signed a UEFI program, by its own account: the names in its certificates, what a shim accepts besides the
//! firmware, and what a GRUB can do.
//!
//! Nothing is verified here: the firmware does that, and a forged name only leads to an advice that is wrong. Everything
//! is read in place and bounded; no part of the reading calls itself, so nesting costs nothing.

mod authenticode;
mod authority;
mod der;
mod grub;
mod pe;
mod sbat;
mod shim;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::stored::{read_at, read_exact_at};
use super::{Disc, Firmware, Inspection};
use crate::text;

pub use authority::Authority;
pub use grub::Grub;
pub use sbat::Component;

/// Longest name of a certificate that is kept, in characters; X.520 allows 64.
const MAX_NAME: usize = 100;
/// What a disc has for firmware to start (UEFI 2.10 section 3.5.1.1, the default boot behaviour), what shim starts
/// beside it (`DEFAULT_LOADER`; SUSE's has its own), and shim's manager of keys.
const FILES: [&str; 12] = [
    "BOOTX64.EFI",
    "BOOTIA32.EFI",
    "BOOTAA64.EFI",
    "grubx64.efi",
    "grubia32.efi",
    "grubaa64.efi",
    "grub.efi",
    "mmx64.efi",
    "mmia32.efi",
    "mmaa64.efi",
    "MokManager.efi",
    "fbx64.efi",
];

/// What a program runs on (PE format, "Machine Types").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Machine {
    /// 64-bit x86.
    X64,
    /// 32-bit x86.
    Ia32,
    /// 64-bit ARM.
    Arm64,
    /// Another one.
    Other,
}

impl Machine {
    fn of(code: u16) -> Machine {
        match code {
            0x8664 => Machine::X64,
            0x014c => Machine::Ia32,
            0xaa64 => Machine::Arm64,
            _ => Machine::Other,
        }
    }

    /// The machine of a processor as `uname -m` says it.
    pub fn of_arch(arch: &str) -> Machine {
        match arch {
            "x86_64" => Machine::X64,
            "i386" | "i686" => Machine::Ia32,
            "aarch64" => Machine::Arm64,
            _ => Machine::Other,
        }
    }

    /// What firmware puts into file names for it (UEFI 2.10 section 3.5.1.1), in lower case.
    pub fn suffix(self) -> Option<&'static str> {
        match self {
            Machine::X64 => Some("x64"),
            Machine::Ia32 => Some("ia32"),
            Machine::Arm64 => Some("aa64"),
            Machine::Other => None,
        }
    }
}

/// One signature of a program, by the names in its certificates. They are plain text of [`MAX_NAME`] characters at most.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Signature {
    /// The common name of the certificate that signed it.
    pub signer: String,
    /// Of the one that issued that.
    pub issuer: String,
    /// Of the topmost one that the program names; the issuer where it has no further certificates with it.
    pub root: String,
    /// Who that is.
    pub authority: Authority,
}

impl Signature {
    /// Who signed it, for people.
    pub fn who(&self) -> &str {
        self.authority.name().unwrap_or(if self.issuer.is_empty() { &self.signer } else { &self.issuer })
    }

    /// Whether it leads to a certificate of this name.
    pub fn leads_to(&self, name: &str) -> bool {
        [&self.signer, &self.issuer, &self.root].into_iter().any(|own| !own.is_empty() && own == name)
    }
}

/// A UEFI program and what it says of its signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// Its absolute path in the image; for a file of its own, its path.
    pub path: String,
    /// What it runs on.
    pub machine: Machine,
    /// Who signed it; empty where nobody did.
    pub signed_by: Vec<Signature>,
    /// For a shim: the common names of the certificates that it accepts besides the firmware's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trusts: Vec<String>,
    /// For a shim: of those that it refuses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refuses: Vec<String>,
    /// Its generations, by which old ones are revoked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sbat: Vec<Component>,
    /// For a GRUB: what it can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grub: Option<Grub>,
}

impl Signed {
    /// Whether it is a shim with a certificate of its own.
    pub fn is_shim(&self) -> bool {
        !self.trusts.is_empty()
    }

    /// Whether this shim starts what has these signatures, by its own certificates.
    pub fn accepts(&self, signatures: &[Signature]) -> bool {
        let leads =
            |names: &[String]| signatures.iter().any(|signature| names.iter().any(|name| signature.leads_to(name)));
        leads(&self.trusts) && !leads(&self.refuses)
    }
}

/// Reads from a program: fills the buffer with the bytes from an offset on.
type Read<'a> = dyn Fn(u64, &mut [u8]) -> io::Result<()> + 'a;

/// A program that is read in place.
struct Source<'a> {
    read: &'a Read<'a>,
    /// Its length in bytes; nothing behind it is asked for.
    size: u64,
}

impl Source<'_> {
    /// `length` bytes from `at` on. `None` where they do not lie within the program. The caller bounds the length.
    fn bytes(&self, at: u64, length: usize) -> Option<Vec<u8>> {
        if at.checked_add(length as u64)? > self.size {
            return None;
        }
        let mut bytes = vec![0u8; length];
        (self.read)(at, &mut bytes).ok()?;
        Some(bytes)
    }
}

/// Reads all that is known of a program of `size` bytes. `None` for what is no PE image.
pub fn of(path: &str, read: &Read<'_>, size: u64) -> Option<Signed> {
    let source = Source { read, size };
    let image = pe::Image::open(&source)?;
    let (trusts, refuses) = shim::certificates(&image);
    Some(Signed {
        path: path.to_owned(),
        machine: Machine::of(image.machine()),
        signed_by: authenticode::signatures(&image),
        trusts,
        refuses,
        sbat: sbat::components(&image),
        grub: grub::look(&image),
    })
}

/// Who signed a program of `size` bytes; `None` for what is no PE image. Reads its headers and its certificates only.
pub fn signatures(read: &Read<'_>, size: u64) -> Option<Vec<Signature>> {
    let source = Source { read, size };
    Some(authenticode::signatures(&pe::Image::open(&source)?))
}

/// A program in a file of its own, like the loaders here. `None` where it cannot be read or is no PE image.
pub fn file(path: &Path) -> Option<Signed> {
    // Looked at before it is opened: opening a pipe would wait for its other end.
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let file = File::open(path).ok()?;
    let size = file.metadata().ok()?.len();
    of(&text::plain(&path.to_string_lossy(), 1000), &|at, buffer| read_exact_at(&file, buffer, at), size)
}

/// A program of a disc. `None` where it is not there or is no PE image.
pub fn program(disc: &Disc, path: &str) -> Option<Signed> {
    let path = disc.resolve_file(path)?;
    let stored = disc.find(&path)?;
    of(&path, &|at, buffer| read_at(disc.file(), &stored.extents, at, buffer), stored.size)
}

/// Puts into an inspection who signed what firmware starts on this disc and each entry's kernel.
pub(super) fn refine(disc: &Disc, inspection: &mut Inspection) {
    inspection.signatures = FILES.iter().filter_map(|name| program(disc, &format!("/EFI/BOOT/{name}"))).collect();
    let mut known: BTreeMap<String, Option<Vec<Signature>>> = BTreeMap::new();
    for entry in inspection.entries.iter_mut().filter(|entry| entry.firmware.contains(&Firmware::Uefi)) {
        let Some(kernel) = &entry.kernel else { continue };
        entry.signed = known.entry(kernel.clone()).or_insert_with(|| of_kernel(disc, kernel)).clone();
    }
}

/// Only its headers and certificates are read. A kernel packed by gzip, as some for 64-bit ARM are, counts as unknown:
/// its certificates are at the end of what would have to be unpacked first.
fn of_kernel(disc: &Disc, path: &str) -> Option<Vec<Signature>> {
    let stored = disc.find(path)?;
    signatures(&|at, buffer| read_at(disc.file(), &stored.extents, at, buffer), stored.size)
}

#[cfg(test)]
mod tests;
