//! What was judged in this run: the cards of the window and the start of the services look at the same files, and an
//! initrd may take seconds.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::image::disc::Stamp;
use crate::image::{Disc, Inspection};

/// Most files that are remembered; a menu has some dozens.
const MOST: usize = 1000;
/// How long ago a file must have been written to: one that is being written may change again before its time does.
const SETTLED: Duration = Duration::from_secs(2);

static JUDGED: Mutex<BTreeMap<PathBuf, (Stamp, Inspection)>> = Mutex::new(BTreeMap::new());

/// What was judged of this file as it is now.
pub(super) fn recall(disc: &Disc) -> Option<Inspection> {
    let judged = JUDGED.lock().unwrap_or_else(PoisonError::into_inner);
    let (stamp, inspection) = judged.get(disc.path())?;
    (*stamp == disc.stamp()).then(|| inspection.clone())
}

/// Remembers what was judged of a file, unless it is too new for that.
pub(super) fn remember(disc: &Disc, inspection: &Inspection) {
    let age = disc.stamp().modified.and_then(|modified| modified.elapsed().ok());
    if age.is_none_or(|age| age < SETTLED) {
        return;
    }
    let mut judged = JUDGED.lock().unwrap_or_else(PoisonError::into_inner);
    if judged.len() >= MOST {
        judged.clear();
    }
    judged.insert(disc.path().to_path_buf(), (disc.stamp(), inspection.clone()));
}
