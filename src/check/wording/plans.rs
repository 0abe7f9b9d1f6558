//! The sentences about settings, and the files that they are kept in.

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::path::Path;

use ipnet::Ipv4Net;

use super::{list, one_line};
use crate::check::{Finding, Subject};
use crate::deployment::{LockError, PlanError, SaveError};
use crate::text;

/// Why settings make no deployment.
pub fn explain_plan(error: &PlanError) -> Finding {
    plan(error).about(plan_subject(error))
}

fn plan_subject(error: &PlanError) -> Subject {
    match error {
        PlanError::File { .. } | PlanError::Syntax { .. } | PlanError::Newer { .. } => Subject::Files,
        PlanError::Append { .. } | PlanError::EntryAppend { .. } | PlanError::EntryTwice { .. } => Subject::Files,
        PlanError::EntryPassword { .. } => Subject::Files,
        PlanError::Timeout { .. } => Subject::Files,
        PlanError::Duration { .. } => Subject::ThisComputer,
        _ => Subject::Network,
    }
}

fn plan(error: &PlanError) -> Finding {
    match error {
        PlanError::File { path, source } => Finding::new(
            format!("The deployment {} cannot be read.", path.display()),
            "",
            "Check its name and where it lies.",
        )
        .with(source),
        PlanError::Syntax { path, reason } => Finding::new(
            format!("The deployment {} has a mistake.", path.display()),
            "",
            "Correct it and start once more.",
        )
        .with(one_line(reason)),
        PlanError::Newer { path, version } => Finding::new(
            format!("The deployment {} was saved by a newer Bootwright (version {version}).", path.display()),
            "It says something in a way that this version does not understand.",
            "Use that version, or save the deployment anew.",
        ),
        PlanError::NoInterface => Finding::new(
            "No interface was named.",
            "",
            "Name the one to serve with --interface; `bootwright interfaces` lists them.",
        ),
        PlanError::UnknownInterface { name, known } if known.is_empty() => Finding::new(
            format!("There is no interface {name:?}."),
            "This machine has no network interface at all.",
            "Plug a network card in and start once more.",
        ),
        PlanError::UnknownInterface { name, known } => Finding::new(
            format!("There is no interface {name:?}."),
            "",
            format!("Use one of {}.", list(known.iter().cloned())),
        ),
        PlanError::NoAddress { name } => Finding::new(
            format!("{name} has no IPv4 address."),
            "Computers could not be told where to load from.",
            format!("Give it one, for example with: sudo ip addr add 10.77.0.1/24 dev {name}."),
        ),
        PlanError::RangeSyntax { text } => Finding::new(
            format!("{text:?} is not a range of addresses."),
            "",
            "Write the first and the last one, like 10.77.0.100-10.77.0.199.",
        ),
        PlanError::RangeReversed { range } => Finding::new(
            format!("The range {range} ends before it begins."),
            "",
            "Write the lower address first, like 10.77.0.100-10.77.0.199.",
        ),
        PlanError::RangeOutside { range, network } => Finding::new(
            format!("The range {range} is not inside the interface's network {network}."),
            "Computers with such addresses could not reach this one.",
            format!("Use addresses between {} and {}.", first_host(*network), last_host(*network)),
        ),
        PlanError::RangeTooLarge { range } => {
            Finding::new(format!("The range {range} has more than 65536 addresses."), "", "Use a smaller one.")
        }
        PlanError::RangeCoversOwn { range } => Finding::new(
            format!("All addresses of the range {range} are in use already."),
            "They are this computer's own, or its router's.",
            "Add more addresses to it.",
        ),
        PlanError::NoRoom { network } => Finding::new(
            format!("The network {network} has no addresses to hand out."),
            "",
            "Give the interface an address in a larger network, like 10.77.0.1/24.",
        ),
        PlanError::RangeWithoutFull => Finding::new(
            "A range was given, but no addresses are to be handed out.",
            "",
            "Add --dhcp full, or leave --range out.",
        ),
        PlanError::Timeout { seconds } => Finding::new(
            format!("A menu time-out of {seconds} seconds is more than a day."),
            "",
            "Use --menu-timeout with 0 to 86400.",
        ),
        PlanError::Duration { text } => {
            Finding::new(format!("{text:?} is not a time."), "", "Write it like 90s, 15m or 2h.")
        }
        PlanError::Append { why } => {
            Finding::new(format!("The text of --append cannot be used: {why}."), "", "Leave that part out.")
        }
        PlanError::EntryAppend { id, why } => Finding::new(
            format!("The kernel arguments of the menu entry {id} cannot be used: {why}."),
            "",
            "Leave that part out.",
        ),
        PlanError::EntryTwice { id } => Finding::new(
            format!("The deployment names the menu entry {id} twice."),
            "Its place in the menu is not known.",
            "Keep one of the two.",
        ),
        PlanError::EntryPassword { id } => Finding::new(
            format!("The password of the menu entry {id} cannot be used."),
            "What stands in `password-hash` is no hash of Argon2, or one that takes too long to check.",
            "Run `bootwright password`, and put in the line that it prints.",
        ),
    }
}

/// Why a deployment is not saved.
pub fn explain_save(error: &SaveError) -> Finding {
    save(error).about(Subject::Files)
}

fn save(error: &SaveError) -> Finding {
    let shown = |path: &Path| text::plain(&path.to_string_lossy(), 500);
    match error {
        SaveError::Write { path, source } => {
            let step = match source.kind() {
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                    "Save it in a folder that this user may write to."
                }
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "Make some room on that disk and save once more.",
                _ => "Check the folder and its disk, or save it somewhere else.",
            };
            Finding::new(format!("{} cannot be written.", shown(path)), "The deployment is not saved.", step)
                .with(source)
        }
        SaveError::NotText { path } => Finding::new(
            format!("A deployment cannot hold the path {}.", shown(path)),
            "It has characters that are not Unicode text, so the deployment is not saved.",
            "Rename that file or folder and choose it once more.",
        ),
        SaveError::WouldLose { path } => Finding::new(
            format!("{} is not a deployment that this version can read.", shown(path)),
            "Saving would destroy what is in it, so it was left as it is.",
            "Save under another name, or move that file away.",
        ),
        SaveError::Exists { name, path } => Finding::new(
            format!("There is a deployment {name} already, in {}.", shown(path)),
            "",
            "Replace it, or choose another name.",
        ),
        SaveError::NoName => Finding::new("The deployment has no name.", "", "Give it one with letters or digits."),
        SaveError::Unwritable { reason } => Finding::new(
            "The deployment cannot be written down.",
            "That is a fault of the program.",
            "Report it with these details.",
        )
        .with(one_line(reason)),
    }
}

/// Why this window is not the one that saves.
pub fn explain_lock(error: &LockError) -> Finding {
    match error {
        LockError::Busy => Finding::new(
            "Another Bootwright window is open.",
            "What you change here is not saved by itself, so that the two do not overwrite each other.",
            "Close this one, or save it by a name in the settings.",
        )
        .about(Subject::ThisComputer),
        LockError::Folder(error) => explain_save(error),
    }
}

fn first_host(network: Ipv4Net) -> Ipv4Addr {
    network.hosts().next().unwrap_or(network.addr())
}

fn last_host(network: Ipv4Net) -> Ipv4Addr {
    network.hosts().next_back().unwrap_or(network.addr())
}
