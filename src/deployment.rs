//! What the user decided: settings from a file and from the command line, made into a complete [`Plan`].
//!
//! Knows names and paths; looks at nothing but the list of interfaces that it is given. The plan holds everything that
//! the engine needs and nothing else.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::Ipv4Net;
use serde::{Deserialize, Deserializer, Serialize};

use crate::boot::menu::{self, Default as Choice, Edit, Menu, ipxe};
use crate::dhcp::Guests;
use crate::dhcp::lease::{MAX_ADDRESSES, Range};
use crate::image::Inspection;
use crate::mac::Mac;
use crate::net::Interface;
use crate::net::interface::Kind;

/// Version of the deployment file that this program writes.
pub const VERSION: u32 = 1;
/// Seconds after which the default starts by itself, where nothing else was said.
pub const MENU_TIMEOUT: u32 = 30;
/// Longest time-out of the menu, in seconds: a day.
const MAX_MENU_TIMEOUT: u32 = 86_400;

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

/// Which loaders computers get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LoaderChoice {
    /// What suits each computer
    Auto,
    /// iPXE only
    Ipxe,
    /// shim and signed GRUB, for Secure Boot (not yet)
    Signed,
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
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
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
    /// Images in the menu's order.
    #[serde(deserialize_with = "one_or_more")]
    pub image: Vec<PathBuf>,
    /// `local`, an entry's id, or its position.
    #[serde(rename = "default", deserialize_with = "text_or_number", skip_serializing_if = "Option::is_none")]
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
    pub loader: Option<LoaderChoice>,
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
    pub allow: Vec<Mac>,
    /// Never these.
    pub deny: Vec<Mac>,
    /// Stop by itself after this time, like `2h`.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// How the log is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<LogForm>,
    /// What is changed about the menu, in its order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entry: Vec<Edit>,
}

/// People write a single image without brackets.
fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "image is a file name or a list of file names")]
    enum Images {
        One(PathBuf),
        More(Vec<PathBuf>),
    }
    Ok(match Images::deserialize(deserializer)? {
        Images::One(path) => vec![path],
        Images::More(paths) => paths,
    })
}

/// And a position without quotes.
fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "default is local, an entry's id or its position")]
    enum Choice {
        Text(String),
        Number(u32),
    }
    Ok(Some(match Choice::deserialize(deserializer)? {
        Choice::Text(text) => text,
        Choice::Number(number) => number.to_string(),
    }))
}

/// Why settings make no deployment.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The deployment file cannot be read.
    #[error("cannot read the deployment {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The deployment file is not one.
    #[error("the deployment {path} has a mistake: {reason}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line and cause.
        reason: String,
    },
    /// It was written by a newer program.
    #[error("the deployment {path} is of version {version}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// No interface was named.
    #[error("no interface was named")]
    NoInterface,
    /// There is no such interface.
    #[error("there is no interface {name}")]
    UnknownInterface {
        /// What was asked for.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The interface has no IPv4 address.
    #[error("{name} has no IPv4 address")]
    NoAddress {
        /// The interface.
        name: String,
    },
    /// The range cannot be read.
    #[error("{text:?} is not a range of addresses")]
    RangeSyntax {
        /// What was given.
        text: String,
    },
    /// The range ends before it begins.
    #[error("the range {range} ends before it begins")]
    RangeReversed {
        /// What was given.
        range: String,
    },
    /// The range lies outside the interface's network.
    #[error("the range {range} is not inside {network}")]
    RangeOutside {
        /// What was given.
        range: String,
        /// The network.
        network: Ipv4Net,
    },
    /// The range is larger than we handle.
    #[error("the range {range} has too many addresses")]
    RangeTooLarge {
        /// What was given.
        range: String,
    },
    /// The network has no room for a range.
    #[error("the network {network} has no addresses to hand out")]
    NoRoom {
        /// The network.
        network: Ipv4Net,
    },
    /// A range was given where no addresses are handed out.
    #[error("a range needs full DHCP")]
    RangeWithoutFull,
    /// The menu's time-out is too long.
    #[error("a menu time-out of {seconds} seconds is too long")]
    Timeout {
        /// What was given.
        seconds: u32,
    },
    /// A time that cannot be read.
    #[error("{text:?} is not a time")]
    Duration {
        /// What was given.
        text: String,
    },
    /// Kernel arguments that a boot script cannot hold.
    #[error("these kernel arguments cannot be used: {why}")]
    Append {
        /// Why not.
        why: &'static str,
    },
    /// The same, for a single entry.
    #[error("the kernel arguments of the entry {id} cannot be used: {why}")]
    EntryAppend {
        /// The entry.
        id: String,
        /// Why not.
        why: &'static str,
    },
    /// An entry is named twice, so its place is not known.
    #[error("the entry {id} is named twice")]
    EntryTwice {
        /// The entry.
        id: String,
    },
    /// The signed loaders need what this version does not have.
    #[error("the signed loaders are not served yet")]
    SignedLoader,
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
    },
    /// Not by us.
    Proxy,
    /// Not by us, and nothing is added.
    Off,
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
    /// A folder with loaders that the user named; it must have some.
    pub own_loaders: Option<PathBuf>,
    /// Other folders where loaders may be, the first one first.
    pub loaders: Vec<PathBuf>,
    /// A folder to publish.
    pub files: Option<PathBuf>,
    /// Ports.
    pub ports: Ports,
}

/// Where things are on this machine, apart from what the settings say.
#[derive(Clone, Debug)]
pub struct Places {
    /// Folders with loaders.
    pub loaders: Vec<PathBuf>,
    /// The user's state folder.
    pub state: PathBuf,
}

impl Settings {
    /// Reads a deployment file. Relative paths in it are relative to its folder.
    pub fn load(path: &Path) -> Result<Settings, PlanError> {
        let text = std::fs::read_to_string(path).map_err(|source| PlanError::File { path: path.into(), source })?;
        // Version first: a newer file may have words that this program does not know.
        let version = toml::from_str::<toml::Table>(&text).ok().and_then(|table| table.get("version")?.as_integer());
        if let Some(version) = version.and_then(|version| u32::try_from(version).ok()).filter(|&found| found > VERSION)
        {
            return Err(PlanError::Newer { path: path.into(), version });
        }
        let mut settings: Settings = toml::from_str(&text)
            .map_err(|error| PlanError::Syntax { path: path.into(), reason: reason(&text, &error) })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let own = [&mut settings.files, &mut settings.loaders, &mut settings.lease_file, &mut settings.state_dir];
        for path in own.into_iter().flatten().chain(&mut settings.image) {
            *path = folder.join(&*path);
        }
        Ok(settings)
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
        Settings {
            version: over.version.or(self.version),
            interface: over.interface.or(self.interface),
            dhcp: over.dhcp.or(self.dhcp),
            range: over.range.or(self.range),
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
            duration: over.duration.or(self.duration),
            log: over.log.or(self.log),
            entry: list(self.entry, over.entry),
        }
    }

    /// Makes the plan, or says what is missing or wrong.
    pub fn plan(self, interfaces: &[Interface], places: Places) -> Result<Plan, PlanError> {
        let name = self.interface.ok_or(PlanError::NoInterface)?;
        let named = |interface: &&Interface| interface.name == name || interface.friendly_name == name;
        let useful = interfaces.iter().filter(|interface| interface.kind != Kind::Loopback);
        let interface = interfaces.iter().find(named).ok_or_else(|| PlanError::UnknownInterface {
            name: name.clone(),
            known: useful.map(|interface| interface.name.clone()).collect(),
        })?;
        let network = interface.network().ok_or_else(|| PlanError::NoAddress { name: interface.name.clone() })?;
        if self.loader == Some(LoaderChoice::Signed) {
            return Err(PlanError::SignedLoader);
        }
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
        let dhcp = match (mode, self.range) {
            (DhcpMode::Full, range) => {
                if network.prefix_len() > 30 {
                    return Err(PlanError::NoRoom { network });
                }
                let range = range.map_or_else(|| upper_half(network), |text| parse_range(&text, network))?;
                let excluded = excluded(interface);
                if range.iter().all(|address| excluded.contains(&address)) {
                    return Err(PlanError::NoRoom { network });
                }
                let state = self.state_dir.unwrap_or(places.state);
                let lease_file = || state.join(format!("leases-{}.json", file_safe(&interface.name)));
                DhcpPlan::Full { range, excluded, lease_file: self.lease_file.unwrap_or_else(lease_file) }
            }
            (_, Some(_)) => return Err(PlanError::RangeWithoutFull),
            (DhcpMode::Proxy, None) => DhcpPlan::Proxy,
            (DhcpMode::Off, None) => DhcpPlan::Off,
        };
        Ok(Plan {
            interface: interface.name.clone(),
            network,
            dhcp,
            guests: Guests { allow: self.allow.into_iter().collect(), deny: self.deny.into_iter().collect() },
            images: self.image,
            default: choice(self.default_entry.as_deref()),
            menu_timeout,
            append,
            edits: self.entry,
            own_loaders: self.loaders,
            loaders: places.loaders,
            files: self.files,
            ports: Ports { http: self.http_port, ..Ports::default() },
        })
    }
}

impl Plan {
    /// The menu that computers get, of these images. An image that is left out here shifts the ids of others.
    pub fn menu(&self, inspections: &[Inspection]) -> Menu {
        Menu {
            items: menu::arrange(menu::items(inspections), &self.edits),
            default: self.default.clone(),
            timeout: self.menu_timeout,
            append: self.append.clone(),
        }
    }
}

fn check_edits(edits: &[Edit]) -> Result<(), PlanError> {
    let mut seen = BTreeSet::new();
    for Edit { id, append, .. } in edits {
        if !seen.insert(id) {
            return Err(PlanError::EntryTwice { id: id.clone() });
        }
        if let Some(why) = append.as_deref().and_then(ipxe::objection) {
            return Err(PlanError::EntryAppend { id: id.clone(), why });
        }
    }
    Ok(())
}

/// Line and cause, without the drawing that toml makes for terminals.
fn reason(text: &str, error: &toml::de::Error) -> String {
    let cause = error.message().trim().replace('\n', ", ");
    let before = error.span().and_then(|span| text.get(..span.start));
    before.map_or(cause.clone(), |before| format!("line {}: {cause}", before.matches('\n').count() + 1))
}

fn choice(text: Option<&str>) -> Choice {
    match text {
        None | Some("local") => Choice::Local,
        Some(text) => text.parse().map_or_else(|_| Choice::Entry(text.to_owned()), Choice::Position),
    }
}

/// Addresses that belong to somebody already: those of the interface itself, and its router.
fn excluded(interface: &Interface) -> BTreeSet<Ipv4Addr> {
    interface.addresses.iter().map(Ipv4Net::addr).chain(interface.gateway).collect()
}

/// The upper half of a network without its broadcast address: routers and fixed machines usually have low numbers.
fn upper_half(network: Ipv4Net) -> Result<Range, PlanError> {
    let (first, broadcast) = (network.network().to_bits(), network.broadcast().to_bits());
    let half = (broadcast - first) / 2 + 1;
    let last = broadcast.saturating_sub(1);
    let most = u32::try_from(MAX_ADDRESSES - 1).unwrap_or(u32::MAX);
    let first = first.saturating_add(half).max(last.saturating_sub(most));
    if first > last {
        return Err(PlanError::NoRoom { network });
    }
    Ok(Range { first: first.into(), last: last.into() })
}

fn parse_range(text: &str, network: Ipv4Net) -> Result<Range, PlanError> {
    let wrong = || PlanError::RangeSyntax { text: text.to_owned() };
    let (first, last) = text.split_once('-').ok_or_else(wrong)?;
    let address = |text: &str| text.trim().parse::<Ipv4Addr>().map_err(|_| wrong());
    let range = Range { first: address(first)?, last: address(last)? };
    if range.first > range.last {
        return Err(PlanError::RangeReversed { range: text.to_owned() });
    }
    let inside = |address| network.contains(&address) && address != network.network() && address != network.broadcast();
    if !inside(range.first) || !inside(range.last) {
        return Err(PlanError::RangeOutside { range: text.to_owned(), network: network.trunc() });
    }
    if range.size() > MAX_ADDRESSES {
        return Err(PlanError::RangeTooLarge { range: text.to_owned() });
    }
    Ok(range)
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
    use super::*;
    use crate::boot::menu::tests::inspection;

    fn bench(address: &str) -> Vec<Interface> {
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

    fn places() -> Places {
        Places { loaders: vec!["/usr/lib/ipxe".into()], state: "/var/state".into() }
    }

    fn full(range: Option<&str>) -> Settings {
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
    fn ranges_are_proposed_and_checked() {
        let range = |address: &str, range: Option<&str>| match full(range).plan(&bench(address), places()) {
            Ok(Plan { dhcp: DhcpPlan::Full { range, .. }, .. }) => format!("{}-{}", range.first, range.last),
            Ok(_) => "no DHCP".to_owned(),
            Err(error) => error.to_string(),
        };
        let cases = [
            ("10.77.0.1/24", None, "10.77.0.128-10.77.0.254"),
            ("192.168.1.1/30", None, "192.168.1.2-192.168.1.2"),
            ("192.168.1.2/30", None, "the network 192.168.1.2/30 has no addresses to hand out"),
            ("10.77.0.1/24", Some("10.77.0.1-10.77.0.1"), "the network 10.77.0.1/24 has no addresses to hand out"),
            ("10.0.0.1/8", None, "10.254.255.255-10.255.255.254"),
            ("10.77.0.1/31", None, "the network 10.77.0.1/31 has no addresses to hand out"),
            ("10.77.0.1/32", None, "the network 10.77.0.1/32 has no addresses to hand out"),
            ("10.77.0.1/24", Some("10.77.0.5-10.77.0.9"), "10.77.0.5-10.77.0.9"),
            ("10.77.0.1/24", Some("10.77.0.9 - 10.77.0.9"), "10.77.0.9-10.77.0.9"),
            ("10.77.0.1/24", Some("10.77.0.9-10.77.0.5"), "the range 10.77.0.9-10.77.0.5 ends before it begins"),
            ("10.77.0.1/24", Some("10.77.0.9"), "\"10.77.0.9\" is not a range of addresses"),
            ("10.77.0.1/24", Some("10.77.0.9-10.77.1.5"), "the range 10.77.0.9-10.77.1.5 is not inside 10.77.0.0/24"),
            (
                "10.77.0.1/24",
                Some("10.77.0.9-10.77.0.255"),
                "the range 10.77.0.9-10.77.0.255 is not inside 10.77.0.0/24",
            ),
            ("10.0.0.1/8", Some("10.1.0.0-10.9.0.0"), "the range 10.1.0.0-10.9.0.0 has too many addresses"),
        ];
        for (address, given, expected) in cases {
            assert_eq!(range(address, given), expected, "{address} {given:?}");
        }
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
        let signed = Settings { loader: Some(LoaderChoice::Signed), ..good() };
        assert!(matches!(plan(signed, address), PlanError::SignedLoader));
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
    fn a_broken_or_newer_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let load = |text: &str| {
            let path = folder.path().join("x.toml");
            std::fs::write(&path, text).unwrap();
            Settings::load(&path).unwrap_err()
        };
        assert!(matches!(load("interface = "), PlanError::Syntax { .. }));
        assert!(matches!(load("\ndhcp = 'x'"), PlanError::Syntax { reason, .. } if reason.starts_with("line 2: ")));
        assert!(matches!(load("interfacce = 'x'"), PlanError::Syntax { reason, .. } if reason.contains("interfacce")));
        assert!(matches!(load("version = 9\nnew-word = 1"), PlanError::Newer { version: 9, .. }));
        assert!(matches!(Settings::load(Path::new("/nonexistent.toml")), Err(PlanError::File { .. })));
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
