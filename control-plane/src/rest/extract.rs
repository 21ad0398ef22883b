//! Extractors whose refusals are problem documents: ids in paths, pages, queries, and the body of a mutation.

use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use bytes::Bytes;
use http::header::HeaderMap;
use http::request::Parts;
use http::{Method, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::{IntoParams, ToSchema};
use weir_credentials::sha256;

use crate::kernel::{Error, ErrorKind, Id, Kind, Page, PageToken, Result, code};
use crate::rest::layers::RequestId;
use crate::runtime::App;

/// The longest `?wait=`.
const WAIT_MAX: Duration = Duration::from_secs(120);
const IDEMPOTENCY_KEY_LENGTH_MAX: usize = 255;

/// `{id}` of a path. A text that is no id of this kind names nothing: 404.
#[derive(Debug)]
pub struct PathId<K: Kind>(pub Id<K>);

impl<K: Kind, S: Send + Sync> FromRequestParts<S> for PathId<K> {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let text = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| Error::not_found(K::KIND))?;
        text.0.parse().map(Self).map_err(|_| Error::not_found(K::KIND))
    }
}

/// Query parameters of a list or report.
#[derive(Debug)]
pub struct Queried<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Queried<T> {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(Error::new(
                ErrorKind::Malformed,
                code::MALFORMED_QUERY,
                rejection.body_text(),
            )),
        }
    }
}

/// The page parameters of every list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Objects on the page.
    #[serde(default = "page_size_default")]
    #[param(minimum = 1, maximum = 1000, default = 100)]
    page_size: i64,
    /// `next_page_token` of the page before.
    #[param(pattern = "^[A-Za-z0-9_-]{22}$")]
    page_token: Option<String>,
}

const fn page_size_default() -> i64 {
    100
}

impl PageQuery {
    fn page(&self) -> Result<Page> {
        if !(1..=1000).contains(&self.page_size) {
            return Err(Error::invalid(
                "?page_size",
                code::OUT_OF_RANGE,
                "page_size is 1 to 1000.",
            ));
        }
        let token = match self.page_token.as_deref() {
            None => None,
            Some(text) => Some(PageToken::parse(text).ok_or_else(|| {
                let detail = "The page token is not one that this list gave out; start without one.";
                Error::invalid("?page_token", code::BAD_PAGE_TOKEN, detail)
            })?),
        };
        Ok(Page {
            size: self.page_size,
            token,
        })
    }
}

/// The page of a list request. Filters are a [`Queried`] besides.
#[derive(Debug, Clone, Copy)]
pub struct Listed(pub Page);

impl<S: Send + Sync> FromRequestParts<S> for Listed {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Queried(query) = Queried::<PageQuery>::from_request_parts(parts, state).await?;
        query.page().map(Self)
    }
}

/// Query parameters of every mutation.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CallQuery {
    /// Answer with the plan of what would change, and change nothing.
    #[serde(default)]
    dry_run: bool,
    /// Hold the answer until the object is READY or FAILED, at most so long: `30s`, up to `120s`.
    #[param(pattern = "^[0-9]{1,3}s$")]
    wait: Option<String>,
}

/// Headers of every mutation; read by [`Call`], listed here for the documentation.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct CallHeaders {
    /// Repeating a call with the same key and body replays the first answer for 24 hours.
    #[param(rename = "Idempotency-Key", max_length = 255)]
    pub idempotency_key: Option<String>,
    /// The ETag that the change is based on; 412 when the object moved.
    #[param(rename = "If-Match")]
    pub if_match: Option<String>,
    /// The tenant that the request is about, for callers above tenants.
    #[param(rename = "Weir-Tenant")]
    pub weir_tenant: Option<String>,
}

/// How a mutation was called.
#[derive(Debug, Clone)]
pub struct Call {
    /// Names the request.
    pub request_id: String,
    /// The caller's retry key.
    pub idempotency_key: Option<String>,
    /// SHA-256 of method, path, query and body: what the key stands for.
    pub fingerprint: [u8; 32],
    /// Plan only.
    pub dry_run: bool,
    /// How long to wait for readiness.
    pub wait: Option<Duration>,
    if_match: Option<String>,
}

impl Call {
    /// A call that came by another protocol, with a key of its own making.
    #[must_use]
    pub fn by_protocol(request_id: String, idempotency_key: String, request: &[u8], dry_run: bool) -> Self {
        Self {
            request_id,
            idempotency_key: Some(idempotency_key),
            fingerprint: sha256(request),
            dry_run,
            wait: None,
            if_match: None,
        }
    }

    /// A call that needs no key, because repeating it changes nothing.
    #[must_use]
    pub const fn repeatable(request_id: String) -> Self {
        Self {
            request_id,
            idempotency_key: None,
            fingerprint: [0; 32],
            dry_run: false,
            wait: None,
            if_match: None,
        }
    }

    /// The same call without its key: for what is recorded although the call failed.
    #[must_use]
    pub fn without_key(&self) -> Self {
        Self {
            idempotency_key: None,
            ..self.clone()
        }
    }

    /// Refuses when the caller's `If-Match` names another generation.
    ///
    /// # Errors
    /// 412 with the present generation.
    pub fn check_generation(&self, generation: i64) -> Result<()> {
        match self.if_match.as_deref() {
            None | Some("*") => Ok(()),
            Some(tag) if tag.trim_matches('"') == generation.to_string() => Ok(()),
            Some(_) => {
                let detail = format!(
                    "The object moved: its ETag is now \"{generation}\". Read it again and decide anew."
                );
                Err(Error::new(ErrorKind::Moved, code::MOVED, detail))
            }
        }
    }
}

/// The body of a mutation, read strictly, and how it was called.
#[derive(Debug)]
pub struct Mutation<T> {
    /// The body.
    pub body: T,
    /// The rest.
    pub call: Call,
}

/// The body of a call that needs none: nothing, or an empty object.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

impl<T: DeserializeOwned> FromRequest<App> for Mutation<T> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self> {
        let (mut parts, body) = request.into_parts();
        let Queried(query) = Queried::<CallQuery>::from_request_parts(&mut parts, app).await?;
        let (method, target) = (parts.method.clone(), parts.uri.to_string());
        let idempotency_key = idempotency_key(&parts.headers, &method)?;
        let if_match = parts
            .headers
            .get(header::IF_MATCH)
            .and_then(|it| it.to_str().ok())
            .map(str::to_owned);
        let request_id = parts
            .extensions
            .get::<RequestId>()
            .map(|it| it.0.clone())
            .unwrap_or_default();
        let json = is_json(&parts.headers);
        let bytes = Bytes::from_request(Request::from_parts(parts, body), app)
            .await
            .map_err(|rejection| {
                if rejection.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
                    return Error::new(
                        ErrorKind::TooLarge,
                        code::BODY_TOO_LARGE,
                        "A body has at most 1 MiB.",
                    );
                }
                Error::new(
                    ErrorKind::Malformed,
                    code::MALFORMED_JSON,
                    "The body could not be read to its end.",
                )
            })?;
        if !bytes.is_empty() && !json {
            let detail = "Send the body as application/json.";
            return Err(Error::new(ErrorKind::UnsupportedMedia, code::NOT_JSON, detail));
        }
        let mut fingerprint = format!("{method} {target}\n").into_bytes();
        fingerprint.extend_from_slice(&bytes);
        let call = Call {
            request_id,
            idempotency_key,
            fingerprint: sha256(&fingerprint),
            dry_run: query.dry_run,
            wait: query.wait.as_deref().map(wait).transpose()?,
            if_match,
        };
        Ok(Self {
            body: read_json(if bytes.is_empty() { b"{}" } else { &bytes })?,
            call,
        })
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = headers
        .get(header::CONTENT_TYPE)
        .and_then(|it| it.to_str().ok())
        .unwrap_or_default();
    let essence = text
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || essence == "application/merge-patch+json"
}

fn idempotency_key(headers: &HeaderMap, method: &Method) -> Result<Option<String>> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let text = value
        .to_str()
        .ok()
        .filter(|it| (1..=IDEMPOTENCY_KEY_LENGTH_MAX).contains(&it.len()));
    match text {
        Some(text) if method == Method::POST => Ok(Some(text.to_owned())),
        // Other methods are idempotent by themselves.
        Some(_) => Ok(None),
        None => {
            let detail = "Idempotency-Key has 1 to 255 visible ASCII characters.";
            Err(Error::new(ErrorKind::Malformed, code::MALFORMED_HEADER, detail))
        }
    }
}

fn wait(text: &str) -> Result<Duration> {
    let seconds = text
        .strip_suffix('s')
        .and_then(|it| it.parse().ok())
        .map(Duration::from_secs);
    seconds.filter(|it| *it <= WAIT_MAX).ok_or_else(|| {
        Error::invalid(
            "?wait",
            code::OUT_OF_RANGE,
            "wait is a number of seconds such as 30s, at most 120s.",
        )
    })
}

fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        if error.inner().is_data() {
            return bad_field("", &error);
        }
        let detail = format!("The body is not JSON: {}.", error.inner());
        Error::new(ErrorKind::Malformed, code::MALFORMED_JSON, detail)
    })?;
    reader.end().map_err(|_| {
        Error::new(
            ErrorKind::Malformed,
            code::MALFORMED_JSON,
            "The body goes on after its JSON value ended.",
        )
    })?;
    Ok(value)
}

/// The 422 of one field that does not fit its type; the path comes from the deserializer.
pub fn bad_field(root: &str, error: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    let text = error.inner().to_string();
    let mut detail = text.split(" at line ").next().unwrap_or(&text).to_owned();
    if detail.starts_with("unknown field `name`") && error.path().to_string() == "metadata.name" {
        detail.push_str("; an object's name stands in /spec/name");
    }
    let code = if detail.starts_with("unknown field") {
        code::UNKNOWN_FIELD
    } else if detail.starts_with("missing field") {
        code::REQUIRED
    } else {
        code::WRONG_TYPE
    };
    let path = error.path().to_string();
    let mut pointer = root.to_owned();
    for part in path
        .split(['.', '[', ']'])
        .filter(|it| !it.is_empty() && *it != "?")
    {
        pointer.push('/');
        pointer.push_str(part);
    }
    Error::invalid(pointer, code, detail)
}
