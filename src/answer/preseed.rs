//! Preseed files of debian-installer: lines `owner question type value` (Debian's installation guide, appendix B, and
//! `debconf-set-selections`(1)).

use std::ops::Range;

use super::autoinstall::is_hash;
use super::fault::{self, Fault, MAX_FAULTS, instead, nearest, repeated};
use super::preview::{rest_of, speaks_of_secrets};

/// Types of debconf templates; `seen` sets a flag of a question instead of its value.
const TYPES: [&str; 10] =
    ["string", "boolean", "select", "multiselect", "password", "text", "note", "title", "error", "seen"];
/// Owners that a misspelt one is compared with; any package can be one.
const OWNERS: [&str; 7] =
    ["d-i", "ubiquity", "tasksel", "popularity-contest", "console-setup", "keyboard-configuration", "grub-pc"];
/// Short names that boot arguments may have (the guide's appendix B.5.1), and the questions that they stand for.
const SHORT: [(&str, &str); 10] = [
    ("locale", "debian-installer/locale"),
    ("language", "debian-installer/language"),
    ("country", "debian-installer/country"),
    ("keymap", "keyboard-configuration/xkb-keymap"),
    ("hostname", "netcfg/get_hostname"),
    ("domain", "netcfg/get_domain"),
    ("interface", "netcfg/choose_interface"),
    ("url", "preseed/url"),
    ("priority", "debconf/priority"),
    ("protocol", "mirror/protocol"),
];
/// What the first line of many says; d-i itself does not ask for it.
const HEADER: &str = "#_preseed_V1";

/// Whether these are lines of a preseed file.
pub(super) fn is_one<'a>(mut lines: impl Iterator<Item = &'a str>) -> bool {
    lines.any(|line| {
        let mut words = line.split_whitespace();
        let owner = words.next().unwrap_or_default();
        line.starts_with(HEADER)
            || OWNERS.contains(&owner) && words.next().is_some_and(|question| question.contains('/'))
    })
}

/// A line with what continues it.
struct Entry<'a> {
    line: usize,
    /// All of it.
    source: &'a str,
    owner: &'a str,
    question: &'a str,
    kind: &'a str,
    /// What is behind the type, with the one blank between them.
    rest: &'a str,
}

impl<'a> Entry<'a> {
    fn value(&self) -> &'a str {
        self.rest.trim()
    }

    fn is_password(&self) -> bool {
        let is_flag = matches!(self.kind, "boolean" | "seen");
        // The package of accounts is called passwd itself.
        let name = self.question.rsplit('/').next().unwrap_or_default();
        self.kind == "password"
            || self.question.ends_with("-crypted")
            || !is_flag && (speaks_of_secrets(name) || name == "wireless_wep")
    }
}

/// The line number, and the bytes of each entry: comments and blank lines are left out, lines with a backslash at their
/// end go on.
fn entries(source: &str) -> Vec<(usize, Range<usize>)> {
    let mut entries = Vec::new();
    let (mut at, mut begun) = (0, None);
    for (number, part) in source.split_inclusive('\n').enumerate() {
        let line = part.trim_end_matches(['\n', '\r']);
        let blank = line.trim().is_empty() || line.trim_start().starts_with('#');
        // Inside a continued line a sharp is none of a comment.
        if begun.is_some() || !blank {
            let (first, start) = *begun.get_or_insert((number + 1, at));
            if !line.ends_with('\\') {
                entries.push((first, start..at + line.len()));
                begun = None;
            }
        }
        at += part.len();
    }
    entries.extend(begun.map(|(first, start)| (first, start..source.len())));
    entries
}

fn entry(line: usize, source: &str) -> Option<Entry<'_>> {
    let (owner, rest) = word(source)?;
    let (question, rest) = word(rest)?;
    let (kind, rest) = word(rest)?;
    Some(Entry { line, source, owner, question, kind, rest })
}

/// The first word, and what is behind it. A backslash at the end of a line parts words as well.
fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\\');
    if text.is_empty() {
        return None;
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    text.split_at_checked(end)
}

/// Where passwords and their hashes stand, in bytes.
pub(super) fn secrets(source: &str) -> Vec<Range<usize>> {
    let value = |(line, range): (usize, Range<usize>)| {
        let text = source.get(range.clone())?;
        let parsed = entry(line, text).filter(|entry| TYPES.contains(&entry.kind));
        let Some(entry) = parsed else {
            return rest_of(text).map(|rest| range.start + rest.start..range.start + rest.end);
        };
        let value = entry.value();
        let start = range.end.checked_sub(entry.rest.trim_start().len())?;
        (entry.is_password() && !value.is_empty()).then(|| start..start + value.len())
    };
    entries(source).into_iter().filter_map(value).collect()
}

pub(super) fn check(source: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (line, range) in entries(source) {
        if faults.len() >= MAX_FAULTS {
            break;
        }
        let Some(entry) = source.get(range).and_then(|source| entry(line, source)) else {
            let next_step = "Write owner, question, type and value, like `d-i debian-installer/locale string de_DE`.";
            faults.push(Fault::error(line, "The line has fewer than three words.", next_step));
            continue;
        };
        faults.extend(names(&entry));
        faults.extend(value(&entry));
        faults.extend(password(&entry));
    }
    faults
}

fn names(entry: &Entry<'_>) -> Option<Fault> {
    let Entry { line, source, owner, question, kind, .. } = *entry;
    let shown = |word: &str| repeated(word, source);
    let is_package = owner.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c));
    if !OWNERS.contains(&owner) && (!is_package || nearest(owner, ["d-i"]).is_some()) {
        let what = format!("{} is no package that asks questions.", shown(owner));
        return Some(Fault::error(line, what, instead(owner, OWNERS)));
    }
    if let Some((_, name)) = SHORT.iter().find(|(short, _)| *short == question) {
        let what = format!("`{question}` means something on the kernel's command line only.");
        return Some(Fault::warning(line, what, format!("Write {name}.")));
    }
    if !question.contains('/') {
        let what = format!("{} is no question: they have a slash.", shown(question));
        return Some(Fault::error(line, what, "Write owner, question, type and value."));
    }
    if !TYPES.contains(&kind) {
        let what = format!("{} is no type.", shown(kind));
        let known = TYPES.join(", ");
        let near = nearest(kind, TYPES).map(|near| format!("Did you mean `{near}`? ")).unwrap_or_default();
        return Some(Fault::error(line, what, format!("{near}There are {known}.")));
    }
    None
}

fn value(entry: &Entry<'_>) -> Option<Fault> {
    let value = entry.value();
    if matches!(entry.kind, "boolean" | "seen") && !matches!(value, "true" | "false") {
        let what = format!("{} is neither true nor false.", repeated(value, entry.source));
        return Some(Fault::error(entry.line, what, "Write true or false."));
    }
    let is_text = matches!(entry.kind, "string" | "password" | "select");
    if is_text
        && entry.rest.starts_with([' ', '\t'])
        && entry.rest.chars().nth(1).is_some_and(|c| c == ' ' || c == '\t')
        && !value.is_empty()
    {
        let what = "More than one blank stands before the value: the others become part of it.";
        return Some(Fault::warning(entry.line, what, "Leave one."));
    }
    None
}

fn password(entry: &Entry<'_>) -> Option<Fault> {
    let value = entry.value();
    if value.is_empty() {
        return None;
    }
    if entry.question.ends_with("-crypted") {
        let what = "The value is no hash of a password: nobody can log in with it.";
        return (!is_hash(value)).then(|| Fault::error(entry.line, what, "Write what `mkpasswd -m sha-512` prints."));
    }
    let question = entry.question.strip_suffix("-again").unwrap_or(entry.question);
    let is_account = matches!(question, "passwd/root-password" | "passwd/user-password");
    // The second one of a pair says nothing new.
    if is_account && question == entry.question {
        let next_step = format!("Use {question}-crypted with what `mkpasswd -m sha-512` prints.");
        return Some(Fault::warning(entry.line, fault::CLEAR, next_step));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::kind;
    use crate::image::AnswerKind;

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let cases = [
            ("#_preseed_V1\n\n# c\nd-i debian-installer/locale string de_DE.UTF-8\n", ""),
            ("d-i partman/confirm boolean true\r\n", ""),
            ("d-i pkgsel/include string openssh-server \\\n  vim # no comment\nd-i x\n", "3 The line has fewer"),
            ("tasksel tasksel/first multiselect standard,  ssh-server\n", ""),
            ("d-i passwd/user-fullname string\n", ""),
            ("d_i a/b string x", "1 `d_i` is no package that asks questions. Did you mean `d-i`?"),
            ("D-I a/b string x", "1 `D-I` is no package that asks questions. Did you mean `d-i`?"),
            ("mdadm mdadm/boot_degraded boolean false", ""),
            (
                "d-i locale string x",
                "1 `locale` means something on the kernel's command line only. Write debian-installer/locale.",
            ),
            ("d-i confirm boolean true", "1 `confirm` is no question"),
            ("d-i a/b strin x", "1 `strin` is no type. Did you mean `string`? There are string, boolean"),
            ("d-i a/b boolean yes", "1 `yes` is neither true nor false."),
            ("d-i a/b seen false", ""),
            ("\n\nd-i a/b string  x", "3 More than one blank"),
            ("d-i a/b\tstring\tx", ""),
            (
                "d-i passwd/root-password password hunter2\nd-i passwd/root-password-again password hunter2",
                "1 The password is in clear text. Use passwd/root-password-crypted",
            ),
            ("d-i passwd/root-password-crypted password $6$x$y", ""),
            ("d-i passwd/user-password-crypted password !", ""),
            ("d-i passwd/user-password-crypted password hunter2", "1 The value is no hash"),
            ("d-i preseed/late_command string \\\nin-target true; \\\n# x; \\\ntrue", ""),
            ("d-i", "1 The line has fewer"),
            ("d-i passwd/root-password hunter2", "1 A word of the line is no type."),
            ("d-i hunter2 password x", "1 A word of the line is no question"),
            ("HUNTER2 a/secret string x", "1 A word of the line is no package"),
            ("d-i passwd/make-user boolean hunter2", "1 A word of the line is neither true nor false."),
        ];
        for (text, expected) in cases {
            let faults = kind::check(AnswerKind::Preseed, text);
            let told: Vec<_> = faults
                .iter()
                .map(|fault| format!("{} {} {}", fault.line.unwrap_or_default(), fault.what, fault.next_step))
                .collect();
            match expected {
                "" => assert_eq!(told, Vec::<String>::new(), "{text}"),
                _ => assert!(told.len() == 1 && told[0].starts_with(expected), "{text}: {told:?}"),
            }
            assert!(!format!("{told:?}").contains("hunter2"), "{told:?}");
        }
    }

    #[test]
    fn passwords_are_found() {
        let text = "d-i passwd/root-password password one two \nd-i a/b string three\nd-i passwd/user-password-crypted password \\\n  $6$x\nd-i netcfg/wireless_wpa_passphrase string \nd-i x/password-dialog boolean true\nd-i grub-installer/password password ü\nd-i netcfg/wireless_wep string k1\n";
        let found: Vec<_> = secrets(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, ["one two", "\\\n  $6$x", "ü", "k1"]);
    }

    #[test]
    fn passwords_are_found_in_lines_that_are_no_good() {
        let cases = [
            ("d-i passwd/root-password one\nd-i a/b string x", "one"),
            ("d-i passwd/root-password strin one two ", "strin one two"),
            ("passwd/root-password password one two", "password one two"),
            ("d-i x/y passwrd one", "one"),
            ("d-i password=one", "one"),
        ];
        for (text, expected) in cases {
            let found: Vec<_> = secrets(text).into_iter().map(|range| &text[range]).collect();
            assert_eq!(found, [expected], "{text}");
        }
        assert!(secrets("d-i locale\nd-i passwd/root-password").is_empty());
    }
}
