//! `bootwright answer`: checks an answer file, and shows it filled in for a computer.

use std::path::PathBuf;

use super::{Status, complain, out};
use crate::answer::{self, Answers, Computer, Counters, Settings, Severity};
use crate::check;
use crate::mac::Mac;

/// The entry that the file is for, as far as this command goes.
const ENTRY: &str = "entry";

/// What is wanted.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The answer file
    file: PathBuf,
    /// A list of computers (CSV with a column mac, uuid or serial)
    #[arg(long, value_name = "FILE")]
    computers: Option<PathBuf>,
    /// Host names: in braces n, nn or nnn for a number, mac6 or serial, like lab-{nn}
    #[arg(long, value_name = "PATTERN")]
    host_name: Option<String>,
    /// The computer to fill it in for [default: the first of the list, else one that could ask]
    #[arg(long, value_name = "MAC")]
    mac: Option<Mac>,
}

pub(super) fn run(options: Options) -> Status {
    let settings = Settings {
        list: options.computers,
        host_name: options.host_name,
        entry: [(ENTRY.to_owned(), options.file)].into(),
        ..Settings::default()
    };
    let answers = match Answers::load(&settings) {
        Ok(answers) => answers,
        Err(error) => {
            complain(&check::explain_answers(&error).sentence());
            return Status::Wrong;
        }
    };
    let mut wrong = false;
    for (path, _, faults) in answers.faults() {
        for fault in faults {
            wrong |= fault.severity == Severity::Error;
            complain(&check::answer_fault(path, fault).sentence());
        }
    }
    let computer = computer(&answers, options.mac);
    match answers.render(ENTRY, &computer, &answer::sample_place(), &mut Counters::default()) {
        // Secrets are dots: a terminal keeps what it showed.
        Ok(rendered) => out(&format!("{}\n", rendered.preview().trim_end())),
        Err(error) => {
            complain(&check::explain_answers(&error).sentence());
            wrong = true;
        }
    }
    if wrong { Status::Wrong } else { Status::Done }
}

/// The computer with this address, as the list has it; else the first of the list.
fn computer(answers: &Answers, mac: Option<Mac>) -> Computer {
    let sample = answer::sample_computer();
    let rows = answers.roster().map(|roster| roster.rows()).unwrap_or_default();
    let row = match mac {
        Some(mac) => rows.iter().find(|row| row.mac == Some(mac)),
        None => rows.first(),
    };
    let listed = row.map_or(sample.clone(), |row| row.computer(&sample));
    Computer { mac: mac.unwrap_or(listed.mac), ..listed }
}
