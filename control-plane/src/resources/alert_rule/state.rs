//! What follows from a value: when an alert waits, fires, and ends. Pure.

use chrono::{DateTime, TimeDelta, Utc};

use crate::resources::alert_rule::model::{AlertState, Found};

/// What is found now, after what was found before.
#[must_use]
pub fn next(
    before: Option<Found>,
    value: i64,
    threshold: i64,
    for_seconds: i32,
    now: DateTime<Utc>,
) -> Found {
    let above = value >= threshold;
    let wait = TimeDelta::seconds(i64::from(for_seconds));
    let (state, since) = match (before.map(|it| (it.state, it.since)), above) {
        (Some((AlertState::Ok, since)), false) => (AlertState::Ok, since),
        (_, false) => (AlertState::Ok, now),
        (Some((AlertState::Firing, since)), true) => (AlertState::Firing, since),
        (Some((AlertState::Pending, since)), true) if now - since < wait => (AlertState::Pending, since),
        (Some((AlertState::Pending, _waited)), true) => (AlertState::Firing, now),
        (_, true) if for_seconds > 0 => (AlertState::Pending, now),
        (_, true) => (AlertState::Firing, now),
    };
    Found {
        state,
        since,
        value,
        evaluated_at: now,
    }
}

/// The event that a change is, if people want to hear of it: that a rule waits is nobody's news.
#[must_use]
pub fn event(before: Option<Found>, after: Found) -> Option<&'static str> {
    let fired = |it: AlertState| it == AlertState::Firing;
    match (before.is_some_and(|it| fired(it.state)), fired(after.state)) {
        (false, true) => Some("firing"),
        (true, false) => Some("resolved"),
        (false, false) | (true, true) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// States and events of values that are looked at every ten seconds.
    fn run(values: &[i64], for_seconds: i32) -> Vec<(AlertState, Option<&'static str>)> {
        let began = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let mut held = None;
        let mut seen = Vec::new();
        for (at, value) in values.iter().enumerate() {
            let now = began + TimeDelta::seconds(10 * i64::try_from(at).unwrap());
            let found = next(held, *value, 80, for_seconds, now);
            seen.push((found.state, event(held, found)));
            held = Some(found);
        }
        seen
    }

    #[test]
    fn an_alert_fires_once_and_ends_once() {
        use AlertState::{Firing, Ok};
        assert_eq!(
            run(&[79, 80, 99, 80, 79, 0], 0),
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
        let states =
            |values: &[i64]| -> Vec<_> { run(values, 20).into_iter().map(|(state, _event)| state).collect() };
        assert_eq!(states(&[90, 90, 0, 90]), [Pending, Pending, Ok, Pending]);
        assert_eq!(states(&[90, 90, 90, 90]), [Pending, Pending, Firing, Firing]);
        let heard = run(&[90, 90, 0], 20)
            .into_iter()
            .filter_map(|(_state, event)| event);
        assert_eq!(heard.count(), 0);
    }
}
