//! Who has how many connections open. Looked at when one begins or ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// By cluster and principal.
type Open = HashMap<Arc<str>, HashMap<Arc<str>, u64>>;

/// Open connections.
#[derive(Debug, Default)]
pub struct Seats(Mutex<Open>);

/// One open connection; counts until it is dropped.
#[derive(Debug)]
pub struct Seat {
    seats: Arc<Seats>,
    cluster: Arc<str>,
    principal: Arc<str>,
}

impl Seats {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many connections those principals of a cluster have.
    pub fn of(&self, cluster: &str, which: impl Fn(&str) -> bool) -> u64 {
        let clusters = self.lock();
        let open = clusters.get(cluster).into_iter().flatten();
        open.filter(|(principal, _count)| which(principal))
            .map(|(_principal, count)| *count)
            .sum()
    }

    /// How many one principal has.
    pub fn of_one(&self, cluster: &str, principal: &str) -> u64 {
        let clusters = self.lock();
        let count = clusters.get(cluster).and_then(|open| open.get(principal));
        count.copied().unwrap_or(0)
    }

    /// Counts one more.
    pub fn take(seats: &Arc<Self>, cluster: &str, principal: &Arc<str>) -> Seat {
        let cluster: Arc<str> = cluster.into();
        let mut clusters = seats.lock();
        let open = clusters.entry(Arc::clone(&cluster)).or_default();
        *open.entry(Arc::clone(principal)).or_default() += 1;
        Seat {
            seats: Arc::clone(seats),
            cluster,
            principal: Arc::clone(principal),
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut clusters = self.seats.lock();
        let Some(open) = clusters.get_mut(&self.cluster) else {
            return;
        };
        if let Some(count) = open.get_mut(&self.principal) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.principal);
            }
        }
        if open.is_empty() {
            clusters.remove(&self.cluster);
        }
    }
}
