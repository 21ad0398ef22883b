//! What follows from a value, or from its absence: when an alert waits, fires, and ends, and what watchers hear. Pure.

use chrono::{DateTime, TimeDelta, Utc};

use crate::resources::alert_rule::model::{AlertState, Found, Reading, Told};

/// What is found now, after what was found before.
#[must_use]
pub fn next(
    before: Option<Found>,
    reading: Reading,
    threshold: i64,
    for_seconds: i32,
    now: DateTime<Utc>,
) -> Found {
    let wait = TimeDelta::seconds(i64::from(for_seconds));
    let above = reading.map(|value| value >= threshold);
    let (state, since) = match (before.map(|it| (it.state, it.since)), above) {
        (Some((AlertState::NoData, since)), Err(_any)) => (AlertState::NoData, since),
        (_, Err(_any)) => (AlertState::NoData, now),
        (Some((AlertState::Ok, since)), Ok(false)) => (AlertState::Ok, since),
        (_, Ok(false)) => (AlertState::Ok, now),
        (Some((AlertState::Firing, since)), Ok(true)) => (AlertState::Firing, since),
        (Some((AlertState::Pending, since)), Ok(true)) if now - since < wait => (AlertState::Pending, since),
        (Some((AlertState::Pending, _waited)), Ok(true)) => (AlertState::Firing, now),
        (_, Ok(true)) if for_seconds > 0 => (AlertState::Pending, now),
        (_, Ok(true)) => (AlertState::Firing, now),
    };
    Found {
        state,
        since,
        reading,
        told: told(before.and_then(|it| it.told), state),
        evaluated_at: now,
    }
}

/// What watchers know once they have heard of this state. That a rule waits is nobody's news, nor that there is no value
/// where there never was one.
fn told(before: Option<Told>, state: AlertState) -> Option<Told> {
    match (before, state) {
        (_, AlertState::Firing) => Some(Told::Firing),
        (None, AlertState::NoData) => None,
        (_, AlertState::NoData) => Some(Told::NoData),
        // It may fire yet: what ends the absence is told then.
        (Some(Told::NoData), AlertState::Pending) => Some(Told::NoData),
        (_, AlertState::Ok | AlertState::Pending) => Some(Told::Resolved),
    }
}

/// The event that a change is, if people want to hear of it.
#[must_use]
pub fn event(before: Option<Found>, after: Found) -> Option<Told> {
    match (before.and_then(|it| it.told), after.told) {
        // It never fired.
        (None, Some(Told::Resolved)) => None,
        (before, after) if before == after => None,
        (_, after) => after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::alert_rule::model::NoDataReason;

    /// States and events of readings that are taken every ten seconds.
    fn run(readings: &[Reading], for_seconds: i32) -> Vec<(AlertState, Option<&'static str>)> {
        let began = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let mut held = None;
        let mut seen = Vec::new();
        for (at, reading) in readings.iter().enumerate() {
            let now = began + TimeDelta::seconds(10 * i64::try_from(at).unwrap());
            let found = next(held, *reading, 80, for_seconds, now);
            seen.push((found.state, event(held, found).map(Told::name)));
            held = Some(found);
        }
        seen
    }

    fn values(values: &[i64]) -> Vec<Reading> {
        values.iter().map(|it| Ok(*it)).collect()
    }

    #[test]
    fn an_alert_fires_once_and_ends_once() {
        use AlertState::{Firing, Ok};
        assert_eq!(
            run(&values(&[79, 80, 99, 80, 79, 0]), 0),
            [
                (Ok, None),
                (Firing, Some("firing")),
                (Firing, None),
                (Firing, None),
                (Ok, Some("resolved")),
                (Ok, None)
            ]
        );
    }

    #[test]
    fn what_lasts_too_short_is_nobodys_news() {
        use AlertState::{Firing, Ok, Pending};
        let states = |told: &[i64]| -> Vec<_> {
            let seen = run(&values(told), 20).into_iter();
            seen.map(|(state, _event)| state).collect()
        };
        assert_eq!(states(&[90, 90, 0, 90]), [Pending, Pending, Ok, Pending]);
        assert_eq!(states(&[90, 90, 90, 90]), [Pending, Pending, Firing, Firing]);
        let heard = run(&values(&[90, 90, 0]), 20)
            .into_iter()
            .filter_map(|(_state, event)| event);
        assert_eq!(heard.count(), 0);
    }

    #[test]
    fn a_value_that_goes_is_no_end_and_is_told_once() {
        use AlertState::{Firing, NoData, Ok as Fine};
        let gone = Err(NoDataReason::NoReport);
        assert_eq!(
            run(&[Ok(90), gone, gone, Ok(95), gone, Ok(3)], 0),
            [
                (Firing, Some("firing")),
                (NoData, Some("no_data")),
                (NoData, None),
                (Firing, Some("firing")),
                (NoData, Some("no_data")),
                (Fine, Some("resolved")),
            ]
        );
        assert_eq!(
            run(&[Ok(1), gone], 0)[1],
            (NoData, Some("no_data")),
            "it was well"
        );
    }

    #[test]
    fn where_there_never_was_a_value_nothing_is_told_until_it_fires() {
        use AlertState::{Firing, NoData, Ok as Fine, Pending};
        let never = Err(NoDataReason::NoCommits);
        assert_eq!(
            run(&[never, never, Ok(1)], 0),
            [(NoData, None), (NoData, None), (Fine, None)]
        );
        assert_eq!(run(&[never, Ok(90)], 0)[1], (Firing, Some("firing")));
        // Back, above the threshold, but not for long enough: neither fired nor resolved yet.
        assert_eq!(
            run(&[Ok(1), never, Ok(90), Ok(90), Ok(90)], 20)[1..],
            [
                (NoData, Some("no_data")),
                (Pending, None),
                (Pending, None),
                (Firing, Some("firing")),
            ]
        );
        assert_eq!(
            run(&[Ok(1), never, Ok(90), Ok(1)], 20)[3],
            (Fine, Some("resolved"))
        );
    }
}
