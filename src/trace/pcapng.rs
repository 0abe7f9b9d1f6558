//! A trace as Wireshark and tcpdump read it: pcapng (draft-ietf-opsawg-pcapng), little-endian. Three of its blocks are
//! enough, so they are written here.

use jiff::Timestamp;

use super::{Packet, Way, frame};
use crate::mac::Mac;

const SECTION: u32 = 0x0a0d_0d0a;
const MAGIC: u32 = 0x1a2b_3c4d;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;
/// LINKTYPE_ETHERNET.
const ETHERNET: u16 = 1;
/// Longest packet that is kept, in bytes; there are no longer ones over IPv4.
const SNAPLEN: u32 = 65_549;
/// A section whose length is not told, since it is written as it happens.
const UNTOLD: u64 = u64::MAX;

/// Options, by block.
mod option {
    pub(super) const COMMENT: u16 = 1;
    pub(super) const SECTION_APPLICATION: u16 = 4;
    pub(super) const INTERFACE_NAME: u16 = 2;
    pub(super) const INTERFACE_RESOLUTION: u16 = 9;
    pub(super) const PACKET_FLAGS: u16 = 2;
    pub(super) const PACKET_DROPPED: u16 = 4;
}

/// What a trace says of where it was made.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// The interface.
    pub interface: String,
    /// Our network card.
    pub own: Option<Mac>,
}

/// How every trace begins.
pub fn beginning(about: &About) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend_from_slice(&MAGIC.to_le_bytes());
    body.extend_from_slice(&1u16.to_le_bytes());
    body.extend_from_slice(&0u16.to_le_bytes());
    body.extend_from_slice(&UNTOLD.to_le_bytes());
    let application = concat!("Bootwright ", env!("CARGO_PKG_VERSION"));
    let remark = "DHCP and TFTP as they passed Bootwright's sockets. Headers below UDP are made up. Of files only the first \
                  bytes of each block are here, of scripts and answer files none.";
    options(&mut body, [(option::COMMENT, remark.as_bytes()), (option::SECTION_APPLICATION, application.as_bytes())]);
    let mut bytes = block(SECTION, &body);
    let mut body = Vec::new();
    body.extend_from_slice(&ETHERNET.to_le_bytes());
    body.extend_from_slice(&0u16.to_le_bytes());
    body.extend_from_slice(&SNAPLEN.to_le_bytes());
    // Nanoseconds: 10^-9.
    options(&mut body, [(option::INTERFACE_NAME, about.interface.as_bytes()), (option::INTERFACE_RESOLUTION, &[9])]);
    bytes.extend(block(INTERFACE, &body));
    bytes
}

/// One packet. `dropped` were left out since the one before.
pub fn packet(packet: &Packet, about: &About, dropped: u64) -> Vec<u8> {
    let (frame, wire) = frame::of(packet, about.own);
    let time = nanoseconds(packet.at);
    let mut body = Vec::with_capacity(frame.len() + 64);
    body.extend_from_slice(&0u32.to_le_bytes());
    // The upper half first.
    body.extend_from_slice(&u32::try_from(time >> 32).unwrap_or(u32::MAX).to_le_bytes());
    body.extend_from_slice(&u32::try_from(time & 0xffff_ffff).unwrap_or(u32::MAX).to_le_bytes());
    body.extend_from_slice(&size(frame.len()).to_le_bytes());
    body.extend_from_slice(&size(wire).to_le_bytes());
    body.extend_from_slice(&frame);
    pad(&mut body);
    let flags: u32 = match packet.way {
        Way::Received => 1,
        Way::Sent => 2,
    };
    let (flags, lost) = (flags.to_le_bytes(), dropped.to_le_bytes());
    let lost = (dropped > 0).then_some((option::PACKET_DROPPED, lost.as_slice()));
    let comments = packet.comments.iter().map(|comment| (option::COMMENT, comment.as_bytes()));
    options(&mut body, [(option::PACKET_FLAGS, flags.as_slice())].into_iter().chain(lost).chain(comments));
    block(PACKET, &body)
}

/// A whole trace.
pub fn file(packets: &[Packet], about: &About) -> Vec<u8> {
    packets.iter().fold(beginning(about), |mut bytes, one| {
        bytes.extend(packet(one, about, 0));
        bytes
    })
}

/// Since 1970; a time before that is no time of a packet.
fn nanoseconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_nanosecond()).unwrap_or_default()
}

fn size(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// To a multiple of four bytes.
fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

fn options<'a>(body: &mut Vec<u8>, all: impl IntoIterator<Item = (u16, &'a [u8])>) {
    for (code, value) in all {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        body.extend_from_slice(&code.to_le_bytes());
        body.extend_from_slice(&length.to_le_bytes());
        body.extend_from_slice(value.get(..usize::from(length)).unwrap_or_default());
        pad(body);
    }
    body.extend_from_slice(&[0; 4]);
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = size(body.len() + 12).to_le_bytes();
    [&kind.to_le_bytes(), &length, body, &length].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::tests::{MAC, address};

    fn about() -> About {
        About { interface: "eth0".into(), own: Some(Mac([2; 6])) }
    }

    fn request(name: &str) -> Packet {
        let payload = format!("\0\x01{name}\0octet\0tsize\x000\0");
        let at = Timestamp::from_nanosecond(1_764_123_456_123_456_789).unwrap();
        let mut packet = Packet {
            mac: Some(MAC),
            ..Packet::whole(at, Way::Received, (address(100, 2070), address(1, 69)), payload.as_bytes())
        };
        packet.say("asks for its loader");
        packet
    }

    fn word(bytes: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
    }

    /// Kind and body of each block, read as the standard says: whoever does not know a block goes by its length.
    pub(super) fn blocks(mut bytes: &[u8]) -> Vec<(u32, Vec<u8>)> {
        let mut all = Vec::new();
        while !bytes.is_empty() {
            let length = word(bytes, 4) as usize;
            assert_eq!((length % 4, word(bytes, length - 4) as usize), (0, length));
            all.push((word(bytes, 0), bytes[8..length - 4].to_vec()));
            bytes = &bytes[length..];
        }
        all
    }

    fn options_of(mut bytes: &[u8]) -> Vec<(u16, Vec<u8>)> {
        let mut all = Vec::new();
        loop {
            let (code, length) = (word(bytes, 0) as u16, (word(bytes, 0) >> 16) as usize);
            if code == 0 {
                assert_eq!(bytes.len(), 4);
                return all;
            }
            all.push((code, bytes[4..4 + length].to_vec()));
            bytes = &bytes[4 + length.next_multiple_of(4)..];
        }
    }

    #[test]
    fn every_part_is_where_the_standard_has_it() {
        let packet = request("snponly.efi");
        let bytes = file(std::slice::from_ref(&packet), &about());
        let all = blocks(&bytes);
        assert_eq!(all.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [SECTION, INTERFACE, PACKET]);
        assert_eq!(word(&all[0].1, 0), MAGIC);
        assert_eq!(options_of(&all[1].1[8..]), [(2, b"eth0".to_vec()), (9, vec![9])]);
        let body = &all[2].1;
        let time = u64::from(word(body, 4)) << 32 | u64::from(word(body, 8));
        assert_eq!((word(body, 0), time), (0, 1_764_123_456_123_456_789));
        let (frame, wire) = frame::of(&packet, about().own);
        assert_eq!((word(body, 12) as usize, word(body, 16) as usize), (frame.len(), wire));
        assert_eq!(&body[20..20 + frame.len()], frame);
        let options = options_of(&body[20 + frame.len().next_multiple_of(4)..]);
        assert_eq!(options, [(2, vec![1, 0, 0, 0]), (1, b"asks for its loader".to_vec())]);
    }

    #[test]
    fn who_the_computers_are_can_be_left_out() {
        let name = "grub/01-52-54-00-77-01-01/menu.cfg";
        let mut packet = request(name);
        packet.say("52:54:00:77:01:01 asks");
        // One whose sender is not known yet has it in its text as well.
        let stranger = Packet { mac: None, ..packet.clone() };
        let mask = super::super::secret::Mask::of([MAC]);
        let bytes = file(&[mask.packet(&packet), mask.packet(&stranger)], &about());
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("01-52-54-00-00-00-00") && text.contains("52:54:00:00:00:00 asks"), "{text}");
        assert!(!bytes.windows(6).any(|part| part == MAC.0));
        assert!(file(&[packet], &about()).windows(6).any(|part| part == MAC.0));
    }
}
