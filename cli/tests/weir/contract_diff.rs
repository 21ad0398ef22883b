//! `weir contract diff`.

use serde_json::Value;

use crate::Desk;

const OLD: &str = r#"subject: payments-value
schema: '{"type": "record", "name": "P", "fields": [{"name": "amount", "type": "double"}]}'
serviceLevels: [{name: freshness, value: 5, unit: m}]
"#;
const NEW: &str = r#"subject: payments-value
schema: '{"type": "record", "name": "P", "fields": [{"name": "amount", "type": "double"}, {"name": "card", "type": "string"}]}'
serviceLevels: [{name: freshness, value: 10, unit: m}]
ruleSet:
  domainRules: [{name: positive, kind: CONDITION, mode: WRITE, type: CEL, expr: message.amount > 0.0}]
"#;

fn desk() -> Desk {
    Desk::new(&[("old.yaml", OLD), ("new.yaml", NEW)])
}

#[test]
fn breaking_changes_are_named_with_whom_they_break() {
    let desk = desk();
    let out = desk.weir(&["contract", "diff", "old.yaml", "new.yaml"]).ended(1);
    let lines: Vec<&str> = out.lines().collect();
    assert!(
        lines[0].starts_with("BREAKING all       SCHEMA READER_FIELD_MISSING_DEFAULT_VALUE /fields/1: "),
        "{out}"
    );
    let rule = "BREAKING producers RULES CONDITION_ADDED domainRules.positive: Rule positive is new";
    assert!(lines[1].starts_with(rule), "{out}");
    let level =
        "BREAKING consumers SERVICE_LEVELS SERVICE_LEVEL_LOWERED freshness: freshness was 5 m and is 10 m";
    assert!(lines[2].starts_with(level), "{out}");
    assert!(
        lines[3].starts_with("SAFE     consumers SCHEMA READ_BY_OLD_SCHEMA"),
        "{out}"
    );
    assert_eq!(lines[4], "3 breaking, 1 safe, 0 to know; by level BACKWARD");
    let same = desk.weir(&["contract", "diff", "new.yaml", "new.yaml"]).ended(0);
    assert_eq!(same, "0 breaking, 0 safe, 0 to know; by level BACKWARD\n");
}

#[test]
fn the_level_can_be_chosen_and_programs_read_json() {
    let desk = desk();
    let args = [
        "contract", "diff", "old.yaml", "new.yaml", "--output", "json", "--level",
    ];
    for (level, severity) in [
        ("forward", "INFO"),
        ("FULL_TRANSITIVE", "BREAKING"),
        ("NONE", "INFO"),
    ] {
        let out = desk.weir(&[&args[..], &[level]].concat()).ended(1);
        let lines: Vec<Value> = out
            .lines()
            .map(|line| serde_json::from_str(line).expect("it is JSON"))
            .collect();
        let schema = lines
            .iter()
            .find(|line| line["change"] == "READER_FIELD_MISSING_DEFAULT_VALUE");
        assert_eq!(schema.expect("it is told")["severity"], severity, "{level}");
        let summary = &lines.last().expect("there is one")["summary"];
        assert_eq!(summary["level"].as_str(), Some(level.to_uppercase().as_str()));
    }
    desk.weir(&[&args[..], &["SIDEWAYS"]].concat()).ended(2);
}

#[test]
fn a_file_that_is_wrong_is_named() {
    let desk = desk();
    desk.put("bad.yaml", b"subject: a\nschema: '{'\n");
    let err = desk.weir(&["contract", "diff", "old.yaml", "bad.yaml"]).ended(2);
    assert!(err.contains("bad.yaml: the new contract: schema: "), "{err}");
    let err = desk
        .weir(&["contract", "diff", "old.yaml", "nowhere.yaml"])
        .ended(2);
    assert!(err.contains("nowhere.yaml"), "{err}");
}
