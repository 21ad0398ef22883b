//! How the copying goes, for people inside the network. Counts since the agent started.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::routes::Route;
use super::session::Taken;
use crate::link::ledger::unix_ms;
use crate::platform::kafka::KafkaError;

/// What became of letters.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// As they were.
    pub whole: u64,
    /// A stand-in was written: the dead-letter topic does not take records so large.
    pub stood_in: u64,
    /// Not even that.
    pub skipped: u64,
}

impl Copied {
    /// Of what was written of each.
    #[must_use]
    pub fn of(taken: &[Taken]) -> Self {
        let mut copied = Self::default();
        for taken in taken {
            *match taken {
                Some(0) => &mut copied.whole,
                Some(_other) => &mut copied.stood_in,
                None => &mut copied.skipped,
            } += 1;
        }
        copied
    }
}

/// One topic under DLQ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its id.
    pub topic_id: String,
    /// Its name.
    pub topic: String,
    /// Where its dead letters go.
    pub dead_letter_topic: String,
    /// The same by its id.
    pub dead_letter_topic_id: String,
    /// Copied whole.
    pub copied: u64,
    /// Larger than the dead-letter topic takes: a stand-in says where they are.
    pub too_large: u64,
    /// Not even that: they stay in the topic, withheld.
    pub left_out: u64,
    /// Records of the topic that were not looked at yet; nothing: not known.
    pub behind_records: Option<u64>,
    /// When something was copied last, in milliseconds since 1970.
    pub copied_at_unix_ms: Option<u64>,
    /// Why nothing is copied now, if so.
    pub waits_for: Option<String>,
    #[serde(skip)]
    pool_id: String,
    /// Of each partition.
    #[serde(skip)]
    behind: BTreeMap<i32, u64>,
}

/// Every topic under DLQ.
#[derive(Debug, Default)]
pub struct DeadLetters {
    rows: Mutex<BTreeMap<String, Row>>,
}

impl DeadLetters {
    fn rows(&self) -> MutexGuard<'_, BTreeMap<String, Row>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it is now, by topics' ids.
    #[must_use]
    pub fn list(&self) -> Vec<Row> {
        self.rows().values().cloned().collect()
    }

    /// These are the routes of a pool now.
    pub fn follow<'a>(&self, pool: &str, routes: impl Iterator<Item = &'a Route>) {
        let mut rows = self.rows();
        let mut named = BTreeSet::new();
        for route in routes {
            named.insert(route.topic_id.as_str());
            let row = rows.entry(route.topic_id.clone()).or_default();
            row.topic_id.clone_from(&route.topic_id);
            row.topic.clone_from(&route.name);
            row.dead_letter_topic.clone_from(&route.target_name);
            row.dead_letter_topic_id.clone_from(&route.target_id);
            row.pool_id.clone_from(&route.pool_id);
        }
        rows.retain(|id, row| row.pool_id != pool || named.contains(id.as_str()));
    }

    fn change(&self, route: &Route, change: impl FnOnce(&mut Row)) {
        if let Some(row) = self.rows().get_mut(&route.topic_id) {
            change(row);
        }
    }

    /// Something was copied.
    pub fn copied(&self, route: &Route, copied: Copied) {
        let Copied {
            whole,
            stood_in,
            skipped,
        } = copied;
        if copied == Copied::default() {
            return;
        }
        if skipped > 0 {
            tracing::warn!(
                topic = route.topic_id,
                skipped,
                "dead letters are too large for their topic even without their content; they stay where they are"
            );
        }
        self.change(route, |row| {
            row.copied = row.copied.saturating_add(whole);
            row.too_large = row.too_large.saturating_add(stood_in);
            row.left_out = row.left_out.saturating_add(skipped);
            row.copied_at_unix_ms = Some(unix_ms());
        });
    }

    /// This far it was read; before these offsets everything is committed.
    pub fn seen(&self, route: &Route, positions: &BTreeMap<i32, i64>, stable: &BTreeMap<i32, i64>) {
        self.change(route, |row| {
            for (partition, stable) in stable {
                let at = positions.get(partition).copied().unwrap_or(0);
                let behind = u64::try_from(stable.saturating_sub(at)).unwrap_or(0);
                row.behind.insert(*partition, behind);
            }
            row.behind
                .retain(|partition, _behind| positions.contains_key(partition));
            row.behind_records = Some(row.behind.values().fold(0, |sum, it| sum.saturating_add(*it)));
        });
    }

    /// It is copied.
    pub fn goes_on(&self, route: &Route) {
        self.change(route, |row| row.waits_for = None);
    }

    /// It cannot be copied now.
    pub fn waits(&self, route: &Route, error: &KafkaError) {
        tracing::debug!(%error, topic = route.topic_id, "a topic's dead letters wait");
        self.change(route, |row| row.waits_for = Some(error.to_string()));
    }
}
