//! A packet socket that hears who asks for IPv6 routers, and answers. Not a socket for ICMPv6, which cannot send where
//! IPv6 is off on our side; and that is what network managers do to an interface that has no connection of theirs.

use std::io;
use std::os::fd::AsRawFd;

use socket2::{Domain, SockFilter, Socket, Type};
use tokio::io::unix::AsyncFd;

use super::{packet_address, received, watched};
use crate::mac::Mac;
use crate::net::interface::Interface;
use crate::net::router::{
    self, ALL_ROUTERS_MAC, ETHERTYPE_IPV6, NEXT_HEADER_ICMPV6, ROUTER_SOLICITATION, Solicitation,
};

/// Room for a solicitation with more options than there are. What is longer is cut, and so not understood.
const ROOM: usize = 512;

/// Hears who asks for routers on one interface, and answers.
#[derive(Debug)]
pub struct RouterSocket {
    socket: AsyncFd<Socket>,
    own: Mac,
    index: i32,
}

impl RouterSocket {
    /// Opens a packet socket for IPv6 on this interface, which must have a hardware address. Needs `CAP_NET_RAW`, and a
    /// tokio runtime with I/O.
    pub fn open(interface: &Interface) -> io::Result<RouterSocket> {
        let own = interface.mac.ok_or(io::ErrorKind::Unsupported)?;
        let index = i32::try_from(interface.index).map_err(|_| io::ErrorKind::InvalidInput)?;
        // Without a protocol nothing is received before the socket is bound, and so nothing unfiltered.
        let socket = Socket::new(Domain::PACKET, Type::RAW.nonblocking(), None)?;
        socket.attach_filter(&solicitations())?;
        join(&socket, index, ALL_ROUTERS_MAC)?;
        socket.bind(&packet_address(index, ETHERTYPE_IPV6)?)?;
        Ok(RouterSocket { socket: watched(socket)?, own, index })
    }

    /// Waits for the next computer that asks. This one is not among them.
    pub async fn asked(&self) -> io::Result<Solicitation> {
        loop {
            if let Some(solicitation) = router::solicitation(&received::<ROOM>(&self.socket).await?)
                && solicitation.mac != self.own
            {
                return Ok(solicitation);
            }
        }
    }

    /// Tells a computer that there is no router.
    pub fn answer(&self, to: Solicitation) -> io::Result<()> {
        let frame = router::advertisement(self.own, to);
        self.socket.get_ref().send_to(&frame, &packet_address(self.index, ETHERTYPE_IPV6)?).map(drop)
    }
}

/// Frames with a router solicitation right behind the IPv6 header, in the kernel's filter language: everything else that
/// IPv6 carries would fill the socket's buffer.
fn solicitations() -> [SockFilter; 8] {
    const BYTE: u16 = 0x30;
    const HALF: u16 = 0x28;
    const IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    [
        SockFilter::new(HALF, 0, 0, 12),
        SockFilter::new(IF_EQUAL, 0, 5, u32::from(ETHERTYPE_IPV6)),
        SockFilter::new(BYTE, 0, 0, 20),
        SockFilter::new(IF_EQUAL, 0, 3, u32::from(NEXT_HEADER_ICMPV6)),
        SockFilter::new(BYTE, 0, 0, 54),
        SockFilter::new(IF_EQUAL, 0, 1, u32::from(ROUTER_SOLICITATION)),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
        SockFilter::new(RETURN, 0, 0, 0),
    ]
}

/// Has the network card take in what is sent to a group of Ethernet, for as long as the socket is open.
fn join(socket: &Socket, index: i32, group: Mac) -> io::Result<()> {
    let [a, b, c, d, e, f] = group.0;
    let request = libc::packet_mreq {
        mr_ifindex: index,
        mr_type: libc::PACKET_MR_MULTICAST as libc::c_ushort,
        mr_alen: 6,
        mr_address: [a, b, c, d, e, f, 0, 0],
    };
    // SAFETY: the descriptor is the socket's own and open; the kernel reads a `packet_mreq` from the address of one, as
    // many bytes as it has, and keeps nothing of it.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_ADD_MEMBERSHIP,
            (&raw const request).cast(),
            size_of::<libc::packet_mreq>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
