//! macOS and Windows: what the standard sockets give. Written from documentation, not run yet (no such machine); the
//! functions that a system cannot answer say so by `None`.

use std::fs::File;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;

use socket2::Socket;

use crate::mac::Mac;
use crate::net::awake::Power;
use crate::net::interface::{Interface, Kind};
use crate::net::place::{Cable, Place};
use crate::net::ports::{Holder, Transport};
use crate::net::router::Solicitation;

/// What keeps the computer awake while a command runs, and whether that covers the lid. Windows has no such program.
pub const AWAKE: &[(&[&str], bool)] = if cfg!(target_os = "macos") { &[(&["caffeinate", "-ims"], false)] } else { &[] };

/// Not found out on this system yet.
pub fn power() -> Power {
    Power { can_stay: cfg!(target_os = "macos"), on_battery: None, is_portable: false }
}

/// Not found out on this system yet.
pub fn cable(_name: &str) -> Cable {
    Cable::default()
}

/// Not found out on this system yet.
pub fn clock_is_kept() -> Option<bool> {
    None
}

/// Not found out on this system yet.
pub fn free_room(_folder: &Path) -> Option<u64> {
    None
}

/// Not found out on this system yet.
pub fn place(_file: &Path) -> Option<Place> {
    None
}

/// Nothing to raise here.
pub fn raise_file_limit() {}

/// These systems have no such option; the watch over connections still cuts those that stall in the middle.
pub fn cut_when_stalled(_stream: &tokio::net::TcpStream, _after: std::time::Duration) {}

/// Not asked here: the addresses that DHCP gave out say who is who.
pub fn neighbour(_interface: &str, _address: Ipv4Addr) -> Option<Mac> {
    None
}

/// netdev's own classification is used here.
pub fn interface_kind(_name: &str) -> Option<Kind> {
    None
}

/// Ties a socket to an interface before it is bound, and returns the address to bind to.
///
/// macOS has `IP_BOUND_IF`. Windows has no such option for receiving; there a socket that is bound to the interface's
/// own address hears its broadcasts and sends out of it.
pub fn tie(socket: &Socket, interface: &Interface, own: Ipv4Addr) -> io::Result<Ipv4Addr> {
    #[cfg(target_os = "macos")]
    {
        let _ = own;
        socket.bind_device_by_index_v4(std::num::NonZeroU32::new(interface.index))?;
        Ok(Ipv4Addr::UNSPECIFIED)
    }
    #[cfg(not(target_os = "macos"))]
    {
        let _ = (socket, interface);
        Ok(own)
    }
}

/// Windows lets every program open every port; on macOS the try itself tells.
pub fn first_open_port() -> u16 {
    0
}

/// Nobody asks for more rights here.
pub mod elevate {
    use crate::net::privilege::{Grant, PrivilegeError, Request};

    /// Always an error here.
    pub fn available() -> Result<(), PrivilegeError> {
        Err(PrivilegeError::Unsupported)
    }

    /// Always an error here.
    pub async fn acquire(_request: &Request) -> Result<Grant, PrivilegeError> {
        Err(PrivilegeError::Unsupported)
    }

    /// There is none.
    #[derive(Debug)]
    pub struct Helper(std::convert::Infallible);

    impl Helper {
        /// Never called: there is no value of this type.
        pub async fn end(self) {
            match self.0 {}
        }
    }
}

/// Written from documentation, and told with the commands of the system's own firewall: nothing is read or changed here.
pub mod gate {
    use crate::net::firewall::{Look, Passage, Program};

    /// That there may be one, and what it may do.
    pub async fn look(_passage: &Passage) -> Look {
        let program = if cfg!(windows) { Program::Windows } else { Program::MacOs };
        Look { program: Some(program), judgement: None }
    }

    /// Nothing is left behind.
    pub async fn sweep() {}
}

/// The helper is for Linux.
pub mod helper {
    use crate::net::privilege::PrivilegeError;

    /// Always an error here.
    pub fn run() -> Result<(), PrivilegeError> {
        Err(PrivilegeError::Unsupported)
    }
}

/// Opens a file below a folder, and nothing that a link leads out of it to.
pub fn open_beneath(folder: &Path, relative: &Path) -> io::Result<File> {
    let root = folder.canonicalize()?;
    let path = root.join(relative).canonicalize()?;
    if !path.starts_with(&root) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    File::open(path)
}

/// Not found out on this system yet.
pub fn port_holder(_transport: Transport, _port: u16, _interface: &Interface, _own: Ipv4Addr) -> Option<Holder> {
    None
}

/// Not found out on this system yet; opening it tells.
pub fn is_held(_transport: Transport, _port: u16, _interface: &Interface, _own: Ipv4Addr) -> bool {
    false
}

/// ARP needs a packet socket, which this system does not offer to ordinary programs.
#[derive(Debug)]
pub struct ArpSocket(std::convert::Infallible);

impl ArpSocket {
    /// Always an error here.
    pub fn open(_interface: &Interface) -> io::Result<ArpSocket> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    /// Never called: there is no value of this type.
    pub fn ask(&self, _address: Ipv4Addr) -> io::Result<()> {
        match self.0 {}
    }

    /// Never called: there is no value of this type.
    pub async fn heard(&self) -> io::Result<(Ipv4Addr, Mac)> {
        match self.0 {}
    }
}

/// Router advertisements need a packet socket as well.
#[derive(Debug)]
pub struct RouterSocket(std::convert::Infallible);

impl RouterSocket {
    /// Always an error here.
    pub fn open(_interface: &Interface) -> io::Result<RouterSocket> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    /// Never called: there is no value of this type.
    pub async fn asked(&self) -> io::Result<Solicitation> {
        match self.0 {}
    }

    /// Never called: there is no value of this type.
    pub fn answer(&self, _to: Solicitation) -> io::Result<()> {
        match self.0 {}
    }
}

/// A client's packet socket, which this system does not offer to ordinary programs.
#[derive(Debug)]
pub struct ClientSocket(std::convert::Infallible);

impl ClientSocket {
    /// Always an error here.
    pub fn open(_interface: &Interface) -> io::Result<ClientSocket> {
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }

    /// Never called: there is no value of this type.
    pub async fn ask(&self, _question: &[u8]) -> io::Result<()> {
        match self.0 {}
    }

    /// Never called: there is no value of this type.
    pub async fn heard(&self) -> io::Result<(Vec<u8>, Ipv4Addr, Option<Mac>)> {
        match self.0 {}
    }
}
