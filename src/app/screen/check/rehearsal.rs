//! The rehearsal: every kind of computer and every entry, tried before anybody is switched on.

use iced::widget::{Column, column, container, row, space};
use iced::{Alignment, Element, Fill, Length};

use super::Message;
use crate::app::icon::{self, Icon};
use crate::app::theme::{Look, Tone, space as gap};
use crate::app::widget::card::{card, hint, small_button};
use crate::app::widget::notice;
use crate::app::widget::words::{marked, section, shortened, small, soft};
use crate::check::{self, Failing, Finding};
use crate::deployment::Plan;
use crate::rehearsal::{Cell, Firmware, Outcome, Report, Row, Start};
use crate::text;

/// How wide a firmware's column is. Eight of them leave room for an entry's name at 900 pixels.
const COLUMN: f32 = 56.0;
/// Longest name of an entry in the table, in characters.
const NAME: usize = 26;

/// How far a rehearsal is.
#[derive(Clone, Debug, Default)]
pub enum Rehearsal {
    /// Not begun.
    #[default]
    NotYet,
    /// Under way: these kinds of computers are done.
    Running(Vec<Firmware>),
    /// Over: what came of it, and of which plan.
    Over(Box<Plan>, Box<Report>),
    /// It could not begin, and why.
    Failed(Box<Finding>),
}

/// Draws the section.
pub(super) fn view<'a>(rehearsal: &'a Rehearsal, ready: bool) -> Element<'a, Message> {
    let label = if matches!(rehearsal, Rehearsal::NotYet) { "Rehearse" } else { "Rehearse again" };
    let running = matches!(rehearsal, Rehearsal::Running(_));
    let button = small_button(Icon::Play, label, Look::Secondary)
        .on_press_maybe((ready && !running).then_some(Message::Rehearsed));
    let head = row![section("Rehearsal"), space::horizontal(), button].align_y(Alignment::Center);
    let content: Element<'a, Message> = match rehearsal {
        Rehearsal::NotYet => soft(
            "Boots as each kind of computer does, inside this one, and reads every file that an entry needs. Nothing \
             leaves this computer.",
        )
        .into(),
        Rehearsal::Running(done) => {
            let words = format!("Rehearsing: {} of {} kinds of computers are done…", done.len(), Firmware::ALL.len());
            marked(Icon::Search, words, Tone::Soft).into()
        }
        Rehearsal::Over(_, report) => over(report),
        Rehearsal::Failed(finding) => notice::finding(Tone::Bad, finding, None),
    };
    column![head, content].spacing(gap::SMALL).into()
}

fn over<'a>(report: &'a Report) -> Element<'a, Message> {
    let failing = check::failing(report);
    let seconds = report.millis as f64 / 1000.0;
    let verdict = match failing.len() {
        0 => {
            let files: usize = report.rows.iter().flat_map(|row| row.entries.values()).map(|cell| cell.files).sum();
            let title = format!("Everything starts as far as the network goes: {files} files read in {seconds:.1} s.");
            marked(Icon::Check, title, Tone::Good)
        }
        1 => marked(Icon::Stop, format!("1 thing fails. It took {seconds:.1} s."), Tone::Bad),
        count => marked(Icon::Stop, format!("{count} things fail. It took {seconds:.1} s."), Tone::Bad),
    };
    let problems = failing.into_iter().map(problem);
    let absent = report.rows.iter().filter_map(|row| match &row.outcome {
        Outcome::NotServed { reason } => {
            let words = format!("{}: {}.", row.firmware.name(), text::plain(reason, 300));
            Some(marked(Icon::Info, words, Tone::Soft).into())
        }
        Outcome::Ready | Outcome::Failed(_) => None,
    });
    let dashes = report.rows.iter().any(|row| {
        let here = |cell: &Cell| !matches!(cell.start, Start::NotHere { .. });
        !matches!(row.outcome, Outcome::Ready)
            || report.entries.len() > row.entries.values().filter(|cell| here(cell)).count()
    });
    let legend = dashes.then(|| soft("– : not tried on this kind of computer"));
    column![verdict, card(column![table(report)].push(legend).spacing(gap::SMALL))]
        .extend(problems)
        .extend(absent)
        .spacing(gap::SMALL)
        .into()
}

fn problem<'a>(failing: Failing) -> Element<'a, Message> {
    let names: Vec<&str> = failing.firmwares.iter().map(|firmware| firmware.name()).collect();
    let entry = failing.entry.map(|entry| format!("{}: ", text::plain(&entry, 60))).unwrap_or_default();
    let title = format!("{entry}{}", failing.finding.title);
    let meaning = format!("{} ({})", failing.finding.meaning, names.join("; "));
    notice::finding(Tone::Bad, &Finding { title, meaning, ..failing.finding }, None)
}

/// Entries are rows, since there are more of them than kinds of computers.
fn table<'a>(report: &'a Report) -> Element<'a, Message> {
    let heads = report.rows.iter().map(|row| {
        let (first, second) = row.firmware.short();
        let words = column![soft(first), soft(second)].align_x(Alignment::Center);
        container(hint(words, row.firmware.name())).center_x(COLUMN).into()
    });
    let head = row![space::horizontal()].extend(heads).align_y(Alignment::End);
    let menus = line("Gets to its menu", report.rows.iter().map(|row| (reaches(row), row)));
    let entries = report.entries.iter().map(|entry| {
        let name = shortened(&text::plain(&entry.title, 200), NAME);
        line(name, report.rows.iter().map(|row| (starts(row.entries.get(&entry.id)), row)))
    });
    Column::new().push(head).push(menus).extend(entries).spacing(gap::TIGHT).into()
}

/// What a field says: its mark, and why in words where there is more to say.
struct Field {
    mark: Option<Icon>,
    tone: Tone,
    why: Option<String>,
}

fn reaches(row: &Row) -> Field {
    match &row.outcome {
        Outcome::Ready => Field { mark: Some(Icon::Check), tone: Tone::Good, why: None },
        Outcome::NotServed { reason } => Field { mark: None, tone: Tone::Soft, why: Some(text::plain(reason, 300)) },
        Outcome::Failed(fault) => failed(fault),
    }
}

fn starts(cell: Option<&Cell>) -> Field {
    match cell.map(|cell| &cell.start) {
        Some(Start::Starts) => Field { mark: Some(Icon::Check), tone: Tone::Good, why: None },
        Some(Start::Failed(fault)) => failed(fault),
        Some(Start::NotHere { reason }) => Field { mark: None, tone: Tone::Soft, why: Some(text::plain(reason, 300)) },
        None => Field { mark: None, tone: Tone::Soft, why: None },
    }
}

fn failed(fault: &crate::rehearsal::Fault) -> Field {
    let why = Some(check::explain_rehearsal(fault).title);
    Field { mark: Some(Icon::Stop), tone: Tone::Bad, why }
}

fn line<'a>(
    name: impl iced::widget::text::IntoFragment<'a>,
    fields: impl Iterator<Item = (Field, &'a Row)>,
) -> Element<'a, Message> {
    let fields = fields.map(|(field, row)| {
        let mark: Element<'a, Message> = match field.mark {
            Some(mark) => icon::sized(mark, field.tone, 16.0).into(),
            None => small("–", field.tone).into(),
        };
        let mark = match field.why {
            Some(why) => hint(mark, format!("{}: {why}", row.firmware.name())),
            None => mark,
        };
        container(mark).center_x(Length::Fixed(COLUMN)).into()
    });
    row![container(small(name, Tone::Ink)).width(Fill)].extend(fields).align_y(Alignment::Center).into()
}
