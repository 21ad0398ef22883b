//! What is copied of batches as brokers and gateways send them.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::gateway::contract::gap::Gap;
use crate::gateway::contract::records::{head, offsets};
use crate::gateway::contract::samples::{self, Sample};
use crate::gateway::contract::write::Author;

const AUTHOR: Author = Author {
    id: 77,
    epoch: 3,
    sequence: 0,
};
const FIRST_AT: i64 = 1_700_000_000_000;

/// Key, value, headers, time.
type Seen = (Option<Vec<u8>>, Option<Vec<u8>>, usize, i64);

fn resealed(mut batch: Vec<u8>) -> Vec<u8> {
    let checksum = crc32c::crc32c(&batch[21..]);
    batch[17..21].copy_from_slice(&checksum.to_be_bytes());
    batch
}

fn at(offset: i64, mut batch: Vec<u8>) -> Vec<u8> {
    batch[..8].copy_from_slice(&offset.to_be_bytes());
    batch
}

fn of(producer: i64, mut batch: Vec<u8>) -> Vec<u8> {
    batch[22] |= 0x10;
    batch[43..51].copy_from_slice(&producer.to_be_bytes());
    resealed(batch)
}

fn marker(offset: i64, producer: i64, commit: bool) -> Vec<u8> {
    let record = [16, 0, 0, 0, 8, 0, 0, 0, u8::from(commit), 0, 0];
    let mut body = record.to_vec();
    body[0] = u8::try_from((record.len() - 1) * 2).unwrap();
    at(offset, of(producer, samples::raw(0x30, 1, &body)))
}

fn read(batches: &[Vec<u8>], aborted: &[(i64, i64)]) -> Read {
    Read {
        aborted: aborted.to_vec(),
        records: Bytes::from(batches.concat()),
        ..Read::default()
    }
}

/// The records of written batches; each is as a broker takes it.
fn seen(copied: &Copied) -> Vec<Seen> {
    let mut all = Vec::new();
    for batch in &copied.batches {
        let bytes = batch.by(AUTHOR);
        assert_eq!(offsets(&bytes), Some((0, i64::from(batch.count) - 1)), "no gap");
        assert_eq!((bytes[16], bytes[22] & 0x10, bytes[22] & 0x68), (2, 0x10, 0));
        assert_eq!(bytes[43..57], [0, 0, 0, 0, 0, 0, 0, 77, 0, 3, 0, 0, 0, 0]);
        let head = head(&bytes).unwrap();
        assert!(head.whole && !head.control);
        let plain = unpack(head.codec.unwrap(), head.packed, BATCH_MAX).unwrap();
        let first_at = i64::from_be_bytes(number(&bytes, 27));
        let mut latest = i64::MIN;
        for (record, delta) in Records::new(&plain, head.count.unwrap()).zip(0..) {
            let record = record.unwrap();
            assert_eq!(record.offset_delta, delta);
            let at = first_at + record.timestamp_delta;
            latest = latest.max(at);
            let owned = |it: Option<&[u8]>| it.map(<[u8]>::to_vec);
            all.push((
                owned(record.key),
                owned(record.value),
                record.headers().count(),
                at,
            ));
        }
        let told = i64::from_be_bytes(number(&bytes, 35));
        assert!(told >= latest, "{told} {latest}");
    }
    all
}

fn sample(value: &str) -> Sample {
    Sample::of(Some(b"k"), Some(value.as_bytes())).with(&[("a", Some(b"1")), ("b", None)])
}

fn values(copied: &Copied) -> Vec<String> {
    let text = |it: Seen| String::from_utf8(it.1.unwrap()).unwrap();
    seen(copied).into_iter().map(text).collect()
}

#[test]
fn what_was_given_up_and_markers_are_left_out() {
    let one = |offset, value: &str| at(offset, samples::batch(Codec::None, &[sample(value)]));
    let batches = [
        of(1, one(10, "gone")),
        of(2, one(11, "stays")),
        one(12, "plain"),
        marker(13, 1, false),
        of(1, one(14, "again")),
        marker(15, 1, true),
        marker(16, 2, true),
        at(17, Gap::of(&one(17, "withheld")).unwrap().written().unwrap()),
    ];
    let copied = copy(&read(&batches, &[(1, 10)]), 10);
    assert_eq!(values(&copied), ["stays", "plain", "again"]);
    assert_eq!((copied.next, copied.stopped), (18, None));
    assert_eq!(copied.batches.len(), 1, "small ones become one");
    assert_eq!(copied.batches[0].ends, (11, 14));
}

#[test]
fn a_large_batch_keeps_its_packed_bytes_and_a_small_or_uneven_one_its_records() {
    let noise: String = (0_u32..60_000)
        .map(|at| char::from(b'a' + (at.wrapping_mul(2_654_435_761) >> 24) as u8 % 26))
        .collect();
    for number in 0..5 {
        let codec = Codec::of(number).unwrap();
        let some = [sample(&noise), sample("b"), sample("c")];
        let large = at(100, samples::batch(codec, &some));
        let copied = copy(&read(std::slice::from_ref(&large), &[]), 100);
        assert_eq!(copied.batches[0].by(AUTHOR)[61..], large[61..], "{codec:?}");
        let whole = seen(&copied);
        assert_eq!(
            whole[2],
            (Some(b"k".to_vec()), Some(b"c".to_vec()), 2, FIRST_AT + 6)
        );
        // From its middle on.
        let copied = copy(&read(std::slice::from_ref(&large), &[]), 101);
        assert_eq!(seen(&copied), whole[1..]);
        assert_eq!((copied.batches[0].ends, copied.next), ((101, 102), 103));
        // As a view leaves it: the first of three is withheld, offsets and the last one of the range stay.
        let mut gappy = large.clone();
        gappy[23..27].copy_from_slice(&7_i32.to_be_bytes());
        let copied = copy(&read(&[resealed(gappy)], &[]), 100);
        assert_eq!(seen(&copied), whole);
        assert_eq!(copied.next, 108);
    }
}

#[test]
fn the_time_of_a_broker_is_kept_as_the_producers() {
    let mut batch = samples::batch(Codec::Zstd, &[sample("a"), sample("b")]);
    batch[22] |= 0x08;
    let copied = copy(&read(&[resealed(batch)], &[]), 0);
    let times: Vec<i64> = seen(&copied).iter().map(|it| it.3).collect();
    assert_eq!(times, [FIRST_AT + 500, FIRST_AT + 500]);
    let mut horizon = samples::batch(Codec::None, &[sample("a")]);
    horizon[22] |= 0x40;
    assert_eq!(seen(&copy(&read(&[resealed(horizon)], &[]), 0))[0].3, FIRST_AT);
}

#[test]
fn what_cannot_be_read_stops_there_and_nothing_of_it_is_taken() {
    let good = at(5, samples::batch(Codec::None, &[sample("good")]));
    let mut flipped = at(6, samples::batch(Codec::None, &[sample("bad"), sample("bad")]));
    *flipped.last_mut().unwrap() ^= 1;
    let mut short = samples::batch(Codec::None, &[sample("a"), sample("b")]);
    // One record more than there is.
    short[57..61].copy_from_slice(&3_i32.to_be_bytes());
    short[23..27].copy_from_slice(&2_i32.to_be_bytes());
    let mut old = good.clone();
    old[16] = 1;
    let mut codec = samples::batch(Codec::None, &[sample("a")]);
    codec[22] |= 7;
    let mut backwards = good.clone();
    backwards[23..27].copy_from_slice(&(-9_i32).to_be_bytes());
    for (bad, why) in [
        (flipped, Unreadable::Corrupt),
        (at(6, resealed(short)), Unreadable::Corrupt),
        (at(6, old), Unreadable::Unknown),
        (at(6, resealed(codec)), Unreadable::Unknown),
        (at(6, resealed(backwards)), Unreadable::Corrupt),
    ] {
        let copied = copy(&read(&[good.clone(), bad], &[]), 5);
        assert_eq!(values(&copied), ["good"]);
        assert_eq!((copied.next, copied.stopped), (6, Some(why)));
    }
    // The part of a batch at the end of an answer.
    let copied = copy(&read(&[good.clone(), good[..40].to_vec()], &[]), 5);
    assert_eq!((copied.next, copied.stopped), (6, None));
    // What was copied before, or comes twice in one answer.
    let twice = copy(&read(&[good.clone(), good.clone()], &[]), 5);
    assert_eq!(values(&twice), ["good"]);
    assert!(copy(&read(&[good], &[]), 6).batches.is_empty());
}

#[test]
fn one_that_is_too_large_is_parted_until_one_record_is_left() {
    let some: Vec<Sample> = (0..5).map(|at| sample(&at.to_string())).collect();
    let copied = copy(&read(&[samples::batch(Codec::Gzip, &some)], &[]), 0);
    let (front, back) = copied.batches[0].halves().unwrap();
    assert_eq!(
        (front.count, front.ends, back.count, back.ends),
        (2, (0, -1), 3, (-1, 4))
    );
    let both = Copied {
        batches: vec![front.clone(), back],
        ..Copied::default()
    };
    assert_eq!(seen(&both), seen(&copied));
    let (one, _other) = front.halves().unwrap();
    assert!(one.halves().is_none());
}

proptest! {
    #[test]
    fn no_bytes_panic_and_what_is_taken_is_sound(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        from in 0_i64..1_000,
        flips in prop::collection::vec((0_usize..300, any::<u8>()), 0..4),
        codec in 0_u16..5,
    ) {
        let _nothing = copy(&read(&[bytes], &[]), from);
        let codec = Codec::of(codec).unwrap();
        let mut batch = samples::batch(codec, &[sample("a"), sample("b")]);
        for (place, byte) in flips {
            if let Some(it) = batch.get_mut(place) {
                *it ^= byte;
            }
        }
        let batch = if batch.len() > 61 { resealed(batch) } else { batch };
        let copied = copy(&read(&[batch], &[(9, 0)]), 0);
        let _sound = seen(&copied);
        prop_assert!(copied.next >= 0);
    }
}
