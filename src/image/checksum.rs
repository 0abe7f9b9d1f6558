//! Checksums: what a publisher says of an image, in a file beside it, and what the image really has.
//!
//! Distributions publish SHA-256, SHA-512 or both, in two ways: as `sha256sum` prints it (Debian, Ubuntu, Arch), and with
//! the algorithm before the name as BSD's `sha256` does (Fedora). A file beside an image proves nothing against somebody
//! who can write there; it finds a download that went wrong. One that was pasted from the publisher's page proves more.

use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Sha256, Sha512};

use crate::text;

pub mod kept;
mod known;
mod pasted;

pub use known::{Known, known, remember};
pub use pasted::{Problem, pasted};

/// Largest list that is read, in bytes; Debian's longest has 20 kB.
const MAX_LIST: u64 = 1 << 20;
/// Most entries of a folder that are looked at.
const MAX_ENTRIES: usize = 100_000;
/// Most lists that are read.
const MAX_LISTS: usize = 100;
/// Longest line kept to show, in characters.
const MAX_LINE: usize = 300;
/// How much of an image is read at a time, in bytes.
const PIECE: usize = 1 << 20;
/// How often progress is told, in bytes: ten times a second where SHA-256 is slow.
const PROGRESS: u64 = 16 << 20;
/// Names of lists in the order in which they are asked, after those that are named for the image alone.
const LISTS: [&str; 7] =
    ["sha256sums", "sha256sums.txt", "sha256sum.txt", "checksum", "sha512sums", "sha512sums.txt", "sha512sum.txt"];
/// What files about one image alone have behind its name.
const OWN: [&str; 4] = [".sha256", ".sha256sum", ".sha512", ".sha512sum"];

/// How a checksum is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// SHA-512 (FIPS 180-4).
    Sha512,
}

impl Algorithm {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha512 => "SHA-512",
        }
    }

    /// How many hexadecimal digits its checksums have.
    pub fn digits(self) -> usize {
        match self {
            Algorithm::Sha256 => 64,
            Algorithm::Sha512 => 128,
        }
    }
}

/// A checksum. It is saved as its digits, whose count tells the algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Digest {
    /// A SHA-256.
    Sha256([u8; 32]),
    /// A SHA-512.
    Sha512([u8; 64]),
}

impl Digest {
    /// How it was made, or is to be made for a comparison.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Digest::Sha256(_) => Algorithm::Sha256,
            Digest::Sha512(_) => Algorithm::Sha512,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Digest::Sha256(bytes) => bytes,
            Digest::Sha512(bytes) => bytes,
        }
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        hex(&digest)
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Digest, &'static str> {
        read_hex(text.as_bytes()).ok_or("not a checksum")
    }
}

/// A checksum as people and lists write it: 64 or 128 hexadecimal digits.
pub fn hex(digest: &Digest) -> String {
    digest.bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where a checksum comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file beside the image.
    Beside(PathBuf),
    /// Somebody pasted it.
    Pasted,
}

impl Source {
    /// The file's name, safe to show; none where it was pasted.
    pub fn file_name(&self) -> Option<String> {
        match self {
            Source::Beside(path) => Some(super::file_name(path)),
            Source::Pasted => None,
        }
    }
}

/// What a publisher says of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The checksum that it should have.
    pub digest: Digest,
    /// Where that is said.
    pub from: Source,
    /// The line that says it, for people.
    pub line: String,
}

/// What the comparison says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The image is what its publisher says.
    Matches(Expected),
    /// It is not: the download is damaged or incomplete, or the list is of another version.
    Differs {
        /// What it should have.
        expected: Expected,
        /// What it has.
        found: Digest,
    },
    /// Nothing beside the image says what it should have.
    NoneKnown {
        /// What it has.
        found: Digest,
    },
}

impl Verdict {
    /// Compares what was expected, if anything, with what was found by the same algorithm.
    pub fn of(expected: Option<Expected>, found: Digest) -> Verdict {
        match expected {
            None => Verdict::NoneKnown { found },
            Some(expected) if expected.digest == found => Verdict::Matches(expected),
            Some(expected) => Verdict::Differs { expected, found },
        }
    }
}

/// Why a list beside an image cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ChecksumError {
    /// The folder of the image cannot be listed.
    #[error("cannot look into {path}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A list is there and cannot be read.
    #[error("cannot read {path}")]
    List {
        /// The list.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// What the files beside an image say of it; `None` where none says anything. One that is made for the image alone is
/// believed before a list of many, and a list that cannot be read matters only where no other one helps.
pub fn expected(image: &Path) -> Result<Option<Expected>, ChecksumError> {
    let Some(name) = image.file_name() else { return Ok(None) };
    let name = name.as_encoded_bytes();
    let mut unread = None;
    for path in lists_beside(image, name)? {
        match read_list(&path) {
            Ok(list) => {
                if let Some((digest, line)) = find(&list, name, is_own(&path, name)) {
                    return Ok(Some(Expected { digest, from: Source::Beside(path), line }));
                }
            }
            Err(source) => unread = unread.or(Some(ChecksumError::List { path, source })),
        }
    }
    unread.map_or(Ok(None), Err)
}

/// The checksum of an image. `progress` hears from time to time how many bytes of how many are done, and may end it; then
/// there is none.
pub fn digest(
    image: &Path,
    algorithm: Algorithm,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<Option<Digest>, io::Error> {
    match algorithm {
        Algorithm::Sha256 => Ok(hash::<Sha256>(image, progress)?.map(|found| Digest::Sha256(found.into()))),
        Algorithm::Sha512 => Ok(hash::<Sha512>(image, progress)?.map(|found| Digest::Sha512(found.into()))),
    }
}

fn hash<H: sha2::Digest>(
    image: &Path,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<Option<sha2::digest::Output<H>>, io::Error> {
    let mut file = File::open(image)?;
    let total = file.metadata()?.len();
    let mut hash = H::new();
    let mut piece = vec![0u8; PIECE];
    let (mut done, mut told) = (0u64, 0u64);
    loop {
        let length = match file.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(piece.get(..length).unwrap_or_default());
        done += length as u64;
        if done - told >= PROGRESS {
            told = done;
            // A download that goes on meanwhile grows.
            if progress(done, total.max(done)).is_break() {
                return Ok(None);
            }
        }
    }
    Ok(Some(hash.finalize()))
}

/// The lists beside an image, those for it alone first.
fn lists_beside(image: &Path, name: &[u8]) -> Result<Vec<PathBuf>, ChecksumError> {
    let parent = image.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = parent.unwrap_or(Path::new("."));
    let source = |source| ChecksumError::Folder { path: folder.to_owned(), source };
    let entries = std::fs::read_dir(folder).map_err(source)?;
    // A folder on a drive that is going bad has entries that cannot be read; the others may still help.
    let paths = entries.take(MAX_ENTRIES).filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let mut ranked: Vec<(usize, PathBuf)> = paths.filter_map(|path| Some((rank(&path, name)?, path))).collect();
    ranked.sort();
    // What is no file may never end.
    Ok(ranked.into_iter().map(|(_, path)| path).filter(|path| path.is_file()).take(MAX_LISTS).collect())
}

/// The place of a file in the order of lists; `None` where it is not one.
fn rank(path: &Path, image: &[u8]) -> Option<usize> {
    if is_own(path, image) {
        return Some(0);
    }
    let name = path.file_name()?.as_encoded_bytes();
    // Fedora puts its version into the name: Fedora-Server-42-1.1-x86_64-CHECKSUM.
    let is_list =
        |list: &str| name.eq_ignore_ascii_case(list.as_bytes()) || list == "checksum" && ends_with(name, b"-checksum");
    LISTS.iter().position(|list| is_list(list)).map(|place| place + 1)
}

/// Whether a file is about this image alone.
fn is_own(path: &Path, image: &[u8]) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let Some((start, end)) = name.split_at_checked(image.len()) else { return false };
    start.eq_ignore_ascii_case(image) && OWN.iter().any(|suffix| end.eq_ignore_ascii_case(suffix.as_bytes()))
}

fn ends_with(name: &[u8], end: &[u8]) -> bool {
    name.len().checked_sub(end.len()).and_then(|at| name.get(at..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

fn read_list(path: &Path) -> io::Result<Vec<u8>> {
    let mut list = Vec::new();
    File::open(path)?.take(MAX_LIST).read_to_end(&mut list)?;
    Ok(list)
}

/// A line of a list: as it stands there, and what it says.
struct Line<'a> {
    whole: &'a [u8],
    digest: Digest,
    name: Option<&'a [u8]>,
}

impl Line<'_> {
    fn shown(&self) -> String {
        text::plain(&String::from_utf8_lossy(self.whole), MAX_LINE)
    }
}

fn lines(list: &[u8]) -> Vec<Line<'_>> {
    let lines = list.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    lines.filter_map(|whole| entry(whole).map(|(digest, name)| Line { whole, digest, name })).collect()
}

/// What a list says of a name. In a file about one image (`own`) a checksum may stand alone.
fn find(list: &[u8], name: &[u8], own: bool) -> Option<(Digest, String)> {
    let said = lines(list);
    let alone = || said.first().filter(|line| own && line.name.is_none());
    let line = named(&said, name).or_else(alone)?;
    Some((line.digest, line.shown()))
}

/// The line for a name: exactly as it is written, or else with letters in either case, as on a system that does not
/// care. SHA-256 before SHA-512, which some processors make at half the speed.
fn named<'a, 'b>(said: &'b [Line<'a>], name: &[u8]) -> Option<&'b Line<'a>> {
    let exact = |line: &&Line| line.name.is_some_and(|named| base(named) == name);
    let similar = |line: &&Line| line.name.is_some_and(|named| base(named).eq_ignore_ascii_case(name));
    let short = |line: &&Line| line.digest.algorithm() == Algorithm::Sha256;
    let best = said.iter().filter(exact).find(short).or_else(|| said.iter().find(exact));
    best.or_else(|| said.iter().filter(similar).find(short)).or_else(|| said.iter().find(similar))
}

/// A checksum and the name that it is for, as GNU or BSD write a line.
fn entry(line: &[u8]) -> Option<(Digest, Option<&[u8]>)> {
    if let Some(entry) = bsd(line) {
        return Some(entry);
    }
    // GNU puts a backslash before a line whose name has one of its own, or a line break; nobody names an image so.
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (hex, rest) = line.split_at_checked(digits)?;
    let digest = read_hex(hex)?;
    match rest {
        [] => Some((digest, None)),
        // One blank and a mark for text (blank) or binary (star), then the name.
        [b' ', b' ' | b'*', name @ ..] => Some((digest, Some(name))),
        [b' ' | b'\t', name @ ..] => Some((digest, Some(name))),
        _ => None,
    }
}

/// `SHA256 (name) = hex`. A name may have parentheses itself.
fn bsd(line: &[u8]) -> Option<(Digest, Option<&[u8]>)> {
    let (algorithm, rest) = algorithm(line)?;
    let rest = rest.trim_ascii_start().strip_prefix(b"(")?;
    let end = rest.iter().rposition(|&byte| byte == b')')?;
    let (name, rest) = rest.split_at_checked(end)?;
    let hex = rest.strip_prefix(b")")?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii();
    read_hex(hex).filter(|digest| digest.algorithm() == algorithm).map(|digest| (digest, Some(name)))
}

/// The algorithm that a line begins with, and what follows.
fn algorithm(line: &[u8]) -> Option<(Algorithm, &[u8])> {
    let (name, rest) = line.split_at_checked(6)?;
    match name.to_ascii_lowercase().as_slice() {
        b"sha256" => Some((Algorithm::Sha256, rest)),
        b"sha512" => Some((Algorithm::Sha512, rest)),
        _ => None,
    }
}

/// Reads 64 or 128 hexadecimal digits.
fn read_hex(hex: &[u8]) -> Option<Digest> {
    fn bytes<const N: usize>(hex: &[u8]) -> Option<[u8; N]> {
        let (pairs, rest) = hex.as_chunks::<2>();
        let mut bytes = [0u8; N];
        if pairs.len() != N || !rest.is_empty() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
            *byte = u8::try_from(high? << 4 | low?).ok()?;
        }
        Some(bytes)
    }
    bytes(hex).map(Digest::Sha256).or_else(|| bytes(hex).map(Digest::Sha512))
}

/// The last part of a name in a list. Lists are written on every system, so both slashes part.
fn base(name: &[u8]) -> &[u8] {
    name.rsplit(|byte| matches!(byte, b'/' | b'\\')).next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of an empty file and of `abc` (FIPS 180-2, appendix B.1).
    pub(super) const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    pub(super) const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    /// Of `abc` by SHA-512 (FIPS 180-2, appendix C.1).
    pub(super) const ABC_512: &str = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                                      2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    /// What the lists say of `debian.iso`, and which one it was.
    fn said(lists: &[(&str, &str)]) -> Option<(String, String)> {
        let folder = folder(lists);
        let expected = expected(&folder.path().join("debian.iso")).unwrap()?;
        let from = expected.from.file_name().unwrap();
        Some((hex(&expected.digest), from))
    }

    fn whole(image: &Path) -> Digest {
        digest(image, Algorithm::Sha256, &mut |_, _| ControlFlow::Continue(())).unwrap().expect("not cancelled")
    }

    #[test]
    fn every_kind_of_list_is_read() {
        let (gnu, upper) = (format!("{ABC}  debian.iso\n"), format!("{} *debian.iso\r\n", ABC.to_uppercase()));
        let bsd = format!("# debian.iso: 3 bytes\nSHA256 (debian.iso) = {ABC}\n");
        let signed =
            format!("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{bsd}-----BEGIN PGP SIGNATURE-----\n");
        let others = format!("{EMPTY}  debian.iso.zsync\n{EMPTY}  other.iso\n\n{ABC}  ./images/debian.iso");
        let cases = [
            ("SHA256SUMS", gnu.as_str()),
            ("sha256sums", &upper),
            ("SHA256SUMS.txt", &others),
            ("sha256sum.txt", &gnu),
            ("CHECKSUM", &bsd),
            ("Fedora-Server-42-1.1-x86_64-CHECKSUM", &signed),
            ("debian.iso.sha256", ABC),
            ("debian.iso.SHA256", &gnu),
            ("debian.iso.sha256sum", &upper),
        ];
        for (name, text) in cases {
            assert_eq!(said(&[(name, text)]), Some((ABC.to_owned(), name.to_owned())), "{name}: {text}");
        }
    }

    #[test]
    fn what_does_not_speak_of_the_image_is_not_believed() {
        let cases = [
            ("SHA256SUMS", format!("{ABC}  other.iso\n")),
            ("SHA256SUMS", format!("{ABC}  old-debian.iso\n")),
            ("SHA256SUMS", ABC.to_owned()),
            ("SHA256SUMS", format!("{}  debian.iso", &ABC[1..])),
            ("SHA256SUMS", format!("{ABC}0  debian.iso")),
            ("SHA256SUMS", format!("g{}  debian.iso", &ABC[1..])),
            ("CHECKSUM", format!("SHA512 (debian.iso) = {ABC}")),
            ("CHECKSUM", format!("SHA256 (debian.iso) = {ABC}{ABC}")),
            ("SHA1SUMS", format!("{ABC}  debian.iso")),
            ("other.iso.sha256", ABC.to_owned()),
            ("debian.iso.sha256", format!("{ABC}  other.iso")),
            ("SHA256SUMS", String::new()),
        ];
        for (name, text) in cases {
            assert_eq!(said(&[(name, &text)]), None, "{name}: {text}");
        }
        assert_eq!(said(&[]), None);
    }

    #[test]
    fn the_file_about_this_image_comes_first_and_exact_names_do() {
        let (list, own) = (format!("{EMPTY}  debian.iso"), ABC.to_owned());
        let both = [("SHA256SUMS", list.as_str()), ("debian.iso.sha256", own.as_str())];
        assert_eq!(said(&both), Some((ABC.to_owned(), "debian.iso.sha256".to_owned())));
        let similar = format!("{EMPTY}  Debian.ISO\n{ABC}  debian.iso");
        assert_eq!(said(&[("SHA256SUMS", &similar)]).map(|(hex, _)| hex), Some(ABC.to_owned()));
        let only_similar = format!("{ABC}  Debian.ISO\n");
        assert_eq!(said(&[("SHA256SUMS", &only_similar)]).map(|(hex, _)| hex), Some(ABC.to_owned()));
    }

    #[test]
    fn sha_512_helps_where_there_is_nothing_shorter() {
        let long = format!("{ABC_512}  debian.iso\n");
        for name in ["SHA512SUMS", "sha512sum.txt", "debian.iso.sha512", "CHECKSUM"] {
            assert_eq!(said(&[(name, &long)]), Some((ABC_512.to_owned(), name.to_owned())), "{name}");
        }
        let short = format!("{ABC}  debian.iso\n");
        let both = [("SHA512SUMS", long.as_str()), ("SHA256SUMS", short.as_str())];
        assert_eq!(said(&both), Some((ABC.to_owned(), "SHA256SUMS".to_owned())));
        let mixed = format!("SHA512 (debian.iso) = {ABC_512}\nSHA256 (debian.iso) = {ABC}\n");
        assert_eq!(said(&[("CHECKSUM", &mixed)]).map(|(hex, _)| hex), Some(ABC.to_owned()));
        let crossed = format!("SHA512 (debian.iso) = {ABC}\nSHA256 (debian.iso) = {ABC_512}\n");
        assert_eq!(said(&[("CHECKSUM", &crossed)]), None);

        let folder = folder(&[("abc.iso", "abc"), ("SHA512SUMS", &format!("{ABC_512}  abc.iso"))]);
        let image = folder.path().join("abc.iso");
        let expected = expected(&image).unwrap().unwrap();
        let found = digest(&image, expected.digest.algorithm(), &mut |_, _| ControlFlow::Continue(())).unwrap();
        assert!(matches!(Verdict::of(Some(expected), found.unwrap()), Verdict::Matches(_)));
    }

    #[test]
    fn checksums_are_saved_as_digits() {
        for text in [ABC, ABC_512] {
            let json = format!("{text:?}");
            let digest: Digest = serde_json::from_str(&json).unwrap();
            assert_eq!((hex(&digest), digest.algorithm().digits()), (text.to_owned(), text.len()));
            assert_eq!(serde_json::to_string(&digest).unwrap(), json);
        }
        assert!(serde_json::from_str::<Digest>(&format!("{:?}", &ABC[1..])).is_err());
    }

    #[test]
    fn a_list_that_is_none_does_no_harm() {
        let behind = format!("{}\n{ABC}  debian.iso", "x".repeat(MAX_LIST as usize));
        assert_eq!(said(&[("SHA256SUMS", &behind)]), None, "only its beginning is read");
        let folder = folder(&[]);
        std::fs::create_dir(folder.path().join("SHA256SUMS")).unwrap();
        assert_eq!(expected(&folder.path().join("debian.iso")).unwrap(), None, "a folder is no list");
        let nowhere = expected(&folder.path().join("gone/debian.iso"));
        assert!(matches!(nowhere, Err(ChecksumError::Folder { .. })), "{nowhere:?}");
    }

    #[test]
    fn the_line_is_kept_for_people_and_harmless() {
        let folder = folder(&[("SHA256SUMS", &format!("{ABC} *a\x1b[2J/debian.iso\n"))]);
        let line = expected(&folder.path().join("debian.iso")).unwrap().unwrap().line;
        assert_eq!(line, format!("{ABC} *a·[2J/debian.iso"));
    }

    #[cfg(unix)]
    #[test]
    fn names_need_not_be_utf8() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join(std::ffi::OsStr::from_bytes(b"d\xe9bian.iso"));
        if std::fs::write(&image, "abc").is_err() {
            return; // This file system has only UTF-8 names, and then there is nothing to get wrong.
        }
        let list = [ABC.as_bytes(), b"  d\xe9bian.iso\n"].concat();
        std::fs::write(folder.path().join("SHA256SUMS"), list).unwrap();
        let verdict = Verdict::of(expected(&image).unwrap(), whole(&image));
        assert!(matches!(verdict, Verdict::Matches(_)), "{verdict:?}");
    }

    #[test]
    fn what_is_found_is_compared() {
        let folder = folder(&[
            ("abc.iso", "abc"),
            ("empty.iso", ""),
            ("SHA256SUMS", &format!("{ABC}  abc.iso\n{ABC}  empty.iso")),
        ]);
        let verdict = |name: &str| {
            let image = folder.path().join(name);
            Verdict::of(expected(&image).unwrap(), whole(&image))
        };
        assert!(matches!(verdict("abc.iso"), Verdict::Matches(_)));
        let Verdict::Differs { expected, found } = verdict("empty.iso") else { panic!("they differ") };
        assert_eq!((hex(&expected.digest), hex(&found)), (ABC.to_owned(), EMPTY.to_owned()));
        std::fs::remove_file(folder.path().join("SHA256SUMS")).unwrap();
        assert!(matches!(verdict("abc.iso"), Verdict::NoneKnown { .. }));
    }

    #[test]
    fn progress_is_told_and_can_end_it() {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("large.iso");
        let size = 2 * PROGRESS + 5;
        File::create(&image).unwrap().set_len(size).unwrap();
        let mut told = Vec::new();
        let found = digest(&image, Algorithm::Sha256, &mut |done, total| {
            told.push((done, total));
            ControlFlow::Continue(())
        });
        assert!(found.unwrap().is_some());
        assert_eq!(told, [(PROGRESS, size), (2 * PROGRESS, size)]);
        let mut calls = 0;
        let cancelled = digest(&image, Algorithm::Sha256, &mut |_, _| {
            calls += 1;
            ControlFlow::Break(())
        });
        assert_eq!((cancelled.unwrap(), calls), (None, 1));
        let gone = digest(&folder.path().join("gone.iso"), Algorithm::Sha512, &mut |_, _| ControlFlow::Continue(()));
        assert!(gone.is_err());
    }
}
