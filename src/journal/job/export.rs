//! A job sheet for others: CSV, JSON, a page to print, and lines for a terminal. What computers say of themselves is in
//! it, so each form is written such that no text can become a formula, a tag or a command.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::Serialize;

use super::{Job, Outcome, words};
use crate::text;

/// Longest text of a cell, in characters.
const MAX_CELL: usize = 600;
/// What makes a cell a formula (OWASP, CSV injection), and the same in full width.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
/// The look of the page: A4 across, rows that stay whole, the heading on each sheet.
const STYLE: &str = include_str!("export/page.css");

const COLUMNS: [&str; 16] = [
    "began", "ended", "seconds", "computer", "mac", "product", "firmware", "entry", "image", "checksum", "result",
    "stage", "cause", "operator", "note", "uuid",
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

fn row(job: &Job, zone: &TimeZone) -> [String; 16] {
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
    ]
    .map(|cell| inert(&cell))
}

/// A cell that no spreadsheet takes for a formula.
fn inert(cell: &str) -> String {
    let plain = text::plain(cell, MAX_CELL);
    if plain.starts_with(FORMULA) { format!("'{plain}") } else { plain }
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

/// A page to print, on its own: nothing is fetched for it. `now` says when it was made, and in which zone times are.
pub fn page(jobs: &[&Job], now: &Zoned) -> String {
    let zone = now.time_zone();
    let day = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%d").to_string();
    let span = match (jobs.first(), jobs.last()) {
        (Some(first), Some(last)) if day(first.began) == day(last.began) => day(first.began),
        (Some(first), Some(last)) => format!("{} to {}", day(first.began), day(last.began)),
        _ => "no jobs".to_owned(),
    };
    let well = jobs.iter().filter(|job| words::is_well(job)).count();
    let mut operators: Vec<&str> = jobs.iter().filter_map(|job| job.operator.as_deref()).collect();
    operators.sort_unstable();
    operators.dedup();
    let signed = if operators.is_empty() { String::new() } else { format!(" · {}", escaped(&operators.join(", "))) };
    let rows: String = jobs.iter().map(|job| html_row(job, zone)).collect();
    let images = html_images(jobs);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>Job sheet {span}</title>\n<style>\n{STYLE}</style>\n\
         </head>\n<body>\n<header>\n<h1>Job sheet</h1>\n<p>{span}{signed}</p>\n<p class=\"sum\"><b>{count}</b> jobs, \
         <b>{well}</b> started, <b>{other}</b> to look at</p>\n</header>\n<table>\n<thead><tr><th>Time</th>\
         <th>Computer</th><th>Booted</th><th>Took</th><th>Result</th><th>Operator and note</th></tr></thead>\n<tbody>\n\
         {rows}</tbody>\n</table>\n{images}<footer>Made {made} by Bootwright {version}. Times are those of {offset}.</footer>\n\
         </body>\n</html>\n",
        count = jobs.len(),
        other = jobs.len() - well,
        made = now.strftime("%Y-%m-%d %H:%M"),
        version = env!("CARGO_PKG_VERSION"),
        offset = now.strftime("UTC%:z"),
    )
}

fn html_row(job: &Job, zone: &TimeZone) -> String {
    let began = job.began.to_zoned(zone.clone());
    let class = match job.result {
        _ if words::is_well(job) => "well",
        Outcome::Failed => "bad",
        _ => "open",
    };
    let small =
        |text: Option<String>| text.map(|text| format!("<small>{}</small>", escaped(&text))).unwrap_or_default();
    let mac = job.product.as_ref().map(|_| job.mac.to_string());
    let image = job.image.as_ref().map(|image| image.file.clone());
    format!(
        "<tr class=\"{class}\"><td>{date}<br>{time}</td><td>{computer}{mac}{firmware}</td><td>{entry}{image}</td>\
         <td class=\"took\">{took}</td><td class=\"result\">{result}</td><td>{operator}{note}</td></tr>\n",
        date = began.strftime("%Y-%m-%d"),
        time = began.strftime("%H:%M:%S"),
        computer = escaped(&words::computer(job)),
        mac = small(mac),
        firmware = small(job.firmware.clone()),
        entry = escaped(&words::entry(job)),
        image = small(image),
        took = words::length(job).map(words::clock).unwrap_or_default(),
        result = escaped(&text::capital(&words::result(job))),
        operator = job.operator.as_ref().map(|name| format!("<b>{}</b> ", escaped(name))).unwrap_or_default(),
        note = job.note.as_ref().map(|note| escaped(note)).unwrap_or_default(),
    )
}

/// The images of all jobs, each once, with their checksums, which are too long for the table.
fn html_images(jobs: &[&Job]) -> String {
    let mut images: Vec<_> = jobs.iter().filter_map(|job| job.image.as_ref()).collect();
    images.sort_by(|a, b| (&a.file, &a.checksum).cmp(&(&b.file, &b.checksum)));
    images.dedup();
    let item = |image: &&super::Image| {
        let checksum = image.checksum.as_deref().unwrap_or("checksum not computed");
        format!(
            "<li><b>{}</b> {}<br><code>{}</code></li>\n",
            escaped(&image.file),
            escaped(&image.title),
            escaped(checksum)
        )
    };
    let items: String = images.iter().map(item).collect();
    if items.is_empty() { items } else { format!("<section>\n<h2>Images</h2>\n<ul>\n{items}</ul>\n</section>\n") }
}

/// Text as it stands in HTML, in elements and attributes alike.
fn escaped(text: &str) -> String {
    let plain = text::plain(text, MAX_CELL);
    let mut safe = String::with_capacity(plain.len());
    for character in plain.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
