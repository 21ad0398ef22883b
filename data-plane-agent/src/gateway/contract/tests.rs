//! Every kind of violation, every codec, batches that lie, and what is compiled again.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_contract::wire::{KEY_HEADER, VALUE_HEADER};
use weir_proto::agent::v1::{
    Enforcement, RecordPart, Schema, SchemaFormat, SchemaReference, TopicContract as Wish, ViolationKind,
};
use weir_proto::lane::v1::ContractWindow;

use super::records::{Records, head};
use super::samples::{self, Sample, schema, snapshot, wish};
use super::unpack::Codec;
use super::*;

const ORDER: &str = r#"{"type":"object","required":["amount"],"properties":{"amount":{"type":"number"},"note":{"type":"string"}}}"#;
const RULES: &str = r#"{"domainRules":[
    {"name":"off","kind":"CONDITION","type":"CEL","mode":"WRITE","expr":"false","disabled":true},
    {"name":"small","kind":"CONDITION","type":"CEL","mode":"WRITE","expr":"message.amount < 1000"}]}"#;

/// The schema of the tests: an object with an amount below 1000.
#[must_use]
pub fn orders() -> Schema {
    schema(7, SchemaFormat::Json, ORDER, RULES)
}

fn bound(schemas: Vec<Schema>, wish: &Wish) -> Arc<TopicContract> {
    samples::bound(schemas, wish).unwrap()
}

/// The orders of the tests, enforced like this.
#[must_use]
pub fn contract(enforcement: Enforcement) -> Arc<TopicContract> {
    bound(vec![orders()], &wish(enforcement, &[7]))
}

/// A value of a schema, framed by its number.
#[must_use]
pub fn framed(number: u32, body: &[u8]) -> Vec<u8> {
    [&[0], &number.to_be_bytes()[..], body].concat()
}

fn value(number: u32, body: &[u8]) -> Sample {
    Sample::of(None, Some(&framed(number, body)))
}

/// A record that keeps the contract, and one that breaks its rule.
#[must_use]
pub fn good() -> Sample {
    value(7, br#"{"amount":17}"#)
}

/// Its amount is too high.
#[must_use]
pub fn bad() -> Sample {
    value(7, br#"{"amount":5000,"note":"for alice"}"#)
}

fn work(contract: &Arc<TopicContract>, batches: &[Vec<u8>], counts: &Arc<Counts>) -> Work {
    samples::work(contract, batches.concat(), counts)
}

/// Kind, part, schema, rule, records.
type Row = (ViolationKind, RecordPart, String, u32, u64);

/// What is told of a window, and of the topic: records, and those with a violation.
fn counted(window: &ContractWindow) -> (Vec<Row>, (u64, u64)) {
    let report = window.report.as_ref().unwrap();
    let row = |it: &weir_proto::agent::v1::ViolationCount| {
        (it.kind(), it.part(), it.schema.clone(), it.rule, it.records)
    };
    let mut rows: Vec<_> = report.violations.iter().map(row).collect();
    rows.sort();
    (rows, (report.topics[0].records, report.topics[0].violating))
}

fn judged(contract: &Arc<TopicContract>, batches: &[Vec<u8>]) -> (Option<Refused>, ContractWindow) {
    let counts = Arc::default();
    let mut work = work(contract, batches, &counts);
    assert_eq!(work.run(&Pace::aside(&|| false)), Progress::Done);
    let refused = work.finish().remove(0).refused;
    (refused, counts.window().unwrap())
}

/// The one violation of one record.
fn of_one(contract: &Arc<TopicContract>, record: Sample) -> Option<(ViolationKind, RecordPart, String, u32)> {
    let (_refused, window) = judged(contract, &[samples::batch(Codec::None, &[record])]);
    let (rows, totals) = counted(&window);
    assert_eq!(totals, (1, rows.len() as u64));
    rows.into_iter()
        .next()
        .map(|(kind, part, schema, rule, _one)| (kind, part, schema, rule))
}

fn of_value(
    kind: ViolationKind,
    schema: &str,
    rule: u32,
) -> Option<(ViolationKind, RecordPart, String, u32)> {
    Some((kind, RecordPart::Value, schema.to_owned(), rule))
}

#[test]
fn each_kind_of_violation_is_told_from_the_others() {
    let heavy = r#"{"domainRules":[{"name":"heavy","kind":"CONDITION","type":"CEL","mode":"WRITE","expr":"message.l.all(a, message.l.all(b, message.l.all(c, a + b + c > 0)))"}]}"#;
    let foreign =
        r#"{"domainRules":[{"name":"later","kind":"CONDITION","type":"SQL","mode":"WRITE","expr":"x"}]}"#;
    let absent = r#"{"domainRules":[{"name":"r","kind":"CONDITION","type":"CEL","mode":"WRITE","expr":"message.x > 1"}]}"#;
    let schemas = vec![
        orders(),
        schema(8, SchemaFormat::Json, "true", heavy),
        schema(9, SchemaFormat::Json, "true", foreign),
        schema(10, SchemaFormat::Json, "true", absent),
        schema(11, SchemaFormat::Json, "{ no schema", ""),
    ];
    let contract = bound(schemas, &wish(Enforcement::Reject, &[7, 8, 9, 10, 11]));
    let one = |record| of_one(&contract, record);
    assert_eq!(one(good()), None);
    assert_eq!(one(bad()), of_value(ViolationKind::Condition, "schema_7", 2));
    let no_frame = Sample::of(None, Some(b"{\"amount\":1}"));
    assert_eq!(one(no_frame), of_value(ViolationKind::NoFrame, "", 0));
    assert_eq!(
        one(value(6, b"{}")),
        of_value(ViolationKind::UnknownSchema, "", 0)
    );
    assert_eq!(
        one(value(11, b"{}")),
        of_value(ViolationKind::UnknownSchema, "schema_11", 0)
    );
    assert_eq!(
        one(value(7, b"{")),
        of_value(ViolationKind::NotDecodable, "schema_7", 0)
    );
    assert_eq!(
        one(value(7, b"{}")),
        of_value(ViolationKind::Schema, "schema_7", 0)
    );
    let numbers = format!("{{\"l\":[{}1]}}", "1,".repeat(300));
    assert_eq!(
        one(value(8, numbers.as_bytes())),
        of_value(ViolationKind::Cost, "schema_8", 1)
    );
    assert_eq!(
        one(value(9, b"{}")),
        of_value(ViolationKind::UnknownRuleType, "schema_9", 1)
    );
    assert_eq!(
        one(value(10, b"{}")),
        of_value(ViolationKind::RuleError, "schema_10", 1)
    );
}

#[test]
fn keys_are_judged_first_and_null_is_neither_right_nor_wrong() {
    let both = Wish {
        key: wish(Enforcement::Shadow, &[5]).value,
        ..wish(Enforcement::Shadow, &[7])
    };
    let contract = bound(
        vec![orders(), schema(5, SchemaFormat::Avro, "\"long\"", "")],
        &both,
    );
    let record = |key: Option<&[u8]>, value: Option<&[u8]>| of_one(&contract, Sample::of(key, value));
    let (key, order) = (framed(5, &[84]), framed(7, br#"{"amount":1}"#));
    assert_eq!(record(Some(&key), Some(&order)), None);
    assert_eq!(record(Some(&key), None), None, "a tombstone");
    assert_eq!(record(None, Some(&order)), None);
    let wrong = record(Some(&framed(5, &[84, 1])), Some(b"wrong as well"));
    assert_eq!(
        wrong,
        Some((
            ViolationKind::NotDecodable,
            RecordPart::Key,
            "schema_5".to_owned(),
            0
        ))
    );
    assert_eq!(
        record(Some(&key), Some(b"")),
        of_value(ViolationKind::NoFrame, "", 0)
    );
}

#[test]
fn a_header_names_the_schema_as_well_by_number_or_by_guid() {
    let contract = contract(Enforcement::Shadow);
    let body = br#"{"amount":5000}"#;
    let with = |name: &str, header: &[u8]| {
        let record = Sample::of(Some(b"k"), Some(body)).with(&[("other", None), (name, Some(header))]);
        of_one(&contract, record)
    };
    let guid = [&[1][..], &[7; 16]].concat();
    let broken = of_value(ViolationKind::Condition, "schema_7", 2);
    assert_eq!(with(VALUE_HEADER, &guid), broken);
    assert_eq!(with(VALUE_HEADER, &framed(7, b"")), broken);
    assert_eq!(
        with(VALUE_HEADER, &[1, 2]),
        of_value(ViolationKind::NoFrame, "", 0)
    );
    assert_eq!(with(KEY_HEADER, &guid), of_value(ViolationKind::NoFrame, "", 0));
    let other = [&[1][..], &[8; 16]].concat();
    assert_eq!(
        with(VALUE_HEADER, &other),
        of_value(ViolationKind::UnknownSchema, "", 0)
    );
}

#[test]
fn without_a_frame_a_record_is_json_where_the_contract_says_so() {
    let mut unframed = wish(Enforcement::Shadow, &[7]);
    unframed.value.as_mut().unwrap().unframed_schema_id = "schema_8".to_owned();
    let strict = schema(8, SchemaFormat::Json, r#"{"required":["id"]}"#, "");
    let contract = bound(vec![orders(), strict], &unframed);
    let plain = |text: &[u8]| of_one(&contract, Sample::of(None, Some(text)));
    assert_eq!(plain(br#"{"id":1}"#), None);
    assert_eq!(plain(b"{}"), of_value(ViolationKind::Schema, "schema_8", 0));
    assert_eq!(plain(b""), of_value(ViolationKind::NotDecodable, "schema_8", 0));
    assert_eq!(
        of_one(&contract, bad()),
        of_value(ViolationKind::Condition, "schema_7", 2)
    );
    // A schema of another format reads no text.
    let avro = bound(
        vec![orders(), schema(8, SchemaFormat::Avro, "\"string\"", "")],
        &unframed,
    );
    let text = Sample::of(None, Some(b"\x02x"));
    assert_eq!(of_one(&avro, text), of_value(ViolationKind::NoFrame, "", 0));
}

#[test]
fn protobuf_says_which_message_it_is() {
    let text = "syntax = \"proto3\"; message A { string s = 1; } message B { int32 n = 1; }";
    let contract = bound(
        vec![schema(7, SchemaFormat::Protobuf, text, "")],
        &wish(Enforcement::Shadow, &[7]),
    );
    let one = |body: &[u8]| of_one(&contract, value(7, body));
    assert_eq!(one(&[0, 10, 1, b'x']), None);
    assert_eq!(one(&[2, 2, 8, 5]), None);
    // A text where message B has a number.
    assert_eq!(
        one(&[2, 2, 10, 1, b'x']),
        of_value(ViolationKind::NotDecodable, "schema_7", 0)
    );
    assert_eq!(one(&[2, 8]), of_value(ViolationKind::NotDecodable, "schema_7", 0));
    assert_eq!(one(&[1]), of_value(ViolationKind::NotDecodable, "schema_7", 0));
}

#[test]
fn a_refused_batch_names_its_records_and_rules_and_no_values() {
    for codec in [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let batch = samples::batch(codec, &[good(), bad(), good(), bad()]);
        let (refused, window) = judged(&contract(Enforcement::Reject), &[batch]);
        let Some(Refused::Violations {
            violating,
            judged,
            told,
        }) = refused
        else {
            panic!("{codec:?}: {refused:?}");
        };
        assert_eq!((violating, judged), (2, 4));
        assert_eq!(told.iter().map(|it| it.0).collect::<Vec<_>>(), [1, 3]);
        assert!(
            told[0].1.contains("the value: rule `small` is not met"),
            "{told:?}"
        );
        assert!(
            told[0].1.ends_with("(CONDITION)") && !told[0].1.contains("5000"),
            "{told:?}"
        );
        assert_eq!(counted(&window).1, (4, 2));
        let example = &window.examples[0];
        assert_eq!(
            (window.examples.len(), example.rule_name.as_str(), example.rule),
            (1, "small", 2)
        );
        assert_eq!(example.record, "{amount: int, note: string}");
    }
}

#[test]
fn in_shadow_and_marked_everything_passes_and_counts() {
    for enforcement in [Enforcement::Shadow, Enforcement::Mark] {
        let batch = samples::batch(Codec::Zstd, &[good(), bad()]);
        let (refused, window) = judged(&contract(enforcement), &[batch]);
        assert_eq!(refused, None);
        assert_eq!(counted(&window).1, (2, 1));
        assert_eq!(window.report.unwrap().violations[0].enforcement(), enforcement);
    }
}

#[test]
fn batches_that_cannot_be_read_are_violations_of_all_their_records() {
    let contract = contract(Enforcement::Reject);
    let poison = |batch: Vec<u8>| {
        let (refused, window) = judged(&contract, &[batch]);
        assert!(matches!(refused, Some(Refused::Violations { .. })), "{refused:?}");
        let (rows, (judged, violating)) = counted(&window);
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(rows[0].1, RecordPart::Value);
        (rows[0].0, judged, violating)
    };
    let not_decodable = ViolationKind::NotDecodable;
    assert_eq!(poison(samples::raw(1, 5, b"no gzip")), (not_decodable, 5, 5));
    assert_eq!(
        poison(samples::raw(7, 5, b"no such codec")),
        (not_decodable, 5, 5)
    );
    assert_eq!(
        poison(samples::raw(0x20, 1, &[12, 0, 0, 0, 1, 1, 0])),
        (not_decodable, 1, 1)
    );
    assert_eq!(
        poison(samples::raw(1, -5, b"fewer than none")),
        (not_decodable, 1, 1)
    );
    assert_eq!(
        poison(samples::raw(1, i32::MAX, b"ten bytes.")),
        (not_decodable, 10, 10)
    );
    assert_eq!(poison(samples::raw(0, 1, b"\x7f")), (not_decodable, 1, 1));
    // A record more than there is, and one less.
    let two = samples::batch(Codec::None, &[good(), good()]);
    let packed = head(&two).unwrap().packed;
    assert_eq!(poison(samples::raw(0, 3, packed)), (not_decodable, 3, 1));
    assert_eq!(poison(samples::raw(0, 1, packed)), (not_decodable, 2, 1));
}

#[test]
fn a_changed_byte_is_for_the_client_to_send_again() {
    let mut batch = samples::batch(Codec::None, &[good()]);
    batch[70] ^= 1;
    assert_eq!(
        judged(&contract(Enforcement::Reject), &[batch.clone()]).0,
        Some(Refused::Corrupt)
    );
    let (refused, window) = judged(&contract(Enforcement::Shadow), &[batch]);
    assert_eq!((refused, counted(&window).1), (None, (0, 0)));
}

#[test]
fn a_bomb_is_too_large_and_so_are_many() {
    // 17 MiB of nothing in a few kilobytes.
    let bomb = |codec: u16, packed: Vec<u8>| samples::raw(codec, 1, &packed);
    let zeros = vec![0; 17 << 20];
    let contract = contract(Enforcement::Reject);
    for (number, codec) in [(1, Codec::Gzip), (4, Codec::Zstd), (3, Codec::Lz4)] {
        let packed = unpack::pack(codec, &zeros).unwrap();
        assert!(packed.len() * 20 < zeros.len(), "{codec:?}");
        let (_refused, window) = judged(&contract, &[bomb(number, packed)]);
        assert_eq!(counted(&window).0[0].0, ViolationKind::TooLarge, "{codec:?}");
    }
    // Each within its own limit; together beyond the request's. Those that are left out cost nothing.
    let small = unpack::pack(Codec::Zstd, &vec![0; 15 << 20]).unwrap();
    let many: Vec<_> = (0..200).map(|_one| bomb(4, small.clone())).collect();
    let (_refused, window) = judged(&contract, &many);
    let rows: BTreeMap<_, _> = counted(&window).0.iter().map(|it| (it.0, it.4)).collect();
    assert_eq!(rows[&ViolationKind::NotDecodable], 4);
    assert_eq!(rows[&ViolationKind::TooLarge], 196);
}

#[test]
fn paused_wherever_it_may_the_result_is_the_same() {
    let records: Vec<_> = (0..400)
        .map(|at| if at % 7 == 3 { bad() } else { good() })
        .collect();
    let batches = [Codec::None, Codec::Zstd, Codec::Gzip].map(|codec| samples::batch(codec, &records));
    let contract = contract(Enforcement::Reject);
    let (whole, window) = judged(&contract, &batches);
    let counts = Arc::default();
    let mut paused = work(&contract, &batches, &counts);
    let asked = std::cell::Cell::new(0);
    let mut pauses = 0;
    // Each time a little further.
    for patience in 0.. {
        asked.set(0);
        let stopped = || {
            asked.set(asked.get() + 1);
            asked.get() > patience * 150
        };
        match paused.run(&Pace::aside(&stopped)) {
            Progress::Done => break,
            Progress::Paused => pauses += 1,
        }
    }
    assert!(pauses >= 2, "{pauses}");
    assert_eq!(paused.finish().remove(0).refused, whole);
    let again = counts.window().unwrap();
    assert_eq!(counted(&again), counted(&window));
}

#[test]
fn long_work_is_not_done_between_clients() {
    let contract = contract(Enforcement::Reject);
    let counts = Arc::default();
    let note = format!("{{\"amount\":1,\"note\":\"{}\"}}", "x".repeat(100_000));
    let large = Sample::of(None, Some(&framed(7, note.as_bytes())));
    for codec in [Codec::None, Codec::Zstd] {
        let mut work = work(
            &contract,
            &[samples::batch(codec, std::slice::from_ref(&large))],
            &counts,
        );
        assert_eq!(work.run(&Pace::at_once()), Progress::Paused);
        assert!(work.is_quick(), "the next one may be small");
        assert_eq!(work.run(&Pace::aside(&|| false)), Progress::Done);
    }
    let many: Vec<_> = (0..2_000).map(|_one| good()).collect();
    let mut slow = work(&contract, &[samples::batch(Codec::None, &many)], &counts);
    assert_eq!(slow.run(&Pace::at_once()), Progress::Paused);
    assert!(!slow.is_quick(), "the next one does not even try");
    while contract.is_slow() {}
    assert!(slow.is_quick());
}

#[test]
fn a_schema_is_compiled_once_and_forgotten_when_nobody_names_it() {
    let first = snapshot(vec![orders()], wish(Enforcement::Shadow, &[7]));
    let before = Schemas::build(&first, &Schemas::default());
    // Under its id it never changes: what comes with it is not even read again.
    let mut second = first.clone();
    second.schemas[0].text = "{ no schema".to_owned();
    let kept = Schemas::build(&second, &before);
    let bound = |schemas: &Schemas| TopicContract::bind(&wish(Enforcement::Shadow, &[7]), schemas).unwrap();
    let batch = samples::batch(Codec::None, &[good()]);
    assert_eq!(
        counted(&judged(&Arc::new(bound(&kept)), std::slice::from_ref(&batch)).1).1,
        (1, 0)
    );
    let off = snapshot(vec![orders()], wish(Enforcement::Off, &[7]));
    let forgotten = Schemas::build(&off, &kept);
    let anew = Schemas::build(&second, &forgotten);
    assert_eq!(counted(&judged(&Arc::new(bound(&anew)), &[batch]).1).1, (1, 1));
    assert_eq!(TopicContract::bind(&wish(Enforcement::Off, &[7]), &kept), None);
    let nothing = Wish {
        enforcement: Enforcement::Reject.into(),
        ..Wish::default()
    };
    assert_eq!(TopicContract::bind(&nothing, &kept), None, "nothing is promised");
}

#[test]
fn references_are_followed_through_others() {
    let mut outer = schema(
        7,
        SchemaFormat::Json,
        r#"{"properties":{"a":{"$ref":"address.json"}}}"#,
        "",
    );
    let mut address = schema(
        8,
        SchemaFormat::Json,
        r#"{"properties":{"c":{"$ref":"country.json"}}}"#,
        "",
    );
    let country = schema(9, SchemaFormat::Json, r#"{"enum":["CH","DE"]}"#, "");
    let reference = |name: &str, id: &str| SchemaReference {
        name: name.to_owned(),
        id: id.to_owned(),
    };
    outer.references = vec![reference("address.json", "schema_8")];
    address.references = vec![reference("country.json", "schema_9")];
    let contract = bound(
        vec![outer.clone(), address, country],
        &wish(Enforcement::Shadow, &[7]),
    );
    assert_eq!(of_one(&contract, value(7, br#"{"a":{"c":"CH"}}"#)), None);
    let wrong = of_one(&contract, value(7, br#"{"a":{"c":"XX"}}"#));
    assert_eq!(wrong, of_value(ViolationKind::Schema, "schema_7", 0));
    let lacking = bound(vec![outer], &wish(Enforcement::Shadow, &[7]));
    let unknown = of_one(&lacking, value(7, b"{}"));
    assert_eq!(unknown, of_value(ViolationKind::UnknownSchema, "schema_7", 0));
}

#[test]
fn a_subject_without_versions_lets_nothing_pass() {
    let contract = bound(Vec::new(), &wish(Enforcement::Reject, &[]));
    assert_eq!(
        of_one(&contract, good()),
        of_value(ViolationKind::UnknownSchema, "", 0)
    );
    let read = samples::batch(Codec::None, &[good()]);
    let packed = head(&read).unwrap().packed;
    assert_eq!(Records::new(packed, 1).filter(Result::is_ok).count(), 1);
}
