//! `bootwright computers`: which computers do not take the usual loader, and how to let them begin anew.

use std::path::{Path, PathBuf};

use super::{Status, out, out_json};
use crate::boot::ladder::{self, Kept, Known};
use crate::boot::loader::Way;
use crate::deployment::Places;
use crate::engine;
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
    let file = state_dir.unwrap_or_else(|| Places::of_this_user().state).join(ladder::FILE);
    match changed(&file, forget) {
        Ok(kept) if json => out_json(&kept.computers),
        Ok(kept) => out(&text(&kept)),
        Err(error) => {
            eprintln!("{}: {error}. Name the folder of the services with --state-dir.", file.display());
            return Status::Cannot;
        }
    }
    Status::Done
}

fn changed(file: &Path, forget: Option<Forget>) -> std::io::Result<Kept> {
    let mut kept = engine::remembered(file)?;
    let Some(forget) = forget else { return Ok(kept) };
    let before = kept.computers.len();
    kept.computers.retain(|known| match forget {
        Forget::All => false,
        Forget::One(mac) => known.key.mac != mac,
    });
    if kept.computers.len() != before {
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
