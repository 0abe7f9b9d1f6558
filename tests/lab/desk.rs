//! A desk for the window: an X server without a screen, and hands that click, type and look.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::{Host, Lab, Process, loaders, must, program};

/// Only bounds a failure.
const PATIENCE: Duration = Duration::from_secs(60);
/// After so long without any effect a person tries again.
const AGAIN: Duration = Duration::from_secs(3);

/// An X server of our own, without a screen.
pub struct Desk {
    display: String,
    _server: Process,
}

impl Desk {
    pub fn new() -> Desk {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = Process::start(&mut command);
        let mut number = String::new();
        BufReader::new(server.0.stdout.take().expect("its output")).read_line(&mut number).expect("a display number");
        Desk { display: format!(":{}", number.trim()), _server: server }
    }
}

/// The window of Bootwright in a namespace, and a person in front of it.
pub struct Window<'a> {
    desk: &'a Desk,
    process: Process,
    id: String,
    home: PathBuf,
}

impl<'a> Window<'a> {
    /// Opens it at this size, light or dark, with a home of its own.
    pub fn open(lab: &Lab, desk: &'a Desk, host: &Host, size: (u32, u32), shade: &str) -> Window<'a> {
        let home = lab.path("home");
        let data = home.join("data/bootwright");
        std::fs::create_dir_all(&data).expect("a folder");
        std::os::unix::fs::symlink(loaders(), data.join("loaders")).expect("a link");
        let state = home.join("state/bootwright");
        std::fs::create_dir_all(&state).expect("a folder");
        std::fs::write(state.join("window.toml"), format!("shade = {shade:?}\nscale = 1.0\n")).expect("a file");
        let mut command = host.command(program());
        command.env("DISPLAY", &desk.display).env_remove("WAYLAND_DISPLAY").env("HOME", &home);
        command.env("XDG_STATE_HOME", home.join("state")).env("XDG_DATA_HOME", home.join("data"));
        command.env("ICED_BACKEND", "tiny-skia").env_remove("DBUS_SESSION_BUS_ADDRESS");
        command.stderr(std::fs::File::create(lab.path("window.err")).expect("a file"));
        let process = Process::start(&mut command);
        let mut window = Window { desk, process, id: String::new(), home };
        window.id = window.until("the window is there", || {
            let found = window.xdotool(&["search", "--onlyvisible", "--name", "Bootwright"]);
            found.lines().last().map(str::to_owned)
        });
        window.xdotool(&["windowsize", "--sync", &window.id, &size.0.to_string(), &size.1.to_string()]);
        window.xdotool(&["windowmove", &window.id, "0", "0"]);
        window.xdotool(&["windowfocus", "--sync", &window.id]);
        window
    }

    /// Waits for something that a person would wait for.
    pub fn until<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(seen) = look() {
                return seen;
            }
            self.give_up(what, began);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn xdotool(&self, arguments: &[&str]) -> String {
        let output = Command::new("xdotool").env("DISPLAY", &self.desk.display).args(arguments).output();
        String::from_utf8_lossy(&output.expect("xdotool").stdout).trim().to_owned()
    }

    /// The window's title: the step, or the number of computers.
    pub fn title(&self) -> String {
        if self.id.is_empty() { String::new() } else { self.xdotool(&["getwindowname", &self.id]) }
    }

    /// Waits until the title begins so.
    pub fn wait_title(&self, title: &str) {
        self.until(title, || self.title().starts_with(title).then_some(()));
    }

    /// Does something, and does it again while it shows no effect, as a person would.
    pub fn try_until<T>(&self, what: &str, act: impl Fn(&Window<'_>), look: impl Fn(&Window<'_>) -> Option<T>) -> T {
        let mut tried: Option<Instant> = None;
        let began = Instant::now();
        loop {
            if let Some(seen) = look(self) {
                return seen;
            }
            if tried.is_none_or(|tried| tried.elapsed() > AGAIN) {
                act(self);
                tried = Some(Instant::now());
            }
            self.give_up(what, began);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn give_up(&self, what: &str, began: Instant) {
        if began.elapsed() >= PATIENCE {
            self.picture("never");
            panic!("never: {what}; the title is {:?}; target/window/never.png shows it", self.title());
        }
    }

    /// Does something until the title begins so.
    pub fn until_title(&self, title: &str, act: impl Fn(&Window<'_>)) {
        self.try_until(title, act, |window| window.title().starts_with(title).then_some(()));
    }

    /// Does something until the answers that the window saves by itself have this in them.
    pub fn until_saved(&self, part: &str, act: impl Fn(&Window<'_>)) {
        self.try_until(part, act, |window| window.has_saved(part).then_some(()));
    }

    pub fn click(&self, x: u32, y: u32) {
        let (x, y) = (x.to_string(), y.to_string());
        self.xdotool(&["mousemove", "--window", &self.id, &x, &y]);
        self.xdotool(&["click", "1"]);
    }

    /// Presses keys by their X names, one after the other.
    pub fn keys(&self, keys: &[&str]) {
        let mut arguments = vec!["key", "--delay", "40"];
        arguments.extend(keys);
        self.xdotool(&arguments);
    }

    /// Moves the focus on by so many stops; each time the window has to follow before the next key means anything.
    pub fn tabs(&self, count: usize) {
        for _ in 0..count {
            self.keys(&["Tab"]);
            self.settle();
        }
    }

    pub fn write(&self, text: &str) {
        self.xdotool(&["type", "--delay", "15", text]);
    }

    /// What the clipboard holds.
    pub fn clipboard(&self) -> String {
        let mut command = Command::new("xclip");
        command.env("DISPLAY", &self.desk.display).args(["-out", "-selection", "clipboard"]);
        let output = command.stderr(Stdio::null()).output().expect("xclip");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Empties the clipboard, so that what is found there later is new.
    pub fn clear_clipboard(&self) {
        let mut command = Command::new("xclip");
        command.env("DISPLAY", &self.desk.display).args(["-in", "-selection", "clipboard"]);
        let mut child = command.stdin(Stdio::piped()).spawn().expect("xclip");
        child.stdin.take().expect("its input").write_all(b"").expect("written");
        let _ = child.wait();
    }

    /// Waits until the answers that the window saves by itself have this in them.
    pub fn saved(&self, part: &str) {
        self.until(part, || self.has_saved(part).then_some(()));
    }

    fn has_saved(&self, part: &str) -> bool {
        let file = self.home.join("state/bootwright/current.toml");
        std::fs::read_to_string(file).is_ok_and(|text| text.contains(part))
    }

    /// Waits until nothing moves any more: a page is drawn, and its focus set, a moment after its title.
    pub fn settle(&self) {
        let look = || {
            let mut command = Command::new("import");
            command.env("DISPLAY", &self.desk.display).args(["-window", &self.id, "rgb:-"]);
            command.output().expect("import").stdout
        };
        let before = std::cell::RefCell::new(look());
        self.until("nothing moves", || {
            std::thread::sleep(Duration::from_millis(200));
            let now = look();
            let same = *before.borrow() == now;
            *before.borrow_mut() = now;
            same.then_some(())
        });
    }

    /// Keeps a picture of it in target/window.
    pub fn picture(&self, name: &str) {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/window");
        std::fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join(format!("{name}.png"));
        must(Command::new("import").env("DISPLAY", &self.desk.display).args(["-window", &self.id]).arg(file));
    }

    /// Closes it, and waits for its end.
    pub fn close(mut self) -> ExitStatus {
        self.keys(&["ctrl+q"]);
        let began = Instant::now();
        loop {
            if let Some(status) = self.process.0.try_wait().expect("a process") {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not close");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
