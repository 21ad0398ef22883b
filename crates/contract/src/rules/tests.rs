//! Rule sets by table: their form, what is lawful, what compiles.

use super::*;
use crate::schema::{Format, Schema};

const PAYMENT: &str = r#"{"type":"record","name":"Payment","namespace":"shop","fields":[
    {"name":"amount","type":"long"},
    {"name":"currency","type":"string"},
    {"name":"note","type":["null","string"],"default":null}]}"#;

fn set(json: &str) -> RuleSet {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn problems(json: &str) -> Vec<String> {
    let schema = Schema::parse(Format::Avro, PAYMENT, &[]).expect("the schema is sound");
    match compile(&set(json), &schema, &Metadata::default()) {
        Ok(()) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

/// What upstream's Jackson writes for the same objects: NON_EMPTY, fields in the order of `Rule`'s and `RuleSet`'s
/// getters, enums by name, sorted tags and params, `disabled` always.
#[test]
fn a_rule_set_keeps_its_form() {
    let full = concat!(
        r#"{"migrationRules":[{"name":"up","kind":"TRANSFORM","mode":"UPDOWN","type":"JSONATA","expr":"$","disabled":false}],"#,
        r#""domainRules":[{"name":"positive","doc":"An amount is positive.","kind":"CONDITION","mode":"WRITE","type":"CEL","#,
        r#""tags":["A","PII"],"params":{"a":"1","b":"2"},"expr":"message.amount > 0","onSuccess":"NONE","onFailure":"DLQ","disabled":true}],"#,
        r#""encodingRules":[{"name":"enc","kind":"TRANSFORM","mode":"WRITEREAD","type":"ENCRYPT_PAYLOAD","disabled":false}],"#,
        r#""enableAt":"CLIENT"}"#,
    );
    assert_eq!(serde_json::to_string(&set(full)).expect("it is written"), full);
    assert_eq!(
        serde_json::to_string(&RuleSet::default()).expect("it is written"),
        "{}"
    );
}

/// `Rule`'s and `RuleSet`'s constructors upstream, and `@JsonIgnoreProperties(ignoreUnknown = true)`.
#[test]
fn what_is_missing_or_unknown_is_read_as_upstream_does() {
    let read = set(
        r#"{"domainRules":[{"name":"r","type":"CEL","tags":null,"params":null,"new":1}],"migrationRules":null,"later":{}}"#,
    );
    let rule = &read.domain_rules[0];
    assert_eq!(
        (rule.kind, rule.mode, rule.disabled),
        (RuleKind::Transform, RuleMode::WriteRead, false)
    );
    assert!(read.migration_rules.is_empty() && rule.tags.is_empty() && rule.expr.is_none());
    assert!(serde_json::from_str::<RuleSet>(r#"{"domainRules":[{"kind":"MAYBE"}]}"#).is_err());
    assert!(serde_json::from_str::<RuleSet>(r#"{"enableAt":"MOON"}"#).is_err());
}

#[test]
fn actions_written_twice_mean_the_same() {
    let with = |actions: &str| {
        set(&format!(
            r#"{{"domainRules":[{{"name":"r","type":"CEL"{actions}}}]}}"#
        ))
    };
    let plain = with("");
    for same in [
        r#","onSuccess":"NONE,NONE","onFailure":"ERROR,ERROR""#,
        r#","onSuccess":"NONE","onFailure":"ERROR""#,
        r#","onSuccess":"","onFailure":"""#,
        r#","onFailure":"ERROR, ERROR""#,
    ] {
        assert!(plain.means_the_same(&with(same)), "{same}");
    }
    for other in [
        r#","onFailure":"DLQ""#,
        r#","onFailure":"ERROR,DLQ""#,
        r#","onSuccess":"ERROR,ERROR""#,
        r#","disabled":true"#,
    ] {
        assert!(!plain.means_the_same(&with(other)), "{other}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn unlawful_rule_sets_are_refused_with_rule_and_place() {
    for (json, expected) in [
        // RuleSet.validate upstream.
        (
            r#"{"domainRules":[{"type":"ENCRYPT"}]}"#,
            r#"rule "" of domainRules: the name is missing"#,
        ),
        (
            r#"{"domainRules":[{"name":"1a","type":"ENCRYPT"}]}"#,
            r#"rule "1a" of domainRules: a name begins with a letter or _"#,
        ),
        (
            r#"{"domainRules":[{"name":"a b","type":"ENCRYPT"}]}"#,
            r#"rule "a b" of domainRules: a name has letters, digits, _ and - only"#,
        ),
        (r#"{"domainRules":[{"name":"a"}]}"#, "the type is missing"),
        (
            r#"{"domainRules":[{"name":"a","type":"X"},{"name":"a","type":"X"}]}"#,
            "another rule has this name",
        ),
        (
            r#"{"domainRules":[{"name":"a","type":"X"}],"migrationRules":[{"name":"a","type":"X","mode":"UPGRADE"}]}"#,
            "another rule has this name",
        ),
        (
            r#"{"domainRules":[{"name":"a","type":"X","mode":"UPGRADE"}]}"#,
            "a rule of this list is WRITE, READ or WRITEREAD",
        ),
        (
            r#"{"encodingRules":[{"name":"a","type":"X","mode":"UPDOWN"}]}"#,
            "a rule of this list is WRITE, READ or WRITEREAD",
        ),
        (
            r#"{"migrationRules":[{"name":"a","type":"X","mode":"WRITE"}]}"#,
            "a migration rule is UPGRADE, DOWNGRADE or UPDOWN",
        ),
        // Our own.
        (
            r#"{"domainRules":[{"name":"a","type":"X","mode":"WRITE","onFailure":"DLQ,NONE"}]}"#,
            "onFailure names two actions, and the mode has one",
        ),
        (
            r#"{"domainRules":[{"name":"a","type":"X","onFailure":"DLQ,"}]}"#,
            "onFailure is one action, or two parted by a comma",
        ),
        (
            r#"{"domainRules":[{"name":"a","type":"CEL"}]}"#,
            "the expression is missing",
        ),
        (
            r#"{"domainRules":[{"name":"a","type":"CEL","kind":"CONDITION","expr":"message.amuont > 0"}]}"#,
            r#"rule "a" of domainRules, line 1, column 9: the record shop.Payment has no field `amuont`; it has amount, currency, note"#,
        ),
        (
            r#"{"domainRules":[{"name":"a","type":"CEL","kind":"CONDITION","expr":"message.amount > 0 ;\n message.nope == 1"}]}"#,
            r#"rule "a" of domainRules, line 2, column 10: the record shop.Payment has no field `nope`"#,
        ),
        (
            r#"{"domainRules":[{"name":"a","type":"CEL","kind":"CONDITION","expr":"message.amount"}]}"#,
            "column 9: a CONDITION must be a bool, and this is an int",
        ),
        (
            r#"{"domainRules":[{"name":"a","type":"CEL","kind":"CONDITION","expr":"message.amount ; true"}]}"#,
            "the guard before `;` must be a bool, and this is an int",
        ),
        (
            r#"{"domainRules":[{"name":"a","type":"CEL","kind":"TRANSFORM","expr":"message.amount"}]}"#,
            "a record is transformed into a map, and this is an int",
        ),
        (
            r#"{"domainRules":[{"name":"a","type":"CEL_FIELD","kind":"TRANSFORM","expr":"[value]"}]}"#,
            "a field is transformed into a single value, and this is a list",
        ),
        (
            r#"{"domainRules":[{"name":"a","type":"CEL","kind":"CONDITION","expr":"value > 0"}]}"#,
            "`value` is not known here; a rule of this type sees message",
        ),
        (
            r#"{"domainRules":[{"name":"a","type":"CEL","kind":"CONDITION","expr":"message.note > 1"}]}"#,
            "orders two values of one type",
        ),
        // Disabled rules and those of other lists are read as well.
        (
            r#"{"domainRules":[{"name":"a","type":"CEL","kind":"CONDITION","expr":"(","disabled":true}]}"#,
            "column 2: a value is expected here",
        ),
        (
            r#"{"migrationRules":[{"name":"a","type":"CEL","mode":"UPGRADE","expr":"message.old +"}]}"#,
            "rule \"a\" of migrationRules, line 1, column 14",
        ),
    ] {
        let found = problems(json);
        assert!(
            found.iter().any(|problem| problem.contains(expected)),
            "{json}: {found:?}"
        );
    }
}

#[test]
fn lawful_rule_sets_compile() {
    for json in [
        "{}",
        r#"{"domainRules":[{"name":"a","type":"CEL","kind":"CONDITION","expr":"message.note == null || message.note.size() > 3"}]}"#,
        r#"{"domainRules":[{"name":"a","type":"CEL","kind":"CONDITION","expr":" ; message.amount > 0"}]}"#,
        r#"{"domainRules":[{"name":"a","type":"CEL","expr":"message"},{"name":"b-c_2","type":"CEL","expr":"{'amount': 1, 'currency': 'EUR', 'note': null}"}]}"#,
        r#"{"domainRules":[{"name":"a","type":"CEL_FIELD","kind":"CONDITION","expr":"typeName == 'STRING' && 'PII' in tags ; size(value) < 100"}]}"#,
        r#"{"domainRules":[{"name":"a","type":"CEL_FIELD","expr":"value + name + fullName + message.x"}]}"#,
        r#"{"domainRules":[{"name":"a","type":"CEL","kind":"CONDITION","params":{"cel.ignore.guard.separator":"true"},"expr":"message.currency != ';'"}]}"#,
        r#"{"migrationRules":[{"name":"a","type":"CEL","mode":"UPDOWN","expr":"{'amount': message.old}","onFailure":"ERROR,NONE"}]}"#,
        r#"{"domainRules":[{"name":"a","type":"ENCRYPT","tags":["PII"],"params":{"encrypt.kek.name":"k"},"onFailure":"ERROR,NONE"}]}"#,
    ] {
        assert_eq!(problems(json), Vec::<String>::new(), "{json}");
    }
}

#[test]
fn rule_sets_are_bounded() {
    let many: Vec<String> = (0..=RULES_MAX)
        .map(|index| format!(r#"{{"name":"r{index}","type":"X"}}"#))
        .collect();
    let found = problems(&format!(r#"{{"domainRules":[{}]}}"#, many.join(",")));
    assert!(
        found
            .iter()
            .any(|problem| problem.contains("there are more than 200 rules")),
        "{found:?}"
    );
    let long = "x".repeat(70_000);
    for field in ["doc", "expr"] {
        let found = problems(&format!(
            r#"{{"domainRules":[{{"name":"r","type":"X","{field}":"{long}"}}]}}"#
        ));
        assert!(
            found.iter().any(|problem| problem.contains("is longer than")),
            "{found:?}"
        );
    }
}

#[test]
fn types_of_json_schemas_say_what_holds_for_every_record() {
    let schema = |text: &str| Schema::parse(Format::Json, text, &[]).expect("the schema is sound");
    let refused = |text: &str, expr: &str| {
        let rules = RuleSet {
            domain_rules: vec![Rule {
                name: "r".to_owned(),
                rule_type: "CEL".to_owned(),
                kind: RuleKind::Condition,
                expr: Some(expr.to_owned()),
                ..Rule::default()
            }],
            ..RuleSet::default()
        };
        compile(&rules, &schema(text), &Metadata::default()).is_err()
    };
    let closed = r##"{"type":"object","additionalProperties":false,"properties":{
        "n":{"type":"integer"},"s":{"type":["string","null"]},"e":{"enum":["a","b"]},"l":{"type":"array","items":{"$ref":"#/$defs/i"}},
        "me":{"$ref":"#"}},"$defs":{"i":{"type":"object","properties":{"q":{"type":"number"}}}}}"##;
    for (expr, wrong) in [
        ("message.n > 0", false),
        ("message.n > 'a'", true),
        ("message.n * 2.0 > 1 && message.n + 1 > 1", false),
        ("message.nope == 1", true),
        ("message.s == null || message.s.size() > 1", false),
        ("message.s > 1", true),
        ("message.e == 'c'", false),
        ("message.e == 1", true),
        ("message.l.all(i, i.q > 0 && i.other == 1)", false),
        ("message.l.all(i, i.q == 'a')", true),
        ("message.me.me.me.n == 1", false),
        ("message.me.me.me.nope == 1", true),
    ] {
        assert_eq!(refused(closed, expr), wrong, "{expr}");
    }
    for open in [
        r#"{"type":"object","properties":{"n":{"type":"integer"}}}"#,
        r#"{"type":"object","additionalProperties":false,"patternProperties":{"^x":{}},"properties":{"n":{}}}"#,
        r#"{"type":"object","allOf":[{"properties":{"nope":{}}}],"additionalProperties":false,"properties":{"n":{}}}"#,
        r##"{"type":"array","items":{"$ref":"#"}}"##,
        "true",
        "{}",
    ] {
        let expr = if open.contains("array") {
            "message.all(i, i.all(j, size(j) == 0))"
        } else {
            "message.nope == 1"
        };
        assert!(!refused(open, expr), "{open}");
    }
}
