//! The served tree, byte by byte: what is made of an image when it is asked for.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod disc;
#[path = "disc/layout.rs"]
mod layout;
#[path = "disc/raw.rs"]
mod raw;

use std::io::Write;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use bootwright::boot::loader::Loaders;
use bootwright::boot::loader::version::Version;
use bootwright::boot::menu::{self, Asker, Item, Menu, Place};
use bootwright::boot::tree::{Found, Role, Tree, path_of_name};
use bootwright::image::{Boot, Category, Disc, Entry, Firmware, Injection, Transport, WHOLE_IMAGE};

use layout::gzip;
use raw::{Iso, SECTOR};

const ANYBODY: Asker = Asker { firmware: None, arch: None };
const TICKET: &str = "0123456789abcdef0123456789abcdef";
const SETTINGS: &str = "bootstate=0\ntitle=Loading ESXi installer\nprefix=\nkernel=/b.b00\n\
                        kernelopt=runweasel cdromBoot\nmodules=/a.gz --- /k.b00\nbuild=8.0.3\nupdated=0\n";

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        Bench { folder: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, iso: Iso) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, iso.finish()).unwrap();
        path
    }

    /// A tree with one image, `x`, and these entries of it.
    fn tree(&self, iso: Iso, items: Vec<Item>) -> Tree {
        let disc = Disc::open(&self.write("x.iso", iso)).unwrap();
        self.tree_of(vec![("x".to_owned(), disc)], items)
    }

    fn tree_of(&self, images: Vec<(String, Disc)>, items: Vec<Item>) -> Tree {
        let menu = Menu { items, default: menu::Default::Local, timeout: 30, append: String::new() };
        let place = Place { base: "http://10.77.0.1".into(), server: Ipv4Addr::new(10, 77, 0, 1) };
        Tree::new(&Loaders::find(&[]), images, None, menu, place).unwrap()
    }
}

fn item(id: &str, boot: Boot) -> Item {
    let entry = Entry {
        id: id.into(),
        title: id.into(),
        boot,
        kernel: Some("/boot/kernel".into()),
        module_arguments: vec![],
        answering: None,
        initrd: vec!["/boot/initrd".into()],
        inject: vec![],
        cmdline: String::new(),
        transport: Transport::HttpTree,
        firmware: vec![Firmware::Bios, Firmware::Uefi],
        arch: "x86_64".into(),
        min_ram_mb: None,
        signed: None,
    };
    Item {
        id: id.into(),
        image: "x".into(),
        category: Category::Other,
        entry,
        append: String::new(),
        guard: Default::default(),
    }
}

fn injecting(files: &[(&str, &str, &str)]) -> Item {
    let mut item = item("e", Boot::Linux);
    item.entry.inject = files
        .iter()
        .map(|(from, to, mode)| Injection { from: (*from).into(), to: (*to).into(), mode: (*mode).into() })
        .collect();
    item
}

/// Bytes that tell where they are from, unlike at any shift.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at / 251 + at * 7) as u8).collect()
}

fn all(found: &Found) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(found.meta.size).unwrap()];
    found.read_at(0, &mut bytes).unwrap();
    bytes
}

fn body(tree: &Tree, path: &str) -> Option<Vec<u8>> {
    tree.find(path, ANYBODY).map(|found| all(&found))
}

/// What GNU cpio would unpack of an archive: paths, modes and bytes, up to the trailer, which must be the end.
fn unpack(archive: &[u8]) -> Vec<(String, usize, Vec<u8>)> {
    let (mut files, mut at) = (Vec::new(), 0);
    loop {
        let field = |number: usize| {
            let digits = &archive[at + 6 + 8 * number..at + 14 + 8 * number];
            usize::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap()
        };
        assert_eq!(&archive[at..at + 6], b"070701", "at {at}");
        let (mode, size, length) = (field(1), field(6), field(11));
        let name = std::str::from_utf8(&archive[at + 110..at + 110 + length]).unwrap();
        let name = name.strip_suffix('\0').unwrap().to_owned();
        let data = (at + 110 + length).next_multiple_of(4);
        at = (data + size).next_multiple_of(4);
        if name == "TRAILER!!!" {
            assert_eq!(at, archive.len(), "nothing behind the trailer");
            return files;
        }
        files.push((name, mode, archive[data..data + size].to_vec()));
    }
}

/// A file in three extents, the last of them no whole sector, each at another place.
fn in_pieces(name: &[u8], bytes: &[u8]) -> Iso {
    let mut iso = Iso::new(b"PIECES");
    let borders = [0, SECTOR, 4 * SECTOR, bytes.len()];
    let mut records = Vec::new();
    for (number, pair) in borders.windows(2).enumerate() {
        iso.reserve(3 * SECTOR);
        let piece = &bytes[pair[0]..pair[1]];
        let extent = iso.add(piece);
        let flags = if number == 2 { 0 } else { 0x80 };
        records.push(raw::named(extent, u32::try_from(piece.len()).unwrap(), flags, name));
    }
    iso.root(&records);
    iso
}

#[test]
fn an_injected_file_is_an_archive_at_every_offset() {
    let bytes = pattern(5 * SECTOR + 1234 + 1);
    let bench = Bench::new();
    let tree =
        bench.tree(in_pieces(b"root.img", &bytes), vec![injecting(&[("/root.img", "/live/in/root.img", "640")])]);
    let found = tree.find("inject/e/0.cpio", ANYBODY).unwrap();
    let archive = all(&found);
    let expected = [
        ("live".to_owned(), 0o040_755, vec![]),
        ("live/in".to_owned(), 0o040_755, vec![]),
        ("live/in/root.img".to_owned(), 0o100_640, bytes.clone()),
    ];
    assert_eq!(unpack(&archive), expected);
    assert_eq!((found.role, found.meta.content_type), (Role::Initrd, "application/octet-stream"));
    // Where one part ends and the next begins: of the file's extents and of what stands around it.
    let start = archive.windows(64).position(|part| part == &bytes[..64]).unwrap();
    let borders = [0, start, start + SECTOR, start + 4 * SECTOR, start + bytes.len(), archive.len()];
    let offsets = borders.iter().flat_map(|border| (border.saturating_sub(3)..border + 4).chain([border + 777]));
    let offsets: Vec<usize> = offsets.filter(|offset| *offset <= archive.len()).collect();
    for &from in &offsets {
        for &to in offsets.iter().filter(|to| **to >= from) {
            let mut part = vec![0xaa; to - from];
            found.read_at(from as u64, &mut part).unwrap();
            assert!(part == archive[from..to], "{from}..{to}");
        }
    }
    let past = found.read_at(archive.len() as u64 - 1, &mut [0, 0]);
    assert!(past.is_err() && found.read_at(u64::MAX, &mut [0]).is_err());
}

#[test]
fn gnu_cpio_unpacks_what_is_injected() {
    let bench = Bench::new();
    let files = [("/a", pattern(7)), ("/empty", vec![]), ("/d/b c", pattern(4096))];
    let files: Vec<(&str, Vec<u8>)> = files.into_iter().collect();
    let injected = [("/a", "/x/y/a", "755"), ("/empty", "e", "600"), ("/d/b c", "/x/b c", "644")];
    let tree = bench.tree(Iso::of(b"GNU", &files), vec![injecting(&injected)]);
    // As an initramfs is: one archive behind the other.
    let archives: Vec<u8> = (0..3).flat_map(|n| body(&tree, &format!("inject/e/{n}.cpio")).unwrap()).collect();
    assert_eq!(archives.len() % 4, 0, "the next archive begins where the kernel looks for it");
    let (mut at, mut seen) = (0, Vec::new());
    for number in 0..3 {
        let size = body(&tree, &format!("inject/e/{number}.cpio")).unwrap().len();
        seen.extend(unpack(&archives[at..at + size]).into_iter().filter(|(_, mode, _)| mode & 0o100_000 != 0));
        at += size;
    }
    let expected = [("x/y/a", 0o100_755, 7), ("e", 0o100_600, 0), ("x/b c", 0o100_644, 4096)];
    let expected: Vec<_> =
        expected.iter().map(|(name, mode, size)| ((*name).to_owned(), *mode, pattern(*size))).collect();
    assert_eq!(seen, expected);
    let out = bench.folder.path().join("out");
    std::fs::create_dir(&out).unwrap();
    for number in 0..3 {
        let cpio = std::process::Command::new("cpio")
            .args(["--extract", "--quiet", "--no-absolute-filenames"])
            .current_dir(&out)
            .stdin(std::process::Stdio::piped())
            .spawn();
        // Our own reader has proven the same; cpio is a second opinion where there is one.
        let Ok(mut cpio) = cpio else { return };
        let archive = body(&tree, &format!("inject/e/{number}.cpio")).unwrap();
        cpio.stdin.take().unwrap().write_all(&archive).unwrap();
        assert!(cpio.wait().unwrap().success());
    }
    assert_eq!(std::fs::read(out.join("x/y/a")).unwrap(), pattern(7));
    assert_eq!(std::fs::read(out.join("x/b c")).unwrap(), pattern(4096));
}

#[test]
fn a_whole_image_is_injected_as_it_is() {
    let bench = Bench::new();
    let iso = Iso::of(b"WHOLE", &[("/a", pattern(5000))]);
    let tree = bench.tree(iso, vec![injecting(&[("/a", "/a", "644"), (WHOLE_IMAGE, "/run/disc.iso", "644")])]);
    let image = std::fs::read(bench.folder.path().join("x.iso")).unwrap();
    let files = unpack(&body(&tree, "inject/e/1.cpio").unwrap());
    assert_eq!(files.last().map(|(name, _, bytes)| (name.as_str(), bytes == &image)), Some(("run/disc.iso", true)));
    assert_eq!(body(&tree, "image/x.iso").unwrap(), image);
    assert_eq!(body(&tree, "image/x/A").unwrap(), pattern(5000), "letters in either case");
}

#[test]
fn what_is_not_there_is_not_found() {
    let bench = Bench::new();
    let files = [("/boot/kernel", pattern(10)), ("/boot/initrd", pattern(11)), ("/boot/boot.cfg", b"x".to_vec())];
    let mut gone = injecting(&[("/nowhere", "/a", "644"), ("/boot/kernel", "/a", "rw"), ("/boot/kernel", "/a", "644")]);
    gone.id = "gone".into();
    let tree = bench.tree(Iso::of(b"NONE", &files), vec![gone, injecting(&[("/boot/kernel", "/a", "644")])]);
    for there in
        ["inject/gone/2.cpio", "INJECT/e/0.cpio", "unpacked/x/boot/kernel", "image/x/boot/kernel", "image/x.iso"]
    {
        assert!(tree.find(there, ANYBODY).is_some(), "{there}");
    }
    let absent = [
        "inject",
        "inject/e",
        "inject/e/",
        "inject/e/1.cpio",
        "inject/e/-1.cpio",
        "inject/e/99999999999999999999.cpio",
        "inject/e/0",
        "inject/e/0.cpio/x",
        "inject/other/0.cpio",
        "inject/gone/0.cpio",
        "inject/gone/1.cpio",
        "unpacked/x",
        "unpacked/x/",
        "unpacked/x/boot",
        "unpacked/x/nowhere",
        "unpacked/y/boot/kernel",
        "esxi/e/none/boot.cfg",
        "esxi/e/boot.cfg",
        "esxi/other/none/boot.cfg",
        "image",
        "image/x",
        "image/x/boot",
        "image/x.iso/boot",
        "image/y.iso",
        "answer/0/user-data",
        "files/x",
    ];
    for path in absent {
        assert!(tree.find(path, ANYBODY).is_none(), "{path}");
    }
    let by_name = |name: &str| path_of_name(name).and_then(|path| tree.find(&path, ANYBODY));
    assert!(by_name("\\image\\x\\BOOT\\kernel").is_some() && by_name("/").is_none());
}

#[test]
fn files_play_the_part_that_the_menu_gives_them() {
    let bench = Bench::new();
    let names = ["/boot/kernel", "/boot/initrd", "/live/root.img", "/other"];
    let files: Vec<(&str, Vec<u8>)> = names.iter().map(|name| (*name, pattern(9))).collect();
    let tree = bench.tree(Iso::of(b"PARTS", &files), vec![injecting(&[("/live/root.img", "/r", "644")])]);
    let role = |path: &str| tree.find(path, ANYBODY).unwrap().role;
    let expected = [
        ("image/x/boot/kernel", Role::Kernel),
        ("image/x/BOOT/KERNEL", Role::Kernel),
        ("image/x/boot/initrd", Role::Initrd),
        ("image/x/live/root.img", Role::Initrd),
        ("image/x/other", Role::Content),
        ("image/x.iso", Role::Disc),
        ("inject/e/0.cpio", Role::Initrd),
        ("boot.ipxe", Role::Script),
        ("menu.ipxe", Role::Script),
    ];
    for (path, expected) in expected {
        assert_eq!(role(path), expected, "{path}");
    }
}

fn packed_zeros(count: u64) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), count), &mut packer).unwrap();
    packer.finish().unwrap()
}

#[test]
fn a_packed_hypervisor_is_unpacked_and_a_bomb_is_not() {
    const LIMIT: u64 = 64 << 20;
    let bench = Bench::new();
    let xen = pattern(300_000);
    let cut = gzip(&xen)[..1000].to_vec();
    let twice = [gzip(&xen), gzip(b"and more")].concat();
    let files: [(&str, Vec<u8>); 8] = [
        ("/boot/kernel", gzip(&xen)),
        ("/boot/initrd", pattern(500)),
        ("/boot/cut", cut),
        ("/boot/twice", twice.clone()),
        ("/boot/most", packed_zeros(LIMIT)),
        ("/boot/bomb", packed_zeros(LIMIT + 1)),
        ("/other.gz", gzip(&xen)),
        ("/one", vec![0x1f]),
    ];
    let mut xcp = item("xcp", Boot::Multiboot);
    xcp.entry.initrd.extend(["cut", "twice", "most", "bomb"].map(|name| format!("/boot/{name}")));
    let mut linux = item("linux", Boot::Linux);
    linux.entry.kernel = Some("/other.gz".into());
    let tree = bench.tree(Iso::of(b"PACKED", &files), vec![xcp, linux]);
    let unpacked = |path: &str| tree.find(&format!("unpacked/x/{path}"), ANYBODY);
    let found = unpacked("boot/kernel").unwrap();
    assert!(all(&found) == xen);
    assert_eq!(found.role, Role::Kernel);
    assert_eq!(unpacked("BOOT/Kernel").unwrap().meta.etag, found.meta.etag, "the same, so that it can be resumed");
    assert!(all(&unpacked("boot/initrd").unwrap()) == pattern(500), "what is not packed is as it is");
    assert!(all(&unpacked("boot/twice").unwrap()) == [xen.clone(), b"and more".to_vec()].concat());
    assert_eq!(unpacked("boot/most").unwrap().meta.size, LIMIT);
    assert!(unpacked("boot/bomb").is_none() && unpacked("boot/bomb").is_none());
    assert!(unpacked("boot/cut").is_none(), "half a kernel is none");
    assert!(unpacked("other.gz").is_none(), "memory is for what an entry needs");
    assert!(unpacked("one").is_some_and(|found| all(&found) == [0x1f]));
    // All that may be kept, and a little more: what goes is unpacked again.
    assert!(all(&unpacked("boot/kernel").unwrap()) == xen);
}

#[test]
fn what_was_unpacked_is_kept_for_the_next_computer() {
    let bench = Bench::new();
    let tree =
        bench.tree(Iso::of(b"KEPT", &[("/boot/kernel", gzip(&pattern(1000)))]), vec![item("x", Boot::Multiboot)]);
    let found = || tree.find("unpacked/x/boot/kernel", ANYBODY).unwrap().source;
    let bytes = |source| match source {
        bootwright::boot::tree::Source::Text(bytes) => bytes,
        other => panic!("{other:?}"),
    };
    assert!(std::sync::Arc::ptr_eq(&bytes(found()), &bytes(found())), "one copy for all");
}

#[test]
fn esxi_gets_its_settings_for_the_network() {
    let upper = SETTINGS.replace("title", "TITLE");
    let cases: [&[(&str, Vec<u8>)]; 2] = [
        &[("/efi/boot/boot.cfg", SETTINGS.into()), ("/boot.cfg", b"title=not this one\n".to_vec())],
        &[("/EFI/BOOT/BOOT.CFG", upper.into())],
    ];
    for files in cases {
        let tree = Bench::new().tree(Iso::of(b"ESXI", files), vec![item("esxi", Boot::Esxi)]);
        let text = |path: &str| body(&tree, path).map(|bytes| String::from_utf8(bytes).unwrap());
        let plain = text("esxi/esxi/none/boot.cfg").unwrap();
        let line = |text: &str, key: &str| {
            text.lines().find_map(|line| line.strip_prefix(&format!("{key}="))).map(str::to_owned).unwrap()
        };
        assert_eq!(line(&plain, "prefix"), "http://10.77.0.1/image/x");
        assert_eq!(line(&plain, "kernelopt"), "runweasel");
        assert_eq!(line(&plain, "modules"), "a.gz --- k.b00");
        let own = text(&format!("esxi/esxi/{TICKET}/BOOT.CFG")).unwrap();
        assert_eq!(line(&own, "kernelopt"), format!("runweasel ks=http://10.77.0.1/answer/{TICKET}/ks.cfg"));
        for strange in ["x y", "0123", &format!("{TICKET}0"), "..", "ks=http:%2f%2fevil", &"g".repeat(32)] {
            assert_eq!(text(&format!("esxi/esxi/{strange}/boot.cfg")).as_ref(), Some(&plain), "{strange}");
        }
        assert!(text("esxi/esxi/none/other.cfg").is_none() && text("esxi/esxi/none/x/boot.cfg").is_none());
    }
    let none =
        Bench::new().tree(Iso::of(b"ESXI", &[("/boot.cfg", b"title=x\n".to_vec())]), vec![item("esxi", Boot::Esxi)]);
    assert!(none.find("esxi/esxi/none/boot.cfg", ANYBODY).is_none(), "settings without a kernel");
}

#[test]
fn a_withdrawn_image_is_gone_in_every_form() {
    let bench = Bench::new();
    let files = [
        ("/boot/kernel", gzip(&pattern(100))),
        ("/boot/initrd", pattern(100)),
        ("/boot.cfg", SETTINGS.as_bytes().to_vec()),
    ];
    let disc = |name: &str| Disc::open(&bench.write(name, Iso::of(b"GONE", &files))).unwrap();
    let images = vec![("x".to_owned(), disc("x.iso")), ("y".to_owned(), disc("y.iso"))];
    let mut first = item("e", Boot::Multiboot);
    first.entry.inject.push(Injection { from: "/boot/initrd".into(), to: "/a".into(), mode: "644".into() });
    let second = Item { id: "f".into(), image: "y".into(), ..first.clone() };
    let tree = bench.tree_of(images, vec![first, second]);
    let paths = |image: &str, entry: &str| {
        [
            format!("image/{image}.iso"),
            format!("image/{image}/boot/kernel"),
            format!("inject/{entry}/0.cpio"),
            format!("unpacked/{image}/boot/kernel"),
            format!("esxi/{entry}/none/boot.cfg"),
        ]
    };
    for path in paths("x", "e").iter().chain(&paths("y", "f")) {
        assert!(tree.find(path, ANYBODY).is_some(), "{path}");
    }
    tree.withdraw("x");
    for path in paths("x", "e") {
        assert!(tree.find(&path, ANYBODY).is_none(), "{path}");
    }
    for path in paths("y", "f") {
        assert!(tree.find(&path, ANYBODY).is_some(), "{path}");
    }
}

/// Sizes of files in an initramfs have 32 bits.
#[test]
fn an_image_too_large_for_an_initramfs_is_no_entry() {
    let bench = Bench::new();
    let path = bench.folder.path().join("big.iso");
    disc::with_big_file(&path);
    let disc = Disc::open(&path).unwrap();
    let tree = bench.tree_of(
        vec![("x".to_owned(), disc)],
        vec![injecting(&[(WHOLE_IMAGE, "/disc.iso", "644"), ("/big.bin", "/b", "644")])],
    );
    assert!(tree.find("inject/e/0.cpio", ANYBODY).is_none() && tree.find("inject/e/1.cpio", ANYBODY).is_none());
    let recipe = "id = \"own\"\nname = \"Own\"\ncategory = \"live\"\n[detect]\nfiles = [\"/big.bin\"]\n\
                  [[entry]]\nkernel = [\"/big.bin\"]\ntransport = \"http-tree\"\ninject = [{ from = \"FROM\", to = \"/d\" }]\n";
    for from in [WHOLE_IMAGE, "/big.*"] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("own.toml"), recipe.replace("FROM", from)).unwrap();
        let book = bootwright::image::recipe::Book::default().and_folder(folder.path());
        assert_eq!(book.faults(), []);
        let disc = Disc::open(&path).unwrap();
        let found = bootwright::image::recognise::judge(&disc, &book);
        assert_eq!(found.recognised.map(|system| system.id).as_deref(), Some("own"));
        assert!(found.entries.is_empty(), "{from}");
        assert!(found.warnings.iter().any(|warning| warning.contains("more than 4 GiB")), "{:?}", found.warnings);
    }
}

#[test]
fn an_entry_goes_through_the_shim_of_its_own_image_where_ipxe_can() {
    let bench = Bench::new();
    let files = [("/boot/kernel", pattern(9)), ("/boot/initrd", pattern(9)), ("/efi/boot/bootx64.efi", pattern(9))];
    let mut arm = item("arm", Boot::Linux);
    arm.entry.arch = "aarch64".into();
    let tree = bench.tree(Iso::of(b"SHIM", &files), vec![item("e", Boot::Linux), arm]);
    let shims = |version: Option<&str>, firmware: Firmware| {
        let asker = Asker { firmware: Some(firmware), arch: None };
        let version = version.and_then(Version::parse);
        let script = String::from_utf8(all(&tree.ipxe_menu(asker, version.as_ref(), (&|_| false, &|_| None)))).unwrap();
        script.lines().filter(|line| line.starts_with("shim")).map(str::to_owned).collect::<Vec<_>>()
    };
    let [shim] = shims(Some("2.0.0"), Firmware::Uefi).try_into().unwrap();
    let path = shim.strip_prefix("shim http://10.77.0.1/").and_then(|rest| rest.strip_suffix(" ||")).unwrap();
    assert_eq!(body(&tree, path), Some(pattern(9)), "{shim}");
    for (version, firmware) in [
        (None, Firmware::Uefi),
        (Some("1.0.0+git-20190125.36a4c85-5.1"), Firmware::Uefi),
        (Some("1.21.1+ (g4bd064de)"), Firmware::Uefi),
        (Some("2.0.0"), Firmware::Bios),
    ] {
        assert_eq!(shims(version, firmware), Vec::<String>::new(), "{version:?}");
    }
}

#[test]
fn ipxe_finds_its_first_script_beside_itself() {
    let bench = Bench::new();
    let tree = bench.tree_of(vec![], vec![]);
    let script = String::from_utf8(body(&tree, "autoexec.ipxe").unwrap()).unwrap();
    assert!(script.starts_with("#!ipxe\n") && script.contains("\ndhcp || goto failed\n"), "{script}");
    assert!(script.contains("&version=${version:uristring}&memory=${memsize}&"), "{script}");
    assert!(path_of_name("\\AUTOEXEC.IPXE").is_some_and(|path| tree.find(&path, ANYBODY).is_some()));
    for elsewhere in ["nowhere/autoexec.ipxe", "xautoexec.ipxe", "autoexec.ipxe/", "files/autoexec.ipxe"] {
        assert!(tree.find(elsewhere, ANYBODY).is_none(), "{elsewhere}");
    }
}

#[test]
fn what_only_entries_with_a_password_need_is_theirs() {
    let bench = Bench::new();
    let hash = bootwright::boot::password::Hash::of("sesame").unwrap();
    let locked = |id: &str, image: &str| {
        let mut item = Item { id: id.into(), image: image.into(), ..item(id, Boot::Linux) };
        item.guard.password = Some(hash.clone());
        item
    };
    let items = vec![
        locked("a", "one"),
        locked("b", "one"),
        locked("c", "two"),
        Item { image: "two".into(), ..item("d", Boot::Linux) },
    ];
    let tree = bench.tree_of(vec![], items);
    let cases: [(&str, &[&str]); 13] = [
        ("image/one/boot/kernel", &["a", "b"]),
        ("image/one.iso", &["a", "b"]),
        ("IMAGE/one.iso", &["a", "b"]),
        ("unpacked/one/boot/kernel", &["a", "b"]),
        ("inject/a/0.cpio", &["a"]),
        ("esxi/b/none/boot.cfg", &["b"]),
        ("chain/c/restart.cfg", &["c"]),
        ("image/two/boot/kernel", &[]),
        ("image/two.iso", &[]),
        ("inject/d/0.cpio", &[]),
        ("image/three.iso", &[]),
        ("undionly.kpxe", &[]),
        ("files/image/one.iso", &[]),
    ];
    for (path, entries) in cases {
        assert_eq!(tree.guarded(path), entries, "{path}");
    }
}
