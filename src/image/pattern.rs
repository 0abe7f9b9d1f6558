//! Regular expressions of recipes.

use std::sync::OnceLock;

use regex::Regex;
use serde::Deserialize;

/// A regular expression that is compiled when it is first needed, and once: a start reads hundreds of them, and an image
/// needs a few.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "String")]
pub struct Pattern {
    text: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The expression; `None` where it is none, which reading a recipe of the user tells.
    pub fn regex(&self) -> Option<&Regex> {
        self.compiled.get_or_init(|| Regex::new(&self.text).ok()).as_ref()
    }
}

impl From<String> for Pattern {
    fn from(text: String) -> Pattern {
        Pattern { text, compiled: OnceLock::new() }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.text == other.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_expression_matches_nothing_and_one_is_compiled_once() {
        let pattern = |text: &str| Pattern::from(text.to_owned());
        assert!(pattern("(").regex().is_none());
        let digits = pattern(r"^\d+$");
        assert!(digits.regex().is_some_and(|regex| regex.is_match("42") && !regex.is_match("x")));
        assert!(std::ptr::eq(digits.regex().unwrap(), digits.regex().unwrap()));
        assert!(digits == pattern(r"^\d+$") && digits != pattern("x") && digits.as_str() == r"^\d+$");
    }
}
