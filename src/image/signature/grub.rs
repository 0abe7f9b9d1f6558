//! What a GRUB for UEFI can do: which modules it carries and where it looks for its menu. They are in a section of their
//! own (GRUB `include/grub/kernel.h`: `struct grub_module_info64` and `grub_module_header`; `util/mkimage.c`).
//!
//! The names of modules are in other modules' code as well (Debian's GRUB for discs has the texts `tftp` and `efinet`,
//! and cannot fetch), so each module's own section `.modname` is read (`include/grub/dl.h`, GRUB_MOD_NAME).

use serde::{Deserialize, Serialize};

use super::pe::{Image, u16_at, u32_at, u64_at};
use crate::text;

/// GRUB_MODULE_MAGIC, "mimg".
const MAGIC: u32 = 0x676d_696d;
/// Most modules and other objects that are looked at; Debian's have 130.
const MAX_OBJECTS: usize = 400;
/// Largest module that is read, and most of them together, in bytes; all of Debian's have 1.3 MB.
const MAX_MODULE: u64 = 1 << 20;
const MAX_READ: u64 = 8 << 20;
/// Most sections of a module; they have about fifteen.
const MAX_SECTIONS: usize = 64;
/// Longest prefix, in bytes.
const MAX_PREFIX: u64 = 200;
/// Kinds of objects: OBJ_TYPE_ELF and OBJ_TYPE_PREFIX.
const ELF: u32 = 0;
const PREFIX: u32 = 3;

/// A GRUB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grub {
    /// Whether it can fetch files over a network: it has the firmware's network (`efinet`), and TFTP or HTTP.
    pub fetches: bool,
    /// Whether it has HTTP. Debian's signed one has not.
    pub http: bool,
    /// The folder in which it looks for `grub.cfg`, on what it was loaded from; plain text of 200 characters at most.
    pub prefix: Option<String>,
}

/// Looks into a program. `None` for what is no GRUB.
pub(super) fn look(image: &Image) -> Option<Grub> {
    let section = image.section("mods")?;
    let header = image.bytes(section.at, 24)?;
    if u32_at(&header, 0)? != MAGIC {
        return None;
    }
    let (first, end) = match image.is_plus() {
        true => (u64_at(&header, 8)?, u64_at(&header, 16)?),
        false => (u64::from(u32_at(&header, 4)?), u64::from(u32_at(&header, 8)?)),
    };
    let end = section.at.checked_add(end.min(section.length))?;
    let mut at = section.at.checked_add(first)?;
    let mut names = Vec::new();
    let (mut prefix, mut left) = (None, MAX_READ);
    for _ in 0..MAX_OBJECTS {
        let Some((kind, size)) = object(image, at, end) else { break };
        match kind {
            ELF if size <= MAX_MODULE.min(left) => {
                left -= size;
                names.extend(module(image, at + 8, size - 8));
            }
            PREFIX if size <= MAX_PREFIX => prefix = text_at(image, at + 8, size - 8),
            _ => {}
        }
        at += size;
    }
    let has = |name: &str| names.iter().any(|own| own == name.as_bytes());
    let http = has("efinet") && has("http");
    Some(Grub { fetches: http || has("efinet") && has("tftp"), http, prefix })
}

/// The kind and the size of an object, header included, that lies wholly before `end`.
fn object(image: &Image, at: u64, end: u64) -> Option<(u32, u64)> {
    let header = image.bytes(at, 8)?;
    let size = u64::from(u32_at(&header, 4)?);
    (size >= 8 && at.checked_add(size)? <= end).then_some((u32_at(&header, 0)?, size))
}

fn text_at(image: &Image, at: u64, size: u64) -> Option<String> {
    let bytes = image.bytes(at, usize::try_from(size).ok()?)?;
    let bytes = bytes.split(|&byte| byte == 0).next()?;
    Some(text::plain(&String::from_utf8_lossy(bytes), 200))
}

fn module(image: &Image, at: u64, size: u64) -> Option<Vec<u8>> {
    name(&image.bytes(at, usize::try_from(size).ok()?)?)
}

/// What a module calls itself (the ELF specification 1.2, "ELF Header" and "Section Header"; for 64 bits the System V
/// ABI, chapter 4).
fn name(elf: &[u8]) -> Option<Vec<u8>> {
    let class = *elf.get(4).filter(|_| elf.starts_with(b"\x7fELF"))?;
    let word = |at: usize| u32_at(elf, at).and_then(|word| usize::try_from(word).ok());
    let long = |at: usize| u64_at(elf, at).and_then(|long| usize::try_from(long).ok());
    let half = |at: usize| u16_at(elf, at).map(usize::from);
    let is_64 = class == 2;
    let (table, sizes) = if is_64 { (long(0x28)?, 0x3a) } else { (word(0x20)?, 0x2e) };
    let (size, count, strings) = (half(sizes)?, half(sizes + 2)?.min(MAX_SECTIONS), half(sizes + 4)?);
    let header = |number: usize| table.checked_add(number.checked_mul(size)?);
    let place = |header: usize| match is_64 {
        true => Some((long(header.checked_add(0x18)?)?, long(header.checked_add(0x20)?)?)),
        false => Some((word(header.checked_add(0x10)?)?, word(header.checked_add(0x14)?)?)),
    };
    let (strings, _) = place(header(strings)?)?;
    let own = (0..count).filter_map(header).find(|&header| {
        let named = word(header).and_then(|offset| elf.get(strings.checked_add(offset)?..));
        named.is_some_and(|name| name.starts_with(b".modname\0"))
    })?;
    let (from, length) = place(own)?;
    let bytes = elf.get(from..from.checked_add(length)?)?;
    Some(bytes.split(|&byte| byte == 0).next()?.to_vec())
}
