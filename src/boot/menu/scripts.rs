//! Tests of whole scripts: long menus, hostile images, and what becomes of placeholders.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use super::tests::inspection;
use super::*;
use crate::image::recipe::{Book, RESERVED, RESERVED_START};
use crate::image::{AnswerKind, Answering, Injection, Transport};

const BIOS: Asker = Asker { firmware: Some(Firmware::Bios), arch: None };
const UEFI: Asker = Asker { firmware: Some(Firmware::Uefi), arch: None };

pub(super) fn place() -> Place {
    Place { base: "http://10.77.0.1:8080".into(), server: Ipv4Addr::new(10, 77, 0, 1) }
}

pub(super) fn item(id: &str, category: Category, boot: Boot) -> Item {
    let entry = Entry {
        id: id.into(),
        title: format!("The system {id}"),
        boot,
        kernel: Some("/boot/vmlinuz".into()),
        module_arguments: Vec::new(),
        answering: None,
        initrd: vec!["/boot/initrd".into()],
        inject: Vec::new(),
        cmdline: "fetch={base_url}/root.img".into(),
        transport: Transport::HttpTree,
        firmware: vec![Firmware::Bios, Firmware::Uefi],
        arch: "x86_64".into(),
        min_ram_mb: None,
        signed: None,
    };
    Item {
        id: id.into(),
        image: format!("image-{id}"),
        category,
        entry,
        append: String::new(),
        guard: Guard::default(),
    }
}

pub(super) fn menu(items: Vec<Item>) -> Menu {
    Menu { items, default: Default::Local, timeout: 30, append: String::new() }
}

fn script(menu: &Menu, asker: Asker) -> String {
    ipxe::menu(menu, asker, &place(), &|_| None, &|_| None)
}

/// Labels of a script with how often each stands there, and where its jumps and menus lead.
fn labels(script: &str) -> (BTreeMap<&str, usize>, BTreeSet<&str>) {
    let (mut labels, mut jumps) = (BTreeMap::new(), BTreeSet::new());
    for line in script.lines() {
        if let Some(label) = line.strip_prefix(':') {
            *labels.entry(label).or_default() += 1;
        }
        let words: Vec<&str> = line.split(' ').collect();
        jumps.extend(words.windows(2).filter(|pair| matches!(pair[0], "goto" | "--default")).map(|pair| pair[1]));
        if words[0] == "item" {
            jumps.insert(words[1]);
        }
    }
    jumps.remove("${selected}");
    (labels, jumps)
}

/// Every jump has its label, each label stands there once, and nothing runs into the part of another.
fn leads_to_labels(script: &str, case: &str) {
    for (before, label) in script.lines().zip(script.lines().skip(1)).filter(|(_, line)| line.starts_with(':')) {
        let ends = ["goto ", "exit ", "#!ipxe"].iter().any(|end| before.starts_with(end));
        assert!(ends, "{case}: {before:?} runs into {label}");
    }
    let (labels, jumps) = labels(script);
    assert!(labels.values().all(|count| *count == 1), "{case}: {labels:?}");
    let lost: Vec<_> = jumps.iter().filter(|jump| !labels.contains_key(**jump)).collect();
    assert!(lost.is_empty(), "{case}: {lost:?} in {script}");
}

/// Forty entries of all kinds, the default one inside a group.
pub(super) fn long() -> Menu {
    use Category::{Bsd, Hypervisor, Installer, Live, Other, Rescue, Tool, Windows};
    let mut items: Vec<Item> = (1..=12).map(|n| item(&format!("installer-{n}x"), Installer, Boot::Linux)).collect();
    items.extend((1..=9).map(|n| item(&format!("live-{n}x"), Live, Boot::Linux)));
    items.extend((1..=8).map(|n| item(&format!("rescue-{n}x"), Rescue, Boot::Sanboot)));
    let special = [
        item("memtest", Tool, Boot::Memdisk),
        item("shell", Tool, Boot::EfiProgram),
        item("wipe", Tool, Boot::Linux),
        item("windows", Windows, Boot::Wimboot),
        item("esxi", Hypervisor, Boot::Esxi),
        item("xcp-ng", Hypervisor, Boot::Multiboot),
        item("freebsd", Bsd, Boot::Memdisk),
        item("haiku", Other, Boot::Sanboot),
        item("disc", Other, Boot::HttpDisc),
        item("boot-menu", Other, Boot::Linux),
        item("boot-menu-entry2", Other, Boot::EfiProgram),
    ];
    items.extend(special);
    let mut menu = Menu { default: Default::Entry("live-5x".into()), timeout: 5, append: "quiet".into(), items };
    let mut change = |id: &str, change: &dyn Fn(&mut Item)| {
        menu.items.iter_mut().filter(|item| item.id == id).for_each(change);
    };
    change("live-5x", &|item| {
        let file = |from: &str, to: &str| Injection { from: from.into(), to: to.into(), mode: "644".into() };
        item.entry.inject = vec![file("/live/root.squashfs", "/root.squashfs"), file("{iso_url}", "/disc.iso")];
        item.append = "toram".into();
    });
    change("windows", &|item| {
        item.entry.kernel = None;
        let files = ["/bootmgr", "/EFI/Boot/bootx64.efi", "/sources/Boot Files/BOOT.WIM"];
        item.entry.initrd = files.map(String::from).to_vec();
    });
    change("xcp-ng", &|item| {
        item.entry.kernel = Some("/boot/xen.gz".into());
        item.entry.initrd = vec!["/boot/vmlinuz".into(), "/install.img".into()];
        item.entry.module_arguments = vec!["console=hvc0 root={base_url}".into(), String::new()];
    });
    change("shell", &|item| item.entry.firmware = vec![Firmware::Uefi]);
    change("esxi", &|item| item.entry.firmware = vec![Firmware::Uefi]);
    change("memtest", &|item| item.entry.firmware = vec![Firmware::Bios]);
    menu
}

#[test]
fn a_long_menu_is_as_its_golden_file() {
    let menu = long();
    assert_eq!(menu.items.len(), 40);
    let both = Asker { firmware: None, arch: None };
    let script = script(&menu, both);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/menu-long.ipxe");
    if std::env::var_os("BOOTWRIGHT_GOLDEN").is_some() {
        std::fs::write(file, &script).expect("written");
    }
    assert_eq!(script, include_str!("../../../tests/golden/menu-long.ipxe"));
    leads_to_labels(&script, "the golden one");
    let top: Vec<String> = menu.shown(BIOS).into_iter().take(3).collect();
    assert_eq!(top, [OWN_DISK, "The system live-5x", "Install a system (12)"]);
}

#[test]
fn submenus_come_when_a_screen_is_too_short() {
    let count = |count: usize, asker| {
        let mut items: Vec<Item> = (0..count).map(|n| item(&format!("x{n}"), Category::Live, Boot::Linux)).collect();
        if let Some(first) = items.first_mut() {
            first.entry.firmware = vec![Firmware::Uefi];
        }
        let menu = menu(items);
        leads_to_labels(&script(&menu, asker), "the border");
        menu.top(asker).len()
    };
    assert_eq!(count(0, UEFI), 1, "the own disk alone");
    assert_eq!(count(MAX_FLAT, UEFI), 1 + MAX_FLAT);
    assert_eq!(count(MAX_FLAT + 1, UEFI), 2, "the own disk and one submenu");
    // What counts is what this computer sees.
    assert_eq!(count(MAX_FLAT + 1, BIOS), 1 + MAX_FLAT);
    assert_eq!(count(MAX_FLAT + 2, BIOS), 2);
}

#[test]
fn every_kind_of_menu_leads_to_what_it_names() {
    let long = long();
    let defaults = [
        Default::Local,
        Default::Entry("live-5x".into()),
        Default::Entry("esxi".into()),
        Default::Entry("nowhere".into()),
        Default::Position(1),
        Default::Position(40),
        Default::Position(400),
    ];
    for default in defaults {
        for timeout in [0, 30] {
            for asker in [BIOS, UEFI, Asker { firmware: None, arch: None }] {
                let case = format!("{default:?} after {timeout} for {asker:?}");
                let menu = Menu { default: default.clone(), timeout, ..long.clone() };
                leads_to_labels(&script(&menu, asker), &case);
            }
        }
    }
}

/// Words that iPXE would take for the end of a command or for a comment, or that it would fill in, however they are
/// hidden from a filter.
pub(super) const HOSTILE: [&str; 14] = [
    "a || shell",
    "a |$| shell",
    "a &$& shell",
    "a $||$ shell",
    "a $#x",
    "a\nshell",
    "a\rshell",
    "a\u{0}|| shell",
    "a |\u{1}| shell",
    "a ${cmd}",
    "a $${netX/mac:hexhyp}{cmd}",
    "a $$${x}",
    "${netX/${x}}",
    "a ${netX/ip ${x}",
];

/// No line of a script has anything that a file's text could have put there.
fn is_tame(script: &str, case: &str) {
    for line in script.lines() {
        let own =
            ["${selected}", "${platform}", "${netX/mac:hexhyp}", "${netX/ip}", "${netX/gateway}", "${netX/netmask}"];
        let rest = own.iter().fold(line.to_owned(), |line, own| line.replace(own, ""));
        assert!(!rest.contains('$'), "{case}: {line}");
        assert!(!line.chars().any(char::is_control), "{case}: {line}");
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        assert!(words.first() != Some(&"shell"), "{case}: {line}");
        assert!(!words.iter().any(|word| word.starts_with('#')) || line == "#!ipxe", "{case}: {line}");
        for (at, word) in words.iter().enumerate().filter(|(_, word)| matches!(**word, "||" | "&&")) {
            let next = words.get(at + 1).copied().unwrap_or_default();
            assert!(matches!(next, "" | "goto"), "{case}: {word} in {line}");
        }
    }
}

#[test]
fn hostile_text_becomes_no_command_in_any_kind_of_entry() {
    use Boot::{EfiProgram, Esxi, HttpDisc, Linux, Memdisk, Multiboot, Sanboot, Wimboot};
    for hostile in HOSTILE {
        for boot in [Linux, EfiProgram, Multiboot, Wimboot, Esxi, Memdisk, Sanboot, HttpDisc] {
            let case = format!("{hostile:?} in {boot:?}");
            let mut item = item("evil", Category::Live, boot);
            item.append = hostile.into();
            item.entry.title = hostile.into();
            item.entry.cmdline = hostile.into();
            item.entry.kernel = Some(format!("/{hostile}"));
            item.entry.initrd = vec![format!("/x/{hostile}"), "/x/| |".into(), "/x/&& y".into()];
            item.entry.module_arguments = vec![hostile.into(), hostile.into()];
            item.entry.inject = vec![Injection { from: hostile.into(), to: hostile.into(), mode: hostile.into() }];
            item.entry.answering =
                Some(Answering { kind: AnswerKind::Preseed, arguments: format!("{hostile} url={{answer_url}}") });
            // In a submenu as well as on the first page.
            let mut items: Vec<Item> =
                (0..MAX_FLAT).map(|n| Item { id: format!("evil-{n}x"), ..item.clone() }).collect();
            let flat = Menu { append: hostile.into(), ..menu(vec![item.clone()]) };
            items.push(item);
            let nested = Menu { append: hostile.into(), ..menu(items) };
            for menu in [flat, nested] {
                let script = ipxe::menu(
                    &menu,
                    UEFI,
                    &place(),
                    &|_| Some("http://10.77.0.1/answer/0/preseed.cfg".into()),
                    &|_| None,
                );
                is_tame(&script, &case);
                leads_to_labels(&script, &case);
            }
        }
    }
}

#[test]
fn a_title_is_cut_without_making_a_command_of_it() {
    for length in 50..70 {
        for end in ["|||", "&&&", "||x shell", "#x"] {
            let title = ipxe::text(&format!("{} {end} {end}", "x".repeat(length)));
            assert!(title.len() <= 64, "{title}");
            is_tame(&format!("item x {title}"), &title);
            assert!(!title.split(' ').any(|word| matches!(word, "||" | "&&")), "{title}");
        }
    }
    assert_eq!(ipxe::text("5 ${netX/ip} $HOME"), "5 {netX/ip} HOME", "a title is the same on each computer");
}

#[test]
fn arguments_that_linux_would_cut_are_refused() {
    let refused = |change: &dyn Fn(&mut Item)| {
        let mut item = item("long", Category::Live, Boot::Linux);
        change(&mut item);
        let script = script(&menu(vec![item]), UEFI);
        assert_ne!(script.contains("kernel --name"), script.contains("characters; Linux takes 2047"), "{script}");
        script.contains("characters; Linux takes 2047")
    };
    // `initrd=initrd0 ` is part of the line as well.
    let fits = MAX_ARGUMENTS - "initrd=initrd0 ".len();
    assert!(!refused(&|item| item.entry.cmdline = "x".repeat(fits)));
    assert!(refused(&|item| item.entry.cmdline = "x".repeat(fits + 1)));
    assert!(!refused(&|item| {
        item.entry.cmdline = "x".repeat(MAX_ARGUMENTS);
        item.entry.initrd.clear();
    }));
    assert!(refused(&|item| {
        item.entry.cmdline = "x".repeat(fits);
        item.entry.initrd.push("/more".into());
    }));
    // An address is longer than what stands for it.
    let address = "255.255.255.255".len() + 1;
    assert!(!refused(&|item| item.entry.cmdline = format!("{} {{client_ip}}", "x".repeat(fits - address))));
    assert!(refused(&|item| item.entry.cmdline = format!("{} {{client_ip}}", "x".repeat(fits + 1 - address))));
    // What takes no arguments is not kept from starting by those for each Linux entry.
    assert!(
        script(&menu(vec![Item { append: "x".repeat(3000), ..item("d", Category::Tool, Boot::Memdisk) }]), BIOS)
            .contains("kernel --name memdisk")
    );
}

#[test]
fn placeholders_are_filled_in() {
    let own = Own { mac_dashes: "MAC", ip: "IP", gateway: "GW", netmask: "MASK" };
    let item = item("debian", Category::Live, Boot::Linux);
    let at = |base: &str| Place { base: base.into(), server: Ipv4Addr::new(10, 77, 0, 1) };
    let cases = [
        ("http://10.77.0.1", "{base_url}/x", "http://10.77.0.1/image/image-debian/x"),
        ("http://10.77.0.1", "{iso_url}", "http://10.77.0.1/image/image-debian.iso"),
        ("http://10.77.0.1", "{tree_path}", "image/image-debian"),
        ("http://10.77.0.1", "{server}:{port}", "10.77.0.1:80"),
        (
            "http://10.77.0.1:8080",
            "{server}:{port} {base_url}",
            "10.77.0.1:8080 http://10.77.0.1:8080/image/image-debian",
        ),
        ("http://10.77.0.1", "ip={client_ip}::{gw}:{mask} m={mac_dashes}", "ip=IP::GW:MASK m=MAC"),
        ("http://10.77.0.1", "{answer_url} {other} {", "{answer_url} {other} {"),
    ];
    for (base, text, expected) in cases {
        assert_eq!(fill(text, &item, &at(base), &own), expected);
    }
    let mut item = item;
    item.entry.cmdline = " boot=live ".into();
    item.append = " toram".into();
    let arguments = |item: &Item, answer: Option<&str>| arguments(item, &place(), "quiet ", &own, answer);
    assert_eq!(arguments(&item, Some("http://h/f")), "boot=live quiet toram", "it takes no answer file");
    let answers = |arguments: &str| Some(Answering { kind: AnswerKind::Preseed, arguments: arguments.into() });
    item.entry.answering = answers("auto url={answer_url} at={server}");
    assert_eq!(arguments(&item, None), "boot=live quiet toram");
    assert_eq!(arguments(&item, Some("http://h/f")), "boot=live auto url=http://h/f at=10.77.0.1 quiet toram");
    item.entry.answering = answers("ds=nocloud;s={answer_dir_url}");
    assert_eq!(arguments(&item, Some("http://h/t/")), "boot=live ds=nocloud;s=http://h/t/ quiet toram");
}

#[test]
fn no_id_is_a_label_of_ours() {
    // Whatever recipes there are: two images of each, all that their entries could be called.
    let book = Book::shipped();
    let images: Vec<Inspection> = book
        .recipes()
        .iter()
        .flat_map(|recipe| {
            let suffixes: Vec<String> = recipe
                .entries
                .iter()
                .map(|entry| if entry.suffix.is_empty() { String::new() } else { format!("-{}", entry.suffix) })
                .collect();
            let suffixes: Vec<&str> = suffixes.iter().map(String::as_str).collect();
            [inspection("/1.iso", &recipe.id, &suffixes), inspection("/2.iso", &recipe.id, &suffixes)]
        })
        .collect();
    let items = items(&images);
    assert!(items.len() >= 150, "{}", items.len());
    for Item { id, .. } in &items {
        assert!(!RESERVED.contains(&id.as_str()) && !id.starts_with(RESERVED_START), "{id}");
    }
    leads_to_labels(&script(&menu(items), Asker { firmware: None, arch: None }), "all recipes");
    for line in ["menu", "local", "failed", "next"] {
        assert!(RESERVED.contains(&line));
    }
}

#[test]
fn ids_are_told_apart_however_kinds_are_called() {
    let cases: [&[(&str, &[&str])]; 4] = [
        &[("arch", &[""]), ("arch", &[""]), ("arch-2", &[""])],
        &[("arch-2", &[""]), ("arch", &[""]), ("arch", &[""])],
        &[("debian", &["-live"]), ("debian-live", &[""])],
        &[("debian", &["-2-text"]), ("debian", &[""]), ("debian-2", &["-text"])],
    ];
    for case in cases {
        let images: Vec<Inspection> =
            case.iter().map(|(kind, suffixes)| inspection("/x.iso", kind, suffixes)).collect();
        let ids = image_ids(&images);
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), case.len(), "{ids:?}");
        leads_to_labels(&script(&menu(items(&images)), UEFI), &format!("{case:?}"));
    }
}

#[test]
fn entries_without_their_loader_are_left_out_and_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let with = |names: &[&str]| {
        for name in ["memdisk", "wimboot", "undionly.kpxe"] {
            let _ = std::fs::remove_file(folder.path().join(name));
        }
        names.iter().for_each(|name| std::fs::write(folder.path().join(name), b"loader").expect("written"));
        let mut menu = long();
        let lacking = menu.without_lacking(&Loaders::find(&[folder.path().to_path_buf()]));
        let lacking: Vec<(String, Loader)> = lacking.into_iter().map(|(item, loader)| (item.id, loader)).collect();
        (menu.items.len(), lacking)
    };
    let lacks = |id: &str, loader| (id.to_owned(), loader);
    let memdisk = [lacks("memtest", Loader::Memdisk), lacks("freebsd", Loader::Memdisk)];
    assert_eq!(with(&["memdisk", "wimboot"]), (40, vec![]));
    assert_eq!(with(&["wimboot"]), (38, memdisk.to_vec()));
    assert_eq!(with(&["memdisk"]), (39, vec![lacks("windows", Loader::Wimboot)]));
    assert_eq!(with(&["undionly.kpxe"]).0, 37);
}

#[test]
fn an_entry_that_was_left_out_is_no_default() {
    let mut menu = Menu { default: Default::Entry("windows".into()), ..long() };
    assert_eq!(menu.missing_default(), None);
    menu.without_lacking(&Loaders::find(&[]));
    assert_eq!(menu.missing_default().as_deref(), Some("windows"));
}

#[test]
fn http_boot_gets_the_image_where_no_menu_is_wanted() {
    let disc = |default: Default, timeout, boot, firmware: &[Firmware]| {
        let mut item = item("disc", Category::Other, boot);
        item.entry.firmware = firmware.to_vec();
        let menu = Menu { default, timeout, ..menu(vec![item]) };
        menu.disc_for_http_boot().map(|item| item.image.clone())
    };
    let (chosen, uefi) = (|| Default::Entry("disc".into()), [Firmware::Uefi]);
    assert_eq!(disc(chosen(), 0, Boot::HttpDisc, &uefi).as_deref(), Some("image-disc"));
    assert_eq!(disc(Default::Position(1), 0, Boot::HttpDisc, &uefi).as_deref(), Some("image-disc"));
    assert_eq!(disc(chosen(), 5, Boot::HttpDisc, &uefi), None, "there is a menu to show");
    assert_eq!(disc(Default::Local, 0, Boot::HttpDisc, &uefi), None, "the own disk starts");
    assert_eq!(disc(chosen(), 0, Boot::Linux, &uefi), None, "iPXE starts it better");
    assert_eq!(disc(chosen(), 0, Boot::HttpDisc, &[Firmware::Bios]), None);
}

#[test]
fn pages_instead_of_the_menu_lead_back_to_it_or_to_the_own_disk() {
    let code = "0421".parse().expect("a code");
    for page in [Page::Wait(code), Page::Crowded, Page::Refused] {
        let script = ipxe::page(page, &place());
        labels_are_there(&script, page);
        let asks = "chain --replace http://10.77.0.1:8080/menu.ipxe?mac=${netX/mac:hexhyp}&platform=${platform}&";
        assert_eq!(script.contains(asks), page != Page::Refused, "{script}");
        assert_eq!(script.contains("bootwright approve 0421"), page == Page::Wait(code), "{script}");
        assert!(script.ends_with("exit 0\n:next\nexit 1\n") && !script.contains("\nkernel "), "{script}");
        // What is asked for without an end has a pause in between, and each pause a way out.
        let pauses = script.lines().filter(|line| line.starts_with("sleep ") && line.ends_with(" || goto local"));
        assert_eq!(pauses.count(), if page == Page::Refused { 0 } else { 3 }, "{script}");
    }
}

fn labels_are_there(script: &str, page: Page) {
    let (labels, jumps) = labels(script);
    let lost: Vec<_> = jumps.iter().filter(|jump| !labels.contains_key(**jump)).collect();
    assert!(lost.is_empty() && labels.values().all(|count| *count == 1), "{page:?}: {lost:?} in {script}");
}
