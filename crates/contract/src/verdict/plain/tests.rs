//! Which schemas are plain, and that a yes is a yes of the validator, whatever schema and record.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn plain(schema: &Value) -> Option<Plain> {
    Plain::of(schema, Draft::Draft7)
}

#[test]
fn plain_schemas_are_told_from_others() {
    for schema in [
        json!({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}),
        json!({"properties": {"a": {"type": ["null", "integer"], "connect.type": "int32"}}, "required": ["a"]}),
        json!({"oneOf": [{"type": "null"}, {"type": "string", "maxLength": 3}]}),
        json!({"enum": ["a", null]}),
        json!({"items": {"items": true}, "uniqueItems": false}),
    ] {
        assert!(plain(&schema).is_some(), "{schema}");
    }
    for schema in [
        json!({"$ref": "#/definitions/a"}),
        json!({"oneOf": [{"type": "number"}, {"type": "integer"}]}),
        json!({"anyOf": [{"type": "null"}], "type": "null"}),
        json!({"enum": [1]}),
        json!({"required": ["a"]}),
        json!({"pattern": "a"}),
        json!({"items": [{"type": "null"}]}),
        json!({"minLength": 2.5}),
        json!({"minimum": 9_007_199_254_740_993_u64}),
        json!({"contentEncoding": "base64"}),
        json!({"properties": {"a": false}}),
        json!({"properties": {"a": {"$schema": "http://json-schema.org/draft-04/schema#"}}}),
        json!({"properties": {"a\"": true}}),
        json!({"uniqueItems": true}),
        json!(true),
    ] {
        assert!(plain(&schema).is_none(), "{schema}");
    }
    assert!(Plain::of(&json!({"minimum": 1, "exclusiveMinimum": true}), Draft::Draft4).is_none());
}

#[test]
fn what_is_well_is_admitted_in_any_order_and_what_is_not_never() {
    let schema = json!({
        "type": "object", "required": ["a", "b"], "additionalProperties": false,
        "properties": {
            "a": {"type": "integer", "minimum": 0, "exclusiveMaximum": 10},
            "b": {"type": "string", "minLength": 2, "maxLength": 3},
            "c": {"type": "array", "items": {"enum": ["x", "y"]}, "minItems": 1, "maxItems": 2},
            "d": {"type": ["null", "boolean"]},
        },
    });
    let four = plain(&schema).unwrap();
    for text in [
        r#"{"a":0,"b":"ab"}"#,
        r#"{"b":"\u00e4\ud83d\ude00x","a":9}"#,
        r#" { "d" : null, "c" : ["x", "y"], "b" : "abc", "a" : 3 } "#,
        r#"{"d":true,"a":1,"b":"abc","b":"ab"}"#,
    ] {
        assert!(four.admits(text.as_bytes()), "{text}");
    }
    for text in [
        r#"{"a":0}"#,
        r#"{"a":10,"b":"ab"}"#,
        r#"{"a":-1,"b":"ab"}"#,
        r#"{"a":1.0,"b":"ab"}"#,
        r#"{"a":1,"b":"a"}"#,
        r#"{"a":1,"b":"abcd"}"#,
        r#"{"a":1,"b":"ab","c":[]}"#,
        r#"{"a":1,"b":"ab","c":["x","y","x"]}"#,
        r#"{"a":1,"b":"ab","c":["z"]}"#,
        r#"{"a":1,"b":"ab","d":0}"#,
        r#"{"a":1,"b":"ab","e":0}"#,
        r#"{"a":1,"b":"ab"} x"#,
        r#"{"a":1,"b":"ab""#,
        "{\"a\":1,\"b\":\"\u{1}b\"}",
        "[]",
    ] {
        assert!(!four.admits(text.as_bytes()), "{text}");
    }
    assert!(!four.admits(b"{\"a\":1,\"b\":\"\xff\xff\"}"));
    let open = plain(&json!({"type": ["object", "array"]})).unwrap();
    assert!(open.admits(br#"{"a":[1e300,-5,18446744073709551615,{"b":null}]}"#));
    assert!(!open.admits(br#"{"a":1e999}"#));
    assert!(!open.admits(br#"{"$serde_json::private::RawValue":"1"}"#));
    assert!(!open.admits("[".repeat(200).as_bytes()));
}

#[test]
fn what_is_admitted_is_json() {
    let any = Node::Any;
    for text in [
        "0",
        "-1",
        "1.5e-3",
        " [ ] ",
        "{ }",
        "[1 , 2]",
        r#""\u0000\"\/\\""#,
        "true",
        "\"\u{7f}\"",
        "-0",
        "0e0",
        "1E+5",
    ] {
        assert!(read::admits(&any, text.as_bytes()), "{text}");
        assert!(serde_json::from_str::<Value>(text).is_ok(), "{text}");
    }
    for text in [
        "",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "1e999",
        "+1",
        "[1,]",
        "[,1]",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\" 1}",
        "tru",
        "nulll",
        "\"",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\n\"",
        "1 2",
        "\u{feff}1",
        "[1 2]",
        "{\"a\":1 \"b\":2}",
        "\"\\ud800\"",
        "NaN",
        "\u{a0}1",
        "\u{c}1",
    ] {
        assert!(!read::admits(&any, text.as_bytes()), "{text}");
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..12).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-30_i32..120).prop_map(|it| Value::from(f64::from(it) / 10.0)),
        "[a-cä]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-d]", inner, 0..4).prop_map(Value::from_iter),
        ]
    })
}

fn schema() -> impl Strategy<Value = Value> {
    let types = prop::sample::subsequence(
        vec![
            "null", "boolean", "integer", "number", "string", "array", "object",
        ],
        1..4,
    );
    let leaf = prop_oneof![
        Just(json!({})),
        types.clone().prop_map(|it| json!({"type": it})),
        (types, -2_i32..5, 3_i32..11).prop_map(|(types, least, most)| {
            json!({"type": types, "minimum": least, "exclusiveMaximum": most, "maxLength": 3, "minLength": 1})
        }),
        (-9_i32..50).prop_map(|it| json!({"type": "number", "maximum": f64::from(it) / 10.0})),
        prop::collection::vec("[a-c]{1,2}", 1..4).prop_map(|it| {
            let unique: std::collections::BTreeSet<_> = it.into_iter().collect();
            json!({"enum": unique})
        }),
        Just(json!({"enum": ["a", null]})),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            (inner.clone(), 0_u8..3, 1_u8..4).prop_map(|(it, least, most)| {
                json!({"type": "array", "items": it, "minItems": least, "maxItems": most})
            }),
            (
                prop::collection::btree_map("[a-d]", inner.clone(), 1..4),
                any::<bool>(),
                inner.clone()
            )
                .prop_map(|(properties, open, others)| {
                    let required: Vec<_> = properties.keys().take(1).cloned().collect();
                    let others = if open { others } else { json!(false) };
                    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": others})
                }),
            inner.prop_map(|it| json!({"oneOf": [{"type": "null"}, it]})),
        ]
    })
}

/// Texts that are nearly JSON: some characters of one that is are others.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let change = (
        any::<prop::sample::Index>(),
        prop::sample::select(br#"{}[]",:\/0123456789.-+eEtfnu aD"#.to_vec()),
        0..3,
    );
    (value(), prop::collection::vec(change, 0..4)).prop_map(|(value, changes)| {
        let mut text = value.to_string().into_bytes();
        for (at, byte, how) in changes {
            let at = at.index(text.len().max(1)).min(text.len());
            match how {
                0 => text.insert(at, byte),
                1 if at < text.len() => text[at] = byte,
                _cut if at < text.len() => drop(text.remove(at)),
                _end => {}
            }
        }
        text
    })
}

proptest! {
    #[test]
    fn a_yes_of_any_is_a_yes_of_the_parser(text in nearly()) {
        if read::admits(&Node::Any, &text) {
            prop_assert!(serde_json::from_slice::<Value>(&text).is_ok(), "{:?}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn texts_are_scanned_to_their_first_quote(text in "[ -~ä€]{0,40}", at in 0_usize..12) {
        let inside = serde_json::to_string(&text).unwrap();
        let plain = plain(&json!({"type": "string", "minLength": at, "maxLength": at + 20})).unwrap();
        let fits = (at..=at + 20).contains(&text.chars().count());
        prop_assert_eq!(plain.admits(inside.as_bytes()), fits);
        prop_assert!(!plain.admits(&inside.as_bytes()[..inside.len() - 1]));
    }

    #[test]
    fn yes_is_a_yes_of_the_validator(schema in schema(), values in prop::collection::vec(value(), 1..30)) {
        let Some(plain) = plain(&schema) else { return Ok(()) };
        let validator = jsonschema::validator_for(&schema).unwrap();
        for value in values {
            let value: Value = serde_json::from_str(&value.to_string()).unwrap();
            if plain.admits(value.to_string().as_bytes()) {
                prop_assert!(validator.is_valid(&value), "{} {}", schema, value);
            }
        }
    }
}
