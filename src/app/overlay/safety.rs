//! The lock-down list: what protects the network, with what can be changed here.

use iced::widget::{Column, column, row, text_input};
use iced::{Alignment, Element, Fill};

use super::{Context, Message, head, scrolling};
use crate::app::icon::Icon;
use crate::app::theme::{self, Look, Tone, size, space as gap};
use crate::app::widget::press::press;
use crate::app::widget::words::{badge, body, marked, small, soft};
use crate::boot::loader::Preference;
use crate::check::lockdown::{self, Facts, Line, State, Topic};
use crate::deployment::{Settings, Switch};
use crate::mac::Mac;
use crate::text;

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
pub(super) fn view<'a>(context: Context<'a>, typed: &'a str) -> Element<'a, Message> {
    let facts = Facts { settings: context.draft, readable_passwords: context.readable_passwords };
    let lines = lockdown::list(&facts).into_iter().map(|line| entry(line, context, typed));
    let sentence = match context.serving {
        true => "Who may boot and the time to stop count at once, the rest from the next start.",
        false => "What protects this network while computers boot from it.",
    };
    let list = Column::with_children(lines).spacing(gap::INSIDE);
    column![head("Safety".to_owned()), soft(sentence), scrolling(list)].spacing(gap::INSIDE).into()
}

fn entry<'a>(line: Line, context: Context<'a>, typed: &'a str) -> Element<'a, Message> {
    let tone = match line.state {
        State::On => Tone::Good,
        State::Off => Tone::Caution,
        State::NotOurs => Tone::Soft,
    };
    let title = row![badge(line.state.word(), tone), body(line.title)].spacing(gap::SMALL).align_y(Alignment::Center);
    let next = (!line.next_step.is_empty()).then(|| small(line.next_step, Tone::Ink).width(Fill));
    let named = (line.topic == Topic::AllowList).then(|| addresses(typed));
    column![title, soft(line.meaning).width(Fill)]
        .push(next)
        .push(choices(line.topic, line.state, context))
        .push(named)
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
            let all = (only.is_some() || state == State::On)
                .then(|| choice("Everybody", state != State::On, Change::Allow(Vec::new())));
            only.into_iter().chain(all).collect()
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

/// The field for those that may boot.
fn addresses<'a>(typed: &'a str) -> Element<'a, Message> {
    let read = named(typed);
    let field = text_input("Hardware addresses, like 52:54:00:12:34:56", typed)
        .on_input(Message::AllowTyped)
        .on_submit(Message::AllowGiven)
        .padding([6, 10])
        .size(size::SMALL)
        .style(theme::field(read.as_ref().is_err_and(|word| !is_on_its_way(word))));
    let ready = read.as_ref().is_ok_and(|named| !named.is_empty());
    let add = press(small("Add to the list", Tone::Ink)).look(Look::Card).padding([5, 12]);
    let add = add.on_press_maybe(ready.then_some(Message::AllowGiven));
    let wrong = read.err().filter(|word| !is_on_its_way(word)).map(|word| {
        let words = format!("{} is no hardware address. It has six pairs of digits.", text::plain(&word, 40));
        marked(Icon::Stop, words, Tone::Bad)
    });
    column![row![field, add].spacing(gap::SMALL).align_y(Alignment::Center)].push(wrong).spacing(gap::TIGHT).into()
}

/// Whether more typing makes an address of it.
fn is_on_its_way(word: &str) -> bool {
    word.len() < "52:54:00:12:34:56".len()
        && word.split([':', '-']).all(|pair| pair.len() <= 2 && pair.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// The hardware addresses in a text, or the first word that is none.
pub fn named(text: &str) -> Result<Vec<Mac>, String> {
    let words = text.split([',', ';', ' ', '\n', '\t']).filter(|word| !word.is_empty());
    words.map(|word| word.parse().map_err(|_| word.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let macs = [Mac([0x52, 0x54, 0, 0x12, 0x34, 0x56]), Mac([2, 0, 0, 0, 0, 1])];
        for text in ["52:54:00:12:34:56, 02-00-00-00-00-01", "52:54:00:12:34:56\n02:00:00:00:00:01;"] {
            assert_eq!(named(text).as_deref(), Ok(macs.as_slice()));
        }
        assert_eq!(named(""), Ok(Vec::new()));
        assert_eq!(named("52:54:00:12:34:56 front-desk"), Err("front-desk".to_owned()));
        assert!(is_on_its_way("52:54:0") && !is_on_its_way("front-desk") && !is_on_its_way("52:54:00:12:34:567"));
    }

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
