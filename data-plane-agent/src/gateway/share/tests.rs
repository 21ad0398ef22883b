//! Views over batches: what is seen, what is withheld, and when a view is closed.

use bytes::Bytes;
use proptest::prelude::*;
use weir_actions::OwnedHeader;
use weir_proto::agent::v1::{
    DerivedSchema, Mount as Told, MountKeys, PartContract, Schema, SchemaFormat, TopicContract,
};
use weir_proto::lane::v1::{LogicalCluster, LogicalTopic, Snapshot};

use super::*;
use crate::gateway::contract::records::{self, Records};
use crate::gateway::contract::samples::{self, Sample};
use crate::gateway::contract::unpack::{Codec, unpack};
use crate::gateway::contract::{Pace, Pause};

pub const CODECS: [Codec; 5] = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];
/// The time of a sample's first record.
const T0: i64 = 1_700_000_000_000;

/// A topic that is shown through these steps.
pub fn shown(steps: &str) -> LogicalTopic {
    LogicalTopic {
        id: "topic_mount".to_owned(),
        name: "shared".to_owned(),
        mount: Some(Told {
            share_id: "share_1".to_owned(),
            topic_id: "topic_original".to_owned(),
            view_steps_json: steps.to_owned(),
            keys: MountKeys::Shown.into(),
            ..Told::default()
        }),
        mount_key: vec![7; 32],
        ..LogicalTopic::default()
    }
}

fn snapshot(topic: LogicalTopic, schemas: Vec<Schema>) -> Snapshot {
    Snapshot {
        clusters: vec![LogicalCluster {
            topics: vec![topic],
            ..LogicalCluster::default()
        }],
        schemas,
        ..Snapshot::default()
    }
}

/// How much of it is seen.
pub fn sight(topic: &LogicalTopic, schemas: Vec<Schema>) -> Sight {
    let lenses = Lenses::build(&snapshot(topic.clone(), schemas), &Lenses::default());
    lenses.sight(&topic.id, topic.mount.as_ref().unwrap())
}

pub fn lens(topic: &LogicalTopic) -> std::sync::Arc<Lens> {
    match sight(topic, Vec::new()) {
        Sight::Through(lens) => lens,
        other => panic!("{other:?}"),
    }
}

/// What a consumer is sent.
pub fn sent(lens: &Lens, log: &[u8]) -> Bytes {
    let kept = Kept::default();
    let look = Look {
        lens,
        dead: true,
        partition: 0,
        kept: &kept,
    };
    through(&Bytes::copy_from_slice(log), look, &Pace::aside(&|| false))
        .unwrap()
        .expect("every key is known")
}

/// Of each record that a consumer reads: offset, time, key, value, headers. Whoever reads checks checksums.
pub type Got = (i64, i64, Option<String>, Option<String>, Vec<(String, String)>);

pub fn read(sent: &[u8]) -> Vec<Got> {
    let text = |it: &[u8]| String::from_utf8_lossy(it).into_owned();
    let mut got = Vec::new();
    for batch in records::batches(sent) {
        let head = records::head(batch).unwrap();
        assert!(head.whole);
        if head.control {
            continue;
        }
        let (offset, last) = records::offsets(batch).unwrap();
        let first = i64::from_be_bytes(batch[27..35].try_into().unwrap());
        let newest = i64::from_be_bytes(batch[35..43].try_into().unwrap());
        let appended = batch[22] & 8 != 0;
        let unpacked = unpack(head.codec.unwrap(), head.packed, 1 << 26).unwrap();
        for record in Records::new(&unpacked, head.count.unwrap()) {
            let it = record.unwrap();
            let at = offset + i64::from(it.offset_delta);
            assert!(at <= last);
            let time = if appended {
                newest
            } else {
                first + it.timestamp_delta
            };
            assert!(time <= newest);
            let headers = it
                .headers()
                .map(|(name, value)| (text(name), text(value.unwrap_or(b"<null>"))));
            got.push((at, time, it.key.map(text), it.value.map(text), headers.collect()));
        }
    }
    got
}

fn values(sent: &[u8]) -> Vec<String> {
    read(sent)
        .into_iter()
        .map(|it| it.3.unwrap_or_else(|| "<null>".to_owned()))
        .collect()
}

fn payment(amount: u32, card: &str) -> Sample {
    let value = format!(r#"{{"amount":{amount},"card":"{card}"}}"#);
    Sample::of(Some(b"k"), Some(value.as_bytes())).with(&[("trace", Some(b"abc"))])
}

pub fn at(offset: i64, mut batch: Vec<u8>) -> Vec<u8> {
    batch[..8].copy_from_slice(&offset.to_be_bytes());
    batch
}

const FILTER: &str = r#"[{"filter":{"where":"message.amount > 100"}}]"#;
const MASK: &str = r#"[{"mask":{"fields":["card"],"how":{"KEEP_LAST":{"n":4}}}}]"#;
const BOTH: &str = r#"[{"filter":{"where":"message.amount > 100"}},{"mask":{"fields":["card"],"how":{"KEEP_LAST":{"n":4}}}}]"#;

#[test]
fn records_are_filtered_and_masked_at_their_offsets_and_withheld_ranges_are_gaps() {
    let lens = lens(&shown(BOTH));
    for codec in CODECS {
        let log = [
            at(
                10,
                samples::batch(
                    codec,
                    &[payment(500, "4111111111111111"), payment(5, "4222222222222222")],
                ),
            ),
            at(
                12,
                samples::batch(
                    codec,
                    &[payment(1, "4333333333333333"), payment(2, "4444444444444444")],
                ),
            ),
            at(14, samples::batch(codec, &[payment(3, "4555555555555555")])),
            at(
                15,
                samples::raw(0x30, 1, &[12, 0, 0, 0, 8, 0, 0, 0, 1, 12, 0, 0, 0, 0, 0, 0, 0]),
            ),
            at(
                16,
                samples::batch(
                    codec,
                    &[payment(6, "4666666666666666"), payment(700, "4777777777777777")],
                ),
            ),
        ];
        let sent = sent(&lens, &log.concat());
        let got = read(&sent);
        let expected = [
            (10, T0, r#"{"amount":500,"card":"************1111"}"#),
            (17, T0 + 3, r#"{"amount":700,"card":"************7777"}"#),
        ];
        let expected = expected
            .map(|(at, time, value)| (at, time, Some("k".to_owned()), Some(value.to_owned()), vec![]));
        assert_eq!(got, expected, "{codec:?}");
        let batches: Vec<_> = records::batches(&sent).collect();
        let offsets: Vec<_> = batches.iter().map(|it| records::offsets(it).unwrap()).collect();
        assert_eq!(offsets, [(10, 11), (12, 14), (15, 15), (16, 17)], "{codec:?}");
        assert_eq!(batches[2], log[3], "real markers pass as they are");
        assert!(records::head(batches[1]).unwrap().control);
        assert_eq!(batches[0][43..57], log[0][43..57], "producer and sequence stay");
    }
}

#[test]
fn a_filter_alone_leaves_what_passes_as_it_is_with_its_headers() {
    let lens = lens(&shown(FILTER));
    let whole = samples::batch(Codec::Lz4, &[payment(500, "1"), payment(600, "2")]);
    assert_eq!(sent(&lens, &whole), whole);
    let some = samples::batch(Codec::Lz4, &[payment(5, "1"), payment(600, "2")]);
    let got = read(&sent(&lens, &some));
    assert_eq!(got[0].4, [("trace".to_owned(), "abc".to_owned())]);
    assert_eq!(
        (got.len(), got[0].0, got[0].1),
        (1, 1, T0 + 3),
        "the time of the first is not told"
    );
}

#[test]
fn what_cannot_be_read_or_on_which_a_step_fails_is_withheld() {
    let good = payment(500, "4111111111111111");
    for wrong in [
        &b"secret, no JSON"[..],
        br#"{"card":"4999"}"#,
        br#"{"amount":"many","card":"4999"}"#,
    ] {
        let batch = samples::batch(Codec::Zstd, &[good.clone(), Sample::of(None, Some(wrong))]);
        assert_eq!(read(&sent(&lens(&shown(BOTH)), &batch)).len(), 1);
    }
    let poison = samples::raw(1, 3, b"secret, no gzip");
    let lies = samples::raw(0, 9, b"secret, no records");
    let mut torn = samples::batch(Codec::None, std::slice::from_ref(&good));
    *torn.last_mut().unwrap() ^= 1;
    for unreadable in [poison, lies, torn] {
        let sent = sent(&lens(&shown(MASK)), &unreadable);
        assert!(
            records::batches(&sent).all(|it| records::head(it).unwrap().control),
            "a gap"
        );
        assert!(!sent.windows(6).any(|it| it == b"secret"));
    }
}

#[test]
fn the_part_of_a_batch_at_the_end_is_never_sent() {
    let whole = samples::batch(Codec::None, &[payment(500, "4111111111111111")]);
    for steps in [FILTER, MASK] {
        let lens = lens(&shown(steps));
        let longer = sent(&lens, &[&whole[..], &whole[..whole.len() - 1]].concat());
        assert_eq!(longer, sent(&lens, &whole));
        assert!(sent(&lens, &whole[..whole.len() - 1]).is_empty());
    }
}

#[test]
fn a_value_that_is_null_passes_unless_there_is_a_filter() {
    let null = Sample::of(Some(b"k"), None).with(&[("trace", Some(b"abc"))]);
    let batch = samples::batch(Codec::None, &[null, payment(500, "1")]);
    let masked = read(&sent(&lens(&shown(MASK)), &batch));
    assert_eq!((masked.len(), &masked[0].3, masked[0].4.len()), (2, &None, 0));
    assert_eq!(read(&sent(&lens(&shown(FILTER)), &batch)).len(), 1);
}

#[test]
fn records_from_before_the_share_are_withheld_by_their_own_time_or_the_brokers() {
    let mut topic = shown("");
    topic.mount.as_mut().unwrap().from_unix_ms = T0 + 3;
    let lens = lens(&topic);
    let records = [payment(1, "1"), payment(2, "2"), payment(3, "3")];
    let got = read(&sent(&lens, &samples::batch(Codec::Snappy, &records)));
    assert_eq!(got.iter().map(|it| it.0).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(got[0].4.len(), 1, "headers pass");
    // Appended by the broker half a second later.
    let mut appended = samples::batch(Codec::None, &records);
    appended[22] |= 8;
    let checksum = crc32c::crc32c(&appended[21..]);
    appended[17..21].copy_from_slice(&checksum.to_be_bytes());
    assert_eq!(sent(&lens, &appended), appended);
}

#[test]
fn times_of_the_broker_stay_and_a_horizon_of_deletion_goes() {
    let mut batch = samples::batch(Codec::None, &[payment(5, "1"), payment(500, "4111111111111111")]);
    batch[22] |= 8 | 0x40;
    let checksum = crc32c::crc32c(&batch[21..]);
    batch[17..21].copy_from_slice(&checksum.to_be_bytes());
    let sent = sent(&lens(&shown(BOTH)), &batch);
    assert_eq!(read(&sent)[0].1, T0 + 500);
    assert_eq!(sent[22] & 0x48, 8);
}

#[test]
fn dead_letters_are_withheld_as_from_the_owner() {
    let dead = payment(500, "4111111111111111").with(&[("__weir.withheld", Some(b"DLQ"))]);
    let batch = samples::batch(Codec::None, &[dead, payment(600, "4222222222222222")]);
    assert_eq!(
        values(&sent(&lens(&shown(BOTH)), &batch)),
        [r#"{"amount":600,"card":"************2222"}"#]
    );
}

#[test]
fn hashes_are_keyed_by_the_share_and_the_reference() {
    let steps = |key: &str| {
        shown(&format!(
            r#"[{{"mask":{{"fields":["card"],"how":{{"HASH":{{"key":"{key}"}}}}}}}}]"#
        ))
    };
    let batch = samples::batch(Codec::None, &[payment(1, "4111"), payment(1, "4111")]);
    let of = |topic: &LogicalTopic| values(&sent(&lens(topic), &batch));
    let one = of(&steps("a"));
    assert_eq!(one[0], one[1], "equal values stay equal");
    let mut other = steps("a");
    other.mount_key = vec![8; 32];
    assert!(one[0] != of(&other)[0] && one[0] != of(&steps("b"))[0]);
    other.mount_key.clear();
    assert_eq!(
        sight(&other, Vec::new()),
        Sight::Closed,
        "without a key there is no hash"
    );
}

#[test]
fn a_view_that_cannot_be_compiled_or_does_more_than_take_away_is_closed() {
    for wrong in [
        "[",
        "{}",
        r#"[{"filter":{"where":"1 +"}}]"#,
        r#"[{"filter":{"where":"true"},"mask":{}}]"#,
        r#"[{"set":{"fields":{"a":"1"}}}]"#,
        r#"[{"mask":{"tags":["PII"],"how":"REDACT"}}]"#,
        r#"[{"call":{"url":"https://example.com"}}]"#,
    ] {
        assert_eq!(sight(&shown(wrong), Vec::new()), Sight::Closed, "{wrong}");
    }
    let mount = |topic: &LogicalTopic| {
        let told = topic.mount.clone().unwrap();
        let lenses = Lenses::build(&snapshot(topic.clone(), Vec::new()), &Lenses::default());
        Mount::of(&topic.id, &told, &lenses)
    };
    assert!(!mount(&shown("[")).stands(5));
    let mut timed = shown("");
    assert!(mount(&timed).stands(5) && mount(&timed).sight == Sight::Whole);
    timed.mount.as_mut().unwrap().starts_at_unix_seconds = 5;
    timed.mount.as_mut().unwrap().expires_at_unix_seconds = 7;
    assert_eq!(
        [4, 5, 6, 7].map(|now| mount(&timed).stands(now)),
        [false, true, true, false]
    );
}

#[test]
fn a_lens_is_compiled_once_and_another_view_is_another_lens() {
    let first = Lenses::build(&snapshot(shown(MASK), Vec::new()), &Lenses::default());
    let again = Lenses::build(&snapshot(shown(MASK), Vec::new()), &first);
    let of = |lenses: &Lenses| match lenses.sight("topic_mount", &Told::default()) {
        Sight::Through(lens) => lens,
        other => panic!("{other:?}"),
    };
    assert!(std::sync::Arc::ptr_eq(&of(&first), &of(&again)));
    assert_ne!(lens(&shown(MASK)), lens(&shown(BOTH)));
}

#[test]
fn many_readers_cost_one_evaluation_and_what_takes_long_is_done_aside() {
    let (lens, kept) = (lens(&shown(BOTH)), Kept::default());
    let look = Look {
        lens: &lens,
        dead: false,
        partition: 3,
        kept: &kept,
    };
    let long: Vec<Sample> = (0..3000).map(|it| payment(it, "4111111111111111")).collect();
    let log = Bytes::from(samples::batch(Codec::Zstd, &long));
    assert!(matches!(through(&log, look, &Pace::at_once()), Err(Pause::Size)));
    let first = through(&log, look, &Pace::aside(&|| false)).unwrap();
    assert_eq!(kept.len(), 1);
    // Known now, it is no work.
    assert_eq!(through(&log, look, &Pace::at_once()).unwrap(), first);
    let other = Look { partition: 4, ..look };
    assert!(
        through(&log, other, &Pace::at_once()).is_err(),
        "another partition's is another batch"
    );
}

#[test]
fn an_answer_that_hashes_make_long_is_cut_behind_a_batch() {
    let steps = r#"[{"mask":{"fields":["all"],"how":{"HASH":{"key":"k"}}}}]"#;
    let value = format!(r#"{{"all":[{}0]}}"#, "0,".repeat(4000));
    let one = samples::batch(Codec::None, &[Sample::of(None, Some(value.as_bytes()))]);
    let log: Vec<u8> = (0..20).flat_map(|offset| at(offset, one.clone())).collect();
    let got = sent(&lens(&shown(steps)), &log);
    let most = 4 * log.len() + (1 << 20);
    assert!(got.len() > most && got.len() < most + 300_000, "{}", got.len());
    let last = read(&got).last().unwrap().0;
    assert!((1..19).contains(&last), "{last}");
    assert_eq!(i64::try_from(read(&got).len()).unwrap(), last + 1);
}

const AVRO: &str = r#"{"type":"record","name":"P","fields":[{"name":"amount","type":"int"},{"name":"card","type":"string"}]}"#;
const LESS: &str = r#"{"type":"record","name":"P","fields":[{"name":"amount","type":"int"}]}"#;

/// A topic whose values are of schema 1, shown as of schema 2.
fn registered(steps: &str, derived: bool) -> LogicalTopic {
    let mut topic = shown(steps);
    topic.contract = Some(TopicContract {
        value: Some(PartContract {
            schema_ids: vec!["schema_1".to_owned()],
            ..PartContract::default()
        }),
        ..TopicContract::default()
    });
    topic.mount.as_mut().unwrap().derived = derived
        .then(|| DerivedSchema {
            schema_id: 1,
            derived_schema_id: 2,
            ..DerivedSchema::default()
        })
        .into_iter()
        .collect();
    topic
}

fn schemas() -> Vec<Schema> {
    vec![
        samples::schema(1, SchemaFormat::Avro, AVRO, ""),
        samples::schema(2, SchemaFormat::Avro, LESS, ""),
    ]
}

#[test]
fn a_projected_record_is_of_the_derived_schema_wherever_its_frame_stands() {
    let project = r#"[{"project":{"fields":["amount"]}}]"#;
    let Sight::Through(lens) = sight(&registered(project, true), schemas()) else {
        panic!("it compiles");
    };
    // 3, and "4111".
    let payload = [6, 8, b'4', b'1', b'1', b'1'];
    let in_front = [&[0, 0, 0, 0, 1][..], &payload].concat();
    let guid = [&[1][..], &[1; 16]].concat();
    let batch = samples::batch(
        Codec::None,
        &[
            Sample::of(None, Some(&in_front)),
            Sample::of(None, Some(&payload)).with(&[
                ("a", Some(b"4111")),
                ("__value_schema_id", Some(&guid)),
                ("__key_schema_id", Some(&[0, 0, 0, 0, 9])),
            ]),
            Sample::of(None, Some(&[0, 0, 0, 0, 8, 6])),
        ],
    );
    let sent = sent(&lens, &batch);
    let head = records::head(&sent).unwrap();
    let records: Vec<_> = Records::new(head.packed, head.count.unwrap())
        .map(Result::unwrap)
        .collect();
    assert_eq!(records.len(), 2, "a schema that is not the topic's is not read");
    assert_eq!(records[0].value, Some(&[0, 0, 0, 0, 2, 6][..]));
    assert_eq!(records[1].value, Some(&[6][..]));
    let derived = [&[1][..], &[2; 16]].concat();
    assert_eq!(records[1].header("__value_schema_id"), Some(&derived[..]));
    assert_eq!((records[1].headers().left(), records[1].header("a")), (2, None));
    // Without one it fits no schema that a consumer could read it by.
    let Sight::Through(lens) = sight(&registered(project, false), schemas()) else {
        panic!("it compiles");
    };
    assert!(read(&super::tests::sent(&lens, &batch)).is_empty());
}

#[test]
fn a_derived_schema_that_is_not_there_or_not_the_only_one_closes_the_share() {
    let project = r#"[{"project":{"fields":["amount"]}}]"#;
    let mut lacking = schemas();
    lacking.truncate(1);
    assert_eq!(sight(&registered(project, true), lacking), Sight::Closed);
    let mut twice = schemas();
    twice.push(Schema {
        id: "schema_of_somebody_else".to_owned(),
        ..twice[1].clone()
    });
    assert_eq!(sight(&registered(project, true), twice.clone()), Sight::Closed);
    let mut named = registered(project, true);
    named.mount.as_mut().unwrap().derived[0].derived_id = "schema_2".to_owned();
    assert!(matches!(sight(&named, twice), Sight::Through(_)));
    assert_eq!(sight(&registered(project, true), Vec::new()), Sight::Closed);
}

#[test]
fn nothing_of_a_record_is_in_what_is_printed_of_it() {
    let header = OwnedHeader {
        name: "a".to_owned(),
        value: Some(b"4111".to_vec()),
    };
    assert!(!format!("{header:?} {:?}", lens(&shown(MASK))).contains("4111"));
}

proptest! {
    /// Whatever a broker sends: nothing is sent on but whole batches that this gateway made, or markers.
    #[test]
    fn any_bytes_are_looked_at(
        noise in prop::collection::vec(any::<u8>(), 0..200),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        codec in 0_usize..5,
    ) {
        let mut log = samples::batch(CODECS[codec], &[payment(500, "4111111111111111"), payment(5, "4222222222222222")]);
        log.extend(noise);
        for (at, byte) in flips {
            let at = at.index(log.len());
            log[at] ^= byte;
        }
        let sent = sent(&lens(&shown(BOTH)), &log);
        let whole: usize = records::batches(&sent).map(<[u8]>::len).sum();
        prop_assert_eq!(whole, sent.len());
        prop_assert!(!sent.windows(12).any(|it| it == b"411111111111"));
    }
}
