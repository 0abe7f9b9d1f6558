//! Every system that a recipe knows: an image with its real layout, made from `tests/layouts/ID.toml`, and what is said
//! of it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

#[path = "disc/layout.rs"]
mod layout;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use bootwright::image::{self, Inspection, recipe};
use layout::{Entry, Image, Table};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/layouts");

fn tables() -> Vec<(String, Table)> {
    let mut files: Vec<_> = std::fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &Path| {
        let text = std::fs::read_to_string(path).unwrap();
        toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    files.iter().map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), read(path))).collect()
}

/// `BOOTWRIGHT_LAYOUT=arch` tries one table only.
fn wanted(name: &str) -> bool {
    std::env::var("BOOTWRIGHT_LAYOUT").map_or(true, |only| only == name)
}

#[test]
fn every_layout_is_recognised_and_boots_as_its_system_needs() {
    for program in ["xorriso", "genisoimage"] {
        if Command::new(program).arg("--version").output().is_err() {
            println!("SKIPPED layouts: {program} is missing");
            return;
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for (name, table) in tables().iter().filter(|(name, _)| wanted(name)) {
        for (number, image) in table.image.iter().enumerate() {
            let path = image.make(folder.path(), &format!("{name}-{number}"));
            let (_, found) = image::inspect(&path).unwrap();
            let faults = compare(image, &found);
            if !faults.is_empty() {
                wrong.push(format!("{name} ({}):\n    {}", image.label, faults.join("\n    ")));
            }
            std::fs::remove_file(path).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{}\n{} tables are wrong", wrong.join("\n"), wrong.len());
}

#[test]
fn every_recipe_has_a_layout() {
    let expected: BTreeSet<String> =
        tables().into_iter().flat_map(|(_, table)| table.image).map(|image| image.expect.id).collect();
    let book = recipe::book();
    let known: BTreeSet<String> = book.recipes().iter().map(|recipe| recipe.id.clone()).collect();
    let missing: Vec<_> = known.difference(&expected).collect();
    assert!(missing.is_empty(), "no layout for {missing:?}");
}

/// One recipe of the user, put to an image with these files.
fn by_own_recipe(recipe: &str, files: &[(&str, &str)], label: &str) -> Inspection {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("00-own.toml"), recipe).unwrap();
    let book = recipe::Book::shipped().and_folder(folder.path());
    assert!(book.faults().is_empty(), "{:?}", book.faults());
    let text = |text: &&str| (*text).to_owned();
    let files = files.iter().map(|(path, content)| (text(path), text(content))).collect();
    let expect = layout::Expect { id: String::new(), version: None, name: None, entries: Vec::new(), warns: None };
    let image = Image { label: label.to_owned(), udf: false, starts_bios: None, starts_uefi: None, files, expect };
    let disc = image::Disc::open(&image.make(folder.path(), "own")).unwrap();
    image::recognise::judge(&disc, &book)
}

#[test]
fn a_recipe_fits_by_its_entries_and_not_by_its_warnings() {
    if Command::new("xorriso").arg("--version").output().is_err() {
        println!("SKIPPED layouts: xorriso is missing");
        return;
    }
    let detect =
        "id = 'own'\nname = 'Own'\ncategory = 'tool'\nwarnings = ['Told in any case.']\n[detect]\nfiles = ['/a']\n";
    let entry = format!(
        "{detect}[[entry]]\nkernel = ['/k']\ntransport = 'http-tree'\nram = {{ base_mb = 1, files = ['/x', '/a'] }}\n"
    );
    let id = |found: &Inspection| found.recognised.as_ref().map(|system| system.id.clone());
    let kernelless = by_own_recipe(&entry, &[("/a", "x")], "OWN");
    assert_eq!(id(&kernelless), None);
    assert!(!kernelless.warnings.iter().any(|warning| warning.contains("in any case")), "{:?}", kernelless.warnings);
    let whole = by_own_recipe(&entry, &[("/a", "x"), ("/k", "@kernel")], "OWN");
    assert_eq!((id(&whole).as_deref(), whole.entries[0].min_ram_mb), (Some("own"), Some(1)));
    let uncounted = by_own_recipe(&entry.replace(", '/a'] }", "] }"), &[("/a", "x"), ("/k", "@kernel")], "OWN");
    assert_eq!(uncounted.entries[0].min_ram_mb, None, "what counts is not there");
    assert_eq!(id(&by_own_recipe(detect, &[("/a", "x")], "OWN")).as_deref(), Some("own"), "there for its warnings");
}

#[test]
fn a_label_stands_in_for_what_cannot_be_read_and_for_nothing_else() {
    if Command::new("xorriso").arg("--version").output().is_err() {
        println!("SKIPPED layouts: xorriso is missing");
        return;
    }
    let recipe = |detect: &str| {
        format!(
            "id = 'own'\nname = 'Own'\ncategory = 'tool'\nwarnings = ['x']\n[detect]\nfiles = ['/a']\nlabel = '^OWN'\n{detect}\n"
        )
    };
    let contains = "contains = { files = ['/t'], text = 'Own' }\n";
    let initrd = "initrd = { path = '/i', has = 'dracut' }\n";
    let or_label = |detect: &str| recipe(&format!("{detect}or_label = true"));
    let dracut = "@initrd usr/lib/dracut-lib.sh";
    let cases = [
        (recipe(contains), "/t", "none", "OWN", false),
        (or_label(contains), "/t", "none", "OWN", true),
        (or_label(contains), "/t", "none", "OTHER", false),
        (or_label(contains), "/t", "Own", "OTHER", true),
        (or_label("any = ['/b']\n"), "/t", "none", "OWN", false),
        (recipe(initrd), "/i", "unreadable", "OWN", false),
        (or_label(initrd), "/i", "unreadable", "OWN", true),
        (or_label(initrd), "/i", "@initrd init", "OWN", false),
        (or_label(initrd), "/i", dracut, "OTHER", true),
        (or_label("lacks = { files = ['/t'], text = 'Other' }\n"), "/t", "Other", "OWN", false),
        (recipe("lacks = { files = ['/t'], text = 'Other' }\n"), "/t", "none", "OWN", true),
        (recipe("initrd_lacks = { path = '/i', has = 'dracut' }\n"), "/i", dracut, "OWN", false),
        (recipe("initrd_lacks = { path = '/i', has = 'dracut' }\n"), "/i", "unreadable", "OWN", true),
    ];
    for (recipe, path, content, label, fits) in cases {
        let found = by_own_recipe(&recipe, &[("/a", "x"), (path, content)], label);
        assert_eq!(found.recognised.is_some_and(|system| system.id == "own"), fits, "{recipe} {content} {label}");
    }
}

/// What differs from what the table says.
fn compare(image: &Image, found: &Inspection) -> Vec<String> {
    let expect = &image.expect;
    let mut faults = Vec::new();
    let mut same = |what: &str, wanted: &str, is: &str| {
        if wanted != is {
            faults.push(format!("{what}: expected {wanted:?}, found {is:?}"));
        }
    };
    let Some(system) = &found.recognised else { return vec![format!("not recognised: {:?}", found.warnings)] };
    same("id", &expect.id, &system.id);
    same("version", expect.version.as_deref().unwrap_or("none"), system.version.as_deref().unwrap_or("none"));
    if let Some(name) = &expect.name {
        same("name", name, &system.name);
    }
    let ids = |ids: Vec<&str>| ids.join(" ");
    same(
        "entries",
        &ids(expect.entries.iter().map(|entry| entry.id.as_str()).collect()),
        &ids(found.entries.iter().map(|entry| entry.id.as_str()).collect()),
    );
    for (wanted, is) in expect.entries.iter().zip(&found.entries) {
        // How large an image becomes is up to the program that makes it.
        let size = (found.size.div_ceil(1024) + 64 * 1024).to_string();
        compare_entry(wanted, is, &size, &mut same);
    }
    if let Some(part) = &expect.warns
        && !found.warnings.iter().any(|warning| warning.contains(part))
    {
        faults.push(format!("no warning says {part:?}: {:?}", found.warnings));
    }
    if expect.entries.is_empty() && expect.warns.is_none() {
        faults.push("the table neither names an entry nor what is said instead".to_owned());
    }
    if system.evidence.is_empty() {
        faults.push("no evidence".to_owned());
    }
    faults
}

fn compare_entry(wanted: &Entry, is: &image::Entry, size: &str, same: &mut impl FnMut(&str, &str, &str)) {
    let at = &wanted.id;
    same(&format!("{at} kernel"), wanted.kernel.as_deref().unwrap_or("none"), is.kernel.as_deref().unwrap_or("none"));
    same(&format!("{at} initrd"), &wanted.initrd.join(" "), &is.initrd.join(" "));
    same(&format!("{at} cmdline"), &wanted.cmdline.replace("{iso_kib}", size), &is.cmdline);
    same(&format!("{at} transport"), &wanted.transport, &word(&is.transport));
    if let Some(boot) = &wanted.boot {
        same(&format!("{at} boot"), boot, &word(&is.boot));
    }
    if let Some(title) = &wanted.title {
        same(&format!("{at} title"), title, &is.title);
    }
    if let Some(modules) = &wanted.modules {
        same(&format!("{at} modules"), &modules.join("|"), &is.module_arguments.join("|"));
    }
    let inject: Vec<String> = is.inject.iter().map(|file| format!("{} -> {}", file.from, file.to)).collect();
    same(&format!("{at} inject"), &wanted.inject.clone().unwrap_or_default().join(", "), &inject.join(", "));
    if let Some(firmware) = &wanted.firmware {
        let found: Vec<String> = is.firmware.iter().map(word).collect();
        same(&format!("{at} firmware"), &firmware.join(" "), &found.join(" "));
    }
    if let Some(arch) = &wanted.arch {
        same(&format!("{at} arch"), arch, &is.arch);
    }
    if let Some(answer) = &wanted.answer {
        let found = is.answering.as_ref().map_or("none".to_owned(), |answering| word(&answering.kind));
        same(&format!("{at} answer"), answer, &found);
    }
    if let Some(ram) = wanted.ram {
        let found = is.min_ram_mb.map_or("none".to_owned(), |ram| ram.to_string());
        same(&format!("{at} ram"), &ram.to_string(), &found);
    }
}

/// The word that a value has in JSON.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}
