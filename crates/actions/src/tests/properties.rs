//! What holds for every spec and every record.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use weir_contract::Format;

use super::host::*;
use crate::*;

/// Any JSON, with the names that steps speak of.
fn document() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        "[ -~äß]{0,8}".prop_map(Json::from),
    ];
    let inner = leaf.prop_recursive(4, 40, 5, |inner| {
        let names = prop::sample::select(vec!["a", "b", "c", "a_b", "d e"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map(names.prop_map(str::to_owned), inner, 0..5)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    });
    let names = prop::sample::select(vec!["a", "b", "c", "x"]);
    prop::collection::btree_map(names.prop_map(str::to_owned), inner, 0..5)
        .prop_map(|map| Json::Object(map.into_iter().collect()))
}

fn path() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "a", "b", "a.b", "b.c", "c.a.b", "`d e`", "x", "", "a..b", "key",
    ])
    .prop_map(str::to_owned)
}

fn expression() -> impl Strategy<Value = String> {
    let good = prop::sample::select(vec![
        "true",
        "message.a == 1",
        "has(message.b)",
        "message.a",
        "size(message.b) > 1",
        "[message]",
        "{'k': message.b}",
        "message.c.a.b",
        "key + 'x'",
        "timestamp",
        "offset % 2 == 0",
        "headers",
        "message.b.map(x, x)",
        "response",
        "string(message.a)",
        "1 / 0",
        "'out'",
        "null",
    ]);
    prop_oneof![6 => good.prop_map(str::to_owned), 1 => "[ -~]{0,20}"]
}

fn step() -> impl Strategy<Value = Json> {
    let paths = || prop::collection::vec(path(), 0..4);
    let by_path = |values: BoxedStrategy<Json>| prop::collection::btree_map(path(), values, 0..4);
    let how = prop_oneof![
        Just(json!("REDACT")),
        Just(json!("NULL")),
        Just(json!({"HASH": {"key": "k"}})),
        Just(json!({"HASH": {"key": "missing"}})),
        (0..9_u32).prop_map(|n| json!({"KEEP_LAST": {"n": n}})),
    ];
    let types = prop::sample::select(vec![
        "INT",
        "UINT",
        "DOUBLE",
        "STRING",
        "BYTES",
        "BOOL",
        "TIMESTAMP",
        "DURATION",
    ]);
    prop_oneof![
        expression().prop_map(|text| json!({"filter": {"where": text}})),
        paths().prop_map(|fields| json!({"project": {"fields": fields}})),
        paths().prop_map(|fields| json!({"drop": {"fields": fields}})),
        by_path(
            prop::sample::select(vec!["a", "b", "new", ""])
                .prop_map(Json::from)
                .boxed()
        )
        .prop_map(|fields| json!({"rename": {"fields": fields}})),
        (paths(), how).prop_map(|(fields, how)| json!({"mask": {"fields": fields, "how": how}})),
        by_path(types.prop_map(Json::from).boxed()).prop_map(|fields| json!({"cast": {"fields": fields}})),
        by_path(expression().prop_map(Json::from).boxed())
            .prop_map(|fields| json!({"set": {"fields": fields}})),
        (0..4_u32, prop::sample::select(vec!["_", "", "."]))
            .prop_map(|(depth, separator)| json!({"flatten": {"depth": depth, "separator": separator}})),
        expression().prop_map(|text| json!({"route": {"by": text, "otherwise": "out"}})),
        (paths(), 1..5_u64)
            .prop_map(|(by, window_ms)| json!({"deduplicate": {"by": by, "window_ms": window_ms}})),
        Just(json!({"validate": {}})),
        (expression(), by_path(expression().prop_map(Json::from).boxed())).prop_map(
            |(body, set)| json!({"call": {"url": "http://h", "body": body, "set": set, "retries": 1}})
        ),
        (paths(), Just(json!("REDACT"))).prop_map(|(tags, how)| json!({"mask": {"tags": tags, "how": how}})),
    ]
}

fn answers() -> impl Strategy<Value = Answer> {
    let body = prop_oneof![
        document().prop_map(|it| it.to_string()),
        "[ -~]{0,12}".prop_map(String::from)
    ];
    prop_oneof![
        3 => (prop::sample::select(vec![200_u16, 204, 301, 400, 429, 500, 999, 0]), body).prop_map(|(status, body)| Answer::Response { status, body: body.into_bytes() }),
        1 => prop::sample::select(vec![Failure::Timeout, Failure::Unreachable, Failure::TooLarge, Failure::Refused]).prop_map(Answer::Failure),
    ]
}

/// To the end, with the same answer to every call.
fn to_the_end(plan: &Plan, host: &Fake, record: &Record<'_>, answer: &Answer) -> Outcome {
    let mut next = plan.begin(record, &mut plan.seen(), host);
    for _turn in 0..100 {
        match next {
            Next::Done(outcome) => return outcome,
            Next::Call(_request, suspended) => next = suspended.resume(answer, host),
        }
    }
    panic!("it does not end")
}

const AVRO: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":["null","long","string"]},{"name":"b","type":{"type":"array","items":
    {"type":"record","name":"I","fields":[{"name":"c","type":"double"}]}}},{"name":"c","type":{"type":"map","values":"bytes"}}]}"#;
const PROTO: &str = r#"syntax = "proto3"; message R { int64 a = 1; repeated I b = 2; map<string, bytes> c = 3; optional R x = 4; } message I { double c = 1; }"#;

fn input(which: usize, host: &mut Fake) -> Input {
    let (format, schema) = match which {
        0 => return plain(),
        1 => (
            Format::Json,
            r#"{"type":"object","properties":{"a":{"type":["integer","string"]},"b":{"type":"array","items":{"type":"object"}}}}"#,
        ),
        2 => (Format::Avro, AVRO),
        _ => (Format::Protobuf, PROTO),
    };
    let newest = registered(7, format, schema);
    host.schemas.insert(7, newest.clone());
    host.newest.insert("out".to_owned(), newest.clone());
    let Input { value, .. } = of(&newest);
    let value = match value {
        ValueForm::Registered { newest, .. } => ValueForm::Registered {
            newest,
            unframed: which == 1,
        },
        other => other,
    };
    Input {
        value,
        key: KeyForm::Text,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn no_spec_and_no_record_is_too_strange(steps in prop::collection::vec(step(), 0..6), which in 0..4_usize, record in document(),
        bytes in prop::collection::vec(any::<u8>(), 0..60), framed in any::<bool>(), answer in answers()) {
        let mut host = Fake::default();
        let input = input(which, &mut host);
        let spec = json!({"steps": steps, "sinks": {"out": {"topic": "out"}}});
        let spec = ActionSpec::read(&spec.to_string()).expect("it can be read");
        let Ok(plan) = Plan::compile(&spec, input, &host) else { return Ok(()) };
        let text = record.to_string().into_bytes();
        let raw = if framed { [vec![0, 0, 0, 0, 7, 0], bytes].concat() } else { bytes };
        for value in [&text, &raw] {
            let came = super::host::record(value);
            let outcome = to_the_end(&plan, &host, &came, &answer);
            prop_assert_eq!(&outcome, &to_the_end(&plan, &host, &came, &answer), "the same record, the same outcome");
            if let Outcome::DeadLetter { sentence, .. } = &outcome {
                prop_assert!(sentence.ends_with('.'), "{}", sentence);
            }
        }
    }

    #[test]
    fn no_text_is_too_strange(text in "[ -~\\n]{0,200}", expression in "[ -~]{0,60}") {
        let _read = ActionSpec::read(&text);
        let spec = steps(&json!([{"filter": {"where": expression}}]));
        if let Err(problems) = Plan::compile(&spec, plain(), &Fake::default()) {
            prop_assert!(problems.iter().all(|it| !it.message.is_empty()));
        }
    }

    #[test]
    fn a_filter_and_its_complement_part_the_records(record in document(), expression in expression()) {
        let host = Fake::default();
        let text = record.to_string();
        let of = |condition: &str| {
            let spec = steps(&json!([{"filter": {"where": condition}}]));
            Plan::compile(&spec, plain(), &host).ok().map(|plan| run(&plan, &host, text.as_bytes()))
        };
        if let (Some(yes), Some(no)) = (of(&expression), of(&format!("!({expression})"))) {
            match (&yes, &no) {
                (Outcome::Emit { .. }, Outcome::Dropped { .. }) | (Outcome::Dropped { .. }, Outcome::Emit { .. }) => {}
                (Outcome::DeadLetter { code, .. }, Outcome::DeadLetter { code: other, .. }) => prop_assert_eq!(code, other),
                _ => prop_assert!(false, "{:?} and {:?}", yes, no),
            }
        }
    }

    #[test]
    fn what_is_renamed_there_and_back_is_as_it_was(record in document()) {
        let there = json!({"rename": {"fields": {"a": "p", "b": "q"}}});
        let back = json!({"rename": {"fields": {"p": "a", "q": "b"}}});
        let came = over_json(&json!([there, back]), &record);
        prop_assert_eq!(came, json!({"sink": "out", "value": record}));
    }

    #[test]
    fn project_and_drop_part_the_fields(record in document()) {
        let value = |steps: Json| over_json(&steps, &record)["value"].clone();
        let kept = value(json!([{"project": {"fields": ["a", "c"]}}]));
        let dropped = value(json!([{"drop": {"fields": ["a", "c"]}}]));
        let mut both = kept.as_object().expect("an object").clone();
        both.extend(dropped.as_object().expect("an object").clone());
        prop_assert_eq!(Json::Object(both), record);
    }

    /// What a rebuilt window says of the records that follow is what an undisturbed one says.
    #[test]
    fn a_window_is_rebuilt_by_learning(keys in prop::collection::vec(0..4_u8, 1..40), cut in 0..40_usize) {
        let host = Fake::default();
        let spec = steps(&json!([{"filter": {"where": "message.a != 3"}}, {"deduplicate": {"by": ["a"], "window_ms": 5}}]));
        let plan = compiled(&spec, plain(), &host);
        let texts: Vec<String> = keys.iter().map(|key| json!({"a": key}).to_string()).collect();
        let at = |place: usize| Record { offset: i64::try_from(place).expect("it fits"), timestamp_ms: i64::try_from(place).expect("it fits"), ..record(texts[place].as_bytes()) };
        let mut undisturbed = plan.seen();
        let mut outcomes = Vec::new();
        for place in 0..texts.len() {
            let Next::Done(outcome) = plan.begin(&at(place), &mut undisturbed, &host) else { panic!("it calls") };
            outcomes.push(outcome);
        }
        let cut = cut.min(texts.len());
        let mut rebuilt = plan.seen();
        for place in cut.saturating_sub(6)..cut {
            plan.learn(&at(place), &mut rebuilt, &host);
        }
        for (place, expected) in outcomes.iter().enumerate().skip(cut) {
            let Next::Done(outcome) = plan.begin(&at(place), &mut rebuilt, &host) else { panic!("it calls") };
            prop_assert_eq!(&outcome, expected);
        }
    }
}
