//! `GET /v1/events`: server-sent events (WHATWG HTML, section 9.2), resumable with `Last-Event-ID`.

use std::convert::Infallible;
use std::time::Duration;

use async_stream::stream;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use chrono::{DateTime, Utc};
use futures_util::Stream;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, DirectoryScope, ReadDirectory};
use crate::kernel::{Error, ErrorKind, Result, code, id_text};
use crate::resources::event::store::{self, Row};
use crate::rest::Queried;
use crate::runtime::App;

const LOOK_AGAIN: Duration = Duration::from_secs(5);
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(watch))
}

/// The data of one event. It tells what changed, not how: read the object again.
#[derive(Debug, Serialize, ToSchema)]
struct Changed {
    /// Kind of the object.
    kind: String,
    /// Its id.
    id: String,
    /// `create`, `update`, `delete`, `status`, or an action of the kind. New actions may appear.
    action: String,
    /// The object's generation after the change.
    generation: i64,
    /// When.
    occurred_at: DateTime<Utc>,
}

/// Where to begin.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct From {
    /// The position after which to begin; the `Last-Event-ID` header comes first. Without either: from now on.
    #[param(minimum = 0)]
    after: Option<i64>,
}

/// Watch changes
#[utoipa::path(get, path = "/v1/events", operation_id = "event_watch", tag = "Event", params(From),
    responses((status = 200, description = "A stream of changes; `id` is the position.", body = Changed,
        content_type = "text/event-stream")))]
async fn watch(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadDirectory>,
    Queried(From { after }): Queried<From>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let resumed = match headers.get("last-event-id") {
        Some(value) => Some(
            value
                .to_str()
                .ok()
                .and_then(|it| it.parse().ok())
                .ok_or_else(|| {
                    Error::new(
                        ErrorKind::Malformed,
                        code::MALFORMED_HEADER,
                        "Last-Event-ID is the id of an event.",
                    )
                })?,
        ),
        None => after,
    };
    let mut tx = app.db.read(&scope.scope()).await?;
    let (newest, oldest) = store::head(&mut tx).await?;
    tx.commit().await?;
    if resumed.is_some_and(|it| it + 1 < oldest) {
        let detail = "Events that old are not kept: list the objects again, then watch from now on.";
        return Err(Error::new(ErrorKind::Gone, code::EVENTS_GONE, detail));
    }
    let events = follow(app, scope, resumed.unwrap_or(newest));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

fn follow(
    app: App,
    scope: DirectoryScope,
    mut position: i64,
) -> impl Stream<Item = Result<Event, Infallible>> {
    // Subscribed before the first read, so that nothing falls between the two.
    let mut woken = app.wake.events();
    stream! {
        // Tells proxies and pages that the stream is open.
        yield Ok(Event::default().comment("watching"));
        while !app.stop.is_cancelled() {
            let rows = match page(&app, scope, position).await {
                Ok(rows) => rows,
                // The watcher comes back with its last position.
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "read events for a watcher");
                    break;
                }
            };
            if rows.is_empty() {
                tokio::select! {
                    () = app.stop.cancelled() => {}
                    _ = woken.changed() => {}
                    () = tokio::time::sleep(LOOK_AGAIN) => {}
                }
            }
            for row in rows {
                position = row.position;
                yield Ok(event(row));
            }
        }
    }
}

async fn page(app: &App, scope: DirectoryScope, position: i64) -> Result<Vec<Row>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let rows = store::after(&mut tx, scope, position).await?;
    tx.commit().await?;
    Ok(rows)
}

fn event(row: Row) -> Event {
    let Row {
        position,
        kind,
        object_id,
        action,
        generation,
        occurred_at,
    } = row;
    let changed = Changed {
        id: id_text(&kind, object_id).unwrap_or_else(|| object_id.to_string()),
        kind,
        action,
        generation,
        occurred_at,
    };
    let data = serde_json::to_string(&changed).unwrap_or_default();
    Event::default()
        .id(position.to_string())
        .event("changed")
        .data(data)
}
