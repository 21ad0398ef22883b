//! What an endpoint's answer means, and what Flink is told. Pure.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use weir_sql::model::FAILURE_MARK;

use crate::processor::engine::{Answer, DeadLetterCode, Failure};

/// Why there is no answer, in the words of dead letters.
pub type Code = DeadLetterCode;

/// The policy does not allow it, or the secret is not there.
pub const FORBIDDEN: Code = Code::CallForbidden;

/// What follows from an attempt.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The model's text.
    Answered(String),
    /// None.
    Failed {
        /// Why.
        code: Code,
        /// Another attempt may help.
        may_pass: bool,
    },
}

/// Judges an attempt.
pub fn judge(answer: &Answer) -> Verdict {
    let failed = |code, may_pass| Verdict::Failed { code, may_pass };
    let (status, body) = match answer {
        Answer::Response { status, body } => (*status, body),
        Answer::Failure(Failure::Timeout) => return failed(Code::CallTimeout, true),
        Answer::Failure(Failure::Unreachable) => return failed(Code::CallUnreachable, true),
        Answer::Failure(Failure::TooLarge) => return failed(Code::CallTooLarge, false),
        Answer::Failure(Failure::Refused) => return failed(FORBIDDEN, false),
    };
    match status {
        200..=299 => {}
        408 | 425 | 429 => return failed(Code::CallRefused4xx, true),
        400..=499 => return failed(Code::CallRefused4xx, false),
        500..=599 => return failed(Code::CallFailed5xx, true),
        _other => return failed(Code::CallUnexpected, false),
    }
    let said: Option<Value> = serde_json::from_slice(body).ok();
    let text = said
        .as_ref()
        .and_then(|it| it.pointer("/choices/0/message/content"));
    match text.and_then(Value::as_str) {
        None => failed(Code::CallNotJson, false),
        // No model says what only we say.
        Some(text) if text.starts_with(FAILURE_MARK) => failed(Code::CallUnexpected, false),
        Some(text) => Verdict::Answered(text.to_owned()),
    }
}

/// A failure as an answer.
pub fn marked(code: Code) -> String {
    format!("{FAILURE_MARK}{}", code.as_str())
}

/// A text as chat completions have it.
pub fn completion(text: &str) -> Response {
    Json(json!({
        "id": "answer",
        "object": "chat.completion",
        "created": 0,
        "model": "model",
        "choices": [{
            "index": 0,
            "finish_reason": "stop",
            "logprobs": null,
            "message": {"role": "assistant", "content": text, "refusal": null},
        }],
    }))
    .into_response()
}

/// A failure that is the job's. Flink asks again what has another status: it is told those that it takes as they are, and each
/// is another class there.
pub fn refusal(code: Code) -> Response {
    let status = match code {
        Code::CallForbidden | Code::CallRefused4xx => StatusCode::FORBIDDEN,
        Code::CallUnexpected | Code::CallNotJson | Code::CallTooLarge => StatusCode::UNPROCESSABLE_ENTITY,
        _absent => StatusCode::FAILED_DEPENDENCY,
    };
    let error = json!({"message": code.as_str(), "type": "weir", "param": null, "code": code.as_str()});
    (status, Json(json!({"error": error}))).into_response()
}
