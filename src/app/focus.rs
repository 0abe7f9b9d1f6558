//! The keyboard focus: moving it in reading order, inside an overlay while one is open, and into view.

use iced::advanced::widget::operation::scrollable::AbsoluteOffset;
use iced::advanced::widget::operation::{Focusable, Operation, Outcome, Scrollable};
use iced::advanced::widget::{Id, operate};
use iced::{Rectangle, Task, Vector};

/// Space that is kept around the focused widget when it is scrolled into view, in logical pixels.
const MARGIN: f32 = 24.0;

/// Which way the focus goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To the next one, and from the last to the first.
    Forward,
    /// To the one before, and from the first to the last.
    Back,
}

/// Moves the focus. With a `scope` it stays inside the container of that name: below an open overlay nothing can be
/// reached.
pub fn travel<T: Send + 'static>(way: Way, scope: Option<Id>) -> Task<T> {
    run(scope, Phase::Count { way, total: 0, focused: None })
}

/// Gives the focus to a widget, and brings it into view.
pub fn to<T: Send + 'static>(id: Id) -> Task<T> {
    iced::widget::operation::focus(id).chain(run(None, Phase::find()))
}

fn run<T: Send + 'static>(scope: Option<Id>, phase: Phase) -> Task<T> {
    operate::<()>(Walk { scope: Scope::new(scope), phase }).discard()
}

/// A walk through all widgets; each phase is one walk, and chooses the next by what it found.
struct Walk {
    scope: Scope,
    phase: Phase,
}

enum Phase {
    /// How many can have the focus, and which one has it.
    Count { way: Way, total: usize, focused: Option<usize> },
    /// Gives it to one of them.
    Give { target: usize, seen: usize },
    /// Where the focus is, and whether something that scrolls hides it.
    Find { around: Vec<View>, entered: Option<View>, seen: usize, hidden: Option<(usize, f32)> },
    /// Scrolls one of those that scroll.
    Scroll { which: usize, to: f32, seen: usize },
}

/// Something that scrolls, as it stands.
#[derive(Clone, Copy)]
struct View {
    which: usize,
    bounds: Rectangle,
    offset: f32,
}

impl View {
    /// The offset that brings a widget into view, where that is another one than now.
    fn offset_for(&self, widget: Rectangle) -> Option<f32> {
        let top = widget.y - self.bounds.y - MARGIN;
        let bottom = widget.y + widget.height - self.bounds.y + MARGIN;
        if top < self.offset {
            Some(top.max(0.0))
        } else if bottom > self.offset + self.bounds.height {
            Some((bottom - self.bounds.height).min(top.max(0.0)))
        } else {
            None
        }
    }
}

impl Phase {
    fn find() -> Phase {
        Phase::Find { around: Vec::new(), entered: None, seen: 0, hidden: None }
    }
}

/// Whether the walk is inside the wanted container.
struct Scope {
    wanted: Option<Id>,
    /// The wanted container was met last, so its children come next.
    entered: bool,
    inside: bool,
}

impl Scope {
    fn new(wanted: Option<Id>) -> Scope {
        Scope { inside: wanted.is_none(), wanted, entered: false }
    }
}

impl Operation<()> for Walk {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn Operation<()>)) {
        let inside = self.scope.inside;
        self.scope.inside |= std::mem::take(&mut self.scope.entered);
        let scrolls = match &mut self.phase {
            Phase::Find { around, entered, .. } => entered.take().map(|view| around.push(view)).is_some(),
            _ => false,
        };
        operate(self);
        if let (Phase::Find { around, .. }, true) = (&mut self.phase, scrolls) {
            around.pop();
        }
        self.scope.inside = inside;
    }

    fn container(&mut self, id: Option<&Id>, _bounds: Rectangle) {
        self.scope.entered = self.scope.wanted.is_some() && id == self.scope.wanted.as_ref();
    }

    fn scrollable(
        &mut self,
        _id: Option<&Id>,
        bounds: Rectangle,
        _content: Rectangle,
        translation: Vector,
        state: &mut dyn Scrollable,
    ) {
        match &mut self.phase {
            Phase::Find { entered, seen, .. } => {
                *entered = Some(View { which: *seen, bounds, offset: translation.y });
                *seen += 1;
            }
            Phase::Scroll { which, to, seen } => {
                if which == seen {
                    state.scroll_to(AbsoluteOffset { x: None, y: Some(*to) });
                }
                *seen += 1;
            }
            Phase::Count { .. } | Phase::Give { .. } => {}
        }
    }

    fn focusable(&mut self, _id: Option<&Id>, bounds: Rectangle, state: &mut dyn Focusable) {
        let inside = self.scope.inside;
        match &mut self.phase {
            Phase::Count { total, focused, .. } if inside => {
                if state.is_focused() {
                    *focused = Some(*total);
                }
                *total += 1;
            }
            Phase::Give { target, seen } => {
                if inside && seen == target {
                    state.focus();
                } else {
                    state.unfocus();
                }
                *seen += usize::from(inside);
            }
            Phase::Find { around, hidden, .. } if state.is_focused() => {
                *hidden = around.last().and_then(|view| Some((view.which, view.offset_for(bounds)?)));
            }
            _ => {}
        }
    }

    fn finish(&self) -> Outcome<()> {
        let next = match &self.phase {
            Phase::Count { way, total, focused } => {
                target(*way, *total, *focused).map(|target| Phase::Give { target, seen: 0 })
            }
            Phase::Give { .. } => Some(Phase::find()),
            Phase::Find { hidden, .. } => hidden.map(|(which, to)| Phase::Scroll { which, to, seen: 0 }),
            Phase::Scroll { .. } => None,
        };
        match next {
            Some(phase) => Outcome::Chain(Box::new(Walk { scope: Scope::new(self.scope.wanted.clone()), phase })),
            None => Outcome::None,
        }
    }
}

fn target(way: Way, total: usize, focused: Option<usize>) -> Option<usize> {
    let last = total.checked_sub(1)?;
    Some(match (way, focused) {
        (Way::Forward, Some(at)) if at < last => at + 1,
        (Way::Forward, _) => 0,
        (Way::Back, Some(at)) if at > 0 => at - 1,
        (Way::Back, _) => last,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_focus_goes_round() {
        let cases = [
            (Way::Forward, 3, None, Some(0)),
            (Way::Forward, 3, Some(0), Some(1)),
            (Way::Forward, 3, Some(2), Some(0)),
            (Way::Back, 3, None, Some(2)),
            (Way::Back, 3, Some(2), Some(1)),
            (Way::Back, 3, Some(0), Some(2)),
            (Way::Forward, 0, None, None),
        ];
        for (way, total, focused, expected) in cases {
            assert_eq!(target(way, total, focused), expected, "{way:?} {focused:?} of {total}");
        }
    }

    #[test]
    fn what_is_hidden_is_scrolled_into_view() {
        let bounds = Rectangle { x: 0.0, y: 100.0, width: 100.0, height: 200.0 };
        let widget = |y: f32, height: f32| Rectangle { x: 0.0, y, width: 100.0, height };
        let view = View { which: 0, bounds, offset: 50.0 };
        assert_eq!(view.offset_for(widget(200.0, 40.0)), None, "in view");
        assert_eq!(view.offset_for(widget(110.0, 40.0)), Some(0.0), "above");
        assert_eq!(view.offset_for(widget(400.0, 40.0)), Some(164.0), "below");
        assert_eq!(view.offset_for(widget(400.0, 900.0)), Some(276.0), "taller than the view: its top");
    }
}
