//! What a program in SQL is made of: docs/sql-jobs.md.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::resources::job::model::JobStart;
use crate::resources::topic::TopicId;

/// A topic that is read as a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobSqlSource {
    /// As the statement calls it.
    #[schema(pattern = "^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
    pub name: String,
    /// The topic, of the job's cluster.
    pub topic: TopicId,
    /// Where a job begins that never ran.
    #[serde(default)]
    pub start: JobStart,
    /// Its columns; none: as the topic's contract says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 500)]
    pub columns: Vec<JobSqlColumn>,
    /// The column that takes the record's key as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub key: Option<String>,
    /// When a record happened, for windows of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub event_time: Option<JobSqlEventTime>,
}

/// A topic that is written as a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobSqlSink {
    /// As the statement calls it.
    #[schema(pattern = "^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
    pub name: String,
    /// The topic, of the job's cluster.
    pub topic: TopicId,
    /// Its columns; none: as the topic's contract says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 500)]
    pub columns: Vec<JobSqlColumn>,
    /// The columns that become the record's key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub key: Vec<String>,
    /// What becomes of rows that change.
    #[serde(default)]
    pub mode: JobSqlMode,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobSqlColumn {
    /// Its name.
    #[schema(min_length = 1, max_length = 256)]
    pub name: String,
    /// Its type in Flink's words, such as `BIGINT` or `ROW<city STRING>`.
    #[serde(rename = "type")]
    #[schema(max_length = 4096)]
    pub kind: String,
}

/// When a record happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobSqlEventTime {
    /// The column that says so; none: the time that the record itself carries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub column: Option<String>,
    /// What whole numbers of the column count.
    #[serde(default)]
    pub unit: JobSqlUnit,
    /// How much later than others a record may come and still count.
    #[serde(default = "delay_default")]
    #[schema(minimum = 0, maximum = 86400000, default = 5000)]
    pub delay_ms: i32,
}

const fn delay_default() -> i32 {
    5_000
}

/// What whole numbers of a time count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobSqlUnit {
    /// Milliseconds since 1970.
    #[default]
    Milliseconds,
    /// Seconds since 1970.
    Seconds,
}

/// What becomes of rows that change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobSqlMode {
    /// There are none: records are added.
    #[default]
    Append,
    /// Later records of a key replace earlier ones, and one without a value takes it away.
    Upsert,
}

/// What a new version does with what the one before remembered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobSqlState {
    /// It takes it over; where Flink cannot, the job fails and says so.
    #[default]
    Keep,
    /// It begins where its sources say, as if it never ran.
    Forget,
}
