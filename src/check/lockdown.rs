//! The lock-down list: what protects a network while computers boot from it, what of it is on, and what to do about the
//! rest. Pure: what is decided comes from the caller.

use std::path::Path;

use serde::Serialize;

use crate::boot::loader::Preference;
use crate::boot::menu::Edit;
use crate::deployment::{DhcpMode, Settings, Switch};

/// How a line of the list stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It protects.
    On,
    /// It could protect.
    Off,
    /// It is not for Bootwright to do.
    NotOurs,
}

impl State {
    /// As one word.
    pub fn word(self) -> &'static str {
        match self {
            State::On => "on",
            State::Off => "off",
            State::NotOurs => "yours",
        }
    }
}

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// That the technician decides about computers that nobody knows.
    AskFirst,
    /// Who may be answered at all.
    AllowList,
    /// How long it serves.
    StopAfter,
    /// Entries that start once.
    Once,
    /// Entries with passwords.
    Passwords,
    /// That nobody gets two addresses.
    Dhcp,
    /// Loaders that Secure Boot accepts.
    Signed,
    /// Secrets in answer files.
    Answers,
    /// The menu itself.
    NoShell,
    /// What is written down.
    Logged,
    /// A network of its own.
    OwnNetwork,
    /// What a switch can do.
    Snooping,
    /// What is to be done in the firmware afterwards.
    Firmware,
    /// Encryption.
    Https,
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Line {
    /// What it is about.
    pub topic: Topic,
    /// Its name.
    pub title: &'static str,
    /// How it stands.
    pub state: State,
    /// What that means.
    pub meaning: String,
    /// What to do; empty where nothing is left.
    pub next_step: String,
    /// The option or command that does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub option: Option<&'static str>,
}

/// What the list is made of.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What is decided.
    pub settings: &'a Settings,
    /// How many answer files have a password in them that anybody can read; `None` where they were not read.
    pub readable_passwords: Option<usize>,
}

/// The whole list: what Bootwright can do first.
pub fn list(facts: &Facts<'_>) -> Vec<Line> {
    let settings = facts.settings;
    let ours = [
        ask_first(settings),
        allow_list(settings),
        stop_after(settings),
        once(settings),
        passwords(settings),
        dhcp(settings),
        signed(settings),
        answers(facts),
        no_shell(),
        logged(settings),
    ];
    ours.into_iter().chain(yours()).collect()
}

fn line(topic: Topic, title: &'static str, on: bool, meaning: impl Into<String>, next_step: &str) -> Line {
    let state = if on { State::On } else { State::Off };
    Line {
        topic,
        title,
        state,
        meaning: meaning.into(),
        next_step: next_step.to_owned(),
        option: option(topic, next_step),
    }
}

/// What does a next step in a terminal.
fn option(topic: Topic, next_step: &str) -> Option<&'static str> {
    let option = match topic {
        Topic::AskFirst => "--ask-first",
        Topic::AllowList => "--allow MAC",
        Topic::StopAfter => "--for 1h",
        Topic::Once => "--once ID",
        Topic::Passwords => "bootwright password",
        Topic::Dhcp => "--probe on",
        Topic::Signed => "--loader signed",
        Topic::Logged => "--job-sheet FOLDER",
        _ => return None,
    };
    Some(option).filter(|_| !next_step.is_empty())
}

/// `1 entry`, `2 entries`.
fn count(number: usize, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        more => format!("{more} {many}"),
    }
}

fn ask_first(settings: &Settings) -> Line {
    const TITLE: &str = "Ask me first";
    match settings.ask_first {
        Some(true) => line(
            Topic::AskFirst,
            TITLE,
            true,
            "A computer that nobody knows waits at a page with a code until you approve it.",
            "",
        ),
        _ => line(
            Topic::AskFirst,
            TITLE,
            false,
            "A computer that nobody knows gets the menu at once.",
            "Let it wait until you have approved it.",
        ),
    }
}

fn allow_list(settings: &Settings) -> Line {
    const TITLE: &str = "Only computers that are named";
    match settings.allow.len() {
        0 => line(
            Topic::AllowList,
            TITLE,
            false,
            "Every computer on this network that asks is answered.",
            "Name the computers that may boot, by their hardware addresses.",
        ),
        named => {
            let named = count(named, "computer is", "computers are");
            let meaning = format!("{named} answered, and nobody else. A hardware address can be made up.");
            line(Topic::AllowList, TITLE, true, meaning, "")
        }
    }
}

fn stop_after(settings: &Settings) -> Line {
    const TITLE: &str = "Stop after a time";
    match settings.duration.as_deref() {
        None => line(
            Topic::StopAfter,
            TITLE,
            false,
            "It serves until somebody stops it.",
            "Choose a time, so that a forgotten laptop does not go on serving.",
        ),
        Some(duration) => {
            line(Topic::StopAfter, TITLE, true, format!("It stops by itself {duration} after it starts."), "")
        }
    }
}

fn entries(settings: &Settings, wanted: impl Fn(&Edit) -> bool) -> usize {
    settings.entry.iter().filter(|edit| !edit.hidden && wanted(edit)).count()
}

fn once(settings: &Settings) -> Line {
    const TITLE: &str = "Entries that start once";
    let also = settings.once.iter().filter(|id| !settings.entry.iter().any(|edit| edit.once && edit.id == **id));
    match entries(settings, |edit| edit.once) + also.count() {
        0 => line(
            Topic::Once,
            TITLE,
            false,
            "An installation that starts by itself would start again at each network boot.",
            "Say so of the entry on the Menu page.",
        ),
        1 => line(
            Topic::Once,
            TITLE,
            true,
            "1 entry starts once on each computer, and leaves it to its own disk from then on.",
            "",
        ),
        more => line(
            Topic::Once,
            TITLE,
            true,
            format!("{more} entries start once on each computer, and leave it to its own disk from then on."),
            "",
        ),
    }
}

fn passwords(settings: &Settings) -> Line {
    const TITLE: &str = "Passwords on entries";
    match entries(settings, |edit| edit.password_hash.is_some()) {
        0 => line(
            Topic::Passwords,
            TITLE,
            false,
            "Whoever sits in front of a computer may start every entry.",
            "Give entries that erase a disk a password, on the Menu page.",
        ),
        locked => {
            let meaning = format!(
                "{} for a password. It keeps out who sits in front of a computer, and not who listens on the cable: it \
                 travels unencrypted.",
                count(locked, "entry asks", "entries ask")
            );
            line(Topic::Passwords, TITLE, true, meaning, "")
        }
    }
}

fn dhcp(settings: &Settings) -> Line {
    const TITLE: &str = "One DHCP server at a time";
    let fine = |meaning: &str| line(Topic::Dhcp, TITLE, true, meaning, "");
    match settings.dhcp.unwrap_or(DhcpMode::Proxy) {
        DhcpMode::Proxy => fine("The network's own server hands out the addresses; Bootwright only adds what to boot."),
        DhcpMode::Off => fine("Bootwright answers no DHCP at all."),
        DhcpMode::Full if settings.probe == Some(Switch::Off) => line(
            Topic::Dhcp,
            TITLE,
            false,
            "Addresses are handed out without a look for another server first.",
            "Let it look before it starts.",
        ),
        DhcpMode::Full if !settings.beside.is_empty() => Line {
            option: Some("--dhcp proxy"),
            ..line(
                Topic::Dhcp,
                TITLE,
                false,
                "Addresses are handed out beside another server, on your word: computers may get one from either.",
                "Work beside it instead, or use a cable or switch of your own.",
            )
        },
        DhcpMode::Full => fine(
            "Addresses are handed out only while no other server answers; it looks before, and listens while it serves.",
        ),
    }
}

fn signed(settings: &Settings) -> Line {
    const TITLE: &str = "Signed boot loaders";
    match settings.loader.unwrap_or_default() {
        Preference::Signed => line(
            Topic::Signed,
            TITLE,
            true,
            "UEFI computers get what Secure Boot accepts. Only a computer with Secure Boot on refuses anything else.",
            "Leave Secure Boot on in the firmware of each computer.",
        ),
        Preference::Auto | Preference::Ipxe => line(
            Topic::Signed,
            TITLE,
            false,
            "Computers get the loader that suits them, signed or not.",
            "Choose the signed loaders where every computer has Secure Boot on.",
        ),
    }
}

fn answers(facts: &Facts<'_>) -> Line {
    const TITLE: &str = "No readable passwords in answer files";
    match facts.readable_passwords {
        _ if facts.settings.answers.is_empty() => line(Topic::Answers, TITLE, true, "There are no answer files.", ""),
        Some(0) => {
            line(Topic::Answers, TITLE, true, "None was found. Each file goes to its one computer, and not twice.", "")
        }
        Some(files) => line(
            Topic::Answers,
            TITLE,
            false,
            format!(
                "{} a password that whoever gets the file can read.",
                count(files, "answer file has", "answer files have")
            ),
            "Put a hash in its place; the Menu page says where.",
        ),
        None => line(Topic::Answers, TITLE, false, "The answer files could not be read.", "See the Menu page."),
    }
}

fn no_shell() -> Line {
    line(
        Topic::NoShell,
        "No command line in the menu",
        true,
        "The menu leads to its entries and to the computer's own disk, and nowhere else. What an image starts may have a \
         command line of its own.",
        "",
    )
}

fn logged(settings: &Settings) -> Line {
    const TITLE: &str = "Everything is logged";
    if settings.job_sheet.as_deref().is_some_and(|folder| folder == Path::new("off")) {
        let meaning = "The job sheet is switched off, so nothing stays on disk of what computers booted.";
        return line(Topic::Logged, TITLE, false, meaning, "Keep a job sheet.");
    }
    let meaning = "Each boot is written down with its time, computer and files, and never a password.";
    line(Topic::Logged, TITLE, true, meaning, "Look through it afterwards, and keep it.")
}

fn yours() -> [Line; 4] {
    let yours = |topic, title, meaning: &str, next_step: &str| Line {
        topic,
        title,
        state: State::NotOurs,
        meaning: meaning.to_owned(),
        next_step: next_step.to_owned(),
        option: None,
    };
    [
        yours(
            Topic::OwnNetwork,
            "A network of its own",
            "Who is not on the cable can neither listen nor answer.",
            "Boot on a switch of your own or in a separate VLAN, and take the cable out afterwards.",
        ),
        yours(
            Topic::Snooping,
            "DHCP snooping",
            "A switch with DHCP snooping lets DHCP answers through from one port alone.",
            "Ask whoever runs the switch to trust the laptop's port, and no other.",
        ),
        yours(
            Topic::Firmware,
            "Network boot off afterwards",
            "A computer that boots from the network at each start obeys whoever answers first.",
            "Switch network boot off in its firmware once it is set up, or put it behind the disk.",
        ),
        yours(
            Topic::Https,
            "HTTPS",
            "Everything travels unencrypted: few firmwares check certificates, and none knows one of yours.",
            "Put no secret into an image; use Secure Boot, so that nothing changed on the way starts.",
        ),
    ]
}

/// The list in words, for a terminal.
pub fn told(lines: &[Line]) -> String {
    let line = |line: &Line| {
        let option = line.option.filter(|_| line.state == State::Off).map(|option| format!(" ({option})"));
        let next = format!("{}{}", line.next_step, option.unwrap_or_default());
        let more = [&line.meaning, &next].into_iter().filter(|words| !words.is_empty());
        let more: String = more.map(|words| format!("         {words}\n")).collect();
        format!("  {:<6} {}\n{more}", line.state.word(), line.title)
    };
    let off = lines.iter().filter(|line| line.state == State::Off).count();
    let sum = match off {
        0 => "Everything that Bootwright can do is on.".to_owned(),
        off => format!("{} off.", count(off, "thing is", "things are")),
    };
    let all: String = lines.iter().map(line).collect();
    format!("What `bootwright serve` with these options does:\n\n{all}\n{sum}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(settings: &Settings, topic: Topic) -> State {
        let facts = Facts { settings, readable_passwords: Some(0) };
        list(&facts).into_iter().find(|line| line.topic == topic).expect("a line").state
    }

    #[test]
    fn every_line_follows_what_is_decided() {
        use State::{NotOurs, Off, On};
        let usual = Settings::default();
        let full = || Settings { dhcp: Some(DhcpMode::Full), ..Settings::default() };
        let entry = |edit: Edit| Settings { entry: vec![edit], ..Settings::default() };
        let hash = || Some(serde_json::from_str("\"$argon2id$\"").expect("a hash"));
        let answers = crate::answer::Settings { list: Some("x.csv".into()), ..Default::default() };
        let cases = [
            (Topic::AskFirst, Off, usual.clone()),
            (Topic::AskFirst, On, Settings { ask_first: Some(true), ..usual.clone() }),
            (Topic::AllowList, Off, usual.clone()),
            (
                Topic::AllowList,
                On,
                Settings { allow: vec!["52:54:00:77:01:01".parse().expect("one")], ..usual.clone() },
            ),
            (Topic::StopAfter, Off, usual.clone()),
            (Topic::StopAfter, On, Settings { duration: Some("1h".into()), ..usual.clone() }),
            (Topic::Once, Off, usual.clone()),
            (Topic::Once, On, entry(Edit { once: true, ..Edit::of("a") })),
            (Topic::Once, On, Settings { once: vec!["a".into()], ..usual.clone() }),
            (Topic::Once, Off, entry(Edit { once: true, hidden: true, ..Edit::of("a") })),
            (Topic::Passwords, Off, entry(Edit::of("a"))),
            (Topic::Passwords, On, entry(Edit { password_hash: hash(), ..Edit::of("a") })),
            (Topic::Dhcp, On, usual.clone()),
            (Topic::Dhcp, On, full()),
            (Topic::Dhcp, Off, Settings { probe: Some(Switch::Off), ..full() }),
            (Topic::Dhcp, Off, Settings { beside: vec![[10, 0, 0, 1].into()], ..full() }),
            (Topic::Dhcp, On, Settings { dhcp: Some(DhcpMode::Off), ..usual.clone() }),
            (Topic::Signed, Off, usual.clone()),
            (Topic::Signed, Off, Settings { loader: Some(Preference::Ipxe), ..usual.clone() }),
            (Topic::Signed, On, Settings { loader: Some(Preference::Signed), ..usual.clone() }),
            (Topic::Answers, On, usual.clone()),
            (Topic::Answers, On, Settings { answers, ..usual.clone() }),
            (Topic::NoShell, On, usual.clone()),
            (Topic::Logged, On, usual.clone()),
            (Topic::OwnNetwork, NotOurs, usual.clone()),
        ];
        for (topic, expected, settings) in cases {
            assert_eq!(state(&settings, topic), expected, "{topic:?} {settings:?}");
        }
        let answers = crate::answer::Settings { list: Some("x.csv".into()), ..Default::default() };
        let settings = Settings { answers, ..usual };
        for readable_passwords in [None, Some(2)] {
            let lines = list(&Facts { settings: &settings, readable_passwords });
            assert!(lines.iter().any(|line| line.topic == Topic::Answers && line.state == Off));
        }
    }

    #[test]
    fn whatever_is_off_or_not_ours_says_what_to_do() {
        let settings = Settings { probe: Some(Switch::Off), dhcp: Some(DhcpMode::Full), ..Settings::default() };
        let lines = list(&Facts { settings: &settings, readable_passwords: None });
        for line in &lines {
            assert!(!line.meaning.is_empty() && (line.state == State::On || !line.next_step.is_empty()), "{line:?}");
            for word in ["daemon", "proxyDHCP", "bind"] {
                assert!(!line.meaning.contains(word) && !line.next_step.contains(word), "{line:?}");
            }
        }
        let text = told(&lines);
        assert!(text.contains("  off    Stop after a time\n         It serves until somebody stops it.\n"), "{text}");
        assert!(text.ends_with("\n7 things are off.\n"), "{text}");
    }
}
