//! What was read of a topic under DLQ, and the dead letters in it. Pure.

use std::collections::HashSet;

use crate::gateway::contract::BATCH_MAX;
use crate::gateway::contract::mark::WITHHELD;
use crate::gateway::contract::records::{self, Head, Record, Records};
use crate::gateway::contract::unpack::{Codec, unpack};
use crate::platform::logs::Read;

use super::letter::{Letter, Origin};
use super::routes::Route;

const HEADER: usize = records::HEADER;
const PREFIX: usize = 12;
const TRANSACTIONAL: u16 = 0x10;
/// Records have the time at which the broker took their batch, whatever they say.
const APPEND_TIME: u16 = 0x08;
/// The key of a marker: version 0, and 0 for a transaction that was given up.
const GIVEN_UP: [u8; 4] = [0, 0, 0, 0];

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Dead letters, in their order.
    pub letters: Vec<Letter>,
    /// What is to be read next.
    pub next: i64,
    /// A batch is not what its checksum says.
    pub corrupt: bool,
}

/// Finds the dead letters from `from` on, of at most `room` bytes; that much less room is left. What stands in
/// transactions that were given up, was never written.
#[must_use]
pub fn scan(route: &Route, read: &Read, from: i64, room: &mut usize) -> Scanned {
    let mut letters = Vec::new();
    let walked = walk(read, from, &mut |at, record, codec| {
        if record.header(WITHHELD).is_none() {
            return true;
        }
        let letter = Letter::of(route, at, codec, record);
        let fits = has_room(room, letter.bytes(), letters.is_empty());
        if fits {
            letters.push(letter);
        }
        fits
    });
    Scanned {
        letters,
        next: walked.next,
        corrupt: walked.corrupt,
    }
}

/// Whether there is room for one more, which is then less; the first has room in any case.
pub fn has_room(room: &mut usize, bytes: usize, is_first: bool) -> bool {
    let fits = bytes <= *room || is_first;
    *room = if fits { room.saturating_sub(bytes) } else { 0 };
    fits
}

/// How far a walk came.
#[derive(Debug, PartialEq, Eq)]
pub struct Walked {
    /// What is to be read next.
    pub next: i64,
    /// A batch is not what its checksum says.
    pub corrupt: bool,
}

/// Every committed record from `from` on, until `take` wants no more (it is then the next to be read).
pub fn walk(read: &Read, from: i64, take: &mut dyn FnMut(Origin, &Record<'_>, Codec) -> bool) -> Walked {
    let mut aborted = read.aborted.clone();
    aborted.sort_unstable_by_key(|(_producer, first)| std::cmp::Reverse(*first));
    let mut given_up: HashSet<i64> = HashSet::new();
    let mut walked = Walked {
        next: from,
        corrupt: false,
    };
    let mut rest: &[u8] = &read.records;
    while let Some((entry, after)) = entry(rest) {
        rest = after;
        let base = i64::from_be_bytes(number(entry, 0));
        if entry.len() < HEADER || entry[16] < 2 {
            // Older than headers: nothing of it can be withheld.
            walked.next = walked.next.max(base.saturating_add(1));
            continue;
        }
        let last = base.saturating_add(i64::from(i32::from_be_bytes(number(entry, 23))));
        while let Some((producer, _first)) = aborted.pop_if(|(_producer, first)| *first <= last) {
            given_up.insert(producer);
        }
        if last >= from {
            let Some(head) = records::head(entry).filter(|it| it.whole) else {
                walked.corrupt = true;
                return walked;
            };
            let batch = Batch {
                partition: read.part.1,
                base,
                attributes: u16::from_be_bytes(number(entry, 21)),
                first_at: i64::from_be_bytes(number(entry, 27)),
                last_at: i64::from_be_bytes(number(entry, 35)),
                producer: i64::from_be_bytes(number(entry, 43)),
            };
            if let Some(stopped) = batch.records(head, from, &mut given_up, take) {
                walked.next = stopped;
                return walked;
            }
        }
        walked.next = walked.next.max(last.saturating_add(1));
    }
    walked
}

/// The next batch, and what follows; `None` when it is not whole.
fn entry(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let length: [u8; 4] = rest.get(8..)?.first_chunk().copied()?;
    let length = usize::try_from(i32::from_be_bytes(length)).ok()?;
    let (entry, after) = rest.split_at_checked(PREFIX.checked_add(length)?)?;
    // Magic is the last that batches of all ages have in common.
    (entry.len() > 16).then_some((entry, after))
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let found = bytes.get(at..).and_then(|it| it.first_chunk());
    found.copied().unwrap_or([0; N])
}

struct Batch {
    partition: i32,
    base: i64,
    attributes: u16,
    first_at: i64,
    last_at: i64,
    producer: i64,
}

impl Batch {
    /// Says at which offset it was stopped.
    fn records(
        &self,
        head: Head<'_>,
        from: i64,
        given_up: &mut HashSet<i64>,
        take: &mut dyn FnMut(Origin, &Record<'_>, Codec) -> bool,
    ) -> Option<i64> {
        let Head {
            codec: Some(codec),
            control,
            count: Some(count),
            packed,
            whole: _,
        } = head
        else {
            // What cannot be read was not marked.
            return None;
        };
        if control {
            let marker = Records::new(packed, count).next();
            if marker.is_some_and(|it| it.is_ok_and(|it| it.key == Some(&GIVEN_UP[..]))) {
                given_up.remove(&self.producer);
            }
            return None;
        }
        if self.attributes & TRANSACTIONAL != 0 && given_up.contains(&self.producer) {
            return None;
        }
        let unpacked = if codec == Codec::None {
            None
        } else {
            Some(unpack(codec, packed, BATCH_MAX).ok()?)
        };
        for record in Records::new(unpacked.as_deref().unwrap_or(packed), count) {
            let Ok(record) = record else { return None };
            let offset = self.base.saturating_add(i64::from(record.offset_delta));
            let timestamp = if self.attributes & APPEND_TIME != 0 {
                self.last_at
            } else {
                self.first_at.saturating_add(record.timestamp_delta)
            };
            let at = Origin {
                partition: self.partition,
                offset,
                timestamp,
            };
            if offset >= from && !take(at, &record, codec) {
                return Some(offset);
            }
        }
        None
    }
}
