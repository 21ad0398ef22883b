//! How jobs go, up: the newest of each job, best effort; what was decided of their workers, each decision once; and what compute pools
//! used, each moment once.

mod decision;
mod store;
mod used;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;
use weir_proto::agent::v1::{JobFailure, JobFailureCode, JobOffset, JobProgress, JobReport};

use self::store::ProgressRow;
use crate::kernel::{DataPlaneId, Id, Result, kind};
use crate::runtime::{Db, Scope};

/// No count is higher: JSON numbers end there.
const COUNT_MOST: i64 = 1 << 52;
/// Of one job.
const OFFSETS_MOST: usize = 2_000;
const FAILURES_MOST: usize = 200;

/// Keeps a report. What it says of jobs that the data plane does not serve is ignored.
pub(super) async fn keep(db: &Db, data_plane: DataPlaneId, report: JobReport) -> Result<()> {
    let JobReport {
        jobs,
        decisions,
        compute,
    } = report;
    let (rows, decisions) = (read(jobs), decision::read(decisions));
    let uses = used::read(compute, Utc::now());
    if rows.is_empty() && decisions.is_empty() && uses.is_empty() {
        return Ok(());
    }
    let mut tx = db.begin(&Scope::DataPlane(data_plane)).await?;
    for row in &rows {
        store::keep(&mut tx, data_plane, row).await?;
    }
    for row in &decisions {
        store::keep_decision(&mut tx, data_plane, row).await?;
    }
    for row in &uses {
        store::keep_use(&mut tx, data_plane, row).await?;
    }
    tx.commit().await
}

/// One row for each job, so that each is written once.
fn read(jobs: Vec<JobProgress>) -> Vec<ProgressRow> {
    let rows: BTreeMap<Uuid, ProgressRow> = jobs
        .into_iter()
        .filter_map(row)
        .map(|row| (row.job, row))
        .collect();
    rows.into_values().collect()
}

fn row(told: JobProgress) -> Option<ProgressRow> {
    let JobProgress {
        job_id,
        version,
        workers,
        units,
        queue_place,
        restarts,
        records_in,
        records_out,
        records_dropped,
        records_dead,
        lag_records,
        watermark_unix_ms,
        suspended_at_unix_ms,
        offsets,
        failures,
    } = told;
    Some(ProgressRow {
        job: job_id.parse().map(Id::<kind::Job>::uuid).ok()?,
        version: small(version),
        workers: small(workers),
        units: small(units),
        queue_place: (queue_place > 0).then(|| small(queue_place)),
        restarts: bounded(restarts),
        records_in: bounded(records_in),
        records_out: bounded(records_out),
        records_dropped: bounded(records_dropped),
        records_dead: bounded(records_dead),
        lag: (lag_records >= 0).then(|| lag_records.min(COUNT_MOST)),
        watermark_at: moment(watermark_unix_ms),
        suspended_at: moment(suspended_at_unix_ms),
        offsets: offsets.into_iter().take(OFFSETS_MOST).map(offset).collect(),
        failures: failures
            .into_iter()
            .take(FAILURES_MOST)
            .filter_map(failure)
            .collect(),
    })
}

fn offset(told: JobOffset) -> Value {
    let JobOffset { partition, offset } = told;
    json!({"partition": small(partition), "offset": offset.clamp(0, COUNT_MOST)})
}

fn failure(told: JobFailure) -> Option<Value> {
    let JobFailure { code, step, count } = told;
    let code = JobFailureCode::try_from(code)
        .ok()
        .filter(|it| *it != JobFailureCode::Unspecified)?;
    let code = code.as_str_name().trim_start_matches("JOB_FAILURE_CODE_");
    let step = (step > 0).then(|| small(step));
    Some(json!({"code": code, "step": step, "count": bounded(count)}))
}

fn small(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn bounded(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(COUNT_MOST).min(COUNT_MOST)
}

fn moment(unix_ms: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(unix_ms).filter(|_| unix_ms > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_once_and_bounded() {
        let progress = |job: u128, records_in, lag_records| JobProgress {
            job_id: Id::<kind::Job>::from_uuid(Uuid::from_u128(job)).to_string(),
            records_in,
            lag_records,
            failures: vec![
                JobFailure {
                    code: JobFailureCode::CallTimeout.into(),
                    step: 2,
                    count: u64::MAX,
                },
                JobFailure {
                    code: 99,
                    step: 1,
                    count: 1,
                },
            ],
            ..JobProgress::default()
        };
        let nonsense = JobProgress {
            job_id: "job_?".to_owned(),
            ..JobProgress::default()
        };
        let rows = read(vec![progress(1, 3, 5), progress(1, u64::MAX, -1), nonsense]);
        assert_eq!(rows.len(), 1);
        assert_eq!(
            (rows[0].records_in, rows[0].lag, rows[0].queue_place),
            (COUNT_MOST, None, None)
        );
        let told = json!([{"code": "CALL_TIMEOUT", "step": 2, "count": COUNT_MOST}]);
        assert_eq!(Value::Array(rows[0].failures.clone()), told);
    }
}
