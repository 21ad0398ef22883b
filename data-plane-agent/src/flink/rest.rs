//! Flink's REST endpoints: JSON in, JSON out, both bounded, and no answer waited for without end.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Uri};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio_rustls::TlsConnector;
use tower::util::BoxCloneSyncService;

use crate::processor::roots::{self, Wire};

type Dial = BoxCloneSyncService<Uri, TokioIo<Wire>, std::io::Error>;

/// The most of an answer that is read.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long most answers may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The most of a refusal's text that is kept.
const TEXT_BYTES_MAX: usize = 8 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum RestError {
    /// Nobody is there, or the connection broke.
    #[error("Flink cannot be reached")]
    Unreachable,
    /// It took too long.
    #[error("Flink did not answer in time")]
    Late,
    /// It is larger than we read.
    #[error("Flink's answer is too large")]
    TooLarge,
    /// It is not what was expected.
    #[error("Flink's answer cannot be read")]
    Unreadable,
    /// It says no.
    #[error("Flink refused with status {status}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Its words. They may name what a statement had in it: never sent home, never shown without a look at secrets.
        text: String,
    },
}

impl RestError {
    /// There is no such thing.
    #[must_use]
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    /// Its words, if it said some.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Refused { text, .. } => text,
            _silent => "",
        }
    }
}

/// One endpoint.
#[derive(Clone)]
pub struct Rest {
    client: Client<Dial, Full<Bytes>>,
    base: Arc<str>,
    patience: Duration,
}

impl Rest {
    /// The endpoint on a port of this machine, behind TLS.
    #[must_use]
    pub fn local(port: u16, tls: TlsConnector) -> Self {
        Self::at(format!("https://127.0.0.1:{port}"), tls)
    }

    fn at(base: String, tls: TlsConnector) -> Self {
        let dial = tower::service_fn(move |uri: Uri| roots::connect(uri, tls.clone()));
        Self {
            client: Client::builder(TokioExecutor::new()).build(BoxCloneSyncService::new(dial)),
            base: base.into(),
            patience: PATIENCE,
        }
    }

    /// The same with another patience.
    #[must_use]
    pub fn patient(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Reads.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn get(&self, path: &str) -> Result<Value, RestError> {
        self.call(Method::GET, path, None).await
    }

    /// Sends something.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, RestError> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// Replaces something.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value, RestError> {
        self.call(Method::PUT, path, Some(body)).await
    }

    /// Changes something.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn patch(&self, path: &str) -> Result<Value, RestError> {
        self.call(Method::PATCH, path, None).await
    }

    /// Removes something.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn delete(&self, path: &str) -> Result<Value, RestError> {
        self.call(Method::DELETE, path, None).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, RestError> {
        let bytes = body.map(|it| it.to_string().into_bytes()).unwrap_or_default();
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("Content-Type", "application/json")
            .body(Full::new(Bytes::from(bytes)))
            .map_err(|_unusable| RestError::Unreadable)?;
        tokio::time::timeout(self.patience, self.exchange(request))
            .await
            .map_err(|_late| RestError::Late)?
    }

    async fn exchange(&self, request: http::Request<Full<Bytes>>) -> Result<Value, RestError> {
        let answer = self.client.request(request).await.map_err(|error| {
            tracing::debug!(connecting = error.is_connect(), "Flink did not answer");
            RestError::Unreachable
        })?;
        let status = answer.status();
        let body = match Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => return Err(RestError::TooLarge),
            Err(_broken) => return Err(RestError::Unreachable),
        };
        if !status.is_success() {
            let text = &body[..body.len().min(TEXT_BYTES_MAX)];
            return Err(RestError::Refused {
                status: status.as_u16(),
                text: String::from_utf8_lossy(text).into_owned(),
            });
        }
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).map_err(|_not_json| RestError::Unreadable)
    }
}

/// A path's part that came from Flink: an id, and nothing that leads elsewhere.
pub(super) fn part(text: &str) -> Result<&str, RestError> {
    let plain =
        (1..=128).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
    plain.then_some(text).ok_or(RestError::Unreadable)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::{get, post};

    /// A plain endpoint that answers as told.
    pub(crate) async fn endpoint(routes: Router) -> Rest {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Rest::at(format!("http://127.0.0.1:{port}"), roots::system_tls().unwrap())
    }

    #[tokio::test]
    async fn answers_are_bounded_in_size_and_time() {
        let routes = Router::new()
            .route("/fine", get(|| async { r#"{"a": 1}"# }))
            .route("/none", get(|| async { StatusCode::ACCEPTED }))
            .route("/odd", get(|| async { "<html>" }))
            .route("/large", get(|| async { vec![b' '; ANSWER_BYTES_MAX + 1] }))
            .route("/slow", get(std::future::pending::<()>))
            .route("/echo", post(|body: String| async move { body }))
            .route(
                "/no",
                get(|| async { (StatusCode::BAD_REQUEST, "x".repeat(2 * TEXT_BYTES_MAX)) }),
            );
        let rest = endpoint(routes).await.patient(Duration::from_millis(500));
        assert_eq!(rest.get("/fine").await.unwrap()["a"], 1);
        assert_eq!(rest.get("/none").await.unwrap(), Value::Null);
        let said = serde_json::json!({"statement": "SELECT 'ü'"});
        assert_eq!(rest.post("/echo", &said).await.unwrap(), said);
        assert!(matches!(rest.get("/odd").await, Err(RestError::Unreadable)));
        assert!(matches!(rest.get("/large").await, Err(RestError::TooLarge)));
        assert!(matches!(rest.get("/slow").await, Err(RestError::Late)));
        assert!(rest.get("/missing").await.unwrap_err().is_missing());
        let refused = rest.get("/no").await.unwrap_err();
        assert_eq!(refused.text().len(), TEXT_BYTES_MAX);
        assert!(
            !refused.to_string().contains('x'),
            "its words are not part of the sentence: {refused}"
        );
    }

    #[test]
    fn ids_lead_nowhere_else() {
        assert!(part("0a1b-2c").is_ok());
        for bad in ["", "a/b", "..", "a?b", "a%2fb", "a b"] {
            assert!(part(bad).is_err(), "{bad}");
        }
    }
}
