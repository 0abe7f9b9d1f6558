//! Checksums that somebody pasted.

#![no_main]

use std::path::Path;

use bootwright::image::checksum::{self, hex};
use bootwright::text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    match checksum::pasted(input, Path::new("/isos/debian.iso")) {
        Ok(found) => {
            assert!(text::is_plain(&found.line));
            // What was read is read again from its digits.
            let again = checksum::pasted(&hex(&found.digest), Path::new("/x")).expect("digits alone are enough");
            assert_eq!(again.digest, found.digest);
        }
        Err(problem) => assert!(text::is_plain(&problem.to_string()), "{problem:?}"),
    }
});
