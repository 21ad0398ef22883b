//! What is wrong with specs: each problem with its step, its field, its place and a sentence that helps.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use weir_contract::Format;

use super::host::*;
use crate::*;

const SCHEMA: &str = r#"{"type":"record","name":"R","fields":[{"name":"id","type":"string"},{"name":"n","type":"long","confluent:tags":["T"]},
    {"name":"c","type":{"type":"record","name":"C","fields":[{"name":"x","type":"string"}]}}]}"#;
const SINK: &str =
    r#"{"type":"record","name":"S","fields":[{"name":"id","type":"string"},{"name":"n","type":"string"}]}"#;

fn problems(spec: &Json, input: Input) -> Vec<Problem> {
    let mut host = Fake::default();
    host.newest
        .insert("typed".to_owned(), registered(9, Format::Avro, SINK));
    match ActionSpec::read(&spec.to_string()) {
        Ok(spec) => Plan::compile(&spec, input, &host).err().unwrap_or_default(),
        Err(problem) => vec![problem],
    }
}

fn typed() -> Input {
    of(&registered(7, Format::Avro, SCHEMA))
}

/// A spec of one step, unless it is a whole one.
fn whole(text: &str) -> Json {
    let read: Json = serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    if read.get("sinks").is_some() {
        return read;
    }
    json!({"steps": [read], "sinks": {"out": {"topic": "out"}}})
}

#[test]
fn each_problem_has_its_place_and_a_sentence() {
    let mut seen = BTreeSet::new();
    for row in include_str!("problems.txt")
        .lines()
        .filter(|row| !row.starts_with('#'))
    {
        let cells: Vec<&str> = row.split(" | ").collect();
        let [text, code, step, pointer, column, part] = cells[..] else {
            panic!("a row has six cells: {row}")
        };
        let found = problems(&whole(text), typed());
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 1, "{row}: {told:?}");
        let problem = &found[0];
        let at = problem.position.map_or(0, |it| it.column);
        assert_eq!(problem.code.as_str(), code, "{row}: {told:?}");
        assert_eq!(problem.step.unwrap_or(0).to_string(), step, "{row}: {told:?}");
        assert_eq!(problem.pointer, pointer.trim(), "{row}: {told:?}");
        assert!(
            (column == "?" && at > 0) || at.to_string() == column,
            "{row}: {told:?}, column {at}"
        );
        assert!(problem.message.contains(part), "{row}: {told:?}");
        let sentence = problem.message.ends_with('.') && !problem.message.starts_with(char::is_lowercase);
        assert!(sentence, "{told:?}");
        seen.insert(problem.code);
    }
    let validate = steps(&json!([{"validate": {}}]));
    let found = Plan::compile(&validate, plain(), &Fake::default()).expect_err("there is no contract");
    seen.insert(found[0].code);
    assert_eq!(seen, BTreeSet::from(ProblemCode::ALL), "every code has a row");
}

#[test]
fn bounds_hold() {
    for (steps, code, pointer) in [
        (
            json!([{"drop": {"fields": vec!["id"; 201]}}]),
            ProblemCode::TooLong,
            "/steps/0/drop/fields",
        ),
        (
            json!(vec![json!({"validate": {}}); 51]),
            ProblemCode::TooLong,
            "/steps",
        ),
        (
            json!(vec![json!({"call": {"url": "http://h", "set": {"a": "1"}}}); 6]),
            ProblemCode::TooLong,
            "/steps/5/call",
        ),
    ] {
        let found = problems(
            &json!({"steps": steps, "sinks": {"out": {"topic": "out"}}}),
            typed(),
        );
        let told: Vec<(ProblemCode, &str)> = found.iter().map(|it| (it.code, it.pointer.as_str())).collect();
        assert_eq!(told, [(code, pointer)]);
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let spec = json!({"steps": [{"filter": {"where": "message.m"}}, {"drop": {"fields": ["z", "id"]}}, {"filter": {"where": "message.id == 'a'"}}],
        "sinks": {"out": {"topic": "out"}}});
    let found: Vec<(Option<usize>, ProblemCode)> = problems(&spec, typed())
        .iter()
        .map(|it| (it.step, it.code))
        .collect();
    assert_eq!(
        found[..2],
        [
            (Some(1), ProblemCode::BadExpression),
            (Some(2), ProblemCode::UnknownField)
        ]
    );
}

#[test]
fn long_texts_are_refused_before_they_are_read() {
    let long = format!(
        "{{\"steps\":[],\"sinks\":{{}},\"x\":\"{}\"}}",
        "a".repeat(limits::SPEC_BYTES_MAX)
    );
    let problem = ActionSpec::read(&long).expect_err("it is long");
    assert_eq!(problem.code, ProblemCode::TooLong);
    let problem = ActionSpec::read("{\n  \"steps\": 1\n}").expect_err("it is no list");
    assert_eq!(problem.position.map(|it| it.line), Some(2));
}

#[test]
fn what_comes_out_is_known_as_far_as_it_can_be() {
    let host = Fake::default();
    let columns = |steps: &Json, input: Input| -> Vec<String> {
        let plan = compiled(&self::steps(steps), input, &host);
        plan.columns()
            .iter()
            .map(|it| format!("{} {}", it.path, it.kind))
            .collect()
    };
    assert_eq!(
        columns(&json!([]), typed()),
        ["c record", "c.x string", "id string", "n int"]
    );
    assert_eq!(
        columns(
            &json!([{"rename": {"fields": {"id": "name"}}}, {"cast": {"fields": {"n": "DOUBLE"}}}, {"flatten": {}},
            {"set": {"fields": {"a.b": "message.n > 1.0", "now": "timestamp"}}}, {"mask": {"fields": ["n"], "how": {"KEEP_LAST": {"n": 2}}}}]),
            typed()
        ),
        [
            "a record",
            "a.b bool",
            "c_x string",
            "n string",
            "name string",
            "now timestamp"
        ]
    );
    assert_eq!(
        columns(&json!([{"project": {"fields": ["a", "b.c"]}}]), plain()),
        ["a any", "b any"]
    );
    let plan = compiled(&steps(&json!([{"project": {"fields": ["id"]}}])), typed(), &host);
    assert_eq!(plan.formats(), [Format::Json, Format::Avro, Format::Protobuf]);
    let plan = compiled(&steps(&json!([])), plain(), &host);
    assert_eq!(plan.formats(), [Format::Json]);
    let all = steps(
        &json!([{"mask": {"fields": ["id"], "how": {"HASH": {"key": "k"}}}}, {"deduplicate": {"window_ms": 5}},
        {"call": {"url": "http://h", "set": {"a": "1"}, "secret": {"reference": "s"}, "concurrency": 4}}]),
    );
    let plan = compiled(&all, plain(), &host);
    assert_eq!(plan.secrets().into_iter().collect::<Vec<_>>(), ["k", "s"]);
    assert_eq!(plan.urls().into_iter().collect::<Vec<_>>(), ["http://h"]);
    assert_eq!((plan.concurrency(), plan.window_ms()), (Some(4), Some(5)));
    assert_eq!(
        (plan.topic("out"), plan.topic("x"), plan.dead_letter_topic()),
        (Some("out"), None, None)
    );
}
