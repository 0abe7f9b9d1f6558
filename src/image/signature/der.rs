//! The little of DER (ITU-T X.690) that certificates need, read item by item: whoever reads goes down by hand to where
//! the names are, so no depth is followed. Forms that DER forbids (indefinite lengths) are none.

/// Tags (X.690 section 8.1.2; X.680 table 1).
pub(super) const INTEGER: u8 = 0x02;
pub(super) const OID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
/// The first field with a tag of its own, constructed.
pub(super) const CONTEXT_0: u8 = 0xa0;

/// One item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item<'a> {
    /// Its first byte: class, form and number. Tags of several bytes are none that we read.
    pub(super) tag: u8,
    /// What is in it.
    pub(super) content: &'a [u8],
}

/// The items of a run of bytes; ends at the first that is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Items<'a>(pub(super) &'a [u8]);

impl<'a> Items<'a> {
    /// The next item, where it has this tag; else nothing is consumed.
    pub(super) fn field(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let item = ahead.next().filter(|item| item.tag == tag)?;
        *self = ahead;
        Some(item.content)
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (length, rest) = length(rest)?;
        let (content, rest) = rest.split_at_checked(length)?;
        // Number 31 announces more bytes of the tag (X.690 section 8.1.2.4).
        if tag & 0x1f == 0x1f {
            return None;
        }
        self.0 = rest;
        Some(Item { tag, content })
    }
}

/// A length in its short form, or in its long form of up to four bytes (X.690 section 8.1.3).
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    if first < 0x80 {
        return Some((usize::from(first), rest));
    }
    let count = usize::from(first & 0x7f);
    if !(1..=4).contains(&count) {
        return None;
    }
    let (digits, rest) = rest.split_at_checked(count)?;
    let length = digits.iter().fold(0u64, |length, &digit| length << 8 | u64::from(digit));
    Some((usize::try_from(length).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_bounded_by_what_is_there() {
        let long = [&[0x04, 0x81, 0x80][..], &[7; 128]].concat();
        let cases: [(&str, &[u8], Option<usize>); 10] = [
            ("empty", &[], None),
            ("a tag alone", &[0x30], None),
            ("nothing in it", &[0x30, 0], Some(0)),
            ("short", &[0x02, 1, 5], Some(1)),
            ("long", &long, Some(128)),
            ("cut off", &[0x02, 2, 5], None),
            ("indefinite", &[0x30, 0x80, 0, 0], None),
            ("4 GiB", &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0], None),
            ("five bytes of length", &[0x30, 0x85, 0, 0, 0, 0, 1, 7], None),
            ("a tag of two bytes", &[0x3f, 0x81, 0], None),
        ];
        for (name, bytes, expected) in cases {
            assert_eq!(Items(bytes).next().map(|item| item.content.len()), expected, "{name}");
        }
    }

    #[test]
    fn an_item_of_another_tag_stays() {
        let mut items = Items(&[0x02, 1, 5, 0x30, 0]);
        assert_eq!(items.field(SEQUENCE), None);
        assert_eq!(items.field(INTEGER), Some(&[5][..]));
        assert_eq!(items.field(SEQUENCE), Some(&[][..]));
        assert_eq!(items.next(), None);
    }
}
