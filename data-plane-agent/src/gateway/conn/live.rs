//! Connections that are logged in, and which snapshot each obeys.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// All live connections.
#[derive(Debug, Default)]
pub struct Live {
    next: AtomicU64,
    seen: Mutex<HashMap<u64, Arc<AtomicU64>>>,
    moved: Notify,
}

/// One of them; leaves when dropped.
#[derive(Debug)]
pub struct Member<'a> {
    live: &'a Live,
    id: u64,
    seen: Arc<AtomicU64>,
}

impl Live {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<AtomicU64>>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters, obeying nothing yet.
    pub fn enter(&self) -> Member<'_> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let seen = Arc::new(AtomicU64::new(0));
        self.lock().insert(id, Arc::clone(&seen));
        Member { live: self, id, seen }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Returns once every connection obeys this version or a later one, or is gone.
    pub async fn obey(&self, version: u64) {
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            // Registered before looking, so that nothing moves unseen in between.
            moved.as_mut().enable();
            let lagging = self
                .lock()
                .values()
                .any(|it| it.load(Ordering::Acquire) < version);
            if !lagging {
                return;
            }
            moved.await;
        }
    }
}

impl Member<'_> {
    /// The connection obeys this version from now on.
    pub fn obeys(&self, version: u64) {
        self.seen.store(version, Ordering::Release);
        self.live.moved.notify_waiters();
    }
}

impl Drop for Member<'_> {
    fn drop(&mut self) {
        self.live.lock().remove(&self.id);
        self.live.moved.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[test]
    fn a_version_is_obeyed_once_the_last_connection_obeys_it_or_is_gone() {
        let live = Live::default();
        assert!(live.obey(5).now_or_never().is_some());
        let (one, other) = (live.enter(), live.enter());
        let mut waiting = Box::pin(live.obey(5));
        assert!((&mut waiting).now_or_never().is_none());
        one.obeys(6);
        assert!((&mut waiting).now_or_never().is_none());
        other.obeys(4);
        assert!((&mut waiting).now_or_never().is_none());
        drop(other);
        assert!((&mut waiting).now_or_never().is_some());
        assert_eq!(live.count(), 1);
    }
}
