//! Families of live systems and installers: how a command line made for a CD becomes one for a network.
//!
//! Used for images that no recipe knows. The initrd decides, since only what is in it can run: a system may say
//! `boot=live` in its menu and have nothing that fetches. Its kernel arguments decide where the initrd cannot be read, and
//! where it holds more than one family's programs.

mod arguments;
mod known;

use super::bootcfg::{Item, Kind};
use super::initrd::{Contents, Feature};
use super::{Disc, Injection, Transport};
use arguments::Arguments;

/// What becomes of an item of a disc's own menu on a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    /// It boots with other arguments.
    Networked(Networked),
    /// It would start, and then wait for its disc for ever.
    CannotBoot {
        /// Why, and what to do instead, for people.
        why: String,
    },
    /// All of it is in what the loader loads: it boots as it is.
    Plain {
        /// How we know.
        evidence: String,
    },
    /// Nothing tells. Its arguments are those for a CD.
    Unknown,
}

/// An entry for a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Networked {
    /// What its family is called.
    pub family: &'static str,
    /// Kernel arguments with placeholders: `{base_url}`, `{iso_url}`, `{mac_dashes}`.
    pub cmdline: String,
    /// What it fetches.
    pub transport: Transport,
    /// Files added to its initramfs.
    pub inject: Vec<Injection>,
    /// Memory that a computer needs, in MiB.
    pub min_ram_mb: u64,
    /// How we know.
    pub evidence: String,
}

/// A family of systems.
struct Family {
    name: &'static str,
    /// One of these is in its initrds.
    features: &'static [Feature],
    /// One of these is among its kernel arguments, or begins one.
    marks: &'static [&'static str],
    /// Where a family has several, what it takes to fetch.
    fetches: Option<Feature>,
    /// What it needs on a network. Unknown where the disc has not what the family boots.
    ask: fn(&Case) -> Network,
}

const FAMILIES: [Family; 10] = [
    Family {
        name: "live-boot",
        features: &[Feature::LiveBoot],
        marks: &["boot=live"],
        fetches: Some(Feature::LiveBootFetch),
        ask: known::live_boot,
    },
    Family { name: "casper", features: &[Feature::Casper], marks: &["boot=casper"], fetches: None, ask: known::casper },
    Family {
        name: "archiso",
        features: &[Feature::Archiso],
        marks: &["archisobasedir=", "archisolabel=", "archisosearchuuid="],
        fetches: Some(Feature::ArchisoHttp),
        ask: known::archiso,
    },
    Family {
        name: "miso",
        features: &[Feature::Miso],
        marks: &["misobasedir=", "misolabel="],
        fetches: Some(Feature::MisoHttp),
        ask: known::miso,
    },
    Family { name: "Anaconda", features: &[Feature::Anaconda], marks: &["inst."], fetches: None, ask: known::anaconda },
    Family {
        name: "kiwi's live module",
        features: &[Feature::KiwiLive],
        marks: &["rd.kiwi."],
        fetches: None,
        ask: known::kiwi,
    },
    Family {
        name: "linuxrc",
        features: &[Feature::Linuxrc],
        marks: &["install=cd", "instsys="],
        fetches: None,
        ask: known::linuxrc,
    },
    Family {
        name: "genkernel",
        features: &[Feature::Genkernel],
        marks: &["looptype="],
        fetches: None,
        ask: known::genkernel,
    },
    Family {
        name: "mkinitfs",
        features: &[Feature::Alpine],
        marks: &["modloop=", "alpine_dev="],
        fetches: Some(Feature::AlpineNet),
        ask: known::alpine,
    },
    // Last: Anaconda and kiwi are modules of dracut, too.
    Family {
        name: "dracut",
        features: &[Feature::DracutLivenet, Feature::DracutDmsquash, Feature::Dracut],
        marks: &["root=live:", "rd.live."],
        fetches: Some(Feature::DracutLivenet),
        ask: known::dracut,
    },
];

/// Arguments that name a disc, or their beginnings: whoever has one is not all in its initrd.
const DISC_MARKS: [&str; 14] = [
    "root=live:",
    "root=LABEL=",
    "root=UUID=",
    "root=CDLABEL=",
    "root=/dev/sr",
    "root=/dev/disk/",
    "cdroot",
    "boot=",
    "findiso=",
    "iso-scan/",
    "img_loop=",
    "from=",
    "livemedia",
    "cdrom",
];

/// Root file systems that lie beside a kernel, by the endings of their names.
const ROOTS: [&str; 10] = ["squashfs", "sfs", "sqfs", "sqsh", "sb", "xzm", "lzm", "erofs", "squash", "rootfs"];

/// What an item needs to boot over a network, with what was seen of its initrds: none where they cannot be read.
pub fn network(disc: &Disc, item: &Item, initrd: Option<&Contents>) -> Network {
    match &item.kind {
        Kind::Linux => {}
        Kind::EfiProgram => return plain("it is one UEFI program"),
        Kind::Memdisk => return plain("it is one drive in memory"),
        Kind::Multiboot { .. } => return Network::Unknown,
    }
    let case = Case { disc, item, arguments: Arguments::new(&item.arguments), initrd };
    let families = case.families();
    let answers = families.iter().map(|family| with_evidence(&case, family, (family.ask)(&case)));
    match answers.into_iter().find(|answer| *answer != Network::Unknown) {
        Some(answer) => answer,
        None if families.is_empty() => case.plain(),
        None => Network::Unknown,
    }
}

fn plain(evidence: &str) -> Network {
    Network::Plain { evidence: evidence.to_owned() }
}

/// Says what a verdict rests on.
fn with_evidence(case: &Case, family: &Family, answer: Network) -> Network {
    let Network::Networked(mut found) = answer else { return answer };
    found.family = family.name;
    let fetches = family.fetches.is_some_and(|feature| case.has(feature));
    found.evidence = match family.features.iter().any(|feature| case.has(*feature)) {
        true if fetches => format!("its initrd has {}, and what that needs to use a network", family.name),
        true => format!("its initrd has {}", family.name),
        false => format!("its kernel arguments are those of {}", family.name),
    };
    Network::Networked(found)
}

/// An item, and all that is known of it.
struct Case<'a> {
    disc: &'a Disc,
    item: &'a Item,
    arguments: Arguments,
    initrd: Option<&'a Contents>,
}

impl Case<'_> {
    fn has(&self, feature: Feature) -> bool {
        self.initrd.is_some_and(|initrd| initrd.has(feature))
    }

    /// Whether it is known not to be there.
    fn lacks(&self, feature: Feature) -> bool {
        self.initrd.is_some_and(|initrd| initrd.lacks(feature))
    }

    /// The families that it may be of, the likeliest first.
    fn families(&self) -> Vec<&'static Family> {
        let marked = |family: &Family| family.marks.iter().any(|mark| self.arguments.begin(mark));
        let within = |family: &Family| family.features.iter().any(|feature| self.has(*feature));
        let mut found: Vec<&Family> = FAMILIES.iter().filter(|family| within(family)).collect();
        // kiwi's module takes the place of dracut's own, and the same arguments.
        if self.has(Feature::KiwiLive) {
            found.retain(|family| !family.features.contains(&Feature::Dracut));
        }
        found.sort_by_key(|family| !marked(family));
        // What is not in an initrd that was read to its end cannot run, whatever the arguments say.
        if found.is_empty() && !self.initrd.is_some_and(|initrd| initrd.whole) {
            found = FAMILIES.iter().filter(|family| marked(family)).collect();
        }
        found
    }

    /// A system without a family: whether it needs anything but its kernel and initrds.
    fn plain(&self) -> Network {
        let generic = [Feature::Mkinitcpio, Feature::InitramfsTools, Feature::Nixos];
        if self.has(Feature::DebianInstallerNet) {
            return plain("its initrd has an installer that takes the rest from the network");
        }
        if self.has(Feature::DebianInstallerCdrom) && self.lacks(Feature::DebianInstallerNet) {
            let why = "This installer takes the rest of itself from a disc and from nowhere else, so it would stop \
                       looking for one. Use the netboot image of the same system.";
            return Network::CannotBoot { why: why.to_owned() };
        }
        let disc = DISC_MARKS.iter().any(|mark| self.arguments.begin(mark));
        let roots = self.disc.has_file(|path| ROOTS.iter().any(|root| ending(path).eq_ignore_ascii_case(root)));
        if disc || roots || generic.into_iter().any(|feature| self.has(feature)) {
            return Network::Unknown;
        }
        match self.initrd {
            None if self.item.initrd.is_empty() => plain("it has no initrd, and no argument that names a disc"),
            Some(initrd) if initrd.whole => {
                plain("its initrd has no part that looks for a disc, and the image has no other root")
            }
            _ => Network::Unknown,
        }
    }

    /// The size of a file in MiB, rounded up; 0 where it is not there.
    fn mib(&self, path: &str) -> u64 {
        self.disc.find(path).map_or(0, |file| file.size.div_ceil(1 << 20))
    }

    /// The size of the image in MiB, rounded up.
    fn image_mib(&self) -> u64 {
        self.disc.stamp().size.div_ceil(1 << 20)
    }

    /// The files that match the first pattern which any does.
    fn first(&self, patterns: &[&str]) -> Vec<String> {
        let matching = |pattern: &&str| self.disc.matching(pattern).map(|(path, _)| path).collect::<Vec<String>>();
        patterns.iter().map(matching).find(|found| !found.is_empty()).unwrap_or_default()
    }
}

fn ending(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, ending)| ending)
}
