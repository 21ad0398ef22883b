//! How dead letters are copied.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::Inside;
use crate::dead_letters::Row;

/// Every topic under DLQ.
#[derive(Debug, Serialize)]
pub(super) struct Topics {
    topics: Vec<Row>,
}

pub(super) async fn list(State(inside): State<Inside>) -> Json<Topics> {
    Json(Topics {
        topics: inside.sources.dead_letters.list(),
    })
}
