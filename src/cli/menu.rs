//! `bootwright menu`: the menu that a computer would get.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::ValueEnum;

use super::{Status, complain, complain_of_recipes, out};
use crate::boot::menu::{self, Asker, Default, Menu, Place, Processor, grub, ipxe};
use crate::check;
use crate::deployment::MENU_TIMEOUT;
use crate::image::{self, Firmware, Inspection};

/// What is wanted.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// An ISO file; repeatable, the menu has them in this order
    #[arg(long, value_name = "FILE", required = true)]
    image: Vec<PathBuf>,
    /// The loader that shows it [default: ipxe; grub for efi-ia32 and efi-arm64]
    #[arg(long = "for", value_name = "LOADER")]
    loader: Option<Language>,
    /// The computer's firmware
    #[arg(long, value_name = "FIRMWARE", default_value = "efi-x64")]
    firmware: Kind,
}

/// A menu language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Language {
    Ipxe,
    Grub,
}

/// A computer's firmware and processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    Bios,
    EfiX64,
    EfiIa32,
    EfiArm64,
}

impl Kind {
    /// The processor that its loader is built for.
    fn processor(self) -> Processor {
        match self {
            Kind::Bios | Kind::EfiIa32 => Processor::I386,
            Kind::EfiX64 => Processor::X86_64,
            Kind::EfiArm64 => Processor::Arm64,
        }
    }

    fn asker(self) -> Asker {
        let firmware = if self == Kind::Bios { Firmware::Bios } else { Firmware::Uefi };
        Asker { firmware: Some(firmware), arch: Some(self.processor()) }
    }

    /// Debian has iPXE for two of them.
    fn language(self) -> Language {
        match self {
            Kind::Bios | Kind::EfiX64 => Language::Ipxe,
            Kind::EfiIa32 | Kind::EfiArm64 => Language::Grub,
        }
    }
}

/// An address that is nobody's (RFC 5737), where the served interface's stands on a cable.
const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// Another one for the computer.
const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
/// Netmask of the network that has both.
const NETMASK: Ipv4Addr = Ipv4Addr::new(255, 255, 255, 0);

pub(super) fn run(options: Options) -> Status {
    complain_of_recipes();
    let Options { image, loader, firmware } = options;
    let language = loader.unwrap_or(firmware.language());
    if (language, firmware) == (Language::Grub, Kind::Bios) {
        complain("A computer with a BIOS gets no GRUB from here. Write --for ipxe, or another --firmware.");
        return Status::Wrong;
    }
    let mut inspections: Vec<Inspection> = Vec::new();
    for file in &image {
        match image::inspect(file) {
            Ok((_, inspection)) => inspections.push(inspection),
            Err(error) => {
                complain(&check::explain_disc(&error).sentence());
                return Status::Wrong;
            }
        }
    }
    let (items, timeout) = (menu::items(&inspections), MENU_TIMEOUT);
    let menu = Menu { items, default: Default::Local, timeout, append: String::new() };
    out(&script(&menu, language, firmware));
    if menu.fitting(firmware.asker()).is_empty() { Status::Cannot } else { Status::Done }
}

fn script(menu: &Menu, language: Language, firmware: Kind) -> String {
    let place = Place { base: format!("http://{SERVER}"), server: SERVER };
    match language {
        Language::Ipxe => ipxe::menu(menu, firmware.asker(), &place, &|_| None, &|_| None),
        Language::Grub => {
            let asking = grub::Asking { cpu: firmware.processor(), mac: None, lockdown: false };
            let (ip, netmask, reach) = (CLIENT, NETMASK, grub::Reach::Http);
            let client = grub::Client { asking, reach, ip, netmask, secure: None };
            grub::menu(menu, &client, &place, &|_| None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::menu::tests::inspection;

    #[test]
    fn each_computer_gets_its_own_menu() {
        let mut items = menu::items(&[inspection("/a.iso", "arch", &["", "-bios", "-arm"])]);
        items[1].entry.firmware = vec![Firmware::Bios];
        items[2].entry.arch = "aarch64".into();
        let menu = Menu { items, default: Default::Local, timeout: MENU_TIMEOUT, append: String::new() };
        let lines = |language, firmware| {
            let script = script(&menu, language, firmware);
            let entry = |line: &&str| line.starts_with("item ") || line.starts_with("menuentry ");
            script.lines().filter(entry).map(str::to_owned).collect::<Vec<_>>()
        };
        let own = "item local Its own disk, as always";
        let bios = [own, "item arch arch of arch", "item arch-bios arch-bios of arch"];
        assert_eq!(lines(Language::Ipxe, Kind::Bios), bios);
        assert_eq!(lines(Language::Ipxe, Kind::EfiX64), [own, "item arch arch of arch"]);
        let own = "menuentry 'Its own disk, as always' --id 'local' {";
        let arm = [own, "menuentry 'arch-arm of arch' --id 'arch-arm' {"];
        assert_eq!(lines(Kind::EfiArm64.language(), Kind::EfiArm64), arm);
        let linux = [own, "menuentry 'arch of arch' --id 'arch' {"];
        assert_eq!(lines(Kind::EfiIa32.language(), Kind::EfiIa32), linux);
        let script = script(&menu, Language::Grub, Kind::EfiX64);
        assert!(script.contains("linux '(http,192.0.2.1)/image/arch/vmlinuz' 'boot=live'; then"), "{script}");
    }
}
