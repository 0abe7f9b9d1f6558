//! What is wrong with an answer file or a list of computers, and what to do about it.

use serde::Serialize;

use crate::text;

/// Most faults that are told of one file: whoever has more of them chose the wrong file.
pub const MAX_FAULTS: usize = 50;

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Fault {
    /// The line of the file, 1 for the first; none where it is about the whole file.
    pub line: Option<usize>,
    /// What we saw. Never a password.
    pub what: String,
    /// What to do.
    pub next_step: String,
    /// How bad it is.
    pub severity: Severity,
}

/// What is said of a password that whoever gets the file can read.
pub(super) const CLEAR: &str = "The password is in clear text.";
/// The same of one that Windows only writes in another alphabet.
pub(super) const BASE64: &str = "The password can be read by anybody: it is only written in Base64.";

/// How bad a fault is, the harmless first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It works, and is not as it should be.
    Warning,
    /// The installer stops, asks, or ignores it.
    Error,
}

impl Fault {
    /// Something that stops an installation.
    pub fn error(line: impl Into<Option<usize>>, what: impl Into<String>, next_step: impl Into<String>) -> Fault {
        Fault { line: line.into(), what: what.into(), next_step: next_step.into(), severity: Severity::Error }
    }

    /// Whether it is a password that whoever gets the file can read.
    pub fn is_readable_password(&self) -> bool {
        self.what == CLEAR || self.what == BASE64
    }

    /// Something that works, and is not as it should be.
    pub fn warning(line: impl Into<Option<usize>>, what: impl Into<String>, next_step: impl Into<String>) -> Fault {
        Fault { severity: Severity::Warning, ..Fault::error(line, what, next_step) }
    }
}

/// Sorted by line, and no more than [`MAX_FAULTS`].
pub(super) fn ordered(mut faults: Vec<Fault>) -> Vec<Fault> {
    faults.sort_by_key(|fault| fault.line);
    faults.truncate(MAX_FAULTS);
    faults
}

/// Longest word that a sentence repeats, in characters.
const MAX_SHOWN: usize = 60;
/// What lines with secrets have somewhere. More than that has it, as `keyboard`, and is not repeated either: a sentence
/// may be logged, and says the number of its line anyway.
const TELLTALES: [&str; 7] = ["pass", "pw", "secret", "key", "token", "psk", "crypt"];

/// A word of a line as the beginning of a sentence, in backticks; of a line that may hold a secret it is not said.
/// Which word is the secret nobody knows where a line is no good.
pub(super) fn repeated(word: &str, line: &str) -> String {
    let lower = line.to_lowercase();
    match TELLTALES.iter().any(|part| lower.contains(part)) {
        true => "A word of the line".to_owned(),
        false => format!("`{}`", text::plain(word, MAX_SHOWN)),
    }
}

/// What to write instead of an unknown word: the known one that is nearest to it, where one is near.
pub(super) fn instead<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(word, known) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => "Check its spelling, or take it out.".to_owned(),
    }
}

/// The known word that is at most two letters, and a third of its length, away.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Nobody misspells a longer word, and the comparison takes the square of it.
    const MAX_WORD: usize = 64;
    if word.len() > MAX_WORD {
        return None;
    }
    let lower = word.to_lowercase();
    let near = |known: &&str| distance(&lower, &known.to_lowercase()) <= 2.min(known.len().div_ceil(3));
    known.into_iter().filter(near).min_by_key(|known| distance(&lower, &known.to_lowercase()))
}

/// How many letters have to be put in, taken out or changed (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = at;
        let mut left = at + 1;
        let mut next = vec![left];
        for (&up, &there) in row.iter().skip(1).zip(&other) {
            let changed = diagonal + usize::from(letter != there);
            left = changed.min(left + 1).min(up + 1);
            next.push(left);
            diagonal = up;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let known = ["identity", "storage", "ssh", "late-commands"];
        let cases = [
            ("identiy", Some("identity")),
            ("Storage", Some("storage")),
            ("late_commands", Some("late-commands")),
            ("shs", None),
            ("sshd", Some("ssh")),
            ("partitions", None),
            ("", None),
        ];
        for (word, expected) in cases {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(nearest(&"x".repeat(65), [&*"x".repeat(64)]), None, "a long word costs nothing");
    }
}
