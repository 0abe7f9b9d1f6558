//! Folders: which file is where, and the records that say so.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::shape::LABEL;
use super::{Content, Error, MAX_DEPTH, MAX_FILE, MAX_FILES, MAX_NAME};

const RECORD: usize = 32;
/// Characters of a long name in one record (section "FAT Long Directory Entries").
const LONG: usize = 13;
/// Where they stand in it, in bytes.
const LONG_AT: [usize; LONG] = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
/// Attributes (section "FAT Directory Structure", DIR_Attr).
const READ_ONLY: u8 = 0x01;
const VOLUME: u8 = 0x08;
const FOLDER: u8 = 0x10;
const LONG_NAME: u8 = 0x0f;
/// The first of January 1980, the first day that there is: time must not change what a disk contains.
const DATE: u16 = (1 << 5) | 1;

/// What a name stands for: a number in the list of folders or of files.
#[derive(Clone, Copy, Debug)]
pub(super) enum Node {
    Folder(usize),
    File(usize),
}

#[derive(Debug)]
pub(super) struct Child {
    name: String,
    node: Node,
}

/// A folder.
#[derive(Debug)]
pub(super) struct Folder {
    /// The folder that it is in; `None` for the root.
    parent: Option<usize>,
    /// By name in capitals, since FAT knows no case.
    children: BTreeMap<String, Child>,
    /// Its first cluster; 0 where it is not in clusters.
    pub(super) first: u64,
}

/// Puts files into folders. The root comes first.
pub(super) fn arrange(files: &[(String, Content)]) -> Result<Vec<Folder>, Error> {
    if files.len() > MAX_FILES {
        return Err(Error::Files(files.len()));
    }
    let mut folders = vec![Folder::new(None)];
    for (number, (path, content)) in files.iter().enumerate() {
        if content.len() > MAX_FILE {
            return Err(Error::File { path: path.clone(), size: content.len() });
        }
        place(&mut folders, path, number)?;
    }
    Ok(folders)
}

fn place(folders: &mut Vec<Folder>, path: &str, number: usize) -> Result<(), Error> {
    let names: Vec<&str> = path.split('/').collect();
    if names.len() > MAX_DEPTH || !names.iter().all(|name| is_name(name)) {
        return Err(Error::Name(path.to_owned()));
    }
    let mut within = 0;
    for (depth, name) in names.iter().enumerate() {
        let is_last = depth + 1 == names.len();
        let node = if is_last { Node::File(number) } else { Node::Folder(folders.len()) };
        let children = folders.get_mut(within).map(|folder| &mut folder.children);
        let entry = children.map(|children| children.entry(name.to_ascii_uppercase()));
        match entry {
            Some(Entry::Vacant(free)) => {
                free.insert(Child { name: (*name).to_owned(), node });
                if let Node::Folder(new) = node {
                    folders.push(Folder::new(Some(within)));
                    within = new;
                }
            }
            Some(Entry::Occupied(taken)) => match taken.get().node {
                Node::Folder(known) if !is_last => within = known,
                _ => return Err(Error::Twice(path.to_owned())),
            },
            None => return Err(Error::Name(path.to_owned())),
        }
    }
    Ok(())
}

/// Names are ours, so they can be such that no reader of FAT stumbles. A dot at the end is dropped by some; a tilde is for
/// the short names that are made here.
fn is_name(name: &str) -> bool {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte);
    !name.is_empty() && name.len() <= MAX_NAME && !name.ends_with('.') && name.bytes().all(is_fine)
}

impl Folder {
    fn new(parent: Option<usize>) -> Folder {
        Folder { parent, children: BTreeMap::new(), first: 0 }
    }

    /// How many bytes its records have.
    pub(super) fn size(&self) -> u64 {
        // The root has the disk's name in it, others themselves and their parent.
        let own = if self.parent.is_some() { 2 } else { 1 };
        let children = self.children.values().map(|child| 1 + long_records(&child.name));
        ((own + children.sum::<usize>()) * RECORD) as u64
    }

    /// Its records. `firsts` are the first clusters of files.
    pub(super) fn records(&self, folders: &[Folder], files: &[(String, Content)], firsts: &[u64]) -> Vec<u8> {
        let mut out = Vec::new();
        match self.parent.map(|parent| folders.get(parent)) {
            None => out.extend(record(LABEL, VOLUME, 0, 0)),
            Some(parent) => {
                // The root counts as cluster 0 here, also where it has one (section "FAT Directory Structure").
                let parent = parent.filter(|parent| parent.parent.is_some()).map_or(0, |parent| parent.first);
                out.extend(record(b".          ", FOLDER, self.first, 0));
                out.extend(record(b"..         ", FOLDER, parent, 0));
            }
        }
        let mut lossy = 0;
        for child in self.children.values() {
            let short = short_name(&child.name, &mut lossy);
            out.extend(long_name(&child.name, &short));
            out.extend(match child.node {
                Node::Folder(number) => record(&short, FOLDER, folders.get(number).map_or(0, |folder| folder.first), 0),
                Node::File(number) => {
                    let size = files.get(number).map_or(0, |(_, content)| content.len());
                    record(&short, READ_ONLY, firsts.get(number).copied().unwrap_or(0), size)
                }
            });
        }
        out
    }
}

/// A short record (section "FAT Directory Structure").
fn record(name: &[u8; 11], attributes: u8, first: u64, size: u64) -> Vec<u8> {
    let [low0, low1, high0, high1] = (first as u32).to_le_bytes();
    let [day0, day1] = DATE.to_le_bytes();
    let mut out = name.to_vec();
    out.extend([attributes, 0, 0, 0, 0, day0, day1, day0, day1, high0, high1, 0, 0, day0, day1, low0, low1]);
    out.extend((size as u32).to_le_bytes());
    out
}

/// How many records a long name takes.
fn long_records(name: &str) -> usize {
    if exact(name).is_some_and(|_| name == name.to_ascii_uppercase()) { 0 } else { name.len().div_ceil(LONG) }
}

/// The records of a long name, the last part of it first (section "FAT Long Directory Entries").
fn long_name(name: &str, short: &[u8; 11]) -> Vec<u8> {
    let count = long_records(name);
    let sum = short.iter().fold(0u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte));
    let mut out = Vec::new();
    for number in (1..=count).rev() {
        let mut record = [0u8; RECORD];
        // The last part is marked; behind the name's end come a zero and then ones.
        let letters = name.bytes().map(u16::from).chain([0]).chain(std::iter::repeat(0xffff));
        let units = letters.skip((number - 1) * LONG);
        for (at, unit) in LONG_AT.iter().zip(units) {
            record.iter_mut().skip(*at).zip(unit.to_le_bytes()).for_each(|(to, from)| *to = from);
        }
        let order = number as u8 | if number == count { 0x40 } else { 0 };
        for (at, byte) in [(0, order), (11, LONG_NAME), (13, sum)] {
            record.iter_mut().skip(at).take(1).for_each(|to| *to = byte);
        }
        out.extend(record);
    }
    out
}

/// A name as eight and three capitals; `None` where it has to be shortened or changed for that.
fn exact(name: &str) -> Option<[u8; 11]> {
    let (base, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let is_plain = |part: &str| !part.bytes().any(|byte| b".+".contains(&byte));
    let fits = (1..=8).contains(&base.len()) && ending.len() <= 3 && is_plain(base) && is_plain(ending);
    fits.then(|| padded(base, ending))
}

/// A name of eight and three capitals that no other in the folder has. Where letters are lost, a number tells names apart
/// (section "Name Limits and Character Sets", numeric tails): no two in a folder have the same.
fn short_name(name: &str, lossy: &mut usize) -> [u8; 11] {
    if let Some(short) = exact(name) {
        return short;
    }
    *lossy += 1;
    let tail = format!("~{lossy}");
    let name = name.trim_start_matches('.');
    let (base, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let base: String = base.replace('.', "").chars().take(8 - tail.len()).collect();
    padded(&(base + &tail).replace('+', "_"), &ending.replace('+', "_"))
}

/// The first eight letters of a name and three of its ending, in capitals, with spaces behind.
fn padded(base: &str, ending: &str) -> [u8; 11] {
    let mut out = [b' '; 11];
    out.iter_mut().take(8).zip(base.bytes()).for_each(|(to, from)| *to = from.to_ascii_uppercase());
    out.iter_mut().skip(8).zip(ending.bytes()).for_each(|(to, from)| *to = from.to_ascii_uppercase());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_of_eight_and_three() {
        let cases = [
            ("BOOTX64.EFI", "BOOTX64 EFI", 0),
            ("grubx64.efi", "GRUBX64 EFI", 1),
            ("linux", "LINUX      ", 1),
            ("EFI", "EFI        ", 0),
            ("initrd.img-6.1.0-18-amd64", "INITRD~10-1", 2),
            ("vmlinuz-linux.efi", "VMLINU~1EFI", 2),
            ("thirteen-char", "THIRTE~1   ", 1),
            ("fourteen-chars", "FOURTE~1   ", 2),
            (".disk", "DISK~1     ", 1),
            ("a+b.c", "A_B~1   C  ", 1),
            ("boot.1.cfg", "BOOT1~1 CFG", 1),
            ("AB.LONG", "AB~1    LON", 1),
        ];
        for (name, short, records) in cases {
            assert_eq!(short_name(name, &mut 0), short.as_bytes(), "{name}");
            assert_eq!(long_records(name), records, "{name}");
        }
        let mut lossy = 98;
        assert_eq!(&short_name("vmlinuz-one", &mut lossy), b"VMLIN~99   ");
        assert_eq!(&short_name("vmlinuz-two", &mut lossy), b"VMLI~100   ");
    }

    #[test]
    fn a_long_name_is_written_as_the_specification_shows_it() {
        // "The quick brown.fox" (section "FAT Long Directory Entries"), with characters that are allowed here.
        let found = long_name("The-quick-brown.fox", b"THE-QU~1FOX");
        let (last, first) = found.split_at(RECORD);
        assert_eq!((last.len(), first.len()), (RECORD, RECORD));
        assert_eq!((last[0], first[0]), (0x42, 0x01));
        assert_eq!(&first[1..11], b"T\0h\0e\0-\0q\0");
        assert_eq!(&first[14..26], b"u\0i\0c\0k\0-\0b\0");
        assert_eq!(&first[28..], b"r\0o\0");
        assert_eq!(&last[1..11], b"w\0n\0.\0f\0o\0");
        assert_eq!(&last[14..26], b"x\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff");
        assert_eq!((last[11], last[12], &last[26..28]), (0x0f, 0, [0, 0].as_slice()));
        assert_eq!(last[13], first[13]);
        // ChkSum() as the specification has it.
        let sum = long_name("test.txt", b"TEST    TXT")[13];
        let mut expected = 0u8;
        for byte in b"TEST    TXT" {
            expected = (if expected & 1 == 1 { 0x80u8 } else { 0 }).wrapping_add(expected >> 1).wrapping_add(*byte);
        }
        assert_eq!(sum, expected);
    }
}
