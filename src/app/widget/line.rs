//! One line of text that ends in an ellipsis where it does not fit.
//!
//! iced 0.14 cuts such a line off in the middle of a letter.

use std::borrow::Cow;

use iced::advanced::text::paragraph::Plain;
use iced::advanced::text::{self, LineHeight, Paragraph as _, Renderer as _, Shaping, Wrapping};
use iced::advanced::widget::{Operation, Tree, text as drawn, tree};
use iced::advanced::{Layout, Widget, layout, mouse, renderer};
use iced::{Element, Fill, Font, Length, Pixels, Rectangle, Renderer, Shrink, Size, Theme, alignment};

use crate::app::theme::{Tone, size};

type Paragraph = <Renderer as iced::advanced::text::Renderer>::Paragraph;

/// A line of small text that takes all the width there is.
pub struct Line<'a> {
    words: Cow<'a, str>,
    tone: Tone,
}

/// Makes a line.
pub fn line<'a>(words: impl Into<Cow<'a, str>>, tone: Tone) -> Line<'a> {
    Line { words: words.into(), tone }
}

/// What fits, once it is measured.
#[derive(Default)]
struct State {
    words: String,
    width: f32,
    paragraph: Plain<Paragraph>,
}

/// The longest beginning that fits with an ellipsis behind it; `fits` measures. Nothing where not even that does.
fn cut(words: &str, mut fits: impl FnMut(&str) -> bool) -> String {
    let ends: Vec<usize> = words.char_indices().map(|(at, _)| at).collect();
    let beginning = |count: usize| words.get(..ends.get(count).copied().unwrap_or(words.len())).unwrap_or_default();
    let shown = |count: usize| format!("{}…", beginning(count).trim_end());
    let (mut least, mut most) = (0, ends.len());
    while least < most {
        let middle = (least + most).div_ceil(2);
        if fits(&shown(middle)) { least = middle } else { most = middle - 1 }
    }
    if least == 0 { String::new() } else { shown(least) }
}

/// A small text without an end.
fn unbroken(content: &str, font: Font) -> text::Text<&str, Font> {
    text::Text {
        content,
        bounds: Size::INFINITE,
        size: Pixels(size::SMALL),
        line_height: LineHeight::default(),
        font,
        align_x: text::Alignment::Default,
        align_y: alignment::Vertical::Top,
        shaping: Shaping::default(),
        wrapping: Wrapping::None,
    }
}

impl<Message> Widget<Message, Theme, Renderer> for Line<'_> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::default())
    }

    fn size(&self) -> Size<Length> {
        Size { width: Fill, height: Shrink }
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        let state = tree.state.downcast_mut::<State>();
        layout::sized(limits, Fill, Shrink, |limits| {
            let width = limits.max().width;
            let font = renderer.default_font();
            if state.words != self.words || state.width != width {
                (state.words, state.width) = (self.words.clone().into_owned(), width);
                let fits = |words: &str| Paragraph::with_text(unbroken(words, font)).min_width() <= width;
                let shown = if fits(&self.words) { self.words.clone() } else { cut(&self.words, fits).into() };
                let _ = state.paragraph.update(unbroken(&shown, font));
            }
            state.paragraph.min_bounds()
        })
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        defaults: &renderer::Style,
        layout: Layout<'_>,
        _cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        let style = drawn::Style { color: Some(self.tone.of(theme)) };
        let state = tree.state.downcast_ref::<State>();
        drawn::draw(renderer, defaults, layout.bounds(), state.paragraph.raw(), style, viewport);
    }

    fn operate(&mut self, _tree: &mut Tree, layout: Layout<'_>, _renderer: &Renderer, operation: &mut dyn Operation) {
        operation.text(None, layout.bounds(), &self.words);
    }
}

impl<'a, Message: 'a> From<Line<'a>> for Element<'a, Message> {
    fn from(line: Line<'a>) -> Element<'a, Message> {
        Element::new(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_that_fits_is_shown() {
        let shown = |words: &str, letters: usize| cut(words, |shown| shown.chars().count() <= letters);
        assert_eq!(shown("It got snponly.efi whole", 12), "It got snpo…");
        assert_eq!(shown("It got snponly.efi", 8), "It got…", "no space before the ellipsis");
        assert_eq!(shown("Größe", 4), "Grö…");
        assert_eq!(shown("abc", 1), "");
        assert_eq!(shown("", 5), "");
    }
}
