//! What an HTTP request gets: hyper parses, this decides (RFC 9110, RFC 9112).
//!
//! Read only: GET and HEAD, byte ranges, conditions. No listing, no redirect (UEFI does not follow one), exact lengths
//! (UEFI HTTP Boot needs them), strong entity tags (EDK2 resumes only with those).

pub mod path;
pub mod range;
pub mod reply;

use serde::{Deserialize, Serialize};

/// The well-known port.
pub const PORT: u16 = 80;
/// Taken when [`PORT`] is in use and no port was asked for.
pub const SECOND_PORT: u16 = 8080;

/// Something that happened to a request, worth telling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Note {
    /// A file, or a part of one, is on its way.
    #[serde(rename = "http-started")]
    Started {
        /// Its path.
        file: String,
        /// First byte sent.
        from: u64,
        /// Bytes to send.
        length: u64,
        /// Size of the whole file in bytes.
        size: u64,
    },
    /// So much has been handed to the connection; sent now and then.
    #[serde(rename = "http-progress")]
    Progress {
        /// Its path.
        file: String,
        /// Bytes sent.
        bytes: u64,
        /// Bytes to send.
        length: u64,
    },
    /// All that was asked for was sent.
    #[serde(rename = "http-done")]
    Done {
        /// Its path.
        file: String,
        /// First byte sent.
        from: u64,
        /// Bytes sent.
        bytes: u64,
        /// Size of the whole file in bytes.
        size: u64,
        /// How long it took, in milliseconds.
        millis: u64,
    },
    /// Only the headers were asked for.
    #[serde(rename = "http-size-asked")]
    SizeAsked {
        /// Its path.
        file: String,
        /// Its size in bytes.
        size: u64,
    },
    /// The client closed the connection before the end.
    #[serde(rename = "http-broken-off")]
    BrokenOff {
        /// Its path.
        file: String,
        /// Bytes sent.
        bytes: u64,
        /// Bytes to send.
        length: u64,
    },
    /// There is no such file.
    #[serde(rename = "http-not-found")]
    NotFound {
        /// Its path.
        file: String,
    },
    /// The request was answered with an error.
    #[serde(rename = "http-refused")]
    Refused {
        /// Its path, as far as it could be read.
        file: String,
        /// The status code.
        status: u16,
    },
    /// The file could not be read to its end.
    #[serde(rename = "http-read-failed")]
    ReadFailed {
        /// Its path.
        file: String,
        /// What the system said.
        reason: String,
    },
}
