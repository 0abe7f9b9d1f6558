//! The menu that computers see: one model, rendered for each menu language.

mod edit;
pub mod grub;
mod guard;
pub mod ipxe;
mod leave;
mod page;
#[cfg(test)]
mod scripts;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use super::loader::{Loader, Loaders};
use crate::image::{self, Boot, Category, Entry, Firmware, Inspection, words};

pub use page::Page;

pub use edit::{Edit, Unknown, arrange, edit_of, ordered};
pub use guard::Guard;
pub use leave::Leave;

/// Folders of the served tree with what is made when it is asked for.
pub mod made {
    /// Archives of injected files: `inject/ENTRY/NUMBER.cpio`.
    pub const INJECTED: &str = "inject";
    /// The zeros before the first of those archives: `inject/ENTRY/padding`.
    pub const PADDING: &str = "padding";
    /// Files of images, unpacked: `unpacked/IMAGE/PATH`.
    pub const UNPACKED: &str = "unpacked";
    /// ESXi's settings: `esxi/ENTRY/TICKET/boot.cfg`.
    pub const ESXI: &str = "esxi";
    /// Scripts for GRUB, each for one entry on one computer: `grub/ENTRY/TICKET/COMPUTER/boot.cfg`.
    pub const GRUB: &str = "grub";
    /// What restarts a computer for an entry that needs its image's own shim: `chain/ENTRY/restart.cfg`.
    pub const CHAIN: &str = "chain";
    /// Answer files: `answer/TICKET/NAME`.
    pub const ANSWER: &str = "answer";
    /// What starts an entry that asks the server first, for iPXE: `start/ENTRY`.
    pub const START: &str = "start";
    /// What iPXE fetches on its way to the own disk: `own-disk/HOW`.
    pub const OWN_DISK: &str = "own-disk";
    /// What GRUB fetches before it starts such an entry: `begin/ENTRY/begin.cfg`.
    pub const BEGIN: &str = "begin";
}

/// What stands above the entries.
pub const HEADING: &str = "Bootwright: what shall this computer start?";
/// The first entry, which is always there.
pub const OWN_DISK: &str = "Its own disk, as always";

/// What may stand behind an entry's name in a script: an image and one of its entries.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    /// Unique in the menu; ours, never the image's own words (SECURITY S16).
    pub id: String,
    /// The image's id: its place in the served tree.
    pub image: String,
    /// What its system is for.
    pub category: Category,
    /// The entry, its title for people.
    pub entry: Entry,
    /// Kernel arguments for this entry alone, after those for each entry.
    pub append: String,
    /// What stands before it.
    pub guard: Guard,
}

/// What starts by itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Default {
    /// The computer's own disk, so that a forgotten machine boots as always.
    Local,
    /// The entry with this id.
    Entry(String),
    /// The entry at this position of the menu that the computer sees; 1 is the first.
    Position(usize),
}

/// A whole menu.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Menu {
    /// Entries in their order.
    pub items: Vec<Item>,
    /// What starts by itself.
    pub default: Default,
    /// After how many seconds; 0 starts it at once without a menu.
    pub timeout: u32,
    /// More kernel arguments for each Linux entry.
    pub append: String,
}

/// The processors that iPXE is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Processor {
    /// 32-bit x86.
    I386,
    /// 64-bit x86.
    X86_64,
    /// 64-bit ARM.
    Arm64,
}

impl Asker {
    /// Nobody knows who.
    pub const ANYBODY: Asker = Asker { firmware: None, arch: None };

    /// Whether its processor and firmware can start an entry. 32-bit UEFI may start a 64-bit kernel of Linux (its
    /// "EFI mixed mode"), and nothing else that has 64 bits; 64-bit UEFI starts nothing that has 32.
    fn runs(self, entry: &Entry) -> bool {
        let (arm, x86) = (entry.arch == "aarch64", entry.arch == "i386");
        match (self.firmware, self.arch) {
            (_, Some(Processor::Arm64)) => arm,
            (Some(Firmware::Bios), _) => !arm,
            (Some(Firmware::Uefi), Some(Processor::I386)) => x86 || (!arm && entry.boot == Boot::Linux),
            (None, Some(Processor::I386)) => !arm,
            (_, Some(Processor::X86_64)) => !arm && !x86,
            (_, None) => true,
        }
    }
}

/// What is known of the computer that asks for the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    /// Its firmware; none shows all entries.
    pub firmware: Option<Firmware>,
    /// The processor that its iPXE was built for, which for a BIOS says little: iPXE is `i386` there.
    pub arch: Option<Processor>,
}

/// Most entries of a menu that has no submenus, so that it fits on a text screen of 25 lines.
pub const MAX_FLAT: usize = 16;
/// How a menu begins to say that it tried an entry in vain.
pub const FAILED: &str = "this entry could not be started";
/// What a menu says instead of starting an entry whose arguments are too long, without the end of the sentence. One place,
/// since a rehearsal looks for it.
const TOO_LONG: &str = "its arguments have ";
/// Longest kernel command line, in bytes: Linux keeps 2048 with the zero at its end (`COMMAND_LINE_SIZE` of x86 and
/// arm64), and what is longer is cut off without a word.
pub const MAX_ARGUMENTS: usize = 2047;

/// A part of a long menu: the entries of one category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<'a> {
    /// The category.
    pub category: Category,
    /// Its entries, in the menu's order.
    pub items: Vec<&'a Item>,
}

/// A line of a menu's first page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// The computer's own disk.
    Local,
    /// An entry.
    Item(&'a Item),
    /// A submenu.
    Group(Group<'a>),
}

impl Group<'_> {
    /// Its name for people, with how many there are.
    pub fn title(&self) -> String {
        format!("{} ({})", words::category(self.category), self.items.len())
    }
}

/// Where the services are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `http://address[:port]`, without slash at its end.
    pub base: String,
    /// Our address.
    pub server: Ipv4Addr,
}

impl Place {
    /// The URL of an image's tree, without slash at its end.
    pub fn tree(&self, item: &Item) -> String {
        format!("{}/image/{}", self.base, item.image)
    }

    /// The URL of the archive with the injected file of this number.
    pub fn injected(&self, item: &Item, number: usize) -> String {
        format!("{}/{}/{}/{number}.cpio", self.base, made::INJECTED, item.id)
    }

    /// The URL of the zeros before the first of them. Linux' UEFI stub puts initrds together byte by byte, and the kernel
    /// takes an archive for one only where it begins at a multiple of four (`init/initramfs.c`); it passes over zeros.
    pub fn padding(&self, item: &Item) -> String {
        format!("{}/{}/{}/{}", self.base, made::INJECTED, item.id, made::PADDING)
    }

    /// The URL of a file of an image, unpacked. `path` is ready for a URL.
    pub fn unpacked(&self, item: &Item, path: &str) -> String {
        format!("{}/{}/{}{path}", self.base, made::UNPACKED, item.image)
    }

    /// The URL of the settings that ESXi's loader reads. `answer` is the address of a kickstart file.
    pub fn esxi(&self, item: &Item, answer: Option<&str>) -> String {
        format!("{}/{}/{}/{}/boot.cfg", self.base, made::ESXI, item.id, ticket(answer))
    }

    /// The script for GRUB as GRUB names it, `(http,10.77.0.1)/grub/…`. `computer` is what iPXE writes for the computer
    /// itself, `answer` the address of its answer file.
    pub fn grub(&self, item: &Item, answer: Option<&str>, computer: &Own) -> String {
        let Own { mac_dashes, ip, gateway, netmask } = computer;
        let computer = format!("{mac_dashes}_{ip}_{gateway}_{netmask}");
        format!("{}/{}/{}/{}/{computer}/boot.cfg", self.grub_device(), made::GRUB, item.id, ticket(answer))
    }

    /// Our HTTP service as GRUB names it.
    pub fn grub_device(&self) -> String {
        format!("(http,{})", self.base.strip_prefix("http://").unwrap_or(&self.base))
    }

    /// The URL of an image's file. casper takes only one that ends in `.iso`.
    pub fn disc(&self, item: &Item) -> String {
        format!("{}/image/{}.iso", self.base, item.image)
    }
}

/// The ticket in the address of an answer file, for a path that leads to a script with that address.
fn ticket(answer: Option<&str>) -> &str {
    answer.and_then(|url| url.rsplit('/').nth(1)).unwrap_or("none")
}

/// Names of images that no other image in the list has: `debian-live`, `debian-live-2`.
pub fn image_ids<'a>(inspections: impl IntoIterator<Item = &'a Inspection>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    inspections.into_iter().map(|inspection| unique(kind(inspection), &mut taken)).collect()
}

/// A name that is not taken yet, with a number behind it where the wanted one is: a kind `arch-2` may stand beside the
/// second `arch`.
fn unique(wanted: &str, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2u64..).map(|number| format!("{wanted}-{number}"));
    let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
    names.find(|name| taken.insert(name.clone())).unwrap_or_default()
}

/// All that these images can start, in their order and with their own titles. [`arrange`] makes the menu of it.
pub fn items<'a>(inspections: impl IntoIterator<Item = &'a Inspection>) -> Vec<Item> {
    let inspections: Vec<&Inspection> = inspections.into_iter().collect();
    let images = image_ids(inspections.iter().copied());
    let (mut items, mut taken) = (Vec::new(), BTreeSet::new());
    for (image, inspection) in images.iter().zip(&inspections) {
        items.extend(inspection.entries.iter().map(|entry| {
            let suffix = entry.id.strip_prefix(kind(inspection)).unwrap_or_default();
            Item {
                // `debian` with an entry `live` beside a `debian-live` would be one label twice.
                id: unique(&format!("{image}{suffix}"), &mut taken),
                image: image.clone(),
                category: inspection.recognised.as_ref().map_or(Category::Other, |system| system.category),
                entry: entry.clone(),
                append: String::new(),
                guard: Guard::default(),
            }
        }));
    }
    let files = images.iter().map(String::as_str).zip(inspections.iter().map(|inspection| &inspection.path));
    tell_titles_apart(&mut items, &files.map(|(image, path)| (image, image::file_name(path))).collect());
    items
}

fn kind(inspection: &Inspection) -> &str {
    inspection.recognised.as_ref().map_or("image", |system| system.id.as_str())
}

/// Two images of one system get their file names behind their titles.
fn tell_titles_apart(items: &mut [Item], files: &BTreeMap<&str, String>) {
    let mut count: BTreeMap<String, u32> = BTreeMap::new();
    for item in &*items {
        *count.entry(item.entry.title.clone()).or_default() += 1;
    }
    for item in items {
        let twice = count.get(&item.entry.title).is_some_and(|&count| count > 1);
        if let (true, Some(file)) = (twice, files.get(item.image.as_str())) {
            item.entry.title = format!("{} ({file})", item.entry.title);
        }
    }
}

impl Menu {
    /// The entries that this computer can start.
    pub fn fitting(&self, asker: Asker) -> Vec<&Item> {
        let fits = |item: &&Item| {
            asker.firmware.is_none_or(|firmware| item.entry.firmware.contains(&firmware)) && asker.runs(&item.entry)
        };
        self.items.iter().filter(fits).collect()
    }

    /// The first page of this computer's menu: its own disk, then its entries; of a long menu the entry that starts by
    /// itself, then a submenu for each category.
    pub fn top(&self, asker: Asker) -> Vec<Line<'_>> {
        let fitting = self.fitting(asker);
        if fitting.len() <= MAX_FLAT {
            return std::iter::once(Line::Local).chain(fitting.into_iter().map(Line::Item)).collect();
        }
        let chosen = self.chosen(asker).map(Line::Item);
        let mut groups: BTreeMap<Category, Vec<&Item>> = BTreeMap::new();
        for item in fitting {
            groups.entry(item.category).or_default().push(item);
        }
        let groups = groups.into_iter().map(|(category, items)| Line::Group(Group { category, items }));
        std::iter::once(Line::Local).chain(chosen).chain(groups).collect()
    }

    /// Leaves out the entries that need a loader which is not there, and says which ones those were.
    pub fn without_lacking(&mut self, loaders: &Loaders) -> Vec<(Item, Loader)> {
        // Without GRUB a hypervisor starts on a BIOS only.
        let hypervisors = self.items.iter_mut().filter(|item| item.entry.boot == Boot::Multiboot);
        if loaders.path(Loader::GrubHttpX64).is_none() {
            hypervisors.for_each(|item| item.entry.firmware.retain(|firmware| *firmware == Firmware::Bios));
        }
        let lacks = |item: &Item| match item.entry.boot {
            Boot::Multiboot => item.entry.firmware.is_empty().then_some(Loader::GrubHttpX64),
            boot => needs(boot).filter(|loader| loaders.path(*loader).is_none()),
        };
        let lacking = self.items.iter().filter_map(|item| Some((item.clone(), lacks(item)?))).collect();
        self.items.retain(|item| lacks(item).is_none());
        lacking
    }

    /// The [first page](Menu::top) as this computer shows it, with the characters that iPXE can draw.
    pub fn shown(&self, asker: Asker) -> Vec<String> {
        let word = |line: Line| match line {
            Line::Local => OWN_DISK.to_owned(),
            Line::Item(item) => guard::title(item, false),
            Line::Group(group) => group.title(),
        };
        self.top(asker).into_iter().map(word).collect()
    }

    /// The menu for a computer that has begun these entries, which start once.
    pub fn after(&self, done: impl Fn(&str) -> bool) -> Menu {
        let mut menu = self.clone();
        for item in &mut menu.items {
            item.guard.done = item.guard.once && done(&item.id);
        }
        menu
    }

    /// The entry that starts by itself on this computer; `None` is its own disk. Where the chosen entry is for other
    /// firmware, another one of the same image stands in. An entry with a password starts never by itself, nor does one
    /// that starts once and has done so.
    pub fn chosen(&self, asker: Asker) -> Option<&Item> {
        self.wanted(asker).filter(|item| item.guard.starts_by_itself())
    }

    /// The entry that was to start by itself and has a password, which nobody types by itself.
    pub fn locked_default(&self) -> Option<&Item> {
        let anybody = self.wanted(Asker::ANYBODY);
        anybody.filter(|item| item.guard.password.is_some())
    }

    fn wanted(&self, asker: Asker) -> Option<&Item> {
        let fitting = self.fitting(asker);
        match &self.default {
            Default::Local => None,
            Default::Position(position) => fitting.into_iter().nth(position.checked_sub(1)?),
            Default::Entry(id) => {
                let wanted = self.items.iter().find(|item| item.id == *id)?;
                let same = fitting.iter().find(|item| item.id == *id);
                same.or_else(|| fitting.iter().find(|item| item.image == wanted.image)).copied()
            }
        }
    }

    /// The entry whose image UEFI HTTP Boot gets instead of a loader: one that is made for that, and starts by itself
    /// without a menu. No loader of ours runs then, so there is nothing that could show one.
    pub fn disc_for_http_boot(&self) -> Option<&Item> {
        let chosen = self.chosen(Asker { firmware: Some(Firmware::Uefi), arch: None })?;
        let disc = self.timeout == 0 && chosen.entry.boot == Boot::HttpDisc && !chosen.guard.asks();
        disc.then_some(chosen)
    }

    /// What was asked to start by itself and is on no computer's menu: it is not there, or hidden.
    pub fn missing_default(&self) -> Option<String> {
        match &self.default {
            Default::Local => None,
            Default::Entry(id) => self.items.iter().all(|item| item.id != *id).then(|| id.clone()),
            Default::Position(position) => (!(1..=self.items.len()).contains(position)).then(|| position.to_string()),
        }
    }
}

/// The loader that an entry needs on every computer besides the one that shows the menu. A hypervisor needs GRUB on UEFI
/// alone.
pub fn needs(boot: Boot) -> Option<Loader> {
    match boot {
        Boot::Wimboot => Some(Loader::Wimboot),
        Boot::Memdisk => Some(Loader::Memdisk),
        Boot::Linux | Boot::EfiProgram | Boot::Multiboot | Boot::Esxi | Boot::Sanboot | Boot::HttpDisc => None,
    }
}

/// What a menu says of an entry whose arguments have so many characters.
fn too_long(length: usize) -> String {
    format!("{TOO_LONG}{length} characters; Linux takes {MAX_ARGUMENTS}.")
}

/// How many characters the arguments of an entry have, where a menu says this of it: too many.
pub fn too_long_in(said: &str) -> Option<usize> {
    let (_, rest) = said.split_once(TOO_LONG)?;
    rest.split(' ').next()?.parse().ok()
}

/// What only the computer itself knows, as its boot loader writes it.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
    /// Its hardware address with dashes.
    pub mac_dashes: &'a str,
    /// Its IPv4 address.
    pub ip: &'a str,
    /// Its router.
    pub gateway: &'a str,
    /// Its network mask.
    pub netmask: &'a str,
}

/// A text of an entry with everything filled in but an answer file's address.
pub fn fill(text: &str, item: &Item, place: &Place, own: &Own) -> String {
    let port = place.base.rsplit(':').next().filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    text.replace("{base_url}", &place.tree(item))
        .replace("{iso_url}", &place.disc(item))
        .replace("{tree_path}", &format!("image/{}", item.image))
        .replace("{server}", &place.server.to_string())
        .replace("{port}", port.unwrap_or("80"))
        .replace("{mac_dashes}", own.mac_dashes)
        .replace("{client_ip}", own.ip)
        .replace("{gw}", own.gateway)
        .replace("{mask}", own.netmask)
}

/// An entry's kernel arguments with everything filled in. `answer` is the address of its answer file, where it has one:
/// of a folder if it ends with a slash. Those of a hypervisor are its own; see [`modules`] for its system's.
pub fn arguments(item: &Item, place: &Place, append: &str, own: &Own, answer: Option<&str>) -> String {
    match item.entry.boot {
        Boot::Multiboot if !item.entry.initrd.is_empty() => {
            fill(&item.entry.cmdline, item, place, own).trim().to_owned()
        }
        _ => with_added(&item.entry.cmdline, item, place, append, own, answer),
    }
}

/// The modules of a hypervisor, each with its path in the image and its arguments. The first one is the system that the
/// hypervisor starts: what is added to kernel arguments, and where an installer finds its answers, is for that.
pub fn modules<'a>(
    item: &'a Item,
    place: &Place,
    append: &str,
    own: &Own,
    answer: Option<&str>,
) -> Vec<(&'a str, String)> {
    let lines = item.entry.module_arguments.iter().map(String::as_str).chain(std::iter::repeat(""));
    let with_arguments = |(number, (path, line)): (usize, (&'a String, &str))| {
        let arguments = match number {
            0 => with_added(line, item, place, append, own, answer),
            _ => fill(line, item, place, own).trim().to_owned(),
        };
        (path.as_str(), arguments)
    };
    item.entry.initrd.iter().zip(lines).enumerate().map(with_arguments).collect()
}

fn with_added(line: &str, item: &Item, place: &Place, append: &str, own: &Own, answer: Option<&str>) -> String {
    let line = fill(line, item, place, own);
    let answering = item.entry.answering.as_ref().zip(answer).map(|(answering, url)| {
        fill(&answering.arguments, item, place, own).replace("{answer_url}", url).replace("{answer_dir_url}", url)
    });
    let answering = answering.unwrap_or_default();
    let parts = [line.trim(), answering.trim(), append.trim(), item.append.trim()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::image::stored::Filesystem;
    use crate::image::{Boot, Recognised, Transport};

    /// What the inspection of an image of this kind could be, with an entry for each of these suffixes.
    pub(crate) fn inspection(path: &str, kind: &str, suffixes: &[&str]) -> Inspection {
        let entry = |suffix: &&str| Entry {
            id: format!("{kind}{suffix}"),
            title: format!("{kind}{suffix} of {kind}"),
            boot: Boot::default(),
            kernel: Some("/vmlinuz".into()),
            module_arguments: Vec::new(),
            answering: None,
            initrd: vec![],
            inject: vec![],
            cmdline: "boot=live".into(),
            transport: Transport::HttpTree,
            firmware: vec![Firmware::Bios, Firmware::Uefi],
            arch: "x86_64".into(),
            min_ram_mb: None,
            signed: None,
        };
        Inspection {
            path: path.into(),
            size: 1,
            volume_label: None,
            filesystem: Filesystem::Iso9660,
            recognised: Some(Recognised {
                id: kind.into(),
                name: kind.into(),
                version: None,
                arch: vec![],
                editions: vec![],
                category: crate::image::Category::Live,
                evidence: vec![],
            }),
            entries: suffixes.iter().map(entry).collect(),
            signatures: vec![],
            warnings: vec![],
        }
    }

    #[test]
    fn ids_are_unique_and_twins_are_told_apart_by_their_files() {
        let unknown = || Inspection { recognised: None, entries: vec![], ..inspection("/u.iso", "", &[]) };
        let twins = ["/x/d12.iso", "/x/d13.iso"].map(|path| inspection(path, "debian", &["", "-text"]));
        let [first, second] = twins;
        let all = [first, unknown(), inspection("/a.iso", "arch", &[""]), second, unknown()];
        assert_eq!(image_ids(&all), ["debian", "image", "arch", "debian-2", "image-2"]);
        let items = items(&all);
        let seen: Vec<_> = items.iter().map(|item| (item.id.as_str(), item.entry.title.as_str())).collect();
        let expected = [
            ("debian", "debian of debian (d12.iso)"),
            ("debian-text", "debian-text of debian (d12.iso)"),
            ("arch", "arch of arch"),
            ("debian-2", "debian of debian (d13.iso)"),
            ("debian-2-text", "debian-text of debian (d13.iso)"),
        ];
        assert_eq!(seen, expected);
        assert_eq!(items.last().map(|item| item.image.as_str()), Some("debian-2"));
    }

    #[test]
    fn entries_of_another_processor_are_left_out() {
        use Firmware::{Bios, Uefi};
        use Processor::{Arm64, I386, X86_64};
        let cases = [
            (Some(Bios), Some(I386), vec!["i386", "x86_64"]),
            (Some(Uefi), Some(X86_64), vec!["x86_64"]),
            (Some(Uefi), Some(I386), vec!["i386", "x86_64"]),
            (Some(Uefi), Some(Arm64), vec!["aarch64"]),
            (Some(Uefi), None, vec!["i386", "x86_64", "aarch64"]),
            (None, None, vec!["i386", "x86_64", "aarch64"]),
        ];
        let mut items = items(&[inspection("/a.iso", "arch", &["-a", "-b", "-c"])]);
        for (item, arch) in items.iter_mut().zip(["i386", "x86_64", "aarch64"]) {
            item.entry.arch = arch.into();
        }
        let menu = Menu { items, default: Default::Local, timeout: 30, append: String::new() };
        for (firmware, arch, expected) in cases {
            let seen: Vec<_> =
                menu.fitting(Asker { firmware, arch }).iter().map(|item| item.entry.arch.clone()).collect();
            assert_eq!(seen, expected, "{firmware:?} {arch:?}");
        }
    }

    #[test]
    fn a_default_that_is_not_there_or_hidden_is_missed() {
        let images = [inspection("/a.iso", "arch", &["", "-text"])];
        let hidden = [Edit { id: "arch-text".into(), hidden: true, ..Edit::default() }];
        let missing = |default, edits: &[Edit]| {
            let items = arrange(super::items(&images), edits);
            Menu { items, default, timeout: 30, append: String::new() }.missing_default()
        };
        assert_eq!(missing(Default::Local, &hidden), None);
        assert_eq!(missing(Default::Entry("arch-text".into()), &[]), None);
        assert_eq!(missing(Default::Entry("arch-text".into()), &hidden).as_deref(), Some("arch-text"));
        assert_eq!(missing(Default::Entry("debian".into()), &[]).as_deref(), Some("debian"));
        assert_eq!(missing(Default::Position(2), &[]), None);
        assert_eq!(missing(Default::Position(2), &hidden).as_deref(), Some("2"));
        assert_eq!(missing(Default::Position(0), &[]).as_deref(), Some("0"));
    }

    #[test]
    fn without_grub_a_hypervisor_is_for_a_bios() {
        let mut items = items(&[inspection("/x.iso", "xcp-ng", &["", "-uefi"])]);
        items.iter_mut().for_each(|item| item.entry.boot = Boot::Multiboot);
        items[1].entry.firmware = vec![Firmware::Uefi];
        let menu = Menu { items, default: Default::Local, timeout: 30, append: String::new() };
        let mut whole = menu.clone();
        assert!(whole.without_lacking(&Loaders::of([Loader::GrubHttpX64])).is_empty() && whole == menu);
        let mut cut = menu;
        let lacking: Vec<_> =
            cut.without_lacking(&Loaders::default()).into_iter().map(|(item, loader)| (item.id, loader)).collect();
        assert_eq!(lacking, [("xcp-ng-uefi".to_owned(), Loader::GrubHttpX64)]);
        assert_eq!(cut.items.iter().map(|item| item.entry.firmware.as_slice()).collect::<Vec<_>>(), [[Firmware::Bios]]);
    }

    #[test]
    fn a_preview_has_the_characters_of_the_computer() {
        let mut items = items(&[inspection("/a.iso", "arch", &["", "-bios"])]);
        items[0].entry.title = "Büro\n ${x}".into();
        items[1].entry.firmware = vec![Firmware::Bios];
        let menu = Menu { items, default: Default::Local, timeout: 30, append: String::new() };
        let uefi = Asker { firmware: Some(Firmware::Uefi), arch: None };
        assert_eq!(menu.shown(uefi), [OWN_DISK, "B?ro? {x}"]);
        assert_eq!(menu.shown(Asker { firmware: None, arch: None }), [OWN_DISK, "B?ro? {x}", "arch-bios of arch"]);
    }
}
