//! Boots where nothing failed: none yields an alarm, at whatever pace. And the recorded one that was refused.

use super::*;

/// Recorded boots where nothing failed.
const GOOD: [&str; 5] =
    ["memtest-seabios", "memtest-plain-rom", "debian-live-uefi", "debian-live-http-boot", "uefi-beside-late-office"];

fn recorded(name: &str) -> Vec<Event> {
    let path = format!("{}/tests/boots/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    crate::journal::recording::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// More of them: one of each good boot of our tests with real firmware, too many to go into the program.
fn recorded_by_tests() -> Vec<(String, Vec<Event>)> {
    let folder = format!("{}/tests/good", env!("CARGO_MANIFEST_DIR"));
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        let events = crate::journal::recording::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        (path.display().to_string(), events)
    };
    std::fs::read_dir(folder).unwrap().map(read).collect()
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
    let (mut boots, mut variants) = (0, 0);
    let named = GOOD.map(|name| (name.to_owned(), recorded(name)));
    for (name, events) in named.into_iter().chain(recorded_by_tests()) {
        boots += 1;
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
            variants += 1;
        }
    }
    assert!(boots >= 30 && variants >= 6 * boots, "{boots} boots, {variants} variants");
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
