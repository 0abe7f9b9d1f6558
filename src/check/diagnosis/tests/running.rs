//! Computers with a menu, and with a system.

use super::*;

#[test]
fn a_computer_with_a_menu_and_a_system() {
    use DhcpMode::Full;
    let initrd = |memory| {
        let kernel = fetches(10.0, Role::Kernel, KERNEL, 8_000_000);
        [to_menu(memory), kernel, breaks_off(12.0, Role::Initrd, INITRD, 262_144, 42_000_000)].concat()
    };
    let content = || fetches(60.0, Role::Content, "image/debian/live/filesystem.squashfs", 220_000_000);
    let missing = "image/debian/dists/bookworm/Release";
    let given = |second| note(second, Note::AnswerGiven { entry: "debian".into() });
    check(vec![
        (
            "a menu",
            Full,
            to_menu(None),
            16.0,
            vec![(WaitingInMenu, Certain)],
            "After 30 s its own disk starts by itself.",
        ),
        (
            "a menu that is over",
            Full,
            to_menu(None),
            100.0,
            vec![(MenuTimedOut, Likely)],
            "after 30 s its own disk started",
        ),
        (
            "too little, for sure",
            Full,
            initrd(Some(40)),
            13.0,
            vec![(TooLittleMemory, Certain)],
            "It has 40 MiB of memory. Kernel and initrd of “Debian Live 12” have 50.0 MB",
        ),
        (
            "too little, most likely",
            Full,
            initrd(Some(512)),
            13.0,
            vec![(BrokeOff, Certain), (TooLittleMemory, Likely)],
            "it needs 1024 MiB or more",
        ),
        ("enough", Full, initrd(Some(4096)), 13.0, vec![(BrokeOff, Certain)], "262.1 kB of 42.0 MB"),
        (
            "who knows",
            Full,
            initrd(None),
            13.0,
            vec![(BrokeOff, Certain), (TooLittleMemory, Possible)],
            "How much memory it has is not known.",
        ),
        (
            "a kernel and silence",
            Full,
            to_kernel(None),
            260.0,
            vec![(TooLittleMemory, Possible), (KernelSilent, Possible)],
            "kernel and initrd, and has asked for nothing for 4 minutes",
        ),
        ("a kernel that takes its time", Full, to_kernel(None), 250.0, vec![], ""),
        (
            "a kernel and the firmware again",
            Full,
            [to_kernel(Some(2048)), offered(40.0, Who::Uefi)].concat(),
            41.0,
            vec![(KernelSilent, Likely)],
            "27 s later its firmware asked again",
        ),
        (
            "its kernel is missing",
            Full,
            [to_menu(None), lacks(10.0, KERNEL)].concat(),
            11.0,
            vec![(FileMissing, Certain)],
            KERNEL,
        ),
        (
            "its system misses a file",
            Full,
            [to_kernel(None), each(&[50.0, 52.0, 54.0], |second| lacks(second, missing))].concat(),
            90.0,
            vec![(SystemMissesFile, Likely)],
            "“Debian Live 12” asked 3 times for image/debian/dists",
        ),
        (
            "its system asks for one file",
            Full,
            [to_kernel(None), lacks(50.0, missing)].concat(),
            90.0,
            vec![(SystemMissesFile, Possible)],
            "asked once",
        ),
        (
            "it goes on without one",
            Full,
            [to_kernel(None), content(), lacks(80.0, missing)].concat(),
            300.0,
            vec![],
            "",
        ),
        (
            "it installs once more",
            Full,
            [to_kernel(None), given(50.0), to_kernel(None).into_iter().map(later).collect(), given(1050.0)].concat(),
            1051.0,
            vec![(AnswerFetchedAgain, Likely)],
            "in an earlier boot",
        ),
        (
            "it reads its answers twice",
            Full,
            [to_kernel(None), given(50.0), given(170.0)].concat(),
            171.0,
            vec![(AnswerFetchedAgain, Possible)],
            "2 minutes apart",
        ),
        (
            "cloud-init reads several parts",
            Full,
            [to_kernel(None), given(50.0), given(52.0)].concat(),
            60.0,
            vec![],
            "",
        ),
    ]);
}

/// The same a thousand seconds later.
fn later(event: Event) -> Event {
    Event { time: event.time.checked_add(jiff::SignedDuration::from_secs(1000)).unwrap(), ..event }
}
