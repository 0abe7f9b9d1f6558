//! What went wrong at one computer, as far as its own events tell. What it comes from, and what to do, is judged in
//! `check`.

use std::net::Ipv4Addr;

use jiff::Timestamp;

use super::{Event, Note, Stage, Unheeded, What};
use crate::dhcp::{self, Refusal, Silence};
use crate::{http, text, tftp};

/// Longest text kept of a file's name, and of a computer's words, in characters.
const MAX_TEXT: usize = 300;
/// Where the files of images lie in the tree.
const IMAGES: &str = "image/";

/// Something is wrong, and nothing has gone on since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// When it was seen first.
    pub since: Timestamp,
    /// What it is.
    pub fault: Fault,
}

/// What can go wrong; `check::diagnosis` judges it and says it in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It broke a file off, and said why.
    Aborted {
        /// The file.
        file: String,
        /// Bytes that had arrived.
        bytes: u64,
        /// Its words.
        words: String,
    },
    /// It went silent in the middle of a file.
    TimedOut {
        /// The file.
        file: String,
        /// Bytes that had arrived.
        bytes: u64,
        /// Bytes of the whole file.
        size: u64,
    },
    /// It closed the connection in the middle of a file.
    BrokenOff {
        /// The file.
        file: String,
        /// Bytes that were sent.
        bytes: u64,
        /// Bytes to send.
        length: u64,
    },
    /// A file could not be read here.
    ReadFailed {
        /// The file.
        file: String,
        /// What the system said.
        reason: String,
    },
    /// What it needs to go on, its loader, kernel or initrd, is not here.
    Missing {
        /// The file.
        file: String,
    },
    /// It was refused a file.
    FileRefused {
        /// The file.
        file: String,
    },
    /// It has a loader whole, and did not get on with it.
    LoaderRefused {
        /// The loader.
        file: String,
        /// What that means.
        reason: String,
    },
    /// It gets no boot file.
    NoBootFile {
        /// Why, a clause.
        reason: String,
    },
    /// No address is left for it.
    PoolExhausted {
        /// How many addresses the range has.
        size: u64,
    },
    /// It was refused the address that it wanted.
    AddressRefused {
        /// The address.
        address: Ipv4Addr,
        /// Why.
        reason: Refusal,
    },
    /// It was not answered.
    Ignored {
        /// Why.
        reason: Silence,
    },
    /// It does not heed what it is told beside another DHCP server.
    OffersUnheeded {
        /// What it does instead.
        how: Unheeded,
        /// What it was told to boot.
        file: String,
    },
    /// It took the offer of another DHCP server.
    OtherServer {
        /// That server.
        server: Ipv4Addr,
    },
}

/// What overcomes a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Overcome {
    /// It gets a file.
    File,
    /// It gets an address.
    Address,
    /// It is told what to boot.
    BootFile,
    /// It asks for what it was told.
    Question,
}

impl Fault {
    /// The fault that an event tells of, for a computer at this stage that was told to boot `offered`.
    pub(super) fn of(event: &Event, stage: Stage, offered: Option<&str>) -> Option<Fault> {
        match &event.what {
            What::Dhcp(note) => in_dhcp(note),
            What::Tftp(note) => in_tftp(note, offered),
            What::Http(note) => in_http(note, stage, offered),
            What::Service(Note::LoaderRefused { file, reason }) => {
                Some(Fault::LoaderRefused { file: shown(file), reason: shown(reason) })
            }
            What::Service(_) => None,
        }
    }

    /// Whether the computer goes on by this event.
    pub(super) fn is_overcome_by(&self, event: &Event) -> bool {
        let overcome = match self {
            Fault::Aborted { .. }
            | Fault::TimedOut { .. }
            | Fault::BrokenOff { .. }
            | Fault::ReadFailed { .. }
            | Fault::Missing { .. }
            | Fault::FileRefused { .. }
            | Fault::LoaderRefused { .. } => Overcome::File,
            Fault::OffersUnheeded { .. } => Overcome::Question,
            Fault::PoolExhausted { .. } | Fault::AddressRefused { .. } => Overcome::Address,
            Fault::NoBootFile { .. } | Fault::Ignored { .. } | Fault::OtherServer { .. } => Overcome::BootFile,
        };
        match &event.what {
            What::Tftp(tftp::Note::Started { .. } | tftp::Note::Done { .. }) => true,
            What::Http(http::Note::Started { .. } | http::Note::Done { .. }) => true,
            What::Dhcp(dhcp::Note::Granted { .. }) if overcome == Overcome::Question => true,
            What::Dhcp(dhcp::Note::Offered { address, boot } | dhcp::Note::Granted { address, boot }) => match overcome
            {
                Overcome::File | Overcome::Question => false,
                Overcome::Address => address.is_some(),
                Overcome::BootFile => boot.is_some(),
            },
            _ => false,
        }
    }
}

fn in_dhcp(note: &dhcp::Note) -> Option<Fault> {
    Some(match note {
        dhcp::Note::NoBootFile { reason } => Fault::NoBootFile { reason: shown(reason) },
        // These are about addresses of other networks, which a computer carries along and then gives up.
        dhcp::Note::Ignored { reason: Silence::Unknown | Silence::OutsideNetwork } => return None,
        dhcp::Note::Ignored { reason } => Fault::Ignored { reason: *reason },
        dhcp::Note::Refused { address, reason } => Fault::AddressRefused { address: *address, reason: *reason },
        dhcp::Note::PoolExhausted { size } => Fault::PoolExhausted { size: *size },
        dhcp::Note::ChoseOther { server } => Fault::OtherServer { server: *server },
        _ => return None,
    })
}

fn in_tftp(note: &tftp::Note, offered: Option<&str>) -> Option<Fault> {
    Some(match note {
        tftp::Note::Aborted { file, bytes, words, .. } => {
            Fault::Aborted { file: shown(file), bytes: *bytes, words: shown(words) }
        }
        tftp::Note::TimedOut { file, bytes, size } => Fault::TimedOut { file: shown(file), bytes: *bytes, size: *size },
        tftp::Note::ReadFailed { file, reason } => Fault::ReadFailed { file: shown(file), reason: shown(reason) },
        tftp::Note::Refused { file, .. } => Fault::FileRefused { file: shown(file) },
        tftp::Note::NotFound { file } if is_offered(file, offered) => Fault::Missing { file: shown(file) },
        _ => return None,
    })
}

fn in_http(note: &http::Note, stage: Stage, offered: Option<&str>) -> Option<Fault> {
    Some(match note {
        http::Note::BrokenOff { file, bytes, length } => {
            Fault::BrokenOff { file: shown(file), bytes: *bytes, length: *length }
        }
        http::Note::ReadFailed { file, reason } => Fault::ReadFailed { file: shown(file), reason: shown(reason) },
        // A system that runs may ask for whatever it likes.
        http::Note::Refused { file, .. } if stage < Stage::System => Fault::FileRefused { file: shown(file) },
        // Between menu and system a computer asks for what its menu named, and for nothing else; before and after, for
        // many a file that need not be there.
        http::Note::NotFound { file } if is_offered(file, offered) || is_named_by_the_menu(file, stage) => {
            Fault::Missing { file: shown(file) }
        }
        _ => return None,
    })
}

/// What was offered is a name for TFTP or a whole URL.
fn is_offered(file: &str, offered: Option<&str>) -> bool {
    let file = file.trim_start_matches('/');
    !file.is_empty() && offered.is_some_and(|offered| offered == file || offered.ends_with(&format!("/{file}")))
}

fn is_named_by_the_menu(file: &str, stage: Stage) -> bool {
    file.starts_with(IMAGES) && matches!(stage, Stage::Menu | Stage::Kernel)
}

fn shown(text: &str) -> String {
    text::plain(text, MAX_TEXT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dhcp::pxe::Boot;

    fn event(what: What) -> Event {
        Event { time: Timestamp::UNIX_EPOCH, mac: None, ip: None, role: None, what }
    }

    fn missing(file: &str, stage: Stage) -> bool {
        let note = http::Note::NotFound { file: file.into() };
        Fault::of(&event(What::Http(note)), stage, Some("http://10.77.0.1/snponly.efi")).is_some()
    }

    #[test]
    fn only_what_the_computer_needs_is_missed() {
        let kernel = "image/debian/live/vmlinuz";
        let cases = [
            ("snponly.efi", Stage::Offered, true),
            ("ponly.efi", Stage::Offered, false),
            ("autoexec.ipxe", Stage::Loader, false),
            (kernel, Stage::Menu, true),
            ("image/debian/live/initrd.img", Stage::Kernel, true),
            ("image/debian/.treeinfo", Stage::System, false),
            ("image/debian/.treeinfo", Stage::HandedOver, false),
            ("favicon.ico", Stage::Menu, false),
        ];
        for (file, stage, expected) in cases {
            assert_eq!(missing(file, stage), expected, "{file} at {stage:?}");
        }
        let hoped_for = tftp::Note::NotFound { file: "revocations.efi".into() };
        assert_eq!(Fault::of(&event(What::Tftp(hoped_for)), Stage::Loader, Some("shimx64.efi")), None);
        let offered = tftp::Note::NotFound { file: "/shimx64.efi".into() };
        assert!(Fault::of(&event(What::Tftp(offered)), Stage::Offered, Some("shimx64.efi")).is_some());
    }

    #[test]
    fn a_fault_is_overcome_by_what_was_wanting() {
        let address = Some(Ipv4Addr::new(10, 77, 0, 128));
        let boot = Some(Boot { file: "undionly.kpxe".into(), why: String::new() });
        let offered =
            |address, boot: &Option<Boot>| event(What::Dhcp(dhcp::Note::Offered { address, boot: boot.clone() }));
        let started = event(What::Http(http::Note::Started { file: "f".into(), from: 0, length: 1, size: 1 }));
        let cases = [
            // Fault, by an address only, by a boot file only, by a file.
            (Fault::NoBootFile { reason: "none".into() }, [false, true, true]),
            (Fault::PoolExhausted { size: 1 }, [true, false, true]),
            (Fault::BrokenOff { file: "f".into(), bytes: 1, length: 2 }, [false, false, true]),
        ];
        for (fault, expected) in cases {
            let events = [offered(address, &None), offered(None, &boot), started.clone()];
            assert_eq!(events.map(|event| fault.is_overcome_by(&event)), expected, "{fault:?}");
        }
    }

    #[test]
    fn a_computers_words_are_made_harmless() {
        let note = tftp::Note::Aborted { file: "a\x1bb".into(), bytes: 1, code: 0, words: "x".repeat(9_000) };
        match Fault::of(&event(What::Tftp(note)), Stage::Offered, None) {
            Some(Fault::Aborted { file, words, .. }) => assert_eq!((file.as_str(), words.len()), ("a·b", MAX_TEXT)),
            other => panic!("{other:?}"),
        }
    }
}
