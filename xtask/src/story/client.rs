//! A small client of the public API: what any automation would write.

use crate::trouble::Trouble;
use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long an object may take to become ready: a broker may have to start first.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// No answer takes longer, `?wait=` included.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// One caller: an address, perhaps signed in, perhaps acting in a tenant.
#[derive(Clone)]
pub struct Api {
    base: String,
    authorization: Option<String>,
    tenant: Option<String>,
    http: Client<HttpConnector, Full<Bytes>>,
}

/// Status and body of one answer.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The decoded body; null when it is empty.
    pub body: Value,
}

impl Api {
    /// A caller that has not signed in.
    pub fn new(base: &str) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        Self {
            base: base.to_owned(),
            authorization: None,
            tenant: None,
            http,
        }
    }

    /// Signs in with e-mail and password.
    pub async fn sign_in(&self, email: &str, password: &str) -> Result<Self> {
        let body = json!({"email": email, "password": password});
        let answer = self.send(Method::POST, "/v1/sessions", Some(&body), None).await?;
        let answer = expect(answer, "POST /v1/sessions")?;
        let token = answer["token"].as_str().context("the session has no token")?;
        Ok(Self {
            authorization: Some(format!("Bearer {token}")),
            ..self.clone()
        })
    }

    /// A caller with an API key, in the tenant of that key.
    pub fn with_key(base: &str, id: &str, secret: &str) -> Self {
        let encoded = STANDARD.encode(format!("{id}:{secret}"));
        Self {
            authorization: Some(format!("Basic {encoded}")),
            ..Self::new(base)
        }
    }

    /// The same caller, acting in a tenant.
    pub fn within(&self, tenant: &str) -> Self {
        Self {
            tenant: Some(tenant.to_owned()),
            ..self.clone()
        }
    }

    /// Is the control plane ready?
    pub async fn ready(&self) -> bool {
        self.send(Method::GET, "/readyz", None, None)
            .await
            .is_ok_and(|it| it.status == 200)
    }

    /// One request; any status is an answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        idempotency_key: Option<&str>,
    ) -> Result<Answer> {
        let what = format!("{method} {path}");
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        if let Some(it) = &self.authorization {
            request = request.header("authorization", it);
        }
        if let Some(it) = &self.tenant {
            request = request.header("weir-tenant", it);
        }
        if let Some(it) = idempotency_key {
            request = request.header("idempotency-key", it);
        }
        let bytes = match body {
            Some(it) => {
                request = request.header("content-type", "application/json");
                Bytes::from(serde_json::to_vec(it).context("encode a body")?)
            }
            None => Bytes::new(),
        };
        let request = request
            .body(Full::new(bytes))
            .with_context(|| format!("build {what}"))?;
        let exchange = async {
            let answer = self
                .http
                .request(request)
                .await
                .with_context(|| format!("send {what}"))?;
            let status = answer.status().as_u16();
            let bytes = answer
                .into_body()
                .collect()
                .await
                .with_context(|| format!("read {what}"))?
                .to_bytes();
            anyhow::Ok((status, bytes))
        };
        let (status, bytes) = tokio::time::timeout(ANSWER_WITHIN, exchange)
            .await
            .with_context(|| format!("wait for {what}"))??;
        // Health checks and pages answer text.
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Answer { status, body })
    }

    /// A read that must succeed.
    pub async fn get(&self, path: &str) -> Result<Value> {
        expect(
            self.send(Method::GET, path, None, None).await?,
            &format!("GET {path}"),
        )
    }

    /// A write that must succeed. A lost answer is asked for again under the same key.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let key = format!("story-{}", crate::workspace::random_hex(12)?);
        let what = format!("POST {path}");
        match self.send(Method::POST, path, Some(body), Some(&key)).await {
            Ok(answer) => expect(answer, &what),
            Err(_lost) => expect(
                self.send(Method::POST, path, Some(body), Some(&key)).await?,
                &what,
            ),
        }
    }

    /// A change of an object that must succeed.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Value> {
        expect(
            self.send(Method::PATCH, path, Some(body), None).await?,
            &format!("PATCH {path}"),
        )
    }

    /// All pages of a list.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        let mut page = String::new();
        loop {
            let join = if path.contains('?') { '&' } else { '?' };
            let answer = self.get(&format!("{path}{join}page_size=500{page}")).await?;
            all.extend(
                answer["data"]
                    .as_array()
                    .context("a list has no data")?
                    .iter()
                    .cloned(),
            );
            match answer["metadata"]["next_page_token"].as_str() {
                Some(token) if !token.is_empty() => page = format!("&page_token={token}"),
                _ => return Ok(all),
            }
        }
    }

    /// The first object of a list whose spec has all members of `like`, unless it is being deleted.
    pub async fn find(&self, path: &str, like: &Value) -> Result<Option<Value>> {
        let wanted = like.as_object().context("look for an object by its spec")?;
        Ok(self.list(path).await?.into_iter().find(|it| {
            it["status"]["phase"] != "DELETING"
                && wanted.iter().all(|(name, value)| it["spec"][name] == *value)
        }))
    }

    /// Finds an object by the members `by` of its spec, or creates it; then waits until it is ready.
    pub async fn ensure(&self, path: &str, by: &[&str], spec: Value) -> Result<Object> {
        let mut like = json!({});
        for name in by {
            like[*name] = spec[*name].clone();
        }
        if let Some(found) = self.find(path, &like).await? {
            let object = Object {
                value: found,
                created: false,
            };
            return self.until_ready(path, object).await;
        }
        let created = self
            .post(&format!("{path}?wait=30s"), &json!({ "spec": spec }))
            .await?;
        self.until_ready(
            path,
            Object {
                value: created,
                created: true,
            },
        )
        .await
    }

    /// Reads the object until it is ready. What only the create answer shows is kept.
    pub async fn until_ready(&self, path: &str, mut object: Object) -> Result<Object> {
        let deadline = Instant::now() + READY_WITHIN;
        let id = object.id()?;
        loop {
            let status = &object.value["status"];
            match status["phase"].as_str() {
                Some("READY" | "ACTIVE" | "RUNNING") | None => return Ok(object),
                Some("FAILED") => bail!("{id} failed: {} {}", status["reason"], status["message"]),
                Some(phase) if Instant::now() > deadline => {
                    let reason = format!("{} {}", status["reason"], status["message"]);
                    return Err(
                        Trouble::new(format!("{id} is {phase} after {READY_WITHIN:?}: {reason}"))
                            .remedy("read agent.log and the agent's own logs in the state folder")
                            .into(),
                    );
                }
                Some(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
            object.value["status"] = self.get(&format!("{path}/{id}")).await?["status"].clone();
        }
    }
}

/// An object of the API.
#[derive(Debug, Clone)]
pub struct Object {
    /// As answered.
    pub value: Value,
    /// Made by us just now?
    pub created: bool,
}

impl Object {
    /// Its id.
    pub fn id(&self) -> Result<String> {
        Ok(self.value["id"]
            .as_str()
            .context("an object has no id")?
            .to_owned())
    }

    /// "created" or "found".
    pub fn how(&self) -> &'static str {
        if self.created { "created" } else { "found" }
    }
}

/// The body of a success; a problem becomes an error that can be read.
fn expect(answer: Answer, what: &str) -> Result<Value> {
    if (200..300).contains(&answer.status) {
        return Ok(answer.body);
    }
    let body = &answer.body;
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let fields: Vec<String> = body["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|it| {
            format!(
                "{} {}",
                it["pointer"].as_str().unwrap_or_default(),
                it["detail"].as_str().unwrap_or_default()
            )
        })
        .collect();
    bail!(
        "{what}: {} {} {} {} (request {})",
        answer.status,
        text("code"),
        text("detail"),
        fields.join("; "),
        text("request_id")
    )
}
