//! The menu that computers see: one model, rendered for each menu language.

pub mod ipxe;

use std::net::Ipv4Addr;

use crate::image::{Entry, Firmware};

/// What may stand behind an entry's name in a script: an image and one of its entries.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    /// Unique in the menu; ours, never the image's own words (SECURITY S16).
    pub id: String,
    /// The image's id: its place in the served tree.
    pub image: String,
    /// The entry, its title for people.
    pub entry: Entry,
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

impl Menu {
    /// The entries that this computer can start.
    pub fn fitting(&self, asker: Asker) -> Vec<&Item> {
        let fits = |item: &&Item| asker.firmware.is_none_or(|firmware| item.entry.firmware.contains(&firmware));
        self.items.iter().filter(fits).collect()
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
    let parts = [line.trim(), append.trim()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
