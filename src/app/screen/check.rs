//! What could stop it, tried before it is needed.

pub mod rehearsal;

use iced::advanced::widget::Id;
use iced::widget::{Column, column, row, space};
use iced::{Alignment, Element, Fill};

use crate::app::icon::{self, Icon};
use crate::app::theme::{Look, Tone, space as gap};
use crate::app::widget::card::{card, small_button};
use crate::app::widget::notice;
use crate::app::widget::page::{Page, Primary};
use crate::app::widget::press::press;
use crate::app::widget::words::{body, marked, section, small, soft};
use crate::check::{Finding, Remedy, Subject, Verdict};
use crate::text;

/// What the page keeps for itself.
#[derive(Clone, Debug, Default)]
pub struct Check {
    /// Subjects whose passed checks are unfolded.
    open: Vec<Subject>,
}

/// How far the checks are.
#[derive(Clone, Debug, Default)]
pub enum Checks {
    /// Not begun.
    #[default]
    NotYet,
    /// Under way; the findings of the last time stay until the new ones are there.
    Running(Vec<Finding>),
    /// Done.
    Done(Vec<Finding>),
}

impl Checks {
    /// What was found, last time or now.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Checks::NotYet => &[],
            Checks::Running(findings) | Checks::Done(findings) => findings,
        }
    }
}

/// How the start stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Starting {
    /// Nothing is being started.
    No,
    /// The system asks for the password.
    Asking,
    /// The services are coming up.
    Binding,
}

/// What happened on the page.
#[derive(Clone, Debug)]
pub enum Message {
    /// The passed checks of a subject are to be shown or hidden.
    Unfolded(Subject),
    /// Everything is to be checked once more.
    Again,
    /// A remedy is to be carried out.
    Mended(Remedy),
    /// The services are to start.
    Started,
    /// The question for the password is to be given up.
    GivenUp,
    /// Every kind of computer is to be rehearsed.
    Rehearsed,
    /// What protects the network is to be shown.
    SafetyAsked,
}

/// What the page wants done.
#[derive(Clone, Debug)]
pub enum Action {
    /// Nothing more.
    None,
    /// Check again.
    Check,
    /// Carry this out, and check again.
    Mend(Remedy),
    /// Start serving.
    Start,
    /// Stop starting.
    GiveUp,
    /// Rehearse.
    Rehearse,
    /// Show what protects the network.
    Safety,
}

/// What the page is shown from.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// What was found.
    pub checks: &'a Checks,
    /// Whether a start is under way.
    pub starting: Starting,
    /// Why the last start failed.
    pub failure: Option<&'a Finding>,
    /// How far the rehearsal is.
    pub rehearsal: &'a rehearsal::Rehearsal,
}

impl Check {
    /// Takes note of a message.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Unfolded(subject) => self.unfold(subject),
            Message::Again => Action::Check,
            Message::Mended(remedy) => Action::Mend(remedy),
            Message::Started => Action::Start,
            Message::GivenUp => Action::GiveUp,
            Message::Rehearsed => Action::Rehearse,
            Message::SafetyAsked => Action::Safety,
        }
    }

    fn unfold(&mut self, subject: Subject) -> Action {
        match self.open.iter().position(|open| *open == subject) {
            Some(at) => drop(self.open.remove(at)),
            None => self.open.push(subject),
        }
        Action::None
    }

    /// What leads on from here, or what is missing for that.
    pub fn primary(&self, context: Context<'_>) -> Primary<Message> {
        const LABEL: &str = "Start serving";
        let blocking = crate::check::blocking(context.checks.findings());
        match (context.starting, context.checks) {
            (Starting::Asking, _) => Primary::waiting(LABEL, "The system asks for your password…", None),
            (Starting::Binding, _) => Primary::waiting(LABEL, "Starting…", None),
            (Starting::No, Checks::NotYet | Checks::Running(_)) => Primary::waiting(LABEL, "Checking…", None),
            (Starting::No, Checks::Done(_)) if blocking == 0 => Primary::ready(LABEL, Message::Started),
            (Starting::No, Checks::Done(findings)) => {
                let reason =
                    if blocking == 1 { "1 thing to fix".to_owned() } else { format!("{blocking} things to fix") };
                let first = findings.iter().position(|finding| finding.verdict == Verdict::Blocks);
                Primary::waiting(LABEL, reason, first.map(remedy_id))
            }
        }
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, context: Context<'a>) -> Page<'a, Message> {
        let failure = context.failure.map(|failure| notice::finding(Tone::Bad, failure, None));
        let mut content = column![].push(failure).spacing(gap::SECTION);
        let findings = context.checks.findings();
        if findings.is_empty() {
            content =
                content.push(marked(Icon::Search, "Looking at this computer, the network and the files…", Tone::Soft));
        }
        if matches!(context.checks, Checks::Done(_)) && findings.iter().all(|finding| finding.verdict == Verdict::Pass)
        {
            let title = format!("All {} checks passed.", findings.len());
            let more = "Nothing keeps computers from booting, as far as this computer can tell.";
            content = content.push(notice::notice(Tone::Good, title, more.to_owned(), None));
        }
        for subject in [Subject::ThisComputer, Subject::Network, Subject::Files] {
            let own: Vec<(usize, &Finding)> =
                findings.iter().enumerate().filter(|(_, finding)| finding.subject == subject).collect();
            if !own.is_empty() {
                content = content.push(self.group(subject, own));
            }
        }
        let running = matches!(context.checks, Checks::NotYet | Checks::Running(_));
        if !running {
            content = content.push(rehearsal::view(context.rehearsal, context.starting == Starting::No));
        }
        let aside: Element<'a, Message> = match context.starting {
            Starting::Asking | Starting::Binding => {
                press(body("Give up")).look(Look::Secondary).padding([9, 18]).on_press(Message::GivenUp).into()
            }
            Starting::No => row![
                press(body("Safety…")).look(Look::Secondary).padding([9, 18]).on_press(Message::SafetyAsked),
                press(body("Check again"))
                    .look(Look::Secondary)
                    .padding([9, 18])
                    .on_press_maybe((!running && context.starting == Starting::No).then_some(Message::Again))
            ]
            .spacing(gap::SMALL)
            .into(),
        };
        Page {
            title: "Everything we verified".to_owned(),
            sentence: "What could keep computers from booting, tried before it is needed.".to_owned(),
            body: content.into(),
            scrolls_itself: false,
            primary: self.primary(context),
            aside: Some(aside),
        }
    }

    fn group<'a>(&'a self, subject: Subject, findings: Vec<(usize, &'a Finding)>) -> Element<'a, Message> {
        let (passed, open): (Vec<_>, Vec<_>) =
            findings.into_iter().partition(|(_, finding)| finding.verdict == Verdict::Pass && finding.remedy.is_none());
        let all = self.open.contains(&subject);
        let fold = (!passed.is_empty()).then(|| {
            let words = match passed.len() {
                1 => "1 check passed".to_owned(),
                count => format!("{count} checks passed"),
            };
            let arrow = if all { Icon::ChevronDown } else { Icon::ChevronRight };
            let content = row![
                icon::sized(Icon::Check, Tone::Good, 16.0),
                small(words, Tone::Good),
                icon::sized(arrow, Tone::Soft, 14.0)
            ];
            press(content.spacing(6).align_y(Alignment::Center))
                .look(Look::Quiet)
                .padding([4, 8])
                .on_press(Message::Unfolded(subject))
        });
        let head = row![section(subject.name()), space::horizontal()].push(fold).align_y(Alignment::Center);
        let rows = open.into_iter().map(|(at, finding)| finding_row(at, finding));
        let passes = all.then(|| {
            let lines = passed.into_iter().map(|(_, finding)| {
                let words = soft(text::plain(&finding.title, 300));
                row![icon::sized(Icon::Check, Tone::Good, 16.0), words].spacing(gap::SMALL).into()
            });
            card(Column::with_children(lines).spacing(gap::SMALL))
        });
        column![head].extend(rows).push(passes).spacing(gap::SMALL).into()
    }
}

/// Where Enter leads when something blocks: the remedy of the finding at this position.
fn remedy_id(at: usize) -> Id {
    Id::from(format!("remedy-{at}"))
}

fn finding_row<'a>(at: usize, finding: &'a Finding) -> Element<'a, Message> {
    let tone = match finding.verdict {
        Verdict::Blocks => Tone::Bad,
        Verdict::Caution => Tone::Caution,
        Verdict::Pass => Tone::Good,
    };
    let remedy = finding.remedy.as_ref().map(|remedy| {
        let label = text::plain(&remedy.label(), 60);
        press(small(label, Tone::Ink))
            .id(remedy_id(at))
            .look(Look::Secondary)
            .padding([6, 12])
            .on_press(Message::Mended(remedy.clone()))
            .into()
    });
    let again =
        || small_button(Icon::Search, "Check again", Look::Secondary).id(remedy_id(at)).on_press(Message::Again);
    let action = remedy.or_else(|| (finding.verdict == Verdict::Blocks).then(|| again().into()));
    iced::widget::container(notice::finding(tone, finding, action)).width(Fill).into()
}
