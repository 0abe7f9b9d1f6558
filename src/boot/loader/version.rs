//! What iPXE says of its own version, in `${version}` and inside its files.

use std::fmt;

/// Most characters of a version that are kept; Debian's has 30.
pub const LONGEST: usize = 64;
/// The day on which iPXE's sources got the command `shim` (2023-05-24), with a few days for who builds of them. Release
/// 1.21.1 is of 2020, release 2.0.0 of 2026.
const SHIM_SINCE: u32 = 20_230_601;
/// The first release that has it.
const SHIM_RELEASE: (u32, u32, u32) = (2, 0, 0);

/// A version of iPXE, older ones first: `2.0.0`, `1.21.1+ (g4bd064de)`, `1.0.0+git-20190125.36a4c85-5.1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    numbers: (u32, u32, u32),
    /// The day of the sources as a number like 20190125, where a distribution names it; iPXE itself does not.
    day: Option<u32>,
    text: String,
}

impl Version {
    /// Reads one; `None` for what does not begin with three numbers, or has other characters than versions have.
    pub fn parse(text: &str) -> Option<Version> {
        let text = text.trim();
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b".+-~_() :".contains(&byte);
        if text.len() > LONGEST || !text.bytes().all(known) {
            return None;
        }
        let (numbers, rest) = text.split_at(text.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(text.len()));
        let mut numbers = numbers.split('.').map(|number| number.parse::<u32>().ok());
        let numbers = (numbers.next()??, numbers.next()??, numbers.next()??, numbers.next());
        let (major, minor, patch, None) = numbers else { return None };
        Some(Version { numbers: (major, minor, patch), day: day(rest), text: text.to_owned() })
    }

    /// Whether it has the command `shim` for certain. `1.21.1+` with nothing but a commit may be of any day from 2020 to
    /// 2026, so it counts as without.
    pub fn has_shim(&self) -> bool {
        self.numbers >= SHIM_RELEASE || self.day.is_some_and(|day| day >= SHIM_SINCE)
    }

    /// As a part of a folder's name: letters, digits, `.`, `+` and `-`, and never a dot first.
    pub fn folder(&self) -> String {
        let kept = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-');
        self.text.chars().filter(kept).collect()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// The first eight digits that can be a day of this century: behind `git`, `git-`, `+`, `~` or `_p`, as distributions
/// write it, and not a part of a commit (`g20250101`).
fn day(rest: &str) -> Option<u32> {
    let starts = rest.match_indices(['t', '-', '+', '~', 'p']).map(|(at, _)| at + 1);
    let days = starts.filter_map(|start| {
        let (digits, behind) = rest.get(start..)?.split_at_checked(8)?;
        let ends = !behind.starts_with(|c: char| c.is_ascii_alphanumeric());
        digits.parse().ok().filter(|_| ends && digits.bytes().all(|byte| byte.is_ascii_digit()))
    });
    days.into_iter().find(|day| (20_050_101..=20_991_231).contains(day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_certainly_has_the_command_counts() {
        let cases = [
            ("1.0.0+git-20190125.36a4c85-5.1", Some(false)),
            ("1.21.1", Some(false)),
            ("1.21.1+ (g4bd064de)", Some(false)),
            ("1.21.1+ (g20250101)", Some(false)),
            ("1.21.1+git20230523.764e34f", Some(false)),
            ("1.21.1+git20240329.764e34f", Some(true)),
            ("1.21.1+git-20220113.fbbdc3926-0ubuntu2", Some(false)),
            ("2.0.0", Some(true)),
            ("2.0.0+ (g12798ec)", Some(true)),
            (" 10.1.2 ", Some(true)),
            ("1.21", None),
            ("1.21.1.2", None),
            ("1.21.x", None),
            ("2.0.0\n1", None),
            ("2.0.0 ${x}", None),
            ("2.0.99999999999", None),
            ("", None),
            ("git", None),
        ];
        for (text, shim) in cases {
            assert_eq!(Version::parse(text).map(|version| version.has_shim()), shim, "{text:?}");
        }
        assert_eq!(Version::parse(&format!("2.0.0{}", "+".repeat(LONGEST))), None);
    }

    #[test]
    fn newer_is_greater_and_folders_have_plain_names() {
        let version = |text| Version::parse(text).unwrap();
        let order =
            ["1.0.0+git-20190125.36a4c85-5.1", "1.21.1", "1.21.1+git20230523.7", "2.0.0", "2.0.0+ (gab)", "2.0.10"];
        for pair in order.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
        assert_eq!(version("2.0.0+ (g12798ec)").folder(), "2.0.0+g12798ec");
        assert_eq!(version("2.0.0+ (g12798ec)").to_string(), "2.0.0+ (g12798ec)");
    }
}
