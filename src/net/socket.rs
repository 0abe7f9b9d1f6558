//! Sockets tied to the one interface that is served, both ways: what arrives elsewhere is not heard, and what is sent
//! leaves there (SECURITY: only the chosen interface).

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use socket2::{Domain, Protocol, Socket, Type};

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

/// Where a UDP socket listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    open_udp(interface, own, port, hear).map_err(|source| bind_error(Transport::Udp, own, port, source))
}

fn open_udp(interface: &Interface, own: Ipv4Addr, port: u16, hear: Hear) -> io::Result<tokio::net::UdpSocket> {
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
    tokio::net::UdpSocket::from_std(socket.into())
}

/// A listening TCP socket on `port` of this interface's own address. Must be called inside a tokio runtime.
pub fn tcp(interface: &Interface, own: Ipv4Addr, port: u16) -> Result<tokio::net::TcpListener, BindError> {
    open_tcp(interface, own, port).map_err(|source| bind_error(Transport::Tcp, own, port, source))
}

fn open_tcp(interface: &Interface, own: Ipv4Addr, port: u16) -> io::Result<tokio::net::TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    platform::tie(&socket, interface, own)?;
    // Lets us come back at once after a stop while old connections are still in TIME_WAIT; it does not share a port
    // that another program listens on. Windows means something else by the same name, so not there.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::V4(SocketAddrV4::new(own, port)).into())?;
    socket.listen(1024)?;
    socket.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(socket.into())
}

fn bind_error(transport: Transport, own: Ipv4Addr, port: u16, source: io::Error) -> BindError {
    let taken = source.kind() == io::ErrorKind::AddrInUse;
    let holder = taken.then(|| platform::port_holder(transport, port, own)).flatten();
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
}
