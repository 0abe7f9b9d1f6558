//! The image's own boot menus: `grub.cfg` and `isolinux.cfg`, read for kernels, initrds and arguments.
//!
//! Not an interpreter: conditions are not evaluated, so all branches count; variables are those set by plain text before.
//! That is enough to learn what an image starts, which is all that is asked.

use std::collections::HashMap;

use super::Disc;

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

/// Items that name a kernel which is on the disc, from the first menu that has any.
pub fn read(disc: &Disc) -> Vec<Item> {
    for (path, language) in MENUS {
        let mut menu = Menu { disc, language, items: Vec::new(), variables: HashMap::new(), files: 0 };
        menu.file(path, 0);
        let mut items: Vec<Item> = menu.items.into_iter().filter(|item| disc.find(&item.kernel).is_some()).collect();
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
    language: Language,
    items: Vec<Item>,
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
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        for line in text.lines().filter(|line| line.len() <= MAX_LINE) {
            match self.language {
                Language::Grub => self.grub_line(line, depth),
                Language::Isolinux => self.isolinux_line(line, &folder, depth),
            }
        }
    }

    fn item(&mut self, title: String) {
        if self.items.len() < MAX_ITEMS {
            self.items.push(Item { title, ..Item::default() });
        }
    }

    fn grub_line(&mut self, line: &str, depth: usize) {
        let words = self.expand(grub_words(line));
        let mut words = words.iter().map(String::as_str);
        match words.next() {
            Some("menuentry") => self.item(words.next().unwrap_or_default().to_owned()),
            Some("linux" | "linuxefi" | "linux16") => {
                let Some(kernel) = words.next() else { return };
                let (kernel, arguments) = (grub_path(kernel), join(words));
                // Some menus name several kernels in one item; the first is the one meant for most.
                if let Some(item) = self.items.last_mut().filter(|item| item.kernel.is_empty()) {
                    item.kernel = kernel;
                    item.arguments = arguments;
                }
            }
            Some("initrd" | "initrdefi" | "initrd16") => {
                if let Some(item) = self.items.last_mut().filter(|item| item.initrd.is_empty()) {
                    item.initrd = words.map(grub_path).collect();
                }
            }
            Some("source" | "configfile" | ".") => {
                if let Some(path) = words.next() {
                    self.file(&grub_path(path), depth + 1);
                }
            }
            Some("set") => {
                if let Some((name, value)) = words.next().and_then(|word| word.split_once('='))
                    && self.variables.len() < MAX_VARIABLES
                {
                    self.variables.insert(name.to_owned(), value.to_owned());
                }
            }
            _ => {}
        }
    }

    /// Replaces variables that are known; an argument with an unknown one is left out (`findiso=${iso_path}`).
    fn expand(&self, words: Vec<String>) -> Vec<String> {
        words.into_iter().filter_map(|word| self.expand_word(&word)).collect()
    }

    fn expand_word(&self, word: &str) -> Option<String> {
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
            out.push_str(self.variables.get(name)?);
            rest = after;
            if out.len() > MAX_LINE {
                return None;
            }
        }
        out.push_str(rest);
        Some(out)
    }

    fn isolinux_line(&mut self, line: &str, folder: &str, depth: usize) {
        let mut words = line.split_whitespace();
        let keyword = words.next().unwrap_or_default().to_ascii_lowercase();
        let rest = || line.trim_start().get(keyword.len()..).unwrap_or_default().trim().to_owned();
        match keyword.as_str() {
            "label" => self.item(rest()),
            "menu" => match words.next().map(str::to_ascii_lowercase).as_deref() {
                Some("label") => {
                    let title = rest().get("label".len()..).unwrap_or_default().trim().replace('^', "");
                    if let Some(item) = self.items.last_mut() {
                        item.title = title;
                    }
                }
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
                item.arguments = join(arguments.into_iter());
                if let Some(list) = initrds.last().and_then(|word| word.strip_prefix("initrd=")) {
                    item.initrd = list.split(',').map(|path| beside(folder, path)).collect();
                }
            }
            _ => {}
        }
    }
}

fn join<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(" ")
}

/// GRUB paths may name a device first: `(loop)/casper/vmlinuz`.
fn grub_path(path: &str) -> String {
    let path = match path.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((_, path)) => path,
        None => path,
    };
    format!("/{}", path.trim_start_matches('/'))
}

/// isolinux paths are relative to the folder of the menu.
fn beside(folder: &str, path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") }
}

/// Splits a GRUB command into words: blanks, quotes, and braces that end it.
fn grub_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut inside = false;
    let mut quote = None;
    let mut letters = line.trim().chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', None | Some('"')) => word.extend(letters.next()),
            (mark @ ('"' | '\''), None) => {
                quote = Some(mark);
                inside = true;
            }
            (mark, Some(open)) if mark == open => quote = None,
            ('#', None) if word.is_empty() && !inside => break,
            (blank, None) if blank.is_whitespace() || blank == ';' => {
                if !word.is_empty() || inside {
                    words.push(std::mem::take(&mut word));
                    inside = false;
                }
            }
            (other, _) => word.push(other),
        }
    }
    if !word.is_empty() || inside {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grub_lines_are_split_as_grub_does() {
        assert_eq!(
            grub_words("menuentry \"Live \\\"x\\\"\" --hotkey=l {"),
            ["menuentry", "Live \"x\"", "--hotkey=l", "{"]
        );
        assert_eq!(grub_words("  linux\t/live/vmlinuz  a='b c' # not this"), ["linux", "/live/vmlinuz", "a=b c"]);
        assert_eq!(grub_words("# comment"), Vec::<String>::new());
        assert_eq!(grub_words("echo \"\"; set a=b"), ["echo", "", "set", "a=b"]);
        assert_eq!(grub_words("open 'never closed"), ["open", "never closed"]);
    }

    #[test]
    fn paths_lose_their_device() {
        assert_eq!(grub_path("(loop)/casper/vmlinuz"), "/casper/vmlinuz");
        assert_eq!(grub_path("casper/vmlinuz"), "/casper/vmlinuz");
        assert_eq!(beside("/isolinux", "vmlinuz"), "/isolinux/vmlinuz");
    }
}
