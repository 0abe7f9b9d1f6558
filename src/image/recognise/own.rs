//! Entries from the image's own boot menu, for what no recipe knows.

use super::Look;
use crate::image::{Boot, Category, Entry, Inspection, Recognised, Transport, bootcfg, family, file_name, kernel};
use crate::text;

/// The id of a system that only its own menu tells.
const OWN_MENU: &str = "boot-menu";
/// Most items taken from an image's own menu.
const MAX_OWN_ENTRIES: usize = 12;

/// Returns whether there are any.
pub(super) fn apply(look: &Look, inspection: &mut Inspection) -> bool {
    let disc = look.disc;
    let mut families = Vec::new();
    for item in bootcfg::read(disc) {
        if inspection.entries.len() >= MAX_OWN_ENTRIES {
            break;
        }
        let Some(header) = kernel::probe(disc, &item.kernel) else { continue };
        let initrd: Option<Vec<String>> = item.initrd.iter().map(|path| disc.resolve_file(path)).collect();
        let (Some(kernel), Some(initrd)) = (disc.resolve_file(&item.kernel), initrd) else { continue };
        let (family, cmdline) = match family::network_arguments(disc, &item.arguments) {
            Some((family, line)) => (Some(family), line),
            None => (None, item.arguments.clone()),
        };
        let number = inspection.entries.len() + 1;
        let title = Some(text::plain(&item.title, 64)).filter(|title| !title.is_empty());
        inspection.entries.push(Entry {
            id: if number == 1 { OWN_MENU.to_owned() } else { format!("{OWN_MENU}-entry{number}") },
            title: title.unwrap_or_else(|| format!("Entry {number}")),
            boot: Boot::default(),
            kernel: Some(kernel),
            module_arguments: Vec::new(),
            answering: None,
            initrd,
            inject: Vec::new(),
            cmdline: text::plain(&cmdline, 2000),
            transport: family.map_or(Transport::HttpTree, |family| family.transport),
            firmware: header.firmware,
            arch: header.arch.to_owned(),
            min_ram_mb: None,
        });
        families.push((family.map(|family| family.name), item.menu));
    }
    let Some((family, menu)) = families.first() else { return false };
    let mut evidence = vec![format!("its own menu {menu} names a kernel")];
    evidence.extend(family.map(|name| format!("its kernel arguments are those of {name}")));
    if families.iter().any(|(family, _)| family.is_none()) {
        let text = "This system is not known, so its kernel arguments are those for a CD: it will start, and may then \
                    look for its disc in vain.";
        inspection.warnings.push(text.to_owned());
    }
    let mut arch: Vec<String> = inspection.entries.iter().map(|entry| entry.arch.clone()).collect();
    arch.sort();
    arch.dedup();
    let label = inspection.volume_label.clone().filter(|label| !label.is_empty());
    inspection.recognised = Some(Recognised {
        id: OWN_MENU.to_owned(),
        name: label.unwrap_or_else(|| file_name(disc.path())),
        version: None,
        arch,
        editions: Vec::new(),
        category: Category::Other,
        evidence,
    });
    true
}
