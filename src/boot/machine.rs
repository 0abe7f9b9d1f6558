//! What kind of computer asks.

use serde::{Deserialize, Serialize};

use crate::dhcp::pxe::{Class, Client};

/// Firmware and processor, by the codes of option 93 (IANA "Processor Architecture Types").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Platform {
    /// PC BIOS: 0, and 20 for BIOS by HTTP.
    Bios,
    /// 64-bit x86 UEFI: 7 and, since RFC 4578 had them the other way round (erratum 4624), 9; 16 by HTTP.
    EfiX64,
    /// 32-bit x86 UEFI: 6; 15 by HTTP.
    EfiIa32,
    /// 64-bit ARM UEFI: 11; 19 by HTTP.
    EfiArm64,
    /// 32-bit ARM UEFI: 10; 18 by HTTP.
    EfiArm32,
}

impl Platform {
    /// The platform of an architecture code.
    pub fn of(code: u16) -> Option<Platform> {
        match code {
            0 | 20 => Some(Platform::Bios),
            7 | 9 | 16 => Some(Platform::EfiX64),
            6 | 15 => Some(Platform::EfiIa32),
            11 | 19 => Some(Platform::EfiArm64),
            10 | 18 => Some(Platform::EfiArm32),
            _ => None,
        }
    }

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Platform::Bios => "BIOS",
            Platform::EfiX64 => "UEFI x64",
            Platform::EfiIa32 => "UEFI 32-bit x86",
            Platform::EfiArm64 => "UEFI ARM64",
            Platform::EfiArm32 => "UEFI 32-bit ARM",
        }
    }
}

/// Who is asking on that computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The firmware's PXE.
    Pxe,
    /// The firmware's HTTP Boot.
    Http,
    /// iPXE, in a ROM or loaded by us.
    Ipxe,
    /// An iPXE that cannot fetch by HTTP, and so cannot read our menu.
    IpxeWithoutHttp,
}

/// A network-booting computer as DHCP shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Machine {
    /// Firmware and processor; none for codes we do not know.
    pub platform: Option<Platform>,
    /// Who is asking.
    pub stage: Stage,
}

impl Machine {
    /// The machine behind a DHCP client; `None` for one that does not network-boot.
    pub fn of(client: &Client) -> Option<Machine> {
        let stage = match (client.ipxe, client.class) {
            (Some(ipxe), _) if ipxe.http => Stage::Ipxe,
            (Some(_), _) => Stage::IpxeWithoutHttp,
            (None, Some(Class::Http)) => Stage::Http,
            (None, Some(Class::Pxe)) => Stage::Pxe,
            (None, None) => return None,
        };
        let named = client.architectures.iter().find_map(|&code| Platform::of(code));
        // A PXE client that names no architecture at all is an old BIOS ROM (dnsmasq takes it for one as well).
        let old_rom = client.architectures.is_empty() && client.class == Some(Class::Pxe);
        Some(Machine { platform: named.or(old_rom.then_some(Platform::Bios)), stage })
    }

    /// For people: "UEFI x64, HTTP Boot".
    pub fn describe(&self) -> String {
        let platform = self.platform.map_or("unknown firmware", Platform::name);
        match self.stage {
            Stage::Pxe => platform.to_owned(),
            Stage::Http => format!("{platform}, HTTP Boot"),
            Stage::Ipxe => format!("{platform}, iPXE"),
            Stage::IpxeWithoutHttp => format!("{platform}, iPXE without HTTP"),
        }
    }
}
