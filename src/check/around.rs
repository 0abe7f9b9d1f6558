//! What is around the services and can spoil them: power, the clock, room on the disk, other networks, where images lie.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use ipnet::Ipv4Net;
use jiff::Timestamp;

use super::Finding;
use super::wording::around as say;
use crate::net::Interface;
use crate::net::awake::Power;
use crate::net::place::{Cable, Place};
use crate::text;

/// All of it, as it was found. What could not be found out is as it should be.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// Sleep and power.
    pub power: Power,
    /// The time.
    pub clock: Option<Clock>,
    /// Bytes that are free where files are kept.
    pub room: Option<u64>,
    /// The computer's interfaces, with their networks.
    pub interfaces: Vec<Interface>,
    /// The cable of the chosen one.
    pub cable: Cable,
    /// Images that do not lie on a disk of this computer.
    pub elsewhere: Vec<(PathBuf, Place)>,
    /// Images that are not what they were.
    pub changed: Vec<(PathBuf, Change)>,
}

/// The time as this computer knows it.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Now.
    pub now: Timestamp,
    /// Whether somebody keeps it right, where the system tells.
    pub is_kept: Option<bool>,
}

/// What is known of an image that is not what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was written to since it was chosen.
    SinceChosen,
    /// It was written to since its checksum was compared.
    SinceCompared,
    /// Its checksum is not that of the list.
    Differs,
}

/// Before this nobody had this program (2024-01-01).
const EARLIEST: i64 = 1_704_067_200;
/// Leases and what else is kept need far less, but a disk that is this full is full soon.
const LITTLE_ROOM: u64 = 50_000_000;

/// This computer.
pub(super) fn this_computer(around: &Around) -> Vec<Finding> {
    let Power { can_stay, on_battery, is_portable } = around.power;
    let sleep = match (can_stay, is_portable) {
        (true, _) => Some(say::stays_awake()),
        (false, true) => Some(super::wording::meanwhile::asleep()),
        // A computer without a battery does not sleep unless it was told to.
        (false, false) => None,
    };
    let clock = around.clock.map(|Clock { now, is_kept }| match is_kept {
        _ if now.as_second() < EARLIEST => say::wrong_year(now),
        Some(false) => say::clock_is_not_kept(now),
        _ => say::clock(now),
    });
    let room = around.room.filter(|room| *room < LITTLE_ROOM).map(say::little_room);
    sleep.into_iter().chain(on_battery.map(say::on_battery)).chain(clock).chain(room).collect()
}

/// The network, beside what is told of the interface itself.
pub(super) fn network(around: &Around, chosen: &Interface) -> Vec<Finding> {
    let name = text::plain(&chosen.friendly_name, 60);
    let half = around.cable.half_duplex.then(|| say::half_duplex(&name));
    let vlan = around.cable.vlan.map(|number| say::vlan(&name, number));
    let own = chosen.network().filter(|own| is_made_up(own.addr())).map(|own| say::made_up(&name, own.addr()));
    let others = around.interfaces.iter().filter(|other| other.index != chosen.index);
    let overlap = chosen.network().and_then(|own| {
        let overlapping = |other: &Interface| other.addresses.iter().copied().find(|net| overlap(own, *net));
        others.clone().find_map(|other| Some((other, overlapping(other)?)))
    });
    let overlap = overlap.map(|(other, net)| say::overlap(&name, &text::plain(&other.friendly_name, 60), net.trunc()));
    [half, vlan, own, overlap].into_iter().flatten().collect()
}

/// The images.
pub(super) fn files(around: &Around) -> Vec<Finding> {
    let elsewhere = around.elsewhere.iter().map(|(path, place)| say::elsewhere(path, *place));
    around.changed.iter().map(|(path, change)| say::changed(path, *change)).chain(elsewhere).collect()
}

/// An address that the system gave itself, since nobody else did (RFC 3927).
fn is_made_up(address: Ipv4Addr) -> bool {
    address.is_link_local()
}

fn overlap(one: Ipv4Net, other: Ipv4Net) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

/// An image that is not what it was when it was chosen.
pub fn changed_since_chosen(path: &Path) -> Finding {
    say::changed(path, Change::SinceChosen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict;
    use crate::net::interface::{self, Kind};

    fn interface(index: u32, address: &str) -> Interface {
        let name = format!("eth{index}");
        let addresses = vec![address.parse().unwrap()];
        let loopback = interface::list().pop().unwrap();
        Interface { friendly_name: name.clone(), name, index, kind: Kind::Wired, addresses, ..loopback }
    }

    fn titles(findings: &[Finding], verdict: Verdict) -> Vec<&str> {
        findings.iter().filter(|it| it.verdict == verdict).map(|it| it.title.as_str()).collect()
    }

    #[test]
    fn power_clock_and_room_are_told_where_they_are_short() {
        let clock = |text: &str, is_kept| Some(Clock { now: text.parse().unwrap(), is_kept });
        let good = Around {
            power: Power { can_stay: true, on_battery: None, is_portable: true },
            clock: clock("2026-11-26T12:00:00Z", Some(true)),
            room: Some(1 << 40),
            ..Around::default()
        };
        assert!(titles(&this_computer(&good), Verdict::Caution).is_empty(), "{:#?}", this_computer(&good));
        let bad = Around {
            power: Power { can_stay: false, on_battery: Some(12), is_portable: true },
            clock: clock("2019-01-01T00:00:00Z", Some(false)),
            room: Some(1_000_000),
            ..good.clone()
        };
        let found = this_computer(&bad);
        let expected = [
            "Nothing keeps this computer awake while it serves.",
            "This computer runs on its battery, which has 12 % left.",
            "This computer's clock says 2019-01-01.",
            "Only 1.0 MB are free where settings and given addresses are kept.",
        ];
        assert_eq!(titles(&found, Verdict::Caution), expected);
        let unkept = Around { clock: clock("2026-11-26T12:00:00Z", Some(false)), ..good };
        assert_eq!(titles(&this_computer(&unkept), Verdict::Pass).len(), 2, "a clock that nobody keeps is told only");
        assert!(this_computer(&Around::default()).is_empty(), "what is not known is not told");
    }

    #[test]
    fn networks_that_overlap_and_addresses_that_nobody_gave_are_told() {
        let chosen = interface(2, "10.77.0.1/24");
        let with = |interfaces: Vec<Interface>, cable| Around { interfaces, cable, ..Around::default() };
        let around =
            with(vec![chosen.clone(), interface(3, "10.0.0.9/8"), interface(4, "192.168.1.1/24")], Cable::default());
        let found = network(&around, &chosen);
        assert_eq!(titles(&found, Verdict::Caution), ["eth2 and eth3 are both in 10.0.0.0/8."]);
        let apart = with(vec![chosen.clone(), interface(4, "192.168.1.1/24")], Cable::default());
        assert!(network(&apart, &chosen).is_empty());
        let odd = with(vec![], Cable { half_duplex: true, vlan: Some(7) });
        let found = network(&odd, &interface(2, "169.254.7.7/16"));
        let expected = [
            "eth2 is connected so that only one end may talk at a time (half duplex).",
            "eth2 is the virtual network 7 of a cable.",
            "eth2 gave itself the address 169.254.7.7, since nobody else did.",
        ];
        assert_eq!(titles(&found, Verdict::Caution), expected);
    }

    #[test]
    fn images_that_lie_elsewhere_or_changed_are_told() {
        let image = || PathBuf::from("/x/a.iso");
        let around = Around {
            elsewhere: vec![(image(), Place::Network), (image(), Place::Removable)],
            changed: vec![(image(), Change::SinceChosen), (image(), Change::SinceCompared), (image(), Change::Differs)],
            ..Around::default()
        };
        let found = files(&around);
        assert_eq!(found.len(), 5);
        for finding in &found {
            assert!(finding.verdict == Verdict::Caution && finding.title.contains("a.iso"), "{finding:#?}");
            assert!(!finding.meaning.is_empty() && finding.next_step.ends_with('.'), "{finding:#?}");
        }
    }
}
