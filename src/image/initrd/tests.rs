use std::io::Write;

use super::*;

/// A cpio archive as `cpio -H newc` writes it.
fn archive(files: &[(&str, usize)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, size) in files.iter().chain(&[("TRAILER!!!", 0)]) {
        let fields = [1, 0o100_644, 0, 0, 1, 0, *size, 0, 0, 0, 0, name.len() + 1, 0];
        bytes.extend(b"070701");
        fields.iter().for_each(|field| bytes.extend(format!("{field:08x}").bytes()));
        bytes.extend(name.bytes().chain([0]));
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        // Letters that look like another header, so that contents are passed over and not read.
        bytes.extend(b"070701".iter().cycle().take(*size));
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut packer = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// As the kernel's build packs it: it understands CRC32 only, and so do we not take CRC64 for granted.
fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut options = lzma_rust2::XzOptions::with_preset(1);
    options.set_check_sum_type(lzma_rust2::CheckType::Crc32);
    let mut packer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn lzma(bytes: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::LzmaOptions::with_preset(1);
    let mut packer = lzma_rust2::LzmaWriter::new_use_header(Vec::new(), &options, None).unwrap();
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut packed = 0x184c_2102u32.to_le_bytes().to_vec();
    for block in bytes.chunks(8 << 20) {
        let block = lz4_flex::block::compress(block);
        packed.extend(u32::try_from(block.len()).unwrap().to_le_bytes());
        packed.extend(block);
    }
    packed
}

type Pack = fn(&[u8]) -> Vec<u8>;

const PACKERS: [(&str, Pack, Option<Compression>); 7] = [
    ("plain", |bytes| bytes.to_vec(), None),
    ("gzip", gzip, Some(Compression::Gzip)),
    ("bzip2", bzip2, Some(Compression::Bzip2)),
    ("xz", xz, Some(Compression::Xz)),
    ("lzma", lzma, Some(Compression::Lzma)),
    ("zstd", zstd, Some(Compression::Zstd)),
    ("lz4", lz4, Some(Compression::Lz4)),
];

fn see(bytes: &[u8]) -> Option<Contents> {
    look_at(bytes, &mut Budget::new())
}

fn features(files: &[&str]) -> Vec<&'static str> {
    let files: Vec<(&str, usize)> = files.iter().map(|name| (*name, 1)).collect();
    see(&archive(&files)).unwrap().features.into_iter().map(Feature::name).collect()
}

#[test]
fn names_and_recipes_agree() {
    for feature in Feature::ALL {
        assert_eq!(feature.name().parse(), Ok(feature));
        assert_eq!(serde_json::to_string(&feature).unwrap(), format!("{:?}", feature.name()));
        assert!(SIGNS.iter().any(|sign| sign.feature == feature), "{feature:?}");
    }
    assert_eq!("nfs".parse::<Feature>(), Err(UnknownFeature("nfs".to_owned())));
}

#[test]
fn features_are_told_by_paths() {
    let cases: [(&[&str], &[&str]); 15] = [
        (&["init", "usr/bin/busybox"], &[]),
        (&["lib/live/boot/9990-main.sh", "lib/live/boot/9990-mount-http.sh"], &["live-boot"]),
        (&["usr/lib/live/boot/9990-mount-http.sh", "usr/bin/wget"], &["live-boot", "live-boot-fetch"]),
        (&["./bin/wget"], &[]),
        (&["conf/initramfs.conf", "scripts/functions", "scripts/casper"], &["casper", "initramfs-tools"]),
        (&["init_functions", "hooks/archiso"], &["archiso", "mkinitcpio"]),
        (&["hooks/archiso", "hooks/archiso_pxe_http"], &["archiso", "archiso-http"]),
        (&["usr/lib/dracut-lib.sh", "usr/bin/livenetroot"], &["dracut", "dracut-livenet"]),
        (
            &["var/lib/dracut/hooks/cmdline/30-parse-dmsquash-live.sh", "lib/dracut-lib.sh"],
            &["dracut", "dracut-dmsquash"],
        ),
        (&["sbin/kiwi-live-root", "usr/lib/anaconda-lib.sh"], &["kiwi-live", "anaconda"]),
        (&["etc/linuxrc.d"], &["linuxrc"]),
        (&["etc/initrd.defaults"], &["genkernel"]),
        (&["sbin/nlplug-findfs"], &["alpine"]),
        (&["sbin/nlplug-findfs", "usr/share/udhcpc/default.script"], &["alpine", "alpine-net"]),
        (
            &["usr/lib/debian-installer/retriever/cdrom-retriever", "nix/store/abc-stage-1"],
            &["debian-installer", "debian-installer-cdrom", "nixos"],
        ),
    ];
    for (files, expected) in cases {
        assert_eq!(features(files), expected, "{files:?}");
    }
}

#[test]
fn every_way_of_packing_is_read_to_its_end() {
    let plain = archive(&[("kernel/x86/microcode/GenuineIntel.bin", 300_000), ("scripts/casper", 5)]);
    for (name, pack, compression) in PACKERS {
        let found = see(&pack(&plain)).unwrap_or_else(|| panic!("{name}"));
        assert!(found.whole && found.has(Feature::Casper), "{name}: {found:?}");
        assert_eq!((found.compression.into_iter().next(), found.entries), (compression, 2), "{name}");
    }
}

/// Microcode in the open, zeros, then archives in each packing right behind each other.
#[test]
fn archives_follow_each_other_with_and_without_padding() {
    let early = archive(&[("kernel/x86/microcode/AuthenticAMD.bin", 999)]);
    for (name, pack, _) in PACKERS {
        for padding in [0, 4, 512] {
            let mut bytes = early.clone();
            bytes.resize(bytes.len() + padding, 0);
            // More than one block of lz4, so that it is clear where the frame ends.
            bytes.extend(pack(&archive(&[("hooks/miso", 70_000)])));
            bytes.extend(vec![0; padding]);
            let between = see(&bytes).unwrap();
            assert!(between.whole && between.has(Feature::Miso), "{name} {padding}");
            // lz4 has no mark at its end: without padding the next magic number is the length of a block.
            if name != "lz4" || padding > 0 {
                bytes.extend(gzip(&archive(&[("hooks/miso_pxe_http", 1)])));
                let found = see(&bytes).unwrap();
                assert!(found.whole && found.has(Feature::MisoHttp), "{name} {padding}: {found:?}");
            }
        }
    }
}

#[test]
fn several_archives_in_one_packed_part_count() {
    let both = [archive(&[("hooks/archiso", 1)]), vec![0; 300], archive(&[("hooks/archiso_pxe_http", 1)])].concat();
    let found = see(&zstd(&both)).unwrap();
    assert!(found.whole && found.has(Feature::ArchisoHttp), "{found:?}");
    // The kernel unpacks one level only.
    let nested = [archive(&[("a", 1)]), gzip(&archive(&[("hooks/archiso", 1)]))].concat();
    assert!(!see(&gzip(&nested)).unwrap().has(Feature::Archiso));
}

#[test]
fn what_is_no_archive_is_none() {
    let cases: [(&str, Vec<u8>); 7] = [
        ("empty", vec![]),
        ("zeros and text", [vec![0; 5000], b"text".to_vec()].concat()),
        ("text", b"not an initrd at all".to_vec()),
        ("old cpio", b"070707000000000000000000".to_vec()),
        ("packed text", gzip(b"hello, this is text and no archive")),
        ("ext2", [vec![0; 1080], vec![0x53, 0xef], vec![0; 5000]].concat()),
        ("wrong digits", archive(&[("a", 1)]).iter().map(|byte| if *byte == b'8' { b'+' } else { *byte }).collect()),
    ];
    for (name, bytes) in cases.iter().take(6) {
        assert_eq!(see(bytes), None, "{name}");
    }
    assert!(see(&cases[6].1).is_none_or(|found| found.features.is_empty()));
}

#[test]
fn padding_alone_holds_nothing() {
    assert_eq!(see(&[0; 5000]), Some(Contents { whole: true, ..Contents::default() }));
    assert_eq!(see(&gzip(&[0; 5000])).map(|found| (found.whole, found.entries)), Some((true, 0)));
}

#[test]
fn what_follows_decides_whether_all_was_seen() {
    let start = archive(&[("hooks/archiso", 1)]);
    let whole = |rest: &[u8]| see(&[&start, rest].concat()).unwrap().whole;
    assert!(whole(b""));
    assert!(whole(&[0; 4096]));
    // The kernel stops at what it does not know, and so nothing is missed.
    assert!(whole(b"a signature or other junk"));
    assert!(!whole(b"\x89LZO\0\r\n\x1a\n"), "the kernel may unpack this");
    let packed = gzip(&archive(&[("a", 1000)]));
    assert!(!whole(&packed[..packed.len() / 2]));
}

#[test]
fn every_cut_is_an_answer() {
    let plain = archive(&[("init", 3000), ("hooks/archiso", 10), ("lib/modules/6.1/kernel/drivers/net/ethernet/x", 7)]);
    for (name, pack, _) in PACKERS {
        let mut bytes = pack(&plain);
        assert!(see(&bytes).is_some_and(|found| found.network_drivers), "{name}");
        for length in (0..bytes.len()).step_by(7) {
            // The plain archive's trailer is padded, and lz4 has no end.
            let found = see(&bytes[..length]);
            assert!(found.is_none_or(|found| !found.whole || found.has(Feature::Archiso)), "{name} {length}");
        }
        for at in (0..bytes.len()).step_by(3) {
            bytes[at] ^= 0x55;
            let _ = see(&bytes);
            bytes[at] ^= 0x55;
        }
    }
}

#[test]
fn bombs_end_at_the_budget() {
    let small = || Budget { bytes: 3 << 20, ..Budget::new() };
    let bomb = [archive(&[("hooks/archiso", 1)]), vec![0; 6 << 20]].concat();
    for (name, pack, _) in PACKERS {
        let mut budget = small();
        let found = look_at(pack(&bomb).as_slice(), &mut budget).unwrap();
        assert!(!found.whole && found.has(Feature::Archiso), "{name}: {found:?}");
    }
    let file = archive(&[("a", 1), ("large", 5 << 20)]);
    assert!(!look_at(gzip(&file).as_slice(), &mut small()).unwrap().whole);
    let many = gzip(&archive(&[("a", 0); 5000]));
    assert!(!look_at(many.as_slice(), &mut Budget { entries: 4999, ..Budget::new() }).unwrap().whole);
    assert!(look_at(many.as_slice(), &mut Budget { entries: 5000, ..Budget::new() }).unwrap().whole);
    let late = Budget { deadline: Instant::now(), ..Budget::new() };
    assert_eq!(look_at(many.as_slice(), &mut late.clone()), None);
}

/// A dictionary of 4 GiB is refused before it is allocated.
#[test]
fn a_large_dictionary_is_refused() {
    let mut bytes = lzma(&archive(&[("a", 1)]));
    bytes[1..5].copy_from_slice(&u32::MAX.to_le_bytes());
    bytes[1..3].copy_from_slice(&[0, 0]);
    assert_eq!(see(&bytes), None);
}

#[test]
fn a_search_stops_where_all_is_found() {
    let bytes = archive(&[("hooks/archiso", 1), ("hooks/archiso_pxe_http", 1), ("x", 5000)]);
    let wanted = [Feature::Archiso];
    let mut budget = Budget::new();
    let found = search(bytes.as_slice(), &wanted, &mut budget).unwrap();
    assert_eq!((found.entries, found.whole), (1, false));
    let wanted = [Feature::Archiso, Feature::Casper];
    assert!(search(bytes.as_slice(), &wanted, &mut budget).unwrap().whole);
}
