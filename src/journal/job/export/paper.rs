//! The page to print, for a customer or a folder: it is read in black and white, and signed by hand.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned, civil};

use super::super::{Image, Job, Outcome, OwnDisk, words};
use super::MAX_CELL;
use crate::mac::Mac;
use crate::text;

/// Its look: rows that stay whole, the heading and a page number on each sheet.
const STYLE: &str = include_str!("page.css");

/// The columns, with their shares of the width in percent.
const COLUMNS: [(&str, u32); 6] =
    [("Time", 9), ("Took", 8), ("Computer", 22), ("Booted", 24), ("Result", 20), ("Note", 17)];

/// A page on its own: nothing is fetched for it. `now` says when it was made, and in which zone times are.
pub fn page(jobs: &[&Job], now: &Zoned) -> String {
    let zone = now.time_zone();
    let days: BTreeSet<civil::Date> = jobs.iter().map(|job| day(job.began, zone)).collect();
    let span = match (days.first(), days.last()) {
        (Some(first), Some(last)) if first == last => first.to_string(),
        (Some(first), Some(last)) => format!("{first} to {last}"),
        _ => now.date().to_string(),
    };
    let signed: BTreeSet<Option<&str>> = jobs.iter().map(|job| job.operator.as_deref()).collect();
    let operators: Vec<String> = signed.iter().copied().flatten().map(escaped).collect();
    let (table, images) = (table(jobs, &days, zone, signed.len() > 1), images(jobs));
    let operator = if operators.is_empty() { String::new() } else { fact("Operator", &operators.join(", ")) };
    let facts = [fact("Date", &period(jobs, now)), operator, fact("Jobs", &sum(jobs))].concat();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" \
         content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>Job sheet {span}</title>\n<style>\n{STYLE}\
         @page {{ @bottom-left {{ content: \"Job sheet {span}\"; }} }}\n</style>\n</head>\n<body>\n<header>\n\
         <h1>Job sheet</h1>\n<dl>\n{facts}</dl>\n</header>\n{table}{images}<section class=\"sign\">\n\
         <p>Place and date</p><p>Name</p><p>Signature</p>\n</section>\n\
         <footer>Made {made} by Bootwright {version}. Times are those of {offset}.</footer>\n</body>\n</html>\n",
        made = now.strftime("%Y-%m-%d %H:%M"),
        version = env!("CARGO_PKG_VERSION"),
        offset = now.strftime("UTC%:z"),
    )
}

fn day(at: Timestamp, zone: &TimeZone) -> civil::Date {
    at.to_zoned(zone.clone()).date()
}

/// A line of the head; the text is escaped already.
fn fact(name: &str, text: &str) -> String {
    format!("<dt>{name}</dt><dd>{text}</dd>\n")
}

/// From when to when, such that no country reads it differently.
fn period(jobs: &[&Job], now: &Zoned) -> String {
    let zone = now.time_zone();
    let began = jobs.iter().map(|job| job.began).min().unwrap_or(now.timestamp()).to_zoned(zone.clone());
    let ended = jobs.iter().map(|job| job.ended.unwrap_or(job.began)).max().unwrap_or(now.timestamp());
    let ended = ended.to_zoned(zone.clone());
    let first = began.strftime("%-d %B %Y");
    match jobs {
        [] => first.to_string(),
        _ if began.date() == ended.date() => {
            format!("{first}, {} to {}", began.strftime("%H:%M"), ended.strftime("%H:%M"))
        }
        _ => format!("{first} to {}", ended.strftime("%-d %B %Y")),
    }
}

/// How many came to what.
fn sum(jobs: &[&Job]) -> String {
    if jobs.is_empty() {
        return "None".to_owned();
    }
    let computers = jobs.iter().map(|job| job.mac).collect::<BTreeSet<Mac>>().len();
    let count = |wanted: Verdict| jobs.iter().filter(|job| Verdict::of(job) == wanted).count();
    let several =
        |count: usize, one: &str, more: &str| format!("<b>{count}</b> {}", if count == 1 { one } else { more });
    format!(
        "{} on {}: <b>{}</b> started, <b>{}</b> failed, <b>{}</b> to look at",
        several(jobs.len(), "job", "jobs"),
        several(computers, "computer", "computers"),
        count(Verdict::Started),
        count(Verdict::Failed),
        count(Verdict::Look),
    )
}

/// What came of a job, in a word that needs no colour.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Started,
    Failed,
    Look,
}

impl Verdict {
    fn of(job: &Job) -> Verdict {
        match job.result {
            // An entry did not start before, or the computer was not let in.
            Outcome::OwnDisk if !job.entries.is_empty() || job.own_disk == Some(OwnDisk::Refused) => Verdict::Look,
            _ if words::is_well(job) => Verdict::Started,
            Outcome::Failed => Verdict::Failed,
            _ => Verdict::Look,
        }
    }

    /// Its class in the style, and its word.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Verdict::Started => ("well", "Started"),
            Verdict::Failed => ("bad", "Failed"),
            Verdict::Look => ("open", "To look at"),
        }
    }
}

/// The jobs, each day on its own where there are several.
fn table(jobs: &[&Job], days: &BTreeSet<civil::Date>, zone: &TimeZone, signed: bool) -> String {
    if jobs.is_empty() {
        return String::new();
    }
    let widths: String = COLUMNS.iter().map(|(_, share)| format!("<col style=\"width: {share}%\">")).collect();
    let names: String = COLUMNS.iter().map(|(name, _)| format!("<th scope=\"col\">{name}</th>")).collect();
    let body = |date: &civil::Date| {
        let rows = jobs.iter().filter(|job| day(job.began, zone) == *date).map(|job| row(job, zone, signed));
        let heading = format!(
            "<tr class=\"day\"><th scope=\"rowgroup\" colspan=\"{}\">{}</th></tr>\n",
            COLUMNS.len(),
            date.strftime("%A, %-d %B %Y")
        );
        let heading = if days.len() > 1 { heading } else { String::new() };
        format!("<tbody>\n{heading}{}</tbody>\n", rows.collect::<String>())
    };
    let bodies: String = days.iter().map(body).collect();
    format!("<table>\n<colgroup>{widths}</colgroup>\n<thead><tr>{names}</tr></thead>\n{bodies}</table>\n")
}

/// A job. Who was there is told where it is not the same for all.
fn row(job: &Job, zone: &TimeZone, signed: bool) -> String {
    let small = |text: Option<String>| {
        text.map(|text| format!("<small>{}</small>", escaped(&text::capital(&text)))).unwrap_or_default()
    };
    let (class, verdict) = Verdict::of(job).names();
    let detail = match job.result {
        // That its system started is what the word says.
        Outcome::HandedOver => None,
        Outcome::Failed => job.cause.clone(),
        _ => Some(words::result(job)),
    };
    let booted = Some(words::booted(job)).filter(|booted| !booted.is_empty());
    let file = job.image.as_ref().filter(|_| !job.entries.is_empty()).map(|image| &image.file);
    let mac = job.product.as_ref().map(|_| job.mac.to_string());
    let machine: Vec<String> = [mac, job.firmware.clone()].into_iter().flatten().collect();
    let operator = job.operator.as_ref().filter(|_| signed);
    format!(
        "<tr class=\"{class}\"><td class=\"time\">{time}</td><td class=\"time\">{took}</td>\
         <td>{computer}{machine}</td><td>{booted}{file}</td><td class=\"result\"><b>{verdict}</b>{detail}</td>\
         <td>{note}{operator}</td></tr>\n",
        time = job.began.to_zoned(zone.clone()).strftime("%H:%M:%S"),
        took = words::length(job).map_or("–".to_owned(), words::clock),
        computer = escaped(&words::computer(job)),
        machine = small(Some(machine.join(" · ")).filter(|machine| !machine.is_empty())),
        booted = booted.map_or("–".to_owned(), |booted| shown(job, &booted)),
        file = file.map(|file| format!("<small>{}</small>", escaped(file))).unwrap_or_default(),
        detail = small(detail),
        note = job.note.as_deref().map(escaped).unwrap_or_default(),
        operator = small(operator.map(|name| format!("by {name}"))),
    )
}

/// What was booted: names of files stay as they are.
fn shown(job: &Job, booted: &str) -> String {
    if job.entries.is_empty() { escaped(booted) } else { escaped(&text::capital(booted)) }
}

/// The images of all jobs, each once, with their checksums, which are too long for the table.
fn images(jobs: &[&Job]) -> String {
    let mut images: Vec<&Image> = jobs.iter().filter_map(|job| job.image.as_ref()).collect();
    images.sort_by(|a, b| (&a.file, &a.checksum).cmp(&(&b.file, &b.checksum)));
    images.dedup();
    let item = |image: &&Image| {
        let checksum = image.checksum.as_deref().unwrap_or("Checksum not computed");
        format!(
            "<li><b>{}</b> {}<code>{}</code></li>\n",
            escaped(&image.title),
            escaped(&image.file),
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
