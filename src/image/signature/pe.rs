//! The headers of a PE image (Microsoft's "PE Format"): machine, sections, and the place of the certificates.

use super::Source;

/// How much of a program's beginning is read for its headers, in bytes. The headers of kernels and loaders are within
/// the first kilobyte; SizeOfHeaders is 4096 at most in all that we know.
const START: u64 = 4096;
/// Most sections that are looked at; shim has a dozen, a kernel five.
const MAX_SECTIONS: usize = 96;
/// Length of a section's header, and of a symbol, in bytes ("Section Table", "COFF Symbol Table").
const SECTION: usize = 40;
const SYMBOL: u64 = 18;
/// The certificates' number among the data directories ("Optional Header Data Directories").
const CERTIFICATES: usize = 4;

/// Where something lies in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Offset in bytes.
    pub(super) at: u64,
    /// Length in bytes.
    pub(super) length: u64,
}

/// A program with its headers read.
pub(super) struct Image<'a> {
    source: &'a Source<'a>,
    start: Vec<u8>,
    /// Where the COFF header is in `start`.
    coff: usize,
    /// Of the optional header: whether its addresses have 64 bits ("PE32+").
    is_plus: bool,
}

impl<'a> Image<'a> {
    /// Reads the headers. `None` for what is no PE image.
    pub(super) fn open(source: &'a Source<'a>) -> Option<Image<'a>> {
        let start = source.bytes(0, usize::try_from(source.size.min(START)).ok()?)?;
        if !start.starts_with(b"MZ") {
            return None;
        }
        let signature = usize::try_from(u32_at(&start, 0x3c)?).ok()?;
        let coff = signature.checked_add(4)?;
        if start.get(signature..coff)? != b"PE\0\0" {
            return None;
        }
        let is_plus = match u16_at(&start, coff.checked_add(20)?)? {
            0x010b => false,
            0x020b => true,
            _ => return None,
        };
        Some(Image { source, start, coff, is_plus })
    }

    /// The machine's code.
    pub(super) fn machine(&self) -> u16 {
        u16_at(&self.start, self.coff).unwrap_or(0)
    }

    /// Whether its addresses have 64 bits.
    pub(super) fn is_plus(&self) -> bool {
        self.is_plus
    }

    /// Bytes of the file; `None` where they are not in it.
    pub(super) fn bytes(&self, at: u64, length: usize) -> Option<Vec<u8>> {
        self.source.bytes(at, length)
    }

    /// The beginning of a place, `limit` bytes at most.
    pub(super) fn start_of(&self, place: Place, limit: usize) -> Option<Vec<u8>> {
        let length = usize::try_from(place.length).unwrap_or(usize::MAX).min(limit);
        self.source.bytes(place.at, length)
    }

    /// Where the certificates are: the only directory that names an offset in the file ("The Attribute Certificate
    /// Table"). `None` where there are none.
    pub(super) fn certificates(&self) -> Option<Place> {
        let directories = self.coff + 20 + if self.is_plus { 112 } else { 96 };
        let count = usize::try_from(u32_at(&self.start, directories - 4)?).ok()?;
        let end = self.coff + 20 + self.optional_size()?;
        let entry = directories + CERTIFICATES * 8;
        if count <= CERTIFICATES || entry + 8 > end {
            return None;
        }
        let place =
            Place { at: u64::from(u32_at(&self.start, entry)?), length: u64::from(u32_at(&self.start, entry + 4)?) };
        (place.length > 0).then_some(place)
    }

    fn optional_size(&self) -> Option<usize> {
        u16_at(&self.start, self.coff + 16).map(usize::from)
    }

    /// Where a section's bytes are, without the padding behind them. Names of more than eight bytes stand in the table
    /// of strings; where that was stripped they are cut off.
    pub(super) fn section(&self, name: &str) -> Option<Place> {
        let count = usize::from(u16_at(&self.start, self.coff + 2)?).min(MAX_SECTIONS);
        let table = self.coff + 20 + self.optional_size()?;
        let headers = self.start.get(table..)?.chunks_exact(SECTION).take(count);
        let header = headers.into_iter().find(|header| self.is_named(header, name))?;
        let (in_memory, in_file) = (u32_at(header, 8)?, u32_at(header, 16)?);
        let length = if in_memory == 0 { in_file } else { in_memory.min(in_file) };
        Some(Place { at: u64::from(u32_at(header, 20)?), length: u64::from(length) })
    }

    fn is_named(&self, header: &[u8], name: &str) -> bool {
        let Some(own) = header.get(..8) else { return false };
        let own = own.split(|&byte| byte == 0).next().unwrap_or_default();
        match own.split_first() {
            Some((b'/', digits)) => self.string_is(digits, name),
            _ => own == name.as_bytes().get(..8).unwrap_or(name.as_bytes()),
        }
    }

    /// Whether the table of strings, which is behind the symbols, has this name at an offset in decimal digits.
    fn string_is(&self, digits: &[u8], name: &str) -> bool {
        let find = || {
            let offset: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
            let symbols = u64::from(u32_at(&self.start, self.coff + 8)?);
            let count = u64::from(u32_at(&self.start, self.coff + 12)?);
            let at = symbols.checked_add(count * SYMBOL)?.checked_add(offset)?;
            self.source.bytes(at, name.len() + 1)
        };
        find().is_some_and(|own| own.split_last() == Some((&0, name.as_bytes())))
    }
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|&field| u16::from_le_bytes(field))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|&field| u32::from_le_bytes(field))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|&field| u64::from_le_bytes(field))
}
