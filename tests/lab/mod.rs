//! A closed lab for tests: network namespaces on one bridge, the program under test in one of them, real clients and real
//! firmware in others. No link leads out of it. Needs root; where that is missing a test says SKIPPED, which CI refuses.
#![allow(dead_code, unreachable_pub, reason = "each test program uses its part of the lab")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use alarm::Alarms;
use bootwright::journal::Event;
use serde_json::Value;

mod alarm;
pub mod boot;
pub mod desk;
pub mod office;
pub mod pack;
mod record;
pub mod vm;

/// Our address in every lab.
pub const SERVER: &str = "10.77.0.1";

/// The program under test.
pub fn program() -> &'static str {
    env!("CARGO_BIN_EXE_bootwright")
}

/// Boot loaders, as packaging/loaders.sh collects them.
pub fn loaders() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/loaders")
}

/// A file of a package that packaging/test.sh only unpacks.
pub fn packaged(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/packages").join(path).display().to_string()
}

/// Whether everything that a test needs is there; says so where it is not.
pub fn ready(test: &str, programs: &[&str]) -> bool {
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    let has = |name: &str| {
        let found = Command::new("sh").args(["-c", &format!("command -v {name}")]).output();
        found.is_ok_and(|output| output.status.success()) || Path::new(name).exists()
    };
    let missing: Vec<&str> = programs.iter().copied().filter(|name| !has(name)).collect();
    let loaders = loaders().join("manifest.json").exists();
    if root && missing.is_empty() && loaders {
        return true;
    }
    println!("SKIPPED {test}: root {root}, loaders {loaders}, missing {missing:?}");
    false
}

/// Runs a command that must work, and returns what it printed.
pub fn must(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

fn ip(arguments: &str) {
    must(Command::new("ip").args(arguments.split_whitespace()));
}

/// Namespaces on one bridge.
pub struct Lab {
    id: String,
    hosts: Mutex<Vec<String>>,
    pub folder: tempfile::TempDir,
}

/// One namespace with `eth0` on the lab's bridge.
#[derive(Clone)]
pub struct Host {
    pub name: String,
}

impl Host {
    /// A command that runs inside it.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]).stdin(Stdio::null());
        command
    }

    /// `ip` inside it.
    pub fn ip(&self, arguments: &str) {
        ip(&format!("-n {} {arguments}", self.name));
    }

    /// Runs a shell line inside it.
    pub fn sh(&self, line: &str) -> Output {
        self.command("sh").args(["-c", line]).output().expect("a shell")
    }
}

impl Lab {
    /// A bridge, and nothing on it yet.
    pub fn new() -> Lab {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let id = format!("bw{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let lab = Lab { id, hosts: Mutex::default(), folder: tempfile::tempdir().expect("a folder") };
        let bridge = lab.switch();
        ip(&format!("netns add {}", bridge.name));
        lab.hosts.lock().unwrap().push(bridge.name.clone());
        bridge.ip("link add br0 type bridge forward_delay 0 stp_state 0 mcast_snooping 0");
        bridge.sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
        bridge.ip("link set br0 up");
        lab
    }

    /// The namespace of the bridge, where QEMU runs.
    pub fn switch(&self) -> Host {
        Host { name: format!("{}w", self.id) }
    }

    /// A new namespace on the bridge, with an address like `10.77.0.1/24` or none.
    pub fn host(&self, name: &str, address: Option<&str>) -> Host {
        let number = self.hosts.lock().unwrap().len();
        let host = Host { name: format!("{}{name}", self.id) };
        ip(&format!("netns add {}", host.name));
        self.hosts.lock().unwrap().push(host.name.clone());
        self.switch().ip(&format!("link add p{number} type veth peer name eth0 netns {}", host.name));
        host.ip(&format!("link set eth0 address 52:54:00:77:00:{number:02x}"));
        // Checksums of packets between namespaces are otherwise left to a network card that is not there.
        host.sh("ethtool -K eth0 tx off; sysctl -qw net.ipv6.conf.all.disable_ipv6=1");
        host.ip("link set lo up");
        if let Some(address) = address {
            host.ip(&format!("addr add {address} brd + dev eth0"));
        }
        host.ip("link set eth0 up");
        self.switch().ip(&format!("link set p{number} master br0 up"));
        host
    }

    /// The host that serves.
    pub fn server(&self) -> Host {
        self.host("s", Some(&format!("{SERVER}/24")))
    }

    /// A path in the lab's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for host in self.hosts.lock().unwrap().iter() {
            let _ = Command::new("ip").args(["netns", "del", host]).status();
        }
    }
}

/// A process of ours that ends with the test.
pub struct Process(pub Child);

impl Process {
    pub fn start(command: &mut Command) -> Process {
        Process(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[derive(Default)]
struct Lines {
    lines: Vec<Value>,
    ended: bool,
}

/// `bootwright serve --log json` in a namespace, and its log.
pub struct Server {
    process: Process,
    log: Arc<(Mutex<Lines>, Condvar)>,
    alarms: Alarms,
    pub errors: PathBuf,
}

impl Server {
    /// Starts it with these options and waits until it is ready.
    pub fn start(lab: &Lab, host: &Host, options: &[&str]) -> Server {
        let server = Server::launch(lab, host, options);
        server.wait("ready", |line| line["event"] == "ready");
        server
    }

    /// The same with boot loaders out of another folder.
    pub fn start_with(lab: &Lab, host: &Host, loaders: &Path, options: &[&str]) -> Server {
        let server = Server::launch_with(lab, host, loaders, options);
        server.wait("ready", |line| line["event"] == "ready");
        server
    }

    /// Starts it without waiting.
    pub fn launch(lab: &Lab, host: &Host, options: &[&str]) -> Server {
        Server::launch_with(lab, host, &loaders(), options)
    }

    fn launch_with(lab: &Lab, host: &Host, loaders: &Path, options: &[&str]) -> Server {
        Server::launch_by(lab, host.command(program()), loaders, options)
    }

    /// The same by a command of one's own that runs the program with the options that follow.
    pub fn launch_by(lab: &Lab, mut command: Command, loaders: &Path, options: &[&str]) -> Server {
        let errors = lab.path("serve.err");
        command.args(["serve", "--interface", "eth0", "--log", "json", "--state-dir"]).arg(lab.path("state"));
        command.arg("--loaders").arg(loaders).args(options);
        // The labs without another DHCP server know that there is none.
        if !options.contains(&"--probe") {
            command.args(["--probe", "off"]);
        }
        command.stdout(Stdio::piped()).stderr(std::fs::File::create(&errors).expect("a file"));
        let mut process = Process::start(&mut command);
        let stdout = process.0.stdout.take().expect("its output");
        let log: Arc<(Mutex<Lines>, Condvar)> = Arc::default();
        let shared = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                shared.0.lock().unwrap().lines.push(value);
                shared.1.notify_all();
            }
            shared.0.lock().unwrap().ended = true;
            shared.1.notify_all();
        });
        Server { process, log, alarms: Alarms::default(), errors }
    }

    /// Waits for a line of the log. Gives up when the program has ended, or after a minute.
    pub fn wait(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.wait_long(what, Duration::from_secs(60), wanted)
    }

    /// The same with another limit.
    pub fn wait_long(&self, what: &str, limit: Duration, wanted: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + limit;
        let (lines, changed) = &*self.log;
        let mut lines = lines.lock().unwrap();
        loop {
            if let Some(line) = lines.lines.iter().find(|line| wanted(line)) {
                return line.clone();
            }
            let left = until.saturating_duration_since(Instant::now());
            if lines.ended || left.is_zero() {
                let errors = std::fs::read_to_string(&self.errors).unwrap_or_default();
                panic!("the log has no {what}; it ended: {}; {errors}\n{:#?}", lines.ended, lines.lines);
            }
            lines = changed.wait_timeout(lines, left).unwrap().0;
        }
    }

    /// The log so far.
    pub fn lines(&self) -> Vec<Value> {
        self.log.0.lock().unwrap().lines.clone()
    }

    /// Lines about one computer.
    pub fn about(&self, mac: &str) -> Vec<Value> {
        self.lines().into_iter().filter(|line| line["mac"] == mac).collect()
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Sends a signal to it.
    pub fn signal(&self, name: &str) {
        must(Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]));
    }

    /// Waits for its end.
    pub fn end(&mut self) -> ExitStatus {
        self.process.0.wait().expect("a process")
    }

    /// Stops it as a person would, and returns what it said on standard error. All of its log is there then.
    pub fn stop(mut self) -> String {
        self.signal("TERM");
        assert_eq!(self.end().code(), Some(0));
        let (lines, changed) = &*self.log;
        drop(changed.wait_while(lines.lock().unwrap(), |lines| !lines.ended).unwrap());
        std::fs::read_to_string(&self.errors).unwrap_or_default()
    }

    /// These causes may be told of a computer; any other is a false alarm, which fails the test at its end.
    pub fn expect(&self, causes: &[&str]) {
        self.alarms.expect(causes);
    }

    /// What keeps a computer, as the log tells it: the causes in their order, without what is only worth knowing.
    pub fn trouble(&self, mac: &str) -> Vec<String> {
        let lines = self.about(mac);
        let mut causes: Vec<_> =
            lines.iter().filter_map(alarm::trouble).map(|(_, cause, _)| cause.to_owned()).collect();
        // Once more where it is surer.
        causes.dedup();
        causes
    }

    /// Waits until nothing was told for so long, or until a limit.
    pub fn wait_for_silence(&self, silence: Duration, limit: Duration) {
        let until = Instant::now() + limit;
        let (mut told, mut since) = (self.lines().len(), Instant::now());
        while since.elapsed() < silence && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(200));
            let now = self.lines().len();
            if now != told {
                (told, since) = (now, Instant::now());
            }
        }
    }

    /// Keeps what was told so far as a recorded boot, where BOOTWRIGHT_RECORD names a folder for them. The end of each
    /// server does so by itself under the name of its test, with a number where that has several.
    pub fn record(&self, name: &str) {
        let Some(folder) = std::env::var_os("BOOTWRIGHT_RECORD").map(PathBuf::from) else { return };
        let event =
            |line: Value| serde_json::from_value::<Event>(line.clone()).unwrap_or_else(|e| panic!("{e}: {line}"));
        let events = self.lines().into_iter().map(event).collect();
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = |number: usize| match number {
            1 => folder.join(format!("{name}.jsonl")),
            _ => folder.join(format!("{name}-{number}.jsonl")),
        };
        let free = (1..).map(path).find(|path| !path.exists()).expect("a name");
        std::fs::write(free, record::text(events)).expect("a recording");
    }

    /// The story of a boot as the log tells it: what was fetched, in which order, how fast.
    pub fn tell(&self, mac: &str) {
        for line in self.about(mac).iter().filter_map(|line| line["text"].as_str()) {
            println!("    {line}");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that failed has said why.
        if !std::thread::panicking() {
            self.alarms.check(&self.lines());
            self.record(std::thread::current().name().unwrap_or("boot"));
        }
    }
}

/// Files that a computer got whole, in order.
pub fn fetched(lines: &[Value]) -> Vec<String> {
    let whole = |line: &&Value| line["event"] == "tftp-done" || line["event"] == "http-done";
    lines.iter().filter(whole).filter_map(|line| line["file"].as_str().map(str::to_owned)).collect()
}

/// Asks for IPv6 routers twice, as iPXE does, then runs a command, and prints every advertisement that came until its end as
/// the hexadecimal digits of its frame.
const ASK_FOR_ROUTERS: &str = r"
import socket, subprocess, sys
link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x86dd))
link.bind(('eth0', 0))
mac = link.getsockname()[4]
own = bytes.fromhex('fe80000000000000') + bytes([mac[0] ^ 2]) + mac[1:3] + b'\xff\xfe' + mac[3:]
routers = bytes.fromhex('ff020000000000000000000000000002')
message = bytes([133, 0, 0, 0, 0, 0, 0, 0, 1, 1]) + mac
def total(data):
    value = sum(int.from_bytes(data[at:at + 2], 'big') for at in range(0, len(data), 2))
    while value >> 16: value = (value >> 16) + (value & 0xffff)
    return value
covered = own + routers + bytes([0, 0, 0, len(message), 0, 0, 0, 58])
message = message[:2] + (0xffff - total(covered + message)).to_bytes(2, 'big') + message[4:]
frame = bytes.fromhex('333300000002') + mac + b'\x86\xdd' + bytes([0x60, 0, 0, 0, 0, len(message), 58, 255])
for _ in range(2): link.send(frame + own + routers + message)
subprocess.run(sys.argv[1:], check=True)
link.setblocking(False)
while True:
    try: heard = link.recv(2048)
    except BlockingIOError: break
    if heard[54] == 134:
        covered = heard[22:54] + bytes([0, 0, 0, len(heard) - 54, 0, 0, 0, 58])
        print(heard.hex(), 'good' if total(covered + heard[54:]) == 0xffff else 'bad')
";

/// Asks for IPv6 routers from a host, and returns a line for each advertisement that came before this command was done.
pub fn ask_for_routers(host: &Host, then: &[&str]) -> String {
    must(host.command("python3").args(["-c", ASK_FOR_ROUTERS]).args(then))
}
