//! What tests of real boots share: images, patience, and how the log tells a boot.

use std::time::Duration;

use serde_json::Value;

pub const MEMTEST: &str = "/usr/lib/memtest86+/memtest86+x64.iso";
/// What only the running memtest86+ shows; its name alone is in the menu as well.
pub const MEMTEST_RUNS: &str = "Memtest86+ v6";
/// The same on UEFI: it draws pixels there, so its second console, on the serial line, is asked.
pub const MEMTEST_TESTS: &str = "Status: Testing";
/// Software emulation on a busy machine is slow; these only bound a failure.
pub const SHORT: Duration = Duration::from_secs(240);
pub const LONG: Duration = Duration::from_secs(900);

/// The live system that packaging/live-iso.sh made; says so where there is none.
pub fn live_iso(test: &str) -> Option<String> {
    let path = std::env::var("BOOTWRIGHT_LIVE_ISO").ok().filter(|path| std::path::Path::new(path).is_file());
    if path.is_none() {
        println!("SKIPPED {test}: BOOTWRIGHT_LIVE_ISO names no file; packaging/live-iso.sh makes one");
    }
    path
}

/// What the log says of a loader that firmware does not start: first the likelier of both.
pub const REFUSED: [&str; 2] = ["secure-boot", "loader-unsuitable"];

/// Options that start the first entry soon, over the serial line where it is Linux.
pub fn first_entry<'a>(dhcp: &'a str, image: &'a str) -> Vec<&'a str> {
    vec!["--dhcp", dhcp, "--image", image, "--default", "1", "--menu-timeout", "2", "--append", "console=ttyS0,115200"]
}

/// Asserts that the log tells these in this order, among others.
pub fn in_order(lines: &[Value], wanted: &[(&str, &str)]) {
    let mut lines = lines.iter();
    for (event, file) in wanted {
        let is = |line: &&Value| {
            let place = ["file", "stage"].iter().filter_map(|name| line[name].as_str()).any(|text| text.contains(file));
            line["event"] == *event && (file.is_empty() || place)
        };
        assert!(lines.by_ref().any(|line| is(&line)), "the log has no {event} {file:?} after the ones before");
    }
}

/// Asserts that the root file system of a live system came whole.
pub fn came_whole(story: &[Value]) {
    let whole = |line: &Value| {
        line["role"] == "content" && line["bytes"] == line["size"] && line["bytes"].as_u64() > Some(50_000_000)
    };
    assert!(story.iter().any(whole), "the root file system came whole");
}

/// Asserts that another server gave the addresses.
pub fn no_address(story: &[Value]) {
    let ours = |line: &&Value| line["event"] == "offered" && !line["address"].is_null();
    assert_eq!(story.iter().find(ours), None, "an address of ours");
}
