//! `bootwright jobs`: what each computer booted, for a person, for a spreadsheet, for a program, on paper.

use std::io;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

use super::{Status, complain, out};
use crate::deployment::{Places, jobs_folder};
use crate::engine::jobs;
use crate::journal::job::{Book, Job, Line, export};
use crate::mac::Mac;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// As a table for spreadsheets
    #[arg(long, group = "form")]
    csv: bool,
    /// As JSON
    #[arg(long, group = "form")]
    json: bool,
    /// As a page to print
    #[arg(long, group = "form")]
    html: bool,
    /// Write it to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only what began on this day or later, like 2026-11-26
    #[arg(long, value_name = "DATE", value_parser = date)]
    since: Option<civil::Date>,
    /// Write something about the latest job of a computer. An empty text takes it away
    #[arg(long, num_args = 2, value_names = ["MAC", "TEXT"])]
    note: Vec<String>,
    /// Who is there from now on
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    /// The folder of the job sheet [default: in the state folder]
    #[arg(long, value_name = "FOLDER")]
    job_sheet: Option<PathBuf>,
    /// Where the services keep their state
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

fn date(text: &str) -> Result<civil::Date, String> {
    text.parse().map_err(|_| "it is no day like 2026-11-26".to_owned())
}

pub(super) fn run(options: Options) -> Status {
    let state = options.state_dir.clone().unwrap_or_else(|| Places::of_this_user().state);
    let Some(folder) = jobs_folder(options.job_sheet.clone(), &state) else {
        complain("The job sheet is off. Name its folder with --job-sheet.");
        return Status::Wrong;
    };
    let done = match (options.note.as_slice(), &options.operator) {
        ([], None) => show(&folder, &options),
        (note, operator) => write(&folder, note, operator.as_deref()),
    };
    let sentence = match done {
        Ok(()) => return Status::Done,
        Err(Trouble::NoMac(sentence)) => {
            complain(&sentence);
            return Status::Wrong;
        }
        Err(Trouble::NoJob(mac)) => {
            format!("There is no job of {mac} in {}. `bootwright jobs` lists those that there are.", folder.display())
        }
        Err(Trouble::File(error)) => format!(
            "The job sheet in {} cannot be used ({error}). Name another folder with --job-sheet.",
            folder.display()
        ),
    };
    complain(&sentence);
    Status::Cannot
}

/// What keeps it from being done.
enum Trouble {
    File(io::Error),
    NoMac(String),
    NoJob(Mac),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        Trouble::File(error)
    }
}

fn write(folder: &Path, note: &[String], operator: Option<&str>) -> Result<(), Trouble> {
    if let [mac, words] = note {
        let mac: Mac = mac.parse().map_err(|error| Trouble::NoMac(format!("{error}.")))?;
        let book = jobs::read(folder)?;
        let job = book.latest(mac).ok_or(Trouble::NoJob(mac))?;
        jobs::add(folder, &Line::note(&job.id, words))?;
    }
    if let Some(name) = operator {
        jobs::add(folder, &Line::operator(name, Timestamp::now()))?;
    }
    Ok(())
}

fn show(folder: &Path, options: &Options) -> Result<(), Trouble> {
    let (book, zone) = (jobs::read(folder)?, TimeZone::system());
    let wanted = jobs_since(&book, options.since, &zone);
    let text = match options {
        Options { csv: true, .. } => export::csv(&wanted, &zone),
        Options { json: true, .. } => export::json(&wanted),
        Options { html: true, .. } => export::page(&wanted, &Timestamp::now().to_zoned(zone)),
        _ if wanted.is_empty() => format!("There are no jobs in {}.\n", folder.display()),
        _ => export::lines(&wanted, &zone),
    };
    if book.unreadable > 0 {
        complain(&format!("{} lines of the job sheet could not be read and are left out.", book.unreadable));
    }
    match &options.output {
        Some(file) => std::fs::write(file, text)?,
        None => out(&text),
    }
    Ok(())
}

fn jobs_since<'a>(book: &'a Book, since: Option<civil::Date>, zone: &TimeZone) -> Vec<&'a Job> {
    let is_wanted = |job: &&Job| since.is_none_or(|since| job.began.to_zoned(zone.clone()).date() >= since);
    book.jobs().filter(is_wanted).collect()
}
