//! What the two kinds of scripts come to: files that are fetched, and how it ends.

use serde::{Deserialize, Serialize};

/// What is wrong with a script. Lines are counted from 1; names are foreign text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "wrong", rename_all = "kebab-case")]
pub enum Wrong {
    /// It does not begin as a script does.
    NoScript,
    /// A command that is not known here.
    UnknownCommand {
        /// Where.
        line: usize,
        /// Which.
        command: String,
    },
    /// Something that the loader knows nothing of.
    UnknownSetting {
        /// Where.
        line: usize,
        /// Which.
        name: String,
    },
    /// A jump or an item leads to a place that is not there.
    NoLabel {
        /// Where; 0 where it is not in the script.
        line: usize,
        /// Its name.
        label: String,
    },
    /// A name stands for two places.
    LabelTwice {
        /// Where the second one is.
        line: usize,
        /// The name.
        label: String,
    },
    /// It never comes to an end.
    Circles {
        /// Where it was left.
        line: usize,
    },
    /// A quote or a block is not closed, or a word stands where none may.
    Unbalanced {
        /// Where.
        line: usize,
    },
}

/// What a file is fetched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// A kernel, or what starts in place of one.
    Kernel,
    /// An initrd or a module.
    Initrd,
    /// A program, or another script.
    Program,
    /// What starts a kernel with Secure Boot on; it goes without.
    Shim,
    /// A whole image.
    Disc,
    /// What the kernel's arguments name.
    Argument,
}

/// A file that a script fetches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// What for.
    pub part: Part,
    /// Where it is, as the script says.
    pub url: String,
    /// What it is started with.
    pub arguments: String,
}

/// How a script ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// What was fetched starts.
    Boot,
    /// The program that was fetched last starts.
    Program {
        /// Where iPXE tells it that its script is.
        root_path: Option<String>,
    },
    /// The computer's own disk starts.
    OwnDisk,
    /// The menu is shown.
    Menu,
    /// The computer restarts, once this script was fetched.
    Restart {
        /// Where that is.
        script: String,
    },
    /// The firmware goes on.
    #[default]
    Firmware,
}

/// What comes of a script if all that it fetches is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Play {
    /// What is fetched, in that order.
    pub fetches: Vec<Fetch>,
    /// What is shown to a person.
    pub said: Vec<String>,
    /// How it ends.
    pub end: End,
}
