//! How the needed ports stand, in namespaces: with rights by opening them, without by asking the kernel.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

mod lab;

use std::path::Path;
use std::time::{Duration, Instant};

use bootwright::net::ports::Transport::{Tcp, Udp};
use bootwright::net::{interface, survey};
use lab::{Host, Lab, Process, must, ready};

/// Without rights, and without the way around them that some distributions set.
const NOBODY: [&str; 3] = ["setpriv", "--reuid=65534", "--clear-groups"];

/// How 67, 4011, 69 and 80 stand on eth0 of this namespace. `before` goes before the program: another user, say.
fn look(host: &Host, before: &[&str]) -> Vec<String> {
    let this = std::env::current_exe().unwrap();
    let mut command = host.command("env");
    command.arg("BOOTWRIGHT_PORTS=eth0").args(before).arg(this);
    let output = must(command.args(["--exact", "child_look", "--nocapture", "--ignored"]));
    let line = output.lines().find_map(|line| line.split_once("PORTS ")).unwrap_or_else(|| panic!("{output}")).1;
    line.split("; ").map(str::to_owned).collect()
}

/// Not a test by itself: the library inside a namespace, for the others.
#[test]
#[ignore = "run by the other tests, in a namespace"]
fn child_look() {
    let Ok(name) = std::env::var("BOOTWRIGHT_PORTS") else { return };
    let interface = interface::list().into_iter().find(|interface| interface.name == name).expect("the interface");
    let own = interface.network().expect("an address").addr();
    let states = survey::ports(&interface, own, &[(Udp, 67), (Udp, 4011), (Udp, 69), (Tcp, 80)]);
    let states: Vec<String> = states.iter().map(|port| format!("{:?}", port.state)).collect();
    println!("\nPORTS {}", states.join("; "));
}

/// Holds ports by a line of Python, which gets `hold(kind, address, port, interface, IPv6 only)`.
fn hold(lab: &Lab, host: &Host, line: &str) -> Process {
    let flag = lab.path(&format!("held-{}", host.name));
    let script = format!(
        "import socket, signal\nheld = []\n\
         def hold(kind, address, port, interface=None, only=0):\n\
         \x20   s = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, kind)\n\
         \x20   if interface: s.setsockopt(socket.SOL_SOCKET, 25, interface)\n\
         \x20   if ':' in address: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)\n\
         \x20   s.bind((address, port))\n\
         \x20   if kind == socket.SOCK_STREAM: s.listen()\n\
         \x20   held.append(s)\n\
         udp, tcp = socket.SOCK_DGRAM, socket.SOCK_STREAM\n\
         {line}\nopen('{}', 'w').close()\nsignal.pause()\n",
        flag.display()
    );
    let process = Process::start(host.command("python3").args(["-c", &script]));
    wait(&flag);
    std::fs::remove_file(&flag).unwrap();
    process
}

fn wait(file: &Path) {
    let until = Instant::now() + Duration::from_secs(10);
    while !file.exists() {
        assert!(Instant::now() < until, "{} does not appear", file.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn with_and_without_rights_the_same_ports_are_taken() {
    if !ready("ports", &["python3", "setpriv"]) {
        return;
    }
    let lab = Lab::new();
    let host = lab.server();
    host.sh("sysctl -qw net.ipv4.ip_unprivileged_port_start=1024");
    host.ip("link add eth1 type veth peer name eth2");
    host.ip("link set eth1 up");
    // What holds them, and which of 67, 4011, 69 and 80 are taken on eth0 then.
    let cases = [
        ("pass", [false; 4]),
        ("[hold(udp, '', port) for port in (67, 4011, 69)]; hold(tcp, '', 80)", [true; 4]),
        ("hold(udp, '10.77.0.1', 69); hold(tcp, '10.77.0.1', 80)", [false, false, true, true]),
        ("hold(udp, '127.0.0.1', 67); hold(udp, '127.0.0.1', 69)", [true, false, false, false]),
        ("hold(udp, '', 67, b'eth0')", [true, false, false, false]),
        ("hold(tcp, '::', 80); hold(udp, '::', 67)", [true, false, false, true]),
        ("hold(tcp, '::', 80, None, 1); hold(udp, '::', 67, None, 1)", [false; 4]),
        // The DHCP server of a virtual machine's network.
        ("hold(udp, '', 67, b'eth1'); hold(tcp, '127.0.0.1', 80)", [false; 4]),
    ];
    for (line, taken) in cases {
        let _holder = hold(&lab, &host, line);
        for before in [&[][..], &NOBODY] {
            let seen = look(&host, before);
            let held: Vec<bool> = seen.iter().map(|state| state.starts_with("Held(")).collect();
            assert_eq!(held, taken, "{line}, {before:?}: {seen:?}");
            assert!(seen.iter().all(|state| state == "Free" || state.starts_with("Held(")), "{line}: {seen:?}");
            let named = seen.iter().any(|state| state.contains("program: \"python3"));
            assert_eq!(named, before.is_empty() && taken.contains(&true), "{line}, {before:?}: {seen:?}");
        }
    }
}
