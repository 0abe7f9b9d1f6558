//! Byte ranges (RFC 9110 section 14).

/// What part of a file is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it: no range, one that cannot be read, or several (RFC 9110 section 14.2 lets a server ignore them, which
    /// is the whole defence against range bombs).
    Whole,
    /// These bytes, both ends included.
    Bytes {
        /// Offset of the first byte.
        first: u64,
        /// Offset of the last byte.
        last: u64,
    },
    /// A range that lies behind the end.
    Unsatisfiable,
}

/// Reads a `Range` header for a file of `size` bytes.
pub fn part(header: Option<&str>, size: u64) -> Part {
    let Some(range) = header.and_then(|header| split_unit(header)) else { return Part::Whole };
    if range.contains(',') {
        return Part::Whole;
    }
    let Some((first, last)) = range.trim().split_once('-') else { return Part::Whole };
    match (number(first), number(last)) {
        (Some(first), None) if last.is_empty() => bytes(first, size.saturating_sub(1), size),
        (Some(first), Some(last)) if first <= last => bytes(first, last.min(size.saturating_sub(1)), size),
        (None, Some(0)) if first.is_empty() => Part::Unsatisfiable,
        (None, Some(suffix)) if first.is_empty() => bytes(size.saturating_sub(suffix), size.saturating_sub(1), size),
        _ => Part::Whole,
    }
}

fn split_unit(header: &str) -> Option<&str> {
    let (unit, ranges) = header.split_once('=')?;
    unit.trim().eq_ignore_ascii_case("bytes").then_some(ranges)
}

/// Digits only: `str::parse` would take a plus sign. A number too large for 64 bits is as good as the largest one.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

fn bytes(first: u64, last: u64, size: u64) -> Part {
    if first < size { Part::Bytes { first, last } } else { Part::Unsatisfiable }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_clipped_or_ignored() {
        let bytes = |first, last| Part::Bytes { first, last };
        let cases = [
            (None, Part::Whole),
            (Some("bytes=0-0"), bytes(0, 0)),
            (Some("Bytes=5-"), bytes(5, 99)),
            (Some("bytes=90-1000"), bytes(90, 99)),
            (Some("bytes=-10"), bytes(90, 99)),
            (Some("bytes=-1000"), bytes(0, 99)),
            (Some("bytes=0-18446744073709551615"), bytes(0, 99)),
            (Some("bytes=0-99999999999999999999999"), bytes(0, 99)),
            (Some("bytes=100-"), Part::Unsatisfiable),
            (Some("bytes=99999999999999999999999-"), Part::Unsatisfiable),
            (Some("bytes=-0"), Part::Unsatisfiable),
            (Some("bytes=5-4"), Part::Whole),
            (Some("bytes=+1-5"), Part::Whole),
            (Some("bytes=-"), Part::Whole),
            (Some("bytes=a-b"), Part::Whole),
            (Some("bytes=0-1,5-6"), Part::Whole),
            (Some("lines=0-1"), Part::Whole),
            (Some("bytes"), Part::Whole),
        ];
        for (header, expected) in cases {
            assert_eq!(part(header, 100), expected, "{header:?}");
        }
        assert_eq!(part(Some("bytes=0-"), 0), Part::Unsatisfiable);
        assert_eq!(part(Some("bytes=-5"), 0), Part::Unsatisfiable);
        let huge = 5_368_721_465;
        assert_eq!(part(Some("bytes=5368721464-"), huge), bytes(huge - 1, huge - 1));
    }
}
