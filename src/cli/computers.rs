//! `bootwright computers`: which computers do not take the usual loader, which were approved, and how to forget both.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Status, complain, out, out_json, running};
use crate::boot::approval::{self, Approved};
use crate::boot::ladder::{self, Known};
use crate::boot::loader::Way;
use crate::boot::once::{self, Begun};
use crate::deployment::Places;
use crate::engine;
use crate::engine::control::Request;
use crate::mac::Mac;

/// Which computers are forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forget {
    All,
    One(Mac),
}

/// Reads `all` or a hardware address.
pub(super) fn forget(text: &str) -> Result<Forget, String> {
    if text == "all" {
        return Ok(Forget::All);
    }
    text.parse().map(Forget::One).map_err(|_| "it is neither `all` nor an address like 52:54:00:12:34:56".to_owned())
}

/// What is remembered of computers.
#[derive(serde::Serialize)]
struct Remembered {
    /// Those that do not take the usual loader.
    computers: Vec<Known>,
    /// Those that were approved.
    approved: Vec<Approved>,
    /// What they began that starts once.
    begun: Vec<Begun>,
    /// The one that was to be forgotten, where nothing was kept of it.
    #[serde(skip)]
    unknown: Option<Mac>,
    /// Whether running services were told to forget.
    #[serde(skip)]
    told: bool,
}

pub(super) fn run(state_dir: Option<PathBuf>, forget: Option<Forget>, json: bool) -> Status {
    let state = state_dir.unwrap_or_else(|| Places::of_this_user().state);
    match remembered(&state, forget) {
        Ok(Remembered { unknown: Some(mac), told: false, .. }) => {
            let nothing = format!("Nothing is known of {mac} in {}, so nothing was forgotten.", state.display());
            complain(&format!("{nothing} `bootwright computers` lists those that are known."));
            return Status::Cannot;
        }
        Ok(Remembered { unknown: Some(mac), .. }) => {
            complain(&format!("Nothing was kept of {mac}. The running services were told to forget it as well."));
        }
        Ok(remembered) if json => out_json(&remembered),
        Ok(remembered) => out(&text(&remembered)),
        Err(error) => {
            eprintln!("{}: {error}. Name the folder of the services with --state-dir.", state.display());
            return Status::Cannot;
        }
    }
    Status::Done
}

/// Forgets first, where that is asked for.
fn remembered(state: &Path, forget: Option<Forget>) -> std::io::Result<Remembered> {
    let (ladder_file, approval_file) = (state.join(ladder::FILE), state.join(approval::FILE));
    let once_file = state.join(once::FILE);
    let (ladder, approval) = (engine::remembered(&ladder_file)?, engine::approved(&approval_file)?);
    let (mut computers, mut approved) = (ladder.computers, approval.computers);
    let mut begun = engine::begun(&once_file)?.computers;
    let Some(forget) = forget else {
        return Ok(Remembered { computers, approved, begun, unknown: None, told: false });
    };
    let known = computers.iter().map(|known| known.key.mac).chain(approved.iter().map(|known| known.mac));
    let known = known.chain(begun.iter().map(|begun| begun.mac));
    let known: BTreeSet<Mac> = known.collect();
    let (macs, unknown) = match forget {
        Forget::All => (known, None),
        Forget::One(mac) => ([mac].into(), Some(mac).filter(|mac| !known.contains(mac))),
    };
    computers.retain(|known| !macs.contains(&known.key.mac));
    approved.retain(|known| !macs.contains(&known.mac));
    begun.retain(|begun| !macs.contains(&begun.mac));
    // Services that run may know more than the files, or less: what another one wrote they may not have read yet.
    let mut told = false;
    for &mac in &macs {
        told |= !running::ask(state, &Request::Forget { mac, all: true })?.is_empty();
    }
    if unknown.is_some() {
        return Ok(Remembered { computers, approved, begun, unknown, told });
    }
    let computers = engine::forget_remembered(&ladder_file, &macs)?.computers;
    let approved = engine::forget_approved(&approval_file, &macs)?.computers;
    let begun = engine::forget_begun(&once_file, &macs)?.computers;
    Ok(Remembered { computers, approved, begun, unknown, told })
}

fn text(remembered: &Remembered) -> String {
    let loaders: String = match remembered.computers.as_slice() {
        [] => "Every computer takes the usual loader.\n".to_owned(),
        computers => computers.iter().map(line).collect(),
    };
    let approved = |known: &Approved| {
        let product = known.product.as_ref().map(|product| format!(" ({product})")).unwrap_or_default();
        format!("{}{product} was approved.\n", known.mac)
    };
    let begun = |known: &Begun| {
        let ids: Vec<&str> = known.entries.iter().map(|name| name.split(' ').next().unwrap_or(name)).collect();
        format!("{} began {}, and falls to its own disk.\n", known.mac, ids.join(", "))
    };
    let approved = remembered.approved.iter().map(approved);
    loaders + &approved.chain(remembered.begun.iter().map(begun)).collect::<String>()
}

fn line(known: &Known) -> String {
    let refused: Vec<&str> = known.refused.iter().copied().map(Way::name).collect();
    let refused = if refused.is_empty() { String::new() } else { format!("; did not start {}", refused.join(", ")) };
    let uuid = known.key.uuid.as_ref().map(|uuid| format!("  {uuid}")).unwrap_or_default();
    format!("{}{uuid}  {}: takes {}{refused}\n", known.key.mac, known.platform.name(), known.works.name())
}
