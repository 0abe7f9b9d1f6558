//! Opens the window, or says why there is none.

use std::panic;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use iced::{Program, Size, Task, Theme, window};
use jiff::Timestamp;

use super::demo::Machine;
use super::overlay::Overlay;
use super::preferences::Preferences;
use super::screen::Step;
use super::screen::check::{Check, Checks, Starting};
use super::screen::images::Images;
use super::screen::menu::Menu;
use super::screen::network::{Asking, Network};
use super::screen::serve::{Serve, Serving};
use super::world::World;
use super::{App, Log, Message};
use crate::check::diagnosis::Watch;
use crate::check::{self, Finding};
use crate::deployment::{Places, Settings};
use crate::journal::Journal;
use crate::text;

/// The window's size at the start and its smallest, in logical pixels.
const SIZE: Size = Size::new(1080.0, 760.0);
const SMALLEST: Size = Size::new(760.0, 520.0);
/// Libraries that X11 windows open by name when they start (found in a bare Debian).
const X11: [&str; 5] = ["libX11.so.6", "libX11-xcb.so.1", "libXcursor.so.1", "libXi.so.6", "libxkbcommon-x11.so.0"];

/// Whether the window was there. Until then a panic is the display's way to say no; after that it is a fault.
static OPENED: AtomicBool = AtomicBool::new(false);

/// Takes note that the window is there.
pub(super) fn opened() {
    OPENED.store(true, Ordering::Relaxed);
}

/// How the window begins.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// On this described machine, with recorded boots.
    pub demo: Option<String>,
    /// With this deployment.
    pub deployment: Option<PathBuf>,
}

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
pub enum NoWindow {
    /// There is no display to open it on.
    #[error("there is no display")]
    NoDisplay,
    /// Libraries of the display are missing.
    #[error("libraries are missing: {0:?}")]
    Libraries(Vec<String>),
    /// The display that is named does not answer.
    #[error("the display does not answer")]
    NoAnswer,
    /// The display refused it.
    #[error("the window cannot be opened: {0}")]
    Refused(String),
    /// The demonstration cannot be shown.
    #[error(transparent)]
    Demo(#[from] super::demo::NoMachine),
}

/// Opens the window, and returns when it was closed.
pub fn run(start: Start) -> Result<(), NoWindow> {
    if !has_display() {
        return Err(NoWindow::NoDisplay);
    }
    let world = match start.demo {
        Some(name) => World::Described(Arc::new(Machine::named(&name)?)),
        None => World::Real(Arc::new(Places::of_this_user())),
    };
    // Windows and their libraries panic where they cannot begin; what they say is for us to word.
    let said: Arc<Mutex<Option<String>>> = Arc::default();
    let heard = Arc::clone(&said);
    let usual = panic::take_hook();
    let usual: Arc<dyn Fn(&panic::PanicHookInfo<'_>) + Send + Sync> = usual.into();
    let later = Arc::clone(&usual);
    panic::set_hook(Box::new(move |panicked| match OPENED.load(Ordering::Relaxed) {
        true => later(panicked),
        false => {
            if let Ok(mut said) = heard.lock() {
                said.get_or_insert_with(|| panicked.payload_as_str().unwrap_or_default().to_owned());
            }
        }
    }));
    let deployment = start.deployment;
    let ended = panic::catch_unwind(panic::AssertUnwindSafe(|| program(world, deployment).run()));
    panic::set_hook(Box::new(move |panicked| usual(panicked)));
    match ended {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(refused(&error.to_string())),
        // A fault of ours, which was told already.
        Err(fault) if OPENED.load(Ordering::Relaxed) => panic::resume_unwind(fault),
        Err(_) => Err(refused(&said.lock().ok().and_then(|mut said| said.take()).unwrap_or_default())),
    }
}

/// The program for iced.
pub fn program(
    world: World,
    deployment: Option<PathBuf>,
) -> iced::Application<impl Program<State = App, Message = Message, Theme = Theme>> {
    let boot = move || App::begin(world.clone(), deployment.clone());
    iced::application(boot, App::update, App::view)
        .title(App::title)
        .theme(App::theme)
        .scale_factor(App::scale)
        .subscription(App::subscription)
        .default_font(iced::Font::with_name("Fira Sans"))
        .window(window::Settings {
            size: SIZE,
            min_size: Some(SMALLEST),
            exit_on_close_request: false,
            ..window::Settings::default()
        })
}

/// Why there is no window, in words: what we saw, what it means, what to do.
pub fn explain(error: &NoWindow) -> Finding {
    const SERVE: &str =
        "Serve without it: bootwright serve --interface NAME --image FILE; `bootwright interfaces` lists the names.";
    match error {
        NoWindow::NoDisplay => Finding::new(
            "There is no display, so the window cannot be opened.",
            "DISPLAY and WAYLAND_DISPLAY are not set.",
            SERVE,
        ),
        NoWindow::Libraries(missing) => Finding::new(
            format!("The window needs libraries that are not installed: {}.", missing.join(", ")),
            "On Debian and Ubuntu they are in libx11-6, libx11-xcb1, libxcursor1, libxi6 and libxkbcommon-x11-0.",
            format!("Install those. {SERVE}"),
        ),
        NoWindow::NoAnswer => Finding::new(
            "The display does not answer, so the window cannot be opened.",
            "DISPLAY or WAYLAND_DISPLAY names one that is not there, or not for this user.",
            SERVE,
        ),
        NoWindow::Refused(said) => {
            Finding::new("The display refused to open a window.", "", SERVE).with(text::plain(said, 300))
        }
        NoWindow::Demo(error) => {
            let names = super::demo::names().join(", ");
            let step = format!("Use --demo alone, or with one of {names}.");
            Finding::new("The demonstration cannot be shown.", "", step).with(error)
        }
    }
}

fn has_display() -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(all(unix, not(target_os = "macos"))) || set("DISPLAY") || set("WAYLAND_DISPLAY") || set("WAYLAND_SOCKET")
}

fn refused(said: &str) -> NoWindow {
    let named =
        X11.iter().filter(|library| said.contains(library.trim_end_matches(|c: char| c == '.' || c.is_ascii_digit())));
    let mut missing: Vec<String> = named.map(|library| (*library).to_owned()).collect();
    // What is said names the first one only.
    if !missing.is_empty() || said.contains("library") {
        missing.extend(X11.iter().filter(|library| !is_installed(library)).map(|library| (*library).to_owned()));
        missing.sort();
        missing.dedup();
    }
    match () {
        () if !missing.is_empty() => NoWindow::Libraries(missing),
        () if said.contains("XOpenDisplay") => NoWindow::NoAnswer,
        () => NoWindow::Refused(said.to_owned()),
    }
}

/// Whether a library lies in one of the usual folders.
fn is_installed(library: &str) -> bool {
    let roots = ["/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib"];
    roots.iter().any(|root| {
        let below = std::fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
        Path::new(root).join(library).exists() || below.into_iter().any(|folder| folder.join(library).exists())
    })
}

impl App {
    /// The window as it begins: with the answers of last time, on the first page.
    pub fn begin(world: World, deployment: Option<PathBuf>) -> (App, Task<Message>) {
        let mut app = App::new(world);
        let saved = app.open_last(deployment);
        app.interfaces = app.world.interfaces();
        let begun = app.take_over(saved);
        app.saved_draft = app.draft.clone();
        let theme = iced::system::theme().map(Message::SystemTheme);
        let listed = app.list_saved();
        (app, Task::batch([theme, listed, begun]))
    }

    fn new(world: World) -> App {
        let library = world.library();
        App {
            library,
            lock: None,
            manifest: world.manifest(),
            loaders: world.loaders(&Settings::default()),
            preferences: world.state().map(Preferences::load).unwrap_or_default(),
            system_is_dark: false,
            draft: Settings::default(),
            saved_draft: Settings::default(),
            mode_by_hand: false,
            kept_range: None,
            opened: None,
            unsavable: None,
            save_pending: false,
            probe_run: 0,
            probing: None,
            two_servers_meant: false,
            foreign: None,
            start_again: false,
            dropped: Vec::new(),
            checking: None,
            setting_address: None,
            serve_run: 0,
            running: None,
            interfaces: Vec::new(),
            asking: Asking::NotYet,
            advice: None,
            imports: Vec::new(),
            comparing: Default::default(),
            items: Vec::new(),
            answers: None,
            saved: Arc::default(),
            step: Step::Network,
            reached: Step::Network,
            network: Network::default(),
            images: Images::default(),
            menu: Menu::default(),
            check: Check::default(),
            serve: Serve::default(),
            overlay: None::<Overlay>,
            notice: None,
            said: None,
            checks: Checks::NotYet,
            check_run: 0,
            rehearsal: Default::default(),
            rehearsal_run: 0,
            rehearsing: None,
            starting: Starting::No,
            acquiring: None,
            failure: None,
            address: None,
            address_trouble: None,
            serving: Serving::No,
            stopper: None,
            grant: None,
            undo: Default::default(),
            cautions: Vec::new(),
            journal: Journal::default(),
            jobs: Default::default(),
            trace: None,
            log: Log::default(),
            watch: Watch::default(),
            around: None,
            closing: false,
            window: None,
            size: SIZE,
            now: Timestamp::now(),
            world,
        }
    }

    /// Takes the lock, and reads the answers of last time or those that were asked for. What stands in the way is said
    /// on the first page; then nothing is saved by itself, so that nothing is lost.
    fn open_last(&mut self, deployment: Option<PathBuf>) -> Settings {
        let Some(library) = &self.library else { return Settings::default() };
        match library.lock() {
            Ok(lock) => self.lock = Some(lock),
            Err(error) => self.notice = Some(check::explain_lock(&error)),
        }
        let current = library.current();
        let path = match deployment {
            Some(path) => path,
            None if current.exists() => current,
            None => return Settings::default(),
        };
        match Settings::load(&path) {
            Ok(settings) => settings,
            Err(error) => {
                self.lock = None;
                self.notice = Some(check::explain_plan(&error));
                Settings::default()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_is_named() {
        let said = "panicked: Create event loop: Os(... libXcursor.so.1: cannot open shared object file)";
        let NoWindow::Libraries(missing) = refused(said) else { panic!("libraries") };
        assert!(missing.contains(&"libXcursor.so.1".to_owned()), "{missing:?}");
        assert!(matches!(refused("no more memory"), NoWindow::Refused(_)));
        assert!(matches!(refused("Create event loop: XNotSupported(XOpenDisplayFailed)"), NoWindow::NoAnswer));
    }
}
