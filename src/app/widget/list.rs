//! A long list of rows of one height, of which only those in view are made.
//!
//! A hundred thousand text widgets take 2.7 GB and seconds to lay out; the forty that can be seen take nothing. Two empty
//! spaces stand for the rest, so that the scroll bar tells the truth.

use iced::advanced::widget::Id;
use iced::widget::{Column, container, scrollable, space};
use iced::{Element, Fill};

use crate::app::theme;

/// Rows that are made beyond the edges, so that a quick scroll shows no gap before the next frame.
const BEYOND: usize = 12;

/// Where a list is scrolled to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// Distance of the first visible pixel from the top, in logical pixels.
    offset: f32,
    /// Height of the visible part.
    height: f32,
    /// The end stays in view as rows are added.
    follow: bool,
}

impl Default for Position {
    fn default() -> Position {
        Position { offset: 0.0, height: 600.0, follow: true }
    }
}

impl Position {
    /// A list that begins at its top.
    pub fn top() -> Position {
        Position { follow: false, ..Position::default() }
    }

    /// Takes note of a scroll. Scrolling up stops following, reaching the end begins it.
    pub fn scrolled(&mut self, viewport: scrollable::Viewport) {
        self.moved(viewport.absolute_offset().y, viewport.bounds().height, viewport.content_bounds().height);
    }

    fn moved(&mut self, offset: f32, height: f32, content: f32) {
        let at_end = offset + height >= content - 2.0;
        // Rows that are added leave the offset as it is; only a person makes it smaller.
        if at_end {
            self.follow = true;
        } else if offset < self.offset - 1.0 {
            self.follow = false;
        }
        (self.offset, self.height) = (offset, height);
    }

    /// Whether the end stays in view.
    pub fn follows(&self) -> bool {
        self.follow
    }

    /// Follows the end, or stays.
    pub fn set_follow(&mut self, follow: bool) {
        self.follow = follow;
    }

    /// The rows to make: first, and how many.
    fn window(&self, total: usize, row: f32) -> (usize, usize) {
        let visible = (self.height / row).ceil() as usize + 1;
        let first = if self.follow { total.saturating_sub(visible) } else { (self.offset / row) as usize };
        let first = first.min(total.saturating_sub(visible)).saturating_sub(BEYOND);
        (first, (visible + 2 * BEYOND).min(total - first))
    }
}

/// Draws a list of `total` rows of `row` logical pixels each; `make` makes the rows from one on, so many.
pub fn view<'a, Message: 'a>(
    id: Id,
    position: Position,
    total: usize,
    row: f32,
    on_scroll: impl Fn(scrollable::Viewport) -> Message + 'a,
    make: impl FnOnce(usize, usize) -> Vec<Element<'a, Message>>,
) -> Element<'a, Message> {
    let (first, count) = position.window(total, row);
    let rows = make(first, count);
    let behind = total.saturating_sub(first + rows.len());
    // Rows are not clipped one by one: the software renderer fills a mask of the whole window for each.
    let rows = rows.into_iter().map(|content| container(content).height(row).width(Fill).into());
    let content = Column::new()
        .push(space::vertical().height(first as f32 * row))
        .extend(rows)
        .push(space::vertical().height(behind as f32 * row));
    scrollable(content).id(id).width(Fill).height(Fill).on_scroll(on_scroll).style(theme::scroll).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rows_in_view_are_made() {
        let mut position = Position::default();
        position.moved(0.0, 200.0, 2_000_000.0);
        position.set_follow(false);
        assert_eq!(position.window(100_000, 20.0), (0, 35));
        position.moved(1_000_000.0, 200.0, 2_000_000.0);
        assert_eq!(position.window(100_000, 20.0), (50_000 - BEYOND, 35));
        position.set_follow(true);
        let (first, count) = position.window(100_000, 20.0);
        assert_eq!(first + count, 100_000);
        assert_eq!(position.window(3, 20.0), (0, 3));
        assert_eq!(position.window(0, 20.0), (0, 0));
    }

    #[test]
    fn a_person_who_scrolls_up_is_left_alone() {
        let mut position = Position::default();
        position.moved(800.0, 200.0, 1000.0);
        position.moved(800.0, 200.0, 1500.0);
        assert!(position.follows(), "rows were added");
        position.moved(700.0, 200.0, 1500.0);
        assert!(!position.follows(), "scrolled up");
        position.moved(900.0, 200.0, 1500.0);
        assert!(!position.follows(), "not at the end yet");
        position.moved(1300.0, 200.0, 1500.0);
        assert!(position.follows());
    }
}
