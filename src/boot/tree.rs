//! The one tree that TFTP and HTTP publish: loaders, scripts, images, files.
//!
//! ```text
//! undionly.kpxe …           loaders
//! signed-x64.img …          a disk with shim and signed GRUB, for UEFI HTTP Boot
//! (nothing)                 by HTTP only: a few words for a person with a browser
//! boot.ipxe, menu.ipxe      scripts, made when asked for
//! …/autoexec.ipxe           the first script again, in each folder that has a loader
//! winpeshl.ini              starts Windows Setup with an answer file
//! image/ID/…                the files of an image, straight out of it
//! image/ID.iso              the image itself
//! inject/ENTRY/N.cpio       a file of an image as an archive for its initramfs
//! inject/ENTRY/padding      the zeros in front of the first of them
//! unpacked/ID/…             a packed file of an image, unpacked
//! esxi/ENTRY/TICKET/boot.cfg   ESXi's settings for the network
//! grub/ENTRY/TICKET/COMPUTER/boot.cfg   a script for GRUB that iPXE started
//! grub/grub.cfg, grub/menu/CPU/…/menu.cfg   scripts for GRUB that firmware started
//! answer/TICKET/…           an answer file for one computer
//! start/ENTRY               a script that starts an entry which asks first, for one computer
//! begin/ENTRY/begin.cfg     fetched by GRUB before such an entry starts
//! files/…                   the published folder
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::loader::Loaders;
use super::loader::version::Version;
use super::loader::{DISK_ARM64, DISK_X64, Loader};
use super::menu::{Asker, Default as Starts, Item, Menu, Page, Place, Processor, grub, ipxe, made};
use super::password::Hash as PasswordHash;
use super::published::Folder;
use super::secure::Chain;
use super::{choose, cpio, fat, signed_disk};
use crate::answer::tickets;
use crate::http::path;
use crate::http::reply::{self, Meta};
use crate::image::bootcfg::esxi;
use crate::image::stored::{self, Extent};
use crate::image::{AnswerKind, Boot, Disc, WHOLE_IMAGE};
use crate::mac::Mac;

/// What a person sees who opens our address in a browser. It lists nothing (SECURITY S25).
const INDEX: &str = "\
Bootwright is serving here.

Connect a computer to this network, switch it on and choose network boot
(often F12, F9 or Esc at the start). It shows its menu by itself.
";

/// How a file begins that is packed with gzip (RFC 1952 section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Largest file that is unpacked in memory, in bytes; Xen has about 4 MiB.
const MAX_UNPACKED: u64 = 64 << 20;
/// Most bytes of unpacked files that are kept for the next computer.
const MAX_KEPT: u64 = 4 * MAX_UNPACKED;
/// Largest settings of ESXi that are read, in bytes; they have about 5 kB.
const MAX_SETTINGS: usize = 256 << 10;

/// Largest GRUB of ours that the server's address is written into, in bytes; packaging/loaders.sh makes one of 0.9 MB.
const MAX_OWN_GRUB: u64 = 16 << 20;

/// Why an entry does not start that needs its image's own shim.
const ONLY_BY_PXE: &str = "Only its image's own shim starts its kernel with Secure Boot on, and a computer gets that by PXE \
                           alone, where Bootwright hands out the addresses.";

/// Length of a ticket for an answer file, in hexadecimal digits.
const TICKET: usize = 32;

/// Where a file's bytes come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Made just now.
    Text(Arc<[u8]>),
    /// Pieces of an open file, in order.
    Extents {
        /// The file.
        file: Arc<File>,
        /// Where the bytes lie in it.
        extents: Arc<[Extent]>,
    },
    /// A disk that is made while it is read.
    Disk(Arc<fat::Image>),
    /// Pieces of an open file with something made before and behind them.
    Wrapped {
        /// What comes first.
        before: Arc<[u8]>,
        /// The file.
        file: Arc<File>,
        /// Where the bytes lie in it.
        extents: Arc<[Extent]>,
        /// How many there are.
        length: u64,
        /// What comes last.
        behind: Arc<[u8]>,
    },
}

/// What part a file plays in a boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A boot loader.
    Loader,
    /// A script for a loader.
    Script,
    /// A kernel that the menu names.
    Kernel,
    /// An initrd that the menu names, or a file injected into one.
    Initrd,
    /// Another file of an image.
    Content,
    /// A whole image.
    Disc,
    /// A file of the published folder.
    File,
    /// An answer file for one computer.
    Answer,
    /// What stands instead of the menu where the technician is asked first.
    Page,
}

/// A file of the tree.
#[derive(Clone, Debug)]
pub struct Found {
    /// What part it plays.
    pub role: Role,
    /// Its bytes.
    pub source: Source,
    /// Size, entity tag, time, type.
    pub meta: Meta,
}

impl Found {
    /// An answer file, which was made for whoever asks just now.
    pub fn answer(name: &str, text: String) -> Found {
        made_of(name, Role::Answer, text.into_bytes())
    }

    /// Fills `buffer` with the bytes from `at` on. May wait for a disk: not for an asynchronous task.
    pub fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        match &self.source {
            Source::Extents { file, extents } => stored::read_at(file, extents, at, buffer),
            Source::Text(text) => copy(text, at, buffer),
            Source::Disk(disk) => disk.read_at(at, buffer),
            Source::Wrapped { before, file, extents, length, behind } => {
                let (first, rest) = split(buffer, (before.len() as u64).saturating_sub(at));
                copy(before, at, first)?;
                let at = at.saturating_add(first.len() as u64).saturating_sub(before.len() as u64);
                let (middle, last) = split(rest, length.saturating_sub(at));
                stored::read_at(file, extents, at, middle)?;
                copy(behind, at.saturating_add(middle.len() as u64).saturating_sub(*length), last)
            }
        }
    }
}

fn copy(text: &[u8], at: u64, buffer: &mut [u8]) -> io::Result<()> {
    if buffer.is_empty() {
        return Ok(());
    }
    let from = usize::try_from(at).map_err(|_| io::ErrorKind::InvalidInput)?;
    let to = from.checked_add(buffer.len()).ok_or(io::ErrorKind::InvalidInput)?;
    buffer.copy_from_slice(text.get(from..to).ok_or(io::ErrorKind::UnexpectedEof)?);
    Ok(())
}

/// The first `length` bytes of a buffer, or all of it where it has fewer, and the others.
fn split(buffer: &mut [u8], length: u64) -> (&mut [u8], &mut [u8]) {
    let at = usize::try_from(length).unwrap_or(usize::MAX).min(buffer.len());
    buffer.split_at_mut(at)
}

/// A name as TFTP clients write it, with or without leading slash, with backslashes (Windows boot managers), as a path of
/// the tree. `None` for the root: what a browser is told there is no file for a loader.
pub fn path_of_name(name: &str) -> Option<String> {
    Some(path::fold(&name.replace('\\', "/"))).filter(|path| !path.is_empty())
}

#[derive(Debug)]
struct Image {
    disc: Disc,
    withdrawn: AtomicBool,
}

/// Whether the computer that a menu is for has begun the entry with this id.
pub type Done<'a> = &'a dyn Fn(&str) -> bool;

/// A loader that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the boot loader {path}")]
pub struct LoaderError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

/// The served tree.
#[derive(Debug)]
pub struct Tree {
    loaders: BTreeMap<&'static str, Found>,
    images: BTreeMap<String, Image>,
    files: Option<Folder>,
    menu: Menu,
    /// How entries start with Secure Boot on, by their ids; as they are, where none stands here.
    chains: BTreeMap<String, Chain>,
    place: Place,
    /// What was unpacked, by image and path; none is too large. Its lock also lets one file be unpacked at a time: a
    /// request costs its sender nothing, and us up to 64 MiB (SECURITY S20).
    unpacked: Mutex<BTreeMap<(String, String), Option<Found>>>,
}

impl Tree {
    /// Opens the loaders and takes the images, each with its id.
    pub fn new(
        found: &Loaders,
        images: Vec<(String, Disc)>,
        files: Option<Folder>,
        menu: Menu,
        place: Place,
    ) -> Result<Tree, LoaderError> {
        let opened = found.iter().map(|(loader, path)| {
            let found = open_loader(loader, path, &place);
            found.map(|found| (loader.file(), found)).map_err(|source| LoaderError { path: path.to_path_buf(), source })
        });
        let mut loaders: BTreeMap<&'static str, Found> = opened.collect::<Result<_, _>>()?;
        for (name, parts) in [(DISK_X64, &signed_disk::X64), (DISK_ARM64, &signed_disk::ARM64)] {
            let made = signed_disk::make(parts, found, &place);
            let made = made.map_err(|source| LoaderError { path: PathBuf::from(name), source })?;
            loaders.extend(made.map(|disk| (name, disk_of(name, disk))));
        }
        let image = |(id, disc)| (id, Image { disc, withdrawn: AtomicBool::new(false) });
        Ok(Tree {
            loaders,
            images: images.into_iter().map(image).collect(),
            files,
            menu,
            chains: BTreeMap::new(),
            place,
            unpacked: Mutex::default(),
        })
    }

    /// The same with how entries start with Secure Boot on, by their ids.
    pub fn with_chains(self, chains: BTreeMap<String, Chain>) -> Tree {
        Tree { chains, ..self }
    }

    /// The images with their ids.
    pub fn images(&self) -> impl Iterator<Item = (&str, &Disc)> {
        self.images.iter().map(|(id, image)| (id.as_str(), &image.disc))
    }

    /// Serves an image no more: what it contains is not what was read at the start.
    pub fn withdraw(&self, id: &str) {
        if let Some(image) = self.images.get(id) {
            image.withdrawn.store(true, Ordering::Relaxed);
        }
    }

    /// Looks a path up: without leading slash, folded. Letters in either case where the exact name is not there. May
    /// wait for a disk.
    pub fn find(&self, path: &str, asker: Asker) -> Option<Found> {
        let lower = path.to_ascii_lowercase();
        if let Some(rest) = strip_folder(path, "image") {
            return self.find_image(rest);
        }
        if let Some(rest) = strip_folder(path, made::INJECTED) {
            return self.injected(rest);
        }
        if let Some(rest) = strip_folder(path, made::UNPACKED) {
            return self.unpacked(rest);
        }
        if let Some(rest) = strip_folder(path, made::ESXI) {
            return self.esxi(rest);
        }
        if let Some(rest) = strip_folder(path, made::GRUB).filter(|_| lower != grub::CONFIG) {
            return self.grub(rest);
        }
        if let Some(rest) = strip_folder(path, "files") {
            return open_file(self.files.as_ref()?.file(rest)?, rest, Role::File).ok();
        }
        match lower.as_str() {
            "" => Some(text("index.txt", INDEX.to_owned())),
            choose::SCRIPT => Some(text(&lower, ipxe::first(&self.place))),
            ipxe::MENU => Some(self.ipxe_menu(asker, None, (&|_| false, &|_| None))),
            grub::CONFIG => Some(text(&lower, grub::first(&self.place))),
            ipxe::WINPE_SHELL => Some(text(&lower, ipxe::WINPE_START.to_owned())),
            name if self.is_autoexec(name) => Some(text(ipxe::AUTOEXEC, ipxe::autoexec(&self.place))),
            name => self.loaders.get(name).cloned(),
        }
    }

    /// Whether this is the script that iPXE looks for beside itself.
    fn is_autoexec(&self, path: &str) -> bool {
        let Some(folder) = path.strip_suffix(ipxe::AUTOEXEC) else { return false };
        let inside = |file: &str| file.strip_prefix(folder).is_some_and(|name| !name.contains('/'));
        folder.is_empty() || folder.ends_with('/') && self.loaders.keys().any(|file| inside(file))
    }

    /// The menu for a computer that runs iPXE, with the addresses of its answer files. `version` is what its iPXE says of
    /// itself.
    pub fn ipxe_menu(&self, asker: Asker, version: Option<&Version>, (done, answer): (Done, ipxe::Answer)) -> Found {
        let shims = version.is_some_and(Version::has_shim);
        let shim = |item: &Item| self.shim(item).filter(|_| shims);
        text(ipxe::MENU, ipxe::menu(&self.menu.after(done), asker, &self.place, answer, &shim))
    }

    /// The script that starts one entry in iPXE. Only those have one that ask the server first.
    pub fn ipxe_start(
        &self,
        entry: &str,
        asker: Asker,
        version: Option<&Version>,
        answer: ipxe::Answer,
    ) -> Option<Found> {
        let (item, _) = self.item(entry).filter(|(item, _)| item.guard.asks())?;
        let shims = version.is_some_and(Version::has_shim);
        let shim = |item: &Item| self.shim(item).filter(|_| shims);
        Some(text(ipxe::MENU, ipxe::started(&self.menu, item, asker, &self.place, (answer, &shim))))
    }

    /// The script for whoever may not start an entry now.
    pub fn ipxe_refused(&self, sentence: &str) -> Found {
        text(ipxe::MENU, ipxe::refused(sentence))
    }

    /// What a computer gets that says how it leaves for its own disk.
    pub fn left(&self) -> Found {
        made_of(ipxe::MENU, Role::Page, b"#!ipxe\n".to_vec())
    }

    /// What is kept of an entry's password, where it has one.
    pub fn password(&self, entry: &str) -> Option<&PasswordHash> {
        self.menu.items.iter().find(|item| item.id == entry)?.guard.password.as_ref()
    }

    /// The entries with a password that a path is for, where it is for no other entry: who may start one of them may have
    /// it.
    pub fn guarded(&self, path: &str) -> Vec<&str> {
        let own = |folder| strip_folder(path, folder).map(|rest| rest.split_once('/').map_or(rest, |(first, _)| first));
        let entry = [made::INJECTED, made::ESXI, made::GRUB, made::CHAIN].into_iter().find_map(own);
        let image = || ["image", made::UNPACKED].into_iter().find_map(own);
        let items: Vec<&Item> = match entry {
            Some(entry) => self.menu.items.iter().filter(|item| item.id == entry).collect(),
            None => {
                let Some(image) = image() else { return Vec::new() };
                let whole = image.strip_suffix(".iso");
                let of = |item: &&Item| item.image == image || whole.is_some_and(|whole| item.image == whole);
                self.menu.items.iter().filter(of).collect()
            }
        };
        if items.iter().any(|item| item.guard.password.is_none()) {
            return Vec::new();
        }
        items.into_iter().map(|item| item.id.as_str()).collect()
    }

    /// Whether a path leads to what every computer gets, whoever it is: a loader, or a first script that asks for the menu.
    pub fn is_for_all(&self, path: &str) -> bool {
        let lower = path.to_ascii_lowercase();
        matches!(lower.as_str(), "" | choose::SCRIPT | grub::CONFIG)
            || self.is_autoexec(&lower)
            || self.loaders.contains_key(lower.as_str())
    }

    /// What a computer that runs iPXE gets instead of its menu.
    pub fn ipxe_page(&self, page: Page) -> Found {
        made_of(ipxe::MENU, Role::Page, ipxe::page(page, &self.place).into_bytes())
    }

    /// What a computer that runs GRUB gets instead of its menu.
    pub fn grub_page(&self, page: Page, asking: grub::Asking, reach: grub::Reach) -> Found {
        made_of(grub::CONFIG, Role::Page, grub::page(page, &self.place, asking, reach).into_bytes())
    }

    /// What that page asks for again and again; `None` says that there is something else for it now.
    pub fn grub_goes_on(&self, page: Option<Page>) -> Found {
        made_of(grub::CONFIG, Role::Page, grub::goes_on(page, &self.place).into_bytes())
    }

    /// The URL of the shim that iPXE starts an entry through with Secure Boot on: the distribution's where that trusts the
    /// kernel, else the image's own (UEFI 2.10 section 3.5.1.1), since its kernel is signed by whoever made that.
    fn shim(&self, item: &Item) -> Option<String> {
        let (own, ours) = match item.entry.arch.as_str() {
            "x86_64" => ("/EFI/BOOT/BOOTX64.EFI", Loader::ShimX64),
            "aarch64" => ("/EFI/BOOT/BOOTAA64.EFI", Loader::ShimArm64),
            _ => return None,
        };
        let own = self.image(&item.image).and_then(|image| image.disc.resolve_file(own));
        let own = own.map(|path| format!("{}{}", self.place.tree(item), ipxe::url_path(&path)));
        let ours = self.loaders.contains_key(ours.file()).then(|| format!("{}/{}", self.place.base, ours.file()));
        match self.chains.get(&item.id) {
            Some(Chain::Direct) => ours.or(own),
            _ => own.or(ours),
        }
    }

    /// The menu for a computer that runs GRUB and has this address and netmask, with the addresses of its answer files.
    /// `restarts` says whether its firmware would get another shim from us after a restart.
    pub fn grub_menu(
        &self,
        asking: grub::Asking,
        reach: grub::Reach,
        restarts: bool,
        of: (Ipv4Addr, Ipv4Addr),
        (done, answer): (Done, ipxe::Answer),
    ) -> Found {
        let chain = |item: &Item| match self.chains.get(&item.id) {
            Some(Chain::OwnShim { .. }) if !restarts => Chain::Nothing(ONLY_BY_PXE.to_owned()),
            chain => chain.cloned().unwrap_or(Chain::Direct),
        };
        let secure: Option<grub::Chains> = if asking.lockdown { Some(&chain) } else { None };
        let (ip, netmask) = of;
        let client = grub::Client { asking, reach, ip, netmask, secure };
        text(grub::CONFIG, grub::menu(&self.menu.after(done), &client, &self.place, answer))
    }

    /// The file by which a computer starts an entry through its image's own shim: that shim. `None` for other entries.
    pub fn own_shim(&self, entry: &str) -> Option<String> {
        let (item, _) = self.item(entry)?;
        match self.chains.get(entry)? {
            Chain::OwnShim { shim, .. } => Some(format!("image/{}{shim}", item.image)),
            Chain::Direct | Chain::Nothing(_) => None,
        }
    }

    /// The script that says that an entry begins, which starts once; `None` for other entries.
    pub fn grub_begin(&self, entry: &str) -> Option<Found> {
        let (item, _) = self.item(entry)?;
        item.guard.once.then(|| text("begin.cfg", grub::begin().to_owned()))
    }

    /// The script that restarts a computer.
    pub fn grub_restart(&self) -> Found {
        text("restart.cfg", grub::restart().to_owned())
    }

    /// The script that starts one entry at once, for the GRUB of its own image.
    pub fn grub_entry(&self, entry: &str, mac: Mac, of: (Ipv4Addr, Ipv4Addr), answer: ipxe::Answer) -> Option<Found> {
        let (item, _) = self.item(entry)?;
        let default = Starts::Entry(item.id.clone());
        let only = Menu { items: vec![item.clone()], default, timeout: 0, append: self.menu.append.clone() };
        let cpu = if item.entry.arch == "aarch64" { Processor::Arm64 } else { Processor::X86_64 };
        let (asking, (ip, netmask)) = (grub::Asking { cpu, mac: Some(mac), lockdown: true }, of);
        // This GRUB's shim trusts the kernel: that is why it runs.
        let secure: Option<grub::Chains> = Some(&|_| Chain::Direct);
        let client = grub::Client { asking, reach: grub::Reach::Tftp, ip, netmask, secure };
        Some(text(grub::CONFIG, grub::menu(&only, &client, &self.place, answer)))
    }

    /// The part that a file of an image plays, by what the menu's entries name.
    fn role(&self, image: &str, path: Option<&str>) -> Role {
        let Some(path) = path else { return Role::Disc };
        let is = |named: &String| named.trim_start_matches('/').eq_ignore_ascii_case(path);
        let mut entries = self.menu.items.iter().filter(|item| item.image == image).map(|item| &item.entry);
        if entries.clone().any(|entry| entry.kernel.as_ref().is_some_and(is)) {
            Role::Kernel
        } else if entries.any(|entry| entry.initrd.iter().any(is) || entry.inject.iter().any(|file| is(&file.from))) {
            Role::Initrd
        } else {
            Role::Content
        }
    }

    fn image(&self, id: &str) -> Option<&Image> {
        self.images.get(id).filter(|image| !image.withdrawn.load(Ordering::Relaxed))
    }

    fn item(&self, id: &str) -> Option<(&Item, &Image)> {
        let item = self.menu.items.iter().find(|item| item.id == id)?;
        Some((item, self.image(&item.image)?))
    }

    /// `ENTRY/NUMBER.cpio`: a file of an image, or the image itself, as an archive.
    fn injected(&self, rest: &str) -> Option<Found> {
        let (id, number) = rest.split_once('/')?;
        let (item, image) = self.item(id)?;
        if number.eq_ignore_ascii_case(made::PADDING) {
            return Some(padding(item, &image.disc));
        }
        let number: usize = number.strip_suffix(".cpio")?.parse().ok()?;
        let injection = item.entry.inject.get(number)?;
        let stamp = image.disc.stamp();
        let (extents, length): (Arc<[Extent]>, u64) = if injection.from == WHOLE_IMAGE {
            ([Extent { at: 0, offset: 0, length: stamp.size }].into(), stamp.size)
        } else {
            image.disc.find(&injection.from).map(|stored| (Arc::clone(&stored.extents), stored.size))?
        };
        let (before, behind) = cpio::around(&injection.to, &injection.mode, length)?;
        let size = before.len() as u64 + length + behind.len() as u64;
        let meta = Meta {
            size,
            etag: etag(size, stamp.modified, extents.first().map_or(0, |extent| extent.offset)),
            modified: stamp.modified,
            content_type: reply::content_type("archive.cpio"),
        };
        let (file, before, behind) = (Arc::clone(image.disc.file()), before.into(), behind.into());
        Some(Found { role: Role::Initrd, source: Source::Wrapped { before, file, extents, length, behind }, meta })
    }

    /// `ID/PATH`: a hypervisor or module that is packed with gzip, unpacked; what is not packed, as it is.
    fn unpacked(&self, rest: &str) -> Option<Found> {
        let (id, path) = rest.split_once('/')?;
        let disc = &self.image(id)?.disc;
        if disc.read_start(path, GZIP.len()).ok()? != GZIP {
            return self.find_image(rest);
        }
        let path = disc.resolve_file(path).filter(|path| self.is_unpacked_for(id, path))?;
        let mut kept = self.unpacked.lock().ok()?;
        let key = (id.to_owned(), path);
        if let Some(found) = kept.get(&key) {
            return found.clone();
        }
        let mut bytes = Vec::new();
        let unpacker = flate2::read::MultiGzDecoder::new(disc.reader(&key.1)?);
        unpacker.take(MAX_UNPACKED + 1).read_to_end(&mut bytes).ok()?;
        let fits = bytes.len() as u64 <= MAX_UNPACKED;
        let role = self.role(id, Some(key.1.trim_start_matches('/')));
        let found = fits.then(|| made_of("unpacked.bin", role, bytes));
        let size = |found: &Option<Found>| found.as_ref().map_or(0, |found| found.meta.size);
        if kept.values().map(size).sum::<u64>().saturating_add(size(&found)) > MAX_KEPT {
            kept.clear();
        }
        kept.insert(key, found.clone());
        found
    }

    /// Whether an entry of this image may need this file unpacked. No other is, since it takes time and memory.
    fn is_unpacked_for(&self, image: &str, path: &str) -> bool {
        let mut entries = self.menu.items.iter().filter(|item| item.image == image).map(|item| &item.entry);
        entries.any(|entry| {
            let mut named = entry.kernel.iter().chain(&entry.initrd);
            entry.boot == Boot::Multiboot && named.any(|named| named == path)
        })
    }

    /// `ENTRY/TICKET/boot.cfg`.
    fn esxi(&self, rest: &str) -> Option<Found> {
        let (id, rest) = rest.split_once('/')?;
        let (ticket, name) = rest.split_once('/')?;
        let (item, image) = self.item(id).filter(|_| name.eq_ignore_ascii_case("boot.cfg"))?;
        let own = ["/efi/boot/boot.cfg", "/boot.cfg"].iter().find_map(|path| image.disc.read_text(path, MAX_SETTINGS));
        let settings = esxi::parse(&own?)?;
        let kickstart = self.answer(ticket, AnswerKind::Kickstart).map(|url| format!("ks={url}"));
        let settings = settings.with_arguments(&kickstart.unwrap_or_default());
        Some(text("boot.cfg", settings.for_network(&self.place.tree(item))))
    }

    /// `ENTRY/TICKET/COMPUTER/boot.cfg`.
    fn grub(&self, rest: &str) -> Option<Found> {
        let mut parts = rest.split('/');
        let (id, ticket, computer, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let wanted = name.eq_ignore_ascii_case("boot.cfg") && parts.next().is_none();
        let (item, _) = self.item(id).filter(|(item, _)| wanted && item.entry.boot == Boot::Multiboot)?;
        let computer = grub::Computer::parse(computer)?;
        let answer = item.entry.answering.as_ref().and_then(|answering| self.answer(ticket, answering.kind));
        let script = grub::script(item, &self.place, &self.menu.append, &computer, answer.as_deref())?;
        Some(text("boot.cfg", script))
    }

    /// The address of an answer file whose ticket stands in a path. Whether it opens anything is seen when it is asked
    /// for.
    fn answer(&self, ticket: &str, kind: AnswerKind) -> Option<String> {
        let given = ticket.len() == TICKET && ticket.bytes().all(|byte| byte.is_ascii_hexdigit());
        given.then(|| format!("{}/{}/{ticket}/{}", self.place.base, made::ANSWER, tickets::file_name(kind)))
    }

    fn find_image(&self, rest: &str) -> Option<Found> {
        let (id, path) = match rest.split_once('/') {
            Some((id, path)) => (id, Some(path)),
            None => (rest.strip_suffix(".iso")?, None),
        };
        let image = self.image(id)?;
        let stamp = image.disc.stamp();
        let (extents, size): (Arc<[Extent]>, u64) = match path {
            Some(path) => image.disc.find(path).map(|stored| (Arc::clone(&stored.extents), stored.size))?,
            None => ([Extent { at: 0, offset: 0, length: stamp.size }].into(), stamp.size),
        };
        let first = extents.first().map_or(0, |extent| extent.offset);
        let etag = etag(size, stamp.modified, first);
        Some(Found {
            role: self.role(id, path),
            source: Source::Extents { file: Arc::clone(image.disc.file()), extents },
            meta: Meta {
                size,
                etag,
                modified: stamp.modified,
                content_type: reply::content_type(path.unwrap_or(rest)),
            },
        })
    }
}

/// What brings the initrds of an entry to a multiple of four bytes, and never nothing, which iPXE would not load.
fn padding(item: &Item, disc: &Disc) -> Found {
    let sizes = item.entry.initrd.iter().filter_map(|path| disc.find(path)).map(|stored| stored.size % 4);
    let over = usize::try_from(sizes.sum::<u64>() % 4).unwrap_or_default();
    made_of("padding.bin", Role::Initrd, vec![0; 8 - over])
}

fn strip_folder<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let (head, rest) = path.split_once('/')?;
    head.eq_ignore_ascii_case(folder).then_some(rest)
}

fn open_loader(loader: Loader, path: &std::path::Path, place: &Place) -> io::Result<Found> {
    let mut file = File::open(path)?;
    if !loader.is_own_grub() || file.metadata()?.len() > MAX_OWN_GRUB {
        return open_file(file, loader.file(), Role::Loader);
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    grub::write_address(&mut bytes, place);
    Ok(made_of(loader.file(), Role::Loader, bytes))
}

fn disk_of(name: &str, disk: fat::Image) -> Found {
    let (size, etag) = (disk.size(), format!("\"{:016x}\"", disk.fingerprint()));
    let meta = Meta { size, etag, modified: None, content_type: reply::content_type(name) };
    Found { role: Role::Loader, source: Source::Disk(Arc::new(disk)), meta }
}

fn open_file(file: File, name: &str, role: Role) -> io::Result<Found> {
    let metadata = file.metadata()?;
    let (size, modified) = (metadata.len(), metadata.modified().ok());
    let extents = [Extent { at: 0, offset: 0, length: size }].into();
    Ok(Found {
        role,
        source: Source::Extents { file: Arc::new(file), extents },
        meta: Meta { size, etag: etag(size, modified, 0), modified, content_type: reply::content_type(name) },
    })
}

fn text(name: &str, text: String) -> Found {
    made_of(name, Role::Script, text.into_bytes())
}

fn made_of(name: &str, role: Role, bytes: Vec<u8>) -> Found {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let meta = Meta {
        size: bytes.len() as u64,
        etag: format!("\"{:016x}\"", hasher.finish()),
        modified: None,
        content_type: reply::content_type(name),
    };
    Found { role, source: Source::Text(bytes.into()), meta }
}

/// A strong entity tag: EDK2 resumes only with one that begins with a quote (CONFORMANCE Q29).
fn etag(size: u64, modified: Option<SystemTime>, offset: u64) -> String {
    let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    format!("\"{size:x}-{:x}-{offset:x}\"", since.as_nanos())
}
