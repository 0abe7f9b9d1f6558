//! What ufw does with packets to our ports, read from `ufw status verbose`. Pure.

use super::{Judgement, Packet, Passage};
use crate::net::ports::Transport;

/// Whether ufw's settings (`/etc/ufw/ufw.conf`) switch it on.
pub fn is_enabled(settings: &str) -> bool {
    let mut lines = settings.lines().map(str::trim);
    lines.any(|line| line.strip_prefix("ENABLED=").is_some_and(|value| value.trim_matches('"') == "yes"))
}

/// What becomes of all that is to get in. `None` where this is not what `ufw status verbose` prints.
pub fn judge(status: &str, passage: &Passage) -> Option<Judgement> {
    let field = |name: &str| status.lines().find_map(|line| line.trim().strip_prefix(name)).map(str::trim);
    match field("Status:")? {
        "active" => {}
        _ => return Some(Judgement::Passes),
    }
    let policy = field("Default:")?.split(',').find(|part| part.contains("(incoming)"))?;
    let otherwise = if policy.trim().starts_with("allow") { Judgement::Passes } else { Judgement::Dropped };
    let rules: Vec<Rule<'_>> = status.lines().filter_map(Rule::read).collect();
    // ufw itself lets in what belongs to something that was answered (before.rules).
    let new = passage.packets().into_iter().filter(|packet| !packet.established);
    new.map(|packet| judge_one(&rules, &packet, otherwise)).max()
}

/// The first rule that applies decides; where one applies to some senders only, it may.
fn judge_one(rules: &[Rule<'_>], packet: &Packet<'_>, otherwise: Judgement) -> Judgement {
    let mut differs = false;
    for rule in rules.iter().filter(|rule| rule.is_for(packet)) {
        let verdict = if rule.allows { Judgement::Passes } else { Judgement::Dropped };
        if rule.from_anywhere {
            return if differs && verdict != otherwise { Judgement::Unclear } else { verdict };
        }
        differs |= verdict != otherwise;
    }
    if differs { Judgement::Unclear } else { otherwise }
}

/// A line of the table of rules.
#[derive(Debug)]
struct Rule<'a> {
    ports: Option<&'a str>,
    transport: Option<Transport>,
    interface: Option<&'a str>,
    allows: bool,
    from_anywhere: bool,
}

impl<'a> Rule<'a> {
    fn read(line: &'a str) -> Option<Rule<'a>> {
        let actions = [("ALLOW IN", true), ("LIMIT IN", true), ("DENY IN", false), ("REJECT IN", false)];
        let (action, allows) = actions.into_iter().find(|(action, _)| line.contains(action))?;
        let (to, from) = line.split_once(action)?;
        let from = from.split('#').next().unwrap_or_default().trim();
        if to.contains("(v6)") || from.contains("(v6)") {
            return None;
        }
        let (what, interface) = match to.trim().split_once(" on ") {
            Some((what, interface)) => (what.trim(), Some(interface.trim())),
            None => (to.trim(), None),
        };
        // An address stands before the ports where the rule is for one of ours.
        let what = what.rsplit(' ').next().unwrap_or_default();
        let (ports, transport) = match what.split_once('/') {
            Some((ports, "udp")) => (Some(ports), Some(Transport::Udp)),
            Some((ports, "tcp")) => (Some(ports), Some(Transport::Tcp)),
            _ if what == "Anywhere" => (None, None),
            _ => (Some(what), None),
        };
        Some(Rule { ports, transport, interface, allows, from_anywhere: from == "Anywhere" })
    }

    fn is_for(&self, packet: &Packet<'_>) -> bool {
        let within = |ports: &str, port: u16| {
            ports.split(',').any(|part| match part.split_once(':') {
                Some((first, last)) => {
                    matches!((first.parse(), last.parse()), (Ok(first), Ok(last)) if (first..=last).contains(&port))
                }
                None => part.parse() == Ok(port),
            })
        };
        self.transport.is_none_or(|transport| transport == packet.transport)
            && self.interface.is_none_or(|interface| interface == packet.interface)
            && self.ports.is_none_or(|ports| packet.port.is_some_and(|port| within(ports, port)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "\
Status: active
Logging: on (low)
Default: deny (incoming), allow (outgoing), disabled (routed)
New profiles: skip

To                         Action      From
--                         ------      ----
22/tcp                     ALLOW IN    Anywhere
80,443/tcp (Nginx Full)    ALLOW IN    Anywhere
Anywhere on virbr0         ALLOW IN    Anywhere
67,69,4011/udp on eth0     ALLOW IN    Anywhere                   # bootwright-12-34
80/tcp on eth0             ALLOW IN    Anywhere                   # bootwright-12-34
69/udp on eth1             ALLOW IN    192.168.7.0/24
22/tcp (v6)                ALLOW IN    Anywhere (v6)
";

    fn passage(interface: &str) -> Passage {
        Passage { interface: interface.into(), udp: vec![67, 69, 4011], tcp: vec![80] }
    }

    #[test]
    fn the_first_rule_that_applies_decides_and_the_default_otherwise() {
        let alone = |interface: &str, port| Passage { udp: vec![port], tcp: vec![], ..passage(interface) };
        let open = STATUS.replace("deny (incoming)", "allow (incoming)");
        let denied = open.replace("22/tcp                     ALLOW IN ", "69/udp                     DENY IN  ");
        let cases = [
            (STATUS, passage("eth0"), Some(Judgement::Passes)),
            (STATUS, passage("virbr0"), Some(Judgement::Passes)),
            (STATUS, passage("eth2"), Some(Judgement::Dropped)),
            (STATUS, alone("eth1", 69), Some(Judgement::Unclear)),
            (STATUS, alone("eth1", 67), Some(Judgement::Dropped)),
            (&open, passage("eth2"), Some(Judgement::Passes)),
            (&denied, passage("eth2"), Some(Judgement::Dropped)),
            ("Status: inactive\n", passage("eth0"), Some(Judgement::Passes)),
            ("ERROR: You need to be root to run this script\n", passage("eth0"), None),
            ("", passage("eth0"), None),
        ];
        for (status, passage, expected) in cases {
            assert_eq!(judge(status, &passage), expected, "{passage:?}: {status}");
        }
    }

    #[test]
    fn it_is_on_where_its_settings_say_so() {
        assert!(is_enabled("# comment\nENABLED=yes\nLOGLEVEL=low\n"));
        assert!(!is_enabled("ENABLED=no\n#ENABLED=yes\n"));
    }
}
