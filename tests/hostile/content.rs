//! What hostile files of a sound disc do to those who read them: menus, initrds, Windows images, texts.

use std::io::Write;

use super::raw::{self, Iso, SECTOR, named};
use super::{Case, Want, kernel};
use bootwright::image::wim;

type Files<'a> = Vec<(&'a str, Vec<u8>)>;

fn image(files: Files) -> Vec<u8> {
    Iso::of(b"CONTENT", &files).finish()
}

/// An image with a kernel, an initrd and this GRUB menu.
fn grub(menu: impl Into<Vec<u8>>, more: Files) -> Vec<u8> {
    let files = vec![("/boot/grub/grub.cfg", menu.into()), ("/k", kernel()), ("/i", b"initrd".to_vec())];
    image(files.into_iter().chain(more).collect())
}

fn isolinux(menu: impl Into<Vec<u8>>, more: Files) -> Vec<u8> {
    let files = vec![("/isolinux/isolinux.cfg", menu.into()), ("/k", kernel()), ("/i", b"initrd".to_vec())];
    image(files.into_iter().chain(more).collect())
}

/// The image can start its one sound entry.
fn starts() -> Want {
    Want::Holds(|_, found| {
        assert!(found.entries.iter().any(|entry| entry.kernel.as_deref() == Some("/k")), "{found:?}")
    })
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = grub_menus();
    cases.extend(isolinux_menus());
    cases.extend(names());
    cases.extend(initrds());
    cases.extend(windows());
    cases.extend(texts());
    cases.extend(programs());
    cases
}

const ENTRY: &str = "menuentry 'Start' {\n linux /k quiet\n initrd /i\n}\n";

fn grub_menus() -> Vec<Case> {
    let doubling: String = (0..200).map(|n| format!("set a{}=\"$a{n}$a{n}\"\n", n + 1)).collect::<String>()
        + "set a=$a$a\n".repeat(64).as_str();
    let doubling =
        format!("set a=xxxxxxxx\nset a0=xxxxxxxx\n{doubling}menuentry $a200 {{\n linux /k $a $a200\n}}\n{ENTRY}");
    let files: Vec<(String, Vec<u8>)> = (0..200)
        .map(|n| {
            (
                format!("/boot/grub/f{n}.cfg"),
                format!("source /boot/grub/f{}.cfg\nsource /boot/grub/f{}.cfg\n", n + 1, n + 2).into_bytes(),
            )
        })
        .collect();
    let tree: Files = files.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
    let nested = format!("{}{ENTRY}{}", "submenu x {\n".repeat(5000), "}\n".repeat(5000));
    let conditions = format!("{}{ENTRY}{}", "if true; then\n".repeat(5000), "fi\n".repeat(5000));
    // Thirty thousand names, and a menu that looks through them twenty thousand times.
    let mut patterns = Iso::new(b"STARS");
    let (vmlinuz, text) = (patterns.add(&kernel()), format!("{ENTRY}{}", "source /*z*z\n".repeat(20_000)));
    let menu = patterns.add(text.as_bytes());
    let mut records: Vec<Vec<u8>> = (0..30_000).map(|n| named(vmlinuz, 1, 0, format!("x{n}").as_bytes())).collect();
    let boot = patterns.subfolder(&[named(menu, text.len() as u32, 0, b"grub.cfg")]);
    let boot = patterns.subfolder(&[named(boot.0, boot.1, 2, b"grub")]);
    records.extend([named(boot.0, boot.1, 2, b"boot"), named(vmlinuz, 2048, 0, b"k"), named(vmlinuz, 1, 0, b"i")]);
    patterns.root(&records);
    let stars = format!("source /{}b\nsource /boot/{}b\n{ENTRY}", "*a".repeat(40), "*a".repeat(40));
    let long = format!("/{}", "a".repeat(150));
    let hostile_title = "menuentry 'A\x1b[2J\u{202e}<script>${x}`reboot`' --class '\x07' {\n linux /k a=\"\x1b[31m\" b=\u{202e} ;reboot && boot || x\n}\n";
    vec![
        Case("a menu as it should be", grub(ENTRY, vec![]), starts()),
        Case("a menu that reads itself", grub(format!("source /boot/grub/grub.cfg\n{ENTRY}"), vec![]), starts()),
        Case(
            "two menus that read each other",
            grub(format!("source /b.cfg\n{ENTRY}"), vec![("/b.cfg", b"configfile /boot/grub/grub.cfg\n".to_vec())]),
            starts(),
        ),
        Case("menus that double", grub(format!("source /boot/grub/f0.cfg\n{ENTRY}"), tree), Want::Answer),
        Case("a line of ten megabytes", grub(format!("{ENTRY}#{}\n", "x".repeat(10 << 20)), vec![]), starts()),
        Case(
            "an argument of ten megabytes",
            grub(format!("{ENTRY}menuentry x {{\nlinux /k {}\n}}", "x".repeat(10 << 20)), vec![]),
            starts(),
        ),
        Case("variables that double", grub(doubling, vec![]), starts()),
        Case("a variable of itself", grub(format!("set a=$a\nset b=$c\nset c=$b\n{ENTRY}"), vec![]), starts()),
        Case("ten thousand entries", grub(ENTRY.repeat(10_000), vec![]), starts()),
        Case("five thousand submenus in each other", grub(nested, vec![]), Want::Answer),
        Case("five thousand conditions in each other", grub(conditions, vec![]), Want::Answer),
        Case("braces that never close", grub(format!("{ENTRY}{}", "menuentry x {".repeat(20_000)), vec![]), starts()),
        Case("quotes that never close", grub(format!("{ENTRY}menuentry 'x\nlinux \"/k\n"), vec![]), Want::Answer),
        Case(
            "a loop without an end",
            grub(
                format!(
                    "{ENTRY}while true; do set a=$a$a; done\nfor f in /*; do source $f; done\nfor a in * * * *; do source /boot/grub/grub.cfg; done\n"
                ),
                vec![],
            ),
            starts(),
        ),
        Case("a pattern of forty stars", grub(stars, vec![(&long, vec![])]), starts()),
        Case("a menu of patterns", patterns.finish(), starts()),
        Case("a function of itself", grub(format!("function f {{ f; f; }}\nf\n{ENTRY}"), vec![]), Want::Answer),
        Case("a title that commands", grub(hostile_title, vec![]), starts()),
        Case("bytes of all kinds", grub((0..=255).cycle().take(100_000).collect::<Vec<u8>>(), vec![]), Want::Answer),
        Case(
            "a kernel that leads out",
            grub("menuentry x {\nlinux /../../../etc/passwd\ninitrd ../../../etc/shadow\n}", vec![]),
            Want::Holds(|_, found| assert!(found.entries.is_empty(), "{found:?}")),
        ),
        Case(
            "ten thousand initrds",
            grub(format!("menuentry x {{\nlinux /k\ninitrd {}\n}}\n", "/i ".repeat(2000)), vec![]),
            Want::Answer,
        ),
    ]
}

fn isolinux_menus() -> Vec<Case> {
    let entry = "LABEL a\n KERNEL /k\n APPEND initrd=/i quiet\n";
    let files: Vec<(String, Vec<u8>)> = (0..1000)
        .map(|n| {
            (format!("/isolinux/m{n}.cfg"), format!("INCLUDE m{}.cfg\nINCLUDE m{}.cfg\n", n + 1, n + 1).into_bytes())
        })
        .collect();
    let chain: Files = files.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
    let labels: String = (0..10_000).map(|n| format!("LABEL l{n}\n KERNEL /k\n APPEND initrd=/i n={n}\n")).collect();
    vec![
        Case("an isolinux menu as it should be", isolinux(entry, vec![]), starts()),
        Case(
            "an isolinux menu that includes itself",
            isolinux(format!("INCLUDE isolinux.cfg\n{entry}"), vec![]),
            starts(),
        ),
        Case("isolinux menus that double", isolinux(format!("INCLUDE m0.cfg\n{entry}"), chain), Want::Answer),
        Case("ten thousand labels", isolinux(labels, vec![]), starts()),
        Case(
            "a default that leads nowhere",
            isolinux("DEFAULT a\nLABEL a\n KERNEL b\nLABEL b\n KERNEL a\n", vec![]),
            Want::Answer,
        ),
        Case("submenus without an end", isolinux("MENU BEGIN x\n".repeat(10_000) + entry, vec![]), Want::Answer),
        Case(
            "text without an end",
            isolinux(format!("{entry}TEXT HELP\n{}", "\x1b[2J\n".repeat(10_000)), vec![]),
            starts(),
        ),
        Case(
            "a label that commands",
            isolinux("LABEL a\x1b\n MENU LABEL ^\u{202e}x\x07\n KERNEL /k\n APPEND initrd=/i \x1b[2J\n", vec![]),
            starts(),
        ),
    ]
}

fn names() -> Vec<Case> {
    let info = || {
        ("/.disk/info", "Debian GNU/Linux 12.5.0 \"Bookworm\x1b[2J\u{202e}\" - Official amd64 NETINST\r\n\x07".into())
    };
    let live = |kernel_name: &'static str, initrd: &'static str| {
        image(vec![
            info(),
            (kernel_name, kernel()),
            (initrd, b"i".to_vec()),
            ("/live/filesystem.squashfs", b"s".to_vec()),
        ])
    };
    let unnamed = Want::Holds(|_, found| {
        let texts = found.entries.iter().flat_map(|entry| entry.kernel.iter().chain(&entry.initrd));
        assert!(texts.into_iter().all(|path| !path.contains(|c: char| c.is_control())), "{found:?}");
    });
    vec![
        Case("a kernel with an escape", live("/live/vmlinuz-\x1b[2J6", "/live/initrd.img-\x1b[2J6"), unnamed),
        Case("a kernel with a line break", live("/live/vmlinuz-6\nreboot", "/live/initrd.img-6\nreboot"), Want::Answer),
        Case(
            "a kernel from right to left",
            live("/live/vmlinuz-\u{202e}6", "/live/initrd.img-\u{202e}6"),
            Want::Answer,
        ),
        Case(
            "a kernel for iPXE",
            live("/live/vmlinuz-${net0}||shell", "/live/initrd.img-${net0}||shell"),
            Want::Answer,
        ),
        Case("a kernel for GRUB", live("/live/vmlinuz-$(x);`y`{z}", "/live/initrd.img-$(x);`y`{z}"), Want::Answer),
        Case(
            "a kernel for a page",
            live("/live/vmlinuz-<img src=x>\"'&", "/live/initrd.img-<img src=x>\"'&"),
            Want::Answer,
        ),
        Case(
            "a kernel with percents",
            live("/live/vmlinuz-%00%2e%2e%2f", "/live/initrd.img-%00%2e%2e%2f"),
            Want::Answer,
        ),
        Case(
            "a kernel with braces of ours",
            live("/live/vmlinuz-{base_url}{iso_url}", "/live/initrd.img-{base_url}{iso_url}"),
            Want::Answer,
        ),
    ]
}

/// An image that recipes take for one whose initrd is to be looked into.
fn with_initrd(initrd: Vec<u8>) -> Vec<u8> {
    image(vec![
        ("/.disk/info", b"Debian GNU/Linux 12.5.0 \"Bookworm\" - Official amd64 NETINST".to_vec()),
        ("/install.amd/vmlinuz", kernel()),
        ("/install.amd/initrd.gz", initrd),
        ("/dists/bookworm/Release", b"r".to_vec()),
    ])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut packer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(0)).unwrap();
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// A header of a cpio archive (newc) whose name and file have these sizes.
fn cpio(mode: u32, size: u32, name_size: u32, name: &str) -> Vec<u8> {
    let fields = [1, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name_size, 0];
    let fields: String = fields.iter().map(|field| format!("{field:08x}")).collect();
    let mut bytes = format!("070701{fields}{name}\0").into_bytes();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn initrds() -> Vec<Case> {
    let zeros = vec![0; 16 << 20];
    let bomb = gzip(&zeros).repeat(256);
    let lzma_bomb = xz(&zeros).repeat(64);
    let nested = (0..20).fold(cpio(0o100_644, 0, 11, "TRAILER!!!"), |inner, _| gzip(&inner));
    let endless = cpio(0o100_644, 0, 2, "a").repeat(200_000);
    let names = gzip(&endless);
    // zstd: a frame with a window of 2 GiB (RFC 8878 section 3.1.1.1.2).
    let window = [&b"\x28\xb5\x2f\xfd\x00\xf0"[..], &[0; 100]].concat();
    // LZMA alone: a dictionary of 4 GiB and an unknown size.
    let dictionary = [&b"\x5d\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"[..], &[0; 100]].concat();
    vec![
        Case("an initrd of 4 GiB of zeros", with_initrd(bomb), Want::Answer),
        Case("the same by xz", with_initrd(lzma_bomb), Want::Answer),
        Case("a window of 2 GiB", with_initrd(window), Want::Answer),
        Case("a dictionary of 4 GiB", with_initrd(dictionary), Want::Answer),
        Case("packed twenty times", with_initrd(nested), Want::Answer),
        Case("two hundred thousand names", with_initrd(names), Want::Answer),
        Case("a name of 2^32 - 1 bytes", with_initrd(cpio(0o100_644, 0, u32::MAX, "x")), Want::Answer),
        Case("a file of 2^32 - 1 bytes", with_initrd(cpio(0o100_644, u32::MAX, 2, "x")), Want::Answer),
        Case("a name of no bytes", with_initrd(cpio(0o100_644, 0, 0, "")), Want::Answer),
        Case("an initrd of nothing", with_initrd(vec![]), Want::Answer),
        Case("an initrd cut off", with_initrd(gzip(&endless)[..500].to_vec()), Want::Answer),
        Case("an initrd of zeros", with_initrd(zeros), Want::Answer),
    ]
}

/// A WIM with this XML.
fn wim_file(xml: &str, count: u32) -> Vec<u8> {
    let xml: Vec<u8> = format!("\u{feff}{xml}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut bytes = vec![0u8; 208];
    bytes[..8].copy_from_slice(b"MSWIM\0\0\0");
    bytes[8] = 208;
    bytes[40] = 1;
    bytes[42] = 1;
    bytes[44..48].copy_from_slice(&count.to_le_bytes());
    bytes[72..80].copy_from_slice(&(xml.len() as u64).to_le_bytes());
    bytes[80] = 208;
    bytes[120] = 2;
    bytes.extend(xml);
    bytes
}

fn described(index: u32, name: &str) -> String {
    format!(
        "<IMAGE INDEX=\"{index}\"><NAME>{name}</NAME><WINDOWS><ARCH>9</ARCH><EDITIONID>{name}</EDITIONID>\
         <INSTALLATIONTYPE>Client</INSTALLATIONTYPE><LANGUAGES><LANGUAGE>{name}</LANGUAGE></LANGUAGES>\
         <VERSION><MAJOR>10</MAJOR><MINOR>0</MINOR><BUILD>26100</BUILD></VERSION></WINDOWS></IMAGE>"
    )
}

fn windows() -> Vec<Case> {
    let pe = || wim_file(&format!("<WIM>{}{}</WIM>", described(1, "Windows PE"), described(2, "Setup")), 2);
    let media =
        |boot: Vec<u8>, install: Vec<u8>| image(vec![("/sources/boot.wim", boot), ("/sources/install.wim", install)]);
    let named = |name: &str| wim_file(&format!("<WIM>{}</WIM>", described(1, name)), 1);
    let attributes: String = (0..200_000).map(|n| format!(" a{n}=\"\"")).collect();
    let images: String = (0..5000).map(|n| described(n, "x")).collect();
    let mut lying = pe();
    lying[72..79].fill(255);
    let mut split = named("Windows 11");
    (split[42], split[43]) = (231, 3);
    vec![
        Case(
            "Windows as it should be",
            media(pe(), named("Windows 11 Pro")),
            Want::Holds(|disc, _| {
                let media = wim::media(disc).unwrap();
                assert_eq!(
                    (media.name.as_str(), media.editions, media.parts),
                    ("Windows 11", vec!["Windows 11 Pro".to_owned()], 1)
                );
            }),
        ),
        Case("a WIM of no bytes", media(vec![], vec![]), Want::Holds(|disc, _| assert!(wim::media(disc).is_none()))),
        Case(
            "XML of 2^56 - 1 bytes",
            media(lying.clone(), lying),
            Want::Holds(|disc, _| assert!(wim::media(disc).is_none())),
        ),
        Case("XML of 200 000 attributes", media(pe(), wim_file(&format!("<WIM{attributes}/>"), 0)), Want::Answer),
        Case("five thousand images", media(pe(), wim_file(&format!("<WIM>{images}</WIM>"), 5000)), Want::Answer),
        Case(
            "entities in entities",
            media(pe(), wim_file("<!DOCTYPE a [<!ENTITY b \"cccc\"><!ENTITY d \"&b;&b;&b;\">]><WIM>&d;</WIM>", 0)),
            Want::Answer,
        ),
        Case(
            "a file of the system",
            media(
                pe(),
                wim_file(
                    "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><WIM><IMAGE INDEX=\"1\"><NAME>&b;</NAME></IMAGE></WIM>",
                    1,
                ),
            ),
            Want::Holds(|disc, _| {
                assert!(wim::media(disc).unwrap().editions.is_empty());
            }),
        ),
        Case(
            "an edition that commands",
            media(pe(), named("A&#x9b;2J\u{202e}&lt;script&gt;${x}")),
            Want::Holds(|disc, _| {
                assert_eq!(wim::media(disc).unwrap().editions, ["A·2J·<script>${x}"]);
            }),
        ),
        Case(
            "999 parts of which one is there",
            image(vec![("/sources/boot.wim", pe()), ("/sources/install.swm", split)]),
            Want::Holds(|disc, _| {
                let media = wim::media(disc).unwrap();
                assert_eq!((media.parts, media.missing.len()), (999, 100));
                assert_eq!(media.missing[0], "/sources/install2.swm");
            }),
        ),
    ]
}

fn texts() -> Vec<Case> {
    let large = "x".repeat(20 << 20);
    let info = |text: String| {
        image(vec![
            ("/.disk/info", text.into_bytes()),
            ("/casper/vmlinuz", kernel()),
            ("/casper/initrd", b"i".to_vec()),
            ("/casper/filesystem.squashfs", b"s".to_vec()),
        ])
    };
    // Twenty thousand squashfs files, all in one place, for whoever adds up their sizes.
    let mut sums = Iso::new(b"SUMS");
    let (vmlinuz, data) = (sums.add(&kernel()), sums.reserve(SECTOR));
    sums.put(data, &[1; SECTOR]);
    let mut records: Vec<Vec<u8>> =
        (0..20_000).map(|n| named(data, SECTOR as u32, 0, format!("f{n}.squashfs").as_bytes())).collect();
    records.extend([named(vmlinuz, 2048, 0, b"vmlinuz"), named(data, 1, 0, b"initrd.img")]);
    let live = sums.subfolder(&records);
    sums.root(&[named(live.0, live.1, 2, b"live"), named(live.0, live.1, 2, b"casper")]);
    let _ = raw::ROOT;
    vec![
        Case("a text of twenty megabytes", info(large.clone()), Want::Answer),
        Case(
            "a version that commands",
            info("Ubuntu-Server 24.04.2\x1b[2J LTS \"Noble\u{202e}\" - Release amd64 (20250215)".to_owned()),
            Want::Answer,
        ),
        Case(
            "a version of twenty megabytes",
            info(format!("Ubuntu-Server {} LTS", "9.".repeat(10 << 20))),
            Want::Answer,
        ),
        Case("twenty thousand squashfs files", sums.finish(), Want::Answer),
        Case(
            "a tree info of lines",
            image(vec![
                ("/.treeinfo", "[general]\nfamily = \x1b[2J\nversion = \u{202e}\n".repeat(100_000).into_bytes()),
                ("/images/pxeboot/vmlinuz", kernel()),
                ("/images/pxeboot/initrd.img", b"i".to_vec()),
            ]),
            Want::Answer,
        ),
    ]
}

/// A UEFI program whose certificates are at `at`, with this SBAT and this own certificate of a shim.
fn program(at: u32, length: u32, sbat: &[u8], vendor: &[u8]) -> Vec<u8> {
    let mut bytes = kernel();
    bytes.resize(2048, 0);
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(0x86, &[2]);
    put(0x94, &[240, 0]);
    put(0x98, &[0x0b, 2]);
    put(0x98 + 108, &[16]);
    put(0x98 + 112 + 32, &[at.to_le_bytes(), length.to_le_bytes()].concat());
    let parts = [(&b".sbat"[..], sbat), (b".vendor_", vendor)];
    let mut place = 2048u32;
    for (number, (name, part)) in parts.iter().enumerate() {
        let header = 0x98 + 240 + number * 40;
        put(header, name);
        put(header + 16, &(part.len() as u32).to_le_bytes());
        put(header + 20, &place.to_le_bytes());
        place += part.len() as u32;
    }
    [bytes, sbat.to_vec(), vendor.to_vec()].concat()
}

fn programs() -> Vec<Case> {
    let sbat = "a\x1b[2J\u{202e},1,\x07,c,d,e\n".repeat(500);
    let with = |program: Vec<u8>| grub(ENTRY, vec![("/EFI/BOOT/BOOTX64.EFI", program)]);
    let bounded = || {
        Want::Holds(|_, found| {
            assert_eq!(found.signatures.len(), 1, "{found:?}");
            assert!(found.signatures[0].signed_by.is_empty() && found.signatures[0].sbat.len() == 16, "{found:?}");
        })
    };
    vec![
        Case("certificates at 4 GiB", with(program(u32::MAX, 64, sbat.as_bytes(), &[])), bounded()),
        Case("certificates of 4 GiB", with(program(0, u32::MAX, sbat.as_bytes(), &[0xff; 4096])), bounded()),
        Case("certificates that are the program", with(program(0, 2048, sbat.as_bytes(), &[0x30; 4096])), bounded()),
    ]
}
