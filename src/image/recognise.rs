//! From a disc to a verdict: recipes first, then the image's own menu, then recipes of last resort.

use std::cmp::Ordering;
use std::io::Read;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use super::recipe::{self, EntryRecipe, Ram, Recipe};
use super::{Boot, Disc, DiscError, Entry, Firmware, Injection, Inspection, Recognised, Transport};
use super::{bootcfg, family, kernel};
use crate::text;

/// The id of a system that only its own menu tells.
const OWN_MENU: &str = "boot-menu";
/// Most items taken from an image's own menu.
const MAX_OWN_ENTRIES: usize = 12;
/// How much of a file is looked at for a version or a text, in bytes.
const LOOKED_AT: usize = 1 << 20;
/// How far an initrd is unpacked in search of a name, in bytes.
const MAX_INITRD: u64 = 512 << 20;
const MIB: u64 = 1 << 20;

/// The shipped recipes are proved by a test; a program without them would still read the image's own menu.
static RECIPES: LazyLock<Vec<Recipe>> = LazyLock::new(|| recipe::shipped().unwrap_or_default());

/// Opens an image and says what it is and how it boots over a network.
pub fn inspect(path: &Path) -> Result<(Disc, Inspection), DiscError> {
    let disc = Disc::open(path)?;
    let inspection = judge(&disc);
    Ok((disc, inspection))
}

/// What an opened image is.
pub fn judge(disc: &Disc) -> Inspection {
    let mut inspection = Inspection {
        path: disc.path().to_path_buf(),
        size: disc.stamp().size,
        volume_label: disc.label().map(|label| text::plain(label, 64)),
        filesystem: disc.filesystem(),
        recognised: None,
        entries: Vec::new(),
        warnings: Vec::new(),
    };
    if let Some(first) = disc.damage().first() {
        let count = disc.damage().len();
        let first = text::plain(first, 200);
        inspection.warnings.push(format!("Parts of this image cannot be read ({count}, the first: {first})."));
    }
    let (known, last_resort): (Vec<&Recipe>, Vec<&Recipe>) = RECIPES.iter().partition(|recipe| !recipe.last_resort);
    let by_recipe = |recipes: &[&Recipe], inspection: &mut Inspection| {
        recipes.iter().filter(|recipe| matches(disc, recipe)).any(|recipe| apply(disc, recipe, inspection))
    };
    let _ = by_recipe(&known, &mut inspection)
        || from_own_menu(disc, &mut inspection)
        || by_recipe(&last_resort, &mut inspection);
    if inspection.entries.is_empty() && inspection.recognised.is_none() {
        let text =
            "No kernel and no boot menu that names one was found in this image, so it cannot boot over a network.";
        inspection.warnings.push(text.to_owned());
    }
    inspection
}

fn matches(disc: &Disc, recipe: &Recipe) -> bool {
    let detect = &recipe.detect;
    let text_found = |wanted: &recipe::Contains| {
        let mut places = wanted.files.iter().flat_map(|file| disc.matching(file));
        places.any(|(path, _)| {
            let start = disc.read_start(&path, LOOKED_AT).unwrap_or_default();
            start.windows(wanted.text.len().max(1)).any(|part| part == wanted.text.as_bytes())
        })
    };
    detect.files.iter().all(|file| disc.has(file))
        && (detect.any.is_empty() || detect.any.iter().any(|file| disc.has(file)))
        && !detect.absent.iter().any(|file| disc.has(file))
        && detect.contains.as_ref().is_none_or(text_found)
}

/// Why an entry cannot be offered.
enum Problem {
    /// A file of it is not there: the image is another system after all, or remastered.
    Missing,
    /// It is there, and would not work; this is why.
    Useless(String),
}

/// Fills in what a recipe says. Returns whether it fits: a recipe none of whose entries finds its files does not.
fn apply(disc: &Disc, recipe: &Recipe, inspection: &mut Inspection) -> bool {
    let present = recipe.detect.files.iter().chain(recipe.detect.any.iter().filter(|file| disc.has(file)));
    let mut evidence: Vec<String> = present.map(|file| format!("it has {file}")).collect();
    evidence.extend(recipe.detect.contains.iter().map(|found| format!("it says {:?} of itself", found.text)));
    let label = disc.label().unwrap_or_default();
    if recipe.detect.label.as_ref().and_then(|label| Regex::new(label).ok()).is_some_and(|known| known.is_match(label))
    {
        evidence.push(format!("its label is {:?}", text::plain(label, 64)));
    }
    let (name, version) = name_and_version(disc, recipe, &mut evidence);
    let mut warnings = recipe.warnings.clone();
    let too_old = recipe.version.as_ref().and_then(|known| known.too_old.as_ref());
    let too_old = too_old.filter(|old| version.as_ref().is_some_and(|own| natural(own, &old.below) == Ordering::Less));
    if let Some(old) = too_old {
        warnings.push(old.say.clone());
    } else {
        for entry in &recipe.entries {
            match build(disc, recipe, entry, &name, version.as_deref()) {
                Ok(entry) => inspection.entries.push(entry),
                Err(Problem::Missing) => {}
                Err(Problem::Useless(reason)) => warnings.push(reason),
            }
        }
    }
    if inspection.entries.is_empty() && warnings.is_empty() {
        return false;
    }
    inspection.warnings.extend(warnings);
    let mut arch: Vec<String> = inspection.entries.iter().map(|entry| entry.arch.clone()).collect();
    if arch.is_empty() {
        arch = loader_arch(disc);
    }
    arch.sort();
    arch.dedup();
    inspection.recognised =
        Some(Recognised { id: recipe.id.clone(), name, version, arch, category: recipe.category.clone(), evidence });
    true
}

fn name_and_version(disc: &Disc, recipe: &Recipe, evidence: &mut Vec<String>) -> (String, Option<String>) {
    let found = || {
        let version = recipe.version.as_ref()?;
        let (text, place) = match &version.file {
            Some(file) => (disc.read_text(file, LOOKED_AT)?, file.as_str()),
            None => (disc.label()?.to_owned(), "its label"),
        };
        let pattern = Regex::new(&version.pattern).ok()?;
        let groups = pattern.captures(&text)?;
        let group = |name: &str| groups.name(name).map(|found| text::plain(found.as_str(), 40));
        Some((group("name"), group("version").filter(|text| !text.is_empty()), place.to_owned()))
    };
    let Some((name, version, place)) = found() else { return (recipe.name.clone(), None) };
    if let Some(version) = &version {
        evidence.push(format!("{place} says {version}"));
    }
    (name.unwrap_or_else(|| recipe.name.clone()), version)
}

/// An entry with its paths found on the disc.
fn build(
    disc: &Disc,
    recipe: &Recipe,
    entry: &EntryRecipe,
    name: &str,
    version: Option<&str>,
) -> Result<Entry, Problem> {
    let title = [Some(name), version, Some(entry.title.as_str())];
    let title: Vec<&str> = title.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    let id = if entry.suffix.is_empty() { recipe.id.clone() } else { format!("{}-{}", recipe.id, entry.suffix) };
    let mut built = Entry {
        id,
        title: title.join(" "),
        boot: if entry.kernel.is_empty() { Boot::Sanboot } else { Boot::Linux },
        kernel: None,
        module_arguments: Vec::new(),
        answering: None,
        initrd: Vec::new(),
        inject: Vec::new(),
        cmdline: entry.cmdline.clone(),
        transport: entry.transport,
        firmware: vec![Firmware::Bios],
        arch: loader_arch(disc).into_iter().next().unwrap_or_else(|| "x86_64".to_owned()),
        min_ram_mb: entry.ram.as_ref().map(|ram| memory(disc, ram)),
    };
    if entry.kernel.is_empty() {
        return Ok(built);
    }
    let (kernel, stem) = newest(disc, &entry.kernel).ok_or(Problem::Missing)?;
    let header = kernel::probe(disc, &kernel).ok_or(Problem::Missing)?;
    (built.arch, built.firmware) = (header.arch.to_owned(), header.firmware);
    built.initrd.extend(entry.early.iter().filter_map(|path| disc.resolve_file(path)));
    for places in &entry.initrd {
        let paired = places.iter().map(|place| place.replacen('*', &stem, 1)).find_map(|path| disc.resolve_file(&path));
        built.initrd.push(paired.or_else(|| newest(disc, places).map(|(path, _)| path)).ok_or(Problem::Missing)?);
    }
    for file in &entry.inject {
        let from = disc.resolve_file(&file.from).ok_or(Problem::Missing)?;
        built.inject.push(Injection { from, to: file.to.clone(), mode: file.mode.clone() });
    }
    if let Some(requires) = &entry.requires
        && !built.initrd.iter().any(|path| initrd_contains(disc, path, requires.initrd_contains.as_bytes()))
    {
        return Err(Problem::Useless(requires.otherwise.clone()));
    }
    built.kernel = Some(kernel);
    Ok(built)
}

/// Of the first pattern that matches anything, the match with the highest version, and what its `*` stood for.
fn newest(disc: &Disc, places: &[String]) -> Option<(String, String)> {
    places.iter().find_map(|place| disc.matching(place).max_by(|(_, a), (_, b)| natural(a, b)))
}

/// Compares as people do: digits as numbers, so that 6.10 comes after 6.9.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (own, other) = (digits(a), digits(b));
        if own > 0 && other > 0 {
            let (number, rest) = a.split_at(own);
            let (other_number, other_rest) = b.split_at(other);
            let (number, other_number) = (number.trim_start_matches('0'), other_number.trim_start_matches('0'));
            let order = number.len().cmp(&other_number.len()).then_with(|| number.cmp(other_number));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (rest, other_rest);
            continue;
        }
        let (mut letters, mut other_letters) = (a.chars(), b.chars());
        match (letters.next(), other_letters.next()) {
            (Some(letter), Some(other)) if letter == other => (a, b) = (letters.as_str(), other_letters.as_str()),
            (letter, other) => return letter.cmp(&other),
        }
    }
}

fn memory(disc: &Disc, ram: &Ram) -> u64 {
    let sizes =
        |pattern: &str| disc.matching(pattern).filter_map(|(path, _)| disc.find(&path)).map(|file| file.size).sum();
    let counted: u64 = ram.files.as_deref().map_or(disc.stamp().size, sizes);
    ram.base_mb + ram.factor * counted.div_ceil(MIB)
}

/// The processors that the image's UEFI loaders are for.
fn loader_arch(disc: &Disc) -> Vec<String> {
    let loaders = [("/EFI/BOOT/BOOTX64.EFI", "x86_64"), ("/EFI/BOOT/BOOTAA64.EFI", "aarch64")];
    let found = loaders.into_iter().filter(|(path, _)| disc.has(path)).map(|(_, arch)| arch.to_owned());
    found.collect()
}

/// Entries from the image's own boot menu. Returns whether there are any.
fn from_own_menu(disc: &Disc, inspection: &mut Inspection) -> bool {
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
        name: label.unwrap_or_else(|| super::file_name(disc.path())),
        version: None,
        arch,
        category: "unknown".to_owned(),
        evidence,
    });
    true
}

/// Looks for a byte sequence in an initrd: plain, or packed by gzip from its start.
fn initrd_contains(disc: &Disc, path: &str, needle: &[u8]) -> bool {
    let Some(plain) = disc.reader(path) else { return false };
    let packed = disc.reader(path).map(flate2::read::MultiGzDecoder::new);
    contains(plain, needle) || packed.is_some_and(|packed| contains(packed, needle))
}

fn contains(reader: impl Read, needle: &[u8]) -> bool {
    let mut reader = reader.take(MAX_INITRD);
    let mut window: Vec<u8> = Vec::new();
    let mut chunk = vec![0u8; 64 << 10];
    loop {
        let Ok(count @ 1..) = reader.read(&mut chunk) else { return false };
        window.extend_from_slice(chunk.get(..count).unwrap_or_default());
        if window.windows(needle.len().max(1)).any(|part| part == needle) {
            return true;
        }
        window.drain(..window.len().saturating_sub(needle.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_people_do() {
        let ordered = ["", "5.10.0-9-amd64", "5.10.0-28-amd64", "6.1.0-9-amd64", "6.1.0-18-amd64", "6.9.0", "6.10.0"];
        for pair in ordered.windows(2) {
            assert_eq!(natural(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(natural(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
        assert_eq!(natural("6.01", "6.1"), Ordering::Equal);
        assert_eq!(natural("99999999999999999999999", "100000000000000000000000"), Ordering::Less);
    }
}
