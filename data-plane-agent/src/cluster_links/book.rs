//! How far each partition of a copy is, and which of its offsets stands for which: for questions from within the network.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use super::syncs::Syncs;

/// Link, the copy's topic id, partition.
type Key = (String, String, i32);

/// Of all links.
#[derive(Debug, Default)]
pub struct Book {
    inner: Mutex<BTreeMap<Key, (i64, Syncs)>>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Translated {
    /// Where to go on in the copy: never later than where it was in the source.
    pub offset: i64,
    /// Up to where the source was copied.
    pub source_copied_to: i64,
}

impl Book {
    fn inner(&self) -> MutexGuard<'_, BTreeMap<Key, (i64, Syncs)>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far a partition is now.
    pub fn note(&self, link_id: &str, topic_id: &str, partition: i32, next: i64, syncs: &Syncs) {
        let key = (link_id.to_owned(), topic_id.to_owned(), partition);
        self.inner().insert(key, (next, syncs.clone()));
    }

    /// The link is gone.
    pub fn forget(&self, link_id: &str) {
        self.inner()
            .retain(|(link, _topic, _partition), _held| link != link_id);
    }

    /// Where in the copy whoever was at `offset` of the source goes on.
    #[must_use]
    pub fn translate(
        &self,
        link_id: &str,
        topic_id: &str,
        partition: i32,
        offset: i64,
    ) -> Option<Translated> {
        let key = (link_id.to_owned(), topic_id.to_owned(), partition);
        let inner = self.inner();
        let (next, syncs) = inner.get(&key)?;
        Some(Translated {
            offset: syncs.translate(offset)?,
            source_copied_to: *next,
        })
    }
}
