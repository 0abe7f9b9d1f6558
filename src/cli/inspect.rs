//! `bootwright inspect`: what an ISO is and how it would boot.

use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::Path;

use super::{Status, complain, complain_of_recipes, out, out_json};
use crate::check;
use crate::deployment::Places;
use crate::image::checksum::kept::Key;
use crate::image::checksum::{self, Algorithm, Expected, Known, Verdict};
use crate::image::{self, Boot, Entry, Inspection, words};
use crate::journal::wording::bytes;
use crate::text;

/// What is to be compared.
pub(super) struct Wanted {
    /// With the list beside it.
    pub(super) verify: bool,
    /// With what somebody copied.
    pub(super) pasted: Option<String>,
}

pub(super) fn run(file: &Path, json: bool, wanted: Wanted) -> Status {
    complain_of_recipes();
    let inspection = match image::inspect(file) {
        Ok((_, inspection)) => inspection,
        Err(error) => {
            complain(&check::explain_disc(&error).sentence());
            return Status::Wrong;
        }
    };
    let kept = Places::of_this_user().checksums();
    let compared = match compare(file, &wanted, &kept) {
        Ok(compared) => compared,
        Err(sentence) => {
            complain(&sentence);
            return Status::Wrong;
        }
    };
    let known = compared.map_or_else(|| checksum::known(file, &kept), Known::Compared);
    if json {
        out_json(&Told { inspection: &inspection, checksum: told(&known) });
    } else {
        out(&format!("{}{}", describe(&inspection), checksum_words(&known)));
    }
    match known {
        Known::Compared(Verdict::Differs { .. }) => Status::Wrong,
        Known::Compared(Verdict::NoneKnown { .. }) if wanted.verify => Status::Cannot,
        _ if inspection.entries.is_empty() => Status::Cannot,
        _ => Status::Done,
    }
}

/// What `--json` prints.
#[derive(serde::Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    inspection: &'a Inspection,
    checksum: Option<ToldChecksum>,
}

/// What is known of the checksum.
#[derive(serde::Serialize)]
struct ToldChecksum {
    /// `not-compared`, `right`, `wrong` or `no-list`.
    state: &'static str,
    expected: Option<String>,
    found: Option<String>,
    from: Option<String>,
}

fn told(known: &Known) -> Option<ToldChecksum> {
    let from = |expected: &Expected| expected.from.file_name();
    let (state, expected, found) = match known {
        Known::Nothing => return None,
        Known::Expected(expected) => ("not-compared", Some(expected), None),
        Known::Compared(Verdict::Matches(expected)) => ("right", Some(expected), Some(expected.digest)),
        Known::Compared(Verdict::Differs { expected, found }) => ("wrong", Some(expected), Some(*found)),
        Known::Compared(Verdict::NoneKnown { found }) => ("no-list", None, Some(*found)),
    };
    Some(ToldChecksum {
        state,
        expected: expected.map(|expected| checksum::hex(&expected.digest)),
        found: found.as_ref().map(checksum::hex),
        from: expected.and_then(from),
    })
}

/// Reads the whole image, where that is wanted. The reason where it cannot be.
fn compare(file: &Path, wanted: &Wanted, kept: &Path) -> Result<Option<Verdict>, String> {
    let expected = match &wanted.pasted {
        Some(text) => Some(checksum::pasted(text, file).map_err(|problem| problem.to_string())?),
        None if wanted.verify => checksum::expected(file).map_err(|error| check::explain_list(&error).sentence())?,
        None => return Ok(None),
    };
    let algorithm = expected.as_ref().map_or(Algorithm::Sha256, |expected| expected.digest.algorithm());
    let key = Key::of(file);
    let mut shown = Progress::default();
    let found = checksum::digest(file, algorithm, &mut |done, total| shown.tell(done, total));
    shown.end();
    let found = found.map_err(|error| format!("{} cannot be read to its end ({error}).", file.display()))?;
    let Some(found) = found else { return Ok(None) };
    let verdict = Verdict::of(expected, found);
    // A result that cannot be kept is compared again next time.
    let _ = checksum::remember(key, &verdict, kept);
    Ok(Some(verdict))
}

/// How far reading is, on a terminal.
#[derive(Default)]
struct Progress {
    told: Option<u64>,
}

impl Progress {
    fn tell(&mut self, done: u64, total: u64) -> ControlFlow<()> {
        let percent = done.saturating_mul(100) / total.max(1);
        if std::io::stderr().is_terminal() && self.told != Some(percent) {
            self.told = Some(percent);
            let _ = write!(std::io::stderr(), "\rComparing the checksum: {percent} %");
        }
        ControlFlow::Continue(())
    }

    fn end(&self) {
        if self.told.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

fn checksum_words(known: &Known) -> String {
    let from = |expected: &Expected| expected.from.file_name().unwrap_or_else(|| "what was given".to_owned());
    let words = match known {
        Known::Nothing => return String::new(),
        Known::Expected(expected) => format!("not compared with {} yet; --verify does", from(expected)),
        Known::Compared(Verdict::Matches(expected)) => format!("right, as {} says", from(expected)),
        Known::Compared(Verdict::Differs { expected, .. }) => {
            format!("WRONG: {} says another one, so download the image again", from(expected))
        }
        Known::Compared(Verdict::NoneKnown { found }) => {
            format!(
                "{} {}; nothing beside the image to compare it with",
                found.algorithm().name(),
                checksum::hex(found)
            )
        }
    };
    format!("  {:<12}{}\n", "Checksum", text::plain(&words, 300))
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
    for line in words::secure_boot(inspection) {
        field("Secure Boot", &line);
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
        field("  Answers", crate::answer::kind::name(answering.kind));
    }
    if let Some(ram) = entry.min_ram_mb {
        field("  Memory", &format!("{ram} MiB or more"));
    }
}
