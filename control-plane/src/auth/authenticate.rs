//! From a request's headers to a caller: bearer token (of a session, or an access token), API key (HTTP Basic), or the
//! console's cookie.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, Method, header};
use weir_credentials::{Secret, SecretKind, sha256, verify_sha256};

use crate::auth::holder::{by_key, holder};
use crate::auth::key::by_access_token;
use crate::auth::principal::{Caller, Home, Principal};
use crate::auth::store;
use crate::kernel::{Error, ErrorKind, Id, Result, TenantId, code, kind};
use crate::runtime::{App, LookupKey, Scope, Tx};

/// The console's session cookie: http-only, same-site.
pub const COOKIE: &str = "weir_session";
/// Which tenant a request is about, for callers above tenants.
pub const TENANT_HEADER: &str = "weir-tenant";
/// Proof that a mutation with the cookie comes from the console's own pages.
pub const CSRF_HEADER: &str = "weir-csrf";

/// The token that a page must send with a mutation: derived from the session token, which scripts cannot read.
#[must_use]
pub fn csrf_token(session_token: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(format!("weir.csrf.{session_token}").as_bytes()))
}

/// Finds out who calls.
///
/// # Errors
/// 401 when nobody known; 403 when the cookie comes without its proof or the tenant is out of reach.
pub async fn authenticate(app: &App, method: &Method, headers: &HeaderMap) -> Result<Caller> {
    let (caller, tx) = authenticate_in(app, method, headers).await?;
    if let Some(tx) = tx {
        tx.commit().await?;
    }
    Ok(caller)
}

/// The same. A key's holder who is not kept in memory was found in a read-only transaction that is under the scope of his tenant
/// now, and of no other: who only reads goes on in it.
pub async fn authenticate_in(
    app: &App,
    method: &Method,
    headers: &HeaderMap,
) -> Result<(Caller, Option<Tx>)> {
    let (mut caller, tx) = match credential(headers)? {
        // A session's token has a prefix and no dots; what has dots is a JWT.
        Credential::Token(token) if token.contains('.') => {
            let (key, tx) = by_access_token(app, &token).await?;
            let (caller, tx) = holder(key, tx).await?;
            (caller, Some(tx))
        }
        Credential::Token(token) => (by_session(app, &token).await?, None),
        Credential::Cookie(token) => {
            check_csrf(method, headers, &token)?;
            (by_session(app, &token).await?, None)
        }
        Credential::Key { id, secret } => by_key(app, id, &secret).await?,
    };
    if let Some(wanted) = headers.get(TENANT_HEADER) {
        // A key's holder has one tenant and stays in it.
        choose_tenant(app, &mut caller, wanted).await?;
    }
    Ok((caller, tx))
}

/// The session token that a request presents, as bearer or cookie.
///
/// # Errors
/// 401 when it presents none, for example an API key.
pub fn session_token(headers: &HeaderMap) -> Result<Secret> {
    match credential(headers)? {
        Credential::Token(text) | Credential::Cookie(text) => {
            Secret::parse(SecretKind::Session, &text).map_err(|_| Error::unauthenticated())
        }
        Credential::Key { .. } => Err(Error::unauthenticated()),
    }
}

enum Credential {
    Token(String),
    Cookie(String),
    Key { id: Id<kind::ApiKey>, secret: String },
}

fn credential(headers: &HeaderMap) -> Result<Credential> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let value = value.to_str().map_err(|_| Error::unauthenticated())?;
        let (scheme, rest) = value.split_once(' ').ok_or_else(Error::unauthenticated)?;
        return if scheme.eq_ignore_ascii_case("bearer") {
            Ok(Credential::Token(rest.to_owned()))
        } else if scheme.eq_ignore_ascii_case("basic") {
            basic(rest).ok_or_else(Error::unauthenticated)
        } else {
            Err(Error::unauthenticated())
        };
    }
    cookie(headers)
        .map(Credential::Cookie)
        .ok_or_else(Error::unauthenticated)
}

fn basic(encoded: &str) -> Option<Credential> {
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some(Credential::Key {
        id: id.parse().ok()?,
        secret: secret.to_owned(),
    })
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|it| it.to_str().ok())
        .find_map(|line| {
            line.split(';').find_map(|pair| {
                pair.trim()
                    .strip_prefix(COOKIE)?
                    .strip_prefix('=')
                    .map(str::to_owned)
            })
        })
}

fn check_csrf(method: &Method, headers: &HeaderMap, token: &str) -> Result<()> {
    if method.is_safe() {
        return Ok(());
    }
    let sent = headers.get(CSRF_HEADER).map_or(&[][..], |it| it.as_bytes());
    if verify_sha256(&sha256(csrf_token(token).as_bytes()), sent) {
        return Ok(());
    }
    let detail = "A change made with the session cookie needs the Weir-Csrf header; GET /v1/sessions/current tells it.";
    Err(Error::new(ErrorKind::Denied, code::CSRF, detail))
}

async fn by_session(app: &App, token: &str) -> Result<Caller> {
    let secret = Secret::parse(SecretKind::Session, token).map_err(|_| Error::unauthenticated())?;
    let hash = secret.sha256();
    let mut tx = app.db.read(&Scope::Lookup(LookupKey::TokenSha256(hash))).await?;
    let row = store::session(&mut tx, &hash)
        .await?
        .ok_or_else(Error::unauthenticated)?;
    let bindings = store::bindings(&mut tx, row.member).await?;
    tx.commit().await?;
    let tenant = match row.home {
        Home::Tenant(organization, tenant) => Some((organization, tenant)),
        Home::Operator | Home::Organization(_) => None,
    };
    let principal = Principal::Member(Id::from_uuid(row.member));
    Ok(Caller {
        principal,
        home: row.home,
        bindings,
        tenant,
        session: Some(hash),
        cluster: None,
    })
}

/// Callers above tenants may choose one within their reach; others may only name their own.
async fn choose_tenant(app: &App, caller: &mut Caller, wanted: &http::HeaderValue) -> Result<()> {
    let tenant: TenantId = wanted
        .to_str()
        .ok()
        .and_then(|it| it.parse().ok())
        .ok_or_else(|| {
            Error::new(
                ErrorKind::Malformed,
                code::MALFORMED_HEADER,
                "Weir-Tenant must be the id of a tenant (tenant_ and 26 characters); GET /v1/tenants lists them.",
            )
        })?;
    let reach = match caller.home {
        Home::Operator if caller.is_operator() => Scope::Operator,
        Home::Organization(id) if caller.administers(id) => Scope::Organization(id),
        Home::Tenant(_, own) if own == tenant => return Ok(()),
        _ => return Err(Error::not_found("Tenant")),
    };
    let mut tx = app.db.read(&reach).await?;
    let organization = store::organization_of(&mut tx, tenant)
        .await?
        .ok_or_else(|| Error::not_found("Tenant"))?;
    tx.commit().await?;
    caller.tenant = Some((organization, tenant));
    Ok(())
}
