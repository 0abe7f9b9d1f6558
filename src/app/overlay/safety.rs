//! The lock-down list: what protects the network, with what can be changed here.

use iced::widget::{Column, column, row};
use iced::{Alignment, Element, Fill};

use super::{Context, Message, head, scrolling};
use crate::app::theme::{Look, Tone, space as gap};
use crate::app::widget::press::press;
use crate::app::widget::words::{badge, body, small, soft};
use crate::boot::loader::Preference;
use crate::check::lockdown::{self, Facts, Line, State, Topic};
use crate::deployment::{Settings, Switch};
use crate::mac::Mac;

/// A change of what protects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Stop this long after the start, or never.
    StopAfter(Option<&'static str>),
    /// Whether the signed loaders alone are given.
    Signed(bool),
    /// Look for other DHCP servers, and give way to them.
    GuardDhcp,
    /// Whether computers that nobody knows wait for approval.
    AskFirst(bool),
    /// Only these are answered; everybody where there are none.
    Allow(Vec<Mac>),
}

impl Change {
    /// Carries it out.
    pub fn apply(&self, settings: &mut Settings) {
        match self {
            Change::StopAfter(duration) => settings.duration = duration.map(str::to_owned),
            // The usual choice needs no word in the saved file.
            Change::Signed(signed) => settings.loader = signed.then_some(Preference::Signed),
            Change::AskFirst(ask) => settings.ask_first = ask.then_some(true),
            Change::Allow(macs) => settings.allow.clone_from(macs),
            Change::GuardDhcp => {
                settings.probe = settings.probe.filter(|probe| *probe == Switch::On);
                settings.beside.clear();
            }
        }
    }
}

/// The times that can be chosen.
const TIMES: [(&str, &str); 3] = [("15m", "15 minutes"), ("1h", "1 hour"), ("4h", "4 hours")];

/// Draws the list.
pub(super) fn view<'a>(context: Context<'a>) -> Element<'a, Message> {
    let facts = Facts { settings: context.draft, readable_passwords: context.readable_passwords };
    let lines = lockdown::list(&facts).into_iter().map(|line| entry(line, context));
    let sentence = match context.serving {
        true => "Who may boot and the time to stop count at once, the rest from the next start.",
        false => "What protects this network while computers boot from it.",
    };
    let list = Column::with_children(lines).spacing(gap::INSIDE);
    column![head("Safety".to_owned()), soft(sentence), scrolling(list)].spacing(gap::INSIDE).into()
}

fn entry<'a>(line: Line, context: Context<'a>) -> Element<'a, Message> {
    let tone = match line.state {
        State::On => Tone::Good,
        State::Off => Tone::Caution,
        State::NotOurs => Tone::Soft,
    };
    let title = row![badge(line.state.word(), tone), body(line.title)].spacing(gap::SMALL).align_y(Alignment::Center);
    let next = (!line.next_step.is_empty()).then(|| small(line.next_step, Tone::Ink).width(Fill));
    column![title, soft(line.meaning).width(Fill)]
        .push(next)
        .push(choices(line.topic, line.state, context))
        .spacing(gap::TIGHT)
        .into()
}

/// What can be changed about a line here.
fn choices<'a>(topic: Topic, state: State, context: Context<'_>) -> Option<Element<'a, Message>> {
    let draft = context.draft;
    let choice = |words: &'static str, chosen: bool, change: Change| {
        let look = if chosen { Look::Chosen } else { Look::Card };
        press(small(words, Tone::Ink)).look(look).padding([5, 12]).on_press(Message::SafetyChanged(change)).into()
    };
    let all: Vec<Element<'a, Message>> = match topic {
        Topic::StopAfter => {
            let times = TIMES.into_iter().map(|(time, words)| {
                choice(words, draft.duration.as_deref() == Some(time), Change::StopAfter(Some(time)))
            });
            times.chain([choice("Never", draft.duration.is_none(), Change::StopAfter(None))]).collect()
        }
        Topic::AskFirst => vec![
            choice("Ask me", state == State::On, Change::AskFirst(true)),
            choice("Let everybody in", state != State::On, Change::AskFirst(false)),
        ],
        Topic::AllowList => {
            let here: Vec<Mac> = context.journal.computers().map(|computer| computer.mac).collect();
            // Those who wait for a word are not to get it by this one.
            let only = (!here.is_empty() && draft.ask_first != Some(true)).then(|| {
                let chosen = state == State::On && here.iter().all(|mac| draft.allow.contains(mac));
                choice("Only those that are here now", chosen, Change::Allow(here))
            });
            let all = choice("Everybody", state != State::On, Change::Allow(Vec::new()));
            only.into_iter().chain([all]).collect()
        }
        Topic::Signed => vec![
            choice("Signed ones first", state == State::On, Change::Signed(true)),
            choice("What suits each computer", state != State::On, Change::Signed(false)),
        ],
        Topic::Dhcp if state == State::Off => vec![choice("Look first, and give way", false, Change::GuardDhcp)],
        _ => return None,
    };
    Some(iced::widget::Row::with_children(all).spacing(gap::SMALL).wrap().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_turns_its_line_on() {
        let state = |settings: &Settings, topic| {
            let lines = lockdown::list(&Facts { settings, readable_passwords: None });
            lines.into_iter().find(|line| line.topic == topic).expect("a line").state
        };
        let mut settings = Settings {
            dhcp: Some(crate::deployment::DhcpMode::Full),
            probe: Some(Switch::Off),
            beside: vec![[10, 0, 0, 1].into()],
            ..Settings::default()
        };
        let changes = [
            (Topic::StopAfter, Change::StopAfter(Some("1h"))),
            (Topic::Signed, Change::Signed(true)),
            (Topic::AskFirst, Change::AskFirst(true)),
            (Topic::AllowList, Change::Allow(vec![Mac([2; 6])])),
            (Topic::Dhcp, Change::GuardDhcp),
        ];
        for (topic, change) in changes {
            assert_eq!(state(&settings, topic), State::Off, "{topic:?}");
            change.apply(&mut settings);
            assert_eq!(state(&settings, topic), State::On, "{topic:?}");
        }
        Change::StopAfter(None).apply(&mut settings);
        assert_eq!(settings.duration, None);
        for (time, _) in TIMES {
            assert!(crate::deployment::parse_duration(time).is_ok(), "{time}");
        }
    }
}
