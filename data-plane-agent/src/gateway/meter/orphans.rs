//! Batches whose answer nobody will read: a retry tells their fate, or they are UNCERTAIN.

use std::time::{Duration, Instant};

use weir_proto::agent::v1::{Direction, UsageRow};

use super::journal::{Intent, IntentBatch, Note, Settled};
use super::{Fate, Inner};

/// Unresolved batches kept waiting for a retry.
const ORPHANS: usize = 10_000;

impl Inner {
    /// Nobody will read this request's answer.
    pub(super) fn abandon(&mut self, id: u64) {
        if let Some(intent) = self.intents.remove(&id) {
            self.write(Note::Settled(Settled {
                id,
                counted: Vec::new(),
            }));
            self.unresolved(intent);
        }
    }

    pub(super) fn unresolved(&mut self, intent: Intent) {
        let Intent {
            id: _,
            cluster_id,
            principal_id,
            batches,
        } = intent;
        for batch in batches {
            let key = batch.producer.as_ref().map(|it| batch.identity(it));
            match key {
                Some(key) if self.orphans.len() < ORPHANS => {
                    let id = self.register(&cluster_id, &principal_id, vec![batch]);
                    if let Some((before, _since)) = self.orphans.insert(key, (id, Instant::now())) {
                        self.settle(before, &[Fate::Refused]);
                    }
                }
                _no_retry_will_tell => self.uncertain(&cluster_id, &principal_id, &batch),
            }
        }
    }

    fn uncertain(&mut self, cluster_id: &str, principal_id: &str, batch: &IntentBatch) {
        let row = UsageRow {
            cluster_id: cluster_id.to_owned(),
            topic_id: batch.topic_id.clone(),
            principal_id: principal_id.to_owned(),
            direction: Direction::Produce.into(),
            bytes: batch.bytes,
            records: batch.records,
            requests: 1,
            uncertain: true,
        };
        self.rows.add_row(&row);
        self.write(Note::Row(row));
    }

    /// Retries that did not come within `wait` will not come.
    pub(super) fn give_up_orphans(&mut self, wait: Duration) {
        let late: Vec<_> = self
            .orphans
            .iter()
            .filter(|(_key, (_id, since))| since.elapsed() >= wait)
            .map(|(key, (id, _since))| (key.clone(), *id))
            .collect();
        for (key, id) in late {
            self.orphans.remove(&key);
            if let Some(intent) = self.intents.remove(&id) {
                self.write(Note::Settled(Settled {
                    id,
                    counted: Vec::new(),
                }));
                for batch in &intent.batches {
                    self.uncertain(&intent.cluster_id, &intent.principal_id, batch);
                }
            }
        }
    }
}
