//! Images from the tables of `tests/layouts`, without any program that makes images.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

use super::{layout, raw};

/// The first image of a table.
pub fn image(table: &str) -> Vec<u8> {
    let path = format!("{}/tests/layouts/{table}.toml", env!("CARGO_MANIFEST_DIR"));
    let table: layout::Table = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let image = &table.image[0];
    let files: Vec<(&str, Vec<u8>)> =
        image.files.iter().map(|(path, content)| (path.as_str(), layout::bytes(content))).collect();
    raw::Iso::of(image.label.as_bytes(), &files).finish()
}
