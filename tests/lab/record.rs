//! Recorded boots: what the engine told of one, a line for each event.

use std::collections::HashMap;

use bootwright::http;
use bootwright::journal::{Event, Note, What};
use bootwright::tftp;

/// Most progress events kept of one file: enough for a bar that moves, and a recording stays small.
const MOST_PROGRESS: usize = 24;

/// The lines of a recording. Stages and causes are left out: they follow from the rest.
pub fn text(events: Vec<Event>) -> String {
    let told = |event: &Event| !matches!(event.what, What::Service(Note::Stage { .. } | Note::Diagnosis(_)));
    let events: Vec<Event> = events.into_iter().filter(told).collect();
    let mut counts: HashMap<String, usize> = HashMap::new();
    for file in events.iter().filter_map(progress) {
        *counts.entry(file.to_owned()).or_default() += 1;
    }
    let mut seen: HashMap<String, usize> = HashMap::new();
    let kept = events.iter().filter(|event| {
        let Some(file) = progress(event) else { return true };
        let number = seen.entry(file.to_owned()).or_default();
        *number += 1;
        is_kept(*number, counts[file])
    });
    kept.map(|event| serde_json::to_string(event).expect("JSON") + "\n").collect()
}

/// Whether event `number` of `count`, counted from 1, is one of those that are kept, which lie evenly.
fn is_kept(number: usize, count: usize) -> bool {
    count <= MOST_PROGRESS || number * MOST_PROGRESS / count > (number - 1) * MOST_PROGRESS / count
}

/// The file whose progress an event tells.
fn progress(event: &Event) -> Option<&str> {
    match &event.what {
        What::Tftp(tftp::Note::Progress { file, .. }) | What::Http(http::Note::Progress { file, .. }) => Some(file),
        _ => None,
    }
}
