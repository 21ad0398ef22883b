//! `serve`: opens the doors, runs the background work, and stops cleanly.

use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::task::TaskTracker;

use crate::config::Serve;
use crate::link;
use crate::runtime::{App, Db, Seal, Settings};
use crate::server::slow::Slow;
use crate::server::{rest, tasks};

/// How long requests under way may take after a stop was asked for.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When a door cannot be opened or the database cannot be reached.
pub async fn run(arguments: Serve) -> anyhow::Result<()> {
    let db = Db::connect(&arguments.database_url, arguments.database_connections_max)
        .await
        .context("reach the database; is PostgreSQL running and migrated?")?;
    let keys = link::Keys::load_or_create(&arguments.state_dir, link_hosts(&arguments))
        .with_context(|| format!("prepare the keys in {}", arguments.state_dir.display()))?;
    let settings = Settings {
        public_url: arguments.public_url,
        link_public_address: arguments.link_public_address,
        ca_sha256: keys.ca.fingerprint(),
        token_lifetime: arguments.token_lifetime,
        seal: Seal::load_or_create(&arguments.state_dir).context("read or make seal.key")?,
    };
    let app = App::new(db, settings, Vec::new());
    let router = match Slow::start(&arguments.otlp, arguments.slow_request)? {
        Some(slow) => slow.around(rest::router(&app)),
        None => rest::router(&app),
    };
    let tracker = TaskTracker::new();
    tasks::start(&app, &tracker);
    let http = TcpListener::bind(arguments.http_listen).await.with_context(|| {
        format!(
            "listen on {}; is another control plane running?",
            arguments.http_listen
        )
    })?;
    let door = TcpListener::bind(arguments.link_listen).await.with_context(|| {
        format!(
            "listen on {}; is another control plane running?",
            arguments.link_listen
        )
    })?;
    tracing::info!(http = %arguments.http_listen, link = %arguments.link_listen, "serving");
    let served = axum::serve(
        http,
        router.into_make_service_with_connect_info::<std::net::SocketAddr>(),
    )
    .with_graceful_shutdown(app.stop.clone().cancelled_owned());
    tracker.spawn(async move {
        if let Err(error) = served.await {
            tracing::error!(%error, "serve the API");
        }
    });
    let (linked, linked_stop) = (app.clone(), app.stop.clone());
    tracker.spawn(async move {
        if let Err(error) = link::serve(linked, keys, door, linked_stop).await {
            tracing::error!(%error, "serve the agents' door");
        }
    });
    until_signal().await?;
    tracing::info!("stopping");
    app.stop.cancel();
    tracker.close();
    if tokio::time::timeout(DRAIN, tracker.wait()).await.is_err() {
        tracing::warn!("requests or streams were cut off at the end of the drain time");
    }
    app.db.close().await;
    Ok(())
}

/// The names that the certificate of the agents' door carries: where it listens, and where agents reach it.
fn link_hosts(arguments: &Serve) -> Vec<String> {
    let public = arguments.link_public_address.rsplit_once(':');
    let public = public.map_or(arguments.link_public_address.as_str(), |(host, _port)| host);
    let mut hosts = vec!["localhost".to_owned(), arguments.link_listen.ip().to_string()];
    hosts.push(public.trim_matches(['[', ']']).to_owned());
    hosts.sort();
    hosts.dedup();
    hosts
}

async fn until_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
