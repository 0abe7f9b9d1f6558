//! Whether a computer heeds what it is told beside another DHCP server, where only its silence can tell.
//!
//! Some firmware takes boot information from the server of its address alone (CONFORMANCE Q31: HP DL380 Gen9 in UEFI
//! mode). It then asks again and again, or takes an address and asks for nothing. A pure fold: the time is that of the
//! events, and what was found is told once per power-on.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Event, Note, What, between};
use crate::boot::{Machine, Stage};
use crate::dhcp::{Note as Dhcp, Question};

/// Questions of one try after which it is plain that no answer helps: EDK2 asks at 0, 4, 12 and 28 s and iPXE at 0, 1, 3
/// and 7 s, neither a fifth time (WIRE 2; EDK2 `PxeBcDhcp4.c`). A DHCP server that is slow by 3 s costs one more.
const QUESTIONS: u32 = 4;
/// How often it takes an address and nothing else until that is no accident: a NAK, or a person at its keyboard.
const ADDRESSES: u32 = 2;
/// Questions that follow each other faster are one, which came by two ways. iPXE's are 1 s apart.
const SAME: Duration = Duration::from_millis(500);
/// After so much silence a try begins anew; the longest wait within one is EDK2's 32 s.
const ANEW: Duration = Duration::from_secs(60);

/// How it does not heed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unheeded {
    /// Firmware asks until it gives up: it does not take a second server's word, or gets no address.
    AsksAgain,
    /// iPXE asks until it gives up. It takes a second server's word, so what it lacks is the address.
    NoAddress,
    /// It takes an address, and then asks for no file.
    AddressOnly,
}

/// The try that is under way, and what came of those before.
#[derive(Clone, Debug, Default)]
pub(super) struct Heed {
    /// Who asks in this try.
    asks: Option<Stage>,
    /// When it asked last.
    last: Option<Timestamp>,
    /// How long it waited before that. Waits grow within a try (RFC 2131 section 4.1).
    wait: Duration,
    /// Questions of this try that we answered.
    answered: u32,
    /// A question that we have not answered yet.
    open: bool,
    /// An answer of ours, and it has not taken an address since.
    told: bool,
    /// It took an address after an answer of ours.
    took: bool,
    /// How often it took an address, and then began anew without having asked for a file.
    addresses: u32,
    /// Whether a finding is out in this boot.
    found: bool,
}

impl Heed {
    /// The computer was switched on again: what is found now is told once more.
    pub(super) fn begin(&mut self) {
        self.found = false;
    }

    /// Takes note of an event. Returns what it shows, once in a boot.
    pub(super) fn hear(&mut self, event: &Event) -> Option<Unheeded> {
        match &event.what {
            What::Dhcp(Dhcp::Asked { client, question: Question::Discover, .. }) => {
                self.ask(Machine::of(client)?.stage, event.time);
            }
            What::Dhcp(Dhcp::Offered { address: None, boot: Some(_) }) if self.open => {
                (self.open, self.told) = (false, true);
                self.answered += 1;
            }
            What::Dhcp(Dhcp::Asked { question: Question::Select, .. }) if self.told => {
                (self.told, self.took, self.answered) = (false, !self.is_ipxe(), 0);
            }
            // It asks us for something, or gets its address here: the offers are not what keeps it.
            What::Dhcp(Dhcp::Asked { question: Question::BootServer, .. } | Dhcp::Granted { .. })
            | What::Dhcp(Dhcp::Offered { address: Some(_), .. })
            | What::Tftp(_)
            | What::Http(_)
            | What::Service(Note::Menu { .. }) => *self = Heed { found: self.found, ..Heed::default() },
            _ => {}
        }
        let shown = self.shown().filter(|_| !self.found)?;
        self.found = true;
        Some(shown)
    }

    fn ask(&mut self, asks: Stage, now: Timestamp) {
        let wait = self.last.map_or(Duration::ZERO, |last| between(last, now));
        if self.last.is_some() && wait < SAME && self.asks == Some(asks) {
            return;
        }
        self.addresses += u32::from(std::mem::take(&mut self.took));
        let anew = self.asks != Some(asks) || wait > ANEW || wait.saturating_mul(2) < self.wait;
        if anew {
            self.answered = 0;
        }
        self.wait = if anew { Duration::ZERO } else { wait };
        (self.asks, self.last, self.open) = (Some(asks), Some(now), true);
    }

    fn shown(&self) -> Option<Unheeded> {
        match () {
            () if self.addresses >= ADDRESSES => Some(Unheeded::AddressOnly),
            () if self.answered < QUESTIONS => None,
            () if self.is_ipxe() => Some(Unheeded::NoAddress),
            () => Some(Unheeded::AsksAgain),
        }
    }

    fn is_ipxe(&self) -> bool {
        matches!(self.asks, Some(Stage::Ipxe | Stage::IpxeWithoutHttp))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::tree::Role;
    use crate::dhcp;
    use crate::dhcp::pxe::{Boot, Class, Client, Ipxe};
    use crate::journal::{Fault, Journal, Trouble};
    use crate::mac::Mac;
    use crate::tftp;

    const MAC: Mac = Mac([0x52, 0x54, 0, 0x77, 1, 1]);

    fn event(millis: i64, what: What) -> Event {
        Event { time: Timestamp::from_millisecond(millis).unwrap(), mac: Some(MAC), ip: None, role: None, what }
    }

    fn asked(millis: i64, question: Question, class: Class, ipxe: bool) -> Event {
        let client = Client {
            mac: MAC,
            class: Some(class),
            vendor_class: None,
            user_class: None,
            architectures: vec![7],
            uuid: None,
            ipxe: ipxe.then_some(Ipxe { http: true }),
        };
        event(millis, What::Dhcp(dhcp::Note::Asked { question, client, address: None, relay: None, secs: None }))
    }

    fn offered(millis: i64, address: Option<[u8; 4]>) -> Event {
        let boot = Some(Boot { file: "snponly.efi".into(), why: String::new() });
        event(millis, What::Dhcp(dhcp::Note::Offered { address: address.map(Into::into), boot }))
    }

    /// A question, and our offer beside another server.
    fn question(second: i64) -> Vec<Event> {
        vec![asked(second * 1000, Question::Discover, Class::Pxe, false), offered(second * 1000 + 5, None)]
    }

    fn ipxe(second: i64) -> Vec<Event> {
        vec![asked(second * 1000, Question::Discover, Class::Pxe, true), offered(second * 1000 + 5, None)]
    }

    fn http(second: i64) -> Vec<Event> {
        vec![asked(second * 1000, Question::Discover, Class::Http, false), offered(second * 1000 + 5, None)]
    }

    fn takes_address(second: i64) -> Vec<Event> {
        vec![asked(second * 1000, Question::Select, Class::Pxe, false)]
    }

    fn asks_on_4011(second: i64) -> Vec<Event> {
        vec![asked(second * 1000, Question::BootServer, Class::Pxe, false)]
    }

    fn fetches(second: i64) -> Vec<Event> {
        let note = tftp::Note::Done { file: "snponly.efi".into(), bytes: 9, millis: 1, resent: 0 };
        vec![Event { role: Some(Role::Loader), ..event(second * 1000, What::Tftp(note)) }]
    }

    /// The seconds at which something was found, and what.
    fn found(timeline: &[Vec<Event>]) -> Vec<(i64, Unheeded)> {
        let mut journal = Journal::default();
        let (mut found, mut before) = (Vec::new(), None);
        for event in timeline.iter().flatten() {
            journal.record(event);
            let trouble = journal.computer(MAC).and_then(|computer| computer.trouble.clone());
            if let Some(Trouble { since, fault: Fault::OffersUnheeded { how, .. } }) = &trouble
                && before != trouble
            {
                found.push((since.as_second(), *how));
            }
            before = trouble;
        }
        found
    }

    fn all(seconds: &[i64], of: impl Fn(i64) -> Vec<Event>) -> Vec<Vec<Event>> {
        seconds.iter().map(|&second| of(second)).collect()
    }

    #[test]
    fn firmware_that_asks_until_it_gives_up_is_told_once_per_power_on() {
        use Unheeded::{AddressOnly, AsksAgain, NoAddress};
        // EDK2's schedule, and iPXE's (WIRE 2).
        let (edk2, vendor) = ([0, 4, 12, 28], |second| [question(second), takes_address(second + 4)].concat());
        let twice = |second| [question(second), question(second)].concat();
        let cases: [(&str, Vec<Vec<Event>>, Vec<(i64, Unheeded)>); 9] = [
            ("EDK2", all(&edk2, question), vec![(28, AsksAgain)]),
            ("EDK2, each question by two ways", all(&edk2, twice), vec![(28, AsksAgain)]),
            (
                "EDK2, and HTTP Boot after it",
                [all(&edk2, question), all(&[62, 66, 74, 91], http)].concat(),
                vec![(28, AsksAgain)],
            ),
            ("HTTP Boot alone", all(&[0, 4, 12, 29], http), vec![(29, AsksAgain)]),
            (
                "switched on again",
                [all(&edk2, question), all(&[300, 304, 312, 328], question)].concat(),
                vec![(28, AsksAgain), (328, AsksAgain)],
            ),
            ("a ROM that asks every 5 s", all(&[0, 5, 10, 15, 20], question), vec![(15, AsksAgain)]),
            ("iPXE, which gets no address", all(&[0, 1, 3, 7], ipxe), vec![(7, NoAddress)]),
            ("takes an address and nothing else", all(&[0, 40, 80, 120], vendor), vec![(80, AddressOnly)]),
            ("the same on three days", all(&[0, 86_400, 172_800], vendor), vec![(172_800, AddressOnly)]),
        ];
        for (name, timeline, expected) in cases {
            assert_eq!(found(&timeline), expected, "{name}");
        }
    }

    #[test]
    fn who_gets_on_or_has_not_had_its_chance_is_not_accused() {
        let doubled = |second| [question(second), question(second)].concat();
        let full = |second: i64| vec![question(second).remove(0), offered(second * 1000 + 5, Some([10, 77, 0, 100]))];
        let unanswered = |second: i64| vec![question(second).remove(0)];
        let good = |second| [question(second), takes_address(second + 4), fetches(second + 5)].concat();
        let cases: [(&str, Vec<Vec<Event>>); 10] = [
            ("a slow DHCP server", vec![question(0), question(4), question(12), takes_address(15), fetches(16)]),
            ("the same by port 4011", vec![question(0), question(4), takes_address(8), asks_on_4011(8), fetches(9)]),
            ("4011, and no file yet", vec![all(&[0, 4, 12], question).concat(), asks_on_4011(20), question(28)]),
            ("a try that was broken off by a reset", all(&[0, 4, 12, 14, 18, 26], question)),
            ("PXE broken off, then HTTP Boot", [all(&[0, 4, 12], question), all(&[17, 21, 29], http)].concat()),
            ("a question that comes twice", all(&[0, 4], doubled)),
            ("full mode", all(&[0, 4, 12, 28], full)),
            ("no boot file for it", all(&[0, 4, 12, 28], unanswered)),
            ("a boot each day", all(&[0, 86_400, 172_800, 259_200], good)),
            (
                "addresses only, but not in a row",
                [0, 400, 800].into_iter().flat_map(|t| [question(t), takes_address(t + 4), good(t + 200)]).collect(),
            ),
        ];
        for (name, timeline) in cases {
            assert_eq!(found(&timeline), [], "{name}");
        }
    }

    /// What the events of a boot in full mode would have been beside another server.
    fn beside(mut event: Event) -> Option<Event> {
        match &mut event.what {
            What::Dhcp(Dhcp::Offered { address, .. }) => *address = None,
            What::Dhcp(Dhcp::Granted { .. }) => return None,
            _ => {}
        }
        Some(event)
    }

    #[test]
    fn recorded_boots_are_not_accused() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/boots");
        let (mut boots, mut proxy) = (0, 0);
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let events = crate::journal::recording::parse(&text).unwrap();
            assert_eq!(found(std::slice::from_ref(&events)), [], "{path:?}");
            let by_proxy = |event: &Event| matches!(event.what, What::Dhcp(Dhcp::Offered { address: None, .. }));
            proxy += usize::from(events.iter().any(by_proxy));
            assert_eq!(found(&[events.into_iter().filter_map(beside).collect()]), [], "{path:?} beside another server");
            boots += 1;
        }
        assert!(boots >= 6 && proxy >= 1, "{boots}, {proxy} of them beside another server");
    }

    #[test]
    fn the_card_says_it_until_the_computer_gets_on() {
        let mut journal = Journal::default();
        let mut trouble = |events: Vec<Event>| {
            events.iter().for_each(|event| drop(journal.record(event)));
            journal.computer(MAC).and_then(|computer| computer.trouble.clone())
        };
        let waits = all(&[0, 4, 12, 28], question).concat();
        let seen = trouble(waits).expect("trouble");
        assert_eq!(seen.since.as_second(), 28);
        assert!(matches!(seen.fault, Fault::OffersUnheeded { how: Unheeded::AsksAgain, .. }), "{seen:?}");
        assert!(trouble(http(62)).is_some(), "another offer changes nothing");
        assert_eq!(trouble(fetches(70)), None);
    }
}
