//! GRUB's own parser on every script that is made for it: `grub-script-check` says whether GRUB would read it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

use std::io::Write;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};

use bootwright::boot::menu::{Default, Item, Menu, Page, Place, Processor, grub};
use bootwright::boot::secure::Chain;
use bootwright::image::{Boot, Category, Entry, Firmware, Injection, Transport};

/// Whether GRUB's parser is here.
fn ready(test: &str) -> bool {
    let there = Command::new("grub-script-check").arg("--version").output().is_ok();
    if !there {
        println!("SKIPPED {test}: grub-script-check is missing");
    }
    there
}

/// What GRUB's parser says against a script; empty where it takes it.
fn complaint(script: &str) -> String {
    let mut check = Command::new("grub-script-check");
    let mut check = check.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    check.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = check.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { text } else { format!("{} {text}", output.status) }
}

fn place() -> Place {
    Place { base: "http://10.77.0.1:8080".into(), server: Ipv4Addr::new(10, 77, 0, 1) }
}

fn item(id: &str, boot: Boot, text: &str) -> Item {
    let entry = Entry {
        id: id.into(),
        title: text.into(),
        boot,
        kernel: Some(format!("/{text}")),
        initrd: vec![format!("/{text}"), "/boot/initrd 1".into()],
        module_arguments: vec![text.into()],
        inject: vec![Injection { from: text.into(), to: text.into(), mode: text.into() }],
        cmdline: format!("{text} ip={{client_ip}} {text}"),
        answering: None,
        transport: Transport::HttpTree,
        firmware: vec![Firmware::Bios, Firmware::Uefi],
        arch: "x86_64".into(),
        min_ram_mb: None,
        signed: None,
    };
    Item {
        id: id.into(),
        image: "image".into(),
        category: Category::Live,
        entry,
        append: text.into(),
        guard: bootwright::boot::menu::Guard::default(),
    }
}

/// Text of an image that would be something to GRUB.
const TEXTS: [&str; 16] = [
    "Debian GNU/Linux 12",
    "it's",
    "''",
    "\\",
    "\\'",
    "a'; reboot; '",
    "} }",
    "{ {",
    "\" $x `y` $(z) ${a",
    "a\nb\r\n}",
    "a\u{0}b",
    "# comment",
    "--unrestricted",
    "|| && ; | & < >",
    "\u{1}\u{7f}\u{85}\u{2028}",
    "Büro 日本 \u{202e}",
];

#[test]
fn grub_reads_every_script() {
    if !ready("grub_reads_every_script") {
        return;
    }
    use Boot::{EfiProgram, Esxi, HttpDisc, Linux, Memdisk, Multiboot, Sanboot, Wimboot};
    let own_shim = |_: &Item| Chain::OwnShim { shim: "/shim".into(), loader: "/grub".into() };
    let (asking, ip) =
        (grub::Asking { cpu: Processor::X86_64, mac: None, lockdown: false }, Ipv4Addr::new(10, 77, 0, 129));
    let mut checked = 0;
    for text in TEXTS {
        let client = |reach, secure| {
            let netmask = Ipv4Addr::new(255, 255, 255, 0);
            grub::Client { asking, reach, ip, netmask, secure }
        };
        let nothing = |_: &Item| Chain::Nothing(text.to_owned());
        let kinds = [Linux, EfiProgram, Multiboot, Wimboot, Esxi, Memdisk, Sanboot, HttpDisc];
        let flat: Vec<Item> = kinds.iter().enumerate().map(|(n, boot)| item(&format!("x{n}"), *boot, text)).collect();
        let many: Vec<Item> = flat.iter().cycle().take(20).cloned().collect();
        for items in [flat, many] {
            let menu = Menu { items, default: Default::Position(1), timeout: 0, append: text.into() };
            let clients = [
                client(grub::Reach::Tftp, None),
                client(grub::Reach::Http, None),
                client(grub::Reach::Tftp, Some(&own_shim as grub::Chains)),
                client(grub::Reach::Tftp, Some(&nothing as grub::Chains)),
            ];
            for client in clients {
                let script = grub::menu(&menu, &client, &place(), &|_| None);
                assert_eq!(complaint(&script), "", "{text:?}:\n{script}");
                checked += 1;
            }
        }
        let computer = grub::Computer::parse("52-54-00-77-01-01_10.77.0.129__255.255.255.0").unwrap();
        let script = grub::script(&item("x", Multiboot, text), &place(), text, &computer, None).unwrap();
        assert_eq!(complaint(&script), "", "{text:?}:\n{script}");
    }
    assert_eq!(checked, TEXTS.len() * 8);
    let pages = [Page::Wait("0421".parse().unwrap()), Page::Crowded, Page::Refused];
    let whole = pages.map(|page| grub::page(page, &place(), asking, grub::Reach::Http));
    let parts = pages.map(|page| grub::goes_on(Some(page), &place()));
    let others = [grub::first(&place()), grub::restart().to_owned(), grub::goes_on(None, &place())];
    for script in others.into_iter().chain(whole).chain(parts) {
        assert_eq!(complaint(&script), "", "{script}");
    }
}

#[test]
fn grub_reads_the_golden_files_and_not_just_anything() {
    if !ready("grub_reads_the_golden_files_and_not_just_anything") {
        return;
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let scripts: Vec<_> = files.filter(|path| path.extension().is_some_and(|name| name == "cfg")).collect();
    assert!(scripts.len() >= 5, "{scripts:?}");
    for path in scripts {
        let script = std::fs::read_to_string(&path).unwrap();
        assert_eq!(complaint(&script), "", "{}", path.display());
        // A page that waits has no condition, and a menu no loop.
        let without = [script.replacen("fi\n", "\n", 1), script.replacen("done\n", "\n", 1)];
        let without: Vec<String> = without.into_iter().filter(|broken| *broken != script).collect();
        assert!(!without.is_empty(), "{}", path.display());
        for broken in without.into_iter().chain([format!("{script}'"), format!("{script}}}\n")]) {
            assert_ne!(complaint(&broken), "", "{}", path.display());
        }
    }
}
