//! Lint rules over contracts of the three formats, and their bounds.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{LintRule, LintSubject, LintVerdict, lint};
use crate::rules::{Metadata, RuleSet};
use crate::schema::{Format, Schema};

fn avro(fields: &[serde_json::Value]) -> Schema {
    let text =
        json!({"type": "record", "name": "Payment", "namespace": "bank", "fields": fields}).to_string();
    Schema::parse(Format::Avro, &text, &[]).unwrap()
}

fn verdict(
    expression: &str,
    schema: &Schema,
    metadata: serde_json::Value,
    rules: serde_json::Value,
) -> LintVerdict {
    let metadata: Metadata = serde_json::from_value(metadata).unwrap();
    let rule_set: RuleSet = serde_json::from_value(rules).unwrap();
    let rule = LintRule::compile(expression).unwrap_or_else(|problem| panic!("{expression}: {problem:?}"));
    let subject = LintSubject {
        subject: "payments-value",
        version: 3,
        compatibility: "BACKWARD",
        schema,
        metadata: &metadata,
        rule_set: &rule_set,
    };
    lint(&[rule], &subject).remove(0)
}

#[test]
fn a_rule_sees_what_the_registry_knows_of_a_contract() {
    let schema = avro(&[
        json!({"name": "id", "type": "string", "doc": "Which."}),
        json!({"name": "note", "type": ["null", "string"], "confluent:tags": ["FREE"]}),
        json!({"name": "card", "type": {"type": "record", "name": "Card", "fields": [{"name": "number", "type": "long"}]}}),
    ]);
    let metadata = json!({"tags": {"bank.Payment.id": ["PII"], "bank.Card.*": ["CARD"]},
        "properties": {"owner": "cards", "lifecycle": "stable", "secret": "hush"}, "sensitive": ["secret"]});
    let rules = json!({"domainRules": [{"name": "a", "kind": "CONDITION", "type": "CEL", "mode": "WRITE", "expr": "true"}]});
    for (expression, met) in [
        (
            "contract.subject == 'payments-value' && contract.version == 3",
            true,
        ),
        (
            "contract.owner != '' && contract.lifecycle == 'STABLE' && contract.classification == ''",
            true,
        ),
        (
            "contract.schema_type == 'AVRO' && contract.compatibility != 'NONE'",
            true,
        ),
        ("contract.properties.owner == 'cards'", true),
        ("has(contract.properties.secret)", false),
        ("contract.fields.size() == 4", true),
        ("contract.fields.all(f, f.doc != '')", false),
        (
            "contract.fields.filter(f, f.nullable).map(f, f.path) == ['bank.Payment.note']",
            true,
        ),
        (
            "contract.fields.exists(f, f.path == 'bank.Card.number' && f.tags == ['CARD'] && f.type == 'integer')",
            true,
        ),
        (
            "contract.fields.exists(f, f.path == 'bank.Payment.note' && 'FREE' in f.tags)",
            true,
        ),
        (
            "contract.tags.exists(t, t.tag == 'PII' && t.path == 'bank.Payment.id')",
            true,
        ),
        (
            "contract.rules.exists(r, r.kind == 'CONDITION' && r.type == 'CEL' && r.mode == 'WRITE' && r.doc == '')",
            true,
        ),
    ] {
        let expected = if met {
            LintVerdict::Met
        } else {
            LintVerdict::NotMet
        };
        assert_eq!(
            verdict(expression, &schema, metadata.clone(), rules.clone()),
            expected,
            "{expression}"
        );
    }
    let LintVerdict::Failed(reason) = verdict("contract.properties.team == 'x'", &schema, metadata, rules)
    else {
        panic!("a missing property is no answer");
    };
    assert_eq!(reason, "there is no `team` (line 1, column 21)");
}

#[test]
fn fields_of_every_format_have_paths_types_and_tags() {
    let text = r#"{"type": "object", "required": ["id"], "properties": {
        "id": {"type": "string", "description": "Which.", "confluent:tags": ["PII"]}, "sum": {"type": ["number", "null"]}}}"#;
    let schema = Schema::parse(Format::Json, text, &[]).unwrap();
    let none = || (json!({}), json!({}));
    for (expression, schema) in [
        (
            "contract.fields.exists(f, f.path == '$.id' && f.doc == 'Which.' && f.tags == ['PII'] && !f.nullable)",
            &schema,
        ),
        (
            "contract.fields.exists(f, f.path == '$.sum' && f.nullable && f.type == 'number')",
            &schema,
        ),
    ] {
        let (metadata, rules) = none();
        assert_eq!(
            verdict(expression, schema, metadata, rules),
            LintVerdict::Met,
            "{expression}"
        );
    }
    let text = "syntax = \"proto3\"; package bank; import \"confluent/meta.proto\"; message Payment { \
        string id = 1 [(confluent.field_meta).tags = \"PII\"]; }";
    let schema = Schema::parse(Format::Protobuf, text, &[]).unwrap();
    let (metadata, rules) = none();
    let expression = "contract.fields.all(f, f.path == 'bank.Payment.id' && f.tags == ['PII'])";
    assert_eq!(verdict(expression, &schema, metadata, rules), LintVerdict::Met);
}

#[test]
fn an_expression_that_cannot_work_is_refused_where_it_is_wrong() {
    for (expression, line, column, part) in [
        ("contract.ownr != ''", 1, 10, "ownr"),
        ("contract.owner +", 1, 17, ""),
        ("true &&\n  contract.version == 'x'", 2, 20, ""),
        ("contract.owner", 1, 10, "must be a bool"),
        ("contract.fields.all(f, f.nme != '')", 1, 26, "nme"),
        ("message.id != ''", 1, 1, "message"),
    ] {
        let problem = LintRule::compile(expression).expect_err(expression);
        let position = problem.position.expect(expression);
        assert_eq!(
            (position.line, position.column),
            (line, column),
            "{expression}: {}",
            problem.message
        );
        assert!(
            problem.message.contains(part),
            "{expression}: {}",
            problem.message
        );
    }
    let costly = "contract.fields.all(f, contract.fields.exists(g, g.path == f.path + 'x') || true)";
    let problem = LintRule::compile(costly).expect_err("too many steps");
    assert!(problem.message.contains("1000 fields"), "{}", problem.message);
}

#[test]
fn the_largest_contract_is_linted_in_bounded_time() {
    let fields: Vec<_> = (0..20_000)
        .map(|at| json!({"name": format!("f{at}"), "type": "int"}))
        .collect();
    let schema = avro(&fields);
    let simple = "contract.fields.all(f, f.path.startsWith('bank.'))";
    let began = Instant::now();
    assert_eq!(verdict(simple, &schema, json!({}), json!({})), LintVerdict::Met);
    // Few on the sample, and quadratic where every field has no documentation.
    let sly = "contract.fields.all(f, f.doc != '' || contract.fields.exists(g, g.path == ''))";
    assert_eq!(
        verdict(sly, &schema, json!({}), json!({})),
        LintVerdict::NotMet,
        "the first field decides"
    );
    let slow = "contract.fields.all(f, f.doc != '' || contract.fields.all(g, g.path != ''))";
    let LintVerdict::Failed(reason) = verdict(slow, &schema, json!({}), json!({})) else {
        panic!("it takes too many steps");
    };
    assert!(reason.contains("steps"), "{reason}");
    let tags: serde_json::Map<String, serde_json::Value> = (0..200)
        .map(|at| (format!("bank.*.f{at}*"), json!(["A"])))
        .collect();
    let tagged = verdict(simple, &schema, json!({"tags": tags}), json!({}));
    assert!(matches!(tagged, LintVerdict::Failed(_)), "{tagged:?}");
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}
