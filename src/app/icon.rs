//! The icons: one family of line icons, drawn for this program (assets/icons), 20 px with strokes of 1.75 px.

use std::sync::LazyLock;

use iced::widget::svg::{self, Svg};

use crate::app::theme::{self, Tone};

macro_rules! icons {
    ($($name:ident = $file:literal),* $(,)?) => {
        /// An icon.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Icon {
            $(#[doc = $file] $name),*
        }

        impl Icon {
            fn handle(self) -> svg::Handle {
                match self {
                    $(Icon::$name => {
                        // Made once: iced keeps what it has drawn by the handle's number.
                        static HANDLE: LazyLock<svg::Handle> = LazyLock::new(|| {
                            svg::Handle::from_memory(include_bytes!(concat!("../../assets/icons/", $file, ".svg")))
                        });
                        HANDLE.clone()
                    })*
                }
            }
        }
    };
}

icons! {
    Bridge = "bridge",
    Cable = "cable",
    Caution = "caution",
    Check = "check",
    ChevronDown = "chevron-down",
    ChevronRight = "chevron-right",
    Close = "close",
    Computer = "computer",
    Copy = "copy",
    Disc = "disc",
    Dot = "dot",
    Down = "down",
    Eye = "eye",
    EyeOff = "eye-off",
    Folder = "folder",
    Gear = "gear",
    Help = "help",
    Info = "info",
    Layers = "layers",
    Logo = "logo",
    Pause = "pause",
    Pencil = "pencil",
    Play = "play",
    Save = "save",
    Search = "search",
    Shield = "shield",
    Stop = "stop",
    Up = "up",
    Wifi = "wifi",
}

/// An icon in a tone, 20 px wide.
pub fn icon<'a>(icon: Icon, tone: Tone) -> Svg<'a> {
    sized(icon, tone, 20.0)
}

/// An icon in a tone and of a size in logical pixels.
pub fn sized<'a>(icon: Icon, tone: Tone, size: f32) -> Svg<'a> {
    Svg::new(icon.handle()).width(size).height(size).style(theme::icon(tone))
}
