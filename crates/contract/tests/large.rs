//! Schemas whose parts refer to each other in many ways, or one after the other: compared in bounded time and on a bounded stack.

use std::time::{Duration, Instant};

use weir_contract::compatibility::check;
use weir_contract::{Format, Level, Rule, Schema};

/// Far more than any of these needs, on a machine that does other things too.
const SOON: Duration = Duration::from_secs(20);

#[test]
fn definitions_that_all_refer_to_each_other_are_compared_in_bounded_time() {
    let count = 60;
    let schema = |word: &str| {
        let definitions: serde_json::Map<String, serde_json::Value> = (0..count)
            .map(|n| {
                let parts: Vec<_> = (0..count)
                    .map(
                        |m| serde_json::json!({"properties": {"x": {"$ref": format!("#/definitions/d{m}")}}}),
                    )
                    .collect();
                (
                    format!("d{n}"),
                    serde_json::json!({"anyOf": parts, "title": format!("{word}{n}")}),
                )
            })
            .collect();
        serde_json::json!({"definitions": definitions, "$ref": "#/definitions/d0"}).to_string()
    };
    let (old, new) = (
        Schema::parse(Format::Json, &schema("a"), &[]),
        Schema::parse(Format::Json, &schema("b"), &[]),
    );
    let began = Instant::now();
    let found = check(Level::Full, &new.unwrap(), &[old.unwrap()]);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    assert!(
        found.iter().all(|one| one.rule == Rule::ComparisonTooLarge),
        "{found:?}"
    );
}

#[test]
fn a_long_chain_of_types_does_not_break_the_stack() {
    let chain = |last: &str| {
        let mut records = vec![format!(
            "{{\"type\":\"record\",\"name\":\"R0\",\"fields\":[{{\"name\":\"x\",\"type\":\"{last}\"}}]}}"
        )];
        for n in 1..5_000 {
            let before = n - 1;
            records.push(format!("{{\"type\":\"record\",\"name\":\"R{n}\",\"fields\":[{{\"name\":\"x\",\"type\":\"R{before}\"}}]}}"));
        }
        records.reverse();
        records
    };
    // Declared innermost first, read outermost first: the deepest way through.
    let text = |last: &str| {
        let mut records = chain(last);
        records.reverse();
        records.insert(0, String::new());
        let inner = records.split_off(1).join(",");
        format!(
            "{{\"type\":\"record\",\"name\":\"Root\",\"fields\":[{{\"name\":\"u\",\"type\":[{inner}]}}]}}"
        )
    };
    let (old, new) = (
        Schema::parse(Format::Avro, &text("long"), &[]).unwrap(),
        Schema::parse(Format::Avro, &text("int"), &[]).unwrap(),
    );
    assert!(!check(Level::Backward, &new, &[old]).is_empty());
}

#[test]
fn a_long_chain_of_definitions_does_not_break_the_stack() {
    let schema = |last: &str| {
        let definitions: Vec<String> = (0..3_000)
            .map(|n| {
                let next = n + 1;
                format!("\"d{n}\":{{\"properties\":{{\"x\":{{\"$ref\":\"#/definitions/d{next}\"}}}}}}")
            })
            .chain([format!("\"d3000\":{{\"type\":\"{last}\"}}")])
            .collect();
        format!(
            "{{\"definitions\":{{{}}},\"$ref\":\"#/definitions/d0\"}}",
            definitions.join(",")
        )
    };
    let [old, new] =
        ["number", "integer"].map(|last| Schema::parse(Format::Json, &schema(last), &[]).unwrap());
    assert!(!check(Level::Backward, &new, &[old]).is_empty());
}
