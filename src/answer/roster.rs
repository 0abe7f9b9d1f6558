//! The list of computers: a CSV file with a row for each, as spreadsheets write it.
//!
//! The first row names the columns. `mac`, `uuid` and `serial` say which computer a row is for, one of them is enough;
//! `hostname` is its name; every other column is a variable of its own name. Fields are parted by commas, semicolons
//! (Excel where a comma parts decimals) or tabs.

mod decode;
mod header;

use std::collections::HashMap;
use std::fmt;

use csv::{ReaderBuilder, StringRecord, Trim};

use self::decode::decode;
pub use self::header::OWN_NAMES;
use self::header::{Column, Header, header};
use super::fault::{self, Fault};
use super::{Computer, hostname};
use crate::mac::Mac;
use crate::text;

/// Most rows of computers.
pub const MAX_ROWS: usize = 10_000;
/// Most columns.
pub const MAX_COLUMNS: usize = 64;
/// Most bytes of a list: 10,000 rows with 400 bytes each.
pub const MAX_SIZE: usize = 4 << 20;
/// Longest field that a sentence repeats, in characters.
const MAX_SHOWN: usize = 60;

/// One computer of the list.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// Its line in the file; 1 is the first.
    pub line: usize,
    /// Its network card.
    pub mac: Option<Mac>,
    /// Its SMBIOS UUID.
    pub uuid: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Its host name.
    pub hostname: Option<String>,
    /// The variables, as [`Roster::columns`] names them; an empty text is none.
    values: Vec<String>,
}

impl Row {
    /// The computer that the row is for; what it does not say is as it is with `like`.
    pub fn computer(&self, like: &Computer) -> Computer {
        Computer {
            mac: self.mac.unwrap_or(like.mac),
            uuid: self.uuid.clone().or_else(|| like.uuid.clone()),
            serial: self.serial.clone().or_else(|| like.serial.clone()),
            ..like.clone()
        }
    }
}

// Columns may hold passwords.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("line", &self.line).field("mac", &self.mac).finish_non_exhaustive()
    }
}

/// The list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    columns: Vec<String>,
    rows: Vec<Row>,
    places: HashMap<Key, usize>,
}

/// What a row is found by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Mac(Mac),
    Uuid(String),
    Serial(String),
    Hostname(String),
}

/// A UUID to compare: its 32 digits. None where it is no UUID.
pub(super) fn uuid_key(uuid: &str) -> Option<String> {
    let digits: String = uuid.trim().trim_matches(['{', '}']).chars().filter(|&c| c != '-').collect();
    (digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| digits.to_ascii_lowercase())
}

/// A serial number to compare. None where it is blank.
pub(super) fn serial_key(serial: &str) -> Option<String> {
    let serial = serial.trim();
    (!serial.is_empty()).then(|| serial.to_lowercase())
}

impl Roster {
    /// Reads a list. What is wrong with it is told line by line.
    pub fn parse(bytes: &[u8]) -> Result<Roster, Vec<Fault>> {
        if bytes.len() > MAX_SIZE {
            return Err(vec![Fault::error(
                None,
                "The list has more than 4 MiB.",
                "Leave out columns that no answer file uses.",
            )]);
        }
        let text = decode(bytes);
        let table = Table::split(&text)?;
        let mut reading = Reading { header: header(&table)?, roster: Roster::default(), faults: Vec::new() };
        reading.roster.columns = reading.header.variables().map(String::from).collect();
        for (line, record) in table.rows.iter().skip(1) {
            reading.take(*line, record);
            if reading.faults.len() >= fault::MAX_FAULTS {
                break;
            }
        }
        let Reading { roster, faults, .. } = reading;
        if faults.is_empty() { Ok(roster) } else { Err(fault::ordered(faults)) }
    }

    /// The names of the variables.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The computers, in the order of the file.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The row of a computer: by its network card, else by its UUID, else by its serial number. Anybody can claim a UUID
    /// or a serial number, so a row that names a network card is for that card alone.
    pub fn find(&self, computer: &Computer) -> Option<&Row> {
        let uuid = computer.uuid.as_deref().and_then(uuid_key).map(Key::Uuid);
        let serial = computer.serial.as_deref().and_then(serial_key).map(Key::Serial);
        let keys = [Some(Key::Mac(computer.mac)), uuid, serial];
        let named = |key: &Key| self.places.get(key).and_then(|place| self.rows.get(*place));
        let fits = |row: &&Row| row.mac.is_none_or(|mac| mac == computer.mac);
        keys.iter().flatten().find_map(|key| named(key).filter(fits))
    }

    /// Whether a computer of the list has this host name.
    pub fn has_name(&self, hostname: &str) -> bool {
        self.places.contains_key(&Key::Hostname(hostname.to_lowercase()))
    }

    /// The variables of a row with their values; an empty value is none.
    pub fn variables<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.columns.iter().map(String::as_str).zip(row.values.iter().map(String::as_str))
    }
}

/// The file as lines of fields, the header first.
struct Table {
    rows: Vec<(usize, StringRecord)>,
}

impl Table {
    fn split(text: &str) -> Result<Table, Vec<Fault>> {
        let (separator, start) = separator(text);
        let body = text.get(start..).unwrap_or_default();
        let mut reader = ReaderBuilder::new()
            .delimiter(separator)
            .has_headers(false)
            .flexible(true)
            .trim(Trim::All)
            .from_reader(body.as_bytes());
        let line_ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        let line_of = |record: &StringRecord| {
            let at = record.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or_default();
            // The reader's own lines count from an empty one before.
            let blank = body.get(at..).map_or(0, |rest| rest.len() - rest.trim_start_matches(['\r', '\n']).len());
            line_ends.partition_point(|&end| end < start + at + blank) + 1
        };
        let mut rows = Vec::new();
        for record in reader.records() {
            let unreadable = |error: &csv::Error| {
                let line = error.position().and_then(|at| usize::try_from(at.line()).ok());
                vec![Fault::error(line, "The list cannot be read as a table.", "Save it as CSV once more.")]
            };
            let record = record.map_err(|error| unreadable(&error))?;
            if record.iter().all(str::is_empty) {
                continue;
            }
            if rows.len() > MAX_ROWS {
                let what = "The list has more than 10,000 computers.";
                return Err(vec![Fault::error(line_of(&record), what, "Take those out that are not installed here.")]);
            }
            rows.push((line_of(&record), record));
        }
        Ok(Table { rows })
    }
}

/// What parts the fields, and where the table begins: Excel says it in a line of its own, `sep=;`. Else it is what the
/// first line has most of outside quotes.
fn separator(text: &str) -> (u8, usize) {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    if let Some(&[separator @ (b',' | b';' | b'\t')]) =
        first.trim_end_matches('\r').strip_prefix("sep=").map(str::as_bytes)
    {
        return (separator, text.find('\n').map_or(text.len(), |end| end + 1));
    }
    let mut counts = [(b',', 0), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in first.bytes() {
        quoted ^= byte == b'"';
        if let Some((_, count)) = counts.iter_mut().find(|(separator, _)| *separator == byte && !quoted) {
            *count += 1;
        }
    }
    // The first of equals: a single column is parted by nothing.
    let most = counts.into_iter().rev().max_by_key(|(_, count)| *count);
    (most.map_or(b',', |(separator, _)| separator), 0)
}

/// A list on its way from a table.
struct Reading {
    header: Header,
    roster: Roster,
    faults: Vec<Fault>,
}

impl Reading {
    fn take(&mut self, line: usize, record: &StringRecord) {
        let before = self.faults.len();
        let mut row = Row { line, mac: None, uuid: None, serial: None, hostname: None, values: Vec::new() };
        for (at, column) in self.header.0.iter().enumerate() {
            let field = record.get(at).unwrap_or_default();
            if let Err(fault) = set(&mut row, column, field) {
                self.faults.push(fault);
            }
        }
        if record.iter().skip(self.header.0.len()).any(|field| !field.is_empty()) {
            let next_step = "Put a field that has a comma or semicolon itself into quotes.";
            self.faults.push(Fault::error(line, "The row has more fields than the first one.", next_step));
        }
        if self.faults.len() == before {
            self.add(row);
        }
    }

    fn add(&mut self, row: Row) {
        let uuid = row.uuid.as_deref().and_then(uuid_key).map(Key::Uuid);
        let serial = row.serial.as_deref().and_then(serial_key).map(Key::Serial);
        let computer: Vec<Key> = [row.mac.map(Key::Mac), uuid, serial].into_iter().flatten().collect();
        if computer.is_empty() {
            let what = "The row does not say which computer it is for.";
            return self.faults.push(Fault::error(row.line, what, "Fill in its MAC address, UUID or serial number."));
        }
        let name = row.hostname.as_ref().map(|name| Key::Hostname(name.to_lowercase()));
        let keys: Vec<Key> = computer.into_iter().chain(name).collect();
        let twice = |key: &&Key| self.roster.places.contains_key(*key);
        if let Some(key) = keys.iter().find(twice) {
            let other = self.roster.places.get(key).and_then(|place| self.roster.rows.get(*place));
            let there = other.map_or(row.line, |other| other.line);
            let what = format!("{} is in line {there} already.", key.shown());
            return self.faults.push(Fault::error(row.line, what, "Take one of the two out."));
        }
        self.roster.places.extend(keys.into_iter().map(|key| (key, self.roster.rows.len())));
        self.roster.rows.push(row);
    }
}

impl Key {
    fn shown(&self) -> String {
        match self {
            Key::Mac(mac) => format!("The MAC address {mac}"),
            Key::Uuid(uuid) => format!("The UUID {uuid}"),
            Key::Serial(serial) => format!("The serial number {}", text::plain(serial, MAX_SHOWN)),
            Key::Hostname(name) => format!("The host name {name}"),
        }
    }
}

/// Puts a field into its row.
fn set(row: &mut Row, column: &Column, field: &str) -> Result<(), Fault> {
    let line = row.line;
    let shown = || text::plain(field, MAX_SHOWN);
    let given = (!field.is_empty()).then(|| field.to_owned());
    match column {
        Column::Variable(_) => row.values.push(field.to_owned()),
        Column::Nameless if given.is_some() => {
            // Nobody knows what it is, and it may be a password.
            return Err(Fault::error(
                line,
                "A field is in a column without a name.",
                "Give the column a name in the first row.",
            ));
        }
        Column::Nameless => {}
        Column::Key(_) if given.is_none() => {}
        Column::Key("mac") => {
            let wrong =
                || Fault::error(line, format!("{} is no MAC address.", shown()), "Write it like 52:54:00:12:34:56.");
            row.mac = Some(mac(field).ok_or_else(wrong)?);
        }
        Column::Key("uuid") => {
            let next_step = "Write it like 4c4c4544-0042-3010-8058-b3c04f4a4e31.";
            uuid_key(field).ok_or_else(|| Fault::error(line, format!("{} is no UUID.", shown()), next_step))?;
            row.uuid = given;
        }
        Column::Key("hostname") => {
            let wrong = |_| {
                Fault::error(
                    line,
                    format!("{} is no host name.", shown()),
                    "Use letters, digits and dashes, 63 at most.",
                )
            };
            row.hostname = Some(hostname::checked(field).map_err(wrong)?);
        }
        Column::Key(_) => row.serial = given,
    }
    Ok(())
}

/// A MAC address as lists write it: with colons, dashes, dots in fours, or nothing at all.
fn mac(text: &str) -> Option<Mac> {
    if let Ok(mac) = text.parse() {
        return Some(mac);
    }
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'.').collect();
    let (pairs, rest) = digits.as_chunks::<2>();
    let octets: Vec<u8> = pairs.iter().map(|pair| octet(*pair)).collect::<Option<_>>()?;
    if rest.is_empty() { octets.try_into().ok().map(Mac) } else { None }
}

fn octet(pair: [u8; 2]) -> Option<u8> {
    let [high, low] = pair.map(|digit| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok()));
    Some(high? << 4 | low?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn computer(mac: &str, uuid: Option<&str>, serial: Option<&str>) -> Computer {
        let text = |text: Option<&str>| text.map(String::from);
        Computer { mac: mac.parse().unwrap(), ip: None, uuid: text(uuid), serial: text(serial), product: None }
    }

    fn read(text: &str) -> Roster {
        Roster::parse(text.as_bytes()).unwrap_or_else(|faults| panic!("{text}: {faults:?}"))
    }

    /// Line and sentence of each fault.
    fn faults(text: &str) -> Vec<String> {
        let faults = Roster::parse(text.as_bytes()).err().unwrap_or_else(|| panic!("{text}"));
        let line = |fault: Fault| format!("{} {}", fault.line.unwrap_or_default(), fault.what);
        faults.into_iter().map(line).collect()
    }

    /// The variables of the first row.
    fn variables(roster: &Roster) -> Vec<(&str, &str)> {
        roster.variables(&roster.rows()[0]).collect()
    }

    #[test]
    fn every_kind_of_table_is_read() {
        let expected = [("room_no", "A, 12"), ("user", "J\u{fc}rgen \"J\"")];
        let rest = "52:54:00:00:00:01";
        let cases: [(&str, Vec<u8>); 7] = [
            ("comma", format!("mac,Room No.,user\n{rest},\"A, 12\",\"Jürgen \"\"J\"\"\"\n").into()),
            ("semicolon", format!("MAC;Room No.;User\r\n{rest};A, 12;\"Jürgen \"\"J\"\"\"\r\n").into()),
            ("tab", format!("mac\troom no\tuser\n{rest}\tA, 12\t\"Jürgen \"\"J\"\"\"").into()),
            ("sep", format!("sep=;\r\nmac;room_no;user\r\n{rest};A, 12;\"Jürgen \"\"J\"\"\"").into()),
            ("mark", format!("\u{feff}mac;room_no;user\n{rest};A, 12;\"Jürgen \"\"J\"\"\"").into()),
            (
                "1252",
                [b"mac;room_no;user\n52-54-00-00-00-01;A, 12;\"J".as_slice(), &[0xfc], b"rgen \"\"J\"\"\""].concat(),
            ),
            ("utf-16", {
                let text = format!("\u{feff}mac\troom_no\tuser\r\n{rest}\tA, 12\t\"Jürgen \"\"J\"\"\"\r\n");
                text.encode_utf16().flat_map(u16::to_le_bytes).collect()
            }),
        ];
        for (name, bytes) in cases {
            let roster = Roster::parse(&bytes).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
            assert_eq!(variables(&roster), expected, "{name}");
            assert_eq!(roster.rows()[0].mac, rest.parse().ok(), "{name}");
        }
    }

    #[test]
    fn a_computer_is_found_by_whatever_is_known_of_it() {
        let uuid = "4C4C4544-0042-3010-8058-B3C04F4A4E31";
        let roster =
            read(&format!("mac,uuid,serial,hostname,x\n0011.2233.4455,,,one,1\n,{uuid},,two,2\n\n,,\"S 1\",Three\n"));
        let cases = [
            (computer("00:11:22:33:44:55", None, None), Some("one")),
            (computer("00:11:22:33:44:55", Some(uuid), None), Some("one")),
            (computer("02:00:00:00:00:00", Some("{4c4c454400423010-8058b3c04f4a4e31}"), None), Some("two")),
            (computer("02:00:00:00:00:00", Some("none"), Some("s 1 ")), Some("Three")),
            (computer("02:00:00:00:00:00", None, Some("S 2")), None),
        ];
        for (computer, expected) in cases {
            let found = roster.find(&computer).and_then(|row| row.hostname.as_deref());
            assert_eq!(found, expected, "{computer:?}");
        }
        let last = &roster.rows()[2];
        assert_eq!((last.line, roster.variables(last).next()), (5, Some(("x", ""))), "a field that is left out");
        assert!(roster.has_name("three") && !roster.has_name("four"));
    }

    #[test]
    fn a_row_says_what_it_knows_of_its_computer() {
        let roster = read("mac,serial\n020000000001,\n,S1\n");
        let like = Computer { product: Some("P".into()), ..computer("02:00:00:00:00:09", Some("U"), Some("S9")) };
        let computers: Vec<_> = roster.rows().iter().map(|row| row.computer(&like)).collect();
        let first = Computer { mac: Mac([2, 0, 0, 0, 0, 1]), ..like.clone() };
        assert_eq!(computers, [first, Computer { serial: Some("S1".into()), ..like }]);
    }

    #[test]
    fn a_row_with_a_network_card_is_for_no_other_card() {
        let uuid = "4c4c4544-0042-3010-8058-b3c04f4a4e31";
        let roster = read(&format!("mac,uuid,serial,hostname\n020000000001,{uuid},S1,one\n,,S2,two\n"));
        let cases = [
            (computer("02:00:00:00:00:01", None, None), Some("one")),
            (computer("02:00:00:00:00:02", Some(uuid), None), None),
            (computer("02:00:00:00:00:02", None, Some("S1")), None),
            (computer("02:00:00:00:00:02", Some(uuid), Some("S2")), Some("two")),
        ];
        for (computer, expected) in cases {
            let found = roster.find(&computer).and_then(|row| row.hostname.as_deref());
            assert_eq!(found, expected, "{computer:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_line_by_line() {
        let cases: [(&str, &[&str]); 11] = [
            ("", &["0 The list is empty."]),
            ("name,room\nx,1\n", &["1 No column says which computer a row is for."]),
            ("name,hunter2,hunter2\n", &["1 No column says which computer a row is for."]),
            ("mac,room,Room\n", &["1 Two columns are called Room."]),
            ("mac;ip\n", &["1 The column ip has the name of a variable that Bootwright fills in."]),
            (
                "mac,x\n5254,1\n\n52:54:00:00:00:0g,1\n",
                &["2 5254 is no MAC address.", "4 52:54:00:00:00:0g is no MAC address."],
            ),
            ("mac,hostname\n020000000001,a_b\n", &["2 a_b is no host name."]),
            ("uuid\n123\n", &["2 123 is no UUID."]),
            (
                "mac,hostname\n020000000001,a\n02:00:00:00:00:01,b\n020000000003,A\n",
                &[
                    "3 The MAC address 02:00:00:00:00:01 is in line 2 already.",
                    "4 The host name a is in line 2 already.",
                ],
            ),
            ("mac,room\n,12\n", &["2 The row does not say which computer it is for."]),
            (
                "mac,,room\n020000000001,x,1,2\n",
                &["2 A field is in a column without a name.", "2 The row has more fields than the first one."],
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(faults(text), expected, "{text}");
        }
    }

    #[test]
    fn a_list_is_bounded() {
        let rows = |count: usize| (0..count).map(|at| format!("02{at:010x}\n")).collect::<String>();
        assert_eq!(read(&format!("mac\n{}", rows(MAX_ROWS))).rows().len(), MAX_ROWS);
        assert_eq!(faults(&format!("mac\n{}", rows(MAX_ROWS + 1))), ["10002 The list has more than 10,000 computers."]);
        assert_eq!(faults(&",".repeat(MAX_COLUMNS)).len(), 1);
        assert_eq!(faults(&format!("mac{}", ",x".repeat(MAX_COLUMNS))), ["1 The list has more than 64 columns."]);
        assert!(Roster::parse(&vec![b'x'; MAX_SIZE + 1]).is_err());
        let wrong = format!("mac\n{}", "x\n".repeat(1000));
        assert_eq!(faults(&wrong).len(), fault::MAX_FAULTS);
    }

    #[test]
    fn a_row_does_not_show_its_variables() {
        let roster = read("mac,password\n020000000001,hunter2\n");
        assert!(!format!("{:?}", roster.rows()).contains("hunter2"));
    }
}
