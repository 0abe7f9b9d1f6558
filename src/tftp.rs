//! TFTP, read only: RFC 1350 with options (RFC 2347), block size (2348), time-out and size (2349) and windows (7440).
//!
//! Our own, because async-tftp 0.4.2 ignores a client's ERROR: every EDK2 firmware aborts its size probe so, and then
//! gets repeats for five minutes and no answer to its second request. [`wire`] reads and writes packets; [`transfer`]
//! decides which block goes out when. Sockets, files and tasks belong to the engine.

pub mod transfer;
pub mod wire;

use serde::{Deserialize, Serialize};

/// The well-known port (RFC 1350 section 4).
pub const PORT: u16 = 69;

/// Something that happened to a transfer, worth telling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Note {
    /// A file is on its way.
    #[serde(rename = "tftp-started")]
    Started {
        /// Its name as asked for.
        file: String,
        /// Its size in bytes.
        size: u64,
        /// Bytes a block.
        block_size: u16,
        /// Blocks an acknowledgement.
        window: u16,
    },
    /// So much has been acknowledged; sent now and then, not for each block.
    #[serde(rename = "tftp-progress")]
    Progress {
        /// Its name.
        file: String,
        /// Bytes acknowledged.
        bytes: u64,
        /// Its size in bytes.
        size: u64,
    },
    /// All of it arrived.
    #[serde(rename = "tftp-done")]
    Done {
        /// Its name.
        file: String,
        /// Its size in bytes.
        bytes: u64,
        /// How long it took, in milliseconds.
        millis: u64,
        /// Packets sent more than once.
        resent: u64,
    },
    /// The client only asked for the size, and broke off: what EDK2 does before each file.
    #[serde(rename = "tftp-size-asked")]
    SizeAsked {
        /// Its name.
        file: String,
        /// Its size in bytes.
        size: u64,
    },
    /// The client broke off.
    #[serde(rename = "tftp-aborted")]
    Aborted {
        /// Its name.
        file: String,
        /// Bytes acknowledged before.
        bytes: u64,
        /// The client's error code (RFC 1350 section 5).
        code: u16,
        /// The client's words.
        words: String,
    },
    /// The client said nothing more.
    #[serde(rename = "tftp-timed-out")]
    TimedOut {
        /// Its name.
        file: String,
        /// Bytes acknowledged before.
        bytes: u64,
        /// Its size in bytes.
        size: u64,
    },
    /// Packets were repeated and nothing was acknowledged; told once for each time that it stands still.
    #[serde(rename = "tftp-stalled")]
    Stalled {
        /// Its name.
        file: String,
        /// Bytes acknowledged before.
        bytes: u64,
        /// Its size in bytes.
        size: u64,
        /// Bytes a block.
        block_size: u16,
        /// Whether the client has answered anything at all.
        answered: bool,
    },
    /// It was ended in the middle: the client asked anew from the same port, or there were too many transfers.
    #[serde(rename = "tftp-replaced")]
    Replaced {
        /// Its name.
        file: String,
    },
    /// There is no such file. Loaders ask for many that need not be there.
    #[serde(rename = "tftp-not-found")]
    NotFound {
        /// Its name.
        file: String,
    },
    /// The request cannot be served.
    #[serde(rename = "tftp-refused")]
    Refused {
        /// Its name.
        file: String,
        /// Why not.
        reason: String,
    },
    /// The file could not be read to its end.
    #[serde(rename = "tftp-read-failed")]
    ReadFailed {
        /// Its name.
        file: String,
        /// What the system said.
        reason: String,
    },
}
