//! What each family needs on a network. How much memory it takes is told by where each of them puts what it fetches.

use super::super::{Injection, Transport};
use super::{Case, Feature, Network, Networked};

/// Largest file that goes into an initramfs, in MiB. Firmware has the whole of it in one piece below 4 GiB, and the kernel
/// has it twice while it unpacks.
const MAX_INJECTED: u64 = 1536;
/// What always works.
const USB: &str = "Write it to a USB stick instead.";

/// An entry; family and evidence are filled in by whoever asked.
fn entry(cmdline: String, transport: Transport, min_ram_mb: u64) -> Network {
    let (family, evidence, inject) = ("", String::new(), Vec::new());
    Network::Networked(Networked { family, cmdline, transport, inject, min_ram_mb, evidence })
}

fn cannot(why: String) -> Network {
    Network::CannotBoot { why }
}

/// The address of a file of the disc. Blanks would end the argument, and a few others the path.
fn address(path: &str) -> String {
    let mut address = "{base_url}".to_owned();
    for letter in path.chars() {
        match letter {
            ' ' | '"' | '#' | '%' | '?' | '{' | '}' => address.push_str(&format!("%{:02X}", u32::from(letter))),
            letter => address.push(letter),
        }
    }
    address
}

fn words<const N: usize>(words: [&str; N]) -> [String; N] {
    words.map(str::to_owned)
}

/// Source: live-boot `components/9990-mount-http.sh`, `9990-netbase.sh`. It uses DHCP by itself; to it `ip=dhcp` is a
/// network card of that name. The address must end in `.squashfs` or `.iso`.
pub(super) fn live_boot(case: &Case) -> Network {
    let own = case.arguments.value("live-media-path").map(|folder| folder.trim_matches('/').to_owned());
    let folder = own.clone().unwrap_or_else(|| "live".to_owned());
    let inside = format!("/{folder}/*.squashfs");
    let images = case.first(&[&inside, "/*/*.squashfs", "/*/*/*.squashfs"]);
    let Some(first) = images.first() else { return Network::Unknown };
    if case.lacks(Feature::LiveBootFetch) {
        let why = "This live system was built without the part that fetches it over a network, so it would stop looking \
                   for a disc.";
        return cannot(format!("{why} {USB}"));
    }
    // What looks for a disc, what checks files of it (module= names a list of layers, bootid= a mark), and what copies.
    let dropped = [
        "findiso=",
        "fromiso=",
        "live-media=",
        "bootfrom=",
        "root=",
        "ip=",
        "ip",
        "fetch=",
        "httpfs=",
        "ftpfs=",
        "netboot=",
        "module=",
        "bootid=",
        "toram",
        "toram=",
        "verify-checksums",
        "verify-checksums=",
    ];
    let boot = if case.arguments.value("boot").is_some() { "" } else { "boot=live" };
    if images.len() == 1 {
        let fetch = format!("fetch={}", address(first));
        let line = case.arguments.line(&dropped, &words([boot, &fetch]));
        return entry(line, Transport::HttpTree, 1024 + case.mib(first));
    }
    // Several layers: the whole image, into a tmpfs of half the memory.
    let found = first.rsplit_once('/').map_or("", |(folder, _)| folder);
    let media = if own.is_some() || found == "/live" { String::new() } else { format!("live-media-path={found}") };
    let line = case.arguments.line(&dropped, &words([boot, &media, "fetch={iso_url}"]));
    entry(line, Transport::HttpIso, 1024 + 2 * case.image_mib())
}

/// Source: casper `scripts/casper`, `scripts/casper-bottom`. Not in a tmpfs of half the memory: root=/dev/ram0 makes it a
/// ramfs.
pub(super) fn casper(case: &Case) -> Network {
    let own = case.arguments.value("live-media-path").map(|folder| folder.trim_matches('/').to_owned());
    let inside = format!("/{}/*.squashfs", own.as_deref().unwrap_or("casper"));
    let images = case.first(&[&inside, "/casper*/*.squashfs", "/*/*.squashfs"]);
    let Some(found) = images.first().and_then(|image| image.rsplit_once('/')).map(|(folder, _)| folder) else {
        return Network::Unknown;
    };
    let dropped = [
        "iso-scan/filename=",
        "live-media=",
        "root=",
        "uuid=",
        "file=",
        "ip=",
        "url=",
        "iso-url=",
        "netboot=",
        "toram",
        "findiso=",
        "fromiso=",
    ];
    let boot = if case.arguments.value("boot").is_some() { "" } else { "boot=casper" };
    let media = if own.is_some() || found == "/casper" { String::new() } else { format!("live-media-path={found}") };
    let line = case.arguments.line(&dropped, &words([boot, &media, "ip=dhcp", "url={iso_url}", "root=/dev/ram0"]));
    entry(line, Transport::HttpIso, 1536 + case.image_mib())
}

/// Source: mkinitcpio-archiso `hooks/archiso`, `hooks/archiso_pxe_http`. It joins the address and the folder as they are,
/// so the address must end with a slash. The root image lies in one tmpfs and is copied into a second one.
pub(super) fn archiso(case: &Case) -> Network {
    let own = case.arguments.value("archisobasedir").map(|folder| folder.trim_matches('/').to_owned());
    let inside = format!("/{}/*/airootfs.*", own.as_deref().unwrap_or("arch"));
    let images = case.first(&[&inside, "/*/*/airootfs.*"]);
    let Some(base) = images.first().and_then(|image| image.split('/').nth(1)) else { return Network::Unknown };
    if case.lacks(Feature::ArchisoHttp) {
        let why = "This system is built with archiso, but without the part that fetches its system by HTTP, so it would \
                   stop looking for a disc.";
        return cannot(format!("{why} {USB}"));
    }
    let dropped = [
        "archisolabel=",
        "archisosearchuuid=",
        "archisosearchfilename=",
        "archisodevice=",
        "archisobasedir=",
        "archiso_http_srv=",
        "archiso_nfs_srv=",
        "archiso_nbd_srv=",
        "img_dev=",
        "img_loop=",
        "cow_label=",
        "cow_device=",
        "ip=",
        "BOOTIF=",
    ];
    let base = format!("archisobasedir={base}");
    let added = [base.as_str(), "archiso_http_srv={base_url}/", "ip=dhcp", "BOOTIF=01-{mac_dashes}"];
    let sum: u64 = images.iter().map(|image| case.mib(image)).sum();
    entry(case.arguments.line(&dropped, &words(added)), Transport::HttpTree, 1024 + 2 * sum)
}

/// Source: manjaro-tools `initcpio/hooks/miso`, `initcpio/hooks/miso_pxe_http`. All layers lie in a tmpfs of three
/// quarters of the memory.
pub(super) fn miso(case: &Case) -> Network {
    let own = case.arguments.value("misobasedir").map(|folder| folder.trim_matches('/').to_owned());
    let inside = format!("/{}/*/*.sfs", own.as_deref().unwrap_or("miso"));
    let images = case.first(&[&inside, "/*/*/rootfs.sfs", "/*/*/*.sfs"]);
    let Some(base) = images.first().and_then(|image| image.split('/').nth(1)) else { return Network::Unknown };
    if case.lacks(Feature::MisoHttp) {
        let why = "This system is built without the part that fetches its system by HTTP, so it would stop looking for a \
                   disc.";
        return cannot(format!("{why} {USB}"));
    }
    let dropped = [
        "misolabel=",
        "misodevice=",
        "misobasedir=",
        "miso_http_srv=",
        "img_dev=",
        "img_loop=",
        "cow_label=",
        "cow_device=",
        "ip=",
        "BOOTIF=",
    ];
    let base = format!("misobasedir={base}");
    let added = [base.as_str(), "miso_http_srv={base_url}/", "ip=dhcp", "BOOTIF=01-{mac_dashes}"];
    let sum: u64 = images.iter().map(|image| case.mib(image)).sum();
    entry(case.arguments.line(&dropped, &words(added)), Transport::HttpTree, 1024 + sum * 135 / 100)
}

/// Source: anaconda `dracut/parse-anaconda-repo.sh`, `dracut/anaconda-lib.sh`: the second stage is `images/install.img` or
/// `LiveOS/squashfs.img` beneath the address. It is kept in a tmpfs.
pub(super) fn anaconda(case: &Case) -> Network {
    let images = case.first(&["/images/install.img", "/LiveOS/squashfs.img"]);
    let Some(image) = images.first() else { return Network::Unknown };
    let packages = ["/repodata/repomd.xml", "/*/repodata/repomd.xml"].iter().any(|path| case.disc.has(path));
    let repository = if packages { "inst.repo={base_url}" } else { "" };
    // A kickstart file of the disc's own is named by the disc as well.
    let dropped = [
        "inst.stage2=",
        "inst.repo=",
        "inst.ks=hd:",
        "inst.ks=cdrom",
        "inst.ks=cdrom:",
        "rd.live.check",
        "ip=",
        "BOOTIF=",
        "root=live:",
        "iso-scan/filename=",
    ];
    let added = [repository, "inst.stage2={base_url}", "ip=dhcp", "BOOTIF=01-{mac_dashes}"];
    entry(case.arguments.line(&dropped, &words(added)), Transport::HttpTree, 1536 + 2 * case.mib(image))
}

/// Source: kiwi `dracut/modules.d/55kiwi-live`. The image goes into a RAM disk whose size must be said, in KiB; the address
/// must be that of the whole image.
pub(super) fn kiwi(case: &Case) -> Network {
    if case.first(&["/LiveOS/*", "/*/*.squashfs", "/*.squashfs"]).is_empty() {
        return Network::Unknown;
    }
    let dropped = ["root=", "ip=", "iso-scan/filename=", "ramdisk_size=", "rd.live.overlay.persistent", "mediacheck="];
    // Room for what the firmware's numbers round.
    let size = format!("ramdisk_size={}", case.disc.stamp().size.div_ceil(1024) + (64 << 10));
    let added = ["root=live:{iso_url}", "rd.kiwi.live.pxe", "ip=dhcp", "rd.neednet=1", &size];
    entry(case.arguments.line(&dropped, &words(added)), Transport::HttpIso, 1536 + case.image_mib())
}

/// Source: linuxrc `linuxrc_repo.md`, `linuxrc_and_autoyast.md`.
pub(super) fn linuxrc(case: &Case) -> Network {
    if case.first(&["/boot/*/root", "/boot/*/config", "/media.1/*", "/content"]).is_empty() {
        return Network::Unknown;
    }
    let dropped = ["install=", "instsys=", "netsetup=", "netsetup", "ip="];
    let added = words(["install={base_url}", "netsetup=dhcp"]);
    entry(case.arguments.line(&dropped, &added), Transport::HttpTree, 2048)
}

/// Source: genkernel `defaults/linuxrc`: where the file of `loop=` is already in the initramfs, no disc is looked for.
pub(super) fn genkernel(case: &Case) -> Network {
    let own = case.arguments.value("loop").map(|path| format!("/{}", path.trim_start_matches('/')));
    let places = [own.as_deref().unwrap_or("/image.squashfs"), "/image.squashfs", "/livecd.squashfs", "/*.squashfs"];
    let Some(image) = case.first(&places).into_iter().next() else { return Network::Unknown };
    let inside = own.unwrap_or_else(|| image.clone());
    let dropped = ["loop=", "looptype=", "root=", "init=", "cdroot", "cdroot=", "cdroot_type=", "isoboot=", "ip="];
    let place = format!("loop={inside}");
    let added = words(["root=/dev/ram0", "init=/linuxrc", &place, "looptype=squashfs", "cdroot"]);
    injected(case, &image, &inside, case.arguments.line(&dropped, &added), 512)
}

/// Source: mkinitfs `initramfs-init.in`: alpine_repo is the folder above the processor's. Published images for discs leave
/// out what uses a network, so it must be seen.
pub(super) fn alpine(case: &Case) -> Network {
    let folders = case.first(&["/*/.boot_repository", "/*/*/APKINDEX.tar.gz", "/.boot_repository"]);
    let Some(folder) = folders.first().map(|path| repository(path)) else { return Network::Unknown };
    if !case.has(Feature::AlpineNet) {
        let why = "This system is made with Alpine's initramfs for discs, which has no network, so it would stop looking \
                   for a disc.";
        return cannot(format!("{why} {USB}"));
    }
    let flavour = case.item.kernel.rsplit_once("vmlinuz-").map_or("", |(_, flavour)| flavour);
    let paired = format!("/*/modloop-{flavour}");
    let modloop = case.first(&[&paired, "/*/modloop*", "/*/*/modloop*"]).into_iter().next();
    let memory = modloop.as_deref().map_or(0, |path| case.mib(path));
    let modloop = modloop.map_or_else(String::new, |path| format!("modloop={}", address(&path)));
    let dropped = ["alpine_repo=", "alpine_dev=", "modloop=", "ip=", "usbdelay="];
    let repository = format!("alpine_repo={}", address(folder));
    let added = words(["ip=dhcp", &repository, &modloop]);
    entry(case.arguments.line(&dropped, &added), Transport::HttpTree, 512 + 2 * memory)
}

/// The folder of a repository, from its mark or its index.
fn repository(path: &str) -> &str {
    let parts = if path.ends_with(".boot_repository") { 1 } else { 2 };
    (0..parts).fold(path, |path, _| path.rsplit_once('/').map_or("", |(folder, _)| folder))
}

/// Source: dracut `modules.d/*livenet`, `*dmsquash-live`. The root image is fetched into a tmpfs of half the memory. An
/// image in the initramfs itself needs no network at all: `root=live:/squashfs.img`.
pub(super) fn dracut(case: &Case) -> Network {
    let folder = case.arguments.value("rd.live.dir").unwrap_or("LiveOS").trim_matches('/');
    let name = case.arguments.value("rd.live.squashimg").unwrap_or("squashfs.img");
    let inside = format!("{}/{name}", if folder.is_empty() { String::new() } else { format!("/{folder}") });
    let places = [&inside, "/LiveOS/*.img", "/*/squashfs.img", "/*.squashfs", "/*/*.squashfs"];
    let Some(image) = case.first(&places).into_iter().next() else { return Network::Unknown };
    // Only what starts live images understands root=live:, and a disc without one is another kind of system.
    if !case.has(Feature::DracutDmsquash) && !case.arguments.begin("root=live:") {
        return Network::Unknown;
    }
    let dropped = [
        "root=",
        "iso-scan/filename=",
        "rd.live.dir=",
        "rd.live.squashimg=",
        "rd.live.check",
        "rd.live.ram",
        "rd.live.ram=",
        "rd.live.overlay=",
        "rd.neednet=",
        "ip=",
        "cdroot",
    ];
    if !case.lacks(Feature::DracutLivenet) {
        let root = format!("root=live:{}", address(&image));
        let added = words([root.as_str(), "rd.live.image", "ip=dhcp", "rd.neednet=1"]);
        return entry(case.arguments.line(&dropped, &added), Transport::HttpTree, 1024 + 2 * case.mib(&image));
    }
    if case.lacks(Feature::DracutDmsquash) {
        let why = "This system's initrd has neither the part that fetches a live system over a network nor the one that \
                   starts it, so it would stop looking for a disc.";
        return cannot(format!("{why} {USB}"));
    }
    let added = words(["root=live:/squashfs.img", "rd.live.image"]);
    injected(case, &image, "/squashfs.img", case.arguments.line(&dropped, &added), 1024)
}

/// An entry with a file of the disc in its initramfs, which is there twice while the kernel unpacks it.
fn injected(case: &Case, from: &str, to: &str, cmdline: String, base_mb: u64) -> Network {
    let size = case.mib(from);
    if size > MAX_INJECTED {
        let why = format!(
            "This system cannot fetch itself over a network, and at {size} MiB it is too large to be loaded with its kernel."
        );
        return cannot(format!("{why} {USB}"));
    }
    let mut answer = entry(cmdline, Transport::HttpTree, base_mb + 2 * size);
    if let Network::Networked(found) = &mut answer {
        found.inject = vec![Injection { from: from.to_owned(), to: to.to_owned(), mode: "644".to_owned() }];
    }
    answer
}
