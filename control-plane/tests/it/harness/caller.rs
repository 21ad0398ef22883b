//! A caller of the API, and what it was answered.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

/// Calls the router in process.
#[derive(Clone)]
pub struct Caller {
    router: axum::Router,
    token: Option<String>,
    headers: Vec<(String, String)>,
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Reply {
    /// Fails the test unless the status is this one; gives the body.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:#}", self.body);
        self.body
    }

    /// Fails the test unless this is a problem with this status and code; gives the body.
    #[track_caller]
    pub fn expect_problem(self, status: u16, code: &str) -> Value {
        assert_eq!(
            self.headers.get(header::CONTENT_TYPE).map(|it| it.as_bytes()),
            Some(&b"application/problem+json"[..])
        );
        let body = self.expect(status);
        assert_eq!(body["code"], code, "{body:#}");
        assert!(
            body["request_id"]
                .as_str()
                .is_some_and(|it| it.starts_with("req_")),
            "{body:#}"
        );
        body
    }
}

impl Caller {
    pub fn new(router: axum::Router, token: Option<String>) -> Self {
        Self {
            router,
            token,
            headers: Vec::new(),
        }
    }

    /// With a header on every further call.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same caller of another control plane.
    pub fn at(&self, router: &axum::Router) -> Self {
        Self {
            router: router.clone(),
            ..self.clone()
        }
    }

    /// His key's id with the secret of another's, both by HTTP Basic.
    pub fn with_secret_of(&self, other: &Self) -> Self {
        let pair = |it: &Self| {
            let (_, value) = it.headers.last().expect("a header");
            let text = value.strip_prefix("Basic ").expect("HTTP Basic");
            let text = String::from_utf8(STANDARD.decode(text).expect("base64")).expect("text");
            let (id, secret) = text.split_once(':').expect("a pair");
            (id.to_owned(), secret.to_owned())
        };
        let mixed = STANDARD.encode(format!("{}:{}", pair(self).0, pair(other).1));
        Self {
            headers: vec![("Authorization".into(), format!("Basic {mixed}"))],
            ..self.clone()
        }
    }

    async fn call(&self, method: &str, path: &str, body: Body) -> http::Response<Body> {
        let mut request = Request::builder().method(method).uri(path);
        let typed = |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-type");
        if !self.headers.iter().any(typed) {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        self.router
            .clone()
            .oneshot(request.body(body).expect("a request"))
            .await
            .expect("infallible")
    }

    /// Calls with these very bytes as body. Asked to try again because the database was busy, it does, as clients do: a test machine
    /// may stand still for longer than a server waits for a connection.
    pub async fn send(&self, method: &str, path: &str, body: impl Into<Body>) -> Reply {
        let asked = body.into().collect().await.expect("a body").to_bytes();
        let mut tries = 0;
        loop {
            tries += 1;
            let answer = self.call(method, path, Body::from(asked.clone())).await;
            let (parts, body) = answer.into_parts();
            let bytes = body.collect().await.expect("a body").to_bytes();
            let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
            if body["code"] == "busy" && tries < 5 {
                continue;
            }
            return Reply {
                status: parts.status,
                headers: parts.headers,
                body,
            };
        }
    }

    /// Opens a stream.
    pub async fn open(&self, path: &str) -> Body {
        let response = self.call("GET", path, Body::empty()).await;
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body()
    }

    /// Calls without a body and reads the answer only when it is a problem: a stream would not end.
    pub async fn knock(&self, method: &str, path: &str) -> Reply {
        let (parts, body) = self.call(method, path, Body::empty()).await.into_parts();
        let body = if parts.status.is_success() {
            Value::Null
        } else {
            let bytes = body.collect().await.expect("a body").to_bytes();
            serde_json::from_slice(&bytes).unwrap_or(Value::Null)
        };
        Reply {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, Body::empty()).await
    }
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, body.to_string()).await
    }
    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send("PATCH", path, body.to_string()).await
    }
    pub async fn delete(&self, path: &str) -> Reply {
        self.send("DELETE", path, Body::empty()).await
    }
}
