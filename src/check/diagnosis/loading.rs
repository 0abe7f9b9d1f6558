//! A computer that fetches files, its loader above all, and does not get them or does not get on with them.

use jiff::Timestamp;

use super::story::{Story, cause, is_file, since, whole};
use super::{bytes, running, span};
use crate::boot::Platform;
use crate::boot::loader::Loader;
use crate::boot::tree::Role;
use crate::journal::cause::{Cause, Kind, Likelihood};
use crate::journal::{Event, Fault, Stage, What};
use crate::{boot, dhcp, http, tftp};

use Likelihood::{Certain, Likely, Possible};

/// EDK2 asks for a file at once when it knows its size, in seconds.
const AFTER_SIZE: u64 = 20;
/// A loader asks for its address within 10 s in slow emulation; `boot::ladder` waits for 15 s. In seconds.
const AFTER_LOADER: u64 = 20;
/// A computer that comes back as bare firmware later than this may have been switched off by hand, in seconds.
const COMES_BACK: u64 = 120;
/// What a block has without negotiation; what does not fit is not the block's size.
const SMALL_BLOCK: u16 = 512;
/// So many packets sent again, and so large a share of all in percent, are more than the odd loss.
const MANY_RESENT: (u64, u64) = (10, 5);

pub(super) fn causes(story: &Story) -> Vec<Cause> {
    let stuck = stuck_transfer(story);
    let mut causes = faults(story, !stuck.is_empty());
    causes.extend(stuck);
    causes.extend(size_only(story));
    causes.extend(empty(story));
    causes.extend(lossy(story));
    if causes.iter().all(|cause| !matches!(cause.kind, Kind::SecureBoot | Kind::LoaderUnsuitable)) {
        causes.extend(loader_does_not_start(story));
    }
    causes
}

fn faults(story: &Story, stuck: bool) -> Vec<Cause> {
    let Some(trouble) = &story.computer.trouble else { return Vec::new() };
    let at = trouble.since;
    let one = |kind, evidence: String, next: &str| vec![cause((kind, Certain), at, evidence, next)];
    match &trouble.fault {
        Fault::Aborted { file, bytes: had, words } => {
            let said = match words.as_str() {
                "" => " and did not say why".to_owned(),
                words => format!(", and said: {}", words.trim_end_matches('.')),
            };
            broken(story, at, file, format!("It broke {file} off after {}{said}.", bytes(*had)))
        }
        Fault::BrokenOff { file, bytes: sent, length } => {
            broken(story, at, file, format!("It broke {file} off after {} of {}.", bytes(*sent), bytes(*length)))
        }
        // Told better by what was seen of the transfer.
        Fault::TimedOut { .. } if stuck => Vec::new(),
        Fault::TimedOut { file, bytes: had, size } => one(
            Kind::TransferStalled,
            format!("It went silent while loading {file}, and has {} of {}.", bytes(*had), bytes(*size)),
            "See whether it is still on and its cable sits well, and restart it.",
        ),
        Fault::ReadFailed { file, reason } => one(
            Kind::FileUnreadable,
            format!("The rest of {file} cannot be read here: {}.", reason.trim_end_matches('.')),
            "Is the drive with the image still connected? Check the image on the Images page, and start again.",
        ),
        // A system may ask for what need not be there.
        Fault::Missing { file }
            if story.computer.stage >= Stage::Kernel
                && running::need(story, file).is_some_and(|need| !need.names(file)) =>
        {
            Vec::new()
        }
        Fault::Missing { file } => one(
            Kind::FileMissing,
            format!("It asked for {file}, which is not here."),
            "Was its image changed or removed since the start? Stop, put it back, and start again. If it was not, its entry \
             names a wrong file: tell us which image that is.",
        ),
        Fault::FileRefused { file } => one(
            Kind::FileRefused,
            format!("It was refused {file}."),
            "See the log for the reason, and restart the computer.",
        ),
        Fault::LoaderRefused { file, reason } => refused(story, at, file, format!("{file} {reason}.")),
        _ => Vec::new(),
    }
}

/// It ended a file itself: with a large one that is most often a lack of memory.
fn broken(story: &Story, at: Timestamp, file: &str, evidence: String) -> Vec<Cause> {
    let memory = running::memory(story, at, file, &evidence);
    // Where memory explains it for sure, nothing else is to be looked for.
    let explained = memory.as_ref().is_some_and(|cause| cause.likelihood == Certain);
    let next = "Look at what its screen says, and search for it in Help. Then restart it.";
    let other = cause((Kind::BrokeOff, Certain), at, evidence, next);
    memory.into_iter().chain((!explained).then_some(other)).collect()
}

/// What the last transfer by TFTP tells that does not get on.
fn stuck_transfer(story: &Story) -> Vec<Cause> {
    let is_stuck =
        |event: &&&Event| matches!(event.what, What::Tftp(tftp::Note::Stalled { .. } | tftp::Note::TimedOut { .. }));
    let Some(at) = story.boot.iter().rposition(|event| is_stuck(&event)) else { return Vec::new() };
    // Getting any file, or more of this one, is getting on; that the firmware begins it anew is not.
    let got_on = |event: &&&Event| {
        let file = matches!(event.what, What::Tftp(tftp::Note::Done { .. }) | What::Http(_) | What::Service(_));
        file && is_file(event)
    };
    if story.boot.iter().skip(at + 1).any(|event| got_on(&event)) {
        return Vec::new();
    }
    let Some(last) = story.boot.get(at) else { return Vec::new() };
    let (file, had, size) = match &last.what {
        What::Tftp(tftp::Note::Stalled { file, bytes, size, .. } | tftp::Note::TimedOut { file, bytes, size }) => {
            (file, *bytes, *size)
        }
        _ => return Vec::new(),
    };
    let begun = story.boot.iter().take(at).rev().find_map(|event| match &event.what {
        What::Tftp(tftp::Note::Started { file: of, block_size, .. }) if of == file => Some((event.time, *block_size)),
        _ => None,
    });
    let first_stuck = story.boot.iter().find(is_stuck).map_or(last.time, |event| event.time);
    let open = "Let the firewall of this computer answer from any UDP port, not from 69 alone (its port for each file is \
                another one), and look for a firewall on the way.";
    match begun {
        None => vec![cause(
            (Kind::TransferPortBlocked, Likely),
            first_stuck,
            format!("It asked for {file} on port 69 and never answered what came from the file's own port."),
            open,
        )],
        Some((time, block)) if had == 0 && block > SMALL_BLOCK && size > 0 => {
            let seen = format!(
                "It agreed to load {file} in blocks of {block} bytes, and not one of them was acknowledged, while small packets \
                 came through."
            );
            let next = "The way takes packets of less than 1500 bytes: look for a VPN, a tunnel or a smaller MTU on this \
                        computer's connection or on the switch, and connect both to one switch.";
            vec![
                cause((Kind::LargePacketsLost, Likely), time, &seen, next),
                cause((Kind::TransferPortBlocked, Possible), time, seen, open),
            ]
        }
        Some((time, _)) => {
            let seen = format!("It acknowledged {} of {} of {file}, and then nothing more.", bytes(had), bytes(size));
            let next = "See whether it is still on, change the cable or the port of the switch, and restart it.";
            vec![cause((Kind::TransferStalled, Likely), time, seen, next)]
        }
    }
}

/// EDK2 asks for the size first.
fn size_only(story: &Story) -> Option<Cause> {
    let last = story.boot.iter().rfind(|event| is_file(event))?;
    let (file, size) = match &last.what {
        What::Tftp(tftp::Note::SizeAsked { file, size }) | What::Http(http::Note::SizeAsked { file, size }) => {
            (file, *size)
        }
        _ => return None,
    };
    // Told better by what was seen of the file.
    if size == 0 {
        return None;
    }
    let asked_since = !Story::asks(story.since_file()).is_empty();
    let loader = last.role == Some(Role::Loader);
    (loader && (asked_since || story.silent(AFTER_SIZE)) && story.computer.stage <= Stage::Loader).then(|| {
        let evidence = format!("It asked how large {file} is, was told {}, and did not ask for the file.", bytes(size));
        let next = "Restart the computer. If it does the same again, choose another way in its boot menu (HTTP Boot, or the \
                    older BIOS way) or update its firmware.";
        cause((Kind::SizeAskedOnly, Likely), last.time, evidence, next)
    })
}

/// Firmware starts an empty file as little as none; EDK2 does not even ask for one that it was told to be empty.
fn empty(story: &Story) -> Option<Cause> {
    let (event, file, role, size) = story.boot.iter().rev().find_map(|event| match &event.what {
        What::Tftp(tftp::Note::SizeAsked { file, size }) | What::Http(http::Note::SizeAsked { file, size }) => {
            Some((*event, file.as_str(), event.role?, *size))
        }
        _ => whole(event),
    })?;
    let starts = matches!(role, Role::Loader | Role::Kernel | Role::Initrd);
    let next =
        "Fetch the file anew: install the loaders again, or compare the image with its checksum on the Images page.";
    (size == 0 && starts).then(|| {
        cause((Kind::FileEmpty, Certain), event.time, format!("It asked for {file}, which has no bytes."), next)
    })
}

fn lossy(story: &Story) -> Option<Cause> {
    if story.computer.stage >= Stage::System {
        return None;
    }
    story.boot.iter().rev().find_map(|event| {
        let What::Tftp(tftp::Note::Done { file, bytes: size, resent, .. }) = &event.what else { return None };
        let block = story.boot.iter().rev().find_map(|begun| match &begun.what {
            What::Tftp(tftp::Note::Started { file: of, block_size, .. }) if of == file => Some(u64::from(*block_size)),
            _ => None,
        });
        let blocks = size / block.unwrap_or(u64::from(SMALL_BLOCK)).max(1) + 1;
        let (least, percent) = MANY_RESENT;
        let many = *resent >= least && resent.saturating_mul(100) >= blocks.saturating_mul(percent);
        many.then(|| {
            let evidence = format!("Of about {blocks} packets of {file} {resent} had to be sent again.");
            let next = "Change the cable, then the port of the switch; look for a half-duplex or 10 Mbit/s connection.";
            cause((Kind::PacketsLost, Likely), event.time, evidence, next)
        })
    })
}

/// It has a loader whole, and either asks for nothing more or is back as bare firmware.
fn loader_does_not_start(story: &Story) -> Vec<Cause> {
    if story.computer.stage > Stage::Loader {
        return Vec::new();
    }
    let loader = |events: &[&Event]| {
        let last = events.iter().rfind(|event| is_file(event))?;
        whole(last)
            .filter(|(.., role, size)| *role == Role::Loader && *size > 0)
            .map(|(event, file, ..)| (event.time, file.to_owned()))
    };
    if let Some((time, file)) = loader(&story.boot) {
        let heard = !Story::asks(story.since_file()).is_empty();
        if heard || !story.silent(AFTER_LOADER) {
            return Vec::new();
        }
        let quiet = span(since(time, story.now));
        return refused(story, time, &file, format!("It has {file} whole, and has asked for nothing for {quiet}."));
    }
    let fetches = story.boot.iter().any(|event| is_file(event));
    let by_firmware = |event: &&Event| match &event.what {
        What::Dhcp(dhcp::Note::Asked { client, .. }) => boot::Machine::of(client)
            .is_some_and(|machine| matches!(machine.stage, boot::Stage::Pxe | boot::Stage::Http)),
        _ => false,
    };
    let Some(back) = story.boot.first().filter(|event| by_firmware(event)) else { return Vec::new() };
    match loader(&story.before) {
        Some((time, file)) if !fetches && since(time, back.time).as_secs() <= COMES_BACK => {
            let after = span(since(time, back.time));
            let evidence =
                format!("It got {file} whole, and {after} later its firmware asked again, as if it had got nothing.");
            refused(story, back.time, &file, evidence)
        }
        _ => Vec::new(),
    }
}

/// A loader that was fetched and does not get on. With Secure Boot on firmware starts signed ones alone.
fn refused(story: &Story, at: Timestamp, file: &str, evidence: String) -> Vec<Cause> {
    let platform = story.computer.machine.and_then(|machine| machine.platform);
    let name = file.rsplit('/').next().unwrap_or(file);
    let signed = [Loader::ShimX64, Loader::ShimArm64].iter().any(|loader| name.eq_ignore_ascii_case(loader.file()));
    let now = story.computer.loader.as_ref().filter(|boot| !boot.file.ends_with(name));
    let then = match now {
        Some(boot) => format!("It is given {} now: {}.", boot.file, boot.why),
        None => "Restart it: at its next try it gets the next loader, where there is one.".to_owned(),
    };
    if platform == Some(Platform::Bios) {
        let next = format!("{then} If it goes on like that, boot it by UEFI, or use another network card.");
        return vec![cause((Kind::LoaderUnsuitable, Likely), at, evidence, next)];
    }
    if signed {
        let next = "Update its firmware (its list of trusted or revoked keys may be old), or switch Secure Boot off for this boot.";
        let unsuitable = cause((Kind::LoaderUnsuitable, Possible), at, &evidence, then);
        return vec![cause((Kind::SecureBoot, Likely), at, evidence, next), unsuitable];
    }
    let next = format!("{then} Or switch Secure Boot off in its firmware for this boot.");
    let other = "If Secure Boot is off, choose another way in its boot menu: HTTP Boot instead of PXE, or the other way round; \
                 its firmware may be for another processor than it says.";
    vec![
        cause((Kind::SecureBoot, Likely), at, &evidence, next),
        cause((Kind::LoaderUnsuitable, Possible), at, evidence, other),
    ]
}
