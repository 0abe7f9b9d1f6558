//! The image's own boot menus: `grub.cfg` and `isolinux.cfg`, read for kernels, initrds and arguments.
//!
//! Not an interpreter: conditions are not evaluated, so all branches count; variables are those set by plain text before.
//! That is enough to learn what an image starts, which is all that is asked.

use std::collections::HashMap;

use super::{Disc, kernel};

/// Where images keep their menus, those made for other media first: `loopback.cfg` is the shortest and most general.
const MENUS: [(&str, Language); 12] = [
    ("/boot/grub/loopback.cfg", Language::Grub),
    ("/boot/grub/grub.cfg", Language::Grub),
    ("/boot/grub2/grub.cfg", Language::Grub),
    ("/EFI/BOOT/grub.cfg", Language::Grub),
    ("/grub/grub.cfg", Language::Grub),
    ("/isolinux/isolinux.cfg", Language::Isolinux),
    ("/boot/isolinux/isolinux.cfg", Language::Isolinux),
    ("/boot/x86_64/loader/isolinux.cfg", Language::Isolinux),
    ("/syslinux/syslinux.cfg", Language::Isolinux),
    ("/boot/syslinux/syslinux.cfg", Language::Isolinux),
    ("/isolinux.cfg", Language::Isolinux),
    ("/syslinux.cfg", Language::Isolinux),
];
const MAX_FILES: usize = 40;
const MAX_DEPTH: usize = 8;
const MAX_SIZE: usize = 256 << 10;
const MAX_ITEMS: usize = 64;
const MAX_LINE: usize = 8192;
const MAX_VARIABLES: usize = 256;

/// One item of a menu, with paths as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// What its menu calls it.
    pub title: String,
    /// The kernel's path.
    pub kernel: String,
    /// The initrds' paths.
    pub initrd: Vec<String>,
    /// Kernel arguments, without `initrd=`.
    pub arguments: String,
    /// The menu that it was found in.
    pub menu: String,
}

#[derive(Clone, Copy, Debug)]
enum Language {
    Grub,
    Isolinux,
}

/// Items that name a kernel which is on the disc and can be started, from the first menu that has any.
pub fn read(disc: &Disc) -> Vec<Item> {
    for (path, language) in MENUS {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        // GRUB sets these itself before it reads its menu.
        let variables = [("prefix", folder), ("root", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut menu =
            Menu { disc, folder, language, items: Vec::new(), labelled: false, variables: variables.into(), files: 0 };
        menu.file(path, 0);
        let startable = |item: &Item| kernel::probe(disc, &item.kernel).is_some();
        let mut items: Vec<Item> = menu.items.into_iter().filter(startable).collect();
        items.iter_mut().for_each(|item| item.menu = path.to_owned());
        items.dedup_by(|a, b| (&a.kernel, &a.initrd, &a.arguments) == (&b.kernel, &b.initrd, &b.arguments));
        if !items.is_empty() {
            return items;
        }
    }
    Vec::new()
}

struct Menu<'a> {
    disc: &'a Disc,
    /// Where the main menu lies: isolinux resolves relative paths there, in included files as well.
    folder: &'a str,
    language: Language,
    items: Vec<Item>,
    /// Whether a `menu label` belongs to the last item, and not to a submenu.
    labelled: bool,
    variables: HashMap<String, String>,
    files: usize,
}

impl Menu<'_> {
    fn file(&mut self, path: &str, depth: usize) {
        if depth > MAX_DEPTH || self.files >= MAX_FILES {
            return;
        }
        let Some(text) = self.disc.read_text(path, MAX_SIZE) else { return };
        self.files += 1;
        for line in text.lines().filter(|line| line.len() <= MAX_LINE) {
            match self.language {
                Language::Grub => grub_commands(line).into_iter().for_each(|words| self.grub_command(&words, depth)),
                Language::Isolinux => self.isolinux_line(line, depth),
            }
        }
    }

    fn item(&mut self, title: String) {
        if self.items.len() < MAX_ITEMS {
            self.items.push(Item { title, ..Item::default() });
        }
    }

    fn grub_command(&mut self, words: &[String], depth: usize) {
        let Some((command, words)) = words.split_first() else { return };
        match command.as_str() {
            "menuentry" => {
                let title = title(words).map(|title| self.expand_known(title));
                self.item(title.unwrap_or_default());
            }
            "linux" | "linuxefi" | "linux16" => {
                let Some((kernel, rest)) = words.split_first() else { return };
                let kernel = grub_path(&self.expand_known(without_device(kernel)));
                // An argument with an unknown variable is left out (`findiso=${iso_path}`).
                let arguments: Vec<String> =
                    rest.iter().filter_map(|word| self.expand(word)).map(|word| quoted(&word)).collect();
                // Some menus name several kernels in one item; the first is the one meant for most.
                if let Some(item) = self.items.last_mut().filter(|item| item.kernel.is_empty()) {
                    item.kernel = kernel;
                    item.arguments = arguments.join(" ");
                }
            }
            "initrd" | "initrdefi" | "initrd16" => {
                let paths = words.iter().map(|path| grub_path(&self.expand_known(without_device(path)))).collect();
                if let Some(item) = self.items.last_mut().filter(|item| item.initrd.is_empty()) {
                    item.initrd = paths;
                }
            }
            "source" | "configfile" | "." => {
                if let Some(path) = words.first() {
                    self.file(&grub_path(&self.expand_known(without_device(path))), depth + 1);
                }
            }
            "set" => {
                if let Some((name, value)) = words.first().and_then(|word| word.split_once('='))
                    && self.variables.len() < MAX_VARIABLES
                    // Where the disc is found at run time; here it is the disc.
                    && !matches!(name, "root" | "prefix")
                {
                    let value = self.expand_known(value);
                    self.variables.insert(name.to_owned(), value);
                }
            }
            _ => {}
        }
    }

    /// Replaces variables; `None` where one is unknown.
    fn expand(&self, word: &str) -> Option<String> {
        self.replace(word, |name| self.variables.get(name).cloned())
    }

    /// Replaces variables, unknown ones by nothing.
    fn expand_known(&self, word: &str) -> String {
        self.replace(word, |name| Some(self.variables.get(name).cloned().unwrap_or_default())).unwrap_or_default()
    }

    fn replace(&self, word: &str, value: impl Fn(&str) -> Option<String>) -> Option<String> {
        let mut out = String::new();
        let mut rest = word;
        while let Some((head, tail)) = rest.split_once('$') {
            out.push_str(head);
            let (name, after) = match tail.strip_prefix('{') {
                Some(braced) => braced.split_once('}')?,
                None => {
                    tail.split_at(tail.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(tail.len()))
                }
            };
            out.push_str(&value(name)?);
            rest = after;
            if out.len() > MAX_LINE {
                return None;
            }
        }
        out.push_str(rest);
        Some(out)
    }

    fn isolinux_line(&mut self, line: &str, depth: usize) {
        let folder = self.folder;
        let mut words = line.split_whitespace();
        let keyword = words.next().unwrap_or_default().to_ascii_lowercase();
        let rest = || line.trim_start().get(keyword.len()..).unwrap_or_default().trim().to_owned();
        match keyword.as_str() {
            "label" => {
                self.labelled = true;
                self.item(rest());
            }
            "menu" => match words.next().map(str::to_ascii_lowercase).as_deref() {
                Some("label") => {
                    let title = rest().get("label".len()..).unwrap_or_default().trim().replace('^', "");
                    if let Some(item) = self.items.last_mut().filter(|_| self.labelled) {
                        item.title = title;
                    }
                }
                Some("begin" | "end") => self.labelled = false,
                Some("include") => {
                    if let Some(path) = words.next() {
                        self.file(&beside(folder, path), depth + 1);
                    }
                }
                _ => {}
            },
            "include" => {
                if let Some(path) = words.next() {
                    self.file(&beside(folder, path), depth + 1);
                }
            }
            "kernel" | "linux" => {
                if let (Some(item), Some(kernel)) = (self.items.last_mut(), words.next()) {
                    item.kernel = beside(folder, kernel);
                }
            }
            "initrd" => {
                if let (Some(item), Some(list)) = (self.items.last_mut(), words.next()) {
                    item.initrd = list.split(',').map(|path| beside(folder, path)).collect();
                }
            }
            "append" => {
                let Some(item) = self.items.last_mut() else { return };
                let (initrds, arguments): (Vec<&str>, Vec<&str>) = words.partition(|word| word.starts_with("initrd="));
                item.arguments = arguments.join(" ");
                if let Some(list) = initrds.last().and_then(|word| word.strip_prefix("initrd=")) {
                    item.initrd = list.split(',').map(|path| beside(folder, path)).collect();
                }
            }
            _ => {}
        }
    }
}

/// The title among a `menuentry`'s words: its options may come first, some with a value behind them.
fn title(words: &[String]) -> Option<&str> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--class" | "--users" | "--hotkey" | "--id" => {
                words.next();
            }
            option if option.starts_with("--") => {}
            title => return Some(title),
        }
    }
    None
}

/// An argument with blanks as the kernel reads one: its value in double quotes.
fn quoted(word: &str) -> String {
    match word.split_once('=') {
        _ if !word.contains(char::is_whitespace) => word.to_owned(),
        Some((name, value)) => format!("{name}=\"{value}\""),
        None => format!("\"{word}\""),
    }
}

/// GRUB paths may name a device first: `(loop)/casper/vmlinuz`, `($root)/boot/vmlinuz`.
fn without_device(path: &str) -> &str {
    match path.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((_, path)) => path,
        None => path,
    }
}

fn grub_path(path: &str) -> String {
    format!("/{}", path.trim_start_matches('/'))
}

/// isolinux paths are relative to the folder of the menu.
fn beside(folder: &str, path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") }
}

/// Splits a line into GRUB commands and those into words: blanks and quotes make words, `;` and braces end a command.
fn grub_commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word = String::new();
    let mut inside = false;
    let mut quote = None;
    let mut letters = line.trim().chars().peekable();
    let end_word = |word: &mut String, inside: &mut bool, commands: &mut Vec<Vec<String>>| {
        if (!word.is_empty() || *inside)
            && let Some(command) = commands.last_mut()
        {
            command.push(std::mem::take(word));
        }
        *inside = false;
    };
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', None | Some('"')) => word.extend(letters.next()),
            (mark @ ('"' | '\''), None) => {
                quote = Some(mark);
                inside = true;
            }
            (mark, Some(open)) if mark == open => quote = None,
            // A variable's braces are part of the word.
            ('$', _) if letters.peek() == Some(&'{') => {
                word.push('$');
                for part in letters.by_ref() {
                    word.push(part);
                    if part == '}' {
                        break;
                    }
                }
            }
            ('#', None) if word.is_empty() && !inside => break,
            (blank, None) if blank.is_whitespace() => end_word(&mut word, &mut inside, &mut commands),
            (';' | '{' | '}', None) => {
                end_word(&mut word, &mut inside, &mut commands);
                commands.push(Vec::new());
            }
            (other, _) => word.push(other),
        }
    }
    end_word(&mut word, &mut inside, &mut commands);
    commands.retain(|command| !command.is_empty());
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grub_lines_are_split_as_grub_does() {
        let cases: [(&str, &[&[&str]]); 6] = [
            ("menuentry \"Live \\\"x\\\"\" --hotkey=l {", &[&["menuentry", "Live \"x\"", "--hotkey=l"]]),
            ("  linux\t/live/vmlinuz  a='b c' ${x} # not this", &[&["linux", "/live/vmlinuz", "a=b c", "${x}"]]),
            ("# comment", &[]),
            ("echo \"\"; set a=b", &[&["echo", ""], &["set", "a=b"]]),
            ("open 'never closed", &[&["open", "never closed"]]),
            ("menuentry x { linux /k; initrd /i; }", &[&["menuentry", "x"], &["linux", "/k"], &["initrd", "/i"]]),
        ];
        for (line, expected) in cases {
            assert_eq!(grub_commands(line), expected, "{line}");
        }
    }

    #[test]
    fn titles_come_after_options() {
        let words = |line: &str| grub_commands(line).remove(0)[1..].to_vec();
        assert_eq!(title(&words("menuentry --hotkey=l --class gnu 'A B'")), Some("A B"));
        assert_eq!(title(&words("menuentry 'A' --class gnu")), Some("A"));
        assert_eq!(title(&[]), None);
    }

    #[test]
    fn paths_lose_their_device_and_values_keep_their_quotes() {
        assert_eq!(grub_path(without_device("(loop)/casper/vmlinuz")), "/casper/vmlinuz");
        assert_eq!(grub_path(without_device("casper/vmlinuz")), "/casper/vmlinuz");
        assert_eq!(beside("/isolinux", "vmlinuz"), "/isolinux/vmlinuz");
        assert_eq!(quoted("ocs_live_run=a b"), "ocs_live_run=\"a b\"");
    }
}
