//! Until when nothing is read from one connection.

use std::sync::atomic::{AtomicU64, Ordering};

use super::bucket::Nanos;
use super::toll::Wait;

/// A connection's silence.
#[derive(Debug, Default)]
pub struct Mute(AtomicU64);

impl Mute {
    /// Mutes for as long as is owed, and tells the quota whose doing the longer silence is. Returns for how much longer.
    pub fn owe(&self, now: Nanos, wait: &Wait) -> Nanos {
        if wait.until <= now {
            return 0;
        }
        let before = self.0.fetch_max(wait.until, Ordering::Relaxed).max(now);
        let more = wait.until.saturating_sub(before);
        if more > 0 {
            wait.mutes(more);
        }
        more
    }

    /// Was it ever muted? Most never are, and need not look at the clock.
    pub fn never(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    /// The moment until which it is muted, if it is.
    pub fn until(&self, now: Nanos) -> Option<Nanos> {
        Some(self.0.load(Ordering::Relaxed)).filter(|until| *until > now)
    }

    /// For how long it is still muted, in whole milliseconds, rounded up; 0 when it is not.
    pub fn left_ms(&self, now: Nanos) -> i32 {
        let left = self.0.load(Ordering::Relaxed).saturating_sub(now);
        i32::try_from(left.div_ceil(1_000_000)).unwrap_or(i32::MAX)
    }
}
