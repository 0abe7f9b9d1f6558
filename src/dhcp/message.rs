//! DHCP messages: dhcproto's codec, with what it lacks.
//!
//! dhcproto reads the header and the typed options and writes replies. Beside it the options are scanned once more as
//! plain bytes, since it keeps only the first architecture of option 93, ignores options in `sname` and `file` (52), and
//! takes option 82 apart, which must go back byte for byte. It does not check the magic cookie and panics on a hardware
//! address longer than 16, so both are checked before.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use dhcproto::v4::{DhcpOption, HType, Message, MessageType, Opcode, OptionCode};
use dhcproto::{Decodable, Decoder, Encodable, Encoder};

use super::code;
use crate::mac::Mac;

/// Fixed part of a BOOTP message before the magic cookie, in bytes (RFC 951).
pub const HEADER: usize = 236;
/// The magic cookie behind it (RFC 2131 section 3).
pub const COOKIE: [u8; 4] = [99, 130, 83, 99];
/// Some relay agents and ROMs drop shorter messages (RFC 1542 section 2.1).
pub(super) const MINIMUM: usize = 300;
/// Every client takes this much UDP payload: 576 bytes of IP packet less the IP and UDP headers (RFC 2131 section 2).
const SAFE: usize = 576 - 28;
/// EDK2 ignores longer answers (its `PxeBcDhcp4.h`), whatever option 57 says; UEFI's REQUEST says 65280 by a slip.
const LIMIT: usize = 1472;
/// Longest `file` field with its terminating zero (RFC 2131 section 2).
const FILE_FIELD: usize = 128;

const HOST_NAME: u8 = 12;
const OVERLOAD: u8 = 52;
pub(super) const PAD: u8 = 0;
const END: u8 = 255;

/// Why bytes are no DHCP request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Shorter than the fixed header.
    #[error("too short for a DHCP message ({0} bytes)")]
    Short(usize),
    /// No magic cookie: plain BOOTP or noise.
    #[error("no DHCP magic cookie")]
    Cookie,
    /// A reply, or an unknown operation.
    #[error("not a request")]
    NotARequest,
    /// Not an Ethernet address.
    #[error("hardware address of type {htype} with {hlen} bytes")]
    Hardware {
        /// Hardware type (RFC 1700).
        htype: u8,
        /// Its length in bytes.
        hlen: u8,
    },
    /// No option 53: a BOOTP request, which gets no answer (RFC 1534 section 2 leaves that free).
    #[error("no message type")]
    NoType,
    /// The codec refused it.
    #[error("{0}")]
    Codec(String),
}

/// A client's message.
#[derive(Clone, Debug)]
pub struct Request {
    /// The message type, option 53.
    pub kind: MessageType,
    /// The client's hardware address.
    pub mac: Mac,
    /// The address that the client has (zero where the message type forbids one).
    pub ciaddr: Ipv4Addr,
    /// The relay agent; zero for a client on our own link.
    pub giaddr: Ipv4Addr,
    message: Message,
    raw: BTreeMap<u8, Vec<u8>>,
}

impl Request {
    /// Reads a client's message; every other packet is an error and never a panic.
    pub fn parse(bytes: &[u8]) -> Result<Request, Malformed> {
        let header = bytes.get(..HEADER).ok_or(Malformed::Short(bytes.len()))?;
        if bytes.get(HEADER..HEADER + 4) != Some(&COOKIE) {
            return Err(Malformed::Cookie);
        }
        let [op, htype, hlen, ..] = *header else { return Err(Malformed::Short(bytes.len())) };
        if op != 1 {
            return Err(Malformed::NotARequest);
        }
        if hlen != 6 {
            return Err(Malformed::Hardware { htype, hlen });
        }
        let raw = options(bytes);
        let whole = unfolded(bytes, &raw);
        let message =
            Message::decode(&mut Decoder::new(&whole)).map_err(|error| Malformed::Codec(error.to_string()))?;
        let kind = match raw.get(&53).map(Vec::as_slice) {
            Some(&[kind]) => MessageType::from(kind),
            _ => return Err(Malformed::NoType),
        };
        let octets = message.chaddr().try_into().map_err(|_| Malformed::Hardware { htype, hlen })?;
        // Some clients leave their old address in a DISCOVER, or in a REQUEST that names the new one in option 50
        // (CONFORMANCE Q17); it means nothing there.
        let stale = kind == MessageType::Discover || (kind == MessageType::Request && raw.contains_key(&50));
        let ciaddr = if stale { Ipv4Addr::UNSPECIFIED } else { message.ciaddr() };
        Ok(Request { kind, mac: Mac(octets), ciaddr, giaddr: message.giaddr(), message, raw })
    }

    /// For how many seconds the client has been asking, as it says itself.
    pub fn secs(&self) -> u16 {
        self.message.secs()
    }

    /// The bytes of an option, its pieces joined (RFC 3396).
    pub fn option(&self, code: u8) -> Option<&[u8]> {
        self.raw.get(&code).map(Vec::as_slice)
    }

    /// Option 50, the address that the client asks for.
    pub fn requested(&self) -> Option<Ipv4Addr> {
        self.address_option(50)
    }

    /// Option 54, the server that the client chose.
    pub fn server(&self) -> Option<Ipv4Addr> {
        self.address_option(54)
    }

    fn address_option(&self, code: u8) -> Option<Ipv4Addr> {
        let octets: [u8; 4] = self.option(code)?.try_into().ok()?;
        Some(Ipv4Addr::from(octets))
    }

    /// Whether the client lists this option in its parameter request list (55). One without a list takes what it gets.
    pub fn wants(&self, code: u8) -> bool {
        self.option(55).is_none_or(|list| list.contains(&code))
    }

    /// Whether the client ends its texts with a zero, and so expects it of ours: Microsoft's do, and dnsmasq answers
    /// them alike (its `rfc2131.c`; CONFORMANCE Q18).
    fn ends_texts_with_zero(&self) -> bool {
        self.option(HOST_NAME).is_some_and(|name| name.last() == Some(&0))
    }

    /// What identifies the client: option 61, else hardware type and address (RFC 2131 section 4.2).
    pub fn client_key(&self) -> Vec<u8> {
        match self.option(code::CLIENT_ID) {
            Some(id) if !id.is_empty() => id.to_vec(),
            _ => [&[u8::from(self.message.htype())], self.mac.0.as_slice()].concat(),
        }
    }

    /// Most bytes of UDP payload that the client takes in an answer.
    fn room(&self) -> usize {
        let said: Option<[u8; 2]> = self.option(57).and_then(|raw| raw.try_into().ok());
        let said = said.map_or(0, |raw| usize::from(u16::from_be_bytes(raw)).saturating_sub(28));
        said.clamp(SAFE, LIMIT)
    }
}

/// The message type of a packet, whoever sent it; none where it is no DHCP.
pub fn kind(bytes: &[u8]) -> Option<MessageType> {
    if bytes.get(HEADER..HEADER + 4) != Some(&COOKIE) {
        return None;
    }
    match options(bytes).get(&53).map(Vec::as_slice) {
        Some(&[kind]) => Some(MessageType::from(kind)),
        _ => None,
    }
}

/// All options of a packet as bytes, pieces joined, with those in `file` and `sname` where option 52 says so.
/// Reading stops at the first one that is cut off.
pub fn options(bytes: &[u8]) -> BTreeMap<u8, Vec<u8>> {
    let mut found = BTreeMap::new();
    scan(bytes.get(HEADER + 4..).unwrap_or_default(), &mut found);
    for field in overloaded(bytes, &found) {
        scan(field, &mut found);
    }
    found
}

fn scan(mut rest: &[u8], found: &mut BTreeMap<u8, Vec<u8>>) {
    loop {
        match rest {
            [PAD, tail @ ..] => rest = tail,
            [] | [END, ..] | [_] => return,
            [code, length, tail @ ..] => {
                let Some((value, tail)) = tail.split_at_checked(usize::from(*length)) else { return };
                found.entry(*code).or_default().extend_from_slice(value);
                rest = tail;
            }
        }
    }
}

/// The header fields that hold options too: `file` first, then `sname` (RFC 3396 section 5).
fn overloaded<'a>(bytes: &'a [u8], found: &BTreeMap<u8, Vec<u8>>) -> Vec<&'a [u8]> {
    let how = match found.get(&OVERLOAD).map(Vec::as_slice) {
        Some(&[how]) => how,
        _ => 0,
    };
    let file = bytes.get(108..HEADER).filter(|_| how & 1 != 0);
    let sname = bytes.get(44..108).filter(|_| how & 2 != 0);
    [file, sname].into_iter().flatten().collect()
}

/// The packet as dhcproto can read it: every option behind the cookie.
fn unfolded(bytes: &[u8], raw: &BTreeMap<u8, Vec<u8>>) -> Vec<u8> {
    let extra = overloaded(bytes, raw);
    if extra.is_empty() {
        return bytes.to_vec();
    }
    let mut whole = bytes.get(..HEADER + 4).unwrap_or_default().to_vec();
    for (&code, value) in raw.iter().filter(|&(&code, _)| code != OVERLOAD) {
        for piece in value.chunks(255) {
            whole.push(code);
            whole.push(u8::try_from(piece.len()).unwrap_or(u8::MAX));
            whole.extend_from_slice(piece);
        }
    }
    whole.push(END);
    whole
}

/// An answer in the making. Fields that the request fixes are set from the start (RFC 2131 table 3).
#[derive(Debug)]
pub struct Reply {
    message: Message,
    /// Option 67 with its zero.
    boot_file: Vec<u8>,
    relay_information: Option<Vec<u8>>,
    room: usize,
    zero_ends_texts: bool,
}

impl Reply {
    /// An answer of this type from this server: transaction, hardware address, flags and relay copied, hops and secs
    /// zero, and options 54, 61 (RFC 6842), 82 (RFC 3046) and 97 as they came.
    pub fn to(request: &Request, kind: MessageType, server: Ipv4Addr) -> Reply {
        let asked = &request.message;
        let zero = Ipv4Addr::UNSPECIFIED;
        let mut message = Message::new_with_id(asked.xid(), zero, zero, zero, request.giaddr, asked.chaddr());
        message.set_opcode(Opcode::BootReply).set_htype(HType::from(u8::from(asked.htype()))).set_flags(asked.flags());
        let options = message.opts_mut();
        options.insert(DhcpOption::MessageType(kind));
        options.insert(DhcpOption::ServerIdentifier(server));
        if let Some(id) = request.option(code::CLIENT_ID) {
            options.insert(DhcpOption::ClientIdentifier(id.to_vec()));
        }
        // PXE 2.1 wants it back; a client with an odd one is served all the same.
        if let Some(uuid) = request.option(code::UUID).filter(|uuid| uuid.len() == 17) {
            options.insert(DhcpOption::ClientMachineIdentifier(uuid.to_vec()));
        }
        let relay_information = request.option(code::RELAY).map(<[u8]>::to_vec);
        let zero_ends_texts = request.ends_texts_with_zero();
        Reply { message, boot_file: Vec::new(), relay_information, room: request.room(), zero_ends_texts }
    }

    /// The address that the client gets.
    pub fn give(&mut self, address: Ipv4Addr) -> &mut Reply {
        self.message.set_yiaddr(address);
        self
    }

    /// The address that the client has, for answers to those that have one.
    pub fn keep(&mut self, address: Ipv4Addr) -> &mut Reply {
        self.message.set_ciaddr(address);
        self
    }

    /// A relay must broadcast this answer whatever the client's flag says: a NAK (RFC 2131 section 4.3.2), and a
    /// ProxyDHCP offer, which has no address that a relay could send it to (dnsmasq does so; CONFORMANCE Q16).
    pub fn broadcast(&mut self) -> &mut Reply {
        self.message.set_flags(self.message.flags().set_broadcast());
        self
    }

    /// Adds an option.
    pub fn option(&mut self, option: DhcpOption) -> &mut Reply {
        self.message.opts_mut().insert(option);
        self
    }

    /// Takes an option out again.
    pub fn remove(&mut self, code: OptionCode) -> &mut Reply {
        self.message.opts_mut().remove(code);
        self
    }

    /// Names the boot file in both places: the `file` field, which shim and old ROMs read, and option 67 with a
    /// trailing zero, which others read (EDK2 writes a zero behind it). A URL too long for the field is in 67 only.
    pub fn boot_file(&mut self, file: &str) -> &mut Reply {
        if file.len() < FILE_FIELD {
            self.message.set_fname(file.as_bytes());
        }
        self.boot_file = [file.as_bytes(), &[0]].concat();
        self
    }

    /// Names the server of the boot file everywhere a client may look: `siaddr` always (OVMF and iPXE go nowhere without
    /// it), `sname` and option 66 as text, 150 as address (some vendors read only that).
    pub fn boot_server(&mut self, server: Ipv4Addr, wants: impl Fn(u8) -> bool) -> &mut Reply {
        let name = server.to_string();
        self.message.set_siaddr(server);
        self.message.set_sname(name.as_bytes());
        if wants(code::TFTP_SERVER) {
            let zero: &[u8] = if self.zero_ends_texts { &[0] } else { &[] };
            self.option(DhcpOption::TFTPServerName([name.as_bytes(), zero].concat()));
        }
        if wants(code::TFTP_ADDRESS) {
            self.option(DhcpOption::TFTPServerAddress(server));
        }
        self
    }

    /// The bytes to send: boot file and relay information last of the options, which end with 255, at least 300 bytes.
    /// What would not fit into the client's room goes, least needed first. `None` only if the codec refuses, which no
    /// input makes it.
    pub fn bytes(mut self) -> Option<Vec<u8>> {
        let spare = [OptionCode::TFTPServerAddress, OptionCode::TFTPServerName, OptionCode::ClientIdentifier];
        let mut spare = spare.into_iter();
        loop {
            let packet = self.encode()?;
            if packet.len() <= self.room {
                return Some(packet);
            }
            match spare.next() {
                Some(code) => self.message.opts_mut().remove(code),
                None => return Some(packet),
            };
        }
    }

    fn encode(&self) -> Option<Vec<u8>> {
        let mut packet = Vec::with_capacity(512);
        self.message.encode(&mut Encoder::new(&mut packet)).ok()?;
        if packet.last() == Some(&END) {
            packet.pop();
        }
        if !self.boot_file.is_empty() {
            append(&mut packet, code::BOOT_FILE, &self.boot_file)?;
            // EDK2 writes a zero behind the name, over whatever option comes next (its `PxeBcDhcp4.c`; the newer ones
            // only where the name has none; CONFORMANCE Q8).
            packet.push(PAD);
        }
        if let Some(information) = &self.relay_information {
            append(&mut packet, code::RELAY, information)?;
        }
        packet.push(END);
        if packet.len() < MINIMUM {
            packet.resize(MINIMUM, PAD);
        }
        Some(packet)
    }
}

/// Adds an option, in pieces where it is long (RFC 3396).
fn append(packet: &mut Vec<u8>, code: u8, value: &[u8]) -> Option<()> {
    if value.is_empty() {
        packet.extend_from_slice(&[code, 0]);
    }
    for piece in value.chunks(255) {
        packet.push(code);
        packet.push(u8::try_from(piece.len()).ok()?);
        packet.extend_from_slice(piece);
    }
    Some(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A client's packet, by hand: `kind` is option 53, the rest as given.
    pub(crate) fn packet(kind: u8, options: &[(u8, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0u8; HEADER];
        bytes[..8].copy_from_slice(&[1, 1, 6, 0, 0xca, 0xfe, 0, 1]);
        bytes[28..34].copy_from_slice(&[0x52, 0x54, 0, 0x77, 1, 1]);
        bytes.extend_from_slice(&COOKIE);
        for (code, value) in [(53, [kind].as_slice())].into_iter().chain(options.iter().copied()) {
            bytes.push(code);
            bytes.push(value.len() as u8);
            bytes.extend_from_slice(value);
        }
        bytes.push(END);
        bytes
    }

    pub(crate) fn discover(options: &[(u8, &[u8])]) -> Request {
        Request::parse(&packet(1, options)).expect("a good packet")
    }

    const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);

    #[test]
    fn every_truncation_is_an_answer_and_no_panic() {
        let whole = packet(1, &[(60, b"PXEClient:Arch:00007"), (93, &[0, 7]), (97, &[0; 17]), (82, &[1, 2, 3, 4])]);
        for length in 0..whole.len() {
            let read = Request::parse(&whole[..length]);
            assert_eq!(read.is_ok(), length >= 243, "{length}");
        }
    }

    #[test]
    fn what_is_no_request_is_refused() {
        let good = packet(1, &[]);
        let bent = |at: usize, to: u8| {
            let mut bytes = good.clone();
            bytes[at] = to;
            Request::parse(&bytes).map(|_| ()).unwrap_err()
        };
        assert_eq!(bent(0, 2), Malformed::NotARequest);
        assert_eq!(bent(2, 20), Malformed::Hardware { htype: 1, hlen: 20 });
        assert_eq!(bent(2, 255), Malformed::Hardware { htype: 1, hlen: 255 });
        assert_eq!(bent(236, 0), Malformed::Cookie);
        assert_eq!(bent(240, 12), Malformed::NoType);
    }

    #[test]
    fn split_padded_and_overloaded_options_are_joined() {
        let mut bytes = packet(1, &[]);
        bytes.pop();
        bytes.extend_from_slice(&[0, 0, 43, 2, 1, 2, 0, 43, 1, 3, 52, 1, 3, 255]);
        bytes[108..113].copy_from_slice(&[12, 2, b'h', b'i', 255]);
        bytes[44..49].copy_from_slice(&[93, 2, 0, 7, 255]);
        let request = Request::parse(&bytes).expect("readable");
        assert_eq!(request.option(43), Some([1, 2, 3].as_slice()));
        assert_eq!(request.option(12), Some(b"hi".as_slice()));
        assert_eq!(request.option(93), Some([0, 7].as_slice()));
        assert_eq!(request.kind, MessageType::Discover);
    }

    #[test]
    fn a_reply_copies_pads_and_ends_as_the_standard_says() {
        let mut asked = packet(1, &[(61, b"\x01abc"), (82, &[1, 3, b'e', b't', b'h']), (97, &[0; 17])]);
        asked[3] = 2; // hops
        asked[8] = 9; // secs
        asked[10] = 0x80;
        asked[24..28].copy_from_slice(&[10, 77, 0, 9]);
        let request = Request::parse(&asked).expect("readable");
        let bytes = Reply::to(&request, MessageType::Offer, SERVER).bytes().expect("encoded");
        assert_eq!(bytes[..4], [2, 1, 6, 0]);
        assert_eq!(bytes[4..8], asked[4..8]);
        assert_eq!(bytes[8..12], [0, 0, 0x80, 0]);
        assert_eq!(bytes[24..28], [10, 77, 0, 9]);
        assert!(bytes.len() >= 300);
        let found = options(&bytes);
        assert_eq!(found[&54], SERVER.octets());
        assert_eq!(found[&61], b"\x01abc");
        assert_eq!(found[&97], [0; 17]);
        let tail = bytes.iter().rposition(|&byte| byte == END).expect("an end");
        assert_eq!(bytes[tail - 7..tail], [82, 5, 1, 3, b'e', b't', b'h']);
    }

    #[test]
    fn relay_rubbish_goes_back_byte_for_byte() {
        for rubbish in [&[9u8, 200, 1][..], &[][..], &[255, 0, 255], &[1; 255]] {
            let request = discover(&[(82, rubbish)]);
            let bytes = Reply::to(&request, MessageType::Offer, SERVER).bytes().expect("encoded");
            assert_eq!(options(&bytes)[&82], rubbish);
        }
    }

    #[test]
    fn a_reply_keeps_within_the_clients_room() {
        let request = discover(&[(55, &[66, 150]), (57, &[0, 10]), (61, &[7; 255])]);
        let mut reply = Reply::to(&request, MessageType::Offer, SERVER);
        reply.boot_server(SERVER, |code| request.wants(code)).boot_file("undionly.kpxe");
        let bytes = reply.bytes().expect("encoded");
        assert!(bytes.len() <= SAFE, "{}", bytes.len());
        assert_eq!(options(&bytes)[&67], b"undionly.kpxe\0");
    }

    #[test]
    fn a_long_url_is_only_in_option_67() {
        let url = format!("http://10.77.0.1/{}", "x".repeat(150));
        let mut reply = Reply::to(&discover(&[]), MessageType::Offer, SERVER);
        reply.boot_file(&url);
        let bytes = reply.bytes().expect("encoded");
        assert_eq!(bytes[108], 0);
        assert_eq!(options(&bytes)[&67].len(), url.len() + 1);
    }
}
