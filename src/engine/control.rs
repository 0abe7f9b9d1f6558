//! What running services are asked for, by whoever started them and by other programs of the same user.

use std::future::pending;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, mpsc, oneshot, watch as flag};

use super::{Error, Services, Trace, double};
use crate::boot::approval::{Undecided, Waiting, Which};
use crate::dhcp::Guests;
use crate::journal::job::Sheet;
use crate::journal::{Computer, wording};
use crate::mac::Mac;
use crate::net::door::{self, Door, Guest};

/// Most questions that wait for an answer.
const MOST_WAITING: usize = 64;
/// Most guests at once.
const MOST_GUESTS: usize = 8;
/// How long nobody is let in after an error.
const PAUSE: Duration = Duration::from_millis(100);

/// What they can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Request {
    /// Who they are.
    Status,
    /// Let a computer begin with the usual loader again, whatever it refused.
    Forget {
        /// The computer.
        mac: Mac,
        /// Whether all else that is known of it is forgotten as well: its approval, and which entries that start once it
        /// has begun.
        all: bool,
    },
    /// What a rehearsal needs.
    Rehearse {
        /// What.
        question: double::Ask,
    },
    /// Who waits for approval.
    Waiting,
    /// Let a computer have its menu.
    Approve {
        /// The computer.
        which: Which,
    },
    /// Send a computer to its own disk.
    Refuse {
        /// The computer.
        which: Which,
    },
    /// Answer a computer never, or again.
    Answer {
        /// The computer.
        mac: Mac,
        /// Whether it is answered again.
        again: bool,
    },
    /// Answer these from now on, and no others.
    Guests {
        /// Who.
        guests: Guests,
    },
    /// The packets that passed.
    Trace {
        /// Those of this computer; all where it is none.
        mac: Option<Mac>,
        /// Whether hardware addresses are told only as far as their maker.
        anonymous: bool,
    },
}

/// What they answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum Reply {
    /// It is done.
    Done,
    /// Who they are.
    Status {
        /// The interface that is served.
        interface: String,
        /// Bootwright's version.
        version: String,
    },
    /// What a rehearsal asked for.
    Rehearsed {
        /// What they say to it.
        answer: double::Reply,
    },
    /// Who waits for approval.
    Waiting {
        /// Whether strangers are asked about at all.
        asking: bool,
        /// The computers.
        computers: Vec<Waiting>,
    },
    /// It is decided about this computer.
    Decided {
        /// The computer.
        mac: Mac,
    },
    /// It cannot be done.
    Refused {
        /// Why: a sentence.
        reason: String,
    },
    /// The packets that passed.
    Trace {
        /// As Wireshark reads them: the bytes of a file as hexadecimal digits.
        pcapng: String,
        /// As people read them, beside what was said of the computers.
        text: String,
    },
}

/// A question on its way, and where its answer goes.
pub(super) type Asked = (Request, oneshot::Sender<Reply>);

/// Asks running services for something, from wherever their stream is not at hand. Dropping it asks nothing.
#[derive(Clone, Debug)]
pub struct Control {
    stop: flag::Sender<bool>,
    asked: mpsc::Sender<Asked>,
    trace: Trace,
    sheet: Arc<Mutex<Sheet>>,
}

/// The other ends of a [`Control`].
pub(super) struct Ends {
    pub(super) stopped: flag::Receiver<bool>,
    pub(super) asked: mpsc::Receiver<Asked>,
}

impl Control {
    pub(super) fn new() -> (Control, Ends) {
        let (stop, stopped) = flag::channel(false);
        let (sender, asked) = mpsc::channel(MOST_WAITING);
        (Control { stop, asked: sender, trace: Trace::default(), sheet: Arc::default() }, Ends { stopped, asked })
    }

    /// Asks for the end. The stream still brings what happened last, and ends when ports are free and leases are saved.
    pub fn stop(&self) {
        // It may have ended by itself meanwhile.
        let _ = self.stop.send(true);
    }

    /// Asks for something; `None` where the services have ended.
    pub async fn ask(&self, request: Request) -> Option<Reply> {
        let (reply, answer) = oneshot::channel();
        self.asked.send((request, reply)).await.ok()?;
        answer.await.ok()
    }

    /// The packets that passed, the latest ones.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// What a computer did.
    pub fn computer(&self, mac: Mac) -> Option<Computer> {
        self.sheet.lock().ok()?.journal().computer(mac).cloned()
    }

    /// The packets of a computer, or of all: no affair of the services themselves, which go on meanwhile.
    async fn traced(&self, mac: Option<Mac>, anonymous: bool) -> Reply {
        let (trace, computers) = (self.trace.clone(), self.computers(mac));
        let written = tokio::task::spawn_blocking(move || trace.written(mac, &computers, anonymous));
        match written.await {
            Ok((pcapng, text)) => {
                Reply::Trace { pcapng: pcapng.iter().map(|byte| format!("{byte:02x}")).collect(), text }
            }
            Err(error) => refused(&format!("The packets cannot be written ({error}).")),
        }
    }

    fn computers(&self, mac: Option<Mac>) -> Vec<Computer> {
        let Ok(sheet) = self.sheet.lock() else { return Vec::new() };
        let wanted = |computer: &&Computer| mac.is_none_or(|mac| computer.mac == mac);
        sheet.journal().computers().filter(wanted).cloned().collect()
    }

    pub(super) fn sheet(&self) -> Arc<Mutex<Sheet>> {
        Arc::clone(&self.sheet)
    }

    /// Asks for something whose answer nobody waits for.
    pub fn tell(&self, request: Request) {
        let (reply, _) = oneshot::channel();
        // They may have ended, or are asked for too much at once, as no person asks.
        let _ = self.asked.try_send((request, reply));
    }
}

/// Asks the services whose door is at this path ([`crate::deployment::Plan::control_file`]).
///
/// # Errors
/// Nobody is there, or it does not answer as services do.
pub async fn ask(path: &Path, request: &Request) -> io::Result<Reply> {
    let answer = door::ask(path, &serde_json::to_vec(request)?).await?;
    Ok(serde_json::from_slice(&answer)?)
}

/// Lets guests ask, until it is dropped. Without a door nobody comes.
pub(super) async fn run(door: Option<Door>, control: Control) -> Result<(), Error> {
    let Some(door) = door else { return pending().await };
    let room = Arc::new(Semaphore::new(MOST_GUESTS));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return pending().await };
        let Ok(guest) = door.guest().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let control = control.clone();
        tokio::spawn(async move {
            // A guest that goes away before its answer does not want it.
            let _ = receive(guest, &control).await;
            drop(place);
        });
    }
}

async fn receive(mut guest: Guest, control: &Control) -> io::Result<()> {
    let question = guest.question().await?;
    let reply = match serde_json::from_slice(&question) {
        Ok(Request::Trace { mac, anonymous }) => control.traced(mac, anonymous).await,
        Ok(request) => control.ask(request).await.unwrap_or_else(|| refused("The services have ended.")),
        Err(error) => refused(&format!("That is no question ({error}).")),
    };
    guest.answer(&serde_json::to_vec(&reply)?).await
}

fn refused(reason: &str) -> Reply {
    Reply::Refused { reason: reason.to_owned() }
}

/// Does what is asked for.
pub(super) async fn answer(services: &Services, request: Request) -> Reply {
    match request {
        Request::Status => {
            Reply::Status { interface: services.plan.interface.clone(), version: env!("CARGO_PKG_VERSION").to_owned() }
        }
        Request::Forget { mac, all } => {
            services.rungs.forget(mac);
            if all {
                services.locks.forget(mac);
                services.gate.forget(mac);
            }
            Reply::Done
        }
        Request::Waiting => {
            Reply::Waiting { asking: services.gate.guests().borrow().ask, computers: services.gate.waiting() }
        }
        Request::Approve { which } => decided(services.gate.decide(which, true)),
        Request::Refuse { which } => decided(services.gate.decide(which, false)),
        Request::Answer { mac, again } => {
            services.gate.deny(mac, !again);
            Reply::Done
        }
        Request::Guests { guests } => {
            services.gate.admit(guests);
            Reply::Done
        }
        Request::Rehearse { question } => Reply::Rehearsed { answer: services.rehearse(question).await },
        // Guests get it without asking the services.
        Request::Trace { .. } => refused("The packets are with whoever started the services."),
    }
}

fn decided(decided: Result<Mac, Undecided>) -> Reply {
    decided.map_or_else(|objection| refused(&wording::undecided(objection)), |mac| Reply::Decided { mac })
}
