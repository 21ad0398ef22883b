//! Which keys come and go, and which one signs. Pure.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// How long a key signs.
const TURN: TimeDelta = TimeDelta::days(7);
/// How long a key is told before it signs: a gateway whose agent is cut off for less misses no token.
const TOLD_BEFORE: TimeDelta = TimeDelta::days(1);
/// How long a key stays after its successor signs: the longest life of a token, and the difference of clocks.
const KEPT_AFTER: TimeDelta = TimeDelta::hours(2);

/// A key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub id: Uuid,
    pub signs_from: DateTime<Utc>,
    /// Can its private half be opened here? One that was sealed under a lost key cannot.
    pub opens: bool,
}

/// What is to be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// A key is to be made that signs from then on.
    pub make: Option<DateTime<Utc>>,
    /// Keys whose last token has ended.
    pub forget: Vec<Uuid>,
}

/// The key that signs now.
pub fn signing(keys: &[Key], now: DateTime<Utc>) -> Option<&Key> {
    let begun = keys.iter().filter(|it| it.opens && it.signs_from <= now);
    begun.max_by_key(|it| it.signs_from)
}

pub fn turn(keys: &[Key], now: DateTime<Utc>) -> Turn {
    let newest = keys.iter().filter(|it| it.opens).map(|it| it.signs_from).max();
    let make = match (signing(keys, now), newest) {
        (Some(_), Some(newest)) if newest + TURN - TOLD_BEFORE > now => None,
        (Some(_), Some(newest)) => Some((newest + TURN).max(now + TOLD_BEFORE)),
        _none_signs => Some(now),
    };
    let succeeded = |key: &Key| {
        keys.iter().any(|it| {
            it.opens
                && it.id != key.id
                && it.signs_from + KEPT_AFTER <= now
                && (it.signs_from, it.id) > (key.signs_from, key.id)
        })
    };
    let forget = keys.iter().filter(|it| succeeded(it)).map(|it| it.id).collect();
    Turn { make, forget }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
    }

    fn key(id: u128, hours: i64) -> Key {
        Key {
            id: Uuid::from_u128(id),
            signs_from: at(hours),
            opens: true,
        }
    }

    #[test]
    fn the_first_key_signs_at_once() {
        assert_eq!(turn(&[], at(0)).make, Some(at(0)));
        assert_eq!(turn(&[key(1, 0)], at(0)), Turn::default());
        assert_eq!(signing(&[key(1, 1)], at(0)), None);
    }

    #[test]
    fn a_successor_is_told_a_day_before_it_signs_and_the_old_key_stays_until_its_last_token_ended() {
        let week = 7 * 24;
        let mut keys = vec![key(1, 0)];
        assert_eq!(turn(&keys, at(week - 25)), Turn::default());
        assert_eq!(turn(&keys, at(week - 24)).make, Some(at(week)));
        keys.push(key(2, week));
        for (hours, signs, forgotten) in [
            (week - 24, 1, 0),
            (week - 1, 1, 0),
            (week, 2, 0),
            (week + 2, 2, 1),
        ] {
            assert_eq!(signing(&keys, at(hours)).unwrap().id, Uuid::from_u128(signs));
            let Turn { make, forget } = turn(&keys, at(hours));
            assert_eq!((make, forget.len()), (None, forgotten), "after {hours} hours");
        }
        assert_eq!(turn(&keys, at(week + 2)).forget, [Uuid::from_u128(1)]);
        assert!(
            KEPT_AFTER > TimeDelta::from_std(super::super::TOKEN_LIFETIME_MAX).unwrap(),
            "longer than any token"
        );
    }

    #[test]
    fn after_a_long_sleep_the_next_key_is_told_before_it_signs_all_the_same() {
        let keys = [key(1, 0)];
        assert_eq!(turn(&keys, at(10_000)).make, Some(at(10_024)));
    }

    #[test]
    fn a_key_that_cannot_be_opened_is_replaced_at_once() {
        let lost = Key {
            opens: false,
            ..key(1, 0)
        };
        assert_eq!(turn(std::slice::from_ref(&lost), at(5)).make, Some(at(5)));
        let keys = [lost, key(2, 5)];
        assert_eq!(turn(&keys, at(5)), Turn::default());
        assert_eq!(turn(&keys, at(7)).forget, [Uuid::from_u128(1)]);
    }
}
