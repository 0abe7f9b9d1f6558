//! How this user likes the window: kept in the state folder, apart from deployments.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// The file's name.
const FILE: &str = "window.toml";

/// Light, dark, or as the system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shade {
    /// As the system says.
    #[default]
    System,
    /// Dark ink on light paper.
    Light,
    /// Light ink on dark paper.
    Dark,
}

/// The preferences.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Preferences {
    /// Light or dark.
    pub shade: Shade,
    /// Size of everything: 1 is as drawn, from [`SCALES`].
    pub scale: f32,
}

/// The sizes that can be chosen.
pub const SCALES: [f32; 5] = [0.9, 1.0, 1.25, 1.5, 2.0];

impl Default for Preferences {
    fn default() -> Preferences {
        Preferences { shade: Shade::System, scale: 1.0 }
    }
}

impl Preferences {
    /// Reads them; where there are none, or they make no sense, these are the usual ones.
    pub fn load(state: &Path) -> Preferences {
        let read = std::fs::read_to_string(state.join(FILE)).ok();
        let mut preferences: Preferences = read.and_then(|text| toml::from_str(&text).ok()).unwrap_or_default();
        if !SCALES.contains(&preferences.scale) {
            preferences.scale = 1.0;
        }
        preferences
    }

    /// Keeps them. Where that is not possible the window looks as usual next time, which is no reason to complain.
    pub fn save(&self, state: &Path) {
        if let Ok(text) = toml::to_string(self) {
            let _ = std::fs::create_dir_all(state);
            let _ = std::fs::write(state.join(FILE), text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_come_back_and_nonsense_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let own = Preferences { shade: Shade::Dark, scale: 1.5 };
        own.save(folder.path());
        assert_eq!(Preferences::load(folder.path()), own);
        for text in ["scale = 77.0", "scale = nan", "shade = 'pink'", "\u{0}"] {
            std::fs::write(folder.path().join(FILE), text).unwrap();
            assert_eq!(Preferences::load(folder.path()), Preferences::default(), "{text}");
        }
    }
}
