//! Images with the layouts of real systems, made from the tables in `tests/layouts`.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// A table: images of one system.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    pub image: Vec<Image>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    pub label: String,
    #[serde(default)]
    pub udf: bool,
    /// The file that a BIOS starts, and that UEFI starts, as the boot catalogue says.
    pub starts_bios: Option<String>,
    pub starts_uefi: Option<String>,
    pub files: BTreeMap<String, String>,
    pub expect: Expect,
}

/// What `inspect` is to say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub id: String,
    pub version: Option<String>,
    pub name: Option<String>,
    #[serde(default)]
    pub entries: Vec<Entry>,
    pub warns: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub id: String,
    pub title: Option<String>,
    pub kernel: Option<String>,
    #[serde(default)]
    pub initrd: Vec<String>,
    #[serde(default)]
    pub cmdline: String,
    pub transport: String,
    pub boot: Option<String>,
    pub inject: Option<Vec<String>>,
    pub modules: Option<Vec<String>>,
    pub firmware: Option<Vec<String>>,
    pub arch: Option<String>,
    /// The kind of answer file that it takes.
    pub answer: Option<String>,
    /// Memory needed, in MiB.
    pub ram: Option<u64>,
}

impl Image {
    /// Makes the image below `folder`. Panics where it cannot: the table is wrong, or a program is missing.
    pub fn make(&self, folder: &Path, name: &str) -> PathBuf {
        let root = folder.join(name);
        for (path, content) in &self.files {
            let path = root.join(path.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            if let Some(target) = content.strip_prefix("@link ") {
                std::os::unix::fs::symlink(target, path).unwrap();
                continue;
            }
            std::fs::write(path, bytes(content)).unwrap();
        }
        let image = folder.join(format!("{name}.iso"));
        let (program, options): (&str, &[&str]) = if self.udf {
            ("genisoimage", &["-quiet", "-udf", "-allow-limited-size", "-V"])
        } else {
            ("xorriso", &["-as", "mkisofs", "-quiet", "-R", "-J", "-joliet-long", "-V"])
        };
        let mut command = Command::new(program);
        command.args(options).arg(&self.label);
        if let Some(file) = &self.starts_bios {
            command.args(["-b", file, "-no-emul-boot", "-boot-load-size", "4"]);
        }
        if let Some(file) = &self.starts_uefi {
            command.args(["-eltorito-alt-boot", "-e", file, "-no-emul-boot"]);
        }
        let output = command.arg("-o").arg(&image).arg(&root).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        std::fs::remove_dir_all(root).unwrap();
        image
    }
}

/// The bytes that a table's word stands for; any other text stands for itself.
pub fn bytes(content: &str) -> Vec<u8> {
    let Some(word) = content.strip_prefix('@') else { return content.as_bytes().to_vec() };
    let (word, rest) = word.split_once(' ').unwrap_or((word, ""));
    match word {
        "kernel" => kernel(true, Some(0x8664), true),
        "kernel-bios" => kernel(true, None, true),
        "kernel-i386" => kernel(true, None, false),
        "kernel-arm64" => kernel(false, Some(0xaa64), false),
        "efi" => match rest {
            "x64" => kernel(false, Some(0x8664), false),
            "ia32" => kernel(false, Some(0x014c), false),
            "arm64" => kernel(false, Some(0xaa64), false),
            other => panic!("@efi {other}"),
        },
        "xen" => b"\x7fELF\x01\x01\x01\0xen".to_vec(),
        "initrd" => gzip(&cpio(rest.split_whitespace())),
        "zeros" => {
            let (count, unit) = rest.split_once(' ').unwrap_or((rest, "B"));
            let factor = match unit {
                "B" => 1,
                "KiB" => 1 << 10,
                "MiB" => 1 << 20,
                other => panic!("@zeros {other}"),
            };
            vec![0; count.parse::<usize>().unwrap() * factor]
        }
        "wim" => wim(rest),
        "bytes" => {
            let digits: Vec<u8> = rest.bytes().filter(u8::is_ascii_hexdigit).collect();
            digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
        }
        other => panic!("no content is called @{other}"),
    }
}

/// The least header of a kernel or a UEFI program.
pub fn kernel(linux: bool, machine: Option<u16>, is_64_bit: bool) -> Vec<u8> {
    let mut bytes = vec![0u8; 2048];
    if linux {
        bytes[0x202..0x206].copy_from_slice(b"HdrS");
        bytes[0x236] = u8::from(is_64_bit);
    }
    if let Some(machine) = machine {
        bytes[..2].copy_from_slice(b"MZ");
        bytes[0x3c] = 0x80;
        bytes[0x80..0x84].copy_from_slice(b"PE\0\0");
        bytes[0x84..0x86].copy_from_slice(&machine.to_le_bytes());
    }
    bytes
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// A cpio archive ("newc") with empty files of these names.
pub fn cpio<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let mut out = Vec::new();
    for name in names.into_iter().chain(["TRAILER!!!"]) {
        let fields = [1, 0o100_755, 0, 0, 1, 0, 0, 0, 0, 0, 0, name.len() + 1, 0];
        out.extend(b"070701");
        out.extend(fields.iter().flat_map(|field| format!("{field:08x}").into_bytes()));
        out.extend(name.as_bytes());
        out.push(0);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

/// A WIM with its header and its list of images, and nothing in them: `build=26100 arch=9 boot=2 editions="A|B"`.
fn wim(options: &str) -> Vec<u8> {
    let value = |name: &str, otherwise: &str| {
        let quoted = options.split_once(&format!("{name}=\"")).and_then(|(_, rest)| rest.split_once('"'));
        let plain = || options.split_whitespace().find_map(|word| word.strip_prefix(&format!("{name}=")));
        quoted.map(|(value, _)| value).or_else(plain).unwrap_or(otherwise).to_owned()
    };
    let (build, arch, boot) = (value("build", "26100"), value("arch", "9"), value("boot", "2"));
    let editions = value("editions", "Microsoft Windows PE (x64)|Microsoft Windows Setup (x64)");
    let images: Vec<&str> = editions.split('|').collect();
    let image = |(at, name): (usize, &&str)| {
        let windows = format!(
            "<WINDOWS><ARCH>{arch}</ARCH><PRODUCTNAME>Microsoft® Windows® Operating System</PRODUCTNAME>\
             <EDITIONID>{id}</EDITIONID><INSTALLATIONTYPE>Client</INSTALLATIONTYPE>\
             <LANGUAGES><LANGUAGE>en-US</LANGUAGE><DEFAULT>en-US</DEFAULT></LANGUAGES>\
             <VERSION><MAJOR>10</MAJOR><MINOR>0</MINOR><BUILD>{build}</BUILD><SPBUILD>1742</SPBUILD></VERSION></WINDOWS>",
            id = name.rsplit(' ').next().unwrap_or("Core"),
        );
        format!("<IMAGE INDEX=\"{}\"><NAME>{name}</NAME><DESCRIPTION>{name}</DESCRIPTION>{windows}</IMAGE>", at + 1)
    };
    let xml = format!("<WIM>{}</WIM>", images.iter().enumerate().map(image).collect::<String>());
    let xml: Vec<u8> = "\u{feff}".encode_utf16().chain(xml.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let mut bytes = vec![0u8; 208];
    bytes[..8].copy_from_slice(b"MSWIM\0\0\0");
    bytes[8..12].copy_from_slice(&208u32.to_le_bytes());
    bytes[12..16].copy_from_slice(&0x0001_0d00u32.to_le_bytes());
    bytes[40..44].copy_from_slice(&[1, 0, 1, 0]);
    bytes[44..48].copy_from_slice(&u32::try_from(images.len()).unwrap().to_le_bytes());
    // The resource of the list: size (7 bytes) and flags, offset, original size.
    let size = (xml.len() as u64).to_le_bytes();
    bytes[72..79].copy_from_slice(&size[..7]);
    bytes[79] = 0x02;
    bytes[80..88].copy_from_slice(&208u64.to_le_bytes());
    bytes[88..96].copy_from_slice(&size);
    bytes[120..124].copy_from_slice(&boot.parse::<u32>().unwrap().to_le_bytes());
    bytes.extend(xml);
    bytes
}
