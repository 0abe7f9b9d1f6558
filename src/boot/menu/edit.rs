//! What the user changes about a menu: order, titles, what is left out, kernel arguments of a single entry.

use serde::{Deserialize, Serialize};

use super::{Guard, Item};
use crate::boot::password::Hash;
pub use crate::unknown::Unknown;

/// What the user said about one entry. The order of edits is the order of the menu.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Edit {
    /// The entry's id.
    pub id: String,
    /// Another title; a blank one counts as none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// More kernel arguments for this entry, after those for each entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub append: Option<String>,
    /// Whether the menu leaves it out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// Whether it starts once: after it began on a computer, that computer's menu falls to its own disk.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub once: bool,
    /// What is kept of the password that it asks for, as `bootwright password` makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<Hash>,
    /// What only a newer program understands; it is kept in the file.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Edit {
    /// What is said of the entry with this id before anything is said.
    pub fn of(id: impl Into<String>) -> Edit {
        Edit { id: id.into(), ..Edit::default() }
    }

    /// Without what only a newer program understands.
    pub fn known(self) -> Edit {
        Edit { unknown: Unknown::default(), ..self }
    }

    fn apply(&self, item: &mut Item) {
        if let Some(title) = self.title.as_deref().map(str::trim).filter(|title| !title.is_empty()) {
            item.entry.title = title.to_owned();
        }
        item.append = self.append.clone().unwrap_or_default();
        item.guard = Guard { once: self.once, password: self.password_hash.clone(), done: false };
    }
}

/// The entries of a menu, in its order and with its titles.
pub fn arrange(items: Vec<Item>, edits: &[Edit]) -> Vec<Item> {
    let hidden = |item: &Item| edit_of(edits, &item.id).is_some_and(|edit| edit.hidden);
    ordered(items, edits).into_iter().filter(|item| !hidden(item)).collect()
}

/// The same with those that are left out, at their places: for whoever edits the menu. Entries that no edit names
/// follow in the order of their images; edits of entries that are not there do nothing.
pub fn ordered(mut items: Vec<Item>, edits: &[Edit]) -> Vec<Item> {
    let place = |item: &Item| edits.iter().position(|edit| edit.id == item.id).unwrap_or(edits.len());
    items.sort_by_cached_key(place);
    for item in &mut items {
        if let Some(edit) = edit_of(edits, &item.id) {
            edit.apply(item);
        }
    }
    items
}

/// What was said about an entry.
pub fn edit_of<'a>(edits: &'a [Edit], id: &str) -> Option<&'a Edit> {
    edits.iter().find(|edit| edit.id == id)
}

#[cfg(test)]
mod tests {
    use super::super::{items, tests::inspection};
    use super::*;

    fn ids(items: &[Item]) -> Vec<&str> {
        items.iter().map(|item| item.id.as_str()).collect()
    }

    fn three() -> Vec<Item> {
        items(&[inspection("/a.iso", "arch", &[""]), inspection("/d.iso", "debian", &["", "-text"])])
    }

    #[test]
    fn named_entries_come_first_in_the_order_of_their_edits() {
        let cases: [(&[&str], [&str; 3]); 5] = [
            (&[], ["arch", "debian", "debian-text"]),
            (&["debian"], ["debian", "arch", "debian-text"]),
            (&["debian-text", "debian"], ["debian-text", "debian", "arch"]),
            (&["gone", "debian"], ["debian", "arch", "debian-text"]),
            (&["arch"], ["arch", "debian", "debian-text"]),
        ];
        for (named, expected) in cases {
            let edits: Vec<Edit> = named.iter().map(|id| Edit::of(*id)).collect();
            assert_eq!(ids(&arrange(three(), &edits)), expected, "{named:?}");
        }
    }

    #[test]
    fn titles_and_arguments_are_put_in_and_blank_titles_are_none() {
        let edits = [
            Edit { title: Some(" For the lab ".into()), append: Some("quiet".into()), ..Edit::of("debian") },
            Edit { title: Some(" \t".into()), ..Edit::of("arch") },
        ];
        let arranged = arrange(three(), &edits);
        let seen: Vec<_> = arranged.iter().map(|item| (item.entry.title.as_str(), item.append.as_str())).collect();
        assert_eq!(seen, [("For the lab", "quiet"), ("arch of arch", ""), ("debian-text of debian", "")]);
    }

    #[test]
    fn a_hidden_entry_is_left_out_and_keeps_its_place_for_the_editor() {
        let edits = [Edit::of("debian"), Edit { hidden: true, ..Edit::of("arch") }];
        assert_eq!(ids(&arrange(three(), &edits)), ["debian", "debian-text"]);
        assert_eq!(ids(&ordered(three(), &edits)), ["debian", "arch", "debian-text"]);
    }
}
