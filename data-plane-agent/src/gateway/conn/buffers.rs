//! Memory for frames on their way, of all connections together; as `queued.max.request.bytes` (KIP-72) bounds a broker's.
//!
//! Little is free for every connection: requests and answers that fit are never held up. For a larger frame there has to be
//! room for all of it before more of it is read, first come, first served: no two half-read frames wait for each other. While
//! somebody waits, whoever holds room has to move, or his connection ends. So a client that does not read its answers, or
//! announces much and sends nothing, costs others a second and not their turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until};

/// Free for each direction of a connection.
pub const LITTLE: usize = 128 * 1024;
/// Room is counted in these.
const UNIT: usize = 16 * 1024;
/// While somebody waits, in each such time ...
const WINDOW: Duration = Duration::from_secs(1);
/// ... this part of what is held has to move.
const PART: usize = 32;
/// Whoever holds room already waits no longer for more: others may wait for his.
const PATIENCE: Duration = Duration::from_secs(5);

/// All buffers.
#[derive(Debug)]
pub struct Buffers {
    units: u32,
    room: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// What one direction of a connection holds; given back when dropped.
#[derive(Debug)]
pub struct Charge {
    buffers: Arc<Buffers>,
    room: Option<OwnedSemaphorePermit>,
    /// How much moved since when.
    moved: usize,
    since: Instant,
}

/// Memory is short, and the frame did not move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("memory is short, and a large frame did not move")]
pub struct Short;

fn units(bytes: usize) -> u32 {
    match bytes {
        0..=LITTLE => 0,
        more => u32::try_from(more.div_ceil(UNIT)).unwrap_or(u32::MAX),
    }
}

impl Buffers {
    /// With this bound in bytes.
    #[must_use]
    pub fn new(limit: usize) -> Arc<Self> {
        let most = u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX);
        let units = units(limit.max(LITTLE + 1)).min(most);
        Arc::new(Self {
            units,
            room: Arc::new(Semaphore::new(units as usize)),
            waiting: AtomicUsize::new(0),
        })
    }

    /// Bytes of room that all connections hold.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        (self.units as usize).saturating_sub(self.room.available_permits()) * UNIT
    }

    fn short(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// A charge of nothing.
    #[must_use]
    pub fn charge(self: &Arc<Self>) -> Charge {
        Charge {
            buffers: Arc::clone(self),
            room: None,
            moved: 0,
            since: Instant::now(),
        }
    }
}

impl Charge {
    fn units(&self) -> u32 {
        let held = self.room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        u32::try_from(held).unwrap_or(u32::MAX)
    }

    /// Is more than a little held?
    #[must_use]
    pub fn holds(&self) -> bool {
        self.room.is_some()
    }

    /// Gives back what is held beyond so many bytes.
    pub fn shrink(&mut self, bytes: usize) {
        let wanted = units(bytes).min(self.buffers.units);
        if wanted == 0 {
            self.room = None;
        } else if let Some(more) = self.units().checked_sub(wanted)
            && let Some(room) = &mut self.room
        {
            drop(room.split(more as usize));
        }
    }

    /// Holds room for so many bytes from now on, if there is room; never before those who wait.
    pub fn try_hold(&mut self, bytes: usize) -> bool {
        match self.further(bytes) {
            0 => self.shrink(bytes),
            more => match Arc::clone(&self.buffers.room).try_acquire_many_owned(more) {
                Ok(more) => self.add(more),
                Err(_full) => return false,
            },
        }
        true
    }

    /// Holds room for so many bytes from now on; waits for it. Safe to drop while it waits.
    ///
    /// # Errors
    /// When this one holds room already and there was no more for too long.
    pub async fn hold(&mut self, bytes: usize) -> Result<(), Short> {
        if !self.try_hold(bytes) {
            let waits = Waits::begin(&self.buffers.waiting);
            let more = Arc::clone(&self.buffers.room).acquire_many_owned(self.further(bytes));
            let more = tokio::select! {
                // It is never closed.
                more = more => more.map_err(|_closed| Short)?,
                () = sleep(PATIENCE), if self.holds() => return Err(Short),
            };
            drop(waits);
            self.add(more);
        }
        Ok(())
    }

    /// Units beyond what is held. What is larger than the bound takes all of it.
    fn further(&self, bytes: usize) -> u32 {
        units(bytes).min(self.buffers.units).saturating_sub(self.units())
    }

    fn add(&mut self, more: OwnedSemaphorePermit) {
        match &mut self.room {
            Some(room) => room.merge(more),
            None => self.room = Some(more),
        }
        self.begin();
    }

    /// What is held begins to move.
    pub fn begin(&mut self) {
        (self.moved, self.since) = (0, Instant::now());
    }

    /// So many bytes of it moved.
    pub fn moved(&mut self, bytes: usize) {
        self.moved = self.moved.saturating_add(bytes);
    }

    /// Ends once somebody waits for room and what is held here did not move. To be waited for beside what moves it.
    pub async fn stuck(&mut self) -> Short {
        while self.holds() {
            sleep_until(self.since + WINDOW).await;
            let enough = self.moved >= self.units() as usize * UNIT / PART;
            self.begin();
            if !enough && self.buffers.short() {
                return Short;
            }
        }
        std::future::pending().await
    }
}

/// One who waits.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    const MIB: usize = 1024 * 1024;

    #[tokio::test]
    async fn room_is_given_whole_in_turn_and_given_back() {
        let buffers = Buffers::new(4 * MIB);
        let (mut first, mut second, mut third) = (buffers.charge(), buffers.charge(), buffers.charge());
        first.hold(3 * MIB).await.unwrap();
        assert_eq!(buffers.held(), 3 * MIB);
        third
            .hold(LITTLE)
            .now_or_never()
            .expect("little is free")
            .unwrap();
        assert!(!buffers.short());
        {
            let waiting = second.hold(2 * MIB);
            tokio::pin!(waiting);
            assert!(waiting.as_mut().now_or_never().is_none());
            assert!(buffers.short());
            assert!(!third.try_hold(MIB), "nobody overtakes who waits");
            first.shrink(2 * MIB);
            waiting.await.unwrap();
        }
        assert!(!buffers.short());
        drop((first, second, third));
        assert_eq!(buffers.held(), 0);
        let mut huge = buffers.charge();
        let all = huge.hold(100 * MIB).now_or_never();
        all.expect("what is larger than the bound takes it all").unwrap();
        assert_eq!(buffers.held(), 4 * MIB);
    }

    #[tokio::test]
    async fn while_somebody_waits_whoever_does_not_move_is_stuck() {
        let buffers = Buffers::new(4 * MIB);
        let (mut still, mut moving, mut waiting) = (buffers.charge(), buffers.charge(), buffers.charge());
        still.hold(2 * MIB).await.unwrap();
        moving.hold(MIB).await.unwrap();
        let a_while = Duration::from_secs(3);
        let left = tokio::time::timeout(a_while, still.stuck()).await;
        assert!(left.is_err(), "nobody waits");
        let waits = async {
            waiting.hold(3 * MIB).await.unwrap();
        };
        let ends = async {
            tokio::task::yield_now().await;
            moving.begin();
            for _tick in 0..20 {
                let pause = tokio::time::timeout(Duration::from_millis(100), moving.stuck());
                assert!(pause.await.is_err(), "it moves");
                moving.moved(MIB / 100);
            }
            assert_eq!(still.stuck().await, Short);
            drop(still);
        };
        tokio::join!(waits, ends);
        let mut another = buffers.charge();
        let waits = async { another.hold(MIB).await.unwrap() };
        let trickles = async {
            let pause = Duration::from_millis(900);
            while tokio::time::timeout(pause, moving.stuck()).await.is_err() {
                moving.moved(1);
            }
            drop(moving);
        };
        let both = async { tokio::join!(waits, trickles) };
        let ended = tokio::time::timeout(a_while * 3, both).await;
        ended.expect("a byte now and then is no movement");
    }

    #[tokio::test]
    async fn whoever_waits_with_room_in_hand_gives_up() {
        let buffers = Buffers::new(4 * MIB);
        let (mut one, mut other) = (buffers.charge(), buffers.charge());
        one.hold(2 * MIB).await.unwrap();
        other.hold(2 * MIB).await.unwrap();
        assert_eq!(one.hold(3 * MIB).await, Err(Short));
        drop(one);
        other.hold(4 * MIB).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_waits_is_woken_and_nothing_is_lost() {
        let buffers = Buffers::new(8 * MIB);
        let each = (0..16).map(|at| {
            let buffers = Arc::clone(&buffers);
            tokio::spawn(async move {
                for round in 0..200 {
                    let mut charge = buffers.charge();
                    charge.hold(MIB * (1 + (at + round) % 4)).await.unwrap();
                    tokio::task::yield_now().await;
                    charge.shrink(MIB / 2);
                }
            })
        });
        let all = futures_util::future::join_all(each.collect::<Vec<_>>());
        let ended = tokio::time::timeout(Duration::from_secs(60), all).await;
        assert!(ended.expect("nobody waits for ever").iter().all(Result::is_ok));
        assert_eq!(buffers.held(), 0);
    }
}
