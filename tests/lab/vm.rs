//! Computers: real firmware in QEMU, in software emulation.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use super::{Lab, Process};

const OVMF: &str = "/usr/share/OVMF";
const AAVMF: &str = "/usr/share/AAVMF";

/// How the addresses of computers begin; their numbers end them.
pub const MACS: &str = "52:54:00:77:01:";

/// What UEFI starts where nothing else was left to start: its own settings.
const GAVE_UP: &str = "starting Boot0000 \"UiApp\"";

/// What the computer's firmware is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// SeaBIOS, virtio-net and QEMU's own ROM, which is iPXE and says so.
    Bios,
    /// SeaBIOS and an e1000 whose ROM hides that it is iPXE until it has asked for its first file.
    PlainRom,
    /// The same, which does not hide it but says that it cannot fetch by HTTP, like the one in VirtualBox's card.
    CutIpxe,
    /// OVMF x64 by PXE.
    EfiX64,
    /// OVMF x64 by UEFI HTTP Boot.
    EfiX64Http,
    /// OVMF x64 that starts only what Microsoft has signed.
    EfiX64Secure,
    /// 32-bit OVMF on a 64-bit processor, by PXE.
    EfiIa32,
    /// AAVMF, which is OVMF for ARM64, by PXE.
    EfiArm64,
    /// AAVMF by UEFI HTTP Boot.
    EfiArm64Http,
}

/// A board: what QEMU emulates around the processor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Board {
    /// i440FX, as SeaBIOS knows it.
    Pc,
    /// Q35. Guarded, only the firmware itself reaches its variables, in system management mode.
    Q35 { guarded: bool },
    /// QEMU's own for ARM64.
    Virt,
}

impl Firmware {
    fn board(self) -> Board {
        match self {
            Firmware::Bios | Firmware::PlainRom | Firmware::CutIpxe => Board::Pc,
            Firmware::EfiX64 | Firmware::EfiX64Http => Board::Q35 { guarded: false },
            // Debian has the 32-bit one only in a build that does not start where its variables are not guarded.
            Firmware::EfiX64Secure | Firmware::EfiIa32 => Board::Q35 { guarded: true },
            Firmware::EfiArm64 | Firmware::EfiArm64Http => Board::Virt,
        }
    }

    fn is_bios(self) -> bool {
        self.board() == Board::Pc
    }

    fn is_http(self) -> bool {
        matches!(self, Firmware::EfiX64Http | Firmware::EfiArm64Http)
    }

    /// What the filter in its cable takes out of its questions, where it has one.
    fn filter(self) -> Option<&'static str> {
        match self {
            Firmware::PlainRom => Some("ipxe"),
            Firmware::CutIpxe => Some("http"),
            _ => None,
        }
    }

    /// The QEMU that runs it.
    fn qemu(self) -> &'static str {
        if self.board() == Board::Virt { "qemu-system-aarch64" } else { "qemu-system-x86_64" }
    }

    /// The code of UEFI, and its variables, where the keys of Secure Boot lie.
    fn flash(self) -> Option<[String; 2]> {
        let (folder, code, variables) = match self {
            Firmware::Bios | Firmware::PlainRom | Firmware::CutIpxe => return None,
            Firmware::EfiX64 | Firmware::EfiX64Http => (OVMF, "OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"),
            Firmware::EfiX64Secure => (OVMF, "OVMF_CODE_4M.ms.fd", "OVMF_VARS_4M.ms.fd"),
            Firmware::EfiIa32 => (OVMF, "OVMF32_CODE_4M.secboot.fd", "OVMF32_VARS_4M.fd"),
            Firmware::EfiArm64 | Firmware::EfiArm64Http => (AAVMF, "AAVMF_CODE.fd", "AAVMF_VARS.fd"),
        };
        Some([format!("{folder}/{code}"), format!("{folder}/{variables}")])
    }

    /// Whether all that a test of it needs is there; says so where it is not.
    pub fn ready(self, test: &str, more: &[&str]) -> bool {
        let flash = self.flash().unwrap_or_default();
        let mut needs: Vec<&str> = flash.iter().map(String::as_str).filter(|file| !file.is_empty()).collect();
        needs.push(self.qemu());
        if self.filter().is_some() {
            needs.extend(["python3", "ethtool"]);
        }
        needs.extend(more);
        super::ready(test, &needs)
    }
}

/// What a computer has or does beside the usual.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A raw disk, which it starts from where the network gives it nothing to start. It is never written.
    pub disk: Option<PathBuf>,
    /// Whether it goes on after a reset, its own or [`Vm::reset`]. Otherwise a reset ends it, and with it the test.
    pub resets: bool,
}

/// A running computer. Ends with the test.
pub struct Vm {
    pub mac: String,
    /// When it was switched on.
    pub switched_on: SystemTime,
    bios: bool,
    folder: PathBuf,
    qmp: BufReader<UnixStream>,
    /// How much of what came over the serial line is from before the last reset, in bytes.
    before: usize,
    _filter: Option<Process>,
    _qemu: Process,
}

impl Vm {
    /// Switches computer `number` (1 to 9) on, with `memory` MiB.
    pub fn start(lab: &Lab, number: u32, firmware: Firmware, memory: u32) -> Vm {
        Vm::start_with(lab, number, firmware, memory, &Options::default())
    }

    /// The same with more to it.
    pub fn start_with(lab: &Lab, number: u32, firmware: Firmware, memory: u32, options: &Options) -> Vm {
        let mac = format!("{MACS}{number:02x}");
        let folder = lab.path(&format!("vm{number}"));
        std::fs::create_dir(&folder).expect("a folder");
        let filter = plug(lab, number, firmware);
        let mut command = lab.switch().command(firmware.qemu());
        command.args(["-nodefaults", "-accel", "tcg", "-display", "none", "-m", &memory.to_string()]);
        if !options.resets {
            command.arg("-no-reboot");
        }
        identity(&mut command, number);
        board(&mut command, firmware.board());
        if let Some(flash) = firmware.flash() {
            uefi(&mut command, &folder, &flash, firmware.is_http());
        }
        card(&mut command, number, &mac, firmware);
        if let Some(disk) = &options.disk {
            let drive = format!("if=none,id=d,format=raw,snapshot=on,file={}", disk.display());
            command.args(["-drive", &drive, "-device", "virtio-blk-pci,drive=d,bootindex=1"]);
        }
        command.arg("-serial").arg(format!("file:{}", folder.join("serial").display()));
        let monitor = folder.join("qmp");
        command.arg("-qmp").arg(format!("unix:{},server=on,wait=off", monitor.display()));
        command.stdout(Stdio::null()).stderr(std::fs::File::create(folder.join("qemu.err")).expect("a file"));
        let switched_on = SystemTime::now();
        let mut qemu = Process::start(&mut command);
        let qmp = connect(&monitor, &mut qemu, &folder);
        let bios = firmware.is_bios();
        let mut vm = Vm { mac, switched_on, bios, folder, qmp, before: 0, _filter: filter, _qemu: qemu };
        vm.qmp(r#"{"execute": "qmp_capabilities"}"#);
        vm
    }

    /// Presses its reset button. What it has shown so far is forgotten.
    pub fn reset(&mut self) {
        self.before = std::fs::metadata(self.folder.join("serial")).map_or(0, |file| file.len() as usize);
        self.qmp(r#"{"execute": "system_reset"}"#);
    }

    /// Waits until the screen or the serial line shows a text; in the panic is what they show instead.
    pub fn wait_for(&mut self, text: &str, limit: Duration) {
        let began = Instant::now();
        while !self.shows(text) {
            if began.elapsed() > limit || self.serial().contains(GAVE_UP) {
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

    /// What came over the serial line since it was switched on or reset, without escape sequences.
    pub fn serial(&self) -> String {
        let bytes = std::fs::read(self.folder.join("serial")).unwrap_or_default();
        let since = bytes.get(self.before..).unwrap_or_default();
        String::from_utf8_lossy(since).chars().filter(|c| !matches!(c, '\0' | '\r')).collect()
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

/// What its owner would read on a sticker.
fn identity(command: &mut Command, number: u32) {
    command.args(["-name", &format!("computer-{number}")]);
    command.args(["-uuid", &format!("00000000-0000-4000-8000-52540077{number:04x}")]);
    command.args(["-smbios", "type=1,manufacturer=Lab,product=Bench"]);
}

/// The board with its screen and keyboard.
fn board(command: &mut Command, board: Board) {
    match board {
        Board::Pc => command.args(["-machine", "pc", "-vga", "std"]),
        Board::Q35 { guarded: false } => command.args(["-machine", "q35", "-vga", "std"]),
        Board::Q35 { guarded: true } => {
            command.args(["-machine", "q35,smm=on", "-vga", "std"]);
            command.args(["-global", "driver=cfi.pflash01,property=secure,value=on"]);
            // OVMF built so may hang where the board can suspend to memory (bugs.archlinux.org/task/59465).
            command.args(["-global", "ICH9-LPC.disable_s3=1"])
        }
        // It has nothing of its own, and the PC's screen is none that its firmware knows.
        Board::Virt => {
            command.args(["-machine", "virt", "-cpu", "cortex-a57"]);
            command.args(["-device", "virtio-gpu-pci", "-device", "qemu-xhci", "-device", "usb-kbd"])
        }
    };
}

/// UEFI with variables of its own.
fn uefi(command: &mut Command, folder: &Path, [code, variables]: &[String; 2], http: bool) {
    let own = folder.join("vars.fd");
    std::fs::copy(variables, &own).expect(variables);
    command.args(["-drive", &format!("if=pflash,format=raw,unit=0,readonly=on,file={code}")]);
    command.args(["-drive", &format!("if=pflash,format=raw,unit=1,file={}", own.display())]);
    // IPv6 is not served; leaving it on only adds its time-outs.
    command.args(["-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n"]);
    if http {
        command.args(["-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n"]);
    }
}

/// The network card, which it starts from before all else.
fn card(command: &mut Command, number: u32, mac: &str, firmware: Firmware) {
    command.args(["-netdev", &format!("tap,id=n,ifname=tap{number},script=no,downscript=no")]);
    let card = if firmware.filter().is_some() { "e1000" } else { "virtio-net-pci" };
    // UEFI brings its own driver; a ROM would put iPXE in its place.
    let rom = if firmware.is_bios() { "" } else { ",romfile=" };
    command.args(["-device", &format!("{card},netdev=n,mac={mac},bootindex=0{rom}")]);
}

/// A cable from the bridge to the computer; returns the filter in it, where there is one.
fn plug(lab: &Lab, number: u32, firmware: Firmware) -> Option<Process> {
    let (switch, tap) = (lab.switch(), format!("tap{number}"));
    switch.ip(&format!("tuntap add dev {tap} mode tap"));
    if let Some(hidden) = firmware.filter() {
        return Some(plain_rom(lab, number, &tap, hidden));
    }
    switch.ip(&format!("link set {tap} master br0 up"));
    None
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
fn plain_rom(lab: &Lab, number: u32, tap: &str, hidden: &str) -> Process {
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
    command.arg(script).args([tap, &format!("f{number}"), hidden]).stdout(Stdio::piped());
    let mut filter = Process::start(&mut command);
    let mut ready = String::new();
    let stdout = filter.0.stdout.take().expect("its output");
    BufReader::new(stdout).read_line(&mut ready).expect("a line");
    assert_eq!(ready, "ready\n");
    filter
}
