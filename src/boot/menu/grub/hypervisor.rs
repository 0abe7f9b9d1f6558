//! What starts a hypervisor: for iPXE as a script for one entry on one computer, and as an entry of GRUB's own menu.
//!
//! iPXE starts GRUB (`grub-http-x64.efi`) and hands it the address of the script, with all that only the computer knows in
//! its path.

use std::net::Ipv4Addr;

use super::super::{Item, Own, Place, arguments, ipxe, modules};
use super::Reach;
use super::quote::{quoted, words};
use crate::mac::Mac;

/// What the path of a script says of the computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Computer {
    mac: String,
    ip: String,
    gateway: String,
    netmask: String,
}

impl Computer {
    /// Reads `MAC_IP_GATEWAY_MASK`, as iPXE fills it in. A part that the computer does not have is empty.
    pub fn parse(text: &str) -> Option<Computer> {
        let mut parts = text.split('_');
        let mac = parts.next()?.parse::<Mac>().ok()?.to_string().replace(':', "-");
        let mut address = || {
            let part = parts.next()?;
            (part.is_empty() || part.parse::<Ipv4Addr>().is_ok()).then(|| part.to_owned())
        };
        let (ip, gateway, netmask) = (address()?, address()?, address()?);
        parts.next().is_none().then_some(Computer { mac, ip, gateway, netmask })
    }

    /// What is known here of a computer that asks for its menu. Its router is not.
    pub fn known(mac: Option<Mac>, ip: Ipv4Addr, netmask: Ipv4Addr) -> Computer {
        let mac = mac.map(|mac| mac.to_string().replace(':', "-")).unwrap_or_default();
        Computer { mac, ip: ip.to_string(), gateway: String::new(), netmask: netmask.to_string() }
    }

    pub(super) fn own(&self) -> Own<'_> {
        Own { mac_dashes: &self.mac, ip: &self.ip, gateway: &self.gateway, netmask: &self.netmask }
    }
}

/// The script that starts a hypervisor with its modules. `None` for an entry without kernel. `answer` is the address of the
/// answer file.
pub fn script(item: &Item, place: &Place, append: &str, computer: &Computer, answer: Option<&str>) -> Option<String> {
    let commands = commands(item, place, append, &computer.own(), answer)?;
    let mut script = format!("echo {}\n", quoted(&format!("Bootwright: {}", ipxe::text(&item.entry.title))));
    // GRUB has no `&&`. A hypervisor without its modules would start, and stop at once.
    commands.iter().for_each(|command| script.push_str(&format!("if {command}; then\n")));
    script.push_str("boot\n");
    script.push_str(&"fi\n".repeat(commands.len()));
    Some(script)
}

/// The commands that load a hypervisor and its modules, of a GRUB with HTTP. `None` for an entry without kernel.
pub(super) fn commands(
    item: &Item,
    place: &Place,
    append: &str,
    own: &Own,
    answer: Option<&str>,
) -> Option<Vec<String>> {
    let line = |command: &str, url: String, arguments: &str| {
        format!("{command} {}{}", Reach::Http.local(place, &url), words(arguments))
    };
    // Unpacked from here, since GRUB's own unpacking goes back and forth in a file, which by HTTP fetches it anew.
    let kernel = place.unpacked(item, &ipxe::url_path(item.entry.kernel.as_ref()?));
    let first = line("multiboot2", kernel, &arguments(item, place, append, own, answer));
    let modules = modules(item, place, append, own, answer)
        .into_iter()
        .map(|(path, arguments)| line("module2", format!("{}{}", place.tree(item), ipxe::url_path(path)), &arguments));
    Some(std::iter::once(first).chain(modules).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::menu::{items, tests::inspection};
    use crate::image::{AnswerKind, Answering, Boot};

    fn hypervisor() -> Item {
        let mut item = items(&[inspection("/x.iso", "xcp-ng", &[""])]).remove(0);
        item.entry.boot = Boot::Multiboot;
        item.entry.kernel = Some("/boot/xen.gz".into());
        item.entry.cmdline = "com1=115200,8n1 console=com1".into();
        item.entry.initrd = vec!["/boot/vm linuz".into(), "/install.img".into()];
        item.entry.module_arguments = vec!["ip={client_ip}:::{mask} BOOTIF=01-{mac_dashes}".into()];
        item.entry.answering =
            Some(Answering { kind: AnswerKind::Other, arguments: "answerfile={answer_url} install".into() });
        item
    }

    fn place(base: &str) -> Place {
        Place { base: base.into(), server: Ipv4Addr::new(10, 77, 0, 1) }
    }

    fn computer() -> Computer {
        Computer::parse("52-54-00-77-01-01_10.77.0.129__255.255.255.0").expect("a computer")
    }

    #[test]
    fn a_hypervisor_gets_its_own_arguments_and_its_system_the_rest() {
        let answer = Some("http://10.77.0.1/answer/t/answer");
        let script = script(&hypervisor(), &place("http://10.77.0.1:8080"), "quiet", &computer(), answer);
        let expected = "\
echo 'Bootwright: xcp-ng of xcp-ng'
if multiboot2 (http,10.77.0.1:8080)/unpacked/xcp-ng/boot/xen.gz 'com1=115200,8n1' 'console=com1'; then
if module2 (http,10.77.0.1:8080)/image/xcp-ng/boot/vm%20linuz 'ip=10.77.0.129:::255.255.255.0' \
'BOOTIF=01-52-54-00-77-01-01' 'answerfile=http://10.77.0.1/answer/t/answer' 'install' 'quiet'; then
if module2 (http,10.77.0.1:8080)/image/xcp-ng/install.img; then
boot
fi
fi
fi
";
        assert_eq!(script.as_deref(), Some(expected));
    }

    #[test]
    fn hostile_text_stays_between_quotes() {
        let mut item = hypervisor();
        item.entry.title = "'; reboot #\n$x".into();
        item.entry.cmdline = "a';halt;' \u{7}$prefix `x` ; reboot".into();
        let script = script(&item, &place("http://10.77.0.1"), "", &computer(), None).expect("a script");
        let words = r"'a'\'';halt;'\''' '?$prefix' '`x`' ';' 'reboot'; then";
        assert!(script.contains(words), "{script}");
        assert_eq!(script.lines().filter(|line| line.contains("reboot")).count(), 2, "{script}");
        assert!(script.starts_with(r"echo 'Bootwright: '\''; reboot"), "{script}");
    }

    #[test]
    fn only_what_a_computer_can_say_is_read() {
        let full = Computer::parse("52-54-00-77-01-01_10.77.0.129_10.77.0.1_255.255.255.0").expect("a computer");
        assert_eq!(full.gateway, "10.77.0.1");
        let mac = "52-54-00-77-01-01";
        for bad in
            ["", mac, &format!("{mac}_a_b_c"), &format!("{mac}____"), "x_1.2.3.4__", &format!("{mac}_1.2.3.4_$x_")]
        {
            assert_eq!(Computer::parse(bad), None, "{bad}");
        }
    }
}
