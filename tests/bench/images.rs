//! How long images take: from the drop of a file to its card, and until a hundred of them are served.
//!
//!     cargo bench --bench images
//!
//! Bars (the project's measures): an image of 6 GB in less than a second and no copy, a hundred images in less than three
//! seconds. Figures only, no verdict: machines differ. All files come from a warm cache; the bytes read say what a drive
//! would have to give. What is looked for in initrds stands at their ends here, which is the worst case.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench may stop at the first surprise"
)]

#[path = "../disc/mod.rs"]
mod disc;
#[path = "../disc/layout.rs"]
mod layout;
#[path = "../disc/raw.rs"]
mod raw;
#[path = "../disc/udf.rs"]
mod udf;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bootwright::boot::loader::Preference;
use bootwright::boot::menu::Default as Choice;
use bootwright::deployment::{DhcpPlan, Plan, Ports};
use bootwright::dhcp::Guests;
use bootwright::engine::{self, Update};
use bootwright::image;
use futures_util::StreamExt;

/// How often each figure is taken.
const TIMES: usize = 7;
/// Most of a file that ISO 9660 keeps in one piece, as writers cut it.
const LARGEST: u32 = 0xffff_f800;

fn main() {
    // Cargo also runs benches to see whether they run at all (`cargo test --benches`).
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let recipes = image::recipe::book().recipes().len();
    println!("reading {recipes} recipes, once a start: {}", millis(began.elapsed()));
    println!("\nfrom the drop to the card (median and worst of {TIMES}; bytes read):");
    let images: [(&str, fn(&Path)); 6] = [
        ("one file of 5 GB", |path| disc::with_big_file(path)),
        ("UDF, 1,000 files", windows),
        ("3,000 files", ubuntu),
        ("initrd of 40 MB in gzip", live),
        ("initrd of 40 MB in zstd", arch),
        ("own menu, initrd of 40 MB in xz", unknown),
    ];
    for (name, make) in images {
        let path = folder.path().join("image.iso");
        make(&path);
        card(name, &path);
        std::fs::remove_file(path).unwrap();
    }
    println!("\na hundred images until all is served (bytes read):");
    for (name, filling) in [("with initrds of a few KiB", 0), ("with initrds of 10 MB", 10 << 20)] {
        let images = hundred(folder.path(), filling);
        serve(name, folder.path(), &images);
        images.iter().for_each(|path| std::fs::remove_file(path).unwrap());
    }
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// Bytes that this process has read so far; none where the system does not count them.
fn bytes_read() -> Option<u64> {
    let counts = std::fs::read_to_string("/proc/self/io").ok()?;
    counts.lines().find_map(|line| line.strip_prefix("rchar: "))?.parse().ok()
}

/// Takes one figure several times.
fn measure(name: &str, times: usize, mut work: impl FnMut()) {
    let before = bytes_read();
    let mut taken: Vec<Duration> = (0..times)
        .map(|_| {
            let began = Instant::now();
            work();
            began.elapsed()
        })
        .collect();
    let read = bytes_read().zip(before).map(|(after, before)| (after - before) / times as u64);
    taken.sort();
    let read = read.map_or_else(String::new, |read| format!("{:>9.1} MB", read as f64 / 1e6));
    println!("  {name:<52} {:>10} {:>10} {read}", millis(taken[times / 2]), millis(taken[times - 1]));
}

fn card(name: &str, path: &Path) {
    let (_, found) = image::inspect(path).unwrap();
    let system = found.recognised.as_ref().map_or("nothing", |system| system.id.as_str());
    let size = found.size as f64 / 1e9;
    let name = format!("{name}: {system}, {} entries", found.entries.len());
    measure(&format!("{name} ({size:.1} GB)"), TIMES, || {
        let disc = image::Disc::open(path).unwrap();
        image::recognise::judge(&disc, image::recipe::book());
    });
}

fn table(name: &str) -> Vec<layout::Image> {
    let path = format!("{}/tests/layouts/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let table: layout::Table = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    table.image
}

/// The files of a table's image; links are left out. Initrds have so many bytes of other files in front.
fn files(image: &layout::Image, pack: fn(&[u8]) -> Vec<u8>, filling: usize) -> Vec<(String, Vec<u8>)> {
    let kept = image.files.iter().filter(|(_, content)| !content.starts_with("@link "));
    kept.map(|(path, content)| {
        let bytes = match content.strip_prefix("@initrd") {
            Some(names) if filling > 0 => pack(&initrd(names.split_whitespace(), filling)),
            _ => layout::bytes(content),
        };
        (path.clone(), bytes)
    })
    .collect()
}

/// An archive with drivers in front and these files at its end, where a search meets them last.
fn initrd<'a>(names: impl Iterator<Item = &'a str>, filling: usize) -> Vec<u8> {
    const DRIVER: usize = 64 << 10;
    let mut archive = Vec::new();
    for number in 0..filling / DRIVER {
        let name = format!("usr/lib/modules/6.1.0/kernel/drivers/net/ethernet/driver{number}.ko");
        member(&mut archive, &name, &half_random(DRIVER, number as u64));
    }
    archive.extend(layout::cpio(names));
    archive
}

fn member(archive: &mut Vec<u8>, name: &str, bytes: &[u8]) {
    let fields = [1, 0o100_644, 0, 0, 1, 0, bytes.len(), 0, 0, 0, 0, name.len() + 1, 0];
    archive.extend(b"070701");
    archive.extend(fields.iter().flat_map(|field| format!("{field:08x}").into_bytes()));
    archive.extend(name.as_bytes());
    archive.push(0);
    archive.resize(archive.len().next_multiple_of(4), 0);
    archive.extend(bytes);
    archive.resize(archive.len().next_multiple_of(4), 0);
}

/// Bytes that pack to about half, as programs do.
fn half_random(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        bytes.extend(next());
        bytes.extend(b"program ");
    }
    bytes.truncate(length);
    bytes
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(0);
    let mut packer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn write(path: &Path, label: &str, files: &[(String, Vec<u8>)], holes: &[(&str, u32)]) {
    let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(path, bytes)| (path.as_str(), bytes.clone())).collect();
    let (iso, length) = raw::Iso::with_holes(label.as_bytes(), &files, holes);
    let mut file = std::fs::File::create(path).unwrap();
    file.write_all(&iso.finish()).unwrap();
    file.set_len(length).unwrap();
}

/// Packages, as installers carry them.
fn packages(count: usize) -> impl Iterator<Item = (String, Vec<u8>)> {
    (0..count).map(|number| {
        let first = char::from(b'a' + (number % 26) as u8);
        (format!("/pool/main/{first}/package{}/package{number}_1.0-1_amd64.deb", number % 400), b"package".to_vec())
    })
}

fn ubuntu(path: &Path) {
    let image = &table("ubuntu-server")[0];
    let mut all = files(image, layout::gzip, 70 << 20);
    all.extend(packages(3000));
    write(path, &image.label, &all, &[("/casper/large.squashfs", LARGEST), ("/casper/more.squashfs", 1_500_000_000)]);
}

fn live(path: &Path) {
    let image = &table("grml")[0];
    write(path, &image.label, &files(image, layout::gzip, 80 << 20), &[("/live/large.squashfs", LARGEST)]);
}

fn arch(path: &Path) {
    let image = &table("arch")[0];
    write(path, &image.label, &files(image, zstd, 80 << 20), &[("/arch/x86_64/large.sfs", LARGEST)]);
}

fn unknown(path: &Path) {
    let menu = "menuentry 'Start' {\n linux /boot/vmlinuz quiet\n initrd /boot/initrd.img\n}\n";
    let all = [
        ("/boot/grub/grub.cfg".to_owned(), menu.into()),
        ("/boot/vmlinuz".to_owned(), layout::bytes("@kernel")),
        ("/boot/initrd.img".to_owned(), xz(&initrd(["init"].into_iter(), 80 << 20))),
    ];
    write(path, "UNKNOWN", &all, &[("/large.img", LARGEST)]);
}

/// A disc as Microsoft makes them: UDF, `install.wim` larger than 4 GiB.
fn windows(path: &Path) {
    const INSTALL: u64 = 5_400_000_000;
    /// Most of one piece (ECMA-167 4/14.14.1.1), in whole blocks.
    const PIECE: u64 = 0x3fff_f800;
    let image = &table("windows-10-11")[0];
    let mut disc = udf::Udf::new();
    let (sources, efi) = (disc.reserve(1), disc.reserve(1));
    let boot_wim = disc.file(&layout::bytes(&image.files["/sources/boot.wim"]));
    let small: Vec<(Vec<u8>, u32)> =
        (0..1000).map(|number| (udf::name(&format!("file{number}.dll")), disc.file(b"library"))).collect();
    let (install, first) = (disc.reserve(1), 1 << 20);
    let pieces = (0..INSTALL.div_ceil(PIECE)).flat_map(|number| {
        let length = (INSTALL - number * PIECE).min(PIECE) as u32;
        udf::short(length, first + (number * PIECE / 2048) as u32)
    });
    let pieces: Vec<u8> = pieces.collect();
    disc.put_block(install, &udf::file_entry(install, 5, INSTALL, 0, &pieces));
    let (boot_name, install_name) = (udf::name("boot.wim"), udf::name("install.wim"));
    let mut inside: Vec<udf::Named> = vec![(&boot_name, false, boot_wim), (&install_name, false, install)];
    inside.extend(small.iter().map(|(name, entry)| (name.as_slice(), false, *entry)));
    disc.folder(sources, udf::Udf::ROOT, &inside);
    let bootmgr = disc.file(b"bootmgr");
    let boot_folder = disc.reserve(1);
    let loader = disc.file(&layout::bytes("@efi x64"));
    disc.folder(boot_folder, efi, &[(&udf::name("bootx64.efi"), false, loader)]);
    disc.folder(efi, udf::Udf::ROOT, &[(&udf::name("boot"), true, boot_folder)]);
    let (sources_name, efi_name, bootmgr_name) = (udf::name("sources"), udf::name("efi"), udf::name("bootmgr"));
    let root = [(&*sources_name, true, sources), (&*efi_name, true, efi), (&*bootmgr_name, false, bootmgr)];
    disc.folder(udf::Udf::ROOT, udf::Udf::ROOT, &root);
    let blocks = u64::from(first) + INSTALL.div_ceil(2048);
    disc.declared = Some(u32::try_from(blocks).unwrap());
    let mut file = std::fs::File::create(path).unwrap();
    file.write_all(&disc.finish(image.label.as_bytes())).unwrap();
    file.set_len((u64::from(udf::PARTITION) + blocks) * 2048).unwrap();
}

/// A hundred images of a hundred tables, sparse and some GB large.
fn hundred(folder: &Path, filling: usize) -> Vec<PathBuf> {
    let mut tables: Vec<PathBuf> = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/layouts"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    tables.sort();
    let images: Vec<layout::Image> =
        tables.iter().flat_map(|path| table(path.file_stem().unwrap().to_str().unwrap())).take(100).collect();
    let packers: [fn(&[u8]) -> Vec<u8>; 3] = [layout::gzip, zstd, xz];
    let make = |(number, image): (usize, &layout::Image)| {
        let path = folder.join(format!("image{number}.iso"));
        let files = files(image, packers[number % 3], 2 * filling);
        write(&path, &image.label, &files, &[("/filling/large.squashfs", 2_000_000_000)]);
        // What was written just now is looked at each time.
        let yesterday = std::time::SystemTime::now() - Duration::from_secs(86_400);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(yesterday).unwrap();
        path
    };
    images.iter().enumerate().map(make).collect()
}

fn serve(name: &str, folder: &Path, images: &[PathBuf]) {
    std::fs::write(folder.join("undionly.kpxe"), b"loader").unwrap();
    let loopback = bootwright::net::interface::list().into_iter().next_back().unwrap();
    let plan = Plan {
        interface: loopback.name.clone(),
        network: loopback.network().unwrap(),
        dhcp: DhcpPlan::Off,
        guests: Guests::default(),
        images: images.to_vec(),
        default: Choice::Local,
        menu_timeout: 30,
        append: String::new(),
        edits: vec![],
        once: Default::default(),
        once_file: folder.join("once.json"),
        answers: Default::default(),
        names_file: folder.join("host-names.json"),
        preference: Preference::Auto,
        ladder_file: folder.join("loaders.json"),
        control_file: folder.join("control.sock"),
        approval_file: folder.join("approved.json"),
        records: Default::default(),
        own_loaders: Some(folder.to_path_buf()),
        loaders: vec![],
        files: None,
        ports: Ports { dhcp: 0, pxe: 0, tftp: 0, http: Some(0) },
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let known = std::cell::Cell::new(0);
    let mut start = || {
        runtime.block_on(async {
            let mut running = engine::run(&plan);
            match running.next().await.unwrap() {
                Update::Listening(listening) => {
                    known.set(listening.images.iter().filter(|image| image.recognised.is_some()).count());
                }
                other => panic!("{other:?}"),
            }
            drop(running);
        });
    };
    measure(name, 1, &mut start);
    measure("  the same again, without a new start", TIMES, &mut start);
    println!("  ({} images, {} of them known)", images.len(), known.get());
}
