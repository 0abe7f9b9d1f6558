//! The grammar: a script's text as statements.

use std::iter::Peekable;
use std::str::Chars;

use crate::rehearsal::script::Wrong;

/// How deep blocks may lie in each other; ours are six deep.
const MOST_DEPTH: usize = 32;
/// Most bytes of a script; a menu of a hundred entries has 100 kB.
const MOST_BYTES: usize = 2 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) line: usize,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Command(Vec<Word>),
    If { condition: Vec<Word>, then: Vec<Statement>, otherwise: Vec<Statement> },
    For { variable: String, words: Vec<Word>, body: Vec<Statement> },
    While { condition: Vec<Word>, body: Vec<Statement> },
    Entry { words: Vec<Word>, body: Vec<Statement> },
    Submenu { words: Vec<Word>, body: Vec<Statement> },
}

/// A word: parts that stand as they are, and variables.
pub(super) type Word = Vec<Piece>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
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

/// Reads a script.
///
/// # Errors
/// It does not close what it opens, or has a command that is not known here.
pub(super) fn read(text: &str) -> Result<Vec<Statement>, Wrong> {
    if text.len() > MOST_BYTES || text.trim().is_empty() || text.trim_start().starts_with('<') {
        return Err(Wrong::NoScript);
    }
    let mut reader = Reader { tokens: tokens(text)?, at: 0 };
    let statements = reader.statements(&[], 0)?;
    match reader.tokens.get(reader.at) {
        Some((line, _)) => Err(Wrong::Unbalanced { line: *line }),
        None => Ok(statements),
    }
}

/// A word without what its variables stand for.
pub(super) fn plain(word: &Word) -> String {
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
