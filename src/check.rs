//! What we judge: every typed error in words. Each [`Finding`] says what we saw, what it means for booting, and what to
//! do. Pure: facts come from the caller.

mod advice;
pub mod around;
pub mod diagnosis;
pub mod help;
mod holders;
pub mod lockdown;
pub mod preflight;
pub mod report;
mod wording;

use std::path::{Path, PathBuf};

use ipnet::Ipv4Net;
use serde::{Serialize, Serializer};

use crate::boot::menu::Item;
use crate::engine::Listening;
use crate::journal::Note;

/// One judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Finding {
    /// What we saw, with the name, port or address.
    pub title: String,
    /// What it means, where the title does not say it.
    pub meaning: String,
    /// What to do.
    pub next_step: String,
    /// The system's own words, for those who want them.
    pub details: Option<String>,
    /// What it is about.
    pub subject: Subject,
    /// Whether it stands in the way.
    pub verdict: Verdict,
    /// What Bootwright can do about it.
    pub remedy: Option<Remedy>,
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The computer that serves: its ports, rights, folders and boot loaders.
    ThisComputer,
    /// The interface, its address, and who else is on its network.
    Network,
    /// Images and what else is handed out.
    Files,
}

impl Subject {
    /// What a group of such findings is called.
    pub fn name(self) -> &'static str {
        match self {
            Subject::ThisComputer => "This computer",
            Subject::Network => "Network",
            Subject::Files => "Files",
        }
    }
}

/// How a finding stands to booting, the harmless first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// As it should be.
    Pass,
    /// It can be served, and some computers may not boot.
    Caution,
    /// It cannot be served.
    Blocks,
}

/// What Bootwright can do about a finding when asked to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// Leave addresses to the network's own DHCP server.
    UseProxyMode,
    /// Hand out addresses.
    UseFullMode,
    /// Give the interface this address.
    SetAddress(Ipv4Net),
    /// Leave this image out.
    RemoveImage(#[serde(serialize_with = "lossy")] PathBuf),
    /// Serve files on this port.
    UseHttpPort(u16),
    /// Stop this service of the system, and start it again when serving ends.
    StopService(String),
    /// Let computers in through the firewall while serving.
    OpenFirewall,
    /// Leave the firewall as it is after all.
    LeaveFirewall,
}

/// Whether the ports for booting may be opened from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rights {
    /// This program may open them itself.
    Present,
    /// The system asks for a password first.
    Asked,
    /// There is no way to get them from here.
    Missing,
}

/// How many of these findings have to be dealt with before anything can be served.
pub fn blocking(findings: &[Finding]) -> usize {
    findings.iter().filter(|finding| finding.verdict == Verdict::Blocks).count()
}

/// A path that is not UTF-8 is still worth printing.
fn lossy<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

impl Finding {
    /// Something about the network that stands in the way; the methods below say it where it is otherwise.
    pub(crate) fn new(title: impl Into<String>, meaning: impl Into<String>, next_step: impl Into<String>) -> Finding {
        Finding {
            title: title.into(),
            meaning: meaning.into(),
            next_step: next_step.into(),
            details: None,
            subject: Subject::Network,
            verdict: Verdict::Blocks,
            remedy: None,
        }
    }

    pub(crate) fn with(mut self, details: impl ToString) -> Finding {
        self.details = Some(details.to_string());
        self
    }

    pub(crate) fn about(self, subject: Subject) -> Finding {
        Finding { subject, ..self }
    }

    pub(crate) fn pass(self) -> Finding {
        Finding { verdict: Verdict::Pass, ..self }
    }

    pub(crate) fn caution(self) -> Finding {
        Finding { verdict: Verdict::Caution, ..self }
    }

    pub(crate) fn remedy(self, remedy: Remedy) -> Finding {
        Finding { remedy: Some(remedy), ..self }
    }

    /// The same for the log.
    pub fn note(&self) -> Note {
        let sentence = self.sentence();
        match self.verdict {
            Verdict::Pass => Note::Arranged { sentence },
            Verdict::Caution | Verdict::Blocks => Note::Warning { sentence },
        }
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
pub use wording::meanwhile::{arranged, firewall, gate, gate_closed, not_stopped, started_again};
pub use wording::preflight::speed;
pub use wording::{
    Failing, answer_entry, answer_fault, explain, explain_answers, explain_disc, explain_list, explain_lock,
    explain_plan, explain_privilege, explain_rehearsal, explain_save, failing, foreign_server, lacking, locked_default,
    no_entries, one_firmware, published, unadvertised, unguarded, unprobed, unserved, wrong_recipe,
};

/// What to know once everything is bound, before the first computer comes.
pub fn at_start(listening: &Listening) -> Vec<Finding> {
    let single = |item: &Item| match item.entry.firmware.as_slice() {
        [firmware] => Some(one_firmware(&item.entry.title, *firmware)),
        _ => None,
    };
    let lacks = listening.lacking.iter().map(|(item, loader)| lacking(&item.entry.title, *loader));
    let findings = listening.unserved.iter().copied().map(unserved).chain(lacks);
    let faults = listening.answer_faults.iter().map(|(path, fault)| answer_fault(path, fault));
    let findings =
        findings.chain(faults).chain(listening.unprobed.then(unprobed)).chain(listening.unguarded.then(unguarded));
    let findings = findings.chain(listening.unadvertised.as_deref().map(unadvertised));
    let findings = findings.chain(listening.locked_default.as_deref().map(locked_default));
    let findings = findings.chain(listening.entries.is_empty().then(no_entries));
    findings.chain(listening.entries.iter().filter_map(single)).collect()
}

#[cfg(test)]
mod tests;
