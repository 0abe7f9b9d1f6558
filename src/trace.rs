//! The DHCP and TFTP packets of each computer, the latest ones: for people who want to see what went over the wire.
//!
//! No clock, no sockets, no files: whoever has a packet brings it with its time. [`Ring`] keeps them within bounds,
//! [`pcapng`] writes them as Wireshark reads them and [`words`] as people do. Only what passed our sockets is here, so
//! the headers below UDP are made up ([`frame`]).
//!
//! Nothing secret is kept: of a file's data no more than its first bytes, of scripts and answer files none at all, and
//! the tokens of answer files are struck out before a packet is kept ([`secret`]).

pub mod frame;
pub mod pcapng;
pub mod secret;
pub mod words;

use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddrV4};

use jiff::Timestamp;

use crate::boot::tree::Role;
use crate::mac::Mac;
use crate::text;

/// Most packets kept of one computer that begin or end something: all DHCP, and of TFTP requests, answers to options and
/// errors.
pub const MARKS: usize = 250;
/// Most packets kept of one computer that only move a file on: blocks and acknowledgements. Kept apart, so that one
/// large file does not push out how the boot began.
pub const BULK: usize = 150;
/// Most bytes kept in all. A computer that is full has about 150 kB.
pub const MAX_BYTES: usize = 16 << 20;
/// Most computers whose packets are kept.
pub const MAX_COMPUTERS: usize = 1024;
/// How much is kept of the data in one TFTP block, in bytes: enough to tell a PE file from a script.
pub const MAX_DATA: usize = 64;
/// Longest payload that is kept of other packets, in bytes.
const MAX_PAYLOAD: usize = 2048;
/// Longest sentence of ours beside a packet, in characters.
const MAX_COMMENT: usize = 400;
/// Most sentences beside one packet.
const MAX_COMMENTS: usize = 4;
/// What a packet costs beside its payload, in bytes, roughly.
const OVERHEAD: usize = 128;
/// Bytes of a TFTP block before its data.
const BLOCK_HEADER: usize = 4;

/// Which way a packet went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It came to us.
    Received,
    /// We sent it.
    Sent,
}

/// A UDP packet that passed one of our sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// When.
    pub at: Timestamp,
    /// Which way.
    pub way: Way,
    /// The computer at the other end, where it is known.
    pub mac: Option<Mac>,
    /// Where it came from.
    pub from: SocketAddrV4,
    /// Where it went.
    pub to: SocketAddrV4,
    /// What is kept of its payload.
    pub payload: Vec<u8>,
    /// How long its payload was, in bytes.
    pub length: usize,
    /// What we said about it.
    pub comments: Vec<String>,
}

/// Whether a packet begins or ends something, or only moves a file on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    Mark,
    Bulk,
}

impl Packet {
    /// A packet that is kept whole, but for tokens in it.
    pub fn whole(at: Timestamp, way: Way, (from, to): (SocketAddrV4, SocketAddrV4), payload: &[u8]) -> Packet {
        let mut kept = payload.get(..MAX_PAYLOAD).unwrap_or(payload).to_vec();
        secret::strike_tokens(&mut kept);
        Packet { at, way, mac: None, from, to, payload: kept, length: payload.len(), comments: Vec::new() }
    }

    /// A TFTP block of ours: its header, and where the file is a public one the first bytes of its data.
    pub fn block(at: Timestamp, (from, to): (SocketAddrV4, SocketAddrV4), payload: &[u8], role: Role) -> Packet {
        let data = match role {
            Role::Loader | Role::Kernel | Role::Initrd | Role::Content | Role::Disc => MAX_DATA,
            Role::Script | Role::Answer | Role::File | Role::Page => 0,
        };
        let kept = payload.get(..BLOCK_HEADER + data).unwrap_or(payload).to_vec();
        Packet { at, way: Way::Sent, mac: None, from, to, payload: kept, length: payload.len(), comments: Vec::new() }
    }

    fn weight(&self) -> Weight {
        // DATA and ACK (RFC 1350 section 5). A DHCP message begins with 1 or 2.
        if matches!(self.payload.as_slice(), [0, 3 | 4, ..]) { Weight::Bulk } else { Weight::Mark }
    }

    fn cost(&self) -> usize {
        OVERHEAD + self.payload.len()
    }

    /// Puts a sentence beside it; those beyond [`MAX_COMMENTS`] are left out.
    pub fn say(&mut self, sentence: &str) {
        if self.comments.len() < MAX_COMMENTS {
            self.comments.push(text::plain(sentence, MAX_COMMENT));
        }
    }
}

/// Whose packets they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Whose {
    /// A computer that is known.
    Computer(Mac),
    /// Whoever has this address.
    Address(Ipv4Addr),
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Packets of one computer that begin or end something.
    pub marks: usize,
    /// Other packets of one computer.
    pub bulk: usize,
    /// Bytes in all.
    pub bytes: usize,
    /// Computers.
    pub computers: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { marks: MARKS, bulk: BULK, bytes: MAX_BYTES, computers: MAX_COMPUTERS }
    }
}

/// The latest packets of each computer. Of too many the oldest go, of the computer that has most.
#[derive(Debug, Default)]
pub struct Ring {
    limits: Limits,
    computers: HashMap<Whose, Kept>,
    bytes: usize,
    /// The number of the next packet; by it packets of several computers are brought in order.
    next: u64,
}

#[derive(Debug, Default)]
struct Kept {
    marks: VecDeque<(u64, Packet)>,
    bulk: VecDeque<(u64, Packet)>,
    bytes: usize,
}

impl Kept {
    fn count(&self) -> usize {
        self.marks.len() + self.bulk.len()
    }

    fn newest(&self) -> u64 {
        let number = |queue: &VecDeque<(u64, Packet)>| queue.back().map_or(0, |(number, _)| *number);
        number(&self.marks).max(number(&self.bulk))
    }

    fn newest_packet(&mut self) -> Option<&mut Packet> {
        let queue = match (self.marks.back(), self.bulk.back()) {
            (Some((mark, _)), Some((bulk, _))) if bulk > mark => &mut self.bulk,
            (None, _) => &mut self.bulk,
            _ => &mut self.marks,
        };
        queue.back_mut().map(|(_, packet)| packet)
    }

    /// Takes the oldest packet out, one that only moved a file on first. Returns what it cost.
    fn shorten(&mut self) -> usize {
        let cost = self.bulk.pop_front().or_else(|| self.marks.pop_front()).map_or(0, |(_, packet)| packet.cost());
        self.bytes -= cost;
        cost
    }
}

impl Ring {
    /// An empty one that keeps so much.
    pub fn new(limits: Limits) -> Ring {
        Ring { limits, ..Ring::default() }
    }

    /// Keeps a packet.
    pub fn keep(&mut self, whose: Whose, packet: Packet) {
        if !self.computers.contains_key(&whose) && self.computers.len() >= self.limits.computers {
            self.forget_one();
        }
        let (cost, number, limits) = (packet.cost(), self.next, self.limits);
        self.next += 1;
        let kept = self.computers.entry(whose).or_default();
        let (queue, most) = match packet.weight() {
            Weight::Mark => (&mut kept.marks, limits.marks),
            Weight::Bulk => (&mut kept.bulk, limits.bulk),
        };
        let mut freed = 0;
        while queue.len() >= most
            && let Some((_, oldest)) = queue.pop_front()
        {
            freed += oldest.cost();
        }
        queue.push_back((number, packet));
        kept.bytes = kept.bytes + cost - freed;
        self.bytes = self.bytes + cost - freed;
        while self.bytes > self.limits.bytes
            && let Some(largest) = self.computers.values_mut().max_by_key(|kept| kept.bytes)
            && largest.count() > 0
        {
            self.bytes -= largest.shorten();
        }
    }

    /// Makes room for one more computer: at the cost of the one with the fewest packets, and of those the one that was
    /// silent for longest. A flood from made-up addresses, a packet from each, so costs no real computer its trace.
    fn forget_one(&mut self) {
        let fewest = self.computers.iter().min_by_key(|(_, kept)| (kept.count(), kept.newest()));
        let Some(whose) = fewest.map(|(whose, _)| *whose) else { return };
        if let Some(kept) = self.computers.remove(&whose) {
            self.bytes -= kept.bytes;
        }
    }

    /// Puts a sentence beside the newest packet of a computer.
    pub fn say(&mut self, whose: Whose, sentence: &str) {
        if let Some(packet) = self.computers.get_mut(&whose).and_then(Kept::newest_packet) {
            packet.say(sentence);
        }
    }

    /// The packets of one computer in the order in which they passed: known by its hardware address, and those from when
    /// only its address was known.
    pub fn of(&self, mac: Mac, ip: Option<Ipv4Addr>) -> Vec<Packet> {
        let whose = [Some(Whose::Computer(mac)), ip.map(Whose::Address)];
        in_order(whose.into_iter().flatten().filter_map(|whose| self.computers.get(&whose)))
    }

    /// All packets in the order in which they passed.
    pub fn all(&self) -> Vec<Packet> {
        in_order(self.computers.values())
    }

    /// Bytes that all of it takes, roughly.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

fn in_order<'a>(kept: impl Iterator<Item = &'a Kept>) -> Vec<Packet> {
    let mut all: Vec<&(u64, Packet)> = kept.flat_map(|kept| kept.marks.iter().chain(&kept.bulk)).collect();
    all.sort_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, packet)| packet.clone()).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const MAC: Mac = Mac([0x52, 0x54, 0, 0x77, 1, 1]);

    pub(crate) fn address(last: u8, port: u16) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, last), port)
    }

    fn packet(second: i64, payload: &[u8]) -> Packet {
        let at = Timestamp::from_second(second).unwrap();
        Packet::whole(at, Way::Received, (address(100, 2000), address(1, 69)), payload)
    }

    fn computer(number: u32) -> Whose {
        let [a, b, c, d] = number.to_be_bytes();
        Whose::Computer(Mac([2, 0, a, b, c, d]))
    }

    fn times(packets: &[Packet]) -> Vec<i64> {
        packets.iter().map(|packet| packet.at.as_second()).collect()
    }

    #[test]
    fn a_large_file_does_not_push_out_how_the_boot_began() {
        let mut ring = Ring::default();
        let own = Whose::Computer(MAC);
        ring.keep(own, packet(0, b"\x01\x01\x06\x00"));
        ring.keep(own, packet(1, b"\x00\x01vmlinuz\x00octet\x00"));
        (2..100_000).for_each(|second| ring.keep(own, packet(second, &[0, 4, 0, 0])));
        ring.keep(own, packet(100_000, b"\x00\x05\x00\x00\x00"));
        let kept = times(&ring.of(MAC, None));
        assert_eq!((kept.len(), kept[0], kept[1], kept[2]), (BULK + 3, 0, 1, 100_000 - BULK as i64));
        assert_eq!(kept.last(), Some(&100_000));
        (0..10_000).for_each(|second| ring.keep(own, packet(second, b"\x01\x01\x06\x00")));
        assert_eq!(ring.of(MAC, None).len(), MARKS + BULK);
    }

    #[test]
    fn one_computer_that_floods_costs_no_other_its_packets() {
        let mut ring = Ring::new(Limits { bytes: 100_000, ..Limits::default() });
        (0..10).for_each(|second| ring.keep(computer(1), packet(second, &[1; 300])));
        (0..10_000).for_each(|second| ring.keep(computer(2), packet(second, &[1; 2000])));
        assert!(ring.bytes() <= 100_000, "{}", ring.bytes());
        let Whose::Computer(one) = computer(1) else { unreachable!() };
        assert_eq!(times(&ring.of(one, None)), (0..10).collect::<Vec<_>>());
        let real: usize = ring.computers.values().map(|kept| kept.bytes).sum();
        let counted: usize = ring.all().iter().map(Packet::cost).sum();
        assert_eq!((ring.bytes(), ring.bytes()), (real, counted));
    }

    #[test]
    fn made_up_computers_cost_no_real_one_its_packets() {
        let mut ring = Ring::default();
        (0..20).for_each(|second| ring.keep(computer(0), packet(second, &[1; 300])));
        (1..5_000).for_each(|number| ring.keep(computer(number), packet(100, &[1; 300])));
        let Whose::Computer(real) = computer(0) else { unreachable!() };
        assert_eq!((ring.computers.len(), ring.of(real, None).len()), (MAX_COMPUTERS, 20));
        assert!(ring.bytes() <= MAX_BYTES);
        assert_eq!(ring.bytes(), ring.all().iter().map(Packet::cost).sum::<usize>());
    }

    #[test]
    fn packets_from_before_the_computer_was_known_are_its_own_too() {
        let mut ring = Ring::default();
        let early = Whose::Address(Ipv4Addr::new(10, 77, 0, 100));
        ring.keep(early, packet(1, b"\x00\x01a\x00octet\x00"));
        ring.keep(Whose::Computer(MAC), packet(2, b"\x00\x04\x00\x01"));
        ring.say(Whose::Computer(MAC), "has a\nb");
        ring.keep(Whose::Address(Ipv4Addr::new(10, 77, 0, 101)), packet(3, b"\x00\x04\x00\x01"));
        let own = ring.of(MAC, Some(Ipv4Addr::new(10, 77, 0, 100)));
        assert_eq!(times(&own), [1, 2]);
        assert_eq!(own[1].comments, ["has a·b"]);
        assert_eq!((times(&ring.of(MAC, None)), times(&ring.all())), (vec![2], vec![1, 2, 3]));
    }

    #[test]
    fn of_scripts_and_answer_files_no_byte_is_kept() {
        let between = (address(1, 40_000), address(100, 2000));
        let block = [b"\x00\x03\x00\x01".as_slice(), &[b's'; 1468]].concat();
        let kept = |role| Packet::block(Timestamp::UNIX_EPOCH, between, &block, role);
        for role in [Role::Script, Role::Answer, Role::File] {
            assert_eq!((kept(role).payload.as_slice(), kept(role).length), (b"\x00\x03\x00\x01".as_slice(), 1472));
        }
        assert_eq!(kept(Role::Kernel).payload.len(), BLOCK_HEADER + MAX_DATA);
        let last = Packet::block(Timestamp::UNIX_EPOCH, between, b"\x00\x03\x00\x02secret", Role::Script);
        assert_eq!((last.payload.as_slice(), last.length), (b"\x00\x03\x00\x02".as_slice(), 10));
    }
}
