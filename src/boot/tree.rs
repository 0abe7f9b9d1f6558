//! The one tree that TFTP and HTTP publish: loaders, scripts, images, files.
//!
//! ```text
//! undionly.kpxe …           loaders
//! (nothing)                 by HTTP only: a few words for a person with a browser
//! boot.ipxe, menu.ipxe      scripts, made when asked for
//! image/ID/…                the files of an image, straight out of it
//! image/ID.iso              the image itself
//! files/…                   the published folder
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::loader::Loaders;
use super::menu::{Asker, Menu, Place, ipxe};
use super::published::Folder;
use super::{choose, loader::Loader};
use crate::http::path;
use crate::http::reply::{self, Meta};
use crate::image::Disc;
use crate::image::stored::{self, Extent};

/// What a person sees who opens our address in a browser. It lists nothing (SECURITY S25).
const INDEX: &str = "\
Bootwright is serving here.

Connect a computer to this network, switch it on and choose network boot
(often F12, F9 or Esc at the start). It shows its menu by itself.
";

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
    /// Fills `buffer` with the bytes from `at` on. May wait for a disk: not for an asynchronous task.
    pub fn read_at(&self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        match &self.source {
            Source::Extents { file, extents } => stored::read_at(file, extents, at, buffer),
            Source::Text(text) => {
                let from = usize::try_from(at).map_err(|_| io::ErrorKind::InvalidInput)?;
                let to = from.checked_add(buffer.len()).ok_or(io::ErrorKind::InvalidInput)?;
                buffer.copy_from_slice(text.get(from..to).ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
        }
    }
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
        Ok(Tree { loaders, images: images.into_iter().map(image).collect(), files, menu, place })
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
        if path.is_empty() { None } else { self.find(&path, Asker { firmware: None }) }
    }

    /// Looks a path up: without leading slash, folded. Letters in either case where the exact name is not there. May
    /// wait for a disk.
    pub fn find(&self, path: &str, asker: Asker) -> Option<Found> {
        let lower = path.to_ascii_lowercase();
        if let Some(rest) = strip_folder(path, "image") {
            return self.find_image(rest);
        }
        if let Some(rest) = strip_folder(path, "files") {
            return open_file(self.files.as_ref()?.file(rest)?, rest, Role::File).ok();
        }
        match lower.as_str() {
            "" => Some(text("index.txt", INDEX.to_owned())),
            choose::SCRIPT => Some(text(&lower, ipxe::first(&self.place))),
            ipxe::MENU => Some(text(&lower, ipxe::menu(&self.menu, asker, &self.place))),
            name => self.loaders.get(name).cloned(),
        }
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

    fn find_image(&self, rest: &str) -> Option<Found> {
        let (id, path) = match rest.split_once('/') {
            Some((id, path)) => (id, Some(path)),
            None => (rest.strip_suffix(".iso")?, None),
        };
        let image = self.images.get(id).filter(|image| !image.withdrawn.load(Ordering::Relaxed))?;
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
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let meta = Meta {
        size: text.len() as u64,
        etag: format!("\"{:016x}\"", hasher.finish()),
        modified: None,
        content_type: reply::content_type(name),
    };
    Found { role: Role::Script, source: Source::Text(text.into_bytes().into()), meta }
}

/// A strong entity tag: EDK2 resumes only with one that begins with a quote (CONFORMANCE Q29).
fn etag(size: u64, modified: Option<SystemTime>, offset: u64) -> String {
    let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    format!("\"{size:x}-{:x}-{offset:x}\"", since.as_nanos())
}
