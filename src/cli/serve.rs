//! `bootwright serve`: the services without a window.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Output, Serve, Status, complain, complain_of_recipes};
use crate::check::diagnosis::{Surroundings, Watch};
use crate::check::{self, Finding, Verdict};
use crate::deployment::{DhcpPlan, Firewall, LogForm, Places, Plan, PlanError, Settings, parse_duration};
use crate::engine::{self, Listening, Meanwhile, Update};
use crate::journal::{Event, Journal, Note, What, wording};
use crate::net::firewall::{self as net_firewall, Passage};
use crate::net::{awake, interface};

/// How long each of two things may take at the end: saving leases and telling the last events, and reads from disk that
/// are under way. With the wait for a reader of the log ([`Output`]) it stays below the 2 s that a stop may take.
const GRACE: Duration = Duration::from_millis(600);
/// How often computers are looked at that say nothing.
const LOOK: Duration = Duration::from_secs(1);

pub(super) fn run(options: Serve) -> Status {
    complain_of_recipes();
    let (deployment, trace) = (options.deployment.clone(), options.trace.clone());
    let mut printer = Printer { log: options.log.unwrap_or(LogForm::Text), output: Output::start() };
    let asked = settings(options.settings(), deployment).and_then(|settings| {
        printer.log = settings.log.unwrap_or(printer.log);
        let duration = settings.duration.as_deref().map(parse_duration).transpose()?;
        let firewall = settings.firewall.unwrap_or_default();
        Ok((settings.plan(&interface::list(), Places::of_this_user())?, duration, firewall))
    });
    let (mut plan, duration, firewall) = match asked {
        Ok(asked) => asked,
        Err(error) => return printer.fail(&check::explain_plan(&error).sentence(), status(&error)),
    };
    plan.records.trace = trace;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return printer.fail(&format!("No threads can be started ({error})."), Status::Cannot),
    };
    let status = runtime.block_on(serve(&plan, (duration, firewall), &printer));
    runtime.shutdown_timeout(GRACE);
    status
}

/// What these options and their deployment ask for; nothing where that cannot be read, which has been told then.
pub(super) fn asked(options: Serve) -> Option<Settings> {
    let deployment = options.deployment.clone();
    let settings = settings(options.settings(), deployment);
    settings.map_err(|error| complain(&check::explain_plan(&error).sentence())).ok()
}

/// The saved deployment with these options on top.
pub(super) fn settings(options: Settings, deployment: Option<PathBuf>) -> Result<Settings, PlanError> {
    let saved = deployment.map(|path| Settings::load(&path)).transpose()?.unwrap_or_default();
    Ok(saved.overridden_by(options))
}

/// What is wrong in itself is a wrong argument; what this machine lacks keeps it from serving.
pub(super) fn status(error: &PlanError) -> Status {
    match error {
        PlanError::UnknownInterface { .. } | PlanError::NoAddress { .. } | PlanError::NoRoom { .. } => Status::Cannot,
        _ => Status::Wrong,
    }
}

async fn serve(plan: &Plan, (duration, firewall): (Option<Duration>, Firewall), printer: &Printer) -> Status {
    let mut stop = match Stop::new(duration) {
        Ok(stop) => stop,
        Err(error) => return printer.fail(&format!("Signals cannot be received ({error})."), Status::Cannot),
    };
    let mut running = engine::run(plan);
    let mut meanwhile = Meanwhile::default();
    let mut teller = Teller { printer, journal: Journal::default(), watch: Watch::default(), around: None };
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let update = tokio::select! {
            update = running.next() => update,
            _ = look.tick() => {
                teller.look();
                continue;
            }
            () = stop.asked() => {
                let last = tokio::time::timeout(GRACE, running.stop()).await.unwrap_or_default();
                last.iter().for_each(|event| teller.tell(event));
                if meanwhile.end().await {
                    printer.service(Note::Arranged { sentence: check::gate_closed(&plan.interface) });
                }
                printer.service(Note::Stopped);
                return Status::Done;
            }
        };
        match update {
            Some(Update::Listening(listening)) => {
                teller.around = Some(Surroundings::of(plan, &listening, Timestamp::now()));
                let findings = arrange(plan, &listening, firewall);
                tokio::select! {
                    (begun, findings) = findings => {
                        meanwhile = begun;
                        printer.listening(plan, *listening, &findings);
                    }
                    // What was begun ends with this.
                    () = stop.asked() => {
                        let _ = tokio::time::timeout(GRACE, running.stop()).await;
                        printer.service(Note::Stopped);
                        return Status::Done;
                    }
                }
            }
            Some(Update::Events(events)) => {
                events.iter().for_each(|event| teller.tell(event));
                teller.look();
            }
            Some(Update::Failed(error)) => {
                let status = match error {
                    engine::Error::NoDefault { .. } | engine::Error::NoOnce { .. } => Status::Wrong,
                    _ => Status::Cannot,
                };
                return printer.fail(&check::explain(&error).sentence(), status);
            }
            None => {
                let error = engine::Error::Broken("it ended without a word".to_owned());
                return printer.fail(&check::explain(&error).sentence(), Status::Cannot);
            }
        }
    }
}

/// Arranges what belongs to serving, and says what there is to know about this computer's firewall.
async fn arrange(plan: &Plan, listening: &Listening, firewall: Firewall) -> (Meanwhile, Vec<Finding>) {
    let (begun, arranged) = Meanwhile::begin(plan, listening, firewall).await;
    let mut findings = check::arranged(&arranged, &plan.interface, awake::power().is_portable);
    if firewall == Firewall::Leave {
        let ports = engine::incoming(plan.dhcp != DhcpPlan::Off, Some(listening.http_port));
        let passage = Passage::of(&plan.interface, &ports);
        let seen = check::firewall(&net_firewall::look(&passage).await, &passage, Firewall::Leave);
        findings.extend(Some(seen).filter(|seen| seen.verdict != Verdict::Pass));
    }
    (begun, findings)
}

/// Prints what happens, and what follows from it.
struct Teller<'a> {
    printer: &'a Printer,
    journal: Journal,
    watch: Watch,
    /// How computers are served, once they are.
    around: Option<Surroundings>,
}

impl Teller<'_> {
    fn tell(&mut self, event: &Event) {
        self.printer.print(event);
        self.watch.hear(event);
        if let Some(further) = self.journal.record(event) {
            self.printer.print(&further);
        }
    }

    /// Prints what is new of what keeps computers.
    fn look(&mut self) {
        let Some(around) = &self.around else { return };
        let new = self.watch.look(&self.journal, Timestamp::now(), around);
        new.iter().for_each(|event| self.printer.print(event));
    }
}

/// What ends the services: a signal, or their time.
struct Stop {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    until: Option<tokio::time::Instant>,
}

impl Stop {
    fn new(duration: Option<Duration>) -> std::io::Result<Stop> {
        #[cfg(unix)]
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Stop {
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate())?,
            #[cfg(unix)]
            interrupt: signal(SignalKind::interrupt())?,
            until: duration.and_then(|duration| tokio::time::Instant::now().checked_add(duration)),
        })
    }

    async fn asked(&mut self) {
        let until = self.until;
        let time = async {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            () = time => {}
        }
        #[cfg(not(unix))]
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            () = time => {}
        }
    }
}

struct Printer {
    log: LogForm,
    output: Output,
}

impl Printer {
    /// What is served, then the one line that scripts wait for.
    fn listening(&self, plan: &Plan, listening: Listening, arranged: &[Finding]) {
        engine::notes(plan, &listening).into_iter().for_each(|note| self.service(note));
        for finding in check::at_start(&listening) {
            self.service(Note::Warning { sentence: finding.sentence() });
        }
        arranged.iter().for_each(|finding| self.service(finding.note()));
        match self.log {
            LogForm::Text => self.output.line(&format!("bootwright: ready {}", listening.url)),
            LogForm::Json => self.service(Note::Ready { url: listening.url }),
        }
    }

    fn service(&self, note: Note) {
        self.print(&Event { time: Timestamp::now(), mac: None, ip: None, role: None, what: What::Service(note) });
    }

    fn print(&self, event: &Event) {
        let words = wording::line(event);
        match (self.log, words) {
            (LogForm::Text, Some(_)) if wording::is_minor(event) => {}
            (LogForm::Text, Some(words)) => {
                let time = event.time.to_zoned(TimeZone::system());
                self.output.line(&format!("{}  {words}", time.strftime("%H:%M:%S%.3f")));
            }
            (LogForm::Text, None) => {}
            (LogForm::Json, words) => {
                let line = Line { event, text: words.as_deref() };
                if let Ok(line) = serde_json::to_string(&line) {
                    self.output.line(&line);
                }
            }
        }
    }

    /// The end that nobody asked for: in the JSON log as well, and always on standard error.
    fn fail(&self, sentence: &str, status: Status) -> Status {
        if self.log == LogForm::Json {
            self.service(Note::Failed { sentence: sentence.to_owned() });
        }
        complain(sentence);
        status
    }
}

/// An event with its sentence.
#[derive(serde::Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    event: &'a Event,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}
