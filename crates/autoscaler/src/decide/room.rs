//! Quota and pool: how much of a proposal there is room for.

use std::collections::BTreeMap;

use super::Work;
use crate::decision::Reason;
use crate::graph::{Graph, Parallelism};

/// Slots that the job may have in all, and what that comes from; `None`: no limit.
pub(super) fn slots_allowed(work: &Work<'_>) -> Option<(u64, Reason)> {
    let limits = work.input.limits;
    let units = limits.units_per_slot();
    let now = work.input.graph.slots(&work.input.graph.parallelism());
    let pool = limits
        .pool_room_units
        .map(|room| (now.saturating_add(room / units), Reason::PoolExhausted));
    let quota = limits.quota_units.map(|quota| (quota / units, Reason::Quota));
    match (pool, quota) {
        (Some(pool), Some(quota)) => Some(if quota.0 <= pool.0 { quota } else { pool }),
        (pool, quota) => pool.or(quota),
    }
}

/// The proposal, cut down to so many slots; no vertex loses tasks that it has now or would keep.
pub(super) fn fitted(graph: &Graph, proposal: &Parallelism, slots: u64) -> Parallelism {
    let mut cut = proposal.clone();
    let mut excess = graph.slots(&cut).saturating_sub(slots);
    let mut groups: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for vertex in &graph.vertices {
        let to = proposal.get(&vertex.id).copied().unwrap_or(vertex.parallelism);
        let (wide, floor) = groups.entry(vertex.slot_group).or_default();
        *wide = (*wide).max(u64::from(to));
        *floor = (*floor).max(u64::from(to.min(vertex.parallelism)));
    }
    // The group that grows most gives way first.
    let mut order: Vec<_> = groups.into_iter().collect();
    order.sort_by_key(|(group, (wide, floor))| (u64::MAX - (wide - floor), *group));
    for (group, (wide, floor)) in order {
        let less = excess.min(wide - floor);
        excess -= less;
        let most = u32::try_from(wide - less).unwrap_or(u32::MAX);
        for vertex in graph.vertices.iter().filter(|it| it.slot_group == group) {
            if let Some(tasks) = cut.get_mut(&vertex.id) {
                *tasks = (*tasks).min(most.max(vertex.parallelism.min(*tasks)));
            }
        }
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Vertex;

    #[test]
    fn the_group_that_grows_most_gives_way() {
        let mut wide = Vertex::operator("wide", 2, 128, false);
        wide.slot_group = 1;
        let graph = Graph {
            vertices: vec![
                Vertex::source("a", 4, 64),
                Vertex::operator("b", 6, 128, false),
                wide,
            ],
            edges: vec![],
        };
        let wish = |a, b, wide| {
            Parallelism::from([
                ("a".to_owned(), a),
                ("b".to_owned(), b),
                ("wide".to_owned(), wide),
            ])
        };
        assert_eq!(fitted(&graph, &wish(8, 7, 10), 100), wish(8, 7, 10));
        assert_eq!(fitted(&graph, &wish(8, 7, 10), 12), wish(8, 7, 4));
        assert_eq!(fitted(&graph, &wish(8, 7, 10), 9), wish(7, 7, 2));
        assert_eq!(
            fitted(&graph, &wish(8, 7, 10), 0),
            wish(6, 6, 2),
            "what runs is not taken away"
        );
        assert_eq!(fitted(&graph, &wish(3, 5, 1), 0), wish(3, 5, 1));
    }
}
