//! What must not leave with a trace or a report: tokens of answer files, passwords in arguments, and where a person
//! wants it so, who the computers are.

use std::collections::HashSet;

use super::Packet;
use crate::answer::{preview, tickets};
use crate::image::AnswerKind;
use crate::mac::Mac;

/// What stands in the place of each digit of a token.
const STRUCK: u8 = b'x';
/// Octets of a hardware address that tell one computer from others of its maker.
const OWN: usize = 3;

/// Strikes out every token of an answer file ([`tickets`]), wherever it stands: of the same length as before, so that
/// what is around it keeps its place.
pub fn strike_tokens(bytes: &mut [u8]) {
    let runs = bytes.chunk_by_mut(|a, b| a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    for run in runs.filter(|run| run.len() == tickets::LENGTH) {
        run.fill(STRUCK);
    }
}

/// The same in a text.
pub fn without_tokens(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    strike_tokens(&mut bytes);
    // Only digits were replaced, by a letter.
    String::from_utf8(bytes).unwrap_or_default()
}

/// What stands in the place of a password.
const HIDDEN: &str = "…";

/// Arguments of a kernel, or a sentence with some in it, as others may read it: without tokens, and without what
/// [`preview`] knows for secrets in any text.
pub fn without_secrets(text: &str) -> String {
    // `inst.rootpw` speaks of secrets by its last part.
    let speaks = |name: &str| name.split(['.', '-']).chain([name]).any(preview::speaks_of_secrets);
    let argument = |word: &str| match word.split_once('=') {
        Some((name, _)) if speaks(name) => format!("{name}={HIDDEN}"),
        _ => word.to_owned(),
    };
    let words: Vec<String> = without_tokens(text).split(' ').map(argument).collect();
    let mut shown = words.join(" ");
    for secret in preview::secrets(AnswerKind::Other, &shown).into_iter().rev() {
        shown.replace_range(secret, HIDDEN);
    }
    shown
}

/// A hardware address of which only the maker is left.
fn anonymous(mac: Mac) -> Mac {
    let Mac([a, b, c, ..]) = mac;
    Mac([a, b, c, 0, 0, 0])
}

/// The computers of which only the maker is to be told.
#[derive(Clone, Debug, Default)]
pub struct Mask(HashSet<Mac>);

impl Mask {
    /// For these.
    pub fn of(macs: impl IntoIterator<Item = Mac>) -> Mask {
        Mask(macs.into_iter().collect())
    }

    /// Replaces the last three octets of their hardware addresses by zeros, wherever they stand: as octets (many UUIDs end
    /// in them), and written with colons, with dashes or without either.
    pub fn hide(&self, bytes: &mut [u8]) {
        for at in 0..bytes.len() {
            let Some(rest) = bytes.get_mut(at..) else { return };
            if let Some((found, _)) = rest.split_first_chunk_mut::<6>()
                && self.0.contains(&Mac(*found))
            {
                *found = anonymous(Mac(*found)).0;
            }
            for step in [2, 3] {
                if written(rest, step).is_some_and(|mac| self.0.contains(&mac)) {
                    let digits = rest.iter_mut().take(6 * step).skip(OWN * step);
                    digits.filter(|digit| digit.is_ascii_hexdigit()).for_each(|digit| *digit = b'0');
                }
            }
        }
    }

    /// The same in a text.
    pub fn text(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        self.hide(&mut bytes);
        // Octets of an address could stand in the middle of a letter that takes several.
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The same of a packet.
    pub fn packet(&self, packet: &Packet) -> Packet {
        let mut hidden = packet.clone();
        hidden.mac = packet.mac.map(|mac| if self.0.contains(&mac) { anonymous(mac) } else { mac });
        self.hide(&mut hidden.payload);
        hidden.comments.iter_mut().for_each(|comment| *comment = self.text(comment));
        hidden
    }
}

/// The hardware address that is written at the beginning, with two digits for each octet; `step` is 3 where something
/// stands between those.
fn written(text: &[u8], step: usize) -> Option<Mac> {
    let mut octets = [0; 6];
    for (at, octet) in octets.iter_mut().enumerate() {
        let digit = |place: usize| char::from(*text.get(at * step + place)?).to_digit(16);
        *octet = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
        if step == 3 && at > 0 && !matches!(text.get(at * step - 1), Some(b':' | b'-')) {
            return None;
        }
    }
    Some(Mac(octets))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef0123456789ABCDEF";

    #[test]
    fn a_token_is_struck_out_and_nothing_else() {
        let request = format!("\0\x01grub/debian/{TOKEN}/boot.cfg\0octet\0");
        let struck = without_tokens(&request);
        assert_eq!(struck.len(), request.len());
        assert_eq!(struck, format!("\0\x01grub/debian/{}/boot.cfg\0octet\0", "x".repeat(32)));
        assert_eq!(without_tokens(TOKEN), "x".repeat(32));
        let checksum = format!("{TOKEN}{TOKEN}");
        for other in ["vmlinuz", "20304050-0000-4000-8000-525400770101", &checksum, "ünïcode"] {
            assert_eq!(without_tokens(other), other);
        }
    }

    #[test]
    fn passwords_in_arguments_are_left_out() {
        let cases = [
            ("quiet password=x1 console=ttyS0", "quiet password=… console=ttyS0"),
            ("inst.rootpw=x1 rd.luks.key-pass=a WIFI_PSK=b", "inst.rootpw=… rd.luks.key-pass=… WIFI_PSK=…"),
            ("url=http://ann:x1@10.0.0.1/ks.cfg", "url=http://ann:…@10.0.0.1/ks.cfg"),
            ("keymap=de url=http://10.0.0.1/a@b", "keymap=de url=http://10.0.0.1/a@b"),
            (
                "url=http://10.0.0.1/answer/0123456789abcdef0123456789abcdef/ks.cfg",
                "url=http://10.0.0.1/answer/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/ks.cfg",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(without_secrets(text), expected);
        }
    }

    #[test]
    fn a_hardware_address_is_hidden_in_every_form() {
        let mac = Mac([0x52, 0x54, 0, 0x77, 0xa1, 1]);
        let cases = [
            ("a 52:54:00:77:a1:01 b", "a 52:54:00:00:00:00 b"),
            ("01-52-54-00-77-A1-01", "01-52-54-00-00-00-00"),
            ("uuid …-52540077a101", "uuid …-525400000000"),
            ("52:54:00:77:a1:02", "52:54:00:77:a1:02"),
        ];
        for (text, expected) in cases {
            assert_eq!(Mask::of([mac]).text(text), expected);
        }
        let mut bytes = [1, 0x52, 0x54, 0, 0x77, 0xa1, 1, 9];
        Mask::of([mac]).hide(&mut bytes);
        assert_eq!(bytes, [1, 0x52, 0x54, 0, 0, 0, 0, 9]);
    }
}
