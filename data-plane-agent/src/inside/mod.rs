//! The endpoint inside the network: what left it, from the agent's own ledger, what violations of contracts look like, and
//! dead letters and previews of jobs, on the agent's own origin. Read only, but for whoever has the token.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use rustls::ServerConfig;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cluster_links::Links;
use crate::contract_counts::ContractCounts;
use crate::dead_letters::Office;
use crate::link::replay::{Line, Summary, replay};
use crate::local_tls::{Accepted, incoming};
use crate::preview::Previews;

mod letters;
mod links;
mod page;
mod previews;
mod problem;
mod selects;
mod token;
mod violations;

pub use token::Token;

const CONNECTIONS_MAX: usize = 32;
/// How many of the last entries are kept ready.
const LINES_MAX: usize = 500;
/// The whole ledger is read again at most this often.
const FRESH: Duration = Duration::from_secs(2);

/// What is shown: the check of the whole ledger, and its last entries.
#[derive(Debug, Clone, Serialize)]
pub struct View {
    /// The chain is whole and every entry decodes.
    pub verified: bool,
    /// What is wrong, if anything.
    pub problem: Option<String>,
    /// Totals; those up to the problem, if there is one.
    pub summary: Summary,
    /// The last entries, newest first.
    pub lines: Vec<Line>,
}

/// The newest view, and when it was read.
type Newest = Option<(Instant, Arc<View>)>;

/// What is shown.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The ledger's folder.
    pub ledger: PathBuf,
    /// Examples of violations.
    pub contracts: Arc<ContractCounts>,
    /// Where dead letters are asked for.
    pub dead_letters: Arc<Office>,
    /// Where previews of jobs are asked for.
    pub previews: Arc<Previews>,
    /// Where offsets of cluster links are asked for.
    pub links: Arc<Links>,
    /// Of whoever may change something, and see what records hold.
    pub token: Token,
}

#[derive(Clone)]
struct Inside {
    sources: Sources,
    last: Arc<Mutex<Newest>>,
}

impl Inside {
    /// The view, read anew when it is old. One reader at a time: a stranger cannot make us read the disk in parallel.
    async fn view(&self) -> Arc<View> {
        let mut last = self.last.lock().await;
        if let Some((at, view)) = last.as_ref()
            && at.elapsed() < FRESH
        {
            return Arc::clone(view);
        }
        let folder = self.sources.ledger.clone();
        let read = tokio::task::spawn_blocking(move || read(&folder)).await;
        let view = Arc::new(read.unwrap_or_else(|_panicked| View {
            verified: false,
            problem: Some("the ledger could not be read".to_owned()),
            summary: Summary::default(),
            lines: Vec::new(),
        }));
        *last = Some((Instant::now(), Arc::clone(&view)));
        view
    }
}

/// Checks the whole ledger and keeps its last entries.
fn read(folder: &std::path::Path) -> View {
    let mut lines = std::collections::VecDeque::with_capacity(LINES_MAX);
    let mut seen = Summary::default();
    let checked = replay(folder, |line| {
        seen.entries = line.seq;
        seen.bytes += line.bytes;
        let total = seen.kinds.entry(line.kind.clone()).or_default();
        total.entries += 1;
        total.bytes += line.bytes;
        if lines.len() == LINES_MAX {
            lines.pop_back();
        }
        lines.push_front(line);
    });
    let problem = checked.as_ref().err().map(ToString::to_string);
    View {
        verified: checked.is_ok(),
        problem,
        summary: checked.unwrap_or(seen),
        lines: lines.into(),
    }
}

/// Serves until `stop`.
pub async fn serve(listener: TcpListener, config: ServerConfig, sources: Sources, stop: CancellationToken) {
    let inside = Inside {
        sources,
        last: Arc::default(),
    };
    let local = match listener.local_addr() {
        Ok(local) => local,
        Err(error) => {
            tracing::error!(%error, "the inside endpoint has no address");
            return;
        }
    };
    let connections = Connections {
        accepted: incoming(listener, config, None, CONNECTIONS_MAX),
        local,
    };
    let serving = axum::serve(connections, router(inside));
    tokio::select! {
        () = stop.cancelled() => {}
        served = serving => if let Err(error) = served {
            tracing::error!(%error, "the inside endpoint ended");
        }
    }
}

fn router(inside: Inside) -> Router {
    Router::new()
        .route("/", get(show))
        .route("/style.css", get(style))
        .route("/v1/ledger", get(ledger))
        .route("/contracts", get(violations::show))
        .route("/v1/contract-violations", get(violations::list))
        .route("/v1/dead-letters", get(letters::list))
        .route("/v1/dead-letters/{id}/letters", get(letters::letters))
        .route(
            "/v1/dead-letters/{id}/redrive",
            post(letters::begin).get(letters::look).delete(letters::cancel),
        )
        .route("/v1/link-offsets", get(links::translate))
        .route("/v1/job-previews", previews::route())
        .route("/v1/job-tables", get(previews::tables))
        .route("/v1/job-selects", previews::selects())
        .route("/selects", selects::route())
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(DefaultBodyLimit::max(letters::BODY_BYTES_MAX))
        .layer(map_response(harden))
        .with_state(inside)
}

/// Nothing is loaded from elsewhere, nothing is framed, nothing is kept.
async fn harden(mut response: Response) -> Response {
    const HEADERS: [(HeaderName, &str); 6] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    ];
    for (name, value) in HEADERS {
        // Only the page with a form has said something of its own.
        let own = response.headers_mut().entry(name);
        own.or_insert(HeaderValue::from_static(value));
    }
    response
}

async fn show(State(inside): State<Inside>) -> Html<String> {
    Html(page::render(&*inside.view().await))
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], page::STYLE).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limit {
    limit: Option<usize>,
}

async fn ledger(State(inside): State<Inside>, Query(limit): Query<Limit>) -> Json<View> {
    let mut view = (*inside.view().await).clone();
    view.lines.truncate(limit.limit.unwrap_or(100).min(LINES_MAX));
    Json(view)
}

/// Connections after their handshake, as axum wants them.
struct Connections {
    accepted: mpsc::Receiver<io::Result<Accepted>>,
    local: std::net::SocketAddr,
}

impl axum::serve::Listener for Connections {
    type Io = Accepted;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.accepted.recv().await {
                Some(Ok(accepted)) => {
                    let peer = accepted.peer();
                    return (accepted, peer);
                }
                Some(Err(_failed)) => {}
                // No more will come; the server is ended by its token.
                None => std::future::pending::<()>().await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.local)
    }
}

#[cfg(test)]
mod tests;
