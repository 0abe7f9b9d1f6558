//! Ubuntu's autoinstall: cloud-config with a mapping `autoinstall` (subiquity, `autoinstall-schema.json` and its
//! reference manual).

use super::fault::{Fault, MAX_FAULTS, instead};
use super::yaml::{self, Node, Value};
use crate::text;

/// The keys of subiquity (24.04 and later). Older versions ignore those that they do not know.
const KEYS: [&str; 32] = [
    "version",
    "interactive-sections",
    "early-commands",
    "locale",
    "refresh-installer",
    "keyboard",
    "source",
    "network",
    "proxy",
    "apt",
    "storage",
    "identity",
    "active-directory",
    "ubuntu-pro",
    "ssh",
    "codecs",
    "drivers",
    "oem",
    "snaps",
    "debconf-selections",
    "packages",
    "kernel",
    "kernel-crash-dumps",
    "timezone",
    "updates",
    "shutdown",
    "late-commands",
    "error-commands",
    "reporting",
    "user-data",
    "zdevs",
    "ubuntu-advantage",
];
/// Keys whose value is a list.
const LISTS: [&str; 6] =
    ["interactive-sections", "early-commands", "late-commands", "error-commands", "packages", "snaps"];
/// What cloud-init tells its own files by (its `#cloud-config`).
const HEADER: &str = "#cloud-config";

/// Whether these are lines of an autoinstall file, also of one that lacks what is around it.
pub(super) fn is_one<'a>(lines: impl Iterator<Item = &'a str>) -> bool {
    let keys: Vec<&str> = lines.filter_map(|line| line.split_once(':')).map(|(key, _)| key.trim_end()).collect();
    let has = |key: &str| keys.contains(&key);
    has("autoinstall") || has("version") && ["identity", "storage", "late-commands", "user-data"].into_iter().any(has)
}

pub(super) fn check(source: &str) -> Vec<Fault> {
    let root = match yaml::parse(source) {
        Ok(Some(root)) => root,
        Ok(None) => return vec![Fault::error(None, "The file is empty.", "Choose another file.")],
        Err(fault) => return vec![fault],
    };
    let mut faults = Vec::new();
    if source.lines().next().map(str::trim_end) != Some(HEADER) {
        let next_step = format!("Make {HEADER} its first line.");
        faults.push(Fault::error(
            1,
            format!("The file does not begin with {HEADER}: the installer ignores it."),
            next_step,
        ));
    }
    duplicates(&root, &mut faults);
    match root.get("autoinstall") {
        Some(autoinstall) if autoinstall.is_map() => keys(autoinstall, &mut faults),
        Some(other) => {
            let what = "There is nothing inside `autoinstall`.";
            faults.push(Fault::error(other.line, what, "Indent what belongs to it by two blanks."));
        }
        None => {
            let what = "There is no key `autoinstall`: the installer asks everything.";
            faults.push(Fault::error(
                None,
                what,
                "Put everything else into a mapping `autoinstall:`, indented by two blanks.",
            ));
            keys(&root, &mut faults);
        }
    }
    faults
}

fn keys(autoinstall: &Node, faults: &mut Vec<Fault>) {
    version(autoinstall, faults);
    for (key, value) in autoinstall.pairs() {
        if faults.len() >= MAX_FAULTS {
            break;
        }
        let Some(name) = key.text() else { continue };
        if !KEYS.contains(&name) {
            let what = format!("`{}` is no key of autoinstall.", text::plain(name, 60));
            faults.push(Fault::error(key.line, what, instead(name, KEYS)));
        } else if LISTS.contains(&name) && !matches!(value.value, Value::List(_) | Value::Alias) {
            faults.push(Fault::error(
                key.line,
                format!("`{name}` is no list."),
                "Write each item in a line of its own, with a dash before it.",
            ));
        }
    }
    account(autoinstall, faults);
}

fn version(autoinstall: &Node, faults: &mut Vec<Fault>) {
    let next_step = "Write `version: 1`.";
    match autoinstall.get("version") {
        None => faults.push(Fault::error(autoinstall.line, "There is no `version`: the installer stops.", next_step)),
        Some(version) if version.text() == Some("1") && !version.quoted || version.value == Value::Alias => {}
        Some(version) => {
            faults.push(Fault::error(version.line, "The version is not 1, the only one that there is.", next_step))
        }
    }
}

/// Who can log in: an account of `identity`, or whatever `user-data` makes.
fn account(autoinstall: &Node, faults: &mut Vec<Fault>) {
    let Some(identity) = autoinstall.get("identity") else {
        if ["user-data", "active-directory", "interactive-sections"].iter().all(|key| autoinstall.get(key).is_none()) {
            let what = "There is neither `identity` nor `user-data`: the installer asks for an account.";
            faults.push(Fault::error(None, what, "Add `identity` with hostname, username and password."));
        }
        return;
    };
    if !identity.is_map() {
        return;
    }
    for key in ["hostname", "username", "password"] {
        if identity.get(key).is_none() {
            faults.push(Fault::error(
                identity.line,
                format!("`identity` has no `{key}`: the installer stops."),
                format!("Add `{key}`."),
            ));
        }
    }
    if let Some(password) =
        identity.get("password").filter(|password| password.text().is_some_and(|text| !is_hash(text)))
    {
        let what = "The password of `identity` is no hash: nobody can log in with it.";
        faults.push(Fault::error(password.line, what, "Write what `mkpasswd -m sha-512` prints, in quotes."));
    }
}

/// Whether a password is what crypt(5) makes of one, or none that can be used.
pub(super) fn is_hash(password: &str) -> bool {
    password.starts_with('$') || matches!(password, "*" | "!" | "!!" | "x")
}

/// Keys that a mapping has twice: the last one counts, which is hardly meant.
fn duplicates(root: &Node, faults: &mut Vec<Fault>) {
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        match &node.value {
            Value::List(items) => open.extend(items),
            Value::Map(pairs) => {
                let mut names: Vec<(&str, usize)> =
                    pairs.iter().filter_map(|(key, _)| Some((key.text()?, key.line))).collect();
                names.sort_unstable();
                for ((name, first), (other, line)) in names.iter().zip(names.iter().skip(1)) {
                    // `<<` merges, as often as it likes.
                    if name == other && *name != "<<" {
                        let what =
                            format!("`{}` stands here a second time, after line {first}.", text::plain(name, 60));
                        faults.push(Fault::error(*line, what, "Join the two."));
                    }
                }
                open.extend(pairs.iter().map(|(_, value)| value));
            }
            Value::Scalar(_) | Value::Alias => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::answer::kind;
    use crate::image::AnswerKind;

    const GOOD: &str = "\
#cloud-config
autoinstall:
  version: 1
  identity:
    hostname: lab-01
    username: lab
    password: \"$6$abc$def\"
  late-commands:
    - curtin in-target -- apt-get update
";

    /// Line and sentence of each fault of the good file with a change.
    fn faults(from: &str, to: &str) -> Vec<String> {
        assert!(GOOD.contains(from), "{from}");
        let faults = kind::check(AnswerKind::Autoinstall, &GOOD.replacen(from, to, 1));
        faults
            .into_iter()
            .map(|fault| format!("{} {} {}", fault.line.unwrap_or_default(), fault.what, fault.next_step))
            .collect()
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        assert_eq!(kind::check(AnswerKind::Autoinstall, GOOD), []);
        let cases = [
            ("#cloud-config\n", "", "1 The file does not begin with #cloud-config"),
            ("#cloud-config\n", "#cloud-config \r\n", ""),
            ("version: 1", "version: 2", "3 The version is not 1"),
            ("version: 1", "version: \"1\"", "3 The version is not 1"),
            ("  version: 1\n", "", "3 There is no `version`"),
            (
                "identity:",
                "identiy:",
                "0 There is neither `identity` nor `user-data`|4 `identiy` is no key of autoinstall. Did you mean `identity`?",
            ),
            ("late-commands:\n    - ", "late-commands: ", "8 `late-commands` is no list."),
            ("$6$abc$def", "secret", "7 The password of `identity` is no hash"),
            ("    username: lab\n", "", "5 `identity` has no `username`"),
            (
                "    username: lab",
                "    hostname: lab",
                "5 `identity` has no `username`|6 `hostname` stands here a second time, after line 5.",
            ),
            ("    hostname: lab-01", "\thostname: lab-01", "5 It is no YAML: "),
            ("autoinstall:\n", "autoinstall: yes\nx:\n", "2 There is nothing inside `autoinstall`."),
        ];
        for (from, to, expected) in cases {
            let faults = faults(from, to);
            let expected: Vec<&str> = expected.split('|').filter(|fault| !fault.is_empty()).collect();
            // A change may have more than one fault.
            let fits = faults.iter().zip(&expected).all(|(fault, expected)| fault.starts_with(expected));
            assert!(
                fits && faults.len() >= expected.len() && (!expected.is_empty() || faults.is_empty()),
                "{to}: {faults:?}"
            );
        }
    }

    #[test]
    fn what_has_nothing_around_it_is_checked_all_the_same() {
        let bare = GOOD.replace("autoinstall:\n", "").replace("version: 1", "version: 3").replace("\n  ", "\n");
        let told: Vec<_> = kind::check(AnswerKind::Autoinstall, &bare).into_iter().map(|fault| fault.line).collect();
        assert_eq!(told, [None, Some(2)], "{bare}");
    }

    #[test]
    fn no_fault_repeats_a_password() {
        for fault in faults("$6$abc$def", "hunter2") {
            assert!(!fault.contains("hunter2"), "{fault}");
        }
    }
}
