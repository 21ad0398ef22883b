//! What Kafka shall have of one cluster in native mode. Pure.

use std::collections::{BTreeMap, BTreeSet};

use weir_proto::agent::v1::{ApiKey, Cluster, DesiredState, Quota, QuotaMode, QuotaSubject};

use super::rules;
use crate::platform::native::{Acl, Limits};
use crate::resources::physical_prefix;

/// Before the names of all users that Weir makes: they are the ids of keys.
pub const USER_PREFIX: &str = "key_";
/// Characters of an id after its prefix.
const SUFFIX_LENGTH: usize = 26;

/// Is it the id of a key? A wish names nobody else: not the brokers' own login, not the customer's administrators.
#[must_use]
pub fn is_user(name: &str) -> bool {
    let suffix = name.strip_prefix(USER_PREFIX).unwrap_or_default().as_bytes();
    suffix.len() == SUFFIX_LENGTH
        && suffix
            .iter()
            .all(|it| it.is_ascii_digit() || it.is_ascii_lowercase())
}

/// One user of Kafka.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// The service account that the key is of.
    pub principal_id: String,
    /// What its passwords are made of, sealed to this agent.
    pub sealed: Vec<u8>,
    /// By which it is known to be ours.
    pub mark: Acl,
    /// What keeps it out.
    pub walls: BTreeSet<Acl>,
    /// What lets it in.
    pub grants: BTreeSet<Acl>,
    /// Client quotas.
    pub limits: Limits,
}

/// Everything that Kafka shall have of one cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// The data plane.
    pub data_plane_id: String,
    /// The cluster.
    pub cluster_id: String,
    /// The cluster's part of marks.
    pub(super) suffix: String,
    /// The agent runs these brokers: nobody else makes users there, so that all of them are ours, marked or not.
    pub exclusive: bool,
    /// By name.
    pub users: BTreeMap<String, User>,
}

impl Wish {
    /// The mark of any user of this cluster.
    #[must_use]
    pub fn mark(&self, user: &str) -> Acl {
        rules::mark(user, &self.suffix)
    }
}

/// What is wished of `cluster`; nothing when its id is of no known form. `brokers`: over how many its limits are divided.
#[must_use]
pub fn wish(
    cluster: &Cluster,
    state: &DesiredState,
    brokers: u32,
    exclusive: bool,
    now_unix_seconds: i64,
) -> Option<Wish> {
    let (_kind, suffix) = cluster.id.rsplit_once('_')?;
    physical_prefix(&cluster.id)?;
    // One that is going away still has its names; one of another pool costs nothing.
    let others = state.clusters.iter().filter(|it| it.id != cluster.id);
    let mut prefixes: Vec<String> = others
        .filter(|it| it.broker_pool_id == cluster.broker_pool_id)
        .filter_map(|it| physical_prefix(&it.id))
        .collect();
    prefixes.sort_unstable();
    let lives = |key: &&ApiKey| {
        let end = key.expires_at_unix_seconds;
        !cluster.deleted && key.cluster_id == cluster.id && (end == 0 || end > now_unix_seconds)
    };
    let keys = state.api_keys.iter().filter(lives).filter(|key| is_user(&key.id));
    let users = keys.map(|key| {
        let granted = state
            .grants
            .iter()
            .filter(|it| it.cluster_id == cluster.id && it.principal_id == key.principal_id);
        let user = User {
            principal_id: key.principal_id.clone(),
            sealed: key.sealed.clone(),
            mark: rules::mark(&key.id, suffix),
            walls: rules::walls(&key.id, &prefixes),
            grants: granted
                .flat_map(|it| rules::grant(&key.id, &it.pattern, it.role()))
                .collect(),
            limits: limits(&cluster.id, &key.principal_id, &state.quotas, brokers),
        };
        (key.id.clone(), user)
    });
    Some(Wish {
        data_plane_id: state.data_plane_id.clone(),
        cluster_id: cluster.id.clone(),
        suffix: suffix.to_owned(),
        exclusive,
        users: users.collect(),
    })
}

/// Can Kafka keep it? Whatever else it says is refused as unsupported.
#[must_use]
pub(super) fn is_kept(quota: &Quota) -> bool {
    let limits = quota.limits.unwrap_or_default();
    let floors = quota.floors.unwrap_or_default();
    matches!(quota.subject(), QuotaSubject::Principals | QuotaSubject::Default)
        && quota.mode() == QuotaMode::Enforce
        && (
            limits.requests_per_second,
            limits.connections,
            limits.storage_bytes,
        ) == (0, 0, 0)
        && (floors.ingress_bytes_per_second, floors.egress_bytes_per_second) == (0, 0)
}

/// A principal's own quota, or else the default. Each broker counts for itself (KIP-13), so each gets its part of the rate: all
/// together never let more through than is wished. Mutations are counted by the one controller (KIP-599).
fn limits(cluster: &str, principal: &str, quotas: &[Quota], brokers: u32) -> Limits {
    let on_cluster = || quotas.iter().filter(|it| it.cluster_id == cluster && is_kept(it));
    let own = on_cluster().find(|it| {
        it.subject() == QuotaSubject::Principals && it.principal_ids.iter().any(|id| id == principal)
    });
    let default = || on_cluster().find(|it| it.subject() == QuotaSubject::Default);
    let Some(limits) = own.or_else(default).and_then(|it| it.limits) else {
        return Limits::new();
    };
    let parts = u64::from(brokers.max(1));
    let named = [
        ("producer_byte_rate", limits.ingress_bytes_per_second, parts),
        ("consumer_byte_rate", limits.egress_bytes_per_second, parts),
        (
            "controller_mutation_rate",
            limits.partition_mutations_per_second,
            1,
        ),
    ];
    let set = named.into_iter().filter(|(_key, rate, _parts)| *rate > 0);
    set.map(|(key, rate, parts)| (key.to_owned(), exact((rate / parts).max(1))))
        .collect()
}

/// Kafka's quotas are doubles; rates are far below what these hold exactly.
#[expect(
    clippy::cast_precision_loss,
    reason = "exact below 2^53, and more than that nobody wishes"
)]
fn exact(rate: u64) -> f64 {
    rate.min(1 << 53) as f64
}
