//! The headers around a UDP payload: Ethernet II, IPv4 (RFC 791) and UDP (RFC 768).
//!
//! Our sockets give and take payloads alone, so the headers are made up: with the right addresses, ports, lengths and
//! checksums, and with the hardware address of the computer where it is known.

use std::net::Ipv4Addr;

use super::{Packet, Way};
use crate::mac::Mac;

/// Bytes before the payload.
pub const HEADERS: usize = ETHERNET + IP + UDP;
const ETHERNET: usize = 14;
const IP: usize = 20;
const UDP: usize = 8;
/// Ethernet's number for IPv4.
const IPV4: u16 = 0x0800;
/// IPv4's number for UDP.
const PROTOCOL: u8 = 17;
const LIFE: u8 = 64;
/// A computer that is not known.
const NOBODY: Mac = Mac([0; 6]);
/// Everybody on the wire.
const EVERYBODY: Mac = Mac([0xff; 6]);

/// The frame around a packet, and how long it was on the wire. `own` is our network card.
pub fn of(packet: &Packet, own: Option<Mac>) -> (Vec<u8>, usize) {
    let (own, other) = (own.unwrap_or(NOBODY), packet.mac.unwrap_or(NOBODY));
    let (source, target) = match packet.way {
        Way::Received => (other, own),
        Way::Sent => (own, other),
    };
    let target = if packet.to.ip().is_broadcast() { EVERYBODY } else { target };
    let mut frame = Vec::with_capacity(HEADERS + packet.payload.len());
    frame.extend_from_slice(&target.0);
    frame.extend_from_slice(&source.0);
    frame.extend_from_slice(&IPV4.to_be_bytes());
    frame.extend_from_slice(&ip(packet));
    frame.extend_from_slice(&udp(packet));
    frame.extend_from_slice(&packet.payload);
    (frame, HEADERS + packet.length)
}

fn ip(packet: &Packet) -> [u8; IP] {
    let [high, low] = length(IP + UDP + packet.length);
    let ([a, b, c, d], [e, f, g, h]) = (packet.from.ip().octets(), packet.to.ip().octets());
    let header =
        |[sum, of_it]: [u8; 2]| [0x45, 0, high, low, 0, 0, 0x40, 0, LIFE, PROTOCOL, sum, of_it, a, b, c, d, e, f, g, h];
    header(checksum(&[&header([0, 0])]).to_be_bytes())
}

/// The checksum covers all of the payload: of one that was cut there is none, which is allowed (zero says so).
fn udp(packet: &Packet) -> [u8; UDP] {
    let ([a, b], [c, d]) = (packet.from.port().to_be_bytes(), packet.to.port().to_be_bytes());
    let [high, low] = length(UDP + packet.length);
    let header = |[sum, of_it]: [u8; 2]| [a, b, c, d, high, low, sum, of_it];
    if packet.payload.len() != packet.length {
        return header([0, 0]);
    }
    let octets = |address: &Ipv4Addr| address.octets();
    let around = [&octets(packet.from.ip())[..], &octets(packet.to.ip()), &[0, PROTOCOL, high, low]].concat();
    let sum = checksum(&[&around, &header([0, 0]), &packet.payload]);
    // Zero would say that there is none (RFC 768).
    header(if sum == 0 { [0xff, 0xff] } else { sum.to_be_bytes() })
}

/// A length in a header; one that does not fit was no packet.
fn length(bytes: usize) -> [u8; 2] {
    u16::try_from(bytes).unwrap_or(u16::MAX).to_be_bytes()
}

/// The Internet checksum (RFC 1071) of parts, all of which but the last have an even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let word = |pair: &[u8]| match pair {
        [high, low] => u64::from(u16::from_be_bytes([*high, *low])),
        [high] => u64::from(*high) << 8,
        _ => 0,
    };
    let mut sum: u64 = parts.iter().flat_map(|part| part.chunks(2)).map(word).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    // Folded above.
    !u16::try_from(sum).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddrV4;

    use jiff::Timestamp;

    use super::*;
    use crate::trace::tests::{MAC, address};

    #[test]
    fn headers_have_their_lengths_and_checksums() {
        let between = (address(100, 2070), address(1, 69));
        for payload in [b"\x00\x01a\x00octet\x00".as_slice(), b"\x00\x04\x00\x01", b""] {
            let packet =
                Packet { mac: Some(MAC), ..Packet::whole(Timestamp::UNIX_EPOCH, Way::Received, between, payload) };
            let (frame, wire) = of(&packet, Some(Mac([2; 6])));
            assert_eq!((frame.len(), wire), (HEADERS + payload.len(), HEADERS + payload.len()));
            assert_eq!((&frame[..6], &frame[6..12], &frame[12..14]), (&[2; 6][..], &MAC.0[..], &[8, 0][..]));
            // A header with its checksum in it sums to zero (RFC 1071 section 1).
            assert_eq!(checksum(&[&frame[14..34]]), 0);
            let (addresses, length) = (&frame[26..34], &frame[38..40]);
            assert_eq!(checksum(&[addresses, &[0, 17], length, &frame[34..]]), 0);
            assert_eq!(u16::from_be_bytes([frame[38], frame[39]]) as usize, 8 + payload.len());
        }
    }

    #[test]
    fn a_cut_packet_has_no_checksum_and_its_own_length() {
        let mut packet = Packet::whole(
            Timestamp::UNIX_EPOCH,
            Way::Sent,
            (address(1, 67), SocketAddrV4::new(Ipv4Addr::BROADCAST, 68)),
            &[7; 300],
        );
        packet.payload.truncate(10);
        let (frame, wire) = of(&packet, None);
        assert_eq!((frame.len(), wire, &frame[..6]), (HEADERS + 10, HEADERS + 300, &[0xff; 6][..]));
        assert_eq!((&frame[16..18], &frame[38..40], &frame[40..42]), (&[1, 72][..], &[1, 52][..], &[0, 0][..]));
        assert_eq!(checksum(&[&frame[14..34]]), 0);
    }
}
