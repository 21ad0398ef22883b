//! Batches of the copy, as brokers take them from a producer: offsets from 0 on without a gap, times of the source. Pure.

use bytes::Bytes;

use super::copy::{TRANSACTIONAL, number};
use crate::gateway::contract::BATCH_MAX;
use crate::gateway::contract::records::{HEADER, Record, Records};
use crate::gateway::contract::unpack::{Codec, pack, unpack};
use crate::gateway::contract::write::{Author, put, put_nullable};

const PREFIX: usize = 12;
const CHECKED_FROM: usize = 21;
/// Records are gathered into batches of about so many bytes.
const BATCH_BYTES: usize = 256 * 1024;

/// A batch without an author.
#[derive(Debug, Clone)]
pub struct Batch {
    bytes: Vec<u8>,
    /// How many records.
    pub count: i32,
    /// Where its first and its last record stand in the source; -1: where one that was too large was parted.
    pub ends: (i64, i64),
}

impl Batch {
    fn of(
        codec: Codec,
        packed: &[u8],
        count: u32,
        (first_at, last_at): (i64, i64),
        ends: (i64, i64),
    ) -> Option<Self> {
        let mut bytes = vec![0; HEADER];
        bytes.extend_from_slice(packed);
        let length = i32::try_from(bytes.len() - PREFIX).ok()?;
        let count = i32::try_from(count).ok().filter(|it| *it > 0)?;
        let attributes = TRANSACTIONAL | u16::from(codec.number());
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        bytes[12..16].copy_from_slice(&(-1_i32).to_be_bytes());
        bytes[16] = 2;
        bytes[21..23].copy_from_slice(&attributes.to_be_bytes());
        bytes[23..27].copy_from_slice(&(count - 1).to_be_bytes());
        bytes[27..35].copy_from_slice(&first_at.to_be_bytes());
        bytes[35..43].copy_from_slice(&last_at.to_be_bytes());
        bytes[57..61].copy_from_slice(&count.to_be_bytes());
        Some(Self { bytes, count, ends })
    }

    /// How long it is.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.bytes.len()
    }

    /// As this producer writes it.
    #[must_use]
    pub fn by(&self, author: Author) -> Bytes {
        let mut bytes = self.bytes.clone();
        bytes[43..51].copy_from_slice(&author.id.to_be_bytes());
        bytes[51..53].copy_from_slice(&author.epoch.to_be_bytes());
        bytes[53..57].copy_from_slice(&author.sequence.to_be_bytes());
        let checksum = crc32c::crc32c(&bytes[CHECKED_FROM..]);
        bytes[17..21].copy_from_slice(&checksum.to_be_bytes());
        Bytes::from(bytes)
    }

    /// The same records in two; `None` for one that cannot be parted.
    #[must_use]
    pub fn halves(&self) -> Option<(Self, Self)> {
        let codec = Codec::of(u16::from_be_bytes(number(&self.bytes, 21)))?;
        let first_at = i64::from_be_bytes(number(&self.bytes, 27));
        let plain = unpack(codec, self.bytes.get(HEADER..)?, BATCH_MAX).ok()?;
        let middle = self.count / 2;
        let (mut front, mut back) = (Open::new(codec), Open::new(codec));
        for record in Records::new(&plain, u32::try_from(self.count).ok()?) {
            let record = record.ok()?;
            let half = if record.offset_delta < middle {
                &mut front
            } else {
                &mut back
            };
            half.add(first_at.saturating_add(record.timestamp_delta), -1, &record);
        }
        let (mut front, mut back) = (front.close()?, back.close()?);
        (front.ends, back.ends) = ((self.ends.0, -1), (-1, self.ends.1));
        Some((front, back))
    }
}

/// Batches in the making.
#[derive(Debug, Default)]
pub struct Packing {
    done: Vec<Batch>,
    open: Option<Open>,
    /// Something could not be packed.
    failed: bool,
}

impl Packing {
    /// A batch that is packed already.
    pub fn whole(&mut self, codec: Codec, packed: &[u8], count: u32, times: (i64, i64), base: i64) {
        self.close();
        let ends = (base, base.saturating_add(i64::from(count) - 1));
        self.push(Batch::of(codec, packed, count, times, ends));
    }

    /// One more record, of that time, from that offset.
    pub fn record(&mut self, codec: Codec, at: i64, offset: i64, record: &Record<'_>) {
        if self.open.as_ref().is_some_and(|it| it.codec != codec) {
            self.close();
        }
        let open = self.open.get_or_insert_with(|| Open::new(codec));
        open.add(at, offset, record);
        if open.plain.len() >= BATCH_BYTES {
            self.close();
        }
    }

    fn close(&mut self) {
        if let Some(open) = self.open.take() {
            self.push(open.close());
        }
    }

    fn push(&mut self, batch: Option<Batch>) {
        self.failed |= batch.is_none();
        self.done.extend(batch);
    }

    /// All of them; `None`: one could not be packed.
    #[must_use]
    pub fn finish(mut self) -> Option<Vec<Batch>> {
        self.close();
        (!self.failed).then_some(self.done)
    }
}

/// A batch that records are added to.
#[derive(Debug)]
struct Open {
    codec: Codec,
    plain: Vec<u8>,
    count: u32,
    first_at: i64,
    last_at: i64,
    ends: (i64, i64),
}

impl Open {
    const fn new(codec: Codec) -> Self {
        Self {
            codec,
            plain: Vec::new(),
            count: 0,
            first_at: 0,
            last_at: i64::MIN,
            ends: (-1, -1),
        }
    }

    fn add(&mut self, at: i64, offset: i64, record: &Record<'_>) {
        if self.count == 0 {
            (self.first_at, self.ends.0) = (at, offset);
        }
        self.ends.1 = offset;
        // No attributes: none are in use.
        let mut body = vec![0];
        put(&mut body, at.wrapping_sub(self.first_at));
        put(&mut body, i64::from(self.count));
        put_nullable(&mut body, record.key);
        put_nullable(&mut body, record.value);
        let headers = record.headers();
        put(&mut body, i64::from(headers.left()));
        body.extend_from_slice(headers.as_bytes());
        put(&mut self.plain, body.len() as i64);
        self.plain.extend_from_slice(&body);
        self.count += 1;
        self.last_at = self.last_at.max(at);
    }

    fn close(self) -> Option<Batch> {
        let packed = pack(self.codec, &self.plain).ok()?;
        let times = (self.first_at, self.last_at);
        Batch::of(self.codec, &packed, self.count, times, self.ends)
    }
}
