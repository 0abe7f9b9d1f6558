//! Text from packets and images, made safe to show, to log and to print.

/// Text without control, bidirectional and invisible characters, which become `·`, and with `limit` characters at most
/// (SECURITY S17).
pub fn plain(text: &str, limit: usize) -> String {
    let safe = |character: char| match character {
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => '·',
        control if control.is_control() => '·',
        other => other,
    };
    text.trim().chars().take(limit).map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_could_deceive_or_command_a_terminal_is_gone() {
        assert_eq!(plain(" a\x1b[2J\nb\u{202e}c\u{200b} ", 50), "a·[2J·b·c·");
        assert_eq!(plain("ünïcode ☃", 9), "ünïcode ☃");
        assert_eq!(plain("abcdef", 3), "abc");
    }
}
