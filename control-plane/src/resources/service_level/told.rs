//! What watchers hear of a level: a breach, its end, that it is not known any more. Pure.

use chrono::{DateTime, TimeDelta, Utc};

use crate::resources::service_level::model::{LevelState, Told};

/// An absence that is shorter is nobody's news: agents and control planes are restarted.
const ABSENCE: TimeDelta = TimeDelta::minutes(5);

/// What watchers know once they have heard of this state. Absence never ends a breach.
#[must_use]
pub fn next(
    before: Option<Told>,
    state: LevelState,
    known_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<Told> {
    match (before, state) {
        (_, LevelState::Breached) => Some(Told::Breached),
        (_, LevelState::Ok) => Some(Told::Restored),
        (None, LevelState::NoData) => None,
        (Some(_any), LevelState::NoData) if known_at.is_none_or(|it| now - it >= ABSENCE) => {
            Some(Told::NoData)
        }
        (before, LevelState::NoData) => before,
    }
}

/// The event that a change is, if people want to hear of it.
#[must_use]
pub fn event(before: Option<Told>, after: Option<Told>) -> Option<Told> {
    match (before, after) {
        // It was never broken.
        (None, Some(Told::Restored)) => None,
        (before, after) if before == after => None,
        (_, after) => after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use LevelState::{Breached, NoData, Ok};

    /// Events of states that are found minute by minute.
    fn run(states: &[LevelState]) -> Vec<Option<&'static str>> {
        let began = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let (mut held, mut known_at, mut events) = (None, None, Vec::new());
        for (minute, state) in states.iter().enumerate() {
            let now = began + TimeDelta::minutes(i64::try_from(minute).unwrap());
            if *state != NoData {
                known_at = Some(now);
            }
            let after = next(held, *state, known_at, now);
            events.push(event(held, after).map(Told::name));
            held = after;
        }
        events
    }

    #[test]
    fn a_breach_and_its_end_are_told_once() {
        assert_eq!(
            run(&[Ok, Breached, Breached, Ok, Ok]),
            [None, Some("breached"), None, Some("restored"), None]
        );
        assert_eq!(run(&[Breached, Ok]), [Some("breached"), Some("restored")]);
    }

    #[test]
    fn absence_is_told_when_it_lasts_and_ends_no_breach() {
        let mut states = vec![Breached];
        states.extend([NoData; 3]);
        states.push(Breached);
        assert_eq!(run(&states), [Some("breached"), None, None, None, None]);
        let mut states = vec![Breached];
        states.extend([NoData; 7]);
        states.push(Ok);
        let heard: Vec<_> = run(&states).into_iter().flatten().collect();
        assert_eq!(heard, ["breached", "no_data", "restored"]);
        assert_eq!(run(&[NoData; 9]), [None; 9], "it never was known");
    }
}
