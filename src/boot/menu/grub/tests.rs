//! Tests of whole menus for GRUB: golden files, hostile images, what starts by itself, what cannot start.

use std::net::Ipv4Addr;

use super::*;
use crate::boot::menu::scripts::{HOSTILE, item, long, menu as of, place};
use crate::boot::menu::{Default, Item, MAX_ARGUMENTS, MAX_FLAT, Menu, Page, Processor};
use crate::boot::secure::Chain;
use crate::image::{AnswerKind, Answering, Boot, Category, Firmware, Injection};

fn asking(cpu: Processor) -> Asking {
    Asking { cpu, mac: "52:54:00:77:01:01".parse().ok(), lockdown: false }
}

fn client(reach: Reach) -> Client<'static> {
    let (ip, netmask) = (Ipv4Addr::new(10, 77, 0, 129), Ipv4Addr::new(255, 255, 255, 0));
    Client { asking: asking(Processor::X86_64), reach, ip, netmask, secure: None }
}

fn script(menu: &Menu, client: &Client) -> String {
    super::menu(menu, client, &place(), &|_| None)
}

fn is_golden(script: &str, name: &str) {
    let file = format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("BOOTWRIGHT_GOLDEN").is_some() {
        std::fs::write(&file, script).expect("written");
    }
    assert_eq!(script, std::fs::read_to_string(&file).unwrap_or_default(), "{name}");
}

/// The part of an entry of the first page.
fn entry<'a>(script: &'a str, id: &str) -> &'a str {
    let start = script.find(&format!(" --id '{id}' {{\n")).unwrap_or_else(|| panic!("no {id} in {script}"));
    let rest = &script[start..];
    &rest[..rest.find("\n}\n").expect("an end")]
}

fn default_of(script: &str) -> usize {
    let line = script.lines().find_map(|line| line.strip_prefix("set default=")).expect("a default");
    line.parse().expect("a position")
}

/// The entries of the first page in their order.
fn first_page(script: &str) -> Vec<&str> {
    let ids = script.lines().filter(|line| line.starts_with("menuentry ") || line.starts_with("submenu "));
    ids.filter_map(|line| line.rsplit(" --id '").next()?.strip_suffix("' {")).collect()
}

#[test]
fn menus_are_as_their_golden_files() {
    let mut short = of(vec![
        item("debian", Category::Live, Boot::Linux),
        item("shell", Category::Tool, Boot::EfiProgram),
        item("disc", Category::Other, Boot::Sanboot),
    ]);
    short.append = "console=ttyS0".into();
    short.items[0].entry.title = "Debian's live system".into();
    short.items[0].entry.initrd = vec!["/live/initrd 1.img".into(), "/live/micro#code".into()];
    short.items[0].entry.cmdline = "ip={client_ip}::{gw}:{mask} BOOTIF=01-{mac_dashes} fetch={base_url}/x".into();
    short.items[0].entry.inject = vec![Injection { from: "/a b".into(), to: "/b".into(), mode: "644".into() }];
    short.default = Default::Entry("debian".into());
    is_golden(&script(&short, &client(Reach::Tftp)), "menu-tftp.cfg");
    is_golden(&script(&short, &client(Reach::Http)), "menu-http.cfg");
    let chain = |item: &Item| match item.id.as_str() {
        "debian" => Chain::OwnShim { shim: "/EFI/BOOT/BOOTX64.EFI".into(), loader: String::new() },
        _ => Chain::Nothing("its kernel isn't signed by anybody.".into()),
    };
    let mut secure = Client { secure: Some(&chain), ..client(Reach::Tftp) };
    secure.asking.lockdown = true;
    is_golden(&script(&short, &secure), "menu-secure.cfg");
    is_golden(&script(&long(), &client(Reach::Http)), "menu-long.cfg");
}

#[test]
fn what_cannot_start_says_so_and_is_no_default() {
    use Boot::{EfiProgram, Esxi, HttpDisc, Linux, Memdisk, Multiboot, Sanboot, Wimboot};
    let can = |boot: Boot, client: &Client| {
        let menu = Menu { default: Default::Position(1), ..of(vec![item("x", Category::Other, boot)]) };
        let script = script(&menu, client);
        let loads = entry(&script, "x").contains("\n  if ");
        assert_eq!(default_of(&script), usize::from(loads), "{boot:?}: {script}");
        assert_ne!(loads, entry(&script, "x").contains("echo 'Back to the menu in 10 seconds.'"), "{script}");
        loads
    };
    let direct = |_: &Item| Chain::Direct;
    let nothing = |_: &Item| Chain::Nothing("no.".into());
    let (tftp, http) = (client(Reach::Tftp), client(Reach::Http));
    let trusted = Client { secure: Some(&direct), ..tftp };
    let untrusted = Client { secure: Some(&nothing), ..tftp };
    for (boot, expected) in [
        (Linux, [true, true, true, false]),
        (EfiProgram, [true, true, true, false]),
        (Multiboot, [false, true, false, false]),
        (Wimboot, [false; 4]),
        (Esxi, [false; 4]),
        (Memdisk, [false; 4]),
        (Sanboot, [false; 4]),
        (HttpDisc, [false; 4]),
    ] {
        assert_eq!([&tftp, &http, &trusted, &untrusted].map(|client| can(boot, client)), expected, "{boot:?}");
    }
}

#[test]
fn another_entry_of_the_image_stands_in_for_the_default() {
    let mut items = vec![
        item("other", Category::Live, Boot::Linux),
        item("disc", Category::Live, Boot::Sanboot),
        item("disc-2", Category::Live, Boot::Linux),
    ];
    items[2].image = items[1].image.clone();
    let menu = Menu { default: Default::Entry("disc".into()), timeout: 0, ..of(items) };
    let shown = script(&menu, &client(Reach::Tftp));
    assert_eq!(first_page(&shown)[default_of(&shown)], "disc-2");
    assert!(shown.contains("\n  set timeout=0\n"), "{shown}");
    let mut alone = menu.clone();
    alone.items.truncate(2);
    assert_eq!(default_of(&script(&alone, &client(Reach::Tftp))), 0, "the own disk");
}

#[test]
fn a_long_menu_shows_what_starts_by_itself_first() {
    let shown = script(&long(), &client(Reach::Http));
    let page = first_page(&shown);
    assert_eq!((page[0], page[default_of(&shown)]), ("local", "live-5x"), "{page:?}");
    assert!(page.len() < MAX_FLAT && page.len() > 4, "{page:?}");
    assert!(shown.contains("submenu 'Install a system (12) ...' --id "), "{shown}");
}

#[test]
fn an_unattended_installation_is_marked() {
    let menu = of(vec![item("debian", Category::Installer, Boot::Linux), item("arch", Category::Live, Boot::Linux)]);
    let answer = |item: &Item| (item.id == "debian").then(|| "http://10.77.0.1/answer/0/preseed.cfg".to_owned());
    let script = super::menu(&menu, &client(Reach::Tftp), &place(), &answer);
    assert_eq!(script.matches("(unattended)' --id 'debian' {").count(), 1, "{script}");
    assert_eq!(script.matches("(unattended)").count(), 2, "{script}");
}

#[test]
fn arguments_that_linux_would_cut_are_refused() {
    let refused = |change: &dyn Fn(&mut Item)| {
        let mut item = item("long", Category::Live, Boot::Linux);
        change(&mut item);
        let script = script(&of(vec![item]), &client(Reach::Tftp));
        let refused = entry(&script, "long").contains("characters; Linux takes 2047");
        assert_ne!(refused, script.contains("if linux "), "{script}");
        refused
    };
    let image = "BOOT_IMAGE=(tftp,10.77.0.1)/image/image-long/boot/vmlinuz ";
    let fits = MAX_ARGUMENTS - image.len();
    assert!(!refused(&|item| item.entry.cmdline = "x".repeat(fits)));
    assert!(refused(&|item| item.entry.cmdline = "x".repeat(fits + 1)));
    // GRUB puts a backslash before each quote, and a path with a space between two.
    assert!(!refused(&|item| item.entry.cmdline = format!("'{}", "x".repeat(fits - 2))));
    assert!(refused(&|item| item.entry.cmdline = format!("'{}", "x".repeat(fits - 1))));
    assert!(!refused(&|item| {
        item.entry.kernel = Some("/boot/vm inuz".into());
        item.entry.cmdline = "x".repeat(fits - 2);
    }));
    assert!(refused(&|item| {
        item.entry.kernel = Some("/boot/vm inuz".into());
        item.entry.cmdline = "x".repeat(fits - 1);
    }));
    let address = "10.77.0.129".len() + 1;
    assert!(!refused(&|item| item.entry.cmdline = format!("{} {{client_ip}}", "x".repeat(fits - address))));
    assert!(refused(&|item| item.entry.cmdline = format!("{} {{client_ip}}", "x".repeat(fits + 1 - address))));
}

#[test]
fn only_entries_for_the_asking_firmware_are_shown() {
    use Boot::{EfiProgram, Linux};
    let mut items: Vec<Item> = Vec::new();
    for (id, boot, arch) in [
        ("linux-32", Linux, "i386"),
        ("linux-64", Linux, "x86_64"),
        ("linux-arm", Linux, "aarch64"),
        ("program-32", EfiProgram, "i386"),
        ("program-64", EfiProgram, "x86_64"),
        ("bios", Linux, "x86_64"),
    ] {
        let mut item = item(id, Category::Live, boot);
        item.entry.arch = arch.into();
        items.push(item);
    }
    items[5].entry.firmware = vec![Firmware::Bios];
    let menu = of(items);
    let cases: [(Processor, &[&str]); 3] = [
        (Processor::I386, &["local", "linux-32", "linux-64", "program-32"]),
        (Processor::X86_64, &["local", "linux-64", "program-64"]),
        (Processor::Arm64, &["local", "linux-arm"]),
    ];
    for (cpu, expected) in cases {
        let script = script(&menu, &Client { asking: asking(cpu), ..client(Reach::Http) });
        assert_eq!(first_page(&script), expected, "{cpu:?}");
    }
}

/// Reads a script as GRUB does, as far as quotes go: `None` where one is open at the end of a line. What is left is what
/// stands outside of quotes.
fn outside_of_quotes(line: &str) -> Option<String> {
    let mut outside = String::new();
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => {
                letters.by_ref().find(|letter| *letter == '\'')?;
                outside.push('_');
            }
            '\\' => drop(letters.next()),
            letter => outside.push(letter),
        }
    }
    Some(outside)
}

/// Every line has the form that we gave it, whatever is in its quotes.
fn is_tame(script: &str, case: &str) {
    let depth = |line: &str| line.len() - line.trim_start().len();
    for line in script.lines() {
        let shape = outside_of_quotes(line).unwrap_or_else(|| panic!("{case}: {line}"));
        assert!(!line.chars().any(char::is_control), "{case}: {line}");
        let word = shape.trim_start().split(' ').next().unwrap_or_default();
        let known = [
            "set",
            "if",
            "fi",
            "else",
            "for",
            "while",
            "do",
            "done",
            "menuentry",
            "submenu",
            "}",
            "echo",
            "sleep",
            "export",
            "configfile",
            "regexp",
            "boot",
            "exit",
        ];
        assert!(known.contains(&word), "{case}: {line}");
        let own = ["$bootwright_again", "$loader", "$root"];
        let rest = own.iter().fold(shape.clone(), |line, own| line.replace(own, ""));
        assert!(!rest.contains(['$', '`', '#', '|', '&', '<', '>']), "{case}: {line}");
        let ends = rest.matches(';').count();
        assert!(ends <= 1 && (ends == 0 || rest.contains("; then") || rest.contains("; do")), "{case}: {line}");
        assert_eq!(depth(line) % 2, 0, "{case}: {line}");
    }
    for (open, closed) in [("if ", "fi"), ("for ", "done"), ("menuentry ", "}")] {
        let count = |word: &str| script.lines().filter(|line| line.trim_start().starts_with(word)).count();
        assert!(count(open) <= count(closed), "{case}: {open}");
    }
}

#[test]
fn hostile_text_becomes_no_command_in_any_kind_of_entry() {
    use Boot::{EfiProgram, Esxi, HttpDisc, Linux, Memdisk, Multiboot, Sanboot, Wimboot};
    const OF_GRUB: [&str; 9] = [
        "a'; reboot; '",
        "a\\'; reboot",
        "--unrestricted",
        "-- {",
        "} menuentry x {",
        "\u{1}ip\u{1}'; reboot",
        "$prefix `x` \"$(x)\"",
        "a\u{2028}reboot\u{85}",
        "'",
    ];
    let own_shim = |_: &Item| Chain::OwnShim { shim: "/'; reboot\n".into(), loader: "/'; reboot\n".into() };
    let nothing = |item: &Item| Chain::Nothing(item.entry.title.clone());
    let mut clients = vec![client(Reach::Tftp), client(Reach::Http)];
    clients.push(Client { secure: Some(&own_shim), ..client(Reach::Tftp) });
    clients.push(Client { secure: Some(&nothing), ..client(Reach::Tftp) });
    for hostile in HOSTILE.into_iter().chain(OF_GRUB) {
        for boot in [Linux, EfiProgram, Multiboot, Wimboot, Esxi, Memdisk, Sanboot, HttpDisc] {
            let mut item = item("evil", Category::Live, boot);
            item.append = hostile.into();
            item.entry.title = hostile.into();
            item.entry.cmdline = format!("{hostile} {{client_ip}}");
            item.entry.kernel = Some(format!("/{hostile}"));
            item.entry.initrd = vec![format!("/x/{hostile}"), "/x/' y".into()];
            item.entry.module_arguments = vec![hostile.into(), hostile.into()];
            item.entry.inject = vec![Injection { from: hostile.into(), to: hostile.into(), mode: hostile.into() }];
            item.entry.answering =
                Some(Answering { kind: AnswerKind::Preseed, arguments: format!("{hostile} url={{answer_url}}") });
            let many = (0..=MAX_FLAT).map(|n| Item { id: format!("evil-{n}x"), ..item.clone() }).collect();
            for items in [vec![item.clone()], many] {
                let menu = Menu { append: hostile.into(), ..of(items) };
                for client in &clients {
                    let answer = |_: &Item| Some("http://10.77.0.1/answer/0/preseed.cfg".to_owned());
                    let script = super::menu(&menu, client, &place(), &answer);
                    is_tame(&script, &format!("{hostile:?} in {boot:?}"));
                }
            }
        }
    }
}

#[test]
fn the_address_is_written_where_it_belongs() {
    let slot = "BOOTWRIGHT_SERVER_ADDRESS_AND_PORT_STAND_HERE";
    let mut image = format!("set x={slot}\nbehind").into_bytes();
    write_address(&mut image, &place());
    let expected = format!("set x={:width$}\nbehind", "10.77.0.1:8080", width = slot.len());
    assert_eq!(String::from_utf8_lossy(&image), expected);
    let mut other = slot.as_bytes()[1..].to_vec();
    write_address(&mut other, &place());
    assert_eq!(other, &slot.as_bytes()[1..]);
}

#[test]
fn a_page_waits_in_a_loop_and_then_asks_for_the_menu() {
    let mac = "52:54:00:77:01:01".parse().ok();
    let asking = Asking { cpu: Processor::X86_64, mac, lockdown: true };
    let page = Page::Wait("0421".parse().expect("a code"));
    is_golden(&super::page(page, &place(), asking, Reach::Tftp), "wait.cfg");
    let script = super::page(page, &place(), asking, Reach::Http);
    let again = script.split("source '(http,10.77.0.1:8080)/").nth(1).and_then(|rest| rest.split('\'').next());
    assert_eq!(again.and_then(super::waiting), Some(asking), "{script}");
    assert!(script.ends_with(&format!("source '(http,10.77.0.1:8080)/{}'\n", asking.path())), "{script}");
    assert!(super::goes_on(Some(page), &place()).contains("bootwright approve 0421"));
    for over in [None, Some(Page::Refused)] {
        assert_eq!(super::goes_on(over, &place()), "set bootwright_waits=n\n");
    }
    // It starts the own disk by itself, and nothing else is on it.
    let refused = super::page(Page::Refused, &place(), asking, Reach::Tftp);
    assert_eq!((default_of(&refused), first_page(&refused)), (0, vec!["local"]), "{refused}");
    assert!(refused.contains("set timeout=0\n"), "{refused}");
}
