//! Offsets that nobody is sent.
//!
//! An answer without a batch for them makes clients ask for the same offset for ever, and a batch without records makes
//! librdkafka double what it asks for until that is 1 GiB, and kafkajs ask again without a pause. One control batch with the
//! end of a transaction that never began is passed over by all of them; brokers write such markers themselves
//! (<https://kafka.apache.org/documentation/#controlbatch>).

use super::records::{self, CONTROL, HEADER};
use super::write::{put, put_bytes};

/// The type of a marker (version 0, COMMIT), and its value: version 0, no coordinator.
const COMMIT: [u8; 4] = [0, 0, 0, 1];
const NOBODY: [u8; 6] = [0; 6];

/// A run of neighbouring batches that are withheld as a whole.
#[derive(Debug, Clone, Copy)]
pub struct Gap<'a> {
    first: i64,
    last: i64,
    /// The last one of them: its epoch and its time are the gap's.
    batch: &'a [u8],
}

impl<'a> Gap<'a> {
    /// Of one batch; `None` when that is none.
    #[must_use]
    pub fn of(batch: &'a [u8]) -> Option<Self> {
        let (first, last) = records::offsets(batch)?;
        Some(Self { first, last, batch })
    }

    /// With the gap behind it; `None` when a batch cannot be as long.
    #[must_use]
    pub fn and(self, next: Self) -> Option<Self> {
        let whole = Self {
            first: self.first,
            ..next
        };
        whole.length().map(|_length| whole)
    }

    fn length(&self) -> Option<i32> {
        i32::try_from(self.last.checked_sub(self.first)?).ok()
    }

    /// The batch that stands for it.
    #[must_use]
    pub fn written(&self) -> Option<Vec<u8>> {
        let length = self.length()?;
        // Attributes and the time, less that of the batch.
        let mut record = vec![0, 0];
        put(&mut record, i64::from(length));
        put_bytes(&mut record, &COMMIT);
        put_bytes(&mut record, &NOBODY);
        // No headers.
        record.push(0);
        let mut out = self.batch.get(..HEADER)?.to_vec();
        out[..8].copy_from_slice(&self.first.to_be_bytes());
        out[21..23].copy_from_slice(&CONTROL.to_be_bytes());
        out[23..27].copy_from_slice(&length.to_be_bytes());
        out.copy_within(35..43, 27);
        // Producer, its epoch and its sequence: none.
        out[43..57].fill(0xff);
        put(&mut out, record.len() as i64);
        out.extend_from_slice(&record);
        records::sealed(out, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::records::{Records, batches, head, offsets};
    use super::super::samples::{self, Sample};
    use super::super::unpack::Codec;
    use super::*;

    fn at(offset: i64, records: usize) -> Vec<u8> {
        let record = Sample::of(None, Some(b"x"));
        let mut batch = samples::batch(Codec::Lz4, &vec![record; records]);
        batch[..8].copy_from_slice(&offset.to_be_bytes());
        batch
    }

    /// Byte for byte what five stock clients were seen to pass over.
    #[test]
    fn a_gap_is_the_end_of_no_transaction_at_its_last_offset() {
        let (one, other) = (at(70, 3), at(73, 130));
        let gap = Gap::of(&one).unwrap().and(Gap::of(&other).unwrap()).unwrap();
        let written = gap.written().unwrap();
        assert_eq!(batches(&written).count(), 1);
        assert_eq!(offsets(&written), Some((70, 202)));
        let read = head(&written).unwrap();
        assert!(read.control && read.whole);
        assert_eq!((read.codec, read.count), (Some(Codec::None), Some(1)));
        assert_eq!(written[12..16], other[12..16], "the leader's epoch");
        assert_eq!(written[21..23], [0, 0x20]);
        assert_eq!(
            (&written[27..35], &written[35..43]),
            (&other[35..43], &other[35..43])
        );
        assert_eq!(written[43..57], [0xff; 14]);
        let record = Records::new(read.packed, 1).next().unwrap().unwrap();
        assert_eq!((record.offset_delta, record.timestamp_delta), (132, 0));
        assert_eq!((record.key, record.value), (Some(&COMMIT[..]), Some(&NOBODY[..])));
        assert_eq!(record.headers().left(), 0);
    }

    #[test]
    fn a_gap_that_no_batch_can_cover_is_two() {
        let (one, far) = (at(0, 1), at(i64::from(i32::MAX), 2));
        assert!(Gap::of(&one).unwrap().and(Gap::of(&far).unwrap()).is_none());
        let mut backwards = at(5, 1);
        backwards[23..27].copy_from_slice(&(-2_i32).to_be_bytes());
        assert!(Gap::of(&backwards).is_none());
        assert!(Gap::of(&one[..60]).is_none());
    }
}
