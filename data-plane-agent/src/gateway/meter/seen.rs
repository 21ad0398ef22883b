//! Which batches of idempotent producers were counted: a retry that the broker already has is acknowledged again, and
//! must not count again.

use std::collections::HashMap;
use std::sync::Arc;

use super::batch::Producer;

/// The broker remembers five batches per producer and partition; so many retries can be in flight.
const SEQUENCES: usize = 8;
/// Producers and partitions remembered in each of two generations.
const LIMIT: usize = 50_000;

/// (topic id, partition, producer id, epoch).
type Line = (Arc<str>, i32, i64, i16);

/// The batches counted last.
#[derive(Debug, Default)]
pub struct Seen {
    /// In use.
    young: HashMap<Line, Recent>,
    /// Those of the generation before: forgotten as a whole when `young` is full.
    old: HashMap<Line, Recent>,
}

#[derive(Debug, Clone, Copy)]
struct Recent {
    sequences: [i32; SEQUENCES],
    next: usize,
}

impl Seen {
    /// Notes a batch; true when it is new.
    pub fn first_time(&mut self, topic: &Arc<str>, partition: i32, producer: Producer) -> bool {
        let line = (Arc::clone(topic), partition, producer.id, producer.epoch);
        if self.young.len() >= LIMIT && !self.young.contains_key(&line) {
            self.old = std::mem::take(&mut self.young);
        }
        let recalled = self.old.remove(&line);
        let recent = self.young.entry(line).or_insert_with(|| {
            recalled.unwrap_or(Recent {
                sequences: [-1; SEQUENCES],
                next: 0,
            })
        });
        if recent.sequences.contains(&producer.sequence) {
            return false;
        }
        recent.sequences[recent.next] = producer.sequence;
        recent.next = (recent.next + 1) % SEQUENCES;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn producer(id: i64, epoch: i16, sequence: i32) -> Producer {
        Producer { id, epoch, sequence }
    }

    #[test]
    fn a_retry_is_not_new_but_everything_else_is() {
        let (mut seen, topic) = (Seen::default(), Arc::from("topic"));
        assert!(seen.first_time(&topic, 0, producer(1, 0, 0)));
        assert!(!seen.first_time(&topic, 0, producer(1, 0, 0)));
        assert!(seen.first_time(&topic, 0, producer(1, 0, 10)));
        assert!(!seen.first_time(&topic, 0, producer(1, 0, 0)));
        assert!(seen.first_time(&topic, 1, producer(1, 0, 0)));
        assert!(seen.first_time(&topic, 0, producer(2, 0, 0)));
        assert!(seen.first_time(&topic, 0, producer(1, 1, 0)));
        assert!(seen.first_time(&Arc::from("other"), 0, producer(1, 0, 0)));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_recent_survives() {
        let (mut seen, topic) = (Seen::default(), Arc::from("topic"));
        assert!(seen.first_time(&topic, 0, producer(-7, 0, 3)));
        for id in 0..(LIMIT as i64) {
            assert!(seen.first_time(&topic, 0, producer(id, 0, 0)));
        }
        assert!(!seen.first_time(&topic, 0, producer(-7, 0, 3)));
        for id in 0..(3 * LIMIT as i64) {
            seen.first_time(&topic, 0, producer(id, 1, 0));
        }
        assert!(seen.young.len() + seen.old.len() <= 2 * LIMIT);
    }
}
