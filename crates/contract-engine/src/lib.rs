//! What the console asks of contracts while somebody writes one: is it sound, what would become of these records, what changed.
//! The answers are those of registry and gateway, because it is their code.

mod compare;
mod draft;
mod inspect;
mod judge;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use draft::{Draft, Problem};

/// A question.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Request {
    /// What is wrong with a draft, and which fields it has.
    Inspect(Draft),
    /// What a gateway would say of records.
    Judge(judge::Judge),
    /// What is different, and whom it breaks.
    Compare(compare::Compare),
}

/// An answer: what was asked for, or why there is none.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum Answer {
    Ok(serde_json::Value),
    /// The draft cannot be read; what is wrong with it.
    Problems(Vec<Problem>),
    /// The question cannot be read: console and engine are of different versions.
    Unread(String),
}

/// Answers a request; both are JSON.
pub fn answer(request: &[u8]) -> Vec<u8> {
    let answer = match serde_json::from_slice(request) {
        Err(error) => Answer::Unread(error.to_string()),
        Ok(Request::Inspect(draft)) => told(Ok(inspect::inspect(&draft))),
        Ok(Request::Judge(asked)) => told(judge::judge(&asked)),
        Ok(Request::Compare(asked)) => told(compare::compare(asked)),
    };
    serde_json::to_vec(&answer).unwrap_or_default()
}

fn told<T: Serialize>(answer: Result<T, Vec<Problem>>) -> Answer {
    match answer.map(serde_json::to_value) {
        Ok(Ok(answer)) => Answer::Ok(answer),
        Ok(Err(error)) => Answer::Unread(error.to_string()),
        Err(problems) => Answer::Problems(problems),
    }
}
