//! What nftables does with packets to our ports, read from `nft -j list ruleset`. Pure.
//!
//! Each base chain has its own say: a packet gets in only if all of them accept it, and no table can take back what another
//! one drops. So what matters is which chains drop ours, and a rule that lets them in belongs at the head of each of those.
//!
//! Rules that look at what we do not know (addresses, marks, sets, the matches of iptables) may hold or not, and what they
//! lead to is possible, not certain.

use serde::Deserialize;
use serde_json::Value;

use super::{Chain, Judgement, Packet};
use crate::net::ports::Transport;

/// Deepest that chains may jump into one another; the kernel has the same limit (`NFT_JUMP_STACK_SIZE`).
const DEEPEST: u32 = 16;
/// Most rules that are looked at for one packet: chains that jump to one another often would take for ever.
const MOST_RULES: u32 = 100_000;

/// The part of a ruleset that concerns what comes in by IPv4.
#[derive(Debug, Default)]
pub struct Ruleset {
    chains: Vec<Filled>,
}

/// A chain with its rules.
#[derive(Debug)]
struct Filled {
    chain: Chain,
    /// Whether what comes in passes it, and it is not only jumped to.
    incoming: bool,
    drops: bool,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    handle: u64,
    comment: Option<String>,
    expressions: Vec<Value>,
}

#[derive(Deserialize)]
struct Listing {
    nftables: Vec<Value>,
}

#[derive(Deserialize)]
struct ListedChain {
    family: String,
    table: String,
    name: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    hook: Option<String>,
    policy: Option<String>,
}

#[derive(Deserialize)]
struct ListedRule {
    family: String,
    table: String,
    chain: String,
    handle: u64,
    comment: Option<String>,
    #[serde(default)]
    expr: Vec<Value>,
}

/// Whether a rule applies to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Applies {
    No,
    Perhaps,
    Yes,
}

impl Applies {
    fn of(known: bool) -> Applies {
        if known { Applies::Yes } else { Applies::No }
    }

    fn not(self) -> Applies {
        match self {
            Applies::No => Applies::Yes,
            Applies::Perhaps => Applies::Perhaps,
            Applies::Yes => Applies::No,
        }
    }
}

/// What may become of a packet in a chain.
#[derive(Clone, Copy, Debug, Default)]
struct Fates {
    accepted: bool,
    dropped: bool,
    /// It comes out at the end.
    through: bool,
}

impl Ruleset {
    /// Reads what `nft -j list ruleset` prints. Parts that are not understood are as if they were not there.
    pub fn read(json: &str) -> Result<Ruleset, serde_json::Error> {
        let listing: Listing = serde_json::from_str(json)?;
        let mut ruleset = Ruleset::default();
        for item in listing.nftables {
            if let Some(chain) = item.get("chain").and_then(|it| ListedChain::deserialize(it).ok()) {
                ruleset.add_chain(chain);
            } else if let Some(rule) = item.get("rule").and_then(|it| ListedRule::deserialize(it).ok()) {
                ruleset.add_rule(rule);
            }
        }
        Ok(ruleset)
    }

    fn add_chain(&mut self, listed: ListedChain) {
        if !["ip", "inet"].contains(&listed.family.as_str()) {
            return;
        }
        let incoming = listed.kind.as_deref() == Some("filter")
            && listed.hook.as_deref().is_some_and(|hook| ["prerouting", "input"].contains(&hook));
        self.chains.push(Filled {
            chain: Chain { family: listed.family, table: listed.table, name: listed.name },
            incoming,
            drops: listed.policy.as_deref() == Some("drop"),
            rules: Vec::new(),
        });
    }

    fn add_rule(&mut self, listed: ListedRule) {
        let ListedRule { family, table, chain: name, handle, comment, expr } = listed;
        let chain = Chain { family, table, name };
        if let Some(filled) = self.chains.iter_mut().find(|filled| filled.chain == chain) {
            filled.rules.push(Rule { handle, comment, expressions: expr });
        }
    }

    /// The chains that some of these packets do not get through for certain, and what becomes of those packets there.
    pub fn obstacles(&self, packets: &[Packet<'_>]) -> Vec<(Chain, Judgement)> {
        let judged = |filled: &Filled| {
            let worst = packets.iter().map(|packet| self.judge(filled, packet)).max()?;
            (worst != Judgement::Passes).then(|| (filled.chain.clone(), worst))
        };
        self.chains.iter().filter(|filled| filled.incoming).filter_map(judged).collect()
    }

    /// Whether this packet gets through this chain.
    pub fn passes(&self, chain: &Chain, packet: &Packet<'_>) -> Judgement {
        self.chains.iter().find(|filled| filled.chain == *chain).map_or(Judgement::Passes, |it| self.judge(it, packet))
    }

    /// Rules whose comment begins like this, each with its chain and its handle.
    pub fn commented(&self, beginning: &str) -> Vec<(Chain, u64, String)> {
        let begins = |rule: &&Rule| rule.comment.as_deref().is_some_and(|comment| comment.starts_with(beginning));
        let of = |filled: &Filled| {
            let rules = filled.rules.iter().filter(begins);
            rules
                .map(|rule| (filled.chain.clone(), rule.handle, rule.comment.clone().unwrap_or_default()))
                .collect::<Vec<_>>()
        };
        self.chains.iter().flat_map(of).collect()
    }

    fn judge(&self, filled: &Filled, packet: &Packet<'_>) -> Judgement {
        let mut fates = self.walk(filled, packet, 0, &mut 0);
        if fates.through {
            fates.dropped |= filled.drops;
            fates.accepted |= !filled.drops;
        }
        match (fates.accepted, fates.dropped) {
            (true, true) => Judgement::Unclear,
            (false, true) => Judgement::Dropped,
            (_, false) => Judgement::Passes,
        }
    }

    fn walk(&self, filled: &Filled, packet: &Packet<'_>, depth: u32, looked: &mut u32) -> Fates {
        let mut fates = Fates::default();
        for rule in &filled.rules {
            *looked += 1;
            if *looked > MOST_RULES {
                break;
            }
            let (applies, verdict) = self.rule(filled, rule, packet, depth, looked);
            let Some(verdict) = verdict.filter(|_| applies != Applies::No) else { continue };
            fates.accepted |= verdict.accepted;
            fates.dropped |= verdict.dropped;
            fates.through |= verdict.leaves;
            if applies == Applies::Yes && !verdict.goes_on {
                return fates;
            }
        }
        fates.through = true;
        fates
    }

    /// Whether a rule applies, and to what it leads.
    fn rule(
        &self,
        filled: &Filled,
        rule: &Rule,
        packet: &Packet<'_>,
        depth: u32,
        looked: &mut u32,
    ) -> (Applies, Option<Verdict>) {
        let mut applies = Applies::Yes;
        for expression in &rule.expressions {
            let Some((kind, value)) = expression.as_object().and_then(|it| it.iter().next()) else { continue };
            match kind.as_str() {
                "match" => applies = applies.min(matches(value, packet)),
                // What a limit or a match of iptables says is not known here.
                "limit" | "xt" | "quota" => applies = applies.min(Applies::Perhaps),
                "vmap" => return self.map(filled, applies, value, packet, depth, looked),
                "queue" => return (applies, Some(Verdict::UNCLEAR)),
                _ => {
                    if let Some(verdict) = self.verdict(filled, kind, value, packet, depth, looked) {
                        return (applies, Some(verdict));
                    }
                }
            }
            if applies == Applies::No {
                break;
            }
        }
        (applies, None)
    }

    fn verdict(
        &self,
        filled: &Filled,
        kind: &str,
        value: &Value,
        packet: &Packet<'_>,
        depth: u32,
        looked: &mut u32,
    ) -> Option<Verdict> {
        let none = Verdict::default();
        let inside = |looked: &mut u32| {
            let name = value.get("target").and_then(Value::as_str)?;
            let same = |other: &&Filled| {
                (&other.chain.family, &other.chain.table, other.chain.name.as_str())
                    == (&filled.chain.family, &filled.chain.table, name)
            };
            let target = self.chains.iter().find(same).filter(|_| depth < DEEPEST)?;
            Some(self.walk(target, packet, depth + 1, looked))
        };
        Some(match kind {
            "accept" => Verdict { accepted: true, ..none },
            "drop" | "reject" => Verdict { dropped: true, ..none },
            "return" => Verdict { leaves: true, ..none },
            "jump" => {
                let Fates { accepted, dropped, through } = inside(looked)?;
                Verdict { accepted, dropped, goes_on: through, leaves: false }
            }
            "goto" => {
                let Fates { accepted, dropped, through } = inside(looked)?;
                Verdict { accepted, dropped, goes_on: false, leaves: through }
            }
            _ => return None,
        })
    }

    /// A map from values to verdicts: `ct state vmap { established : accept, invalid : drop }`.
    fn map(
        &self,
        filled: &Filled,
        applies: Applies,
        map: &Value,
        packet: &Packet<'_>,
        depth: u32,
        looked: &mut u32,
    ) -> (Applies, Option<Verdict>) {
        let unclear = (applies.min(Applies::Perhaps), Some(Verdict::UNCLEAR));
        let Some(key) = map.get("key") else { return unclear };
        let Some(elements) = map.pointer("/data/set").and_then(Value::as_array) else { return unclear };
        let mut all = Verdict { goes_on: true, ..Verdict::default() };
        let mut certain = Applies::Perhaps;
        for element in elements {
            let (Some(value), Some(target)) = (element.get(0), element.get(1)) else { return unclear };
            let hit = compare(key, value, packet);
            if hit == Applies::No {
                continue;
            }
            let Some((kind, value)) = target.as_object().and_then(|it| it.iter().next()) else { return unclear };
            let verdict = self.verdict(filled, kind, value, packet, depth, looked).unwrap_or_default();
            all = Verdict {
                accepted: all.accepted | verdict.accepted,
                dropped: all.dropped | verdict.dropped,
                leaves: all.leaves | verdict.leaves,
                goes_on: hit != Applies::Yes || verdict.goes_on,
            };
            if hit == Applies::Yes {
                certain = Applies::Yes;
                break;
            }
        }
        (applies.min(certain), Some(all))
    }
}

/// Where a rule leads.
#[derive(Clone, Copy, Debug, Default)]
struct Verdict {
    accepted: bool,
    dropped: bool,
    /// It may leave the chain.
    leaves: bool,
    /// The next rule may come.
    goes_on: bool,
}

impl Verdict {
    /// A program of its own decides, or a set that is not listed with the rules.
    const UNCLEAR: Verdict = Verdict { accepted: true, dropped: true, leaves: false, goes_on: true };
}

fn matches(value: &Value, packet: &Packet<'_>) -> Applies {
    let (Some(left), Some(right)) = (value.get("left"), value.get("right")) else { return Applies::Perhaps };
    match value.get("op").and_then(Value::as_str) {
        Some("==" | "in") => compare(left, right, packet),
        Some("!=") => compare(left, right, packet).not(),
        Some(order) => match (number(left, packet), right.as_u64()) {
            (Known::Is(own), Some(other)) => match order {
                "<" => Applies::of(own < other),
                ">" => Applies::of(own > other),
                "<=" => Applies::of(own <= other),
                ">=" => Applies::of(own >= other),
                _ => Applies::Perhaps,
            },
            (Known::Not, _) => Applies::No,
            _ => Applies::Perhaps,
        },
        None => Applies::Perhaps,
    }
}

/// A number of a packet.
enum Known {
    Is(u64),
    /// Packets like this one have no such field.
    Not,
    Unknown,
}

fn number(left: &Value, packet: &Packet<'_>) -> Known {
    let field = |name: &str| left.pointer(name).and_then(Value::as_str).unwrap_or_default();
    let own = match packet.transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
    };
    match (field("/payload/protocol"), field("/payload/field")) {
        (protocol, "dport") if protocol == own || protocol == "th" => {
            packet.port.map_or(Known::Unknown, |port| Known::Is(port.into()))
        }
        (protocol, "sport") if protocol == own || protocol == "th" => {
            packet.from.map_or(Known::Unknown, |port| Known::Is(port.into()))
        }
        ("udp" | "tcp" | "icmp" | "icmpv6" | "sctp" | "dccp" | "igmp" | "esp" | "ah" | "udplite", _) => Known::Not,
        _ => Known::Unknown,
    }
}

/// Whether what is on the left of a comparison has one of the values on its right.
fn compare(left: &Value, right: &Value, packet: &Packet<'_>) -> Applies {
    if let Some(set) = right.get("set").and_then(Value::as_array).or_else(|| right.as_array()) {
        return set.iter().map(|one| compare(left, one, packet)).max().unwrap_or(Applies::No);
    }
    if right.as_str().is_some_and(|name| name.starts_with('@')) {
        return Applies::Perhaps;
    }
    let text = right.as_str().unwrap_or_default();
    let protocol = match packet.transport {
        Transport::Udp => ("udp", 17),
        Transport::Tcp => ("tcp", 6),
    };
    let is_protocol = || Applies::of(text == protocol.0 || right.as_u64() == Some(protocol.1));
    let meta = left.pointer("/meta/key").and_then(Value::as_str);
    match meta {
        Some("iifname" | "iif") => return Applies::of(is_named(packet.interface, text)),
        Some("l4proto") => return is_protocol(),
        Some("nfproto") => return Applies::of(text == "ipv4" || right.as_u64() == Some(2)),
        Some("protocol") => return Applies::of(text == "ip"),
        Some(_) => return Applies::Perhaps,
        None => {}
    }
    if left.pointer("/ct/key").and_then(Value::as_str) == Some("state") {
        return Applies::of(text == if packet.established { "established" } else { "new" });
    }
    let field = |name: &str| left.pointer(name).and_then(Value::as_str).unwrap_or_default();
    match (field("/payload/protocol"), field("/payload/field")) {
        ("ip", "protocol") => return is_protocol(),
        ("ip6", _) => return Applies::No,
        _ => {}
    }
    let own = match number(left, packet) {
        Known::Is(own) => own,
        Known::Not => return Applies::No,
        Known::Unknown => return Applies::Perhaps,
    };
    let range = right.get("range").and_then(|range| Some((range.get(0)?.as_u64()?, range.get(1)?.as_u64()?)));
    match (right.as_u64(), range) {
        (Some(port), _) => Applies::of(port == own),
        (None, Some((first, last))) => Applies::of((first..=last).contains(&own)),
        (None, None) => Applies::Perhaps,
    }
}

/// Whether an interface has a name that may end in a star.
fn is_named(interface: &str, pattern: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => interface.starts_with(beginning),
        None => interface == pattern,
    }
}
