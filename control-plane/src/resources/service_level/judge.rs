//! One minute of one level: kept, not kept, or unknown. Pure; what is not reported is unknown, never good and never bad.

use chrono::{DateTime, TimeDelta, Utc};

use crate::resources::contract::promise::{LevelName, Promise};
use crate::resources::service_level::model::{Found, Promised, Unknown};

/// Usage follows by a gateway's window, a minute or so. Reports that are later than this are not waited for.
const LATE: TimeDelta = TimeDelta::minutes(5);

/// What one minute was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Minute {
    /// As promised; the value, where a minute has one.
    Good(Option<f64>),
    /// Not as promised.
    Bad(Option<f64>),
    /// Nobody knows.
    Unknown(Unknown),
}

/// Looks at one minute. `connected`: the data plane's agent has a session and was heard within the minute. `newest`: the newest
/// record that is known of, from usage and from before.
#[must_use]
pub fn minute(
    name: LevelName,
    promise: &Promise,
    topic: &Promised,
    before: Option<&Found>,
    newest: Option<DateTime<Utc>>,
    connected: bool,
    now: DateTime<Utc>,
) -> Minute {
    if !connected {
        return Minute::Unknown(Unknown::NoReport);
    }
    match name {
        LevelName::Availability => availability(topic, before),
        LevelName::Completeness => completeness(promise, topic),
        LevelName::Freshness => freshness(promise, topic, before, newest, now),
    }
}

fn availability(topic: &Promised, before: Option<&Found>) -> Minute {
    let Some(phase) = topic.phase.as_deref() else {
        return Minute::Unknown(Unknown::NoReport);
    };
    let reason = topic.reason.as_deref().unwrap_or_default();
    match phase {
        "READY" => Minute::Good(None),
        // It is served as before; not every gateway has the newest wish yet.
        "DEGRADED" if reason == "GATEWAY_NOT_ACKNOWLEDGED" => Minute::Good(None),
        "PENDING" | "PROVISIONING" if before.is_none_or(|it| it.good == 0) => {
            Minute::Unknown(Unknown::NotReadyYet)
        }
        _not_served => Minute::Bad(None),
    }
}

fn completeness(promise: &Promise, topic: &Promised) -> Minute {
    if !topic.metered {
        return Minute::Unknown(Unknown::NotMetered);
    }
    if !topic.judged {
        return Minute::Unknown(Unknown::NotJudged);
    }
    if topic.records <= 0 {
        return Minute::Unknown(Unknown::NoRecords);
    }
    let right = (topic.records - topic.violating).max(0);
    let percent = right as f64 * 100.0 / topic.records as f64;
    if percent >= promise.base {
        Minute::Good(Some(percent))
    } else {
        Minute::Bad(Some(percent))
    }
}

/// The age of the newest record, as of the moment up to which everything was told: a record that is on its way counts when it
/// has arrived.
fn freshness(
    promise: &Promise,
    topic: &Promised,
    before: Option<&Found>,
    newest: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Minute {
    if !topic.metered {
        return Minute::Unknown(Unknown::NotMetered);
    }
    let Some(told_until) = topic
        .complete_until
        .map(|it| it.min(now))
        .filter(|it| now - *it <= LATE)
    else {
        return Minute::Unknown(Unknown::NoReport);
    };
    let most = TimeDelta::milliseconds((promise.base * 1000.0) as i64);
    let Some(newest) = newest else {
        // Everything since the first look was told of, and no record was among it.
        let since = before.map_or(now, |it| it.since);
        let silent = told_until - since;
        if silent <= most {
            return Minute::Unknown(Unknown::NoRecords);
        }
        return Minute::Bad(Some(seconds(silent)));
    };
    let newest = newest.min(now);
    let age = if newest > told_until {
        now - newest
    } else {
        told_until - newest
    };
    if age <= most {
        Minute::Good(Some(seconds(age)))
    } else {
        Minute::Bad(Some(seconds(age)))
    }
}

fn seconds(time: TimeDelta) -> f64 {
    time.num_milliseconds() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::kernel::Id;
    use crate::resources::service_level::model::LevelState;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_040, 0).unwrap()
    }

    fn ago(seconds: i64) -> Option<DateTime<Utc>> {
        Some(now() - TimeDelta::seconds(seconds))
    }

    fn topic() -> Promised {
        Promised {
            topic: Id::generate(),
            generation: 1,
            data_plane: Id::generate(),
            contract: Id::generate(),
            version: 1,
            promises: BTreeMap::from(
                [
                    ("freshness", "5 m"),
                    ("completeness", "99 %"),
                    ("availability", "99.9 %"),
                ]
                .map(|(name, text)| {
                    (
                        format!("{}{name}", weir_contract::document::SERVICE_LEVEL),
                        text.to_owned(),
                    )
                }),
            ),
            metered: true,
            judged: true,
            phase: Some("READY".into()),
            reason: None,
            complete_until: ago(70),
            records: 1000,
            violating: 10,
            last_record_at: None,
        }
    }

    fn found(since_seconds: i64, good: i64) -> Found {
        Found {
            topic: Id::generate(),
            name: LevelName::Freshness,
            since: now() - TimeDelta::seconds(since_seconds),
            minute: now(),
            known_at: None,
            state: LevelState::Ok,
            reason: None,
            value: None,
            last_record_at: None,
            good,
            bad: 0,
            told: None,
            spent_told: false,
        }
    }

    fn judged(name: LevelName, topic: &Promised, before: &Found, newest: Option<DateTime<Utc>>) -> Minute {
        let promise = topic.promise(name).unwrap().unwrap();
        minute(name, &promise, topic, Some(before), newest, true, now())
    }

    #[test]
    fn who_is_not_connected_is_unknown_whatever_was_reported_last() {
        let topic = topic();
        for name in LevelName::ALL {
            let promise = topic.promise(name).unwrap().unwrap();
            let found = minute(name, &promise, &topic, None, ago(1), false, now());
            assert_eq!(found, Minute::Unknown(Unknown::NoReport), "{name:?}");
        }
    }

    #[test]
    fn freshness_is_as_of_what_was_told() {
        let fresh = |topic: &Promised, newest| judged(LevelName::Freshness, topic, &found(9999, 1), newest);
        let topic = topic();
        // Told of up to 70 seconds ago: 300 seconds before that is the bound.
        assert_eq!(fresh(&topic, ago(370)), Minute::Good(Some(300.0)));
        assert_eq!(fresh(&topic, ago(371)), Minute::Bad(Some(301.0)));
        assert_eq!(fresh(&topic, ago(4)), Minute::Good(Some(4.0)));
        assert_eq!(
            fresh(&topic, ago(-60)),
            Minute::Good(Some(0.0)),
            "a clock that is ahead"
        );
        for complete_until in [None, ago(301)] {
            let late = Promised {
                complete_until,
                ..topic.clone()
            };
            assert_eq!(fresh(&late, ago(310)), Minute::Unknown(Unknown::NoReport));
        }
        let native = Promised {
            metered: false,
            ..topic
        };
        assert_eq!(fresh(&native, ago(4)), Minute::Unknown(Unknown::NotMetered));
    }

    #[test]
    fn where_no_record_ever_came_the_silence_is_the_age() {
        let silent = |since| judged(LevelName::Freshness, &topic(), &found(since, 0), None);
        assert_eq!(silent(370), Minute::Unknown(Unknown::NoRecords));
        assert_eq!(silent(400), Minute::Bad(Some(330.0)));
    }

    #[test]
    fn completeness_is_a_share_of_what_was_judged() {
        let complete = |topic: &Promised| judged(LevelName::Completeness, topic, &found(0, 0), None);
        let topic = topic();
        assert_eq!(complete(&topic), Minute::Good(Some(99.0)));
        let worse = Promised {
            violating: 11,
            ..topic.clone()
        };
        assert_eq!(complete(&worse), Minute::Bad(Some(98.9)));
        let idle = Promised {
            records: 0,
            violating: 0,
            ..topic.clone()
        };
        assert_eq!(complete(&idle), Minute::Unknown(Unknown::NoRecords));
        let off = Promised {
            judged: false,
            ..topic
        };
        assert_eq!(complete(&off), Minute::Unknown(Unknown::NotJudged));
    }

    #[test]
    fn a_topic_is_available_while_it_is_served() {
        let available = |phase: Option<&str>, reason: &str, good| {
            let topic = Promised {
                phase: phase.map(str::to_owned),
                reason: Some(reason.to_owned()),
                ..topic()
            };
            judged(LevelName::Availability, &topic, &found(0, good), None)
        };
        assert_eq!(available(Some("READY"), "", 0), Minute::Good(None));
        assert_eq!(
            available(Some("DEGRADED"), "GATEWAY_NOT_ACKNOWLEDGED", 1),
            Minute::Good(None)
        );
        assert_eq!(available(Some("DEGRADED"), "NO_GATEWAY", 1), Minute::Bad(None));
        assert_eq!(available(Some("FAILED"), "", 0), Minute::Bad(None));
        assert_eq!(available(Some("PROVISIONING"), "", 1), Minute::Bad(None));
        assert_eq!(
            available(Some("PROVISIONING"), "", 0),
            Minute::Unknown(Unknown::NotReadyYet)
        );
        assert_eq!(available(None, "", 5), Minute::Unknown(Unknown::NoReport));
    }
}
