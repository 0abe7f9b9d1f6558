//! What a template is filled in with: what is known of the computer, and the variables of the settings and the list.

use std::path::Path;

use super::{Answers, dashes};
use crate::answer::roster::{OWN_NAMES, Row};
use crate::answer::template::{self, Filled, Variables};
use crate::answer::{AnswerError, Computer, Counters, Place};
use crate::image::file_name;

/// Names that belong to the computer and are given otherwise than as a variable.
const COMPUTER_NAMES: [&str; 4] = ["mac", "uuid", "serial", "hostname"];

impl Answers {
    /// A template of this file, filled in for a computer.
    pub(super) fn fill(
        &self,
        path: &Path,
        text: &str,
        computer: &Computer,
        place: &Place,
        counters: &mut Counters,
    ) -> Result<Filled, AnswerError> {
        let variables = self.variables(text, computer, place, counters)?;
        template::fill(text, &variables).map_err(|fault| AnswerError::Template { path: path.into(), fault })
    }

    fn variables(
        &self,
        text: &str,
        computer: &Computer,
        place: &Place,
        counters: &mut Counters,
    ) -> Result<Variables, AnswerError> {
        let mut variables = Variables::default();
        let untold = "it has not told it.";
        variables.set("mac", &computer.mac.to_string());
        variables.set("mac_dashes", &dashes(computer.mac));
        variables.set("server", &place.server.to_string());
        variables.set("base_url", &place.base_url);
        variables.set("iso_url", &place.iso_url);
        let row = self.row(computer);
        let ip = computer.ip.map(|ip| ip.to_string());
        let told =
            |own: &Option<String>, listed: Option<&String>| own.as_ref().or(listed).map(|text| text.trim().to_owned());
        let facts = [
            ("ip", ip),
            ("uuid", told(&computer.uuid, row.and_then(|row| row.uuid.as_ref()))),
            ("serial", told(&computer.serial, row.and_then(|row| row.serial.as_ref()))),
            ("product", told(&computer.product, None)),
        ];
        for (name, value) in facts {
            variables.set(name, &value.unwrap_or_default());
            variables.miss(name, untold);
        }
        self.add_own(&mut variables, row);
        // Numbers are given to those alone that need one.
        if template::names(text, "counter") {
            variables.set_number("counter", self.number(computer, counters)?);
        }
        if template::names(text, "hostname") {
            variables.set("hostname", &self.hostname(computer, counters)?.unwrap_or_default());
        }
        variables.miss("counter", "nothing asks for it.");
        variables.miss("hostname", "there is no pattern for host names, and the list of computers does not have it.");
        Ok(variables)
    }

    /// The variables of the settings, and over them those of the list.
    fn add_own(&self, variables: &mut Variables, row: Option<&Row>) {
        for (name, value) in &self.settings.variables {
            variables.set(name, value);
            variables.miss(name, "it is empty.");
        }
        let (Some(roster), list) = (&self.roster, self.settings.list.as_deref().map(file_name).unwrap_or_default())
        else {
            return;
        };
        for (name, value) in row.into_iter().flat_map(|row| roster.variables(row)) {
            variables.set(name, value);
        }
        let why = match row {
            Some(row) => format!("line {} of {list} leaves it out.", row.line),
            None => format!("it is not in {list}."),
        };
        for name in roster.columns() {
            variables.miss(name, why.as_str());
        }
    }
}

/// Whether a variable of one's own may have this name.
pub(super) fn is_variable(name: &str) -> bool {
    let mut letters = name.chars();
    let first = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let rest = letters.all(|c| c.is_ascii_alphanumeric() || c == '_');
    first && rest && !OWN_NAMES.contains(&name) && !COMPUTER_NAMES.contains(&name)
}
