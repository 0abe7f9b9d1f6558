//! The live log: bounded, and what of it the search and the level let through.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::journal::Event;
use crate::journal::wording::{self, Level};
use crate::mac::Mac;
use crate::text as foreign;

/// Most lines that are kept; the oldest go first. At about 150 bytes a line that is 15 MB.
pub const MOST: usize = 100_000;
/// Longest line, in characters.
const LONGEST: usize = 600;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub time: Timestamp,
    /// How much it matters.
    pub level: Level,
    /// Which computer.
    pub mac: Option<Mac>,
    /// What happened.
    pub words: String,
}

impl Line {
    /// All of it, as it is copied and saved.
    pub fn plain(&self) -> String {
        let who = self.mac.map(|mac| format!("{mac}  ")).unwrap_or_default();
        format!("{}  {who}{}", crate::app::clock::time(self.time), self.words)
    }
}

/// The log.
#[derive(Clone, Debug)]
pub struct Log {
    lines: VecDeque<Line>,
    /// How many lines went before the first one that is kept.
    gone: u64,
    search: String,
    level: Level,
    /// Numbers of the lines that are let through, counted from the first one ever.
    shown: VecDeque<u64>,
    /// New lines wait here while the view is paused.
    paused: Option<u64>,
}

impl Default for Log {
    fn default() -> Log {
        Log {
            lines: VecDeque::new(),
            gone: 0,
            search: String::new(),
            level: Level::Normal,
            shown: VecDeque::new(),
            paused: None,
        }
    }
}

impl Log {
    /// Adds an event, where it is worth a line.
    pub fn record(&mut self, event: &Event) {
        let Some(words) = wording::words(event) else { return };
        // The mark with which a stage stands out in a terminal; here it has a colour.
        let words = foreign::plain(words.strip_prefix("** ").unwrap_or(&words), LONGEST);
        self.push(Line { time: event.time, level: wording::level(event), mac: event.mac, words });
    }

    /// Adds a line.
    pub fn push(&mut self, line: Line) {
        let number = self.gone + self.lines.len() as u64;
        if self.lets_through(&line) {
            self.shown.push_back(number);
        }
        self.lines.push_back(line);
        if self.lines.len() > MOST {
            self.lines.pop_front();
            if self.shown.front() == Some(&self.gone) {
                self.shown.pop_front();
            }
            self.gone += 1;
        }
    }

    fn lets_through(&self, line: &Line) -> bool {
        let found = |text: &str| contains(text, &self.search);
        line.level >= self.level
            && (self.search.is_empty() || found(&line.words) || line.mac.is_some_and(|mac| found(&mac.to_string())))
    }

    /// Shows only lines that have this in them, in either case; empty shows all.
    pub fn search(&mut self, text: String) {
        self.search = text.to_lowercase();
        self.sift();
    }

    /// Shows only lines that matter so much.
    pub fn set_level(&mut self, level: Level) {
        self.level = level;
        self.sift();
    }

    /// The level that is shown.
    pub fn level(&self) -> Level {
        self.level
    }

    fn sift(&mut self) {
        let through = self.lines.iter().zip(self.gone..).filter(|(line, _)| self.lets_through(line));
        self.shown = through.map(|(_, number)| number).collect();
    }

    /// Freezes the view; what comes from now on is kept, and shown when the pause ends.
    pub fn pause(&mut self, paused: bool) {
        self.paused = paused.then(|| self.gone + self.lines.len() as u64);
    }

    /// Whether the view is frozen.
    pub fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    /// How many lines are let through.
    pub fn len(&self) -> usize {
        match self.paused {
            Some(until) => self.shown.partition_point(|number| *number < until),
            None => self.shown.len(),
        }
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many lines there are in all.
    pub fn total(&self) -> usize {
        self.lines.len()
    }

    /// How many lines came since the pause began.
    pub fn waiting(&self) -> usize {
        self.shown.len() - self.len()
    }

    /// Lines that are let through, from one position of the list on.
    pub fn window(&self, from: usize, count: usize) -> impl Iterator<Item = &Line> {
        let from = from.min(self.len());
        let until = from.saturating_add(count).min(self.len());
        self.shown.range(from..until).filter_map(|number| self.lines.get(usize::try_from(number - self.gone).ok()?))
    }

    /// All lines that are let through.
    pub fn lines(&self) -> Vec<Line> {
        self.window(0, usize::MAX).cloned().collect()
    }
}

/// Lines as text, one below the other.
pub fn text(lines: &[Line]) -> String {
    lines.iter().fold(String::new(), |mut text, line| {
        text.push_str(&line.plain());
        text.push('\n');
        text
    })
}

/// Whether a text has this in it, in either case. Most lines are ASCII, which needs no copy.
fn contains(text: &str, lower: &str) -> bool {
    if !text.is_ascii() {
        return text.to_lowercase().contains(lower);
    }
    let (text, lower) = (text.as_bytes(), lower.as_bytes());
    lower.is_empty() || text.windows(lower.len()).any(|part| part.eq_ignore_ascii_case(lower))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: usize, level: Level) -> Line {
        let time = Timestamp::from_second(number as i64).unwrap();
        Line { time, level, mac: "52:54:00:77:01:01".parse().ok(), words: format!("line {number}") }
    }

    fn words(log: &Log) -> Vec<&str> {
        log.window(0, usize::MAX).map(|line| line.words.as_str()).collect()
    }

    #[test]
    fn search_and_level_let_through_what_fits() {
        let mut log = Log::default();
        log.push(line(1, Level::Normal));
        log.push(line(2, Level::Detail));
        log.push(line(3, Level::Problem));
        assert_eq!(words(&log), ["line 1", "line 3"]);
        log.set_level(Level::Detail);
        log.search("LINE 2".into());
        assert_eq!(words(&log), ["line 2"]);
        log.push(line(22, Level::Normal));
        assert_eq!(words(&log), ["line 2", "line 22"]);
        log.search("77:01".into());
        assert_eq!(log.len(), 4, "computers are found by their address");
        log.search("ß".into());
        assert!(log.is_empty());
    }

    #[test]
    fn a_pause_freezes_the_view_and_loses_nothing() {
        let mut log = Log::default();
        log.push(line(1, Level::Normal));
        log.pause(true);
        log.push(line(2, Level::Normal));
        assert_eq!((words(&log), log.waiting()), (vec!["line 1"], 1));
        log.pause(false);
        assert_eq!((words(&log), log.waiting()), (vec!["line 1", "line 2"], 0));
    }

    #[test]
    fn the_oldest_lines_go_first() {
        let mut log = Log::default();
        for number in 0..MOST + 10 {
            log.push(line(number, if number % 2 == 0 { Level::Normal } else { Level::Detail }));
        }
        assert_eq!((log.total(), log.len()), (MOST, MOST / 2));
        assert_eq!(log.window(0, 1).map(|line| line.words.as_str()).collect::<Vec<_>>(), ["line 10"]);
        let last = log.len() - 1;
        assert_eq!(log.window(last, 5).count(), 1);
        assert_eq!(log.window(last + 9, 5).count(), 0);
    }
}
