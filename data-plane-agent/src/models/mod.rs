//! Models that jobs in SQL ask, and schemas of their records. Flink asks here, on this machine alone, with the job's token; the agent asks the endpoint, as
//! workers of actions do: hosts by the customer's policy, no redirects, a bound on time and size, and the secret, which Flink
//! never has.
//!
//! A failure is an answer that says so, or the job's, as its program wants it. Records pass through; nothing of them is kept.

mod answer;
mod schemas;

pub use schemas::Schemas;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path as Part, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use weir_actions::SecretUse;
use weir_sql::{Model, Relay};

use self::answer::{Verdict, completion, judge, refusal};
use crate::disk;
use crate::processor::calls::Made;
use crate::processor::engine::Request;
use crate::processor::spec::Hidden;

const FILE_BYTES_MAX: u64 = 1024;
const REQUEST_BYTES_MAX: usize = 1024 * 1024;
/// Questions of all jobs under way at the same time; others wait.
const AT_ONCE_MAX: usize = 256;

/// What jobs may ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routes {
    /// Whom the customer's policy lets jobs call.
    pub hosts: Vec<String>,
    /// Jobs by their ids.
    pub jobs: BTreeMap<String, Asks>,
}

/// What one job may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asks {
    /// What it shows.
    pub token: Hidden,
    /// Its models by their names, each with its secret as far as it is there.
    pub models: BTreeMap<String, (Model, Option<Hidden>)>,
    /// What its records may be of.
    pub schemas: Schemas,
}

/// Where jobs ask.
pub struct Models {
    port: u16,
    desk: Arc<Desk>,
    stop: CancellationToken,
}

struct Desk {
    served: ArcSwap<Served>,
    room: Semaphore,
}

struct Served {
    routes: Routes,
    made: Made,
}

impl Served {
    fn of(routes: Routes) -> Self {
        let mut secrets = BTreeMap::new();
        for (job, asks) in &routes.jobs {
            for (name, (_model, secret)) in &asks.models {
                let held = secret.clone().map(|it| (reference(job, name), it));
                secrets.extend(held);
            }
        }
        Self {
            made: Made::with(&routes.hosts, secrets),
            routes,
        }
    }
}

/// Under which a model's secret is kept here.
fn reference(job: &str, model: &str) -> String {
    format!("{job}/{model}")
}

impl Drop for Models {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Models {
    /// Listens, where it did before if that is still free.
    ///
    /// # Errors
    /// As the operating system says.
    pub fn open(file: &Path) -> io::Result<Self> {
        let before: Option<u16> = disk::read_json(file, FILE_BYTES_MAX).unwrap_or(None);
        let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let listener = match before.map(bind) {
            Some(Ok(listener)) => listener,
            _taken => bind(0)?,
        };
        let port = listener.local_addr()?.port();
        disk::write_json(file, &port)?;
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let desk = Arc::new(Desk {
            served: ArcSwap::from_pointee(Served::of(Routes::default())),
            room: Semaphore::new(AT_ONCE_MAX),
        });
        let router = Router::new()
            .route("/{job}/{model}/chat/completions", post(ask))
            .route("/{job}/registry/schemas/ids/{id}", get(schemas::by_id))
            .route(
                "/{job}/registry/subjects/{subject}/versions",
                post(schemas::written),
            )
            .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
            .with_state(Arc::clone(&desk));
        let stop = CancellationToken::new();
        let ends = stop.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = ends.cancelled() => {}
                served = axum::serve(listener, router) => if let Err(error) = served {
                    tracing::error!(%error, "models of jobs in SQL cannot be asked any more");
                }
            }
        });
        Ok(Self { port, desk, stop })
    }

    /// On which port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Where a job asks for schemas, with the same token.
    #[must_use]
    pub fn registry(relay: &Relay) -> Relay {
        Relay {
            base: format!("{}/registry", relay.base),
            token: relay.token.clone(),
        }
    }

    /// Where a job asks, and what it shows there: the same as long as the job has its secret.
    #[must_use]
    pub fn relay(&self, job: &str, secret: &str) -> Relay {
        Relay {
            base: format!("http://127.0.0.1:{}/{job}", self.port),
            token: token(secret),
        }
    }

    /// Takes what jobs may ask from now on.
    pub fn tell(&self, routes: Routes) {
        if self.desk.served.load().routes != routes {
            self.desk.served.store(Arc::new(Served::of(routes)));
        }
    }
}

/// Whoever has it learns nothing of the secret.
fn token(secret: &str) -> String {
    weir_credentials::hex(&weir_credentials::sha256(
        format!("models of {secret}").as_bytes(),
    ))
}

/// Is it the job that asks?
fn shows(headers: &HeaderMap, asks: &Asks) -> bool {
    let shown = headers
        .get(header::AUTHORIZATION)
        .and_then(|it| it.to_str().ok()?.strip_prefix("Bearer "))
        .unwrap_or_default();
    // Digests are compared, so that the time it takes tells nothing.
    let digest = |it: &str| weir_credentials::sha256(it.as_bytes());
    digest(&asks.token.0) == digest(shown)
}

async fn ask(
    State(desk): State<Arc<Desk>>,
    Part((job, name)): Part<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let served = desk.served.load_full();
    let asks = served.routes.jobs.get(&job);
    let Some(asks) = asks.filter(|it| shows(&headers, it)) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let Some((model, secret)) = asks.models.get(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Ok(_room) = desk.room.acquire().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let code = if model.secret.is_some() && secret.is_none() {
        answer::FORBIDDEN
    } else {
        match put(&served.made, &job, model, &body).await {
            Ok(text) => return completion(&text),
            Err(code) => code,
        }
    };
    tracing::debug!(job, model = name, code = code.as_str(), "a model did not answer");
    if model.answers_failures {
        completion(&answer::marked(code))
    } else {
        refusal(code)
    }
}

/// Puts a question to the endpoint, until it answers or nothing more is tried.
async fn put(made: &Made, job: &str, model: &Model, body: &Bytes) -> Result<String, answer::Code> {
    let mut attempt = 1;
    loop {
        let headers = [
            ("Accept", "application/json"),
            ("Content-Type", "application/json"),
        ];
        let request = Request {
            step: 0,
            method: "POST",
            url: model.endpoint.clone(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            secret: model.secret.as_ref().map(|_name| SecretUse {
                reference: reference(job, &model.name),
                header: "Authorization".to_owned(),
                prefix: "Bearer ".to_owned(),
            }),
            body: Some(body.to_vec()),
            timeout_ms: model.timeout_ms,
            attempt,
            wait_ms: 0,
        };
        match judge(&made.ask(&request).await) {
            Verdict::Answered(text) => return Ok(text),
            Verdict::Failed { code, may_pass } => match model.again_ms(attempt).filter(|_ms| may_pass) {
                None => return Err(code),
                Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            },
        }
        attempt += 1;
    }
}

#[cfg(test)]
mod tests;
