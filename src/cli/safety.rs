//! `bootwright safety`: what protects the network while computers boot from it, and what to do about the rest.

use std::path::Path;

use serde::Serialize;

use super::{Serve, Status, out, out_json, running, serve};
use crate::answer::{self, Answers};
use crate::check::lockdown::{self, Facts, Line};
use crate::deployment::Places;
use crate::engine::control::{Reply, Request};
use crate::text;

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
        false => {
            out(&lockdown::told(&lines));
            let state = settings.state_dir.clone().unwrap_or_else(|| Places::of_this_user().state);
            for interface in running_on(&state) {
                out(&format!(
                    "Services run on {interface}. Their own options count there; the window shows them under Safety.\n"
                ));
            }
        }
    }
    Status::Done
}

/// The interfaces on which services run that keep their state here; those that do not answer are not among them.
fn running_on(state: &Path) -> Vec<String> {
    let replies = running::ask(state, &Request::Status).unwrap_or_default();
    let interface = |reply| match reply {
        Reply::Status { interface, .. } => Some(text::plain(&interface, 40)),
        _ => None,
    };
    replies.into_iter().filter_map(interface).collect()
}

fn readable_passwords(settings: &answer::Settings) -> Option<usize> {
    Some(Answers::load(settings).ok()?.with_readable_passwords())
}
