//! From a disc to a verdict: recipes first, then the image's own menu, then recipes of last resort.

mod applied;
mod judged;
mod order;
mod own;
mod windows;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::initrd::{self, Budget, Contents, Feature};
use super::recipe::{self, Book, Recipe};
use super::{Disc, DiscError, Injection, Inspection, WHOLE_IMAGE, signature, torito, wim};
use crate::text;

/// How much of a file is looked at for a version or a text, in bytes.
const LOOKED_AT: usize = 1 << 20;
/// Longest that the initrds of one image may be looked into. Most need no look, or stop at the first sign; the largest
/// (200 MB unpacked) take about a second. What is not seen by then counts as unknown, never as missing.
const MAX_LOOK: Duration = Duration::from_secs(20);
/// Most images that are looked at at once: they lie on one drive.
const MAX_WORKERS: usize = 8;

/// Opens an image and says what it is and how it boots over a network. What was judged of it before in this run counts
/// until the file is written to.
pub fn inspect(path: &Path) -> Result<(Disc, Inspection), DiscError> {
    let disc = Disc::open(path)?;
    if let Some(inspection) = judged::recall(&disc) {
        return Ok((disc, inspection));
    }
    let began = Instant::now();
    let inspection = judge(&disc, recipe::book());
    // What there was no time for may be seen when the machine is less busy.
    if began.elapsed() < MAX_LOOK {
        judged::remember(&disc, &inspection);
    }
    Ok((disc, inspection))
}

/// Looks at many images, several at a time: a hundred take as long as the slowest few. The first that cannot be used ends
/// it.
pub fn inspect_all(paths: &[PathBuf]) -> Result<Vec<(Disc, Inspection)>, DiscError> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(path) = paths.get(at) else { return done };
            done.push((at, inspect(path)));
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get).min(MAX_WORKERS).min(paths.len());
    let mut all: Vec<(usize, Result<(Disc, Inspection), DiscError>)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        // What a worker that panicked had done is lost: the others' results would stand for the wrong paths.
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, found)| found).collect()
}

/// What an opened image is, by these recipes.
pub fn judge(disc: &Disc, book: &Book) -> Inspection {
    let mut inspection = Inspection {
        path: disc.path().to_path_buf(),
        size: disc.stamp().size,
        volume_label: disc.label().map(|label| text::plain(label, 64)),
        filesystem: disc.filesystem(),
        recognised: None,
        entries: Vec::new(),
        signatures: Vec::new(),
        warnings: Vec::new(),
    };
    if let Some(first) = disc.damage().first() {
        let count = disc.damage().len();
        let first = text::plain(first, 200);
        inspection.warnings.push(format!("Parts of this image cannot be read ({count}, the first: {first})."));
    }
    let look = Look::new(disc);
    let (known, last_resort): (Vec<&Recipe>, Vec<&Recipe>) = book.recipes().iter().partition(|it| !it.last_resort);
    let by_recipe = |recipes: &[&Recipe], inspection: &mut Inspection| {
        recipes.iter().filter(|recipe| matches(&look, recipe)).any(|recipe| applied::apply(&look, recipe, inspection))
    };
    let _ = by_recipe(&known, &mut inspection)
        || own::apply(&look, &mut inspection)
        || by_recipe(&last_resort, &mut inspection);
    windows::refine(disc, &mut inspection);
    leave_out_oversized(disc, &mut inspection);
    signature::refine(disc, &mut inspection);
    if inspection.entries.is_empty() && inspection.recognised.is_none() {
        let text =
            "No kernel and no boot menu that names one was found in this image, so it cannot boot over a network.";
        inspection.warnings.push(text.to_owned());
    }
    inspection
}

/// Entries that would have to carry more in their initramfs than one takes.
fn leave_out_oversized(disc: &Disc, inspection: &mut Inspection) {
    let size = |file: &Injection| match file.from.as_str() {
        WHOLE_IMAGE => disc.stamp().size,
        path => disc.find(path).map_or(0, |stored| stored.size),
    };
    let count = inspection.entries.len();
    inspection.entries.retain(|entry| entry.inject.iter().all(|file| size(file) <= Injection::LARGEST));
    if inspection.entries.len() < count {
        let text = "It would have to go into memory as one file of more than 4 GiB, which Linux does not take from a \
                    network, so it cannot boot that way.";
        inspection.warnings.push(text.to_owned());
    }
}

/// One disc, and what was seen of its initrds: each is unpacked once, however many recipes ask.
struct Look<'a> {
    disc: &'a Disc,
    until: Instant,
    seen: RefCell<BTreeMap<String, Option<Rc<Contents>>>>,
}

impl<'a> Look<'a> {
    fn new(disc: &'a Disc) -> Look<'a> {
        Look { disc, until: Instant::now() + MAX_LOOK, seen: RefCell::default() }
    }

    /// What an initrd has in it; `None` where it cannot be read.
    fn initrd(&self, path: &str) -> Option<Rc<Contents>> {
        if let Some(seen) = self.seen.borrow().get(path) {
            return seen.clone();
        }
        let contents = initrd::look(self.disc, path, &mut self.budget()).map(Rc::new);
        self.seen.borrow_mut().insert(path.to_owned(), contents.clone());
        contents
    }

    /// Whether one of these initrds has a feature; `None` where none is seen to have it and one was not read to its end.
    fn any_has(&self, paths: &[String], wanted: Feature) -> Option<bool> {
        let mut unsure = false;
        for path in paths {
            let seen = match self.seen.borrow().get(path) {
                Some(seen) => seen.clone(),
                // Stops at the first sign, which is mostly near the beginning.
                None => initrd::look_for(self.disc, path, &[wanted], &mut self.budget()).map(Rc::new),
            };
            match seen {
                Some(contents) if contents.has(wanted) => return Some(true),
                Some(contents) => unsure |= !contents.whole,
                None => unsure = true,
            }
        }
        (!unsure).then_some(false)
    }

    fn budget(&self) -> Budget {
        Budget { deadline: self.until, ..Budget::new() }
    }
}

fn matches(look: &Look, recipe: &Recipe) -> bool {
    let (disc, detect) = (look.disc, &recipe.detect);
    let labelled = || applied::label_fits(disc, recipe);
    // Remastered and older media lack a text, or have what cannot be read: where the recipe allows it, the label tells.
    let stands_in = || detect.or_label && labelled();
    detect.files.iter().all(|file| disc.has(file))
        && (detect.any.is_empty() || detect.any.iter().any(|file| disc.has(file)))
        && !detect.absent.iter().any(|file| disc.has(file))
        && (!detect.label_decides || labelled())
        && detect.contains.as_ref().is_none_or(|wanted| has_text(disc, wanted) || stands_in())
        && detect.lacks.as_ref().is_none_or(|unwanted| !has_text(disc, unwanted))
        && detect.build.as_ref().is_none_or(|wanted| build_fits(disc, wanted).unwrap_or(!detect.or_label || labelled()))
        && detect.initrd.as_ref().is_none_or(|wanted| in_initrd(look, wanted).unwrap_or_else(stands_in))
        && detect.initrd_lacks.as_ref().is_none_or(|unwanted| in_initrd(look, unwanted) != Some(true))
        && (!detect.starts || torito::starts(disc.file()).is_some_and(|firmware| !firmware.is_empty()))
}

fn has_text(disc: &Disc, wanted: &recipe::Contains) -> bool {
    let mut places = wanted.files.iter().flat_map(|file| disc.matching(file));
    places.any(|(path, _)| {
        let start = disc.read_start(&path, LOOKED_AT).unwrap_or_default();
        start.windows(wanted.text.len().max(1)).any(|part| part == wanted.text.as_bytes())
    })
}

/// `None` where it is not seen and the initrd was not read to its end.
fn in_initrd(look: &Look, wanted: &recipe::InitrdHas) -> Option<bool> {
    let contents = look.disc.matching(&wanted.path).next().and_then(|(path, _)| look.initrd(&path))?;
    match contents.has(wanted.has) {
        false if !contents.whole => None,
        seen => Some(seen),
    }
}

/// Windows of all ages has the same files. `None` where the WIM does not tell its build.
fn build_fits(disc: &Disc, wanted: &recipe::Build) -> Option<bool> {
    let build = wim::media(disc).map(|media| media.build).filter(|build| *build != 0)?;
    Some(wanted.from.is_none_or(|from| build >= from) && wanted.below.is_none_or(|below| build < below))
}
