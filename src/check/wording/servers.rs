//! The sentences about other DHCP servers before the start: who they are, and what that means for booting.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::preflight::{and, passed};
use crate::check::{Finding, Remedy, Subject};
use crate::dhcp::probe::Answer;
use crate::journal::wording::server_name;
use crate::mac::Mac;
use crate::text;

/// Makers of network cards, by the cards.
type Vendors = BTreeMap<Mac, String>;

/// Addresses are to be handed out where somebody else does that.
pub(in crate::check) fn two_servers(name: &str, answers: &[&Answer], vendors: &Vendors) -> Finding {
    Finding::new(
        title(name, answers, vendors),
        "Two such servers on one network disturb each other, and everybody on it.",
        "Work beside it, or connect the computers to a switch of their own.",
    )
    .caution()
    .remedy(Remedy::UseProxyMode)
}

/// Somebody else gives addresses, as it should be.
pub(in crate::check) fn beside(name: &str, answers: &[&Answer], vendors: &Vendors) -> Finding {
    passed(Subject::Network, title(name, answers, vendors))
}

/// Somebody else gives addresses and has to say what to boot: whether it does.
pub(in crate::check) fn told_by_another(name: &str, answers: &[&Answer], vendors: &Vendors) -> Finding {
    let boots: Vec<String> = answers.iter().filter_map(|answer| answer.boot_file.clone()).collect();
    let title = title(name, answers, vendors);
    if boots.is_empty() {
        return Finding::new(
            title,
            "It did not say what to boot when it was asked, and nobody else does.",
            "Have it name our boot file to computers that boot from the network, or work beside it.",
        )
        .caution()
        .remedy(Remedy::UseProxyMode);
    }
    passed(Subject::Network, format!("{} It says what to boot: {}.", title, text::plain(&boots.join(", "), 200)))
}

/// Another server hands out a boot file, and so do we.
pub(in crate::check) fn boots_as_well(server: Ipv4Addr, file: &str) -> Finding {
    Finding::new(
        format!("{server} also hands out the boot file {}.", text::plain(file, 100)),
        "Computers are told two things, and which one they follow differs from firmware to firmware.",
        "Take the boot file out of that server's settings (options 66 and 67), or leave booting to it.",
    )
    .caution()
}

/// Each server by its address, its network card and who made that.
fn title(name: &str, answers: &[&Answer], vendors: &Vendors) -> String {
    let names: Vec<String> = answers.iter().map(|answer| who(answer, vendors)).collect();
    let verb = if names.len() == 1 { "gives" } else { "give" };
    format!("{} {verb} addresses on {name}.", and(&names))
}

fn who(answer: &Answer, vendors: &Vendors) -> String {
    let maker = answer.mac.and_then(|mac| vendors.get(&mac));
    server_name(answer.server, answer.mac, maker.map(String::as_str))
}

/// Nobody gives addresses, and it is not to be us.
pub(in crate::check) fn no_server(name: &str) -> Finding {
    Finding::new(
        format!("Nobody gives addresses on {name}, so computers would get none."),
        "A computer without an address cannot load anything.",
        "Hand out addresses, or connect the network's router.",
    )
    .caution()
    .remedy(Remedy::UseFullMode)
}

/// The same where another server has to say what to boot as well.
pub(in crate::check) fn no_server_when_off(name: &str) -> Finding {
    Finding::new(
        format!("Nobody gives addresses on {name}, and nobody says what to boot."),
        "A computer without an address cannot load anything, and one that is told nothing starts from its own disk.",
        "Hand out addresses, or connect the DHCP server that is to do it.",
    )
    .caution()
    .remedy(Remedy::UseFullMode)
}

/// Nobody else gives addresses, as it should be.
pub(in crate::check) fn only_server(name: &str) -> Finding {
    passed(Subject::Network, format!("Nobody answered as a DHCP server on {name}."))
}

/// It could not be found out whether somebody gives addresses, and we are going to.
pub(in crate::check) fn unasked_full(name: &str) -> Finding {
    Finding::new(
        unasked_title(name),
        "If there is one, it and Bootwright disturb each other, and everybody on that network.",
        "Make sure that no router or server gives addresses there, for example with a switch of its own.",
    )
    .caution()
}

/// The same where we are not going to.
pub(in crate::check) fn unasked_beside(name: &str) -> Finding {
    Finding::new(
        unasked_title(name),
        "If there is none, computers get no address and cannot boot.",
        "Make sure that a router or server gives addresses there.",
    )
    .caution()
}

fn unasked_title(name: &str) -> String {
    format!("Nobody could be asked whether there is a DHCP server on {name}.")
}

/// Other DHCP servers may stay unnoticed while addresses are handed out.
pub fn unguarded() -> Finding {
    Finding::new(
        "Other DHCP servers are noticed only when a computer takes their offer.",
        "The right to listen for them and to ask for them is missing. Two servers give one address to two computers.",
        "Start with sudo, or make sure that there is no other DHCP server on this cable.",
    )
    .caution()
}

/// Another DHCP server was heard on the network where addresses were handed out.
pub fn foreign_server(server: Ipv4Addr, card: Option<Mac>, maker: Option<&str>) -> Finding {
    let server = server_name(server, card, maker);
    Finding::new(
        format!("{server} gives addresses on this network too, so Bootwright has stopped handing them out."),
        "Two DHCP servers give one address to two computers. Computers that have an address from here keep it; new ones \
         get theirs from that server, and nothing to boot.",
        "Work beside it, or unplug it and start again.",
    )
    .remedy(Remedy::UseProxyMode)
}
