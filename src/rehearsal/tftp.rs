//! Fetches a file by TFTP as a boot loader does: a machine without sockets and clock (RFC 1350, 2347 to 2349, 7440).

use std::ops::RangeInclusive;

use crate::tftp::wire::{self, Answer, error};

/// What a client asks for besides the file. Each has its own set (WIRE.md section 5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether it asks for the size.
    pub size: bool,
    /// Bytes in a block; none is 512, without asking.
    pub block: Option<u16>,
    /// Blocks for one acknowledgement; none is 1, without asking.
    pub window: Option<u16>,
}

/// Bytes in a block where nothing else was agreed on (RFC 1350 section 2).
const BLOCK: u16 = 512;
/// What a block and a window may be (RFC 2348, RFC 7440 section 3).
const BLOCKS: RangeInclusive<u64> = 8..=65_464;
const WINDOWS: RangeInclusive<u64> = 1..=65_535;
/// How a client breaks off what it only wanted to know the size of. EDK2's words.
const ENOUGH: &str = "User aborted the transfer";

/// What a transfer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The size alone.
    Size,
    /// So many bytes from the start, or fewer where the file has fewer.
    Start(u64),
    /// All of it.
    Whole,
}

/// What came of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got {
    /// Its size as the server told it, where it was asked.
    pub size: Option<u64>,
    /// The bytes that were wanted.
    pub bytes: Vec<u8>,
}

/// Why nothing came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no such file.
    NotFound,
    /// The server said something else; its words are printable.
    Refused(String),
    /// The server agreed to what was not asked, or sent what does not belong here.
    Nonsense,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Send this and wait.
    Send(Vec<u8>),
    /// Wait.
    Wait,
    /// It is over; this last packet may have to go out.
    Over(Option<Vec<u8>>, Result<Got, Failure>),
}

/// One transfer.
#[derive(Clone, Debug)]
pub struct Download {
    options: Options,
    wanted: Wanted,
    block: u16,
    window: u16,
    size: Option<u64>,
    /// Blocks that have come whole; its low bits are what the wire counts by.
    done: u64,
    /// Blocks of the window under way.
    ahead: u16,
    bytes: Vec<u8>,
    /// Whether the server has answered.
    open: bool,
}

impl Download {
    /// A transfer, and the request that begins it. `token` makes it one of a rehearsal.
    pub fn new(file: &str, options: Options, wanted: Wanted, token: (&str, &str)) -> (Download, Vec<u8>) {
        let mut request = vec![0, 1];
        let mut text = |text: &str| {
            request.extend(text.bytes().filter(|&byte| byte != 0));
            request.push(0);
        };
        text(file);
        text("octet");
        if options.size {
            text("tsize");
            text("0");
        }
        for (name, value) in [("blksize", options.block), ("windowsize", options.window)] {
            if let Some(value) = value {
                text(name);
                text(&value.to_string());
            }
        }
        // A server ignores options that it does not know (RFC 2347), so the others mean what they always mean.
        text(token.0);
        text(token.1);
        let download = Download {
            options,
            wanted,
            block: BLOCK,
            window: 1,
            size: None,
            done: 0,
            ahead: 0,
            bytes: Vec::new(),
            open: false,
        };
        (download, request)
    }

    /// Takes a packet of the server's.
    pub fn heard(&mut self, packet: &[u8]) -> Next {
        match packet {
            [0, 3, high, low, data @ ..] => self.data(u16::from_be_bytes([*high, *low]), data),
            [0, 6, options @ ..] if !self.open => self.agreed(options),
            // Again, since our answer was lost.
            [0, 6, ..] if self.done == 0 => Next::Send(ack(0)),
            _ => match wire::answer(packet) {
                Answer::Error { code: error::NOT_FOUND, .. } => Next::Over(None, Err(Failure::NotFound)),
                Answer::Error { text, .. } => Next::Over(None, Err(Failure::Refused(text))),
                Answer::Ack(_) | Answer::Other => Next::Wait,
            },
        }
    }

    /// What to send again when nothing came. Nothing where the request itself is to be repeated.
    pub fn repeat(&self) -> Option<Vec<u8>> {
        self.open.then(|| ack(low_bits(self.done)))
    }

    fn agreed(&mut self, options: &[u8]) -> Next {
        let nonsense = || Next::Over(Some(wire::error(error::OPTIONS, "option")), Err(Failure::Nonsense));
        let mut texts = options.split(|&byte| byte == 0).map(|text| String::from_utf8_lossy(text).into_owned());
        while let (Some(name), Some(value)) = (texts.next().filter(|name| !name.is_empty()), texts.next()) {
            let Ok(number) = value.parse::<u64>() else { return nonsense() };
            let asked = |asked: Option<u16>| asked.is_some_and(|asked| number <= u64::from(asked));
            let small = u16::try_from(number).unwrap_or(u16::MAX);
            match name.to_ascii_lowercase().as_str() {
                "tsize" if self.options.size => self.size = Some(number),
                "blksize" if asked(self.options.block) && BLOCKS.contains(&number) => self.block = small,
                "windowsize" if asked(self.options.window) && WINDOWS.contains(&number) => self.window = small,
                _ => return nonsense(),
            }
        }
        self.open = true;
        if self.wanted == Wanted::Size {
            return self.broken_off();
        }
        Next::Send(ack(0))
    }

    fn data(&mut self, block: u16, data: &[u8]) -> Next {
        self.open = true;
        if self.wanted == Wanted::Size {
            return self.broken_off();
        }
        if block != low_bits(self.done + 1) {
            // A block again, or one that comes behind a lost one: say what there is, once a window.
            self.ahead = 0;
            return if block == low_bits(self.done) { Next::Wait } else { Next::Send(ack(low_bits(self.done))) };
        }
        self.done += 1;
        self.ahead += 1;
        self.bytes.extend_from_slice(data);
        let last = data.len() < usize::from(self.block);
        match self.wanted {
            Wanted::Start(enough) if !last && self.bytes.len() as u64 >= enough => return self.broken_off(),
            _ if last => return Next::Over(Some(ack(block)), Ok(self.got())),
            _ => {}
        }
        if self.ahead >= self.window {
            self.ahead = 0;
            return Next::Send(ack(block));
        }
        Next::Wait
    }

    fn broken_off(&mut self) -> Next {
        Next::Over(Some(wire::error(error::OPTIONS, ENOUGH)), Ok(self.got()))
    }

    fn got(&mut self) -> Got {
        Got { size: self.size, bytes: std::mem::take(&mut self.bytes) }
    }
}

fn ack(block: u16) -> Vec<u8> {
    let [high, low] = block.to_be_bytes();
    vec![0, 4, high, low]
}

/// What the wire carries of a block's number.
fn low_bits(block: u64) -> u16 {
    (block & 0xffff) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: (&str, &str) = ("t", "x");
    const UEFI: Options = Options { size: true, block: Some(1468), window: Some(4) };

    fn block(number: u16, data: &[u8]) -> Vec<u8> {
        [wire::data_header(number).as_slice(), data].concat()
    }

    #[test]
    fn a_request_is_what_a_server_reads() {
        let (_, request) = Download::new("a/b.efi", UEFI, Wanted::Whole, TOKEN);
        let wire::Opening::Read(request) = wire::opening(&request) else { panic!("no request") };
        let pairs = [("tsize", "0"), ("blksize", "1468"), ("windowsize", "4"), ("t", "x")];
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        assert_eq!((request.file.as_str(), request.options), ("a/b.efi", pairs));
    }

    #[test]
    fn the_size_alone_is_broken_off_with_error_8() {
        let (mut download, _) = Download::new("a", UEFI, Wanted::Size, TOKEN);
        let next = download.heard(&wire::oack(&[("tsize", 77), ("blksize", 1468), ("windowsize", 4)]));
        let Next::Over(Some(last), Ok(got)) = next else { panic!("{next:?}") };
        assert_eq!((&last[..4], got.size), ([0, 5, 0, 8].as_slice(), Some(77)));
    }

    #[test]
    fn windows_are_acknowledged_at_their_end_and_a_gap_at_once() {
        let options = Options { window: Some(2), block: Some(8), size: false };
        let (mut download, _) = Download::new("a", options, Wanted::Whole, TOKEN);
        assert_eq!(download.repeat(), None, "the request is repeated");
        assert_eq!(download.heard(&wire::oack(&[("blksize", 8), ("windowsize", 2)])), Next::Send(ack(0)));
        assert_eq!(download.heard(&block(1, b"12345678")), Next::Wait);
        assert_eq!(download.heard(&block(3, b"12345678")), Next::Send(ack(1)), "the second one was lost");
        assert_eq!(download.heard(&block(2, b"abcdefgh")), Next::Wait);
        assert_eq!(download.heard(&block(3, b"12345678")), Next::Send(ack(3)));
        assert_eq!(download.repeat(), Some(ack(3)));
        assert_eq!(download.heard(&block(3, b"12345678")), Next::Wait, "again");
        let Next::Over(Some(last), Ok(got)) = download.heard(&block(4, b"")) else { panic!("not over") };
        assert_eq!((last, got.bytes.as_slice()), (ack(4), b"12345678abcdefgh12345678".as_slice()));
    }

    #[test]
    fn without_options_blocks_have_512_bytes_and_their_numbers_wrap() {
        let (mut download, _) = Download::new("a", Options::default(), Wanted::Whole, TOKEN);
        for number in 1..=65_540u64 {
            assert_eq!(download.heard(&block(low_bits(number), &[7; 512])), Next::Send(ack(low_bits(number))));
        }
        let Next::Over(_, Ok(got)) = download.heard(&block(5, b"end")) else { panic!("not over") };
        assert_eq!(got.bytes.len(), 65_540 * 512 + 3);
    }

    #[test]
    fn what_was_not_asked_for_is_nonsense_and_errors_are_told() {
        let start = || Download::new("a", Options { block: Some(512), ..Options::default() }, Wanted::Whole, TOKEN).0;
        for agreed in [("blksize", 1468), ("blksize", 7), ("windowsize", 4), ("tsize", 5), ("utimeout", 1)] {
            let next = start().heard(&wire::oack(&[agreed]));
            assert!(matches!(next, Next::Over(Some(_), Err(Failure::Nonsense))), "{agreed:?}: {next:?}");
        }
        assert_eq!(start().heard(&wire::error(1, "no")), Next::Over(None, Err(Failure::NotFound)));
        assert_eq!(start().heard(&wire::error(0, "busy")), Next::Over(None, Err(Failure::Refused("busy".into()))));
        assert_eq!(start().heard(&[0]), Next::Wait);
    }

    #[test]
    fn a_start_ends_where_it_has_enough() {
        let (mut download, _) = Download::new("a", Options::default(), Wanted::Start(600), TOKEN);
        assert_eq!(download.heard(&block(1, &[1; 512])), Next::Send(ack(1)));
        let next = download.heard(&block(2, &[1; 512]));
        assert!(matches!(&next, Next::Over(Some(_), Ok(got)) if got.bytes.len() == 1024), "{next:?}");
    }
}
