//! The network interfaces of this machine, as the Network page and `bootwright interfaces` show them.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::platform;
use crate::mac::Mac;

/// What an interface is made of; decides its place in the list and what is said about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A cable.
    Wired,
    /// Wi-Fi. Firmware cannot boot over it, but an access point may bridge it to a cable.
    Wifi,
    /// Made by software: veth, tap, virtual machine networks.
    Virtual,
    /// Several interfaces joined into one.
    Bridge,
    /// A tunnel to somewhere else.
    Vpn,
    /// This machine talking to itself.
    Loopback,
}

/// One interface as it stood when [`list`] was called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// The system's name: what `--interface` takes.
    pub name: String,
    /// The name that people know, where the system has one.
    pub friendly_name: String,
    /// The system's number of it, unique while the machine runs.
    pub index: u32,
    /// What it is made of.
    pub kind: Kind,
    /// Whether it is up and has a carrier.
    pub link: bool,
    /// IPv4 addresses with their networks, the primary one first.
    pub addresses: Vec<Ipv4Net>,
    /// Its hardware address, where it has one.
    pub mac: Option<Mac>,
    /// Link speed in megabits a second, where the driver tells.
    pub speed_mbps: Option<u64>,
    /// Largest IP packet in bytes; 1500 where the system does not say.
    pub mtu: u32,
    /// The router that this interface uses, where it has one.
    pub gateway: Option<Ipv4Addr>,
}

impl Interface {
    /// Whether this is its name, as the system or as people say it.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == name || self.friendly_name == name
    }

    /// The network that would be served: the primary IPv4 address.
    pub fn network(&self) -> Option<Ipv4Net> {
        self.addresses.first().copied()
    }
}

/// Every interface of this machine: wired ones with link first, loopback last. Empty only if the system did not answer,
/// for every machine has loopback.
pub fn list() -> Vec<Interface> {
    let mut all: Vec<Interface> = netdev::get_interfaces().into_iter().map(describe).collect();
    all.sort_by(|a, b| (a.kind, !a.link, &a.name).cmp(&(b.kind, !b.link, &b.name)));
    all
}

/// The interface that is most likely meant: firmware boots over cables, and inside a virtual machine or a container
/// those are made by software. With link and address before without.
pub fn likely(all: &[Interface]) -> Option<&Interface> {
    let of_kind = |kind: Kind| {
        let all = all.iter().filter(move |interface| interface.kind == kind);
        all.min_by_key(|interface| (!interface.link, interface.addresses.is_empty()))
    };
    of_kind(Kind::Wired).or_else(|| of_kind(Kind::Virtual).filter(|interface| interface.link))
}

fn describe(found: netdev::Interface) -> Interface {
    let kind = kind(&found);
    let link = found.is_up() && (found.is_running() || kind == Kind::Loopback);
    let gateway = found.gateway.as_ref().and_then(|gateway| gateway.ipv4.first().copied());
    Interface {
        friendly_name: found.friendly_name.clone().unwrap_or_else(|| found.name.clone()),
        index: found.index,
        kind,
        link,
        mac: found.mac_addr.map(|mac| Mac(mac.octets())).filter(|mac| mac.0 != [0; 6]),
        speed_mbps: found.transmit_speed.map(|bits| bits / 1_000_000).filter(|&speed| speed > 0),
        mtu: found.mtu.unwrap_or(1500),
        gateway,
        addresses: found.ipv4,
        name: found.name,
    }
}

fn kind(found: &netdev::Interface) -> Kind {
    use netdev::interface::types::InterfaceType as Type;
    if found.is_loopback() {
        return Kind::Loopback;
    }
    if let Some(kind) = platform::interface_kind(&found.name) {
        return kind;
    }
    match found.if_type {
        Type::Wireless80211 => Kind::Wifi,
        Type::Bridge => Kind::Bridge,
        Type::Tunnel | Type::Ppp | Type::ProprietaryVirtual => Kind::Vpn,
        _ if found.is_tun() => Kind::Vpn,
        _ => Kind::Wired,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_known_and_comes_last() {
        let all = list();
        let last = all.last().expect("every machine has loopback");
        assert_eq!(last.kind, Kind::Loopback);
        assert!(last.addresses.iter().any(|address| address.addr() == Ipv4Addr::LOCALHOST));
    }
}
