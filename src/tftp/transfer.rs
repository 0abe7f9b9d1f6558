//! One transfer: which block goes out when.
//!
//! Blocks are counted in 64 bits; on the wire their low 16 bits go round (65535 is followed by 0, as all clients of large
//! files expect; RFC 1350 is silent).

use std::time::{Duration, Instant};

use super::wire::oack;

/// Block size without negotiation (RFC 1350 section 2).
const DEFAULT_BLOCK: u16 = 512;
/// IP, UDP and TFTP headers; a larger block would be cut into fragments, which many ROMs lose (CONFORMANCE Q21).
const HEADERS: u32 = 32;
/// Most blocks sent ahead of an acknowledgement.
const MAX_WINDOW: u16 = 64;
/// Most bytes sent ahead of an acknowledgement.
const MAX_AHEAD: u32 = 1 << 20;
/// First wait for an acknowledgement; doubled at each repeat (RFC 1123 section 4.2.3.2).
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// How often a packet is repeated before the client counts as gone. Bounds what a made-up source address can draw.
pub const MAX_REPEATS: u32 = 5;
/// After so many repeats without an answer a transfer stands still: 7 s where the client asked for no time-out of its own.
const STALLED_REPEATS: u32 = 3;

/// What was agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Bytes a block, 8 to 65464.
    pub block_size: u16,
    /// Blocks an acknowledgement, 1 to 64.
    pub window: u16,
    wait: Option<Duration>,
    granted: Vec<(&'static str, u64)>,
}

impl Terms {
    /// Answers a client's options: each one that was asked for and can be had, never more than was asked for.
    /// `mtu` is the interface's largest IP packet in bytes.
    pub fn negotiate(options: &[(String, String)], size: u64, mtu: u32) -> Terms {
        let mut terms = Terms { block_size: DEFAULT_BLOCK, window: 1, wait: None, granted: Vec::new() };
        let largest = u16::try_from(mtu.saturating_sub(HEADERS)).unwrap_or(u16::MAX).max(8);
        for (name, value) in options {
            let Ok(number) = value.parse::<u64>() else { continue };
            match (name.as_str(), number) {
                ("tsize", _) => terms.granted.push(("tsize", size)),
                ("blksize", 8..=65_464) => {
                    terms.block_size = u16::try_from(number).unwrap_or(DEFAULT_BLOCK).min(largest);
                    terms.granted.push(("blksize", u64::from(terms.block_size)));
                }
                ("windowsize", 1..=65_535) => {
                    terms.window = u16::try_from(number).unwrap_or(1).min(MAX_WINDOW);
                    terms.granted.push(("windowsize", u64::from(terms.window)));
                }
                ("timeout", 1..=255) => {
                    terms.wait = Some(Duration::from_secs(number));
                    terms.granted.push(("timeout", number));
                }
                _ => {}
            }
        }
        terms.bound_window();
        terms
    }

    fn bound_window(&mut self) {
        let most = u16::try_from(MAX_AHEAD / u32::from(self.block_size)).unwrap_or(u16::MAX).max(1);
        self.window = self.window.min(most);
        for (name, value) in &mut self.granted {
            if *name == "windowsize" {
                *value = u64::from(self.window);
            }
        }
    }
}

/// What to send now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Send {
    /// This packet.
    Oack(Vec<u8>),
    /// These blocks, counted from 1; the last one may be short or empty.
    Blocks(std::ops::RangeInclusive<u64>),
}

/// How a transfer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Under way.
    Running,
    /// The client has all of it (a missing last acknowledgement is normal).
    Done,
    /// The client is gone.
    TimedOut,
}

/// One transfer, without socket and clock.
#[derive(Debug)]
pub struct Transfer {
    terms: Terms,
    size: u64,
    /// Whether the OACK still waits for its ACK 0; no data before (RFC 2347 section 3).
    greeting: bool,
    /// Whether the client has answered at all.
    confirmed: bool,
    /// Everything up to here is acknowledged.
    base: u64,
    /// Everything up to here has been sent.
    top: u64,
    /// Whether blocks of the window in flight were sent more than once.
    resent: bool,
    /// Behind which block a loss was mended already: more acknowledgements of it are echoes of one loss.
    mended_at: Option<u64>,
    /// Whether a repeated acknowledgement of `base` means nothing: echoes of what was sent twice.
    deaf: bool,
    repeats: u32,
    repeated_packets: u64,
    /// When the last packet counts as lost.
    deadline: Instant,
    status: Status,
}

impl Transfer {
    /// A transfer of `size` bytes, and what opens it.
    pub fn start(terms: Terms, size: u64, now: Instant) -> (Transfer, Send) {
        let mut transfer = Transfer {
            greeting: !terms.granted.is_empty(),
            terms,
            size,
            confirmed: false,
            base: 0,
            top: 0,
            resent: false,
            mended_at: None,
            deaf: false,
            repeats: 0,
            repeated_packets: 0,
            deadline: now,
            status: Status::Running,
        };
        transfer.deadline = now + transfer.wait();
        let opening = transfer.again();
        (transfer, opening)
    }

    /// How it stands.
    pub fn status(&self) -> Status {
        self.status
    }

    /// When [`Transfer::expire`] wants to be called.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Bytes that the client acknowledged.
    pub fn acknowledged(&self) -> u64 {
        self.base.saturating_mul(u64::from(self.terms.block_size)).min(self.size)
    }

    /// Whether the client has answered; before that its address may be made up.
    pub fn confirmed(&self) -> bool {
        self.confirmed
    }

    /// Whether it stands still: the same was sent again and again, and nothing came.
    pub fn is_stalled(&self) -> bool {
        self.status == Status::Running && self.repeats >= STALLED_REPEATS
    }

    /// Packets that were sent more than once.
    pub fn repeated_packets(&self) -> u64 {
        self.repeated_packets
    }

    /// The bytes of a block, as offset and length.
    pub fn extent(&self, block: u64) -> (u64, usize) {
        let length = u64::from(self.terms.block_size);
        let offset = block.saturating_sub(1).saturating_mul(length);
        (offset, usize::try_from(self.size.saturating_sub(offset).min(length)).unwrap_or(0))
    }

    /// The client acknowledges a block.
    ///
    /// With one block a window, a repeated acknowledgement never draws data: the Sorcerer's Apprentice (RFC 1123 section
    /// 4.2.3.1). With more, it is how a client says that the first block of a window was lost, and draws the window once;
    /// EDK2 repeats it for each later block, and a server that answers every one never gets done (seen).
    pub fn acknowledge(&mut self, now: Instant, low: u16) -> Option<Send> {
        if self.status != Status::Running {
            return None;
        }
        if self.greeting {
            return (low == 0).then(|| {
                self.greeting = false;
                self.progress(now);
                self.advance()
            });
        }
        let ahead = u64::from(low.wrapping_sub(low_bits(self.base)));
        let block = self.base + ahead;
        if block > self.top {
            return None;
        }
        if ahead == 0 {
            let mended = self.mended_at == Some(self.base);
            let lost_first = self.terms.window > 1 && self.top > self.base && !mended && !self.deaf;
            return lost_first.then(|| self.again());
        }
        let whole = block == self.top;
        self.base = block;
        self.progress(now);
        if block == self.last_block() {
            self.status = Status::Done;
            return None;
        }
        if whole {
            // What was sent twice is acknowledged twice: do not take the echo for a loss.
            self.deaf = self.resent;
            self.resent = false;
            return Some(self.advance());
        }
        if self.resent {
            // A client that acknowledges inside each window: keep it filled, repeat nothing.
            return Some(self.advance());
        }
        // The block behind it was lost (RFC 7440 section 4).
        self.top = self.base;
        self.resent = true;
        self.mended_at = Some(self.base);
        let send = self.advance();
        if let Send::Blocks(blocks) = &send {
            self.repeated_packets += count(blocks);
        }
        Some(send)
    }

    /// The deadline is over: what to repeat, if the client is not given up.
    pub fn expire(&mut self, now: Instant) -> Option<Send> {
        if self.status != Status::Running || now < self.deadline {
            return None;
        }
        if self.repeats >= MAX_REPEATS {
            let all_sent = !self.greeting && self.top == self.last_block() && self.base + 1 >= self.top;
            self.status = if all_sent && self.confirmed { Status::Done } else { Status::TimedOut };
            return None;
        }
        self.repeats += 1;
        self.deadline = now + self.wait();
        Some(self.again())
    }

    /// The client repeats its request: our first packet was lost.
    pub fn repeat_opening(&mut self) -> Option<Send> {
        (!self.confirmed && self.status == Status::Running).then(|| self.again())
    }

    /// The packets in flight once more, or the first ones.
    fn again(&mut self) -> Send {
        if self.greeting {
            self.repeated_packets += u64::from(self.repeats > 0);
            return Send::Oack(oack(&self.terms.granted));
        }
        if self.top == self.base {
            return self.advance();
        }
        self.resent = true;
        self.mended_at = Some(self.base);
        let blocks = self.base + 1..=self.top;
        self.repeated_packets += count(&blocks);
        Send::Blocks(blocks)
    }

    /// The next blocks that the window has room for.
    fn advance(&mut self) -> Send {
        let first = self.top + 1;
        self.top = (self.base + u64::from(self.terms.window)).min(self.last_block());
        Send::Blocks(first..=self.top)
    }

    fn progress(&mut self, now: Instant) {
        self.confirmed = true;
        self.repeats = 0;
        self.deadline = now + self.wait();
    }

    fn wait(&self) -> Duration {
        let growing = FIRST_WAIT.saturating_mul(1 << self.repeats.min(8)).min(LONGEST_WAIT);
        self.terms.wait.unwrap_or(growing)
    }

    /// A file whose size is a multiple of the block size ends with an empty block (RFC 1350 section 6).
    fn last_block(&self) -> u64 {
        self.size / u64::from(self.terms.block_size) + 1
    }
}

fn count(blocks: &std::ops::RangeInclusive<u64>) -> u64 {
    (blocks.end() + 1).saturating_sub(*blocks.start())
}

/// A block's number as it goes over the wire.
pub fn low_bits(block: u64) -> u16 {
    u16::try_from(block & 0xffff).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn plain(size: u64) -> (Transfer, Send, Instant) {
        let now = Instant::now();
        let (transfer, send) = Transfer::start(Terms::negotiate(&[], size, 1500), size, now);
        (transfer, send, now)
    }

    /// A transfer with this window whose OACK was acknowledged.
    fn windowed(window: &str, blocks: u64) -> (Transfer, Send, Instant) {
        let now = Instant::now();
        let size = blocks * 512 - 1;
        let terms = Terms::negotiate(&options(&[("windowsize", window)]), size, 1500);
        let (mut transfer, _) = Transfer::start(terms, size, now);
        let send = transfer.acknowledge(now, 0).expect("the first window");
        (transfer, send, now)
    }

    #[test]
    fn options_are_granted_within_bounds() {
        let grant = |list: &[(&str, &str)]| Terms::negotiate(&options(list), 1000, 1500).granted;
        assert_eq!(grant(&[("blksize", "1468")]), [("blksize", 1468)]);
        assert_eq!(grant(&[("blksize", "65464")]), [("blksize", 1468)], "below the MTU");
        assert_eq!(grant(&[("blksize", "8")]), [("blksize", 8)]);
        for wrong in ["7", "65465", "-1", "", "x", "99999999999999999999"] {
            assert_eq!(grant(&[("blksize", wrong)]), [], "{wrong}");
        }
        assert_eq!(grant(&[("tsize", "0"), ("multicast", "")]), [("tsize", 1000)]);
        assert_eq!(grant(&[("timeout", "255"), ("timeout", "0")]), [("timeout", 255)]);
        assert_eq!(grant(&[("timeout", "256")]), []);
        assert_eq!(grant(&[("windowsize", "65535")]), [("windowsize", 64)]);
        assert_eq!(grant(&[("windowsize", "0")]), []);
        let jumbo = Terms::negotiate(&options(&[("windowsize", "64"), ("blksize", "65464")]), 1000, 65_536);
        assert!(u32::from(jumbo.window) * u32::from(jumbo.block_size) <= MAX_AHEAD);
        assert_eq!(jumbo.granted, [("windowsize", u64::from(jumbo.window)), ("blksize", 65_464)]);
    }

    #[test]
    fn without_options_data_come_at_once_and_end_with_a_short_block() {
        let cases = [(0, 1, 0), (1, 1, 1), (511, 1, 511), (512, 2, 0), (1025, 3, 1)];
        for (size, blocks, last) in cases {
            let (mut transfer, send, now) = plain(size);
            assert_eq!(send, Send::Blocks(1..=1));
            for block in 1..blocks {
                assert_eq!(
                    transfer.acknowledge(now, block as u16),
                    Some(Send::Blocks(block + 1..=block + 1)),
                    "{size}"
                );
            }
            assert_eq!(transfer.extent(blocks).1, last, "{size}");
            assert_eq!(transfer.acknowledge(now, blocks as u16), None);
            assert_eq!((transfer.status(), transfer.acknowledged()), (Status::Done, size));
        }
    }

    #[test]
    fn a_repeated_ack_draws_nothing_at_window_one() {
        let (mut transfer, _, now) = plain(5000);
        transfer.acknowledge(now, 1);
        transfer.acknowledge(now, 2);
        for ack in [2, 1, 0, 9, 65_535] {
            assert_eq!(transfer.acknowledge(now, ack), None, "{ack}");
        }
        assert_eq!(transfer.acknowledge(now, 3), Some(Send::Blocks(4..=4)));
    }

    #[test]
    fn silence_is_repeated_with_growing_waits_and_ends() {
        let (mut transfer, _, start) = plain(5000);
        let (mut waits, mut stalled) = (Vec::new(), Vec::new());
        let mut now = start;
        while transfer.status() == Status::Running {
            stalled.push(transfer.is_stalled());
            let deadline = transfer.deadline();
            waits.push((deadline - now).as_secs());
            assert_eq!(transfer.expire(deadline - Duration::from_millis(1)), None, "not before its time");
            now = deadline;
            transfer.expire(now);
        }
        assert_eq!(waits, [1, 2, 4, 8, 8, 8]);
        assert_eq!(stalled, [false, false, false, true, true, true], "from 7 s on");
        assert_eq!(transfer.status(), Status::TimedOut);
    }

    #[test]
    fn an_agreed_time_out_is_kept_to() {
        let now = Instant::now();
        let (mut transfer, _) = Transfer::start(Terms::negotiate(&options(&[("timeout", "3")]), 9, 1500), 9, now);
        assert_eq!(transfer.deadline(), now + Duration::from_secs(3));
        let again = transfer.expire(now + Duration::from_secs(3));
        assert_eq!(again, Some(Send::Oack(b"\0\x06timeout\x003\0".to_vec())));
        assert_eq!(transfer.deadline(), now + Duration::from_secs(6));
    }

    #[test]
    fn a_missing_last_ack_is_no_failure() {
        let (mut transfer, _, now) = plain(600);
        transfer.acknowledge(now, 1);
        while transfer.status() == Status::Running {
            transfer.expire(transfer.deadline());
        }
        assert_eq!(transfer.status(), Status::Done);
    }

    #[test]
    fn no_data_before_the_oack_is_acknowledged() {
        let now = Instant::now();
        let (mut transfer, send) = Transfer::start(Terms::negotiate(&options(&[("tsize", "0")]), 9, 1500), 9, now);
        assert_eq!(send, Send::Oack(b"\0\x06tsize\x009\0".to_vec()));
        assert_eq!(transfer.acknowledge(now, 1), None);
        assert!(!transfer.confirmed());
        assert_eq!(transfer.repeat_opening(), Some(send));
        assert_eq!(transfer.acknowledge(now, 0), Some(Send::Blocks(1..=1)));
        assert!(transfer.confirmed());
        assert_eq!(transfer.repeat_opening(), None);
    }

    #[test]
    fn windows_move_by_their_last_block() {
        let (mut transfer, send, now) = windowed("4", 10);
        assert_eq!(send, Send::Blocks(1..=4));
        assert_eq!(transfer.acknowledge(now, 4), Some(Send::Blocks(5..=8)));
        assert_eq!(transfer.acknowledge(now, 8), Some(Send::Blocks(9..=10)));
        assert_eq!(transfer.acknowledge(now, 10), None);
        assert_eq!(transfer.status(), Status::Done);
    }

    #[test]
    fn a_loss_inside_a_window_restarts_behind_it_once() {
        let (mut transfer, _, now) = windowed("4", 20);
        assert_eq!(transfer.acknowledge(now, 2), Some(Send::Blocks(3..=6)));
        for _ in 0..3 {
            assert_eq!(transfer.acknowledge(now, 2), None, "EDK2 repeats itself");
        }
        assert_eq!(transfer.acknowledge(now, 6), Some(Send::Blocks(7..=10)));
        assert_eq!(transfer.acknowledge(now, 6), None, "an echo of the blocks that went twice");
        assert_eq!(transfer.acknowledge(now, 10), Some(Send::Blocks(11..=14)));
    }

    #[test]
    fn the_loss_of_a_windows_first_block_is_mended_at_once_and_once() {
        let (mut transfer, _, now) = windowed("4", 20);
        transfer.acknowledge(now, 4);
        assert_eq!(transfer.acknowledge(now, 4), Some(Send::Blocks(5..=8)));
        assert_eq!(transfer.acknowledge(now, 4), None);
        assert_eq!(transfer.acknowledge(now, 8), Some(Send::Blocks(9..=12)));
        assert_eq!(transfer.acknowledge(now, 8), None, "its echo");
    }

    #[test]
    fn a_second_loss_in_a_mended_window_is_mended_at_once_too() {
        let (mut transfer, _, now) = windowed("4", 40);
        transfer.acknowledge(now, 4);
        assert_eq!(transfer.acknowledge(now, 5), Some(Send::Blocks(6..=9)));
        assert_eq!(transfer.acknowledge(now, 7), Some(Send::Blocks(10..=11)), "8 was lost again");
        assert_eq!(transfer.acknowledge(now, 7), Some(Send::Blocks(8..=11)));
        assert_eq!(transfer.acknowledge(now, 7), None);
    }

    #[test]
    fn a_client_that_acknowledges_each_block_is_not_flooded() {
        let (mut transfer, _, now) = windowed("4", 40);
        let mut sent = 4;
        for ack in 1..=30 {
            if let Some(Send::Blocks(blocks)) = transfer.acknowledge(now, ack) {
                sent += count(&blocks);
            }
        }
        assert!(sent <= 40, "{sent} blocks sent for 30 acknowledged");
    }

    #[test]
    fn block_numbers_go_round() {
        let (mut transfer, _, now) = plain(70_000 * 512);
        let mut block = 1u64;
        while transfer.status() == Status::Running {
            let next = transfer.acknowledge(now, low_bits(block));
            block += 1;
            assert!(next.is_none() || next == Some(Send::Blocks(block..=block)));
        }
        assert_eq!(block, 70_002);
        assert_eq!(transfer.acknowledged(), 70_000 * 512);
    }
}
