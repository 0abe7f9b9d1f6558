//! The job sheet above the Serve page: what each computer booted, a note about each, who is there, and the ways out.

use std::collections::BTreeMap;
use std::sync::Arc;

use iced::widget::{Column, column, row, rule, space, text_input};
use iced::{Alignment, Element, Fill, Length};

use crate::app::clock;
use crate::app::icon::Icon;
use crate::app::theme::{self, Look, Tone, size, space as gap};
use crate::app::widget::card::small_button;
use crate::app::widget::words::{body, marked, small, soft};
use crate::journal::Event;
use crate::journal::job::{Book, Catalogue, Job, Line, Outcome, Sheet, words};
use crate::text;

/// Most jobs that are shown, the latest ones; what is exported has all.
const SHOWN: usize = 100;
/// Longest text in a row, in characters.
const MAX_TEXT: usize = 160;

/// What the overlay keeps.
#[derive(Debug, Default)]
pub struct Jobs {
    book: Arc<Book>,
    /// What is being typed: who is there, and a note by its job.
    operator: Option<String>,
    notes: BTreeMap<String, String>,
    trouble: Option<String>,
    /// On a described machine nothing is on disk, so jobs are folded here.
    played: Sheet,
}

/// How it leaves the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For spreadsheets.
    Csv,
    /// For programs.
    Json,
    /// To print.
    Page,
}

/// What happened in it.
#[derive(Clone, Debug)]
pub enum Message {
    /// Who is there is being typed.
    OperatorTyped(String),
    /// That is who is there.
    OperatorGiven,
    /// A note about a job is being typed.
    NoteTyped(String, String),
    /// That is the note.
    NoteGiven(String),
    /// It is to be saved in this form.
    Exported(Form),
}

impl Jobs {
    /// All jobs.
    pub fn book(&self) -> &Arc<Book> {
        &self.book
    }

    /// Takes over what was read, or why it could not be.
    pub fn read(&mut self, read: Result<Arc<Book>, String>) {
        match read {
            Ok(book) => (self.book, self.trouble) = (book, None),
            Err(reason) => self.trouble = Some(reason),
        }
    }

    /// A described machine serves this.
    pub fn serves(&mut self, catalogue: Catalogue) {
        self.played = Sheet::new(catalogue);
    }

    /// Takes note of an event of a described machine.
    pub fn play(&mut self, event: &Event) {
        for job in self.played.hear(event) {
            self.take(Line::Job(Box::new(job)));
        }
    }

    /// Takes a line that is not on disk.
    pub fn take(&mut self, line: Line) {
        Arc::make_mut(&mut self.book).take(line);
    }

    /// Takes note of what is typed. Returns the line that is to be written.
    pub fn update(&mut self, message: Message) -> Option<Line> {
        match message {
            Message::OperatorTyped(name) => {
                self.operator = Some(name);
                None
            }
            Message::OperatorGiven => Some(Line::operator(&self.operator.take()?, jiff::Timestamp::now())),
            Message::NoteTyped(job, words) => {
                self.notes.insert(job, words);
                None
            }
            Message::NoteGiven(job) => self.notes.remove(&job).map(|words| Line::note(&job, &words)),
            Message::Exported(_) => None,
        }
    }
}

/// Draws it, without its heading.
pub fn view<'a>(
    jobs: &'a Jobs,
    scrolling: impl Fn(Element<'a, Message>) -> Element<'a, Message>,
) -> Element<'a, Message> {
    let operator = jobs.operator.as_deref().or(jobs.book.operator()).unwrap_or_default();
    let who =
        field("Who is there", operator).on_input(Message::OperatorTyped).on_submit(Message::OperatorGiven).width(220);
    let export =
        |words, form| small_button(Icon::Save, words, Look::Secondary).on_press(Message::Exported(form)).into();
    let exports = [export("CSV", Form::Csv), export("JSON", Form::Json), export("Page to print", Form::Page)];
    let tools =
        row![soft("Operator"), who, space::horizontal()].extend(exports).spacing(gap::SMALL).align_y(Alignment::Center);
    let trouble = jobs.trouble.as_ref().map(|reason| marked(Icon::Caution, text::plain(reason, 300), Tone::Bad));
    let count = jobs.book.jobs().count();
    let rows = jobs.book.jobs().rev().take(SHOWN).map(|job| entry(job, jobs.notes.get(&job.id)));
    let list: Element<'a, Message> = match count {
        0 => soft("No computer has booted yet. Each that does appears here, and stays after the program ends.").into(),
        _ => scrolling(Column::with_children(rows).spacing(gap::SMALL).into()),
    };
    let more = (count > SHOWN).then(|| soft(format!("The latest {SHOWN} of {count} jobs. What is exported has all.")));
    column![tools].push(trouble).push(list).push(more).spacing(gap::INSIDE).into()
}

fn field<'a>(hint: &str, value: &str) -> text_input::TextInput<'a, Message> {
    text_input(hint, value).padding([5, 10]).size(size::SMALL).style(theme::field(false))
}

/// Two lines: when, who and what; what came of it, and the note.
fn entry<'a>(job: &'a Job, typed: Option<&'a String>) -> Element<'a, Message> {
    let shown = |words: String| text::plain(&words, MAX_TEXT);
    let took = words::length(job).map(words::clock).unwrap_or_default();
    let booted = Some(words::booted(job)).filter(|booted| !booted.is_empty());
    let nothing = if job.ended.is_some() { "Nothing" } else { "Nothing yet" };
    let head = row![
        soft(clock::day(job.began)).width(110),
        column![body(shown(words::computer(job)))]
            .push(job.product.as_ref().map(|_| soft(job.mac.to_string())))
            .width(Length::FillPortion(3)),
        small(shown(booted.unwrap_or_else(|| nothing.to_owned())), Tone::Ink).width(Length::FillPortion(4)),
        soft(took).width(60),
    ];
    let (icon, tone) = match job.result {
        _ if words::is_well(job) => (Icon::Check, Tone::Good),
        Outcome::Failed => (Icon::Caution, Tone::Bad),
        _ => (Icon::Info, Tone::Soft),
    };
    let result = marked(icon, text::capital(&shown(words::result(job))), tone);
    let signed = job.operator.as_ref().map(|name| soft(format!("by {}", shown(name.clone()))));
    let id = job.id.clone();
    let note = field("Note", typed.or(job.note.as_ref()).map_or("", String::as_str))
        .on_input(move |words| Message::NoteTyped(id.clone(), words))
        .on_submit(Message::NoteGiven(job.id.clone()))
        .width(Length::FillPortion(3));
    let below = row![space::horizontal().width(110), result.width(Length::FillPortion(4))].push(signed).push(note);
    column![
        head.spacing(gap::SMALL).align_y(Alignment::Center),
        below.spacing(gap::SMALL).align_y(Alignment::Center),
        rule::horizontal(1).style(theme::line),
    ]
    .spacing(gap::TIGHT)
    .width(Fill)
    .into()
}
