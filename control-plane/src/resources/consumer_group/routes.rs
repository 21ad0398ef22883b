//! `/v1/clusters/{id}/groups`.

use axum::extract::{FromRequestParts, Path, State};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ReadTenant, WriteStreams};
use crate::kernel::{Error, Kind as _, Result, code, kind};
use crate::resources::cluster::ClusterId;
use crate::resources::consumer_group::api::{ConsumerGroupDetail, ConsumerGroupList, OffsetResetDone};
use crate::resources::consumer_group::model::{OffsetReset, is_group_id};
use crate::resources::consumer_group::service;
use crate::rest::{Answer, CallHeaders, CallQuery, Empty, Mutation, PathId, Queried};
use crate::runtime::App;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get, delete))
        .routes(routes!(reset))
}

/// `{id}` and `{group}` of a path; a text that can be no group names none.
struct PathGroup {
    cluster: ClusterId,
    group: String,
}

impl<S: Send + Sync> FromRequestParts<S> for PathGroup {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let cluster = || Error::not_found(kind::Cluster::KIND);
        let Path((id, group)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_unreadable| cluster())?;
        let cluster = id.parse().map_err(|_none| cluster())?;
        if is_group_id(&group) {
            Ok(Self { cluster, group })
        } else {
            Err(Error::not_found("ConsumerGroup"))
        }
    }
}

/// The page parameters of the list: groups have no ids of ours, so the token is made of theirs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct GroupPage {
    /// Groups on the page.
    #[serde(default = "page_size_default")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    page_size: u32,
    /// `next_page_token` of the page before.
    #[param(max_length = 340)]
    page_token: Option<String>,
}

const fn page_size_default() -> u32 {
    100
}

impl GroupPage {
    /// After which group, and how many.
    fn read(&self) -> Result<(String, u32)> {
        if !(1..=1000).contains(&self.page_size) {
            let detail = "page_size is 1 to 1000.";
            return Err(Error::invalid("?page_size", code::OUT_OF_RANGE, detail));
        }
        let Some(token) = &self.page_token else {
            return Ok((String::new(), self.page_size));
        };
        let after = URL_SAFE_NO_PAD.decode(token).ok();
        let after = after.and_then(|it| String::from_utf8(it).ok());
        let after = after.filter(|it| is_group_id(it)).ok_or_else(|| {
            let detail = "The page token is not one that this list gave out; start without one.";
            Error::invalid("?page_token", code::BAD_PAGE_TOKEN, detail)
        })?;
        Ok((after, self.page_size))
    }
}

/// List consumer groups
///
/// Asked of the data plane's agent now, sorted by id. Ids are chosen by the programs that consume; the data plane's owner
/// may withhold them by policy.
#[utoipa::path(get, path = "/v1/clusters/{id}/groups", operation_id = "consumer_group_list", tag = "ConsumerGroup",
    params(("id" = String, Path, description = "Id of the cluster."), GroupPage),
    responses((status = 200, description = "A page.", body = ConsumerGroupList)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathId(id): PathId<kind::Cluster>,
    Queried(page): Queried<GroupPage>,
) -> Result<axum::Json<ConsumerGroupList>> {
    let (after, limit) = page.read()?;
    let token = |group: &str| URL_SAFE_NO_PAD.encode(group);
    let page = service::list(&app, scope, id, &after, limit, token).await?;
    Ok(axum::Json(page))
}

/// Get a consumer group
///
/// Its members by number, and where it is in each partition.
#[utoipa::path(get, path = "/v1/clusters/{id}/groups/{group}", operation_id = "consumer_group_get", tag = "ConsumerGroup",
    params(("id" = String, Path, description = "Id of the cluster."),
           ("group" = String, Path, description = "Id of the group, percent-encoded.")),
    responses((status = 200, description = "The group.", body = ConsumerGroupDetail)))]
async fn get(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathGroup { cluster, group }: PathGroup,
) -> Result<axum::Json<ConsumerGroupDetail>> {
    service::get(&app, scope, cluster, &group).await.map(axum::Json)
}

/// Reset a consumer group's offsets
///
/// Only of a group without members: a conflict otherwise. With `dry_run` the plan shows every offset before and after.
#[utoipa::path(post, path = "/v1/clusters/{id}/groups/{group}/reset-offsets", operation_id = "consumer_group_reset_offsets",
    tag = "ConsumerGroup",
    params(("id" = String, Path, description = "Id of the cluster."),
           ("group" = String, Path, description = "Id of the group, percent-encoded."), CallQuery, CallHeaders),
    request_body = OffsetReset,
    responses((status = 200, description = "Reset.", body = OffsetResetDone)))]
async fn reset(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathGroup { cluster, group }: PathGroup,
    Mutation { body, call }: Mutation<OffsetReset>,
) -> Result<Answer> {
    service::reset(&app, &caller, scope, &call, cluster, &group, body).await
}

/// Delete a consumer group
///
/// With its committed offsets. Only a group without members: a conflict otherwise.
#[utoipa::path(delete, path = "/v1/clusters/{id}/groups/{group}", operation_id = "consumer_group_delete", tag = "ConsumerGroup",
    params(("id" = String, Path, description = "Id of the cluster."),
           ("group" = String, Path, description = "Id of the group, percent-encoded."), CallQuery, CallHeaders),
    responses((status = 204, description = "Deleted.")))]
async fn delete(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathGroup { cluster, group }: PathGroup,
    Mutation { body: Empty {}, call }: Mutation<Empty>,
) -> Result<Answer> {
    service::delete(&app, &caller, scope, &call, cluster, &group).await
}
