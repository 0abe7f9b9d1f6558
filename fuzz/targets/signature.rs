//! UEFI programs: a whole file as it comes.

#![no_main]

use std::io;

use bootwright::image::signature;
use bootwright::text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let read = |at: u64, buffer: &mut [u8]| {
        let at = usize::try_from(at).map_err(io::Error::other)?;
        let part = at.checked_add(buffer.len()).and_then(|end| input.get(at..end));
        // Nothing behind the end is asked for.
        buffer.copy_from_slice(part.expect("it lies within the file"));
        Ok(())
    };
    let Some(found) = signature::of("/a.efi", &read, input.len() as u64) else { return };
    assert!(
        found.signed_by.len() <= 4 && found.trusts.len() <= 16 && found.refuses.len() <= 16 && found.sbat.len() <= 16
    );
    let signers = found.signed_by.iter().flat_map(|it| [&it.signer, &it.issuer, &it.root]);
    let parts = found.sbat.iter().flat_map(|it| [&it.component, &it.vendor, &it.package, &it.version, &it.url]);
    let prefix = found.grub.iter().filter_map(|grub| grub.prefix.as_ref());
    let mut texts = signers.chain(&found.trusts).chain(&found.refuses).chain(parts).chain(prefix);
    assert!(texts.all(|text| text::is_plain(text) && text.chars().count() <= 200));
});
