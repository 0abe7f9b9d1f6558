//! GRUB's menus: a small part of its script language, as far as menus use it.
//!
//! Source: GRUB manual, "Shell-like scripting". Variables are those that the menu sets by plain text; an argument with
//! another one is left out, since it is filled in by what is not there (`findiso=${iso_path}`).

use std::collections::HashMap;
use std::iter::Peekable;
use std::str::Chars;

use super::{Kind, MAX_DEPTH, MAX_FILES, MAX_LINE, Sheet, absolute, folder_of, is_memdisk};

const MAX_VARIABLES: usize = 256;
/// Braces within braces. Menus have three at most.
const MAX_BLOCKS: usize = 16;
/// Most commands of all files of a menu; the longest menus have about a thousand.
const MAX_STEPS: usize = 50_000;
/// Most files that one `source` with a `*` takes.
const MAX_MATCHES: usize = 16;

/// Reads a menu and all that it includes.
pub(super) fn read(sheet: &mut Sheet, path: &str) {
    // GRUB sets these itself before it reads its menu. What the processor is shows in names of kernels.
    let known = [("prefix", folder_of(path)), ("root", ""), ("grub_cpu", "x86_64")];
    let variables = known.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Script { sheet, variables, steps: 0 }.file(path, 0);
}

/// A part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Variable { name: String, quoted: bool },
}

type Word = Vec<Part>;

/// A command, perhaps with a block behind it: `menuentry "x" { … }`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Command {
    words: Vec<Word>,
    block: Option<Vec<Command>>,
}

/// What a word stands for.
#[derive(Default)]
struct Expanded {
    fields: Vec<String>,
    /// Whether it has a variable that nothing has set.
    unknown: bool,
}

struct Script<'a, 'b> {
    sheet: &'a mut Sheet<'b>,
    variables: HashMap<String, String>,
    steps: usize,
}

impl Script<'_, '_> {
    fn file(&mut self, path: &str, depth: usize) {
        let Some(text) = self.sheet.text(path, depth) else { return };
        let outer = self.variables.insert("config_directory".to_owned(), folder_of(path).to_owned());
        self.run(&commands(&text), depth);
        outer.map(|outer| self.variables.insert("config_directory".to_owned(), outer));
    }

    fn run(&mut self, commands: &[Command], depth: usize) {
        let mut loops = 0usize;
        for command in commands {
            self.steps += 1;
            if self.steps > MAX_STEPS {
                return;
            }
            let words = without_keywords(&command.words);
            match words.first().and_then(plain) {
                Some("for" | "while" | "until") => loops += 1,
                Some("done") => loops = loops.saturating_sub(1),
                _ if loops > 0 => {}
                Some("if" | "elif" | "function") => {}
                _ => self.command(words, command.block.as_deref(), depth),
            }
        }
    }

    fn command(&mut self, words: &[Word], block: Option<&[Command]>, depth: usize) {
        let Some((first, rest)) = words.split_first() else {
            return self.run(block.unwrap_or_default(), depth);
        };
        if self.assign(first) {
            return;
        }
        let name = self.joined(first);
        match name.as_str() {
            "menuentry" => {
                let title = self.title(rest);
                self.sheet.item(&title);
                self.run(block.unwrap_or_default(), depth);
            }
            "submenu" => {
                let title = self.title(rest);
                self.sheet.open(&title);
                if self.sheet.path.len() <= MAX_BLOCKS {
                    self.run(block.unwrap_or_default(), depth);
                }
                self.sheet.path.pop();
            }
            "set" | "export" => {
                if let Some(word) = rest.first() {
                    let _ = self.assign(word);
                }
            }
            "source" | "configfile" | "." => self.include(rest, depth),
            "linux" | "linuxefi" | "linux16" => self.kernel(rest),
            "initrd" | "initrdefi" | "initrd16" => self.initrd(rest),
            "multiboot" | "multiboot2" | "xen_hypervisor" => self.hypervisor(rest),
            "module" | "module2" | "xen_module" => self.module(rest),
            "chainloader" | "efi" => self.program(rest),
            _ => self.run(block.unwrap_or_default(), depth),
        }
    }

    /// `name=value`. Returns whether the word is one.
    fn assign(&mut self, word: &Word) -> bool {
        let Some(Part::Text(start)) = word.first() else { return false };
        let Some((name, _)) = start.split_once('=').filter(|(name, _)| is_name(name)) else { return false };
        let (name, whole) = (name.to_owned(), self.joined(word));
        let mut value = whole.get(name.len() + 1..).unwrap_or_default();
        // Where the disc is found at run time; here it is the disc.
        if matches!(name.as_str(), "root" | "prefix") {
            value = without_device(value);
        }
        let kept = !(name == "root" || name == "prefix" && value.is_empty());
        if kept && (self.variables.len() < MAX_VARIABLES || self.variables.contains_key(&name)) {
            let value = value.to_owned();
            self.variables.insert(name, value);
        }
        true
    }

    /// The title among the words of a `menuentry`: options may come first, some with a value behind them.
    fn title(&self, words: &[Word]) -> String {
        let mut words = words.iter().map(|word| self.joined(word));
        while let Some(word) = words.next() {
            match word.as_str() {
                "--class" | "--users" | "--hotkey" | "--id" => drop(words.next()),
                option if option.starts_with("--") => {}
                title => return title.to_owned(),
            }
        }
        String::new()
    }

    fn include(&mut self, words: &[Word], depth: usize) {
        if depth >= MAX_DEPTH {
            return;
        }
        let Some(path) = self.paths(words).into_iter().next() else { return };
        if !path.contains('*') {
            return self.file(&path, depth + 1);
        }
        // Looking through all paths takes as long as reading a file, and counts as one.
        if self.sheet.files >= MAX_FILES {
            return;
        }
        self.sheet.files += 1;
        let found: Vec<String> = self.sheet.disc.matching(&path).map(|(path, _)| path).take(MAX_MATCHES).collect();
        found.iter().for_each(|path| self.file(path, depth + 1));
    }

    fn kernel(&mut self, words: &[Word]) {
        let Some((kernel, arguments)) = self.path_and_arguments(words) else { return };
        // A script without any menu starts one thing.
        if self.sheet.items.is_empty() {
            self.sheet.item("");
        }
        // Some menus name several kernels in one item; the first is the one meant for most.
        let Some(item) = self.sheet.items.last_mut().filter(|item| item.kernel.is_empty()) else { return };
        if is_memdisk(&kernel) {
            item.kind = Kind::Memdisk;
        }
        (item.kernel, item.arguments) = (kernel, arguments);
    }

    fn initrd(&mut self, words: &[Word]) {
        let paths = self.paths(words);
        if let Some(item) = self.sheet.items.last_mut().filter(|item| item.initrd.is_empty()) {
            item.initrd = paths;
        }
    }

    fn hypervisor(&mut self, words: &[Word]) {
        let Some((kernel, arguments)) = self.path_and_arguments(words) else { return };
        if let Some(item) = self.sheet.items.last_mut().filter(|item| item.kernel.is_empty()) {
            (item.kernel, item.arguments) = (kernel, arguments);
            item.kind = Kind::Multiboot { modules: Vec::new() };
        }
    }

    fn module(&mut self, words: &[Word]) {
        let Some(module) = self.path_and_arguments(words) else { return };
        if let Some(Kind::Multiboot { modules }) = self.sheet.items.last_mut().map(|item| &mut item.kind)
            && modules.len() < MAX_BLOCKS
        {
            modules.push(module);
        }
    }

    fn program(&mut self, words: &[Word]) {
        let Some((kernel, arguments)) = self.path_and_arguments(words) else { return };
        let Some(item) = self.sheet.items.last_mut().filter(|item| item.kernel.is_empty()) else { return };
        if kernel.to_ascii_lowercase().ends_with(".efi") {
            (item.kernel, item.arguments) = (kernel, arguments);
            item.kind = Kind::EfiProgram;
        }
    }

    fn path_and_arguments(&self, words: &[Word]) -> Option<(String, String)> {
        let words: Vec<&Word> = words.iter().skip_while(|word| self.joined(word).starts_with("--")).collect();
        let (path, rest) = words.split_first()?;
        let path = grub_path(&self.joined(path));
        let arguments = rest.iter().map(|word| self.expand(word)).filter(|word| !word.unknown);
        let arguments: Vec<String> = arguments.flat_map(|word| word.fields).map(|word| quoted(&word)).collect();
        Some((path, arguments.join(" ")))
    }

    fn paths(&self, words: &[Word]) -> Vec<String> {
        let words = words.iter().flat_map(|word| self.expand(word).fields);
        // `newc:` names a file's place in the initramfs, `--` is an option.
        let words = words.filter(|word| !word.starts_with("--") && !word.starts_with("newc:") && !word.is_empty());
        words.map(|word| grub_path(&word)).collect()
    }

    /// A word in one piece, unknown variables left out.
    fn joined(&self, word: &Word) -> String {
        let mut text = String::new();
        for part in word {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Variable { name, .. } => text.push_str(self.variables.get(name).map_or("", String::as_str)),
            }
            if text.len() > MAX_LINE {
                return String::new();
            }
        }
        text
    }

    /// A word as GRUB hands it on: variables without quotes are split at blanks.
    fn expand(&self, word: &Word) -> Expanded {
        let mut expanded = Expanded::default();
        let mut open = false;
        let mut length = 0;
        for part in word {
            let (text, whole) = match part {
                Part::Text(text) => (text.as_str(), true),
                Part::Variable { name, quoted } => {
                    let value = self.variables.get(name);
                    expanded.unknown |= value.is_none();
                    (value.map_or("", String::as_str), *quoted)
                }
            };
            length += text.len();
            if length > MAX_LINE {
                return Expanded { fields: Vec::new(), unknown: true };
            }
            let pieces: Vec<&str> = if whole { vec![text] } else { text.split_whitespace().collect() };
            open &= whole || !text.starts_with(char::is_whitespace);
            for piece in pieces {
                match expanded.fields.last_mut().filter(|_| open) {
                    Some(field) => field.push_str(piece),
                    None => expanded.fields.push(piece.to_owned()),
                }
                open = whole;
            }
            open = !expanded.fields.is_empty() && (whole || !text.ends_with(char::is_whitespace));
        }
        expanded
    }
}

/// The words behind `then`, `else` and `do`, which stand before a command on the same line.
fn without_keywords(words: &[Word]) -> &[Word] {
    match words.split_first() {
        Some((first, rest)) if matches!(plain(first), Some("then" | "else" | "do" | "!")) => without_keywords(rest),
        _ => words,
    }
}

fn plain(word: &Word) -> Option<&str> {
    match word.as_slice() {
        [Part::Text(text)] => Some(text),
        _ => None,
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// An argument with blanks as the kernel reads one: its value in double quotes.
fn quoted(word: &str) -> String {
    match word.split_once('=') {
        _ if !word.contains(char::is_whitespace) => word.to_owned(),
        Some((name, value)) => format!("{name}=\"{value}\""),
        None => format!("\"{word}\""),
    }
}

/// GRUB paths may name a device first: `(loop)/casper/vmlinuz`, `($root)/boot/vmlinuz`.
fn without_device(path: &str) -> &str {
    match path.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((_, path)) => path,
        None => path,
    }
}

fn grub_path(path: &str) -> String {
    absolute("/", without_device(path))
}

/// Splits a script into commands and those into words: blanks and quotes make words; lines, `;` and braces end a command.
fn commands(text: &str) -> Vec<Command> {
    block(&mut Lexer { letters: text.chars().peekable() }, 0)
}

fn block(lexer: &mut Lexer, depth: usize) -> Vec<Command> {
    let mut commands = Vec::new();
    let mut words = Vec::new();
    let end = |words: &mut Vec<Word>, block: Option<Vec<Command>>, commands: &mut Vec<Command>| {
        if !words.is_empty() || block.is_some() {
            commands.push(Command { words: std::mem::take(words), block });
        }
    };
    while let Some(token) = lexer.token() {
        match token {
            Token::Word(word) => words.push(word),
            Token::End => end(&mut words, None, &mut commands),
            Token::Open if depth < MAX_BLOCKS => {
                let inner = block(lexer, depth + 1);
                end(&mut words, Some(inner), &mut commands);
            }
            Token::Open => end(&mut words, None, &mut commands),
            Token::Close => {
                end(&mut words, None, &mut commands);
                // One that closes nothing is passed over.
                if depth > 0 {
                    return commands;
                }
            }
        }
    }
    end(&mut words, None, &mut commands);
    commands
}

enum Token {
    Word(Word),
    Open,
    Close,
    End,
}

struct Lexer<'a> {
    letters: Peekable<Chars<'a>>,
}

impl Lexer<'_> {
    fn token(&mut self) -> Option<Token> {
        while self.letters.next_if(|letter| matches!(letter, ' ' | '\t' | '\r')).is_some() || self.goes_on() {}
        match self.letters.peek()? {
            '#' => {
                while self.letters.next_if(|letter| *letter != '\n').is_some() {}
                self.token_end()
            }
            '\n' | ';' | '&' | '|' => self.token_end(),
            '{' => {
                self.letters.next();
                Some(Token::Open)
            }
            '}' => {
                self.letters.next();
                Some(Token::Close)
            }
            _ => Some(Token::Word(self.word())),
        }
    }

    /// Passes over a backslash at the end of a line, behind which the line goes on.
    fn goes_on(&mut self) -> bool {
        let mut ahead = self.letters.clone();
        let found = ahead.next() == Some('\\') && ahead.next() == Some('\n');
        if found {
            self.letters = ahead;
        }
        found
    }

    fn token_end(&mut self) -> Option<Token> {
        self.letters.next();
        Some(Token::End)
    }

    fn word(&mut self) -> Word {
        let mut word = vec![Part::Text(String::new())];
        let mut quote = None;
        while let Some(letter) = self.letters.peek().copied() {
            match (letter, quote) {
                (' ' | '\t' | '\r' | '\n' | ';' | '{' | '}' | '&' | '|', None) => break,
                (mark @ ('"' | '\''), None) => {
                    self.letters.next();
                    quote = Some(mark);
                }
                (mark, Some(open)) if mark == open => {
                    self.letters.next();
                    quote = None;
                }
                ('\\', None | Some('"')) => {
                    self.letters.next();
                    // A line that goes on.
                    self.letters.next().filter(|letter| *letter != '\n').into_iter().for_each(|it| push(&mut word, it));
                }
                ('$', None | Some('"')) => {
                    self.letters.next();
                    self.variable(&mut word, quote.is_some());
                }
                (other, _) => {
                    self.letters.next();
                    push(&mut word, other);
                }
            }
        }
        // The first part is there for words like "", and in the way of others.
        if word.len() > 1 && word.first() == Some(&Part::Text(String::new())) {
            word.remove(0);
        }
        word
    }

    /// A variable's name behind its `$`.
    fn variable(&mut self, word: &mut Word, quoted: bool) {
        let mut name = String::new();
        if self.letters.next_if_eq(&'{').is_some() {
            while let Some(letter) = self.letters.next_if(|letter| !matches!(letter, '}' | '\n')) {
                name.push(letter);
            }
            self.letters.next_if_eq(&'}');
        } else {
            while let Some(letter) = self.letters.next_if(|it| it.is_ascii_alphanumeric() || *it == '_') {
                name.push(letter);
            }
            if name.is_empty() {
                name.extend(self.letters.next_if(|letter| matches!(letter, '?' | '*' | '@' | '#')));
            }
        }
        match name.is_empty() {
            // `$"text"` is a text to be translated; a `$` alone is itself.
            true if !matches!(self.letters.peek(), Some('"' | '\'')) => push(word, '$'),
            true => {}
            false => word.push(Part::Variable { name, quoted }),
        }
    }
}

fn push(word: &mut Word, letter: char) {
    match word.last_mut() {
        Some(Part::Text(text)) => text.push(letter),
        _ => word.push(Part::Text(letter.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words as they would be written, blocks in braces.
    fn written(commands: &[Command]) -> String {
        let word = |word: &Word| {
            let parts = word.iter().map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Variable { name, quoted } => format!("<{name}{}>", if *quoted { "\"" } else { "" }),
            });
            format!("[{}]", parts.collect::<String>())
        };
        let command = |command: &Command| {
            let words: String = command.words.iter().map(word).collect();
            let block = command.block.as_ref().map(|block| format!("{{{}}}", written(block)));
            words + &block.unwrap_or_default()
        };
        commands.iter().map(command).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn scripts_are_split_as_grub_does() {
        let cases = [
            ("menuentry \"Live \\\"x\\\"\" --hotkey=l {", "[menuentry][Live \"x\"][--hotkey=l]{}"),
            ("  linux\t/live/vmlinuz  a='b $c' ${x} # not this", "[linux][/live/vmlinuz][a=b $c][<x>]"),
            ("linux /k \"a=$b\"c$d/e", "[linux][/k][a=<b\">c<d>/e]"),
            ("# comment", ""),
            ("echo \"\"; set a=b", "[echo][] [set][a=b]"),
            ("open 'never closed", "[open][never closed]"),
            ("menuentry x { linux /k; initrd /i; } }\nset a=1", "[menuentry][x]{[linux][/k] [initrd][/i]} [set][a=1]"),
            ("linux /k \\\n  quiet", "[linux][/k][quiet]"),
            ("echo $\"Text\" $ $?", "[echo][Text][$][<?>]"),
            ("if [ x ]; then\nlinux /a\nfi", "[if][[][x][]] [then] [linux][/a] [fi]"),
        ];
        for (line, expected) in cases {
            assert_eq!(written(&commands(line)), expected, "{line}");
        }
    }

    #[test]
    fn values_keep_their_quotes_and_paths_lose_their_device() {
        assert_eq!(grub_path("(loop)/casper/vmlinuz"), "/casper/vmlinuz");
        assert_eq!(grub_path("casper/vmlinuz"), "/casper/vmlinuz");
        assert_eq!(quoted("ocs_live_run=a b"), "ocs_live_run=\"a b\"");
    }

    #[test]
    fn braces_without_end_are_no_trouble() {
        let deep = "menuentry x {".repeat(100_000);
        assert!(!commands(&deep).is_empty());
        assert!(!commands(&"}".repeat(1000)).iter().any(|command| !command.words.is_empty()));
    }
}
