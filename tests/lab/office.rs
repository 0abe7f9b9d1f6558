//! The office's own DHCP server, which knows nothing of booting.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Lab, Process};

/// How soon it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// At once.
    Quick,
    /// It asks first whether somebody has the address, as dnsmasq does unless told not to: its offer comes 3 s late.
    Late,
}

/// dnsmasq at 10.77.0.254, which gives away .100 to .199. Returns once it listens.
pub fn office(lab: &Lab, pace: Pace) -> Process {
    let mut command = lab.host("o", Some("10.77.0.254/24")).command("dnsmasq");
    command.args([
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--port=0",
        "--interface=eth0",
        "--bind-interfaces",
    ]);
    command.args(["--dhcp-range=10.77.0.100,10.77.0.199,255.255.255.0,1h", "--dhcp-authoritative", "--user=root"]);
    if pace == Pace::Quick {
        command.arg("--no-ping");
    }
    command.arg(format!("--dhcp-leasefile={}", lab.path("office-leases").display()));
    let pid = lab.path("office-pid");
    command.arg(format!("--pid-file={}", pid.display()));
    started(&mut command, &pid)
}

/// Starts a service and waits until it has written down its process number, which it does once it listens.
pub fn started(command: &mut Command, pid: &Path) -> Process {
    let mut process = Process::start(command.stdout(Stdio::null()));
    let began = Instant::now();
    while !pid.exists() {
        assert!(process.0.try_wait().expect("a process").is_none(), "{command:?} ended");
        assert!(began.elapsed() < Duration::from_secs(30), "{command:?} does not get ready");
        std::thread::sleep(Duration::from_millis(20));
    }
    process
}
