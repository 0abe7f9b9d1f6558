//! The wizard: five steps, one window. The only room that names iced.
//!
//! [`App`] holds the answers, the running services and what happened, and lends them to the five [`screen`]s, which keep
//! only what is theirs. A screen turns a message into an action; the app carries it out. Everything that may wait goes
//! through a door of [`world::World`] and comes back as a message that says what it answers for.

pub mod clock;
pub mod demo;
pub mod focus;
pub mod icon;
pub mod jobs;
pub mod log;
pub mod overlay;
pub mod parcel;
pub mod preferences;
mod run;
pub mod screen;
pub mod shortcut;
#[cfg(test)]
mod tests;
pub mod theme;
mod update;
mod view;
pub mod widget;
pub mod world;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use iced::task::Handle;
use iced::{Size, keyboard, window};
use jiff::Timestamp;

use crate::answer;
use crate::boot::loader::Loaders;
use crate::boot::loader::manifest::Manifest;
use crate::boot::menu::Item;
use crate::check::diagnosis::{Surroundings, Watch};
use crate::check::preflight::Facts;
use crate::check::{Advice, Finding};
use crate::deployment::{Library, Lock, Saved};
use crate::deployment::{Plan, PlanError, SaveError, Settings};
use crate::engine::probe::Probe;
use crate::engine::{Trace, Update};
use crate::image::checksum::Known;
use crate::image::{DiscError, Inspection};
use crate::journal::Journal;
use crate::journal::job::Book;
use crate::net::Interface;
use crate::net::awake::Awake;
use crate::net::privilege::{Grant, PrivilegeError};
use crate::net::service::Stopped;
use jobs::Jobs;
use log::Log;
use overlay::Overlay;
use parcel::Parcel;
use preferences::Preferences;
use screen::check::rehearsal::Rehearsal;
use screen::check::{Check, Checks, Starting};
use screen::images::{Images, Import};
use screen::menu::{Menu, answers};
use screen::network::{Asking, Network};
use screen::serve::{Serve, Serving};
use screen::{Step, check, images, menu, network, serve};
use update::Undo;
use world::{Chosen, Comparing, Stopper, World};

pub use demo::Machine;
pub use run::{NoWindow, Start, explain, program, run};

/// The window's state.
#[derive(Debug)]
pub struct App {
    world: World,
    library: Option<Library>,
    /// Holds off a second window while this one lives; without it this window saves nothing by itself.
    lock: Option<Lock>,
    manifest: Manifest,
    loaders: Loaders,
    preferences: Preferences,
    system_is_dark: bool,

    draft: Settings,
    /// The answers as they were saved last.
    saved_draft: Settings,
    /// The answers as a saved deployment had them, while that is what is open.
    opened: Option<Settings>,
    /// Answers that could not be saved.
    unsavable: Option<Settings>,
    save_pending: bool,
    /// How addresses are handed out was the person's own word, which no probe changes.
    mode_by_hand: bool,
    /// A range that waits while addresses are not handed out.
    kept_range: Option<String>,
    interfaces: Vec<Interface>,
    asking: Asking,
    /// Which question to the network is awaited; answers to earlier ones are dropped.
    probe_run: u64,
    probing: Option<Handle>,
    /// Addresses are to be handed out beside another server, by the person's own word.
    two_servers_meant: bool,
    advice: Option<Advice>,
    /// Files that were dropped just now.
    dropped: Vec<PathBuf>,
    imports: Vec<Import>,
    comparing: HashMap<PathBuf, Handle>,
    items: Vec<Item>,
    /// The answer files that the draft names, once they are read.
    answers: Option<answers::Read>,
    saved: Arc<Vec<Saved>>,

    step: Step,
    reached: Step,
    network: Network,
    images: Images,
    menu: Menu,
    check: Check,
    serve: Serve,
    overlay: Option<Overlay>,
    /// Something to say on whichever page is open.
    notice: Option<Finding>,
    /// A word about what was just done, like "Copied".
    said: Option<(String, theme::Tone, Timestamp)>,

    checks: Checks,
    /// Which run of the checks is awaited; answers of earlier ones are dropped.
    check_run: u64,
    checking: Option<Handle>,
    rehearsal: Rehearsal,
    /// Which rehearsal is awaited; what earlier ones still say is dropped.
    rehearsal_run: u64,
    rehearsing: Option<Handle>,
    starting: Starting,
    acquiring: Option<Handle>,
    failure: Option<Finding>,
    address: Option<Grant>,
    setting_address: Option<Handle>,
    address_trouble: Option<Finding>,

    serving: Serving,
    /// Which services are awaited; what earlier ones still say is dropped.
    serve_run: u64,
    /// What is coming up.
    running: Option<Plan>,
    stopper: Option<Stopper>,
    grant: Option<Grant>,
    undo: Undo,
    cautions: Vec<Finding>,
    /// Another DHCP server that was heard while addresses were handed out.
    foreign: Option<Finding>,
    /// The services are to start again as soon as they have ended.
    start_again: bool,
    journal: Journal,
    jobs: Jobs,
    /// The packets of what is or was served last.
    trace: Option<Trace>,
    log: Log,
    /// What keeps each computer.
    watch: Watch,
    /// How computers are served, or were last.
    around: Option<Surroundings>,
    closing: bool,

    window: Option<window::Id>,
    size: Size,
    now: Timestamp,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Message {
    /// On the Network page.
    Network(network::Message),
    /// On the Images page.
    Images(images::Message),
    /// On the Menu page.
    Menu(menu::Message),
    /// On the Check page.
    Check(check::Message),
    /// On the Serve page.
    Serve(serve::Message),
    /// In an overlay.
    Overlay(overlay::Message),
    /// A step of the rail was picked.
    Visited(Step),
    /// Back was pressed.
    WentBack,
    /// Something is to open above the page.
    Opened(Overlay),
    /// The notice above the page was read.
    NoticeClosed,
    /// A key that no widget wanted.
    Key(keyboard::Event),
    /// The window opened.
    WindowOpened(window::Id, Size),
    /// Its size changed.
    Resized(Size),
    /// It is to close.
    CloseRequested(window::Id),
    /// Files are held over it.
    FilesHovered,
    /// They are held over it no more.
    FilesLeft,
    /// One was dropped on it.
    FileDropped(PathBuf),
    /// All that were dropped together are there.
    DropsOver,
    /// The system is light or dark.
    SystemTheme(iced::theme::Mode),
    /// Time went on.
    Ticked(Timestamp),
    /// The interfaces changed.
    InterfacesChanged(Vec<Interface>),
    /// The network was asked for DHCP servers: which question, and what it said.
    Probed(u64, Probe),
    /// The file dialog ended.
    ImagesChosen(Chosen<Vec<PathBuf>>),
    /// These are the files among what was added.
    FilesFound(Vec<PathBuf>),
    /// A file was read.
    Inspected(PathBuf, Result<Arc<Inspection>, Arc<DiscError>>),
    /// A checksum was looked for.
    ChecksumFound(PathBuf, Known),
    /// The clipboard was read for an image's checksum.
    ChecksumPasted(PathBuf, Option<String>),
    /// Answer files were read by these settings.
    AnswersRead(Box<answer::Settings>, answers::Read),
    /// An entry's answer file was filled in for the computer at this place.
    FilledIn(String, usize, answers::Shown),
    /// The file dialog for an answer file or a list ended.
    AnswersChosen(answers::Wanted, Chosen<PathBuf>),
    /// A comparison went on.
    Compared(PathBuf, Comparing),
    /// The checks are done: which run of them, and what they found.
    Surveyed(u64, Arc<Result<Facts, String>>),
    /// A rehearsal went on: which, and how far it is.
    Rehearsing(u64, Box<Rehearsal>),
    /// An address was set, or not.
    AddressSet(Result<Parcel<Grant>, Arc<PrivilegeError>>),
    /// A service that was in the way was stopped, or not.
    ServiceStopped(String, Result<Parcel<Stopped>, String>),
    /// This computer stays awake for these services, or not.
    Awake(u64, Result<Parcel<Awake>, String>),
    /// What was for the time of serving is undone, in words.
    Undone(Vec<String>),
    /// The ports were opened, or not.
    Acquired(Result<Parcel<Grant>, Arc<PrivilegeError>>),
    /// Services told something: which, and what.
    Engine(u64, Parcel<Update>),
    /// Services have ended.
    EngineEnded(u64),
    /// The saved deployments were listed.
    Listed(Arc<Vec<Saved>>),
    /// A deployment was opened.
    Loaded(Arc<Result<Settings, PlanError>>),
    /// Answers that changed a while ago are to be saved.
    SaveDue,
    /// The answers were saved by themselves.
    AutoSaved(Box<Settings>, Arc<Result<(), SaveError>>),
    /// The deployment was saved by a name.
    NameSaved(String, Arc<Result<PathBuf, SaveError>>),
    /// A text was saved to a file.
    TextSaved(Result<Option<PathBuf>, String>),
    /// The job sheet was read.
    JobsRead(Result<Arc<Book>, String>),
    /// Something was copied.
    Copied,
}
