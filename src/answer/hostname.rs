//! Host names made of a pattern, and the numbers in them.
//!
//! A pattern is text with placeholders: `{n}` is the computer's number, `{nnn}` the same with three digits at least,
//! `{mac6}` the last six digits of its network card and `{serial}` its serial number: `lab-{nn}` makes `lab-07`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Computer;
use crate::mac::Mac;

/// Longest host name (RFC 1123, section 2.1, and the label of RFC 1035).
pub const MAX_NAME: usize = 63;
/// Longest pattern, in bytes.
const MAX_PATTERN: usize = 200;
/// Most digits that `{nnn…}` asks for.
const MAX_DIGITS: usize = 9;
/// Most computers that have a number.
pub const MAX_COUNTED: usize = 10_000;

/// A pattern for host names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Number { digits: usize },
    Mac6,
    Serial,
}

/// Why there is no host name.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum NameError {
    /// The pattern has something in braces that is no placeholder, or a brace alone.
    #[error("`{0}` is no pattern for host names; in braces may stand n, nn, nnn, mac6 or serial")]
    Pattern(String),
    /// A name that a network does not take.
    #[error("`{0}` is no host name: letters, digits and dashes, 63 at most, and no dash at an end")]
    Name(String),
    /// The pattern asks for the serial number, and the computer has not told it.
    #[error("the host name needs a serial number, and this computer has told none")]
    NoSerial,
    /// As many computers have numbers as can have one.
    #[error("10,000 computers have numbers, and there is no more room")]
    Full,
}

impl FromStr for Pattern {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Pattern, NameError> {
        let wrong = || NameError::Pattern(crate::text::plain(text, MAX_PATTERN));
        let mut pieces = Vec::new();
        let mut rest = text.trim();
        if rest.is_empty() || rest.len() > MAX_PATTERN {
            return Err(wrong());
        }
        while let Some((before, after)) = rest.split_once('{') {
            let (name, behind) = after.split_once('}').ok_or_else(wrong)?;
            pieces.push(Piece::Text(before.to_owned()));
            pieces.push(placeholder(name).ok_or_else(wrong)?);
            rest = behind;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        let is_text = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let fits = |piece: &Piece| !matches!(piece, Piece::Text(text) if !text.chars().all(is_text));
        pieces.iter().all(fits).then_some(Pattern(pieces)).ok_or_else(wrong)
    }
}

fn placeholder(name: &str) -> Option<Piece> {
    match name {
        "mac6" => Some(Piece::Mac6),
        "serial" => Some(Piece::Serial),
        _ if (1..=MAX_DIGITS).contains(&name.len()) && name.bytes().all(|letter| letter == b'n') => {
            Some(Piece::Number { digits: name.len() })
        }
        _ => None,
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => f.write_str(text),
            Piece::Number { digits } => write!(f, "{{{}}}", "n".repeat(*digits)),
            Piece::Mac6 => f.write_str("{mac6}"),
            Piece::Serial => f.write_str("{serial}"),
        })
    }
}

impl Pattern {
    /// Whether names need a number.
    pub fn counts(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Number { .. }))
    }

    /// A computer's name, with its number.
    pub fn name(&self, computer: &Computer, number: u32) -> Result<String, NameError> {
        let mut name = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => name.push_str(text),
                Piece::Number { digits } => name.push_str(&format!("{number:0digits$}")),
                Piece::Mac6 => name.push_str(&mac6(computer.mac)),
                Piece::Serial => name.push_str(&serial(computer).ok_or(NameError::NoSerial)?),
            }
        }
        checked(&name)
    }
}

fn mac6(mac: Mac) -> String {
    let [_, _, _, a, b, c] = mac.0;
    format!("{a:02x}{b:02x}{c:02x}")
}

/// Serial numbers have blanks and slashes; a host name does not.
fn serial(computer: &Computer) -> Option<String> {
    let serial = computer.serial.as_deref()?.trim();
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = serial.chars().take(MAX_NAME).map(safe).collect();
    let name = name.trim_matches('-');
    (!name.is_empty()).then(|| name.to_owned())
}

/// The name, if it is one (RFC 1123, section 2.1): letters, digits and dashes, none of those at an end.
pub fn checked(name: &str) -> Result<String, NameError> {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let fits = (1..=MAX_NAME).contains(&name.len()) && name.chars().all(is_inside);
    if fits && !name.starts_with('-') && !name.ends_with('-') {
        Ok(name.to_owned())
    } else {
        Err(NameError::Name(crate::text::plain(name, 2 * MAX_NAME)))
    }
}

/// The numbers that computers have. Each gets one once and keeps it, so a second boot gives the same name. To be saved
/// from one start to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Counters {
    given: BTreeMap<Mac, u32>,
}

impl Counters {
    /// A computer's number, where it has one.
    pub fn get(&self, mac: Mac) -> Option<u32> {
        self.given.get(&mac).copied()
    }

    /// A computer's number. A new one gets the smallest from `first` on that no other has and that is not `taken`.
    pub fn number(&mut self, mac: Mac, first: u32, taken: impl Fn(u32) -> bool) -> Result<u32, NameError> {
        if let Some(number) = self.get(mac) {
            return Ok(number);
        }
        if self.given.len() >= MAX_COUNTED {
            return Err(NameError::Full);
        }
        let used: BTreeSet<u32> = self.given.values().copied().collect();
        // What is taken is the names of a list, which is bounded as well.
        let candidates = (first..=u32::MAX).take(MAX_COUNTED * 2 + 1);
        let free = candidates.into_iter().find(|number| !used.contains(number) && !taken(*number));
        let number = free.ok_or(NameError::Full)?;
        self.given.insert(mac, number);
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn computer(serial: Option<&str>) -> Computer {
        let mac = Mac([0x52, 0x54, 0, 0x12, 0xab, 0x0f]);
        Computer { mac, ip: None, uuid: None, serial: serial.map(String::from), product: None }
    }

    fn named(pattern: &str, serial: Option<&str>) -> Result<String, NameError> {
        let parsed: Pattern = pattern.parse()?;
        assert_eq!(parsed.to_string(), pattern.trim());
        parsed.name(&computer(serial), 7)
    }

    #[test]
    fn patterns_make_names() {
        let cases = [
            ("lab-{n}", "lab-7"),
            (" lab-{nnn} ", "lab-007"),
            ("pc-{mac6}", "pc-12ab0f"),
            ("{serial}", "5CG-8X"),
            ("r2-{nn}-{mac6}", "r2-07-12ab0f"),
            ("fixed", "fixed"),
        ];
        for (pattern, expected) in cases {
            assert_eq!(named(pattern, Some(" 5CG/8X. ")).as_deref(), Ok(expected), "{pattern}");
        }
    }

    #[test]
    fn what_makes_no_name_says_so() {
        for pattern in
            ["", "{", "lab-{}", "lab-{x}", "lab-{nnnnnnnnnn}", "lab_{n}", "lab }", "büro-{n}", "lab-{counter:03}"]
        {
            assert!(matches!(named(pattern, None), Err(NameError::Pattern(_))), "{pattern}");
        }
        assert_eq!(named("{serial}", None), Err(NameError::NoSerial));
        assert_eq!(named("{serial}", Some("./")), Err(NameError::NoSerial));
        let long = "x".repeat(63);
        assert_eq!(checked(&long).as_deref(), Ok(&*long));
        for name in ["", "-a", "a-", "a b", "a.b", "ä", &"x".repeat(64)] {
            assert_eq!(checked(name), Err(NameError::Name(name.to_owned())), "{name}");
        }
        assert!(matches!(named("{n}-", None), Err(NameError::Name(_))));
    }

    #[test]
    fn a_number_is_kept_and_none_is_given_twice() {
        let mac = |last| Mac([2, 0, 0, 0, 0, last]);
        let mut counters = Counters::default();
        let mut number = |last: u8, first| counters.number(mac(last), first, |number| number == 6).unwrap();
        let given = [number(1, 5), number(2, 5), number(1, 5), number(3, 5), number(1, 100), number(4, 100)];
        assert_eq!(given, [5, 7, 5, 8, 5, 100], "6 is the name of a computer in the list");
        assert_eq!((counters.get(mac(9)), counters.number(mac(9), 5, |_| false)), (None, Ok(6)));
        let saved = toml::to_string(&counters).unwrap();
        assert_eq!(toml::from_str::<Counters>(&saved), Ok(counters.clone()), "{saved}");
        assert_eq!(counters.get(mac(9)), Some(6));
    }

    #[test]
    fn there_are_so_many_numbers_and_no_more() {
        let mut counters = Counters::default();
        for at in 0..MAX_COUNTED {
            let [.., high, low] = at.to_be_bytes();
            counters.given.insert(Mac([2, 0, 0, 0, high, low]), u32::try_from(at).unwrap());
        }
        assert_eq!(counters.number(Mac([4; 6]), 0, |_| false), Err(NameError::Full));
        assert_eq!(counters.number(Mac([2, 0, 0, 0, 0, 9]), 0, |_| false), Ok(9));
        let mut last = Counters::default();
        assert_eq!(last.number(Mac([1; 6]), u32::MAX, |_| false), Ok(u32::MAX));
        assert_eq!(last.number(Mac([4; 6]), u32::MAX, |_| false), Err(NameError::Full));
    }
}
