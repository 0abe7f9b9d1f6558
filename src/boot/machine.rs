//! What kind of computer asks.

use serde::{Deserialize, Serialize};

use crate::dhcp::pxe::{Class, Client};
use crate::mac::Mac;

/// What a Raspberry Pi's network cards begin with (IEEE's list of Raspberry Pi Trading and Raspberry Pi (Trading) Ltd;
/// Smee has the first of them). Its ROM names architecture 0 as a PC BIOS does, and nothing else tells it apart.
const RASPBERRY_PI: [[u8; 3]; 7] = [
    [0xb8, 0x27, 0xeb],
    [0xdc, 0xa6, 0x32],
    [0xe4, 0x5f, 0x01],
    [0xd8, 0x3a, 0xdd],
    [0x2c, 0xcf, 0x67],
    [0x28, 0xcd, 0xc1],
    [0x88, 0xa2, 0x9e],
];
/// The code that Smee answers Raspberry Pis under: "ARM rpiboot" in the registry.
const RPIBOOT: u16 = 0x29;

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
    /// A Raspberry Pi's own ROM: 41, and 0 from one of its network cards.
    RaspberryPi,
    /// A code that we have no loader for, known or not.
    Other(u16),
}

/// The names of the codes that are no platform of ours (the registry; CONFORMANCE section 3).
pub(super) fn registered(code: u16) -> Option<&'static str> {
    Some(match code {
        0x01 => "NEC PC98",
        0x02 => "Itanium",
        0x03 => "DEC Alpha",
        0x04 => "Arc x86",
        0x05 => "Intel Lean Client",
        0x08 => "Xscale",
        0x0c => "PowerPC Open Firmware",
        0x0d => "PowerPC ePAPR",
        0x0e => "POWER OPAL v3",
        0x11 => "EFI byte code by HTTP",
        0x15 | 0x17 => "ARM 32-bit U-Boot",
        0x16 | 0x18 => "ARM 64-bit U-Boot",
        0x19 | 0x1a => "RISC-V 32-bit UEFI",
        0x1b | 0x1c => "RISC-V 64-bit UEFI",
        0x1d | 0x1e => "RISC-V 128-bit UEFI",
        0x1f | 0x20 => "IBM Z",
        0x21 | 0x22 => "MIPS UEFI",
        0x23 | 0x24 => "Sunway UEFI",
        0x25 | 0x26 => "LoongArch 32-bit UEFI",
        0x27 | 0x28 => "LoongArch 64-bit UEFI",
        _ => return None,
    })
}

impl Platform {
    /// Those that a loader may be there for.
    pub const ALL: [Platform; 5] =
        [Platform::Bios, Platform::EfiX64, Platform::EfiIa32, Platform::EfiArm64, Platform::EfiArm32];

    /// The platform of an architecture code; `None` for those that we have no loader for.
    pub fn of(code: u16) -> Option<Platform> {
        match code {
            0 | 20 => Some(Platform::Bios),
            7 | 9 | 16 => Some(Platform::EfiX64),
            6 | 15 => Some(Platform::EfiIa32),
            11 | 19 => Some(Platform::EfiArm64),
            10 | 18 => Some(Platform::EfiArm32),
            RPIBOOT => Some(Platform::RaspberryPi),
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
            Platform::RaspberryPi => "Raspberry Pi",
            Platform::Other(code) => registered(code).unwrap_or("unknown firmware"),
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
    /// Firmware and processor; none where it names none.
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
        let other = || client.architectures.first().map(|&code| Platform::Other(code));
        let platform = match named.or(old_rom.then_some(Platform::Bios)).or_else(other) {
            Some(Platform::Bios) if stage == Stage::Pxe && is_raspberry_pi(client.mac) => Some(Platform::RaspberryPi),
            other => other,
        };
        Some(Machine { platform, stage })
    }

    /// For people: "UEFI x64, HTTP Boot".
    pub fn describe(&self) -> String {
        let platform = match self.platform {
            Some(Platform::Other(code)) => format!("{} ({code:#04x})", Platform::Other(code).name()),
            platform => platform.map_or("unknown firmware", Platform::name).to_owned(),
        };
        match self.stage {
            Stage::Pxe => platform,
            Stage::Http => format!("{platform}, HTTP Boot"),
            Stage::Ipxe => format!("{platform}, iPXE"),
            Stage::IpxeWithoutHttp => format!("{platform}, iPXE without HTTP"),
        }
    }
}

fn is_raspberry_pi(mac: Mac) -> bool {
    let Mac([a, b, c, ..]) = mac;
    RASPBERRY_PI.contains(&[a, b, c])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dhcp::pxe::Ipxe;

    fn client(mac: &str, class: Class, architectures: &[u16], ipxe: Option<Ipxe>) -> Client {
        let (vendor_class, user_class, uuid) = (None, None, None);
        let (mac, architectures) = (mac.parse().unwrap(), architectures.to_vec());
        Client { mac, class: Some(class), vendor_class, user_class, architectures, uuid, ipxe }
    }

    /// CONFORMANCE section 3, the whole table, and what the registry has beyond it.
    #[test]
    fn every_registered_code_is_a_platform_or_has_a_name() {
        use Platform::{Bios, EfiArm32, EfiArm64, EfiIa32, EfiX64, RaspberryPi};
        let ours = [
            (Bios, &[0x00, 0x14][..]),
            (EfiX64, &[0x07, 0x09, 0x10]),
            (EfiIa32, &[0x06, 0x0f]),
            (EfiArm64, &[0x0b, 0x13]),
            (EfiArm32, &[0x0a, 0x12]),
            (RaspberryPi, &[0x29]),
        ];
        for code in 0..=RPIBOOT {
            assert_ne!(Platform::of(code).is_some(), registered(code).is_some(), "{code:#04x}");
        }
        for (platform, codes) in ours {
            for &code in codes {
                assert_eq!(Platform::of(code), Some(platform), "{code:#04x}");
            }
        }
        for code in [RPIBOOT + 1, 0xffff] {
            assert_eq!((Platform::of(code), registered(code)), (None, None), "{code:#04x}");
        }
    }

    #[test]
    fn a_raspberry_pi_is_told_by_its_card_where_it_says_that_it_is_a_pc() {
        let pi = "dc:a6:32:01:02:03";
        let ipxe = Some(Ipxe { http: true });
        let cases = [
            ("its ROM", client(pi, Class::Pxe, &[0], None), Some(Platform::RaspberryPi)),
            ("a newer one", client("88:a2:9e:01:02:03", Class::Pxe, &[], None), Some(Platform::RaspberryPi)),
            ("by its code", client("52:54:00:77:01:01", Class::Pxe, &[0x29], None), Some(Platform::RaspberryPi)),
            ("a PC", client("52:54:00:77:01:01", Class::Pxe, &[0], None), Some(Platform::Bios)),
            ("UEFI on one", client(pi, Class::Pxe, &[11], None), Some(Platform::EfiArm64)),
            ("HTTP Boot on one", client(pi, Class::Http, &[19], None), Some(Platform::EfiArm64)),
            ("a guest of one, by iPXE", client(pi, Class::Pxe, &[0], ipxe), Some(Platform::Bios)),
            ("RISC-V", client(pi, Class::Pxe, &[0x1b], None), Some(Platform::Other(0x1b))),
        ];
        for (name, client, expected) in cases {
            assert_eq!(Machine::of(&client).and_then(|machine| machine.platform), expected, "{name}");
        }
    }

    #[test]
    fn a_code_that_is_not_ours_is_in_the_description() {
        let describe = |code| Machine::of(&client("52:54:00:77:01:01", Class::Pxe, &[code], None)).unwrap().describe();
        assert_eq!(describe(0x1b), "RISC-V 64-bit UEFI (0x1b)");
        assert_eq!(describe(0x63), "unknown firmware (0x63)");
    }
}
