//! The OpenAPI document, generated from the routes.

use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};

use crate::rest::Problem;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Weir",
        description = "The control plane for data streams: one API for console, CLI and automation.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(Problem, crate::kernel::FieldError, crate::rest::Phase, crate::rest::Metadata)),
    security(("bearer" = []), ("basic" = []))
)]
struct Document;

/// What the routes add to.
#[must_use]
pub fn base() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    components.add_security_scheme("basic", SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)));
    document
}

/// Adds to every operation the problem answers that any may give, and the schemas that only references name.
#[must_use]
pub fn finished(mut document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    for item in document.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.post,
            &mut item.put,
            &mut item.patch,
            &mut item.delete,
        ];
        for operation in operations.into_iter().flatten() {
            let content = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Problem")))
                .build();
            let problem = ResponseBuilder::new()
                .description("A problem; `code` names it.")
                .content("application/problem+json", content)
                .build();
            operation
                .responses
                .responses
                .insert("default".into(), RefOr::T(problem));
        }
    }
    document
}
