//! The disk with shim and the signed GRUB that UEFI HTTP Boot fetches and starts, with the address of the menu on it.
//!
//! Firmware makes a RAM disk of it and starts `\EFI\BOOT\BOOTX64.EFI` (UEFI 2.10 section 24.7.1), shim starts the GRUB beside
//! itself, and Debian's signed GRUB reads `/grub/grub.cfg` of the disk that it came from. Seen with OVMF and Secure Boot
//! on, full and beside another DHCP server: 8 MB, no partition table.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::fat;
use super::loader::{Loader, Loaders};
use super::menu::{Place, grub};
use crate::image::stored::Extent;

/// Largest disk in bytes; with Debian's loaders it has 6 MB.
const LARGEST: u64 = 64 << 20;

/// The loaders of a disk, with the names that firmware and shim look for. The last one may be missing.
type Parts = [(Loader, &'static str); 3];

/// For x64 UEFI (UEFI 2.10 section 3.5.1.1).
pub(super) const X64: Parts = [
    (Loader::ShimX64, "EFI/BOOT/BOOTX64.EFI"),
    (Loader::GrubX64, "EFI/BOOT/grubx64.efi"),
    (Loader::MokManagerX64, "EFI/BOOT/mmx64.efi"),
];
/// For ARM64 UEFI.
pub(super) const ARM64: Parts = [
    (Loader::ShimArm64, "EFI/BOOT/BOOTAA64.EFI"),
    (Loader::GrubArm64, "EFI/BOOT/grubaa64.efi"),
    (Loader::MokManagerArm64, "EFI/BOOT/mmaa64.efi"),
];

/// Lays out the disk; `None` where shim or GRUB is missing.
///
/// # Errors
/// A loader cannot be opened, or is far too large.
pub(super) fn make(parts: &Parts, loaders: &Loaders, place: &Place) -> io::Result<Option<fat::Image>> {
    let [(shim, _), (grub, _), _] = parts;
    if loaders.path(*shim).is_none() || loaders.path(*grub).is_none() {
        return Ok(None);
    }
    let found = parts.iter().filter_map(|(loader, name)| Some((loaders.path(*loader)?, *name)));
    let mut files = found.map(|(path, name)| Ok((name.to_owned(), content(path)?))).collect::<io::Result<Vec<_>>>()?;
    let menu: Arc<[u8]> = grub::first(place).into_bytes().into();
    files.push((grub::CONFIG.to_owned(), fat::Content::Bytes(menu)));
    fat::Image::new(files, LARGEST).map(Some).map_err(io::Error::other)
}

fn content(path: &Path) -> io::Result<fat::Content> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let extents = [Extent { at: 0, offset: 0, length }].into();
    Ok(fat::Content::Pieces { file: Arc::new(file), extents, length })
}
