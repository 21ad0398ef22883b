//! Previews over records of a request and of a topic in memory.

use std::sync::Arc;

use arc_swap::ArcSwap;
use serde_json::{Value, json};
use weir_proto::agent::v1::{
    ActionProgram, ActionSink, Cluster, DesiredState, Grant, Job, PartContract, Schema, SchemaFormat, Topic,
    TopicContract,
};

use super::{Ground, Previews, RECORDS_MAX, Refusal};
use crate::dead_letters::samples::{self, LETTERS};

const STEPS: &str = r#"[{"filter":{"where":"message.amount > 10"}},{"mask":{"fields":["card"],"how":"REDACT"}},
    {"route":{"rules":[{"where":"message.amount > 100","to":"high"}],"otherwise":"rest"}}]"#;

/// A job over the topic that `samples` has, with rights on what `pattern` says.
fn ground(steps: &str, pattern: &str) -> Ground {
    let topic = |id: &str, name: &str| Topic {
        id: id.to_owned(),
        cluster_id: "cluster_1".to_owned(),
        name: name.to_owned(),
        ..Topic::default()
    };
    let sink = |name: &str, topic: &str| ActionSink {
        name: name.to_owned(),
        topic_id: topic.to_owned(),
        ..ActionSink::default()
    };
    Ground {
        admitted: DesiredState {
            clusters: vec![Cluster {
                id: "cluster_1".to_owned(),
                ..Cluster::default()
            }],
            topics: vec![
                topic(LETTERS, "letters"),
                topic("topic_8", "high"),
                topic("topic_9", "rest"),
            ],
            grants: vec![Grant {
                principal_id: "service_account_1".to_owned(),
                cluster_id: "cluster_1".to_owned(),
                pattern: pattern.to_owned(),
                role: 1,
            }],
            jobs: vec![Job {
                id: "job_1".to_owned(),
                cluster_id: "cluster_1".to_owned(),
                principal_id: "service_account_1".to_owned(),
                version: 3,
                action: Some(ActionProgram {
                    source_topic_id: LETTERS.to_owned(),
                    steps_json: steps.to_owned(),
                    sinks: vec![sink("high", "topic_8"), sink("rest", "topic_9")],
                    ..ActionProgram::default()
                }),
                ..Job::default()
            }],
            ..DesiredState::default()
        },
        hosts: Vec::new(),
    }
}

/// With so many records in the topic.
fn previews(ground: Ground, records: usize) -> (Previews, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (post, _logs) = samples::post(records);
    (
        Previews::new(Arc::new(ArcSwap::from_pointee(ground)), post, folder.path()),
        folder,
    )
}

async fn ask(ground: Ground, asked: Value) -> Result<Value, Refusal> {
    let (previews, _folder) = previews(ground, 5);
    let asked = serde_json::from_value(asked).unwrap();
    previews
        .make(asked)
        .await
        .map(|it| serde_json::to_value(it).unwrap())
}

#[tokio::test]
async fn each_record_tells_what_came_of_it() {
    let said = ask(
        ground(STEPS, "*"),
        json!({"job": "job_1", "samples": [
            {"value": {"amount": 5, "card": "4111"}},
            {"value": {"amount": 50, "card": "4111"}, "key": "k", "headers": {"h": "1"}},
            {"value": {"amount": 500}},
            {"value": {"card": "4111"}},
            {"value_base64": "/w=="},
        ]}),
    )
    .await
    .unwrap();
    assert_eq!(
        (&said["job"], &said["version"], &said["cut"]),
        (&json!("job_1"), &json!(3), &json!(false))
    );
    let row = |at: usize, names: &[&str]| {
        let row = &said["records"][at];
        names.iter().map(|it| row[it].clone()).collect::<Value>()
    };
    assert_eq!(row(0, &["outcome", "step", "sink"]), json!(["FILTERED", 1, null]));
    assert_eq!(
        row(1, &["outcome", "sink", "topic"]),
        json!(["CHANGED", "rest", "rest"])
    );
    assert_eq!(
        said["records"][1]["value"]["text"],
        r#"{"amount":50,"card":"***"}"#
    );
    assert_eq!(said["records"][1]["key"]["text"], "k");
    assert_eq!(row(2, &["outcome", "topic"])[1], "high");
    assert_eq!(
        row(3, &["outcome", "step", "code", "stops"]),
        json!(["DEAD_LETTER", 1, "EXPRESSION", true])
    );
    assert_eq!(
        row(4, &["outcome", "step", "code"]),
        json!(["DEAD_LETTER", null, "NOT_DECODABLE"])
    );
    assert!(said["records"][4]["value"].is_null() && said["records"][0]["before"].is_null());
}

#[tokio::test]
async fn other_steps_than_the_jobs_are_tried_and_refused_as_its_own() {
    let with = |steps: Value| json!({"job": "job_1", "steps": steps, "samples": [{"value": {"amount": 1}}]});
    let by = json!([{"route": {"by": "'high'"}}]);
    let said = ask(ground(STEPS, "*"), with(by)).await.unwrap();
    assert_eq!(said["records"][0]["outcome"], "PASSED");
    assert_eq!(said["records"][0]["value"]["text"], r#"{"amount":1}"#);
    let steps = json!([{"filter": {"where": "1 +"}}]);
    let refused = ask(ground(STEPS, "*"), with(steps))
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(
        refused.contains("PROGRAM_REFUSED") && refused.contains("step 1"),
        "{refused}"
    );
    let calls = json!([{"call": {"url": "http://models.internal/", "set": {"x": "response"}}}, {"route": {"by": "'high'"}}]);
    let refused = ask(ground(STEPS, "*"), with(calls.clone()))
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(
        refused.contains("POLICY_REFUSED") && refused.contains("models.internal:80"),
        "{refused}"
    );
    // Nobody is asked unless that is wanted.
    let mut open = ground(STEPS, "*");
    open.hosts = vec!["models.internal:80".to_owned()];
    let said = ask(open, with(calls)).await.unwrap();
    let row = &said["records"][0];
    assert_eq!((&row["outcome"], &row["step"]), (&json!("CALLS"), &json!(1)));
    assert_eq!(
        (&row["request"]["method"], &row["request"]["url"]),
        (&json!("POST"), &json!("http://models.internal/"))
    );
    assert_eq!(row["request"]["body"]["text"], r#"{"amount":1}"#);
}

#[tokio::test]
async fn endpoints_are_called_when_that_is_wanted_and_within_the_time() {
    let routes = axum::Router::new()
        .route("/score", axum::routing::post(|| async { r#"{"score":0.75}"# }))
        .route("/never", axum::routing::post(std::future::pending::<()>));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let mut open = ground(STEPS, "*");
    open.hosts = vec![format!("127.0.0.1:{port}")];
    let with = |path: &str, samples: usize| {
        let call = json!({"url": format!("http://127.0.0.1:{port}{path}"), "retries": 0, "timeout_ms": 60_000, "set": {"score": "response.score"}});
        json!({"job": "job_1", "calls": true, "steps": [{"call": call}, {"route": {"by": "'high'"}}],
            "samples": vec![json!({"value": {"amount": 1}}); samples]})
    };
    let said = ask(open.clone(), with("/score", 20)).await.unwrap();
    let rows = said["records"].as_array().unwrap();
    assert!(
        rows.len() == 20
            && rows
                .iter()
                .all(|it| it["value"]["text"] == r#"{"amount":1,"score":0.75}"#),
        "{said}"
    );
    let said = ask(open, with("/never", 2)).await.unwrap();
    assert!(
        said["records"]
            .as_array()
            .unwrap()
            .iter()
            .all(|it| it["outcome"] == "NOT_REACHED"),
        "{said}"
    );
}

#[tokio::test]
async fn the_last_records_of_the_topic_are_tried_if_the_job_may_read_them() {
    let asked = |last: usize| json!({"job": "job_1", "last": last});
    let said = ask(ground(STEPS, "letters"), asked(3)).await.unwrap();
    let rows = said["records"].as_array().unwrap();
    let before: Vec<&str> = rows
        .iter()
        .map(|it| it["before"]["text"].as_str().unwrap())
        .collect();
    assert_eq!(before.len(), 3, "{said}");
    assert!(
        before.contains(&"value 4") && before.contains(&"value 3"),
        "{before:?}"
    );
    assert!(rows.iter().all(|it| it["code"] == "NOT_DECODABLE"), "{said}");
    for pattern in ["letter", "x*", ""] {
        let refused = ask(ground(STEPS, pattern), asked(3)).await.err().unwrap();
        assert!(matches!(refused, Refusal::Unauthorized), "{pattern}: {refused}");
    }
    let mut other = ground(STEPS, "*");
    other.admitted.topics[0].cluster_id = "cluster_2".to_owned();
    let refused = ask(other, asked(3)).await.err().unwrap().to_string();
    assert!(
        refused.starts_with("SOURCE_MISSING"),
        "another cluster's topic: {refused}"
    );
    // What another tenant shares is looked at through its view, which stands at the gateway.
    let mut shared = ground(STEPS, "*");
    shared.admitted.topics[0].mount = Some(weir_proto::agent::v1::Mount::default());
    let refused = ask(shared.clone(), asked(3)).await.err().unwrap().to_string();
    assert!(refused.contains("shared by another tenant"), "{refused}");
    let mut encrypted = ground(STEPS, "*");
    let mut mount = encrypted.admitted.topics[0].clone();
    mount.mount = Some(weir_proto::agent::v1::Mount {
        topic_id: std::mem::replace(&mut mount.id, "topic_mount".to_owned()),
        encryption: Some(weir_proto::agent::v1::MountEncryption::default()),
        ..weir_proto::agent::v1::Mount::default()
    });
    encrypted.admitted.topics.push(mount);
    let refused = ask(encrypted, asked(3)).await.err().unwrap().to_string();
    assert!(refused.contains("shared encrypted"), "{refused}");
    let samples = json!({"job": "job_1", "samples": [{"value": {}}]});
    assert!(ask(shared, samples).await.is_ok());
}

#[tokio::test]
async fn what_makes_no_sense_or_too_much_is_refused() {
    let sample = json!({"value": {}});
    for (asked, word) in [
        (json!({"job": "job_1"}), "Give"),
        (json!({"job": "job_1", "last": 5, "samples": [sample]}), "either"),
        (json!({"job": "job_1", "last": 101}), "1 to 100"),
        (json!({"job": "job_1", "last": 0}), "1 to 100"),
        (
            json!({"job": "job_1", "samples": vec![sample.clone(); RECORDS_MAX + 1]}),
            "at most 100",
        ),
        (
            json!({"job": "job_1", "samples": [{"value_base64": "?"}]}),
            "Sample 0",
        ),
        (
            json!({"job": "job_1", "samples": [{"value": 1, "value_base64": "AA=="}]}),
            "Sample 0",
        ),
        (json!({"job": "job_2", "samples": [sample]}), "No job"),
    ] {
        let refused = ask(ground(STEPS, "*"), asked.clone())
            .await
            .err()
            .unwrap()
            .to_string();
        assert!(refused.contains(word), "{asked}: {refused}");
    }
}

#[tokio::test]
async fn values_are_written_by_the_newest_schema_of_the_source() {
    let mut with = ground(
        r#"[{"filter":{"where":"message.n > 1"}},{"route":{"by":"'rest'"}}]"#,
        "*",
    );
    let schema = |id: u32, fields: &str| Schema {
        id: format!("schema_{id}"),
        schema_id: id,
        format: SchemaFormat::Avro.into(),
        text: format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#),
        ..Schema::default()
    };
    with.admitted.schemas = vec![
        schema(7, r#"{"name":"n","type":"long"},{"name":"s","type":"string"}"#),
        schema(6, r#"{"name":"n","type":"long"}"#),
    ];
    with.admitted.topics[0].contract = Some(TopicContract {
        value: Some(PartContract {
            schema_ids: vec!["schema_6".to_owned(), "schema_7".to_owned()],
            ..PartContract::default()
        }),
        ..TopicContract::default()
    });
    let asked = |value: Value| json!({"job": "job_1", "samples": [{"value": value}]});
    let said = ask(with.clone(), asked(json!({"n": 2, "s": "a"}))).await.unwrap();
    assert_eq!(said["records"][0]["outcome"], "PASSED", "{said}");
    assert_eq!(said["records"][0]["value"]["bytes"], 5 + 3);
    let refused = ask(with, asked(json!({"n": 2}))).await.err().unwrap().to_string();
    assert!(refused.starts_with("Sample 0"), "{refused}");
}
