//! This computer's firewall: whether it lets computers reach the ports of booting, with which rule it would, and that rule
//! for as long as we serve.
//!
//! Which rule is really needed: DHCP, the PXE boot server and HTTP on their own ports, and TFTP on port 69 and, since
//! each transfer has a port of its own, on what belongs to a transfer that we have answered: the firewall knows that as an
//! established connection. Nearly every firewall lets those in by itself; where one does not, the rule has it.
//!
//! A rule is for one interface and for these ports, and it carries the process that holds it in its name ([`TAG`]). The
//! helper of [`super::privilege`] puts it there and takes it away when whoever asked for it is gone, killed or not. Where the
//! helper itself was killed, the rule is found by its name and taken away at the next start. firewalld's rules have no
//! names, but they are gone as soon as it is restarted or reloaded; also where somebody does that while we serve.
//!
//! What is not seen: the older iptables (`iptables-legacy`), rules for bridges and network cards (`netdev`), and rules for
//! what this computer sends.

pub mod firewalld;
pub mod nft;
pub mod ufw;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::platform;
use super::ports::Transport;

/// What the names of our rules begin with; the process and the time that it was started at follow.
pub const TAG: &str = "bootwright-";

/// Clients of DHCP have a port of their own (RFC 2131 section 4.1).
const DHCP_SERVER: u16 = 67;
const DHCP_CLIENT: u16 = 68;
const TFTP: u16 = 69;

/// What is to get in: some ports on one interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// The interface's system name.
    pub interface: String,
    /// UDP ports.
    pub udp: Vec<u16>,
    /// TCP ports.
    pub tcp: Vec<u16>,
}

impl Passage {
    /// For these ports.
    pub fn of(interface: &str, ports: &[(Transport, u16)]) -> Passage {
        let all = |wanted: Transport| {
            let mut ports: Vec<u16> =
                ports.iter().filter(|(transport, _)| *transport == wanted).map(|&(_, port)| port).collect();
            ports.sort_unstable();
            ports.dedup();
            ports
        };
        Passage { interface: interface.to_owned(), udp: all(Transport::Udp), tcp: all(Transport::Tcp) }
    }

    /// One packet of each kind that has to get in.
    pub fn packets(&self) -> Vec<Packet<'_>> {
        let new = |transport, &port: &u16| Packet {
            interface: &self.interface,
            transport,
            port: Some(port),
            from: (port == DHCP_SERVER).then_some(DHCP_CLIENT),
            established: false,
        };
        let udp = self.udp.iter().map(|port| new(Transport::Udp, port));
        let tcp = self.tcp.iter().map(|port| new(Transport::Tcp, port));
        udp.chain(tcp).chain(self.acknowledgement()).collect()
    }

    /// What comes to the port of a transfer that was answered.
    fn acknowledgement(&self) -> Option<Packet<'_>> {
        self.udp.contains(&TFTP).then_some(Packet {
            interface: &self.interface,
            transport: Transport::Udp,
            port: None,
            from: None,
            established: true,
        })
    }

    fn list(ports: &[u16], between: &str) -> String {
        ports.iter().map(u16::to_string).collect::<Vec<_>>().join(between)
    }
}

/// A packet that comes in.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Where.
    pub interface: &'a str,
    /// UDP or TCP.
    pub transport: Transport,
    /// The port that it is for; none is any one that the system gave to a transfer.
    pub port: Option<u16>,
    /// The port that it comes from; none is any.
    pub from: Option<u16>,
    /// Whether it belongs to something that was answered before.
    pub established: bool,
}

/// What becomes of a packet, the harmless first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// It gets in.
    Passes,
    /// It depends on what we do not know.
    Unclear,
    /// It is dropped or refused.
    Dropped,
}

/// A chain of nftables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// `ip` or `inet`.
    pub family: String,
    /// Its table.
    pub table: String,
    /// Its name.
    pub name: String,
}

impl Chain {
    /// The one that iptables has for what comes in.
    pub fn of_iptables() -> Chain {
        Chain { family: "ip".to_owned(), table: "filter".to_owned(), name: "INPUT".to_owned() }
    }

    /// Whether it is that one.
    pub fn is_of_iptables(&self) -> bool {
        *self == Chain::of_iptables()
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.family, self.table, self.name)
    }
}

/// Who looks after the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// Ubuntu's ufw.
    Ufw,
    /// firewalld, and its zone that the interface is in.
    Firewalld {
        /// The zone; none where firewalld does not tell this user.
        zone: Option<String>,
    },
    /// Rules of nftables or iptables, and the chains that are in the way.
    Nftables {
        /// The chains.
        chains: Vec<Chain>,
    },
    /// The firewall of Windows.
    Windows,
    /// The firewall of macOS, which is about programs instead of ports.
    MacOs,
}

impl Program {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Program::Ufw => "ufw",
            Program::Firewalld { .. } => "firewalld",
            // The rules of iptables are in there as well.
            Program::Nftables { .. } => "nftables",
            Program::Windows => "Windows Defender Firewall",
            Program::MacOs => "the firewall of macOS",
        }
    }

    /// The commands that let this in until they are undone, for somebody who types them.
    pub fn commands(&self, passage: &Passage) -> Vec<String> {
        let Passage { interface, udp, tcp } = passage;
        let each = [("udp", udp), ("tcp", tcp)].into_iter().filter(|(_, ports)| !ports.is_empty());
        match self {
            Program::Ufw => {
                let rule = |(kind, ports): (&str, &Vec<u16>)| {
                    let ports = Passage::list(ports, ",");
                    format!("sudo ufw allow in on {interface} to any port {ports} proto {kind}")
                };
                each.map(rule).collect()
            }
            Program::Firewalld { zone } => {
                let ports =
                    each.flat_map(|(kind, ports)| ports.iter().map(move |port| format!(" --add-port={port}/{kind}")));
                let zone = zone.as_ref().map(|zone| format!(" --zone={zone}")).unwrap_or_default();
                vec![format!("sudo firewall-cmd{zone}{}", ports.collect::<String>())]
            }
            Program::Nftables { chains } => {
                let each: Vec<_> = each.collect();
                let by_iptables = |chain: &Chain| {
                    let start = format!("sudo iptables -I {} -i {interface}", chain.name);
                    let rule = |(kind, ports): &(&str, &Vec<u16>)| {
                        format!("{start} -p {kind} -m multiport --dports {} -j ACCEPT", Passage::list(ports, ","))
                    };
                    let reply = format!("{start} -p udp -m conntrack --ctstate ESTABLISHED -j ACCEPT");
                    each.iter().map(rule).chain([reply]).collect::<Vec<_>>()
                };
                let rules = |chain: &Chain| {
                    if chain.is_of_iptables() {
                        return by_iptables(chain);
                    }
                    let rule = |(kind, ports): &(&str, &Vec<u16>)| {
                        let ports = Passage::list(ports, ", ");
                        format!(
                            "sudo nft 'insert rule {chain} iifname \"{interface}\" {kind} dport {{ {ports} }} accept'"
                        )
                    };
                    let reply = "udp ct state established accept'";
                    let reply = format!("sudo nft 'insert rule {chain} iifname \"{interface}\" meta l4proto {reply}");
                    each.iter().map(rule).chain([reply]).collect::<Vec<_>>()
                };
                chains.iter().flat_map(rules).collect()
            }
            Program::Windows => {
                let rule = |(kind, ports): (&str, &Vec<u16>)| {
                    let (kind, ports) = (kind.to_uppercase(), Passage::list(ports, ","));
                    format!(
                        "netsh advfirewall firewall add rule name=\"Bootwright\" dir=in action=allow protocol={kind} \
                         localport={ports}"
                    )
                };
                // Each TFTP transfer has a port of its own, which only the program is known by.
                let program = "netsh advfirewall firewall add rule name=\"Bootwright\" dir=in action=allow \
                               program=\"%CD%\\bootwright.exe\"";
                each.map(rule).chain([program.to_owned()]).collect()
            }
            Program::MacOs => {
                let tool = "sudo /usr/libexec/ApplicationFirewall/socketfilterfw";
                let path = "\"$(command -v bootwright)\"";
                vec![format!("{tool} --add {path}"), format!("{tool} --unblockapp {path}")]
            }
        }
    }
}

/// What was seen of the firewall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Who looks after the rules; none where nobody does.
    pub program: Option<Program>,
    /// What becomes of what is to get in. None where looking takes rights that this program does not have.
    pub judgement: Option<Judgement>,
}

impl Look {
    /// That there is none.
    pub const NONE: Look = Look { program: None, judgement: Some(Judgement::Passes) };
}

/// Looks whether this gets in. Changes nothing. Must be called inside a tokio runtime.
pub async fn look(passage: &Passage) -> Look {
    platform::gate::look(passage).await
}

/// Takes away rules of ours whose holder is gone. Without rights, or where there are none, nothing happens.
pub async fn sweep() {
    platform::gate::sweep().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage() -> Passage {
        let (udp, tcp) = (Transport::Udp, Transport::Tcp);
        Passage::of("eth0", &[(udp, 4011), (udp, 67), (udp, 69), (tcp, 80), (udp, 67)])
    }

    #[test]
    fn what_has_to_get_in_is_each_port_and_what_belongs_to_a_transfer() {
        let passage = passage();
        let packets: Vec<_> =
            passage.packets().iter().map(|it| (it.transport, it.port, it.from, it.established)).collect();
        let (udp, tcp) = (Transport::Udp, Transport::Tcp);
        let expected = [
            (udp, Some(67), Some(68), false),
            (udp, Some(69), None, false),
            (udp, Some(4011), None, false),
            (tcp, Some(80), None, false),
            (udp, None, None, true),
        ];
        assert_eq!(packets, expected);
    }

    #[test]
    fn the_rule_is_told_in_each_programs_own_words() {
        let passage = passage();
        let chains = vec![Chain { family: "inet".into(), table: "filter".into(), name: "input".into() }];
        let cases = [
            (
                Program::Ufw,
                vec![
                    "sudo ufw allow in on eth0 to any port 67,69,4011 proto udp",
                    "sudo ufw allow in on eth0 to any port 80 proto tcp",
                ],
            ),
            (
                Program::Firewalld { zone: Some("public".into()) },
                vec![
                    "sudo firewall-cmd --zone=public --add-port=67/udp --add-port=69/udp --add-port=4011/udp \
                     --add-port=80/tcp",
                ],
            ),
            (
                Program::Nftables { chains },
                vec![
                    "sudo nft 'insert rule inet filter input iifname \"eth0\" udp dport { 67, 69, 4011 } accept'",
                    "sudo nft 'insert rule inet filter input iifname \"eth0\" tcp dport { 80 } accept'",
                    "sudo nft 'insert rule inet filter input iifname \"eth0\" meta l4proto udp ct state established \
                     accept'",
                ],
            ),
        ];
        let chains = vec![Chain::of_iptables()];
        let by_iptables = Program::Nftables { chains }.commands(&passage);
        assert_eq!(by_iptables[1], "sudo iptables -I INPUT -i eth0 -p tcp -m multiport --dports 80 -j ACCEPT");
        assert_eq!(by_iptables.len(), 3);
        for (program, expected) in cases {
            assert_eq!(program.commands(&passage), expected, "{program:?}");
        }
        let windows = Program::Windows.commands(&passage);
        assert!(windows[0].ends_with("protocol=UDP localport=67,69,4011"), "{windows:?}");
        assert!(Program::MacOs.commands(&passage)[1].contains("--unblockapp"));
    }
}
