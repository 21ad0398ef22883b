//! What breaks whom, by table.

use std::fmt::Write as _;

use super::expression::{Relation, relation};
use super::*;

const SCHEMA: &str = r#"{"type":"object","properties":{"amount":{"type":"number"},"card":{"type":"string"}},"additionalProperties":false}"#;

/// A document of YAML lines under a subject and a schema.
fn document(more: &str) -> Document {
    let text = format!("subject: payments-value\nschemaType: JSON\nschema: '{SCHEMA}'\n{more}");
    Document::read(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// One rule of the domain.
fn rule(more: &str) -> String {
    format!("ruleSet: {{domainRules: [{{name: r, kind: CONDITION, type: CEL, {more}}}]}}")
}

/// `change for-whom severity` of all changes, in a line.
fn told_of(old: &str, new: &str) -> String {
    let (old, new) = (document(old), document(new));
    let mut line = String::new();
    for change in diff(&old, &new, level_of(&old, &new)).expect("they can be compared") {
        let severity = change.severity.as_str();
        let whom: String = change.concerns.iter().map(|party| &party.as_str()[..1]).collect();
        let _written = write!(line, "{} {whom} {severity}; ", change.change);
        assert!(change.message.ends_with('.'), "{}", change.message);
    }
    line.trim_end_matches("; ").to_owned()
}

#[test]
fn equal_contracts_have_no_changes() {
    let full = "owner: a\nclassification: PUBLIC\nserviceLevels: [{name: freshness, value: 1, unit: m}]\n";
    assert_eq!(told_of(full, full), "");
    let one = rule("mode: WRITE, expr: 'message.amount > 0.0', onFailure: ERROR, onSuccess: 'NONE'");
    let other = rule("mode: WRITE, expr: 'message.amount > 0.0'");
    assert_eq!(told_of(&one, &other), "");
}

/// What is said of the rule before and after (`+`: its expression), and what is told.
const CONDITIONS: [(&str, &str, &str); 14] = [
    ("", "mode: WRITE, +", "CONDITION_ADDED P BREAKING"),
    ("mode: WRITE, +", "", "CONDITION_REMOVED C BREAKING"),
    (
        "mode: WRITE, +",
        "mode: WRITE, disabled: true, +",
        "CONDITION_REMOVED C BREAKING",
    ),
    ("", "mode: WRITE, disabled: true, +", "RULE_ADDED PC INFO"),
    ("", "mode: WRITE, onFailure: NONE, +", "RULE_ADDED PC INFO"),
    (
        "mode: WRITE, onFailure: NONE, +",
        "mode: WRITE, +",
        "CONDITION_ADDED P BREAKING",
    ),
    (
        "mode: WRITE, +",
        "mode: WRITE, onFailure: NONE, +",
        "CONDITION_REMOVED C BREAKING",
    ),
    (
        "mode: WRITE, +",
        "mode: WRITE, onFailure: DLQ, +",
        "ACTION_CHANGED P INFO",
    ),
    (
        "mode: WRITE, +",
        "mode: WRITE, expr: 'message.amount > 10.0'",
        "CONDITION_TIGHTENED P BREAKING",
    ),
    (
        "mode: WRITE, +",
        "mode: WRITE, expr: 'message.amount >= 0.0'",
        "CONDITION_LOOSENED C BREAKING",
    ),
    (
        "mode: WRITE, +",
        "mode: WRITE, expr: 'message.amount != 0.0'",
        "CONDITION_CHANGED PC BREAKING",
    ),
    ("", "mode: READ, +", "CONDITION_ADDED C BREAKING"),
    ("mode: READ, +", "", "CONDITION_REMOVED C SAFE"),
    (
        "mode: WRITE, +",
        "mode: WRITE, doc: d, +",
        "RULE_DESCRIBED PC INFO",
    ),
];

#[test]
fn conditions_break_those_who_lose_by_them() {
    let with = |more: &str| match more {
        "" => String::new(),
        more => rule(&more.replace('+', "expr: 'message.amount > 0.0'")),
    };
    for (old, new, expected) in CONDITIONS {
        assert_eq!(told_of(&with(old), &with(new)), expected, "{old} / {new}");
    }
    let write = with("mode: WRITE, +");
    let nowhere = write.replace("]}", "], enableAt: NONE}");
    let expected = "CONDITION_REMOVED C BREAKING; ENABLE_AT_CHANGED PC INFO";
    assert_eq!(told_of(&write, &nowhere), expected);
}

#[test]
fn rules_that_change_records_concern_those_who_read() {
    let encrypt = |more: &str| {
        format!(
            "ruleSet: {{domainRules: [{{name: e, kind: TRANSFORM, type: ENCRYPT, mode: WRITEREAD, tags: [PII]{more}}}]}}"
        )
    };
    let migration =
        "ruleSet: {migrationRules: [{name: m, kind: TRANSFORM, type: JSONATA, mode: UPGRADE, expr: x}]}";
    for (old, new, expected) in [
        (String::new(), encrypt(""), "RULE_ADDED C BREAKING"),
        (encrypt(""), String::new(), "RULE_REMOVED P BREAKING"),
        (
            encrypt(""),
            encrypt(", params: {a: b}"),
            "RULE_CHANGED C BREAKING",
        ),
        (encrypt(""), encrypt(", doc: d"), "RULE_DESCRIBED PC INFO"),
        (String::new(), migration.to_owned(), "MIGRATION_ADDED C SAFE"),
        (
            migration.to_owned(),
            String::new(),
            "MIGRATION_REMOVED C BREAKING",
        ),
    ] {
        assert_eq!(told_of(&old, &new), expected, "{old}\n{new}");
    }
}

/// Documents before and after, and what is told.
const PROMISES: [(&str, &str, &str); 18] = [
    ("", "enforcement: SHADOW", "ENFORCEMENT_RAISED PC SAFE"),
    (
        "enforcement: SHADOW",
        "enforcement: REJECT",
        "ENFORCEMENT_RAISED P BREAKING",
    ),
    (
        "enforcement: MARK",
        "enforcement: DLQ",
        "ENFORCEMENT_RAISED P BREAKING",
    ),
    (
        "enforcement: REJECT",
        "enforcement: DLQ",
        "ENFORCEMENT_LOWERED PC SAFE",
    ),
    (
        "enforcement: DLQ",
        "enforcement: MARK",
        "ENFORCEMENT_LOWERED C BREAKING",
    ),
    ("enforcement: MARK", "", "ENFORCEMENT_LOWERED PC INFO"),
    (
        "classification: PUBLIC",
        "classification: RESTRICTED",
        "CLASSIFICATION_RAISED C BREAKING",
    ),
    (
        "classification: RESTRICTED",
        "classification: PUBLIC",
        "CLASSIFICATION_LOWERED P BREAKING",
    ),
    ("classification: PUBLIC", "", "CLASSIFICATION_REMOVED P BREAKING"),
    ("", "classification: PUBLIC", "CLASSIFICATION_ADDED PC INFO"),
    (
        "lifecycle: STABLE",
        "lifecycle: DEPRECATED",
        "LIFECYCLE_CHANGED PC INFO",
    ),
    (
        "lifecycle: STABLE",
        "lifecycle: RETIRED",
        "LIFECYCLE_CHANGED PC BREAKING",
    ),
    (
        "lifecycle: STABLE",
        "lifecycle: DRAFT",
        "LIFECYCLE_CHANGED C BREAKING",
    ),
    ("owner: a", "owner: b", "OWNER_CHANGED PC INFO"),
    ("", "compatibility: FULL", "COMPATIBILITY_CHANGED PC INFO"),
    ("metadata: {tags: {card: [PII]}}", "", "TAG_REMOVED P BREAKING"),
    ("", "metadata: {tags: {card: [PII]}}", "TAG_ADDED C INFO"),
    ("metadata: {properties: {a: b}}", "", "PROPERTIES_CHANGED PC INFO"),
];

/// One service level before and after, and what is told.
const SERVICE_LEVELS: [(&str, &str, &str); 8] = [
    (
        "name: freshness, value: 5, unit: m",
        "name: freshness, value: 300, unit: s",
        "SERVICE_LEVEL_DESCRIBED C INFO",
    ),
    (
        "name: freshness, value: 5, unit: m",
        "name: freshness, value: 1, unit: m",
        "SERVICE_LEVEL_RAISED C SAFE",
    ),
    (
        "name: freshness, value: 5, unit: m",
        "name: freshness, value: 1, unit: h",
        "SERVICE_LEVEL_LOWERED C BREAKING",
    ),
    (
        "name: completeness, value: 99",
        "name: completeness, value: 99.5",
        "SERVICE_LEVEL_RAISED C SAFE",
    ),
    (
        "name: completeness, value: 99",
        "name: completeness, value: 98",
        "SERVICE_LEVEL_LOWERED C BREAKING",
    ),
    (
        "name: completeness, value: 99",
        "name: completeness, value: 99, unit: s",
        "SERVICE_LEVEL_CHANGED C BREAKING",
    ),
    (
        "name: shininess, value: 1",
        "name: shininess, value: 2",
        "SERVICE_LEVEL_CHANGED C BREAKING",
    ),
    (
        "name: a, value: 1",
        "name: b, value: 1",
        "SERVICE_LEVEL_REMOVED C BREAKING; SERVICE_LEVEL_ADDED C SAFE",
    ),
];

#[test]
fn promises_break_when_they_are_withdrawn() {
    for (old, new, expected) in PROMISES {
        assert_eq!(told_of(old, new), expected, "{old} / {new}");
    }
    let level = |text: &str| format!("serviceLevels: [{{{text}}}]");
    for (old, new, expected) in SERVICE_LEVELS {
        assert_eq!(told_of(&level(old), &level(new)), expected, "{old} / {new}");
    }
}

#[test]
fn tags_put_fields_under_rules() {
    let with = |kind: &str, tags: &str| {
        format!(
            "metadata: {{tags: {tags}}}\nruleSet: {{domainRules: [{{name: r, kind: {kind}, mode: WRITE, type: CEL_FIELD, tags: [PII], expr: 'value != \"\"'}}]}}"
        )
    };
    for (kind, old, new, expected) in [
        ("CONDITION", "{}", "{card: [PII]}", "TAG_ADDED P BREAKING"),
        ("CONDITION", "{card: [PII]}", "{}", "TAG_REMOVED C BREAKING"),
        ("TRANSFORM", "{}", "{card: [PII]}", "TAG_ADDED C BREAKING"),
        ("TRANSFORM", "{card: [PII]}", "{}", "TAG_REMOVED P BREAKING"),
        (
            "TRANSFORM",
            "{card: [PII]}",
            "{card: [PII, EXTRA]}",
            "TAG_ADDED C INFO",
        ),
    ] {
        assert_eq!(
            told_of(&with(kind, old), &with(kind, new)),
            expected,
            "{kind} {old} {new}"
        );
    }
}

#[test]
fn schemas_break_as_the_level_says() {
    let with = |schema: &str, level: &str| {
        let text = format!("subject: s\nschemaType: AVRO\ncompatibility: {level}\nschema: '{schema}'\n");
        Document::read(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
    };
    let record = |fields: &str| format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#);
    let (one, two) = (
        record(r#"{"name":"a","type":"int"}"#),
        record(r#"{"name":"a","type":"int"},{"name":"b","type":"int"}"#),
    );
    for (level, old, new, breaks) in [
        ("BACKWARD", &one, &two, true),
        ("BACKWARD", &two, &one, false),
        ("FORWARD", &one, &two, false),
        ("FORWARD", &two, &one, true),
        ("FULL", &one, &two, true),
        ("FULL", &two, &one, true),
        ("NONE", &one, &two, false),
        ("BACKWARD_TRANSITIVE", &one, &two, true),
    ] {
        let (old, new) = (with(old, level), with(new, level));
        let changes = diff(&old, &new, level_of(&old, &new)).expect("they can be compared");
        assert_eq!(is_breaking(&changes), breaks, "{level}: {changes:?}");
        // What does not break is told all the same.
        let finding = changes
            .iter()
            .find(|change| change.change == "READER_FIELD_MISSING_DEFAULT_VALUE")
            .expect("it is found");
        assert!(finding.path.contains("/fields/1"), "{finding:?}");
    }
    let broken = Document {
        schema: "{".to_owned(),
        ..with(&one, "FULL")
    };
    assert!(matches!(
        diff(&with(&one, "FULL"), &broken, Level::Full),
        Err(DiffError::New(_))
    ));
    assert!(matches!(
        diff(&broken, &with(&one, "FULL"), Level::Full),
        Err(DiffError::Old(_))
    ));
}

#[test]
fn what_words_can_decide_is_decided() {
    use Relation::{Looser, Other, Same, Tighter};
    for (old, new, expected) in [
        ("a > 1", "a  >  1", Same),
        ("a > 1", "a > 2", Tighter),
        ("a > 1", "a > -2", Looser),
        ("a < 1", "a < 2", Looser),
        ("1 < a", "2 < a", Tighter),
        ("a >= 1", "a > 1", Tighter),
        ("a > 1", "1 <= a", Looser),
        ("a > 1", "a < 1", Other),
        ("a > 1", "b > 1", Other),
        ("a > 1", "a > 1 && b", Tighter),
        ("a && b", "b", Looser),
        ("a && b", "b && a", Same),
        ("(a && (b))", "a && b", Same),
        ("a && b", "a && c", Other),
        ("a > 1 && b < 5", "a > 2 && b < 4", Tighter),
        ("a > 1 && b < 5", "a > 2 && b < 6", Other),
        ("a || b", "a", Other),
        ("a && b || c", "a || c", Other),
        ("a ? b : c", "a ? b : c && d", Other),
        ("g ; a", "g ; a && b", Tighter),
        ("g ; a", "h ; a", Other),
        ("g ; a", "a", Other),
        ("x.all(y, y > 1)", "x.all(y, y > 2)", Other),
        ("size(a) <= 10u", "size(a) <= 5u", Tighter),
        ("a > 1 == b", "a > 2 == b", Other),
        ("'", "a", Other),
    ] {
        assert_eq!(relation(old, new), expected, "{old} / {new}");
        let back = match expected {
            Tighter => Looser,
            Looser => Tighter,
            other => other,
        };
        assert_eq!(relation(new, old), back, "{new} / {old}");
    }
}
