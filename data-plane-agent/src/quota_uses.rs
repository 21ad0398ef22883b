//! What quotas were used for, of all gateways together, until the link reports it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use weir_proto::agent::v1::{QuotaReport, QuotaUse, StorageLevel};

/// Rows of one report; beyond it the least news is lost, which no bill depends on.
const ROWS_MAX: usize = 10_000;
/// What could not be reported for so long is news no more.
const NEWS_MS: i64 = 60_000;
/// A level that does not change is told again after so long, so that people see that it is measured.
const LEVEL_AGAIN_MS: i64 = 60_000;

/// Counts that wait for the link.
#[derive(Debug, Default)]
pub struct QuotaUses {
    waiting: Mutex<Waiting>,
    levels: Mutex<Levels>,
}

/// What clusters hold, by quota: what is to be told, and what was.
#[derive(Debug, Default)]
struct Levels {
    waiting: BTreeMap<String, StorageLevel>,
    told: BTreeMap<String, StorageLevel>,
}

#[derive(Debug, Default)]
struct Waiting {
    started_at_unix_ms: i64,
    ended_at_unix_ms: i64,
    uses: BTreeMap<(String, String), QuotaUse>,
}

impl QuotaUses {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn levels(&self) -> MutexGuard<'_, Levels> {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the cluster of a quota holds now; told when it changed, and now and then.
    pub fn measured(&self, level: StorageLevel) {
        let mut levels = self.levels();
        let old_news = levels.told.get(&level.quota_id).is_some_and(|told| {
            told.bytes == level.bytes && level.measured_at_unix_ms - told.measured_at_unix_ms < LEVEL_AGAIN_MS
        });
        let room = levels.told.len() < ROWS_MAX || levels.told.contains_key(&level.quota_id);
        if !old_news && room {
            levels.told.insert(level.quota_id.clone(), level.clone());
            levels.waiting.insert(level.quota_id.clone(), level);
        }
    }

    /// Adds a gateway's counts.
    pub fn add(&self, report: QuotaReport) {
        let QuotaReport {
            started_at_unix_ms,
            ended_at_unix_ms,
            uses,
            levels: _,
        } = report;
        let mut waiting = self.waiting();
        let empty = waiting.uses.is_empty();
        if empty || ended_at_unix_ms - waiting.started_at_unix_ms > NEWS_MS {
            *waiting = Waiting {
                started_at_unix_ms,
                ended_at_unix_ms,
                uses: BTreeMap::new(),
            };
        }
        waiting.started_at_unix_ms = waiting.started_at_unix_ms.min(started_at_unix_ms);
        waiting.ended_at_unix_ms = waiting.ended_at_unix_ms.max(ended_at_unix_ms);
        for told in uses {
            let key = (told.quota_id.clone(), told.principal_id.clone());
            if waiting.uses.len() >= ROWS_MAX && !waiting.uses.contains_key(&key) {
                continue;
            }
            let held = waiting.uses.entry(key).or_insert_with(|| QuotaUse {
                quota_id: told.quota_id.clone(),
                principal_id: told.principal_id.clone(),
                ..QuotaUse::default()
            });
            held.ingress_bytes = held.ingress_bytes.saturating_add(told.ingress_bytes);
            held.egress_bytes = held.egress_bytes.saturating_add(told.egress_bytes);
            held.requests = held.requests.saturating_add(told.requests);
            held.throttled_ms = held.throttled_ms.saturating_add(told.throttled_ms);
            held.would_throttle_ms = held.would_throttle_ms.saturating_add(told.would_throttle_ms);
            held.connections = held.connections.max(told.connections);
            held.connections_refused = held.connections_refused.saturating_add(told.connections_refused);
            held.partition_mutations = held.partition_mutations.saturating_add(told.partition_mutations);
            held.mutations_refused = held.mutations_refused.saturating_add(told.mutations_refused);
            held.storage_refused = held.storage_refused.saturating_add(told.storage_refused);
        }
    }

    /// Takes what waits; `None` when nothing does.
    #[must_use]
    pub fn take(&self) -> Option<QuotaReport> {
        let Waiting {
            started_at_unix_ms,
            ended_at_unix_ms,
            uses,
        } = std::mem::take(&mut *self.waiting());
        let levels = std::mem::take(&mut self.levels().waiting);
        let newest = levels.values().map(|it| it.measured_at_unix_ms).max();
        let (started_at_unix_ms, ended_at_unix_ms) = match newest {
            // Nobody used anything: a report of the moment of measurement.
            Some(newest) if uses.is_empty() => (newest - 1, newest),
            _used => (started_at_unix_ms, ended_at_unix_ms),
        };
        (!uses.is_empty() || !levels.is_empty()).then(|| QuotaReport {
            started_at_unix_ms,
            ended_at_unix_ms,
            uses: uses.into_values().collect(),
            levels: levels.into_values().collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(started: i64, ended: i64, principal: &str, bytes: u64) -> QuotaReport {
        QuotaReport {
            started_at_unix_ms: started,
            ended_at_unix_ms: ended,
            uses: vec![QuotaUse {
                quota_id: "q".to_owned(),
                principal_id: principal.to_owned(),
                ingress_bytes: bytes,
                ..QuotaUse::default()
            }],
            levels: Vec::new(),
        }
    }

    #[test]
    fn a_level_is_told_when_it_changes_and_now_and_then() {
        let uses = QuotaUses::default();
        let level = |bytes, at| StorageLevel {
            quota_id: "q".to_owned(),
            bytes,
            measured_at_unix_ms: at,
        };
        uses.measured(level(5, 1000));
        let told = uses.take().unwrap();
        assert_eq!(told.levels, [level(5, 1000)]);
        assert_eq!((told.started_at_unix_ms, told.ended_at_unix_ms), (999, 1000));
        uses.measured(level(5, 4000));
        assert_eq!(uses.take(), None);
        uses.measured(level(6, 7000));
        assert_eq!(uses.take().unwrap().levels, [level(6, 7000)]);
        uses.measured(level(6, 7000 + LEVEL_AGAIN_MS));
        assert!(uses.take().is_some());
    }

    #[test]
    fn gateways_are_added_up_and_old_news_is_dropped() {
        let uses = QuotaUses::default();
        assert_eq!(uses.take(), None);
        uses.add(report(1000, 3000, "a", 5));
        uses.add(report(500, 2500, "a", 7));
        uses.add(report(2500, 4500, "b", 1));
        let told = uses.take().unwrap();
        assert_eq!((told.started_at_unix_ms, told.ended_at_unix_ms), (500, 4500));
        assert_eq!(
            told.uses.iter().map(|it| it.ingress_bytes).collect::<Vec<_>>(),
            [12, 1]
        );
        assert_eq!(uses.take(), None);
        uses.add(report(1000, 3000, "a", 5));
        uses.add(report(70_000, 72_000, "b", 1));
        let told = uses.take().unwrap();
        assert_eq!((told.started_at_unix_ms, told.uses.len()), (70_000, 1));
    }
}
