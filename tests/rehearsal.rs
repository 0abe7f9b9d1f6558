//! Rehearsals on loopback, without rights: what is well passes, and each thing that can be wrong is found.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

mod lab;
#[path = "disc/layout.rs"]
mod layout;
mod plan;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use lab::{Lab, Server, program as bootwright, ready};

use bootwright::boot::loader::Loader;
use bootwright::deployment::{DhcpPlan, Plan, Ports};
use bootwright::dhcp::lease::Range;
use bootwright::engine::double::{Ask, Private, Reply};
use bootwright::rehearsal::driver::Trouble;
use bootwright::rehearsal::script::Wrong;
use bootwright::rehearsal::{self, Answering, By, Fault, Firmware, Line, Outcome, Report, Start};

/// A folder with loaders, images and state.
struct Bench {
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

/// The six that have a loader below.
const SIX: [Firmware; 6] = [
    Firmware::BiosRom,
    Firmware::BiosPlain,
    Firmware::X64Pxe,
    Firmware::X64Http,
    Firmware::Ia32Pxe,
    Firmware::Arm64Pxe,
];

impl Bench {
    /// With a loader for each firmware, which has the headers that firmware looks at and nothing else.
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let bench =
            Bench { folder, runtime: tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap() };
        let efi = |machine| [program(machine), vec![0x90; 200_000]].concat();
        let loaders = [
            (Loader::Undionly, vec![0x90; 70_000]),
            (Loader::SnponlyX64, efi(0x8664)),
            (Loader::GrubHttpX64, efi(0x8664)),
            (Loader::SnponlyIa32, efi(0x014c)),
            (Loader::GrubHttpArm64, efi(0xaa64)),
            (Loader::Memdisk, vec![1; 30_000]),
            (Loader::Wimboot, efi(0x8664)),
        ];
        for (loader, bytes) in loaders {
            bench.write(loader.file(), &bytes);
        }
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// An image of a table in `tests/layouts`, by its file name there.
    fn image(&self, system: &str, name: &str) -> PathBuf {
        layout_of(system).make(self.folder.path(), name)
    }

    fn plan(&self, full: bool, images: &[PathBuf]) -> Plan {
        let range = Range { first: Ipv4Addr::new(10, 77, 0, 100), last: Ipv4Addr::new(10, 77, 0, 149) };
        let lease_file = self.path("leases.json");
        let full = full.then(|| DhcpPlan::Full {
            range,
            excluded: Default::default(),
            lease_file,
            advertise: false,
            probe: true,
            beside: Default::default(),
        });
        Plan {
            interface: "rehearsed".into(),
            network: "10.77.0.1/24".parse().unwrap(),
            dhcp: full.unwrap_or(DhcpPlan::Proxy),
            images: images.to_vec(),
            ports: Ports::default(),
            ..plan::on_loopback(self.folder.path())
        }
    }

    fn rehearse(&self, plan: &Plan, wanted: &[Firmware]) -> Report {
        self.runtime.block_on(async {
            let services = Private::start(plan).await.unwrap();
            rehearsal::run(Arc::new(services), wanted, None).await
        })
    }

    /// What is in the folder, and what the files there hold.
    fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        files.map(|path| (path.clone(), std::fs::read(&path).unwrap_or_default())).collect()
    }
}

/// The headers of a UEFI program, and nothing behind them.
fn program(machine: u16) -> Vec<u8> {
    let mut bytes = layout::kernel(false, Some(machine), false);
    let magic: u16 = if machine == 0x014c { 0x010b } else { 0x020b };
    bytes[0x98..0x9a].copy_from_slice(&magic.to_le_bytes());
    bytes
}

/// The first image of a table in `tests/layouts`.
fn layout_of(system: &str) -> layout::Image {
    let file = format!("{}/tests/layouts/{system}.toml", env!("CARGO_MANIFEST_DIR"));
    let mut table: layout::Table = toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    table.image.remove(0)
}

/// Whether images can be made here.
fn has_xorriso(test: &str) -> bool {
    let there = ["xorriso", "genisoimage"].map(|name| Command::new(name).arg("--version").output().is_ok());
    if there != [true; 2] {
        println!("SKIPPED {test}: xorriso or genisoimage is missing");
    }
    there == [true; 2]
}

/// All that fails, as one text.
fn told(report: &Report) -> String {
    let line =
        |(firmware, entry, fault): (Firmware, Option<&str>, &Fault)| format!("{firmware:?} {entry:?}: {fault:?}\n");
    report.faults().map(line).collect()
}

fn fault(report: &Report, firmware: Firmware) -> &Fault {
    let row = report.rows.iter().find(|row| row.firmware == firmware).unwrap();
    row.faults().next().map(|(_, fault)| fault).unwrap_or_else(|| panic!("{row:?}"))
}

#[test]
fn ten_images_and_six_firmwares_pass_in_both_modes_and_nothing_is_written() {
    if !has_xorriso("ten images") {
        return;
    }
    let systems = [
        "debian-live",
        "4mlinux",
        "ubuntu-server",
        "fedora-installer",
        "arch",
        "clonezilla",
        "systemrescue",
        "grml",
        "memtest86plus",
        "rocky-linux",
    ];
    let bench = Bench::new();
    let images: Vec<PathBuf> = systems.iter().map(|system| bench.image(system, system)).collect();
    let before = bench.contents();
    for full in [true, false] {
        let report = bench.rehearse(&bench.plan(full, &images), &SIX);
        assert_eq!(told(&report), "", "full {full}");
        assert!(report.entries.len() >= systems.len(), "{:?}", report.entries);
        assert_eq!(report.rows.iter().map(|row| row.firmware).collect::<Vec<_>>(), SIX);
        for row in &report.rows {
            assert_eq!(row.outcome, Outcome::Ready, "{row:?}");
            // None of these systems is for ARM64.
            let entries = row.firmware != Firmware::Arm64Pxe;
            assert!(!row.loaders.is_empty() && row.entries.is_empty() != entries, "{row:?}");
        }
        let starts = |firmware: Firmware| {
            let row = report.rows.iter().find(|row| row.firmware == firmware).unwrap();
            row.entries.values().filter(|cell| cell.start == Start::Starts && cell.files > 0 && cell.bytes > 0).count()
        };
        for firmware in [Firmware::BiosRom, Firmware::BiosPlain, Firmware::X64Pxe, Firmware::X64Http] {
            assert!(starts(firmware) >= systems.len() - 1, "{firmware:?} starts {}", starts(firmware));
        }
        println!("{} ms for {} entries, full {full}", report.millis, report.entries.len());
    }
    assert_eq!(bench.contents(), before, "a rehearsal writes nothing");
}

/// No false alarm with any of the systems that we know.
#[test]
fn every_layout_is_rehearsed_without_a_false_alarm() {
    if !has_xorriso("every layout") {
        return;
    }
    let bench = Bench::new();
    let mut files: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/layouts")).unwrap().collect();
    files.sort_by_key(|entry| entry.as_ref().unwrap().path());
    let mut wrong = String::new();
    for (number, entry) in files.into_iter().enumerate() {
        let path = entry.unwrap().path();
        let table: layout::Table = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let make = |(at, image): (usize, &layout::Image)| image.make(bench.folder.path(), &format!("i{number}-{at}"));
        let images: Vec<PathBuf> = table.image.iter().enumerate().map(make).collect();
        for image in &images {
            let report = bench.rehearse(&bench.plan(true, std::slice::from_ref(image)), &SIX);
            if report.faults().next().is_some() {
                wrong += &format!("{}\n{}", path.display(), told(&report));
            }
        }
        images.iter().for_each(|image| std::fs::remove_file(image).unwrap());
    }
    assert_eq!(wrong, "");
}

#[test]
fn loaders_that_do_not_do_are_found() {
    let bench = Bench::new();
    let plan = |full| bench.plan(full, &[]);
    for full in [true, false] {
        assert_eq!(told(&bench.rehearse(&plan(full), &SIX)), "");
        // Missing.
        std::fs::remove_file(bench.path(Loader::SnponlyX64.file())).unwrap();
        std::fs::remove_file(bench.path(Loader::SnponlyIa32.file())).unwrap();
        let report = bench.rehearse(&plan(full), &SIX);
        for firmware in [Firmware::X64Pxe, Firmware::X64Http] {
            assert!(matches!(fault(&report, firmware), Fault::NoBootFile { .. }), "{}", told(&report));
        }
        let ia32 = report.rows.iter().find(|row| row.firmware == Firmware::Ia32Pxe).unwrap();
        assert!(matches!(ia32.outcome, Outcome::NotServed { .. }), "a rare firmware is told, and no fault: {ia32:?}");
        assert_eq!(report.faults().count(), 2, "{}", told(&report));
        // Empty, of another processor, and none at all.
        bench.write(Loader::SnponlyX64.file(), b"");
        let report = bench.rehearse(&plan(full), &[Firmware::X64Pxe, Firmware::X64Http]);
        let empty = Fault::Empty { file: "snponly.efi".into() };
        assert_eq!((fault(&report, Firmware::X64Pxe), fault(&report, Firmware::X64Http)), (&empty, &empty));
        let arm = program(0xaa64);
        bench.write(Loader::SnponlyX64.file(), &arm);
        bench.write(Loader::Undionly.file(), &arm);
        let report = bench.rehearse(&plan(full), &SIX);
        for firmware in [Firmware::X64Pxe, Firmware::X64Http, Firmware::BiosPlain] {
            assert!(matches!(fault(&report, firmware), Fault::WrongMachine { .. }), "{}", told(&report));
        }
        bench.write(Loader::SnponlyX64.file(), b"<html>not found</html>");
        let report = bench.rehearse(&plan(full), &SIX);
        assert_eq!(fault(&report, Firmware::X64Pxe), &Fault::NoProgram { file: "snponly.efi".into() });
        for (loader, bytes) in [
            (Loader::Undionly, vec![0x90; 70_000]),
            (Loader::SnponlyX64, program(0x8664)),
            (Loader::SnponlyIa32, program(0x014c)),
        ] {
            bench.write(loader.file(), &bytes);
        }
    }
}

#[test]
fn an_image_that_is_cut_short_is_found() {
    if !has_xorriso("cut short") {
        return;
    }
    let bench = Bench::new();
    let image = bench.image("debian-live", "debian");
    for full in [true, false] {
        let plan = bench.plan(full, std::slice::from_ref(&image));
        let report = bench.runtime.block_on(async {
            let services = Arc::new(Private::start(&plan).await.unwrap());
            // While it is served, as when somebody copies over it.
            let whole = std::fs::read(&image).unwrap();
            let file = std::fs::OpenOptions::new().write(true).open(&image).unwrap();
            file.set_len(40 << 10).unwrap();
            let report = rehearsal::run(services, &SIX, None).await;
            std::fs::write(&image, whole).unwrap();
            report
        });
        let Fault::Short { file, .. } = fault(&report, Firmware::X64Pxe) else { panic!("{}", told(&report)) };
        assert!(file.starts_with("image/debian"), "{file}");
        assert!(matches!(fault(&report, Firmware::BiosPlain), Fault::Short { .. }), "{}", told(&report));
    }
}

#[test]
fn arguments_that_are_too_long_are_found() {
    if !has_xorriso("too long") {
        return;
    }
    let bench = Bench::new();
    let image = bench.image("debian-live", "debian");
    for full in [true, false] {
        let plan = Plan { append: "x".repeat(2100), ..bench.plan(full, std::slice::from_ref(&image)) };
        let report = bench.rehearse(&plan, &SIX);
        // By iPXE and by GRUB.
        for firmware in [Firmware::X64Pxe, Firmware::BiosRom] {
            let Fault::TooLong { length } = fault(&report, firmware) else { panic!("{}", told(&report)) };
            assert!(*length > 2100, "{length}");
        }
    }
}

#[test]
fn a_range_that_is_full_is_found_and_a_free_address_stays_free() {
    let bench = Bench::new();
    let mut plan = bench.plan(true, &[]);
    let DhcpPlan::Full { range, .. } = &mut plan.dhcp else { panic!("not full") };
    range.last = range.first;
    // One address is enough for all of them, since nobody takes it.
    let report = bench.rehearse(&plan, &SIX);
    assert_eq!(told(&report), "");
    let kept = r#"{"version":1,"leases":[{"address":"10.77.0.100","client":"01525400770101","mac":"52:54:00:77:01:01","until":4102444800}]}"#;
    bench.write("leases.json", kept.as_bytes());
    let report = bench.rehearse(&plan, &[Firmware::X64Pxe]);
    assert_eq!(fault(&report, Firmware::X64Pxe), &Fault::NoAddress { size: 1 }, "{}", told(&report));
    assert_eq!(std::fs::read_to_string(bench.path("leases.json")).unwrap(), kept);
    assert!(!Path::new(&bench.path("state/loaders.json")).exists());
}

/// Services with something wrong about what they say: these bytes instead of those, which are as many.
struct Wronged {
    services: Private,
    in_dhcp: (&'static [u8], &'static [u8]),
    in_http: (&'static [u8], &'static [u8]),
    http: std::sync::OnceLock<SocketAddrV4>,
}

impl Line for Wronged {
    fn ask(&self, ask: Ask) -> Answering<'_> {
        Box::pin(async move {
            Ok(match self.services.answer(ask).await {
                Reply::Begun(mut scene) => {
                    let behind = scene.http;
                    scene.http = *self.http.get_or_init(|| between(behind, self.in_http));
                    Reply::Begun(scene)
                }
                Reply::Heard { answers, notes } => {
                    let answers = answers.iter().map(|answer| replaced(answer, self.in_dhcp)).collect();
                    Reply::Heard { answers, notes }
                }
                reply => reply,
            })
        })
    }
}

fn replaced(bytes: &[u8], (from, to): (&[u8], &[u8])) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    for at in 0..bytes.len().saturating_sub(from.len()) {
        if !from.is_empty() && bytes[at..].starts_with(from) {
            bytes[at..at + from.len()].copy_from_slice(to);
        }
    }
    bytes
}

/// Somebody between a client and a server, who changes what the server says. Menus come in one piece.
fn between(server: SocketAddrV4, change: (&'static [u8], &'static [u8])) -> SocketAddrV4 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let own = SocketAddrV4::new(Ipv4Addr::LOCALHOST, listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(server).unwrap();
            let pass = |mut from: TcpStream, mut to: TcpStream, change: (&'static [u8], &'static [u8])| {
                std::thread::spawn(move || {
                    let mut piece = vec![0u8; 1 << 20];
                    while let Ok(length) = from.read(&mut piece)
                        && length > 0
                        && to.write_all(&replaced(&piece[..length], change)).is_ok()
                    {}
                    let _ = to.shutdown(std::net::Shutdown::Both);
                });
            };
            pass(client.try_clone().unwrap(), server.try_clone().unwrap(), (b"", b""));
            pass(server, client, change);
        }
    });
    own
}

impl Bench {
    fn rehearse_wronged(
        &self,
        plan: &Plan,
        in_dhcp: (&'static [u8], &'static [u8]),
        in_http: (&'static [u8], &'static [u8]),
    ) -> Report {
        self.runtime.block_on(async {
            let services = Private::start(plan).await.unwrap();
            let wronged = Wronged { services, in_dhcp, in_http, http: Default::default() };
            rehearsal::run(Arc::new(wronged), &SIX, None).await
        })
    }
}

const AS_IT_IS: (&[u8], &[u8]) = (b"", b"");

#[test]
fn an_answer_that_names_a_file_which_is_not_there_is_found() {
    let bench = Bench::new();
    for full in [true, false] {
        let plan = bench.plan(full, &[]);
        let report = bench.rehearse_wronged(&plan, (b"undionly.kpxe", b"undionly.gone"), AS_IT_IS);
        let missing = Fault::Fetch { file: "undionly.gone".into(), by: By::Tftp, trouble: Trouble::NotFound };
        assert_eq!(fault(&report, Firmware::BiosPlain), &missing);
        assert_eq!(report.faults().count(), 1, "{}", told(&report));
        let report = bench.rehearse_wronged(&plan, (b"/snponly.efi", b"/snponly.old"), AS_IT_IS);
        let missing = Fault::Fetch { file: "snponly.old".into(), by: By::Http, trouble: Trouble::NotFound };
        assert_eq!(fault(&report, Firmware::X64Http), &missing);
        // HTTP Boot passes over an answer that does not say so, and PXE over one without its server.
        let report = bench.rehearse_wronged(&plan, (b"HTTPClient", b"HTTPServer"), AS_IT_IS);
        let Fault::Answer { .. } = fault(&report, Firmware::X64Http) else { panic!("{}", told(&report)) };
    }
}

#[test]
fn a_wrong_path_in_a_menu_and_a_label_that_leads_nowhere_are_found() {
    if !has_xorriso("wrong menus") {
        return;
    }
    let bench = Bench::new();
    let image = bench.image("debian-live", "debian");
    for full in [true, false] {
        let plan = bench.plan(full, std::slice::from_ref(&image));
        let report = bench.rehearse_wronged(&plan, AS_IT_IS, (b"/live/vmlinuz", b"/live/vmlinux"));
        for firmware in [Firmware::BiosRom, Firmware::X64Http] {
            let Fault::Fetch { file, by: By::Http, trouble: Trouble::NotFound } = fault(&report, firmware) else {
                panic!("{}", told(&report))
            };
            assert!(file.contains("/live/vmlinux"), "{file}");
        }
        let report = bench.rehearse_wronged(&plan, AS_IT_IS, (b"\n:debian-live\n", b"\n:debian-lost\n"));
        let Fault::Script { file, wrong: Wrong::NoLabel { label, .. } } = fault(&report, Firmware::X64Pxe) else {
            panic!("{}", told(&report))
        };
        assert_eq!((file.as_str(), label.as_str()), ("menu.ipxe", "debian-live"));
        let report = bench.rehearse_wronged(&plan, AS_IT_IS, (b"\nimgfree\n", b"\nimgargs\n"));
        let Fault::Script { wrong: Wrong::UnknownCommand { command, .. }, .. } = fault(&report, Firmware::X64Pxe)
        else {
            panic!("{}", told(&report))
        };
        assert_eq!(command, "imgargs");
    }
}

/// Against running services on a real interface: no lease is taken, nothing is remembered, and nobody sees a computer.
#[test]
fn running_services_are_rehearsed_and_notice_nothing() {
    if !ready("rehearsed live", &["udhcpc", "xorriso"]) {
        return;
    }
    let (lab, bench) = (Lab::new(), Bench::new());
    let server = lab.server();
    let image = bench.image("debian-live", "debian").display().to_string();
    let options = ["--dhcp", "full", "--range", "10.77.0.100-10.77.0.100", "--image", &image];
    let serving = Server::start(&lab, &server, &options);
    let kept = || ["leases-eth0.json", "loaders.json"].map(|name| std::fs::read(lab.path("state").join(name)).unwrap());
    let before = kept();
    let mut rehearse = server.command(bootwright());
    let output = rehearse.args(["rehearse", "--json", "--state-dir"]).arg(lab.path("state")).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!((output.status.code(), &report["problems"]), (Some(0), &serde_json::json!([])), "{report:#}");
    let rows = report["rows"].as_array().unwrap();
    assert!(rows.len() == 8 && rows.iter().all(|row| row["outcome"] == "ready"), "{report:#}");
    let starts = rows.iter().filter(|row| row["entries"]["debian-live"]["outcome"] == "starts").count();
    assert!(starts >= 5, "{report:#}");
    assert_eq!(kept(), before, "nothing is written");
    // The one address is still there for a real computer, which is the first that anything is told of.
    let client = lab.host("c", None);
    let got = client.sh("udhcpc -i eth0 -n -q -f -t 3 -T 2 -s /bin/true 2>&1");
    let said = String::from_utf8_lossy(&got.stdout).into_owned();
    assert!(got.status.success() && said.contains("10.77.0.100"), "{said}");
    let seen = serving.wait("a real computer", |line| !line["mac"].is_null());
    let mac = client.sh("cat /sys/class/net/eth0/address").stdout;
    assert_eq!(seen["mac"].as_str().unwrap(), String::from_utf8_lossy(&mac).trim());
    let of_nobody = |line: &serde_json::Value| line["mac"].is_null() && !line["ip"].is_null();
    assert_eq!(serving.lines().iter().find(|line| of_nobody(line)), None, "a computer without a name");
    assert!(!serving.stop().contains("rehearsal"));
    assert!(!lab.path("state").join("rehearsal.sock").exists(), "the socket goes with the services");
}

/// What only the end of a file shows: its installer fetches the image whole.
#[test]
fn an_image_that_lost_its_end_is_found() {
    if !has_xorriso("lost its end") {
        return;
    }
    let bench = Bench::new();
    let image = bench.image("ubuntu-server", "ubuntu");
    let plan = bench.plan(true, std::slice::from_ref(&image));
    let size = std::fs::metadata(&image).unwrap().len();
    let report = bench.runtime.block_on(async {
        let services = Arc::new(Private::start(&plan).await.unwrap());
        std::fs::OpenOptions::new().write(true).open(&image).unwrap().set_len(size - 1).unwrap();
        rehearsal::run(services, &[Firmware::X64Pxe], None).await
    });
    let Fault::Short { file, expected } = fault(&report, Firmware::X64Pxe) else { panic!("{}", told(&report)) };
    assert_eq!((file.as_str(), *expected), ("image/ubuntu-server.iso", size));
}

#[test]
fn answer_files_are_filled_in_and_nothing_is_counted() {
    if !has_xorriso("answers") {
        return;
    }
    let bench = Bench::new();
    let images = [bench.image("fedora-installer", "fedora"), bench.image("ubuntu-server", "ubuntu")];
    bench.write("ks.cfg", b"network --hostname={{ hostname }}\n");
    bench.write("user.yaml", b"#cloud-config\nautoinstall:\n  version: 1\n");
    let mut plan = bench.plan(true, &images);
    plan.answers.host_name = Some("lab-{nn}".into());
    plan.answers.entry.insert("fedora-installer".into(), bench.path("ks.cfg"));
    plan.answers.entry.insert("ubuntu-server".into(), bench.path("user.yaml"));
    let without = bench.rehearse(&bench.plan(true, &images), &SIX);
    let with = bench.rehearse(&plan, &SIX);
    assert_eq!((told(&without), told(&with)), (String::new(), String::new()));
    let files = |report: &Report, entry: &str| report.rows[1].entries[entry].files;
    assert_eq!(files(&with, "fedora-installer"), files(&without, "fedora-installer") + 1);
    assert_eq!(files(&with, "ubuntu-server"), files(&without, "ubuntu-server") + 2, "user-data and meta-data");
    assert!(!bench.path("state/host-names.json").exists(), "no number is given away");
    // What cannot be filled in is found.
    bench.write("ks.cfg", b"{{ nothing.at.all }}\n");
    let report = bench.rehearse(&plan, &SIX);
    let wanted = Fault::Answers { entry: "fedora-installer".into() };
    assert_eq!(fault(&report, Firmware::BiosPlain), &wanted, "{}", told(&report));
}
