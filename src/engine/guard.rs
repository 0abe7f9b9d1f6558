//! Listens for other DHCP servers while addresses are handed out, and asks for them now and then as a client would:
//! most answer a client alone, which a switch keeps from everybody else.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::probe;
use crate::dhcp;
use crate::mac::Mac;
use crate::net::Interface;
use crate::net::platform::ClientSocket;
use crate::net::socket::Sockets;

/// How long the network has to answer before the first address is handed out.
pub(super) const PATIENCE: Duration = probe::PATIENCE;
/// When the second question is asked: the first is lost where a switch still learns the port.
const AGAIN: Duration = Duration::from_secs(1);
/// How often it is asked from then on.
const EVERY: Duration = Duration::from_secs(60);
/// How long nothing is heard after an error: a link that went down is told by one.
const PAUSE: Duration = Duration::from_millis(100);

/// What listens.
#[derive(Debug)]
pub(super) struct Guard {
    socket: ClientSocket,
    own: Vec<Ipv4Addr>,
    question: Option<Vec<u8>>,
    asked: u32,
    next: Instant,
}

/// What the guard has to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Somebody else gives addresses.
    Foreign(Foreign),
    /// The helper that listened for us has ended: nothing will be heard any more.
    Ended,
}

/// A server that is not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Foreign {
    pub(super) server: Ipv4Addr,
    pub(super) mac: Option<Mac>,
}

impl Guard {
    /// Listens on this interface, and where `asks` is set, asks as well.
    pub(super) fn open(interface: &Interface, asks: bool, sockets: &mut Sockets) -> io::Result<Guard> {
        let socket = sockets.client(interface)?;
        let question = interface.mac.filter(|_| asks).and_then(|mac| dhcp::probe::discover(mac, probe::transaction()));
        let own = interface.addresses.iter().map(ipnet::Ipv4Net::addr).collect();
        Ok(Guard { socket, own, question, asked: 0, next: Instant::now() })
    }

    /// Waits for a word of another server to whichever client. May be dropped at any time, and is not to be called again
    /// after [`Word::Ended`].
    pub(super) async fn heard(&mut self) -> Word {
        loop {
            let heard = tokio::select! {
                heard = self.socket.heard() => heard,
                () = sleep_until(self.next), if self.question.is_some() => {
                    self.ask().await;
                    continue;
                }
            };
            match heard {
                Ok((message, source, mac)) => {
                    if let Some(foreign) = self.foreign(&message, source, mac) {
                        return Word::Foreign(foreign);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Word::Ended,
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    async fn ask(&mut self) {
        self.asked = self.asked.saturating_add(1);
        self.next = Instant::now() + if self.asked == 1 { AGAIN } else { EVERY };
        if let Some(question) = &self.question {
            // One that cannot be sent (the cable is out) is asked again in time.
            let _ = self.socket.ask(question).await;
        }
    }

    fn foreign(&self, message: &[u8], source: Ipv4Addr, mac: Option<Mac>) -> Option<Foreign> {
        let said = dhcp::probe::said(message)?;
        let server = Some(said.answer.server).filter(|_| said.gives_addresses())?;
        // Our own answers come back from bridges and access points.
        let own = |address| self.own.contains(&address);
        (!own(server) && !own(source)).then_some(Foreign { server, mac })
    }
}
