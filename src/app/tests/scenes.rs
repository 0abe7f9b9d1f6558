//! The window in the states that tests begin with and pictures are of.

use super::*;

/// With images on the Images page.
pub(super) fn with_images(machine: &str) -> App {
    let mut app = app(machine);
    let _ = app.go_to(Step::Images);
    send(&mut app, Message::Images(images::Message::BrowseAsked));
    app
}

pub(super) fn on_menu() -> App {
    let mut app = with_images("bench");
    let _ = app.go_to(Step::Menu);
    app
}

/// The Menu page of a training lab, with an answer file shown for the second computer of its list.
pub(super) fn with_answers(file: &str) -> App {
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
pub(super) fn fill_in(app: &mut App) {
    let (entry, at) = app.menu.previewed().map(|(entry, at)| (entry.to_owned(), at)).expect("a preview");
    let shown = answers::Shown::of(app.answers.as_ref().expect("answers"), &entry, at);
    send(app, Message::FilledIn(entry, at, shown));
}

pub(super) fn on_check() -> App {
    let mut app = on_menu();
    let task = app.go_to(Step::Check);
    settle(&mut app, task);
    app
}

/// On the Check page, with everything rehearsed; two things fail where that is wanted.
pub(super) fn rehearsed(fails: bool) -> App {
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
pub(super) fn serving() -> App {
    let mut app = on_check();
    let plan = app.plan().unwrap();
    app.step = Step::Serve;
    app.reached = Step::Serve;
    app.serving = Serving::On { plan: Box::new(plan), url: "http://10.77.0.1/".into(), since: at(0) };
    app.now = at(0);
    app
}

/// Serving, after so many seconds of the machine's story.
pub(super) fn serving_for(seconds: i64) -> App {
    let mut app = serving();
    let story = Machine::named("bench").unwrap().story(at(0));
    let heard: Vec<Event> = story.into_iter().filter(|event| event.time <= at(seconds)).collect();
    let _ = app.events(&heard);
    look(&mut app, seconds);
    app
}

/// Lets the app look what keeps computers, so many seconds after its start.
pub(super) fn look(app: &mut App, seconds: i64) {
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
pub(super) fn kept(app: &App) -> crate::mac::Mac {
    let mut computers = app.journal.computers();
    computers.find(|computer| app.watch.trouble(computer.mac).is_some()).expect("one in trouble").mac
}

/// Serving many computers.
pub(super) fn serving_many(count: u8) -> App {
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
pub(super) fn serving_beside() -> App {
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
pub(super) fn serving_strangers() -> App {
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
pub(super) fn with_lock() -> App {
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

/// On the Check page of a machine whose firewall keeps computers out.
pub(super) fn behind_a_firewall() -> App {
    use crate::net::firewall::{Judgement, Look, Passage, Program};
    let mut app = on_check();
    let look = Look { program: Some(Program::Ufw), judgement: Some(Judgement::Dropped) };
    let passage = Passage::of("enp3s0", &engine::incoming(true, Some(80)));
    let finding = crate::check::firewall(&look, &passage, crate::deployment::Firewall::Leave);
    app.checks = Checks::Done([vec![finding], app.checks.findings().to_vec()].concat());
    app
}

/// Every state that has a picture.
pub(super) fn states() -> Vec<(&'static str, App)> {
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
    safety.overlay = Some(Overlay::Safety(String::new()));
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
    let mut line = serving_for(75);
    let _ = line.serve.show(serve::Tab::Log);
    send(&mut line, Message::Serve(serve::Message::LevelPicked(crate::journal::wording::Level::Problem)));
    let problem = line.log.window(0, 1).next().expect("a problem").clone();
    send(&mut line, Message::Serve(serve::Message::LinePicked(Box::new(problem))));
    line.now = at(75);
    states.push(("serve-log-line", line));
    let mut asking = serving_for(75);
    (asking.draft.duration, asking.draft.ask_first) = (Some("1h".into()), Some(true));
    states.push(("serve-large", sized(asking, LARGE)));
    states.push(("check-large", sized(rehearsed(true), LARGE)));
    states.push(("menu-large", sized(with_lock(), LARGE)));
    states.push(("check-doubled", sized(on_check(), DOUBLED)));
    states.push(("serve-doubled", sized(serving_for(75), DOUBLED)));
    states
}

/// A window of another size.
fn sized(mut app: App, size: Size) -> App {
    app.size = size;
    app
}

/// Start states for the scripts in `tests/ice`.
pub(super) fn presets() -> Vec<Preset<App, Message>> {
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
