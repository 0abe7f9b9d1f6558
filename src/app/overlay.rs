//! What opens above a page: settings, about, help, a computer's timeline, and questions.

mod safety;

use iced::advanced::widget::Id;
use iced::widget::{Column, center, column, container, opaque, row, scrollable, space, text_input};
use iced::{Alignment, Element, Fill, Length};
use jiff::Timestamp;

use crate::app::clock;
use crate::app::icon::Icon;
use crate::app::jobs::{self, Jobs};
use crate::app::preferences::{Preferences, SCALES, Shade};
use crate::app::theme::{self, Ground, Look, Tone, size, space as gap};
use crate::app::widget::card::{icon_button, small_button};
use crate::app::widget::notice::{self, cause as cause_strip};
use crate::app::widget::page::Room;
use crate::app::widget::press::press;
use crate::app::widget::words::{badge, body, marked, section, small, soft, title};
use crate::boot::loader::manifest::Manifest;
use crate::check::diagnosis::Watch;
use crate::check::help;
use crate::deployment::Settings;
use crate::journal::wording::{self, Level};
use crate::journal::{Computer, Journal};
use crate::mac::Mac;
use crate::text;

pub use safety::{Change, named};

/// What is open.
#[derive(Clone, Debug)]
pub enum Overlay {
    /// How the window looks.
    Settings,
    /// What this is, and what it contains.
    About,
    /// What to do, and what a computer shows.
    Help(String),
    /// What protects the network, and the hardware addresses that are being typed.
    Safety(String),
    /// What one computer did.
    Timeline(Mac),
    /// A name for the deployment.
    SaveAs(String),
    /// A question before something that disturbs others.
    Question(Question),
    /// What each computer booted.
    Jobs,
}

/// A question that names who is affected.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is asked.
    pub title: String,
    /// What it means, and for whom.
    pub words: String,
    /// The answer that does it.
    pub yes: String,
    /// What that does.
    pub then: Then,
}

/// What a "yes" does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// Hands out addresses although another server answers.
    UseFullMode,
    /// Stops the services.
    Stop,
    /// Stops the services and starts them beside another DHCP server.
    WorkBeside,
    /// Stops the services and closes the window.
    Close,
    /// Replaces a saved deployment.
    Replace(String),
}

/// What happened in an overlay.
#[derive(Clone, Debug)]
pub enum Message {
    /// It is to close.
    Closed,
    /// Light or dark was picked.
    ShadePicked(Shade),
    /// A size was picked.
    ScalePicked(f32),
    /// What a computer shows is being typed.
    HelpTyped(String),
    /// A name for the deployment is being typed.
    NameTyped(String),
    /// The deployment is to be saved by that name.
    NameGiven,
    /// The deployment is to be saved by a name.
    SaveAsAsked,
    /// A computer's timeline is to be copied.
    TimelineCopied(Mac),
    /// A computer is to begin with the usual loader again.
    LoaderForgotten(Mac),
    /// A computer is to be answered never, or again.
    AnswerPicked(Mac, bool),
    /// A computer's timeline is to be saved.
    TimelineSaved(Mac),
    /// The question was answered with yes.
    Confirmed(Then),
    /// A computer's packets are to be saved.
    TraceSaved(Mac),
    /// A page about a computer is to be copied for a colleague.
    ColleagueCopied(Mac),
    /// Something happened in the job sheet.
    Jobs(jobs::Message),
    /// Something that protects is changed.
    SafetyChanged(Change),
    /// Hardware addresses of computers that may boot are being typed.
    AllowTyped(String),
    /// Those may boot.
    AllowGiven,
}

/// What overlays are shown from.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// How the window looks.
    pub preferences: &'a Preferences,
    /// The computers.
    pub journal: &'a Journal,
    /// What keeps each of them.
    pub watch: &'a Watch,
    /// The computers that are never answered.
    pub denied: &'a [Mac],
    /// The boot loaders that were found, with where they come from.
    pub loaders: &'a Manifest,
    /// The job sheet.
    pub jobs: &'a Jobs,
    /// Whether packets are at hand.
    pub traced: bool,
    /// The time.
    pub now: Timestamp,
    /// What is decided.
    pub draft: &'a Settings,
    /// How many answer files have a password that anybody can read; none where they were not read.
    pub readable_passwords: Option<usize>,
    /// Whether the services run.
    pub serving: bool,
    /// What was just done, in words.
    pub said: Option<(&'a str, Tone)>,
    /// Whether the machine is only described, and nothing can be saved.
    pub described: bool,
}

/// The container inside which the focus stays.
pub fn scope() -> Id {
    Id::new("overlay")
}

/// Where the focus is when it opens.
pub fn first_focus(overlay: &Overlay) -> Id {
    match overlay {
        Overlay::SaveAs(_) => name_id(),
        Overlay::Help(_) => help_id(),
        _ => close_id(),
    }
}

fn name_id() -> Id {
    Id::new("deployment-name")
}

fn help_id() -> Id {
    Id::new("help-search")
}

fn close_id() -> Id {
    Id::new("overlay-close")
}

/// Draws an overlay, to lie above the page.
pub fn view<'a>(overlay: &'a Overlay, context: Context<'a>) -> Element<'a, crate::app::Message> {
    let (width, content) = match overlay {
        Overlay::Settings => (460.0, settings(context)),
        Overlay::About => (640.0, about(context)),
        Overlay::Help(shown) => (640.0, help(shown)),
        Overlay::Safety(typed) => (640.0, safety::view(context, typed)),
        Overlay::Timeline(mac) => (720.0, timeline(context, *mac)),
        Overlay::SaveAs(name) => (460.0, save_as(name)),
        Overlay::Question(asked) => (460.0, question(asked)),
        Overlay::Jobs => (960.0, job_sheet(context.jobs)),
    };
    let said = context.said.map(|(words, tone)| marked(notice::mark(tone), words, tone));
    let content = column![content].push(said).spacing(gap::INSIDE);
    let sheet =
        container(content).id(scope()).padding(gap::SECTION).max_width(width).style(theme::ground(Ground::Card));
    let sheet = center(opaque(sheet)).padding(gap::SECTION).style(theme::ground(Ground::Veil));
    // A click beside a question is no answer to it, and one beside what is being typed is no decision.
    let closes = match overlay {
        Overlay::Question(_) | Overlay::SaveAs(_) | Overlay::Jobs => false,
        Overlay::Safety(typed) => typed.is_empty(),
        Overlay::Settings | Overlay::About | Overlay::Help(_) | Overlay::Timeline(_) => true,
    };
    let sheet = iced::widget::mouse_area(sheet);
    let sheet = if closes { sheet.on_press(Message::Closed) } else { sheet };
    opaque(Element::from(sheet).map(crate::app::Message::Overlay))
}

fn head<'a>(words: String) -> Element<'a, Message> {
    let close = press(crate::app::icon::sized(Icon::Close, Tone::Soft, 18.0))
        .id(close_id())
        .look(Look::Quiet)
        .padding(6)
        .on_press(Message::Closed);
    row![title(words).size(22).width(Fill), close].align_y(Alignment::Center).into()
}

/// A list that scrolls where the window is too low for it.
fn scrolling<'a>(content: impl Into<Element<'a, Message>>) -> Element<'a, Message> {
    let content = container(content).padding(iced::Padding::ZERO.right(gap::INSIDE));
    scrollable(content).height(Length::Shrink).width(Fill).style(theme::scroll).into()
}

fn settings<'a>(context: Context<'a>) -> Element<'a, Message> {
    let shade = |shade: Shade, words: &'static str| {
        let look = if context.preferences.shade == shade { Look::Chosen } else { Look::Card };
        press(body(words)).look(look).padding([8, 16]).on_press(Message::ShadePicked(shade))
    };
    let shades = row![shade(Shade::System, "As the system"), shade(Shade::Light, "Light"), shade(Shade::Dark, "Dark")];
    let scales = SCALES.into_iter().map(|scale| {
        let look = if context.preferences.scale == scale { Look::Chosen } else { Look::Card };
        let words = format!("{} %", (scale * 100.0).round());
        press(body(words)).look(look).padding([8, 12]).on_press(Message::ScalePicked(scale)).into()
    });
    let deployment = small_button(Icon::Save, "Save it by a name…", Look::Secondary).on_press(Message::SaveAsAsked);
    let choices = column![
        column![section("Light or dark"), shades.spacing(gap::SMALL).wrap()].spacing(gap::SMALL),
        column![section("Size of text"), iced::widget::Row::with_children(scales).spacing(gap::SMALL).wrap()]
            .spacing(gap::SMALL),
        column![
            section("This set-up"),
            soft("It is saved by itself and comes back next time. With a name it can be opened again later."),
            deployment
        ]
        .spacing(gap::SMALL),
    ]
    .spacing(gap::SECTION);
    column![head("Settings".to_owned()), scrolling(choices)].spacing(gap::INSIDE).into()
}

fn about<'a>(context: Context<'a>) -> Element<'a, Message> {
    let words = format!(
        "Version {}. Turns this computer into a network-boot server: others boot from ISO files over the cable.",
        env!("CARGO_PKG_VERSION")
    );
    let licence = "Licensed under MIT or Apache-2.0, at your choice. The window is made with iced and the typeface Fira \
                   Sans (SIL Open Font License).";
    let loaders = context.loaders.iter().map(|loader| {
        let from = format!("{} {}", loader.package, loader.version);
        let signed = loader.signed_by.as_ref().map(|signer| format!("signed by {signer}"));
        let facts: Vec<String> = [Some(from), Some(loader.licence.clone()), signed].into_iter().flatten().collect();
        row![
            small(text::plain(&loader.file, 40), Tone::Ink).width(150),
            soft(text::plain(&facts.join(" · "), 200)).width(Fill),
        ]
        .spacing(gap::SMALL)
        .into()
    });
    let loaders: Vec<Element<'a, Message>> = loaders.collect();
    let list: Element<'a, Message> = if loaders.is_empty() {
        soft("No list of boot loaders was found. packaging/run.sh --prepare collects them.").into()
    } else {
        Column::with_children(loaders).spacing(6).into()
    };
    column![
        head("About Bootwright".to_owned()),
        scrolling(
            column![
                body(words),
                soft(licence),
                section("Boot loaders, from the distribution's packages and unchanged"),
                list
            ]
            .spacing(gap::CARD)
        ),
    ]
    .spacing(gap::INSIDE)
    .into()
}

/// What is known of a text that a computer shows, while one is typed.
fn explained<'a>(shown: &str) -> Option<Element<'a, Message>> {
    if shown.trim().is_empty() {
        return None;
    }
    let found = help::explain(shown);
    if found.is_empty() {
        let words = "Nothing is known of that. Type the line as it stands on the screen, or its code, like PXE-E18.";
        return Some(notice::notice(Tone::Caution, words.to_owned(), String::new(), None));
    }
    let one = |help: &&help::Help| {
        let name = help.shows.first().copied().unwrap_or_default();
        column![section(name), soft(format!("Shown by {}.", help.from)), body(help.meaning), body(help.next_step)]
            .spacing(4)
            .into()
    };
    Some(Column::with_children(found.iter().map(one)).spacing(gap::INSIDE).into())
}

fn help<'a>(shown: &'a str) -> Element<'a, Message> {
    let topics = [
        (
            "A computer does not appear",
            "Check that its cable goes to the same switch as the chosen connection, and that network boot (PXE) is \
             switched on in its firmware. A firewall on this computer must let UDP 67, 69, 4011 and TCP 80 in.",
        ),
        (
            "It appears and does not load anything",
            "Another DHCP server may have answered as well, or its firmware ignores offers beside another server. On a \
             cable of its own, choose “Hand out addresses”.",
        ),
        (
            "It has its boot loader and goes on no further",
            "Secure Boot is on, most likely. Restart it: at its next try it gets the signed loader, unless the Menu page says \
             “iPXE only”. Beside another DHCP server choose HTTP Boot in its boot menu, since the signed loader finds its \
             menu by PXE only where Bootwright hands out addresses.",
        ),
        (
            "It waits about 13 seconds before the menu",
            "That is usual beside another DHCP server: iPXE looks for an IPv6 router that long. Where Bootwright hands out \
             addresses it says at once that there is none.",
        ),
        (
            "Its kernel starts and finds no system",
            "It has too little memory. The Images page says how much each image needs.",
        ),
    ];
    let topics = topics.into_iter().map(|(heading, words)| column![section(heading), soft(words)].spacing(4).into());
    let keys = [
        ("Tab, arrows", "go through the page"),
        ("Enter", "does what the button at the lower right says, except stopping"),
        ("Esc", "closes, or goes back"),
        ("Ctrl+1 to Ctrl+5", "go to a step"),
        ("Ctrl+F", "searches the log"),
        ("Ctrl+C", "copies the log or the open computer"),
        ("Ctrl+,", "opens the settings"),
        ("Ctrl+L", "shows what protects the network"),
        ("F1", "opens this"),
        ("Ctrl+Q", "closes the window"),
    ];
    let keys = keys.into_iter().map(|(key, words)| {
        row![container(badge(key, Tone::Accent)).width(150), soft(words)].align_y(Alignment::Center).into()
    });
    let reader = "Screen readers cannot read this window yet; `bootwright serve` does the same in a terminal.";
    let field = text_input("What does the computer show? PXE-E18, for example", shown)
        .id(help_id())
        .on_input(Message::HelpTyped)
        .padding([8, 12])
        .size(size::BODY)
        .style(theme::field(false));
    column![
        head("Help".to_owned()),
        field,
        scrolling(
            column![]
                .push(explained(shown))
                .extend([
                    Column::with_children(topics).spacing(gap::INSIDE).into(),
                    section("Keys").into(),
                    Column::with_children(keys).spacing(6).into(),
                    soft(reader).into(),
                ])
                .spacing(gap::INSIDE)
        ),
    ]
    .spacing(gap::INSIDE)
    .into()
}

fn timeline<'a>(context: Context<'a>, mac: Mac) -> Element<'a, Message> {
    let Some(computer) = context.journal.computer(mac) else {
        return column![head(mac.to_string()), soft("Nothing is known of this computer any more.")].into();
    };
    let facts = [
        Some(mac.to_string()),
        computer.ip.map(|ip| ip.to_string()),
        computer.machine.map(|machine| machine.describe()),
        computer.uuid.as_ref().map(|uuid| text::plain(uuid, 40)),
    ];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    let events = computer.history.iter().filter_map(|event| {
        let words = wording::words(event)?;
        let words = words.strip_prefix("** ").unwrap_or(&words);
        let tone = match wording::level(event) {
            Level::Problem => Tone::Bad,
            Level::Notice => Tone::Accent,
            Level::Normal => Tone::Ink,
            Level::Detail => Tone::Soft,
        };
        let line = row![soft(clock::time(event.time)).width(70), small(text::plain(words, 400), tone).width(Fill)];
        Some(line.spacing(gap::SMALL).into())
    });
    let quiet = clock::span(computer.silent_for(context.now));
    let loader = computer.loader.as_ref();
    let anew = loader.map(|_| {
        small_button(Icon::Shield, "Usual loader again", Look::Secondary).on_press(Message::LoaderForgotten(mac))
    });
    let answer = match context.denied.contains(&mac) {
        true => small_button(Icon::Check, "Answer again", Look::Secondary).on_press(Message::AnswerPicked(mac, true)),
        false => small_button(Icon::Stop, "Never answer", Look::Secondary).on_press(Message::AnswerPicked(mac, false)),
    };
    let quiet = row![soft(format!("Last heard {quiet} ago")).width(Fill)].push(answer).push(anew);
    let quiet = quiet.spacing(gap::TIGHT).align_y(Alignment::Center);
    let packets = context.traced.then_some(Message::TraceSaved(mac));
    let buttons = row![
        small_button(Icon::Copy, "Copy for a colleague", Look::Secondary).on_press(Message::ColleagueCopied(mac)),
        small_button(Icon::Copy, "Copy", Look::Secondary).on_press(Message::TimelineCopied(mac)),
        small_button(Icon::Save, "Save report", Look::Secondary).on_press(Message::TimelineSaved(mac)),
        small_button(Icon::Save, "Save packets…", Look::Secondary).on_press_maybe(packets),
    ];
    let untraced = (!context.traced).then(|| match context.described {
        true => soft("A demonstration has no packets to save."),
        false => soft("Packets are at hand only while serving."),
    });
    let causes = context.watch.causes(mac).iter().map(cause_strip);
    let causes = (!context.watch.causes(mac).is_empty()).then(|| Column::with_children(causes).spacing(gap::SMALL));
    column![head(computer.name()), soft(facts.join("   ·   "))]
        .push(loader.map(|boot| soft(text::plain(&wording::loader_line(boot), 300))))
        .push(steps(computer))
        .push(quiet)
        .push(buttons.spacing(gap::SMALL).wrap())
        .push(untraced)
        .push(causes)
        .push(scrolling(Column::with_children(events).spacing(4)))
        .spacing(gap::INSIDE)
        .into()
}

fn job_sheet(jobs: &Jobs) -> Element<'_, Message> {
    let sheet = jobs::view(jobs, |list| {
        let content = container(list).padding(iced::Padding::ZERO.right(gap::INSIDE));
        scrollable(content).height(Length::Shrink).width(Fill).style(theme::scroll).into()
    });
    column![head("Job sheet".to_owned()), sheet.map(Message::Jobs)].spacing(gap::INSIDE).into()
}

/// When each stage of this boot was reached.
fn steps<'a>(computer: &Computer) -> Element<'a, Message> {
    let Some((_, began)) = computer.reached.first().copied() else { return space::horizontal().into() };
    let mut stages: Vec<(&str, Timestamp)> =
        computer.reached.iter().map(|(stage, at)| (wording::stage_word(*stage), *at)).collect();
    // To be asked and to answer is one stage for people.
    stages.dedup_by_key(|(word, _)| *word);
    let reached = stages.into_iter().map(|(word, at)| {
        let after = clock::span(clock::since(began, at));
        badge(format!("{word} after {after}"), Tone::Accent)
    });
    iced::widget::Row::with_children(reached).spacing(gap::TIGHT + 2.0).wrap().into()
}

fn save_as<'a>(name: &'a str) -> Element<'a, Message> {
    let field = text_input("Front office, training lab…", name)
        .id(name_id())
        .on_input(Message::NameTyped)
        .on_submit(Message::NameGiven)
        .padding([8, 12])
        .size(size::BODY)
        .style(theme::field(false));
    let save =
        press(body("Save")).look(Look::Primary).on_press_maybe((!name.trim().is_empty()).then_some(Message::NameGiven));
    let cancel = press(body("Cancel")).look(Look::Secondary).on_press(Message::Closed);
    column![
        head("Save this set-up".to_owned()),
        soft("A name by which you find it again on the first page."),
        field,
        row![space::horizontal(), cancel, save].spacing(gap::SMALL),
    ]
    .spacing(gap::INSIDE)
    .into()
}

fn question<'a>(question: &'a Question) -> Element<'a, Message> {
    let cancel = press(body("Cancel")).id(close_id()).look(Look::Secondary).on_press(Message::Closed);
    let yes = press(body(&question.yes)).look(Look::Danger).on_press(Message::Confirmed(question.then.clone()));
    column![
        marked(Icon::Caution, "Please confirm", Tone::Caution),
        title(&question.title).size(20),
        body(&question.words),
        row![space::horizontal(), cancel, yes].spacing(gap::SMALL),
    ]
    .spacing(gap::INSIDE)
    .into()
}

/// The buttons at the foot of the rail.
pub fn openers<'a>(room: Room) -> Element<'a, crate::app::Message> {
    let opener = |icon, name: &'static str, overlay: Overlay| {
        icon_button(icon, name, Some(crate::app::Message::Opened(overlay)))
    };
    let all = [
        opener(Icon::Gear, "Settings", Overlay::Settings),
        opener(Icon::Help, "Help", Overlay::Help(String::new())),
        opener(Icon::Info, "About", Overlay::About),
    ];
    match room.narrow {
        true => Column::with_children(all).spacing(gap::TIGHT).into(),
        false => iced::widget::Row::with_children(all).spacing(gap::TIGHT).into(),
    }
}
