//! `bootwright inspect`: what an ISO is and how it would boot.

use std::path::Path;

use super::{Status, complain, complain_of_recipes, out, out_json};
use crate::check;
use crate::image::{self, AnswerKind, Boot, Entry, Inspection, words};
use crate::journal::wording::bytes;
use crate::text;

pub(super) fn run(file: &Path, json: bool) -> Status {
    complain_of_recipes();
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
        field("Kind", &format!("{} for {}", words::kind(system.category), system.arch.join(", ")));
        if !system.editions.is_empty() {
            field("Editions", &system.editions.join(", "));
        }
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
    field("Entry", &format!("{} ({}), for {}", entry.title, entry.id, words::firmware(&entry.firmware)));
    field("  Way", words::way(entry));
    if let Some(kernel) = &entry.kernel {
        field("  Kernel", kernel);
    }
    let (name, modules) = match entry.boot {
        Boot::Multiboot => ("  Module", entry.module_arguments.as_slice()),
        Boot::Wimboot => ("  File", &[][..]),
        _ => ("  Initrd", &[][..]),
    };
    for (number, initrd) in entry.initrd.iter().enumerate() {
        let arguments = modules.get(number).map(String::as_str).unwrap_or_default();
        field(name, format!("{initrd} {arguments}").trim_end());
    }
    for file in &entry.inject {
        let from = if file.from == image::WHOLE_IMAGE { "the image itself" } else { &file.from };
        field("  Injected", &format!("{from} as {} in the initramfs", file.to));
    }
    if !entry.cmdline.is_empty() {
        field("  Arguments", &entry.cmdline);
    }
    if let Some(answering) = &entry.answering {
        field("  Answers", &format!("takes {}", answer_file(answering.kind)));
    }
    if let Some(ram) = entry.min_ram_mb {
        field("  Memory", &format!("{ram} MiB or more"));
    }
}

fn answer_file(kind: AnswerKind) -> &'static str {
    match kind {
        AnswerKind::Autoinstall => "an autoinstall file",
        AnswerKind::Preseed => "a preseed file",
        AnswerKind::Kickstart => "a kickstart file",
        AnswerKind::Autoyast => "an AutoYaST profile",
        AnswerKind::Autounattend => "an autounattend.xml",
        AnswerKind::Other => "a file of its own kind",
    }
}
