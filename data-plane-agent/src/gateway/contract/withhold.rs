//! Dead letters stay where they are in the log, and consumers do not see them: batches are written anew without them.
//!
//! What is left of a batch looks as after a compaction: base offset and last offset stay, so that a consumer goes on behind
//! it. Batches of which nothing is left become one gap, which clients pass over ([`Sifted`]).

use bytes::Bytes;

use super::mark::WITHHELD;
use super::pace::{Pace, Pause};
use super::records::{self, Head, Records, rebuilt};
use super::sift::{Left, Sifted};
use super::unpack::{Codec, unpack};
use super::work::BATCH_MAX;

/// A partition's records without those that are withheld; `None` when none are. What follows the last whole batch is
/// left out with them.
///
/// # Errors
/// [`Pause`] when it would take longer than it may now; it is to be begun again.
pub fn withhold(records: &Bytes, pace: &Pace<'_>) -> Result<Option<Bytes>, Pause> {
    let mut sifted = Sifted::of(records);
    for batch in records::batches(records) {
        sifted.push(batch, &less(batch, pace)?);
    }
    Ok(sifted.finish())
}

/// The batch without its dead letters. What cannot be read was not marked.
fn less(batch: &[u8], pace: &Pace<'_>) -> Result<Left, Pause> {
    if pace.ends() {
        return Err(Pause::Time);
    }
    let Some(Head {
        codec: Some(codec),
        control: false,
        count: Some(count),
        packed,
        whole: _,
    }) = records::head(batch)
    else {
        return Ok(Left::All);
    };
    if codec == Codec::None {
        return without(batch, codec, packed, count, pace);
    }
    match unpack(codec, packed, BATCH_MAX.min(pace.batch_bytes)) {
        Ok(unpacked) => without(batch, codec, &unpacked, count, pace),
        Err(_too_large) if pace.batch_bytes < BATCH_MAX => Err(Pause::Size),
        Err(_unreadable) => Ok(Left::All),
    }
}

fn without(batch: &[u8], codec: Codec, unpacked: &[u8], count: u32, pace: &Pace<'_>) -> Result<Left, Pause> {
    if unpacked.len() > pace.batch_bytes {
        return Err(Pause::Size);
    }
    let (mut kept, mut left) = (Vec::new(), count);
    for (at, record) in Records::new(unpacked, count).enumerate() {
        if at % 64 == 63 && pace.ends() {
            return Err(Pause::Time);
        }
        let Ok(record) = record else {
            return Ok(Left::All);
        };
        if record.header(WITHHELD).is_some() {
            left -= 1;
        } else {
            kept.push(record.raw);
        }
    }
    if left == count {
        return Ok(Left::All);
    }
    if left == 0 {
        return Ok(Left::Nothing);
    }
    Ok(rebuilt(batch, codec, left, &kept.concat()).map_or(Left::Nothing, |it| Left::Some(it.into())))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, Sample};
    use super::*;
    use proptest::prelude::*;

    fn dead(value: &[u8]) -> Sample {
        Sample::of(None, Some(value)).with(&[("a", None), (WITHHELD, Some(b"DLQ"))])
    }

    fn alive(value: &[u8]) -> Sample {
        Sample::of(Some(b"k"), Some(value)).with(&[("a", Some(b"DLQ"))])
    }

    fn aside(records: &[u8]) -> Option<Bytes> {
        let Ok(less) = withhold(&Bytes::copy_from_slice(records), &Pace::aside(&|| false)) else {
            panic!("nobody stops it");
        };
        less
    }

    /// Of each batch: its first 61 bytes without lengths and checksum, and its values.
    fn read(records: &[u8]) -> Vec<(Vec<u8>, u32, Vec<Vec<u8>>)> {
        records::batches(records)
            .map(|batch| {
                let head = records::head(batch).unwrap();
                assert!(head.whole);
                let unpacked = unpack(head.codec.unwrap(), head.packed, 1 << 20).unwrap();
                let values: Vec<_> = Records::new(&unpacked, head.count.unwrap())
                    .map(|it| it.unwrap().value.unwrap().to_vec())
                    .collect();
                let kept = [&batch[..8], &batch[12..17], &batch[23..57]].concat();
                (kept, head.count.unwrap(), values)
            })
            .collect()
    }

    #[test]
    fn what_is_left_keeps_its_offsets_and_the_rest_is_a_gap() {
        for codec in [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
            let whole = samples::batch(codec, &[alive(b"1"), alive(b"2")]);
            let some = samples::batch(codec, &[alive(b"3"), dead(b"4"), alive(b"5")]);
            let none = samples::batch(codec, &[dead(b"6"), dead(b"7")]);
            let marker = samples::raw(0x30, 1, &[12, 0, 0, 0, 8, 0, 0, 0, 1, 12, 0, 0, 0, 0, 0, 0, 0]);
            let mut log = Vec::new();
            for batch in [&whole, &some, &none, &none, &marker, &none, &whole] {
                let offset = log
                    .iter()
                    .map(|it: &Vec<u8>| records::head(it).unwrap().count.unwrap())
                    .sum::<u32>();
                let mut batch = batch.clone();
                batch[..8].copy_from_slice(&i64::from(offset).to_be_bytes());
                log.push(batch);
            }
            let less = aside(&[&log.concat()[..], &some[..70]].concat()).unwrap();
            let after: Vec<_> = records::batches(&less).collect();
            let offsets: Vec<_> = after.iter().map(|it| records::offsets(it).unwrap()).collect();
            assert_eq!(
                offsets,
                [(0, 1), (2, 4), (5, 8), (9, 9), (10, 11), (12, 13)],
                "{codec:?}"
            );
            assert_eq!(
                [after[0], after[3], after[5]],
                [&log[0], &log[4], &log[6]],
                "untouched"
            );
            let (before, left) = (&read(&log[1])[0], &read(after[1])[0]);
            assert_eq!(before.0, left.0, "{codec:?}: offsets, times and producer");
            assert_eq!((left.1, left.2.concat()), (2, b"35".to_vec()));
            for gap in [after[2], after[4]] {
                let head = records::head(gap).unwrap();
                assert!(head.control && head.whole && gap.len() < 100);
            }
            assert_eq!(
                less.len(),
                after.concat().len(),
                "the part of a batch at the end goes"
            );
            assert_eq!(aside(&less), None, "nothing is left to withhold");
        }
    }

    #[test]
    fn what_has_none_or_cannot_be_read_is_left_alone() {
        let poison = samples::raw(1, 3, b"no gzip");
        let control = samples::raw(0x20, 1, &[12, 0, 0, 0, 1, 1, 0]);
        let whole = samples::batch(Codec::Zstd, &[alive(b"1")]);
        assert_eq!(aside(&[poison, control, whole].concat()), None);
        assert_eq!(aside(b""), None);
    }

    #[test]
    fn what_takes_long_is_not_done_between_clients() {
        let long = samples::batch(Codec::Zstd, &[alive(&vec![b'x'; 200_000]), dead(b"1")]);
        let at_once = withhold(&long.clone().into(), &Pace::at_once());
        assert!(matches!(at_once, Err(Pause::Size)));
        assert_eq!(read(&aside(&long).unwrap())[0].1, 1);
    }

    proptest! {
        #[test]
        fn exactly_the_dead_are_missing(
            records in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40), any::<bool>()), 1..20),
            codec in 0_u16..5,
        ) {
            let written: Vec<_> = records
                .iter()
                .map(|(value, is_dead)| if *is_dead { dead(value) } else { alive(value) })
                .collect();
            let batch = samples::batch(Codec::of(codec).unwrap(), &written);
            let left: Vec<_> = records.iter().filter(|it| !it.1).map(|it| it.0.clone()).collect();
            match aside(&batch) {
                None => prop_assert_eq!(left.len(), records.len()),
                Some(gap) if left.is_empty() => prop_assert!(records::head(&gap).unwrap().control),
                Some(less) => prop_assert_eq!(&read(&less)[0].2, &left),
            }
        }
    }
}
