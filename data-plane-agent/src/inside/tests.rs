//! The endpoint's answers, in process.

use super::*;
use crate::cluster_links::scene;
use crate::dead_letters::samples::{self, LETTERS, ORDERS};
use crate::link::ledger::{Form, Ledger};
use axum::body::Body;
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use prost::Message;
use serde_json::{Value, json};
use tower::ServiceExt;
use weir_proto::agent::v1::{AgentFrame, Hello, RecordPart, ViolationKind, agent_frame::Frame};
use weir_proto::lane::v1::{ContractWindow, ViolationExample};

/// With a dead-letter topic that has so many letters; says how often brokers were asked.
fn with(folder: &std::path::Path, letters: usize) -> (Inside, impl Fn() -> usize) {
    let (office, logs) = samples::office(folder, letters);
    let inside = Inside {
        sources: Sources {
            ledger: folder.to_owned(),
            contracts: Arc::default(),
            dead_letters: Arc::new(office),
            previews: Arc::new(Previews::new(Arc::default(), samples::post(0).0, folder)),
            links: scene::idle(folder),
            token: Token::open_or_make(folder).unwrap(),
        },
        last: Arc::default(),
    };
    (inside, move || logs.calls().len())
}

fn of(folder: &std::path::Path) -> Inside {
    with(folder, 0).0
}

async fn ask(
    inside: &Inside,
    method: Method,
    path: &str,
    token: Option<&str>,
    body: &str,
) -> (StatusCode, Value) {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let answer = router(inside.clone()).oneshot(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

async fn get(inside: &Inside, path: &str) -> (StatusCode, String, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer = router(inside.clone()).oneshot(request).await.unwrap();
    let policy = answer.headers()[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap()
        .to_owned();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, policy, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn the_page_shows_what_left_and_escapes_it() {
    let folder = tempfile::tempdir().unwrap();
    let log = Ledger::open(folder.path()).unwrap();
    let hello = Hello {
        kafka_version: "<script>alert(1)</script>".to_owned(),
        ..Default::default()
    };
    let frame = AgentFrame {
        frame: Some(Frame::Hello(hello)),
    };
    log.append(Form::AgentFrame, &frame.encode_to_vec()).unwrap();
    let inside = of(folder.path());
    let (status, policy, body) = get(&inside, "/").await;
    assert_eq!(status, StatusCode::OK);
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
    assert!(body.contains("What left this network") && body.contains("hello"));
    assert!(!body.contains("<script>") && body.contains("&lt;script&gt;"));
    let (_status, _policy, json) = get(&inside, "/v1/ledger?limit=1").await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["verified"], true);
    assert_eq!(json["summary"]["kinds"]["hello"]["entries"], 1);
    assert_eq!(get(&inside, "/v1/other").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_broken_ledger_is_shown_as_broken() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("00000000000000000001.jsonl"), "{}\n").unwrap();
    let inside = of(folder.path());
    let (_status, _policy, body) = get(&inside, "/").await;
    assert!(body.contains("not whole"), "{body}");
}

#[tokio::test]
async fn violations_are_shown_as_examples_and_escaped() {
    let folder = tempfile::tempdir().unwrap();
    let inside = of(folder.path());
    let (_status, _policy, body) = get(&inside, "/contracts").await;
    assert!(body.contains("No record has broken"), "{body}");
    let example = ViolationExample {
        topic_id: "topic_1".to_owned(),
        part: RecordPart::Value.into(),
        kind: ViolationKind::Condition.into(),
        rule: 2,
        rule_name: "<b>small</b>".to_owned(),
        record: "{amount: int}".to_owned(),
        at_unix_ms: 1_700_000_000_000,
        ..ViolationExample::default()
    };
    inside.sources.contracts.add(ContractWindow {
        report: None,
        examples: vec![example],
    });
    let (status, policy, body) = get(&inside, "/contracts").await;
    assert_eq!(status, StatusCode::OK);
    assert!(policy.contains("default-src 'none'"));
    assert!(body.contains("{amount: int}") && body.contains("CONDITION"));
    assert!(!body.contains("<b>") && body.contains("&lt;b&gt;small"));
    let (_status, _policy, json) = get(&inside, "/v1/contract-violations").await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["violations"][0]["kind"], "CONDITION");
    assert_eq!(
        (&json["violations"][0]["part"], &json["violations"][0]["rule"]),
        (&"VALUE".into(), &2.into())
    );
}

#[tokio::test]
async fn letters_are_listed_page_by_page_and_payloads_for_whoever_has_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let (inside, _asked) = with(folder.path(), 5);
    let path = format!("/v1/dead-letters/{LETTERS}/letters");
    let (status, page) = ask(&inside, Method::GET, &format!("{path}?limit=4"), None, "").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(page["next"], json!({"partition": 1, "offset": 1}));
    assert_eq!(page["letters"].as_array().unwrap().len(), 4);
    assert_eq!(
        page["letters"][0],
        json!({
            "partition": 0, "offset": 0, "timestamp_unix_ms": 1_700_000_000_000_u64,
            "origin": {"topic": "orders", "partition": 0, "offset": 7, "timestamp_unix_ms": null},
            "rule": "small", "mode": null, "subject": null, "exception": null,
            "redriven": 0, "not_redriven": null, "size": page["letters"][0]["size"], "too_large": null,
        })
    );
    let shown = format!("{path}?partition=1&offset=1&payload=true");
    for wrong in [None, Some("x"), Some("")] {
        let (status, problem) = ask(&inside, Method::GET, &shown, wrong, "").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert!(problem["detail"].as_str().unwrap().contains("inside-token"));
    }
    let token = std::fs::read_to_string(folder.path().join("inside-token")).unwrap();
    let (status, page) = ask(&inside, Method::GET, &shown, Some(token.trim()), "").await;
    assert_eq!((status, &page["next"]), (StatusCode::OK, &Value::Null));
    assert_eq!(page["letters"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&page["letters"][0]["key"], &page["letters"][0]["value"]),
        (
            &json!({"base64": "/w==", "bytes": 1, "cut": false}),
            &json!({"text": "value 3", "bytes": 7, "cut": false})
        )
    );
    for (query, expected) in [("?limit=x", 400), ("?other=1", 400)] {
        let (status, problem) = ask(&inside, Method::GET, &format!("{path}{query}"), None, "").await;
        assert_eq!(status.as_u16(), expected);
        assert!(problem["detail"].is_string());
    }
    let other = format!("/v1/dead-letters/{ORDERS}/letters");
    assert_eq!(ask(&inside, Method::GET, &other, None, "").await.0, 404);
}

#[tokio::test]
async fn a_redrive_takes_the_token_and_is_watched_without() {
    let folder = tempfile::tempdir().unwrap();
    let (inside, asked) = with(folder.path(), 3);
    let token = std::fs::read_to_string(folder.path().join("inside-token")).unwrap();
    let token = Some(token.trim());
    let path = format!("/v1/dead-letters/{LETTERS}/redrive");
    let look = || ask(&inside, Method::GET, &path, None, "");
    for method in [Method::POST, Method::DELETE] {
        assert_eq!(ask(&inside, method, &path, None, "{}").await.0, 401);
    }
    assert_eq!(look().await.0, 404);
    for (body, expected) in [("{\"dry\":1}", 400), ("no", 400), (&" ".repeat(5000)[..], 413)] {
        let (status, problem) = ask(&inside, Method::POST, &path, token, body).await;
        assert_eq!(status.as_u16(), expected);
        assert!(problem["detail"].is_string());
    }
    assert_eq!(asked(), 0);
    let (status, begun) = ask(&inside, Method::POST, &path, token, "").await;
    assert_eq!(
        (status, &begun["phase"]),
        (StatusCode::ACCEPTED, &json!("RUNNING"))
    );
    let until = Instant::now() + Duration::from_secs(30);
    let ended = loop {
        let (_status, progress) = look().await;
        if progress["phase"] != "RUNNING" {
            break progress;
        }
        assert!(Instant::now() < until, "{progress}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(
        (&ended["phase"], &ended["delivered"], &ended["to"]),
        (&json!("DONE"), &json!(3), &json!({"0": 2, "1": 1}))
    );
    assert_eq!(ask(&inside, Method::DELETE, &path, token, "").await.0, 200);
    let elsewhere = format!("/v1/dead-letters/{ORDERS}/redrive");
    assert_eq!(ask(&inside, Method::POST, &elsewhere, token, "").await.0, 404);
}

#[tokio::test]
async fn a_preview_takes_the_token_and_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let inside = of(folder.path());
    let token = std::fs::read_to_string(folder.path().join("inside-token")).unwrap();
    let token = Some(token.trim());
    let path = "/v1/job-previews";
    let asked = r#"{"job": "job_1", "samples": [{"value": {}}]}"#;
    assert_eq!(ask(&inside, Method::POST, path, None, asked).await.0, 401);
    let large = format!("{{\"job\": \"{}\"}}", "x".repeat(1 << 20));
    let other = r#"{"job": "job_1", "last": 1, "shell": "id"}"#;
    for (body, expected) in [(asked, 404), ("no", 400), (other, 400), (&large[..], 413)] {
        let (status, problem) = ask(&inside, Method::POST, path, token, body).await;
        assert_eq!(status.as_u16(), expected, "{problem}");
        assert!(problem["detail"].is_string());
    }
    assert_eq!(ask(&inside, Method::GET, path, token, "").await.0, 405);
}

#[tokio::test]
async fn a_question_to_a_job_in_sql_takes_the_token_and_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let inside = of(folder.path());
    let token = std::fs::read_to_string(folder.path().join("inside-token")).unwrap();
    let path = "/v1/job-selects";
    let asked = r#"{"job": "job_1", "statement": "SELECT 1 FROM t LIMIT 1"}"#;
    assert_eq!(ask(&inside, Method::POST, path, None, asked).await.0, 401);
    let large = format!("{{\"job\": \"{}\"}}", "x".repeat(1 << 18));
    let other = r#"{"job": "job_1", "statement": "SELECT 1", "url": "x"}"#;
    for (body, expected) in [(asked, 404), ("no", 400), (other, 400), (&large[..], 413)] {
        let (status, problem) = ask(&inside, Method::POST, path, Some(token.trim()), body).await;
        assert_eq!(status.as_u16(), expected, "{problem}");
        assert!(problem["detail"].is_string());
    }
}

#[tokio::test]
async fn the_page_for_questions_has_a_form_and_answers_nobody_without_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let inside = of(folder.path());
    let (status, policy, body) = get(&inside, "/selects?job=job_1").await;
    assert_eq!(status, StatusCode::OK);
    assert!(policy.contains("form-action 'self'") && policy.contains("default-src 'none'"));
    assert!(body.contains("value=\"job_1\"") && !body.contains("<script"));
    assert!(get(&inside, "/").await.1.contains("form-action 'none'"));
    let token = std::fs::read_to_string(folder.path().join("inside-token")).unwrap();
    let send = async |token: &str| {
        let body = format!("token={token}&job=job_1&statement=SELECT+1+FROM+t+LIMIT+1");
        let request = Request::post("/selects")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body));
        let answer = router(inside.clone()).oneshot(request.unwrap()).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    };
    let (status, body) = send("wrong-one").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(body.contains("inside-token") && !body.contains("wrong-one"));
    let (status, body) = send(token.trim()).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(body.contains("No job of this id") && body.contains("SELECT 1 FROM t LIMIT 1"));
}
