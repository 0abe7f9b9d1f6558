//! The program as a person starts it: options, bad input, sentences and exit statuses, in closed namespaces.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod disc;
mod lab;
#[path = "disc/layout.rs"]
mod layout;
#[path = "disc/raw.rs"]
mod raw;

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

#[test]
fn a_message_is_explained_or_told_to_be_unknown() {
    for shown in [&["PXE-E18"][..], &["pxe", "e18"], &["E18"]] {
        let output = run(&[&["explain"], shown].concat());
        let (status, text) = (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned());
        assert!(status == Some(0) && text.starts_with("PXE-E18: Server response timeout\n"), "{shown:?}: {text}");
        assert!(text.contains("UDP 69 and 4011") && output.stderr.is_empty(), "{text}");
    }
    let json = run(&["explain", "--json", "Security violation"]);
    let found: serde_json::Value = String::from_utf8_lossy(&json.stdout).parse().unwrap();
    assert!(found[0]["meaning"].as_str().unwrap().contains("Secure Boot"), "{found}");
    let (status, sentence) = outcome(&run(&["explain", "my cat sleeps\u{1b}[2J"]));
    assert_eq!(status, Some(3));
    is_sentence(&sentence, "Nothing is known of \u{201c}my cat sleeps·[2J\u{201d}.");
    let (status, sentence) = outcome(&run(&["explain"]));
    assert_eq!(status, Some(2), "{sentence}");
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
    let cases: [(&[&str], &str); 12] = [
        (&["serve", "--interfaec", "x"], "Did you mean --interface"),
        (&["serve", "debian.iso"], "--image debian.iso"),
        (&["serve", "--menu-timeout", "5s"], "--menu-timeout"),
        (&["serve", "--dhcp", "some"], "some"),
        (&["serve", "--http-port", "0"], "0"),
        (&["serve", "--interface", "lo", "--for", "soon"], "soon"),
        (&["serve", "--allow", "nobody"], "nobody"),
        (&["serve"], "--interface"),
        (&["dance"], "dance"),
        (&["jobs", "--since", "yesterday"], "it is no day like 2026-11-26"),
        (&["computers", "--forget", "nobody"], "neither `all` nor an address like 52:54:00:12:34:56"),
        (&["password", "hunter2"], "takes a line of standard input"),
    ];
    for (arguments, part) in cases {
        let (status, sentence) = outcome(&run(arguments));
        assert_eq!(status, Some(2), "{arguments:?}: {sentence}");
        is_sentence(&sentence, part);
        assert!(!sentence.contains("hunter2"), "{sentence}");
    }
    assert_eq!(run(&["--version"]).status.code(), Some(0));
    let help = run(&["serve", "--help"]);
    assert!(String::from_utf8_lossy(&help.stdout).contains("--menu-timeout") && help.status.success());
}

#[test]
fn what_is_not_known_of_a_computer_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().to_str().unwrap();
    let (status, sentence) = outcome(&run(&["computers", "--forget", "02:00:00:00:00:01", "--state-dir", state]));
    assert_eq!(status, Some(3), "{sentence}");
    is_sentence(&sentence, "Nothing is known of 02:00:00:00:00:01");
    let all = run(&["computers", "--forget", "all", "--state-dir", state]);
    assert_eq!((all.status.code(), all.stderr.is_empty()), (Some(0), true));
    if !ready("packets of an unknown computer", &["ip"]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.server();
    let server = Server::start(&lab, &host, &[]);
    let (state, file) = (lab.path("state"), lab.path("none.pcapng"));
    let about = |command: &[&str]| {
        outcome(&Command::new(program()).args(command).arg("--state-dir").arg(&state).output().unwrap())
    };
    let (status, sentence) = about(&["trace", "02:00:00:00:00:01", "-o", file.to_str().unwrap()]);
    assert_eq!((status, file.exists()), (Some(3), false), "{sentence}");
    is_sentence(&sentence, "Nothing of 02:00:00:00:00:01 is at hand");
    let (status, sentence) = about(&["computers", "--forget", "02:00:00:00:00:01"]);
    assert_eq!(status, Some(0), "{sentence}");
    is_sentence(&sentence, "Nothing was kept of 02:00:00:00:00:01");
    server.stop();
}

/// Typed into a terminal of its own, which is asked afterwards whether it still echoes.
#[test]
fn a_password_is_asked_for_unseen_and_the_terminal_is_given_back() {
    const SCRIPT: &str = "import os, pty, select, sys, termios
for keys in ([b'hunter2\\n', b'hunter2\\n'], [b'hunter2\\n', b'other\\n'], [b'hun\\x03']):
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    pid = os.fork()
    if pid == 0:
        os.login_tty(slave)
        os.execv(sys.argv[1], [sys.argv[1], 'password'])
    shown, asked = b'', 0
    for key in keys:
        asked += 1
        while shown.count(b': ') < asked or termios.tcgetattr(slave)[3] & termios.ECHO:
            if select.select([master], [], [], 0.01)[0]:
                shown += os.read(master, 4096)
        os.write(master, key)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    while select.select([master], [], [], 0)[0]:
        shown += os.read(master, 4096)
    print(status, b'hunter2' in shown, termios.tcgetattr(slave) == before, b'$argon2id$' in shown)
";
    if !ready("a typed password", &["python3"]) {
        return;
    }
    let output = Command::new("python3").args(["-c", SCRIPT, program()]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(told, "0 False True True\n2 False True False\n3 False True False\n", "{output:?}");
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

/// A folder with images of these tables, the first of each, and a program that looks at one of them. What the user has of
/// recipes and checksums is in there as well.
struct Shelf(tempfile::TempDir);

impl Shelf {
    fn new(tables: &[&str]) -> Shelf {
        let shelf = Shelf(tempfile::tempdir().unwrap());
        for table in tables {
            let path = format!("{}/tests/layouts/{table}.toml", env!("CARGO_MANIFEST_DIR"));
            let read: layout::Table = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
            let files = read.image[0].files.iter().filter(|(_, content)| !content.starts_with("@link "));
            let files: Vec<(&str, Vec<u8>)> =
                files.map(|(path, content)| (path.as_str(), layout::bytes(content))).collect();
            shelf.put(&format!("{table}.iso"), &raw::Iso::of(read.image[0].label.as_bytes(), &files).finish());
        }
        shelf
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn inspect(&self, options: &[&str]) -> Output {
        let mut command = Command::new(program());
        command.arg("inspect").args(options).current_dir(self.0.path());
        command.env("XDG_DATA_HOME", self.0.path().join("data")).env("XDG_STATE_HOME", self.0.path().join("state"));
        command.output().unwrap()
    }

    fn json(&self, image: &str) -> (Option<i32>, serde_json::Value) {
        let output = self.inspect(&["--json", image]);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{image}");
        (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
    }
}

#[test]
fn inspect_says_in_words_what_an_image_is() {
    let shelf = Shelf::new(&["xcp-ng", "ubuntu-server", "windows-10-11", "debian-installer"]);
    shelf.put("nothing.iso", &raw::Iso::of(b"NOTHING", &[("/readme.txt", b"r".to_vec())]).finish());
    let words = |image: &str| {
        let output = shelf.inspect(&[image]);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{image}");
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let xcp_ng = "\
XCP-ng 8.3.0
  File        xcp-ng.iso (292.8 kB)
  Label       XCP-ng_8.3
  Kind        hypervisor installer for x86_64
  Known by    it has /boot/xen.gz; it has /boot/vmlinuz; it has /install.img; it has /EFI/xenserver/*; it has \
/boot/isolinux/isolinux.cfg; it has /.treeinfo; its label is \"XCP-ng_8.3\"; /.treeinfo says 8.3.0
  Entry       XCP-ng 8.3.0 (xcp-ng), for BIOS and UEFI
    Way       Starts its hypervisor, and the rest as modules of that
    Kernel    /boot/xen.gz
    Module    /boot/vmlinuz console=hvc0 console=tty0
    Module    /install.img
    Arguments dom0_max_vcpus=1-16 dom0_mem=max:8192M com1=115200,8n1 console=com1,vga
    Answers   a file of its own kind
    Memory    4096 MiB or more
  Note        When the installer asks where its packages are, choose HTTP and type \
the address of this image's files: http://SERVER/image/xcp-ng, with this computer's address for SERVER (and :PORT behind it if it is not 80). An answer file can say the same as <source type=\"url\">.
";
    let (status, told) = words("xcp-ng.iso");
    assert_eq!((status, told.split("\n  Checksum").next()), (Some(0), Some(xcp_ng)));
    let cases: [(&str, i32, &[&str]); 4] = [
        (
            "ubuntu-server.iso",
            0,
            &[
                "Ubuntu Server 24.04.2\n",
                "\n  Entry       Ubuntu Server 24.04.2 (ubuntu-server), for BIOS and UEFI\n",
                "\n  Entry       Ubuntu Server 24.04.2 with the newer (HWE) kernel (ubuntu-server-hwe), for",
                "\n    Way       Loads the whole image into memory\n",
                "\n    Answers   Ubuntu autoinstall\n",
                "\n    Memory    1537 MiB or more\n",
            ],
        ),
        (
            "windows-10-11.iso",
            0,
            &[
                "Windows 11 24H2 (build 26100)\n",
                "\n    File      /sources/boot.wim\n",
                "\n    Answers   Windows answer file\n",
            ],
        ),
        (
            "debian-installer.iso",
            3,
            &["Debian installer 12.5.0\n", "\n  Kind        installer for", "\n  Note        This"],
        ),
        ("nothing.iso", 3, &["NOTHING\n", "\n  Note        No kernel and no boot menu"]),
    ];
    for (image, expected, parts) in cases {
        let (status, told) = words(image);
        assert_eq!(status, Some(expected), "{image}");
        for part in parts {
            assert!(format!("\n{told}").contains(part), "{image}: {part:?} is not in {told}");
        }
        assert!(told.lines().skip(1).all(|line| line.starts_with("  ")), "{told}");
    }
}

#[test]
fn inspect_has_the_fields_that_scripts_rely_on() {
    let shelf = Shelf::new(&["ubuntu-server", "debian-installer", "fedora-silverblue", "solus"]);
    let is = |value: &serde_json::Value, kind: &str| match kind {
        "text" => value.is_string(),
        "text?" => value.is_string() || value.is_null(),
        "number" => value.is_u64(),
        "number?" => value.is_u64() || value.is_null(),
        "list" => value.is_array(),
        "texts" => value.as_array().is_some_and(|list| list.iter().all(serde_json::Value::is_string)),
        other => panic!("{other}"),
    };
    let has = |value: &serde_json::Value, fields: &[(&str, &str)]| {
        for (field, kind) in fields {
            let found = value.get(field).unwrap_or_else(|| panic!("{field} is missing in {value:#}"));
            assert!(is(found, kind), "{field} of {value:#}");
        }
    };
    let mut entries = 0;
    for (image, status) in [("ubuntu-server", 0), ("debian-installer", 3), ("fedora-silverblue", 0), ("solus", 0)] {
        let (code, found) = shelf.json(&format!("{image}.iso"));
        assert_eq!(code, Some(status), "{image}: {found:#}");
        let top = [("path", "text"), ("size", "number"), ("volume_label", "text?"), ("filesystem", "text")];
        has(&found, &[&top[..], &[("entries", "list"), ("warnings", "texts")]].concat());
        let system = [("id", "text"), ("name", "text"), ("version", "text?"), ("arch", "texts"), ("category", "text")];
        has(&found["recognised"], &[&system[..], &[("evidence", "texts")]].concat());
        assert_eq!((found["recognised"]["id"].as_str(), found["filesystem"].as_str()), (Some(image), Some("iso9660")));
        assert_eq!(found["size"], std::fs::metadata(shelf.0.path().join(format!("{image}.iso"))).unwrap().len());
        for entry in found["entries"].as_array().unwrap() {
            let names =
                [("id", "text"), ("title", "text"), ("kernel", "text?"), ("initrd", "texts"), ("inject", "list")];
            let how = [("cmdline", "text"), ("transport", "text"), ("firmware", "texts"), ("arch", "text")];
            has(entry, &[&names[..], &how, &[("min_ram_mb", "number?")]].concat());
            for file in entry["inject"].as_array().unwrap() {
                has(file, &[("from", "text"), ("to", "text"), ("mode", "text")]);
            }
            let firmware = entry["firmware"].as_array().unwrap();
            assert!(!firmware.is_empty() && firmware.iter().all(|one| one == "bios" || one == "uefi"), "{entry:#}");
            assert!(entry["kernel"].as_str().is_none_or(|kernel| kernel.starts_with('/')), "{entry:#}");
            entries += 1;
        }
    }
    assert!(entries >= 4, "{entries}");
}

const OWN_RECIPE: &str = "id = \"bench-tool\"\nname = \"Bench tool\"\ncategory = \"tool\"\n\
    [detect]\nfiles = [\"/bench/kernel\"]\n\
    [[version]]\nfile = \"/bench/version\"\npattern = '(?P<version>[0-9.]+)'\n\
    [[entry]]\nkernel = [\"/bench/kernel\"]\ncmdline = \"bench={base_url}\"\ntransport = \"http-tree\"\n";

#[test]
fn recipes_of_the_user_are_used_and_wrong_ones_told() {
    let shelf = Shelf::new(&["ubuntu-server"]);
    let files = [("/bench/kernel", layout::bytes("@kernel")), ("/bench/version", b"Bench 7.1\n".to_vec())];
    shelf.put("own.iso", &raw::Iso::of(b"BENCH", &files).finish());
    let (status, found) = shelf.json("own.iso");
    assert_eq!((status, found["recognised"].is_null()), (Some(3), true), "nobody else knows it");
    let folder = "data/bootwright/recipes";
    shelf.put(&format!("{folder}/bench-tool.toml"), OWN_RECIPE.as_bytes());
    let (status, found) = shelf.json("own.iso");
    assert_eq!((status, found["recognised"]["version"].as_str()), (Some(0), Some("7.1")), "{found:#}");
    assert_eq!(
        (found["entries"][0]["id"].as_str(), found["warnings"].as_array().map(Vec::len)),
        (Some("bench-tool"), Some(0))
    );
    // Faults of several kinds, and the image is judged all the same.
    shelf.put(&format!("{folder}/misspelt.toml"), OWN_RECIPE.replace("transport", "trnsport").as_bytes());
    shelf.put(
        &format!("{folder}/pattern.toml"),
        OWN_RECIPE.replace("(?P<version>", "(").replace("bench-tool", "b").as_bytes(),
    );
    shelf.put(&format!("{folder}/broken.toml"), b"id = \"x\nname = 1\n");
    for (image, id) in [("own.iso", "bench-tool"), ("ubuntu-server.iso", "ubuntu-server")] {
        let output = shelf.inspect(&["--json", image]);
        assert_eq!(output.status.code(), Some(0), "{image}");
        let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found["recognised"]["id"], id);
        let told = String::from_utf8(output.stderr).unwrap();
        let lines: Vec<&str> = told.lines().collect();
        let expected = [
            ("broken.toml", "line 1"),
            ("misspelt.toml", "line 12: unknown field `trnsport`"),
            ("pattern.toml", "no group"),
        ];
        assert_eq!(lines.len(), expected.len(), "{told}");
        for (line, (file, part)) in lines.iter().zip(expected) {
            is_sentence(&format!("{line}\n"), file);
            is_sentence(&format!("{line}\n"), part);
        }
    }
    // One with the id of a shipped one stands in for it.
    shelf.put(
        &format!("{folder}/misspelt.toml"),
        OWN_RECIPE.replace("bench-tool", "ubuntu-server").replace("/bench/kernel", "/casper/vmlinuz").as_bytes(),
    );
    let output = shelf.inspect(&["--json", "ubuntu-server.iso"]);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["recognised"]["name"], "Bench tool");
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
fn answer_files_that_cannot_be_used_are_named() {
    if !ready("answer files", &["ip"]) {
        return;
    }
    let lab = Lab::new();
    let server = lab.server();
    let with = |table: &str, status, part: &str| {
        let path = lab.path("bench.toml");
        std::fs::write(&path, format!("interface = 'eth0'\n{table}\n")).unwrap();
        refused(&lab, &server, &["--deployment", path.to_str().unwrap()], status, part);
    };
    std::fs::write(lab.path("list.csv"), "mac,hostname\nno-mac,x\n").unwrap();
    std::fs::write(lab.path("latin.cfg"), b"d-i x string B\xfcro\n").unwrap();
    std::fs::write(lab.path("large.cfg"), "x".repeat(2 << 20)).unwrap();
    with("[answers.entry]\ndebian = 'gone.cfg'", 3, "gone.cfg cannot be read");
    with("[answers.entry]\ndebian = 'latin.cfg'", 3, "latin.cfg is not a text in UTF-8");
    with("[answers.entry]\ndebian = 'large.cfg'", 3, "large.cfg is larger than 1024 KiB");
    with("[answers]\nlist = 'list.csv'", 3, "list.csv has mistakes: line 2");
    with("[answers]\nhost-name = 'lab_{n}'", 3, "`lab_{n}` is no pattern for host names");
    with("[answers.variables]\nmac = 'x'", 3, "`mac` cannot be the name of a variable");
    let path = lab.path("bench.toml");
    std::fs::write(&path, "interface = 'eth0'\n[answers]\nhost-name = 'lab-{n}'\n").unwrap();
    let options = ["--deployment", path.to_str().unwrap(), "--state-dir", "/proc/nowhere"];
    let mut command = server.command(program());
    let output =
        command.args(["serve", "--for", "30s"]).args(options).arg("--loaders").arg(loaders()).output().unwrap();
    let (status, sentence) = outcome(&output);
    assert_eq!(status, Some(3), "{sentence}");
    is_sentence(&sentence, "Host names cannot be kept in /proc/nowhere/host-names.json");
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
        (file("page.iso", b"<html>"), "page.iso is a web page"),
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
    // Not the folders of whoever runs the tests.
    command.env("XDG_DATA_HOME", lab.path("data-of-nobody"));
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

#[test]
fn packs_are_listed_and_removed_and_what_is_none_is_not_added() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("bootwright/loaders/ipxe-77.0.0");
    let loaders = |arguments: &[&str]| {
        let mut command = Command::new(program());
        command.env("XDG_DATA_HOME", data.path()).arg("loaders").args(arguments).output().unwrap()
    };
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("snponly-arm64.efi"), "loader").unwrap();
    let manifest = r#"[{"file": "snponly-arm64.efi", "package": "ipxe release", "version": "77.0.0", "licence": "GPL-2.0-or-later", "signed_by": "Somebody"}]"#;
    std::fs::write(folder.join("manifest.json"), manifest).unwrap();
    let text = String::from_utf8(loaders(&[]).stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("snponly-arm64.efi ")).unwrap();
    assert!(line.ends_with("UEFI ARM64: 77.0.0, signed by Somebody"), "{line}");
    assert!(text.ends_with("Packs, the newest first: ipxe-77.0.0\n"), "{text}");
    let json: serde_json::Value = serde_json::from_slice(&loaders(&["--json"]).stdout).unwrap();
    assert_eq!(json["packs"], serde_json::json!(["ipxe-77.0.0"]));
    let rows = json["loaders"].as_array().unwrap();
    let row = rows.iter().find(|row| row["file"] == "snponly-arm64.efi").unwrap();
    assert_eq!((&row["version"], &row["serves"]), (&"77.0.0".into(), &serde_json::json!(["efi-arm64"])));
    for (arguments, part) in [
        (["add", "/etc/hostname"], "/etc/hostname is neither iPXE's release archive nor wimboot."),
        (["add", "/nowhere/ipxeboot.tar.gz"], "/nowhere/ipxeboot.tar.gz cannot be read: No such file"),
        (["remove", "2.0.0"], "There is no pack \"2.0.0\". Installed: ipxe-77.0.0."),
    ] {
        let (code, sentence) = outcome(&loaders(&arguments));
        assert_eq!(code, Some(2), "{sentence}");
        is_sentence(&sentence, part);
    }
    let removed = loaders(&["remove", "77.0.0"]);
    assert_eq!(String::from_utf8(removed.stdout).unwrap(), "Removed ipxe-77.0.0: snponly-arm64.efi\n");
    assert!(!folder.exists() && folder.parent().unwrap().exists());
}
