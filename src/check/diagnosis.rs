//! Why a computer does not boot, as far as its events and its silence tell: the one place that decides and words it for
//! the card, the timeline, the report and the log.
//!
//! Pure: a [`Computer`] with what is kept of its events, the present, and what is served come in; [`Cause`]s come out, the
//! surest first. Several may apply. Silence within the time that good boots take is no cause; how long that is stands with
//! each rule, with where it was seen.

mod asking;
mod loading;
mod running;
mod story;
#[cfg(test)]
mod tests;
mod watch;

use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;

use crate::boot::menu::Default as Choice;
use crate::boot::menu::Item;
use crate::deployment::{DhcpMode, DhcpPlan, Plan};
use crate::engine::Listening;
use crate::image::{Transport, WHOLE_IMAGE};
use crate::journal::cause::{Cause, Kind, Likelihood};
use crate::journal::{Computer, wording};
use story::Story;

pub use watch::Watch;

/// After so long without a computer that asks, something is probably wrong.
pub const NOBODY: Duration = Duration::from_secs(120);

/// What surrounds the computers: how they are served, and who else is there.
#[derive(Clone, Debug, PartialEq)]
pub struct Surroundings {
    /// How addresses are given.
    pub mode: DhcpMode,
    /// Since when computers are served.
    pub since: Timestamp,
    /// The port that files are fetched from by HTTP.
    pub http_port: u16,
    /// What the menu starts by itself, by its title; none is the computer's own disk.
    pub default: Option<String>,
    /// After how many seconds; 0 is at once.
    pub timeout: u32,
    /// What each entry of the menu needs.
    pub needs: Vec<Need>,
    /// Other DHCP servers that were heard on this network.
    pub foreign: Vec<Foreign>,
}

/// Another DHCP server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Its address.
    pub server: Ipv4Addr,
    /// Who made it, where that is known.
    pub vendor: Option<String>,
}

/// What an entry needs of a computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Its title.
    pub title: String,
    /// Its image: the place in the served tree.
    pub image: String,
    /// Its kernel in the image.
    pub kernel: Option<String>,
    /// Its initrds in the image.
    pub initrd: Vec<String>,
    /// Memory in MiB, where that is known.
    pub min_ram_mb: Option<u64>,
    /// Bytes of the image, where all of it is loaded into memory.
    pub whole: Option<u64>,
    /// Whether its system fetches more files by itself, before it asks anybody anything.
    pub fetches: bool,
}

impl Surroundings {
    /// What surrounds computers while a plan is served.
    pub fn of(plan: &Plan, listening: &Listening, since: Timestamp) -> Surroundings {
        let mode = match plan.dhcp {
            DhcpPlan::Full { .. } => DhcpMode::Full,
            DhcpPlan::Proxy => DhcpMode::Proxy,
            DhcpPlan::Off => DhcpMode::Off,
        };
        let entries = &listening.entries;
        let default = match &plan.default {
            Choice::Local => None,
            Choice::Entry(id) => entries.iter().find(|item| item.id == *id),
            Choice::Position(position) => position.checked_sub(1).and_then(|index| entries.get(index)),
        };
        let ids = crate::boot::menu::image_ids(&listening.images);
        let size = |image: &str| {
            let found = ids.iter().zip(&listening.images).find(|(id, _)| *id == image);
            found.map(|(_, inspection)| inspection.size)
        };
        Surroundings {
            mode,
            since,
            http_port: listening.http_port,
            default: default.map(|item| item.entry.title.clone()),
            timeout: plan.menu_timeout,
            needs: entries.iter().map(|item| Need::of(item, size(&item.image))).collect(),
            foreign: Vec::new(),
        }
    }

    /// The other DHCP servers, as they are named in a sentence.
    fn servers(&self) -> String {
        let name = |foreign: &Foreign| match &foreign.vendor {
            Some(vendor) => format!("{} ({})", foreign.server, crate::text::plain(vendor, 40)),
            None => foreign.server.to_string(),
        };
        self.foreign.iter().take(3).map(name).collect::<Vec<_>>().join(" and ")
    }
}

impl Need {
    /// Whether the menu names this file of the tree, so that a loader asks for it and not the system.
    fn names(&self, file: &str) -> bool {
        self.kernel.iter().chain(&self.initrd).any(|path| file.ends_with(path.as_str()))
    }

    fn of(item: &Item, image_size: Option<u64>) -> Need {
        let entry = &item.entry;
        let injected = entry.inject.iter().any(|file| file.from == WHOLE_IMAGE);
        let in_memory = injected || matches!(entry.transport, Transport::HttpIso | Transport::Memdisk);
        Need {
            title: entry.title.clone(),
            image: item.image.clone(),
            kernel: entry.kernel.clone(),
            initrd: entry.initrd.clone(),
            min_ram_mb: entry.min_ram_mb,
            whole: image_size.filter(|_| in_memory),
            fetches: ["{base_url}", "{iso_url}"].iter().any(|place| entry.cmdline.contains(place)),
        }
    }
}

/// What keeps a computer, the surest first; trouble stands before what is only worth knowing. Empty where all is well.
pub fn diagnose(computer: &Computer, now: Timestamp, around: &Surroundings) -> Vec<Cause> {
    let story = Story::of(computer, now, around);
    let mut causes: Vec<Cause> = Vec::new();
    for cause in loading::causes(&story).into_iter().chain(asking::causes(&story)).chain(running::causes(&story)) {
        match causes.iter_mut().find(|known| known.kind == cause.kind) {
            Some(known) if known.likelihood <= cause.likelihood => {}
            Some(known) => *known = cause,
            None => causes.push(cause),
        }
    }
    causes.sort_by_key(|cause| (!cause.is_trouble(), cause.likelihood));
    causes
}

/// What to look for where nobody asks for anything; `others` says whether DHCP of ordinary computers was heard.
pub fn nothing_arrives(around: &Surroundings, others: bool, now: Timestamp) -> Option<Cause> {
    let waited = Duration::try_from(now.duration_since(around.since)).unwrap_or_default();
    let (likelihood, more, next_step) = match others {
        _ if waited < NOBODY => return None,
        true => (
            Likelihood::Likely,
            " Ordinary computers of this network were heard, so cable and firewall let questions through.",
            "Switch network boot (PXE) on in the computer's firmware and put it first, or choose it in its boot menu. Check \
             that the computer is on the same network (VLAN) as this one.",
        ),
        false => (
            Likelihood::Certain,
            "",
            "Check the cable and that both ends are on one switch or VLAN; that a firewall on this computer lets UDP 67, 69, \
             4011 and TCP 80 in; and that network boot is switched on in the computer's firmware.",
        ),
    };
    let evidence = format!("Nobody has asked for {}.{more}", span(waited));
    let next_step = next_step.replace("TCP 80", &format!("TCP {}", around.http_port));
    Some(Cause { kind: Kind::NothingArrives, likelihood, since: around.since, evidence, next_step })
}

/// How long something lasts, in one unit: `8 s`, `3 minutes`.
fn span(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} minutes", seconds / 60),
        seconds => format!("{} hours", seconds / 3600),
    }
}

fn bytes(count: u64) -> String {
    wording::bytes(count)
}
