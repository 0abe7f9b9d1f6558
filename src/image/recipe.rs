//! What is known of systems, as data: `assets/recipes/*.toml` and a folder of the user's own, in the order of their file
//! names.
//!
//! Files decide, labels only add evidence: labels of different systems collide, and remastered images keep the old one.
//! `assets/recipes/README.md` explains the format to people who want to add one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Deserialize;

use super::initrd::Feature;
use super::pattern::Pattern;
use super::{Answering, Boot, Category, Firmware, Transport};
use crate::text;

/// Largest recipe of the user that is read, in bytes; the longest of ours has 3 kB.
const LARGEST: u64 = 256 << 10;
/// Most recipes of the user that are read.
const MOST: usize = 1000;

/// Ids that mean something else in the scripts that are made of entries, and how such words begin.
pub const RESERVED: [&str; 4] = ["menu", "local", "failed", "next"];
/// See [`RESERVED`].
pub const RESERVED_START: &str = "group-";

#[derive(rust_embed::RustEmbed)]
#[folder = "assets/recipes"]
#[include = "*.toml"]
struct Shipped;

/// How to tell one system and how it boots.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Short name: lower-case letters, digits and dashes. Appears in URLs and scripts.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Which submenu it belongs to.
    pub category: Category,
    /// What it is told by.
    pub detect: Detect,
    /// Where its version stands; the first that matches counts.
    #[serde(default)]
    pub version: Vec<Version>,
    /// Versions that cannot be booted over a network.
    pub too_old: Option<TooOld>,
    /// Names for parts of paths and texts that differ from image to image.
    #[serde(default)]
    pub values: BTreeMap<String, Value>,
    /// Tried only after the image's own boot menu named no kernel.
    #[serde(default)]
    pub last_resort: bool,
    /// What it can start.
    #[serde(default, rename = "entry")]
    pub entries: Vec<EntryRecipe>,
    /// What to tell about it in any case.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// What a system is told by.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detect {
    /// All of these are there; `*` stands for any characters of a name.
    #[serde(default)]
    pub files: Vec<String>,
    /// One of these is there, where there are any.
    #[serde(default)]
    pub any: Vec<String>,
    /// None of these is there.
    #[serde(default)]
    pub absent: Vec<String>,
    /// Text in a file, for systems that no name tells.
    pub contains: Option<Contains>,
    /// Text that none of these files has: the mark of a relative with the same files.
    pub lacks: Option<Contains>,
    /// What an initrd has in it, for systems that nothing else tells.
    pub initrd: Option<InitrdHas>,
    /// It is a disc that firmware starts, whatever is on it.
    #[serde(default)]
    pub starts: bool,
    /// What an initrd must not be seen to have; one that cannot be read fits.
    pub initrd_lacks: Option<InitrdHas>,
    /// Which builds of Windows, by `/sources/boot.wim`.
    pub build: Option<Build>,
    /// A regular expression that its label usually matches; a hint, unless `label_decides`.
    pub label: Option<Pattern>,
    /// The label must match: for systems that no file tells.
    #[serde(default)]
    pub label_decides: bool,
    /// A label that matches stands in for `contains`, and for an `initrd` or a `build` that cannot be read: remastered
    /// and older media lack the text.
    #[serde(default)]
    pub or_label: bool,
}

/// Files one of which must have a text in its first mebibyte.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contains {
    /// The files.
    pub files: Vec<String>,
    /// The text.
    pub text: String,
}

/// Builds of Windows; a WIM that does not tell its own fits.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The first one.
    pub from: Option<u32>,
    /// The first one that is none of them any more.
    pub below: Option<u32>,
}

/// An initrd that must have a feature.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitrdHas {
    /// Its path; `*` as elsewhere.
    pub path: String,
    /// The feature.
    pub has: Feature,
}

/// Where a version stands.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// A file, of which the beginning is read; without one the volume label is read.
    pub file: Option<String>,
    /// A regular expression with a group `version`, and perhaps `name`.
    pub pattern: Pattern,
}

/// Versions below which a system cannot be booted over a network.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TooOld {
    /// The first version that can.
    pub below: String,
    /// What to say of older ones.
    pub say: String,
}

/// Something that differs from image to image.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// What the first `*` of this pattern stands for.
    Star(String),
    /// A text in the first of these files that has it.
    Text(TextValue),
}

/// A text in a file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextValue {
    /// The files.
    pub files: Vec<String>,
    /// A regular expression with a group `value`.
    pub pattern: Pattern,
    /// Where no file has it: what the first `*` of this pattern stands for.
    pub otherwise: Option<String>,
}

/// One thing to start.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryRecipe {
    /// Added to the image's id where it has several entries.
    #[serde(default)]
    pub suffix: String,
    /// Added to the system's name in the menu.
    #[serde(default)]
    pub title: String,
    /// What the loader does.
    #[serde(default)]
    pub boot: Boot,
    /// Where the kernel may be, the likeliest first.
    #[serde(default)]
    pub kernel: Vec<String>,
    /// Initrds that come first where the image has them: microcode, which some images keep apart.
    #[serde(default)]
    pub early: Vec<String>,
    /// For each initrd, where it may be. A `*` prefers what the kernel's `*` stood for, so that versions pair up.
    #[serde(default)]
    pub initrd: Vec<Vec<String>>,
    /// Initrds that come last where the image has them, all that match.
    #[serde(default)]
    pub optional: Vec<String>,
    /// Files added to the initramfs.
    #[serde(default)]
    pub inject: Vec<InjectRecipe>,
    /// Kernel arguments with placeholders.
    #[serde(default)]
    pub cmdline: String,
    /// For Multiboot, the arguments of each module.
    #[serde(default)]
    pub modules: Vec<String>,
    /// How its files reach the computer.
    pub transport: Transport,
    /// The firmware that can start it, where the kernel's header does not tell.
    #[serde(default)]
    pub firmware: Vec<Firmware>,
    /// The processor, where there is no kernel to tell it.
    pub arch: Option<String>,
    /// Memory needed, where it can be told.
    pub ram: Option<Ram>,
    /// What the initrd must not lack.
    pub requires: Option<Needs>,
    /// What the initrd must be seen to have.
    pub proof: Option<Needs>,
    /// How an answer file is named to it.
    pub answer: Option<Answering>,
}

/// A file added to the initramfs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InjectRecipe {
    /// Its path in the image; all that match, or [`super::WHOLE_IMAGE`].
    pub from: String,
    /// Its path in the initramfs; `{file}` is the name of each one.
    pub to: String,
    /// Its mode, octal.
    #[serde(default = "readable")]
    pub mode: String,
}

fn readable() -> String {
    "644".to_owned()
}

/// Memory needed: `base_mb` plus `factor` times the size of the files, or of the whole image.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ram {
    /// In MiB.
    pub base_mb: u64,
    /// How many copies are in memory at the worst moment.
    #[serde(default)]
    pub factor: f64,
    /// Where the files that count may be, the likeliest first: all that the first pattern with a match has. None: the
    /// image. One pattern may stand alone.
    #[serde(default, deserialize_with = "one_or_several")]
    pub files: Vec<String>,
}

fn one_or_several<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrSeveral {
        One(String),
        Several(Vec<String>),
    }
    Ok(match OneOrSeveral::deserialize(deserializer)? {
        OneOrSeveral::One(one) => vec![one],
        OneOrSeveral::Several(several) => several,
    })
}

/// A feature that decides whether an entry can work.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// The feature.
    pub has: Feature,
    /// What to say where the entry is left out.
    pub otherwise: String,
}

/// A recipe that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("recipe {file}: {reason}")]
pub struct BadRecipe {
    /// Its file.
    pub file: String,
    /// Line and cause.
    pub reason: String,
}

/// Reads one recipe, and proves its patterns.
pub fn parse(file: &str, text: &str) -> Result<Recipe, BadRecipe> {
    let recipe = read(file, text)?;
    match objection(&recipe) {
        Some(reason) => Err(BadRecipe { file: file.to_owned(), reason }),
        None => Ok(recipe),
    }
}

fn read(file: &str, text: &str) -> Result<Recipe, BadRecipe> {
    toml::from_str(text).map_err(|error| BadRecipe { file: file.to_owned(), reason: where_and_why(&error, text) })
}

/// toml's message is several lines with a drawing; the line's number and the cause are enough.
fn where_and_why(error: &toml::de::Error, text: &str) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line = before.map(|before| before.matches('\n').count() + 1);
    let why = text::plain(error.message(), 200);
    line.map_or(why.clone(), |line| format!("line {line}: {why}"))
}

fn objection(recipe: &Recipe) -> Option<String> {
    let plain = |id: &str| id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if recipe.id.is_empty() || !plain(&recipe.id) || !recipe.entries.iter().all(|entry| plain(&entry.suffix)) {
        return Some("an id has lower-case letters, digits and dashes only".to_owned());
    }
    // A number is a position in the menu, and a dash begins an option.
    if recipe.id.starts_with('-') || !recipe.id.contains(|letter: char| letter.is_ascii_lowercase()) {
        return Some("an id has a letter in it and begins with no dash".to_owned());
    }
    // The second image of a kind `group` would be `group-2`.
    let is_group = recipe.id == RESERVED_START.trim_end_matches('-') || recipe.id.starts_with(RESERVED_START);
    if RESERVED.contains(&recipe.id.as_str()) || is_group {
        return Some(format!("the id {:?} has a meaning in menus already", recipe.id));
    }
    // A second image of the same kind gets a number behind its id.
    if recipe.entries.iter().any(|entry| !entry.suffix.is_empty() && entry.suffix.parse::<u64>().is_ok()) {
        return Some("a suffix is more than a number".to_owned());
    }
    let mut suffixes: Vec<&str> = recipe.entries.iter().map(|entry| entry.suffix.as_str()).collect();
    suffixes.sort_unstable();
    if suffixes.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        return Some("two entries have the same suffix".to_owned());
    }
    let Detect { files, any, contains, label, label_decides, or_label, starts, .. } = &recipe.detect;
    if *or_label && label.is_none() {
        return Some("or_label without a label".to_owned());
    }
    // The label alone would claim whatever keeps an old one.
    if *or_label && files.is_empty() && any.is_empty() {
        return Some("or_label needs `files` or `any`: a label alone tells nothing".to_owned());
    }
    if files.is_empty() && any.is_empty() && contains.is_none() && !label_decides && !starts {
        return Some("detect names nothing that must be there, so it would fit every image".to_owned());
    }
    let versions = recipe.version.iter().map(|version| (&version.pattern, Some("version")));
    let labels = recipe.detect.label.iter().map(|label| (label, None));
    let values = recipe.values.values().filter_map(|value| match value {
        Value::Text(text) => Some((&text.pattern, Some("value"))),
        Value::Star(_) => None,
    });
    let wrong =
        versions.chain(labels).chain(values).find_map(|(pattern, group)| wrong_pattern(pattern.as_str(), group));
    wrong.or_else(|| recipe.entries.iter().find_map(|entry| wrong_entry(entry).or_else(|| unknown_name(recipe, entry))))
}

/// Names in braces that something is put in for.
const KNOWN: [&str; 11] =
    ["base_url", "iso_url", "tree_path", "server", "port", "mac_dashes", "client_ip", "gw", "mask", "label", "iso_kib"];

/// A name in braces that nothing stands for would go to the computer as it is.
fn unknown_name(recipe: &Recipe, entry: &EntryRecipe) -> Option<String> {
    let answer = entry.answer.iter().map(|answer| answer.arguments.as_str());
    let lines = [entry.cmdline.as_str()].into_iter().chain(entry.modules.iter().map(String::as_str));
    let unknown = |line: &str, more: &[&str]| {
        let names = line.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
        let known = |name: &str| KNOWN.contains(&name) || more.contains(&name) || recipe.values.contains_key(name);
        names.filter(|name| !known(name)).map(|name| format!("nothing stands for {{{name}}}")).next()
    };
    lines.filter_map(|line| unknown(line, &[])).next().or_else(|| {
        answer.clone().find_map(|line| match () {
            () if line.is_empty() || line.contains("{answer_url}") || line.contains("{answer_dir_url}") => {
                unknown(line, &["answer_url", "answer_dir_url"])
            }
            () => Some("the arguments of `answer` name no {answer_url}".to_owned()),
        })
    })
}

fn wrong_pattern(pattern: &str, group: Option<&str>) -> Option<String> {
    match regex::Regex::new(pattern) {
        Err(error) => Some(format!("the pattern {pattern:?} is none: {}", text::plain(&error.to_string(), 200))),
        Ok(regex) => {
            let missing = group.filter(|group| regex.capture_names().flatten().all(|name| name != *group))?;
            Some(format!("the pattern {pattern:?} has no group `{missing}`"))
        }
    }
}

fn wrong_entry(entry: &EntryRecipe) -> Option<String> {
    let needs_kernel = matches!(entry.boot, Boot::Linux | Boot::EfiProgram | Boot::Multiboot | Boot::Esxi);
    let suffix = &entry.suffix;
    match () {
        () if needs_kernel && entry.kernel.is_empty() => Some(format!("entry {suffix:?} names no kernel")),
        () if !needs_kernel && !entry.kernel.is_empty() => {
            Some(format!("entry {suffix:?} names a kernel, which it does not start"))
        }
        () if !entry.modules.is_empty() && entry.boot != Boot::Multiboot => {
            Some(format!("entry {suffix:?} has modules, which only multiboot has"))
        }
        () => None,
    }
}

/// The recipes that come with the program, in the order of their file names. A test proves them: doing that at each start
/// would cost more than everything else of it.
fn shipped(reader: fn(&str, &str) -> Result<Recipe, BadRecipe>) -> Result<Vec<Recipe>, BadRecipe> {
    let mut names: Vec<_> = Shipped::iter().collect();
    names.sort();
    let read = |name: std::borrow::Cow<'static, str>| {
        let file = Shipped::get(&name).map(|file| file.data.into_owned()).unwrap_or_default();
        reader(&name, &String::from_utf8_lossy(&file))
    };
    names.into_iter().map(read).collect()
}

/// All recipes, in the order in which they are tried.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Book {
    recipes: Vec<Recipe>,
    faults: Vec<BadRecipe>,
}

impl Book {
    /// Those that come with the program. A test proves them; a program without them would still read images' own menus.
    pub fn shipped() -> Book {
        Book { recipes: shipped(read).unwrap_or_default(), faults: Vec::new() }
    }

    /// With those of a folder, which are tried first; one with the id of a shipped one stands in for it. A folder that
    /// is not there is an empty one.
    pub fn and_folder(mut self, folder: &Path) -> Book {
        let (own, faults) = read_folder(folder);
        self.recipes.retain(|recipe| own.iter().all(|other| other.id != recipe.id));
        self.recipes.splice(..0, own);
        self.faults.extend(faults);
        self
    }

    /// The recipes.
    pub fn recipes(&self) -> &[Recipe] {
        &self.recipes
    }

    /// Recipes of the user that cannot be used.
    pub fn faults(&self) -> &[BadRecipe] {
        &self.faults
    }
}

fn read_folder(folder: &Path) -> (Vec<Recipe>, Vec<BadRecipe>) {
    let (mut recipes, mut faults): (Vec<Recipe>, Vec<BadRecipe>) = Default::default();
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Default::default(),
        Err(error) => {
            let file = folder.display().to_string();
            return (recipes, vec![BadRecipe { file, reason: format!("the folder cannot be read ({error})") }]);
        }
    };
    let is_recipe = |path: &PathBuf| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml"));
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_recipe).take(MOST).collect();
    files.sort();
    for path in files {
        match read_file(&path) {
            Ok(recipe) => match recipes.iter().find(|other| other.id == recipe.id) {
                Some(_) => {
                    let reason = format!("another recipe of this folder has the id {:?} too", recipe.id);
                    faults.push(BadRecipe { file: path.display().to_string(), reason });
                }
                None => recipes.push(recipe),
            },
            Err(fault) => faults.push(fault),
        }
    }
    (recipes, faults)
}

fn read_file(path: &Path) -> Result<Recipe, BadRecipe> {
    let file = path.display().to_string();
    let bad = |reason: String| BadRecipe { file: file.clone(), reason };
    // Looked at before it is opened: opening a pipe would wait for its other end.
    let size = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
    if size.is_none_or(|size| size > LARGEST) {
        return Err(bad(format!("it is no file of at most {} KiB", LARGEST >> 10)));
    }
    let text = std::fs::read_to_string(path).map_err(|error| bad(format!("it cannot be read ({error})")))?;
    parse(&file, &text)
}

static OPENED: OnceLock<Book> = OnceLock::new();

/// Takes the recipes of this folder as well, for the rest of the program's life. To be called once, before the first
/// image is looked at; later calls change nothing.
pub fn open_folder(folder: &Path) {
    OPENED.get_or_init(|| Book::shipped().and_folder(folder));
}

/// The recipes that images are judged by.
pub fn book() -> &'static Book {
    OPENED.get_or_init(Book::shipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = "id = \"own\"\nname = \"Own\"\ncategory = \"tool\"\n[detect]\nfiles = [\"/own\"]\n";

    #[test]
    fn every_shipped_recipe_can_be_read_and_ids_are_unique() {
        let recipes = shipped(parse).expect("readable recipes");
        assert!(recipes.len() >= 9, "{}", recipes.len());
        let ids: std::collections::BTreeSet<_> = recipes.iter().map(|recipe| &recipe.id).collect();
        assert_eq!(ids.len(), recipes.len());
    }

    #[test]
    fn a_wrong_recipe_names_file_line_and_cause() {
        let entry = |text: &str| format!("{LEAST}[[entry]]\ntransport = \"http-tree\"\n{text}\n");
        let cases = [
            (LEAST.replace("own\"\nname", "a b\"\nname"), "an id has"),
            (LEAST.replace("own\"\nname", "12\"\nname"), "a letter in it"),
            (LEAST.replace("own\"\nname", "-own\"\nname"), "begins with no dash"),
            (LEAST.replace("own\"\nname", "menu\"\nname"), "has a meaning"),
            (LEAST.replace("own\"\nname", "group\"\nname"), "has a meaning"),
            (LEAST.replace("own\"\nname", "group-a\"\nname"), "has a meaning"),
            ("id = \"a\"\nnmae = \"\"".to_owned(), "line 2: unknown field `nmae`"),
            (LEAST.replace("tool", "toy"), "line 3: unknown variant `toy`"),
            (LEAST.replace("files = [\"/own\"]", ""), "fit every image"),
            (format!("{LEAST}[[version]]\npattern = \"(\""), "is none"),
            (format!("{LEAST}[[version]]\npattern = \"a\""), "has no group `version`"),
            (LEAST.replace("[\"/own\"]", "[\"/own\"]\nor_label = true"), "without a label"),
            (LEAST.replace("files = [\"/own\"]", "label = \"A\"\nor_label = true"), "needs `files`"),
            (entry(""), "names no kernel"),
            (entry("boot = \"memdisk\"\nkernel = [\"/k\"]"), "names a kernel"),
            (entry("kernel = [\"/k\"]\ncmdline = \"fetch={base_ur}/x\""), "nothing stands for {base_ur}"),
            (entry("kernel = [\"/k\"]\nanswer = { kind = \"preseed\", arguments = \"auto\" }"), "name no {answer_url}"),
            (entry("kernel = [\"/k\"]\nsuffix = \"2\""), "more than a number"),
            (entry("kernel = [\"/k\"]\nrequires = { has = \"magic\", otherwise = \"\" }"), "unknown variant `magic`"),
        ];
        for (text, expected) in cases {
            let error = parse("x.toml", &text).expect_err(expected).to_string();
            assert!(error.starts_with("recipe x.toml: ") && error.contains(expected), "{error}");
        }
        assert!(parse("x.toml", LEAST).is_ok());
    }

    #[test]
    fn memory_counts_files_of_one_place_or_of_the_first_of_several() {
        let files = |files: &str| {
            let ram = format!("kernel = [\"/k\"]\nram = {{ base_mb = 1{files} }}");
            let recipe = parse("x.toml", &format!("{LEAST}[[entry]]\ntransport = \"http-tree\"\n{ram}\n"));
            recipe.map(|recipe| recipe.entries[0].ram.clone().expect("memory").files)
        };
        assert_eq!(files(", files = \"/a\""), Ok(vec!["/a".to_owned()]));
        assert_eq!(files(", files = [\"/a\", \"/b\"]"), Ok(vec!["/a".to_owned(), "/b".to_owned()]));
        assert_eq!(files(""), Ok(vec![]));
        assert!(files(", files = 7").is_err());
    }

    #[test]
    fn recipes_of_the_user_come_first_and_wrong_ones_are_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        write("20-own.toml", LEAST);
        write("30-again.toml", LEAST);
        write("10-arch.toml", &LEAST.replace("\"own\"", "\"arch\""));
        write("40-wrong.toml", "id = 7");
        write("notes.txt", "no recipe");
        std::fs::create_dir(folder.path().join("a.toml")).expect("a folder");
        let book = Book::shipped().and_folder(folder.path());
        let first: Vec<_> =
            book.recipes().iter().take(2).map(|recipe| (recipe.id.as_str(), recipe.name.as_str())).collect();
        assert_eq!(first, [("arch", "Own"), ("own", "Own")]);
        assert_eq!(book.recipes().len(), Book::shipped().recipes().len() + 1, "one stands in for a shipped one");
        let faults: Vec<String> = book.faults().iter().map(ToString::to_string).collect();
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert!(faults[0].contains("30-again.toml") && faults[0].contains("\"own\""), "{faults:?}");
        assert!(faults[1].contains("40-wrong.toml: line 1: "), "{faults:?}");
        assert!(faults[2].contains("a.toml") && faults[2].contains("no file"), "{faults:?}");
        assert_eq!(Book::shipped().and_folder(&folder.path().join("none")), Book::shipped());
    }
}
