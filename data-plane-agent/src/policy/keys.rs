//! The customer's word over keys.

use std::collections::{BTreeMap, BTreeSet};

use weir_proto::agent::v1::ApiKey;

use super::{Kind, Policy};

/// A key that ends, or ends sooner, cannot be refused.
pub(super) fn api_keys(
    before: &[ApiKey],
    wish: &[ApiKey],
    policy: &Policy,
    refused: &mut BTreeSet<String>,
) -> Vec<ApiKey> {
    let held: BTreeMap<&str, &ApiKey> = before.iter().map(|key| (key.id.as_str(), key)).collect();
    let mut admitted = Vec::with_capacity(wish.len());
    for key in wish {
        let held = held.get(key.id.as_str()).copied();
        let shortened = held.map(|held| ApiKey {
            expires_at_unix_seconds: sooner(held.expires_at_unix_seconds, key.expires_at_unix_seconds),
            ..held.clone()
        });
        if shortened.as_ref() == Some(key) || policy.allows(Kind::ApiKeyCreate, &key.id) {
            admitted.push(key.clone());
        } else {
            refused.insert(key.id.clone());
            // Its last accepted version stays, but never for longer than is wished now.
            admitted.extend(shortened);
        }
    }
    admitted
}

/// The earlier end; 0 is never.
fn sooner(a: i64, b: i64) -> i64 {
    match (a, b) {
        (0, end) | (end, 0) => end,
        (a, b) => a.min(b),
    }
}
