//! The one tree that TFTP and HTTP publish: loaders, scripts, images, files.
//!
//! ```text
//! undionly.kpxe …           loaders
//! (nothing)                 by HTTP only: a few words for a person with a browser
//! boot.ipxe, menu.ipxe      scripts, made when asked for
//! winpeshl.ini              starts Windows Setup with an answer file
//! image/ID/…                the files of an image, straight out of it
//! image/ID.iso              the image itself
//! inject/ENTRY/N.cpio       a file of an image as an archive for its initramfs
//! inject/ENTRY/padding      the zeros in front of the first of them
//! unpacked/ID/…             a packed file of an image, unpacked
//! esxi/ENTRY/TICKET/boot.cfg   ESXi's settings for the network
//! grub/ENTRY/TICKET/COMPUTER/boot.cfg   a script for GRUB
//! answer/TICKET/…           an answer file for one computer
//! files/…                   the published folder
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::loader::Loaders;
use super::menu::{Asker, Item, Menu, Place, grub, ipxe, made};
use super::published::Folder;
use super::{choose, cpio, loader::Loader};
use crate::answer::tickets;
use crate::http::path;
use crate::http::reply::{self, Meta};
use crate::image::bootcfg::esxi;
use crate::image::stored::{self, Extent};
use crate::image::{AnswerKind, Boot, Disc, WHOLE_IMAGE};

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

#[derive(Debug)]
struct Image {
    disc: Disc,
    withdrawn: AtomicBool,
}

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
    place: Place,
    /// What was unpacked, by image and path; none is too large. Its lock also lets one file be unpacked at a time: a
    /// request costs its sender nothing, and us up to 64 MiB (SECURITY S20).
    unpacked: Mutex<BTreeMap<(String, String), Option<Found>>>,
}

impl Tree {
    /// Opens the loaders and takes the images, each with its id.
    pub fn new(
        loaders: &Loaders,
        images: Vec<(String, Disc)>,
        files: Option<Folder>,
        menu: Menu,
        place: Place,
    ) -> Result<Tree, LoaderError> {
        let opened = loaders.iter().map(|(loader, path)| {
            let found = open_loader(loader, path);
            found.map(|found| (loader.file(), found)).map_err(|source| LoaderError { path: path.to_path_buf(), source })
        });
        let loaders = opened.collect::<Result<_, _>>()?;
        let image = |(id, disc)| (id, Image { disc, withdrawn: AtomicBool::new(false) });
        Ok(Tree {
            loaders,
            images: images.into_iter().map(image).collect(),
            files,
            menu,
            place,
            unpacked: Mutex::default(),
        })
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

    /// Looks a name up as TFTP clients write it: with or without leading slash, with backslashes (Windows boot managers).
    pub fn find_by_name(&self, name: &str) -> Option<Found> {
        let path = path::fold(&name.replace('\\', "/"));
        // What a browser is told at the root is no file for a loader.
        if path.is_empty() { None } else { self.find(&path, Asker { firmware: None, arch: None }) }
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
        if let Some(rest) = strip_folder(path, made::GRUB) {
            return self.grub(rest);
        }
        if let Some(rest) = strip_folder(path, "files") {
            return open_file(self.files.as_ref()?.file(rest)?, rest, Role::File).ok();
        }
        match lower.as_str() {
            "" => Some(text("index.txt", INDEX.to_owned())),
            choose::SCRIPT => Some(text(&lower, ipxe::first(&self.place))),
            ipxe::MENU => Some(self.menu_for(asker, &|_| None)),
            ipxe::WINPE_SHELL => Some(text(&lower, ipxe::WINPE_START.to_owned())),
            name => self.loaders.get(name).cloned(),
        }
    }

    /// The menu for a computer, with the addresses of its answer files.
    pub fn menu_for(&self, asker: Asker, answer: ipxe::Answer) -> Found {
        text(ipxe::MENU, ipxe::menu(&self.menu, asker, &self.place, answer))
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

fn open_loader(loader: Loader, path: &std::path::Path) -> io::Result<Found> {
    open_file(File::open(path)?, loader.file(), Role::Loader)
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
