//! Paths with `*` in them, as recipes name files whose names carry a version.

/// Matches a path against a pattern in which `*` stands for any characters within one folder. Returns what the first
/// `*` stood for, empty where there is none.
pub fn captures<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    let mut segments = (pattern.split('/'), path.split('/'));
    let mut first = None;
    loop {
        match (segments.0.next(), segments.1.next()) {
            (None, None) => return Some(first.unwrap_or("")),
            (Some(pattern), Some(name)) => {
                let captured = segment(pattern, name)?;
                if pattern.contains('*') {
                    first.get_or_insert(captured);
                }
            }
            _ => return None,
        }
    }
}

/// One folder or file name, letters in either case: ISO 9660 without Rock Ridge has upper case only.
fn segment<'a>(pattern: &str, name: &'a str) -> Option<&'a str> {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern.eq_ignore_ascii_case(name).then_some("");
    };
    let (between, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    let name = strip_suffix(tail, strip_prefix(head, name)?)?;
    // Each part where it comes first. Menus of images bring patterns as well, so no way is tried twice: with ten `*` that
    // would take years.
    let (mut left, mut first) = (name, None);
    for part in between.split('*').filter(|part| !part.is_empty()) {
        let at = find(part, left)?;
        first.get_or_insert(left.get(..at)?);
        left = left.get(at + part.len()..)?;
    }
    // Two `*` with nothing between them: the first stands for nothing.
    Some(if rest.starts_with('*') { "" } else { first.unwrap_or(name) })
}

/// Where a text comes first in another, letters in either case.
fn find(part: &str, text: &str) -> Option<usize> {
    text.as_bytes().windows(part.len().max(1)).position(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

fn strip_prefix<'a>(prefix: &str, text: &'a str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn strip_suffix<'a>(suffix: &str, text: &'a str) -> Option<&'a str> {
    let (rest, tail) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    tail.eq_ignore_ascii_case(suffix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::captures;

    #[test]
    fn stars_stay_within_a_folder() {
        let cases = [
            ("/live/vmlinuz", "/live/vmlinuz", Some("")),
            ("/live/vmlinuz", "/LIVE/VMLINUZ", Some("")),
            ("/live/vmlinuz-*", "/live/vmlinuz-6.1.0-18-amd64", Some("6.1.0-18-amd64")),
            ("/live/*.squashfs", "/live/filesystem.squashfs", Some("filesystem")),
            ("/*/x86_64/airootfs.*", "/arch/x86_64/airootfs.sfs", Some("arch")),
            ("/install.*/vmlinuz", "/install.amd/gtk/vmlinuz", None),
            ("/a*b*c", "/aXbYbc", Some("X")),
            ("/live/vmlinuz-*", "/live/vmlinuz", None),
            ("/é*", "/éa", Some("a")),
            ("/aa*aa", "/aaa", None),
            ("/a*b*c", "/aXcYbZc", Some("XcY")),
            ("/a*b*c", "/aXc", None),
            ("/a*b*b", "/aXb", None),
            ("/*É*x", "/aÉbx", Some("a")),
            ("/a**c", "/aXc", Some("")),
            ("/a***", "/aXc", Some("")),
            ("/*", "/", Some("")),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(captures(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn many_stars_are_quick() {
        let (pattern, name) = (format!("/{}b", "*a".repeat(100)), format!("/{}", "a".repeat(4000)));
        assert_eq!(captures(&pattern, &name), None);
        assert_eq!(captures(&pattern, &format!("{name}b")), Some(""));
    }
}
