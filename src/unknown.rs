//! Words of a saved file that this program does not know. A newer one wrote them, and gets them back.

use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

/// Words of a saved file that this program does not know: a newer one wrote them, and gets them back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unknown(pub toml::Table);

impl Unknown {
    /// Both; where they name the same, the other one's.
    pub fn and(mut self, over: Unknown) -> Unknown {
        self.0.extend(over.0);
        self
    }
}

// By their text: two times the same text is the same, also where it has a number that is not one.
impl PartialEq for Unknown {
    fn eq(&self, other: &Unknown) -> bool {
        self.0.to_string() == other.0.to_string()
    }
}

impl Eq for Unknown {}

impl Hash for Unknown {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_string().hash(state);
    }
}
