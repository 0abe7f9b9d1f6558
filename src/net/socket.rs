//! Sockets tied to the one interface that is served, both ways: what arrives elsewhere is not heard, and what is sent
//! leaves there (SECURITY: only the chosen interface).

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use serde::{Deserialize, Serialize};
use socket2::{Domain, Protocol, Socket, Type};

use super::platform::ClientSocket;
use super::ports::{Holder, Transport};
use super::{Interface, platform};

/// Room for a burst of two hundred computers switched on at once, in bytes.
const BURST: usize = 1 << 20;

/// A port that could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot open {transport} port {port}")]
pub struct BindError {
    /// UDP or TCP.
    pub transport: Transport,
    /// The port.
    pub port: u16,
    /// Who holds it, where the system tells.
    pub holder: Option<Holder>,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

impl BindError {
    /// Whether somebody else has the port.
    pub fn is_taken(&self) -> bool {
        self.source.kind() == io::ErrorKind::AddrInUse
    }
}

/// Where a UDP socket listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hear {
    /// Broadcasts as well as what is addressed to us: DHCP.
    All,
    /// Only what is addressed to our own address: TFTP, whose answers must come from the address that was asked
    /// (RFC 1122 section 4.1.3.5).
    Own,
    /// The same, from one computer only: a transfer's own port.
    One,
}

/// A UDP socket on `port` of this interface; port 0 takes any free one.
///
/// Without address reuse on purpose: with it a second DHCP server on this machine could share the port unseen, and each
/// packet would go to one of the two by chance. Must be called inside a tokio runtime.
pub fn udp(interface: &Interface, own: Ipv4Addr, port: u16, hear: Hear) -> Result<tokio::net::UdpSocket, BindError> {
    let socket = open_udp(interface, own, port, hear)?;
    tokio::net::UdpSocket::from_std(socket).map_err(|source| bind_error(Transport::Udp, interface, own, port, source))
}

/// The same before it belongs to a runtime, as the helper passes it on.
pub fn open_udp(interface: &Interface, own: Ipv4Addr, port: u16, hear: Hear) -> Result<std::net::UdpSocket, BindError> {
    try_udp(interface, own, port, hear).map_err(|source| bind_error(Transport::Udp, interface, own, port, source))
}

fn try_udp(interface: &Interface, own: Ipv4Addr, port: u16, hear: Hear) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    let any = platform::tie(&socket, interface, own)?;
    socket.set_broadcast(true)?;
    if hear != Hear::One {
        // A smaller buffer than asked for is no reason to stop.
        let _ = socket.set_recv_buffer_size(BURST);
    }
    let address = if hear == Hear::All { any } else { own };
    socket.bind(&SocketAddr::V4(SocketAddrV4::new(address, port)).into())?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// A listening TCP socket on `port` of this interface's own address. Must be called inside a tokio runtime.
pub fn tcp(interface: &Interface, own: Ipv4Addr, port: u16) -> Result<tokio::net::TcpListener, BindError> {
    let socket = open_tcp(interface, own, port)?;
    tokio::net::TcpListener::from_std(socket).map_err(|source| bind_error(Transport::Tcp, interface, own, port, source))
}

/// The same before it belongs to a runtime, as the helper passes it on.
pub fn open_tcp(interface: &Interface, own: Ipv4Addr, port: u16) -> Result<std::net::TcpListener, BindError> {
    try_tcp(interface, own, port).map_err(|source| bind_error(Transport::Tcp, interface, own, port, source))
}

fn try_tcp(interface: &Interface, own: Ipv4Addr, port: u16) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    platform::tie(&socket, interface, own)?;
    // Lets us come back at once after a stop while old connections are still in TIME_WAIT; it does not share a port
    // that another program listens on. Windows means something else by the same name, so not there.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::V4(SocketAddrV4::new(own, port)).into())?;
    socket.listen(1024)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// A TCP connection to an address of this very machine, by way of this interface: sockets that are tied to one hear no
/// others. Must be called inside a tokio runtime.
///
/// # Errors
/// Nobody listens there, or the system does not let us.
pub async fn connect(interface: &Interface, to: SocketAddrV4) -> io::Result<tokio::net::TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    platform::tie(&socket, interface, *to.ip())?;
    socket.bind(&SocketAddr::V4(SocketAddrV4::new(*to.ip(), 0)).into())?;
    socket.set_nonblocking(true)?;
    tokio::net::TcpSocket::from_std_stream(socket.into()).connect(SocketAddr::V4(to)).await
}

/// Sockets that somebody with more rights has opened for us, each for its port. Empty by default.
///
/// They are for one interface and one address; asked for another, they stay unused, so that a change of mind in between
/// cannot serve where nobody wants it.
#[derive(Debug, Default)]
pub struct Sockets {
    place: Option<(String, Ipv4Addr)>,
    udp: Vec<(u16, std::net::UdpSocket)>,
    tcp: Vec<(u16, Result<std::net::TcpListener, BindError>)>,
    advertised: bool,
    client: Option<ClientSocket>,
}

impl Sockets {
    /// None yet, for this interface and this address of it.
    pub fn on(interface: &str, own: Ipv4Addr) -> Sockets {
        Sockets { place: Some((interface.to_owned(), own)), ..Sockets::default() }
    }

    /// Adds a UDP socket that was opened for this port.
    pub fn add_udp(&mut self, port: u16, socket: std::net::UdpSocket) {
        self.udp.push((port, socket));
    }

    /// Adds a TCP listener that was opened for this port, or what somebody who may open it got instead.
    pub fn add_tcp(&mut self, port: u16, socket: Result<std::net::TcpListener, BindError>) {
        self.tcp.push((port, socket));
    }

    /// Notes that whoever opened them answers who asks for IPv6 routers.
    pub fn set_advertised(&mut self) {
        self.advertised = true;
    }

    /// Adds the socket of a DHCP client that was opened for this interface.
    pub fn add_client(&mut self, socket: ClientSocket) {
        self.client = Some(socket);
    }

    /// The handed-over socket of a DHCP client, or one that is opened here.
    ///
    /// # Errors
    /// The right for it is missing, or the system has none.
    pub fn client(&mut self, interface: &Interface) -> io::Result<ClientSocket> {
        let here = self.place.as_ref().is_some_and(|(name, _)| *name == interface.name);
        match self.client.take().filter(|_| here) {
            Some(socket) => Ok(socket),
            None => ClientSocket::open(interface),
        }
    }

    /// Whether somebody else answers who asks for IPv6 routers on this interface.
    pub fn advertised(&self, interface: &Interface) -> bool {
        self.advertised && self.place.as_ref().is_some_and(|(name, _)| *name == interface.name)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.udp.is_empty() && self.tcp.is_empty()
    }

    /// The handed-over socket of this port, or one that is opened here as [`udp`] does.
    pub fn udp(
        &mut self,
        interface: &Interface,
        own: Ipv4Addr,
        port: u16,
        hear: Hear,
    ) -> Result<tokio::net::UdpSocket, BindError> {
        match self.take(interface, own, port, |sockets| &mut sockets.udp) {
            Some(socket) => tokio::net::UdpSocket::from_std(socket)
                .map_err(|source| bind_error(Transport::Udp, interface, own, port, source)),
            None => udp(interface, own, port, hear),
        }
    }

    /// The handed-over listener of this port, or one that is opened here as [`tcp`] does.
    pub fn tcp(
        &mut self,
        interface: &Interface,
        own: Ipv4Addr,
        port: u16,
    ) -> Result<tokio::net::TcpListener, BindError> {
        match self.take(interface, own, port, |sockets| &mut sockets.tcp) {
            Some(socket) => tokio::net::TcpListener::from_std(socket?)
                .map_err(|source| bind_error(Transport::Tcp, interface, own, port, source)),
            None => tcp(interface, own, port),
        }
    }

    fn take<T>(
        &mut self,
        interface: &Interface,
        own: Ipv4Addr,
        port: u16,
        list: impl FnOnce(&mut Sockets) -> &mut Vec<(u16, T)>,
    ) -> Option<T> {
        let here = self.place.as_ref().is_some_and(|(name, address)| *name == interface.name && *address == own);
        let list = list(self);
        let found = list.iter().position(|(held, _)| here && *held == port)?;
        Some(list.swap_remove(found).1)
    }
}

fn bind_error(transport: Transport, interface: &Interface, own: Ipv4Addr, port: u16, source: io::Error) -> BindError {
    let taken = source.kind() == io::ErrorKind::AddrInUse;
    let holder = taken.then(|| platform::port_holder(transport, port, interface, own)).flatten();
    BindError { transport, port, holder, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::interface;

    #[tokio::test]
    async fn a_taken_port_names_its_holder() {
        let loopback = interface::list().pop().expect("loopback");
        let first = udp(&loopback, Ipv4Addr::LOCALHOST, 0, Hear::Own).expect("a free port");
        let port = first.local_addr().expect("bound").port();
        let error = udp(&loopback, Ipv4Addr::LOCALHOST, port, Hear::All).expect_err("taken");
        assert_eq!(error.port, port);
        #[cfg(target_os = "linux")]
        assert_eq!(error.holder.map(|holder| holder.pid), Some(std::process::id()));
        drop(first);
        udp(&loopback, Ipv4Addr::LOCALHOST, port, Hear::All).expect("free again");
    }

    #[tokio::test]
    async fn a_socket_that_was_handed_over_is_used_only_where_it_belongs() {
        let loopback = interface::list().pop().expect("loopback");
        let own = Ipv4Addr::LOCALHOST;
        let given = open_udp(&loopback, own, 0, Hear::Own).expect("a free port");
        let listener = open_tcp(&loopback, own, 0).expect("a free port");
        let port = given.local_addr().expect("bound").port();
        let http = listener.local_addr().expect("bound").port();
        let mut sockets = Sockets::on(&loopback.name, own);
        assert!(sockets.is_empty());
        sockets.add_udp(port, given);
        sockets.add_tcp(http, Ok(listener));
        let elsewhere = Interface { name: "other".into(), ..loopback.clone() };
        assert!(!sockets.advertised(&loopback));
        sockets.set_advertised();
        assert!(sockets.advertised(&loopback) && !sockets.advertised(&elsewhere));
        assert!(sockets.take(&elsewhere, own, port, |sockets| &mut sockets.udp).is_none());
        assert!(sockets.take(&loopback, Ipv4Addr::new(127, 0, 0, 2), port, |sockets| &mut sockets.udp).is_none());
        // Opening them anew would fail: they are held.
        let taken = sockets.udp(&loopback, own, port, Hear::Own).expect("handed over");
        assert_eq!(taken.local_addr().expect("bound").port(), port);
        assert_eq!(sockets.tcp(&loopback, own, http).expect("handed over").local_addr().expect("bound").port(), http);
        assert!(sockets.is_empty());
        sockets.udp(&loopback, own, port, Hear::Own).expect_err("handed over once only");
        let other = sockets.udp(&loopback, own, 0, Hear::Own).expect("any other is opened here");
        assert_ne!(other.local_addr().expect("bound").port(), port);
    }

    #[tokio::test]
    async fn why_a_port_was_not_handed_over_comes_instead_of_it() {
        let loopback = interface::list().pop().expect("loopback");
        let holder = Some(Holder { program: "nginx".into(), pid: 7, unit: None });
        let taken = |port| BindError {
            transport: Transport::Tcp,
            port,
            holder: holder.clone(),
            source: io::ErrorKind::AddrInUse.into(),
        };
        let mut sockets = Sockets::on(&loopback.name, Ipv4Addr::LOCALHOST);
        sockets.add_tcp(80, Err(taken(80)));
        let error = sockets.tcp(&loopback, Ipv4Addr::LOCALHOST, 80).expect_err("what the other one got");
        assert_eq!((error.port, error.holder), (80, holder.clone()));
    }
}
