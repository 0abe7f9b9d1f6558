//! A computer: as a card while there are few, as a line among many.

use std::time::Duration;

use iced::widget::{Column, column, container, progress_bar, row, space};
use iced::{Alignment, Element, Fill};

use super::{Context, Message};
use crate::app::clock;
use crate::app::icon::{self, Icon};
use crate::app::theme::{self, Look, Tone, space as gap};
use crate::app::widget::line::line;
use crate::app::widget::notice;
use crate::app::widget::press::press;
use crate::app::widget::words::{badge, body, marked, shortened, small, soft};
use crate::journal::wording::{self, bytes};
use crate::journal::{Computer, Stage};
use crate::text;

pub(super) fn cards<'a>(computers: &[&'a Computer], context: Context<'a>) -> Element<'a, Message> {
    if !context.wide {
        return Column::with_children(computers.iter().map(|computer| full(computer, context)))
            .spacing(gap::CARD)
            .into();
    }
    let pairs = computers.chunks(2).map(|pair| {
        let mut line = row![].spacing(gap::CARD);
        for computer in pair {
            line = line.push(container(full(computer, context)).width(Fill));
        }
        if pair.len() == 1 { line.push(space::horizontal()).into() } else { line.into() }
    });
    Column::with_children(pairs).spacing(gap::CARD).into()
}

/// What the five dots of a card stand for.
const DOTS: [Stage; 5] = [Stage::Asked, Stage::Loader, Stage::Menu, Stage::Kernel, Stage::System];

/// Which dot a stage is at.
fn dot(stage: Stage) -> usize {
    match stage {
        Stage::Asked | Stage::Offered => 0,
        Stage::Loader => 1,
        Stage::Menu => 2,
        Stage::Kernel => 3,
        Stage::System | Stage::HandedOver => 4,
    }
}

fn stage_line<'a>(computer: &Computer) -> Element<'a, Message> {
    let at = dot(computer.stage);
    let done = computer.stage == Stage::HandedOver;
    let dots = DOTS.into_iter().enumerate().map(|(number, stage)| {
        let (color_tone, size) = match () {
            () if number < at || done => (Tone::Accent, 10.0),
            () if number == at => (Tone::Accent, 14.0),
            () => (Tone::Soft, 10.0),
        };
        let filled = number <= at;
        let mark =
            container(space::horizontal().width(size)).height(size).width(size).style(move |theme: &iced::Theme| {
                let color = color_tone.of(theme);
                container::Style {
                    background: filled.then(|| color.into()),
                    border: iced::border::rounded(size / 2.0).color(color).width(1.5),
                    ..container::Style::default()
                }
            });
        let tone = if number == at { Tone::Ink } else { Tone::Soft };
        let stage = if number == at { computer.stage } else { stage };
        let way = |passed: bool, drawn: bool| {
            let tone = if passed { Tone::Accent } else { Tone::Faint };
            container(space::horizontal().height(2)).width(Fill).style(move |theme: &iced::Theme| container::Style {
                background: drawn.then(|| tone.of(theme).into()),
                ..container::Style::default()
            })
        };
        let line = row![way(number <= at, number > 0), mark, way(number < at, number + 1 < DOTS.len())];
        column![line.align_y(Alignment::Center).height(16), small(wording::stage_word(stage), tone).size(12)]
            .spacing(2)
            .align_x(Alignment::Center)
            .width(Fill)
            .into()
    });
    iced::widget::Row::with_children(dots).into()
}

fn firmware(computer: &Computer) -> Option<String> {
    computer.machine.and_then(|machine| machine.platform).map(|platform| platform.name().to_owned())
}

fn full<'a>(computer: &'a Computer, context: Context<'a>) -> Element<'a, Message> {
    let address = computer.ip.map(|ip| ip.to_string());
    let product = computer.product.as_ref().map(|_| computer.mac.to_string());
    let below: Vec<String> = [product, address].into_iter().flatten().collect();
    let names = column![body(computer.name()), soft(below.join("   ·   "))].spacing(1).width(Fill);
    let heard = clock::since(computer.heard, context.now);
    let fresh = if heard < Duration::from_secs(2) { Tone::Good } else { Tone::Soft };
    let head =
        row![icon::sized(Icon::Computer, if fresh == Tone::Good { Tone::Accent } else { Tone::Soft }, 24.0), names,]
            .push(firmware(computer).map(|firmware| badge(firmware, Tone::Soft)))
            .spacing(gap::CARD)
            .align_y(Alignment::Center);
    let content =
        column![head, stage_line(computer), progress(computer)].push(loader(computer)).push(trouble(computer, context));
    let waits = computer.waits(context.now);
    let waits = waits.map(|code| marked(Icon::Caution, format!("Waits for your approval: {code}"), Tone::Caution));
    let content = content.push(waits);
    let content = content.spacing(gap::CARD);
    press(content).look(Look::Card).padding(gap::INSIDE).width(Fill).on_press(Message::Picked(computer.mac)).into()
}

/// The file that is on its way, or the last thing that happened.
fn progress<'a>(computer: &'a Computer) -> Element<'a, Message> {
    let Some(transfer) = computer.transfer() else {
        let words = computer.last.clone().unwrap_or_default();
        let when = clock::time(computer.heard);
        let words = text::plain(&text::capital(&words), 300);
        return row![line(words, Tone::Soft), soft(when)].spacing(gap::SMALL).into();
    };
    let share = transfer.fraction();
    let file = shortened(&text::plain(&transfer.file, 300), 44);
    let left = transfer.left().map(|left| format!(" · {} left", clock::span(left)));
    let mut rate = format!("{} of {}", bytes(transfer.bytes), bytes(transfer.total));
    if transfer.rate_bps > 0 {
        rate.push_str(&format!(" · {}/s", bytes(transfer.rate_bps)));
    }
    let bar = progress_bar(0.0..=1.0, share).girth(6).style(theme::bar(Tone::Accent));
    let words = row![line(file, Tone::Soft), soft(format!("{rate}{}", left.unwrap_or_default()))];
    column![words.spacing(gap::SMALL), bar].spacing(6).into()
}

/// Its loader and why it gets that one.
fn loader<'a>(computer: &Computer) -> Option<Element<'a, Message>> {
    let words = wording::loader_line(computer.loader.as_ref()?);
    Some(line(text::plain(&words, 300), Tone::Soft).into())
}

/// What keeps it most likely, with the next step.
fn trouble<'a>(computer: &'a Computer, context: Context<'a>) -> Option<Element<'a, Message>> {
    context.watch.causes(computer.mac).first().map(notice::cause)
}

/// One line for one of many computers.
pub(super) fn compact<'a>(computer: &'a Computer, context: Context<'a>) -> Element<'a, Message> {
    let transfer = computer.transfer();
    let share = transfer.map(|transfer| transfer.fraction());
    let waits = computer.waits(context.now).map(|code| format!("Waits: {code}"));
    let state: Element<'a, Message> = match (share, context.watch.trouble(computer.mac)) {
        _ if waits.is_some() => marked(Icon::Caution, waits.unwrap_or_default(), Tone::Caution).into(),
        (_, Some(_)) => marked(Icon::Caution, "Look here", Tone::Bad).into(),
        (Some(share), None) => {
            progress_bar(0.0..=1.0, share).length(120).girth(6).style(theme::bar(Tone::Accent)).into()
        }
        (None, None) => soft(clock::time(computer.heard)).into(),
    };
    let file = transfer.map(|transfer| transfer.file.rsplit('/').next().unwrap_or_default()).unwrap_or_default();
    let content = row![
        icon::icon(Icon::Computer, Tone::Soft),
        column![small(shortened(&computer.name(), 22), Tone::Ink), soft(computer.mac.to_string()).size(12)].width(170),
        small(wording::stage_word(computer.stage), Tone::Accent).width(90),
        line(text::plain(file, 200), Tone::Soft),
        state,
    ];
    press(content.spacing(gap::CARD).align_y(Alignment::Center))
        .look(Look::Card)
        .padding([6, 12])
        .width(Fill)
        .on_press(Message::Picked(computer.mac))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_has_its_dot() {
        let stages =
            [Stage::Asked, Stage::Offered, Stage::Loader, Stage::Menu, Stage::Kernel, Stage::System, Stage::HandedOver];
        let dots: Vec<usize> = stages.into_iter().map(dot).collect();
        assert_eq!(dots, [0, 0, 1, 2, 3, 4, 4]);
        assert!(dots.iter().all(|at| *at < DOTS.len()));
    }
}
