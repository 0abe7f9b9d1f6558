//! What a computer is told that looks for an IPv6 router where there is none: a router advertisement that offers nothing.
//!
//! iPXE with IPv6, which is what Debian and QEMU ship, asks for a router when it configures a network card, and waits for
//! its answer up to five times, 13 seconds in all, before it goes on with what DHCP gave it long ago. Any advertisement
//! ends the wait; one without the flags M and O ends it at once, since there is no DHCPv6 to wait for either
//! (`ipv6conf_rx_router_advertisement` in iPXE's `src/net/ndp.c`). Advertisements that nobody asked for do not help: iPXE
//! ignores those that come before its question. So nothing is sent but answers, and each to the one that asked.
//!
//! What is told changes nothing on a computer: a router lifetime of zero says that the sender is no default router
//! (RFC 4861 section 4.2), a router that is there as well stays what it is, since routers are known by their addresses
//! (section 6.3.4), there is no prefix to make an address of, and every other field says "unspecified".
//!
//! Pure: bytes in, bytes out. Whole Ethernet frames, because our own side may have no IPv6 at all: network managers switch
//! it off on interfaces that they do not use.

use std::net::Ipv6Addr;

use crate::mac::Mac;

/// IPv6 over Ethernet (RFC 2464 section 3).
pub const ETHERTYPE_IPV6: u16 = 0x86dd;
/// The Next Header of ICMPv6 (RFC 4443 section 1).
pub const NEXT_HEADER_ICMPV6: u8 = 58;
/// A question for routers (RFC 4861 section 4.1).
pub const ROUTER_SOLICITATION: u8 = 133;
/// Their answer (section 4.2).
const ROUTER_ADVERTISEMENT: u8 = 134;
/// The multicast group of all routers, ff02::2, as a group of Ethernet (RFC 4291 section 2.7.1, RFC 2464 section 7).
pub const ALL_ROUTERS_MAC: Mac = Mac([0x33, 0x33, 0, 0, 0, 2]);
const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// No router passes a packet on without lowering this, so one that still has it comes from this very cable.
const HOP_LIMIT: u8 = 255;

/// Lengths in bytes.
const ETHERNET: usize = 14;
const IPV6: usize = 40;
/// A solicitation before its options.
const SOLICITATION: usize = 8;
/// Options are counted in these.
const OPTION_UNIT: usize = 8;
/// The sender's hardware address (section 4.6.1).
const OPTION_SOURCE: u8 = 1;

/// A computer that asks for routers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Solicitation {
    /// Its hardware address, as the frame has it.
    pub mac: Mac,
    /// Its link-local address, or the unspecified one while it has none.
    pub address: Ipv6Addr,
}

/// The solicitation that an Ethernet frame carries, if it is one that a host must take (RFC 4861 section 6.1.1). Every
/// other frame is `None`, however it is made.
///
/// Checksums are not looked at: between virtual machines of one computer nobody fills them in.
pub fn solicitation(frame: &[u8]) -> Option<Solicitation> {
    let mac = Mac(array(frame, 6)?);
    // The first bit of an address on the wire marks a group, which sends nothing.
    let group = mac.0.first().is_none_or(|first| first & 1 != 0);
    if array(frame, 12)? != ETHERTYPE_IPV6.to_be_bytes() || group || mac == Mac([0; 6]) {
        return None;
    }
    let packet = frame.get(ETHERNET..)?;
    let [first, _, _, _, high, low, next, hops] = array(packet, 0)?;
    let (from, to) = (Ipv6Addr::from(array::<16>(packet, 8)?), Ipv6Addr::from(array::<16>(packet, 24)?));
    let asks = first >> 4 == 6 && next == NEXT_HEADER_ICMPV6 && hops == HOP_LIMIT && to == ALL_ROUTERS;
    if !asks || !(from.is_unspecified() || from.is_unicast_link_local()) {
        return None;
    }
    // Behind its end there may be padding, for Ethernet has a shortest frame.
    let length = usize::from(u16::from_be_bytes([high, low]));
    let message = packet.get(IPV6..IPV6.checked_add(length)?)?;
    let [kind, code, ..] = array::<SOLICITATION>(message, 0)?;
    let options = message.get(SOLICITATION..)?;
    let named = has_source(options)?;
    // Who has no address cannot be told apart from its hardware address, and must not give it.
    let whole = kind == ROUTER_SOLICITATION && code == 0 && !(from.is_unspecified() && named);
    whole.then_some(Solicitation { mac, address: from })
}

/// Whether the sender's hardware address is among these options; `None` where they are not whole.
fn has_source(mut options: &[u8]) -> Option<bool> {
    let mut named = false;
    while let [kind, units, ..] = options {
        // One of no length would never end.
        let length = usize::from(*units).checked_mul(OPTION_UNIT).filter(|&length| length > 0)?;
        named |= *kind == OPTION_SOURCE;
        options = options.get(length..)?;
    }
    options.is_empty().then_some(named)
}

/// The frame that tells this computer that `own` is no router, and that it need not wait for one.
pub fn advertisement(own: Mac, to: Solicitation) -> Vec<u8> {
    let source = link_local(own);
    // Who has no address hears all nodes. The frame is for that one computer all the same (RFC 6085).
    let destination = if to.address.is_unspecified() { ALL_NODES } else { to.address };
    let message = |sum: [u8; 2]| {
        // Hop limit unspecified, neither M nor O, a lifetime of zero; reachable and retransmission times unspecified.
        let fixed = [&[ROUTER_ADVERTISEMENT, 0], sum.as_slice(), &[0, 0], &[0, 0], &[0; 4], &[0; 4]].concat();
        // Spares the other end a question for our hardware address, should it want to know.
        [fixed.as_slice(), &[OPTION_SOURCE, 1], &own.0].concat()
    };
    let sum = checksum(source, destination, &message([0; 2]));
    let message = message(sum.to_be_bytes());
    // It has 24 bytes, however it is counted.
    let length = u16::try_from(message.len()).unwrap_or_default().to_be_bytes();
    [
        to.mac.0.as_slice(),
        &own.0,
        &ETHERTYPE_IPV6.to_be_bytes(),
        &[0x60, 0, 0, 0],
        &length,
        &[NEXT_HEADER_ICMPV6, HOP_LIMIT],
        &source.octets(),
        &destination.octets(),
        &message,
    ]
    .concat()
}

/// The link-local address that a hardware address makes (RFC 4291 appendix A). Nobody else may have it, so it can be sent
/// from whether or not our own side uses it.
fn link_local(mac: Mac) -> Ipv6Addr {
    let [a, b, c, d, e, f] = mac.0;
    Ipv6Addr::from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f])
}

/// The checksum of an ICMPv6 message with its pseudo-header (RFC 4443 section 2.3, RFC 8200 section 8.1).
fn checksum(from: Ipv6Addr, to: Ipv6Addr, message: &[u8]) -> u16 {
    let pairs = |bytes: &[u8]| -> u64 {
        let pair = |pair: &[u8]| match *pair {
            [high, low] => u64::from(u16::from_be_bytes([high, low])),
            [high] => u64::from(u16::from_be_bytes([high, 0])),
            _ => 0,
        };
        bytes.chunks(2).map(pair).sum()
    };
    let length = u64::try_from(message.len()).unwrap_or_default();
    let mut sum = pairs(&from.octets()) + pairs(&to.octets()) + length + u64::from(NEXT_HEADER_ICMPV6) + pairs(message);
    while sum > u64::from(u16::MAX) {
        sum = (sum >> 16) + (sum & u64::from(u16::MAX));
    }
    u16::try_from(sum).map_or(0, |sum| !sum)
}

fn array<const SIZE: usize>(bytes: &[u8], at: usize) -> Option<[u8; SIZE]> {
    bytes.get(at..at.checked_add(SIZE)?)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: Mac = Mac([0x52, 0x54, 0, 0x77, 1, 1]);
    const SERVER: Mac = Mac([0x52, 0x54, 0, 0x77, 0, 1]);

    /// What iPXE's `ndp_tx_router_solicitation` sends.
    fn asked(from: Ipv6Addr, options: &[u8]) -> Vec<u8> {
        let message = [&[133, 0, 0, 0, 0, 0, 0, 0], options].concat();
        let sum = checksum(from, ALL_ROUTERS, &message).to_be_bytes();
        let length = u16::try_from(message.len()).unwrap().to_be_bytes();
        let head = [&[0x33, 0x33, 0, 0, 0, 2], CLIENT.0.as_slice(), &[0x86, 0xdd, 0x60, 0, 0, 0], &length, &[58, 255]];
        let head = [head.concat(), from.octets().into(), ALL_ROUTERS.octets().into()].concat();
        [head.as_slice(), &[133, 0], &sum, &message[4..]].concat()
    }

    fn usual() -> Vec<u8> {
        asked(link_local(CLIENT), &[1, 1, 0x52, 0x54, 0, 0x77, 1, 1])
    }

    #[test]
    fn a_hardware_address_makes_a_link_local_one() {
        assert_eq!(link_local(CLIENT).to_string(), "fe80::5054:ff:fe77:101");
    }

    #[test]
    fn who_asks_for_routers_is_understood() {
        let known = Some(Solicitation { mac: CLIENT, address: link_local(CLIENT) });
        assert_eq!(solicitation(&usual()), known);
        assert_eq!(solicitation(&asked(link_local(CLIENT), &[])), known);
        let padded = [asked(link_local(CLIENT), &[]), vec![0xaa; 20]].concat();
        assert_eq!(solicitation(&padded), known, "padding is no option");
        let nonce = [14, 1, 1, 2, 3, 4, 5, 6];
        assert_eq!(solicitation(&asked(link_local(CLIENT), &nonce)), known, "an option that is not known");
        let nobody = Some(Solicitation { mac: CLIENT, address: Ipv6Addr::UNSPECIFIED });
        assert_eq!(solicitation(&asked(Ipv6Addr::UNSPECIFIED, &[])), nobody);
    }

    #[test]
    fn nothing_else_is() {
        for length in 0..usual().len() {
            assert_eq!(solicitation(&usual()[..length]), None, "{length}");
        }
        let spoiled = |at: usize, byte: u8| {
            let mut frame = usual();
            assert_ne!(frame[at], byte);
            frame[at] = byte;
            frame
        };
        let cases = [
            ("a group asks", spoiled(6, 0x53)),
            ("IPv4", spoiled(12, 8)),
            ("version 4", spoiled(14, 0x40)),
            ("longer than it is", spoiled(19, 17)),
            ("UDP", spoiled(20, 17)),
            ("passed on by a router", spoiled(21, 254)),
            ("a global address", spoiled(22, 0x20)),
            ("to all nodes", spoiled(53, 1)),
            ("an advertisement", spoiled(54, 134)),
            ("another code", spoiled(55, 1)),
            ("an option of no length", spoiled(63, 0)),
            ("an option beyond the end", spoiled(63, 2)),
            ("no address, but a hardware address", asked(Ipv6Addr::UNSPECIFIED, &[1, 1, 2, 0, 0, 0, 0, 1])),
            ("half an option", asked(link_local(CLIENT), &[1, 1, 2])),
            ("an odd byte", asked(link_local(CLIENT), &[14, 1, 1, 2, 3, 4, 5, 6, 1])),
            ("nothing", Vec::new()),
        ];
        for (name, frame) in cases {
            assert_eq!(solicitation(&frame), None, "{name}");
        }
        let mut nobody = usual();
        nobody[6..12].fill(0);
        assert_eq!(solicitation(&nobody), None);
    }

    #[test]
    fn the_answer_offers_nothing_byte_by_byte() {
        let frame = advertisement(SERVER, Solicitation { mac: CLIENT, address: link_local(CLIENT) });
        let expected = [
            // Ethernet.
            "52540077010152540077000186dd",
            // IPv6: 24 bytes of ICMPv6, hop limit 255, from and to.
            "6000000000183aff",
            "fe80000000000000505400fffe770001",
            "fe80000000000000505400fffe770101",
            // The advertisement, with a checksum that another program reckoned.
            "8600884500000000",
            "0000000000000000",
            "0101525400770001",
        ];
        let text: String = frame.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, expected.concat());
        assert_eq!(solicitation(&frame), None, "we do not answer ourselves");
    }

    #[test]
    fn one_without_address_is_told_all_the_same() {
        let frame = advertisement(SERVER, Solicitation { mac: CLIENT, address: Ipv6Addr::UNSPECIFIED });
        assert_eq!(frame[..6], CLIENT.0, "and only that one");
        assert_eq!(frame[38..54], ALL_NODES.octets());
        assert_eq!(
            checksum(link_local(SERVER), ALL_NODES, &frame[54..]),
            0,
            "a message with its sum adds up to nothing"
        );
    }
}
