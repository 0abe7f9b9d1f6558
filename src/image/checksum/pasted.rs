//! A checksum that somebody pasted: from a publisher's page, a list, or what a program printed.

use std::path::Path;

use super::{Algorithm, Digest, Expected, Line, MAX_LINE, MAX_LIST, Source, algorithm, base, entry, named, read_hex};
use crate::text;

/// Longest name of another image that is shown, in characters.
const MAX_NAME: usize = 80;
/// How many digits make a string a checksum that was meant to be one: what is shorter than CRC-32 is a word.
const SOME_DIGITS: usize = 8;

/// Why a pasted text says nothing of an image; its `Display` is the sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Blanks only.
    #[error("There is nothing in it. Paste the SHA-256 from the publisher's page.")]
    Empty,
    /// Longer than any list.
    #[error("That is too long for a list of checksums.")]
    TooLong,
    /// Made by an algorithm that we do not use.
    #[error("That is {name} ({digits} digits), which is not compared here. Paste the SHA-256, which has 64.")]
    OtherAlgorithm {
        /// Its name with its article.
        name: &'static str,
        /// How many digits were pasted.
        digits: usize,
    },
    /// A wrong number of digits.
    #[error("A SHA-256 has 64 digits and a SHA-512 has 128; this has {digits}. Copy it again from end to end.")]
    Digits {
        /// How many digits were pasted.
        digits: usize,
    },
    /// Right in its length, but no number.
    #[error("A checksum has the digits 0 to 9 and the letters a to f only; this has {found:?}. Copy it again.")]
    NotHexadecimal {
        /// The first character that cannot be.
        found: char,
    },
    /// It says SHA-256 and has the length of SHA-512, or the other way round.
    #[error("It says of itself what its length denies. Copy it again with its whole line.")]
    Contradiction,
    /// A list of other files.
    #[error("That is for {}, not for this file. Paste the list that names it, or its checksum alone.", others(.named))]
    OtherFiles {
        /// The first names in it, safe to show.
        named: Vec<String>,
    },
    /// Several checksums without a name.
    #[error("There are {count} checksums in it without a name. Paste one of them.")]
    Several {
        /// How many.
        count: usize,
    },
    /// Nothing like a checksum.
    #[error("There is no checksum in it. A SHA-256 has 64 digits, 0 to 9 and a to f.")]
    None,
}

fn others(named: &[String]) -> String {
    match named {
        [] => "other files".to_owned(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [one, rest @ ..] => format!("{one} and {} other files", rest.len()),
    }
}

/// Reads a pasted text: a checksum alone, with blanks or colons in it, with the algorithm before it, a line of a list, or
/// a whole list that names the image.
pub fn pasted(text: &str, image: &Path) -> Result<Expected, Problem> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if text.is_empty() {
        return Err(Problem::Empty);
    }
    if text.len() as u64 > MAX_LIST {
        return Err(Problem::TooLong);
    }
    let said: Vec<Line> = text.as_bytes().split(|&byte| byte == b'\n').filter_map(line).collect();
    let name = image.file_name().unwrap_or_default().as_encoded_bytes();
    if let Some(line) = named(&said, name) {
        return Ok(believed(line.digest, &line.shown()));
    }
    let mut alone: Vec<&Line> = said.iter().filter(|line| line.name.is_none()).collect();
    alone.dedup_by_key(|line| line.digest);
    match alone.as_slice() {
        [one] => return Ok(believed(one.digest, &one.shown())),
        [] => {}
        several => return Err(Problem::Several { count: several.len() }),
    }
    if !said.is_empty() {
        let names = said.iter().filter_map(|line| line.name).map(|name| String::from_utf8_lossy(base(name)));
        return Err(Problem::OtherFiles { named: names.map(|name| text::plain(&name, MAX_NAME)).collect() });
    }
    lone(text)
}

fn believed(digest: Digest, line: &str) -> Expected {
    Expected { digest, from: Source::Pasted, line: line.to_owned() }
}

/// A line of a list, of a page (`SHA256: …`) or of `Get-FileHash`, which has the algorithm, the checksum and the path.
fn line(whole: &[u8]) -> Option<Line<'_>> {
    let whole = whole.trim_ascii();
    let (digest, name) = entry(whole).or_else(|| {
        let (said, rest) = algorithm(whole)?;
        let rest = rest.trim_ascii_start();
        let rest = rest.strip_prefix(b":").or_else(|| rest.strip_prefix(b"=")).unwrap_or(rest);
        entry(rest.trim_ascii()).filter(|(digest, _)| digest.algorithm() == said)
    })?;
    Some(Line { whole, digest, name: name.map(<[u8]>::trim_ascii).filter(|name| !name.is_empty()) })
}

/// A single checksum in another dress, or what is wrong with it.
fn lone(text: &str) -> Result<Expected, Problem> {
    let (said, rest) = match algorithm(text.as_bytes()).zip(text.get("sha256".len()..)) {
        Some(((said, _), rest)) => (Some(said), rest),
        None => (None, text),
    };
    let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '=' | '-'));
    // certutil and some pages part the digits.
    let joined: String = rest.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
    if let Some(digest) = read_hex(joined.as_bytes()) {
        if said.is_some_and(|said| said != digest.algorithm()) {
            return Err(Problem::Contradiction);
        }
        return Ok(believed(digest, &text::plain(text, MAX_LINE)));
    }
    // Of a line with a name only the first word is meant.
    let word = rest.split_whitespace().next().unwrap_or_default();
    Err(problem(word, &joined))
}

/// What is wrong with something that was meant as a checksum.
fn problem(word: &str, joined: &str) -> Problem {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits = if is_hex(word) && word.len() >= SOME_DIGITS { word.len() } else { joined.chars().count() };
    let known = [Algorithm::Sha256, Algorithm::Sha512].map(Algorithm::digits);
    if is_hex(word) && word.len() >= SOME_DIGITS || is_hex(joined) && joined.len() >= SOME_DIGITS {
        return match digits {
            32 => Problem::OtherAlgorithm { name: "an MD5", digits },
            40 => Problem::OtherAlgorithm { name: "a SHA-1", digits },
            56 => Problem::OtherAlgorithm { name: "a SHA-224", digits },
            96 => Problem::OtherAlgorithm { name: "a SHA-384", digits },
            digits => Problem::Digits { digits },
        };
    }
    let wrong = |text: &str| text.chars().find(|c| !c.is_ascii_hexdigit());
    match wrong(word) {
        Some(found) if known.contains(&word.chars().count()) => Problem::NotHexadecimal { found },
        _ => Problem::None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ABC, ABC_512, EMPTY};
    use super::*;
    use crate::image::checksum::hex;

    fn read(text: &str) -> Result<Expected, Problem> {
        pasted(text, Path::new("/isos/debian.iso"))
    }

    #[test]
    fn every_way_to_write_a_checksum_is_read() {
        let pairs: Vec<&str> = (0..32).map(|at| &ABC[at * 2..at * 2 + 2]).collect();
        let texts = [
            ABC.to_owned(),
            format!("\u{feff}  {}\r\n\n", ABC.to_uppercase()),
            format!("{ABC}  debian.iso"),
            format!("{ABC} *debian.iso\n"),
            format!("{ABC}\tC:\\isos\\Debian.ISO\r\n"),
            format!("SHA256 (debian.iso) = {ABC}"),
            format!("sha256:{ABC}"),
            format!("SHA256: {ABC}"),
            format!("SHA256 = {ABC}"),
            format!("SHA256          {}       C:\\isos\\debian.iso", ABC.to_uppercase()),
            pairs.join(" "),
            pairs.join(":"),
            format!("{}\n{}", &ABC[..32], &ABC[32..]),
            format!("# a list\n{EMPTY}  other.iso\n{ABC}  ./pool/debian.iso\n"),
            format!("{ABC_512}  debian.iso\n{ABC}  debian.iso\n"),
            format!("Algorithm  Hash  Path\n---------  ----  ----\nSHA256  {ABC}  debian.iso"),
            format!("{ABC}\n{ABC}\n"),
        ];
        for text in texts {
            let expected = read(&text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
            assert_eq!((hex(&expected.digest), expected.from), (ABC.to_owned(), Source::Pasted), "{text}");
        }
        for text in [ABC_512.to_owned(), format!("SHA512: {ABC_512}"), format!("{ABC_512}  debian.iso")] {
            assert_eq!(hex(&read(&text).unwrap().digest), ABC_512, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let cases = [
            (String::new(), Problem::Empty),
            (" \n\t".to_owned(), Problem::Empty),
            (ABC[..32].to_owned(), Problem::OtherAlgorithm { name: "an MD5", digits: 32 }),
            (format!("{}  debian.iso", &ABC[..32]), Problem::OtherAlgorithm { name: "an MD5", digits: 32 }),
            (ABC[..40].to_owned(), Problem::OtherAlgorithm { name: "a SHA-1", digits: 40 }),
            (ABC_512[..96].to_owned(), Problem::OtherAlgorithm { name: "a SHA-384", digits: 96 }),
            (ABC[1..].to_owned(), Problem::Digits { digits: 63 }),
            (format!("{ABC}0"), Problem::Digits { digits: 65 }),
            (format!("{ABC}{ABC}{ABC}"), Problem::Digits { digits: 192 }),
            (format!("g{}", &ABC[1..]), Problem::NotHexadecimal { found: 'g' }),
            (format!("{}l  debian.iso", &ABC[..63]), Problem::NotHexadecimal { found: 'l' }),
            (format!("SHA512: {ABC}"), Problem::Contradiction),
            (format!("{ABC}  other.iso"), Problem::OtherFiles { named: vec!["other.iso".into()] }),
            (
                format!("SHA256 (a/old-debian.iso) = {ABC}\nSHA256 (b.iso\u{1b}) = {EMPTY}"),
                Problem::OtherFiles { named: vec!["old-debian.iso".into(), "b.iso·".into()] },
            ),
            (format!("{ABC}\n{EMPTY}"), Problem::Several { count: 2 }),
            ("hello".to_owned(), Problem::None),
            ("https://example.org/SHA256SUMS".to_owned(), Problem::None),
            ("ü".repeat(200), Problem::None),
            ("x".repeat(MAX_LIST as usize + 1), Problem::TooLong),
        ];
        for (text, problem) in cases {
            let start: String = text.chars().take(100).collect();
            assert_eq!(read(&text), Err(problem), "{start}");
        }
    }

    #[test]
    fn sentences_name_what_was_found() {
        let said = |text: &str| read(text).unwrap_err().to_string();
        assert!(said(&ABC[..40]).starts_with("That is a SHA-1 (40 digits)"));
        let three = format!("{ABC}  a.iso\n{ABC}  b.iso\n{ABC}  c.iso\n");
        assert!(said(&three).starts_with("That is for a.iso and 2 other files"), "{}", said(&three));
    }

    #[test]
    fn the_line_is_harmless() {
        let line = read(&format!("{ABC} *\u{202e}/debian.iso")).unwrap().line;
        assert_eq!(line, format!("{ABC} *·/debian.iso"));
    }
}
