//! While the services run: computers, the log, and what can be changed.

use super::*;

#[test]
fn it_stops_after_the_time_that_was_chosen() {
    let mut app = serving();
    send(&mut app, Message::Overlay(overlay::Message::SafetyChanged(overlay::Change::StopAfter(Some("15m")))));
    let Serving::On { since, .. } = app.serving else { panic!("it serves") };
    let after = |seconds: i64| since + jiff::SignedDuration::from_secs(seconds);
    app.now = after(899);
    assert!(!app.is_due());
    app.now = after(900);
    assert!(app.is_due());
}

#[test]
fn stop_asks_only_while_somebody_boots() {
    let mut quiet = serving();
    send(&mut quiet, Message::Serve(serve::Message::Stopped));
    assert!(quiet.overlay.is_none());
    let mut busy = serving_for(40);
    assert!(busy.journal.active(busy.now).next().is_some());
    send(&mut busy, Message::Serve(serve::Message::Stopped));
    assert!(matches!(&busy.overlay, Some(Overlay::Question(Question { then: Then::Stop, .. }))));
    send(&mut busy, Message::Overlay(overlay::Message::Closed));
    send(&mut busy, Message::CloseRequested(window::Id::unique()));
    assert!(matches!(&busy.overlay, Some(Overlay::Question(Question { then: Then::Close, .. }))));
    assert!(matches!(busy.serving, Serving::On { .. }), "nothing ends without an answer");
}

#[test]
fn what_protects_can_be_changed_while_serving() {
    let mut app = serving_for(75);
    send(&mut app, Message::Serve(serve::Message::SafetyAsked));
    assert!(shows(&app, "Who may boot and the time to stop count at once, the rest from the next start."));
    let here: Vec<crate::mac::Mac> = app.journal.computers().map(|computer| computer.mac).collect();
    assert!(here.len() > 1 && shows(&app, "Only those that are here now"));
    for change in [overlay::Change::Allow(here.clone()), overlay::Change::AskFirst(true)] {
        send(&mut app, Message::Overlay(overlay::Message::SafetyChanged(change)));
    }
    assert_eq!((app.draft.allow.clone(), app.draft.guests().ask), (here, true));
}

#[test]
fn beside_another_server_the_services_start_again_in_the_mode_for_that() {
    let mut app = serving_beside();
    let title = "192.168.1.1 (4c:5e:0c:00:00:01, Routerboard.com) gives addresses on this network too, so Bootwright has stopped handing them out.";
    assert!(shows(&app, title));
    send(&mut app, Message::Serve(serve::Message::WorkBeside));
    assert!(
        matches!(&app.overlay, Some(Overlay::Question(Question { then: Then::WorkBeside, .. }))),
        "some are booting"
    );
    send(&mut app, Message::Overlay(overlay::Message::Confirmed(Then::WorkBeside)));
    assert_eq!(app.draft.dhcp, Some(crate::deployment::DhcpMode::Proxy));
    assert!(app.draft.range.is_none() && app.mode_by_hand, "and no range with it");
}

#[test]
fn the_answers_are_locked_while_serving() {
    let mut app = serving();
    for step in [Step::Network, Step::Images, Step::Menu, Step::Check] {
        send(&mut app, Message::Visited(step));
        assert_eq!(app.step, Step::Serve);
    }
    let run = app.serve_run;
    send(&mut app, Message::EngineEnded(run));
    assert!(matches!(app.serving, Serving::Ended(None)));
    send(&mut app, Message::Visited(Step::Images));
    assert_eq!(app.step, Step::Images);
}

#[test]
fn a_boot_moves_along_its_card() {
    let mut app = serving();
    let recording = demo::recorded("debian-live-uefi").unwrap();
    let mut stages = Vec::new();
    for event in recording.shifted(at(0), None) {
        let _ = app.events(&[event]);
        let stage = app.journal.by_activity().first().map(|computer| computer.stage);
        if stages.last() != Some(&stage) {
            stages.push(stage);
        }
    }
    assert!(stages.len() >= 5, "{stages:?}");
    assert!(stages.is_sorted(), "{stages:?}");
    assert_eq!(app.title(), "1 computer – Bootwright");
    assert!(app.log.total() > 10);
}

#[test]
fn cards_do_not_jump_from_under_the_pointer() {
    let mut app = serving_many(3);
    let order = |app: &App| app.serve.order().to_vec();
    let before = order(&app);
    send(&mut app, Message::Serve(serve::Message::Hovered(true)));
    let oldest = *before.last().unwrap();
    let event = Event {
        time: at(90),
        mac: Some(oldest),
        ip: None,
        role: None,
        what: What::Service(Note::Menu { platform: None, uuid: None, product: None, memory_mb: None }),
    };
    let _ = app.events(std::slice::from_ref(&event));
    assert_eq!(order(&app), before);
    send(&mut app, Message::Serve(serve::Message::Hovered(false)));
    let _ = app.events(&[event]);
    assert_eq!(order(&app).first(), Some(&oldest));
}

#[test]
fn nothing_is_added_while_serving() {
    let mut app = serving();
    let before = app.draft.clone();
    send(&mut app, Message::FilesFound(vec!["/images/late.iso".into()]));
    send(&mut app, Message::FileDropped("/images/late.iso".into()));
    send(&mut app, Message::DropsOver);
    assert_eq!(app.draft, before);
    assert_eq!(app.step, Step::Serve);
}

#[test]
fn what_keeps_a_computer_is_on_its_card_in_its_timeline_and_in_the_log() {
    let mut app = serving_for(75);
    let mac = kept(&app);
    let cause = app.watch.trouble(mac).expect("a cause").clone();
    let heading = crate::journal::wording::cause_heading(&cause);
    assert!(heading.contains("Secure Boot") && shows(&app, &heading), "{heading}");
    let told = |app: &App| app.log.lines().iter().filter(|line| line.words.starts_with(&heading)).count();
    assert_eq!(told(&app), 1, "once");
    send(&mut app, Message::Ticked(at(76)));
    assert_eq!(told(&app), 1, "and no more");
    send(&mut app, Message::Opened(Overlay::Timeline(mac)));
    let all = app.watch.causes(mac).iter().map(crate::journal::wording::cause_heading);
    for heading in all.collect::<Vec<_>>() {
        assert!(shows(&app, &heading), "{heading}");
    }
}

#[test]
fn nobody_is_hinted_at_after_two_minutes() {
    let hint = "No computer has asked for anything.";
    let mut app = serving();
    look(&mut app, 119);
    assert!(!shows(&app, hint));
    look(&mut app, 121);
    assert!(shows(&app, hint));
}

#[test]
fn help_explains_what_a_computer_shows() {
    let mut app = app("bench");
    send(&mut app, Message::Opened(Overlay::Help(String::new())));
    assert!(!shows(&app, "Shown by UEFI firmware."));
    let typed = |text: &str| Message::Overlay(overlay::Message::HelpTyped(text.into()));
    send(&mut app, typed("pxe e18"));
    assert!(shows(&app, "PXE-E18: Server response timeout") && shows(&app, "Shown by UEFI firmware."));
    send(&mut app, typed("my cat"));
    assert!(shows(
        &app,
        "Nothing is known of that. Type the line as it stands on the screen, or its code, like PXE-E18."
    ));
}

#[test]
fn strangers_are_asked_about_and_computers_denied_by_the_persons_word() {
    let mut app = on_menu();
    assert!(shows(&app, "Who gets this menu") && app.draft.ask_first.is_none());
    send(&mut app, Message::Menu(menu::Message::AskPicked(true)));
    assert_eq!(app.draft.ask_first, Some(true));
    send(&mut app, Message::Menu(menu::Message::AskPicked(false)));
    assert_eq!(app.draft.ask_first, None, "the usual needs no word in the file");
    let mut app = serving_strangers();
    assert!(shows(&app, "Waits for your approval: 4821") && shows(&app, "Approve"));
    let mac = app.journal.computers().next().unwrap().mac;
    for (again, word) in [(false, "Answer again"), (true, "Never answer")] {
        send(&mut app, Message::Overlay(overlay::Message::AnswerPicked(mac, again)));
        assert_eq!(app.draft.deny.contains(&mac), !again);
        app.overlay = Some(Overlay::Timeline(mac));
        assert!(shows(&app, word), "{word}");
    }
    // Approved, it waits no more.
    let note = crate::journal::What::Service(crate::journal::Note::Approved);
    let _ = app.events(&[Event { time: at(76), mac: Some(mac), ip: None, role: None, what: note }]);
    (app.now, app.overlay) = (at(76), None);
    assert!(!shows(&app, "Waits for your approval: 4821") && shows(&app, "Waits for your approval: 0042"));
}

#[test]
fn enter_does_not_stop_what_others_depend_on() {
    let mut app = serving();
    press(&mut app, iced::keyboard::key::Named::Enter);
    assert!(matches!(app.serving, Serving::On { .. }) && app.overlay.is_none());
    send(&mut app, Message::Opened(Overlay::Jobs));
    press(&mut app, iced::keyboard::key::Named::Escape);
    press(&mut app, iced::keyboard::key::Named::Enter);
    assert!(matches!(app.serving, Serving::On { .. }) && app.overlay.is_none());
}

#[test]
fn who_needs_somebody_is_the_first() {
    let mut app = serving_for(75);
    let kept = kept(&app);
    let order = app.serve.order().to_vec();
    assert!(order.len() > 1 && order[0] == kept, "{kept} of {order:?}");
    assert!(shows(&app, "1 needs you"));
    app.serve = serve::Serve::default();
    send(&mut app, Message::Serve(serve::Message::TabPicked(serve::Tab::Log)));
    send(&mut app, Message::Serve(serve::Message::TroubleAsked));
    assert_eq!(app.serve.tab(), serve::Tab::Computers);
}

#[test]
fn a_line_of_the_log_is_shown_whole() {
    let mut app = serving_for(75);
    send(&mut app, Message::Serve(serve::Message::TabPicked(serve::Tab::Log)));
    send(&mut app, Message::Serve(serve::Message::LevelPicked(crate::journal::wording::Level::Problem)));
    let line = app.log.window(0, 1).next().expect("a problem").clone();
    assert!(!shows(&app, "This computer"));
    send(&mut app, Message::Serve(serve::Message::LinePicked(Box::new(line))));
    assert!(shows(&app, "This computer"));
    send(&mut app, Message::Serve(serve::Message::LineClosed));
    assert!(!shows(&app, "This computer"));
}

#[test]
fn what_was_switched_on_stands_beside_the_address() {
    let mut app = serving();
    assert!(!shows(&app, "enp3s0 · http://10.77.0.1 · asks you first · stops at 15:15"));
    send(&mut app, Message::Overlay(overlay::Message::SafetyChanged(overlay::Change::StopAfter(Some("15m")))));
    send(&mut app, Message::Overlay(overlay::Message::SafetyChanged(overlay::Change::AskFirst(true))));
    assert!(shows(&app, "enp3s0 · http://10.77.0.1 · asks you first · stops at 15:15"));
}

#[test]
fn computers_that_may_boot_are_named_in_the_window() {
    let mut app = serving();
    app.overlay = Some(Overlay::Safety(String::new()));
    let typed = |text: &str| Message::Overlay(overlay::Message::AllowTyped(text.into()));
    send(&mut app, typed("front desk"));
    assert!(shows(&app, "front is no hardware address. It has six pairs of digits."));
    send(&mut app, Message::Overlay(overlay::Message::AllowGiven));
    assert!(app.draft.allow.is_empty(), "nothing of it counts");
    for text in ["52:54:00:77:01:01", "52-54-00-77-01-02, 52:54:00:77:01:02, 52:54:00:77:01:01"] {
        send(&mut app, typed(text));
        send(&mut app, Message::Overlay(overlay::Message::AllowGiven));
    }
    assert_eq!(app.draft.allow.len(), 2);
}
