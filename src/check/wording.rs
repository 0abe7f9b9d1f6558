//! The sentences. The only place for them.

mod answers;
pub(super) mod around;
mod images;
mod loaders;
pub(super) mod meanwhile;
mod plans;
pub(super) mod ports;
pub(super) mod preflight;
mod rehearsal;
mod rights;
pub(super) mod servers;

pub use answers::{answer_entry, answer_fault, explain_answers, published};
pub use images::{explain_disc, explain_list, locked_default, no_entries, one_firmware, wrong_recipe};
pub use loaders::{lacking, unserved};
pub use plans::{explain_lock, explain_plan, explain_save};
pub use rehearsal::{Failing, explain_rehearsal, failing};
pub use rights::explain_privilege;
pub use servers::{foreign_server, unguarded};

use super::{Finding, Remedy, Subject};
use crate::engine::Error;
use crate::text;

impl Remedy {
    /// What the button says that carries it out.
    pub fn label(&self) -> String {
        match self {
            Remedy::UseProxyMode => "Work beside it".to_owned(),
            Remedy::UseFullMode => "Hand out addresses".to_owned(),
            Remedy::SetAddress(address) => format!("Set {address}"),
            Remedy::RemoveImage(_) => "Take it out".to_owned(),
            Remedy::UseHttpPort(port) => format!("Use port {port}"),
            Remedy::OpenFirewall => "Open it while serving".to_owned(),
            Remedy::LeaveFirewall => "Leave it alone".to_owned(),
            Remedy::StopService(unit) => {
                let name = text::plain(unit.trim_end_matches(".service"), 30);
                format!("Stop {name} while serving")
            }
        }
    }

    /// The option of `bootwright serve` that carries it out, where there is one.
    pub fn option(&self) -> Option<String> {
        Some(match self {
            Remedy::UseProxyMode => "--dhcp proxy".to_owned(),
            Remedy::UseFullMode => "--dhcp full".to_owned(),
            Remedy::UseHttpPort(port) => format!("--http-port {port}"),
            Remedy::OpenFirewall => "--firewall open".to_owned(),
            Remedy::LeaveFirewall => "--firewall leave".to_owned(),
            Remedy::SetAddress(_) | Remedy::RemoveImage(_) | Remedy::StopService(_) => return None,
        })
    }
}

/// Why the services cannot run, or cannot go on.
pub fn explain(error: &Error) -> Finding {
    engine(error).about(subject(error))
}

fn subject(error: &Error) -> Subject {
    match error {
        Error::Image(_) | Error::NoDefault { .. } | Error::Files { .. } | Error::Answers(_) => Subject::Files,
        Error::InterfaceGone { .. } | Error::AddressGone { .. } => Subject::Network,
        Error::AnswerPublished { .. } | Error::AnswerEntry { .. } | Error::NoOnce { .. } => Subject::Files,
        Error::Bind { .. }
        | Error::Loader(_)
        | Error::NoLoaders { .. }
        | Error::Leases { .. }
        | Error::Names { .. }
        | Error::Ladder { .. }
        | Error::Approval { .. }
        | Error::Once { .. }
        | Error::Trace { .. }
        | Error::Broken(_) => Subject::ThisComputer,
    }
}

fn engine(error: &Error) -> Finding {
    match error {
        Error::Bind { interface, source } => rights::bind(interface, source),
        Error::Image(error) => explain_disc(error),
        Error::Answers(error) => explain_answers(error),
        Error::Loader(error) => Finding::new(
            format!("The boot loader {} cannot be opened.", error.path.display()),
            "",
            "Make it readable, or set up anew with packaging/run.sh --prepare.",
        )
        .with(&error.source),
        Error::NoLoaders { folders } => Finding::new(
            format!("No boot loaders were found in {}.", list(folders.iter().map(|path| path.display().to_string()))),
            "Without one no computer can boot.",
            "Run packaging/run.sh --prepare, or name a folder that has undionly.kpxe and snponly.efi with --loaders.",
        ),
        Error::NoDefault { wanted, known } if known.is_empty() => Finding::new(
            format!("There is no menu entry {wanted}: the menu is empty."),
            "",
            "Add an image with --image, or leave --default out.",
        ),
        Error::NoDefault { wanted, known } => Finding::new(
            format!("There is no menu entry {wanted}."),
            "",
            format!("Use --default with local, a number from 1 to {}, or one of {}.", known.len(), known.join(", ")),
        ),
        Error::NoOnce { wanted, known } => Finding::new(
            format!("There is no menu entry {wanted} that could start once."),
            "",
            match known.is_empty() {
                true => "Add an image with --image, or leave --once out.".to_owned(),
                false => format!("Use --once with one of {}.", known.join(", ")),
            },
        ),
        Error::Files { path, source } => Finding::new(
            format!("The folder {} cannot be published.", path.display()),
            "",
            "Name a folder that exists and is readable with --files.",
        )
        .with(source),
        Error::AnswerPublished { file } => published(file),
        Error::AnswerEntry { entry, able } => answer_entry(entry, able),
        Error::Names { path, source } => Finding::new(
            format!("Host names cannot be kept in {}.", path.display()),
            "After a restart computers would get other names.",
            "Name a folder that can be written to with --state-dir.",
        )
        .with(source),
        Error::Ladder { path, source } => Finding::new(
            format!("Which loaders computers take cannot be kept in {}.", path.display()),
            "After a restart computers with Secure Boot on would refuse the usual loader again.",
            "Name a folder that can be written to with --state-dir.",
        )
        .with(source),
        Error::Approval { path, source } => Finding::new(
            format!("Which computers you approved cannot be kept in {}.", path.display()),
            "After a restart every computer would be asked about again.",
            "Name a folder that can be written to with --state-dir.",
        )
        .with(source),
        Error::Once { path, source } => Finding::new(
            format!("It cannot be kept in {} what computers have begun.", path.display()),
            "After a restart of the services, an installation that starts once would start once more.",
            "Name a folder that can be written to with --state-dir.",
        )
        .with(source),
        Error::Trace { path, source } => Finding::new(
            format!("Packets cannot be written to {}.", path.display()),
            "Booting does not depend on it.",
            "Name a file in a folder that can be written to with --trace, or leave --trace out.",
        )
        .with(source),
        Error::Leases { path, source } => Finding::new(
            format!("Leases cannot be kept in {}.", path.display()),
            "After a restart computers would lose their addresses.",
            "Name a file in a folder that can be written to with --lease-file.",
        )
        .with(source),
        Error::InterfaceGone { interface } => Finding::new(
            format!("The interface {interface} is gone."),
            "Serving has ended, and does not move to another one by itself.",
            "Plug it in again and start once more.",
        ),
        Error::AddressGone { interface, address } => Finding::new(
            format!("{interface} does not have the address {address} any more."),
            "Computers were told to load from it, so serving has ended.",
            "Give the interface a fixed address and start once more.",
        ),
        Error::Broken(what) => Finding::new(
            "A service of Bootwright ended unexpectedly.",
            "That is a fault of the program.",
            "Start once more, and report it with the log.",
        )
        .with(what),
    }
}

/// Addresses are handed out without asking first whether somebody uses them.
pub fn unprobed() -> Finding {
    Finding::new(
        "Addresses are handed out without asking first whether a machine uses them.",
        "The right to send ARP packets is missing.",
        "Start with sudo, or make sure that no machine has a fixed address inside the range.",
    )
    .caution()
}

/// Computers are not told that there is no IPv6 router, which they were to be.
pub fn unadvertised(reason: &str) -> Finding {
    Finding::new(
        "Computers are not told that there is no IPv6 router.",
        "Those that boot by an iPXE with IPv6 wait for one, about 13 seconds each time.",
        "Start with sudo to spare them that, or with --router-advertisement off to leave it at that.",
    )
    .with(reason)
    .caution()
}

fn list(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    if names.is_empty() { "no folder at all".to_owned() } else { names.join(", ") }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
