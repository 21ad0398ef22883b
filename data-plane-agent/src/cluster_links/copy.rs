//! What of the source's records is written to the copy. Pure.
//!
//! Markers of transactions, and what stands in transactions that were given up, are left out. Keys, values, headers, timestamps and the codec
//! stay. Large batches without gaps keep their packed records byte for byte; others are unpacked, and their records written anew one behind
//! the other: brokers take no gaps from producers, and many small batches cost a call each.

use std::collections::HashSet;

use super::pack::{Batch, Packing};
use crate::gateway::contract::BATCH_MAX;
use crate::gateway::contract::records::{self, HEADER, Head, Records};
use crate::gateway::contract::unpack::{Codec, unpack};
use crate::platform::logs::Read;

/// Bytes in front of what a batch's length counts.
const PREFIX: usize = 12;
pub(super) const TRANSACTIONAL: u16 = 0x10;
/// Records have the time at which the broker took their batch, whatever they say.
const APPEND_TIME: u16 = 0x08;
/// The key of a marker: version 0, and 0 for a transaction that was given up.
const GIVEN_UP: [u8; 4] = [0, 0, 0, 0];
/// From this size on a batch is copied as it is packed.
const LARGE: usize = 16 * 1024;

/// Why it does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// Bytes are not what their checksum or their lengths say.
    Corrupt,
    /// Records of before Kafka 0.11, or packed in a way that is not known.
    Unknown,
}

/// What was found in a read.
#[derive(Debug, Default)]
pub struct Copied {
    /// In their order.
    pub batches: Vec<Batch>,
    /// What is to be read next, in the source.
    pub next: i64,
    /// What stands at `next` cannot be read.
    pub stopped: Option<Unreadable>,
}

/// Takes everything committed from `from` on.
#[must_use]
pub fn copy(read: &Read, from: i64) -> Copied {
    let mut aborted = read.aborted.clone();
    aborted.sort_unstable_by_key(|(_producer, first)| std::cmp::Reverse(*first));
    let mut found = Found {
        given_up: HashSet::new(),
        packing: Packing::default(),
        next: from,
    };
    let (mut rest, mut stopped): (&[u8], _) = (&read.records, None);
    while let Some((entry, after)) = entry(rest) {
        rest = after;
        if entry[16] != 2 {
            stopped = Some(Unreadable::Unknown);
            break;
        }
        let Some((base, last)) = records::offsets(entry).filter(|(_base, last)| *last < i64::MAX) else {
            stopped = Some(Unreadable::Corrupt);
            break;
        };
        while let Some((producer, _first)) = aborted.pop_if(|(_producer, first)| *first <= last) {
            found.given_up.insert(producer);
        }
        if last >= found.next {
            if let Err(reason) = found.take(entry, base, last) {
                stopped = Some(reason);
                break;
            }
            found.next = last + 1;
        }
    }
    match found.packing.finish() {
        Some(batches) => Copied {
            batches,
            next: found.next,
            stopped,
        },
        // Nothing of it rather than a part.
        None => Copied {
            batches: Vec::new(),
            next: from,
            stopped: Some(Unreadable::Corrupt),
        },
    }
}

/// The next batch, and what follows; `None` when it is not whole.
fn entry(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let length: [u8; 4] = rest.get(8..)?.first_chunk().copied()?;
    let length = usize::try_from(i32::from_be_bytes(length)).ok()?;
    let (entry, after) = rest.split_at_checked(PREFIX.checked_add(length)?)?;
    // Magic is the last that batches of all ages have in common.
    (entry.len() > 16).then_some((entry, after))
}

pub(super) fn number<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let found = bytes.get(at..).and_then(|it| it.first_chunk());
    found.copied().unwrap_or([0; N])
}

struct Found {
    given_up: HashSet<i64>,
    packing: Packing,
    next: i64,
}

impl Found {
    fn take(&mut self, entry: &[u8], base: i64, last: i64) -> Result<(), Unreadable> {
        let head = records::head(entry).filter(|it| it.whole && entry.len() >= HEADER);
        let head = head.ok_or(Unreadable::Corrupt)?;
        let codec = head.codec.ok_or(Unreadable::Unknown)?;
        let count = head.count.ok_or(Unreadable::Corrupt)?;
        let attributes = u16::from_be_bytes(number(entry, 21));
        let producer = i64::from_be_bytes(number(entry, 43));
        if head.control {
            let marker = Records::new(head.packed, count).next();
            if marker.is_some_and(|it| it.is_ok_and(|it| it.key == Some(&GIVEN_UP[..]))) {
                self.given_up.remove(&producer);
            }
            return Ok(());
        }
        if attributes & TRANSACTIONAL != 0 && self.given_up.contains(&producer) {
            return Ok(());
        }
        if count == 0 {
            return Ok(());
        }
        let even = last - base == i64::from(count) - 1 && base >= self.next;
        if even && attributes & APPEND_TIME == 0 && head.packed.len() >= LARGE && is_even(&head, count) {
            let times = (
                i64::from_be_bytes(number(entry, 27)),
                i64::from_be_bytes(number(entry, 35)),
            );
            self.packing.whole(codec, head.packed, count, times, base);
            return Ok(());
        }
        self.unpacked(entry, &head, codec, attributes)
    }

    fn unpacked(
        &mut self,
        entry: &[u8],
        head: &Head<'_>,
        codec: Codec,
        attributes: u16,
    ) -> Result<(), Unreadable> {
        let base = i64::from_be_bytes(number(entry, 0));
        let (first_at, last_at) = (
            i64::from_be_bytes(number(entry, 27)),
            i64::from_be_bytes(number(entry, 35)),
        );
        let opened;
        let plain = if codec == Codec::None {
            head.packed
        } else {
            opened = unpack(codec, head.packed, BATCH_MAX).map_err(|_why| Unreadable::Corrupt)?;
            &opened
        };
        let count = head.count.unwrap_or(0);
        // All of a batch or nothing: what was taken of one that is broken would come again.
        if Records::new(plain, count).any(|it| it.is_err()) {
            return Err(Unreadable::Corrupt);
        }
        let mut reached = self.next;
        for record in Records::new(plain, count).flatten() {
            let offset = base.saturating_add(i64::from(record.offset_delta));
            // Nothing comes twice, whatever the batch says.
            if offset < reached {
                continue;
            }
            reached = offset.saturating_add(1);
            let at = if attributes & APPEND_TIME != 0 {
                last_at
            } else {
                first_at.saturating_add(record.timestamp_delta)
            };
            self.packing.record(codec, at, offset, &record);
        }
        Ok(())
    }
}

/// Whether records follow one another without a gap. Of packed ones brokers look themselves.
fn is_even(head: &Head<'_>, count: u32) -> bool {
    head.codec != Some(Codec::None)
        || Records::new(head.packed, count)
            .zip(0..)
            .all(|(record, at)| record.is_ok_and(|it| it.offset_delta == at))
}

#[cfg(test)]
#[path = "copy_tests.rs"]
mod tests;
