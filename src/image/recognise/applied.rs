//! A recipe put to a disc: its paths found, its values filled in, its conditions tried.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::order::natural;
use super::{LOOKED_AT, Look, torito};
use crate::image::pattern::Pattern;
use crate::image::recipe::{EntryRecipe, Ram, Recipe, Value};
use crate::image::{Boot, Disc, Entry, Firmware, Injection, Inspection, Recognised, WHOLE_IMAGE, file_name, kernel};
use crate::text;

const MIB: u64 = 1 << 20;
/// Most files that one pattern injects.
const MAX_INJECTED: usize = 64;

/// Why an entry cannot be offered.
enum Problem {
    /// A file of it is not there: the image is another system after all, or remastered.
    Missing,
    /// It is there, and would not work; this is why.
    Useless(String),
}

/// Whether the label is one that this system usually has.
pub(super) fn label_fits(disc: &Disc, recipe: &Recipe) -> bool {
    let known = recipe.detect.label.as_ref().and_then(Pattern::regex);
    known.is_some_and(|known| known.is_match(disc.label().unwrap_or_default()))
}

/// Fills in what a recipe says. Returns whether it fits: one none of whose entries finds its files does not, whatever it
/// warns of; one without entries is there for its warnings.
pub(super) fn apply(look: &Look, recipe: &Recipe, inspection: &mut Inspection) -> bool {
    let disc = look.disc;
    let mut evidence = evidence(disc, recipe);
    let (name, version) = name_and_version(disc, recipe, &mut evidence);
    let mut warnings = recipe.warnings.clone();
    let mut fits = recipe.entries.is_empty() && !warnings.is_empty();
    let too_old = recipe.too_old.as_ref();
    let too_old = too_old.filter(|old| version.as_ref().is_some_and(|own| natural(own, &old.below) == Ordering::Less));
    if let Some(old) = too_old {
        fits = true;
        warnings.push(old.say.clone());
    } else {
        let filling = Filling::of(disc, recipe);
        for entry in &recipe.entries {
            match build(look, recipe, entry, &filling, &mut warnings) {
                Ok(built) => {
                    fits = true;
                    inspection.entries.push(Entry { title: title(&name, version.as_deref(), entry), ..built });
                }
                Err(Problem::Missing) => {}
                Err(Problem::Useless(reason)) => {
                    fits = true;
                    warnings.push(reason);
                }
            }
        }
    }
    if !fits {
        return false;
    }
    // One sentence for all the entries that it is true of.
    let mut told = std::collections::BTreeSet::new();
    inspection.warnings.extend(warnings.into_iter().filter(|warning| told.insert(warning.clone())));
    let mut arch: Vec<String> = inspection.entries.iter().map(|entry| entry.arch.clone()).collect();
    if arch.is_empty() {
        arch = loader_arch(disc);
    }
    arch.sort();
    arch.dedup();
    let (id, category) = (recipe.id.clone(), recipe.category);
    inspection.recognised = Some(Recognised { id, name, version, arch, editions: Vec::new(), category, evidence });
    true
}

fn evidence(disc: &Disc, recipe: &Recipe) -> Vec<String> {
    let detect = &recipe.detect;
    let present = detect.files.iter().chain(detect.any.iter().filter(|file| disc.has(file)));
    let mut evidence: Vec<String> = present.map(|file| format!("it has {file}")).collect();
    evidence.extend(detect.contains.iter().map(|found| format!("it says {:?} of itself", found.text)));
    evidence.extend(detect.starts.then(|| "it is a disc that starts by itself".to_owned()));
    evidence.extend(detect.initrd.iter().map(|found| format!("its initrd has {}", found.has.name())));
    if label_fits(disc, recipe) {
        evidence.push(format!("its label is {:?}", text::plain(disc.label().unwrap_or_default(), 64)));
    }
    evidence
}

fn title(name: &str, version: Option<&str>, entry: &EntryRecipe) -> String {
    let parts = [Some(name), version, Some(entry.title.as_str())];
    let parts: Vec<&str> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

fn name_and_version(disc: &Disc, recipe: &Recipe, evidence: &mut Vec<String>) -> (String, Option<String>) {
    let found = recipe.version.iter().find_map(|version| {
        let (text, place) = match &version.file {
            Some(file) => {
                let (path, _) = disc.matching(file).next()?;
                (disc.read_text(&path, LOOKED_AT)?, path)
            }
            None => (disc.label()?.to_owned(), "its label".to_owned()),
        };
        let groups = version.pattern.regex()?.captures(&text)?;
        let group = |name: &str| groups.name(name).map(|found| text::plain(found.as_str().trim(), 40));
        Some((group("name"), group("version").filter(|text| !text.is_empty()), text::plain(&place, 100)))
    });
    let Some((name, version, place)) = found else { return (recipe.name.clone(), None) };
    if let Some(version) = &version {
        evidence.push(format!("{place} says {version}"));
    }
    let name = name.filter(|name| !name.is_empty());
    (name.unwrap_or_else(|| recipe.name.clone()), version)
}

/// What stands for the names in braces of a recipe; `None` for one that this image does not have.
struct Filling(BTreeMap<String, Option<String>>);

impl Filling {
    fn of(disc: &Disc, recipe: &Recipe) -> Filling {
        // Blanks of a label are written so on kernel command lines (systemd's and dracut's escape).
        let label = disc.label().map(|label| text::plain(label, 64).replace(' ', "\\x20"));
        let kib = disc.stamp().size.div_ceil(1024) + 64 * 1024;
        let own = [("label".to_owned(), label), ("iso_kib".to_owned(), Some(kib.to_string()))];
        let values = recipe.values.iter().map(|(name, value)| (name.clone(), value_of(disc, value)));
        Filling(own.into_iter().chain(values).collect())
    }

    /// `None` where the text has a name that this image has nothing for.
    fn fill(&self, text: &str) -> Option<String> {
        let mut filled = text.to_owned();
        for (name, value) in &self.0 {
            let mark = format!("{{{name}}}");
            if filled.contains(&mark) {
                filled = filled.replace(&mark, value.as_deref()?);
            }
        }
        Some(filled)
    }

    fn all<'a>(&self, texts: impl IntoIterator<Item = &'a String>) -> Vec<String> {
        texts.into_iter().filter_map(|text| self.fill(text)).collect()
    }
}

fn value_of(disc: &Disc, value: &Value) -> Option<String> {
    let found = match value {
        Value::Star(pattern) => disc.matching(pattern).next()?.1,
        Value::Text(wanted) => {
            let pattern = wanted.pattern.regex()?;
            let mut files = wanted.files.iter().flat_map(|file| disc.matching(file));
            let said = files.find_map(|(path, _)| {
                let text = disc.read_text(&path, LOOKED_AT)?;
                Some(pattern.captures(&text)?.name("value")?.as_str().to_owned())
            });
            said.or_else(|| Some(disc.matching(wanted.otherwise.as_ref()?).next()?.1))?
        }
    };
    // It becomes part of a path or a command line.
    let harmless = !found.is_empty() && found.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '{' | '}' | '*'));
    harmless.then(|| text::plain(&found, 300))
}

/// An entry with its paths found on the disc; its title is left to the caller.
fn build(
    look: &Look,
    recipe: &Recipe,
    entry: &EntryRecipe,
    filling: &Filling,
    warnings: &mut Vec<String>,
) -> Result<Entry, Problem> {
    let disc = look.disc;
    let (kernel, stem) = match newest(disc, &filling.all(&entry.kernel)) {
        Some((kernel, stem)) => (Some(kernel), stem),
        None if entry.kernel.is_empty() => (None, String::new()),
        None => return Err(Problem::Missing),
    };
    let machine = machine(disc, entry, kernel.as_deref());
    if kernel.is_none() && machine.firmware.is_empty() {
        return Err(Problem::Missing);
    }
    let mut initrd: Vec<String> = filling.all(&entry.early).iter().filter_map(|path| disc.resolve_file(path)).collect();
    let early = initrd.len();
    for places in &entry.initrd {
        let places = filling.all(places);
        let paired = places.iter().map(|place| place.replacen('*', &stem, 1)).find_map(|path| disc.resolve_file(&path));
        initrd.push(paired.or_else(|| newest(disc, &places).map(|(path, _)| path)).ok_or(Problem::Missing)?);
    }
    // Microcode and extras decide nothing.
    conditions(look, entry, initrd.get(early..).unwrap_or_default())?;
    initrd.extend(filling.all(&entry.optional).iter().flat_map(|place| disc.matching(place)).map(|(path, _)| path));
    let id = if entry.suffix.is_empty() { recipe.id.clone() } else { format!("{}-{}", recipe.id, entry.suffix) };
    let built = Entry {
        id,
        title: String::new(),
        boot: entry.boot,
        kernel,
        initrd,
        module_arguments: entry
            .modules
            .iter()
            .map(|line| filling.fill(line))
            .collect::<Option<_>>()
            .ok_or(Problem::Missing)?,
        inject: injections(disc, entry, filling)?,
        cmdline: filling.fill(&entry.cmdline).ok_or(Problem::Missing)?,
        answering: entry.answer.clone(),
        transport: entry.transport,
        firmware: machine.firmware,
        arch: machine.arch,
        min_ram_mb: entry.ram.as_ref().and_then(|ram| memory(disc, ram, filling)),
        signed: None,
    };
    warnings.extend(machine.warning);
    Ok(built)
}

/// What an entry starts on.
struct Machine {
    arch: String,
    firmware: Vec<Firmware>,
    /// What to tell where it is not sure.
    warning: Option<String>,
}

/// Processor and firmware: what the kernel's header says, within what the recipe allows.
fn machine(disc: &Disc, entry: &EntryRecipe, kernel: Option<&str>) -> Machine {
    let usual = match entry.boot {
        Boot::EfiProgram | Boot::Esxi | Boot::HttpDisc => vec![Firmware::Uefi],
        Boot::Memdisk => vec![Firmware::Bios],
        Boot::Linux | Boot::Multiboot | Boot::Wimboot | Boot::Sanboot => vec![Firmware::Bios, Firmware::Uefi],
    };
    let header = kernel.and_then(|kernel| kernel::probe(disc, kernel));
    // A hypervisor is an ELF file, perhaps packed: it has no such header.
    let unknown = kernel.filter(|_| header.is_none() && matches!(entry.boot, Boot::Linux | Boot::EfiProgram));
    let warning = unknown.map(|kernel| {
        let kernel = text::plain(kernel, 100);
        format!("The header of its kernel {kernel} is of a kind that we do not know, so it may not start.")
    });
    let arch = header.as_ref().map(|header| header.arch.to_owned()).or_else(|| entry.arch.clone());
    let arch = arch.or_else(|| loader_arch(disc).into_iter().next()).unwrap_or_else(|| "x86_64".to_owned());
    let able = match header {
        Some(header) if entry.boot == Boot::Linux => header.firmware,
        // There is no BIOS on that processor.
        None if arch == "aarch64" => vec![Firmware::Uefi],
        _ => usual,
    };
    // A disc that is given whole starts on what its boot catalogue says. Without one a BIOS can still start it as a hard
    // disk.
    let starts = match entry.boot {
        Boot::Sanboot | Boot::Memdisk => torito::starts(disc.file()),
        Boot::HttpDisc => Some(torito::starts(disc.file()).unwrap_or_default()),
        _ => None,
    };
    let allowed = |firmware: &Firmware| {
        (entry.firmware.is_empty() || entry.firmware.contains(firmware))
            && starts.as_ref().is_none_or(|starts| starts.contains(firmware))
    };
    let firmware = able.into_iter().filter(allowed).collect();
    Machine { arch, firmware, warning }
}

fn conditions(look: &Look, entry: &EntryRecipe, initrd: &[String]) -> Result<(), Problem> {
    let lacks = entry.requires.as_ref().filter(|needs| look.any_has(initrd, needs.has) == Some(false));
    let unproved = || entry.proof.as_ref().filter(|needs| look.any_has(initrd, needs.has) != Some(true));
    match lacks.or_else(unproved) {
        Some(needs) => Err(Problem::Useless(needs.otherwise.clone())),
        None => Ok(()),
    }
}

fn injections(disc: &Disc, entry: &EntryRecipe, filling: &Filling) -> Result<Vec<Injection>, Problem> {
    let mut injections = Vec::new();
    for file in &entry.inject {
        let (from, to) = (filling.fill(&file.from), filling.fill(&file.to));
        let (from, to) = from.zip(to).ok_or(Problem::Missing)?;
        if from == WHOLE_IMAGE {
            injections.push(Injection { from, to, mode: file.mode.clone() });
            continue;
        }
        let found: Vec<String> = disc.matching(&from).map(|(path, _)| path).take(MAX_INJECTED).collect();
        if found.is_empty() {
            return Err(Problem::Missing);
        }
        injections.extend(found.into_iter().map(|from| {
            let to = to.replace("{file}", &file_name(from.as_ref()));
            Injection { from, to, mode: file.mode.clone() }
        }));
    }
    Ok(injections)
}

/// Of the first pattern that matches anything, the match with the highest version, and what its `*` stood for.
fn newest(disc: &Disc, places: &[String]) -> Option<(String, String)> {
    places.iter().find_map(|place| disc.matching(place).max_by(|(_, a), (_, b)| natural(a, b)))
}

/// Memory needed, in MiB; `None` where what counts is not where the recipe looks for it.
fn memory(disc: &Disc, ram: &Ram, filling: &Filling) -> Option<u64> {
    let sizes = |pattern: &str| {
        let found = disc.matching(pattern).filter_map(|(path, _)| disc.find(&path)).map(|file| file.size);
        found.reduce(u64::saturating_add)
    };
    let counted = match ram.files.as_slice() {
        [] => disc.stamp().size,
        places => filling.all(places).iter().find_map(|place| sizes(place))?,
    };
    // Whole MiB of a size that fits into 2^53 without loss.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "above")]
    let copies = (ram.factor.clamp(0.0, 100.0) * counted.div_ceil(MIB) as f64).ceil() as u64;
    Some(ram.base_mb.saturating_add(copies))
}

/// The processors that the image is for: by its UEFI loaders, else by what it says of itself.
pub(super) fn loader_arch(disc: &Disc) -> Vec<String> {
    const LOADERS: [(&str, &str); 3] = [
        ("/EFI/BOOT/BOOTX64.EFI", "x86_64"),
        ("/EFI/BOOT/BOOTAA64.EFI", "aarch64"),
        ("/EFI/BOOT/BOOTIA32.EFI", "i386"),
    ];
    const WORDS: [(&str, &str); 6] = [
        ("x86_64", "x86_64"),
        ("amd64", "x86_64"),
        ("aarch64", "aarch64"),
        ("arm64", "aarch64"),
        ("i386", "i386"),
        ("i686", "i386"),
    ];
    let found: Vec<String> =
        LOADERS.iter().filter(|(path, _)| disc.has(path)).map(|(_, arch)| (*arch).to_owned()).collect();
    if !found.is_empty() {
        return found;
    }
    let info = disc.read_text("/.disk/info", 4096).unwrap_or_default();
    let said = format!("{} {info}", disc.label().unwrap_or_default()).to_ascii_lowercase();
    WORDS.iter().find(|(word, _)| said.contains(word)).map(|(_, arch)| (*arch).to_owned()).into_iter().collect()
}
