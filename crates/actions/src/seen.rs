//! What a deduplicating step remembers of one partition.
//!
//! The promise: a record is a duplicate if a record with the same key was there before it in its partition, both have timestamps
//! no older than `window_ms` before the newest timestamp of the partition so far, and fewer than `keys_max` other keys were seen
//! between them. That is all: what is older, or farther back, is not known any more and passes.
//!
//! It says nothing of when a process was started, so that what is remembered can be rebuilt: after a crash the host tells the plan
//! ([`Plan::learn`](crate::Plan::learn)) all records from the first whose timestamp is no older than `window_ms` before the newest
//! one (Kafka finds that offset by the timestamp) up to where it goes on.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hasher as _};

use crate::plan::Window;

/// A key, as 128 bits of it.
pub(crate) type Hashed = u128;

/// What a deduplicating step remembers of one partition. The host owns it.
#[derive(Debug, Clone)]
pub struct Seen {
    window: Window,
    keys: HashMap<Hashed, Sighting>,
    /// Keys by their last sighting.
    order: BTreeMap<u64, Hashed>,
    next: u64,
    newest_ms: i64,
    /// How to go back to where [`settle`](Self::settle) was called.
    undo: Vec<Undo>,
    newest_settled_ms: i64,
}

#[derive(Debug, Clone, Copy)]
struct Sighting {
    timestamp_ms: i64,
    offset: i64,
    /// Its place in the order.
    order: u64,
}

/// What a key was before.
#[derive(Debug, Clone, Copy)]
struct Undo {
    key: Hashed,
    before: Option<Sighting>,
}

impl Seen {
    pub(crate) fn new(window: Window) -> Self {
        Self {
            window,
            keys: HashMap::new(),
            order: BTreeMap::new(),
            next: 0,
            newest_ms: i64::MIN,
            undo: Vec::new(),
            newest_settled_ms: i64::MIN,
        }
    }

    /// How many keys are remembered.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// What was seen so far stays: the transaction of the host was committed. Called after each, for what could be undone is kept
    /// until then.
    pub fn settle(&mut self) {
        self.undo.clear();
        self.newest_settled_ms = self.newest_ms;
    }

    /// Forgets what was seen since it was settled: the transaction was aborted, and the records will come again.
    pub fn undo(&mut self) {
        while let Some(Undo { key, before }) = self.undo.pop() {
            if let Some(now) = self.keys.remove(&key) {
                self.order.remove(&now.order);
            }
            if let Some(before) = before {
                self.order.insert(before.order, key);
                self.keys.insert(key, before);
            }
        }
        self.newest_ms = self.newest_settled_ms;
    }

    /// Whether a key was there before, and remembers it.
    pub(crate) fn look(&mut self, key: Hashed, timestamp_ms: i64, offset: i64) -> bool {
        self.newest_ms = self.newest_ms.max(timestamp_ms);
        let oldest_ms = self.newest_ms.saturating_sub(self.window.window_ms);
        let before = self.keys.get(&key).copied();
        let is_duplicate = before.is_some_and(|it| {
            it.timestamp_ms >= oldest_ms && timestamp_ms >= oldest_ms && it.offset < offset
        });
        let now = Sighting {
            timestamp_ms: before.map_or(timestamp_ms, |it| it.timestamp_ms.max(timestamp_ms)),
            offset: before.map_or(offset, |it| it.offset.max(offset)),
            order: self.next,
        };
        self.next += 1;
        self.put(key, before, now);
        self.forget(oldest_ms);
        is_duplicate
    }

    fn put(&mut self, key: Hashed, before: Option<Sighting>, now: Sighting) {
        if let Some(before) = before {
            self.order.remove(&before.order);
        }
        self.order.insert(now.order, key);
        self.keys.insert(key, now);
        self.undo.push(Undo { key, before });
    }

    /// Keys beyond the bounds, the longest unseen first.
    fn forget(&mut self, oldest_ms: i64) {
        while let Some((order, key)) = self.order.first_key_value().map(|(order, key)| (*order, *key)) {
            let expired = self
                .keys
                .get(&key)
                .is_none_or(|sighting| sighting.timestamp_ms < oldest_ms);
            if self.keys.len() <= self.window.keys_max && !expired {
                return;
            }
            self.order.remove(&order);
            let before = self.keys.remove(&key);
            self.undo.push(Undo { key, before });
        }
    }
}

/// 128 bits of a key: two hashes that begin differently.
pub(crate) fn hashed(key: &[u8]) -> Hashed {
    let half = |first: u8| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(first);
        hasher.write(key);
        hasher.finish()
    };
    (u128::from(half(1)) << 64) | u128::from(half(2))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WINDOW: Window = Window {
        window_ms: 10,
        keys_max: 4,
    };

    #[test]
    fn a_key_is_a_duplicate_within_window_and_room() {
        let mut seen = Seen::new(WINDOW);
        for (offset, (key, at, expected)) in [
            (1, 0, false),
            (1, 10, true),
            (1, 20, true),
            (1, 31, false),
            (2, 5, false),
            (2, 31, false),
            (2, 32, true),
            (3, 32, false),
            (4, 32, false),
            (5, 32, false),
            (1, 32, true),
            (6, 32, false),
            (2, 32, false),
            (3, 32, false),
        ]
        .into_iter()
        .enumerate()
        {
            let offset = i64::try_from(offset).expect("it fits");
            assert_eq!(
                seen.look(key, at, offset),
                expected,
                "key {key} at {at}, offset {offset}"
            );
            assert!(seen.len() <= 4);
        }
    }

    #[test]
    fn the_same_record_again_is_no_duplicate_of_itself() {
        let mut seen = Seen::new(WINDOW);
        assert!(!seen.look(1, 0, 7));
        assert!(!seen.look(1, 0, 7));
        assert!(seen.look(1, 0, 8));
    }

    fn records() -> impl Strategy<Value = Vec<(Hashed, i64)>> {
        // Time goes on, with some records late.
        prop::collection::vec((0..8_u128, -6..4_i64), 1..120).prop_map(|steps| {
            let mut now = 100;
            let timed = steps.into_iter().map(|(key, step)| {
                now += step.max(0);
                (key, now + step.min(0) * 2)
            });
            timed.collect()
        })
    }

    proptest! {
        /// Rebuilt from the window alone, it answers as if nothing had happened.
        #[test]
        fn the_window_is_rebuilt_by_reading_it_again(records in records(), cut in 0..120_usize) {
            let cut = cut.min(records.len());
            let mut undisturbed = Seen::new(WINDOW);
            let answers: Vec<bool> = (0_i64..).zip(&records)
                .map(|(offset, (key, at))| undisturbed.look(*key, *at, offset)).collect();
            let newest = records[..cut].iter().map(|(_key, at)| *at).max().unwrap_or(0);
            let start = records.iter().position(|(_key, at)| *at >= newest - WINDOW.window_ms).unwrap_or(cut).min(cut);
            let mut rebuilt = Seen::new(WINDOW);
            for (offset, (key, at)) in (0_i64..).zip(&records) {
                let place = usize::try_from(offset).expect("it fits");
                if place < start {
                    continue;
                }
                let answer = rebuilt.look(*key, *at, offset);
                if place >= cut {
                    prop_assert_eq!(answer, answers[place], "record {}", place);
                }
            }
        }

        /// What is undone never was.
        #[test]
        fn an_aborted_transaction_leaves_nothing(records in records(), cut in 0..120_usize, end in 0..120_usize) {
            let (cut, end) = (cut.min(records.len()), end.min(records.len()));
            let mut seen = Seen::new(WINDOW);
            let look = |seen: &mut Seen, from: usize, to: usize| -> Vec<bool> {
                (from..to).map(|at| seen.look(records[at].0, records[at].1, i64::try_from(at).expect("it fits"))).collect()
            };
            look(&mut seen, 0, cut);
            seen.settle();
            let first = look(&mut seen, cut, end.max(cut));
            seen.undo();
            prop_assert_eq!(look(&mut seen, cut, end.max(cut)), first);
        }
    }
}
