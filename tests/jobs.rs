//! The job sheet and the trace of real boots, read back after the program was killed in the middle.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

mod lab;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use lab::boot::{MEMTEST, MEMTEST_RUNS, SHORT, first_entry};
use lab::vm::{Firmware, Vm};
use lab::{Lab, Server, must, program, ready};
use serde_json::Value;

fn jobs(lab: &Lab, options: &[&str]) -> Output {
    Command::new(program()).args(["jobs", "--state-dir"]).arg(lab.path("state")).args(options).output().unwrap()
}

fn read(lab: &Lab) -> Vec<Value> {
    let output = jobs(lab, &["--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    document["jobs"].as_array().unwrap().clone()
}

/// Reads the job sheet until it has a job like this.
fn wait_for(lab: &Lab, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let until = Instant::now() + SHORT;
    loop {
        let jobs = read(lab);
        if let Some(job) = jobs.iter().find(|job| wanted(job)) {
            return job.clone();
        }
        assert!(Instant::now() < until, "no {what} in {jobs:#?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn sheet(lab: &Lab) -> PathBuf {
    let mut files = fs::read_dir(lab.path("state/jobs")).unwrap().map(|entry| entry.unwrap().path());
    files.next().expect("a file of this day")
}

fn tcpdump(file: &Path) -> String {
    must(Command::new("tcpdump").args(["-n", "-vv", "-r"]).arg(file))
}

#[test]
fn a_kill_in_the_middle_of_a_boot_loses_neither_jobs_nor_packets() {
    if !ready("jobs after a kill", &["qemu-system-x86_64", "python3", "ethtool", "tcpdump", MEMTEST]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.server();
    let trace = lab.path("boot.pcapng");
    let mut options = first_entry("full", MEMTEST);
    options.extend(["--operator", "Ann", "--trace", trace.to_str().unwrap()]);
    let mut server = Server::start(&lab, &host, &options);
    let computer = Vm::start(&lab, 1, Firmware::PlainRom, 128);
    let going = wait_for(&lab, "loader", |job| job["stage"] == "loader" || job["stage"] == "menu");
    assert_eq!((&going["result"], &going["ended"], &going["operator"]), (&"open".into(), &Value::Null, &"Ann".into()));
    server.signal("KILL");
    server.end();
    drop(computer);
    let said = tcpdump(&trace);
    for part in
        ["DHCP-Message (53), length 1: Discover", "DHCP-Message (53), length 1: ACK", "RRQ \"undionly.kpxe\" octet"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("bad cksum") && !said.contains("bad udp cksum") && !said.contains("truncated-ip"), "{said}");
    let unfinished = read(&lab);
    assert_eq!((unfinished.len(), &unfinished[0]["result"]), (1, &"open".into()), "{unfinished:#?}");
    assert!(unfinished[0]["words"].as_str().unwrap().starts_with("no end seen"), "{unfinished:#?}");
    // The power went in the middle of a line.
    OpenOptions::new().append(true).open(sheet(&lab)).unwrap().write_all(b"{\"line\":\"job\",\"id\":\"52").unwrap();
    let server = Server::start(&lab, &host, &first_entry("full", MEMTEST));
    let mut computer = Vm::start(&lab, 2, Firmware::Bios, 128);
    computer.wait_for(MEMTEST_RUNS, SHORT);
    let runs = wait_for(&lab, "kernel", |job| job["stage"] == "kernel");
    assert_eq!(runs["image"]["file"], "memtest86+x64.iso", "{runs:#?}");
    assert_eq!((&runs["operator"], runs["entries"].as_array().unwrap().len()), (&"Ann".into(), 1), "{runs:#?}");
    packets_of_running_services(&lab, &computer.mac);
    server.stop();
    let last = read(&lab).pop().unwrap();
    assert_eq!((&last["result"], last["ended"].is_string()), (&"interrupted".into(), true), "{last:#?}");
    assert_eq!(String::from_utf8_lossy(&jobs(&lab, &[]).stderr).matches("1 lines").count(), 1);
    notes_and_forms(&lab, &computer.mac);
}

fn packets_of_running_services(lab: &Lab, mac: &str) {
    let trace = |options: &[&str]| {
        Command::new(program()).args(["trace", "--state-dir"]).arg(lab.path("state")).args(options).output().unwrap()
    };
    let file = lab.path("own.pcapng");
    let written = trace(&[mac, "-o", file.to_str().unwrap()]);
    assert!(written.status.success(), "{written:?}");
    let said = tcpdump(&file);
    assert!(said.contains(mac) && said.contains("Discover"), "{said}");
    let text = String::from_utf8(trace(&["--all", "--text"]).stdout).unwrap();
    for part in ["DHCP DISCOVER", "DHCP OFFER", "gets its menu", "asks what to boot"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let hidden = trace(&[mac, "--text", "--anonymous"]).stdout;
    let hidden = String::from_utf8(hidden).unwrap();
    assert!(hidden.contains("52:54:00:00:00:00") && !hidden.contains(mac), "{hidden}");
    let nobody =
        Command::new(program()).args(["trace", "--all", "--text", "--state-dir"]).arg(lab.path("none")).output();
    assert_eq!(nobody.unwrap().status.code(), Some(3));
}

fn notes_and_forms(lab: &Lab, mac: &str) {
    assert!(jobs(lab, &["--note", mac, "=case 12"]).status.success());
    let no_job = jobs(lab, &["--note", "02:02:02:02:02:02", "x"]);
    assert_eq!(no_job.status.code(), Some(3), "{no_job:?}");
    assert_eq!(jobs(lab, &["--note", "nobody", "x"]).status.code(), Some(2));
    let last = read(lab).pop().unwrap();
    assert_eq!(last["note"], "=case 12");
    let table = String::from_utf8(jobs(lab, &["--csv"]).stdout).unwrap();
    assert!(table.lines().last().unwrap().contains(",'=case 12,"), "{table}");
    let page = lab.path("sheet.html");
    assert!(jobs(lab, &["--html", "-o", page.to_str().unwrap()]).status.success());
    let page = fs::read_to_string(page).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("memtest86+x64.iso"), "{page}");
    let none = String::from_utf8(jobs(lab, &["--csv", "--since", "2999-01-01"]).stdout).unwrap();
    assert_eq!(none.lines().count(), 1);
}
