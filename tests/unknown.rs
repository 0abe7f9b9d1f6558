//! Images that no recipe knows, with real structure under other names: their own menu is read and their initrd decides.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise"
)]

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use bootwright::image::bootcfg::{self, Kind};
use bootwright::image::{self, Boot, Disc, Entry, Firmware, Inspection, Transport};

/// The least header of a kernel for x86_64 that both a BIOS and UEFI start.
fn kernel() -> Vec<u8> {
    let mut bytes = program();
    bytes[0x202..0x206].copy_from_slice(b"HdrS");
    bytes[0x236] = 1;
    bytes
}

/// The least header of a UEFI program for x86_64.
fn program() -> Vec<u8> {
    let mut bytes = vec![0u8; 2048];
    bytes[..2].copy_from_slice(b"MZ");
    bytes[0x3c] = 0x80;
    bytes[0x80..0x86].copy_from_slice(b"PE\0\0\x64\x86");
    bytes
}

/// `memdisk`: what a BIOS starts like a kernel.
fn memdisk() -> Vec<u8> {
    let mut bytes = vec![0u8; 2048];
    bytes[0x202..0x206].copy_from_slice(b"HdrS");
    bytes
}

fn text(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn zeros(mib: usize) -> Vec<u8> {
    vec![0; mib << 20]
}

/// A cpio archive with files of these names.
fn cpio(names: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for name in ["init"].iter().chain(names).chain(&["TRAILER!!!"]) {
        let size = if *name == "TRAILER!!!" { 0 } else { 5 };
        let fields = [1, 0o100_755, 0, 0, 1, 0, size, 0, 0, 0, 0, name.len() + 1, 0];
        bytes.extend(b"070701");
        fields.iter().for_each(|field| bytes.extend(format!("{field:08x}").bytes()));
        bytes.extend(name.bytes().chain([0]));
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend(vec![b'#'; size]);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut packer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// As `lz4 -l` packs, which Ubuntu's tools call.
fn lz4(bytes: &[u8]) -> Vec<u8> {
    let block = lz4_flex::block::compress(bytes);
    [&0x184c_2102_u32.to_le_bytes()[..], &u32::try_from(block.len()).unwrap().to_le_bytes(), &block].concat()
}

/// Processor microcode in the open, padded, and then the rest.
fn early(rest: Vec<u8>) -> Vec<u8> {
    let mut bytes = cpio(&["kernel/x86/microcode/GenuineIntel.bin"]);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    [bytes, rest].concat()
}

const LIVE_BOOT: [&str; 4] = [
    "scripts/functions",
    "conf/initramfs.conf",
    "usr/lib/live/boot/9990-main.sh",
    "usr/lib/live/boot/9990-mount-http.sh",
];
const DRACUT_LIVE: [&str; 2] = ["usr/lib/dracut-lib.sh", "usr/sbin/dmsquash-live-root"];

type Files<'a> = Vec<(&'a str, Vec<u8>)>;

struct Maker {
    folder: tempfile::TempDir,
}

impl Maker {
    /// None where the programs that make images are not there.
    fn new(test: &str) -> Option<Maker> {
        for program in ["xorriso", "genisoimage"] {
            if Command::new(program).arg("--version").output().is_err() {
                println!("SKIPPED {test}: {program} is missing");
                return None;
            }
        }
        Some(Maker { folder: tempfile::tempdir().unwrap() })
    }

    fn iso(&self, label: &str, files: &Files) -> PathBuf {
        self.pack("xorriso", &["-as", "mkisofs", "-quiet", "-R", "-J", "-V", label], label, files)
    }

    /// Names of eight capital letters and a version, and nothing else.
    fn plain_iso(&self, label: &str, files: &Files) -> PathBuf {
        self.pack("genisoimage", &["-quiet", "-iso-level", "1", "-V", label], label, files)
    }

    fn pack(&self, program: &str, options: &[&str], label: &str, files: &Files) -> PathBuf {
        let root = self.folder.path().join(label);
        for (path, content) in files {
            let path = root.join(path.trim_start_matches('/'));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let image = root.with_extension("iso");
        let output = Command::new(program).args(options).arg("-o").arg(&image).arg(&root).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        image
    }

    /// What is said of an image, which no recipe may know.
    fn inspect(&self, label: &str, files: &Files) -> Inspection {
        let (_, found) = image::inspect(&self.iso(label, files)).unwrap();
        let id = found.recognised.as_ref().map(|system| system.id.as_str());
        assert_eq!(id, Some("boot-menu"), "{label}: {:?} {:?}", found.recognised, found.warnings);
        found
    }

    /// The only entry of an image, with nothing to warn of.
    fn entry(&self, label: &str, files: &Files) -> Entry {
        let found = self.inspect(label, files);
        assert_eq!(found.warnings, Vec::<String>::new(), "{label}");
        let [entry] = found.entries.as_slice() else { panic!("{label}: {:?}", found.entries) };
        entry.clone()
    }
}

#[test]
fn live_boot_under_another_name_fetches_its_root() {
    let Some(maker) = Maker::new("live-boot") else { return };
    let main = "DEFAULT vesamenu.c32\nmenu title Foo\nINCLUDE menu/live.cfg\nMENU BEGIN more\nMENU TITLE ^More\n\
        LABEL -\n MENU LABEL Back\n MENU EXIT\nLABEL hd\n LOCALBOOT 0x80\nMENU END\n";
    let live = "label live-amd64\n\tmenu label ^Live system (amd64)\n\tmenu default\n\ttext help\n label no\n endtext\n\
        \tlinux ../foo/vmlinuz\n\tinitrd ../foo/initrd.img\n\
        \tappend boot=live components live-media-path=/foo findiso=${iso_path} quiet\n";
    let files = |initrd: &[&str]| {
        vec![
            ("/isolinux/isolinux.cfg", text(main)),
            ("/isolinux/menu/live.cfg", text(live)),
            ("/foo/vmlinuz", kernel()),
            ("/foo/initrd.img", early(gzip(&cpio(initrd)))),
            ("/foo/filesystem.squashfs", zeros(3)),
        ]
    };
    let entry = maker.entry("FOO_LIVE", &files(&[&LIVE_BOOT[..], &["usr/bin/wget"]].concat()));
    assert_eq!((entry.title.as_str(), entry.kernel.as_deref()), ("Live system (amd64)", Some("/foo/vmlinuz")));
    assert_eq!(entry.initrd, ["/foo/initrd.img"]);
    let expected = "boot=live components live-media-path=/foo quiet fetch={base_url}/foo/filesystem.squashfs";
    assert_eq!((entry.cmdline.as_str(), entry.transport), (expected, Transport::HttpTree));
    assert_eq!(entry.min_ram_mb, Some(1024 + 3));

    let found = maker.inspect("FOO_DEAF", &files(&LIVE_BOOT));
    assert!(found.entries.is_empty() && found.warnings.len() == 1, "{found:?}");
    assert!(found.warnings[0].contains("without the part that fetches it"), "{:?}", found.warnings);
}

/// Several layers cannot be fetched one by one.
#[test]
fn live_boot_with_layers_fetches_the_image() {
    let Some(maker) = Maker::new("layers") else { return };
    let grub = "menuentry 'Start' {\n linux /sys/linux boot=live quiet\n initrd /sys/rd\n}\n";
    let files = vec![
        ("/boot/grub/grub.cfg", text(grub)),
        ("/sys/linux", kernel()),
        ("/sys/rd", zstd(&cpio(&[&LIVE_BOOT[..], &["bin/wget"]].concat()))),
        ("/sys/01-core.squashfs", text("s")),
        ("/sys/02-desktop.squashfs", text("s")),
    ];
    let entry = maker.entry("LAYERS", &files);
    assert_eq!(entry.cmdline, "boot=live quiet live-media-path=/sys fetch={iso_url}");
    assert_eq!(entry.transport, Transport::HttpIso);
}

#[test]
fn casper_in_another_folder_keeps_it() {
    let Some(maker) = Maker::new("casper") else { return };
    let grub = "set timeout=5\nset dir=/casper_x\nloadfont unicode\n\
        submenu \"Try or install ${distro}Bar >\" {\n  set gfxpayload=keep\n\
        \tmenuentry \"Try Bar OS\" --class bar {\n\t\tlinux\t$dir/vmlinuz.efi boot=casper live-media-path=$dir quiet splash ---\n\
        \t\tinitrd\t$dir/initrd.lz4\n\t}\n}\nmenuentry 'Boot from next volume' {\n\texit 1\n}\n";
    let files = vec![
        ("/boot/grub/grub.cfg", text(grub)),
        ("/casper_x/vmlinuz.efi", kernel()),
        ("/casper_x/initrd.lz4", early(lz4(&cpio(&["scripts/functions", "conf/initramfs.conf", "scripts/casper"])))),
        ("/casper_x/base.squashfs", text("s")),
    ];
    let entry = maker.entry("BAR_OS", &files);
    let expected = "boot=casper live-media-path=/casper_x quiet splash ip=dhcp url={iso_url} root=/dev/ram0 ---";
    assert_eq!((entry.cmdline.as_str(), entry.transport), (expected, Transport::HttpIso));
    let disc = Disc::open(&maker.folder.path().join("BAR_OS.iso")).unwrap();
    let items = bootcfg::read(&disc);
    assert_eq!(items[0].path, ["Try or install Bar >"]);
}

#[test]
fn archiso_with_entries_of_systemd_boot_only() {
    let Some(maker) = Maker::new("archiso") else { return };
    let conf = |title: &str, more: &str| {
        text(&format!(
            "# made by hand\ntitle    {title}\nsort-key 01\nlinux    /kernel/vmlinuz-zen\ninitrd   /kernel/ucode.img\n\
             initrd   /kernel/zen.img\noptions  archisobasedir=bluemoon archisosearchuuid=2025-06-01-10-00-00-00\n\
             options  cow_spacesize=4G {more}\n"
        ))
    };
    let initrd = ["init_functions", "hooks/archiso", "hooks/archiso_pxe_http"];
    let files = |initrd: &[&str]| {
        vec![
            ("/loader/entries/01-zen.conf", conf("Blue Moon", "")),
            ("/loader/entries/02-zen-speech.conf", conf("Blue Moon with speech", "accessibility=on")),
            ("/loader/entries/03-shell.conf", text("title EFI shell\nefi \\shellx64.efi\n")),
            ("/shellx64.efi", program()),
            ("/kernel/vmlinuz-zen", kernel()),
            ("/kernel/ucode.img", cpio(&["kernel/x86/microcode/AuthenticAMD.bin"])),
            ("/kernel/zen.img", zstd(&cpio(initrd))),
            ("/bluemoon/x86_64/airootfs.erofs", zeros(2)),
        ]
    };
    let found = maker.inspect("MOON", &files(&initrd));
    assert_eq!(found.warnings, Vec::<String>::new());
    let titles: Vec<&str> = found.entries.iter().map(|entry| entry.title.as_str()).collect();
    assert_eq!(titles, ["Blue Moon", "Blue Moon with speech", "EFI shell"]);
    let network = "archisobasedir=bluemoon archiso_http_srv={base_url}/ ip=dhcp BOOTIF=01-{mac_dashes}";
    assert_eq!(found.entries[0].cmdline, format!("cow_spacesize=4G {network}"));
    assert_eq!(found.entries[1].cmdline, format!("cow_spacesize=4G accessibility=on {network}"));
    assert_eq!(found.entries[0].initrd, ["/kernel/ucode.img", "/kernel/zen.img"]);
    assert_eq!(found.entries[0].min_ram_mb, Some(1024 + 2 * 2));
    assert_eq!((found.entries[2].boot, &found.entries[2].firmware), (Boot::EfiProgram, &vec![Firmware::Uefi]));

    let found = maker.inspect("DARK_MOON", &files(&initrd[..2]));
    assert!(found.warnings.iter().any(|warning| warning.contains("fetches its system by HTTP")), "{found:?}");
    assert_eq!(found.entries.len(), 1, "the shell boots all the same");
}

#[test]
fn miso_under_another_name() {
    let Some(maker) = Maker::new("miso") else { return };
    let kernels = "menuentry \"Boot\" {\n  linux /k/linux misobasedir=kde misolabel=KDE_25 quiet driver=$driver tz=$tz\n  \
        initrd /k/initramfs.img\n}\n";
    let grub = "default_driver=free\ndriver=$default_driver\nsource \"${prefix}/kernels.cfg\"\n";
    let files = vec![
        ("/boot/grub/grub.cfg", text(grub)),
        ("/boot/grub/kernels.cfg", text(kernels)),
        ("/k/linux", kernel()),
        ("/k/initramfs.img", xz(&cpio(&["init_functions", "hooks/miso", "hooks/miso_pxe_http"]))),
        ("/kde/x86_64/rootfs.sfs", zeros(10)),
        ("/kde/x86_64/desktopfs.sfs", zeros(10)),
    ];
    let entry = maker.entry("KDE_25", &files);
    let expected = "quiet driver=free misobasedir=kde miso_http_srv={base_url}/ ip=dhcp BOOTIF=01-{mac_dashes}";
    assert_eq!((entry.cmdline.as_str(), entry.min_ram_mb), (expected, Some(1024 + 27)));
}

const DRACUT_MENU: &str = "set isolabel=\"QUX 9\"\nset opts='rd.luks=0 rd.md=0'\n\
    if [ \"${grub_platform}\" == \"efi\" ]; then\n  for f in /none/*.cfg ; do source $f ; done\n  insmod efi_gop\nfi\n\
    function load_video {\n  set opts=wrong\n  menuentry 'not shown' { linux /kern/bz }\n}\n\
    source ${config_directory}/entries/*.cfg\n";
const DRACUT_ENTRY: &str = "menuentry 'Start Qux' --id=qux {\n  load_video\n\
    linux ($root)/kern/bz root=live:CDLABEL=QUX_9 ro $opts \\\n    quiet\n  initrd ($root)/kern/rd\n}\n";

#[test]
fn dracut_with_livenet_fetches_its_root() {
    let Some(maker) = Maker::new("dracut") else { return };
    let files = vec![
        ("/boot/grub2/grub.cfg", text(DRACUT_MENU)),
        ("/boot/grub2/entries/10.cfg", text(DRACUT_ENTRY)),
        ("/kern/bz", kernel()),
        ("/kern/rd", early(zstd(&cpio(&[&DRACUT_LIVE[..], &["usr/sbin/livenetroot"]].concat())))),
        ("/LiveOS/squashfs.img", zeros(5)),
    ];
    let entry = maker.entry("QUX_9", &files);
    let expected =
        "ro rd.luks=0 rd.md=0 quiet root=live:{base_url}/LiveOS/squashfs.img rd.live.image ip=dhcp rd.neednet=1";
    assert_eq!((entry.title.as_str(), entry.cmdline.as_str()), ("Start Qux", expected));
    assert_eq!((entry.min_ram_mb, entry.inject.len()), (Some(1024 + 10), 0));
}

#[test]
fn dracut_without_livenet_gets_its_root_with_its_kernel() {
    let Some(maker) = Maker::new("injection") else { return };
    let grub = "menuentry Start {\n linux /kern/bz root=live:CDLABEL=Q rd.live.dir=system rd.live.squashimg=root.squashfs ro\n\
        initrd /kern/rd\n}\n";
    let files = |initrd: &[&str]| {
        vec![
            ("/boot/grub/grub.cfg", text(grub)),
            ("/kern/bz", kernel()),
            ("/kern/rd", xz(&cpio(initrd))),
            ("/system/root.squashfs", zeros(5)),
        ]
    };
    let entry = maker.entry("Q", &files(&DRACUT_LIVE));
    assert_eq!(entry.cmdline, "ro root=live:/squashfs.img rd.live.image");
    let [file] = entry.inject.as_slice() else { panic!("{:?}", entry.inject) };
    assert_eq!((file.from.as_str(), file.to.as_str()), ("/system/root.squashfs", "/squashfs.img"));
    // dracut without any part for live systems.
    let found = maker.inspect("Q2", &files(&DRACUT_LIVE[..1]));
    assert!(found.entries.is_empty() && found.warnings[0].contains("neither the part"), "{found:?}");
}

#[test]
fn anaconda_under_another_name() {
    let Some(maker) = Maker::new("anaconda") else { return };
    let grub = "menuentry 'Install Corp Linux' {\n linuxefi /kernel/linux inst.stage2=hd:LABEL=CORP\\x209 inst.ks=hd:LABEL=CORP:/ks.cfg \
        quiet inst.text\n initrdefi /kernel/initrd\n}\nmenuentry 'Test this media & install' {\n linuxefi /kernel/linux \
        inst.stage2=hd:LABEL=CORP\\x209 rd.live.check quiet inst.text\n initrdefi /kernel/initrd\n}\n";
    let initrd = [&DRACUT_LIVE[..], &["usr/sbin/livenetroot", "usr/lib/anaconda-lib.sh"]].concat();
    let files = |packages: bool| {
        let mut files = vec![
            ("/EFI/corp/grub.cfg", text(grub)),
            ("/kernel/linux", kernel()),
            ("/kernel/initrd", zstd(&cpio(&initrd))),
            ("/images/install.img", zeros(4)),
        ];
        if packages {
            files.push(("/BaseOS/repodata/repomd.xml", text("x")));
        }
        files
    };
    // Both say the same once the check of the disc is gone.
    let found = maker.inspect("CORP_9", &files(false));
    let network = "inst.stage2={base_url} ip=dhcp BOOTIF=01-{mac_dashes}";
    assert_eq!(found.entries[0].cmdline, format!("quiet inst.text {network}"));
    assert_eq!(found.entries[0].min_ram_mb, Some(1536 + 8));
    let found = maker.inspect("CORP_DVD", &files(true));
    assert_eq!(found.entries[0].cmdline, format!("quiet inst.text inst.repo={{base_url}} {network}"));
}

#[test]
fn genkernel_under_another_name_gets_its_root_with_its_kernel() {
    let Some(maker) = Maker::new("genkernel") else { return };
    let isolinux = "default one\nappend dokeymap\nlabel one\n  kernel /kern/mylinux\n  initrd /kern/mylinux.igz\n  \
        append root=/dev/ram0 init=/linuxrc looptype=squashfs loop=/sys.squashfs cdroot nodmraid\n";
    let files = vec![
        ("/isolinux/isolinux.cfg", text(isolinux)),
        ("/kern/mylinux", kernel()),
        ("/kern/mylinux.igz", xz(&cpio(&["etc/initrd.defaults", "etc/initrd.scripts"]))),
        ("/sys.squashfs", zeros(2)),
    ];
    let entry = maker.entry("MYLINUX", &files);
    let expected = "nodmraid root=/dev/ram0 init=/linuxrc loop=/sys.squashfs looptype=squashfs cdroot";
    assert_eq!((entry.cmdline.as_str(), entry.min_ram_mb), (expected, Some(512 + 4)));
    assert_eq!(entry.inject[0].to, "/sys.squashfs");
}

#[test]
fn alpine_under_another_name() {
    let Some(maker) = Maker::new("alpine") else { return };
    let grub = "menuentry 'Linux hard' {\n linux /boot/vmlinuz-hard modules=loop,squashfs,sd-mod,usb-storage quiet\n \
        initrd /boot/initramfs-hard\n}\n";
    let files = |initrd: &[&str]| {
        vec![
            ("/boot/grub/grub.cfg", text(grub)),
            ("/boot/vmlinuz-hard", kernel()),
            ("/boot/initramfs-hard", gzip(&cpio(initrd))),
            ("/boot/modloop-hard", zeros(3)),
            ("/boot/modloop-a-other", text("m")),
            ("/packages/.boot_repository", text("")),
            ("/packages/x86_64/APKINDEX.tar.gz", text("a")),
        ]
    };
    let entry = maker.entry("HARD", &files(&["sbin/nlplug-findfs", "usr/share/udhcpc/default.script"]));
    let expected = "modules=loop,squashfs,sd-mod,usb-storage quiet ip=dhcp alpine_repo={base_url}/packages \
        modloop={base_url}/boot/modloop-hard";
    assert_eq!((entry.cmdline.as_str(), entry.min_ram_mb), (expected, Some(512 + 6)));
    let found = maker.inspect("HARD_CD", &files(&["sbin/nlplug-findfs"]));
    assert!(found.entries.is_empty() && found.warnings[0].contains("has no network"), "{found:?}");
}

#[test]
fn linuxrc_and_kiwi_under_other_names() {
    let Some(maker) = Maker::new("linuxrc") else { return };
    let isolinux =
        "DEFAULT install\nLABEL install\n KERNEL linux64\n APPEND initrd=initrd64 splash=silent install=cd:/\n";
    let files = vec![
        ("/boot/isolinux/isolinux.cfg", text(isolinux)),
        ("/boot/isolinux/linux64", kernel()),
        ("/boot/isolinux/initrd64", xz(&cpio(&["etc/linuxrc.d", "scripts/url"]))),
        ("/boot/x86_64/config", text("root: common root\n")),
        ("/boot/x86_64/root", text("r")),
    ];
    assert_eq!(maker.entry("GECKO", &files).cmdline, "splash=silent install={base_url} netsetup=dhcp");

    let grub = "menuentry 'Live' {\n linux /boot/k/linux root=live:CDLABEL=GEO rd.live.image splash=silent\n initrd /boot/k/rd\n}\n";
    let files = vec![
        ("/boot/grub2/grub.cfg", text(grub)),
        ("/boot/k/linux", kernel()),
        ("/boot/k/rd", early(xz(&cpio(&["usr/lib/dracut-lib.sh", "sbin/kiwi-live-root", "lib/kiwi-live-lib.sh"])))),
        ("/LiveOS/squashfs.img", zeros(1)),
    ];
    let entry = maker.entry("GEO", &files);
    let size = std::fs::metadata(maker.folder.path().join("GEO.iso")).unwrap().len();
    let ramdisk = size.div_ceil(1024) + 65_536;
    let expected = format!(
        "rd.live.image splash=silent root=live:{{iso_url}} rd.kiwi.live.pxe ip=dhcp rd.neednet=1 ramdisk_size={ramdisk}"
    );
    assert_eq!((entry.cmdline, entry.transport), (expected, Transport::HttpIso));
}

/// A rescue system that is all in its initrd, on a disc without long names.
#[test]
fn a_small_system_boots_as_it_is() {
    let Some(maker) = Maker::new("small system") else { return };
    let isolinux = "PROMPT 1\r\nTIMEOUT 50\r\nDISPLAY boot.msg\r\nDEFAULT resc64\r\n\r\nLABEL resc64\r\n  kernel rescue64\r\n  \
        append initrd=initram.igz,extra.gz vga=normal\r\nLABEL again\r\n  KERNEL /ISOLINUX/RESCUE64\r\n  \
        APPEND vga=normal initrd=initram.igz,extra.gz\r\n";
    let files = |root: bool| {
        let mut files = vec![
            ("/ISOLINUX/ISOLINUX.CFG", text(isolinux)),
            ("/ISOLINUX/RESCUE64", kernel()),
            ("/ISOLINUX/INITRAM.IGZ", gzip(&cpio(&["etc/passwd", "sbin/init"]))),
            ("/ISOLINUX/EXTRA.GZ", gzip(&cpio(&["usr/bin/testdisk"]))),
        ];
        if root {
            files.push(("/ROOT.SFS", text("s")));
        }
        files
    };
    let judge = |label: &str, root: bool| image::inspect(&maker.plain_iso(label, &files(root))).unwrap().1;
    let found = judge("SMALL", false);
    let [entry] = found.entries.as_slice() else { panic!("{:?}", found.entries) };
    assert_eq!((entry.cmdline.as_str(), entry.kernel.as_deref()), ("vga=normal", Some("/ISOLINUX/RESCUE64")));
    assert_eq!(entry.initrd, ["/ISOLINUX/INITRAM.IGZ", "/ISOLINUX/EXTRA.GZ"]);
    assert_eq!(found.warnings, Vec::<String>::new());
    // With a root file system beside it nobody knows.
    let found = judge("SMALLISH", true);
    assert!(found.entries.len() == 1 && found.warnings[0].contains("not known"), "{found:?}");
}

#[test]
fn hypervisors_tools_and_drives_are_told_apart() {
    let Some(maker) = Maker::new("tools") else { return };
    let grub = "menuentry 'Xen' {\n multiboot2 /boot/xen.gz dom0_mem=max:2048M console=vga\n \
        module2 --nounzip /boot/vmlinuz console=tty0 \"a b\"\n module2 /boot/root.img\n}\n\
        submenu Tools {\n menuentry 'Memory test' {\n  chainloader ($root)/tools/mt86.efi\n }\n\
        menuentry Loader {\n  chainloader /EFI/BOOT/BOOTX64.EFI\n }\n\
        menuentry 'Old drive' {\n  linux16 /tools/memdisk iso raw\n  initrd16 /tools/old.iso\n }\n\
        menuentry 'No drive' {\n  linux16 /tools/memdisk\n  initrd16 /tools/none.iso\n }\n}\n";
    let files = vec![
        ("/boot/grub/grub.cfg", text(grub)),
        ("/boot/xen.gz", gzip(b"x")),
        ("/boot/vmlinuz", kernel()),
        ("/boot/root.img", text("r")),
        ("/tools/mt86.efi", program()),
        ("/EFI/BOOT/BOOTX64.EFI", program()),
        ("/tools/memdisk", memdisk()),
        ("/tools/old.iso", text("o")),
    ];
    let image = maker.iso("TOOLS", &files);
    let items = bootcfg::read(&Disc::open(&image).unwrap());
    let titles: Vec<&str> = items.iter().map(|item| item.title.as_str()).collect();
    assert_eq!(titles, ["Xen", "Memory test", "Old drive"]);
    let modules = [("/boot/vmlinuz", "console=tty0 \"a b\""), ("/boot/root.img", "")];
    let modules = modules.map(|(path, arguments)| (path.to_owned(), arguments.to_owned())).to_vec();
    assert_eq!(items[0].kind, Kind::Multiboot { modules });
    assert_eq!((&items[1].kind, items[1].path.as_slice()), (&Kind::EfiProgram, &["Tools".to_owned()][..]));
    let (kind, drive) = (&items[2].kind, &items[2].initrd);
    assert_eq!(
        (kind, drive.as_slice(), items[2].arguments.as_str()),
        (&Kind::Memdisk, &["/tools/old.iso".to_owned()][..], "iso raw")
    );
    let (_, found) = image::inspect(&image).unwrap();
    let boots: Vec<Boot> = found.entries.iter().map(|entry| entry.boot).collect();
    assert_eq!(boots, [Boot::Multiboot, Boot::EfiProgram, Boot::Linux], "{found:?}");
    assert_eq!(found.entries[0].module_arguments[0], "console=tty0 \"a b\"");

    // The same by isolinux.
    let isolinux = "LABEL xen\n KERNEL mboot.c32\n APPEND /boot/xen.gz dom0_mem=max:2048M --- /boot/vmlinuz a=b --- /boot/root.img\n\
        LABEL tools\n MENU LABEL ^Tools\n KERNEL vesamenu.c32\n APPEND tools.cfg\n";
    let tools = "LABEL x\n MENU LABEL Drive\n KERNEL /tools/memdisk\n APPEND initrd=/tools/old.iso iso\nLABEL y\n KERNEL vesamenu.c32\n \
        APPEND isolinux.cfg\n";
    let mut files: Files = files.into_iter().filter(|(path, _)| !path.contains("grub")).collect();
    files.extend([("/isolinux/isolinux.cfg", text(isolinux)), ("/isolinux/tools.cfg", text(tools))]);
    let items = bootcfg::read(&Disc::open(&maker.iso("TOOLS2", &files)).unwrap());
    let [xen, drive] = items.as_slice() else { panic!("{items:?}") };
    assert_eq!((xen.kernel.as_str(), xen.arguments.as_str()), ("/boot/xen.gz", "dom0_mem=max:2048M"));
    assert!(matches!(&xen.kind, Kind::Multiboot { modules } if modules.len() == 2 && modules[0].1 == "a=b"), "{xen:?}");
    assert_eq!((drive.path.as_slice(), &drive.kind), (&["Tools".to_owned()][..], &Kind::Memdisk));
}

/// Menus that include themselves, never end, or name thousands of items: an answer each time.
#[test]
fn hostile_menus_are_answers() {
    let Some(maker) = Maker::new("hostile menus") else { return };
    let many: String = (0..5000).map(|n| format!("menuentry x{n} {{\n linux /k n={n}\n}}\n")).collect();
    let double: String = (0..200).map(|n| format!("set v{}=$v{n}$v{n}\n", n + 1)).collect();
    let grubs = [
        (
            "loop",
            text("source /boot/grub/grub.cfg\nconfigfile ${config_directory}/grub.cfg\nmenuentry a { linux /k }\n"),
            1,
        ),
        ("many", many.into_bytes(), 64),
        ("deep", format!("{}linux /k\n", "submenu s {\nmenuentry m {\n".repeat(20_000)).into_bytes(), 0),
        ("double", format!("set v0=aaaaaaaaaaaaaaaa\n{double}menuentry a {{ linux /k $v200 $v3 }}\n").into_bytes(), 1),
        ("bare", text("set timeout=0\nlinux /k quiet\nboot\n"), 1),
        ("junk", (0..200_000).map(|n| (n * 7 % 251) as u8).collect(), 0),
    ];
    for (name, grub, expected) in grubs {
        let files = vec![("/boot/grub/grub.cfg", grub), ("/k", kernel())];
        let items = bootcfg::read(&Disc::open(&maker.iso(&name.to_uppercase(), &files)).unwrap());
        assert_eq!(items.len(), expected, "{name}");
    }
    let isolinux = "INCLUDE isolinux.cfg\nMENU INCLUDE isolinux.cfg again\nCONFIG isolinux.cfg /\nMENU END\nMENU BEGIN\n\
        LABEL a\nKERNEL ../../k\nAPPEND -\nLABEL b\nCONFIG isolinux.cfg\n";
    let files = vec![("/isolinux/isolinux.cfg", text(isolinux)), ("/k", kernel())];
    let items = bootcfg::read(&Disc::open(&maker.iso("ISOLOOP", &files)).unwrap());
    assert_eq!(items.len(), 1, "{items:?}");

    let isolinux = format!("{}LABEL a\nKERNEL /k\n", "MENU BEGIN x\n".repeat(15_000));
    let files = vec![("/isolinux/isolinux.cfg", isolinux.into_bytes()), ("/k", kernel())];
    let items = bootcfg::read(&Disc::open(&maker.iso("ISODEEP", &files)).unwrap());
    assert_eq!((items.len(), items[0].path.len()), (1, 16));
    // The whole menu in one line, as old discs have it.
    let files =
        vec![("/isolinux/isolinux.cfg", text("default k initrd=rd a=b\nprompt 0\n")), ("/isolinux/k", kernel())];
    let items = bootcfg::read(&Disc::open(&maker.iso("ISOLINE", &files)).unwrap());
    assert_eq!((items[0].kernel.as_str(), items[0].arguments.as_str()), ("/isolinux/k", "a=b"));
    assert_eq!(items[0].initrd, ["/isolinux/rd"]);
}
