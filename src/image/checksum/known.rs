//! What is known of an image's checksum before anything is read: a list beside it, and what comparing it brought before.

use std::path::Path;
use std::sync::Mutex;

use super::kept::{Kept, KeptError, Key, set_aside};
use super::{Expected, Verdict, expected};

/// What is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing: it was never compared, and there is no list.
    Nothing,
    /// A list says what it should have; it was not compared since its file last changed.
    Expected(Expected),
    /// It was compared since.
    Compared(Verdict),
}

/// One comparison at a time is written down.
static WRITING: Mutex<()> = Mutex::new(());

/// Looks for a list beside an image and for an earlier result in `file`. Results that cannot be read count as none.
pub fn known(image: &Path, file: &Path) -> Known {
    let wanted = expected(image).ok().flatten();
    let kept = Kept::load(file).ok();
    let outcome = kept.as_ref().and_then(|kept| kept.find(image));
    match (wanted, outcome) {
        (None, None) => Known::Nothing,
        (None, Some(outcome)) => Known::Compared(outcome.verdict()),
        // What the list says may be new; the image is the same.
        (Some(wanted), Some(outcome)) if wanted.digest.algorithm() == outcome.found.algorithm() => {
            Known::Compared(Verdict::of(Some(wanted), outcome.found))
        }
        (Some(wanted), _) => Known::Expected(wanted),
    }
}

/// Keeps a verdict on an image whose file was in the state of `key` before it was read.
pub fn remember(key: Option<Key>, verdict: &Verdict, file: &Path) -> Result<(), KeptError> {
    let Some(key) = key else { return Ok(()) };
    let _writing = WRITING.lock();
    let mut kept = match Kept::load(file) {
        // Kept for whoever wants to look; results are kept anew.
        Err(KeptError::Broken { .. }) => {
            set_aside(file)?;
            Kept::load(file)?
        }
        kept => kept?,
    };
    if kept.remember(key, verdict) { kept.save() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::super::{Algorithm, digest};
    use super::*;

    #[test]
    fn a_result_is_kept_until_the_file_or_its_list_changes() {
        let folder = tempfile::tempdir().unwrap();
        let (image, file) = (folder.path().join("a.iso"), folder.path().join("state/checksums.json"));
        let write = |text: &str, age: u64| {
            std::fs::write(&image, text).unwrap();
            let time = SystemTime::now() - Duration::from_secs(age);
            std::fs::File::options().write(true).open(&image).unwrap().set_modified(time).unwrap();
        };
        let list = |text: &str| std::fs::write(folder.path().join("SHA256SUMS"), text).unwrap();
        let compare = || {
            let key = Key::of(&image);
            let found = digest(&image, Algorithm::Sha256, &mut |_, _| std::ops::ControlFlow::Continue(())).unwrap();
            let verdict = Verdict::of(expected(&image).unwrap(), found.unwrap());
            remember(key, &verdict, &file).unwrap();
            verdict
        };
        write("abc", 100);
        assert_eq!(known(&image, &file), Known::Nothing);
        list("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a.iso\n");
        assert!(matches!(known(&image, &file), Known::Expected(_)));
        let verdict = compare();
        assert!(matches!(verdict, Verdict::Matches(_)));
        assert_eq!(known(&image, &file), Known::Compared(verdict));
        list("aa7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a.iso\n");
        assert!(matches!(known(&image, &file), Known::Compared(Verdict::Differs { .. })), "the list is another one");
        std::fs::write(&file, "{").unwrap();
        compare();
        assert!(matches!(known(&image, &file), Known::Compared(_)), "a broken file is set aside");
        assert!(folder.path().join("state/checksums.json.unreadable").exists());
        write("abd", 50);
        assert!(matches!(known(&image, &file), Known::Expected(_)), "the file is another one");
    }
}
