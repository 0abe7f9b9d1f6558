//! Computers: real firmware in QEMU, in software emulation.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{Lab, Process};

const OVMF: &str = "/usr/share/OVMF";

/// What the computer's firmware is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// SeaBIOS, virtio-net and QEMU's own ROM, which is iPXE and says so.
    Bios,
    /// SeaBIOS and an e1000 whose ROM hides that it is iPXE until it has asked for its first file.
    PlainRom,
    /// OVMF x64 by PXE.
    EfiX64,
    /// OVMF x64 by UEFI HTTP Boot.
    EfiX64Http,
    /// OVMF x64 that starts only what Microsoft has signed.
    EfiX64Secure,
}

impl Firmware {
    fn is_uefi(self) -> bool {
        matches!(self, Firmware::EfiX64 | Firmware::EfiX64Http | Firmware::EfiX64Secure)
    }

    /// OVMF's code and its variables, where the keys of Secure Boot lie.
    fn ovmf(self) -> (&'static str, &'static str) {
        match self {
            Firmware::EfiX64Secure => ("OVMF_CODE_4M.ms.fd", "OVMF_VARS_4M.ms.fd"),
            _ => ("OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"),
        }
    }
}

/// A running computer. Ends with the test.
pub struct Vm {
    pub mac: String,
    bios: bool,
    folder: PathBuf,
    qmp: BufReader<UnixStream>,
    _filter: Option<Process>,
    _qemu: Process,
}

impl Vm {
    /// Switches computer `number` (1 to 9) on, with `memory` MiB.
    pub fn start(lab: &Lab, number: u32, firmware: Firmware, memory: u32) -> Vm {
        let switch = lab.switch();
        let (mac, tap) = (format!("52:54:00:77:01:{number:02x}"), format!("tap{number}"));
        let folder = lab.path(&format!("vm{number}"));
        std::fs::create_dir(&folder).expect("a folder");
        switch.ip(&format!("tuntap add dev {tap} mode tap"));
        let filter = if firmware == Firmware::PlainRom {
            Some(plain_rom(lab, number, &tap))
        } else {
            switch.ip(&format!("link set {tap} master br0 up"));
            None
        };
        let mut command = switch.command("qemu-system-x86_64");
        command.args(["-nodefaults", "-accel", "tcg", "-display", "none", "-vga", "std", "-no-reboot"]);
        command.args(["-m", &memory.to_string(), "-name", &format!("computer-{number}")]);
        command.args(["-uuid", &format!("00000000-0000-4000-8000-52540077{number:04x}")]);
        command.args(["-smbios", "type=1,manufacturer=Lab,product=Bench"]);
        command.args(["-netdev", &format!("tap,id=n,ifname={tap},script=no,downscript=no")]);
        let card = if firmware == Firmware::PlainRom { "e1000" } else { "virtio-net-pci" };
        // OVMF brings its own driver; a ROM would put iPXE in its place.
        let uefi = firmware.is_uefi();
        let rom = if uefi { ",romfile=" } else { "" };
        command.args(["-device", &format!("{card},netdev=n,mac={mac},bootindex=0{rom}")]);
        if uefi {
            let variables = folder.join("vars.fd");
            let (code, keys) = firmware.ovmf();
            std::fs::copy(format!("{OVMF}/{keys}"), &variables).expect("OVMF");
            let code = format!("if=pflash,format=raw,unit=0,readonly=on,file={OVMF}/{code}");
            let own = format!("if=pflash,format=raw,unit=1,file={}", variables.display());
            // Firmware with Secure Boot keeps its variables from everybody else, and does not start where it cannot.
            let (machine, guard) = match firmware {
                Firmware::EfiX64Secure => ("q35,smm=on", "on"),
                _ => ("q35", "off"),
            };
            command.args([
                "-machine",
                machine,
                "-global",
                &format!("driver=cfi.pflash01,property=secure,value={guard}"),
            ]);
            command.args(["-drive", &code, "-drive", &own]);
            // IPv6 is not served; leaving it on only adds its time-outs.
            command.args(["-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n"]);
        }
        if firmware == Firmware::EfiX64Http {
            command.args(["-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n"]);
        }
        command.arg("-serial").arg(format!("file:{}", folder.join("serial").display()));
        let monitor = folder.join("qmp");
        command.arg("-qmp").arg(format!("unix:{},server=on,wait=off", monitor.display()));
        command.stdout(Stdio::null()).stderr(std::fs::File::create(folder.join("qemu.err")).expect("a file"));
        let mut qemu = Process::start(&mut command);
        let qmp = connect(&monitor, &mut qemu, &folder);
        let bios = matches!(firmware, Firmware::Bios | Firmware::PlainRom);
        let mut vm = Vm { mac, bios, folder, qmp, _filter: filter, _qemu: qemu };
        vm.qmp(r#"{"execute": "qmp_capabilities"}"#);
        vm
    }

    /// Waits until the screen or the serial line shows a text; in the panic is what they show instead.
    pub fn wait_for(&mut self, text: &str, limit: Duration) {
        let began = Instant::now();
        while !self.shows(text) {
            if began.elapsed() > limit {
                let tail = self.tail();
                panic!("{} does not show {text:?} but:\n{tail}", self.mac);
            }
            std::thread::sleep(Duration::from_millis(300));
        }
        println!("    {} shows {text:?} after {} s", self.mac, began.elapsed().as_secs());
    }

    /// Presses these keys one after the other, by QEMU's names for them (`down`, `ret`).
    pub fn press(&mut self, keys: &[&str]) {
        for key in keys {
            self.qmp(&format!(
                r#"{{"execute": "send-key", "arguments": {{"keys": [{{"type": "qcode", "data": "{key}"}}]}}}}"#
            ));
            // The keyboard is let go after 100 ms; menus read it now and then.
            std::thread::sleep(Duration::from_millis(250));
        }
    }

    fn shows(&mut self, text: &str) -> bool {
        self.serial().contains(text) || (self.bios && self.screen().contains(text))
    }

    /// What came over the serial line, without escape sequences.
    pub fn serial(&self) -> String {
        let bytes = std::fs::read(self.folder.join("serial")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).chars().filter(|c| !matches!(c, '\0' | '\r')).collect()
    }

    /// The 80 by 25 text screen of a BIOS computer.
    pub fn screen(&mut self) -> String {
        let dump = self.folder.join("screen");
        let file = dump.display();
        self.qmp(&format!(
            r#"{{"execute": "pmemsave", "arguments": {{"val": 753664, "size": 4000, "filename": "{file}"}}}}"#
        ));
        let cells = std::fs::read(&dump).unwrap_or_default();
        let row =
            |row: &[u8]| row.iter().step_by(2).map(|&c| if c.is_ascii_graphic() { c as char } else { ' ' }).collect();
        let rows: Vec<String> = cells.chunks(160).map(row).collect();
        rows.join("\n")
    }

    fn tail(&mut self) -> String {
        let serial = self.serial();
        let mut text = String::new();
        let lines: Vec<&str> = serial.lines().collect();
        for line in lines.iter().skip(lines.len().saturating_sub(15)) {
            let _ = writeln!(text, "{line}");
        }
        if self.bios {
            text.push_str(&self.screen());
        }
        text
    }

    fn qmp(&mut self, command: &str) {
        writeln!(self.qmp.get_mut(), "{command}").expect("the monitor");
        let mut line = String::new();
        // Events may come in between.
        while !line.contains("\"return\"") && !line.contains("\"error\"") {
            line.clear();
            let count = self.qmp.read_line(&mut line).unwrap_or(0);
            assert!(
                count > 0,
                "QEMU ended: {}",
                std::fs::read_to_string(self.folder.join("qemu.err")).unwrap_or_default()
            );
        }
    }
}

fn connect(monitor: &Path, qemu: &mut Process, folder: &Path) -> BufReader<UnixStream> {
    let began = Instant::now();
    loop {
        if let Ok(stream) = UnixStream::connect(monitor) {
            let mut reader = BufReader::new(stream);
            reader.read_line(&mut String::new()).expect("a greeting");
            return reader;
        }
        let errors = || std::fs::read_to_string(folder.join("qemu.err")).unwrap_or_default();
        assert!(qemu.0.try_wait().expect("a process").is_none(), "QEMU ended: {}", errors());
        assert!(began.elapsed() < Duration::from_secs(30), "QEMU has no monitor: {}", errors());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Puts the filter between the computer and the bridge.
fn plain_rom(lab: &Lab, number: u32, tap: &str) -> Process {
    let switch = lab.switch();
    switch.ip(&format!("link set {tap} up"));
    switch.ip(&format!("link add f{number} type veth peer name g{number}"));
    switch.sh(&format!(
        "ethtool -K f{number} tx off tso off gso off gro off; ethtool -K g{number} tx off tso off gso off gro off"
    ));
    switch.ip(&format!("link set g{number} master br0 up"));
    switch.ip(&format!("link set f{number} up"));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab/plain_rom.py");
    let mut command = switch.command("python3");
    command.arg(script).args([tap, &format!("f{number}")]).stdout(Stdio::piped());
    let mut filter = Process::start(&mut command);
    let mut ready = String::new();
    let stdout = filter.0.stdout.take().expect("its output");
    BufReader::new(stdout).read_line(&mut ready).expect("a line");
    assert_eq!(ready, "ready\n");
    filter
}
