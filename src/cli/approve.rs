//! `bootwright approve` and `bootwright refuse`: the technician's word about computers that wait for it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Status, complain, out, out_json, running};
use crate::boot::approval::{Code, Waiting, Which};
use crate::deployment::{self, Places};
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
        Some(which) => decide(&state, which, true),
        None => list(&state, options.json),
    }
}

pub(super) fn refuse(options: Refuse) -> Status {
    decide(&state(options.state_dir), options.which, false)
}

fn state(named: Option<PathBuf>) -> PathBuf {
    named.unwrap_or_else(|| Places::of_this_user().state)
}

/// What running services said, each with its door.
type Replies = Vec<(PathBuf, Reply)>;

/// Services that do not know of each other may show the same code, so a code is for the one that shows it.
fn decide(state: &Path, which: Which, approved: bool) -> Status {
    let mut doors = deployment::control_files(state);
    if let Which::Code(code) = which {
        let Some(waiting) = ask(state, &doors, &Request::Waiting) else { return Status::Cannot };
        let shown = showing(code, &waiting);
        if let [_, _, ..] = shown.as_slice() {
            complain(&several(code, &shown, state, approved));
            return Status::Wrong;
        }
        // One that nobody shows is answered by all of them.
        if let [(door, _)] = shown.as_slice() {
            doors = vec![door.to_path_buf()];
        }
    }
    let request = if approved { Request::Approve { which } } else { Request::Refuse { which } };
    let Some(replies) = ask(state, &doors, &request) else { return Status::Cannot };
    let decided =
        replies.iter().find_map(|(_, reply)| if let Reply::Decided { mac } = reply { Some(mac) } else { None });
    if let Some(mac) = decided {
        out(&format!("{mac} {}.\n", if approved { "may have the menu" } else { "is sent to its own disk" }));
    }
    let refusals: BTreeSet<&str> = replies
        .iter()
        .filter_map(|(_, reply)| if let Reply::Refused { reason } = reply { Some(reason.as_str()) } else { None })
        .collect();
    let hint = if matches!(which, Which::Code(_)) { " `bootwright approve` alone lists those that wait." } else { "" };
    refusals.iter().for_each(|reason| complain(&format!("{reason}{hint}")));
    if decided.is_some() { Status::Done } else { Status::Wrong }
}

/// Those whose screens show a code.
fn showing(code: Code, replies: &Replies) -> Vec<(&Path, &Waiting)> {
    let all = replies.iter().filter_map(|(door, reply)| match reply {
        Reply::Waiting { computers, .. } => Some((door, computers)),
        _ => None,
    });
    let all = all.flat_map(|(door, computers)| computers.iter().map(move |waiting| (door.as_path(), waiting)));
    all.filter(|(_, waiting)| waiting.code == code).collect()
}

fn several(code: Code, shown: &[(&Path, &Waiting)], state: &Path, approved: bool) -> String {
    let line = |(door, waiting): &(&Path, &Waiting)| {
        let product = waiting.product.as_ref().map(|product| format!(" ({product})")).unwrap_or_default();
        format!("{}{product} on {}", waiting.mac, deployment::interface_of(door))
    };
    let lines: Vec<String> = shown.iter().map(line).collect();
    format!(
        "{code} is shown by {}. Several services keep their state in {}, so name the computer by its address: \
         `bootwright {} MAC`.",
        lines.join(" and by "),
        state.display(),
        if approved { "approve" } else { "refuse" },
    )
}

fn list(state: &Path, json: bool) -> Status {
    let doors = deployment::control_files(state);
    let Some(replies) = ask(state, &doors, &Request::Waiting) else { return Status::Cannot };
    let (mut all, mut asked) = (Vec::new(), false);
    for (_, reply) in replies {
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
fn ask(state: &Path, doors: &[PathBuf], request: &Request) -> Option<Replies> {
    match running::ask_each(doors, request) {
        Ok(replies) if !replies.is_empty() => return Some(replies),
        Ok(_) => complain(&format!(
            "No services run that keep their state in {}. Name their folder with --state-dir.",
            state.display()
        )),
        Err(error) => complain(&format!("The services cannot be asked ({error}).")),
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

    #[test]
    fn a_code_that_two_services_show_is_for_neither() {
        let computer =
            |mac: &str, code: &str| Waiting { mac: mac.parse().unwrap(), product: None, code: code.parse().unwrap() };
        let said = |computers| Reply::Waiting { asking: true, computers };
        let door = |name: &str| PathBuf::from(format!("/state/control-{name}.sock"));
        let replies = vec![
            (door("eth0"), said(vec![computer("52:54:00:77:01:01", "0421"), computer("52:54:00:77:01:02", "0422")])),
            (door("eth1"), said(vec![computer("52:54:00:77:02:01", "0421")])),
        ];
        let shows = |code: &str| showing(code.parse().unwrap(), &replies);
        assert_eq!((shows("0422").len(), shows("0422")[0].0, shows("0423").len()), (1, door("eth0").as_path(), 0));
        let sentence = several("0421".parse().unwrap(), &shows("0421"), Path::new("/state"), true);
        let expected = "0421 is shown by 52:54:00:77:01:01 on eth0 and by 52:54:00:77:02:01 on eth1. Several services";
        assert!(sentence.starts_with(expected) && sentence.ends_with("`bootwright approve MAC`."), "{sentence}");
    }
}
