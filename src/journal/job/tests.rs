use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::export::{csv, json, lines, page};
use super::*;
use crate::dhcp::pxe::{Boot, Class, Client};
use crate::dhcp::{self, Question};
use crate::journal::recording;

const MAC: Mac = Mac([0x52, 0x54, 0, 0x77, 1, 1]);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn catalogue() -> Catalogue {
    let image = |file: &str| Image { file: file.into(), title: format!("what {file} is"), checksum: None };
    let entry = |id: &str, image: &str, files: &[&str]| Entry {
        id: id.into(),
        title: format!("{id} for people"),
        image: image.into(),
        files: files.iter().map(|file| (*file).to_owned()).collect(),
    };
    let (kernel, initrd) = ("/live/vmlinuz-6.1.0-50-amd64", "/live/initrd.img-6.1.0-50-amd64");
    Catalogue {
        images: [("debian-live".to_owned(), image("live.iso")), ("memtest86plus".to_owned(), image("memtest.iso"))]
            .into(),
        entries: vec![
            entry("debian-live", "debian-live", &[kernel, initrd]),
            entry("debian-live-toram", "debian-live", &[kernel, initrd]),
            entry("debian-live-other", "debian-live", &["/live/other", initrd]),
            entry("memtest86plus", "memtest86plus", &["/EFI/BOOT/bootx64.efi"]),
        ],
    }
}

/// The jobs after these events, each as it was told last, and how often one was told.
fn told(sheet: &mut Sheet, events: &[Event]) -> (Vec<Job>, usize) {
    let (mut book, mut count) = (Book::default(), 0);
    for event in events {
        for job in sheet.hear(event) {
            count += 1;
            book.read(&Line::Job(Box::new(job)).json());
        }
    }
    (book.jobs().cloned().collect(), count)
}

fn recorded(name: &str) -> Vec<Event> {
    let path = format!("{}/tests/boots/{name}.jsonl", env!("CARGO_MANIFEST_DIR"));
    recording::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn event(second: i64, role: Option<Role>, what: What) -> Event {
    Event { time: at(second), mac: Some(MAC), ip: None, role, what }
}

fn asked(second: i64) -> Event {
    let client = Client {
        mac: MAC,
        class: Some(Class::Pxe),
        vendor_class: None,
        user_class: None,
        architectures: vec![7],
        uuid: None,
        ipxe: None,
    };
    let note = dhcp::Note::Asked { question: Question::Discover, client, address: None, relay: None, secs: None };
    event(second, None, What::Dhcp(note))
}

fn offered(second: i64) -> Event {
    let boot = Boot { file: "snponly.efi".into(), why: String::new() };
    event(second, None, What::Dhcp(dhcp::Note::Offered { address: None, boot: Some(boot) }))
}

fn done(second: i64, role: Role, file: &str) -> Event {
    let note = http::Note::Done { file: file.into(), from: 0, bytes: 10, size: 10, millis: 1 };
    event(second, Some(role), What::Http(note))
}

fn menu(second: i64, product: &str) -> Event {
    let note = Note::Menu { platform: None, uuid: None, product: Some(product.into()), memory_mb: None };
    event(second, Some(Role::Script), What::Service(note))
}

/// A boot up to its menu.
fn boot(second: i64) -> Vec<Event> {
    vec![asked(second), offered(second + 1), done(second + 5, Role::Loader, "snponly.efi"), menu(second + 10, "Bench")]
}

fn seen(job: &Job) -> (Outcome, Stage, Option<i64>) {
    (job.result, job.stage, job.ended.map(|ended| ended.duration_since(job.began).as_secs()))
}

#[test]
fn recorded_boots_are_told_for_what_they_were() {
    let live = "one of debian-live for people, debian-live-toram for people";
    let cases: [(&str, usize, Outcome, &str, Option<&str>); 5] = [
        ("debian-live-uefi", 1, Outcome::HandedOver, live, Some("live.iso")),
        ("debian-live-http-boot", 1, Outcome::HandedOver, live, Some("live.iso")),
        ("memtest-seabios", 1, Outcome::Started, "memtest86plus for people", Some("memtest.iso")),
        ("uefi-beside-late-office", 1, Outcome::Menu, "", None),
        // It was given its loader by PXE, did not start it, and tried HTTP Boot.
        ("secure-boot-refused", 2, Outcome::Silent, "", None),
    ];
    for (name, count, result, entry, image) in cases {
        let (mut sheet, events) = (Sheet::new(catalogue()), recorded(name));
        let (mut jobs, times) = told(&mut sheet, &events);
        let later = events.last().unwrap().time + SignedDuration::from_mins(5);
        for job in sheet.tick(later) {
            jobs.retain(|known| known.id != job.id);
            jobs.push(job);
        }
        assert_eq!(jobs.len(), count, "{name}: {jobs:#?}");
        let job = jobs.last().unwrap();
        assert_eq!((job.result, words::entry(job).as_str()), (result, entry), "{name}");
        assert_eq!(job.image.as_ref().map(|image| image.file.as_str()), image, "{name}");
        assert!(job.ended.unwrap() <= events.last().unwrap().time, "{name}: {job:#?}");
        assert!(times <= 12, "{name} was written {times} times");
        assert!(sheet.stop(later).is_empty(), "{name}");
    }
}

#[test]
fn a_job_is_written_as_it_goes_and_ends_in_what_came_of_it() {
    let kernel = done(20, Role::Kernel, "image/debian-live/live/other");
    let broken = http::Note::BrokenOff { file: "image/debian-live/live/other".into(), bytes: 1, length: 9 };
    let broken = event(21, Some(Role::Kernel), What::Http(broken));
    let system = Event {
        what: What::Dhcp(dhcp::Note::Asked {
            question: Question::Discover,
            client: Client { class: None, ..client() },
            address: None,
            relay: None,
            secs: None,
        }),
        ..asked(30)
    };
    type Case = (&'static str, Vec<Event>, (Outcome, Stage, Option<i64>), (Outcome, Stage, Option<i64>));
    let cases: [Case; 6] = [
        ("asked only", vec![asked(0)], (Outcome::Open, Stage::Asked, None), (Outcome::Open, Stage::Asked, None)),
        (
            "offered",
            vec![asked(0), offered(1)],
            (Outcome::Open, Stage::Asked, None),
            (Outcome::Silent, Stage::Offered, Some(1)),
        ),
        ("menu", boot(0), (Outcome::Open, Stage::Menu, None), (Outcome::Menu, Stage::Menu, Some(10))),
        (
            "kernel",
            [boot(0), vec![kernel.clone()]].concat(),
            (Outcome::Open, Stage::Kernel, None),
            (Outcome::Started, Stage::Kernel, Some(20)),
        ),
        (
            "broken off",
            [boot(0), vec![broken]].concat(),
            (Outcome::Open, Stage::Menu, None),
            (Outcome::Failed, Stage::Menu, Some(21)),
        ),
        (
            "handed over",
            [boot(0), vec![kernel, system, done(99, Role::Content, "image/debian-live/a.deb")]].concat(),
            (Outcome::HandedOver, Stage::HandedOver, Some(30)),
            (Outcome::HandedOver, Stage::HandedOver, Some(30)),
        ),
    ];
    for (name, events, going, over) in cases {
        let mut sheet = Sheet::new(catalogue());
        let (jobs, _) = told(&mut sheet, &events);
        let now = jobs.last().map_or((Outcome::Open, Stage::Asked, None), seen);
        assert_eq!(now, going, "{name}");
        assert!(sheet.tick(at(60)).is_empty(), "{name}: not silent for long");
        let last = sheet.tick(at(500)).pop().or(jobs.last().cloned());
        assert_eq!(last.as_ref().map_or((Outcome::Open, Stage::Asked, None), seen), over, "{name}");
    }
}

fn client() -> Client {
    let What::Dhcp(dhcp::Note::Asked { client, .. }) = asked(0).what else { unreachable!() };
    client
}

#[test]
fn who_comes_back_goes_on_and_who_starts_anew_has_a_new_job() {
    let mut sheet = Sheet::new(catalogue());
    told(&mut sheet, &boot(0));
    let waits = sheet.tick(at(300)).pop().unwrap();
    assert_eq!(seen(&waits), (Outcome::Menu, Stage::Menu, Some(10)));
    let (chose, _) = told(&mut sheet, &[done(600, Role::Kernel, "image/memtest86plus/EFI/BOOT/bootx64.efi")]);
    assert_eq!((chose[0].id.as_str(), seen(&chose[0])), (waits.id.as_str(), (Outcome::Open, Stage::Kernel, None)));
    let (anew, _) = told(&mut sheet, &boot(700));
    let all: Vec<_> = anew.iter().map(seen).collect();
    assert_eq!(all, [(Outcome::Started, Stage::Kernel, Some(600)), (Outcome::Open, Stage::Menu, None)]);
    assert!(anew[1].entries.is_empty() && anew[1].image.is_none(), "{:#?}", anew[1]);
    let stopped = sheet.stop(at(715));
    assert_eq!(stopped.iter().map(|job| job.result).collect::<Vec<_>>(), [Outcome::Interrupted]);
}

#[test]
fn its_own_disk_was_chosen_or_started_by_itself() {
    let kernel = || done(20, Role::Kernel, "image/memtest86plus/EFI/BOOT/bootx64.efi");
    let cases = [
        ("in time", Leave::After(30), 25, vec![], Some(OwnDisk::Chosen)),
        ("the time ran out", Leave::After(30), 41, vec![], Some(OwnDisk::TimeUp)),
        ("a key stopped the countdown", Leave::After(30), 50, vec![], Some(OwnDisk::Chosen)),
        ("no menu was shown", Leave::After(0), 10, vec![], Some(OwnDisk::TimeUp)),
        ("an entry began before", Leave::Done(30), 40, vec![], Some(OwnDisk::Done)),
        ("chosen though it did", Leave::Done(30), 20, vec![], Some(OwnDisk::Chosen)),
        ("another starts by itself", Leave::Chosen, 40, vec![], Some(OwnDisk::Chosen)),
        ("refused", Leave::Refused, 40, vec![], Some(OwnDisk::Refused)),
        ("an entry did not start", Leave::After(30), 60, vec![kernel()], None),
    ];
    for (case, leave, second, before, expected) in cases {
        let mut sheet = Sheet::new(catalogue());
        told(&mut sheet, &[boot(0), before].concat());
        let left = event(second, None, What::Service(Note::OwnDisk { leave }));
        // The answer to what said so ends after it.
        let (jobs, _) = told(&mut sheet, &[left, done(second, Role::Page, "own-disk/after-30")]);
        let job = jobs.last().unwrap();
        assert_eq!((job.result, job.own_disk, job.ended), (Outcome::OwnDisk, expected, Some(at(second))), "{case}");
        assert!(words::result(job).starts_with("its own disk") && words::is_well(job), "{case}");
        assert!(sheet.stop(at(1000)).is_empty(), "{case}: it is over");
        let (anew, _) = told(&mut sheet, &boot(700));
        assert_eq!(anew.last().unwrap().result, Outcome::Open, "{case}");
    }
}

#[test]
fn what_the_server_knows_tells_which_of_several_entries_it_is() {
    let entry = || "debian-live-toram".to_owned();
    let notes = [Note::AnswerGiven { entry: entry() }, Note::Chosen { entry: entry() }, Note::Begun { entry: entry() }];
    for note in notes {
        let mut sheet = Sheet::new(catalogue());
        let kernel = done(20, Role::Kernel, "image/debian-live/live/vmlinuz-6.1.0-50-amd64");
        let (jobs, _) = told(&mut sheet, &[boot(0), vec![kernel]].concat());
        assert_eq!(jobs[0].entries.len(), 2);
        let (jobs, _) = told(&mut sheet, &[event(30, None, What::Service(note))]);
        assert_eq!(jobs[0].entries, ["debian-live-toram for people"]);
    }
}

fn job(second: i64, mac: Mac) -> Job {
    let mut sheet = Sheet::new(catalogue());
    let (mut jobs, _) = told(&mut sheet, &boot(second));
    Job { mac, id: format!("{mac}-{second}"), ..jobs.remove(0) }
}

fn line(job: &Job) -> String {
    Line::Job(Box::new(job.clone())).json()
}

#[test]
fn the_last_line_of_a_job_counts_and_keeps_its_note_and_operator() {
    let first = job(1000, MAC);
    let later = Job { result: Outcome::Started, ended: Some(at(1100)), ..first.clone() };
    let mut book = Book::default();
    let text = [
        line(&first),
        Line::note(&first.id, "case 12\u{202e}\nx").json(),
        Line::operator("Ann", at(2000)).json(),
        line(&later),
        line(&job(3000, Mac([2; 6]))),
        Line::operator("Bo", at(90_000)).json(),
        line(&job(90_010, Mac([2; 6]))),
        Line::note("no such job", "x").json(),
    ];
    book.read(&text.concat());
    let kept: Vec<_> = book.jobs().map(|job| (job.result, job.operator.as_deref(), job.note.as_deref())).collect();
    let (ann, bo) = (Some("Ann"), Some("Bo"));
    assert_eq!(
        kept,
        [(Outcome::Started, ann, Some("case 12··x")), (Outcome::Open, ann, None), (Outcome::Open, bo, None)]
    );
    assert_eq!((book.operator(), book.unreadable), (bo, 0));
    assert_eq!(book.latest(Mac([2; 6])).map(|job| job.began), Some(at(90_010)));
    book.read(&Line::note(&first.id, " ").json());
    assert_eq!(book.jobs().next().unwrap().note, None);
}

#[test]
fn a_line_that_cannot_be_read_is_passed_over() {
    let (good, other) = (line(&job(0, MAC)), line(&job(60, Mac([2; 6]))));
    for end in 1..good.len() - 1 {
        let mut book = Book::default();
        book.read(&format!("{other}{}", &good[..end]));
        assert_eq!((book.jobs().count(), book.unreadable), (1, 1), "{}", &good[..end]);
        let mut book = Book::default();
        book.read(&format!("{}\n{other}", &good[..end]));
        assert_eq!((book.jobs().count(), book.unreadable), (1, 1));
    }
    let mut book = Book::default();
    book.read(&format!("\n[]\n{{}}\n{{\"line\":\"newer\"}}\n\0\0\0\n{}", "x".repeat(100_000)));
    assert_eq!((book.jobs().count(), book.unreadable), (0, 5));
}

/// A job of which every text is hostile.
fn hostile() -> Job {
    let mut job = job(0, MAC);
    let said = |text: &str| Some(text.to_owned());
    job.product = said("=cmd|' /C calc'!A0");
    job.uuid = said("<script>alert(1)</script>");
    job.firmware = said("+1\u{202e}x");
    job.entries = vec!["@SUM(A1)\nb".to_owned()];
    job.image = Some(Image { file: "-2\r\n\"a\".iso".into(), title: "<img src=x onerror=y>".into(), checksum: None });
    (job.result, job.cause) = (Outcome::Failed, said("\t=1+1 \x1b[2J\u{200b}"));
    (job.operator, job.note) = (said("＝full"), said("\"><b>'& b; \"=1+1"));
    job
}

#[test]
fn hostile_texts_stay_texts_in_every_form() {
    let job = hostile();
    let now = at(100).to_zoned(TimeZone::UTC);
    let (table, page, lines) = (csv(&[&job], &TimeZone::UTC), page(&[&job], &now), lines(&[&job], &TimeZone::UTC));
    let mut reader = ::csv::Reader::from_reader(table.as_bytes());
    let rows: Vec<::csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 1, "{table}");
    for cell in &rows[0] {
        assert!(!cell.starts_with(['=', '+', '-', '@', '＝', '\t', '\r']), "{cell:?}");
        assert!(text::is_plain(cell), "{cell:?}");
    }
    assert_eq!((&rows[0][5], &rows[0][8]), ("'=cmd|' /C calc'!A0", "'-2··\"a\".iso"));
    assert_eq!(&rows[0][14], "\"><b>'& b;' \"=1+1", "a cell of its own where semicolons separate them");
    assert_eq!(table.matches("\r\n").count(), 2);
    for bad in ["<script", "<img", "<b>'", "onerror=y>", "\u{202e}", "\x1b"] {
        assert!(!page.contains(bad), "{bad:?}: {page}");
    }
    assert!(page.contains("&quot;&gt;&lt;b&gt;&#39;&amp;") && page.contains("=cmd|&#39; /C calc&#39;!A0"), "{page}");
    assert_eq!((lines.lines().count(), lines.chars().filter(|c| c.is_control()).count()), (1, 1), "{lines:?}");
    let document: serde_json::Value = serde_json::from_str(&json(&[&job])).unwrap();
    assert_eq!(document["jobs"][0]["product"], "=cmd|' /C calc'!A0");
}

#[test]
fn a_page_has_a_row_for_each_job_and_nothing_from_elsewhere() {
    let mut well = job(0, MAC);
    (well.result, well.ended, well.operator) = (Outcome::HandedOver, Some(at(125)), Some("Ann".into()));
    well.image = Some(Image { file: "a.iso".into(), title: "Debian".into(), checksum: Some("SHA-256 00ff".into()) });
    let failed =
        Job { result: Outcome::Failed, cause: Some("it is off".into()), note: Some("x".into()), ..well.clone() };
    let other = job(86_400, Mac([2; 6]));
    let now = at(90_000).to_zoned(TimeZone::UTC);
    let several = page(&[&well, &failed, &other], &now);
    assert_eq!(several.matches("<td class=\"result\">").count(), 3);
    assert_eq!(several.matches("SHA-256 00ff").count(), 1, "each image once");
    for part in [
        "<title>Job sheet 1970-01-01 to 1970-01-02</title>",
        "<dd>1 January 1970 to 2 January 1970</dd>",
        "<dt>Operator</dt><dd>Ann</dd>",
        "<b>3</b> jobs on <b>2</b> computers: <b>1</b> started, <b>1</b> failed, <b>1</b> to look at",
        "Friday, 2 January 1970",
        "<b>Started</b></td><td><small>By Ann</small></td>",
        "<b>Failed</b><small>It is off</small></td><td>x<small>By Ann</small></td>",
        "<b>To look at</b><small>No end seen: ",
        "2:05",
        "<p>Place and date</p><p>Name</p><p>Signature</p>",
        "counter(page)",
    ] {
        assert!(several.contains(part), "{part}: {several}");
    }
    assert!(!several.contains("http://") && !several.contains("https://") && !several.contains("<script"));
    let one = page(&[&well], &now);
    assert!(one.contains("<dd>1 January 1970, 00:00 to 00:02</dd>") && !one.contains("Thursday"), "{one}");
    assert!(one.contains("<b>1</b> job on <b>1</b> computer:") && !one.contains("By Ann"), "{one}");
    let empty = page(&[], &now);
    assert!(empty.contains("<dt>Jobs</dt><dd>None</dd>") && !empty.contains("<table"), "{empty}");
    assert_eq!(csv(&[], &TimeZone::UTC).lines().count(), 1);
}
