//! The helper's side of [`crate::net::privilege`], which says what it is afraid of.

mod rules;

use std::convert::Infallible;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rules::{ALLOWED, Allowed};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::address::Given;
use super::channel::Channel;
use super::wire::Answer;
use super::{ClientSocket, RouterSocket, gate};
use crate::mac::Mac;
use crate::net::firewall::Passage;
use crate::net::ports::Transport;
use crate::net::privilege::{Gate, PrivilegeError, Refusal, Request};
use crate::net::socket::{self, BindError};
use crate::net::{Interface, interface};

/// A window sends its request before it starts us.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long nothing is heard after an error: a link that went down is told by one.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves the one request that standard input has, and ends.
pub fn run() -> Result<(), PrivilegeError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(PrivilegeError::Start)?;
    runtime.block_on(async {
        let channel = Channel::from_stdin().map_err(PrivilegeError::Start)?.ok_or(PrivilegeError::ByHand)?;
        // The kernel says who made the pair; nobody else can hold its other end unless that one gave it away.
        serve(&channel, &Allowed { any_gate: channel.is_from_root(), ..ALLOWED }).await
    })
}

async fn serve(channel: &Channel, allowed: &Allowed<'_>) -> Result<(), PrivilegeError> {
    // Before anything is changed: a signal then finds somebody who undoes it.
    let mut signals = Signals::new().map_err(PrivilegeError::Start)?;
    match prepare(channel, allowed).await {
        Ok((opened, given, gate)) => {
            // If nobody takes them any more, the end of the channel is there as well.
            let _ = channel.send(&opened.answer(gate.as_ref()).emit(), &opened.descriptors()).await;
            let gate = gate.and_then(Result::ok).filter(|gate| !gate.is_untouched());
            // Ours are copies now, and would keep the ports held.
            let (router, guard) = opened.into_kept();
            if given.is_some() || router.is_some() || guard.is_some() || gate.is_some() {
                tokio::select! {
                    () = signals.or_end_of(channel) => {}
                    never = advertise(router) => match never {},
                    never = lend(guard) => match never {},
                }
            }
            if let Some(gate) = gate {
                gate.close().await;
            }
            if let Some(given) = given {
                given.take_away().await;
            }
            Ok(())
        }
        Err(error) => {
            if let Some(answer) = Answer::of(&error) {
                let _ = channel.send(&answer.emit(), &[]).await;
            }
            Err(error)
        }
    }
}

/// Reads the request, checks it, and does all of it or nothing.
async fn prepare(channel: &Channel, allowed: &Allowed<'_>) -> Result<Prepared, PrivilegeError> {
    let request = read(channel, PATIENCE).await?;
    let interfaces = interface::list();
    let interface = rules::check(&request, allowed, &interfaces)?;
    let given = match request.address {
        Some(address) => {
            let refusal = |reason| Refusal::Set { interface: interface.name.clone(), address, reason };
            Some(Given::give(interface, address).await.map_err(refusal)?)
        }
        None => None,
    };
    match Opened::open(&request, allowed, interface) {
        Ok(opened) => {
            // What an earlier one was killed over; also where this one is not asked for a rule.
            gate::sweep().await;
            let gate = match request.firewall.is_empty() {
                true => None,
                false => Some(gate::Opened::open(&passage(&request, interface, &opened)).await),
            };
            Ok((opened, given, gate))
        }
        Err(source) => {
            if let Some(given) = given {
                given.take_away().await;
            }
            Err(PrivilegeError::Port { interface: request.interface, source })
        }
    }
}

/// What is to get in: of the TCP ports the first one that can be had.
fn passage(request: &Request, interface: &Interface, opened: &Opened) -> Passage {
    let taken = opened.taken.as_ref().map(|taken| taken.port);
    let tcp = request.firewall.iter().find(|&&(transport, port)| transport == Transport::Tcp && Some(port) != taken);
    let udp = request.firewall.iter().filter(|(transport, _)| *transport == Transport::Udp);
    Passage::of(&interface.name, &udp.chain(tcp).copied().collect::<Vec<_>>())
}

/// Tells everybody who asks for IPv6 routers that there is none.
async fn advertise(socket: Option<RouterSocket>) -> Infallible {
    let Some(socket) = socket else { return std::future::pending().await };
    loop {
        match socket.asked().await {
            // An answer that could not be sent is asked for again.
            Ok(solicitation) => drop(socket.answer(solicitation)),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Lets the window hear other DHCP servers and ask for them.
async fn lend(guard: Option<Lent>) -> Infallible {
    if let Some(Lent { socket, channel, own, .. }) = guard {
        socket.lend(&channel, own).await;
    }
    std::future::pending().await
}

async fn read(channel: &Channel, patience: Duration) -> Result<Request, Refusal> {
    let late = |_elapsed| Refusal::Request { reason: "it takes too long".to_owned() };
    let broken = |error: std::io::Error| Refusal::Request { reason: error.to_string() };
    let message = tokio::time::timeout(patience, channel.receive()).await.map_err(late)?.map_err(broken)?;
    Request::parse(&message.bytes)
}

/// All that was done, or, of the firewall, why it was not.
type Prepared = (Opened, Option<Given>, Option<Result<gate::Opened, String>>);

/// The sockets to pass on.
#[derive(Debug, Default)]
struct Opened {
    udp: Vec<(u16, std::net::UdpSocket)>,
    tcp: Vec<(u16, std::net::TcpListener)>,
    taken: Option<BindError>,
    /// This one is not passed on.
    router: Option<RouterSocket>,
    /// Of this one an end is passed on.
    guard: Option<Lent>,
}

/// A client's socket that somebody else uses through a channel.
#[derive(Debug)]
struct Lent {
    socket: ClientSocket,
    own: Mac,
    channel: Channel,
    /// The end to pass on, until it is.
    theirs: Option<OwnedFd>,
}

impl Lent {
    fn open(interface: &Interface) -> Option<Lent> {
        let (socket, own) = (ClientSocket::open(interface).ok()?, interface.mac?);
        let (channel, theirs) = Channel::pair().ok()?;
        Some(Lent { socket, own, channel, theirs: Some(theirs) })
    }
}

impl Opened {
    fn open(request: &Request, allowed: &Allowed<'_>, interface: &Interface) -> Result<Opened, BindError> {
        let mut opened = Opened::default();
        for udp in &request.udp {
            opened.udp.push((udp.port, socket::open_udp(interface, request.own, udp.port, udp.hear)?));
        }
        for &port in &request.tcp {
            match socket::open_tcp(interface, request.own, port) {
                Ok(listener) => opened.tcp.push((port, listener)),
                Err(error) if port == allowed.spare && error.is_taken() => opened.taken = Some(error),
                Err(error) => return Err(error),
            }
        }
        if request.router {
            // Without it everything is served, only slower.
            opened.router = RouterSocket::open(interface).ok();
        }
        if request.guard {
            opened.guard = Lent::open(interface);
        }
        Ok(opened)
    }

    /// Closes everything that was passed on, and keeps what was not.
    fn into_kept(mut self) -> (Option<RouterSocket>, Option<Lent>) {
        if let Some(guard) = &mut self.guard {
            guard.theirs = None;
        }
        (self.router, self.guard)
    }

    fn answer(&self, gate: Option<&Result<gate::Opened, String>>) -> Answer {
        let udp = self.udp.iter().map(|&(port, _)| (Transport::Udp, port));
        let tcp = self.tcp.iter().map(|&(port, _)| (Transport::Tcp, port));
        let taken = self.taken.as_ref().map(Into::into);
        let firewall = gate.map(|gate| match gate {
            Ok(gate) if gate.is_untouched() => Gate::Untouched,
            Ok(_) => Gate::Opened,
            Err(reason) => Gate::Failed { reason: reason.clone() },
        });
        Answer::Opened {
            ports: udp.chain(tcp).collect(),
            taken,
            router: self.router.is_some(),
            guard: self.guard.is_some(),
            firewall,
        }
    }

    /// In the order of the answer.
    fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        let udp = self.udp.iter().map(|(_, socket)| socket.as_fd());
        let guard = self.guard.iter().filter_map(|guard| guard.theirs.as_ref()).map(AsFd::as_fd);
        udp.chain(self.tcp.iter().map(|(_, listener)| listener.as_fd())).chain(guard).collect()
    }
}

/// What ends us besides the channel.
struct Signals([Signal; 3]);

impl Signals {
    fn new() -> std::io::Result<Signals> {
        let [terminate, interrupt, hangup] =
            [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
        Ok(Signals([terminate?, interrupt?, hangup?]))
    }

    /// Waits for one of them or for the end of the channel. Nothing else is to be said there, so whatever arrives counts
    /// as its end.
    async fn or_end_of(&mut self, channel: &Channel) {
        let Signals([terminate, interrupt, hangup]) = self;
        tokio::select! {
            _ = channel.receive() => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::net::privilege::UdpPort;
    use crate::net::socket::Hear;

    const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;

    /// Sends these bytes to a helper in this process that may open the given ports, and returns what it answers.
    async fn ask(bytes: &[u8], allowed: &Allowed<'_>) -> (Answer, Vec<std::os::fd::OwnedFd>) {
        let (window, theirs) = Channel::pair().expect("a pair");
        let helper = Channel::own(theirs).expect("an end");
        window.send(bytes, &[]).await.expect("sent");
        let (_ended, message) = tokio::join!(serve(&helper, allowed), window.receive());
        let message = message.expect("an answer");
        (Answer::parse(&message.bytes).expect("an answer"), message.sockets)
    }

    fn request(udp: &[UdpPort], tcp: &[u16]) -> Request {
        let interface = interface::list().pop().expect("loopback").name;
        Request {
            interface,
            own: LOOPBACK,
            udp: udp.into(),
            tcp: tcp.into(),
            address: None,
            router: false,
            guard: false,
            firewall: vec![],
        }
    }

    /// Three ports that are free right now.
    fn free() -> (UdpPort, u16, u16) {
        let udp = std::net::UdpSocket::bind((LOOPBACK, 0)).expect("a port");
        let (one, two) = [(); 2].map(|()| std::net::TcpListener::bind((LOOPBACK, 0)).expect("a port")).into();
        let port = |address: std::io::Result<std::net::SocketAddr>| address.expect("bound").port();
        let udp = UdpPort { port: port(udp.local_addr()), hear: Hear::Own };
        (udp, port(one.local_addr()), port(two.local_addr()))
    }

    #[tokio::test]
    async fn sockets_are_passed_and_the_helper_keeps_none() {
        let (udp, http, _) = free();
        let allowed = Allowed { udp: &[udp], tcp: &[http], spare: 0, any_gate: false };
        let (answer, mut sockets) = ask(&request(&[udp], &[http]).emit(), &allowed).await;
        let ports = vec![(Transport::Udp, udp.port), (Transport::Tcp, http)];
        assert_eq!(answer, Answer::Opened { ports, taken: None, router: false, guard: false, firewall: None });
        let listener = std::net::TcpListener::from(sockets.pop().expect("the listener"));
        let socket = std::net::UdpSocket::from(sockets.pop().expect("the socket"));
        assert_eq!(socket.local_addr().expect("bound").port(), udp.port);
        assert_eq!(listener.local_addr().expect("bound").port(), http);
        drop((socket, listener));
        let again = ask(&request(&[udp], &[http]).emit(), &allowed).await;
        assert_eq!(again.1.len(), 2, "{:?}", again.0);
    }

    #[tokio::test]
    async fn all_are_passed_or_none_but_for_the_spare_one() {
        let (udp, http, other) = free();
        let held = std::net::TcpListener::bind((LOOPBACK, http)).expect("free");
        let asked = request(&[udp], &[http, other]).emit();
        let strict = Allowed { udp: &[udp], tcp: &[http, other], spare: 0, any_gate: false };
        let (answer, sockets) = ask(&asked, &strict).await;
        let Answer::Failed(failure) = answer else { panic!("{answer:?}") };
        let error = BindError::from(failure);
        assert_eq!((error.port, error.holder.map(|holder| holder.pid)), (http, Some(std::process::id())));
        assert!(sockets.is_empty());
        let (answer, sockets) = ask(&asked, &Allowed { spare: http, ..strict }).await;
        let Answer::Opened { ports, taken: Some(taken), .. } = answer else { panic!("{answer:?}") };
        assert_eq!(ports, [(Transport::Udp, udp.port), (Transport::Tcp, other)]);
        assert_eq!((BindError::from(taken).port, sockets.len()), (http, 2));
        drop(held);
    }

    #[tokio::test]
    async fn what_cannot_be_advertised_keeps_nobody_from_serving() {
        let (udp, http, _) = free();
        let allowed = Allowed { udp: &[udp], tcp: &[http], spare: 0, any_gate: false };
        // Loopback has no hardware address to advertise.
        let asked = Request { router: true, ..request(&[udp], &[http]) };
        let (answer, sockets) = ask(&asked.emit(), &allowed).await;
        assert!(matches!(answer, Answer::Opened { router: false, .. }), "{answer:?}");
        assert_eq!(sockets.len(), 2);
    }

    #[tokio::test]
    async fn what_is_refused_opens_nothing() {
        let (udp, http, _) = free();
        for bytes in [request(&[udp], &[http]).emit(), vec![b'{'; 5000], b"{}\n".to_vec()] {
            let (answer, sockets) = ask(&bytes, &ALLOWED).await;
            assert!(matches!(answer, Answer::Refused(_)) && sockets.is_empty(), "{answer:?}");
        }
    }

    #[tokio::test]
    async fn a_caller_that_is_silent_or_gone_is_not_waited_for() {
        let (window, theirs) = Channel::pair().expect("a pair");
        let helper = Channel::own(theirs).expect("an end");
        read(&helper, Duration::from_millis(10)).await.expect_err("silent");
        drop(window);
        read(&helper, PATIENCE).await.expect_err("gone");
    }
}
