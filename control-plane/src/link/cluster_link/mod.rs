//! Cluster links, up: how each end goes, and of the target each topic; the newest, best effort. What one data plane says of itself and another has
//! to know moves the other on: its key, and where its clusters are reached.

mod store;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;
use weir_proto::agent::v1::{
    ClusterLinkEnd, ClusterLinkReport, ClusterLinkStatus, Generation, Hello, LinkedTopicStatus, Phase, Reason,
};

use self::store::{EndRow, TopicRow};
pub(super) use self::store::{addresses, tell_targets};
use super::report::{phase, reason};
use crate::kernel::{DataPlaneId, Id, Result, kind};
use crate::resources::data_plane_generation::bump_sources;
use crate::resources::topic::mirror;
use crate::runtime::{App, Scope, Tx};

/// No count is higher: JSON numbers end there.
const COUNT_MOST: i64 = 1 << 52;

/// Keeps a report. What it says of links that have no such end at the data plane is ignored.
pub(super) async fn keep(app: &App, data_plane: DataPlaneId, report: ClusterLinkReport) -> Result<()> {
    let ClusterLinkReport { links } = report;
    let (ends, topics) = read(links);
    if ends.is_empty() {
        return Ok(());
    }
    let mut tx = app.db.begin(&Scope::DataPlane(data_plane)).await?;
    let mut moved = Vec::new();
    for row in &ends {
        if store::keep_end(&mut tx, data_plane, row).await? {
            moved.push(row.link);
        }
    }
    for row in &topics {
        if store::keep_topic(&mut tx, data_plane, row).await? {
            moved.push(row.link);
        }
    }
    moved.sort();
    moved.dedup();
    store::tell(&mut tx, &moved).await?;
    let reported: Vec<Uuid> = topics.iter().map(|it| it.topic).collect();
    let grown = store::grown(&mut tx, data_plane, &reported).await?;
    tx.commit().await?;
    if !moved.is_empty() {
        app.wake.changed();
    }
    for (tenant, topic, partitions) in grown {
        if let Err(error) = mirror::grow(app, tenant, topic, partitions).await {
            tracing::warn!(%topic, partitions, error = &error as &dyn std::error::Error,
                "a mirror has fewer partitions than its source, and cannot have more");
        }
    }
    Ok(())
}

/// One row for each end and each topic, so that each is written once.
fn read(links: Vec<ClusterLinkStatus>) -> (Vec<EndRow>, Vec<TopicRow>) {
    let (mut ends, mut topics) = (BTreeMap::new(), BTreeMap::new());
    for told in links {
        let Some((end, copies)) = one(told) else { continue };
        topics.extend(copies.into_iter().map(|it| (it.topic, it)));
        ends.insert((end.link, end.side), end);
    }
    (ends.into_values().collect(), topics.into_values().collect())
}

fn one(told: ClusterLinkStatus) -> Option<(EndRow, Vec<TopicRow>)> {
    let (phase, reason) = (phase(told.phase())?, reason(told.reason()));
    let side = match told.end() {
        ClusterLinkEnd::Source => "SOURCE",
        ClusterLinkEnd::Target => "TARGET",
        ClusterLinkEnd::Unspecified => return None,
    };
    let ClusterLinkStatus {
        link_id,
        end: _,
        phase: _,
        reason: _,
        observed,
        topics,
    } = told;
    let link = link_id.parse().map(Id::<kind::ClusterLink>::uuid).ok()?;
    let Generation { epoch, n } = observed.unwrap_or_default();
    let end = EndRow {
        link,
        side,
        phase,
        reason,
        observed_epoch: i64::try_from(epoch).ok()?,
        observed_n: i64::try_from(n).ok()?,
    };
    // Only the target knows of topics.
    let topics = topics.into_iter().filter(|_| side == "TARGET");
    let topics = topics.filter_map(|it| topic(link, it)).collect();
    Some((end, topics))
}

fn topic(link: Uuid, told: LinkedTopicStatus) -> Option<TopicRow> {
    let phase = phase(Phase::try_from(told.phase).ok()?)?;
    let reason = reason(Reason::try_from(told.reason).unwrap_or_default());
    let LinkedTopicStatus {
        topic_id,
        phase: _,
        reason: _,
        lag_records,
        records,
        bytes,
        caught_up_at_unix_ms,
        partitions,
    } = told;
    Some(TopicRow {
        topic: topic_id.parse().map(Id::<kind::Topic>::uuid).ok()?,
        link,
        phase,
        reason,
        lag_records: (lag_records >= 0).then(|| lag_records.min(COUNT_MOST)),
        records: bounded(records),
        bytes: bounded(bytes),
        caught_up_at: moment(caught_up_at_unix_ms),
        partitions: i32::try_from(partitions).ok().filter(|it| *it > 0),
    })
}

fn bounded(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(COUNT_MOST).min(COUNT_MOST)
}

fn moment(unix_ms: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(unix_ms).filter(|_| unix_ms > 0)
}

/// Keeps the keys that an agent's hello tells of its data plane. Another one to read with is news for whoever it reads: they are moved on.
/// Call it last: the transaction is the operator's from here on, since no data plane may write another's generation.
pub(super) async fn meet(tx: &mut Tx, data_plane: DataPlaneId, hello: &Hello) -> Result<()> {
    let key = |text: &str| weir_credentials::unhex32(text).map(|it| it.to_vec());
    let (reads, serves) = (key(&hello.link_key_sha256), key(&hello.gateway_key_sha256));
    let held = store::keys(tx, data_plane).await?;
    if held == (reads.clone(), serves.clone()) {
        return Ok(());
    }
    tx.turn_to_operator().await?;
    store::keep_keys(tx, data_plane, reads.as_deref(), serves.as_deref()).await?;
    if held.0 != reads {
        bump_sources(tx, data_plane).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(link: u128, end: ClusterLinkEnd, topics: Vec<LinkedTopicStatus>) -> ClusterLinkStatus {
        ClusterLinkStatus {
            link_id: Id::<kind::ClusterLink>::from_uuid(Uuid::from_u128(link)).to_string(),
            end: end.into(),
            phase: Phase::Running.into(),
            reason: Reason::PeerUnreachable.into(),
            observed: Some(Generation { epoch: 1, n: 7 }),
            topics,
        }
    }

    fn copied(topic: u128, lag_records: i64) -> LinkedTopicStatus {
        LinkedTopicStatus {
            topic_id: Id::<kind::Topic>::from_uuid(Uuid::from_u128(topic)).to_string(),
            phase: Phase::Running.into(),
            lag_records,
            records: u64::MAX,
            partitions: u32::MAX,
            ..LinkedTopicStatus::default()
        }
    }

    #[test]
    fn a_report_is_read_once_and_bounded() {
        let nonsense = ClusterLinkStatus {
            link_id: "cluster_link_?".into(),
            ..status(1, ClusterLinkEnd::Target, Vec::new())
        };
        let told = vec![
            status(1, ClusterLinkEnd::Target, vec![copied(5, 3), copied(6, -1)]),
            status(1, ClusterLinkEnd::Target, vec![copied(5, i64::MAX)]),
            status(1, ClusterLinkEnd::Source, vec![copied(8, 1)]),
            status(2, ClusterLinkEnd::Unspecified, Vec::new()),
            nonsense,
        ];
        let (ends, topics) = read(told);
        let seen: Vec<_> = ends
            .iter()
            .map(|it| (it.side, it.reason, it.observed_n))
            .collect();
        assert_eq!(
            seen,
            [
                ("SOURCE", "PEER_UNREACHABLE", 7),
                ("TARGET", "PEER_UNREACHABLE", 7)
            ]
        );
        let seen: Vec<_> = topics
            .iter()
            .map(|it| (it.topic.as_u128(), it.lag_records, it.records, it.partitions))
            .collect();
        assert_eq!(
            seen,
            [
                (5, Some(COUNT_MOST), COUNT_MOST, None),
                (6, None, COUNT_MOST, None)
            ],
            "a source tells nothing of topics"
        );
    }
}
