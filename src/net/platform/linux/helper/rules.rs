//! What the helper does for anybody, as a pure check of a request against the interfaces that there are.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::net::Interface;
use crate::net::interface::Kind;
use crate::net::ports::Transport;
use crate::net::privilege::{FILES, Refusal, Request, UdpPort};
use crate::net::socket::Hear;

/// The ports that are opened at all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed<'a> {
    pub(super) udp: &'a [UdpPort],
    pub(super) tcp: &'a [u16],
    /// The one that may be held by another program: whoever asked has a second choice.
    pub(super) spare: u16,
    /// Whether the firewall is opened for any TCP port, and not only for those of [`FILES`].
    pub(super) any_gate: bool,
}

/// DHCP, the PXE boot server, TFTP and HTTP. Nothing makes this list longer.
pub(super) const ALLOWED: Allowed<'static> = Allowed {
    udp: &[
        UdpPort { port: 67, hear: Hear::All },
        UdpPort { port: 4011, hear: Hear::All },
        UdpPort { port: 69, hear: Hear::Own },
    ],
    tcp: &[80],
    spare: 80,
    any_gate: false,
};

/// Most ports that the firewall is opened for: three of UDP, and two of which one is taken.
const MOST_GATES: usize = 8;
/// Shortest and longest prefix of an address to give: below, it covers more than the private networks; above, there is
/// no room for a client.
const PREFIXES: std::ops::RangeInclusive<u8> = 8..=30;

/// Finds the interface of a request that may be granted.
pub(super) fn check<'a>(
    request: &Request,
    allowed: &Allowed<'_>,
    interfaces: &'a [Interface],
) -> Result<&'a Interface, Refusal> {
    ports(request, allowed)?;
    firewall(request, allowed)?;
    let named = interfaces.iter().find(|interface| interface.name == request.interface);
    let interface = named.ok_or_else(|| Refusal::NoInterface { interface: request.interface.clone() })?;
    let own = match request.address {
        Some(address) => {
            may_give(address, interface, interfaces)?;
            address.addr() == request.own
        }
        None => interface.addresses.iter().any(|address| address.addr() == request.own),
    };
    if own {
        return Ok(interface);
    }
    Err(Refusal::NotOwn { interface: interface.name.clone(), own: request.own })
}

/// Each port is on the list, and is there once.
fn ports(request: &Request, allowed: &Allowed<'_>) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    for udp in &request.udp {
        if !allowed.udp.contains(udp) || !seen.insert(udp) {
            return Err(Refusal::Port { transport: Transport::Udp, port: udp.port });
        }
    }
    let mut seen = BTreeSet::new();
    for &port in &request.tcp {
        if !allowed.tcp.contains(&port) || !seen.insert(port) {
            return Err(Refusal::Port { transport: Transport::Tcp, port });
        }
    }
    let nothing = request.udp.is_empty() && request.tcp.is_empty() && request.firewall.is_empty();
    if nothing && request.address.is_none() {
        return Err(Refusal::Request { reason: "it asks for no port".to_owned() });
    }
    Ok(())
}

/// The firewall is opened for the ports that are opened at all, and for those of files.
fn firewall(request: &Request, allowed: &Allowed<'_>) -> Result<(), Refusal> {
    let may = |&(transport, port): &(Transport, u16)| match transport {
        Transport::Udp => allowed.udp.iter().any(|udp| udp.port == port),
        Transport::Tcp => allowed.any_gate || FILES.contains(&port),
    };
    if request.firewall.len() > MOST_GATES {
        return Err(Refusal::Request { reason: "it asks for too many ports".to_owned() });
    }
    match request.firewall.iter().find(|port| !may(port)) {
        Some(&(transport, port)) => Err(Refusal::Port { transport, port }),
        None => Ok(()),
    }
}

/// Whether this interface may get this address.
fn may_give(address: Ipv4Net, interface: &Interface, interfaces: &[Interface]) -> Result<(), Refusal> {
    let name = || interface.name.clone();
    if !matches!(interface.kind, Kind::Wired | Kind::Virtual) {
        return Err(Refusal::Kind { interface: name() });
    }
    if let Some(&present) = interface.addresses.first() {
        return Err(Refusal::Addressed { interface: name(), present });
    }
    if !is_private_host(address) {
        return Err(Refusal::Address { address });
    }
    for other in interfaces {
        let overlaps = |net: &&Ipv4Net| net.contains(&address.network()) || address.contains(&net.network());
        if let Some(net) = other.addresses.iter().find(overlaps) {
            return Err(Refusal::Overlap { interface: other.name.clone(), network: net.trunc() });
        }
    }
    Ok(())
}

/// A host's address in a network that is private (RFC 1918) or link-local (RFC 3927) as a whole.
fn is_private_host(address: Ipv4Net) -> bool {
    let networks = [([10, 0, 0, 0], 8), ([172, 16, 0, 0], 12), ([192, 168, 0, 0], 16), ([169, 254, 0, 0], 16)];
    let inside = |&(first, length): &([u8; 4], u8)| {
        Ipv4Net::new(Ipv4Addr::from(first), length).is_ok_and(|network| network.contains(&address))
    };
    PREFIXES.contains(&address.prefix_len())
        && networks.iter().any(inside)
        && address.addr() != address.network()
        && address.addr() != address.broadcast()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, kind: Kind, address: Option<&str>) -> Interface {
        Interface {
            name: name.into(),
            friendly_name: name.into(),
            index: 2,
            kind,
            link: true,
            addresses: address.map(|address| address.parse().expect("a network")).into_iter().collect(),
            mac: None,
            speed_mbps: None,
            mtu: 1500,
            gateway: None,
        }
    }

    fn machine() -> Vec<Interface> {
        vec![
            interface("eth0", Kind::Wired, Some("10.77.0.1/24")),
            interface("eth1", Kind::Wired, None),
            interface("tap0", Kind::Virtual, None),
            interface("wlan0", Kind::Wifi, None),
            interface("br0", Kind::Bridge, None),
            interface("lo", Kind::Loopback, Some("127.0.0.1/8")),
        ]
    }

    const UDP: UdpPort = UdpPort { port: 67, hear: Hear::All };

    fn ask(name: &str, own: &str, udp: &[UdpPort], tcp: &[u16]) -> Request {
        let own = own.parse().expect("an address");
        Request {
            interface: name.into(),
            own,
            udp: udp.into(),
            tcp: tcp.into(),
            address: None,
            router: false,
            guard: false,
            firewall: vec![],
        }
    }

    fn give(name: &str, address: &str) -> Request {
        let address: Ipv4Net = address.parse().expect("a network");
        Request { address: Some(address), own: address.addr(), ..ask(name, "0.0.0.0", &[UDP], &[]) }
    }

    /// Nothing but a way in through the firewall.
    fn gates(name: &str, ports: &[(Transport, u16)]) -> Request {
        Request { firewall: ports.into(), ..ask(name, "10.77.0.1", &[], &[]) }
    }

    #[test]
    fn only_root_has_the_firewall_opened_for_any_port_of_tcp() {
        let (machine, root) = (machine(), Allowed { any_gate: true, ..ALLOWED });
        check(&gates("eth0", &[(Transport::Tcp, 8765)]), &root, &machine).expect("root may");
        check(&gates("eth0", &[(Transport::Udp, 53)]), &root, &machine).expect_err("no port of booting");
        check(&gates("eth9", &[(Transport::Udp, 67)]), &root, &machine).expect_err("no interface");
    }

    #[test]
    fn what_booting_needs_is_granted() {
        let machine = machine();
        let granted = [
            ask("eth0", "10.77.0.1", ALLOWED.udp, ALLOWED.tcp),
            ask("eth0", "10.77.0.1", &[], &[80]),
            ask("lo", "127.0.0.1", &[UDP], &[]),
            give("eth1", "192.168.77.1/24"),
            // The Network page sets an address before anything is served.
            Request { udp: vec![], ..give("eth1", "192.168.77.1/24") },
            give("tap0", "10.0.0.1/16"),
            give("tap0", "172.31.255.254/30"),
            give("eth1", "169.254.9.9/16"),
            gates("eth0", &[(Transport::Udp, 67), (Transport::Udp, 69), (Transport::Udp, 4011), (Transport::Tcp, 80)]),
            gates("eth0", &[(Transport::Tcp, 8080)]),
        ];
        for request in granted {
            let found = check(&request, &ALLOWED, &machine).map(|interface| &interface.name);
            assert_eq!(found, Ok(&request.interface), "{request:?}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let machine = machine();
        let udp = |port, hear| ask("eth0", "10.77.0.1", &[UdpPort { port, hear }], &[]);
        let tcp = |ports: &[u16]| ask("eth0", "10.77.0.1", &[], ports);
        let port = |transport, port| Refusal::Port { transport, port };
        let name = |name: &str| name.to_owned();
        let bad =
            |address: &str| (give("eth1", address), Refusal::Address { address: address.parse().expect("a network") });
        let overlap = |interface: &str, network: &str| Refusal::Overlap {
            interface: interface.into(),
            network: network.parse().expect("a network"),
        };
        let not_own = |interface: &str, own: &str| Refusal::NotOwn {
            interface: interface.into(),
            own: own.parse().expect("an address"),
        };
        let cases = [
            (udp(53, Hear::All), port(Transport::Udp, 53)),
            (udp(0, Hear::Own), port(Transport::Udp, 0)),
            (udp(80, Hear::Own), port(Transport::Udp, 80)),
            (udp(67, Hear::Own), port(Transport::Udp, 67)),
            (udp(69, Hear::All), port(Transport::Udp, 69)),
            (udp(69, Hear::One), port(Transport::Udp, 69)),
            (ask("eth0", "10.77.0.1", &[UDP, UDP], &[]), port(Transport::Udp, 67)),
            (gates("eth0", &[(Transport::Tcp, 22)]), port(Transport::Tcp, 22)),
            (gates("eth0", &[(Transport::Udp, 67), (Transport::Udp, 53)]), port(Transport::Udp, 53)),
            (
                gates("eth0", &[(Transport::Udp, 67); 9]),
                Refusal::Request { reason: "it asks for too many ports".into() },
            ),
            (tcp(&[22]), port(Transport::Tcp, 22)),
            (tcp(&[67]), port(Transport::Tcp, 67)),
            (tcp(&[80, 443]), port(Transport::Tcp, 443)),
            (tcp(&[80, 80]), port(Transport::Tcp, 80)),
            (tcp(&[]), Refusal::Request { reason: "it asks for no port".into() }),
            (ask("eth9", "10.77.0.1", &[UDP], &[]), Refusal::NoInterface { interface: name("eth9") }),
            (ask("", "10.77.0.1", &[UDP], &[]), Refusal::NoInterface { interface: name("") }),
            (ask("eth0", "10.77.0.2", &[UDP], &[]), not_own("eth0", "10.77.0.2")),
            (ask("eth0", "0.0.0.0", &[UDP], &[]), not_own("eth0", "0.0.0.0")),
            (ask("eth1", "10.77.0.1", &[UDP], &[]), not_own("eth1", "10.77.0.1")),
            (
                Request { own: [192, 168, 0, 2].into(), ..give("eth1", "192.168.0.1/24") },
                not_own("eth1", "192.168.0.2"),
            ),
            (give("wlan0", "192.168.0.1/24"), Refusal::Kind { interface: name("wlan0") }),
            (give("br0", "192.168.0.1/24"), Refusal::Kind { interface: name("br0") }),
            (give("lo", "192.168.0.1/24"), Refusal::Kind { interface: name("lo") }),
            (
                give("eth0", "192.168.0.1/24"),
                Refusal::Addressed { interface: name("eth0"), present: "10.77.0.1/24".parse().expect("a network") },
            ),
            (give("eth1", "10.77.0.9/24"), overlap("eth0", "10.77.0.0/24")),
            (give("eth1", "10.0.0.1/8"), overlap("eth0", "10.77.0.0/24")),
            (give("eth1", "10.77.0.129/25"), overlap("eth0", "10.77.0.0/24")),
            bad("8.8.8.8/24"),
            bad("172.32.0.1/24"),
            bad("172.16.0.1/8"),
            bad("192.168.0.1/15"),
            bad("10.0.0.1/7"),
            bad("10.0.0.1/31"),
            bad("10.0.0.1/32"),
            bad("10.0.0.0/24"),
            bad("10.0.0.255/24"),
            bad("127.0.0.2/24"),
            bad("224.0.0.1/24"),
            bad("0.0.0.1/8"),
        ];
        for (request, refusal) in cases {
            assert_eq!(check(&request, &ALLOWED, &machine).err(), Some(refusal), "{request:?}");
        }
    }
}
