//! The window as a person uses it: by mouse alone and by keyboard alone, from the first page to a real computer that
//! boots memtest86+, and back. A real window on an X server without a screen, real firmware in QEMU, in closed
//! namespaces. Pictures of each page are kept in target/window.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test may stop at the first surprise")]

mod lab;

use std::time::Duration;

use lab::desk::{Desk, Window};
use lab::vm::{Firmware, Vm};
use lab::{Host, Lab, ready};

const MEMTEST: &str = "/usr/lib/memtest86+/memtest86+x64.iso";
/// What only the running memtest86+ shows.
const MEMTEST_RUNS: &str = "Memtest86+ v6";
/// Software emulation on a busy machine is slow; this only bounds a failure.
const LONG: Duration = Duration::from_secs(240);
const PROGRAMS: [&str; 6] = ["qemu-system-x86_64", "Xvfb", "xdotool", "import", "xclip", MEMTEST];

/// No port of ours is open in this namespace.
fn ports_are_free(host: &Host) -> bool {
    let open = host.sh("ss -Hlun && ss -Hltn");
    assert!(open.status.success(), "ss works");
    let text = String::from_utf8_lossy(&open.stdout).into_owned();
    ["67", "69", "4011", "80", "8080"].iter().all(|port| !text.contains(&format!(":{port} ")))
}

/// The timeline of a boot of memtest86+, as it is copied out of the window.
fn is_the_boot(report: &str) -> bool {
    let stages = ["asks what to boot", "is offered", "gets its menu", "bootx64.efi"];
    let mut rest = report;
    stages.iter().all(|stage| match rest.split_once(stage) {
        Some((_, behind)) => {
            rest = behind;
            true
        }
        None => false,
    })
}

/// The button at the lower right, on every page of the small window.
fn primary(window: &Window<'_>) {
    window.click(820, 567);
}

/// By mouse from the first page of the small window to the menu, with memtest86+.
fn to_menu(window: &Window<'_>) {
    window.wait_title("Network");
    // Nobody answers on this cable, so addresses are handed out.
    window.saved("dhcp = \"full\"");
    window.settle();
    window.picture("mouse-1-network");
    window.until_title("Images", primary);
    window.settle();
    window.picture("mouse-2-empty");
    // The field for a path, below the place to drop files; there is no file dialog on this desk.
    window.until_saved(MEMTEST, |window| {
        window.click(500, 376);
        window.keys(&["ctrl+a"]);
        window.write(MEMTEST);
        window.click(838, 376);
    });
    window.picture("mouse-2-images");
    window.until_title("Menu", primary);
}

#[test]
fn a_firewall_is_opened_from_the_check_page_for_as_long_as_it_serves() {
    if !ready("window, firewall", &["Xvfb", "xdotool", "import", "nft", "udhcpc", MEMTEST]) {
        return;
    }
    let (lab, desk) = (Lab::new(), Desk::new());
    let server = lab.server();
    let rules = || String::from_utf8_lossy(&server.sh("nft list ruleset").stdout).into_owned();
    let drops =
        "add table inet filter; add chain inet filter input { type filter hook input priority 0; policy drop; }";
    assert!(server.sh(&format!("nft '{drops}'")).status.success(), "nft works");
    let before = rules();
    let window = Window::open(&lab, &desk, &server, (900, 600), "light");
    to_menu(&window);
    window.until_title("Check", primary);
    window.settle();
    window.picture("firewall-1-closed");
    // "Open it while serving", beside the finding.
    window.until_saved("firewall = \"open\"", |window| window.click(780, 220));
    window.settle();
    window.picture("firewall-2-wanted");
    assert_eq!(rules(), before, "nothing is opened before the start");
    window.until_title("0 computers", primary);
    let lease = lab.host("c", None).sh("udhcpc -i eth0 -n -q -f -t 10 -T 2 -s /bin/true 2>&1");
    let lease = String::from_utf8_lossy(&lease.stdout).into_owned();
    assert!(lease.contains(&format!("obtained from {}", lab::SERVER)), "{lease}");
    assert_ne!(rules(), before, "it is open");
    window.picture("firewall-3-open");
    window.until_title("Serve", primary);
    window.until("the firewall is as before", || (rules() == before).then_some(()));
    assert_eq!(window.close().code(), Some(0));
}

#[test]
fn a_person_with_a_mouse_boots_a_computer() {
    if !ready("window, mouse", &PROGRAMS) {
        return;
    }
    let (lab, desk) = (Lab::new(), Desk::new());
    let server = lab.server();
    let window = Window::open(&lab, &desk, &server, (900, 600), "light");
    to_menu(&window);
    // The mark of the first entry.
    window.until_saved("default = \"memtest86plus\"", |window| window.click(265, 227));
    // The seconds that the menu waits: all of the field, then a new number.
    window.until_saved("menu-timeout = 2", |window| {
        window.click(285, 330);
        window.keys(&["ctrl+a"]);
        window.write("2");
    });
    window.picture("mouse-3-menu");
    window.until_title("Check", primary);
    window.until_title("0 computers", primary);
    window.settle();
    window.picture("mouse-5-nobody");
    assert!(!ports_are_free(&server), "it serves");

    let mut computer = Vm::start(&lab, 1, Firmware::Bios, 128);
    window.wait_title("1 computer");
    window.picture("mouse-5-asked");
    computer.wait_for(MEMTEST_RUNS, LONG);
    window.picture("mouse-5-runs");
    // Its card, and in its timeline Copy.
    window.clear_clipboard();
    let open_and_copy = |window: &Window<'_>| {
        window.click(500, 200);
        window.click(318, 231);
        window.picture("mouse-5-timeline");
    };
    let report = window
        .try_until("the report", open_and_copy, |window| Some(window.clipboard()).filter(|report| is_the_boot(report)));
    println!("{report}");

    // Close the timeline. Stop asks, since a computer was heard just now; its answer is the right one of two buttons.
    window.until_title("Serve", |window| {
        window.click(770, 73);
        window.click(820, 567);
        window.picture("mouse-5-question");
        window.click(624, 355);
    });
    assert!(ports_are_free(&server), "every port is free again");
    window.settle();
    window.picture("mouse-6-stopped");
    assert_eq!(window.close().code(), Some(0));
}

#[test]
fn a_person_with_a_keyboard_boots_a_computer() {
    if !ready("window, keyboard", &PROGRAMS) {
        return;
    }
    let (lab, desk) = (Lab::new(), Desk::new());
    let server = lab.server();
    let window = Window::open(&lab, &desk, &server, (1400, 900), "dark");
    let enter = |window: &Window<'_>| window.keys(&["Return"]);
    window.wait_title("Network");
    window.saved("dhcp = \"full\"");
    window.settle();
    window.picture("keyboard-1-network");
    window.until_title("Images", enter);
    window.settle();
    // From the button for files to the field for a path.
    window.keys(&["Tab"]);
    window.settle();
    window.write(MEMTEST);
    window.keys(&["Return"]);
    window.saved(MEMTEST);
    window.picture("keyboard-2-images");
    window.until_title("Menu", enter);
    window.settle();
    // The focus is at the primary action; once round, past the rail and the own disk, to the first entry's mark.
    window.tabs(7);
    window.keys(&["space"]);
    window.saved("default = \"memtest86plus\"");
    // Past its three tools to the seconds.
    window.tabs(3);
    window.keys(&["ctrl+a"]);
    window.write("2");
    window.saved("menu-timeout = 2");
    window.picture("keyboard-3-menu");
    window.until_title("Check", enter);
    window.until_title("0 computers", enter);
    window.settle();
    window.picture("keyboard-5-nobody");
    assert!(!ports_are_free(&server), "it serves");

    let mut computer = Vm::start(&lab, 1, Firmware::Bios, 128);
    window.wait_title("1 computer");
    computer.wait_for(MEMTEST_RUNS, LONG);
    window.picture("keyboard-5-runs");
    // The log: Ctrl+F goes there, Escape leaves the search, Ctrl+C copies it.
    window.clear_clipboard();
    window.keys(&["ctrl+f", "Escape"]);
    window.until("the log", || {
        window.keys(&["ctrl+c"]);
        Some(window.clipboard()).filter(|log| is_the_boot(log))
    });
    window.picture("keyboard-5-log");
    // Stop, the last of the page, is never done by an Enter from elsewhere. It asks; the focus is at Cancel, and behind it
    // the answer that stops.
    window.until_title("Serve", |window| {
        window.keys(&["shift+Tab", "Return"]);
        window.settle();
        window.tabs(1);
        window.keys(&["Return"]);
    });
    assert!(ports_are_free(&server), "every port is free again");
    assert_eq!(window.close().code(), Some(0));
}
