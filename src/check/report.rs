//! A page about one computer for a colleague who was not there: what serves, what the computer is, how far it came, what
//! is wrong, and what it did last. Plain text without secrets, for a mail or a ticket.

use jiff::Zoned;
use jiff::tz::TimeZone;

use crate::boot::loader::manifest::Manifest;
use crate::boot::menu::{Default as Choice, Item};
use crate::deployment::{DhcpPlan, Plan};
use crate::journal::cause::Cause;
use crate::journal::{Computer, wording};
use crate::net::Interface;
use crate::net::interface::Kind;
use crate::text;
use crate::trace::secret;

/// Most events of the computer, the latest ones.
const EVENTS: usize = 40;
/// Most entries of the menu that are named.
const ENTRIES: usize = 12;
/// Longest line, in characters: room for every sentence of a diagnosis.
const MAX_LINE: usize = 700;
/// Longest line about something that happened; what a computer sent may be long.
const MAX_EVENT: usize = 200;
/// The first line.
const HEAD: &str = concat!("Bootwright ", env!("CARGO_PKG_VERSION"), ": one computer, for a colleague");

/// What a report tells of the services.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ours {
    /// How they serve, where.
    pub services: Vec<String>,
    /// The menu.
    pub menu: Vec<String>,
    /// The loaders.
    pub loaders: String,
}

impl Ours {
    /// What a plan says, and what is on the machine.
    pub fn of(plan: &Plan, interface: Option<&Interface>, items: &[Item], manifest: &Manifest) -> Ours {
        let mode = match &plan.dhcp {
            DhcpPlan::Full { range, .. } => format!("Full mode: hands out {}-{}", range.first, range.last),
            DhcpPlan::Proxy => "Proxy mode: beside the network's own DHCP server".to_owned(),
            DhcpPlan::Off => "DHCP off: another server says what to boot".to_owned(),
        };
        let place =
            format!("Interface {} with {}{}", plan.interface, plan.network, interface.map(link).unwrap_or_default());
        let arguments = |append: &str| match append.trim() {
            "" => String::new(),
            append => format!(" [{}]", secret::without_secrets(append)),
        };
        let mut menu: Vec<String> = items
            .iter()
            .take(ENTRIES)
            .map(|item| format!("{} ({}){}", item.entry.title, item.id, arguments(&item.append)))
            .collect();
        if items.len() > ENTRIES {
            menu.push(format!("and {} more", items.len() - ENTRIES));
        }
        let starts = match &plan.default {
            Choice::Local => "its own disk".to_owned(),
            Choice::Entry(id) => format!("entry {id}"),
            Choice::Position(position) => format!("entry {position}"),
        };
        menu.push(format!("By itself {starts} starts after {} s{}", plan.menu_timeout, arguments(&plan.append)));
        let loaders: Vec<String> =
            manifest.iter().map(|origin| format!("{} {}", origin.file, origin.version)).collect();
        let asks = plan.guests.ask.then(|| "Computers that nobody knows wait for approval".to_owned());
        let listed = match plan.guests.allow.len() {
            0 => None,
            1 => Some("Only 1 computer is answered".to_owned()),
            count => Some(format!("Only {count} computers are answered")),
        };
        let services = [mode, place].into_iter().chain(asks).chain(listed).collect();
        Ours { services, menu, loaders: loaders.join(", ") }
    }
}

/// What a cable is, as far as it matters for booting.
fn link(interface: &Interface) -> String {
    let kind = match interface.kind {
        Kind::Wired => "wired",
        Kind::Wifi => "Wi-Fi",
        Kind::Virtual => "virtual",
        Kind::Bridge => "a bridge",
        Kind::Vpn => "a VPN",
        Kind::Loopback => "loopback",
    };
    let carrier = if interface.link { "with link" } else { "without link" };
    let speed = interface.speed_mbps.map(|speed| format!(", {speed} Mbit/s")).unwrap_or_default();
    format!(" ({kind}, {carrier}{speed}, MTU {})", interface.mtu)
}

/// The report. `causes` are what [`super::diagnosis`] found, the surest first. Times are those of the zone that `now` is in.
pub fn colleague(computer: &Computer, ours: &Ours, causes: &[Cause], now: &Zoned) -> String {
    let zone = now.time_zone();
    let parts = [
        ("", vec![HEAD.to_owned(), format!("As of {}", now.strftime("%Y-%m-%d %H:%M:%S %:z"))]),
        ("Computer", about(computer)),
        ("What is wrong", wrong(causes)),
        ("How far it came", stages(computer, zone)),
        ("What serves", [ours.services.clone(), loaders(&ours.loaders)].concat()),
        ("Menu", ours.menu.clone()),
        ("What it did last", last(computer, zone)),
    ];
    let mut report = String::new();
    for (heading, lines) in parts.into_iter().filter(|(_, lines)| !lines.is_empty()) {
        if !heading.is_empty() {
            report.push_str(&format!("\n{heading}\n"));
        }
        for line in lines {
            let indent = if heading.is_empty() { "" } else { "  " };
            report.push_str(&format!("{indent}{}\n", text::plain(&secret::without_secrets(&line), MAX_LINE)));
        }
    }
    report
}

fn loaders(names: &str) -> Vec<String> {
    if names.is_empty() { Vec::new() } else { vec![format!("Loaders: {names}")] }
}

fn about(computer: &Computer) -> Vec<String> {
    let address = computer.ip.map(|ip| ip.to_string());
    let first: Vec<String> =
        [computer.product.clone(), Some(computer.mac.to_string()), address].into_iter().flatten().collect();
    let firmware = computer.machine.map(|machine| machine.describe());
    let uuid = computer.uuid.as_ref().map(|uuid| format!("UUID {uuid}"));
    let second: Vec<String> = [firmware, uuid].into_iter().flatten().collect();
    let loader = computer.loader.as_ref().map(wording::loader_line);
    let lines = [Some(first.join(", ")), Some(second.join(", ")), loader];
    lines.into_iter().flatten().filter(|line| !line.is_empty()).collect()
}

fn wrong(causes: &[Cause]) -> Vec<String> {
    if causes.is_empty() {
        return vec!["Nothing that its packets tell.".to_owned()];
    }
    let parts = |cause: &Cause| [wording::cause_heading(cause), cause.evidence.clone(), cause.next_step.clone()];
    causes.iter().flat_map(parts).filter(|part| !part.is_empty()).collect()
}

fn stages(computer: &Computer, zone: &TimeZone) -> Vec<String> {
    let began = computer.began.to_zoned(zone.clone());
    let head = format!("Boot {} began at {}", computer.boots, began.strftime("%H:%M:%S%.3f"));
    let reached = computer.reached.iter().map(|(stage, at)| {
        let millis = at.duration_since(computer.began).as_millis();
        format!("{}.{} s  {}", millis / 1000, millis % 1000 / 100, wording::stage(*stage))
    });
    std::iter::once(head).chain(reached).collect()
}

fn last(computer: &Computer, zone: &TimeZone) -> Vec<String> {
    let told = computer.history.iter().filter_map(|event| {
        let words = wording::words(event)?;
        let time = event.time.to_zoned(zone.clone());
        Some(format!("{}  {}", time.strftime("%H:%M:%S%.3f"), text::plain(&words, MAX_EVENT)))
    });
    let told: Vec<String> = told.collect();
    told.get(told.len().saturating_sub(EVENTS)..).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deployment::{Places, Settings};
    use crate::journal::cause::{Kind as Why, Likelihood};
    use crate::journal::{Event, Journal, recording};
    use crate::mac::Mac;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    fn interface() -> Interface {
        Interface {
            name: "eth0".into(),
            friendly_name: "Bench".into(),
            index: 2,
            kind: Kind::Wired,
            link: true,
            addresses: "10.77.0.1/24".parse().into_iter().collect(),
            mac: None,
            speed_mbps: Some(1000),
            mtu: 1500,
            gateway: None,
        }
    }

    fn ours() -> Ours {
        let places = Places { loaders: vec![], state: "/state".into(), data: "/data".into() };
        let settings = Settings {
            interface: Some("eth0".into()),
            append: Some(format!("quiet password=c0rrecthorse url=http://10.77.0.1/answer/{TOKEN}/ks.cfg")),
            ..Settings::default()
        };
        let plan = settings.plan(&[interface()], places).unwrap();
        let image = crate::boot::menu::tests::inspection("/d.iso", "debian-live", &["", "-toram"]);
        let mut items = plan.menu(&[image]).items;
        items[1].append = "rootpw=c0rrecthorse toram".into();
        let folder = tempfile::tempdir().unwrap();
        let list = r#"[{"file":"snponly.efi","package":"ipxe","version":"1.21.1","licence":"GPL-2.0","signed_by":""}]"#;
        std::fs::write(folder.path().join("manifest.json"), list).unwrap();
        Ours::of(&plan, Some(&interface()), &items, &Manifest::of(folder.path()).unwrap())
    }

    fn recorded(name: &str) -> (Journal, Vec<Event>) {
        let path = format!("{}/tests/boots/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
        let events = recording::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
        let mut journal = Journal::default();
        events.iter().for_each(|event| drop(journal.record(event)));
        (journal, events)
    }

    #[test]
    fn a_report_is_one_page() {
        let (journal, events) = recorded("debian-live-uefi");
        let computer = journal.computers().next().unwrap();
        let now = events.last().unwrap().time.to_zoned(TimeZone::UTC);
        let report = colleague(computer, &ours(), &[], &now);
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/report.txt");
        if std::env::var_os("BOOTWRIGHT_GOLDEN").is_some() {
            std::fs::write(golden, &report).unwrap();
        }
        assert_eq!(report, std::fs::read_to_string(golden).unwrap());
        assert!(report.lines().count() <= 75 && report.lines().all(|line| line.chars().count() <= MAX_LINE + 2));
    }

    #[test]
    fn it_tells_no_secret() {
        let mut journal = Journal::default();
        let note = crate::http::Note::NotFound { file: format!("answer/{TOKEN}/x password=c0rrecthorse") };
        let what = crate::journal::What::Http(note);
        let mac = Mac([0x52, 0x54, 0, 0x77, 1, 1]);
        journal.record(&Event { time: jiff::Timestamp::UNIX_EPOCH, mac: Some(mac), ip: None, role: None, what });
        let now = jiff::Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
        let cause = cause(&format!("It asks for http://ann:c0rrecthorse@10.77.0.1/{TOKEN}."));
        let report = colleague(journal.computers().next().unwrap(), &ours(), &[cause], &now);
        assert!(!report.contains(TOKEN) && !report.contains("c0rrecthorse"), "{report}");
        assert!(report.contains("password=…") && report.contains("rootpw=…"), "{report}");
    }

    fn cause(evidence: &str) -> Cause {
        Cause {
            kind: Why::TooLittleMemory,
            likelihood: Likelihood::Certain,
            since: jiff::Timestamp::UNIX_EPOCH,
            evidence: evidence.into(),
            next_step: String::new(),
        }
    }

    #[test]
    fn what_is_wrong_is_what_was_found() {
        let (journal, events) = recorded("memtest-seabios");
        let (computer, now) = (journal.computers().next().unwrap(), events[0].time.to_zoned(TimeZone::UTC));
        let found = cause("It said so.");
        let report = colleague(computer, &Ours::default(), std::slice::from_ref(&found), &now);
        let heading = wording::cause_heading(&found);
        assert!(report.contains(&format!("What is wrong\n  {heading}\n  It said so.\n")), "{report}");
        assert!(!report.contains("Nothing that its packets tell"), "{report}");
        // The longest sentences of a diagnosis come whole.
        let long = cause(&"It sent this again. ".repeat(25));
        assert!(
            colleague(computer, &Ours::default(), std::slice::from_ref(&long), &now).contains(long.evidence.trim())
        );
    }
}
