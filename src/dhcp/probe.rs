//! The other side's question: what a client broadcasts to find DHCP servers, and what one offers it. Asked by us before
//! we serve, to learn who else gives addresses on a network.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use dhcproto::v4::{DhcpOption, Flags, Message, MessageType, OptionCode};
use dhcproto::{Encodable, Encoder};

use super::code;
use super::message::{COOKIE, HEADER, MINIMUM, PAD, options};
use crate::mac::Mac;
use crate::text;

/// Longest boot file name that is kept: the `file` field is shorter, and a URL in option 67 fits.
const NAME: usize = 255;

/// What a DHCP server said to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Who it says it is.
    pub server: Ipv4Addr,
    /// The network card that its answer came from, where that can be seen; behind a relay agent it is the agent's.
    pub mac: Option<Mac>,
    /// The address that it would give us.
    pub address: Option<Ipv4Addr>,
    /// The router that it names.
    pub router: Option<Ipv4Addr>,
    /// What it would have us boot, safe to print: such a server boots computers already.
    pub boot_file: Option<String>,
}

impl Answer {
    /// That this server is there, and nothing about what it offers.
    pub fn from_server(server: Ipv4Addr) -> Answer {
        Answer { server, mac: None, address: None, router: None, boot_file: None }
    }
}

/// The DISCOVER of a client with this hardware address. `None` only if the codec refuses, which no input makes it.
///
/// It is to be our interface's own address: a server then offers what it would give us anyway, and its pool does not
/// shrink by an address for a computer that never comes. The answer must be broadcast, for we have no address in the
/// server's network and share the port with the system's own client, where one socket only would get a unicast.
pub fn discover(mac: Mac, xid: u32) -> Option<Vec<u8>> {
    let zero = Ipv4Addr::UNSPECIFIED;
    let mut message = Message::new_with_id(xid, zero, zero, zero, zero, &mac.0);
    message.set_flags(Flags::default().set_broadcast());
    let wanted = vec![
        OptionCode::SubnetMask,
        OptionCode::Router,
        OptionCode::DomainNameServer,
        OptionCode::TFTPServerName,
        OptionCode::BootfileName,
    ];
    let options = message.opts_mut();
    options.insert(DhcpOption::MessageType(MessageType::Discover));
    options.insert(DhcpOption::ParameterRequestList(wanted));
    let mut packet = Vec::with_capacity(MINIMUM);
    message.encode(&mut Encoder::new(&mut packet)).ok()?;
    if packet.len() < MINIMUM {
        packet.resize(MINIMUM, PAD);
    }
    Some(packet)
}

/// What a DHCP server says to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// OFFER, ACK or NAK.
    pub kind: MessageType,
    /// The transaction.
    pub xid: u32,
    /// The client.
    pub client: Mac,
    /// What it says.
    pub answer: Answer,
}

impl Said {
    /// Whether it is of a server that hands out addresses. One that only says what to boot names none (PXE 2.1 chapter 2),
    /// and a NAK has none to name.
    pub fn gives_addresses(&self) -> bool {
        self.kind == MessageType::Nak || self.answer.address.is_some()
    }
}

/// Reads the OFFER that answers our DISCOVER; every other packet is `None` and never a panic.
pub fn offer(bytes: &[u8], xid: u32, mac: Mac) -> Option<Answer> {
    let said = said(bytes)?;
    (said.kind == MessageType::Offer && said.xid == xid && said.client == mac).then_some(said.answer)
}

/// Reads what a server says to any client; every other packet is `None` and never a panic.
///
/// Tolerant, as whoever is there must be noticed: options that are cut off or badly made are as if they were not there.
/// A server that does not name itself in option 54 is taken to be the one in `siaddr`.
pub fn said(bytes: &[u8]) -> Option<Said> {
    let header = bytes.get(..HEADER)?;
    if !header.starts_with(&[2, 1, 6]) || bytes.get(HEADER..HEADER + 4)? != COOKIE {
        return None;
    }
    let found = options(bytes);
    let &[kind] = found.get(&53)?.as_slice() else { return None };
    let kind = MessageType::from(kind);
    if !matches!(kind, MessageType::Offer | MessageType::Ack | MessageType::Nak) {
        return None;
    }
    let answer = Answer {
        server: option_address(&found, 54).or_else(|| address(header.get(20..24)?))?,
        mac: None,
        address: address(header.get(16..20)?),
        router: option_address(&found, 3),
        boot_file: boot_file(header, &found),
    };
    let xid = u32::from_be_bytes(header.get(4..8)?.try_into().ok()?);
    Some(Said { kind, xid, client: Mac(header.get(28..34)?.try_into().ok()?), answer })
}

/// The first address in an option.
fn option_address(found: &BTreeMap<u8, Vec<u8>>, code: u8) -> Option<Ipv4Addr> {
    address(found.get(&code)?.get(..4)?)
}

fn address(octets: &[u8]) -> Option<Ipv4Addr> {
    let octets: [u8; 4] = octets.try_into().ok()?;
    Some(Ipv4Addr::from(octets)).filter(|address| !address.is_unspecified())
}

/// Option 67, else the `file` field where that holds no options (bit 0 of option 52).
fn boot_file(header: &[u8], found: &BTreeMap<u8, Vec<u8>>) -> Option<String> {
    let overloaded = found.get(&52).and_then(|how| how.first()).is_some_and(|how| how & 1 != 0);
    let field = header.get(108..HEADER).filter(|_| !overloaded);
    let option = found.get(&code::BOOT_FILE).map(Vec::as_slice);
    [option, field].into_iter().flatten().find_map(name)
}

/// The text before the first zero, if there is any.
fn name(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.split(|&byte| byte == 0).next()?;
    let name = text::plain(&String::from_utf8_lossy(bytes), NAME);
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dhcp::Request;

    const MAC: Mac = Mac([0x52, 0x54, 0, 0x77, 0, 1]);
    const XID: u32 = 0xcafe_0001;
    const SERVER: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);

    /// An OFFER, by hand: `yiaddr` 192.168.1.50, `siaddr` 192.168.1.2, and these options.
    fn packet(options: &[(u8, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0u8; HEADER];
        bytes[..3].copy_from_slice(&[2, 1, 6]);
        bytes[4..8].copy_from_slice(&XID.to_be_bytes());
        bytes[16..20].copy_from_slice(&[192, 168, 1, 50]);
        bytes[20..24].copy_from_slice(&[192, 168, 1, 2]);
        bytes[28..34].copy_from_slice(&MAC.0);
        bytes.extend_from_slice(&COOKIE);
        for (code, value) in options {
            bytes.push(*code);
            bytes.push(value.len() as u8);
            bytes.extend_from_slice(value);
        }
        bytes.push(255);
        bytes
    }

    fn good() -> Vec<u8> {
        packet(&[(53, &[2]), (54, &SERVER.octets()), (3, &[192, 168, 1, 254, 9, 9, 9, 9]), (67, b"pxelinux.0\0")])
    }

    #[test]
    fn a_discover_is_what_a_server_reads() {
        let bytes = discover(MAC, XID).expect("encoded");
        assert_eq!(bytes.len(), 300);
        assert_eq!(bytes[4..8], XID.to_be_bytes());
        assert_eq!(bytes[10..12], [0x80, 0], "broadcast");
        let request = Request::parse(&bytes).expect("readable");
        assert_eq!((request.kind, request.mac), (MessageType::Discover, MAC));
        assert_eq!(request.option(55), Some([1, 3, 6, 66, 67].as_slice()));
        assert_eq!(request.option(60), None, "a PXE server beside the DHCP server stays silent");
    }

    #[test]
    fn a_word_to_another_client_is_heard_and_no_answer_of_ours() {
        for (kind, expected) in [(2, MessageType::Offer), (5, MessageType::Ack), (6, MessageType::Nak)] {
            let mut bytes = packet(&[(53, &[kind]), (54, &SERVER.octets())]);
            bytes[33] = 9;
            let said = said(&bytes).expect("a server's word");
            assert_eq!((said.kind, said.client.0[5], said.answer.server), (expected, 9, SERVER));
            assert_eq!(offer(&bytes, XID, MAC), None);
            assert!(said.gives_addresses());
            bytes[16..20].fill(0);
            assert_eq!(super::said(&bytes).map(|said| said.gives_addresses()), Some(kind == 6), "a ProxyDHCP offer");
        }
        for kind in [1u8, 3, 4, 7, 8, 0] {
            assert_eq!(said(&packet(&[(53, &[kind]), (54, &SERVER.octets())])), None, "{kind} is a client's");
        }
    }

    #[test]
    fn an_offer_tells_who_it_is_and_what_it_gives() {
        let answer = offer(&good(), XID, MAC).expect("an offer");
        let expected = Answer {
            server: SERVER,
            mac: None,
            address: Some(Ipv4Addr::new(192, 168, 1, 50)),
            router: Some(Ipv4Addr::new(192, 168, 1, 254)),
            boot_file: Some("pxelinux.0".into()),
        };
        assert_eq!(answer, expected);
    }

    #[test]
    fn every_truncation_is_an_answer_and_no_panic() {
        let whole = good();
        // The type of the message ends at byte 243; what comes behind it may be missing.
        for length in 0..whole.len() {
            assert_eq!(offer(&whole[..length], XID, MAC).is_some(), length >= 243, "{length}");
        }
    }

    #[test]
    fn what_is_no_offer_to_us_is_none() {
        for (at, to) in [(0, 1), (1, 6), (2, 16), (2, 255), (4, 0), (7, 9), (28, 0), (236, 0), (242, 5)] {
            let mut bytes = good();
            bytes[at] = to;
            assert_eq!(offer(&bytes, XID, MAC), None, "{at}");
        }
        assert_eq!(offer(&packet(&[]), XID, MAC), None, "BOOTP has no type");
        assert_eq!(offer(&discover(MAC, XID).expect("encoded"), XID, MAC), None, "our own question");
    }

    #[test]
    fn a_server_that_does_not_name_itself_is_the_next_server() {
        let next = Some(Ipv4Addr::new(192, 168, 1, 2));
        for options in [&[(53, [2].as_slice())][..], &[(53, &[2]), (54, &[0; 4])], &[(53, &[2]), (54, &[1, 2])]] {
            assert_eq!(offer(&packet(options), XID, MAC).map(|answer| answer.server), next);
        }
        let mut nobody = packet(&[(53, &[2])]);
        nobody[20..24].fill(0);
        assert_eq!(offer(&nobody, XID, MAC), None);
    }

    #[test]
    fn a_boot_file_may_be_in_the_field_and_is_safe_to_print() {
        let file = |bytes: &[u8]| offer(bytes, XID, MAC).expect("an offer").boot_file;
        let mut bytes = packet(&[(53, &[2])]);
        assert_eq!(file(&bytes), None);
        bytes[108..116].copy_from_slice(b"a\x1b[2J\n\0b");
        assert_eq!(file(&bytes).as_deref(), Some("a·[2J"), "a line's end at the end is trimmed");
        let mut overloaded = packet(&[(53, &[2]), (52, &[1])]);
        overloaded[108..112].copy_from_slice(&[12, 1, b'x', 255]);
        assert_eq!(file(&overloaded), None, "those are options");
    }
}
