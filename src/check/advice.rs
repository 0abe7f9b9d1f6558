//! Which way of giving addresses suits a network, from what was heard on it. The only place with these sentences.

use std::net::Ipv4Addr;

use crate::deployment::DhcpMode;
use crate::dhcp::probe::Answer;
use crate::engine::probe::{Probe, ProbeError};
use crate::net::Interface;
use crate::net::hint::Hint;
use crate::net::interface::Kind;
use crate::text;

/// Servers that are named before the others are counted.
const NAMED: usize = 3;

/// What we would choose, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// The mode.
    pub mode: DhcpMode,
    /// Why: a sentence without capital letter and full stop, which whoever shows it adds.
    pub evidence: String,
}

/// Which mode suits this interface's network. A second server that gives addresses disturbs everybody on it, hence full
/// mode only where nothing speaks of another one.
pub fn mode_advice(interface: &Interface, probe: &Probe, hint: &Hint) -> Advice {
    let error = match probe {
        Probe::Answered(answers) if !answers.is_empty() => return beside(answers),
        Probe::Answered(_) | Probe::Nobody => return alone(),
        Probe::Unable(error) => error,
    };
    let (mode, sign) = by_sign(interface, error, hint);
    let evidence = [Some(unable(interface, error)), sign].into_iter().flatten().collect::<Vec<_>>().join("; ");
    Advice { mode, evidence }
}

fn beside(answers: &[Answer]) -> Advice {
    let servers = listed(answers.iter().map(|answer| answer.server));
    let evidence = match answers {
        [_] => format!("{servers} answered as a DHCP server, so Bootwright works beside it"),
        _ => format!("{servers} answered as DHCP servers, so Bootwright works beside them"),
    };
    Advice { mode: DhcpMode::Proxy, evidence }
}

fn alone() -> Advice {
    // No more than was heard: a server may be slow, or its answer be lost.
    let evidence = "nobody answered as a DHCP server on this connection".to_owned();
    Advice { mode: DhcpMode::Full, evidence }
}

/// Why nobody was asked.
fn unable(interface: &Interface, error: &ProbeError) -> String {
    match error {
        ProbeError::NoRights => "this computer may not ask without rights".to_owned(),
        ProbeError::Held { holder: Some(holder) } => {
            format!("the program {} keeps Bootwright from asking", text::plain(&holder.program, 40))
        }
        ProbeError::Held { holder: None } => "another program keeps Bootwright from asking".to_owned(),
        ProbeError::NoLink if interface.kind == Kind::Wired => {
            "no cable is connected, so nobody could be asked".to_owned()
        }
        ProbeError::NoLink => "this connection is not up, so nobody could be asked".to_owned(),
        ProbeError::Unsupported => "nobody can be asked on this kind of connection".to_owned(),
        ProbeError::System(said) => {
            let said = text::plain(said, 120);
            format!("nobody could be asked, for the system said “{}”", said.trim_end_matches('.'))
        }
    }
}

/// What the hint speaks for, and how that is said. Where nothing is connected, that there is no router says nothing.
fn by_sign(interface: &Interface, error: &ProbeError, hint: &Hint) -> (DhcpMode, Option<String>) {
    let name = text::plain(&interface.friendly_name, 60);
    match hint {
        Hint::Router(router) => {
            (DhcpMode::Proxy, Some(format!("{name} uses the router {router}, which usually gives addresses")))
        }
        Hint::Nothing if matches!(error, ProbeError::NoLink | ProbeError::Unsupported) => (DhcpMode::Full, None),
        Hint::Nothing => {
            let warning = "make sure that no other DHCP server is on this connection";
            (DhcpMode::Full, Some(format!("{name} has no router; {warning}")))
        }
    }
}

/// `a`, `a and b`, `a, b and c`, `a, b, c and 4 others`.
fn listed(servers: impl ExactSizeIterator<Item = Ipv4Addr>) -> String {
    let others = servers.len().saturating_sub(NAMED);
    let mut names: Vec<String> = servers.take(NAMED).map(|server| server.to_string()).collect();
    match others {
        0 => {}
        1 => names.push("one other".to_owned()),
        more => names.push(format!("{more} others")),
    }
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::interface;
    use crate::net::ports::Holder;

    const ROUTER: Hint = Hint::Router(Ipv4Addr::new(192, 168, 1, 1));

    fn advice(probe: &Probe, hint: &Hint) -> Advice {
        let name = "enp3s0".to_owned();
        let loopback = interface::list().pop().expect("loopback");
        let interface = Interface { friendly_name: name.clone(), name, kind: Kind::Wired, ..loopback };
        mode_advice(&interface, probe, hint)
    }

    fn answered(count: u8) -> Probe {
        Probe::Answered((1..=count).map(|last| Answer::from_server(Ipv4Addr::new(192, 168, 1, last))).collect())
    }

    #[test]
    fn who_answered_is_named_and_decides() {
        let one = "192.168.1.1 answered as a DHCP server, so Bootwright works beside it";
        let end = "answered as DHCP servers, so Bootwright works beside them";
        let cases = [
            (1, one.to_owned()),
            (2, format!("192.168.1.1 and 192.168.1.2 {end}")),
            (3, format!("192.168.1.1, 192.168.1.2 and 192.168.1.3 {end}")),
            (4, format!("192.168.1.1, 192.168.1.2, 192.168.1.3 and one other {end}")),
            (9, format!("192.168.1.1, 192.168.1.2, 192.168.1.3 and 6 others {end}")),
        ];
        for (count, evidence) in cases {
            for hint in [&ROUTER, &Hint::Nothing] {
                let expected = Advice { mode: DhcpMode::Proxy, evidence: evidence.clone() };
                assert_eq!(advice(&answered(count), hint), expected);
            }
        }
    }

    #[test]
    fn silence_is_full_whatever_the_hint_and_no_proof() {
        let evidence = "nobody answered as a DHCP server on this connection".to_owned();
        let expected = Advice { mode: DhcpMode::Full, evidence };
        assert_eq!(advice(&Probe::Nobody, &ROUTER), expected);
        assert_eq!(advice(&answered(0), &Hint::Nothing), expected);
    }

    #[test]
    fn where_nobody_was_asked_the_router_decides() {
        let router = "enp3s0 uses the router 192.168.1.1, which usually gives addresses";
        let nothing = "enp3s0 has no router; make sure that no other DHCP server is on this connection";
        let dhclient = Holder { program: "dhclient".into(), pid: 7, unit: None };
        let cases = [
            (ProbeError::NoRights, "this computer may not ask without rights", Some(nothing)),
            (
                ProbeError::Held { holder: Some(dhclient) },
                "the program dhclient keeps Bootwright from asking",
                Some(nothing),
            ),
            (ProbeError::Held { holder: None }, "another program keeps Bootwright from asking", Some(nothing)),
            (ProbeError::NoLink, "no cable is connected, so nobody could be asked", None),
            (ProbeError::Unsupported, "nobody can be asked on this kind of connection", None),
            (
                ProbeError::System("Ouch\u{202e}.".into()),
                "nobody could be asked, for the system said “Ouch·”",
                Some(nothing),
            ),
        ];
        for (error, why, without) in cases {
            let probe = Probe::Unable(error);
            let evidence = format!("{why}; {router}");
            assert_eq!(advice(&probe, &ROUTER), Advice { mode: DhcpMode::Proxy, evidence });
            let evidence = [Some(why), without].into_iter().flatten().collect::<Vec<_>>().join("; ");
            assert_eq!(advice(&probe, &Hint::Nothing), Advice { mode: DhcpMode::Full, evidence });
        }
    }

    #[test]
    fn a_connection_without_a_cable_is_not_said_to_lack_one() {
        let wifi = Interface { kind: Kind::Wifi, ..interface::list().pop().expect("loopback") };
        let said = mode_advice(&wifi, &Probe::Unable(ProbeError::NoLink), &Hint::Nothing).evidence;
        assert_eq!(said, "this connection is not up, so nobody could be asked");
    }
}
