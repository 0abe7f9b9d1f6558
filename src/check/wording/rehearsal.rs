//! What fails in a rehearsal, in words.

use super::super::{Finding, Subject};
use crate::boot::menu::MAX_ARGUMENTS;
use crate::image::signature::Machine;
use crate::rehearsal::dhcp::Shortcoming;
use crate::rehearsal::driver::Trouble;
use crate::rehearsal::script::Wrong;
use crate::rehearsal::{Asked, By, Fault, Firmware, Report};
use crate::text;

/// A thing that fails in a rehearsal, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failing {
    /// What fails.
    pub finding: Finding,
    /// With which entry; none where it fails before there is a menu.
    pub entry: Option<String>,
    /// On which firmware.
    pub firmwares: Vec<Firmware>,
}

/// All that fails in a rehearsal. The same thing on several computers is one.
pub fn failing(report: &Report) -> Vec<Failing> {
    let mut all: Vec<Failing> = Vec::new();
    for (firmware, entry, fault) in report.faults() {
        let (finding, entry) = (explain_rehearsal(fault), entry.map(str::to_owned));
        match all.iter_mut().find(|known| known.entry == entry && known.finding == finding) {
            Some(known) => known.firmwares.push(firmware),
            None => all.push(Failing { finding, entry, firmwares: vec![firmware] }),
        }
    }
    all
}

/// What failed first, what it means for booting, and what to do.
pub fn explain_rehearsal(fault: &Fault) -> Finding {
    words(fault).about(subject(fault))
}

fn subject(fault: &Fault) -> Subject {
    match fault {
        Fault::Silent { .. } | Fault::NoAddress { .. } | Fault::Refused | Fault::Answer { .. } => Subject::Network,
        Fault::NoServices { .. }
        | Fault::NoBootFile { .. }
        | Fault::NoProgram { .. }
        | Fault::WrongMachine { .. }
        | Fault::Unsigned { .. }
        | Fault::NotAccepted { .. }
        | Fault::Script { .. }
        | Fault::Elsewhere { .. }
        | Fault::NoMenu { .. } => Subject::ThisComputer,
        Fault::Fetch { .. }
        | Fault::Empty { .. }
        | Fault::Short { .. }
        | Fault::Lengths { .. }
        | Fault::TooLong { .. }
        | Fault::Nothing
        | Fault::Answers { .. } => Subject::Files,
    }
}

fn words(fault: &Fault) -> Finding {
    let plain = |name: &str| text::plain(name, 200);
    match fault {
        Fault::NoServices { reason } => Finding::new(
            format!("The services could not be asked: {}.", plain(reason)),
            "Nothing can be said of this kind of computer.",
            "Rehearse again. If it stays so, stop the services and start them again.",
        ),
        Fault::Silent { asked } => silent(*asked),
        Fault::NoAddress { size } => Finding::new(
            format!("No address was offered: all {size} are taken."),
            "A computer that comes new gets none, and does not boot.",
            "Hand out more addresses, or wait until some are free again.",
        ),
        Fault::Refused => Finding::new(
            "The address that was offered was refused when it was asked for.",
            "Another computer took it in between.",
            "Rehearse again.",
        ),
        Fault::Answer { shortcoming, file } => shortcoming_of(*shortcoming, &plain(file)),
        Fault::NoBootFile { reason } => Finding::new(
            format!("No boot file was named: {}.", plain(reason)),
            "Its firmware goes on to the next way to boot.",
            "Add a boot loader for it on the Menu page, or with `bootwright loaders`.",
        ),
        Fault::Fetch { file, by, trouble } => fetch(&plain(file), *by, trouble),
        Fault::Empty { file } => Finding::new(
            format!("{} is empty.", plain(file)),
            "A computer fetches it and starts nothing.",
            "Put a whole file in its place, and rehearse again.",
        ),
        Fault::Short { file, expected } => Finding::new(
            format!("{} ends before its {expected} bytes.", plain(file)),
            "The image was cut short, or has changed since it was chosen. A computer would wait for the rest in vain.",
            "Fetch the image again, compare its checksum, and choose it anew.",
        ),
        Fault::Lengths { file, tftp, http } => Finding::new(
            format!("{} has {tftp} bytes one way and {http} the other.", plain(file)),
            "It changed in between, so a computer may get a mix of both.",
            "Choose the image anew, and rehearse again.",
        )
        .with("one way is TFTP, the other one HTTP"),
        Fault::NoProgram { file } => Finding::new(
            format!("{} is no program for UEFI.", plain(file)),
            "UEFI firmware fetches it and refuses to start it.",
            "Put the right boot loader in its place; `bootwright loaders` lists them.",
        ),
        Fault::WrongMachine { file, found } => Finding::new(
            format!("{} is built for {}.", plain(file), machine(*found)),
            "This computer fetches it and refuses to start it.",
            "Put the boot loader for this kind of computer in its place; `bootwright loaders` lists them.",
        ),
        Fault::Unsigned { file } => Finding::new(
            format!("{} is not signed by whom the firmware trusts.", plain(file)),
            "With Secure Boot on it does not start.",
            "Switch Secure Boot off on that computer, or use an image with a signed shim.",
        ),
        Fault::NotAccepted { file } => Finding::new(
            format!("{} is not signed by whom shim trusts.", plain(file)),
            "With Secure Boot on, shim shows \"Security Violation\" and stops.",
            "Take shim and what it starts from the same distribution.",
        ),
        Fault::Script { file, wrong } => script(&plain(file), wrong),
        Fault::Elsewhere { url } => Finding::new(
            format!("A script leads to {}, which is not here.", plain(url)),
            "What a computer finds there was not looked at.",
            "If that is not meant, change the arguments of the entry on the Menu page.",
        ),
        Fault::NoMenu { file } => Finding::new(
            format!("{} does not lead to what comes next.", plain(file)),
            "A computer stops there.",
            "Stop the services and start them again. If it stays so, report it.",
        ),
        Fault::TooLong { length } => Finding::new(
            format!("Its arguments have {length} characters; Linux takes {MAX_ARGUMENTS}."),
            "What is longer is cut off without a word, so the menu does not start it.",
            "Shorten what is added to its arguments on the Menu page.",
        ),
        Fault::Nothing => Finding::new(
            "Choosing it starts nothing.",
            "The computer comes back to its menu.",
            "Choose the image anew. If it stays so, hide the entry on the Menu page.",
        ),
        Fault::Answers { entry } => Finding::new(
            format!("The answer file of {} cannot be had.", plain(entry)),
            "The installer would wait for it, or ask its questions.",
            "See what is wrong with the file on the Menu page, or with `bootwright answer`.",
        ),
    }
}

fn silent(asked: Asked) -> Finding {
    let (title, details) = match asked {
        Asked::Discover => ("Nobody answered when it asked for an address and what to boot.", "DISCOVER"),
        Asked::Request => ("Nobody answered when it took the address that it was offered.", "REQUEST"),
        Asked::BootServer => ("Nobody answered when it asked once more what to boot.", "REQUEST to port 4011"),
    };
    let next = "Stop the services and start them again. If it stays so, report it.";
    Finding::new(title, "Its firmware goes on to the next way to boot.", next).with(details)
}

fn shortcoming_of(shortcoming: Shortcoming, file: &str) -> Finding {
    let (what, details) = match shortcoming {
        Shortcoming::NoNextServer => ("does not say who has it", "siaddr is 0.0.0.0"),
        Shortcoming::NoHttpClass => ("does not say that it is for HTTP Boot", "option 60 is not HTTPClient"),
        Shortcoming::NoPxeClass => ("does not say that it is for network boot", "option 60 is not PXEClient"),
        Shortcoming::FieldEmpty => ("names it in one of two places only", "the field `file` is empty"),
        Shortcoming::TwoNames => ("names another one elsewhere", "the field `file` and option 67 differ"),
    };
    Finding::new(
        format!("The answer that names {file} {what}."),
        "Some firmware ignores such an answer, or fetches the wrong file.",
        "Report it: Bootwright should not answer so.",
    )
    .with(details)
}

fn fetch(file: &str, by: By, trouble: &Trouble) -> Finding {
    let protocol = match by {
        By::Tftp => "TFTP",
        By::Http => "HTTP",
    };
    let finding = match trouble {
        Trouble::NotFound => Finding::new(
            format!("{file} was asked for, and is not there."),
            "A computer that needs it stops there.",
            "Choose the image anew, or put the file where it belongs.",
        ),
        Trouble::Refused { said } => Finding::new(
            format!("{file} was asked for, and the answer was: {}.", text::plain(said, 200)),
            "A computer that needs it stops there.",
            "Look whether the file can be read, and rehearse again.",
        ),
        Trouble::Silent => Finding::new(
            format!("{file} was asked for, and nothing came."),
            "A computer that needs it waits, and gives up.",
            "Look whether a firewall is in the way, or a disk that does not answer, and rehearse again.",
        ),
        Trouble::BrokenOff { came, expected } => Finding::new(
            format!("{came} of {expected} bytes of {file} came."),
            "A computer that needs it stops there.",
            "Look whether the file can be read to its end, and rehearse again.",
        ),
        Trouble::Unreachable { reason } => Finding::new(
            format!("{file} cannot be asked for: {}.", text::plain(reason, 200)),
            "Either the services have ended, or a firewall is in the way.",
            "Stop the services and start them again, and rehearse once more.",
        ),
    };
    finding.with(protocol)
}

fn script(file: &str, wrong: &Wrong) -> Finding {
    let (line, what) = match wrong {
        Wrong::NoScript => (None, "is no script".to_owned()),
        Wrong::UnknownCommand { line, command } => {
            (Some(*line), format!("has the command {}, which boot loaders may not know", text::plain(command, 60)))
        }
        Wrong::UnknownSetting { line, name } => {
            (Some(*line), format!("uses {}, of which a boot loader knows nothing", text::plain(name, 60)))
        }
        Wrong::NoLabel { line, label } => {
            (Some(*line), format!("leads to {}, which is not in it", text::plain(label, 60)))
        }
        Wrong::LabelTwice { line, label } => (Some(*line), format!("has {} twice", text::plain(label, 60))),
        Wrong::Circles { line } => (Some(*line), "goes in circles".to_owned()),
        Wrong::Unbalanced { line } => (Some(*line), "does not close what it opens".to_owned()),
    };
    let place = line.filter(|line| *line > 0).map(|line| format!(" in line {line}")).unwrap_or_default();
    Finding::new(
        format!("{file} {what}{place}."),
        "A computer shows an error there, or starts something else.",
        "If you have added arguments on the Menu page, take them out and rehearse again; else report it.",
    )
}

/// What a program is built for, for people.
fn machine(machine: Machine) -> &'static str {
    match machine {
        Machine::X64 => "UEFI on x64",
        Machine::Ia32 => "32-bit UEFI",
        Machine::Arm64 => "UEFI on ARM64",
        Machine::Other => "another processor",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_three_sentences_without_jargon() {
        let file = || "image/debian/vmlinuz".to_owned();
        let troubles = [
            Trouble::NotFound,
            Trouble::Silent,
            Trouble::Refused { said: "busy".into() },
            Trouble::BrokenOff { came: 1, expected: 2 },
            Trouble::Unreachable { reason: "refused".into() },
        ];
        let wrongs = [
            Wrong::NoScript,
            Wrong::UnknownCommand { line: 1, command: "x".into() },
            Wrong::NoLabel { line: 0, label: "x".into() },
            Wrong::Unbalanced { line: 3 },
        ];
        let shortcomings = [Shortcoming::NoNextServer, Shortcoming::NoHttpClass, Shortcoming::TwoNames];
        let mut faults = vec![
            Fault::NoServices { reason: "gone".into() },
            Fault::Silent { asked: Asked::BootServer },
            Fault::NoAddress { size: 1 },
            Fault::Refused,
            Fault::NoBootFile { reason: "there is no boot loader for BIOS".into() },
            Fault::Empty { file: file() },
            Fault::Short { file: file(), expected: 7 },
            Fault::Lengths { file: file(), tftp: 1, http: 2 },
            Fault::NoProgram { file: file() },
            Fault::WrongMachine { file: file(), found: Machine::Arm64 },
            Fault::Unsigned { file: file() },
            Fault::NotAccepted { file: file() },
            Fault::Elsewhere { url: "http://x".into() },
            Fault::NoMenu { file: file() },
            Fault::TooLong { length: 3000 },
            Fault::Nothing,
            Fault::Answers { entry: "debian".into() },
        ];
        faults.extend(troubles.map(|trouble| Fault::Fetch { file: file(), by: By::Http, trouble }));
        faults.extend(wrongs.map(|wrong| Fault::Script { file: file(), wrong }));
        faults.extend(shortcomings.map(|shortcoming| Fault::Answer { shortcoming, file: file() }));
        for fault in faults {
            let finding = explain_rehearsal(&fault);
            for sentence in [&finding.title, &finding.meaning, &finding.next_step] {
                assert!(sentence.ends_with('.') && sentence.len() > 10, "{fault:?}: {sentence:?}");
                assert!(
                    !["option", "TFTP", "daemon", "siaddr"].iter().any(|word| sentence.contains(word)),
                    "{sentence}"
                );
            }
        }
    }
}
