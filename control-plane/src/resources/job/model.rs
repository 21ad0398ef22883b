//! What a job is: a program that runs beside a cluster, in a compute pool, with a service account's rights.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::kernel::{ClusterId, DataPlaneId, Id, Labels, ServiceAccountId, kind};
use crate::resources::compute_pool::ComputePoolId;
use crate::resources::job::scaling::JobScaling;
use crate::resources::job::sql_model::{JobSqlSink, JobSqlSource, JobSqlState};
use crate::resources::topic::TopicId;

/// Id of a job.
pub type JobId = Id<kind::Job>;

/// What a job does. New kinds may appear.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE", deny_unknown_fields)]
pub enum JobProgram {
    /// Steps over one record at a time, without code: docs/actions.md.
    Action {
        /// What is read.
        source: JobSource,
        /// What is done with each record, in this order.
        #[schema(max_items = 50, value_type = Vec<Object>)]
        steps: Vec<Value>,
        /// Where records go, by the names that the steps call them; without a step that routes, there is one.
        #[schema(min_items = 1, max_items = 20)]
        sinks: Vec<JobSink>,
        /// Where records go that a step cannot take. Without one, the job fails at the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        dead_letter: Option<TopicId>,
        /// What happens to records without a value, which delete on compacted topics.
        #[serde(default)]
        null_values: JobNullValues,
    },
    /// A statement that Flink runs: docs/sql-jobs.md.
    Sql {
        /// What to do, over tables that the program names.
        #[schema(max_length = 65536)]
        statement: String,
        /// What is read.
        #[schema(min_items = 1, max_items = 20)]
        sources: Vec<JobSqlSource>,
        /// What is written.
        #[schema(min_items = 1, max_items = 20)]
        sinks: Vec<JobSqlSink>,
        /// What this version does with what the one before remembered.
        #[serde(default)]
        state: JobSqlState,
    },
}

/// A topic of a program: where the spec names it, and what it is to the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedTopic {
    /// Pointer into the program.
    pub field: String,
    /// The topic.
    pub topic: TopicId,
    /// `SOURCE`, `SINK` or `DEAD_LETTER`.
    pub part: &'static str,
}

impl JobProgram {
    /// Every topic that it reads or writes.
    #[must_use]
    pub fn topics(&self) -> Vec<NamedTopic> {
        let named = |field: String, topic, part| NamedTopic { field, topic, part };
        let (source, sinks, dead_letter) = match self {
            Self::Action {
                source,
                steps: _,
                sinks,
                dead_letter,
                null_values: _,
            } => (source, sinks, dead_letter),
            Self::Sql {
                statement: _,
                sources,
                sinks,
                state: _,
            } => {
                let sources = sources.iter().enumerate();
                let sinks = sinks.iter().enumerate();
                return sources
                    .map(|(number, it)| named(format!("sources/{number}/topic"), it.topic, "SOURCE"))
                    .chain(sinks.map(|(number, it)| named(format!("sinks/{number}/topic"), it.topic, "SINK")))
                    .collect();
            }
        };
        let source = std::iter::once(named("source/topic".to_owned(), source.topic, "SOURCE"));
        let sinks = sinks
            .iter()
            .enumerate()
            .map(|(number, it)| named(format!("sinks/{number}/topic"), it.topic, "SINK"));
        let dead_letter = dead_letter
            .iter()
            .map(|it| named("dead_letter".to_owned(), *it, "DEAD_LETTER"));
        source.chain(sinks).chain(dead_letter).collect()
    }

    /// The stored name of its kind.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Action { .. } => "ACTION",
            Self::Sql { .. } => "SQL",
        }
    }

    /// Does a version with it take over what one with `before` remembered? An action remembers its place, which is the group's.
    #[must_use]
    pub fn keeps_state_of(&self, before: &Self) -> bool {
        match (before, self) {
            (Self::Action { .. }, Self::Action { .. }) => true,
            (Self::Sql { .. }, Self::Sql { state, .. }) => *state == JobSqlState::Keep,
            (Self::Action { .. }, Self::Sql { .. }) | (Self::Sql { .. }, Self::Action { .. }) => false,
        }
    }

    /// Compute units that it needs at least, with so many workers.
    #[must_use]
    pub const fn units(&self, workers: i32) -> i32 {
        match self {
            Self::Action { .. } => workers,
            // Two subtasks share a unit, and Flink itself has one.
            Self::Sql { .. } => 1 + (workers + 1) / 2,
        }
    }
}

/// What a job reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobSource {
    /// The topic, of the job's cluster.
    pub topic: TopicId,
    /// Where a job begins that never ran.
    #[serde(default)]
    pub start: JobStart,
}

/// Where a job begins that never ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobStart {
    /// With the oldest record that is left.
    #[default]
    Earliest,
    /// With the first record after its start.
    Latest,
}

/// What happens to records without a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobNullValues {
    /// They go, untouched by the steps, to the only sink, or to the `otherwise` of the last route; without one they are dropped.
    #[default]
    Pass,
    /// They are dropped.
    Drop,
}

/// How values are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobEncoding {
    /// As they came. One with a schema keeps it while it fits, and else has the newest schema of the sink.
    #[default]
    Keep,
    /// JSON without a schema.
    Json,
    /// By the newest schema of the sink.
    Contract,
}

/// Where a job's records go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobSink {
    /// As the steps call it.
    #[serde(default = "sink_default")]
    #[schema(default = "out", min_length = 1, max_length = 63)]
    pub name: String,
    /// The topic, of the job's cluster.
    pub topic: TopicId,
    /// How values are written.
    #[serde(default)]
    pub encoding: JobEncoding,
}

fn sink_default() -> String {
    "out".to_owned()
}

/// What is wished of a job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobDesiredState {
    /// It runs.
    #[default]
    Running,
    /// It does not, and keeps its place.
    Stopped,
    /// It runs while there is something to do.
    AutoSuspend,
}

impl JobDesiredState {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Stopped => "STOPPED",
            Self::AutoSuspend => "AUTO_SUSPEND",
        }
    }

    /// Reads a stored name; the column's check knows no other.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        match name {
            "STOPPED" => Self::Stopped,
            "AUTO_SUSPEND" => Self::AutoSuspend,
            _ => Self::Running,
        }
    }
}

/// When a job of AUTO_SUSPEND goes to sleep and wakes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoSuspend {
    /// It is suspended when nothing came for so long.
    #[serde(default = "idle_default")]
    #[schema(minimum = 10, maximum = 86400, default = 300)]
    pub idle_after_seconds: i32,
    /// It wakes when so many records wait.
    #[serde(default = "one")]
    #[schema(minimum = 1, default = 1)]
    pub wake_lag_records: i64,
    /// Or when one has waited for so long.
    #[serde(default = "wake_default")]
    #[schema(minimum = 1, maximum = 86400, default = 30)]
    pub wake_within_seconds: i32,
}

const fn idle_default() -> i32 {
    300
}
const fn one() -> i64 {
    1
}
const fn wake_default() -> i32 {
    30
}

/// What is wished.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
    /// The cluster whose topics it reads and writes; never changes.
    pub cluster: ClusterId,
    /// Unique in the cluster; never changes.
    #[schema(pattern = "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
    pub name: String,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub description: String,
    /// Where it runs, on the cluster's data plane.
    pub compute_pool: ComputePoolId,
    /// Whose rights it has, and no more.
    pub service_account: ServiceAccountId,
    /// What it does. A change makes a new version.
    pub program: JobProgram,
    /// Whether it runs.
    #[serde(default)]
    pub desired_state: JobDesiredState,
    /// When it sleeps and wakes, as AUTO_SUSPEND; kept while something else is wished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub auto_suspend: Option<AutoSuspend>,
    /// How it grows and shrinks.
    #[serde(default)]
    pub scaling: JobScaling,
    /// Who waits when the pool is full: 9 comes first.
    #[serde(default = "priority_default")]
    #[schema(minimum = 0, maximum = 9, default = 5)]
    pub priority: i32,
    /// It cannot be deleted while this is set.
    #[serde(default)]
    pub deletion_protection: bool,
}

const fn priority_default() -> i32 {
    5
}

/// A row.
#[derive(Debug, Clone)]
pub struct Job {
    /// Id.
    pub id: JobId,
    /// What is wished.
    pub spec: JobSpec,
    /// Name of its environment.
    pub environment_name: String,
    /// Name of its cluster.
    pub cluster_name: String,
    /// The data plane whose agent runs it.
    pub data_plane: DataPlaneId,
    /// The version that is wished to run.
    pub version: i32,
    /// Rises with each wish to restart.
    pub restart_nonce: i64,
    /// The generation that carries the row as it is.
    pub desired_n: i64,
    /// Since when it is going away.
    pub deleted_at: Option<DateTime<Utc>>,
    /// Free labels.
    pub labels: Labels,
    /// Rises with each change.
    pub generation: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When spec or labels last changed.
    pub updated_at: DateTime<Utc>,
}

impl Job {
    /// Name within the tenant.
    #[must_use]
    pub fn resource_name(&self) -> String {
        resource_name(&self.environment_name, &self.cluster_name, &self.spec.name)
    }
}

/// Name within the tenant.
#[must_use]
pub fn resource_name(environment: &str, cluster: &str, name: &str) -> String {
    format!("environment={environment}/cluster={cluster}/job={name}")
}

/// A version.
#[derive(Debug, Clone)]
pub struct JobVersion {
    /// Counted from 1.
    pub version: i32,
    /// What it does.
    pub program: JobProgram,
    /// Is what the version before remembered taken over?
    pub keeps_state: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// By whom.
    pub created_by: String,
}
