//! A partition's records as a consumer of a share gets them.
//!
//! Batches of which something is left keep their offsets, as after a compaction, and are packed as they were: what is packed is
//! what the consumer is sent, so nothing withheld shapes it. Times are those of the records that are left. Ranges of which
//! nothing is left become gaps. Real markers of transactions pass.

use bytes::Bytes;
use weir_actions::{OwnedHeader, Part};

use super::super::cipher::{Opened, Opener};
use super::kept::{Kept, Which};
use super::lens::{Lens, Place, Seeing};
use crate::gateway::contract::mark::WITHHELD;
use crate::gateway::contract::records::{self, HEADER, Head, Record, Records, rebuilt};
use crate::gateway::contract::sift::{Left, Sifted};
use crate::gateway::contract::unpack::{Codec, unpack};
use crate::gateway::contract::write::{put, put_bytes, put_nullable};
use crate::gateway::contract::{BATCH_MAX, Pace, Pause};

/// A record as it lies in its batch.
pub type Raw<'a> = Record<'a>;

/// The times of all records are the batch's own: when the broker appended it.
const APPEND_TIME: u16 = 0x08;
/// The first time is not a record's, but when tombstones may go.
const DELETE_HORIZON: u8 = 0x40;
/// Hashes are longer than what they stand for: an answer becomes no more than so many times as long, and this, and one batch.
const GROWTH: usize = 4;
const GROWTH_LEAST: usize = 1 << 20;
/// Records between two looks at the clock.
const STRIDE: usize = 16;

/// Who looks, and at what.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// What is looked through.
    pub lens: &'a Lens,
    /// Dead letters are withheld, as from the owner's own consumers.
    pub dead: bool,
    /// Which partition.
    pub partition: i32,
    /// What is known already.
    pub kept: &'a Kept,
}

/// What is sent of a partition's records. The part of a batch behind the last whole one never is. `None`: already the first batch
/// is under a key that is still to be heard of.
///
/// # Errors
/// [`Pause`] when it would take longer than it may now; what was finished is kept.
pub fn through(records: &Bytes, look: Look<'_>, pace: &Pace<'_>) -> Result<Option<Bytes>, Pause> {
    let mut sifted = Sifted::of(records);
    let (mut end, mut written) = (0, 0);
    let most = records.len().saturating_mul(GROWTH).saturating_add(GROWTH_LEAST);
    for batch in records::batches(records) {
        let left = match left_of(batch, look, pace) {
            Ok(left) => left,
            Err(Stop::Pause(pause)) => return Err(pause),
            Err(Stop::NotYet) if end == 0 => return Ok(None),
            // The client asks for it when it has what stands before.
            Err(Stop::NotYet) => break,
        };
        if let Left::Some(anew) = &left {
            written += anew.len();
        }
        end += batch.len();
        sifted.push(batch, &left);
        // The consumer asks for the rest.
        if written > most {
            break;
        }
    }
    Ok(Some(sifted.finish().unwrap_or_else(|| records.slice(..end))))
}

/// Why a batch is not told.
enum Stop {
    Pause(Pause),
    /// It is under a key that is still to be heard of.
    NotYet,
}

fn left_of(batch: &[u8], look: Look<'_>, pace: &Pace<'_>) -> Result<Left, Stop> {
    let Some((offset, _last)) = records::offsets(batch) else {
        return Ok(Left::Nothing);
    };
    let which = Which {
        lens: *look.lens.digest(),
        dead: look.dead,
        partition: look.partition,
        offset,
        checksum: number(batch, 17).map_or(0, u32::from_be_bytes),
        bytes: batch.len(),
    };
    look.kept
        .of_batch(&which, pace.may_wait(), Stop::Pause(Pause::Time), || {
            read(batch, offset, look, pace)
        })
}

fn read(batch: &[u8], offset: i64, look: Look<'_>, pace: &Pace<'_>) -> Result<Left, Stop> {
    if pace.ends() {
        return Err(Stop::Pause(Pause::Time));
    }
    let (codec, count, packed) = match records::head(batch) {
        Some(Head {
            control: true,
            whole: true,
            ..
        }) => return Ok(Left::All),
        Some(Head {
            codec: Some(codec),
            count: Some(count),
            packed,
            whole: true,
            ..
        }) => (codec, count, packed),
        // What it holds is not known.
        _unreadable => return Ok(Left::Nothing),
    };
    if codec == Codec::None {
        return anew((batch, offset), codec, packed, count, look, pace);
    }
    match unpack(codec, packed, BATCH_MAX.min(pace.batch_bytes)) {
        Ok(unpacked) => anew((batch, offset), codec, &unpacked, count, look, pace),
        Err(_too_large) if pace.batch_bytes < BATCH_MAX => Err(Stop::Pause(Pause::Size)),
        Err(_unreadable) => Ok(Left::Nothing),
    }
}

/// The batch with what is seen of its records.
fn anew(
    (batch, offset): (&[u8], i64),
    codec: Codec,
    unpacked: &[u8],
    count: u32,
    look: Look<'_>,
    pace: &Pace<'_>,
) -> Result<Left, Stop> {
    if unpacked.len() > pace.batch_bytes {
        return Err(Stop::Pause(Pause::Size));
    }
    let Some(times) = Times::of(batch) else {
        return Ok(Left::Nothing);
    };
    let mut written = Written::default();
    let (mut same, mut opener) = (true, Opener::default());
    for (at, record) in Records::new(unpacked, count).enumerate() {
        if at % STRIDE == STRIDE - 1 && pace.ends() {
            return Err(Stop::Pause(Pause::Time));
        }
        // Where one is no record, nobody knows where the next one begins.
        let Ok(record) = record else {
            return Ok(Left::Nothing);
        };
        let timestamp_ms = times.of_record(&record);
        let place = Place {
            partition: look.partition,
            offset: offset.saturating_add(i64::from(record.offset_delta)),
            timestamp_ms,
        };
        let opened = look.lens.open(&mut opener, &record);
        let record = match &opened {
            Opened::Clear => record,
            Opened::Plain(value) => {
                same = false;
                record.with_value(value)
            }
            Opened::NotYet => return Err(Stop::NotYet),
            Opened::Shut => {
                same = false;
                continue;
            }
        };
        match seen(&record, place, look) {
            Seeing::Nothing => same = false,
            Seeing::All => written.push(&record, timestamp_ms, (record.key, record.value), None),
            Seeing::Some { key, value, headers } => {
                same = false;
                let key = match &key {
                    Part::AsItCame => record.key,
                    Part::New(key) => key.as_deref(),
                };
                let value = value.as_deref().or(record.value);
                written.push(&record, timestamp_ms, (key, value), headers.as_deref());
            }
        }
        if written.out.len() > BATCH_MAX {
            return Ok(Left::Nothing);
        }
    }
    if same {
        return Ok(Left::All);
    }
    Ok(written.finish(batch, codec, times).unwrap_or(Left::Nothing))
}

fn seen(record: &Record<'_>, place: Place, look: Look<'_>) -> Seeing {
    let hidden = look.dead && record.header(WITHHELD).is_some();
    if hidden || !look.lens.reaches(place.timestamp_ms) {
        return Seeing::Nothing;
    }
    look.lens.look(place, record)
}

fn number<const N: usize>(batch: &[u8], at: usize) -> Option<[u8; N]> {
    batch.get(at..)?.first_chunk().copied()
}

/// What a batch's header says of times.
#[derive(Debug, Clone, Copy)]
struct Times {
    appended: bool,
    first: i64,
    newest: i64,
}

impl Times {
    fn of(batch: &[u8]) -> Option<Self> {
        Some(Self {
            appended: u16::from_be_bytes(number(batch, 21)?) & APPEND_TIME != 0,
            first: i64::from_be_bytes(number(batch, 27)?),
            newest: i64::from_be_bytes(number(batch, 35)?),
        })
    }

    const fn of_record(self, record: &Record<'_>) -> i64 {
        if self.appended {
            self.newest
        } else {
            self.first.saturating_add(record.timestamp_delta)
        }
    }
}

/// Records on their way into a batch.
#[derive(Debug, Default)]
struct Written {
    out: Vec<u8>,
    count: u32,
    /// The first and the latest time of those that are left.
    times: Option<(i64, i64)>,
}

impl Written {
    fn push(
        &mut self,
        record: &Record<'_>,
        timestamp_ms: i64,
        (key, value): (Option<&[u8]>, Option<&[u8]>),
        headers: Option<&[OwnedHeader]>,
    ) {
        let (first, newest) = self.times.unwrap_or((timestamp_ms, timestamp_ms));
        self.times = Some((first, newest.max(timestamp_ms)));
        self.count += 1;
        // No attributes are in use.
        let mut body = vec![0];
        put(&mut body, timestamp_ms.saturating_sub(first));
        put(&mut body, i64::from(record.offset_delta));
        put_nullable(&mut body, key);
        put_nullable(&mut body, value);
        match headers {
            None => {
                put(&mut body, i64::from(record.headers().left()));
                body.extend_from_slice(record.headers().as_bytes());
            }
            Some(headers) => {
                put(&mut body, headers.len() as i64);
                for header in headers {
                    put_bytes(&mut body, header.name.as_bytes());
                    put_nullable(&mut body, header.value.as_deref());
                }
            }
        }
        put_bytes(&mut self.out, &body);
    }

    /// `None`: there is no room for it.
    fn finish(self, batch: &[u8], codec: Codec, times: Times) -> Option<Left> {
        let Some((first, newest)) = self.times else {
            return Some(Left::Nothing);
        };
        let mut header = batch.get(..HEADER)?.to_vec();
        // The time of an append is the batch's; else times are those of what is left.
        let (first, newest) = if times.appended {
            (times.newest, times.newest)
        } else {
            (first, newest)
        };
        header[27..35].copy_from_slice(&first.to_be_bytes());
        header[35..43].copy_from_slice(&newest.to_be_bytes());
        header[22] &= !DELETE_HORIZON;
        rebuilt(&header, codec, self.count, &self.out).map(|it| Left::Some(it.into()))
    }
}
