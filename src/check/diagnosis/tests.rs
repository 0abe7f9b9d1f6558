//! Timelines: what comes in, at which second, and what is found at the end of it.

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

#[test]
fn a_computer_that_only_asks() {
    use DhcpMode::{Full, Proxy};
    let ignored =
        |reason| [discover(0.0, Who::Uefi), event(0.1, None, What::Dhcp(dhcp::Note::Ignored { reason }))].to_vec();
    let relayed = |mut events: Vec<Event>| {
        if let Some(What::Dhcp(dhcp::Note::Asked { relay, .. })) = events.first_mut().map(|event| &mut event.what) {
            *relay = Some([10, 77, 9, 1].into());
        }
        events
    };
    let late = |secs: u16, mut events: Vec<Event>| {
        if let Some(What::Dhcp(dhcp::Note::Asked { secs: said, .. })) = events.first_mut().map(|event| &mut event.what)
        {
            *said = Some(secs);
        }
        events
    };
    let dhcp = |second, note| vec![event(second, None, What::Dhcp(note))];
    let boot_server = |second| {
        let grant = dhcp::Note::Granted { address: None, boot: Some(boot_of(Who::Uefi)) };
        vec![asks(second, Who::Uefi, Question::BootServer), event(second + 0.01, None, What::Dhcp(grant))]
    };
    check(vec![
        (
            "on the deny list",
            Full,
            ignored(dhcp::Silence::NotAllowed),
            1.0,
            vec![(NotAllowed, Certain)],
            "never answered",
        ),
        (
            "through a foreign relay",
            Full,
            relayed(ignored(dhcp::Silence::ForeignRelay)),
            1.0,
            vec![(RelayElsewhere, Certain), (RelaySeen, Certain)],
            "10.77.9.1",
        ),
        (
            "no address left",
            Full,
            [vec![discover(0.0, Who::Uefi)], dhcp(0.1, dhcp::Note::PoolExhausted { size: 9 })].concat(),
            1.0,
            vec![(NoAddressLeft, Certain)],
            "All 9 addresses",
        ),
        (
            "an address of elsewhere",
            Full,
            [
                vec![asks(0.0, Who::Uefi, Question::Reboot)],
                dhcp(
                    0.1,
                    dhcp::Note::Refused { address: [192, 168, 1, 9].into(), reason: dhcp::Refusal::WrongNetwork },
                ),
            ]
            .concat(),
            1.0,
            vec![(AddressRefused, Certain)],
            "192.168.1.9",
        ),
        (
            "no boot file",
            Full,
            [vec![discover(0.0, Who::Uefi)], dhcp(0.1, dhcp::Note::NoBootFile { reason: "no loader for it".into() })]
                .concat(),
            1.0,
            vec![(NoBootFile, Certain)],
            "no loader for it",
        ),
        (
            "another server won",
            Full,
            [offered(0.0, Who::Uefi), dhcp(1.0, dhcp::Note::ChoseOther { server: [10, 77, 0, 254].into() })].concat(),
            2.0,
            vec![(OtherServerWon, Certain)],
            "took that of 10.77.0.254",
        ),
        ("asked once, a minute ago", Full, offered(0.0, Who::Uefi), 61.0, vec![(OfferNotTaken, Possible)], "once"),
        (
            "asked until it gave up, full",
            Full,
            each(&EDK2, |second| offered(second, Who::Uefi)),
            29.0,
            vec![(OfferNotTaken, Likely)],
            "4 times in 28 s",
        ),
        (
            "asked until it gave up, proxy",
            Proxy,
            each(&EDK2, |second| told(second, Who::Uefi)),
            29.0,
            vec![(OffersUnheeded, Possible), (NoAddressServer, Possible)],
            "67 (snponly.efi)",
        ),
        (
            "iPXE gets no address",
            Proxy,
            each(&[0.0, 1.0, 3.0, 7.0], |second| told(second, Who::Ipxe)),
            8.0,
            vec![(NoAddressServer, Likely)],
            "lacks an address",
        ),
        (
            "asked once in proxy mode",
            Proxy,
            told(0.0, Who::Uefi),
            61.0,
            vec![(NoAddressServer, Possible), (OffersUnheeded, Possible)],
            "silent for 60 s",
        ),
        (
            "took an address twice",
            Proxy,
            each(&[0.0, 20.0, 40.0], |second| {
                [told(second, Who::Uefi), vec![asks(second + 4.0, Who::Uefi, Question::Select)]].concat()
            }),
            41.0,
            vec![(OffersUnheeded, Likely), (NoFileAsked, Possible)],
            "took an address twice",
        ),
        (
            "port 69 dropped: an address and no file",
            Full,
            granted(0.0, Who::Uefi),
            40.0,
            vec![(NoFileAsked, Likely)],
            "UDP 69",
        ),
        (
            "port 69 dropped: it begins anew",
            Full,
            [granted(0.0, Who::Uefi), offered(25.0, Who::HttpBoot)].concat(),
            26.0,
            vec![(NoFileAsked, Likely)],
            "24 s later began anew",
        ),
        ("port 80 dropped", Full, granted(0.0, Who::HttpBoot), 40.0, vec![(NoFileAsked, Likely)], "TCP 80"),
        (
            "port 80 dropped for iPXE",
            Full,
            [granted(0.0, Who::Uefi), loads(1.0, "snponly.efi"), granted(3.0, Who::Ipxe)].concat(),
            40.0,
            vec![(NoFileAsked, Likely)],
            "TCP 80",
        ),
        (
            "an address in proxy mode and no file",
            Proxy,
            [told(0.0, Who::Uefi), vec![asks(4.0, Who::Uefi, Question::Select)]].concat(),
            40.0,
            vec![(OffersUnheeded, Possible), (NoFileAsked, Possible)],
            "asked for no file",
        ),
        (
            "port 4011 and silent",
            Proxy,
            [told(0.0, Who::Uefi), vec![asks(4.0, Who::Uefi, Question::Select)], boot_server(4.2)].concat(),
            25.0,
            vec![(SilentAfterBootServer, Likely)],
            "was told snponly.efi",
        ),
        (
            "iPXE without HTTP",
            Full,
            each(&[0.0, 1.0, 3.0, 7.0], |second| offered(second, Who::CutIpxe)),
            8.0,
            vec![(IpxeWithoutHttp, Likely), (OfferNotTaken, Likely)],
            "cannot fetch by HTTP",
        ),
        (
            "a switch that learns",
            Full,
            late(31, offered(0.0, Who::Uefi)),
            1.0,
            vec![(SwitchSlow, Likely)],
            "asking for 31 s",
        ),
        (
            "through a router",
            Full,
            relayed(granted(0.0, Who::Uefi)),
            40.0,
            vec![(NoFileAsked, Likely), (RelaySeen, Certain)],
            "relay agent 10.77.9.1",
        ),
    ]);
}

#[test]
fn a_second_server_that_was_heard_is_named() {
    let foreign = vec![Foreign { server: [10, 77, 0, 254].into(), vendor: Some("AVM".into()) }];
    let full = Surroundings { foreign: foreign.clone(), ..around(DhcpMode::Full) };
    let causes = found(&each(&EDK2, |second| offered(second, Who::Uefi)), &full, 29.0);
    assert_eq!(kinds(&causes), [(OtherServerWon, Likely), (OfferNotTaken, Possible)]);
    assert!(causes[0].evidence.starts_with("10.77.0.254 (AVM) answers here as well."), "{causes:?}");
    let proxy = Surroundings { foreign, ..around(DhcpMode::Proxy) };
    let causes = found(&each(&EDK2, |second| told(second, Who::Uefi)), &proxy, 29.0);
    assert_eq!(kinds(&causes), [(OffersUnheeded, Likely)], "somebody gives addresses");
}

#[test]
fn a_computer_that_loads() {
    use DhcpMode::Full;
    let uefi = || granted(0.0, Who::Uefi);
    let size = |second| by_tftp(second, tftp::Note::SizeAsked { file: "snponly.efi".into(), size: 173_792 });
    let timed_out =
        |second, bytes| by_tftp(second, tftp::Note::TimedOut { file: "snponly.efi".into(), bytes, size: 173_792 });
    let refused =
        |file: &str| Note::LoaderRefused { file: file.into(), reason: "was fetched whole and did not start".into() };
    let aborted = |words: &str| {
        let note = tftp::Note::Aborted { file: "snponly.efi".into(), bytes: 1468, code: 3, words: words.into() };
        by_tftp(2.0, note)
    };
    check(vec![
        ("size and nothing", Full, [uefi(), size(1.0)].concat(), 30.0, vec![(SizeAskedOnly, Likely)], "173.7 kB"),
        (
            "the file's own port is dropped",
            Full,
            [uefi(), stalls(8.0, "snponly.efi", 0, false)].concat(),
            9.0,
            vec![(TransferPortBlocked, Likely)],
            "any UDP port",
        ),
        (
            "dropped, and the firmware tries by HTTP",
            Full,
            [uefi(), stalls(8.0, "snponly.efi", 0, false), timed_out(32.0, 0), offered(33.0, Who::HttpBoot)].concat(),
            34.0,
            vec![(TransferPortBlocked, Likely), (NoFileAsked, Likely)],
            "never answered",
        ),
        (
            "large packets",
            Full,
            [uefi(), size(1.0), begins(1.1, "snponly.efi", 1468), stalls(8.0, "snponly.efi", 0, true)].concat(),
            9.0,
            vec![(LargePacketsLost, Likely), (TransferPortBlocked, Possible)],
            "blocks of 1468 bytes",
        ),
        (
            "large packets, and begun anew",
            Full,
            [
                uefi(),
                begins(1.1, "snponly.efi", 1468),
                stalls(8.0, "snponly.efi", 0, true),
                begins(9.0, "snponly.efi", 1468),
            ]
            .concat(),
            10.0,
            vec![(LargePacketsLost, Likely), (TransferPortBlocked, Possible)],
            "smaller MTU",
        ),
        (
            "in the middle",
            Full,
            [
                uefi(),
                begins(1.1, "snponly.efi", 1468),
                stalls(8.0, "snponly.efi", 20_000, true),
                timed_out(32.0, 20_000),
            ]
            .concat(),
            33.0,
            vec![(TransferStalled, Likely)],
            "20.0 kB of 173.7 kB",
        ),
        (
            "smallest blocks",
            Full,
            [uefi(), begins(1.1, "snponly.efi", 512), stalls(8.0, "snponly.efi", 0, true)].concat(),
            9.0,
            vec![(TransferStalled, Likely)],
            "0 bytes of",
        ),
        (
            "many losses",
            Full,
            [
                uefi(),
                begins(1.0, "snponly.efi", 1468),
                by_tftp(9.0, tftp::Note::Done { file: "snponly.efi".into(), bytes: 173_792, millis: 8000, resent: 40 }),
                granted(11.0, Who::Ipxe),
            ]
            .concat(),
            12.0,
            vec![(PacketsLost, Likely)],
            "40 had to be sent again",
        ),
        (
            "broken off with words",
            Full,
            [uefi(), aborted("Disk full.")].concat(),
            3.0,
            vec![(BrokeOff, Certain)],
            "and said: Disk full. Look",
        ),
        ("broken off without", Full, [uefi(), aborted("")].concat(), 3.0, vec![(BrokeOff, Certain)], "did not say why"),
        (
            "loader and silence",
            Full,
            [uefi(), loads(1.0, "snponly.efi")].concat(),
            22.0,
            vec![(SecureBoot, Likely), (LoaderUnsuitable, Possible)],
            "snponly.efi whole",
        ),
        (
            "loader and back, by HTTP",
            Full,
            [uefi(), loads(1.0, "snponly.efi"), offered(2.0, Who::HttpBoot)].concat(),
            3.0,
            vec![(SecureBoot, Likely), (LoaderUnsuitable, Possible)],
            "as if it had got nothing",
        ),
        (
            "as the ladder tells it",
            Full,
            [uefi(), loads(1.0, "snponly.efi"), note(17.0, refused("snponly.efi"))].concat(),
            18.0,
            vec![(SecureBoot, Likely), (LoaderUnsuitable, Possible)],
            "snponly.efi was fetched whole and did not start.",
        ),
        (
            "a signed loader",
            Full,
            [uefi(), loads(1.0, "shimx64.efi"), note(17.0, refused("shimx64.efi"))].concat(),
            18.0,
            vec![(SecureBoot, Likely), (LoaderUnsuitable, Possible)],
            "revoked keys",
        ),
        (
            "a BIOS has no Secure Boot",
            Full,
            [granted(0.0, Who::Bios), loads(1.0, "undionly.kpxe")].concat(),
            22.0,
            vec![(LoaderUnsuitable, Likely)],
            "undionly.kpxe whole",
        ),
        (
            "an empty loader",
            Full,
            [uefi(), by_tftp(1.0, tftp::Note::Done { file: "snponly.efi".into(), bytes: 0, millis: 1, resent: 0 })]
                .concat(),
            2.0,
            vec![(FileEmpty, Certain)],
            "no bytes",
        ),
        (
            "a loader that is not there",
            Full,
            [uefi(), by_tftp(1.0, tftp::Note::NotFound { file: "snponly.efi".into() })].concat(),
            2.0,
            vec![(FileMissing, Certain)],
            "snponly.efi, which is not here",
        ),
        (
            "refused",
            Full,
            [uefi(), by_tftp(1.0, tftp::Note::Refused { file: "a".into(), reason: "no".into() })].concat(),
            2.0,
            vec![(FileRefused, Certain)],
            "refused a",
        ),
        (
            "unreadable here",
            Full,
            [uefi(), by_tftp(1.0, tftp::Note::ReadFailed { file: "a".into(), reason: "I/O error".into() })].concat(),
            2.0,
            vec![(FileUnreadable, Certain)],
            "I/O error",
        ),
    ]);
}

#[test]
fn a_computer_with_a_menu_and_a_system() {
    use DhcpMode::Full;
    let initrd = |memory| {
        let kernel = fetches(10.0, Role::Kernel, KERNEL, 8_000_000);
        [to_menu(memory), kernel, breaks_off(12.0, Role::Initrd, INITRD, 262_144, 42_000_000)].concat()
    };
    let content = || fetches(60.0, Role::Content, "image/debian/live/filesystem.squashfs", 220_000_000);
    let missing = "image/debian/dists/bookworm/Release";
    let given = |second| note(second, Note::AnswerGiven { entry: "debian".into() });
    check(vec![
        (
            "a menu",
            Full,
            to_menu(None),
            16.0,
            vec![(WaitingInMenu, Certain)],
            "After 30 s its own disk starts by itself.",
        ),
        (
            "a menu that is over",
            Full,
            to_menu(None),
            100.0,
            vec![(MenuTimedOut, Likely)],
            "after 30 s its own disk started",
        ),
        (
            "too little, for sure",
            Full,
            initrd(Some(40)),
            13.0,
            vec![(TooLittleMemory, Certain)],
            "It has 40 MiB of memory. Kernel and initrd of “Debian Live 12” have 50.0 MB",
        ),
        (
            "too little, most likely",
            Full,
            initrd(Some(512)),
            13.0,
            vec![(BrokeOff, Certain), (TooLittleMemory, Likely)],
            "it needs 1024 MiB or more",
        ),
        ("enough", Full, initrd(Some(4096)), 13.0, vec![(BrokeOff, Certain)], "262.1 kB of 42.0 MB"),
        (
            "who knows",
            Full,
            initrd(None),
            13.0,
            vec![(BrokeOff, Certain), (TooLittleMemory, Possible)],
            "How much memory it has is not known.",
        ),
        (
            "a kernel and silence",
            Full,
            to_kernel(None),
            140.0,
            vec![(TooLittleMemory, Possible), (KernelSilent, Possible)],
            "kernel and initrd, and has asked for nothing for 2 minutes",
        ),
        (
            "a kernel and the firmware again",
            Full,
            [to_kernel(Some(2048)), offered(40.0, Who::Uefi)].concat(),
            41.0,
            vec![(KernelSilent, Likely)],
            "27 s later its firmware asked again",
        ),
        (
            "its kernel is missing",
            Full,
            [to_menu(None), lacks(10.0, KERNEL)].concat(),
            11.0,
            vec![(FileMissing, Certain)],
            KERNEL,
        ),
        (
            "its system misses a file",
            Full,
            [to_kernel(None), each(&[50.0, 52.0, 54.0], |second| lacks(second, missing))].concat(),
            90.0,
            vec![(SystemMissesFile, Likely)],
            "“Debian Live 12” asked 3 times for image/debian/dists",
        ),
        (
            "its system asks for one file",
            Full,
            [to_kernel(None), lacks(50.0, missing)].concat(),
            90.0,
            vec![(SystemMissesFile, Possible)],
            "asked once",
        ),
        (
            "it goes on without one",
            Full,
            [to_kernel(None), content(), lacks(80.0, missing)].concat(),
            300.0,
            vec![],
            "",
        ),
        (
            "it installs once more",
            Full,
            [to_kernel(None), given(50.0), to_kernel(None).into_iter().map(later).collect(), given(1050.0)].concat(),
            1051.0,
            vec![(AnswerFetchedAgain, Likely)],
            "in an earlier boot",
        ),
        (
            "it reads its answers twice",
            Full,
            [to_kernel(None), given(50.0), given(170.0)].concat(),
            171.0,
            vec![(AnswerFetchedAgain, Possible)],
            "2 minutes apart",
        ),
        (
            "cloud-init reads several parts",
            Full,
            [to_kernel(None), given(50.0), given(52.0)].concat(),
            60.0,
            vec![],
            "",
        ),
    ]);
}

/// The same a thousand seconds later.
fn later(event: Event) -> Event {
    Event { time: event.time.checked_add(jiff::SignedDuration::from_secs(1000)).unwrap(), ..event }
}

/// Recorded boots where nothing failed.
const GOOD: [&str; 5] =
    ["memtest-seabios", "memtest-plain-rom", "debian-live-uefi", "debian-live-http-boot", "uefi-beside-late-office"];

fn recorded(name: &str) -> Vec<Event> {
    let path = format!("{}/tests/boots/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    crate::journal::recording::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The same boot on a computer, a network or a server of another speed.
fn at_pace(events: &[Event], percent: i64) -> Vec<Event> {
    let first = events[0].time;
    let moved = |event: &Event| {
        let millis = event.time.duration_since(first).as_millis() as i64 * percent / 100;
        let time = first.checked_add(jiff::SignedDuration::from_millis(millis)).unwrap();
        Event { time, ..event.clone() }
    };
    events.iter().map(moved).collect()
}

/// What is left of a boot where another server gives the addresses.
fn beside(mut event: Event) -> Option<Event> {
    match &mut event.what {
        What::Dhcp(dhcp::Note::Offered { address, .. }) => *address = None,
        What::Dhcp(dhcp::Note::Granted { .. }) => return None,
        // Who does not boot is none of our business there.
        What::Dhcp(dhcp::Note::Asked { client, .. }) if client.class.is_none() => return None,
        _ => {}
    }
    Some(event)
}

/// Everything that is found while a boot goes on, looked at each second, and ten minutes after its end.
fn found_meanwhile(events: &[Event], mode: DhcpMode) -> Vec<(i64, Cause)> {
    let memtest = Need {
        title: "Memtest86+".into(),
        image: "memtest86plus".into(),
        kernel: Some("/EFI/BOOT/bootx64.efi".into()),
        initrd: vec![],
        min_ram_mb: None,
        whole: None,
        fetches: false,
    };
    let first = events[0].time;
    let mut around = Surroundings { since: first, ..around(mode) };
    around.needs[0].image = "debian-live".into();
    around.needs.push(memtest);
    let (mut journal, mut found) = (Journal::default(), Vec::new());
    let mut look = |journal: &Journal, now: Timestamp| {
        let all = journal.computers().flat_map(|computer| diagnose(computer, now, &around));
        found.extend(all.map(|cause| (now.duration_since(first).as_secs(), cause)));
    };
    let mut now = first;
    for event in events {
        while now < event.time {
            look(&journal, now);
            now = now.checked_add(jiff::SignedDuration::from_secs(1)).unwrap();
        }
        journal.record(event);
        look(&journal, event.time);
    }
    for _ in 0..600 {
        now = now.checked_add(jiff::SignedDuration::from_secs(1)).unwrap();
        look(&journal, now);
    }
    found
}

#[test]
fn good_boots_yield_no_trouble() {
    let mut boots = 0;
    for name in GOOD {
        let events = recorded(name);
        let proxy =
            events.iter().any(|event| matches!(event.what, What::Dhcp(dhcp::Note::Offered { address: None, .. })));
        let mode = if proxy { DhcpMode::Proxy } else { DhcpMode::Full };
        let elsewhere: Vec<Event> = events.iter().cloned().filter_map(beside).collect();
        let other = crate::journal::recording::Recording::new(events.clone());
        let other = other.shifted(at(0.0), Some(Mac([2, 0, 0, 0, 0, 9])));
        for (variant, events, mode) in [
            ("as it was", events.clone(), mode),
            ("twice as fast", at_pace(&events, 50), mode),
            ("half as fast", at_pace(&events, 200), mode),
            ("another computer", other, mode),
            ("beside another server", elsewhere.clone(), DhcpMode::Proxy),
            ("beside another server, half as fast", at_pace(&elsewhere, 200), DhcpMode::Proxy),
        ] {
            let trouble: Vec<_> =
                found_meanwhile(&events, mode).into_iter().filter(|(_, cause)| cause.is_trouble()).collect();
            assert_eq!(trouble, [], "{name}, {variant}");
            boots += 1;
        }
    }
    assert!(boots >= 20, "{boots}");
}

#[test]
fn a_menu_that_a_recording_ends_with_is_told_without_alarm() {
    let found = found_meanwhile(&recorded("uefi-beside-late-office"), DhcpMode::Proxy);
    let mut kinds: Vec<Kind> = found.iter().map(|(_, cause)| cause.kind).collect();
    kinds.dedup();
    assert_eq!(kinds, [WaitingInMenu, MenuTimedOut], "{found:#?}");
}

#[test]
fn the_recorded_refusal_of_secure_boot_is_found_as_soon_as_the_firmware_is_back() {
    let events = recorded("secure-boot-refused");
    let back = events.iter().position(|event| {
        matches!(&event.what, What::Dhcp(dhcp::Note::Asked { client, .. }) if client.class == Some(Class::Http))
    });
    let back = events[back.unwrap()].time.duration_since(events[0].time).as_secs();
    let found = found_meanwhile(&events, DhcpMode::Full);
    let (when, first) = found.first().expect("a cause");
    assert_eq!((*when, first.kind, first.likelihood), (back, SecureBoot, Likely), "{first:?}");
    let (_, last) = found.iter().rfind(|(_, cause)| cause.is_trouble()).unwrap();
    assert!(found.iter().all(|(_, cause)| matches!(cause.kind, SecureBoot | LoaderUnsuitable)), "{last:?}");
}

#[test]
fn nobody_is_missed_for_two_minutes() {
    let around = Surroundings { since: at(0.0), ..around(DhcpMode::Full) };
    assert_eq!(nothing_arrives(&around, false, at(119.0)), None);
    let cause = nothing_arrives(&around, false, at(121.0)).expect("a cause");
    assert_eq!((cause.kind, cause.likelihood), (NothingArrives, Certain));
    assert!(wording::cause_line(&cause).contains("UDP 67"), "{cause:?}");
    let others = nothing_arrives(&around, true, at(121.0)).expect("a cause");
    assert!(others.likelihood == Likely && others.evidence.contains("Ordinary computers"), "{others:?}");
}

#[test]
fn what_is_new_is_told_once() {
    let around = Surroundings { since: at(0.0), ..around(DhcpMode::Full) };
    let (mut watch, mut journal) = (Watch::default(), Journal::default());
    let told = |watch: &mut Watch, journal: &Journal, second: f64| {
        let kind = |event: Event| match event.what {
            What::Service(Note::Diagnosis(cause)) => Some((event.mac, cause.kind)),
            _ => None,
        };
        watch.look(journal, at(second), &around).into_iter().filter_map(kind).collect::<Vec<_>>()
    };
    assert_eq!(told(&mut watch, &journal, 100.0), []);
    assert_eq!(told(&mut watch, &journal, 121.0), [(None, NothingArrives)]);
    assert_eq!(told(&mut watch, &journal, 122.0), []);
    assert!(watch.nothing().is_some());
    for event in granted(130.0, Who::Uefi) {
        journal.record(&event);
    }
    assert_eq!(told(&mut watch, &journal, 131.0), []);
    assert_eq!(watch.nothing(), None, "somebody asks");
    assert_eq!(told(&mut watch, &journal, 170.0), [(Some(MAC), NoFileAsked)]);
    assert_eq!(told(&mut watch, &journal, 171.0), [], "it was told");
    assert_eq!(watch.trouble(MAC).map(|cause| cause.kind), Some(NoFileAsked));
    for event in loads(180.0, "snponly.efi") {
        journal.record(&event);
    }
    assert_eq!((told(&mut watch, &journal, 181.0), watch.trouble(MAC)), (vec![], None), "it goes on");
    for event in granted(500.0, Who::Uefi) {
        journal.record(&event);
    }
    assert_eq!(told(&mut watch, &journal, 540.0), [(Some(MAC), NoFileAsked)], "once more in another boot");
}

#[test]
fn a_server_that_is_heard_meanwhile_explains_what_comes_after() {
    let around = Surroundings { since: at(0.0), ..around(DhcpMode::Full) };
    let (mut watch, mut journal) = (Watch::default(), Journal::default());
    let server = dhcp::Note::ForeignServer { server: [10, 77, 0, 254].into(), mac: None, maker: None };
    watch.hear(&Event { mac: None, ..event(1.0, None, What::Dhcp(server)) });
    for event in each(&EDK2, |second| offered(second + 10.0, Who::Uefi)) {
        watch.hear(&event);
        journal.record(&event);
    }
    watch.look(&journal, at(39.0), &around);
    assert_eq!(kinds(watch.causes(MAC)), [(OtherServerWon, Likely), (OfferNotTaken, Possible)]);
    assert!(watch.causes(MAC)[0].evidence.starts_with("10.77.0.254 answers here as well."));
}

#[test]
fn a_log_that_is_read_back_tells_no_cause_twice() {
    let cause = found(&to_menu(None), &around(DhcpMode::Full), 16.0).remove(0);
    let event =
        Event { time: at(16.0), mac: Some(MAC), ip: None, role: None, what: What::Service(Note::Diagnosis(cause)) };
    let text = serde_json::to_string(&event).unwrap();
    for part in [r#""event":"diagnosis""#, r#""cause":"waiting-in-menu""#, r#""likelihood":"certain""#] {
        assert!(text.contains(part), "{text}");
    }
    let (mut journal, again) = (Journal::default(), serde_json::from_str(&text).unwrap());
    assert_eq!((again == event, journal.record(&again), journal.count()), (true, None, 0));
}
