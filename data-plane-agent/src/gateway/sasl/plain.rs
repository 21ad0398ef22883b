//! SASL/PLAIN (RFC 4616): one token, `authorization id NUL user NUL password`.

use bytes::Bytes;
use weir_credentials::verify_sha256;

use super::{Login, Registry, Step};

/// Checks a token. An unknown user costs the same hash as a known one.
pub fn verify(registry: Registry<'_>, token: &[u8]) -> Step {
    let Some((user, password)) = parse(token) else {
        return Step::Failed;
    };
    let key = registry.view.keys.get(user);
    let nobody = [0_u8; 32];
    let verifier = key.map_or(&nobody[..], |it| &it.sha256);
    let right = verify_sha256(verifier, password);
    match key {
        Some(key) if right && !key.expired(registry.now_unix_seconds) => {
            Step::Done(Login::by_secret(key), Bytes::new())
        }
        _refused => Step::Failed,
    }
}

fn parse(token: &[u8]) -> Option<(&str, &[u8])> {
    let mut parts = token.split(|byte| *byte == 0);
    let authorization = parts.next()?;
    let user = parts.next()?;
    let password = parts.next()?;
    if parts.next().is_some() || user.is_empty() || password.is_empty() {
        return None;
    }
    // Acting as somebody else is not offered.
    if !authorization.is_empty() && authorization != user {
        return None;
    }
    Some((std::str::from_utf8(user).ok()?, password))
}
