//! Requests as the console makes them.

use serde_json::{Value, json};

use crate::answer;

fn asked(request: &Value) -> Value {
    serde_json::from_slice(&answer(request.to_string().as_bytes())).unwrap()
}

fn payment(amount: &Value) -> Value {
    json!({
        "schemaType": "AVRO",
        "schema": json!({"type": "record", "name": "Payment", "namespace": "shop", "fields": [
            {"name": "id", "type": "string", "doc": "The payment's own number."},
            {"name": "amount", "type": amount},
        ]}).to_string(),
        "metadata": {"tags": {"shop.Payment.id": ["PII"]}, "properties": {"lifecycle": "STABLE"}},
        "ruleSet": {"domainRules": [{"name": "positive", "kind": "CONDITION", "mode": "WRITE", "type": "CEL",
            "expr": "message.amount > 0"}]},
    })
}

#[test]
fn a_sound_draft_has_its_fields_with_tags() {
    let told = asked(&json!({"inspect": payment(&json!("int"))}));
    assert_eq!(told["ok"]["ok"], true, "{told}");
    assert_eq!(told["ok"]["problems"], json!([]));
    let id = json!({"path": "shop.Payment.id", "name": "id", "depth": 0, "type": "string", "required": true,
        "doc": "The payment's own number.", "tags": ["PII"]});
    assert_eq!(told["ok"]["columns"][0], id);
    assert_eq!(told["ok"]["columns"][1]["path"], "shop.Payment.amount");
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let mut draft = payment(&json!("int"));
    draft["ruleSet"]["domainRules"][0]["expr"] = json!("message.amount > ");
    let told = asked(&json!({"inspect": draft}));
    assert_eq!(told["ok"]["ok"], false);
    let problem = &told["ok"]["problems"][0];
    assert_eq!(
        (&problem["source"], &problem["path"]),
        (&json!("RULE_SET"), &json!("domainRules/positive"))
    );
    assert_eq!(problem["line"], 1, "{problem}");
    assert_eq!(
        told["ok"]["columns"].as_array().map(Vec::len),
        Some(2),
        "fields are there all the same"
    );

    draft["schema"] = json!("{\"type\": \"record\",\n \"name\": }");
    let told = asked(&json!({"inspect": draft}));
    let problem = &told["ok"]["problems"][0];
    assert_eq!(
        (&problem["source"], &problem["line"]),
        (&json!("SCHEMA"), &json!(2)),
        "{told}"
    );
}

#[test]
fn records_are_judged_one_by_one() {
    let records = [
        "{\"id\": \"a\", \"amount\": 7}",
        "{\"id\": \"b\", \"amount\": -5}",
        "{",
    ];
    let told = asked(&json!({"judge": {"draft": payment(&json!("int")), "records": records}}));
    let judged = told["ok"].as_array().unwrap();
    assert_eq!(judged[0], json!({"record": 0, "valid": true, "violations": []}));
    assert_eq!(
        (&judged[1]["valid"], &judged[1]["violations"][0]["rule"]),
        (&json!(false), &json!("positive"))
    );
    assert_eq!(judged[1]["violations"][0]["kind"], "CONDITION");
    assert_eq!(judged[2]["violations"][0]["kind"], "NOT_DECODABLE");
}

#[test]
fn a_draft_that_is_not_sound_judges_nothing() {
    let told = asked(&json!({"judge": {"draft": {"schema": "{}"}, "records": ["{}"]}}));
    assert_eq!(told["problems"][0]["source"], "SCHEMA", "{told}");
}

#[test]
fn a_new_version_is_compared_by_level_and_in_all_that_it_promises() {
    let (before, mut after) = (payment(&json!("int")), payment(&json!("string")));
    after["metadata"]["properties"]["lifecycle"] = json!("RETIRED");
    let told = asked(&json!({"compare": {"before": before, "after": after, "level": "BACKWARD"}}));
    let told = &told["ok"];
    assert_eq!(told["compatible"], false, "{told}");
    assert_eq!(told["findings"][0]["rule"], "TYPE_MISMATCH");
    let parts: Vec<_> = told["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["part"].as_str().unwrap(), it["breaking"].as_bool().unwrap()))
        .collect();
    assert!(parts.contains(&("SCHEMA", true)), "{parts:?}");
    assert!(
        parts.iter().any(|(part, _breaking)| *part == "LIFECYCLE"),
        "{parts:?}"
    );
    let same = asked(&json!({"compare": {"before": before, "after": before, "level": "FULL"}}));
    assert_eq!(
        same["ok"],
        json!({"compatible": true, "findings": [], "changes": []})
    );
}

#[test]
fn a_question_of_another_version_is_said_to_be_one() {
    let told = asked(&json!({"invent": {}}));
    assert!(told["unread"].as_str().unwrap().contains("invent"), "{told}");
}
