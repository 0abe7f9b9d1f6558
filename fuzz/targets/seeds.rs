//! Writes inputs to begin with: `seeds FOLDER` makes a folder in it for each target.

use std::io::Write;
use std::path::Path;

use bootwright_fuzz::bases;

fn main() {
    let folder = std::env::args().nth(1).expect("seeds FOLDER");
    let put = |target: &str, name: &str, bytes: &[u8]| {
        let folder = Path::new(&folder).join(target);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
    };
    for kind in 0..3u8 {
        put("disc", &format!("base-{kind}"), &[kind, 0, 0, 0, 0]);
        // One byte of each of many places, with what breaks most.
        for place in 0..60u8 {
            put(
                "disc",
                &format!("change-{kind}-{place}"),
                &[kind, place % 16, place * 4, place / 16, 4, 255, 255, 255, 255],
            );
        }
        put("disc", &format!("cut-{kind}"), &[kind + 128, 0, 0, 0, 0]);
    }
    for (number, base) in bases().into_iter().enumerate() {
        let image: Vec<u8> = [vec![3], base].concat();
        put("disc", &format!("raw-{number}"), &image[..image.len().min(90_000)]);
    }
    put("disc", "page", b"\x03<!DOCTYPE html>");
    menus(&put);
    initrds(&put);
    let pro = "<WIM><IMAGE INDEX=\"1\"><NAME>Windows 11 Pro</NAME><TOTALBYTES>16383717491</TOTALBYTES><WINDOWS><ARCH>9</ARCH>\
               <EDITIONID>Professional</EDITIONID><INSTALLATIONTYPE>Client</INSTALLATIONTYPE><LANGUAGES>\
               <LANGUAGE>en-US</LANGUAGE><DEFAULT>en-US</DEFAULT></LANGUAGES><VERSION><MAJOR>10</MAJOR><MINOR>0</MINOR>\
               <BUILD>26100</BUILD><SPBUILD>1742</SPBUILD></VERSION></WINDOWS></IMAGE></WIM>";
    put("wim", "xml", &[b"\x01", pro.as_bytes()].concat());
    let mut whole = vec![0u8; 208];
    whole[..8].copy_from_slice(b"MSWIM\0\0\0");
    (whole[8], whole[40], whole[42], whole[44], whole[80], whole[120]) = (208, 1, 1, 1, 208, 1);
    let xml: Vec<u8> = format!("\u{feff}{pro}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    whole[72..80].copy_from_slice(&(xml.len() as u64).to_le_bytes());
    put("wim", "whole", &[vec![0], whole, xml].concat());
    let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let lists = [
        hex.to_owned(),
        format!("{hex}  debian.iso"),
        format!("SHA256 (debian.iso) = {hex}"),
        format!("SHA256: {hex}"),
        format!("{hex}{hex} *other.iso\n"),
        hex[..32].to_owned(),
    ];
    for (number, list) in lists.iter().enumerate() {
        put("checksum", &number.to_string(), list.as_bytes());
    }
}

fn menus(put: &impl Fn(&str, &str, &[u8])) {
    let grub = "set default=0\nset k=/k\nif [ \"$grub_platform\" = efi ]; then\n source /boot/grub/more.cfg\nfi\nsubmenu \"More\" {\n\
                menuentry 'A' --class a { linux ($root)$k quiet findiso=${iso_path} splash\n initrd /i /i\n }\n}\nfor f in /boot/*.cfg; do\n\
                source $f\ndone\nmenuentry \"X\" { multiboot2 /k a\n module2 /i b c\n}\0menuentry b { chainloader /k }";
    let isolinux = "DEFAULT vesamenu.c32\nINCLUDE more.cfg\nMENU BEGIN x\nMENU TITLE y\nLABEL a\n MENU LABEL ^A\n KERNEL /k\n\
                    APPEND initrd=/i,/i quiet ---\nMENU END\nLABEL m\n KERNEL mboot.c32\n APPEND /k a --- /i b\0LABEL c\nLINUX /k\nINITRD /i\n";
    let entry = "title A\nversion 1\nlinux /k\ninitrd /i\noptions quiet\n\0title B\nefi /k\n";
    let esxi = "bootstate=0\ntitle=ESXi\nkernel=/k\nkernelopt=runweasel cdromBoot\nmodules=/i --- /i\nbuild=8.0\nprefix=/\n\0kernel=/k\nmodules=/i\n";
    for (kind, text) in [grub, isolinux, entry, esxi].into_iter().enumerate() {
        put("bootcfg", &kind.to_string(), &[&[kind as u8], text.as_bytes()].concat());
    }
}

fn initrds(put: &impl Fn(&str, &str, &[u8])) {
    let entry = |name: &str, mode: u32, content: &[u8]| {
        let fields = [1, mode, 0, 0, 1, 0, content.len() as u32, 0, 0, 0, 0, name.len() as u32 + 1, 0];
        let fields: String = fields.iter().map(|field| format!("{field:08x}")).collect();
        let mut bytes = format!("070701{fields}{name}\0").into_bytes();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    };
    let archive = [
        entry("scripts/casper", 0o100_755, b"#!/bin/sh\n"),
        entry("usr/lib/dracut/modules.txt", 0o100_644, b"livenet\n"),
        entry("lib/modules/6.1/kernel/drivers/net/ethernet/intel/e1000/e1000.ko.xz", 0o100_644, b"ko"),
        entry("link", 0o120_777, b"usr/bin"),
        entry("TRAILER!!!", 0, b""),
    ]
    .concat();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&archive).unwrap();
    let gzip = gzip.finish().unwrap();
    put("initrd", "plain", &archive);
    put("initrd", "gzip", &gzip);
    put("initrd", "both", &[archive.clone(), vec![0; 512], gzip].concat());
    // Packed by the programs that make initrds, where they are there.
    for (program, arguments) in [
        ("xz", ["-c", "--check=crc32"]),
        ("zstd", ["-c", "-q"]),
        ("lz4", ["-c", "-l"]),
        ("bzip2", ["-c", "-q"]),
        ("lzma", ["-c", "-q"]),
    ] {
        packed(program, &arguments, &archive).into_iter().for_each(|bytes| put("initrd", program, &bytes));
    }
}

fn packed(program: &str, arguments: &[&str], bytes: &[u8]) -> Option<Vec<u8>> {
    use std::process::{Command, Stdio};
    let mut child = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    child.stdin.take()?.write_all(bytes).ok()?;
    Some(child.wait_with_output().ok()?.stdout).filter(|bytes| !bytes.is_empty())
}
