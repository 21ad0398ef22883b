//! Points and spans of time without a clock and without a table of zones: UTC and offsets only.

use super::functions::Part;
use crate::value::Timestamp;

const SECOND: i128 = 1_000_000_000;
const DAY_SECONDS: i64 = 86_400;
/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z: what CEL and RFC 3339 can write.
const FIRST_SECOND: i64 = -62_135_596_800;
const LAST_SECOND: i64 = 253_402_300_799;
/// About 10,000 years, as `google.protobuf.Duration`.
const SPAN_MAX: i128 = 315_576_000_000 * SECOND;

/// Whether it can be written.
pub const fn is_within(moment: Timestamp) -> bool {
    moment.seconds >= FIRST_SECOND && moment.seconds <= LAST_SECOND
}

/// A span, if it is not too long.
pub const fn span(nanos: i128) -> Option<i128> {
    if nanos >= -SPAN_MAX && nanos <= SPAN_MAX {
        Some(nanos)
    } else {
        None
    }
}

/// A point in time, earlier or later.
pub fn shifted(moment: Timestamp, span: i128) -> Option<Timestamp> {
    let nanos = moment.nanos_since_1970() + span;
    let shifted = Timestamp {
        seconds: i64::try_from(nanos.div_euclid(SECOND)).ok()?,
        nanos: u32::try_from(nanos.rem_euclid(SECOND)).ok()?,
    };
    is_within(shifted).then_some(shifted)
}

/// Days since 1970 of a date of the Gregorian calendar.
/// The arithmetic is that of <https://howardhinnant.github.io/date_algorithms.html>: years begin in March, eras last 400 years.
const fn days_from_date(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month from 1, day from 1.
const fn date_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// A part of a point in time at an offset from UTC.
pub fn part(moment: Timestamp, part: Part, offset_seconds: i64) -> i64 {
    let seconds = moment.seconds + offset_seconds;
    let (days, of_day) = (seconds.div_euclid(DAY_SECONDS), seconds.rem_euclid(DAY_SECONDS));
    let (year, month, day) = date_from_days(days);
    match part {
        Part::FullYear => year,
        Part::Month => month - 1,
        Part::Date => day,
        Part::DayOfMonth => day - 1,
        Part::DayOfWeek => (days + 4).rem_euclid(7),
        Part::DayOfYear => days - days_from_date(year, 1, 1),
        Part::Hours => of_day / 3600,
        Part::Minutes => of_day / 60 % 60,
        Part::Seconds => of_day % 60,
        Part::Milliseconds => i64::from(moment.nanos / 1_000_000),
    }
}

/// A span counted in a part; milliseconds are those of the last second.
pub fn part_of_span(span: i128, part: Part) -> Option<i64> {
    let count = match part {
        Part::Hours => span / (3600 * SECOND),
        Part::Minutes => span / (60 * SECOND),
        Part::Seconds => span / SECOND,
        Part::Milliseconds => span % SECOND / 1_000_000,
        _ => return None,
    };
    i64::try_from(count).ok()
}

/// `UTC`, `Z`, `+02:00` or `-0530` in seconds.
pub fn offset_seconds(zone: &str) -> Option<i64> {
    if matches!(zone, "UTC" | "Z" | "z" | "") {
        return Some(0);
    }
    let (sign, rest) = match zone.as_bytes().first()? {
        b'+' => (1, &zone[1..]),
        b'-' => (-1, &zone[1..]),
        b'0'..=b'9' => (1, zone),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':').or_else(|| rest.split_at_checked(2))?;
    let two = |text: &str| {
        (text.len() == 2 && text.bytes().all(|it| it.is_ascii_digit())).then(|| text.parse::<i64>().ok())?
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Reads a point in time as RFC 3339 writes it (section 5.6).
pub fn read_timestamp(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        let part = text.get(from..to)?;
        part.bytes()
            .all(|it| it.is_ascii_digit())
            .then(|| part.parse().ok())?
    };
    let mark = |at: usize, allowed: &[u8]| bytes.get(at).is_some_and(|it| allowed.contains(it));
    if !(mark(4, b"-") && mark(7, b"-") && mark(10, b"Tt ") && mark(13, b":") && mark(16, b":")) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let days = days_from_date(year, month, day);
    if !(1..=12).contains(&month)
        || date_from_days(days) != (year, month, day)
        || hour > 23
        || minute > 59
        || second > 59
    {
        return None;
    }
    let mut rest = text.get(19..)?;
    let mut nanos = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 || digits > 9 {
            return None;
        }
        let scale = 10_u32.pow(9 - u32::try_from(digits).ok()?);
        nanos = fraction[..digits].parse::<u32>().ok()? * scale;
        rest = &fraction[digits..];
    }
    let offset = match rest {
        "" => return None,
        "Z" | "z" => 0,
        zone if zone.len() == 6 => offset_seconds(zone)?,
        _ => return None,
    };
    let seconds = days * DAY_SECONDS + hour * 3600 + minute * 60 + second - offset;
    let moment = Timestamp { seconds, nanos };
    is_within(moment).then_some(moment)
}

/// As RFC 3339 writes it, in UTC.
pub fn write_timestamp(moment: Timestamp) -> String {
    let (year, month, day) = date_from_days(moment.seconds.div_euclid(DAY_SECONDS));
    let of_day = moment.seconds.rem_euclid(DAY_SECONDS);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let fraction = fraction(i128::from(moment.nanos));
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

fn fraction(nanos: i128) -> String {
    if nanos == 0 {
        return String::new();
    }
    format!(".{nanos:09}").trim_end_matches('0').to_owned()
}

/// Reads a span such as `1h30m`, `1.5s` or `-2ms`.
pub fn read_duration(text: &str) -> Option<i128> {
    let (sign, mut rest) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let whole = rest.bytes().take_while(u8::is_ascii_digit).count();
        let mut after = &rest[whole..];
        let mut part = "";
        if let Some(behind) = after.strip_prefix('.') {
            let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
            part = &behind[..digits];
            after = &behind[digits..];
        }
        if whole + part.len() == 0 || whole > 18 || part.len() > 18 {
            return None;
        }
        let (unit, name) = [
            ("h", 3600 * SECOND),
            ("ms", 1_000_000),
            ("m", 60 * SECOND),
            ("s", SECOND),
            ("us", 1000),
            ("ns", 1),
        ]
        .into_iter()
        .find_map(|(name, nanos)| after.starts_with(name).then_some((nanos, name)))?;
        let number = |digits: &str| {
            if digits.is_empty() {
                Some(0)
            } else {
                digits.parse::<i128>().ok()
            }
        };
        let scale = 10_i128.pow(u32::try_from(part.len()).ok()?);
        total += number(&rest[..whole])? * unit + number(part)? * unit / scale;
        span(total)?;
        rest = &after[name.len()..];
    }
    (text.len() > 1).then_some(sign * total)
}

/// In seconds, as `google.protobuf.Duration` is written in JSON.
pub fn write_duration(span: i128) -> String {
    let sign = if span < 0 { "-" } else { "" };
    let span = span.abs();
    format!("{sign}{}{}s", span / SECOND, fraction(span % SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_both_ways() {
        for days in (-719_162..2_932_896).step_by(97) {
            let (year, month, day) = date_from_days(days);
            assert_eq!(days_from_date(year, month, day), days);
        }
        assert_eq!(date_from_days(0), (1970, 1, 1));
        assert_eq!(date_from_days(19_782), (2024, 2, 29));
    }

    #[test]
    fn timestamps_are_read_as_rfc_3339_writes_them() {
        let read = |text| read_timestamp(text).map(write_timestamp);
        // RFC 3339, section 5.8.
        assert_eq!(
            read("1985-04-12T23:20:50.52Z").as_deref(),
            Some("1985-04-12T23:20:50.52Z")
        );
        assert_eq!(
            read("1996-12-19T16:39:57-08:00").as_deref(),
            Some("1996-12-20T00:39:57Z")
        );
        for wrong in [
            "1985-04-31T00:00:00Z",
            "1985-04-12",
            "1985-04-12T24:00:00Z",
            "1985-04-12T23:20:50",
            "0000-01-01T00:00:00Z",
            "1985-04-12T23:20:50.Z",
            "ü985-04-12T23:20:50Z",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn spans_are_sums_of_units() {
        assert_eq!(read_duration("1h30m"), Some(5400 * SECOND));
        assert_eq!(read_duration("-1.5ms"), Some(-1_500_000));
        assert_eq!(read_duration("0").map(write_duration).as_deref(), Some("0s"));
        assert_eq!(
            read_duration("1.25s").map(write_duration).as_deref(),
            Some("1.25s")
        );
        for wrong in ["", "-", "1", "h", "1x", "999999999999999999h", "1e3s", "1..5s"] {
            assert_eq!(read_duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn parts_are_counted_at_an_offset() {
        let moment = read_timestamp("2024-12-31T23:30:15.25Z").expect("it is one");
        assert_eq!(part(moment, Part::FullYear, 0), 2024);
        assert_eq!(
            part(moment, Part::FullYear, offset_seconds("+01:00").expect("one")),
            2025
        );
        assert_eq!(part(moment, Part::DayOfWeek, 0), 2, "a Tuesday");
        assert_eq!(part(moment, Part::DayOfYear, 0), 365);
        assert_eq!(part(moment, Part::Milliseconds, 0), 250);
        assert_eq!(offset_seconds("Europe/Berlin"), None);
        assert_eq!(offset_seconds("+1:00"), None);
    }
}
