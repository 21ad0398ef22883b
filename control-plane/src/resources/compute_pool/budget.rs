//! What a compute pool may use of a month, and where it stands with that. Pure.

use chrono::{DateTime, Datelike as _, Months, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{FieldError, code};

/// The most unit-hours of a budget.
const HOURS_MAX: i64 = 1_000_000;
const HOUR_MS: i64 = 3_600_000;

/// What the jobs of a pool may use together of each month, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComputeBudget {
    /// A unit that is held for an hour is a unit-hour. When so many are used, the pool's jobs stand until the month turns or the budget
    /// is raised.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub unit_hours_per_month: i64,
    /// From this share of it on there is a warning.
    #[serde(default = "warn_default")]
    #[schema(minimum = 1, maximum = 100, default = 80)]
    pub warn_at_percent: i32,
}

const fn warn_default() -> i32 {
    80
}

impl ComputeBudget {
    /// Collects what is wrong with it.
    pub fn validate(&self, errors: &mut Vec<FieldError>) {
        let Self {
            unit_hours_per_month,
            warn_at_percent,
        } = self;
        let mut range = |field: &str, fits: bool, detail: String| {
            if !fits {
                errors.push(FieldError {
                    pointer: format!("/spec/budget/{field}"),
                    code: code::OUT_OF_RANGE.into(),
                    detail,
                });
            }
        };
        range(
            "unit_hours_per_month",
            (1..=HOURS_MAX).contains(unit_hours_per_month),
            format!("A budget has 1 to {HOURS_MAX} unit-hours a month."),
        );
        range(
            "warn_at_percent",
            (1..=100).contains(warn_at_percent),
            "It is 1 to 100 percent.".to_owned(),
        );
    }

    /// Where a pool stands that used so many milliseconds of units this month.
    #[must_use]
    pub fn level(&self, unit_ms: i64) -> BudgetLevel {
        let all = self.unit_hours_per_month.saturating_mul(HOUR_MS);
        if unit_ms >= all {
            return BudgetLevel::Exhausted;
        }
        let warns = i64::from(self.warn_at_percent).saturating_mul(all) / 100;
        if unit_ms >= warns {
            BudgetLevel::Warned
        } else {
            BudgetLevel::Within
        }
    }

    /// The share that is used, in percent.
    #[must_use]
    pub fn used_percent(&self, unit_ms: i64) -> f64 {
        let hundredth = self.unit_hours_per_month.max(1).saturating_mul(HOUR_MS) as f64 / 100.0;
        rounded(unit_ms as f64 / hundredth)
    }
}

/// Unit-hours, to the hundredth.
#[must_use]
pub fn unit_hours(unit_ms: i64) -> f64 {
    rounded(unit_ms as f64 / HOUR_MS as f64)
}

fn rounded(it: f64) -> f64 {
    (it * 100.0).round() / 100.0
}

/// Where a pool stands with its budget. New ones may appear.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BudgetLevel {
    /// There is enough left.
    #[default]
    Within,
    /// The share is used at which it warns.
    Warned,
    /// All is used: the pool's jobs stand.
    Exhausted,
}

impl BudgetLevel {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Within => "WITHIN",
            Self::Warned => "WARNED",
            Self::Exhausted => "EXHAUSTED",
        }
    }

    /// Reads a stored name; the column's check knows no other.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        match name {
            "WARNED" => Self::Warned,
            "EXHAUSTED" => Self::Exhausted,
            _ => Self::Within,
        }
    }
}

/// What was found of a pool: its level, of the month that begins so.
pub type Found = (NaiveDate, BudgetLevel);

/// What is to be done after a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// What is found from now on.
    pub found: Found,
    /// What is told, and recorded: the action's name.
    pub news: Option<&'static str>,
    /// The agent is told: jobs stand, or go on.
    pub tells_agent: bool,
}

/// Compares what is found now with what was found before; `None`: nothing is to be done.
#[must_use]
pub fn turn(before: Option<Found>, now: Found) -> Option<Turn> {
    let (month, level) = now;
    let (month_before, level_before) = before.unwrap_or((month, BudgetLevel::Within));
    if level == level_before && (month == month_before || level == BudgetLevel::Within) {
        return None;
    }
    // Each month warns anew.
    let known = if month == month_before {
        level_before
    } else {
        BudgetLevel::Within
    };
    let news = match level {
        BudgetLevel::Exhausted => Some("budget_exhausted"),
        _less if level_before == BudgetLevel::Exhausted => Some("budget_restored"),
        BudgetLevel::Warned if known < BudgetLevel::Warned => Some("budget_warned"),
        BudgetLevel::Warned | BudgetLevel::Within => None,
    };
    Some(Turn {
        found: now,
        news,
        tells_agent: level == BudgetLevel::Exhausted || level_before == BudgetLevel::Exhausted,
    })
}

/// The first day of the month of a moment, UTC.
#[must_use]
pub fn month_of(at: DateTime<Utc>) -> NaiveDate {
    let day = at.date_naive();
    day.with_day(1).unwrap_or(day)
}

/// When the month after the one that begins so begins.
#[must_use]
pub fn ends_at(month: NaiveDate) -> DateTime<Utc> {
    let next = month.checked_add_months(Months::new(1)).unwrap_or(month);
    next.and_time(NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;
    use BudgetLevel::{Exhausted, Warned, Within};

    fn day(month: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, month, 1).expect("a day")
    }

    #[test]
    fn a_budget_warns_at_its_share_and_is_used_up_at_its_end() {
        let budget = ComputeBudget {
            unit_hours_per_month: 10,
            warn_at_percent: 80,
        };
        for (hours, level) in [(0, Within), (8, Warned), (10, Exhausted), (11, Exhausted)] {
            assert_eq!(budget.level(hours * HOUR_MS), level, "{hours}");
        }
        assert_eq!(budget.level(8 * HOUR_MS - 1), Within);
        assert_eq!(budget.level(10 * HOUR_MS - 1), Warned);
        assert_eq!(
            (budget.used_percent(HOUR_MS), unit_hours(90 * 60_000)),
            (10.0, 1.5)
        );
        let most = ComputeBudget {
            unit_hours_per_month: HOURS_MAX,
            warn_at_percent: 100,
        };
        assert_eq!(most.level(1 << 52), Exhausted);
        assert_eq!(most.level(HOURS_MAX * HOUR_MS - 1), Within);
        let mut errors = Vec::new();
        let none = ComputeBudget {
            unit_hours_per_month: 0,
            warn_at_percent: 101,
        };
        none.validate(&mut errors);
        most.validate(&mut errors);
        let pointers: Vec<&str> = errors.iter().map(|it| it.pointer.as_str()).collect();
        assert_eq!(
            pointers,
            [
                "/spec/budget/unit_hours_per_month",
                "/spec/budget/warn_at_percent"
            ]
        );
    }

    #[test]
    fn what_changes_is_told_once_and_the_agent_hears_when_jobs_stand_or_go_on() {
        let (october, november) = (day(10), day(11));
        let told = |before, now| turn(before, now).map(|it| (it.news, it.tells_agent));
        let at = |level| Some((november, level));
        for (before, now, expected) in [
            (None, Within, None),
            (None, Warned, Some((Some("budget_warned"), false))),
            (None, Exhausted, Some((Some("budget_exhausted"), true))),
            (at(Warned), Warned, None),
            (at(Warned), Exhausted, Some((Some("budget_exhausted"), true))),
            (at(Exhausted), Exhausted, None),
            (at(Exhausted), Warned, Some((Some("budget_restored"), true))),
            (at(Exhausted), Within, Some((Some("budget_restored"), true))),
            (at(Warned), Within, Some((None, false))),
        ] {
            assert_eq!(told(before, (november, now)), expected, "{before:?} {now:?}");
        }
        let turned = |level, now| told(Some((october, level)), (november, now));
        assert_eq!(turned(Within, Within), None);
        assert_eq!(turned(Warned, Within), Some((None, false)));
        assert_eq!(turned(Warned, Warned), Some((Some("budget_warned"), false)));
        assert_eq!(turned(Exhausted, Within), Some((Some("budget_restored"), true)));
        let again = Some((Some("budget_exhausted"), true));
        assert_eq!(
            turned(Exhausted, Exhausted),
            again,
            "until the end of another month"
        );
    }

    #[test]
    fn months_are_those_of_the_calendar() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a moment");
        assert_eq!(month_of(at("2026-11-30T23:59:59Z")), day(11));
        assert_eq!(ends_at(day(11)), at("2026-12-01T00:00:00Z"));
        assert_eq!(ends_at(day(12)), at("2027-01-01T00:00:00Z"));
    }
}
