//! What a computer shows that does not boot, explained: codes of PXE ROMs, and texts of UEFI, iPXE, shim, GRUB and Linux.
//!
//! Data, and a search that forgives how people write down what they saw: case, spaces, hyphens and single wrong letters.

mod texts;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use strsim::normalized_damerau_levenshtein;

pub use texts::TEXTS;

/// Something that a computer shows, and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Help {
    /// What stands on the screen, in the words of those who show it; the first names it.
    pub shows: &'static [&'static str],
    /// Who shows it.
    pub from: &'static str,
    /// What it means for booting.
    pub meaning: &'static str,
    /// What to do.
    pub next_step: &'static str,
}

/// Longest text that is searched for, in characters; a photographed screen has about 2000.
const LONGEST: usize = 2000;
/// Most answers.
const MOST: usize = 5;
/// How alike two words have to be, from 0 to 1: one wrong letter of five.
const ALIKE: f64 = 0.79;
/// Shorter words are not taken for others.
const SHORTEST: usize = 4;
/// Which share of what is asked has to be found, by weight, and of what is found to be asked.
const SHARES: (f64, f64) = (0.55, 0.35);

/// What is known of a text that a computer shows, the best first; empty where nothing is.
pub fn explain(shown: &str) -> Vec<&'static Help> {
    let asked: String = shown.chars().take(LONGEST).collect();
    let by_code = by_codes(&asked);
    if !by_code.is_empty() {
        return by_code;
    }
    let asked = words(&asked);
    let weights = weights();
    let mut found: Vec<(f64, &Help)> = TEXTS
        .iter()
        .filter_map(|help| {
            let best = help.shows.iter().map(|text| score(&asked, &words(text), &weights)).fold(0.0, f64::max);
            (best > 0.0).then_some((best, help))
        })
        .collect();
    found.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let best = found.first().map_or(0.0, |(score, _)| *score);
    // What is found much worse than the best is another thing.
    found.into_iter().take_while(|(score, _)| *score >= best * 0.75).take(MOST).map(|(_, help)| help).collect()
}

/// What is known by the codes in a text: `PXE-E18`, `pxe e18`, `E18`, `PXE-M0F`, and the addresses that iPXE prints.
fn by_codes(text: &str) -> Vec<&'static Help> {
    let wanted = codes(text);
    let has = |help: &&Help| help.shows.iter().any(|shown| codes(shown).iter().any(|code| wanted.contains(code)));
    TEXTS.iter().filter(has).take(MOST).collect()
}

/// The codes in a text, in one spelling.
fn codes(text: &str) -> BTreeSet<String> {
    let text = text.to_ascii_lowercase();
    let parts: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()).collect();
    let mut codes = BTreeSet::new();
    for (at, part) in parts.iter().enumerate() {
        let bare = part.strip_prefix("pxe").unwrap_or(part);
        codes.extend(is_pxe(bare).then(|| bare.to_owned()));
        // "E 18", where the letter stands alone.
        let next = parts.get(at + 1).copied().unwrap_or_default();
        let joined = format!("{bare}{next}");
        codes.extend((bare.len() == 1 && next.len() == 2 && is_pxe(&joined)).then_some(joined));
        codes.extend(is_ipxe(part).then(|| (*part).to_owned()));
    }
    codes
}

/// A letter and two digits, of which the second may go up to F (PXE 2.1; Intel's ROMs).
fn is_pxe(code: &str) -> bool {
    match code.as_bytes() {
        [b'e' | b'm' | b't', ten, one] => ten.is_ascii_digit() && one.is_ascii_hexdigit(),
        _ => false,
    }
}

/// iPXE's errors are eight hexadecimal digits, with at least one of either kind.
fn is_ipxe(part: &str) -> bool {
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    part.len() == 8 && part.bytes().all(|c| c.is_ascii_hexdigit()) && digits > 0 && digits < 8
}

/// The words of a text, in lower case and without what stands between them.
fn words(text: &str) -> Vec<String> {
    // One thing in three spellings.
    let text = text
        .to_lowercase()
        .replace("timed out", "timeout")
        .replace("time out", "timeout")
        .replace("time-out", "timeout");
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1).map(str::to_owned).collect()
}

/// How much each known word says: one that stands in many texts says little.
fn weights() -> BTreeMap<String, f64> {
    let mut counts: BTreeMap<String, f64> = BTreeMap::new();
    for help in TEXTS {
        let all: BTreeSet<String> = help.shows.iter().flat_map(|text| words(text)).collect();
        for word in all {
            *counts.entry(word).or_default() += 1.0;
        }
    }
    counts.into_iter().map(|(word, count)| (word, 1.0 / count)).collect()
}

/// How well a text answers, from 0 (not at all) to 1.
fn score(asked: &[String], text: &[String], weights: &BTreeMap<String, f64>) -> f64 {
    let weight = |word: &String| weights.get(word).copied().unwrap_or(0.5);
    let alike = |one: &String, other: &String| {
        one == other || (one.len() >= SHORTEST && normalized_damerau_levenshtein(one, other) >= ALIKE)
    };
    let share = |of: &[String], among: &[String]| {
        let total: f64 = of.iter().map(weight).sum();
        let hit: f64 = of.iter().filter(|word| among.iter().any(|other| alike(word, other))).map(weight).sum();
        if total > 0.0 { hit / total } else { 0.0 }
    };
    let (least_asked, least_text) = SHARES;
    // A photographed screen has much around the line that matters: then the line has to be there whole.
    let (of_asked, of_text) = (share(asked, text), share(text, asked));
    let is_answer = (of_asked >= least_asked && of_text >= least_text) || (of_text >= 0.9 && text.len() >= 3);
    if is_answer { of_asked.midpoint(of_text) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(shown: &str) -> Option<&'static str> {
        explain(shown).first().map(|help| help.shows[0])
    }

    #[test]
    fn everything_is_found_by_each_of_its_own_texts() {
        for help in TEXTS {
            for shown in help.shows {
                let found = explain(shown);
                assert!(found.contains(&help), "{shown}: {found:#?}");
            }
            let plain = |text: &str| text.ends_with(['.', '?']) && !text.contains('!') && !text.contains('\n');
            assert!(plain(help.meaning) && plain(help.next_step), "{help:?}");
        }
        assert!(TEXTS.len() >= 50, "{}", TEXTS.len());
    }

    #[test]
    fn codes_are_found_however_they_are_written() {
        let e18 = first("PXE-E18");
        assert!(e18.is_some_and(|text| text.starts_with("PXE-E18")), "{e18:?}");
        for shown in
            ["pxe-e18", "pxe e18", "PXE E 18", "PXEE18", "E18", " e18: ", "I see PXE–E18 here", "PXE-E18: Server resp"]
        {
            assert_eq!(first(shown), e18, "{shown}");
        }
        assert_eq!(first("m0f"), first("PXE-M0F: Exiting PXE ROM."));
        assert!(first("https://ipxe.org/4c0a6092").is_some_and(|text| text.starts_with("Connection timed out")));
        for nothing in ["E1", "E1800", "F18", "", "   ", "PXE-E", "12345678", "deadline"] {
            assert_eq!(codes(nothing), BTreeSet::new(), "{nothing}");
        }
    }

    #[test]
    fn texts_are_found_with_mistakes_and_in_the_middle_of_a_screen() {
        let cases = [
            ("no configuraton method succeded", "No configuration methods succeeded"),
            ("security violaton", "Security Violation"),
            ("unable to find medium with a live file system", "Unable to find a medium containing a live file system"),
            ("start pxe over ipv4", ">>Start PXE over IPv4"),
            ("nbp file size is 0 bytes", "NBP filesize is 0 Bytes"),
            ("could not retrieve nbp filesize from http server", "Could not retrieve NBP file size from HTTP server"),
            ("initramfs unpacking failed: write error", "Initramfs unpacking failed: write error"),
            (
                "[ 2.1] List of all partitions:\n[ 2.2] Kernel panic - not syncing: VFS: Unable to mount root fs on \
                 unknown-block(0,0)\n[ 2.3] CPU: 0 PID: 1 Comm: swapper/0 Not tainted 6.1.0 #1",
                "VFS: Unable to mount root fs on unknown-block",
            ),
        ];
        for (shown, expected) in cases {
            assert_eq!(first(shown), Some(expected), "{shown}: {:#?}", explain(shown));
        }
    }

    #[test]
    fn what_is_not_known_is_not_explained() {
        for shown in
            ["hello world", "my cat sleeps on the keyboard", "PXE-E9Z", "error", "the", "file", &"x".repeat(100_000)]
        {
            assert_eq!(explain(shown), Vec::<&Help>::new(), "{shown:.60}");
        }
    }
}
