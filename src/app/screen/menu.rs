//! What computers show: the entries in their order, what starts by itself, and a preview as computers draw it.

pub mod answers;
pub mod guard;
mod loaders;
mod strangers;

use iced::advanced::widget::Id;
use iced::widget::{Column, column, container, row, space, text_input};
use iced::{Alignment, Element, Fill, Font};

use self::answers::{Change, Preview, Wanted};
use crate::app::icon::Icon;
use crate::app::theme::{self, Ground, Look, Tone, size, space as gap};
use crate::app::widget::card::{card, icon_button, radio};
use crate::app::widget::page::{Page, Primary};
use crate::app::widget::press::press;
use crate::app::widget::words::{badge, body, marked, memory, section, small, soft};
use crate::boot::loader::{Loaders, Preference};
use crate::boot::menu::{self, Asker, Edit, Item, Line, Menu as Model, ipxe};
use crate::boot::password::Hash;
use crate::deployment::{MAX_MENU_TIMEOUT, MENU_TIMEOUT, Settings};
use crate::image::Firmware;
use crate::text;

/// What the page keeps for itself.
#[derive(Clone, Debug)]
pub struct Menu {
    /// The entry whose details are open.
    open: Option<String>,
    /// The time-out as it is being typed; it may be no number yet.
    timeout: Option<String>,
    /// The firmware whose menu is drawn.
    firmware: Firmware,
    /// The answer file that is shown filled in.
    preview: Option<Preview>,
    /// The password that is being typed for the open entry.
    password: guard::Typed,
}

impl std::default::Default for Menu {
    fn default() -> Menu {
        Menu { open: None, timeout: None, firmware: Firmware::Uefi, preview: None, password: guard::Typed::default() }
    }
}

/// What happened on the page.
#[derive(Clone, Debug)]
pub enum Message {
    /// An entry's details are to be shown or hidden.
    Unfolded(String),
    /// A title is being typed.
    TitleTyped(String, String),
    /// An entry's own arguments are being typed.
    AppendTyped(String, String),
    /// The arguments of all entries are being typed.
    AppendAllTyped(String),
    /// An entry moves by so many places.
    Moved(String, isize),
    /// An entry is shown, or hidden.
    Hidden(String, bool),
    /// An entry starts once on each computer, or each time.
    OnceSet(String, bool),
    /// A password is being typed, for the first or the second time.
    PasswordTyped(bool, String),
    /// An entry gets the password that was typed.
    PasswordSet(String),
    /// An entry has no password any more.
    PasswordCleared(String),
    /// This starts by itself: an entry, or the computer's own disk.
    DefaultPicked(Option<String>),
    /// The time-out is being typed.
    TimeoutTyped(String),
    /// Computers get loaders of this kind.
    LoaderPicked(Preference),
    /// Unknown computers are asked about, or not.
    AskPicked(bool),
    /// The preview is drawn for this firmware.
    FirmwarePicked(Firmware),
    /// Something about answer files is changed.
    AnswersChanged(Change),
    /// A file is to be chosen for this in the system's dialog.
    AnswersBrowsed(Wanted),
    /// An entry's answer file is to be shown filled in, or hidden.
    PreviewToggled(String),
    /// It is to be shown for another computer, so many places on.
    PreviewStepped(isize),
    /// On to the next step.
    Continued,
}

/// What the page wants done.
#[derive(Clone, Debug)]
pub enum Action {
    /// Nothing more.
    None,
    /// Give this the focus.
    Focus(Id),
    /// Change an answer.
    Edit(Edited),
    /// Change something about answer files, and read them.
    Answers(Change),
    /// Let the person choose a file for this.
    Browse(Wanted),
    /// Fill in the answer file that is shown.
    FillIn,
    /// Go on.
    Next,
}

/// A change of the menu.
#[derive(Clone, Debug)]
pub enum Edited {
    /// A title; empty is the image's own.
    Title(String, String),
    /// More kernel arguments of an entry.
    Append(String, String),
    /// More kernel arguments of all entries.
    AppendAll(String),
    /// Move an entry.
    Move(String, isize),
    /// Show or hide an entry.
    Hide(String, bool),
    /// Start an entry once, or each time.
    Once(String, bool),
    /// Ask for a password, or for none.
    Password(String, Option<Hash>),
    /// What starts by itself.
    Default(Option<String>),
    /// After how many seconds.
    Timeout(u32),
    /// Which loaders computers get.
    Loader(Preference),
    /// Whether unknown computers are asked about.
    AskFirst(bool),
}

/// What the page is shown from.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The answers so far.
    pub draft: &'a Settings,
    /// Every entry of the images, before any edit.
    pub items: &'a [Item],
    /// The boot loaders that there are.
    pub loaders: &'a Loaders,
    /// The answer files, once they are read.
    pub answers: Option<&'a answers::Read>,
    /// Whether the preview has room beside the entries.
    pub wide: bool,
}

impl Context<'_> {
    /// All entries in their order with their titles, hidden ones too.
    fn rows(&self) -> Vec<(Item, bool)> {
        let hidden = |item: &Item| self.edit(&item.id).is_some_and(|edit| edit.hidden);
        let all = menu::ordered(self.items.to_vec(), &self.draft.entry);
        all.into_iter().map(|item| (hidden(&item), item)).map(|(hidden, item)| (item, hidden)).collect()
    }

    fn model(&self) -> Model {
        self.draft.menu_of(self.items.to_vec())
    }

    fn timeout(&self) -> u32 {
        self.draft.menu_timeout.unwrap_or(MENU_TIMEOUT)
    }

    fn edit(&self, id: &str) -> Option<&Edit> {
        menu::edit_of(&self.draft.entry, id)
    }
}

/// The name of the field for arguments of all entries.
fn append_id() -> Id {
    Id::new("append-all")
}

fn timeout_id() -> Id {
    Id::new("timeout")
}

impl Menu {
    /// Takes note of a message.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Unfolded(id) => self.unfold(id),
            Message::TitleTyped(id, title) => Action::Edit(Edited::Title(id, title)),
            Message::AppendTyped(id, text) => Action::Edit(Edited::Append(id, text)),
            Message::AppendAllTyped(text) => Action::Edit(Edited::AppendAll(text)),
            Message::Moved(id, by) => Action::Edit(Edited::Move(id, by)),
            Message::Hidden(id, hidden) => Action::Edit(Edited::Hide(id, hidden)),
            Message::OnceSet(id, once) => Action::Edit(Edited::Once(id, once)),
            Message::PasswordTyped(second, text) => {
                self.password.typed(second, text);
                Action::None
            }
            Message::PasswordSet(id) => match self.password.finish() {
                Some(hash) => Action::Edit(Edited::Password(id, Some(hash))),
                None => Action::None,
            },
            Message::PasswordCleared(id) => Action::Edit(Edited::Password(id, None)),
            Message::DefaultPicked(id) => Action::Edit(Edited::Default(id)),
            Message::TimeoutTyped(text) => self.timeout_typed(text),
            Message::LoaderPicked(preference) => Action::Edit(Edited::Loader(preference)),
            Message::AskPicked(asks) => Action::Edit(Edited::AskFirst(asks)),
            Message::FirmwarePicked(firmware) => self.draw_for(firmware),
            Message::AnswersChanged(change) => Action::Answers(change),
            Message::AnswersBrowsed(wanted) => Action::Browse(wanted),
            Message::PreviewToggled(entry) => self.toggle_preview(entry),
            Message::PreviewStepped(by) => self.step_preview(by),
            Message::Continued => Action::Next,
        }
    }

    /// The page or the entry is left: a password that was typed twice alike counts, whether "Set" was pressed or not.
    pub fn leave(&mut self) -> Option<Edited> {
        let id = self.open.clone()?;
        self.password.finish().map(|hash| Edited::Password(id, Some(hash)))
    }

    fn unfold(&mut self, id: String) -> Action {
        let edit = self.leave();
        self.password = guard::Typed::default();
        let closes = self.open.as_ref() == Some(&id);
        let title = title_id(&id);
        self.open = (!closes).then_some(id);
        match edit {
            Some(edit) => Action::Edit(edit),
            None if closes => Action::None,
            None => Action::Focus(title),
        }
    }

    fn toggle_preview(&mut self, entry: String) -> Action {
        let open = self.preview.as_ref().is_some_and(|preview| preview.is_of(&entry));
        self.preview = (!open).then(|| Preview::of(entry));
        Action::FillIn
    }

    /// Which entry's answer file is shown, and for the computer at which place of the list.
    pub fn previewed(&self) -> Option<(&str, usize)> {
        self.preview.as_ref().map(Preview::wanted)
    }

    /// Takes what was filled in, if it is still wanted.
    pub fn show(&mut self, entry: &str, at: usize, shown: answers::Shown) {
        if let Some(preview) = self.preview.as_mut().filter(|preview| preview.wanted() == (entry, at)) {
            preview.show(shown);
        }
    }

    fn step_preview(&mut self, by: isize) -> Action {
        if let Some(preview) = &mut self.preview {
            preview.step(by);
        }
        Action::FillIn
    }

    fn draw_for(&mut self, firmware: Firmware) -> Action {
        self.firmware = firmware;
        Action::None
    }

    fn timeout_typed(&mut self, text: String) -> Action {
        // Nothing but digits can be typed.
        if !text.chars().all(|letter| letter.is_ascii_digit()) || text.len() > 6 {
            return Action::None;
        }
        let seconds = text.parse().ok().filter(|seconds| *seconds <= MAX_MENU_TIMEOUT);
        self.timeout = seconds.is_none().then_some(text);
        seconds.map_or(Action::None, |seconds| Action::Edit(Edited::Timeout(seconds)))
    }

    /// What leads on from here, or what is missing for that.
    pub fn primary(&self, context: Context<'_>) -> Primary<Message> {
        const LABEL: &str = "Check everything";
        let objection = |text: &Option<String>| text.as_deref().and_then(ipxe::objection);
        let wrong = context.draft.entry.iter().find(|edit| objection(&edit.append).is_some());
        match () {
            () if self.timeout.is_some() => {
                Primary::waiting(LABEL, "The time needs a number up to 86400", Some(timeout_id()))
            }
            () if objection(&context.draft.append).is_some() => {
                Primary::waiting(LABEL, "The extra arguments cannot be used", Some(append_id()))
            }
            () if context.answers.is_some_and(|read| read.is_err()) && !context.draft.answers.is_empty() => {
                let reason = answers::hindrance(context.answers).unwrap_or_default();
                Primary::waiting(LABEL, reason, None)
            }
            () if context.items.iter().any(|item| self.open.as_ref() == Some(&item.id))
                && self.password.hindrance().is_some() =>
            {
                Primary::waiting(LABEL, "The new password cannot be kept yet", Some(guard::password_id()))
            }
            () if let Some(edit) = wrong => {
                let reason = format!("The arguments of {} cannot be used", edit.id);
                Primary::waiting(LABEL, reason, Some(entry_append_id(&edit.id)))
            }
            () => Primary::ready(LABEL, Message::Continued),
        }
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, context: Context<'a>) -> Page<'a, Message> {
        let rows = context.rows();
        let count = rows.len();
        let model = context.model();
        let entries = rows.into_iter().enumerate().map(|(at, row)| self.entry(context, row, at, count));
        let default = context.draft.default_entry.as_deref();
        let local = default.is_none_or(|default| default == "local");
        let own_disk = row![
            hit(radio(local), Message::DefaultPicked(None)),
            column![body(menu::OWN_DISK), soft("Each computer starts as always; nothing on it is changed")]
                .spacing(2)
                .width(Fill),
        ];
        let own_disk = card(own_disk.spacing(gap::SMALL).align_y(Alignment::Center)).padding([8, 12]);
        let list = column![
            row![section("Entries"), space::horizontal(), soft("The marked one starts by itself")]
                .align_y(Alignment::Center),
            own_disk,
        ];
        let list = list.extend(entries).spacing(gap::SMALL);
        let left = column![list, self.waiting(context)]
            .push(answers::for_all(context, context.answers))
            .push(self.append_all(context))
            .push(strangers::choice(context))
            .push(loaders::table(context))
            .spacing(gap::SECTION);
        let preview = self.preview(&model);
        let content: Element<'a, Message> = if context.wide {
            row![left.width(Fill), container(preview).width(344)].spacing(gap::SECTION).into()
        } else {
            column![left, preview].spacing(gap::SECTION).into()
        };
        Page {
            title: "Choose what computers will show".to_owned(),
            sentence: "Computers show this menu, and start the marked entry by themselves.".to_owned(),
            body: content,
            scrolls_itself: false,
            primary: self.primary(context),
            aside: None,
        }
    }

    fn entry<'a>(
        &'a self,
        context: Context<'a>,
        (item, hidden): (Item, bool),
        at: usize,
        count: usize,
    ) -> Element<'a, Message> {
        let id = item.id.clone();
        let chosen = context.draft.default_entry.as_deref() == Some(id.as_str());
        let open = self.open.as_deref() == Some(id.as_str());
        let tone = if hidden { Tone::Soft } else { Tone::Ink };
        let pick = (!hidden).then(|| Message::DefaultPicked(Some(id.clone())));
        let mark = press(radio(chosen)).look(Look::Quiet).padding(2).on_press_maybe(pick);
        let title = body(text::plain(&item.entry.title, 80)).style(theme::toned(tone));
        let badges = firmware_badge(&item)
            .into_iter()
            .chain(answers::mark(context, &item))
            .chain(guard::marks(&item))
            .chain(hidden.then(|| badge("hidden", Tone::Caution)));
        let memory = item.entry.min_ram_mb.map(|mib| format!("{} of memory or more", memory(mib)));
        let below = match item.entry.firmware.as_slice() {
            [Firmware::Bios] if chosen => {
                small("UEFI computers cannot start it, and start their own disk", Tone::Caution)
            }
            [Firmware::Uefi] if chosen => {
                small("BIOS computers cannot start it, and start their own disk", Tone::Caution)
            }
            _ => soft(memory.unwrap_or_else(|| text::plain(&item.id, 60))),
        };
        let words = column![row![title].extend(badges).spacing(gap::SMALL).align_y(Alignment::Center), below,];
        let eye = if hidden { (Icon::EyeOff, "Show it in the menu") } else { (Icon::Eye, "Leave it out of the menu") };
        let up = (at > 0).then(|| Message::Moved(id.clone(), -1));
        let down = (at + 1 < count).then(|| Message::Moved(id.clone(), 1));
        let head = row![
            mark,
            container(words.spacing(2)).padding(iced::Padding::ZERO.left(6)).width(Fill),
            icon_button(Icon::Pencil, pencil_words(&item), Some(Message::Unfolded(id.clone()))),
            icon_button(eye.0, eye.1, Some(Message::Hidden(id.clone(), !hidden))),
            icon_button(Icon::Up, "Move up", up),
            icon_button(Icon::Down, "Move down", down),
        ];
        let head = head.spacing(2).align_y(Alignment::Center);
        let details = open.then(|| details(context, &item, self.preview.as_ref(), &self.password));
        card(column![head].push(details).spacing(gap::CARD)).padding([8, 12]).into()
    }

    fn waiting<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let shown = self.timeout.clone().unwrap_or_else(|| context.timeout().to_string());
        let field = text_input("30", &shown)
            .id(timeout_id())
            .on_input(Message::TimeoutTyped)
            .padding([8, 12])
            .width(88)
            .size(size::BODY)
            .style(theme::field(self.timeout.is_some()));
        let words = match (context.timeout(), self.timeout.is_some()) {
            (_, true) => small("seconds: needs a number from 0 to 86400, which is a day", Tone::Bad),
            (0, _) => soft("seconds: it starts at once, without a menu"),
            (_, _) => soft("seconds without a key; then the marked entry starts"),
        };
        let line = row![field, words].spacing(gap::CARD).align_y(Alignment::Center);
        column![section("How long the menu waits"), line].spacing(gap::SMALL).into()
    }

    fn append_all<'a>(&'a self, context: Context<'a>) -> Element<'a, Message> {
        let typed = context.draft.append.as_deref().unwrap_or_default();
        let objection = ipxe::objection(typed);
        let field = text_input("For experts, like console=ttyS0,115200", typed)
            .id(append_id())
            .on_input(Message::AppendAllTyped)
            .padding([8, 12])
            .size(size::BODY)
            .style(theme::field(objection.is_some()));
        let words = objection.map(|why| marked(Icon::Stop, format!("Cannot be used: {why}."), Tone::Bad));
        column![section("Extra kernel arguments for every Linux entry"), field].push(words).spacing(gap::SMALL).into()
    }

    fn preview<'a>(&self, model: &Model) -> Element<'a, Message> {
        let tab = |name: &'static str, firmware: Firmware| {
            let look = if self.firmware == firmware { Look::CurrentLine } else { Look::Line };
            press(small(name, Tone::Ink)).look(look).padding([5, 12]).on_press(Message::FirmwarePicked(firmware))
        };
        let head = row![
            section("What they see"),
            space::horizontal(),
            tab("BIOS", Firmware::Bios),
            tab("UEFI", Firmware::Uefi)
        ];
        column![head.spacing(gap::TIGHT).align_y(Alignment::Center), screen(model, self.firmware)]
            .spacing(gap::SMALL)
            .into()
    }
}

/// A mark that can be pressed.
fn hit<'a>(mark: Element<'a, Message>, message: Message) -> Element<'a, Message> {
    press(mark).look(Look::Quiet).padding(2).on_press(message).into()
}

fn pencil_words(item: &Item) -> &'static str {
    match item.entry.answering {
        Some(_) => "Title, arguments, password, answer file",
        None => "Title, arguments, password",
    }
}

fn firmware_badge<'a>(item: &Item) -> Option<Element<'a, Message>> {
    match item.entry.firmware.as_slice() {
        [Firmware::Bios] => Some(badge("BIOS only", Tone::Soft)),
        [Firmware::Uefi] => Some(badge("UEFI only", Tone::Soft)),
        _ => None,
    }
}

fn title_id(id: &str) -> Id {
    Id::from(format!("title-{id}"))
}

fn entry_append_id(id: &str) -> Id {
    Id::from(format!("append-{id}"))
}

fn details<'a>(
    context: Context<'a>,
    item: &Item,
    preview: Option<&Preview>,
    password: &'a guard::Typed,
) -> Element<'a, Message> {
    let own = context.items.iter().find(|own| own.id == item.id).map(|own| own.entry.title.clone()).unwrap_or_default();
    let edit = context.edit(&item.id);
    let title = edit.and_then(|edit| edit.title.as_deref()).unwrap_or_default();
    let append = edit.and_then(|edit| edit.append.as_deref()).unwrap_or_default();
    let (for_title, for_append) = (item.id.clone(), item.id.clone());
    let objection = ipxe::objection(append);
    let title = text_input(&own, title)
        .id(title_id(&item.id))
        .on_input(move |text| Message::TitleTyped(for_title.clone(), text))
        .padding([8, 12])
        .size(size::BODY)
        .style(theme::field(false));
    let arguments = text_input("none", append)
        .id(entry_append_id(&item.id))
        .on_input(move |text| Message::AppendTyped(for_append.clone(), text))
        .padding([8, 12])
        .size(size::BODY)
        .style(theme::field(objection.is_some()));
    let words = objection.map(|why| marked(Icon::Stop, format!("Cannot be used: {why}."), Tone::Bad));
    column![soft("Title in the menu"), title, soft("Extra kernel arguments of this entry"), arguments]
        .push(words)
        .push(guard::of_entry(item, password))
        .push(answers::of_entry(context, item, context.answers, preview))
        .spacing(gap::TIGHT + 2.0)
        .into()
}

/// The menu as iPXE draws it on a text screen: the heading, the entries with a bar on the chosen one, the seconds left.
fn screen<'a>(model: &Model, firmware: Firmware) -> Element<'a, Message> {
    const MOST: usize = 15;
    let asker = Asker { firmware: Some(firmware), arch: None };
    let chosen = model.chosen(asker).map(|item| item.id.clone());
    let letters = |words: String| {
        iced::widget::text(words).size(12).font(Font::MONOSPACE).wrapping(iced::widget::text::Wrapping::None)
    };
    let line = |words: String, marked: bool| {
        container(letters(words)).width(Fill).padding([1, 8]).clip(true).style(move |_| container::Style {
            background: marked.then(|| theme::SCREEN_CHOSEN.into()),
            text_color: Some(theme::SCREEN_TEXT),
            ..container::Style::default()
        })
    };
    let lines = model.top(asker);
    let more = lines.len().saturating_sub(MOST);
    let entries = lines.into_iter().take(MOST).map(|shown| match shown {
        Line::Local => line(menu::OWN_DISK.to_owned(), chosen.is_none()).into(),
        Line::Item(item) => line(ipxe::text(&item.entry.title), chosen.as_ref() == Some(&item.id)).into(),
        Line::Group(group) => line(format!("{} ...", ipxe::text(&group.title())), false).into(),
    });
    let entries = Column::with_children(entries);
    let count = match model.timeout {
        0 => "no menu: starts at once".to_owned(),
        seconds => format!("({seconds})"),
    };
    let content = column![container(letters(menu::HEADING.to_owned())).center_x(Fill).padding([2, 8]), entries,]
        .push((more > 0).then(|| line(format!("… and {more} more"), false)))
        .push(container(letters(count)).align_right(Fill).padding([2, 8]));
    container(content.spacing(2)).padding([14, 6]).width(Fill).style(theme::ground(Ground::Screen)).into()
}
