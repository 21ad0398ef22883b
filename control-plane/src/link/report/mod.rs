//! Status up: what an agent says of each object, checked against what its data plane serves, in one transaction.

pub(super) mod store;

use std::collections::BTreeMap;

use uuid::Uuid;
use weir_proto::agent::v1::{Generation, ItemStatus, Phase, Reason};

use self::store::{Object, StatusRow};
use crate::kernel::{DataPlaneId, Id, Result, kind};
use crate::link::cluster_link;
use crate::runtime::{Db, Scope};

/// What became of a report.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Statuses that moved.
    pub(super) changed: usize,
    /// Tombstones that were carried out.
    pub(super) removed: usize,
    /// Items of no object that this data plane serves.
    pub(super) foreign: usize,
}

/// Writes what the agent reports. An item of another data plane, of no object, or of an older generation than was
/// reported already changes nothing.
pub(super) async fn accept(db: &Db, data_plane: DataPlaneId, items: Vec<ItemStatus>) -> Result<Told> {
    let named = items.len();
    let rows: BTreeMap<Uuid, StatusRow> = items
        .into_iter()
        .filter_map(row)
        .map(|row| (row.object, row))
        .collect();
    let ids: Vec<Uuid> = rows.keys().copied().collect();
    if ids.is_empty() {
        return Ok(Told {
            foreign: named,
            ..Told::default()
        });
    }
    let mut tx = db.begin(&Scope::DataPlane(data_plane)).await?;
    let served = store::served(&mut tx, data_plane, &ids).await?;
    let known: BTreeMap<Uuid, &Object> = served.iter().map(|object| (object.id, object)).collect();
    // Gone is only what was wished to go.
    let sensible = |row: &StatusRow| {
        known
            .get(&row.object)
            .is_some_and(|it| it.deleted || row.phase != "DELETED")
    };
    let (mine, foreign): (Vec<StatusRow>, Vec<StatusRow>) = rows.into_values().partition(sensible);
    // An agent goes on naming a tombstone until a generation without it: that is no foreign item.
    let foreign = foreign.iter().filter(|row| row.phase != "DELETED").count();
    let told: Vec<Uuid> = mine
        .iter()
        .filter(|row| row.bootstrap_port > 0)
        .map(|row| row.object)
        .collect();
    let reached = cluster_link::addresses(&mut tx, data_plane, &told).await?;
    let moved = store::upsert(&mut tx, data_plane, &mine, &known).await?;
    let mut elsewhere = cluster_link::addresses(&mut tx, data_plane, &told).await?;
    elsewhere.retain(|it| !reached.contains(it));
    let gone: Vec<Uuid> = mine
        .iter()
        .filter(|row| row.phase == "DELETED")
        .map(|row| row.object)
        .collect();
    let removed = if gone.is_empty() {
        Vec::new()
    } else {
        store::remove(&mut tx, data_plane).await?
    };
    store::tell(&mut tx, &served, &moved, &removed).await?;
    if !elsewhere.is_empty() {
        let clusters: Vec<Uuid> = elsewhere.into_iter().map(|(cluster, ..)| cluster).collect();
        cluster_link::tell_targets(&mut tx, &clusters).await?;
    }
    tx.commit().await?;
    Ok(Told {
        changed: moved.len(),
        removed: removed.len(),
        foreign,
    })
}

/// One item as a row; `None` when its id is not of a kind that agents report on, or its phase is not known here.
fn row(item: ItemStatus) -> Option<StatusRow> {
    let phase = phase(item.phase())?;
    let reason = reason(item.reason());
    let ItemStatus {
        id,
        phase: _,
        reason: _,
        observed,
        policy_accepted,
        observed_partitions,
        brokers_ready,
        gateways_acknowledged,
        drifted,
        bootstrap_host,
        bootstrap_port,
    } = item;
    let Generation { epoch, n } = observed.unwrap_or_default();
    Some(StatusRow {
        object: object_id(&id)?,
        phase,
        reason,
        observed_epoch: i64::try_from(epoch).ok()?,
        observed_n: i64::try_from(n).ok()?,
        policy_accepted,
        observed_partitions: bounded(observed_partitions),
        brokers_ready: bounded(brokers_ready),
        gateways_acknowledged: bounded(gateways_acknowledged),
        drifted,
        bootstrap_host: if is_host(&bootstrap_host) {
            bootstrap_host
        } else {
            String::new()
        },
        bootstrap_port: i32::from(u16::try_from(bootstrap_port).unwrap_or(0)),
    })
}

fn object_id(text: &str) -> Option<Uuid> {
    let pool = text.parse().map(Id::<kind::BrokerPool>::uuid);
    let cluster = || text.parse().map(Id::<kind::Cluster>::uuid);
    let topic = || text.parse().map(Id::<kind::Topic>::uuid);
    let key = || text.parse().map(Id::<kind::ApiKey>::uuid);
    let quota = || text.parse().map(Id::<kind::Quota>::uuid);
    let compute_pool = || text.parse().map(Id::<kind::ComputePool>::uuid);
    let job = || text.parse().map(Id::<kind::Job>::uuid);
    pool.or_else(|_| cluster())
        .or_else(|_| topic())
        .or_else(|_| key())
        .or_else(|_| quota())
        .or_else(|_| compute_pool())
        .or_else(|_| job())
        .ok()
}

/// A host name or address: what clients are told to connect to, and nothing else.
fn is_host(text: &str) -> bool {
    text.len() <= 253
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-.:".contains(&byte))
}

fn bounded(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

pub(super) fn phase(phase: Phase) -> Option<&'static str> {
    Some(match phase {
        Phase::Unspecified => return None,
        Phase::Pending => "PENDING",
        Phase::Provisioning => "PROVISIONING",
        Phase::Ready => "READY",
        Phase::Degraded => "DEGRADED",
        Phase::Failed => "FAILED",
        Phase::Deleting => "DELETING",
        Phase::Running => "RUNNING",
        Phase::Suspended => "SUSPENDED",
        Phase::Stopping => "STOPPING",
        Phase::Stopped => "STOPPED",
        Phase::Completed => "COMPLETED",
        Phase::Deleted => "DELETED",
    })
}

pub(super) fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Unspecified => "",
        other => other.as_str_name().trim_start_matches("REASON_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_read_or_ignored() {
        let id = Id::<kind::Topic>::generate();
        let item = ItemStatus {
            id: id.to_string(),
            phase: Phase::Failed.into(),
            reason: Reason::PartitionsCannotShrink.into(),
            observed: Some(Generation { epoch: 1, n: 4 }),
            policy_accepted: true,
            observed_partitions: u32::MAX,
            bootstrap_host: "evil\nhost".to_owned(),
            bootstrap_port: 70_000,
            ..ItemStatus::default()
        };
        let read = row(item.clone()).unwrap();
        assert_eq!(
            (read.object, read.phase, read.reason),
            (id.uuid(), "FAILED", "PARTITIONS_CANNOT_SHRINK")
        );
        assert_eq!(
            (read.observed_epoch, read.observed_n, read.observed_partitions),
            (1, 4, i32::MAX)
        );
        assert_eq!((read.bootstrap_host.as_str(), read.bootstrap_port), ("", 0));
        let tenant = Id::<kind::Tenant>::generate().to_string();
        assert!(
            row(ItemStatus {
                id: tenant,
                ..item.clone()
            })
            .is_none()
        );
        assert!(
            row(ItemStatus {
                phase: 99,
                ..item.clone()
            })
            .is_none()
        );
        let impossible = Some(Generation {
            epoch: u64::MAX,
            n: 0,
        });
        assert!(
            row(ItemStatus {
                observed: impossible,
                ..item
            })
            .is_none()
        );
    }

    #[test]
    fn hosts() {
        for (text, good) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("kafka.acme.example", true),
            ("a b", false),
            ("a/b", false),
        ] {
            assert_eq!(is_host(text), good, "{text}");
        }
    }
}
