//! DHCP for IPv4: a full server, and a ProxyDHCP that only adds boot information to another server's addresses.
//!
//! Machines without sockets and clocks: each takes a packet and the time and returns what to send, what to probe and
//! what is worth telling. What a computer boots is not decided here but asked of a [`Policy`]; who the computers are is
//! told by [`pxe::Client`].

pub mod lease;
pub mod message;
pub mod probe;
pub mod proxy;
pub mod pxe;
pub mod server;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};

use serde::{Deserialize, Serialize};

use crate::mac::Mac;
pub use message::{Malformed, Request};

/// The well-known ports (RFC 2131 section 4.1; PXE 2.1 chapter 2 for 4011).
pub mod port {
    /// Servers and relay agents listen here.
    pub const SERVER: u16 = 67;
    /// Clients listen here.
    pub const CLIENT: u16 = 68;
    /// The PXE boot server port, asked after the address is there.
    pub const PXE: u16 = 4011;
}

/// Option codes that dhcproto leaves as bytes or does not know.
pub mod code {
    /// Vendor-specific information: PXE's own sub-options.
    pub const VENDOR: u8 = 43;
    /// Vendor class identifier.
    pub const CLASS: u8 = 60;
    /// Client identifier.
    pub const CLIENT_ID: u8 = 61;
    /// TFTP server name.
    pub const TFTP_SERVER: u8 = 66;
    /// Boot file name.
    pub const BOOT_FILE: u8 = 67;
    /// User class.
    pub const USER_CLASS: u8 = 77;
    /// Relay agent information.
    pub const RELAY: u8 = 82;
    /// Client system architecture, a list.
    pub const ARCHITECTURE: u8 = 93;
    /// Client network interface (UNDI version).
    pub const UNDI: u8 = 94;
    /// Client machine identifier: a zero byte and the SMBIOS UUID.
    pub const UUID: u8 = 97;
    /// TFTP server address (RFC 5859).
    pub const TFTP_ADDRESS: u8 = 150;
    /// iPXE encapsulated options.
    pub const IPXE: u8 = 175;
}

/// Decides what a computer boots. Implemented by the engine, which asks `boot`, and by three lines in a test.
pub trait Policy {
    /// What this computer gets.
    ///
    /// # Errors
    /// It gets no boot file.
    fn boot(&self, client: &pxe::Client) -> Result<pxe::Boot, NoBoot>;
}

/// Why a computer gets no boot file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoBoot {
    /// It does not ask for one.
    NotAsked,
    /// There is none for it, and why: a clause for people.
    Because(String),
}

/// Who may be answered. An entry in `allow` closes the list: all others are ignored then, or asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guests {
    /// Only these, where there are any.
    pub allow: BTreeSet<Mac>,
    /// Never these.
    pub deny: BTreeSet<Mac>,
    /// Whether the technician is asked about those who are on neither list; in DHCP they are answered as all
    /// others.
    pub ask: bool,
}

impl Guests {
    /// Whether this computer may be answered.
    pub fn welcome(&self, mac: Mac) -> bool {
        !self.deny.contains(&mac) && (self.ask || self.allow.is_empty() || self.allow.contains(&mac))
    }
}

/// A packet to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// To this address and port; 255.255.255.255 for those without an address.
    pub to: SocketAddrV4,
    /// The UDP payload.
    pub bytes: Vec<u8>,
}

/// What a machine wants done, in this order: send, then probe, then tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outputs {
    /// Packets to send.
    pub send: Vec<Transmit>,
    /// Addresses to ask for by ARP; an answer comes back by [`server::Server::heard`].
    pub probe: Vec<Ipv4Addr>,
    /// Worth telling, with the computer that it is about.
    pub notes: Vec<(Option<Mac>, Note)>,
    /// Whether the leases on disk are out of date now.
    pub leases_changed: bool,
}

impl Outputs {
    fn tell(&mut self, mac: Mac, note: Note) {
        self.notes.push((Some(mac), note));
    }
}

/// What a client asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// "Who is there?"
    Discover,
    /// "I take the address that you offered."
    Select,
    /// "I had this address before the restart."
    Reboot,
    /// "I want to keep my address" (renewing and rebinding).
    Renew,
    /// "I have an address; what else should I know?"
    Inform,
    /// On port 4011: "what do I boot?"
    BootServer,
}

/// Something that happened, worth telling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Note {
    /// A computer asked.
    Asked {
        /// What it wants.
        question: Question,
        /// What it says of itself.
        client: pxe::Client,
        /// The address it wants or has.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        address: Option<Ipv4Addr>,
        /// The relay agent between us.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        relay: Option<Ipv4Addr>,
        /// For how many seconds it has been asking, as it says itself (RFC 2131 section 2, `secs`); none where it says 0.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        secs: Option<u16>,
    },
    /// It was offered an address, boot information, or both.
    Offered {
        /// The address; none from a ProxyDHCP.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        address: Option<Ipv4Addr>,
        /// What it is to boot.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        boot: Option<pxe::Boot>,
    },
    /// Its request was granted (or answered, for INFORM and port 4011).
    Granted {
        /// The address; none where only boot information was given.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        address: Option<Ipv4Addr>,
        /// What it is to boot.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        boot: Option<pxe::Boot>,
    },
    /// It wants to boot, and gets no boot file, rather than a wrong one.
    NoBootFile {
        /// Why, a clause for people.
        reason: String,
    },
    /// Its request was refused with a NAK.
    Refused {
        /// The address that it wanted.
        address: Ipv4Addr,
        /// Why not.
        reason: Refusal,
    },
    /// It found another machine on the address that it got; the address is set aside.
    Declined {
        /// The address.
        address: Ipv4Addr,
    },
    /// It gave its address back.
    Released {
        /// The address.
        address: Ipv4Addr,
    },
    /// It was not answered.
    Ignored {
        /// Why.
        reason: Silence,
    },
    /// It chose the offer of another server.
    ChoseOther {
        /// The other server.
        server: Ipv4Addr,
    },
    /// Another DHCP server was heard where addresses are handed out: nobody new gets one from now on.
    ForeignServer {
        /// The other server.
        server: Ipv4Addr,
        /// Its network card, where its own answer was heard and not only a client's word.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        mac: Option<Mac>,
        /// Who made that card, where the engine could look it up.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        maker: Option<String>,
    },
    /// An address of the range is used by a machine that did not get it from us; it is skipped.
    AddressInUse {
        /// The address.
        address: Ipv4Addr,
        /// The machine that answered.
        by: Mac,
    },
    /// No free address is left for this computer.
    PoolExhausted {
        /// How many addresses the range has.
        size: u64,
    },
    /// A packet that no DHCP client sends.
    Unreadable {
        /// Its sender.
        from: SocketAddrV4,
        /// What is wrong with it.
        reason: String,
    },
}

/// Why a request got a NAK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The address does not belong to this network.
    WrongNetwork,
    /// The address belongs to another computer.
    Taken,
    /// Another address was offered or leased to this computer.
    NotYours,
    /// It was offered before another server was heard; the computer asks anew, and gets one from there.
    OtherServer,
}

/// Why a question stays without answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Silence {
    /// On the deny list, or not on the allow list.
    NotAllowed,
    /// It came through a relay agent of a network that is not served.
    ForeignRelay,
    /// Asks about an address that this server never gave it.
    Unknown,
    /// Wants the answer sent outside the served network.
    OutsideNetwork,
    /// Another server gives addresses on this network, and this one stands back.
    OtherServer {
        /// The other server.
        server: Ipv4Addr,
    },
}
