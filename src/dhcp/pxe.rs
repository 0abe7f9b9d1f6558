//! What a network-booting client says of itself, and what it is told (PXE 2.1 chapter 2, RFC 4578, UEFI 2.10 section
//! 24.7, iPXE's own option 175).

use std::net::Ipv4Addr;

use dhcproto::v4::{DhcpOption, OptionCode, UnknownOption};
use serde::{Deserialize, Serialize};

use super::code;
use super::message::{Reply, Request};
use crate::mac::Mac;

/// Option 43 of every PXE answer: discovery control (6) with bit 3, "take the boot file from this offer and ask nobody".
///
/// An offer with option 60 and without this makes EDK2 ask port 4011 and fail when nobody answers there, and makes BIOS
/// ROMs hunt for boot servers (seen; CONFORMANCE Q1, Q4).
pub const TAKE_THIS_OFFER: [u8; 4] = [6, 1, 8, 255];

/// Option 175 of answers to iPXE in full mode: `no-pxedhcp` (176) = 1. Saves the 3 s for which iPXE would wait for a
/// ProxyDHCP offer (measured: REQUEST 10 ms after the OFFER instead of 3.0 s).
pub const NO_PROXY_WAIT: [u8; 3] = [176, 1, 1];

/// iPXE's feature sub-options in option 175 (its `features.h`).
const FEATURE_HTTP: u8 = 19;

/// PXE boot item, a sub-option of 43.
const BOOT_ITEM: u8 = 71;

/// Longest text kept of what a client says of itself, in bytes.
const TEXT_LIMIT: usize = 128;

/// Which protocol the firmware wants its first program by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Option 60 begins with `PXEClient`: TFTP.
    Pxe,
    /// Option 60 begins with `HTTPClient`: UEFI HTTP Boot.
    Http,
}

/// What a client says of itself in a DHCP message. Nothing of it is trusted to be true or harmless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its network card.
    pub mac: Mac,
    /// PXE or HTTP Boot; none for a client that does not network-boot.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub class: Option<Class>,
    /// Option 60, printable.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vendor_class: Option<String>,
    /// Option 77, printable.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user_class: Option<String>,
    /// Architecture codes of option 93, or the one in option 60's text.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub architectures: Vec<u16>,
    /// The SMBIOS UUID of option 97, as SMBIOS tools print it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uuid: Option<String>,
    /// iPXE, in a ROM or loaded before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ipxe: Option<Ipxe>,
}

/// What iPXE says it can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ipxe {
    /// Whether it can fetch by HTTP. VirtualBox's cut-down ROM cannot (CONFORMANCE Q15).
    pub http: bool,
}

/// What a computer is to boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    /// A name for TFTP, or a whole URL.
    pub file: String,
    /// Why this one, in a sentence for people.
    pub why: String,
}

impl Client {
    /// Reads what the client says of itself.
    pub fn of(request: &Request) -> Client {
        let class_text = request.option(code::CLASS);
        let class = class_text.and_then(|text| match text {
            _ if text.starts_with(b"PXEClient") => Some(Class::Pxe),
            _ if text.starts_with(b"HTTPClient") => Some(Class::Http),
            _ => None,
        });
        Client {
            mac: request.mac,
            class,
            vendor_class: class_text.map(printable),
            user_class: request.option(code::USER_CLASS).map(|raw| printable(user_class(raw))),
            architectures: architectures(request.option(code::ARCHITECTURE), class_text),
            uuid: request.option(code::UUID).and_then(uuid),
            ipxe: ipxe(request),
        }
    }
}

/// Whether a client is UEFI firmware that boots by PXE: codes from 6 on (pixiecore and dnsmasq draw the line there too).
/// iPXE in a UEFI is no firmware.
pub fn is_uefi_by_pxe(client: &Client) -> bool {
    let uefi = client.architectures.first().is_some_and(|code| *code >= 6);
    client.class == Some(Class::Pxe) && client.ipxe.is_none() && uefi
}

/// Adds what a network-booting client needs to an answer. `full` says that the answer also gives the address, so that
/// no other server's boot information is to be waited for.
///
/// A client that does not say `PXEClient` or `HTTPClient` never sees options 60 and 43 (RFC 2132 section 9.13).
pub fn add_boot(reply: &mut Reply, request: &Request, client: &Client, boot: &Boot, server: Ipv4Addr, full: bool) {
    match client.class {
        Some(Class::Pxe) => {
            reply.option(DhcpOption::ClassIdentifier(b"PXEClient".to_vec()));
            reply.option(DhcpOption::VendorExtensions(vendor_options(request)));
        }
        // Without it the firmware ignores the URL, or the whole offer (UEFI 2.10 section 24.7; EDK2).
        Some(Class::Http) => {
            reply.option(DhcpOption::ClassIdentifier(b"HTTPClient".to_vec()));
        }
        None => {}
    }
    if full && client.ipxe.is_some() {
        let option = UnknownOption::new(OptionCode::from(code::IPXE), NO_PROXY_WAIT.to_vec());
        reply.option(DhcpOption::Unknown(option));
    }
    reply.boot_server(server, |code| request.wants(code)).boot_file(&boot.file);
}

/// Option 43 of an answer. A client that chose from a PXE boot menu gets its boot item (71) back; we offer none, but
/// ROMs remember the menu of another server.
fn vendor_options(request: &Request) -> Vec<u8> {
    match boot_item(request) {
        Some(item) => [&[6, 1, 8, BOOT_ITEM, 4], item.as_slice(), &[255]].concat(),
        None => TAKE_THIS_OFFER.to_vec(),
    }
}

/// The boot item that a client asks a boot server for: type and layer (PXE 2.1 section 2.2.3).
pub fn boot_item(request: &Request) -> Option<[u8; 4]> {
    let vendor = request.option(code::VENDOR)?;
    sub_options(vendor).find(|&(code, _)| code == BOOT_ITEM)?.1.try_into().ok()
}

/// iPXE is told by its user class or by option 175; its ROM builds send both, some chain-loaded ones only one.
fn ipxe(request: &Request) -> Option<Ipxe> {
    let options = request.option(code::IPXE);
    let says_so = request.option(code::USER_CLASS).map(user_class) == Some(b"iPXE");
    if !says_so && options.is_none() {
        return None;
    }
    // Without any feature list there is nothing to doubt HTTP by.
    let features: Vec<u8> = options.map(sub_options).into_iter().flatten().map(|(code, _)| code).collect();
    let lists_features = features.iter().any(|code| (16..=44).contains(code));
    Some(Ipxe { http: !lists_features || features.contains(&FEATURE_HTTP) })
}

/// The sub-options of an encapsulated option, up to its end or the first broken one.
pub fn sub_options(raw: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut rest = raw;
    std::iter::from_fn(move || {
        loop {
            match rest {
                [0, tail @ ..] => rest = tail,
                [] | [255, ..] | [_] => return None,
                [code, length, tail @ ..] => {
                    let (value, tail) = tail.split_at_checked(usize::from(*length))?;
                    rest = tail;
                    return Some((*code, value));
                }
            }
        }
    })
}

/// iPXE sends its user class raw, RFC 3004 wants a length byte before it; take both.
fn user_class(raw: &[u8]) -> &[u8] {
    match raw {
        [length, text @ ..] if usize::from(*length) == text.len() => text,
        _ => raw,
    }
}

/// The codes of option 93, or else the one in `PXEClient:Arch:00007:…`.
fn architectures(list: Option<&[u8]>, class: Option<&[u8]>) -> Vec<u16> {
    let codes: Vec<u16> = list
        .filter(|raw| raw.len() % 2 == 0)
        .map(|raw| raw.as_chunks().0.iter().map(|&pair| u16::from_be_bytes(pair)).collect())
        .unwrap_or_default();
    if !codes.is_empty() {
        return codes;
    }
    let from_text = || {
        let text = std::str::from_utf8(class?).ok()?;
        let (_, tail) = text.split_once(":Arch:")?;
        tail.get(..5)?.parse().ok()
    };
    from_text().into_iter().collect()
}

/// SMBIOS keeps the first three fields of a UUID little-endian; people read them big-endian.
fn uuid(raw: &[u8]) -> Option<String> {
    let [0, a, b, c, d, e, f, g, h, tail @ ..] = raw else { return None };
    let tail: [u8; 8] = tail.try_into().ok()?;
    let ordered = [*d, *c, *b, *a, *f, *e, *h, *g];
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (time_low, rest) = ordered.split_at(4);
    let (time_mid, time_high) = rest.split_at(2);
    let (clock, node) = tail.split_at(2);
    Some([time_low, time_mid, time_high, clock, node].map(hex).join("-"))
}

/// Text from a packet, safe to show: printable ASCII only, the rest as `.`, and not too long. A terminating zero goes.
fn printable(raw: &[u8]) -> String {
    let text = raw.strip_suffix(&[0]).unwrap_or(raw);
    text.iter().take(TEXT_LIMIT).map(|&byte| if matches!(byte, 0x20..=0x7e) { char::from(byte) } else { '.' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dhcp::message::tests::discover;

    #[test]
    fn architectures_come_from_the_list_or_the_text() {
        let cases: [(Option<&[u8]>, Option<&[u8]>, &[u16]); 7] = [
            (Some(&[0, 7]), None, &[7]),
            (Some(&[0, 9, 0, 7]), None, &[9, 7]),
            (Some(&[0]), Some(b"PXEClient:Arch:00000:UNDI:002001"), &[0]),
            (Some(&[]), Some(b"PXEClient:Arch:00016:UNDI:003000"), &[16]),
            (Some(&[0, 7, 1]), Some(b"PXEClient"), &[]),
            (None, Some(b"PXEClient:Arch:"), &[]),
            (None, None, &[]),
        ];
        for (list, class, expected) in cases {
            assert_eq!(architectures(list, class), expected, "{list:?} {class:?}");
        }
    }

    #[test]
    fn ipxe_is_told_by_either_mark_and_its_features() {
        let bare = discover(&[(60, b"PXEClient")]);
        let cases: [(&str, Request, Option<Ipxe>); 6] = [
            ("firmware", bare, None),
            ("raw user class", discover(&[(77, b"iPXE")]), Some(Ipxe { http: true })),
            ("RFC 3004 user class", discover(&[(77, b"\x04iPXE")]), Some(Ipxe { http: true })),
            ("features with HTTP", discover(&[(175, &[19, 1, 1, 33, 1, 1])]), Some(Ipxe { http: true })),
            ("features without HTTP", discover(&[(175, &[33, 1, 1, 34, 1, 1])]), Some(Ipxe { http: false })),
            ("broken features", discover(&[(175, &[19, 200, 1])]), Some(Ipxe { http: true })),
        ];
        for (name, request, expected) in cases {
            assert_eq!(Client::of(&request).ipxe, expected, "{name}");
        }
    }

    #[test]
    fn uuid_is_printed_as_people_know_it() {
        // What QEMU's OVMF sends for -uuid 00112233-4455-6677-8899-aabbccddeeff.
        let raw = [0, 0x33, 0x22, 0x11, 0, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff];
        assert_eq!(uuid(&raw).as_deref(), Some("00112233-4455-6677-8899-aabbccddeeff"));
        assert_eq!(uuid(&raw[..16]), None);
        assert_eq!(uuid(&[]), None);
    }

    #[test]
    fn hostile_text_is_defused() {
        assert_eq!(printable(b"a\x1b[31m\n${x}\0"), "a.[31m.${x}");
        assert_eq!(printable(&[b'x'; 300]).len(), TEXT_LIMIT);
    }
}
