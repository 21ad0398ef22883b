//! JSON Schemas.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

const TYPES: [&str; 6] = ["string", "number", "integer", "boolean", "null", "object"];

/// Any schema, a few levels deep.
pub fn json_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(true)),
        Just(json!({})),
        Just(json!(false)),
        prop::sample::select(TYPES.as_slice()).prop_map(|word| json!({"type": word})),
        (0..5_u32, 0..5_u32)
            .prop_map(|(least, most)| json!({"type": "string", "minLength": least, "maxLength": most})),
        (0..9_i32).prop_map(
            |bound| json!({"type": "number", "maximum": f64::from(bound) / 2.0, "multipleOf": bound + 1})
        ),
        prop::collection::btree_set(0..4_u32, 1..4).prop_map(|values| json!({"enum": values})),
        (0..3_u32).prop_map(|value| json!({"const": value})),
        Just(json!({"$ref": "#"})),
        "[a-c]{1,3}".prop_map(|pattern| json!({"pattern": pattern, "minLength": 1})),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let several = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            2 => object(inner.clone()),
            1 => inner.clone().prop_map(|inner| json!({"type": "array", "items": inner, "maxItems": 3})),
            1 => several.clone().prop_map(|items| json!({"type": "array", "items": items, "additionalItems": false})),
            1 => several.clone().prop_map(|parts| json!({"anyOf": parts})),
            1 => several.clone().prop_map(|parts| json!({"oneOf": parts})),
            1 => several.prop_map(|parts| json!({"allOf": parts})),
            1 => inner.clone().prop_map(|inner| json!({"not": inner})),
            1 => inner.prop_map(|inner| json!({"type": ["object", "null"], "additionalProperties": inner})),
        ]
    })
}

fn object(inner: impl Strategy<Value = Value> + Clone + 'static) -> impl Strategy<Value = Value> {
    let properties = prop::collection::btree_map("[a-c]", inner.clone(), 0..3);
    let rest = prop_oneof![Just(None), Just(Some(json!(false))), inner.prop_map(Some)];
    (properties, rest, any::<bool>(), any::<bool>()).prop_map(|(properties, rest, requires, has_pattern)| {
        let mut schema = Map::from_iter([("type".to_owned(), json!("object"))]);
        if requires {
            schema.insert(
                "required".to_owned(),
                json!(properties.keys().collect::<Vec<_>>()),
            );
        }
        schema.insert("properties".to_owned(), json!(properties));
        if let Some(rest) = rest {
            schema.insert("additionalProperties".to_owned(), rest);
        }
        if has_pattern {
            schema.insert("patternProperties".to_owned(), json!({"^b": {"type": "string"}}));
        }
        Value::Object(schema)
    })
}
