//! Which computers have begun which entries, where those start once: an unattended installation must not begin again and
//! again.

use serde::{Deserialize, Serialize};

use super::tree::Role;
use crate::mac::Mac;

/// The file that keeps it, in the folder for state.
pub const FILE: &str = "once.json";
/// Most computers that are kept; the one that began something longest ago goes first.
const MAX_COMPUTERS: usize = 4096;
/// Most entries of one computer.
const MAX_ENTRIES: usize = 64;

/// What is kept from run to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The computers, the one that began something last at the end.
    #[serde(default)]
    pub computers: Vec<Begun>,
}

/// What one computer began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// Its hardware address.
    pub mac: Mac,
    /// The [names](Watched::name) of the entries.
    pub entries: Vec<String>,
}

/// What changes in it. Services that share a state folder write changes alone, so that none undoes what another wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A computer began an entry.
    Began(Mac, String),
    /// A computer is forgotten.
    Forgotten(Mac),
}

impl Kept {
    /// Makes a change.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Began(mac, entry) => self.begin(*mac, entry),
            Change::Forgotten(mac) => self.forget(*mac),
        };
    }

    /// Keeps that a computer began an entry. Whether that is new.
    pub fn begin(&mut self, mac: Mac, entry: &str) -> bool {
        if self.has(mac, entry) {
            return false;
        }
        let at = self.computers.iter().position(|computer| computer.mac == mac);
        let mut computer = match at {
            Some(at) => self.computers.remove(at),
            None => Begun { mac, entries: Vec::new() },
        };
        computer.entries.push(entry.to_owned());
        let over = computer.entries.len().saturating_sub(MAX_ENTRIES);
        computer.entries.drain(..over);
        self.computers.push(computer);
        let over = self.computers.len().saturating_sub(MAX_COMPUTERS);
        self.computers.drain(..over);
        true
    }

    /// Whether a computer began an entry.
    pub fn has(&self, mac: Mac, entry: &str) -> bool {
        self.computers.iter().any(|computer| computer.mac == mac && computer.entries.iter().any(|own| own == entry))
    }

    /// Forgets a computer. Whether there was something to forget.
    pub fn forget(&mut self, mac: Mac) -> bool {
        let before = self.computers.len();
        self.computers.retain(|computer| computer.mac != mac);
        self.computers.len() != before
    }
}

/// An entry that starts once, as it is known by what computers fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Its id in the menu.
    pub id: String,
    /// The image's id in the served tree.
    pub image: String,
    /// By what it is kept: its id, and what tells the image from another one that is called the same.
    pub name: String,
}

impl Watched {
    /// Whether this is how the entry begins: the first whole file of its image, or any part of the whole image, which is
    /// read as a disk. `file` is its path in the served tree.
    pub fn begins_by(&self, role: Option<Role>, file: &str, whole: bool) -> bool {
        let below = |folder: &str| {
            let rest = file.trim_start_matches('/').strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
            rest.and_then(|rest| rest.split('/').next())
        };
        let own = match role {
            Some(Role::Disc) => return below("image").and_then(|name| name.strip_suffix(".iso")) == Some(&self.image),
            Some(Role::Kernel | Role::Initrd | Role::Content) => whole,
            _ => false,
        };
        own && [below("image"), below("unpacked")].contains(&Some(&self.image))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mac(last: u16) -> Mac {
        let [high, low] = last.to_be_bytes();
        Mac([2, 0, 0, 0, high, low])
    }

    #[test]
    fn what_began_is_kept_until_it_is_forgotten() {
        let mut kept = Kept::default();
        assert!(kept.begin(mac(1), "a") && kept.begin(mac(1), "b") && kept.begin(mac(2), "a"));
        assert!(!kept.begin(mac(1), "a"), "nothing new");
        assert!(kept.has(mac(1), "b") && !kept.has(mac(2), "b") && !kept.has(mac(3), "a"));
        let text = serde_json::to_string(&kept).expect("text");
        assert_eq!(serde_json::from_str::<Kept>(&text).expect("kept"), kept);
        assert!(kept.forget(mac(1)) && !kept.forget(mac(1)));
        assert!(!kept.has(mac(1), "a") && kept.has(mac(2), "a"));
    }

    #[test]
    fn changes_add_up() {
        let mut kept = Kept::default();
        for change in [Change::Began(mac(1), "a".into()), Change::Began(mac(1), "b".into()), Change::Forgotten(mac(2))]
        {
            kept.apply(&change);
            kept.apply(&change);
        }
        assert_eq!(kept.computers, [Begun { mac: mac(1), entries: vec!["a".into(), "b".into()] }]);
        kept.apply(&Change::Forgotten(mac(1)));
        assert_eq!(kept, Kept::default());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut kept = Kept::default();
        for number in 0..MAX_COMPUTERS as u16 + 10 {
            kept.begin(mac(number), "a");
        }
        assert_eq!(kept.computers.len(), MAX_COMPUTERS);
        assert!(!kept.has(mac(9), "a") && kept.has(mac(10), "a"));
        for number in 0..=MAX_ENTRIES {
            kept.begin(mac(1), &number.to_string());
        }
        assert!(!kept.has(mac(1), "0") && kept.has(mac(1), "1"));
    }

    #[test]
    fn an_entry_begins_by_the_first_whole_file_of_its_image() {
        let watched = Watched { id: "debian".into(), image: "debian".into(), name: "debian 1 d.iso".into() };
        let cases = [
            (Some(Role::Kernel), "image/debian/vmlinuz", true, true),
            (Some(Role::Kernel), "/image/debian/vmlinuz", true, true),
            (Some(Role::Kernel), "image/debian/vmlinuz", false, false),
            (Some(Role::Content), "image/debian/sources/boot.wim", true, true),
            (Some(Role::Initrd), "unpacked/debian/boot/xen.gz", true, true),
            (Some(Role::Kernel), "image/debian-2/vmlinuz", true, false),
            (Some(Role::Disc), "image/debian.iso", false, true),
            (Some(Role::Disc), "image/debian-2.iso", true, false),
            (Some(Role::Loader), "wimboot", true, false),
            (Some(Role::Script), "start/debian", true, false),
            (Some(Role::File), "files/image/debian/x", true, false),
            (None, "image/debian/vmlinuz", true, false),
        ];
        for (role, file, whole, expected) in cases {
            assert_eq!(watched.begins_by(role, file, whole), expected, "{role:?} {file} {whole}");
        }
    }
}
