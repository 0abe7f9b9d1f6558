//! Who listens where, without opening anything: the kernel's list of sockets (`sock_diag(7)`), which anybody may read.
//!
//! `/proc/net/udp` does not say which interface a socket is tied to. A DHCP server for virtual machines listens on all
//! addresses of its own bridge, and would look as if it stood in the way everywhere.

use std::io::{self, Read};
use std::net::Ipv4Addr;

use socket2::{Domain, Protocol, Socket, Type};

use crate::net::ports::Transport;

const NETLINK_SOCK_DIAG: i32 = 4;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST | NLM_F_ROOT | NLM_F_MATCH`: all of them.
const DUMP: u16 = 0x1 | 0x100 | 0x200;
const NLMSG_DONE: u16 = 3;
const NLMSG_ERROR: u16 = 2;
const HEADER: usize = 16;
/// Length of `inet_diag_msg`; attributes follow it.
const SOCKET: usize = 72;
/// `INET_DIAG_SKV6ONLY`.
const V6_ONLY: u16 = 11;
/// `INET_DIAG_CGROUP_ID`, since Linux 5.8.
const GROUP: u16 = 21;
/// States by their number: `TCP_CLOSE` is a UDP socket that is bound and not connected.
const CLOSED: u32 = 1 << 7;
const LISTENING: u32 = 1 << 10;
/// More than any kernel sends at once.
const BUFFER: usize = 64 * 1024;
/// Most answers that are read; each has some hundred sockets.
const MOST_ANSWERS: usize = 10_000;

/// A socket that is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    /// Its port.
    pub port: u16,
    /// Its IPv4 address; an IPv6 socket on all addresses has them all.
    pub address: Ipv4Addr,
    /// The interface that it is tied to; 0 is none.
    pub interface: u32,
    /// Its number, by which its process is found.
    pub inode: u64,
    /// The control group that it was opened in, where the kernel tells.
    pub group: Option<u64>,
}

/// All sockets that wait for packets or connections and hold an IPv4 address.
pub(super) fn bound(transport: Transport) -> io::Result<Vec<Bound>> {
    let mut all = dump(libc::AF_INET as u8, transport)?;
    // A kernel without IPv6 has none of these.
    all.extend(dump(libc::AF_INET6 as u8, transport).unwrap_or_default());
    Ok(all)
}

fn dump(family: u8, transport: Transport) -> io::Result<Vec<Bound>> {
    let socket = Socket::new(Domain::from(libc::AF_NETLINK), Type::RAW, Some(Protocol::from(NETLINK_SOCK_DIAG)))?;
    socket.set_read_timeout(Some(std::time::Duration::from_secs(1)))?;
    socket.send(&request(family, transport))?;
    let mut found = Vec::new();
    let mut answer = vec![0; BUFFER];
    for _ in 0..MOST_ANSWERS {
        let length = (&socket).read(&mut answer)?;
        if read(answer.get(..length).unwrap_or_default(), &mut found)? {
            return Ok(found);
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// `nlmsghdr` and `inet_diag_req_v2` (linux/inet_diag.h).
fn request(family: u8, transport: Transport) -> Vec<u8> {
    const BODY: usize = 56;
    let (protocol, states) = match transport {
        Transport::Udp => (libc::IPPROTO_UDP as u8, CLOSED),
        Transport::Tcp => (libc::IPPROTO_TCP as u8, LISTENING),
    };
    let mut bytes = Vec::with_capacity(HEADER + BODY);
    bytes.extend_from_slice(&((HEADER + BODY) as u32).to_ne_bytes());
    bytes.extend_from_slice(&SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    bytes.extend_from_slice(&DUMP.to_ne_bytes());
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(&[family, protocol, 0, 0]);
    bytes.extend_from_slice(&states.to_ne_bytes());
    bytes.resize(HEADER + BODY, 0);
    bytes
}

/// Reads one answer's messages, and says whether it was the last.
fn read(mut bytes: &[u8], found: &mut Vec<Bound>) -> io::Result<bool> {
    while bytes.len() >= HEADER {
        let length = word(bytes, 0).and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
        let kind = bytes.get(4..6).and_then(|kind| kind.try_into().ok()).map(u16::from_ne_bytes);
        let Some(body) = bytes.get(HEADER..length) else { return Err(io::ErrorKind::InvalidData.into()) };
        match kind {
            Some(NLMSG_DONE) => return Ok(true),
            Some(NLMSG_ERROR) => return Err(io::ErrorKind::Unsupported.into()),
            _ => found.extend(socket(body)),
        }
        // Each message begins at a multiple of four.
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(false)
}

/// `inet_diag_msg` (linux/inet_diag.h); none where it holds no IPv4 address.
fn socket(body: &[u8]) -> Option<Bound> {
    let family = i32::from(*body.first()?);
    let port: [u8; 2] = body.get(4..6)?.try_into().ok()?;
    let source: [u8; 16] = body.get(8..24)?.try_into().ok()?;
    let address = match family {
        libc::AF_INET => Ipv4Addr::from(<[u8; 4]>::try_from(source.get(..4)?).ok()?),
        _ if source == [0; 16] && is_v6_only(body.get(SOCKET..)?) => return None,
        _ if source == [0; 16] => Ipv4Addr::UNSPECIFIED,
        _ => std::net::Ipv6Addr::from(source).to_ipv4_mapped()?,
    };
    let (interface, inode) = (word(body, 40)?, word(body, 68)?);
    let group = attribute(body.get(SOCKET..).unwrap_or_default(), GROUP);
    let group = group.and_then(|group| group.try_into().ok()).map(u64::from_ne_bytes);
    Some(Bound { port: u16::from_be_bytes(port), address, interface, inode: inode.into(), group })
}

/// Web servers listen so, beside a socket of their own for IPv4 or without one.
fn is_v6_only(attributes: &[u8]) -> bool {
    attribute(attributes, V6_ONLY).and_then(<[u8]>::first).is_some_and(|&only| only != 0)
}

fn attribute(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    while let [a, b, c, d, ..] = attributes {
        let (length, kind) = (usize::from(u16::from_ne_bytes([*a, *b])), u16::from_ne_bytes([*c, *d]));
        if kind == wanted {
            return attributes.get(4..length);
        }
        // At least its own head, or it would never end.
        attributes = attributes.get(length.max(4).next_multiple_of(4)..).unwrap_or_default();
    }
    None
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_lists_a_socket_with_its_address() {
        let socket = std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = socket.local_addr().expect("bound").port();
        let all = bound(Transport::Udp).expect("a list");
        let own = all.iter().find(|bound| bound.port == port).expect("listed");
        assert_eq!((own.address, own.interface), (Ipv4Addr::LOCALHOST, 0));
        assert!(own.inode > 0);
        // Where the groups can be seen, the socket's is that of its process.
        let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let path = groups.lines().find_map(|line| line.strip_prefix("0::/"));
        let folder = path.and_then(|path| std::fs::metadata(std::path::Path::new("/sys/fs/cgroup").join(path)).ok());
        if let (Some(folder), Some(group)) = (folder, own.group) {
            assert_eq!(group, std::os::unix::fs::MetadataExt::ino(&folder));
        }
    }

    #[test]
    fn a_socket_for_ipv6_only_is_not_in_the_way() {
        let cases: [(&[u8], bool); 6] = [
            (&[], false),
            (&[5, 0, 11, 0, 1, 0, 0, 0], true),
            (&[5, 0, 11, 0, 0, 0, 0, 0], false),
            (&[5, 0, 8, 0, 1, 0, 0, 0, 5, 0, 11, 0, 1, 0, 0, 0], true),
            (&[0; 8], false),
            (&[5, 0, 11, 0], false),
        ];
        for (attributes, expected) in cases {
            assert_eq!(is_v6_only(attributes), expected, "{attributes:?}");
        }
    }

    #[test]
    fn a_broken_answer_is_no_answer() {
        let mut message = request(0, Transport::Udp);
        let mut found = Vec::new();
        assert!(!read(&message, &mut found).expect("whole"));
        assert!(found.is_empty(), "too short for a socket");
        for length in [0u32, 5, 15, 4000] {
            message[..4].copy_from_slice(&length.to_ne_bytes());
            assert!(read(&message, &mut found).is_err(), "{length}");
        }
        assert!(!read(&message[..10], &mut found).expect("nothing in it"));
    }
}
