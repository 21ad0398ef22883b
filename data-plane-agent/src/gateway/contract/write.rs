//! Records and batches of magic 2, written (<https://kafka.apache.org/documentation/#recordbatch>).

use std::io;

use super::records::HEADER;
use super::unpack::{Codec, pack};

/// Bytes in front of what a batch's length counts.
const PREFIX: usize = 12;
const CHECKED_FROM: usize = 21;
/// The attribute of a batch that belongs to a transaction.
const TRANSACTIONAL: u16 = 0x10;

/// A number as records have them: zigzag, seven bits a byte.
pub fn put(out: &mut Vec<u8>, number: i64) {
    let mut left = ((number << 1) ^ (number >> 63)).cast_unsigned();
    while left >= 0x80 {
        out.push((left & 0x7f) as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}

/// Bytes behind their number.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as i64);
    out.extend_from_slice(bytes);
}

/// The same, or null.
pub fn put_nullable(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => put_bytes(out, bytes),
        None => put(out, -1),
    }
}

/// Whose batch it is.
#[derive(Debug, Clone, Copy)]
pub struct Author {
    /// Kafka's number for the producer.
    pub id: i64,
    /// How often it was opened.
    pub epoch: i16,
    /// The place of the batch's first record in what it wrote to the partition.
    pub sequence: i32,
}

/// A batch of a transaction. Each record is what stands behind its offset: key, value and headers.
///
/// # Errors
/// When it is longer than a batch can be.
pub fn batch(codec: Codec, author: Author, at_unix_ms: i64, records: &[&[u8]]) -> io::Result<Vec<u8>> {
    let mut plain = Vec::with_capacity(records.iter().map(|it| it.len() + 16).sum());
    let mut front = Vec::with_capacity(8);
    for (at, record) in (0..).zip(records) {
        front.clear();
        // No attributes, the batch's own time.
        front.extend_from_slice(&[0, 0]);
        put(&mut front, at);
        put(&mut plain, (front.len() + record.len()) as i64);
        plain.extend_from_slice(&front);
        plain.extend_from_slice(record);
    }
    let mut out = vec![0; HEADER];
    out.extend_from_slice(&pack(codec, &plain)?);
    let length = i32::try_from(out.len() - PREFIX).map_err(io::Error::other)?;
    let count = i32::try_from(records.len()).map_err(io::Error::other)?;
    let attributes = TRANSACTIONAL | u16::from(codec.number());
    out[8..12].copy_from_slice(&length.to_be_bytes());
    out[12..16].copy_from_slice(&(-1_i32).to_be_bytes());
    out[16] = 2;
    out[21..23].copy_from_slice(&attributes.to_be_bytes());
    out[23..27].copy_from_slice(&(count - 1).to_be_bytes());
    out[27..35].copy_from_slice(&at_unix_ms.to_be_bytes());
    out[35..43].copy_from_slice(&at_unix_ms.to_be_bytes());
    out[43..51].copy_from_slice(&author.id.to_be_bytes());
    out[51..53].copy_from_slice(&author.epoch.to_be_bytes());
    out[53..57].copy_from_slice(&author.sequence.to_be_bytes());
    out[57..61].copy_from_slice(&count.to_be_bytes());
    let checksum = crc32c::crc32c(&out[CHECKED_FROM..]);
    out[17..21].copy_from_slice(&checksum.to_be_bytes());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::records::{Records, head};
    use super::super::unpack::unpack;
    use super::*;

    #[test]
    fn what_is_written_is_read_in_every_codec() {
        let author = Author {
            id: 7,
            epoch: 2,
            sequence: 40,
        };
        for number in 0..5 {
            let codec = Codec::of(number).unwrap();
            let mut one = Vec::new();
            put_nullable(&mut one, None);
            put_nullable(&mut one, Some(b"value"));
            put(&mut one, 1);
            put_bytes(&mut one, b"name");
            put_nullable(&mut one, None);
            let written = batch(codec, author, 99, &[&one, &one]).unwrap();
            let head = head(&written).unwrap();
            assert!(head.whole && !head.control && head.count == Some(2));
            let unpacked = unpack(codec, head.packed, 1 << 20).unwrap();
            let records: Vec<_> = Records::new(&unpacked, 2).map(Result::unwrap).collect();
            assert_eq!((records[1].offset_delta, records[1].timestamp_delta), (1, 0));
            assert_eq!((records[1].key, records[1].value), (None, Some(&b"value"[..])));
            assert_eq!(records[0].headers().collect::<Vec<_>>(), [(&b"name"[..], None)]);
            assert_eq!(written[43..57], [0, 0, 0, 0, 0, 0, 0, 7, 0, 2, 0, 0, 0, 40]);
        }
    }
}
