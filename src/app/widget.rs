//! What pages are made of.

pub mod card;
pub mod line;
pub mod list;
pub mod notice;
pub mod page;
pub mod press;
pub mod rail;
pub mod words;
