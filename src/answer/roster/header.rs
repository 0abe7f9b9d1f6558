//! The first row of a list: what each column is.

use std::collections::BTreeMap;

use super::{MAX_COLUMNS, MAX_SHOWN, Table};
use crate::answer::Fault;
use crate::text;

/// Names that templates have without any list; a column cannot have one of them.
pub const OWN_NAMES: [&str; 7] = ["ip", "mac_dashes", "product", "counter", "server", "base_url", "iso_url"];
/// The columns that say which computer it is, and its name.
const KEYS: [&str; 4] = ["mac", "uuid", "serial", "hostname"];

/// What each column is.
pub(super) struct Header(pub(super) Vec<Column>);

pub(super) enum Column {
    Key(&'static str),
    Variable(String),
    /// A column without a name; nothing may be in it.
    Nameless,
}

impl Header {
    /// The names of the variables, in their order.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|column| match column {
            Column::Variable(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

/// Reads the first row of a table.
pub(super) fn header(table: &Table) -> Result<Header, Vec<Fault>> {
    let Some((line, record)) = table.rows.first() else {
        return Err(vec![Fault::error(
            None,
            "The list is empty.",
            "Give it a first row with the names of its columns, like mac and hostname.",
        )]);
    };
    if record.len() > MAX_COLUMNS {
        return Err(vec![Fault::error(
            *line,
            "The list has more than 64 columns.",
            "Take those out that no answer file uses.",
        )]);
    }
    let mut faults = Vec::new();
    let mut seen: BTreeMap<String, ()> = BTreeMap::new();
    let mut columns = Vec::new();
    for title in record {
        let name = name_of(title);
        let shown = text::plain(title, MAX_SHOWN);
        if !name.is_empty() && seen.insert(name.clone(), ()).is_some() {
            faults.push(Fault::error(*line, format!("Two columns are called {shown}."), "Rename one of them."));
        } else if OWN_NAMES.contains(&name.as_str()) {
            let next_step = format!("Rename it, for instance to own_{name}.");
            faults.push(Fault::error(
                *line,
                format!("The column {shown} has the name of a variable that Bootwright fills in."),
                next_step,
            ));
        }
        columns.push(match KEYS.iter().find(|key| **key == name) {
            Some(key) => Column::Key(key),
            None if name.is_empty() => Column::Nameless,
            None => Column::Variable(name),
        });
    }
    if !columns.iter().any(|column| matches!(column, Column::Key("mac" | "uuid" | "serial"))) {
        let what = "No column says which computer a row is for.";
        // The row may be a computer's already: nothing is said of its fields, which may be passwords.
        faults = vec![Fault::error(*line, what, "Call one of them mac, uuid or serial in the first row.")];
    }
    if faults.is_empty() { Ok(Header(columns)) } else { Err(faults) }
}

/// A column's title as a template can name it: `Room No.` is `room_no`. Empty where nothing is left.
fn name_of(title: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let name: String = title.chars().map(|c| fold(c).map_or_else(|| safe(c).to_string(), str::to_owned)).collect();
    let parts: Vec<&str> = name.split('_').filter(|part| !part.is_empty()).collect();
    let name = parts.join("_");
    match name.as_str() {
        "mac_address" | "mac_adresse" => "mac".into(),
        "host_name" => "hostname".into(),
        "serial_number" | "serial_no" => "serial".into(),
        other if other.starts_with(|c: char| c.is_ascii_digit()) => format!("_{other}"),
        _ => name,
    }
}

/// Letters that German tables have.
fn fold(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ä' | 'Ä' => "ae",
        'ö' | 'Ö' => "oe",
        'ü' | 'Ü' => "ue",
        'ß' => "ss",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_become_names() {
        let cases = [
            ("MAC address", "mac"),
            ("Größe (GB)", "groesse_gb"),
            ("2nd", "_2nd"),
            ("Host Name", "hostname"),
            (" - ", ""),
        ];
        for (title, expected) in cases {
            assert_eq!(name_of(title), expected, "{title}");
        }
    }
}
