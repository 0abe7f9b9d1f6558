//! Timelines: what comes in, at which second, and what is found at the end of it.

mod asking;
mod edges;
mod good;
mod loading;
mod running;
mod watch;

use super::*;
use crate::boot::tree::Role;
use crate::dhcp::pxe::{Boot, Class, Client, Ipxe};
use crate::dhcp::{self, Question};
use crate::journal::{Event, Journal, Note, What};
use crate::mac::Mac;
use crate::{http, tftp};

use Kind::*;
use Likelihood::{Certain, Likely, Possible};

const MAC: Mac = Mac([0x52, 0x54, 0, 0x77, 1, 1]);
const KERNEL: &str = "image/debian/live/vmlinuz";
const INITRD: &str = "image/debian/live/initrd.img";
const ADDRESS: [u8; 4] = [10, 77, 0, 128];

fn at(second: f64) -> Timestamp {
    Timestamp::from_millisecond(1_000_000_000 + (second * 1000.0) as i64).unwrap()
}

fn event(second: f64, role: Option<Role>, what: What) -> Event {
    Event { time: at(second), mac: Some(MAC), ip: None, role, what }
}

/// What asks: firmware by PXE or HTTP, iPXE, or an operating system.
#[derive(Clone, Copy)]
enum Who {
    Bios,
    Uefi,
    HttpBoot,
    Ipxe,
    CutIpxe,
}

fn client(who: Who) -> Client {
    let (class, architectures, ipxe) = match who {
        Who::Bios => (Some(Class::Pxe), vec![0], None),
        Who::Uefi => (Some(Class::Pxe), vec![7], None),
        Who::HttpBoot => (Some(Class::Http), vec![16], None),
        Who::Ipxe => (Some(Class::Pxe), vec![7], Some(Ipxe { http: true })),
        Who::CutIpxe => (Some(Class::Pxe), vec![0], Some(Ipxe { http: false })),
    };
    Client { mac: MAC, class, vendor_class: None, user_class: None, architectures, uuid: None, ipxe }
}

fn asks(second: f64, who: Who, question: Question) -> Event {
    let note = dhcp::Note::Asked { question, client: client(who), address: None, relay: None, secs: None };
    event(second, None, What::Dhcp(note))
}

fn discover(second: f64, who: Who) -> Event {
    asks(second, who, Question::Discover)
}

fn boot_of(who: Who) -> Boot {
    let file = match who {
        Who::Bios | Who::CutIpxe => "undionly.kpxe",
        Who::Uefi => "snponly.efi",
        Who::HttpBoot => "http://10.77.0.1/snponly.efi",
        Who::Ipxe => "http://10.77.0.1/boot.ipxe",
    };
    Boot { file: file.into(), why: "usual".into() }
}

/// A question and our offer with an address.
fn offered(second: f64, who: Who) -> Vec<Event> {
    let offer = dhcp::Note::Offered { address: Some(ADDRESS.into()), boot: Some(boot_of(who)) };
    vec![discover(second, who), event(second + 0.01, None, What::Dhcp(offer))]
}

/// The same beside another server.
fn told(second: f64, who: Who) -> Vec<Event> {
    let offer = dhcp::Note::Offered { address: None, boot: Some(boot_of(who)) };
    vec![discover(second, who), event(second + 0.01, None, What::Dhcp(offer))]
}

/// Question, offer, request and answer.
fn granted(second: f64, who: Who) -> Vec<Event> {
    let grant = dhcp::Note::Granted { address: Some(ADDRESS.into()), boot: Some(boot_of(who)) };
    let select = [asks(second + 0.1, who, Question::Select), event(second + 0.11, None, What::Dhcp(grant))];
    [offered(second, who), select.to_vec()].concat()
}

fn by_tftp(second: f64, note: tftp::Note) -> Vec<Event> {
    vec![event(second, Some(Role::Loader), What::Tftp(note))]
}

fn begins(second: f64, file: &str, block_size: u16) -> Vec<Event> {
    by_tftp(second, tftp::Note::Started { file: file.into(), size: 173_792, block_size, window: 4 })
}

fn stalls(second: f64, file: &str, bytes: u64, answered: bool) -> Vec<Event> {
    let note = tftp::Note::Stalled { file: file.into(), bytes, size: 173_792, block_size: 1468, answered };
    by_tftp(second, note)
}

fn loads(second: f64, file: &str) -> Vec<Event> {
    let done = tftp::Note::Done { file: file.into(), bytes: 173_792, millis: 58, resent: 0 };
    [begins(second, file, 1468), by_tftp(second + 0.1, done)].concat()
}

fn fetches(second: f64, role: Role, file: &str, size: u64) -> Vec<Event> {
    let started = http::Note::Started { file: file.into(), from: 0, length: size, size };
    let done = http::Note::Done { file: file.into(), from: 0, bytes: size, size, millis: 10 };
    vec![event(second, Some(role), What::Http(started)), event(second + 0.1, Some(role), What::Http(done))]
}

fn breaks_off(second: f64, role: Role, file: &str, bytes: u64, size: u64) -> Vec<Event> {
    let started = http::Note::Started { file: file.into(), from: 0, length: size, size };
    let broken = http::Note::BrokenOff { file: file.into(), bytes, length: size };
    vec![event(second, Some(role), What::Http(started)), event(second + 0.1, Some(role), What::Http(broken))]
}

fn lacks(second: f64, file: &str) -> Vec<Event> {
    vec![event(second, None, What::Http(http::Note::NotFound { file: file.into() }))]
}

fn menu(second: f64, memory_mb: Option<u64>) -> Vec<Event> {
    let note = Note::Menu { platform: None, uuid: None, product: Some("Bench".into()), memory_mb };
    let shown = fetches(second, Role::Script, "menu.ipxe", 900);
    [vec![event(second, Some(Role::Script), What::Service(note))], shown].concat()
}

fn note(second: f64, note: Note) -> Vec<Event> {
    vec![event(second, None, What::Service(note))]
}

/// Firmware, loader, iPXE and menu, in full mode; the menu is there after 6 s.
fn to_menu(memory_mb: Option<u64>) -> Vec<Event> {
    let scripts = fetches(5.0, Role::Script, "boot.ipxe", 325);
    [granted(0.0, Who::Uefi), loads(1.0, "snponly.efi"), granted(3.0, Who::Ipxe), scripts, menu(6.0, memory_mb)]
        .concat()
}

/// The same with kernel and initrd after 12 s.
fn to_kernel(memory_mb: Option<u64>) -> Vec<Event> {
    let files = [fetches(10.0, Role::Kernel, KERNEL, 8_000_000), fetches(12.0, Role::Initrd, INITRD, 42_000_000)];
    [vec![to_menu(memory_mb)], files.to_vec()].concat().concat()
}

fn around(mode: DhcpMode) -> Surroundings {
    let debian = Need {
        title: "Debian Live 12".into(),
        image: "debian".into(),
        kernel: Some("/live/vmlinuz".into()),
        initrd: vec!["/live/initrd.img".into()],
        min_ram_mb: Some(1024),
        whole: None,
        fetches: true,
    };
    let since = at(-1000.0);
    Surroundings { mode, since, http_port: 80, default: None, timeout: 30, needs: vec![debian], foreign: Vec::new() }
}

/// What is found after these events at a second.
fn found(events: &[Event], around: &Surroundings, second: f64) -> Vec<Cause> {
    let mut journal = Journal::default();
    events.iter().for_each(|event| drop(journal.record(event)));
    journal.computer(MAC).map(|computer| diagnose(computer, at(second), around)).unwrap_or_default()
}

fn kinds(causes: &[Cause]) -> Vec<(Kind, Likelihood)> {
    causes.iter().map(|cause| (cause.kind, cause.likelihood)).collect()
}

/// A timeline: its name, what happens in which mode, when it is looked at, what is found, and a part of what is said.
type Timeline = (&'static str, DhcpMode, Vec<Event>, f64, Vec<(Kind, Likelihood)>, &'static str);

fn check(timelines: Vec<Timeline>) {
    for (name, mode, events, second, expected, said) in timelines {
        let causes = found(&events, &around(mode), second);
        assert_eq!(kinds(&causes), expected, "{name}: {causes:#?}");
        let line: Vec<String> = causes.iter().map(wording::cause_line).collect();
        assert!(line.join("\n").contains(said), "{name}: {said:?} is not in\n{}", line.join("\n"));
        for cause in causes {
            assert!(cause.evidence.ends_with('.') && cause.next_step.ends_with('.'), "{name}: {cause:?}");
            assert!(cause.since <= at(second), "{name}: {cause:?}");
        }
    }
}

/// All of `of` at these seconds.
fn each(seconds: &[f64], of: impl Fn(f64) -> Vec<Event>) -> Vec<Event> {
    seconds.iter().flat_map(|second| of(*second)).collect()
}

const EDK2: [f64; 4] = [0.0, 4.0, 12.0, 28.0];
