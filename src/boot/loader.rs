//! Boot loaders: which there are, where they lie, and what cannot boot without one that is missing.

pub mod manifest;
pub mod pack;
pub mod version;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

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
    /// The distribution's shim, signed by Microsoft, x64 UEFI. It starts what its distribution has signed.
    ShimX64,
    /// The signed GRUB for the network that the shim looks for beside itself, x64 UEFI. It knows TFTP only.
    GrubX64,
    /// Where the shim lets people enrol a key of their own, x64 UEFI.
    MokManagerX64,
    /// The shim for ARM64 UEFI.
    ShimArm64,
    /// The signed GRUB for ARM64 UEFI.
    GrubArm64,
    /// Where the ARM64 shim lets people enrol a key of their own.
    MokManagerArm64,
    /// iPXE's own shim, signed by Microsoft, x64 UEFI. A pack brings it.
    IpxeShimX64,
    /// The signed iPXE that it starts, x64 UEFI.
    SignedIpxeX64,
    /// iPXE's own shim for ARM64 UEFI. A pack brings it.
    IpxeShimArm64,
    /// The signed iPXE that it starts, ARM64 UEFI.
    SignedIpxeArm64,
    /// GRUB that fetches by HTTP, x64 UEFI: iPXE starts it for hypervisors, since Multiboot is in no other loader.
    /// packaging/loaders.sh makes this one and the next two of Debian's modules.
    GrubHttpX64,
    /// The same for 32-bit UEFI, where firmware starts it.
    GrubHttpIa32,
    /// The same for ARM64 UEFI, where firmware starts it.
    GrubHttpArm64,
    /// SYSLINUX's memory disk, for images that ask the BIOS for their disc.
    Memdisk,
    /// The loader of Windows PE. It is no part of Debian: the user adds it.
    Wimboot,
}

impl Loader {
    /// All of them.
    pub const ALL: [Loader; 21] = [
        Loader::Undionly,
        Loader::IpxePxe,
        Loader::SnponlyX64,
        Loader::IpxeX64,
        Loader::SnponlyIa32,
        Loader::SnponlyArm64,
        Loader::ShimX64,
        Loader::GrubX64,
        Loader::MokManagerX64,
        Loader::ShimArm64,
        Loader::GrubArm64,
        Loader::MokManagerArm64,
        Loader::IpxeShimX64,
        Loader::SignedIpxeX64,
        Loader::IpxeShimArm64,
        Loader::SignedIpxeArm64,
        Loader::GrubHttpX64,
        Loader::GrubHttpIa32,
        Loader::GrubHttpArm64,
        Loader::Memdisk,
        Loader::Wimboot,
    ];

    /// Those that packaging/loaders.sh collects, on Debian 12.
    pub const OF_DEBIAN: [Loader; 14] = [
        Loader::Undionly,
        Loader::IpxePxe,
        Loader::SnponlyX64,
        Loader::IpxeX64,
        Loader::ShimX64,
        Loader::GrubX64,
        Loader::MokManagerX64,
        Loader::ShimArm64,
        Loader::GrubArm64,
        Loader::MokManagerArm64,
        Loader::GrubHttpX64,
        Loader::GrubHttpIa32,
        Loader::GrubHttpArm64,
        Loader::Memdisk,
    ];

    /// Its name in the loaders' folder and in the served tree. A shim derives the name of what it starts from its own
    /// folder, so those two lie beside each other.
    pub fn file(self) -> &'static str {
        match self {
            Loader::Undionly => "undionly.kpxe",
            Loader::IpxePxe => "ipxe.pxe",
            Loader::SnponlyX64 => "snponly.efi",
            Loader::IpxeX64 => "ipxe.efi",
            Loader::SnponlyIa32 => "snponly-ia32.efi",
            Loader::SnponlyArm64 => "snponly-arm64.efi",
            Loader::ShimX64 => "shimx64.efi",
            Loader::GrubX64 => "grubx64.efi",
            Loader::MokManagerX64 => "mmx64.efi",
            Loader::ShimArm64 => "shimaa64.efi",
            Loader::GrubArm64 => "grubaa64.efi",
            Loader::MokManagerArm64 => "mmaa64.efi",
            Loader::IpxeShimX64 => "ipxe-x64/snponly-shim.efi",
            Loader::SignedIpxeX64 => "ipxe-x64/snponly.efi",
            Loader::IpxeShimArm64 => "ipxe-arm64/snponly-shim.efi",
            Loader::SignedIpxeArm64 => "ipxe-arm64/snponly.efi",
            Loader::GrubHttpX64 => "grub-http-x64.efi",
            Loader::GrubHttpIa32 => "grub-http-ia32.efi",
            Loader::GrubHttpArm64 => "grub-http-arm64.efi",
            Loader::Memdisk => "memdisk",
            Loader::Wimboot => "wimboot",
        }
    }

    /// Whether it is on a way of this platform.
    pub fn serves(self, platform: Platform) -> bool {
        Way::ladder(platform).iter().any(|way| way.chain(platform).contains(&self))
    }

    /// Whether it is started by another loader, and not by firmware.
    pub fn is_helper(self) -> bool {
        let mut firsts = Platform::ALL
            .into_iter()
            .flat_map(|platform| Way::ladder(platform).iter().map(move |way| way.chain(platform)));
        !firsts.any(|chain| chain.first() == Some(&self))
    }

    /// Whether it is one of the GRUB images that packaging/loaders.sh makes.
    pub fn is_own_grub(self) -> bool {
        matches!(self, Loader::GrubHttpX64 | Loader::GrubHttpIa32 | Loader::GrubHttpArm64)
    }
}

/// A way to get from firmware to a menu: a rung of the ladder. What refuses one may take the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// iPXE with the firmware's own network driver. Nobody has signed it.
    Ipxe,
    /// iPXE with its own drivers. Nobody has signed it.
    IpxeDrivers,
    /// iPXE's own shim, which Microsoft has signed, and the iPXE that it trusts.
    SignedIpxe,
    /// The distribution's shim, which Microsoft has signed, and the distribution's GRUB, by TFTP. That GRUB looks for its
    /// menu at the server that gave the address (seen with Debian's 2.06), so it is of use only where we do.
    SignedGrub,
    /// The same two on a small disk that UEFI HTTP Boot fetches whole and starts. There GRUB reads from the disk where we
    /// are, and so it works beside another DHCP server.
    SignedDisk,
    /// GRUB that fetches by HTTP. Nobody has signed it.
    Grub,
}

impl Way {
    /// The ways for a platform, the one to try first first.
    ///
    /// Signed GRUB comes before iPXE's own drivers, since Secure Boot is the commoner cause of a refusal.
    pub fn ladder(platform: Platform) -> &'static [Way] {
        match platform {
            Platform::Bios => &[Way::Ipxe, Way::IpxeDrivers],
            Platform::EfiX64 => &[Way::SignedIpxe, Way::Ipxe, Way::SignedGrub, Way::SignedDisk, Way::IpxeDrivers],
            Platform::EfiIa32 => &[Way::Ipxe, Way::Grub],
            Platform::EfiArm64 => &[Way::SignedIpxe, Way::Ipxe, Way::Grub, Way::SignedGrub, Way::SignedDisk],
            Platform::EfiArm32 | Platform::RaspberryPi | Platform::Other(_) => &[],
        }
    }

    /// The loaders of this way in the order in which they start. Empty where a platform has no such way.
    pub fn chain(self, platform: Platform) -> &'static [Loader] {
        match (self, platform) {
            (Way::Ipxe, Platform::Bios) => &[Loader::Undionly],
            (Way::Ipxe, Platform::EfiX64) => &[Loader::SnponlyX64],
            (Way::Ipxe, Platform::EfiIa32) => &[Loader::SnponlyIa32],
            (Way::Ipxe, Platform::EfiArm64) => &[Loader::SnponlyArm64],
            (Way::IpxeDrivers, Platform::Bios) => &[Loader::IpxePxe],
            (Way::IpxeDrivers, Platform::EfiX64) => &[Loader::IpxeX64],
            (Way::SignedIpxe, Platform::EfiX64) => &[Loader::IpxeShimX64, Loader::SignedIpxeX64],
            (Way::SignedIpxe, Platform::EfiArm64) => &[Loader::IpxeShimArm64, Loader::SignedIpxeArm64],
            (Way::SignedGrub | Way::SignedDisk, Platform::EfiX64) => &[Loader::ShimX64, Loader::GrubX64],
            (Way::SignedGrub | Way::SignedDisk, Platform::EfiArm64) => &[Loader::ShimArm64, Loader::GrubArm64],
            (Way::Grub, Platform::EfiIa32) => &[Loader::GrubHttpIa32],
            (Way::Grub, Platform::EfiArm64) => &[Loader::GrubHttpArm64],
            _ => &[],
        }
    }

    /// The files that a computer fetches on this way, by their names in the served tree, in that order; the firmware gets
    /// the first one.
    pub fn files(self, platform: Platform) -> Vec<&'static str> {
        match (self, platform) {
            (Way::SignedDisk, Platform::EfiX64) => vec![DISK_X64],
            (Way::SignedDisk, Platform::EfiArm64) => vec![DISK_ARM64],
            _ => self.chain(platform).iter().map(|loader| loader.file()).collect(),
        }
    }

    /// Whether a computer with Secure Boot on takes it.
    pub fn is_signed(self) -> bool {
        matches!(self, Way::SignedIpxe | Way::SignedGrub | Way::SignedDisk)
    }

    /// Whether it ends in iPXE.
    pub fn is_ipxe(self) -> bool {
        matches!(self, Way::Ipxe | Way::IpxeDrivers | Way::SignedIpxe)
    }

    /// Whether UEFI HTTP Boot can begin it. Signed GRUB has no network where HTTP Boot started shim (WIRE 6).
    pub fn works_by_http(self) -> bool {
        self != Way::SignedGrub
    }

    /// Whether PXE can begin it.
    pub fn works_by_pxe(self) -> bool {
        self != Way::SignedDisk
    }

    /// For people, within a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Way::Ipxe => "iPXE",
            Way::IpxeDrivers => "iPXE with its own network drivers",
            Way::SignedIpxe => "the signed iPXE",
            Way::SignedGrub => "shim and the signed GRUB",
            Way::SignedDisk => "a disk with shim and the signed GRUB",
            Way::Grub => "GRUB",
        }
    }
}

/// The disk with shim and signed GRUB for x64 UEFI, in the served tree. Firmware tells a disk by the end of its name
/// (CONFORMANCE Q30).
pub const DISK_X64: &str = "signed-x64.img";
/// The same for ARM64 UEFI.
pub const DISK_ARM64: &str = "signed-arm64.img";

/// How a boot begins, as far as that decides which ways are open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Begins {
    /// Another server gives the addresses.
    pub beside: bool,
    /// By UEFI HTTP Boot rather than by PXE.
    pub by_http: bool,
}

/// Which ways are taken: `--loader`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Preference {
    /// What suits each computer: one that refuses its loader gets the next
    #[default]
    Auto,
    /// iPXE and nothing else
    Ipxe,
    /// What Secure Boot accepts from the first try on, shim and the signed GRUB before others
    Signed,
}

impl Preference {
    /// The ways that a platform has under this preference, with all their loaders there, for a computer that boots so.
    pub fn ways(self, platform: Platform, loaders: &Loaders, begins: Begins) -> Vec<Way> {
        let ladder = Way::ladder(platform).iter().copied();
        let mut ways: Vec<Way> = match self {
            Preference::Auto => ladder.collect(),
            Preference::Ipxe => ladder.filter(|way| way.is_ipxe()).collect(),
            // A BIOS knows no signatures, so nothing is gained by giving it nothing.
            Preference::Signed if !ladder.clone().any(Way::is_signed) => ladder.collect(),
            Preference::Signed => ladder.filter(|way| way.is_signed()).collect(),
        };
        if self == Preference::Signed {
            ways.sort_by_key(|way| *way == Way::SignedIpxe);
        }
        let disk = begins.beside || begins.by_http;
        ways.retain(|way| loaders.have(*way, platform) && *way != if disk { Way::SignedGrub } else { Way::SignedDisk });
        ways
    }
}

/// The loaders that were found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Loaders {
    files: BTreeMap<Loader, PathBuf>,
}

impl Loaders {
    /// Looks for every loader in these folders, the first folder first, and the packs of each behind it.
    pub fn find(folders: &[PathBuf]) -> Loaders {
        let folders = pack::with_packs(folders);
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

    /// Whether all loaders of a way are there.
    pub fn have(&self, way: Way, platform: Platform) -> bool {
        let chain = way.chain(platform);
        !chain.is_empty() && chain.iter().all(|loader| self.files.contains_key(loader))
    }

    /// The way that a platform takes first.
    pub fn first_way(&self, platform: Platform) -> Option<Way> {
        Way::ladder(platform).iter().copied().find(|&way| self.have(way, platform))
    }

    /// All that were found.
    pub fn iter(&self) -> impl Iterator<Item = (Loader, &Path)> {
        self.files.iter().map(|(&loader, path)| (loader, path.as_path()))
    }

    /// The common platforms that cannot boot because every loader for them is missing.
    pub fn unserved(&self) -> Vec<Platform> {
        let common = [Platform::Bios, Platform::EfiX64];
        common.into_iter().filter(|&platform| self.first_way(platform).is_none()).collect()
    }
}
