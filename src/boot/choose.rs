//! The boot decision: a pure table from machine to answer.

use std::net::{Ipv4Addr, SocketAddrV4};

use super::ladder::{Standing, Why};
use super::loader::{Loaders, Way};
use super::{Machine, Platform, Stage, machine};
use crate::dhcp::pxe;

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

/// Decides what a machine gets that stands where `standing` says on the ladder.
pub fn choose(machine: &Machine, standing: &Standing, offer: &Offer) -> Answer {
    let boot = |file: String, why: String| pxe::Boot { file, why };
    if machine.stage == Stage::Ipxe {
        return Answer::Menu(boot(offer.url(SCRIPT), "it runs iPXE, which reads the menu by HTTP".to_owned()));
    }
    let platform = match machine.platform {
        Some(Platform::Other(code)) => return Answer::Nothing(no_loader_for(code)),
        // Its ROM takes no loader: it asks for bootcode.bin and the files beside it (CONFORMANCE Q11).
        Some(Platform::RaspberryPi) => return Answer::Nothing(RASPBERRY_PI.to_owned()),
        Some(platform) => platform,
        None => return Answer::Nothing("its firmware does not name its architecture".to_owned()),
    };
    if let (Stage::Http, Some(disc)) = (machine.stage, &offer.disc) {
        let why = "its firmware boots by HTTP, and gets the whole image".to_owned();
        return Answer::HttpLoader(boot(offer.url(disc), why));
    }
    let Some((way, file)) = standing.way.and_then(|way| Some((way, *way.files(platform).first()?))) else {
        return Answer::Nothing(format!("there is no boot loader for {}", platform.name()));
    };
    let why = reason(machine.stage, platform, way, standing.why);
    match machine.stage {
        Stage::Http if !way.works_by_http() => Answer::Nothing(only_by("PXE", "HTTP", standing.why)),
        Stage::Http => Answer::HttpLoader(boot(offer.url(file), why)),
        _ if !way.works_by_pxe() => Answer::Nothing(only_by("HTTP", "PXE", standing.why)),
        Stage::Pxe | Stage::Ipxe | Stage::IpxeWithoutHttp => Answer::Loader(boot(file.to_owned(), why)),
    }
}

const RASPBERRY_PI: &str = "it is a Raspberry Pi, which boots from files of its own that are not here, and stops at the \
                            loader of a PC";

/// Rather no file than a wrong one (RFC 4578 section 2.1; CONFORMANCE 3.6), and the code for who looks it up.
fn no_loader_for(code: u16) -> String {
    match machine::registered(code) {
        Some(name) => format!("its firmware is {name} (architecture code {code:#04x}), which no loader here is for"),
        None => format!("its firmware names architecture code {code:#04x}, which is not known here"),
    }
}

fn reason(stage: Stage, platform: Platform, way: Way, why: Why) -> String {
    let way = way.name();
    match (why, stage, platform) {
        (Why::Refused(refused), ..) => format!("it did not start {}, so it gets {way} now", refused.name()),
        (Why::Again, ..) => format!("it did not start any loader that there is, so it gets {way} once more"),
        (Why::Worked, ..) => format!("{way} is what it took before"),
        (Why::Model, ..) => format!("{way} is what another computer with a card of the same maker took"),
        (Why::Usual, Stage::Http, _) => format!("its firmware boots by HTTP, and loads {way} first"),
        (Why::Usual, Stage::IpxeWithoutHttp, _) => {
            format!("its own iPXE cannot fetch by HTTP, so it loads {way} first")
        }
        (Why::Usual, _, Platform::Bios) => format!("its BIOS boots by PXE, and loads {way} first"),
        (Why::Usual, ..) => format!("its UEFI boots by PXE, and loads {way} first"),
    }
}

/// Another answer would lead to a prompt where nothing goes on. Firmware without a boot file tries its next way by itself.
fn only_by(works: &str, asked: &str, why: Why) -> String {
    let before = match why {
        Why::Refused(_) | Why::Again => "it did not start an unsigned loader, as with Secure Boot on, and ",
        Why::Worked | Why::Model | Why::Usual => "",
    };
    format!("{before}the signed loader works by {works} only here: choose {works} instead of {asked} in its boot menu")
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::ladder::{Kept, Ladder};
    use super::super::loader::Preference;
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

    /// What a computer gets that was never seen before.
    fn given(offer: &Offer, preference: Preference, client: &Client) -> Option<Answer> {
        let machine = Machine::of(client)?;
        let mut ladder = Ladder::new(preference, false, Kept::default());
        let (standing, _) = ladder.ask(Instant::now(), client, &machine, &offer.loaders);
        Some(choose(&machine, &standing, offer))
    }

    fn file(offer: &Offer, preference: Preference, client: &Client) -> Option<String> {
        match given(offer, preference, client)? {
            Answer::Loader(boot) | Answer::HttpLoader(boot) | Answer::Menu(boot) => Some(boot.file),
            Answer::Nothing(_) => None,
        }
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
            assert_eq!(file(&offer(&ALL, 80), Preference::Auto, &client).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn the_next_loader_stands_in_for_a_missing_one() {
        let auto = Preference::Auto;
        let x64 = client(Some(Class::Pxe), &[7], None);
        assert_eq!(file(&offer(&["ipxe.efi"], 80), auto, &x64).as_deref(), Some("ipxe.efi"));
        assert_eq!(file(&offer(&[], 80), auto, &x64), None);
        assert_eq!(offer(&["ipxe.efi"], 80).loaders.unserved(), [Platform::Bios]);
        assert_eq!(file(&offer(&["shimx64.efi"], 80), auto, &x64), None, "a shim without anything to start");
        let arm = client(Some(Class::Pxe), &[11], None);
        assert_eq!(file(&offer(&["grub-http-arm64.efi"], 80), auto, &arm).as_deref(), Some("grub-http-arm64.efi"));
        let pack = offer(&["grub-http-arm64.efi", "snponly-arm64.efi"], 80);
        assert_eq!(file(&pack, auto, &arm).as_deref(), Some("snponly-arm64.efi"), "a pack brings it");
        assert_eq!(file(&offer(&["grub-http-arm64.efi"], 80), Preference::Ipxe, &arm), None, "nothing but iPXE");
    }

    #[test]
    fn what_has_no_loader_is_told_why() {
        let all = offer(&["undionly.kpxe", "snponly.efi"], 80);
        let why = |client: &Client| match given(&all, Preference::Auto, client) {
            Some(Answer::Nothing(reason)) => reason,
            other => panic!("{other:?}"),
        };
        let (pxe, http) = (Some(Class::Pxe), Some(Class::Http));
        let pi = Client { mac: "b8:27:eb:00:00:01".parse().unwrap(), ..client(pxe, &[0], None) };
        assert!(why(&pi).starts_with("it is a Raspberry Pi, "), "{}", why(&pi));
        let unknown = why(&client(pxe, &[0x63], None));
        assert_eq!(unknown, "its firmware names architecture code 0x63, which is not known here");
        let itanium = why(&client(pxe, &[2], None));
        assert_eq!(itanium, "its firmware is Itanium (architecture code 0x02), which no loader here is for");
        assert_eq!(why(&client(http, &[], None)), "its firmware does not name its architecture");
        assert_eq!(why(&client(pxe, &[10], None)), "there is no boot loader for UEFI 32-bit ARM");
    }

    #[test]
    fn the_signed_chain_is_not_given_where_it_does_not_work() {
        let signed = offer(&["snponly.efi", "shimx64.efi", "grubx64.efi"], 80);
        let (pxe, http) = (client(Some(Class::Pxe), &[7], None), client(Some(Class::Http), &[16], None));
        assert_eq!(file(&signed, Preference::Signed, &pxe).as_deref(), Some("shimx64.efi"));
        let disk = file(&signed, Preference::Signed, &http);
        assert_eq!(disk.as_deref(), Some("http://10.77.0.1/signed-x64.img"));
        // Refused by PXE, then asked by HTTP: what works is the next PXE.
        let standing = Standing { way: Some(Way::SignedGrub), why: Why::Refused(Way::Ipxe) };
        let machine = Machine::of(&http).expect("a machine");
        let Answer::Nothing(reason) = choose(&machine, &standing, &signed) else { panic!("a boot file") };
        assert!(reason.contains("works by PXE only"), "{reason}");
        let standing = Standing { way: Some(Way::SignedDisk), why: Why::Usual };
        let machine = Machine::of(&pxe).expect("a machine");
        let Answer::Nothing(reason) = choose(&machine, &standing, &signed) else { panic!("a boot file") };
        assert!(reason.contains("works by HTTP only"), "{reason}");
    }

    #[test]
    fn another_port_is_in_every_url() {
        let ipxe = client(Some(Class::Pxe), &[0], Some(Ipxe { http: true }));
        let menu = file(&offer(&[], 8080), Preference::Auto, &ipxe);
        assert_eq!(menu.as_deref(), Some("http://10.77.0.1:8080/boot.ipxe"));
    }
}
