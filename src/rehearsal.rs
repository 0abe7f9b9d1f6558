//! Rehearsals: a client of our own that boots as each firmware does, as far as the network goes, and reads every file that
//! an entry needs.
//!
//! Pure machines for what goes over the wire ([`dhcp`], [`tftp`]) and readers of scripts ([`ipxe`], [`grub`]); sockets in
//! [`driver`] alone. The services answer through a double ([`crate::engine::double`]), so that nothing is taken from a
//! real computer. What is found is typed here and worded in `check`.

pub mod dhcp;
pub mod driver;
pub mod files;
pub mod firmware;
pub mod grub;
pub mod ipxe;
mod report;
pub mod script;
pub mod tftp;
mod walk;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::engine::Control;
use crate::engine::control::{self, Request};
use crate::engine::double::{Ask, Private, Reply};
pub use firmware::Firmware;
pub use report::{Asked, By, Cell, Fault, Named, Outcome, Report, Row, Start};

/// A reply that takes its time.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<Reply, String>> + Send + 'a>>;

/// A way to the services that are rehearsed: those of this process, or of another one.
pub trait Line: Send + Sync {
    /// Asks them. What comes instead of a reply is a clause for people.
    fn ask(&self, ask: Ask) -> Answering<'_>;
}

impl Line for Private {
    fn ask(&self, ask: Ask) -> Answering<'_> {
        Box::pin(async move { Ok(self.answer(ask).await) })
    }
}

impl Line for Control {
    fn ask(&self, question: Ask) -> Answering<'_> {
        let ended = "the services have ended".to_owned();
        Box::pin(async { said(Control::ask(self, Request::Rehearse { question }).await.ok_or(ended)?) })
    }
}

/// Services of another process, by their [`crate::deployment::Plan::control_file`].
#[derive(Clone, Debug)]
pub struct Remote(pub PathBuf);

impl Line for Remote {
    fn ask(&self, question: Ask) -> Answering<'_> {
        Box::pin(async {
            said(control::ask(&self.0, &Request::Rehearse { question }).await.map_err(|error| error.to_string())?)
        })
    }
}

/// What services say to a rehearsal. The clause for people says why there is no reply.
fn said(reply: control::Reply) -> Result<Reply, String> {
    match reply {
        control::Reply::Rehearsed { answer } => Ok(answer),
        control::Reply::Refused { reason } => Err(reason),
        _ => Err("they answered something else".to_owned()),
    }
}

/// Rehearses these firmwares, all at once. Each that is done is told to `progress`. Must be called inside a tokio runtime.
pub async fn run(
    line: Arc<dyn Line>,
    wanted: &[Firmware],
    progress: Option<mpsc::UnboundedSender<Firmware>>,
) -> Report {
    let began = Instant::now();
    let files = Arc::new(files::Files::default());
    let mut walks = JoinSet::new();
    for &firmware in wanted {
        walks.spawn(walk::walk(Arc::clone(&line), Arc::clone(&files), firmware));
    }
    let mut done = Vec::new();
    while let Some(walked) = walks.join_next().await {
        let Ok((row, entries)) = walked else { continue };
        // Whoever wanted to know may be gone.
        let _ = progress.as_ref().map(|progress| progress.send(row.firmware));
        done.push((row, entries));
    }
    done.sort_by_key(|(row, _)| wanted.iter().position(|firmware| *firmware == row.firmware));
    let mut report = Report::default();
    for (row, entries) in done {
        for entry in entries {
            if report.entries.iter().all(|known| known.id != entry.id) {
                report.entries.push(entry);
            }
        }
        report.rows.push(row);
    }
    report.millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    report
}
