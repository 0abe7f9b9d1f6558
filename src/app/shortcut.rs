//! What keys do on every page. A widget that has the focus sees a key first; only what it leaves comes here.

use iced::keyboard::key::Named;
use iced::keyboard::{self, Key, Modifiers};

use crate::app::focus::Way;
use crate::app::screen::Step;

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortcut {
    /// Move the focus.
    Focus(Way),
    /// Do the primary action.
    Primary,
    /// Close what is open, or go back.
    Back,
    /// Go to a step.
    Visit(Step),
    /// Search the log.
    Search,
    /// Copy what is shown.
    Copy,
    /// Open the help.
    Help,
    /// Open the settings.
    Settings,
    /// Show what protects the network.
    Safety,
    /// Close the window.
    Close,
}

/// What a key event asks for, if anything.
pub fn of(event: &keyboard::Event) -> Option<Shortcut> {
    match event {
        keyboard::Event::KeyPressed { key, modifiers, repeat, .. } => pressed(key, *modifiers, *repeat),
        _ => None,
    }
}

fn pressed(key: &Key, modifiers: Modifiers, repeat: bool) -> Option<Shortcut> {
    let plain = modifiers.is_empty();
    match key {
        Key::Named(Named::Tab) if modifiers == Modifiers::SHIFT => Some(Shortcut::Focus(Way::Back)),
        Key::Named(Named::Tab | Named::ArrowDown) if plain => Some(Shortcut::Focus(Way::Forward)),
        Key::Named(Named::ArrowUp) if plain => Some(Shortcut::Focus(Way::Back)),
        Key::Named(Named::Enter) if plain && !repeat => Some(Shortcut::Primary),
        Key::Named(Named::Escape) if plain && !repeat => Some(Shortcut::Back),
        Key::Named(Named::F1) => Some(Shortcut::Help),
        Key::Character(letter) if modifiers == Modifiers::COMMAND => match letter.to_lowercase().as_str() {
            "f" => Some(Shortcut::Search),
            "c" => Some(Shortcut::Copy),
            "," => Some(Shortcut::Settings),
            "l" => Some(Shortcut::Safety),
            "q" => Some(Shortcut::Close),
            digit => Step::ALL.into_iter().find(|step| step.number() == digit).map(Shortcut::Visit),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_what_people_expect() {
        let letter = |letter: &str| Key::Character(letter.into());
        let (none, shift, command) = (Modifiers::empty(), Modifiers::SHIFT, Modifiers::COMMAND);
        let cases = [
            (Key::Named(Named::Tab), none, Some(Shortcut::Focus(Way::Forward))),
            (Key::Named(Named::Tab), shift, Some(Shortcut::Focus(Way::Back))),
            (Key::Named(Named::ArrowUp), none, Some(Shortcut::Focus(Way::Back))),
            (Key::Named(Named::Enter), none, Some(Shortcut::Primary)),
            (Key::Named(Named::Enter), command, None),
            (Key::Named(Named::Escape), none, Some(Shortcut::Back)),
            (letter("3"), command, Some(Shortcut::Visit(Step::Menu))),
            (letter("6"), command, None),
            (letter("3"), none, None),
            (letter("F"), command, Some(Shortcut::Search)),
            (letter("l"), command, Some(Shortcut::Safety)),
        ];
        for (key, modifiers, expected) in cases {
            assert_eq!(pressed(&key, modifiers, false), expected, "{key:?} {modifiers:?}");
        }
        assert_eq!(pressed(&Key::Named(Named::Enter), none, true), None, "a held key starts nothing twice");
    }
}
