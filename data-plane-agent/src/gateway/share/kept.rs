//! What came of batches that were looked at, so that many consumers of a share cost one evaluation.

use quick_cache::Weighter;
use quick_cache::sync::{Cache, GuardResult};
use std::time::Duration;

use super::lens::Digest;
use crate::gateway::contract::sift::Left;

/// Bytes that are kept, of all shares of a gateway.
const BYTES_MAX: u64 = 64 << 20;
/// What an entry takes beside its batch, about.
const ENTRY_BYTES: u64 = 160;
/// How many batches that may be.
const BATCHES: usize = 16 * 1024;
/// For how long somebody else's evaluation is awaited beside the clients.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// One batch of one partition, behind one lens. The checksum tells apart what stood at an offset before and after a log was cut.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Which {
    /// Of the lens, and so of the share.
    pub lens: Digest,
    /// The lens alone does not say whether dead letters are withheld, too.
    pub dead: bool,
    /// The partition.
    pub partition: i32,
    /// The batch's first offset.
    pub offset: i64,
    /// Its checksum.
    pub checksum: u32,
    /// Its length.
    pub bytes: usize,
}

/// What came of batches, in memory, bounded by bytes.
#[derive(Debug)]
pub struct Kept(Cache<Which, Left, Weigh>);

#[derive(Debug, Clone)]
struct Weigh;

impl Weighter<Which, Left> for Weigh {
    fn weight(&self, _which: &Which, left: &Left) -> u64 {
        ENTRY_BYTES
            + match left {
                Left::Some(batch) => batch.len() as u64,
                Left::All | Left::Nothing => 0,
            }
    }
}

impl Default for Kept {
    fn default() -> Self {
        Self::of(BYTES_MAX)
    }
}

impl Kept {
    /// With room for so many bytes.
    #[must_use]
    pub fn of(bytes: u64) -> Self {
        Self(Cache::with_weighter(BATCHES, bytes, Weigh))
    }

    /// What came of a batch, now if nobody knows. Whoever may wait does so for another who looks at the same batch; to whoever
    /// may not, that is as if it took long.
    ///
    /// # Errors
    /// As `look` says, and when another one is at it.
    pub fn of_batch<E>(
        &self,
        which: &Which,
        may_wait: bool,
        busy: E,
        look: impl FnOnce() -> Result<Left, E>,
    ) -> Result<Left, E> {
        let wait = if may_wait { WAIT_MAX } else { Duration::ZERO };
        match self.0.get_value_or_guard(which, Some(wait)) {
            GuardResult::Value(left) => Ok(left),
            GuardResult::Guard(guard) => {
                let left = look()?;
                // Where there is no room, the next one looks again.
                let _not_kept = guard.insert(left.clone());
                Ok(left)
            }
            GuardResult::Timeout if may_wait => look(),
            GuardResult::Timeout => Err(busy),
        }
    }

    /// How many batches are known.
    #[cfg(test)]
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Bytes that are taken, about.
    #[cfg(test)]
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.weight()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn which(offset: i64) -> Which {
        Which {
            lens: [1; 32],
            dead: false,
            partition: 0,
            offset,
            checksum: 7,
            bytes: 70,
        }
    }

    #[test]
    fn each_batch_is_looked_at_once_and_what_is_kept_is_bounded() {
        let kept = Kept::of(100 * (1000 + ENTRY_BYTES));
        let mut looked = 0;
        for _reader in 0..3 {
            for offset in 0..10 {
                let left = kept.of_batch(&which(offset), false, (), || {
                    looked += 1;
                    Ok(Left::Some(vec![0; 1000].into()))
                });
                assert!(matches!(left, Ok(Left::Some(it)) if it.len() == 1000));
            }
        }
        assert_eq!((looked, kept.len()), (10, 10));
        for offset in 10..10_000 {
            let _left = kept.of_batch(&which(offset), false, (), || Ok(Left::Some(vec![0; 1000].into())));
        }
        assert!(kept.bytes() <= 100 * (1000 + ENTRY_BYTES), "{}", kept.bytes());
    }

    #[test]
    fn whoever_may_not_wait_is_told_that_another_is_at_it_and_a_pause_is_not_kept() {
        let kept = Kept::default();
        let left = kept.of_batch(&which(0), false, "busy", || {
            let other = kept.of_batch(&which(0), false, "busy", || Ok(Left::All));
            assert!(matches!(other, Err("busy")));
            Err("pause")
        });
        assert!(matches!(left, Err("pause")));
        assert!(matches!(
            kept.of_batch(&which(0), true, "busy", || Ok(Left::All)),
            Ok(Left::All)
        ));
    }
}
