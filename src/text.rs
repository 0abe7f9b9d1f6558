//! Text from packets and images, made safe to show, to log and to print.

/// Text without control, bidirectional and invisible characters, which become `·`, and with `limit` characters at most
/// (SECURITY S17).
pub fn plain(text: &str, limit: usize) -> String {
    text.trim().chars().take(limit).map(|character| if is_harmless(character) { character } else { '·' }).collect()
}

/// Whether a text has none of the characters that [`plain`] takes out.
pub fn is_plain(text: &str) -> bool {
    text.chars().all(is_harmless)
}

/// A clause as the beginning of a sentence. iPXE is written so wherever it stands.
pub fn capital(words: &str) -> String {
    let mut letters = words.chars();
    match letters.next() {
        Some(first) if !words.starts_with("iPXE") => first.to_uppercase().chain(letters).collect(),
        _ => words.to_owned(),
    }
}

fn is_harmless(character: char) -> bool {
    let invisible =
        matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !invisible && !character.is_control()
}

#[cfg(test)]
mod tests {
    use super::{capital, is_plain, plain};

    #[test]
    fn a_sentence_begins_with_a_capital() {
        let cases = [("shim and GRUB", "Shim and GRUB"), ("iPXE first", "iPXE first"), ("über", "Über"), ("", "")];
        for (words, expected) in cases {
            assert_eq!(capital(words), expected);
        }
    }

    #[test]
    fn what_could_deceive_or_command_a_terminal_is_gone() {
        assert_eq!(plain(" a\x1b[2J\nb\u{202e}c\u{200b} ", 50), "a·[2J·b·c·");
        assert_eq!(plain("ünïcode ☃", 9), "ünïcode ☃");
        assert_eq!(plain("abcdef", 3), "abc");
        assert!(is_plain(" ünïcode ☃") && !is_plain("a\u{85}") && !is_plain("\u{2066}a"));
    }
}
