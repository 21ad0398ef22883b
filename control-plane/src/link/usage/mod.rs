//! Usage up: windows counted exactly once, by their key, however often they are delivered.

pub(super) mod store;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use uuid::Uuid;
use weir_proto::agent::v1::{Direction, UsageRow, UsageWindow, WindowKey};

use self::store::{Count, HourRow, Key, Owner, WindowRow};
use crate::kernel::{DataPlaneId, Id, Result, kind};
use crate::runtime::{Db, Scope};

/// A window is a minute or so; one that claims more is an error of the agent's clock.
const WINDOW_MAX: TimeDelta = TimeDelta::hours(24);
/// No agent counts so much in a window: 2^44 bytes, 17 terabytes.
const COUNT_MAX: u64 = 1 << 44;
const GATEWAY_ID_LENGTH_MAX: usize = 128;

/// What became of windows.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Counted {
    /// The agent need not send these again: they are counted, were counted before, or never can be.
    pub(super) acknowledged: Vec<WindowKey>,
    /// Rows of clusters that this data plane never served, or that make no sense.
    pub(super) ignored: usize,
    /// Windows that were new.
    pub(super) fresh: usize,
}

/// Counts the windows that were not counted before, all in one transaction.
pub(super) async fn count(
    db: &Db,
    data_plane: DataPlaneId,
    windows: Vec<UsageWindow>,
    now: DateTime<Utc>,
) -> Result<Counted> {
    let mut counted = Counted::default();
    let mut readable = Vec::with_capacity(windows.len());
    for window in windows {
        let key = WindowKey {
            gateway_id: window.gateway_id.clone(),
            boot: window.boot,
            sequence: window.sequence,
        };
        match read(window, now) {
            Some(read) => readable.push(read),
            None => counted.ignored += 1,
        }
        counted.acknowledged.push(key);
    }
    let mut tx = db.begin(&Scope::DataPlane(data_plane)).await?;
    let owners: BTreeMap<Uuid, Owner> = store::owners(&mut tx, data_plane).await?;
    let windows: Vec<&WindowRow> = readable.iter().map(|(window, _)| window).collect();
    let mut fresh: BTreeSet<Key> = store::first_time(&mut tx, data_plane, &windows).await?;
    let mut counts = Vec::new();
    for (window, rows) in &readable {
        // A key that stands twice in one report counts once as well.
        if !fresh.remove(&window.key()) {
            continue;
        }
        counted.fresh += 1;
        let known = rows
            .iter()
            .filter_map(|row| owners.get(&row.cluster).map(|owner| Count { window, owner, row }));
        let before = counts.len();
        counts.extend(known);
        counted.ignored += rows.len() - (counts.len() - before);
    }
    store::add(&mut tx, data_plane, &counts).await?;
    tx.commit().await?;
    Ok(counted)
}

/// A window and its rows; rows that make no sense are left out, a window that makes none is `None`.
fn read(window: UsageWindow, now: DateTime<Utc>) -> Option<(WindowRow, Vec<HourRow>)> {
    let UsageWindow {
        gateway_id,
        boot,
        sequence,
        started_at_unix_ms,
        ended_at_unix_ms,
        rows,
    } = window;
    let started_at = DateTime::from_timestamp_millis(started_at_unix_ms)?;
    let ended_at = DateTime::from_timestamp_millis(ended_at_unix_ms)?;
    let plausible = started_at <= ended_at
        && ended_at - started_at <= WINDOW_MAX
        && ended_at <= now + WINDOW_MAX
        && (1..=GATEWAY_ID_LENGTH_MAX).contains(&gateway_id.len())
        && gateway_id.bytes().all(|byte| byte.is_ascii_graphic());
    if !plausible {
        return None;
    }
    // A window belongs to the hour in which it began.
    let hour = started_at.duration_trunc(TimeDelta::hours(1)).ok()?;
    // Rows of one key are added up, so that each key is written once.
    let mut merged: BTreeMap<RowKey, Counts> = BTreeMap::new();
    for row in rows {
        let Some((key, counts)) = read_row(row) else {
            continue;
        };
        let sum = merged.entry(key).or_default();
        *sum = (
            sum.0.saturating_add(counts.0),
            sum.1.saturating_add(counts.1),
            sum.2.saturating_add(counts.2),
        );
    }
    let rows =
        merged.into_iter().map(
            |((cluster, topic, principal, direction, uncertain), counts)| HourRow {
                cluster,
                topic,
                principal,
                direction,
                uncertain,
                bytes: counts.0.min(COUNT_MAX).cast_signed(),
                records: counts.1.min(COUNT_MAX).cast_signed(),
                requests: counts.2.min(COUNT_MAX).cast_signed(),
            },
        );
    let rows = rows.collect();
    let window = WindowRow {
        gateway_id,
        boot: boot.cast_signed(),
        sequence: sequence.cast_signed(),
        started_at,
        ended_at,
        hour,
    };
    Some((window, rows))
}

/// Cluster, topic, principal, direction, uncertain.
type RowKey = (Uuid, Uuid, Uuid, &'static str, bool);
/// Bytes, records, requests.
type Counts = (u64, u64, u64);

fn read_row(row: UsageRow) -> Option<(RowKey, Counts)> {
    let direction = match row.direction() {
        Direction::Produce => "PRODUCE",
        Direction::Fetch => "FETCH",
        Direction::Unspecified => return None,
    };
    let UsageRow {
        cluster_id,
        topic_id,
        principal_id,
        direction: _,
        bytes,
        records,
        requests,
        uncertain,
    } = row;
    if bytes.max(records).max(requests) > COUNT_MAX {
        return None;
    }
    let cluster: Id<kind::Cluster> = cluster_id.parse().ok()?;
    let topic: Id<kind::Topic> = topic_id.parse().ok()?;
    let principal: Id<kind::ServiceAccount> = principal_id.parse().ok()?;
    let key = (
        cluster.uuid(),
        topic.uuid(),
        principal.uuid(),
        direction,
        uncertain,
    );
    Some((key, (bytes, records, requests)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cluster: &str, bytes: u64) -> UsageRow {
        UsageRow {
            cluster_id: cluster.to_owned(),
            topic_id: Id::<kind::Topic>::from_uuid(Uuid::from_u128(2)).to_string(),
            principal_id: Id::<kind::ServiceAccount>::from_uuid(Uuid::from_u128(3)).to_string(),
            direction: Direction::Produce.into(),
            bytes,
            records: 1,
            requests: 1,
            uncertain: false,
        }
    }

    fn window(rows: Vec<UsageRow>) -> UsageWindow {
        UsageWindow {
            gateway_id: "gw-1".to_owned(),
            boot: u64::MAX,
            sequence: 9,
            started_at_unix_ms: 1_790_003_599_000,
            ended_at_unix_ms: 1_790_003_659_000,
            rows,
        }
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_003_700, 0).unwrap()
    }

    #[test]
    fn rows_of_one_key_are_added_and_senseless_ones_left_out() {
        let cluster = Id::<kind::Cluster>::from_uuid(Uuid::from_u128(1)).to_string();
        let rows = vec![
            row(&cluster, 5),
            row(&cluster, 7),
            UsageRow {
                uncertain: true,
                ..row(&cluster, 100)
            },
            UsageRow {
                direction: 0,
                ..row(&cluster, 1)
            },
            row("cluster_?", 1),
            row(&cluster, u64::MAX),
        ];
        let (read, rows) = read(window(rows), now()).unwrap();
        assert_eq!((read.boot, read.sequence), (-1, 9));
        assert_eq!(read.hour, DateTime::from_timestamp(1_790_002_800, 0).unwrap());
        let counts: Vec<_> = rows
            .iter()
            .map(|row| (row.bytes, row.records, row.uncertain))
            .collect();
        assert_eq!(counts, [(12, 2, false), (100, 1, true)]);
    }

    #[test]
    fn impossible_windows_are_none() {
        let good = window(Vec::new());
        assert!(read(good.clone(), now()).is_some());
        for bad in [
            UsageWindow {
                gateway_id: String::new(),
                ..good.clone()
            },
            UsageWindow {
                gateway_id: "a b".to_owned(),
                ..good.clone()
            },
            UsageWindow {
                ended_at_unix_ms: good.started_at_unix_ms - 1,
                ..good.clone()
            },
            UsageWindow {
                ended_at_unix_ms: good.started_at_unix_ms + 90_000_000,
                ..good.clone()
            },
            UsageWindow {
                started_at_unix_ms: i64::MAX,
                ended_at_unix_ms: i64::MAX,
                ..good.clone()
            },
        ] {
            assert!(read(bad, now()).is_none());
        }
    }
}
