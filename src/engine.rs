//! Runs the services: [`run`] binds every socket of a [`Plan`] before anything starts, then moves bytes between sockets
//! and machines until its stream is dropped, which closes everything.
//!
//! Holds sockets, tasks and the clock; no protocol rules and no sentences. Answering a computer never waits for whoever
//! reads the stream: events leave in batches, and are counted where there are too many.

mod bind;
pub mod control;
mod desk;
mod dhcp;
pub mod double;
mod events;
mod gate;
mod guard;
mod http;
pub mod jobs;
mod kept;
mod locks;
mod meanwhile;
mod notes;
pub mod probe;
mod router;
mod rungs;
mod tap;
mod tftp;
mod visit;
mod watch;

pub use control::Control;
pub use gate::{approved, forget_approved};
pub use locks::{begun, forget_begun};
pub use meanwhile::{Arranged, Meanwhile};
pub use notes::notes;
pub use rungs::{forget_remembered, remembered};
pub use tap::Trace;

use control::Ends;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::Stream;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use crate::answer::{AnswerError, Fault};
use crate::boot::Platform;
use crate::boot::loader::Loader;
use crate::boot::menu::Item;
use crate::boot::tree::{LoaderError, Role};
use crate::deployment::{DhcpPlan, Plan, Ports};
use crate::dhcp::Guests;
use crate::image::{DiscError, Inspection};
use crate::journal::job::Sheet;
use crate::journal::{Event, What};
use crate::mac::Mac;
use crate::net::door::Door;
use crate::net::platform;
use crate::net::ports::Transport;
use crate::net::privilege::{Request, UdpPort};
use crate::net::socket::{BindError, Hear, Sockets};

/// Why the services cannot run, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A port cannot be opened.
    #[error("cannot serve on {interface}")]
    Bind {
        /// The interface.
        interface: String,
        /// Which port, and why.
        #[source]
        source: BindError,
    },
    /// An image cannot be used.
    #[error("an image cannot be used")]
    Image(#[from] DiscError),
    /// An answer file cannot be used.
    #[error("an answer file cannot be used")]
    Answers(#[from] AnswerError),
    /// An answer file lies in the folder that is published.
    #[error("{file} is published")]
    AnswerPublished {
        /// The file.
        file: PathBuf,
    },
    /// An answer file is for an entry that cannot use one.
    #[error("{entry} takes no answer file")]
    AnswerEntry {
        /// The id that was given.
        entry: String,
        /// The ids of the entries that take one.
        able: Vec<String>,
    },
    /// A loader cannot be opened.
    #[error("a boot loader cannot be used")]
    Loader(#[from] LoaderError),
    /// There is not one loader.
    #[error("no boot loaders were found")]
    NoLoaders {
        /// Where they were looked for.
        folders: Vec<PathBuf>,
    },
    /// The default entry is not in the menu.
    #[error("there is no menu entry {wanted}")]
    NoDefault {
        /// What was asked for.
        wanted: String,
        /// The ids of the entries that there are.
        known: Vec<String>,
    },
    /// The published folder cannot be read.
    #[error("cannot publish {path}")]
    Files {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Leases cannot be kept.
    #[error("cannot keep leases in {path}")]
    Leases {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The numbers in host names cannot be kept.
    #[error("cannot keep host names in {path}")]
    Names {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// What is known of computers and loaders cannot be kept.
    #[error("cannot keep loaders in {path}")]
    Ladder {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Which computers were approved cannot be kept.
    #[error("cannot keep approved computers in {path}")]
    Approval {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// What computers have begun cannot be kept.
    #[error("cannot keep what began in {path}")]
    Once {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file for packets cannot be written.
    #[error("cannot write packets to {path}")]
    Trace {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// An entry that is to start once is not in the menu.
    #[error("there is no menu entry {wanted} to start once")]
    NoOnce {
        /// What was asked for.
        wanted: String,
        /// The ids of the entries that there are.
        known: Vec<String>,
    },
    /// The interface is gone.
    #[error("the interface {interface} is gone")]
    InterfaceGone {
        /// The interface.
        interface: String,
    },
    /// The interface has lost the address that we serve from.
    #[error("{interface} has lost its address")]
    AddressGone {
        /// The interface.
        interface: String,
        /// The address.
        address: std::net::Ipv4Addr,
    },
    /// A task of ours ended by itself; that is a fault of this program.
    #[error("a service ended unexpectedly: {0}")]
    Broken(String),
}

/// What is being served, once everything is bound.
#[derive(Debug)]
pub struct Listening {
    /// Where the tree begins, with a slash at its end; the port is always there.
    pub url: String,
    /// The HTTP port.
    pub http_port: u16,
    /// Why that is not the usual port, where it is not.
    pub port_taken: Option<BindError>,
    /// The TFTP port.
    pub tftp_port: u16,
    /// The port of the DHCP server, where there is one.
    pub dhcp_port: Option<u16>,
    /// The images, in the menu's order.
    pub images: Vec<Inspection>,
    /// The menu's entries.
    pub entries: Vec<Item>,
    /// Platforms that cannot boot for want of a loader.
    pub unserved: Vec<Platform>,
    /// Entries that are left out for want of another loader, which each of them names.
    pub lacking: Vec<(Item, Loader)>,
    /// The title of the entry that was to start by itself and does not, since it has a password.
    pub locked_default: Option<String>,
    /// What is wrong inside answer files, which are given nevertheless.
    pub answer_faults: Vec<(PathBuf, Fault)>,
    /// Whether free addresses are not probed before they are offered, since the right for it is missing.
    pub unprobed: bool,
    /// Whether other DHCP servers are noticed only by what computers say, since the right to listen for them is missing.
    pub unguarded: bool,
    /// Why computers are not told that there is no IPv6 router, where they are to be told.
    pub unadvertised: Option<String>,
}

/// What the stream of [`run`] brings, in this order: `Listening` once and `Events` from then on, or `Failed` at any time
/// as the last.
#[derive(Debug)]
pub enum Update {
    /// Everything is bound.
    Listening(Box<Listening>),
    /// What happened since the last batch.
    Events(Vec<Event>),
    /// The services have ended; nothing of them is left.
    Failed(Error),
}

/// Runs the services of a plan until the stream is dropped. Must be called inside a tokio runtime.
pub fn run(plan: &Plan) -> Running {
    run_with(plan, Sockets::default())
}

/// The same with sockets that were handed over; ports that are not among them are opened here. Those that the plan has no
/// use for are closed.
pub fn run_with(plan: &Plan, sockets: Sockets) -> Running {
    let (updates, stream) = mpsc::channel(16);
    let (control, ends) = Control::new();
    let (plan, own) = (plan.clone(), control.clone());
    let task = tokio::spawn(async move {
        if let Err(error) = serve(plan, sockets, updates.clone(), own, ends).await {
            // A reader that is gone does not want to know.
            let _ = updates.send(Update::Failed(error)).await;
        }
    });
    Running { stream, task, control }
}

/// What [`run`] will open, as a request for sockets that [`run_with`] takes over.
pub fn request(plan: &Plan) -> Request {
    let (udp, http) = ports(plan.dhcp != DhcpPlan::Off, plan.ports);
    Request {
        interface: plan.interface.clone(),
        own: plan.network.addr(),
        udp,
        // From here on anybody may open it, so nobody has to be asked.
        tcp: [http].into_iter().filter(|&port| port < 1024).collect(),
        address: None,
        // The helper knows no guests and would answer all.
        router: plan.advertises() && plan.guests == Guests::default(),
        guard: matches!(plan.dhcp, DhcpPlan::Full { .. }),
        firewall: Vec::new(),
    }
}

/// The ports that are opened: UDP, and the one of HTTP. Without DHCP only files are served.
pub fn ports(dhcp: bool, ports: Ports) -> (Vec<UdpPort>, u16) {
    let udp = |port, hear| UdpPort { port, hear };
    let all = [udp(ports.dhcp, Hear::All), udp(ports.pxe, Hear::All)].into_iter().filter(|_| dhcp);
    (all.chain([udp(ports.tftp, Hear::Own)]).collect(), ports.http.unwrap_or(crate::http::PORT))
}

/// What has to get in through this computer's firewall: all those ports. Where none was chosen for HTTP, the second one
/// follows the first, and one of the two is used.
pub fn incoming(dhcp: bool, http: Option<u16>) -> Vec<(Transport, u16)> {
    let (udp, tcp) = ports(dhcp, Ports { http, ..Ports::default() });
    let second = http.is_none().then_some((Transport::Tcp, crate::http::SECOND_PORT));
    udp.iter().map(|udp| (Transport::Udp, udp.port)).chain([(Transport::Tcp, tcp)]).chain(second).collect()
}

/// The running services. Dropping it ends them.
#[derive(Debug)]
pub struct Running {
    stream: mpsc::Receiver<Update>,
    task: JoinHandle<()>,
    control: Control,
}

impl Running {
    /// A handle to end the services with, or to ask them for something, while somebody else reads the stream.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Ends the services, and waits until their ports are free and leases are saved. Returns what happened last.
    pub async fn stop(mut self) -> Vec<Event> {
        self.control.stop();
        let mut last = Vec::new();
        while let Some(update) = self.stream.recv().await {
            if let Update::Events(events) = update {
                last.extend(events);
            }
        }
        let _ = (&mut self.task).await;
        last
    }
}

impl Stream for Running {
    type Item = Update;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Update>> {
        self.stream.poll_recv(context)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    plan: Plan,
    sockets: Sockets,
    updates: mpsc::Sender<Update>,
    control: Control,
    Ends { mut stopped, mut asked }: Ends,
) -> Result<(), Error> {
    platform::raise_file_limit();
    let bound = tokio::select! {
        bound = bind::everything(&plan, sockets) => bound?,
        // A disk that does not answer must not keep anybody from stopping.
        _ = stopped.wait_for(|&stopped| stopped) => return Ok(()),
    };
    // Whoever hears that the services are ready may ask them for something.
    let door = Door::open(&plan.control_file);
    let listening = Update::Listening(Box::new(bound.listening));
    if updates.send(listening).await.is_err() {
        return Ok(());
    }
    let (events, batches) = events::channel();
    let (trace, sheet) = (control.trace().clone(), control.sheet());
    trace.begins(bound.about);
    let (live, writing) = bound.trace.map(|(file, path)| tap::Live::start(&trace, file, path, events.clone())).unzip();
    if let Ok(mut sheet) = sheet.lock() {
        *sheet = Sheet::new(bound.catalogue);
    }
    let records = &plan.records;
    let writer = records.jobs.clone().map(|folder| jobs::Writer::start(folder, records.operator.clone()));
    let forward = tokio::spawn(events::forward(batches, updates, events::Record { sheet, writer }));
    // One task a service; when the set is dropped, all of them and their sockets go with it.
    let mut services = JoinSet::new();
    if let Some(aside) = bound.desk.as_ref().and_then(|(prepared, ..)| prepared.set_aside.as_ref()) {
        events.service(crate::journal::Note::NamesSetAside { path: aside.display().to_string() });
    }
    if let Err(error) = &door {
        let path = plan.control_file.display().to_string();
        events.service(crate::journal::Note::NoControl { path, reason: error.to_string() });
    }
    if let Some(aside) = &bound.ladder.set_aside {
        events.service(crate::journal::Note::LadderSetAside { path: aside.display().to_string() });
    }
    if let Some(aside) = &bound.approval.set_aside {
        events.service(crate::journal::Note::ApprovalSetAside { path: aside.display().to_string() });
    }
    if let Some(aside) = &bound.locks.set_aside {
        events.service(crate::journal::Note::OnceSetAside { path: aside.display().to_string() });
    }
    let gate = gate::Gate::new(bound.approval, plan.guests.clone(), events.clone());
    let gate = Arc::new(gate);
    let locks = Arc::new(locks::Locks::new(bound.locks, events.clone()));
    let rungs = rungs::Rungs::new(bound.ladder, &plan, bound.offer, Arc::clone(&gate), events.clone());
    let rungs = Arc::new(rungs);
    let (whois, mtu) = (Default::default(), bound.interface.mtu);
    let desk = bound.desk.map(|(prepared, menu, place)| desk::Desk::new(prepared, &menu, place));
    let desk = desk.map(Arc::new);
    let (doubles, wanted) = double::Doubles::live(&plan, bound.at);
    let doubles = Arc::new(doubles);
    let (double, private) = (None, false);
    let trace = trace.clone();
    let context = Services {
        events,
        tree: bound.tree,
        whois,
        desk,
        rungs,
        gate,
        locks,
        plan,
        mtu,
        doubles,
        double,
        private,
        trace,
    };
    let lease_file = bound.dhcp.as_ref().and_then(|dhcp| dhcp.full.as_ref()).map(|full| full.lease_file.clone());
    let (saver, saving) = lease_file.map(|path| dhcp::Saver::start(context.events.clone(), path)).unzip();
    if let Some(sockets) = bound.dhcp {
        services.spawn(dhcp::run(context.clone(), sockets, saver, wanted));
    }
    if let Some(socket) = bound.router {
        services.spawn(router::run(context.clone(), socket));
    }
    services.spawn(tftp::run(context.clone(), bound.interface.clone(), bound.tftp));
    services.spawn(http::run(context.clone(), bound.http));
    services.spawn(watch::run(context.clone(), bound.interface));
    services.spawn(control::run(door.ok(), control));
    let ended = loop {
        tokio::select! {
            ended = services.join_next() => break ended,
            // Asked to stop, or the reader is gone.
            _ = stopped.wait_for(|&stopped| stopped) => break None,
            // Whoever asked may be gone by now.
            Some((request, reply)) = asked.recv() => {
                let services = context.clone();
                tokio::spawn(async move { drop(reply.send(control::answer(&services, request).await)) });
            }
        }
    };
    drop(context);
    services.shutdown().await;
    drop(live);
    if let Some(writing) = writing {
        let _ = writing.await;
    }
    if let Some(saving) = saving {
        let _ = saving.await;
    }
    // Every sender is gone now, so this ends with the last event.
    let _ = forward.await;
    match ended {
        Some(Ok(ended)) => ended,
        Some(Err(error)) => Err(Error::Broken(error.to_string())),
        None => Ok(()),
    }
}

/// What every service needs.
#[derive(Clone, Debug)]
struct Services {
    plan: Plan,
    tree: Arc<crate::boot::tree::Tree>,
    events: events::Events,
    whois: events::Whois,
    /// Where answer files are got, if there are any.
    desk: Option<Arc<desk::Desk>>,
    rungs: Arc<rungs::Rungs>,
    gate: Arc<gate::Gate>,
    locks: Arc<locks::Locks>,
    mtu: u32,
    doubles: Arc<double::Doubles>,
    /// For a double: the address that its made-up computer has.
    double: Option<Ipv4Addr>,
    /// Whether they run on loopback, for a rehearsal.
    private: bool,
    trace: Trace,
}

impl Services {
    /// Whether a machine with this address is answered: nobody outside the served network is to be hit through us
    /// (SECURITY S13).
    fn admits(&self, address: Ipv4Addr) -> bool {
        if self.private { address.is_loopback() } else { self.plan.network.contains(&address) }
    }

    /// Tells what happened to a file.
    fn tell(&self, mac: Option<Mac>, ip: Ipv4Addr, role: Option<Role>, what: What) {
        if let Some(mac) = mac {
            self.rungs.heard(mac, role, &what);
            self.locks.heard(mac, role, &what);
        }
        self.events.tell(mac, Some(ip), role, what);
    }
}
