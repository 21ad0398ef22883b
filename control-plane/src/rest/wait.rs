//! `?wait=`: holds an answer until the object is READY or FAILED, so that nobody sleeps and polls.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::kernel::{Error, Id, Kind, Result};
use crate::rest::extract::Call;
use crate::rest::write::Answer;
use crate::runtime::App;

/// Looks again at least this often, also without a wake-up.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Waits, if the caller asked to, re-reading the answer's object with `read`; answers with its newest form. What was
/// shown once in the first answer stays in it. When the time is over the answer shows where the object stands.
///
/// # Errors
/// Those of `read`.
pub async fn until_ready<K: Kind, F>(
    app: &App,
    call: &Call,
    answer: Answer,
    read: impl Fn(App, Id<K>) -> F + Send + Sync,
) -> Result<Answer>
where
    F: Future<Output = Result<Value>> + Send,
{
    until(app, call, answer, read, |now| {
        matches!(
            now.pointer("/status/phase").and_then(Value::as_str),
            Some("READY" | "FAILED" | "ACTIVE" | "RUNNING" | "SUSPENDED" | "STOPPED" | "COMPLETED")
        )
    })
    .await
}

/// As [`until_ready`], for what is settled when `settled` says so.
///
/// # Errors
/// Those of `read`.
pub async fn until<K: Kind, F>(
    app: &App,
    call: &Call,
    answer: Answer,
    read: impl Fn(App, Id<K>) -> F + Send + Sync,
    settled: impl Fn(&Value) -> bool + Send + Sync,
) -> Result<Answer>
where
    F: Future<Output = Result<Value>> + Send,
{
    let Some(limit) = call.wait else { return Ok(answer) };
    if answer.planned || !(200..300).contains(&answer.status) || answer.body.is_empty() {
        return Ok(answer);
    }
    let first: Value = serde_json::from_slice(&answer.body).map_err(Error::internal)?;
    let Some(id) = first
        .get("id")
        .and_then(Value::as_str)
        .and_then(|it| it.parse().ok())
    else {
        return Ok(answer);
    };
    let look = || async {
        let now = read(app.clone(), id).await?;
        let settled = settled(&now);
        Ok::<_, Error>((now, settled))
    };
    let now = until_settled(app, limit, look).await?;
    with_newest(answer, first, now)
}

/// Looks after each change until what is seen is settled or the time is over; gives what was seen last.
///
/// # Errors
/// Those of `look`.
pub async fn until_settled<T, F>(app: &App, limit: Duration, look: impl Fn() -> F + Send) -> Result<T>
where
    F: Future<Output = Result<(T, bool)>> + Send,
{
    let end = Instant::now() + limit;
    let mut changes = app.wake.changes();
    loop {
        changes.mark_unchanged();
        let (now, settled) = look().await?;
        if settled || Instant::now() >= end {
            return Ok(now);
        }
        let next = end.min(Instant::now() + LOOK_AGAIN);
        // Either outcome means: look again.
        let _woken = tokio::time::timeout_at(next, changes.changed()).await;
    }
}

fn with_newest(answer: Answer, mut body: Value, now: Value) -> Result<Answer> {
    if let (Some(first), Value::Object(now)) = (body.as_object_mut(), now) {
        first.extend(now);
    }
    Ok(Answer {
        body: serde_json::to_vec(&body).map_err(Error::internal)?,
        ..answer
    })
}
