//! The least that an axum server does: one route, one word. What a request costs the control plane is held against it.

use anyhow::{Context, Result};
use axum::Router;
use axum::routing::get;
use std::net::SocketAddr;

/// Serves until it is killed. Listener and server are made as the control plane makes its own.
pub async fn serve(listen: SocketAddr) -> Result<()> {
    let listener = tokio::net::TcpListener::bind(listen)
        .await
        .with_context(|| format!("listen on {listen}"))?;
    let router = Router::new().route("/", get(|| async { "hello" }));
    axum::serve(listener, router).await.context("serve")
}
