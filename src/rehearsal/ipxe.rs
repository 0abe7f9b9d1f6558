//! Reads the scripts that iPXE gets, and plays them as far as they fetch files: the commands that ours have, and no others
//! (iPXE, `core/exec.c`, `core/settings.c`, "Scripting"). What is read may come from any server, so nothing is trusted.

use std::collections::{BTreeMap, BTreeSet};

use super::script::{End, Fetch, Part, Play, Wrong};

/// Most commands that one entry may run; ours have some twenty. A script that goes in circles ends so.
const MOST_STEPS: usize = 2000;
/// Most lines of a script; a menu of a hundred entries has about a thousand.
const MOST_LINES: usize = 20_000;
/// What the user's own disk is called, which is no entry.
const LOCAL: &str = "local";
/// The label of the menu.
const MENU: &str = "menu";

/// How commands of one line hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// The line ends.
    End,
    /// The next one runs if this one failed.
    Or,
    /// The next one runs if this one worked.
    And,
}

/// A line that does something.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    number: usize,
    commands: Vec<(Vec<String>, Link)>,
}

/// A script that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    lines: Vec<Line>,
    /// Where each label leads: a position in `lines`.
    labels: BTreeMap<String, usize>,
}

/// An entry of a menu.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its label.
    pub id: String,
    /// What stands in the menu.
    pub title: String,
}

/// What iPXE knows of its computer: settings by their names.
pub type Settings = BTreeMap<String, String>;

impl Script {
    /// Reads a script, and finds whether each of its jumps leads somewhere.
    ///
    /// # Errors
    /// It is no script of iPXE, has a command that is not known here, or a jump that leads nowhere.
    pub fn read(text: &str) -> Result<Script, Wrong> {
        let mut script = Script { lines: Vec::new(), labels: BTreeMap::new() };
        let mut all = text.lines().enumerate().take(MOST_LINES);
        if all.next().is_none_or(|(_, first)| first.trim_end() != "#!ipxe") {
            return Err(Wrong::NoScript);
        }
        for (at, text) in all {
            let (number, text) = (at + 1, text.trim());
            if let Some(label) = text.strip_prefix(':') {
                if script.labels.insert(label.trim().to_owned(), script.lines.len()).is_some() {
                    return Err(Wrong::LabelTwice { line: number, label: label.trim().to_owned() });
                }
            } else if !text.is_empty() && !text.starts_with('#') {
                script.lines.push(Line { number, commands: commands(number, text)? });
            }
        }
        script.check_jumps()?;
        Ok(script)
    }

    fn check_jumps(&self) -> Result<(), Wrong> {
        for line in &self.lines {
            for (words, _) in &line.commands {
                let (command, rest) = words.split_first().map_or(("", [].as_slice()), |(first, rest)| (first, rest));
                let option = |name: &str| rest.iter().skip_while(|word| *word != name).nth(1);
                let target = match command {
                    "goto" | "item" => rest.first(),
                    "choose" => option("--default"),
                    _ => None,
                };
                // What a person chose is one of the items.
                let target = target.filter(|target| !target.contains("${"));
                if let Some(label) = target.filter(|label| !self.labels.contains_key(*label)) {
                    return Err(Wrong::NoLabel { line: line.number, label: label.clone() });
                }
            }
        }
        Ok(())
    }

    /// The entries that a person can choose, those of submenus with them, in their order. The own disk is none.
    pub fn entries(&self) -> Vec<Entry> {
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        self.gather(MENU, &mut seen, &mut found);
        found
    }

    fn gather(&self, label: &str, seen: &mut BTreeSet<String>, found: &mut Vec<Entry>) {
        let Some(&from) = self.labels.get(label) else { return };
        for line in self.lines.iter().skip(from) {
            let Some((words, _)) = line.commands.first() else { continue };
            match words.as_slice() {
                [command, id, title @ ..] if command == "item" => {
                    if matches!(id.as_str(), LOCAL | MENU) || !seen.insert(id.clone()) {
                        continue;
                    }
                    if self.is_menu(id) {
                        self.gather(id, seen, found);
                    } else {
                        found.push(Entry { id: id.clone(), title: title.join(" ") });
                    }
                }
                [command, ..] if command == "choose" => return,
                _ => {}
            }
        }
    }

    /// Whether a label leads to a menu.
    fn is_menu(&self, label: &str) -> bool {
        let first = self.labels.get(label).and_then(|&at| self.lines.get(at)?.commands.first());
        first.and_then(|(words, _)| words.first()).is_some_and(|command| command == MENU)
    }

    /// What comes of the script from its beginning, if everything that it fetches is there.
    ///
    /// # Errors
    /// See [`Wrong`].
    pub fn start(&self, settings: &Settings) -> Result<Play, Wrong> {
        self.run(0, settings)
    }

    /// The same from a label on.
    ///
    /// # Errors
    /// See [`Wrong`].
    pub fn entry(&self, label: &str, settings: &Settings) -> Result<Play, Wrong> {
        let from = self.labels.get(label).ok_or_else(|| Wrong::NoLabel { line: 0, label: label.to_owned() })?;
        self.run(*from, settings)
    }

    fn run(&self, from: usize, settings: &Settings) -> Result<Play, Wrong> {
        let mut player = Player { script: self, settings: settings.clone(), play: Play::default(), steps: 0 };
        let mut at = from;
        while let Some(line) = self.lines.get(at) {
            match player.line(line)? {
                Next::Line => at += 1,
                Next::Label(to) => at = to,
                Next::End(end) => return Ok(Play { end, ..player.play }),
            }
        }
        // A script that is over hands back to the firmware.
        Ok(Play { end: End::Firmware, ..player.play })
    }
}

/// A line's commands, with how each hangs together with the next.
fn commands(number: usize, text: &str) -> Result<Vec<(Vec<String>, Link)>, Wrong> {
    let (mut all, mut words) = (Vec::new(), Vec::new());
    for word in text.split_whitespace() {
        match word {
            "||" | "&&" => {
                let link = if word == "||" { Link::Or } else { Link::And };
                all.push((std::mem::take(&mut words), link));
            }
            // A comment to the line's end.
            word if word.starts_with('#') => break,
            word => words.push(word.to_owned()),
        }
    }
    all.push((words, Link::End));
    for command in all.iter().filter_map(|(words, _)| words.first()) {
        if !COMMANDS.contains(&command.as_str()) {
            return Err(Wrong::UnknownCommand { line: number, command: command.clone() });
        }
    }
    Ok(all)
}

/// The commands of our scripts.
const COMMANDS: [&str; 21] = [
    "boot", "chain", "choose", "clear", "dhcp", "echo", "exit", "goto", "imgfetch", "imgfree", "initrd", "iseq",
    "item", "kernel", "login", "menu", "module", "sanboot", "set", "shim", "sleep",
];

/// Where it goes on.
enum Next {
    Line,
    Label(usize),
    End(End),
}

struct Player<'a> {
    script: &'a Script,
    settings: Settings,
    play: Play,
    steps: usize,
}

impl Player<'_> {
    fn line(&mut self, line: &Line) -> Result<Next, Wrong> {
        let mut runs = true;
        for (words, link) in &line.commands {
            let mut worked = true;
            if runs {
                let words: Vec<String> =
                    words.iter().map(|word| self.expanded(line.number, word)).collect::<Result<_, _>>()?;
                match self.command(line.number, &words)? {
                    Ok(success) => worked = success,
                    Err(next) => return Ok(next),
                }
            }
            runs = match link {
                Link::End => true,
                Link::Or => !worked || !runs,
                Link::And => worked && runs,
            };
        }
        Ok(Next::Line)
    }

    /// Runs a command: whether it worked, or where the script goes on.
    fn command(&mut self, line: usize, words: &[String]) -> Result<Result<bool, Next>, Wrong> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err(Wrong::Circles { line });
        }
        let Some((command, rest)) = words.split_first() else { return Ok(Ok(true)) };
        let plain = without_options(rest);
        let fetch = |part, words: &[&String]| {
            let (url, arguments) = words.split_first()?;
            let arguments = arguments.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(" ");
            Some(Fetch { part, url: (*url).clone(), arguments })
        };
        Ok(match command.as_str() {
            "goto" => match rest.first().map(String::as_str) {
                Some(MENU) => Err(Next::End(End::Menu)),
                Some(label) => match self.script.labels.get(label) {
                    Some(&to) => Err(Next::Label(to)),
                    None => return Err(Wrong::NoLabel { line, label: label.to_owned() }),
                },
                None => return Err(Wrong::NoLabel { line, label: String::new() }),
            },
            "kernel" | "initrd" | "module" | "shim" => {
                let part = match command.as_str() {
                    "kernel" => Part::Kernel,
                    "shim" => Part::Shim,
                    _ => Part::Initrd,
                };
                self.play.fetches.extend(fetch(part, &plain));
                Ok(true)
            }
            "chain" => match fetch(Part::Program, &plain) {
                Some(program) => {
                    let root_path = self.settings.get(ROOT_PATH).filter(|path| !path.is_empty()).cloned();
                    self.play.fetches.push(program);
                    Err(Next::End(End::Program { root_path }))
                }
                None => Ok(false),
            },
            "sanboot" => match fetch(Part::Disc, &plain) {
                Some(disc) => {
                    self.play.fetches.push(disc);
                    Err(Next::End(End::Boot))
                }
                None => Err(Next::End(End::OwnDisk)),
            },
            "boot" => Err(Next::End(End::Boot)),
            "login" => {
                self.play
                    .said
                    .push("Bootwright: it asks for a password, which nobody types in a rehearsal.".to_owned());
                Err(Next::End(End::Menu))
            }
            "exit" => Err(Next::End(End::Firmware)),
            "iseq" => Ok(plain.first() == plain.get(1)),
            "set" => {
                if let Some((name, value)) = rest.split_first() {
                    self.settings.insert(name.clone(), value.join(" "));
                }
                Ok(true)
            }
            "choose" => Err(Next::End(End::Menu)),
            "echo" => {
                self.play.said.push(rest.join(" "));
                Ok(true)
            }
            _ => Ok(true),
        })
    }

    /// A word with its settings filled in. One that iPXE does not know would be nothing there, which ours never mean.
    fn expanded(&self, line: usize, word: &str) -> Result<String, Wrong> {
        let (mut out, mut rest) = (String::new(), word);
        while let Some((before, behind)) = rest.split_once("${") {
            let Some((name, after)) = behind.split_once('}') else { break };
            let value = self.settings.get(name);
            // The firmware has no tables to look into.
            let nothing = name.starts_with("smbios/").then(String::new);
            let value =
                value.or(nothing.as_ref()).ok_or_else(|| Wrong::UnknownSetting { line, name: name.to_owned() })?;
            out.push_str(before);
            out.push_str(value);
            rest = after;
        }
        Ok(out + rest)
    }
}

/// The setting by which GRUB is told its script.
const ROOT_PATH: &str = "netX/root-path";

/// The words that are no options: `--name` and its like take the next word with them, `--replace` does not.
fn without_options(words: &[String]) -> Vec<&String> {
    let (mut plain, mut words) = (Vec::new(), words.iter());
    while let Some(word) = words.next() {
        // Options stand before everything else; behind them each word is the kernel's.
        match word.as_str() {
            "--name" | "--drive" | "--timeout" | "--default" if plain.is_empty() => drop(words.next()),
            option if option.starts_with("--") && plain.is_empty() => {}
            _ => plain.push(word),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: &str = include_str!("../../tests/golden/menu-long.ipxe");

    fn settings() -> Settings {
        let pairs = [
            ("platform", "efi"),
            ("buildarch", "x86_64"),
            ("netX/mac:hexhyp", "52-54-00-77-01-01"),
            ("netX/ip", "10.77.0.100"),
            ("netX/gateway", ""),
            ("netX/netmask", "255.255.255.0"),
            ("memsize", "512"),
            ("uuid", "u"),
            ("product:uristring", "p"),
            ("serial:uristring", "s"),
            ("version:uristring", "1.0.0"),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn the_longest_menu_that_we_make_is_read_whole() {
        let script = Script::read(LONG).unwrap();
        let entries = script.entries();
        assert_eq!(entries.len(), 40);
        assert_eq!((entries[0].id.as_str(), entries[0].title.as_str()), ("live-5x", "The system live-5x"));
        for entry in &entries {
            // A hypervisor starts on a BIOS, where its menu does not come from GRUB.
            let mut settings = settings();
            if entry.id == "xcp-ng" {
                settings.insert("platform".into(), "pcbios".into());
            }
            let play = script.entry(&entry.id, &settings).unwrap();
            assert!(!play.fetches.is_empty(), "{entry:?}: {play:?}");
            assert!(matches!(play.end, End::Boot | End::Program { .. }), "{entry:?}: {play:?}");
        }
        let play = script.entry("live-5x", &settings()).unwrap();
        let parts: Vec<Part> = play.fetches.iter().map(|fetch| fetch.part).collect();
        assert_eq!(parts, [Part::Kernel, Part::Initrd, Part::Initrd, Part::Initrd, Part::Initrd]);
        assert!(play.fetches[0].arguments.contains("fetch=http://10.77.0.1:8080/image/image-live-5x/root.img"));
    }

    #[test]
    fn the_first_script_leads_to_the_menu() {
        let place = crate::boot::menu::Place { base: "http://10.0.0.1".into(), server: [10, 0, 0, 1].into() };
        let play = Script::read(&crate::boot::menu::ipxe::first(&place)).unwrap().start(&settings()).unwrap();
        let url = "http://10.0.0.1/menu.ipxe?mac=52-54-00-77-01-01&platform=efi&arch=x86_64&uuid=u&product=p&serial=s\
                   &version=1.0.0&memory=512&modules=";
        assert_eq!((play.fetches[0].url.as_str(), &play.end), (url, &End::Program { root_path: None }));
    }

    #[test]
    fn what_leads_nowhere_is_told() {
        let read = |text: &str| Script::read(text).unwrap_err();
        let nowhere = |line, label: &str| Wrong::NoLabel { line, label: label.into() };
        assert_eq!(read("#!ipxe\n:menu\nmenu x\nitem debian Debian\nchoose selected"), nowhere(4, "debian"));
        assert_eq!(read("#!ipxe\ngoto gone"), nowhere(2, "gone"));
        assert_eq!(read("#!ipxe\n:a\nchoose --default b selected || goto a"), nowhere(3, "b"));
        assert_eq!(read("#!ipxe\n:a\n:a\n"), Wrong::LabelTwice { line: 3, label: "a".into() });
        assert_eq!(read("#!ipxe\nparams x"), Wrong::UnknownCommand { line: 2, command: "params".into() });
        assert_eq!(read("#!ipxe\necho a || poweroff"), Wrong::UnknownCommand { line: 2, command: "poweroff".into() });
        assert_eq!(read("<html>"), Wrong::NoScript);
        let circle = Script::read("#!ipxe\n:a\ngoto a").unwrap();
        assert_eq!(circle.start(&settings()), Err(Wrong::Circles { line: 3 }));
        let unknown = Script::read("#!ipxe\necho ${wrong}").unwrap();
        assert_eq!(unknown.start(&settings()), Err(Wrong::UnknownSetting { line: 2, name: "wrong".into() }));
    }

    #[test]
    fn links_between_commands_are_those_of_ipxe() {
        let said = |text: &str| Script::read(&format!("#!ipxe\n{text}")).unwrap().start(&settings()).unwrap().said;
        assert_eq!(said("iseq ${platform} efi && echo yes || echo no"), ["yes"]);
        assert_eq!(said("iseq ${platform} pcbios && echo yes || echo no"), ["no"]);
        assert_eq!(said("imgfree || echo no\necho on"), ["on"]);
    }

    #[test]
    fn an_entry_that_gives_up_says_why() {
        let text = "#!ipxe\n:menu\nmenu m\nitem x X\nchoose s || goto menu\n:x\necho Bootwright: its arguments have 3000 characters; \
                    Linux takes 2047.\ngoto failed\n:failed\necho This entry could not be started.\ngoto menu";
        let play = Script::read(text).unwrap().entry("x", &settings()).unwrap();
        assert_eq!((play.end, play.fetches.len()), (End::Menu, 0));
        assert!(play.said[0].contains("3000"));
    }
}
