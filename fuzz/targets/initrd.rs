//! Initrds: rows of cpio archives, plain and packed.

#![no_main]

use std::time::{Duration, Instant};

use bootwright::image::initrd::{self, Budget};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    // Small, so that the fuzzer does not spend its time with bombs.
    let mut budget = Budget { bytes: 4 << 20, entries: 10_000, deadline: Instant::now() + Duration::from_secs(5) };
    if let Some(found) = initrd::look_at(input, &mut budget) {
        assert!(found.entries <= 10_001);
    }
});
