//! Answer files: what an unattended installation asks, answered for one computer.
//!
//! An answer file is a template. It is [read and checked](Answers::load) when it is chosen, [filled in](Answers::render)
//! for the computer that asks, and fetched under [one-time URLs](tickets). Answer files hold passwords, and anybody on
//! the network may ask (SECURITY S19): texts and tokens never show in `Debug` output or errors, and [`preview`] shows a
//! filled-in file without its secrets.
//!
//! Nothing is served here, and files are read in [`Answers::load`] alone.

mod autoinstall;
mod autoyast;
pub mod fault;
pub mod hostname;
mod kickstart;
pub mod kind;
mod library;
pub mod load;
mod preseed;
pub mod preview;
pub mod roster;
mod settings;
pub mod template;
pub mod tickets;
mod unattend;
mod xml;
mod yaml;

use std::fmt;
use std::net::Ipv4Addr;

use crate::image::AnswerKind;
use crate::mac::Mac;

pub use fault::{Fault, Severity};
pub use hostname::Counters;
pub use kind::{check, recognise};
pub use library::{Answers, sample_computer, sample_place};
pub use load::AnswerError;
pub use roster::Roster;
pub use settings::{ForComputer, Settings};
pub use tickets::{Part, Tickets};

/// The computer that asks, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Computer {
    /// Its network card.
    pub mac: Mac,
    /// Its address.
    pub ip: Option<Ipv4Addr>,
    /// Its SMBIOS UUID.
    pub uuid: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Its product name.
    pub product: Option<String>,
}

/// Where the services and the image of the entry are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Our address.
    pub server: Ipv4Addr,
    /// The tree of the image, without slash at its end.
    pub base_url: String,
    /// The image itself.
    pub iso_url: String,
}

/// A file filled in for one computer. Its text is for that computer alone: `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// What the computer gets.
    pub text: String,
    /// What kind of file it is.
    pub kind: AnswerKind,
    /// Whether passwords or keys are in it.
    pub secret: bool,
    /// Where they are, in bytes: sorted, and none touches another.
    hidden: Vec<std::ops::Range<usize>>,
}

impl Rendered {
    fn new(text: String, kind: AnswerKind, hidden: Vec<std::ops::Range<usize>>) -> Rendered {
        Rendered { text, kind, secret: !hidden.is_empty(), hidden }
    }

    /// The text with dots for its secrets, to show.
    pub fn preview(&self) -> String {
        preview::masked(&self.text, &self.hidden)
    }
}

impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rendered { text, kind, secret, .. } = self;
        f.debug_struct("Rendered")
            .field("kind", kind)
            .field("bytes", &text.len())
            .field("secret", secret)
            .finish_non_exhaustive()
    }
}
