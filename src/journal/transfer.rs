//! Files on their way to one computer.

use std::time::Duration;

use jiff::Timestamp;

use super::{Event, What, between};
use crate::boot::tree::Role;
use crate::{http, text, tftp};

/// Most files that are followed at once; the one that got on least recently gives way.
const MAX_TRANSFERS: usize = 8;
/// Longest file name kept, in characters.
const MAX_NAME: usize = 300;
/// A rate is not taken over less than this: events come in batches.
const SHORTEST: Duration = Duration::from_millis(100);
/// How long what was before weighs as much as what is now, in milliseconds.
const SMOOTHING: u128 = 2_000;
/// What has not got on for so long while another has is not what the computer waits for.
const FRESH: Duration = Duration::from_secs(2);

/// A file on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Its name as asked for.
    pub file: String,
    /// What part it plays in the boot.
    pub role: Option<Role>,
    /// Bytes that have arrived.
    pub bytes: u64,
    /// Bytes to send; less than the file has where only a part of it was asked for.
    pub total: u64,
    /// When it began.
    pub started: Timestamp,
    /// When it got on last.
    pub updated: Timestamp,
    /// Bytes a second, smoothed; 0 while nothing is known.
    pub rate_bps: u64,
    /// How many requests for this file are being answered.
    open: u32,
    /// When the rate was taken last, and how many bytes had arrived then.
    measured: (Timestamp, u64),
}

impl Transfer {
    fn begin(file: String, role: Option<Role>, total: u64, now: Timestamp) -> Transfer {
        Transfer { file, role, bytes: 0, total, started: now, updated: now, rate_bps: 0, open: 1, measured: (now, 0) }
    }

    /// How much of it has arrived, from 0 to 1.
    pub fn fraction(&self) -> f32 {
        if self.total == 0 { 1.0 } else { (self.bytes as f64 / self.total as f64).clamp(0.0, 1.0) as f32 }
    }

    /// How long it still takes at the present rate, in whole seconds; `None` while that cannot be told.
    pub fn left(&self) -> Option<Duration> {
        let left = self.total.saturating_sub(self.bytes);
        (self.rate_bps > 0).then(|| Duration::from_secs(left.div_ceil(self.rate_bps)))
    }

    fn advance(&mut self, bytes: u64, now: Timestamp) {
        // Two requests for the same bytes are each told of; the one ahead counts.
        let bytes = bytes.min(self.total);
        if bytes > self.bytes {
            (self.bytes, self.updated) = (bytes, now);
        }
        let (since, before) = self.measured;
        let elapsed = between(since, now);
        if elapsed < SHORTEST {
            return;
        }
        let (millis, rate) = (elapsed.as_millis(), u128::from(self.rate_bps));
        let fresh = u128::from(self.bytes.saturating_sub(before)) * 1000 / millis.max(1);
        let smooth = if rate == 0 { fresh } else { (rate * SMOOTHING + fresh * millis) / (SMOOTHING + millis) };
        self.rate_bps = u64::try_from(smooth).unwrap_or(u64::MAX);
        self.measured = (now, self.bytes);
    }
}

/// All files on their way to one computer.
#[derive(Clone, Debug, Default)]
pub(super) struct Transfers(Vec<Transfer>);

impl Transfers {
    /// Takes note of an event about a file; others change nothing.
    pub(super) fn note(&mut self, event: &Event) {
        match &event.what {
            What::Tftp(tftp::Note::Started { file, size: total, .. })
            | What::Http(http::Note::Started { file, length: total, .. }) => {
                self.begin(file, event.role, *total, event.time);
            }
            What::Tftp(tftp::Note::Progress { file, bytes, size: total })
            | What::Http(http::Note::Progress { file, bytes, length: total }) => {
                self.advance(file, event.role, (*bytes, *total), event.time);
            }
            What::Tftp(
                tftp::Note::Done { file, .. }
                | tftp::Note::SizeAsked { file, .. }
                | tftp::Note::Aborted { file, .. }
                | tftp::Note::TimedOut { file, .. }
                | tftp::Note::Replaced { file }
                | tftp::Note::ReadFailed { file, .. },
            )
            | What::Http(
                http::Note::Done { file, .. }
                | http::Note::BrokenOff { file, .. }
                | http::Note::ReadFailed { file, .. },
            ) => self.end(file),
            _ => {}
        }
    }

    /// The one that the computer waits for: the largest of those that got on just now.
    pub(super) fn shown(&self) -> Option<&Transfer> {
        let latest = self.0.iter().map(|transfer| transfer.updated).max()?;
        let moving = self.0.iter().filter(|transfer| between(transfer.updated, latest) <= FRESH);
        moving.max_by_key(|transfer| (transfer.total, transfer.updated))
    }

    fn begin(&mut self, file: &str, role: Option<Role>, total: u64, now: Timestamp) {
        let fresh = Transfer::begin(text::plain(file, MAX_NAME), role, total, now);
        if let Some(same) = self.named(file) {
            // Asked for once more, for another part of it or before the end of the first answer was noticed.
            *same = Transfer { open: same.open.saturating_add(1), ..fresh };
            return;
        }
        if self.0.len() >= MAX_TRANSFERS {
            let oldest = self.0.iter().enumerate().min_by_key(|(_, transfer)| transfer.updated).map(|(at, _)| at);
            oldest.map(|at| self.0.swap_remove(at));
        }
        self.0.push(fresh);
    }

    fn advance(&mut self, file: &str, role: Option<Role>, (bytes, total): (u64, u64), now: Timestamp) {
        // Its beginning may have been left out of the log.
        if self.named(file).is_none() {
            self.begin(file, role, total, now);
        }
        // Progress of another part of the same file would make the bar jump.
        if let Some(transfer) = self.named(file).filter(|transfer| transfer.total == total) {
            transfer.advance(bytes, now);
        }
    }

    fn end(&mut self, file: &str) {
        if let Some(transfer) = self.named(file) {
            transfer.open = transfer.open.saturating_sub(1);
        }
        self.0.retain(|transfer| transfer.open > 0);
    }

    fn named(&mut self, file: &str) -> Option<&mut Transfer> {
        let file = text::plain(file, MAX_NAME);
        self.0.iter_mut().find(|transfer| transfer.file == file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1_000_000;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    fn http(millis: i64, note: http::Note) -> Event {
        Event { time: at(millis), mac: None, ip: None, role: Some(Role::Content), what: What::Http(note) }
    }

    fn started(millis: i64, file: &str, length: u64) -> Event {
        http(millis, http::Note::Started { file: file.into(), from: 0, length, size: 100 * MB })
    }

    fn progress(millis: i64, file: &str, bytes: u64, length: u64) -> Event {
        http(millis, http::Note::Progress { file: file.into(), bytes, length })
    }

    fn done(millis: i64, file: &str) -> Event {
        http(millis, http::Note::Done { file: file.into(), from: 0, bytes: 1, size: 1, millis: 1 })
    }

    fn told(events: &[Event]) -> Transfers {
        let mut transfers = Transfers::default();
        events.iter().for_each(|event| transfers.note(event));
        transfers
    }

    fn shown(events: &[Event]) -> Option<(String, u64)> {
        told(events).shown().map(|transfer| (transfer.file.clone(), transfer.bytes))
    }

    #[test]
    fn a_transfer_tells_how_far_it_is_and_how_long_it_takes() {
        let mut story = vec![started(0, "disc", 100 * MB)];
        let transfers = told(&story);
        let first = transfers.shown().unwrap();
        assert_eq!((first.fraction(), first.left(), first.rate_bps), (0.0, None, 0));
        story.extend(
            (1..=40u32).map(|quarter| progress(i64::from(quarter) * 250, "disc", u64::from(quarter) * MB, 100 * MB)),
        );
        let transfers = told(&story);
        let now = transfers.shown().unwrap();
        assert_eq!((now.started, now.updated, now.rate_bps), (at(0), at(10_000), 4 * MB));
        assert_eq!((now.fraction(), now.left()), (0.4, Some(Duration::from_secs(15))));
        story.push(done(10_100, "disc"));
        assert_eq!(shown(&story), None);
    }

    #[test]
    fn the_rate_follows_without_jumping() {
        let mut story = vec![started(0, "disc", 100 * MB), progress(1_000, "disc", 10 * MB, 100 * MB)];
        // A quarter of a second in which nothing came changes little, ten seconds a lot.
        story.push(progress(1_250, "disc", 10 * MB, 100 * MB));
        let rate = told(&story).shown().unwrap().rate_bps;
        assert!((8 * MB..9 * MB).contains(&rate), "{rate}");
        story.push(progress(11_250, "disc", 10 * MB, 100 * MB));
        let rate = told(&story).shown().unwrap().rate_bps;
        assert!((MB..2 * MB).contains(&rate), "{rate}");
        // Two events of one batch are no rate.
        story.push(progress(11_251, "disc", 20 * MB, 100 * MB));
        assert_eq!(told(&story).shown().unwrap().rate_bps, rate);
    }

    #[test]
    fn of_several_the_largest_that_gets_on_is_shown() {
        let mut story = vec![started(0, "large", 90 * MB), started(100, "small", MB)];
        assert_eq!(shown(&story), Some(("large".into(), 0)));
        story.push(progress(4_000, "small", 5, MB));
        assert_eq!(shown(&story), Some(("small".into(), 5)), "the other one stands still");
        story.push(progress(4_100, "large", 7, 90 * MB));
        assert_eq!(shown(&story), Some(("large".into(), 7)));
        story.push(done(4_200, "large"));
        assert_eq!(shown(&story), Some(("small".into(), 5)));
    }

    #[test]
    fn parts_of_one_file_at_once_are_one_transfer() {
        let mut story = vec![started(0, "disc", 50 * MB), started(10, "disc", 40 * MB)];
        story.extend([progress(500, "disc", 30 * MB, 50 * MB), progress(510, "disc", 2 * MB, 40 * MB)]);
        assert_eq!(shown(&story), Some(("disc".into(), 2 * MB)), "the newer request counts");
        story.push(done(600, "disc"));
        assert_eq!(shown(&story), Some(("disc".into(), 2 * MB)), "one of them goes on");
        story.push(done(700, "disc"));
        assert_eq!(shown(&story), None);
    }

    #[test]
    fn every_end_ends_a_transfer() {
        let file = || "f".to_owned();
        let ends = [
            What::Tftp(tftp::Note::Done { file: file(), bytes: 1, millis: 1, resent: 0 }),
            What::Tftp(tftp::Note::SizeAsked { file: file(), size: 1 }),
            What::Tftp(tftp::Note::Aborted { file: file(), bytes: 1, code: 0, words: String::new() }),
            What::Tftp(tftp::Note::TimedOut { file: file(), bytes: 1, size: 2 }),
            What::Tftp(tftp::Note::Replaced { file: file() }),
            What::Tftp(tftp::Note::ReadFailed { file: file(), reason: String::new() }),
            What::Http(http::Note::BrokenOff { file: file(), bytes: 1, length: 2 }),
            What::Http(http::Note::ReadFailed { file: file(), reason: String::new() }),
        ];
        for what in ends {
            let end = Event { what, ..started(5, "f", 2) };
            assert_eq!(shown(&[started(0, "f", 2), end.clone()]), None, "{end:?}");
        }
        // A connection that only asks for the size of what another one fetches ends nothing.
        let size = http(5, http::Note::SizeAsked { file: file(), size: 1 });
        assert_eq!(shown(&[started(0, "f", 2), size]), Some((file(), 0)));
    }

    #[test]
    fn progress_without_a_beginning_is_a_transfer_too() {
        assert_eq!(shown(&[progress(0, "f", 3, 9)]), Some(("f".into(), 3)));
    }

    #[test]
    fn memory_is_bounded_and_names_are_harmless() {
        let many: Vec<Event> = (0..100).map(|number| started(number, &format!("f{number}\x1b[2J"), 9)).collect();
        let transfers = told(&many);
        assert_eq!(transfers.0.len(), MAX_TRANSFERS);
        assert_eq!(transfers.shown().unwrap().file, "f99·[2J");
        let long = "x".repeat(9_000);
        assert_eq!(shown(&[started(0, &long, 1)]).unwrap().0.len(), MAX_NAME);
        assert_eq!(shown(&[started(0, &long, 1), done(1, &long)]), None);
    }

    #[test]
    fn numbers_of_any_size_do_no_harm() {
        let transfers = told(&[started(0, "f", u64::MAX), progress(1_000, "f", u64::MAX, u64::MAX)]);
        assert_eq!(transfers.shown().unwrap().fraction(), 1.0);
        let transfers = told(&[started(0, "f", 0), progress(1_000, "f", 9, 0)]);
        assert_eq!(transfers.shown().map(|t| (t.bytes, t.fraction(), t.left())), Some((0, 1.0, None)));
    }
}
