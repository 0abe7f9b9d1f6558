//! Just inside and just outside of each limit, and what looks like a cause and is none.

use super::*;
use DhcpMode::{Full, Proxy};

/// DHCP of a system that runs, with no word of booting.
fn by_system(second: f64, question: Question) -> Vec<Event> {
    let client = Client { class: None, architectures: vec![], ..client(Who::Uefi) };
    let note = dhcp::Note::Asked { question, client, address: None, relay: None, secs: None };
    vec![event(second, None, What::Dhcp(note))]
}

/// The first question says for how long it has been asking.
fn late(secs: u16, mut events: Vec<Event>) -> Vec<Event> {
    if let Some(What::Dhcp(dhcp::Note::Asked { secs: said, .. })) = events.first_mut().map(|event| &mut event.what) {
        *said = Some(secs);
    }
    events
}

fn offers_at(seconds: &[f64]) -> Vec<Event> {
    each(seconds, |second| offered(second, Who::Uefi))
}

#[test]
fn who_asks() {
    let no_file = dhcp::Note::Granted { address: Some(ADDRESS.into()), boot: None };
    let one = |events| [offered(0.0, Who::Uefi), events].concat();
    let boot_server = |second| {
        let grant = dhcp::Note::Granted { address: None, boot: Some(boot_of(Who::Uefi)) };
        vec![asks(second, Who::Uefi, Question::BootServer), event(second + 0.01, None, What::Dhcp(grant))]
    };
    let slow = || vec![(SwitchSlow, Likely)];
    check(vec![
        ("three questions are not many", Full, offers_at(&[0.0, 4.0, 12.0]), 13.0, vec![], ""),
        ("one came by two ways", Full, offers_at(&[0.0, 0.3, 4.0, 12.0]), 13.0, vec![], ""),
        (
            "two came fast",
            Full,
            offers_at(&[0.0, 0.7, 4.0, 12.0]),
            13.0,
            vec![(OfferNotTaken, Likely)],
            "4 times in 12 s",
        ),
        ("an address without a file", Full, one(vec![event(5.0, None, What::Dhcp(no_file))]), 50.0, vec![], ""),
        (
            "an address for its system",
            Proxy,
            [told(0.0, Who::Uefi), by_system(5.0, Question::Select)].concat(),
            50.0,
            vec![],
            "",
        ),
        (
            "it asks whether its address is good still",
            Full,
            [granted(0.0, Who::Uefi), vec![asks(5.0, Who::Uefi, Question::Reboot)]].concat(),
            10.0,
            vec![],
            "",
        ),
        (
            "it begins anew beside another server",
            Proxy,
            [told(0.0, Who::Uefi), vec![asks(4.0, Who::Uefi, Question::Select)], told(15.0, Who::Uefi)].concat(),
            16.0,
            vec![],
            "",
        ),
        (
            "port 4011, not long ago",
            Proxy,
            [told(0.0, Who::Uefi), vec![asks(4.0, Who::Uefi, Question::Select)], boot_server(4.2)].concat(),
            23.9,
            vec![],
            "",
        ),
        ("for 19 s", Full, late(19, offered(0.0, Who::Uefi)), 1.0, vec![], ""),
        ("for 255 s", Full, late(255, offered(0.0, Who::Uefi)), 1.0, slow(), "asking for 255 s"),
        ("the wrong order of bytes", Full, late(256, offered(0.0, Who::Uefi)), 1.0, vec![], ""),
        ("no first question", Full, late(31, vec![asks(0.0, Who::Uefi, Question::Reboot)]), 1.0, vec![], ""),
        (
            "and it goes on",
            Full,
            late(31, [granted(0.0, Who::Uefi), loads(1.0, "snponly.efi")].concat()),
            2.0,
            vec![],
            "",
        ),
    ]);
    let new = Surroundings { since: at(-10.0), ..around(Full) };
    assert_eq!(found(&late(31, offered(0.0, Who::Uefi)), &new, 1.0), [], "nobody listened before");
    let known = vec![Foreign { server: [10, 77, 0, 254].into(), vendor: None }];
    let beside = Surroundings { foreign: known, ..around(Proxy) };
    assert_eq!(
        kinds(&found(&told(0.0, Who::Uefi), &beside, 61.0)),
        [(OffersUnheeded, Possible)],
        "who gives addresses is known"
    );
}

#[test]
fn who_loads() {
    let file = "snponly.efi";
    let uefi = |events: Vec<Event>| [granted(0.0, Who::Uefi), events].concat();
    let resent = |block, resent| {
        let done = tftp::Note::Done { file: file.into(), bytes: 173_792, millis: 8000, resent };
        uefi([begins(1.0, file, block), by_tftp(9.0, done), granted(11.0, Who::Ipxe)].concat())
    };
    let stuck = |then: Vec<Event>| uefi([begins(1.1, file, 1468), stalls(8.0, file, 0, true), then].concat());
    let back = |second: f64| uefi([loads(1.0, file), offered(second, Who::HttpBoot)].concat());
    let refused = || vec![(SecureBoot, Likely), (LoaderUnsuitable, Possible)];
    let size = |size| by_tftp(1.0, tftp::Note::SizeAsked { file: file.into(), size });
    let nothing = tftp::Note::Done { file: file.into(), bytes: 0, millis: 1, resent: 0 };
    let started = http::Note::Started { file: file.into(), from: 0, length: 173_792, size: 173_792 };
    let again = event(3.0, Some(Role::Loader), What::Http(started));
    check(vec![
        ("nine sent again", Full, resent(1468, 9), 12.0, vec![], ""),
        ("ten of 119", Full, resent(1468, 10), 12.0, vec![(PacketsLost, Likely)], "about 119 packets"),
        ("twelve of 340", Full, resent(512, 12), 12.0, vec![], ""),
        ("it gets on by TFTP", Full, stuck(loads(9.0, file)), 10.0, vec![], ""),
        ("it gets on by HTTP", Full, stuck(fetches(9.0, Role::Loader, file, 173_792)), 10.0, vec![], ""),
        (
            "large blocks of 1024",
            Full,
            uefi([begins(1.1, file, 1024), stalls(8.0, file, 0, true)].concat()),
            9.0,
            vec![(LargePacketsLost, Likely), (TransferPortBlocked, Possible)],
            "blocks of 1024 bytes",
        ),
        (
            "another file was begun",
            Full,
            uefi([begins(1.1, "other.efi", 1468), stalls(8.0, file, 0, false)].concat()),
            9.0,
            vec![(TransferPortBlocked, Likely)],
            "never answered",
        ),
        ("the size, not long ago", Full, uefi(size(173_792)), 20.9, vec![], ""),
        ("a size of nothing", Full, uefi(size(0)), 30.0, vec![(FileEmpty, Certain)], "no bytes"),
        ("nothing, and silence", Full, uefi(by_tftp(1.0, nothing)), 30.0, vec![(FileEmpty, Certain)], "no bytes"),
        ("a loader, not long ago", Full, uefi(loads(1.0, file)), 20.9, vec![], ""),
        ("back after 110 s", Full, back(111.1), 112.0, refused(), "as if it had got nothing"),
        ("back after 130 s", Full, back(131.1), 132.0, vec![], ""),
        ("back, and it fetches", Full, [back(2.0), vec![again]].concat(), 4.0, vec![], ""),
        ("a signed one for ARM", Full, uefi(loads(1.0, "shimaa64.efi")), 22.0, refused(), "revoked keys"),
        (
            "an empty kernel",
            Full,
            [to_menu(None), fetches(10.0, Role::Kernel, KERNEL, 0)].concat(),
            11.0,
            vec![(FileEmpty, Certain)],
            KERNEL,
        ),
        (
            "what a loader asks for after the kernel",
            Full,
            [to_kernel(None), lacks(20.0, INITRD)].concat(),
            21.0,
            vec![(FileMissing, Certain)],
            INITRD,
        ),
        (
            "what nobody knows, before the kernel",
            Full,
            [to_menu(None), lacks(10.0, "image/debian/live/other")].concat(),
            11.0,
            vec![(FileMissing, Certain)],
            "live/other",
        ),
    ]);
}

#[test]
fn who_has_a_menu_or_a_system() {
    let missing = "image/debian/dists/bookworm/Release";
    let lacking = |seconds: &[f64]| each(seconds, |second| lacks(second, missing));
    let content = fetches(60.0, Role::Content, "image/debian/live/filesystem.squashfs", 220_000_000);
    let given = |second, entry: &str| note(second, Note::AnswerGiven { entry: entry.into() });
    let started = |events: Vec<Event>| [to_kernel(Some(2048)), events].concat();
    let waiting = || vec![(WaitingInMenu, Certain)];
    check(vec![
        ("a menu for 2 s", Full, to_menu(None), 8.9, vec![], ""),
        ("a menu for 3 s", Full, to_menu(None), 9.2, waiting(), "After 30 s"),
        ("a menu for 44 s", Full, to_menu(None), 50.9, waiting(), "After 30 s"),
        ("a menu for 45 s", Full, to_menu(None), 51.2, vec![(MenuTimedOut, Likely)], "its own disk started"),
        ("memory that explains all", Full, to_kernel(Some(40)), 260.0, vec![(TooLittleMemory, Certain)], "40 MiB"),
        (
            "back after 170 s",
            Full,
            started(offered(182.0, Who::Uefi)),
            183.0,
            vec![(KernelSilent, Likely)],
            "asked again",
        ),
        ("back after 190 s", Full, started(offered(202.0, Who::Uefi)), 203.0, vec![], ""),
        (
            "its system ran",
            Full,
            started([by_system(20.0, Question::Discover), offered(40.0, Who::Uefi)].concat()),
            41.0,
            vec![],
            "",
        ),
        (
            "whose system asks elsewhere",
            Proxy,
            started(offered(40.0, Who::Uefi)),
            41.0,
            vec![(KernelSilent, Possible)],
            "",
        ),
        ("missed not long ago", Full, started(lacking(&[50.0])), 79.5, vec![], ""),
        ("missed twice", Full, started(lacking(&[50.0, 52.0])), 90.0, vec![(SystemMissesFile, Possible)], "2 times"),
        (
            "missed three times after others",
            Full,
            started([content, lacking(&[80.0, 82.0, 84.0])].concat()),
            120.0,
            vec![(SystemMissesFile, Likely)],
            "3 times",
        ),
        (
            "two files missed",
            Full,
            started([lacks(50.0, "image/debian/dists/other"), lacking(&[51.0])].concat()),
            90.0,
            vec![(SystemMissesFile, Possible)],
            "asked once",
        ),
        (
            "answers read within a minute",
            Full,
            started([given(50.0, "debian"), given(95.0, "debian")].concat()),
            96.0,
            vec![],
            "",
        ),
        (
            "answers of two entries",
            Full,
            started([given(50.0, "debian"), given(170.0, "other")].concat()),
            171.0,
            vec![],
            "",
        ),
    ]);
    let kernel = [to_menu(None), fetches(10.0, Role::Kernel, KERNEL, 8_000_000)].concat();
    assert_eq!(found(&kernel, &around(Full), 300.0), [], "without an initrd nothing more is awaited");
    let mut alone = around(Full);
    alone.needs[0].fetches = false;
    assert_eq!(found(&to_kernel(None), &alone, 300.0), [], "it needs the network no more");
}

#[test]
fn what_a_menu_starts_by_itself() {
    let forever = Surroundings { timeout: 0, ..around(Full) };
    let causes = found(&to_menu(None), &forever, 100.0);
    assert!(
        kinds(&causes) == [(WaitingInMenu, Certain)] && causes[0].evidence.contains("until somebody"),
        "{causes:?}"
    );
    let entry = Surroundings { default: Some("Debian".into()), ..around(Full) };
    let causes = found(&to_menu(None), &entry, 100.0);
    assert!(kinds(&causes) == [(WaitingInMenu, Likely)] && causes[0].evidence.contains("pressed a key"), "{causes:?}");
}

/// Kernel and initrd have 48 MiB, and need as much again.
#[test]
fn how_much_memory_is_too_little() {
    let mut around = around(Full);
    around.needs[0].min_ram_mb = None;
    let broken = breaks_off(12.0, Role::Initrd, INITRD, 262_144, 42_000_000);
    let events = |memory, more: &[Event]| {
        let kernel = fetches(10.0, Role::Kernel, KERNEL, 8_000_000);
        [&to_menu(Some(memory))[..], &kernel, more, &broken].concat()
    };
    let memory = |around: &Surroundings, events: &[Event]| {
        let causes = found(events, around, 13.0);
        causes.iter().find(|cause| cause.kind == TooLittleMemory).map(|cause| cause.likelihood)
    };
    for (has, expected) in [(48, Some(Certain)), (49, Some(Likely)), (96, Some(Likely)), (97, None)] {
        assert_eq!(memory(&around, &events(has, &[])), expected, "{has} MiB");
    }
    assert_eq!(memory(&around, &events(97, &broken)), None, "a file that was begun twice counts once");
    around.needs[0].whole = Some(100 << 20);
    assert_eq!(memory(&around, &events(148, &[])), Some(Certain), "with the whole image");
}

#[test]
fn the_entry_is_the_one_whose_kernel_was_fetched() {
    let mut around = around(Full);
    let other = Need { title: "Other".into(), kernel: Some("/other/vmlinuz".into()), ..around.needs[0].clone() };
    around.needs.insert(0, other);
    let causes = found(&to_kernel(None), &around, 300.0);
    assert!(causes[0].evidence.contains("Debian Live 12") && !causes[0].evidence.contains("Other"), "{causes:?}");
}
