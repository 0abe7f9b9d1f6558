//! Holes: parts of files that never came. Downloaders that reserve the whole file first leave zeros where pieces are
//! missing, and such a file has the right size.

use std::fs::File;

use super::stored::{Stored, read_at};

/// Files smaller than this are not looked at: a torrent's piece may be as large, and small files may be padding.
const LARGE: u64 = 16 << 20;
/// Most files that are looked at, the largest.
const MAX_FILES: usize = 16;
/// Places in each: the beginning, the end and two between. With [`MAX_FILES`] 64 reads of a disk, about half a second.
const PLACES: u64 = 4;
/// How much is read at each place, in bytes. SquashFS fills its last 4 KiB with zeros.
const PIECE: u64 = 8 << 10;
/// What is packed has no run of zeros as long as that; images of drives do.
const PACKED: [&str; 14] = [
    ".squashfs",
    ".sfs",
    ".erofs",
    ".wim",
    ".esd",
    ".swm",
    ".xz",
    ".gz",
    ".zst",
    ".bz2",
    ".lz4",
    ".rpm",
    ".deb",
    ".7z",
];

/// Says of the largest packed files whether parts of them are missing.
pub(super) fn find<'a>(file: &File, files: impl Iterator<Item = (&'a str, &'a Stored)>) -> Vec<String> {
    let is_packed = |path: &str| {
        let path = path.to_ascii_lowercase();
        PACKED.iter().any(|ending| path.ends_with(ending))
    };
    let mut large: Vec<(&str, &Stored)> =
        files.filter(|(path, stored)| stored.size >= LARGE && is_packed(path)).collect();
    large.sort_by_key(|(_, stored)| std::cmp::Reverse(stored.size));
    large.truncate(MAX_FILES);
    let holes = large.into_iter().filter_map(|(path, stored)| Some((path, holes(file, stored)?)));
    holes
        .map(|(path, count)| {
            format!("{path}: nothing but zeros in {count} of {PLACES} places, so parts of it never came")
        })
        .collect()
}

/// In how many places a file has zeros only; none where that is nowhere, or cannot be told.
fn holes(file: &File, stored: &Stored) -> Option<u64> {
    let last = stored.size.checked_sub(PIECE)?;
    let mut piece = vec![0u8; usize::try_from(PIECE).ok()?];
    let mut count = 0;
    for place in 0..PLACES {
        let at = last / (PLACES - 1) * place;
        read_at(file, &stored.extents, at.min(last), &mut piece).ok()?;
        count += u64::from(piece.iter().all(|&byte| byte == 0));
    }
    (count > 0).then_some(count)
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, SeekFrom, Write};

    use super::*;
    use crate::image::stored::Extent;

    const SIZE: u64 = 20 << 20;

    fn stored(offset: u64, size: u64) -> Stored {
        Stored { size, extents: vec![Extent { at: 0, offset, length: size }].into() }
    }

    /// What is said of a file of this name and size, with text at these offsets and zeros elsewhere.
    fn said(name: &str, size: u64, texts: &[u64]) -> Vec<String> {
        let mut file = tempfile::tempfile().unwrap();
        file.set_len(size).unwrap();
        for at in texts {
            file.seek(SeekFrom::Start(*at)).unwrap();
            file.write_all(b"data").unwrap();
        }
        let stored = stored(0, size);
        find(&file, [(name, &stored)].into_iter())
    }

    #[test]
    fn zeros_in_a_packed_file_are_holes() {
        let last = SIZE - PIECE;
        let whole = [0, last / 3, last / 3 * 2, SIZE - 8];
        let cases: [(&str, u64, &[u64], Option<&str>); 6] = [
            ("/live/a.squashfs", SIZE, &whole, None),
            ("/live/a.squashfs", SIZE, &whole[1..], Some("1 of 4")),
            ("/Sources/Install.WIM", SIZE, &whole[..1], Some("3 of 4")),
            ("/live/a.squashfs", SIZE, &[], Some("4 of 4")),
            ("/live/disk.img", SIZE, &[], None),
            ("/live/a.squashfs", LARGE - 1, &[], None),
        ];
        for (name, size, texts, expected) in cases {
            let notes = said(name, size, texts);
            assert_eq!(notes.len(), usize::from(expected.is_some()), "{name} {texts:?}: {notes:?}");
            assert!(notes.iter().all(|note| note.starts_with(name) && note.contains(expected.unwrap_or_default())));
        }
    }

    #[test]
    fn only_the_largest_are_looked_at() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(SIZE * 2).unwrap();
        let files: Vec<(String, Stored)> =
            (0..100u64).map(|number| (format!("/{number}.gz"), stored(0, SIZE + number))).collect();
        let notes = find(&file, files.iter().map(|(path, stored)| (path.as_str(), stored)));
        assert_eq!(notes.len(), MAX_FILES);
        assert!(notes[0].starts_with("/99.gz") && notes[15].starts_with("/84.gz"), "{notes:?}");
    }
}
