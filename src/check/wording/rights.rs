//! The sentences about ports that cannot be opened and the helper that opens them.

use std::io::ErrorKind;

use super::one_line;
use crate::check::{Finding, Subject};
use crate::net::ports::Transport;
use crate::net::privilege::{PrivilegeError, Refusal};
use crate::net::socket::BindError;

pub(super) fn bind(interface: &str, error: &BindError) -> Finding {
    let BindError { transport, port, holder, source } = error;
    let what = service(*transport, *port);
    match source.kind() {
        ErrorKind::AddrInUse => {
            let holder = holder.as_ref().map_or("another program".to_owned(), ToString::to_string);
            let step = match (transport, *port) {
                (Transport::Tcp, _) => format!("Stop {holder}, or choose another port with --http-port."),
                (Transport::Udp, 67) => {
                    format!("Stop {holder}, or use --dhcp off if it is to stay the only DHCP server.")
                }
                _ => format!("Stop {holder} and start once more."),
            };
            Finding::new(format!("{transport} port {port} is held by {holder}."), format!("{what} needs it."), step)
        }
        ErrorKind::PermissionDenied => Finding::new(
            format!("{transport} port {port} on {interface} may not be opened by this user."),
            format!("{what} needs it."),
            "Start with sudo.",
        ),
        _ => Finding::new(
            format!("{transport} port {port} on {interface} cannot be opened."),
            format!("{what} needs it."),
            "Check that the interface is up and has its address.",
        )
        .with(source),
    }
}

fn service(transport: Transport, port: u16) -> &'static str {
    match (transport, port) {
        (Transport::Tcp, _) => "HTTP",
        (Transport::Udp, 67) => "DHCP",
        (Transport::Udp, 4011) => "The PXE boot server",
        (Transport::Udp, _) => "TFTP",
    }
}

/// What a failed start leaves behind.
const UNCHANGED: &str = "Nothing was started, and nothing has changed.";

/// Why the window did not get its ports.
pub fn explain_privilege(error: &PrivilegeError) -> Finding {
    privilege(error).about(Subject::ThisComputer)
}

fn privilege(error: &PrivilegeError) -> Finding {
    match error {
        PrivilegeError::NoPkexec => Finding::new(
            "The program that asks for the password, pkexec, is not installed.",
            "Without it the ports for booting computers (67, 69, 80 and 4011) cannot be opened.",
            "Install the package pkexec (policykit-1 on older systems), or serve without the window: \
             sudo packaging/run.sh serve.",
        ),
        PrivilegeError::Unsupported => {
            Finding::new("Bootwright cannot ask for more rights on this system.", UNCHANGED, "Start it with sudo.")
        }
        PrivilegeError::Tie { interface, source } => Finding::new(
            format!("Only root may tie a socket to {interface} on this system."),
            "Linux allows it to everybody from version 5.7 on.",
            "Serve without the window: sudo packaging/run.sh serve.",
        )
        .with(source),
        PrivilegeError::Start(source) => Finding::new(
            "The helper that opens the ports cannot be started.",
            UNCHANGED,
            "Start once more, and report it if it stays so.",
        )
        .with(source),
        PrivilegeError::Dismissed => Finding::new(
            "The password was not given.",
            UNCHANGED,
            "Start once more and give it: the ports for booting computers belong to the administrator.",
        ),
        PrivilegeError::NotAuthorised { reason } => Finding {
            details: Some(reason.clone()).filter(|reason| !reason.is_empty()),
            ..Finding::new(
                "The system did not allow the ports for booting computers to be opened.",
                "The password was wrong, this user may not, or there was nobody to ask for it.",
                "Start once more, or serve without the window: sudo packaging/run.sh serve.",
            )
        },
        PrivilegeError::Helper { reason } => Finding::new(
            "The helper that opens the ports did not do its work.",
            UNCHANGED,
            "Start once more, and report it if it stays so.",
        )
        .with(one_line(reason)),
        PrivilegeError::Refused(refusal) => refused(refusal),
        PrivilegeError::Port { interface, source } => bind(interface, source),
        PrivilegeError::ByHand => Finding::new(
            "bootwright helper is started by the window, which takes the sockets from it.",
            "",
            "Start bootwright itself, or serve without the window: bootwright serve.",
        ),
    }
}

fn refused(refusal: &Refusal) -> Finding {
    match refusal {
        Refusal::Request { reason } => Finding::new(
            "The helper that opens the ports does not understand what it was asked for.",
            "That is a fault of the program.",
            "Start once more, and report it if it stays so.",
        )
        .with(one_line(reason)),
        Refusal::Port { transport, port } => Finding::new(
            format!("{transport} port {port} is not one that the helper opens."),
            "It opens UDP 67, 69 and 4011 and TCP 80, each in its own way, and no other.",
            "Use another port, or serve without the window: sudo packaging/run.sh serve.",
        ),
        Refusal::NoInterface { interface } => {
            Finding::new(format!("There is no interface {interface:?}."), UNCHANGED, "Choose another one.")
        }
        Refusal::NotOwn { interface, own } => Finding::new(
            format!("{interface} does not have the address {own}."),
            "Computers could not load from it.",
            "Choose the network once more.",
        ),
        Refusal::Address { address } => Finding::new(
            format!("{address} is not an address for a network of your own."),
            UNCHANGED,
            "Use a private one that is neither the first nor the last of its network, like 10.77.0.1/24.",
        ),
        Refusal::Addressed { interface, present } => Finding::new(
            format!("{interface} has the address {present} already."),
            UNCHANGED,
            "Serve from that one, or remove it first.",
        ),
        Refusal::Overlap { interface, network } => Finding::new(
            format!("{interface} is in the network {network} already."),
            "Packets for one of the two would go to the other.",
            "Use an address of another network, like 10.77.0.1/24.",
        ),
        Refusal::Kind { interface } => Finding::new(
            format!("{interface} gets no address from Bootwright: it is neither wired nor virtual."),
            UNCHANGED,
            "Give it one in the settings of the system.",
        ),
        Refusal::Set { interface, address, reason } => Finding::new(
            format!("{interface} could not be given the address {address}."),
            UNCHANGED,
            "Give it one in the settings of the system.",
        )
        .with(one_line(reason)),
    }
}
