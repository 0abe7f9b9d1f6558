//! `bootwright trace`: the packets of running services, for Wireshark or for reading.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use super::{Status, complain, running};
use crate::deployment::Places;
use crate::engine::control::{Reply, Request};
use crate::mac::Mac;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The computer
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    mac: Option<Mac>,
    /// The packets of all computers
    #[arg(long)]
    all: bool,
    /// A line for each packet, beside what Bootwright said, instead of a file for Wireshark
    #[arg(long)]
    text: bool,
    /// Tell of hardware addresses only who made the card
    #[arg(long)]
    anonymous: bool,
    /// Write it to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Where the services keep their state
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

pub(super) fn run(options: Options) -> Status {
    if !options.text && options.output.is_none() && io::stdout().is_terminal() {
        complain("Packets are no text. Name a file with -o FILE.pcapng, or read them with --text.");
        return Status::Wrong;
    }
    let state = options.state_dir.clone().unwrap_or_else(|| Places::of_this_user().state);
    let request = Request::Trace { mac: options.mac, anonymous: options.anonymous };
    let replies = match running::ask(&state, &request) {
        Ok(replies) => replies,
        Err(error) => return cannot(&format!("The running services do not answer ({error}).")),
    };
    if replies.is_empty() {
        let asked = format!("No services run that keep their state in {}.", state.display());
        return cannot(&format!("{asked} Name their folder with --state-dir."));
    }
    let is_empty = |reply: &Reply| matches!(reply, Reply::Trace { text, .. } if text.is_empty());
    if let Some(mac) = options.mac.filter(|_| replies.iter().all(is_empty)) {
        let nothing = format!("Nothing of {mac} is at hand: the running services have not heard it, or too long ago.");
        return cannot(&format!("{nothing} `bootwright trace --all --text` shows whom they heard."));
    }
    // Files of several services one after the other are one file with several sections.
    let mut bytes = Vec::new();
    for reply in replies {
        match reply {
            Reply::Trace { text, .. } if options.text => bytes.extend(text.into_bytes()),
            Reply::Trace { pcapng, .. } => match unhex(&pcapng) {
                Some(packets) => bytes.extend(packets),
                None => return cannot("The running services are of another version. Stop them and start them again."),
            },
            Reply::Refused { reason } => return cannot(&reason),
            _ => {}
        }
    }
    let written = match &options.output {
        Some(file) => {
            std::fs::write(file, bytes).map_err(|error| format!("{} cannot be written ({error}).", file.display()))
        }
        None => io::stdout().write_all(&bytes).map_err(|error| format!("It cannot be written ({error}).")),
    };
    written.map_or_else(|sentence| cannot(&sentence), |()| Status::Done)
}

fn cannot(sentence: &str) -> Status {
    complain(sentence);
    Status::Cannot
}

/// Bytes from their hexadecimal digits.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
