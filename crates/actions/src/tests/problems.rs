//! What is wrong with specs: each problem with its step, its field, its place and a sentence that helps.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use weir_contract::Format;

use super::host::*;
use crate::*;

const SCHEMA: &str = r#"{"type":"record","name":"R","fields":[{"name":"id","type":"string"},{"name":"n","type":"long","confluent:tags":["T"]},
    {"name":"c","type":{"type":"record","name":"C","fields":[{"name":"x","type":"string"}]}}]}"#;
const SINK: &str = r#"{"type":"record","name":"S","fields":[{"name":"id","type":"string"},{"name":"n","type":"string"}]}"#;

fn problems(spec: &Json, input: Input) -> Vec<Problem> {
    let mut host = Fake::default();
    host.newest.insert("typed".to_owned(), registered(9, Format::Avro, SINK));
    match ActionSpec::read(&spec.to_string()) {
        Ok(spec) => Plan::compile(&spec, input, &host).err().unwrap_or_default(),
        Err(problem) => vec![problem],
    }
}

fn typed() -> Input {
    of(&registered(7, Format::Avro, SCHEMA))
}

/// A spec with one sink.
fn one(step: &Json) -> Json {
    json!({"steps": [step], "sinks": {"out": {"topic": "out"}}})
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_problem_has_its_place_and_a_sentence() {
    let call = |more: Json| {
        let mut call = json!({"url": "http://h", "set": {"a": "response"}});
        for (name, value) in more.as_object().expect("an object") {
            call[name] = value.clone();
        }
        json!({ "call": call })
    };
    let two_sinks = |steps: Json| json!({"steps": steps, "sinks": {"a": {"topic": "a"}, "b": {"topic": "b"}}});
    let mut seen = BTreeSet::new();
    for (spec, code, step, pointer, column, part) in [
        (one(&json!({"filter": {"where": "message.m > 1"}})), "BAD_EXPRESSION", 1, "/steps/0/filter/where", 8, "no field `m`"),
        (one(&json!({"filter": {"where": "message.n > 'a'"}})), "BAD_EXPRESSION", 1, "/steps/0/filter/where", 1, "orders two values"),
        (one(&json!({"filter": {"where": "1 +"}})), "BAD_EXPRESSION", 1, "/steps/0/filter/where", 4, ""),
        (one(&json!({"filter": {"where": "response"}})), "BAD_EXPRESSION", 1, "/steps/0/filter/where", 1, "not known here"),
        (one(&json!({"filter": {"where": "message.n"}})), "WRONG_TYPE", 1, "/steps/0/filter/where", 8, "A bool is wanted"),
        (one(&json!({"project": {"fields": []}})), "MISSING", 1, "/steps/0/project/fields", 0, "at least one"),
        (one(&json!({"project": {"fields": ["id", "c.y"]}})), "UNKNOWN_FIELD", 1, "/steps/0/project/fields/1", 0, "there are x"),
        (one(&json!({"drop": {"fields": ["id.x"]}})), "UNKNOWN_FIELD", 1, "/steps/0/drop/fields/0", 0, "has no fields"),
        (one(&json!({"drop": {"fields": ["a..b"]}})), "BAD_PATH", 1, "/steps/0/drop/fields/0", 0, "points between"),
        (one(&json!({"drop": {"fields": ["c.x", "c"]}})), "OVERLAPPING_PATHS", 1, "/steps/0/drop/fields", 0, "twice"),
        (one(&json!({"drop": {"fields": vec!["id"; 201]}})), "TOO_LONG", 1, "/steps/0/drop/fields", 0, "200"),
        (one(&json!({"rename": {"fields": {"id": "n"}}})), "FIELD_EXISTS", 1, "/steps/0/rename/fields/id", 0, "already"),
        (one(&json!({"rename": {"fields": {"id": ""}}})), "BAD_NAME", 1, "/steps/0/rename/fields/id", 0, "1 to"),
        (one(&json!({"mask": {"how": "NULL"}})), "MISSING", 1, "/steps/0/mask", 0, "one of the two"),
        (one(&json!({"mask": {"tags": ["X"], "how": "NULL"}})), "UNKNOWN_TAG", 1, "/steps/0/mask/tags/0", 0, "carries"),
        (one(&json!({"mask": {"fields": ["id"], "how": {"HASH": {"key": ""}}}})), "MISSING", 1, "/steps/0/mask/how/HASH/key", 0, "secret"),
        (json!({"steps": [{"set": {"fields": {"a": "message.n"}}}, {"mask": {"tags": ["T"], "how": "NULL"}}], "sinks": {"out": {"topic": "out"}}}),
            "TAGS_TOO_LATE", 2, "/steps/1/mask/tags", 0, "step 1 (set)"),
        (one(&json!({"cast": {"fields": {"c": "INT"}}})), "WRONG_TYPE", 1, "/steps/0/cast/fields/c", 0, "takes"),
        (one(&json!({"set": {"fields": {"id.x": "1"}}})), "WRONG_TYPE", 1, "/steps/0/set/fields/id.x", 0, "no fields"),
        (one(&json!({"flatten": {"depth": 0}})), "OUT_OF_RANGE", 1, "/steps/0/flatten/depth", 0, "Choose 1"),
        (one(&json!({"route": {}})), "MISSING", 1, "/steps/0/route", 0, "one of the two"),
        (one(&json!({"route": {"by": "message.n"}})), "WRONG_TYPE", 1, "/steps/0/route/by", 8, "A string is wanted"),
        (one(&json!({"route": {"rules": [{"where": "true", "to": "x"}]}})), "UNKNOWN_SINK", 1, "/steps/0/route/rules/0/to", 0, "there are out"),
        (two_sinks(json!([])), "NEEDS_ROUTE", 0, "/sinks", 0, "add a route"),
        (two_sinks(json!([{"route": {"rules": [{"where": "true", "to": "a"}]}}])), "UNUSED_SINK", 0, "/sinks/b", 0, "remove it"),
        (one(&json!({"deduplicate": {"window_ms": 0}})), "OUT_OF_RANGE", 1, "/steps/0/deduplicate/window_ms", 0, "seven days"),
        (one(&json!({"deduplicate": {"window_ms": 1, "keys_max": 2_000_000}})), "OUT_OF_RANGE", 1, "/steps/0/deduplicate/keys_max", 0, "keys"),
        (json!({"steps": [call(json!({})), {"deduplicate": {"window_ms": 1}}], "sinks": {"out": {"topic": "out"}}}),
            "AFTER_CALL", 2, "/steps/1/deduplicate", 0, "step 1"),
        (one(&call(json!({"url": "ftp://h"}))), "BAD_URL", 1, "/steps/0/call/url", 0, "https://host/path"),
        (one(&call(json!({"url": "http://user@h"}))), "BAD_URL", 1, "/steps/0/call/url", 0, ""),
        (one(&call(json!({"url": "http://h/?a=b"}))), "BAD_URL", 1, "/steps/0/call/url", 0, "query"),
        (one(&call(json!({"headers": {"Authorization": "x"}}))), "BAD_HEADER", 1, "/steps/0/call/headers/Authorization", 0, "secret"),
        (one(&call(json!({"headers": {"X": "a\r\nb"}}))), "BAD_HEADER", 1, "/steps/0/call/headers/X", 0, "ASCII"),
        (one(&call(json!({"model": "m"}))), "NOT_FOR_SHAPE", 1, "/steps/0/call/model", 0, "OPENAI_CHAT"),
        (one(&call(json!({"method": "GET", "body": "message"}))), "NOT_FOR_SHAPE", 1, "/steps/0/call/body", 0, "GET has no body"),
        (one(&call(json!({"shape": "OPENAI_CHAT", "messages": [{"role": "USER", "content": "'a'"}]}))), "MISSING", 1, "/steps/0/call/model", 0, "model"),
        (one(&call(json!({"timeout_ms": 0}))), "OUT_OF_RANGE", 1, "/steps/0/call/timeout_ms", 0, "Choose 1"),
        (one(&call(json!({"set": {}}))), "MISSING", 1, "/steps/0/call/set", 0, "at least one"),
        (json!({"sinks": {}}), "MISSING", 0, "/sinks", 0, "name the topics"),
        (json!({"sinks": {"a b": {"topic": "x"}}}), "BAD_NAME", 0, "/sinks/a b", 0, "name of a sink"),
        (json!({"sinks": {"a": {"topic": "x/y"}}}), "BAD_NAME", 0, "/sinks/a/topic", 0, "topic's name"),
        (json!({"sinks": {"a": {"topic": "x", "value_bytes_max": 0}}}), "OUT_OF_RANGE", 0, "/sinks/a/value_bytes_max", 0, "bytes"),
        (json!({"steps": [{"project": {"fields": ["id", "n"]}}], "sinks": {"a": {"topic": "typed"}}}), "UNFIT_OUTPUT", 0, "/sinks/a", 0, "`n` is int, and the sink's schema wants string"),
        (json!({"steps": [{"project": {"fields": ["id"]}}], "sinks": {"a": {"topic": "typed"}}}), "UNFIT_OUTPUT", 0, "/sinks/a", 0, "has a field `n`"),
        (json!({"steps": [], "sinks": {"a": {"topic": "untyped", "encoding": "CONTRACT"}}}), "UNFIT_OUTPUT", 0, "/sinks/a", 0, "register one"),
        (json!({"steps": vec![json!({"validate": {}}); 51], "sinks": {"a": {"topic": "x"}}}), "TOO_LONG", 0, "/steps", 0, "51 steps"),
        (json!({"steps": [{"filter": {"where": "true", "x": 1}}], "sinks": {}}), "NOT_READABLE", 0, "", -1, "unknown field `x`"),
        (json!({"steps": [{"explode": {}}], "sinks": {}}), "NOT_READABLE", 0, "", -1, "unknown variant `explode`"),
    ] {
        let found = problems(&spec, typed());
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        let problem = found.first().unwrap_or_else(|| panic!("nothing is wrong with {spec}"));
        let at = problem.position.map_or(0, |it| i64::try_from(it.column).expect("it fits"));
        assert_eq!(problem.code.as_str(), code, "{spec}: {told:?}");
        assert_eq!(problem.step.unwrap_or(0), step, "{spec}: {told:?}");
        assert_eq!(problem.pointer, pointer, "{told:?}");
        assert!(at == column || (column == -1 && at > 0), "{told:?}: column {at}");
        assert!(problem.message.contains(part), "{told:?}");
        assert!(problem.message.ends_with('.') && problem.message.starts_with(|it: char| !it.is_lowercase()), "{told:?}");
        assert_eq!(found.len(), 1, "{told:?}");
        seen.insert(problem.code);
    }
    let host = Fake::default();
    let validate = steps(&json!([{"validate": {}}]));
    let problem = Plan::compile(&validate, plain(), &host).expect_err("there is no contract");
    seen.insert(problem[0].code);
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ProblemCode::ALL.iter().copied().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>());
}

#[test]
fn all_problems_are_told_at_once() {
    let spec = json!({"steps": [{"filter": {"where": "message.m"}}, {"drop": {"fields": ["z", "id"]}}, {"filter": {"where": "message.id == 'a'"}}],
        "sinks": {"out": {"topic": "out"}}});
    let found: Vec<(Option<usize>, ProblemCode)> = problems(&spec, typed()).iter().map(|it| (it.step, it.code)).collect();
    assert_eq!(found[..2], [(Some(1), ProblemCode::BadExpression), (Some(2), ProblemCode::UnknownField)]);
}

#[test]
fn long_texts_are_refused_before_they_are_read() {
    let long = format!("{{\"steps\":[],\"sinks\":{{}},\"x\":\"{}\"}}", "a".repeat(limits::SPEC_BYTES_MAX));
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
        plan.columns().iter().map(|it| format!("{} {}", it.path, it.kind)).collect()
    };
    assert_eq!(columns(&json!([]), typed()), ["c record", "c.x string", "id string", "n int"]);
    assert_eq!(
        columns(&json!([{"rename": {"fields": {"id": "name"}}}, {"cast": {"fields": {"n": "DOUBLE"}}}, {"flatten": {}},
            {"set": {"fields": {"a.b": "message.n > 1.0", "now": "timestamp"}}}, {"mask": {"fields": ["n"], "how": {"KEEP_LAST": {"n": 2}}}}]), typed()),
        ["a record", "a.b bool", "c_x string", "n string", "name string", "now timestamp"]
    );
    assert_eq!(columns(&json!([{"project": {"fields": ["a", "b.c"]}}]), plain()), ["a any", "b any"]);
    let plan = compiled(&steps(&json!([{"project": {"fields": ["id"]}}])), typed(), &host);
    assert_eq!(plan.formats(), [Format::Json, Format::Avro, Format::Protobuf]);
    let plan = compiled(&steps(&json!([])), plain(), &host);
    assert_eq!(plan.formats(), [Format::Json]);
    let all = steps(&json!([{"mask": {"fields": ["id"], "how": {"HASH": {"key": "k"}}}}, {"deduplicate": {"window_ms": 5}},
        {"call": {"url": "http://h", "set": {"a": "1"}, "secret": {"reference": "s"}, "concurrency": 4}}]));
    let plan = compiled(&all, plain(), &host);
    assert_eq!(plan.secrets().into_iter().collect::<Vec<_>>(), ["k", "s"]);
    assert_eq!(plan.urls().into_iter().collect::<Vec<_>>(), ["http://h"]);
    assert_eq!((plan.concurrency(), plan.window_ms()), (Some(4), Some(5)));
    assert_eq!((plan.topic("out"), plan.topic("x"), plan.dead_letter_topic()), (Some("out"), None, None));
}
