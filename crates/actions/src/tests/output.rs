//! What is written: schemas, frames and headers of what goes out.

use serde_json::json;
use weir_contract::Format;

use super::formats::{AVRO, avro_payment, formats, payment};
use super::host::*;
use crate::*;

#[test]
fn what_fits_keeps_its_schema_and_what_does_not_has_that_of_the_sink() {
    let narrow = |format: Format| match format {
        Format::Avro => {
            r#"{"type":"record","name":"N","fields":[{"name":"id","type":"string"},{"name":"amount","type":"double"},{"name":"extra","type":["null","int"]}]}"#
        }
        Format::Json => {
            r#"{"type":"object","properties":{"id":{"type":"string"},"amount":{"type":"number"}},"required":["id","amount"]}"#
        }
        Format::Protobuf => {
            r#"syntax = "proto3"; message N { string id = 1; double amount = 2; int32 extra = 3; }"#
        }
    };
    for (format, schema) in formats() {
        let newest = registered(7, format, schema);
        let record = if format == Format::Avro {
            avro_payment()
        } else {
            payment()
        };
        let bytes = payload(7, format, schema, &record);
        for (into, own) in formats().map(|(into, _schema)| (into, into == format)) {
            let mut host = Fake::default();
            let sink = registered(8, into, narrow(into));
            host.schemas.insert(7, newest.clone());
            host.schemas.insert(8, sink.clone());
            host.newest.insert("out".to_owned(), sink);
            // It fits its own schema: a mask that leaves types alone.
            let same = steps(&json!([{"mask": {"fields": ["card"], "how": "REDACT"}}]));
            if own && format == Format::Json {
                let plan = compiled(&same, of(&newest), &host);
                let Outcome::Emit {
                    value: Part::New(value),
                    ..
                } = run(&plan, &host, &bytes)
                else {
                    panic!("it goes out")
                };
                assert_eq!(value[..5], bytes[..5], "{format:?}");
            }
            // It does not: a field of another type.
            let other = steps(
                &json!([{"project": {"fields": ["id", "amount"]}}, {"cast": {"fields": {"amount": "DOUBLE"}}},
                {"set": {"fields": {"amount": "message.amount + 0.5"}}}]),
            );
            let plan = compiled(&other, of(&newest), &host);
            let outcome = run(&plan, &host, &bytes);
            let Outcome::Emit {
                value: Part::New(value),
                ..
            } = &outcome
            else {
                panic!("{format:?} to {into:?}: {outcome:?}")
            };
            assert_eq!(value[..5], [0, 0, 0, 0, 8], "{format:?} to {into:?}");
            let said = told(&host, &bytes, &outcome);
            assert_eq!(
                (&said["value"]["id"], &said["value"]["amount"]),
                (&json!("p1"), &json!(150.5)),
                "{format:?} to {into:?}"
            );
            // There is no schema that it fits.
            let lonely = Fake {
                newest: std::collections::BTreeMap::new(),
                ..host
            };
            let plan = compiled(&other, of(&newest), &lonely);
            let dead = told(&lonely, &bytes, &run(&plan, &lonely, &bytes));
            assert_eq!(
                dead,
                json!({"dead": "UNFIT_OUTPUT", "step": null}),
                "{format:?} to {into:?}"
            );
        }
    }
}

#[test]
fn a_schema_that_a_header_names_is_named_by_a_header_again() {
    let mut host = Fake::default();
    let (newest, sink) = (
        registered(7, Format::Avro, AVRO),
        registered(
            8,
            Format::Avro,
            r#"{"type":"record","name":"N","fields":[{"name":"id","type":"string"}]}"#,
        ),
    );
    host.schemas.insert(7, newest.clone());
    host.schemas.insert(8, sink.clone());
    host.newest.insert("out".to_owned(), sink);
    let framed = payload(7, Format::Avro, AVRO, &avro_payment());
    let guid = [vec![1], vec![7; 16]].concat();
    let headers = [
        Header {
            name: "trace",
            value: Some(b"t"),
        },
        Header {
            name: "__value_schema_id",
            value: Some(&guid),
        },
    ];
    let record = Record {
        headers: &headers,
        ..record(&framed[5..])
    };
    let plan = compiled(
        &steps(&json!([{"project": {"fields": ["id"]}}])),
        of(&newest),
        &host,
    );
    let Next::Done(Outcome::Emit { value, headers, .. }) = plan.begin(&record, &mut plan.seen(), &host)
    else {
        panic!("it goes out")
    };
    assert!(value == Part::New(vec![4, b'p', b'1']));
    let Part::New(headers) = headers else {
        panic!("headers are new")
    };
    let told: Vec<(&str, &[u8])> = headers
        .iter()
        .map(|it| (it.name.as_str(), it.value.as_deref().expect("a value")))
        .collect();
    assert_eq!(
        told,
        [
            ("trace", b"t".as_slice()),
            ("__value_schema_id", [vec![1], vec![8; 16]].concat().as_slice())
        ]
    );
}

#[test]
fn records_without_a_value_go_past_the_steps() {
    let host = Fake::default();
    let tomb = Record {
        value: None,
        ..record(b"")
    };
    for (spec, expected) in [
        (
            json!({"steps": [{"filter": {"where": "false"}}], "sinks": {"out": {"topic": "out"}}}),
            Some("out"),
        ),
        (
            json!({"steps": [], "sinks": {"out": {"topic": "out"}}, "null_values": "DROP"}),
            None,
        ),
        (
            json!({"steps": [{"route": {"by": "'a'", "otherwise": "b"}}], "sinks": {"a": {"topic": "a"}, "b": {"topic": "b"}}}),
            Some("b"),
        ),
        (
            json!({"steps": [{"route": {"by": "'a'"}}], "sinks": {"a": {"topic": "a"}}}),
            None,
        ),
    ] {
        let plan = compiled(&self::spec(&spec), plain(), &host);
        match (plan.begin(&tomb, &mut plan.seen(), &host), expected) {
            (
                Next::Done(Outcome::Emit {
                    sink,
                    value: Part::AsItCame,
                    ..
                }),
                Some(name),
            ) => assert_eq!(sink.as_ref(), name),
            (Next::Done(Outcome::Dropped { step: None }), None) => {}
            other => panic!("{spec}: {other:?}"),
        }
    }
}

#[test]
fn a_field_that_may_be_null_is_missing_all_the_same() {
    let newest = registered(7, Format::Avro, AVRO);
    let without = AVRO.replacen(r#"{"name":"note","type":["null","string"]},"#, "", 1);
    let mut host = Fake::default();
    let sink = registered(8, Format::Avro, &without);
    host.schemas.insert(7, newest.clone());
    host.schemas.insert(8, sink.clone());
    host.newest.insert("out".to_owned(), sink);
    let plan = compiled(
        &steps(&json!([{"drop": {"fields": ["note"]}}])),
        of(&newest),
        &host,
    );
    let bytes = payload(7, Format::Avro, AVRO, &avro_payment());
    let outcome = run(&plan, &host, &bytes);
    let Outcome::Emit {
        value: Part::New(value),
        ..
    } = outcome
    else {
        panic!("{outcome:?}")
    };
    assert_eq!(
        value[..5],
        [0, 0, 0, 0, 8],
        "it has no `note`, and its schema has"
    );
}

#[test]
fn what_a_step_changed_is_judged_as_it_is_now() {
    let rules = json!({"domainRules": [{"name": "some", "kind": "CONDITION", "mode": "READ", "type": "CEL", "expr": "message.amount > 0"}]});
    for (format, schema) in formats() {
        let mut host = Fake::default();
        let newest = registered_with(7, format, schema, &rules, &json!({}));
        host.schemas.insert(7, newest.clone());
        let record = if format == Format::Avro {
            avro_payment()
        } else {
            payment()
        };
        let bytes = payload(7, format, schema, &record);
        for (change, expected) in [
            (json!({"filter": {"where": "true"}}), "out"),
            (
                json!({"set": {"fields": {"amount": "message.amount - 1"}}}),
                "out",
            ),
            (
                json!({"set": {"fields": {"amount": "message.amount - 150"}}}),
                "CONTRACT",
            ),
            (json!({"set": {"fields": {"amount": "message.id"}}}), "CONTRACT"),
        ] {
            let plan = compiled(&steps(&json!([change, {"validate": {}}])), of(&newest), &host);
            let came = told(&host, &bytes, &run(&plan, &host, &bytes));
            let word = came.get("dead").unwrap_or(&came["sink"]);
            assert_eq!(word, &json!(expected), "{format:?} {change}: {came}");
        }
    }
}

#[test]
fn the_encoding_of_a_sink_decides() {
    let newest = registered(7, Format::Avro, AVRO);
    let narrow = r#"{"type":"object","properties":{"id":{"type":"string"}},"required":["id"]}"#;
    let mut host = Fake::default();
    let sink = registered(8, Format::Json, narrow);
    host.schemas.insert(7, newest.clone());
    host.schemas.insert(8, sink.clone());
    host.newest.insert("out".to_owned(), sink);
    let bytes = payload(7, Format::Avro, AVRO, &avro_payment());
    for (encoding, first) in [
        ("KEEP", &bytes[..5]),
        ("JSON", b"{\"amo".as_slice()),
        ("CONTRACT", &[0, 0, 0, 0, 8]),
    ] {
        let spec = spec(&json!({"steps": [], "sinks": {"out": {"topic": "out", "encoding": encoding}}}));
        let plan = compiled(&spec, of(&newest), &host);
        let value = match run(&plan, &host, &bytes) {
            Outcome::Emit {
                value: Part::New(value),
                ..
            } => value,
            Outcome::Emit {
                value: Part::AsItCame,
                ..
            } => bytes.clone(),
            other => panic!("{other:?}"),
        };
        let start = if encoding == "JSON" {
            &value[..1]
        } else {
            &value[..5]
        };
        assert_eq!(start, &first[..start.len()], "{encoding}");
    }
    // A schema that went away while the job runs.
    let spec = spec(&json!({"steps": [], "sinks": {"out": {"topic": "out", "encoding": "CONTRACT"}}}));
    let plan = compiled(&spec, of(&newest), &host);
    host.newest.clear();
    assert_eq!(
        told(&host, &bytes, &run(&plan, &host, &bytes)),
        json!({"dead": "NO_SCHEMA", "step": null})
    );
}
