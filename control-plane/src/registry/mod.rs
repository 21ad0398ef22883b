//! `/registry`: the face of the room `contract` that today's serializers, Connect, Flink and kcat speak to: the Schema Registry
//! REST API. It is described in docs/registry.md, not in the OpenAPI document: its shapes are not ours to choose.
//!
//! Every path is also there below `/registry/contexts/{context}`, for clients that can only be told a URL.

mod answer;
mod asked;
mod compatibility;
mod config;
mod mode;
mod schemas;
mod subjects;
mod versions;
mod wish;

use axum::Router;
use axum::routing::{MethodRouter, any, delete, get, post, put};

use crate::runtime::App;

pub use answer::speak;

/// The longest body of a request.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// One operation: method, path below `/registry`, and who answers it.
type Operation = (&'static str, &'static str, MethodRouter<App>);

fn operations() -> Vec<Operation> {
    vec![
        ("GET", "/", get(subjects::root)),
        ("GET", "/contexts", get(subjects::contexts)),
        ("GET", "/schemas", get(schemas::list)),
        ("GET", "/schemas/types", get(schemas::types)),
        ("GET", "/schemas/ids/{id}", get(schemas::by_id)),
        ("GET", "/schemas/ids/{id}/schema", get(schemas::text_by_id)),
        ("GET", "/schemas/ids/{id}/subjects", get(schemas::subjects)),
        ("GET", "/schemas/ids/{id}/versions", get(schemas::versions)),
        ("GET", "/schemas/guids/{guid}", get(schemas::by_guid)),
        ("GET", "/schemas/guids/{guid}/ids", get(schemas::ids_of_guid)),
        ("GET", "/subjects", get(subjects::list)),
        ("POST", "/subjects/{subject}", post(subjects::look_up)),
        ("DELETE", "/subjects/{subject}", delete(subjects::remove)),
        (
            "GET",
            "/subjects/{subject}/metadata",
            get(subjects::latest_with_metadata),
        ),
        ("GET", "/subjects/{subject}/versions", get(versions::list)),
        ("POST", "/subjects/{subject}/versions", post(versions::register)),
        (
            "GET",
            "/subjects/{subject}/versions/{version}",
            get(versions::find),
        ),
        (
            "DELETE",
            "/subjects/{subject}/versions/{version}",
            delete(versions::remove),
        ),
        (
            "GET",
            "/subjects/{subject}/versions/{version}/schema",
            get(versions::text),
        ),
        (
            "GET",
            "/subjects/{subject}/versions/{version}/referencedby",
            get(versions::referenced_by),
        ),
        (
            "POST",
            "/compatibility/subjects/{subject}/versions",
            post(compatibility::with_all),
        ),
        (
            "POST",
            "/compatibility/subjects/{subject}/versions/{version}",
            post(compatibility::with_one),
        ),
        ("GET", "/config", get(config::of_context)),
        ("PUT", "/config", put(config::change)),
        ("DELETE", "/config", delete(config::remove)),
        ("GET", "/config/{subject}", get(config::of_subject)),
        ("PUT", "/config/{subject}", put(config::change)),
        ("DELETE", "/config/{subject}", delete(config::remove)),
        ("GET", "/mode", get(mode::of_context)),
        ("PUT", "/mode", put(mode::change)),
        ("DELETE", "/mode", delete(mode::remove)),
        ("GET", "/mode/{subject}", get(mode::of_subject)),
        ("PUT", "/mode/{subject}", put(mode::change)),
        ("DELETE", "/mode/{subject}", delete(mode::remove)),
    ]
}

/// Method and path of every operation, for the sweeps.
#[must_use]
pub fn paths() -> Vec<(&'static str, String)> {
    let below = |(method, path, _handler)| (method, format!("/registry{path}"));
    operations().into_iter().map(below).collect()
}

/// The routes.
pub fn router() -> Router<App> {
    let mut router = Router::new();
    for (_method, path, handler) in operations() {
        router = router
            .route(&format!("/registry{path}"), handler.clone())
            .route(&format!("/registry/contexts/{{context}}{path}"), handler);
    }
    router
        .route("/registry", get(subjects::root))
        .route("/registry/{*rest}", any(answer::no_route))
        .method_not_allowed_fallback(answer::wrong_method)
}
