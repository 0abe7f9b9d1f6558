//! Images with the layouts of real systems, made by xorriso and genisoimage, and images that are none.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

mod disc;
#[path = "disc/raw.rs"]
mod raw;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use bootwright::image::{self, DiscError, Firmware, Foreign, Inspection};

fn ready(test: &str, program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        println!("SKIPPED {test}: {program} is missing");
    }
    found
}

/// The least header of a kernel for x86_64 that both a BIOS and UEFI start.
fn kernel() -> Vec<u8> {
    let mut bytes = vec![0u8; 2048];
    bytes[..2].copy_from_slice(b"MZ");
    bytes[0x3c] = 0x80;
    bytes[0x80..0x86].copy_from_slice(b"PE\0\0\x64\x86");
    bytes[0x202..0x206].copy_from_slice(b"HdrS");
    bytes[0x236] = 1;
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// A file of a test image: a path, and what is in it.
type Entry<'a> = (&'a str, Vec<u8>);

struct Maker {
    folder: tempfile::TempDir,
}

impl Maker {
    fn new() -> Maker {
        Maker { folder: tempfile::tempdir().unwrap() }
    }

    fn tree(&self, name: &str, files: &[Entry]) -> PathBuf {
        let root = self.folder.path().join(name);
        for (path, content) in files {
            let path = root.join(path.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        root
    }

    /// An ISO 9660 image with Rock Ridge and Joliet.
    fn iso(&self, label: &str, files: &[Entry]) -> PathBuf {
        let root = self.tree(label, files);
        self.pack("xorriso", &["-as", "mkisofs", "-quiet", "-R", "-J", "-V", label], &root)
    }

    fn pack(&self, program: &str, options: &[&str], root: &Path) -> PathBuf {
        let image = root.with_extension("iso");
        let output = Command::new(program).args(options).arg("-o").arg(&image).arg(root).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        image
    }
}

fn text(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn inspect(path: &Path) -> Inspection {
    image::inspect(path).unwrap().1
}

#[test]
fn a_debian_installer_for_cds_says_that_it_cannot() {
    if !ready("installer", "xorriso") {
        return;
    }
    let files = [
        ("/.disk/info", text("Debian GNU/Linux 12.5.0 \"Bookworm\" - Official amd64 NETINST")),
        ("/install.amd/vmlinuz", kernel()),
        ("/install.amd/initrd.gz", gzip(b"cpio lib/debian-installer/cdrom-retriever cpio")),
        ("/dists/bookworm/Release", text("r")),
    ];
    let found = inspect(&Maker::new().iso("Debian 12.5.0 amd64 n", &files));
    assert_eq!(found.recognised.map(|system| system.id).as_deref(), Some("debian-installer"));
    assert!(found.entries.is_empty());
    assert!(found.warnings[0].contains("netboot"), "{:?}", found.warnings);
}

#[test]
fn debians_own_images_are_recognised() {
    let images = [
        ("/usr/lib/memtest86+/memtest86+x64.iso", "memtest86plus", vec![Firmware::Bios, Firmware::Uefi]),
        ("/usr/lib/grub-rescue/grub-rescue-cdrom.iso", "grub-rescue", vec![Firmware::Bios]),
    ];
    for (path, id, firmware) in images {
        if !Path::new(path).exists() {
            println!("SKIPPED {id}: {path} is missing");
            continue;
        }
        let found = inspect(Path::new(path));
        assert_eq!(found.recognised.map(|system| system.id).as_deref(), Some(id));
        assert_eq!(found.entries.iter().map(|entry| entry.firmware.clone()).collect::<Vec<_>>(), [firmware]);
    }
}

#[test]
fn what_no_recipe_knows_is_read_from_its_own_menu() {
    if !ready("own menus", "xorriso") {
        return;
    }
    let maker = Maker::new();
    let grub = "set timeout=5\nset k=/boot/vmlinuz\nsource /boot/grub/more.cfg\n";
    let more = "menuentry \"Start Foo \\\"OS\\\"\" {\n  linux $k quiet findiso=${iso_path} splash\n  initrd (loop)/boot/initrd.img\n}\n\
                menuentry 'Broken' {\n linux /nowhere\n}\n";
    let files = [
        ("/boot/grub/grub.cfg", text(grub)),
        ("/boot/grub/more.cfg", text(more)),
        ("/boot/vmlinuz", kernel()),
        ("/boot/initrd.img", text("i")),
    ];
    let found = inspect(&maker.iso("FOO_OS", &files));
    let [entry] = found.entries.as_slice() else { panic!("{:?}", found.entries) };
    assert_eq!((entry.title.as_str(), entry.kernel.as_deref()), ("Start Foo \"OS\"", Some("/boot/vmlinuz")));
    assert_eq!((entry.cmdline.as_str(), &entry.initrd), ("quiet splash", &vec!["/boot/initrd.img".to_owned()]));
    assert_eq!(found.recognised.unwrap().id, "boot-menu");
    assert!(found.warnings[0].contains("not known"), "{:?}", found.warnings);

    // A live-boot derivative under another name becomes one for the network.
    let isolinux = "DEFAULT vesamenu.c32\nINCLUDE menu/live.cfg\n";
    let live = "LABEL live\n  MENU LABEL ^Bar Live\n  KERNEL ../bar/vmlinuz\n  APPEND initrd=/bar/initrd.img boot=live findiso=x quiet\n";
    let live = live.replace("../bar", "/bar");
    let files = [
        ("/isolinux/isolinux.cfg", text(isolinux)),
        ("/isolinux/menu/live.cfg", text(&live)),
        ("/bar/vmlinuz", kernel()),
        ("/bar/initrd.img", text("i")),
        ("/bar/filesystem.squashfs", text("s")),
    ];
    let found = inspect(&maker.iso("BAR", &files));
    let [entry] = found.entries.as_slice() else { panic!("{:?}", found.entries) };
    assert_eq!((entry.title.as_str(), &entry.initrd), ("Bar Live", &vec!["/bar/initrd.img".to_owned()]));
    assert_eq!(entry.cmdline, "boot=live quiet fetch={base_url}/bar/filesystem.squashfs");
    assert_eq!(found.warnings, Vec::<String>::new());
}

#[test]
fn udf_comes_before_iso_9660() {
    if !ready("UDF", "genisoimage") {
        return;
    }
    let maker = Maker::new();
    let root = maker.tree("UDFDISC", &[("/Sources/Boot.wim", text("w")), ("/readme.txt", text("r"))]);
    let image = maker.pack("genisoimage", &["-quiet", "-udf", "-V", "UDFDISC"], &root);
    let (disc, found) = image::inspect(&image).unwrap();
    assert_eq!(found.filesystem, image::stored::Filesystem::Udf);
    assert!(disc.find("/sources/BOOT.WIM").is_some(), "letters in either case");
    assert_eq!(disc.read_text("/Sources/Boot.wim", 10).as_deref(), Some("w"));
    assert!(found.entries.is_empty() && found.warnings[0].contains("cannot boot"), "{:?}", found.warnings);
}

#[test]
fn a_file_in_several_extents_is_one_file() {
    let maker = Maker::new();
    let path = maker.folder.path().join("big.iso");
    disc::with_big_file(&path);
    let (opened, _) = image::inspect(&path).unwrap();
    assert_eq!(opened.find("/big.bin").map(|file| (file.size, file.extents.len())), Some((disc::BIG, 2)));
    let start = opened.read_start("/BIG.BIN", 11).unwrap();
    assert_eq!(start, b"first bytes");
}

#[test]
fn links_lead_to_their_files_and_nowhere_else() {
    if !ready("links", "xorriso") {
        return;
    }
    let maker = Maker::new();
    let root = maker.tree("LINKS", &[("/casper_real/vmlinuz", kernel())]);
    let link = |target: &str, name: &str| std::os::unix::fs::symlink(target, root.join(name)).unwrap();
    link("casper_real", "casper");
    link("../../../../etc/passwd", "out");
    link("round", "round");
    link(".", "self");
    let image = maker.pack("xorriso", &["-as", "mkisofs", "-quiet", "-R", "-V", "LINKS"], &root);
    let (disc, _) = image::inspect(&image).unwrap();
    assert_eq!(disc.resolve("/casper/vmlinuz").as_deref(), Some("/casper_real/vmlinuz"));
    assert!(disc.find("/self/self/casper/vmlinuz").is_some());
    assert!(disc.find("/out").is_none() && disc.find("/round").is_none());
}

#[test]
fn what_is_no_image_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        image::inspect(&path).map(drop).unwrap_err()
    };
    assert!(matches!(file("empty.iso", b""), DiscError::Empty { .. }));
    assert!(matches!(file("text.iso", b"hello"), DiscError::NotAnImage { .. }));
    let foreign = |name: &str, bytes: &[u8]| match file(name, bytes) {
        DiscError::Foreign { what, .. } => Some(what),
        _ => None,
    };
    assert_eq!(foreign("page.iso", b"<html>not found</html>"), Some(Foreign::WebPage));
    assert_eq!(foreign("zeros.iso", &[0; 100_000]), Some(Foreign::Blank));
    assert!(matches!(foreign("packed.iso", &gzip(&[1; 100_000])), Some(Foreign::Packed { format: "gzip", .. })));
    assert!(matches!(image::inspect(folder.path()).map(drop), Err(DiscError::NotAFile { .. })));
    assert!(matches!(image::inspect(Path::new("/nowhere.iso")).map(drop), Err(DiscError::Open { .. })));
    let whole = folder.path().join("big.iso");
    disc::with_big_file(&whole);
    let size = std::fs::metadata(&whole).unwrap().len();
    std::fs::OpenOptions::new().write(true).open(&whole).unwrap().set_len(size - 1_000_000).unwrap();
    let error = image::inspect(&whole).map(drop).unwrap_err();
    assert!(matches!(error, DiscError::Truncated { missing, .. } if missing >= 900_000), "{error:?}");
}

/// The window's cards and the start of the services look at the same files; a look into an initrd may take seconds.
#[test]
fn what_was_judged_counts_until_the_file_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.iso");
    let label = |label: &[u8], written: SystemTime| {
        std::fs::write(&path, raw::Iso::of(label, &[("/a", text("a"))]).finish()).unwrap();
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_modified(written).unwrap();
        inspect(&path).volume_label.unwrap()
    };
    let now = SystemTime::now();
    let yesterday = now - Duration::from_secs(86_400);
    assert_eq!(label(b"ONE", yesterday), "ONE");
    assert_eq!(label(b"TWO", yesterday), "ONE", "nobody could tell");
    assert_eq!(label(b"TWO", yesterday + Duration::from_secs(1)), "TWO");
    assert_eq!(label(b"NEW", now), "NEW", "it was written to just now");
    assert_eq!(label(b"NOW", now), "NOW", "and again, within the same moment");
    std::fs::remove_file(&path).unwrap();
    assert!(image::inspect(&path).is_err());
}

/// Bytes all over the tables of a small image, spoiled one after the other: an answer each time, and no panic.
#[test]
fn damaged_images_are_answers_and_no_crash() {
    if !ready("damage", "xorriso") {
        return;
    }
    let maker = Maker::new();
    let files = [("/live/vmlinuz", kernel()), ("/live/filesystem.squashfs", text("s")), ("/a/b/c/d", text("x"))];
    let image = maker.iso("DAMAGE", &files);
    let whole = std::fs::read(&image).unwrap();
    let bent = maker.folder.path().join("bent.iso");
    let end = whole.len().min(70 * 2048);
    for at in (16 * 2048..end).step_by(61) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        std::fs::write(&bent, &bytes).unwrap();
        let _ = image::inspect(&bent);
    }
    for length in (0..whole.len()).step_by(2048) {
        std::fs::write(&bent, &whole[..length]).unwrap();
        assert!(image::inspect(&bent).is_err() || length > 33 * 2048, "{length}");
    }
}
