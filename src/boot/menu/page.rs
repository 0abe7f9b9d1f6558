//! What a computer shows instead of its menu: that the technician is asked about it first, or has refused it.

use super::super::approval::Code;
use super::{Default, Menu, Place};

/// How often a computer that waits asks again, in seconds.
pub(super) const AGAIN: u32 = 3;

/// What stands instead of the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// The code under which it is approved. The computer asks again by itself.
    Wait(Code),
    /// So many wait already that it gets no code yet. It asks again by itself.
    Crowded,
    /// It was refused. It goes on to its own disk by itself.
    Refused,
}

impl Page {
    /// What stands on the screen: nothing in it is for a script to take for something else.
    pub(super) fn lines(self, place: &Place) -> Vec<String> {
        let server = place.server;
        match self {
            Page::Wait(code) => vec![
                String::new(),
                format!("Bootwright on {server} does not know this computer, and asks about it first."),
                format!("Code {code}: approve it there, in the window or with: bootwright approve {code}"),
            ],
            Page::Crowded => vec![
                String::new(),
                format!("Bootwright on {server} does not know this computer, and asks about it first."),
                "Too many computers wait. This one gets its code when others are gone.".to_owned(),
            ],
            Page::Refused => vec![
                String::new(),
                format!("Bootwright on {server}: this computer was refused, and starts its own disk."),
            ],
        }
    }
}

/// A menu with nothing but the own disk, which starts at once.
pub(super) fn own_disk() -> Menu {
    Menu { items: Vec::new(), default: Default::Local, timeout: 0, append: String::new() }
}
