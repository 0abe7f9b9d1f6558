//! Cards, and the labelled things inside them.

use iced::widget::container::Container;
use iced::widget::{Column, column, container, row};
use iced::{Alignment, Element, Fill};

use super::press::{Press, press};
use super::words::{body, small, soft};
use crate::app::icon::{self, Icon};
use crate::app::theme::{self, Ground, Look, Tone, space};

/// A card with something in it.
pub fn card<'a, Message: 'a>(content: impl Into<Element<'a, Message>>) -> Container<'a, Message> {
    container(content).padding(space::INSIDE).width(Fill).style(theme::ground(Ground::Card))
}

/// A card that can be chosen among others. The chosen one leaves Enter to the page.
pub fn choice<'a, Message: Clone + 'a>(
    content: impl Into<Element<'a, Message>>,
    chosen: bool,
    on_press: Option<Message>,
) -> Press<'a, Message> {
    let look = if chosen { Look::Chosen } else { Look::Card };
    let card = press(content).padding(space::INSIDE).width(Fill).look(look).on_press_maybe(on_press);
    if chosen { card.enter_goes_on() } else { card }
}

/// The round mark of a choice.
pub fn radio<'a, Message: 'a>(chosen: bool) -> Element<'a, Message> {
    let inner = if chosen { Some(icon::sized(Icon::Dot, Tone::Accent, 18.0)) } else { None };
    container(inner.map_or_else(|| Element::from(iced::widget::Space::new()), Element::from))
        .center_x(20)
        .center_y(20)
        .style(move |theme| {
            let tone = if chosen { Tone::Accent } else { Tone::Soft };
            container::Style {
                border: iced::border::rounded(10).color(tone.of(theme)).width(1.5),
                ..container::Style::default()
            }
        })
        .into()
}

/// A choice of words: its name, what it means, and why it is proposed.
pub fn option<'a, Message: Clone + 'a>(
    name: String,
    meaning: String,
    recommended: bool,
    chosen: bool,
    on_press: Message,
) -> Press<'a, Message> {
    let badge = recommended.then(|| super::words::badge("recommended", Tone::Accent));
    let head = row![body(name)].push(badge).spacing(space::SMALL).align_y(Alignment::Center);
    let words = column![head, soft(meaning)].spacing(space::TIGHT).width(Fill);
    let content = row![radio(chosen), words].spacing(space::CARD).align_y(Alignment::Center);
    choice(content, chosen, Some(on_press)).padding([12, 16])
}

/// A name with its value below it.
pub fn fact<'a, Message: 'a>(name: &'a str, value: String) -> Column<'a, Message> {
    column![soft(name), small(value, Tone::Ink)].spacing(2)
}

/// A small button with an icon and a word.
pub fn small_button<'a, Message: Clone + 'a>(mark: Icon, words: &'a str, look: Look) -> Press<'a, Message> {
    let tone = match look {
        Look::Danger => Tone::Bad,
        Look::Quiet => Tone::Accent,
        _ => Tone::Ink,
    };
    let content = row![icon::sized(mark, tone, 16.0), small(words, tone)];
    press(content.spacing(6).align_y(Alignment::Center)).look(look).padding([5, 10])
}

/// A button that is an icon only; its name is for the tooltip.
pub fn icon_button<'a, Message: Clone + 'a>(
    mark: Icon,
    name: &'a str,
    on_press: Option<Message>,
) -> Element<'a, Message> {
    let tone = if on_press.is_some() { Tone::Soft } else { Tone::Faint };
    let button = press(icon::sized(mark, tone, 18.0)).look(Look::Quiet).padding(6).on_press_maybe(on_press);
    hint(button, name)
}

/// Explains something when the pointer rests on it.
pub fn hint<'a, Message: 'a>(
    content: impl Into<Element<'a, Message>>,
    words: impl iced::widget::text::IntoFragment<'a>,
) -> Element<'a, Message> {
    let bubble = container(small(words, Tone::Ink)).padding([4, 8]).max_width(360).style(theme::ground(Ground::Card));
    iced::widget::tooltip(content, bubble, iced::widget::tooltip::Position::Top).gap(6).into()
}
