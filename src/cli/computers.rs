//! `bootwright computers`: which computers do not take the usual loader, and how to let them begin anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Status, out, out_json, running};
use crate::boot::ladder::{self, Kept, Known};
use crate::boot::loader::Way;
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
    text.parse().map(Forget::One).map_err(|_| "neither `all` nor an address like 52:54:00:12:34:56".to_owned())
}

pub(super) fn run(state_dir: Option<PathBuf>, forget: Option<Forget>, json: bool) -> Status {
    let state = state_dir.unwrap_or_else(|| Places::of_this_user().state);
    let file = state.join(ladder::FILE);
    match changed(&state, &file, forget) {
        Ok(kept) if json => out_json(&kept.computers),
        Ok(kept) => out(&text(&kept)),
        Err(error) => {
            eprintln!("{}: {error}. Name the folder of the services with --state-dir.", file.display());
            return Status::Cannot;
        }
    }
    Status::Done
}

fn changed(state: &Path, file: &Path, forget: Option<Forget>) -> std::io::Result<Kept> {
    let mut kept = engine::remembered(file)?;
    let Some(forget) = forget else { return Ok(kept) };
    let (gone, rest): (Vec<Known>, Vec<Known>) = kept.computers.into_iter().partition(|known| match forget {
        Forget::All => true,
        Forget::One(mac) => known.key.mac == mac,
    });
    kept.computers = rest;
    let macs: BTreeSet<Mac> = match forget {
        Forget::All => gone.iter().map(|known| known.key.mac).collect(),
        Forget::One(mac) => [mac].into(),
    };
    // Services that run know more than the file, and write it anew.
    let mut told = false;
    for mac in macs {
        told |= !running::ask(state, &Request::Forget { mac })?.is_empty();
    }
    if !told && !gone.is_empty() {
        engine::remember(file, &kept)?;
    }
    Ok(kept)
}

fn text(kept: &Kept) -> String {
    if kept.computers.is_empty() {
        return "Every computer takes the usual loader.\n".to_owned();
    }
    kept.computers.iter().map(line).collect()
}

fn line(known: &Known) -> String {
    let refused: Vec<&str> = known.refused.iter().copied().map(Way::name).collect();
    let refused = if refused.is_empty() { String::new() } else { format!("; did not start {}", refused.join(", ")) };
    let uuid = known.key.uuid.as_ref().map(|uuid| format!("  {uuid}")).unwrap_or_default();
    format!("{}{uuid}  {}: takes {}{refused}\n", known.key.mac, known.platform.name(), known.works.name())
}
