//! What is known of systems, as data: `assets/recipes/*.toml`, in the order of their file names.
//!
//! Files decide, labels only add evidence: labels of different systems collide, and remastered images keep the old one.

use serde::Deserialize;

use super::Transport;

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
    /// Installer, live system or tool.
    pub category: String,
    /// What it is told by.
    pub detect: Detect,
    /// Where its version stands.
    pub version: Option<Version>,
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
    pub files: Vec<String>,
    /// One of these is there, where there are any.
    #[serde(default)]
    pub any: Vec<String>,
    /// None of these is there.
    #[serde(default)]
    pub absent: Vec<String>,
    /// Text in a file, for systems that no name tells.
    pub contains: Option<Contains>,
    /// A regular expression that its label usually matches; a hint, never a condition.
    pub label: Option<String>,
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

/// Where a version stands.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// A file, of which the beginning is read; without one the volume label is read.
    pub file: Option<String>,
    /// A regular expression with a group `version`, and perhaps `name`.
    pub pattern: String,
    /// Versions that cannot be booted over a network.
    pub too_old: Option<TooOld>,
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
    /// Where the kernel may be, the likeliest first; none boots the image as a disc.
    #[serde(default)]
    pub kernel: Vec<String>,
    /// Initrds that come first where the image has them: microcode, which some images keep apart.
    #[serde(default)]
    pub early: Vec<String>,
    /// For each initrd, where it may be. A `*` prefers what the kernel's `*` stood for, so that versions pair up.
    #[serde(default)]
    pub initrd: Vec<Vec<String>>,
    /// Files added to the initramfs.
    #[serde(default)]
    pub inject: Vec<InjectRecipe>,
    /// Kernel arguments with placeholders.
    #[serde(default)]
    pub cmdline: String,
    /// How its files reach the computer.
    pub transport: Transport,
    /// Memory needed, where it can be told.
    pub ram: Option<Ram>,
    /// What the initrd must contain for this to work.
    pub requires: Option<Requires>,
}

/// A file added to the initramfs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InjectRecipe {
    /// Its path in the image.
    pub from: String,
    /// Its path in the initramfs.
    pub to: String,
    /// Its mode, octal.
    pub mode: String,
}

/// Memory needed: `base_mb` plus `factor` times the size of the files, or of the whole image.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ram {
    /// In MiB.
    pub base_mb: u64,
    /// How many copies are in memory at the worst moment.
    #[serde(default)]
    pub factor: u64,
    /// Files that count; none: the image.
    pub files: Option<String>,
}

/// What an initrd must contain.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requires {
    /// A byte sequence, such as the name of a program in it.
    pub initrd_contains: String,
    /// What to say where it is missing; the entry is left out then.
    pub otherwise: String,
}

/// A recipe that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("recipe {file}: {reason}")]
pub struct BadRecipe {
    /// Its file.
    pub file: String,
    /// Line and cause.
    pub reason: String,
}

/// Reads one recipe, and proves its patterns.
pub fn parse(file: &str, text: &str) -> Result<Recipe, BadRecipe> {
    let bad = |reason: String| BadRecipe { file: file.to_owned(), reason };
    let recipe: Recipe = toml::from_str(text).map_err(|error| bad(error.to_string()))?;
    let plain = |id: &str| id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if recipe.id.is_empty() || !plain(&recipe.id) || !recipe.entries.iter().all(|entry| plain(&entry.suffix)) {
        return Err(bad("an id has lower-case letters, digits and dashes only".to_owned()));
    }
    // A second image of the same kind gets a number behind its id.
    if recipe.entries.iter().any(|entry| !entry.suffix.is_empty() && entry.suffix.parse::<u64>().is_ok()) {
        return Err(bad("a suffix is more than a number".to_owned()));
    }
    let patterns = recipe.version.iter().map(|version| &version.pattern).chain(recipe.detect.label.iter());
    for pattern in patterns {
        regex::Regex::new(pattern).map_err(|error| bad(error.to_string()))?;
    }
    Ok(recipe)
}

/// The recipes that come with the program, in the order of their file names.
pub fn shipped() -> Result<Vec<Recipe>, BadRecipe> {
    let mut names: Vec<_> = Shipped::iter().collect();
    names.sort();
    let read = |name: std::borrow::Cow<'static, str>| {
        let file = Shipped::get(&name).map(|file| file.data.into_owned()).unwrap_or_default();
        parse(&name, &String::from_utf8_lossy(&file))
    };
    names.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_recipe_can_be_read_and_ids_are_unique() {
        let recipes = shipped().expect("readable recipes");
        assert!(recipes.len() >= 7, "{}", recipes.len());
        let ids: std::collections::BTreeSet<_> = recipes.iter().map(|recipe| &recipe.id).collect();
        assert_eq!(ids.len(), recipes.len());
    }

    #[test]
    fn a_wrong_recipe_names_file_and_cause() {
        let error = parse("x.toml", "id = \"a b\"\nname = \"\"\ncategory = \"\"\n[detect]\nfiles = []").unwrap_err();
        assert!(error.to_string().starts_with("recipe x.toml: an id has"), "{error}");
        let error = parse("y.toml", "id = \"a\"\nnmae = \"\"").unwrap_err();
        assert!(error.to_string().contains("nmae"), "{error}");
    }
}
