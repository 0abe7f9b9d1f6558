//! What stands before one entry: that it starts once, and its password.

use iced::advanced::widget::Id;
use iced::widget::{column, row, text_input};
use iced::{Alignment, Element};

use super::Message;
use crate::app::icon::Icon;
use crate::app::theme::{self, Look, Tone, size, space as gap};
use crate::app::widget::press::press;
use crate::app::widget::words::{badge, marked, small, soft};
use crate::boot::menu::Item;
use crate::boot::password::{self, Hash};

/// A password as it is being typed. `Debug` hides it.
#[derive(Clone, Default)]
pub struct Typed {
    /// The first time.
    first: String,
    /// The second time.
    second: String,
}

impl std::fmt::Debug for Typed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str("Typed(…)")
    }
}

impl Typed {
    /// Takes what one of the two fields has now.
    pub fn typed(&mut self, second: bool, text: String) {
        *(if second { &mut self.second } else { &mut self.first }) = text;
    }

    /// What is kept of it, where it was typed twice alike. The fields are empty then.
    pub fn finish(&mut self) -> Option<Hash> {
        if self.hindrance().is_some() || self.first.is_empty() {
            return None;
        }
        let hash = Hash::of(&self.first).ok();
        *self = Typed::default();
        hash
    }

    /// Why it cannot be kept yet; nothing where nothing was typed.
    pub fn hindrance(&self) -> Option<String> {
        if self.first.is_empty() && self.second.is_empty() {
            return None;
        }
        let bad = password::objection(&self.first).map(|bad| format!("It cannot be used: {bad}."));
        bad.or_else(|| (self.first != self.second).then(|| "The two are not the same yet.".to_owned()))
    }
}

/// The name of the field for a new password.
pub fn password_id() -> Id {
    Id::new("entry-password")
}

/// The mark of an entry in the list.
pub(super) fn marks<'a>(item: &Item) -> impl Iterator<Item = Element<'a, Message>> {
    let once = item.guard.once.then(|| badge("once", Tone::Accent));
    once.into_iter().chain(item.guard.password.is_some().then(|| badge("password", Tone::Accent)))
}

/// What can be said about it.
pub(super) fn of_entry<'a>(item: &Item, typed: &'a Typed) -> Element<'a, Message> {
    let id = item.id.clone();
    let often = |words: &'static str, once: bool| {
        let look = if item.guard.once == once { Look::Chosen } else { Look::Card };
        press(small(words, Tone::Ink)).look(look).padding([5, 12]).on_press(Message::OnceSet(id.clone(), once))
    };
    let often = row![often("Whenever it is chosen", false), often("Once on each computer, then its own disk", true)];
    let field = |second: bool, hint: &'static str| {
        let value = if second { &typed.second } else { &typed.first };
        let field = text_input(hint, value);
        let field = if second { field } else { field.id(password_id()) };
        field
            .on_input(move |text| Message::PasswordTyped(second, text))
            .on_submit(Message::PasswordSet(item.id.clone()))
            .secure(true)
            .padding([8, 12])
            .size(size::BODY)
            .style(theme::field(false))
    };
    let hindrance = typed.hindrance();
    let ready = hindrance.is_none() && !typed.first.is_empty();
    let set = press(small("Set", Tone::Ink))
        .look(Look::Secondary)
        .padding([6, 12])
        .on_press_maybe(ready.then(|| Message::PasswordSet(item.id.clone())));
    let clear = item.guard.password.is_some().then(|| {
        press(small("Take it away", Tone::Ink))
            .look(Look::Secondary)
            .padding([6, 12])
            .on_press(Message::PasswordCleared(item.id.clone()))
    });
    let words = match item.guard.password {
        Some(_) => "It has a password, so it never starts by itself, and only iPXE can ask for it",
        None => "It has no password",
    };
    let fields = row![field(false, "New password"), field(true, "The same again"), set];
    column![
        soft("How often it starts"),
        often.spacing(gap::SMALL).wrap(),
        soft(words),
        fields.push(clear).spacing(gap::SMALL).align_y(Alignment::Center)
    ]
    .push(hindrance.map(|why| marked(Icon::Caution, why, Tone::Caution)))
    .spacing(gap::TIGHT + 2.0)
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_typed_twice_alike_becomes_a_password() {
        let mut typed = Typed::default();
        assert!(typed.finish().is_none() && typed.hindrance().is_none());
        typed.typed(false, "sesame".into());
        assert!(typed.finish().is_none() && typed.hindrance().is_some_and(|why| why.contains("not the same")));
        typed.typed(true, "sesame".into());
        assert!(!format!("{typed:?}").contains("sesame"));
        assert!(typed.finish().is_some_and(|hash| hash.fits("sesame")));
        assert!(typed.first.is_empty() && typed.second.is_empty());
        typed.typed(false, "gr\u{fc}n".into());
        assert!(typed.hindrance().is_some_and(|why| why.contains("cannot be used")));
    }
}
