//! Verdicts by table, in the three formats.

mod hostile;
mod semantics;

use super::*;

/// Avro's binary encoding, by hand: what a test writes must not come from what it tests.
pub(super) fn long(number: i64) -> Vec<u8> {
    let mut rest = ((number << 1) ^ (number >> 63)).cast_unsigned();
    let mut bytes = Vec::new();
    while rest > 0x7f {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    bytes
}

pub(super) fn text(text: &str) -> Vec<u8> {
    [
        long(i64::try_from(text.len()).expect("it fits")),
        text.as_bytes().to_vec(),
    ]
    .concat()
}

pub(super) fn contract(format: Format, schema: &str, rules: &str, metadata: &str) -> Contract {
    try_contract(format, schema, rules, metadata).unwrap_or_else(|error| panic!("{rules}: {error}"))
}

pub(super) fn try_contract(
    format: Format,
    schema: &str,
    rules: &str,
    metadata: &str,
) -> Result<Contract, CompileError> {
    let schema = Schema::parse(format, schema, &[]).unwrap_or_else(|error| panic!("{schema}: {error}"));
    let rules = serde_json::from_str(rules).unwrap_or_else(|error| panic!("{rules}: {error}"));
    let metadata = serde_json::from_str(metadata).expect("the metadata can be read");
    Contract::compile(schema, &rules, &metadata, JudgeLimits::DEFAULT)
}

/// One condition.
pub(super) fn condition(rule_type: &str, expr: &str, more: &str) -> String {
    let expr = serde_json::to_string(expr).expect("it is text");
    format!(
        r#"{{"domainRules":[{{"name":"rule","kind":"CONDITION","mode":"WRITE","type":"{rule_type}","expr":{expr}{more}}}]}}"#
    )
}

/// What is violated, in a word: `-` for nothing.
pub(super) fn word(verdict: &Verdict) -> &'static str {
    verdict
        .violation()
        .map_or("-", |violation| violation.kind.as_str())
}

#[test]
fn a_contract_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + Clone + 'static>(_it: &T) {}
    let contract = contract(Format::Json, r#"{"type":"object"}"#, "{}", "{}");
    shared(&contract);
    let clone = contract.clone();
    let judged = std::thread::spawn(move || clone.judge(b"{}", Place::Gateway))
        .join()
        .expect("it ends");
    assert_eq!(judged, contract.judge(b"{}", Place::Gateway));
}

#[test]
fn json_records_are_read_and_validated() {
    let schema = r#"{"type":"object","required":["id"],"properties":{"id":{"type":"integer","minimum":1},
        "tags":{"type":"array","items":{"type":"string","maxLength":3}}},"additionalProperties":{"type":"string"}}"#;
    let contract = contract(Format::Json, schema, "{}", "{}");
    for (record, expected, path) in [
        (r#"{"id":1}"#, "-", ""),
        (r#"{"id":1,"tags":["a"],"x":"y"}"#, "-", ""),
        (r#"{"id":0}"#, "SCHEMA", "id"),
        (r#"{}"#, "SCHEMA", ""),
        (r#"{"id":1,"tags":["a","long"]}"#, "SCHEMA", "tags[]"),
        (r#"{"id":1,"secret-key":2}"#, "SCHEMA", "*"),
        (r#"{"id":1"#, "NOT_DECODABLE", ""),
        (r#"{"id":1} x"#, "NOT_DECODABLE", ""),
        ("", "NOT_DECODABLE", ""),
        ("[1]", "SCHEMA", ""),
    ] {
        let verdict = contract.judge(record.as_bytes(), Place::Gateway);
        assert_eq!(word(&verdict), expected, "{record}");
        assert_eq!(verdict.violation().map_or("", |it| &it.path), path, "{record}");
    }
    assert_eq!(
        word(&contract.judge(b"{\"id\":1,\"x\":\"\xff\"}", Place::Gateway)),
        "NOT_DECODABLE"
    );
}

#[test]
fn avro_records_are_read_to_their_end() {
    let schema = r#"{"type":"record","name":"R","fields":[
        {"name":"n","type":"int"},{"name":"s","type":"string"},{"name":"b","type":"boolean"},
        {"name":"u","type":["null","long"]},{"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},
        {"name":"f","type":{"type":"fixed","name":"F","size":2}},
        {"name":"a","type":{"type":"array","items":"long"}},{"name":"m","type":{"type":"map","values":"string"}},
        {"name":"d","type":"double"}]}"#;
    let contract = contract(Format::Avro, schema, "{}", "{}");
    let parts = || -> Vec<Vec<u8>> {
        vec![
            long(7),
            text("x"),
            vec![1],
            [long(1), long(9)].concat(),
            long(1),
            vec![1, 2],
            [long(-2), long(2), long(1), long(2), long(1), long(3), long(0)].concat(),
            [long(1), text("k"), text("v"), long(0)].concat(),
            1.5_f64.to_le_bytes().to_vec(),
        ]
    };
    let judge = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut parts = parts();
        change(&mut parts);
        contract.judge(&parts.concat(), Place::Gateway)
    };
    assert_eq!(judge(&|_parts| {}), Verdict::Valid);
    let cases: [(usize, Vec<u8>, &str); 12] = [
        (0, long(1 << 31), "n"),
        (0, vec![0x80; 11], "n"),
        (1, [long(1), vec![0xff]].concat(), "s"),
        (1, long(-1), "s"),
        (1, long(1 << 40), "s"),
        (2, vec![2], "b"),
        (3, long(2), "u"),
        (3, long(-1), "u"),
        (4, long(2), "e"),
        (6, long(i64::MIN), "a"),
        (6, long(i64::MAX), "a"),
        (
            7,
            [long(1), long(1), vec![0xff], text("v"), long(0)].concat(),
            "m",
        ),
    ];
    for (index, bytes, path) in cases {
        let verdict = judge(&|parts| parts[index].clone_from(&bytes));
        let violation = verdict.violation().unwrap_or_else(|| panic!("{path} {bytes:?}"));
        assert_eq!(
            (violation.kind, violation.path.as_str()),
            (ViolationKind::NotDecodable, path),
            "{bytes:?}"
        );
    }
    assert_eq!(
        word(&judge(&|parts| parts.push(vec![0]))),
        "NOT_DECODABLE",
        "trailing bytes"
    );
    let whole = parts().concat();
    for end in 0..whole.len() {
        assert_eq!(
            word(&contract.judge(&whole[..end], Place::Gateway)),
            "NOT_DECODABLE",
            "{end} bytes"
        );
    }
}

const PROTO: &str = r#"syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
message Payment {
  int64 amount = 1;
  string currency = 2;
  optional string note = 3;
  repeated Item items = 4;
  map<string, int32> counts = 5;
  google.protobuf.Timestamp paid_at = 6;
  google.protobuf.StringValue memo = 7;
  oneof how { string card = 8; uint64 account = 9; }
  enum Kind { UNKNOWN = 0; IN = 1; }
  Kind kind = 10;
  message Item { string name = 1; double price = 2; }
}
message Other { int32 n = 1; }"#;

/// Protobuf's encoding, by hand.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [
        vec![number << 3 | 2, u8::try_from(bytes.len()).expect("it is short")],
        bytes.to_vec(),
    ]
    .concat()
}

#[test]
fn protobuf_messages_are_read_by_their_index() {
    let contract = contract(Format::Protobuf, PROTO, "{}", "{}");
    let payment = [vec![8, 5], field(2, b"EUR")].concat();
    assert_eq!(contract.judge(&payment, Place::Gateway), Verdict::Valid);
    assert_eq!(
        contract.judge(b"", Place::Gateway),
        Verdict::Valid,
        "an empty message"
    );
    assert_eq!(
        contract.judge_message(&[1], &[8, 5], Place::Gateway),
        Verdict::Valid
    );
    assert_eq!(
        contract.judge_message(&[0, 0], &field(1, b"x"), Place::Gateway),
        Verdict::Valid
    );
    for (indexes, bytes) in [
        (vec![], vec![8]),
        (vec![], vec![0x0a, 1, 65]),
        (vec![], field(2, &[0xff, 0xfe])),
        (vec![], vec![0x12, 0x7f, 65]),
        (vec![], vec![0x07]),
        (vec![2], vec![]),
        (vec![0, 7], vec![]),
        (vec![u32::MAX], vec![]),
        (vec![1, 0], vec![]),
    ] {
        assert_eq!(
            word(&contract.judge_message(&indexes, &bytes, Place::Gateway)),
            "NOT_DECODABLE",
            "{indexes:?} {bytes:?}"
        );
    }
}

#[test]
fn protobuf_values_are_what_cel_says() {
    let memo = field(7, &field(1, b"hi"));
    let paid_at = field(6, &[8, 0x80, 0xa3, 0x05]);
    let item = field(
        4,
        &[field(1, b"pen"), vec![0x11], 2.5_f64.to_le_bytes().to_vec()].concat(),
    );
    let count = field(5, &[field(1, b"a"), vec![16, 3]].concat());
    let payment = [
        vec![8, 5],
        field(2, b"EUR"),
        item,
        count,
        paid_at,
        memo,
        field(8, b"4111"),
        vec![80, 1],
    ]
    .concat();
    for (expr, expected) in [
        (
            "message.amount == 5 && message.currency == 'EUR' && message.kind == 1",
            "-",
        ),
        (
            "message.items[0].name == 'pen' && message.items[0].price > 2.0",
            "-",
        ),
        ("message.counts['a'] == 3 && !('b' in message.counts)", "-"),
        ("message.paid_at == timestamp('1970-01-02T00:00:00Z')", "-"),
        (
            "message.memo == 'hi' && message.card == '4111' && message.account == 0u",
            "-",
        ),
        (
            "has(message.amount) && has(message.memo) && has(message.card) && has(message.items)",
            "-",
        ),
        ("!has(message.note) && !has(message.account)", "-"),
        ("message.note == ''", "-"),
        ("message.amount < 0", "CONDITION"),
    ] {
        let contract = contract(Format::Protobuf, PROTO, &condition("CEL", expr, ""), "{}");
        assert_eq!(
            word(&contract.judge(&payment, Place::Gateway)),
            expected,
            "{expr}"
        );
    }
    let empty = contract(
        Format::Protobuf,
        PROTO,
        &condition(
            "CEL",
            "message.amount == 0 && !has(message.amount) && message.memo == null && size(message.items) == 0",
            "",
        ),
        "{}",
    );
    assert_eq!(empty.judge(b"", Place::Gateway), Verdict::Valid);
}

#[test]
fn required_fields_of_proto2_are_required() {
    let schema = r#"syntax = "proto2"; message M { required int32 a = 1; repeated N n = 2; message N { required int32 b = 1; } }"#;
    let contract = contract(Format::Protobuf, schema, "{}", "{}");
    assert_eq!(contract.judge(&[8, 1], Place::Gateway), Verdict::Valid);
    let missing = contract.judge(&[], Place::Gateway);
    assert_eq!(missing.violation().map(|it| it.path.as_str()), Some("a"));
    let within = contract.judge(&[8, 1, 0x12, 0], Place::Gateway);
    assert_eq!(within.violation().map(|it| it.path.as_str()), Some("n.b"));
}

#[test]
fn no_reason_says_what_the_record_holds() {
    let secret = "hunter2-4111111111111111";
    let schema = r#"{"type":"object","properties":{"name":{"type":"string","maxLength":3,"confluent:tags":["PII"]},"n":{"type":"integer"}},
        "additionalProperties":{"type":"integer"}}"#;
    let records = [
        format!(r#"{{"name":"{secret}"}}"#),
        format!(r#"{{"{secret}":"x"}}"#),
        format!(r#"{{"n":"{secret}"}}"#),
        format!(r#"{{"name":"{secret}""#),
        format!(r#""{secret}""#),
        secret.to_owned(),
    ];
    let contracts = [
        contract(Format::Json, schema, "{}", "{}"),
        contract(
            Format::Json,
            "{}",
            &condition("CEL", "int(message.name) > 0", ""),
            "{}",
        ),
        contract(
            Format::Json,
            "{}",
            &condition(
                "CEL",
                "message.exists(k, message[k] == 1 && message['no' + k] == 2)",
                "",
            ),
            "{}",
        ),
        contract(
            Format::Json,
            schema,
            &condition("CEL_FIELD", "value < 0", r#","tags":["PII"]"#),
            "{}",
        ),
    ];
    let mut violations = 0;
    for (contract, record) in contracts
        .iter()
        .flat_map(|contract| records.iter().map(move |record| (contract, record)))
    {
        for violation in contract.judge_all(&[], record.as_bytes(), Place::Gateway) {
            violations += 1;
            let outside = format!("{violation:?} {} {}", violation.reason, violation.path);
            assert!(!outside.contains("hunter2"), "{outside}");
        }
    }
    assert!(violations > 15, "{violations}");
    let verdict = contracts[0].judge(records[0].as_bytes(), Place::Gateway);
    assert!(
        verdict
            .violation()
            .and_then(Violation::detail)
            .is_some_and(|detail| detail.contains(secret))
    );
}
