//! The look: named colours in a light and a dark set, one grid, and the styles of every widget made from them.
//!
//! Text colours have a contrast of 4.5:1 or more on every ground that they stand on; a test holds them to it.

use iced::border::Radius;
use iced::widget::{container, progress_bar, rule, scrollable, svg, text, text_input};
use iced::{Background, Border, Color, Shadow, Theme, border, color};

/// Distances in logical pixels, all from one grid of 4.
pub mod space {
    /// Between a mark and its word.
    pub const TIGHT: f32 = 4.0;
    /// Between things that belong together.
    pub const SMALL: f32 = 8.0;
    /// Between cards.
    pub const CARD: f32 = 12.0;
    /// Inside cards.
    pub const INSIDE: f32 = 16.0;
    /// Between sections.
    pub const SECTION: f32 = 24.0;
    /// Around a page.
    pub const PAGE: f32 = 32.0;
    /// Width of the rail.
    pub const RAIL: f32 = 208.0;
    /// Widest a page gets.
    pub const WIDEST: f32 = 880.0;
}

/// Sizes of type in logical pixels.
pub mod size {
    /// A page's title.
    pub const TITLE: f32 = 26.0;
    /// A section's heading.
    pub const SECTION: f32 = 17.0;
    /// Most text.
    pub const BODY: f32 = 15.0;
    /// Second text.
    pub const SMALL: f32 = 13.0;
}

const CARD_RADIUS: f32 = 10.0;
const BUTTON_RADIUS: f32 = 8.0;

/// The named colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Colors {
    /// Behind everything.
    pub window: Color,
    /// Cards, lists, overlays.
    pub surface: Color,
    /// The chosen card, the current step.
    pub wash: Color,
    /// Borders and separators.
    pub line: Color,
    /// Text.
    pub ink: Color,
    /// Second text.
    pub soft: Color,
    /// The primary action, the focus ring, progress.
    pub accent: Color,
    /// Text on the accent.
    pub on_accent: Color,
    /// All is well.
    pub good: Color,
    /// Worth knowing.
    pub caution: Color,
    /// Stands in the way.
    pub bad: Color,
}

const LIGHT: Colors = Colors {
    window: color!(0xF4F6F8),
    surface: color!(0xFFFFFF),
    wash: color!(0xE2F1F2),
    line: color!(0xD5DBE2),
    ink: color!(0x14191F),
    soft: color!(0x525C69),
    accent: color!(0x0A6870),
    on_accent: color!(0xFFFFFF),
    good: color!(0x1A7340),
    caution: color!(0x855600),
    bad: color!(0xB3261E),
};

const DARK: Colors = Colors {
    window: color!(0x0F1317),
    surface: color!(0x181E24),
    wash: color!(0x12302F),
    line: color!(0x2D3741),
    ink: color!(0xE9EDF2),
    soft: color!(0xA3AFBC),
    accent: color!(0x56C7CE),
    on_accent: color!(0x05262A),
    good: color!(0x63CF8A),
    caution: color!(0xE8B85A),
    bad: color!(0xFF8F86),
};

/// The theme that iced carries around.
pub fn theme(dark: bool) -> Theme {
    let colors = if dark { DARK } else { LIGHT };
    let palette = iced::theme::Palette {
        background: colors.window,
        text: colors.ink,
        primary: colors.accent,
        success: colors.good,
        warning: colors.caution,
        danger: colors.bad,
    };
    Theme::custom(if dark { "Bootwright dark" } else { "Bootwright light" }, palette)
}

/// The colours of a theme that [`theme`] made.
pub fn colors(theme: &Theme) -> &'static Colors {
    if theme.palette().background == DARK.window { &DARK } else { &LIGHT }
}

/// A colour by its job, for texts and icons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Tone {
    /// Text.
    #[default]
    Ink,
    /// Second text.
    Soft,
    /// What cannot be used now.
    Faint,
    /// What is chosen or to be done.
    Accent,
    /// On the accent.
    OnAccent,
    /// All is well.
    Good,
    /// Worth knowing.
    Caution,
    /// Stands in the way.
    Bad,
}

impl Tone {
    /// Its colour in a theme.
    pub fn of(self, theme: &Theme) -> Color {
        let colors = colors(theme);
        match self {
            Tone::Ink => colors.ink,
            Tone::Soft => colors.soft,
            Tone::Faint => mix(colors.line, colors.soft, 0.25),
            Tone::Accent => colors.accent,
            Tone::OnAccent => colors.on_accent,
            Tone::Good => colors.good,
            Tone::Caution => colors.caution,
            Tone::Bad => colors.bad,
        }
    }
}

/// Text in a tone.
pub fn toned(tone: Tone) -> impl Fn(&Theme) -> text::Style {
    move |theme| text::Style { color: Some(tone.of(theme)) }
}

/// An icon in a tone.
pub fn icon(tone: Tone) -> impl Fn(&Theme, svg::Status) -> svg::Style {
    move |theme, _| svg::Style { color: Some(tone.of(theme)) }
}

/// How a container looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// The window itself.
    Window,
    /// A card.
    Card,
    /// A card that is chosen.
    Chosen,
    /// A strip that tells something in a tone.
    Strip(Tone),
    /// A small label in a tone.
    Badge(Tone),
    /// Behind an overlay.
    Veil,
    /// A computer's screen in the menu's preview: the same in both themes.
    Screen,
}

/// The style of a container.
pub fn ground(ground: Ground) -> impl Fn(&Theme) -> container::Style {
    move |theme| {
        let colors = colors(theme);
        let plain = container::Style { text_color: Some(colors.ink), ..container::Style::default() };
        let filled = |color: Color, border: Border| container::Style {
            background: Some(Background::Color(color)),
            border,
            ..plain
        };
        let edge = |color: Color, width: f32, radius: f32| Border { color, width, radius: Radius::from(radius) };
        match ground {
            Ground::Window => filled(colors.window, Border::default()),
            Ground::Card => filled(colors.surface, edge(colors.line, 1.0, CARD_RADIUS)),
            Ground::Chosen => filled(colors.wash, edge(colors.accent, 1.5, CARD_RADIUS)),
            Ground::Strip(tone) => {
                let tint = mix(colors.surface, tone.of(theme), 0.08);
                filled(tint, edge(mix(colors.surface, tone.of(theme), 0.35), 1.0, BUTTON_RADIUS))
            }
            Ground::Badge(tone) => filled(mix(colors.surface, tone.of(theme), 0.10), edge(colors.line, 0.0, 6.0)),
            Ground::Veil => filled(Color { a: 0.5, ..Color::BLACK }, Border::default()),
            Ground::Screen => container::Style {
                text_color: Some(SCREEN_TEXT),
                background: Some(Background::Color(SCREEN)),
                border: edge(colors.line, 1.0, BUTTON_RADIUS),
                ..container::Style::default()
            },
        }
    }
}

/// The background of a computer's text screen.
pub const SCREEN: Color = color!(0x101418);
/// Its letters.
pub const SCREEN_TEXT: Color = color!(0xD8DEE4);
/// The chosen line of iPXE's menu: white on a colour of its own.
pub const SCREEN_CHOSEN: Color = color!(0x1F5F86);

/// Two colours mixed: `share` of the second one, from 0 to 1.
pub fn mix(a: Color, b: Color, share: f32) -> Color {
    let part = |a: f32, b: f32| a + (b - a) * share;
    Color { r: part(a.r, b.r), g: part(a.g, b.g), b: part(a.b, b.b), a: 1.0 }
}

/// How something that can be pressed looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The one primary action of a page.
    Primary,
    /// Any other button.
    Secondary,
    /// A button without a frame, for small things.
    Quiet,
    /// Something that ends or removes.
    Danger,
    /// A card that can be chosen.
    Card,
    /// A card that is chosen.
    Chosen,
    /// A step of the rail, or a line of a list.
    Line,
    /// The current step, or the chosen line.
    CurrentLine,
}

/// What happens to something that can be pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    /// Nothing.
    Resting,
    /// The pointer is over it.
    Hovered,
    /// It is held down.
    Held,
    /// It cannot be pressed now.
    Disabled,
}

/// Colours and frame of something that can be pressed.
#[derive(Clone, Copy, Debug)]
pub struct Face {
    /// Its ground; none is see-through.
    pub background: Option<Color>,
    /// Its text.
    pub text: Color,
    /// Its frame.
    pub border: Border,
}

/// How something that can be pressed is drawn.
pub fn face(theme: &Theme, look: Look, press: Press) -> Face {
    let colors = colors(theme);
    let edge = |color: Color, width: f32, radius: f32| Border { color, width, radius: Radius::from(radius) };
    let lift = |color: Color| match press {
        Press::Hovered => mix(color, colors.ink, 0.06),
        Press::Held => mix(color, colors.ink, 0.12),
        Press::Resting | Press::Disabled => color,
    };
    let face = |background: Option<Color>, text: Color, border: Border| Face { background, text, border };
    let over = matches!(press, Press::Hovered | Press::Held);
    match (look, press) {
        (Look::Primary | Look::Danger, Press::Disabled) => {
            face(Some(mix(colors.window, colors.line, 0.7)), colors.soft, edge(colors.line, 1.0, BUTTON_RADIUS))
        }
        (Look::Secondary, Press::Disabled) => {
            face(Some(colors.window), colors.soft, edge(colors.line, 1.0, BUTTON_RADIUS))
        }
        (Look::Primary, _) => {
            let ground = if over { mix(colors.accent, colors.ink, 0.15) } else { colors.accent };
            face(Some(ground), colors.on_accent, edge(colors.accent, 0.0, BUTTON_RADIUS))
        }
        (Look::Danger, _) => face(Some(lift(colors.surface)), colors.bad, edge(colors.bad, 1.0, BUTTON_RADIUS)),
        (Look::Secondary, _) => face(Some(lift(colors.surface)), colors.ink, edge(colors.line, 1.0, BUTTON_RADIUS)),
        (Look::Quiet, Press::Disabled) => {
            face(None, mix(colors.soft, colors.surface, 0.4), edge(colors.line, 0.0, 6.0))
        }
        (Look::Quiet, _) => {
            face(over.then(|| mix(colors.surface, colors.ink, 0.07)), colors.accent, edge(colors.line, 0.0, 6.0))
        }
        (Look::Card, _) => face(Some(lift(colors.surface)), colors.ink, edge(colors.line, 1.0, CARD_RADIUS)),
        (Look::Chosen, _) => face(Some(lift(colors.wash)), colors.ink, edge(colors.accent, 1.5, CARD_RADIUS)),
        (Look::Line, Press::Disabled) => face(None, colors.soft, edge(colors.line, 0.0, BUTTON_RADIUS)),
        (Look::Line, _) => {
            face(over.then(|| mix(colors.window, colors.ink, 0.06)), colors.ink, edge(colors.line, 0.0, BUTTON_RADIUS))
        }
        (Look::CurrentLine, _) => face(Some(colors.wash), colors.ink, edge(colors.line, 0.0, BUTTON_RADIUS)),
    }
}

/// The focus ring, drawn outside of whatever has the focus.
pub fn ring(theme: &Theme, around: Border) -> Border {
    let radius = around.radius.top_left.max(4.0) + 2.0;
    Border { color: colors(theme).accent, width: 2.0, radius: Radius::from(radius) }
}

/// A field to type into; `wrong` marks what cannot be used as it stands.
pub fn field(wrong: bool) -> impl Fn(&Theme, text_input::Status) -> text_input::Style {
    move |theme, status| {
        let colors = colors(theme);
        let focused = matches!(status, text_input::Status::Focused { .. });
        let color = match (wrong, focused) {
            (true, _) => colors.bad,
            (false, true) => colors.accent,
            (false, false) => colors.line,
        };
        text_input::Style {
            background: Background::Color(colors.surface),
            border: border::rounded(BUTTON_RADIUS).color(color).width(if focused { 2.0 } else { 1.0 }),
            icon: colors.soft,
            placeholder: colors.soft,
            value: if status == text_input::Status::Disabled { colors.soft } else { colors.ink },
            selection: mix(colors.surface, colors.accent, 0.35),
        }
    }
}

/// A scroll bar that stays out of the way.
pub fn scroll(theme: &Theme, status: scrollable::Status) -> scrollable::Style {
    let colors = colors(theme);
    let held = matches!(
        status,
        scrollable::Status::Dragged { .. } | scrollable::Status::Hovered { is_vertical_scrollbar_hovered: true, .. }
    );
    let rail = scrollable::Rail {
        background: None,
        border: Border::default(),
        scroller: scrollable::Scroller {
            background: Background::Color(if held { colors.soft } else { mix(colors.line, colors.soft, 0.3) }),
            border: border::rounded(4),
        },
    };
    let auto_scroll = scrollable::AutoScroll {
        background: Background::Color(colors.surface),
        border: border::rounded(16).color(colors.line).width(1),
        shadow: Shadow::default(),
        icon: colors.ink,
    };
    scrollable::Style {
        container: container::Style::default(),
        vertical_rail: rail,
        horizontal_rail: rail,
        gap: None,
        auto_scroll,
    }
}

/// A progress bar in a tone.
pub fn bar(tone: Tone) -> impl Fn(&Theme) -> progress_bar::Style {
    move |theme| progress_bar::Style {
        background: Background::Color(mix(colors(theme).surface, colors(theme).line, 0.8)),
        bar: Background::Color(tone.of(theme)),
        border: border::rounded(3),
    }
}

/// A separator.
pub fn line(theme: &Theme) -> rule::Style {
    rule::Style { color: colors(theme).line, radius: Radius::from(0.0), fill_mode: rule::FillMode::Full, snap: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.1, "relative luminance".
    fn luminance(color: Color) -> f32 {
        let linear = |c: f32| if c <= 0.03928 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
        0.2126 * linear(color.r) + 0.7152 * linear(color.g) + 0.0722 * linear(color.b)
    }

    fn contrast(a: Color, b: Color) -> f32 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_text_can_be_read_on_every_ground() {
        for dark in [false, true] {
            let theme = theme(dark);
            let colors = colors(&theme);
            let tones = [Tone::Ink, Tone::Soft, Tone::Accent, Tone::Good, Tone::Caution, Tone::Bad];
            for tone in tones {
                let strip = mix(colors.surface, tone.of(&theme), 0.10);
                for ground in [colors.window, colors.surface, colors.wash, strip] {
                    let ratio = contrast(tone.of(&theme), ground);
                    assert!(ratio >= 4.5, "dark {dark}, {tone:?} on {ground:?}: {ratio}");
                }
            }
            for look in [Look::Primary, Look::Secondary, Look::Danger, Look::Card, Look::Chosen] {
                for press in [Press::Resting, Press::Hovered, Press::Held, Press::Disabled] {
                    let face = face(&theme, look, press);
                    let ratio = contrast(face.text, face.background.unwrap_or(colors.surface));
                    assert!(ratio >= 4.5, "dark {dark}, {look:?} {press:?}: {ratio}");
                }
            }
        }
        for ground in [SCREEN, SCREEN_CHOSEN] {
            assert!(contrast(SCREEN_TEXT, ground) >= 4.5);
        }
    }
}
