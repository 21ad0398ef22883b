//! What agents say that compute pools used: sums that only grow, by pool, month and counter. The larger of two counts, so what is told
//! twice counts once, and what comes late takes nothing back.

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;
use weir_proto::agent::v1::ComputeUse;

use super::COUNT_MOST;
use crate::kernel::{Id, kind};

/// Agents remember the month before; clocks differ.
const LATE: TimeDelta = TimeDelta::days(62);
const EARLY: TimeDelta = TimeDelta::days(1);

/// A sum.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UseRow {
    pub(super) pool: Uuid,
    pub(super) counter: Uuid,
    pub(super) month: NaiveDate,
    pub(super) unit_ms: i64,
}

/// What can be read of it, at this moment.
pub(super) fn read(told: Vec<ComputeUse>, now: DateTime<Utc>) -> Vec<UseRow> {
    told.into_iter().filter_map(|it| row(it, now)).collect()
}

fn row(told: ComputeUse, now: DateTime<Utc>) -> Option<UseRow> {
    let ComputeUse {
        compute_pool_id,
        counter_id,
        month,
        unit_ms,
    } = told;
    let first = |at: DateTime<Utc>| at.date_naive().with_day(1);
    let month = NaiveDate::from_ymd_opt(i32::try_from(month / 100).ok()?, month % 100, 1)?;
    if month < first(now - LATE)? || month > first(now + EARLY)? {
        return None;
    }
    Some(UseRow {
        pool: compute_pool_id.parse().map(Id::<kind::ComputePool>::uuid).ok()?,
        counter: Uuid::try_parse(&counter_id).ok()?,
        month,
        unit_ms: i64::try_from(unit_ms).unwrap_or(COUNT_MOST).min(COUNT_MOST),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_read_of_months_that_can_be() {
        let now = "2026-11-30T12:00:00Z".parse().expect("a moment");
        let told = |month, counter: &str, unit_ms| ComputeUse {
            compute_pool_id: Id::<kind::ComputePool>::from_uuid(Uuid::from_u128(1)).to_string(),
            counter_id: counter.to_owned(),
            month,
            unit_ms,
        };
        let counter = "00000000000000000000000000000007";
        let months = [202_608, 202_609, 202_610, 202_611, 202_612, 202_701, 202_613, 0];
        let read: Vec<(u32, i64)> = months
            .into_iter()
            .flat_map(|month| read(vec![told(month, counter, u64::MAX)], now))
            .map(|it| (it.month.month(), it.unit_ms))
            .collect();
        let most = COUNT_MOST;
        assert_eq!(
            read,
            [(9, most), (10, most), (11, most), (12, most)],
            "clocks differ"
        );
        assert_eq!(row(told(202_611, "x", 1), now), None);
        let stranger = ComputeUse {
            compute_pool_id: "job_1".to_owned(),
            ..told(202_611, counter, 1)
        };
        assert_eq!(row(stranger, now), None);
    }
}
