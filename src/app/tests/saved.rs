//! What is kept from one window to the next.

use super::*;

#[test]
fn what_cannot_be_saved_is_told_once_and_what_comes_next_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _guard = runtime.enter();
    let mut app = at_home(folder.path());
    app.draft.menu_timeout = Some(3);
    let tried = app.draft.clone();
    let error = SaveError::Unwritable { reason: "for a test".into() };
    let _ = app.update(Message::AutoSaved(Box::new(tried), Arc::new(Err(error))));
    assert!(app.notice.take().is_some() && !app.save_pending && app.lock.is_some());
    let _ = app.update(Message::NoticeClosed);
    assert!(!app.save_pending, "the same answers are not tried again");
    app.draft.menu_timeout = Some(4);
    let _ = app.update(Message::NoticeClosed);
    assert!(app.save_pending);
    let task = app.update(Message::SaveDue);
    let mut stream = task::into_stream(task).unwrap();
    let Some(Action::Output(message)) = runtime.block_on(stream.next()) else { panic!("an answer") };
    let _ = app.update(message);
    assert_eq!(app.saved_draft.menu_timeout, Some(4));
    assert!(std::fs::read_to_string(folder.path().join("state/current.toml")).unwrap().contains("menu-timeout = 4"));
}

/// A window with its files in this folder. What it begins is never run, so it asks no network.
fn at_home(folder: &Path) -> App {
    let places = crate::deployment::Places { loaders: vec![], state: folder.join("state"), data: folder.join("data") };
    App::begin(World::Real(Arc::new(places)), None).0
}

#[test]
fn a_second_window_saves_nothing_by_itself_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let first = at_home(folder.path());
    assert!(first.lock.is_some() && first.notice.is_none());
    let second = at_home(folder.path());
    assert!(second.lock.is_none());
    assert_eq!(second.notice.unwrap().title, "Another Bootwright window is open.");
    drop(first);
    assert!(at_home(folder.path()).lock.is_some(), "free again");
}

#[test]
fn a_broken_deployment_is_told_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state/current.toml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, "interface = ").unwrap();
    let mut app = at_home(folder.path());
    assert!(app.notice.as_ref().is_some_and(|notice| notice.title.contains("current.toml has a mistake")));
    app.draft.interface = Some("eth7".into());
    let _ = app.close_window();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "interface = ");
}

#[test]
fn a_state_folder_that_cannot_be_written_is_told_and_the_window_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("state"), "a file where the folder should be").unwrap();
    let mut app = at_home(folder.path());
    assert!(app.lock.is_none() && app.notice.is_some());
    send(&mut app, Message::NoticeClosed);
    assert!(app.notice.is_none());
}

#[test]
fn answers_come_back_in_the_next_window() {
    let folder = tempfile::tempdir().unwrap();
    let mut app = at_home(folder.path());
    app.draft.choose_network("eth7", DhcpMode::Full, Some("10.77.0.5-10.77.0.9"));
    app.draft.menu_timeout = Some(7);
    let _ = app.close_window();
    drop(app);
    let again = at_home(folder.path());
    assert_eq!(again.draft.range.as_deref(), Some("10.77.0.5-10.77.0.9"));
    assert_eq!(again.draft.menu_timeout, Some(7));
}

#[test]
fn a_bench_of_yesterday_is_no_reason_to_hand_out_addresses_in_an_office() {
    let mut app = app("office");
    let bench = Settings {
        interface: Some("enp0s31f6".into()),
        dhcp: Some(DhcpMode::Full),
        range: Some("192.168.1.50-192.168.1.60".into()),
        ..Settings::default()
    };
    let task = app.take_over(bench);
    settle(&mut app, task);
    assert_eq!((app.draft.dhcp, app.draft.range.as_deref()), (Some(DhcpMode::Proxy), None));
    send(&mut app, Message::Network(network::Message::ModePicked(DhcpMode::Full)));
    assert_eq!(app.draft.range.as_deref(), Some("192.168.1.50-192.168.1.60"), "it comes back with the mode");
}
