//! The window on described machines: what each page does about each message, how it is drawn, and scripts that click
//! through it.
//!
//! Golden pictures lie in `tests/golden/pages` by their hashes, in both themes. After a change that is meant, draw them
//! anew and look at them (the folder of pictures must be empty):
//!
//! ```text
//! BOOTWRIGHT_GOLDEN=write BOOTWRIGHT_PICTURES=target/pages cargo test --lib app::tests
//! ```

mod saved;
mod scenes;
mod serving;
mod wizard;

use std::path::Path;

use futures_util::StreamExt;
use iced::{Preset, Settings as IcedSettings};
use iced_test::runtime::{Action, task};
use iced_test::selector::Candidate;
use iced_test::simulator::{Simulator, tap_key};
use jiff::SignedDuration;

use super::overlay::{Question, Then};
use super::*;
use crate::boot::menu::Default as Choice;
use crate::deployment::DhcpMode;
use crate::engine;
use crate::journal::{Event, Note, What};
use crate::net::ports::Transport;
use crate::net::socket::BindError;
use scenes::*;

const SMALL: Size = Size::new(900.0, 600.0);
const LARGE: Size = Size::new(1600.0, 1000.0);
/// The small window with texts of 200 %.
const DOUBLED: Size = Size::new(450.0, 300.0);

/// An app on a described machine, with everything answered that it asked at the start.
fn app(machine: &str) -> App {
    let (mut app, task) = App::begin(World::Described(Arc::new(Machine::named(machine).unwrap())), None);
    app.size = SMALL;
    settle(&mut app, task);
    app
}

/// Lets the app do a message and all that follows from it at once.
fn send(app: &mut App, message: Message) {
    let task = app.update(message);
    settle(app, task);
}

/// Runs what was begun until it waits for time or for a person.
fn settle(app: &mut App, task: iced::Task<Message>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut messages = Vec::new();
    if let Some(mut stream) = task::into_stream(task) {
        runtime.block_on(async {
            let gather = async {
                while let Some(action) = stream.next().await {
                    if let Action::Output(message) = action {
                        messages.push(message);
                    }
                }
            };
            // Actions on widgets and on the system are never answered here; whatever is, is answered at once.
            let patience = async {
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! { biased; () = gather => {}, () = patience => {} }
        });
    }
    for message in messages {
        let _guard = runtime.enter();
        let task = app.update(message);
        settle(app, task);
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_764_082_800 + second).unwrap()
}

fn simulator(app: &App, size: Size) -> Simulator<'_, Message> {
    let settings = IcedSettings { default_font: iced::Font::with_name("Fira Sans"), ..IcedSettings::default() };
    Simulator::with_size(settings, size, app.view())
}

#[test]
fn every_page_is_drawn_as_its_golden_picture() {
    let write = std::env::var_os("BOOTWRIGHT_GOLDEN").is_some();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pages");
    let mut wrong = Vec::new();
    for (name, app) in states() {
        for dark in [false, true] {
            let name = format!("{name}-{}", if dark { "dark" } else { "light" });
            let file = folder.join(format!("{name}-tiny-skia.sha256"));
            if write {
                let _ = std::fs::remove_file(&file);
            } else if !file.exists() {
                wrong.push(format!("{name} (no golden file)"));
                continue;
            }
            let picture = simulator(&app, app.size).snapshot(&theme::theme(dark)).unwrap();
            if let Some(look) = std::env::var_os("BOOTWRIGHT_PICTURES") {
                picture.matches_image(Path::new(&look).join(&name)).unwrap();
            }
            if !picture.matches_hash(folder.join(&name)).unwrap() {
                wrong.push(name);
            }
        }
    }
    assert!(wrong.is_empty(), "other than their golden pictures: {wrong:?}");
}

/// Whether a text stands on the page: a whole text of one widget.
fn shows(app: &App, text: &str) -> bool {
    simulator(app, Size::new(1200.0, 4000.0)).find(text).is_ok()
}

/// Clicks on a text as a person would, and does what comes of it.
fn click(app: &mut App, text: &str) {
    let mut page = simulator(app, Size::new(1200.0, 4000.0));
    page.click(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let messages: Vec<Message> = page.into_messages().collect();
    assert!(!messages.is_empty(), "a click on {text:?} does nothing");
    for message in messages {
        send(app, message);
    }
}

fn press(app: &mut App, key: iced::keyboard::key::Named) {
    let events: Vec<_> = tap_key(key, None).collect();
    for event in events {
        if let iced::Event::Keyboard(event) = event {
            send(app, Message::Key(event));
        }
    }
}

#[test]
fn scripts_click_through_the_pages() {
    let world = World::Described(Arc::new(Machine::named("bench").unwrap()));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ice");
    assert!(std::fs::read_dir(&folder).unwrap().count() >= 8);
    iced_test::run(program(world, None).presets(presets()), folder).unwrap();
}
