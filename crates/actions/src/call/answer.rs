//! What an answer means: a value, another attempt, or a dead letter.

use serde_json::Value as Json;
use weir_contract::value::json::decode;

use super::{Answer, Body, CallPlan, Failure};
use crate::limits::{RESPONSE_BYTES_MAX, RETRY_AFTER_MS, RETRY_AFTER_MS_MAX};
use crate::run::DeadLetterCode as Code;

/// What follows.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The answer, as `response` and `status` see it.
    Answered(Json, u16),
    /// Again, after so long.
    Again(u64),
    /// Nothing more is tried.
    Failed(Code, String),
}

/// Judges an answer to an attempt, the first of which is 1.
pub(crate) fn judge(call: &CallPlan, answer: &Answer, attempt: u32) -> Verdict {
    let (code, sentence, may_pass) = match read(call, answer) {
        Ok(verdict) => return verdict,
        Err(wrong) => wrong,
    };
    if may_pass && attempt <= call.retries {
        return Verdict::Again(wait_ms(attempt));
    }
    let times = if attempt == 1 { "attempt" } else { "attempts" };
    Verdict::Failed(code, format!("{sentence} ({attempt} {times})."))
}

/// Twice as long for each attempt, up to a bound.
fn wait_ms(attempt: u32) -> u64 {
    let doubled = 1_u64.checked_shl(attempt - 1).unwrap_or(u64::MAX);
    RETRY_AFTER_MS.saturating_mul(doubled).min(RETRY_AFTER_MS_MAX)
}

/// A code, a sentence without its end, and whether another attempt may help.
type Wrong = (Code, String, bool);

fn read(call: &CallPlan, answer: &Answer) -> Result<Verdict, Wrong> {
    let (status, body) = match answer {
        Answer::Response { status, body } => (*status, body),
        Answer::Failure(failure) => return Err(failed(*failure)),
    };
    match status {
        200..=299 => {}
        408 | 425 | 429 => {
            return Err((
                Code::CallRefused4xx,
                format!("The endpoint answered {status}"),
                true,
            ));
        }
        400..=499 => {
            return Err((
                Code::CallRefused4xx,
                format!("The endpoint answered {status}"),
                false,
            ));
        }
        500..=599 => {
            return Err((
                Code::CallFailed5xx,
                format!("The endpoint answered {status}"),
                true,
            ));
        }
        _ => {
            let sentence = format!("The endpoint answered {status}, which is neither a success nor an error");
            return Err((Code::CallUnexpected, sentence, false));
        }
    }
    if body.len() > RESPONSE_BYTES_MAX {
        return Err(failed(Failure::TooLarge));
    }
    let not_json = |what: &str| (Code::CallNotJson, what.to_owned(), false);
    // 204 and the like say that there is nothing to say.
    let json = if body.is_empty() {
        Json::Null
    } else {
        decode(body).map_err(|_error| not_json("The endpoint's answer is not JSON"))?
    };
    let Body::Chat(chat) = &call.body else {
        return Ok(Verdict::Answered(json, status));
    };
    let Some(text) = json.pointer("/choices/0/message/content").and_then(Json::as_str) else {
        return Err(not_json(
            "The model's answer has no text in choices[0].message.content",
        ));
    };
    let said = if chat.json {
        decode(text.as_bytes()).map_err(|_error| not_json("The text of the model's answer is not JSON"))?
    } else {
        Json::String(text.to_owned())
    };
    Ok(Verdict::Answered(said, status))
}

fn failed(failure: Failure) -> Wrong {
    match failure {
        Failure::Timeout => (
            Code::CallTimeout,
            "The endpoint did not answer in time".to_owned(),
            true,
        ),
        Failure::Unreachable => (
            Code::CallUnreachable,
            "The endpoint cannot be reached".to_owned(),
            true,
        ),
        Failure::TooLarge => {
            let sentence = format!("The endpoint's answer is larger than {RESPONSE_BYTES_MAX} bytes");
            (Code::CallTooLarge, sentence, false)
        }
        Failure::Refused => {
            let sentence =
                "The call is not allowed by the egress policy, or its secret is missing".to_owned();
            (Code::CallForbidden, sentence, false)
        }
    }
}
