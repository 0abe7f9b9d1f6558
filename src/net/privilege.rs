//! The ports of booting, without rights for the window: a helper opens them and passes the sockets on.
//!
//! The window starts `pkexec bootwright helper` with one end of a socket pair as its standard input ([`acquire`]); the
//! system asks for the password. The helper opens what it was asked for, exactly as [`super::socket`] does it, gives the
//! interface an address if that was asked for too, passes the sockets on and ends. It stays only where it has given an
//! address or opened the firewall, to take that away again, or where it is to answer those who ask for IPv6 routers or to
//! listen for other DHCP servers; until the other end is closed. Root starts it as well, without a question, for what has
//! to be undone whatever happens.
//!
//! # What the helper is afraid of
//!
//! It runs as root, and whoever starts it has only shown that somebody may open Bootwright's ports. So:
//!
//! * *The caller is hostile.* One request of at most 4 KiB within ten seconds, one answer. It has no paths, no commands
//!   and no environment in it; unknown fields are refused. A caller that is slow, silent or gone ends the helper.
//! * *It asks for more than booting needs.* Exactly UDP 67, 4011 and 69, and TCP 80, each with its own way of listening,
//!   each once, on one interface that exists and on an address that it has. The sockets are bound before they leave: the
//!   receiver can read and write, but not move them. No packet socket is passed: it would let the receiver forge any
//!   frame. The one for router advertisements stays here, and all that it sends is that there is no router
//!   ([`super::router`]). So does the one that hears other DHCP servers: what is said to the port of DHCP clients is passed
//!   on, and all that can be sent is a DISCOVER in the name of the interface's own card, two in a second at most.
//! * *It wants to lead traffic astray with an address.* Private and link-local networks only, no network that another
//!   interface has, only on a cable or a virtual interface that has no address yet, and only while the caller lives.
//! * *It wants a way in through the firewall.* For the ports above on the one interface, and for a few more that files are
//!   served on ([`FILES`]); only while the caller lives. Root may ask for any TCP port: that caller could do it anyway.
//! * *The cable is hostile.* Where it answers who asks for IPv6 routers, it reads from the cable as root: frames that the
//!   kernel has chosen, at most 512 bytes of each, checked field by field, and nothing of them is kept.
//! * *It is killed in the middle.* All sockets or none. SIGTERM, SIGINT and SIGHUP undo the address and the firewall's rule;
//!   what SIGKILL leaves behind is one private address, and a rule that the next helper takes away.
//! * *The programs that it starts.* `ip`, `nft`, `iptables`, `ufw` and `firewall-cmd` by their full path, with argument
//!   vectors and an environment of our own; the interface's name comes from the system's list, never from the request.
//! * *What stays open.* Until the question is asked anew (five minutes under our policy) any program of the same user
//!   may ask for the same again. That is what the user agreed to, and all there is to get is the list above.

use std::io;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::ports::Transport;
use super::socket::{BindError, Hear, Sockets};
use super::{Interface, platform};

/// TCP ports that files may be served on, and that the firewall is opened for.
pub const FILES: [u16; 4] = [80, 8080, 8000, 8888];

/// What opening ports takes.
#[derive(Debug)]
pub enum Rights {
    /// This program may open them itself.
    Present,
    /// [`acquire`] gets them, and the system may ask for a password.
    ByHelper,
    /// There is no way to get them from here.
    Missing(PrivilegeError),
}

/// Whether these ports may be opened on this interface. Opens none of them, and asks nobody anything.
pub fn rights(interface: &Interface, own: Ipv4Addr, ports: &[(Transport, u16)]) -> Rights {
    if let Err(source) = try_tie(interface, own)
        && source.kind() == io::ErrorKind::PermissionDenied
    {
        // Each transfer of TFTP opens a tied socket of its own, so the helper is no way out.
        return Rights::Missing(PrivilegeError::Tie { interface: interface.name.clone(), source });
    }
    let first = platform::first_open_port();
    if ports.iter().all(|&(_, port)| port == 0 || port >= first) {
        return Rights::Present;
    }
    match platform::elevate::available() {
        Ok(()) => Rights::ByHelper,
        Err(error) => Rights::Missing(error),
    }
}

fn try_tie(interface: &Interface, own: Ipv4Addr) -> io::Result<()> {
    use socket2::{Domain, Socket, Type};
    platform::tie(&Socket::new(Domain::IPV4, Type::DGRAM, None)?, interface, own).map(drop)
}

/// A UDP port to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UdpPort {
    /// Its number.
    pub port: u16,
    /// What it listens to.
    pub hear: Hear,
}

/// What the helper is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The interface's system name.
    pub interface: String,
    /// The address to serve from: one that it has, or that of `address`.
    pub own: Ipv4Addr,
    /// UDP ports.
    pub udp: Vec<UdpPort>,
    /// TCP ports.
    pub tcp: Vec<u16>,
    /// An address to give to the interface for as long as the [`Grant`] lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Ipv4Net>,
    /// Whether everybody on this interface who asks for an IPv6 router is to be told that there is none, for as long as
    /// the [`Grant`] lives. Where the helper cannot do that, it does the rest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub router: bool,
    /// Whether other DHCP servers of the network are to be heard and asked for, for as long as the [`Grant`] lives. Where
    /// the helper cannot do that, it does the rest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guard: bool,
    /// What the firewall is to let in on the interface, for as long as the [`Grant`] lives. Of several TCP ports it is the
    /// first one that can be opened. Where the helper cannot do that, it does the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub firewall: Vec<(Transport, u16)>,
}

/// What came of opening the firewall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// Nothing was in the way, and nothing was changed.
    Untouched,
    /// It is open until the [`Grant`] is released.
    Opened,
    /// It is as it was.
    Failed {
        /// What its program said.
        reason: String,
    },
}

impl Request {
    /// All its ports, as [`rights`] takes them.
    pub fn ports(&self) -> Vec<(Transport, u16)> {
        let udp = self.udp.iter().map(|udp| (Transport::Udp, udp.port));
        udp.chain(self.tcp.iter().map(|&port| (Transport::Tcp, port))).collect()
    }
}

/// Why the helper does not do what it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// What it read is no request.
    #[error("no request: {reason}")]
    Request {
        /// What is wrong with it.
        reason: String,
    },
    /// A port that booting does not need, or not in this way.
    #[error("{transport} port {port} is not opened for anybody")]
    Port {
        /// UDP or TCP.
        transport: Transport,
        /// The port.
        port: u16,
    },
    /// There is no such interface.
    #[error("there is no interface {interface}")]
    NoInterface {
        /// What was asked for.
        interface: String,
    },
    /// The interface does not have the address to serve from.
    #[error("{interface} does not have {own}")]
    NotOwn {
        /// The interface.
        interface: String,
        /// The address.
        own: Ipv4Addr,
    },
    /// The address to give is not one for a network of one's own.
    #[error("{address} is no host in a private network")]
    Address {
        /// The address.
        address: Ipv4Net,
    },
    /// The interface has an address already.
    #[error("{interface} has {present} already")]
    Addressed {
        /// The interface.
        interface: String,
        /// The address that it has.
        present: Ipv4Net,
    },
    /// Another interface has addresses of that network.
    #[error("{interface} is in {network} already")]
    Overlap {
        /// The other interface.
        interface: String,
        /// Its network.
        network: Ipv4Net,
    },
    /// An interface of this kind gets no address from us.
    #[error("{interface} is neither wired nor virtual")]
    Kind {
        /// The interface.
        interface: String,
    },
    /// The address could not be given.
    #[error("{address} could not be given to {interface}: {reason}")]
    Set {
        /// The interface.
        interface: String,
        /// The address.
        address: Ipv4Net,
        /// What `ip` said.
        reason: String,
    },
}

/// Why there are no sockets. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum PrivilegeError {
    /// The program that asks for the password is not there.
    #[error("pkexec is not installed")]
    NoPkexec,
    /// There is no helper for this system.
    #[error("this system has no helper")]
    Unsupported,
    /// This system ties sockets to interfaces for root only.
    #[error("cannot tie a socket to {interface}")]
    Tie {
        /// The interface.
        interface: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The helper cannot be started.
    #[error("the helper cannot be started")]
    Start(#[source] io::Error),
    /// The question for the password was closed.
    #[error("the question for the password was closed")]
    Dismissed,
    /// The password was wrong, or this user may not, or nobody could be asked.
    #[error("not authorised: {reason}")]
    NotAuthorised {
        /// What pkexec said.
        reason: String,
    },
    /// The helper failed in a way of its own.
    #[error("the helper failed: {reason}")]
    Helper {
        /// What is known of it.
        reason: String,
    },
    /// The helper refused.
    #[error("the helper refused")]
    Refused(#[from] Refusal),
    /// A port cannot be opened by the helper either.
    #[error("cannot serve on {interface}")]
    Port {
        /// The interface.
        interface: String,
        /// Which port, and why.
        #[source]
        source: BindError,
    },
    /// The helper was started by hand: nobody is there to take the sockets.
    #[error("the helper was started by hand")]
    ByHand,
}

/// What [`acquire`] got. While it lives, an address that was asked for stays on the interface, and the helper answers who
/// asks for IPv6 routers.
#[derive(Debug)]
pub struct Grant {
    /// The sockets, for `engine::run_with`.
    pub sockets: Sockets,
    /// What came of opening the firewall, where that was asked for.
    pub firewall: Option<Gate>,
    /// Our hold on the helper.
    pub(super) helper: platform::elevate::Helper,
}

impl Grant {
    /// Gives everything back, and waits until the helper has undone what it did. Dropping does the same without waiting.
    pub async fn release(self) {
        drop(self.sockets);
        self.helper.end().await;
    }
}

/// Gets the sockets of a request from the helper; the system may ask for a password, and the answer takes as long as
/// whoever is asked. As root the helper is started without a question.
///
/// Dropping the future takes the question away again and ends the helper. Must be called inside a tokio runtime.
pub async fn acquire(request: &Request) -> Result<Grant, PrivilegeError> {
    platform::elevate::acquire(request).await
}

/// The helper's whole life, with standard input as its channel: `bootwright helper`.
pub fn help() -> Result<(), PrivilegeError> {
    platform::helper::run()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::interface;

    #[test]
    fn ports_that_anybody_may_open_need_no_helper() {
        let loopback = interface::list().pop().expect("loopback");
        let high = [(Transport::Udp, 0), (Transport::Udp, 4011), (Transport::Tcp, 8080)];
        assert!(matches!(rights(&loopback, Ipv4Addr::LOCALHOST, &high), Rights::Present));
        // What low ones need depends on who runs this test; that it is said at all does not.
        let low = rights(&loopback, Ipv4Addr::LOCALHOST, &[(Transport::Udp, 67)]);
        let may = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 1)).is_ok();
        assert_eq!(matches!(low, Rights::Present), may, "{low:?}");
    }
}
