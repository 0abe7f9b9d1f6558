//! A computer with a menu, and the system that was chosen from it.

use std::time::Duration;

use jiff::Timestamp;

use super::story::{Story, cause, is_file, since};
use super::{Need, bytes, span};
use crate::boot::tree::Role;
use crate::deployment::DhcpMode;
use crate::http;
use crate::journal::cause::{Cause, Kind, Likelihood};
use crate::journal::{Event, Note, Stage, What};

use Likelihood::{Certain, Likely, Possible};

/// A menu that is shown for so long is waited at, in seconds.
const SHOWN: u64 = 3;
/// What comes after a menu's time-out is heard within this, in seconds.
const AFTER_MENU: u64 = 15;
/// From its last file to its system's first word a computer took 37 s in software emulation, and 107 s where the machine
/// was busy (`live-beside-office` of the recorded boots); a slow server with many cards takes longer. In seconds.
const TO_SYSTEM: u64 = 240;
/// A computer whose firmware asks again so soon after its kernel did not work with it meanwhile, in seconds.
const FELL_BACK: u64 = 180;
/// After so long without another request, what was asked for last was needed; in seconds.
const AFTER_MISS: u64 = 30;
/// So often a file is asked for by somebody who needs it.
const INSISTS: usize = 3;
/// Parts of one answer file, and those who read it twice at the start, ask within this.
const ONE_READING: Duration = Duration::from_secs(60);
/// Linux needs memory for its kernel and initrd twice, packed and unpacked, and for itself.
const BESIDE: u64 = 2;
const MIB: u64 = 1 << 20;

pub(super) fn causes(story: &Story) -> Vec<Cause> {
    let mut causes = Vec::new();
    causes.extend(menu(story));
    causes.extend(kernel(story));
    causes.extend(fell_back(story));
    causes.extend(misses(story));
    causes.extend(answers(story));
    causes
}

/// It shows its menu: worth knowing, no trouble.
fn menu(story: &Story) -> Option<Cause> {
    let shown = story.boot.iter().rfind(|event| matches!(event.what, What::Service(Note::Menu { .. })))?;
    let last = story.boot.iter().rfind(|event| is_file(event))?;
    let waits = last.role == Some(Role::Script) && story.computer.stage == Stage::Menu;
    if !waits || !story.silent(SHOWN) || story.computer.trouble.is_some() {
        return None;
    }
    let (timeout, at) = (u64::from(story.around.timeout), shown.time);
    let waited = story.silence().as_secs();
    let what = story.around.default.as_deref();
    let starts = what.map_or("its own disk".to_owned(), |title| format!("“{}”", crate::text::plain(title, 60)));
    if timeout == 0 || waited < timeout + AFTER_MENU {
        let then = match timeout {
            0 => "It waits until somebody chooses.".to_owned(),
            _ => format!("After {timeout} s {starts} starts by itself."),
        };
        return Some(cause((Kind::WaitingInMenu, Certain), at, then, "Choose on its screen what it shall start."));
    }
    Some(match what {
        None => cause(
            (Kind::MenuTimedOut, Likely),
            at,
            format!(
                "It has had its menu for {}, and asked for nothing: after {timeout} s {starts} started.",
                span(story.silence())
            ),
            "Restart it and choose from the menu, or let another entry start by itself (Menu page).",
        ),
        Some(_) => cause(
            (Kind::WaitingInMenu, Likely),
            at,
            format!(
                "{starts} was to start after {timeout} s and was not asked for in {}: somebody pressed a key, and it waits.",
                span(story.silence())
            ),
            "Choose on its screen what it shall start.",
        ),
    })
}

/// The entry that a file belongs to.
pub(super) fn need<'a>(story: &Story<'a>, file: &str) -> Option<&'a Need> {
    let mut parts = file.trim_start_matches('/').splitn(3, '/');
    let (folder, image, path) = (parts.next()?, parts.next()?, parts.next());
    if !matches!(folder, "image" | "unpacked") {
        return None;
    }
    let image = image.strip_suffix(".iso").filter(|_| path.is_none()).unwrap_or(image);
    let of_image = story.around.needs.iter().filter(|need| need.image == image);
    // What the computer chose last is told by its kernel, which another entry of the image may share.
    let kernels: Vec<&str> =
        story.whole().filter(|(_, _, role, _)| *role == Role::Kernel).map(|(_, file, ..)| file).collect();
    let is_kernel = |need: &&Need| {
        let named = |file: &str| need.kernel.as_deref().is_some_and(|kernel| file.ends_with(kernel));
        named(file) || kernels.last().is_some_and(|last| named(last))
    };
    of_image.clone().find(is_kernel).or_else(|| of_image.clone().next())
}

/// How large what is started is: each kernel and initrd that was begun, once.
fn loaded(events: &[&Event]) -> u64 {
    let mut files: Vec<(&str, u64)> = Vec::new();
    for event in events {
        let boots = matches!(event.role, Some(Role::Kernel | Role::Initrd));
        let (file, size) = match &event.what {
            What::Http(http::Note::Started { file, size, .. })
            | What::Tftp(crate::tftp::Note::Started { file, size, .. }) => (file.as_str(), *size),
            _ => continue,
        };
        if boots && files.iter().all(|(known, _)| *known != file) {
            files.push((file, size));
        }
    }
    files.iter().map(|(_, size)| size).sum()
}

/// Whether memory explains that a file was broken off, or that nothing came after it.
pub(super) fn memory(story: &Story, at: Timestamp, file: &str, seen: &str) -> Option<Cause> {
    memory_of(story, at, file, seen, &story.boot)
}

fn memory_of(story: &Story, at: Timestamp, file: &str, seen: &str, events: &[&Event]) -> Option<Cause> {
    let need = need(story, file)?;
    let has = story.computer.memory_mb;
    let files = loaded(events).saturating_add(need.whole.unwrap_or(0));
    let size = files.div_ceil(MIB);
    let least = need.min_ram_mb;
    let likelihood = match has {
        Some(has) if size >= has => Certain,
        Some(has) if size.saturating_mul(BESIDE) >= has || least.is_some_and(|least| least > has) => Likely,
        // It has enough.
        Some(_) => return None,
        None => Possible,
    };
    let has = match has {
        Some(has) => format!(" It has {has} MiB of memory."),
        None => " How much memory it has is not known.".to_owned(),
    };
    let image = need.whole.map(|_| " with the whole image").unwrap_or_default();
    let least = least.map(|least| format!("; it needs {least} MiB or more")).unwrap_or_default();
    let title = crate::text::plain(&need.title, 60);
    let evidence = format!("{seen}{has} Kernel and initrd of “{title}”{image} have {}{least}.", bytes(files));
    let next = "Start a smaller system on it, or give it more memory.";
    Some(cause((Kind::TooLittleMemory, likelihood), at, evidence, next))
}

/// Its kernel and initrd are there, and its system, which fetches more at once, does not.
fn kernel(story: &Story) -> Vec<Cause> {
    if story.computer.stage != Stage::Kernel || !story.silent(TO_SYSTEM) || story.computer.trouble.is_some() {
        return Vec::new();
    }
    // A program without an initrd, like a memory test, says nothing more. Without the network's help nor does any other.
    let Some((event, file, ..)) = story.whole().last().filter(|(_, _, role, _)| *role == Role::Initrd) else {
        return Vec::new();
    };
    if !need(story, file).is_some_and(|need| need.fetches) {
        return Vec::new();
    }
    let evidence = format!("It has its kernel and initrd, and has asked for nothing for {}.", span(story.silence()));
    silent_system(story, event.time, file, evidence, &story.boot)
}

/// Its firmware asks again soon after its kernel: that ended, and the computer began anew.
fn fell_back(story: &Story) -> Vec<Cause> {
    let Some(first) = story.boot.first().filter(|_| story.computer.stage <= Stage::Offered) else { return Vec::new() };
    let Some(last) = story.before.iter().rfind(|event| is_file(event)) else { return Vec::new() };
    let Some((_, file, Role::Initrd, _)) = super::story::whole(last) else { return Vec::new() };
    let after = since(last.time, first.time);
    // A system that asked for its address by itself ran.
    let ran = story.before.iter().rev().take_while(|event| event.time >= last.time).any(|event| match &event.what {
        What::Dhcp(crate::dhcp::Note::Asked { client, .. }) => crate::boot::Machine::of(client).is_none(),
        _ => false,
    });
    if ran || after.as_secs() > FELL_BACK {
        return Vec::new();
    }
    let evidence = format!("It got its kernel and initrd, and {} later its firmware asked again.", span(after));
    // Only the files of that boot count, not those of all earlier ones.
    let menu = story.before.iter().rposition(|event| matches!(event.what, What::Service(Note::Menu { .. })));
    let of_it = story.before.get(menu.unwrap_or(0)..).unwrap_or_default();
    silent_system(story, first.time, file, evidence, of_it)
}

fn silent_system(story: &Story, at: Timestamp, file: &str, evidence: String, events: &[&Event]) -> Vec<Cause> {
    let memory = memory_of(story, at, file, &evidence, events);
    let explained = memory.as_ref().is_some_and(|cause| cause.likelihood == Certain);
    let next = "Look at its screen: a kernel that stopped says why, and Help knows many of its messages. It may lack memory, or \
                a driver for its network card.";
    // Beside another server a system asks that one for its address, and nobody here knows whether it ran.
    let unsure = memory.is_some() || story.around.mode != DhcpMode::Full;
    let likelihood = if unsure { Possible } else { Likely };
    let other = cause((Kind::KernelSilent, likelihood), at, evidence, next);
    memory.into_iter().chain((!explained).then_some(other)).collect()
}

/// The last thing that its system asked for is not here, and nothing came after it.
fn misses(story: &Story) -> Option<Cause> {
    if story.computer.stage < Stage::Kernel || !story.silent(AFTER_MISS) {
        return None;
    }
    let last = story.boot.iter().rfind(|event| is_file(event))?;
    let What::Http(http::Note::NotFound { file }) = &last.what else { return None };
    let need = need(story, file)?;
    let same = |event: &&&Event| matches!(&event.what, What::Http(http::Note::NotFound { file: of }) if of == file);
    let times = story.boot.iter().filter(same).count();
    // A system that got files of its own goes on without some of them.
    let got = story.whole().any(|(_, _, role, _)| matches!(role, Role::Content | Role::Disc));
    if got && times < INSISTS {
        return None;
    }
    let often = if times == 1 { "once".to_owned() } else { format!("{times} times") };
    let title = crate::text::plain(&need.title, 60);
    let evidence = format!("“{title}” asked {often} for {file}, which is not in its image, and then for nothing more.");
    let next = "Is the image whole, and the right one (a network installer is often another than the DVD)? Compare it with its \
                checksum on the Images page.";
    let likelihood = if times >= INSISTS { Likely } else { Possible };
    Some(cause((Kind::SystemMissesFile, likelihood), last.time, evidence, next))
}

/// Its installation began once more: in this boot, or after another one that had its answer file already.
fn answers(story: &Story) -> Option<Cause> {
    fn given<'a>(event: &&'a Event) -> Option<(Timestamp, &'a str)> {
        match &event.what {
            What::Service(Note::AnswerGiven { entry }) => Some((event.time, entry.as_str())),
            _ => None,
        }
    }
    let (last, entry) = story.boot.iter().rev().find_map(given)?;
    let earlier = |events: &[&Event]| {
        let same = |(time, of): &(Timestamp, &str)| *of == entry && since(*time, last) > ONE_READING;
        events.iter().rev().filter_map(given).find(same).map(|(time, _)| time)
    };
    let next = "Let its own disk start by itself (Menu page), or put the disk before the network in its firmware, so that it does \
                not install again after its restart.";
    if let Some(before) = earlier(&story.before) {
        let ago = span(since(before, last));
        let evidence =
            format!("It fetched the answer file of {entry} again, {ago} after it had done so in an earlier boot.");
        return Some(cause((Kind::AnswerFetchedAgain, Likely), last, evidence, next));
    }
    let before = earlier(&story.boot)?;
    let evidence = format!(
        "It fetched the answer file of {entry} twice in one boot, {} apart: the installer did not take it, or began again.",
        span(since(before, last))
    );
    let next = "Look at what the installer says of the file, and check the file: bootwright answer.";
    Some(cause((Kind::AnswerFetchedAgain, Possible), last, evidence, next))
}
