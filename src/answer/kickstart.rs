//! Kickstart files: commands, and sections that begin with a percent sign (pykickstart's documentation and its handlers
//! up to Fedora 41; for ESXi's dialect VMware's "About Installation Scripts").

use std::ops::Range;

use super::autoinstall::is_hash;
use super::fault::{self, Fault, MAX_FAULTS, instead, repeated};
use super::preview::rest_of;

/// Commands of anaconda, also those of older versions.
const COMMANDS: [&str; 93] = [
    "auth",
    "authconfig",
    "authselect",
    "autopart",
    "autostep",
    "bootloader",
    "btrfs",
    "cdrom",
    "clearpart",
    "cmdline",
    "device",
    "deviceprobe",
    "dmraid",
    "driverdisk",
    "eula",
    "fcoe",
    "firewall",
    "firstboot",
    "graphical",
    "group",
    "halt",
    "harddrive",
    "hmc",
    "ignoredisk",
    "install",
    "interactive",
    "iscsi",
    "iscsiname",
    "keyboard",
    "lang",
    "langsupport",
    "liveimg",
    "logging",
    "logvol",
    "mediacheck",
    "method",
    "module",
    "monitor",
    "mount",
    "mouse",
    "multipath",
    "network",
    "nfs",
    "nvdimm",
    "ostreecontainer",
    "ostreesetup",
    "part",
    "partition",
    "poweroff",
    "raid",
    "rdp",
    "realm",
    "reboot",
    "repo",
    "reqpart",
    "rescue",
    "rhsm",
    "rootpw",
    "selinux",
    "services",
    "shutdown",
    "skipx",
    "snapshot",
    "sshkey",
    "sshpw",
    "syspurpose",
    "text",
    "timesource",
    "timezone",
    "unsupported_hardware",
    "updates",
    "upgrade",
    "url",
    "user",
    "vnc",
    "volgroup",
    "xconfig",
    "zerombr",
    "zfcp",
    "zipl",
    // ESXi's own.
    "accepteula",
    "dryrun",
    "installorupgrade",
    "paranoid",
    "serialnum",
    "vmaccepteula",
    "vmserialnum",
    // Old ones that did nothing in the end.
    "lilo",
    "lilocheck",
    "key",
    "bootdisk",
    "zfs",
    "hostname",
];
/// Sections that run to `%end`.
const SECTIONS: [&str; 11] = [
    "%packages",
    "%pre",
    "%pre-install",
    "%post",
    "%onerror",
    "%traceback",
    "%addon",
    "%anaconda",
    "%certificate",
    "%firstboot",
    "%install",
];
/// Lines with a percent sign that are no section.
const INCLUDES: [&str; 3] = ["%include", "%ksappend", "%end"];
/// What only ESXi's dialect has. Its sections run to the next one, without `%end`.
const ESXI: [&str; 6] = ["accepteula", "vmaccepteula", "installorupgrade", "paranoid", "dryrun", "%firstboot"];
/// Commands that say almost surely that this is a kickstart file. `reboot` and `text` stand in scripts as well.
const TELLING: [&str; 14] = [
    "lang",
    "keyboard",
    "timezone",
    "rootpw",
    "clearpart",
    "autopart",
    "bootloader",
    "zerombr",
    "firstboot",
    "authselect",
    "ostreesetup",
    "ostreecontainer",
    "vmaccepteula",
    "accepteula",
];

/// Whether these are lines of a kickstart file.
pub(super) fn is_one<'a>(lines: impl Iterator<Item = &'a str>) -> bool {
    let mut telling = 0;
    for line in lines {
        let first = line.split_whitespace().next().unwrap_or_default();
        if line.starts_with("#version=") || matches!(first, "%packages" | "%post" | "%pre" | "vmaccepteula") {
            return true;
        }
        telling += u32::from(TELLING.contains(&first));
    }
    telling >= 2
}

fn is_esxi(source: &str) -> bool {
    source.lines().filter_map(|line| line.split_whitespace().next()).any(|word| ESXI.contains(&word))
}

/// The commands: each line outside sections that has one, with its number and where it begins.
fn commands(source: &str) -> Vec<(usize, usize, &str)> {
    let (mut inside, mut at, mut found) = (false, 0, Vec::new());
    for (number, part) in source.split_inclusive('\n').enumerate() {
        let line = part.trim_end();
        let first = line.split_whitespace().next().unwrap_or_default();
        if SECTIONS.contains(&first) {
            inside = true;
        } else if first == "%end" {
            inside = false;
        } else if !inside && !first.is_empty() && !first.starts_with(['#', '%']) {
            found.push((number + 1, at, line));
        }
        at += part.len();
    }
    found
}

pub(super) fn check(source: &str) -> Vec<Fault> {
    let mut faults = sections(source);
    for (line, _, command) in commands(source) {
        if faults.len() >= MAX_FAULTS {
            break;
        }
        let Some(words) = words(command) else {
            faults.push(Fault::error(line, "A quote is not closed.", "Close it in the same line."));
            continue;
        };
        let name = words.first().map_or("", |word| word.text.as_str());
        if !COMMANDS.contains(&name) {
            let what = format!("{} is no command of kickstart.", repeated(name, command));
            faults.push(Fault::error(line, what, instead(name, COMMANDS)));
        }
        faults.extend(password(line, name, &words));
    }
    faults
}

/// Whether sections begin and end.
fn sections(source: &str) -> Vec<Fault> {
    let needs_end = !is_esxi(source);
    let mut faults = Vec::new();
    let mut open: Option<(usize, &str)> = None;
    let unclosed = |(line, name): (usize, &str)| {
        Fault::error(
            line,
            format!("The section {name} has no %end: the installer stops."),
            "Put %end behind its last line.",
        )
    };
    for (number, line) in source.lines().enumerate() {
        if faults.len() >= MAX_FAULTS {
            return faults;
        }
        let first = line.split_whitespace().next().unwrap_or_default();
        // Inside a section only its end and other sections count; a script may have lines with a percent sign.
        if SECTIONS.contains(&first) {
            faults.extend(open.filter(|_| needs_end).map(unclosed));
            open = Some((number + 1, first));
        } else if first == "%end" && open.take().is_none() {
            faults.push(Fault::error(number + 1, "There is no section that %end could end.", "Take it out."));
        } else if open.is_none() && first.starts_with('%') && !INCLUDES.contains(&first) {
            let what = format!("{} is no section of kickstart.", repeated(first, line));
            faults.push(Fault::error(number + 1, what, instead(first, SECTIONS)));
        }
    }
    faults.extend(open.filter(|_| needs_end).map(unclosed));
    faults
}

/// A word of a command, without its quotes.
struct Word {
    text: String,
    /// Where it stands in its line, with quotes.
    range: Range<usize>,
}

/// The words of a line as a shell parts them; none where a quote is not closed. A sharp ends the command.
fn words(line: &str) -> Option<Vec<Word>> {
    let mut words: Vec<Word> = Vec::new();
    let (mut quote, mut inside) = (None, false);
    for (at, c) in line.char_indices() {
        match quote {
            None if c.is_whitespace() => {
                inside = false;
                continue;
            }
            None if c == '#' && !inside => break,
            _ => {}
        }
        if !inside {
            words.push(Word { text: String::new(), range: at..at });
            inside = true;
        }
        let Some(word) = words.last_mut() else { continue };
        word.range.end = at + c.len_utf8();
        match quote {
            Some(open) if c == open => quote = None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            _ => word.text.push(c),
        }
    }
    quote.is_none().then_some(words)
}

/// Where the password of a command stands among its words: which one, and how much of it is the option's name.
fn passwords(name: &str, words: &[Word]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    // A password that is a word alone: the last one that is no option.
    if matches!(name, "rootpw" | "sshpw") {
        let bare = words.iter().enumerate().skip(1).rev().find(|(at, word)| {
            let value_of_option = at.checked_sub(1).and_then(|before| words.get(before));
            !word.text.starts_with('-') && value_of_option.is_none_or(|before| before.text != "--username")
        });
        found.extend(bare.map(|(at, _)| (at, 0)));
    }
    for (at, word) in words.iter().enumerate().skip(1) {
        let (option, value) = word.text.split_once('=').unwrap_or((&word.text, ""));
        let is_secret = matches!(
            option,
            "--password"
                | "--passphrase"
                | "--reverse-password"
                | "--chap-secret"
                | "--activationkey"
                | "--activation-key"
                | "--one-time-password"
                | "--wpakey"
                | "--wepkey"
                | "--backuppassphrase"
                | "--md5pass"
        );
        if is_secret && word.text.contains('=') && !value.is_empty() {
            found.push((at, option.len() + 1));
        } else if is_secret && !word.text.contains('=') && at + 1 < words.len() {
            found.push((at + 1, 0));
        }
    }
    found
}

fn password(line: usize, name: &str, words: &[Word]) -> Option<Fault> {
    if !matches!(name, "rootpw" | "user" | "sshpw") {
        return None;
    }
    let has = |option: &str| words.iter().any(|word| word.text == option);
    let (at, skip) = passwords(name, words).into_iter().next()?;
    let value = words.get(at).and_then(|word| word.text.get(skip..))?;
    let crypted = has("--iscrypted");
    if crypted && !is_hash(value) {
        let what = "The password is no hash, as --iscrypted says: nobody can log in with it.";
        return Some(Fault::error(line, what, "Write what `mkpasswd -m sha-512` prints."));
    }
    let next_step = "Write `--iscrypted` and what `mkpasswd -m sha-512` prints.";
    // ESXi takes a hash without being told so from some versions on.
    (!crypted && !value.starts_with('$')).then(|| Fault::warning(line, fault::CLEAR, next_step))
}

/// Where passwords and their hashes stand, in bytes.
pub(super) fn secrets(source: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (_, start, line) in commands(source) {
        let parsed = words(line).filter(|words| words.first().is_some_and(|word| COMMANDS.contains(&&*word.text)));
        let Some(words) = parsed else {
            found.extend(rest_of(line).map(|rest| start + rest.start..start + rest.end));
            continue;
        };
        let name = words.first().map_or("", |word| word.text.as_str());
        for (at, skip) in passwords(name, &words) {
            if let Some(word) = words.get(at) {
                found.push(start + word.range.start + skip..start + word.range.end);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::kind;
    use crate::image::AnswerKind;

    const GOOD: &str = "\
#version=RHEL9
lang en_GB.UTF-8
keyboard --xlayouts='gb'
rootpw --iscrypted $6$abc$def
user --name=lab --password=\"$6$x\" --iscrypted
reboot

%packages
@^minimal-environment
%end
%post --log=/var/log/post.log
echo %foo
%end
";

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let cases = [
            ("", "", ""),
            ("reboot\n", "reboto\n", "6 `reboto` is no command of kickstart. Did you mean `reboot`?"),
            ("reboot\n", "reboot # 'later\n", ""),
            ("@^minimal-environment\n%end", "@^minimal-environment", "8 The section %packages has no %end"),
            ("echo %foo\n%end\n", "echo %foo\n", "11 The section %post has no %end"),
            ("reboot\n", "%end\n", "6 There is no section"),
            (
                "%post --log",
                "%psot --log",
                "11 `%psot` is no section of kickstart. Did you mean `%post`?|12 `echo` is no command|13 There is no section",
            ),
            ("reboot\n", "%include http://10.0.0.1/x\n", ""),
            ("--iscrypted $6$abc$def", "hunter2", "4 The password is in clear text."),
            ("--iscrypted $6$abc$def", "--plaintext \"hunter2 x\"", "4 The password is in clear text."),
            ("--iscrypted $6$abc$def", "--lock", ""),
            ("--iscrypted $6$abc$def", "--iscrypted hunter2", "4 The password is no hash"),
            ("--password=\"$6$x\" --iscrypted", "--password hunter2", "5 The password is in clear text."),
            ("--password=\"$6$x\" --iscrypted", "--groups=wheel", ""),
            ("'gb'", "'gb", "3 A quote is not closed."),
            ("reboot\n", "--password=hunter2\n", "6 A word of the line is no command of kickstart."),
            ("reboot\n", "%hunter2 --password\n", "6 A word of the line is no section of kickstart."),
        ];
        for (from, to, expected) in cases {
            let faults = kind::check(AnswerKind::Kickstart, &GOOD.replacen(from, to, 1));
            let told: Vec<_> = faults
                .iter()
                .map(|fault| format!("{} {} {}", fault.line.unwrap_or_default(), fault.what, fault.next_step))
                .collect();
            let expected: Vec<&str> = expected.split('|').filter(|fault| !fault.is_empty()).collect();
            let fits = told.iter().zip(&expected).all(|(told, expected)| told.starts_with(expected));
            assert!(fits && told.len() == expected.len(), "{to}: {told:?}");
            assert!(!format!("{told:?}").contains("hunter2"), "{told:?}");
        }
    }

    #[test]
    fn sections_of_esxi_run_to_the_next_one() {
        let esxi = "vmaccepteula\nrootpw hunter2\ninstall --firstdisk --overwritevmfs\nnetwork --bootproto=dhcp\nreboot\n%firstboot --interpreter=busybox\nvim-cmd x\n%post\nls\n";
        let told: Vec<_> =
            kind::check(AnswerKind::Kickstart, esxi).into_iter().map(|fault| (fault.line, fault.what)).collect();
        assert_eq!(told, [(Some(2), "The password is in clear text.".to_owned())]);
    }

    #[test]
    fn passwords_are_found() {
        let text = "rootpw --iscrypted \"$6$ü\"\nsshpw --username root topsecret --plaintext\nuser --name=a --password=b\nautopart --encrypted --passphrase 'c d'\nrootpw --lock\n%post\nrootpw e\n%end\nrealm join --one-time-password=f g\n";
        let found: Vec<_> = secrets(text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, ["\"$6$ü\"", "topsecret", "b", "'c d'", "f"]);
    }
}
