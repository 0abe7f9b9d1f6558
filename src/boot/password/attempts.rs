//! How often a password may be tried: a wait that grows with every wrong one, for each computer and for all together.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Wrong ones of one computer that cost no wait: a person mistypes.
const FREE: u32 = 3;
/// The same for all computers together.
const FREE_IN_ALL: u32 = 30;
/// The first wait; each further wrong one doubles it.
const FIRST: Duration = Duration::from_secs(1);
/// Longest wait of one computer.
const LONGEST: Duration = Duration::from_secs(300);
/// Longest wait for all together. It is short, since one computer can cause it for all others.
const LONGEST_IN_ALL: Duration = Duration::from_secs(10);
/// After this time without a wrong one everything is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(3600);
/// Most computers that are counted; the one that tried least recently goes first.
const MAX_COUNTED: usize = 4096;

/// What was tried.
#[derive(Clone, Copy, Debug)]
struct Count {
    wrong: u32,
    last: Instant,
}

impl Count {
    /// How long it has to wait still.
    fn wait(&self, now: Instant, free: u32, longest: Duration) -> Duration {
        let Some(over) = self.wrong.checked_sub(free) else { return Duration::ZERO };
        let doubled = FIRST.saturating_mul(1u32.checked_shl(over).unwrap_or(u32::MAX));
        doubled.min(longest).saturating_sub(now.saturating_duration_since(self.last))
    }

    fn is_old(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last) >= FORGOTTEN
    }
}

/// The attempts of all computers, told apart by whatever `K` is.
#[derive(Debug)]
pub struct Attempts<K> {
    each: HashMap<K, Count>,
    all: Option<Count>,
}

impl<K> Default for Attempts<K> {
    fn default() -> Attempts<K> {
        Attempts { each: HashMap::new(), all: None }
    }
}

impl<K: Copy + Eq + Hash> Attempts<K> {
    /// Begins an attempt, which counts as a wrong one until [`Attempts::right`] says otherwise, so that many at once gain
    /// nothing.
    ///
    /// # Errors
    /// How long to wait before the next one. That one was not looked at, and does not count.
    pub fn begin(&mut self, now: Instant, who: K) -> Result<(), Duration> {
        self.each.retain(|_, count| !count.is_old(now));
        self.all = self.all.filter(|count| !count.is_old(now));
        let own = self.each.get(&who).map_or(Duration::ZERO, |count| count.wait(now, FREE, LONGEST));
        let all = self.all.map_or(Duration::ZERO, |count| count.wait(now, FREE_IN_ALL, LONGEST_IN_ALL));
        let wait = own.max(all);
        if wait > Duration::ZERO {
            return Err(wait);
        }
        if !self.each.contains_key(&who) && self.each.len() >= MAX_COUNTED {
            let oldest = self.each.iter().min_by_key(|(_, count)| count.last).map(|(&who, _)| who);
            oldest.and_then(|who| self.each.remove(&who));
        }
        for count in [
            self.each.entry(who).or_insert(Count { wrong: 0, last: now }),
            self.all.get_or_insert(Count { wrong: 0, last: now }),
        ] {
            *count = Count { wrong: count.wrong.saturating_add(1), last: now };
        }
        Ok(())
    }

    /// The attempt that a computer began last was the right one: it begins anew. The others' wrong ones stay.
    pub fn right(&mut self, who: K) {
        self.each.remove(&who);
        if let Some(all) = &mut self.all {
            all.wrong = all.wrong.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_wait_grows_with_every_wrong_one() {
        let (mut attempts, start) = (Attempts::default(), Instant::now());
        let mut now = start;
        for _ in 0..FREE {
            assert_eq!(attempts.begin(now, 1), Ok(()));
        }
        for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            assert_eq!(attempts.begin(now, 1), Err(seconds(wait)));
            assert_eq!(
                attempts.begin(now + seconds(wait) - FIRST / 2, 1),
                Err(FIRST / 2),
                "nothing is gained by asking"
            );
            now += seconds(wait);
            assert_eq!(attempts.begin(now, 1), Ok(()), "after {wait} s");
        }
        assert_eq!(attempts.begin(now, 2), Ok(()), "others need not wait");
        assert_eq!(attempts.begin(now + FORGOTTEN, 1), Ok(()), "after an hour everything is forgotten");
        assert_eq!(attempts.begin(now + FORGOTTEN, 1), Ok(()));
    }

    #[test]
    fn the_right_one_ends_the_wait() {
        let (mut attempts, now) = (Attempts::default(), Instant::now());
        for _ in 0..FREE {
            assert_eq!(attempts.begin(now, 1), Ok(()));
        }
        attempts.right(1);
        for _ in 0..FREE {
            assert_eq!(attempts.begin(now, 1), Ok(()));
        }
        assert!(attempts.begin(now, 1).is_err());
    }

    #[test]
    fn many_computers_together_wait_as_well() {
        let (mut attempts, now) = (Attempts::default(), Instant::now());
        for who in 0..FREE_IN_ALL {
            assert_eq!(attempts.begin(now, who), Ok(()));
        }
        assert_eq!(attempts.begin(now, 1000), Err(FIRST));
        let mut later = now;
        for who in 0..100 {
            later += LONGEST_IN_ALL;
            assert_eq!(attempts.begin(later, 2000 + who), Ok(()), "never longer than that");
        }
        // A right one takes back no more than itself.
        attempts.right(2000);
        assert!(attempts.begin(later, 3000).is_err());
    }

    #[test]
    fn memory_is_bounded() {
        let (mut attempts, now) = (Attempts::default(), Instant::now());
        for who in 0..MAX_COUNTED as u64 + 100 {
            let _ = attempts.begin(now + Duration::from_millis(who), who);
            attempts.all = None;
        }
        assert_eq!(attempts.each.len(), MAX_COUNTED);
        assert!(!attempts.each.contains_key(&0));
    }
}
