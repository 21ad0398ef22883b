//! When rules run, in which order, and what follows: the semantics of the field's rule sets, each row with its source.
//!
//! Sources: `Serde` is confluent-kafka-python's `schema_registry/_sync/serde.py` (`_execute_rules`, `_run_action`),
//! which follows `AbstractKafkaSchemaSerDe` of confluentinc/schema-registry; `CelExecutor` is
//! `schema-rules/.../cel/CelExecutor.java`; `Field` is `common/serde.py` (`FieldContext`) and the walks beside it.

use super::*;

const SCHEMA: &str =
    r#"{"type":"object","properties":{"a":{"type":"integer"},"s":{"type":"string"},"b":{"type":"boolean"}}}"#;

fn rule(name: &str, mode: &str, expr: &str, more: &str) -> String {
    let expr = serde_json::to_string(expr).expect("it is text");
    format!(r#"{{"name":"{name}","kind":"CONDITION","mode":"{mode}","type":"CEL","expr":{expr}{more}}}"#)
}

fn names(rules: &[String], more: &str, place: Place) -> Vec<String> {
    let contract = contract(
        Format::Json,
        SCHEMA,
        &format!(r#"{{"domainRules":[{}]{more}}}"#, rules.join(",")),
        "{}",
    );
    let violations = contract.judge_all(&[], br#"{"a":1,"s":"x","b":false}"#, place);
    violations
        .iter()
        .filter_map(|it| it.rule.as_deref())
        .map(ToOwned::to_owned)
        .collect()
}

/// Serde: `_execute_rules` reverses the list for READ, and leaves out what is disabled or of another mode.
#[test]
fn rules_run_in_their_order_when_writing_and_in_the_opposite_one_when_reading() {
    let all = [
        rule("w", "WRITE", "false", ""),
        rule("r", "READ", "false", ""),
        rule("wr", "WRITEREAD", "false", ""),
        rule("off", "WRITEREAD", "false", r#","disabled":true"#),
        rule("last", "WRITEREAD", "false", ""),
    ];
    assert_eq!(names(&all, "", Place::Gateway), ["w", "wr", "last"]);
    assert_eq!(names(&all, "", Place::Client), ["w", "wr", "last"]);
    assert_eq!(names(&all, "", Place::Processor), ["last", "wr", "r"]);
}

/// design/contracts.md: the gateway runs conditions always; `enableAt` says where clients and processors do.
#[test]
fn enable_at_says_where_rules_run() {
    let all = [rule("w", "WRITEREAD", "false", "")];
    for (enable_at, gateway, client, processor) in [
        ("", true, true, true),
        (r#","enableAt":"ALL""#, true, true, true),
        (r#","enableAt":"CLIENT""#, true, true, true),
        (r#","enableAt":"GATEWAY""#, true, false, false),
        (r#","enableAt":"SERVER""#, true, false, true),
        (r#","enableAt":"NONE""#, false, false, false),
    ] {
        let runs = |place| !names(&all, enable_at, place).is_empty();
        let found = (runs(Place::Gateway), runs(Place::Client), runs(Place::Processor));
        assert_eq!(found, (gateway, client, processor), "{enable_at}");
    }
}

#[test]
fn a_transform_for_the_gateway_is_refused_and_elsewhere_left_to_clients() {
    let transform = |at: &str| {
        let rules = format!(
            r#"{{"domainRules":[{{"name":"t","kind":"TRANSFORM","mode":"WRITE","type":"CEL","expr":"message"}}]{at}}}"#
        );
        try_contract(Format::Json, SCHEMA, &rules, "{}")
    };
    let error = transform(r#","enableAt":"GATEWAY""#).expect_err("it is refused");
    assert!(
        error
            .to_string()
            .contains("a TRANSFORM cannot run at the gateway"),
        "{error}"
    );
    let contract = transform("").expect("clients run it");
    assert_eq!(contract.judge(b"{}", Place::Gateway), Verdict::Valid);
}

/// CelExecutor: `evaluateWithGuard`.
#[test]
fn a_guard_that_is_not_true_leaves_the_body_out() {
    for (expr, expected) in [
        ("message.a == 1 ; false", "CONDITION"),
        ("message.a == 2 ; false", "-"),
        ("message.missing == 1 ; false", "-"),
        (" ; false", "CONDITION"),
        ("; true", "-"),
        ("message.a == 1 ; message.missing == 1", "RULE_ERROR"),
        // A guard of unknown type that is no bool is not true: the body is left out.
        ("dyn(message.a) ; false", "-"),
    ] {
        let contract = contract(Format::Json, SCHEMA, &condition("CEL", expr, ""), "{}");
        assert_eq!(
            word(&contract.judge(br#"{"a":1}"#, Place::Gateway)),
            expected,
            "{expr}"
        );
    }
}

/// Serde: `_run_action`, `_get_rule_action_name`; defaults are NONE and ERROR; two actions are for writing and reading.
#[test]
fn what_follows_is_what_the_rule_says() {
    for (mode, expr, more, gateway, processor) in [
        ("WRITEREAD", "false", "", Some(Action::Error), Some(Action::Error)),
        ("WRITEREAD", "true", "", None, None),
        ("WRITEREAD", "false", r#","onFailure":"NONE""#, None, None),
        (
            "WRITEREAD",
            "false",
            r#","onFailure":"DLQ""#,
            Some(Action::Dlq),
            Some(Action::Dlq),
        ),
        (
            "WRITEREAD",
            "false",
            r#","onFailure":"DLQ,NONE""#,
            Some(Action::Dlq),
            None,
        ),
        (
            "WRITEREAD",
            "false",
            r#","onFailure":"NONE,ERROR""#,
            None,
            Some(Action::Error),
        ),
        (
            "WRITEREAD",
            "true",
            r#","onSuccess":"ERROR,NONE""#,
            Some(Action::Error),
            None,
        ),
        ("WRITE", "false", r#","onFailure":"NONE,NONE""#, None, None),
        (
            "WRITE",
            "false",
            r#","onFailure":"page-me""#,
            Some(Action::Custom("page-me".to_owned())),
            None,
        ),
        (
            "WRITEREAD",
            "message.missing == 1",
            "",
            Some(Action::Error),
            Some(Action::Error),
        ),
        (
            "WRITEREAD",
            "message.missing == 1",
            r#","onFailure":"NONE""#,
            None,
            None,
        ),
    ] {
        let set = format!(r#"{{"domainRules":[{}]}}"#, rule("r", mode, expr, more));
        let contract = contract(Format::Json, SCHEMA, &set, "{}");
        let action = |place| {
            contract
                .judge(b"{}", place)
                .violation()
                .map(|it| it.action.clone())
        };
        assert_eq!(
            (action(Place::Gateway), action(Place::Processor)),
            (gateway, processor),
            "{mode} {expr} {more}"
        );
    }
}

/// Serde: no executor for a type is a failure; the mission calls it fail closed.
#[test]
fn a_condition_of_an_unknown_type_fails() {
    let set = |kind: &str, more: &str| {
        format!(
            r#"{{"domainRules":[{{"name":"r","kind":"{kind}","mode":"WRITE","type":"JSONATA","expr":"x"{more}}}]}}"#
        )
    };
    let judge =
        |set: &str| word(&contract(Format::Json, SCHEMA, set, "{}").judge(b"{}", Place::Gateway)).to_owned();
    assert_eq!(judge(&set("CONDITION", "")), "UNKNOWN_RULE_TYPE");
    assert_eq!(judge(&set("CONDITION", r#","onFailure":"NONE""#)), "-");
    assert_eq!(judge(&set("TRANSFORM", "")), "-", "clients run it");
}

/// Serde: `get_executor(rule.type.upper())`.
#[test]
fn the_type_of_a_rule_may_be_written_small() {
    let contract = contract(Format::Json, SCHEMA, &condition("cel", "false", ""), "{}");
    assert_eq!(word(&contract.judge(b"{}", Place::Gateway)), "CONDITION");
}

/// A condition is met by `true` and by nothing else; upstream's Java asks for `false` and lets the rest pass.
#[test]
fn a_condition_that_is_no_bool_fails() {
    let contract = contract(
        Format::Json,
        SCHEMA,
        &condition("CEL", "dyn(message.a)", ""),
        "{}",
    );
    assert_eq!(word(&contract.judge(br#"{"a":1}"#, Place::Gateway)), "RULE_ERROR");
}

const PERSON: &str = r#"{"type":"record","name":"Person","namespace":"n.s","fields":[
    {"name":"ssn","type":"string","confluent:tags":["PII"]},
    {"name":"age","type":["null","int"]},
    {"name":"home","type":{"type":"record","name":"Home","fields":[{"name":"street","type":"string"}]}},
    {"name":"mails","type":{"type":"array","items":"string"}},
    {"name":"kind","type":{"type":"enum","name":"K","symbols":["A"]}}]}"#;

fn person(age: Option<i64>) -> Vec<u8> {
    let age = age.map_or_else(|| long(0), |age| [long(1), long(age)].concat());
    let mails = [long(2), text("a@x.org"), text("b@x.org"), long(0)].concat();
    [text("123"), age, text("Main"), mails, long(0)].concat()
}

/// Field: names, types and tags; `common/avro.py`, `transform`.
#[test]
fn field_rules_see_each_field_with_its_names_type_and_tags() {
    let metadata = r#"{"tags":{"**.street":["PRIVATE"],"n.s.Person.mails":["PII"],"n.s.Person.ag?":["X"]}}"#;
    for (expr, tags, expected, path) in [
        (
            "value != '123'",
            r#","tags":["PII"]"#,
            "CONDITION",
            "n.s.Person.ssn",
        ),
        ("typeName == 'STRING'", r#","tags":["PII","PRIVATE"]"#, "-", ""),
        (
            "value != 'Main'",
            r#","tags":["PRIVATE"]"#,
            "CONDITION",
            "n.s.Home.street",
        ),
        ("name != 'street' || fullName == 'n.s.Home.street'", "", "-", ""),
        (
            "value == 42 && typeName == 'INT' && tags == ['X']",
            r#","tags":["X"]"#,
            "-",
            "",
        ),
        (
            "value != 'b@x.org'",
            r#","tags":["PII"]"#,
            "CONDITION",
            "n.s.Person.mails",
        ),
        (
            "'PII' in tags ; value.isEmail()",
            "",
            "CONDITION",
            "n.s.Person.ssn",
        ),
        ("name == 'street' ; message.street == value", "", "-", ""),
        ("name == 'ssn' ; message.home.street == 'Main'", "", "-", ""),
        ("name != 'kind'", "", "-", ""),
        ("false", r#","tags":["NOBODY"]"#, "-", ""),
        ("value == null", r#","tags":["X"]"#, "CONDITION", "n.s.Person.age"),
        (
            "value.nope == 1",
            r#","tags":["X"]"#,
            "RULE_ERROR",
            "n.s.Person.age",
        ),
    ] {
        let contract = contract(
            Format::Avro,
            PERSON,
            &condition("CEL_FIELD", expr, tags),
            metadata,
        );
        let verdict = contract.judge(&person(Some(42)), Place::Gateway);
        assert_eq!(word(&verdict), expected, "{expr}");
        assert_eq!(verdict.violation().map_or("", |it| &it.path), path, "{expr}");
    }
    // The null of a union reaches the rule (confluent-kafka-python 2.16: "A `None` *value* is the null branch").
    let contract = contract(
        Format::Avro,
        PERSON,
        &condition(
            "CEL_FIELD",
            "value == null && typeName == 'NULL'",
            r#","tags":["X"]"#,
        ),
        metadata,
    );
    assert_eq!(contract.judge(&person(None), Place::Gateway), Verdict::Valid);
}

/// Field: `common/json_schema.py`, `transform`.
#[test]
fn field_rules_of_json_follow_the_schema() {
    let schema = r##"{"type":"object","properties":{
        "ssn":{"type":"string","confluent:tags":["PII"]},"n":{"type":["integer","null"]},"d":{"type":"number"},"k":{"enum":["A"]},
        "home":{"$ref":"#/definitions/home"},"list":{"type":"array","items":{"$ref":"#/definitions/home"}},
        "pay":{"oneOf":[{"type":"object","required":["card"],"properties":{"card":{"type":"string","confluent:tags":["PII"]}}},
                        {"type":"object","required":["iban"],"properties":{"iban":{"type":"string"}}}]}},
        "definitions":{"home":{"type":"object","properties":{"street":{"type":"string"}}}}}"##;
    let metadata = r#"{"tags":{"$.home.street":["HOME"],"$.list.*":["LIST"]}}"#;
    let record = br#"{"ssn":"1","n":null,"d":1.5,"k":"A","home":{"street":"Main"},"list":[{"street":"x"},{"street":"y"}],"pay":{"card":"4"},"other":"?"}"#;
    for (expr, tags, expected, path) in [
        ("value == '1'", r#","tags":["PII"]"#, "CONDITION", "$.pay.card"),
        ("value != 'Main'", "", "CONDITION", "$.home.street"),
        (
            "value == 'Main' && typeName == 'STRING'",
            r#","tags":["HOME"]"#,
            "-",
            "",
        ),
        (
            "value != 'y'",
            r#","tags":["LIST"]"#,
            "CONDITION",
            "$.list.street",
        ),
        ("typeName == 'DOUBLE' || name != 'd'", "", "-", ""),
        (
            "name != 'n' && name != 'k' && name != 'other' && name != 'iban'",
            "",
            "-",
            "",
        ),
        (
            "fullName == '$.home.street' ; message.street == value",
            "",
            "-",
            "",
        ),
    ] {
        let contract = contract(
            Format::Json,
            schema,
            &condition("CEL_FIELD", expr, tags),
            metadata,
        );
        let verdict = contract.judge(record, Place::Gateway);
        assert_eq!(word(&verdict), expected, "{expr}");
        assert_eq!(verdict.violation().map_or("", |it| &it.path), path, "{expr}");
    }
}

/// Field: `common/protobuf.py`, `transform`: unset fields with presence are passed by, others have their default.
#[test]
fn field_rules_of_protobuf_follow_the_message() {
    let metadata = r#"{"tags":{"shop.Payment.currency":["T"],"shop.Payment.Item.name":["ITEM"],"shop.Payment.counts":["MAP"],"shop.Payment.note":["NOTE"]}}"#;
    let payment = [
        vec![8, 5],
        super::field(4, &super::field(1, b"pen")),
        super::field(5, &[super::field(1, b"a"), vec![16, 3]].concat()),
    ]
    .concat();
    for (expr, tags, expected, path) in [
        ("value == ''", r#","tags":["T"]"#, "-", ""),
        (
            "value == 'pen' && typeName == 'STRING' && name == 'name'",
            r#","tags":["ITEM"]"#,
            "-",
            "",
        ),
        (
            "value > 3",
            r#","tags":["MAP"]"#,
            "CONDITION",
            "shop.Payment.counts",
        ),
        ("false", r#","tags":["NOTE"]"#, "-", ""),
        (
            "fullName != 'shop.Payment.amount' || (typeName == 'LONG' && value == 5)",
            "",
            "-",
            "",
        ),
        (
            "typeName != 'ENUM' && name != 'paid_at' && name != 'card'",
            "",
            "-",
            "",
        ),
    ] {
        let contract = contract(
            Format::Protobuf,
            super::PROTO,
            &condition("CEL_FIELD", expr, tags),
            metadata,
        );
        let verdict = contract.judge(&payment, Place::Gateway);
        assert_eq!(word(&verdict), expected, "{expr}");
        assert_eq!(verdict.violation().map_or("", |it| &it.path), path, "{expr}");
    }
}
