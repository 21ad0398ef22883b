//! `/v1/audit-events`.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ReadDirectory};
use crate::kernel::{Error, PageToken, Result, code, kind, parse_id};
use crate::resources::audit_event::api::{AuditEvent, AuditEventList};
use crate::resources::audit_event::store::{self, Filter};
use crate::rest::{ListMetadata, Listed, PageQuery, PathId, Queried};
use crate::runtime::App;

const ACTION_LENGTH_MAX: usize = 64;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// Which events to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct FilterQuery {
    /// Those about objects of this kind, such as `Topic`.
    kind: Option<String>,
    /// Those about this object: the id of any kind.
    object_id: Option<String>,
    /// Those of this member or service account.
    principal: Option<String>,
    /// Those with this action, such as `delete`.
    action: Option<String>,
    /// Those from this moment on.
    since: Option<DateTime<Utc>>,
    /// Those before this moment.
    until: Option<DateTime<Utc>>,
}

impl FilterQuery {
    fn check(self) -> Result<Filter> {
        let Self {
            kind,
            object_id,
            principal,
            action,
            since,
            until,
        } = self;
        let bad = |pointer, detail: &str| Error::invalid(pointer, code::BAD_REFERENCE, detail);
        let of_kind = match kind {
            None => None,
            Some(text) => Some(
                kind::ALL
                    .iter()
                    .find(|(name, _)| *name == text)
                    .map(|(name, _)| *name)
                    .ok_or_else(|| {
                        bad(
                            "?kind",
                            "There is no such kind; write it as in `kind` of an object.",
                        )
                    })?,
            ),
        };
        let object = match object_id {
            None => None,
            Some(text) => Some(parse_id(&text).ok_or_else(|| bad("?object_id", "Not the id of an object."))?),
        };
        let principal = match principal {
            None => None,
            Some(text) => Some(
                text.parse()
                    .map_err(|_| bad("?principal", "Not the id of a member or of a service account."))?,
            ),
        };
        let plain = |it: &String| {
            it.len() <= ACTION_LENGTH_MAX && it.bytes().all(|it| it.is_ascii_lowercase() || it == b'_')
        };
        if action.as_ref().is_some_and(|it| !plain(it)) {
            return Err(bad("?action", "An action is written in a-z and '_'."));
        }
        if let (Some((named, _)), Some(kind)) = (object, of_kind)
            && named != kind
        {
            return Err(bad("?object_id", "The id is of another kind than `kind`."));
        }
        Ok(Filter {
            kind: of_kind.or(object.map(|(kind, _)| kind)),
            object: object.map(|(_, uuid)| uuid),
            principal,
            action,
            since,
            until,
        })
    }
}

/// List audit events
///
/// The newest first; a page token leads to older ones.
#[utoipa::path(get, path = "/v1/audit-events", operation_id = "audit_event_list", tag = "AuditEvent",
    params(PageQuery, FilterQuery), responses((status = 200, description = "A page.", body = AuditEventList)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadDirectory>,
    Listed(page): Listed,
    Queried(query): Queried<FilterQuery>,
) -> Result<axum::Json<AuditEventList>> {
    let filter = query.check()?;
    let mut tx = app.db.read(&scope.scope()).await?;
    let rows = store::list(&mut tx, scope, &filter, page).await?;
    tx.commit().await?;
    let (data, next) = page.cut(rows, |it| it.id.uuid());
    let metadata = ListMetadata {
        next_page_token: next.map(PageToken::encode),
    };
    Ok(axum::Json(AuditEventList {
        kind: "AuditEventList",
        metadata,
        data,
    }))
}

/// Get an audit event
#[utoipa::path(get, path = "/v1/audit-events/{id}", operation_id = "audit_event_get", tag = "AuditEvent",
    params(("id" = String, Path, description = "Id of the audit event.")),
    responses((status = 200, description = "The audit event.", body = AuditEvent)))]
async fn get(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadDirectory>,
    PathId(id): PathId<kind::AuditEvent>,
) -> Result<axum::Json<AuditEvent>> {
    let mut tx = app.db.read(&scope.scope()).await?;
    let row = store::by_id(&mut tx, scope, id).await?;
    tx.commit().await?;
    Ok(axum::Json(row))
}
