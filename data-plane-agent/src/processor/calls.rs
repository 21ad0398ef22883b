//! Calls of endpoints and models, beside the thread that consumes: requests out, answers in, in any order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http::header::{HeaderName, HeaderValue};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::runtime::Handle;
use tower::util::BoxCloneSyncService;

use super::engine::{Answer, Engine, Failure, RESPONSE_BYTES_MAX, Request};
use super::partition::CallId;
use super::roots::{self, Wire};
use super::spec::Hidden;

type Dial = BoxCloneSyncService<Uri, TokioIo<Wire>, std::io::Error>;

/// Makes calls.
pub struct Calls {
    runtime: Handle,
    made: Arc<Made>,
    sender: Sender<(CallId, Answer)>,
    answers: Receiver<(CallId, Answer)>,
    under_way: usize,
}

/// What makes a call: the connections, whom they may reach, and secrets.
pub struct Made {
    client: Client<Dial, Full<Bytes>>,
    hosts: Vec<String>,
    secrets: BTreeMap<String, Hidden>,
}

impl Calls {
    /// Nothing under way.
    pub fn new(runtime: Handle, engine: &Engine, secrets: &BTreeMap<String, Hidden>) -> Self {
        let (sender, answers) = channel();
        let made = Made::new(engine, secrets);
        Self {
            runtime,
            made: Arc::new(made),
            sender,
            answers,
            under_way: 0,
        }
    }

    /// How many have no answer yet.
    pub const fn under_way(&self) -> usize {
        self.under_way
    }

    /// Makes a call; its answer comes by [`Calls::answer`].
    pub fn make(&mut self, id: CallId, request: Request) {
        self.under_way += 1;
        let (made, sender) = (Arc::clone(&self.made), self.sender.clone());
        self.runtime.spawn(async move {
            tokio::time::sleep(Duration::from_millis(request.wait_ms)).await;
            let answer = made.ask(&request).await;
            // Nobody waits any more: the worker ended.
            let _gone = sender.send((id, answer));
        });
    }

    /// An answer, if one has come.
    pub fn answer(&mut self) -> Option<(CallId, Answer)> {
        let answered = self.answers.try_recv().ok()?;
        self.under_way = self.under_way.saturating_sub(1);
        Some(answered)
    }
}

/// Connects; without authorities of the system nobody is believed, and plain connections serve.
fn dial(hosts: &[String]) -> Dial {
    let (tls, hosts) = (Arc::new(roots::system_tls()), Arc::<[String]>::from(hosts));
    BoxCloneSyncService::new(tower::service_fn(move |uri: Uri| {
        let (tls, hosts) = (Arc::clone(&tls), Arc::clone(&hosts));
        async move {
            match tls.as_ref() {
                Ok(tls) => roots::connect_named(uri, tls.clone(), hosts).await,
                Err(error) => Err(std::io::Error::other(error.to_string())),
            }
        }
    }))
}

/// A name that leads where calls may not go is refused like an address of that place.
fn failure(error: &(dyn std::error::Error + 'static)) -> Failure {
    let causes = std::iter::successors(Some(error), |it| it.source());
    let mut io = causes.filter_map(|it| it.downcast_ref::<std::io::Error>());
    if io.any(|it| it.kind() == std::io::ErrorKind::PermissionDenied) {
        Failure::Refused
    } else {
        Failure::Unreachable
    }
}

impl Made {
    /// For a program and what its references stand for.
    pub fn new(engine: &Engine, secrets: &BTreeMap<String, Hidden>) -> Self {
        Self::with(&engine.hosts, secrets.clone())
    }

    /// For whoever asks without a program.
    pub fn with(hosts: &[String], secrets: BTreeMap<String, Hidden>) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build(dial(hosts)),
            hosts: hosts.to_vec(),
            secrets,
        }
    }

    /// Asks once.
    pub async fn ask(&self, request: &Request) -> Answer {
        // The address may hold what the record holds: it is judged again, and never logged.
        if !super::hosts::is_reachable(&request.url, &self.hosts) {
            return Answer::Failure(Failure::Refused);
        }
        let Some(built) = self.build(request) else {
            return Answer::Failure(Failure::Refused);
        };
        let limit = Duration::from_millis(u64::from(request.timeout_ms));
        match tokio::time::timeout(limit, self.exchange(built)).await {
            Ok(answer) => answer,
            Err(_late) => Answer::Failure(Failure::Timeout),
        }
    }

    async fn exchange(&self, request: http::Request<Full<Bytes>>) -> Answer {
        let response = match self.client.request(request).await {
            Ok(response) => response,
            Err(error) => {
                tracing::debug!(connecting = error.is_connect(), "an endpoint did not answer");
                return Answer::Failure(failure(&error));
            }
        };
        let status = response.status().as_u16();
        match Limited::new(response.into_body(), RESPONSE_BYTES_MAX)
            .collect()
            .await
        {
            Ok(body) => Answer::Response {
                status,
                body: body.to_bytes().to_vec(),
            },
            Err(error) if error.is::<LengthLimitError>() => Answer::Failure(Failure::TooLarge),
            Err(_broken) => Answer::Failure(Failure::Unreachable),
        }
    }

    /// `None`: its secret is not there, or it cannot be sent.
    fn build(&self, request: &Request) -> Option<http::Request<Full<Bytes>>> {
        let body = request.body.clone().unwrap_or_default();
        let mut built = http::Request::builder().method(request.method).uri(&request.url);
        for (name, value) in &request.headers {
            built = built.header(name, value);
        }
        if let Some(secret) = &request.secret {
            let Hidden(text) = self.secrets.get(&secret.reference)?;
            let name: HeaderName = secret.header.parse().ok()?;
            let mut value = HeaderValue::try_from(format!("{}{text}", secret.prefix)).ok()?;
            value.set_sensitive(true);
            built = built.header(name, value);
        }
        built.body(Full::new(Bytes::from(body))).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::processor::spec::tests::sample;
    use axum::Router;
    use axum::http::{HeaderMap, StatusCode};
    use axum::routing::{get, post};

    fn request(url: String) -> Request {
        Request {
            step: 1,
            method: "POST",
            url,
            headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
            secret: None,
            body: Some(b"{}".to_vec()),
            timeout_ms: 2_000,
            attempt: 1,
            wait_ms: 0,
        }
    }

    async fn endpoint() -> u16 {
        let routes = Router::new()
            .route(
                "/echo",
                post(|headers: HeaderMap, body: String| async move {
                    let login = headers
                        .get("authorization")
                        .map(|it| it.to_str().unwrap().to_owned());
                    format!("{}{body}", login.unwrap_or_default())
                }),
            )
            .route("/wrong", post(|| async { StatusCode::BAD_GATEWAY }))
            .route(
                "/away",
                post(|| async { (StatusCode::FOUND, [("location", "/echo")]) }),
            )
            .route("/large", get(|| async { vec![b'x'; RESPONSE_BYTES_MAX + 1] }))
            .route("/slow", post(std::future::pending::<()>));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        port
    }

    fn made(hosts: Vec<String>) -> Made {
        Made {
            client: Client::builder(TokioExecutor::new()).build(dial(&hosts)),
            hosts,
            secrets: sample().secrets,
        }
    }

    #[tokio::test]
    async fn answers_and_failures_are_told_apart() {
        let port = endpoint().await;
        let made = made(vec![format!("127.0.0.1:{port}"), "127.0.0.1:1".to_owned()]);
        let at = |path: &str| request(format!("http://127.0.0.1:{port}{path}"));
        let said = |status, body: &[u8]| Answer::Response {
            status,
            body: body.to_vec(),
        };
        assert_eq!(made.ask(&at("/echo")).await, said(200, b"{}"));
        assert_eq!(made.ask(&at("/wrong")).await, said(502, b""));
        assert_eq!(
            made.ask(&at("/away")).await,
            said(302, b""),
            "nobody is followed elsewhere"
        );
        let large = Request {
            method: "GET",
            body: None,
            ..at("/large")
        };
        assert_eq!(made.ask(&large).await, Answer::Failure(Failure::TooLarge));
        let slow = Request {
            timeout_ms: 50,
            ..at("/slow")
        };
        assert_eq!(made.ask(&slow).await, Answer::Failure(Failure::Timeout));
        let nobody = request("http://127.0.0.1:1/".to_owned());
        assert_eq!(made.ask(&nobody).await, Answer::Failure(Failure::Unreachable));
    }

    #[tokio::test]
    async fn a_secret_is_sent_by_its_name_and_strangers_are_not_called() {
        let port = endpoint().await;
        let made = made(vec![format!("127.0.0.1:{port}")]);
        let with = |reference: &str| {
            let mut request = request(format!("http://127.0.0.1:{port}/echo"));
            request.secret = serde_json::from_value(serde_json::json!({"reference": reference})).unwrap();
            request
        };
        let Answer::Response { body, .. } = made.ask(&with("key")).await else {
            panic!("it answers");
        };
        assert_eq!(body, b"Bearer hush{}");
        assert_eq!(made.ask(&with("other")).await, Answer::Failure(Failure::Refused));
        let stranger = request(format!("http://localhost:{port}/echo"));
        assert_eq!(made.ask(&stranger).await, Answer::Failure(Failure::Refused));
        let named = self::made(vec![format!("localhost:{port}")]);
        let Answer::Response { status: 200, .. } = named.ask(&stranger).await else {
            panic!("a name of this machine that the customer wrote in full");
        };
    }

    #[tokio::test]
    async fn a_name_that_leads_astray_is_refused_and_not_called() {
        let port = endpoint().await;
        // The name may be called; it leads to this machine, which is not named in full where connections are made.
        let astray = Made {
            client: Client::builder(TokioExecutor::new()).build(dial(&[format!("*.localhost:{port}")])),
            hosts: vec![format!("localhost:{port}")],
            secrets: BTreeMap::new(),
        };
        let asked = request(format!("http://localhost:{port}/echo"));
        assert_eq!(astray.ask(&asked).await, Answer::Failure(Failure::Refused));
    }
}
