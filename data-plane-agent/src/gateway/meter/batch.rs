//! Walks record batches by their headers: sizes, counts, producers. Nothing is decompressed, nothing copied.

/// Offset and length before every batch.
const PREFIX: usize = 12;
/// A whole header of magic 2.
const HEADER: usize = 61;
const TRANSACTIONAL: u16 = 0x10;
const CONTROL: u16 = 0x20;

/// What a batch's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// Bytes with header: what the broker's log holds.
    pub bytes: u64,
    /// Records.
    pub records: u64,
    /// The idempotent producer's identity.
    pub producer: Option<Producer>,
    /// Part of a transaction?
    pub transactional: bool,
}

/// What makes a batch of an idempotent producer unmistakable within its partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Producer {
    /// The producer's id.
    pub id: i64,
    /// Its epoch.
    pub epoch: i16,
    /// The sequence number of its first record.
    pub sequence: i32,
}

/// The bytes are not whole batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a sequence of record batches")]
pub struct NotBatches;

/// The whole batches at the head of `records`; what follows the last whole one is left out (a broker may cut an answer
/// anywhere).
pub fn whole(records: &[u8]) -> impl Iterator<Item = Batch> + '_ {
    let mut rest = records;
    std::iter::from_fn(move || {
        let (batch, after) = split(rest)?;
        rest = after;
        Some(batch)
    })
}

/// What a producer sent for one partition: whole batches of magic 2 and nothing else.
///
/// # Errors
/// [`NotBatches`] otherwise.
pub fn produced(records: &[u8]) -> Result<Vec<Batch>, NotBatches> {
    let mut rest = records;
    let mut out = Vec::with_capacity(1);
    while !rest.is_empty() {
        if rest.get(16) != Some(&2) {
            return Err(NotBatches);
        }
        let (batch, after) = split(rest).ok_or(NotBatches)?;
        out.push(batch);
        rest = after;
    }
    Ok(out)
}

fn split(bytes: &[u8]) -> Option<(Batch, &[u8])> {
    let length = usize::try_from(i32::from_be_bytes(field(bytes, 8)?)).ok()?;
    let (batch, rest) = bytes.split_at_checked(PREFIX.checked_add(length)?)?;
    Some((header(batch)?, rest))
}

fn header(batch: &[u8]) -> Option<Batch> {
    let bytes = batch.len() as u64;
    match *batch.get(16)? {
        2 if batch.len() >= HEADER => {}
        // Before Kafka 0.11 an entry was one message, or a wrapper whose content only decompression would tell.
        0 | 1 => {
            return Some(Batch {
                bytes,
                records: 1,
                producer: None,
                transactional: false,
            });
        }
        _unknown => return None,
    }
    let id = i64::from_be_bytes(field(batch, 43)?);
    let sequence = i32::from_be_bytes(field(batch, 53)?);
    let producer = (id >= 0 && sequence >= 0).then_some(Producer {
        id,
        epoch: i16::from_be_bytes(field(batch, 51)?),
        sequence,
    });
    let attributes = u16::from_be_bytes(field(batch, 21)?);
    let records = u64::try_from(i32::from_be_bytes(field(batch, 57)?)).ok()?;
    Some(Batch {
        bytes,
        // Markers are nobody's records.
        records: if attributes & CONTROL == 0 { records } else { 0 },
        producer,
        transactional: attributes & TRANSACTIONAL != 0,
    })
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use bytes::{BufMut, BytesMut};
    use proptest::prelude::*;

    /// A batch whose header is true and whose records are filler.
    pub fn batch(records: i32, producer: Option<(i64, i16, i32)>, filler: usize) -> Vec<u8> {
        let (id, epoch, sequence) = producer.unwrap_or((-1, -1, -1));
        let mut out = BytesMut::new();
        out.put_i64(0);
        out.put_i32((HEADER - PREFIX + filler) as i32);
        out.put_i32(-1);
        out.put_u8(2);
        out.put_u32(0);
        out.put_u16(0);
        out.put_i32(records - 1);
        out.put_i64(0);
        out.put_i64(0);
        out.put_i64(id);
        out.put_i16(epoch);
        out.put_i32(sequence);
        out.put_i32(records);
        out.put_bytes(7, filler);
        out.to_vec()
    }

    #[test]
    fn bytes_and_records_come_from_the_header() {
        let mut bytes = batch(3, Some((9, 1, 40)), 100);
        bytes.extend(batch(5, None, 0));
        let walked = produced(&bytes).unwrap();
        assert_eq!(walked.iter().map(|it| it.bytes).collect::<Vec<_>>(), [161, 61]);
        assert_eq!(walked.iter().map(|it| it.records).sum::<u64>(), 8);
        assert_eq!(
            walked[0].producer,
            Some(Producer {
                id: 9,
                epoch: 1,
                sequence: 40
            })
        );
        assert_eq!(walked[1].producer, None);
        assert_eq!(whole(&bytes).collect::<Vec<_>>(), walked);
    }

    #[test]
    fn a_batch_that_was_cut_is_not_counted() {
        let first = batch(2, None, 10);
        let mut bytes = first.clone();
        bytes.extend(batch(3, None, 50));
        for cut in 1..60 {
            let part = &bytes[..bytes.len() - cut];
            assert_eq!(whole(part).map(|it| it.records).sum::<u64>(), 2, "{cut}");
            assert_eq!(produced(part), Err(NotBatches));
        }
    }

    #[test]
    fn the_transactional_bit_is_seen() {
        let mut bytes = batch(1, Some((1, 0, 0)), 0);
        assert!(!produced(&bytes).unwrap()[0].transactional);
        bytes[22] |= 0x10;
        assert!(produced(&bytes).unwrap()[0].transactional);
    }

    #[test]
    fn markers_are_nobodys_records() {
        let mut bytes = batch(1, None, 17);
        bytes[22] |= 0x20;
        let walked = whole(&bytes).next().unwrap();
        assert_eq!((walked.bytes, walked.records), (78, 0));
    }

    #[test]
    fn old_magic_is_walked_in_answers_and_refused_from_producers() {
        let mut bytes = batch(4, None, 0);
        bytes[16] = 1;
        assert_eq!(whole(&bytes).next().unwrap().records, 1);
        assert_eq!(produced(&bytes), Err(NotBatches));
    }

    proptest! {
        #[test]
        fn any_bytes_are_walked_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let counted: u64 = whole(&bytes).map(|it| it.bytes).sum();
            prop_assert!(counted <= bytes.len() as u64);
            let _refused = produced(&bytes);
        }

        #[test]
        fn a_changed_header_never_counts_more_than_there_is(at in 0_usize..61, byte: u8, filler in 0_usize..50) {
            let mut bytes = batch(3, Some((1, 2, 3)), filler);
            bytes[at] = byte;
            let counted: u64 = whole(&bytes).map(|it| it.bytes).sum();
            prop_assert!(counted <= bytes.len() as u64);
        }
    }
}
