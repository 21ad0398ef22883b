//! What strangers, producers and tenants send, as functions of bytes: for a fuzzer and for the replay of its corpus.
//! Each must return: no panic, no endless loop, no more steps than the bounds allow.

use std::sync::OnceLock;

use crate::rules::cel::types::{Shapes, Type};
use crate::rules::cel::{Steps, check, evaluate, parse};
use crate::rules::{Metadata, RuleSet};
use crate::schema::{Format, Schema};
use crate::value::json;
use crate::verdict::{Contract, JudgeLimits, Place};
use crate::wire;

/// A function that must hold whatever it is given.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also the name of its folder in `fuzz/corpus`.
pub const TARGETS: [(&str, Target); 5] = [
    ("contract-avro", |data| judge(0, data)),
    ("contract-frame", frame),
    ("contract-json", |data| judge(1, data)),
    ("contract-protobuf", |data| judge(2, data)),
    ("contract-rule", rule),
];

const EVENT: &str = r#"{"type":"record","name":"Event","fields":[
    {"name":"id","type":"long"},{"name":"name","type":"string","confluent:tags":["PII"]},
    {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A","B"]}},
    {"name":"hash","type":{"type":"fixed","name":"Hash","size":4}},
    {"name":"tags","type":{"type":"array","items":["null","string"]}},
    {"name":"attrs","type":{"type":"map","values":"double"}},
    {"name":"next","type":["null","Event"]}]}"#;
const ORDER: &str = r##"{"type":"object","required":["id"],"properties":{"id":{"type":"integer","minimum":0},
    "tags":{"type":"array","items":{"type":"string","pattern":"^[a-z]+$"},"uniqueItems":true},
    "next":{"$ref":"#"},"pay":{"oneOf":[{"required":["card"],"properties":{"card":{"type":"string"}}},{"type":"null"}]}}}"##;
const PAYMENT: &str = r#"syntax = "proto3"; import "google/protobuf/timestamp.proto"; import "google/protobuf/struct.proto";
    message Payment { int64 amount = 1; optional string note = 2; repeated Item items = 3; map<string, int32> counts = 4;
    google.protobuf.Timestamp at = 5; google.protobuf.Struct more = 6; oneof how { string card = 7; Payment split = 8; }
    message Item { string name = 1; double price = 2; } }"#;

/// A contract for each format, with rules of both types.
fn contracts() -> &'static [Option<Contract>; 3] {
    static CONTRACTS: OnceLock<[Option<Contract>; 3]> = OnceLock::new();
    CONTRACTS.get_or_init(|| {
        [
            contract(
                Format::Avro,
                EVENT,
                "message.id >= 0 && message.tags.all(t, t == null || t.size() < 9)",
            ),
            contract(Format::Json, ORDER, "message.id >= 0 && message == message"),
            contract(
                Format::Protobuf,
                PAYMENT,
                "message.amount >= 0 && message.items.all(i, i.price >= 0.0)",
            ),
        ]
    })
}

fn contract(format: Format, schema: &str, expr: &str) -> Option<Contract> {
    let field = "typeName == 'STRING' ; size(value) < 1000 && value != 'bad'";
    let rule = |rule_type: &str, expr: &str| serde_json::json!({"name": rule_type, "kind": "CONDITION", "mode": "WRITEREAD", "type": rule_type, "expr": expr});
    let rules = serde_json::json!({"domainRules": [rule("CEL", expr), rule("CEL_FIELD", field)]});
    let rules: RuleSet = serde_json::from_value(rules).ok()?;
    let schema = Schema::parse(format, schema, &[]).ok()?;
    Contract::compile(schema, &rules, &Metadata::default(), JudgeLimits::DEFAULT).ok()
}

/// A payload: one verdict for one record, wherever it is judged first.
fn judge(which: usize, data: &[u8]) {
    let Some(contract) = &contracts()[which] else {
        return;
    };
    let verdict = contract.judge(data, Place::Gateway);
    assert_eq!(verdict, contract.judge(data, Place::Gateway));
    let all = contract.judge_all(&[], data, Place::Gateway);
    assert_eq!(verdict.is_valid(), all.is_empty());
    assert_eq!(verdict.violation(), all.first());
}

/// A framed record.
fn frame(data: &[u8]) {
    let parted = match data.split_first() {
        Some((at, rest)) if *at < 64 && usize::from(*at) <= rest.len() => {
            let (header, payload) = rest.split_at(usize::from(*at));
            wire::from_header(header, payload)
        }
        _ => wire::unframe(data),
    };
    if let Ok(framed) = parted {
        assert!(framed.body.len() <= data.len());
        if let Ok((indexes, body)) = framed.message() {
            assert!(indexes.len() <= 64 && body.len() <= framed.body.len());
        }
    }
}

/// An expression that a tenant writes, over a record.
fn rule(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match parse(text, &["message"]) {
        Err(error) => assert!(error.at <= text.len()),
        Ok(expr) => {
            let document =
                serde_json::json!({"n": 1, "d": 1.5, "s": "text", "l": [1, 2, 3], "m": {"k": null}});
            let _checked = check(&expr, &[Type::Any], &Shapes::default());
            let mut steps = Steps::new(10_000);
            let mut slots = vec![json::value(&document)];
            let _value = evaluate(&expr, &mut slots, &mut steps);
        }
    }
}

/// Where a fuzzer may begin.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let texts: &[&[u8]] = match target {
        "contract-avro" => &[
            b"\x02\x06Ann\x80\xb0\xb7\xd9\xf2\x62\x02\x01\x02\x03\x04\x04\x00\x02\x02t\x00\x02\x02k\x00\x00\x00\x00\x00\x00\xf8\x3f\x00\x00",
            b"\x02\x06Ann\x00\x00\x01\x02\x03\x04\x03\x08\x02\x02a\x02\x02b\x00\x00\x00",
        ],
        "contract-json" => &[
            br#"{"id":1,"tags":["a","b"],"pay":{"card":"4"},"next":{"id":2}}"#,
            br#"{"id":-1.5e3,"tags":["A"],"pay":null,"x":"\u00e9\ud83d\ude00"}"#,
        ],
        "contract-protobuf" => &[
            b"\x08\x05\x12\x02hi\x1a\x0e\x0a\x03pen\x11\x00\x00\x00\x00\x00\x00\x04\x40\x22\x05\x0a\x01a\x10\x03\x2a\x02\x08\x01",
            b"\x32\x0b\x0a\x09\x0a\x01k\x12\x04\x1a\x02hi\x42\x02\x08\x05",
        ],
        "contract-frame" => &[b"\x00\x00\x00\x00\x07{}", b"\x14\x01\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x04\x02\x00body"],
        _ => &[
            b"message.l.all(x, x > 0 && message.s.startsWith('te')) || has(message.m.k)",
            b"message.l.map(x, x * 2, string(x)).join(', ').matches(r'^\\d(, \\d)*$') ? timestamp('2024-01-01T00:00:00Z').getFullYear() == 2024 : !message.d",
        ],
    };
    texts.iter().map(|it| it.to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_hold_and_so_do_their_heads_and_spoilt_copies() {
        for (name, target) in TARGETS {
            for seed in seeds(name) {
                for length in 0..=seed.len() {
                    target(&seed[..length]);
                }
                for at in 0..seed.len() {
                    for byte in [0, 1, 0x7f, 0x80, 0xff, b'(', b'"', b'\\'] {
                        let mut spoilt = seed.clone();
                        spoilt[at] = byte;
                        target(&spoilt);
                    }
                }
            }
        }
    }

    /// A target that judges nothing would hold as well.
    #[test]
    fn the_first_seed_of_each_format_is_a_valid_record() {
        for (which, name) in ["contract-avro", "contract-json", "contract-protobuf"]
            .into_iter()
            .enumerate()
        {
            let contract = contracts()[which].as_ref().expect("it compiles");
            let verdict = contract.judge(&seeds(name)[0], Place::Gateway);
            assert!(verdict.is_valid(), "{name}: {verdict:?}");
        }
    }
}
