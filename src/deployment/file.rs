//! The saved deployment: one TOML file that people can read, and write by hand.
//!
//! A file of a newer program is opened as far as it is understood, and what is not understood goes back into it. In a
//! file of our own version an unknown word is a mistake in writing, and told as such.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Deserializer};
use toml::de::DeTable;

use super::{PlanError, Settings, VERSION, records};
use crate::boot::menu::Edit;

/// Most bytes that a deployment may have. Whoever opens an ISO file by mistake is told so at once.
const MAX_SIZE: u64 = 1 << 20;
/// What a saved file begins with.
const HEADER: &str = "\
# A Bootwright deployment. Open it in the window, or start it with: bootwright serve --deployment FILE
# `bootwright serve --help` explains the words.

";

/// Why a deployment is not saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The system refused.
    #[error("cannot write {path}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A path cannot be written down, for it is not Unicode text.
    #[error("{path} is not text")]
    NotText {
        /// The path.
        path: PathBuf,
    },
    /// The file that is there is not understood, so it is left alone.
    #[error("{path} is not a deployment that can be read")]
    WouldLose {
        /// The file.
        path: PathBuf,
    },
    /// There is one of this name.
    #[error("there is a deployment {name} already")]
    Exists {
        /// Its name.
        name: String,
        /// Its file.
        path: PathBuf,
    },
    /// A name of which nothing is left for a file.
    #[error("the deployment has no name")]
    NoName,
    /// It cannot be written as TOML.
    #[error("the deployment cannot be written: {reason}")]
    Unwritable {
        /// Why not.
        reason: String,
    },
}

impl Settings {
    /// Reads a deployment file. Relative paths in it are relative to its folder.
    pub fn load(path: &Path) -> Result<Settings, PlanError> {
        let text = read(path).map_err(|source| PlanError::File { path: path.into(), source })?;
        let mut settings = parse(path, &text)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for path in settings.paths() {
            *path = folder.join(&*path);
        }
        Ok(settings)
    }

    fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let own = [&mut self.files, &mut self.loaders, &mut self.lease_file, &mut self.state_dir];
        let sheet = self.job_sheet.as_mut().filter(|said| !records::is_off(said));
        own.into_iter().flatten().chain(sheet).chain(&mut self.image).chain(self.answers.paths())
    }
}

/// Saves a deployment, with absolute paths. What is at this place is replaced in one step, so that a power cut leaves
/// the old or the new file; a file that is not understood is never replaced.
pub fn save(path: &Path, settings: &Settings) -> Result<(), SaveError> {
    let text = format!("{HEADER}{}", written(settings.clone())?);
    match Settings::load(path) {
        Ok(_) => {}
        Err(PlanError::File { source, .. }) if source.kind() == ErrorKind::NotFound => {}
        Err(PlanError::File { source, .. }) if !is_content(source.kind()) => {
            return Err(SaveError::Write { path: path.into(), source });
        }
        Err(_) => return Err(SaveError::WouldLose { path: path.into() }),
    }
    replace(path, &text)
}

/// Whether an error of reading speaks of what is in the file.
fn is_content(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::InvalidData | ErrorKind::FileTooLarge)
}

fn written(mut settings: Settings) -> Result<String, SaveError> {
    settings.version = Some(settings.version.map_or(VERSION, |version| version.max(VERSION)));
    for path in settings.paths() {
        *path = std::path::absolute(&*path).unwrap_or_else(|_| path.clone());
        if path.to_str().is_none() {
            return Err(SaveError::NotText { path: path.clone() });
        }
    }
    toml::to_string_pretty(&settings).map_err(|error| SaveError::Unwritable { reason: error.to_string() })
}

/// Puts a text at a path, whole or not at all. Its folder is made if need be.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), SaveError> {
    let failed = |source| SaveError::Write { path: path.into(), source };
    // Where the path is a link, the file that it names is replaced, not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    let beside = beside(&path);
    let placed = fill(&beside, text).and_then(|()| fs::rename(&beside, &path));
    if placed.is_err() {
        // What is left of it is of no use; if it cannot be removed either, there is no more to do.
        let _ = fs::remove_file(&beside);
    }
    placed.map_err(failed)?;
    // The new name outlives a power cut as well. Windows opens no folders, and needs nothing of the kind.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// A hidden name in the same folder that nobody else uses.
fn beside(path: &Path) -> PathBuf {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    path.with_file_name(format!(".bootwright-{}-{}.new", std::process::id(), now.as_nanos()))
}

fn fill(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    // A deployment may have passwords among its variables (SECURITY S19).
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

pub(super) fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_SIZE {
        return Err(ErrorKind::FileTooLarge.into());
    }
    String::from_utf8(bytes).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

fn parse(path: &Path, text: &str) -> Result<Settings, PlanError> {
    let syntax = |reason| PlanError::Syntax { path: path.into(), reason };
    // Version first: a newer file may say what is known here in a way that is not.
    let version = toml::from_str::<toml::Table>(text).ok().and_then(|table| table.get("version")?.as_integer());
    let newer = version.and_then(|version| u32::try_from(version).ok()).filter(|&version| version > VERSION);
    let settings: Settings = toml::from_str(text).map_err(|error| match newer {
        Some(version) => PlanError::Newer { path: path.into(), version },
        None => syntax(reason(text, &error)),
    })?;
    match misspelt(text, &settings) {
        Some(reason) if newer.is_none() => Err(syntax(reason)),
        _ => Ok(settings),
    }
}

/// Line and cause, without the drawing that toml makes for terminals.
fn reason(text: &str, error: &toml::de::Error) -> String {
    let cause = error.message().trim().replace('\n', ", ");
    error.span().map_or(cause.clone(), |span| at_line(text, span.start, &cause))
}

fn at_line(text: &str, offset: usize, cause: &str) -> String {
    let lines = text.bytes().take(offset).filter(|&byte| byte == b'\n').count();
    format!("line {}: {cause}", lines + 1)
}

/// The first word that is not known, with its line.
fn misspelt(text: &str, settings: &Settings) -> Option<String> {
    let file = DeTable::parse(text).ok()?;
    let words = |table: &DeTable<'_>, unknown: &toml::Table| {
        let unknown = table.keys().filter(|word| unknown.contains_key(word.get_ref().as_ref()));
        unknown.map(|word| (word.span().start, word.get_ref().to_string())).collect::<Vec<_>>()
    };
    let mut found = words(file.get_ref(), &settings.unknown.0);
    let tables = file.get_ref().get("entry").and_then(|entry| entry.get_ref().as_array());
    for (table, Edit { unknown, .. }) in tables.into_iter().flatten().zip(&settings.entry) {
        found.extend(table.get_ref().as_table().into_iter().flat_map(|table| words(table, &unknown.0)));
    }
    if let Some(answers) = file.get_ref().get("answers").and_then(|answers| answers.get_ref().as_table()) {
        found.extend(words(answers, &settings.answers.unknown.0));
        let computers = answers.get("computer").and_then(|computers| computers.get_ref().as_array());
        for (table, computer) in computers.into_iter().flatten().zip(&settings.answers.computer) {
            let table = table.get_ref().as_table();
            found.extend(table.into_iter().flat_map(|table| words(table, &computer.unknown.0)));
        }
    }
    let (offset, word) = found.into_iter().min()?;
    Some(at_line(text, offset, &format!("unknown word `{word}`")))
}

/// People write a single image without brackets.
pub(super) fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "image is a file name or a list of file names")]
    enum Images {
        One(PathBuf),
        More(Vec<PathBuf>),
    }
    Ok(match Images::deserialize(deserializer)? {
        Images::One(path) => vec![path],
        Images::More(paths) => paths,
    })
}

/// And a position without quotes.
pub(super) fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "default is local, an entry's id or its position")]
    enum Choice {
        Text(String),
        Number(u32),
    }
    Ok(Some(match Choice::deserialize(deserializer)? {
        Choice::Text(text) => text,
        Choice::Number(number) => number.to_string(),
    }))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::boot::loader::Preference;
    use crate::deployment::{DhcpMode, Firewall, LogForm, Switch};

    /// A folder with a file `x.toml` of this text.
    fn saved(text: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.toml");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    /// Everything that can be said.
    fn all() -> Settings {
        Settings {
            version: Some(1),
            interface: Some("eth0".into()),
            dhcp: Some(DhcpMode::Full),
            range: Some("10.77.0.100-10.77.0.199".into()),
            router_advertisement: Some(Switch::Off),
            probe: Some(Switch::Off),
            beside: vec![Ipv4Addr::new(192, 168, 1, 1)],
            image: vec!["/isos/debian-live-12.iso".into(), "/isos/Büro \"neu\".iso".into()],
            default_entry: Some("debian-live".into()),
            menu_timeout: Some(10),
            files: Some("/srv/files".into()),
            append: Some("console=ttyS0".into()),
            loader: Some(Preference::Auto),
            loaders: Some("/srv/loaders".into()),
            http_port: Some(8000),
            lease_file: Some("/srv/leases.json".into()),
            state_dir: Some("/srv/state".into()),
            allow: vec!["52:54:00:77:01:01".parse().unwrap()],
            deny: vec!["52:54:00:77:01:02".parse().unwrap()],
            ask_first: Some(true),
            duration: Some("2h".into()),
            log: Some(LogForm::Text),
            firewall: None,
            job_sheet: None,
            operator: None,
            entry: vec![
                Edit { title: Some("For the lab".into()), append: Some("toram".into()), ..Edit::of("debian-live") },
                Edit { hidden: true, ..Edit::of("debian-live-failsafe") },
            ],
            once: Vec::new(),
            answers: Default::default(),
            unknown: Default::default(),
        }
    }

    #[test]
    fn files_of_every_release_open() {
        let v1 = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/deployments/v1-everything.toml");
        assert_eq!(Settings::load(Path::new(v1)).expect("readable"), all());
        let v1 = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/deployments/v1-short.toml");
        let short = Settings::load(Path::new(v1)).expect("readable");
        let image = Path::new(v1).with_file_name("debian-live-12.iso");
        let expected = Settings { default_entry: Some("1".into()), image: vec![image], ..Settings::default() };
        assert_eq!(short, Settings { interface: Some("eth0".into()), ..expected });
    }

    #[test]
    fn what_is_saved_comes_back_and_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/folder/x.toml");
        save(&path, &all()).unwrap();
        assert_eq!(Settings::load(&path).unwrap(), all());
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text, include_str!("../../tests/golden/deployment.toml"));
        save(&path, &Settings { interface: Some("eth1".into()), ..Settings::default() }).unwrap();
        let short = fs::read_to_string(&path).unwrap();
        assert_eq!(short, format!("{HEADER}version = 1\ninterface = \"eth1\"\n"));
        let open = Settings { firewall: Some(Firewall::Open), ..all() };
        save(&path, &open).unwrap();
        assert_eq!(Settings::load(&path).unwrap(), open);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left behind");
    }

    #[test]
    fn what_stands_before_an_entry_is_saved_and_a_password_only_as_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.toml");
        let text = "[[entry]]\nid = 'a'\nonce = true\n\n[[entry]]\nid = 'b'\npassword-hash = '$argon2id$v=19'\n";
        fs::write(&path, text).unwrap();
        let settings = Settings::load(&path).unwrap();
        assert!(settings.entry[0].once && settings.entry[0].password_hash.is_none() && !settings.entry[1].once);
        assert_eq!(settings.entry[1].password_hash.as_ref().map(|hash| hash.as_str()), Some("$argon2id$v=19"));
        save(&path, &settings).unwrap();
        assert_eq!(Settings::load(&path).unwrap().entry, settings.entry);
        assert!(!format!("{settings:?}").contains("argon2id"), "not into any log");
    }

    #[test]
    fn the_job_sheet_is_a_folder_or_off() {
        let (_folder, path) = saved("");
        let here = std::env::current_dir().unwrap().join("sheets");
        for (said, expected) in [("sheets", here.as_path()), ("off", Path::new("off"))] {
            let operator = Some("Ann".to_owned());
            save(&path, &Settings { job_sheet: Some(said.into()), operator: operator.clone(), ..Settings::default() })
                .unwrap();
            let loaded = Settings::load(&path).unwrap();
            assert_eq!((loaded.job_sheet.as_deref(), loaded.operator), (Some(expected), operator));
        }
    }

    #[test]
    fn paths_are_saved_absolute() {
        let (_folder, path) = saved("");
        let image = vec!["relative.iso".into()];
        save(&path, &Settings { image, ..Settings::default() }).unwrap();
        let expected = std::env::current_dir().unwrap().join("relative.iso");
        assert_eq!(Settings::load(&path).unwrap().image, [expected]);
    }

    #[test]
    fn what_a_newer_program_wrote_is_kept() {
        let text = "version = 9\ninterface = 'eth0'\nsounds = 'x'\nreleased = 2031-05-06\n\n[[entry]]\nid = 'arch'\n\
                    password = { kind = 'sha512', rounds = 5.5 }\n\n[rollout]\nwaves = [1, 2]\n";
        let (_folder, path) = saved(text);
        let mut settings = Settings::load(&path).expect("readable");
        assert!(settings.is_newer() && !all().is_newer());
        settings.interface = Some("eth1".into());
        save(&path, &settings).unwrap();
        let written: toml::Table = toml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let expected: toml::Table = toml::from_str(&text.replace("eth0", "eth1")).unwrap();
        assert_eq!(written, expected);
        assert_eq!(Settings::load(&path).unwrap(), settings);
    }

    #[test]
    fn a_broken_file_is_told() {
        let load = |text: &str| Settings::load(&saved(text).1).unwrap_err();
        let mistakes = [
            ("interface = ", "line 1: "),
            ("\ndhcp = 'x'", "line 2: "),
            ("interfacce = 'x'", "line 1: unknown word `interfacce`"),
            ("[answers]\nlists = 'x'", "line 2: unknown word `lists`"),
            ("[[answers.computer]]\nfile = 'x'\nmacc = 'x'", "line 3: unknown word `macc`"),
            ("version = 1\nlog = 'text'\n[sounds]\n", "line 3: unknown word `sounds`"),
            ("\n[[entry]]\nid = 'x'\n[[entry]]\nid = 'y'\ntittle = 'Z'\n", "line 6: unknown word `tittle`"),
            ("[[entry]]\ntitle = 'Z'\n", "line 1: missing field `id`"),
            ("version = 'x'", "line 1: "),
        ];
        for (text, expected) in mistakes {
            let error = load(text);
            assert!(matches!(&error, PlanError::Syntax { reason, .. } if reason.starts_with(expected)), "{error}");
        }
        assert!(matches!(load("version = 9\ndhcp = 'both'"), PlanError::Newer { version: 9, .. }));
        assert!(matches!(Settings::load(Path::new("/nonexistent.toml")), Err(PlanError::File { .. })));
        let (_folder, large) = saved(vec![b'#'; 2 << 20]);
        let error = Settings::load(&large).unwrap_err();
        assert!(matches!(error, PlanError::File { source, .. } if source.kind() == ErrorKind::FileTooLarge));
    }

    #[test]
    fn a_file_that_is_not_understood_is_not_replaced() {
        let not_utf8: &[u8] = b"\xff\xfe";
        let contents =
            ["interface = ", "interfacce = 'x'", "my notes", "version = 9\ndhcp = 'both'"].map(str::as_bytes);
        for content in contents.into_iter().chain([not_utf8]) {
            let (_folder, path) = saved(content);
            let error = save(&path, &all()).unwrap_err();
            assert!(matches!(error, SaveError::WouldLose { .. }), "{error}");
            assert_eq!(fs::read(&path).unwrap(), content);
        }
        let (folder, _) = saved("");
        assert!(matches!(save(folder.path(), &all()), Err(SaveError::Write { .. })), "a folder");
        assert!(matches!(save(Path::new("/proc/nowhere/x.toml"), &all()), Err(SaveError::Write { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_no_text_is_named_and_a_link_stays_one() {
        use std::os::unix::ffi::OsStrExt;
        let odd = PathBuf::from(std::ffi::OsStr::from_bytes(b"/isos/\xff.iso"));
        let (folder, path) = saved("log = 'text'");
        let error = save(&path, &Settings { image: vec![odd.clone()], ..all() }).unwrap_err();
        assert!(matches!(error, SaveError::NotText { path } if path == odd));
        assert_eq!(fs::read_to_string(&path).unwrap(), "log = 'text'");
        let link = folder.path().join("link.toml");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        save(&link, &all()).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(Settings::load(&path).unwrap(), all());
    }
}
