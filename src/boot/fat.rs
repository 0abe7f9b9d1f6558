//! A disk that is made while it is read: a FAT file system that holds given files without a copy of them.
//!
//! UEFI's HTTP Boot takes such an image for a RAM disk and starts `\EFI\BOOT\BOOTX64.EFI` from it (UEFI 2.10 section
//! 24.7, `application/vnd.efi-img`), whoever gave the computer its address. What is started there finds its files
//! beside itself instead of on a server that it would have to guess.
//!
//! Sections are those of Microsoft's "FAT32 File System Specification" 1.03 (`fatgen103`). There is no partition table: the
//! file system begins with the first byte, which EDK2 and GRUB take. Nothing depends on the time or on chance, so that
//! every request for a part of the disk sees the same disk.

mod folder;
mod shape;

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::sync::Arc;

use crate::image::stored::{self, Extent};
use folder::Folder;
use shape::{Demand, Shape};

/// Most files on one disk: a menu with every entry has some hundred.
pub const MAX_FILES: usize = 4096;
/// Most names in a path, with the file's own.
pub const MAX_DEPTH: usize = 8;
/// Longest name of a file or folder, in characters. With it a folder stays below 65536 records of 32 bytes, which is what
/// the root of FAT16 can count (section "Boot Sector and BPB", BPB_RootEntCnt).
pub const MAX_NAME: usize = 100;
/// Largest file in bytes: sizes have 32 bits (section "FAT Directory Structure", DIR_FileSize).
pub const MAX_FILE: u64 = u32::MAX as u64;

/// Why a disk cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More than [`MAX_FILES`].
    #[error("{0} files are too many for one boot disk, which takes {MAX_FILES}")]
    Files(usize),
    /// A path that is empty, too deep, or has a name that is too long or has other characters than letters, digits and
    /// `-_.+`.
    #[error("{0:?} cannot be the name of a file on a boot disk")]
    Name(String),
    /// Two files of one name, or a file where a folder of its name is. Case makes no difference on FAT.
    #[error("{0} would be on the boot disk twice")]
    Twice(String),
    /// A file of more than [`MAX_FILE`].
    #[error("{path} has {size} bytes, and a file on a boot disk has at most {MAX_FILE}")]
    File {
        /// Its path on the disk.
        path: String,
        /// Its size in bytes.
        size: u64,
    },
    /// More than the caller allows, or than FAT holds.
    #[error("the boot disk would have {size} bytes, and {limit} are allowed")]
    Size {
        /// What it would have, in bytes.
        size: u64,
        /// What is allowed, in bytes.
        limit: u64,
    },
}

/// Where a file's bytes come from.
#[derive(Clone, Debug)]
pub enum Content {
    /// Memory.
    Bytes(Arc<[u8]>),
    /// Pieces of an open file. What none of them covers reads as zeros.
    Pieces {
        /// The file.
        file: Arc<File>,
        /// Where the bytes lie in it.
        extents: Arc<[Extent]>,
        /// How many there are.
        length: u64,
    },
}

impl Content {
    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Pieces { length, .. } => *length,
        }
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buffer`, which must not reach behind its end.
    fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        match self {
            Content::Pieces { file, extents, .. } => stored::read_at(file, extents, at, buffer),
            Content::Bytes(bytes) => {
                let from = usize::try_from(at).map_err(|_| io::ErrorKind::InvalidInput)?;
                let to = from.checked_add(buffer.len()).ok_or(io::ErrorKind::InvalidInput)?;
                buffer.copy_from_slice(bytes.get(from..to).ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
        }
    }
}

/// What lies in a part of the disk.
#[derive(Debug)]
enum What {
    Content(Content),
    /// A file allocation table. It is worked out when it is read: every file lies in one piece.
    Table,
}

#[derive(Debug)]
struct Region {
    at: u64,
    length: u64,
    what: What,
}

/// A FAT16 or FAT32 file system. What is not in a region of it is zero.
#[derive(Debug)]
pub struct Image {
    shape: Shape,
    /// By offset; none overlaps another.
    regions: Vec<Region>,
    /// The last cluster of every chain, ascending.
    ends: Vec<u64>,
    fingerprint: u64,
}

impl Image {
    /// Lays out files, each with its path (`EFI/BOOT/BOOTX64.EFI`), in the order in which they shall lie on the disk.
    /// `limit` is the most bytes that the disk may have.
    pub fn new(files: Vec<(String, Content)>, limit: u64) -> Result<Image, Error> {
        let folders = folder::arrange(&files)?;
        let demand = demand(&files, &folders);
        let shape = Shape::choose(&demand, limit)?;
        Ok(Image::laid_out(files, folders, &demand, shape))
    }

    fn laid_out(files: Vec<(String, Content)>, mut folders: Vec<Folder>, demand: &Demand, shape: Shape) -> Image {
        let mut chains = Chains { shape: &shape, next: 2, ends: Vec::new() };
        let mut regions = vec![made(0, shape.boot_sectors(demand.clusters(shape.cluster, shape.kind)))];
        regions.extend(shape.tables().map(|(at, length)| Region { at, length, what: What::Table }));
        for (number, folder) in folders.iter_mut().enumerate() {
            let in_chain = number > 0 || shape.root_length() == 0;
            folder.first = if in_chain { chains.take(folder.size()) } else { 0 };
        }
        let firsts: Vec<u64> = files.iter().map(|(_, content)| chains.take(content.len())).collect();
        for folder in &folders {
            let at = if folder.first == 0 { shape.root_at() } else { shape.cluster_at(folder.first) };
            regions.push(made(at, folder.records(&folders, &files, &firsts)));
        }
        let ends = chains.ends;
        let mut image = Image { shape, regions, ends, fingerprint: 0 };
        image.fingerprint = image.hash(&files);
        let contents = files.into_iter().zip(firsts).filter(|((_, content), _)| !content.is_empty());
        image.regions.extend(contents.map(|((_, content), first)| {
            let (at, length) = (image.shape.cluster_at(first), content.len());
            Region { at, length, what: What::Content(content) }
        }));
        image
    }

    /// Its size in bytes: whole sectors.
    pub fn size(&self) -> u64 {
        self.shape.size()
    }

    /// Tells disks apart that differ in names, in what is in memory, or in where files are taken from. What an open file
    /// contains is not looked at.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    fn hash(&self, files: &[(String, Content)]) -> u64 {
        let mut hasher = DefaultHasher::new();
        for region in &self.regions {
            if let What::Content(Content::Bytes(bytes)) = &region.what {
                bytes.hash(&mut hasher);
            }
        }
        for (_, content) in files {
            match content {
                Content::Bytes(bytes) => bytes.hash(&mut hasher),
                Content::Pieces { extents, .. } => {
                    extents.iter().for_each(|extent| (extent.at, extent.offset, extent.length).hash(&mut hasher));
                }
            }
        }
        hasher.finish()
    }

    /// Fills `buffer` with the disk's bytes from `at` on; an error where it ends before. May wait for a disk: not for an
    /// asynchronous task.
    pub fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = at.checked_add(buffer.len() as u64).filter(|end| *end <= self.size());
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.fill(0);
        let first = self.regions.partition_point(|region| region.at + region.length <= at);
        for region in self.regions.iter().skip(first).take_while(|region| region.at < end) {
            let (from, to) = (region.at.max(at), (region.at + region.length).min(end));
            let span = usize::try_from(from - at).ok().zip(usize::try_from(to - at).ok());
            let part = span.and_then(|(from, to)| buffer.get_mut(from..to)).ok_or(io::ErrorKind::InvalidInput)?;
            match &region.what {
                What::Content(content) => content.read_at(from - region.at, part)?,
                What::Table => self.table(from - region.at, part),
            }
        }
        Ok(())
    }

    /// Bytes of a file allocation table.
    fn table(&self, mut at: u64, mut buffer: &mut [u8]) {
        let width = self.shape.kind.width();
        while !buffer.is_empty() {
            let entry = self.entry(at / width as u64).to_le_bytes();
            let skip = usize::try_from(at % width as u64).unwrap_or(0);
            let bytes = entry.iter().take(width).skip(skip);
            let (now, later) = buffer.split_at_mut((width - skip).min(buffer.len()));
            now.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            at += now.len() as u64;
            buffer = later;
        }
    }

    /// What the table says of a cluster (section "FAT Data Structure"). The first two entries are the medium's byte and a
    /// mark for the end of a chain, whose highest bits say that all is well with the disk.
    fn entry(&self, cluster: u64) -> u32 {
        let end = self.shape.kind.end_of_chain();
        match cluster {
            0 => (end & !0xff) | u32::from(shape::MEDIA),
            1 => end,
            _ if cluster > self.ends.last().copied().unwrap_or(0) => 0,
            _ if self.ends.binary_search(&cluster).is_ok() => end,
            _ => u32::try_from(cluster + 1).unwrap_or(end),
        }
    }
}

fn demand(files: &[(String, Content)], folders: &[Folder]) -> Demand {
    Demand {
        root: folders.first().map_or(0, Folder::size),
        folders: folders.iter().skip(1).map(Folder::size).collect(),
        files: files.iter().map(|(_, content)| content.len()).collect(),
    }
}

fn made(at: u64, bytes: Vec<u8>) -> Region {
    Region { at, length: bytes.len() as u64, what: What::Content(Content::Bytes(bytes.into())) }
}

/// Gives out clusters, one run after the other.
struct Chains<'a> {
    shape: &'a Shape,
    next: u64,
    ends: Vec<u64>,
}

impl Chains<'_> {
    /// The first cluster for so many bytes; 0 for none (section "FAT Directory Structure", DIR_FstClusLO).
    fn take(&mut self, length: u64) -> u64 {
        let count = length.div_ceil(self.shape.cluster);
        if count == 0 {
            return 0;
        }
        let first = self.next;
        self.next += count;
        self.ends.push(self.next - 1);
        first
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::{Seek, SeekFrom, Write};

    use super::*;

    fn bytes(length: usize, seed: u8) -> Vec<u8> {
        (0..length).map(|at| (at as u8).wrapping_mul(31).wrapping_add((at >> 8) as u8) ^ seed).collect()
    }

    fn file(path: &str, bytes: &[u8]) -> (String, Content) {
        (path.to_owned(), Content::Bytes(bytes.into()))
    }

    fn whole(image: &Image) -> Vec<u8> {
        let mut out = vec![0xaa; usize::try_from(image.size()).unwrap()];
        image.read_at(0, &mut out).unwrap();
        out
    }

    /// Reads FAT16 and FAT32 as the specification has it, with nothing of what is above.
    struct Reader<'a> {
        disk: &'a [u8],
        width: usize,
        tables: usize,
        data: usize,
        cluster: usize,
    }

    impl Reader<'_> {
        fn number(&self, at: usize, width: usize) -> usize {
            self.disk[at..at + width].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
        }

        fn files(disk: &[u8]) -> BTreeMap<String, Vec<u8>> {
            let mut this = Reader { disk, width: 2, tables: 0, data: 0, cluster: 0 };
            assert_eq!((this.number(11, 2), &disk[510..512]), (512, [0x55, 0xaa].as_slice()));
            let (small, root) = (this.number(22, 2), this.number(17, 2) * 32);
            let table = if small == 0 { this.number(36, 4) } else { small } * 512;
            this.tables = this.number(14, 2) * 512;
            let rooted = this.tables + 2 * table;
            (this.data, this.cluster) = (rooted + root, this.number(13, 1) * 512);
            let sectors = this.number(19, 2).max(this.number(32, 4));
            assert_eq!(sectors * 512, disk.len());
            assert_eq!(disk[this.tables..this.tables + table], disk[this.tables + table..rooted], "two tables alike");
            let clusters = (disk.len() - this.data) / this.cluster;
            assert_eq!(clusters >= 65525, small == 0);
            assert!(clusters >= 4085);
            let mut found = BTreeMap::new();
            if small == 0 {
                this.width = 4;
                let records = this.chain(this.number(44, 4));
                this.folder("", &records, &mut found);
            } else {
                this.folder("", &disk[rooted..this.data], &mut found);
            }
            found
        }

        fn chain(&self, mut cluster: usize) -> Vec<u8> {
            let mut out = Vec::new();
            let end = if self.width == 2 { 0xfff8 } else { 0x0fff_fff8 };
            while cluster < end {
                assert!(cluster >= 2);
                let at = self.data + (cluster - 2) * self.cluster;
                out.extend(&self.disk[at..at + self.cluster]);
                cluster = self.number(self.tables + cluster * self.width, self.width);
            }
            out
        }

        fn folder(&self, within: &str, records: &[u8], found: &mut BTreeMap<String, Vec<u8>>) {
            let mut long = String::new();
            for record in records.chunks(32).take_while(|record| record[0] != 0) {
                if record[11] == 0x0f {
                    let units = [1..11, 14..26, 28..32].map(|span| record[span].to_vec()).concat();
                    let part = units.chunks(2).map(|unit| unit[0] as char).take_while(|unit| *unit != '\0');
                    long = part.collect::<String>() + &long;
                    continue;
                }
                let part = |span: std::ops::Range<usize>| String::from_utf8_lossy(&record[span]).trim().to_owned();
                let short = format!("{}.{}", part(0..8), part(8..11)).trim_end_matches('.').to_owned();
                let name = if long.is_empty() { short } else { std::mem::take(&mut long) };
                let number = |at: usize| usize::from(record[at]) | usize::from(record[at + 1]) << 8;
                let first = number(26) | number(20) << 16;
                let path = format!("{within}/{name}");
                match record[11] {
                    0x10 if record[0] == b'.' => {}
                    0x10 => self.folder(&path, &self.chain(first), found),
                    0x01 => {
                        let size = number(28) | number(30) << 16;
                        let mut bytes = if first == 0 { vec![] } else { self.chain(first) };
                        assert!(bytes.len() >= size && bytes.len() < size + self.cluster);
                        bytes.truncate(size);
                        found.insert(path, bytes);
                    }
                    attributes => assert_eq!((attributes, within, &record[..11]), (8, "", b"BOOTWRIGHT ".as_slice())),
                }
            }
        }
    }

    fn check(files: &[(String, Content)]) -> Vec<u8> {
        check_image(files, &Image::new(files.to_vec(), u64::MAX).unwrap())
    }

    fn check_image(files: &[(String, Content)], image: &Image) -> Vec<u8> {
        let disk = whole(image);
        let mut found = Reader::files(&disk);
        for (path, content) in files {
            let mut expected = vec![0; usize::try_from(content.len()).unwrap()];
            content.read_at(0, &mut expected).unwrap();
            assert!(found.remove(&format!("/{path}")) == Some(expected), "{path}");
        }
        assert!(found.is_empty(), "{:?}", found.keys());
        disk
    }

    #[test]
    fn what_is_put_in_comes_out() {
        check(&[]);
        check(&[file("a", b"")]);
        check(&[
            file("EFI/BOOT/BOOTX64.EFI", &bytes(100_001, 1)),
            file("EFI/BOOT/grubx64.efi", &bytes(512, 2)),
            file("grub/grub.cfg", b"echo"),
            file("boot/empty", b""),
            file("boot/initrd.img-6.1.0-18-amd64", &bytes(2_500_000, 3)),
            file("boot/initrd.img-6.1.0-18-arm64", &bytes(513, 4)),
            file("a/b/c/d/e/f/g/h", b"deep"),
            file(&"x".repeat(MAX_NAME), b"long"),
        ]);
    }

    #[test]
    fn tables_of_32_bits_lead_to_every_file() {
        let files = [
            file("EFI/BOOT/BOOTX64.EFI", &bytes(100_001, 1)),
            file("grub/grub.cfg", b"echo"),
            file("a/b/empty", b""),
            file("a/b/initrd.img-6.1.0-18-amd64", &bytes(70_000, 3)),
        ];
        let folders = folder::arrange(&files).unwrap();
        let demand = demand(&files, &folders);
        // Smaller than a disk is that gets them otherwise, so that it can be looked at as a whole.
        let shape = Shape::new(shape::Kind::Fat32, 512, &demand).unwrap();
        check_image(&files, &Image::laid_out(files.to_vec(), folders, &demand, shape));
    }

    #[test]
    fn pieces_of_an_open_file_are_read_from_it() {
        let mut stored = tempfile::tempfile().unwrap();
        stored.write_all(&bytes(3000, 7)).unwrap();
        stored.seek(SeekFrom::Start(9000)).unwrap();
        stored.write_all(&bytes(1000, 8)).unwrap();
        // Out of order, with a hole from 1000 to 2000.
        let extents = [Extent { at: 0, offset: 9000, length: 1000 }, Extent { at: 2000, offset: 500, length: 2000 }];
        let content = Content::Pieces { file: Arc::new(stored), extents: extents.into(), length: 4000 };
        let disk = check(&[file("one", &bytes(700, 9)), ("two".to_owned(), content)]);
        let expected = [bytes(1000, 8), vec![0; 1000], bytes(3000, 7)[500..2500].to_vec()].concat();
        assert!(disk.windows(4000).any(|window| window == expected));
    }

    #[test]
    fn a_file_that_ended_meanwhile_is_an_error() {
        let extents = [Extent { at: 0, offset: 0, length: 4000 }].into();
        let file = Arc::new(tempfile::tempfile().unwrap());
        let image =
            Image::new(vec![("a".to_owned(), Content::Pieces { file, extents, length: 4000 })], u64::MAX).unwrap();
        let mut all = vec![0; usize::try_from(image.size()).unwrap()];
        assert_eq!(image.read_at(0, &mut all).map_err(|error| error.kind()), Err(io::ErrorKind::UnexpectedEof));
    }

    #[test]
    fn many_files_in_one_folder_are_told_apart() {
        let names = (0..MAX_FILES).map(|number| format!("packages/linux-firmware-{number:04}.pkg"));
        check(&names.map(|name| file(&name, name.as_bytes())).collect::<Vec<_>>());
        let names = (0..MAX_FILES).map(|number| format!("{number:0100}"));
        check(&names.map(|name| file(&name, b"")).collect::<Vec<_>>());
    }

    #[test]
    fn every_part_is_as_in_the_whole() {
        let files = vec![
            file("EFI/BOOT/BOOTX64.EFI", &bytes(70_000, 1)),
            file("boot/none", b""),
            file("boot/initrd.img-6.1", &bytes(90_000, 2)),
        ];
        let image = Image::new(files, u64::MAX).unwrap();
        let disk = whole(&image);
        let mut random = 1u64;
        let mut next = |below: usize| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as usize % below
        };
        for round in 0..2000 {
            // Most of what can go wrong is at the start, where the tables are.
            let at = next(if round % 2 == 0 { 40_000 } else { disk.len() });
            let length = next(if round % 3 == 0 { 5 } else { 70_000 }).min(disk.len() - at);
            let mut part = vec![0xaa; length];
            image.read_at(at as u64, &mut part).unwrap();
            assert!(part == disk[at..at + length], "{length} bytes from {at}");
        }
        assert!(image.read_at(image.size(), &mut []).is_ok());
        assert!(image.read_at(image.size(), &mut [0]).is_err());
        assert!(image.read_at(u64::MAX, &mut [0]).is_err());
    }

    #[test]
    fn the_same_files_make_the_same_disk() {
        let make = |text: &[u8]| Image::new(vec![file("grub/grub.cfg", text)], u64::MAX).unwrap();
        assert!(whole(&make(b"one")) == whole(&make(b"one")));
        assert_eq!(make(b"one").fingerprint(), make(b"one").fingerprint());
        assert_ne!(make(b"one").fingerprint(), make(b"two").fingerprint());
    }

    #[test]
    fn a_large_disk_has_tables_of_32_bits() {
        let hole =
            |length| Content::Pieces { file: Arc::new(tempfile::tempfile().unwrap()), extents: [].into(), length };
        let files = vec![
            ("boot/large".to_owned(), hole(3 << 30)),
            ("boot/largest".to_owned(), hole(MAX_FILE)),
            file("grub/grub.cfg", b"the last"),
        ];
        let image = Image::new(files, u64::MAX).unwrap();
        assert!(image.size() > 7 << 30);
        assert!(image.size() < (7 << 30) + (32 << 20));
        let mut boot = vec![0; 8 * 512];
        image.read_at(0, &mut boot).unwrap();
        assert_eq!(&boot[82..90], b"FAT32   ");
        assert_eq!(boot[..1024], boot[6 * 512..], "a copy of the first two sectors");
        let mut last = vec![0; 8];
        let at = image.regions.last().unwrap().at;
        image.read_at(at, &mut last).unwrap();
        assert_eq!(last, b"the last");
        // Its chain is one cluster long, and behind it nothing is in use.
        let cluster = (at - image.shape.cluster_at(2)) / image.shape.cluster + 2;
        let (table, _) = image.shape.tables().next().unwrap();
        let mut entries = vec![0; 12];
        image.read_at(table + (cluster - 1) * 4, &mut entries).unwrap();
        assert_eq!(entries, [0x0fff_ffffu32, 0x0fff_ffff, 0].map(u32::to_le_bytes).concat());
    }

    #[test]
    fn what_is_no_disk_is_refused() {
        let made =
            |paths: &[&str]| Image::new(paths.iter().map(|path| file(path, b"x")).collect(), u64::MAX).map(|_| ());
        for path in ["", "/a", "a/", "a//b", "a/../b", ".", "a.", "a b", "a\\b", "f\u{e4}", "a~1", "1/2/3/4/5/6/7/8/9"]
        {
            assert_eq!(made(&[path]), Err(Error::Name(path.to_owned())), "{path:?}");
        }
        let long = "x".repeat(MAX_NAME + 1);
        assert_eq!(made(&[&long]), Err(Error::Name(long.clone())));
        for (one, other) in [("a", "A"), ("boot/linux", "BOOT/LINUX"), ("a", "a/b"), ("a/b", "A")] {
            assert_eq!(made(&[one, other]), Err(Error::Twice(other.to_owned())));
        }
        let many: Vec<_> = (0..=MAX_FILES).map(|number| file(&number.to_string(), b"")).collect();
        assert_eq!(Image::new(many, u64::MAX).map(|_| ()), Err(Error::Files(MAX_FILES + 1)));
        let file = Arc::new(tempfile::tempfile().unwrap());
        let content = Content::Pieces { file, extents: [].into(), length: MAX_FILE + 1 };
        let found = Image::new(vec![("a".to_owned(), content)], u64::MAX).map(|_| ());
        assert_eq!(found, Err(Error::File { path: "a".to_owned(), size: MAX_FILE + 1 }));
    }
}
