//! The way from the first page to the start.

use super::*;

#[test]
fn an_answer_file_is_shown_for_each_computer_of_the_list() {
    let mut app = with_answers("tests/answers/preseed.cfg");
    assert!(shows(&app, "For 52:54:00:77:01:02, 2 of 3"));
    assert!(shows(&app, "1 entry has an answer file."));
    send(&mut app, Message::Menu(menu::Message::PreviewStepped(5)));
    fill_in(&mut app);
    assert!(shows(&app, "For 52:54:00:77:01:03, 3 of 3"));
    assert!(app.primary().message.is_some());
    // An image that goes takes its answer file along.
    let path = app.imports[0].path.clone();
    send(&mut app, Message::Images(images::Message::Removed(path)));
    assert!(app.draft.answers.entry.is_empty());
}

#[test]
fn an_answer_file_that_is_not_there_stops_the_way() {
    let app = with_answers("tests/answers/none.cfg");
    assert!(app.primary().message.is_none());
    assert_eq!(app.primary().reason.as_deref(), Some("none.cfg cannot be used"));
}

#[test]
fn a_pasted_checksum_is_compared_and_a_wrong_one_told() {
    let mut app = with_images("bench");
    let path = app.imports[0].path.clone();
    send(&mut app, Message::ChecksumPasted(path.clone(), Some("hello".into())));
    assert!(matches!(app.imports[0].checksum, images::Checksum::Unknown));
    let said =
        "The clipboard has no checksum for it. There is no checksum in it. A SHA-256 has 64 digits, 0 to 9 and a to f.";
    assert!(shows(&app, said));
    let task = app.update(Message::ChecksumPasted(path, Some("ab".repeat(32))));
    assert!(matches!(app.imports[0].checksum, images::Checksum::Running(..)));
    drop(task);
}

#[test]
fn the_way_goes_from_the_first_page_to_the_start() {
    let mut app = app("bench");
    assert!(shows(&app, "Use this network"));
    click(&mut app, "Use this network");
    assert_eq!(app.step, Step::Images);
    click(&mut app, "Choose files…");
    assert_eq!(app.imports.len(), 3);
    assert!(shows(&app, "Debian Live 12.11.0"));
    click(&mut app, "Use these images");
    click(&mut app, "Check everything");
    assert_eq!(app.step, Step::Check);
    assert!(app.checks.findings().iter().all(|finding| finding.verdict != crate::check::Verdict::Blocks));
    assert!(shows(&app, "Start serving"));
    assert_eq!(app.title(), "Check – Bootwright");
    click(&mut app, "Back");
    assert_eq!(app.step, Step::Menu);
}

#[test]
fn enter_and_escape_walk_the_same_way() {
    use iced::keyboard::key::Named;
    let mut app = app("bench");
    press(&mut app, Named::Enter);
    assert_eq!(app.step, Step::Images);
    press(&mut app, Named::Enter);
    assert_eq!(app.step, Step::Images, "nothing to use yet");
    send(&mut app, Message::Images(images::Message::BrowseAsked));
    press(&mut app, Named::Enter);
    press(&mut app, Named::Enter);
    assert_eq!(app.step, Step::Check);
    press(&mut app, Named::Escape);
    assert_eq!(app.step, Step::Menu);
    press(&mut app, Named::F1);
    assert!(matches!(app.overlay, Some(Overlay::Help(_))));
    press(&mut app, Named::Enter);
    assert_eq!(app.step, Step::Menu, "Enter belongs to the overlay");
    press(&mut app, Named::Escape);
    assert!(app.overlay.is_none());
}

#[test]
fn the_mode_follows_what_the_network_says_until_a_person_decides() {
    let quiet = app("bench");
    assert_eq!(quiet.draft.dhcp, Some(DhcpMode::Full));
    let mut office = app("office");
    assert_eq!(office.draft.dhcp, Some(DhcpMode::Proxy));
    send(&mut office, Message::Network(network::Message::ModePicked(DhcpMode::Full)));
    send(&mut office, Message::Network(network::Message::AskedAgain));
    assert_eq!(office.draft.dhcp, Some(DhcpMode::Full), "the person's word stays");
    send(&mut office, Message::Network(network::Message::Continued));
    let Some(Overlay::Question(asked)) = &office.overlay else { panic!("it asks") };
    assert!(asked.words.contains("192.168.1.1") && asked.words.contains("enp0s31f6"), "{}", asked.words);
    assert_eq!(office.step, Step::Network);
    send(&mut office, Message::Overlay(overlay::Message::Confirmed(Then::UseFullMode)));
    assert_eq!(office.step, Step::Images);
}

#[test]
fn a_range_is_judged_while_it_is_typed() {
    let mut app = app("bench");
    let cases = [
        ("10.77.0.50-10.77.0.60", None),
        ("10.77.0.60-10.77.0.50", Some("ends before it begins")),
        ("10.77.0.50-10.77.9.60", Some("is not inside")),
        ("10.77.0.", Some("is not a range")),
        ("🙂\u{202e}", Some("is not a range")),
    ];
    for (typed, complaint) in cases {
        send(&mut app, Message::Network(network::Message::RangeTyped(typed.into())));
        let primary = app.network.primary(app.network_context());
        assert_eq!(primary.message.is_some(), complaint.is_none(), "{typed}");
        assert_eq!(primary.cause, complaint.map(|_| network::range_id()), "{typed}");
    }
    send(&mut app, Message::Network(network::Message::RangeTyped("10.77.0.1-10.77.0.9".into())));
    let words = "This range can be used; 10.77.0.1 belongs to this computer or its router and is left out.";
    assert!(shows(&app, words));
    send(&mut app, Message::Network(network::Message::RangeTyped(" ".into())));
    assert_eq!(app.draft.range, None, "empty is the proposal");
}

#[test]
fn a_late_answer_of_another_network_is_dropped() {
    let mut app = app("bench");
    send(&mut app, Message::Probed(0, Probe::Unable(engine::probe::ProbeError::NoRights)));
    assert!(matches!(app.asking, Asking::Heard(Probe::Nobody)));
}

#[test]
fn an_interface_that_goes_is_told_on_each_page() {
    for step in [Step::Network, Step::Images, Step::Menu, Step::Check] {
        let mut app = with_images("bench");
        let task = app.go_to(step);
        settle(&mut app, task);
        let left: Vec<Interface> =
            app.interfaces.iter().filter(|interface| interface.name != "enp3s0").cloned().collect();
        send(&mut app, Message::InterfacesChanged(left));
        assert!(app.interface().is_none());
        assert_eq!(app.draft.interface.as_deref(), Some("enp3s0"), "the answer is kept");
        assert!(shows(&app, "enp3s0 is not there any more."), "{step:?}");
        assert!(app.network.primary(app.network_context()).message.is_none());
    }
}

#[test]
fn forty_files_at_once_are_read_some_at_a_time() {
    let mut app = app("bench");
    let _ = app.go_to(Step::Images);
    let paths: Vec<PathBuf> = (0..40).map(|number| PathBuf::from(format!("/images/{number}.iso"))).collect();
    let task = app.update(Message::FilesFound(paths.clone()));
    let reading = app.imports.iter().filter(|import| matches!(import.state, images::State::Reading)).count();
    assert_eq!((app.imports.len(), reading), (40, images::AT_ONCE));
    settle(&mut app, task);
    let failed = app.imports.iter().filter(|import| matches!(import.state, images::State::Failed(_))).count();
    assert_eq!(failed, 40, "a described machine has none of them");
    assert!(shows(&app, "There is no file /images/0.iso."));
    send(&mut app, Message::FilesFound(paths));
    assert_eq!(app.imports.len(), 40, "none is there twice");
    assert!(shows(&app, "40 of them are there already."));
}

#[test]
fn hostile_names_are_shown_without_their_tricks() {
    let tricks =
        |text: &str| text.chars().any(|letter| letter.is_control() || ('\u{202a}'..='\u{202e}').contains(&letter));
    let tricky = |candidate: Candidate<'_>| match candidate {
        Candidate::Text { content, .. } if tricks(content) => Some(content.to_owned()),
        _ => None,
    };
    for app in [app("trouble"), with_images("trouble")] {
        let found = simulator(&app, Size::new(1200.0, 4000.0)).find(tricky);
        assert!(found.is_err(), "{found:?}");
    }
}

#[test]
fn edits_of_the_menu_are_answers() {
    let mut app = on_menu();
    let menu = |message| Message::Menu(message);
    send(&mut app, menu(menu::Message::TitleTyped("memtest86plus".into(), "Test the memory".into())));
    send(&mut app, menu(menu::Message::Moved("memtest86plus".into(), -1)));
    send(&mut app, menu(menu::Message::Hidden("grub-rescue".into(), true)));
    send(&mut app, menu(menu::Message::DefaultPicked(Some("memtest86plus".into()))));
    send(&mut app, menu(menu::Message::TimeoutTyped("5".into())));
    send(&mut app, menu(menu::Message::TimeoutTyped("x".into())));
    let model = app.draft.menu(&app.imports.iter().filter_map(Import::inspection).cloned().collect::<Vec<_>>());
    let titles: Vec<&str> = model.items.iter().map(|item| item.entry.title.as_str()).collect();
    assert_eq!(titles, ["Test the memory", "Debian Live 12.11.0"]);
    assert_eq!((model.default, model.timeout), (Choice::Entry("memtest86plus".into()), 5));
    send(&mut app, menu(menu::Message::TimeoutTyped(String::new())));
    assert_eq!(app.primary().reason.as_deref(), Some("The time needs a number up to 86400"));
    send(&mut app, menu(menu::Message::TimeoutTyped("7".into())));
    send(&mut app, menu(menu::Message::AppendAllTyped("quiet || shell".into())));
    assert_eq!(app.primary().reason.as_deref(), Some("The extra arguments cannot be used"));
    send(&mut app, menu(menu::Message::Hidden("memtest86plus".into(), true)));
    assert_eq!(app.draft.default_entry, None, "what is hidden does not start by itself");
}

#[test]
fn a_start_that_fails_leaves_everything_as_it_was() {
    let mut app = on_check();
    app.starting = Starting::Binding;
    let source =
        BindError { transport: Transport::Udp, port: 67, holder: None, source: std::io::ErrorKind::AddrInUse.into() };
    let error = engine::Error::Bind { interface: "enp3s0".into(), source };
    let run = app.serve_run;
    send(&mut app, Message::Engine(run, Parcel::new(Update::Failed(error))));
    send(&mut app, Message::EngineEnded(run));
    assert!(app.is_idle() && app.step == Step::Check && matches!(app.serving, Serving::No));
    assert!(shows(&app, "UDP port 67 is held by another program."));
    app.starting = Starting::Asking;
    send(&mut app, Message::Acquired(Err(Arc::new(PrivilegeError::Dismissed))));
    assert!(app.is_idle() && app.failure.is_some());
}

#[test]
fn a_rehearsal_counts_for_the_answers_that_it_was_made_with() {
    let app = on_check();
    assert!(shows(&app, "Rehearse"));
    let mut app = rehearsed(true);
    assert!(shows(&app, "2 things fail. It took 0.9 s.") && shows(&app, "Gets to its menu"));
    assert!(shows(&app, "grub-http-arm64.efi is empty."));
    let run = app.rehearsal_run;
    let task = app.go_to(Step::Check);
    settle(&mut app, task);
    assert!(matches!(app.rehearsal, Rehearsal::Over(..)), "nothing has changed");
    app.draft.append = Some("quiet".into());
    let task = app.go_to(Step::Check);
    settle(&mut app, task);
    assert!(matches!(app.rehearsal, Rehearsal::NotYet));
    send(&mut app, Message::Rehearsing(run, Box::new(Rehearsal::Running(vec![]))));
    assert!(matches!(app.rehearsal, Rehearsal::NotYet), "a late word of the one before");
}

#[test]
fn a_firewall_is_opened_by_a_button_and_left_alone_by_another() {
    let mut app = behind_a_firewall();
    assert_eq!(app.primary().reason.as_deref(), Some("1 thing to fix"));
    assert!(shows(&app, "The firewall (ufw) keeps computers out on enp3s0."));
    send(&mut app, Message::Check(check::Message::Mended(crate::check::Remedy::OpenFirewall)));
    assert_eq!(app.draft.firewall, Some(crate::deployment::Firewall::Open));
    send(&mut app, Message::Check(check::Message::Mended(crate::check::Remedy::LeaveFirewall)));
    assert_ne!(app.draft.firewall, Some(crate::deployment::Firewall::Open));
}

#[test]
fn no_step_is_skipped_that_has_no_answer() {
    let mut app = on_check();
    let task = app.go_to(Step::Network);
    settle(&mut app, task);
    assert!(app.may_visit(Step::Check), "all is answered");
    app.imports[0].state = images::State::Reading;
    assert!(app.may_visit(Step::Images) && !app.may_visit(Step::Menu) && !app.may_visit(Step::Check));
    send(&mut app, Message::Network(network::Message::RangeTyped("10.77.0.9-10.77.0.5".into())));
    assert!(!app.may_visit(Step::Images));
}

#[test]
fn every_way_to_a_start_asks_before_two_servers_give_addresses() {
    let mut app = app("office");
    app.reached = Step::Check;
    send(&mut app, Message::Network(network::Message::ModePicked(DhcpMode::Full)));
    app.step = Step::Check;
    let _ = app.start();
    assert!(matches!(&app.overlay, Some(Overlay::Question(Question { then: Then::UseFullMode, .. }))));
    assert!(app.is_idle());
    app.overlay = None;
    send(&mut app, Message::Network(network::Message::AskedAgain));
    assert!(!app.two_servers_meant, "a new answer is asked about anew");
}

#[test]
fn files_that_are_dropped_together_keep_their_order() {
    let mut app = app("bench");
    for number in 0..40 {
        let _ = app.update(Message::FileDropped(format!("/images/{number}.iso").into()));
    }
    assert_eq!(app.dropped.len(), 40);
    send(&mut app, Message::DropsOver);
    let names: Vec<String> = app.imports.iter().map(|import| import.path.to_string_lossy().into_owned()).collect();
    assert_eq!(names, (0..40).map(|number| format!("/images/{number}.iso")).collect::<Vec<_>>());
    assert_eq!(app.step, Step::Images);
}

#[test]
fn a_file_that_is_there_and_again_is_read_once() {
    let mut app = with_images("bench");
    let path = app.imports[0].path.clone();
    let late = Err(Arc::new(DiscError::NotAnImage { path: path.clone() }));
    send(&mut app, Message::Inspected(path, late));
    assert!(app.imports[0].inspection().is_some(), "a late answer changes nothing");
}

#[test]
fn a_password_that_was_typed_twice_counts_without_a_word_more() {
    let typed = |second: bool, text: &str| Message::Menu(menu::Message::PasswordTyped(second, text.into()));
    let opened = || {
        let mut app = on_menu();
        let id = app.items[0].id.clone();
        send(&mut app, Message::Menu(menu::Message::Unfolded(id)));
        send(&mut app, typed(false, "sesame"));
        app
    };
    let mut app = opened();
    assert_eq!(app.primary().reason.as_deref(), Some("The new password cannot be kept yet"));
    send(&mut app, typed(true, "sesame"));
    send(&mut app, Message::Menu(menu::Message::Continued));
    let hash = app.draft.entry.iter().find_map(|edit| edit.password_hash.as_ref());
    assert!(app.step == Step::Check && hash.is_some_and(|hash| hash.fits("sesame")));
    let mut app = opened();
    send(&mut app, typed(true, "sesame"));
    send(&mut app, Message::WentBack);
    assert!(app.draft.entry.iter().any(|edit| edit.password_hash.is_some()), "the other way out as well");
    let mut app = opened();
    send(&mut app, typed(true, "sesame"));
    let other = app.items[1].id.clone();
    send(&mut app, Message::Menu(menu::Message::Unfolded(other)));
    assert!(app.draft.entry.iter().any(|edit| edit.password_hash.is_some()), "and the next entry");
}
