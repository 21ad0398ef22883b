//! The records inside a batch of magic 2, read where they lie (<https://kafka.apache.org/documentation/#recordbatch>).

use super::unpack::{Codec, pack};

/// Bytes of a batch before its records.
pub const HEADER: usize = 61;
/// Offset and length before every batch.
const PREFIX: usize = 12;
/// What the checksum covers begins here.
const CHECKED_FROM: usize = 21;
/// The attribute of a batch of markers.
pub const CONTROL: u16 = 0x20;

/// What a batch's header says of its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head<'a> {
    /// How they are packed; `None`: in a way that does not exist.
    pub codec: Option<Codec>,
    /// Markers of transactions, which only brokers write.
    pub control: bool,
    /// How many; `None`: fewer than none.
    pub count: Option<u32>,
    /// The records, packed.
    pub packed: &'a [u8],
    /// Whether the checksum is that of the bytes.
    pub whole: bool,
}

/// The batches of a partition, one after the other; the rest that is no batch of magic 2 is left out.
pub fn batches(records: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = records;
    std::iter::from_fn(move || {
        let length: [u8; 4] = field(rest, 8)?;
        let length = usize::try_from(i32::from_be_bytes(length)).ok()?;
        let (batch, after) = rest.split_at_checked(PREFIX.checked_add(length)?)?;
        rest = after;
        (batch.len() >= HEADER && batch[16] == 2).then_some(batch)
    })
}

/// Reads a batch's header; `None` if there is none.
#[must_use]
pub fn head(batch: &[u8]) -> Option<Head<'_>> {
    let attributes = u16::from_be_bytes(field(batch, 21)?);
    Some(Head {
        codec: Codec::of(attributes),
        control: attributes & CONTROL != 0,
        count: u32::try_from(i32::from_be_bytes(field(batch, 57)?)).ok(),
        packed: batch.get(HEADER..)?,
        whole: u32::from_be_bytes(field(batch, 17)?) == crc32c::crc32c(batch.get(CHECKED_FROM..)?),
    })
}

/// The batch with other records, packed in this way: producer, sequence, offsets and times stay; lengths, number of
/// records and checksum are new. `None` when it would be longer than a batch can be.
#[must_use]
pub fn rebuilt(batch: &[u8], codec: Codec, count: u32, records: &[u8]) -> Option<Vec<u8>> {
    let packed = pack(codec, records).ok()?;
    let mut out = Vec::with_capacity(HEADER + packed.len());
    out.extend_from_slice(batch.get(..HEADER)?);
    out.extend_from_slice(&packed);
    out[22] = out[22] & !7 | codec.number();
    sealed(out, count)
}

/// The batch with its length, number of records and checksum. `None` when it is longer than a batch can be.
pub(super) fn sealed(mut batch: Vec<u8>, count: u32) -> Option<Vec<u8>> {
    let length = i32::try_from(batch.len().checked_sub(PREFIX)?).ok()?;
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    batch[57..61].copy_from_slice(&count.to_be_bytes());
    let checksum = crc32c::crc32c(&batch[CHECKED_FROM..]);
    batch[17..21].copy_from_slice(&checksum.to_be_bytes());
    Some(batch)
}

/// The first and the last offset of a batch.
#[must_use]
pub fn offsets(batch: &[u8]) -> Option<(i64, i64)> {
    let (first, length) = (
        i64::from_be_bytes(field(batch, 0)?),
        i32::from_be_bytes(field(batch, 23)?),
    );
    let last = first.checked_add(i64::from(length))?;
    (batch.len() >= HEADER && first >= 0 && last >= first).then_some((first, last))
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its time, less that of its batch.
    pub timestamp_delta: i64,
    /// Its offset, less that of its batch.
    pub offset_delta: i32,
    /// `None`: null.
    pub key: Option<&'a [u8]>,
    /// `None`: null, which on compacted topics deletes what has the same key.
    pub value: Option<&'a [u8]>,
    /// Its headers, checked.
    headers: Headers<'a>,
    /// All of it, with its length in front.
    pub raw: &'a [u8],
    /// What stands between its length and the number of its headers.
    pub before_headers: &'a [u8],
}

impl<'a> Record<'a> {
    /// The same with another value; what lies in the batch still tells the old one.
    #[must_use]
    pub const fn with_value(self, value: &'a [u8]) -> Self {
        Self {
            value: Some(value),
            ..self
        }
    }

    /// Its headers.
    #[must_use]
    pub const fn headers(&self) -> Headers<'a> {
        self.headers
    }

    /// The first header of this name; `None` when there is none or it is null.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        let mut headers = self.headers;
        headers.find(|(it, _value)| *it == name.as_bytes())?.1
    }

    /// The last header of this name, which holds where there are several.
    #[must_use]
    pub fn last_header(&self, name: &str) -> Option<&'a [u8]> {
        let named = self.headers.filter(|(it, _value)| *it == name.as_bytes());
        named.last()?.1
    }
}

/// Names and values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Headers<'a> {
    rest: &'a [u8],
    left: u32,
}

impl<'a> Headers<'a> {
    /// How many are left.
    #[must_use]
    pub const fn left(&self) -> u32 {
        self.left
    }

    /// They themselves, behind their number.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let name = bytes(&mut self.rest)?.unwrap_or_default();
        Some((name, bytes(&mut self.rest)?))
    }
}

/// What stands there is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the batch has no record where it says that there is one")]
pub struct NoRecord;

/// The records of an unpacked batch, as many as its header says; the first that is none is the last.
#[derive(Debug)]
pub struct Records<'a> {
    rest: &'a [u8],
    left: u32,
}

impl<'a> Records<'a> {
    /// `count` records.
    #[must_use]
    pub const fn new(unpacked: &'a [u8], count: u32) -> Self {
        Self {
            rest: unpacked,
            left: count,
        }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, NoRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            if self.rest.is_empty() {
                return None;
            }
            // More bytes than records: what they are, nobody knows.
            self.rest = &[];
            return Some(Err(NoRecord));
        }
        let found = take(&mut self.rest);
        self.left = if found.is_some() { self.left - 1 } else { 0 };
        if found.is_none() {
            self.rest = &[];
        }
        Some(found.ok_or(NoRecord))
    }
}

fn take<'a>(rest: &mut &'a [u8]) -> Option<Record<'a>> {
    let all = *rest;
    let length = usize::try_from(varint(rest)?).ok()?;
    let (body, after) = rest.split_at_checked(length)?;
    let mut within = body;
    // Attributes: none are in use.
    (_, within) = within.split_first()?;
    let (timestamp_delta, offset_delta) = (varlong(&mut within)?, varint(&mut within)?);
    let (key, value) = (bytes(&mut within)?, bytes(&mut within)?);
    let before_headers = &body[..body.len() - within.len()];
    let left = u32::try_from(varint(&mut within)?).ok()?;
    let headers = Headers { rest: within, left };
    for _header in 0..left {
        // A name is never null.
        bytes(&mut within)??;
        bytes(&mut within)?;
    }
    if !within.is_empty() {
        return None;
    }
    *rest = after;
    Some(Record {
        timestamp_delta,
        offset_delta,
        key,
        value,
        headers,
        raw: &all[..all.len() - after.len()],
        before_headers,
    })
}

/// So many bytes as a length before them says; -1: null.
fn bytes<'a>(rest: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let length = varint(rest)?;
    if length == -1 {
        return Some(None);
    }
    let (found, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = after;
    Some(Some(found))
}

fn varint(rest: &mut &[u8]) -> Option<i32> {
    i32::try_from(zigzag(rest, 5)?).ok()
}

fn varlong(rest: &mut &[u8]) -> Option<i64> {
    zigzag(rest, 10)
}

fn zigzag(rest: &mut &[u8], most: usize) -> Option<i64> {
    let mut number: u64 = 0;
    for (at, byte) in rest.iter().take(most).enumerate() {
        number |= u64::from(byte & 0x7f).checked_shl(7 * u32::try_from(at).ok()?)?;
        if byte & 0x80 == 0 {
            *rest = rest.get(at + 1..)?;
            return Some((number >> 1).cast_signed() ^ -((number & 1).cast_signed()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, Sample};
    use super::super::unpack::{Codec, unpack};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_values_and_headers_are_found() {
        let batch = samples::batch(
            Codec::None,
            &[
                Sample::of(Some(b"k"), Some(b"v")),
                Sample::of(None, None).with(&[("a", Some(b"1")), ("b", None), ("a", Some(b"2"))]),
            ],
        );
        let head = head(&batch).unwrap();
        assert!(head.whole && !head.control);
        let found: Vec<_> = Records::new(head.packed, head.count.unwrap())
            .map(Result::unwrap)
            .collect();
        assert_eq!((found[0].key, found[0].value), (Some(&b"k"[..]), Some(&b"v"[..])));
        assert_eq!((found[1].key, found[1].value), (None, None));
        assert_eq!(found[1].header("a"), Some(&b"1"[..]));
        assert_eq!((found[1].header("b"), found[1].header("c")), (None, None));
        assert_eq!((found[1].headers().left(), found[1].headers().count()), (3, 3));
    }

    #[test]
    fn a_changed_byte_is_seen_and_old_magic_is_no_batch() {
        let mut batch = samples::batch(Codec::None, &[Sample::of(None, Some(b"v"))]);
        *batch.last_mut().unwrap() ^= 1;
        assert!(!head(&batch).unwrap().whole);
        assert_eq!(batches(&[batch.clone(), batch.clone()].concat()).count(), 2);
        batch[16] = 1;
        assert_eq!(batches(&batch).count(), 0);
    }

    #[test]
    fn counts_that_lie_are_told() {
        let one = samples::batch(Codec::None, &[Sample::of(None, Some(b"v"))]);
        let packed = head(&one).unwrap().packed;
        assert_eq!(Records::new(packed, 1).filter(Result::is_err).count(), 0);
        let more: Vec<_> = Records::new(packed, 2).collect();
        assert_eq!((more.len(), more[1]), (2, Err(NoRecord)));
        assert_eq!(Records::new(packed, 0).collect::<Vec<_>>(), [Err(NoRecord)]);
        assert_eq!(Records::new(packed, u32::MAX).count(), 2);
    }

    proptest! {
        #[test]
        fn any_bytes_are_walked(bytes in prop::collection::vec(any::<u8>(), 0..300), count: u32) {
            for record in Records::new(&bytes, count).flatten() {
                let named: usize = record.headers().map(|(name, _value)| name.len()).sum();
                prop_assert!(named <= bytes.len());
            }
            let _none = batches(&bytes).count();
        }

        #[test]
        fn records_come_back_from_every_codec(
            values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 1..20),
            which in 0_u16..5,
        ) {
            let codec = Codec::of(which).unwrap();
            let written: Vec<Sample> = values.iter().map(|it| Sample::of(Some(b"key"), Some(it))).collect();
            let batch = samples::batch(codec, &written);
            let head = head(&batch).unwrap();
            prop_assert!(head.whole);
            let unpacked = unpack(codec, head.packed, 1 << 20).unwrap();
            let read: Vec<_> = Records::new(&unpacked, head.count.unwrap())
                .map(|it| it.unwrap().value.unwrap().to_vec())
                .collect();
            prop_assert_eq!(read, values);
        }
    }
}
