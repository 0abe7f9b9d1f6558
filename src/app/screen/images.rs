//! What to boot: images by drop, by dialog and by typed path, each with all that is known of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use iced::advanced::widget::Id;
use iced::widget::{Column, column, container, progress_bar, row, space, text_input};
use iced::{Alignment, Element, Fill};

use crate::app::icon::{self, Icon};
use crate::app::theme::{self, Ground, Look, Tone, size, space as gap};
use crate::app::widget::card::{card, fact, icon_button, small_button};
use crate::app::widget::notice;
use crate::app::widget::page::{Page, Primary};
use crate::app::widget::press::press;
use crate::app::widget::words::{self, badge, body, marked, section, shortened, small, soft};
use crate::check::{self, Finding};
use crate::image::checksum::{Expected, Verdict};
use crate::image::{self, DiscError, Firmware, Inspection};
use crate::journal::wording::bytes;
use crate::text;

/// Most images that are read at once, so that forty dropped files do not push each other off the disk.
pub const AT_ONCE: usize = 4;
/// Most images of one deployment.
pub const MOST: usize = 200;

/// One image on the page.
#[derive(Clone, Debug)]
pub struct Import {
    /// Its file.
    pub path: PathBuf,
    /// How far we are with it.
    pub state: State,
    /// Its checksum.
    pub checksum: Checksum,
}

/// How far we are with an image.
#[derive(Clone, Debug)]
pub enum State {
    /// It waits for others to be read first.
    Queued,
    /// It is being read.
    Reading,
    /// This is what it is.
    Ready(Arc<Inspection>),
    /// It cannot be used.
    Failed(Arc<DiscError>),
}

/// What is known of an image's checksum.
#[derive(Clone, Debug, Default)]
pub enum Checksum {
    /// Not looked for yet, or nothing to compare with.
    #[default]
    Unknown,
    /// One was found beside the image.
    Found(Expected),
    /// It is being compared: bytes read, of so many.
    Running(Expected, u64, u64),
    /// Compared.
    Done(Verdict),
    /// The image or its checksum file could not be read to the end.
    Failed(String),
}

impl Import {
    /// An image that is not read yet.
    pub fn new(path: PathBuf) -> Import {
        Import { path, state: State::Queued, checksum: Checksum::Unknown }
    }

    /// What it is, where that is known.
    pub fn inspection(&self) -> Option<&Inspection> {
        match &self.state {
            State::Ready(inspection) => Some(inspection),
            _ => None,
        }
    }
}

/// What the page keeps for itself.
#[derive(Clone, Debug, Default)]
pub struct Images {
    typed: String,
    /// Files are held over the window.
    hovered: bool,
    /// Images whose evidence is unfolded.
    open: Vec<PathBuf>,
    /// What was said about the last files that were added.
    said: Option<String>,
}

/// What happened on the page.
#[derive(Clone, Debug)]
pub enum Message {
    /// The system's file dialog is wanted.
    BrowseAsked,
    /// A path is being typed.
    Typed(String),
    /// The typed path is to be added.
    TypedAdded,
    /// Files are held over the window, or no more.
    Hovered(bool),
    /// An image goes.
    Removed(PathBuf),
    /// An image moves by so many places.
    Moved(PathBuf, isize),
    /// An image's evidence is to be shown or hidden.
    Unfolded(PathBuf),
    /// Its checksum is to be compared.
    ChecksumAsked(PathBuf),
    /// One is to be taken from the clipboard.
    PasteAsked(PathBuf),
    /// That is to end.
    ChecksumStopped(PathBuf),
    /// On to the next step.
    Continued,
}

/// What the page wants done.
#[derive(Clone, Debug)]
pub enum Action {
    /// Nothing more.
    None,
    /// Open the file dialog.
    Browse,
    /// Add these files and folders.
    Add(Vec<PathBuf>),
    /// Take this one out.
    Remove(PathBuf),
    /// Move this one.
    Move(PathBuf, isize),
    /// Compare its checksum.
    Compare(PathBuf),
    /// Take a checksum from the clipboard, and compare with that.
    Paste(PathBuf),
    /// Stop comparing.
    StopComparing(PathBuf),
    /// Go on.
    Next,
}

/// Where the focus is when the page opens.
pub fn first_focus(imports: &[Import]) -> Option<Id> {
    Some(if imports.is_empty() { browse_id() } else { crate::app::widget::page::primary_id() })
}

fn browse_id() -> Id {
    Id::new("browse")
}

/// The name of the field for a path.
pub fn path_id() -> Id {
    Id::new("image-path")
}

impl Images {
    /// Takes note of a message.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::BrowseAsked => Action::Browse,
            Message::Typed(text) => self.typed(text),
            Message::TypedAdded => self.add_typed(),
            Message::Hovered(hovered) => self.hovered(hovered),
            Message::Removed(path) => Action::Remove(path),
            Message::Moved(path, by) => Action::Move(path, by),
            Message::Unfolded(path) => self.unfold(path),
            Message::ChecksumAsked(path) => Action::Compare(path),
            Message::PasteAsked(path) => Action::Paste(path),
            Message::ChecksumStopped(path) => Action::StopComparing(path),
            Message::Continued => Action::Next,
        }
    }

    fn typed(&mut self, text: String) -> Action {
        self.typed = text;
        Action::None
    }

    fn add_typed(&mut self) -> Action {
        let path = self.typed.trim().trim_matches(['"', '\'']);
        if path.is_empty() {
            return Action::None;
        }
        let path = PathBuf::from(path);
        self.typed.clear();
        Action::Add(vec![path])
    }

    fn hovered(&mut self, hovered: bool) -> Action {
        self.hovered = hovered;
        Action::None
    }

    fn unfold(&mut self, path: PathBuf) -> Action {
        match self.open.iter().position(|open| *open == path) {
            Some(at) => drop(self.open.remove(at)),
            None => self.open.push(path),
        }
        Action::None
    }

    /// Says something about the files that were just added.
    pub fn say(&mut self, words: Option<String>) {
        self.said = words;
    }

    /// What leads on from here, or what is missing for that.
    pub fn primary(&self, imports: &[Import]) -> Primary<Message> {
        const LABEL: &str = "Use these images";
        let count = |wanted: fn(&State) -> bool| imports.iter().filter(|import| wanted(&import.state)).count();
        let reading = count(|state| matches!(state, State::Reading | State::Queued));
        let failed = count(|state| matches!(state, State::Failed(_)));
        let usable = imports.iter().filter_map(Import::inspection).any(|inspection| !inspection.entries.is_empty());
        match () {
            () if imports.is_empty() => Primary::waiting(LABEL, "Add an image first", Some(browse_id())),
            () if reading > 0 => Primary::waiting(LABEL, "Reading…", None),
            () if failed > 0 => {
                let cause = imports.iter().find(|import| matches!(import.state, State::Failed(_)));
                let name = cause.map(|import| shortened(&image::file_name(&import.path), 24)).unwrap_or_default();
                let reason = match failed {
                    1 => format!("Take out {name} to go on"),
                    count => format!("Take out {name} and {} more to go on", count - 1),
                };
                Primary::waiting(LABEL, reason, cause.map(|import| remove_id(&import.path)))
            }
            () if !usable => Primary::waiting(LABEL, "None of them boots over a network", Some(browse_id())),
            () => Primary::ready(if imports.len() == 1 { "Use this image" } else { LABEL }, Message::Continued),
        }
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, imports: &'a [Import]) -> Page<'a, Message> {
        let content: Element<'a, Message> = if imports.is_empty() {
            column![self.drop_zone()]
                .push(self.said())
                .push(self.path_field())
                .extend(wrong_recipes())
                .spacing(gap::INSIDE)
                .into()
        } else {
            let count = imports.len();
            let cards = imports.iter().enumerate().map(|(at, import)| self.card(import, at, count));
            let head = row![
                section(if count == 1 { "1 image".to_owned() } else { format!("{count} images") }),
                space::horizontal(),
                small_button(Icon::Folder, "Add more files", Look::Secondary)
                    .id(browse_id())
                    .on_press(Message::BrowseAsked),
            ];
            let cards = Column::with_children(cards).spacing(gap::CARD);
            column![head.align_y(Alignment::Center)]
                .push(self.said())
                .push(self.hovered.then(|| self.drop_strip()))
                .push(cards)
                .push(self.path_field())
                .extend(wrong_recipes())
                .spacing(gap::INSIDE)
                .into()
        };
        Page {
            title: "Choose what to boot".to_owned(),
            sentence: "Nothing is copied or unpacked: computers boot straight out of the ISO files.".to_owned(),
            body: content,
            scrolls_itself: false,
            primary: self.primary(imports),
            aside: None,
        }
    }

    fn said<'a>(&self) -> Option<Element<'a, Message>> {
        self.said.clone().map(|words| notice::notice(Tone::Caution, words, String::new(), None))
    }

    fn drop_zone<'a>(&self) -> Element<'a, Message> {
        let words = if self.hovered { "Let go to add them" } else { "Drop ISO files or folders here" };
        let browse = press(body("Choose files…")).id(browse_id()).look(Look::Secondary).on_press(Message::BrowseAsked);
        let tone = if self.hovered { Tone::Accent } else { Tone::Soft };
        let content = column![
            icon::sized(Icon::Disc, tone, 44.0),
            body(words).size(size::SECTION),
            soft("Debian, Ubuntu, Arch, Memtest86+, rescue discs and others"),
            browse,
        ];
        let ground = if self.hovered { Ground::Chosen } else { Ground::Card };
        container(content.spacing(gap::CARD).align_x(Alignment::Center))
            .center_x(Fill)
            .padding([40, 16])
            .style(theme::ground(ground))
            .into()
    }

    fn drop_strip<'a>(&self) -> Element<'a, Message> {
        notice::notice(Tone::Accent, "Let go to add them".to_owned(), String::new(), None)
    }

    fn path_field<'a>(&'a self) -> Element<'a, Message> {
        let field = text_input("Or type the path of an ISO file or a folder", &self.typed)
            .id(path_id())
            .on_input(Message::Typed)
            .on_submit_maybe((!self.typed.trim().is_empty()).then_some(Message::TypedAdded))
            .padding([8, 12])
            .size(size::BODY)
            .style(theme::field(false));
        let add = press(body("Add"))
            .look(Look::Secondary)
            .on_press_maybe((!self.typed.trim().is_empty()).then_some(Message::TypedAdded));
        row![field, add].spacing(gap::SMALL).align_y(Alignment::Center).into()
    }

    fn card<'a>(&'a self, import: &'a Import, at: usize, count: usize) -> Element<'a, Message> {
        let name = shortened(&image::file_name(&import.path), 64);
        let tools = tools(import, at, count);
        match &import.state {
            State::Queued => plain_card(Icon::Disc, Tone::Soft, name, "Waits for the others".to_owned(), tools),
            State::Reading => plain_card(Icon::Disc, Tone::Soft, name, "Reading…".to_owned(), tools),
            State::Failed(error) => failed_card(name, &check::explain_disc(error), tools),
            State::Ready(inspection) => {
                let open = self.open.contains(&import.path);
                ready_card(import, inspection, open, tools)
            }
        }
    }
}

/// Recipes of the user that cannot be used.
fn wrong_recipes<'a>() -> impl Iterator<Item = Element<'a, Message>> {
    let faults = image::recipe::book().faults().iter();
    faults.map(|fault| notice::finding(Tone::Caution, &check::wrong_recipe(fault), None))
}

fn remove_id(path: &Path) -> Id {
    Id::from(format!("remove-{}", path.to_string_lossy()))
}

/// Up, down, away.
fn tools<'a>(import: &Import, at: usize, count: usize) -> Element<'a, Message> {
    let path = || import.path.clone();
    let up = (at > 0).then(|| Message::Moved(path(), -1));
    let down = (at + 1 < count).then(|| Message::Moved(path(), 1));
    let order =
        (count > 1).then(|| row![icon_button(Icon::Up, "Move up", up), icon_button(Icon::Down, "Move down", down)]);
    let remove = press(icon::sized(Icon::Close, Tone::Soft, 18.0))
        .id(remove_id(&import.path))
        .look(Look::Quiet)
        .padding(6)
        .on_press(Message::Removed(path()));
    let remove = crate::app::widget::card::hint(remove, "Take out of the menu; the file stays where it is");
    row![].push(order).push(remove).align_y(Alignment::Center).into()
}

fn plain_card<'a>(
    mark: Icon,
    tone: Tone,
    name: String,
    words: String,
    tools: Element<'a, Message>,
) -> Element<'a, Message> {
    let words = column![body(name), soft(words)].spacing(gap::TIGHT).width(Fill);
    card(row![icon::sized(mark, tone, 24.0), words, tools].spacing(gap::CARD).align_y(Alignment::Center)).into()
}

fn failed_card<'a>(name: String, finding: &Finding, tools: Element<'a, Message>) -> Element<'a, Message> {
    let head = row![icon::sized(Icon::Disc, Tone::Bad, 24.0), body(name).width(Fill), tools];
    let strip = notice::finding(Tone::Bad, finding, None);
    card(column![head.spacing(gap::CARD).align_y(Alignment::Center), strip].spacing(gap::CARD)).into()
}

fn ready_card<'a>(
    import: &'a Import,
    inspection: &'a Inspection,
    open: bool,
    tools: Element<'a, Message>,
) -> Element<'a, Message> {
    let boots = !inspection.entries.is_empty();
    let tone = if boots { Tone::Accent } else { Tone::Caution };
    let title = text::plain(&inspection.title(), 100);
    let file = format!("{} · {}", shortened(&image::file_name(&import.path), 56), bytes(inspection.size));
    let words = column![body(title).size(size::SECTION), soft(file)].spacing(2).width(Fill);
    let head = row![icon::sized(Icon::Disc, tone, 28.0), words, tools].spacing(gap::CARD).align_y(Alignment::Center);
    let facts = boots.then(|| facts(inspection));
    let editions = inspection.recognised.as_ref().map(|system| &system.editions).filter(|list| !list.is_empty());
    let editions = editions.map(|list| fact("Editions", shortened(&text::plain(&list.join(", "), 400), 120)));
    let warnings = inspection.warnings.iter().map(|warning| {
        let tone = if boots { Tone::Caution } else { Tone::Bad };
        notice::notice(tone, text::plain(warning, 400), String::new(), None)
    });
    let signed = image::words::secure_boot(inspection);
    let signed = (!signed.is_empty()).then(|| {
        let lines = signed.into_iter().map(|line| small(text::plain(&text::capital(&line), 300), Tone::Ink).into());
        column![soft("Secure Boot")].push(Column::with_children(lines).spacing(2)).spacing(2)
    });
    let mut content = column![head].push(facts).push(editions).push(signed).spacing(gap::CARD);
    content = content.extend(warnings);
    content = content.push(row_below(import, inspection, open));
    if open {
        content = content.push(evidence(import, inspection));
    }
    card(content).into()
}

fn firmware_words(inspection: &Inspection) -> &'static str {
    let all: Vec<Firmware> = inspection.entries.iter().flat_map(|entry| entry.firmware.iter().copied()).collect();
    image::words::firmware(&all)
}

fn facts<'a>(inspection: &'a Inspection) -> Element<'a, Message> {
    let mut arch: Vec<&str> = inspection.entries.iter().map(|entry| image::words::processor(&entry.arch)).collect();
    arch.dedup();
    let memory = inspection.entries.iter().filter_map(|entry| entry.min_ram_mb).max();
    let memory = memory.map_or("not known".to_owned(), |mib| format!("{} or more", words::memory(mib)));
    let way = inspection.entries.first().map_or("", image::words::way);
    row![
        fact("Boots on", firmware_words(inspection).to_owned()).width(Fill),
        fact("Processor", arch.join(", ")).width(Fill),
        fact("Memory needed", memory).width(Fill),
        fact("How", way.to_owned()).width(iced::FillPortion(2)),
    ]
    .spacing(gap::INSIDE)
    .into()
}

/// Checksum at the left, "how we know" at the right.
fn row_below<'a>(import: &'a Import, inspection: &'a Inspection, open: bool) -> Element<'a, Message> {
    let words = if open { "Hide how we know" } else { "How we know" };
    let mark = if open { Icon::ChevronDown } else { Icon::ChevronRight };
    let fold = small_button(mark, words, Look::Quiet).on_press(Message::Unfolded(import.path.clone()));
    let entries = match inspection.entries.len() {
        0 => badge("nothing to boot", Tone::Caution),
        1 => badge("1 menu entry", Tone::Soft),
        count => badge(format!("{count} menu entries"), Tone::Soft),
    };
    row![container(checksum(import)).width(Fill), entries, fold].spacing(gap::SMALL).align_y(Alignment::Center).into()
}

fn checksum<'a>(import: &'a Import) -> Element<'a, Message> {
    let path = || import.path.clone();
    match &import.checksum {
        Checksum::Unknown => row![soft("No checksum file beside it"), paste(path())]
            .spacing(gap::SMALL)
            .align_y(Alignment::Center)
            .into(),
        Checksum::Found(expected) => {
            let from = expected.from.file_name().unwrap_or_else(|| "what was pasted".to_owned());
            let words = format!("Compare with {}", shortened(&text::plain(&from, 60), 28));
            let content = row![icon::sized(Icon::Shield, Tone::Accent, 16.0), small(words, Tone::Accent)];
            let content = content.spacing(6).align_y(Alignment::Center);
            press(content).look(Look::Quiet).padding([5, 10]).on_press(Message::ChecksumAsked(path())).into()
        }
        Checksum::Running(_, done, total) => {
            let share = *done as f32 / (*total).max(1) as f32;
            let bar = progress_bar(0.0..=1.0, share).length(140).girth(6).style(theme::bar(Tone::Accent));
            let stop = small_button(Icon::Close, "Stop", Look::Quiet).on_press(Message::ChecksumStopped(path()));
            let words = soft(format!("Comparing, {} %", (share * 100.0) as u32));
            row![words, bar, stop].spacing(gap::SMALL).align_y(Alignment::Center).into()
        }
        Checksum::Done(Verdict::Matches(_)) => marked(Icon::Check, "Its checksum is right", Tone::Good).into(),
        Checksum::Done(Verdict::Differs { .. }) => {
            let words = marked(Icon::Stop, "Its checksum is wrong: download it again", Tone::Bad);
            row![words, paste(path())].spacing(gap::SMALL).align_y(Alignment::Center).into()
        }
        Checksum::Done(Verdict::NoneKnown { .. }) => row![soft("No checksum file beside it"), paste(path())]
            .spacing(gap::SMALL)
            .align_y(Alignment::Center)
            .into(),
        Checksum::Failed(reason) => marked(Icon::Caution, text::plain(reason, 120), Tone::Caution).into(),
    }
}

fn paste<'a>(path: PathBuf) -> Element<'a, Message> {
    let button = small_button(Icon::Copy, "Paste one", Look::Quiet).on_press(Message::PasteAsked(path));
    crate::app::widget::card::hint(button, "Copy the SHA-256 from the publisher's page first")
}

fn evidence<'a>(import: &'a Import, inspection: &'a Inspection) -> Element<'a, Message> {
    let known = inspection.recognised.iter().flat_map(|system| system.evidence.iter());
    let mut lines: Vec<String> = known.map(|line| text::plain(line, 300)).collect();
    lines.push(format!("lies in {}", text::plain(&import.path.to_string_lossy(), 500)));
    let entries = inspection.entries.iter().map(|entry| {
        let arguments = text::plain(&entry.cmdline, 1000);
        let started = entry.kernel.as_ref().or(entry.initrd.first());
        format!("{}: {}  {arguments}", entry.title, started.map_or("the image as a disc", String::as_str))
    });
    lines.extend(entries.map(|line| text::plain(&line, 1500)));
    let lines = lines
        .into_iter()
        .map(|line| soft(format!("•  {line}")).wrapping(iced::widget::text::Wrapping::WordOrGlyph).into());
    Column::with_children(lines).spacing(gap::TIGHT).into()
}
