//! Everything that can be pressed: by mouse, by touch and by keyboard.
//!
//! iced 0.14 gives the keyboard focus to text fields only. This widget takes part in the same focus operations, so that
//! Tab goes through buttons, cards and fields in the order in which the page reads, and draws a ring while it has the
//! focus.

use iced::advanced::widget::{Id, Operation, Tree, operation, tree};
use iced::advanced::{Clipboard, Layout, Renderer as _, Shell, Widget, layout, mouse, renderer};
use iced::keyboard::{self, key};
use iced::{
    Background, Color, Element, Event, Length, Padding, Rectangle, Renderer, Shadow, Size, Theme, touch, window,
};

use crate::app::theme::{self, Look};

/// How far the focus ring stands off, in logical pixels.
const RING: f32 = 3.0;

/// Something that can be pressed.
pub struct Press<'a, Message> {
    id: Option<Id>,
    content: Element<'a, Message>,
    on_press: Option<Message>,
    look: Look,
    padding: Padding,
    width: Length,
    enter: bool,
    status: Option<theme::Press>,
}

/// Makes `content` something that can be pressed; without [`Press::on_press`] it is disabled.
pub fn press<'a, Message>(content: impl Into<Element<'a, Message>>) -> Press<'a, Message> {
    Press {
        id: None,
        content: content.into(),
        on_press: None,
        look: Look::Secondary,
        padding: Padding::from([8, 16]),
        width: Length::Shrink,
        enter: true,
        status: None,
    }
}

impl<'a, Message: Clone + 'a> Press<'a, Message> {
    /// A name by which it can be given the focus.
    pub fn id(mut self, id: impl Into<Id>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// What it does.
    pub fn on_press(mut self, message: Message) -> Self {
        self.on_press = Some(message);
        self
    }

    /// What it does, where it can do it now.
    pub fn on_press_maybe(mut self, message: Option<Message>) -> Self {
        self.on_press = message;
        self
    }

    /// How it looks.
    pub fn look(mut self, look: Look) -> Self {
        self.look = look;
        self
    }

    /// The space inside.
    pub fn padding(mut self, padding: impl Into<Padding>) -> Self {
        self.padding = padding.into();
        self
    }

    /// Its width.
    pub fn width(mut self, width: impl Into<Length>) -> Self {
        self.width = width.into();
        self
    }

    /// Leaves Enter to the page, whose primary action it then starts: for a card that is chosen already.
    pub fn enter_goes_on(mut self) -> Self {
        self.enter = false;
        self
    }
}

#[derive(Debug, Default)]
struct State {
    held: bool,
    focused: bool,
    /// Whether the focus came by keyboard, so that it is to be shown.
    shown: bool,
}

impl operation::Focusable for State {
    fn is_focused(&self) -> bool {
        self.focused
    }

    fn focus(&mut self) {
        (self.focused, self.shown) = (true, true);
    }

    fn unfocus(&mut self) {
        (self.focused, self.shown) = (false, false);
    }
}

impl<'a, Message: Clone + 'a> Widget<Message, Theme, Renderer> for Press<'a, Message> {
    fn tag(&self) -> tree::Tag {
        tree::Tag::of::<State>()
    }

    fn state(&self) -> tree::State {
        tree::State::new(State::default())
    }

    fn children(&self) -> Vec<Tree> {
        vec![Tree::new(&self.content)]
    }

    fn diff(&self, tree: &mut Tree) {
        tree.diff_children(std::slice::from_ref(&self.content));
    }

    fn size(&self) -> Size<Length> {
        Size::new(self.width, Length::Shrink)
    }

    fn layout(&mut self, tree: &mut Tree, renderer: &Renderer, limits: &layout::Limits) -> layout::Node {
        layout::padded(limits, self.width, Length::Shrink, self.padding, |limits| match tree.children.first_mut() {
            Some(child) => self.content.as_widget_mut().layout(child, renderer, limits),
            None => layout::Node::default(),
        })
    }

    fn operate(&mut self, tree: &mut Tree, layout: Layout<'_>, renderer: &Renderer, operation: &mut dyn Operation) {
        if self.on_press.is_some() {
            operation.focusable(self.id.as_ref(), layout.bounds(), tree.state.downcast_mut::<State>());
        }
        operation.container(self.id.as_ref(), layout.bounds());
        operation.traverse(&mut |operation| {
            if let (Some(child), Some(inner)) = (tree.children.first_mut(), layout.children().next()) {
                self.content.as_widget_mut().operate(child, inner, renderer, operation);
            }
        });
    }

    fn update(
        &mut self,
        tree: &mut Tree,
        event: &Event,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        renderer: &Renderer,
        clipboard: &mut dyn Clipboard,
        shell: &mut Shell<'_, Message>,
        viewport: &Rectangle,
    ) {
        if let (Some(child), Some(inner)) = (tree.children.first_mut(), layout.children().next()) {
            let content = self.content.as_widget_mut();
            content.update(child, event, inner, cursor, renderer, clipboard, shell, viewport);
        }
        let over = cursor.is_over(layout.bounds());
        let state = tree.state.downcast_mut::<State>();
        if !shell.is_event_captured() {
            self.react(state, event, over, shell);
        } else if is_click(event) && !over {
            // Whoever took the click has the focus now.
            *state = State::default();
        }
        let status = match () {
            () if self.on_press.is_none() => theme::Press::Disabled,
            () if over && state.held => theme::Press::Held,
            () if over => theme::Press::Hovered,
            () => theme::Press::Resting,
        };
        if let Event::Window(window::Event::RedrawRequested(_)) = event {
            self.status = Some(status);
        } else if self.status.is_some_and(|drawn| drawn != status) {
            shell.request_redraw();
        }
    }

    fn draw(
        &self,
        tree: &Tree,
        renderer: &mut Renderer,
        theme: &Theme,
        _style: &renderer::Style,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
    ) {
        let bounds = layout.bounds();
        let resting = if self.on_press.is_some() { theme::Press::Resting } else { theme::Press::Disabled };
        let face = theme::face(theme, self.look, self.status.unwrap_or(resting));
        let quad = |bounds, border| renderer::Quad { bounds, border, shadow: Shadow::default(), snap: true };
        if face.background.is_some() || face.border.width > 0.0 {
            let ground = face.background.unwrap_or(Color::TRANSPARENT);
            renderer.fill_quad(quad(bounds, face.border), Background::Color(ground));
        }
        if tree.state.downcast_ref::<State>().shown {
            let ring = theme::ring(theme, face.border);
            renderer.fill_quad(quad(bounds.expand(RING), ring), Background::Color(Color::TRANSPARENT));
        }
        if let (Some(child), Some(inner)) = (tree.children.first(), layout.children().next()) {
            let style = renderer::Style { text_color: face.text };
            self.content.as_widget().draw(child, renderer, theme, &style, inner, cursor, viewport);
        }
    }

    fn mouse_interaction(
        &self,
        tree: &Tree,
        layout: Layout<'_>,
        cursor: mouse::Cursor,
        viewport: &Rectangle,
        renderer: &Renderer,
    ) -> mouse::Interaction {
        let inner =
            tree.children.first().zip(layout.children().next()).map(|(child, inner)| {
                self.content.as_widget().mouse_interaction(child, inner, cursor, viewport, renderer)
            });
        match inner.unwrap_or_default() {
            mouse::Interaction::None if self.on_press.is_some() && cursor.is_over(layout.bounds()) => {
                mouse::Interaction::Pointer
            }
            inner => inner,
        }
    }
}

impl<'a, Message: Clone + 'a> Press<'a, Message> {
    fn react(&self, state: &mut State, event: &Event, over: bool, shell: &mut Shell<'_, Message>) {
        let Some(message) = &self.on_press else {
            *state = State::default();
            return;
        };
        match event {
            Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left))
            | Event::Touch(touch::Event::FingerPressed { .. }) => {
                // As with text fields, what is clicked has the focus, and everything else has not.
                if state.shown {
                    shell.request_redraw();
                }
                *state = State { held: over, focused: over, shown: false };
                if over {
                    shell.capture_event();
                }
            }
            Event::Mouse(mouse::Event::ButtonReleased(mouse::Button::Left))
            | Event::Touch(touch::Event::FingerLifted { .. }) => {
                let held = std::mem::take(&mut state.held);
                if held && over {
                    shell.publish(message.clone());
                }
                if held {
                    shell.capture_event();
                }
            }
            Event::Touch(touch::Event::FingerLost { .. }) => state.held = false,
            Event::Keyboard(keyboard::Event::KeyPressed { key, modifiers, repeat: false, .. })
                // What a click left behind is not to be seen, so no key may mean it.
                if state.shown && modifiers.is_empty() =>
            {
                let enter = self.enter && *key == keyboard::Key::Named(key::Named::Enter);
                let space = *key == keyboard::Key::Named(key::Named::Space) || is_space(key);
                if enter || space {
                    shell.publish(message.clone());
                    shell.capture_event();
                }
            }
            _ => {}
        }
    }
}

fn is_click(event: &Event) -> bool {
    matches!(
        event,
        Event::Mouse(mouse::Event::ButtonPressed(mouse::Button::Left))
            | Event::Touch(touch::Event::FingerPressed { .. })
    )
}

/// Some systems tell the space bar as a letter.
fn is_space(key: &keyboard::Key) -> bool {
    matches!(key, keyboard::Key::Character(letter) if letter.as_str() == " ")
}

impl<'a, Message: Clone + 'a> From<Press<'a, Message>> for Element<'a, Message> {
    fn from(press: Press<'a, Message>) -> Element<'a, Message> {
        Element::new(press)
    }
}
