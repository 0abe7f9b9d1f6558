//! One computer: how far its boot came, what it is loading and what is wrong, folded from its events.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::time::Duration;

use jiff::Timestamp;

use super::heed::Heed;
use super::transfer::Transfers;
use super::{Event, Fault, Note, Stage, Transfer, Trouble, What, between, wording};
use crate::boot::approval::{self, Code};
use crate::boot::tree::Role;
use crate::boot::{self, Machine};
use crate::dhcp::pxe::Boot;
use crate::dhcp::{self, Question};
use crate::mac::Mac;
use crate::{http, text, tftp};

/// Most events kept of one computer.
pub(super) const MAX_HISTORY: usize = 200;
/// Longest product name and UUID kept, in characters.
const MAX_NAME: usize = 64;
/// Longest sentence and URL kept, in characters.
const MAX_TEXT: usize = 500;
/// Firmware that asks after a longer silence was switched off in between: EDK2 and iPXE ask again after 32 s at most.
const BETWEEN_BOOTS: Duration = Duration::from_secs(60);
/// A computer that is silent for so long is not in the middle of a boot any more.
pub(super) const GONE: Duration = Duration::from_secs(120);

/// One computer.
#[derive(Clone, Debug)]
pub struct Computer {
    /// Its network card.
    pub mac: Mac,
    /// Its address.
    pub ip: Option<Ipv4Addr>,
    /// What it is, as its DHCP said last.
    pub machine: Option<Machine>,
    /// Its SMBIOS UUID.
    pub uuid: Option<String>,
    /// Its product name, once it has asked for its menu.
    pub product: Option<String>,
    /// Its memory in MiB, where its iPXE has said it.
    pub memory_mb: Option<u64>,
    /// How often its firmware has begun to boot from the network. One that cannot start what it was given and tries
    /// the next way begins anew.
    pub boots: u32,
    /// When this boot began.
    pub began: Timestamp,
    /// How far it came in this boot.
    pub stage: Stage,
    /// The stages of this boot in order, and when each was reached.
    pub reached: Vec<(Stage, Timestamp)>,
    /// Bytes that it fetched in this boot.
    pub bytes: u64,
    /// When it was heard last.
    pub heard: Timestamp,
    /// What it did last, in words.
    pub last: Option<String>,
    /// The loader that its firmware was told to boot, and why that one.
    pub loader: Option<Boot>,
    /// What its events alone tell to be wrong, until it goes on. What it comes from is judged in `check`.
    pub trouble: Option<Trouble>,
    /// The code under which it waits for approval.
    code: Option<Code>,
    /// Its latest events.
    pub history: VecDeque<Event>,
    transfers: Transfers,
    /// The boot file that it was told last: its loader, and then its menu.
    offered: Option<String>,
    heed: Heed,
    /// The UUID that its DHCP said; iPXE writes some in another order of bytes.
    firmware_uuid: Option<String>,
}

impl Computer {
    pub(super) fn new(mac: Mac, now: Timestamp) -> Computer {
        Computer {
            mac,
            ip: None,
            machine: None,
            uuid: None,
            product: None,
            memory_mb: None,
            boots: 1,
            began: now,
            stage: Stage::Asked,
            reached: Vec::new(),
            bytes: 0,
            heard: now,
            last: None,
            trouble: None,
            code: None,
            history: VecDeque::new(),
            transfers: Transfers::default(),
            loader: None,
            offered: None,
            heed: Heed::default(),
            firmware_uuid: None,
        }
    }

    /// What people call it: its product, else its network card.
    pub fn name(&self) -> String {
        self.product.clone().unwrap_or_else(|| self.mac.to_string())
    }

    /// What it is loading: of several files the largest that gets on.
    pub fn transfer(&self) -> Option<&Transfer> {
        self.transfers.shown()
    }

    /// For how long nothing was heard of it.
    pub fn silent_for(&self, now: Timestamp) -> Duration {
        between(self.heard, now)
    }

    /// The code that its screen shows while it waits for approval. One that went silent does not wait any more.
    pub fn waits(&self, now: Timestamp) -> Option<Code> {
        self.code.filter(|_| self.silent_for(now) < approval::SILENT)
    }

    /// Whether it is in the middle of a boot: it was told what to boot, or its system fetches files.
    pub fn is_booting(&self, now: Timestamp) -> bool {
        let on_the_way = (Stage::Offered..=Stage::System).contains(&self.stage) || self.transfer().is_some();
        on_the_way && self.silent_for(now) <= GONE
    }

    /// Takes note of an event. Returns the stage where the event tells one.
    pub(super) fn hear(&mut self, event: &Event) -> Option<Stage> {
        if self.is_another(event) {
            (self.product, self.memory_mb) = (None, None);
            self.begin(event.time);
        } else if self.begins_anew(event) {
            self.begin(event.time);
        }
        let stage = self.stage_after(event);
        if let Some(stage) = stage {
            self.reach(stage, event.time);
        }
        self.note(event);
        stage
    }

    /// Whether an event is of another machine with the same network card: USB adapters wander (FOG PR 114 and issue 213;
    /// CONFORMANCE Q23).
    fn is_another(&self, event: &Event) -> bool {
        let What::Dhcp(dhcp::Note::Asked { client, .. }) = &event.what else { return false };
        self.firmware_uuid.as_ref().zip(client.uuid.as_ref()).is_some_and(|(known, said)| known != said)
    }

    /// Whether an event is the first of a new boot: firmware asks at the start only; an iPXE that was loaded asks once
    /// more before its menu, and one that is itself the ROM is at its start again when the menu is behind.
    fn begins_anew(&self, event: &Event) -> bool {
        let What::Dhcp(dhcp::Note::Asked { client, question: Question::Discover, .. }) = &event.what else {
            return false;
        };
        let Some(machine) = Machine::of(client) else { return false };
        match self.stage {
            Stage::Asked | Stage::Offered => between(self.heard, event.time) > BETWEEN_BOOTS,
            Stage::Loader => matches!(machine.stage, boot::Stage::Pxe | boot::Stage::Http),
            _ => true,
        }
    }

    fn begin(&mut self, now: Timestamp) {
        self.boots = self.boots.saturating_add(1);
        self.began = now;
        self.stage = Stage::Asked;
        self.reached.clear();
        self.bytes = 0;
        self.trouble = None;
        self.code = None;
        self.transfers = Transfers::default();
        self.loader = None;
        self.offered = None;
        self.heed.begin();
    }

    /// The stage after an event, where it tells one. Within a boot a computer never falls back.
    fn stage_after(&self, event: &Event) -> Option<Stage> {
        let reached = match (&event.what, event.role) {
            (What::Dhcp(dhcp::Note::Asked { client, question, .. }), _) => match Machine::of(client) {
                Some(_) if *question == Question::Discover => Stage::Asked,
                None if self.stage >= Stage::Kernel => Stage::HandedOver,
                _ => return None,
            },
            (What::Dhcp(dhcp::Note::Offered { boot: Some(_), .. }), _) => Stage::Offered,
            (What::Service(Note::Menu { .. }), _) => Stage::Menu,
            (What::Tftp(tftp::Note::Done { .. }) | What::Http(http::Note::Done { .. }), Some(role)) => match role {
                Role::Loader => Stage::Loader,
                Role::Kernel => Stage::Kernel,
                Role::Content if self.stage >= Stage::Kernel => Stage::System,
                // An image that boots as a disc drive has no kernel to fetch.
                Role::Disc if self.stage >= Stage::Menu => Stage::System,
                _ => return None,
            },
            _ => return None,
        };
        Some(reached.max(self.stage))
    }

    fn reach(&mut self, stage: Stage, now: Timestamp) {
        self.stage = stage;
        if self.reached.last().is_none_or(|(last, _)| *last < stage) {
            self.reached.push((stage, now));
        }
    }

    fn note(&mut self, event: &Event) {
        // That it is silent is our own remark, up to half a minute later.
        let remark = matches!(
            event.what,
            What::Tftp(tftp::Note::TimedOut { .. } | tftp::Note::Stalled { .. })
                | What::Service(Note::LoaderRefused { .. })
        );
        if !remark {
            self.heard = event.time;
        }
        self.ip = event.ip.or(self.ip);
        self.learn(&event.what);
        if event.role == Some(Role::Page) {
            // That it goes on to wait is worth no place in the history.
            return;
        }
        self.transfers.note(event);
        self.judge(event);
        self.watch(event);
        // Progress is worth a bar, not a place in the history.
        let Some(words) = wording::words(event) else { return };
        self.last = Some(text::plain(&words, MAX_TEXT));
        if self.history.len() >= MAX_HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(event.clone());
    }

    /// What an event tells of the computer itself.
    fn learn(&mut self, what: &What) {
        match what {
            What::Dhcp(dhcp::Note::Asked { client, .. }) => {
                self.machine = Machine::of(client).or(self.machine);
                replace(&mut self.uuid, client.uuid.as_deref());
                replace(&mut self.firmware_uuid, client.uuid.as_deref());
            }
            What::Dhcp(dhcp::Note::Offered { boot: Some(boot), .. }) => {
                let (file, why) = (text::plain(&boot.file, MAX_TEXT), text::plain(&boot.why, MAX_TEXT));
                self.offered = Some(file.clone());
                if self.machine.is_some_and(|machine| machine.stage != boot::Stage::Ipxe) {
                    self.loader = Some(Boot { file, why });
                }
            }
            What::Dhcp(dhcp::Note::Granted { address: Some(address), .. }) => self.ip = Some(*address),
            What::Service(Note::Waiting { code, product }) => {
                self.code = Some(*code);
                replace(&mut self.product, product.as_deref());
            }
            What::Service(Note::Approved | Note::TurnedAway) => self.code = None,
            What::Service(Note::Menu { uuid, product, memory_mb, .. }) => {
                self.code = None;
                self.memory_mb = memory_mb.or(self.memory_mb);
                replace(&mut self.uuid, uuid.as_deref());
                replace(&mut self.product, product.as_deref());
            }
            What::Tftp(tftp::Note::Done { bytes, .. }) | What::Http(http::Note::Done { bytes, .. }) => {
                self.bytes = self.bytes.saturating_add(*bytes);
            }
            _ => {}
        }
    }

    fn judge(&mut self, event: &Event) {
        if self.trouble.as_ref().is_some_and(|trouble| trouble.fault.is_overcome_by(event)) {
            self.trouble = None;
        }
        let Some(fault) = Fault::of(event, self.stage, self.offered.as_deref()) else { return };
        // The same once more has been there since the first time.
        let since = self.trouble.as_ref().filter(|trouble| trouble.fault == fault).map(|trouble| trouble.since);
        self.trouble = Some(Trouble { since: since.unwrap_or(event.time), fault });
    }

    /// Looks whether it heeds what it is told beside another server.
    fn watch(&mut self, event: &Event) {
        let Some(how) = self.heed.hear(event) else { return };
        let file = self.offered.clone().unwrap_or_default();
        self.trouble = Some(Trouble { since: event.time, fault: Fault::OffersUnheeded { how, file } });
    }
}

/// Some firmware says a name only sometimes, or says an empty one.
fn replace(known: &mut Option<String>, told: Option<&str>) {
    if let Some(told) = told.map(|told| text::plain(told, MAX_NAME)).filter(|told| !told.is_empty()) {
        *known = Some(told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dhcp::pxe::{Class, Client, Ipxe};
    use crate::journal::Journal;

    fn mac() -> Mac {
        Mac([0x52, 0x54, 0, 0x77, 1, 1])
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn event(second: i64, role: Option<Role>, what: What) -> Event {
        Event { time: at(second), mac: Some(mac()), ip: None, role, what }
    }

    fn asked(second: i64, class: Option<Class>, ipxe: Option<Ipxe>) -> Event {
        let client = Client {
            mac: mac(),
            class,
            vendor_class: None,
            user_class: None,
            architectures: vec![7],
            uuid: None,
            ipxe,
        };
        let note = dhcp::Note::Asked { question: Question::Discover, client, address: None, relay: None, secs: None };
        event(second, None, What::Dhcp(note))
    }

    fn firmware(second: i64) -> Event {
        asked(second, Some(Class::Pxe), None)
    }

    fn ipxe(second: i64) -> Event {
        asked(second, Some(Class::Pxe), Some(Ipxe { http: true }))
    }

    fn offered(second: i64) -> Event {
        let boot = Boot { file: "snponly.efi".into(), why: String::new() };
        event(
            second,
            None,
            What::Dhcp(dhcp::Note::Offered { address: Some([10, 77, 0, 128].into()), boot: Some(boot) }),
        )
    }

    fn menu(second: i64, product: &str) -> Event {
        let note = Note::Menu { platform: None, uuid: None, product: Some(product.into()), memory_mb: None };
        event(second, Some(Role::Script), What::Service(note))
    }

    fn started(second: i64, role: Role) -> Event {
        let note = http::Note::Started { file: "f".into(), from: 0, length: 100, size: 100 };
        event(second, Some(role), What::Http(note))
    }

    fn done(second: i64, role: Role) -> Event {
        let note = http::Note::Done { file: "f".into(), from: 0, bytes: 100, size: 100, millis: 1 };
        event(second, Some(role), What::Http(note))
    }

    fn broken_off(second: i64) -> Event {
        let note = http::Note::BrokenOff { file: "f".into(), bytes: 7, length: 100 };
        event(second, Some(Role::Kernel), What::Http(note))
    }

    fn told(events: &[Event]) -> Computer {
        let mut journal = Journal::default();
        for event in events {
            journal.record(event);
        }
        journal.computer(mac()).expect("a computer").clone()
    }

    fn boot() -> Vec<Event> {
        vec![firmware(0), offered(1), done(5, Role::Loader), ipxe(8), menu(10, "Bench"), done(20, Role::Kernel)]
    }

    #[test]
    fn stages_are_kept_with_their_times() {
        let computer = told(&boot());
        let stages =
            [(Stage::Asked, 0), (Stage::Offered, 1), (Stage::Loader, 5), (Stage::Menu, 10), (Stage::Kernel, 20)];
        assert_eq!(computer.reached, stages.map(|(stage, second)| (stage, at(second))));
        assert_eq!((computer.boots, computer.began, computer.bytes), (1, at(0), 200));
        assert_eq!((computer.name().as_str(), computer.silent_for(at(25))), ("Bench", Duration::from_secs(5)));
        assert_eq!(computer.silent_for(at(2)), Duration::ZERO, "the clock was set back");
    }

    #[test]
    fn a_new_boot_starts_over() {
        let again = |second| vec![firmware(second), offered(second + 1)];
        let mut events = boot();
        // Of two requests one goes on, and the other one broke off.
        events.extend([started(21, Role::Initrd), started(21, Role::Initrd), broken_off(22)]);
        let before = told(&events);
        assert!(before.trouble.is_some() && before.transfer().is_some());
        events.extend(again(40));
        let computer = told(&events);
        assert_eq!((computer.boots, computer.began, computer.stage), (2, at(40), Stage::Offered));
        assert_eq!((computer.reached.len(), computer.bytes), (2, 0));
        assert!(computer.trouble.is_none() && computer.transfer().is_none());
        assert_eq!(computer.name(), "Bench", "it is the same computer");
    }

    #[test]
    fn asking_again_is_not_always_a_new_boot() {
        let cases = [
            ("firmware repeats itself", vec![firmware(0), firmware(4), offered(5), firmware(36)], 1),
            ("firmware after a long silence", vec![firmware(0), offered(1), firmware(90)], 2),
            ("iPXE after its loading", vec![firmware(0), offered(1), done(2, Role::Loader), ipxe(80)], 1),
            ("firmware after its loader", vec![firmware(0), offered(1), done(2, Role::Loader), firmware(9)], 2),
            ("an iPXE ROM after its menu", vec![ipxe(0), offered(1), menu(2, "x"), ipxe(9), ipxe(10)], 2),
            ("the system", vec![ipxe(0), offered(1), menu(2, "x"), done(3, Role::Kernel), asked(9, None, None)], 1),
        ];
        for (name, events, boots) in cases {
            assert_eq!(told(&events).boots, boots, "{name}");
        }
    }

    /// CONFORMANCE Q23.
    #[test]
    fn the_next_machine_on_an_adapter_is_another() {
        let said = |mut event: Event, uuid: &str| {
            if let What::Dhcp(dhcp::Note::Asked { client, .. }) = &mut event.what {
                client.uuid = Some(uuid.into());
            }
            event
        };
        let one = vec![said(firmware(0), "a"), offered(1), done(2, Role::Loader), said(ipxe(3), "a"), menu(4, "Bench")];
        let same = told(&[one.clone(), vec![said(ipxe(6), "a")]].concat());
        assert_eq!((same.boots, same.name().as_str()), (2, "Bench"), "its menu is behind it");
        let next = told(&[one, vec![said(firmware(20), "b"), offered(21)]].concat());
        assert_eq!((next.boots, next.name(), next.uuid.as_deref()), (2, mac().to_string(), Some("b")));
        assert_eq!((next.stage, next.reached.len(), next.bytes), (Stage::Offered, 2, 0));
        let soon = told(&[said(firmware(0), "a"), offered(1), said(firmware(2), "b")]);
        assert_eq!((soon.boots, soon.stage), (2, Stage::Asked), "though nothing was fetched");
    }

    #[test]
    fn an_image_that_boots_as_a_disc_has_no_kernel() {
        let computer = told(&[ipxe(0), offered(1), menu(2, "x"), done(3, Role::Disc)]);
        assert_eq!(computer.stage, Stage::System);
        assert!(computer.reached.iter().all(|(stage, _)| *stage != Stage::Kernel));
        assert_eq!(told(&[ipxe(0), done(3, Role::Disc)]).stage, Stage::Asked);
    }

    #[test]
    fn what_it_loads_and_did_last_is_told() {
        let mut events = boot();
        events.push(started(21, Role::Initrd));
        let computer = told(&events);
        let transfer = computer.transfer().expect("a transfer");
        assert_eq!((transfer.file.as_str(), transfer.role), ("f", Some(Role::Initrd)));
        assert_eq!(computer.last.as_deref(), Some("loads /f by HTTP (100 bytes)"));
        let progress = http::Note::Progress { file: "f".into(), bytes: 50, length: 100 };
        events.push(event(22, Some(Role::Initrd), What::Http(progress)));
        let later = told(&events);
        assert_eq!(later.transfer().map(Transfer::fraction), Some(0.5));
        assert_eq!((later.last, later.history.len()), (computer.last, computer.history.len()), "a bar, no sentence");
    }

    #[test]
    fn a_time_out_is_not_heard_of_it() {
        let note = tftp::Note::TimedOut { file: "f".into(), bytes: 1, size: 2 };
        let computer = told(&[firmware(0), offered(1), event(30, Some(Role::Loader), What::Tftp(note))]);
        assert_eq!(computer.silent_for(at(40)), Duration::from_secs(39));
        assert!(computer.trouble.is_some());
    }

    #[test]
    fn trouble_stays_until_it_goes_on() {
        let mut events = boot();
        events.extend([started(21, Role::Kernel), broken_off(22), broken_off(30)]);
        let trouble = told(&events).trouble.expect("trouble");
        assert_eq!(trouble.since, at(22), "the same since then");
        assert_eq!(trouble.fault, Fault::BrokenOff { file: "f".into(), bytes: 7, length: 100 });
        events.push(started(31, Role::Kernel));
        assert_eq!(told(&events).trouble, None);
    }

    #[test]
    fn firmware_without_a_loader_is_trouble_and_stays_so() {
        let address = Some([10, 77, 0, 128].into());
        let without = |second| {
            let offered = dhcp::Note::Offered { address, boot: None };
            [
                firmware(second),
                event(second, None, What::Dhcp(offered)),
                event(second, None, What::Dhcp(dhcp::Note::NoBootFile { reason: "none".into() })),
            ]
        };
        let events: Vec<Event> = [without(0), without(4), without(12)].into_iter().flatten().collect();
        assert_eq!(
            told(&events).trouble,
            Some(Trouble { since: at(0), fault: Fault::NoBootFile { reason: "none".into() } })
        );
    }

    #[test]
    fn names_from_packets_are_made_harmless() {
        let computer = told(&[ipxe(0), menu(1, "Be\x1b[2Jnch\u{202e}")]);
        assert_eq!(computer.name(), "Be·[2Jnch·");
        assert_eq!(told(&[ipxe(0), menu(1, &"x".repeat(500))]).name().len(), MAX_NAME);
        assert_eq!(told(&[ipxe(0), menu(1, " ")]).name(), mac().to_string());
    }

    #[test]
    fn in_the_middle_of_a_boot_it_would_be_interrupted() {
        let system = || [boot(), vec![done(21, Role::Content)]].concat();
        let handed_over = || [boot(), vec![asked(21, None, None)]].concat();
        let cases = [
            ("asked only", vec![firmware(21)], 22, false),
            ("offered", vec![firmware(20), offered(21)], 22, true),
            ("its system has files", system(), 22, true),
            ("silent for long", system(), 142, false),
            ("handed over", handed_over(), 22, false),
            ("handed over and loading", [handed_over(), vec![started(21, Role::Content)]].concat(), 22, true),
        ];
        for (name, events, now, expected) in cases {
            assert_eq!(told(&events).is_booting(at(now)), expected, "{name}");
        }
    }

    #[test]
    fn a_computer_waits_while_it_asks_and_until_it_is_decided_about() {
        let code: Code = "4821".parse().unwrap();
        let waiting = event(10, None, What::Service(Note::Waiting { code, product: Some("Bench".into()) }));
        let page = |second| done(second, Role::Page);
        let waits = [ipxe(0), offered(1), waiting, page(10), page(100)];
        let computer = told(&waits);
        assert_eq!((computer.waits(at(110)), computer.product.as_deref()), (Some(code), Some("Bench")));
        assert_eq!((computer.heard, computer.history.len()), (at(100), 3), "its questions are no history");
        assert_eq!(computer.waits(at(100 + 180)), None, "it was switched off");
        for note in [Note::Approved, Note::TurnedAway] {
            let decided = [waits.as_slice(), &[event(101, None, What::Service(note))]].concat();
            assert_eq!(told(&decided).waits(at(110)), None);
        }
    }
}
