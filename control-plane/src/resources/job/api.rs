//! What the API promises of a job.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::{Page, PageToken, kind};
use crate::resources::job::model::{Job, JobProgram, JobSpec, JobVersion};
use crate::resources::job::scaling::JobParallelism;
use crate::resources::served::{Report, Standing, stand};
use crate::rest::{ListMetadata, Metadata, Object, Phase, Resource};

/// What is so.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JobStatus {
    /// RUNNING when a worker took its partitions and goes on; SUSPENDED, STOPPED, COMPLETED.
    pub phase: Phase,
    /// A code that says why it does not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// The same as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub message: Option<String>,
    /// The generation of the data plane that the newest report speaks of.
    pub observed_generation: Option<i64>,
    /// The version that is wished to run.
    pub latest_version: i32,
    /// Who decides how many workers it has.
    pub parallelism: JobParallelism,
    /// What its agent said last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub progress: Option<JobProgress>,
}

/// How a job goes, as its agent said last. Counts are since the job was made; a worker that was killed may count a record again.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JobProgress {
    /// The version that runs.
    pub version: i32,
    /// Workers that run.
    pub workers: i32,
    /// Compute units that they hold.
    pub units: i32,
    /// Its place among those who wait for room in the pool, counted from 1.
    pub queue_place: Option<i32>,
    /// How often workers ended unasked.
    pub restarts: i64,
    /// Records that were read.
    pub records_in: i64,
    /// Records that were written.
    pub records_out: i64,
    /// Records that a filter left out.
    pub records_dropped: i64,
    /// Records that went to the dead-letter topic.
    pub records_dead: i64,
    /// Records that wait; null while nobody knows.
    pub lag: Option<i64>,
    /// Up to which event time everything was done.
    pub watermark_at: Option<DateTime<Utc>>,
    /// Since when it sleeps.
    pub suspended_at: Option<DateTime<Utc>>,
    /// Up to where it is done.
    pub offsets: Vec<JobOffset>,
    /// What went wrong, by class; texts stay in the data plane.
    pub failures: Vec<JobFailure>,
    /// When this was said.
    pub reported_at: DateTime<Utc>,
}

/// A place in a partition.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct JobOffset {
    /// The partition of the source.
    pub partition: i32,
    /// The next record that would be read.
    pub offset: i64,
}

/// How often something went wrong.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct JobFailure {
    /// A code, such as `CALL_TIMEOUT`. New ones may appear.
    pub code: String,
    /// The step, counted from 1; null when it was none of them.
    pub step: Option<i32>,
    /// How often.
    pub count: i64,
}

impl Resource for kind::Job {
    type Spec = JobSpec;
    type Status = JobStatus;
}

/// A row and what its agent said as an object.
pub fn view(row: Job, report: Option<&Report>, progress: Option<JobProgress>) -> Object<kind::Job> {
    let resource_name = row.resource_name();
    let Job {
        id,
        spec,
        environment_name: _,
        cluster_name: _,
        data_plane: _,
        version,
        restart_nonce: _,
        desired_n,
        deleted_at,
        labels,
        generation,
        created_at,
        updated_at,
    } = row;
    let metadata = Metadata {
        resource_name,
        created_at,
        updated_at,
        generation,
        labels,
    };
    let Standing {
        phase,
        reason,
        message,
    } = stand(desired_n, deleted_at.is_some(), report);
    let status = JobStatus {
        phase,
        reason,
        message,
        observed_generation: report.map(|it| it.observed_n),
        latest_version: version,
        parallelism: spec.scaling.parallelism(),
        progress,
    };
    Object::new(id, metadata, spec, status)
}

/// One version of a job.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = JobVersion)]
pub struct JobVersionView {
    /// Always `JobVersion`.
    kind: &'static str,
    /// Counted from 1.
    version: i32,
    /// What it does.
    program: JobProgram,
    /// Is what the version before remembered taken over?
    keeps_state: bool,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// By whom.
    created_by: String,
}

impl From<JobVersion> for JobVersionView {
    fn from(row: JobVersion) -> Self {
        let JobVersion {
            version,
            program,
            keeps_state,
            created_at,
            created_by,
        } = row;
        Self {
            kind: "JobVersion",
            version,
            program,
            keeps_state,
            created_at,
            created_by,
        }
    }
}

/// Versions, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobVersionList {
    /// Always `JobVersionList`.
    kind: &'static str,
    /// Where it goes on.
    metadata: ListMetadata,
    /// The versions.
    data: Vec<JobVersionView>,
}

impl JobVersionList {
    /// A page; `rows` hold one more than its size when another page follows.
    pub fn new(page: Page, rows: Vec<JobVersion>) -> Self {
        let (rows, next) = page.cut(rows, |it| place_of(it.version));
        Self {
            kind: "JobVersionList",
            metadata: ListMetadata {
                next_page_token: next.map(PageToken::encode),
            },
            data: rows.into_iter().map(JobVersionView::from).collect(),
        }
    }
}

/// Page tokens name ids; versions have numbers.
fn place_of(version: i32) -> Uuid {
    Uuid::from_u128(u128::from(version.unsigned_abs()))
}

/// The number below which a page of versions begins.
pub fn versions_before(page: Page) -> i32 {
    i32::try_from(page.before().as_u128()).unwrap_or(i32::MAX)
}

/// Which version is to run again.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobRollback {
    /// Its number.
    #[schema(minimum = 1)]
    pub version: i32,
}
