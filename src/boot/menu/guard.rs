//! What stands before an entry: that it starts once by itself, and a password.

use super::Item;
use crate::boot::password::Hash;

/// What stands before an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Guard {
    /// After it began once on a computer, that computer's menu falls to its own disk.
    pub once: bool,
    /// What a person has to type before it starts.
    pub password: Option<Hash>,
    /// Whether the computer that the menu is for has begun it, where it starts once.
    pub done: bool,
}

impl Guard {
    /// Whether the entry's start is asked of the server when somebody chooses it.
    pub fn asks(&self) -> bool {
        self.once || self.password.is_some()
    }

    /// Whether it may start by itself.
    pub fn starts_by_itself(&self) -> bool {
        !self.done && self.password.is_none()
    }

    /// What stands behind the title, so that people know what they get.
    pub(super) fn words(&self) -> &'static str {
        match (self.done, self.password.is_some()) {
            (true, true) => " (done, password)",
            (true, false) => " (done)",
            (false, true) => " (password)",
            (false, false) => "",
        }
    }
}

/// A title for people: nobody is to start an installation that asks nothing without knowing.
pub(super) fn title(item: &Item, unattended: bool) -> String {
    let unattended = if unattended { " (unattended)" } else { "" };
    format!("{}{unattended}{}", super::ipxe::text(&item.entry.title), item.guard.words())
}
