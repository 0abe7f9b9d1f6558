//! What comparing images has brought, kept until an image's file changes: some GB are not read twice for one answer.
//!
//! One JSON file, whose place the caller knows. A file that cannot be read is an error and stays as it is; only
//! [`set_aside`] makes room for a new one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Digest, Expected, MAX_LINE, Source, Verdict};
use crate::image::disc::Stamp;
use crate::text;

const VERSION: u32 = 1;
/// Most results that are kept, the newest.
const MAX_RESULTS: usize = 1000;
/// Longest path that is kept, in bytes.
const MAX_PATH: usize = 4096;
/// Largest file that is read, in bytes: what a thousand results of the longest paths take.
const MAX_FILE: u64 = 16 << 20;
/// A file that was written to this lately may be written to again within one tick of its clock, which nobody would see
/// later. FAT's tick is the longest.
const SETTLED: Duration = Duration::from_secs(2);

/// Results of comparisons.
#[derive(Clone, Debug)]
pub struct Kept {
    file: PathBuf,
    results: Vec<Record>,
}

/// One state of an image's file: it must be taken before the file is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    path: String,
    size: u64,
    modified: Timestamp,
    /// The file's number, where the system has one.
    file: u64,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The checksum that the image has.
    pub found: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expected: Option<Claim>,
    /// When the comparison ended.
    pub when: Timestamp,
}

/// An [`Expected`] as it is saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Claim {
    digest: Digest,
    /// None where it was pasted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<PathBuf>,
    line: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    #[serde(flatten)]
    key: Key,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Serialize, Deserialize)]
struct Contents {
    version: u32,
    results: Vec<Record>,
}

/// Why results cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum KeptError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file has something else in it, or is of a newer program. It is left alone.
    #[error("{path} is not understood: {reason}")]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, for people.
        reason: String,
    },
    /// The file cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl Key {
    /// The state of an image's file now; none where its path is no text or too long, or where the system keeps no times.
    pub fn of(image: &Path) -> Option<Key> {
        let path = fs::canonicalize(image).ok()?;
        let stamp = Stamp::of(&fs::metadata(&path).ok().filter(fs::Metadata::is_file)?);
        let path = path.to_str().filter(|path| path.len() <= MAX_PATH)?.to_owned();
        let modified = Timestamp::try_from(stamp.modified?).ok()?;
        Some(Key { path, size: stamp.size, modified, file: stamp.number() })
    }

    fn is_settled(&self) -> bool {
        let age = SystemTime::now().duration_since(self.modified.into());
        // A time in the future is that of another clock, whose tick is not known.
        age.is_ok_and(|age| age > SETTLED)
    }
}

impl Outcome {
    /// What the comparison said. What a list beside the image says may have changed since: where it has, compare its
    /// digest with [`Outcome::found`], which takes no reading.
    pub fn verdict(&self) -> Verdict {
        let expected = self.expected.clone().map(|claim| Expected {
            digest: claim.digest,
            from: claim.from.map_or(Source::Pasted, Source::Beside),
            line: text::plain(&claim.line, MAX_LINE),
        });
        Verdict::of(expected, self.found)
    }

    fn of(verdict: &Verdict) -> Outcome {
        let (found, expected) = match verdict {
            Verdict::Matches(expected) => (expected.digest, Some(expected)),
            Verdict::Differs { expected, found } => (*found, Some(expected)),
            Verdict::NoneKnown { found } => (*found, None),
        };
        let claim = expected.map(|expected| Claim {
            digest: expected.digest,
            from: match &expected.from {
                // One that is no text cannot be saved; what it said can.
                Source::Beside(path) => Some(path.to_string_lossy().into_owned().into()),
                Source::Pasted => None,
            },
            line: expected.line.clone(),
        });
        Outcome { found, expected: claim, when: Timestamp::now() }
    }
}

impl Kept {
    /// Reads the results in a file; one that is not there has none.
    pub fn load(file: &Path) -> Result<Kept, KeptError> {
        Ok(Kept { file: file.to_owned(), results: read(file)? })
    }

    /// What was found of an image, if its file has not changed since.
    pub fn find(&self, image: &Path) -> Option<&Outcome> {
        let key = Key::of(image)?;
        self.results.iter().rev().find(|result| result.key == key).map(|result| &result.outcome)
    }

    /// Whether an image of this path was compared once, in whatever state its file was.
    pub fn was_compared(&self, image: &Path) -> bool {
        Key::of(image).is_some_and(|key| self.results.iter().any(|result| result.key.path == key.path))
    }

    /// Remembers a verdict on an image whose file was in the state of `key` before it was read. Returns whether it did:
    /// not where the file has changed meanwhile, or was written to a moment ago.
    pub fn remember(&mut self, key: Key, verdict: &Verdict) -> bool {
        if !key.is_settled() || Key::of(Path::new(&key.path)).as_ref() != Some(&key) {
            return false;
        }
        self.results.retain(|result| result.key.path != key.path);
        self.results.push(Record { key, outcome: Outcome::of(verdict) });
        self.trim();
        true
    }

    /// Saves the results, with those that another window has saved meanwhile.
    pub fn save(&mut self) -> Result<(), KeptError> {
        for other in read(&self.file)? {
            match self.results.iter_mut().find(|own| own.key.path == other.key.path) {
                Some(own) if own.outcome.when < other.outcome.when => *own = other,
                Some(_) => {}
                None => self.results.push(other),
            }
        }
        self.trim();
        let failed = |source| KeptError::Write { path: self.file.clone(), source };
        let contents = Contents { version: VERSION, results: self.results.clone() };
        let text = serde_json::to_vec_pretty(&contents).map_err(|error| failed(error.into()))?;
        replace(&self.file, &text).map_err(failed)
    }

    fn trim(&mut self) {
        self.results.sort_by_key(|result| result.outcome.when);
        self.results.drain(..self.results.len().saturating_sub(MAX_RESULTS));
    }
}

fn read(path: &Path) -> Result<Vec<Record>, KeptError> {
    let broken = |reason: String| KeptError::Broken { path: path.into(), reason: text::plain(&reason, MAX_LINE) };
    let mut bytes = Vec::new();
    match File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes)) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(KeptError::Read { path: path.into(), source }),
    }
    if bytes.len() as u64 > MAX_FILE {
        return Err(broken("it is too long".to_owned()));
    }
    // Version first: what a newer program writes may have another shape.
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| broken(error.to_string()))?;
    if value.get("version").and_then(serde_json::Value::as_u64) != Some(VERSION.into()) {
        return Err(broken("it is of another version of the program".to_owned()));
    }
    let contents: Contents = serde_json::from_value(value).map_err(|error| broken(error.to_string()))?;
    Ok(contents.results)
}

/// Puts a file that is not understood under another name, which is returned, so that results can be kept again.
pub fn set_aside(path: &Path) -> Result<PathBuf, KeptError> {
    let named = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        name.push(if number == 1 { ".unreadable".to_owned() } else { format!(".unreadable-{number}") });
        PathBuf::from(name)
    };
    let failed = |source| KeptError::Write { path: path.into(), source };
    let free =
        (1..1000).map(named).find(|name| !name.exists()).ok_or_else(|| failed(ErrorKind::AlreadyExists.into()))?;
    fs::rename(path, &free).map_err(failed)?;
    Ok(free)
}

/// Puts a text at a path, whole or not at all.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let beside = folder.join(format!(".bootwright-{}-{}.new", std::process::id(), now.as_nanos()));
    let placed = fill(&beside, text).and_then(|()| fs::rename(&beside, path));
    if placed.is_err() {
        // What is left of it is of no use; if it cannot be removed either, there is no more to do.
        let _ = fs::remove_file(&beside);
    }
    placed
}

fn fill(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ABC, EMPTY};
    use super::*;

    struct Home {
        folder: tempfile::TempDir,
        file: PathBuf,
    }

    impl Home {
        fn new() -> Home {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("state/checksums.json");
            Home { folder, file }
        }

        fn load(&self) -> Kept {
            Kept::load(&self.file).unwrap()
        }

        /// A file of this many seconds of age.
        fn image(&self, name: &str, content: &str, age: u64) -> PathBuf {
            let path = self.folder.path().join(name);
            fs::write(&path, content).unwrap();
            let time = SystemTime::now() - Duration::from_secs(age);
            OpenOptions::new().write(true).open(&path).unwrap().set_modified(time).unwrap();
            path
        }

        fn broken(&self, text: &str) -> KeptError {
            fs::create_dir_all(self.file.parent().unwrap()).unwrap();
            fs::write(&self.file, text).unwrap();
            Kept::load(&self.file).unwrap_err()
        }
    }

    fn digest(hex: &str) -> Digest {
        Digest::try_from(hex.to_owned()).unwrap()
    }

    fn expected(from: Source) -> Expected {
        Expected { digest: digest(ABC), from, line: format!("{ABC}  a.iso") }
    }

    #[test]
    fn verdicts_come_back() {
        let home = Home::new();
        let verdicts = [
            Verdict::Matches(expected(Source::Pasted)),
            Verdict::Differs { expected: expected(Source::Beside("/isos/SHA256SUMS".into())), found: digest(EMPTY) },
            Verdict::NoneKnown { found: digest(EMPTY) },
        ];
        for (number, verdict) in verdicts.iter().enumerate() {
            let image = home.image(&format!("{number}.iso"), "x", 100);
            let mut kept = home.load();
            assert!(kept.find(&image).is_none());
            assert!(kept.remember(Key::of(&image).unwrap(), verdict));
            kept.save().unwrap();
            assert_eq!(home.load().find(&image).map(Outcome::verdict).as_ref(), Some(verdict));
        }
        assert_eq!(home.load().results.len(), 3);
    }

    #[test]
    fn a_change_of_the_file_ends_it() {
        let home = Home::new();
        let verdict = Verdict::NoneKnown { found: digest(ABC) };
        let changes: [(&str, fn(&Home)); 4] = [
            ("time", |home| drop(home.image("a.iso", "abc", 50))),
            ("size", |home| drop(home.image("a.iso", "abcd", 100))),
            ("replaced", |home| {
                let time = fs::metadata(home.folder.path().join("a.iso")).unwrap().modified().unwrap();
                let other = home.image("b.iso", "xyz", 100);
                OpenOptions::new().write(true).open(&other).unwrap().set_modified(time).unwrap();
                fs::rename(other, home.folder.path().join("a.iso")).unwrap();
            }),
            ("gone", |home| fs::remove_file(home.folder.path().join("a.iso")).unwrap()),
        ];
        for (name, change) in changes {
            let image = home.image("a.iso", "abc", 100);
            let mut kept = home.load();
            assert!(kept.remember(Key::of(&image).unwrap(), &verdict));
            assert!(kept.find(&image).is_some(), "{name}");
            change(&home);
            if name == "replaced" && cfg!(not(unix)) {
                continue;
            }
            assert!(kept.find(&image).is_none(), "{name}");
        }
    }

    #[test]
    fn what_changes_while_it_is_read_is_not_remembered() {
        let home = Home::new();
        let verdict = Verdict::NoneKnown { found: digest(ABC) };
        let mut kept = home.load();
        let before = Key::of(&home.image("a.iso", "abc", 100)).unwrap();
        home.image("a.iso", "abc", 90);
        assert!(!kept.remember(before, &verdict), "written to meanwhile");
        assert!(!kept.remember(Key::of(&home.image("a.iso", "abc", 0)).unwrap(), &verdict), "written to just now");
    }

    #[test]
    fn a_broken_file_is_told_and_stays() {
        let home = Home::new();
        for text in
            ["", "{", "[1]", "{\"version\": 2, \"results\": []}", "{\"version\": 1, \"results\": [{\"path\": 1}]}"]
        {
            let error = home.broken(text);
            assert!(matches!(error, KeptError::Broken { .. }), "{error:?}");
            let mut kept = Kept { file: home.file.clone(), results: Vec::new() };
            assert!(matches!(kept.save(), Err(KeptError::Broken { .. })));
            assert_eq!(fs::read_to_string(&home.file).unwrap(), text);
        }
        let aside = set_aside(&home.file).unwrap();
        assert!(aside.to_string_lossy().ends_with("checksums.json.unreadable") && aside.exists());
        home.load().save().unwrap();
        home.broken("again");
        assert!(set_aside(&home.file).unwrap().to_string_lossy().ends_with("checksums.json.unreadable-2"));
    }

    #[test]
    fn two_windows_keep_each_others_results() {
        let home = Home::new();
        let (a, b) = (home.image("a.iso", "a", 100), home.image("b.iso", "b", 100));
        let (mut one, mut other) = (home.load(), home.load());
        assert!(one.remember(Key::of(&a).unwrap(), &Verdict::NoneKnown { found: digest(EMPTY) }));
        assert!(other.remember(Key::of(&a).unwrap(), &Verdict::NoneKnown { found: digest(ABC) }));
        assert!(other.remember(Key::of(&b).unwrap(), &Verdict::NoneKnown { found: digest(ABC) }));
        other.save().unwrap();
        one.save().unwrap();
        let kept = home.load();
        assert_eq!(kept.find(&a).map(|outcome| outcome.found), Some(digest(ABC)), "the later one");
        assert!(kept.find(&b).is_some());
    }

    #[test]
    fn the_newest_thousand_are_kept() {
        let home = Home::new();
        let result = |number: i64| Record {
            key: Key { path: format!("/{number}"), size: 1, modified: Timestamp::UNIX_EPOCH, file: 1 },
            outcome: Outcome { found: digest(ABC), expected: None, when: Timestamp::from_second(number).unwrap() },
        };
        let mut kept = Kept { file: home.file.clone(), results: (0..1500).rev().map(result).collect() };
        kept.save().unwrap();
        let kept = home.load();
        assert_eq!((kept.results.len(), kept.results[0].key.path.as_str()), (1000, "/500"));
    }
}
