//! The sentences about boot loaders that are missing.

use crate::boot::Platform;
use crate::boot::loader::Loader;
use crate::check::{Finding, Subject};
use crate::text;

/// Computers of a platform cannot boot for want of a loader.
pub fn unserved(platform: Platform) -> Finding {
    Finding::new(
        format!("There is no boot loader for {} computers.", platform.name()),
        "They are not offered anything to boot.",
        "Run packaging/run.sh --prepare, or name a folder that has one with --loaders.",
    )
    .about(Subject::ThisComputer)
    .caution()
}

/// An entry needs a loader that is not there.
pub fn lacking(entry: &str, loader: Loader) -> Finding {
    let file = loader.file();
    let next = match loader {
        Loader::Wimboot => {
            "Download wimboot 2.9.0 or newer from ipxe.org/wimboot, and put it into the loaders folder under the name wimboot."
                .to_owned()
        }
        _ => format!("Put {file} into the loaders folder; packaging/run.sh --prepare does it."),
    };
    Finding::new(
        format!("{} needs {file}, which is not there.", text::plain(entry, 100)),
        "The menu leaves this entry out.",
        next,
    )
    .about(Subject::Files)
    .caution()
}
