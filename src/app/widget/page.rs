//! The scaffold of every page: a title that is an instruction, one sentence, a body, and one primary action.

use iced::advanced::widget::Id;
use iced::widget::text::Wrapping;
use iced::widget::{column, container, row, rule, scrollable, space};
use iced::{Alignment, Element, Fill};

use super::press::press;
use super::words::{body, marked, soft, title};
use crate::app::icon::Icon;
use crate::app::theme::{self, Look, Tone, space as gap};

/// Room for the focus ring of what stands at an edge that cuts off.
pub const RING: f32 = 6.0;

/// Height of a page that scrolls by itself where the window is lower than that, in logical pixels.
const LOWEST: f32 = 360.0;

/// The one primary action of a page.
#[derive(Clone, Debug)]
pub struct Primary<Message> {
    /// What happens, in words.
    pub label: String,
    /// What happens; nothing while something is missing.
    pub message: Option<Message>,
    /// What is missing.
    pub reason: Option<String>,
    /// Where that can be mended: Enter brings the focus there.
    pub cause: Option<Id>,
    /// Whether it ends something.
    pub danger: bool,
}

impl<Message> Primary<Message> {
    /// An action that can be taken.
    pub fn ready(label: impl Into<String>, message: Message) -> Primary<Message> {
        Primary { label: label.into(), message: Some(message), reason: None, cause: None, danger: false }
    }

    /// An action that cannot be taken yet, why, and where to mend it.
    pub fn waiting(label: impl Into<String>, reason: impl Into<String>, cause: Option<Id>) -> Primary<Message> {
        Primary { label: label.into(), message: None, reason: Some(reason.into()), cause, danger: false }
    }

    /// The same for the parent of the page.
    pub fn map<Other>(self, f: impl Fn(Message) -> Other) -> Primary<Other> {
        Primary {
            label: self.label,
            message: self.message.map(f),
            reason: self.reason,
            cause: self.cause,
            danger: self.danger,
        }
    }
}

/// A page as its screen describes it.
pub struct Page<'a, Message> {
    /// An instruction.
    pub title: String,
    /// Why, in one sentence.
    pub sentence: String,
    /// The rest.
    pub body: Element<'a, Message>,
    /// Whether the body scrolls by itself.
    pub scrolls_itself: bool,
    /// The primary action.
    pub primary: Primary<Message>,
    /// Another thing that can be done here, beside the primary action.
    pub aside: Option<Element<'a, Message>>,
}

impl<'a, Message: 'a> Page<'a, Message> {
    /// The same for the parent of the page.
    pub fn map<Other: 'a>(self, f: impl Fn(Message) -> Other + Copy + 'a) -> Page<'a, Other> {
        Page {
            title: self.title,
            sentence: self.sentence,
            body: self.body.map(f),
            scrolls_itself: self.scrolls_itself,
            primary: self.primary.map(f),
            aside: self.aside.map(|aside| aside.map(f)),
        }
    }
}

/// How much room the window gives, by its size in logical pixels: at a text size of 200 % a small window has little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The rail shows marks only, and texts beside buttons stand above them.
    pub narrow: bool,
    /// The head of a page scrolls with its body.
    pub low: bool,
}

impl Room {
    /// The room of a window of this size.
    pub fn of(size: iced::Size) -> Room {
        Room { narrow: size.width < 740.0, low: size.height < 500.0 }
    }
}

/// The name of the primary action, for the focus.
pub fn primary_id() -> Id {
    Id::new("primary")
}

/// The name of a page's scrolling body.
pub fn body_id() -> Id {
    Id::new("page-body")
}

/// Draws a page; `back` leads to the one before.
pub fn view<'a, Message: Clone + 'a>(
    page: Page<'a, Message>,
    back: Option<Message>,
    room: Room,
) -> Element<'a, Message> {
    let side = if room.narrow { gap::INSIDE } else { gap::PAGE };
    let head = column![title(page.title), soft(page.sentence).size(theme::size::BODY)].spacing(6);
    let top = if room.low { gap::INSIDE } else { 28.0 };
    let head = column_of(head).padding(iced::Padding { top, right: side, bottom: 20.0 - RING, left: side });
    let inside = iced::Padding { top: RING, right: side, bottom: 0.0, left: side };
    let content = column_of(page.body).padding(inside);
    let scrolled = |content: Element<'a, Message>| {
        let content = container(content).padding(iced::Padding::ZERO.bottom(gap::SECTION));
        scrollable(content).id(body_id()).height(Fill).width(Fill).style(theme::scroll)
    };
    let body: Element<'a, Message> = match (page.scrolls_itself, room.low) {
        (true, false) => column![head, content.height(Fill)].height(Fill).into(),
        // A list of its own needs some height, however low the window is.
        (true, true) => scrolled(column![head, content.height(LOWEST)].into()).into(),
        (false, false) => column![head, scrolled(content.into())].height(Fill).into(),
        (false, true) => scrolled(column![head, content].into()).into(),
    };
    let footer = footer(page.primary, page.aside, back, room);
    let low = if room.low { gap::SMALL } else { 14.0 };
    column![body, rule::horizontal(1).style(theme::line), column_of(footer).padding([low, side])]
        .width(Fill)
        .height(Fill)
        .into()
}

/// Content in the page's column: at most so wide, and centred.
fn column_of<'a, Message: 'a>(content: impl Into<Element<'a, Message>>) -> container::Container<'a, Message> {
    let inner = container(content).max_width(gap::WIDEST).width(Fill);
    container(inner).padding([0.0, gap::PAGE]).center_x(Fill)
}

fn footer<'a, Message: Clone + 'a>(
    primary: Primary<Message>,
    aside: Option<Element<'a, Message>>,
    back: Option<Message>,
    room: Room,
) -> Element<'a, Message> {
    let back = back.map(|message| {
        press(body("Back").wrapping(Wrapping::None)).look(Look::Secondary).padding([9, 18]).on_press(message)
    });
    let reason = primary.reason.map(|reason| marked(Icon::Info, reason, Tone::Soft));
    let look = if primary.danger { Look::Danger } else { Look::Primary };
    let go = press(body(primary.label).wrapping(Wrapping::None))
        .id(primary_id())
        .look(look)
        .padding([9, 22])
        .on_press_maybe(primary.message);
    let (above, beside) = if room.narrow { (reason, None) } else { (None, reason) };
    let (over, aside) = if room.narrow { (aside, None) } else { (None, aside) };
    let line = row![]
        .push(back)
        .push(aside)
        .push(space::horizontal())
        .push(beside)
        .push(go)
        .spacing(gap::CARD)
        .align_y(Alignment::Center);
    column![].push(over).push(above).push(line).spacing(gap::SMALL).into()
}
