//! Asks a network who else gives addresses, as a client would, and gathers the answers. Nothing is taken: an offer that
//! nobody requests lapses by itself.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep};

use crate::dhcp::port;
use crate::dhcp::probe::{self, Answer};
use crate::mac::Mac;
use crate::net::interface::Kind;
use crate::net::platform::ClientSocket;
use crate::net::ports::{Holder, Transport};
use crate::net::{Interface, platform};

/// How long an answer may take: dnsmasq pings an address for three seconds before it offers it.
pub const PATIENCE: Duration = Duration::from_secs(4);
/// When to ask again: the first question is lost where a switch still learns the port.
const AGAIN: Duration = Duration::from_secs(1);
/// How long to listen for others after the first answer.
const OTHERS: Duration = Duration::from_millis(500);
/// More servers than any network has; whoever makes up more of them is not kept.
const MOST: usize = 16;

/// What asking came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// These answered: at least one, each once.
    Answered(Vec<Answer>),
    /// Nobody answered in time.
    Nobody,
    /// We could not ask.
    Unable(ProbeError),
}

/// Why nobody could be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeError {
    /// The port of DHCP clients takes rights that this program does not have.
    NoRights,
    /// Another program has that port and does not share it.
    Held {
        /// Who, where the system tells.
        holder: Option<Holder>,
    },
    /// The interface is connected to nothing.
    NoLink,
    /// The interface has no hardware address, or is loopback: no DHCP there.
    Unsupported,
    /// The system said something else.
    System(String),
}

/// Asks for DHCP servers on this interface's network, and ends half a second after the first answer, or when `patience`
/// is over. Answers from the interface's own addresses do not count. Dropping it ends it at any time.
///
/// Where the system lets us have a packet socket, it asks and hears like a client that has no address. Otherwise it takes
/// the port of DHCP clients, and silence says less: where this interface has no address in the server's network, Linux
/// drops the question or the answer if either side checks the way back (`rp_filter`, seen with 1 and 2); and a firewall
/// may drop answers to port 68.
pub async fn other_servers(interface: &Interface, patience: Duration) -> Probe {
    match ask(interface, patience).await {
        Ok(answers) if answers.is_empty() => Probe::Nobody,
        Ok(answers) => Probe::Answered(answers),
        Err(error) => Probe::Unable(error),
    }
}

async fn ask(interface: &Interface, patience: Duration) -> Result<Vec<Answer>, ProbeError> {
    let mac = interface.mac.filter(|_| interface.kind != Kind::Loopback).ok_or(ProbeError::Unsupported)?;
    if !interface.link {
        return Err(ProbeError::NoLink);
    }
    let line = Line::open(interface).await?;
    let xid = transaction();
    let question = probe::discover(mac, xid).ok_or_else(|| ProbeError::System("no question could be made".into()))?;
    line.ask(&question).await.map_err(asking)?;
    let again = async {
        sleep(AGAIN).await;
        // What the first question brings counts even if the second cannot be sent.
        let _ = line.ask(&question).await;
        std::future::pending().await
    };
    tokio::select! {
        () = again => Ok(Vec::new()),
        answers = gather(&line, interface, (xid, mac), patience) => answers.map_err(asking),
    }
}

/// How servers are asked and heard.
enum Line {
    /// By frames, whatever this computer's addresses and firewall are.
    Packets(ClientSocket),
    /// By the port of DHCP clients.
    Port(UdpSocket),
}

impl Line {
    async fn open(interface: &Interface) -> Result<Line, ProbeError> {
        match ClientSocket::open(interface) {
            Ok(socket) => Ok(Line::Packets(socket)),
            Err(_) => open(interface).await.map(Line::Port),
        }
    }

    async fn ask(&self, question: &[u8]) -> io::Result<()> {
        let everybody = SocketAddrV4::new(Ipv4Addr::BROADCAST, port::SERVER);
        match self {
            Line::Packets(socket) => socket.ask(question).await,
            Line::Port(socket) => socket.send_to(question, everybody).await.map(drop),
        }
    }

    /// The next message, which may be anybody's, and who sent it by which card.
    async fn heard(&self) -> io::Result<(Vec<u8>, IpAddr, Option<Mac>)> {
        match self {
            Line::Packets(socket) => socket.heard().await.map(|(message, from, mac)| (message, from.into(), mac)),
            Line::Port(socket) => received(socket).await.map(|(message, from)| (message, from, None)),
        }
    }
}

async fn received(socket: &UdpSocket) -> io::Result<(Vec<u8>, IpAddr)> {
    let mut packet = [0; 2048];
    loop {
        match socket.recv_from(&mut packet).await {
            Ok((length, from)) => return Ok((packet.get(..length).unwrap_or_default().to_vec(), from.ip())),
            // Windows tells by this that an earlier packet did not reach its port.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
            Err(error) => return Err(error),
        }
    }
}

async fn gather(
    line: &Line,
    interface: &Interface,
    (xid, own): (u32, Mac),
    patience: Duration,
) -> io::Result<Vec<Answer>> {
    let mut answers: Vec<Answer> = Vec::new();
    let mut end = std::pin::pin!(sleep(patience));
    loop {
        let (message, from, mac) = tokio::select! {
            // The clock comes first, or a flood of packets would keep us here.
            biased;
            () = &mut end => return Ok(answers),
            heard = line.heard() => heard?,
        };
        let Some(answer) = probe::offer(&message, xid, own).map(|answer| Answer { mac, ..answer }) else { continue };
        if !is_other(interface, from, &answer, &answers) {
            continue;
        }
        answers.push(answer);
        let settled = Instant::now() + OTHERS;
        if answers.len() == 1 && settled < end.deadline() {
            end.as_mut().reset(settled);
        }
    }
}

/// Whether this answer is from a server that is not ourselves and is not known yet.
fn is_other(interface: &Interface, from: IpAddr, answer: &Answer, known: &[Answer]) -> bool {
    let own = |address: IpAddr| interface.addresses.iter().any(|own| IpAddr::V4(own.addr()) == address);
    let told = known.iter().any(|known| known.server == answer.server);
    !own(from) && !own(answer.server.into()) && !told && known.len() < MOST
}

/// The port of DHCP clients on this interface. Opened elsewhere, for looking up who holds it reads much of `/proc`.
async fn open(interface: &Interface) -> Result<UdpSocket, ProbeError> {
    let tied = interface.clone();
    let opened = tokio::task::spawn_blocking(move || bind(&tied).map_err(|error| opening(error, &tied))).await;
    let socket = opened.map_err(|error| ProbeError::System(error.to_string()))??;
    UdpSocket::from_std(socket).map_err(system)
}

fn bind(interface: &Interface) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    // The system's own DHCP client may have the port too; each gets every broadcast.
    socket.set_reuse_address(true)?;
    // What Linux calls address reuse, the BSDs and macOS call port reuse.
    #[cfg(all(unix, not(target_os = "linux")))]
    socket.set_reuse_port(true)?;
    let address = platform::tie(&socket, interface, own_address(interface))?;
    socket.set_broadcast(true)?;
    socket.bind(&SocketAddr::V4(SocketAddrV4::new(address, port::CLIENT)).into())?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn own_address(interface: &Interface) -> Ipv4Addr {
    interface.network().map_or(Ipv4Addr::UNSPECIFIED, |network| network.addr())
}

fn opening(error: io::Error, interface: &Interface) -> ProbeError {
    match error.kind() {
        io::ErrorKind::PermissionDenied => ProbeError::NoRights,
        io::ErrorKind::AddrInUse => {
            let holder = platform::port_holder(Transport::Udp, port::CLIENT, interface, own_address(interface));
            ProbeError::Held { holder }
        }
        _ => system(error),
    }
}

/// What keeps an open line from asking or hearing. A refusal to send is no lack of rights but a firewall's, hence the
/// system's word.
fn asking(error: io::Error) -> ProbeError {
    match error.kind() {
        io::ErrorKind::NetworkDown | io::ErrorKind::NetworkUnreachable => ProbeError::NoLink,
        _ => system(error),
    }
}

fn system(error: io::Error) -> ProbeError {
    ProbeError::System(error.to_string())
}

/// A transaction id that nobody can foresee: the standard library seeds its hash maps with random numbers.
pub(super) fn transaction() -> u32 {
    let random = RandomState::new().hash_one(());
    u32::try_from(random >> 32).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use dhcproto::v4::MessageType;

    use super::*;
    use crate::dhcp::Request;
    use crate::dhcp::message::Reply;
    use crate::net::interface;

    fn loopback() -> Interface {
        interface::list().pop().expect("loopback")
    }

    fn cable() -> Interface {
        let addresses = vec!["10.77.0.1/24".parse().expect("a network")];
        Interface { kind: Kind::Wired, mac: Some(MAC), addresses, ..loopback() }
    }

    #[tokio::test]
    async fn where_nobody_can_be_asked_nobody_is() {
        let unable = async |interface: Interface| match other_servers(&interface, Duration::ZERO).await {
            Probe::Unable(error) => error,
            other => panic!("{other:?}"),
        };
        assert_eq!(unable(Interface { kind: Kind::Loopback, ..cable() }).await, ProbeError::Unsupported);
        assert_eq!(unable(Interface { mac: None, ..cable() }).await, ProbeError::Unsupported);
        assert_eq!(unable(Interface { link: false, ..cable() }).await, ProbeError::NoLink);
    }

    #[test]
    fn what_the_system_says_is_told_apart() {
        let opened = |kind: io::ErrorKind| opening(kind.into(), &cable());
        assert_eq!(opened(io::ErrorKind::PermissionDenied), ProbeError::NoRights);
        assert!(matches!(opened(io::ErrorKind::AddrInUse), ProbeError::Held { .. }));
        assert!(matches!(opened(io::ErrorKind::Other), ProbeError::System(_)));
        assert!(matches!(asking(io::ErrorKind::PermissionDenied.into()), ProbeError::System(_)));
        assert_eq!(asking(io::ErrorKind::NetworkDown.into()), ProbeError::NoLink);
    }

    #[test]
    fn each_other_server_counts_once_and_we_never() {
        let address = |last| Ipv4Addr::new(10, 77, 0, last);
        let from = |last| IpAddr::V4(address(last));
        let answer = |last| Answer::from_server(address(last));
        let known = [answer(2)];
        assert!(is_other(&cable(), from(3), &answer(3), &known));
        assert!(!is_other(&cable(), from(3), &answer(2), &known), "told already, from another address of it");
        assert!(!is_other(&cable(), from(1), &answer(3), &known), "it came from us");
        assert!(!is_other(&cable(), from(3), &answer(1), &known), "it says that it is us");
        let many: Vec<Answer> = (100..116).map(answer).collect();
        assert!(!is_other(&cable(), from(3), &answer(3), &many), "made up");
    }

    const MAC: Mac = Mac([0x52, 0x54, 0, 0x77, 0, 1]);

    /// What a server with this address answers to question number 7.
    fn offer(last: u8) -> Vec<u8> {
        let request = Request::parse(&probe::discover(MAC, 7).expect("a question")).expect("readable");
        let server = Ipv4Addr::new(10, 77, 0, last);
        Reply::to(&request, MessageType::Offer, server).bytes().expect("an offer")
    }

    /// What is gathered of these packets, which are there from the start, and how long it takes.
    async fn gathered(packets: &[Vec<u8>], patience: Duration) -> (Vec<u8>, Duration) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let sender = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        for packet in packets {
            sender.send_to(packet, socket.local_addr().expect("bound")).expect("sent");
        }
        let started = Instant::now();
        let answers = gather(&Line::Port(socket), &cable(), (7, MAC), patience).await.expect("a socket");
        (answers.iter().map(|answer| answer.server.octets()[3]).collect(), started.elapsed())
    }

    #[tokio::test]
    async fn silence_takes_all_patience_and_an_answer_ends_it_soon() {
        let (servers, spent) = gathered(&[b"noise".to_vec(), offer(1)], OTHERS * 2).await;
        assert!(servers.is_empty() && spent >= OTHERS * 2, "{servers:?} {spent:?}");
        let (servers, spent) = gathered(&[offer(2), offer(3), offer(2)], PATIENCE).await;
        assert!(servers == [2, 3] && spent >= OTHERS && spent < PATIENCE / 2, "{servers:?} {spent:?}");
        let (servers, spent) = gathered(&[offer(2)], OTHERS / 5).await;
        assert!(servers == [2] && spent < OTHERS, "the first answer gives no more time: {servers:?} {spent:?}");
    }
}
