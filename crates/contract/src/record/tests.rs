//! Records written by schemas: what is read is written again as it was, and what does not fit is told.

use std::rc::Rc;

use super::*;
use crate::value::encode::Encoder;
use crate::value::{Entries, Key, Map, Text};

const AVRO: &str = r#"{"type":"record","name":"R","namespace":"n","fields":[
    {"name":"i","type":"int"},{"name":"l","type":"long"},{"name":"f","type":"float"},{"name":"d","type":"double"},
    {"name":"b","type":"bytes"},{"name":"t","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},
    {"name":"x","type":{"type":"fixed","name":"F","size":2}},
    {"name":"u","type":["null","string"]},{"name":"v","type":["null","int","double","n.E","R"]},
    {"name":"a","type":{"type":"array","items":"boolean"}},{"name":"m","type":{"type":"map","values":"float"}}]}"#;
const AVRO_RECORD: &str = r#"{"i":-64,"l":8192,"f":0.5,"d":1.0,"b":"\u00ff\u0000","t":1500,"e":"B","x":"ab","u":{"string":"x"},
    "v":{"n.R":{"i":1,"l":2,"f":1.5,"d":0.1,"b":"","t":0,"e":"A","x":"cd","u":null,"v":{"n.E":"A"},"a":[],"m":{}}},
    "a":[true,false],"m":{"k":2.5}}"#;
const PROTO: &str = r#"syntax = "proto3"; import "google/protobuf/timestamp.proto"; import "google/protobuf/struct.proto";
    import "google/protobuf/wrappers.proto"; import "google/protobuf/duration.proto";
    message P { int64 amount = 1; optional string note = 2; repeated Item items = 3; map<string, int32> counts = 4;
    google.protobuf.Timestamp at = 5; google.protobuf.Struct more = 6; oneof how { string card = 7; P split = 8; }
    google.protobuf.StringValue word = 9; google.protobuf.Duration span = 10; Kind kind = 11; bytes raw = 12; uint32 small = 13;
    enum Kind { NONE = 0; SOME = 1; } message Item { string name = 1; double price = 2; } }
    message Second { bool yes = 1; }"#;
const PROTO_RECORD: &str = r#"{"amount": 5, "note": "", "items": [{"name": "pen", "price": 2.5}, {}], "counts": {"a": 3},
    "at": "2024-01-01T00:00:00.5Z", "more": {"a": [1, null, {"b": true}], "c": "x"}, "split": {"card": "1"}, "word": "", "span": "1.5s",
    "kind": "SOME", "raw": "/w==", "small": 7}"#;

fn codec(format: Format, schema: &str) -> (Codec, Encoder) {
    let schema = Schema::parse(format, schema, &[]).unwrap_or_else(|error| panic!("{error}"));
    let codec = Codec::new(&schema, &Metadata::default()).expect("there is a message");
    (codec, Encoder::new(&schema).expect("there is a message"))
}

/// Reads a payload, hands its value on, and writes what comes back.
fn rewritten(
    codec: &Codec,
    payload: &[u8],
    change: impl for<'a> FnOnce(Value<'a>) -> Value<'a>,
) -> Result<Vec<u8>, WriteError> {
    let document = codec.read(&[], payload).expect("it can be read");
    let value = codec.value(&document).expect("it can be read");
    codec.write(&[], &change(value), Fit::Exact, 1 << 20)
}

/// The record with a field that has another value, or one more.
fn with<'a>(value: Value<'a>, name: &'a str, new: Value<'a>) -> Value<'a> {
    let Value::Map(map) = value else {
        panic!("a record")
    };
    let shape = map.shape().cloned().unwrap_or_default();
    let mut entries = map.entries();
    let is = |key: &Key<'_>| matches!(key, Key::Text(text) if text.as_str() == name);
    match entries.iter().position(|(key, _)| is(key)) {
        Some(place) => entries[place].1 = new,
        None => entries.push((Key::Text(Text::Borrowed(name)), new)),
    }
    Value::Map(Map::Owned(Rc::new(Entries::new(entries, shape))))
}

#[test]
fn what_is_read_is_written_as_it_was() {
    for (format, schema, record) in [
        (Format::Avro, AVRO, AVRO_RECORD),
        (Format::Protobuf, PROTO, PROTO_RECORD),
    ] {
        let (codec, encoder) = codec(format, schema);
        let payload = encoder.encode(record.as_bytes()).expect("it is one");
        let again = rewritten(&codec, &payload, |value| value);
        assert_eq!(again.as_deref(), Ok(payload.as_ref()), "{format:?}");
    }
    let (codec, _encoder) = codec(Format::Json, "true");
    let text = br#"{"a":[1,-1,1.5,18446744073709551615,"\u00e9\n",null,true],"b":{}}"#;
    let again = rewritten(&codec, text, |value| value).expect("it is JSON");
    let read = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).expect("it is JSON");
    assert_eq!(read(&again), read(text));
}

#[test]
fn what_does_not_fit_is_told_with_its_field() {
    let (codec, encoder) = codec(Format::Avro, AVRO);
    let payload = encoder.encode(AVRO_RECORD.as_bytes()).expect("it is one");
    for (name, new, path) in [
        ("i", Value::Int(1 << 40), "i"),
        ("i", Value::text("secret"), "i"),
        ("l", Value::Uint(u64::MAX), "l"),
        ("d", Value::Int((1 << 53) + 1), "d"),
        ("e", Value::text("secret"), "e"),
        ("x", Value::bytes(b"abc"), "x"),
        ("u", Value::Int(1), "u"),
        ("v", Value::text("secret"), "v"),
        ("a", Value::list(vec![Value::Null]), "a"),
        ("secret", Value::Null, ""),
    ] {
        let error = rewritten(&codec, &payload, |value| with(value, name, new)).expect_err(name);
        assert_eq!(
            (error.kind, error.path.as_str()),
            (WriteErrorKind::Unfit, path),
            "{error:?}"
        );
        assert!(!error.reason.contains("secret"), "{error:?}");
    }
    let (codec, encoder) = self::codec(Format::Protobuf, PROTO);
    let payload = encoder.encode(PROTO_RECORD.as_bytes()).expect("it is one");
    for (name, new, path) in [
        ("amount", Value::text("secret"), "amount"),
        ("small", Value::Int(-1), "small"),
        ("kind", Value::text("secret"), "kind"),
        ("items", Value::text("secret"), "items"),
        ("items", Value::list(vec![Value::Int(1)]), "items"),
        ("counts", Value::list(vec![]), "counts"),
        ("at", Value::text("secret"), "at"),
        ("card", Value::text("secret"), "card"),
        ("secret", Value::Int(1), ""),
    ] {
        let error = rewritten(&codec, &payload, |value| with(value, name, new)).expect_err(name);
        assert_eq!(
            (error.kind, error.path.as_str()),
            (WriteErrorKind::Unfit, path),
            "{error:?}"
        );
        assert!(!error.reason.contains("secret"), "{error:?}");
    }
    let (codec, _encoder) = self::codec(Format::Json, "true");
    assert!(rewritten(&codec, b"{}", |value| with(value, "n", Value::Double(f64::NAN))).is_err());
}

#[test]
fn numbers_and_times_are_converted_where_nothing_is_lost() {
    let (codec, encoder) = codec(Format::Avro, AVRO);
    let payload = encoder.encode(AVRO_RECORD.as_bytes()).expect("it is one");
    for (name, new, json) in [
        ("d", Value::Int(7), r#""d":7.0"#),
        ("l", Value::Uint(7), r#""l":7"#),
        ("t", Value::Int(7), r#""t":"1970-01-01T00:00:00.007Z""#),
        ("v", Value::Int(7), r#""v":7"#),
        ("v", Value::Double(0.5), r#""v":0.5"#),
        ("v", Value::text("A"), r#""v":"A""#),
    ] {
        let bytes = rewritten(&codec, &payload, |value| with(value, name, new)).expect(name);
        let document = codec.read(&[], &bytes).expect("it can be read");
        let value = codec.value(&document).expect("it can be read");
        let text = write_json(&value, 10_000).expect("it can be written");
        let text = String::from_utf8(text).expect("it is text");
        assert!(text.contains(json), "{text}");
    }
}

#[test]
fn a_missing_field_is_null_only_where_that_is_wanted() {
    let schema = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","int"]}]}"#;
    let (codec, _encoder) = codec(Format::Avro, schema);
    let value = Value::Map(Map::of(vec![(Key::Text(Text::Borrowed("a")), Value::Int(1))]));
    let exact = codec
        .write(&[], &value, Fit::Exact, 100)
        .expect_err("b is missing");
    assert_eq!(exact.path, "b");
    assert_eq!(codec.write(&[], &value, Fit::NullIfMissing, 100), Ok(vec![2, 0]));
    let empty = Value::Map(Map::of(Vec::new()));
    let error = codec
        .write(&[], &empty, Fit::NullIfMissing, 100)
        .expect_err("a is missing");
    assert_eq!(error.path, "a");
}

#[test]
fn what_is_too_large_or_too_deep_is_refused_soon() {
    let (json, _encoder) = codec(Format::Json, "true");
    let (avro, _encoder) = codec(Format::Avro, r#"{"type":"array","items":"null"}"#);
    let mut twice = Value::text("0123456789abcdef");
    for _level in 0..40 {
        twice = Value::list(vec![twice.clone(), twice]);
    }
    let error = json
        .write(&[], &twice, Fit::Exact, 8 << 20)
        .expect_err("it is 16 TiB");
    assert_eq!(error.kind, WriteErrorKind::TooLarge);
    let mut deep = Value::Null;
    for _level in 0..=DEPTH_MAX {
        deep = Value::list(vec![deep]);
    }
    let error = json
        .write(&[], &deep, Fit::Exact, 8 << 20)
        .expect_err("it is deep");
    assert_eq!(error.kind, WriteErrorKind::TooLarge);
    let nulls = Value::list(vec![Value::Null; 5_000_000]);
    let error = avro
        .write(&[], &nulls, Fit::Exact, 8 << 20)
        .expect_err("they are many");
    assert_eq!(error.kind, WriteErrorKind::TooLarge);
}

#[test]
fn of_two_entries_with_one_name_json_has_the_later() {
    let key = |name| Key::Text(Text::Borrowed(name));
    let value = Value::Map(Map::of(vec![
        (key("1"), Value::Int(1)),
        (key("a"), Value::Int(2)),
        (Key::Int(1), Value::Int(3)),
    ]));
    assert_eq!(write_json(&value, 100), Ok(br#"{"a":2,"1":3}"#.to_vec()));
}

#[test]
fn tags_are_found_where_the_schema_has_them() {
    let tags = BTreeSet::from(["PII".to_owned()]);
    let schema = r##"{"type":"object","properties":{"a":{"type":"string","confluent:tags":["PII"]},"b":{"type":"object","properties":
        {"c":{"confluent:tags":["PII"]},"d":{}}},"l":{"type":"array","items":{"$ref":"#"}},"o":{"type":"object","confluent:tags":["PII"]}}}"##;
    let (codec, _encoder) = codec(Format::Json, schema);
    let text = br#"{"a":"x","b":{"c":1,"d":2},"l":[{"a":"y"},{"b":{"c":[1]}}],"o":{"p":1},"q":{"a":1}}"#;
    let document = codec.read(&[], text).expect("it can be read");
    let value = codec.value(&document).expect("it can be read");
    let ways = codec.tagged_ways(&value, &tags, &mut 1000).expect("it is short");
    let ways: Vec<String> = ways.iter().map(|way| way.join(".")).collect();
    assert_eq!(ways, ["a", "b.c", "l.a", "l.b.c", "o"]);
    assert_eq!(codec.tagged_ways(&value, &tags, &mut 3), None);
    assert!(codec.has_tag(&tags));
    assert!(!codec.has_tag(&BTreeSet::from(["OTHER".to_owned()])));
}
