//! `bootwright safety`: what protects the network while computers boot from it, and what to do about the rest.

use serde::Serialize;

use super::{Serve, Status, out, out_json, serve};
use crate::answer::{self, Answers};
use crate::check::lockdown::{self, Facts, Line};

/// What is wanted.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    serve: Serve,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    lines: &'a [Line],
}

pub(super) fn run(options: Options) -> Status {
    let Some(settings) = serve::asked(options.serve) else { return Status::Wrong };
    let readable_passwords = readable_passwords(&settings.answers);
    let lines = lockdown::list(&Facts { settings: &settings, readable_passwords });
    match options.json {
        true => out_json(&Report { lines: &lines }),
        false => out(&lockdown::told(&lines)),
    }
    Status::Done
}

fn readable_passwords(settings: &answer::Settings) -> Option<usize> {
    Some(Answers::load(settings).ok()?.with_readable_passwords())
}
