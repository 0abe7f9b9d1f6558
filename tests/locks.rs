//! What stands before menu entries, on loopback: passwords, and entries that start once.

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

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bootwright::boot::menu::{Default as Choice, Edit, Leave};
use bootwright::boot::password::Hash;
use bootwright::deployment::Plan;
use bootwright::engine::control::Request;
use bootwright::engine::{self, Error, Update};
use bootwright::journal::{Event, Note, What};
use futures_util::StreamExt;

const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;
const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
const PASSWORD: &str = "open sesame";
/// `anybody:open sesame`, and the same with a wrong one.
const RIGHT: &str = "Authorization: Basic YW55Ym9keTpvcGVuIHNlc2FtZQ==\r\n";
const WRONG: &str = "Authorization: Basic YW55Ym9keTpiYXJsZXk=\r\n";
const WHO: &str = "mac=52-54-00-77-01-01&platform=pcbios&arch=i386";
const ENTRY: &str = "debian-netboot";

struct Bench {
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    /// The file's path that the entry's kernel has.
    kernel: String,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("undionly.kpxe"), b"loader").unwrap();
        let path = format!("{}/tests/layouts/{ENTRY}.toml", env!("CARGO_MANIFEST_DIR"));
        let table: layout::Table = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let image = &table.image[0];
        let files: Vec<(&str, Vec<u8>)> =
            image.files.iter().map(|(path, content)| (path.as_str(), layout::bytes(content))).collect();
        let bytes = raw::Iso::of(image.label.as_bytes(), &files).finish();
        std::fs::write(folder.path().join("d.iso"), bytes).unwrap();
        let (_, disc) = bootwright::image::inspect(&folder.path().join("d.iso")).unwrap();
        let entry = disc.entries.iter().find(|entry| entry.id == ENTRY).unwrap();
        let kernel = entry.kernel.clone().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        Bench { folder, runtime, kernel }
    }

    fn plan(&self, edits: Vec<Edit>) -> Plan {
        Plan {
            images: vec![self.folder.path().join("d.iso")],
            default: Choice::Entry(ENTRY.into()),
            edits,
            ..plan::on_loopback(self.folder.path())
        }
    }

    fn serve(&self, plan: &Plan) -> Serving<'_> {
        let events = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&events);
        let (port, stop, task) = self.runtime.block_on(async {
            let mut running = engine::run(plan);
            let Some(Update::Listening(listening)) = running.next().await else { panic!("nothing listens") };
            let stop = running.control();
            let task = tokio::spawn(async move {
                while let Some(update) = running.next().await {
                    let Update::Events(events) = update else { panic!("{update:?}") };
                    told.lock().unwrap().extend(events);
                }
            });
            let locked = plan.edits.iter().any(|edit| edit.password_hash.is_some());
            assert_eq!(listening.locked_default.is_some(), locked, "the default does not start by itself");
            (listening.http_port, stop, task)
        });
        Serving { bench: self, port, stop, task, events }
    }

    fn refused(&self, plan: &Plan) -> Error {
        self.runtime.block_on(async {
            match engine::run(plan).next().await.unwrap() {
                Update::Failed(error) => error,
                other => panic!("{other:?}"),
            }
        })
    }
}

struct Serving<'a> {
    bench: &'a Bench,
    port: u16,
    stop: engine::Control,
    task: tokio::task::JoinHandle<()>,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Serving<'_> {
    /// Status, headers and body.
    fn ask(&self, from: Ipv4Addr, path: &str, headers: &str) -> (u16, String, String) {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
        socket.connect(&SocketAddr::from((HERE, self.port)).into()).unwrap();
        let mut stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_owned(), body.to_owned())
    }

    fn menu(&self) -> String {
        self.ask(HERE, &format!("/menu.ipxe?{WHO}"), "").2
    }

    fn start(&self, from: Ipv4Addr, headers: &str) -> (u16, String, String) {
        self.ask(from, &format!("/start/{ENTRY}?{WHO}"), headers)
    }

    fn kernel(&self, from: Ipv4Addr) -> u16 {
        self.ask(from, &format!("/image/{ENTRY}{}", self.bench.kernel), "").0
    }

    /// Ends it; all that it told.
    fn end(self) -> Vec<Event> {
        self.stop.stop();
        self.bench.runtime.block_on(self.task).unwrap();
        std::mem::take(&mut *self.events.lock().unwrap())
    }
}

fn notes(events: &[Event]) -> Vec<&Note> {
    let note = |event: &'_ Event| matches!(event.what, What::Service(_));
    events
        .iter()
        .filter(|event| note(event))
        .map(|event| match &event.what {
            What::Service(note) => note,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn locked() -> Edit {
    Edit { password_hash: Some(Hash::of(PASSWORD).unwrap()), ..Edit::of(ENTRY) }
}

fn once() -> Edit {
    Edit { once: true, ..Edit::of(ENTRY) }
}

#[test]
fn only_the_password_starts_an_entry_and_opens_its_image() {
    let bench = Bench::new();
    let serving = bench.serve(&bench.plan(vec![locked()]));
    let menu = serving.menu();
    assert!(menu.contains("choose --timeout 30000 --default local"), "a password does not type itself: {menu}");
    assert!(
        menu.contains(&format!(":{ENTRY}\n")) && menu.contains("(password)") && !menu.contains("kernel "),
        "{menu}"
    );
    assert_eq!(serving.kernel(HERE), 403);
    let (status, head, _) = serving.start(HERE, "");
    assert!(status == 401 && head.to_ascii_lowercase().contains("www-authenticate: basic realm="), "{head}");
    let (status, _, script) = serving.start(HERE, WRONG);
    assert!(status == 200 && script.contains("that is not the password") && !script.contains("kernel "), "{script}");
    assert_eq!(serving.kernel(HERE), 403);
    let (status, _, script) = serving.start(HERE, RIGHT);
    assert!(status == 200 && script.contains("\nkernel ") && script.contains("\nboot "), "{script}");
    assert_eq!((serving.kernel(HERE), serving.kernel(OTHER)), (200, 403), "the one computer, and no other");
    serving.menu();
    assert_eq!(serving.kernel(HERE), 403, "it has started anew");
    let events = serving.end();
    let text = serde_json::to_string(&events).unwrap();
    for secret in [PASSWORD, "sesame", "YW55Ym9keTpv", "barley", "YW55Ym9keTpi", "argon2"] {
        assert!(!text.contains(secret), "{secret}");
    }
    let notes = notes(&events);
    assert!(notes.contains(&&Note::PasswordRefused { entry: ENTRY.into(), wait: None }), "{notes:?}");
    assert_eq!(notes.iter().filter(|note| matches!(note, Note::Chosen { .. })).count(), 1, "{notes:?}");
}

#[test]
fn wrong_passwords_cost_ever_more_time_and_only_who_gave_them() {
    let bench = Bench::new();
    let serving = bench.serve(&bench.plan(vec![locked()]));
    let said = |from, headers| serving.start(from, headers).2;
    for _ in 0..3 {
        assert!(said(HERE, WRONG).contains("that is not the password"));
    }
    assert!(said(HERE, WRONG).contains("too many wrong passwords. Try again in 1 seconds"));
    assert!(said(HERE, RIGHT).contains("too many wrong passwords"), "the right one is not looked at either");
    assert!(said(OTHER, RIGHT).contains("\nkernel "));
    let events = serving.end();
    assert!(notes(&events).contains(&&Note::PasswordRefused { entry: ENTRY.into(), wait: Some(1) }));
}

#[test]
fn an_entry_that_starts_once_falls_to_the_own_disk_and_stays_there() {
    let bench = Bench::new();
    let plan = bench.plan(vec![once()]);
    let default = format!("choose --timeout 30000 --default {ENTRY} ");
    let serving = bench.serve(&plan);
    assert!(serving.menu().contains(&default));
    assert_eq!(serving.kernel(HERE), 200);
    assert!(serving.menu().contains(&default), "the kernel was fetched, but nobody chose the entry");
    let (status, _, script) = serving.start(HERE, "");
    assert!(status == 200 && script.contains("\nkernel "), "{script}");
    assert!(serving.menu().contains(&default), "it was chosen, but nothing was fetched");
    serving.start(HERE, "");
    assert_eq!(serving.kernel(HERE), 200);
    wait_for(|| serving.menu().contains("choose --timeout 30000 --default local "));
    let menu = serving.menu();
    assert!(menu.contains("(done)") && menu.contains(&format!(":{ENTRY}\n")), "it is there to be chosen: {menu}");
    let other = serving.ask(OTHER, "/menu.ipxe?mac=52-54-00-77-01-02&platform=pcbios&arch=i386", "").2;
    assert!(other.contains(&default) && !other.contains("(done)"), "another computer: {other}");
    let events = serving.end();
    assert!(notes(&events).contains(&&Note::Begun { entry: ENTRY.into() }), "{events:?}");
    // After a restart, and until it is forgotten.
    let serving = bench.serve(&plan);
    assert!(serving.menu().contains("--default local "));
    serving.stop.tell(Request::Forget { mac: "52:54:00:77:01:01".parse().unwrap(), all: true });
    wait_for(|| serving.menu().contains(&default));
    serving.end();
    let kept = std::fs::read_to_string(&plan.once_file).unwrap();
    assert!(!kept.contains("52:54"), "{kept}");
}

/// Asks again until it is so: what follows from a transfer follows after its last byte.
fn wait_for(so: impl Fn() -> bool) {
    assert!((0..200).any(|_| so()));
}

#[test]
fn a_computer_says_how_it_leaves_for_its_own_disk() {
    let bench = Bench::new();
    let serving = bench.serve(&bench.plan(vec![]));
    let menu = serving.menu();
    let tells = menu.lines().find(|line| line.starts_with("imgfetch --timeout 1000 ")).unwrap();
    assert!(tells.ends_with("/own-disk/chosen ||"), "an entry starts by itself: {tells}");
    assert_eq!(serving.ask(HERE, "/own-disk/chosen", "").0, 200);
    assert_eq!(serving.ask(HERE, "/own-disk/after-x", "").0, 404);
    let events = serving.end();
    let left: Vec<_> = notes(&events).into_iter().filter(|note| matches!(note, Note::OwnDisk { .. })).collect();
    assert_eq!(left, [&Note::OwnDisk { leave: Leave::Chosen }]);
}

#[test]
fn what_cannot_start_once_is_named() {
    let bench = Bench::new();
    let plan = Plan { once: ["nothing".to_owned()].into(), ..bench.plan(vec![]) };
    assert!(matches!(bench.refused(&plan), Error::NoOnce { wanted, .. } if wanted == "nothing"));
    let plan = Plan { once_file: "/proc/nowhere/once.json".into(), ..bench.plan(vec![once()]) };
    assert!(matches!(bench.refused(&plan), Error::Once { .. }));
}
