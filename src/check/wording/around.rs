//! The sentences about what is around the services: power, the clock, the disk, other networks, where images lie.

use std::net::Ipv4Addr;
use std::path::Path;

use ipnet::Ipv4Net;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::preflight::passed;
use crate::check::around::Change;
use crate::check::{Finding, Remedy, Subject};
use crate::image;
use crate::journal::wording;
use crate::net::place::Place;

/// The system keeps this computer awake when it is asked to.
pub(in crate::check) fn stays_awake() -> Finding {
    passed(Subject::ThisComputer, "This computer is kept awake while it serves.")
}

/// No cable feeds the computer.
pub(in crate::check) fn on_battery(percent: u8) -> Finding {
    Finding::new(
        format!("This computer runs on its battery, which has {percent} % left."),
        "When it is empty, computers in the middle of booting are cut off; some laptops also slow their network down.",
        "Plug the power cable in.",
    )
    .about(Subject::ThisComputer)
    .caution()
}

fn day(now: Timestamp) -> String {
    now.to_zoned(TimeZone::system()).strftime("%Y-%m-%d").to_string()
}

/// A date that cannot be.
pub(in crate::check) fn wrong_year(now: Timestamp) -> Finding {
    Finding::new(
        format!("This computer's clock says {}.", day(now)),
        "Answer files are given for a limited time, and logs and files carry the date: both would be wrong.",
        "Set the date and the time in the system's settings.",
    )
    .about(Subject::ThisComputer)
    .caution()
}

/// Nobody keeps the clock right, which is how it is on a bench without the Internet.
pub(in crate::check) fn clock_is_not_kept(now: Timestamp) -> Finding {
    let time = now.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string();
    passed(Subject::ThisComputer, format!("This computer's clock says {time}, and no time server keeps it right."))
}

/// The date can be.
pub(in crate::check) fn clock(now: Timestamp) -> Finding {
    passed(Subject::ThisComputer, format!("This computer's clock says {}.", day(now)))
}

/// The disk is nearly full.
pub(in crate::check) fn little_room(bytes: u64) -> Finding {
    Finding::new(
        format!("Only {} are free where settings and given addresses are kept.", wording::bytes(bytes)),
        "When there is no room any more, two computers may get the same address after a restart.",
        "Make some room on that disk.",
    )
    .about(Subject::ThisComputer)
    .caution()
}

/// One end at a time.
pub(in crate::check) fn half_duplex(name: &str) -> Finding {
    Finding::new(
        format!("{name} is connected so that only one end may talk at a time (half duplex)."),
        "Loading is slow and breaks off under load: usually one end was set by hand and the other was not.",
        "Let both ends find out by themselves (auto-negotiation), or use another cable or port.",
    )
    .caution()
}

/// A virtual network.
pub(in crate::check) fn vlan(name: &str, number: u16) -> Finding {
    Finding::new(
        format!("{name} is the virtual network {number} of a cable."),
        "Firmware sends without a number: only computers at switch ports that belong to it without a tag can boot.",
        format!("Make sure that the switch has their ports in VLAN {number} untagged."),
    )
    .caution()
}

/// The system gave itself an address.
pub(in crate::check) fn made_up(name: &str, address: Ipv4Addr) -> Finding {
    Finding::new(
        format!("{name} gave itself the address {address}, since nobody else did."),
        "It may change by itself at any time, and what computers were told is wrong then.",
        "Give it a fixed address in the system's settings.",
    )
    .caution()
}

/// Two interfaces in one network.
pub(in crate::check) fn overlap(name: &str, other: &str, network: Ipv4Net) -> Finding {
    Finding::new(
        format!("{name} and {other} are both in {network}."),
        "The system sends answers out of one of them, and computers at the other one may hear nothing.",
        format!("Unplug {other} while serving, or give {name} an address of another network."),
    )
    .caution()
}

/// An image that does not lie on this computer's own disk.
pub(in crate::check) fn elsewhere(path: &Path, place: Place) -> Finding {
    let file = image::file_name(path);
    let (title, meaning) = match place {
        Place::Network => (
            format!("{file} lies on a network share."),
            "Every byte travels twice, and when the share is gone, computers are cut off.",
        ),
        Place::Removable => (
            format!("{file} lies on a drive that can be pulled out."),
            "When it is pulled out, computers in the middle of booting are cut off, and many at once read slowly.",
        ),
    };
    Finding::new(title, meaning, "Copy it to this computer's own disk if many computers boot from it.")
        .about(Subject::Files)
        .caution()
}

/// An image that is not what it was.
pub(in crate::check) fn changed(path: &Path, change: Change) -> Finding {
    let file = image::file_name(path);
    let finding = match change {
        Change::SinceChosen => Finding::new(
            format!("{file} was changed since it was chosen."),
            "It is served as it is now; what is in the menu may not be what was looked at.",
            "Look at its card on the Images page once more.",
        ),
        Change::SinceCompared => Finding::new(
            format!("{file} was changed since its checksum was compared."),
            "What was found then does not speak for what it is now.",
            "Compare its checksum again, with bootwright inspect --verify for example.",
        ),
        Change::Differs => Finding::new(
            format!("The checksum of {file} is not the one that its list has."),
            "It was damaged or changed on its way here, so it may not start, or not do what it says.",
            "Download it again.",
        )
        .remedy(Remedy::RemoveImage(path.to_path_buf())),
    };
    finding.about(Subject::Files).caution()
}
