//! Times for people.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The zone that times are shown in; tests have the same everywhere.
fn zone() -> TimeZone {
    if cfg!(test) { TimeZone::UTC } else { TimeZone::system() }
}

/// `14:46:53`, in this computer's time zone.
pub fn time(at: Timestamp) -> String {
    at.to_zoned(zone()).strftime("%H:%M:%S").to_string()
}

/// `14:46`, for what is not over yet.
pub fn minute(at: Timestamp) -> String {
    at.to_zoned(zone()).strftime("%H:%M").to_string()
}

/// `25 Nov, 14:46`.
pub fn day(at: Timestamp) -> String {
    at.to_zoned(zone()).strftime("%-d %b, %H:%M").to_string()
}

/// How long something lasts, in one unit that fits: `8 s`, `3 min`, `2 h 5 min`.
pub fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// How long ago something was; what lies ahead of `now`, after the clock was set back, counts as now.
pub fn since(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(at)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_for_people() {
        let cases =
            [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h 0 min"), (7500, "2 h 5 min")];
        for (seconds, words) in cases {
            assert_eq!(span(Duration::from_secs(seconds)), words);
        }
    }

    #[test]
    fn a_clock_that_was_set_back_gives_no_span() {
        let at = Timestamp::from_second(100).unwrap();
        assert_eq!(since(at, Timestamp::from_second(130).unwrap()), Duration::from_secs(30));
        assert_eq!(since(at, Timestamp::from_second(90).unwrap()), Duration::ZERO);
    }
}
