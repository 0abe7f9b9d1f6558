//! Where the computers are: the interface, and who hands out addresses.

use iced::advanced::widget::Id;
use iced::widget::{Column, column, row, space, text_input};
use iced::{Alignment, Element, Fill};
use ipnet::Ipv4Net;

use crate::app::icon::{self, Icon};
use crate::app::theme::{self, Look, Tone, size, space as gap};
use crate::app::widget::card::{card, choice, hint, option, radio, small_button};
use crate::app::widget::notice;
use crate::app::widget::page::{Page, Primary};
use crate::app::widget::press::press;
use crate::app::widget::words::{badge, body, marked, section, shortened, small, soft};
use crate::check::{self, Advice};
use crate::deployment::Saved;
use crate::deployment::{self, DhcpMode, Settings};
use crate::engine::probe::Probe;
use crate::net::Interface;
use crate::net::interface::Kind;
use crate::text;

/// What the page keeps for itself.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// Whether the interfaces that rarely matter are shown.
    others: bool,
    /// Whether a saved deployment can be chosen from the whole list.
    all_saved: bool,
}

/// What happened on the page.
#[derive(Clone, Debug)]
pub enum Message {
    /// An interface was picked.
    Picked(String),
    /// The other interfaces were unfolded or folded.
    OthersToggled,
    /// All saved deployments were unfolded or folded.
    SavedToggled,
    /// A way of handing out addresses was picked.
    ModePicked(DhcpMode),
    /// Something was typed into the range.
    RangeTyped(String),
    /// The network is to be asked once more.
    AskedAgain,
    /// An address is to be set on the interface.
    AddressWanted(Ipv4Net),
    /// A saved deployment is to be opened.
    Opened(std::path::PathBuf),
    /// On to the next step.
    Continued,
}

/// What the page wants done.
#[derive(Clone, Debug)]
pub enum Action {
    /// Nothing more.
    None,
    /// Serve this interface.
    Choose(String),
    /// Hand out addresses this way, by the user's own word.
    Mode(DhcpMode),
    /// Hand out these addresses; empty is the proposal.
    Range(String),
    /// Ask the network for other DHCP servers.
    Probe,
    /// Set this address on the chosen interface.
    SetAddress(Ipv4Net),
    /// Open a saved deployment.
    Open(std::path::PathBuf),
    /// Go on.
    Next,
}

/// What the network says about other DHCP servers.
#[derive(Clone, Debug, Default)]
pub enum Asking {
    /// Nobody was asked yet.
    #[default]
    NotYet,
    /// The answer is awaited.
    Waiting,
    /// The answer.
    Heard(Probe),
}

/// What the page is shown from.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The answers so far.
    pub draft: &'a Settings,
    /// The interfaces as they are now.
    pub interfaces: &'a [Interface],
    /// What the network says.
    pub asking: &'a Asking,
    /// What that means for who hands out addresses.
    pub advice: Option<&'a Advice>,
    /// Saved deployments.
    pub saved: &'a [Saved],
    /// Why an address could not be set.
    pub trouble: Option<&'a check::Finding>,
    /// An address is being set just now.
    pub setting_address: bool,
}

impl<'a> Context<'a> {
    /// The chosen interface, where it is there.
    pub fn interface(&self) -> Option<&'a Interface> {
        let name = self.draft.interface.as_ref()?;
        self.interfaces.iter().find(|interface| interface.is_called(name))
    }

    fn mode(&self) -> DhcpMode {
        self.draft.dhcp.unwrap_or(DhcpMode::Proxy)
    }
}

/// Whether an interface stands on the page by itself: cables and Wi-Fi. The rest is folded away.
pub fn is_usual(interface: &Interface) -> bool {
    matches!(interface.kind, Kind::Wired | Kind::Wifi)
}

/// The name of the field for the range.
pub fn range_id() -> Id {
    Id::new("range")
}

fn card_id(interface: &Interface) -> Id {
    Id::from(format!("interface-{}", interface.name))
}

/// Where the focus is when the page opens: at the chosen interface.
pub fn first_focus(context: Context<'_>) -> Option<Id> {
    context.interface().or(context.interfaces.first()).map(card_id)
}

impl Network {
    /// Takes note of a message.
    pub fn update(&mut self, message: Message) -> Action {
        match message {
            Message::Picked(name) => Action::Choose(name),
            Message::OthersToggled => self.toggle_others(),
            Message::SavedToggled => self.toggle_saved(),
            Message::ModePicked(mode) => Action::Mode(mode),
            Message::RangeTyped(text) => Action::Range(text),
            Message::AskedAgain => Action::Probe,
            Message::AddressWanted(address) => Action::SetAddress(address),
            Message::Opened(path) => Action::Open(path),
            Message::Continued => Action::Next,
        }
    }

    fn toggle_others(&mut self) -> Action {
        self.others = !self.others;
        Action::None
    }

    fn toggle_saved(&mut self) -> Action {
        self.all_saved = !self.all_saved;
        Action::None
    }

    /// What leads on from here, or what is missing for that.
    pub fn primary(&self, context: Context<'_>) -> Primary<Message> {
        const LABEL: &str = "Use this network";
        let Some(interface) = context.interface() else {
            let reason = if context.draft.interface.is_some() { "The chosen connection is gone" } else { "Choose one" };
            return Primary::waiting(LABEL, reason, context.interfaces.first().map(card_id));
        };
        if interface.network().is_none() {
            let reason = format!("{} has no address", shortened(&friendly(interface), 24));
            return Primary::waiting(LABEL, reason, Some(Id::new("set-address")));
        }
        match (context.mode(), &context.draft.range) {
            (DhcpMode::Full, Some(range)) => match deployment::range_problem(range, interface) {
                Some(_) => Primary::waiting(LABEL, "The range cannot be used", Some(range_id())),
                None => Primary::ready(LABEL, Message::Continued),
            },
            _ => Primary::ready(LABEL, Message::Continued),
        }
    }

    /// Draws the page.
    pub fn view<'a>(&'a self, context: Context<'a>) -> Page<'a, Message> {
        let mut sections = column![].spacing(gap::SECTION);
        if !context.saved.is_empty() {
            sections = sections.push(self.saved(context.saved));
        }
        sections = sections.push(self.interfaces(context));
        if let Some(interface) = context.interface() {
            sections = sections.push(self.addresses(context, interface));
        }
        Page {
            title: "Choose where your computers are".to_owned(),
            sentence: "Bootwright listens and answers on this one connection, and on no other.".to_owned(),
            body: sections.into(),
            scrolls_itself: false,
            primary: self.primary(context),
            aside: None,
        }
    }

    fn saved<'a>(&self, saved: &'a [Saved]) -> Element<'a, Message> {
        const FIRST: usize = 3;
        let shown = if self.all_saved { saved.len() } else { FIRST };
        let lines = saved.iter().take(shown).map(saved_line);
        let more = saved.len().saturating_sub(FIRST);
        let fold = (more > 0).then(|| {
            let words = if self.all_saved { "Fewer".to_owned() } else { format!("{more} more") };
            press(small(words, Tone::Accent)).look(Look::Quiet).padding([4, 8]).on_press(Message::SavedToggled)
        });
        let head = row![section("Go on with a saved deployment"), space::horizontal()].push(fold);
        column![head, Column::with_children(lines).spacing(gap::SMALL)].spacing(gap::CARD).into()
    }

    fn interfaces<'a>(&self, context: Context<'a>) -> Element<'a, Message> {
        let chosen = context.draft.interface.as_deref();
        let mut list = column![].spacing(gap::CARD);
        let mut others: Vec<&Interface> = Vec::new();
        // Nobody boots from this computer's talk with itself.
        let shown = || context.interfaces.iter().filter(|interface| interface.kind != Kind::Loopback);
        for interface in shown() {
            let chosen_in_fold = !self.others && chosen.is_some_and(|name| interface.is_called(name));
            // While the fold is open a chosen card stays where it is: nothing jumps from under the hand.
            if is_usual(interface) || chosen_in_fold {
                list = list.push(interface_card(interface, chosen));
            } else {
                others.push(interface);
            }
        }
        if let Some(name) = chosen.filter(|_| context.interface().is_none()) {
            list = list.push(gone(name));
        }
        if context.interfaces.iter().all(|interface| interface.kind == Kind::Loopback) {
            list = list.push(notice::notice(
                Tone::Caution,
                "This computer shows no network connection.".to_owned(),
                "Plug in a network cable or an adapter; it appears here by itself.".to_owned(),
                None,
            ));
        }
        if !others.is_empty() {
            // Where there is nothing else, there is nothing to fold away from.
            let alone = others.len() == shown().count();
            list = list.push((!alone).then(|| self.fold(others.len())));
            if self.others || alone {
                list = others.into_iter().fold(list, |list, other| list.push(interface_card(other, chosen)));
            }
        }
        list.into()
    }

    fn fold<'a>(&self, count: usize) -> Element<'a, Message> {
        let (mark, words) = match self.others {
            true => (Icon::ChevronDown, format!("Other connections ({count})")),
            false => (Icon::ChevronRight, format!("Other connections ({count})")),
        };
        let content = row![icon::sized(mark, Tone::Soft, 16.0), soft(words)].spacing(6).align_y(Alignment::Center);
        press(content).look(Look::Quiet).padding([5, 8]).on_press(Message::OthersToggled).into()
    }

    fn addresses<'a>(&'a self, context: Context<'a>, interface: &'a Interface) -> Element<'a, Message> {
        let heading = section("Who gives the computers their addresses");
        let Some(_) = interface.network() else {
            return column![heading, self.no_address(context, interface)].spacing(gap::CARD).into();
        };
        let mode = context.mode();
        let advised = context.advice.map(|advice| advice.mode);
        let way = |way: DhcpMode, name: &str, meaning: String| {
            option(name.to_owned(), meaning, advised == Some(way), mode == way, Message::ModePicked(way))
                .id(Id::from(format!("mode-{name}")))
        };
        let mut ways = column![
            way(
                DhcpMode::Proxy,
                "Work beside the network's own DHCP server",
                "A router or server gives the addresses; Bootwright only adds what to boot.".to_owned(),
            ),
            way(
                DhcpMode::Full,
                "Hand out addresses",
                "For a cable or a switch of your own, with no other DHCP server on it.".to_owned(),
            ),
        ];
        if mode == DhcpMode::Proxy && matches!(context.asking, Asking::Heard(Probe::Nobody)) {
            let more =
                "Computers will get none. Choose “Hand out addresses”, unless you know of a server that stays silent.";
            let title = "Nobody answered who gives addresses.".to_owned();
            ways = ways.push(notice::notice(Tone::Caution, title, more.to_owned(), None));
        }
        if mode == DhcpMode::Full {
            ways = ways.push(range(context, interface));
        }
        ways = ways.push(way(
            DhcpMode::Off,
            "Only boot files",
            "Another DHCP server already tells computers to boot from here.".to_owned(),
        ));
        if mode == DhcpMode::Off {
            ways = ways.push(off_settings(interface));
        }
        column![heading, evidence(context), ways.spacing(gap::CARD)].spacing(gap::CARD).into()
    }

    fn no_address<'a>(&'a self, context: Context<'a>, interface: &'a Interface) -> Element<'a, Message> {
        let proposal = deployment::proposed_address(context.interfaces);
        let button = small_button(Icon::Check, "Set this address", Look::Secondary)
            .id(Id::new("set-address"))
            .on_press_maybe((!context.setting_address).then_some(Message::AddressWanted(proposal)));
        let strip = notice::notice(
            Tone::Caution,
            format!("{} has no address.", friendly(interface)),
            format!(
                "On a bench switch nobody gives it one. {proposal} suits a network of your own, and is taken away again \
                 when Bootwright closes."
            ),
            Some(button.into()),
        );
        let trouble = context.trouble.map(|trouble| notice::finding(Tone::Bad, trouble, None));
        column![strip].push(trouble).spacing(gap::CARD).into()
    }
}

fn saved_line(saved: &Saved) -> Element<'_, Message> {
    let (more, tone): (String, Tone) = match &saved.summary {
        Ok(summary) => (summary_words(summary), Tone::Soft),
        Err(error) => (check::explain_plan(error).sentence(), Tone::Bad),
    };
    let name = body(text::plain(&saved.name, 60));
    let words = column![name, small(text::plain(&more, 200), tone)].spacing(2).width(Fill);
    let when = saved.modified.map(|time| soft(crate::app::clock::day(time)));
    let line = row![icon::icon(Icon::Folder, Tone::Soft), words].push(when).spacing(gap::CARD);
    let open = saved.summary.is_ok().then(|| Message::Opened(saved.path.clone()));
    press(line.align_y(Alignment::Center)).look(Look::Card).padding([10, 16]).width(Fill).on_press_maybe(open).into()
}

fn summary_words(summary: &deployment::Summary) -> String {
    let images = match summary.images {
        0 => "no images".to_owned(),
        1 => "1 image".to_owned(),
        count => format!("{count} images"),
    };
    let interface = summary.interface.clone().unwrap_or_else(|| "no connection chosen".to_owned());
    format!("{interface} · {images}")
}

/// The name of an interface that people know, safe to show.
pub fn friendly(interface: &Interface) -> String {
    text::plain(&interface.friendly_name, 60)
}

fn kind_words(kind: Kind) -> (&'static str, Icon) {
    match kind {
        Kind::Wired => ("Cable", Icon::Cable),
        Kind::Wifi => ("Wi-Fi", Icon::Wifi),
        Kind::Virtual => ("Virtual", Icon::Layers),
        Kind::Bridge => ("Bridge", Icon::Bridge),
        Kind::Vpn => ("VPN", Icon::Shield),
        Kind::Loopback => ("This computer only", Icon::Computer),
    }
}

fn interface_card<'a>(interface: &'a Interface, chosen: Option<&str>) -> Element<'a, Message> {
    let is_chosen = chosen.is_some_and(|name| interface.is_called(name));
    let (kind, mark) = kind_words(interface.kind);
    let name = shortened(&friendly(interface), 40);
    let system = (name != interface.name).then(|| badge(text::plain(&interface.name, 20), Tone::Soft));
    let head = row![body(name)].push(system).spacing(gap::SMALL).align_y(Alignment::Center);
    let address = match interface.addresses.as_slice() {
        [] => "no address".to_owned(),
        [one] => one.to_string(),
        [one, more @ ..] => format!("{one} and {} more", more.len()),
    };
    let speed = interface.speed_mbps.filter(|_| interface.link).map(check::speed);
    let mac = interface.mac.map(|mac| mac.to_string());
    let facts: Vec<String> = [Some(kind.to_owned()), Some(address), speed, mac].into_iter().flatten().collect();
    let words = column![head, soft(facts.join("   ·   "))].spacing(gap::TIGHT).width(Fill);
    let link = match interface.link {
        true => marked(Icon::Check, "Connected", Tone::Good),
        false => marked(Icon::Close, "No link", Tone::Soft),
    };
    let line = row![radio(is_chosen), icon::sized(mark, Tone::Soft, 24.0), words, link];
    choice(line.spacing(gap::CARD).align_y(Alignment::Center), is_chosen, Some(Message::Picked(interface.name.clone())))
        .id(card_id(interface))
        .into()
}

fn gone<'a>(name: &str) -> Element<'a, Message> {
    notice::notice(
        Tone::Caution,
        format!("{} is not there any more.", text::plain(name, 40)),
        "Plug it in again, or choose another connection.".to_owned(),
        None,
    )
}

/// What was asked and heard, and what follows.
fn evidence<'a>(context: Context<'a>) -> Element<'a, Message> {
    let again = || small_button(Icon::Search, "Ask again", Look::Quiet).on_press(Message::AskedAgain);
    let line: Element<'a, Message> = match (context.asking, context.advice) {
        (Asking::NotYet | Asking::Waiting, _) => {
            marked(Icon::Search, "Asking this network for other DHCP servers…", Tone::Soft).into()
        }
        (Asking::Heard(probe), Some(advice)) => {
            let (mark, tone) = match probe {
                Probe::Answered(_) | Probe::Nobody => (Icon::Info, Tone::Accent),
                Probe::Unable(_) => (Icon::Caution, Tone::Caution),
            };
            let words = marked(mark, text::plain(&sentence_case(&advice.evidence), 300), tone);
            row![iced::widget::container(words).width(Fill), again()]
                .spacing(gap::SMALL)
                .align_y(Alignment::Center)
                .into()
        }
        (Asking::Heard(_), None) => again().into(),
    };
    line
}

fn sentence_case(words: &str) -> String {
    let text = text::capital(words);
    if text.ends_with('.') { text } else { format!("{text}.") }
}

fn range<'a>(context: Context<'a>, interface: &'a Interface) -> Element<'a, Message> {
    let proposal = deployment::proposed_range(interface).unwrap_or_default();
    let typed = context.draft.range.as_deref().unwrap_or_default();
    let problem = (!typed.is_empty()).then(|| deployment::range_problem(typed, interface)).flatten();
    let field = text_input(&proposal, typed)
        .id(range_id())
        .on_input(Message::RangeTyped)
        .padding([8, 12])
        .size(size::BODY)
        .width(340)
        .style(theme::field(problem.is_some()));
    let word = match (&problem, typed.is_empty()) {
        (Some(problem), _) => {
            let finding = check::explain_plan(problem);
            marked(Icon::Stop, format!("{} {}", finding.title, finding.next_step), Tone::Bad)
        }
        (None, true) => marked(Icon::Info, "The upper half of this network, unless you write another one.", Tone::Soft),
        (None, false) => marked(Icon::Check, left_out(typed, interface), Tone::Good),
    };
    card(column![soft("Addresses to hand out"), field, word].spacing(gap::SMALL)).into()
}

fn left_out(range: &str, interface: &Interface) -> String {
    let own = deployment::range_excludes(range, interface);
    let own: Vec<String> = own.iter().map(ToString::to_string).collect();
    match own.as_slice() {
        [] => "This range can be used.".to_owned(),
        [one] => format!("This range can be used; {one} belongs to this computer or its router and is left out."),
        more => format!(
            "This range can be used; {} belong to this computer or its router and are left out.",
            more.join(" and ")
        ),
    }
}

/// What to type into the other DHCP server, in the words of the products that people have.
fn off_settings<'a>(interface: &'a Interface) -> Element<'a, Message> {
    let own = interface.network().map(|network| network.addr().to_string()).unwrap_or_default();
    let lines = [
        ("Boot server, “next server”, option 66", own.clone()),
        ("Boot file for BIOS, option 67 (architecture 0)", "undionly.kpxe".to_owned()),
        ("Boot file for UEFI (architectures 7 and 9)", "snponly.efi".to_owned()),
        ("Boot file for clients with user class “iPXE”", format!("http://{own}/boot.ipxe")),
    ];
    let lines = lines.into_iter().map(|(name, value)| {
        row![soft(name).width(Fill), hint(small(shortened(&value, 60), Tone::Ink), "As it goes into the router")].into()
    });
    let intro = soft("Your DHCP server must say these; its boot or PXE settings have fields for them.");
    card(column![intro, Column::with_children(lines).spacing(6)].spacing(gap::CARD)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_reads_as_a_sentence() {
        assert_eq!(sentence_case("because nobody answered"), "Because nobody answered.");
    }
}
