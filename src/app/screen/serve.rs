//! The running services: a card for each computer, and the live log.

mod card;
mod log;
mod waiting;

use iced::advanced::widget::Id;
use iced::widget::{Column, column, container, mouse_area, row, scrollable, space};
use iced::{Alignment, Element, Fill};
use jiff::Timestamp;

use crate::app::clock;
use crate::app::icon::{self, Icon};
use crate::app::log::{Line, Log};
use crate::app::theme::{self, Look, Tone, space as gap};
use crate::app::widget::card::card;
use crate::app::widget::list::{self, Position};
use crate::app::widget::notice;
use crate::app::widget::page::{Page, Primary};
use crate::app::widget::press::press;
use crate::app::widget::words::{body, marked, section, small, soft};
use crate::check::diagnosis::Watch;
use crate::deployment::{DhcpPlan, Plan};
use crate::journal::wording::Level;
use crate::journal::{Computer, Journal};
use crate::mac::Mac;
use crate::text;

/// More computers than this are shown in one line each.
const FULL_CARDS: usize = 8;
/// Height of such a line, in logical pixels.
const COMPACT: f32 = 52.0;

/// What the page keeps for itself.
#[derive(Clone, Debug)]
pub struct Serve {
    tab: Tab,
    /// Computers in the order in which they are drawn; it changes only while the pointer is elsewhere.
    order: Vec<Mac>,
    hovered: bool,
    search: String,
    log: Position,
    /// The line of the log that is shown whole.
    picked: Option<Line>,
    computers: Position,
}

/// What the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    /// The computers.
    Computers,
    /// The log.
    Log,
}

impl Default for Serve {
    fn default() -> Serve {
        Serve {
            tab: Tab::Computers,
            order: Vec::new(),
            hovered: false,
            search: String::new(),
            log: Position::default(),
            computers: Position::top(),
            picked: None,
        }
    }
}

/// What happened on the page.
#[derive(Clone, Debug)]
pub enum Message {
    /// A tab was picked.
    TabPicked(Tab),
    /// The pointer came over the computers, or left them.
    Hovered(bool),
    /// The list of computers was scrolled.
    ComputersScrolled(scrollable::Viewport),
    /// A computer was picked.
    Picked(Mac),
    /// Something was typed into the search.
    Searched(String),
    /// A level was picked.
    LevelPicked(Level),
    /// A line of the log is to be shown whole.
    LinePicked(Box<Line>),
    /// Enough of that.
    LineClosed,
    /// Computers that something keeps are to be shown.
    TroubleAsked,
    /// The log was scrolled.
    LogScrolled(scrollable::Viewport),
    /// The end of the log is to stay in view, or not.
    Followed(bool),
    /// The view of the log is to be frozen, or to go on.
    Paused(bool),
    /// The log is to be copied.
    LogCopied,
    /// The log is to be saved.
    LogSaved,
    /// The services are to stop.
    Stopped,
    /// The services are to start again.
    Restarted,
    /// They are to go on beside the other DHCP server.
    WorkBeside,
    /// A computer that waits is approved, or refused.
    Decided(Mac, bool),
    /// The job sheet is to open.
    JobsAsked,
    /// What protects the network is to be shown.
    SafetyAsked,
}

/// What the page wants done.
#[derive(Clone, Debug)]
pub enum Action {
    /// Nothing more.
    None,
    /// Show a computer's timeline.
    Open(Mac),
    /// Show only lines with this in them.
    Search(String),
    /// Show only lines of this level.
    Level(Level),
    /// Freeze the view of the log.
    Pause(bool),
    /// Scroll the computers to the first one.
    ToTop,
    /// Scroll the log to its end.
    ToEnd,
    /// Copy the log.
    Copy,
    /// Save the log.
    Save,
    /// Stop the services.
    Stop,
    /// Start them again.
    Start,
    /// Start them again beside another DHCP server.
    WorkBeside,
    /// Approve a computer, or refuse it.
    Decide(Mac, bool),
    /// Show the job sheet.
    Jobs,
    /// Show what protects the network.
    Safety,
}

/// How the services stand.
#[derive(Clone, Debug, Default)]
pub enum Serving {
    /// Not running, and never were.
    #[default]
    No,
    /// Running, since then, and where.
    On {
        /// What is served.
        plan: Box<Plan>,
        /// Where the tree begins.
        url: String,
        /// Since when.
        since: Timestamp,
    },
    /// They are ending.
    Stopping,
    /// They ended, by the user's word or by themselves.
    Ended(Option<crate::check::Finding>),
}

/// What the page is shown from.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The computers.
    pub journal: &'a Journal,
    /// What keeps each of them.
    pub watch: &'a Watch,
    /// The log.
    pub log: &'a Log,
    /// How the services stand.
    pub serving: &'a Serving,
    /// Another DHCP server that was heard, while it keeps addresses from being handed out.
    pub foreign: Option<&'a crate::check::Finding>,
    /// Things to know that came up at the start.
    pub cautions: &'a [crate::check::Finding],
    /// The time.
    pub now: Timestamp,
    /// Whether computers that nobody knows wait for the person's word.
    pub asks: bool,
    /// When it stops by itself.
    pub until: Option<Timestamp>,
    /// Whether two cards stand side by side.
    pub wide: bool,
    /// Whether rows of tools need a second line.
    pub narrow: bool,
}

impl Context<'_> {
    /// How many computers something keeps.
    fn troubled(&self) -> usize {
        self.journal.computers().filter(|computer| self.watch.trouble(computer.mac).is_some()).count()
    }
}

/// The name of the tab with the computers.
pub fn computers_tab_id() -> Id {
    Id::new("tab-computers")
}

/// The name of the search field.
pub fn search_id() -> Id {
    Id::new("log-search")
}

/// The name of the list of computers.
pub fn computers_id() -> Id {
    Id::new("computers")
}

/// The name of the log.
pub fn log_id() -> Id {
    Id::new("log")
}

impl Serve {
    /// Takes note of a message.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::TabPicked(tab) => self.show(tab),
            Message::Hovered(hovered) => self.hover(hovered),
            Message::ComputersScrolled(viewport) => self.computers_scrolled(viewport),
            Message::Picked(mac) => Action::Open(mac),
            Message::Searched(text) => self.search(text),
            Message::LevelPicked(level) => Action::Level(level),
            Message::LogScrolled(viewport) => self.log_scrolled(viewport),
            Message::LinePicked(line) => self.pick(Some(*line)),
            Message::LineClosed => self.pick(None),
            Message::TroubleAsked => self.show_trouble(),
            Message::Followed(follow) => self.follow(follow),
            Message::Paused(paused) => Action::Pause(paused),
            Message::LogCopied => Action::Copy,
            Message::LogSaved => Action::Save,
            Message::Stopped => Action::Stop,
            Message::Restarted => Action::Start,
            Message::WorkBeside => Action::WorkBeside,
            Message::Decided(mac, approved) => Action::Decide(mac, approved),
            Message::JobsAsked => Action::Jobs,
            Message::SafetyAsked => Action::Safety,
        }
    }

    /// Shows a tab.
    pub fn show(&mut self, tab: Tab) -> Action {
        self.tab = tab;
        // The pointer may be over another list now, and says so only when it moves.
        self.hovered = false;
        if tab == Tab::Log && self.log.follows() { Action::ToEnd } else { Action::None }
    }

    /// Computers in the order in which they are drawn.
    pub fn order(&self) -> &[Mac] {
        &self.order
    }

    /// The tab that is shown.
    pub fn tab(&self) -> Tab {
        self.tab
    }

    fn hover(&mut self, hovered: bool) -> Action {
        self.hovered = hovered;
        Action::None
    }

    fn computers_scrolled(&mut self, viewport: scrollable::Viewport) -> Action {
        self.computers.scrolled(viewport);
        self.computers.set_follow(false);
        Action::None
    }

    fn search(&mut self, text: String) -> Action {
        self.search = text.clone();
        Action::Search(text)
    }

    fn log_scrolled(&mut self, viewport: scrollable::Viewport) -> Action {
        self.log.scrolled(viewport);
        Action::None
    }

    fn pick(&mut self, line: Option<Line>) -> Action {
        self.picked = line;
        Action::None
    }

    /// Those that need somebody are the first ones.
    fn show_trouble(&mut self) -> Action {
        let _ = self.show(Tab::Computers);
        Action::ToTop
    }

    fn follow(&mut self, follow: bool) -> Action {
        self.log.set_follow(follow);
        if follow { Action::ToEnd } else { Action::None }
    }

    /// Whether the end of the log is to stay in view.
    pub fn follows(&self) -> bool {
        self.tab == Tab::Log && self.log.follows()
    }

    /// Takes over who is there now: those that something keeps, and then the others, the one heard last first. That order
    /// is taken only while the pointer is elsewhere: nothing jumps from under it.
    pub fn arrange(&mut self, journal: &Journal, watch: &Watch) {
        let mut order: Vec<Mac> = journal.by_activity().into_iter().map(|computer| computer.mac).collect();
        // A stable sort. A computer that is kept goes silent, and would sink below all that are well.
        order.sort_by_key(|mac| watch.trouble(*mac).is_none());
        if self.hovered {
            self.order.retain(|mac| order.contains(mac));
            order.retain(|mac| !self.order.contains(mac));
            self.order.extend(order);
        } else {
            self.order = order;
        }
    }

    /// What ends or begins the services.
    pub fn primary(&self, context: Context<'_>) -> Primary<Message> {
        match context.serving {
            Serving::On { .. } => {
                let busy = context.journal.active(context.now).count();
                let label = match busy {
                    0 => "Stop serving".to_owned(),
                    1 => "Stop, with 1 computer booting".to_owned(),
                    count => format!("Stop, with {count} computers booting"),
                };
                Primary { danger: true, ..Primary::ready(label, Message::Stopped) }
            }
            Serving::Stopping => Primary::waiting("Stop serving", "Stopping…", None),
            Serving::No | Serving::Ended(_) => Primary::ready("Check and start again", Message::Restarted),
        }
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, context: Context<'a>) -> Page<'a, Message> {
        let count = context.journal.count();
        let kept = match context.troubled() {
            0 => None,
            1 => Some("1 needs you".to_owned()),
            count => Some(format!("{count} need you")),
        };
        let kept = kept.map(|words| {
            let words = marked(Icon::Caution, words, Tone::Bad);
            press(words).look(Look::Line).padding([6, 12]).on_press(Message::TroubleAsked)
        });
        let tabs = row![
            self.tab_button(Tab::Computers, format!("Computers ({count})")),
            self.tab_button(Tab::Log, "Log".to_owned()),
            press(small("Job sheet…", Tone::Ink)).look(Look::Line).padding([6, 12]).on_press(Message::JobsAsked),
            press(small("Safety…", Tone::Ink)).look(Look::Line).padding([6, 12]).on_press(Message::SafetyAsked),
        ];
        let tabs = tabs.push(kept);
        // Beside the tabs there is room for more than the address in a wide window only.
        let more = context.asks || context.until.is_some();
        let (beside, below) = match (context.narrow, more && !context.wide) {
            (true, false) => (None, None),
            (_, true) => (None, Some(listening(context))),
            (false, false) => (Some(listening(context)), None),
        };
        let tabs = match beside {
            Some(beside) => tabs.push(space::horizontal()).push(beside),
            None => tabs,
        };
        let content: Element<'a, Message> = match self.tab {
            Tab::Computers => self.computers(context, count),
            Tab::Log => self.log(context),
        };
        let (title, sentence) = match context.serving {
            Serving::On { .. } => (
                "Turn on a computer and choose network boot",
                "Often F12, F9 or Esc right after power-on. Each computer that asks appears here.",
            ),
            Serving::Stopping => ("Stopping", "Leases are saved and the ports are given back."),
            Serving::No | Serving::Ended(None) => {
                ("Stopped", "All ports are free again and nothing was left behind. What happened stays here to read.")
            }
            Serving::Ended(Some(_)) => ("Serving has ended", "What happened until then stays here to read."),
        };
        Page {
            title: title.to_owned(),
            sentence: sentence.to_owned(),
            body: column![tabs.spacing(gap::TIGHT).align_y(Alignment::Center)]
                .push(below)
                .push(content)
                .spacing(gap::CARD)
                .height(Fill)
                .into(),
            scrolls_itself: true,
            primary: self.primary(context),
            aside: None,
        }
    }

    fn tab_button<'a>(&self, tab: Tab, words: String) -> Element<'a, Message> {
        let look = if self.tab == tab { Look::CurrentLine } else { Look::Line };
        let id = if tab == Tab::Computers { computers_tab_id() } else { Id::new("tab-log") };
        press(small(words, Tone::Ink)).id(id).look(look).padding([6, 12]).on_press(Message::TabPicked(tab)).into()
    }

    fn computers<'a>(&'a self, context: Context<'a>, count: usize) -> Element<'a, Message> {
        let mut above: Vec<Element<'a, Message>> = Vec::new();
        if let Serving::Ended(Some(finding)) = context.serving {
            above.push(notice::finding(Tone::Bad, finding, None));
        }
        if let (Serving::On { .. }, Some(finding)) = (context.serving, context.foreign) {
            let button = press(small("Work beside it", Tone::Ink)).look(Look::Secondary).padding([6, 12]);
            above.push(notice::finding(Tone::Bad, finding, Some(button.on_press(Message::WorkBeside).into())));
        }
        above.extend(waiting::strips(context));
        if count == 0 {
            above.extend(context.cautions.iter().map(|finding| notice::finding(Tone::Caution, finding, None)));
            above.push(nobody_yet(context));
            return scroll(Column::with_children(above).spacing(gap::CARD).into());
        }
        let computers: Vec<&Computer> = self.order.iter().filter_map(|mac| context.journal.computer(*mac)).collect();
        let list: Element<'a, Message> = if count <= FULL_CARDS {
            scroll(column![].extend(above).push(card::cards(&computers, context)).spacing(gap::CARD).into())
        } else {
            let rows = list::view(
                computers_id(),
                self.computers,
                computers.len(),
                COMPACT,
                Message::ComputersScrolled,
                |from, count| {
                    computers.iter().skip(from).take(count).map(|computer| card::compact(computer, context)).collect()
                },
            );
            column![].extend(above).push(rows).spacing(gap::CARD).into()
        };
        mouse_area(list).on_enter(Message::Hovered(true)).on_exit(Message::Hovered(false)).into()
    }
}

fn scroll<'a>(content: Element<'a, Message>) -> Element<'a, Message> {
    let content = container(content).padding(iced::Padding::ZERO.bottom(gap::CARD).right(gap::INSIDE));
    scrollable(content).id(computers_id()).width(Fill).height(Fill).style(theme::scroll).into()
}

/// Where the tree begins, as people write it.
fn address(url: &str) -> &str {
    let url = url.trim_end_matches('/');
    url.strip_suffix(":80").unwrap_or(url)
}

fn listening<'a>(context: Context<'a>) -> Element<'a, Message> {
    match context.serving {
        Serving::On { plan, url, .. } => {
            let asks = context.asks.then(|| "asks you first".to_owned());
            let until = context.until.map(|until| format!("stops at {}", clock::minute(until)));
            let words = [format!("{} · {}", text::plain(&plan.interface, 24), address(url))];
            let words: Vec<String> = words.into_iter().chain(asks).chain(until).collect();
            marked(Icon::Check, words.join(" · "), Tone::Good).into()
        }
        Serving::Stopping => marked(Icon::Info, "Stopping…", Tone::Soft).into(),
        Serving::No | Serving::Ended(_) => marked(Icon::Close, "Not listening", Tone::Soft).into(),
    }
}

/// Before the first computer: what we listen on, which keys to press, and after a while what may be wrong.
fn nobody_yet<'a>(context: Context<'a>) -> Element<'a, Message> {
    let Serving::On { plan, url, .. } = context.serving else {
        return card(column![body("No computer asked to boot.")]).into();
    };
    let addresses = match &plan.dhcp {
        DhcpPlan::Full { range, .. } => format!("Hands out {} to {}", range.first, range.last),
        DhcpPlan::Proxy => "Works beside the network's own DHCP server".to_owned(),
        DhcpPlan::Off => "Leaves all addresses to another DHCP server".to_owned(),
    };
    let facts = column![
        marked(Icon::Cable, format!("{} as {}", text::plain(&plan.interface, 24), plan.network.addr()), Tone::Ink),
        marked(Icon::Layers, addresses, Tone::Ink),
        marked(Icon::Disc, format!("Menu and images from {}", address(url)), Tone::Ink),
    ];
    let keys = [
        ("Dell, Lenovo, Acer", "F12"),
        ("HP", "F9, or Esc and then F9"),
        ("ASUS", "Esc or F8"),
        ("MSI, Gigabyte", "F11 or F12"),
        ("Surface", "Volume down and power"),
        ("Virtual machines", "Network first in the boot order"),
    ];
    let keys = keys.into_iter().map(|(maker, key)| row![soft(maker).width(150), small(key, Tone::Ink)].into());
    let keys = column![soft("The key for the boot menu")].push(Column::with_children(keys).spacing(3)).spacing(6);
    let hint = context.watch.nothing().map(notice::cause);
    let head = row![icon::sized(Icon::Computer, Tone::Accent, 36.0), section("Waiting for the first computer")]
        .spacing(gap::CARD)
        .align_y(Alignment::Center);
    let both = row![facts.spacing(gap::SMALL).width(Fill), keys.width(Fill)].spacing(gap::SECTION);
    column![card(column![head, both].spacing(gap::INSIDE))].push(hint).spacing(gap::CARD).into()
}
