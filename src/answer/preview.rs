//! Answer files as they may be shown: with dots for passwords, their hashes, and keys.
//!
//! A hash counts as a secret, for a weak password can be guessed from it. What is found is what files and scripts name
//! as such; a secret under a harmless name shows, so this is for the eyes of the person who wrote the file, and no leave
//! to log it.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::yaml::{self, Node, Value};
use super::{kickstart, preseed, xml};
use crate::image::AnswerKind;

/// What stands for a secret, of whatever length.
pub const HIDDEN: &str = "••••";

/// Parts of names that speak of secrets, and names that do.
const PARTS: [&str; 13] = [
    "passw",
    "passphrase",
    "secret",
    "token",
    "psk",
    "privatekey",
    "apikey",
    "productkey",
    "licensekey",
    "licencekey",
    "regcode",
    "wpakey",
    "wepkey",
];
const NAMES: [&str; 5] = ["pw", "pin", "pass", "rootpw", "pwd"];

/// Whether what has this name is a secret: `admin_password`, `ProductKey`, `reg-code`.
pub fn speaks_of_secrets(name: &str) -> bool {
    let name: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    // A `publicKeyToken`, sudo's NOPASSWD, `password_settings`, PasswordExpires.
    let harmless = ["public", "nopassw", "settings", "expire"].iter().any(|part| name.contains(part));
    !harmless && (NAMES.contains(&name.as_str()) || PARTS.iter().any(|part| name.contains(part)))
}

/// Where secrets are in a filled-in file, in bytes: sorted, and none touches another.
pub fn secrets(kind: AnswerKind, text: &str) -> Vec<Range<usize>> {
    let mut found = in_lines(text);
    found.extend(match kind {
        AnswerKind::Autoinstall => in_yaml(text),
        AnswerKind::Preseed => preseed::secrets(text),
        AnswerKind::Kickstart => kickstart::secrets(text),
        AnswerKind::Autoyast | AnswerKind::Autounattend => xml::secrets(text),
        AnswerKind::Other => Vec::new(),
    });
    merged(found)
}

/// What stands behind the first word of a line that speaks of secrets: all that may be one where the line is no good,
/// in bytes. `None` where nothing speaks of them, or nothing stands there.
pub(super) fn rest_of(line: &str) -> Option<Range<usize>> {
    let mut at = 0;
    for word in line.split_inclusive(char::is_whitespace) {
        let name = word.trim_end().split(['=', ':', '>']).next().unwrap_or_default();
        if speaks_of_secrets(name) {
            // With the sign that parts it from its value.
            let start = (at + name.len() + 1).min(line.len());
            let value = line.get(start..).or_else(|| line.get(at + name.len()..))?;
            let start = line.len() - value.trim_start().len();
            let end = line.trim_end().len();
            return (start < end).then_some(start..end);
        }
        at += word.len();
    }
    None
}

/// The text with dots in these places.
pub fn masked(text: &str, places: &[Range<usize>]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    for place in places {
        masked.push_str(text.get(at..place.start).unwrap_or_default());
        masked.push_str(HIDDEN);
        at = place.end.max(at);
    }
    masked.push_str(text.get(at..).unwrap_or_default());
    masked
}

/// Sorted, and joined where they overlap or touch.
pub(super) fn merged(mut places: Vec<Range<usize>>) -> Vec<Range<usize>> {
    places.retain(|place| !place.is_empty());
    places.sort_by_key(|place| place.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for place in places {
        match merged.last_mut() {
            Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
            _ => merged.push(place),
        }
    }
    merged
}

/// What scripts and settings of any kind show: `password=x`, `token: x`, `"secret": "x"`, `--password x`,
/// `name:x | chpasswd`, `http://name:x@server`, `<Password>x<`.
fn in_lines(text: &str) -> Vec<Range<usize>> {
    static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        let parts = "passw|passphrase|secret|token|psk|api[_-]?key|product[_-]?key|reg[_-]?code";
        let name = format!(r"(?<name>[\w.-]*(?i-u:{parts})[\w.-]*)");
        // A quote that is not closed runs to the end of its line.
        let value = r#"(?<value>"(?:\\.|[^"\\\n])*"?|'[^'\n]*'?|[^\s"',;&|<>]+)"#;
        let patterns = [
            format!(r#"{name}["']?[ \t]*[:=][ \t]*{value}"#),
            format!(r#"(?m:^|[\s"'])-{name}[ \t]+{value}"#),
            r#"[\w.-]+:(?<value>[^\s"'|]+)["']?[ \t]*\|[ \t]*(?:[\w/-]+[ \t]+)*[\w/-]*chpasswd"#.to_owned(),
            r"://[^/\s:@]+:(?<value>[^/\s@]+)@".to_owned(),
            format!(r"<{name}[^<>]*>\s*(?<value>[^<>\s][^<>]*)<"),
            format!(r#"{name}["']?[ \t]+/t[ \t]+\w+[ \t]+/d[ \t]+(?:&quot;)?{value}"#),
        ];
        patterns.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect()
    });
    let harmless =
        |value: &str| matches!(value.trim_matches(['"', '\'']), "" | "true" | "false" | "yes" | "no" | "null" | "~");
    let found = PATTERNS.iter().flat_map(|pattern| pattern.captures_iter(text));
    let secret = found.filter(|found| found.name("name").is_none_or(|name| speaks_of_secrets(name.as_str())));
    let values = secret.filter_map(|found| found.name("value"));
    values.filter(|value| !harmless(value.as_str())).map(|value| value.range()).collect()
}

/// Everything below a key that speaks of secrets, also in several lines.
fn in_yaml(text: &str) -> Vec<Range<usize>> {
    let root = match yaml::parse(text) {
        Ok(Some(root)) => root,
        Ok(None) => return Vec::new(),
        Err(_) => return in_broken_yaml(text),
    };
    let mut found = Vec::new();
    let mut open: Vec<(&Node, bool)> = vec![(&root, false)];
    while let Some((node, secret)) = open.pop() {
        match &node.value {
            Value::Scalar(value) if secret && !matches!(value.as_str(), "true" | "false" | "null" | "~" | "") => {
                found.push(node.range.clone());
            }
            Value::Scalar(_) | Value::Alias => {}
            Value::List(items) => open.extend(items.iter().map(|item| (item, secret))),
            Value::Map(pairs) => {
                let below = |(key, value)| (value, secret || Node::text(key).is_some_and(speaks_of_secrets));
                open.extend(pairs.iter().map(|(key, value)| below((key, value))));
            }
        }
    }
    found
}

/// What a key that speaks of secrets has behind it and in the deeper lines below, where the text is no YAML.
fn in_broken_yaml(text: &str) -> Vec<Range<usize>> {
    let (mut found, mut at) = (Vec::new(), 0);
    let mut below: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let body = line.trim();
        let indent = line.len() - line.trim_start().len();
        if !body.is_empty() {
            below = below.filter(|key| indent > *key);
            let key = body.split(':').next().unwrap_or_default();
            if below.is_some() {
                found.push(at + indent..at + indent + body.len());
            } else if let Some(rest) = rest_of(line) {
                found.push(at + rest.start..at + rest.end);
                below = Some(indent);
            } else if speaks_of_secrets(key) {
                below = Some(indent);
            }
        }
        at += line.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: AnswerKind, text: &str) -> String {
        masked(text, &secrets(kind, text))
    }

    #[test]
    fn names_speak_of_secrets_or_not() {
        let secret = [
            "password",
            "user_password",
            "AdministratorPassword",
            "wifi-psk",
            "PIN",
            "reg_code",
            "ProductKey",
            "API_KEY",
            "rootpw",
            "hashed_passwd",
        ];
        let harmless = [
            "hostname",
            "key",
            "authorized-keys",
            "keyboard",
            "publicKeyToken",
            "opinion",
            "compass",
            "allow-pw",
            "spin",
        ];
        assert_eq!(secret.map(speaks_of_secrets), [true; 10]);
        assert_eq!(harmless.map(speaks_of_secrets), [false; 9]);
    }

    #[test]
    fn secrets_are_dots_and_the_rest_stays() {
        use AnswerKind::{Autoinstall, Autounattend, Autoyast, Kickstart, Other, Preseed};
        let cases = [
            (Other, "PASSWORD=one two=3", "PASSWORD=•••• two=3"),
            (Other, "export API_KEY='a b' # c", "export API_KEY=•••• # c"),
            (Other, "{\"secret\": \"x\", \"name\": \"y\"}", "{\"secret\": ••••, \"name\": \"y\"}"),
            (Other, "echo 'root:one' | chpasswd\n", "echo 'root:••••' | chpasswd\n"),
            (Other, "echo root:one | in-target chpasswd", "echo root:•••• | in-target chpasswd"),
            (Other, "curl http://me:one@10.0.0.1/x", "curl http://me:••••@10.0.0.1/x"),
            (Other, "tool --password one --name x", "tool --password •••• --name x"),
            (Other, "publicKeyToken=\"31bf3856ad364e35\"", "publicKeyToken=\"31bf3856ad364e35\""),
            (Other, "x ALL=(ALL) NOPASSWD:ALL", "x ALL=(ALL) NOPASSWD:ALL"),
            (
                Other,
                "reg add K /v DefaultPassword /t REG_SZ /d \"one\" /f",
                "reg add K /v DefaultPassword /t REG_SZ /d •••• /f",
            ),
            (Other, "lock_passwd: true\npasswords are good\n", "lock_passwd: true\npasswords are good\n"),
            (
                Autoinstall,
                "identity:\n  password: \"$6$x\"\n  username: y\n",
                "identity:\n  password: ••••\n  username: y\n",
            ),
            (Autoinstall, "a: {password: ü, name: x}", "a: {password: ••••, name: x}"),
            (
                Autoinstall,
                "chpasswd:\n  expire: false\n  users:\n    - one\n",
                "chpasswd:\n  expire: false\n  users:\n    - ••••\n",
            ),
            (
                Preseed,
                "d-i passwd/root-password password one two\nx y/z string w",
                "d-i passwd/root-password password ••••\nx y/z string w",
            ),
            (Kickstart, "rootpw one\nlang de", "rootpw ••••\nlang de"),
            (Kickstart, "%post\nuseradd x --password one\n%end", "%post\nuseradd x --password ••••\n%end"),
            (
                Autoyast,
                "<a><user_password>one</user_password><b>x</b></a>",
                "<a><user_password>••••</user_password><b>x</b></a>",
            ),
            (
                Autounattend,
                "<a><Password><Value>one</Value><PlainText>true</PlainText></Password></a>",
                "<a><Password><Value>••••</Value><PlainText>true</PlainText></Password></a>",
            ),
            (Autounattend, "<a><Password>one</Password>", "<a><Password>••••</Password>"),
            (Autoyast, "<a><secret>\n  <b>x</b></secret></a>", "<a><secret>\n  <b>••••</b></secret></a>"),
            (
                Autoyast,
                "<password_settings>\n <max>9</max></password_settings>",
                "<password_settings>\n <max>9</max></password_settings>",
            ),
        ];
        for (kind, text, expected) in cases {
            assert_eq!(shown(kind, text), expected);
        }
    }

    #[test]
    fn secrets_are_dots_where_a_line_is_no_good() {
        use AnswerKind::{Autoinstall, Autounattend, Kickstart, Other, Preseed};
        let cases = [
            (Other, "export PASSWORD=\"one two\nx=1", "export PASSWORD=••••\nx=1"),
            (Other, "PASSWORD='one two\n", "PASSWORD=••••\n"),
            (Other, r#"PASSWORD="one\" two" x"#, "PASSWORD=•••• x"),
            (
                Preseed,
                "d-i passwd/root-password one\nd-i a/b string x",
                "d-i passwd/root-password ••••\nd-i a/b string x",
            ),
            (Kickstart, "rootpw 'one two\nlang C", "rootpw ••••\nlang C"),
            (Kickstart, "user --name=x --password=\"one two", "user --name=x --password=••••"),
            (Kickstart, "--password one two\nrotpasswd x", "--password ••••\nrotpasswd ••••"),
            (Autoinstall, "a: [\npassword: one two\nname: x", "a: [\npassword: ••••\nname: x"),
            (
                Autoinstall,
                "a: [\nb:\n  token: |\n    one\n\n    two\n  name: x\n",
                "a: [\nb:\n  token: ••••\n    ••••\n\n    ••••\n  name: x\n",
            ),
            (
                Autounattend,
                "<a><Password>\n<Value>one</Value></Password><b>x</b>",
                "<a><Password>\n<Value>••••</Value></Password><b>x</b>",
            ),
            (Autounattend, "<a><Password><Value>one\n", "<a><Password><Value>••••\n"),
        ];
        for (kind, text, expected) in cases {
            assert_eq!(shown(kind, text), expected);
        }
    }

    #[test]
    fn a_block_of_several_lines_is_hidden_whole() {
        let shown = shown(AnswerKind::Autoinstall, "token: |\n  one\n  two\nname: x\n");
        assert!(!shown.contains("one") && !shown.contains("two") && shown.ends_with("name: x\n"), "{shown}");
    }

    #[test]
    fn places_are_joined() {
        let places = |places: &[(usize, usize)]| places.iter().map(|(from, to)| *from..*to).collect::<Vec<_>>();
        assert_eq!(merged(places(&[(5, 9), (1, 3), (3, 4), (6, 7), (9, 9)])), places(&[(1, 4), (5, 9)]));
    }
}
