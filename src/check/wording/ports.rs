//! The sentences about ports before the start: free, held by whom, and how that one is stopped.

use super::preflight::{and, passed};
use crate::check::holders::{self, Known, System};
use crate::check::{Finding, Remedy, Subject};
use crate::net::ports::{Holder, Transport};
use crate::net::survey::PortState;
use crate::text;

/// These ports can be opened, in any order.
pub(in crate::check) fn free(ports: &[u16]) -> Finding {
    let mut ports = ports.to_vec();
    ports.sort_unstable();
    ports.dedup();
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    let title = match ports.as_slice() {
        [one] => format!("The port {one} is free."),
        several => format!("The ports {} are free.", and(several)),
    };
    passed(Subject::ThisComputer, title)
}

/// A port that is needed belongs to somebody else.
pub(in crate::check) fn held(port: &PortState, holder: Option<&Holder>) -> Finding {
    let PortState { transport, port, .. } = port;
    let known = known(holder, *transport, *port);
    let finding =
        Finding::new(title(*transport, *port, holder), joined([&known.what, needs(*transport, *port)]), known.step);
    let finding = finding.about(Subject::ThisComputer);
    match known.service {
        Some(service) => finding.remedy(Remedy::StopService(service)),
        None => finding,
    }
}

/// The usual port for files is taken, and another one is used.
pub(in crate::check) fn http_elsewhere(holder: Option<&Holder>, port: u16, other: u16) -> Finding {
    let known = known(holder, Transport::Tcp, port);
    let meaning = format!("Files are served on port {other} instead: computers are told, and boot as well.");
    Finding::new(
        title(Transport::Tcp, port, holder),
        joined([&known.what, &meaning]),
        format!("Nothing has to be done. To have port {port}: {}", lower(&known.step)),
    )
    .about(Subject::ThisComputer)
    .caution()
}

/// The port for files that was chosen is taken.
pub(in crate::check) fn http_held(holder: Option<&Holder>, port: u16, other: u16) -> Finding {
    let known = known(holder, Transport::Tcp, port);
    Finding::new(
        title(Transport::Tcp, port, holder),
        joined([&known.what, needs(Transport::Tcp, port)]),
        format!("{} Or serve files on another port, like {other}.", known.step),
    )
    .about(Subject::ThisComputer)
    .remedy(Remedy::UseHttpPort(other))
}

/// Neither of the two ports for files can be had.
pub(in crate::check) fn http_nowhere(holder: Option<&Holder>, port: u16, second: u16, other: u16) -> Finding {
    let known = known(holder, Transport::Tcp, port);
    Finding::new(
        format!("TCP port {port} is held by {}, and port {second} cannot be opened either.", held_by(holder)),
        joined([&known.what, "Computers load their files from one of them, so they could not boot."]),
        format!("{} Or serve files on another port, like {other}.", known.step),
    )
    .about(Subject::ThisComputer)
    .remedy(Remedy::UseHttpPort(other))
}

/// A port cannot be opened for a reason of its own.
pub(in crate::check) fn closed(port: &PortState, reason: &str) -> Finding {
    let PortState { transport, port, .. } = port;
    Finding::new(
        format!("{transport} port {port} cannot be opened."),
        needs(*transport, *port),
        "Check that the network is up and has its address, and check again.",
    )
    .about(Subject::ThisComputer)
    .with(text::plain(reason, 200))
}

fn title(transport: Transport, port: u16, holder: Option<&Holder>) -> String {
    format!("{transport} port {port} is held by {}.", held_by(holder))
}

fn known(holder: Option<&Holder>, transport: Transport, port: u16) -> Known {
    match holder {
        Some(holder) => holders::known(holder, System::HERE, transport, port),
        None => Known {
            what: String::new(),
            step: format!("Find out which one with {}, and stop it.", holders::listing(System::HERE, transport, port)),
            service: None,
        },
    }
}

fn needs(transport: Transport, port: u16) -> &'static str {
    match (transport, port) {
        (Transport::Tcp, _) => "Computers load their files from it, so they could not boot.",
        (Transport::Udp, 67) => {
            "Computers that start from the network ask there, and would hear nothing from Bootwright."
        }
        (Transport::Udp, 4011) => "Many computers ask there what to boot, and would hear nothing.",
        (Transport::Udp, _) => "Computers load their boot loader from it, so none could boot.",
    }
}

fn held_by(holder: Option<&Holder>) -> String {
    holder.map_or("another program".to_owned(), |holder| text::plain(&holder.to_string(), 100))
}

fn joined<const COUNT: usize>(sentences: [&str; COUNT]) -> String {
    sentences.into_iter().filter(|sentence| !sentence.is_empty()).collect::<Vec<_>>().join(" ")
}

fn lower(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
