//! Plays statements as GRUB runs them, and keeps what they fetch.

use super::Variables;
use super::syntax::{Kind, Piece, Statement, Word};
use crate::boot::menu::grub::begin_of;
use crate::rehearsal::script::{End, Fetch, Part, Play, Wrong};

/// Most statements that one entry may run.
const MOST_STEPS: usize = 2000;
/// Where it goes on.
enum Next {
    On,
    Break,
    End(End),
}

pub(super) struct Player {
    variables: Variables,
    play: Play,
    steps: usize,
}

impl Player {
    pub(super) fn play(statements: &[Statement], variables: &Variables) -> Result<Play, Wrong> {
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
