//! What was decided of a job's workers; written by link/job alone.

mod store;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::{Page, PageToken};
use crate::rest::ListMetadata;

pub use store::list;

/// A decision about a job's workers, with all that led to it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JobScalingDecision {
    /// Always `JobScalingDecision`.
    kind: &'static str,
    /// When the agent decided.
    at: DateTime<Utc>,
    /// `HOLD`, `SCALE`, `SUSPEND` or `WAKE`. New ones may appear.
    outcome: String,
    /// Why, a code. New ones may appear.
    reason: String,
    /// What else was in the way.
    also: Vec<String>,
    /// Workers that there were.
    workers: i32,
    /// Workers that the formula asked for.
    workers_wanted: i32,
    /// Workers that there are to be.
    workers_given: i32,
    /// Records that waited; null when nobody knew.
    lag: Option<i64>,
    /// The terms of the formula; falling asleep and waking have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    terms: Option<JobScalingTerms>,
}

/// The terms of the formula. Rates are records per second, shares 0 to 1; null: not known.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct JobScalingTerms {
    /// Records taken in.
    input_rate: Option<f64>,
    /// Records that arrived: what was read and what the lag grew by.
    arrival_rate: Option<f64>,
    /// Busy share of the busiest worker.
    busy: Option<f64>,
    /// Busy share of the mean worker.
    busy_mean: Option<f64>,
    /// What the workers could do if they were always busy.
    true_rate: Option<f64>,
    /// That was seen while they were behind, not computed from busy time.
    true_rate_seen: bool,
    /// To work the backlog off.
    target_lag: Option<f64>,
    /// To make good for a change.
    target_restart: Option<f64>,
    /// To keep up, as busy as they should be.
    target_input: Option<f64>,
    /// The sum of the three: what the workers should be able to do.
    target: Option<f64>,
    /// Below this true rate there were too few.
    band_low: Option<f64>,
    /// Above this true rate there were too many.
    band_high: Option<f64>,
    /// Learned loss for each further worker.
    contention: Option<f64>,
    /// Records of the worker with most of them, over its fair share.
    skew: Option<f64>,
    /// The lag in milliseconds of input.
    lag_ms: Option<i64>,
    /// Workers by the formula alone; null: no number is enough.
    workers_computed: Option<i32>,
    /// Workers within every bound, fitted to partitions.
    workers_fitted: i32,
    /// The most that any evaluation of the interval found right; null: not watched for so long.
    workers_largest: Option<i32>,
    /// Length of the window that the rates are of.
    window_ms: i32,
    /// Samples in it.
    samples: i32,
    /// How long a change was reckoned to take.
    restart_time_ms: i32,
    /// How long needless workers are kept.
    scale_down_interval_ms: i32,
    /// The job was further behind than counts as a backlog.
    backlog: bool,
    /// The job was behind: nothing is taken away.
    draining: bool,
}

/// Decisions, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobScalingDecisionList {
    /// Always `JobScalingDecisionList`.
    kind: &'static str,
    /// Where it goes on.
    metadata: ListMetadata,
    /// The decisions.
    data: Vec<JobScalingDecision>,
}

impl JobScalingDecisionList {
    /// A page; `rows` hold one more than its size when another page follows.
    pub fn new(page: Page, rows: Vec<JobScalingDecision>) -> Self {
        let (rows, next) = page.cut(rows, |it| place_of(it.at));
        Self {
            kind: "JobScalingDecisionList",
            metadata: ListMetadata {
                next_page_token: next.map(PageToken::encode),
            },
            data: rows,
        }
    }
}

/// Page tokens name ids; decisions have a moment.
fn place_of(at: DateTime<Utc>) -> Uuid {
    Uuid::from_u128(u128::from(at.timestamp_millis().unsigned_abs()))
}

/// The moment before which a page of decisions begins.
pub fn before(page: Page) -> DateTime<Utc> {
    let ms = i64::try_from(page.before().as_u128()).ok();
    ms.and_then(DateTime::from_timestamp_millis)
        .unwrap_or_else(|| Utc::now() + chrono::Duration::days(365))
}
