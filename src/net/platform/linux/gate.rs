//! The firewall's side of [`crate::net::firewall`]: looks at it, opens it for a passage, and closes it again.
//!
//! By firewalld's own command where it looks after the rules, by `iptables` in its own chain, and by `nft` otherwise: at the
//! head of each chain that drops what is to get in. ufw's command would write the rule to its files, where it outlives a
//! computer that loses its power; so the rule goes to the head of the chain that ufw's own ones hang from.

use std::fs;

use serde_json::{Value, json};

use super::programs::{find, run, run_with};
use crate::net::firewall::nft::Ruleset;
use crate::net::firewall::{Chain, Judgement, Look, Passage, Program, TAG, firewalld, ufw};

const UFW_SETTINGS: &str = "/etc/ufw/ufw.conf";
/// What distributions load when they start, where nobody looks after the rules.
const RULES_AT_START: [&str; 3] = [
    "/etc/systemd/system/sysinit.target.wants/nftables.service",
    "/etc/systemd/system/multi-user.target.wants/nftables.service",
    "/etc/systemd/system/multi-user.target.wants/netfilter-persistent.service",
];

/// See [`crate::net::firewall::look`].
pub async fn look(passage: &Passage) -> Look {
    if fs::read_to_string(UFW_SETTINGS).is_ok_and(|settings| ufw::is_enabled(&settings)) {
        let status = run("ufw", &["status", "verbose"]).await;
        return Look { program: Some(Program::Ufw), judgement: status.ok().and_then(|it| ufw::judge(&it, passage)) };
    }
    if let Some(zone) = zone(&passage.interface).await {
        let listed = match &zone {
            Some(zone) => listed(zone).await.ok(),
            None => None,
        };
        let judgement = listed.and_then(|listed| firewalld::judge(&listed, passage));
        return Look { program: Some(Program::Firewalld { zone }), judgement };
    }
    match ruleset().await {
        Some(ruleset) => {
            let obstacles = ruleset.obstacles(&passage.packets());
            let Some(worst) = obstacles.iter().map(|(_, judgement)| *judgement).max() else { return Look::NONE };
            let chains = obstacles.into_iter().map(|(chain, _)| chain).collect();
            Look { program: Some(Program::Nftables { chains }), judgement: Some(worst) }
        }
        // Not installed, or not for this user. Rules that are loaded at start can be seen all the same.
        None if RULES_AT_START.iter().any(|path| fs::symlink_metadata(path).is_ok()) => {
            Look { program: Some(Program::Nftables { chains: Vec::new() }), judgement: None }
        }
        None => Look::NONE,
    }
}

/// The zone that firewalld has an interface in, where it tells this user; none where it does not run.
async fn zone(interface: &str) -> Option<Option<String>> {
    find("firewall-cmd")?;
    // One that does not answer, or not to this user, is there all the same.
    if run("firewall-cmd", &["--state"]).await.is_err_and(|said| firewalld::is_absent(&said)) {
        return None;
    }
    let named = run("firewall-cmd", &[&format!("--get-zone-of-interface={interface}")]).await;
    let zone = match named {
        Err(said) if firewalld::has_no_zone(&said) => run("firewall-cmd", &["--get-default-zone"]).await,
        named => named,
    };
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    let zone = zone.map(|zone| zone.trim().to_owned());
    Some(zone.ok().filter(|zone| !zone.is_empty() && zone.chars().all(fits)))
}

async fn listed(zone: &str) -> Result<String, String> {
    run("firewall-cmd", &[&format!("--zone={zone}"), "--list-all"]).await
}

/// Changes all these ports of a zone by one command: each takes firewalld's program a second or more to start.
async fn in_zone(zone: &str, change: &str, ports: &[String]) -> Result<(), String> {
    let ports = ports.iter().map(|port| format!("{change}={port}"));
    let words: Vec<String> = [format!("--zone={zone}")].into_iter().chain(ports).collect();
    run("firewall-cmd", &words.iter().map(String::as_str).collect::<Vec<_>>()).await.map(drop)
}

/// All of nftables, if this program may see it.
async fn ruleset() -> Option<Ruleset> {
    find("nft")?;
    let listed = run("nft", &["-j", "list", "ruleset"]).await.ok()?;
    Ruleset::read(&listed).ok()
}

/// The firewall as it is because of us. Closed by [`Opened::close`], not by dropping it.
#[derive(Debug, Default)]
pub(super) struct Opened {
    tag: String,
    /// Ports that were added to a zone of firewalld.
    zone: Option<(String, Vec<String>)>,
    /// Whether rules with our tag are there.
    tagged: bool,
}

impl Opened {
    /// Lets a passage in, where the firewall would not. An error is what the firewall's program said, and leaves
    /// everything as it was.
    pub(super) async fn open(passage: &Passage) -> Result<Opened, String> {
        let tag = own_tag();
        let look = look(passage).await;
        let mut opened = Opened { tag, ..Opened::default() };
        if look.judgement == Some(Judgement::Passes) {
            return Ok(opened);
        }
        let result = match look.program {
            Some(Program::Ufw) => opened.by_rules(&[Chain::of_iptables()], passage).await,
            Some(Program::Firewalld { zone: Some(zone) }) => opened.by_firewalld(zone, passage).await,
            Some(Program::Nftables { chains }) if !chains.is_empty() => opened.by_rules(&chains, passage).await,
            _ => Err("its rules cannot be read".to_owned()),
        };
        match result {
            Ok(()) => Ok(opened),
            Err(reason) => {
                opened.close().await;
                Err(reason)
            }
        }
    }

    /// Whether there is nothing to undo.
    pub(super) fn is_untouched(&self) -> bool {
        !self.tagged && self.zone.is_none()
    }

    /// Until firewalld is restarted: nothing is written to its files.
    async fn by_firewalld(&mut self, zone: String, passage: &Passage) -> Result<(), String> {
        let closed = firewalld::closed(&listed(&zone).await?, passage);
        // Before it is done: where firewalld is slow it may open them after we gave up, and closing one that is not open
        // does no harm.
        let (zone, added) = self.zone.insert((zone, closed));
        in_zone(zone, "--add-port", added).await
    }

    async fn by_rules(&mut self, chains: &[Chain], passage: &Passage) -> Result<(), String> {
        self.tagged = true;
        for chain in chains {
            // A chain of iptables is left in a form that iptables itself can read.
            if chain.is_of_iptables() && by_iptables(passage, &self.tag).await.is_ok() {
                continue;
            }
            let batch = json!({ "nftables": rules(chain, passage, &self.tag) });
            run_with("nft", &["-j", "-f", "-"], batch.to_string().as_bytes()).await?;
        }
        Ok(())
    }

    /// Takes everything away again. What does not work any more, since the rules were loaded anew for example, needs no
    /// undoing.
    pub(super) async fn close(self) {
        if let Some((zone, ports)) = self.zone {
            let _ = in_zone(&zone, "--remove-port", &ports).await;
        }
        if self.tagged {
            remove(|tag| tag == self.tag).await;
        }
    }
}

/// The rules for a chain of nftables, each at its head, in nft's own JSON: no name needs quoting there.
fn rules(chain: &Chain, passage: &Passage, tag: &str) -> Vec<Value> {
    let here = json!({"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": passage.interface}});
    let insert = |conditions: Vec<Value>| {
        let expr = [vec![here.clone()], conditions, vec![json!({"counter": null}), json!({"accept": null})]].concat();
        let Chain { family, table, name } = chain;
        json!({"insert": {"rule": {"family": family, "table": table, "chain": name, "comment": tag, "expr": expr}}})
    };
    let ports = |protocol: &str, ports: &[u16]| {
        let left = json!({"payload": {"protocol": protocol, "field": "dport"}});
        insert(vec![json!({"match": {"op": "==", "left": left, "right": {"set": ports}}})])
    };
    let all = [("udp", &passage.udp), ("tcp", &passage.tcp)];
    let each = all.into_iter().filter(|(_, list)| !list.is_empty()).map(|(protocol, list)| ports(protocol, list));
    // A transfer of TFTP has a port of its own, and is known by the answer that it got from there.
    let transfers = insert(vec![
        json!({"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "udp"}}),
        json!({"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "established"}}),
    ]);
    each.chain([transfers]).collect()
}

async fn by_iptables(passage: &Passage, tag: &str) -> Result<(), String> {
    let all = [("udp", &passage.udp), ("tcp", &passage.tcp)];
    let each = all.into_iter().flat_map(|(protocol, ports)| ports.iter().map(move |port| (protocol, port.to_string())));
    for (protocol, port) in each {
        insert_by_iptables(passage, tag, &["-p", protocol, "--dport", &port]).await?;
    }
    insert_by_iptables(passage, tag, &["-p", "udp", "-m", "conntrack", "--ctstate", "ESTABLISHED"]).await
}

async fn insert_by_iptables(passage: &Passage, tag: &str, what: &[&str]) -> Result<(), String> {
    let start = ["-w", "4", "-I", "INPUT", "1", "-i", &passage.interface];
    let end = ["-m", "comment", "--comment", tag, "-j", "ACCEPT"];
    run("iptables", &[&start, what, &end].concat()).await.map(drop)
}

/// Takes away rules of ours whose helper is gone.
pub async fn sweep() {
    if rustix::process::geteuid().is_root() {
        remove(|tag| !is_alive(tag)).await;
    }
}

/// Removes rules of ours with such a tag, wherever they are.
async fn remove(wanted: impl Fn(&str) -> bool) {
    if find("iptables").is_some() {
        let listed = run("iptables", &["-w", "4", "-S", "INPUT"]).await.unwrap_or_default();
        for line in listed.lines().filter(|line| tag_of(line).is_some_and(&wanted)) {
            let words: Vec<&str> = line.split_whitespace().skip(1).collect();
            let _ = run("iptables", &[&["-w", "4", "-D"], words.as_slice()].concat()).await;
        }
    }
    let Some(ruleset) = ruleset().await else { return };
    for (Chain { family, table, name }, handle, tag) in ruleset.commented(TAG) {
        if wanted(&tag) {
            let rule = json!({"family": family, "table": table, "chain": name, "handle": handle});
            let batch = json!({"nftables": [{"delete": {"rule": rule}}]});
            let _ = run_with("nft", &["-j", "-f", "-"], batch.to_string().as_bytes()).await;
        }
    }
}

/// The tag in a line of `iptables -S`.
fn tag_of(line: &str) -> Option<&str> {
    let comment = line.split_once("--comment ")?.1.split_whitespace().next()?.trim_matches('"');
    comment.starts_with(TAG).then_some(comment)
}

/// This process by its number and the time that it was started at: numbers are given again.
fn own_tag() -> String {
    let pid = std::process::id();
    format!("{TAG}{pid}-{}", started(pid).unwrap_or_default())
}

fn is_alive(tag: &str) -> bool {
    let numbers = tag.strip_prefix(TAG).and_then(|numbers| numbers.split_once('-'));
    let numbers = numbers.and_then(|(pid, start)| Some((pid.parse().ok()?, start.parse::<u64>().ok()?)));
    numbers.is_some_and(|(pid, start)| started(pid) == Some(start))
}

/// When a process that runs was started, in the kernel's ticks since the machine was.
fn started(pid: u32) -> Option<u64> {
    // The name before it, in parentheses, may have spaces and parentheses of its own.
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    // One that has ended is listed until its parent takes note.
    let ended = ["Z", "X"].contains(&fields.next()?);
    fields.nth(18).filter(|_| !ended)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_belongs_to_a_process_that_is_there_or_not() {
        let own = own_tag();
        assert!(is_alive(&own), "{own}");
        let (pid, start) = own.strip_prefix(TAG).unwrap().split_once('-').unwrap();
        assert!(start.parse::<u64>().unwrap() > 0, "{own}");
        for gone in [format!("{TAG}{pid}-1"), format!("{TAG}0-{start}"), format!("{TAG}{pid}"), "other".into()] {
            assert!(!is_alive(&gone), "{gone}");
        }
    }

    #[test]
    fn our_rules_are_known_in_the_list_of_iptables() {
        let ours = "-A INPUT -i eth0 -p udp -m udp --dport 67 -m comment --comment \"bootwright-1-2\" -j ACCEPT";
        assert_eq!(tag_of(ours), Some("bootwright-1-2"));
        assert_eq!(tag_of(&ours.replace('"', "")), Some("bootwright-1-2"));
        assert_eq!(tag_of("-A INPUT -m comment --comment \"mine\" -j ACCEPT"), None);
        assert_eq!(tag_of("-P INPUT DROP"), None);
    }
}
