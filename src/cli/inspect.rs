//! `bootwright inspect`: what an ISO is and how it would boot.

use std::path::Path;

use super::{Status, complain, out, out_json};
use crate::check;
use crate::image::{self, Entry, Firmware, Inspection, Transport};
use crate::journal::wording::bytes;
use crate::text;

pub(super) fn run(file: &Path, json: bool) -> Status {
    let inspection = match image::inspect(file) {
        Ok((_, inspection)) => inspection,
        Err(error) => {
            complain(&check::explain_disc(&error).sentence());
            return Status::Wrong;
        }
    };
    if json {
        out_json(&inspection);
    } else {
        out(&describe(&inspection));
    }
    if inspection.entries.is_empty() { Status::Cannot } else { Status::Done }
}

fn describe(inspection: &Inspection) -> String {
    let mut text = format!("{}\n", text::plain(&inspection.title(), 200));
    let mut field = |name: &str, value: &str| text.push_str(&format!("  {name:<12}{}\n", text::plain(value, 1000)));
    field("File", &format!("{} ({})", inspection.path.display(), bytes(inspection.size)));
    if let Some(label) = &inspection.volume_label {
        field("Label", label);
    }
    if let Some(system) = &inspection.recognised {
        field("Kind", &format!("{} for {}", system.category, system.arch.join(", ")));
        field("Known by", &system.evidence.join("; "));
    }
    for entry in &inspection.entries {
        describe_entry(&mut field, entry);
    }
    for warning in &inspection.warnings {
        field("Note", warning);
    }
    text
}

fn describe_entry(field: &mut impl FnMut(&str, &str), entry: &Entry) {
    let firmware = entry.firmware.iter().map(|firmware| match firmware {
        Firmware::Bios => "BIOS",
        Firmware::Uefi => "UEFI",
    });
    let firmware: Vec<&str> = firmware.collect();
    field("Entry", &format!("{} ({}), boots on {}", entry.title, entry.id, firmware.join(" and ")));
    let way = match entry.transport {
        Transport::HttpTree => "loads its files by HTTP",
        Transport::HttpIso => "loads the whole image by HTTP into memory",
        Transport::Sanboot => "reads the image by HTTP as if it were a disc",
        Transport::Memdisk => "loads the whole image into memory, as a disc",
    };
    field("  Way", way);
    if let Some(kernel) = &entry.kernel {
        field("  Kernel", kernel);
    }
    for initrd in &entry.initrd {
        field("  Initrd", initrd);
    }
    if !entry.cmdline.is_empty() {
        field("  Arguments", &entry.cmdline);
    }
    if let Some(ram) = entry.min_ram_mb {
        field("  Memory", &format!("{ram} MiB or more"));
    }
}
