//! Each step in the three formats: the same record, the same steps, the same outcome.

use serde_json::{Value as Json, json};
use weir_contract::Format;

use super::host::*;
use crate::*;

pub const AVRO: &str = r#"{"type":"record","name":"Payment","namespace":"p","fields":[
    {"name":"id","type":"string"},{"name":"amount","type":"long"},{"name":"card","type":"string","confluent:tags":["PII"]},
    {"name":"note","type":["null","string"]},
    {"name":"customer","type":{"type":"record","name":"Customer","fields":[{"name":"name","type":"string","confluent:tags":["PII"]},
        {"name":"city","type":"string"}]}},
    {"name":"items","type":{"type":"array","items":{"type":"record","name":"Item","fields":[{"name":"sku","type":"string"},
        {"name":"price","type":"double"}]}}}]}"#;
const JSON: &str = r#"{"type":"object","additionalProperties":false,"required":["id"],"properties":{"id":{"type":"string"},
    "amount":{"type":"integer"},"card":{"type":"string","confluent:tags":["PII"]},"note":{"type":["null","string"]},
    "customer":{"type":"object","properties":{"name":{"type":"string","confluent:tags":["PII"]},"city":{"type":"string"}}},
    "items":{"type":"array","items":{"type":"object","properties":{"sku":{"type":"string"},"price":{"type":"number"}}}}}}"#;
const PROTO: &str = r#"syntax = "proto3"; package p; import "confluent/meta.proto";
    message Payment { string id = 1; int64 amount = 2; string card = 3 [(confluent.field_meta).tags = "PII"];
    optional string note = 4; Customer customer = 5; repeated Item items = 6; }
    message Customer { string name = 1 [(confluent.field_meta).tags = "PII"]; string city = 2; }
    message Item { string sku = 1; double price = 2; }"#;

/// Sinks of the three formats without a schema of their own, and a wide one each.
pub fn formats() -> [(Format, &'static str); 3] {
    [
        (Format::Avro, AVRO),
        (Format::Json, JSON),
        (Format::Protobuf, PROTO),
    ]
}

pub fn payment() -> Json {
    json!({"id": "p1", "amount": 150, "card": "4111111111111111", "note": "hi",
        "customer": {"name": "Ann", "city": "Bern"}, "items": [{"sku": "a", "price": 1.5}, {"sku": "b", "price": 2.0}]})
}

pub fn avro_payment() -> Json {
    let mut record = payment();
    record["note"] = json!({"string": "hi"});
    record
}

/// The outcome in each format; JSON is the sink's encoding, so that any shape can go out.
fn over_all(steps: &Json, expected: &Json) {
    for (format, schema) in formats() {
        let mut host = Fake::default();
        let newest = registered(7, format, schema);
        host.schemas.insert(7, newest.clone());
        let spec = spec(&json!({"steps": steps, "sinks": {"out": {"topic": "out", "encoding": "JSON"}}}));
        let plan = compiled(&spec, of(&newest), &host);
        let record = if format == Format::Avro {
            avro_payment()
        } else {
            payment()
        };
        let bytes = payload(7, format, schema, &record);
        let outcome = run(&plan, &host, &bytes);
        assert_eq!(
            &told(&host, &bytes, &outcome),
            expected,
            "{format:?}: {steps} {outcome:?}"
        );
    }
}

fn out(value: &Json) -> Json {
    json!({"sink": "out", "value": value})
}

/// The payment with some fields changed; null takes a field away.
fn but(changes: &Json) -> Json {
    let mut record = payment();
    for (name, value) in changes.as_object().expect("an object") {
        record[name] = value.clone();
    }
    out(&record)
}

#[test]
fn filter() {
    over_all(
        &json!([{"filter": {"where": "message.amount > 100"}}]),
        &out(&payment()),
    );
    over_all(
        &json!([{"filter": {"where": "message.amount < 100"}}]),
        &json!({"dropped": 1}),
    );
    over_all(
        &json!([{"filter": {"where": "key == 'k1' && partition == 3 && offset == 42 && topic == 'in' && timestamp.getFullYear() == 2023 && size(headers) == 0"}}]),
        &out(&payment()),
    );
}

#[test]
fn project_and_drop() {
    over_all(
        &json!([{"project": {"fields": ["id", "customer.city", "items.sku"]}}]),
        &out(&json!({"id": "p1", "customer": {"city": "Bern"}, "items": [{"sku": "a"}, {"sku": "b"}]})),
    );
    over_all(
        &json!([{"drop": {"fields": ["card", "note", "customer", "items.price"]}}]),
        &out(&json!({"id": "p1", "amount": 150, "items": [{"sku": "a"}, {"sku": "b"}]})),
    );
}

#[test]
fn rename() {
    over_all(
        &json!([{"project": {"fields": ["id", "amount", "customer"]}}, {"rename": {"fields": {"id": "amount", "amount": "id", "customer.name": "called"}}}]),
        &out(&json!({"amount": "p1", "id": 150, "customer": {"called": "Ann", "city": "Bern"}})),
    );
}

#[test]
fn mask() {
    over_all(
        &json!([{"mask": {"fields": ["customer", "amount", "items.price"], "how": "REDACT"}}]),
        &but(&json!({"customer": {"name": "***", "city": "***"}, "amount": 0,
            "items": [{"sku": "a", "price": 0.0}, {"sku": "b", "price": 0.0}]})),
    );
    over_all(
        &json!([{"mask": {"tags": ["PII"], "how": {"KEEP_LAST": {"n": 2}}}}]),
        &but(&json!({"card": "**************11", "customer": {"name": "*nn", "city": "Bern"}})),
    );
    over_all(
        &json!([{"mask": {"fields": ["note"], "how": "NULL"}}]),
        &but(&json!({"note": null})),
    );
    for (format, schema) in formats() {
        let mut host = Fake::default();
        let newest = registered(7, format, schema);
        host.schemas.insert(7, newest.clone());
        let hash = |key: &str| steps(&json!([{"mask": {"fields": ["id"], "how": {"HASH": {"key": key}}}}]));
        let record = if format == Format::Avro {
            avro_payment()
        } else {
            payment()
        };
        let bytes = payload(7, format, schema, &record);
        let of_key = |key: &str| {
            let plan = compiled(&hash(key), of(&newest), &host);
            told(&host, &bytes, &run(&plan, &host, &bytes))
        };
        let first = of_key("a")["value"]["id"].clone();
        assert_eq!(first.as_str().map(str::len), Some(64));
        assert_eq!(of_key("a")["value"]["id"], first, "equal values stay equal");
        assert_ne!(of_key("b")["value"]["id"], first, "another key, another hash");
        assert_eq!(of_key("missing"), json!({"dead": "NO_SECRET", "step": 1}));
    }
}

#[test]
fn cast() {
    over_all(
        &json!([{"project": {"fields": ["amount", "items.price"]}}, {"cast": {"fields": {"amount": "STRING", "items.price": "INT"}}}]),
        &out(&json!({"amount": "150", "items": [{"price": 1}, {"price": 2}]})),
    );
    over_all(
        &json!([{"cast": {"fields": {"card": "INT", "id": "INT"}}}]),
        &json!({"dead": "EXPRESSION", "step": 1}),
    );
}

#[test]
fn set() {
    over_all(
        &json!([{"project": {"fields": ["id", "amount"]}}, {"set": {"fields": {"amount": "message.amount * 2", "before": "message.amount",
            "made.of.paths": "[message.id, key]", "at": "timestamp"}}}]),
        &out(
            &json!({"id": "p1", "amount": 300, "before": 150, "made": {"of": {"paths": ["p1", "k1"]}}, "at": "2023-11-14T22:13:20Z"}),
        ),
    );
    over_all(
        &json!([{"set": {"fields": {"x": "1 / (message.amount - 150)"}}}]),
        &json!({"dead": "EXPRESSION", "step": 1}),
    );
}

#[test]
fn flatten() {
    over_all(
        &json!([{"project": {"fields": ["id", "customer"]}}, {"flatten": {}}]),
        &out(&json!({"id": "p1", "customer_name": "Ann", "customer_city": "Bern"})),
    );
    assert_eq!(
        over_json(
            &json!([{"flatten": {"separator": ".", "depth": 1}}]),
            &json!({"a": {"b": {"c": 1}}, "l": [{"x": 1}], "e": {}})
        ),
        out(&json!({"a.b": {"c": 1}, "l": [{"x": 1}], "e": {}}))
    );
    assert_eq!(
        over_json(&json!([{"flatten": {}}]), &json!({"a": {"b": 1}, "a_b": 2})),
        json!({"dead": "FIELD_EXISTS", "step": 1})
    );
}

#[test]
fn route() {
    for (format, schema) in formats() {
        let mut host = Fake::default();
        let newest = registered(7, format, schema);
        host.schemas.insert(7, newest.clone());
        let record = if format == Format::Avro {
            avro_payment()
        } else {
            payment()
        };
        let bytes = payload(7, format, schema, &record);
        for (route, expected) in [
            (
                json!({"rules": [{"where": "message.amount > 200", "to": "a"}, {"where": "message.amount > 100", "to": "b"}], "otherwise": "a"}),
                json!("b"),
            ),
            (
                json!({"rules": [{"where": "message.amount > 200", "to": "a"}], "otherwise": "b"}),
                json!("b"),
            ),
            (json!({"by": "message.amount > 100 ? 'b' : 'a'"}), json!("b")),
            (json!({"by": "message.id", "otherwise": "b"}), json!("b")),
        ] {
            let spec = spec(
                &json!({"steps": [{"route": route}], "sinks": {"a": {"topic": "a"}, "b": {"topic": "b"}}}),
            );
            let plan = compiled(&spec, of(&newest), &host);
            assert_eq!(
                told(&host, &bytes, &run(&plan, &host, &bytes))["sink"],
                expected,
                "{format:?} {route}"
            );
        }
        for (route, expected) in [
            (
                json!({"rules": [{"where": "message.amount > 200", "to": "a"}, {"where": "false", "to": "b"}]}),
                json!({"dropped": 1}),
            ),
            (
                json!({"by": "message.id"}),
                json!({"dead": "UNKNOWN_SINK", "step": 1}),
            ),
        ] {
            let spec = spec(
                &json!({"steps": [{"route": route}], "sinks": {"a": {"topic": "a"}, "b": {"topic": "b"}}}),
            );
            let plan = compiled(&spec, of(&newest), &host);
            assert_eq!(
                told(&host, &bytes, &run(&plan, &host, &bytes)),
                expected,
                "{format:?} {route}"
            );
        }
    }
}

#[test]
fn deduplicate() {
    let at = |by: &Json, records: &[(&str, Json, i64)]| -> String {
        let host = Fake::default();
        let spec = steps(&json!([{"deduplicate": {"by": by, "window_ms": 1000, "keys_max": 10}}]));
        let plan = compiled(&spec, plain(), &host);
        let mut seen = plan.seen();
        let mut outcomes = String::new();
        for (offset, (key, value, timestamp_ms)) in records.iter().enumerate() {
            let text = value.to_string();
            let record = Record {
                key: (!key.is_empty()).then_some(key.as_bytes()),
                offset: i64::try_from(offset).expect("it fits"),
                timestamp_ms: *timestamp_ms,
                ..record(text.as_bytes())
            };
            outcomes.push(match plan.begin(&record, &mut seen, &host) {
                Next::Done(Outcome::Emit { .. }) => 'e',
                Next::Done(Outcome::Dropped { step: Some(1) }) => 'd',
                other => panic!("{other:?}"),
            });
        }
        outcomes
    };
    let value = |n: i64| json!({"id": n, "x": {"y": [n]}});
    let by_key = [
        ("a", value(1), 0),
        ("a", value(2), 1000),
        ("b", value(2), 1000),
        ("a", value(2), 3000),
        ("", value(2), 3000),
        ("", value(2), 3000),
    ];
    assert_eq!(at(&json!([]), &by_key), "edeeee");
    let by_field = [
        ("a", value(1), 0),
        ("b", value(1), 0),
        ("b", json!({"id": 1.0}), 0),
        ("b", json!({"id": "1"}), 0),
        ("b", json!({}), 0),
        ("b", json!({}), 0),
    ];
    assert_eq!(at(&json!(["id"]), &by_field), "eddeee");
    let by_two = [
        ("a", json!({"p": "x", "q": "yz"}), 0),
        ("a", json!({"p": "xy", "q": "z"}), 0),
        ("a", json!({"p": "x", "q": "yz"}), 0),
    ];
    assert_eq!(at(&json!(["p", "q"]), &by_two), "eed");
}
