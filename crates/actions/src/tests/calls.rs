//! Calls: what is asked, what is made of answers, and what of failures.

use serde_json::{Value as Json, json};

use super::host::*;
use crate::*;

const PAYMENT: &str = r#"{"id":"p/1 ü","amount":150,"text":"say \"}{{ 'x"}"#;

fn rest(more: &Json) -> Json {
    let mut call = json!({"url": "https://scores.example/v1", "set": {"score": "response.score"}});
    for (name, value) in more.as_object().expect("an object") {
        call[name] = value.clone();
    }
    json!([{ "call": call }])
}

fn begin(steps: &Json) -> (Plan, Fake, Box<Request>, Box<Suspended>) {
    let host = Fake::default();
    let plan = compiled(&self::steps(steps), plain(), &host);
    match plan.begin(&record(PAYMENT.as_bytes()), &mut plan.seen(), &host) {
        Next::Call(request, suspended) => (plan, host, request, suspended),
        Next::Done(outcome) => panic!("{outcome:?}"),
    }
}

fn body(request: &Request) -> Json {
    serde_json::from_slice(request.body.as_deref().expect("a body")).expect("it is JSON")
}

fn answer(status: u16, body: &str) -> Answer {
    Answer::Response {
        status,
        body: body.as_bytes().to_vec(),
    }
}

/// What comes of the record when the endpoint answers so.
fn after(steps: &Json, answer: &Answer) -> Json {
    let (_plan, host, _request, suspended) = begin(steps);
    match suspended.resume(answer, &host) {
        Next::Done(outcome) => told(&host, b"{}", &outcome),
        Next::Call(request, _) => json!({"again": request.attempt, "wait_ms": request.wait_ms}),
    }
}

#[test]
fn what_a_record_holds_cannot_leave_its_place() {
    let (_plan, _host, request, _suspended) = begin(&rest(&json!({
        "path": ["message.id", "message.amount"], "query": {"q&": "message.text"},
        "headers": {"X-Team": "risk"}, "secret": {"reference": "scores-key"},
        "body": "{'payment': message.text, 'n': [message.amount]}", "timeout_ms": 500})));
    assert_eq!(
        request.url,
        "https://scores.example/v1/p%2F1%20%C3%BC/150?q%26=say%20%22%7D%7B%7B%20%27x"
    );
    assert_eq!(
        (request.method, request.timeout_ms, request.attempt, request.step),
        ("POST", 500, 1, 1)
    );
    assert_eq!(body(&request), json!({"payment": "say \"}{{ 'x", "n": [150]}));
    assert!(
        request
            .headers
            .contains(&("X-Team".to_owned(), "risk".to_owned()))
    );
    let secret = request.secret.as_ref().expect("a secret");
    assert_eq!(
        (
            secret.reference.as_str(),
            secret.header.as_str(),
            secret.prefix.as_str()
        ),
        ("scores-key", "Authorization", "Bearer ")
    );
    assert!(
        !format!("{request:?}").contains("150"),
        "a request in a log says nothing of the record"
    );
    let (_plan, _host, request, _suspended) = begin(&rest(&json!({})));
    assert_eq!(
        body(&request),
        serde_json::from_str::<Json>(PAYMENT).expect("it is JSON")
    );
    let (_plan, _host, request, _suspended) = begin(&rest(&json!({"method": "GET"})));
    assert_eq!((request.method, &request.body), ("GET", &None));
}

#[test]
fn parts_of_a_path_cannot_lead_elsewhere() {
    for part in ["'..'", "'.'", "''", "message", "1.5"] {
        let plan_steps = rest(&json!({"path": [part]}));
        let host = Fake::default();
        let plan = compiled(&steps(&plan_steps), plain(), &host);
        let outcome = run(&plan, &host, PAYMENT.as_bytes());
        assert_eq!(
            told(&host, b"", &outcome),
            json!({"dead": "BAD_REQUEST", "step": 1}),
            "{part}"
        );
    }
}

#[test]
fn an_answer_is_put_into_fields() {
    let steps = rest(&json!({"set": {"score": "response.score", "how.status": "status"}}));
    let mut expected: Json = serde_json::from_str(PAYMENT).expect("it is JSON");
    expected["score"] = json!(0.75);
    expected["how"] = json!({"status": 201});
    assert_eq!(
        after(&steps, &answer(201, r#"{"score": 0.75}"#)),
        json!({"sink": "out", "value": expected})
    );
    assert_eq!(
        after(&steps, &answer(200, r#"{"other": 1}"#)),
        json!({"dead": "EXPRESSION", "step": 1})
    );
    // Steps behind the call see what it said, and may call again.
    let two = json!([{"call": {"url": "http://a", "set": {"a": "response"}}}, {"filter": {"where": "message.a > 1"}},
        {"call": {"url": "http://b", "set": {"b": "response + message.a"}, "path": ["message.a"]}}, {"project": {"fields": ["a", "b"]}}]);
    let (_plan, host, request, suspended) = begin(&two);
    assert_eq!(request.url, "http://a");
    let Next::Call(request, suspended) = suspended.resume(&answer(200, "2"), &host) else {
        panic!("it calls again")
    };
    assert_eq!(
        (request.url.as_str(), request.step, request.attempt),
        ("http://b/2", 3, 1)
    );
    let Next::Done(outcome) = suspended.resume(&answer(200, "3"), &host) else {
        panic!("it is done")
    };
    assert_eq!(
        told(&host, b"", &outcome),
        json!({"sink": "out", "value": {"a": 2, "b": 5}})
    );
    assert_eq!(after(&two, &answer(200, "1")), json!({"dropped": 2}));
}

#[test]
fn answers_and_failures_are_classified() {
    let long = "1".repeat(limits::RESPONSE_BYTES_MAX + 1);
    let steps = rest(&json!({"retries": 0, "set": {"a": "response"}}));
    for (answer, expected) in [
        (answer(400, ""), "CALL_4XX"),
        (answer(404, "{}"), "CALL_4XX"),
        (answer(429, ""), "CALL_4XX"),
        (answer(500, ""), "CALL_5XX"),
        (answer(503, ""), "CALL_5XX"),
        (answer(302, ""), "CALL_UNEXPECTED"),
        (answer(200, "<html>"), "CALL_NOT_JSON"),
        (answer(200, "{"), "CALL_NOT_JSON"),
        (answer(200, &"[".repeat(200)), "CALL_NOT_JSON"),
        (answer(200, &long), "CALL_TOO_LARGE"),
        (Answer::Failure(Failure::Timeout), "CALL_TIMEOUT"),
        (Answer::Failure(Failure::Unreachable), "CALL_UNREACHABLE"),
        (Answer::Failure(Failure::TooLarge), "CALL_TOO_LARGE"),
        (Answer::Failure(Failure::Refused), "CALL_FORBIDDEN"),
    ] {
        assert_eq!(
            after(&steps, &answer),
            json!({"dead": expected, "step": 1}),
            "{answer:?}"
        );
    }
    assert_eq!(after(&steps, &answer(204, ""))["value"]["a"], Json::Null);
}

#[test]
fn what_may_pass_is_tried_again_with_longer_waits() {
    let again = |status: u16| after(&rest(&json!({})), &answer(status, ""));
    for status in [408, 425, 429, 500, 599] {
        assert_eq!(again(status), json!({"again": 2, "wait_ms": 200}));
    }
    assert_eq!(again(403), json!({"dead": "CALL_4XX", "step": 1}));
    let (_plan, host, first, mut suspended) = begin(&rest(&json!({"retries": 10})));
    let mut waits = Vec::new();
    let sentence = loop {
        match suspended.resume(&Answer::Failure(Failure::Timeout), &host) {
            Next::Call(request, waiting) => {
                waits.push(request.wait_ms);
                assert_eq!((&request.url, &request.body), (&first.url, &first.body));
                suspended = waiting;
            }
            Next::Done(Outcome::DeadLetter { code, sentence, .. }) => {
                assert_eq!(code, DeadLetterCode::CallTimeout);
                break sentence;
            }
            Next::Done(other) => panic!("{other:?}"),
        }
    };
    assert_eq!(
        waits,
        [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000, 10_000]
    );
    assert_eq!(sentence, "The endpoint did not answer in time (11 attempts).");
    let (_plan, host, _first, suspended) = begin(&rest(&json!({"retries": 10})));
    let Next::Call(_request, suspended) = suspended.resume(&answer(500, ""), &host) else {
        panic!("again")
    };
    let Next::Done(outcome) = suspended.resume(&answer(200, r#"{"score":1}"#), &host) else {
        panic!("done")
    };
    assert_eq!(told(&host, b"", &outcome)["value"]["score"], json!(1));
}

#[test]
fn a_chat_is_asked_in_the_shape_that_models_speak() {
    let chat = |more: &Json| {
        let mut call = json!({"shape": "OPENAI_CHAT", "url": "https://models.example/v1/chat/completions", "model": "small",
            "messages": [{"role": "SYSTEM", "content": "'Answer with JSON.'"}, {"role": "USER", "content": "'Score: ' + message.text"}],
            "set": {"said": "response"}});
        for (name, value) in more.as_object().expect("an object") {
            call[name] = value.clone();
        }
        json!([{ "call": call }])
    };
    let (_plan, _host, request, _suspended) = begin(&chat(
        &json!({"json": true, "temperature": 0.0, "tokens_max": 10}),
    ));
    assert_eq!(
        body(&request),
        json!({"model": "small", "messages": [{"role": "system", "content": "Answer with JSON."},
            {"role": "user", "content": "Score: say \"}{{ 'x"}], "response_format": {"type": "json_object"}, "temperature": 0.0, "max_tokens": 10})
    );
    let said = |text: &str| {
        answer(
            200,
            &json!({"choices": [{"message": {"content": text}}]}).to_string(),
        )
    };
    assert_eq!(
        after(&chat(&json!({})), &said("fine"))["value"]["said"],
        json!("fine")
    );
    assert_eq!(
        after(&chat(&json!({"json": true})), &said(r#"{"n":1}"#))["value"]["said"],
        json!({"n": 1})
    );
    for answer in [
        said("no JSON"),
        answer(200, "{}"),
        answer(200, r#"{"choices":[{"message":{"content":null}}]}"#),
    ] {
        assert_eq!(
            after(&chat(&json!({"json": true})), &answer),
            json!({"dead": "CALL_NOT_JSON", "step": 1})
        );
    }
    let wrong = chat(&json!({"messages": [{"role": "USER", "content": "message.amount"}]}));
    let host = Fake::default();
    let plan = compiled(&steps(&wrong), plain(), &host);
    assert_eq!(
        told(&host, b"", &run(&plan, &host, PAYMENT.as_bytes())),
        json!({"dead": "BAD_REQUEST", "step": 1})
    );
}

#[test]
fn a_record_that_waits_can_go_to_another_thread() {
    let (_plan, _host, _request, suspended) = begin(&rest(&json!({})));
    let outcome = std::thread::spawn(move || {
        match suspended.resume(&answer(200, r#"{"score":1}"#), &Fake::default()) {
            Next::Done(Outcome::Emit { .. }) => "emitted",
            _ => "no",
        }
    });
    assert_eq!(outcome.join().expect("it ends"), "emitted");
    const fn shared<T: Send + Sync>() {}
    shared::<Plan>();
    shared::<Registered>();
}
