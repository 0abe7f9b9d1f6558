//! Entries from the image's own boot menu, for what no recipe knows.

use super::Look;
use crate::image::bootcfg::{self, Item, Kind};
use crate::image::family::{self, Network, Networked};
use crate::image::initrd::Contents;
use crate::image::{Boot, Category, Disc, Entry, Firmware, Inspection, Recognised, Transport, file_name, kernel};
use crate::text;

/// The id of a system that only its own menu tells.
const OWN_MENU: &str = "boot-menu";
/// Most items taken from an image's own menu.
const MAX_OWN_ENTRIES: usize = 12;

/// Returns whether there are any, or whether it is known why there are none.
pub(super) fn apply(look: &Look, inspection: &mut Inspection) -> bool {
    let mut evidence = Vec::new();
    let mut reasons = Vec::new();
    let mut unknown = false;
    for item in bootcfg::read(look.disc) {
        let Some(mut entry) = entry(look.disc, &item).filter(|_| inspection.entries.len() < MAX_OWN_ENTRIES) else {
            continue;
        };
        if evidence.is_empty() {
            evidence.push(format!("its own menu {} names a kernel", item.menu));
        }
        match family::network(look.disc, &item, contents(look, &entry.initrd).as_ref()) {
            Network::Networked(found) => {
                evidence.push(found.evidence.clone());
                adapt(&mut entry, found);
            }
            Network::Plain { evidence: told } => evidence.push(told),
            Network::Unknown => unknown = true,
            Network::CannotBoot { why } => {
                reasons.push(why);
                continue;
            }
        }
        let number = inspection.entries.len() + 1;
        if number > 1 {
            entry.id = format!("{OWN_MENU}-entry{number}");
        }
        if entry.title.is_empty() {
            entry.title = format!("Entry {number}");
        }
        inspection.entries.push(entry);
    }
    if evidence.is_empty() {
        return false;
    }
    if unknown {
        let text = "This system is not known, so its kernel arguments are those for a CD: it will start, and may then \
                    look for its disc in vain.";
        reasons.push(text.to_owned());
    }
    distinct(&mut evidence);
    distinct(&mut reasons);
    inspection.warnings.extend(reasons);
    inspection.recognised = Some(recognised(look.disc, inspection, evidence));
    true
}

/// What was seen of these initrds together. `None` where one cannot be read, or there are none.
fn contents(look: &Look, paths: &[String]) -> Option<Contents> {
    let seen: Option<Vec<Contents>> = paths.iter().map(|path| look.initrd(path).map(|seen| (*seen).clone())).collect();
    seen?.into_iter().reduce(Contents::joined)
}

/// An item with its paths as the disc has them, and with the arguments that it has. `None` where a file is missing.
fn entry(disc: &Disc, item: &Item) -> Option<Entry> {
    let resolved = |paths: &mut dyn Iterator<Item = &String>| -> Option<Vec<String>> {
        paths.map(|path| disc.resolve_file(path)).collect()
    };
    let kernel = disc.resolve_file(&item.kernel)?;
    let header = kernel::probe(disc, &kernel);
    let mut firmware = header.as_ref().map_or_else(Vec::new, |header| header.firmware.clone());
    let (boot, initrd, module_arguments) = match &item.kind {
        // `memdisk` is loaded like a kernel, and its drive like an initrd.
        Kind::Linux | Kind::Memdisk => (Boot::Linux, resolved(&mut item.initrd.iter())?, Vec::new()),
        Kind::EfiProgram => (Boot::EfiProgram, Vec::new(), Vec::new()),
        Kind::Multiboot { modules } => {
            firmware = vec![Firmware::Bios, Firmware::Uefi];
            let arguments = modules.iter().map(|(_, arguments)| text::plain(arguments, 2000)).collect();
            (Boot::Multiboot, resolved(&mut modules.iter().map(|(path, _)| path))?, arguments)
        }
    };
    if firmware.is_empty() {
        return None;
    }
    Some(Entry {
        id: OWN_MENU.to_owned(),
        title: text::plain(&item.title, 64),
        boot,
        kernel: Some(kernel),
        module_arguments,
        answering: None,
        initrd,
        inject: Vec::new(),
        cmdline: text::plain(&item.arguments, 2000),
        transport: Transport::HttpTree,
        firmware,
        arch: header.map_or("x86_64", |header| header.arch).to_owned(),
        min_ram_mb: None,
        signed: None,
    })
}

fn adapt(entry: &mut Entry, found: Networked) {
    entry.cmdline = text::plain(&found.cmdline, 2000);
    entry.transport = found.transport;
    entry.inject = found.inject;
    entry.min_ram_mb = Some(found.min_ram_mb);
}

fn distinct(lines: &mut Vec<String>) {
    let mut seen = std::collections::HashSet::new();
    lines.retain(|line| seen.insert(line.clone()));
}

fn recognised(disc: &Disc, inspection: &Inspection, evidence: Vec<String>) -> Recognised {
    let mut arch: Vec<String> = inspection.entries.iter().map(|entry| entry.arch.clone()).collect();
    arch.sort();
    arch.dedup();
    let label = inspection.volume_label.clone().filter(|label| !label.is_empty());
    Recognised {
        id: OWN_MENU.to_owned(),
        name: label.unwrap_or_else(|| file_name(disc.path())),
        version: None,
        arch,
        editions: Vec::new(),
        category: Category::Other,
        evidence,
    }
}
