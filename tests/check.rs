//! What `bootwright check` finds before anything is started, each fault provoked in a closed namespace; what is done about
//! it while serving, and that this is undone however the services end.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

mod lab;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use lab::office::{Pace, office, started};
use lab::{Host, Lab, SERVER, Server, loaders, must, packaged, program, ready};
use serde_json::Value;

/// What `bootwright check --json` says here, and its exit status.
fn check(lab: &Lab, host: &Host, options: &[&str]) -> (i32, Vec<Value>) {
    check_by(lab, host.command(program()), options)
}

fn check_by(lab: &Lab, mut command: Command, options: &[&str]) -> (i32, Vec<Value>) {
    command.args(["check", "--json", "--interface", "eth0", "--state-dir"]).arg(lab.path("state"));
    let output = command.arg("--loaders").arg(loaders()).args(options).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let report: Value = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    let findings = report["findings"].as_array().unwrap().clone();
    let blocking = findings.iter().filter(|finding| finding["verdict"] == "blocks").count();
    assert_eq!(report["blocking"], blocking);
    (output.status.code().unwrap(), findings)
}

/// The one finding whose title has this in it.
fn about<'a>(findings: &'a [Value], part: &str) -> &'a Value {
    let same: Vec<&Value> = findings.iter().filter(|it| it["title"].as_str().unwrap().contains(part)).collect();
    let [finding] = same.as_slice() else { panic!("{part:?}: {} times in {findings:#?}", same.len()) };
    finding
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < until, "{what} does not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a computer gets in: a DHCP request, a file by TFTP, whose data comes from a port of its own, and one by HTTP.
fn reached(client: &Host) -> [bool; 3] {
    let script = format!(
        "import socket, urllib.request\n\
         def heard(port, question, own=0):\n\
         \x20   s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n\
         \x20   s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)\n\
         \x20   s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n\
         \x20   s.settimeout(2)\n\
         \x20   s.bind(('', own))\n\
         \x20   s.sendto(question, port)\n\
         \x20   try: return s, *s.recvfrom(2048)\n\
         \x20   except TimeoutError: return None\n\
         mac = bytes.fromhex('525400770099')\n\
         options = bytes([99, 130, 83, 99, 53, 1, 1, 60, 32]) + b'PXEClient:Arch:00007:UNDI:003016'\n\
         options += bytes([93, 2, 0, 7, 94, 3, 1, 3, 16, 255])\n\
         discover = bytes([1, 1, 6, 0]) + b'1234' + bytes([0, 0, 128, 0]) + bytes(16) + mac + bytes(202) + options\n\
         dhcp = heard(('10.77.0.255', 67), discover, 68) is not None\n\
         tftp = heard(('{SERVER}', 69), b'\\0\\1snponly.efi\\0octet\\0')\n\
         if tftp:\n\
         \x20   s, first, sender = tftp\n\
         \x20   s.sendto(b'\\0\\4\\0\\1', sender)\n\
         \x20   try: tftp = s.recvfrom(2048)[0][:4] == b'\\0\\3\\0\\2' and first[:4] == b'\\0\\3\\0\\1'\n\
         \x20   except TimeoutError: tftp = False\n\
         try: http = urllib.request.urlopen('http://{SERVER}/boot.ipxe', timeout=1).status == 200\n\
         except Exception as error: http = getattr(error, 'code', None) is not None\n\
         print('REACHED', int(dhcp), int(bool(tftp)), int(http))\n"
    );
    let said = must(client.command("python3").args(["-c", &script]));
    let words: Vec<&str> =
        said.trim().strip_prefix("REACHED ").unwrap_or_else(|| panic!("{said}")).split(' ').collect();
    [words[0] == "1", words[1] == "1", words[2] == "1"]
}

fn rules(host: &Host) -> String {
    must(host.command("nft").args(["list", "ruleset"]))
}

/// Firewalls that let in nothing but answers, and some that do not even do that.
const FIREWALLS: [(&str, &str); 4] = [
    (
        "one chain whose policy is to drop",
        "add table inet filter; add chain inet filter input { type filter hook input priority 0; policy drop; }; \
         add rule inet filter input ct state established,related accept; add rule inet filter input iif lo accept",
    ),
    (
        "a rule at the end of a chain that is jumped to, by a map",
        "add table ip f; add chain ip f in { type filter hook input priority 0; policy accept; }; add chain ip f rest; \
         add rule ip f in ct state vmap { established : accept, invalid : drop }; \
         add rule ip f in iifname vmap { \"lo\" : accept, \"eth0\" : jump rest }; add rule ip f rest tcp dport 22 accept; \
         add rule ip f rest counter reject",
    ),
    (
        "two tables, each of which drops, without connections",
        "add table inet a; add chain inet a i { type filter hook input priority -10; policy drop; }; \
         add rule inet a i icmp type echo-request accept; add table ip b; \
         add chain ip b p { type filter hook prerouting priority -100; policy accept; }; add rule ip b p iifname \"eth*\" drop",
    ),
    (
        "a rule that lets in some",
        "add table inet x; add chain inet x i { type filter hook input priority 0; policy accept; }; \
         add rule inet x i udp dport { 67, 68 } accept; add rule inet x i udp dport 1-1023 drop; \
         add rule inet x i tcp dport != 22 drop",
    ),
];

#[test]
fn a_firewall_is_found_and_opened_while_serving_and_only_then() {
    if !ready("check firewall", &["nft", "python3"]) {
        return;
    }
    for (what, firewall) in FIREWALLS {
        println!("  {what}");
        let lab = Lab::new();
        let server = lab.server();
        let client = lab.host("c", Some("10.77.0.50/24"));
        let (status, findings) = check(&lab, &server, &["--dhcp", "full"]);
        assert_eq!(about(&findings, "No firewall")["verdict"], "pass", "{findings:#?}");
        assert_eq!(status, 0, "{findings:#?}");
        must(server.command("nft").arg(firewall));
        let before = rules(&server);
        let (status, findings) = check(&lab, &server, &["--dhcp", "full"]);
        let finding = about(&findings, "The firewall (nftables) keeps computers out on eth0.");
        assert_eq!((status, &finding["verdict"], &finding["remedy"]), (3, &"blocks".into(), &"open-firewall".into()));
        assert!(finding["details"].as_str().unwrap().contains("dport { 67, 69, 4011 } accept"), "{finding}");
        let (status, findings) = check(&lab, &server, &["--dhcp", "full", "--firewall", "open"]);
        assert_eq!(
            (status, &about(&findings, "is opened on eth0 while serving")["remedy"]),
            (0, &"leave-firewall".into())
        );
        // It is told, and left alone.
        let left = Server::start(&lab, &server, &["--dhcp", "full"]);
        left.wait("a warning", |line| {
            line["event"] == "warning" && line["text"].to_string().contains("keeps computers out")
        });
        assert_ne!(reached(&client), [true; 3]);
        left.stop();
        let open = Server::start(&lab, &server, &["--dhcp", "full", "--firewall", "open"]);
        open.wait("that it is open", |line| {
            line["event"] == "arranged" && line["text"].to_string().contains("is open")
        });
        assert_eq!(reached(&client), [true; 3], "{}", rules(&server));
        assert!(rules(&server).contains("comment \"bootwright-"), "{}", rules(&server));
        open.signal("TERM");
        open.wait("that it is closed", |line| line["text"].to_string().contains("rule for booting was removed"));
        let mut open = open;
        open.end();
        assert_eq!(without_counters(&rules(&server)), without_counters(&before));
    }
}

/// What changes by itself.
fn without_counters(rules: &str) -> String {
    let words: Vec<&str> = rules.split_whitespace().collect();
    let numbers = |at: usize| at > 0 && ["packets", "bytes"].contains(&words[at - 1]);
    (0..words.len()).filter(|&at| !numbers(at)).map(|at| words[at]).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_rule_is_gone_after_a_kill_too_and_what_is_left_goes_at_the_next_start() {
    if !ready("check firewall kill", &["nft", "python3"]) {
        return;
    }
    let lab = Lab::new();
    let server = lab.server();
    must(server.command("nft").arg(FIREWALLS[0].1));
    let before = rules(&server);
    let mut open = Server::start(&lab, &server, &["--dhcp", "full", "--firewall", "open"]);
    assert_ne!(rules(&server), before);
    open.signal("KILL");
    open.end();
    wait_until("the end of the rule", || rules(&server) == before);
    println!("  the helper is killed as well");
    let mut open = Server::start(&lab, &server, &["--dhcp", "full", "--firewall", "open"]);
    let children = must(Command::new("pgrep").args(["-P", &open.pid().to_string(), "-f", "bootwright helper"]));
    must(Command::new("kill").args(["-KILL", children.trim()]));
    open.signal("KILL");
    open.end();
    assert_ne!(rules(&server), before, "nobody was there to undo it");
    let next = Server::start(&lab, &server, &["--dhcp", "full"]);
    assert_eq!(without_counters(&rules(&server)), without_counters(&before));
    next.stop();
}

/// The program under test where these scripts are among the system's programs, and these files among its settings.
fn with_programs(lab: &Lab, host: &Host, programs: &[(&str, &str)], settings: &[(&str, &str)]) -> Command {
    let (sbin, etc) = (lab.path("sbin"), lab.path("etc"));
    for (name, script) in programs {
        let script = format!("#!/bin/sh\nstate={}\n{script}", lab.path("state-of-fakes").display());
        put(&sbin.join(name), &script);
        fs::set_permissions(sbin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::create_dir_all(&etc).unwrap();
    settings.iter().for_each(|(name, text)| put(&etc.join(name), text));
    let mut command = host.command("unshare");
    let mount =
        |folder: &Path, on: &str| format!("mount -t overlay overlay -o lowerdir={}:{on} {on}", folder.display());
    let script = format!("{} && {} && exec \"$@\"", mount(&sbin, "/usr/sbin"), mount(&etc, "/etc"));
    command.args(["-m", "sh", "-c", &script, "sh", program()]);
    command
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// What a stand-in keeps: ufw's rules, firewalld's ports.
fn kept(lab: &Lab) -> String {
    fs::read_to_string(lab.path("state-of-fakes")).unwrap_or_default()
}

/// Has the firewall judged, opened by serving, and closed again at the end and after a kill. `open` are words of what is
/// kept while it is open; what is kept before is kept after it.
fn opened_and_closed(lab: &Lab, command: impl Fn() -> Command, rules: impl Fn() -> String, name: &str, open: &[&str]) {
    let before = rules();
    let (status, findings) = check_by(lab, command(), &["--dhcp", "full"]);
    let finding = about(&findings, &format!("The firewall ({name}) keeps computers out on eth0."));
    assert_eq!((status, &finding["remedy"]), (3, &"open-firewall".into()));
    for end in ["TERM", "KILL"] {
        let mut server = Server::launch_by(lab, command(), &loaders(), &["--dhcp", "full", "--firewall", "open"]);
        server.wait("that it is open", |line| {
            line["event"] == "arranged" && line["text"].to_string().contains("is open")
        });
        let during = rules();
        assert!(open.iter().all(|words| during.contains(words)), "{during}");
        server.signal(end);
        server.end();
        wait_until("the end of the rule", || rules() == before);
    }
}

/// What the real one says; the rule is none of its own.
const UFW: &str = r#"case "$*" in
"status verbose") printf 'Status: active\nDefault: deny (incoming), allow (outgoing), disabled (routed)\n' ;;
*) exit 1 ;;
esac
"#;

const FIREWALLD: &str = r#"touch "$state"
case "$*" in
--state) echo running ;;
--get-zone-of-interface=*) printf '\033[91mno zone\033[00m\n' >&2; exit 2 ;;
--get-default-zone) echo public ;;
"--zone=public --list-all")
    printf 'public (active)\n  target: default\n  services: ssh\n  ports: %s\n  protocols: \n' "$(tr '\n' ' ' < "$state")" ;;
"--zone=public --add-port="*) shift; for port; do echo "${port#--add-port=}" >> "$state"; done ;;
"--zone=public --remove-port="*) shift; for port; do sed -i "\\:^${port#--remove-port=}\$:d" "$state"; done ;;
*) exit 1 ;;
esac
"#;

/// firewalld as it treats a user without rights.
const SILENT: &str = "printf 'Authorization failed.\\n    Make sure polkit agent is running.\\n' >&2\nexit 253\n";

#[test]
fn firewalld_is_asked_by_its_own_command() {
    if !ready("check firewalld", &["unshare", "python3"]) {
        return;
    }
    let lab = Lab::new();
    let server = lab.server();
    let command = || with_programs(&lab, &server, &[("firewall-cmd", FIREWALLD)], &[]);
    opened_and_closed(&lab, command, || kept(&lab), "firewalld", &["67/udp", "69/udp", "4011/udp", "80/tcp"]);
    println!("  one that says nothing");
    let command = with_programs(&lab, &server, &[("firewall-cmd", SILENT)], &[]);
    let (status, findings) = check_by(&lab, command, &["--dhcp", "full"]);
    let finding = about(&findings, "There is a firewall (firewalld), and whether it lets computers in");
    assert_eq!((status, &finding["verdict"]), (0, &"caution".into()));
}

/// The real iptables, which is only unpacked: what runs it, and the line of a shell for it.
fn real_iptables() -> (String, String) {
    let program = packaged("iptables/usr/sbin/xtables-nft-multi");
    let modules = packaged("iptables/usr/lib/x86_64-linux-gnu/xtables");
    let script = format!("export XTABLES_LIBDIR={modules}\nexec {program} iptables \"$@\"\n");
    (program, script)
}

/// Its rules for what comes in.
fn rules_of_iptables(host: &Host, script: &str) -> String {
    String::from_utf8(host.sh(&script.replace("\"$@\"", "-S INPUT")).stdout).unwrap()
}

#[test]
fn ufw_is_asked_and_its_files_are_left_alone() {
    let (iptables, script) = real_iptables();
    if !ready("check ufw", &["unshare", "python3", "nft", &iptables]) {
        return;
    }
    let lab = Lab::new();
    let server = lab.server();
    let settings = [("ufw/ufw.conf", "ENABLED=yes\n")];
    let command = || with_programs(&lab, &server, &[("ufw", UFW), ("iptables", &script)], &settings);
    assert!(server.sh(&script.replace("\"$@\"", "-P INPUT DROP")).status.success());
    let rules = || rules_of_iptables(&server, &script);
    opened_and_closed(&lab, command, rules, "ufw", &["--dport 67", "--dport 69", "--dport 4011", "--dport 80"]);
}

#[test]
fn iptables_has_its_own_rules_in_a_form_that_it_can_read() {
    let (iptables, script) = real_iptables();
    if !ready("check iptables", &["unshare", "python3", "nft", &iptables]) {
        return;
    }
    let lab = Lab::new();
    let server = lab.server();
    let client = lab.host("c", Some("10.77.0.50/24"));
    let list = || rules_of_iptables(&server, &script);
    let iptables = |rule: &str| {
        let line = script.replace("\"$@\"", rule);
        assert!(server.sh(&line).status.success(), "{line}");
    };
    iptables("-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT");
    iptables("-A INPUT -i lo -j ACCEPT");
    iptables("-A INPUT -p tcp -m multiport --dports 22,443 -j ACCEPT");
    iptables("-P INPUT DROP");
    assert!(list().contains("-P INPUT DROP"), "{}", list());
    let command = || with_programs(&lab, &server, &[("iptables", &script)], &[]);
    let (_, findings) = check_by(&lab, command(), &["--dhcp", "full"]);
    println!("    {}", about(&findings, "The firewall (nftables)")["title"]);
    assert!(
        about(&findings, "The firewall (nftables)")["details"].to_string().contains("sudo iptables -I INPUT -i eth0")
    );
    let before = list();
    let open = Server::launch_by(&lab, command(), &loaders(), &["--dhcp", "full", "--firewall", "open"]);
    open.wait("that it is open", |line| line["event"] == "arranged" && line["text"].to_string().contains("is open"));
    assert!(
        list().contains("--dport 67 -m comment --comment bootwright-") || list().contains("--comment \"bootwright-")
    );
    assert_eq!(reached(&client), [true; 3], "{}", list());
    open.stop();
    assert_eq!(list(), before);
    assert_ne!(reached(&client), [true; 3]);
}

#[test]
fn whoever_holds_a_port_is_named_with_how_to_stop_it() {
    let (nginx, tftpd) = (packaged("nginx/usr/sbin/nginx"), packaged("tftpd-hpa/usr/sbin/in.tftpd"));
    if !ready("check holders", &["dnsmasq", &nginx, &tftpd]) {
        return;
    }
    let lab = Lab::new();
    let server = lab.server();
    let pid = |name: &str| lab.path(&format!("{name}.pid"));
    let mut dnsmasq = server.command("dnsmasq");
    dnsmasq.args(["--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=eth0", "--user=root"]);
    dnsmasq.args(["--dhcp-range=10.77.0.100,10.77.0.199,255.255.255.0,1h"]);
    dnsmasq.arg(format!("--dhcp-leasefile={}", lab.path("leases").display()));
    let _dnsmasq = started(dnsmasq.arg(format!("--pid-file={}", pid("dnsmasq").display())), &pid("dnsmasq"));
    let mut command = server.command(&tftpd);
    command.env("LD_LIBRARY_PATH", packaged("libwrap0/usr/lib/x86_64-linux-gnu"));
    command.args(["--foreground", "--user", "root", "--address", "0.0.0.0:69", "--pidfile"]);
    let _tftpd = started(command.arg(pid("tftpd")).arg(lab.folder.path()), &pid("tftpd"));
    let settings = lab.path("nginx.conf");
    put(
        &settings,
        &format!(
            "daemon off; master_process off; user root; pid {}; error_log stderr; events {{}} http {{ access_log off; {} server {{ listen 80; }} }}",
            pid("nginx").display(),
            ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map(|kind| format!("{kind}_temp_path {};", lab.path(kind).display()))
                .concat()
        ),
    );
    let _nginx = started(server.command(&nginx).arg("-c").arg(&settings), &pid("nginx"));
    let (status, findings) = check(&lab, &server, &["--dhcp", "full", "--http-port", "80"]);
    assert_eq!(status, 3);
    let cases = [
        ("UDP port 67 is held by dnsmasq (process", "blocks", "sudo systemctl stop dnsmasq."),
        ("UDP port 69 is held by in.tftpd (process", "blocks", "sudo systemctl stop tftpd-hpa."),
        ("TCP port 80 is held by nginx (process", "blocks", "sudo systemctl stop nginx."),
    ];
    for (title, verdict, step) in cases {
        let finding = about(&findings, title);
        assert_eq!(finding["verdict"], verdict);
        assert!(finding["next-step"].as_str().unwrap().contains(step), "{finding}");
    }
    assert_eq!(about(&findings, "TCP port 80")["remedy"]["use-http-port"], 8080);
    let (_, findings) = check(&lab, &server, &["--dhcp", "off", "--http-port", "8080"]);
    assert!(findings.iter().all(|it| !it["title"].as_str().unwrap().contains("port 67")), "not needed, so not told");
}

#[test]
fn an_address_that_is_missing_another_server_and_images_that_go_are_found() {
    if !ready("check network", &["dnsmasq"]) {
        return;
    }
    let lab = Lab::new();
    println!("  no address");
    let bare = lab.host("b", None);
    let (status, findings) = check(&lab, &bare, &[]);
    let finding = about(&findings, "eth0 has no address.");
    assert_eq!((status, &finding["verdict"]), (3, &"blocks".into()));
    assert!(finding["remedy"]["set-address"].as_str().unwrap().ends_with("/24"), "{finding}");
    println!("  two interfaces in one network");
    let server = lab.server();
    server.ip("link add eth1 type veth peer name eth2");
    server.ip("addr add 10.77.0.129/25 dev eth1");
    server.ip("link set eth1 up");
    let (_, findings) = check(&lab, &server, &["--dhcp", "full"]);
    assert_eq!(about(&findings, "eth0 and eth1 are both in 10.77.0.128/25.")["verdict"], "caution");
    server.ip("link del eth1");
    println!("  another server");
    let _office = office(&lab, Pace::Quick);
    let (status, findings) = check(&lab, &server, &["--dhcp", "full"]);
    let finding = about(&findings, "10.77.0.254 (52:54:00:77:00:");
    assert_eq!((status, &finding["verdict"], &finding["remedy"]), (0, &"caution".into(), &"use-proxy-mode".into()));
    let (_, findings) = check(&lab, &server, &["--dhcp", "proxy"]);
    assert_eq!(about(&findings, "gives addresses on eth0.")["verdict"], "pass");
    let (_, findings) = check(&lab, &server, &["--dhcp", "off"]);
    assert!(about(&findings, "gives addresses on eth0.")["meaning"].to_string().contains("did not say what to boot"));
    println!("  an image that is gone");
    let gone = lab.path("gone.iso").display().to_string();
    let (status, findings) = check(&lab, &server, &["--image", &gone]);
    let finding = about(&findings, "gone.iso");
    assert_eq!((status, &finding["verdict"], &finding["remedy"]["remove-image"]), (3, &"blocks".into(), &gone.into()));
}

/// Whether a process is there, and has not only ended unnoticed.
fn runs(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, fields)| !fields.trim_start().starts_with('Z'))
}

#[test]
fn the_computer_stays_awake_while_it_serves_and_however_that_ends() {
    if !ready("check awake", &["sh"]) {
        return;
    }
    let lab = Lab::new();
    let server = lab.server();
    let held = lab.path("held");
    // What systemd-inhibit does: it holds the lock as long as it lives, which is while the command runs.
    let script = format!(
        "#!/bin/sh\necho $$ \"$@\" > {}\nwhile [ \"${{1#--}}\" != \"$1\" ]; do shift; done\n\"$@\"\n",
        held.display()
    );
    put(&lab.path("bin/systemd-inhibit"), &script);
    fs::set_permissions(lab.path("bin/systemd-inhibit"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", lab.path("bin").display(), std::env::var("PATH").unwrap());
    for end in ["TERM", "KILL"] {
        let mut command = server.command(program());
        command.env("PATH", &path);
        let mut serving = Server::launch_by(&lab, command, &loaders(), &["--dhcp", "full"]);
        serving.wait("that it stays awake", |line| {
            line["event"] == "arranged" && line["text"].to_string().contains("stays awake until serving ends")
        });
        let arguments = fs::read_to_string(&held).unwrap();
        assert!(arguments.contains("--what=sleep:idle:handle-lid-switch") && arguments.contains("--mode=block"));
        let pid = arguments.split(' ').next().unwrap();
        assert!(runs(pid));
        serving.signal(end);
        serving.end();
        wait_until("the end of the lock", || !runs(pid));
    }
}
