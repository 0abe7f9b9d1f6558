//! Strips that tell something: what we saw, what it means, what to do.

use iced::widget::{column, container, row};
use iced::{Alignment, Element, Fill};

use super::words::{body, soft};
use crate::app::clock;
use crate::app::icon::{self, Icon};
use crate::app::theme::{self, Ground, Tone, space};
use crate::check::Finding;
use crate::journal::cause::{Cause, Kind, Likelihood};
use crate::journal::wording;
use crate::text;

/// The icon that goes with a tone.
pub fn mark(tone: Tone) -> Icon {
    match tone {
        Tone::Good => Icon::Check,
        Tone::Caution => Icon::Caution,
        Tone::Bad => Icon::Stop,
        _ => Icon::Info,
    }
}

/// A strip with a title, more words where there are some, and what can be done about it.
pub fn notice<'a, Message: 'a>(
    tone: Tone,
    title: String,
    more: String,
    action: Option<Element<'a, Message>>,
) -> Element<'a, Message> {
    let more = (!more.is_empty()).then(|| soft(more));
    let words = column![body(title)].push(more).spacing(2).width(Fill);
    let line = row![icon::icon(mark(tone), tone), words].push(action).spacing(space::CARD).align_y(Alignment::Center);
    container(line).padding([10, 14]).width(Fill).style(theme::ground(Ground::Strip(tone))).into()
}

/// A finding as a strip.
pub fn finding<'a, Message: 'a>(
    tone: Tone,
    finding: &Finding,
    action: Option<Element<'a, Message>>,
) -> Element<'a, Message> {
    let details = finding.details.as_ref().map(|details| format!("({details})"));
    let parts = [Some(finding.meaning.clone()), Some(finding.next_step.clone()), details];
    let more: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    notice(tone, finding.title.clone(), more.join(" "), action)
}

/// What keeps a computer as a strip: what it is and since when, what was seen, and what to do.
pub fn cause<'a, Message: 'a>(cause: &Cause) -> Element<'a, Message> {
    let tone = match cause.likelihood {
        _ if !cause.is_trouble() => Tone::Soft,
        _ if cause.kind == Kind::NothingArrives => Tone::Caution,
        Likelihood::Possible => Tone::Caution,
        Likelihood::Certain | Likelihood::Likely => Tone::Bad,
    };
    let more = format!("{} {}", cause.evidence, cause.next_step);
    let title = wording::cause_heading(cause);
    let line = body(title).width(Fill);
    let head = row![line, soft(format!("since {}", clock::time(cause.since)))].spacing(space::SMALL);
    let words = column![head, soft(text::plain(&more, 700))].spacing(2).width(Fill);
    let line = row![icon::icon(mark(tone), tone), words].spacing(space::CARD).align_y(Alignment::Center);
    container(line).padding([10, 14]).width(Fill).style(theme::ground(Ground::Strip(tone))).into()
}
