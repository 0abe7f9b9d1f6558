use super::*;

const ONE: Mac = Mac([0x52, 0x54, 0, 0x77, 1, 1]);
const TWO: Mac = Mac([0x52, 0x54, 0, 0x77, 1, 2]);

fn asking() -> Guests {
    Guests { ask: true, ..Guests::default() }
}

fn wait(code: &str, new: bool) -> Answer {
    Answer::Wait { code: code.parse().unwrap(), new }
}

/// Asks without a product name.
fn ask(approval: &mut Approval, now: Instant, mac: Mac, random: u16) -> Answer {
    approval.ask(now, mac, None, &asking(), random)
}

#[test]
fn who_is_admitted() {
    let mut approval = Approval::default();
    approval.approve(Instant::now(), Which::Mac(ONE), &asking()).unwrap();
    let listed = |allow: &[Mac], deny: &[Mac], ask| Guests {
        allow: allow.iter().copied().collect(),
        deny: deny.iter().copied().collect(),
        ask,
    };
    let cases = [
        ("nobody is asked about", Some(TWO), listed(&[], &[], false), true),
        ("nor a stranger", None, listed(&[], &[], false), true),
        ("a stranger is", None, listed(&[], &[], true), false),
        ("an unknown one is", Some(TWO), listed(&[], &[], true), false),
        ("an approved one is not", Some(ONE), listed(&[], &[], true), true),
        ("one on the list is not", Some(TWO), listed(&[TWO], &[], true), true),
        ("a list does not take an approval back", Some(ONE), listed(&[TWO], &[], true), true),
        ("a denied one is nobody's guest", Some(TWO), listed(&[], &[TWO], false), false),
        ("though it was approved", Some(ONE), listed(&[ONE], &[ONE], true), false),
    ];
    for (case, mac, guests, expected) in cases {
        assert_eq!(approval.admits(mac, &guests), expected, "{case}");
    }
}

#[test]
fn a_stranger_waits_under_one_code_until_it_is_approved() {
    let (mut approval, now) = (Approval::default(), Instant::now());
    let at = |seconds| now + Duration::from_secs(seconds);
    assert_eq!(ask(&mut approval, now, ONE, 14_821), wait("4821", true));
    assert_eq!(ask(&mut approval, at(3), ONE, 7), wait("4821", false), "its screen shows that one");
    assert_eq!(ask(&mut approval, at(3), TWO, 4821), wait("4822", true), "no two show the same");
    let wrong = "0007".parse().unwrap();
    assert_eq!(approval.approve(at(4), Which::Code(wrong), &asking()), Err(Undecided::NobodyShows(wrong)));
    assert_eq!(approval.approve(at(4), Which::Code("4821".parse().unwrap()), &asking()), Ok(ONE));
    assert_eq!(ask(&mut approval, at(6), ONE, 7), Answer::Menu);
    assert_eq!(ask(&mut approval, at(6), TWO, 7), wait("4822", false));
    assert_eq!(approval.waiting(at(6)).len(), 1);
    let mut later = Approval::new(approval.kept());
    assert_eq!((ask(&mut later, now, ONE, 7), ask(&mut later, now, TWO, 7)), (Answer::Menu, wait("0007", true)));
    assert!(later.forget(ONE) && !later.forget(ONE));
    assert_eq!(ask(&mut later, now, ONE, 8), wait("0008", true));
}

#[test]
fn a_refused_one_goes_to_its_disk_until_it_is_approved_after_all() {
    let (mut approval, now) = (Approval::default(), Instant::now());
    ask(&mut approval, now, ONE, 1);
    approval.approve(now, Which::Mac(ONE), &asking()).unwrap();
    assert_eq!(approval.refuse(now, Which::Mac(ONE)), Ok(ONE));
    assert_eq!(ask(&mut approval, now, ONE, 1), Answer::Refused);
    assert_eq!(approval.kept(), Kept::default(), "an approval is taken back");
    assert_eq!(approval.approve(now, Which::Mac(ONE), &asking()), Ok(ONE));
    assert_eq!(ask(&mut approval, now, ONE, 1), Answer::Menu);
    let denied = Guests { deny: [ONE].into(), ..Guests::default() };
    assert_eq!(approval.ask(now, ONE, None, &denied, 1), Answer::Refused);
}

#[test]
fn a_code_is_forgotten_with_the_computer_that_went_silent() {
    let (mut approval, now) = (Approval::default(), Instant::now());
    ask(&mut approval, now, ONE, 1);
    let code = Which::Code("0001".parse().unwrap());
    assert_eq!(approval.waiting(now + SILENT - Duration::from_secs(1)).len(), 1);
    assert!(approval.approve(now + SILENT, code, &asking()).is_err());
    assert_eq!(ask(&mut approval, now + SILENT, ONE, 2), wait("0002", true));
    assert_eq!(ask(&mut approval, now + SILENT * 3 / 2, ONE, 3), wait("0002", false));
    assert_eq!(ask(&mut approval, now + SILENT * 2, ONE, 3), wait("0002", false), "it asked in between");
}

#[test]
fn made_up_computers_do_not_crowd_the_list_without_end() {
    let (mut approval, now) = (Approval::default(), Instant::now());
    let mac = |number: u16| {
        let [high, low] = number.to_be_bytes();
        Mac([2, 0, 0, 0, high, low])
    };
    let waits = |approval: &mut Approval, number| matches!(ask(approval, now, mac(number), 9_999), Answer::Wait { .. });
    assert_eq!((0..1000).filter(|&number| waits(&mut approval, number)).count(), MAX_WAITING);
    let codes: BTreeSet<Code> = approval.waiting(now).iter().map(|waiting| waiting.code).collect();
    assert_eq!(codes.len(), MAX_WAITING);
    assert_eq!(ask(&mut approval, now + SILENT, ONE, 1), wait("0001", true), "those are gone");
}

#[test]
fn the_name_that_a_computer_says_is_kept() {
    let (mut approval, now) = (Approval::default(), Instant::now());
    approval.ask(now, ONE, Some("OptiPlex".into()), &asking(), 1);
    ask(&mut approval, now, ONE, 1);
    assert_eq!(approval.waiting(now)[0].product.as_deref(), Some("OptiPlex"));
    approval.approve(now, Which::Mac(ONE), &asking()).unwrap();
    approval.approve(now, Which::Mac(ONE), &asking()).unwrap();
    assert_eq!(approval.kept().computers, [Approved { mac: ONE, product: Some("OptiPlex".into()) }]);
}

#[test]
fn codes_and_addresses_are_told_apart() {
    let code = |text: &str| Ok(Which::Code(text.parse().unwrap()));
    let cases = [
        ("4821", code("4821")),
        ("0007", code("0007")),
        ("52:54:00:77:01:01", Ok(Which::Mac(ONE))),
        ("52-54-00-77-01-01", Ok(Which::Mac(ONE))),
        ("482", Err(NoCode)),
        ("48211", Err(NoCode)),
        ("+482", Err(NoCode)),
        ("", Err(NoCode)),
    ];
    for (text, expected) in cases {
        assert_eq!(text.parse::<Which>(), expected, "{text:?}");
    }
    let which = Which::Code("0007".parse().unwrap());
    assert_eq!(serde_json::from_str::<Which>(&serde_json::to_string(&which).unwrap()).unwrap(), which);
}

#[test]
fn an_approval_that_would_change_nothing_is_refused() {
    let (mut approval, now) = (Approval::default(), Instant::now());
    let denied = Guests { deny: [ONE].into(), allow: [ONE].into(), ask: true };
    let listed = Guests { allow: [TWO].into(), ..Guests::default() };
    let cases = [(&denied, Err(Undecided::Denied(ONE))), (&listed, Err(Undecided::NotListed(ONE)))];
    for (guests, expected) in cases {
        assert_eq!(approval.approve(now, Which::Mac(ONE), guests), expected);
        assert_eq!(approval.kept(), Kept::default());
    }
    let asked = Guests { ask: true, ..listed };
    assert_eq!(approval.approve(now, Which::Mac(ONE), &asked), Ok(ONE), "those who are not listed are asked about");
    assert_eq!(approval.approve(now, Which::Mac(TWO), &Guests::default()), Ok(TWO), "nobody is asked about, and later");
}

#[test]
fn what_another_service_decided_is_taken_over() {
    let known = |mac, product: Option<&str>| Approved { mac, product: product.map(str::to_owned) };
    let mut kept = Kept::default();
    for change in [Change::Approved(known(TWO, Some("OptiPlex"))), Change::Approved(known(ONE, None))] {
        kept.apply(&change);
        kept.apply(&change);
    }
    kept.apply(&Change::Approved(known(TWO, None)));
    assert_eq!(kept.computers, [known(ONE, None), known(TWO, Some("OptiPlex"))], "a name stays");
    let (mut approval, now) = (Approval::default(), Instant::now());
    ask(&mut approval, now, ONE, 1);
    approval.adopt(kept.clone());
    assert_eq!((ask(&mut approval, now, ONE, 1), approval.kept()), (Answer::Menu, kept.clone()));
    approval.refuse(now, Which::Mac(ONE)).unwrap();
    assert_eq!(approval.change(ONE), Change::Removed(ONE));
    kept.apply(&approval.change(ONE));
    assert_eq!(kept, approval.kept());
}
