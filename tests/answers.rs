//! Answer files as computers get them: the engine on loopback, where each address of 127.0.0.0/8 is another computer.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

#[path = "disc/layout.rs"]
mod layout;
mod plan;
#[path = "disc/raw.rs"]
mod raw;
#[path = "disc/table.rs"]
mod table;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bootwright::answer::{AnswerError, ForComputer, Settings};
use bootwright::deployment::Plan;
use bootwright::engine::{self, Control, Error, Listening, Update};
use bootwright::journal::{Event, Note, What, wording};
use futures_util::StreamExt;

const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const FIRST: &str = "52-54-00-77-00-01";
const SECOND: &str = "52-54-00-77-00-02";
const THIRD: &str = "52-54-00-77-00-03";
/// Stands in answer files and nowhere else.
const SECRET: &str = "c0rrecthorse";

const PRESEED: &str = "d-i netcfg/get_hostname string {{ hostname }}\n\
    d-i passwd/root-password password c0rrecthorse\n\
    d-i preseed/late_command string fetch {{ base_url }}/x {{ server }} {{ ip }} {{ mac }} {{ room }}\n";
const KICKSTART: &str =
    "lang en_US.UTF-8\nrootpw --plaintext c0rrecthorse\nnetwork --hostname={{ hostname }}\n# {{ serial }}\n";
const AUTOINSTALL: &str = "#cloud-config\nautoinstall:\n  version: 1\n  identity:\n    hostname: {{ hostname }}\n    \
    username: u\n    password: $6$c0rrecthorse\n";

struct Bench {
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    settings: Settings,
}

impl Bench {
    /// Answer files for the three images below.
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            ("undionly.kpxe", "loader"),
            ("preseed.cfg", PRESEED),
            ("ks.cfg", KICKSTART),
            ("user-data", AUTOINSTALL),
            ("special.cfg", "d-i special/one string {{ mac_dashes }}\n"),
        ];
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        for table in ["debian-netboot", "rocky-linux", "ubuntu-server"] {
            std::fs::write(folder.path().join(format!("{table}.iso")), table::image(table)).unwrap();
        }
        let file = |name: &str| folder.path().join(name);
        let settings = Settings {
            host_name: Some("lab-{nn}".into()),
            entry: [
                ("debian-netboot".to_owned(), file("preseed.cfg")),
                ("rocky-linux".to_owned(), file("ks.cfg")),
                ("ubuntu-server".to_owned(), file("user-data")),
            ]
            .into(),
            variables: [("room".to_owned(), "A 12".to_owned())].into(),
            ..Settings::default()
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        Bench { folder, runtime, settings }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn plan(&self) -> Plan {
        Plan {
            images: ["debian-netboot.iso", "rocky-linux.iso", "ubuntu-server.iso"].map(|name| self.path(name)).to_vec(),
            answers: self.settings.clone(),
            ..plan::on_loopback(self.folder.path())
        }
    }

    fn refused(&self, plan: &Plan) -> Error {
        self.runtime.block_on(async {
            match engine::run(plan).next().await.unwrap() {
                Update::Failed(error) => error,
                other => panic!("{other:?}"),
            }
        })
    }

    fn serve(&self) -> Serving<'_> {
        let plan = self.plan();
        let events = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&events);
        let (listening, stopper, task) = self.runtime.block_on(async {
            let mut running = engine::run(&plan);
            let listening = match running.next().await.unwrap() {
                Update::Listening(listening) => *listening,
                other => panic!("{other:?}"),
            };
            let stopper = running.control();
            let task = tokio::spawn(async move {
                while let Some(update) = running.next().await {
                    let Update::Events(events) = update else { panic!("{update:?}") };
                    told.lock().unwrap().extend(events);
                }
            });
            (listening, stopper, task)
        });
        Serving { bench: self, listening, stopper, task, events }
    }
}

struct Serving<'a> {
    bench: &'a Bench,
    listening: Listening,
    stopper: Control,
    task: tokio::task::JoinHandle<()>,
    events: Arc<Mutex<Vec<Event>>>,
}

struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Serving<'_> {
    /// A request from an address of loopback.
    fn ask(&self, from: Ipv4Addr, method: &str, path: &str) -> Reply {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
        socket.connect(&SocketAddr::from((HERE, self.listening.http_port)).into()).unwrap();
        let mut stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
            .write_all(format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes())
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, head: head.to_owned(), body: body.to_owned() }
    }

    fn get(&self, path: &str) -> Reply {
        self.ask(HERE, "GET", path)
    }

    fn status(&self, from: Ipv4Addr, path: &str) -> u16 {
        self.ask(from, "GET", path).status
    }

    /// The menu as a computer gets it that tells this of itself.
    fn menu(&self, from: Ipv4Addr, mac: &str, more: &str) -> String {
        let menu = self.ask(from, "GET", &format!("/menu.ipxe?mac={mac}&platform=pcbios&arch=i386{more}"));
        assert_eq!(menu.status, 200);
        menu.body
    }

    /// Waits until this was told.
    fn told(&self, what: &str, wanted: impl Fn(&Note) -> bool) {
        let until = Instant::now() + Duration::from_secs(30);
        let is = |event: &Event| matches!(&event.what, What::Service(note) if wanted(note));
        while !self.events.lock().unwrap().iter().any(is) {
            assert!(Instant::now() < until, "{what} is not told: {:#?}", self.events.lock().unwrap());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it, and returns all that was told.
    fn stop(self) -> Vec<Event> {
        self.stopper.stop();
        self.bench.runtime.block_on(self.task).unwrap();
        let events = self.events.lock().unwrap();
        events.clone()
    }
}

/// The path of an entry's answer file, or its folder, as a script names it.
fn answer(menu: &str, entry: &str) -> Option<String> {
    let (_, part) = menu.split_once(&format!("\n:{entry}\n"))?;
    let part = part.split("\n:").next()?;
    let (_, url) = part.split_once("/answer/")?;
    Some(format!("/answer/{}", url.split_whitespace().next()?))
}

fn token(path: &str) -> &str {
    let token = path.split('/').nth(2).unwrap();
    assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{path}");
    token
}

#[test]
fn a_computer_gets_its_own_answers_a_few_times() {
    let bench = Bench::new();
    let serving = bench.serve();
    let port = serving.listening.http_port;
    let menu = serving.menu(HERE, FIRST, "");
    let path = answer(&menu, "debian-netboot").unwrap();
    assert!(menu.contains(&format!(" url=http://127.0.0.1:{port}{path} ")), "{menu}");
    assert!(path.ends_with("/preseed.cfg"), "{path}");
    let expected = format!(
        "d-i netcfg/get_hostname string lab-01\nd-i passwd/root-password password {SECRET}\n\
         d-i preseed/late_command string fetch http://127.0.0.1:{port}/image/debian-netboot/x 127.0.0.1 127.0.0.1 \
         52:54:00:77:00:01 A 12\n"
    );
    for _ in 0..5 {
        let head = serving.ask(HERE, "HEAD", &path);
        assert_eq!((head.status, head.body.as_str()), (200, ""));
        assert!(head.head.contains(&format!("Content-Length: {}\r\n", expected.len())), "{}", head.head);
    }
    for time in 1..=3 {
        let reply = serving.get(&path);
        assert_eq!((reply.status, reply.body.as_str()), (200, expected.as_str()), "time {time}");
    }
    assert_eq!(serving.status(HERE, &path), 404, "the fourth time");
    assert_eq!(serving.ask(HERE, "HEAD", &path).status, 404);
    serving.told("the reading", |note| matches!(note, Note::AnswerGiven { entry } if entry == "debian-netboot"));
    serving.told(
        "the refusal",
        |note| matches!(note, Note::AnswerRefused { reason } if reason.contains("as often as it may")),
    );
    let given =
        serving.stop().into_iter().filter(|event| matches!(event.what, What::Service(Note::AnswerGiven { .. })));
    assert_eq!(given.count(), 3, "a look is not a reading");
}

#[test]
fn nobody_else_gets_them() {
    let bench = Bench::new();
    let serving = bench.serve();
    let path = answer(&serving.menu(HERE, FIRST, ""), "debian-netboot").unwrap();
    assert_eq!(serving.status(ELSEWHERE, &path), 404, "a computer that has not told its name");
    let other = answer(&serving.menu(ELSEWHERE, SECOND, ""), "debian-netboot").unwrap();
    assert_eq!(serving.status(ELSEWHERE, &path), 404, "another computer");
    assert_eq!(serving.status(HERE, &other), 404, "the other way round");
    let made_up = path.replace(token(&path), &"0".repeat(32));
    for strange in [made_up.as_str(), "/answer/", "/answer", "/answer/x/preseed.cfg", "/answer//preseed.cfg"] {
        assert_eq!(serving.status(HERE, strange), 404, "{strange}");
    }
    let folder = path.trim_end_matches("preseed.cfg");
    for strange in ["", "other.cfg", "preseed.cfg/", "../preseed.cfg", "%2e%2e/preseed.cfg", "PRESEED.CFG"] {
        let expected = if strange == "preseed.cfg/" { 200 } else { 404 };
        assert_eq!(serving.status(HERE, &format!("{folder}{strange}")), expected, "{strange}");
    }
    let new = answer(&serving.menu(HERE, FIRST, ""), "debian-netboot").unwrap();
    assert_ne!(token(&new), token(&path));
    assert_eq!(serving.status(HERE, &path), 404, "a new menu makes the old ticket void");
    assert_eq!(serving.status(HERE, &new), 200);
    assert_eq!(serving.status(ELSEWHERE, &other), 200, "that of another computer stays");
    drop(serving.stop());
}

#[test]
fn a_menu_has_addresses_for_whoever_has_answers() {
    let mut bench = Bench::new();
    let special = bench.path("special.cfg");
    let mac = Some(THIRD.parse().unwrap());
    bench.settings.computer.push(ForComputer { mac, file: special, ..ForComputer::default() });
    bench.settings.entry.remove("rocky-linux");
    let serving = bench.serve();
    let menu = serving.menu(HERE, FIRST, "");
    let entries = ["debian-netboot", "ubuntu-server", "rocky-linux", "ubuntu-server-hwe"];
    let has: Vec<bool> = entries.iter().map(|entry| answer(&menu, entry).is_some()).collect();
    assert_eq!(has, [true, true, false, false], "{menu}");
    for nameless in ["/menu.ipxe", "/menu.ipxe?mac=nonsense"] {
        let menu = serving.ask(ELSEWHERE, "GET", nameless).body;
        assert!(menu.contains("debian-netboot") && !menu.contains("/answer/"), "{menu}");
    }
    // Nor does one whose address is known, but who does not name itself: iPXE always does.
    assert!(!serving.get("/menu.ipxe").body.contains("/answer/"));
    let own = answer(&serving.menu(HERE, THIRD, ""), "debian-netboot").unwrap();
    assert_eq!(serving.get(&own).body, format!("d-i special/one string {THIRD}\n"));
    drop(serving.stop());
}

#[test]
fn cloud_init_finds_a_folder() {
    let bench = Bench::new();
    let serving = bench.serve();
    let menu = serving.menu(HERE, FIRST, "");
    let folder = answer(&menu, "ubuntu-server").unwrap();
    assert!(folder.ends_with('/') && menu.contains(" ds=nocloud-net;s=http://127.0.0.1:"), "{menu}");
    let file = |name: &str| {
        let reply = serving.get(&format!("{folder}{name}"));
        (reply.status, reply.body)
    };
    let filled = AUTOINSTALL.replace("{{ hostname }}", "lab-01");
    assert_eq!(file("user-data"), (200, filled.clone()));
    let meta = format!("instance-id: bootwright-{FIRST}\nlocal-hostname: lab-01\n");
    assert_eq!(file("meta-data"), (200, meta));
    assert_eq!(file("vendor-data"), (200, String::new()));
    assert_eq!(file("network-config").0, 404, "without one the network stays as it is");
    assert_eq!(file("").0, 404, "nothing is listed");
    // cloud-init doubles the slash where an address ends with one.
    assert_eq!(serving.get(&format!("{folder}/user-data")).body, filled);
    drop(serving.stop());
}

#[test]
fn nothing_that_is_told_has_a_token_or_a_secret() {
    let bench = Bench::new();
    let serving = bench.serve();
    let menu = serving.menu(HERE, FIRST, "&serial=S1&uuid=4c4c4544-0042-3010-8058-b3c04f4a4e31&product=Bench");
    let mut tokens = Vec::new();
    for (entry, name) in [("debian-netboot", ""), ("rocky-linux", ""), ("ubuntu-server", "user-data")] {
        let path = format!("{}{name}", answer(&menu, entry).unwrap());
        let token = token(&path).to_owned();
        let upper = token.to_uppercase();
        for method in ["HEAD", "GET", "GET", "POST", "BREW", "GET", "GET", "HEAD"] {
            serving.ask(HERE, method, &path);
        }
        let (_, name) = path.rsplit_once('/').unwrap();
        let strange = [
            format!("/answer/{token}"),
            format!("/answer/{token}/"),
            format!("//Answer//{token}//other"),
            format!("/answer/{token}/{token}"),
            format!("/x/../answer/{token}/{name}"),
            format!("/%61nswer/{token}/{name}?{token}"),
            format!("/answer/{upper}/{name}"),
            format!("/image/debian-netboot/{token}"),
            format!("/esxi/{entry}/{token}/boot.cfg"),
            format!("/grub/{entry}/{token}/x/boot.cfg"),
            format!("http://elsewhere/answer/{token}/{name}"),
        ];
        for path in strange {
            serving.ask(HERE, "GET", &path);
            serving.ask(HERE, "POST", &path);
        }
        serving.ask(ELSEWHERE, "GET", &path);
        let tftp = UdpSocket::bind((HERE, 0)).unwrap();
        tftp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let slashes = [path.clone(), path.trim_start_matches('/').to_owned(), path.replace('/', "\\")];
        for path in slashes {
            let request = [b"\0\x01".as_slice(), path.as_bytes(), b"\0octet\0"].concat();
            tftp.send_to(&request, (HERE, serving.listening.tftp_port)).unwrap();
            let mut reply = [0; 600];
            let length = tftp.recv(&mut reply).unwrap();
            assert_eq!(reply[1], 5, "TFTP gives no answer file: {:?}", &reply[..length]);
            let request = [b"\0\x02".as_slice(), path.as_bytes(), b"\0octet\0"].concat();
            tftp.send_to(&request, (HERE, serving.listening.tftp_port)).unwrap();
            tftp.recv(&mut reply).unwrap();
        }
        tokens.extend([token, upper]);
    }
    let events = serving.stop();
    assert!(events.len() > 100, "{}", events.len());
    for event in &events {
        let json = serde_json::to_string(event).unwrap();
        let told = [json, format!("{event:?}"), wording::line(event).unwrap_or_default()];
        for told in told {
            assert!(!tokens.iter().any(|token| told.contains(token)), "{told}");
            assert!(!told.contains(SECRET), "{told}");
        }
    }
    assert!(events.iter().any(|event| format!("{event:?}").contains("answer/…/preseed.cfg")), "{events:#?}");
}

#[test]
fn host_names_keep_their_numbers_over_a_restart() {
    let bench = Bench::new();
    let file = bench.path("state/host-names.json");
    let name = |serving: &Serving, mac: &str| {
        let folder = answer(&serving.menu(HERE, mac, ""), "ubuntu-server").unwrap();
        let meta = serving.get(&format!("{folder}meta-data")).body;
        meta.lines().find_map(|line| line.strip_prefix("local-hostname: ")).map(str::to_owned).unwrap()
    };
    let serving = bench.serve();
    assert_eq!([name(&serving, FIRST), name(&serving, SECOND), name(&serving, FIRST)], ["lab-01", "lab-02", "lab-01"]);
    let kept: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(kept["version"], 1, "written at once, not at the end");
    assert_eq!(kept["numbers"]["given"]["52:54:00:77:00:02"], 2);
    drop(serving.stop());
    let serving = bench.serve();
    assert_eq!([name(&serving, THIRD), name(&serving, SECOND)], ["lab-03", "lab-02"]);
    let told = serving.stop();
    assert!(!told.iter().any(|event| matches!(event.what, What::Service(Note::NamesSetAside { .. }))));
    std::fs::write(&file, "{\"version\": 1, \"numb").unwrap();
    let serving = bench.serve();
    serving
        .told("the broken file", |note| matches!(note, Note::NamesSetAside { path } if path.ends_with(".unreadable")));
    let aside = bench.path("state/host-names.json.unreadable");
    assert_eq!(std::fs::read_to_string(aside).unwrap(), "{\"version\": 1, \"numb", "nothing is lost");
    assert_eq!(name(&serving, THIRD), "lab-01");
    // A disk that is full, or not there any more, keeps nobody from installing.
    std::fs::remove_dir_all(bench.path("state")).unwrap();
    assert_eq!(name(&serving, SECOND), "lab-02");
    serving
        .told("what was not saved", |note| matches!(note, Note::NamesNotSaved { path, .. } if path.ends_with(".json")));
    drop(serving.stop());
}

#[test]
fn a_file_that_cannot_be_filled_in_says_why() {
    let mut bench = Bench::new();
    let serving = bench.serve();
    let kickstart = |serving: &Serving, more: &str| {
        let path = answer(&serving.menu(HERE, FIRST, more), "rocky-linux").unwrap();
        assert!(path.ends_with("/ks.cfg"), "{path}");
        serving.get(&path)
    };
    let reply = kickstart(&serving, "");
    assert_eq!((reply.status, reply.body.as_str()), (404, "Not found.\n"), "half a file would be worse than none");
    serving.told("the cause", |note| {
        matches!(note, Note::AnswerRefused { reason }
            if reason.contains("ks.cfg") && reason.contains("serial") && reason.contains("line 4"))
    });
    let reply = kickstart(&serving, "&serial=S1");
    assert_eq!((reply.status, reply.body.ends_with("# S1\n")), (200, true), "{}", reply.body);
    drop(serving.stop());
    bench.settings.host_name = Some("{serial}".into());
    let serving = bench.serve();
    let folder = answer(&serving.menu(HERE, SECOND, ""), "ubuntu-server").unwrap();
    assert_eq!(serving.status(HERE, &format!("{folder}meta-data")), 404);
    serving.told(
        "the cause",
        |note| matches!(note, Note::AnswerRefused { reason } if reason.contains("needs a serial number")),
    );
    drop(serving.stop());
}

#[test]
fn what_cannot_be_used_is_told_before_anything_is_served() {
    let mut bench = Bench::new();
    bench.settings.entry.insert("ubuntu-server".into(), bench.path("gone.yaml"));
    let error = bench.refused(&bench.plan());
    assert!(
        matches!(&error, Error::Answers(AnswerError::Read { path, .. }) if path.ends_with("gone.yaml")),
        "{error:?}"
    );
    let mut bench = Bench::new();
    bench.settings.host_name = Some("lab_{n}".into());
    assert!(matches!(bench.refused(&bench.plan()), Error::Answers(AnswerError::HostName(_))));
    let bench = Bench::new();
    let plan = Plan { names_file: "/proc/nowhere/host-names.json".into(), ..bench.plan() };
    assert!(matches!(bench.refused(&plan), Error::Names { .. }));
}
