//! Answer files and lists from the disk. The only place of this room that opens files.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::fault::Fault;
use super::hostname::NameError;
use super::{roster, template};
use crate::image::AnswerKind;

/// Most bytes of all answer files of a deployment together.
pub(super) const MAX_TOTAL: usize = 64 << 20;

/// Why there is no answer file for a computer, or no answer files at all. No text of a file is in it.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file is larger than an answer file or a list may be.
    #[error("{path} has more than {limit} bytes")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: usize,
    },
    /// All answer files together are too large.
    #[error("the answer files have more than {MAX_TOTAL} bytes together")]
    TooMuch,
    /// An answer file is no UTF-8.
    #[error("{path} is not UTF-8 text")]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// The list of computers has mistakes.
    #[error("the list of computers {path} has mistakes")]
    List {
        /// The list.
        path: PathBuf,
        /// What they are; one at least.
        faults: Vec<Fault>,
    },
    /// The pattern for host names is none, or made no name.
    #[error("there is no host name")]
    HostName(#[from] NameError),
    /// A variable of one's own has a name that a template cannot use, or that means something already.
    #[error("`{name}` cannot be the name of a variable")]
    Variable {
        /// The name.
        name: String,
    },
    /// The template cannot be filled in for this computer.
    #[error("{path} cannot be filled in{}: {}", line(fault), fault.what)]
    Template {
        /// The answer file.
        path: PathBuf,
        /// What hinders.
        fault: Fault,
    },
    /// The entry has no answer file for this computer.
    #[error("the entry {entry} has no answer file for this computer")]
    None {
        /// The entry.
        entry: String,
    },
}

impl AnswerError {
    /// Its words with those of its cause, without what a file says.
    pub fn in_words(&self) -> String {
        match std::error::Error::source(self) {
            Some(source) => format!("{self}: {source}"),
            None => self.to_string(),
        }
    }
}

fn line(fault: &Fault) -> String {
    fault.line.map(|line| format!(" (line {line})")).unwrap_or_default()
}

/// Reads an answer file: UTF-8, of which the mark at its start is left out. For installers of Linux lines end as they
/// know it; a carriage return becomes part of a command there.
pub(super) fn answer_file(path: &Path) -> Result<String, AnswerError> {
    let bytes = bytes(path, template::MAX_SIZE)?;
    let text = String::from_utf8(bytes).map_err(|_| AnswerError::NotText { path: path.into() })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Ok(match super::recognise(text) {
        AnswerKind::Autounattend | AnswerKind::Other => text.to_owned(),
        _ => text.replace("\r\n", "\n"),
    })
}

/// Reads a list of computers.
pub(super) fn list(path: &Path) -> Result<roster::Roster, AnswerError> {
    let bytes = bytes(path, roster::MAX_SIZE)?;
    roster::Roster::parse(&bytes).map_err(|faults| AnswerError::List { path: path.into(), faults })
}

fn bytes(path: &Path, limit: usize) -> Result<Vec<u8>, AnswerError> {
    let refused = |source| AnswerError::Read { path: path.into(), source };
    // What is no file may never end, and to open a pipe waits for whoever writes to it: so it is looked at before.
    if !std::fs::metadata(path).map_err(refused)?.is_file() {
        return Err(refused(ErrorKind::InvalidInput.into()));
    }
    let file = File::open(path).map_err(refused)?;
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(refused)?;
    if bytes.len() > limit { Err(AnswerError::TooLarge { path: path.into(), limit }) } else { Ok(bytes) }
}

/// Which of these files lie in a folder that is published: there anybody may fetch them by their names (SECURITY S19).
pub fn published(settings: &super::Settings, folder: &Path) -> Vec<PathBuf> {
    // A link may lead there as well.
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = real(folder);
    settings.clone().paths().map(|path| path.clone()).filter(|path| real(path).starts_with(&folder)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Settings;

    #[cfg(unix)]
    #[test]
    fn a_pipe_does_not_keep_it_waiting() {
        use std::sync::mpsc;
        use std::time::Duration;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let (told, hear) = mpsc::channel();
        std::thread::spawn(move || told.send(answer_file(&path)));
        let answer = hear.recv_timeout(Duration::from_secs(10)).expect("it waits");
        assert!(matches!(answer, Err(AnswerError::Read { .. })), "{answer:?}");
    }

    #[test]
    fn a_published_file_is_found_by_any_of_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let files = folder.path().join("files");
        std::fs::create_dir(&files).unwrap();
        let [inside, outside] = [files.join("a.cfg"), folder.path().join("b.cfg")];
        for path in [&inside, &outside] {
            std::fs::write(path, "d-i a/b string x").unwrap();
        }
        let around = folder.path().join("files/../files/a.cfg");
        let mut settings = Settings { list: Some(outside.clone()), ..Settings::default() };
        settings.entry =
            [("a", &inside), ("b", &outside), ("c", &around)].map(|(id, path)| (id.into(), path.clone())).into();
        assert_eq!(published(&settings, &files), [inside, around]);
    }
}
