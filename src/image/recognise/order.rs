//! Versions in the order in which people read them.

use std::cmp::Ordering;

/// Compares as people do: digits as numbers, so that 6.10 comes after 6.9.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (own, other) = (digits(a), digits(b));
        if own > 0 && other > 0 {
            let (number, rest) = a.split_at(own);
            let (other_number, other_rest) = b.split_at(other);
            let (number, other_number) = (number.trim_start_matches('0'), other_number.trim_start_matches('0'));
            let order = number.len().cmp(&other_number.len()).then_with(|| number.cmp(other_number));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (rest, other_rest);
            continue;
        }
        let (mut letters, mut other_letters) = (a.chars(), b.chars());
        match (letters.next(), other_letters.next()) {
            (Some(letter), Some(other)) if letter == other => (a, b) = (letters.as_str(), other_letters.as_str()),
            (letter, other) => return letter.cmp(&other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_people_do() {
        let ordered = ["", "5.10.0-9-amd64", "5.10.0-28-amd64", "6.1.0-9-amd64", "6.1.0-18-amd64", "6.9.0", "6.10.0"];
        for pair in ordered.windows(2) {
            assert_eq!(natural(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(natural(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
        assert_eq!(natural("6.01", "6.1"), Ordering::Equal);
        assert_eq!(natural("99999999999999999999999", "100000000000000000000000"), Ordering::Less);
    }
}
