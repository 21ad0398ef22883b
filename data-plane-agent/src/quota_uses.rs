//! What quotas were used for, of all gateways together, until the link reports it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use weir_proto::agent::v1::{QuotaReport, QuotaUse};

/// Rows of one report; beyond it the least news is lost, which no bill depends on.
const ROWS_MAX: usize = 10_000;
/// What could not be reported for so long is news no more.
const NEWS_MS: i64 = 60_000;

/// Counts that wait for the link.
#[derive(Debug, Default)]
pub struct QuotaUses(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    started_at_unix_ms: i64,
    ended_at_unix_ms: i64,
    uses: BTreeMap<(String, String), QuotaUse>,
}

impl QuotaUses {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a gateway's counts.
    pub fn add(&self, report: QuotaReport) {
        let QuotaReport {
            started_at_unix_ms,
            ended_at_unix_ms,
            uses,
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
        (!uses.is_empty()).then(|| QuotaReport {
            started_at_unix_ms,
            ended_at_unix_ms,
            uses: uses.into_values().collect(),
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
        }
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
