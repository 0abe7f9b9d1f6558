//! The window on described machines: what each page does about each message, how it is drawn, and scripts that click
//! through it.
//!
//! Golden pictures lie in `tests/golden/pages` by their hashes, in both themes. After a change that is meant, draw them
//! anew and look at them (the folder of pictures must be empty):
//!
//! ```text
//! BOOTWRIGHT_GOLDEN=write BOOTWRIGHT_PICTURES=target/pages cargo test --lib app::tests
//! ```

use std::path::Path;

use futures_util::StreamExt;
use iced::{Preset, Settings as IcedSettings};
use iced_test::runtime::{Action, task};
use iced_test::selector::Candidate;
use iced_test::simulator::{Simulator, tap_key};
use jiff::SignedDuration;

use super::overlay::{Question, Then};
use super::*;
use crate::boot::menu::Default as Choice;
use crate::deployment::DhcpMode;
use crate::engine;
use crate::journal::{Event, Note, What};
use crate::net::ports::Transport;
use crate::net::socket::BindError;

const SMALL: Size = Size::new(900.0, 600.0);

/// An app on a described machine, with everything answered that it asked at the start.
fn app(machine: &str) -> App {
    let (mut app, task) = App::begin(World::Described(Arc::new(Machine::named(machine).unwrap())), None);
    app.size = SMALL;
    settle(&mut app, task);
    app
}

/// Lets the app do a message and all that follows from it at once.
fn send(app: &mut App, message: Message) {
    let task = app.update(message);
    settle(app, task);
}

/// Runs what was begun until it waits for time or for a person.
fn settle(app: &mut App, task: iced::Task<Message>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut messages = Vec::new();
    if let Some(mut stream) = task::into_stream(task) {
        runtime.block_on(async {
            let gather = async {
                while let Some(action) = stream.next().await {
                    if let Action::Output(message) = action {
                        messages.push(message);
                    }
                }
            };
            // Actions on widgets and on the system are never answered here; whatever is, is answered at once.
            let patience = async {
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! { biased; () = gather => {}, () = patience => {} }
        });
    }
    for message in messages {
        let _guard = runtime.enter();
        let task = app.update(message);
        settle(app, task);
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_764_082_800 + second).unwrap()
}

/// With images on the Images page.
fn with_images(machine: &str) -> App {
    let mut app = app(machine);
    let _ = app.go_to(Step::Images);
    send(&mut app, Message::Images(images::Message::BrowseAsked));
    app
}

fn on_menu() -> App {
    let mut app = with_images("bench");
    let _ = app.go_to(Step::Menu);
    app
}

/// The Menu page of a training lab, with an answer file shown for the second computer of its list.
fn with_answers(file: &str) -> App {
    let mut app = with_images("lab");
    let _ = app.go_to(Step::Menu);
    let menu = |message| Message::Menu(message);
    let change = |change| menu(menu::Message::AnswersChanged(change));
    send(&mut app, change(answers::Change::List("tests/answers/computers.csv".into())));
    send(&mut app, change(answers::Change::File("debian-installer".into(), file.into())));
    let settings = app.draft.answers.clone();
    let read = Arc::new(answer::Answers::load(&settings));
    send(&mut app, Message::AnswersRead(Box::new(settings), read));
    send(&mut app, menu(menu::Message::Unfolded("debian-installer".into())));
    send(&mut app, menu(menu::Message::PreviewToggled("debian-installer".into())));
    fill_in(&mut app);
    send(&mut app, menu(menu::Message::PreviewStepped(1)));
    fill_in(&mut app);
    app
}

/// Does what waits for another thread: fills in what the Menu page shows.
fn fill_in(app: &mut App) {
    let (entry, at) = app.menu.previewed().map(|(entry, at)| (entry.to_owned(), at)).expect("a preview");
    let shown = answers::Shown::of(app.answers.as_ref().expect("answers"), &entry, at);
    send(app, Message::FilledIn(entry, at, shown));
}

fn on_check() -> App {
    let mut app = on_menu();
    let task = app.go_to(Step::Check);
    settle(&mut app, task);
    app
}

/// On the Check page, with everything rehearsed; two things fail where that is wanted.
fn rehearsed(fails: bool) -> App {
    use crate::rehearsal::{By, Fault, Firmware, Outcome, Start, driver::Trouble};
    let mut app = on_check();
    send(&mut app, Message::Check(check::Message::Rehearsed));
    let Rehearsal::Over(_, report) = &mut app.rehearsal else { panic!("{:?}", app.rehearsal) };
    if fails {
        let file = "image/debian-live/live/vmlinuz".to_owned();
        let missing = Fault::Fetch { file, by: By::Http, trouble: Trouble::NotFound };
        let first = report.entries[0].id.clone();
        for row in &mut report.rows {
            row.entries.get_mut(&first).into_iter().for_each(|cell| cell.start = Start::Failed(missing.clone()));
        }
        let arm = report.rows.iter_mut().find(|row| row.firmware == Firmware::Arm64Http).unwrap();
        arm.entries.clear();
        arm.outcome = Outcome::Failed(Fault::Empty { file: "grub-http-arm64.efi".into() });
    }
    app
}

/// Serving, with nobody there yet.
fn serving() -> App {
    let mut app = on_check();
    let plan = app.plan().unwrap();
    app.step = Step::Serve;
    app.reached = Step::Serve;
    app.serving = Serving::On { plan: Box::new(plan), url: "http://10.77.0.1/".into(), since: at(0) };
    app.now = at(0);
    app
}

/// Serving, after so many seconds of the machine's story.
fn serving_for(seconds: i64) -> App {
    let mut app = serving();
    let story = Machine::named("bench").unwrap().story(at(0));
    let heard: Vec<Event> = story.into_iter().filter(|event| event.time <= at(seconds)).collect();
    let _ = app.events(&heard);
    look(&mut app, seconds);
    app
}

/// Lets the app look what keeps computers, so many seconds after its start.
fn look(app: &mut App, seconds: i64) {
    app.around = Some(Surroundings {
        mode: DhcpMode::Full,
        since: at(0),
        http_port: 80,
        default: None,
        timeout: 30,
        needs: Vec::new(),
        foreign: Vec::new(),
    });
    send(app, Message::Ticked(at(seconds)));
}

/// The computer of the machine's story that Secure Boot keeps.
fn kept(app: &App) -> crate::mac::Mac {
    let mut computers = app.journal.computers();
    computers.find(|computer| app.watch.trouble(computer.mac).is_some()).expect("one in trouble").mac
}

/// Serving many computers.
fn serving_many(count: u8) -> App {
    let mut app = serving();
    let recording = demo::recorded("debian-live-uefi").unwrap();
    for number in 0..count {
        let start = at(0).checked_add(SignedDuration::from_secs(i64::from(number))).unwrap();
        let mac = crate::mac::Mac([0x02, 0, 0, 0, 0, number]);
        let events: Vec<Event> =
            recording.shifted(start, Some(mac)).into_iter().filter(|event| event.time <= at(70)).collect();
        let _ = app.events(&events);
    }
    app.now = at(70);
    app
}

/// Serving, when another DHCP server is heard.
fn serving_beside() -> App {
    let mut app = serving_for(75);
    app.draft.dhcp = Some(crate::deployment::DhcpMode::Full);
    let note = crate::dhcp::Note::ForeignServer {
        server: [192, 168, 1, 1].into(),
        mac: "4c:5e:0c:00:00:01".parse().ok(),
        maker: Some("Routerboard.com".into()),
    };
    let event = Event { time: at(75), mac: None, ip: None, role: None, what: crate::journal::What::Dhcp(note) };
    let _ = app.events(&[event]);
    app.now = at(75);
    app
}

/// Serving, when two computers that nobody knows wait.
fn serving_strangers() -> App {
    let mut app = serving_for(75);
    let macs: Vec<crate::mac::Mac> = app.journal.computers().map(|computer| computer.mac).take(2).collect();
    let events: Vec<Event> = macs
        .into_iter()
        .zip(["4821", "0042"])
        .map(|(mac, code)| {
            let note = crate::journal::Note::Waiting { code: code.parse().unwrap(), product: None };
            Event { time: at(75), mac: Some(mac), ip: None, role: None, what: crate::journal::What::Service(note) }
        })
        .collect();
    let _ = app.events(&events);
    app.now = at(75);
    app
}

/// The menu with the first entry open, which starts once and has a password.
fn with_lock() -> App {
    let mut app = on_menu();
    let id = app.items[0].id.clone();
    for message in [
        menu::Message::OnceSet(id.clone(), true),
        menu::Message::Unfolded(id.clone()),
        menu::Message::PasswordTyped(false, "sesame".into()),
        menu::Message::PasswordTyped(true, "sesame".into()),
        menu::Message::PasswordSet(id),
        menu::Message::PasswordTyped(false, "new one".into()),
    ] {
        send(&mut app, Message::Menu(message));
    }
    app
}

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

/// On the Check page of a machine whose firewall keeps computers out.
fn behind_a_firewall() -> App {
    use crate::net::firewall::{Judgement, Look, Passage, Program};
    let mut app = on_check();
    let look = Look { program: Some(Program::Ufw), judgement: Some(Judgement::Dropped) };
    let passage = Passage::of("enp3s0", &engine::incoming(true, Some(80)));
    let finding = crate::check::firewall(&look, &passage, crate::deployment::Firewall::Leave);
    app.checks = Checks::Done([vec![finding], app.checks.findings().to_vec()].concat());
    app
}

/// Every state that has a picture.
fn states() -> Vec<(&'static str, App)> {
    let mut states: Vec<(&'static str, App)> = vec![
        ("network-quiet", app("bench")),
        ("network-server", app("office")),
        ("network-none", app("bare")),
        ("network-no-address", app("trouble")),
        ("images-many", with_images("bench")),
        ("images-error", with_images("trouble")),
        ("menu", on_menu()),
        ("images-lab", with_images("lab")),
        ("menu-answers", with_answers("tests/answers/preseed.cfg")),
        ("menu-answers-missing", with_answers("tests/answers/none.cfg")),
        ("check", on_check()),
        ("check-firewall", behind_a_firewall()),
        ("check-rehearsed", rehearsed(false)),
        ("check-rehearsal-fails", rehearsed(true)),
        ("serve-nobody", serving()),
        ("serve-some", serving_for(75)),
        ("serve-many", serving_many(40)),
        ("serve-foreign", serving_beside()),
        ("serve-waiting", serving_strangers()),
    ];
    let mut safety = on_check();
    safety.overlay = Some(Overlay::Safety);
    states.push(("safety", safety));
    states.push(("menu-locked", with_lock()));
    let mut empty = app("bench");
    let _ = empty.go_to(Step::Images);
    states.push(("images-empty", empty));
    let mut reading = app("bench");
    let _ = reading.go_to(Step::Images);
    reading.imports = vec![Import::new("/images/debian.iso".into())];
    reading.imports[0].state = images::State::Reading;
    states.push(("images-reading", reading));
    let mut one = with_images("bench");
    for path in Machine::named("bench").unwrap().files().into_iter().skip(1) {
        send(&mut one, Message::Images(images::Message::Removed(path)));
    }
    states.push(("images-one", one));
    let mut gone = app("bench");
    gone.interfaces.retain(|interface| interface.name != "enp3s0");
    states.push(("network-gone", gone));
    let mut blocked = on_check();
    blocked.interfaces.clear();
    blocked.draft.interface = Some("enp9s0".into());
    let task = blocked.go_to(Step::Check);
    settle(&mut blocked, task);
    states.push(("check-blocked", blocked));
    let mut log = serving_for(75);
    let _ = log.serve.show(serve::Tab::Log);
    let _ = log.serve.update(serve::Message::Followed(false));
    states.push(("serve-log", log));
    let mut ended = serving_for(75);
    let gone = engine::Error::InterfaceGone { interface: "enp3s0".into() };
    let run = ended.serve_run;
    send(&mut ended, Message::Engine(run, Parcel::new(Update::Failed(gone))));
    ended.now = at(75);
    states.push(("serve-ended", ended));
    let mut nobody = serving();
    look(&mut nobody, 130);
    states.push(("serve-nobody-comes", nobody));
    let mut trouble = serving_for(75);
    trouble.overlay = Some(Overlay::Timeline(kept(&trouble)));
    states.push(("timeline-trouble", trouble));
    let mut help = app("bench");
    help.overlay = Some(Overlay::Help("pxe e18".into()));
    states.push(("help-search", help));
    let mut settings = app("bench");
    settings.overlay = Some(Overlay::Settings);
    states.push(("settings", settings));
    let mut timeline = serving_for(75);
    timeline.overlay = timeline.journal.by_activity().first().map(|computer| Overlay::Timeline(computer.mac));
    states.push(("timeline", timeline));
    let mut jobs = serving_for(75);
    send(&mut jobs, Message::Serve(serve::Message::JobsAsked));
    send(&mut jobs, Message::Overlay(overlay::Message::Jobs(jobs::Message::OperatorTyped("Ann".into()))));
    let noted = jobs.jobs.book().jobs().next().map(|job| job.id.clone()).expect("a job");
    send(&mut jobs, Message::Overlay(overlay::Message::Jobs(jobs::Message::NoteTyped(noted, "Case 12".into()))));
    jobs.now = at(75);
    states.push(("jobs", jobs));
    let mut question = serving_for(40);
    send(&mut question, Message::Serve(serve::Message::Stopped));
    question.now = at(40);
    states.push(("question", question));
    states
}

fn simulator(app: &App, size: Size) -> Simulator<'_, Message> {
    let settings = IcedSettings { default_font: iced::Font::with_name("Fira Sans"), ..IcedSettings::default() };
    Simulator::with_size(settings, size, app.view())
}

#[test]
fn every_page_is_drawn_as_its_golden_picture() {
    let write = std::env::var_os("BOOTWRIGHT_GOLDEN").is_some();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pages");
    let mut wrong = Vec::new();
    for (name, app) in states() {
        for dark in [false, true] {
            let name = format!("{name}-{}", if dark { "dark" } else { "light" });
            let file = folder.join(format!("{name}-tiny-skia.sha256"));
            if write {
                let _ = std::fs::remove_file(&file);
            } else if !file.exists() {
                wrong.push(format!("{name} (no golden file)"));
                continue;
            }
            let picture = simulator(&app, SMALL).snapshot(&theme::theme(dark)).unwrap();
            if let Some(look) = std::env::var_os("BOOTWRIGHT_PICTURES") {
                picture.matches_image(Path::new(&look).join(&name)).unwrap();
            }
            if !picture.matches_hash(folder.join(&name)).unwrap() {
                wrong.push(name);
            }
        }
    }
    assert!(wrong.is_empty(), "other than their golden pictures: {wrong:?}");
}

/// Whether a text stands on the page: a whole text of one widget.
fn shows(app: &App, text: &str) -> bool {
    simulator(app, Size::new(1200.0, 4000.0)).find(text).is_ok()
}

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

/// Clicks on a text as a person would, and does what comes of it.
fn click(app: &mut App, text: &str) {
    let mut page = simulator(app, Size::new(1200.0, 4000.0));
    page.click(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let messages: Vec<Message> = page.into_messages().collect();
    assert!(!messages.is_empty(), "a click on {text:?} does nothing");
    for message in messages {
        send(app, message);
    }
}

fn press(app: &mut App, key: iced::keyboard::key::Named) {
    let events: Vec<_> = tap_key(key, None).collect();
    for event in events {
        if let iced::Event::Keyboard(event) = event {
            send(app, Message::Key(event));
        }
    }
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
    let title = "192.168.1.1 gives addresses on this network too, so Bootwright has stopped handing them out.";
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

#[test]
fn a_file_that_is_there_and_again_is_read_once() {
    let mut app = with_images("bench");
    let path = app.imports[0].path.clone();
    let late = Err(Arc::new(DiscError::NotAnImage { path: path.clone() }));
    send(&mut app, Message::Inspected(path, late));
    assert!(app.imports[0].inspection().is_some(), "a late answer changes nothing");
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

/// Start states for the scripts in `tests/ice`.
fn presets() -> Vec<Preset<App, Message>> {
    let preset = |name: &'static str, make: fn() -> App| Preset::new(name, move || (make(), iced::Task::none()));
    vec![
        preset("bench", || app("bench")),
        preset("office", || app("office")),
        preset("bare", || app("bare")),
        preset("images", || with_images("bench")),
        preset("trouble", || with_images("trouble")),
        preset("menu", on_menu),
        preset("check", on_check),
        preset("serving", || serving_for(75)),
        preset("many", || serving_many(40)),
    ]
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
fn scripts_click_through_the_pages() {
    let world = World::Described(Arc::new(Machine::named("bench").unwrap()));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ice");
    assert!(std::fs::read_dir(&folder).unwrap().count() >= 8);
    iced_test::run(program(world, None).presets(presets()), folder).unwrap();
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
