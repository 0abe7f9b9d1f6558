//! iPXE scripts: the first one, which asks for the menu of the very computer, and the menu.
//!
//! Only what Debian's iPXE of 2019 can do (its `menu`, `item`, `choose`; no `params`, no `poweroff`), which newer ones
//! can as well. iPXE has no quoting: `${…}` expands anywhere, a word `||` or `&&` ends a command, a word that begins
//! with `#` is a comment, a line break starts a command. So text is filtered, never escaped.

use std::collections::BTreeMap;

use super::super::loader::Loader;
use super::guard::title;
use super::page::{AGAIN, Page, own_disk};
use super::{
    Asker, Group, HEADING, Item, Leave, Line, MAX_ARGUMENTS, Menu, OWN_DISK, Own, Place, Processor, arguments, made,
    modules, too_long,
};
use crate::image::recipe::RESERVED_START;
use crate::image::{Boot, Firmware};

/// Path of the menu; the first script adds a query that says who asks.
pub const MENU: &str = "menu.ipxe";

/// Path of what tells Windows PE to start Setup with an answer file.
pub const WINPE_SHELL: &str = "winpeshl.ini";
/// Its content (Microsoft, "Winpeshl.ini Reference"); Setup's own program lies at the root of the second image of a
/// medium's `boot.wim`. Lines end as Windows has them.
pub const WINPE_START: &str =
    "[LaunchApps]\r\n%SYSTEMDRIVE%\\setup.exe, /unattend:%SYSTEMROOT%\\System32\\autounattend.xml\r\n";

/// Names in the query of [`MENU`].
pub mod query {
    /// The hardware address with dashes.
    pub const MAC: &str = "mac";
    /// `pcbios` or `efi`.
    pub const PLATFORM: &str = "platform";
    /// `i386`, `x86_64` or `arm64`: how iPXE was built, which for a BIOS says nothing of the processor.
    pub const ARCH: &str = "arch";
    /// The SMBIOS UUID.
    pub const UUID: &str = "uuid";
    /// The SMBIOS product name.
    pub const PRODUCT: &str = "product";
    /// The SMBIOS serial number.
    pub const SERIAL: &str = "serial";
    /// iPXE's own version, which tells what its scripts may have.
    pub const VERSION: &str = "version";
    /// Memory in MiB (iPXE, `memmap_settings.c`): BIOS builds with MEMMAP_SETTINGS alone have it, others say nothing.
    pub const MEMORY: &str = "memory";
    /// The sizes of its memory modules as SMBIOS has them, which every iPXE can read.
    pub const MODULES: &str = "modules";
}

/// Name of the script that newer iPXE looks for in the folder that it was loaded from, by TFTP or HTTP
/// (iPXE, `efi_autoexec.c`).
pub const AUTOEXEC: &str = "autoexec.ipxe";

/// The first script. The menu replaces it, so that only a menu that cannot be fetched is told as such. `netX` is the card
/// that iPXE used last, so the right one on a computer with several.
pub fn first(place: &Place) -> String {
    format!("#!ipxe\n{}", fetch_menu(place))
}

/// The first script for iPXE that finds it before it has an address.
pub fn autoexec(place: &Place) -> String {
    format!(
        "#!ipxe\n\
         echo Bootwright: asking for an address\n\
         dhcp || goto failed\n\
         {}",
        fetch_menu(place)
    )
}

/// Most memory modules that are asked for. Boards with more have enough.
const MODULES: u8 = 8;
/// Digits of a module's size.
const SIZE: usize = 4;

/// The sizes of the memory modules: 2 bytes at offset 12 of each structure of type 17 (SMBIOS 3.7 section 7.18), as iPXE
/// prints them; one that is not there is nothing.
fn module_sizes() -> String {
    (0..MODULES).map(|module| format!("${{smbios/{module}.17.12.2:hexraw}}")).collect()
}

/// How much memory a computer has that said so, in MiB; none where a module's size cannot be told from it.
///
/// Sizes are little-endian. Of 0xffff nothing is known, 0x7fff stands for more than fits, and the topmost bit makes it KiB.
pub fn memory(modules: &str) -> Option<u64> {
    let digits: Vec<char> = modules.chars().collect();
    let size = |module: &[char]| {
        let text: String = module.iter().filter(|digit| digit.is_ascii_hexdigit()).collect();
        if text.len() != SIZE {
            return None;
        }
        let size = u16::from_str_radix(&text, 16).ok()?.swap_bytes();
        match size {
            0x7fff | 0xffff => None,
            size if size & 0x8000 != 0 => Some(u64::from(size & 0x7fff) / 1024),
            size => Some(u64::from(size)),
        }
    };
    let sum: u64 = digits.chunks(SIZE).map(size).sum::<Option<u64>>()?;
    Some(sum).filter(|sum| *sum > 0)
}

/// What a computer says of itself, as the query of a URL.
fn who_asks() -> String {
    use query::{ARCH, MAC, PLATFORM, PRODUCT, SERIAL, UUID, VERSION};
    format!(
        "{MAC}=${{netX/mac:hexhyp}}&{PLATFORM}=${{platform}}&{ARCH}=${{buildarch}}&{UUID}=${{uuid}}\
         &{PRODUCT}=${{product:uristring}}&{SERIAL}=${{serial:uristring}}&{VERSION}=${{version:uristring}}"
    )
}

/// Asks for the menu, with all that it takes to know who asks.
fn ask(place: &Place) -> String {
    use query::{MEMORY, MODULES};
    let (base, who, modules) = (&place.base, who_asks(), module_sizes());
    format!("chain --replace {base}/{MENU}?{who}&{MEMORY}=${{memsize}}&{MODULES}={modules}")
}

fn fetch_menu(place: &Place) -> String {
    format!(
        "echo Bootwright: fetching the menu\n\
         {ask} || goto failed\n\
         :failed\n\
         echo Bootwright: the menu cannot be read from {base}\n\
         echo Is the laptop still serving?\n\
         sleep 10\n\
         exit 1\n",
        ask = ask(place),
        base = place.base,
    )
}

/// What stands instead of the menu. It asks again by the same way, so that whatever comes takes its place.
pub fn page(page: Page, place: &Place) -> String {
    let mut script = String::from("#!ipxe\n");
    page.lines(place).iter().for_each(|text| line(&mut script, &format!("echo {text}")));
    if page == Page::Refused {
        line(&mut script, &format!("sleep {AGAIN} ||"));
        let asker = Asker::ANYBODY;
        let menu = leaving(&own_disk(), asker, place, (&|_| None, &|_| None), Leave::Refused);
        script.push_str(menu.trim_start_matches("#!ipxe\n"));
        return script;
    }
    line(&mut script, "echo Ctrl-C starts its own disk.");
    line(&mut script, &format!("sleep {AGAIN} || goto local"));
    // A server that is busy for a moment is asked again; one that is gone for good leaves the computer to its disk.
    for pause in [AGAIN, 10] {
        line(&mut script, &format!("{} ||", ask(place)));
        line(&mut script, &format!("sleep {pause} || goto local"));
    }
    line(&mut script, &format!("{} || goto local", ask(place)));
    local(&mut script, place, Leave::Chosen);
    script
}

/// Finds the address of an entry's answer file for the computer that asks; none where it has none.
pub type Answer<'a> = &'a dyn Fn(&Item) -> Option<String>;

/// Finds the URL of the shim that a Linux entry's kernel is started through where Secure Boot is on; none where it has
/// none, or the iPXE that asks does not have the command for it ([`Version::has_shim`]).
///
/// [`Version::has_shim`]: crate::boot::loader::version::Version::has_shim
pub type Shim<'a> = &'a dyn Fn(&Item) -> Option<String>;

/// The menu for one computer.
pub fn menu(menu: &Menu, asker: Asker, place: &Place, answer: Answer, shim: Shim) -> String {
    leaving(menu, asker, place, (answer, shim), Leave::of(menu, asker))
}

fn leaving(menu: &Menu, asker: Asker, place: &Place, (answer, shim): (Answer, Shim), leave: Leave) -> String {
    // Asked once for each entry: every question makes an address.
    let answers: BTreeMap<&str, String> =
        menu.fitting(asker).into_iter().filter_map(|item| Some((item.id.as_str(), answer(item)?))).collect();
    let title = |item: &Item| title(item, answers.contains_key(item.id.as_str()));
    let chosen = menu.chosen(asker);
    let chosen_label = chosen.map_or("local", |item| item.id.as_str());
    let mut script = String::from("#!ipxe\n");
    if menu.timeout == 0 {
        line(&mut script, &format!("goto {chosen_label}"));
    }
    line(&mut script, ":menu");
    line(&mut script, &format!("menu {HEADING}"));
    let top = menu.top(asker);
    for shown in &top {
        match shown {
            Line::Local => line(&mut script, &format!("item local {OWN_DISK}")),
            Line::Item(item) => line(&mut script, &format!("item {} {}", item.id, title(item))),
            Line::Group(group) => line(&mut script, &format!("item {} {} ...", label(group), text(&group.title()))),
        }
    }
    // With a time-out of 0 the menu is only reached after a failure; then it waits for a person.
    let timeout = u64::from(menu.timeout) * 1000;
    let timeout = if timeout == 0 { String::new() } else { format!("--timeout {timeout} ") };
    line(&mut script, &format!("choose {timeout}--default {chosen_label} selected || goto local"));
    script.push_str("goto ${selected}\n");
    for group in top.iter().filter_map(|line| if let Line::Group(group) = line { Some(group) } else { None }) {
        submenu(&mut script, group, &title);
    }
    for item in menu.fitting(asker) {
        line(&mut script, &format!(":{}", item.id));
        line(&mut script, &format!("echo Bootwright: {}", title(item)));
        // Whatever an earlier attempt left in memory.
        line(&mut script, "imgfree");
        if item.guard.asks() {
            asked_first(&mut script, item, place);
        } else {
            let answer = answers.get(item.id.as_str()).map(String::as_str);
            let shim = shim(item).filter(|_| asker.firmware == Some(Firmware::Uefi));
            start(&mut script, item, (menu, asker), place, (answer, shim.as_deref()));
        }
        // A UEFI program may end well, as a shell does at `exit`: the next entry is not to start then.
        line(&mut script, "goto menu");
    }
    script.push_str(FAILED);
    local(&mut script, place, leave);
    script
}

fn label(group: &Group) -> String {
    format!("{RESERVED_START}{}", group.category as u8)
}

fn submenu(script: &mut String, group: &Group, title: &dyn Fn(&Item) -> String) {
    line(script, &format!(":{}", label(group)));
    line(script, &format!("menu {HEADING}"));
    line(script, "item menu Back");
    for item in &group.items {
        line(script, &format!("item {} {}", item.id, title(item)));
    }
    // The first entry rather than "Back"; Escape goes back as well.
    let first = group.items.first().map_or("menu", |item| item.id.as_str());
    line(script, &format!("choose --default {first} selected || goto menu"));
    script.push_str("goto ${selected}\n");
}

/// An entry that did not start.
const FAILED: &str = "\
:failed
echo Bootwright: this entry could not be started. Back to the menu in 10 seconds.
sleep 10
goto menu
";

/// The computer's own disk. UEFI goes on with its next boot option if this one failed; after a success many show their
/// own menu (UEFI 2.10 section 3.1.1). A BIOS is handed its first disk directly, since some
/// hang when a network loader returns to them; where that disk cannot boot, the BIOS tries its next device.
const LOCAL: &str = "\
iseq ${platform} efi && goto next ||
sanboot --no-describe --drive 0x80 ||
exit 0
:next
exit 1
";
/// How long the server may take to hear that a computer starts its own disk, in milliseconds.
const TELLS: u32 = 1000;

/// Tells the server how it comes to its own disk, and goes there whatever comes of that.
fn local(script: &mut String, place: &Place, leave: Leave) {
    let url = format!("{}/{}", place.base, leave.path());
    line(script, ":local");
    line(script, "echo Bootwright: starting this computer's own disk");
    line(script, &format!("imgfetch --timeout {TELLS} --name own-disk {url} ||"));
    line(script, "imgfree");
    script.push_str(LOCAL);
}

/// Lets the server start an entry that is not everybody's, or not twice. A password goes where iPXE shows it to nobody and
/// sends it when it is asked for (RFC 7617); its user name counts for nothing, and is there since `login` asks for one.
fn asked_first(script: &mut String, item: &Item, place: &Place) {
    let mut base = place.base.clone();
    if item.guard.password.is_some() {
        line(script, "clear password ||");
        line(script, &format!("set username {ANYBODY}"));
        line(script, "login || goto menu");
        let host = base.strip_prefix("http://").unwrap_or(&base);
        base = format!("http://{ANYBODY}:${{password:uristring}}@{host}");
    }
    line(script, &format!("chain {base}/{}/{}?{} || goto failed", made::START, item.id, who_asks()));
}

/// The user name of everybody who knows a password.
const ANYBODY: &str = "anybody";
/// Whatever was typed is of no more use, and not for what starts next.
const FORGET: &str = "#!ipxe\nclear password ||\n";

/// The entry of a path that starts one.
pub fn start_of(path: &str) -> Option<&str> {
    path.strip_prefix(made::START)?.strip_prefix('/').filter(|entry| !entry.contains('/'))
}

/// The script that starts one entry of a menu, once the server lets it.
pub fn started(menu: &Menu, item: &Item, asker: Asker, place: &Place, (answer, shim): (Answer, Shim)) -> String {
    let mut script = FORGET.to_owned();
    let shim = shim(item).filter(|_| asker.firmware == Some(Firmware::Uefi));
    start(&mut script, item, (menu, asker), place, (answer(item).as_deref(), shim.as_deref()));
    script.push_str("exit 0\n:failed\nexit 1\n");
    script
}

/// The script for whoever may not start it: back to the menu.
pub fn refused(sentence: &str) -> String {
    format!("{FORGET}echo Bootwright: {}\nsleep 4\nexit 0\n", words(sentence))
}

fn start(
    script: &mut String,
    item: &Item,
    (menu, asker): (&Menu, Asker),
    place: &Place,
    (answer, shim): (Option<&str>, Option<&str>),
) {
    let arguments = words(&arguments(item, place, &menu.append, &OWN, answer));
    let modules = match item.entry.boot {
        Boot::Multiboot => modules(item, place, &menu.append, &OWN, answer),
        _ => Vec::new(),
    };
    let length = longest(item, &arguments, &modules);
    match item.entry.boot {
        Boot::Linux | Boot::EfiProgram | Boot::Multiboot if length > MAX_ARGUMENTS => {
            line(script, &format!("echo Bootwright: {}", too_long(length)));
            line(script, "goto failed");
        }
        Boot::Linux => linux(script, item, place, &arguments, shim),
        Boot::EfiProgram => chain(script, item, place, &arguments),
        Boot::Multiboot if asker.firmware == Some(Firmware::Uefi) => grub(script, item, place, answer),
        Boot::Multiboot => multiboot(script, item, place, &arguments, &modules),
        Boot::Wimboot => wimboot(script, item, place, answer),
        // Its loader takes the address of its settings, and reads all else beside them.
        Boot::Esxi => chain(script, item, place, &format!("-c {}", place.esxi(item, answer))),
        Boot::Memdisk => memdisk(script, item, place),
        Boot::Sanboot | Boot::HttpDisc => {
            line(script, &format!("sanboot --no-describe {} || goto failed", place.disc(item)));
        }
    }
}

/// How long a command line may become, in bytes, once iPXE has filled in what it knows.
fn longest(item: &Item, arguments: &str, modules: &[(&str, String)]) -> usize {
    // No address is longer; a hardware address is no longer than what stands for it.
    let addresses = [OWN.ip, OWN.gateway, OWN.netmask];
    let filled = |line: &str| addresses.iter().fold(line.to_owned(), |line, own| line.replace(own, "255.255.255.255"));
    let names = if item.entry.boot == Boot::Linux { initrd_names(item).len() } else { 0 };
    let modules = modules.iter().map(|(_, line)| filled(line).len());
    modules.chain([names + filled(arguments).len()]).max().unwrap_or_default()
}

/// On UEFI iPXE finds initrds only by the names that the kernel's arguments give.
fn initrd_names(item: &Item) -> String {
    let padding = usize::from(!item.entry.inject.is_empty());
    let count = item.entry.initrd.len() + padding + item.entry.inject.len();
    (0..count).map(|number| format!("initrd=initrd{number} ")).collect()
}

fn linux(script: &mut String, item: &Item, place: &Place, arguments: &str, shim: Option<&str>) {
    let Some(kernel) = &item.entry.kernel else { return };
    let initrds = item.entry.initrd.iter().map(|path| format!("{}{}", place.tree(item), url_path(path)));
    // The archives are made here: iPXE of 2019 makes none on UEFI.
    let injected = (0..item.entry.inject.len()).map(|number| place.injected(item, number));
    let padding = (!item.entry.inject.is_empty()).then(|| place.padding(item));
    let all: Vec<String> = initrds.chain(padding).chain(injected).collect();
    let names = initrd_names(item);
    let kernel = format!("{}{}", place.tree(item), url_path(kernel));
    line(script, &format!("kernel --name kernel {kernel} {names}{arguments} || goto failed"));
    for (number, url) in all.iter().enumerate() {
        line(script, &format!("initrd --name initrd{number} {url} || goto failed"));
    }
    // Skipped by iPXE itself where Secure Boot is off, or the firmware takes the kernel as it is. Where it cannot be had,
    // `boot` says what comes of that.
    if let Some(shim) = shim {
        line(script, &format!("shim {shim} ||"));
    }
    line(script, "boot || goto failed");
}

fn chain(script: &mut String, item: &Item, place: &Place, arguments: &str) {
    let Some(program) = &item.entry.kernel else { return };
    let program = format!("{}{} {arguments}", place.tree(item), url_path(program));
    line(script, &format!("chain {} || goto failed", program.trim_end()));
}

/// A hypervisor comes unpacked from here, since iPXE of 2019 unpacks nothing. iPXE has Multiboot for a BIOS only.
fn multiboot(script: &mut String, item: &Item, place: &Place, arguments: &str, modules: &[(&str, String)]) {
    let Some(kernel) = &item.entry.kernel else { return };
    line(script, "iseq ${platform} efi && goto failed ||");
    let kernel = place.unpacked(item, &url_path(kernel));
    line(script, &format!("kernel --name kernel {kernel} {arguments} || goto failed"));
    for (path, arguments) in modules {
        let module = format!("module {}{} {}", place.tree(item), url_path(path), words(arguments));
        line(script, &format!("{} || goto failed", module.trim_end()));
    }
    line(script, "boot || goto failed");
}

/// UEFI has Multiboot in GRUB alone. GRUB takes its address and the name of its script from what iPXE says its DHCP
/// server said, where the root path (option 17) is of no other use here: a boot file name would be cut off after 127
/// characters (RFC 2131 section 2).
fn grub(script: &mut String, item: &Item, place: &Place, answer: Option<&str>) {
    line(script, &format!("set netX/root-path {}", place.grub(item, answer, &OWN)));
    line(script, &format!("chain {}/{} ||", place.base, Loader::GrubHttpX64.file()));
    // GRUB gives up as if all were well.
    line(script, "goto failed");
}

/// It takes its files by their names, and everything but `boot.wim` out of that where it is not given.
fn wimboot(script: &mut String, item: &Item, place: &Place, answer: Option<&str>) {
    line(script, &format!("kernel --name wimboot {}/{} gui || goto failed", place.base, Loader::Wimboot.file()));
    // Both end up in \Windows\System32, where Setup does not look by itself; winpeshl.ini names the file to it.
    if let Some(answer) = answer {
        let shell = format!("{}/{WINPE_SHELL}", place.base);
        line(script, &format!("initrd --name winpeshl.ini {shell} winpeshl.ini || goto failed"));
        line(script, &format!("initrd --name autounattend.xml {answer} autounattend.xml || goto failed"));
    }
    for path in &item.entry.initrd {
        let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
        let name = name.replace(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_' | '-'), "_");
        line(script, &format!("initrd --name {name} {}{} {name} || goto failed", place.tree(item), url_path(path)));
    }
    line(script, "boot || goto failed");
}

/// `iso` for a disc that has no partition table in front, `raw` since other ways of copying fail on some BIOSes
/// (SYSLINUX wiki, "MEMDISK").
fn memdisk(script: &mut String, item: &Item, place: &Place) {
    line(script, &format!("kernel --name memdisk {}/{} iso raw || goto failed", place.base, Loader::Memdisk.file()));
    line(script, &format!("initrd {} || goto failed", place.disc(item)));
    line(script, "boot || goto failed");
}

fn line(script: &mut String, text: &str) {
    script.push_str(text.trim_end());
    script.push('\n');
}

/// A title as iPXE may show it: printable ASCII, nothing that expands, no word that iPXE takes for an operator.
pub fn text(title: &str) -> String {
    let ascii = title.chars().filter(|c| *c != '$').map(|c| if matches!(c, ' '..='~') { c } else { '?' });
    let short: String = words(&ascii.collect::<String>()).chars().take(64).collect();
    // The cut may have made an operator of a longer word.
    words(&short)
}

/// What iPXE replaces by what the computer itself knows. `netX` is the card that it used last.
const OWN: Own<'static> =
    Own { mac_dashes: "${netX/mac:hexhyp}", ip: "${netX/ip}", gateway: "${netX/gateway}", netmask: "${netX/netmask}" };

/// Words of a command without those that would end it, and without anything that expands except [`OWN`].
fn words(line: &str) -> String {
    // What is taken out of a word may leave an operator (`|$|`), so it is looked at after that.
    let harmless = |word: &String| !matches!(word.as_str(), "" | "||" | "&&") && !word.starts_with('#');
    line.split_whitespace().map(inert).filter(harmless).collect::<Vec<_>>().join(" ")
}

fn inert(word: &str) -> String {
    const OURS: [&str; 4] = [OWN.mac_dashes, OWN.ip, OWN.gateway, OWN.netmask];
    let mut out = String::new();
    let mut rest = word;
    while let Some((before, behind)) = rest.split_once('$') {
        out.push_str(before);
        let ours = OURS.iter().find_map(|own| own.strip_prefix('$').filter(|own| behind.starts_with(own)));
        if let Some(own) = ours {
            out.push('$');
            out.push_str(own);
        }
        rest = ours.and_then(|own| behind.strip_prefix(own)).unwrap_or(behind);
    }
    out.push_str(rest);
    out.retain(|c| !c.is_control());
    out
}

/// A path inside an image as part of a URL: all but unreserved characters is percent-encoded (RFC 3986 section 2.3), so
/// that no name can expand, end a word or start a query.
pub fn url_path(path: &str) -> String {
    path.bytes().fold(String::new(), |mut url, byte| {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => url.push(char::from(byte)),
            other => url.push_str(&format!("%{other:02X}")),
        }
        url
    })
}

/// Why a text cannot be added to kernel arguments in a script; `None` if it can.
pub fn objection(append: &str) -> Option<&'static str> {
    match () {
        () if append.contains("${") => Some("iPXE would replace ${…} in it"),
        () if append.split_whitespace().any(|word| matches!(word, "||" | "&&")) => {
            Some("iPXE takes || and && for the end of the command")
        }
        () if append.split_whitespace().any(|word| word.starts_with('#')) => {
            Some("iPXE takes a word that begins with # for a comment")
        }
        () if append.chars().any(char::is_control) => Some("it has control characters"),
        () => None,
    }
}

/// The firmware that iPXE's `${platform}` names.
pub fn firmware(platform: Option<&str>) -> Option<Firmware> {
    match platform? {
        "pcbios" => Some(Firmware::Bios),
        "efi" => Some(Firmware::Uefi),
        _ => None,
    }
}

/// The processor that iPXE's `${buildarch}` names.
pub fn processor(arch: Option<&str>) -> Option<Processor> {
    match arch? {
        "i386" => Some(Processor::I386),
        "x86_64" => Some(Processor::X86_64),
        "arm64" => Some(Processor::Arm64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::menu::{Default, Guard};
    use crate::image::{AnswerKind, Answering, Category, Entry, Injection, Transport};
    use std::net::Ipv4Addr;

    fn place() -> Place {
        Place { base: "http://10.77.0.1".into(), server: Ipv4Addr::new(10, 77, 0, 1) }
    }

    fn item(id: &str, title: &str, firmware: &[Firmware]) -> Item {
        Item {
            id: id.into(),
            image: format!("img-{id}"),
            category: Category::Live,
            entry: Entry {
                id: id.into(),
                title: title.into(),
                boot: Boot::default(),
                kernel: Some("/live/vmlinuz-6.1".into()),
                module_arguments: Vec::new(),
                answering: None,
                initrd: vec!["/live/initrd 1.img".into()],
                inject: vec![],
                cmdline: "boot=live fetch={base_url}/live/filesystem.squashfs BOOTIF=01-{mac_dashes}".into(),
                transport: Transport::HttpTree,
                firmware: firmware.to_vec(),
                arch: "x86_64".into(),
                min_ram_mb: None,
                signed: None,
            },
            append: String::new(),
            guard: Guard::default(),
        }
    }

    fn both() -> Menu {
        use Firmware::{Bios, Uefi};
        let items = vec![item("debian", "Debian Live 12", &[Bios, Uefi]), item("rescue", "GRUB rescue", &[Bios])];
        Menu { items, default: Default::Local, timeout: 30, append: "console=ttyS0".into() }
    }

    const BIOS: Asker = Asker { firmware: Some(Firmware::Bios), arch: None };
    const UEFI: Asker = Asker { firmware: Some(Firmware::Uefi), arch: None };

    #[test]
    fn the_menu_is_as_its_golden_file() {
        let mut menu = both();
        menu.items[1].entry.boot = Boot::Sanboot;
        assert_eq!(
            super::menu(&menu, BIOS, &place(), &|_| None, &|_| None),
            include_str!("../../../tests/golden/menu-bios.ipxe")
        );
        assert_eq!(first(&place()), include_str!("../../../tests/golden/boot.ipxe"));
        assert_eq!(autoexec(&place()), include_str!("../../../tests/golden/autoexec.ipxe"));
    }

    #[test]
    fn only_linux_on_uefi_goes_through_a_shim() {
        let mut menu = both();
        menu.items[1].entry.firmware.push(Firmware::Uefi);
        menu.items[1].entry.boot = Boot::EfiProgram;
        let url = "http://10.77.0.1/image/img-debian/EFI/BOOT/BOOTX64.EFI";
        let script = |asker| super::menu(&menu, asker, &place(), &|_| None, &|_| Some(url.to_owned()));
        let shims = |asker| script(asker).lines().filter(|line| line.starts_with("shim")).count();
        assert_eq!(shims(UEFI), 1);
        assert_eq!((shims(BIOS), shims(Asker { firmware: None, arch: None })), (0, 0));
        let both = script(UEFI);
        let lines: Vec<&str> = both.lines().skip_while(|line| !line.starts_with("initrd")).take(3).collect();
        assert_eq!(lines[1..], [format!("shim {url} ||"), "boot || goto failed".to_owned()], "{both}");
        let without = super::menu(&menu, UEFI, &place(), &|_| None, &|_| None);
        assert_eq!(without, both.replace(&format!("shim {url} ||\n"), ""));
    }

    #[test]
    fn the_default_is_what_was_asked_for_on_each_firmware() {
        let chosen = |default: Default, asker| {
            let menu = Menu { default, ..both() };
            menu.chosen(asker).map(|item| item.id.clone())
        };
        assert_eq!(chosen(Default::Local, BIOS), None);
        assert_eq!(chosen(Default::Position(2), BIOS).as_deref(), Some("rescue"));
        assert_eq!(chosen(Default::Position(2), UEFI), None, "not in its menu");
        assert_eq!(chosen(Default::Position(0), BIOS), None);
        assert_eq!(chosen(Default::Entry("debian".into()), UEFI).as_deref(), Some("debian"));
        assert_eq!(chosen(Default::Entry("rescue".into()), UEFI), None);
        assert_eq!(chosen(Default::Entry("none".into()), UEFI), None);
    }

    #[test]
    fn memory_is_the_sum_of_its_modules() {
        let cases = [
            ("2800", Some(40)),
            ("00100010", Some(8192)),
            ("00080000", Some(2048)),
            ("0084", Some(1)),
            ("", None),
            ("0000", None),
            ("ff7f", None),
            ("ffff0010", None),
            ("12", None),
            ("00é0", None),
            ("zzzz", None),
        ];
        for (modules, expected) in cases {
            assert_eq!(memory(modules), expected, "{modules}");
        }
    }

    #[test]
    fn a_time_out_of_zero_starts_at_once() {
        let menu = Menu { timeout: 0, default: Default::Position(1), ..both() };
        let script = super::menu(&menu, UEFI, &place(), &|_| None, &|_| None);
        assert!(script.starts_with("#!ipxe\ngoto debian\n"), "{script}");
        assert!(!script.contains("choose --timeout"), "{script}");
    }

    #[test]
    fn arguments_of_one_entry_stand_after_those_of_each() {
        let mut menu = both();
        menu.items[0].append = " toram ".into();
        let script = super::menu(&menu, BIOS, &place(), &|_| None, &|_| None);
        let kernels: Vec<&str> = script.lines().filter(|line| line.starts_with("kernel")).collect();
        assert!(kernels[0].ends_with(" console=ttyS0 toram || goto failed"), "{script}");
        assert!(kernels[1].ends_with(" console=ttyS0 || goto failed"), "{script}");
    }

    #[test]
    fn hostile_text_becomes_no_command() {
        let hostile = "Evil\nchain http://x || shell && # ${uuid} \u{202e}$${x}";
        let mut menu = both();
        menu.items.truncate(1);
        menu.items[0].entry.title = hostile.into();
        menu.items[0].entry.cmdline = hostile.into();
        menu.items[0].append = hostile.into();
        menu.items[0].entry.kernel = Some("/a b\n${x}/k?#".into());
        menu.items[0].entry.inject =
            vec![Injection { from: "/${f}".into(), to: "/t\nshell".into(), mode: "7 ||".into() }];
        let script = super::menu(&menu, UEFI, &place(), &|_| None, &|_| None);
        for line in script.lines() {
            assert!(!line.trim_start().starts_with("chain") && !line.trim_start().starts_with("shell"), "{line}");
            let ours = line.replace("${selected}", "").replace("${platform}", "");
            assert!(!ours.contains("${"), "{line}");
            assert!(!ours.contains(" # "), "{line}");
            assert!(!ours.contains("|| shell"), "{line}");
        }
        assert!(script.contains("/a%20b%0A%24%7Bx%7D/k%3F%23"), "{script}");
    }

    #[test]
    fn a_hypervisor_is_started_by_ipxe_on_a_bios_and_by_grub_on_uefi() {
        let mut menu = both();
        menu.items.truncate(1);
        let entry = &mut menu.items[0].entry;
        (entry.boot, entry.kernel) = (Boot::Multiboot, Some("/boot/xen.gz".into()));
        (entry.cmdline, entry.initrd) = ("console=com1".into(), vec!["/linux".into(), "/install.img".into()]);
        entry.module_arguments = vec!["console=hvc0".into()];
        entry.answering = Some(Answering { kind: AnswerKind::Other, arguments: "answerfile={answer_url}".into() });
        let url = "http://10.77.0.1/answer/0123456789abcdef0123456789abcdef/answer";
        let answer = |_: &Item| Some(url.to_owned());
        let script = super::menu(&menu, BIOS, &place(), &answer, &|_| None);
        let lines = [
            "kernel --name kernel http://10.77.0.1/unpacked/img-debian/boot/xen.gz console=com1 || goto failed"
                .to_owned(),
            format!(
                "module http://10.77.0.1/image/img-debian/linux console=hvc0 answerfile={url} console=ttyS0 || goto failed"
            ),
            "module http://10.77.0.1/image/img-debian/install.img || goto failed".to_owned(),
        ];
        assert!(script.contains(&lines.join("\n")), "{script}");
        let script = super::menu(&menu, UEFI, &place(), &answer, &|_| None);
        let lines = "set netX/root-path (http,10.77.0.1)/grub/debian/0123456789abcdef0123456789abcdef/\
                     ${netX/mac:hexhyp}_${netX/ip}_${netX/gateway}_${netX/netmask}/boot.cfg\n\
                     chain http://10.77.0.1/grub-http-x64.efi ||\ngoto failed\n";
        assert!(script.contains(lines) && !script.contains("module "), "{script}");
        // Too long for Linux, which is its first module.
        menu.items[0].entry.module_arguments = vec!["x".repeat(MAX_ARGUMENTS)];
        for asker in [BIOS, UEFI] {
            let script = super::menu(&menu, asker, &place(), &answer, &|_| None);
            assert!(
                script.contains("echo Bootwright: its arguments have ") && !script.contains("chain http"),
                "{script}"
            );
        }
    }

    #[test]
    fn arguments_that_ipxe_would_misread_are_refused() {
        assert_eq!(objection("console=ttyS0,115200 quiet"), None);
        for bad in ["a ${b}", "a || b", "a && b", "a #b", "a\nb"] {
            assert!(objection(bad).is_some(), "{bad}");
        }
    }
}
