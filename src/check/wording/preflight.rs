//! The sentences of the checks before the start.

use std::net::Ipv4Addr;
use std::path::Path;

use ipnet::Ipv4Net;

use crate::boot::Platform;
use crate::check::{Finding, Remedy, Subject};
use crate::image;
use crate::net::interface::Kind;
use crate::text;

/// Something that is as it should be: nothing follows from it.
pub(super) fn passed(subject: Subject, title: impl Into<String>) -> Finding {
    Finding::new(title, "", "").about(subject).pass()
}

fn path(path: &Path) -> String {
    text::plain(&path.to_string_lossy(), 500)
}

// This computer.

/// The ports may be opened.
pub(in crate::check) fn may_open() -> Finding {
    passed(Subject::ThisComputer, "This computer may open the ports.")
}

/// They may be opened once the password is given.
pub(in crate::check) fn asks_first() -> Finding {
    passed(Subject::ThisComputer, "Starting asks for your password once: ports below 1024 belong to the system.")
}

/// They may not be opened from here.
pub(in crate::check) fn may_not_open() -> Finding {
    Finding::new(
        "Bootwright may not open the ports for booting computers.",
        "They belong to the system, and there is no way to ask for your password from here.",
        "Serve without the window: sudo packaging/run.sh serve, or bootwright serve as root.",
    )
    .about(Subject::ThisComputer)
}

/// Settings and leases have their place.
pub(in crate::check) fn state_kept() -> Finding {
    passed(Subject::ThisComputer, "Settings and given addresses are kept.")
}

/// Leases cannot be kept, and they have to be.
pub(in crate::check) fn leases_lost(folder: &Path, reason: &str) -> Finding {
    Finding::new(
        format!("{} cannot be written to.", path(folder)),
        "The addresses that computers got are kept there: after a restart two computers could get the same one.",
        "Make that folder writable for this user, or make some room on its disk, and check again.",
    )
    .about(Subject::ThisComputer)
    .with(text::plain(reason, 200))
}

/// Nothing that booting needs is kept there.
pub(in crate::check) fn settings_lost(folder: &Path, reason: &str) -> Finding {
    Finding::new(
        format!("{} cannot be written to.", path(folder)),
        "Computers boot all the same, but what is set up here is forgotten when the window is closed.",
        "Make that folder writable for this user, or make some room on its disk.",
    )
    .about(Subject::ThisComputer)
    .caution()
    .with(text::plain(reason, 200))
}

/// Every common kind of computer has a boot loader.
pub(in crate::check) fn loaders_found() -> Finding {
    let title =
        format!("Boot loaders for {} and {} computers are there.", Platform::Bios.name(), Platform::EfiX64.name());
    passed(Subject::ThisComputer, title)
}

/// The answer files can be read, and are filled in for each computer.
pub(in crate::check) fn answers_found() -> Finding {
    passed(Subject::Files, "The answer files are without mistakes.")
}

/// There is no boot loader, in the folder that was named for them or anywhere.
pub(in crate::check) fn no_loaders(folder: Option<&Path>) -> Finding {
    let title = match folder {
        Some(folder) => format!("There are no boot loaders in {}.", path(folder)),
        None => "There are no boot loaders on this computer.".to_owned(),
    };
    Finding::new(
        title,
        "Without one no computer can boot.",
        "Run packaging/run.sh --prepare, or name a folder that has undionly.kpxe and snponly.efi.",
    )
    .about(Subject::ThisComputer)
}

// Network.

/// Nothing was chosen to serve.
pub(in crate::check) fn no_network() -> Finding {
    Finding::new(
        "No network is chosen.",
        "Computers boot over one.",
        "Choose it on the Network page, or name it with --interface.",
    )
}

/// The interface is not in the system's list.
pub(in crate::check) fn interface_gone(name: &str, known: &[String]) -> Finding {
    let others: Vec<String> = known.iter().map(|name| text::plain(name, 40)).collect();
    let others = if others.is_empty() { String::new() } else { format!(": {}", others.join(", ")) };
    Finding::new(
        format!("{} is not there.", text::plain(name, 60)),
        "Computers cannot be reached over it.",
        format!("Plug it in, or choose another one{others}."),
    )
}

/// The interface has an address.
pub(in crate::check) fn has_address(name: &str, address: Ipv4Addr) -> Finding {
    passed(Subject::Network, format!("This computer is {address} on {name}."))
}

/// The interface has no address; one can be given where there is a proposal.
pub(in crate::check) fn no_address(name: &str, proposal: Option<Ipv4Net>) -> Finding {
    let words = |step: String| {
        Finding::new(format!("{name} has no address."), "Computers could not be told where to load from.", step)
    };
    match proposal {
        Some(address) => {
            words(format!("Set {address} until Bootwright ends, or give it one in the system's settings."))
                .remedy(Remedy::SetAddress(address))
        }
        None => words("Connect it, or give it an address in the system's settings.".to_owned()),
    }
}

/// The interface is connected to something.
pub(in crate::check) fn connected(name: &str, mbps: Option<u64>) -> Finding {
    let title = match mbps {
        Some(mbps) => format!("{name} is connected with {}.", speed(mbps)),
        None => format!("{name} is connected."),
    };
    passed(Subject::Network, title)
}

/// The interface is connected, and slow.
pub(in crate::check) fn slow(name: &str, mbps: u64) -> Finding {
    // Of 100 bits on an Ethernet cable, some six are headers and gaps.
    let megabytes = (mbps * 94 / 800).max(1);
    Finding::new(
        format!("{name} is connected with {} only.", speed(mbps)),
        format!("That is about {megabytes} MB/s for all computers together: large images take long."),
        "Use a gigabit port, and a cable with all eight wires.",
    )
    .caution()
}

/// The speed of a link for people, from megabits a second: `100 Mbit/s`, `2.5 Gbit/s`.
pub fn speed(mbps: u64) -> String {
    match mbps {
        0..1000 => format!("{mbps} Mbit/s"),
        _ if mbps.is_multiple_of(1000) => format!("{} Gbit/s", mbps / 1000),
        _ => format!("{}.{} Gbit/s", mbps / 1000, mbps % 1000 / 100),
    }
}

/// The interface is connected to nothing.
pub(in crate::check) fn no_link(name: &str, kind: Kind) -> Finding {
    let step = match kind {
        Kind::Wired => "Plug the cable in; it is noticed by itself.",
        Kind::Wifi => "Join its network; it is noticed by itself.",
        _ => "Switch it on; it is noticed by itself.",
    };
    Finding::new(format!("{name} has no link."), "No computer can be reached over it.", step).caution()
}

/// What it means for booting that the interface is of this kind; nothing for a cable.
pub(in crate::check) fn of_kind(name: &str, kind: Kind) -> Option<Finding> {
    let (is, meaning, step) = match kind {
        Kind::Wired => return None,
        Kind::Wifi => (
            "is Wi-Fi",
            "Firmware cannot boot over Wi-Fi. Only computers on a cable that its access point passes on can boot.",
            "Choose a wired network, or connect the computers to the access point by cable.",
        ),
        Kind::Virtual => (
            "is made by software",
            "Only virtual machines and containers of this computer can boot over it.",
            "Choose a wired network if real computers are to boot.",
        ),
        Kind::Bridge => (
            "is a bridge",
            "Only what hangs on it can boot over it: virtual machines, or computers on a cable that belongs to it.",
            "Make sure that the right cable belongs to it, or choose a wired network.",
        ),
        Kind::Vpn => (
            "is a tunnel to another network",
            "Firmware asks its own cable for what to boot, and a tunnel does not pass that on.",
            "Choose a wired network.",
        ),
        Kind::Loopback => {
            ("is this computer itself", "No other computer can be reached over it.", "Choose a wired network.")
        }
    };
    Some(Finding::new(format!("{name} {is}."), meaning, step).caution())
}

/// The addresses that are handed out. Those that belong to somebody are not counted.
pub(in crate::check) fn range(first: Ipv4Addr, last: Ipv4Addr, count: u64) -> Finding {
    passed(Subject::Network, range_title(first, last, count))
}

/// The same where they are few.
pub(in crate::check) fn small_range(first: Ipv4Addr, last: Ipv4Addr, count: u64) -> Finding {
    Finding::new(
        range_title(first, last, count),
        "A computer takes a second one when it starts its system, so the next one may get none.",
        "Go back to Network and give a larger range.",
    )
    .caution()
}

fn range_title(first: Ipv4Addr, last: Ipv4Addr, count: u64) -> String {
    let computers = if count == 1 { "1 computer".to_owned() } else { format!("{count} computers") };
    match first == last {
        true => format!("The address {first} is handed out: {computers}."),
        false => format!("Addresses {first} to {last} are handed out: {computers}."),
    }
}

/// The interface has a router, which usually gives addresses, and it is going to be us who does.
pub(in crate::check) fn router_seen(name: &str, router: Ipv4Addr) -> Finding {
    Finding::new(
        format!("{name} uses the router {router}, which usually gives addresses. It could not be asked."),
        "Two DHCP servers on one network give one address to two computers.",
        "Work beside it, or make sure that it gives no addresses.",
    )
    .caution()
    .remedy(Remedy::UseProxyMode)
}

// Files.

/// So many images can be read.
pub(in crate::check) fn images_readable(count: usize) -> Finding {
    let title = if count == 1 { "1 image can be read.".to_owned() } else { format!("{count} images can be read.") };
    passed(Subject::Files, title)
}

/// An image has nothing that can be started; what was said about it, if anything.
pub(in crate::check) fn no_entries_in(file: &Path, warnings: &[String]) -> Finding {
    let meaning = match warnings {
        [] => "It adds nothing to the menu.".to_owned(),
        warnings => text::plain(&warnings.join(" "), 500),
    };
    Finding::new(
        format!("{} has nothing that can be started over a network.", image::file_name(file)),
        meaning,
        "Use another image of that system, or take this one out.",
    )
    .about(Subject::Files)
    .caution()
    .remedy(Remedy::RemoveImage(file.to_path_buf()))
}

/// Something to know about an image.
pub(in crate::check) fn image_warning(file: &Path, warning: &str) -> Finding {
    Finding::new(
        format!("There is something to know about {}.", image::file_name(file)),
        text::plain(warning, 500),
        "Start it on one computer first, and see whether that matters to you.",
    )
    .about(Subject::Files)
    .caution()
}

/// The menu offers nothing.
pub(in crate::check) fn empty_menu() -> Finding {
    Finding::new(
        "The menu is empty: it offers each computer its own disk only.",
        "Nothing else can be started.",
        "Add an image, or show a hidden entry of the menu.",
    )
    .about(Subject::Files)
    .caution()
}

/// What is to start by itself is not in the menu.
pub(in crate::check) fn no_default(wanted: &str) -> Finding {
    Finding::new(
        format!("The menu has no entry {}, which is to start by itself.", text::plain(wanted, 60)),
        "A computer that nobody attends would not know what to start.",
        "Go back to the menu and choose another one.",
    )
    .about(Subject::Files)
}

/// The most memory that any entry needs, in MiB.
pub(in crate::check) fn memory(title: &str, mib: u64) -> Finding {
    let (whole, tenths) = (mib / 1024, mib % 1024 * 10 / 1024);
    let title = format!("Computers need {whole}.{tenths} GB of memory for {}.", text::plain(title, 100));
    passed(Subject::Files, title)
}

/// The folder of more files is published.
pub(in crate::check) fn folder_published(folder: &Path) -> Finding {
    passed(Subject::Files, format!("The folder {} can be read.", path(folder)))
}

/// The folder of more files cannot be read.
pub(in crate::check) fn folder_gone(folder: &Path, reason: &str) -> Finding {
    Finding::new(
        format!("The folder {} cannot be read.", path(folder)),
        "Computers are to load files from it, and would not find them.",
        "Make it readable, or name another folder, and check again.",
    )
    .about(Subject::Files)
    .with(text::plain(reason, 200))
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn and(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [several @ .., last] => format!("{} and {last}", several.join(", ")),
    }
}
