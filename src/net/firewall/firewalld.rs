//! What firewalld does with packets to our ports, read from `firewall-cmd --zone=… --list-all`. Pure.

use super::{Judgement, Packet, Passage};
use crate::net::ports::Transport;

/// Whether firewalld does not run, by what its program says. Whatever else it says, to whom it does not obey for example, it
/// does.
pub fn is_absent(said: &str) -> bool {
    // Where the system's bus is not there, firewalld cannot be either.
    said.contains("not running") || said.contains("DBUS_ERROR")
}

/// Whether an interface is in no zone of its own, by what firewalld's program says, and so in the default one.
pub fn has_no_zone(said: &str) -> bool {
    said.contains("no zone")
}

/// What becomes of all that is to get in through this zone. `None` where this is not what `--list-all` prints.
pub fn judge(zone: &str, passage: &Passage) -> Option<Judgement> {
    let target = field(zone, "target")?;
    if target == "ACCEPT" {
        return Some(Judgement::Passes);
    }
    // firewalld itself lets in what belongs to something that was answered.
    let closed = closed(zone, passage);
    if closed.is_empty() {
        return Some(Judgement::Passes);
    }
    // Rich rules and sources let in what we do not work out.
    let more = field(zone, "protocols").is_some_and(|it| !it.is_empty()) || has_rich_rules(zone);
    Some(if more { Judgement::Unclear } else { Judgement::Dropped })
}

/// The ports that this zone does not let in, each as `--add-port` takes it.
pub fn closed(zone: &str, passage: &Passage) -> Vec<String> {
    let ports = field(zone, "ports").unwrap_or_default();
    let services = field(zone, "services").unwrap_or_default();
    let is_open = |packet: &Packet<'_>| {
        let (Some(port), kind) = (packet.port, name(packet.transport)) else { return true };
        ports.split_whitespace().any(|open| covers(open, port, kind))
            || services.split_whitespace().any(|service| serves(service, port, kind))
    };
    let closed = passage.packets().into_iter().filter(|packet| !is_open(packet));
    closed.filter_map(|packet| Some(format!("{}/{}", packet.port?, name(packet.transport)))).collect()
}

fn field<'a>(zone: &'a str, name: &str) -> Option<&'a str> {
    zone.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// They follow the last line, one each.
fn has_rich_rules(zone: &str) -> bool {
    zone.lines().any(|line| line.trim_start().starts_with("rule ") || line.trim_start().starts_with("rule\t"))
}

fn name(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
    }
}

/// `69/udp`, `1025-65535/udp`.
fn covers(open: &str, port: u16, kind: &str) -> bool {
    let Some((ports, transport)) = open.split_once('/') else { return false };
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let range = first.parse::<u16>().ok().zip(last.parse::<u16>().ok());
    transport == kind && range.is_some_and(|(first, last)| (first..=last).contains(&port))
}

/// The services of firewalld that are about our ports.
fn serves(service: &str, port: u16, kind: &str) -> bool {
    [("dhcp", 67, "udp"), ("tftp", 69, "udp"), ("proxy-dhcp", 4011, "udp"), ("http", 80, "tcp")]
        .contains(&(service, port, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = "\
public (active)
  target: default
  icmp-block-inversion: no
  interfaces: eth0
  sources: 
  services: dhcpv6-client ssh
  ports: 
  protocols: 
  forward: yes
  masquerade: no
  forward-ports: 
  source-ports: 
  icmp-blocks: 
  rich rules: 
";

    #[test]
    fn ports_services_and_the_target_decide() {
        let passage = Passage { interface: "eth0".into(), udp: vec![67, 69, 4011], tcp: vec![80] };
        let with = |from: &str, to: &str| PUBLIC.replace(from, to);
        let services = with("services: dhcpv6-client ssh", "services: dhcp tftp proxy-dhcp http");
        let ports = with("  ports: ", "  ports: 1-100/udp 4011/udp 80/tcp");
        let cases = [
            (PUBLIC.to_owned(), Some(Judgement::Dropped), "67/udp 69/udp 4011/udp 80/tcp"),
            (services.clone(), Some(Judgement::Passes), ""),
            (services.replace(" http", ""), Some(Judgement::Dropped), "80/tcp"),
            (ports, Some(Judgement::Passes), ""),
            (with("target: default", "target: ACCEPT"), Some(Judgement::Passes), "67/udp 69/udp 4011/udp 80/tcp"),
            (
                format!("{PUBLIC}\trule family=\"ipv4\" source address=\"10.0.0.0/8\" accept\n"),
                Some(Judgement::Unclear),
                "67/udp 69/udp 4011/udp 80/tcp",
            ),
            ("FirewallD is not running\n".to_owned(), None, "67/udp 69/udp 4011/udp 80/tcp"),
        ];
        for (zone, expected, shut) in cases {
            assert_eq!(judge(&zone, &passage), expected, "{zone}");
            assert_eq!(closed(&zone, &passage).join(" "), shut, "{zone}");
        }
    }

    #[test]
    fn only_one_that_does_not_run_is_absent() {
        // What firewall-cmd 1.3.3 said, in red.
        let cases = [
            ("\u{1b}[91mnot running\u{1b}[00m", true),
            (
                "Authorization failed.\n    Make sure polkit agent is running or run the application as superuser.",
                false,
            ),
            ("firewall-cmd takes too long", false),
        ];
        for (said, absent) in cases {
            assert_eq!(is_absent(said), absent, "{said}");
        }
        assert!(has_no_zone("\u{1b}[91mno zone\u{1b}[00m"));
        assert!(!has_no_zone(cases[1].0));
    }
}
