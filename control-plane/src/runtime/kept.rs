//! Facts of the database that are kept in memory for some seconds, while somebody tells of every change.
//!
//! A fact is worth what was known when its reading began: whoever hears of a change forgets all that was known before it, also
//! what is being read at this moment. While nobody listens for changes, nothing is kept and nothing is found. What is missed all
//! the same ends with the fact's longest life.

use std::any::Any;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::kernel::{ApiKeyId, ClusterId, TenantId};

/// Of a key's holder, beside what he holds: it is small.
const RIGHTS_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Nobody acts by a right that was taken away longer ago, whatever went wrong with telling.
const RIGHTS_LIFE: Duration = Duration::from_secs(5);
const SCHEMAS_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Schemas never change; they only end.
const SCHEMAS_LIFE: Duration = Duration::from_secs(60);
/// What an entry takes beside its fact, roughly.
const ENTRY_BYTES: usize = 256;

/// What is kept of who calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Right {
    /// Who holds a key, by the key's id and the hash of its secret: another secret is another entry.
    Key {
        /// The key.
        id: ApiKeyId,
        /// Of the secret that was presented.
        secret_sha256: [u8; 32],
    },
    /// Where a cluster is.
    Cluster {
        /// Whose.
        tenant: TenantId,
        /// Which.
        cluster: ClusterId,
    },
}

/// Which schema: nothing is found under a tenant's key but what was read under that tenant's scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SchemaKey {
    /// Whose.
    pub tenant: TenantId,
    /// In which context; none for ids that no other context of the tenant can have.
    pub context: Option<uuid::Uuid>,
    /// The id.
    pub id: i32,
}

/// All that is kept.
#[derive(Debug)]
pub struct Memory {
    /// Who holds which key, and where clusters are.
    pub rights: Kept<Right>,
    /// Schemas by id.
    pub schemas: Kept<SchemaKey>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            rights: Kept::new(RIGHTS_BYTES_MAX, RIGHTS_LIFE),
            schemas: Kept::new(SCHEMAS_BYTES_MAX, SCHEMAS_LIFE),
        }
    }
}

impl Memory {
    /// Somebody listens from now on, until the answer is dropped.
    pub fn listening(&self) -> Listening<'_> {
        self.rights.listen(true);
        self.schemas.listen(true);
        Listening(self)
    }
}

/// While it lives, changes are heard of.
#[derive(Debug)]
pub struct Listening<'a>(&'a Memory);

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        self.0.rights.listen(false);
        self.0.schemas.listen(false);
    }
}

/// A moment before which a fact was not read.
#[derive(Debug, Clone, Copy)]
pub struct Asof(u64);

#[derive(Debug, Clone)]
struct Entry {
    fact: Arc<dyn Any + Send + Sync>,
    bytes: u64,
    asof: u64,
    since: Instant,
}

#[derive(Debug, Clone)]
struct ByBytes;

impl<K> Weighter<K, Entry> for ByBytes {
    fn weight(&self, _key: &K, entry: &Entry) -> u64 {
        entry.bytes
    }
}

/// Facts of one sort, of so many bytes at most.
#[derive(Debug)]
pub struct Kept<K> {
    entries: Cache<K, Entry, ByBytes>,
    changes: AtomicU64,
    listened: AtomicBool,
    life: Duration,
}

impl<K: Hash + Eq + Clone> Kept<K> {
    fn new(bytes_max: u64, life: Duration) -> Self {
        let usual = 1024;
        let items = usize::try_from(bytes_max / usual).unwrap_or(usize::MAX);
        Self {
            entries: Cache::with_weighter(items, bytes_max, ByBytes),
            changes: AtomicU64::new(0),
            listened: AtomicBool::new(false),
            life,
        }
    }

    /// To be asked before a fact is read; nothing while nobody would hear that it changes.
    pub fn asof(&self) -> Option<Asof> {
        let asof = Asof(self.changes.load(Ordering::SeqCst));
        self.listened.load(Ordering::SeqCst).then_some(asof)
    }

    /// A fact that still stands.
    pub fn get<T: Any + Send + Sync>(&self, key: &K) -> Option<Arc<T>> {
        let now = self.asof()?;
        let entry = self.entries.get(key)?;
        if entry.asof != now.0 || entry.since.elapsed() >= self.life {
            return None;
        }
        entry.fact.downcast().ok()
    }

    /// Keeps a fact of about so many bytes, which was read after `asof`. What is larger than a part of the whole is not kept.
    pub fn put<T: Any + Send + Sync>(&self, asof: Option<Asof>, key: K, fact: Arc<T>, bytes: usize) {
        let Some(Asof(asof)) = asof else { return };
        let entry = Entry {
            fact,
            bytes: u64::try_from(bytes.saturating_add(ENTRY_BYTES)).unwrap_or(u64::MAX),
            asof,
            since: Instant::now(),
        };
        self.entries.insert(key, entry);
    }

    /// Something changed: what was known, or is being read, is worth nothing.
    pub fn forget(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        self.entries.clear();
    }

    fn listen(&self, listened: bool) {
        // What was read while nobody listened is not trusted later either.
        self.forget();
        self.listened.store(listened, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(life: Duration) -> Kept<u8> {
        let kept = Kept::new(1024 * 1024, life);
        kept.listen(true);
        kept
    }

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn a_fact_is_found_until_something_changes() {
        let kept = kept(LONG);
        kept.put(kept.asof(), 1, Arc::new("one"), 3);
        assert_eq!(kept.get::<&str>(&1).as_deref(), Some(&"one"));
        assert_eq!(kept.get::<&str>(&2), None);
        // Another type is another fact.
        assert_eq!(kept.get::<String>(&1), None);
        kept.forget();
        assert_eq!(kept.get::<&str>(&1), None);
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let kept = kept(LONG);
        let before = kept.asof();
        kept.forget();
        kept.put(before, 1, Arc::new("one"), 3);
        assert_eq!(kept.get::<&str>(&1), None);
    }

    #[test]
    fn nothing_is_kept_while_nobody_listens() {
        let kept = kept(LONG);
        let before = kept.asof();
        kept.put(before, 1, Arc::new("one"), 3);
        kept.listen(false);
        assert!(kept.asof().is_none());
        assert_eq!(kept.get::<&str>(&1), None);
        kept.put(kept.asof(), 2, Arc::new("two"), 3);
        kept.listen(true);
        kept.put(before, 3, Arc::new("three"), 5);
        for key in 1..=3 {
            assert_eq!(kept.get::<&str>(&key), None);
        }
    }

    #[test]
    fn a_fact_does_not_outlive_its_life() {
        let kept = kept(Duration::ZERO);
        kept.put(kept.asof(), 1, Arc::new("one"), 3);
        assert_eq!(kept.get::<&str>(&1), None);
    }

    #[test]
    fn facts_are_bounded_by_their_bytes() {
        let kept = kept(LONG);
        for key in 0..=255 {
            kept.put(kept.asof(), key, Arc::new(key), 64 * 1024);
        }
        let found = (0..=255).filter(|key| kept.get::<u8>(key).is_some()).count();
        assert!((1..=16).contains(&found), "{found}");
    }
}
