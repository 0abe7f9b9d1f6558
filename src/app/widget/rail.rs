//! The rail at the left: five steps, told apart by mark and colour, each done one with its answer.

use iced::widget::scrollable::{Direction, Scrollbar};
use iced::widget::{Column, column, container, row, scrollable};
use iced::{Alignment, Element, Fill};

use super::page::Room;
use super::press::press;
use super::words::{body, small, soft};
use crate::app::icon::{self, Icon};
use crate::app::screen::Step;
use crate::app::theme::{self, Ground, Look, Tone, size, space as gap};

/// One step as the rail shows it.
pub struct Stop<Message> {
    /// Which.
    pub step: Step,
    /// How it stands.
    pub state: State,
    /// The answer that was given there, in a few words.
    pub answer: Option<String>,
    /// Where a click leads; nothing while it cannot be visited.
    pub visit: Option<Message>,
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its answer is there.
    Done,
    /// The page that is open.
    Current,
    /// Not yet.
    Ahead,
}

/// Draws the rail, with `foot` at its lower end and `note` above that. In a narrow window it shows marks only.
pub fn view<'a, Message: Clone + 'a>(
    stops: Vec<Stop<Message>>,
    note: Option<Element<'a, Message>>,
    foot: Element<'a, Message>,
    room: Room,
) -> Element<'a, Message> {
    let logo = icon::sized(Icon::Logo, Tone::Accent, 24.0);
    let name = (!room.narrow).then(|| body("Bootwright").size(size::SECTION));
    let name = row![logo].push(name).spacing(gap::SMALL).align_y(Alignment::Center);
    let steps = Column::with_children(stops.into_iter().map(|one| stop(one, room))).spacing(gap::TIGHT);
    let steps = scrollable(steps).height(Fill).style(theme::scroll).direction(thin());
    let note = note.filter(|_| !room.narrow && !room.low);
    let content = column![container(name).padding([4.0, 8.0]), steps].push(note).push(foot);
    let (width, side, tall) = if room.narrow { (72.0, 10.0, 8.0) } else { (gap::RAIL, 12.0, 20.0) };
    let tall = if room.low { 8.0 } else { tall };
    container(content.spacing(tall))
        .width(width)
        .height(Fill)
        .padding([tall, side])
        .style(theme::ground(Ground::Window))
        .into()
}

/// A scroll bar that takes no room where the steps fit.
fn thin() -> Direction {
    Direction::Vertical(Scrollbar::new().width(4).scroller_width(4).margin(0))
}

fn stop<'a, Message: Clone + 'a>(stop: Stop<Message>, room: Room) -> Element<'a, Message> {
    let number = stop.step.number();
    let (mark, tone): (Element<'a, Message>, Tone) = match stop.state {
        State::Done => (round(icon::sized(Icon::Check, Tone::OnAccent, 14.0).into(), Ring::Full), Tone::Ink),
        State::Current => (round(small(number, Tone::Accent).into(), Ring::Line), Tone::Ink),
        State::Ahead => (round(small(number, Tone::Soft).into(), Ring::Faint), Tone::Soft),
    };
    let answer = stop.answer.filter(|_| !room.low);
    let answer =
        answer.map(|answer| soft(super::words::shortened(&answer, 24)).wrapping(iced::widget::text::Wrapping::None));
    let name = body(stop.step.name()).style(theme::toned(tone));
    let words = (!room.narrow).then(|| column![name].push(answer).spacing(1).width(Fill));
    let look = if stop.state == State::Current { Look::CurrentLine } else { Look::Line };
    let line = row![mark].push(words).spacing(gap::SMALL + 2.0).align_y(Alignment::Center);
    press(container(line).clip(true)).look(look).padding([8, 8]).width(Fill).on_press_maybe(stop.visit).into()
}

enum Ring {
    Full,
    Line,
    Faint,
}

fn round<'a, Message: 'a>(content: Element<'a, Message>, ring: Ring) -> Element<'a, Message> {
    container(content)
        .center_x(24)
        .center_y(24)
        .style(move |theme| {
            let colors = theme::colors(theme);
            let (background, color) = match ring {
                Ring::Full => (Some(colors.accent.into()), colors.accent),
                Ring::Line => (Some(colors.surface.into()), colors.accent),
                Ring::Faint => (None, colors.line),
            };
            container::Style {
                background,
                border: iced::border::rounded(12).color(color).width(1.5),
                ..container::Style::default()
            }
        })
        .into()
}
