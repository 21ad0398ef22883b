//! The console: the built files of `web/`, embedded, behind a strict content security policy.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Uri, header};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::rest;

/// Nothing but the console's own files; no inline script or style, no frame around it. `wasm-unsafe-eval` lets it compile its
/// contract engine, which is one of these files; it allows no text to become a script.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

#[derive(RustEmbed)]
#[folder = "../web/dist"]
#[allow_missing = true]
struct Files;

/// A file of the console; any other path outside of the API is a page, which the console itself routes.
pub async fn serve(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    // What looks like the API or a missing file is answered as such, not with a page.
    let page = !path.starts_with("v1/")
        && !path.starts_with("registry/")
        && !path.rsplit('/').next().unwrap_or_default().contains('.');
    match Files::get(path) {
        Some(file) if !path.is_empty() => answer(path, file),
        _ if page => match Files::get("index.html") {
            Some(file) => answer("index.html", file),
            None => rest::no_route().await.into_response(),
        },
        _ => rest::no_route().await.into_response(),
    }
}

fn answer(path: &str, file: EmbeddedFile) -> Response {
    let kind = match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("json") => "application/json",
        Some("wasm") => "application/wasm",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    };
    // Built files carry a hash in their name; the page that names them does not.
    let cache = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (headers, file.data).into_response()
}
