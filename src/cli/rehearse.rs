//! `bootwright rehearse`: boots as each firmware does, as far as the network goes, and tells what fails.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnet::Ipv4Net;
use serde::Serialize;

use super::serve::{settings, status};
use super::{Serve, Status, complain, complain_of_recipes, out, out_json};
use crate::check::{self, Finding};
use crate::deployment::{self, Places, Plan, PlanError, Settings};
use crate::engine::control::{self, Request};
use crate::engine::double::Private;
use crate::net::interface::{self, Interface, Kind};
use crate::rehearsal::{self, Cell, Firmware, Line, Outcome, Remote, Report, Row, Start};

/// What is wanted.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// What would be served. Without any of it, the services that run are rehearsed
    #[command(flatten)]
    serve: Serve,
    /// A firmware to play; repeatable [default: all]
    #[arg(long, value_name = "FIRMWARE")]
    firmware: Vec<Firmware>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The interface of a rehearsal that names none: an address on a cable of one's own.
const INVENTED: &str = "rehearsal";

pub(super) fn run(options: Options) -> Status {
    complain_of_recipes();
    let Options { serve, firmware, json } = options;
    let wanted = if firmware.is_empty() { Firmware::ALL.to_vec() } else { firmware };
    let state = serve.state_dir.clone().unwrap_or_else(|| Places::of_this_user().state);
    let plan = match plan(serve) {
        Ok(plan) => plan,
        Err(error) => {
            complain(&check::explain_plan(&error).sentence());
            return status(&error);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("No threads can be started ({error})."));
            return Status::Cannot;
        }
    };
    let report = runtime.block_on(async {
        let services: Arc<dyn Line> = match plan {
            Some(plan) => Arc::new(Private::start(&plan).await?),
            None => match running(&state).await {
                Some(services) => services,
                None => return Ok(None),
            },
        };
        Ok(Some(rehearsal::run(services, &wanted, None).await))
    });
    match report {
        Ok(Some(report)) => tell(&report, json),
        Ok(None) => {
            complain(
                "No services run here that could be rehearsed. Start them with `bootwright serve`, or say what would be \
                 served, for example with --image FILE.",
            );
            Status::Cannot
        }
        Err(error) => {
            let error: crate::engine::Error = error;
            complain(&check::explain(&error).sentence());
            Status::Cannot
        }
    }
}

/// The services of another process that use this state folder.
async fn running(state: &Path) -> Option<Arc<dyn Line>> {
    for path in deployment::control_files(state) {
        if control::ask(&path, &Request::Status).await.is_ok() {
            return Some(Arc::new(Remote(path)));
        }
    }
    None
}

/// What would be served; none where nothing is said of that, so that running services are meant.
fn plan(serve: Serve) -> Result<Option<Plan>, PlanError> {
    let deployment: Option<PathBuf> = serve.deployment.clone();
    let asked = serve.settings();
    let nothing = Settings { state_dir: asked.state_dir.clone(), ..Settings::default() };
    if deployment.is_none() && asked == nothing {
        return Ok(None);
    }
    let mut settings = settings(asked, deployment)?;
    let mut interfaces = interface::list();
    if settings.interface.is_none() {
        settings.interface = Some(INVENTED.to_owned());
        interfaces = vec![invented()];
    }
    settings.plan(&interfaces, Places::of_this_user()).map(Some)
}

/// An interface that is not there, for what is to be served somewhere one day.
fn invented() -> Interface {
    Interface {
        name: INVENTED.to_owned(),
        friendly_name: INVENTED.to_owned(),
        index: 0,
        kind: Kind::Wired,
        link: true,
        addresses: vec![Ipv4Net::new_assert([10, 77, 0, 1].into(), 24)],
        mac: None,
        speed_mbps: None,
        mtu: 1500,
        gateway: None,
    }
}

/// Prints what came of it.
fn tell(report: &Report, json: bool) -> Status {
    if json {
        out_json(&Told::of(report));
    } else {
        out(&text(report));
    }
    if report.faults().next().is_none() { Status::Done } else { Status::Cannot }
}

/// The report with its sentences.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    report: &'a Report,
    problems: Vec<Problem<'a>>,
}

#[derive(Serialize)]
struct Problem<'a> {
    firmware: Firmware,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<&'a str>,
    #[serde(flatten)]
    finding: Finding,
}

impl Told<'_> {
    fn of(report: &Report) -> Told<'_> {
        let problem = |(firmware, entry, fault)| Problem { firmware, entry, finding: check::explain_rehearsal(fault) };
        Told { report, problems: report.faults().map(problem).collect() }
    }
}

/// Two tables and the problems below: firmwares are columns, since there are fewer of them than entries.
fn text(report: &Report) -> String {
    let width = report.rows.iter().map(|row| row.firmware.name().len()).max().unwrap_or(0);
    let mut text = String::new();
    for (number, row) in report.rows.iter().enumerate() {
        let seconds = row.millis as f64 / 1000.0;
        text += &format!("{:>2}  {:<width$}  {seconds:>5.1} s  {}\n", number + 1, row.firmware.name(), line(row));
    }
    if !report.entries.is_empty() {
        let width = report.entries.iter().map(|entry| entry.id.len()).max().unwrap_or(0).max("entry".len());
        let numbers: String = (1..=report.rows.len()).map(|number| format!("{number:>4}")).collect();
        text += &format!("\n{:<width$}{numbers}\n", "entry");
        for entry in &report.entries {
            let cells: String =
                report.rows.iter().map(|row| format!("{:>4}", mark(row.entries.get(&entry.id)))).collect();
            text += &format!("{:<width$}{cells}\n", entry.id);
        }
        text += "ok: every file of it is there. -: not on this kind of computer. FAIL: see below.\n";
    }
    let told = check::failing(report);
    for failing in &told {
        let entry = failing.entry.as_ref().map(|entry| format!("{entry}: ")).unwrap_or_default();
        let names: Vec<&str> = failing.firmwares.iter().map(|firmware| firmware.name()).collect();
        text += &format!("\n{entry}{}\n    ({})\n", failing.finding.sentence(), names.join("; "));
    }
    let seconds = report.millis as f64 / 1000.0;
    text + &match told.len() {
        0 => format!("\nEverything starts that is served. It took {seconds:.1} s.\n"),
        1 => format!("\n1 problem. It took {seconds:.1} s.\n"),
        count => format!("\n{count} problems. It took {seconds:.1} s.\n"),
    }
}

fn some(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn line(row: &Row) -> String {
    match &row.outcome {
        Outcome::Ready => {
            let failed = row.entries.values().filter(|cell| matches!(cell.start, Start::Failed(_))).count();
            let files: usize = row.entries.values().map(|cell| cell.files).sum();
            let failed = if failed == 0 { String::new() } else { format!(", {failed} fail") };
            let way = row.loaders.first().map(|first| format!(" by {first}")).unwrap_or_default();
            match row.entries.len() {
                0 => format!("ok{way}"),
                count => {
                    format!("ok{way}: {}, {}{failed}", some(count, "entry", "entries"), some(files, "file", "files"))
                }
            }
        }
        Outcome::NotServed { reason } => format!("nothing for it here: {reason}"),
        Outcome::Failed(fault) => format!("FAIL: {}", check::explain_rehearsal(fault).title),
    }
}

fn mark(cell: Option<&Cell>) -> &'static str {
    match cell.map(|cell| &cell.start) {
        Some(Start::Starts) => "ok",
        Some(Start::Failed(_)) => "FAIL",
        Some(Start::NotHere { .. }) | None => "-",
    }
}
