//! One partition on its way through a worker: what is done, in which order, and where a rewind goes. Pure.
//!
//! Records leave a partition in the order in which they came, also when a later one's call is answered first: a record waits
//! behind those before it.

use std::collections::VecDeque;

use super::engine::{Header, Outcome, OwnedHeader, Record, Seen};

/// A call under way.
pub type CallId = u64;

/// A record as it came, kept while something of it is under way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Original {
    pub offset: i64,
    pub timestamp_ms: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<OwnedHeader>,
}

impl Original {
    /// A copy of a record.
    pub fn of(record: &Record<'_>) -> Self {
        let headers = record.headers.iter().map(|it| OwnedHeader {
            name: it.name.to_owned(),
            value: it.value.map(<[u8]>::to_vec),
        });
        Self {
            offset: record.offset,
            timestamp_ms: record.timestamp_ms,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers: headers.collect(),
        }
    }

    /// The headers as a record has them.
    pub fn headers(&self) -> Vec<Header<'_>> {
        let headers = self.headers.iter().map(|it| Header {
            name: &it.name,
            value: it.value.as_deref(),
        });
        headers.collect()
    }

    fn bytes(&self) -> usize {
        let headers = self.headers.iter();
        let headers: usize = headers
            .map(|it| it.name.len() + it.value.as_ref().map_or(0, Vec::len))
            .sum();
        self.key.as_ref().map_or(0, Vec::len) + self.value.as_ref().map_or(0, Vec::len) + headers + 128
    }
}

/// A record whose turn has not come.
#[derive(Debug)]
enum Slot {
    Done(Original, Outcome),
    Waits(CallId, Original),
}

/// One partition.
#[derive(Debug)]
pub struct Partition {
    /// What is committed: a rewind goes there.
    pub committed: i64,
    /// The first record that is not done: what the next commit says.
    pub done: i64,
    /// The next record that may come.
    pub next: i64,
    /// Records below only teach the deduplication.
    pub learn_until: i64,
    /// The newest time of a record that was done.
    pub newest_ms: i64,
    /// The same, committed.
    pub newest_committed_ms: i64,
    /// Every record that there is has come.
    pub at_end: bool,
    /// What the deduplication remembers.
    pub seen: Seen,
    /// What it remembers for good: everything below.
    settled: i64,
    /// Its place is not committed yet, though nothing was done: a job that begins at the end.
    pub begins: bool,
    waiting: VecDeque<Slot>,
    bytes: usize,
}

impl Partition {
    /// A partition that goes on at `committed`, of which the deduplication learns from `learn_from` on.
    pub fn at(committed: i64, learn_from: i64, newest_ms: i64, seen: Seen) -> Self {
        Self {
            committed,
            done: committed,
            next: learn_from.min(committed),
            learn_until: committed,
            newest_ms,
            newest_committed_ms: newest_ms,
            at_end: false,
            seen,
            settled: committed,
            begins: false,
            waiting: VecDeque::new(),
            bytes: 0,
        }
    }

    /// Records that wait for their turn.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Bytes of them.
    pub const fn waiting_bytes(&self) -> usize {
        self.bytes
    }

    /// Something was done that is not committed.
    pub const fn is_dirty(&self) -> bool {
        self.done > self.committed || self.begins
    }

    /// A record came; false: it was there before.
    pub const fn comes(&mut self, offset: i64) -> bool {
        let new = offset >= self.next;
        if new {
            self.next = offset + 1;
        }
        self.at_end = false;
        new
    }

    /// May a record pass at once? Nothing waits before it.
    pub fn is_clear(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Every record that came is done and committed, and every record that there is has come.
    pub fn is_drained(&self) -> bool {
        self.at_end && self.waiting.is_empty() && !self.is_dirty()
    }

    /// A record is done: it went where it goes.
    pub fn finish(&mut self, offset: i64, timestamp_ms: i64) {
        self.done = offset + 1;
        self.newest_ms = self.newest_ms.max(timestamp_ms);
    }

    /// A record's outcome waits for those before it.
    pub fn queue(&mut self, original: Original, outcome: Outcome) {
        self.bytes += original.bytes();
        self.waiting.push_back(Slot::Done(original, outcome));
    }

    /// A record's call is under way.
    pub fn wait(&mut self, call: CallId, original: Original) {
        self.bytes += original.bytes();
        self.waiting.push_back(Slot::Waits(call, original));
    }

    /// A call led to an outcome; false: nobody waits for it.
    pub fn answered(&mut self, call: CallId, outcome: Outcome) -> bool {
        let waits = |slot: &&mut Slot| matches!(slot, Slot::Waits(id, _) if *id == call);
        let Some(slot) = self.waiting.iter_mut().find(waits) else {
            return false;
        };
        if let Slot::Waits(_call, original) = slot {
            *slot = Slot::Done(std::mem::take(original), outcome);
        }
        true
    }

    /// The next record whose turn has come.
    pub fn pop(&mut self) -> Option<(Original, Outcome)> {
        if !matches!(self.waiting.front()?, Slot::Done(..)) {
            return None;
        }
        match self.waiting.pop_front()? {
            Slot::Done(original, outcome) => {
                self.bytes = self.bytes.saturating_sub(original.bytes());
                Some((original, outcome))
            }
            // Looked at above.
            Slot::Waits(..) => None,
        }
    }

    /// What was done is committed.
    pub fn commit(&mut self) {
        self.committed = self.done;
        self.newest_committed_ms = self.newest_ms;
        self.begins = false;
        if self.waiting.is_empty() {
            // With records in between, what was seen of them could not be told apart from what is committed.
            self.seen.settle();
            self.settled = self.committed;
        }
    }

    /// Nothing since the last commit has happened. Says from where records have to come again, if any do.
    pub fn rewind(&mut self) -> Option<i64> {
        if self.next <= self.learn_until {
            // It still learns, and has done nothing.
            return None;
        }
        self.seen.undo();
        self.at_end = false;
        self.done = self.committed;
        // What is committed and forgotten is learned once more.
        self.next = self.settled;
        self.learn_until = self.committed;
        self.newest_ms = self.newest_committed_ms;
        self.waiting.clear();
        self.bytes = 0;
        Some(self.next)
    }

    /// A record below `learn_until` was learned: it stays, whatever is taken back later.
    pub fn learned(&mut self, offset: i64, timestamp_ms: i64) {
        self.newest_ms = self.newest_ms.max(timestamp_ms);
        self.newest_committed_ms = self.newest_ms;
        self.seen.settle();
        self.settled = self.settled.max(offset + 1);
    }
}

/// What is kept beside a committed offset: the newest time of what is done, so that a window can be found again.
#[must_use]
pub fn note(newest_ms: i64) -> String {
    format!("weir/1 {newest_ms}")
}

/// Reads it; `None`: somebody else committed.
#[must_use]
pub fn read_note(text: &str) -> Option<i64> {
    text.strip_prefix("weir/1 ")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::processor::engine::Engine;
    use crate::processor::spec::tests::sample;

    fn partition(committed: i64) -> Partition {
        let spec = sample();
        let engine = Engine::build(&spec.program, &spec.secrets).unwrap();
        Partition::at(committed, committed, 0, engine.seen())
    }

    fn original(offset: i64) -> Original {
        Original {
            offset,
            value: Some(vec![0; 10]),
            ..Original::default()
        }
    }

    const GONE: Outcome = Outcome::Dropped { step: None };

    #[test]
    fn records_leave_in_the_order_in_which_they_came() {
        let mut it = partition(5);
        for offset in 5..9 {
            assert!(it.comes(offset));
        }
        it.wait(1, original(5));
        it.queue(original(6), GONE);
        it.wait(2, original(7));
        it.queue(original(8), GONE);
        assert!(it.pop().is_none() && !it.is_clear());
        assert!(it.answered(2, GONE));
        assert!(it.pop().is_none(), "the first one still waits");
        assert!(it.answered(1, GONE));
        assert!(!it.answered(1, GONE), "once");
        let order: Vec<i64> = std::iter::from_fn(|| it.pop())
            .map(|(it, _outcome)| it.offset)
            .collect();
        assert_eq!(order, [5, 6, 7, 8]);
        assert_eq!((it.waiting(), it.waiting_bytes()), (0, 0));
    }

    #[test]
    fn a_rewind_goes_to_what_is_committed() {
        let mut it = partition(5);
        assert!(it.comes(5));
        it.finish(5, 100);
        assert!(it.is_dirty());
        it.commit();
        assert!(it.comes(6) && it.comes(7));
        it.finish(6, 200);
        it.wait(3, original(7));
        assert_eq!(it.rewind(), Some(6));
        assert_eq!((it.committed, it.done, it.next, it.newest_ms), (6, 6, 6, 100));
        assert!(it.is_clear() && !it.answered(3, GONE));
        assert!(it.comes(6), "it comes again");
        assert!(!it.comes(6), "and only once");
    }

    #[test]
    fn a_partition_that_learns_has_nothing_to_take_back() {
        let spec = sample();
        let engine = Engine::build(&spec.program, &spec.secrets).unwrap();
        let mut it = Partition::at(10, 4, 50, engine.seen());
        assert!(it.comes(4));
        it.learned(4, 60);
        assert_eq!(it.rewind(), None);
        assert_eq!((it.next, it.done, it.newest_ms), (5, 10, 60));
        assert!(!it.is_dirty());
    }

    #[test]
    fn what_is_committed_before_its_turn_to_be_remembered_is_learned_again() {
        let mut it = partition(5);
        assert!(it.comes(5) && it.comes(6));
        it.finish(5, 100);
        it.wait(1, original(6));
        it.commit();
        assert_eq!(
            it.rewind(),
            Some(5),
            "the first one taught something that was not settled"
        );
        assert_eq!((it.committed, it.learn_until), (6, 6));
        assert!(it.comes(5));
        it.learned(5, 100);
        assert!(it.comes(6));
        it.finish(6, 110);
        it.commit();
        assert_eq!(it.rewind(), Some(7));
    }

    #[test]
    fn a_note_is_read_again_and_nobody_elses() {
        assert_eq!(read_note(&note(-5)), Some(-5));
        assert_eq!(read_note(""), None);
        assert_eq!(read_note("weir/2 5"), None);
    }
}
