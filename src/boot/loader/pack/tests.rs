//! Tests with archives and loaders made here: as iPXE's release has them, and hostile ones.

use std::io::Write;

use super::super::{Loader, Loaders};
use super::*;

const X64: u16 = 0x8664;
const IA32: u16 = 0x014c;
const ARM64: u16 = 0xaa64;
const MICROSOFT: &str = "Microsoft Corporation UEFI CA 2011";
const IPXE_CA: &str = "iPXE Secure Boot Intermediate G1A";

/// A UEFI program: headers, one section with a text, and a certificate table with these names.
fn program(machine: u16, text: &str, signers: &[&str]) -> Vec<u8> {
    let wide = machine != IA32;
    let optional = if wide { 112 } else { 96 } + 16 * 8;
    let mut pe = vec![0; 0x40];
    pe[..2].copy_from_slice(b"MZ");
    pe[0x3c] = 0x40;
    pe.extend(b"PE\0\0");
    pe.extend(machine.to_le_bytes());
    pe.extend(1_u16.to_le_bytes());
    pe.extend([0; 12]);
    pe.extend((optional as u16).to_le_bytes());
    pe.extend([0; 2]);
    let mut header = vec![0; optional];
    header[..2].copy_from_slice(&(if wide { 0x20b_u16 } else { 0x10b }).to_le_bytes());
    header[68] = 10;
    let directories = optional - 16 * 8;
    header[directories - 4] = 16;
    let data = pe.len() + optional + 40;
    let mut certificates = Vec::new();
    for signer in signers {
        certificates.extend([0x0c, signer.len() as u8]);
        certificates.extend(signer.as_bytes());
        // What follows in DER may be printable.
        certificates.extend(b"1\x0b0");
    }
    if !certificates.is_empty() {
        header[directories + 32..][..4].copy_from_slice(&((data + text.len()) as u32).to_le_bytes());
        header[directories + 36..][..4].copy_from_slice(&(certificates.len() as u32).to_le_bytes());
    }
    pe.extend(header);
    let mut section = [0; 40];
    section[16..20].copy_from_slice(&(text.len() as u32).to_le_bytes());
    section[20..24].copy_from_slice(&(data as u32).to_le_bytes());
    pe.extend(section);
    pe.extend(text.as_bytes());
    pe.extend(certificates);
    pe
}

fn ipxe(machine: u16, version: &str, signers: &[&str]) -> Vec<u8> {
    let sbat = "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md";
    let text = format!("{version}-not\0{sbat}\nipxe,1,iPXE,snponly.efi,{version},https://ipxe.org\n\0 more");
    program(machine, &text, signers)
}

fn rom() -> Vec<u8> {
    let mut rom = vec![0; 70_000];
    rom[..5].copy_from_slice(&[0xea, 0x05, 0x00, 0xc0, 0x07]);
    rom[1053..1057].copy_from_slice(b"UNDI");
    rom
}

/// The files of a release, as iPXE's has them.
fn release_of(version: &str) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(&str, Vec<u8>)> = vec![
        ("i386/undionly.kpxe", rom()),
        ("x86_64/undionly.kpxe", [rom(), vec![1]].concat()),
        ("i386/ipxe.pxe", rom()),
        ("i386/ipxe-legacy.pxe", rom()),
        ("riscv64/ipxe.efi", program(0x5064, "", &[])),
        ("x86_64-sb/shimx64.efi", program(X64, "", &[MICROSOFT, "Microsoft UEFI CA 2023"])),
        ("arm64-sb/shimaa64.efi", program(ARM64, "", &[MICROSOFT])),
    ];
    for (folder, machine) in [("i386", IA32), ("x86_64", X64), ("arm64", ARM64)] {
        for name in ["snponly.efi", "ipxe.efi"] {
            files.push((Box::leak(format!("{folder}/{name}").into_boxed_str()), ipxe(machine, version, &[])));
        }
    }
    for (folder, machine) in [("x86_64-sb", X64), ("arm64-sb", ARM64)] {
        for name in ["snponly.efi", "ipxe.efi"] {
            files.push((Box::leak(format!("{folder}/{name}").into_boxed_str()), ipxe(machine, version, &[IPXE_CA])));
        }
    }
    files.into_iter().map(|(name, bytes)| (format!("ipxeboot/{name}"), bytes)).collect()
}

/// One header of a tar file, with any name.
fn header(name: &str, size: u64, kind: u8, link: &str) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.as_mut_bytes()[157..][..link.len()].copy_from_slice(link.as_bytes());
    header.set_size(size);
    header.set_mode(0o644);
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_cksum();
    header
}

fn tar_of(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    builder.append(&header("ipxeboot/", 0, b'5', ""), &[][..]).unwrap();
    for (name, link) in
        [("ipxeboot/ipxe.efi", "x86_64/ipxe.efi"), ("ipxeboot/x86_64-sb/snponly-shim.efi", "shimx64.efi")]
    {
        builder.append(&header(name, 0, b'2', link), &[][..]).unwrap();
    }
    for (name, bytes) in files {
        builder.append(&header(name, bytes.len() as u64, b'0', ""), &bytes[..]).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A folder with the file to import, and the one for loaders.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        Bench { folder: tempfile::tempdir().unwrap() }
    }

    fn loaders(&self) -> PathBuf {
        self.folder.path().join("data/loaders")
    }

    fn import(&self, bytes: &[u8]) -> Result<Pack, PackError> {
        let file = self.folder.path().join("ipxeboot.tar.gz");
        std::fs::write(&file, bytes).unwrap();
        import(&file, &self.loaders())
    }

    /// All files that are installed, by their path.
    fn files(&self) -> Vec<String> {
        fn walk(folder: &Path, root: &Path, into: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.path().is_dir() {
                    true => walk(&entry.path(), root, into),
                    false => into.push(entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned()),
                }
            }
        }
        let mut files = Vec::new();
        walk(&self.loaders(), &self.loaders(), &mut files);
        files.sort();
        files
    }
}

#[test]
fn a_release_is_installed_as_the_table_says() {
    let bench = Bench::new();
    let pack = bench.import(&gz(&tar_of(&release_of("2.0.0")))).unwrap();
    assert_eq!((pack.name.as_str(), pack.version.to_string().as_str()), ("ipxe-2.0.0", "2.0.0"));
    let mut expected: Vec<String> = PARTS.iter().map(|part| format!("ipxe-2.0.0/{}", part.file)).collect();
    expected.push("ipxe-2.0.0/manifest.json".into());
    expected.sort();
    assert_eq!(bench.files(), expected);
    // As they are, the 32-bit one of two.
    assert_eq!(std::fs::read(pack.folder.join("undionly.kpxe")).unwrap(), rom());
    let shim = std::fs::read(pack.folder.join("ipxe-x64/snponly-shim.efi")).unwrap();
    assert_eq!(shim, program(X64, "", &[MICROSOFT, "Microsoft UEFI CA 2023"]));
    assert_eq!(std::fs::read(pack.folder.join("ipxe-x64/ipxe-shim.efi")).unwrap(), shim);
    let origin = |file: &str| origin(file, &pack.folder.join(file)).unwrap();
    let shim_origin = origin("ipxe-x64/snponly-shim.efi");
    assert_eq!(shim_origin.signed_by.as_deref(), Some("Microsoft Corporation UEFI CA 2011, Microsoft UEFI CA 2023"));
    assert_eq!(shim_origin.sha256, binary::sha256(&shim));
    assert_eq!(origin("ipxe-arm64/snponly.efi").signed_by.as_deref(), Some(IPXE_CA));
    assert_eq!(binary::signers(&ipxe(X64, "2.0.0", &["Somebody"])).as_deref(), Some("an unknown certificate"));
    let bios = origin("undionly.kpxe");
    assert_eq!((bios.signed_by, bios.version.as_str(), bios.package.as_str()), (None, "2.0.0", "ipxe release"));
    // What is there is found.
    let found = Loaders::find(&[bench.loaders()]);
    assert_eq!(found.path(Loader::SnponlyArm64), Some(pack.folder.join("snponly-arm64.efi").as_path()));
    assert_eq!(found.path(Loader::SnponlyIa32), Some(pack.folder.join("snponly-ia32.efi").as_path()));
}

#[test]
fn a_plain_tar_and_an_unpacked_folder_do_as_well() {
    let files = release_of("2.0.0");
    let packed = Bench::new();
    packed.import(&gz(&tar_of(&files))).unwrap();
    let plain = Bench::new();
    plain.import(&tar_of(&files)).unwrap();
    assert_eq!(plain.files(), packed.files());
    for inner in ["", "ipxeboot"] {
        let bench = Bench::new();
        let root = bench.folder.path().join("unpacked");
        for (name, bytes) in &files {
            let path = root.join(inner).join(name.strip_prefix("ipxeboot/").unwrap());
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        import(&root, &bench.loaders()).unwrap();
        assert_eq!(bench.files(), packed.files(), "{inner:?}");
    }
}

#[test]
fn the_same_again_replaces_and_the_newest_counts() {
    let bench = Bench::new();
    let import = |version: &str| bench.import(&gz(&tar_of(&release_of(version)))).unwrap();
    import("2.0.0");
    // A file that a later release no longer has, and what a killed run left.
    std::fs::write(bench.loaders().join("ipxe-2.0.0/snponly-old.efi"), "old").unwrap();
    std::fs::create_dir(bench.loaders().join(".pack-new-1-ipxe-2.0.0")).unwrap();
    let before = bench.files().len() - 1;
    import("2.0.0");
    assert_eq!(bench.files().len(), before);
    assert_eq!(std::fs::read_dir(bench.loaders()).unwrap().count(), 1);
    import("2.0.10");
    import("2.0.9+ (g12ab)");
    let names: Vec<String> = packs(&bench.loaders()).into_iter().map(|pack| pack.name).collect();
    assert_eq!(names, ["ipxe-2.0.10", "ipxe-2.0.9+g12ab", "ipxe-2.0.0"]);
    let folder = |loader| Loaders::find(&[bench.loaders()]).path(loader).unwrap().parent().unwrap().to_path_buf();
    assert_eq!(folder(Loader::SnponlyX64), bench.loaders().join("ipxe-2.0.10"));
    // What somebody put there by hand comes before all packs.
    std::fs::write(bench.loaders().join("snponly.efi"), "mine").unwrap();
    assert_eq!(folder(Loader::SnponlyX64), bench.loaders());
}

#[test]
fn a_pack_is_removed_by_its_name_or_version() {
    let bench = Bench::new();
    bench.import(&tar_of(&release_of("2.0.0"))).unwrap();
    bench.import(&tar_of(&release_of("2.0.1+ (gab)"))).unwrap();
    for wanted in ["", "2", "../loaders/ipxe-2.0.0", "ipxe-2.0.0/", "2.0.2"] {
        let error = remove(&bench.loaders(), wanted).unwrap_err().to_string();
        assert!(error.ends_with("Installed: ipxe-2.0.1+gab, ipxe-2.0.0."), "{error}");
    }
    assert_eq!(remove(&bench.loaders(), "2.0.1+ (gab)").unwrap().name, "ipxe-2.0.1+gab");
    assert_eq!(remove(&bench.loaders(), "ipxe-2.0.0").unwrap().name, "ipxe-2.0.0");
    assert_eq!(std::fs::read_dir(bench.loaders()).unwrap().count(), 0);
    let error = remove(&bench.loaders(), "2.0.0").unwrap_err().to_string();
    assert_eq!(error, "There is no pack \"2.0.0\". None is installed.");
}

#[test]
fn a_pack_whose_replacement_was_cut_off_comes_back() {
    let bench = Bench::new();
    bench.import(&tar_of(&release_of("2.0.0"))).unwrap();
    let before = bench.files();
    std::fs::rename(bench.loaders().join("ipxe-2.0.0"), bench.loaders().join(".pack-old-77-ipxe-2.0.0")).unwrap();
    assert!(packs(&bench.loaders()).is_empty());
    bench.import(&tar_of(&release_of("2.0.1"))).unwrap();
    assert_eq!(packs(&bench.loaders()).len(), 2);
    assert!(before.iter().all(|file| bench.files().contains(file)));
}

#[test]
fn hostile_archives_leave_what_was_installed_alone() {
    let bench = Bench::new();
    bench.import(&gz(&tar_of(&release_of("2.0.0")))).unwrap();
    let before = bench.files();
    let with = |name: &str, bytes: Vec<u8>| {
        let mut files = release_of("2.0.0");
        files.retain(|(file, _)| *file != name);
        files.push((name.to_owned(), bytes));
        tar_of(&files)
    };
    let good = gz(&tar_of(&release_of("2.0.0")));
    let cut = good[..good.len() / 2].to_vec();
    let no_checksum = good[..good.len() - 8].to_vec();
    let mut flipped = good.clone();
    let at = flipped.len() - 6;
    flipped[at] ^= 1;
    let mut twice = release_of("2.0.0");
    twice.push(twice[0].clone());
    let linked = {
        let mut builder = tar::Builder::new(Vec::new());
        builder.append(&header("ipxeboot/x86_64/ipxe.efi", 0, b'2', "/etc/passwd"), &[][..]).unwrap();
        builder.append(&header("ipxeboot/x86_64/snponly.efi", 0, b'1', "../../etc/passwd"), &[][..]).unwrap();
        builder.into_inner().unwrap()
    };
    let many = {
        let header = header("ipxeboot/x", 0, b'0', "");
        [header.as_bytes().repeat(5000), vec![0; 1024]].concat()
    };
    let unfinished = {
        let program = ipxe(X64, "2.0.0", &[]);
        program[..program.len() - 10].to_vec()
    };
    let whole_header = |size| header("ipxeboot/x86_64/ipxe.efi", size, b'0', "").as_bytes().to_vec();
    let cases: [(&str, Vec<u8>, &str); 23] = [
        ("a name that leads out", gz(&with("ipxeboot/../../x86_64/ipxe.efi", rom())), "has a file named"),
        ("an absolute name", with("/x86_64/ipxe.efi", rom()), "has a file named"),
        ("a backslash", with("..\\x86_64\\ipxe.efi", rom()), "has a file named"),
        ("a colour", with("\u{1b}[31mx", rom()), "has a file named \"·[31mx\""),
        ("twice the same", tar_of(&twice), "has a file named"),
        ("links only", linked, "has no boot loader"),
        ("nothing", vec![], "is neither"),
        ("zeros", vec![0; 4096], "is neither"),
        ("an empty archive", gz(&[0; 1024]), "has no boot loader"),
        ("a text", b"<html>404 Not Found</html>".to_vec(), "is neither"),
        ("zip", b"PK\x03\x04rest".to_vec(), "is neither"),
        ("half of the file", cut, "is cut off or damaged (it ends too early). Download it again."),
        ("without the checksum", no_checksum, "is cut off or damaged"),
        ("a wrong checksum", flipped, "is cut off or damaged"),
        ("gzip of nothing known", gz(&[7; 2048]), "is cut off or damaged"),
        ("many files", many, "more than 4096 files"),
        ("another processor", with("ipxeboot/arm64/ipxe.efi", ipxe(X64, "2.0.0", &[])), "is for x64 and not for ARM64"),
        ("empty", with("ipxeboot/x86_64/ipxe.efi", vec![]), "x86_64/ipxe.efi in "),
        ("cut off inside", with("ipxeboot/x86_64/ipxe.efi", unfinished), "is no whole UEFI program"),
        ("no BIOS loader", with("ipxeboot/i386/ipxe.pxe", vec![0xea; 70_000]), "is no iPXE for a BIOS"),
        ("unsigned", with("ipxeboot/x86_64-sb/snponly.efi", ipxe(X64, "2.0.0", &[])), "has no signature"),
        ("mixed", with("ipxeboot/arm64/ipxe.efi", ipxe(ARM64, "2.0.1", &[])), "of iPXE 2.0.0 and of 2.0.1"),
        ("a giant that is not there", [whole_header(1 << 40), vec![0; 512]].concat(), "more than 256 MiB unpacked"),
    ];
    for (name, bytes, expected) in cases {
        let error = bench.import(&bytes).map(|pack| pack.name).expect_err(name).to_string();
        assert!(error.contains(expected), "{name}: {error}");
        assert!(error.ends_with('.') && !error.contains('\u{1b}'), "{name}: {error}");
        assert_eq!(bench.files(), before, "{name}");
    }
}

#[test]
fn bombs_are_stopped_by_their_size() {
    let bench = Bench::new();
    let large = |size: usize| header("ipxeboot/x86_64/ipxe.efi", size as u64, b'0', "").as_bytes().to_vec();
    let loader = gz(&[large(17 << 20), vec![0; 18 << 20]].concat());
    assert!(bench.import(&loader).unwrap_err().to_string().contains("more than 16 MiB in x86_64/ipxe.efi"));
    // Behind the end of the archive, where nobody looks.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&tar_of(&release_of("2.0.0"))).unwrap();
    (0..260).for_each(|_| encoder.write_all(&vec![0; 1 << 20]).unwrap());
    let behind = encoder.finish().unwrap();
    assert!(bench.import(&behind).unwrap_err().to_string().contains("more than 256 MiB unpacked"));
    assert_eq!(bench.files(), Vec::<String>::new());
}

#[test]
fn parts_of_a_release_are_enough_but_no_shim_alone() {
    let bench = Bench::new();
    let mut files = release_of("2.0.0");
    files.retain(|(name, _)| name.contains("x86_64-sb") && !name.ends_with("/snponly.efi"));
    bench.import(&tar_of(&files)).unwrap();
    let expected =
        ["ipxe-x64/ipxe-shim.efi", "ipxe-x64/ipxe.efi", "manifest.json"].map(|file| format!("ipxe-2.0.0/{file}"));
    assert_eq!(bench.files(), expected);
    files.retain(|(name, _)| name.contains("shim"));
    assert!(bench.import(&tar_of(&files)).unwrap_err().to_string().contains("has no boot loader"));
    // A BIOS loader tells no version.
    let error = bench.import(&tar_of(&[("undionly.kpxe".into(), rom())])).unwrap_err();
    assert!(error.to_string().contains("No file in"), "{error}");
    assert_eq!(bench.files(), expected);
}

/// UEFI program and Linux kernel in one.
fn wimboot_program(version: &str, machine: u16) -> Vec<u8> {
    let mut text = vec![b' '; 0x400];
    // The program's headers have 64 + 24 + 240 + 40 bytes, or 16 less.
    let data = program(machine, "", &[]).len();
    text[0x200 - data + 2..][..4].copy_from_slice(b"HdrS");
    text[0x200 - data + 0x0e..][..2].copy_from_slice(&0x30_u16.to_le_bytes());
    text[0x200 - data + 0x30..][..version.len()].copy_from_slice(version.as_bytes());
    text[0x200 - data + 0x30 + version.len()] = 0;
    text[0x300..0x30b].copy_from_slice(b"wimboot.efi");
    program(machine, std::str::from_utf8(&text).unwrap(), &[MICROSOFT])
}

#[test]
fn wimboot_comes_as_it_is() {
    let bench = Bench::new();
    let bytes = wimboot_program("v2.8.0", X64);
    let pack = bench.import(&bytes).unwrap();
    assert_eq!(bench.files(), ["wimboot-2.8.0/manifest.json", "wimboot-2.8.0/wimboot"]);
    assert_eq!(std::fs::read(pack.folder.join("wimboot")).unwrap(), bytes);
    assert_eq!(Loaders::find(&[bench.loaders()]).path(Loader::Wimboot), Some(pack.folder.join("wimboot").as_path()));
    let origin = origin("wimboot", &pack.folder.join("wimboot")).unwrap();
    assert_eq!((origin.version.as_str(), origin.signed_by.as_deref()), ("2.8.0", Some(MICROSOFT)));
    let other = |bytes: Vec<u8>| bench.import(&bytes).unwrap_err().to_string();
    assert!(other(wimboot_program("v2.8.0", IA32)).contains("is for 32-bit x86 and not for x64"));
    assert!(other(ipxe(X64, "2.0.0", &[])).contains("but not wimboot"));
    assert!(other(wimboot_program("vx", X64)).contains("but not wimboot"));
    assert_eq!(bench.files().len(), 2);
}

#[test]
fn each_shim_has_its_second_stage() {
    let shims: Vec<&str> = PARTS.iter().map(|part| part.file).filter(|file| file.contains("shim")).collect();
    assert_eq!(shims.len(), 4);
    for shim in shims {
        assert_eq!(second_stage(shim), Some(shim.replace("-shim", "").as_str()), "{shim}");
    }
    assert_eq!(second_stage("ipxe-x64/snponly.efi"), None);
    assert_eq!(second_stage("evil-shim.efi"), None);
}

#[test]
fn no_folder_is_written_where_none_can_be() {
    let bench = Bench::new();
    let file = bench.folder.path().join("a");
    std::fs::write(&file, tar_of(&release_of("2.0.0"))).unwrap();
    // A file stands where a folder is needed.
    let error = import(&file, &file.join("loaders")).unwrap_err().to_string();
    assert!(error.contains("cannot be put into"), "{error}");
    assert!(
        import(&bench.folder.path().join("none"), &bench.loaders()).unwrap_err().to_string().contains("cannot be read")
    );
}
