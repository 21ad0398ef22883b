//! `/v1/topics/{id}/visibility` and `/v1/data-products`.

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::{Allowed, ReadTenant, WriteStreams};
use crate::kernel::{Error, Result, code, kind};
use crate::resources::share::product::api::TopicVisibility;
use crate::resources::share::product::model::TopicVisibilitySpec;
use crate::resources::share::product::service;
use crate::rest::{
    Answer, CallHeaders, CallQuery, List, Listed, Mutation, Object, PageQuery, PathId, Queried, Served,
};
use crate::runtime::App;

type This = kind::DataProduct;
type View = Object<This>;
type Views = List<This>;

const Q_MAX: usize = 200;

/// The room's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(get_visibility, put_visibility))
        .routes(routes!(list))
        .routes(routes!(get))
}

/// Who finds a topic in the catalog
#[utoipa::path(get, path = "/v1/topics/{id}/visibility", operation_id = "topic_visibility_get", tag = "Topic",
    params(("id" = String, Path, description = "Id of the topic.")),
    responses((status = 200, description = "Who finds it, and as what.", body = TopicVisibility)))]
async fn get_visibility(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathId(id): PathId<kind::Topic>,
) -> Result<axum::Json<TopicVisibility>> {
    service::read(&app, scope, id).await.map(axum::Json)
}

/// List a topic in the catalog, or make it private again
///
/// PRIVATE unless said otherwise. Takes the role TENANT_ADMIN on the topic, and a tenant that gives shares. Others find name, description,
/// price, fields and service levels; no id, and no name of the tenant's topics and clusters.
#[utoipa::path(put, path = "/v1/topics/{id}/visibility", operation_id = "topic_visibility_put", tag = "Topic",
    params(("id" = String, Path, description = "Id of the topic."), CallQuery, CallHeaders), request_body = TopicVisibilitySpec,
    responses((status = 200, description = "Written.", body = TopicVisibility)))]
async fn put_visibility(
    State(app): State<App>,
    Allowed { caller, scope, .. }: Allowed<WriteStreams>,
    PathId(id): PathId<kind::Topic>,
    Mutation { body, call }: Mutation<TopicVisibilitySpec>,
) -> Result<Answer> {
    service::put(&app, &caller, scope, &call, id, body).await
}

/// Filters of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Search {
    /// Those whose name or description contains this text, however it is written.
    #[param(max_length = 200)]
    q: Option<String>,
}

/// List the data products that the tenant finds
///
/// Of other tenants: the PUBLIC ones, and those LISTED for this tenant.
#[utoipa::path(get, path = "/v1/data-products", operation_id = "data_product_list", tag = "DataProduct",
    params(PageQuery, Search), responses((status = 200, description = "A page.", body = Views)))]
async fn list(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    Listed(page): Listed,
    Queried(Search { q }): Queried<Search>,
) -> Result<axum::Json<Views>> {
    if q.as_ref()
        .is_some_and(|it| it.chars().count() > Q_MAX || it.contains('\0'))
    {
        let detail = format!("A search has at most {Q_MAX} characters, and no NUL.");
        return Err(Error::invalid("", code::OUT_OF_RANGE, detail));
    }
    let found = service::find(&app, scope, q.as_deref().filter(|it| !it.is_empty()), page).await?;
    Ok(axum::Json(List::new(page, found)))
}

/// Get a data product
///
/// With its fields as a share by default shows them, its service levels as they are kept, and the tenant's clusters that could show it.
#[utoipa::path(get, path = "/v1/data-products/{id}", operation_id = "data_product_get", tag = "DataProduct",
    params(("id" = String, Path, description = "Id of the data product.")),
    responses((status = 200, description = "The data product.", body = View)))]
async fn get(
    State(app): State<App>,
    Allowed { scope, .. }: Allowed<ReadTenant>,
    PathId(id): PathId<This>,
) -> Result<Served<This>> {
    service::look(&app, scope, id).await.map(Served)
}
