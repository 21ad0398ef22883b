//! The lag of watched groups of one logical cluster.

use std::collections::{BTreeMap, BTreeSet};

use weir_proto::agent::v1::{GroupState, GroupType, LagOutcome, LagWatch};

use super::Found;
use crate::driver::Place;
use crate::platform::groups::{ListedGroup, Mark, Positions};
use crate::platform::kafka::Kafka;

/// Groups of one call to a coordinator.
const GROUPS_PER_CALL: usize = 100;

/// Asks coordinators what the groups have committed, and leaders where logs end. What nobody answered is left out.
pub(super) async fn cluster<'a>(
    kafka: &dyn Kafka,
    place: &Place,
    watches: &[&'a LagWatch],
) -> Vec<(&'a str, Found)> {
    let committed = committed(kafka, place, watches).await;
    let watched: Vec<(&'a str, Positions)> = watches
        .iter()
        .filter_map(|watch| {
            let positions = committed.get(&place.group_out(&watch.group_id))?;
            Some((watch.rule_id.as_str(), counted(place, watch, positions)))
        })
        .collect();
    let all: BTreeSet<(String, u32)> = watched
        .iter()
        .flat_map(|(_rule, positions)| positions.keys().cloned())
        .collect();
    let together = kafka.offsets_at(&place.pool, &all, Mark::Latest).await;
    let mut found = Vec::with_capacity(watched.len());
    for (rule, positions) in watched {
        let ends = match &together {
            Ok(ends) => Some(lag(&positions, ends)),
            // A partition without a leader hides the lag of those who read it, not of all.
            Err(_any) => {
                let own = positions.keys().cloned().collect();
                let ends = kafka.offsets_at(&place.pool, &own, Mark::Latest).await;
                ends.ok().map(|ends| lag(&positions, &ends))
            }
        };
        found.extend(ends.map(|it| (rule, it)));
    }
    found
}

/// What each group has committed, by the id that the broker knows; of those whose coordinator answered.
async fn committed(kafka: &dyn Kafka, place: &Place, watches: &[&LagWatch]) -> BTreeMap<String, Positions> {
    let ids: BTreeSet<String> = watches.iter().map(|it| place.group_out(&it.group_id)).collect();
    let ids: Vec<String> = ids.into_iter().collect();
    let coordinators = match kafka.coordinators(&place.pool, &ids).await {
        Ok(coordinators) => coordinators,
        Err(error) => {
            tracing::debug!(%error, pool = place.pool.pool_id, "the coordinators of watched groups were not found");
            return BTreeMap::new();
        }
    };
    let mut by_coordinator: BTreeMap<i32, Vec<ListedGroup>> = BTreeMap::new();
    for (id, coordinator) in coordinators {
        by_coordinator.entry(coordinator).or_default().push(ListedGroup {
            id,
            // Positions are asked in the same way of every type.
            kind: GroupType::Unspecified,
            state: GroupState::Unspecified,
            coordinator,
        });
    }
    let mut all = BTreeMap::new();
    for groups in by_coordinator.values().flat_map(|it| it.chunks(GROUPS_PER_CALL)) {
        match kafka.committed(&place.pool, groups).await {
            Ok(positions) => {
                all.extend(groups.iter().map(|it| (it.id.clone(), Positions::new())));
                all.extend(positions);
            }
            Err(error) => {
                tracing::debug!(%error, pool = place.pool.pool_id, "a coordinator did not tell what watched groups committed");
            }
        }
    }
    all
}

/// Those positions that the watch is about: in topics of this cluster, or in the one that it names.
fn counted(place: &Place, watch: &LagWatch, positions: &Positions) -> Positions {
    let meant = |name: &String| {
        let topic = place.topics.get(name);
        topic.is_some_and(|(_id, logical)| watch.topic_name.is_empty() || *logical == watch.topic_name)
    };
    let counted = positions
        .iter()
        .filter(|((name, _partition), _offset)| meant(name));
    counted.map(|(at, offset)| (at.clone(), *offset)).collect()
}

/// The records after what was committed. A partition that has no end is none any more.
fn lag(committed: &Positions, ends: &Positions) -> Found {
    let behind = committed
        .iter()
        .filter_map(|(at, offset)| Some(ends.get(at)?.saturating_sub(*offset).max(0)));
    let (mut partitions, mut records) = (0_usize, 0_i64);
    for it in behind {
        partitions += 1;
        records = records.saturating_add(it);
    }
    if partitions == 0 {
        Found::Not(LagOutcome::NoCommits)
    } else {
        Found::Lag(records)
    }
}
