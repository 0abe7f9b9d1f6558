//! Archives of single files for an initramfs ("newc", Linux `Documentation/driver-api/early-userspace/buffer-format.rst`).
//!
//! The kernel unpacks every archive that it is given, later ones over earlier ones, so a file of an image gets into its
//! initramfs without the image being touched. Loaders could make them too, but iPXE of 2019 cannot on UEFI.

/// What stands before and behind the bytes of a file of `size` bytes; `None` where an archive cannot hold it. `to` is its
/// path in the initramfs, `mode` its permissions in octal.
pub(super) fn around(to: &str, mode: &str, size: u64) -> Option<(Vec<u8>, Vec<u8>)> {
    // A size has eight hexadecimal digits.
    let size = u32::try_from(size).ok()?;
    let mode = u32::from_str_radix(mode, 8).ok().filter(|mode| *mode <= 0o7777)?;
    let path = to.trim_start_matches('/');
    let mut before = Vec::new();
    // Folders on the way: the kernel makes none by itself, and leaves those that are there.
    for (at, _) in path.match_indices('/') {
        header(&mut before, path.get(..at)?, 0o040_755, 0);
    }
    header(&mut before, path, 0o100_000 | mode, size);
    let mut behind = vec![0; padding(size as usize)];
    header(&mut behind, "TRAILER!!!", 0, 0);
    Some((before, behind))
}

fn padding(length: usize) -> usize {
    length.next_multiple_of(4) - length
}

fn header(out: &mut Vec<u8>, name: &str, mode: u32, size: u32) {
    // Numbers of inodes need not be unique for files with one link.
    let fields = [0, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, u32::try_from(name.len() + 1).unwrap_or(0), 0];
    out.extend(b"070701");
    for field in fields {
        out.extend(format!("{field:08x}").bytes());
    }
    out.extend(name.bytes());
    out.push(0);
    // A header is 110 bytes long, so that name and header together end at a multiple of four.
    let end = out.len() + padding(name.len() + 1 + 110);
    out.resize(end, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gnu_cpio_would_unpack_it() {
        let (before, behind) = around("/usr/lib/squashfs.img", "640", 5).expect("an archive");
        let archive = [before, b"12345".to_vec(), behind].concat();
        let mut rest = archive.as_slice();
        let mut names = Vec::new();
        while let Some(header) = rest.get(..110) {
            assert_eq!(&header[..6], b"070701");
            let field = |at: usize| {
                usize::from_str_radix(std::str::from_utf8(&header[6 + 8 * at..14 + 8 * at]).unwrap(), 16).unwrap()
            };
            let (mode, size, length) = (field(1), field(6), field(11));
            let name = std::str::from_utf8(&rest[110..110 + length - 1]).unwrap();
            let data = (110 + length).next_multiple_of(4);
            names.push((name, mode, rest[data..data + size].to_vec()));
            if name == "TRAILER!!!" {
                break;
            }
            rest = &rest[(data + size).next_multiple_of(4)..];
        }
        let expected = [
            ("usr", 0o040_755, vec![]),
            ("usr/lib", 0o040_755, vec![]),
            ("usr/lib/squashfs.img", 0o100_640, b"12345".to_vec()),
            ("TRAILER!!!", 0, vec![]),
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn what_an_archive_cannot_hold_is_refused() {
        assert!(around("/a", "644", u64::from(u32::MAX)).is_some());
        assert!(around("/a", "644", 1 << 32).is_none());
        assert!(around("/a", "rw", 1).is_none());
        assert!(around("/a", "77777", 1).is_none());
    }
}
