//! The boot decision: a pure table from machine to answer.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::loader::Loaders;
use super::{Machine, Platform, Stage};
use crate::dhcp::{Policy, pxe};

/// What there is to give.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Our address and HTTP port. URLs name the address and never a name: firmware may have no DNS.
    pub http: SocketAddrV4,
    /// The loaders.
    pub loaders: Loaders,
    /// The path of an image that UEFI HTTP Boot gets instead of a loader.
    pub disc: Option<String>,
}

/// Path of the first script that iPXE gets.
pub const SCRIPT: &str = "boot.ipxe";

impl Offer {
    /// The URL of a path of the served tree. Port 80 is left out: some firmware is said to stumble over it.
    pub fn url(&self, path: &str) -> String {
        match self.http.port() {
            80 => format!("http://{}/{path}", self.http.ip()),
            port => format!("http://{}:{port}/{path}", self.http.ip()),
        }
    }

    /// Our address.
    pub fn address(&self) -> Ipv4Addr {
        *self.http.ip()
    }
}

/// What a machine gets, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A loader by TFTP.
    Loader(pxe::Boot),
    /// The same loader by URL.
    HttpLoader(pxe::Boot),
    /// The menu script by URL.
    Menu(pxe::Boot),
    /// No boot file rather than a wrong one, and the reason.
    Nothing(String),
}

/// Decides what a machine gets.
pub fn choose(machine: &Machine, offer: &Offer) -> Answer {
    let boot = |file: String, why: &str| pxe::Boot { file, why: why.to_owned() };
    if machine.stage == Stage::Ipxe {
        return Answer::Menu(boot(offer.url(SCRIPT), "it runs iPXE, which reads the menu by HTTP"));
    }
    let Some(platform) = machine.platform else {
        return Answer::Nothing("its firmware names an architecture that we have no loader for".to_owned());
    };
    if let (Stage::Http, Some(disc)) = (machine.stage, &offer.disc) {
        return Answer::HttpLoader(boot(offer.url(disc), "its firmware boots by HTTP, and gets the whole image"));
    }
    let Some(loader) = offer.loaders.first_for(platform) else {
        return Answer::Nothing(format!("there is no boot loader for {}", platform.name()));
    };
    let file = loader.file();
    match machine.stage {
        Stage::Http => Answer::HttpLoader(boot(offer.url(file), "its firmware boots by HTTP, and loads iPXE first")),
        Stage::IpxeWithoutHttp => {
            Answer::Loader(boot(file.to_owned(), "its own iPXE cannot fetch by HTTP, so it loads ours first"))
        }
        Stage::Pxe if platform == Platform::Bios => {
            Answer::Loader(boot(file.to_owned(), "its BIOS boots by PXE, and loads iPXE first"))
        }
        Stage::Pxe | Stage::Ipxe => {
            Answer::Loader(boot(file.to_owned(), "its UEFI boots by PXE, and loads iPXE first"))
        }
    }
}

impl Policy for Offer {
    fn boot(&self, client: &pxe::Client) -> Option<pxe::Boot> {
        match choose(&Machine::of(client)?, self) {
            Answer::Loader(boot) | Answer::HttpLoader(boot) | Answer::Menu(boot) => Some(boot),
            Answer::Nothing(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dhcp::pxe::{Class, Client, Ipxe};

    fn offer(names: &[&str], port: u16) -> Offer {
        let folder = tempfile::tempdir().expect("a folder");
        for name in names {
            std::fs::write(folder.path().join(name), b"loader").expect("written");
        }
        let loaders = Loaders::find(&[folder.path().to_path_buf()]);
        Offer { http: SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 1), port), loaders, disc: None }
    }

    fn client(class: Option<Class>, architectures: &[u16], ipxe: Option<Ipxe>) -> Client {
        Client {
            mac: "52:54:00:77:01:01".parse().unwrap(),
            class,
            vendor_class: None,
            user_class: None,
            architectures: architectures.to_vec(),
            uuid: None,
            ipxe,
        }
    }

    #[test]
    fn each_machine_gets_its_file() {
        const ALL: [&str; 4] = ["undionly.kpxe", "ipxe.pxe", "snponly.efi", "ipxe.efi"];
        let (pxe, http, none) = (Some(Class::Pxe), Some(Class::Http), None);
        let (full, cut) = (Some(Ipxe { http: true }), Some(Ipxe { http: false }));
        let menu = Some("http://10.77.0.1/boot.ipxe");
        let cases: [(&str, Client, Option<&str>); 18] = [
            ("BIOS ROM", client(pxe, &[0], None), Some("undionly.kpxe")),
            ("x64 UEFI says 7", client(pxe, &[7], None), Some("snponly.efi")),
            ("x64 UEFI says 9", client(pxe, &[9], None), Some("snponly.efi")),
            ("unknown code first", client(pxe, &[77, 7], None), Some("snponly.efi")),
            ("x64 HTTP Boot", client(http, &[16], None), Some("http://10.77.0.1/snponly.efi")),
            ("x64 HTTP Boot with PXE's code", client(http, &[7], None), Some("http://10.77.0.1/snponly.efi")),
            ("iPXE ROM in a BIOS", client(pxe, &[0], full), menu),
            ("our iPXE in a UEFI", client(pxe, &[7], full), menu),
            ("iPXE of an architecture without loader", client(pxe, &[11], full), menu),
            ("iPXE that names no class", client(none, &[], full), menu),
            ("iPXE without HTTP", client(pxe, &[0], cut), Some("undionly.kpxe")),
            ("ia32 UEFI, no loader", client(pxe, &[6], None), None),
            ("ARM64 UEFI, no loader", client(pxe, &[11], None), None),
            ("ARM64 HTTP Boot, no loader", client(http, &[19], None), None),
            ("unknown architecture", client(pxe, &[99], None), None),
            ("old ROM without architecture", client(pxe, &[], None), Some("undionly.kpxe")),
            ("HTTP Boot without architecture", client(http, &[], None), None),
            ("an ordinary client", client(none, &[], None), None),
        ];
        for (name, client, expected) in cases {
            let boot = offer(&ALL, 80).boot(&client);
            assert_eq!(boot.as_ref().map(|boot| boot.file.as_str()), expected, "{name}");
        }
    }

    #[test]
    fn the_next_loader_stands_in_for_a_missing_one() {
        let x64 = client(Some(Class::Pxe), &[7], None);
        assert_eq!(offer(&["ipxe.efi"], 80).boot(&x64).map(|boot| boot.file).as_deref(), Some("ipxe.efi"));
        assert_eq!(offer(&[], 80).boot(&x64), None);
        assert_eq!(offer(&["ipxe.efi"], 80).loaders.unserved(), [Platform::Bios]);
        let arm = client(Some(Class::Pxe), &[11], None);
        assert!(offer(&["snponly-arm64.efi"], 80).boot(&arm).is_some(), "a pack brings it");
    }

    #[test]
    fn another_port_is_in_every_url() {
        let ipxe = client(Some(Class::Pxe), &[0], Some(Ipxe { http: true }));
        let boot = offer(&[], 8080).boot(&ipxe).expect("a menu");
        assert_eq!(boot.file, "http://10.77.0.1:8080/boot.ipxe");
    }
}
