//! A DHCP client's packet socket. What it sends comes from 0.0.0.0, and what it hears has not passed the checks that the
//! system makes of addresses (`rp_filter`), nor its firewall: this interface may have an address of another network than
//! the one that it is plugged into.

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use socket2::{Domain, SockFilter, Socket, Type};
use tokio::io::unix::AsyncFd;

use super::channel::{Channel, Message};
use super::{packet_address, received_from, watched};
use crate::mac::Mac;
use crate::net::interface::Interface;

const ETHERTYPE_IPV4: u16 = 0x0800;
const PROTOCOL_UDP: u8 = 17;
const CLIENT_PORT: u16 = 68;
const SERVER_PORT: u16 = 67;
/// An IPv4 header without options.
const IP_HEADER: usize = 20;
const UDP_HEADER: usize = 8;
/// The offset of a fragment, and that there are more: both are zero in a whole packet.
const FRAGMENT: u16 = 0x3fff;
/// A server sends no more than 576 bytes to who does not ask for more, and one that does has an Ethernet frame.
const ROOM: usize = 2048;

/// Asks DHCP servers and hears what they answer, on one interface, as a client does that has no address yet.
#[derive(Debug)]
pub struct ClientSocket(Way);

#[derive(Debug)]
enum Way {
    Own {
        socket: AsyncFd<Socket>,
        index: i32,
    },
    /// The socket is the helper's, which passes on what is asked and heard.
    Lent(Channel),
}

impl ClientSocket {
    /// Opens a packet socket for IPv4 on this interface. Needs `CAP_NET_RAW`, and a tokio runtime with I/O.
    pub fn open(interface: &Interface) -> io::Result<ClientSocket> {
        let index = i32::try_from(interface.index).map_err(|_| io::ErrorKind::InvalidInput)?;
        // Without a protocol nothing is received before the socket is bound, and so nothing unfiltered.
        let socket = Socket::new(Domain::PACKET, Type::DGRAM.nonblocking(), None)?;
        socket.attach_filter(&to_clients())?;
        socket.bind(&packet_address(index, ETHERTYPE_IPV4)?)?;
        Ok(ClientSocket(Way::Own { socket: watched(socket)?, index }))
    }

    /// The socket at the other end of this one, which the helper has opened.
    pub fn lent(end: OwnedFd) -> io::Result<ClientSocket> {
        Ok(ClientSocket(Way::Lent(Channel::own(end)?)))
    }

    /// Broadcasts a question to the port of DHCP servers.
    pub async fn ask(&self, question: &[u8]) -> io::Result<()> {
        match &self.0 {
            Way::Own { socket, index } => {
                let packet = broadcast(question).ok_or(io::ErrorKind::InvalidInput)?;
                socket.get_ref().send_to(&packet, &packet_address(*index, ETHERTYPE_IPV4)?).map(drop)
            }
            Way::Lent(channel) => channel.send(question, &[]).await,
        }
    }

    /// Waits for the next packet to the port of DHCP clients, whoever it is for, and returns what it carries and who sent
    /// it: its address and its network card. Packets that this computer sends are not among them.
    ///
    /// Where the socket is lent and the helper has ended, this and every later call is [`io::ErrorKind::UnexpectedEof`].
    pub async fn heard(&self) -> io::Result<(Vec<u8>, Ipv4Addr, Option<Mac>)> {
        loop {
            match &self.0 {
                Way::Own { socket, .. } => {
                    let (packet, mac) = received_from::<ROOM>(socket).await?;
                    if let Some((payload, source)) = to_client(&packet) {
                        return Ok((payload.to_vec(), source, mac));
                    }
                }
                Way::Lent(channel) => {
                    let message = channel.receive().await?.bytes;
                    if message.is_empty() {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    if let Some(heard) = unpacked(&message) {
                        return Ok(heard);
                    }
                }
            }
        }
    }

    /// Lets somebody with fewer rights ask and hear through `channel`, until the other end is closed: what the network says
    /// to clients, and questions that [`is_question`] admits, one in each [`BETWEEN_QUESTIONS`].
    pub(super) async fn lend(&self, channel: &Channel, own: Mac) {
        let mut asked: Option<Instant> = None;
        loop {
            tokio::select! {
                message = channel.receive() => {
                    let Ok(Message { bytes, .. }) = message else { return };
                    if bytes.is_empty() {
                        return;
                    }
                    let rested = asked.is_none_or(|asked| asked.elapsed() >= BETWEEN_QUESTIONS);
                    if rested && is_question(&bytes, own) {
                        asked = Some(Instant::now());
                        // One that cannot be sent is asked again.
                        let _ = self.ask(&bytes).await;
                    }
                }
                heard = self.heard() => match heard {
                    Ok((payload, source, mac)) => drop(channel.send(&packed(&payload, source, mac), &[]).await),
                    Err(_) => tokio::time::sleep(PAUSE).await,
                },
            }
        }
    }
}

/// How long questions of somebody with fewer rights lie apart at least.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(500);
/// How long nothing is heard after an error: a link that went down is told by one.
const PAUSE: Duration = Duration::from_millis(100);
/// The sender's address and card before what was heard.
const SENDER: usize = 4 + 6;

fn packed(payload: &[u8], source: Ipv4Addr, mac: Option<Mac>) -> Vec<u8> {
    // No card has an address of zeros (a broadcast's sender is never that).
    let card = mac.map_or([0; 6], |mac| mac.0);
    [source.octets().as_slice(), &card, payload].concat()
}

fn unpacked(message: &[u8]) -> Option<(Vec<u8>, Ipv4Addr, Option<Mac>)> {
    let source: [u8; 4] = message.get(..4)?.try_into().ok()?;
    let card: [u8; 6] = message.get(4..SENDER)?.try_into().ok()?;
    let mac = (card != [0; 6]).then_some(Mac(card));
    Some((message.get(SENDER..)?.to_vec(), Ipv4Addr::from(source), mac))
}

/// Whether this asks for DHCP servers in the name of our own card and says nothing else: a DISCOVER that no relay agent
/// brought (RFC 2131 sections 2 and 3.1).
fn is_question(bytes: &[u8], own: Mac) -> bool {
    const COOKIE_AND_TYPE: [u8; 7] = [99, 130, 83, 99, 53, 1, 1];
    let part = |range: std::ops::Range<usize>| bytes.get(range).unwrap_or_default();
    (247..=576).contains(&bytes.len())
        && part(0..4) == [1, 1, 6, 0]
        // ciaddr, yiaddr, siaddr and giaddr.
        && part(12..28) == [0; 16]
        && part(28..34) == own.0
        && part(236..243) == COOKIE_AND_TYPE
}

/// The same choice as [`to_client`] makes, in the kernel's filter language: a download would otherwise fill the socket's
/// buffer, and an offer would find no room.
fn to_clients() -> [SockFilter; 9] {
    const BYTE: u16 = 0x30;
    const HALF: u16 = 0x28;
    const HALF_BEHIND_HEADER: u16 = 0x48;
    const HEADER_LENGTH: u16 = 0xb1;
    const IF_EQUAL: u16 = 0x15;
    const IF_ANY_BIT: u16 = 0x45;
    const RETURN: u16 = 0x06;
    [
        SockFilter::new(BYTE, 0, 0, 9),
        SockFilter::new(IF_EQUAL, 0, 6, u32::from(PROTOCOL_UDP)),
        SockFilter::new(HALF, 0, 0, 6),
        SockFilter::new(IF_ANY_BIT, 4, 0, u32::from(FRAGMENT)),
        SockFilter::new(HEADER_LENGTH, 0, 0, 0),
        SockFilter::new(HALF_BEHIND_HEADER, 0, 0, 2),
        SockFilter::new(IF_EQUAL, 0, 1, u32::from(CLIENT_PORT)),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
        SockFilter::new(RETURN, 0, 0, 0),
    ]
}

/// What a whole IPv4 packet brings to the port of DHCP clients, and from whom. Every other packet is `None`.
///
/// Checksums are not looked at: between virtual machines of one computer nobody fills them in.
fn to_client(packet: &[u8]) -> Option<(&[u8], Ipv4Addr)> {
    let first = *packet.first()?;
    let header = usize::from(first & 0xf) * 4;
    // Behind its end there may be padding, for Ethernet has a shortest frame.
    let packet = packet.get(..usize::from(number(packet, 2)?))?;
    let whole = number(packet, 6)? & FRAGMENT == 0;
    if first >> 4 != 4 || header < IP_HEADER || !whole || *packet.get(9)? != PROTOCOL_UDP {
        return None;
    }
    let source: [u8; 4] = packet.get(12..16)?.try_into().ok()?;
    let datagram = packet.get(header..)?;
    if number(datagram, 2)? != CLIENT_PORT {
        return None;
    }
    let payload = datagram.get(UDP_HEADER..usize::from(number(datagram, 4)?))?;
    Some((payload, Ipv4Addr::from(source)))
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
    Some(u16::from_be_bytes(bytes))
}

/// The packet of a client without address that carries this to all servers. `None` where it is too long for one.
fn broadcast(payload: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(UDP_HEADER + payload.len()).ok()?.to_be_bytes();
    let total = u16::try_from(IP_HEADER + UDP_HEADER + payload.len()).ok()?.to_be_bytes();
    let (source, everybody) = (Ipv4Addr::UNSPECIFIED.octets(), Ipv4Addr::BROADCAST.octets());
    let header = |sum: [u8; 2]| {
        // Version and length, type of service; the total; a number and no fragments; a usual time to live.
        [&[0x45, 0], total.as_slice(), &[0; 4], &[64, PROTOCOL_UDP], &sum, &source, &everybody].concat()
    };
    let datagram = |sum: [u8; 2]| {
        [&CLIENT_PORT.to_be_bytes(), &SERVER_PORT.to_be_bytes(), length.as_slice(), &sum, payload].concat()
    };
    // The sum of a datagram covers the addresses too (RFC 768).
    let covered = [&source, &everybody, [0, PROTOCOL_UDP].as_slice(), &length, &datagram([0; 2])].concat();
    // No sum is told by zero; a sum of zero by its other form.
    let sum = Some(checksum(&covered)).filter(|&sum| sum != 0).unwrap_or(u16::MAX);
    Some([header(checksum(&header([0; 2])).to_be_bytes()), datagram(sum.to_be_bytes())].concat())
}

/// The Internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let sum = bytes.chunks(2).fold(0u16, |sum, pair| {
        let pair = u16::from_be_bytes([pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0)]);
        let (sum, carry) = sum.overflowing_add(pair);
        // The carry comes back at the other end, where there is room: a sum that overflowed is not all ones.
        sum.wrapping_add(u16::from(carry))
    });
    !sum
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);

    /// A packet to port 68 with this many words of options in its IP header.
    fn packet(options: u8) -> Vec<u8> {
        let mut bytes = vec![0x45 + options, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0];
        bytes.extend_from_slice(&SOURCE.octets());
        bytes.extend_from_slice(&[255; 4]);
        bytes.extend(std::iter::repeat_n(1, usize::from(options) * 4));
        bytes.extend_from_slice(&[0, 67, 0, 68, 0, 13, 0, 0]);
        bytes.extend_from_slice(b"offer");
        bytes[3] = bytes.len() as u8;
        bytes
    }

    #[test]
    fn what_a_packet_carries_is_read_whatever_is_around_it() {
        for options in 0..=10 {
            let mut bytes = packet(options);
            assert_eq!(to_client(&bytes), Some((b"offer".as_slice(), SOURCE)), "{options}");
            bytes.extend_from_slice(b"padding");
            assert_eq!(to_client(&bytes), Some((b"offer".as_slice(), SOURCE)), "{options}");
        }
        let mut short = packet(0);
        short[25] = 12;
        assert_eq!(to_client(&short), Some((b"offe".as_slice(), SOURCE)), "the datagram says where it ends");
        short[25] = 8;
        assert_eq!(to_client(&short), Some((b"".as_slice(), SOURCE)));
    }

    #[test]
    fn every_truncation_is_none() {
        for options in [0, 1, 10] {
            let whole = packet(options);
            for length in 0..whole.len() {
                assert_eq!(to_client(&whole[..length]), None, "{options} {length}");
                let mut admitted = whole[..length].to_vec();
                if let Some(total) = admitted.get_mut(3) {
                    *total = length as u8;
                }
                assert_eq!(to_client(&admitted), None, "{options} {length}");
            }
        }
    }

    #[test]
    fn what_is_no_whole_datagram_to_a_client_is_none() {
        let cases = [
            (0, 0x65, "IPv6"),
            (0, 0x40, "no header"),
            (0, 0x4f, "a header longer than the packet"),
            (2, 1, "a packet longer than what is there"),
            (3, 0, "no packet"),
            (3, 27, "a packet that ends in the header of its datagram"),
            (6, 0x20, "the first fragment"),
            (6, 0x01, "a fragment"),
            (7, 1, "a fragment"),
            (9, 6, "TCP"),
            (22, 1, "another port"),
            (23, 67, "a server's port"),
            (24, 1, "a datagram longer than its packet"),
            (25, 14, "a datagram longer than its packet"),
            (25, 7, "a datagram shorter than its header"),
            (25, 0, "a datagram of no length"),
        ];
        for (at, to, what) in cases {
            let mut bytes = packet(0);
            bytes[at] = to;
            assert_eq!(to_client(&bytes), None, "{what}");
        }
        let mut short = packet(0);
        short[0] = 0x44;
        short[18..22].copy_from_slice(&[0, 68, 0, 9]);
        assert_eq!(to_client(&short), None, "a header without a destination, and a datagram behind it");
    }

    #[test]
    fn a_question_goes_from_no_address_to_everybody() {
        let packet = broadcast(b"who is there?").expect("short enough");
        assert_eq!(packet[..10], [0x45, 0, 0, 41, 0, 0, 0, 0, 64, 17]);
        assert_eq!(packet[12..20], [0, 0, 0, 0, 255, 255, 255, 255]);
        assert_eq!(packet[20..26], [0, 68, 0, 67, 0, 21]);
        assert_eq!(packet[28..], *b"who is there?");
        // Whoever adds up what a right sum is part of gets its complement: zero.
        assert_eq!(checksum(&packet[..20]), 0);
        assert_eq!(checksum(&[&packet[12..20], &[0, 17, 0, 21], &packet[20..]].concat()), 0);
        assert_eq!(broadcast(&vec![0; 65_507]).map(|packet| packet.len()), Some(65_535));
        assert_eq!(broadcast(&vec![0; 65_508]), None);
        assert_eq!(broadcast(&vec![0; 65_528]), None);
    }

    #[test]
    fn who_has_fewer_rights_may_ask_for_servers_and_for_nothing_else() {
        let own = Mac([0x52, 0x54, 0, 0x77, 0, 1]);
        let good = crate::dhcp::probe::discover(own, 7).expect("a question");
        assert!(is_question(&good, own) && !is_question(&good, Mac([2; 6])));
        for (at, what) in
            [(0, "an answer"), (3, "hops"), (12, "an address"), (24, "a relay"), (240, "no type"), (242, "a REQUEST")]
        {
            let mut bytes = good.clone();
            bytes[at] ^= 3;
            assert!(!is_question(&bytes, own), "{what}");
        }
        assert!((0..247).all(|length| !is_question(&good[..length], own)));
        assert!(!is_question(&[good, vec![0; 600]].concat(), own));
    }

    #[tokio::test]
    async fn what_the_helper_heard_arrives_with_its_sender() {
        let (theirs, ours) = Channel::pair().expect("a pair");
        let socket = ClientSocket::lent(ours).expect("an end");
        theirs.send(b"short", &[]).await.expect("sent");
        for mac in [None, Some(Mac([2, 0, 0, 0, 0, 9]))] {
            theirs.send(&packed(b"offer", SOURCE, mac), &[]).await.expect("sent");
            assert_eq!(socket.heard().await.expect("heard"), (b"offer".to_vec(), SOURCE, mac));
        }
        socket.ask(b"who is there?").await.expect("asked");
        assert_eq!(theirs.receive().await.expect("a question").bytes, b"who is there?");
        drop(theirs);
        for _ in 0..2 {
            assert_eq!(socket.heard().await.map_err(|error| error.kind()), Err(io::ErrorKind::UnexpectedEof));
        }
    }

    #[test]
    fn a_checksum_is_that_of_the_rfc() {
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
        assert_eq!(checksum(&[1]), !0x0100, "an odd end counts as if a zero came behind");
        assert_eq!(checksum(&[]), u16::MAX);
    }

    #[test]
    fn a_sum_of_zero_is_not_sent_as_none() {
        let right = broadcast(&[0, 0]).expect("short enough");
        let sum = u16::from_be_bytes([right[26], right[27]]);
        // With its own sum as payload, the rest adds up to all ones.
        let packet = broadcast(&sum.to_be_bytes()).expect("short enough");
        assert_eq!(packet[26..28], [0xff, 0xff]);
    }
}
