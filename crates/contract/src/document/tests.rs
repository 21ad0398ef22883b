//! Documents, read and written.

use super::*;
use crate::verdict::{JudgeLimits, Place};

const PAYMENT: &str = r#"
subject: payments-value
version: 3
owner: team-cards
lifecycle: STABLE
classification: CONFIDENTIAL
compatibility: FULL
enforcement: REJECT
schemaType: JSON
schema: |
  {"type": "object", "required": ["amount"],
   "properties": {"amount": {"type": "number"}, "card": {"type": "string"}}}
metadata:
  tags:
    "**.card": [PII]
ruleSet:
  domainRules:
    - name: positive
      kind: CONDITION
      mode: WRITE
      type: CEL
      expr: message.amount > 0.0
serviceLevels:
  - {name: freshness, value: 5, unit: m}
  - {name: completeness, value: 99.5, unit: percent}
"#;

#[test]
fn a_document_is_read_judged_with_and_written_as_it_was() {
    let document = Document::read(PAYMENT).expect("it can be read");
    assert_eq!(document.classification, Some(Classification::Confidential));
    assert_eq!(document.service_levels.len(), 2);
    let contract = document
        .compile(JudgeLimits::DEFAULT)
        .expect("it can be compiled");
    assert!(contract.judge(br#"{"amount": 1.5}"#, Place::Gateway).is_valid());
    let verdict = contract.judge(br#"{"amount": -1.5}"#, Place::Gateway);
    assert_eq!(
        verdict.violation().and_then(|it| it.rule.as_deref()),
        Some("positive")
    );
    let written = document.to_yaml().expect("it can be written");
    assert_eq!(
        Document::read(&written).expect("it can be read"),
        document,
        "{written}"
    );
    let json = serde_json::to_string_pretty(&document).expect("it can be written");
    assert_eq!(Document::read(&json).expect("it can be read"), document, "{json}");
}

#[test]
fn faults_have_their_place() {
    for (text, line, word) in [
        ("subject: a\nschema: '\"int\"'\nowners: me\n", 3, "owners"),
        ("subject: a\nschema: '\"int\"'\nschemaType: XML\n", 3, "XML"),
        ("subject: a\nschema: '\"int\"'\n  oops: [\n", 3, ""),
        ("subject: a\nschema: '\"int\"'\nsubject: b\n", 3, "subject"),
        ("subject: ' '\nschema: '\"int\"'\n", 1, "empty"),
        ("subject: a\nversion: 0\nschema: '\"int\"'\n", 2, "begin at 1"),
        (
            "subject: a\nschema: '\"int\"'\nserviceLevels:\n - {name: completeness, value: 101, unit: '%'}\n",
            3,
            "between 0 and 100",
        ),
        (
            "subject: a\nschema: '\"int\"'\nserviceLevels:\n - {name: x, value: 1}\n - {name: x, value: 2}\n",
            3,
            "twice",
        ),
        (
            "subject: a\nschema: '\"int\"'\nruleSet:\n  domainRules:\n    - {name: a, type: CEL, onFailur: NONE}\n",
            5,
            "ruleSet.domainRules[0] has no `onFailur`",
        ),
        (
            "subject: a\nschema: '\"int\"'\nmetadata: {tag: {}}\n",
            3,
            "metadata has no `tag`",
        ),
        ("{\"subject\": \"a\",\n \"schema\": 1}", 2, "string"),
        ("{\"subject\": \"a\",\n \"schema\" 1}", 2, "expected `:`"),
    ] {
        let error = Document::read(text).expect_err(text);
        assert_eq!(error.position.map(|it| it.line), Some(line), "{text}: {error}");
        assert!(error.message.contains(word), "{text}: {error}");
    }
    assert!(Document::read("").is_err());
    assert!(Document::read("subject: a\n").is_err());
}

#[test]
fn a_document_is_bounded() {
    let many = |from: &str, count: usize, to: &str| format!("{}{}", from.repeat(count), to.repeat(count));
    let deep = many("[", 100_000, "]");
    // Ten levels, each ten times the one below.
    let mut bomb = "a0: &a0 x\n".to_owned();
    for level in 1..12 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    let repeated = format!(
        "a: &a [{}]\nb: [{}]\n",
        vec!["x"; 40_000].join(", "),
        vec!["*a"; 900].join(", ")
    );
    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(1 << 20),
        vec!["*a"; 900].join(", ")
    );
    for (what, text) in [
        ("depth", deep),
        ("a long text repeated", long),
        ("repetitions", bomb),
        ("a long repetition", repeated),
        ("length", format!("subject: {}", "x".repeat(DOCUMENT_BYTES_MAX))),
        ("documents", "a: 1\n---\na: 2\n".to_owned()),
    ] {
        let began = std::time::Instant::now();
        assert!(read_value(&text).is_err(), "{what}");
        assert!(began.elapsed().as_secs() < 20, "{what}: {:?}", began.elapsed());
    }
}

#[test]
fn references_and_files_want_their_texts() {
    let document = |more: &str| {
        let text = format!("subject: a\n{more}");
        Document::read(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
    };
    let unresolved = document("schema: 'file: a.avsc'\n");
    assert_eq!(file_of(&unresolved.schema), Some(" a.avsc"));
    assert_eq!(
        unresolved.parsed_schema().map(|_| ()),
        Err(DocumentCompileError::Unresolved("a.avsc".to_owned()))
    );
    let schema = r#"'{"type": "record", "name": "R", "fields": [{"name": "e", "type": "x.E"}]}'"#;
    let without = document(&format!("schema: {schema}\nreferences: [{{name: x.E}}]\n"));
    assert_eq!(
        without.parsed_schema().map(|_| ()),
        Err(DocumentCompileError::NoText("x.E".to_owned()))
    );
    let text = r#"'{"type": "enum", "name": "x.E", "symbols": ["A"]}'"#;
    let with = document(&format!(
        "schema: {schema}\nreferences:\n - name: x.E\n   subject: e\n   version: 1\n   schema: {text}\n"
    ));
    assert!(with.parsed_schema().is_ok());
}
