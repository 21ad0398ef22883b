//! A producer's batch with its values encrypted. Producer, sequence, number of records, offsets, times, keys and headers stay,
//! and so does the codec: readers are sent what is decrypted packed by it.

use super::ring::Ring;
use crate::gateway::contract::records::{self, Head, Record, Records, rebuilt};
use crate::gateway::contract::unpack::{Codec, NotUnpacked, unpack};
use crate::gateway::contract::write::{put, put_bytes, put_nullable};
use crate::gateway::contract::{BATCH_MAX, Pace, Pause};

/// Why there is no encrypted batch.
#[derive(Debug, PartialEq, Eq)]
pub enum NotEncrypted {
    /// It takes longer than it may now.
    Pause(Pause),
    /// Its checksum is wrong.
    Corrupt,
    /// What it holds cannot be read, or is too much.
    Unreadable,
    /// The key is not there.
    NoKey,
}

/// The batch as the broker gets it. It is unpacked into no more than `most` bytes.
///
/// # Errors
/// [`NotEncrypted`]: it may not pass.
pub fn encrypted(batch: &[u8], ring: &Ring, most: usize, pace: &Pace<'_>) -> Result<Vec<u8>, NotEncrypted> {
    let (codec, count, packed) = match records::head(batch) {
        Some(Head { whole: false, .. }) | None => return Err(NotEncrypted::Corrupt),
        Some(Head {
            codec: Some(codec),
            control: false,
            count: Some(count),
            packed,
            whole: true,
        }) => (codec, count, packed),
        Some(_unknown) => return Err(NotEncrypted::Unreadable),
    };
    if pace.ends() {
        return Err(NotEncrypted::Pause(Pause::Time));
    }
    if codec == Codec::None {
        return anew(batch, (codec, count), packed, ring, pace);
    }
    match unpack(codec, packed, most.min(pace.batch_bytes)) {
        Ok(unpacked) => anew(batch, (codec, count), &unpacked, ring, pace),
        Err(NotUnpacked::TooLarge) if most > pace.batch_bytes => Err(NotEncrypted::Pause(Pause::Size)),
        Err(NotUnpacked::TooLarge | NotUnpacked::Broken) => Err(NotEncrypted::Unreadable),
    }
}

fn anew(
    batch: &[u8],
    (codec, count): (Codec, u32),
    unpacked: &[u8],
    ring: &Ring,
    pace: &Pace<'_>,
) -> Result<Vec<u8>, NotEncrypted> {
    if unpacked.len() > pace.batch_bytes {
        return Err(NotEncrypted::Pause(Pause::Size));
    }
    let mut key = ring.batch_key().ok_or(NotEncrypted::NoKey)?;
    let mut out = Vec::with_capacity(unpacked.len());
    for (at, record) in Records::new(unpacked, count).enumerate() {
        if at % 64 == 63 && pace.ends() {
            return Err(NotEncrypted::Pause(Pause::Time));
        }
        let record = record.map_err(|_none| NotEncrypted::Unreadable)?;
        match record.value {
            // It deletes on compacted topics, and says nothing.
            None => out.extend_from_slice(record.raw),
            Some(value) => {
                let sealed = key.seal(ring.topic(), record.key, value);
                put_record(&mut out, &record, &sealed.ok_or(NotEncrypted::Unreadable)?);
            }
        }
        if out.len() > BATCH_MAX {
            return Err(NotEncrypted::Unreadable);
        }
    }
    rebuilt(batch, codec, count, &out).ok_or(NotEncrypted::Unreadable)
}

/// The record with another value.
fn put_record(out: &mut Vec<u8>, record: &Record<'_>, value: &[u8]) {
    // No attributes are in use.
    let mut body = vec![0];
    put(&mut body, record.timestamp_delta);
    put(&mut body, i64::from(record.offset_delta));
    put_nullable(&mut body, record.key);
    put_bytes(&mut body, value);
    put(&mut body, i64::from(record.headers().left()));
    body.extend_from_slice(record.headers().as_bytes());
    put_bytes(out, &body);
}
