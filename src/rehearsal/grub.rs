//! Reads the scripts that GRUB gets, and plays them as far as they fetch files: the grammar and the commands that ours have,
//! and no others (GRUB manual 2.06, "Writing your own configuration files directly"; `grub-core/script/parser.y`).

use crate::boot::menu::grub::begin_of;
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

use super::ipxe::Entry;
use super::script::{End, Fetch, Part, Play, Wrong};

/// Most statements that one entry may run.
const MOST_STEPS: usize = 2000;
/// How deep blocks may lie in each other; ours are six deep.
const MOST_DEPTH: usize = 32;
/// Most bytes of a script; a menu of a hundred entries has 100 kB.
const MOST_BYTES: usize = 2 << 20;
/// What the user's own disk is called, and what leads back from a submenu: no entries.
const NO_ENTRIES: [&str; 2] = ["local", "menu"];

/// What GRUB knows: variables by their names.
pub type Variables = BTreeMap<String, String>;

/// A script that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    statements: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    line: usize,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Command(Vec<Word>),
    If { condition: Vec<Word>, then: Vec<Statement>, otherwise: Vec<Statement> },
    For { variable: String, words: Vec<Word>, body: Vec<Statement> },
    While { condition: Vec<Word>, body: Vec<Statement> },
    Entry { words: Vec<Word>, body: Vec<Statement> },
    Submenu { words: Vec<Word>, body: Vec<Statement> },
}

/// A word: parts that stand as they are, and variables.
type Word = Vec<Piece>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable(String),
}

/// What a script consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(Word),
    /// A word without quotes and variables, which may be one of the grammar's.
    Bare(String),
    /// The end of a command.
    End,
    Open,
    Close,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// It does not close what it opens, or has a command that is not known here.
    pub fn read(text: &str) -> Result<Script, Wrong> {
        if text.len() > MOST_BYTES || text.trim().is_empty() || text.trim_start().starts_with('<') {
            return Err(Wrong::NoScript);
        }
        let mut reader = Reader { tokens: tokens(text)?, at: 0 };
        let statements = reader.statements(&[], 0)?;
        if let Some((line, _)) = reader.tokens.get(reader.at) {
            return Err(Wrong::Unbalanced { line: *line });
        }
        Ok(Script { statements })
    }

    /// The entries that a person can choose, those of submenus with them, in their order. The own disk is none.
    pub fn entries(&self) -> Vec<Entry> {
        let mut found = Vec::new();
        gather(&self.statements, &mut found);
        found.into_iter().map(|(entry, _)| entry).collect()
    }

    /// What comes of the script itself, before anything is chosen, if everything that it fetches is there.
    ///
    /// # Errors
    /// See [`Wrong`].
    pub fn start(&self, variables: &Variables) -> Result<Play, Wrong> {
        Player::play(&self.statements, variables)
    }

    /// The same for one of its entries.
    ///
    /// # Errors
    /// See [`Wrong`].
    pub fn entry(&self, id: &str, variables: &Variables) -> Result<Play, Wrong> {
        let mut found = Vec::new();
        gather(&self.statements, &mut found);
        let body = found.into_iter().find(|(entry, _)| entry.id == id).map(|(_, body)| body);
        let body = body.ok_or_else(|| Wrong::NoLabel { line: 0, label: id.to_owned() })?;
        Player::play(body, variables)
    }
}

fn gather<'a>(statements: &'a [Statement], found: &mut Vec<(Entry, &'a [Statement])>) {
    for statement in statements {
        match &statement.kind {
            Kind::Submenu { body, .. } => gather(body, found),
            Kind::Entry { words, body } => {
                let words: Vec<String> = words.iter().map(plain).collect();
                let id = words.iter().skip_while(|word| *word != "--id").nth(1).or(words.first());
                let (Some(id), Some(title)) = (id, words.first()) else { continue };
                if !NO_ENTRIES.contains(&id.as_str()) {
                    found.push((Entry { id: id.clone(), title: title.trim().to_owned() }, body));
                }
            }
            _ => {}
        }
    }
}

/// A word without what its variables stand for.
fn plain(word: &Word) -> String {
    word.iter().map(|piece| if let Piece::Text(text) = piece { text.as_str() } else { "" }).collect()
}

/// Takes a script apart, each part with its line.
fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Wrong> {
    let letters = text.chars().peekable();
    let (tokens, word, text) = (Vec::new(), Word::new(), String::new());
    let mut scanner = Scanner { letters, line: 1, tokens, word, text, began: false, quoted: false };
    while let Some(letter) = scanner.letters.next() {
        scanner.take(letter)?;
    }
    scanner.finish();
    Ok(scanner.tokens)
}

/// A script on its way into parts.
struct Scanner<'a> {
    letters: Peekable<Chars<'a>>,
    line: usize,
    tokens: Vec<(usize, Token)>,
    /// The word under way, with what stands in it since its last variable.
    word: Word,
    text: String,
    began: bool,
    /// Whether a part of it is quoted, so that it is none of the grammar's words.
    quoted: bool,
}

impl Scanner<'_> {
    fn take(&mut self, letter: char) -> Result<(), Wrong> {
        match letter {
            '\'' => {
                (self.began, self.quoted) = (true, true);
                loop {
                    match self.letter()? {
                        '\'' => break,
                        letter => self.text.push(letter),
                    }
                }
            }
            '"' => {
                (self.began, self.quoted) = (true, true);
                loop {
                    match self.letter()? {
                        '"' => break,
                        '$' => self.variable(),
                        '\\' => {
                            let next = self.letter()?;
                            self.text.push(next);
                        }
                        letter => self.text.push(letter),
                    }
                }
            }
            '\\' => {
                (self.began, self.quoted) = (true, true);
                let next = self.letter()?;
                self.text.push(next);
            }
            '$' => {
                self.began = true;
                self.variable();
            }
            '#' if !self.began => while self.letters.next_if(|letter| *letter != '\n').is_some() {},
            ' ' | '\t' | '\r' => self.finish(),
            '\n' | ';' => {
                self.finish();
                self.tokens.push((self.line, Token::End));
                self.line += usize::from(letter == '\n');
            }
            '{' | '}' if !self.began => {
                self.tokens.push((self.line, if letter == '{' { Token::Open } else { Token::Close }));
            }
            letter => {
                self.began = true;
                self.text.push(letter);
            }
        }
        Ok(())
    }

    /// The next letter of what is quoted.
    fn letter(&mut self) -> Result<char, Wrong> {
        let letter = self.letters.next().ok_or(Wrong::Unbalanced { line: self.line })?;
        self.line += usize::from(letter == '\n');
        Ok(letter)
    }

    /// A variable's name, which letters and digits and `_` make up.
    fn variable(&mut self) {
        let braces = self.letters.next_if_eq(&'{').is_some();
        let mut name = String::new();
        while let Some(letter) = self.letters.next_if(|letter| letter.is_ascii_alphanumeric() || *letter == '_') {
            name.push(letter);
        }
        if braces {
            self.letters.next_if_eq(&'}');
        }
        if !self.text.is_empty() {
            self.word.push(Piece::Text(std::mem::take(&mut self.text)));
        }
        self.word.push(Piece::Variable(name));
    }

    /// The word under way is over.
    fn finish(&mut self) {
        let (mut word, text) = (std::mem::take(&mut self.word), std::mem::take(&mut self.text));
        let quoted = std::mem::take(&mut self.quoted);
        if !std::mem::take(&mut self.began) {
            return;
        }
        if word.is_empty() && !quoted {
            return self.tokens.push((self.line, Token::Bare(text)));
        }
        if !text.is_empty() || word.is_empty() {
            word.push(Piece::Text(text));
        }
        self.tokens.push((self.line, Token::Word(word)));
    }
}

struct Reader {
    tokens: Vec<(usize, Token)>,
    at: usize,
}

impl Reader {
    fn line(&self) -> usize {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(0, |(line, _)| *line)
    }

    fn bare(&self) -> Option<&str> {
        match self.tokens.get(self.at) {
            Some((_, Token::Bare(word))) => Some(word),
            _ => None,
        }
    }

    /// Statements up to one of these words of the grammar, which stays, or to the block's end.
    fn statements(&mut self, until: &[&str], depth: usize) -> Result<Vec<Statement>, Wrong> {
        if depth > MOST_DEPTH {
            return Err(Wrong::Unbalanced { line: self.line() });
        }
        let mut all = Vec::new();
        loop {
            match self.tokens.get(self.at) {
                None | Some((_, Token::Close)) => return Ok(all),
                Some((_, Token::End)) => self.at += 1,
                Some((_, Token::Bare(word))) if until.contains(&word.as_str()) => return Ok(all),
                Some(_) => all.push(self.statement(depth)?),
            }
        }
    }

    fn statement(&mut self, depth: usize) -> Result<Statement, Wrong> {
        let line = self.line();
        let kind = match self.bare() {
            Some("if") => {
                self.at += 1;
                self.branch(depth)?
            }
            Some("while") => {
                self.at += 1;
                let condition = self.words()?;
                Kind::While { condition, body: self.body(depth)? }
            }
            Some("for") => {
                self.at += 1;
                let mut words = self.words()?.into_iter();
                let variable = words.next().map(|word| plain(&word)).unwrap_or_default();
                let words = words.skip(1).collect();
                Kind::For { variable, words, body: self.body(depth)? }
            }
            Some(word @ ("menuentry" | "submenu")) => {
                let is_entry = word == "menuentry";
                self.at += 1;
                let words = self.words()?;
                self.expect(|token| *token == Token::Open)?;
                let body = self.statements(&[], depth + 1)?;
                self.expect(|token| *token == Token::Close)?;
                if is_entry { Kind::Entry { words, body } } else { Kind::Submenu { words, body } }
            }
            _ => {
                let words = self.words()?;
                check(&words, line)?;
                Kind::Command(words)
            }
        };
        Ok(Statement { line, kind })
    }

    /// What follows `if` or `elif`, with `fi`.
    fn branch(&mut self, depth: usize) -> Result<Kind, Wrong> {
        let line = self.line();
        let condition = self.words()?;
        check(&condition, line)?;
        self.ends();
        self.keyword("then")?;
        let then = self.statements(&["else", "elif", "fi"], depth + 1)?;
        let otherwise = match self.bare() {
            Some("else") => {
                self.at += 1;
                self.statements(&["fi"], depth + 1)?
            }
            Some("elif") => {
                self.at += 1;
                let kind = self.branch(depth + 1)?;
                return Ok(Kind::If { condition, then, otherwise: vec![Statement { line, kind }] });
            }
            _ => Vec::new(),
        };
        self.keyword("fi")?;
        Ok(Kind::If { condition, then, otherwise })
    }

    /// `do … done`.
    fn body(&mut self, depth: usize) -> Result<Vec<Statement>, Wrong> {
        self.ends();
        self.keyword("do")?;
        let body = self.statements(&["done"], depth + 1)?;
        self.keyword("done")?;
        Ok(body)
    }

    fn ends(&mut self) {
        while matches!(self.tokens.get(self.at), Some((_, Token::End))) {
            self.at += 1;
        }
    }

    fn keyword(&mut self, word: &str) -> Result<(), Wrong> {
        self.expect(|token| matches!(token, Token::Bare(own) if own == word))
    }

    fn expect(&mut self, wanted: impl Fn(&Token) -> bool) -> Result<(), Wrong> {
        let line = self.line();
        let found = self.tokens.get(self.at).is_some_and(|(_, token)| wanted(token));
        self.at += usize::from(found);
        found.then_some(()).ok_or(Wrong::Unbalanced { line })
    }

    /// The words of a command, up to its end.
    fn words(&mut self) -> Result<Vec<Word>, Wrong> {
        let mut words = Vec::new();
        while let Some((_, token)) = self.tokens.get(self.at) {
            match token {
                Token::Word(word) => words.push(word.clone()),
                Token::Bare(text) => words.push(vec![Piece::Text(text.clone())]),
                Token::End | Token::Open | Token::Close => break,
            }
            self.at += 1;
        }
        if words.is_empty() { Err(Wrong::Unbalanced { line: self.line() }) } else { Ok(words) }
    }
}

/// The commands of our scripts.
const COMMANDS: [&str; 22] = [
    "[",
    "boot",
    "break",
    "chainloader",
    "configfile",
    "echo",
    "exit",
    "export",
    "initrd",
    "insmod",
    "linux",
    "module2",
    "multiboot2",
    "net_bootp",
    "reboot",
    "regexp",
    "search",
    "set",
    "sleep",
    "source",
    "true",
    "false",
];

fn check(words: &[Word], line: usize) -> Result<(), Wrong> {
    let command = words.first().map(plain).unwrap_or_default();
    if COMMANDS.contains(&command.as_str()) { Ok(()) } else { Err(Wrong::UnknownCommand { line, command }) }
}

/// Where it goes on.
enum Next {
    On,
    Break,
    End(End),
}

struct Player {
    variables: Variables,
    play: Play,
    steps: usize,
}

impl Player {
    fn play(statements: &[Statement], variables: &Variables) -> Result<Play, Wrong> {
        let mut player = Player { variables: variables.clone(), play: Play::default(), steps: 0 };
        let end = match player.all(statements)? {
            Next::End(end) => end,
            Next::On | Next::Break => End::Menu,
        };
        Ok(Play { end, ..player.play })
    }

    fn all(&mut self, statements: &[Statement]) -> Result<Next, Wrong> {
        for statement in statements {
            self.steps += 1;
            if self.steps > MOST_STEPS {
                return Err(Wrong::Circles { line: statement.line });
            }
            match self.statement(statement)? {
                Next::On => {}
                next => return Ok(next),
            }
        }
        Ok(Next::On)
    }

    fn statement(&mut self, statement: &Statement) -> Result<Next, Wrong> {
        match &statement.kind {
            Kind::Command(words) => Ok(self.command(words).unwrap_or(Next::On)),
            Kind::If { condition, then, otherwise } => match self.holds(condition) {
                Ok(true) => self.all(then),
                Ok(false) => self.all(otherwise),
                Err(end) => Ok(end),
            },
            Kind::For { variable, words, body } => {
                for word in words {
                    let value = self.expanded(word);
                    self.variables.insert(variable.clone(), value);
                    match self.all(body)? {
                        Next::On => {}
                        Next::Break => break,
                        end => return Ok(end),
                    }
                }
                Ok(Next::On)
            }
            Kind::While { condition, body } => {
                while matches!(self.holds(condition), Ok(true)) {
                    match self.all(body)? {
                        Next::On => {}
                        Next::Break => break,
                        end => return Ok(end),
                    }
                }
                Ok(Next::On)
            }
            Kind::Entry { .. } | Kind::Submenu { .. } => Ok(Next::On),
        }
    }

    /// Whether a command works; what it ends by, if it ends the script.
    fn holds(&mut self, words: &[Word]) -> Result<bool, Next> {
        let plain: Vec<String> = words.iter().map(|word| self.expanded(word)).collect();
        let plain: Vec<&str> = plain.iter().map(String::as_str).collect();
        Ok(match plain.as_slice() {
            ["[", left, "=", right, "]"] => left == right,
            ["[", left, "!=", right, "]"] => left != right,
            // What is on the computer's own disks is not rehearsed.
            ["[" | "search" | "regexp" | "false", ..] => false,
            ["chainloader", file, ..] if !is_remote(file) => false,
            _ => match self.command(words) {
                Some(next) => return Err(next),
                None => true,
            },
        })
    }

    fn command(&mut self, words: &[Word]) -> Option<Next> {
        let words: Vec<String> = words.iter().map(|word| self.expanded(word)).collect();
        let (command, rest) = words.split_first()?;
        match command.as_str() {
            "linux" | "multiboot2" | "module2" | "chainloader" => {
                let part = match command.as_str() {
                    "module2" => Part::Initrd,
                    "chainloader" => Part::Program,
                    _ => Part::Kernel,
                };
                let (url, arguments) = rest.split_first()?;
                self.play.fetches.push(Fetch { part, url: url.clone(), arguments: arguments.join(" ") });
            }
            "initrd" => {
                let fetch = |url: &String| Fetch { part: Part::Initrd, url: url.clone(), arguments: String::new() };
                self.play.fetches.extend(rest.iter().map(fetch));
            }
            "source" => {
                let script = rest.first()?.clone();
                // It says only that the entry begins.
                if script.split_once(")/").is_some_and(|(_, path)| begin_of(path).is_some()) {
                    return None;
                }
                return Some(Next::End(End::Restart { script }));
            }
            "configfile" => return Some(Next::End(End::Menu)),
            "boot" => return Some(Next::End(End::Boot)),
            "exit" | "reboot" => return Some(Next::End(End::Firmware)),
            "break" => return Some(Next::Break),
            "echo" => self.play.said.push(rest.join(" ")),
            "set" => {
                let (name, value) = rest.first()?.split_once('=')?;
                self.variables.insert(name.to_owned(), value.to_owned());
            }
            _ => {}
        }
        None
    }

    /// A word with its variables filled in. One that was never set is nothing, which our scripts rely on.
    fn expanded(&self, word: &Word) -> String {
        word.iter().fold(String::new(), |text, piece| match piece {
            Piece::Text(own) => text + own,
            Piece::Variable(name) => text + self.variables.get(name).map_or("", String::as_str),
        })
    }
}

/// Whether GRUB fetches a file over the network.
fn is_remote(file: &str) -> bool {
    file.starts_with("(tftp,") || file.starts_with("(http,")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = include_str!("../../tests/golden/first.cfg");
    const TFTP: &str = include_str!("../../tests/golden/menu-tftp.cfg");
    const LONG: &str = include_str!("../../tests/golden/menu-long.cfg");
    const SECURE: &str = include_str!("../../tests/golden/menu-secure.cfg");

    fn variables() -> Variables {
        let pairs = [("grub_cpu", "x86_64"), ("net_default_mac", "52:54:00:77:01:01"), ("lockdown", "y")];
        let more = [("net_default_interface", "efinet0")];
        pairs.into_iter().chain(more).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn the_first_script_leads_to_the_menu() {
        let play = Script::read(FIRST).unwrap().start(&variables()).unwrap();
        let script = "(tftp,10.77.0.1)/grub/menu/x86_64/mac-52:54:00:77:01:01/lockdown-y/menu.cfg".to_owned();
        assert_eq!(play.end, End::Restart { script });
    }

    #[test]
    fn an_entry_fetches_its_kernel_and_what_belongs_to_it() {
        let script = Script::read(TFTP).unwrap();
        let ids: Vec<String> = script.entries().into_iter().map(|entry| entry.id).collect();
        assert_eq!(ids[..3], ["debian", "shell", "disc"]);
        assert_eq!(script.entries()[0].title, "Debian's live system");
        let play = script.entry("debian", &variables()).unwrap();
        assert_eq!(play.end, End::Boot);
        let urls: Vec<&str> = play.fetches.iter().map(|fetch| fetch.url.as_str()).collect();
        let expected = [
            "(tftp,10.77.0.1)/image/image-debian/boot/vmlinuz",
            "(tftp,10.77.0.1)/image/image-debian/live/initrd 1.img",
            "(tftp,10.77.0.1)/image/image-debian/live/micro#code",
            "(tftp,10.77.0.1)/inject/debian/0.cpio",
        ];
        assert_eq!(urls, expected);
        assert!(play.fetches[0].arguments.starts_with("ip=10.77.0.129:::255.255.255.0 BOOTIF="));
        assert_eq!(script.entry("shell", &variables()).unwrap().fetches[0].part, Part::Program);
        let disc = script.entry("disc", &variables()).unwrap();
        assert_eq!((disc.end, disc.fetches.len()), (End::Menu, 0));
        assert!(disc.said[1].contains("only iPXE"), "{:?}", disc.said);
        assert_eq!(script.start(&variables()).unwrap().end, End::Menu);
    }

    #[test]
    fn long_menus_are_read_with_their_submenus() {
        for text in [LONG, SECURE] {
            let script = Script::read(text).unwrap();
            assert_eq!(
                script.entries().len(),
                text.matches("menuentry '").count() - text.matches("--id 'menu'").count() - 1
            );
            for entry in script.entries() {
                script.entry(&entry.id, &variables()).unwrap();
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        let read = |text: &str| Script::read(text).unwrap_err();
        assert_eq!(read("echo a\nparted x"), Wrong::UnknownCommand { line: 2, command: "parted".into() });
        assert_eq!(read("menuentry 'x' {\necho a\n"), Wrong::Unbalanced { line: 2 });
        assert_eq!(read("echo 'a"), Wrong::Unbalanced { line: 1 });
        assert_eq!(read("if true; then\necho a"), Wrong::Unbalanced { line: 2 });
        assert_eq!(read("echo a\n}\n"), Wrong::Unbalanced { line: 2 });
        assert_eq!(read("<html></html>"), Wrong::NoScript);
        let circle = Script::read("while true; do\necho a\ndone").unwrap();
        assert!(matches!(circle.start(&variables()), Err(Wrong::Circles { .. })));
        assert_eq!(read(&"if true; then\n".repeat(500)), Wrong::Unbalanced { line: 33 });
    }

    #[test]
    fn every_truncation_is_an_answer_and_no_panic() {
        for length in (0..TFTP.len()).step_by(7).filter(|length| TFTP.is_char_boundary(*length)) {
            let _ = Script::read(&TFTP[..length]).map(|script| script.entries());
        }
    }
}
