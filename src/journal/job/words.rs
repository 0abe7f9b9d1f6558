//! A job in words: the same in the window, in a terminal and on paper.

use std::time::Duration;

use super::super::{between, wording};
use super::{Job, Outcome, OwnDisk};

/// Which entry it was. Several entries of one image may start with the same files.
pub fn entry(job: &Job) -> String {
    match job.entries.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        several => format!("one of {}", several.join(", ")),
    }
}

/// What it booted, as short as it can be said: the entry, else the image, else nothing.
pub fn booted(job: &Job) -> String {
    match (job.entries.is_empty(), &job.image) {
        (false, _) => entry(job),
        (true, Some(image)) => image.file.clone(),
        (true, None) => String::new(),
    }
}

/// What came of it.
pub fn result(job: &Job) -> String {
    match job.result {
        Outcome::Open => format!("no end seen: {}", wording::stage(job.stage)),
        Outcome::HandedOver => "its system started".to_owned(),
        Outcome::Started => "its kernel started; nothing was heard after that".to_owned(),
        Outcome::OwnDisk => match job.own_disk {
            Some(OwnDisk::Chosen) => "its own disk: somebody chose it",
            Some(OwnDisk::TimeUp) => "its own disk: nobody chose in time",
            Some(OwnDisk::Done) => "its own disk: what starts once had begun before",
            Some(OwnDisk::Refused) => "its own disk: it was refused",
            None => "its own disk",
        }
        .to_owned(),
        Outcome::Menu => "menu only: its own disk, or nobody chose".to_owned(),
        Outcome::Failed => match &job.cause {
            Some(cause) => format!("failed: {cause}"),
            None => "failed".to_owned(),
        },
        Outcome::Silent => format!("went silent: {}", wording::stage(job.stage)),
        Outcome::Interrupted => format!("the services were stopped: {}", wording::stage(job.stage)),
    }
}

/// Whether it is one that nobody has to look at again.
pub fn is_well(job: &Job) -> bool {
    matches!(job.result, Outcome::HandedOver | Outcome::Started | Outcome::OwnDisk)
}

/// How long it took; none where its end is not known.
pub fn length(job: &Job) -> Option<Duration> {
    job.ended.map(|ended| between(job.began, ended))
}

/// A duration as it stands in a table: `2:05`, `1:02:05`.
pub fn clock(length: Duration) -> String {
    let seconds = length.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// What people call the computer.
pub fn computer(job: &Job) -> String {
    job.product.clone().unwrap_or_else(|| job.mac.to_string())
}
