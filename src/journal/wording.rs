//! Events in words, one line each. The only place for these sentences.

mod cause;
mod level;
mod notes;

use jiff::Zoned;

use super::cause::Cause;
use super::{Computer, Event, Stage, What};
use crate::boot::approval::Undecided;

pub use cause::{cause_heading, cause_line, cause_title, likelihood};
pub use level::{Level, is_minor, level};
pub use notes::{refusal, server_name, silence};

/// What happened, without time and without whom it concerns; `None` for what is only worth a progress bar.
pub fn words(event: &Event) -> Option<String> {
    match &event.what {
        What::Dhcp(note) => Some(notes::dhcp(note)),
        What::Tftp(note) => notes::tftp(note),
        What::Http(note) => notes::http(note),
        What::Service(note) => Some(notes::service(note)),
    }
}

/// An event in one line, without its time; `None` for what is only worth a progress bar.
pub fn line(event: &Event) -> Option<String> {
    let words = words(event)?;
    let who = [event.mac.map(|mac| mac.to_string()), event.ip.map(|ip| ip.to_string())];
    let who: Vec<String> = who.into_iter().flatten().collect();
    Some(if who.is_empty() { words } else { format!("{}  {words}", who.join(" ")) })
}

/// A stage in a word, as it stands below its dot on a card.
pub fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Asked | Stage::Offered => "Asked",
        Stage::Loader => "Loader",
        Stage::Menu => "Menu",
        Stage::Kernel => "Kernel",
        Stage::System => "System",
        Stage::HandedOver => "Handed over",
    }
}

/// A stage in words.
pub fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Asked => "asked",
        Stage::Offered => "offered",
        Stage::Loader => "has its boot loader",
        Stage::Menu => "has its menu",
        Stage::Kernel => "has its kernel",
        Stage::System => "its system has its files",
        Stage::HandedOver => "handed over: its system asks for an address by itself",
    }
}

/// The loader of a computer and why it gets that one, in one line.
pub fn loader_line(boot: &crate::dhcp::pxe::Boot) -> String {
    let file = boot.file.rsplit('/').next().unwrap_or(&boot.file);
    let way = if boot.file.starts_with("http") { "by HTTP" } else { "by TFTP" };
    format!("Loader {file} {way}: {}", boot.why)
}

/// The story of a computer as plain text: what it is, how far it came, what keeps it, and a line for each of its events. The times of
/// day are those of the zone that `now` is in.
pub fn report(computer: &Computer, causes: &[Cause], now: &Zoned) -> String {
    let zone = now.time_zone();
    let machine = computer.machine.map(|machine| machine.describe());
    let uuid = computer.uuid.as_ref().map(|uuid| format!("UUID {uuid}"));
    let about = [Some(computer.mac.to_string()), computer.ip.map(|ip| ip.to_string()), machine, uuid];
    let about: Vec<String> = about.into_iter().flatten().collect();
    let mut lines = vec![computer.name(), about.join(", "), format!("As of {}", now.strftime("%Y-%m-%d %H:%M:%S %:z"))];
    lines.push(format!("Boot {}: {}", computer.boots, stage(computer.stage)));
    lines.extend(computer.loader.as_ref().map(loader_line));
    lines.extend(causes.iter().map(|cause| {
        format!("Since {}: {}", cause.since.to_zoned(zone.clone()).strftime("%H:%M:%S"), cause_line(cause))
    }));
    let mut day = None;
    for event in &computer.history {
        let Some(words) = words(event) else { continue };
        let time = event.time.to_zoned(zone.clone());
        if day.replace(time.date()) != Some(time.date()) {
            lines.push(format!("\n{}", time.date()));
        }
        lines.push(format!("{}  {words}", time.strftime("%H:%M:%S%.3f")));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Bytes for people, in units of 1000.
pub fn bytes(count: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match UNITS.iter().find(|(size, _)| count >= *size) {
        Some((size, unit)) => {
            let tenths = count / (size / 10);
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
        None => format!("{count} bytes"),
    }
}

/// A rate over less than ten milliseconds says nothing.
fn amount(count: u64, millis: u64) -> String {
    if millis < 10 {
        return bytes(count);
    }
    let seconds = format!("{}.{} s", millis / 1000, millis % 1000 / 100);
    let rate = count.saturating_mul(1000) / millis.max(1);
    format!("{} in {seconds}, {}/s", bytes(count), bytes(rate))
}

/// Why nothing was decided about a computer that the technician named, and what to do.
pub fn undecided(why: Undecided) -> String {
    match why {
        Undecided::NobodyShows(code) => format!("No computer that waits shows {code}."),
        Undecided::Denied(mac) => format!(
            "{mac} is on the list of computers that are never answered, which counts for more than an approval, so it was \
             not approved. Choose \"Answer again\" in its timeline in the window, or take it out of --deny and start \
             again; then approve it."
        ),
        Undecided::NotListed(mac) => format!(
            "Only the computers of a list may boot, and {mac} is not on it, so it was not approved. Add it to that list \
             (--allow), or ask first about all others (--ask-first)."
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::level::WORTH_ANNOUNCING;
    use super::*;
    use crate::journal::Note;
    use crate::journal::cause::{Kind, Likelihood};
    use crate::{dhcp, http, tftp};
    use jiff::Timestamp;

    #[test]
    fn sizes_are_for_people() {
        let cases =
            [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1.0 kB"), (850_528, "850.5 kB"), (4_294_967_296, "4.2 GB")];
        for (count, words) in cases {
            assert_eq!(bytes(count), words);
        }
        assert_eq!(amount(10_000_000, 2_500), "10.0 MB in 2.5 s, 4.0 MB/s");
        assert_eq!(amount(5, 9), "5 bytes");
    }

    #[test]
    fn a_line_says_who_and_what() {
        let note = tftp::Note::Done { file: "undionly.kpxe".into(), bytes: 74_213, millis: 100, resent: 2 };
        let event = Event {
            time: Timestamp::UNIX_EPOCH,
            mac: "52:54:00:77:01:01".parse().ok(),
            ip: Some([10, 77, 0, 128].into()),
            role: None,
            what: What::Tftp(note),
        };
        let expected = "52:54:00:77:01:01 10.77.0.128  has undionly.kpxe by TFTP: 74.2 kB in 0.1 s, 742.1 kB/s, 2 packets sent again";
        assert_eq!(line(&event).as_deref(), Some(expected));
    }

    fn no_boot_file() -> dhcp::Note {
        dhcp::Note::NoBootFile { reason: "there is none".into() }
    }

    fn about(what: What) -> Event {
        Event { time: Timestamp::UNIX_EPOCH, mac: "52:54:00:77:01:01".parse().ok(), ip: None, role: None, what }
    }

    #[test]
    fn a_server_is_told_by_what_helps_to_find_it() {
        let mac = "4c:5e:0c:00:00:01".parse().ok();
        let named = |mac, maker| server_name([192, 168, 1, 1].into(), mac, maker);
        assert_eq!(named(None, None), "192.168.1.1");
        assert_eq!(named(mac, None), "192.168.1.1 (4c:5e:0c:00:00:01)");
        assert_eq!(named(mac, Some("Router\u{202e}board")), "192.168.1.1 (4c:5e:0c:00:00:01, Router·board)");
    }

    #[test]
    fn words_leave_out_who() {
        let event = about(What::Dhcp(no_boot_file()));
        let words = words(&event).unwrap();
        assert_eq!(line(&event).unwrap(), format!("52:54:00:77:01:01  {words}"));
        let progress = http::Note::Progress { file: "f".into(), bytes: 1, length: 2 };
        assert_eq!(super::words(&about(What::Http(progress))), None);
    }

    #[test]
    fn levels_keep_what_matters() {
        let file = || "f".to_owned();
        let started = |length| What::Http(http::Note::Started { file: file(), from: 0, length, size: length });
        let cases = [
            (started(10), Level::Detail),
            (started(WORTH_ANNOUNCING), Level::Normal),
            (What::Http(http::Note::NotFound { file: file() }), Level::Detail),
            (What::Http(http::Note::BrokenOff { file: file(), bytes: 1, length: 2 }), Level::Problem),
            (What::Tftp(tftp::Note::Replaced { file: file() }), Level::Notice),
            (What::Tftp(tftp::Note::TimedOut { file: file(), bytes: 1, size: 2 }), Level::Problem),
            (What::Dhcp(no_boot_file()), Level::Problem),
            (What::Dhcp(dhcp::Note::Offered { address: None, boot: None }), Level::Detail),
            (What::Service(Note::Stage { stage: Stage::Menu }), Level::Detail),
            (What::Service(Note::Stage { stage: Stage::Kernel }), Level::Notice),
            (What::Service(Note::LinkDown { interface: "eth0".into() }), Level::Problem),
            (What::Service(Note::Stopped), Level::Normal),
        ];
        for (what, expected) in cases {
            assert_eq!(level(&about(what.clone())), expected, "{what:?}");
        }
        assert!(Level::Detail < Level::Normal && Level::Notice < Level::Problem);
    }

    #[test]
    fn a_report_tells_a_boot_in_local_time() {
        let mut journal = super::super::Journal::default();
        let menu =
            Note::Menu { platform: None, uuid: Some("u".into()), product: Some("Bench".into()), memory_mb: None };
        let aborted = tftp::Note::Aborted { file: "snponly.efi".into(), bytes: 9, code: 0, words: "no".into() };
        let progress = tftp::Note::Progress { file: "snponly.efi".into(), bytes: 1, size: 2 };
        let story = [What::Service(menu), What::Tftp(progress), What::Tftp(aborted)];
        for (what, second) in story.into_iter().zip([82_799, 82_800, 82_801]) {
            journal.record(&Event { time: Timestamp::from_second(second).unwrap(), ..about(what) });
        }
        let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(1));
        let now = Timestamp::from_second(82_900).unwrap().to_zoned(zone);
        let expected = "Bench\n52:54:00:77:01:01, UUID u\nAs of 1970-01-02 00:01:40 +01:00\nBoot 1: has its menu\n\
            Since 00:00:01: Likely: it broke a file off. Evidence. Step.\n\n\
            1970-01-01\n23:59:59.000  gets its menu (Bench)\n\n\
            1970-01-02\n00:00:01.000  broke snponly.efi off after 9 bytes: \"no\" (TFTP error 0)\n";
        let computer = journal.computers().next().unwrap();
        let since = Timestamp::from_second(82_801).unwrap();
        let (evidence, next_step) = ("Evidence.".to_owned(), "Step.".to_owned());
        let cause = Cause { kind: Kind::BrokeOff, likelihood: Likelihood::Likely, since, evidence, next_step };
        assert_eq!(report(computer, &[cause], &now), expected);
    }

    #[test]
    fn hostile_names_are_shown_escaped() {
        let event = |file: &str| Event {
            time: Timestamp::UNIX_EPOCH,
            mac: None,
            ip: None,
            role: None,
            what: What::Tftp(tftp::Note::NotFound { file: file.into() }),
        };
        let said = line(&event("a\x1b[2J\nb\u{202e}c")).unwrap();
        assert!(!said.chars().any(|c| c.is_control() || c == '\u{202e}'), "{said:?}");
    }
}
