//! Who made a network card, by the first digits of its address, from the list that this system keeps for itself: systemd's,
//! or that of the packages `hwdata`, `ieee-data` or nmap. Where there is none, nobody is named.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};

use crate::mac::Mac;
use crate::text;

/// Where distributions keep such a list.
const LISTS: [&str; 6] = [
    "/usr/lib/udev/hwdb.d/20-OUI.hwdb",
    "/lib/udev/hwdb.d/20-OUI.hwdb",
    "/usr/share/hwdata/oui.txt",
    "/usr/share/ieee-data/oui.txt",
    "/var/lib/ieee-data/oui.txt",
    "/usr/share/nmap/nmap-mac-prefixes",
];
/// Longest name that is kept.
const NAME: usize = 60;

/// The makers of these cards, as far as they are listed. Reads a file of some MB, so it may wait for the disk.
pub fn of(cards: impl IntoIterator<Item = Mac>) -> BTreeMap<Mac, String> {
    // An address that somebody made up (bit 1 of its first byte) is nobody's.
    let cards: Vec<Mac> = cards.into_iter().filter(|Mac([first, ..])| first & 2 == 0).collect();
    let list = LISTS.iter().filter(|_| !cards.is_empty()).find_map(|path| File::open(path).ok());
    list.map(|list| listed(BufReader::new(list), &cards)).unwrap_or_default()
}

fn listed(list: impl BufRead, cards: &[Mac]) -> BTreeMap<Mac, String> {
    let mut found = BTreeMap::new();
    // systemd has the digits and the name on two lines.
    let mut digits: Option<[u8; 3]> = None;
    for line in list.lines().map_while(Result::ok) {
        let name = match line.trim().strip_prefix("ID_OUI_FROM_DATABASE=") {
            Some(name) => name,
            None => {
                let (beginning, rest) = split(&line);
                digits = beginning;
                rest
            }
        };
        let Some(digits) = digits.filter(|_| !name.is_empty()) else { continue };
        for card in cards.iter().filter(|Mac([a, b, c, ..])| [*a, *b, *c] == digits) {
            found.entry(*card).or_insert_with(|| text::plain(name.trim(), NAME));
        }
    }
    found
}

/// The six digits that a line begins with, and what follows them: `OUI:00000C*`, `00-00-0C   (hex)  NAME`, `00000C NAME`.
fn split(line: &str) -> (Option<[u8; 3]>, &str) {
    let line = line.strip_prefix("OUI:").unwrap_or(line);
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let digits: String = word.trim_end_matches('*').chars().filter(|letter| *letter != '-').collect();
    if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return (None, "");
    }
    let number = u32::from_str_radix(&digits, 16).unwrap_or_default().to_be_bytes();
    let [_, a, b, c] = number;
    (Some([a, b, c]), rest.trim().trim_start_matches("(hex)").trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_systems_list_is_read() {
        let (one, two) = (Mac([0, 0, 0x0c, 1, 2, 3]), Mac([0xfc, 0xff, 0xaa, 1, 2, 3]));
        let lists = [
            "# comment\n\nOUI:00000C*\n ID_OUI_FROM_DATABASE=Made Up, Inc\n\nOUI:00000C1*\n ID_OUI_FROM_DATABASE=Part\n",
            "OUI/MA-L  Organization\n00-00-0C   (hex)\t\tMade Up, Inc\n00000C     (base 16)\t\tMade Up, Inc\n\t\tStreet 1\n",
            "00000C Made Up, Inc\n00000D Other\n",
        ];
        for list in lists {
            let expected = BTreeMap::from([(one, "Made Up, Inc".to_owned())]);
            assert_eq!(listed(list.as_bytes(), &[one, two]), expected, "{list}");
        }
        assert!(of([Mac([0x52, 0x54, 0, 0, 0, 1])]).is_empty(), "an address that somebody made up");
    }
}
