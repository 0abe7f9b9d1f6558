//! How a computer leaves its menu for its own disk, as its iPXE says on the way.
//!
//! iPXE does not tell its script whether a person chose or the time ran out. So the script says what the menu would have
//! done by itself and when, and whoever knows when the menu was fetched sees which it was. GRUB has no way to say it: a
//! request that nobody answers keeps it for half a minute (40 tries, `grub-core/net/tftp.c` of 2.06), and a laptop that is
//! gone must not hold up a start.

use serde::{Deserialize, Serialize};

use super::{Asker, Menu, made};

/// How a menu leads to the own disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leave {
    /// Something else starts by itself, or nothing: a person chose the own disk.
    Chosen,
    /// It starts by itself after so many seconds, unless a person chooses.
    After(u32),
    /// The same, since what starts once was begun before.
    Done(u32),
    /// The computer was refused.
    Refused,
}

impl Leave {
    /// How the menu of a computer does.
    pub(super) fn of(menu: &Menu, asker: Asker) -> Leave {
        match (menu.chosen(asker), menu.wanted(asker)) {
            (Some(_), _) => Leave::Chosen,
            (None, Some(wanted)) if wanted.guard.done => Leave::Done(menu.timeout),
            (None, _) => Leave::After(menu.timeout),
        }
    }

    /// The path that says so.
    pub(super) fn path(self) -> String {
        let word = match self {
            Leave::Chosen => "chosen".to_owned(),
            Leave::After(seconds) => format!("after-{seconds}"),
            Leave::Done(seconds) => format!("done-{seconds}"),
            Leave::Refused => "refused".to_owned(),
        };
        format!("{}/{word}", made::OWN_DISK)
    }

    /// What such a path says.
    pub fn of_path(path: &str) -> Option<Leave> {
        match path.strip_prefix(made::OWN_DISK)?.strip_prefix('/')? {
            "chosen" => Some(Leave::Chosen),
            "refused" => Some(Leave::Refused),
            word => {
                let (kind, seconds) = word.split_once('-')?;
                let seconds = seconds.parse().ok()?;
                match kind {
                    "after" => Some(Leave::After(seconds)),
                    "done" => Some(Leave::Done(seconds)),
                    _ => None,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Default as Choice;
    use super::super::scripts::{item, menu};
    use super::*;
    use crate::image::{Boot, Category};

    #[test]
    fn a_path_says_what_the_menu_does_by_itself() {
        for leave in [Leave::Chosen, Leave::After(30), Leave::Done(0), Leave::Refused] {
            assert_eq!(Leave::of_path(&leave.path()), Some(leave));
        }
        for path in ["own-disk", "own-disk/", "own-disk/after", "own-disk/after-x", "own-disk/x-1", "x/chosen"] {
            assert_eq!(Leave::of_path(path), None, "{path}");
        }
        let of = |default, done| {
            let mut entry = item("a", Category::Live, Boot::Linux);
            (entry.guard.once, entry.guard.done) = (true, done);
            Leave::of(&Menu { default, ..menu(vec![entry]) }, Asker::ANYBODY)
        };
        assert_eq!(of(Choice::Local, true), Leave::After(30));
        assert_eq!(of(Choice::Entry("a".into()), false), Leave::Chosen);
        assert_eq!(of(Choice::Entry("a".into()), true), Leave::Done(30));
    }
}
