//! The clients that a rehearsal plays.

use serde::{Deserialize, Serialize};

use super::tftp::Options;
use crate::boot::Platform;
use crate::boot::menu::{Asker, ipxe};
use crate::image::signature::Machine;
use crate::mac::Mac;

/// A computer's firmware, as far as it differs on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Firmware {
    /// A BIOS whose PXE ROM is iPXE, as SeaBIOS has it
    BiosRom,
    /// A BIOS with a maker's own PXE ROM
    #[value(name = "bios")]
    #[serde(rename = "bios")]
    BiosPlain,
    /// UEFI for x64 by PXE, Secure Boot off
    X64Pxe,
    /// UEFI for x64 by PXE, Secure Boot on
    X64Secure,
    /// UEFI for x64 by HTTP Boot
    X64Http,
    /// 32-bit UEFI by PXE
    Ia32Pxe,
    /// UEFI for ARM64 by PXE
    Arm64Pxe,
    /// UEFI for ARM64 by HTTP Boot
    Arm64Http,
}

/// Who speaks: the firmware itself, or the iPXE that it has loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The firmware.
    Own,
    /// iPXE.
    Ipxe,
}

/// What of a firmware fetches by TFTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetcher {
    /// The firmware itself.
    Firmware,
    /// shim, through the firmware.
    Shim,
    /// GRUB.
    Grub,
}

impl Firmware {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Firmware; 8] = [
        Firmware::BiosRom,
        Firmware::BiosPlain,
        Firmware::X64Pxe,
        Firmware::X64Secure,
        Firmware::X64Http,
        Firmware::Ia32Pxe,
        Firmware::Arm64Pxe,
        Firmware::Arm64Http,
    ];

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Firmware::BiosRom => "BIOS, iPXE ROM",
            Firmware::BiosPlain => "BIOS, PXE",
            Firmware::X64Pxe => "UEFI x64, PXE",
            Firmware::X64Secure => "UEFI x64, Secure Boot",
            Firmware::X64Http => "UEFI x64, HTTP Boot",
            Firmware::Ia32Pxe => "UEFI 32-bit, PXE",
            Firmware::Arm64Pxe => "UEFI ARM64, PXE",
            Firmware::Arm64Http => "UEFI ARM64, HTTP Boot",
        }
    }

    /// The same in two short words, for a table.
    pub fn short(self) -> (&'static str, &'static str) {
        match self {
            Firmware::BiosRom => ("BIOS", "iPXE"),
            Firmware::BiosPlain => ("BIOS", "PXE"),
            Firmware::X64Pxe => ("x64", "PXE"),
            Firmware::X64Secure => ("x64", "Secure"),
            Firmware::X64Http => ("x64", "HTTP"),
            Firmware::Ia32Pxe => ("32-bit", "PXE"),
            Firmware::Arm64Pxe => ("ARM64", "PXE"),
            Firmware::Arm64Http => ("ARM64", "HTTP"),
        }
    }

    /// Whether it is UEFI.
    pub fn is_uefi(self) -> bool {
        !matches!(self, Firmware::BiosRom | Firmware::BiosPlain)
    }

    /// Whether it boots by HTTP.
    pub fn is_http(self) -> bool {
        matches!(self, Firmware::X64Http | Firmware::Arm64Http)
    }

    /// Whether it starts signed loaders only.
    pub fn is_secure(self) -> bool {
        self == Firmware::X64Secure
    }

    /// Whether nearly every set-up is to boot it. The others are told, and count as nothing amiss, where no loader is
    /// there for them.
    pub fn is_common(self) -> bool {
        matches!(self, Firmware::BiosRom | Firmware::BiosPlain | Firmware::X64Pxe | Firmware::X64Http)
    }

    /// Firmware and processor.
    pub fn platform(self) -> Platform {
        match self {
            Firmware::BiosRom | Firmware::BiosPlain => Platform::Bios,
            Firmware::X64Pxe | Firmware::X64Secure | Firmware::X64Http => Platform::EfiX64,
            Firmware::Ia32Pxe => Platform::EfiIa32,
            Firmware::Arm64Pxe | Firmware::Arm64Http => Platform::EfiArm64,
        }
    }

    /// What its programs are built for; none for a BIOS, whose loaders are no UEFI programs.
    pub fn machine(self) -> Option<Machine> {
        match self.platform() {
            Platform::EfiX64 => Some(Machine::X64),
            Platform::EfiIa32 => Some(Machine::Ia32),
            Platform::EfiArm64 => Some(Machine::Arm64),
            _ => None,
        }
    }

    /// What it says in option 93. OVMF and AAVMF say these (WIRE.md section 1).
    pub fn architecture(self) -> u16 {
        match self {
            Firmware::X64Http => 16,
            Firmware::Arm64Http => 19,
            _ => self.architecture_by_pxe(),
        }
    }

    /// What an iPXE on it says there.
    pub fn architecture_by_pxe(self) -> u16 {
        match self.platform() {
            Platform::EfiX64 => 7,
            Platform::EfiIa32 => 6,
            Platform::EfiArm64 => 11,
            _ => 0,
        }
    }

    /// What an iPXE on it calls its platform and its own build.
    pub fn ipxe_words(self) -> (&'static str, &'static str) {
        match self.platform() {
            Platform::EfiX64 => ("efi", "x86_64"),
            Platform::EfiIa32 => ("efi", "i386"),
            Platform::EfiArm64 => ("efi", "arm64"),
            _ => ("pcbios", "i386"),
        }
    }

    /// What decides which entries an iPXE on it shows.
    pub fn asker(self) -> Asker {
        let (platform, arch) = self.ipxe_words();
        Asker { firmware: ipxe::firmware(Some(platform)), arch: ipxe::processor(Some(arch)) }
    }

    /// The options of its TFTP requests, for the size alone and for the file (WIRE.md section 5).
    pub fn tftp(self, fetcher: Fetcher) -> Options {
        match fetcher {
            Fetcher::Shim => Options { size: false, block: Some(512), window: Some(4) },
            Fetcher::Grub => Options { size: true, block: Some(1024), window: None },
            Fetcher::Firmware if self.is_uefi() => Options { size: false, block: Some(1468), window: Some(4) },
            Fetcher::Firmware => Options { size: true, block: Some(1432), window: None },
        }
    }

    /// A hardware address for the made-up computer: a local one, which no maker gives, and one for each firmware.
    pub fn mac(self) -> Mac {
        let number = Firmware::ALL.iter().position(|firmware| *firmware == self).unwrap_or_default();
        Mac([0x02, 0x62, 0x77, 0x72, 0x65, u8::try_from(number).unwrap_or(u8::MAX)])
    }
}
