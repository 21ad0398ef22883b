//! `validate` says what the contract says: over generated pairs of a contract and a record.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use weir_contract::rules::{Metadata, RuleSet};
use weir_contract::verdict::{Contract, JudgeLimits, Place};
use weir_contract::wire::{self, SchemaId};
use weir_contract::{Format, Schema};

use super::host::*;
use crate::*;

const SCHEMAS: [(Format, &str); 3] = [
    (
        Format::Avro,
        r#"{"type":"record","name":"R","fields":[{"name":"n","type":"long"},{"name":"s","type":"string"},{"name":"l","type":{"type":"array","items":"int"}}]}"#,
    ),
    (
        Format::Json,
        r#"{"type":"object","required":["n"],"properties":{"n":{"type":"integer","minimum":-5},"s":{"type":"string","maxLength":3},"l":{"type":"array","items":{"type":"integer"}}}}"#,
    ),
    (
        Format::Protobuf,
        r#"syntax = "proto3"; message R { int64 n = 1; string s = 2; repeated int32 l = 3; }"#,
    ),
];
const EXPRESSIONS: [&str; 6] = [
    "message.n > 0",
    "size(message.s) < 3",
    "message.l.all(x, x > 0)",
    "10 / message.n > 1",
    "message.n != 1 ; message.s == 'a'",
    "has(message.s)",
];

fn rule() -> impl Strategy<Value = Json> {
    let modes = prop::sample::select(vec!["WRITE", "READ", "WRITEREAD"]);
    let actions = prop::sample::select(vec!["ERROR", "DLQ", "NONE"]);
    (
        prop::sample::select(EXPRESSIONS.to_vec()),
        modes,
        actions,
        any::<bool>(),
    )
        .prop_map(|(expr, mode, action, field)| {
            let (kind, expr) = if field {
                ("CEL_FIELD", "typeName == 'STRING' ; size(value) < 3")
            } else {
                ("CEL", expr)
            };
            json!({"kind": "CONDITION", "mode": mode, "type": kind, "expr": expr, "onFailure": action})
        })
}

fn bytes() -> impl Strategy<Value = Json> {
    let good = (-9..9_i64, "[a-c]{0,4}", prop::collection::vec(-3..9_i32, 0..4))
        .prop_map(|(n, s, l)| json!({"n": n, "s": s, "l": l}));
    let poor = prop_oneof![
        Just(json!({"s": "a"})),
        Just(json!([])),
        Just(json!({"n": "1"})),
        Just(json!({"n": 1, "s": 2}))
    ];
    prop_oneof![4 => good, 1 => poor]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn validate_is_the_contracts_verdict(which in 0..3_usize, rules in prop::collection::vec(rule(), 0..4), record in bytes(),
        spoil in prop::option::weighted(0.2, (0..40_usize, any::<u8>())), changed in any::<bool>()) {
        let (format, schema) = SCHEMAS[which];
        let named: Vec<Json> = rules.into_iter().enumerate().map(|(at, mut rule)| { rule["name"] = json!(format!("r{at}")); rule }).collect();
        let rules = json!({"domainRules": named});
        let read = Schema::parse(format, schema, &[]).expect("it is a schema");
        let encoder = weir_contract::value::encode::Encoder::new(&read).expect("there is a message");
        let text = record.to_string();
        let mut body = encoder.encode(text.as_bytes()).map_or_else(|_error| text.clone().into_bytes(), std::borrow::Cow::into_owned);
        if let Some((at, byte)) = spoil && let Some(place) = body.get_mut(at) {
            *place = byte;
        }
        let set: RuleSet = serde_json::from_value(rules.clone()).expect("they are rules");
        let contract = Contract::compile(read, &set, &Metadata::default(), JudgeLimits::DEFAULT).expect("it compiles");
        let verdict = contract.judge(&body, Place::Processor);
        let mut host = Fake::default();
        let newest = registered_with(7, format, schema, &rules, &json!({}));
        host.schemas.insert(7, newest.clone());
        // A step that changes nothing makes the value be written before it is judged.
        let first = if changed { json!({"mask": {"fields": ["none"], "how": "NULL"}}) } else { json!({"filter": {"where": "true"}}) };
        let first = if changed && format != Format::Json { json!({"cast": {"fields": {"n": "INT"}}}) } else { first };
        let steps = steps(&json!([first, {"validate": {}}]));
        let plan = compiled(&steps, of(&newest), &host);
        let indexes = (format == Format::Protobuf).then_some(&[0][..]);
        let value = [wire::frame(SchemaId::Id(7), indexes), body].concat();
        match run(&plan, &host, &value) {
            Outcome::Emit { .. } => prop_assert!(verdict.is_valid(), "{:?}", verdict),
            Outcome::DeadLetter { code: DeadLetterCode::Contract, sentence, .. } => {
                let violation = verdict.violation().expect("the contract found something, too");
                let same = sentence.contains(&violation.reason);
                prop_assert!(same, "{} and {:?}", sentence, violation);
            }
            Outcome::DeadLetter { code, .. } => {
                // What cannot be read never comes to the step, and the contract calls it the same.
                prop_assert_eq!(code.as_str(), verdict.violation().map_or("-", |it| it.kind.as_str()));
            }
            Outcome::Dropped { step } => prop_assert!(false, "dropped by {:?}", step),
        }
    }
}
