//! How things stand before anything is served: which ports could be opened now.

use std::io;
use std::net::Ipv4Addr;

use super::ports::{Holder, Transport};
use super::socket::{self, BindError, Hear};
use super::{Interface, platform};

/// TFTP: the one over UDP that is opened on our own address alone, since it takes no broadcasts (RFC 1350).
const FILES: u16 = 69;

/// One port, and whether it could be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortState {
    /// UDP or TCP.
    pub transport: Transport,
    /// Its number.
    pub port: u16,
    /// How it stands.
    pub state: State,
}

/// Whether a port could be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It could.
    Free,
    /// Somebody has it; who, where the system tells.
    Held(Option<Holder>),
    /// It could not be opened for another reason, in the system's words.
    Other(String),
}

/// How these ports stand on this interface, which would be served from `own`.
///
/// Each is opened exactly as it would be for serving, and released at once. Where that takes a right which this program
/// does not have, the system's list of sockets is asked instead.
pub fn ports(interface: &Interface, own: Ipv4Addr, wanted: &[(Transport, u16)]) -> Vec<PortState> {
    let look = |&(transport, port)| PortState { transport, port, state: state(interface, own, transport, port) };
    wanted.iter().map(look).collect()
}

fn state(interface: &Interface, own: Ipv4Addr, transport: Transport, port: u16) -> State {
    match try_open(interface, own, transport, port) {
        Ok(()) => State::Free,
        Err(error) if error.is_taken() => State::Held(error.holder.or_else(|| holder(interface, own, transport, port))),
        Err(error) if error.source.kind() == io::ErrorKind::PermissionDenied => listed(interface, own, transport, port),
        Err(error) => State::Other(error.source.to_string()),
    }
}

fn try_open(interface: &Interface, own: Ipv4Addr, transport: Transport, port: u16) -> Result<(), BindError> {
    match transport {
        Transport::Udp => socket::open_udp(interface, own, port, hear(port)).map(drop),
        Transport::Tcp => socket::open_tcp(interface, own, port).map(drop),
    }
}

/// What is listened to on a UDP port. Broadcasts come to all addresses, where whoever has any one of them is in the way.
fn hear(port: u16) -> Hear {
    if port == FILES { Hear::Own } else { Hear::All }
}

fn listed(interface: &Interface, own: Ipv4Addr, transport: Transport, port: u16) -> State {
    match platform::is_held(transport, port, interface, address(own, transport, port)) {
        true => State::Held(holder(interface, own, transport, port)),
        false => State::Free,
    }
}

fn holder(interface: &Interface, own: Ipv4Addr, transport: Transport, port: u16) -> Option<Holder> {
    platform::port_holder(transport, port, interface, address(own, transport, port))
}

/// Where somebody else's socket would be in the way: on our own address, or on any.
fn address(own: Ipv4Addr, transport: Transport, port: u16) -> Ipv4Addr {
    let everywhere = transport == Transport::Udp && hear(port) == Hear::All;
    if everywhere { Ipv4Addr::UNSPECIFIED } else { own }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::interface;

    fn loopback() -> Interface {
        interface::list().pop().expect("every machine has loopback")
    }

    fn states(interface: &Interface, wanted: &[(Transport, u16)]) -> Vec<State> {
        ports(interface, Ipv4Addr::LOCALHOST, wanted).into_iter().map(|port| port.state).collect()
    }

    /// A UDP socket and a TCP listener, each with its port.
    fn held() -> (std::net::UdpSocket, std::net::TcpListener, [(Transport, u16); 2]) {
        let udp = socket::open_udp(&loopback(), Ipv4Addr::LOCALHOST, 0, Hear::Own).expect("a free port");
        let tcp = socket::open_tcp(&loopback(), Ipv4Addr::LOCALHOST, 0).expect("a free port");
        let ports = [udp.local_addr().expect("bound").port(), tcp.local_addr().expect("bound").port()];
        let [udp_port, tcp_port] = ports;
        (udp, tcp, [(Transport::Udp, udp_port), (Transport::Tcp, tcp_port)])
    }

    fn is_held(state: &State) -> bool {
        match state {
            #[cfg(target_os = "linux")]
            State::Held(holder) => holder.as_ref().map(|holder| holder.pid) == Some(std::process::id()),
            #[cfg(not(target_os = "linux"))]
            State::Held(_) => true,
            _ => false,
        }
    }

    #[test]
    fn a_held_port_names_its_holder_and_is_free_when_it_is_let_go() {
        let (udp, tcp, wanted) = held();
        let before = states(&loopback(), &wanted);
        assert!(before.iter().all(is_held), "{before:?}");
        drop((udp, tcp));
        let after = states(&loopback(), &wanted);
        assert_eq!(after, [State::Free, State::Free]);
        assert_eq!(states(&loopback(), &wanted), after, "looking does not keep them");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_list_of_sockets_says_the_same_without_opening_any() {
        let (udp, tcp, wanted) = held();
        let look = |(transport, port)| listed(&loopback(), Ipv4Addr::LOCALHOST, transport, port);
        let before = wanted.map(look);
        assert!(before.iter().all(is_held), "{before:?}");
        drop((udp, tcp));
        assert_eq!(wanted.map(look), [State::Free, State::Free]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_socket_that_is_tied_to_another_interface_is_in_nobodys_way() {
        // As a DHCP server for virtual machines is: on all addresses, and tied to their bridge.
        let udp = socket::open_udp(&loopback(), Ipv4Addr::LOCALHOST, 0, Hear::All).expect("a free port");
        let port = udp.local_addr().expect("bound").port();
        let other = Interface { index: loopback().index + 1, ..loopback() };
        let own = Ipv4Addr::LOCALHOST;
        assert!(is_held(&listed(&loopback(), own, Transport::Udp, port)));
        assert_eq!(listed(&other, own, Transport::Udp, port), State::Free);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_interface_that_is_gone_is_told_in_the_systems_words() {
        let gone = Interface { name: "bw-gone".into(), ..loopback() };
        let states = states(&gone, &[(Transport::Udp, 0)]);
        assert!(matches!(states.as_slice(), [State::Other(words)] if !words.is_empty()), "{states:?}");
    }
}
