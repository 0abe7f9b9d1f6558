//! Linux: interfaces by sysfs, sockets tied by `SO_BINDTODEVICE`; ARP, a DHCP client and router
//! advertisements by packet sockets; port holders by procfs.
#![allow(unsafe_code, reason = "the packet socket's address has no safe constructor; each use says why it is sound")]

mod address;
mod around;
mod channel;
mod client;
pub mod elevate;
pub mod gate;
mod groups;
pub mod helper;
mod neighbour;
mod power;
mod programs;
mod router;
mod sockets;
mod wire;

use std::fs::{self, File};
use std::io;
use std::mem::MaybeUninit;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use socket2::{Domain, SockAddr, SockFilter, Socket, Type};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

pub use around::{cable, clock_is_kept, free_room, place};
pub use client::ClientSocket;
pub use neighbour::neighbour;
pub use power::{AWAKE, power};
pub use router::RouterSocket;

use crate::mac::Mac;
use crate::net::interface::{Interface, Kind};
use crate::net::ports::{Holder, Transport};

/// Raises the limit of open files to what the system lets us: each connection and each transfer is one.
pub fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Not allowed to: the budgets then end at the lower limit, and nothing else does.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

/// Cuts a connection whose other end takes nothing for this long, even if only what the system holds is left to send.
pub fn cut_when_stalled(stream: &tokio::net::TcpStream, after: Duration) {
    let _ = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(after));
}

/// What sysfs knows of an interface; `None` where it has no folder for it.
pub fn interface_kind(name: &str) -> Option<Kind> {
    let folder = Path::new("/sys/class/net").join(name);
    if name.contains('/') || !folder.exists() {
        return None;
    }
    let has = |entry: &str| folder.join(entry).exists();
    Some(match () {
        () if has("wireless") || has("phy80211") => Kind::Wifi,
        () if has("bridge") => Kind::Bridge,
        // A tun device carries IP packets of a VPN; a tap carries Ethernet frames of a virtual machine.
        () if has("tun_flags") && fs::read_to_string(folder.join("type")).is_ok_and(|kind| kind.trim() == "65534") => {
            Kind::Vpn
        }
        () if name.starts_with("wg") && !has("device") => Kind::Vpn,
        // Only hardware has a device behind it.
        () if has("device") => Kind::Wired,
        () => Kind::Virtual,
    })
}

/// Ties a socket to an interface before it is bound, and returns the address to bind to.
///
/// Bound to the interface's own address it would never hear a DISCOVER from 0.0.0.0, and without the tie a broadcast
/// leaves on the default route's interface with the wrong source (both tried in namespaces with two links). Unprivileged
/// since Linux 5.7 for a socket that is not tied yet.
pub fn tie(socket: &Socket, interface: &Interface, _own: Ipv4Addr) -> io::Result<Ipv4Addr> {
    socket.bind_device(Some(interface.name.as_bytes()))?;
    Ok(Ipv4Addr::UNSPECIFIED)
}

/// The lowest port that this program may open. Root may open all of them, and so may who has `CAP_NET_BIND_SERVICE`.
pub fn first_open_port() -> u16 {
    const CAP_NET_BIND_SERVICE: u64 = 1 << 10;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let granted = effective_capabilities(&status).is_some_and(|granted| granted & CAP_NET_BIND_SERVICE != 0);
    if granted || rustix::process::geteuid().is_root() {
        return 0;
    }
    let first = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    first.ok().and_then(|first| first.trim().parse().ok()).unwrap_or(1024)
}

fn effective_capabilities(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(line.trim(), 16).ok()
}

/// Opens a file below a folder; no part of the path may be a link or lead out of it. The kernel checks it at the very
/// open, so nothing can be swapped in between.
pub fn open_beneath(folder: &Path, relative: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags, ResolveFlags};
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    // Without NONBLOCK, opening a pipe would wait for its other end.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let folder = File::open(folder)?;
    Ok(File::from(rustix::fs::openat2(&folder, relative, flags, Mode::empty(), resolve)?))
}

/// The program that holds a port of this interface's address, as far as this user may see.
pub fn port_holder(transport: Transport, port: u16, interface: &Interface, own: Ipv4Addr) -> Option<Holder> {
    let (inode, group) = holding_socket(transport, port, interface, own)?;
    let Some(holder) = process_with_socket(inode) else { return groups::holder(group?) };
    // The system holds sockets of services that are started by the first question.
    let unit = group.filter(|_| holder.pid == 1).and_then(groups::unit_of);
    Some(Holder { unit: unit.or(holder.unit), ..holder })
}

/// Whether somebody holds a port of this interface's address, or, if that is unspecified, of any one; found out without
/// opening it.
pub fn is_held(transport: Transport, port: u16, interface: &Interface, own: Ipv4Addr) -> bool {
    holding_socket(transport, port, interface, own).is_some()
}

/// The inode of the socket that is in the way of one on this port, and the control group that it was opened in.
fn holding_socket(transport: Transport, port: u16, interface: &Interface, own: Ipv4Addr) -> Option<(u64, Option<u64>)> {
    let Ok(all) = sockets::bound(transport) else { return Some((listed_socket(transport, port, own)?, None)) };
    let in_the_way = |bound: &&sockets::Bound| {
        let here = bound.interface == 0 || bound.interface == interface.index;
        let same = bound.address == own || bound.address.is_unspecified() || own.is_unspecified();
        bound.port == port && here && same
    };
    all.iter().find(in_the_way).map(|bound| (bound.inode, bound.group))
}

/// The same by the older tables, for a kernel without the newer list. They do not tell what is tied elsewhere.
fn listed_socket(transport: Transport, port: u16, own: Ipv4Addr) -> Option<u64> {
    let tables = match transport {
        Transport::Udp => ["/proc/net/udp", "/proc/net/udp6"],
        Transport::Tcp => ["/proc/net/tcp", "/proc/net/tcp6"],
    };
    tables.iter().find_map(|path| socket_inode(&fs::read_to_string(path).ok()?, port, own))
}

/// The inode of the socket in a `/proc/net` table that is bound to `port`, on `own` or any address.
fn socket_inode(table: &str, port: u16, own: Ipv4Addr) -> Option<u64> {
    const LISTEN: &str = "0A";
    const UDP_UNCONNECTED: &str = "07";
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_whitespace();
        let (address, held) = fields.nth(1)?.split_once(':')?;
        let state = fields.nth(1)?;
        let inode = fields.nth(5)?.parse().ok()?;
        // The kernel prints the address as a little-endian number in hexadecimal; eight zeros are any address.
        let mine = address.bytes().all(|digit| digit == b'0')
            || u32::from_str_radix(address, 16).is_ok_and(|raw| Ipv4Addr::from(raw.to_le_bytes()) == own);
        let bound = state == LISTEN || state == UDP_UNCONNECTED;
        (mine && bound && u16::from_str_radix(held, 16) == Ok(port)).then_some(inode)
    })
}

/// The system's service in a `/proc/PID/cgroup` table.
fn unit(groups: &str) -> Option<String> {
    groups.lines().filter_map(|line| line.splitn(3, ':').nth(2)).find_map(groups::unit)
}

fn process_with_socket(inode: u64) -> Option<Holder> {
    let wanted = format!("socket:[{inode}]");
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // Another user's process hides its descriptors; that is no reason to stop looking.
        let Ok(descriptors) = fs::read_dir(entry.path().join("fd")) else { continue };
        let holds = descriptors
            .flatten()
            .any(|descriptor| fs::read_link(descriptor.path()).is_ok_and(|link| link.as_os_str() == wanted.as_str()));
        if holds {
            let name = fs::read_to_string(entry.path().join("comm")).ok()?;
            let groups = fs::read_to_string(entry.path().join("cgroup")).unwrap_or_default();
            return Some(Holder { program: name.trim().to_owned(), pid, unit: unit(&groups) });
        }
    }
    None
}

/// Asks who has an address, and hears who uses which, on one interface (RFC 826, RFC 5227).
#[derive(Debug)]
pub struct ArpSocket {
    socket: AsyncFd<Socket>,
    own: Mac,
    index: i32,
}

const ETHERTYPE_ARP: u16 = 0x0806;
/// Ethernet header and ARP packet for IPv4 (RFC 826).
const ARP_FRAME: usize = 14 + 28;

impl ArpSocket {
    /// Opens a packet socket for ARP on this interface. Needs `CAP_NET_RAW`, and a tokio runtime with I/O.
    pub fn open(interface: &Interface) -> io::Result<ArpSocket> {
        let own = interface.mac.ok_or(io::ErrorKind::Unsupported)?;
        let index = i32::try_from(interface.index).map_err(|_| io::ErrorKind::InvalidInput)?;
        // Without a protocol nothing is received before the socket is bound, and so nothing unfiltered.
        let socket = Socket::new(Domain::PACKET, Type::RAW.nonblocking(), None)?;
        socket.attach_filter(&untagged_on(interface.index))?;
        socket.bind(&packet_address(index, ETHERTYPE_ARP)?)?;
        Ok(ArpSocket { socket: watched(socket)?, own, index })
    }

    /// Broadcasts an ARP probe: sender address 0.0.0.0, so that no cache changes (RFC 5227 section 2.1.1).
    pub fn ask(&self, address: Ipv4Addr) -> io::Result<()> {
        let mut frame = Vec::with_capacity(ARP_FRAME);
        frame.extend_from_slice(&[0xff; 6]);
        frame.extend_from_slice(&self.own.0);
        frame.extend_from_slice(&ETHERTYPE_ARP.to_be_bytes());
        // Ethernet, IPv4, lengths 6 and 4, request.
        frame.extend_from_slice(&[0, 1, 8, 0, 6, 4, 0, 1]);
        frame.extend_from_slice(&self.own.0);
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(&[0; 6]);
        frame.extend_from_slice(&address.octets());
        self.socket.get_ref().send_to(&frame, &packet_address(self.index, ETHERTYPE_ARP)?).map(drop)
    }

    /// Waits for the next ARP packet of another machine, and returns the address that its sender uses.
    pub async fn heard(&self) -> io::Result<(Ipv4Addr, Mac)> {
        loop {
            if let Some((address, mac)) = arp_sender(&received::<64>(&self.socket).await?)
                && mac != self.own
            {
                return Ok((address, mac));
            }
        }
    }
}

/// Lets through what came on this very interface, and not what carries the tag of a VLAN, in the kernel's filter language.
///
/// A packet socket hears tagged frames as well, with their tags taken out: addresses of other networks. Where the VLAN has
/// an interface of its own the kernel names that one, and where it has none, it marks the frame as another machine's
/// (`vlan_do_receive` and `__netif_receive_skb_core`). UDP sockets hear neither.
fn untagged_on(index: u32) -> [SockFilter; 6] {
    const WORD: u16 = 0x20;
    const IF_EQUAL: u16 = 0x15;
    const RETURN: u16 = 0x06;
    // What is known beside the packet (SKF_AD_OFF and its offsets in linux/filter.h).
    const BESIDE: u32 = 0u32.wrapping_sub(0x1000);
    const KIND: u32 = BESIDE + 4;
    const INTERFACE: u32 = BESIDE + 8;
    const OTHER_MACHINE: u32 = 3;
    [
        SockFilter::new(WORD, 0, 0, INTERFACE),
        SockFilter::new(IF_EQUAL, 0, 2, index),
        SockFilter::new(WORD, 0, 0, KIND),
        SockFilter::new(IF_EQUAL, 0, 1, OTHER_MACHINE),
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, u32::MAX),
    ]
}

/// The sender of an ARP packet for IPv4 over Ethernet, if it gives an address.
fn arp_sender(frame: &[u8]) -> Option<(Ipv4Addr, Mac)> {
    if frame.get(12..20)? != [8, 6, 0, 1, 8, 0, 6, 4] {
        return None;
    }
    let mac: [u8; 6] = frame.get(22..28)?.try_into().ok()?;
    let address: [u8; 4] = frame.get(28..32)?.try_into().ok()?;
    let address = Ipv4Addr::from(address);
    (!address.is_unspecified()).then_some((address, Mac(mac)))
}

/// Has the runtime watch when a socket, which must not block, can be read.
fn watched(socket: Socket) -> io::Result<AsyncFd<Socket>> {
    // SAFETY: the `AsyncFd` owns the socket, and `Socket` returns the same descriptor until it is dropped.
    let watched = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) }?;
    Ok(watched)
}

/// Waits for the next packet, and returns what of it has room. A flood of packets does not keep the runtime from its
/// other work.
async fn received<const ROOM: usize>(socket: &AsyncFd<Socket>) -> io::Result<Vec<u8>> {
    let receive = |socket: &Socket| {
        let mut packet = [MaybeUninit::<u8>::uninit(); ROOM];
        let read = socket.recv(&mut packet)?;
        // SAFETY: `recv` says that it wrote the first `read` bytes, and no more are taken.
        Ok(packet.iter().take(read).map(|byte| unsafe { byte.assume_init() }).collect())
    };
    socket.async_io(Interest::READABLE, receive).await
}

/// The same of a packet socket, and the network card that sent it.
async fn received_from<const ROOM: usize>(socket: &AsyncFd<Socket>) -> io::Result<(Vec<u8>, Option<Mac>)> {
    let receive = |socket: &Socket| {
        let mut packet = [MaybeUninit::<u8>::uninit(); ROOM];
        let (read, from) = socket.recv_from(&mut packet)?;
        // SAFETY: `recv_from` says that it wrote the first `read` bytes, and no more are taken.
        let packet = packet.iter().take(read).map(|byte| unsafe { byte.assume_init() }).collect();
        Ok((packet, card(&from)))
    };
    socket.async_io(Interest::READABLE, receive).await
}

/// The network card that a packet socket names as a sender.
fn card(from: &SockAddr) -> Option<Mac> {
    let length = usize::try_from(from.len()).unwrap_or_default();
    if i32::from(from.family()) != libc::AF_PACKET || length < size_of::<libc::sockaddr_ll>() {
        return None;
    }
    // SAFETY: the kernel wrote a `sockaddr_ll`, as its family and length say, into storage that is aligned for every
    // kind of address.
    let link = unsafe { &*from.as_ptr().cast::<libc::sockaddr_ll>() };
    let octets = link.sll_addr.get(..6).filter(|_| link.sll_halen == 6)?;
    Some(Mac(octets.try_into().ok()?))
}

/// Everybody on the Ethernet of this interface, for packets of this type.
fn packet_address(index: i32, ethertype: u16) -> io::Result<SockAddr> {
    // SAFETY: `sockaddr_ll` is plain data for which zeros are valid; it fits into `sockaddr_storage`, whose room the
    // closure is given; and the length that is set is that of the structure written.
    let ((), address) = unsafe {
        SockAddr::try_init(|storage, length| {
            let link = libc::sockaddr_ll {
                sll_family: libc::AF_PACKET as libc::sa_family_t,
                sll_protocol: ethertype.to_be(),
                sll_ifindex: index,
                sll_hatype: 0,
                sll_pkttype: 0,
                sll_halen: 6,
                sll_addr: [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0],
            };
            storage.cast::<libc::sockaddr_ll>().write(link);
            *length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
            Ok(())
        })?
    };
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UDP_TABLE: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  102: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 11111 2 0000000000000000 0
  117: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 22222 2 0000000000000000 0
";

    #[test]
    fn a_port_table_gives_the_socket_on_this_or_any_address() {
        let own = Ipv4Addr::new(10, 77, 0, 1);
        assert_eq!(socket_inode(UDP_TABLE, 0x44, own), Some(22222));
        assert_eq!(socket_inode(UDP_TABLE, 0x35, own), None, "held on loopback only");
        assert_eq!(socket_inode(UDP_TABLE, 0x35, Ipv4Addr::LOCALHOST), Some(11111));
        assert_eq!(socket_inode("", 1, own), None);
    }

    #[test]
    fn a_process_belongs_to_a_service_of_the_system_or_to_none() {
        let cases = [
            ("0::/system.slice/dnsmasq.service\n", Some("dnsmasq.service")),
            ("0::/system.slice/libvirtd.service/dnsmasq\n", Some("libvirtd.service")),
            ("12:pids:/x\n1:name=systemd:/system.slice/nginx.service\n0::/\n", Some("nginx.service")),
            ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.service\n", None),
            ("0::/init.scope\n", None),
            ("", None),
            ("0\n:\n::\n", None),
        ];
        for (groups, expected) in cases {
            assert_eq!(unit(groups).as_deref(), expected, "{groups}");
        }
    }

    #[test]
    fn capabilities_are_read_from_a_status_table() {
        let status = "Name:\tbootwright\nCapPrm:\t000001ffffffffff\nCapEff:\t0000000000000400\nCapBnd:\t0\n";
        assert_eq!(effective_capabilities(status), Some(1 << 10));
        assert_eq!(effective_capabilities("CapEff:\tmany\n"), None);
        assert_eq!(effective_capabilities(""), None);
    }

    #[test]
    fn an_arp_packet_names_its_sender_and_a_probe_does_not() {
        let mut frame = vec![0u8; 42];
        frame[12..20].copy_from_slice(&[8, 6, 0, 1, 8, 0, 6, 4]);
        frame[22..28].copy_from_slice(&[2, 0, 0, 0, 0, 9]);
        assert_eq!(arp_sender(&frame), None);
        frame[28..32].copy_from_slice(&[10, 0, 0, 7]);
        assert_eq!(arp_sender(&frame), Some((Ipv4Addr::new(10, 0, 0, 7), Mac([2, 0, 0, 0, 0, 9]))));
        for length in 0..32 {
            assert_eq!(arp_sender(&frame[..length]), None);
        }
    }
}
