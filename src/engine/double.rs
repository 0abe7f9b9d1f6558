//! Doubles of the services, for rehearsals: each answers one made-up computer as the services would, from a copy of what
//! they know, and is thrown away. No lease is taken, nothing is remembered, nobody hears of it.
//!
//! What a rehearsal fetches comes through the sockets of the services like everything else, with the double's token in the
//! request; DHCP is spoken by [`Ask`], since its packets would be broadcast. So a rehearsal in another process needs no
//! more than a way to bring an `Ask` here, and to bring back its [`Reply`].

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::bind::{self, House, Prepared};
use super::events::{self, Events};
use super::gate::Gate;
use super::{Error, Services, Trace, desk, http, locks, rungs, tftp};
use crate::answer::tickets::Token;
use crate::deployment::{DhcpPlan, Plan};
use crate::dhcp::Note;
use crate::dhcp::proxy::Proxy;
use crate::dhcp::server::Server;
use crate::mac::Mac;
use crate::net::interface::{self, Kind};
use crate::net::socket::{self, Hear};

/// The header that an HTTP request of a rehearsal has, and in lower case the option of its TFTP request. Its value is the
/// double's token.
pub const TOKEN: &str = "bootwright-rehearsal";
/// How long a double lives. A rehearsal takes seconds.
const LIFETIME: Duration = Duration::from_secs(300);
/// Most doubles at once; the oldest goes first. A rehearsal has one for each kind of firmware.
const MAX_DOUBLES: usize = 64;

/// The DHCP machines as they stood when they were asked for.
#[derive(Clone, Debug)]
pub(super) struct Machines {
    pub(super) proxy: Proxy,
    pub(super) full: Option<Server>,
}

/// Where a copy of the running machines is to go.
pub(super) type Wanted = oneshot::Sender<Machines>;

/// Who gives the addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Addresses {
    /// These services.
    Ours,
    /// Another server, and these services add what to boot.
    Others,
    /// Another server, which names the boot file as well.
    OthersWithBootFile,
}

/// What is asked of the services.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Ask {
    /// A double for a made-up computer with this hardware address.
    Begin {
        /// The address.
        mac: Mac,
    },
    /// What the services answer to a DHCP packet.
    Hear {
        /// Which double.
        token: String,
        /// Whether it came to the port of boot servers rather than to that of DHCP servers.
        boot_server: bool,
        /// Where it came from.
        from: SocketAddrV4,
        /// The UDP payload.
        packet: Vec<u8>,
    },
    /// The double is needed no more.
    End {
        /// Which one.
        token: String,
    },
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum Reply {
    /// The double is there.
    Begun(Scene),
    /// What the services would have sent and told.
    Heard {
        /// UDP payloads.
        answers: Vec<Vec<u8>>,
        /// What was worth telling.
        notes: Vec<Note>,
    },
    /// As asked, and there is nothing to say.
    Done,
    /// There is no such double any more, or none can be made: why.
    Refused {
        /// A clause for people.
        reason: String,
    },
}

/// Where the services are, and how they speak of themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scene {
    /// The double's token.
    pub token: String,
    /// How URLs of the services begin, without a slash at their end.
    pub base: String,
    /// Our address, as computers know it.
    pub server: Ipv4Addr,
    /// Where HTTP is reached from this machine.
    pub http: SocketAddrV4,
    /// Where TFTP is reached from this machine.
    pub tftp: SocketAddrV4,
    /// The interface that sockets are tied to, where the services run on one that computers are on.
    pub interface: Option<String>,
    /// Who gives the addresses.
    pub addresses: Addresses,
    /// The address that the made-up computer may take for one that another server gave it.
    pub address: Ipv4Addr,
}

/// Where the machines come from.
#[derive(Debug)]
enum Origin {
    /// The running ones.
    Live(mpsc::UnboundedSender<Wanted>),
    /// There are none that run.
    Kept(Box<Machines>),
}

/// Where the services are heard.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub(super) http: SocketAddrV4,
    pub(super) tftp: SocketAddrV4,
}

/// All doubles.
#[derive(Debug)]
pub(super) struct Doubles {
    origin: Origin,
    at: At,
    all: Mutex<BTreeMap<String, Arc<Double>>>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Double {
    began: Instant,
    mac: Mac,
    machines: Mutex<Machines>,
    services: Mutex<Services>,
}

impl Doubles {
    /// The same place, where no machines are to be had and nobody is known.
    fn without(&self) -> Doubles {
        Doubles { origin: Origin::Live(mpsc::unbounded_channel().0), at: self.at, all: Mutex::default() }
    }

    /// Of running services, with the place where copies of their DHCP machines are asked for.
    pub(super) fn live(plan: &Plan, at: At) -> (Doubles, mpsc::UnboundedReceiver<Wanted>) {
        let (sender, wanted) = mpsc::unbounded_channel();
        let origin = match plan.dhcp {
            DhcpPlan::Off => Origin::Kept(Box::new(bind::machines(plan))),
            DhcpPlan::Full { .. } | DhcpPlan::Proxy => Origin::Live(sender),
        };
        (Doubles { origin, at, all: Mutex::default() }, wanted)
    }

    /// Where the services listen.
    pub(super) fn at(&self) -> At {
        self.at
    }

    /// The services as the computer with this token meets them.
    pub(super) fn services(&self, token: &str) -> Option<Services> {
        Some(self.find(token)?.services.lock().ok()?.clone())
    }

    fn find(&self, token: &str) -> Option<Arc<Double>> {
        let all = self.all.lock().ok()?;
        all.get(token).filter(|double| double.began.elapsed() < LIFETIME).cloned()
    }

    async fn machines(&self) -> Option<Machines> {
        match &self.origin {
            Origin::Kept(machines) => Some((**machines).clone()),
            Origin::Live(sender) => {
                let (wanted, copied) = oneshot::channel();
                sender.send(wanted).ok()?;
                copied.await.ok()
            }
        }
    }

    fn keep(&self, token: &str, double: Double) {
        let Ok(mut all) = self.all.lock() else { return };
        all.retain(|_, double| double.began.elapsed() < LIFETIME);
        if all.len() >= MAX_DOUBLES {
            let oldest = all.iter().min_by_key(|(_, double)| double.began).map(|(token, _)| token.clone());
            oldest.and_then(|token| all.remove(&token));
        }
        all.insert(token.to_owned(), Arc::new(double));
    }
}

impl Double {
    /// What the services would answer.
    fn hear(&self, boot_server: bool, from: SocketAddrV4, packet: &[u8]) -> Option<Reply> {
        let mut services = self.services.lock().ok()?;
        let policy = Arc::clone(&services.rungs);
        let outputs = {
            let mut machines = self.machines.lock().ok()?;
            let Machines { proxy, full } = &mut *machines;
            match full {
                _ if boot_server => proxy.handle_boot_server(packet, from, &policy),
                Some(full) => full.handle(Instant::now(), packet, from, &policy),
                None => proxy.handle(packet, &policy),
            }
        };
        let notes: Vec<Note> = outputs.notes.into_iter().map(|(_, note)| note).collect();
        let granted = notes.iter().find_map(|note| match note {
            Note::Granted { address, .. } => *address,
            _ => None,
        });
        if let Some(address) = granted {
            services.double = Some(address);
            services.whois.lease(address, self.mac);
        }
        Some(Reply::Heard { answers: outputs.send.into_iter().map(|packet| packet.bytes).collect(), notes })
    }
}

impl Services {
    /// Answers what a rehearsal asks.
    pub(super) async fn rehearse(&self, ask: Ask) -> Reply {
        let gone = || Reply::Refused { reason: "the rehearsal took too long".to_owned() };
        match ask {
            Ask::Begin { mac } => self.begin(mac).await,
            Ask::Hear { token, boot_server, from, packet } => {
                let double = self.doubles.find(&token);
                double.and_then(|double| double.hear(boot_server, from, &packet)).unwrap_or_else(gone)
            }
            Ask::End { token } => {
                if let Ok(mut all) = self.doubles.all.lock() {
                    all.remove(&token);
                }
                Reply::Done
            }
        }
    }

    async fn begin(&self, mac: Mac) -> Reply {
        let refused = |reason: &str| Reply::Refused { reason: reason.to_owned() };
        let Ok(token) = Token::new() else { return refused("the system gives no random numbers") };
        let Some(machines) = self.doubles.machines().await else { return refused("the services have ended") };
        let address = spare(&self.plan);
        let offer = self.rungs.offer();
        let scene = Scene {
            token: token.as_str().to_owned(),
            base: offer.url("").trim_end_matches('/').to_owned(),
            server: offer.address(),
            http: self.doubles.at.http,
            tftp: self.doubles.at.tftp,
            interface: (!self.private).then(|| self.plan.interface.clone()),
            addresses: match self.plan.dhcp {
                DhcpPlan::Full { .. } => Addresses::Ours,
                DhcpPlan::Proxy => Addresses::Others,
                DhcpPlan::Off => Addresses::OthersWithBootFile,
            },
            address,
        };
        let events = Events::muted();
        // A rehearsal goes on to the kernels: it is taken for a computer that was approved.
        let gate = Arc::new(Gate::open(events.clone()));
        let services = Services {
            rungs: Arc::new(self.rungs.double(Arc::clone(&gate), events.clone())),
            gate,
            locks: Arc::new(self.locks.double(events.clone())),
            desk: self.desk.as_ref().and_then(|desk| desk.double()).map(Arc::new),
            whois: events::Whois::default(),
            events,
            double: Some(address),
            trace: Trace::default(),
            // Not ours, which keep this one: they would hold each other for ever.
            doubles: Arc::new(self.doubles.without()),
            ..self.clone()
        };
        services.whois.lease(address, mac);
        let (machines, services) = (Mutex::new(machines), Mutex::new(services));
        self.doubles.keep(token.as_str(), Double { began: Instant::now(), mac, machines, services });
        Reply::Begun(scene)
    }
}

/// An address of the network that is not ours, for a computer that only says that it has it.
fn spare(plan: &Plan) -> Ipv4Addr {
    let hosts = plan.network.hosts();
    hosts.into_iter().find(|address| *address != plan.network.addr()).unwrap_or(plan.network.addr())
}

/// Services that were started for a rehearsal alone, on this machine's own loopback: nothing leaves it, nothing is
/// written, and no rights are needed. Dropping it ends them.
#[derive(Debug)]
pub struct Private {
    services: Services,
    _tasks: JoinSet<Result<(), Error>>,
}

impl Private {
    /// Starts them as this plan says. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// What would keep the services from starting as well, ports and rights left out.
    pub async fn start(plan: &Plan) -> Result<Private, Error> {
        let prepared = Prepared::read(plan, true).await?;
        let port = plan.ports.http.filter(|&port| port != 0).unwrap_or(crate::http::PORT);
        let House { tree, offer, watched, desk } = House::of(prepared, SocketAddrV4::new(plan.network.addr(), port))?;
        let loopback = tokio::task::spawn_blocking(loopback).await.ok().flatten();
        let loopback = loopback.ok_or_else(|| Error::InterfaceGone { interface: "loopback".to_owned() })?;
        let own = Ipv4Addr::LOCALHOST;
        let bind = |source| Error::Bind { interface: loopback.name.clone(), source };
        let tftp_socket = socket::udp(&loopback, own, 0, Hear::Own).map_err(bind)?;
        let http_socket = socket::tcp(&loopback, own, 0).map_err(bind)?;
        let port = |address: std::io::Result<std::net::SocketAddr>| address.map_or(0, |address| address.port());
        let at = At {
            http: SocketAddrV4::new(own, port(http_socket.local_addr())),
            tftp: SocketAddrV4::new(own, port(tftp_socket.local_addr())),
        };
        let events = Events::muted();
        let ladder = rungs::Prepared::looked_at(&plan.ladder_file);
        let doubles = Doubles { origin: Origin::Kept(Box::new(bind::machines(plan))), at, all: Mutex::default() };
        let gate = Arc::new(Gate::open(events.clone()));
        let services = Services {
            rungs: Arc::new(rungs::Rungs::new(ladder, plan, offer, Arc::clone(&gate), events.clone())),
            gate,
            locks: Arc::new(locks::Locks::new(locks::Prepared::none(watched), events.clone())),
            desk: desk.map(|(prepared, menu, place)| Arc::new(desk::Desk::new(prepared, &menu, place))),
            plan: plan.clone(),
            tree,
            events,
            whois: events::Whois::default(),
            mtu: loopback.mtu,
            doubles: Arc::new(doubles),
            double: None,
            private: true,
            trace: Trace::default(),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(tftp::run(services.clone(), loopback, tftp_socket));
        tasks.spawn(http::run(services.clone(), http_socket));
        Ok(Private { services, _tasks: tasks })
    }

    /// Answers what a rehearsal asks.
    pub async fn answer(&self, ask: Ask) -> Reply {
        self.services.rehearse(ask).await
    }
}

fn loopback() -> Option<interface::Interface> {
    interface::list().into_iter().find(|interface| interface.kind == Kind::Loopback)
}
