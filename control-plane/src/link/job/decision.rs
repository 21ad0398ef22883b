//! What agents decided of jobs' workers, as it is kept.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;
use weir_proto::agent::v1::{JobDecision, JobDecisionOutcome, JobDecisionReason, JobDecisionTerms};

use super::{COUNT_MOST, moment, small};
use crate::kernel::{Id, kind};

const ALSO_MAX: usize = 20;

/// One decision.
#[derive(Debug)]
pub(super) struct DecisionRow {
    pub(super) job: Uuid,
    pub(super) at: DateTime<Utc>,
    pub(super) outcome: String,
    pub(super) reason: String,
    pub(super) also: Vec<String>,
    pub(super) workers: i32,
    pub(super) workers_wanted: i32,
    pub(super) workers_given: i32,
    pub(super) lag: Option<i64>,
    pub(super) terms: Option<Value>,
}

/// One row for each decision, so that each is written once.
pub(super) fn read(told: Vec<JobDecision>) -> Vec<DecisionRow> {
    let rows: BTreeMap<(Uuid, DateTime<Utc>), DecisionRow> = told
        .into_iter()
        .filter_map(row)
        .map(|row| ((row.job, row.at), row))
        .collect();
    rows.into_values().collect()
}

fn row(told: JobDecision) -> Option<DecisionRow> {
    let JobDecision {
        job_id,
        at_unix_ms,
        outcome,
        reason,
        also,
        workers,
        workers_wanted,
        workers_given,
        lag_records,
        terms,
    } = told;
    let outcome = JobDecisionOutcome::try_from(outcome)
        .ok()
        .filter(|it| *it != JobDecisionOutcome::Unspecified)?;
    let also = also.into_iter().take(ALSO_MAX);
    Some(DecisionRow {
        job: job_id.parse().map(Id::<kind::Job>::uuid).ok()?,
        at: moment(at_unix_ms)?,
        outcome: word(outcome.as_str_name(), "JOB_DECISION_OUTCOME_"),
        reason: named(reason)?,
        also: also.filter_map(named).collect(),
        workers: small(workers),
        workers_wanted: small(workers_wanted),
        workers_given: small(workers_given),
        lag: (lag_records >= 0).then(|| lag_records.min(COUNT_MOST)),
        terms: terms.map(terms_of),
    })
}

fn word(name: &str, before: &str) -> String {
    name.trim_start_matches(before).to_owned()
}

/// A reason of a newer agent is none that could be told.
fn named(reason: i32) -> Option<String> {
    let reason = JobDecisionReason::try_from(reason)
        .ok()
        .filter(|it| *it != JobDecisionReason::Unspecified)?;
    Some(word(reason.as_str_name(), "JOB_DECISION_REASON_"))
}

fn terms_of(told: JobDecisionTerms) -> Value {
    let JobDecisionTerms {
        input_rate_milli,
        arrival_rate_milli,
        busy_milli,
        busy_mean_milli,
        true_rate_milli,
        true_rate_seen,
        target_lag_milli,
        target_restart_milli,
        target_input_milli,
        target_milli,
        band_low_milli,
        band_high_milli,
        contention_milli,
        skew_milli,
        lag_ms,
        workers_computed,
        workers_fitted,
        workers_largest,
        window_ms,
        samples,
        restart_time_ms,
        scale_down_interval_ms,
        backlog,
        draining,
    } = told;
    let some = |count: u32| (count > 0).then(|| small(count));
    json!({
        "input_rate": thousandths(input_rate_milli),
        "arrival_rate": thousandths(arrival_rate_milli),
        "busy": thousandths(busy_milli),
        "busy_mean": thousandths(busy_mean_milli),
        "true_rate": thousandths(true_rate_milli),
        "true_rate_seen": true_rate_seen,
        "target_lag": thousandths(target_lag_milli),
        "target_restart": thousandths(target_restart_milli),
        "target_input": thousandths(target_input_milli),
        "target": thousandths(target_milli),
        "band_low": thousandths(band_low_milli),
        "band_high": thousandths(band_high_milli),
        "contention": thousandths(contention_milli),
        "skew": thousandths(skew_milli),
        "lag_ms": (lag_ms >= 0).then(|| lag_ms.min(COUNT_MOST)),
        "workers_computed": some(workers_computed),
        "workers_fitted": small(workers_fitted),
        "workers_largest": some(workers_largest),
        "window_ms": small(window_ms),
        "samples": small(samples),
        "restart_time_ms": small(restart_time_ms),
        "scale_down_interval_ms": small(scale_down_interval_ms),
        "backlog": backlog,
        "draining": draining,
    })
}

/// Of a number that is told in thousandths; below zero it is unknown.
fn thousandths(told: i64) -> Option<f64> {
    // No count is higher than what a double holds.
    let known = |it: i64| it.min(COUNT_MOST) as f64 / 1000.0;
    (told >= 0).then(|| known(told))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_read_once_in_the_words_of_the_api() {
        let decision = |job: u128, at_unix_ms, reason: i32| JobDecision {
            job_id: Id::<kind::Job>::from_uuid(Uuid::from_u128(job)).to_string(),
            at_unix_ms,
            outcome: JobDecisionOutcome::Scale.into(),
            reason,
            also: vec![JobDecisionReason::PoolExhausted.into(), 99],
            workers_given: u32::MAX,
            lag_records: -1,
            terms: Some(JobDecisionTerms {
                busy_milli: 987,
                skew_milli: -1,
                ..JobDecisionTerms::default()
            }),
            ..JobDecision::default()
        };
        let reason = JobDecisionReason::UnderCapacity.into();
        let told = vec![
            decision(1, 5, reason),
            decision(1, 5, reason),
            decision(1, 0, reason),
            decision(1, 6, 99),
        ];
        let rows = read(told);
        assert_eq!(
            rows.len(),
            1,
            "without a time or a reason that is known it is none"
        );
        let row = &rows[0];
        assert_eq!(
            (row.outcome.as_str(), row.reason.as_str()),
            ("SCALE", "UNDER_CAPACITY")
        );
        assert_eq!(row.also, ["POOL_EXHAUSTED"]);
        assert_eq!((row.workers_given, row.lag), (i32::MAX, None));
        let terms = row.terms.as_ref().expect("terms");
        assert_eq!((&terms["busy"], &terms["skew"]), (&json!(0.987), &Value::Null));
    }
}
