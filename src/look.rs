//! How this computer stands, gathered for [`crate::check::preflight`]: what the window's Check page and `bootwright check`
//! judge alike. It looks, asks the network, and changes nothing; no rule and no sentence lives here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::answer::{Answers, load};
use crate::boot::loader::Loaders;
use crate::boot::published::Folder;
use crate::check;
use crate::check::around::{Around, Change, Clock};
use crate::check::preflight::{self, Facts};
use crate::deployment::{DhcpMode, Firewall, Places, Settings, proposed_address};
use crate::engine::probe::{self, Probe};
use crate::image;
use crate::image::checksum::Verdict;
use crate::image::checksum::kept::Kept;
use crate::net::awake;
use crate::net::firewall::{self, Look, Passage};
use crate::net::ports::Transport;
use crate::net::survey::State;
use crate::net::{Interface, interface, platform, privilege, survey, vendor};

/// Everything that the checks judge, as it is now. Where `probe` has no answer yet, the network is asked for other DHCP
/// servers, which takes up to [`probe::PATIENCE`]. Must be called inside a tokio runtime; an error is one of ours.
pub async fn facts(places: Places, settings: Settings, probe: Option<Probe>) -> Result<Facts, String> {
    let list = blocking(interface::list).await.unwrap_or_default();
    let chosen = settings.interface.as_ref();
    let chosen = chosen.and_then(|name| list.iter().find(|found| found.is_called(name)).cloned());
    let probe = match (probe, &chosen) {
        (Some(probe), _) => probe,
        (None, Some(chosen)) => probe::other_servers(chosen, probe::PATIENCE).await,
        (None, None) => Probe::Nobody,
    };
    let wanted = settings.firewall.unwrap_or_default();
    let incoming = preflight::ports_for(settings.dhcp.unwrap_or(DhcpMode::Proxy), settings.http_port);
    let mut facts = blocking(move || gather(&places, settings, list, chosen, probe)).await?;
    facts.firewall = firewall(&facts, &incoming, wanted).await;
    Ok(facts)
}

/// What the firewall does with what comes to the ports that would be used.
async fn firewall(facts: &Facts, incoming: &[(Transport, u16)], wanted: Firewall) -> Option<(Look, Passage, Firewall)> {
    let interface = facts.interface.as_ref()?;
    let held = |transport, port| {
        facts.ports.iter().any(|it| (it.transport, it.port) == (transport, port) && it.state != State::Free)
    };
    let (mut udp, tcp): (Vec<_>, Vec<_>) = incoming.iter().partition(|(transport, _)| *transport == Transport::Udp);
    // Of two ports for files the first one that is free is used.
    udp.extend(tcp.iter().find(|(transport, port)| !held(*transport, *port)).or(tcp.first()));
    let passage = Passage::of(&interface.name, &udp);
    Some((firewall::look(&passage).await, passage, wanted))
}

/// Where loaders are looked for, the first folder first.
pub fn loader_folders(settings: &Settings, places: &Places) -> Vec<PathBuf> {
    settings.loaders.iter().chain(&places.loaders).cloned().collect()
}

fn gather(places: &Places, settings: Settings, list: Vec<Interface>, chosen: Option<Interface>, probe: Probe) -> Facts {
    let mode = settings.dhcp.unwrap_or(DhcpMode::Proxy);
    let wanted = preflight::ports_for(mode, settings.http_port);
    let own = chosen.as_ref().and_then(Interface::network).map(|network| network.addr());
    let ports =
        chosen.as_ref().zip(own).map(|(interface, own)| survey::ports(interface, own, &wanted)).unwrap_or_default();
    let rights = chosen.as_ref().zip(own).map(|(interface, own)| privilege::rights(interface, own, &wanted));
    let inspect = |path: &PathBuf| {
        let found = image::inspect(path).map(|(_, inspection)| inspection);
        (path.clone(), found.map_err(Arc::new))
    };
    let state = settings.state_dir.as_deref().unwrap_or(&places.state);
    let state_kept = writable(state);
    let cards = match &probe {
        Probe::Answered(answers) => answers.iter().filter_map(|answer| answer.mac).collect(),
        Probe::Nobody | Probe::Unable(_) => Vec::new(),
    };
    let around = Around {
        power: awake::power(),
        clock: Some(Clock { now: Timestamp::now(), is_kept: platform::clock_is_kept() }),
        room: platform::free_room(state),
        interfaces: list.clone(),
        cable: chosen.as_ref().map(|chosen| platform::cable(&chosen.name)).unwrap_or_default(),
        elsewhere: settings.image.iter().filter_map(|path| Some((path.clone(), platform::place(path)?))).collect(),
        changed: changed(&settings.image, &places.checksums()),
    };
    let published = |folder: &PathBuf| load::published(&settings.answers, folder);
    Facts {
        proposal: proposed_address(&list),
        interface: chosen,
        mode,
        ports,
        firewall: None,
        rights: rights.as_ref().map_or(check::Rights::Missing, told),
        loaders: Loaders::find(&loader_folders(&settings, places)),
        images: settings.image.iter().map(inspect).collect(),
        probe,
        published: settings.files.as_ref().map(published).unwrap_or_default(),
        answers: (!settings.answers.is_empty()).then(|| Answers::load(&settings.answers)),
        state: state_kept,
        vendors: vendor::of(cards),
        around,
        files: settings.files.as_deref().map_or(Ok(()), publishable),
        plan: settings.plan(&list, places.clone()),
    }
}

fn told(rights: &privilege::Rights) -> check::Rights {
    match rights {
        privilege::Rights::Present => check::Rights::Present,
        privilege::Rights::ByHelper => check::Rights::Asked,
        privilege::Rights::Missing(_) => check::Rights::Missing,
    }
}

/// Images whose checksum was compared once, and that are not what they were then, or not what they should have been.
fn changed(images: &[PathBuf], results: &Path) -> Vec<(PathBuf, Change)> {
    // Results that cannot be read count as none.
    let Ok(kept) = Kept::load(results) else { return Vec::new() };
    let change = |image: &PathBuf| match kept.find(image) {
        Some(outcome) => matches!(outcome.verdict(), Verdict::Differs { .. }).then_some(Change::Differs),
        None => kept.was_compared(image).then_some(Change::SinceCompared),
    };
    images.iter().filter_map(|image| Some((image.clone(), change(image)?))).collect()
}

/// Whether files can be kept in a folder, tried by keeping one.
fn writable(folder: &Path) -> Result<(), (PathBuf, String)> {
    let tried = std::fs::create_dir_all(folder).and_then(|()| {
        let file = folder.join(".writable");
        std::fs::write(&file, b"").and_then(|()| std::fs::remove_file(&file))
    });
    tried.map_err(|error| (folder.to_path_buf(), error.to_string()))
}

/// Whether a folder can be published, as the services do it.
fn publishable(folder: &Path) -> Result<(), (PathBuf, String)> {
    Folder::open(folder).map(drop).map_err(|error| (folder.to_path_buf(), error.to_string()))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())
}
