//! Families of live systems and installers: how a command line made for a CD becomes one for a network.
//!
//! Used for images that no recipe knows. What an initramfs really can is proved only by looking into it; a family is told
//! by the arguments that only it understands.

use super::{Disc, Transport};

/// How a system of this family finds its root over a network.
#[derive(Debug)]
pub struct Family {
    /// Its name in evidence and warnings.
    pub name: &'static str,
    /// An argument, or its beginning, that only this family understands.
    mark: &'static str,
    /// Arguments, or their beginnings, that look for a disc.
    drop: &'static [&'static str],
    /// Files one of which must be there; `{path}` in `add` is the first that is.
    needs: &'static [&'static str],
    /// Arguments for the network.
    add: &'static str,
    /// What it fetches.
    pub transport: Transport,
}

/// Sources: live-boot `9990-netboot.sh`, casper 1.498 `scripts/casper`, archiso's `archiso_pxe_http` hook, dracut
/// `90livenet`, anaconda's boot options.
const FAMILIES: [Family; 5] = [
    Family {
        name: "live-boot",
        mark: "boot=live",
        drop: &["findiso=", "fromiso=", "live-media=", "bootfrom=", "root="],
        needs: &["/live/*.squashfs", "/*/filesystem.squashfs"],
        add: "ip=dhcp fetch={base_url}{path}",
        transport: Transport::HttpTree,
    },
    Family {
        name: "casper",
        mark: "boot=casper",
        drop: &["iso-scan/filename=", "live-media=", "root=", "uuid=", "file="],
        needs: &["/casper/*.squashfs"],
        // Not in a tmpfs of half the memory: root=/dev/ram0 makes it a ramfs.
        add: "ip=dhcp url={iso_url} root=/dev/ram0",
        transport: Transport::HttpIso,
    },
    Family {
        name: "archiso",
        mark: "archisobasedir=",
        drop: &["archisolabel=", "archisosearchuuid=", "archisodevice=", "img_dev=", "img_loop="],
        needs: &["/*/x86_64/airootfs.*", "/*/aarch64/airootfs.*"],
        // The hook joins the URL and the folder as they are, so it must end with a slash.
        add: "archiso_http_srv={base_url}/ ip=dhcp BOOTIF=01-{mac_dashes}",
        transport: Transport::HttpTree,
    },
    Family {
        name: "anaconda",
        mark: "inst.stage2=",
        drop: &["inst.stage2=", "inst.repo="],
        needs: &["/images/install.img"],
        add: "ip=dhcp inst.stage2={base_url}",
        transport: Transport::HttpTree,
    },
    Family {
        name: "dracut live",
        mark: "root=live:",
        drop: &["root=live:", "iso-scan/filename="],
        needs: &["/LiveOS/squashfs.img"],
        add: "root=live:{base_url}{path} ip=dhcp",
        transport: Transport::HttpTree,
    },
];

/// The family that understands these arguments and whose files the disc has, and the arguments for a network.
pub fn network_arguments(disc: &Disc, arguments: &str) -> Option<(&'static Family, String)> {
    FAMILIES.iter().find_map(|family| {
        arguments.split_whitespace().find(|word| word.starts_with(family.mark))?;
        let path = family.needs.iter().find_map(|pattern| disc.matching(pattern).next())?.0;
        let added = family.add.replace("{path}", &path);
        let kept = arguments.split_whitespace().filter(|word| !family.drop.iter().any(|start| word.starts_with(start)));
        let line: Vec<&str> = kept.chain(added.split(' ')).collect();
        Some((family, line.join(" ")))
    })
}
