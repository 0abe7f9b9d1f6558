//! How the window is drawn: the rail, the open page, and what lies above it.

use std::time::Duration;

use iced::widget::{column, container, row, rule, stack};
use iced::{Element, Event, Fill, Subscription, Theme, keyboard, time, window};
use jiff::Timestamp;

use super::icon::Icon;
use super::overlay;
use super::preferences::Shade;
use super::screen::Step;
use super::screen::serve::Serving;
use super::theme::{self, Ground, Tone, space as gap};
use super::widget::card::icon_button;
use super::widget::notice;
use super::widget::page::{self, Page};
use super::widget::rail::{self, State, Stop};
use super::widget::words::{badge, marked, soft};
use super::world::World;
use super::{App, Message};
use crate::boot::menu::arrange;
use crate::check::Verdict;
use crate::text;

impl App {
    /// Draws the window.
    pub fn view(&self) -> Element<'_, Message> {
        let idle = self.is_idle();
        let back = self.step.before().filter(|_| idle).map(|_| Message::WentBack);
        let page = page::view(self.page(), back, self.room());
        let notice = self.notice.as_ref().map(|finding| {
            let close = icon_button(Icon::Close, "Close", Some(Message::NoticeClosed));
            container(notice::finding(Tone::Caution, finding, Some(close))).padding([gap::CARD, gap::PAGE])
        });
        let page = column![].push(self.gone()).push(notice).push(page);
        let window = row![self.rail(), rule::vertical(1).style(theme::line), page.width(Fill)];
        let window: Element<'_, Message> =
            container(window).width(Fill).height(Fill).style(theme::ground(Ground::Window)).into();
        // Always a stack, so that what the page keeps (scrolling, focus) is there when the overlay closes.
        let above = self.overlay.as_ref().map(|overlay| overlay::view(overlay, self.overlay_context()));
        stack![window].push(above).into()
    }

    /// The chosen interface went while another page is open.
    fn gone(&self) -> Option<Element<'_, Message>> {
        let name = self.draft.interface.as_ref()?;
        let elsewhere = self.step != Step::Network && self.is_idle() && self.interface().is_none();
        elsewhere.then(|| {
            let title = format!("{} is not there any more.", text::plain(name, 40));
            let more = "Plug it in again, or choose another connection on the first page.";
            let strip = notice::notice(Tone::Caution, title, more.to_owned(), None);
            container(strip).padding(iced::Padding::from([0.0, gap::PAGE]).top(gap::CARD)).into()
        })
    }

    fn overlay_context(&self) -> overlay::Context<'_> {
        overlay::Context {
            preferences: &self.preferences,
            journal: &self.journal,
            watch: &self.watch,
            denied: &self.draft.deny,
            loaders: &self.manifest,
            jobs: &self.jobs,
            traced: self.trace.is_some(),
            now: self.now,
            draft: &self.draft,
            readable_passwords: self
                .answers
                .as_ref()
                .and_then(|read| Result::as_ref(read).ok())
                .map(|answers| answers.with_readable_passwords()),
            serving: matches!(self.serving, Serving::On { .. }),
            said: self.said.as_ref().map(|(words, tone, _)| (words.as_str(), *tone)),
            described: matches!(self.world, World::Described(_)),
        }
    }

    fn page(&self) -> Page<'_, Message> {
        match self.step {
            Step::Network => self.network.view(self.network_context()).map(Message::Network),
            Step::Images => self.images.view(&self.imports).map(Message::Images),
            Step::Menu => self.menu.view(self.menu_context()).map(Message::Menu),
            Step::Check => self.check.view(self.check_context()).map(Message::Check),
            Step::Serve => self.serve.view(self.serve_context()).map(Message::Serve),
        }
    }

    fn rail(&self) -> Element<'_, Message> {
        let stops = Step::ALL.into_iter().map(|step| {
            let state = match () {
                () if step == self.step => State::Current,
                () if step < self.reached || step < self.step => State::Done,
                () => State::Ahead,
            };
            let answer = (step <= self.reached).then(|| self.answer(step)).flatten();
            let visit = (step != self.step && self.may_visit(step)).then_some(Message::Visited(step));
            Stop { step, state, answer, visit }
        });
        let said: Option<Element<'_, Message>> =
            self.said.as_ref().map(|(words, tone, _)| marked(notice::mark(*tone), words.clone(), *tone).into());
        let locked = (!self.is_idle()).then(|| soft("Stop serving to change the answers above.").into());
        let demo =
            matches!(self.world, World::Described(_)).then(|| badge("Demonstration: nothing is served", Tone::Caution));
        let notes = column![].push(said.or(locked)).push(demo).spacing(gap::CARD);
        rail::view(stops.collect(), Some(notes.into()), overlay::openers(self.room()), self.room())
    }

    /// What was answered at a step, in a few words.
    fn answer(&self, step: Step) -> Option<String> {
        match step {
            Step::Network => self.draft.interface.clone().map(|name| text::plain(&name, 40)),
            Step::Images => match self.imports.as_slice() {
                [] => None,
                [one] => one.inspection().map(|inspection| text::plain(&inspection.title(), 60)),
                more => Some(format!("{} images", more.len())),
            },
            Step::Menu => match arrange(self.items.clone(), &self.draft.entry).len() {
                0 => None,
                1 => Some("1 entry".to_owned()),
                count => Some(format!("{count} entries")),
            },
            Step::Check => match self.checks.findings() {
                [] => None,
                all if all.iter().all(|finding| finding.verdict == Verdict::Pass) => Some("All clear".to_owned()),
                all => match all.iter().filter(|finding| finding.verdict != Verdict::Pass).count() {
                    1 => Some("1 thing to know".to_owned()),
                    count => Some(format!("{count} things to know")),
                },
            },
            Step::Serve => match (&self.serving, self.journal.count()) {
                (Serving::On { .. }, 0) => Some("Listening".to_owned()),
                (Serving::On { .. }, 1) => Some("1 computer".to_owned()),
                (Serving::On { .. }, count) => Some(format!("{count} computers")),
                (Serving::Stopping, _) => Some("Stopping".to_owned()),
                (Serving::No | Serving::Ended(_), _) => None,
            },
        }
    }

    /// The window's title: the step, and while serving the number of computers, so that a task bar tells both.
    pub fn title(&self) -> String {
        match (&self.serving, self.journal.count()) {
            (Serving::On { .. }, 1) => "1 computer – Bootwright".to_owned(),
            (Serving::On { .. }, count) => format!("{count} computers – Bootwright"),
            (Serving::Stopping, _) => "Stopping – Bootwright".to_owned(),
            (Serving::No | Serving::Ended(_), _) => format!("{} – Bootwright", self.step.name()),
        }
    }

    /// Light or dark.
    pub fn theme(&self) -> Theme {
        theme::theme(match self.preferences.shade {
            Shade::System => self.system_is_dark,
            Shade::Light => false,
            Shade::Dark => true,
        })
    }

    /// How large everything is.
    pub fn scale(&self) -> f32 {
        self.preferences.scale
    }

    /// What the window listens to.
    pub fn subscription(&self) -> Subscription<Message> {
        // Time only goes on where it is shown: an idle window draws nothing.
        let tick = match (&self.serving, &self.said) {
            (Serving::On { .. }, _) if self.journal.active(self.now).next().is_some() => Some(1),
            (_, Some(_)) => Some(1),
            (Serving::On { .. }, None) => Some(5),
            _ => None,
        };
        let tick =
            tick.map(|seconds| time::every(Duration::from_secs(seconds)).map(|_| Message::Ticked(Timestamp::now())));
        Subscription::batch([
            keyboard::listen().map(Message::Key),
            iced::event::listen_with(window_event),
            iced::system::theme_changes().map(Message::SystemTheme),
            self.world.interface_changes().map(Message::InterfacesChanged),
            tick.unwrap_or_else(Subscription::none),
        ])
    }
}

fn window_event(event: Event, _status: iced::event::Status, id: window::Id) -> Option<Message> {
    let Event::Window(event) = event else { return None };
    match event {
        window::Event::Opened { size, .. } => Some(Message::WindowOpened(id, size)),
        window::Event::Resized(size) => Some(Message::Resized(size)),
        window::Event::CloseRequested => Some(Message::CloseRequested(id)),
        window::Event::FileHovered(_) => Some(Message::FilesHovered),
        window::Event::FilesHoveredLeft => Some(Message::FilesLeft),
        window::Event::FileDropped(path) => Some(Message::FileDropped(path)),
        _ => None,
    }
}
