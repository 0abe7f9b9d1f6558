//! Computers that wait for the technician's word, each in a strip above all others.

use iced::Element;
use iced::widget::row;

use super::{Context, Message, Serving};
use crate::app::icon::Icon;
use crate::app::theme::{Look, Tone, space as gap};
use crate::app::widget::card::small_button;
use crate::app::widget::notice;
use crate::app::widget::words::shortened;
use crate::journal::Computer;

/// Most strips; more would push the computers from the page.
const MOST: usize = 4;

/// One strip for each computer that waits, and a word about those that have no room.
pub(super) fn strips<'a>(context: Context<'a>) -> Vec<Element<'a, Message>> {
    if !matches!(context.serving, Serving::On { .. }) {
        return Vec::new();
    }
    let all = || context.journal.computers().filter_map(|computer| Some((computer, computer.waits(context.now)?)));
    let mut strips: Vec<Element<'a, Message>> =
        all().take(MOST).map(|(computer, code)| strip(computer, &code.to_string())).collect();
    let more = all().count().saturating_sub(MOST);
    if more > 0 {
        let title = format!("{more} more wait. Each says in its line which code its screen shows.");
        strips.push(notice::notice(Tone::Caution, title, String::new(), None));
    }
    strips
}

fn strip<'a>(computer: &Computer, code: &str) -> Element<'a, Message> {
    let mac = computer.mac;
    let who = computer.product.as_ref().map(|product| format!("{}, {mac}", shortened(product, 40)));
    let title = format!("{} waits for your approval", who.unwrap_or_else(|| mac.to_string()));
    let more = format!("Its screen shows {code}. Until you approve it, it gets its boot loader and nothing else.");
    let approve = small_button(Icon::Check, "Approve", Look::Secondary).on_press(Message::Decided(mac, true));
    let refuse = small_button(Icon::Close, "Refuse", Look::Quiet).on_press(Message::Decided(mac, false));
    notice::notice(Tone::Caution, title, more, Some(row![approve, refuse].spacing(gap::TIGHT).into()))
}
