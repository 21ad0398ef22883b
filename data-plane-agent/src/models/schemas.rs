//! The part of a schema registry that Flink's format for framed records asks for, answered from what the agent was told: nobody is
//! asked across the boundary of the network, and nothing is registered. A job sees the schemas of its own topics' contracts.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path as Part, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::{Desk, shows};

/// Schemas that a job's records may be of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schemas {
    /// Their texts by the numbers that records carry.
    pub texts: BTreeMap<u32, String>,
    /// The one that is written, by the name that the job's table asks for it by.
    pub written: BTreeMap<String, u32>,
}

impl Schemas {
    /// None at all: nothing has a frame.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}

/// `GET /schemas/ids/{id}`: the schema that a record was written with.
pub(super) async fn by_id(
    State(desk): State<Arc<Desk>>,
    Part((job, id)): Part<(String, u32)>,
    headers: HeaderMap,
) -> Response {
    answered(&desk, &job, &headers, |it| {
        let text = it.texts.get(&id)?;
        Some(json!({"schema": text, "schemaType": "AVRO"}))
    })
}

/// `POST /subjects/{subject}/versions`: the number of the schema that a table writes. Which that is was decided with the table.
pub(super) async fn written(
    State(desk): State<Arc<Desk>>,
    Part((job, subject)): Part<(String, String)>,
    headers: HeaderMap,
) -> Response {
    answered(&desk, &job, &headers, |it| {
        let id = it.written.get(&subject)?;
        Some(json!({"id": id}))
    })
}

fn answered(
    desk: &Desk,
    job: &str,
    headers: &HeaderMap,
    answer: impl FnOnce(&Schemas) -> Option<Value>,
) -> Response {
    let served = desk.served.load();
    let Some(asks) = served.routes.jobs.get(job).filter(|it| shows(headers, it)) else {
        return refused(StatusCode::UNAUTHORIZED, 40101, "Unauthorized");
    };
    match answer(&asks.schemas) {
        Some(body) => {
            let kind = (header::CONTENT_TYPE, "application/vnd.schemaregistry.v1+json");
            ([kind], Json(body).into_response().into_body()).into_response()
        }
        None => refused(StatusCode::NOT_FOUND, 40403, "Schema not found"),
    }
}

fn refused(status: StatusCode, code: u32, message: &str) -> Response {
    (status, Json(json!({"error_code": code, "message": message}))).into_response()
}
