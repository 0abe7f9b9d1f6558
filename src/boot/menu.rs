//! The menu that computers see: one model, rendered for each menu language.

mod edit;
pub mod ipxe;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use crate::image::{self, Entry, Firmware, Inspection};

pub use edit::{Edit, Unknown, arrange, edit_of, ordered};

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
    /// The entry, its title for people.
    pub entry: Entry,
    /// Kernel arguments for this entry alone, after those for each entry.
    pub append: String,
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

/// What is known of the computer that asks for the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker {
    /// Its firmware; none shows all entries.
    pub firmware: Option<Firmware>,
}

/// Where the services are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `http://address[:port]`, without slash at its end.
    pub base: String,
    /// Our address.
    pub server: Ipv4Addr,
}

/// Names of images that no other image in the list has: `debian-live`, `debian-live-2`.
pub fn image_ids<'a>(inspections: impl IntoIterator<Item = &'a Inspection>) -> Vec<String> {
    let mut used: BTreeMap<&str, u32> = BTreeMap::new();
    let mut unique = |kind: &'a str| {
        let count = used.entry(kind).and_modify(|count| *count += 1).or_insert(1);
        if *count == 1 { kind.to_owned() } else { format!("{kind}-{count}") }
    };
    inspections.into_iter().map(|inspection| unique(kind(inspection))).collect()
}

/// All that these images can start, in their order and with their own titles. [`arrange`] makes the menu of it.
pub fn items<'a>(inspections: impl IntoIterator<Item = &'a Inspection>) -> Vec<Item> {
    let inspections: Vec<&Inspection> = inspections.into_iter().collect();
    let images = image_ids(inspections.iter().copied());
    let mut items = Vec::new();
    for (image, inspection) in images.iter().zip(&inspections) {
        items.extend(inspection.entries.iter().map(|entry| {
            let suffix = entry.id.strip_prefix(kind(inspection)).unwrap_or_default();
            Item { id: format!("{image}{suffix}"), image: image.clone(), entry: entry.clone(), append: String::new() }
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
        let fits = |item: &&Item| asker.firmware.is_none_or(|firmware| item.entry.firmware.contains(&firmware));
        self.items.iter().filter(fits).collect()
    }

    /// What this computer shows: its own disk, then the title of each of the [fitting](Menu::fitting) entries, with the
    /// characters that iPXE can draw.
    pub fn shown(&self, asker: Asker) -> Vec<String> {
        let titles = self.fitting(asker).into_iter().map(|item| ipxe::text(&item.entry.title));
        std::iter::once(OWN_DISK.to_owned()).chain(titles).collect()
    }

    /// The entry that starts by itself on this computer; `None` is its own disk. Where the chosen entry is for other
    /// firmware, another one of the same image stands in.
    pub fn chosen(&self, asker: Asker) -> Option<&Item> {
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

    /// What was asked to start by itself and is on no computer's menu: it is not there, or hidden.
    pub fn missing_default(&self) -> Option<String> {
        match &self.default {
            Default::Local => None,
            Default::Entry(id) => self.items.iter().all(|item| item.id != *id).then(|| id.clone()),
            Default::Position(position) => (!(1..=self.items.len()).contains(position)).then(|| position.to_string()),
        }
    }
}

/// An entry's kernel arguments with everything filled in.
pub fn arguments(item: &Item, place: &Place, append: &str, mac: &str) -> String {
    let line = item
        .entry
        .cmdline
        .replace("{base_url}", &format!("{}/image/{}", place.base, item.image))
        .replace("{iso_url}", &format!("{}/image/{}.iso", place.base, item.image))
        .replace("{server}", &place.server.to_string())
        .replace("{mac_dashes}", mac);
    let parts = [line.trim(), append.trim(), item.append.trim()];
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
                category: "live".into(),
                evidence: vec![],
            }),
            entries: suffixes.iter().map(entry).collect(),
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
    fn a_preview_has_the_characters_of_the_computer() {
        let mut items = items(&[inspection("/a.iso", "arch", &["", "-bios"])]);
        items[0].entry.title = "Büro\n ${x}".into();
        items[1].entry.firmware = vec![Firmware::Bios];
        let menu = Menu { items, default: Default::Local, timeout: 30, append: String::new() };
        let uefi = Asker { firmware: Some(Firmware::Uefi) };
        assert_eq!(menu.shown(uefi), [OWN_DISK, "B?ro? {x}"]);
        assert_eq!(menu.shown(Asker { firmware: None }), [OWN_DISK, "B?ro? {x}", "arch-bios of arch"]);
    }
}
