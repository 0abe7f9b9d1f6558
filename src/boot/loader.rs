//! Boot loaders: which there are, where they lie, and what cannot boot without one that is missing.

pub mod manifest;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Platform;

/// A boot loader by the job that it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Loader {
    /// iPXE that uses the BIOS ROM's own network driver.
    Undionly,
    /// iPXE with its own drivers, for a BIOS whose ROM's driver fails.
    IpxePxe,
    /// iPXE that uses the UEFI's own network driver, x64.
    SnponlyX64,
    /// iPXE with its own drivers, x64 UEFI.
    IpxeX64,
    /// iPXE for 32-bit UEFI. Debian has none; a pack may.
    SnponlyIa32,
    /// iPXE for ARM64 UEFI. Debian has none; a pack may.
    SnponlyArm64,
    /// SYSLINUX's memory disk, for images that ask the BIOS for their disc.
    Memdisk,
    /// The loader of Windows PE. It is no part of Debian: the user adds it.
    Wimboot,
    /// GRUB that fetches what iPXE tells it by HTTP: x64 UEFI has Multiboot in no other loader. packaging/loaders.sh
    /// makes it of Debian's modules.
    GrubHttpX64,
}

impl Loader {
    /// All of them.
    pub const ALL: [Loader; 9] = [
        Loader::Undionly,
        Loader::IpxePxe,
        Loader::SnponlyX64,
        Loader::IpxeX64,
        Loader::SnponlyIa32,
        Loader::SnponlyArm64,
        Loader::Memdisk,
        Loader::Wimboot,
        Loader::GrubHttpX64,
    ];

    /// Its name in the loaders' folder and in the served tree.
    pub fn file(self) -> &'static str {
        match self {
            Loader::Undionly => "undionly.kpxe",
            Loader::IpxePxe => "ipxe.pxe",
            Loader::SnponlyX64 => "snponly.efi",
            Loader::IpxeX64 => "ipxe.efi",
            Loader::SnponlyIa32 => "snponly-ia32.efi",
            Loader::SnponlyArm64 => "snponly-arm64.efi",
            Loader::Memdisk => "memdisk",
            Loader::Wimboot => "wimboot",
            Loader::GrubHttpX64 => "grub-http-x64.efi",
        }
    }

    /// Whether it is started by another loader, for one kind of image, and not by firmware.
    pub fn is_helper(self) -> bool {
        matches!(self, Loader::Memdisk | Loader::Wimboot | Loader::GrubHttpX64)
    }

    /// The loaders for a platform, the one to try first first.
    pub fn ladder(platform: Platform) -> &'static [Loader] {
        match platform {
            Platform::Bios => &[Loader::Undionly, Loader::IpxePxe],
            Platform::EfiX64 => &[Loader::SnponlyX64, Loader::IpxeX64],
            Platform::EfiIa32 => &[Loader::SnponlyIa32],
            Platform::EfiArm64 => &[Loader::SnponlyArm64],
            Platform::EfiArm32 => &[],
        }
    }
}

/// The loaders that were found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Loaders {
    files: BTreeMap<Loader, PathBuf>,
}

impl Loaders {
    /// Looks for every loader in these folders, the first folder first.
    pub fn find(folders: &[PathBuf]) -> Loaders {
        let place = |loader: Loader| {
            let path = folders.iter().map(|folder| folder.join(loader.file())).find(|path| path.is_file())?;
            Some((loader, path))
        };
        Loaders { files: Loader::ALL.into_iter().filter_map(place).collect() }
    }

    /// These, without looking whether they are there: for a machine that is only described.
    pub fn of(loaders: impl IntoIterator<Item = Loader>) -> Loaders {
        Loaders { files: loaders.into_iter().map(|loader| (loader, PathBuf::from(loader.file()))).collect() }
    }

    /// Whether none was found that a firmware starts.
    pub fn is_empty(&self) -> bool {
        self.files.keys().all(|loader| loader.is_helper())
    }

    /// Where a loader lies.
    pub fn path(&self, loader: Loader) -> Option<&Path> {
        self.files.get(&loader).map(PathBuf::as_path)
    }

    /// The loader that a platform gets first.
    pub fn first_for(&self, platform: Platform) -> Option<Loader> {
        Loader::ladder(platform).iter().copied().find(|&loader| self.files.contains_key(&loader))
    }

    /// All that were found.
    pub fn iter(&self) -> impl Iterator<Item = (Loader, &Path)> {
        self.files.iter().map(|(&loader, path)| (loader, path.as_path()))
    }

    /// The common platforms that cannot boot because every loader for them is missing.
    pub fn unserved(&self) -> Vec<Platform> {
        let common = [Platform::Bios, Platform::EfiX64];
        common.into_iter().filter(|&platform| self.first_for(platform).is_none()).collect()
    }
}
