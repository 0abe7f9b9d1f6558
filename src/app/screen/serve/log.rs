//! The live log.

use iced::widget::{column, container, mouse_area, row, scrollable, space, text_input};
use iced::{Alignment, Element, Fill};

use super::{Context, Message, Serve, log_id, search_id};
use crate::app::clock;
use crate::app::icon::Icon;
use crate::app::log::Line;
use crate::app::theme::{self, Ground, Look, Tone, size, space as gap};
use crate::app::widget::card::{icon_button, small_button};
use crate::app::widget::line::line as one_line;
use crate::app::widget::list;
use crate::app::widget::press::press;
use crate::app::widget::words::{marked, small, soft};
use crate::journal::wording::Level;

/// Height of a line of the log.
const LOG_LINE: f32 = 22.0;
/// Most height of the line that is shown whole.
const PICKED: f32 = 120.0;

impl Serve {
    pub(super) fn log<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let field = text_input("Search", &self.search)
            .id(search_id())
            .on_input(Message::Searched)
            .padding([6, 10])
            .size(size::SMALL)
            .style(theme::field(false));
        let level = |level: Level, words: &'static str| {
            let look = if context.log.level() == level { Look::CurrentLine } else { Look::Line };
            press(small(words, Tone::Ink)).look(look).padding([5, 10]).on_press(Message::LevelPicked(level))
        };
        let levels = row![
            level(Level::Detail, "All"),
            level(Level::Normal, "Usual"),
            level(Level::Notice, "Notable"),
            level(Level::Problem, "Problems")
        ];
        let paused = context.log.is_paused();
        let pause = match paused {
            true => small_button(Icon::Play, "Go on", Look::Quiet).on_press(Message::Paused(false)),
            false => small_button(Icon::Pause, "Pause", Look::Quiet).on_press(Message::Paused(true)),
        };
        let follow = (!self.log.follows())
            .then(|| small_button(Icon::Down, "To the end", Look::Quiet).on_press(Message::Followed(true)));
        let copy = small_button(Icon::Copy, "Copy", Look::Quiet).on_press(Message::LogCopied);
        let save = small_button(Icon::Save, "Save", Look::Quiet).on_press(Message::LogSaved);
        let acts = row![pause].push(copy).push(save).spacing(gap::TIGHT);
        let tools: Element<'a, Message> = match context.narrow {
            true => column![field, levels, acts].spacing(gap::TIGHT).into(),
            false => row![field, levels, acts].spacing(gap::TIGHT).align_y(Alignment::Center).into(),
        };
        let lines: Element<'a, Message> = if context.log.is_empty() {
            let words = match (context.log.total(), self.search.is_empty()) {
                (0, _) => "Nothing has happened yet.",
                (_, false) => "No line has this in it. Clear the search to see all.",
                (_, true) => "Nothing of this kind. Choose “All” to see everything.",
            };
            container(soft(words)).padding(gap::INSIDE).height(Fill).into()
        } else {
            list::view(log_id(), self.log, context.log.len(), LOG_LINE, Message::LogScrolled, |from, count| {
                context.log.window(from, count).map(|line| log_line(line, self.picked.as_ref())).collect()
            })
        };
        let waiting = paused.then(|| {
            marked(
                Icon::Pause,
                match context.log.waiting() {
                    1 => "Paused; 1 new line waits. Serving goes on.".to_owned(),
                    count => format!("Paused; {count} new lines wait. Serving goes on."),
                },
                Tone::Caution,
            )
        });
        let below = (paused || !self.log.follows())
            .then(|| row![].push(waiting).push(space::horizontal()).push(follow).align_y(Alignment::Center));
        let picked = self.picked.as_ref().map(picked);
        let frame = container(lines).padding(6).width(Fill).height(Fill).style(theme::ground(Ground::Card));
        column![tools].push(below).push(frame).push(picked).spacing(gap::SMALL).height(Fill).into()
    }
}

/// How a line looks that matters so much.
fn tone(level: Level) -> Tone {
    match level {
        Level::Problem => Tone::Bad,
        Level::Notice => Tone::Accent,
        Level::Normal => Tone::Ink,
        Level::Detail => Tone::Soft,
    }
}

fn log_line<'a>(line: &'a Line, picked: Option<&Line>) -> Element<'a, Message> {
    let who = line.mac.map(|mac| soft(mac.to_string()).width(132));
    let content = row![soft(clock::time(line.time)).width(66)].push(who).push(one_line(&line.words, tone(line.level)));
    let content = container(content.spacing(gap::SMALL).align_y(Alignment::Center)).width(Fill);
    let content =
        if picked == Some(line) { content.style(theme::ground(Ground::Badge(Tone::Accent))) } else { content };
    // Not by keyboard: Tab would go through each of a hundred thousand lines.
    mouse_area(content)
        .interaction(iced::mouse::Interaction::Pointer)
        .on_press(Message::LinePicked(Box::new(line.clone())))
        .into()
}

/// A line of the log with all that it says.
fn picked<'a>(line: &'a Line) -> Element<'a, Message> {
    let close = icon_button(Icon::Close, "Close", Some(Message::LineClosed));
    let whose = line
        .mac
        .map(|mac| small_button(Icon::Computer, "This computer", Look::Secondary).on_press(Message::Picked(mac)));
    let when = line.mac.map_or(clock::time(line.time), |mac| format!("{}   {mac}", clock::time(line.time)));
    let head = row![soft(when).width(Fill)].push(whose).push(close).spacing(gap::SMALL).align_y(Alignment::Center);
    let words = scrollable(container(small(line.words.as_str(), tone(line.level))).width(Fill));
    let words = container(words.style(theme::scroll)).max_height(PICKED);
    container(column![head, words].spacing(gap::TIGHT))
        .padding([8, 12])
        .width(Fill)
        .style(theme::ground(Ground::Card))
        .into()
}
