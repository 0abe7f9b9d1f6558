//! The DHCP packets that each firmware sends, and what it makes of the answers (WIRE.md sections 1 to 4).

use std::net::Ipv4Addr;

use super::firmware::{Dialect, Firmware};
use crate::dhcp::message::{COOKIE, HEADER, options};
use crate::dhcp::pxe::sub_options;
use crate::dhcp::{code, port};
use crate::mac::Mac;
use crate::text;

/// Options that clients list in option 55: UEFI's PXE, its HTTP Boot, and iPXE.
const UEFI_PXE: &[u8] = &[
    1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 66, 67, 97, 128, 129,
    130, 131, 132, 133, 134, 135,
];
const UEFI_HTTP: &[u8] =
    &[1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60, 235, 67, 97];
const IPXE: &[u8] =
    &[1, 3, 6, 7, 12, 15, 17, 26, 43, 60, 66, 67, 119, 128, 129, 130, 131, 132, 133, 134, 135, 175, 203];
/// The features that iPXE lists in option 175: HTTP (19) and menus (39) among them.
const FEATURES: [u8; 36] = [
    0xb1, 5, 1, 0x1a, 0xf4, 0x10, 0, 0xeb, 3, 1, 0, 0, 17, 1, 1, 18, 1, 1, 19, 1, 1, 21, 1, 1, 23, 1, 1, 24, 1, 1, 33,
    1, 1, 39, 1, 1,
];
/// Longest text that is taken from an answer.
const LONGEST: usize = 255;

/// What a client wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Who is there.
    Discover,
    /// It takes this address from this server.
    Request {
        /// The address.
        address: Ipv4Addr,
        /// The server.
        server: Ipv4Addr,
    },
    /// On port 4011: what to boot. It has this address.
    BootServer {
        /// The address.
        address: Ipv4Addr,
    },
}

/// The packet of a client. `tries` counts from 0.
pub fn packet(firmware: Firmware, dialect: Dialect, mac: Mac, question: Question, tries: u16) -> Vec<u8> {
    let mut bytes = vec![0u8; HEADER];
    let mut put = |at: usize, value: &[u8]| {
        if let Some(field) = bytes.get_mut(at..at + value.len()) {
            field.copy_from_slice(value);
        }
    };
    put(0, &[1, 1, 6]);
    put(4, &xid(mac, dialect));
    // iPXE's is its number of tries times four, UEFI's are seconds (0, 4, 12).
    put(8, &(tries * 4).to_be_bytes());
    let broadcasts = dialect == Dialect::Own && firmware.is_uefi();
    put(10, if broadcasts { &[0x80, 0] } else { &[0, 0] });
    if let Question::BootServer { address } = question {
        put(12, &address.octets());
    }
    put(28, &mac.0);
    bytes.extend_from_slice(&COOKIE);
    for (code, value) in said(firmware, dialect, mac, question) {
        bytes.push(code);
        bytes.push(u8::try_from(value.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(&value);
    }
    bytes.push(255);
    bytes.resize(bytes.len().max(300), 0);
    bytes
}

fn xid(mac: Mac, dialect: Dialect) -> [u8; 4] {
    let [.., a, b, c] = mac.0;
    [0xb0 | u8::from(dialect == Dialect::Ipxe), a, b, c]
}

fn said(firmware: Firmware, dialect: Dialect, mac: Mac, question: Question) -> Vec<(u8, Vec<u8>)> {
    let kind = if question == Question::Discover { 1 } else { 3 };
    let ipxe = dialect == Dialect::Ipxe || firmware == Firmware::BiosRom;
    let largest: [u8; 2] = match question {
        // A slip in its byte order, which all of EDK2 has.
        Question::Request { .. } if broadly(firmware, dialect) => [0xff, 0],
        _ => 1472u16.to_be_bytes(),
    };
    let mut all = vec![(53, vec![kind]), (57, largest.to_vec())];
    if let Question::Request { address, server } = question {
        all.extend([(50, address.octets().to_vec()), (54, server.octets().to_vec())]);
    }
    let list = match () {
        () if ipxe || !firmware.is_uefi() => IPXE,
        () if firmware.is_http() => UEFI_HTTP,
        () => UEFI_PXE,
    };
    all.push((55, list.to_vec()));
    let undi: [u8; 3] = match (firmware.is_uefi(), dialect) {
        (false, _) => [1, 2, 1],
        (true, Dialect::Own) => [1, 3, 0],
        (true, Dialect::Ipxe) => [1, 3, 10],
    };
    let architecture = match dialect {
        Dialect::Own => firmware.architecture(),
        Dialect::Ipxe => firmware.architecture_by_pxe(),
    };
    let class = if firmware.is_http() && dialect == Dialect::Own { "HTTPClient" } else { "PXEClient" };
    let [_, major, minor] = undi;
    let class = format!("{class}:Arch:{architecture:05}:UNDI:{major:03}{minor:03}");
    let uuid = [&[0u8], mac.0.as_slice(), b"bootwright".as_slice()].concat();
    all.extend([
        (code::ARCHITECTURE, architecture.to_be_bytes().to_vec()),
        (code::UNDI, undi.to_vec()),
        (code::CLASS, class.into_bytes()),
        (code::UUID, uuid),
    ]);
    if ipxe {
        all.extend([
            (code::USER_CLASS, b"iPXE".to_vec()),
            (code::CLIENT_ID, [&[1u8], mac.0.as_slice()].concat()),
            (code::IPXE, FEATURES.to_vec()),
        ]);
    }
    all
}

fn broadly(firmware: Firmware, dialect: Dialect) -> bool {
    firmware.is_uefi() && dialect == Dialect::Own && !firmware.is_http()
}

/// The port that a question goes to: whether it is that of boot servers.
pub fn is_for_boot_server(question: Question) -> bool {
    matches!(question, Question::BootServer { .. })
}

/// Where a question comes from.
pub fn source(firmware: Firmware, question: Question) -> std::net::SocketAddrV4 {
    match question {
        // EDK2 asks from that very port, other ROMs from their usual one.
        Question::BootServer { address } if firmware.is_uefi() => std::net::SocketAddrV4::new(address, port::PXE),
        Question::BootServer { address } => std::net::SocketAddrV4::new(address, port::CLIENT),
        _ => std::net::SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port::CLIENT),
    }
}

/// What a server answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Its type, option 53: 2 is an offer, 5 an acknowledgement, 6 a refusal.
    pub kind: u8,
    /// The address that it gives.
    pub address: Option<Ipv4Addr>,
    /// The server that has the boot file: `siaddr`.
    pub next_server: Option<Ipv4Addr>,
    /// Who it is: option 54.
    pub server: Option<Ipv4Addr>,
    /// Option 60.
    pub class: String,
    /// The boot file in the field for it.
    pub field: String,
    /// The boot file in option 67.
    pub option: String,
    /// Whether option 43 tells to take this very offer.
    pub take_this: bool,
}

impl Answer {
    /// Reads an answer to this computer; `None` for what is none, or is cut off.
    pub fn read(bytes: &[u8], mac: Mac) -> Option<Answer> {
        let header = bytes.get(..HEADER)?;
        if bytes.get(HEADER..HEADER + 4)? != COOKIE || header.first() != Some(&2) || header.get(28..34)? != mac.0 {
            return None;
        }
        let found = options(bytes);
        let address = |octets: &[u8]| {
            let octets: [u8; 4] = octets.try_into().ok()?;
            Some(Ipv4Addr::from(octets)).filter(|address| !address.is_unspecified())
        };
        let text = |bytes: &[u8]| {
            let name = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
            text::plain(&String::from_utf8_lossy(name), LONGEST)
        };
        let option = |code: u8| found.get(&code).map(Vec::as_slice).unwrap_or_default();
        Some(Answer {
            kind: *option(53).first()?,
            address: address(header.get(16..20)?),
            next_server: address(header.get(20..24)?),
            server: address(option(54)),
            class: text(option(code::CLASS)),
            field: text(header.get(108..HEADER)?),
            option: text(option(code::BOOT_FILE)),
            take_this: sub_options(option(code::VENDOR)).any(|(code, value)| (code, value) == (6, [8].as_slice())),
        })
    }

    /// The boot file as clients read it: the option, and the field where there is none.
    pub fn file(&self) -> &str {
        if self.option.is_empty() { &self.field } else { &self.option }
    }
}

/// What firmware stumbles over in an answer that names a boot file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shortcoming {
    /// It does not name the server of the boot file, and iPXE and others go nowhere without.
    NoNextServer,
    /// HTTP Boot ignores offers that do not say `HTTPClient`.
    NoHttpClass,
    /// PXE firmware ignores a second server's offer that does not say `PXEClient`.
    NoPxeClass,
    /// shim and old ROMs read the field alone, and it is empty.
    FieldEmpty,
    /// The field and option 67 name different files.
    TwoNames,
}

/// Looks an answer over as the strictest firmware of its kind does. `beside` says that another server gives the addresses.
pub fn shortcoming(firmware: Firmware, dialect: Dialect, answer: &Answer, beside: bool) -> Option<Shortcoming> {
    let own_http = firmware.is_http() && dialect == Dialect::Own;
    let fits_field = answer.file().len() < 128;
    match () {
        () if answer.next_server.is_none() => Some(Shortcoming::NoNextServer),
        () if own_http && !answer.class.starts_with("HTTPClient") => Some(Shortcoming::NoHttpClass),
        () if beside && !own_http && !answer.class.starts_with("PXEClient") => Some(Shortcoming::NoPxeClass),
        () if answer.field.is_empty() && fits_field => Some(Shortcoming::FieldEmpty),
        () if !answer.field.is_empty() && !answer.option.is_empty() && answer.field != answer.option => {
            Some(Shortcoming::TwoNames)
        }
        () => None,
    }
}

/// Whether a client goes on to port 4011 after this offer of boot information (WIRE.md section 4): UEFI's PXE always but
/// where it is told to take the offer, and others only where it names no file.
pub fn asks_boot_server(firmware: Firmware, dialect: Dialect, offer: &Answer) -> bool {
    let pxe = !(firmware.is_http() && dialect == Dialect::Own) && offer.class.starts_with("PXEClient");
    match () {
        () if !pxe || offer.take_this && !offer.file().is_empty() => false,
        () if firmware.is_uefi() && dialect == Dialect::Own => true,
        () => offer.file().is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::{Machine, Platform, Stage};
    use crate::dhcp::Request;
    use crate::dhcp::pxe::Client;

    const MAC: Mac = Mac([2, 0x62, 0x77, 0, 0, 1]);

    fn machine(firmware: Firmware, dialect: Dialect) -> (Machine, Request) {
        let bytes = packet(firmware, dialect, MAC, Question::Discover, 0);
        let request = Request::parse(&bytes).unwrap();
        (Machine::of(&Client::of(&request)).unwrap(), request)
    }

    #[test]
    fn each_firmware_is_taken_for_what_it_is() {
        let cases = [
            (Firmware::BiosRom, Platform::Bios, Stage::Ipxe),
            (Firmware::BiosPlain, Platform::Bios, Stage::Pxe),
            (Firmware::X64Pxe, Platform::EfiX64, Stage::Pxe),
            (Firmware::X64Secure, Platform::EfiX64, Stage::Pxe),
            (Firmware::Ia32Pxe, Platform::EfiIa32, Stage::Pxe),
            (Firmware::Arm64Pxe, Platform::EfiArm64, Stage::Pxe),
            (Firmware::X64Http, Platform::EfiX64, Stage::Http),
            (Firmware::Arm64Http, Platform::EfiArm64, Stage::Http),
        ];
        for (firmware, platform, stage) in cases {
            let (machine, request) = machine(firmware, Dialect::Own);
            assert_eq!((machine.platform, machine.stage), (Some(platform), stage), "{firmware:?}");
            assert_eq!(request.option(97).map(<[u8]>::len), Some(17), "{firmware:?}");
            let (machine, _) = self::machine(firmware, Dialect::Ipxe);
            assert_eq!((machine.platform, machine.stage), (Some(platform), Stage::Ipxe), "{firmware:?} with iPXE");
        }
        assert_eq!(machine(Firmware::X64Pxe, Dialect::Own).1.option(94), Some([1, 3, 0].as_slice()));
        assert_eq!(machine(Firmware::X64Pxe, Dialect::Own).1.option(61), None, "UEFI sends none");
    }

    #[test]
    fn the_way_to_the_boot_server_is_that_of_each_firmware() {
        let offer = |file: &str, take_this| Answer {
            class: "PXEClient".into(),
            option: file.into(),
            take_this,
            ..Answer::default()
        };
        let asks = |firmware, offer: &Answer| asks_boot_server(firmware, Dialect::Own, offer);
        assert!(!asks(Firmware::X64Pxe, &offer("a", true)));
        assert!(asks(Firmware::X64Pxe, &offer("a", false)));
        assert!(asks(Firmware::X64Pxe, &offer("", true)));
        assert!(!asks(Firmware::BiosPlain, &offer("a", false)));
        assert!(asks(Firmware::BiosPlain, &offer("", false)));
        assert!(!asks_boot_server(Firmware::X64Pxe, Dialect::Ipxe, &offer("a", false)));
        assert!(!asks(Firmware::X64Pxe, &Answer { class: String::new(), ..offer("a", false) }));
    }

    #[test]
    fn every_truncation_is_an_answer_and_no_panic() {
        let mut bytes = packet(Firmware::X64Pxe, Dialect::Own, MAC, Question::Discover, 0);
        bytes[0] = 2;
        for length in 0..bytes.len() {
            let _ = Answer::read(&bytes[..length], MAC);
        }
        assert!(Answer::read(&bytes, MAC).is_some());
        assert!(Answer::read(&bytes, Mac([0; 6])).is_none(), "to another computer");
    }
}
