//! Frames, rings and batches: what is encrypted is read with its key, for its topic and record, and not otherwise.

use bytes::Bytes;
use proptest::prelude::*;
use weir_proto::agent::v1::MountEncryption;
use weir_proto::lane::v1::{DataKey, KeyRing as Told, LogicalTopic};

use super::frame::MAGIC;
use super::*;
use crate::gateway::contract::records::{self, Records};
use crate::gateway::contract::samples::{self, Sample};
use crate::gateway::contract::unpack::{Codec, unpack};
use crate::gateway::contract::{Pace, Pause};
use crate::gateway::share::tests::{CODECS, at, read, sent, shown, sight};
use crate::gateway::share::{Kept, Look, Sight, through};

/// A ring with the keys of these ids; the last is written with.
pub fn told(ids: &[u64]) -> Told {
    let keys = ids.iter().map(|id| DataKey {
        id: *id,
        key: vec![*id as u8; 32],
    });
    Told {
        topic_id: "topic_original".to_owned(),
        keys: keys.collect(),
        active: ids.last().copied().unwrap_or(0),
        newest: ids.last().copied().unwrap_or(0),
        required: true,
        closed: false,
    }
}

fn ring(ids: &[u64]) -> Ring {
    Ring::of(&told(ids))
}

fn written(batch: &[u8], ring: &Ring) -> Vec<u8> {
    encrypted(batch, ring, 1 << 26, &Pace::aside(&|| false)).unwrap()
}

/// What is shared encrypted, to whoever has these keys.
pub fn mount(steps: &str, ring: Told) -> LogicalTopic {
    let mut topic = shown(steps);
    if let Some(mount) = &mut topic.mount {
        mount.encryption = Some(MountEncryption::default());
    }
    topic.key_ring = Some(ring);
    topic
}

fn lens_of(topic: &LogicalTopic) -> std::sync::Arc<crate::gateway::share::Lens> {
    match sight(topic, Vec::new()) {
        Sight::Through(lens) => lens,
        other => panic!("{other:?}"),
    }
}

fn card(value: &[u8]) -> Sample {
    Sample::of(Some(b"k"), Some(value)).with(&[("trace", Some(b"abc"))])
}

/// Every value of a batch as it lies there.
fn raw_values(batch: &[u8]) -> Vec<Option<Vec<u8>>> {
    let head = records::head(batch).unwrap();
    assert!(head.whole);
    let unpacked = unpack(head.codec.unwrap(), head.packed, 1 << 26).unwrap();
    Records::new(&unpacked, head.count.unwrap())
        .map(|it| it.unwrap().value.map(<[u8]>::to_vec))
        .collect()
}

#[test]
fn values_are_encrypted_and_all_else_of_a_batch_stays() {
    let ring = ring(&[7]);
    for codec in CODECS {
        let plain = samples::batch(
            codec,
            &[
                card(b"{\"card\":\"canary-1\"}"),
                Sample::of(Some(b"gone"), None),
                card(b""),
            ],
        );
        let encrypted = written(&plain, &ring);
        assert_eq!(encrypted[..8], plain[..8], "{codec:?}");
        assert_eq!(encrypted[12..17], plain[12..17]);
        assert_eq!(
            encrypted[21..records::HEADER],
            plain[21..records::HEADER],
            "codec, times, producer, sequence, count"
        );
        let values = raw_values(&encrypted);
        assert!(values[0].as_ref().unwrap().starts_with(&MAGIC));
        assert_eq!(values[1], None, "what deletes stays null");
        let found = encrypted.windows(6).any(|it| it == b"canary");
        assert!(!found, "{codec:?}");
        let lens = lens_of(&mount("", told(&[7])));
        let (before, after) = (read(&plain), read(&sent(&lens, &encrypted)));
        assert_eq!(before, after, "offsets, times, keys, values and headers");
    }
}

#[test]
fn the_same_value_is_never_written_the_same() {
    let (ring, plain) = (ring(&[7]), samples::batch(Codec::None, &[card(b"x"), card(b"x")]));
    let values = [written(&plain, &ring), written(&plain, &ring)].map(|it| raw_values(&it));
    let mut all: Vec<_> = values.concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 4);
}

#[test]
fn what_is_altered_or_of_another_topic_or_record_cannot_be_read() {
    let good = ring(&[7]);
    let plain = samples::batch(Codec::None, &[card(b"canary")]);
    let value = raw_values(&written(&plain, &good))[0].clone().unwrap();
    let open = |ring: &Ring, key: Option<&[u8]>, value: &[u8]| Opener::default().open(ring, key, value);
    assert_eq!(open(&good, Some(b"k"), &value), Opened::Plain(b"canary".to_vec()));
    for at in MAGIC.len() + 8..value.len() {
        let mut altered = value.clone();
        altered[at] ^= 1;
        assert_eq!(open(&good, Some(b"k"), &altered), Opened::Shut, "byte {at}");
    }
    for short in MAGIC.len()..value.len() {
        assert_eq!(
            open(&good, Some(b"k"), &value[..short]),
            Opened::Shut,
            "{short} bytes"
        );
    }
    assert_eq!(
        open(&good, Some(b"other"), &value),
        Opened::Shut,
        "another record's"
    );
    assert_eq!(open(&good, None, &value), Opened::Shut);
    let of_another = Ring::of(&Told {
        topic_id: "topic_another".to_owned(),
        ..told(&[7])
    });
    assert_eq!(
        open(&of_another, Some(b"k"), &value),
        Opened::Shut,
        "another topic's"
    );
    let mut other_key = told(&[7]);
    other_key.keys[0].key = vec![9; 32];
    assert_eq!(open(&Ring::of(&other_key), Some(b"k"), &value), Opened::Shut);
    assert_eq!(open(&good, None, b"{\"card\":1}"), Opened::Clear, "from before");
}

#[test]
fn a_later_key_is_waited_for_and_a_destroyed_one_is_not() {
    let plain = samples::batch(Codec::Lz4, &[card(b"canary")]);
    let (first, second) = (written(&plain, &ring(&[7])), written(&plain, &ring(&[7, 9])));
    let log = Bytes::from([at(0, first.clone()), at(1, second.clone())].concat());
    let kept = Kept::default();
    let through = |ids: &[u64], newest: u64, log: &Bytes| {
        let ring = Told { newest, ..told(ids) };
        let lens = lens_of(&mount("", ring));
        let look = Look {
            lens: &lens,
            dead: false,
            partition: 0,
            kept: &kept,
        };
        let through = through(log, look, &Pace::aside(&|| false)).unwrap();
        through.map(|it| read(&it).into_iter().map(|it| it.0).collect::<Vec<_>>())
    };
    assert_eq!(through(&[7, 9], 9, &log), Some(vec![0, 1]), "both keys");
    assert_eq!(
        through(&[7], 7, &log),
        Some(vec![0]),
        "up to what is still to be heard of"
    );
    assert_eq!(
        through(&[7], 7, &at(1, second).into()),
        None,
        "nothing yet: no gap"
    );
    assert_eq!(through(&[9], 9, &log), Some(vec![1]), "an old key was destroyed");
    assert_eq!(through(&[], 9, &log), Some(vec![]), "all were");
}

#[test]
fn a_view_is_of_the_plain_record_and_what_cannot_be_read_is_withheld() {
    let mask = r#"[{"mask":{"fields":["card"],"how":"REDACT"}}]"#;
    let plain = samples::batch(
        Codec::Zstd,
        &[card(br#"{"card":"4111"}"#), card(br#"{"card":"4222"}"#)],
    );
    let encrypted = written(&plain, &ring(&[7]));
    let lens = lens_of(&mount(mask, told(&[7])));
    let values: Vec<_> = read(&sent(&lens, &encrypted))
        .into_iter()
        .map(|it| it.3)
        .collect();
    assert_eq!(values, vec![Some(r#"{"card":"***"}"#.to_owned()); 2]);
    let mut other = told(&[7]);
    other.keys[0].key = vec![9; 32];
    let gap = sent(&lens_of(&mount(mask, other.clone())), &encrypted);
    assert!(
        read(&gap).is_empty() && records::batches(&gap).count() == 1,
        "a gap, which clients pass"
    );
    let all = sent(&lens_of(&mount("", other)), &encrypted);
    assert!(read(&all).is_empty(), "no ciphertext either");
}

#[test]
fn a_mount_without_its_keys_is_shut_and_one_of_them_alone_does_not_open_it() {
    let closed = Told {
        closed: true,
        ..told(&[])
    };
    assert_eq!(sight(&mount("", closed), Vec::new()), Sight::Closed);
    let mut without = mount("", told(&[7]));
    without.key_ring = None;
    assert_eq!(
        sight(&without, Vec::new()),
        Sight::Closed,
        "an agent that tells none"
    );
}

#[test]
fn what_has_to_be_encrypted_is_written_under_the_active_key_or_not_at_all() {
    let writes = |change: &dyn Fn(&mut Told)| {
        let mut told = told(&[7]);
        change(&mut told);
        Ring::of(&told).writes()
    };
    assert_eq!(writes(&|_it| ()), Writes::Encrypted);
    assert_eq!(
        writes(&|it| it.active = 0),
        Writes::NotYet,
        "not every gateway knows it"
    );
    assert_eq!(
        writes(&|it| it.keys[0].key.clear()),
        Writes::NotYet,
        "from a disk"
    );
    assert_eq!(writes(&|it| it.closed = true), Writes::Never);
    assert_eq!(
        writes(&|it| it.required = false),
        Writes::Clear,
        "the share ended"
    );
}

#[test]
fn what_cannot_be_read_is_not_written_and_what_takes_long_is_not_done_between_clients() {
    let ring = ring(&[7]);
    let aside = |batch: &[u8]| encrypted(batch, &ring, 1 << 26, &Pace::aside(&|| false));
    let mut corrupt = samples::batch(Codec::None, &[card(b"x")]);
    *corrupt.last_mut().unwrap() ^= 1;
    assert_eq!(aside(&corrupt), Err(NotEncrypted::Corrupt));
    let poison = samples::raw(1, 3, b"no gzip");
    assert_eq!(aside(&poison), Err(NotEncrypted::Unreadable));
    let control = samples::raw(0x20, 1, &[12, 0, 0, 0, 1, 1, 0]);
    assert_eq!(aside(&control), Err(NotEncrypted::Unreadable));
    let long = samples::batch(Codec::Zstd, &[card(&vec![b'x'; 200_000])]);
    let at_once = encrypted(&long, &ring, 1 << 26, &Pace::at_once());
    assert_eq!(at_once, Err(NotEncrypted::Pause(Pause::Size)));
    assert!(aside(&long).is_ok());
}

proptest! {
    #[test]
    fn any_value_comes_back_and_any_bytes_are_walked(
        values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..12),
        codec in 0_u16..5,
        noise in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let ring = ring(&[7]);
        let samples: Vec<Sample> = values.iter().map(|it| Sample::of(None, Some(it))).collect();
        let plain = samples::batch(Codec::of(codec).unwrap(), &samples);
        let lens = lens_of(&mount("", told(&[7])));
        prop_assert_eq!(read(&sent(&lens, &written(&plain, &ring))), read(&plain));
        let framed = [&MAGIC[..], &noise].concat();
        let opened = Opener::default().open(&ring, None, &framed);
        prop_assert!(matches!(opened, Opened::Shut | Opened::NotYet));
    }
}
