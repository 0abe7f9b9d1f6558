//! The ladder at work: DHCP asks it, TFTP and HTTP tell it what was fetched, and what it learns is kept on disk.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::events::Events;
use super::gate::Gate;
use super::kept::{self, Store};
use crate::boot::ladder::{Change, Kept, Ladder, Refusal};
use crate::boot::loader::Way;
use crate::boot::tree::Role;
use crate::boot::{Answer, Machine, Offer, Stage, choose};
use crate::deployment::{DhcpPlan, Plan};
use crate::dhcp::{NoBoot, Policy, pxe};
use crate::journal::{Note, What};
use crate::mac::Mac;
use crate::{http, tftp};

/// For how long a computer may take to restart; a server's self-test takes minutes.
const RESTARTS: Duration = Duration::from_secs(600);

/// Most computers that restart so at once.
const MAX_CHOSEN: usize = 4096;

/// What an earlier run kept of computers and loaders; nothing where there is no such file.
///
/// # Errors
/// The file cannot be read or written, or is not understood.
pub fn remembered(file: &Path) -> io::Result<Kept> {
    kept::read(file)
}

/// Forgets these, where no services run that would know of it. Returns what is left.
///
/// # Errors
/// The file cannot be read or written.
pub fn forget_remembered(file: &Path, macs: &BTreeSet<Mac>) -> io::Result<Kept> {
    kept::apply(file, macs.iter().map(|&mac| Change { mac, known: Vec::new() }))
}

impl kept::Shared for Kept {
    type Change = Change;

    fn apply(&mut self, change: &Change) {
        Kept::apply(self, change);
    }
}

/// What decides which loader each computer gets.
#[derive(Debug)]
pub(super) struct Rungs {
    offer: Offer,
    /// What strangers are offered: a whole image is nothing for them.
    loaders_alone: Offer,
    gate: Arc<Gate>,
    ladder: Mutex<Ladder>,
    /// Computers that restart for an entry which starts through its image's own shim.
    chosen: Mutex<HashMap<Mac, Chosen>>,
    /// What is to be told once the answer that it belongs to is out.
    untold: Mutex<Vec<(Mac, Note)>>,
    store: Store<Kept>,
    events: Events,
}

/// An entry that a computer restarts for: GRUB holds the network card, so another shim finds no way to the network, and has
/// to come from the firmware.
#[derive(Debug)]
struct Chosen {
    entry: String,
    shim: String,
    since: Instant,
    /// Whether it has the shim, so that the next boot is an ordinary one.
    fetched: bool,
}

/// What an earlier run kept.
#[derive(Debug)]
pub(super) struct Prepared {
    kept: Kept,
    file: Option<PathBuf>,
    /// Where an unreadable file was put.
    pub(super) set_aside: Option<PathBuf>,
}

impl Prepared {
    /// The same without touching the file, which is taken for empty where it cannot be read.
    pub(super) fn looked_at(file: &Path) -> Prepared {
        Prepared { kept: kept::read(file).unwrap_or_default(), file: None, set_aside: None }
    }

    /// Reads it. May wait for a disk.
    pub(super) fn from(file: PathBuf) -> io::Result<Prepared> {
        let (kept, set_aside) = kept::open::<Kept>(&file)?;
        Ok(Prepared { kept, file: Some(file), set_aside })
    }
}

impl Rungs {
    pub(super) fn new(prepared: Prepared, plan: &Plan, offer: Offer, gate: Arc<Gate>, events: Events) -> Rungs {
        let ladder = Mutex::new(Ladder::new(plan.preference, plan.dhcp == DhcpPlan::Proxy, prepared.kept));
        let loaders_alone = Offer { disc: None, ..offer.clone() };
        Rungs {
            offer,
            loaders_alone,
            gate,
            ladder,
            chosen: Mutex::default(),
            untold: Mutex::default(),
            store: Store::new(prepared.file),
            events,
        }
    }

    /// What there is to give.
    pub(super) fn offer(&self) -> &Offer {
        &self.offer
    }

    /// A copy for a rehearsal, which starts with what is known now and keeps nothing.
    pub(super) fn double(&self, gate: Arc<Gate>, events: Events) -> Rungs {
        let ladder = self.ladder.lock().map(|ladder| ladder.clone()).unwrap_or_default();
        Rungs {
            offer: self.offer.clone(),
            loaders_alone: self.loaders_alone.clone(),
            gate,
            ladder: Mutex::new(ladder),
            chosen: Mutex::default(),
            untold: Mutex::default(),
            store: Store::new(None),
            events,
        }
    }

    /// What there is to tell of the answers that were asked for since the last time.
    pub(super) fn untold(&self) -> Vec<(Mac, Note)> {
        self.untold.lock().map(|mut untold| std::mem::take(&mut *untold)).unwrap_or_default()
    }

    /// A computer restarts for an entry, and is to get this shim then.
    pub(super) fn choose(&self, mac: Mac, entry: &str, shim: String) {
        let Ok(mut chosen) = self.chosen.lock() else { return };
        chosen.retain(|_, chosen| chosen.since.elapsed() < RESTARTS);
        if chosen.len() >= MAX_CHOSEN {
            let oldest = chosen.iter().min_by_key(|(_, chosen)| chosen.since).map(|(&mac, _)| mac);
            oldest.and_then(|mac| chosen.remove(&mac));
        }
        chosen.insert(mac, Chosen { entry: entry.to_owned(), shim, since: Instant::now(), fetched: false });
    }

    /// The entry that a computer has restarted for, once it has its shim and where its GRUB may be what asks for this path.
    pub(super) fn chosen(&self, mac: Mac, path: &str) -> Option<String> {
        let chosen = self.chosen.lock().ok()?;
        let chosen = chosen.get(&mac).filter(|chosen| chosen.fetched && chosen.since.elapsed() < RESTARTS)?;
        let own = chosen.shim.rsplit_once('/').map_or("", |(folder, _)| folder);
        (!path.starts_with("image/") || path.starts_with(own)).then(|| chosen.entry.clone())
    }

    /// What a computer that restarted is to boot; once.
    fn restarted(&self, mac: Mac, stage: Stage) -> Option<pxe::Boot> {
        let mut all = self.chosen.lock().ok()?;
        let chosen = all.get(&mac)?;
        if chosen.fetched || chosen.since.elapsed() >= RESTARTS {
            all.remove(&mac);
            return None;
        }
        if stage != Stage::Pxe {
            all.remove(&mac);
            return None;
        }
        let why = format!("it restarted for {}, which its image's own shim starts", chosen.entry);
        Some(pxe::Boot { file: chosen.shim.clone(), why })
    }

    /// Looks whether a transfer brought a loader, or a script that a loader asks for.
    pub(super) fn heard(self: &Arc<Self>, mac: Mac, role: Option<Role>, what: &What) {
        if let (What::Tftp(tftp::Note::Done { file, .. }), Ok(mut chosen)) = (what, self.chosen.lock())
            && let Some(chosen) = chosen.get_mut(&mac).filter(|chosen| chosen.shim == file.trim_start_matches('/'))
        {
            chosen.fetched = true;
        }
        let Ok(mut ladder) = self.ladder.lock() else { return };
        let file = match what {
            What::Tftp(tftp::Note::Done { file, .. }) | What::Http(http::Note::Done { file, .. }) => file,
            // That it went silent is our own remark.
            What::Tftp(tftp::Note::TimedOut { .. }) => return,
            _ => return ladder.heard(Instant::now(), mac),
        };
        match role {
            Some(Role::Loader) => ladder.fetched(Instant::now(), mac, file),
            Some(Role::Script | Role::Page) if ladder.got_on(mac, &self.offer.loaders) => self.save(ladder.change(mac)),
            _ => {}
        }
    }

    /// What a shim of iPXE's means by `ipxe.efi` at the root: it asks for that where its firmware does not tell it the name
    /// of its own boot file (ipxe/ipxe issue 1684).
    pub(super) fn second_stage(&self, mac: Mac) -> Option<&'static str> {
        let (way, platform) = self.ladder.lock().ok()?.under_way(mac)?;
        (way == Way::SignedIpxe).then(|| way.chain(platform).get(1).map(|loader| loader.file())).flatten()
    }

    /// The computers whose loader has been silent for too long.
    pub(super) fn silent(&self) -> Vec<(Mac, Note)> {
        let silent = self.ladder.lock().map(|mut ladder| ladder.silent(Instant::now())).unwrap_or_default();
        silent.into_iter().map(|(mac, refusal)| (mac, note(&refusal))).collect()
    }

    /// Lets a computer begin at the first rung again.
    pub(super) fn forget(self: &Arc<Self>, mac: Mac) {
        let Ok(mut ladder) = self.ladder.lock() else { return };
        if ladder.forget(mac, &self.offer.loaders) {
            self.save(ladder.change(mac));
        }
    }

    /// While the ladder is locked, so that changes are written in their order.
    fn save(self: &Arc<Self>, change: Change) {
        if !self.store.note(change) {
            return;
        }
        let rungs = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            let mine = || rungs.ladder.lock().map(|ladder| ladder.kept()).unwrap_or_default();
            if let Err((file, error)) = rungs.store.write(mine, |kept| rungs.adopt(kept)) {
                let (path, reason) = (file.display().to_string(), error.to_string());
                rungs.events.service(Note::LadderNotSaved { path, reason });
            }
        });
    }

    fn adopt(&self, kept: Kept) {
        if let Ok(mut ladder) = self.ladder.lock() {
            ladder.adopt(self.store.on_top(kept));
        }
    }

    fn decide(self: &Arc<Self>, client: &pxe::Client) -> Result<Answer, NoBoot> {
        let machine = Machine::of(client).ok_or(NoBoot::NotAsked)?;
        let admitted = self.gate.admits(Some(client.mac));
        if let Some(boot) = self.restarted(client.mac, machine.stage).filter(|_| admitted) {
            return Ok(Answer::Loader(boot));
        }
        let Ok(mut ladder) = self.ladder.lock() else { return Err(NoBoot::NotAsked) };
        if machine.stage == Stage::Ipxe && ladder.got_on(client.mac, &self.offer.loaders) {
            self.save(ladder.change(client.mac));
        }
        let (standing, refusal) = ladder.ask(Instant::now(), client, &machine, &self.offer.loaders);
        if let (Some(refusal), Ok(mut untold)) = (refusal, self.untold.lock()) {
            untold.push((client.mac, note(&refusal)));
        }
        Ok(choose(&machine, &standing, if admitted { &self.offer } else { &self.loaders_alone }))
    }
}

fn note(refusal: &Refusal) -> Note {
    Note::LoaderRefused { file: refusal.file.to_owned(), reason: refusal.in_words() }
}

impl Policy for Arc<Rungs> {
    fn boot(&self, client: &pxe::Client) -> Result<pxe::Boot, NoBoot> {
        match self.decide(client)? {
            Answer::Loader(boot) | Answer::HttpLoader(boot) | Answer::Menu(boot) => Ok(boot),
            Answer::Nothing(reason) => Err(NoBoot::Because(reason)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddrV4};

    use super::*;
    use crate::boot::approval::Which;
    use crate::boot::loader::{Loader, Loaders};
    use crate::dhcp::Guests;
    use crate::dhcp::pxe::{Class, Client};
    use crate::engine::{events, gate};

    const CONFIG: &str = "grub/grub.cfg";
    const SHIM: &str = "image/fedora/EFI/BOOT/BOOTX64.EFI";

    fn rungs(folder: &Path) -> Arc<Rungs> {
        rungs_for(folder, Guests::default())
    }

    fn rungs_for(folder: &Path, guests: Guests) -> Arc<Rungs> {
        let loaders = Loaders::of([Loader::SnponlyX64]);
        let offer = Offer {
            http: SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 1), 80),
            loaders,
            disc: Some("image/x.iso".into()),
        };
        let prepared = Prepared::from(folder.join("loaders.json")).unwrap();
        let ladder = Mutex::new(Ladder::new(Default::default(), false, prepared.kept));
        let (chosen, untold, store) = (Mutex::default(), Mutex::default(), Store::new(prepared.file));
        let events = events::channel().0;
        let approval = gate::Prepared::from(folder.join("approved.json")).unwrap();
        let gate = Arc::new(Gate::new(approval, guests, events.clone()));
        let loaders_alone = Offer { disc: None, ..offer.clone() };
        Arc::new(Rungs { offer, loaders_alone, gate, ladder, chosen, untold, store, events })
    }

    fn asks(rungs: &Arc<Rungs>, mac: &str) -> String {
        let architectures = vec![7];
        let (vendor_class, user_class, uuid, ipxe) = (None, None, None, None);
        let mac = mac.parse().unwrap();
        let client = Client { mac, class: Some(Class::Pxe), vendor_class, user_class, architectures, uuid, ipxe };
        rungs.boot(&client).unwrap().file
    }

    fn has(rungs: &Arc<Rungs>, mac: &str, file: &str) {
        let done = tftp::Note::Done { file: file.into(), bytes: 1, millis: 1, resent: 0 };
        rungs.heard(mac.parse().unwrap(), Some(Role::Content), &What::Tftp(done));
    }

    #[test]
    fn an_entry_with_its_own_shim_gets_it_at_one_restart() {
        let folder = tempfile::tempdir().unwrap();
        let (rungs, one, other) = (rungs(folder.path()), "52:54:00:77:01:01", "52:54:00:77:01:02");
        let mac: Mac = one.parse().unwrap();
        assert_eq!(asks(&rungs, one), "snponly.efi");
        rungs.choose(mac, "fedora", SHIM.to_owned());
        assert_eq!((asks(&rungs, one).as_str(), asks(&rungs, other).as_str()), (SHIM, "snponly.efi"));
        assert_eq!(
            (asks(&rungs, one).as_str(), rungs.chosen(mac, CONFIG)),
            (SHIM, None),
            "it asks twice, and has no shim yet"
        );
        has(&rungs, other, SHIM);
        assert_eq!(rungs.chosen(mac, CONFIG), None, "that was another computer");
        has(&rungs, one, &format!("/{SHIM}"));
        assert_eq!(rungs.chosen(mac, CONFIG).as_deref(), Some("fedora"), "its GRUB asks for a script");
        assert!(rungs.chosen(mac, "image/fedora/EFI/BOOT/grub.cfg").is_some());
        assert!(rungs.chosen(mac, "image/fedora/boot/grub/grub.cfg").is_none(), "a file of the image, for its system");
        assert_eq!(
            (asks(&rungs, one).as_str(), rungs.chosen(mac, CONFIG)),
            ("snponly.efi", None),
            "the next boot is as always"
        );
    }

    #[test]
    fn a_stranger_gets_a_loader_and_never_a_whole_image() {
        let folder = tempfile::tempdir().unwrap();
        let guests = Guests { ask: true, ..Guests::default() };
        let (rungs, mac) = (rungs_for(folder.path(), guests), "52:54:00:77:01:01");
        let asks_by_http = || {
            let (vendor_class, user_class, uuid, ipxe) = (None, None, None, None);
            let (class, architectures) = (Some(Class::Http), vec![16]);
            let client =
                Client { mac: mac.parse().unwrap(), class, vendor_class, user_class, architectures, uuid, ipxe };
            rungs.boot(&client).unwrap().file
        };
        assert_eq!(asks_by_http(), "http://10.77.0.1/snponly.efi");
        // It restarts for an entry that it chose while it was approved.
        rungs.choose(mac.parse().unwrap(), "fedora", SHIM.to_owned());
        assert_eq!(asks(&rungs, mac), "snponly.efi");
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let _inside = runtime.enter();
        rungs.gate.decide(Which::Mac(mac.parse().unwrap()), true).unwrap();
        rungs.choose(mac.parse().unwrap(), "fedora", SHIM.to_owned());
        assert_eq!(asks(&rungs, mac), SHIM);
        assert_eq!(asks_by_http(), "http://10.77.0.1/image/x.iso");
    }
}
