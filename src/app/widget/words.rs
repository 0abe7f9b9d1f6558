//! Texts in their sizes, and small marks beside them.

use iced::widget::{Row, Text, container, row, text};
use iced::{Alignment, Element};

use crate::app::icon::{self, Icon};
use crate::app::theme::{self, Ground, Tone, size, space};

/// A page's title.
pub fn title<'a>(words: impl text::IntoFragment<'a>) -> Text<'a> {
    text(words).size(size::TITLE).style(theme::toned(Tone::Ink))
}

/// A section's heading.
pub fn section<'a>(words: impl text::IntoFragment<'a>) -> Text<'a> {
    text(words).size(size::SECTION).style(theme::toned(Tone::Ink))
}

/// Most text. It has the colour of what it stands on.
pub fn body<'a>(words: impl text::IntoFragment<'a>) -> Text<'a> {
    text(words).size(size::BODY)
}

/// Second text.
pub fn soft<'a>(words: impl text::IntoFragment<'a>) -> Text<'a> {
    small(words, Tone::Soft)
}

/// Small text in a tone.
pub fn small<'a>(words: impl text::IntoFragment<'a>, tone: Tone) -> Text<'a> {
    text(words).size(size::SMALL).style(theme::toned(tone))
}

/// A mark and its word, in one tone: colour never stands alone.
pub fn marked<'a, Message: 'a>(mark: Icon, words: impl text::IntoFragment<'a>, tone: Tone) -> Row<'a, Message> {
    row![icon::sized(mark, tone, 16.0), small(words, tone)].spacing(space::TIGHT + 2.0).align_y(Alignment::Center)
}

/// A small label.
pub fn badge<'a, Message: 'a>(words: impl text::IntoFragment<'a>, tone: Tone) -> Element<'a, Message> {
    container(small(words, tone)).padding([2, 8]).style(theme::ground(Ground::Badge(tone))).into()
}

/// An amount of memory, given in MiB.
pub fn memory(mib: u64) -> String {
    if mib < 1024 { format!("{mib} MB") } else { format!("{:.1} GB", mib as f64 / 1024.0) }
}

/// A long path or name, shortened in the middle to at most `limit` characters.
pub fn shortened(text: &str, limit: usize) -> String {
    let count = text.chars().count();
    if count <= limit {
        return text.to_owned();
    }
    let head: String = text.chars().take(limit / 2).collect();
    let tail: String = text.chars().skip(count - (limit - limit / 2 - 1)).collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_for_people() {
        assert_eq!([64, 1023, 1024, 2560].map(memory), ["64 MB", "1023 MB", "1.0 GB", "2.5 GB"]);
    }

    #[test]
    fn long_names_keep_their_ends() {
        assert_eq!(shortened("short.iso", 20), "short.iso");
        assert_eq!(shortened("a-very-long-name-of-an-image.iso", 16), "a-very-l…age.iso");
        assert_eq!(shortened("ünïcödé-nàmé-lòng", 8), "ünïc…òng");
    }
}
