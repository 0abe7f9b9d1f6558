//! The job sheet on disk: a file for each day in one folder, to which lines are only ever added.
//!
//! Several programs may add to it: the services, the window, `bootwright jobs`. Each line goes out in one piece. Nothing
//! here keeps services from running: what cannot be written is told, and tried again with the next line.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use tokio::task::JoinHandle;

use crate::boot::menu::{self, Menu};
use crate::image::{Inspection, checksum, file_name};
use crate::journal::Note;
use crate::journal::job::{Book, Catalogue, Entry, Image, Job, Line};
use crate::text;

/// Jobs that may wait for the disk; those beyond are written with their next change.
const WAITING: usize = 4096;
/// How long what was written may wait in the system's memory before it is forced to the disk. What a power cut loses.
const SYNC: Duration = Duration::from_secs(1);
/// Days that are kept.
const DAYS: usize = 400;
/// Most bytes of all days; the oldest days go.
const MAX_BYTES: u64 = 64 << 20;
/// Most bytes of one day: about 20,000 boots.
const MAX_DAY: u64 = 16 << 20;

/// Reads all jobs of a folder. One that is not there has none.
///
/// # Errors
/// The folder or a file in it cannot be read.
pub fn read(folder: &Path) -> io::Result<Book> {
    let mut book = Book::default();
    for path in days(folder)?.into_values() {
        let mut bytes = Vec::new();
        // A day is closed before it is twice as long.
        File::open(path)?.take(2 * MAX_DAY).read_to_end(&mut bytes)?;
        book.read(&String::from_utf8_lossy(&bytes));
    }
    Ok(book)
}

/// Adds a line from outside the services, and waits until it is on the disk.
///
/// # Errors
/// It cannot be written.
pub fn add(folder: &Path, line: &Line) -> io::Result<()> {
    let mut day = Day::open(folder, today())?;
    day.add(line)?;
    day.file.sync_data()
}

/// What is served, as jobs tell it. May wait for a disk, for the checksums that are known.
pub fn catalogue(inspections: &[Inspection], menu: &Menu, checksums: Option<&Path>) -> Catalogue {
    // Checksums that cannot be read are those that are not known.
    let kept = checksums.and_then(|file| checksum::kept::Kept::load(file).ok());
    let image = |inspection: &Inspection| {
        let found = kept.as_ref().and_then(|kept| kept.find(&inspection.path)).map(|outcome| outcome.found);
        Image {
            file: text::plain(&file_name(&inspection.path), 200),
            title: text::plain(&inspection.title(), 200),
            checksum: found.map(|digest| format!("{} {}", digest.algorithm().name(), checksum::hex(&digest))),
        }
    };
    let entry = |item: &menu::Item| Entry {
        id: item.id.clone(),
        title: item.entry.title.clone(),
        image: item.image.clone(),
        files: item.entry.kernel.iter().chain(&item.entry.initrd).cloned().collect(),
    };
    let images = menu::image_ids(inspections).into_iter().zip(inspections.iter().map(image)).collect();
    Catalogue { images, entries: menu.items.iter().map(entry).collect() }
}

fn today() -> civil::Date {
    Timestamp::now().to_zoned(TimeZone::system()).date()
}

/// The files of a folder by their days.
fn days(folder: &Path) -> io::Result<BTreeMap<civil::Date, PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(error),
    };
    let mut days = BTreeMap::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let date = name.strip_prefix("jobs-").and_then(|rest| rest.strip_suffix(".jsonl"));
        if let Some(date) = date.and_then(|date| date.parse().ok()) {
            days.insert(date, path);
        }
    }
    Ok(days)
}

/// The file of one day, open to be added to.
#[derive(Debug)]
struct Day {
    date: civil::Date,
    file: File,
    length: u64,
}

impl Day {
    /// Opens it, and removes days that are too many.
    fn open(folder: &Path, date: civil::Date) -> io::Result<Day> {
        fs::create_dir_all(folder)?;
        let path = folder.join(format!("jobs-{date}.jsonl"));
        let begins = !path.exists();
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path)?;
        let length = file.seek(SeekFrom::End(0))?;
        let mut day = Day { date, file, length };
        if length > 0 && !day.ends_whole()? {
            // A line that was half written when the power went stays as it is, on a line of its own.
            day.write(b"\n")?;
        }
        if begins {
            // Who is there goes over to the next day.
            let operator = read(folder)?.operator().map(|name| Line::operator(name, Timestamp::now()));
            operator.map(|line| day.add(&line)).transpose()?;
            remove_old(folder)?;
        }
        Ok(day)
    }

    fn ends_whole(&mut self) -> io::Result<bool> {
        let mut last = [0];
        self.file.seek(SeekFrom::End(-1))?;
        self.file.read_exact(&mut last)?;
        Ok(last == *b"\n")
    }

    fn add(&mut self, line: &Line) -> io::Result<()> {
        if self.length > MAX_DAY {
            let full = format!("the file of {} has {} MB already", self.date, MAX_DAY >> 20);
            return Err(io::Error::new(io::ErrorKind::StorageFull, full));
        }
        self.write(line.json().as_bytes())
    }

    /// In one piece, so that lines of several programs do not mix.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }
}

/// Keeps the latest days within their bounds.
fn remove_old(folder: &Path) -> io::Result<()> {
    let (mut count, mut bytes) = (0, 0);
    for path in days(folder)?.into_values().rev() {
        count += 1;
        bytes += fs::metadata(&path)?.len();
        if count > DAYS || (bytes > MAX_BYTES && count > 1) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Writes jobs in the background.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: SyncSender<Job>,
    task: JoinHandle<()>,
    trouble: Arc<Mutex<Option<Note>>>,
}

impl Writer {
    /// Begins in a folder, for whoever is there.
    pub(super) fn start(folder: PathBuf, operator: Option<String>) -> Writer {
        let (jobs, waiting) = sync_channel(WAITING);
        let trouble = Arc::new(Mutex::new(None));
        let told = Arc::clone(&trouble);
        let task = tokio::task::spawn_blocking(move || {
            Keeper { folder, day: None, told, broken: None }.run(&waiting, operator)
        });
        Writer { jobs, task, trouble }
    }

    pub(super) fn write(&self, job: Job) {
        // Where the disk does not follow, a job is written when it changes next.
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = self.jobs.try_send(job) {}
    }

    /// What is to be told about writing, once.
    pub(super) fn trouble(&self) -> Option<Note> {
        self.trouble.lock().ok()?.take()
    }

    /// Waits until everything is on the disk.
    pub(super) async fn finish(self) {
        drop(self.jobs);
        let _ = self.task.await;
    }
}

/// What the writer's thread has.
struct Keeper {
    folder: PathBuf,
    day: Option<Day>,
    told: Arc<Mutex<Option<Note>>>,
    /// What did not work last.
    broken: Option<String>,
}

impl Keeper {
    fn run(mut self, jobs: &Receiver<Job>, operator: Option<String>) {
        if let Some(name) = operator {
            self.add(&Line::operator(&name, Timestamp::now()));
        }
        let mut dirty: Option<Instant> = None;
        loop {
            let left = dirty.map(|since| SYNC.saturating_sub(since.elapsed()));
            let next = match left {
                Some(left) => jobs.recv_timeout(left),
                None => jobs.recv().map_err(RecvTimeoutError::from),
            };
            match next {
                Ok(job) => {
                    self.add(&Line::Job(Box::new(job)));
                    dirty = dirty.or(Some(Instant::now()));
                }
                Err(end) => {
                    let synced = self.day.as_ref().map_or(Ok(()), |day| day.file.sync_data());
                    self.look(synced);
                    dirty = None;
                    if end == RecvTimeoutError::Disconnected {
                        return;
                    }
                }
            }
        }
    }

    fn add(&mut self, line: &Line) {
        let added = self.day().and_then(|day| day.add(line));
        self.look(added);
    }

    fn day(&mut self) -> io::Result<&mut Day> {
        let date = today();
        let open = match self.day.take().filter(|day| day.date == date) {
            Some(day) => day,
            None => Day::open(&self.folder, date)?,
        };
        Ok(self.day.insert(open))
    }

    /// What does not work is told once, until it works again.
    fn look(&mut self, done: io::Result<()>) {
        let Err(error) = done else {
            self.broken = None;
            return;
        };
        let reason = error.to_string();
        if self.broken.as_ref() != Some(&reason) {
            let path = self.folder.display().to_string();
            if let Ok(mut told) = self.told.lock() {
                *told = Some(Note::JobsNotWritten { path, reason: reason.clone() });
            }
            self.broken = Some(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::job::{Outcome, Sheet};
    use crate::journal::{Event, Stage, What};
    use crate::mac::Mac;

    const MAC: Mac = Mac([0x52, 0x54, 0, 0x77, 1, 1]);

    fn job(second: i64) -> Job {
        let note = Note::AnswerRefused { reason: String::new() };
        let time = Timestamp::from_second(second).unwrap();
        let menu = Note::Menu { platform: None, uuid: None, product: Some("Bench".into()), memory_mb: None };
        let mut sheet = Sheet::default();
        let event = |note| Event { time, mac: Some(MAC), ip: None, role: None, what: What::Service(note) };
        sheet.hear(&event(note));
        sheet.hear(&event(menu)).pop().unwrap()
    }

    fn seen(folder: &Path) -> Vec<(i64, Outcome)> {
        read(folder).unwrap().jobs().map(|job| (job.began.as_second(), job.result)).collect()
    }

    #[test]
    fn jobs_come_back_and_a_half_written_line_costs_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("new/jobs");
        assert!(seen(&place).is_empty());
        let line = |job: Job| Line::Job(Box::new(job));
        add(&place, &line(job(100))).unwrap();
        add(&place, &line(Job { result: Outcome::Menu, ..job(100) })).unwrap();
        let file = days(&place).unwrap().into_values().next().unwrap();
        let half = line(job(200)).json();
        OpenOptions::new().append(true).open(&file).unwrap().write_all(&half.as_bytes()[..half.len() / 2]).unwrap();
        assert_eq!(seen(&place), [(100, Outcome::Menu)]);
        add(&place, &line(job(300))).unwrap();
        assert_eq!(seen(&place), [(100, Outcome::Menu), (300, Outcome::Open)]);
        assert_eq!(read(&place).unwrap().unreadable, 1);
    }

    #[test]
    fn the_writer_writes_at_once_and_tells_what_does_not_work() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let (good, bad) = (folder.path().join("jobs"), folder.path().join("file/jobs"));
        fs::write(folder.path().join("file"), "").unwrap();
        runtime.block_on(async {
            let writer = Writer::start(good.clone(), Some("Ann".into()));
            writer.write(job(100));
            while seen(&good).is_empty() {
                tokio::task::yield_now().await;
            }
            assert_eq!(writer.trouble(), None);
            writer.finish().await;
            let writer = Writer::start(bad, None);
            writer.write(job(100));
            writer.write(job(200));
            let trouble = loop {
                match writer.trouble() {
                    Some(trouble) => break trouble,
                    None => tokio::task::yield_now().await,
                }
            };
            assert!(matches!(trouble, Note::JobsNotWritten { .. }), "{trouble:?}");
            let told = Arc::clone(&writer.trouble);
            writer.finish().await;
            assert_eq!(*told.lock().unwrap(), None, "the same is told once");
        });
        let book = read(&good).unwrap();
        assert_eq!((book.operator(), book.jobs().next().unwrap().stage), (Some("Ann"), Stage::Menu));
        assert_eq!(book.jobs().next().unwrap().operator.as_deref(), Some("Ann"));
    }

    #[test]
    fn old_days_go_and_who_is_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let first: civil::Date = "2020-01-01".parse().unwrap();
        for number in 0..450 {
            let date = first.checked_add(jiff::Span::new().days(number)).unwrap();
            let mut day = format!("{}\n", "x".repeat(100));
            if number == 449 {
                day = Line::operator("Ann", Timestamp::UNIX_EPOCH).json();
            }
            fs::write(folder.path().join(format!("jobs-{date}.jsonl")), day).unwrap();
        }
        fs::write(folder.path().join("jobs-mine.jsonl"), "").unwrap();
        add(folder.path(), &Line::note("x", "y")).unwrap();
        assert_eq!(days(folder.path()).unwrap().len(), DAYS);
        assert!(folder.path().join("jobs-mine.jsonl").exists());
        let newest = days(folder.path()).unwrap().pop_last().unwrap().1;
        assert!(fs::read_to_string(newest).unwrap().contains("Ann"));
        let large = folder.path().join("jobs-2021-01-01.jsonl");
        OpenOptions::new().write(true).create(true).truncate(true).open(large).unwrap().set_len(MAX_BYTES).unwrap();
        remove_old(folder.path()).unwrap();
        let left = days(folder.path()).unwrap();
        assert!(left.first_key_value().unwrap().0 > &"2021-01-01".parse().unwrap(), "{left:?}");
    }

    #[test]
    fn a_day_that_is_full_is_said_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let mut day = Day::open(folder.path(), today()).unwrap();
        day.length = MAX_DAY + 1;
        let error = day.add(&Line::note("x", "y")).unwrap_err();
        assert!(error.to_string().contains("16 MB"), "{error}");
    }
}
