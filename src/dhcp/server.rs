//! The full server: hands out addresses, with boot information for those that network-boot (RFC 2131).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant, SystemTime};

use dhcproto::v4::{DhcpOption, MessageType};
use ipnet::Ipv4Net;

use super::lease::{LEASE, Leases, Range, Record};
use super::message::{Malformed, Reply, Request};
use super::{Guests, NoBoot, Note, Outputs, Policy, Question, Refusal, Silence, Transmit, port, pxe};
use crate::mac::Mac;

/// First lease of a client: short, so that addresses of firmware and loaders come back soon.
pub const FIRST_LEASE: Duration = Duration::from_secs(600);
/// How long an ARP probe waits for an answer. RFC 5227 waits seconds; firmware that gets no OFFER within 1 s asks again,
/// so this stays well below, and on a wired segment an answer takes about a millisecond.
pub const PROBE_WAIT: Duration = Duration::from_millis(200);
/// For how long a probe's silence counts.
const PROBE_GOOD_FOR: Duration = Duration::from_secs(30);
/// How many free addresses are kept probed ahead, so that an OFFER need not wait.
const PROBED_AHEAD: usize = 16;
/// Most clients that wait for a probe at once; more are answered at their next try.
const MAX_WAITING: usize = 1024;

/// What the server hands out, and to whom.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our address: option 54, and the boot server.
    pub server: Ipv4Addr,
    /// The network of the interface.
    pub network: Ipv4Net,
    /// The addresses to hand out, inside the network.
    pub range: Range,
    /// Addresses inside the range that are never handed out: ours is left out anyhow.
    pub excluded: BTreeSet<Ipv4Addr>,
    /// Who may be answered.
    pub guests: Guests,
    /// Whether free addresses are probed before they are offered (RFC 2131 section 2.2). Needs somebody who sends the
    /// probes and reports answers by [`Server::heard`].
    pub probe: bool,
    /// Other servers of this network beside which addresses are handed out all the same, by the person's own word.
    pub beside: BTreeSet<Ipv4Addr>,
}

/// A client whose offer waits for a probe.
#[derive(Clone, Debug)]
struct Waiting {
    request: Request,
    address: Ipv4Addr,
    until: Instant,
}

/// The full DHCP server.
#[derive(Clone, Debug)]
pub struct Server {
    config: Config,
    leases: Leases,
    waiting: HashMap<Vec<u8>, Waiting>,
    /// Probes under way, and when each counts as unanswered.
    probing: BTreeMap<Ipv4Addr, Instant>,
    /// Addresses whose probe stayed unanswered, and when.
    silent: BTreeMap<Ipv4Addr, Instant>,
    /// Nobody is offered anything before this: the network is still being asked for other servers.
    hold: Option<Instant>,
    /// The foreign server that was heard. No address is given to anybody new from then on (SECURITY S1).
    foreign: Option<Ipv4Addr>,
}

impl Server {
    /// A server with the leases of an earlier run.
    pub fn new(config: Config, now: Instant, clock: SystemTime, records: &[Record]) -> Server {
        let mut excluded = config.excluded.clone();
        excluded.extend([config.server, config.network.network(), config.network.broadcast()]);
        let mut leases = Leases::new(config.range, excluded);
        leases.restore(now, clock, records);
        Server {
            config,
            leases,
            waiting: HashMap::new(),
            probing: BTreeMap::new(),
            silent: BTreeMap::new(),
            hold: None,
            foreign: None,
        }
    }

    /// Offers nothing to anybody before `until`; who asks meanwhile is answered then.
    pub fn hold(&mut self, until: Instant) {
        self.hold = Some(until);
    }

    /// Another server was heard on this network: by its own answer from `mac`, or by a client's word. Unless it is one
    /// that this server is meant to work beside, nobody gets an address from now on but who has one already.
    pub fn foreign(&mut self, server: Ipv4Addr, mac: Option<Mac>) -> Outputs {
        let mut out = Outputs::default();
        let nobody = server.is_unspecified() || server == self.config.server;
        if self.foreign.is_some() || nobody || self.config.beside.contains(&server) {
            return out;
        }
        self.foreign = Some(server);
        self.waiting.clear();
        self.probing.clear();
        // Nothing is probed ahead from now on, so no probe grows old: a deadline that nobody moves is due for ever.
        self.silent.clear();
        out.notes.push((None, Note::ForeignServer { server, mac, maker: None }));
        out
    }

    /// Whether clients that nobody here knows may be told that they are wrong: not where another server may have told them
    /// what they know.
    fn is_alone(&self) -> bool {
        self.foreign.is_none() && self.config.beside.is_empty()
    }

    /// A copy for a rehearsal: it knows the same leases, answers every computer, and offers at once what it would offer
    /// after a probe.
    pub fn double(&self) -> Server {
        let config = Config { guests: Guests::default(), probe: false, ..self.config.clone() };
        Server { config, hold: None, ..self.clone() }
    }

    /// The leases to keep.
    pub fn records(&self, now: Instant, clock: SystemTime) -> Vec<Record> {
        self.leases.records(now, clock)
    }

    /// When [`Server::tick`] wants to be called next.
    pub fn deadline(&self) -> Option<Instant> {
        let waiting = self.waiting.values().map(|waiting| waiting.until).min();
        let probing = self.probing.values().min().copied();
        let stale = self.silent.values().min().map(|&since| since + PROBE_GOOD_FOR);
        [waiting, probing, stale].into_iter().flatten().min()
    }

    /// Sends the offers whose probes stayed unanswered, and keeps some addresses probed ahead.
    pub fn tick(&mut self, now: Instant, policy: &dyn Policy) -> Outputs {
        let mut out = Outputs::default();
        let over: Vec<Ipv4Addr> = self.probing.iter().filter(|&(_, &until)| until <= now).map(|(&ip, _)| ip).collect();
        for address in over {
            self.probing.remove(&address);
            self.silent.insert(address, now);
        }
        let due: Vec<Vec<u8>> =
            self.waiting.iter().filter(|(_, waiting)| waiting.until <= now).map(|(key, _)| key.clone()).collect();
        for key in due {
            if let Some(waiting) = self.waiting.remove(&key) {
                self.offer(now, &waiting.request, waiting.address, policy, &mut out);
            }
        }
        self.probe_ahead(now, &mut out);
        out
    }

    fn probe_ahead(&mut self, now: Instant, out: &mut Outputs) {
        if !self.config.probe || self.foreign.is_some() {
            return;
        }
        self.silent.retain(|_, since| *since + PROBE_GOOD_FOR > now);
        let next: Vec<Ipv4Addr> = self
            .leases
            .unused()
            .take(PROBED_AHEAD)
            .filter(|address| !self.silent.contains_key(address) && !self.probing.contains_key(address))
            .collect();
        for address in next {
            self.probing.insert(address, now + PROBE_WAIT);
            out.probe.push(address);
        }
    }

    /// Takes note that a machine uses an address: an ARP packet with it as sender was heard.
    pub fn heard(&mut self, now: Instant, address: Ipv4Addr, by: Mac) -> Outputs {
        let mut out = Outputs::default();
        // A lessee that another machine disturbs will decline by itself; its lease is not ours to break.
        if !self.leases.ours(address) || self.leases.belongs(address, by) || self.leases.leased(now, address) {
            return out;
        }
        self.probing.remove(&address);
        self.silent.remove(&address);
        if self.leases.conflict(now, address, by) {
            out.notes.push((None, Note::AddressInUse { address, by }));
        }
        let hit: Vec<Vec<u8>> =
            self.waiting.iter().filter(|(_, waiting)| waiting.address == address).map(|(key, _)| key.clone()).collect();
        for key in hit {
            if let Some(waiting) = self.waiting.remove(&key) {
                self.find_address(now, waiting.request, &mut out);
            }
        }
        out
    }

    /// Handles a packet that came to port 67.
    pub fn handle(&mut self, now: Instant, packet: &[u8], from: SocketAddrV4, policy: &dyn Policy) -> Outputs {
        let mut out = Outputs::default();
        let request = match Request::parse(packet) {
            Ok(request) => request,
            // Our own broadcasts and plain BOOTP are no news.
            Err(Malformed::NotARequest | Malformed::NoType) => return out,
            Err(reason) => {
                out.notes.push((None, Note::Unreadable { from, reason: reason.to_string() }));
                return out;
            }
        };
        let Some(question) = question(&request) else {
            self.take_back(now, &request, &mut out);
            return out;
        };
        out.tell(request.mac, asked(&request, question));
        if let Some(reason) = self.objection(&request).or_else(|| self.stands_back(&request, question)) {
            out.tell(request.mac, Note::Ignored { reason });
            return out;
        }
        match question {
            Question::Discover => self.discover(now, request, policy, &mut out),
            Question::Select => self.select(now, &request, policy, &mut out),
            Question::Reboot => self.reboot(now, &request, policy, &mut out),
            Question::Renew => self.renew(now, &request, policy, &mut out),
            Question::Inform | Question::BootServer => self.inform(&request, policy, &mut out),
        }
        out
    }

    /// Answers these from now on. Whoever has an address keeps its lease.
    pub fn welcome(&mut self, guests: Guests) {
        self.config.guests = guests;
    }

    fn objection(&self, request: &Request) -> Option<Silence> {
        if !self.config.guests.welcome(request.mac) {
            return Some(Silence::NotAllowed);
        }
        if foreign_relay(request, self.config.network) {
            return Some(Silence::ForeignRelay);
        }
        // Unicast answers go inside the served network only: nobody is to be hit through us (SECURITY S6).
        let answer_to_it = request.giaddr.is_unspecified() && !request.ciaddr.is_unspecified();
        (answer_to_it && !is_host(self.config.network, request.ciaddr)).then_some(Silence::OutsideNetwork)
    }

    /// Why a client gets no address since another server was heard. Who has one of ours keeps it, and so has one only.
    fn stands_back(&self, request: &Request, question: Question) -> Option<Silence> {
        let server = self.foreign?;
        let key = request.client_key();
        let keeps = |address: Option<Ipv4Addr>| address.is_some_and(|address| self.leases.leased_to(address, &key));
        let kept = match question {
            Question::Discover => false,
            // Who takes an offer of the other server is told, and who takes one of ours is refused below.
            Question::Select => true,
            Question::Reboot => keeps(request.requested()),
            Question::Renew => keeps(Some(request.ciaddr)),
            Question::Inform | Question::BootServer => true,
        };
        (!kept).then_some(Silence::OtherServer { server })
    }

    /// RELEASE and DECLINE: no answer, and only the rightful client is heeded (SECURITY S4).
    fn take_back(&mut self, now: Instant, request: &Request, out: &mut Outputs) {
        let key = request.client_key();
        if request.server().is_some_and(|server| server != self.config.server) {
            return;
        }
        match request.kind {
            MessageType::Release if self.leases.release(now, request.ciaddr, &key) => {
                out.tell(request.mac, Note::Released { address: request.ciaddr });
                out.leases_changed = true;
            }
            MessageType::Decline => {
                let declined = request.requested().filter(|&address| self.leases.may_decline(address, &key));
                if let Some(address) = declined {
                    self.leases.decline(now, address, request.mac);
                    self.silent.remove(&address);
                    out.tell(request.mac, Note::Declined { address });
                    out.leases_changed = true;
                }
            }
            _ => {}
        }
    }

    fn discover(&mut self, now: Instant, request: Request, policy: &dyn Policy, out: &mut Outputs) {
        let key = request.client_key();
        // A repeated DISCOVER while its probe runs: the newest one is answered, when the probe is over.
        if let Some(waiting) = self.waiting.get_mut(&key) {
            waiting.request = request;
            return;
        }
        self.find_address(now, request, out);
        // The address may have been probed ahead; then the offer goes out with this very answer. It is probed once more:
        // a machine that took it meanwhile answers before the client's REQUEST comes, which is refused then.
        if self.waiting.get(&key).is_some_and(|waiting| waiting.until <= now)
            && let Some(waiting) = self.waiting.remove(&key)
        {
            if self.config.probe && !self.has_lease(now, waiting.address, &key) {
                out.probe.push(waiting.address);
            }
            self.offer(now, &waiting.request, waiting.address, policy, out);
            self.probe_ahead(now, out);
        }
    }

    /// Whether the address is the client's own still. One whose lease has ended may be somebody else's by now.
    fn has_lease(&self, now: Instant, address: Ipv4Addr, key: &[u8]) -> bool {
        self.leases.leased_to(address, key) && self.leases.leased(now, address)
    }

    /// Chooses an address and lets the client wait for its probe, if it needs one.
    fn find_address(&mut self, now: Instant, request: Request, out: &mut Outputs) {
        let key = request.client_key();
        let Some(address) = self.leases.choose(now, &key, request.requested()) else {
            out.tell(request.mac, Note::PoolExhausted { size: self.leases.range().size() });
            return;
        };
        if self.waiting.len() >= MAX_WAITING {
            return;
        }
        let known = !self.config.probe
            || self.has_lease(now, address, &key)
            || self.silent.get(&address).is_some_and(|&since| since + PROBE_GOOD_FOR > now);
        let until = match self.probing.get(&address) {
            _ if known => now,
            Some(&until) => until,
            None => {
                out.probe.push(address);
                self.probing.insert(address, now + PROBE_WAIT);
                now + PROBE_WAIT
            }
        };
        let until = self.hold.map_or(until, |hold| hold.max(until));
        self.leases.offer(now, address, &key, request.mac);
        self.waiting.insert(key, Waiting { request, address, until });
    }

    fn offer(&mut self, now: Instant, request: &Request, address: Ipv4Addr, policy: &dyn Policy, out: &mut Outputs) {
        self.silent.remove(&address);
        self.leases.offer(now, address, &request.client_key(), request.mac);
        let mut reply = Reply::to(request, MessageType::Offer, self.config.server);
        reply.give(address);
        self.add_lease(&mut reply, FIRST_LEASE);
        let boot = self.add_boot(&mut reply, request, policy);
        self.send(request, reply, out);
        let (boot, without) = match boot {
            Ok(boot) => (Some(boot), None),
            Err(NoBoot::NotAsked) => (None, None),
            Err(NoBoot::Because(reason)) => (None, Some(reason)),
        };
        out.tell(request.mac, Note::Offered { address: Some(address), boot });
        if let Some(reason) = without {
            out.tell(request.mac, Note::NoBootFile { reason });
        }
    }

    fn select(&mut self, now: Instant, request: &Request, policy: &dyn Policy, out: &mut Outputs) {
        let key = request.client_key();
        if let Some(server) = request.server().filter(|&server| server != self.config.server) {
            self.leases.withdraw(now, &key);
            self.waiting.remove(&key);
            out.tell(request.mac, Note::ChoseOther { server });
            // Only an offer is taken so, and a relay agent may have brought it from another network.
            if relay(request).is_none() {
                let heard = self.foreign(server, None);
                out.notes.extend(heard.notes);
            }
            return;
        }
        let Some(address) = request.requested() else { return };
        // It chose this server, so it is nobody else's client; without a word it would wait for one.
        if self.foreign.is_some() && !self.leases.leased_to(address, &key) {
            self.leases.withdraw(now, &key);
            self.refuse(request, address, Refusal::OtherServer, out);
            return;
        }
        // After a restart of ours an offer is forgotten; the address is granted all the same if it is free.
        let mine = self.leases.address_of(&key).is_none_or(|own| own == address);
        let refusal = match () {
            () if !self.leases.ours(address) => Some(Refusal::WrongNetwork),
            () if self.leases.taken_by_other(now, address, &key) => Some(Refusal::Taken),
            () if !mine => Some(Refusal::NotYours),
            () => None,
        };
        match refusal {
            Some(reason) => self.refuse(request, address, reason, out),
            None => self.grant(now, request, address, policy, out),
        }
    }

    fn reboot(&mut self, now: Instant, request: &Request, policy: &dyn Policy, out: &mut Outputs) {
        let key = request.client_key();
        let Some(address) = request.requested() else { return };
        if !self.config.network.contains(&address) && self.is_alone() {
            self.refuse(request, address, Refusal::WrongNetwork, out);
        } else if self.leases.leased_by_other(now, address, &key) {
            self.refuse(request, address, Refusal::Taken, out);
        } else if self.leases.leased_to(address, &key) {
            self.grant(now, request, address, policy, out);
        } else if self.leases.address_of(&key).is_some_and(|own| self.leases.leased(now, own)) {
            self.refuse(request, address, Refusal::NotYours, out);
        } else {
            // It may be another server's client: silence (RFC 2131 section 4.3.2).
            out.tell(request.mac, Note::Ignored { reason: Silence::Unknown });
        }
    }

    fn renew(&mut self, now: Instant, request: &Request, policy: &dyn Policy, out: &mut Outputs) {
        let key = request.client_key();
        let address = request.ciaddr;
        if self.leases.leased_by_other(now, address, &key) {
            self.refuse(request, address, Refusal::Taken, out);
        } else if self.leases.leased_to(address, &key) {
            self.grant(now, request, address, policy, out);
        } else {
            out.tell(request.mac, Note::Ignored { reason: Silence::Unknown });
        }
    }

    fn inform(&mut self, request: &Request, policy: &dyn Policy, out: &mut Outputs) {
        if request.ciaddr.is_unspecified() {
            return;
        }
        let mut reply = Reply::to(request, MessageType::Ack, self.config.server);
        reply.keep(request.ciaddr).option(DhcpOption::SubnetMask(self.config.network.netmask()));
        let boot = self.add_boot(&mut reply, request, policy).ok();
        self.send(request, reply, out);
        out.tell(request.mac, Note::Granted { address: None, boot });
    }

    fn grant(&mut self, now: Instant, request: &Request, address: Ipv4Addr, policy: &dyn Policy, out: &mut Outputs) {
        let key = request.client_key();
        let renews = !request.ciaddr.is_unspecified() && self.leases.leased_to(address, &key);
        let lease = if renews { LEASE } else { FIRST_LEASE };
        self.leases.grant(address, &key, request.mac, now + lease);
        self.waiting.remove(&key);
        out.leases_changed = true;
        let mut reply = Reply::to(request, MessageType::Ack, self.config.server);
        reply.give(address).keep(request.ciaddr);
        self.add_lease(&mut reply, lease);
        let boot = self.add_boot(&mut reply, request, policy).ok();
        self.send(request, reply, out);
        out.tell(request.mac, Note::Granted { address: Some(address), boot });
    }

    /// A NAK goes to everybody on the link, through the relay where there is one (RFC 2131 section 4.3.2).
    fn refuse(&mut self, request: &Request, address: Ipv4Addr, reason: Refusal, out: &mut Outputs) {
        let mut reply = Reply::to(request, MessageType::Nak, self.config.server);
        reply.broadcast();
        let to = relay(request).unwrap_or(EVERYBODY);
        out.send.extend(reply.bytes().map(|bytes| Transmit { to, bytes }));
        out.tell(request.mac, Note::Refused { address, reason });
    }

    fn add_lease(&self, reply: &mut Reply, lease: Duration) {
        let seconds = u32::try_from(lease.as_secs()).unwrap_or(u32::MAX);
        reply
            .option(DhcpOption::SubnetMask(self.config.network.netmask()))
            .option(DhcpOption::AddressLeaseTime(seconds))
            .option(DhcpOption::Renewal(seconds / 2))
            .option(DhcpOption::Rebinding(seconds / 8 * 7));
    }

    fn add_boot(&self, reply: &mut Reply, request: &Request, policy: &dyn Policy) -> Result<pxe::Boot, NoBoot> {
        let client = pxe::Client::of(request);
        let boot = policy.boot(&client)?;
        pxe::add_boot(reply, request, &client, &boot, self.config.server, true);
        Ok(boot)
    }

    fn send(&self, request: &Request, reply: Reply, out: &mut Outputs) {
        let to = relay(request).unwrap_or(match request.ciaddr {
            Ipv4Addr::UNSPECIFIED => EVERYBODY,
            address => SocketAddrV4::new(address, port::CLIENT),
        });
        out.send.extend(reply.bytes().map(|bytes| Transmit { to, bytes }));
    }
}

/// Clients without an address hear broadcasts only; that costs no ARP entry made by hand and no raw socket, and
/// firmware listens for it even with the flag clear (seen with OVMF and BIOS ROMs).
pub(super) const EVERYBODY: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::BROADCAST, port::CLIENT);

/// Whether an address is one that a single machine of the network can have.
fn is_host(network: Ipv4Net, address: Ipv4Addr) -> bool {
    network.contains(&address) && address != network.network() && address != network.broadcast()
}

/// Whether a request came through a relay agent that is not a machine of the served network. Its answer would go
/// wherever the packet says.
pub(super) fn foreign_relay(request: &Request, network: Ipv4Net) -> bool {
    !request.giaddr.is_unspecified() && !is_host(network, request.giaddr)
}

/// The relay agent to answer to (RFC 2131 section 4.1).
pub(super) fn relay(request: &Request) -> Option<SocketAddrV4> {
    (!request.giaddr.is_unspecified()).then(|| SocketAddrV4::new(request.giaddr, port::SERVER))
}

/// What the client wants: the four states of a REQUEST are told apart by what it fills in (RFC 2131 section 4.3.2).
pub(super) fn question(request: &Request) -> Option<Question> {
    Some(match request.kind {
        MessageType::Discover => Question::Discover,
        MessageType::Inform => Question::Inform,
        MessageType::Request if request.server().is_some() => Question::Select,
        MessageType::Request if !request.ciaddr.is_unspecified() => Question::Renew,
        MessageType::Request => Question::Reboot,
        _ => return None,
    })
}

/// The note that a computer asked.
pub(super) fn asked(request: &Request, question: Question) -> Note {
    let has = Some(request.ciaddr).filter(|address| !address.is_unspecified());
    Note::Asked {
        question,
        client: pxe::Client::of(request),
        address: request.requested().or(has),
        relay: Some(request.giaddr).filter(|address| !address.is_unspecified()),
        secs: Some(request.secs()).filter(|secs| *secs > 0),
    }
}

#[cfg(test)]
pub(super) mod tests;
