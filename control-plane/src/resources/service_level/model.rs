//! What is known of a topic with promises, and what was found.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{DataPlaneId, Id, kind};
use crate::resources::contract::promise::{self, LevelName};
use crate::resources::topic::TopicId;

/// Where a service level stands. New words may appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LevelState {
    /// As promised.
    Ok,
    /// Not as promised.
    Breached,
    /// Nobody knows: `reason` says why.
    NoData,
}

impl LevelState {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Breached => "BREACHED",
            Self::NoData => "NO_DATA",
        }
    }

    /// Reads a stored name; the column's check knows no other.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        match name {
            "BREACHED" => Self::Breached,
            "NO_DATA" => Self::NoData,
            _ => Self::Ok,
        }
    }
}

/// Why nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// The promise cannot be read.
    Malformed,
    /// Nobody has looked yet, or not for a while.
    NotMeasured,
    /// The agent is not connected, or its reports are late.
    NoReport,
    /// The cluster has no gateways, which count records.
    NotMetered,
    /// The topic's contract does not judge values.
    NotJudged,
    /// No record was judged within the hour, or accepted since the promise.
    NoRecords,
    /// The topic has not been served yet.
    NotReadyYet,
}

impl Unknown {
    const ALL: [Self; 7] = [
        Self::Malformed,
        Self::NotMeasured,
        Self::NoReport,
        Self::NotMetered,
        Self::NotJudged,
        Self::NoRecords,
        Self::NotReadyYet,
    ];

    /// The stored name, which the API tells.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "MALFORMED",
            Self::NotMeasured => "NOT_MEASURED",
            Self::NoReport => "NO_REPORT",
            Self::NotMetered => "NOT_METERED",
            Self::NotJudged => "NOT_JUDGED",
            Self::NoRecords => "NO_RECORDS",
            Self::NotReadyYet => "NOT_READY_YET",
        }
    }

    /// Reads a stored name.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        let found = Self::ALL.into_iter().find(|it| it.name() == name);
        found.unwrap_or(Self::NotMeasured)
    }

    /// The same for people.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Malformed => "The promise cannot be read.",
            Self::NotMeasured => "Nobody has measured it yet, or not for some minutes.",
            Self::NoReport => {
                "The agent of the data plane is not connected, or what it counts has not arrived."
            }
            Self::NotMetered => {
                "Clients reach the brokers of this cluster without gateways, so nothing counts records."
            }
            Self::NotJudged => {
                "The topic's contract does not judge values: give it an enforcement, SHADOW at least."
            }
            Self::NoRecords => "There were no records to measure it by.",
            Self::NotReadyYet => "The topic has not been ready yet.",
        }
    }
}

/// A topic that promises something, and what is known of it at this moment.
#[derive(Debug, Clone)]
pub struct Promised {
    pub topic: TopicId,
    pub generation: i64,
    pub data_plane: DataPlaneId,
    pub contract: Id<kind::Contract>,
    pub version: i32,
    /// The properties about service levels, without sensitive ones.
    pub promises: BTreeMap<String, String>,
    /// Do gateways stand before the brokers?
    pub metered: bool,
    /// Does the topic's contract judge values?
    pub judged: bool,
    /// As the agent reported it last, if ever.
    pub phase: Option<String>,
    pub reason: Option<String>,
    /// Up to when the agent has told all usage.
    pub complete_until: Option<DateTime<Utc>>,
    /// Records that were judged in the last hour.
    pub records: i64,
    pub violating: i64,
    /// When the newest of them was accepted.
    pub last_record_at: Option<DateTime<Utc>>,
}

impl Promised {
    /// What is promised under a name.
    #[must_use]
    pub fn promise(&self, name: LevelName) -> Option<promise::Read> {
        promise::of(&self.promises, name)
    }
}

/// What was found last.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub topic: TopicId,
    pub name: LevelName,
    pub since: DateTime<Utc>,
    pub minute: DateTime<Utc>,
    pub known_at: Option<DateTime<Utc>>,
    pub state: LevelState,
    pub reason: Option<Unknown>,
    pub value: Option<f64>,
    pub last_record_at: Option<DateTime<Utc>>,
    pub good: i64,
    pub bad: i64,
    pub told: Option<Told>,
    pub spent_told: bool,
}

/// For so long after the last look, what was found is shown.
const SHOWN_FOR: TimeDelta = TimeDelta::minutes(5);

impl Found {
    /// Is it of now? Computed when read, never stored.
    #[must_use]
    pub fn is_recent(&self, now: DateTime<Utc>) -> bool {
        now - self.minute < SHOWN_FOR
    }
}

/// What watchers heard last of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// That it is not kept.
    Breached,
    /// That it is, or nothing, since it always was.
    Restored,
    /// That nobody knows.
    NoData,
}

impl Told {
    /// The stored name, which is part of the event's action.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Breached => "breached",
            Self::Restored => "restored",
            Self::NoData => "no_data",
        }
    }

    /// Reads a stored name; the column's check knows no other.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        match name {
            "breached" => Self::Breached,
            "no_data" => Self::NoData,
            _ => Self::Restored,
        }
    }
}
