//! The rows of a window.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};

use weir_proto::agent::v1::{Direction, UsageRow};

use super::Payer;
use super::journal::Intent;

/// Milliseconds since 1970.
pub fn now_unix_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// (cluster, topic, principal, direction, uncertain).
type RowKey = (String, String, String, i32, bool);

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    bytes: u64,
    records: u64,
    requests: u64,
}

/// Counts by row.
#[derive(Debug, Clone, Default)]
pub struct Rows(BTreeMap<RowKey, Count>);

impl Rows {
    /// Nothing counted?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a part of one request. The first part for a topic counts the request: give one request's parts to one
    /// fresh `Rows`.
    pub fn add(
        &mut self,
        payer: &Payer,
        topic: &str,
        direction: Direction,
        uncertain: bool,
        bytes: u64,
        records: u64,
    ) {
        let key = (
            payer.cluster.to_string(),
            topic.to_owned(),
            payer.principal.to_string(),
            direction.into(),
            uncertain,
        );
        let count = self.0.entry(key).or_insert(Count {
            requests: 1,
            ..Count::default()
        });
        count.bytes += bytes;
        count.records += records;
    }

    /// Adds the batches of one produce request that count.
    pub fn add_intent(&mut self, intent: &Intent, counted: &[u32]) {
        let mut topics = HashSet::new();
        for batch in counted.iter().filter_map(|at| intent.batches.get(*at as usize)) {
            let key = (
                intent.cluster_id.clone(),
                batch.topic_id.clone(),
                intent.principal_id.clone(),
                Direction::Produce.into(),
                false,
            );
            self.add_count(
                key,
                Count {
                    bytes: batch.bytes,
                    records: batch.records,
                    requests: u64::from(topics.insert(batch.topic_id.as_str())),
                },
            );
        }
    }

    /// Adds a whole row.
    pub fn add_row(&mut self, row: &UsageRow) {
        let UsageRow {
            cluster_id,
            topic_id,
            principal_id,
            direction,
            bytes,
            records,
            requests,
            uncertain,
        } = row;
        let key = (
            cluster_id.clone(),
            topic_id.clone(),
            principal_id.clone(),
            *direction,
            *uncertain,
        );
        self.add_count(
            key,
            Count {
                bytes: *bytes,
                records: *records,
                requests: *requests,
            },
        );
    }

    fn add_count(&mut self, key: RowKey, more: Count) {
        let count = self.0.entry(key).or_default();
        count.bytes += more.bytes;
        count.records += more.records;
        count.requests += more.requests;
    }

    /// Adds all of another's.
    pub fn merge(&mut self, other: Self) {
        for (key, count) in other.0 {
            self.add_count(key, count);
        }
    }

    /// As messages, in the order of the keys.
    pub fn to_list(&self) -> Vec<UsageRow> {
        self.0
            .iter()
            .map(
                |((cluster, topic, principal, direction, uncertain), count)| UsageRow {
                    cluster_id: cluster.clone(),
                    topic_id: topic.clone(),
                    principal_id: principal.clone(),
                    direction: *direction,
                    bytes: count.bytes,
                    records: count.records,
                    requests: count.requests,
                    uncertain: *uncertain,
                },
            )
            .collect()
    }
}
