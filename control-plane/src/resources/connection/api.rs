//! What the API tells of a connection.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use weir_proto::agent::v1::{
    AccessRole, AddressClass, ClientSoftware, Connection as Told, ConnectionGrant, SignInMechanism,
};

use crate::kernel::{Id, ServiceAccountId, kind};

/// What a connection may do to the topics, groups and transactional ids that a pattern covers.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionAccess {
    /// A name, or a prefix when it ends in `*`.
    pattern: String,
    /// READER, DEVELOPER or TENANT_ADMIN.
    role: &'static str,
}

/// A connection of a client to a cluster, as its gateway sees it now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Connection {
    /// Always `Connection`.
    kind: &'static str,
    /// Names the connection while it lasts, and no other afterwards.
    pub id: String,
    /// The service account that acts.
    #[schema(value_type = String)]
    pub principal: ServiceAccountId,
    /// The key that it signed in with.
    #[schema(value_type = String)]
    api_key: Id<kind::ApiKey>,
    /// How it signed in: PLAIN, SCRAM_SHA_256, SCRAM_SHA_512, OAUTHBEARER, MTLS (by certificate), OTHER, UNKNOWN. New ones may appear.
    mechanism: String,
    /// The client's software by the name that it gives itself (KIP-511), if that is a known one; else OTHER, or UNKNOWN.
    software: String,
    /// Its version; absent when unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    software_version: Option<String>,
    /// Where it comes from, as its gateway sees it: LOOPBACK, PRIVATE or PUBLIC. Addresses stay in the data plane.
    address: String,
    /// When it signed in.
    connected_at: DateTime<Utc>,
    /// Requests of any kind since then.
    requests: i64,
    /// Bytes of record batches that it produced.
    ingress_bytes: i64,
    /// Bytes of record batches that it fetched.
    egress_bytes: i64,
    /// Milliseconds for which it was not read from, because of quotas.
    throttled_ms: i64,
    /// What it may do, by the version that its gateway obeys; only where one connection is asked for, a hundred at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    access: Option<Vec<ConnectionAccess>>,
    /// The quotas that apply to it, the narrowest first; only where one connection is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Vec<String>>)]
    quotas: Option<Vec<Id<kind::Quota>>>,
}

/// Where the list goes on.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionListMetadata {
    /// Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_page_token: Option<String>,
}

/// A page of a cluster's connections, by the order of their ids.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionList {
    kind: &'static str,
    metadata: ConnectionListMetadata,
    data: Vec<Connection>,
}

impl ConnectionList {
    /// A page.
    pub fn new(data: Vec<Connection>, next_page_token: Option<String>) -> Self {
        Self {
            kind: "ConnectionList",
            metadata: ConnectionListMetadata { next_page_token },
            data,
        }
    }
}

/// What an agent told, if it makes sense; `whole` with what it may do.
pub fn view(told: Told, whole: bool) -> Option<Connection> {
    let mechanism = told.mechanism();
    let software = told.software();
    let address = told.address();
    let Told {
        id,
        principal_id,
        key_id,
        mechanism: _,
        software: _,
        version_major,
        version_minor,
        version_patch,
        address: _,
        since_unix_ms,
        requests,
        ingress_bytes,
        egress_bytes,
        throttled_ms,
        grants,
        quota_ids,
    } = told;
    let version = [version_major, version_minor, version_patch];
    let access = grants.into_iter().filter_map(access).collect();
    let quotas = quota_ids.iter().filter_map(|it| it.parse().ok()).collect();
    Some(Connection {
        kind: "Connection",
        id,
        principal: principal_id.parse().ok()?,
        api_key: key_id.parse().ok()?,
        mechanism: word(
            mechanism.as_str_name(),
            "SIGN_IN_MECHANISM_",
            mechanism == SignInMechanism::Unspecified,
        ),
        software: word(
            software.as_str_name(),
            "CLIENT_SOFTWARE_",
            software == ClientSoftware::Unspecified,
        ),
        software_version: (version != [0; 3]).then(|| version.map(|it| it.to_string()).join(".")),
        address: word(
            address.as_str_name(),
            "ADDRESS_CLASS_",
            address == AddressClass::Unspecified,
        ),
        connected_at: DateTime::from_timestamp_millis(since_unix_ms)?,
        requests: count(requests),
        ingress_bytes: count(ingress_bytes),
        egress_bytes: count(egress_bytes),
        throttled_ms: count(throttled_ms),
        access: whole.then_some(access),
        quotas: whole.then_some(quotas),
    })
}

fn word(name: &str, prefix: &str, unknown: bool) -> String {
    if unknown {
        return "UNKNOWN".into();
    }
    name.trim_start_matches(prefix).into()
}

fn access(grant: ConnectionGrant) -> Option<ConnectionAccess> {
    let role = match grant.role() {
        AccessRole::Reader => "READER",
        AccessRole::Developer => "DEVELOPER",
        AccessRole::Admin => "TENANT_ADMIN",
        AccessRole::Unspecified => return None,
    };
    Some(ConnectionAccess {
        pattern: grant.pattern,
        role,
    })
}

/// JSON numbers end at 2^53.
fn count(told: u64) -> i64 {
    told.min(1 << 53).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_ours_and_nonsense_is_left_out() {
        let told = Told {
            id: "gateway_1.1.000000000001".into(),
            principal_id: ServiceAccountId::generate().to_string(),
            key_id: Id::<kind::ApiKey>::generate().to_string(),
            mechanism: SignInMechanism::ScramSha256.into(),
            software: 99,
            version_minor: 7,
            address: AddressClass::Private.into(),
            since_unix_ms: 1_790_000_000_000,
            ingress_bytes: u64::MAX,
            ..Told::default()
        };
        let seen = view(told.clone(), false).unwrap();
        assert_eq!(seen.mechanism, "SCRAM_SHA_256");
        assert_eq!(seen.software, "UNKNOWN", "a word of a later version");
        assert_eq!(seen.software_version.as_deref(), Some("0.7.0"));
        assert_eq!(seen.address, "PRIVATE");
        assert_eq!(seen.ingress_bytes, 1 << 53);
        assert!(seen.access.is_none() && seen.quotas.is_none());
        let nobody = Told {
            principal_id: "somebody".into(),
            ..told
        };
        assert!(view(nobody, true).is_none());
    }
}
