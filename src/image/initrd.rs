//! A look into an initrd: which system's start-up programs are in it, and so what its kernel arguments may be.
//!
//! An initrd is a row of cpio archives, each plain or packed, with zeros between them: processor microcode in the open,
//! then the system's own, packed. They are read as the kernel reads them (Linux `init/initramfs.c`), names only. What a
//! system can do over a network stands there and nowhere else: menus and file names are the same with and without it.

mod cpio;
mod packed;

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::str::FromStr;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Disc, glob};
use packed::Input;

pub use packed::Compression;

/// What an initrd can do, told by files that only the named project puts into one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// Debian's live-boot: `boot=live`.
    LiveBoot,
    /// live-boot that can fetch by HTTP: `fetch=`.
    LiveBootFetch,
    /// Ubuntu's casper: `boot=casper`.
    Casper,
    /// Arch's archiso: `archisobasedir=`.
    Archiso,
    /// archiso that can fetch by HTTP: `archiso_http_srv=`.
    ArchisoHttp,
    /// Manjaro's miso: `misobasedir=`.
    Miso,
    /// miso that can fetch by HTTP: `miso_http_srv=`.
    MisoHttp,
    /// Made by dracut.
    Dracut,
    /// dracut that can fetch a live image: `root=live:http…`.
    DracutLivenet,
    /// dracut that starts live images: `root=live:`.
    DracutDmsquash,
    /// kiwi's own live module for dracut: `root=live:http….iso`.
    KiwiLive,
    /// Anaconda, the installer of Fedora and its relatives: `inst.stage2=`.
    Anaconda,
    /// linuxrc, the installer's first part of openSUSE: `install=`.
    Linuxrc,
    /// Gentoo's genkernel: `cdroot`, `loop=`.
    Genkernel,
    /// Alpine's mkinitfs: `alpine_repo=`, `modloop=`.
    Alpine,
    /// mkinitfs with network drivers and DHCP: not on the published discs.
    AlpineNet,
    /// debian-installer.
    DebianInstaller,
    /// debian-installer that fetches the rest of itself from a mirror.
    DebianInstallerNet,
    /// debian-installer that takes the rest of itself from a disc.
    DebianInstallerCdrom,
    /// NixOS.
    Nixos,
    /// Made by Arch's mkinitcpio.
    Mkinitcpio,
    /// Made by Debian's initramfs-tools.
    InitramfsTools,
}

impl Feature {
    /// All of them.
    pub const ALL: [Feature; 22] = [
        Feature::LiveBoot,
        Feature::LiveBootFetch,
        Feature::Casper,
        Feature::Archiso,
        Feature::ArchisoHttp,
        Feature::Miso,
        Feature::MisoHttp,
        Feature::Dracut,
        Feature::DracutLivenet,
        Feature::DracutDmsquash,
        Feature::KiwiLive,
        Feature::Anaconda,
        Feature::Linuxrc,
        Feature::Genkernel,
        Feature::Alpine,
        Feature::AlpineNet,
        Feature::DebianInstaller,
        Feature::DebianInstallerNet,
        Feature::DebianInstallerCdrom,
        Feature::Nixos,
        Feature::Mkinitcpio,
        Feature::InitramfsTools,
    ];

    /// Its name in recipes and evidence.
    pub fn name(self) -> &'static str {
        match self {
            Feature::LiveBoot => "live-boot",
            Feature::LiveBootFetch => "live-boot-fetch",
            Feature::Casper => "casper",
            Feature::Archiso => "archiso",
            Feature::ArchisoHttp => "archiso-http",
            Feature::Miso => "miso",
            Feature::MisoHttp => "miso-http",
            Feature::Dracut => "dracut",
            Feature::DracutLivenet => "dracut-livenet",
            Feature::DracutDmsquash => "dracut-dmsquash",
            Feature::KiwiLive => "kiwi-live",
            Feature::Anaconda => "anaconda",
            Feature::Linuxrc => "linuxrc",
            Feature::Genkernel => "genkernel",
            Feature::Alpine => "alpine",
            Feature::AlpineNet => "alpine-net",
            Feature::DebianInstaller => "debian-installer",
            Feature::DebianInstallerNet => "debian-installer-net",
            Feature::DebianInstallerCdrom => "debian-installer-cdrom",
            Feature::Nixos => "nixos",
            Feature::Mkinitcpio => "mkinitcpio",
            Feature::InitramfsTools => "initramfs-tools",
        }
    }
}

/// A name that is no feature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no feature of an initrd is called {0:?}")]
pub struct UnknownFeature(pub String);

impl FromStr for Feature {
    type Err = UnknownFeature;

    fn from_str(name: &str) -> Result<Feature, UnknownFeature> {
        let found = Feature::ALL.into_iter().find(|feature| feature.name() == name);
        found.ok_or_else(|| UnknownFeature(name.to_owned()))
    }
}

/// How a feature is told: of each group at least one path is there. Paths without a leading `usr/`, programs in `bin`
/// whether they are there or in `sbin`: systems differ in that, and merge it over the years.
struct Sign {
    feature: Feature,
    groups: &'static [&'static [&'static str]],
}

const fn sign(feature: Feature, groups: &'static [&'static [&'static str]]) -> Sign {
    Sign { feature, groups }
}

const SIGNS: [Sign; 22] = [
    // live-boot `backend/initramfs-tools/live.hook`: copies /lib/live/boot; casper has no such folder.
    sign(Feature::LiveBoot, &[&["lib/live/boot/*", "bin/live-boot", "scripts/live"]]),
    // live-boot `components/9990-mount-http.sh` (older: `9990-netboot.sh`) calls wget, which the hook copies if the
    // builder had it; busybox brings a link of that name.
    sign(
        Feature::LiveBootFetch,
        &[&["lib/live/boot/*-mount-http.sh", "lib/live/boot/*-netboot.sh", "scripts/live"], &["bin/wget"]],
    ),
    // casper `debian/casper.install`: scripts/casper of initramfs-tools.
    sign(Feature::Casper, &[&["scripts/casper"]]),
    // mkinitcpio-archiso `hooks/archiso` and `hooks/archiso_pxe_http`.
    sign(Feature::Archiso, &[&["hooks/archiso"]]),
    sign(Feature::ArchisoHttp, &[&["hooks/archiso_pxe_http"]]),
    // manjaro-tools `initcpio/hooks/miso` and `initcpio/hooks/miso_pxe_http`.
    sign(Feature::Miso, &[&["hooks/miso"]]),
    sign(Feature::MisoHttp, &[&["hooks/miso_pxe_http"]]),
    // dracut `modules.d/*base/module-setup.sh`.
    sign(Feature::Dracut, &[&["lib/dracut-lib.sh", "bin/dracut-cmdline", "lib/dracut/hooks/*", "lib/dracut/hooks"]]),
    // dracut `modules.d/*livenet/module-setup.sh`; hooks moved to /var/lib in dracut-ng 104.
    sign(
        Feature::DracutLivenet,
        &[&[
            "bin/livenetroot",
            "lib/dracut/hooks/cmdline/*-parse-livenet.sh",
            "var/lib/dracut/hooks/cmdline/*-parse-livenet.sh",
        ]],
    ),
    // dracut `modules.d/*dmsquash-live/module-setup.sh`.
    sign(
        Feature::DracutDmsquash,
        &[&[
            "bin/dmsquash-live-root",
            "lib/dracut/hooks/cmdline/*-parse-dmsquash-live.sh",
            "var/lib/dracut/hooks/cmdline/*-parse-dmsquash-live.sh",
        ]],
    ),
    // kiwi `dracut/modules.d/55kiwi-live/module-setup.sh`.
    sign(Feature::KiwiLive, &[&["bin/kiwi-live-root", "lib/kiwi-live-lib.sh"]]),
    // anaconda `dracut/module-setup.sh`.
    sign(Feature::Anaconda, &[&["lib/anaconda-lib.sh", "bin/anaconda-diskroot"]]),
    // installation-images `data/initrd/initrd.file_list`.
    sign(Feature::Linuxrc, &[&["etc/linuxrc.d", "etc/linuxrc.d/*", "linuxrc.config"]]),
    // genkernel `gen_initramfs.sh`: `defaults/initrd.defaults` and `defaults/initrd.scripts` into /etc.
    sign(Feature::Genkernel, &[&["etc/initrd.defaults", "etc/initrd.scripts"]]),
    // mkinitfs `features.d/base.files`.
    sign(Feature::Alpine, &[&["bin/nlplug-findfs"]]),
    // mkinitfs `features.d/network.files`, later `dhcp.files`: the script that udhcpc calls.
    sign(Feature::AlpineNet, &[&["bin/nlplug-findfs"], &["share/udhcpc/default.script"]]),
    // debian-installer: rootskel `src/lib/debian-installer-startup.d`, main-menu.
    sign(
        Feature::DebianInstaller,
        &[&["lib/debian-installer-startup.d/*", "bin/debian-installer", "lib/debian-installer/*/*"]],
    ),
    // net-retriever and cdrom-retriever `Makefile`s: usr/lib/debian-installer/retriever.
    sign(Feature::DebianInstallerNet, &[&["lib/debian-installer/retriever/net-retriever"]]),
    sign(Feature::DebianInstallerCdrom, &[&["lib/debian-installer/retriever/cdrom-retriever"]]),
    // nixpkgs `nixos/modules/system/boot/stage-1.nix`: everything is a store path.
    sign(Feature::Nixos, &[&["nix/store/*"]]),
    // mkinitcpio `mkinitcpio`: init_functions at the root.
    sign(Feature::Mkinitcpio, &[&["init_functions"]]),
    // initramfs-tools `mkinitramfs`: conf/initramfs.conf and scripts/functions.
    sign(Feature::InitramfsTools, &[&["conf/initramfs.conf"], &["scripts/functions"]]),
];

/// Where drivers of wired network cards lie (Linux `drivers/net/ethernet`, since 3.2).
const NETWORK_DRIVERS: &str = "/kernel/drivers/net/ethernet/";

/// How much may be read of initrds, all those that are looked into together.
#[derive(Clone, Debug)]
pub struct Budget {
    /// Unpacked bytes that are left. The largest initrds of live systems unpack to about 400 MB.
    pub bytes: u64,
    /// Files in them that are left. The largest have about ten thousand.
    pub entries: u64,
    /// When to stop in any case.
    pub deadline: Instant,
}

impl Budget {
    /// For one image: 768 MiB, 200 000 files, 20 seconds.
    pub fn new() -> Budget {
        Budget { bytes: 768 << 20, entries: 200_000, deadline: Instant::now() + Duration::from_secs(20) }
    }
}

impl Default for Budget {
    fn default() -> Budget {
        Budget::new()
    }
}

/// What was seen in an initrd.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// What it can do.
    pub features: BTreeSet<Feature>,
    /// Whether it was read to its end: only then does a missing feature say anything.
    pub whole: bool,
    /// How its packed parts are packed; empty where all of it is plain.
    pub compression: BTreeSet<Compression>,
    /// How many files and folders were seen.
    pub entries: u64,
    /// Whether there are drivers of wired network cards. They may be in the kernel instead.
    pub network_drivers: bool,
}

impl Contents {
    /// Whether a feature was seen.
    pub fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    /// Whether it was read to its end and a feature was not there.
    pub fn lacks(&self, feature: Feature) -> bool {
        self.whole && !self.has(feature)
    }

    /// What two initrds hold that are loaded one behind the other.
    pub fn joined(mut self, other: Contents) -> Contents {
        self.features.extend(other.features);
        self.compression.extend(other.compression);
        self.whole &= other.whole;
        self.entries += other.entries;
        self.network_drivers |= other.network_drivers;
        self
    }
}

/// Looks into an initrd of a disc. `None` where it cannot be read, or holds no cpio archive.
pub fn look(disc: &Disc, path: &str, budget: &mut Budget) -> Option<Contents> {
    look_at(disc.reader(path)?, budget)
}

/// Looks into all initrds of an entry, in their order. `None` where there are none, or one of them cannot be read.
pub fn look_all(disc: &Disc, paths: &[String], budget: &mut Budget) -> Option<Contents> {
    let found: Option<Vec<Contents>> = paths.iter().map(|path| look(disc, path, budget)).collect();
    found?.into_iter().reduce(Contents::joined)
}

/// Looks into an initrd until all of `wanted` are seen. [`Contents::whole`] is false if it stopped before the end.
pub fn look_for(disc: &Disc, path: &str, wanted: &[Feature], budget: &mut Budget) -> Option<Contents> {
    search(disc.reader(path)?, wanted, budget)
}

/// Looks into an initrd. `None` where it cannot be read, or holds no cpio archive.
pub fn look_at(reader: impl Read, budget: &mut Budget) -> Option<Contents> {
    search(reader, &[], budget)
}

fn search(reader: impl Read, wanted: &[Feature], budget: &mut Budget) -> Option<Contents> {
    let mut look =
        Look { budget, wanted, contents: Contents::default(), seen: [0; SIGNS.len()], archives: 0, zeros: 0 };
    let deadline = look.budget.deadline;
    let end = segments(&mut Input::new(reader, deadline), false, &mut look);
    // Behind what is no archive the kernel reads nothing either.
    look.contents.whole = matches!(end, Ok(()) | Err(Stop::Junk));
    // Padding alone is an initrd with nothing in it, such as the stand-in for missing microcode.
    let padding = look.zeros > 0 && end.is_ok();
    (look.archives > 0 || padding).then_some(look.contents)
}

/// Why reading ended before the end.
#[derive(Debug)]
enum Stop {
    /// All that was wanted is found.
    Found,
    /// Nothing is left of the budget.
    Spent,
    /// Neither an archive nor anything that can be unpacked.
    Junk,
    /// Packed in a way that the kernel may know and we do not.
    Unknown,
    /// Cut off, damaged, or unreadable.
    Broken(#[expect(dead_code, reason = "seen in tests that fail")] io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        match error.kind() {
            io::ErrorKind::TimedOut => Stop::Spent,
            _ => Stop::Broken(error),
        }
    }
}

/// All archives of an initrd, or of one packed part of it. The kernel unpacks one level only.
fn segments<R: Read>(input: &mut Input<R>, inside: bool, look: &mut Look) -> Result<(), Stop> {
    loop {
        match input.peek(packed::MAGIC)? {
            [] => return Ok(()),
            [0, ..] => {
                let zeros = input.skip_zeros()?;
                look.zeros += zeros;
                look.charge(zeros)?;
            }
            [b'0', ..] => cpio::archive(input, look)?,
            _ if inside => return Err(Stop::Junk),
            head => {
                let compression = packed::identify(head)?;
                look.contents.compression.insert(compression);
                let deadline = look.budget.deadline;
                packed::unpack(input, compression, |plain| segments(&mut Input::new(plain, deadline), true, look))?;
            }
        }
    }
}

/// What was seen so far.
struct Look<'a> {
    budget: &'a mut Budget,
    wanted: &'a [Feature],
    contents: Contents,
    /// For each sign, a bit for each of its groups.
    seen: [u8; SIGNS.len()],
    archives: u64,
    /// Bytes of padding.
    zeros: u64,
}

impl Look<'_> {
    /// Takes bytes off the budget.
    fn charge(&mut self, bytes: u64) -> Result<(), Stop> {
        self.budget.bytes = self.budget.bytes.checked_sub(bytes).ok_or(Stop::Spent)?;
        Ok(())
    }

    /// A file, a folder or a link of an archive.
    fn entry(&mut self, name: &str) -> Result<(), Stop> {
        self.budget.entries = self.budget.entries.checked_sub(1).ok_or(Stop::Spent)?;
        self.contents.entries += 1;
        self.contents.network_drivers |= name.contains(NETWORK_DRIVERS);
        let path = usual(name);
        for (sign, seen) in SIGNS.iter().zip(&mut self.seen) {
            for (at, group) in sign.groups.iter().enumerate() {
                if group.iter().any(|pattern| glob::captures(pattern, &path).is_some()) {
                    *seen |= 1 << at;
                }
            }
            if seen.count_ones() as usize == sign.groups.len() {
                self.contents.features.insert(sign.feature);
            }
        }
        let found = !self.wanted.is_empty() && self.wanted.iter().all(|feature| self.contents.has(*feature));
        if found { Err(Stop::Found) } else { Ok(()) }
    }
}

/// A path as the signs write it.
fn usual(name: &str) -> String {
    let mut path = name;
    while let Some(rest) = path.strip_prefix("./").or_else(|| path.strip_prefix('/')) {
        path = rest;
    }
    let path = path.strip_prefix("usr/").unwrap_or(path);
    path.strip_prefix("sbin/").map_or_else(|| path.to_owned(), |program| format!("bin/{program}"))
}

#[cfg(test)]
#[path = "initrd/tests.rs"]
mod tests;
