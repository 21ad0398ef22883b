//! Records and schemas that mean harm: each has a verdict in bounded time, and none panics.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

/// Far above what a bounded verdict takes in an unoptimised build on a busy machine, far below an unbounded one.
const LONG: Duration = Duration::from_secs(20);

fn in_time<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let result = run();
    assert!(begun.elapsed() < LONG, "{what} took {:?}", begun.elapsed());
    result
}

#[test]
fn avro_arrays_of_many_elements_are_not_believed() {
    let count = long(1 << 31);
    for (schema, element) in [
        (r#"{"type":"array","items":"long"}"#, vec![]),
        (r#"{"type":"array","items":"null"}"#, vec![]),
        (
            r#"{"type":"array","items":{"type":"record","name":"E","fields":[]}}"#,
            vec![],
        ),
        (
            r#"{"type":"array","items":{"type":"fixed","name":"F","size":0}}"#,
            vec![],
        ),
        (
            r#"{"type":"array","items":{"type":"array","items":"null"}}"#,
            [long(1 << 31), long(0)].concat(),
        ),
        (r#"{"type":"map","values":"null"}"#, vec![0]),
    ] {
        let Ok(schema_read) = Schema::parse(Format::Avro, schema, &[]) else {
            continue;
        };
        let contract = Contract::compile(
            schema_read,
            &RuleSet::default(),
            &Metadata::default(),
            JudgeLimits::DEFAULT,
        );
        let contract = contract.expect("it compiles");
        let record = [count.clone(), element].concat();
        let verdict = in_time(schema, || contract.judge(&record, Place::Gateway));
        assert_eq!(word(&verdict), "NOT_DECODABLE", "{schema}");
    }
}

#[test]
fn deep_records_are_cut_off() {
    let list = r#"{"type":"record","name":"L","fields":[{"name":"next","type":["null","L"]}]}"#;
    let avro = contract(Format::Avro, list, &condition("CEL", "true", ""), "{}");
    let json = contract(
        Format::Json,
        r##"{"properties":{"n":{"$ref":"#"}}}"##,
        &condition("CEL", "message == message", ""),
        "{}",
    );
    let proto = r#"syntax = "proto3"; message M { M m = 1; }"#;
    let proto = contract(
        Format::Protobuf,
        proto,
        &condition("CEL", "message == message", ""),
        "{}",
    );
    assert_eq!(
        avro.judge(&[long(1), long(1), long(0)].concat(), Place::Gateway),
        Verdict::Valid
    );
    for depth in [1_000, 1_000_000] {
        assert_eq!(
            word(&avro.judge(&long(1).repeat(depth), Place::Gateway)),
            "NOT_DECODABLE"
        );
        let nested = [br#"{"n":"#.repeat(depth), b"1".to_vec(), b"}".repeat(depth)].concat();
        assert_eq!(word(&json.judge(&nested, Place::Gateway)), "NOT_DECODABLE");
        assert_eq!(
            word(&json.judge(&b"[".repeat(depth), Place::Gateway)),
            "NOT_DECODABLE"
        );
    }
    let mut nested = Vec::new();
    for _level in 0..500 {
        let mut length = nested.len();
        let mut outer = vec![0x0a];
        while length > 0x7f {
            outer.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        outer.push(length as u8);
        outer.extend(nested);
        nested = outer;
    }
    assert_eq!(word(&proto.judge(&nested, Place::Gateway)), "NOT_DECODABLE");
}

#[test]
fn rules_that_loop_over_large_lists_cost_too_much_and_others_do_not() {
    let schema = r#"{"type":"object","properties":{"l":{"type":"array"}}}"#;
    let list: Vec<String> = (0..20_000).map(|number| number.to_string()).collect();
    let record = format!(r#"{{"l":[{}]}}"#, list.join(","));
    for (expr, expected) in [
        ("message.l.all(x, x >= 0)", "-"),
        (
            "message.l.all(x, message.l.exists(y, y > x + 1000000))",
            "CONDITION",
        ),
        ("message.l.all(x, message.l.all(y, x + y >= 0))", "COST"),
        ("message.l.map(x, message.l.map(y, [x, y])).size() > 0", "COST"),
        (
            "message.l.all(x, x in message.l.filter(y, y > 10000) || x < 10001)",
            "COST",
        ),
    ] {
        let contract = contract(Format::Json, schema, &condition("CEL", expr, ""), "{}");
        let verdict = in_time(expr, || contract.judge(record.as_bytes(), Place::Gateway));
        assert_eq!(word(&verdict), expected, "{expr}");
    }
    // Each field of a wide record is asked, and the whole is one rule.
    let wide: Vec<String> = (0..2_000)
        .map(|n| format!(r#""f{n}":{{"type":"string"}}"#))
        .collect();
    let schema = format!(r#"{{"type":"object","properties":{{{}}}}}"#, wide.join(","));
    let fields: Vec<String> = (0..2_000).map(|n| format!(r#""f{n}":"x""#)).collect();
    let record = format!("{{{}}}", fields.join(","));
    let costly = contract(
        Format::Json,
        &schema,
        &condition("CEL_FIELD", "message.all(k, message[k] == value)", ""),
        "{}",
    );
    assert_eq!(
        word(&in_time("fields", || costly.judge(record.as_bytes(), Place::Gateway))),
        "COST"
    );
    let cheap = contract(
        Format::Json,
        &schema,
        &condition("CEL_FIELD", "size(value) < 10", ""),
        "{}",
    );
    assert_eq!(cheap.judge(record.as_bytes(), Place::Gateway), Verdict::Valid);
}

#[test]
fn schemas_that_lead_in_circles_end() {
    for schema in [
        r##"{"$ref":"#"}"##,
        r##"{"allOf":[{"$ref":"#"}]}"##,
        r##"{"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"},{"$ref":"#/$defs/b"}]},"b":{"allOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"}"##,
    ] {
        let Ok(schema_read) = Schema::parse(Format::Json, schema, &[]) else {
            continue;
        };
        let rules: RuleSet =
            serde_json::from_str(&condition("CEL_FIELD", "true", "")).expect("it is a rule set");
        let _verdict = in_time(schema, || {
            Contract::compile(schema_read, &rules, &Metadata::default(), JudgeLimits::DEFAULT)
                .map(|it| it.judge(b"{}", Place::Gateway))
        });
    }
}

#[test]
fn schemas_that_double_their_work_with_each_level_are_cut_off() {
    // Two branches that lead back: 2^60 evaluations for a record of 400 bytes.
    let doubling = r##"{"$defs":{"n":{"allOf":[{"properties":{"x":{"$ref":"#/$defs/n"}}},{"properties":{"x":{"$ref":"#/$defs/n"}}}]}},"$ref":"#/$defs/n"}"##;
    let deep = [br#"{"x":"#.repeat(60), b"1".to_vec(), b"}".repeat(60)].concat();
    let doubling = contract(Format::Json, doubling, "{}", "{}");
    assert_eq!(
        word(&in_time("levels", || doubling.judge(&deep, Place::Gateway))),
        "COST"
    );
    assert_eq!(
        doubling.judge(br#"{"x":{"x":1}}"#, Place::Gateway),
        Verdict::Valid
    );
    // No circle, but 2^40 ways to the same end.
    let mut schemas = vec![r#""s0":{"type":"object"}"#.to_owned()];
    for level in 1..=40 {
        let below = level - 1;
        schemas.push(format!(
            r##""s{level}":{{"anyOf":[{{"$ref":"#/$defs/s{below}"}},{{"$ref":"#/$defs/s{below}"}}]}}"##
        ));
    }
    let ways = format!(r##"{{"$defs":{{{}}},"$ref":"#/$defs/s40"}}"##, schemas.join(","));
    let ways = contract(Format::Json, &ways, "{}", "{}");
    assert_eq!(
        word(&in_time("ways", || ways.judge(b"1", Place::Gateway))),
        "COST"
    );
    // What many real schemas do: a tree, and a tree of alternatives.
    let tree = r##"{"type":"object","properties":{"left":{"$ref":"#"},"right":{"$ref":"#"},"list":{"items":{"$ref":"#"}},
        "either":{"oneOf":[{"$ref":"#"},{"type":"string"}]}},"additionalProperties":false}"##;
    let tree = contract(Format::Json, tree, "{}", "{}");
    let leaf = r#"{"left":{},"right":{"either":"x"},"list":[{},{}]}"#;
    let record = (0..20).fold(leaf.to_owned(), |inner, _level| {
        format!(r#"{{"left":{inner},"either":"y","list":[{{}},{leaf}]}}"#)
    });
    assert_eq!(
        in_time("tree", || tree.judge(record.as_bytes(), Place::Gateway)),
        Verdict::Valid
    );
}

#[test]
fn patterns_of_schemas_match_in_linear_time() {
    let contract = contract(
        Format::Json,
        r#"{"type":"string","pattern":"^(a+)+$"}"#,
        &condition("CEL", "message.matches('^(a|a)*$') || true", ""),
        "{}",
    );
    let record = format!("\"{}b\"", "a".repeat(100_000));
    assert_eq!(
        word(&in_time("pattern", || contract.judge(record.as_bytes(), Place::Gateway))),
        "SCHEMA"
    );
}

#[test]
fn a_remote_reference_is_never_fetched() {
    assert!(Schema::parse(Format::Json, r#"{"$ref":"http://127.0.0.1:9/x.json"}"#, &[]).is_err());
}

#[test]
fn a_record_beyond_the_limit_is_not_read() {
    let schema = Schema::parse(Format::Json, "true", &[]).expect("it is sound");
    let limits = JudgeLimits {
        payload_bytes: 10,
        ..JudgeLimits::DEFAULT
    };
    let contract =
        Contract::compile(schema, &RuleSet::default(), &Metadata::default(), limits).expect("it compiles");
    assert_eq!(contract.judge(b"[1,2,3,4]", Place::Gateway), Verdict::Valid);
    assert_eq!(
        word(&contract.judge(b"[1,2,3,4,5]", Place::Gateway)),
        "NOT_DECODABLE"
    );
}

proptest! {
    #[test]
    fn any_bytes_have_a_verdict(bytes in proptest::collection::vec(any::<u8>(), 0..300), index in 0_u32..3) {
        for contract in samples() {
            let verdict = contract.judge_message(&[index], &bytes, Place::Gateway);
            prop_assert_eq!(&verdict, &contract.judge_message(&[index], &bytes, Place::Gateway));
            let _all = contract.judge_all(&[index], &bytes, Place::Processor);
        }
    }

    #[test]
    fn spoilt_records_have_a_verdict(at in 0_usize..1000, byte in any::<u8>(), cut in 0_usize..1000) {
        for (contract, record) in samples().iter().zip(records()) {
            prop_assert_eq!(contract.judge(&record, Place::Gateway), Verdict::Valid);
            let mut spoilt = record.clone();
            let length = spoilt.len();
            spoilt[at % length] = byte;
            spoilt.truncate(1 + cut % length);
            let _verdict = contract.judge(&spoilt, Place::Gateway);
        }
    }

    #[test]
    fn any_frame_is_parted_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(framed) = crate::wire::unframe(&bytes) {
            prop_assert!(framed.body.len() < bytes.len());
            if let Ok((indexes, body)) = framed.message() {
                prop_assert!(indexes.len() <= 64 && body.len() < bytes.len());
            }
        }
    }
}

const EVENT: &str = r#"{"type":"record","name":"Event","fields":[
    {"name":"id","type":"long"},{"name":"name","type":"string","confluent:tags":["PII"]},
    {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},
    {"name":"tags","type":{"type":"array","items":["null","string"]}},
    {"name":"attrs","type":{"type":"map","values":"double"}},
    {"name":"next","type":["null","Event"]}]}"#;

/// A contract for each format, with rules of both types.
fn samples() -> &'static [Contract] {
    static SAMPLES: std::sync::OnceLock<Vec<Contract>> = std::sync::OnceLock::new();
    SAMPLES.get_or_init(|| {
        let rules = |exprs: [&str; 2]| {
            let both: Vec<String> = exprs.iter().zip(["CEL", "CEL_FIELD"]).map(|(expr, rule_type)| {
                let expr = serde_json::to_string(expr).expect("it is text");
                format!(r#"{{"name":"{rule_type}","kind":"CONDITION","type":"{rule_type}","expr":{expr}}}"#)
            }).collect();
            format!(r#"{{"domainRules":[{}]}}"#, both.join(","))
        };
        let field = "typeName == 'STRING' ; size(value) < 1000 && value != 'bad'";
        let avro = rules(["message.id >= 0 && message.tags.all(t, t == null || t.size() < 9) && message.at.getFullYear() > 0", field]);
        let json = rules(["has(message.id) && message.id >= 0 && message.tags.all(t, t != '')", field]);
        let proto = rules(["message.amount >= 0 && message.items.all(i, i.price >= 0.0) && message.paid_at >= timestamp(0)", field]);
        let schema = r#"{"type":"object","required":["id"],"properties":{"id":{"type":"integer"},"tags":{"type":"array","items":{"type":"string"}},
            "o":{"oneOf":[{"type":"object","properties":{"x":{"type":"string"}}},{"type":"null"}]}}}"#;
        vec![
            contract(Format::Avro, EVENT, &avro, "{}"),
            contract(Format::Json, schema, &json, "{}"),
            contract(Format::Protobuf, super::PROTO, &proto, "{}"),
        ]
    })
}

fn records() -> [Vec<u8>; 3] {
    let tags = [long(2), long(0), long(1), text("t"), long(0)].concat();
    let attrs = [long(1), text("k"), 1.5_f64.to_le_bytes().to_vec(), long(0)].concat();
    let event = |next: Vec<u8>| {
        [
            long(1),
            text("Ann"),
            long(1_700_000_000_000),
            tags.clone(),
            attrs.clone(),
            next,
        ]
        .concat()
    };
    let item = super::field(
        4,
        &[
            super::field(1, b"pen"),
            vec![0x11],
            2.5_f64.to_le_bytes().to_vec(),
        ]
        .concat(),
    );
    [
        event([long(1), event(long(0))].concat()),
        br#"{"id":1,"tags":["a"],"o":{"x":"y"}}"#.to_vec(),
        [
            vec![8, 5],
            super::field(2, b"EUR"),
            item,
            super::field(6, &[8, 1]),
        ]
        .concat(),
    ]
}
