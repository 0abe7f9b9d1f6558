//! Kernel arguments as a list of words.

/// Words of a command line. One with blanks in it has quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arguments {
    words: Vec<String>,
}

impl Arguments {
    pub(super) fn new(line: &str) -> Arguments {
        let mut words = vec![String::new()];
        let mut quoted = false;
        for letter in line.chars() {
            quoted ^= letter == '"';
            match words.last_mut() {
                Some(word) if quoted || !letter.is_whitespace() => word.push(letter),
                _ => words.push(String::new()),
            }
        }
        words.retain(|word| !word.is_empty());
        Arguments { words }
    }

    /// Whether a word begins so.
    pub(super) fn begin(&self, start: &str) -> bool {
        self.words.iter().any(|word| word.starts_with(start))
    }

    /// The last value of `name=value`, since that is the one which counts.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let values = self.words.iter().rev().filter_map(|word| word.split_once('='));
        values.filter(|(own, _)| *own == name).map(|(_, value)| value.trim_matches('"')).find(|value| !value.is_empty())
    }

    /// The line without some words, and with others: before the dashes behind which the arguments of an installed system
    /// stand. What ends with `=`, `.` or `:` drops all words that begin so.
    pub(super) fn line(&self, dropped: &[&str], added: &[String]) -> String {
        let drops = |word: &str| {
            let many = |start: &str| start.ends_with(['=', '.', ':']) && word.starts_with(start);
            dropped.iter().any(|drop| word == *drop || many(drop))
        };
        let kept: Vec<&str> = self.words.iter().map(String::as_str).filter(|word| !drops(word)).collect();
        let dashes = kept.iter().position(|word| matches!(*word, "---" | "--")).unwrap_or(kept.len());
        let (before, after) = kept.split_at_checked(dashes).unwrap_or((&kept, &[]));
        let added = added.iter().map(String::as_str).filter(|word| !word.is_empty() && !before.contains(word));
        before.iter().copied().chain(added).chain(after.iter().copied()).collect::<Vec<&str>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_their_quotes() {
        let arguments = Arguments::new("boot=live  x=\"a b\" \"root=live:CDLABEL=A B\" quiet");
        assert_eq!(arguments.words, ["boot=live", "x=\"a b\"", "\"root=live:CDLABEL=A B\"", "quiet"]);
        assert_eq!(Arguments::new(" \t").words, Vec::<String>::new());
        assert_eq!(arguments.value("x"), Some("a b"));
        assert_eq!(Arguments::new("a=1 a=2 a=").value("a"), Some("2"));
    }

    #[test]
    fn new_words_come_before_the_dashes_and_once() {
        let arguments = Arguments::new("boot=casper root=LABEL=x ip=frommedia ip --- quiet");
        let added = ["ip=dhcp", "boot=casper", ""].map(str::to_owned);
        assert_eq!(arguments.line(&["root=", "ip="], &added), "boot=casper ip ip=dhcp --- quiet");
    }
}
