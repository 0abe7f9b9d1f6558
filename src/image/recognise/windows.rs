//! Windows media: what the recipe cannot know stands in the WIM files themselves.

use crate::image::{Boot, Disc, Firmware, Inspection, wim};
use crate::text;

/// Most editions and missing parts that a sentence names.
const NAMED: usize = 6;
/// The recipes of any Windows: what their discs are called stands in the WIM. A product with Windows PE in it keeps its
/// own name.
const GENERIC: [&str; 3] = ["windows-10-11", "windows-7-8", "windows-pe"];

/// Puts name, version, editions and processor in, and says what a computer that starts it will find.
pub(super) fn refine(disc: &Disc, inspection: &mut Inspection) {
    let Some(system) = inspection.recognised.as_mut() else { return };
    if inspection.entries.iter().all(|entry| entry.boot != Boot::Wimboot) {
        return;
    }
    let Some(media) = wim::media(disc) else {
        let text = "Its boot.wim cannot be read as a WIM file, so it may be damaged: compare its checksum.";
        inspection.warnings.push(text.to_owned());
        return;
    };
    if GENERIC.contains(&system.id.as_str()) {
        let (old, new) = (system.name.clone(), text::plain(&media.name, 60));
        let titled =
            media.version.as_ref().map_or(new.clone(), |version| format!("{new} {}", text::plain(version, 40)));
        for entry in &mut inspection.entries {
            entry.title = entry.title.replacen(&old, &titled, 1);
        }
        system.name = new;
        system.version = media.version.as_deref().map(|version| text::plain(version, 40));
    }
    system.evidence.push(format!("{} says build {}", text::plain(&media.boot_path, 100), media.build));
    system.editions = media.editions.iter().map(|name| text::plain(name, 80)).collect();
    if let Some(arch) = media.arch {
        system.arch = vec![arch.to_owned()];
        for entry in inspection.entries.iter_mut().filter(|entry| entry.boot == Boot::Wimboot) {
            entry.arch = arch.to_owned();
            match arch {
                "aarch64" => entry.firmware = vec![Firmware::Uefi],
                // Only UEFI of 32 bits would start it, which is rare; UEFI of 64 bits cannot.
                "i386" => entry.firmware = vec![Firmware::Bios],
                _ => {}
            }
        }
    }
    inspection.warnings.extend(notes(&media));
}

fn notes(media: &wim::WindowsMedia) -> Vec<String> {
    let mut notes = Vec::new();
    if !media.missing.is_empty() {
        let named: Vec<String> = media.missing.iter().take(NAMED).map(|path| text::plain(path, 100)).collect();
        notes.push(format!(
            "It is split into {} parts, and these are not on the disc: {}. Setup would stop there; copy them into the image.",
            media.parts,
            named.join(", ")
        ));
    }
    if let Some(problem) = &media.problem {
        let problem = text::plain(problem, 200);
        notes.push(format!("What it installs cannot be read ({problem}): compare the image's checksum."));
    }
    if media.install.is_some() {
        let text = "It starts Windows Setup; Setup then looks for its installation files on a drive or a share, since it \
                    cannot fetch them over HTTP.";
        notes.push(text.to_owned());
    }
    notes
}
