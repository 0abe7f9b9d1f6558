//! The ways an initrd may be packed, which are those that the kernel unpacks (Linux `lib/decompress.c`).
//!
//! Each reader takes from the input what belongs to it and no byte more: the next archive comes right behind.

use std::io::{self, BufRead, Read};
use std::time::Instant;

use lz4_flex::block::decompress_into;
use lzma_rust2::{LzmaReader, XzReader};
use serde::{Deserialize, Serialize};

use super::Stop;

/// How many bytes tell the formats apart.
pub(super) const MAGIC: usize = 6;
/// Read at a time, in bytes.
const CHUNK: usize = 64 << 10;
/// Most memory for a dictionary, in KiB: `xz -9` takes 64 MiB, Linux allows zstd 128 MiB.
const MAX_MEMORY: u32 = 192 << 10;
/// The kernel's own frame of lz4 (`lib/decompress_unlz4.c`), which `lz4 -l` makes.
const LZ4_MAGIC: u32 = 0x184c_2102;
/// Size of its blocks, unpacked; the last one may be smaller.
const LZ4_BLOCK: usize = 8 << 20;
/// Largest packed block: what cannot be packed grows by a 255th.
const LZ4_PACKED: usize = LZ4_BLOCK + LZ4_BLOCK / 255 + 16;

/// A way of packing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// gzip.
    Gzip,
    /// bzip2.
    Bzip2,
    /// LZMA with the header of `lzma`.
    Lzma,
    /// xz.
    Xz,
    /// lz4 in the kernel's own frame.
    Lz4,
    /// Zstandard.
    Zstd,
}

/// The format that begins so. The kernel looks at two bytes; more of them tell junk apart.
pub(super) fn identify(head: &[u8]) -> Result<Compression, Stop> {
    match head {
        [0x1f, 0x8b | 0x9e, ..] => Ok(Compression::Gzip),
        [b'B', b'Z', b'h', ..] => Ok(Compression::Bzip2),
        [0x5d, 0, 0, ..] => Ok(Compression::Lzma),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Ok(Compression::Xz),
        [0x02, 0x21, 0x4c, 0x18, ..] => Ok(Compression::Lz4),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Ok(Compression::Zstd),
        // lzop, which no image of the last ten years was seen with.
        [0x89, b'L', ..] => Err(Stop::Unknown),
        _ => Err(Stop::Junk),
    }
}

/// Gives the unpacked bytes of what begins here to `read`, and leaves the input behind it.
pub(super) fn unpack<R: Read>(
    input: &mut Input<R>,
    compression: Compression,
    read: impl FnOnce(&mut dyn Read) -> Result<(), Stop>,
) -> Result<(), Stop> {
    match compression {
        Compression::Gzip => read(&mut flate2::bufread::GzDecoder::new(input)),
        Compression::Bzip2 => read(&mut bzip2::bufread::BzDecoder::new(input)),
        Compression::Xz => read(&mut XzReader::new_mem_limit(input, false, MAX_MEMORY)),
        Compression::Zstd => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(input).map_err(io::Error::other)?;
            read(&mut { decoder })
        }
        Compression::Lz4 => read(&mut Lz4::new(input)),
        Compression::Lzma => {
            let mut decoder = LzmaReader::new_mem_limit(&mut *input, MAX_MEMORY, None)?;
            read(&mut decoder)?;
            // The only one that reads ahead.
            let (_, unused) = decoder.into_parts();
            input.unread(&unused);
            Ok(())
        }
    }
}

/// A reader that can look ahead, and that ends when its time is up.
#[derive(Debug)]
pub(super) struct Input<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    deadline: Instant,
}

impl<R: Read> Input<R> {
    pub(super) fn new(reader: R, deadline: Instant) -> Input<R> {
        Input { reader, buffer: Vec::new(), start: 0, deadline }
    }

    fn ready(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// The next bytes, fewer than `wanted` only at the end, perhaps more.
    pub(super) fn peek(&mut self, wanted: usize) -> io::Result<&[u8]> {
        while self.ready().len() < wanted && self.more()? > 0 {}
        Ok(self.ready())
    }

    /// Reads a chunk behind what is ready. Returns how much came.
    fn more(&mut self) -> io::Result<usize> {
        if Instant::now() > self.deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let old = self.buffer.len();
        self.buffer.resize(old + CHUNK, 0);
        let read = self.reader.read(self.buffer.get_mut(old..).unwrap_or_default());
        self.buffer.truncate(old + read.as_ref().copied().unwrap_or(0));
        match read {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => self.more(),
            other => other,
        }
    }

    /// Passes over zeros. Returns how many.
    pub(super) fn skip_zeros(&mut self) -> io::Result<u64> {
        let ready = self.peek(1)?;
        let zeros = ready.iter().take_while(|byte| **byte == 0).count();
        self.consume(zeros);
        Ok(zeros as u64)
    }

    /// Passes over that many bytes.
    pub(super) fn skip(&mut self, length: u64) -> io::Result<()> {
        let mut left = length;
        while left > 0 {
            let ready = self.peek(1)?.len();
            if ready == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(ready);
            self.consume(count);
            left -= count as u64;
        }
        Ok(())
    }

    /// Gives back bytes that were read last.
    fn unread(&mut self, bytes: &[u8]) {
        let rest = self.ready();
        self.buffer = [bytes, rest].concat();
        self.start = 0;
    }
}

impl<R: Read> BufRead for Input<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.peek(1)
    }

    fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.buffer.len());
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut ready = self.fill_buf()?;
        let count = ready.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

/// Unpacks the kernel's frames of lz4: a magic number, then blocks with their packed length before them. Nothing marks
/// the end; where no block begins, the next part does.
struct Lz4<'a, R> {
    input: &'a mut Input<R>,
    block: Vec<u8>,
    at: usize,
}

impl<'a, R: Read> Lz4<'a, R> {
    fn new(input: &'a mut Input<R>) -> Lz4<'a, R> {
        Lz4 { input, block: Vec::new(), at: 0 }
    }

    /// Unpacks the next block. Returns whether there was one.
    fn next(&mut self) -> io::Result<bool> {
        loop {
            let &[a, b, c, d, ..] = self.input.peek(4)? else { return Ok(false) };
            let length = u32::from_le_bytes([a, b, c, d]);
            if length == LZ4_MAGIC {
                self.input.consume(4);
                continue;
            }
            // Padding, or an archive's magic number.
            if length == 0 || length == u32::from_le_bytes(*b"0707") {
                return Ok(false);
            }
            self.input.consume(4);
            return self.unpack(usize::try_from(length).unwrap_or(usize::MAX)).map(|()| true);
        }
    }

    fn unpack(&mut self, length: usize) -> io::Result<()> {
        if length > LZ4_PACKED {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut packed = vec![0; length];
        self.input.read_exact(&mut packed)?;
        self.block.resize(LZ4_BLOCK, 0);
        let count = decompress_into(&packed, &mut self.block).map_err(io::Error::other)?;
        self.block.truncate(count);
        self.at = 0;
        Ok(())
    }
}

impl<R: Read> Read for Lz4<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.block.len() {
            if !self.next()? {
                return Ok(0);
            }
        }
        let mut ready = self.block.get(self.at..).unwrap_or_default();
        let count = ready.read(buffer)?;
        self.at += count;
        Ok(count)
    }
}
