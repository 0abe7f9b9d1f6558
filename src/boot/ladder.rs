//! The ladder: which way each computer takes from firmware to menu, which ones it refused, and what is remembered of it.
//!
//! Nothing in DHCP tells that Secure Boot is on (CONFORMANCE Q27). So a computer that fetched its loader whole and comes
//! back as bare firmware, without having asked for anything in between, is taken to have refused it, and gets the next
//! way. No sockets and no clock: who uses it brings the time.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::loader::{Begins, Loaders, Preference, Way};
use super::{Machine, Platform, Stage};
use crate::dhcp::pxe;
use crate::mac::Mac;

/// The file of the state folder that keeps it.
pub const FILE: &str = "loaders.json";

/// A computer that comes back later than this after its loader was fetched may have been switched off by hand.
const RETURNS: Duration = Duration::from_secs(120);
/// After this time without a question a loader is taken not to run. Slow emulation has asked again within 10 s.
pub const SILENCE: Duration = Duration::from_secs(15);
/// For how long refusals count of a computer that has not got on by any way: its owner may have changed its settings.
const REFUSALS_COUNT: Duration = Duration::from_secs(1800);
/// Most computers that are remembered; the one that got on longest ago goes first.
const MAX_KNOWN: usize = 4096;
/// Most computers that are watched at once; made-up addresses are not to fill the memory.
const MAX_WATCHED: usize = 4096;

/// A computer: its card and its SMBIOS UUID together, since USB cards wander between computers (CONFORMANCE Q23).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Its card.
    pub mac: Mac,
    /// Its SMBIOS UUID, where its firmware tells one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uuid: Option<String>,
}

/// What is remembered of a computer that does not take the usual way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The computer.
    #[serde(flatten)]
    pub key: Key,
    /// Its firmware.
    pub platform: Platform,
    /// The ways that it refused.
    pub refused: Vec<Way>,
    /// The way by which it got to its menu.
    pub works: Way,
}

/// What is kept from one run to the next, the computer that got on last at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Computers that do not take the usual way.
    pub computers: Vec<Known>,
}

/// What changes in it: all that is known of one card. Services that share a state folder write changes alone, so that none
/// undoes what another wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The card.
    pub mac: Mac,
    /// What is known of its computers now.
    pub known: Vec<Known>,
}

impl Kept {
    /// Makes a change. The computer is the one that got on last then.
    pub fn apply(&mut self, change: &Change) {
        self.computers.retain(|known| known.key.mac != change.mac);
        self.computers.extend(change.known.iter().cloned());
        let over = self.computers.len().saturating_sub(MAX_KNOWN);
        self.computers.drain(..over);
    }
}

/// The way that a computer is given, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The way; none where all loaders for it are missing.
    pub way: Option<Way>,
    /// Why this one.
    pub why: Why,
}

/// Why a computer gets a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is the first one for its platform.
    Usual,
    /// It refused this one.
    Refused(Way),
    /// It refused every way that there is, and begins again.
    Again,
    /// It worked for this computer before.
    Worked,
    /// It worked for another computer with a card of the same maker and the same firmware, which is all of a model that
    /// shows before anything runs.
    Model,
}

/// A loader that was fetched and did not get on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The last file that was fetched of it.
    pub file: &'static str,
    /// The way that it belongs to.
    pub way: Way,
    /// The firmware.
    pub platform: Platform,
    /// What the computer is given instead, once it has come back.
    pub next: Option<Way>,
}

impl Refusal {
    /// What it means, as a sentence that goes on after the loader's name.
    pub fn in_words(&self) -> String {
        let uefi = self.platform != Platform::Bios;
        let means = match (uefi, self.way.is_signed()) {
            (true, false) => "signature refused? With Secure Boot on, firmware starts signed loaders only",
            (true, true) => "signature refused? The file may be damaged, or its signature not trusted by this firmware",
            (false, _) => "it does not run on this computer, or finds no network there",
        };
        match self.next {
            None => format!("was fetched whole, and nothing was asked for since: {means}"),
            Some(next) if next == self.way => {
                format!(
                    "was fetched whole and did not start: {means}. There is no other way; it gets the same once more"
                )
            }
            Some(next) => format!("was fetched whole and did not start: {means}. It gets {} now", next.name()),
        }
    }
}

/// A computer between the answer that names a loader and its menu.
#[derive(Clone, Debug)]
struct Trial {
    key: Key,
    platform: Platform,
    way: Way,
    by_http: bool,
    /// The last file of the way that it has whole, and when it was heard last since.
    fetched: Option<(&'static str, Instant)>,
    /// Whether its silence was told.
    told: bool,
    asked: Instant,
}

/// The refusals of a computer that has not got on by any way yet.
#[derive(Clone, Debug)]
struct Climb {
    refused: Vec<Way>,
    /// Whether it fetched what it refused by HTTP Boot. Firmware that tries HTTP after PXE is not to be led from one to
    /// the other.
    by_http: bool,
    last: Instant,
}

/// The ladder of all computers.
#[derive(Clone, Debug, Default)]
pub struct Ladder {
    preference: Preference,
    /// Whether another server gives the addresses.
    beside: bool,
    known: Vec<Known>,
    trials: HashMap<Mac, Trial>,
    climbs: BTreeMap<Key, Climb>,
}

impl Ladder {
    /// A ladder with what was kept of an earlier run.
    pub fn new(preference: Preference, beside: bool, kept: Kept) -> Ladder {
        Ladder { preference, beside, known: kept.computers, ..Ladder::default() }
    }

    /// What to keep for the next run.
    pub fn kept(&self) -> Kept {
        Kept { computers: self.known.clone() }
    }

    /// What is known of one card now, to keep it.
    pub fn change(&self, mac: Mac) -> Change {
        Change { mac, known: self.known.iter().filter(|known| known.key.mac == mac).cloned().collect() }
    }

    /// Takes over what is kept now, by whichever services. Of a computer that is climbing nothing counts that worked before.
    pub fn adopt(&mut self, kept: Kept) {
        let climbs = &self.climbs;
        self.known = kept.computers.into_iter().filter(|known| !climbs.contains_key(&known.key)).collect();
    }

    /// Bare firmware asks for a loader: the way that it gets, and the refusal that its coming back means. Asked again
    /// before it fetches anything, it gets the same answer.
    pub fn ask(
        &mut self,
        now: Instant,
        client: &pxe::Client,
        machine: &Machine,
        loaders: &Loaders,
    ) -> (Standing, Option<Refusal>) {
        let none = (Standing { way: None, why: Why::Usual }, None);
        let Some(platform) = machine.platform.filter(|_| machine.stage != Stage::Ipxe) else { return none };
        let key = Key { mac: client.mac, uuid: client.uuid.clone() };
        let asks_by_http = machine.stage == Stage::Http;
        let came_back = self.trials.remove(&client.mac).filter(|trial| trial.key == key && trial.platform == platform);
        let refused = came_back.and_then(|trial| {
            let (file, since) = trial.fetched?;
            // One whose silence was told did not run, however late it comes back.
            let soon = now.saturating_duration_since(since) <= RETURNS;
            (soon || trial.told).then_some((file, trial.way, trial.by_http))
        });
        if let Some((_, way, by_http)) = refused {
            self.climb(now, &key, way, by_http);
        }
        let standing = self.standing(now, &key, platform, asks_by_http, loaders);
        if let Some(way) = standing.way {
            let trial = Trial { key, platform, way, by_http: asks_by_http, fetched: None, told: false, asked: now };
            self.watch(client.mac, trial);
        }
        let refusal = refused.map(|(file, way, _)| Refusal { file, way, platform, next: standing.way });
        (standing, refusal)
    }

    fn climb(&mut self, now: Instant, key: &Key, way: Way, by_http: bool) {
        // What worked does so no more: Secure Boot was switched on since, for example. What it refused it still refuses.
        let own = self.known.iter().position(|known| known.key == *key);
        let before = own.map(|at| self.known.remove(at).refused).unwrap_or_default();
        self.climbs.retain(|_, climb| now.saturating_duration_since(climb.last) < REFUSALS_COUNT);
        if self.climbs.len() >= MAX_WATCHED && !self.climbs.contains_key(key) {
            let oldest = self.climbs.iter().min_by_key(|(_, climb)| climb.last).map(|(key, _)| key.clone());
            oldest.and_then(|key| self.climbs.remove(&key));
        }
        let climb = self.climbs.entry(key.clone()).or_insert(Climb { refused: before, by_http, last: now });
        climb.last = now;
        climb.refused.retain(|refused| *refused != way);
        climb.refused.push(way);
    }

    fn ways(&self, platform: Platform, loaders: &Loaders, by_http: bool) -> Vec<Way> {
        self.preference.ways(platform, loaders, Begins { beside: self.beside, by_http })
    }

    fn standing(
        &mut self,
        now: Instant,
        key: &Key,
        platform: Platform,
        asks_by_http: bool,
        loaders: &Loaders,
    ) -> Standing {
        let begins = |way: &&Way| if asks_by_http { way.works_by_http() } else { way.works_by_pxe() };
        let climb = self.climbs.get(key).filter(|climb| now.saturating_duration_since(climb.last) < REFUSALS_COUNT);
        if let Some(Climb { refused, by_http, .. }) = climb {
            // Firmware that turns to HTTP after PXE is told what comes next by PXE, rather than led to what it would refuse.
            let turned = asks_by_http && !by_http;
            let ways = self.ways(platform, loaders, asks_by_http && *by_http);
            let mut left = ways.iter().filter(|way| !refused.contains(way));
            let next = left.clone().next();
            let next = if turned { next } else { left.find(begins).or(next) };
            if let (Some(way), Some(refused)) = (next, refused.last()) {
                return Standing { way: Some(*way), why: Why::Refused(*refused) };
            }
            self.climbs.remove(key);
            return Standing { way: ways.first().copied(), why: Why::Again };
        }
        let ways = self.ways(platform, loaders, asks_by_http);
        let usual = Standing { way: ways.iter().find(begins).or(ways.first()).copied(), why: Why::Usual };
        if let Some(known) = self.known.iter().rev().find(|known| known.key == *key && known.platform == platform) {
            if ways.contains(&known.works) && begins(&&known.works) {
                return Standing { way: Some(known.works), why: Why::Worked };
            }
            // What worked before cannot begin like this: the next that it has not refused.
            let mut left = ways.iter().filter(|way| !known.refused.contains(way));
            let next = left.clone().find(begins).or_else(|| left.next());
            let refused = known.refused.last().copied();
            return match (next, refused) {
                (Some(way), Some(refused)) => Standing { way: Some(*way), why: Why::Refused(refused) },
                _ => usual,
            };
        }
        let taught = self.taught(key, platform).filter(|way| ways.contains(way) && begins(&way));
        taught.map_or(usual, |way| Standing { way: Some(way), why: Why::Model })
    }

    /// What worked last for another computer with a card of the same maker and the same firmware, which had refused
    /// something before: one that only followed others teaches nobody.
    fn taught(&self, key: &Key, platform: Platform) -> Option<Way> {
        let teaches = |known: &&Known| {
            let other = known.key != *key && known.platform == platform;
            other && !known.refused.is_empty() && same_maker(known.key.mac, key.mac)
        };
        self.known.iter().rev().find(teaches).map(|known| known.works)
    }

    fn watch(&mut self, mac: Mac, trial: Trial) {
        if self.trials.len() >= MAX_WATCHED && !self.trials.contains_key(&mac) {
            let oldest = self.trials.iter().min_by_key(|(_, trial)| trial.asked).map(|(&mac, _)| mac);
            oldest.and_then(|mac| self.trials.remove(&mac));
        }
        self.trials.insert(mac, trial);
    }

    /// A computer has a loader whole, by its name in the tree.
    pub fn fetched(&mut self, now: Instant, mac: Mac, file: &str) {
        let Some(trial) = self.trials.get_mut(&mac) else { return };
        let file = file.trim_start_matches('/');
        let mut files = trial.way.files(trial.platform).into_iter();
        if let Some(file) = files.find(|own| own.eq_ignore_ascii_case(file)) {
            trial.fetched = Some((file, now));
            trial.told = false;
        }
    }

    /// A computer asks for something, or gets on with a file: whatever it has whole runs.
    pub fn heard(&mut self, now: Instant, mac: Mac) {
        if let Some((_, since)) = self.trials.get_mut(&mac).and_then(|trial| trial.fetched.as_mut()) {
            *since = now;
        }
        if let Some(trial) = self.trials.get_mut(&mac) {
            trial.told = false;
        }
    }

    /// A computer's loader runs: it asks for its script. Returns whether what is kept has changed.
    pub fn got_on(&mut self, mac: Mac, loaders: &Loaders) -> bool {
        // Without a loader of ours it is its own, which says nothing of ours.
        let Some(trial) = self.trials.remove(&mac).filter(|trial| trial.fetched.is_some()) else { return false };
        let refused = self.climbs.remove(&trial.key).map(|climb| climb.refused).unwrap_or_default();
        let usual = self.ways(trial.platform, loaders, trial.by_http).first() == Some(&trial.way);
        let at = self.known.iter().position(|known| known.key == trial.key && known.platform == trial.platform);
        let before = at.map(|at| self.known.remove(at));
        // Who takes the usual way is worth a word only where others of its make do not.
        if usual && refused.is_empty() && self.taught(&trial.key, trial.platform).is_none() {
            return before.is_some();
        }
        let refused = match &before {
            Some(before) if refused.is_empty() => before.refused.clone(),
            _ => refused,
        };
        let known = Known { key: trial.key, platform: trial.platform, refused, works: trial.way };
        let changed = before.as_ref() != Some(&known);
        if self.known.len() >= MAX_KNOWN {
            self.known.remove(0);
        }
        self.known.push(known);
        changed
    }

    /// The way that a computer was given and has not got on by yet.
    pub fn under_way(&self, mac: Mac) -> Option<(Way, Platform)> {
        self.trials.get(&mac).map(|trial| (trial.way, trial.platform))
    }

    /// The computers whose loader has been silent for too long, each told once.
    pub fn silent(&mut self, now: Instant) -> Vec<(Mac, Refusal)> {
        let mut silent = Vec::new();
        for (&mac, trial) in &mut self.trials {
            let Some((file, since)) = trial.fetched.filter(|_| !trial.told) else { continue };
            if now.saturating_duration_since(since) >= SILENCE {
                trial.told = true;
                silent.push((mac, Refusal { file, way: trial.way, platform: trial.platform, next: None }));
            }
        }
        silent
    }

    /// Forgets what a computer refused and what worked for it: it begins with the usual way, whatever others of its make
    /// take. Returns whether what is kept has changed.
    pub fn forget(&mut self, mac: Mac, loaders: &Loaders) -> bool {
        let trial = self.trials.remove(&mac).map(|trial| (trial.key, trial.platform));
        self.climbs.retain(|key, _| key.mac != mac);
        let own = self.known.iter().rev().find(|known| known.key.mac == mac);
        let own = own.map(|known| (known.key.clone(), known.platform)).or(trial);
        let before = self.known.len();
        self.known.retain(|known| known.key.mac != mac);
        let mut changed = self.known.len() != before;
        if let Some((key, platform)) = own.filter(|(key, platform)| self.taught(key, *platform).is_some())
            && let Some(works) = self.ways(platform, loaders, false).first().copied()
        {
            self.known.push(Known { key, platform, refused: Vec::new(), works });
            changed = true;
        }
        changed
    }
}

/// Whether two cards have the same maker (the first half of their addresses, IEEE 802 "OUI"). Addresses that were made
/// up locally, as virtual machines have them, say nothing of a maker.
fn same_maker(one: Mac, other: Mac) -> bool {
    const LOCAL: u8 = 0x02;
    let ([a, b, c, ..], [d, e, f, ..]) = (one.0, other.0);
    a & LOCAL == 0 && [a, b, c] == [d, e, f]
}

#[cfg(test)]
mod tests {
    use super::super::loader::Loader;
    use super::*;
    use crate::dhcp::pxe::{Class, Client, Ipxe};

    const CARD: &str = "52:54:00:77:01:01";

    fn client(mac: &str, class: Class) -> Client {
        let architectures = vec![if class == Class::Http { 16 } else { 7 }];
        let (vendor_class, user_class, uuid) = (None, None, Some("u".to_owned()));
        Client {
            mac: mac.parse().unwrap(),
            class: Some(class),
            vendor_class,
            user_class,
            architectures,
            uuid,
            ipxe: None,
        }
    }

    fn debian() -> Loaders {
        use Loader::{GrubX64, IpxeX64, ShimX64, SnponlyX64};
        Loaders::of([SnponlyX64, IpxeX64, ShimX64, GrubX64, Loader::Undionly, Loader::IpxePxe])
    }

    /// A computer and a server, and how late it is.
    struct Bench {
        ladder: Ladder,
        now: Instant,
        mac: &'static str,
    }

    impl Bench {
        fn new(preference: Preference) -> Bench {
            Bench { ladder: Ladder::new(preference, false, Kept::default()), now: Instant::now(), mac: CARD }
        }

        fn asks(&mut self, class: Class) -> (Standing, Option<Refusal>) {
            let client = client(self.mac, class);
            let machine = Machine::of(&client).unwrap();
            self.ladder.ask(self.now, &client, &machine, &debian())
        }

        fn way(&mut self) -> Option<Way> {
            self.asks(Class::Pxe).0.way
        }

        fn fetches(&mut self, file: &str) {
            self.now += Duration::from_secs(2);
            self.ladder.fetched(self.now, self.mac.parse().unwrap(), file);
        }

        fn gets_on(&mut self) -> bool {
            self.ladder.got_on(self.mac.parse().unwrap(), &debian())
        }

        fn after(&mut self, seconds: u64) -> &mut Bench {
            self.now += Duration::from_secs(seconds);
            self
        }
    }

    #[test]
    fn what_refuses_the_unsigned_loader_gets_the_signed_one_and_keeps_it() {
        let mut bench = Bench::new(Preference::Auto);
        assert_eq!(bench.asks(Class::Pxe).0, Standing { way: Some(Way::Ipxe), why: Why::Usual });
        bench.fetches("snponly.efi");
        // OVMF tries HTTP Boot 44 ms after it refused the loader.
        let (standing, refusal) = bench.asks(Class::Http);
        assert_eq!(standing, Standing { way: Some(Way::SignedGrub), why: Why::Refused(Way::Ipxe) });
        let expected =
            Refusal { file: "snponly.efi", way: Way::Ipxe, platform: Platform::EfiX64, next: Some(Way::SignedGrub) };
        assert_eq!(refusal, Some(expected));
        // It asks again, and is asked nothing more.
        assert_eq!(bench.after(4).asks(Class::Http), (standing.clone(), None));
        assert_eq!(bench.after(60).asks(Class::Pxe), (standing, None));
        bench.fetches("shimx64.efi");
        bench.fetches("/grubx64.efi");
        assert!(bench.gets_on(), "what works is kept");
        let kept = bench.ladder.kept();
        assert_eq!(kept.computers.first().map(|known| known.refused.clone()), Some(vec![Way::Ipxe]));
        let mut later = Bench { ladder: Ladder::new(Preference::Auto, false, kept), ..Bench::new(Preference::Auto) };
        assert_eq!(later.asks(Class::Pxe).0, Standing { way: Some(Way::SignedGrub), why: Why::Worked });
        later.fetches("grubx64.efi");
        assert!(!later.gets_on(), "nothing new");
        assert!(later.ladder.forget(CARD.parse().unwrap(), &debian()));
        assert_eq!(later.way(), Some(Way::Ipxe));
    }

    #[test]
    fn who_gets_on_or_fetched_nothing_or_comes_back_late_stays() {
        let mut bench = Bench::new(Preference::Auto);
        assert_eq!((bench.way(), bench.after(4).way()), (Some(Way::Ipxe), Some(Way::Ipxe)), "asks twice");
        bench.fetches("snponly.efi");
        assert!(!bench.gets_on());
        assert_eq!(bench.after(5).way(), Some(Way::Ipxe), "its menu came, then somebody reset it");
        bench.fetches("snponly.efi");
        assert_eq!(bench.after(121).way(), Some(Way::Ipxe), "switched off by hand");
        bench.fetches("snponly.efi");
        let told = bench.after(20).now;
        assert_eq!(bench.ladder.silent(told).len(), 1);
        assert_eq!(bench.after(300).way(), Some(Way::SignedGrub), "its silence was told, and somebody read a message");
        assert!(!bench.ladder.forget(CARD.parse().unwrap(), &debian()));
        assert_eq!(bench.way(), Some(Way::Ipxe));
        bench.fetches("something.efi");
        assert_eq!(bench.after(5).way(), Some(Way::Ipxe), "not a loader of this way");
    }

    #[test]
    fn the_ladder_ends_and_begins_again() {
        let mut bench = Bench::new(Preference::Auto);
        let mut seen = Vec::new();
        for file in ["snponly.efi", "grubx64.efi", "ipxe.efi", "snponly.efi"] {
            seen.push(bench.asks(Class::Pxe).0);
            bench.fetches(file);
        }
        let ways: Vec<_> = seen.iter().filter_map(|standing| standing.way).collect();
        assert_eq!(ways, [Way::Ipxe, Way::SignedGrub, Way::IpxeDrivers, Way::Ipxe]);
        assert_eq!(seen.last().map(|standing| standing.why), Some(Why::Again));
        let mut patient = Bench::new(Preference::Auto);
        patient.way();
        patient.fetches("snponly.efi");
        assert_eq!(patient.way(), Some(Way::SignedGrub));
        assert_eq!(patient.after(1801).way(), Some(Way::Ipxe), "nothing was proved, and it was long ago");
    }

    #[test]
    fn a_preference_narrows_the_ladder() {
        let ways = |preference: Preference, platform| preference.ways(platform, &debian(), Begins::default());
        assert_eq!(ways(Preference::Signed, Platform::EfiX64), [Way::SignedGrub]);
        assert_eq!(ways(Preference::Ipxe, Platform::EfiX64), [Way::Ipxe, Way::IpxeDrivers]);
        assert_eq!(ways(Preference::Signed, Platform::Bios), [Way::Ipxe, Way::IpxeDrivers]);
        assert_eq!(ways(Preference::Auto, Platform::EfiArm64), []);
        let mut bench = Bench::new(Preference::Signed);
        bench.way();
        bench.fetches("shimx64.efi");
        assert_eq!(bench.asks(Class::Pxe).0, Standing { way: Some(Way::SignedGrub), why: Why::Again });
    }

    #[test]
    fn the_signed_chain_is_a_disk_where_grub_would_not_find_us() {
        let mut only_http = Bench::new(Preference::Auto);
        assert_eq!(only_http.asks(Class::Http).0.way, Some(Way::Ipxe));
        only_http.fetches("snponly.efi");
        assert_eq!(only_http.after(30).asks(Class::Http).0.way, Some(Way::SignedDisk));
        only_http.fetches("signed-x64.img");
        assert!(only_http.gets_on());
        assert_eq!(only_http.asks(Class::Http).0, Standing { way: Some(Way::SignedDisk), why: Why::Worked });
        let mut beside = Bench::new(Preference::Auto);
        beside.ladder.beside = true;
        beside.way();
        beside.fetches("snponly.efi");
        assert_eq!(beside.asks(Class::Http).0.way, Some(Way::SignedDisk), "at once, without a reset");
        // Without HTTP Boot it is not to stand there without any loader: it may have refused the first for another reason.
        assert_eq!(beside.after(30).way(), Some(Way::IpxeDrivers));
        beside.fetches("ipxe.efi");
        assert_eq!(beside.asks(Class::Http).0.way, Some(Way::SignedDisk));
        beside.fetches("signed-x64.img");
        assert!(beside.gets_on());
        assert_eq!(beside.way(), Some(Way::SignedDisk), "all else was refused: PXE gets nothing, and it turns to HTTP");
        assert_eq!(beside.asks(Class::Http).0, Standing { way: Some(Way::SignedDisk), why: Why::Worked });
    }

    #[test]
    fn computers_of_one_make_learn_from_each_other() {
        let mut bench = Bench { mac: "a4:bb:6d:00:00:01", ..Bench::new(Preference::Auto) };
        bench.way();
        bench.fetches("snponly.efi");
        bench.way();
        bench.fetches("shimx64.efi");
        assert!(bench.gets_on());
        bench.mac = "a4:bb:6d:00:00:02";
        assert_eq!(bench.asks(Class::Pxe).0, Standing { way: Some(Way::SignedGrub), why: Why::Model });
        bench.mac = "a4:bb:6e:00:00:02";
        assert_eq!(bench.way(), Some(Way::Ipxe));
        // One of that make that does not take it keeps what works for it, and is not told wrong again.
        bench.mac = "a4:bb:6d:00:00:03";
        bench.way();
        bench.fetches("shimx64.efi");
        assert_eq!(bench.asks(Class::Pxe).0, Standing { way: Some(Way::Ipxe), why: Why::Refused(Way::SignedGrub) });
        bench.fetches("snponly.efi");
        assert!(bench.gets_on());
        assert_eq!(bench.asks(Class::Pxe).0, Standing { way: Some(Way::Ipxe), why: Why::Worked });
        bench.mac = "a4:bb:6d:00:00:01";
        assert!(bench.ladder.forget("a4:bb:6d:00:00:01".parse().unwrap(), &debian()));
        assert_eq!(bench.way(), Some(Way::Ipxe), "whatever others of its make take");
        assert!(!same_maker(CARD.parse().unwrap(), "52:54:00:77:01:02".parse().unwrap()));
    }

    #[test]
    fn silence_is_told_once() {
        let mut bench = Bench::new(Preference::Signed);
        bench.way();
        bench.fetches("shimx64.efi");
        bench.after(10).fetches("grubx64.efi");
        let now = bench.now;
        assert_eq!(bench.ladder.silent(now + SILENCE - Duration::from_millis(1)), []);
        let silent = bench.ladder.silent(now + SILENCE);
        let files: Vec<_> = silent.iter().map(|(_, refusal)| refusal.file).collect();
        assert_eq!(files, ["grubx64.efi"]);
        assert_eq!(bench.ladder.silent(now + SILENCE), []);
        let mac = CARD.parse().unwrap();
        let mut slow = Bench::new(Preference::Signed);
        slow.way();
        slow.fetches("shimx64.efi");
        slow.after(10);
        // Shim runs: it loads GRUB, which takes its time by TFTP.
        slow.ladder.heard(slow.now, mac);
        assert_eq!(slow.ladder.silent(slow.now + SILENCE / 2), []);
        assert!(bench.gets_on() || bench.ladder.silent(now + 2 * SILENCE).is_empty());
    }

    #[test]
    fn ladders_that_share_a_file_undo_nothing_of_each_other() {
        let climbs = |mac: &'static str| {
            let mut bench = Bench { mac, ..Bench::new(Preference::Auto) };
            bench.way();
            bench.fetches("snponly.efi");
            bench.after(10).way();
            bench.fetches("shimx64.efi");
            bench.fetches("grubx64.efi");
            assert!(bench.gets_on());
            bench.ladder
        };
        let (one, other) = (CARD.parse().unwrap(), "52:54:00:77:01:02".parse().unwrap());
        let (mut first, second) = (climbs(CARD), climbs("52:54:00:77:01:02"));
        let mut kept = first.kept();
        kept.apply(&second.change(other));
        kept.apply(&second.change(other));
        assert_eq!(kept.computers.iter().map(|known| known.key.mac).collect::<Vec<_>>(), [one, other]);
        first.adopt(kept.clone());
        assert_eq!(first.kept(), kept);
        first.forget(other, &debian());
        kept.apply(&first.change(other));
        assert_eq!(kept.computers.iter().map(|known| known.key.mac).collect::<Vec<_>>(), [one]);
    }

    #[test]
    fn a_card_that_wanders_is_another_computer() {
        let mut bench = Bench::new(Preference::Auto);
        bench.way();
        bench.fetches("snponly.efi");
        let other = Client { uuid: Some("other".into()), ..client(CARD, Class::Pxe) };
        let machine = Machine::of(&other).unwrap();
        let (standing, refusal) = bench.ladder.ask(bench.now, &other, &machine, &debian());
        assert_eq!((standing.way, refusal), (Some(Way::Ipxe), None));
        let ipxe = Client { ipxe: Some(Ipxe { http: true }), ..other };
        let machine = Machine::of(&ipxe).unwrap();
        assert_eq!(bench.ladder.ask(bench.now, &ipxe, &machine, &debian()).0.way, None, "iPXE needs no loader");
    }
}
