//! Records that nobody would write on purpose: every one has an outcome, soon, and says nothing of what it holds.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use weir_contract::Format;

use super::host::*;
use crate::*;

const AVRO: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"string"},{"name":"l","type":{"type":"array","items":"null"}},
    {"name":"next","type":["null","R"]}]}"#;
const PROTO: &str = r#"syntax = "proto3"; message R { string a = 1; R next = 2; repeated R all = 3; }"#;

/// What comes of a value under steps that look at all of it.
fn of_value(format: Option<(Format, &str)>, value: &[u8]) -> Outcome {
    let mut host = Fake::default();
    let input = match format {
        None => plain(),
        Some((format, schema)) => {
            let newest = registered(7, format, schema);
            host.schemas.insert(7, newest.clone());
            of(&newest)
        }
    };
    let steps = steps(
        &json!([{"filter": {"where": "message == message"}}, {"set": {"fields": {"b.c": "[message]"}}}, {"mask": {"fields": ["b"], "how": "REDACT"}},
        {"flatten": {}}]),
    );
    let spec = ActionSpec {
        sinks: spec(&json!({"sinks": {"out": {"topic": "out", "encoding": "JSON"}}})).sinks,
        ..steps
    };
    let plan = compiled(&spec, input, &host);
    run(&plan, &host, value)
}

fn code(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Emit { .. } => "-",
        Outcome::Dropped { .. } => "dropped",
        Outcome::DeadLetter { code, sentence, .. } => {
            assert!(!sentence.contains("secret"), "{sentence}");
            assert!(sentence.ends_with('.'), "{sentence}");
            code.as_str()
        }
    }
}

#[test]
fn json() {
    let deep = |levels: usize| [b"{\"a\":".repeat(levels), b"1".to_vec(), b"}".repeat(levels)].concat();
    for (value, expected) in [
        (b"".to_vec(), "NOT_DECODABLE"),
        (b"{\"secret\":".to_vec(), "NOT_DECODABLE"),
        (b"\x00\x00\x00\x00\x01{}".to_vec(), "NOT_DECODABLE"),
        (b"{\"a\":\"\xff\xfe\"}".to_vec(), "NOT_DECODABLE"),
        (b"{\"a\":\"\\ud800\"}".to_vec(), "NOT_DECODABLE"),
        (b"{} {}".to_vec(), "NOT_DECODABLE"),
        (deep(127), "TOO_DEEP"),
        (deep(1000), "NOT_DECODABLE"),
        (vec![b'['; 100_000], "NOT_DECODABLE"),
        (b"1".to_vec(), "BAD_FIELD"),
        (b"null".to_vec(), "-"),
        (b"\"secret\"".to_vec(), "BAD_FIELD"),
        (b"{\"b\":\"secret\"}".to_vec(), "BAD_FIELD"),
        (b"{\"b_c\":\"secret\"}".to_vec(), "FIELD_EXISTS"),
        (b"{\"a\":1,\"a\":2}".to_vec(), "-"),
        (b"{\"a\":1e999}".to_vec(), "NOT_DECODABLE"),
        (
            b"{\"a\":1e308,\"c\":-0.0,\"d\":123456789012345678901234567890}".to_vec(),
            "-",
        ),
        (vec![b' '; limits::PAYLOAD_BYTES_MAX + 1], "TOO_LARGE"),
    ] {
        let outcome = of_value(None, &value);
        assert_eq!(
            code(&outcome),
            expected,
            "{:?}: {outcome:?}",
            String::from_utf8_lossy(&value[..value.len().min(60)])
        );
    }
}

#[test]
fn avro() {
    let framed = |body: &[u8]| [&[0, 0, 0, 0, 7], body].concat();
    let deep: Vec<u8> = [[0, 0, 2].repeat(200), vec![0, 0, 0]].concat();
    for (value, expected) in [
        (b"{}".to_vec(), "NO_FRAME"),
        (vec![0, 0, 0], "NO_FRAME"),
        (vec![0, 0, 0, 0, 8, 0], "UNKNOWN_SCHEMA"),
        ([vec![1], vec![9; 16], vec![0]].concat(), "UNKNOWN_SCHEMA"),
        (framed(&[]), "NOT_DECODABLE"),
        (framed(&[0, 0, 0]), "-"),
        (framed(&[0, 0, 0, 0]), "NOT_DECODABLE"),
        (framed(&[4, 0xff, 0xfe, 0, 0]), "NOT_DECODABLE"),
        (framed(&[0xfe, 0xff, 0xff, 0xff, 0x0f, b'a']), "NOT_DECODABLE"),
        (framed(&[1]), "NOT_DECODABLE"),
        // So many nulls in a few bytes.
        (
            framed(&[0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0]),
            "NOT_DECODABLE",
        ),
        (framed(&[0, 0x90, 0x4e, 0, 0]), "-"),
        (framed(&[0, 0, 4]), "NOT_DECODABLE"),
        (framed(&deep), "NOT_DECODABLE"),
    ] {
        let outcome = of_value(Some((Format::Avro, AVRO)), &value);
        assert_eq!(code(&outcome), expected, "{value:?}: {outcome:?}");
    }
}

#[test]
fn protobuf() {
    let framed = |body: &[u8]| [&[0, 0, 0, 0, 7, 0], body].concat();
    let mut deep: Vec<u8> = Vec::new();
    for _level in 0..60 {
        let length = u8::try_from(deep.len()).expect("it is short");
        deep = if length < 0x80 {
            [vec![0x12, length], deep].concat()
        } else {
            [vec![0x12, length, 1], deep].concat()
        };
    }
    for (value, expected) in [
        (vec![0, 0, 0, 0, 7], "NO_FRAME"),
        (vec![0, 0, 0, 0, 7, 2, 4], "NOT_DECODABLE"),
        (framed(&[]), "-"),
        (framed(&[0x0a, 2, 0xff, 0xfe]), "NOT_DECODABLE"),
        (framed(&[0x0a, 200]), "NOT_DECODABLE"),
        (framed(&[0xff; 20]), "NOT_DECODABLE"),
        (framed(&[0x38, 1]), "-"),
        (framed(&deep), "-"),
    ] {
        let outcome = of_value(Some((Format::Protobuf, PROTO)), &value);
        assert_eq!(code(&outcome), expected, "{value:?}: {outcome:?}");
    }
}

#[test]
fn a_record_cannot_grow_without_end() {
    let doubling: Vec<Json> = (0..40)
        .map(|_step| json!({"set": {"fields": {"a": "[message.a, message.a]"}}}))
        .collect();
    let concatenated: Vec<Json> = (0..40)
        .map(|_step| json!({"set": {"fields": {"a": "message.a + message.a"}}}))
        .collect();
    let nested: Vec<Json> = (0..50)
        .map(|_step| json!({"set": {"fields": {"a": "{'x': {'y': {'z': message.a}}}"}}}))
        .collect();
    let mapped = vec![json!({"set": {"fields": {"a": "message.l.map(x, message.l.map(y, message.l))"}}})];
    let long = json!({"a": "x".repeat(1000), "l": (0..1000).collect::<Vec<_>>()});
    for (steps, expected) in [
        (doubling, "COST"),
        (concatenated, "COST"),
        (nested, "TOO_DEEP"),
        (mapped, "COST"),
    ] {
        let began = Instant::now();
        let outcome = over_json(&json!(steps), &long);
        assert_eq!(outcome["dead"], json!(expected), "{outcome}");
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{expected} took {:?}",
            began.elapsed()
        );
    }
    let host = Fake::default();
    let small = spec(
        &json!({"steps": [{"set": {"fields": {"b": "message.a + message.a"}}}], "sinks": {"out": {"topic": "out", "value_bytes_max": 2500}}}),
    );
    let plan = compiled(&small, plain(), &host);
    let text = long.to_string();
    assert_eq!(
        told(&host, b"", &run(&plan, &host, text.as_bytes())),
        json!({"dead": "OUTPUT_TOO_LARGE", "step": null})
    );
}

#[test]
fn keys_and_headers_of_any_bytes_have_an_outcome() {
    let host = Fake::default();
    let plan_with = |key: KeyForm, condition: &str| {
        let spec = steps(&json!([{"filter": {"where": condition}}]));
        compiled(&spec, Input { key, ..plain() }, &host)
    };
    let bad = b"\xff\x00secret";
    let headers = [
        Header {
            name: "h",
            value: Some(bad),
        },
        Header {
            name: "h",
            value: None,
        },
        Header {
            name: "i",
            value: Some(b"1"),
        },
    ];
    for (key, condition, expected) in [
        (KeyForm::Text, "type(key) == bytes", "-"),
        (KeyForm::Bytes, "type(key) == bytes", "-"),
        (KeyForm::Json, "key == 1", "NOT_DECODABLE"),
        (KeyForm::Json, "true", "-"),
        (KeyForm::Registered, "key == 1", "NO_FRAME"),
        (KeyForm::Text, "headers.h == null && headers.i == '1'", "-"),
        (KeyForm::Text, "headers.nothing == ''", "EXPRESSION"),
    ] {
        let plan = plan_with(key, condition);
        let record = Record {
            key: Some(bad),
            headers: &headers,
            ..record(b"{}")
        };
        let Next::Done(outcome) = plan.begin(&record, &mut plan.seen(), &host) else {
            panic!("it calls")
        };
        assert_eq!(code(&outcome), expected, "{condition}: {outcome:?}");
    }
}
