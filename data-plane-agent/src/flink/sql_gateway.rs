//! The SQL gateway's REST API (version 3 of it is Flink 2.x's newest; what is used here stands since version 1): sessions,
//! statements, their results.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::rest::{Rest, RestError, part};

/// How long a statement may take to be planned and begun. A cold gateway needs ten seconds.
const STATEMENT_MAX: Duration = Duration::from_secs(90);
const LOOK: Duration = Duration::from_millis(100);
/// Pages of one result.
const PAGES_MAX: usize = 100;

/// Why a statement has no result.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// The endpoint says no, or nothing.
    #[error(transparent)]
    Rest(#[from] RestError),
    /// It was accepted and failed.
    #[error("the statement failed")]
    Failed {
        /// Flink's words, under the rules of [`RestError::Refused`].
        text: String,
    },
    /// It took longer than statements may.
    #[error("the statement did not end in time")]
    Late,
}

impl SqlError {
    /// Flink's words.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Rest(error) => error.text(),
            Self::Failed { text } => text,
            Self::Late => "",
        }
    }
}

/// The gateway of one pool.
#[derive(Clone)]
pub struct SqlGateway {
    rest: Rest,
}

/// A session: what it made is gone with it, but for jobs.
pub struct Session {
    rest: Rest,
    path: String,
}

impl SqlGateway {
    /// Behind this endpoint.
    #[must_use]
    pub const fn new(rest: Rest) -> Self {
        Self { rest }
    }

    /// Does it answer?
    pub async fn is_ready(&self) -> bool {
        self.rest.get("/v1/info").await.is_ok()
    }

    /// Opens a session with these settings.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn open(&self, properties: &BTreeMap<String, String>) -> Result<Session, SqlError> {
        let answer = self
            .rest
            .post("/v1/sessions", &json!({"properties": properties}))
            .await?;
        let id = part(word(&answer, "sessionHandle")?)?;
        Ok(Session {
            rest: self.rest.clone(),
            path: format!("/v1/sessions/{id}"),
        })
    }
}

impl Session {
    /// Runs a statement to its end; the rows of its result, each as its fields.
    ///
    /// # Errors
    /// Why there are none.
    pub async fn run(&self, statement: &str) -> Result<Vec<Vec<Value>>, SqlError> {
        let operation = self.begin(statement).await?;
        let result = match operation.planned().await {
            Ok(()) => operation.rows().await,
            Err(error) => Err(error),
        };
        operation.close().await;
        result
    }

    /// Begins a statement.
    ///
    /// # Errors
    /// Why it was not begun.
    pub async fn begin(&self, statement: &str) -> Result<Operation, SqlError> {
        let body = json!({"statement": statement});
        let answer = self
            .rest
            .post(&format!("{}/statements", self.path), &body)
            .await?;
        let operation = part(word(&answer, "operationHandle")?)?;
        Ok(Operation {
            rest: self.rest.clone(),
            path: format!("{}/operations/{operation}", self.path),
        })
    }

    /// Ends the session. Best effort: Flink ends idle ones itself.
    pub async fn close(self) {
        let _closed = self.rest.delete(&self.path).await;
    }
}

/// A statement that was begun.
pub struct Operation {
    rest: Rest,
    path: String,
}

/// A part of a statement's result.
#[derive(Debug, Default)]
pub struct Page {
    /// Names and types of the columns.
    pub columns: Vec<(String, String)>,
    /// Rows, each as its fields.
    pub rows: Vec<Vec<Value>>,
    /// There is nothing yet: it is asked for again.
    pub is_early: bool,
    /// The next page, unless this is the last.
    pub next: Option<u64>,
}

impl Operation {
    /// Waits until it is planned, and ended or, if it is a query, begun.
    ///
    /// # Errors
    /// Why it is not.
    pub async fn planned(&self) -> Result<(), SqlError> {
        let deadline = Instant::now() + STATEMENT_MAX;
        loop {
            let answer = self.rest.get(&format!("{}/status", self.path)).await?;
            match word(&answer, "status")? {
                "FINISHED" => return Ok(()),
                // Its result says why.
                "ERROR" | "TIMEOUT" | "CANCELED" | "CLOSED" => {
                    return match self.page(0).await {
                        Err(error) => Err(SqlError::Failed {
                            text: error.text().to_owned(),
                        }),
                        Ok(_odd) => Err(SqlError::Failed { text: String::new() }),
                    };
                }
                _running if Instant::now() > deadline => return Err(SqlError::Late),
                _running => tokio::time::sleep(LOOK).await,
            }
        }
    }

    /// A page of its result.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn page(&self, number: u64) -> Result<Page, RestError> {
        let path = format!("{}/result/{number}?rowFormat=JSON", self.path);
        let answer = self.rest.get(&path).await?;
        let columns = answer["results"]["columns"].as_array().into_iter().flatten();
        let column = |it: &Value| {
            let kind = it["logicalType"]["type"].as_str().unwrap_or_default();
            Some((it["name"].as_str()?.to_owned(), kind.to_owned()))
        };
        let rows = answer["results"]["data"].as_array().into_iter().flatten();
        // The next page, as its address says: only the number is taken from it.
        let next = answer["nextResultUri"].as_str().and_then(|uri| {
            let path = uri.split('?').next()?;
            path.rsplit('/').next()?.parse().ok()
        });
        let kind = answer["resultType"].as_str().unwrap_or_default();
        Ok(Page {
            columns: columns.filter_map(column).collect(),
            rows: rows.filter_map(|it| it["fields"].as_array().cloned()).collect(),
            is_early: kind == "NOT_READY",
            next: next.filter(|_more| kind != "EOS"),
        })
    }

    /// Ends it as it stands. Best effort, as of [`Self::close`].
    pub async fn cancel(&self) {
        let _ended = self.rest.post(&format!("{}/cancel", self.path), &json!({})).await;
    }

    /// Forgets it. Best effort: it ends with its session at the latest.
    pub async fn close(self) {
        let _closed = self.rest.delete(&format!("{}/close", self.path)).await;
    }

    async fn rows(&self) -> Result<Vec<Vec<Value>>, SqlError> {
        let deadline = Instant::now() + STATEMENT_MAX;
        let (mut rows, mut number) = (Vec::new(), 0_u64);
        for _page in 0..PAGES_MAX {
            let page = self.page(number).await?;
            rows.extend(page.rows);
            match page.next {
                None => return Ok(rows),
                Some(_next) if page.is_early && Instant::now() > deadline => return Err(SqlError::Late),
                Some(_next) if page.is_early => tokio::time::sleep(LOOK).await,
                Some(_next) => {}
            }
            number = page.next.unwrap_or(number);
        }
        Err(RestError::TooLarge.into())
    }
}

fn word<'a>(answer: &'a Value, field: &str) -> Result<&'a str, RestError> {
    answer[field].as_str().ok_or(RestError::Unreadable)
}

#[cfg(test)]
mod tests {
    use super::super::rest::tests::endpoint;
    use super::*;
    use axum::http::StatusCode;
    use axum::routing::{delete, get, post};
    use axum::{Json, Router};

    fn gateway() -> Router {
        let accepts = |Json(body): Json<Value>| async move {
            let fails = body["statement"].as_str().is_some_and(|it| it.contains("wrong"));
            Json(json!({"operationHandle": if fails { "bad-1" } else { "good-1" }}))
        };
        let status = |path: axum::extract::Path<(String, String)>| async move {
            Json(json!({"status": if path.1 == "bad-1" { "ERROR" } else { "FINISHED" }}))
        };
        Router::new()
            .route("/v1/info", get(|| async { Json(json!({"version": "2.3.0"})) }))
            .route(
                "/v1/sessions",
                post(|| async { Json(json!({"sessionHandle": "s-1"})) }),
            )
            .route(
                "/v1/sessions/{session}",
                delete(|| async { Json(json!({"status": "CLOSED"})) }),
            )
            .route("/v1/sessions/{session}/statements", post(accepts))
            .route(
                "/v1/sessions/{session}/operations/{operation}/status",
                get(status),
            )
            .route(
                "/v1/sessions/{session}/operations/{operation}/close",
                delete(|| async { "{}" }),
            )
            .route(
                "/v1/sessions/{session}/operations/{operation}/result/{token}",
                get(|path: axum::extract::Path<(String, String, u64)>| async move {
                    let (_session, operation, token) = path.0;
                    if operation == "bad-1" {
                        let text = json!({"errors": ["no such table"]});
                        return (StatusCode::INTERNAL_SERVER_ERROR, Json(text));
                    }
                    let next = format!("/v1/sessions/s/operations/o/result/{}?rowFormat=JSON", token + 1);
                    let page = match token {
                        0 => json!({"resultType": "PAYLOAD", "nextResultUri": next,
                            "results": {"data": [{"kind": "INSERT", "fields": ["9f0a"]}]}}),
                        _last => json!({"resultType": "EOS", "results": {"data": []}}),
                    };
                    (StatusCode::OK, Json(page))
                }),
            )
    }

    #[tokio::test]
    async fn a_statement_runs_in_a_session_and_gives_its_rows() {
        let gateway = SqlGateway::new(endpoint(gateway()).await);
        assert!(gateway.is_ready().await);
        let session = gateway.open(&BTreeMap::new()).await.unwrap();
        assert_eq!(session.run("INSERT").await.unwrap(), [[json!("9f0a")]]);
        let failed = session.run("SELECT wrong").await.unwrap_err();
        assert!(matches!(failed, SqlError::Failed { .. }));
        assert!(failed.text().contains("no such table") && !failed.to_string().contains("table"));
        session.close().await;
    }
}
