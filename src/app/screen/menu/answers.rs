//! Unattended installation: which entry gets which answer file, what is filled in, and how that looks for one computer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use iced::advanced::widget::Id;
use iced::widget::{column, container, row, scrollable, space, text_input};
use iced::{Alignment, Element, Fill, Font};

use super::{Context, Message};
use crate::answer::{self, AnswerError, Answers, Counters, Fault, Severity, tickets};
use crate::app::icon::Icon;
use crate::app::theme::{self, Ground, Look, Tone, size, space as gap};
use crate::app::widget::card::{icon_button, small_button};
use crate::app::widget::notice;
use crate::app::widget::words::{badge, body, section, shortened, small, soft};
use crate::boot::menu::Item;
use crate::check::{self, Finding};
use crate::image::{AnswerKind, file_name};
use crate::text;

/// Most mistakes of one file that are shown.
const SHOWN: usize = 4;
/// Most characters of a filled-in file that are shown: the window is to stay quick.
const MOST_SHOWN: usize = 20_000;

/// The answer files as they were last read.
pub type Read = Arc<Result<Answers, AnswerError>>;

/// A file filled in for one computer.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The entry.
    entry: String,
    /// Which computer: its place in the list, 0 for the first.
    at: usize,
    /// What it looks like, once that is known.
    shown: Option<Shown>,
}

/// What a computer would get.
#[derive(Clone, Debug)]
pub struct Shown {
    /// For whom.
    who: String,
    /// How many computers there are to choose from.
    count: usize,
    /// The text without its secrets, or why there is none.
    text: Result<String, Finding>,
}

impl Shown {
    /// Fills an entry's file in for the computer at this place. Takes a while where the template is made to.
    pub fn of(read: &Result<Answers, AnswerError>, entry: &str, at: usize) -> Shown {
        let answers = match read {
            Ok(answers) => answers,
            Err(error) => return Shown { who: String::new(), count: 0, text: Err(check::explain_answers(error)) },
        };
        let sample = answer::sample_computer();
        let rows = answers.roster().map(|roster| roster.rows()).unwrap_or_default();
        let at = at.min(rows.len().saturating_sub(1));
        let computer = rows.get(at).map_or_else(|| sample.clone(), |row| row.computer(&sample));
        let who = match rows.len() {
            0 => format!("For a computer like {}", computer.mac),
            count => format!("For {}, {} of {count}", computer.mac, at + 1),
        };
        // Counters of its own: nobody gets a number by being looked at.
        let rendered = answers.render(entry, &computer, &answer::sample_place(), &mut Counters::default());
        let lines = |text: String| {
            let shown: String = text.chars().take(MOST_SHOWN).collect();
            shown.lines().map(line).collect::<Vec<_>>().join("\n")
        };
        let text = rendered.map(|rendered| lines(rendered.preview())).map_err(|error| check::explain_answers(&error));
        Shown { who, count: rows.len().max(1), text }
    }

    /// Nothing came of it.
    pub fn broken(reason: String) -> Shown {
        let text = Err(Finding::new("The answer file cannot be shown.", "", "").with(&reason));
        Shown { who: String::new(), count: 0, text }
    }
}

/// What can be changed.
#[derive(Clone, Debug)]
pub enum Change {
    /// The answer file of an entry; blank is none.
    File(String, String),
    /// The list of computers; blank is none.
    List(String),
    /// The pattern for host names; blank is none.
    HostName(String),
}

/// What a file is chosen for.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// The answer file of an entry.
    File(String),
    /// The list of computers.
    List,
}

impl Preview {
    /// The first computer, for an entry.
    pub fn of(entry: String) -> Preview {
        Preview { entry, at: 0, shown: None }
    }

    /// Whether it is of this entry.
    pub fn is_of(&self, entry: &str) -> bool {
        self.entry == entry
    }

    /// Another computer, so many places on.
    pub fn step(&mut self, by: isize) {
        let last = self.shown.as_ref().map_or(0, |shown| shown.count.saturating_sub(1));
        self.at = self.at.saturating_add_signed(by).min(last);
    }

    /// What is to be filled in.
    pub fn wanted(&self) -> (&str, usize) {
        (&self.entry, self.at)
    }

    /// Takes what was filled in.
    pub fn show(&mut self, shown: Shown) {
        self.shown = Some(shown);
    }
}

/// The name of the field for an entry's answer file.
pub fn file_id(entry: &str) -> Id {
    Id::from(format!("answers-{entry}"))
}

/// The name of the field for the list of computers.
pub fn list_id() -> Id {
    Id::new("answers-list")
}

fn field<'a>(
    hint: &'a str,
    value: &str,
    wrong: bool,
    id: Id,
    on_input: impl Fn(String) -> Message + 'a,
) -> Element<'a, Message> {
    let field = text_input(hint, value).id(id).on_input(on_input).padding([8, 12]).size(size::BODY);
    field.style(theme::field(wrong)).into()
}

/// The part of an entry's details that is about its answer file; nothing where its system takes none.
pub fn of_entry<'a>(
    context: Context<'a>,
    item: &Item,
    read: Option<&'a Read>,
    preview: Option<&Preview>,
) -> Option<Element<'a, Message>> {
    let answering = item.entry.answering.as_ref()?;
    let path = context.draft.answers.entry.get(&item.id);
    let typed = path.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    let (id, browsed, shown) = (item.id.clone(), item.id.clone(), item.id.clone());
    let failed = path.and_then(|path| failure(read, About::File(path)));
    let faults = path.map(|path| faults(path, read)).unwrap_or_default();
    let line = row![
        field("none: the installer asks its questions", &typed, failed.is_some(), file_id(&item.id), move |text| {
            Message::AnswersChanged(Change::File(id.clone(), text))
        }),
        small_button(Icon::Folder, "Browse…", Look::Secondary)
            .on_press(Message::AnswersBrowsed(Wanted::File(browsed.clone()))),
    ];
    let usable = path.is_some() && read.is_some_and(|read| read.is_ok());
    let open = preview.is_some_and(|preview| preview.is_of(&item.id));
    let words = if open { "Hide it" } else { "Show it filled in" };
    let mark = if open { Icon::EyeOff } else { Icon::Eye };
    let show = usable.then(|| small_button(mark, words, Look::Quiet).on_press(Message::PreviewToggled(shown)));
    let head =
        row![soft(format!("Answer file ({})", answer::kind::name(answering.kind))), space::horizontal()].push(show);
    let mut part = column![head.align_y(Alignment::Center), line.spacing(gap::SMALL).align_y(Alignment::Center)];
    part = part.push(failed.map(|words| small(words, Tone::Bad)));
    part = part.push(mismatch(answering.kind, path, read).map(|words| small(words, Tone::Caution)));
    part = part.extend(faults.into_iter().map(|(tone, words)| small(words, tone).into()));
    part = part.push(preview.filter(|_| open && usable).and_then(filled));
    Some(part.spacing(gap::TIGHT + 2.0).into())
}

/// What an error of reading is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About<'a> {
    /// This file.
    File(&'a Path),
    /// The pattern for host names.
    Names,
    /// All of it.
    All,
}

fn about(error: &AnswerError) -> About<'_> {
    match error {
        AnswerError::Read { path, .. }
        | AnswerError::TooLarge { path, .. }
        | AnswerError::NotText { path }
        | AnswerError::List { path, .. }
        | AnswerError::Template { path, .. } => About::File(path),
        AnswerError::HostName(_) => About::Names,
        AnswerError::TooMuch | AnswerError::Variable { .. } | AnswerError::None { .. } => About::All,
    }
}

/// The sentence of an error that is about this.
fn failure(read: Option<&Read>, of: About<'_>) -> Option<String> {
    match read.map(|read| read.as_ref()) {
        Some(Err(error)) if about(error) == of => Some(check::explain_answers(error).sentence()),
        _ => None,
    }
}

/// What keeps the answer files from being used, in a few words.
pub fn hindrance(read: Option<&Read>) -> Option<String> {
    let Some(Err(error)) = read.map(|read| read.as_ref()) else { return None };
    Some(match about(error) {
        About::File(path) => format!("{} cannot be used", shortened(&file_name(path), 32)),
        About::Names => "The host names cannot be used".to_owned(),
        About::All => "The answer files cannot be used".to_owned(),
    })
}

/// What an entry's row says of its answer file: that nothing is asked, or that it cannot be used.
pub fn mark<'a>(context: Context<'a>, item: &Item) -> Option<Element<'a, Message>> {
    item.entry.answering.as_ref()?;
    let path = context.draft.answers.entry.get(&item.id)?;
    let broken = failure(context.answers, About::File(path)).is_some();
    Some(if broken { badge("answer file?", Tone::Bad) } else { badge("unattended", Tone::Accent) })
}

fn faults(path: &Path, read: Option<&Read>) -> Vec<(Tone, String)> {
    let Some(Ok(answers)) = read.map(|read| read.as_ref()) else { return Vec::new() };
    let all: Vec<&Fault> =
        answers.faults().filter(|(file, ..)| *file == path).flat_map(|(_, _, faults)| faults).collect();
    let tone = |fault: &Fault| match fault.severity {
        Severity::Error => Tone::Bad,
        Severity::Warning => Tone::Caution,
    };
    let words = |fault: &&Fault| (tone(fault), check::answer_fault(path, fault).sentence());
    let more = all.len().saturating_sub(SHOWN);
    let rest = (more > 0).then(|| (Tone::Soft, format!("and {more} more")));
    all.iter().take(SHOWN).map(words).chain(rest).collect()
}

/// A file of another kind than the installer reads.
fn mismatch(kind: AnswerKind, path: Option<&PathBuf>, read: Option<&Read>) -> Option<String> {
    let Some(Ok(answers)) = read.map(|read| read.as_ref()) else { return None };
    let (_, found, _) = answers.faults().find(|(file, ..)| Some(*file) == path.map(PathBuf::as_path))?;
    let differs = found != kind && kind != AnswerKind::Other;
    differs.then(|| {
        format!("This looks like {}, and the installer reads {}.", answer::kind::name(found), answer::kind::name(kind))
    })
}

fn filled<'a>(preview: &Preview) -> Option<Element<'a, Message>> {
    let shown = preview.shown.as_ref()?;
    let previous = (preview.at > 0).then_some(Message::PreviewStepped(-1));
    let next = (preview.at + 1 < shown.count).then_some(Message::PreviewStepped(1));
    let steps = (shown.count > 1).then(|| {
        row![icon_button(Icon::Up, "The computer before", previous), icon_button(Icon::Down, "The next computer", next)]
    });
    let head = row![soft(shown.who.clone()), space::horizontal()].push(steps).align_y(Alignment::Center);
    let text: Element<'a, Message> = match &shown.text {
        Ok(text) => {
            let words = iced::widget::text(text.clone()).size(12).font(Font::MONOSPACE);
            container(scrollable(container(words).padding([8, 12]).width(Fill)).width(Fill))
                .max_height(260.0)
                .style(theme::ground(Ground::Card))
                .into()
        }
        Err(finding) => notice::finding(Tone::Bad, finding, None),
    };
    let served = soft(format!(
        "Each computer gets its own text under an address that is good for {} minutes and for it alone.",
        tickets::LIFETIME.as_secs() / 60
    ));
    Some(column![head, text, served].spacing(gap::SMALL).into())
}

fn line(line: &str) -> String {
    text::plain(&line.replace('\t', "    "), 400)
}

/// What is the same for all entries: names and the list of computers. Nothing where no entry takes answer files.
pub fn for_all<'a>(context: Context<'a>, read: Option<&'a Read>) -> Option<Element<'a, Message>> {
    if context.items.iter().all(|item| item.entry.answering.is_none()) {
        return None;
    }
    let answers = &context.draft.answers;
    let pattern = answers.host_name.clone().unwrap_or_default();
    let list = answers.list.as_ref().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    let bad_list = answers.list.as_deref().and_then(|path| failure(read, About::File(path)));
    let bad_name = failure(read, About::Names);
    let names = field("none, or like lab-{nn}", &pattern, bad_name.is_some(), Id::new("answers-names"), |text| {
        Message::AnswersChanged(Change::HostName(text))
    });
    let computers = row![
        field("none, or a CSV file with a column mac, uuid or serial", &list, bad_list.is_some(), list_id(), |text| {
            Message::AnswersChanged(Change::List(text))
        }),
        small_button(Icon::Folder, "Browse…", Look::Secondary).on_press(Message::AnswersBrowsed(Wanted::List)),
    ];
    let used = answers.entry.len();
    let sentence = match used {
        0 => "An entry's pencil gives it an answer file; its installer then asks nothing.".to_owned(),
        1 => "1 entry has an answer file.".to_owned(),
        count => format!("{count} entries have answer files."),
    };
    let counted = read.and_then(|read| read.as_ref().as_ref().ok()).and_then(Answers::roster);
    let counted = counted.map(|roster| soft(format!("{} computers in the list", roster.rows().len())));
    let wrong = |words: Option<String>| words.map(|words| small(words, Tone::Bad));
    let parts = column![section("Unattended installation"), soft(sentence), body("Host names"), names]
        .push(wrong(bad_name))
        .push(body("List of computers"))
        .push(computers.spacing(gap::SMALL).align_y(Alignment::Center))
        .push(counted)
        .push(wrong(bad_list))
        .push(wrong(failure(read, About::All)));
    Some(parts.spacing(gap::SMALL).into())
}
