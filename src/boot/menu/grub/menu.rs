//! The menu of one computer, with the words and the order that it has in iPXE.
//!
//! An entry never ends while something is loaded: GRUB starts what was loaded last when an entry ends well
//! (`grub-core/normal/menu.c`, "Implicit execution of boot"), be it a kernel whose initrd could not be fetched. So a failed
//! entry shows the menu anew within itself, and stays there.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::super::super::secure::Chain;
use super::super::{
    Default, FAILED, Group, Item, Line, MAX_ARGUMENTS, Menu, OWN_DISK, Place, Processor, arguments, guard, ipxe, made,
    modules, too_long,
};
use super::first::{Asking, READ};
use super::quote::{quoted, title, words};
use super::script::Script;
use super::{Computer, Reach, hypervisor};
use crate::image::Boot;
use crate::image::recipe::RESERVED_START;

/// How each entry can start under Secure Boot.
pub type Chains<'a> = &'a dyn Fn(&Item) -> Chain;

/// The computer that gets a menu, as it is known.
#[derive(Clone, Copy)]
pub struct Client<'a> {
    /// Who asks.
    pub asking: Asking,
    /// How its GRUB fetches files.
    pub reach: Reach,
    /// Its address. GRUB does not always know its own (`net_default_ip` stays empty after `net_bootp`, seen with 2.06).
    pub ip: Ipv4Addr,
    /// The netmask of its network.
    pub netmask: Ipv4Addr,
    /// How entries start where Secure Boot is on; `None` where it is off.
    pub secure: Option<Chains<'a>>,
}

/// Set in a menu that is shown anew: nothing starts by itself there.
const AGAIN: &str = "bootwright_again";

/// The menu for one computer.
pub fn menu(menu: &Menu, client: &Client, place: &Place, answer: ipxe::Answer) -> String {
    let asker = client.asking.asker();
    // Asked once for each entry: every question makes an address.
    let answers = menu.fitting(asker).into_iter().filter_map(|item| Some((item.id.as_str(), answer(item)?))).collect();
    let computer = Computer::known(client.asking.mac, client.ip, client.netmask);
    let page = Page { menu, client, place, answers, computer };
    let settled = Menu { default: page.default(), ..menu.clone() };
    let top = settled.top(asker);
    let chosen = settled.chosen(asker);
    let position =
        top.iter().position(|line| matches!((line, chosen), (Line::Item(item), Some(chosen)) if item.id == chosen.id));
    let mut script = Script::default();
    script.line(&format!("set {READ}=menu"));
    // A position: an id that begins with a digit is a number to GRUB 2.06, and a title may be spelt like an id.
    script.line(&format!("set default={}", position.unwrap_or_default()));
    script.line("set timeout_style=menu");
    script.open(&format!("if [ \"${AGAIN}\" != y ]; then"));
    script.line(&format!("set timeout={}", menu.timeout));
    script.close("fi");
    for line in &top {
        match line {
            Line::Local => local(&mut script, client.asking.cpu),
            Line::Item(item) => page.entry(&mut script, item),
            Line::Group(group) => page.submenu(&mut script, group),
        }
    }
    script.text
}

/// What the entries of one menu are made of.
struct Page<'a> {
    menu: &'a Menu,
    client: &'a Client<'a>,
    place: &'a Place,
    answers: BTreeMap<&'a str, String>,
    computer: Computer,
}

impl Page<'_> {
    /// What starts by itself: the chosen entry, another one of its image where that cannot start here, or the own disk.
    fn default(&self) -> Default {
        let asker = self.client.asking.asker();
        let Some(chosen) = self.menu.chosen(asker) else { return Default::Local };
        let fitting = self.menu.fitting(asker);
        let same = fitting.into_iter().filter(|item| item.image == chosen.image);
        let same = same.filter(|item| item.guard.starts_by_itself());
        let able = std::iter::once(chosen).chain(same).find(|item| self.start(item).is_ok());
        able.map_or(Default::Local, |item| Default::Entry(item.id.clone()))
    }

    fn title(&self, item: &Item) -> String {
        guard::title(item, self.answers.contains_key(item.id.as_str()))
    }

    fn submenu(&self, script: &mut Script, group: &Group) {
        let name = ipxe::text(&group.title());
        let id = format!("{RESERVED_START}{}", group.category as u8);
        script.open(&format!("submenu {} --id {} {{", title(&format!("{name} ...")), quoted(&id)));
        group.items.iter().for_each(|item| self.entry(script, item));
        // Escape goes back as well, which nobody has to know.
        script.open(&format!("menuentry {} --id {} {{", quoted("Back"), quoted("menu")));
        self.again(script);
        script.close("}");
        script.close("}");
    }

    fn entry(&self, script: &mut Script, item: &Item) {
        let name = self.title(item);
        script.open(&format!("menuentry {} --id {} {{", title(&name), quoted(&item.id)));
        script.line(&format!("echo {}", quoted(&format!("Bootwright: {name}"))));
        match self.start(item) {
            Ok(commands) => {
                if item.guard.once {
                    // Says that it begins, and does nothing else.
                    let path = begin_path(&item.id);
                    script.line(&format!(
                        "source {}",
                        quoted(&format!("{}/{path}", self.client.reach.device(self.place)))
                    ));
                }
                commands.iter().for_each(|command| script.open(&format!("if {command}; then")));
                script.line("boot");
                commands.iter().for_each(|_| script.close("fi"));
                script.line(&format!("echo 'Bootwright: {FAILED}. Back to the menu in 10 seconds.'"));
            }
            Err(sentence) => {
                script.line(&format!("echo {}", quoted(&format!("Bootwright: {sentence}"))));
                script.line("echo 'Back to the menu in 10 seconds.'");
            }
        }
        script.line("sleep --interruptible 10");
        self.again(script);
        script.close("}");
    }

    /// Shows the menu anew, for good.
    fn again(&self, script: &mut Script) {
        let menu = format!("{}/{}", self.client.reach.device(self.place), self.client.asking.path());
        script.line(&format!("set {AGAIN}=y"));
        script.line(&format!("export {AGAIN}"));
        // Escape leaves it, and a server that is gone shows none.
        script.open("while [ 1 = 1 ]; do");
        script.line(&format!("configfile {}", quoted(&menu)));
        script.line("sleep --interruptible 3");
        script.close("done");
    }

    /// The commands that load an entry, each of which has to succeed, or why it cannot start here.
    fn start(&self, item: &Item) -> Result<Vec<String>, String> {
        if item.guard.password.is_some() {
            return Err(Obstacle::Password.sentence());
        }
        let (place, append) = (self.place, self.menu.append.as_str());
        let answer = self.answers.get(item.id.as_str()).map(String::as_str);
        let own = self.computer.own();
        let arguments = arguments(item, place, append, &own, answer);
        let kernel = item.entry.kernel.as_deref();
        let kernel = match item.entry.boot {
            Boot::Linux | Boot::EfiProgram | Boot::Multiboot => kernel.ok_or(Obstacle::NoKernel.sentence())?,
            Boot::Wimboot | Boot::Esxi | Boot::Sanboot | Boot::HttpDisc => return Err(Obstacle::NeedsIpxe.sentence()),
            Boot::Memdisk => return Err(Obstacle::NeedsBios.sentence()),
        };
        if item.entry.boot == Boot::Multiboot {
            return self.multiboot(item, &arguments, answer);
        }
        let file = self.file(item, kernel);
        let length = match item.entry.boot {
            // GRUB says first what it started (`loader/i386/efi/linux.c`).
            Boot::Linux => handed_over(&format!("BOOT_IMAGE={file} {arguments}")) + 2 * usize::from(file.contains(' ')),
            _ => arguments.len(),
        };
        fits(length)?;
        match self.client.secure.map(|chain| chain(item)) {
            None | Some(Chain::Direct) if item.entry.boot == Boot::Linux => Ok(self.linux(item, &file, &arguments)),
            None | Some(Chain::Direct) => Ok(self.program(&file, &arguments)),
            Some(Chain::OwnShim { .. }) => Ok(vec![self.restart(item)]),
            Some(Chain::Nothing(sentence)) => Err(sentence),
        }
    }

    /// GRUB hands over all initrds as one, and begins each at a multiple of four (`loader/linux.c`).
    fn linux(&self, item: &Item, kernel: &str, arguments: &str) -> Vec<String> {
        let linux = format!("linux {}{}", quoted(kernel), words(arguments));
        let initrds = item.entry.initrd.iter().map(|path| self.file(item, path));
        let injected = (0..item.entry.inject.len())
            .map(|number| self.client.reach.local(self.place, &self.place.injected(item, number)));
        let all: String = initrds.chain(injected).map(|file| format!(" {}", quoted(&file))).collect();
        let initrd = (!all.is_empty()).then(|| format!("initrd{all}"));
        std::iter::once(linux).chain(initrd).collect()
    }

    /// A UEFI program has the device of `root` for its own, and none starts without one. Our own GRUB comes with a memory
    /// disk for that, which UEFI does not know.
    fn program(&self, file: &str, arguments: &str) -> Vec<String> {
        let device = self.client.reach.device(self.place);
        let root = format!("set root={}", quoted(device.trim_matches(['(', ')'])));
        vec![root, format!("chainloader {}{}", quoted(file), words(arguments))]
    }

    fn multiboot(&self, item: &Item, arguments: &str, answer: Option<&str>) -> Result<Vec<String>, String> {
        if self.client.secure.is_some() {
            return Err(Obstacle::SecureHypervisor.sentence());
        }
        if self.client.reach == Reach::Tftp {
            return Err(Obstacle::SignedHypervisor.sentence());
        }
        let (place, append, own) = (self.place, self.menu.append.as_str(), self.computer.own());
        let modules = modules(item, place, append, &own, answer);
        fits(modules.iter().map(|(_, line)| line.len()).chain([arguments.len()]).max().unwrap_or_default())?;
        hypervisor::commands(item, place, append, &own, answer).ok_or(Obstacle::NoKernel.sentence())
    }

    /// Another maker's kernel starts through its own shim, and that one as a boot file from the firmware alone: started by
    /// GRUB it finds no way to the network, since GRUB holds the card ("Failed to find fs", seen with shim 15.8). So the
    /// computer starts anew, and the server, which gives the script for that, knows what to hand out next.
    fn restart(&self, item: &Item) -> String {
        let path = restart_path(&item.id);
        format!("source {}", quoted(&format!("{}/{path}", self.client.reach.device(self.place))))
    }

    fn file(&self, item: &Item, path: &str) -> String {
        let reach = self.client.reach;
        format!("{}{}", reach.local(self.place, &self.place.tree(item)), reach.path(path))
    }
}

/// Path of the script that restarts a computer for an entry that needs its own shim. Whoever fetches it gets that shim as
/// its next boot file.
pub(super) fn restart_path(entry: &str) -> String {
    format!("{}/{entry}/restart.cfg", made::CHAIN)
}

/// The entry of such a path.
pub fn restart_of(path: &str) -> Option<&str> {
    path.strip_prefix(made::CHAIN)?.strip_prefix('/')?.strip_suffix("/restart.cfg").filter(|entry| !entry.contains('/'))
}

/// Path of the script that says that an entry begins which starts once.
fn begin_path(entry: &str) -> String {
    format!("{}/{entry}/begin.cfg", made::BEGIN)
}

/// The entry of such a path.
pub fn begin_of(path: &str) -> Option<&str> {
    path.strip_prefix(made::BEGIN)?.strip_prefix('/')?.strip_suffix("/begin.cfg").filter(|entry| !entry.contains('/'))
}

/// That script.
pub fn begin() -> &'static str {
    "true\n"
}

/// That script.
pub fn restart() -> &'static str {
    "echo 'Bootwright: this computer restarts once, and then starts the entry by itself.'\nsleep 3\nreboot\n"
}

/// Why an entry cannot start from GRUB.
#[derive(Clone, Copy)]
enum Obstacle {
    /// wimboot takes its files from iPXE; ESXi's loader and a disc from the network need iPXE's way to it, since GRUB
    /// holds the card for itself.
    NeedsIpxe,
    /// memdisk is a driver of the BIOS.
    NeedsBios,
    SecureHypervisor,
    SignedHypervisor,
    NoKernel,
    /// GRUB 2.06 shows what is typed (`read`), and sends nothing but paths.
    Password,
}

impl Obstacle {
    fn sentence(self) -> String {
        match self {
            Obstacle::NeedsIpxe => "only iPXE can start this entry, and this computer runs GRUB.",
            Obstacle::NeedsBios => "this entry is for computers with a BIOS, and this one has UEFI.",
            Obstacle::SecureHypervisor => {
                "Secure Boot does not let GRUB start this entry. It starts with Secure Boot off."
            }
            Obstacle::SignedHypervisor => "the signed GRUB cannot start this entry. iPXE can.",
            Obstacle::Password => "this entry has a password. Only iPXE can ask for it, and this computer runs GRUB.",
            Obstacle::NoKernel => "nothing was found in this entry that could be started.",
        }
        .to_owned()
    }
}

/// How long a line is, in bytes, once GRUB has put a backslash before each of these (`grub-core/lib/cmdline.c`). It also
/// puts quotes around a word with a space, which the path of a kernel alone may have.
fn handed_over(line: &str) -> usize {
    line.len() + line.matches(['\\', '\'', '"']).count()
}

fn fits(length: usize) -> Result<(), String> {
    (length <= MAX_ARGUMENTS).then_some(()).ok_or_else(|| too_long(length))
}

/// The computer's own disk. GRUB always tells the firmware of success (2.06 and 2.12 take no status), and OVMF and others
/// answer that with their own menu rather than with the next boot option (UEFI 2.10 section 3.1.1). So the loader on the
/// disk is looked for: a Linux beside Windows asks which to start, so it comes first.
fn local(script: &mut Script, cpu: Processor) {
    let (short, fallback) = match cpu {
        Processor::I386 => ("ia32", "BOOTIA32.EFI"),
        Processor::X86_64 => ("x64", "BOOTX64.EFI"),
        Processor::Arm64 => ("aa64", "BOOTAA64.EFI"),
    };
    script.open(&format!("menuentry {} --id {} {{", quoted(OWN_DISK), quoted("local")));
    script.line(&format!("echo {}", quoted("Bootwright: starting this computer's own disk")));
    // Asterisks stand for any disk and any maker; GRUB leaves them as they are where nothing fits.
    let makers = ["shim", "grub"].map(|name| format!("(*)/EFI/*/{name}{short}.efi")).join(" ");
    script.open(&format!("for loader in {makers} (*)/EFI/systemd/systemd-boot{short}.efi; do"));
    script.open("if [ -f \"$loader\" ]; then");
    // The folder BOOT is for what is found below, on a stick with an installer as well.
    script.open("if regexp '/[Bb][Oo][Oo][Tt]/' \"$loader\"; then");
    script.line("echo");
    script.close_and_open("else");
    // What starts has the device of `root` for its own (`grub_device_open (0)` in 2.06's `loader/efi/chainloader.c`), and
    // looks for its files there.
    script.line("regexp --set=1:root '^[(](.*)[)]/' \"$loader\"");
    script.open("if chainloader \"$loader\"; then");
    script.line("boot");
    script.close("fi");
    script.close("fi");
    script.close("fi");
    script.close("done");
    script.open(&format!("for loader in /EFI/Microsoft/Boot/bootmgfw.efi /EFI/BOOT/{fallback}; do"));
    script.open("if search --no-floppy --file --set=root \"$loader\"; then");
    script.open("if chainloader \"($root)$loader\"; then");
    script.line("boot");
    script.close("fi");
    script.close("fi");
    script.close("done");
    // Newer GRUBs take a status, which means the next boot option to the firmware.
    script.line("exit 1");
    script.close("}");
}
