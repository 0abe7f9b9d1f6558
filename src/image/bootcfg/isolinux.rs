//! Menus of isolinux and syslinux.
//!
//! Source: the SYSLINUX wiki, "Config" and "Menu". Keywords may be in either case. Relative paths start at the folder of
//! the main menu, in included files as well.

use super::{Item, Kind, MAX_DEPTH, MAX_SUBMENUS, Sheet, absolute, folder_of, is_memdisk};

/// Modules of one `mboot.c32`.
const MAX_MODULES: usize = 16;

/// Reads a menu and all that it includes.
pub(super) fn read(sheet: &mut Sheet, path: &str) {
    let first = sheet.items.len();
    let mut menu = Menu {
        sheet,
        folder: folder_of(path).to_owned(),
        shared: String::new(),
        default: None,
        label: None,
        help: false,
    };
    menu.file(path, 0);
    menu.finish();
    if menu.sheet.items.len() == first
        && let Some(line) = menu.default.take()
    {
        menu.without_labels(&line);
    }
}

struct Menu<'a, 'b> {
    sheet: &'a mut Sheet<'b>,
    folder: String,
    /// The `APPEND` before all labels, for those that have none of their own.
    shared: String,
    /// What starts by itself: a label, or a kernel with its arguments.
    default: Option<String>,
    label: Option<Label>,
    /// Within `TEXT HELP`.
    help: bool,
}

/// A label that is being read.
#[derive(Default)]
struct Label {
    title: String,
    kernel: String,
    append: Option<String>,
    initrd: Vec<String>,
    depth: usize,
}

impl Menu<'_, '_> {
    fn file(&mut self, path: &str, depth: usize) {
        let Some(text) = self.sheet.text(path, depth) else { return };
        text.lines().for_each(|line| self.line(line.trim(), depth));
    }

    fn line(&mut self, line: &str, depth: usize) {
        let (keyword, rest) = split(line);
        let keyword = keyword.to_ascii_lowercase();
        if self.help {
            self.help = keyword != "endtext";
            return;
        }
        match keyword.as_str() {
            "label" => {
                self.finish();
                self.label = Some(Label { title: rest.to_owned(), depth, ..Label::default() });
            }
            "menu" => self.menu(rest, depth),
            "text" => self.help = rest.eq_ignore_ascii_case("help"),
            "include" => self.include(rest, depth),
            "config" => self.config(rest, depth),
            "default" | "ontimeout" if self.default.is_none() => self.default = Some(rest.to_owned()),
            "kernel" | "linux" | "com32" => {
                if let Some(label) = &mut self.label {
                    label.kernel = rest.to_owned();
                }
            }
            "append" => match &mut self.label {
                Some(label) => label.append = Some(rest.to_owned()),
                None => self.shared = rest.to_owned(),
            },
            "initrd" => {
                if let Some(label) = &mut self.label {
                    label.initrd = list(&self.folder, rest);
                }
            }
            _ => {}
        }
    }

    fn menu(&mut self, rest: &str, depth: usize) {
        let (keyword, rest) = split(rest);
        match keyword.to_ascii_lowercase().as_str() {
            "label" => match &mut self.label {
                Some(label) => label.title = rest.replace('^', ""),
                // Of a submenu, where it has no title.
                None => self.name_submenu(rest, false),
            },
            "title" if self.label.is_none() => self.name_submenu(rest, true),
            "begin" => {
                self.finish();
                // Unnamed ones count as well, so that ends find their beginnings.
                self.sheet.open(&rest.replace('^', ""));
            }
            "end" => {
                self.finish();
                self.sheet.path.pop();
            }
            "include" => self.include(rest, depth),
            _ => {}
        }
    }

    /// What a submenu is called inside of it: better than its tag.
    fn name_submenu(&mut self, title: &str, always: bool) {
        if let Some(name) = self.sheet.path.last_mut()
            && (always || name.is_empty())
        {
            *name = super::cut(&title.replace('^', ""));
        }
    }

    /// `INCLUDE file`, or with a tag as a submenu of that name.
    fn include(&mut self, rest: &str, depth: usize) {
        let (path, tag) = split(rest);
        let path = absolute(&self.folder, path);
        if depth >= MAX_DEPTH || self.sheet.path.len() > MAX_SUBMENUS {
            return;
        }
        let outer = self.sheet.path.clone();
        if !tag.is_empty() {
            self.finish();
            self.sheet.open(&tag.replace('^', ""));
        }
        self.file(&path, depth + 1);
        if !tag.is_empty() {
            self.finish();
            self.sheet.path = outer;
        }
    }

    /// `CONFIG file [folder]`: another menu in the place of this one. Within a label it is what that starts.
    fn config(&mut self, rest: &str, depth: usize) {
        let (path, folder) = split(rest);
        if depth >= MAX_DEPTH {
            return;
        }
        let title = self.label.take().map(|label| label.title);
        let path = absolute(&self.folder, path);
        let inner = if folder.is_empty() { self.folder.clone() } else { absolute(&self.folder, folder) };
        self.within(title, inner, |menu| menu.file(&path, depth + 1));
    }

    /// Reads something as a submenu, with its own folder for relative paths.
    fn within(&mut self, title: Option<String>, folder: String, read: impl FnOnce(&mut Self)) {
        if self.sheet.path.len() > MAX_SUBMENUS {
            return;
        }
        let outer = (std::mem::replace(&mut self.folder, folder), self.sheet.path.clone());
        title.iter().for_each(|title| self.sheet.open(title));
        read(self);
        self.finish();
        (self.folder, self.sheet.path) = outer;
    }

    /// Ends a label: what it is shows only now.
    fn finish(&mut self) {
        let Some(label) = self.label.take() else { return };
        let own = label.append.as_deref().unwrap_or(&self.shared);
        // A dash stands for no arguments at all, not even the shared ones.
        let append = if own == "-" { "" } else { own };
        let (kernel, more) = split(&label.kernel);
        let append = format!("{more} {append}");
        match kernel.rsplit('/').next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "menu.c32" | "vesamenu.c32" => self.submenus(&label, &append),
            "mboot.c32" => self.multiboot(label.title, &append),
            program if program.ends_with(".c32") || kernel.is_empty() => {}
            _ => self.linux(&label, kernel, &append),
        }
    }

    fn linux(&mut self, label: &Label, kernel: &str, append: &str) {
        let (initrds, arguments): (Vec<&str>, Vec<&str>) =
            append.split_whitespace().partition(|word| word.starts_with("initrd="));
        let mut initrd = label.initrd.clone();
        if let Some(paths) = initrds.last().and_then(|word| word.strip_prefix("initrd=")).filter(|_| initrd.is_empty())
        {
            initrd = list(&self.folder, paths);
        }
        let kernel = absolute(&self.folder, kernel);
        let kind = if is_memdisk(&kernel) { Kind::Memdisk } else { Kind::Linux };
        self.add(&label.title, |item| {
            (item.kind, item.kernel, item.initrd, item.arguments) = (kind, kernel, initrd, arguments.join(" "));
        });
    }

    /// A label that shows other menus.
    fn submenus(&mut self, label: &Label, append: &str) {
        if label.depth >= MAX_DEPTH {
            return;
        }
        // `~` is this menu again.
        let files: Vec<String> =
            append.split_whitespace().filter(|word| *word != "~").map(|word| absolute(&self.folder, word)).collect();
        for file in files {
            let folder = self.folder.clone();
            self.within(Some(label.title.clone()), folder, |menu| menu.file(&file, label.depth + 1));
        }
    }

    /// `mboot.c32`: hypervisor, `---`, module, `---`, module, each with its arguments.
    fn multiboot(&mut self, title: String, append: &str) {
        let folder = self.folder.clone();
        let mut parts = append.split(" --- ").map(str::trim).map(split);
        let mut parts = parts.by_ref().map(|(path, arguments)| (absolute(&folder, path), arguments.to_owned()));
        let Some((kernel, arguments)) = parts.next() else { return };
        let modules = parts.take(MAX_MODULES).collect();
        self.add(&title, |item| {
            (item.kernel, item.arguments, item.kind) = (kernel, arguments, Kind::Multiboot { modules });
        });
    }

    fn add(&mut self, title: &str, fill: impl FnOnce(&mut Item)) {
        let before = self.sheet.items.len();
        self.sheet.item(title);
        if let Some(item) = self.sheet.items.get_mut(before) {
            fill(item);
        }
    }

    /// A menu without labels has a kernel in its `DEFAULT`, with arguments behind it.
    fn without_labels(&mut self, line: &str) {
        let (kernel, arguments) = split(line);
        self.label = Some(Label { title: kernel.to_owned(), kernel: kernel.to_owned(), ..Label::default() });
        let shared = std::mem::take(&mut self.shared);
        self.shared = format!("{arguments} {shared}");
        self.finish();
    }
}

/// A word and what follows it.
fn split(line: &str) -> (&str, &str) {
    line.split_once(char::is_whitespace).map_or((line, ""), |(word, rest)| (word, rest.trim()))
}

fn list(folder: &str, paths: &str) -> Vec<String> {
    paths.split([',', ' ']).filter(|path| !path.is_empty()).map(|path| absolute(folder, path)).collect()
}
