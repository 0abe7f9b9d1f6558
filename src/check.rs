//! What we judge: every typed error in words. Each [`Finding`] says what we saw, what it means for booting, and what to
//! do. Pure: facts come from the caller.

mod advice;
pub mod preflight;
mod wording;

use serde::Serialize;

use crate::boot::menu::Item;
use crate::engine::Listening;

/// One judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What we saw, with the name, port or address.
    pub title: String,
    /// What it means, where the title does not say it.
    pub meaning: String,
    /// What to do.
    pub next_step: String,
    /// The system's own words, for those who want them.
    pub details: Option<String>,
    /// STUB
    pub subject: Subject,
    /// STUB
    pub verdict: Verdict,
    /// STUB
    pub remedy: Option<Remedy>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Subject { ThisComputer, Network, Files }
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict { Pass, Caution, Blocks }
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Remedy { UseProxyMode, UseFullMode, SetAddress(ipnet::Ipv4Net), RemoveImage(std::path::PathBuf), UseHttpPort(u16) }
impl Remedy { pub fn label(&self) -> String { String::new() } }
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights { Present, Asked, Missing }
pub fn blocking(f: &[Finding]) -> usize { f.len() }


impl Finding {
    pub(crate) fn new(title: impl Into<String>, meaning: impl Into<String>, next_step: impl Into<String>) -> Finding {
        Finding { title: title.into(), meaning: meaning.into(), next_step: next_step.into(), details: None, subject: Subject::Network, verdict: Verdict::Blocks, remedy: None }
    }

    pub(crate) fn with(mut self, details: impl ToString) -> Finding {
        self.details = Some(details.to_string());
        self
    }

    /// All of it as one plain line.
    pub fn sentence(&self) -> String {
        let title = match &self.details {
            Some(details) => format!("{} ({details}).", self.title.trim_end_matches('.')),
            None => self.title.clone(),
        };
        let parts = [title.as_str(), &self.meaning, &self.next_step];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

pub use advice::{Advice, mode_advice};
pub use wording::{explain, explain_disc, explain_lock, explain_plan, explain_privilege, explain_save, no_entries, one_firmware, unprobed, unserved};

/// What to know once everything is bound, before the first computer comes.
pub fn at_start(listening: &Listening) -> Vec<Finding> {
    let single = |item: &Item| match item.entry.firmware.as_slice() {
        [firmware] => Some(one_firmware(&item.id, *firmware)),
        _ => None,
    };
    let findings = listening.unserved.iter().copied().map(unserved);
    let findings = findings.chain(listening.unprobed.then(unprobed));
    let findings = findings.chain(listening.entries.is_empty().then(no_entries));
    findings.chain(listening.entries.iter().filter_map(single)).collect()
}

#[cfg(test)]
mod tests;
