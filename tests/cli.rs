//! The program as a person starts it: options, bad input, sentences and exit statuses, in closed namespaces.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod disc;
mod lab;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use lab::{Host, Lab, Process, Server, loaders, program, ready};

fn run(arguments: &[&str]) -> Output {
    Command::new(program()).args(arguments).output().unwrap()
}

/// Exit status and the sentence on standard error.
fn outcome(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// One plain line from the program, with this in it.
fn is_sentence(text: &str, part: &str) {
    let ends = text.ends_with(".\n") || text.ends_with("?\n");
    assert!(text.starts_with("bootwright: ") && ends && text.lines().count() == 1, "{text:?}");
    assert!(text.contains(part), "{part:?} is not in {text:?}");
}

/// `serve` that must not come up: in text and in JSON it says the same.
fn refused(lab: &Lab, host: &Host, options: &[&str], status: i32, part: &str) {
    let serve = |form: &str| {
        let mut command = host.command(program());
        // The time only bounds a failure: what must not come up does not.
        command
            .args(["serve", "--for", "30s", "--state-dir"])
            .arg(lab.path("state"))
            .args(["--log", form])
            .args(options);
        if !options.contains(&"--loaders") {
            command.arg("--loaders").arg(loaders());
        }
        command.output().unwrap()
    };
    let (text, json) = (serve("text"), serve("json"));
    let (code, sentence) = outcome(&text);
    assert_eq!(code, Some(status), "{options:?}: {sentence}");
    is_sentence(&sentence, part);
    assert_eq!(outcome(&json), (code, sentence.clone()), "{options:?}");
    let last: serde_json::Value = String::from_utf8_lossy(&json.stdout).lines().last().unwrap().parse().unwrap();
    assert_eq!(last["event"], "failed");
    assert_eq!(format!("bootwright: {}\n", last["text"].as_str().unwrap()), sentence);
}

/// The window where there is no display for it, or where the display's libraries are not there.
#[test]
fn without_a_display_a_sentence_names_the_other_way() {
    let window = |display: Option<&str>| {
        let mut command = Command::new(program());
        command.arg("--demo").env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
        command.envs(display.map(|display| ("DISPLAY", display)));
        outcome(&command.output().unwrap())
    };
    for (display, part) in [(None, "There is no display"), (Some(":9999"), "The display does not answer")] {
        let (status, sentence) = window(display);
        assert_eq!(status, Some(3), "{sentence}");
        is_sentence(&sentence, part);
        is_sentence(&sentence, "bootwright serve --interface NAME");
    }
}

#[test]
fn a_missing_library_of_the_display_is_named() {
    const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/libXcursor.so.1";
    if !ready("missing library", &["unshare", LIBRARY]) {
        return;
    }
    // Hidden for this one process, in a mount namespace of its own.
    let hide = format!("mount --bind /dev/null $(readlink -f {LIBRARY}) && exec {} --demo", program());
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &hide]).env("DISPLAY", ":9999").env_remove("WAYLAND_DISPLAY");
    let (status, sentence) = outcome(&command.output().unwrap());
    assert_eq!(status, Some(3), "{sentence}");
    is_sentence(&sentence, "libXcursor.so.1");
    is_sentence(&sentence, "libxcursor1");
}

#[test]
fn wrong_arguments_are_one_sentence_and_status_2() {
    let cases: [(&[&str], &str); 9] = [
        (&["serve", "--interfaec", "x"], "Did you mean --interface"),
        (&["serve", "debian.iso"], "--image debian.iso"),
        (&["serve", "--menu-timeout", "5s"], "--menu-timeout"),
        (&["serve", "--dhcp", "some"], "some"),
        (&["serve", "--http-port", "0"], "0"),
        (&["serve", "--interface", "lo", "--for", "soon"], "soon"),
        (&["serve", "--allow", "nobody"], "nobody"),
        (&["serve"], "--interface"),
        (&["dance"], "dance"),
    ];
    for (arguments, part) in cases {
        let (status, sentence) = outcome(&run(arguments));
        assert_eq!(status, Some(2), "{arguments:?}: {sentence}");
        is_sentence(&sentence, part);
    }
    assert_eq!(run(&["--version"]).status.code(), Some(0));
    let help = run(&["serve", "--help"]);
    assert!(String::from_utf8_lossy(&help.stdout).contains("--menu-timeout") && help.status.success());
}

#[test]
fn inspect_says_by_its_status_what_a_file_is() {
    let folder = tempfile::tempdir().unwrap();
    let big = folder.path().join("big.iso");
    disc::with_big_file(&big);
    let output = run(&["inspect", "--json", big.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3), "readable, nothing to boot");
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((found["filesystem"].as_str(), found["recognised"].is_null()), (Some("iso9660"), true));
    assert!(found["warnings"][0].as_str().unwrap().contains("cannot boot"), "{found}");
    let empty = folder.path().join("empty.iso");
    std::fs::write(&empty, "").unwrap();
    for (path, part) in [(empty.to_str().unwrap(), "is empty"), ("/nowhere.iso", "no file"), ("/", "not a file")] {
        let (status, sentence) = outcome(&run(&["inspect", path]));
        assert_eq!(status, Some(2), "{path}");
        is_sentence(&sentence, part);
    }
}

#[test]
fn interfaces_are_listed() {
    let output = run(&["interfaces", "--json"]);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let kinds: Vec<&str> = found.as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert!(output.status.success() && kinds.contains(&"loopback"), "{found}");
}

#[test]
fn interfaces_ranges_and_entries_that_do_not_fit_are_named() {
    if !ready("options", &["ip"]) {
        return;
    }
    let lab = Lab::new();
    let server = lab.server();
    refused(&lab, &server, &["--interface", "eth7"], 3, "eth7");
    refused(&lab, &lab.host("n", None), &["--interface", "eth0"], 3, "eth0 has no IPv4 address");
    let full = |range| ["--interface", "eth0", "--dhcp", "full", "--range", range];
    refused(&lab, &server, &full("10.78.0.1-10.78.0.9"), 2, "10.78.0.1-10.78.0.9 is not inside");
    refused(&lab, &server, &full("ten"), 2, "ten");
    refused(&lab, &server, &["--interface", "eth0", "--range", "10.77.0.5-10.77.0.9"], 2, "--dhcp full");
    refused(&lab, &server, &["--interface", "eth0", "--default", "3"], 2, "entry 3");
    refused(&lab, &server, &["--interface", "eth0", "--append", "a || b"], 2, "||");
    refused(&lab, &server, &["--interface", "eth0", "--files", "/nowhere"], 3, "/nowhere");
    refused(&lab, &server, &["--interface", "eth0", "--loaders", "/nowhere"], 3, "/nowhere");
    refused(&lab, &server, &["--interface", "eth0", "--deployment", "/nowhere.toml"], 2, "/nowhere.toml");
    let options = ["--interface", "eth0", "--dhcp", "full", "--lease-file", "/proc/leases"];
    refused(&lab, &server, &options, 3, "/proc/leases");
}

#[test]
fn images_that_cannot_be_used_are_named() {
    if !ready("images", &["ip", "setpriv"]) {
        return;
    }
    let lab = Lab::new();
    let server = lab.server();
    let file = |name: &str, bytes: &[u8]| {
        std::fs::write(lab.path(name), bytes).unwrap();
        lab.path(name).to_str().unwrap().to_owned()
    };
    let big = lab.path("cut.iso");
    disc::with_big_file(&big);
    let size = std::fs::metadata(&big).unwrap().len();
    std::fs::OpenOptions::new().write(true).open(&big).unwrap().set_len(size / 2).unwrap();
    for (path, part) in [
        (file("empty.iso", b""), "empty.iso is empty"),
        (file("page.iso", b"<html>"), "page.iso is not a disc image"),
        (big.to_str().unwrap().to_owned(), "cut.iso is cut off"),
        (lab.path("gone.iso").to_str().unwrap().to_owned(), "gone.iso"),
    ] {
        refused(&lab, &server, &["--interface", "eth0", "--image", &path], 3, part);
    }
    // Root may read everything, so this one is asked as somebody else.
    let secret = file("secret.iso", b"x");
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
    let (status, sentence) = outcome(&as_nobody(&lab, &server, &["inspect", &secret]).output().unwrap());
    assert_eq!(status, Some(2));
    is_sentence(&sentence, "secret.iso may not be read");
}

/// The program, where an ordinary user can reach it, started by one.
fn as_nobody(lab: &Lab, host: &Host, arguments: &[&str]) -> Command {
    let copy = lab.path("bootwright");
    if !copy.exists() {
        std::fs::copy(program(), &copy).unwrap();
        std::fs::set_permissions(lab.folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    }
    let mut command = host.command("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(copy).args(arguments);
    command
}

#[test]
fn without_rights_it_says_what_to_do() {
    if !ready("rights", &["setpriv"]) {
        return;
    }
    let lab = Lab::new();
    let server = lab.server();
    let state = lab.path("state-of-nobody").to_str().unwrap().to_owned();
    let own_loaders = lab.path("loaders");
    lab::must(Command::new("cp").arg("-r").arg(loaders()).arg(&own_loaders));
    let own_loaders = own_loaders.to_str().unwrap();
    let options = ["serve", "--interface", "eth0", "--for", "30s", "--state-dir", &state, "--loaders", own_loaders];
    let (status, sentence) = outcome(&as_nobody(&lab, &server, &options).output().unwrap());
    assert_eq!(status, Some(3), "{sentence}");
    is_sentence(&sentence, "sudo");
}

#[test]
fn missing_loaders_are_told_with_where_they_were_looked_for() {
    if !ready("loaders", &["unshare", "mount"]) {
        return;
    }
    let lab = Lab::new();
    let server = lab.server();
    let copy = lab.path("bootwright");
    std::fs::copy(program(), &copy).unwrap();
    // The distribution's own folders are hidden, in case they have some.
    let line = format!(
        "for d in /usr/lib/ipxe /usr/share/ipxe /boot; do mount -t tmpfs none $d 2>/dev/null; done; \
         HOME={0} XDG_DATA_HOME={0} exec {1} serve --interface eth0 --for 30s --state-dir {0}",
        lab.path("home").display(),
        copy.display()
    );
    let output = server.command("unshare").args(["-m", "sh", "-c", &line]).output().unwrap();
    let (status, sentence) = outcome(&output);
    assert_eq!(status, Some(3), "{sentence}");
    is_sentence(&sentence, "packaging/run.sh --prepare");
}

#[test]
fn a_port_in_use_names_the_program_that_holds_it() {
    if !ready("ports", &["dnsmasq", "python3"]) {
        return;
    }
    let lab = Lab::new();
    let server = lab.server();
    let ready = lab.path("ready");
    let hold = |kind: &str, port: u16| {
        let script = format!(
            "import socket, signal\ns = socket.socket(socket.AF_INET, socket.SOCK_{kind})\ns.bind(('', {port}))\n\
             if '{kind}' == 'STREAM': s.listen()\nopen('{}', 'w').close()\nsignal.pause()\n",
            ready.display()
        );
        let _ = std::fs::remove_file(&ready);
        let process = Process::start(server.command("python3").args(["-c", &script]).stderr(Stdio::null()));
        while !ready.exists() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        process
    };
    for (kind, port, options) in [
        ("DGRAM", 67, vec![]),
        ("DGRAM", 4011, vec![]),
        ("DGRAM", 69, vec!["--dhcp", "off"]),
        ("STREAM", 8000, vec!["--http-port", "8000"]),
    ] {
        let _holder = hold(kind, port);
        let options = [vec!["--interface", "eth0"], options].concat();
        refused(&lab, &server, &options, 3, &format!("port {port} is held by python3 (process "));
    }
    // Port 80 has a second choice.
    let _holder = hold("STREAM", 80);
    let serving = Server::start(&lab, &server, &[]);
    assert_eq!(serving.lines().last().unwrap()["url"], "http://10.77.0.1:8080/");
    serving.stop();
}

#[test]
fn it_stops_on_signals_and_by_itself_and_comes_back_at_once() {
    if !ready("stop", &["ip"]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.server();
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(&lab, &host, &["--dhcp", "full"]);
        assert_eq!(server.lines().last().unwrap()["url"], "http://10.77.0.1:80/");
        server.signal(signal);
        assert_eq!(server.end().code(), Some(0), "{signal}");
    }
    let mut server = Server::start(&lab, &host, &["--for", "1s"]);
    assert_eq!(server.end().code(), Some(0));
    server.wait("the end", |line| line["event"] == "stopped");
    let text = host
        .command(program())
        .args(["serve", "--interface", "eth0", "--for", "1s", "--loaders"])
        .arg(loaders())
        .output();
    let text = String::from_utf8(text.unwrap().stdout).unwrap();
    assert!(text.lines().any(|line| line == "bootwright: ready http://10.77.0.1:80/"), "{text}");
}

#[test]
fn it_ends_when_its_interface_goes() {
    if !ready("interface", &["ip"]) {
        return;
    }
    for (what, part) in [("link del eth0", "The interface eth0 is gone"), ("addr flush dev eth0", "10.77.0.1")] {
        let lab = Lab::new();
        let host = lab.server();
        let mut server = Server::start(&lab, &host, &["--dhcp", "full"]);
        host.ip(what);
        assert_eq!(server.end().code(), Some(3), "{what}");
        is_sentence(&std::fs::read_to_string(&server.errors).unwrap(), part);
        let failed = server.wait("the failure", |line| line["event"] == "failed");
        assert!(failed["text"].as_str().unwrap().contains(part), "{failed}");
    }
}

#[test]
fn images_that_go_while_serving_are_told() {
    if !ready("going images", &["ip"]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.server();
    let images: Vec<PathBuf> = ["kept.iso", "changed.iso"].iter().map(|name| lab.path(name)).collect();
    images.iter().for_each(|path| disc::with_big_file(path));
    let options = ["--image", images[0].to_str().unwrap(), "--image", images[1].to_str().unwrap()];
    let server = Server::start(&lab, &host, &options);
    std::fs::remove_file(&images[0]).unwrap();
    std::fs::write(&images[1], "something else").unwrap();
    let gone = server.wait("the removed image", |line| line["event"] == "image-gone");
    assert!(gone["text"].as_str().unwrap().contains("kept.iso was removed or moved"), "{gone}");
    let changed = server.wait("the changed image", |line| line["event"] == "image-changed");
    assert!(changed["text"].as_str().unwrap().contains("changed.iso was changed"), "{changed}");
    server.stop();
}
