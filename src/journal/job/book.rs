//! Jobs as they are written down: a line of JSON for each change, and read back, the last line of a job counts.
//!
//! A line that cannot be read is passed over: the last one of a file may be half written, where the power went.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::super::between;
use super::Job;
use crate::mac::Mac;
use crate::text;

/// Longest line that is read, in bytes; the longest that is written has about 4 kB.
const MAX_LINE: usize = 16 << 10;
/// Most jobs that are read; the first ones go.
const MAX_JOBS: usize = 100_000;
/// Longest note and name of an operator, in characters.
pub const MAX_NOTE: usize = 500;
/// Whoever gives a name signs the jobs that nobody signed for so long before: those of the same shift.
const SHIFT: Duration = Duration::from_secs(12 * 3600);

/// A line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
pub enum Line {
    /// A job as it is now.
    Job(Box<Job>),
    /// What somebody wrote about a job.
    Note {
        /// The job.
        job: String,
        /// The words; none take the note away.
        note: String,
    },
    /// Who is there from now on.
    Operator {
        /// Since when.
        time: Timestamp,
        /// The name; an empty one is nobody's.
        name: String,
    },
}

impl Line {
    /// A note about a job.
    pub fn note(job: &str, words: &str) -> Line {
        Line::Note { job: job.to_owned(), note: text::plain(words, MAX_NOTE) }
    }

    /// Somebody is there from now on.
    pub fn operator(name: &str, now: Timestamp) -> Line {
        Line::Operator { time: now, name: text::plain(name, MAX_NOTE) }
    }

    /// The line itself, with its end.
    pub fn json(&self) -> String {
        // Nothing in a line can fail to be written.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}

/// All jobs that were written down.
#[derive(Clone, Debug, Default)]
pub struct Book {
    jobs: BTreeMap<(Timestamp, String), Job>,
    began: BTreeMap<String, Timestamp>,
    operator: Option<String>,
    /// Lines that could not be read.
    pub unreadable: usize,
}

impl Book {
    /// Reads the lines of a file. Files are read in the order in which they were written.
    pub fn read(&mut self, text: &str) {
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            match serde_json::from_str(line) {
                Ok(line_read) if line.len() <= MAX_LINE => self.take(line_read),
                _ => self.unreadable += 1,
            }
        }
    }

    /// Takes one line.
    pub fn take(&mut self, line: Line) {
        match line {
            Line::Job(job) => self.put(*job),
            Line::Note { job, note } => {
                if let Some(job) = self.find(&job) {
                    job.note = Some(text::plain(&note, MAX_NOTE)).filter(|note| !note.is_empty());
                }
            }
            Line::Operator { time, name } => self.sign(time, &name),
        }
    }

    fn put(&mut self, job: Job) {
        let known = self.find(&job.id).map(|known| (known.note.clone(), known.operator.clone()));
        let fresh = known.is_none();
        let (note, operator) = known.unwrap_or((None, self.operator.clone()));
        if fresh
            && self.jobs.len() >= MAX_JOBS
            && let Some(((_, first), _)) = self.jobs.pop_first()
        {
            self.began.remove(&first);
        }
        // A job keeps its place, whatever a later line says of its beginning.
        let began = *self.began.entry(job.id.clone()).or_insert(job.began);
        let id = job.id.clone();
        self.jobs.insert((began, id), Job { note: note.or(job.note.clone()), operator, ..job });
    }

    fn sign(&mut self, time: Timestamp, name: &str) {
        let name = Some(text::plain(name, MAX_NOTE)).filter(|name| !name.is_empty());
        let unsigned = self.jobs.values_mut().filter(|job| job.operator.is_none());
        for job in unsigned.filter(|job| between(job.began, time) <= SHIFT) {
            job.operator.clone_from(&name);
        }
        self.operator = name;
    }

    fn find(&mut self, id: &str) -> Option<&mut Job> {
        let began = *self.began.get(id)?;
        self.jobs.get_mut(&(began, id.to_owned()))
    }

    /// The jobs in the order in which they began.
    pub fn jobs(&self) -> impl DoubleEndedIterator<Item = &Job> {
        self.jobs.values()
    }

    /// The latest job of a computer.
    pub fn latest(&self, mac: Mac) -> Option<&Job> {
        self.jobs.values().rev().find(|job| job.mac == mac)
    }

    /// Who is there.
    pub fn operator(&self) -> Option<&str> {
        self.operator.as_deref()
    }
}
