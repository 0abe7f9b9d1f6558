//! Windows images: a whole file as it comes, or XML with a header that is right.

#![no_main]

use std::io;

use bootwright::image::wim;
use bootwright::text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((kind, input)) = input.split_first() else { return };
    let bytes = if kind % 2 == 0 { input.to_vec() } else { with_header(input) };
    let read = |at: u64, buffer: &mut [u8]| {
        let at = usize::try_from(at).map_err(io::Error::other)?;
        let part = at.checked_add(buffer.len()).and_then(|end| bytes.get(at..end));
        // Nothing behind the end is asked for.
        buffer.copy_from_slice(part.expect("it lies within the file"));
        Ok(())
    };
    match wim::parse(read, bytes.len() as u64) {
        Ok(found) => {
            assert!(found.images.len() <= 1000 && found.part.0 >= 1 && found.part.0 <= found.part.1);
            for image in found.images {
                let texts = [image.name, image.description, image.edition_id, image.installation_type, image.version];
                let mut texts = texts.into_iter().chain(image.languages);
                assert!(texts.all(|text| text::is_plain(&text) && text.chars().count() <= 200));
            }
        }
        Err(error) => assert!(text::is_plain(&error.to_string()), "{error:?}"),
    }
});

/// The input as the XML's text, of one byte a character.
fn with_header(input: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(input);
    let xml: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut bytes = vec![0u8; 208];
    bytes[..8].copy_from_slice(b"MSWIM\0\0\0");
    bytes[8] = 208;
    // A second part of two, whose count of images is not compared.
    (bytes[40], bytes[42]) = (2, 2);
    bytes[72..80].copy_from_slice(&(xml.len() as u64).to_le_bytes());
    bytes[80] = 208;
    bytes.extend(xml);
    bytes
}
