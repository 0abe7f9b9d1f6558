//! What the user decided about answer files: the table `[answers]` of a saved deployment.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize};

use super::Computer;
use super::roster;
use crate::mac::Mac;
use crate::unknown::Unknown;

/// Which entry gets which answer file, and what is filled in. Variables may be passwords: `Debug` has their names alone.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Settings {
    /// A list of computers (CSV), see [`super::roster`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<PathBuf>,
    /// A pattern for host names, see [`super::hostname`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_name: Option<String>,
    /// The first number in host names; none is 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_number: Option<u32>,
    /// Answer files by entry id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub entry: BTreeMap<String, PathBuf>,
    /// Variables of one's own, the same for all computers; the list of computers goes before them.
    #[serde(deserialize_with = "texts", skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, String>,
    /// Files for single computers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub computer: Vec<ForComputer>,
    /// What only a newer program understands; it is kept in the file.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { list, host_name, first_number, entry, variables, computer, unknown } = self;
        f.debug_struct("Settings")
            .field("list", list)
            .field("host_name", host_name)
            .field("first_number", first_number)
            .field("entry", entry)
            .field("variables", &variables.keys())
            .field("computer", computer)
            // What a newer program wrote there may be a password as well.
            .field("unknown", &unknown.0.keys().collect::<Vec<_>>())
            .finish()
    }
}

/// Another file for a single computer, which is named by one of its three names at least. All that are given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct ForComputer {
    /// Its network card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// Its SMBIOS UUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// Its serial number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// For this entry alone; none is for each entry whose answer file is of the same kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// The answer file.
    pub file: PathBuf,
    /// What only a newer program understands; it is kept in the file.
    #[serde(flatten)]
    pub unknown: Unknown,
}

impl Settings {
    /// Whether nothing was decided.
    pub fn is_empty(&self) -> bool {
        *self == Settings::default()
    }

    /// Renames entries, and forgets what is for those that have no new name.
    pub fn rename(&mut self, name: impl Fn(&str) -> Option<String>) {
        let files = std::mem::take(&mut self.entry).into_iter();
        self.entry = files.filter_map(|(id, file)| Some((name(&id)?, file))).collect();
        self.computer.retain_mut(|computer| {
            let Some(id) = &computer.entry else { return true };
            computer.entry = name(id);
            computer.entry.is_some()
        });
    }

    /// All paths, to make them absolute or relative.
    pub fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let computers = self.computer.iter_mut().map(|computer| &mut computer.file);
        self.list.iter_mut().chain(self.entry.values_mut()).chain(computers)
    }
}

impl ForComputer {
    /// Whether it is for this computer. One that names none is for none.
    pub fn fits(&self, computer: &Computer) -> bool {
        let same = |own: &Option<String>, other: &Option<String>, key: fn(&str) -> Option<String>| {
            own.as_deref().is_none_or(|own| key(own).is_some() && key(own) == other.as_deref().and_then(key))
        };
        let names_one = self.mac.is_some() || self.uuid.is_some() || self.serial.is_some();
        names_one
            && self.mac.is_none_or(|mac| mac == computer.mac)
            && same(&self.uuid, &computer.uuid, roster::uuid_key)
            && same(&self.serial, &computer.serial, roster::serial_key)
    }
}

/// People write `desks = 12` without quotes.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a variable is a text, a number, true or false")]
    enum Plain {
        Text(String),
        Flag(bool),
        Number(i64),
    }
    let plain = BTreeMap::<String, Plain>::deserialize(deserializer)?;
    let text = |value| match value {
        Plain::Text(text) => text,
        Plain::Flag(flag) => flag.to_string(),
        Plain::Number(number) => number.to_string(),
    };
    Ok(plain.into_iter().map(|(name, value)| (name, text(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
list = "computers.csv"
host-name = "lab-{nn}"
first-number = 5
later = 1

[entry]
debian = "preseed.cfg"

[variables]
room = "A 12"
desks = 12
quiet = true

[[computer]]
mac = "52:54:00:00:00:01"
entry = "debian"
file = "special.cfg"
"#;

    #[test]
    fn a_saved_table_comes_back_as_it_was() {
        let settings: Settings = toml::from_str(FILE).unwrap();
        assert_eq!(
            settings.variables.values().collect::<Vec<_>>(),
            ["12", "true", "A 12"].map(String::from).iter().collect::<Vec<_>>()
        );
        assert_eq!((settings.first_number, settings.computer.len()), (Some(5), 1));
        assert!(settings.unknown.0.contains_key("later"));
        let written = toml::to_string(&settings).unwrap();
        assert_eq!(toml::from_str::<Settings>(&written), Ok(settings.clone()), "{written}");
        let shown = format!("{settings:?}");
        assert!(shown.contains("room") && !shown.contains("A 12"), "{shown}");
        let mut settings = settings;
        let paths: Vec<_> = settings.paths().map(|path| path.display().to_string()).collect();
        assert_eq!(paths, ["computers.csv", "preseed.cfg", "special.cfg"]);
        assert!(!settings.is_empty() && toml::from_str::<Settings>("").unwrap().is_empty());
        assert!(toml::from_str::<Settings>("[variables]\nx = [1]").is_err());
    }

    #[test]
    fn a_file_is_for_the_computer_that_it_names() {
        let computer = Computer {
            mac: Mac([2; 6]),
            ip: None,
            uuid: Some("4C4C4544-0042-3010-8058-B3C04F4A4E31".into()),
            serial: Some("AB12".into()),
            product: None,
        };
        let named = |mac: Option<u8>, uuid: Option<&str>, serial: Option<&str>| {
            let named = ForComputer {
                mac: mac.map(|byte| Mac([byte; 6])),
                uuid: uuid.map(String::from),
                serial: serial.map(String::from),
                ..ForComputer::default()
            };
            named.fits(&computer)
        };
        let cases = [
            (named(Some(2), None, None), true),
            (named(Some(3), None, None), false),
            (named(None, Some("4c4c4544004230108058b3c04f4a4e31"), None), true),
            (named(None, None, Some(" ab12 ")), true),
            (named(None, None, Some(" ")), false),
            (named(Some(2), None, Some("other")), false),
            (named(None, None, None), false),
        ];
        for (at, (fits, expected)) in cases.into_iter().enumerate() {
            assert_eq!(fits, expected, "case {at}");
        }
    }
}
