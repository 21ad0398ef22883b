//! The snapshot as the gateway uses it: looked up by logical and by physical name and id, swapped as a whole.

mod access;
mod bans;
mod certificates;
mod names;
mod tokens;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use weir_credentials::{Issuer, PublicKeyHash, ScramVerifier};
use weir_proto::agent::v1::{ApiKey, Grant, Mount, SaslMechanism, Scram};
use weir_proto::lane::v1::{LogicalCluster, Snapshot, Upstream};

pub use access::{Access, Operation};
pub use bans::Bans;
use certificates::Certificates;
pub use certificates::NotOpened;
pub use names::{Cluster, Topic, uuid_of_type_id};
#[cfg(any(test, feature = "fuzzing"))]
pub use tokens::sample as token_sample;

use super::contract::Schemas;
use super::quota::{ClientQuota, Rules, described};
use super::share::{Lenses, Wire};
use crate::upstream::{Mechanism, Security, Trust};

/// One version of everything that the gateway serves by.
#[derive(Debug, Default)]
pub struct View {
    /// The snapshot's version; 0 before the first.
    pub version: u64,
    /// Broker pools by id.
    pub pools: HashMap<String, Pool>,
    /// Logical clusters by id.
    pub clusters: HashMap<String, Arc<Cluster>>,
    /// API keys by id: the Kafka user name.
    pub keys: HashMap<String, Arc<Key>>,
    /// Keys by certificate.
    certificates: Certificates,
    /// How much principals may use.
    pub quotas: Rules,
    /// Whose access tokens are believed.
    issuers: Vec<Issuer>,
    /// What the customer's policy refuses.
    pub bans: Arc<Bans>,
    /// Schemas that contracts name.
    pub schemas: Arc<Schemas>,
    /// What shared topics are looked at through.
    pub lenses: Arc<Lenses>,
    /// Data keys are still to come: it was read from a disk, which has none.
    pub waits_for_keys: bool,
    /// What (principal, cluster) may do.
    access: HashMap<(String, String), Arc<Access>>,
    /// The same, as it was given, by cluster.
    grants: HashMap<String, Arc<Vec<Grant>>>,
    /// Quotas as Kafka's tools know them, by cluster.
    client_quotas: BTreeMap<String, Arc<Vec<ClientQuota>>>,
}

/// Brokers of one pool, and how the gateway logs in there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// (node id, host, port).
    pub brokers: Vec<(i32, String, u16)>,
    /// The internal principal.
    pub username: String,
    /// Its password.
    pub password: String,
    /// TLS and mechanism.
    pub security: Security,
    /// Which of our ports is which broker's, by node id; those that are missing have that of their node id.
    pub places: Arc<HashMap<i32, i32>>,
}

impl Pool {
    /// The port of a broker, above the first.
    #[must_use]
    pub fn place(&self, node: i32) -> i32 {
        self.places.get(&node).copied().unwrap_or(node)
    }
}

/// An API key: verifiers and what they open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// The service account that acts.
    pub principal: Arc<str>,
    /// The one cluster that it opens.
    pub cluster: String,
    /// SHA-256 of the secret; empty when there is none.
    pub sha256: Vec<u8>,
    /// Of the public key that opens it instead of a secret.
    pub public_key: Option<PublicKeyHash>,
    /// SCRAM-SHA-256; `None` when the snapshot has no sound one.
    pub scram_sha_256: Option<ScramVerifier>,
    /// SCRAM-SHA-512.
    pub scram_sha_512: Option<ScramVerifier>,
    /// Seconds since 1970; 0: never.
    pub expires_at: i64,
    /// Its holder is a job, which may use groups and transactional ids of its own.
    pub job: bool,
}

impl Key {
    /// Is the key past its end?
    #[must_use]
    pub fn expired(&self, now_unix_seconds: i64) -> bool {
        self.expires_at != 0 && self.expires_at <= now_unix_seconds
    }
}

/// Seconds since 1970 by the system's clock.
#[must_use]
pub fn now_unix_seconds() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// Milliseconds since 1970 by the system's clock.
#[must_use]
pub fn now_unix_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// What a cluster is shown of other tenants' topics.
fn mounts(cluster: &LogicalCluster) -> impl Iterator<Item = &Mount> {
    cluster.topics.iter().filter_map(|it| it.mount.as_ref())
}

impl View {
    /// A snapshot, compiled, for clients who are reached safely.
    #[cfg(any(test, feature = "fuzzing"))]
    #[must_use]
    pub fn build(snapshot: &Snapshot) -> Self {
        Self::build_after(snapshot, &Self::default())
    }

    /// The same after another one.
    #[cfg(any(test, feature = "fuzzing"))]
    #[must_use]
    pub fn build_after(snapshot: &Snapshot, before: &Self) -> Self {
        Self::build_over(snapshot, before, Wire::Safe)
    }

    /// Compiles a snapshot for clients who are reached in this way, with the schemas and lenses that an earlier one compiled, and in
    /// memory of what that one showed. Parts that contradict themselves are left out, so that they open nothing.
    #[must_use]
    pub fn build_over(snapshot: &Snapshot, before: &Self, wire: Wire) -> Self {
        let compiled = Arc::new(Schemas::build(snapshot, &before.schemas));
        let lenses = Arc::new(Lenses::build_over(snapshot, &before.lenses, wire));
        let cluster = |it: &LogicalCluster| {
            let held = before.clusters.get(&it.id);
            Arc::new(Cluster::build(it, &compiled, &lenses, held.map(|held| &**held)))
        };
        let Snapshot {
            version,
            upstreams,
            clusters,
            api_keys,
            grants,
            quotas,
            token_issuers,
            bans,
            job_keys,
            // Compiled above.
            schemas: _,
        } = snapshot;
        let mut access: HashMap<(String, String), Access> = HashMap::new();
        let mut given: HashMap<String, Vec<Grant>> = HashMap::new();
        for grant in grants {
            given
                .entry(grant.cluster_id.clone())
                .or_default()
                .push(grant.clone());
            access
                .entry((grant.principal_id.clone(), grant.cluster_id.clone()))
                .or_default()
                .add(&grant.pattern, grant.role());
        }
        let keys: HashMap<String, Arc<Key>> = api_keys
            .iter()
            .map(|it| (it.id.clone(), Arc::new(key(it, job_keys.contains(&it.id)))))
            .collect();
        Self {
            version: *version,
            pools: upstreams.iter().filter_map(pool).collect(),
            clusters: clusters.iter().map(|it| (it.id.clone(), cluster(it))).collect(),
            certificates: Certificates::build(keys.values()),
            keys,
            quotas: Rules::build(quotas).with_shares(clusters.iter().flat_map(mounts)),
            issuers: tokens::issuers(token_issuers),
            client_quotas: described(quotas),
            bans: Arc::new(Bans::build(bans)),
            schemas: compiled,
            waits_for_keys: lenses.wait(),
            lenses,
            access: access.into_iter().map(|(who, it)| (who, Arc::new(it))).collect(),
            grants: given.into_iter().map(|(id, it)| (id, Arc::new(it))).collect(),
        }
    }

    /// What a principal may do on a cluster: nothing, unless granted.
    #[must_use]
    pub fn access(&self, principal: &str, cluster: &str) -> Arc<Access> {
        self.access
            .get(&(principal.to_owned(), cluster.to_owned()))
            .cloned()
            .unwrap_or_default()
    }

    /// Everything that was granted on a cluster.
    #[must_use]
    pub fn grants(&self, cluster: &str) -> Arc<Vec<Grant>> {
        self.grants.get(cluster).cloned().unwrap_or_default()
    }

    /// The quotas of a cluster as Kafka's tools know them.
    #[must_use]
    pub fn client_quotas(&self, cluster: &str) -> Arc<Vec<ClientQuota>> {
        self.client_quotas.get(cluster).cloned().unwrap_or_default()
    }

    /// Does a connection that logged in with `held` still stand? The same key with the same verifier and scope, not
    /// expired, on a cluster that is still served.
    #[must_use]
    pub fn upholds(&self, held: &Key, now_unix_seconds: i64) -> bool {
        self.keys.get(&held.id).is_some_and(|now| {
            now.principal == held.principal
                && now.cluster == held.cluster
                && now.sha256 == held.sha256
                && now.public_key == held.public_key
                && now.job == held.job
                && !now.expired(now_unix_seconds)
        }) && self.clusters.contains_key(&held.cluster)
    }
}

/// `None`: its authorities cannot be believed, so nobody is connected.
fn pool(upstream: &Upstream) -> Option<(String, Pool)> {
    let Upstream {
        broker_pool_id,
        brokers,
        sasl_username,
        sasl_password,
        attached,
        mechanism: _,
        ca_pem,
    } = upstream;
    let mechanism = match upstream.mechanism() {
        _own if !attached => Mechanism::Plain,
        SaslMechanism::Unspecified => Mechanism::Anonymous,
        SaslMechanism::Plain => Mechanism::Plain,
        SaslMechanism::ScramSha256 => Mechanism::ScramSha256,
        SaslMechanism::ScramSha512 => Mechanism::ScramSha512,
    };
    let trust = match ca_pem.as_str() {
        "" => None,
        pem => Some(Trust::of(pem).ok()?),
    };
    let places = brokers.iter().filter(|it| it.place > 0);
    let places = places.filter_map(|it| Some((it.node_id, i32::try_from(it.place).ok()?)));
    let places = Arc::new(places.collect());
    let brokers = brokers
        .iter()
        .filter_map(|it| Some((it.node_id, it.host.clone(), u16::try_from(it.port).ok()?)))
        .collect();
    let pool = Pool {
        brokers,
        username: sasl_username.clone(),
        password: sasl_password.clone(),
        security: Security {
            trust,
            mechanism,
            peer: None,
        },
        places,
    };
    Some((broker_pool_id.clone(), pool))
}

fn key(key: &ApiKey, job: bool) -> Key {
    let ApiKey {
        id,
        principal_id,
        cluster_id,
        sha256,
        scram_sha_256,
        scram_sha_512,
        expires_at_unix_seconds,
        public_key_sha256,
        sealed: _,
        cluster_link_id: _,
    } = key;
    Key {
        id: id.clone(),
        principal: principal_id.as_str().into(),
        cluster: cluster_id.clone(),
        sha256: sha256.clone(),
        public_key: PublicKeyHash::from_bytes(public_key_sha256),
        scram_sha_256: scram_sha_256.as_ref().and_then(|it| verifier(it, 32)),
        scram_sha_512: scram_sha_512.as_ref().and_then(|it| verifier(it, 64)),
        expires_at: *expires_at_unix_seconds,
        job,
    }
}

fn verifier(scram: &Scram, length: usize) -> Option<ScramVerifier> {
    let Scram {
        salt,
        iterations,
        stored_key,
        server_key,
    } = scram;
    let sound = !salt.is_empty() && stored_key.len() == length && server_key.len() == length;
    Some(ScramVerifier {
        salt: salt.clone(),
        iterations: (*iterations).try_into().ok().filter(|_rounds| sound)?,
        stored_key: stored_key.clone(),
        server_key: server_key.clone(),
    })
}

#[cfg(test)]
pub mod tests;
