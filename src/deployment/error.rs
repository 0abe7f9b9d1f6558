//! What can be wrong with settings; `check` has the sentences.

use std::path::PathBuf;

use ipnet::Ipv4Net;

/// Why settings make no deployment.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The deployment file cannot be read.
    #[error("cannot read the deployment {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The deployment file is not one.
    #[error("the deployment {path} has a mistake: {reason}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line and cause.
        reason: String,
    },
    /// It was written by a newer program, and says things that this one knows in a way that it does not.
    #[error("the deployment {path} is of version {version}")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// No interface was named.
    #[error("no interface was named")]
    NoInterface,
    /// There is no such interface.
    #[error("there is no interface {name}")]
    UnknownInterface {
        /// What was asked for.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The interface has no IPv4 address.
    #[error("{name} has no IPv4 address")]
    NoAddress {
        /// The interface.
        name: String,
    },
    /// The range cannot be read.
    #[error("{text:?} is not a range of addresses")]
    RangeSyntax {
        /// What was given.
        text: String,
    },
    /// The range ends before it begins.
    #[error("the range {range} ends before it begins")]
    RangeReversed {
        /// What was given.
        range: String,
    },
    /// The range lies outside the interface's network.
    #[error("the range {range} is not inside {network}")]
    RangeOutside {
        /// What was given.
        range: String,
        /// The network.
        network: Ipv4Net,
    },
    /// The range has nothing but addresses that belong to somebody.
    #[error("the range {range} has only addresses that are in use")]
    RangeCoversOwn {
        /// What was given.
        range: String,
    },
    /// The range is larger than we handle.
    #[error("the range {range} has too many addresses")]
    RangeTooLarge {
        /// What was given.
        range: String,
    },
    /// The network has no room for a range.
    #[error("the network {network} has no addresses to hand out")]
    NoRoom {
        /// The network.
        network: Ipv4Net,
    },
    /// A range was given where no addresses are handed out.
    #[error("a range needs full DHCP")]
    RangeWithoutFull,
    /// The menu's time-out is too long.
    #[error("a menu time-out of {seconds} seconds is too long")]
    Timeout {
        /// What was given.
        seconds: u32,
    },
    /// A time that cannot be read.
    #[error("{text:?} is not a time")]
    Duration {
        /// What was given.
        text: String,
    },
    /// Kernel arguments that a boot script cannot hold.
    #[error("these kernel arguments cannot be used: {why}")]
    Append {
        /// Why not.
        why: &'static str,
    },
    /// The same, for a single entry.
    #[error("the kernel arguments of the entry {id} cannot be used: {why}")]
    EntryAppend {
        /// The entry.
        id: String,
        /// Why not.
        why: &'static str,
    },
    /// An entry is named twice, so its place is not known.
    #[error("the entry {id} is named twice")]
    EntryTwice {
        /// The entry.
        id: String,
    },
    /// What is kept of a password cannot be one.
    #[error("the password hash of the entry {id} cannot be used")]
    EntryPassword {
        /// The entry.
        id: String,
    },
}
