//! Computers that load, their loader above all.

use super::*;

#[test]
fn a_computer_that_loads() {
    use DhcpMode::Full;
    let uefi = || granted(0.0, Who::Uefi);
    let size = |second| by_tftp(second, tftp::Note::SizeAsked { file: "snponly.efi".into(), size: 173_792 });
    let timed_out =
        |second, bytes| by_tftp(second, tftp::Note::TimedOut { file: "snponly.efi".into(), bytes, size: 173_792 });
    let refused =
        |file: &str| Note::LoaderRefused { file: file.into(), reason: "was fetched whole and did not start".into() };
    let aborted = |words: &str| {
        let note = tftp::Note::Aborted { file: "snponly.efi".into(), bytes: 1468, code: 3, words: words.into() };
        by_tftp(2.0, note)
    };
    check(vec![
        ("size and nothing", Full, [uefi(), size(1.0)].concat(), 30.0, vec![(SizeAskedOnly, Likely)], "173.7 kB"),
        (
            "the file's own port is dropped",
            Full,
            [uefi(), stalls(8.0, "snponly.efi", 0, false)].concat(),
            9.0,
            vec![(TransferPortBlocked, Likely)],
            "any UDP port",
        ),
        (
            "dropped, and the firmware tries by HTTP",
            Full,
            [uefi(), stalls(8.0, "snponly.efi", 0, false), timed_out(32.0, 0), offered(33.0, Who::HttpBoot)].concat(),
            34.0,
            vec![(TransferPortBlocked, Likely), (NoFileAsked, Likely)],
            "never answered",
        ),
        (
            "large packets",
            Full,
            [uefi(), size(1.0), begins(1.1, "snponly.efi", 1468), stalls(8.0, "snponly.efi", 0, true)].concat(),
            9.0,
            vec![(LargePacketsLost, Likely), (TransferPortBlocked, Possible)],
            "blocks of 1468 bytes",
        ),
        (
            "large packets, and begun anew",
            Full,
            [
                uefi(),
                begins(1.1, "snponly.efi", 1468),
                stalls(8.0, "snponly.efi", 0, true),
                begins(9.0, "snponly.efi", 1468),
            ]
            .concat(),
            10.0,
            vec![(LargePacketsLost, Likely), (TransferPortBlocked, Possible)],
            "smaller MTU",
        ),
        (
            "in the middle",
            Full,
            [
                uefi(),
                begins(1.1, "snponly.efi", 1468),
                stalls(8.0, "snponly.efi", 20_000, true),
                timed_out(32.0, 20_000),
            ]
            .concat(),
            33.0,
            vec![(TransferStalled, Likely)],
            "20.0 kB of 173.7 kB",
        ),
        (
            "smallest blocks",
            Full,
            [uefi(), begins(1.1, "snponly.efi", 512), stalls(8.0, "snponly.efi", 0, true)].concat(),
            9.0,
            vec![(TransferStalled, Likely)],
            "0 bytes of",
        ),
        (
            "many losses",
            Full,
            [
                uefi(),
                begins(1.0, "snponly.efi", 1468),
                by_tftp(9.0, tftp::Note::Done { file: "snponly.efi".into(), bytes: 173_792, millis: 8000, resent: 40 }),
                granted(11.0, Who::Ipxe),
            ]
            .concat(),
            12.0,
            vec![(PacketsLost, Likely)],
            "40 had to be sent again",
        ),
        (
            "broken off with words",
            Full,
            [uefi(), aborted("Disk full.")].concat(),
            3.0,
            vec![(BrokeOff, Certain)],
            "and said: Disk full. Look",
        ),
        ("broken off without", Full, [uefi(), aborted("")].concat(), 3.0, vec![(BrokeOff, Certain)], "did not say why"),
        (
            "loader and silence",
            Full,
            [uefi(), loads(1.0, "snponly.efi")].concat(),
            22.0,
            vec![(SecureBoot, Likely), (LoaderUnsuitable, Possible)],
            "snponly.efi whole",
        ),
        (
            "loader and back, by HTTP",
            Full,
            [uefi(), loads(1.0, "snponly.efi"), offered(2.0, Who::HttpBoot)].concat(),
            3.0,
            vec![(SecureBoot, Likely), (LoaderUnsuitable, Possible)],
            "as if it had got nothing",
        ),
        (
            "as the ladder tells it",
            Full,
            [uefi(), loads(1.0, "snponly.efi"), note(17.0, refused("snponly.efi"))].concat(),
            18.0,
            vec![(SecureBoot, Likely), (LoaderUnsuitable, Possible)],
            "snponly.efi was fetched whole and did not start.",
        ),
        (
            "a signed loader",
            Full,
            [uefi(), loads(1.0, "shimx64.efi"), note(17.0, refused("shimx64.efi"))].concat(),
            18.0,
            vec![(SecureBoot, Likely), (LoaderUnsuitable, Possible)],
            "revoked keys",
        ),
        (
            "a BIOS has no Secure Boot",
            Full,
            [granted(0.0, Who::Bios), loads(1.0, "undionly.kpxe")].concat(),
            22.0,
            vec![(LoaderUnsuitable, Likely)],
            "undionly.kpxe whole",
        ),
        (
            "an empty loader",
            Full,
            [uefi(), by_tftp(1.0, tftp::Note::Done { file: "snponly.efi".into(), bytes: 0, millis: 1, resent: 0 })]
                .concat(),
            2.0,
            vec![(FileEmpty, Certain)],
            "no bytes",
        ),
        (
            "an empty loader that is only asked about",
            Full,
            [uefi(), by_tftp(1.0, tftp::Note::SizeAsked { file: "snponly.efi".into(), size: 0 })].concat(),
            2.0,
            vec![(FileEmpty, Certain)],
            "snponly.efi, which has no bytes",
        ),
        (
            "a loader that is not there",
            Full,
            [uefi(), by_tftp(1.0, tftp::Note::NotFound { file: "snponly.efi".into() })].concat(),
            2.0,
            vec![(FileMissing, Certain)],
            "snponly.efi, which is not here",
        ),
        (
            "refused",
            Full,
            [uefi(), by_tftp(1.0, tftp::Note::Refused { file: "a".into(), reason: "no".into() })].concat(),
            2.0,
            vec![(FileRefused, Certain)],
            "refused a",
        ),
        (
            "unreadable here",
            Full,
            [uefi(), by_tftp(1.0, tftp::Note::ReadFailed { file: "a".into(), reason: "I/O error".into() })].concat(),
            2.0,
            vec![(FileUnreadable, Certain)],
            "I/O error",
        ),
    ]);
}
