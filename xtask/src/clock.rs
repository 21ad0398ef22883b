//! RFC 3339 times in UTC, to the second: enough for periods of usage, without a calendar library.

use anyhow::{Context, Result};

/// Seconds since 1970 as `2026-11-21T04:14:00Z`.
pub fn format(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

/// Reads `2026-11-21T04:14:00Z` (a fraction is dropped) as seconds since 1970.
pub fn parse(text: &str) -> Result<u64> {
    let number = |from: usize, to: usize| -> Result<u64> {
        text.get(from..to)
            .and_then(|it| it.parse().ok())
            .with_context(|| format!("read the time {text}"))
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let utc = text.ends_with('Z') || text.ends_with("+00:00");
    if !utc || year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        anyhow::bail!("{text} is not a time in UTC");
    }
    Ok(days(year, month, day) * 86_400 + number(11, 13)? * 3600 + number(14, 16)? * 60 + number(17, 19)?)
}

/// Days since 1970-01-01 of a date in the Gregorian calendar; years begin in March, so that leap days come last.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let (era, year_of_era) = (year / 400, year % 400);
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The date that is `days` after 1970-01-01.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_both_ways() {
        assert_eq!(format(0), "1970-01-01T00:00:00Z");
        assert_eq!(format(1_795_234_440), "2026-11-21T04:14:00Z");
        assert_eq!(parse("2026-11-21T04:14:00.123456Z").unwrap(), 1_795_234_440);
        assert_eq!(parse("2024-02-29T23:59:59+00:00").unwrap(), 1_709_251_199);
        assert!(parse("2026-11-21").is_err());
        assert!(parse("2026-11-21T04:14:00+02:00").is_err());
        for day in 0..50_000 {
            assert_eq!(parse(&format(day * 86_400)).unwrap(), day * 86_400);
        }
    }
}
