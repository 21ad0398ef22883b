//! What RFC 6749 says of requests and answers.

use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

/// The longest body: four fields.
pub const BODY_BYTES_MAX: usize = 8 * 1024;

/// A request for a token, as a form (RFC 6749, 4.4.2). The client may name itself by HTTP Basic instead.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "for the document: the form is read by hand, as fields may not come twice"
)]
pub struct TokenForm {
    /// Always `client_credentials`.
    pub grant_type: String,
    /// The id of an API key.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<String>,
    /// `kafka`: for the key's cluster, the default where it has one; `api`: for this API.
    pub scope: Option<String>,
}

/// The answer (RFC 6749, 5.1).
#[derive(Serialize, ToSchema)]
pub struct TokenAnswer {
    /// A JWT (RFC 9068), signed with a key of `/.well-known/jwks.json`.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// How long it is good, in seconds.
    pub expires_in: i64,
    /// What it is for.
    pub scope: &'static str,
}

/// The keys that sign tokens (RFC 7517).
#[derive(Debug, Serialize, ToSchema)]
pub struct KeySet {
    /// JWKs.
    pub keys: Vec<serde_json::Value>,
}

/// A refusal (RFC 6749, 5.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TokenRefusal {
    /// `invalid_request`, `invalid_client`, `unsupported_grant_type`, `invalid_scope`, `slow_down` or `temporarily_unavailable`.
    pub error: &'static str,
    /// For people.
    pub error_description: &'static str,
    /// Was HTTP Basic tried? Then the answer says so.
    #[serde(skip)]
    pub basic: bool,
    /// Seconds to wait.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

impl TokenRefusal {
    pub const fn new(error: &'static str, error_description: &'static str) -> Self {
        Self {
            error,
            error_description,
            basic: false,
            retry_after: None,
        }
    }

    pub const fn request(error_description: &'static str) -> Self {
        Self::new("invalid_request", error_description)
    }

    /// Too many requests (RFC 8628 names the code).
    pub const fn slow_down(seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new(
                "slow_down",
                "Too many requests; Retry-After says how long to wait.",
            )
        }
    }

    /// Unknown, wrong, revoked or expired: which of these is not told.
    pub const fn client(basic: bool) -> Self {
        Self {
            basic,
            ..Self::new("invalid_client", "The API key is unknown or its secret is wrong.")
        }
    }
}

fn json<T: Serialize>(status: StatusCode, body: &T) -> Response {
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::PRAGMA, HeaderValue::from_static("no-cache")),
    ];
    (status, headers, axum::Json(body)).into_response()
}

impl IntoResponse for TokenAnswer {
    fn into_response(self) -> Response {
        json(StatusCode::OK, &self)
    }
}

impl IntoResponse for TokenRefusal {
    fn into_response(self) -> Response {
        let status = match self.error {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            "slow_down" => StatusCode::TOO_MANY_REQUESTS,
            "temporarily_unavailable" => StatusCode::SERVICE_UNAVAILABLE,
            _wrong => StatusCode::BAD_REQUEST,
        };
        let mut response = json(status, &self);
        let headers = response.headers_mut();
        if self.basic && status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"weir\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Who asks for what.
#[derive(PartialEq, Eq)]
pub struct Asked {
    pub client_id: String,
    pub client_secret: String,
    pub scope: Option<String>,
    /// By HTTP Basic.
    pub basic: bool,
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asked(..)")
    }
}

/// Reads a request. No parameter may come twice (3.1), and the client names itself one way (2.3).
pub fn read(headers: &HeaderMap, body: &[u8]) -> Result<Asked, TokenRefusal> {
    let form = headers
        .get(header::CONTENT_TYPE)
        .and_then(|it| it.to_str().ok())
        .is_some_and(|it| {
            let kind = it.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
    if !form || body.len() > BODY_BYTES_MAX {
        return Err(TokenRefusal::request(
            "The body is application/x-www-form-urlencoded, of at most 8 KiB.",
        ));
    }
    let (mut grant_type, mut id, mut secret, mut scope) = (None, None, None, None);
    for (name, value) in form_urlencoded::parse(body) {
        let field = match &*name {
            "grant_type" => &mut grant_type,
            "client_id" => &mut id,
            "client_secret" => &mut secret,
            "scope" => &mut scope,
            // What is not understood is to be ignored (3.2).
            _unknown => continue,
        };
        if field.replace(value.into_owned()).is_some() {
            return Err(TokenRefusal::request("A parameter came twice."));
        }
    }
    let basic = headers.get(header::AUTHORIZATION).map(basic_pair);
    let is_basic = basic.is_some();
    let (client_id, client_secret) = match (basic, id, secret) {
        (Some(Some((id, secret))), named, None) if named.as_ref().is_none_or(|it| *it == id) => (id, secret),
        (Some(Some(_)), ..) => {
            let detail = "The client names itself by HTTP Basic or in the body, not both.";
            return Err(TokenRefusal::request(detail));
        }
        (None, Some(id), Some(secret)) => (id, secret),
        _nobody => return Err(TokenRefusal::client(is_basic)),
    };
    match grant_type.as_deref() {
        Some("client_credentials") => {}
        Some(_other) => {
            let detail = "The only grant_type is client_credentials.";
            return Err(TokenRefusal::new("unsupported_grant_type", detail));
        }
        None => return Err(TokenRefusal::request("grant_type is missing.")),
    }
    Ok(Asked {
        client_id,
        client_secret,
        scope: scope.filter(|it| !it.is_empty()),
        basic: is_basic,
    })
}

/// Id and secret, each form-encoded before they were joined (2.3.1).
fn basic_pair(value: &HeaderValue) -> Option<(String, String)> {
    let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let plain = |text: &str| {
        // As a value of a form, so that '+' and '%' mean the same.
        form_urlencoded::parse(format!("v={}", text.replace('&', "%26")).as_bytes())
            .next()
            .map(|(_name, value)| value.into_owned())
    };
    Some((plain(id)?, plain(secret)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(authorization: Option<&str>, body: &str) -> Result<Asked, &'static str> {
        let mut headers = HeaderMap::new();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, kind);
        if let Some(value) = authorization {
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        }
        read(&headers, body.as_bytes()).map_err(|it| it.error)
    }

    fn basic(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    #[test]
    fn a_client_names_itself_in_the_body_or_by_basic() {
        let by_body = asked(
            None,
            "grant_type=client_credentials&client_id=key_1&client_secret=s&scope=kafka&more=1",
        )
        .unwrap();
        assert_eq!(
            (by_body.client_id.as_str(), by_body.scope.as_deref()),
            ("key_1", Some("kafka"))
        );
        let by_basic = asked(
            Some(&basic("key_1:a%2Bb")),
            "grant_type=client_credentials&scope=",
        )
        .unwrap();
        assert_eq!(
            (by_basic.client_secret.as_str(), by_basic.scope, by_basic.basic),
            ("a+b", None, true)
        );
        let named_twice = "grant_type=client_credentials&client_id=key_1";
        assert!(asked(Some(&basic("key_1:s")), named_twice).is_ok());
    }

    #[test]
    fn refusals_are_those_of_the_rfc() {
        let good = "grant_type=client_credentials&client_id=key_1&client_secret=s";
        let (own, other) = (basic("key_1:s"), basic("key_2:s"));
        for (authorization, body, error) in [
            (None, "client_id=key_1&client_secret=s", "invalid_request"),
            (
                None,
                "grant_type=password&client_id=key_1&client_secret=s",
                "unsupported_grant_type",
            ),
            (None, "grant_type=client_credentials", "invalid_client"),
            (
                None,
                "grant_type=client_credentials&client_id=key_1",
                "invalid_client",
            ),
            (None, &format!("{good}&client_id=key_2"), "invalid_request"),
            (Some(own.as_str()), good, "invalid_request"),
            (
                Some(other.as_str()),
                "grant_type=client_credentials&client_id=key_1",
                "invalid_request",
            ),
            (Some("Basic !"), "grant_type=client_credentials", "invalid_client"),
            (Some("Bearer x"), good, "invalid_client"),
            (None, &"a".repeat(BODY_BYTES_MAX + 1), "invalid_request"),
        ] {
            assert_eq!(asked(authorization, body), Err(error), "{body:.60}");
        }
        assert_eq!(
            read(&HeaderMap::new(), good.as_bytes()).map_err(|it| it.error),
            Err("invalid_request")
        );
    }
}
