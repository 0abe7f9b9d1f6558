//! Words as GRUB takes them: nothing expands between single quotes (GRUB manual 2.06, "Quoting").

/// A word of a command.
pub(super) fn quoted(word: &str) -> String {
    let printable: String = word.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    // A quote ends the quoted part.
    format!("'{}'", printable.replace('\'', r"'\''"))
}

/// The words of a command's arguments, each with a space in front.
pub(super) fn words(arguments: &str) -> String {
    arguments.split_whitespace().map(|word| format!(" {}", quoted(word))).collect()
}

/// A title of an entry, which must not look like an option of `menuentry`.
pub(super) fn title(text: &str) -> String {
    let gap = if text.starts_with('-') { " " } else { "" };
    quoted(&format!("{gap}{text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_quotes() {
        let cases = [
            ("a", "'a'"),
            ("a'b", r"'a'\''b'"),
            ("'", r"''\'''"),
            ("$x `y` \\ \"", "'$x `y` \\ \"'"),
            ("a\nb\u{0}", "'a?b?'"),
            ("\u{1}';reboot", r"'?'\'';reboot'"),
        ];
        for (word, expected) in cases {
            assert_eq!(quoted(word), expected);
        }
        assert_eq!(words(" a  ;b\n"), " 'a' ';b'");
        assert_eq!(title("--unrestricted"), "' --unrestricted'");
    }
}
