//! `bootwright approve` and `bootwright refuse`: the technician's word about computers that wait for it.

use std::path::{Path, PathBuf};

use super::{Status, out, out_json, running};
use crate::boot::approval::{Waiting, Which};
use crate::deployment::Places;
use crate::engine::control::{Reply, Request};

/// Which computer, and where the services are.
#[derive(Debug, clap::Args)]
pub(super) struct Approve {
    /// The code on its screen, or its network card; without one those who wait are listed
    #[arg(value_name = "CODE|MAC")]
    which: Option<Which>,
    /// Where the services keep their state
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// List them as JSON
    #[arg(long, conflicts_with = "which")]
    json: bool,
}

/// The same for a refusal.
#[derive(Debug, clap::Args)]
pub(super) struct Refuse {
    /// The code on its screen, or its network card
    #[arg(value_name = "CODE|MAC")]
    which: Which,
    /// Where the services keep their state
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

pub(super) fn approve(options: Approve) -> Status {
    let state = state(options.state_dir);
    match options.which {
        Some(which) => decide(&state, &Request::Approve { which }, "may have the menu"),
        None => list(&state, options.json),
    }
}

pub(super) fn refuse(options: Refuse) -> Status {
    decide(&state(options.state_dir), &Request::Refuse { which: options.which }, "is sent to its own disk")
}

fn state(named: Option<PathBuf>) -> PathBuf {
    named.unwrap_or_else(|| Places::of_this_user().state)
}

fn decide(state: &Path, request: &Request, what: &str) -> Status {
    let Some(replies) = ask(state, request) else { return Status::Cannot };
    let decided = replies.iter().find_map(|reply| if let Reply::Decided { mac } = reply { Some(mac) } else { None });
    if let Some(mac) = decided {
        out(&format!("{mac} {what}.\n"));
        return Status::Done;
    }
    for reply in replies {
        if let Reply::Refused { reason } = reply {
            eprintln!("{reason} `bootwright approve` alone lists those that wait.");
        }
    }
    Status::Wrong
}

fn list(state: &Path, json: bool) -> Status {
    let Some(replies) = ask(state, &Request::Waiting) else { return Status::Cannot };
    let (mut all, mut asked) = (Vec::new(), false);
    for reply in replies {
        if let Reply::Waiting { asking, computers } = reply {
            asked |= asking;
            all.extend(computers);
        }
    }
    if json {
        out_json(&all);
    } else {
        out(&text(&all, asked));
    }
    Status::Done
}

fn text(waiting: &[Waiting], asked: bool) -> String {
    if !asked {
        return "Nobody is asked about: every computer gets the menu. `bootwright serve --ask-first` asks.\n"
            .to_owned();
    }
    if waiting.is_empty() {
        return "No computer waits.\n".to_owned();
    }
    let line = |waiting: &Waiting| {
        let product = waiting.product.as_ref().map(|product| format!("  {product}")).unwrap_or_default();
        format!("{}  {}{product}\n", waiting.code, waiting.mac)
    };
    waiting.iter().map(line).collect()
}

/// What the services say; nothing, and a word about it, where none run.
fn ask(state: &Path, request: &Request) -> Option<Vec<Reply>> {
    match running::ask(state, request) {
        Ok(replies) if !replies.is_empty() => return Some(replies),
        Ok(_) => eprintln!(
            "No services run that keep their state in {}. Name their folder with --state-dir.",
            state.display()
        ),
        Err(error) => eprintln!("The services cannot be asked ({error})."),
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_is_listed_with_what_its_screen_shows() {
        let waiting = |product: Option<&str>| Waiting {
            mac: "52:54:00:77:01:01".parse().unwrap(),
            product: product.map(str::to_owned),
            code: "0421".parse().unwrap(),
        };
        let both = [waiting(Some("OptiPlex")), waiting(None)];
        assert_eq!(text(&both, true), "0421  52:54:00:77:01:01  OptiPlex\n0421  52:54:00:77:01:01\n");
        assert_eq!(text(&[], true), "No computer waits.\n");
        assert!(text(&[], false).contains("--ask-first"));
    }
}
