//! The doors from the window to the rest of the house: this machine as it is, or one that is described in a file.
//!
//! Everything that may wait lives behind these doors and runs beside the window.

use std::hash::{Hash, Hasher};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, Stream, StreamExt};
use iced::futures::channel::mpsc;
use iced::futures::stream::BoxStream;
use iced::{Subscription, stream};

use crate::answer::{self, AnswerError, Answers};
use crate::app::demo::Machine;
use crate::app::screen::check::rehearsal::Rehearsal;
use crate::app::screen::menu::answers;
use crate::boot::loader::manifest::Manifest;
use crate::boot::loader::{Loader, Loaders};
use crate::check::preflight::Facts;
use crate::deployment::{Library, Places, Plan, Settings};
use crate::engine::control::Request;
use crate::engine::probe::{self, Probe};
use crate::engine::{self, Update, jobs};
use crate::image::checksum::kept::Key;
use crate::image::checksum::{self, Expected, Known, Verdict};
use crate::image::{self, DiscError, Inspection};
use crate::journal::Event;
use crate::journal::job::{Book, Line};
use crate::look;
use crate::net::privilege::{self, Grant, PrivilegeError};
use crate::net::service::{self, Stopped};
use crate::net::socket::Sockets;
use crate::net::{Interface, interface};
use crate::rehearsal::{self, Firmware};

/// How often the interfaces are looked at while the window is open.
const LOOK: Duration = Duration::from_secs(2);
/// How long events are gathered before the window is drawn with them.
const CALM: Duration = Duration::from_millis(200);
/// A dialog that is gone sooner was never there.
const NO_DIALOG: Duration = Duration::from_millis(300);
/// Most files that are taken out of one folder.
const MOST_OF_A_FOLDER: usize = 200;

/// Where the window gets everything from.
#[derive(Clone, Debug)]
pub enum World {
    /// This machine.
    Real(Arc<Places>),
    /// A described one, for demonstrations and tests: it opens no socket and needs no rights.
    Described(Arc<Machine>),
}

/// What came of a question to the system's file dialog.
#[derive(Clone, Debug)]
pub enum Chosen<T> {
    /// This.
    Some(T),
    /// Nothing: the person closed it.
    None,
    /// No dialog could be shown.
    NoDialog,
}

/// What ends running services.
#[derive(Debug)]
pub enum Stopper {
    /// The real ones.
    Engine(engine::Control),
    /// Played ones.
    Player(tokio::sync::oneshot::Sender<()>),
}

impl Stopper {
    /// Asks them to end; the stream of updates ends when they have.
    pub fn stop(self) {
        match self {
            Stopper::Engine(control) => control.stop(),
            // It may have ended by itself.
            Stopper::Player(stopper) => drop(stopper.send(())),
        }
    }

    /// Asks them for something whose answer nobody waits for; what comes of it is told with all else.
    pub fn tell(&self, request: Request) {
        match self {
            Stopper::Engine(control) => control.tell(request),
            // Computers that are only played do as they did when they were recorded.
            Stopper::Player(_) => {}
        }
    }

    /// The packets that pass; played ones have none.
    pub fn trace(&self) -> Option<engine::Trace> {
        match self {
            Stopper::Engine(control) => Some(control.trace().clone()),
            Stopper::Player(_) => None,
        }
    }
}

/// How far a comparison of checksums is.
#[derive(Clone, Debug)]
pub enum Comparing {
    /// So many bytes of so many.
    Read(u64, u64),
    /// Compared.
    Done(Verdict),
    /// The image could not be read.
    Failed(String),
}

impl World {
    /// This user's saved deployments; a described machine has none.
    pub fn library(&self) -> Option<Library> {
        match self {
            World::Real(places) => Some(Library::new(places.state.clone(), places.data.clone())),
            World::Described(_) => None,
        }
    }

    /// Where the window's preferences are kept.
    pub fn state(&self) -> Option<&Path> {
        match self {
            World::Real(places) => Some(&places.state),
            World::Described(_) => None,
        }
    }

    /// Where things are, for plans.
    pub fn places(&self) -> Places {
        match self {
            World::Real(places) => (**places).clone(),
            World::Described(machine) => machine.places(),
        }
    }

    /// The boot loaders that a deployment would use.
    pub fn loaders(&self, draft: &Settings) -> Loaders {
        match self {
            World::Real(places) => Loaders::find(&look::loader_folders(draft, places)),
            World::Described(_) => Loaders::of(Loader::OF_DEBIAN),
        }
    }

    /// Where the boot loaders come from.
    pub fn manifest(&self) -> Manifest {
        Manifest::find(&self.places().loaders)
    }

    /// The interfaces now.
    pub fn interfaces(&self) -> Vec<Interface> {
        match self {
            World::Real(_) => interface::list(),
            World::Described(machine) => machine.interfaces.clone(),
        }
    }

    /// The interfaces whenever they changed.
    pub fn interface_changes(&self) -> Subscription<Vec<Interface>> {
        match self {
            World::Real(_) => Subscription::run(watch_interfaces),
            World::Described(_) => Subscription::none(),
        }
    }

    /// Asks an interface's network for DHCP servers.
    pub async fn probe(self, interface: Interface) -> Probe {
        match self {
            World::Real(_) => probe::other_servers(&interface, probe::PATIENCE).await,
            World::Described(machine) => machine.probe(),
        }
    }

    /// Says what a file is.
    pub async fn inspect(self, path: PathBuf) -> Result<Arc<Inspection>, Arc<DiscError>> {
        match self {
            World::Real(_) => {
                let named = path.clone();
                let work = blocking(move || image::inspect(&path).map(|(_, inspection)| Arc::new(inspection))).await;
                let lost = |source| DiscError::Open { path: named, source };
                work.map_err(|error| Arc::new(lost(std::io::Error::other(error))))?.map_err(Arc::new)
            }
            World::Described(machine) => machine.inspect(&path),
        }
    }

    /// What is known of an image's checksum before it is compared.
    pub async fn known_checksum(self, path: PathBuf) -> Known {
        match self {
            World::Real(places) => {
                let kept = places.checksums();
                blocking(move || checksum::known(&path, &kept)).await.unwrap_or(Known::Nothing)
            }
            World::Described(_) => Known::Nothing,
        }
    }

    /// Reads and checks the answer files of a deployment.
    pub async fn read_answers(self, settings: answer::Settings) -> Option<Result<Answers, AnswerError>> {
        blocking(move || Answers::load(&settings)).await.ok()
    }

    /// Fills an entry's answer file in for the computer at this place of the list.
    pub async fn fill_in(self, read: answers::Read, entry: String, at: usize) -> answers::Shown {
        let filled = blocking(move || answers::Shown::of(&read, &entry, at)).await;
        filled.unwrap_or_else(answers::Shown::broken)
    }

    /// Lets the person choose an answer file or a list of computers.
    pub async fn choose_file(self, title: &'static str) -> Chosen<PathBuf> {
        if let World::Described(_) = self {
            return Chosen::NoDialog;
        }
        let began = Instant::now();
        match rfd::AsyncFileDialog::new().set_title(title).pick_file().await {
            Some(file) => Chosen::Some(file.path().to_path_buf()),
            None if began.elapsed() < NO_DIALOG => Chosen::NoDialog,
            None => Chosen::None,
        }
    }

    /// Compares an image with its checksum. Ends when the stream is dropped.
    pub fn compare(&self, path: PathBuf, expected: Expected) -> impl Stream<Item = Comparing> + use<> {
        let kept = match self {
            World::Real(places) => Some(places.checksums()),
            World::Described(_) => None,
        };
        stream::channel(4, move |sender: mpsc::Sender<Comparing>| async move {
            let _ = tokio::task::spawn_blocking(move || compare(&path, &expected, kept.as_deref(), sender)).await;
        })
    }

    /// Lets the person choose image files.
    pub async fn choose_images(self) -> Chosen<Vec<PathBuf>> {
        if let World::Described(machine) = self {
            return Chosen::Some(machine.files());
        }
        let began = Instant::now();
        let dialog =
            rfd::AsyncFileDialog::new().set_title("Choose ISO files").add_filter("Disc images", &["iso", "ISO", "img"]);
        match dialog.pick_files().await {
            Some(files) => Chosen::Some(files.into_iter().map(|file| file.path().to_path_buf()).collect()),
            None if began.elapsed() < NO_DIALOG => Chosen::NoDialog,
            None => Chosen::None,
        }
    }

    /// Lets the person choose where a text goes, and writes it there. Where no dialog can be shown it goes into the
    /// user's state folder. Returns where it is.
    pub async fn save_text(self, name: String, text: String) -> Result<Option<PathBuf>, String> {
        self.save(name, text.into_bytes()).await
    }

    /// The same for any bytes.
    pub async fn save(self, name: String, bytes: Vec<u8>) -> Result<Option<PathBuf>, String> {
        let World::Real(places) = self else { return Err("A demonstration saves nothing".to_owned()) };
        let began = Instant::now();
        let picked = rfd::AsyncFileDialog::new().set_title("Save").set_file_name(&name).save_file().await;
        let path = match picked {
            Some(file) => file.path().to_path_buf(),
            None if began.elapsed() < NO_DIALOG => places.state.join("reports").join(&name),
            None => return Ok(None),
        };
        let written = path.clone();
        let work = blocking(move || {
            written.parent().map(std::fs::create_dir_all).transpose()?;
            std::fs::write(&written, bytes)
        });
        match work.await {
            Ok(Ok(())) => Ok(Some(path)),
            Ok(Err(error)) => Err(format!("{} cannot be written ({error}).", path.display())),
            Err(error) => Err(error),
        }
    }

    /// Reads the job sheet in a folder.
    pub async fn read_jobs(self, folder: PathBuf) -> Result<Arc<Book>, String> {
        let shown = folder.display().to_string();
        let read = blocking(move || jobs::read(&folder)).await?;
        read.map(Arc::new).map_err(|error| format!("The job sheet in {shown} cannot be read ({error})."))
    }

    /// Adds a line to the job sheet in a folder, and reads it.
    pub async fn write_job(self, folder: PathBuf, line: Line) -> Result<Arc<Book>, String> {
        let (place, shown) = (folder.clone(), folder.display().to_string());
        let written = blocking(move || jobs::add(&place, &line)).await?;
        written.map_err(|error| format!("The job sheet in {shown} cannot be written ({error})."))?;
        self.read_jobs(folder).await
    }

    /// Image files among what was dropped or typed: folders are looked into, one level deep.
    pub async fn files_of(self, paths: Vec<PathBuf>) -> Vec<PathBuf> {
        match self {
            World::Real(_) => blocking(move || paths.into_iter().flat_map(unfold).collect()).await.unwrap_or_default(),
            World::Described(_) => paths,
        }
    }

    /// Everything that the checks judge, as it is now.
    pub async fn facts(self, draft: Settings, probe: Option<Probe>) -> Result<Facts, String> {
        match self {
            World::Real(places) => look::facts((*places).clone(), draft, probe).await,
            World::Described(machine) => Ok(machine.facts(draft)),
        }
    }

    /// Rehearses what this plan would serve, inside this process. Ends when the stream is dropped.
    pub fn rehearse(&self, plan: Plan) -> impl Stream<Item = Rehearsal> + use<> {
        let world = self.clone();
        stream::channel(16, move |mut sender: mpsc::Sender<Rehearsal>| async move {
            let last = match world {
                World::Real(_) => rehearse(plan, sender.clone()).await,
                World::Described(machine) => {
                    let report = machine.rehearsal(&plan);
                    Rehearsal::Over(Box::new(plan), Box::new(report))
                }
            };
            // A window that is gone does not want to know.
            let _ = sender.send(last).await;
        })
    }

    /// Whether the ports can be opened, or a helper has to.
    pub fn rights(&self, interface: &Interface, request: &privilege::Request) -> privilege::Rights {
        match self {
            World::Real(_) => privilege::rights(interface, request.own, &request.ports()),
            World::Described(_) => privilege::Rights::Present,
        }
    }

    /// Lets the helper open the ports, which asks for the password.
    pub async fn acquire(self, request: privilege::Request) -> Result<Grant, Arc<PrivilegeError>> {
        privilege::acquire(&request).await.map_err(Arc::new)
    }

    /// Stops a service that is in the way.
    pub async fn stop_service(self, unit: String) -> Result<Stopped, String> {
        service::stop(&unit).await
    }

    /// Starts the services. Must be called inside the runtime.
    pub fn serve(&self, plan: &Plan, sockets: Sockets) -> (Stopper, BoxStream<'static, Update>) {
        match self {
            World::Real(_) => {
                let running = engine::run_with(plan, sockets);
                (Stopper::Engine(running.control()), calmly(running.boxed()).boxed())
            }
            World::Described(machine) => {
                let (stop, stopped) = tokio::sync::oneshot::channel();
                (Stopper::Player(stop), calmly(machine.clone().play(plan.clone(), stopped).boxed()).boxed())
            }
        }
    }
}

/// Rehearses, and says how far that is.
async fn rehearse(plan: Plan, mut sender: mpsc::Sender<Rehearsal>) -> Rehearsal {
    let services = match engine::double::Private::start(&plan).await {
        Ok(services) => Arc::new(services),
        Err(error) => return Rehearsal::Failed(Box::new(crate::check::explain(&error))),
    };
    let (progress, mut further) = tokio::sync::mpsc::unbounded_channel();
    let telling = async move {
        let mut done = Vec::new();
        while let Some(firmware) = further.recv().await {
            done.push(firmware);
            // A window that is gone does not want to know.
            let _ = sender.send(Rehearsal::Running(done.clone())).await;
        }
    };
    let (report, ()) = tokio::join!(rehearsal::run(services, &Firmware::ALL, Some(progress)), telling);
    Rehearsal::Over(Box::new(plan), Box::new(report))
}

/// Two windows onto the same machine are the same.
impl Hash for World {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            World::Real(_) => 0.hash(state),
            World::Described(machine) => machine.name.hash(state),
        }
    }
}

/// The same updates with events gathered for a while: each batch draws the window anew, and with two hundred computers
/// that would leave no time for the person in front of it.
fn calmly(updates: BoxStream<'static, Update>) -> impl Stream<Item = Update> {
    let mut updates = updates.fuse();
    stream::channel(16, async move |mut sender: mpsc::Sender<Update>| {
        let mut behind = None;
        loop {
            let next = match behind.take() {
                Some(update) => Some(update),
                None => updates.next().await,
            };
            let Some(mut update) = next else { return };
            if let Update::Events(events) = &mut update {
                behind = gather(events, &mut updates).await;
            }
            if sender.send(update).await.is_err() {
                return;
            }
        }
    })
}

/// Adds the events that come within a while. Returns an update of another kind, where one ended that.
async fn gather(events: &mut Vec<Event>, updates: &mut (impl Stream<Item = Update> + Unpin)) -> Option<Update> {
    let until = tokio::time::Instant::now() + CALM;
    loop {
        match tokio::time::timeout_at(until, updates.next()).await {
            Ok(Some(Update::Events(more))) => events.extend(more),
            Ok(Some(other)) => return Some(other),
            Ok(None) | Err(_) => return None,
        }
    }
}

fn watch_interfaces() -> impl Stream<Item = Vec<Interface>> {
    stream::channel(1, async |mut sender: mpsc::Sender<Vec<Interface>>| {
        let mut known: Option<Vec<Interface>> = None;
        loop {
            let now = blocking(interface::list).await.unwrap_or_default();
            // Told only when something changed: each message draws the window anew.
            if !now.is_empty() && known.as_ref() != Some(&now) {
                known = Some(now.clone());
                if sender.send(now).await.is_err() {
                    return;
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    })
}

fn compare(path: &Path, expected: &Expected, kept: Option<&Path>, mut sender: mpsc::Sender<Comparing>) {
    // Before it is read: what is changed meanwhile was not compared.
    let key = Key::of(path);
    let digest = checksum::digest(path, expected.digest.algorithm(), &mut |done, total| match sender.is_closed() {
        true => ControlFlow::Break(()),
        false => {
            // A full queue only means that a bar moves later.
            let _ = sender.try_send(Comparing::Read(done, total));
            ControlFlow::Continue(())
        }
    });
    let last = match digest {
        Ok(Some(found)) => {
            let verdict = Verdict::of(Some(expected.clone()), found);
            // A result that cannot be kept is compared again next time.
            let _ = kept.map(|kept| checksum::remember(key, &verdict, kept));
            Comparing::Done(verdict)
        }
        Ok(None) => return,
        Err(error) => Comparing::Failed(format!("It could not be read to its end ({error}).")),
    };
    let _ = iced::futures::executor::block_on(sender.send(last));
}

/// A file as it is; of a folder, the images in it.
fn unfold(path: PathBuf) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(&path) else { return vec![path] };
    let is_image = |path: &PathBuf| {
        let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
        ending.is_some_and(|ending| ending == "iso") && path.is_file()
    };
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(is_image).take(MOST_OF_A_FOLDER).collect();
    files.sort();
    files
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Error;
    use crate::journal::{Note, What};

    fn events(count: usize) -> Update {
        let event = Event {
            time: jiff::Timestamp::UNIX_EPOCH,
            mac: None,
            ip: None,
            role: None,
            what: What::Service(Note::Stopped),
        };
        Update::Events(vec![event; count])
    }

    #[test]
    fn events_that_come_together_are_drawn_together_and_none_is_lost() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let came = runtime.block_on(async {
            let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
            let updates = iced::futures::stream::unfold(receiver, async |mut receiver| {
                receiver.recv().await.map(|update: Update| (update, receiver))
            });
            let gathered = tokio::spawn(calmly(updates.boxed()).collect::<Vec<Update>>());
            for update in [events(1), events(2), Update::Failed(Error::Broken(String::new())), events(3)] {
                sender.send(update).unwrap();
            }
            tokio::time::sleep(CALM * 2).await;
            sender.send(events(4)).unwrap();
            drop(sender);
            gathered.await.unwrap()
        });
        let sizes: Vec<Option<usize>> = came
            .iter()
            .map(|update| match update {
                Update::Events(events) => Some(events.len()),
                _ => None,
            })
            .collect();
        assert_eq!(sizes, [Some(3), None, Some(3), Some(4)]);
    }
}
