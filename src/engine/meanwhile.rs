//! What is arranged on this computer for the time of serving, and undone after it: it stays awake, and its firewall lets
//! computers in.

use crate::deployment::{DhcpPlan, Firewall, Plan};
use crate::net::awake::{self, Awake};
use crate::net::firewall;
use crate::net::ports::Transport;
use crate::net::privilege::{self, Gate, Grant, PrivilegeError, Request};

use super::Listening;

/// What is arranged. Dropping it undoes it without waiting.
#[derive(Debug, Default)]
pub struct Meanwhile {
    awake: Option<Awake>,
    firewall: Option<Grant>,
}

/// What came of arranging it.
#[derive(Debug)]
pub struct Arranged {
    /// Whether the computer stays awake, also with the lid closed, or what the system said.
    pub awake: Result<bool, String>,
    /// What came of the firewall, where it was to be opened.
    pub firewall: Option<Result<Gate, PrivilegeError>>,
}

impl Meanwhile {
    /// Arranges all of it for what is being served. Rules of the firewall that an earlier run was killed over are taken
    /// away in any case.
    pub async fn begin(plan: &Plan, listening: &Listening, wanted: Firewall) -> (Meanwhile, Arranged) {
        let awake = awake::stay();
        let firewall = async {
            match wanted {
                Firewall::Leave => {
                    firewall::sweep().await;
                    None
                }
                Firewall::Open => Some(privilege::acquire(&request(plan, listening)).await),
            }
        };
        let (awake, firewall) = tokio::join!(awake, firewall);
        let (awake, told) = match awake {
            Ok(awake) => {
                let with_lid = awake.with_lid;
                (Some(awake), Ok(with_lid))
            }
            Err(reason) => (None, Err(reason)),
        };
        let (firewall, gate) = match firewall {
            None => (None, None),
            Some(Ok(grant)) => {
                let gate = grant.firewall.clone().unwrap_or(Gate::Untouched);
                (Some(grant), Some(Ok(gate)))
            }
            Some(Err(error)) => (None, Some(Err(error))),
        };
        (Meanwhile { awake, firewall }, Arranged { awake: told, firewall: gate })
    }

    /// Undoes all of it, and waits for that. Returns whether the firewall was open.
    pub async fn end(self) -> bool {
        drop(self.awake);
        let Some(grant) = self.firewall else { return false };
        let was_open = grant.firewall == Some(Gate::Opened);
        grant.release().await;
        was_open
    }
}

/// Asks for nothing but the ways in through the firewall, on the ports that are really used.
fn request(plan: &Plan, listening: &Listening) -> Request {
    let dhcp = plan.dhcp != DhcpPlan::Off;
    let used = super::incoming(dhcp, Some(listening.http_port)).into_iter();
    Request {
        interface: plan.interface.clone(),
        own: plan.network.addr(),
        udp: Vec::new(),
        tcp: Vec::new(),
        address: None,
        router: false,
        guard: false,
        firewall: used.collect::<Vec<(Transport, u16)>>(),
    }
}
