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

use std::time::{Duration, Instant};

use lab::{Host, Lab, SERVER, Server, loaders, must, program, ready};
use serde_json::Value;

/// What `bootwright check --json` says here, and its exit status.
fn check(lab: &Lab, host: &Host, options: &[&str]) -> (i32, Vec<Value>) {
    let mut command = host.command(program());
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
    let children =
        must(std::process::Command::new("pgrep").args(["-P", &open.pid().to_string(), "-f", "bootwright helper"]));
    must(std::process::Command::new("kill").args(["-KILL", children.trim()]));
    open.signal("KILL");
    open.end();
    assert_ne!(rules(&server), before, "nobody was there to undo it");
    let next = Server::start(&lab, &server, &["--dhcp", "full"]);
    assert_eq!(without_counters(&rules(&server)), without_counters(&before));
    next.stop();
}
