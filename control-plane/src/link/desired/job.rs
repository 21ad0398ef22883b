//! Rows of compute pools and jobs as the agent is told of them.

use chrono::NaiveDate;
use serde_json::Value;
use uuid::Uuid;
use weir_proto::agent::v1::{
    self as wire, ActionEncoding, ActionProgram, ActionSink, ComputePool, Job, JobState, SqlProgram,
};

use super::build::{count, type_id};
use super::sql::sql;
use crate::kernel::{TenantId, kind};
use crate::resources::compute_pool::ends_at;
use crate::resources::job::{
    AutoSuspend, JobEncoding, JobExcludedPeriod, JobNullValues, JobProgram, JobScaling, JobScalingMode,
    JobScalingPolicy, JobSink, JobSource, JobStart,
};
use crate::resources::topic::TopicId;

#[derive(Debug)]
pub(in crate::link) struct ComputePoolRow {
    pub(in crate::link) id: Uuid,
    pub(in crate::link) tenant_id: Uuid,
    pub(in crate::link) name: String,
    pub(in crate::link) max_units: i32,
    /// The month whose budget is used up, by its first day.
    pub(in crate::link) exhausted: Option<NaiveDate>,
    pub(in crate::link) deleted: bool,
}

#[derive(Debug)]
pub(in crate::link) struct JobRow {
    pub(in crate::link) id: Uuid,
    pub(in crate::link) cluster_id: Uuid,
    pub(in crate::link) compute_pool_id: Uuid,
    pub(in crate::link) service_account_id: Uuid,
    pub(in crate::link) name: String,
    pub(in crate::link) version: i32,
    pub(in crate::link) keeps_state: bool,
    pub(in crate::link) program: JobProgram,
    pub(in crate::link) desired_state: String,
    pub(in crate::link) auto_suspend: Option<AutoSuspend>,
    pub(in crate::link) scaling: JobScaling,
    pub(in crate::link) priority: i32,
    pub(in crate::link) restart_nonce: i64,
    pub(in crate::link) deleted: bool,
}

pub(super) fn compute_pool(row: ComputePoolRow) -> ComputePool {
    let ComputePoolRow {
        id,
        tenant_id,
        name,
        max_units,
        exhausted,
        deleted,
    } = row;
    ComputePool {
        id: type_id::<kind::ComputePool>(id),
        tenant_id: TenantId::from_uuid(tenant_id).to_string(),
        name,
        max_units: count(max_units),
        deleted,
        budget_exhausted_until_unix_ms: exhausted.map_or(0, |month| ends_at(month).timestamp_millis()),
    }
}

pub(super) fn job(row: JobRow) -> Job {
    let JobRow {
        id,
        cluster_id,
        compute_pool_id,
        service_account_id,
        name,
        version,
        keeps_state,
        program,
        desired_state,
        auto_suspend,
        scaling,
        priority,
        restart_nonce,
        deleted,
    } = row;
    let state = match desired_state.as_str() {
        "STOPPED" => JobState::Stopped,
        "AUTO_SUSPEND" => JobState::AutoSuspend,
        _ => JobState::Running,
    };
    let JobScaling {
        min_workers,
        max_workers,
        policy,
    } = scaling;
    let suspension = auto_suspend.map(|it| wire::JobSuspension {
        idle_after_seconds: count(it.idle_after_seconds),
        wake_lag_records: u64::try_from(it.wake_lag_records).unwrap_or(1),
        wake_within_seconds: count(it.wake_within_seconds),
    });
    let (action, sql) = told(program);
    Job {
        id: type_id::<kind::Job>(id),
        cluster_id: type_id::<kind::Cluster>(cluster_id),
        name,
        compute_pool_id: type_id::<kind::ComputePool>(compute_pool_id),
        principal_id: type_id::<kind::ServiceAccount>(service_account_id),
        version: count(version),
        keeps_state,
        state: state.into(),
        suspension,
        scaling: Some(wire::JobScaling {
            min_workers: count(min_workers),
            max_workers: count(max_workers),
            policy: policy.map(scaling_policy),
        }),
        priority: count(priority),
        restart_nonce: u64::try_from(restart_nonce).unwrap_or(0),
        action,
        deleted,
        sql,
    }
}

fn scaling_policy(policy: JobScalingPolicy) -> wire::JobScalingPolicy {
    let JobScalingPolicy {
        mode,
        utilization_target,
        utilization_boundary,
        catch_up_duration_ms,
        stabilization_interval_ms,
        scale_down_interval_ms,
        scale_up_max_factor,
        scale_down_max_factor,
        excluded_periods,
    } = policy;
    let mode = mode.map_or(wire::JobScalingMode::Unspecified, |it| match it {
        JobScalingMode::Active => wire::JobScalingMode::Active,
        JobScalingMode::Monitoring => wire::JobScalingMode::Monitoring,
    });
    let periods = excluded_periods.unwrap_or_default().into_iter().map(
        |JobExcludedPeriod {
             days,
             from_minute,
             to_minute,
         }| wire::JobExcludedPeriod {
            days: days.into_iter().map(u32::from).collect(),
            from_minute: u32::from(from_minute),
            to_minute: u32::from(to_minute),
        },
    );
    wire::JobScalingPolicy {
        mode: mode.into(),
        utilization_target,
        utilization_boundary,
        catch_up_duration_ms,
        stabilization_interval_ms,
        scale_down_interval_ms,
        scale_up_max_factor,
        scale_down_max_factor,
        excluded_periods: periods.collect(),
    }
}

fn told(program: JobProgram) -> (Option<ActionProgram>, Option<SqlProgram>) {
    match program {
        JobProgram::Action {
            source,
            steps,
            sinks,
            dead_letter,
            null_values,
        } => (
            Some(action(&source, steps, sinks, dead_letter, null_values)),
            None,
        ),
        JobProgram::Sql {
            statement,
            sources,
            sinks,
            state: _,
        } => (None, Some(sql(statement, sources, sinks))),
    }
}

fn action(
    source: &JobSource,
    steps: Vec<Value>,
    sinks: Vec<JobSink>,
    dead_letter: Option<TopicId>,
    null_values: JobNullValues,
) -> ActionProgram {
    let sinks = sinks.into_iter().map(
        |JobSink {
             name,
             topic,
             encoding,
         }| ActionSink {
            name,
            topic_id: topic.to_string(),
            encoding: self::encoding(encoding).into(),
        },
    );
    ActionProgram {
        source_topic_id: source.topic.to_string(),
        from_latest: source.start == JobStart::Latest,
        steps_json: Value::Array(steps).to_string(),
        sinks: sinks.collect(),
        dead_letter_topic_id: dead_letter.map(|it| it.to_string()).unwrap_or_default(),
        drops_null_values: null_values == JobNullValues::Drop,
    }
}

const fn encoding(encoding: JobEncoding) -> ActionEncoding {
    match encoding {
        JobEncoding::Keep => ActionEncoding::Keep,
        JobEncoding::Json => ActionEncoding::Json,
        JobEncoding::Contract => ActionEncoding::Contract,
    }
}
