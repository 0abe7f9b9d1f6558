//! How answers change, one at a time. A later answer that rested on an earlier one is dropped with it, and whoever
//! changed it learns what was dropped.
//!
//! The ids of entries count images of one kind (`debian-live-2`), which is what people want to type and read; so they
//! shift when an earlier image of that kind goes or moves. What is said about entries is therefore renamed in the very
//! step that shifts them, which needs nothing in the file. Ids made of file names would not shift, but a new release of
//! the same system would lose its title and place, and `--default` would be long.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{DhcpMode, MENU_TIMEOUT, Settings, choice};
use crate::boot::menu::{self, Default as Choice, Edit, Item, Menu};
use crate::boot::password::Hash;
use crate::image::Inspection;

/// An image and one of its entries, under names that do not shift.
type Owner = (PathBuf, String);

impl Settings {
    /// Chooses the interface, who hands out addresses, and which; a blank range is the proposed one. Returns the range
    /// that was set and holds no more.
    pub fn choose_network(&mut self, interface: &str, mode: DhcpMode, range: Option<&str>) -> Option<String> {
        self.interface = Some(interface.to_owned());
        self.dhcp = Some(mode);
        let range = range.map(str::trim).filter(|range| mode == DhcpMode::Full && !range.is_empty());
        let before = std::mem::replace(&mut self.range, range.map(str::to_owned));
        before.filter(|_| self.range.is_none())
    }

    /// Adds images behind those that there are. Returns those that were there already.
    pub fn add_images(&mut self, paths: impl IntoIterator<Item = PathBuf>) -> Vec<PathBuf> {
        let mut twice = Vec::new();
        for path in paths {
            let list = if self.image.contains(&path) { &mut twice } else { &mut self.image };
            list.push(path);
        }
        twice
    }

    /// Removes an image, and what was said about its entries. Returns the default that went with it. Of an image that
    /// is not among the inspected ones more is forgotten than need be.
    pub fn remove_image(&mut self, path: &Path, inspections: &[Inspection]) -> Option<String> {
        if !inspections.iter().any(|inspection| inspection.path == path) {
            return self.remove_unread(path, inspections);
        }
        self.reorder(inspections, |images| images.retain(|image| image != path))
    }

    /// Moves an image up (`by` is negative) or down. What was said about entries follows it; so does the menu, unless
    /// its order was changed by hand.
    pub fn move_image(&mut self, path: &Path, by: isize, inspections: &[Inspection]) {
        let from = self.image.iter().position(|image| image == path);
        // Nothing goes, so no default goes with it.
        let _ = from.and_then(|from| self.reorder(inspections, |images| shift(images, from, by)));
    }

    /// The entries of all images that were inspected, in the images' order and with their own titles.
    pub fn items(&self, inspections: &[Inspection]) -> Vec<Item> {
        menu::items(self.inspected(inspections))
    }

    /// The menu as it is now.
    pub fn menu(&self, inspections: &[Inspection]) -> Menu {
        self.menu_of(self.items(inspections))
    }

    /// The menu of these entries, which are those of [`Settings::items`].
    pub fn menu_of(&self, items: Vec<Item>) -> Menu {
        Menu {
            items: menu::arrange(items, &self.entry),
            default: self.default_choice(),
            timeout: self.menu_timeout.unwrap_or(MENU_TIMEOUT),
            append: self.append.clone().unwrap_or_default(),
        }
    }

    /// What starts by itself.
    pub fn default_choice(&self) -> Choice {
        choice(self.default_entry.as_deref())
    }

    /// Chooses what starts by itself.
    pub fn choose_default(&mut self, choice: Choice) {
        self.default_entry = match choice {
            Choice::Local => None,
            Choice::Entry(id) => Some(id),
            Choice::Position(position) => Some(position.to_string()),
        };
    }

    /// Moves an entry up (`by` is negative) or down in the menu, hidden ones counted. `items` are those of
    /// [`Settings::items`], here and below.
    pub fn move_entry(&mut self, id: &str, by: isize, items: &[Item]) {
        self.pin_default(items);
        let mut edits = self.edits(items);
        if let Some(from) = edits.iter().position(|edit| edit.id == id) {
            shift(&mut edits, from, by);
            self.keep(edits, items);
        }
    }

    /// Gives an entry another title; a blank one, or its own, gives it back its own.
    pub fn set_title(&mut self, id: &str, title: &str, items: &[Item]) {
        let own = items.iter().any(|item| item.id == id && item.entry.title == title);
        let title = (!own && !title.trim().is_empty()).then(|| title.to_owned());
        self.edit(id, items, |edit| edit.title = title);
    }

    /// Gives an entry more kernel arguments.
    pub fn set_append(&mut self, id: &str, append: &str, items: &[Item]) {
        let append = (!append.trim().is_empty()).then(|| append.to_owned());
        self.edit(id, items, |edit| edit.append = append);
    }

    /// Leaves an entry out of the menu, or puts it back. Returns the default, where that was it.
    pub fn set_hidden(&mut self, id: &str, hidden: bool, items: &[Item]) -> Option<String> {
        self.pin_default(items);
        self.edit(id, items, |edit| edit.hidden = hidden);
        self.default_entry.take_if(|default| hidden && default == id)
    }

    /// Lets an entry start once on each computer, or each time.
    pub fn set_once(&mut self, id: &str, once: bool, items: &[Item]) {
        self.edit(id, items, |edit| edit.once = once);
    }

    /// Gives an entry a password, of which only this is kept, or takes it away.
    pub fn set_password(&mut self, id: &str, hash: Option<Hash>, items: &[Item]) {
        self.edit(id, items, |edit| edit.password_hash = hash);
    }

    fn edit(&mut self, id: &str, items: &[Item], change: impl FnOnce(&mut Edit)) {
        let mut edits = self.edits(items);
        if let Some(edit) = edits.iter_mut().find(|edit| edit.id == id) {
            change(edit);
            self.keep(edits, items);
        }
    }

    /// One edit for each entry, in the order of the menu.
    fn edits(&self, items: &[Item]) -> Vec<Edit> {
        let said = |item: Item| menu::edit_of(&self.entry, &item.id).cloned().unwrap_or_else(|| Edit::of(item.id));
        menu::ordered(items.to_vec(), &self.entry).into_iter().map(said).collect()
    }

    /// Keeps of such edits those that say something: the last ones say nothing where entries would follow in the same
    /// order by themselves. What is said about entries that are not there now stays behind them.
    fn keep(&mut self, mut edits: Vec<Edit>, items: &[Item]) {
        let place = |edit: &Edit| items.iter().position(|item| item.id == edit.id);
        let mut next = None;
        let follows = |edit: &Edit, next: Option<usize>| next.is_none_or(|next| place(edit) < Some(next));
        while let Some(last) = edits.pop_if(|edit| *edit == Edit::of(&*edit.id) && follows(edit, next)) {
            next = place(&last);
        }
        let absent = std::mem::take(&mut self.entry).into_iter().filter(|edit| place(edit).is_none());
        self.entry = edits.into_iter().chain(absent).collect();
    }

    /// A default that is a position becomes the entry that stands there, before others move to that place.
    fn pin_default(&mut self, items: &[Item]) {
        if let Choice::Position(position) = self.default_choice() {
            let menu = menu::arrange(items.to_vec(), &self.entry);
            let meant = position.checked_sub(1).and_then(|at| menu.into_iter().nth(at));
            self.default_entry = meant.map(|item| item.id).or(self.default_entry.take());
        }
    }

    fn inspected<'a>(&self, inspections: &'a [Inspection]) -> Vec<&'a Inspection> {
        let of = |path: &PathBuf| inspections.iter().find(|inspection| inspection.path == *path);
        self.image.iter().filter_map(of).collect()
    }

    /// Whose entry each id is.
    fn owners(&self, inspections: &[Inspection]) -> Vec<(String, Owner)> {
        let images = self.inspected(inspections);
        let own = |image: &&Inspection| {
            let path = image.path.clone();
            image.entries.iter().map(move |entry| (path.clone(), entry.id.clone())).collect::<Vec<_>>()
        };
        let items = menu::items(images.iter().copied());
        items.into_iter().map(|item| item.id).zip(images.iter().flat_map(own)).collect()
    }

    /// Changes the list of images, and renames what is said about their entries. Returns the default that went.
    fn reorder(&mut self, inspections: &[Inspection], change: impl FnOnce(&mut Vec<PathBuf>)) -> Option<String> {
        let before = self.items(inspections);
        self.pin_default(&before);
        let edits = self.edits(&before);
        let by_hand = edits.iter().zip(&before).any(|(edit, item)| edit.id != item.id);
        let owners: BTreeMap<String, Owner> = self.owners(inspections).into_iter().collect();
        change(&mut self.image);
        let ids: BTreeMap<Owner, String> =
            self.owners(inspections).into_iter().map(|(id, owner)| (owner, id)).collect();
        let renamed = |id: &str| owners.get(id).and_then(|owner| ids.get(owner)).cloned();

        let mut seen = BTreeSet::new();
        let edits = edits.into_iter().filter_map(|edit| Some(Edit { id: renamed(&edit.id)?, ..edit }));
        // An image that is listed twice has one name for both of its places.
        let mut edits: Vec<Edit> = edits.filter(|edit| seen.insert(edit.id.clone())).collect();
        let after = self.items(inspections);
        if !by_hand {
            edits.sort_by_cached_key(|edit| after.iter().position(|item| item.id == edit.id));
        }
        self.entry.retain(|edit| !owners.contains_key(&edit.id));
        self.keep(edits, &after);

        self.answers.rename(|id| if owners.contains_key(id) { renamed(id) } else { Some(id.to_owned()) });
        let default = self.default_entry.take_if(|default| owners.contains_key(default))?;
        self.default_entry = renamed(&default);
        if self.default_entry.is_none() { Some(default) } else { None }
    }

    /// Removes an image that was not inspected. Its kind is not known, so ids of entries behind it may have counted it:
    /// what was said about those goes. Rather a title is lost than that a system gets the arguments of another one.
    fn remove_unread(&mut self, path: &Path, inspections: &[Inspection]) -> Option<String> {
        let place = self.image.iter().position(|image| image == path)?;
        let behind = self.image.split_off(place);
        let certain: BTreeSet<String> = self.items(inspections).into_iter().map(|item| item.id).collect();
        self.image.extend(behind.into_iter().filter(|image| image != path));
        self.entry.retain(|edit| certain.contains(&edit.id));
        self.answers.rename(|id| certain.contains(id).then(|| id.to_owned()));
        self.default_entry.take_if(|default| match choice(Some(default.as_str())) {
            Choice::Local => false,
            Choice::Entry(id) => !certain.contains(&id),
            Choice::Position(_) => true,
        })
    }
}

/// Moves one thing in a list, at most to its ends.
fn shift<T>(list: &mut Vec<T>, from: usize, by: isize) {
    let to = from.saturating_add_signed(by).min(list.len().saturating_sub(1));
    let thing = list.remove(from);
    list.insert(to, thing);
}

#[cfg(test)]
mod tests {
    use super::super::tests::{bench, places};
    use super::*;
    use crate::boot::menu::tests::inspection;

    const D12: &str = "/d12.iso";
    const ARCH: &str = "/arch.iso";
    const D13: &str = "/d13.iso";

    /// Two Debians with an Arch between them, inspected in another order than they are listed.
    fn three() -> (Settings, Vec<Inspection>) {
        let settings = Settings { image: [D12, ARCH, D13].map(PathBuf::from).to_vec(), ..Settings::default() };
        let debian = |path| inspection(path, "debian", &["", "-text"]);
        (settings, vec![debian(D13), debian(D12), inspection(ARCH, "arch", &[""])])
    }

    /// The menu's ids in order, with a title or arguments of their own behind them.
    fn seen(settings: &Settings, inspections: &[Inspection]) -> Vec<String> {
        let own = settings.items(inspections);
        let title = |id: &str| own.iter().find(|item| item.id == id).map(|item| item.entry.title.clone());
        let line = |item: Item| {
            let other = title(&item.id).filter(|title| *title != item.entry.title).map(|_| item.entry.title.as_str());
            [item.id.as_str(), other.unwrap_or(""), &item.append].join(" ").trim().to_owned()
        };
        settings.menu(inspections).items.into_iter().map(line).collect()
    }

    fn named(settings: &Settings) -> Vec<&str> {
        settings.entry.iter().map(|edit| edit.id.as_str()).collect()
    }

    #[test]
    fn a_range_goes_with_the_network_it_was_for() {
        let mut settings = Settings::default();
        let mut choose = |interface, mode, range| {
            let cleared = settings.choose_network(interface, mode, range);
            assert_eq!((settings.interface.as_deref(), settings.dhcp), (Some(interface), Some(mode)));
            (cleared.unwrap_or_default(), settings.range.clone().unwrap_or_default())
        };
        let expect = |cleared: &str, range: &str| (cleared.to_owned(), range.to_owned());
        assert_eq!(choose("eth0", DhcpMode::Full, Some(" 10.77.0.5-10.77.0.9 ")), expect("", "10.77.0.5-10.77.0.9"));
        assert_eq!(choose("eth0", DhcpMode::Full, Some("10.77.0.6-10.77.0.9")), expect("", "10.77.0.6-10.77.0.9"));
        assert_eq!(choose("eth1", DhcpMode::Full, None), expect("10.77.0.6-10.77.0.9", ""));
        assert_eq!(choose("eth1", DhcpMode::Full, Some(" ")), expect("", ""));
        assert_eq!(choose("eth1", DhcpMode::Full, Some("10.77.0.6-10.77.0.9")), expect("", "10.77.0.6-10.77.0.9"));
        assert_eq!(choose("eth1", DhcpMode::Proxy, Some("a-b")), expect("10.77.0.6-10.77.0.9", ""));
    }

    #[test]
    fn images_are_added_once_and_in_order() {
        let (mut settings, _) = three();
        let twice = settings.add_images(["/new.iso", ARCH, "/a.iso", "/new.iso"].map(PathBuf::from));
        assert_eq!(twice, [ARCH, "/new.iso"].map(PathBuf::from));
        assert_eq!(settings.image, [D12, ARCH, D13, "/new.iso", "/a.iso"].map(PathBuf::from));
    }

    #[test]
    fn what_was_said_follows_its_image_when_another_is_removed() {
        let (mut settings, inspections) = three();
        let items = settings.items(&inspections);
        settings.set_title("debian", "Old", &items);
        settings.set_title("debian-2", "New", &items);
        settings.set_append("debian-2-text", "quiet", &items);
        settings.choose_default(Choice::Entry("debian-2-text".into()));
        assert_eq!(settings.remove_image(Path::new(D12), &inspections), None);
        assert_eq!(seen(&settings, &inspections), ["arch", "debian New", "debian-text  quiet"]);
        assert_eq!(settings.default_choice(), Choice::Entry("debian-text".into()));
        assert_eq!(settings.remove_image(Path::new(D13), &inspections).as_deref(), Some("debian-text"));
        assert_eq!((seen(&settings, &inspections), settings.default_choice()), (vec!["arch".into()], Choice::Local));
        assert!(settings.entry.is_empty());
        settings.add_images([PathBuf::from(D12)]);
        assert_eq!(seen(&settings, &inspections), ["arch", "debian", "debian-text"], "nothing comes back");
    }

    #[test]
    fn what_was_said_follows_its_image_when_it_moves() {
        let (mut settings, inspections) = three();
        let items = settings.items(&inspections);
        settings.set_title("debian-2", "New", &items);
        settings.choose_default(Choice::Position(1));
        settings.move_image(Path::new(D13), -5, &inspections);
        assert_eq!(settings.image, [D13, D12, ARCH].map(PathBuf::from));
        let moved = ["debian New", "debian-text", "debian-2", "debian-2-text", "arch"];
        assert_eq!(seen(&settings, &inspections), moved, "the menu follows");
        assert_eq!(settings.default_choice(), Choice::Entry("debian-2".into()), "the entry that was the first");
        settings.move_entry("arch", -9, &settings.items(&inspections));
        settings.move_image(Path::new(ARCH), -1, &inspections);
        settings.move_image(Path::new("/none.iso"), -1, &inspections);
        let kept = ["arch", "debian New", "debian-text", "debian-2", "debian-2-text"];
        assert_eq!(seen(&settings, &inspections), kept, "an order made by hand stays");
    }

    #[test]
    fn an_image_that_cannot_be_read_takes_along_what_may_have_been_its_own() {
        let (mut settings, mut inspections) = three();
        let items = settings.items(&inspections);
        for (id, title) in [("debian", "Old"), ("arch", "Arch"), ("debian-2", "New")] {
            settings.set_title(id, title, &items);
        }
        settings.choose_default(Choice::Entry("debian".into()));
        inspections.retain(|inspection| inspection.path != Path::new(ARCH));
        let before = settings.clone();
        assert_eq!(settings.remove_image(Path::new("/none.iso"), &inspections), None);
        assert_eq!(settings, before);
        assert_eq!(settings.remove_image(Path::new(ARCH), &inspections), None);
        assert_eq!(settings.image, [D12, D13].map(PathBuf::from));
        assert_eq!(named(&settings), ["debian", "debian-text"], "only what stands before it is certain");
        assert_eq!(seen(&settings, &inspections), ["debian Old", "debian-text", "debian-2", "debian-2-text"]);
        inspections.retain(|inspection| inspection.path != Path::new(D12));
        let mut by_position = Settings { default_entry: Some("1".into()), ..settings.clone() };
        assert_eq!(by_position.remove_image(Path::new(D12), &inspections).as_deref(), Some("1"));
        assert_eq!(settings.remove_image(Path::new(D12), &inspections).as_deref(), Some("debian"));
        assert_eq!(seen(&settings, &inspections), ["debian", "debian-text"]);
    }

    #[test]
    fn entries_move_and_only_what_is_needed_is_kept() {
        let (mut settings, inspections) = three();
        let items = settings.items(&inspections);
        settings.choose_default(Choice::Position(2));
        settings.move_entry("debian-text", 1, &items);
        let expected = ["debian", "arch", "debian-text", "debian-2", "debian-2-text"];
        assert_eq!(seen(&settings, &inspections), expected);
        assert_eq!(named(&settings), ["debian", "arch"]);
        assert_eq!(settings.default_choice(), Choice::Entry("debian-text".into()), "not another at its position");
        settings.move_entry("debian-text", -1, &items);
        assert!(settings.entry.is_empty());
        settings.move_entry("debian-2", 9, &items);
        assert_eq!(seen(&settings, &inspections), ["debian", "debian-text", "arch", "debian-2-text", "debian-2"]);
        settings.choose_default(Choice::Position(9));
        settings.move_entry("none", 1, &items);
        assert_eq!(settings.default_choice(), Choice::Position(9), "a mistake stays one, to be told");
        assert_eq!(seen(&settings, &inspections).len(), 5);
    }

    #[test]
    fn only_what_differs_from_the_image_is_kept_and_no_entry_changes_its_place() {
        let (mut settings, inspections) = three();
        let items = settings.items(&inspections);
        let own = items[2].entry.title.clone();
        settings.set_title("arch", "Arch, for the lab ", &items);
        assert_eq!(named(&settings), ["debian", "debian-text", "arch"], "those before it keep it at its place");
        assert_eq!(seen(&settings, &inspections)[2], "arch Arch, for the lab");
        settings.set_append("debian-text", " toram", &items);
        settings.set_title("arch", &own, &items);
        assert_eq!(named(&settings), ["debian", "debian-text"]);
        settings.set_append("debian-text", " ", &items);
        settings.set_title("arch", " ", &items);
        settings.set_title("none", "x", &items);
        assert!(settings.entry.is_empty());
    }

    #[test]
    fn a_hidden_default_is_dropped_and_another_one_stays() {
        let (mut settings, inspections) = three();
        let items = settings.items(&inspections);
        settings.choose_default(Choice::Position(3));
        assert_eq!(settings.set_hidden("debian", true, &items), None);
        assert_eq!(settings.default_choice(), Choice::Entry("arch".into()), "it is the second now");
        assert_eq!(seen(&settings, &inspections), ["debian-text", "arch", "debian-2", "debian-2-text"]);
        assert_eq!(settings.set_hidden("arch", true, &items).as_deref(), Some("arch"));
        assert_eq!(settings.default_choice(), Choice::Local);
        assert_eq!(settings.set_hidden("arch", false, &items), None);
        assert_eq!(settings.set_hidden("debian", false, &items), None);
        assert!(settings.entry.is_empty());
        settings.choose_default(Choice::Entry("arch".into()));
        settings.choose_default(Choice::Local);
        assert_eq!(settings.default_entry, None);
    }

    #[test]
    fn what_is_said_of_entries_that_are_not_there_stays() {
        let (mut settings, inspections) = three();
        let absent = Edit { title: Some("Later".into()), ..Edit::of("ubuntu") };
        settings.entry = vec![absent.clone()];
        settings.set_title("arch", "Arch", &settings.items(&inspections));
        assert_eq!(named(&settings), ["debian", "debian-text", "arch", "ubuntu"]);
        settings.remove_image(Path::new(ARCH), &inspections);
        assert_eq!(settings.entry, [absent]);
    }

    #[test]
    fn an_image_that_is_listed_twice_does_no_harm() {
        let (mut settings, inspections) = three();
        settings.image.push(D12.into());
        let items = settings.items(&inspections);
        settings.set_title("debian", "Once", &items);
        settings.set_title("debian-3", "Twice", &items);
        settings.move_image(Path::new(ARCH), 1, &inspections);
        let ids: BTreeSet<&str> = named(&settings).into_iter().collect();
        assert_eq!(ids.len(), settings.entry.len());
        settings.remove_image(Path::new(D12), &inspections);
        assert_eq!(settings.image, [D13, ARCH].map(PathBuf::from));
    }

    #[test]
    fn the_window_shows_the_menu_that_is_served() {
        let (mut settings, inspections) = three();
        settings.choose_network("eth0", DhcpMode::Proxy, None);
        settings.append = Some("quiet".into());
        settings.choose_default(Choice::Position(2));
        let items = settings.items(&inspections);
        settings.set_title("debian-2", "New", &items);
        settings.move_entry("arch", 9, &items);
        let plan = settings.clone().plan(&bench("10.77.0.1/24"), places()).expect("a plan");
        // The engine inspects in the order of the list.
        let listed: Vec<Inspection> = settings.inspected(&inspections).into_iter().cloned().collect();
        assert_eq!(plan.menu(&listed), settings.menu(&inspections));
    }
}
