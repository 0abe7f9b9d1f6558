//! A job sheet for others: CSV, JSON, a page to print, and lines for a terminal. What computers say of themselves is in
//! it, so each form is written such that no text can become a formula, a tag or a command.

mod paper;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{Job, words};
use crate::text;

pub use paper::page;

/// Longest text of a cell, in characters.
const MAX_CELL: usize = 600;
/// What makes a cell a formula (OWASP, CSV injection), and the same in full width.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

const COLUMNS: [&str; 18] = [
    "began", "ended", "seconds", "computer", "mac", "product", "firmware", "entry", "image", "checksum", "result",
    "stage", "cause", "operator", "note", "uuid", "ip", "bytes",
];

/// A table for spreadsheets (RFC 4180). Times are those of `zone`.
pub fn csv(jobs: &[&Job], zone: &TimeZone) -> String {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(Vec::new());
    let rows = std::iter::once(COLUMNS.map(str::to_owned)).chain(jobs.iter().map(|job| row(job, zone)));
    for row in rows {
        // Into memory, and each row has as many cells.
        let _ = writer.write_record(&row);
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

fn row(job: &Job, zone: &TimeZone) -> [String; 18] {
    let time = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let image = job.image.as_ref();
    let or_nothing = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        time(job.began),
        job.ended.map(time).unwrap_or_default(),
        words::length(job).map(|length| length.as_secs().to_string()).unwrap_or_default(),
        words::computer(job),
        job.mac.to_string(),
        or_nothing(&job.product),
        or_nothing(&job.firmware),
        words::entry(job),
        image.map(|image| image.file.clone()).unwrap_or_default(),
        image.and_then(|image| image.checksum.clone()).unwrap_or_default(),
        words::result(job),
        super::wording::stage(job.stage).to_owned(),
        or_nothing(&job.cause),
        or_nothing(&job.operator),
        or_nothing(&job.note),
        or_nothing(&job.uuid),
        job.ip.map(|ip| ip.to_string()).unwrap_or_default(),
        job.bytes.to_string(),
    ]
    .map(|cell| inert(&cell))
}

/// A cell that no spreadsheet takes for a formula. Where lists are separated by semicolons, what is behind one is a cell
/// of its own.
fn inert(cell: &str) -> String {
    let plain = text::plain(cell, MAX_CELL);
    let part = |part: &str| {
        let is_formula = part.trim_start_matches([' ', '"']).starts_with(FORMULA);
        if is_formula { format!("'{part}") } else { part.to_owned() }
    };
    plain.split(';').map(part).collect::<Vec<_>>().join(";")
}

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    jobs: Vec<Shown<'a>>,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    job: &'a Job,
    /// How long it took, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u64>,
    /// What came of it, in words.
    words: String,
}

/// The same for programs.
pub fn json(jobs: &[&Job]) -> String {
    let jobs = jobs.iter().map(|job| {
        let seconds = words::length(job).map(|length| length.as_secs());
        Shown { job, seconds, words: words::result(job) }
    });
    let document = Document { version: 1, jobs: jobs.collect() };
    // Nothing in it can fail to be written.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// Lines for a terminal.
pub fn lines(jobs: &[&Job], zone: &TimeZone) -> String {
    let line = |job: &&Job| {
        let began = job.began.to_zoned(zone.clone());
        let length = words::length(job).map_or_else(|| "-".to_owned(), words::clock);
        let booted = Some(words::booted(job)).filter(|booted| !booted.is_empty());
        let signed = job.operator.as_ref().map(|operator| format!("by {operator}"));
        let note = job.note.as_ref().map(|note| format!("note: {note}"));
        let name = job.product.clone();
        let parts = [name, booted, Some(words::result(job)), signed, note].into_iter().flatten();
        let parts: Vec<String> = parts.map(|part| text::plain(&part, MAX_CELL)).collect();
        format!("{}  {:>7}  {}  {}\n", began.strftime("%Y-%m-%d %H:%M:%S"), length, job.mac, parts.join(" · "))
    };
    jobs.iter().map(line).collect()
}
