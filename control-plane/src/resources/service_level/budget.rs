//! How many bad minutes a promise allows in thirty days, and how many are left. Pure.

use chrono::{DateTime, TimeDelta, Utc};

/// The period.
pub const WINDOW_DAYS: i64 = 30;
/// The same in minutes.
pub const WINDOW_MINUTES: i64 = WINDOW_DAYS * 24 * 60;

/// Minutes of the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minutes {
    /// Those in which the promise was kept.
    pub good: i64,
    /// Those in which it was not.
    pub bad: i64,
    /// Those since the first look of which nobody knows.
    pub unknown: i64,
}

impl Minutes {
    /// The minutes of a level that was looked at for the first time at `since`, and last at `minute`.
    #[must_use]
    pub fn new(good: i64, bad: i64, since: DateTime<Utc>, minute: DateTime<Utc>) -> Self {
        let elapsed = (minute - since + TimeDelta::minutes(1)).num_minutes();
        let elapsed = elapsed.clamp(0, WINDOW_MINUTES);
        Self {
            good,
            bad,
            unknown: (elapsed - good - bad).max(0),
        }
    }

    /// The share of the known minutes that were good, in percent.
    #[must_use]
    pub fn percent(self) -> Option<f64> {
        let known = self.good + self.bad;
        (known > 0).then(|| self.good as f64 * 100.0 / known as f64)
    }

    /// What the promise allows. A minute of which nobody knows allows nothing: it is neither good nor bad.
    #[must_use]
    pub fn allowed(self, target: f64) -> f64 {
        let counted = (WINDOW_MINUTES - self.unknown).max(0);
        // Hundredths of a percent are as fine as people promise; the rest is the noise of binary fractions.
        let allowed = (100.0 - target) / 100.0 * counted as f64;
        (allowed * 1000.0).round() / 1000.0
    }

    /// The share of what is allowed that is left: 1 is all of it, 0 none.
    #[must_use]
    pub fn remaining(self, target: f64) -> f64 {
        let allowed = self.allowed(target);
        if allowed > 0.0 {
            return ((allowed - self.bad as f64) / allowed).max(0.0);
        }
        if self.bad == 0 && self.unknown < WINDOW_MINUTES {
            1.0
        } else {
            0.0
        }
    }

    /// Were there more bad minutes than are allowed?
    #[must_use]
    pub fn is_overspent(self, target: f64) -> bool {
        self.bad as f64 > self.allowed(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_040 + minutes * 60, 0).unwrap()
    }

    #[test]
    fn a_month_of_a_promise_allows_what_people_expect() {
        let fresh = Minutes::new(1, 0, at(0), at(0));
        assert_eq!((fresh.unknown, fresh.allowed(99.9)), (0, 43.2));
        assert_eq!(fresh.allowed(99.0), 432.0);
        assert_eq!(fresh.remaining(99.9), 1.0);
        let spent = Minutes::new(100, 21, at(0), at(120));
        assert!((spent.remaining(99.9) - 22.2 / 43.2).abs() < 1e-9);
        assert!(!spent.is_overspent(99.9));
        let over = Minutes { bad: 44, ..spent };
        assert_eq!((over.remaining(99.9), over.is_overspent(99.9)), (0.0, true));
    }

    #[test]
    fn what_nobody_knows_is_neither_good_nor_bad_and_allows_nothing() {
        // A day, of which an hour is known.
        let day = Minutes::new(30, 30, at(0), at(24 * 60 - 1));
        assert_eq!(day.unknown, 23 * 60);
        assert_eq!(day.percent(), Some(50.0));
        assert_eq!(day.allowed(99.0), 418.2);
        // Twenty of thirty days unknown: a third of the budget is left to spend.
        let most = Minutes::new(14_400 - 100, 100, at(0), at(WINDOW_MINUTES + 5));
        assert_eq!((most.unknown, most.allowed(99.0)), (28_800, 144.0));
        let all = Minutes::new(0, 0, at(0), at(WINDOW_MINUTES));
        assert_eq!(
            (all.percent(), all.allowed(99.0), all.remaining(99.0)),
            (None, 0.0, 0.0)
        );
    }

    #[test]
    fn a_promise_of_everything_allows_nothing() {
        let kept = Minutes::new(10, 0, at(0), at(9));
        assert_eq!((kept.allowed(100.0), kept.remaining(100.0)), (0.0, 1.0));
        let broken = Minutes { bad: 1, ..kept };
        assert_eq!((broken.remaining(100.0), broken.is_overspent(100.0)), (0.0, true));
    }
}
