//! What is told while computers are served, and told once.

use super::*;

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

#[test]
fn who_is_heard_tells_where_to_look() {
    let around = Surroundings { since: at(0.0), ..around(DhcpMode::Full) };
    let server = || {
        event(
            1.0,
            None,
            What::Dhcp(dhcp::Note::ForeignServer { server: [10, 77, 0, 254].into(), mac: None, maker: None }),
        )
    };
    let mut watch = Watch::default();
    watch.hear(&server());
    watch.look(&Journal::default(), at(121.0), &around);
    assert_eq!(watch.nothing().map(|cause| cause.likelihood), Some(Certain), "a server that was heard is no computer");
    watch.hear(&discover(2.0, Who::Uefi));
    watch.look(&Journal::default(), at(122.0), &around);
    assert_eq!(watch.nothing().map(|cause| cause.likelihood), Some(Likely), "questions come through");
    let (mut watch, mut journal) = (Watch::default(), Journal::default());
    (0..2).for_each(|_| watch.hear(&server()));
    let known = Foreign { server: [10, 77, 0, 254].into(), vendor: Some("AVM".into()) };
    let around = Surroundings { foreign: vec![known], ..around };
    each(&EDK2, |second| offered(second, Who::Uefi)).iter().for_each(|event| drop(journal.record(event)));
    watch.look(&journal, at(29.0), &around);
    let evidence = &watch.causes(MAC)[0].evidence;
    assert!(evidence.starts_with("10.77.0.254 (AVM) answers here as well."), "once: {evidence}");
}

#[test]
fn what_becomes_surer_is_told_again_and_a_menu_is_no_trouble() {
    let around = Surroundings { since: at(0.0), ..around(DhcpMode::Full) };
    let (mut watch, mut journal) = (Watch::default(), Journal::default());
    let missing = |second| lacks(second, "image/debian/dists/bookworm/Release");
    let first = [to_kernel(Some(2048)), missing(50.0)].concat();
    first.iter().for_each(|event| drop(journal.record(event)));
    let told = |watch: &mut Watch, journal: &Journal, second: f64| watch.look(journal, at(second), &around).len();
    assert_eq!((told(&mut watch, &journal, 81.0), kinds(watch.causes(MAC))), (1, vec![(SystemMissesFile, Possible)]));
    each(&[82.0, 84.0], missing).iter().for_each(|event| drop(journal.record(event)));
    assert_eq!((told(&mut watch, &journal, 115.0), kinds(watch.causes(MAC))), (1, vec![(SystemMissesFile, Likely)]));
    assert_eq!(told(&mut watch, &journal, 116.0), 0);
    let (mut watch, mut journal) = (Watch::default(), Journal::default());
    to_menu(None).iter().for_each(|event| drop(journal.record(event)));
    told(&mut watch, &journal, 16.0);
    assert_eq!((kinds(watch.causes(MAC)), watch.trouble(MAC)), (vec![(WaitingInMenu, Certain)], None));
}
