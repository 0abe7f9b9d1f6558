//! What the user decided: settings from a file and from the command line, made into a complete [`Plan`].
//!
//! Knows names and paths; looks at nothing but the list of interfaces that it is given, and the saved files. The plan
//! holds everything that the engine needs and nothing else.

mod draft;
mod error;
mod file;
mod library;
mod places;
mod range;
mod records;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::answer;
use crate::boot::loader::Preference;
use crate::boot::menu::{self, Default as Choice, Edit, Menu, Unknown, ipxe};
use crate::boot::{approval, ladder, once};
use crate::dhcp::Guests;
use crate::dhcp::lease::Range;
use crate::image::Inspection;
use crate::mac::Mac;
use crate::net::Interface;
use crate::net::interface::Kind;

pub use error::PlanError;
pub use file::{SaveError, save};
pub use library::{Library, Lock, LockError, Saved, Summary};
pub use places::Places;
pub use range::{proposed_address, proposed_range, range_excludes, range_problem};
pub use records::{Records, jobs_folder};

/// Version of the deployment file that this program writes.
pub const VERSION: u32 = 1;
/// Seconds after which the default starts by itself, where nothing else was said.
pub const MENU_TIMEOUT: u32 = 30;
/// Longest time-out of the menu, in seconds: a day.
pub const MAX_MENU_TIMEOUT: u32 = 86_400;

/// Who hands out addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum DhcpMode {
    /// Hand out addresses: for a cable or switch of your own
    Full,
    /// Work beside the network's own DHCP server, and add only what to boot
    Proxy,
    /// No DHCP: another server gives addresses and says what to boot
    Off,
}

/// Whether something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// Yes
    On,
    /// No
    Off,
}

/// What is done about this computer's firewall.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Firewall {
    /// Let computers in on the served interface while serving, and undo that at the end
    Open,
    /// Leave it as it is
    #[default]
    Leave,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogForm {
    /// One line in words for each event.
    Text,
    /// One JSON object for each event.
    Json,
}

/// Everything that can be said about a deployment, and nothing that must be: the saved file, and the options of `serve`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Settings {
    /// Version of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The interface to serve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Who hands out addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dhcp: Option<DhcpMode>,
    /// `A-B`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
    /// Whether computers are told that there is no IPv6 router, where we hand out addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub router_advertisement: Option<Switch>,
    /// Whether the network is asked for other DHCP servers before the first address is handed out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<Switch>,
    /// Other DHCP servers of the network beside which addresses are handed out all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Ipv4Addr>,
    /// Images in the menu's order.
    #[serde(deserialize_with = "file::one_or_more", skip_serializing_if = "Vec::is_empty")]
    pub image: Vec<PathBuf>,
    /// `local`, an entry's id, or its position.
    #[serde(rename = "default", deserialize_with = "file::text_or_number", skip_serializing_if = "Option::is_none")]
    pub default_entry: Option<String>,
    /// In seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub menu_timeout: Option<u32>,
    /// A folder to publish.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<PathBuf>,
    /// More kernel arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub append: Option<String>,
    /// Which loaders computers get.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loader: Option<Preference>,
    /// A folder with loaders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loaders: Option<PathBuf>,
    /// The HTTP port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_port: Option<u16>,
    /// Where leases are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_file: Option<PathBuf>,
    /// Where everything else is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_dir: Option<PathBuf>,
    /// Only these computers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Mac>,
    /// Never these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<Mac>,
    /// Whether the technician is asked about computers that are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask_first: Option<bool>,
    /// Stop by itself after this time, like `2h`.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// How the log is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<LogForm>,
    /// What is done about this computer's firewall.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firewall: Option<Firewall>,
    /// The folder of the job sheet, or `off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_sheet: Option<PathBuf>,
    /// Who is there, for the job sheet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// What is changed about the menu, in its order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entry: Vec<Edit>,
    /// Entries that start once, by their ids, whatever `entry` says. Only an option of the command line: in a file `entry`
    /// says it.
    #[serde(skip)]
    pub once: Vec<String>,
    /// Answer files for unattended installations.
    #[serde(skip_serializing_if = "answer::Settings::is_empty")]
    pub answers: answer::Settings,
    /// What only a newer program understands; it is kept in the file.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// Ports of the services. Others than the well-known ones are for tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ports {
    /// DHCP.
    pub dhcp: u16,
    /// The PXE boot server.
    pub pxe: u16,
    /// TFTP.
    pub tftp: u16,
    /// HTTP: this one only; none is 80, or 8080 where 80 is taken.
    pub http: Option<u16>,
}

impl Default for Ports {
    fn default() -> Ports {
        Ports { dhcp: crate::dhcp::port::SERVER, pxe: crate::dhcp::port::PXE, tftp: crate::tftp::PORT, http: None }
    }
}

/// How addresses are handed out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DhcpPlan {
    /// From this range, except these.
    Full {
        /// The range.
        range: Range,
        /// The router and other fixed addresses inside it.
        excluded: BTreeSet<Ipv4Addr>,
        /// Where leases are kept.
        lease_file: PathBuf,
        /// Whether computers are told that there is no IPv6 router.
        advertise: bool,
        /// Whether the network is asked for other DHCP servers before the first address is handed out.
        probe: bool,
        /// Other servers beside which addresses are handed out all the same.
        beside: BTreeSet<Ipv4Addr>,
    },
    /// Not by us.
    Proxy,
    /// Not by us, and nothing is added.
    Off,
}

/// How the name of a [`Plan::control_file`] begins, with the interface behind it.
const CONTROL: &str = "control-";
/// And how it ends.
const SOCKET: &str = ".sock";

/// The [`Plan::control_file`]s of a state folder: services that run, and what killed ones left.
pub fn control_files(state: &Path) -> Vec<PathBuf> {
    let named = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy());
        name.is_some_and(|name| name.starts_with(CONTROL) && name.ends_with(SOCKET))
    };
    let entries = std::fs::read_dir(state).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(named).collect();
    files.sort();
    files
}

/// The interface of such a file, as it stands in the file's name.
pub fn interface_of(control_file: &Path) -> String {
    let name = control_file.file_name().unwrap_or_default().to_string_lossy();
    let inner = name.strip_prefix(CONTROL).and_then(|name| name.strip_suffix(SOCKET));
    inner.unwrap_or(&name).to_owned()
}

/// Everything that the engine needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Plan {
    /// The interface's system name.
    pub interface: String,
    /// Our address on it, with its network.
    pub network: Ipv4Net,
    /// How addresses are handed out.
    pub dhcp: DhcpPlan,
    /// Who may be answered.
    pub guests: Guests,
    /// Images in the menu's order.
    pub images: Vec<PathBuf>,
    /// What starts by itself.
    pub default: Choice,
    /// After how many seconds.
    pub menu_timeout: u32,
    /// More kernel arguments.
    pub append: String,
    /// What is changed about the menu, in its order.
    pub edits: Vec<Edit>,
    /// Answer files for unattended installations.
    pub answers: answer::Settings,
    /// Where the numbers in host names are kept.
    pub names_file: PathBuf,
    /// Which ways from firmware to menu are taken.
    pub preference: Preference,
    /// Where it is kept which computers do not take the usual way.
    pub ladder_file: PathBuf,
    /// Where other programs of this user ask the running services for something.
    pub control_file: PathBuf,
    /// Where it is kept which computers were approved.
    pub approval_file: PathBuf,
    /// Entries that start once, by their ids, besides those that an edit says so of.
    pub once: BTreeSet<String>,
    /// Where it is kept which computers have begun those.
    pub once_file: PathBuf,
    /// A folder with loaders that the user named; it must have some.
    pub own_loaders: Option<PathBuf>,
    /// Other folders where loaders may be, the first one first.
    pub loaders: Vec<PathBuf>,
    /// A folder to publish.
    pub files: Option<PathBuf>,
    /// Ports.
    pub ports: Ports,
    /// What is written down while the services run.
    pub records: Records,
}

impl Settings {
    /// Whether a newer program saved it, so that there may be more to it than this one understands.
    pub fn is_newer(&self) -> bool {
        self.version.is_some_and(|version| version > VERSION)
    }

    /// These settings with others on top: what `over` says wins, lists are replaced as a whole. A saved range goes with
    /// the saved mode: it means nothing where addresses are not handed out any more.
    pub fn overridden_by(mut self, over: Settings) -> Settings {
        if matches!(over.dhcp, Some(DhcpMode::Proxy | DhcpMode::Off)) {
            self.range = None;
        }
        fn list<T>(own: Vec<T>, over: Vec<T>) -> Vec<T> {
            if over.is_empty() { own } else { over }
        }
        fn answers(own: answer::Settings, over: answer::Settings) -> answer::Settings {
            answer::Settings {
                list: over.list.or(own.list),
                host_name: over.host_name.or(own.host_name),
                first_number: over.first_number.or(own.first_number),
                entry: own.entry.into_iter().chain(over.entry).collect(),
                variables: own.variables.into_iter().chain(over.variables).collect(),
                computer: list(own.computer, over.computer),
                unknown: own.unknown.and(over.unknown),
            }
        }
        Settings {
            version: over.version.or(self.version),
            interface: over.interface.or(self.interface),
            dhcp: over.dhcp.or(self.dhcp),
            range: over.range.or(self.range),
            router_advertisement: over.router_advertisement.or(self.router_advertisement),
            probe: over.probe.or(self.probe),
            beside: list(self.beside, over.beside),
            image: list(self.image, over.image),
            default_entry: over.default_entry.or(self.default_entry),
            menu_timeout: over.menu_timeout.or(self.menu_timeout),
            files: over.files.or(self.files),
            append: over.append.or(self.append),
            loader: over.loader.or(self.loader),
            loaders: over.loaders.or(self.loaders),
            http_port: over.http_port.or(self.http_port),
            lease_file: over.lease_file.or(self.lease_file),
            state_dir: over.state_dir.or(self.state_dir),
            allow: list(self.allow, over.allow),
            deny: list(self.deny, over.deny),
            ask_first: over.ask_first.or(self.ask_first),
            duration: over.duration.or(self.duration),
            log: over.log.or(self.log),
            entry: list(self.entry, over.entry),
            once: list(self.once, over.once),
            answers: answers(self.answers, over.answers),
            firewall: over.firewall.or(self.firewall),
            job_sheet: over.job_sheet.or(self.job_sheet),
            operator: over.operator.or(self.operator),
            unknown: self.unknown.and(over.unknown),
        }
    }

    /// Who may be answered.
    pub fn guests(&self) -> Guests {
        Guests {
            allow: self.allow.iter().copied().collect(),
            deny: self.deny.iter().copied().collect(),
            ask: self.ask_first == Some(true),
        }
    }

    /// Makes the plan, or says what is missing or wrong.
    pub fn plan(self, interfaces: &[Interface], places: Places) -> Result<Plan, PlanError> {
        let guests = self.guests();
        let name = self.interface.ok_or(PlanError::NoInterface)?;
        let named = |interface: &&Interface| interface.is_called(&name);
        let useful = interfaces.iter().filter(|interface| interface.kind != Kind::Loopback);
        let interface = interfaces.iter().find(named).ok_or_else(|| PlanError::UnknownInterface {
            name: name.clone(),
            known: useful.map(|interface| interface.name.clone()).collect(),
        })?;
        let network = interface.network().ok_or_else(|| PlanError::NoAddress { name: interface.name.clone() })?;
        let append = self.append.unwrap_or_default();
        if let Some(why) = ipxe::objection(&append) {
            return Err(PlanError::Append { why });
        }
        check_edits(&self.entry)?;
        let menu_timeout = self.menu_timeout.unwrap_or(MENU_TIMEOUT);
        if menu_timeout > MAX_MENU_TIMEOUT {
            return Err(PlanError::Timeout { seconds: menu_timeout });
        }
        let mode = self.dhcp.unwrap_or(DhcpMode::Proxy);
        let checksums = Some(places.checksums());
        let state = self.state_dir.unwrap_or(places.state);
        let (names_file, ladder_file) = (state.join("host-names.json"), state.join(ladder::FILE));
        let control_file = state.join(format!("{CONTROL}{}{SOCKET}", file_safe(&interface.name)));
        let approval_file = state.join(approval::FILE);
        let once_file = state.join(once::FILE);
        let dhcp = match (mode, self.range) {
            (DhcpMode::Full, range) => {
                let (range, excluded) = range::of(range.as_deref(), network, interface)?;
                let lease_file = || state.join(format!("leases-{}.json", file_safe(&interface.name)));
                let lease_file = self.lease_file.unwrap_or_else(lease_file);
                // Only here, where the segment is ours: elsewhere it would be a word in somebody else's network.
                let advertise = self.router_advertisement != Some(Switch::Off);
                let (probe, beside) = (self.probe != Some(Switch::Off), self.beside.into_iter().collect());
                DhcpPlan::Full { range, excluded, lease_file, advertise, probe, beside }
            }
            (_, Some(_)) => return Err(PlanError::RangeWithoutFull),
            (DhcpMode::Proxy, None) => DhcpPlan::Proxy,
            (DhcpMode::Off, None) => DhcpPlan::Off,
        };
        Ok(Plan {
            interface: interface.name.clone(),
            network,
            dhcp,
            guests,
            images: self.image,
            default: choice(self.default_entry.as_deref()),
            menu_timeout,
            append,
            edits: self.entry.into_iter().map(Edit::known).collect(),
            answers: self.answers,
            names_file,
            preference: self.loader.unwrap_or_default(),
            ladder_file,
            control_file,
            approval_file,
            once: self.once.into_iter().collect(),
            once_file,
            own_loaders: self.loaders,
            loaders: places.loaders,
            files: self.files,
            ports: Ports { http: self.http_port, ..Ports::default() },
            records: Records {
                trace: None,
                jobs: jobs_folder(self.job_sheet, &state),
                operator: self.operator,
                checksums,
            },
        })
    }
}

impl Plan {
    /// Whether computers are told that there is no IPv6 router.
    pub fn advertises(&self) -> bool {
        matches!(self.dhcp, DhcpPlan::Full { advertise: true, .. })
    }

    /// The menu that computers get, of these images. An image that is left out here shifts the ids of others.
    pub fn menu(&self, inspections: &[Inspection]) -> Menu {
        let mut items = menu::arrange(menu::items(inspections), &self.edits);
        items.iter_mut().for_each(|item| item.guard.once |= self.once.contains(&item.id));
        Menu { items, default: self.default.clone(), timeout: self.menu_timeout, append: self.append.clone() }
    }
}

fn check_edits(edits: &[Edit]) -> Result<(), PlanError> {
    let mut seen = BTreeSet::new();
    for Edit { id, append, password_hash, .. } in edits {
        if !seen.insert(id) {
            return Err(PlanError::EntryTwice { id: id.clone() });
        }
        if let Some(why) = append.as_deref().and_then(ipxe::objection) {
            return Err(PlanError::EntryAppend { id: id.clone(), why });
        }
        if password_hash.as_ref().is_some_and(|hash| !hash.is_usable()) {
            return Err(PlanError::EntryPassword { id: id.clone() });
        }
    }
    Ok(())
}

fn choice(text: Option<&str>) -> Choice {
    match text {
        None | Some("local") => Choice::Local,
        Some(text) => text.parse().map_or_else(|_| Choice::Entry(text.to_owned()), Choice::Position),
    }
}

fn file_safe(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

/// A time like `90s`, `15m`, `2h` or plain seconds, for `--for`.
pub fn parse_duration(text: &str) -> Result<Duration, PlanError> {
    let wrong = || PlanError::Duration { text: text.to_owned() };
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default();
    let factor = match unit {
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    count.checked_mul(factor).filter(|&seconds| seconds > 0).map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::boot::menu::tests::inspection;

    pub(super) fn bench(address: &str) -> Vec<Interface> {
        vec![Interface {
            name: "eth0".into(),
            friendly_name: "Bench".into(),
            index: 2,
            kind: Kind::Wired,
            link: true,
            addresses: address.parse().into_iter().collect(),
            mac: None,
            speed_mbps: None,
            mtu: 1500,
            gateway: Some([10, 77, 0, 200].into()),
        }]
    }

    pub(super) fn places() -> Places {
        Places { loaders: vec!["/usr/lib/ipxe".into()], state: "/var/state".into(), data: "/var/data".into() }
    }

    pub(super) fn full(range: Option<&str>) -> Settings {
        Settings {
            interface: Some("eth0".into()),
            dhcp: Some(DhcpMode::Full),
            range: range.map(str::to_owned),
            ..Settings::default()
        }
    }

    #[test]
    fn the_default_is_to_work_beside_another_server() {
        let settings = Settings { interface: Some("Bench".into()), ..Settings::default() };
        let plan = settings.plan(&bench("10.77.0.1/24"), places()).expect("a plan");
        assert_eq!((plan.dhcp, plan.default, plan.menu_timeout), (DhcpPlan::Proxy, Choice::Local, 30));
        assert_eq!((plan.interface.as_str(), plan.ports.http), ("eth0", None));
    }

    #[test]
    fn own_addresses_and_the_router_are_left_out() {
        let plan = full(None).plan(&bench("10.77.0.129/24"), places()).expect("a plan");
        let DhcpPlan::Full { excluded, lease_file, .. } = plan.dhcp else { panic!("full") };
        assert_eq!(excluded, BTreeSet::from([[10, 77, 0, 129].into(), [10, 77, 0, 200].into()]));
        assert_eq!(lease_file, Path::new("/var/state/leases-eth0.json"));
    }

    #[test]
    fn mistakes_are_named() {
        let plan = |settings: Settings, address| settings.plan(&bench(address), places()).map(drop).unwrap_err();
        let good = || Settings { interface: Some("eth0".into()), ..Settings::default() };
        let address = "10.77.0.1/24";
        assert!(matches!(plan(Settings::default(), address), PlanError::NoInterface));
        let other = Settings { interface: Some("eth9".into()), ..good() };
        assert!(matches!(plan(other, address), PlanError::UnknownInterface { known, .. } if known == ["eth0"]));
        assert!(matches!(plan(good(), ""), PlanError::NoAddress { .. }));
        assert!(matches!(plan(Settings { range: Some("a".into()), ..good() }, address), PlanError::RangeWithoutFull));
        let append = Settings { append: Some("x ${y}".into()), ..good() };
        assert!(matches!(plan(append, address), PlanError::Append { .. }));
        let edit = |append: &str| Edit { id: "arch".into(), append: Some(append.into()), ..Edit::default() };
        let one = Settings { entry: vec![edit("x ${y}")], ..good() };
        assert!(matches!(plan(one, address), PlanError::EntryAppend { id, .. } if id == "arch"));
        let twice = Settings { entry: vec![edit("quiet"), edit("")], ..good() };
        assert!(matches!(plan(twice, address), PlanError::EntryTwice { id } if id == "arch"));
        let slow = Settings { menu_timeout: Some(100_000), ..good() };
        assert!(matches!(plan(slow, address), PlanError::Timeout { .. }));
    }

    #[test]
    fn a_file_is_read_and_the_command_line_wins() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bench.toml");
        let text = "version = 1\ninterface = 'eth0'\ndhcp = 'full'\nimage = ['a.iso', '/b.iso']\ndefault = '1'\n\
                    menu-timeout = 5\nhttp-port = 8000\nfor = '2h'\nlog = 'json'\nallow = ['52:54:00:77:01:01']\n";
        std::fs::write(&path, text).unwrap();
        let settings = Settings::load(&path).expect("readable");
        assert_eq!(settings.image, [folder.path().join("a.iso"), "/b.iso".into()]);
        let over = Settings { menu_timeout: Some(0), default_entry: Some("local".into()), ..Settings::default() };
        let plan = settings.overridden_by(over).plan(&bench("10.77.0.1/24"), places()).expect("a plan");
        assert_eq!((plan.menu_timeout, plan.default, plan.ports.http), (0, Choice::Local, Some(8000)));
        std::fs::write(&path, "interface = 'eth0'\nimage = 'a.iso'\ndefault = 1\n").unwrap();
        let short = Settings::load(&path).expect("readable");
        assert_eq!((short.image.len(), short.default_entry.as_deref()), (1, Some("1")));
        assert_eq!((plan.images.len(), plan.guests.allow.len()), (2, 1));
        let saved = full(Some("10.77.0.5-10.77.0.9"));
        let beside = Settings { dhcp: Some(DhcpMode::Proxy), ..Settings::default() };
        let plan = saved.overridden_by(beside).plan(&bench("10.77.0.1/24"), places()).expect("a plan");
        assert_eq!(plan.dhcp, DhcpPlan::Proxy, "a saved range goes with its mode");
    }

    #[test]
    fn the_menu_of_a_file_is_the_menu_of_the_plan() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("menu.toml");
        let text = "interface = 'eth0'\ndefault = 'debian'\n\n[[entry]]\nid = 'debian'\ntitle = 'Lab'\n\n\
                    [[entry]]\nid = 'arch'\nhidden = true\nappend = 'quiet'\n";
        std::fs::write(&path, text).unwrap();
        let plan = Settings::load(&path).expect("readable").plan(&bench("10.77.0.1/24"), places()).expect("a plan");
        let images = [inspection("/a.iso", "arch", &[""]), inspection("/d.iso", "debian", &["", "-text"])];
        let menu = plan.menu(&images);
        let seen: Vec<_> = menu.items.iter().map(|item| (item.id.as_str(), item.entry.title.as_str())).collect();
        assert_eq!(seen, [("debian", "Lab"), ("debian-text", "debian-text of debian")]);
        assert_eq!((menu.default, menu.timeout), (Choice::Entry("debian".into()), MENU_TIMEOUT));
    }

    #[test]
    fn times_are_read() {
        for (text, seconds) in [("90s", 90), ("15m", 900), ("2h", 7200), ("5", 5)] {
            assert_eq!(parse_duration(text).ok(), Some(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "s", "0", "-5s", "5d", "1.5h", "99999999999999999999h"] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }
}
