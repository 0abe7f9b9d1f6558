//! The sentences about image files and the entries of the menu.

use std::io::ErrorKind;
use std::path::Path;

use crate::check::{Finding, Subject};
use crate::image::checksum::ChecksumError;
use crate::image::recipe::BadRecipe;
use crate::image::{DiscError, Firmware, Foreign};
use crate::journal::wording::bytes;
use crate::text;

/// Why a file is no image that can be used.
pub fn explain_disc(error: &DiscError) -> Finding {
    disc(error).about(Subject::Files)
}

fn disc(error: &DiscError) -> Finding {
    let name = |path: &Path| text::plain(&path.to_string_lossy(), 500);
    match error {
        DiscError::Open { path, source } if source.kind() == ErrorKind::NotFound => {
            Finding::new(format!("There is no file {}.", name(path)), "", "Check its name and where it lies.")
        }
        DiscError::Open { path, source } if source.kind() == ErrorKind::PermissionDenied => Finding::new(
            format!("{} may not be read by this user.", name(path)),
            "",
            "Make it readable, for example with: chmod a+r FILE.",
        ),
        DiscError::Open { path, source } => {
            Finding::new(format!("{} cannot be opened.", name(path)), "", "Check the disk that it lies on.")
                .with(source)
        }
        DiscError::NotAFile { path } => Finding::new(format!("{} is not a file.", name(path)), "", "Name an ISO file."),
        DiscError::Empty { path } => Finding::new(
            format!("{} is empty.", name(path)),
            "Its download did not begin, or its disk was full.",
            "Download it again.",
        ),
        DiscError::NotAnImage { path } => Finding::new(
            format!("{} is not a disc image.", name(path)),
            "It has neither an ISO 9660 nor a UDF file system.",
            "Name the ISO file itself; unpack it first if it is compressed.",
        ),
        DiscError::Foreign { path, what } => foreign(&name(path), *what),
        DiscError::Truncated { path, size, missing } => Finding::new(
            format!("{} is cut off: it has {} and {} are missing.", name(path), bytes(*size), bytes(*missing)),
            "Its download was broken off.",
            "Download it again.",
        ),
        DiscError::Damaged { path, reason } => Finding::new(
            format!("{} is damaged.", name(path)),
            "Its table of contents cannot be read.",
            "Download it again and compare its checksum.",
        )
        .with(text::plain(reason, 200)),
    }
}

/// What was taken for a disc image.
fn foreign(name: &str, what: Foreign) -> Finding {
    let head = format!("{name} is {what}, not a disc image.");
    match what {
        Foreign::WebPage => Finding::new(
            head,
            "The server gave a page in place of the file: to sign in, to choose a mirror, or to report an error.",
            "Open the publisher's page in a browser, and download the ISO file from there.",
        ),
        Foreign::Packed { unpack, .. } => Finding::new(
            format!("{name} is {what}."),
            "The disc image is inside it.",
            format!("Unpack it, for example with: {unpack} FILE. Then choose the ISO file that comes out."),
        ),
        Foreign::Drive { .. } => Finding::new(
            head,
            "It is made to be written to a drive, and has no disc's file system.",
            "Download the publisher's ISO file instead.",
        ),
        Foreign::RawCd => Finding::new(
            head,
            "It has what a CD has beside its data, as BIN and CUE files do.",
            "Turn it into an ISO file, for example with bchunk, or download the ISO file.",
        ),
        Foreign::Wim => Finding::new(
            head,
            "It is one file of a Windows disc, without what starts it.",
            "Choose the ISO file of the whole disc.",
        ),
        Foreign::Blank => Finding::new(
            format!("{name} is {what} where its tables should be."),
            "Room was made for a download that has not come yet.",
            "Wait until the download ends, or start it again.",
        ),
    }
}

/// A list of checksums cannot be read.
pub fn explain_list(error: &ChecksumError) -> Finding {
    let (ChecksumError::Folder { path, source } | ChecksumError::List { path, source }) = error;
    Finding::new(
        format!("{} cannot be read.", path.display()),
        "The image was not compared.",
        "Make it readable, or give the checksum with --checksum.",
    )
    .with(source)
    .about(Subject::Files)
}

/// A recipe of the user cannot be used.
pub fn wrong_recipe(fault: &BadRecipe) -> Finding {
    Finding::new(
        format!("The recipe {} cannot be used: {}.", text::plain(&fault.file, 200), text::plain(&fault.reason, 300)),
        "Images are judged by the other recipes.",
        "Mend it and start Bootwright again; assets/recipes/README.md explains the format.",
    )
    .about(Subject::Files)
    .caution()
}

/// The menu has no entries.
pub fn no_entries() -> Finding {
    Finding::new("The menu is empty: it offers each computer its own disk only.", "", "Add an ISO file with --image.")
        .about(Subject::Files)
        .caution()
}

/// An entry is for one kind of firmware only.
pub fn one_firmware(entry: &str, firmware: Firmware) -> Finding {
    let (has, lacks) = match firmware {
        Firmware::Bios => ("BIOS", "UEFI"),
        Firmware::Uefi => ("UEFI", "BIOS"),
    };
    Finding::new(
        format!("{} boots on {has} computers only.", text::plain(entry, 80)),
        format!("The menu of {lacks} computers does not have it."),
        format!("Switch a computer to {has} to start it."),
    )
    .about(Subject::Files)
    .caution()
}

/// An entry that was to start by itself, and has a password.
pub fn locked_default(title: &str) -> Finding {
    Finding::new(
        format!("{} is to start by itself, and has a password.", text::plain(title, 80)),
        "Nobody is there to type it, so computers start their own disk.",
        "Mark another entry, or take the password away.",
    )
    .about(Subject::Files)
    .caution()
}
