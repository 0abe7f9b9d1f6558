//! Whether a computer that nobody knows gets the menu at once.

use iced::Element;
use iced::widget::{column, row};

use super::{Context, Message};
use crate::app::theme::{Look, Tone, space as gap};
use crate::app::widget::press::press;
use crate::app::widget::words::{section, small, soft};

/// The choice, and what it means.
pub(super) fn choice<'a>(context: Context<'a>) -> Element<'a, Message> {
    let asks = context.draft.ask_first == Some(true);
    let choice = |name: &'static str, of: bool| {
        let look = if asks == of { Look::CurrentLine } else { Look::Line };
        press(small(name, Tone::Ink)).look(look).padding([5, 12]).on_press(Message::AskPicked(of))
    };
    let meaning = if asks {
        "A computer that was not approved before shows a code and waits. You approve it on the last page, once and for all."
    } else {
        "Whatever is plugged in and boots from the network sees this menu."
    };
    column![
        section("Who gets this menu"),
        row![choice("Every computer", false), choice("Ask me first", true)].spacing(gap::TIGHT),
        soft(meaning),
    ]
    .spacing(gap::SMALL)
    .into()
}
