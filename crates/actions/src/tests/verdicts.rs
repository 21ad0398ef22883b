//! `validate` says what the contract says: over generated pairs of a contract and a record.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
/// The pairs that are kept beside other engines' verdicts.
const KEPT: [&str; 2] = [
    include_str!("../../../contract/tests/equal/json.jsonl"),
    include_str!("../../../contract/tests/equal/rules.jsonl"),
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

/// What the step says of a payload, and what the contract says.
fn both(format: Format, schema: &str, rules: &Json, body: &[u8]) -> (String, Option<&'static str>) {
    let newest = registered_with(7, format, schema, rules, &json!({}));
    let verdict = newest.contract().judge(body, Place::Processor);
    let mut host = Fake::default();
    host.schemas.insert(7, newest.clone());
    let plan = compiled(&steps(&json!([{"validate": {}}])), of(&newest), &host);
    let indexes = (format == Format::Protobuf).then_some(&[0][..]);
    let value = [wire::frame(SchemaId::Id(7), indexes), body.to_vec()].concat();
    let said = match run(&plan, &host, &value) {
        Outcome::Emit { .. } => "-".to_owned(),
        Outcome::DeadLetter {
            code: DeadLetterCode::NotDecodable,
            ..
        } => "NOT_DECODABLE".to_owned(),
        Outcome::DeadLetter { sentence, .. } => sentence.split(':').next().unwrap_or_default().to_owned(),
        Outcome::Dropped { .. } => "dropped".to_owned(),
    };
    (said, verdict.violation().map(|violation| violation.kind.as_str()))
}

#[test]
fn validate_says_what_the_contract_says_of_every_kept_pair() {
    let (mut pairs, mut valid, mut as_others) = (0, 0, 0);
    for kept in KEPT {
        let mut contract = (Format::Json, String::new(), json!({}));
        for line in kept.lines() {
            let case: Json = serde_json::from_str(line).expect("it is JSON");
            if let Some(format) = case.get("format").and_then(Json::as_str) {
                let format = Format::from_name(format).expect("it is a format");
                let rules = case.get("rules").cloned().unwrap_or_else(|| json!({}));
                contract = (
                    format,
                    case["schema"].as_str().expect("a schema").to_owned(),
                    rules,
                );
            }
            let body = match case["payload"].as_str() {
                Some(payload) => STANDARD.decode(payload).expect("it is base64"),
                None => case["record"].as_str().expect("a record").as_bytes().to_vec(),
            };
            let (said, violation) = both(contract.0, &contract.1, &contract.2, &body);
            assert_eq!(said, violation.unwrap_or("-"), "{line}");
            pairs += 1;
            valid += usize::from(violation.is_none());
            if case["place"] == "processor" {
                as_others += usize::from(case["expected"] == json!(violation.is_none()));
            }
        }
    }
    assert_eq!(pairs, 2_600);
    assert!(valid > 500, "{valid} are valid");
    // The others are explained in docs/rules.md.
    assert!(
        as_others >= 140,
        "{as_others} of 146 in a processor are as confluent-kafka judges them"
    );
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
