//! The table of compatibility: every case of `cases/*.toml`, each from a published rule, with all findings that it must have.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;

use serde::Deserialize;
use weir_contract::compatibility::check;
use weir_contract::{Format, Level, Rule, Schema};

#[derive(Deserialize)]
struct Table {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    level: String,
    before: String,
    after: String,
    compatible: bool,
    #[serde(default)]
    findings: Vec<String>,
    source: String,
}

fn table(text: &str) -> Vec<Case> {
    toml::from_str::<Table>(text).unwrap().case
}

fn run(format: Format, text: &str, at_least: usize) {
    let cases = table(text);
    assert!(cases.len() >= at_least, "{} cases", cases.len());
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "names must differ");
    let wrong: Vec<String> = cases.iter().filter_map(|case| wrong(format, case)).collect();
    assert!(
        wrong.is_empty(),
        "{} of {} cases:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

fn wrong(format: Format, case: &Case) -> Option<String> {
    assert!(!case.source.is_empty(), "{}: a case needs a source", case.name);
    assert_eq!(
        case.compatible,
        case.findings.is_empty(),
        "{}: the case contradicts itself",
        case.name
    );
    let level = Level::from_name(&case.level).expect("a level");
    let parse = |text: &str| Schema::parse(format, text, &[]);
    let (before, after) = match (parse(&case.before), parse(&case.after)) {
        (Ok(before), Ok(after)) => (before, after),
        (before, after) => return Some(format!("{}: {:?} {:?}", case.name, before.err(), after.err())),
    };
    let found = check(level, &after, std::slice::from_ref(&before));
    for finding in &found {
        assert!(
            finding.message.ends_with('.') && !finding.message.contains('{'),
            "{}",
            finding.message
        );
    }
    let found: BTreeSet<String> = found
        .iter()
        .map(|one| format!("{} {}", one.rule, one.path))
        .collect();
    let wanted: BTreeSet<String> = case.findings.iter().cloned().collect();
    (found != wanted).then(|| format!("{}: found {found:?}, wanted {wanted:?}", case.name))
}

/// A rule without a case is a rule that nobody has seen to work.
#[test]
fn every_rule_has_a_case() {
    let tables = [
        include_str!("cases/avro.toml"),
        include_str!("cases/json.toml"),
        include_str!("cases/protobuf.toml"),
    ];
    let cases: Vec<Case> = tables.into_iter().flat_map(table).collect();
    let seen: BTreeSet<&str> = cases
        .iter()
        .flat_map(|case| &case.findings)
        .filter_map(|finding| finding.split_once(' ').map(|(rule, _)| rule))
        .collect();
    for rule in Rule::ALL {
        // Between formats, and for want of time: tested beside the tables.
        let is_ours = matches!(rule, Rule::SchemaTypeChanged | Rule::ComparisonTooLarge);
        assert!(is_ours || seen.contains(rule.as_str()), "{rule}");
    }
}

#[test]
fn a_schema_of_another_format_never_follows() {
    let avro = Schema::parse(Format::Avro, "\"string\"", &[]).unwrap();
    let json = Schema::parse(Format::Json, "{}", &[]).unwrap();
    let found = check(Level::Full, &json, &[avro]);
    assert_eq!(
        found.iter().map(|one| one.rule).collect::<Vec<_>>(),
        [Rule::SchemaTypeChanged; 2]
    );
    assert_eq!(
        found[0].message,
        "The new schema is JSON, and the old schema is AVRO."
    );
    assert_eq!(
        found[0].registry_text(),
        "{errorType:\"SCHEMA_TYPE_CHANGED\", description:\"The new schema is JSON, and the old schema is AVRO.\"}"
    );
}

#[test]
fn avro() {
    run(Format::Avro, include_str!("cases/avro.toml"), 150);
}

#[test]
fn json_schema() {
    run(Format::Json, include_str!("cases/json.toml"), 200);
}

#[test]
fn protobuf() {
    run(Format::Protobuf, include_str!("cases/protobuf.toml"), 120);
}
