//! What could keep computers from booting, judged before anything is started.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ipnet::Ipv4Net;

use super::around::{self, Around};
use super::wording::{ports as ports_say, preflight as say, servers as servers_say};
use super::{
    Finding, Remedy, Rights, answer_entry, answer_fault, explain_answers, explain_disc, explain_plan,
    lacking as lacking_loader, published, unserved,
};
use crate::answer::{AnswerError, Answers, Fault};
use crate::boot::loader::{Loader, Loaders};
use crate::boot::menu;
use crate::deployment::{DhcpMode, DhcpPlan, Firewall, Plan, PlanError};
use crate::dhcp::probe::Answer;
use crate::engine;
use crate::engine::probe::Probe;
use crate::http;
use crate::image::{DiscError, Inspection};
use crate::mac::Mac;
use crate::net::Interface;
use crate::net::firewall::{Look, Passage};
use crate::net::interface::Kind;
use crate::net::ports::{Holder, Transport};
use crate::net::survey::{PortState, State};
use crate::text;

/// Everything that is judged, as it was found.
#[derive(Debug)]
pub struct Facts {
    /// The chosen interface; none where it is not there.
    pub interface: Option<Interface>,
    /// An address for an interface that has none, in a network that no other interface has.
    pub proposal: Ipv4Net,
    /// Who is to hand out addresses.
    pub mode: DhcpMode,
    /// What is to be served, or what keeps it from being that.
    pub plan: Result<Plan, PlanError>,
    /// The ports that are needed; none where there is no address to open them on. [`http::SECOND_PORT`] may be among
    /// them beside [`http::PORT`], as the one that is taken where that is held.
    pub ports: Vec<PortState>,
    /// Whether they may be opened.
    pub rights: Rights,
    /// What this computer's firewall does with what comes to them, and what is to be done about that; none where there is
    /// no interface to let anything in on.
    pub firewall: Option<(Look, Passage, Firewall)>,
    /// The boot loaders that were found.
    pub loaders: Loaders,
    /// The images in their order, and what each is.
    pub images: Vec<(PathBuf, Result<Inspection, Arc<DiscError>>)>,
    /// Who gives addresses on the interface's network.
    pub probe: Probe,
    /// Who made the network cards of those, by their addresses, as far as this computer knows.
    pub vendors: BTreeMap<Mac, String>,
    /// The answer files, or why they cannot be used; none where there are none.
    pub answers: Option<Result<Answers, AnswerError>>,
    /// What is around the services.
    pub around: Around,
    /// Answer files that lie in the folder that is published.
    pub published: Vec<PathBuf>,
    /// Whether files can be kept, or in which folder not, and why.
    pub state: Result<(), (PathBuf, String)>,
    /// Whether the folder of more files can be published, if there is one, or which one cannot, and why.
    pub files: Result<(), (PathBuf, String)>,
}

/// Fewer addresses than this run out sooner than one thinks.
const FEW_ADDRESSES: u64 = 5;
/// Most mistakes in answer files that are told.
const MOST_FAULTS: usize = 5;
/// Up to this speed, in Mbit/s, the network is what one waits for.
const SLOW_MBPS: u64 = 100;

/// The ports that a way of serving needs, and the second one of HTTP, which is taken where the first is held.
pub fn ports_for(mode: DhcpMode, http: Option<u16>) -> Vec<(Transport, u16)> {
    engine::incoming(mode != DhcpMode::Off, http)
}

/// Judges all of it. What is as it should be is told as well.
pub fn preflight(facts: &Facts) -> Vec<Finding> {
    [this_computer(facts), network(facts), files(facts)].concat()
}

fn this_computer(facts: &Facts) -> Vec<Finding> {
    let mut findings = ports(facts);
    // Whether a port may be opened is asked for an address; without one there was nobody to ask.
    if facts.interface.as_ref().is_some_and(|interface| interface.network().is_some()) {
        findings.push(rights(facts.rights));
    }
    findings.extend(facts.firewall.as_ref().map(|(look, passage, wanted)| super::firewall(look, passage, *wanted)));
    findings.push(state(facts));
    findings.extend(around::this_computer(&facts.around));
    findings.extend(loaders(facts));
    findings
}

fn ports(facts: &Facts) -> Vec<Finding> {
    let free: Vec<u16> = wanted_ports(facts).filter(|port| port.state == State::Free).map(|port| port.port).collect();
    let pass = (!free.is_empty()).then(|| ports_say::free(&free));
    let troubles = wanted_ports(facts).filter_map(|port| match &port.state {
        State::Free => None,
        State::Held(holder) if port.transport == Transport::Tcp => Some(http_held(facts, port, holder.as_ref())),
        State::Held(holder) => Some(ports_say::held(port, holder.as_ref())),
        State::Other(reason) => Some(ports_say::closed(port, reason)),
    });
    pass.into_iter().chain(troubles).collect()
}

/// The ports that have to be opened in any case.
fn wanted_ports(facts: &Facts) -> impl Iterator<Item = &PortState> {
    let dhcp = |port: &PortState| {
        port.transport == Transport::Udp && [crate::dhcp::port::SERVER, crate::dhcp::port::PXE].contains(&port.port)
    };
    let needed = move |port: &&PortState| facts.mode != DhcpMode::Off || !dhcp(port);
    let in_reserve = move |port: &&PortState| second_port(facts).is_some_and(|second| second == *port);
    facts.ports.iter().filter(needed).filter(move |port| !in_reserve(port))
}

/// The port that is used where the usual one for files is taken, as far as it was looked at.
fn second_port(facts: &Facts) -> Option<&PortState> {
    let tcp =
        |wanted: u16| facts.ports.iter().find(move |port| port.transport == Transport::Tcp && port.port == wanted);
    tcp(http::PORT).and_then(|_| tcp(http::SECOND_PORT))
}

fn http_held(facts: &Facts, port: &PortState, holder: Option<&Holder>) -> Finding {
    const OTHERS: [u16; 3] = [http::SECOND_PORT, 8000, 8888];
    let is_held = |other: u16| facts.ports.iter().any(|port| port.port == other && port.state != State::Free);
    let other = OTHERS.into_iter().find(|&other| !is_held(other)).unwrap_or(http::SECOND_PORT);
    let chosen = match &facts.plan {
        Ok(plan) => plan.ports.http.is_some(),
        Err(_) => port.port != http::PORT,
    };
    let second = second_port(facts).is_none_or(|second| second.state == State::Free);
    match (chosen, second) {
        (true, _) => ports_say::http_held(holder, port.port, other),
        (false, true) => ports_say::http_elsewhere(holder, port.port, http::SECOND_PORT),
        (false, false) => ports_say::http_nowhere(holder, port.port, http::SECOND_PORT, other),
    }
}

fn rights(rights: Rights) -> Finding {
    match rights {
        Rights::Present => say::may_open(),
        Rights::Asked => say::asks_first(),
        Rights::Missing => say::may_not_open(),
    }
}

fn state(facts: &Facts) -> Finding {
    match &facts.state {
        Ok(()) => say::state_kept(),
        Err((folder, reason)) => {
            let leases_there = match &facts.plan {
                Ok(Plan { dhcp: DhcpPlan::Full { lease_file, .. }, .. }) => lease_file.starts_with(folder),
                Ok(_) => false,
                Err(_) => facts.mode == DhcpMode::Full,
            };
            if leases_there { say::leases_lost(folder, reason) } else { say::settings_lost(folder, reason) }
        }
    }
}

fn loaders(facts: &Facts) -> Vec<Finding> {
    let own = facts.plan.as_ref().ok().and_then(|plan| plan.own_loaders.as_deref());
    // A folder that was named is looked into first: if it has any, some of those found are its own.
    let empty = own.filter(|own| !facts.loaders.iter().any(|(_, path)| path.starts_with(own)));
    if empty.is_some() || facts.loaders.is_empty() {
        return vec![say::no_loaders(empty)];
    }
    let missing: Vec<Finding> = facts.loaders.unserved().into_iter().map(unserved).collect();
    let found = missing.is_empty().then(say::loaders_found);
    missing.into_iter().chain(found).chain(lacking_entries(facts)).collect()
}

/// What is wrong with the answer files, and for whom.
fn answers(facts: &Facts) -> Vec<Finding> {
    let answers = match &facts.answers {
        None => return Vec::new(),
        Some(Err(error)) => return vec![explain_answers(error)],
        Some(Ok(answers)) => answers,
    };
    let faults = answers.faults().flat_map(|(path, _, faults)| faults.iter().map(move |fault| (path, fault)));
    let faults = faults.take(MOST_FAULTS).map(|(path, fault)| answer_fault(path, fault));
    let published = facts.published.iter().map(|file| published(file));
    let told: Vec<Finding> =
        faults.chain(published).chain(answers_for_nobody(facts)).chain(unready(facts, answers)).collect();
    if told.is_empty() { vec![say::answers_found()] } else { told }
}

/// Answer files for entries that take none.
fn answers_for_nobody(facts: &Facts) -> Vec<Finding> {
    let (Ok(plan), Some(items)) = (&facts.plan, all_items(facts)) else { return Vec::new() };
    let able: Vec<String> =
        items.iter().filter(|item| item.entry.answering.is_some()).map(|item| item.id.clone()).collect();
    let named = plan.answers.computer.iter().filter_map(|computer| computer.entry.as_ref());
    let named = plan.answers.entry.keys().chain(named).filter(|id| !able.contains(id));
    named.map(|id| answer_entry(id, &able)).collect()
}

/// Computers of the list for which an answer file cannot be filled in.
fn unready(facts: &Facts, answers: &Answers) -> Vec<Finding> {
    let Ok(plan) = &facts.plan else { return Vec::new() };
    let list = plan.answers.list.clone().unwrap_or_default();
    let rows = plan.answers.entry.keys().flat_map(|entry| answers.unready(entry));
    rows.take(MOST_FAULTS).map(|(line, fault)| answer_fault(&list, &Fault { line: Some(line), ..fault })).collect()
}

/// The menu's entries; none while an image cannot be read, since ids may shift then.
fn all_items(facts: &Facts) -> Option<Vec<menu::Item>> {
    let read: Option<Vec<Inspection>> = facts.images.iter().map(|(_, found)| found.as_ref().ok().cloned()).collect();
    Some(facts.plan.as_ref().ok()?.menu(&read?).items)
}

/// Entries that the menu will leave out, since they need a loader that is not there.
fn lacking_entries(facts: &Facts) -> Vec<Finding> {
    let entries = facts.images.iter().filter_map(|(_, found)| found.as_ref().ok()).flat_map(|found| &found.entries);
    let lacks = |loader: &Loader| facts.loaders.path(*loader).is_none();
    let lacking = entries.filter_map(|entry| Some((entry, menu::needs(entry.boot).filter(lacks)?)));
    lacking.map(|(entry, loader)| lacking_loader(&entry.title, loader)).collect()
}

fn network(facts: &Facts) -> Vec<Finding> {
    let Some(interface) = &facts.interface else { return vec![no_interface(&facts.plan)] };
    let name = text::plain(&interface.friendly_name, 60);
    let mut findings = vec![link(&name, interface)];
    findings.extend(say::of_kind(&name, interface.kind));
    findings.extend(around::network(&facts.around, interface));
    findings.push(address(&name, interface, facts.proposal));
    findings.extend(plan_error(facts, interface));
    findings.extend(facts.plan.as_ref().ok().and_then(range));
    findings.extend(servers(facts, &name, interface.link));
    findings
}

fn no_interface(plan: &Result<Plan, PlanError>) -> Finding {
    match plan {
        Ok(plan) => say::interface_gone(&plan.interface, &[]),
        Err(PlanError::UnknownInterface { name, known }) => say::interface_gone(name, known),
        Err(PlanError::NoInterface) => say::no_network(),
        Err(error) => explain_plan(error),
    }
}

fn link(name: &str, interface: &Interface) -> Finding {
    // Only a cable's speed says something: that of a virtual interface is made up, and that of Wi-Fi changes.
    let speed = interface.speed_mbps.filter(|_| interface.kind == Kind::Wired);
    match speed {
        _ if !interface.link => say::no_link(name, interface.kind),
        Some(mbps) if mbps <= SLOW_MBPS => say::slow(name, mbps),
        speed => say::connected(name, speed),
    }
}

fn address(name: &str, interface: &Interface, proposal: Ipv4Net) -> Finding {
    // The helper gives addresses to these kinds only: the others get theirs from what they are connected to.
    let may_get_one = matches!(interface.kind, Kind::Wired | Kind::Virtual);
    match interface.network() {
        Some(network) => say::has_address(name, network.addr()),
        None => say::no_address(name, may_get_one.then_some(proposal)),
    }
}

/// What is wrong with the plan, if it is not told already that the address is missing.
fn plan_error(facts: &Facts, interface: &Interface) -> Option<Finding> {
    let told = |error: &&PlanError| matches!(error, PlanError::NoAddress { .. }) && interface.network().is_none();
    facts.plan.as_ref().err().filter(|error| !told(error)).map(explain_plan)
}

fn range(plan: &Plan) -> Option<Finding> {
    let DhcpPlan::Full { range, excluded, .. } = &plan.dhcp else { return None };
    let taken = excluded.iter().filter(|&&address| range.contains(address)).count();
    let count = range.size().saturating_sub(u64::try_from(taken).unwrap_or(u64::MAX));
    let judge = if count < FEW_ADDRESSES { say::small_range } else { say::range };
    Some(judge(range.first, range.last, count))
}

fn servers(facts: &Facts, name: &str, link: bool) -> Vec<Finding> {
    let (mut answers, unable): (Vec<&Answer>, bool) = match &facts.probe {
        Probe::Answered(answers) => (answers.iter().collect(), false),
        Probe::Nobody => (Vec::new(), false),
        Probe::Unable(_) => (Vec::new(), true),
    };
    answers.sort_unstable_by_key(|answer| answer.server);
    answers.dedup_by_key(|answer| answer.server);
    let finding = match (facts.mode, answers.as_slice()) {
        (DhcpMode::Full, []) if unable => match facts.interface.as_ref().and_then(|interface| interface.gateway) {
            Some(router) => say::router_seen(name, router),
            None => servers_say::unasked_full(name),
        },
        (DhcpMode::Proxy | DhcpMode::Off, []) if unable => servers_say::unasked_beside(name),
        // Of course nobody answers there; the missing link is told.
        (_, []) if !link => return Vec::new(),
        (DhcpMode::Full, []) => servers_say::only_server(name),
        (DhcpMode::Proxy, []) => servers_say::no_server(name),
        (DhcpMode::Off, []) => servers_say::no_server_when_off(name),
        (DhcpMode::Full, answers) => servers_say::two_servers(name, answers, &facts.vendors),
        (DhcpMode::Proxy, answers) => servers_say::beside(name, answers, &facts.vendors),
        (DhcpMode::Off, answers) => servers_say::told_by_another(name, answers, &facts.vendors),
    };
    // Whoever says what to boot beside us makes it a matter of chance; without us it is how it should be.
    let boots = answers.iter().filter(|_| facts.mode != DhcpMode::Off);
    let boots = boots.filter_map(|answer| Some((answer.server, answer.boot_file.as_deref()?)));
    [finding].into_iter().chain(boots.map(|(server, file)| servers_say::boots_as_well(server, file))).collect()
}

fn files(facts: &Facts) -> Vec<Finding> {
    let readable: Vec<&Inspection> = facts.images.iter().filter_map(|(_, found)| found.as_ref().ok()).collect();
    let mut findings: Vec<Finding> = facts.images.iter().flat_map(image).collect();
    if !readable.is_empty() {
        findings.insert(0, say::images_readable(readable.len()));
    }
    findings.extend(around::files(&facts.around));
    findings.extend(memory(&readable));
    if readable.len() == facts.images.len() {
        findings.extend(menu(facts, &readable));
    }
    findings.extend(answers(facts));
    findings.extend(folder(facts));
    findings
}

fn image((path, found): &(PathBuf, Result<Inspection, Arc<DiscError>>)) -> Vec<Finding> {
    match found {
        Err(error) => vec![explain_disc(error).remedy(Remedy::RemoveImage(path.clone()))],
        Ok(found) if found.entries.is_empty() => vec![say::no_entries_in(path, &found.warnings)],
        Ok(found) => found.warnings.iter().map(|warning| say::image_warning(path, warning)).collect(),
    }
}

fn memory(readable: &[&Inspection]) -> Option<Finding> {
    let need = |found: &&Inspection| {
        let most = found.entries.iter().filter_map(|entry| entry.min_ram_mb).max()?;
        Some((most, found.title()))
    };
    readable.iter().filter_map(need).max_by_key(|(most, _)| *most).map(|(most, title)| say::memory(&title, most))
}

/// The menu of these images, all of which can be read.
fn menu(facts: &Facts, readable: &[&Inspection]) -> Vec<Finding> {
    let Ok(plan) = &facts.plan else {
        return facts.images.is_empty().then(say::empty_menu).into_iter().collect();
    };
    let inspections: Vec<Inspection> = readable.iter().map(|&found| found.clone()).collect();
    let menu = plan.menu(&inspections);
    // Images that have nothing are told one by one.
    let told = !readable.is_empty() && readable.iter().all(|found| found.entries.is_empty());
    let empty = (menu.items.is_empty() && !told).then(say::empty_menu);
    let wanted = menu.missing_default();
    let locked = menu.locked_default().map(|item| super::locked_default(&item.entry.title));
    empty.into_iter().chain(wanted.map(|wanted| say::no_default(&wanted))).chain(locked).collect()
}

fn folder(facts: &Facts) -> Option<Finding> {
    match &facts.files {
        Err((folder, reason)) => Some(say::folder_gone(folder, reason)),
        Ok(()) => facts.plan.as_ref().ok()?.files.as_deref().map(say::folder_published),
    }
}

#[cfg(test)]
mod tests;
