//! A job asks, and an endpoint answers well, badly, late, or not at all.

use std::sync::Mutex;

use super::*;
use axum::Json;
use serde_json::{Value, json};

/// What the endpoint was asked with.
type Seen = Arc<Mutex<Vec<(String, String)>>>;

/// An endpoint that does what it is told by the question.
async fn endpoint() -> (u16, Seen) {
    let seen = Seen::default();
    let kept = Arc::clone(&seen);
    let answer = async move |headers: HeaderMap, Json(asked): Json<Value>| -> Response {
        let question = asked["messages"][0]["content"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let key = headers
            .get(header::AUTHORIZATION)
            .map(|it| it.to_str().unwrap().to_owned());
        kept.lock()
            .unwrap()
            .push((question.clone(), key.unwrap_or_default()));
        match question.as_str() {
            "fail" => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            "refuse" => StatusCode::BAD_REQUEST.into_response(),
            "away" => (StatusCode::FOUND, [(header::LOCATION, "http://127.0.0.1:1/")]).into_response(),
            "odd" => "[]".into_response(),
            "hang" => std::future::pending().await,
            "mark" => completion("weir:CALL_5XX"),
            _other => completion("0.5"),
        }
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let router = Router::new().route("/v1/chat/completions", post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (port, seen)
}

fn model(port: u16, more: &str) -> Model {
    let known = weir_sql::Known {
        sources: ["a".to_owned()].into(),
        sinks: ["b".to_owned()].into(),
    };
    let text = format!(
        "CREATE MODEL m INPUT (q STRING) OUTPUT (a STRING) WITH ('provider' = 'openai', 'model' = 'x',
         'endpoint' = 'http://127.0.0.1:{port}/v1/chat/completions', 'timeout' = '500 ms', 'retry-num' = '1', 'secret' = 'models'{more});
         SELECT a FROM ML_PREDICT(TABLE a, MODEL m, DESCRIPTOR(q))"
    );
    weir_sql::fence(&text, &known).unwrap().models.remove(0)
}

struct Asking {
    models: Models,
    relay: Relay,
    _folder: tempfile::TempDir,
}

fn asking(model: Model, hosts: &[String], secret: Option<&str>) -> Asking {
    let folder = tempfile::tempdir().unwrap();
    let models = Models::open(&folder.path().join("models.port")).unwrap();
    let relay = models.relay("job_1", "job's secret");
    let secret = secret.map(|it| Hidden(it.to_owned()));
    let asks = Asks {
        token: Hidden(relay.token.clone()),
        models: BTreeMap::from([("m".to_owned(), (model, secret))]),
        schemas: Schemas {
            texts: BTreeMap::from([(7, "\"string\"".to_owned())]),
            written: BTreeMap::from([("out".to_owned(), 7)]),
        },
    };
    models.tell(Routes {
        hosts: hosts.to_vec(),
        jobs: BTreeMap::from([("job_1".to_owned(), asks)]),
    });
    Asking {
        models,
        relay,
        _folder: folder,
    }
}

/// Status, and the answer's text or the error's.
async fn ask(asking: &Asking, path: &str, token: &str, question: &str) -> (u16, String) {
    let body = json!({"model": "x", "messages": [{"role": "user", "content": question}]}).to_string();
    let request = Request {
        step: 0,
        method: "POST",
        url: format!(
            "http://127.0.0.1:{}/{path}/chat/completions",
            asking.models.port()
        ),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        secret: Some(SecretUse {
            reference: "token".to_owned(),
            header: "authorization".to_owned(),
            prefix: "Bearer ".to_owned(),
        }),
        body: Some(body.into_bytes()),
        timeout_ms: 30_000,
        attempt: 1,
        wait_ms: 0,
    };
    let secrets = BTreeMap::from([("token".to_owned(), Hidden(token.to_owned()))]);
    let made = Made::with(&["127.0.0.1:*".to_owned()], secrets);
    let crate::processor::engine::Answer::Response { status, body } = made.ask(&request).await else {
        panic!("the relay does not answer");
    };
    let said: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = said
        .pointer("/choices/0/message/content")
        .or_else(|| said.pointer("/error/code"));
    (
        status,
        text.and_then(Value::as_str).unwrap_or_default().to_owned(),
    )
}

#[tokio::test]
async fn a_question_goes_out_with_the_secret_and_comes_back_as_a_text() {
    let (port, seen) = endpoint().await;
    let hosts = [format!("127.0.0.1:{port}")];
    let asking = asking(model(port, ""), &hosts, Some("sk-hush"));
    let token = asking.relay.token.clone();
    assert_eq!(
        ask(&asking, "job_1/m", &token, "well").await,
        (200, "0.5".to_owned())
    );
    let all = seen.lock().unwrap().clone();
    assert_eq!(all, [("well".to_owned(), "Bearer sk-hush".to_owned())]);
    // Nobody asks with another's token, or for what is not there.
    for (path, token, status) in [
        ("job_1/m", "wrong", 401),
        ("job_1/m", "", 401),
        ("job_2/m", token.as_str(), 401),
        ("job_1/n", token.as_str(), 404),
    ] {
        assert_eq!(ask(&asking, path, token, "well").await.0, status, "{path}");
    }
    assert_eq!(seen.lock().unwrap().len(), 1);
    assert!(!format!("{:?}", asking.desk_routes()).contains("hush"));
}

impl Asking {
    fn desk_routes(&self) -> Routes {
        self.models.desk.served.load().routes.clone()
    }
}

#[tokio::test]
async fn failures_are_answers_where_the_program_wants_them_and_else_the_jobs() {
    let (port, seen) = endpoint().await;
    let hosts = [format!("127.0.0.1:{port}")];
    let answers = asking(
        model(port, ", 'error-handling-strategy' = 'answer'"),
        &hosts,
        Some("k"),
    );
    let fails = asking(model(port, ""), &hosts, Some("k"));
    for (question, code, status, attempts) in [
        ("fail", "CALL_5XX", 424, 2),
        ("hang", "CALL_TIMEOUT", 424, 2),
        ("refuse", "CALL_4XX", 403, 1),
        ("away", "CALL_UNEXPECTED", 422, 1),
        ("odd", "CALL_NOT_JSON", 422, 1),
        ("mark", "CALL_UNEXPECTED", 422, 1),
    ] {
        seen.lock().unwrap().clear();
        let said = ask(&answers, "job_1/m", &answers.relay.token, question).await;
        assert_eq!(said, (200, format!("weir:{code}")), "{question}");
        assert_eq!(seen.lock().unwrap().len(), attempts, "{question}");
        let said = ask(&fails, "job_1/m", &fails.relay.token, question).await;
        assert_eq!(said, (status, code.to_owned()), "{question}");
    }
}

#[tokio::test]
async fn whom_the_policy_does_not_name_is_not_asked_and_no_secret_is_made_up() {
    let (port, seen) = endpoint().await;
    let strategy = ", 'error-handling-strategy' = 'answer'";
    let closed = asking(model(port, strategy), &["127.0.0.1:1".to_owned()], Some("k"));
    let said = ask(&closed, "job_1/m", &closed.relay.token, "well").await;
    assert_eq!(said, (200, "weir:CALL_FORBIDDEN".to_owned()));
    let without = asking(model(port, strategy), &[format!("127.0.0.1:{port}")], None);
    let said = ask(&without, "job_1/m", &without.relay.token, "well").await;
    assert_eq!(said, (200, "weir:CALL_FORBIDDEN".to_owned()));
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn it_listens_where_it_did_before() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("models.port");
    let first = Models::open(&file).unwrap();
    let port = first.port();
    let taken = Models::open(&file).unwrap();
    assert_ne!(taken.port(), port, "somebody has it");
    assert_eq!(first.relay("j", "s").token, taken.relay("j", "s").token);
    assert_ne!(first.relay("j", "s").token, first.relay("j", "t").token);
}

#[tokio::test]
async fn a_job_is_told_the_schemas_of_its_own_topics_and_nobody_else_is() {
    let asking = asking(model(1, ""), &[], None);
    let base = format!("http://127.0.0.1:{}", asking.models.port());
    let call = |method: &'static str, path: &str, token: &str| {
        let request = Request {
            step: 0,
            method,
            url: format!("{base}/{path}"),
            headers: Vec::new(),
            secret: Some(SecretUse {
                reference: "token".to_owned(),
                header: "authorization".to_owned(),
                prefix: "Bearer ".to_owned(),
            }),
            body: (method == "POST").then(|| b"{}".to_vec()),
            timeout_ms: 30_000,
            attempt: 1,
            wait_ms: 0,
        };
        let secrets = BTreeMap::from([("token".to_owned(), Hidden(token.to_owned()))]);
        async move {
            let made = Made::with(&["127.0.0.1:*".to_owned()], secrets);
            let crate::processor::engine::Answer::Response { status, body } = made.ask(&request).await else {
                panic!("the relay does not answer");
            };
            (status, serde_json::from_slice::<Value>(&body).unwrap_or_default())
        }
    };
    let token = asking.relay.token.clone();
    let (status, told) = call("GET", "job_1/registry/schemas/ids/7?fetchMaxId=false", &token).await;
    assert_eq!((status, &told["schema"]), (200, &json!("\"string\"")));
    let (status, told) = call("POST", "job_1/registry/subjects/out/versions", &token).await;
    assert_eq!((status, &told["id"]), (200, &json!(7)));
    for (method, path, token, expected) in [
        ("GET", "job_1/registry/schemas/ids/8", token.as_str(), 404),
        ("POST", "job_1/registry/subjects/other/versions", &token, 404),
        ("GET", "job_1/registry/schemas/ids/7", "another", 401),
        ("GET", "job_2/registry/schemas/ids/7", &token, 401),
    ] {
        let (status, _told) = call(method, path, token).await;
        assert_eq!(status, expected, "{path}");
    }
}
