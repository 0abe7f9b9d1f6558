//! The first script, and the path by which it asks for a computer's menu.

use super::super::{Asker, Place, Processor, made};
use super::quote::quoted;
use crate::image::Firmware;
use crate::mac::Mac;

/// Path of the first script: signed GRUBs have no other in them.
pub const CONFIG: &str = "grub/grub.cfg";

/// Set by a menu that was read, since GRUB's `source` says nothing of its success.
pub(super) const READ: &str = "bootwright";

/// Who asks for a menu, as its path says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asking {
    /// What GRUB was built for, which under UEFI is what the firmware runs.
    pub cpu: Processor,
    /// The card by which GRUB came. GRUB does not know it where it has got its address by itself (`net_bootp`).
    pub mac: Option<Mac>,
    /// Whether Secure Boot is on. GRUB says `y` in `$lockdown` then (since 2.06, `grub-core/kern/lockdown.c`); Debian's
    /// signed 2.06 does so.
    pub lockdown: bool,
}

impl Asking {
    /// Reads `grub/menu/CPU/mac-MAC/lockdown-WHETHER/menu.cfg`. `None` for any other path.
    pub fn of(path: &str) -> Option<Asking> {
        let mut parts = path.strip_prefix(made::GRUB)?.strip_prefix("/menu/")?.split('/');
        let (cpu, mac, lockdown, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if name != "menu.cfg" || parts.next().is_some() {
            return None;
        }
        let mac = match mac.strip_prefix("mac-")? {
            "" => None,
            // `Mac` forgives white space around it.
            mac => Some(mac.parse().ok().filter(|_| mac.len() == "52:54:00:77:01:01".len())?),
        };
        let cpu = [Processor::I386, Processor::X86_64, Processor::Arm64].into_iter().find(|own| word(*own) == cpu)?;
        let lockdown = match lockdown.strip_prefix("lockdown-")? {
            "" => false,
            "y" => true,
            _ => return None,
        };
        Some(Asking { cpu, mac, lockdown })
    }

    /// The path in the served tree.
    pub fn path(&self) -> String {
        let lockdown = if self.lockdown { "y" } else { "" };
        let mac = self.mac.map(|mac| mac.to_string()).unwrap_or_default();
        format!("{}/menu/{}/mac-{mac}/lockdown-{lockdown}/menu.cfg", made::GRUB, word(self.cpu))
    }

    /// What decides which entries it sees. We start GRUB on UEFI alone.
    pub fn asker(&self) -> Asker {
        Asker { firmware: Some(Firmware::Uefi), arch: Some(self.cpu) }
    }
}

/// What GRUB says in `$grub_cpu`.
fn word(cpu: Processor) -> &'static str {
    match cpu {
        Processor::I386 => "i386",
        Processor::X86_64 => "x86_64",
        Processor::Arm64 => "arm64",
    }
}

/// The first script of a GRUB that came by TFTP, or from the disk that HTTP Boot fetched, where it has no address yet. The
/// menu's entries become its own (`source`), so that Escape leads nowhere.
pub fn first(place: &Place) -> String {
    let folder = quoted(&format!("(tftp,{})/{}/menu/", place.server, made::GRUB));
    format!(
        "if [ \"$net_default_interface\" = '' ]; then\n\
         echo 'Bootwright: asking for an address'\n\
         net_bootp\n\
         fi\n\
         echo 'Bootwright: fetching the menu'\n\
         for try in 1 2 3; do\n\
         source {folder}\"$grub_cpu/mac-$net_default_mac/lockdown-$lockdown/menu.cfg\"\n\
         if [ \"${READ}\" = menu ]; then\n\
         break\n\
         fi\n\
         echo 'Bootwright: the menu cannot be read from {server}'\n\
         echo 'Is the laptop still serving?'\n\
         sleep 10\n\
         done\n\
         if [ \"${READ}\" != menu ]; then\n\
         exit 1\n\
         fi\n",
        server = place.server,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn the_first_script_is_as_its_golden_file() {
        let place = Place { base: "http://10.77.0.1:8080".into(), server: Ipv4Addr::new(10, 77, 0, 1) };
        assert_eq!(first(&place), include_str!("../../../../tests/golden/first.cfg"));
        // It asks for what can be parsed.
        let asked = "\"$grub_cpu/mac-$net_default_mac/lockdown-$lockdown/";
        let asked = first(&place).replace(asked, "x86_64/mac-52:54:00:77:01:01/lockdown-y/");
        let path = asked.split("/grub/menu/'").nth(1).and_then(|rest| rest.split('"').next()).expect("a path");
        let asking = Asking::of(&format!("grub/menu/{path}")).expect("who asks");
        assert_eq!(asking.path(), format!("grub/menu/{path}"));
    }

    #[test]
    fn only_who_can_ask_is_read() {
        let mac: Mac = "52:54:00:77:01:0a".parse().expect("an address");
        let asking = |cpu, lockdown| Some(Asking { cpu, mac: Some(mac), lockdown });
        let cases = [
            ("x86_64/mac-52:54:00:77:01:0a/lockdown-y/menu.cfg", asking(Processor::X86_64, true)),
            ("i386/mac-52-54-00-77-01-0A/lockdown-/menu.cfg", asking(Processor::I386, false)),
            ("arm64/mac-52:54:00:77:01:0a/lockdown-/menu.cfg", asking(Processor::Arm64, false)),
            ("arm64/mac-/lockdown-/menu.cfg", Some(Asking { cpu: Processor::Arm64, mac: None, lockdown: false })),
        ];
        for (path, expected) in cases {
            let found = Asking::of(&format!("grub/menu/{path}"));
            assert_eq!(found, expected, "{path}");
            assert_eq!(found.and_then(|asking| Asking::of(&asking.path())), expected, "{path}");
        }
        let mac = "mac-52:54:00:77:01:0a";
        let bad = [
            String::new(),
            "x86_64".into(),
            format!("x86_64/{mac}/lockdown-y"),
            format!("x86_64/{mac}/lockdown-y/"),
            format!("x86_64/{mac}/lockdown-y/menu.cfg/"),
            format!("x86_64/{mac}/lockdown-y/menu.cfg/x"),
            format!("/x86_64/{mac}/lockdown-y/menu.cfg"),
            "x86_64//lockdown-y/menu.cfg".into(),
            format!("x86_64/{mac}/lockdown-n/menu.cfg"),
            format!("x86_64/{mac}/y/menu.cfg"),
            format!("sparc64/{mac}/lockdown-/menu.cfg"),
            "x86_64/mac- 52:54:00:77:01:0a/lockdown-/menu.cfg".into(),
            "x86_64/52:54:00:77:01:0a/lockdown-/menu.cfg".into(),
            format!("x86_64/{mac}:01/lockdown-/menu.cfg"),
            "x86_64/../../etc/passwd".into(),
            "x86_64/mac-52:54:00:77:01:é/lockdown-/menu.cfg".into(),
            "x".repeat(100_000),
        ];
        for path in bad {
            assert_eq!(Asking::of(&format!("grub/menu/{path}")), None, "{path}");
        }
    }
}
