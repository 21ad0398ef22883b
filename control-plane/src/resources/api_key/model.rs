//! What an API key is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{
    ApiKeyId, ClusterId, DataPlaneId, FieldError, Labels, ServiceAccountId, check_display_name, code,
};
use crate::rest::Phase;

/// What is wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeySpec {
    /// Whose credential it is.
    pub service_account: ServiceAccountId,
    /// The cluster that it opens; without one it opens this API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cluster: Option<ClusterId>,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub description: String,
    /// When it ends; never, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expires_at: Option<DateTime<Utc>>,
    /// The public key of the client certificate that opens it instead of a secret: SHA-256 of its SubjectPublicKeyInfo in base64
    /// (a pin of RFC 7469). No secret is issued then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 44, max_length = 44)]
    pub public_key_sha256: Option<String>,
    /// The same by the certificate itself, or by its public key, in PEM. Only written: nothing of it is kept but `public_key_sha256`.
    #[serde(default, skip_serializing)]
    #[schema(nullable = false, write_only, max_length = 65536)]
    pub certificate_pem: Option<String>,
}

/// A row, without its verifiers.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// Id.
    pub id: ApiKeyId,
    /// What is wished.
    pub spec: ApiKeySpec,
    /// The service account's name.
    pub service_account_name: String,
    /// Where the cluster is.
    pub data_plane: Option<DataPlaneId>,
    /// The data plane's generation that first carries the key as it is.
    pub desired_n: i64,
    /// What the agent last reported.
    pub report: Option<Report>,
    /// Free labels.
    pub labels: Labels,
    /// Rises with each change.
    pub generation: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When spec or labels last changed.
    pub updated_at: DateTime<Utc>,
}

/// What the agent reported of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its phase.
    pub phase: String,
    /// The generation that the report is about.
    pub observed_n: i64,
}

impl ApiKey {
    /// Name within the tenant.
    #[must_use]
    pub fn resource_name(&self) -> String {
        resource_name(&self.service_account_name, self.id)
    }

    /// Where the key stands at `now`: READY once every live gateway takes it, and nothing to wait for without a cluster.
    #[must_use]
    pub fn phase(&self, now: DateTime<Utc>) -> Phase {
        if self.spec.expires_at.is_some_and(|it| it <= now) {
            return Phase::Expired;
        }
        if self.spec.cluster.is_none() {
            return Phase::Ready;
        }
        let acknowledged = |it: &Report| it.observed_n >= self.desired_n && it.phase == "READY";
        if self.report.as_ref().is_some_and(acknowledged) {
            Phase::Ready
        } else {
            Phase::Pending
        }
    }
}

/// Name within the tenant.
#[must_use]
pub fn resource_name(service_account: &str, id: ApiKeyId) -> String {
    format!("service_account={service_account}/api_key={id}")
}

/// Collects what is wrong with a spec. `before` is the end that the key has now.
pub fn validate(
    spec: &ApiKeySpec,
    before: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    errors: &mut Vec<FieldError>,
) {
    let ApiKeySpec {
        service_account: _,
        cluster: _,
        description,
        expires_at,
        // Only a new key has them: `certificate` reads them.
        public_key_sha256: _,
        certificate_pem: _,
    } = spec;
    check_display_name("/spec/description", description, 1000, errors);
    // An expired key may still be described anew.
    if *expires_at != before && expires_at.is_some_and(|it| it <= now) {
        errors.push(FieldError {
            pointer: "/spec/expires_at".into(),
            code: code::OUT_OF_RANGE.into(),
            detail: "A key ends in the future. To end it now, delete it.".into(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Id;
    use chrono::TimeDelta;

    fn key(now: DateTime<Utc>, report: Option<(&str, i64)>) -> ApiKey {
        ApiKey {
            id: Id::generate(),
            spec: ApiKeySpec {
                service_account: Id::generate(),
                cluster: Some(Id::generate()),
                description: String::new(),
                expires_at: None,
                public_key_sha256: None,
                certificate_pem: None,
            },
            service_account_name: "app".into(),
            data_plane: Some(Id::generate()),
            desired_n: 7,
            report: report.map(|(phase, observed_n)| Report {
                phase: phase.into(),
                observed_n,
            }),
            labels: Labels::new(),
            generation: 1,
            created_at: now,
            updated_at: now,
        }
    }

    #[test]
    fn a_key_on_a_cluster_is_ready_only_when_its_own_version_was_acknowledged() {
        let now = Utc::now();
        assert_eq!(key(now, None).phase(now), Phase::Pending);
        assert_eq!(key(now, Some(("READY", 6))).phase(now), Phase::Pending);
        assert_eq!(key(now, Some(("PENDING", 7))).phase(now), Phase::Pending);
        assert_eq!(key(now, Some(("READY", 7))).phase(now), Phase::Ready);
        let mut ended = key(now, Some(("READY", 7)));
        ended.spec.expires_at = Some(now);
        assert_eq!(ended.phase(now), Phase::Expired);
        let mut plain = key(now, None);
        plain.spec.cluster = None;
        assert_eq!(plain.phase(now), Phase::Ready);
    }

    #[test]
    fn an_end_lies_in_the_future_when_it_is_set() {
        let now = Utc::now();
        let past = Some(now - TimeDelta::seconds(1));
        let mut spec = key(now, None).spec;
        spec.expires_at = past;
        let mut errors = Vec::new();
        validate(&spec, past, now, &mut errors);
        assert!(errors.is_empty());
        validate(&spec, None, now, &mut errors);
        assert_eq!(errors[0].pointer, "/spec/expires_at");
    }
}
