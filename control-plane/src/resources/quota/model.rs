//! What a quota is, and which wishes can be kept.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{ClusterId, DataPlaneId, FieldError, Id, Labels, ServiceAccountId, code, kind};

/// Id of a quota.
pub type QuotaId = Id<kind::Quota>;

/// Less would mute a client for seconds after each small request.
const BYTES_LEAST: i64 = 1024;
/// A tebibyte a second: beyond what any data plane carries.
const BYTES_MOST: i64 = 1 << 40;
const REQUESTS_MOST: i64 = 10_000_000;
const CONNECTIONS_MOST: i64 = 1_000_000;
const BURST_SECONDS_MOST: i32 = 60;
const PRINCIPALS_MOST: usize = 1000;

/// Whose a quota is. A principal of a cluster has at most one of PRINCIPALS, or else the DEFAULT; at most one SHARED; and
/// the TENANT's. All that it has apply, and the tightest wins. New kinds may appear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "SCREAMING_SNAKE_CASE", deny_unknown_fields)]
pub enum QuotaSubject {
    /// Each of these service accounts has the limits for itself; the DEFAULT says nothing of them.
    Principals {
        /// One to a thousand service accounts of the tenant.
        #[schema(min_items = 1, max_items = 1000)]
        principals: Vec<ServiceAccountId>,
    },
    /// Each service account that no quota of the kind PRINCIPALS names has the limits for itself.
    Default {},
    /// These service accounts have one budget together, beside what each has for itself.
    Shared {
        /// One to a thousand service accounts of the tenant.
        #[schema(min_items = 1, max_items = 1000)]
        principals: Vec<ServiceAccountId>,
    },
    /// Everybody on the cluster has one budget together, beside what each has for itself.
    Tenant {},
}

impl QuotaSubject {
    /// The stored name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Principals { .. } => "PRINCIPALS",
            Self::Default {} => "DEFAULT",
            Self::Shared { .. } => "SHARED",
            Self::Tenant {} => "TENANT",
        }
    }

    /// Reads what is stored; the column's check knows no other name.
    #[must_use]
    pub fn stored(name: &str, principals: Vec<ServiceAccountId>) -> Self {
        match name {
            "PRINCIPALS" => Self::Principals { principals },
            "SHARED" => Self::Shared { principals },
            "DEFAULT" => Self::Default {},
            _ => Self::Tenant {},
        }
    }

    /// Those it names.
    #[must_use]
    pub fn principals(&self) -> &[ServiceAccountId] {
        match self {
            Self::Principals { principals } | Self::Shared { principals } => principals,
            Self::Default {} | Self::Tenant {} => &[],
        }
    }
}

/// What a quota does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum QuotaMode {
    /// Who exceeds it is throttled.
    #[default]
    Enforce,
    /// Nobody is throttled; who would have been is counted.
    Shadow,
}

impl QuotaMode {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enforce => "ENFORCE",
            Self::Shadow => "SHADOW",
        }
    }

    /// Reads a stored name; the column's check knows no other.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        match name {
            "SHADOW" => Self::Shadow,
            _ => Self::Enforce,
        }
    }
}

/// Limits; at least one. Over all gateways of the data plane together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaLimits {
    /// Bytes of record batches in produce requests, as they are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1024)]
    pub ingress_bytes_per_second: Option<i64>,
    /// Bytes of record batches in answers to fetches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1024)]
    pub egress_bytes_per_second: Option<i64>,
    /// Requests of any kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub requests_per_second: Option<i64>,
    /// Connections at one time. One too many is closed after its login; clients need one to each broker, and one more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    pub connections: Option<i64>,
    /// Not enforced by this version, and so refused with `not_enforced`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub partition_mutations_per_second: Option<i64>,
    /// Not enforced by this version, and so refused with `not_enforced`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub storage_bytes: Option<i64>,
}

/// What is left to the subject when a wider budget is used up: to each of PRINCIPALS of the SHARED and the TENANT's, to
/// a SHARED of the TENANT's. Each needs its limit beside it and is at most that; together they fit into the wider budget.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaFloors {
    /// Bytes of record batches in produce requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1024)]
    pub ingress_bytes_per_second: Option<i64>,
    /// Bytes of record batches in answers to fetches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1024)]
    pub egress_bytes_per_second: Option<i64>,
}

/// What is wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuotaSpec {
    /// The cluster that it is for; never changes.
    pub cluster: ClusterId,
    /// Whose it is. The principals may change, the kind never.
    pub subject: QuotaSubject,
    /// How much.
    pub limits: QuotaLimits,
    /// What is left in any case.
    #[serde(default)]
    pub floors: QuotaFloors,
    /// Whether it throttles or only counts.
    #[serde(default)]
    pub mode: QuotaMode,
    /// For how long unused rate is saved up. With 0, the default, it is a tenth of a second: no second sees much more
    /// than the limit.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 60, default = 0)]
    pub burst_seconds: i32,
}

/// A row.
#[derive(Debug, Clone)]
pub struct Quota {
    /// Id.
    pub id: QuotaId,
    /// What is wished.
    pub spec: QuotaSpec,
    /// Name of its environment.
    pub environment_name: String,
    /// Name of its cluster.
    pub cluster_name: String,
    /// The data plane whose gateways keep it.
    pub data_plane: DataPlaneId,
    /// The generation that carries the row as it is.
    pub desired_n: i64,
    /// Free labels.
    pub labels: Labels,
    /// Rises with each change.
    pub generation: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When spec or labels last changed.
    pub updated_at: DateTime<Utc>,
}

impl Quota {
    /// Name within the tenant.
    #[must_use]
    pub fn resource_name(&self) -> String {
        format!(
            "environment={}/cluster={}/quota={}",
            self.environment_name, self.cluster_name, self.id
        )
    }
}

fn refusal(pointer: impl Into<String>, code: &str, detail: impl Into<String>) -> FieldError {
    FieldError {
        pointer: pointer.into(),
        code: code.into(),
        detail: detail.into(),
    }
}

/// Collects what is wrong with a spec.
pub fn validate(spec: &QuotaSpec, errors: &mut Vec<FieldError>) {
    let QuotaSpec {
        cluster: _,
        subject,
        limits,
        floors,
        mode: _,
        burst_seconds,
    } = spec;
    check_subject(subject, errors);
    check_limits(limits, errors);
    check_floors(subject, limits, floors, errors);
    if !(0..=BURST_SECONDS_MOST).contains(burst_seconds) {
        errors.push(refusal(
            "/spec/burst_seconds",
            code::OUT_OF_RANGE,
            format!("burst_seconds is 0 to {BURST_SECONDS_MOST}."),
        ));
    }
}

fn check_subject(subject: &QuotaSubject, errors: &mut Vec<FieldError>) {
    let (QuotaSubject::Principals { principals } | QuotaSubject::Shared { principals }) = subject else {
        return;
    };
    if !(1..=PRINCIPALS_MOST).contains(&principals.len()) {
        let detail = format!("A quota of this kind names 1 to {PRINCIPALS_MOST} service accounts.");
        errors.push(refusal("/spec/subject/principals", code::OUT_OF_RANGE, detail));
    }
    let mut seen = BTreeSet::new();
    for (at, principal) in principals.iter().enumerate() {
        if !seen.insert(principal.uuid()) {
            let pointer = format!("/spec/subject/principals/{at}");
            errors.push(refusal(
                pointer,
                code::OUT_OF_RANGE,
                "The service account is named twice.",
            ));
        }
    }
}

fn check_limits(limits: &QuotaLimits, errors: &mut Vec<FieldError>) {
    let QuotaLimits {
        ingress_bytes_per_second,
        egress_bytes_per_second,
        requests_per_second,
        connections,
        partition_mutations_per_second,
        storage_bytes,
    } = limits;
    for (name, value) in [
        ("partition_mutations_per_second", partition_mutations_per_second),
        ("storage_bytes", storage_bytes),
    ] {
        if value.is_some() {
            let detail =
                format!("{name} is not enforced by this version: a limit that limits nothing is refused.");
            errors.push(refusal(
                format!("/spec/limits/{name}"),
                code::NOT_ENFORCED,
                detail,
            ));
        }
    }
    for (name, value) in [
        ("ingress_bytes_per_second", ingress_bytes_per_second),
        ("egress_bytes_per_second", egress_bytes_per_second),
    ] {
        check_bytes(&format!("/spec/limits/{name}"), *value, errors);
    }
    for (name, value, most) in [
        ("requests_per_second", requests_per_second, REQUESTS_MOST),
        ("connections", connections, CONNECTIONS_MOST),
    ] {
        if value.is_some_and(|it| !(1..=most).contains(&it)) {
            errors.push(refusal(
                format!("/spec/limits/{name}"),
                code::OUT_OF_RANGE,
                format!("{name} is 1 to {most}. To let nobody in, delete the API keys."),
            ));
        }
    }
    if *limits == QuotaLimits::default() {
        errors.push(refusal(
            "/spec/limits",
            code::REQUIRED,
            "A quota has at least one limit.",
        ));
    }
}

fn check_bytes(pointer: &str, value: Option<i64>, errors: &mut Vec<FieldError>) {
    if value.is_some_and(|it| !(BYTES_LEAST..=BYTES_MOST).contains(&it)) {
        let detail = format!(
            "A rate of bytes is {BYTES_LEAST} to {BYTES_MOST}. Below a kibibyte a second, each request would silence its \
             client for seconds; to stop somebody, delete the API keys."
        );
        errors.push(refusal(pointer, code::OUT_OF_RANGE, detail));
    }
}

fn check_floors(
    subject: &QuotaSubject,
    limits: &QuotaLimits,
    floors: &QuotaFloors,
    errors: &mut Vec<FieldError>,
) {
    let QuotaFloors {
        ingress_bytes_per_second,
        egress_bytes_per_second,
    } = floors;
    for (name, floor, limit) in [
        (
            "ingress_bytes_per_second",
            ingress_bytes_per_second,
            limits.ingress_bytes_per_second,
        ),
        (
            "egress_bytes_per_second",
            egress_bytes_per_second,
            limits.egress_bytes_per_second,
        ),
    ] {
        let Some(floor) = floor else { continue };
        let pointer = format!("/spec/floors/{name}");
        check_bytes(&pointer, Some(*floor), errors);
        match (subject, limit) {
            (QuotaSubject::Default {}, _) => errors.push(refusal(
                pointer,
                code::OUT_OF_RANGE,
                "Nobody knows how many principals the default is for, so it cannot promise each a floor. Name them.",
            )),
            (QuotaSubject::Tenant {}, _) => errors.push(refusal(
                pointer,
                code::OUT_OF_RANGE,
                "The tenant's budget is the widest: there is none that a floor could be left of.",
            )),
            (_, None) => errors.push(refusal(
                format!("/spec/limits/{name}"),
                code::REQUIRED,
                "A floor needs its limit beside it.",
            )),
            (_, Some(limit)) if *floor > limit => errors.push(refusal(
                pointer,
                code::OUT_OF_RANGE,
                format!("The floor is above the limit, which is {limit}."),
            )),
            (_, Some(_limit)) => {}
        }
    }
}

/// Collects what may not change so between two specs.
pub fn validate_change(before: &QuotaSpec, after: &QuotaSpec, errors: &mut Vec<FieldError>) {
    if before.subject.name() != after.subject.name() {
        errors.push(refusal(
            "/spec/subject/kind",
            code::IMMUTABLE,
            "The kind of subject cannot change; create another Quota instead.",
        ));
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
