//! One cpio archive of the "new" formats, which are those that the kernel reads.
//!
//! Source: Linux `Documentation/driver-api/early-userspace/buffer-format.rst`. A header is 110 letters: a magic number,
//! then 13 numbers of eight hexadecimal digits. The name and the content are padded to four bytes each, counted from the
//! header. A file called `TRAILER!!!` ends the archive.

use std::io::Read;

use super::packed::Input;
use super::{Look, Stop};

const HEADER: usize = 110;
/// Longest name, with its zero (Linux `PATH_MAX`). The kernel leaves out files with longer ones.
const MAX_NAME: u64 = 4096;
const TRAILER: &str = "TRAILER!!!";

/// Reads an archive to its end and tells `look` of all that is in it. Contents are passed over.
pub(super) fn archive<R: Read>(input: &mut Input<R>, look: &mut Look) -> Result<(), Stop> {
    loop {
        // Some writers leave out the trailer at the end of the file.
        if input.peek(1)?.is_empty() {
            look.archives += 1;
            return Ok(());
        }
        let mut header = [0; HEADER];
        input.read_exact(&mut header)?;
        if !matches!(header.get(..6), Some(b"070701" | b"070702")) {
            return Err(Stop::Junk);
        }
        let (Some(size), Some(length)) = (number(&header, 6), number(&header, 11)) else { return Err(Stop::Junk) };
        let name = name(input, length, look)?;
        if name.as_deref() == Some(TRAILER) {
            look.archives += 1;
            return Ok(());
        }
        if let Some(name) = name {
            // One entry proves that this is an archive.
            look.archives = look.archives.max(1);
            look.entry(&name)?;
        }
        look.charge(HEADER as u64 + length + padded(size))?;
        input.skip(padded(size))?;
    }
}

/// A name, and the padding behind it. `None` where it is too long to be one.
fn name<R: Read>(input: &mut Input<R>, length: u64, look: &mut Look) -> Result<Option<String>, Stop> {
    let whole = padded(HEADER as u64 + length) - HEADER as u64;
    if length > MAX_NAME {
        look.charge(whole)?;
        input.skip(whole)?;
        return Ok(None);
    }
    let mut bytes = vec![0; usize::try_from(whole).unwrap_or_default()];
    input.read_exact(&mut bytes)?;
    // dracut pads names with zeros, so that contents lie on the blocks of a file system.
    let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(Some(String::from_utf8_lossy(name).into_owned()))
}

/// The number in a field of a header, fields counted from 0 behind the magic number.
fn number(header: &[u8; HEADER], field: usize) -> Option<u64> {
    let digits = header.get(6 + field * 8..14 + field * 8)?;
    // A sign is no digit, though `from_str_radix` takes one.
    let digits = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u64::from_str_radix(digits, 16).ok()
}

fn padded(length: u64) -> u64 {
    length.next_multiple_of(4)
}
