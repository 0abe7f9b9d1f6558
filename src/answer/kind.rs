//! What kind of answer file a text is, and whether it is a good one.

use super::fault::{self, Fault};
use super::{autoinstall, autoyast, kickstart, preseed, unattend};
use crate::image::AnswerKind;

/// Most lines that are looked at to recognise a file; long comments stand before the first word of some.
const MAX_LINES: usize = 2000;

/// What kind a file is, by its content. Templates are recognised as they are.
pub fn recognise(text: &str) -> AnswerKind {
    let text = text.trim_start_matches('\u{feff}');
    let lines = || text.lines().take(MAX_LINES);
    if text.trim_start().starts_with('<') {
        return recognise_xml(text);
    }
    if autoinstall::is_one(lines()) {
        AnswerKind::Autoinstall
    } else if preseed::is_one(lines()) {
        AnswerKind::Preseed
    } else if kickstart::is_one(lines()) {
        AnswerKind::Kickstart
    } else {
        AnswerKind::Other
    }
}

/// By the first element; comments and declarations may stand before it.
fn recognise_xml(text: &str) -> AnswerKind {
    let mut rest = text.trim_start();
    for _ in 0..MAX_LINES {
        let end = if rest.starts_with("<!--") { "-->" } else { ">" };
        if !(rest.starts_with("<!") || rest.starts_with("<?")) {
            break;
        }
        rest = rest.split_once(end).map_or("", |(_, behind)| behind.trim_start());
    }
    let is_end = |c: char| c.is_whitespace() || matches!(c, '>' | '/');
    let name = rest.strip_prefix('<').and_then(|name| name.split(is_end).next()).unwrap_or_default();
    match name.rsplit(':').next() {
        Some("unattend") => AnswerKind::Autounattend,
        Some("profile") => AnswerKind::Autoyast,
        _ => AnswerKind::Other,
    }
}

/// What people call a kind of file.
pub fn name(kind: AnswerKind) -> &'static str {
    match kind {
        AnswerKind::Autoinstall => "Ubuntu autoinstall",
        AnswerKind::Preseed => "Debian preseed",
        AnswerKind::Kickstart => "kickstart",
        AnswerKind::Autoyast => "AutoYaST profile",
        AnswerKind::Autounattend => "Windows answer file",
        AnswerKind::Other => "a file of its own kind",
    }
}

/// What is wrong with a filled-in file of this kind, in the order of its lines. Nothing is known of other kinds.
pub fn check(kind: AnswerKind, text: &str) -> Vec<Fault> {
    fault::ordered(match kind {
        AnswerKind::Autoinstall => autoinstall::check(text),
        AnswerKind::Preseed => preseed::check(text),
        AnswerKind::Kickstart => kickstart::check(text),
        AnswerKind::Autoyast => autoyast::check(text),
        AnswerKind::Autounattend => unattend::check(text),
        AnswerKind::Other => Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_recognised_by_what_is_in_them() {
        let cases = [
            ("#cloud-config\nautoinstall:\n  version: 1\n", AnswerKind::Autoinstall),
            ("\u{feff}#cloud-config\n# c\nautoinstall: {version: 1}\n", AnswerKind::Autoinstall),
            ("autoinstall:\n  version: 1\n", AnswerKind::Autoinstall),
            ("version: 1\nidentity:\n  hostname: x\n", AnswerKind::Autoinstall),
            ("#cloud-config\npackages: [vim]\n", AnswerKind::Other),
            ("#_preseed_V1\n", AnswerKind::Preseed),
            ("# c\n\nd-i debian-installer/locale string de_DE\n", AnswerKind::Preseed),
            ("ubiquity ubiquity/reboot boolean true\n", AnswerKind::Preseed),
            ("#version=RHEL9\n", AnswerKind::Kickstart),
            ("lang de_DE\nkeyboard de\n", AnswerKind::Kickstart),
            ("vmaccepteula\nrootpw x\n", AnswerKind::Kickstart),
            ("%include http://x/y\n%packages\n@core\n%end\n", AnswerKind::Kickstart),
            ("text\n", AnswerKind::Other),
            ("#!/bin/sh\nreboot\npoweroff\n", AnswerKind::Other),
            ("<?xml version=\"1.0\"?>\n<!-- <profile> -->\n<unattend xmlns=\"x\">", AnswerKind::Autounattend),
            ("<?xml version=\"1.0\"?>\n<!DOCTYPE profile>\n<profile xmlns=\"x\">", AnswerKind::Autoyast),
            ("<html>", AnswerKind::Other),
            ("{\"ignition\": {\"version\": \"3.0.0\"}}", AnswerKind::Other),
            ("", AnswerKind::Other),
        ];
        for (text, expected) in cases {
            assert_eq!(recognise(text), expected, "{text}");
        }
    }

    #[test]
    fn nothing_is_said_of_what_is_not_known() {
        assert_eq!(check(AnswerKind::Other, "<<<\0"), []);
    }

    #[test]
    fn no_check_stumbles_over_any_text() {
        let kinds = [
            AnswerKind::Autoinstall,
            AnswerKind::Preseed,
            AnswerKind::Kickstart,
            AnswerKind::Autoyast,
            AnswerKind::Autounattend,
        ];
        let texts = [
            "#cloud-config\nautoinstall:\n  version: 1\n  identity: {hostname: ä, username: b, password: \"$6$x\"}\n",
            "d-i passwd/user-password password ü\\\n x\nd-i a/b select\t\n",
            "rootpw --iscrypted \"$6\n%post --x\nuser --password=\n%end",
            "<?xml version=\"1.0\" encoding=\"x\"?><profile xmlns:config=\"c\"><users config:type=\"list\"><user><user_password>ß</user_password></user></users></profile>",
            "<unattend xmlns=\"urn:schemas-microsoft-com:unattend\"><settings pass=\"x\"><component/></settings></unattend>",
            "[[[[[{{{{&a *a *b !x ? : - -\n\t",
        ];
        for text in texts {
            for (end, _) in text.char_indices().chain([(text.len(), ' ')]) {
                for kind in kinds {
                    let faults = check(kind, &text[..end]);
                    assert!(faults.len() <= fault::MAX_FAULTS);
                    let ranges = super::super::preview::secrets(kind, &text[..end]);
                    super::super::preview::masked(&text[..end], &ranges);
                }
            }
        }
        for deep in ["[".repeat(200_000), "<a>".repeat(100_000), "{a: ".repeat(50_000), "- ".repeat(50_000)] {
            for kind in kinds {
                assert!(check(kind, &deep).len() <= fault::MAX_FAULTS);
            }
        }
    }
}
