//! A job in SQL that asks a model, on real Kafka and real Flink: the endpoint answers well, answers 500, and hangs; what it does not
//! answer is in the dead letters, each payment once, and the key of the endpoint is nowhere but in the agent.
//!
//! Wants Java, the folder of Kafka's jars in `WEIR_KAFKA_LIBS` and that of Flink's in `WEIR_FLINK_LIBS`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::{Value, json};
use weir_proto::agent::v1::agent_frame::Frame;
use weir_proto::agent::v1::{
    AgentFrame, DesiredState, JobFailureCode, JobState, Phase, Reason, SqlColumn, SqlProgram, SqlSink,
    SqlSource, Topic,
};

use crate::control_plane::ControlPlane;
use crate::harness::{newest, ports, topic};
use crate::real_kafka::run_with;
use crate::real_sql_jobs::{JOB, LONG, PAYMENTS, beside, client, phase, pid_of, read_all, state_of};

const SUSPECTED: &str = "topic_01h2xcejqtf2nbrexx3vqjhp42";
const DEAD: &str = "topic_01h2xcejqtf2nbrexx3vqjhp43";
const KEY: &str = "sk-of-the-endpoint-which-nobody-sees";
const PAYMENTS_FIRST: u64 = 600;
const PAYMENTS_ALL: u64 = 800;

/// What becomes of a question.
fn hangs(number: u64) -> bool {
    number % 50 == 13
}

fn fails(number: u64) -> bool {
    number % 25 == 7
}

fn score(number: u64) -> f64 {
    ((number * 37) % 100) as f64 / 100.0
}

/// The endpoint: what it was asked, by number, and whether it is out of order for everybody.
#[derive(Clone, Default)]
struct Endpoint {
    asked: Arc<Mutex<BTreeMap<u64, u64>>>,
    strangers: Arc<AtomicU64>,
    broken: Arc<AtomicBool>,
}

impl Endpoint {
    async fn start(self) -> u16 {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer =
            async move |headers: HeaderMap, Json(asked): Json<Value>| self.answer(&headers, &asked).await;
        let router = Router::new().route("/v1/chat/completions", post(answer));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        port
    }

    async fn answer(&self, headers: &HeaderMap, asked: &Value) -> Response {
        let key = headers.get("authorization").and_then(|it| it.to_str().ok());
        if key != Some(format!("Bearer {KEY}").as_str()) {
            self.strangers.fetch_add(1, Ordering::Relaxed);
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let messages = asked["messages"].as_array().unwrap();
        let number: u64 = messages.last().unwrap()["content"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        *self.asked.lock().unwrap().entry(number).or_default() += 1;
        if fails(number) || self.broken.load(Ordering::Relaxed) {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        if hangs(number) {
            return std::future::pending().await;
        }
        let message = json!({"role": "assistant", "content": score(number).to_string()});
        Json(json!({"choices": [{"message": message}]})).into_response()
    }
}

/// What the endpoint does not answer, as the statement says: an answer, or the job's own failure.
fn program(endpoint: u16, strategy: &str) -> SqlProgram {
    let column = |name: &str, kind: &str| SqlColumn {
        name: name.to_owned(),
        r#type: kind.to_owned(),
    };
    let sink = |name: &str, topic: &str, columns: Vec<SqlColumn>| SqlSink {
        name: name.to_owned(),
        topic_id: topic.to_owned(),
        columns,
        ..SqlSink::default()
    };
    SqlProgram {
        statement: format!(
            "CREATE MODEL fraud INPUT (question STRING) OUTPUT (answer STRING) WITH (
               'provider' = 'openai', 'endpoint' = 'http://127.0.0.1:{endpoint}/v1/chat/completions', 'model' = 'small',
               'secret' = 'models', 'timeout' = '500 ms', 'retry-num' = '1', 'error-handling-strategy' = '{strategy}');
             CREATE TEMPORARY VIEW asked AS SELECT payment, CAST(payment AS STRING) AS question FROM payments;
             CREATE TEMPORARY VIEW scored AS SELECT payment, answer, TRY_CAST(answer AS DOUBLE) AS score
               FROM ML_PREDICT(TABLE asked, MODEL fraud, DESCRIPTOR(question));
             EXECUTE STATEMENT SET BEGIN
               INSERT INTO suspected SELECT payment, score FROM scored WHERE score > 0.5;
               INSERT INTO unscored SELECT payment, answer FROM scored WHERE score IS NULL;
             END"
        ),
        sources: vec![SqlSource {
            name: "payments".to_owned(),
            topic_id: PAYMENTS.to_owned(),
            columns: vec![column("payment", "BIGINT")],
            ..SqlSource::default()
        }],
        sinks: vec![
            sink(
                "suspected",
                SUSPECTED,
                vec![column("payment", "BIGINT"), column("score", "DOUBLE")],
            ),
            sink(
                "unscored",
                DEAD,
                vec![column("payment", "BIGINT"), column("answer", "STRING")],
            ),
        ],
    }
}

fn wished(version: u32, program: SqlProgram) -> DesiredState {
    let mut desired = state_of(JobState::Running, version);
    desired.topics.push(Topic {
        configs: Vec::new(),
        ..topic(DEAD, "unscored", 1)
    });
    desired.jobs[0].sql = Some(program);
    desired
}

fn produce(port: u16, numbers: std::ops::Range<u64>) {
    let producer: BaseProducer = client(port).create().unwrap();
    for number in numbers {
        let value = json!({"payment": number}).to_string();
        let mut record = BaseRecord::<str, str>::to("payments").payload(value.as_str());
        while let Err((_full, again)) = producer.send(record) {
            record = again;
            producer.poll(Duration::from_millis(50));
        }
    }
    producer.flush(LONG).unwrap();
}

/// What is in a topic, by payment; each once.
fn found(port: u16, topic: &str, enough: usize, field: &str) -> BTreeMap<u64, Value> {
    let mut found = BTreeMap::new();
    for (_key, value) in read_all(port, topic, enough) {
        let before = found.insert(value["payment"].as_u64().unwrap(), value[field].clone());
        assert_eq!(before, None, "once: {value}");
    }
    found
}

/// Files below a folder that hold a text.
fn holding(folder: &Path, text: &str, found: &mut Vec<PathBuf>) {
    for item in std::fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            holding(&path, text, found);
        } else if std::fs::read(&path).is_ok_and(|it| it.windows(text.len()).any(|it| it == text.as_bytes()))
        {
            found.push(path);
        }
    }
}

fn failed_calls(frames: &[AgentFrame]) -> Option<()> {
    let newest = frames.iter().rev().find_map(|frame| match &frame.frame {
        Some(Frame::Jobs(report)) => report.jobs.iter().find(|it| it.job_id == JOB).cloned(),
        _other => None,
    })?;
    let calls = |code| code == i32::from(JobFailureCode::CallFailed);
    newest.failures.iter().any(|it| calls(it.code)).then_some(())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "wants Java, WEIR_KAFKA_LIBS and WEIR_FLINK_LIBS"]
#[expect(
    clippy::too_many_lines,
    reason = "one life from beginning to end, read top to bottom"
)]
async fn each_payment_is_scored_once_or_a_dead_letter_whatever_the_model_does() {
    let libs = PathBuf::from(std::env::var_os("WEIR_KAFKA_LIBS").unwrap());
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("agent");
    let policy = folder.path().join("policy.toml");
    std::fs::write(&policy, "[jobs]\nhosts = [\"127.0.0.1:1\"]\n").unwrap();
    let endpoint = Endpoint::default();
    let asked = endpoint.clone().start().await;
    let plane = ControlPlane::start().await;
    let port_base = ports().gateway();
    let agent = run_with(&state, &plane, &libs, port_base, Some(&policy));
    plane
        .until("hello", LONG, |frames| (!frames.is_empty()).then_some(()))
        .await;
    let credentials = state.join("credentials");
    std::fs::create_dir_all(&credentials).unwrap();
    let credential = format!("hosts = [\"127.0.0.1:{asked}\"]\npassword = \"{KEY}\"\n");
    std::fs::write(credentials.join("models.toml"), credential).unwrap();

    // The customer's word comes first: nothing is started for a model that the policy does not name.
    let first = wished(1, program(asked, "answer"));
    plane.wish(plane.seal(1, 1, &first)).await;
    let refused = |frames: &[AgentFrame]| {
        newest(frames, JOB).filter(|it| it.phase() == Phase::Failed && it.reason() == Reason::PolicyRefused)
    };
    plane.until("the policy refuses the model", LONG, refused).await;
    assert_eq!(pid_of(&state, "jobmanager"), None);
    std::fs::write(&policy, format!("[jobs]\nhosts = [\"127.0.0.1:{asked}\"]\n")).unwrap();
    phase(&plane, Phase::Running).await;

    beside(move || produce(port_base, 0..PAYMENTS_FIRST / 2)).await;
    let half = endpoint.asked.clone();
    let deadline = std::time::Instant::now() + LONG;
    while half.lock().unwrap().len() < 50 {
        assert!(std::time::Instant::now() < deadline, "the model is asked");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Questions that were under way are asked again; what is written counts once.
    let pid = rustix::process::Pid::from_raw(pid_of(&state, "taskmanager-0").unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    beside(move || produce(port_base, PAYMENTS_FIRST / 2..PAYMENTS_FIRST)).await;
    let suspects = |numbers: std::ops::Range<u64>| -> BTreeMap<u64, Value> {
        let good = numbers.filter(|it| !fails(*it) && !hangs(*it) && score(*it) > 0.5);
        good.map(|it| (it, score(it).into())).collect()
    };
    let dead: BTreeMap<u64, Value> = (0..PAYMENTS_FIRST)
        .filter(|it| fails(*it) || hangs(*it))
        .map(|it| {
            (
                it,
                if fails(it) {
                    "weir:CALL_5XX"
                } else {
                    "weir:CALL_TIMEOUT"
                }
                .into(),
            )
        })
        .collect();
    let (expected, unscored) = (suspects(0..PAYMENTS_FIRST), dead.clone());
    beside(move || {
        assert_eq!(found(port_base, "alerts", expected.len(), "score"), expected);
        assert_eq!(found(port_base, "unscored", unscored.len(), "answer"), unscored);
    })
    .await;
    assert_eq!(
        endpoint.asked.lock().unwrap().len() as u64,
        PAYMENTS_FIRST,
        "all were asked"
    );

    // A program that wants no answer instead of one: the job waits until the model is back, and nothing is lost.
    endpoint.broken.store(true, Ordering::Relaxed);
    let second = wished(2, program(asked, "failover"));
    plane.wish(plane.seal(1, 2, &second)).await;
    let later = (PAYMENTS_FIRST..PAYMENTS_ALL).filter(|it| !fails(*it) && !hangs(*it));
    let later: Vec<u64> = later.collect();
    beside(move || later.into_iter().for_each(|it| produce(port_base, it..it + 1))).await;
    plane
        .until("the job says that calls fail", LONG, failed_calls)
        .await;
    phase(&plane, Phase::Degraded).await;
    endpoint.broken.store(false, Ordering::Relaxed);
    let expected = suspects(0..PAYMENTS_ALL);
    beside(move || {
        assert_eq!(found(port_base, "alerts", expected.len(), "score"), expected);
        assert_eq!(found(port_base, "unscored", dead.len(), "answer"), dead);
    })
    .await;

    // Flink asked with a token of ours; the endpoint's key is in the customer's own file, and nowhere else.
    assert_eq!(endpoint.strangers.load(Ordering::Relaxed), 0);
    let mut told = Vec::new();
    holding(folder.path(), KEY, &mut told);
    assert_eq!(told, [credentials.join("models.toml")]);
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(i32::try_from(agent.pid()).unwrap()).unwrap(),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    assert!(beside(move || agent.wait()).await.success());
}
