//! What the API promises of service levels.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Number;
use utoipa::ToSchema;

use crate::kernel::{Id, kind};
use crate::resources::contract::promise::{LevelName, Promise};
use crate::resources::service_level::budget::{Minutes, WINDOW_DAYS};
use crate::resources::service_level::model::{Found, LevelState, Promised, Unknown};
use crate::resources::topic::TopicId;

/// A number and what it is of.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceLevelValue {
    /// The number.
    #[schema(value_type = f64)]
    value: Number,
    /// `m`, `h`, `percent`, ...
    unit: String,
}

/// Minutes in which a promise may not be kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceLevelBudget {
    /// The period, up to now.
    window_days: i64,
    /// How many minutes may be bad; those of which nobody knows allow nothing.
    allowed_minutes: f64,
    /// How many were.
    spent_minutes: i64,
    /// Of how many since the first look nobody knows.
    unknown_minutes: i64,
    /// The share of what is allowed that is left, 0 to 1.
    remaining_ratio: f64,
}

/// One promise, and how it is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct TopicServiceLevel {
    /// What is promised.
    name: LevelName,
    /// How much; null when the promise cannot be read.
    objective: Option<ServiceLevelValue>,
    /// The share of minutes in which it is to be kept; null when the promise cannot be read.
    target_percent: Option<f64>,
    /// The contract that promises it.
    #[schema(value_type = String)]
    contract_id: Id<kind::Contract>,
    /// The version of it: the newest.
    version: i32,
    /// How it is kept.
    state: LevelState,
    /// Of NO_DATA: `MALFORMED`, `NOT_MEASURED`, `NO_REPORT`, `NOT_METERED`, `NOT_JUDGED`, `NO_RECORDS`, `NOT_READY_YET`. New ones
    /// may appear.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// The same as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    message: Option<String>,
    /// What was measured, in the unit of the objective; null of NO_DATA.
    measured: Option<ServiceLevelValue>,
    /// The minute that was looked at last; null before the first one.
    measured_at: Option<DateTime<Utc>>,
    /// What is left of the bad minutes that it allows; null before the first look.
    budget: Option<ServiceLevelBudget>,
}

/// What a topic promises, and how it is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct TopicServiceLevels {
    kind: &'static str,
    /// Which topic.
    #[schema(value_type = String)]
    topic: TopicId,
    /// One for each promise of the newest version of the topic's value subject.
    levels: Vec<TopicServiceLevel>,
}

/// A promise of a topic that is another tenant's, and how it is kept: nothing of the contract that makes it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SharedServiceLevel {
    /// What is promised.
    name: LevelName,
    /// How much; null when the promise cannot be read.
    objective: Option<ServiceLevelValue>,
    /// The share of minutes in which it is to be kept; null when the promise cannot be read.
    target_percent: Option<f64>,
    /// How it is kept.
    state: LevelState,
    /// Of NO_DATA, as of the topic's own levels.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
    /// What was measured, in the unit of the objective; null of NO_DATA.
    measured: Option<ServiceLevelValue>,
    /// The minute that was looked at last; null before the first one.
    measured_at: Option<DateTime<Utc>>,
    /// What is left of the bad minutes that it allows; null before the first look.
    budget: Option<ServiceLevelBudget>,
}

impl From<TopicServiceLevel> for SharedServiceLevel {
    fn from(level: TopicServiceLevel) -> Self {
        let TopicServiceLevel {
            name,
            objective,
            target_percent,
            contract_id: _,
            version: _,
            state,
            reason,
            // It may repeat what the contract says.
            message: _,
            measured,
            measured_at,
            budget,
        } = level;
        Self {
            name,
            objective,
            target_percent,
            state,
            reason,
            measured,
            measured_at,
            budget,
        }
    }
}

impl TopicServiceLevels {
    /// As another tenant is shown them.
    pub fn shared(self) -> Vec<SharedServiceLevel> {
        self.levels.into_iter().map(SharedServiceLevel::from).collect()
    }
}

/// The answer. `promised`: none where the topic promises nothing.
pub fn view(
    topic: TopicId,
    promised: Option<&Promised>,
    found: &[Found],
    now: DateTime<Utc>,
) -> TopicServiceLevels {
    let levels = promised.into_iter().flat_map(|promised| {
        LevelName::ALL.into_iter().filter_map(move |name| {
            let promise = promised.promise(name)?;
            let found = found.iter().find(|it| it.name == name);
            Some(level(name, promised, promise, found, now))
        })
    });
    TopicServiceLevels {
        kind: "TopicServiceLevels",
        topic,
        levels: levels.collect(),
    }
}

fn level(
    name: LevelName,
    promised: &Promised,
    promise: Result<Promise, String>,
    found: Option<&Found>,
    now: DateTime<Utc>,
) -> TopicServiceLevel {
    let empty = |reason: Unknown, message: String| TopicServiceLevel {
        name,
        objective: None,
        target_percent: None,
        contract_id: promised.contract,
        version: promised.version,
        state: LevelState::NoData,
        reason: Some(reason.name().to_owned()),
        message: Some(message),
        measured: None,
        measured_at: None,
        budget: None,
    };
    let promise = match promise {
        Ok(promise) => promise,
        Err(message) => return empty(Unknown::Malformed, message),
    };
    let waiting = empty(Unknown::NotMeasured, Unknown::NotMeasured.message().to_owned());
    let mut level = TopicServiceLevel {
        objective: Some(ServiceLevelValue {
            value: promise.value.clone(),
            unit: promise.unit.clone(),
        }),
        target_percent: Some(promise.target),
        ..waiting
    };
    let Some(found) = found else { return level };
    let minutes = Minutes::new(found.good, found.bad, found.since, found.minute);
    level.measured_at = Some(found.minute);
    level.budget = Some(ServiceLevelBudget {
        window_days: WINDOW_DAYS,
        allowed_minutes: minutes.allowed(promise.target),
        spent_minutes: minutes.bad,
        unknown_minutes: minutes.unknown,
        remaining_ratio: minutes.remaining(promise.target),
    });
    if found.is_recent(now) {
        level.state = found.state;
        level.reason = found.reason.map(|it| it.name().to_owned());
        level.message = found.reason.map(|it| it.message().to_owned());
        level.measured = found.value.and_then(|value| {
            Some(ServiceLevelValue {
                value: Number::from_f64(rounded(value / promise.factor))?,
                unit: promise.unit.clone(),
            })
        });
    }
    level
}

/// To a thousandth, for people.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
