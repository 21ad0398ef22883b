//! Times in which nothing is changed.

use serde::{Deserialize, Serialize};

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

/// A time in which nothing is changed. Flink's `excluded.periods` without cron: days and a range of the day, in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExcludedPeriod {
    /// Days on which it begins, 1 Monday to 7 Sunday; empty: every day.
    #[serde(default)]
    pub days: Vec<u8>,
    /// Begins at this minute of the day, 0 to 1439, UTC.
    pub from_minute: u16,
    /// Ends before this minute of the day, 1 to 1440, UTC; not after `from_minute`: on the next day.
    pub to_minute: u16,
}

impl ExcludedPeriod {
    pub(super) fn sound(&self) -> bool {
        let known = self.days.iter().all(|it| (1..=7).contains(it));
        let once = |(at, it): (usize, &u8)| !self.days[..at].contains(it);
        known
            && self.days.iter().enumerate().all(once)
            && self.from_minute < 1_440
            && (1..=1_440).contains(&self.to_minute)
    }

    /// Whether it covers this moment, in milliseconds since 1970 (a Thursday), UTC.
    pub fn covers(&self, at_ms: u64) -> bool {
        let minute = (at_ms / MINUTE_MS) % 1_440;
        let (from, to) = (u64::from(self.from_minute), u64::from(self.to_minute));
        let on =
            |day: u64| self.days.is_empty() || self.days.iter().any(|it| u64::from(*it) == (day + 3) % 7 + 1);
        let today = at_ms / DAY_MS;
        if from < to {
            return on(today) && (from..to).contains(&minute);
        }
        (on(today) && minute >= from) || (today > 0 && on(today - 1) && minute < to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 60 * MINUTE_MS;

    #[test]
    fn excluded_periods_follow_the_calendar() {
        let hour = |day: u64, hour: u64| (day * 24 + hour) * HOUR_MS;
        let nights = ExcludedPeriod {
            days: vec![5],
            from_minute: 22 * 60,
            to_minute: 6 * 60,
        };
        // Day 0 of 1970 was a Thursday, day 1 a Friday.
        assert!(!nights.covers(hour(0, 23)));
        assert!(
            nights.covers(hour(1, 23)) && nights.covers(hour(2, 5)),
            "it reaches into the next day"
        );
        assert!(!nights.covers(hour(2, 6)) && !nights.covers(hour(2, 23)));
        let noon = ExcludedPeriod {
            days: vec![],
            from_minute: 720,
            to_minute: 780,
        };
        assert!(noon.covers(hour(9, 12)) && !noon.covers(hour(9, 13)));
    }
}
