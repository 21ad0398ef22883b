//! What a request asks: who, with which right, in which context, and by which parameters.

use std::sync::{Arc, Mutex};

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method};
use serde_json::Value;

use crate::auth::{Allowed, Permission, ReadTenant, TenantScope, WriteStreams};
use crate::kernel::{Error, ErrorKind, Result, code};
use crate::registry::answer::{self, Refused};
use crate::resources::contract::{self, Asker, Context, ContextName, Outcome, Refusal, Subject, Window};
use crate::rest::RequestId;
use crate::runtime::{App, Right, Tx};

/// A client that understands what newer registries add says so in this header; others fail on fields that they do not know.
const EXTENDED: &str = "confluent-accept-unknown-properties";
/// The most rows of one answer.
const ROWS_MAX: i64 = 20_000;

/// A request by somebody who may.
#[derive(Debug)]
pub struct Asked {
    /// The shared parts.
    pub app: App,
    /// Who, and where names without a context belong.
    pub asker: Asker,
    /// May the answer have fields of newer registries?
    pub extended: bool,
    /// The media type of the answer.
    pub media: &'static str,
    path: Vec<(String, String)>,
    query: Vec<(String, String)>,
    /// The transaction to go on in, where the request has no body that would have to be waited for.
    open: Mutex<Option<Tx>>,
    stays_open: bool,
}

/// To read.
#[derive(Debug)]
pub struct Reading(pub Asked);
/// To change.
#[derive(Debug)]
pub struct Writing(pub Asked);

impl FromRequestParts<App> for Reading {
    type Rejection = Refused;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        Ok(Self(asked::<ReadTenant>(parts, app).await?))
    }
}

impl FromRequestParts<App> for Writing {
    type Rejection = Refused;
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        Ok(Self(asked::<WriteStreams>(parts, app).await?))
    }
}

async fn asked<P: Permission<Scope = TenantScope>>(parts: &mut Parts, app: &App) -> Result<Asked, Refused> {
    // Such a request has no body.
    let stays_open = matches!(parts.method, Method::GET | Method::HEAD);
    let (Allowed { caller, scope, .. }, open) = if stays_open {
        Allowed::<P>::to_read(parts, app).await?
    } else {
        (Allowed::<P>::from_request_parts(parts, app).await?, None)
    };
    let path = match RawPathParams::from_request_parts(parts, app).await {
        Ok(params) => owned(&params),
        Err(_rejection) => {
            let detail = "The path is not UTF-8.";
            return Err(Error::new(ErrorKind::Malformed, code::MALFORMED_QUERY, detail).into());
        }
    };
    let query = parts.uri.query().unwrap_or_default();
    let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let home = Context::default();
    let request_id = parts.extensions.get::<RequestId>();
    let request_id = request_id.map(|it| it.0.clone()).unwrap_or_default();
    let mut asked = Asked {
        app: app.clone(),
        asker: Asker {
            caller,
            scope,
            home,
            request_id,
        },
        extended: says_true(&parts.headers, EXTENDED),
        media: answer::media_of(&parts.headers),
        path,
        query,
        open: Mutex::new(open),
        stays_open,
    };
    asked.asker.home = asked.home().await?;
    Ok(asked)
}

fn owned(params: &RawPathParams) -> Vec<(String, String)> {
    let pairs = params.iter();
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn says_true(headers: &HeaderMap, name: &str) -> bool {
    let text = headers.get(name).and_then(|it| it.to_str().ok());
    text.is_some_and(|it| it.eq_ignore_ascii_case("true"))
}

impl Asked {
    /// The context of names without one: that of the path, else the environment of the key's cluster, else the tenant's own.
    async fn home(&self) -> Outcome<Context> {
        let (scope, caller) = (self.asker.scope, &self.asker.caller);
        if self.at("context").is_none() && caller.cluster.is_none() {
            return Ok(Context::default());
        }
        let own = self.own().await?;
        let Some(name) = self.at("context") else {
            return Ok(own);
        };
        let mut tx = self.read().await?;
        let home = contract::context(&mut tx, scope, &own, ContextName::parse(name)).await?;
        self.go_on(tx).await?;
        Ok(home.ok_or_else(|| Refusal::SubjectNotFound(name.to_owned()))?)
    }

    /// The environment of the key's cluster, else the tenant's own context.
    async fn own(&self) -> Outcome<Context> {
        let scope = self.asker.scope;
        let Some(cluster) = self.asker.caller.cluster else {
            return Ok(Context::default());
        };
        let (rights, tenant) = (&self.app.memory.rights, scope.tenant());
        let place = Right::Cluster { tenant, cluster };
        if let Some(kept) = rights.get::<Context>(&place) {
            return Ok(Context::clone(&kept));
        }
        let asof = rights.asof();
        let mut tx = self.read().await?;
        let own = contract::home_of(&mut tx, scope, Some(cluster)).await?;
        self.go_on(tx).await?;
        rights.put(asof, place, Arc::new(own.clone()), own.name.len());
        Ok(own)
    }

    /// A read-only transaction of the tenant: the one that is open, or a new one.
    pub async fn read(&self) -> Result<Tx> {
        let open = self.open.lock().ok().and_then(|mut it| it.take());
        match open {
            Some(tx) => Ok(tx),
            None => self.app.db.read(&self.asker.scope.scope()).await,
        }
    }

    /// Keeps a transaction for what is read next, or ends it.
    pub async fn go_on(&self, tx: Tx) -> Result<()> {
        if self.stays_open
            && let Ok(mut open) = self.open.lock()
        {
            *open = Some(tx);
            return Ok(());
        }
        tx.commit().await
    }

    /// Ends the transaction that is open, if one is: nobody waits for anything else with a connection in his hand.
    pub async fn end(&self) -> Result<()> {
        let open = self.open.lock().ok().and_then(|mut it| it.take());
        match open {
            Some(tx) => tx.commit().await,
            None => Ok(()),
        }
    }

    /// A part of the path.
    pub fn at(&self, name: &str) -> Option<&str> {
        let mut pairs = self.path.iter();
        pairs
            .find(|(key, _value)| key == name)
            .map(|(_key, value)| value.as_str())
    }

    /// The subject as the path has it; empty where it has none.
    pub fn subject(&self) -> &str {
        self.at("subject").unwrap_or_default()
    }

    /// A parameter. Clients write the same one in several ways: `subjectPrefix`, `subject_prefix`.
    pub fn given(&self, names: &[&str]) -> Option<&str> {
        let mut pairs = self.query.iter();
        pairs
            .find(|(key, _value)| names.contains(&key.as_str()))
            .map(|(_key, value)| value.as_str())
    }

    /// Every value of a parameter that may come more than once.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let pairs = self.query.iter().filter(|(key, _value)| key == name);
        pairs.map(|(_key, value)| value.as_str()).collect()
    }

    /// Is a parameter `true`? Python clients write `True`.
    pub fn flag(&self, names: &[&str]) -> bool {
        self.given(names)
            .is_some_and(|it| it.eq_ignore_ascii_case("true"))
    }

    /// `offset` and `limit`; a limit below zero is none.
    pub fn window(&self, most: i64) -> Result<Window> {
        let number = |name: &'static str, usual: i64| match self.given(&[name]) {
            None => Ok(usual),
            Some(text) => text.parse::<i64>().map_err(|_not_a_number| {
                Error::invalid(
                    format!("?{name}"),
                    code::WRONG_TYPE,
                    format!("{name} is a number."),
                )
            }),
        };
        let (offset, limit) = (number("offset", 0)?, number("limit", -1)?);
        let limit = if limit < 0 { most } else { limit.min(most) };
        Ok(Window {
            offset: offset.max(0),
            limit,
        })
    }

    /// As [`Asked::window`], for numbers and names.
    pub fn rows(&self) -> Result<Window> {
        self.window(ROWS_MAX)
    }

    /// The version of the path: a number, or the latest.
    pub fn version(&self) -> Outcome<Option<i32>> {
        let text = self.at("version").unwrap_or_default();
        if text == "latest" || text == "-1" {
            return Ok(None);
        }
        let number = text.parse::<i32>().ok().filter(|it| *it > 0);
        Ok(Some(
            number.ok_or_else(|| Refusal::InvalidVersion(text.to_owned()))?,
        ))
    }

    /// The subject of the path, or the one that it is an alias of.
    pub async fn named(&self) -> Outcome<Subject> {
        let mut tx = self.read().await?;
        let subject = contract::named(&mut tx, &self.asker, self.subject()).await?;
        self.go_on(tx).await?;
        Ok(subject)
    }

    /// The subject of the path itself, or with none the caller's context.
    pub async fn placed(&self) -> Outcome<Subject> {
        let mut tx = self.read().await?;
        let subject = contract::placed(&mut tx, &self.asker, self.subject()).await?;
        self.go_on(tx).await?;
        Ok(subject)
    }

    /// A JSON answer.
    pub fn answer(&self, value: &Value) -> Response {
        answer::json(self.media, value)
    }
}

/// The body: a JSON object, or nothing.
#[derive(Debug)]
pub struct Body(pub serde_json::Map<String, Value>);

impl FromRequest<App> for Body {
    type Rejection = Response;
    async fn from_request(request: Request, _app: &App) -> Result<Self, Response> {
        if !answer::is_readable(request.headers()) {
            return Err(answer::unreadable());
        }
        let bytes: Bytes = to_bytes(request.into_body(), crate::registry::BODY_BYTES_MAX)
            .await
            .map_err(|_too_large_or_gone| answer::too_large())?;
        if bytes.is_empty() {
            return Ok(Self(serde_json::Map::new()));
        }
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_other) => Err(answer::malformed("The body is not a JSON object")),
            Err(error) => Err(answer::malformed(&format!("The body is not JSON: {error}"))),
        }
    }
}

impl Body {
    /// The body in a shape; fields that it does not know are left aside, as upstream does.
    #[expect(
        clippy::result_large_err,
        reason = "an error is an answer here, as in every handler"
    )]
    pub fn read<T: serde::de::DeserializeOwned>(self) -> Result<T, Response> {
        serde_json::from_value(Value::Object(self.0)).map_err(|error| answer::malformed(&error.to_string()))
    }
}

/// What a handler answers.
pub type Reply = Result<Response, Response>;

/// A failure as an answer.
pub fn refused(failure: impl Into<Refused>) -> Response {
    failure.into().into_response()
}
