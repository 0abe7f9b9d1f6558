//! Boot menus: a text, and after a NUL a second one that the first may include.

#![no_main]

use bootwright::image::bootcfg::{self, esxi};
use bootwright_fuzz::{kernel, open, raw};
use libfuzzer_sys::fuzz_target;

/// Where the two texts lie.
const PLACES: [[&str; 2]; 4] = [
    ["/boot/grub/grub.cfg", "/boot/grub/more.cfg"],
    ["/isolinux/isolinux.cfg", "/isolinux/more.cfg"],
    ["/loader/entries/a.conf", "/loader/entries/b.conf"],
    ["/boot.cfg", "/efi/boot/boot.cfg"],
];

fuzz_target!(|input: &[u8]| {
    let Some((kind, input)) = input.split_first() else { return };
    let mut parts = input.splitn(2, |&byte| byte == 0);
    let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if let Some(found) = std::str::from_utf8(first).ok().and_then(esxi::parse) {
        assert!(found.files().count() <= 600);
        found.with_arguments("quiet").for_network("http://192.0.2.1/image/x");
    }
    let [one, other] = PLACES[usize::from(kind % 4)];
    let files = [(one, first.to_vec()), (other, second.to_vec()), ("/k", kernel()), ("/i", b"i".to_vec())];
    let disc = open(&raw::Iso::of(b"FUZZ", &files).finish()).unwrap();
    let items = bootcfg::read(&disc);
    assert!(items.len() <= 64);
    for item in items {
        assert!(item.title.len() <= 1000 && item.initrd.len() <= 10_000, "{item:?}");
        assert!(item.arguments.len() <= 100_000, "{} bytes", item.arguments.len());
    }
});
