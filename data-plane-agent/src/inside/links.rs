//! Where in the copy of a cluster link a group goes on that was at some offset of the source.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::Inside;
use super::problem::Problem;
use crate::cluster_links::Translated;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    link: String,
    /// The copy's id.
    topic: String,
    partition: i32,
    offset: i64,
}

/// Never later than where it was.
pub(super) async fn translate(
    State(inside): State<Inside>,
    headers: HeaderMap,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Translated>, Problem> {
    inside.sources.token.admits(&headers)?;
    let Query(Asked {
        link,
        topic,
        partition,
        offset,
    }) = asked.map_err(|it| Problem::of(it.status(), it.body_text()))?;
    let found = inside.sources.links.translate(&link, &topic, partition, offset);
    found.map(Json).ok_or_else(|| {
        Problem::of(
            StatusCode::NOT_FOUND,
            "No copy of such a link, topic and partition has been read here since the agent started, or not from so early on.",
        )
    })
}
