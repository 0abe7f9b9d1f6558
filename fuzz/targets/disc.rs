//! Whole images: a small disc with changes, or bytes as they come. Reads everything that is listed.

#![no_main]

use std::sync::LazyLock;

use bootwright::check;
use bootwright::image::{recipe, recognise};
use bootwright_fuzz::{bases, change, check_disc, check_inspection, open, seal};
use libfuzzer_sys::fuzz_target;

static BASES: LazyLock<[Vec<u8>; 3]> = LazyLock::new(bases);

fuzz_target!(|input: &[u8]| {
    let Some((kind, input)) = input.split_first() else { return };
    let image = match BASES.get(usize::from(kind % 4)) {
        Some(base) => {
            let mut image = base.clone();
            change(&mut image, input);
            if kind % 4 == 2 {
                seal(&mut image);
            }
            // What is cut off is told apart from what is damaged.
            image.truncate(image.len() - usize::from(kind / 4) * 512 % image.len());
            image
        }
        None => input.to_vec(),
    };
    match open(&image) {
        Ok(disc) => {
            check_disc(&disc);
            check_inspection(&recognise::judge(&disc, recipe::book()));
        }
        Err(error) => assert!(bootwright::text::is_plain(&check::explain_disc(&error).sentence()), "{error:?}"),
    }
});
