//! The answer files of a deployment, read and checked, and filled in for the computer that asks.

mod filling;

use std::collections::BTreeMap;
use std::fmt;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use self::filling::is_variable;
use super::fault::MAX_FAULTS;
use super::hostname::Pattern;
use super::load::{self, AnswerError};
use super::roster::{Roster, Row};
use super::template::Filled;
use super::tickets::Part;
use super::{Computer, Counters, Fault, Place, Rendered, Settings, kind, preview};
use crate::image::AnswerKind;
use crate::mac::Mac;

/// The answer files of a deployment.
#[derive(Clone)]
pub struct Answers {
    settings: Settings,
    files: BTreeMap<PathBuf, Source>,
    roster: Option<Roster>,
    pattern: Option<Pattern>,
}

#[derive(Clone)]
struct Source {
    text: String,
    kind: AnswerKind,
    faults: Vec<Fault>,
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").field("files", &self.files.keys()).finish_non_exhaustive()
    }
}

impl Answers {
    /// Reads the files that the settings name, and checks each filled in for a computer that could ask. May wait for a
    /// disk. What is wrong inside an answer file is no error here: [`Answers::faults`] tells it.
    pub fn load(settings: &Settings) -> Result<Answers, AnswerError> {
        if let Some(name) = settings.variables.keys().find(|name| !is_variable(name)) {
            return Err(AnswerError::Variable { name: crate::text::plain(name, 60) });
        }
        let pattern = settings.host_name.as_deref().map(str::trim).filter(|pattern| !pattern.is_empty());
        let pattern = pattern.map(str::parse::<Pattern>).transpose()?;
        let roster = settings.list.as_deref().map(load::list).transpose()?;
        let mut answers = Answers { settings: settings.clone(), files: BTreeMap::new(), roster, pattern };
        let mut total = 0;
        for path in settings.clone().paths().map(|path| &*path) {
            if settings.list.as_ref() == Some(path) || answers.files.contains_key(path) {
                continue;
            }
            let text = load::answer_file(path)?;
            total += text.len();
            if total > load::MAX_TOTAL {
                return Err(AnswerError::TooMuch);
            }
            let kind = kind::recognise(&text);
            answers.files.insert(path.clone(), Source { text, kind, faults: Vec::new() });
        }
        answers.check();
        Ok(answers)
    }

    /// Whether no entry has an answer file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The list of computers.
    pub fn roster(&self) -> Option<&Roster> {
        self.roster.as_ref()
    }

    /// What is wrong with the answer files: each file that was read, its kind, and its faults by line.
    pub fn faults(&self) -> impl Iterator<Item = (&Path, AnswerKind, &[Fault])> {
        self.files.iter().map(|(path, source)| (path.as_path(), source.kind, source.faults.as_slice()))
    }

    /// How many files have a password in them that whoever gets the file can read.
    pub fn with_readable_passwords(&self) -> usize {
        self.faults().filter(|(_, _, faults)| faults.iter().any(Fault::is_readable_password)).count()
    }

    /// Which file a computer gets with an entry, and of what kind it is: the one for this computer and this entry, else
    /// the one for this computer if it is of the kind of the entry's own, else the entry's own.
    pub fn file(&self, entry: &str, computer: &Computer) -> Option<(&Path, AnswerKind)> {
        let own = self.settings.entry.get(entry).map(|path| (path.as_path(), self.kind(path)));
        let mut fitting = self.settings.computer.iter().filter(|file| file.fits(computer));
        let path = match fitting.clone().find(|file| file.entry.as_deref() == Some(entry)) {
            Some(named) => Some(named.file.as_path()),
            None => fitting
                .find(|file| file.entry.is_none() && own.is_some_and(|(_, kind)| self.kind(&file.file) == kind))
                .map(|file| file.file.as_path()),
        };
        path.map(|path| (path, self.kind(path))).or(own).and_then(|(path, kind)| Some((path, kind?)))
    }

    fn kind(&self, path: &Path) -> Option<AnswerKind> {
        self.files.get(path).map(|source| source.kind)
    }

    /// The answer file for a computer, filled in. A computer that needs a number for its name gets one from `counters`,
    /// which are to be saved then; for a preview give a copy of them.
    pub fn render(
        &self,
        entry: &str,
        computer: &Computer,
        place: &Place,
        counters: &mut Counters,
    ) -> Result<Rendered, AnswerError> {
        let (path, kind) = self.file(entry, computer).ok_or_else(|| AnswerError::None { entry: entry.to_owned() })?;
        let text = self.files.get(path).map(|source| source.text.as_str()).unwrap_or_default();
        let filled = self.fill(path, text, computer, place, counters)?;
        let Filled { text, secrets, .. } = filled;
        let hidden = preview::merged([secrets, preview::secrets(kind, &text)].concat());
        Ok(Rendered::new(text, kind, hidden))
    }

    /// A file of the folder that a ticket opens: the answer file, or what cloud-init asks for beside it.
    pub fn part(
        &self,
        part: Part,
        entry: &str,
        computer: &Computer,
        place: &Place,
        counters: &mut Counters,
    ) -> Result<Rendered, AnswerError> {
        let plain = |text| Rendered::new(text, AnswerKind::Other, Vec::new());
        match part {
            Part::Answer => self.render(entry, computer, place, counters),
            Part::VendorData => Ok(plain(String::new())),
            Part::MetaData => {
                let id = dashes(computer.mac);
                let name = self.hostname(computer, counters)?;
                let name = name.map(|name| format!("local-hostname: {name}\n")).unwrap_or_default();
                Ok(plain(format!("instance-id: bootwright-{id}\n{name}")))
            }
        }
    }

    /// A computer's host name: that of the list, else one made of the pattern; none where there is neither. A new
    /// computer may get its number.
    pub fn hostname(&self, computer: &Computer, counters: &mut Counters) -> Result<Option<String>, AnswerError> {
        if let Some(name) = self.row(computer).and_then(|row| row.hostname.clone()) {
            return Ok(Some(name));
        }
        let Some(pattern) = &self.pattern else { return Ok(None) };
        let number = if pattern.counts() { self.number(computer, counters)? } else { 0 };
        Ok(Some(pattern.name(computer, number)?))
    }

    fn number(&self, computer: &Computer, counters: &mut Counters) -> Result<u32, AnswerError> {
        let first = self.settings.first_number.unwrap_or(1);
        let taken = |number| match (&self.pattern, &self.roster) {
            (Some(pattern), Some(roster)) if pattern.counts() => {
                pattern.name(computer, number).is_ok_and(|name| roster.has_name(&name))
            }
            _ => false,
        };
        Ok(counters.number(computer.mac, first, taken)?)
    }

    fn row(&self, computer: &Computer) -> Option<&Row> {
        self.roster.as_ref().and_then(|roster| roster.find(computer))
    }

    /// Which computers of the list would get no answer file with an entry: their lines, and what hinders. At most as many
    /// as are told of one file. A long list takes seconds.
    pub fn unready(&self, entry: &str) -> Vec<(usize, Fault)> {
        let (place, made_up) = (sample_place(), sample_computer());
        let rows = self.roster.iter().flat_map(Roster::rows);
        let faults = rows.filter_map(|row| {
            let hinders = self.render(entry, &row.computer(&made_up), &place, &mut Counters::default()).err()?;
            match hinders {
                AnswerError::None { .. } => None,
                AnswerError::Template { fault, .. } => Some((row.line, fault)),
                other => Some((row.line, unfillable(&other))),
            }
        });
        faults.take(MAX_FAULTS).collect()
    }

    /// Checks every file as a computer that could ask would get it.
    fn check(&mut self) {
        let paths: Vec<PathBuf> = self.files.keys().cloned().collect();
        for path in paths {
            let faults = self.faults_of(&path);
            if let Some(source) = self.files.get_mut(&path) {
                source.faults = faults;
            }
        }
    }

    fn faults_of(&self, path: &Path) -> Vec<Fault> {
        let Some(source) = self.files.get(path) else { return Vec::new() };
        let place = sample_place();
        // No number is given away.
        match self.fill(path, &source.text, &self.sample(path), &place, &mut Counters::default()) {
            Ok(filled) => {
                let mut faults = kind::check(source.kind, &filled.text);
                for fault in &mut faults {
                    fault.line = fault.line.map(|line| filled.line(line));
                }
                faults.dedup();
                faults
            }
            Err(AnswerError::Template { fault, .. }) => vec![fault],
            Err(error) => vec![unfillable(&error)],
        }
    }

    /// A computer that could get a file: the one that it is for, else the first of the list, else a made-up one. What it
    /// would tell of itself is made up as well.
    fn sample(&self, path: &Path) -> Computer {
        let made_up = sample_computer();
        let Some(named) = self.settings.computer.iter().find(|named| named.file == path) else {
            let first = self.roster.as_ref().and_then(|roster| roster.rows().first());
            return first.map_or(made_up.clone(), |row| row.computer(&made_up));
        };
        Computer {
            mac: named.mac.unwrap_or(made_up.mac),
            uuid: named.uuid.clone().or(made_up.uuid),
            serial: named.serial.clone().or(made_up.serial),
            ..made_up
        }
    }
}

fn unfillable(error: &AnswerError) -> Fault {
    Fault::error(None, format!("It cannot be filled in: {}.", error.in_words()), "See the settings of answer files.")
}

fn dashes(mac: Mac) -> String {
    mac.to_string().replace(':', "-")
}

/// A made-up computer, to check and to show answer files with. Its address is one for documentation (RFC 5737).
pub fn sample_computer() -> Computer {
    Computer {
        mac: Mac([0x52, 0x54, 0x00, 0x12, 0x34, 0x56]),
        ip: Some(Ipv4Addr::new(192, 0, 2, 10)),
        uuid: Some("4c4c4544-0042-3010-8058-b3c04f4a4e31".into()),
        serial: Some("SN12345".into()),
        product: Some("Sample".into()),
    }
}

/// A made-up place, to check answer files with.
pub fn sample_place() -> Place {
    let base = "http://192.0.2.1/image/sample";
    Place { server: Ipv4Addr::new(192, 0, 2, 1), base_url: base.into(), iso_url: format!("{base}.iso") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{ForComputer, template};
    use crate::image::file_name;

    const PRESEED: &str = "d-i netcfg/get_hostname string {{ hostname }}\n";
    const LIST: &str = "mac;hostname;room;wifi_password\n52:54:00:12:34:56;front;A1;open sesame\n020000000002;;;\n";

    struct Home {
        folder: tempfile::TempDir,
        settings: Settings,
    }

    impl Home {
        fn new(files: &[(&str, &str)]) -> Home {
            let folder = tempfile::tempdir().unwrap();
            for (name, text) in files {
                std::fs::write(folder.path().join(name), text).unwrap();
            }
            Home { folder, settings: Settings::default() }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn entry(mut self, id: &str, file: &str) -> Home {
            self.settings.entry.insert(id.into(), self.path(file));
            self
        }

        fn list(mut self, file: &str) -> Home {
            self.settings.list = Some(self.path(file));
            self
        }

        fn pattern(mut self, pattern: &str) -> Home {
            self.settings.host_name = Some(pattern.into());
            self
        }

        fn computer(mut self, mac: u8, entry: Option<&str>, file: &str) -> Home {
            let file = self.path(file);
            let entry = entry.map(String::from);
            self.settings.computer.push(ForComputer {
                mac: Some(self::mac(mac)),
                entry,
                file,
                ..ForComputer::default()
            });
            self
        }

        fn load(&self) -> Answers {
            Answers::load(&self.settings).unwrap()
        }
    }

    fn mac(last: u8) -> Mac {
        Mac([2, 0, 0, 0, 0, last])
    }

    fn computer(last: u8) -> Computer {
        Computer { mac: mac(last), ..sample_computer() }
    }

    fn rendered(answers: &Answers, computer: &Computer, counters: &mut Counters) -> Result<String, String> {
        let rendered = answers.render("debian", computer, &sample_place(), counters);
        rendered.map(|rendered| rendered.text).map_err(|error| error.in_words())
    }

    #[test]
    fn a_name_comes_from_the_list_or_from_the_pattern_and_stays() {
        let home = Home::new(&[("p.cfg", PRESEED), ("l.csv", LIST)]).entry("debian", "p.cfg").list("l.csv");
        let answers = home.pattern("lab-{nn}").load();
        let mut counters = Counters::default();
        let mut name = |computer: Computer| {
            let text = rendered(&answers, &computer, &mut counters).unwrap();
            text.trim().rsplit(' ').next().unwrap().to_owned()
        };
        assert_eq!(
            [name(sample_computer()), name(computer(3)), name(computer(2)), name(computer(3))],
            ["front", "lab-01", "lab-02", "lab-01"]
        );
        assert_eq!([2, 3, 4].map(|last| counters.get(mac(last))), [Some(2), Some(1), None]);
        let meta = answers.part(Part::MetaData, "debian", &computer(2), &sample_place(), &mut counters).unwrap();
        assert_eq!(meta.text, "instance-id: bootwright-02-00-00-00-00-02\nlocal-hostname: lab-02\n");
        let vendor = answers.part(Part::VendorData, "debian", &computer(2), &sample_place(), &mut counters).unwrap();
        assert_eq!((vendor.text.as_str(), vendor.secret), ("", false));
    }

    #[test]
    fn a_name_of_the_list_is_given_to_no_other_computer() {
        let list = "mac,hostname\n020000000001,LAB-1\n020000000002,lab-2\n";
        let home = Home::new(&[("p.cfg", PRESEED), ("l.csv", list)]).entry("debian", "p.cfg").list("l.csv");
        let answers = home.pattern("lab-{n}").load();
        let mut counters = Counters::default();
        assert_eq!(answers.hostname(&computer(9), &mut counters).unwrap().as_deref(), Some("lab-3"));
    }

    #[test]
    fn variables_are_those_of_the_list_before_those_of_the_settings() {
        let template = "# d-i\n#_preseed_V1\n{{ room }} {{ wifi_password }} {{ mac_dashes }} {{ ip }} {{ server }} {{ base_url }} {{ iso_url }}\n";
        let mut home = Home::new(&[("p.cfg", template), ("l.csv", LIST)]).entry("debian", "p.cfg").list("l.csv");
        for (name, value) in [("room", "none"), ("wifi_password", "guest")] {
            home.settings.variables.insert(name.into(), value.into());
        }
        let (answers, mut counters) = (home.load(), Counters::default());
        let mut last =
            |computer| rendered(&answers, &computer, &mut counters).unwrap().lines().last().unwrap().to_owned();
        let rest = "192.0.2.10 192.0.2.1 http://192.0.2.1/image/sample http://192.0.2.1/image/sample.iso";
        assert_eq!(last(sample_computer()), format!("A1 open sesame 52-54-00-12-34-56 {rest}"));
        assert_eq!(last(computer(2)), format!("none guest 02-00-00-00-00-02 {rest}"), "an empty field is none");
        let shown = answers.render("debian", &sample_computer(), &sample_place(), &mut counters).unwrap();
        assert!(shown.secret && !shown.preview().contains("sesame"), "{}", shown.preview());
        assert!(!format!("{shown:?} {answers:?}").contains("sesame"));
    }

    #[test]
    fn a_variable_without_a_value_stops_it_and_says_why() {
        let home = Home::new(&[("p.cfg", "d-i a/b string {{ room }}"), ("l.csv", LIST)]).entry("debian", "p.cfg");
        let (answers, mut counters) = (home.list("l.csv").load(), Counters::default());
        assert_eq!(rendered(&answers, &sample_computer(), &mut counters).as_deref(), Ok("d-i a/b string A1"));
        let why = |computer| match answers.render("debian", &computer, &sample_place(), &mut Counters::default()) {
            Err(AnswerError::Template { fault, .. }) => fault.what,
            other => panic!("{other:?}"),
        };
        assert_eq!(why(computer(2)), "`room` has no value for this computer: line 3 of l.csv leaves it out.");
        assert_eq!(why(computer(7)), "`room` has no value for this computer: it is not in l.csv.");
        let lines: Vec<_> = answers.unready("debian").into_iter().map(|(line, _)| line).collect();
        assert_eq!((lines, answers.unready("other").len()), (vec![3], 0));
        let none = answers.render("other", &computer(2), &sample_place(), &mut counters);
        assert!(matches!(none, Err(AnswerError::None { entry }) if entry == "other"));
    }

    #[test]
    fn a_computer_gets_its_own_file() {
        let files = [
            ("a.cfg", "d-i a/a string a"),
            ("b.cfg", "d-i a/a string b"),
            ("c.ks", "%packages\n%end\nlang C"),
            ("d.cfg", "d-i a/a string d"),
        ];
        let home = Home::new(&files).entry("debian", "a.cfg").entry("fedora", "c.ks").computer(1, None, "b.cfg");
        let answers = home
            .computer(2, Some("live"), "d.cfg")
            .computer(3, None, "b.cfg")
            .computer(3, Some("debian"), "d.cfg")
            .load();
        let file = |entry, last| answers.file(entry, &computer(last)).map(|(path, kind)| (file_name(path), kind));
        let of = |name: &str, kind| Some((name.to_owned(), kind));
        let preseed = AnswerKind::Preseed;
        let cases = [
            (file("debian", 9), of("a.cfg", preseed)),
            (file("debian", 1), of("b.cfg", preseed)),
            (file("fedora", 1), of("c.ks", AnswerKind::Kickstart)),
            (file("debian", 3), of("d.cfg", preseed)),
            (file("live", 2), of("d.cfg", preseed)),
            (file("live", 1), None),
        ];
        for (at, (found, expected)) in cases.into_iter().enumerate() {
            assert_eq!(found, expected, "case {at}");
        }
    }

    #[test]
    fn files_are_checked_filled_in_with_lines_of_their_own() {
        let template = "{# a\ncomment #}d-i a/b string x\n{% for n in range(3) %}\nd-i a/c bool true\n{% endfor %}\n";
        let wrong = "d-i a/b string {{ roomm }}";
        let home = Home::new(&[("a.cfg", template), ("b.cfg", wrong)]).entry("debian", "a.cfg").entry("other", "b.cfg");
        let answers = home.load();
        let faults: Vec<_> = answers
            .faults()
            .map(|(path, _, faults)| (file_name(path), faults.iter().map(|fault| fault.line).collect::<Vec<_>>()))
            .collect();
        assert_eq!(faults, [("a.cfg".to_owned(), vec![Some(4)]), ("b.cfg".to_owned(), vec![Some(1)])]);
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_names_its_file() {
        let error = |home: Home| Answers::load(&home.settings).unwrap_err();
        let folder = Home::new(&[]).entry("debian", "");
        assert!(matches!(error(folder), AnswerError::Read { .. }));
        assert!(
            matches!(error(Home::new(&[]).entry("debian", "none")), AnswerError::Read { path, .. } if path.ends_with("none"))
        );
        let large = "x".repeat(template::MAX_SIZE + 1);
        assert!(matches!(error(Home::new(&[("x", &large)]).entry("debian", "x")), AnswerError::TooLarge { .. }));
        let home = Home::new(&[]).entry("debian", "x");
        std::fs::write(home.path("x"), [0xff, 0xfe, 0]).unwrap();
        assert!(matches!(error(home), AnswerError::NotText { .. }));
        assert!(
            matches!(error(Home::new(&[("l", "x\n1")]).list("l")), AnswerError::List { faults, .. } if faults.len() == 1)
        );
        assert!(matches!(error(Home::new(&[]).pattern("a b")), AnswerError::HostName(_)));
        for name in ["ip", "hostname", "a-b", "", "1x"] {
            let mut home = Home::new(&[]);
            home.settings.variables.insert(name.into(), "x".into());
            assert!(matches!(error(home), AnswerError::Variable { .. }), "{name}");
        }
    }

    #[test]
    fn marks_and_line_ends_of_windows_do_not_reach_a_linux_installer() {
        let home = Home::new(&[("a", "\u{feff}d-i a/b string x\r\nd-i a/c string y\r\n")]).entry("debian", "a");
        let text = rendered(&home.load(), &computer(1), &mut Counters::default());
        assert_eq!(text.as_deref(), Ok("d-i a/b string x\nd-i a/c string y\n"));
    }
}
