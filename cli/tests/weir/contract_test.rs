//! `weir contract test`.

use serde_json::Value;

use crate::Desk;

const PAYMENT: &str = r#"subject: payments-value
schemaType: JSON
enforcement: REJECT
schema: file:payment.json
ruleSet:
  domainRules:
    - {name: positive, kind: CONDITION, mode: WRITE, type: CEL, expr: message.amount > 0.0}
    - {name: read, kind: CONDITION, mode: READ, type: CEL, expr: message.amount < 100.0, onFailure: DLQ}
"#;
const PAYMENT_SCHEMA: &str = r#"{"type": "object", "required": ["amount"],
  "properties": {"amount": {"type": "number"}, "card": {"type": "string", "maxLength": 4}}}"#;

fn desk() -> Desk {
    Desk::new(&[("payment.yaml", PAYMENT), ("payment.json", PAYMENT_SCHEMA)])
}

#[test]
fn every_violation_is_told_with_record_path_rule_and_reason() {
    let desk = desk();
    let records = "{\"amount\": 5.0}\n{\"amount\": -5.0}\n\n{\"amount\": 1.0, \"card\": \"12345\"}\n{\n";
    desk.put("records.jsonl", records.as_bytes());
    let args = ["contract", "test", "payment.yaml", "--data", "records.jsonl"];
    let out = desk.weir(&args).ended(1);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(
        lines[0],
        "record 2: -: positive: CONDITION: rule `positive` is not met: message.amount > 0.0"
    );
    assert!(lines[1].starts_with("record 4: card: -: SCHEMA: `card`"), "{out}");
    assert!(lines[2].starts_with("record 5: -: -: NOT_DECODABLE: "), "{out}");
    assert!(
        out.contains("4 records: 3 not as the contract wants, 3 violations\n"),
        "{out}"
    );
    assert!(out.ends_with("enforcement REJECT: a gateway would refuse the batches that they stand in\n"));
    assert!(!out.contains("12345"), "a record is quoted only if asked: {out}");
    let detail = desk.weir(&[&args[..], &["--detail"]].concat()).ended(1);
    assert!(detail.contains("12345"), "{detail}");
}

#[test]
fn programs_read_it_as_json() {
    let desk = desk();
    let args = [
        "contract",
        "test",
        "payment.yaml",
        "--data",
        "-",
        "--output",
        "json",
    ];
    let out = desk
        .weir_reading(&args, b"{\"amount\": 5.0}\n{\"amount\": -5.0}\n")
        .ended(1);
    let lines: Vec<Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).expect("it is JSON"))
        .collect();
    let expected = serde_json::json!({"record": 2, "path": "", "rule": "positive", "kind": "CONDITION", "action": "ERROR",
        "reason": "rule `positive` is not met: message.amount > 0.0"});
    assert_eq!(lines[0], expected);
    let expected = serde_json::json!({"summary": {"records": 2, "violating": 1, "violations": 1, "byRule": {"positive": 1}}});
    assert_eq!(lines[1], expected);
    let out = desk.weir_reading(&args, b"").ended(0);
    assert_eq!(out.lines().count(), 1, "{out}");
}

#[test]
fn the_place_decides_which_rules_run() {
    let desk = desk();
    let args = ["contract", "test", "payment.yaml", "--data", "-", "--place"];
    let run =
        |place: &str, record: &str| desk.weir_reading(&[&args[..], &[place]].concat(), record.as_bytes());
    run("gateway", "{\"amount\": 500.0}").ended(0);
    run("client", "{\"amount\": -1.0}").ended(1);
    let out = run("processor", "{\"amount\": 500.0}").ended(1);
    assert!(out.contains("rule `read`"), "{out}");
    run("processor", "{\"amount\": -1.0}").ended(0);
    run("nowhere", "{}").ended(2);
}

#[test]
fn avro_and_protobuf_are_judged_as_what_a_producer_would_send() {
    let desk = Desk::new(&[
        (
            "avro.yaml",
            "subject: a\nschema: '{\"type\": \"record\", \"name\": \"R\", \"fields\": [{\"name\": \"n\", \"type\": [\"null\", \"int\"]}]}'\n\
             ruleSet: {domainRules: [{name: few, kind: CONDITION, mode: WRITE, type: CEL, expr: 'message.n == null || message.n < 10'}]}\n",
        ),
        (
            "proto.yaml",
            "subject: p\nschemaType: PROTOBUF\nschema: 'syntax = \"proto3\"; message A { int32 n = 1; } message B { string s = 1; }'\n\
             ruleSet: {domainRules: [{name: few, kind: CONDITION, mode: WRITE, type: CEL, expr: 'message.n < 10'}]}\n",
        ),
    ]);
    let run = |contract: &str, format: &str, record: &str| {
        let args = ["contract", "test", contract, "--data", "-", "--format", format];
        desk.weir_reading(&args, record.as_bytes())
    };
    let fine = "{\"n\": null}\n{\"n\": {\"int\": 9}}\n{\"n\": 9}\n";
    run("avro.yaml", "json", fine).ended(0);
    let out = run("avro.yaml", "json", "{\"n\": 10}\n{\"n\": \"x\"}\n").ended(1);
    assert!(out.contains("record 1: -: few: CONDITION"), "{out}");
    assert!(out.contains("record 2: n: -: NOT_DECODABLE"), "{out}");
    // null; the int 10; one byte too many; no base64.
    run("avro.yaml", "base64", "AA==\n").ended(0);
    run("avro.yaml", "base64", "AhQ=\n").ended(1);
    run("avro.yaml", "base64", "AAA=\n").ended(1);
    let out = run("avro.yaml", "base64", "A\n").ended(1);
    assert!(out.contains("no base64"), "{out}");
    run("avro.yaml", "framed-base64", "AAAAAAEA\n").ended(0);
    let out = run("avro.yaml", "framed-base64", "AA==\n").ended(1);
    assert!(out.contains("ends within the id"), "{out}");
    run("proto.yaml", "json", "{\"n\": 9}\n").ended(0);
    run("proto.yaml", "json", "{\"n\": 10}\n").ended(1);
    // The first message with the count 0, the second by its index: there the rule has nothing to ask.
    run("proto.yaml", "framed-base64", "AAAAAAEACAk=\n").ended(0);
    run("proto.yaml", "framed-base64", "AAAAAAEACAo=\n").ended(1);
    let out = run("proto.yaml", "framed-base64", "AAAAAAECAgoBeA==\n").ended(1);
    assert!(out.contains("RULE_ERROR"), "{out}");
}

#[test]
fn files_that_are_wrong_are_told_with_their_place() {
    let desk = Desk::new(&[
        ("records.jsonl", "{}\n"),
        ("unknown.yaml", "subject: a\nschema: '\"int\"'\nowners: b\n"),
        ("no-file.yaml", "subject: a\nschema: file:nowhere.avsc\n"),
        (
            "bad-schema.yaml",
            "subject: a\nschemaType: JSON\nschema: '{\"type\": \"strin\"}'\n",
        ),
        (
            "bad-rule.yaml",
            "subject: a\nschemaType: JSON\nschema: '{}'\nruleSet: {domainRules: [{name: r, kind: CONDITION, mode: WRITE, type: CEL, expr: 'message.a >'}]}\n",
        ),
        ("fine.yaml", "subject: a\nschemaType: JSON\nschema: '{}'\n"),
    ]);
    desk.put("latin.yaml", b"subject: a\nowner: \xe4\n");
    for (contract, words) in [
        ("unknown.yaml", "unknown.yaml: line 3, column 1"),
        ("no-file.yaml", "nowhere.avsc"),
        ("bad-schema.yaml", "bad-schema.yaml: schema: "),
        ("bad-rule.yaml", "rule \"r\" of domainRules, line 1, column 12"),
        ("latin.yaml", "line 2, column 8: no UTF-8"),
        ("missing.yaml", "missing.yaml"),
    ] {
        let err = desk
            .weir(&["contract", "test", contract, "--data", "records.jsonl"])
            .ended(2);
        assert!(err.contains(words), "{contract}: {err}");
    }
    let err = desk
        .weir(&["contract", "test", "fine.yaml", "--data", "missing.jsonl"])
        .ended(2);
    assert!(err.contains("missing.jsonl"), "{err}");
    desk.weir(&["contract", "test", "fine.yaml"]).ended(2);
}

/// Twenty thousand records, in the memory of one; and whoever reads only the beginning of the answer ends nothing badly.
#[test]
fn many_records_are_judged_line_by_line() {
    let desk = desk();
    let records = "{\"amount\": -5.0}\n".repeat(20_000);
    let args = ["contract", "test", "payment.yaml", "--data", "-"];
    let out = desk.weir_reading(&args, records.as_bytes()).ended(1);
    assert_eq!(
        out.lines().filter(|line| line.starts_with("record ")).count(),
        20_000
    );
    assert!(out.contains("20000 x positive"), "it is counted");
}
