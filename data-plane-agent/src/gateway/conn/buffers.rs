//! Memory for what is on its way, of all connections together; as Kafka's `queued.max.request.bytes` (KIP-72) bounds a broker's.
//!
//! A connection is charged for the buffer that it reads into, until what it read is written on. Little is always granted: requests
//! and answers that fit are never held up. Growth beyond waits while the bound is reached, so a sender is held back by TCP.
//! Lest half-read frames wait for each other, one connection at a time may go beyond, and it has to be quick.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Always granted.
pub const LITTLE: usize = 64 * 1024;
/// For so long one connection may go beyond the bound.
const BEYOND_TIME: Duration = Duration::from_secs(30);

/// All buffers.
#[derive(Debug)]
pub struct Buffers {
    limit: usize,
    held: AtomicUsize,
    waiting: AtomicUsize,
    freed: Notify,
    beyond: Arc<Semaphore>,
}

/// What one direction of a connection holds; given back when dropped.
#[derive(Debug)]
pub struct Charge {
    buffers: Arc<Buffers>,
    held: usize,
    beyond: Option<(OwnedSemaphorePermit, Instant)>,
}

impl Buffers {
    /// With this bound in bytes.
    #[must_use]
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            held: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            freed: Notify::new(),
            beyond: Arc::new(Semaphore::new(1)),
        })
    }

    /// Bytes that all connections hold.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Is the bound reached? Then nobody reserves more than a frame needs.
    #[must_use]
    pub fn pressed(&self) -> bool {
        self.held() >= self.limit
    }

    /// A charge of nothing.
    #[must_use]
    pub fn charge(self: &Arc<Self>) -> Charge {
        Charge {
            buffers: Arc::clone(self),
            held: 0,
            beyond: None,
        }
    }
}

impl Charge {
    /// Holds so much from now on, without waiting.
    pub fn set(&mut self, bytes: usize) {
        let Self {
            buffers,
            held,
            beyond,
        } = self;
        match bytes.checked_sub(*held) {
            Some(0) => {}
            Some(more) => {
                buffers.held.fetch_add(more, Ordering::Relaxed);
            }
            None => {
                // Ordered with `grow`: it says that it waits, then looks; this gives back, then looks who waits.
                buffers.held.fetch_sub(*held - bytes, Ordering::SeqCst);
                if buffers.waiting.load(Ordering::SeqCst) > 0 {
                    buffers.freed.notify_waiters();
                }
            }
        }
        *held = bytes;
        if bytes <= LITTLE {
            *beyond = None;
        }
    }

    /// Waits until so much may be held, and holds it. Safe to drop while it waits.
    pub async fn grow(&mut self, bytes: usize) {
        if !self.fits(bytes) {
            let waits = Waits::begin(&self.buffers.waiting);
            while !self.fits(bytes) {
                let freed = self.buffers.freed.notified();
                tokio::pin!(freed);
                freed.as_mut().enable();
                if self.fits(bytes) {
                    break;
                }
                tokio::select! {
                    () = freed => {}
                    permit = Arc::clone(&self.buffers.beyond).acquire_owned() => {
                        // It is never closed.
                        self.beyond = permit.ok().map(|permit| (permit, Instant::now() + BEYOND_TIME));
                    }
                }
            }
            drop(waits);
        }
        self.set(bytes);
    }

    fn fits(&self, bytes: usize) -> bool {
        let others = self.buffers.held.load(Ordering::SeqCst).saturating_sub(self.held);
        bytes <= self.held.max(LITTLE)
            || self.beyond.is_some()
            || others.saturating_add(bytes) <= self.buffers.limit
    }

    /// By when what is held has to be on its way, if it is beyond the bound.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.beyond.as_ref().map(|(_permit, deadline)| *deadline)
    }

    /// Is the bound reached?
    #[must_use]
    pub fn pressed(&self) -> bool {
        self.buffers.pressed()
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// One who waits.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    const MIB: usize = 1024 * 1024;

    #[tokio::test]
    async fn growth_waits_for_room_and_one_goes_beyond() {
        let buffers = Buffers::new(4 * MIB);
        let (mut first, mut second, mut third) = (buffers.charge(), buffers.charge(), buffers.charge());
        first.grow(3 * MIB).await;
        assert_eq!(first.deadline(), None);
        second.grow(3 * MIB).now_or_never().expect("one may go beyond");
        assert!(second.deadline().is_some());
        assert!(buffers.pressed());
        assert!(third.grow(2 * MIB).now_or_never().is_none(), "but no other");
        third
            .grow(LITTLE)
            .now_or_never()
            .expect("little is always granted");
        second
            .grow(5 * MIB)
            .now_or_never()
            .expect("who is beyond goes on");
        let waiting = async {
            third.grow(MIB).await;
            third.held
        };
        let freeing = async {
            tokio::task::yield_now().await;
            second.set(0);
        };
        let (held, ()) = tokio::join!(waiting, freeing);
        assert_eq!(held, MIB);
        drop((first, second, third));
        assert_eq!(buffers.held(), 0);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_waits_is_woken_and_nothing_is_lost() {
        let buffers = Buffers::new(8 * MIB);
        let each = (0..16).map(|at| {
            let buffers = Arc::clone(&buffers);
            tokio::spawn(async move {
                for round in 0..200 {
                    let mut charge = buffers.charge();
                    charge.grow(MIB * (1 + (at + round) % 4)).await;
                    tokio::task::yield_now().await;
                    charge.grow(MIB * 4).await;
                }
            })
        });
        let all = futures_util::future::join_all(each.collect::<Vec<_>>());
        let ended = tokio::time::timeout(Duration::from_secs(60), all).await;
        assert!(ended.expect("nobody waits for ever").iter().all(Result::is_ok));
        assert_eq!(buffers.held(), 0);
    }
}
