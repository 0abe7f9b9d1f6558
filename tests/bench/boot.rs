//! How long a computer waits for its system: from power-on to the first byte of the kernel, against dnsmasq with nginx.
//!
//!     cargo bench --bench boot
//!
//! Bar (the project's measures): 0.6 of the time that those two take, with the same loaders on the same computer. Both serve
//! the same kernel without a menu, in turns, each to a computer that is switched on for it. The judge is the wire: what
//! tcpdump saw on the bridge. dnsmasq is set up at its best: it does not ask first whether somebody has the address, which
//! would cost it 3 s. Needs root and what packaging/test.sh sets up. Figures only, no verdict: machines differ, and a busy
//! one says nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench may stop at the first surprise"
)]

#[path = "../lab/mod.rs"]
mod lab;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lab::office::started;
use lab::pack::{self, installer};
use lab::vm::{Firmware, Vm};
use lab::{Host, Lab, Process, SERVER, Server, loaders, packaged};

/// How often each of the two serves each firmware.
const TIMES: usize = 3;
/// What the kernel's path ends with, on either side.
const KERNEL: &str = "/vmlinuz";
/// Only bounds a failure.
const PATIENCE: Duration = Duration::from_secs(240);

fn main() {
    // Cargo also runs benches to see whether they run at all (`cargo test --benches`).
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let (nginx, kernel) = (packaged("nginx/usr/sbin/nginx"), installer("amd64", "linux"));
    if !Firmware::EfiX64.ready("bench", &["dnsmasq", "tcpdump", "xorriso", &nginx, &kernel]) {
        return;
    }
    println!("power-on to the first byte of the kernel, in seconds (each {TIMES} times, in turns; median):");
    for (name, firmware) in [("bios", Firmware::Bios), ("efi-x64", Firmware::EfiX64)] {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..TIMES {
            ours.push(boot(firmware, bootwright));
            theirs.push(boot(firmware, others));
        }
        let (own, other) = (median(&ours), median(&theirs));
        println!("    {name}: bootwright {own:.1} {ours:.1?}, dnsmasq + nginx {other:.1} {theirs:.1?}");
        println!("    {name}: ratio {:.2} (bar 0.6)", own / other);
    }
}

fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Services that run as long as this lives.
struct Running {
    _server: Option<Server>,
    _processes: Vec<Process>,
}

/// Switches a computer on beside a server, and off again once it gets its kernel; returns after how many seconds that was.
fn boot(firmware: Firmware, serve: fn(&Lab, &Host) -> Running) -> f64 {
    let lab = Lab::new();
    let host = lab.server();
    let capture = lab.path("wire.pcap");
    let _sniffer = sniff(&lab, &capture);
    let _running = serve(&lab, &host);
    let computer = Vm::start(&lab, 1, firmware, 1024);
    let began = Instant::now();
    loop {
        if let Some(time) = first_kernel_byte(&std::fs::read(&capture).unwrap()) {
            return time - seconds(computer.switched_on);
        }
        assert!(began.elapsed() < PATIENCE, "no kernel; the serial line says:\n{}", computer.serial());
        std::thread::sleep(Duration::from_millis(250));
    }
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// Bootwright with the whole installer's disc.
fn bootwright(lab: &Lab, host: &Host) -> Running {
    let image = pack::installer_disc(lab, "amd64");
    let options = ["--dhcp", "full", "--image", &image, "--default", "1", "--menu-timeout", "0"];
    Running { _server: Some(Server::start(lab, host, &options)), _processes: Vec::new() }
}

/// dnsmasq for DHCP and TFTP, nginx for the script and the kernel: the usual set-up.
fn others(lab: &Lab, host: &Host) -> Running {
    let root = lab.path("served");
    std::fs::create_dir(&root).unwrap();
    for loader in ["undionly.kpxe", "snponly.efi"] {
        std::fs::copy(loaders().join(loader), root.join(loader)).unwrap();
    }
    for (from, to) in [("linux", "vmlinuz"), ("initrd.gz", "initrd.gz")] {
        std::fs::copy(installer("amd64", from), root.join(to)).unwrap();
    }
    let url = format!("http://{SERVER}");
    let script = format!("#!ipxe\nkernel {url}{KERNEL} initrd=initrd.gz\ninitrd {url}/initrd.gz\nboot\n");
    std::fs::write(root.join("boot.ipxe"), script).unwrap();
    Running { _server: None, _processes: vec![dnsmasq(lab, host, &root), nginx(lab, host, &root)] }
}

fn dnsmasq(lab: &Lab, host: &Host, root: &Path) -> Process {
    let mut command = host.command("dnsmasq");
    command.args([
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--port=0",
        "--interface=eth0",
        "--bind-interfaces",
    ]);
    command.args(["--dhcp-range=10.77.0.100,10.77.0.199,255.255.255.0,1h", "--dhcp-authoritative", "--no-ping"]);
    command.args(["--dhcp-userclass=set:ipxe,iPXE", "--dhcp-match=set:uefi,option:client-arch,7"]);
    command.arg(format!("--dhcp-boot=tag:ipxe,http://{SERVER}/boot.ipxe"));
    command.args(["--dhcp-boot=tag:!ipxe,tag:uefi,snponly.efi", "--dhcp-boot=tag:!ipxe,tag:!uefi,undionly.kpxe"]);
    command.args(["--enable-tftp", "--user=root"]).arg(format!("--tftp-root={}", root.display()));
    command.arg(format!("--dhcp-leasefile={}", lab.path("leases").display()));
    let pid = lab.path("dnsmasq.pid");
    command.arg(format!("--pid-file={}", pid.display()));
    started(&mut command, &pid)
}

fn nginx(lab: &Lab, host: &Host, root: &Path) -> Process {
    let (work, pid) = (lab.path("nginx"), lab.path("nginx.pid"));
    std::fs::create_dir(&work).unwrap();
    let places: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {}/{kind};\n", work.display()))
        .concat();
    let settings = format!(
        "daemon off;\nmaster_process off;\nuser root;\npid {};\nerror_log stderr;\nevents {{}}\nhttp {{\n{places}\
         access_log off;\nsendfile on;\ndefault_type application/octet-stream;\n\
         server {{ listen {SERVER}:80; root {}; }}\n}}\n",
        pid.display(),
        root.display()
    );
    let file: PathBuf = work.join("nginx.conf");
    std::fs::write(&file, settings).unwrap();
    let mut command = host.command(&packaged("nginx/usr/sbin/nginx"));
    command.args(["-e", "stderr", "-p"]).arg(&work).arg("-c").arg(&file);
    command.stderr(std::fs::File::create(work.join("errors")).unwrap());
    started(&mut command, &pid)
}

/// Captures HTTP on the bridge.
fn sniff(lab: &Lab, to: &Path) -> Process {
    let mut command: Command = lab.switch().command("tcpdump");
    command.args(["-i", "br0", "-U", "-n", "-s", "512", "-Z", "root", "-w"]).arg(to).arg("tcp port 80");
    let sniffer = Process::start(command.stdout(Stdio::null()).stderr(Stdio::null()));
    while std::fs::metadata(to).map_or(0, |file| file.len()) < 24 {
        std::thread::sleep(Duration::from_millis(20));
    }
    sniffer
}

/// When the answer to the request for the kernel began, in seconds since 1970, once a capture has it.
///
/// The format is libpcap's first: a header of 24 bytes, then packets, each behind its seconds, microseconds, captured and
/// full length (pcap-savefile(5)).
fn first_kernel_byte(capture: &[u8]) -> Option<f64> {
    let number = |at: usize| Some(u32::from_le_bytes(capture.get(at..at + 4)?.try_into().ok()?));
    let (mut at, mut asked) = (24, None);
    loop {
        let time = f64::from(number(at)?) + f64::from(number(at + 4)?) / 1e6;
        let length = number(at + 8)? as usize;
        let packet = capture.get(at + 16..at + 16 + length)?;
        at += 16 + length;
        let Some((ports, payload)) = tcp(packet) else { continue };
        let line = payload.split(|&byte| byte == b'\r').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        if line.starts_with("GET ") && line.split(' ').nth(1).is_some_and(|path| path.ends_with(KERNEL)) {
            asked = Some((ports.1, ports.0));
        } else if asked == Some(ports) && !payload.is_empty() {
            return Some(time);
        }
    }
}

/// Source and destination port of a TCP segment in IPv4 on Ethernet, and what it carries.
fn tcp(packet: &[u8]) -> Option<((u16, u16), &[u8])> {
    let ip = packet.get(14..)?;
    let segment =
        ip.get(usize::from(ip.first()? & 15) * 4..usize::from(u16::from_be_bytes([*ip.get(2)?, *ip.get(3)?])));
    // A long one was cut by the capture.
    let segment = segment.or_else(|| ip.get(usize::from(ip[0] & 15) * 4..))?;
    let port = |at: usize| Some(u16::from_be_bytes([*segment.get(at)?, *segment.get(at + 1)?]));
    let payload = segment.get(usize::from(*segment.get(12)? >> 4) * 4..)?;
    Some(((port(0)?, port(2)?), payload))
}
