//! Use of quotas up: counts of a few seconds, for people who look. Best effort; a report that is lost is lost.

mod store;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;
use weir_proto::agent::v1::{QuotaReport, QuotaUse, StorageLevel};

use self::store::{StorageRow, UseRow};
use crate::kernel::{DataPlaneId, Id, Result, ServiceAccountId, kind};
use crate::runtime::{Db, Scope};

/// How long reports are kept.
const KEPT: TimeDelta = TimeDelta::hours(1);
/// A report that claims to be of another time than now is of a wrong clock: it is taken as of now.
const CLOCK_WRONG: TimeDelta = TimeDelta::minutes(2);
/// What a report may cover.
const PERIOD_MAX: TimeDelta = TimeDelta::minutes(10);
/// No gateway counts so much in a report.
const COUNT_MAX: u64 = 1 << 44;
/// No cluster holds so much: JSON numbers end there.
const STORAGE_MAX: u64 = 1 << 52;

/// Keeps a report. What it says of quotas that the data plane does not serve is ignored.
pub(super) async fn keep(
    db: &Db,
    data_plane: DataPlaneId,
    report: QuotaReport,
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(Told {
        started_at,
        ended_at,
        rows,
        storage,
    }) = read(report, now)
    else {
        return Ok(());
    };
    if rows.is_empty() && storage.is_empty() {
        return Ok(());
    }
    let mut tx = db.begin(&Scope::DataPlane(data_plane)).await?;
    store::add(&mut tx, data_plane, started_at, ended_at, &rows).await?;
    store::measure(&mut tx, data_plane, &storage).await?;
    store::forget(&mut tx, data_plane, now - KEPT).await?;
    tx.commit().await
}

/// A report that could be read.
struct Told {
    started_at: DateTime<Utc>,
    ended_at: DateTime<Utc>,
    rows: Vec<UseRow>,
    storage: Vec<StorageRow>,
}

fn read(report: QuotaReport, now: DateTime<Utc>) -> Option<Told> {
    let QuotaReport {
        started_at_unix_ms,
        ended_at_unix_ms,
        uses,
        levels,
    } = report;
    let started_at = DateTime::from_timestamp_millis(started_at_unix_ms)?;
    let ended_at = DateTime::from_timestamp_millis(ended_at_unix_ms)?;
    let period = ended_at.signed_duration_since(started_at);
    if period <= TimeDelta::zero() || period > PERIOD_MAX {
        return None;
    }
    let ended_at = ours(ended_at, now);
    // One row for each key, so that each is written once.
    let rows: BTreeMap<(Uuid, Uuid), UseRow> = uses
        .into_iter()
        .filter_map(row)
        .map(|row| ((row.quota, row.principal), row))
        .collect();
    let storage: BTreeMap<Uuid, StorageRow> = levels
        .into_iter()
        .filter_map(|it| level(it, now))
        .map(|row| (row.quota, row))
        .collect();
    Some(Told {
        started_at: ended_at - period,
        ended_at,
        rows: rows.into_values().collect(),
        storage: storage.into_values().collect(),
    })
}

/// A moment by our clock.
fn ours(told: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    if (now - told).abs() > CLOCK_WRONG {
        now
    } else {
        told
    }
}

fn level(told: StorageLevel, now: DateTime<Utc>) -> Option<StorageRow> {
    let StorageLevel {
        quota_id,
        bytes,
        measured_at_unix_ms,
    } = told;
    Some(StorageRow {
        quota: quota_id.parse().map(Id::<kind::Quota>::uuid).ok()?,
        bytes: bytes.min(STORAGE_MAX).cast_signed(),
        measured_at: ours(DateTime::from_timestamp_millis(measured_at_unix_ms)?, now),
    })
}

fn row(told: QuotaUse) -> Option<UseRow> {
    let QuotaUse {
        quota_id,
        principal_id,
        ingress_bytes,
        egress_bytes,
        requests,
        throttled_ms,
        would_throttle_ms,
        connections,
        connections_refused,
        partition_mutations,
        mutations_refused,
        storage_refused,
    } = told;
    let count = |told: u64| told.min(COUNT_MAX).cast_signed();
    Some(UseRow {
        quota: quota_id.parse().map(Id::<kind::Quota>::uuid).ok()?,
        principal: principal_id.parse().map(ServiceAccountId::uuid).ok()?,
        ingress_bytes: count(ingress_bytes),
        egress_bytes: count(egress_bytes),
        requests: count(requests),
        throttled_ms: count(throttled_ms),
        would_throttle_ms: count(would_throttle_ms),
        connections: count(connections),
        connections_refused: count(connections_refused),
        partition_mutations: count(partition_mutations),
        mutations_refused: count(mutations_refused),
        storage_refused: count(storage_refused),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(started: i64, ended: i64) -> QuotaReport {
        let told = QuotaUse {
            quota_id: Id::<kind::Quota>::from_uuid(Uuid::from_u128(1)).to_string(),
            principal_id: ServiceAccountId::from_uuid(Uuid::from_u128(2)).to_string(),
            ingress_bytes: u64::MAX,
            ..QuotaUse::default()
        };
        let nonsense = QuotaUse {
            quota_id: "quota_?".into(),
            ..told.clone()
        };
        QuotaReport {
            started_at_unix_ms: started,
            ended_at_unix_ms: ended,
            uses: vec![told.clone(), nonsense, told],
            levels: vec![StorageLevel {
                quota_id: Id::<kind::Quota>::from_uuid(Uuid::from_u128(1)).to_string(),
                bytes: u64::MAX,
                measured_at_unix_ms: 0,
            }],
        }
    }

    #[test]
    fn a_report_is_read_once_bounded_and_by_our_clock() {
        let now = DateTime::from_timestamp_millis(1_790_000_010_000).unwrap();
        let told = read(report(1_790_000_000_000, 1_790_000_005_000), now).unwrap();
        assert_eq!(told.ended_at - told.started_at, TimeDelta::seconds(5));
        assert_eq!(told.rows.len(), 1);
        assert_eq!(told.rows[0].ingress_bytes, COUNT_MAX.cast_signed());
        assert_eq!(told.storage[0].bytes, STORAGE_MAX.cast_signed());
        assert_eq!(told.storage[0].measured_at, now, "a wrong clock");
        let told = read(report(1_000, 6_000), now).unwrap();
        assert_eq!(
            (told.started_at, told.ended_at),
            (now - TimeDelta::seconds(5), now)
        );
        assert!(read(report(6_000, 6_000), now).is_none());
        assert!(read(report(0, 86_400_000), now).is_none());
    }
}
