//! Rows in, desired state out: what one data plane should be, from what its tenants wished. Pure.
//!
//! Lists are sorted, so equal rows are equal bytes. Names that brokers see carry the cluster's id, so tenants on
//! one broker pool cannot collide. Role bindings become grants: only those of service accounts that hold a key
//! for the cluster, with the binding's pattern reduced to what it says about the cluster's topics.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use weir_proto::agent::v1::{self as wire, AccessRole, ApiKey, Cluster, DesiredState, Grant, Scram};

use super::cluster_link;
pub(in crate::link) use super::cluster_link::{ClusterLinkRow, MirrorRow};
use super::contract;
pub(in crate::link) use super::contract::Contracts;
pub(in crate::link) use super::job::{ComputePoolRow, JobRow};
use super::job::{compute_pool, job};
pub(in crate::link) use super::lag_watch::LagWatchRow;
use super::lag_watch::lag_watch;
pub(in crate::link) use super::mount::{EncryptionRow, MountRow};
pub(in crate::link) use super::pool::PoolRow;
use super::pool::pool;
pub(in crate::link) use super::quota::QuotaRow;
use super::quota::quota;
pub(in crate::link) use super::token::TokenKeyRow;
use super::token::token_issuer;
pub(in crate::link) use super::topic::TopicRow;
use super::topic::topic;
use crate::kernel::{DataPlaneId, Id, Kind, TenantId, kind, matches_pattern};
use crate::resources::cluster::ClusterAccess;

/// Everything that one data plane is built of, read in one snapshot.
#[derive(Debug, Default)]
pub(in crate::link) struct Rows {
    /// Its broker pools.
    pub(in crate::link) pools: Vec<PoolRow>,
    /// The clusters on them, of several tenants.
    pub(in crate::link) clusters: Vec<ClusterRow>,
    /// Their topics.
    pub(in crate::link) topics: Vec<TopicRow>,
    /// Keys that open those clusters.
    pub(in crate::link) keys: Vec<KeyRow>,
    /// Role bindings of the tenants' service accounts.
    pub(in crate::link) bindings: Vec<BindingRow>,
    /// Quotas of those clusters.
    pub(in crate::link) quotas: Vec<QuotaRow>,
    /// The keys that sign access tokens.
    pub(in crate::link) token_keys: Vec<TokenKeyRow>,
    /// Groups whose lag alert rules ask for.
    pub(in crate::link) lag_watches: Vec<LagWatchRow>,
    /// Compute pools on it.
    pub(in crate::link) compute_pools: Vec<ComputePoolRow>,
    /// Jobs in those.
    pub(in crate::link) jobs: Vec<JobRow>,
    /// Cluster links that have an end there.
    pub(in crate::link) cluster_links: Vec<ClusterLinkRow>,
    /// Schemas that topics' contracts take.
    pub(in crate::link) contracts: Contracts,
}

#[derive(Debug)]
pub(in crate::link) struct ClusterRow {
    pub(in crate::link) id: Uuid,
    pub(in crate::link) tenant_id: Uuid,
    pub(in crate::link) environment_id: Uuid,
    pub(in crate::link) environment_name: String,
    pub(in crate::link) broker_pool_id: Uuid,
    pub(in crate::link) name: String,
    pub(in crate::link) access: ClusterAccess,
    pub(in crate::link) adopts: bool,
    pub(in crate::link) kafka_cluster_id: String,
    pub(in crate::link) deleted: bool,
}

#[derive(Debug)]
pub(in crate::link) struct KeyRow {
    pub(in crate::link) id: Uuid,
    pub(in crate::link) service_account_id: Uuid,
    pub(in crate::link) cluster_id: Uuid,
    pub(in crate::link) secret_sha256: Vec<u8>,
    pub(in crate::link) scram_iterations: i32,
    pub(in crate::link) scram_256: ScramRow,
    pub(in crate::link) scram_512: ScramRow,
    pub(in crate::link) sealed: Option<Vec<u8>>,
    pub(in crate::link) expires_at_unix_seconds: i64,
    pub(in crate::link) public_key_sha256: Vec<u8>,
}

#[derive(Debug)]
pub(in crate::link) struct ScramRow {
    pub(in crate::link) salt: Vec<u8>,
    pub(in crate::link) stored_key: Vec<u8>,
    pub(in crate::link) server_key: Vec<u8>,
}

#[derive(Debug)]
pub(in crate::link) struct BindingRow {
    pub(in crate::link) tenant_id: Uuid,
    pub(in crate::link) service_account_id: Uuid,
    pub(in crate::link) role: String,
    pub(in crate::link) resource: String,
}

/// The desired state of `data_plane`. `issuer` is what access tokens call this control plane.
pub(in crate::link) fn build(data_plane: DataPlaneId, issuer: &str, rows: Rows) -> DesiredState {
    let Rows {
        pools,
        clusters,
        topics,
        keys,
        bindings,
        quotas,
        token_keys,
        lag_watches,
        compute_pools,
        jobs,
        cluster_links,
        contracts,
    } = rows;
    let replication: BTreeMap<Uuid, u32> = pools.iter().map(|pool| (pool.id, count(pool.brokers))).collect();
    let cluster_replication: BTreeMap<Uuid, u32> = clusters
        .iter()
        .map(|it| (it.id, replication.get(&it.broker_pool_id).copied().unwrap_or(1)))
        .collect();
    let mut promises = contracts.promises(&clusters, &topics);
    let native: BTreeSet<Uuid> = clusters
        .iter()
        .filter(|it| it.access == ClusterAccess::Native)
        .map(|it| it.id)
        .collect();
    let mut grants = grants(
        &clusters,
        holders(data_plane, &keys, &jobs, &cluster_links),
        &bindings,
    );
    grants.sort_by(|a, b| {
        (&a.principal_id, &a.cluster_id, &a.pattern, a.role).cmp(&(
            &b.principal_id,
            &b.cluster_id,
            &b.pattern,
            b.role,
        ))
    });
    grants.dedup();
    let link_keys = cluster_link::keys(data_plane, &cluster_links);
    let cluster_links = cluster_link::told(data_plane, cluster_links, &topics);
    DesiredState {
        data_plane_id: data_plane.to_string(),
        broker_pools: sorted(pools.into_iter().map(pool).collect(), |it| &it.id),
        clusters: sorted(clusters.into_iter().map(cluster).collect(), |it| &it.id),
        topics: sorted(
            topics
                .into_iter()
                .map(|row| {
                    let factor = cluster_replication.get(&row.cluster_id).copied().unwrap_or(1);
                    let native = native.contains(&row.cluster_id);
                    let contract = promises.remove(&row.id);
                    topic(row, factor, native, contract)
                })
                .collect(),
            |it| &it.id,
        ),
        cluster_links: sorted(cluster_links, |it| &it.id),
        api_keys: sorted(keys.into_iter().map(key).chain(link_keys).collect(), |it| &it.id),
        grants,
        quotas: sorted(quotas.into_iter().map(quota).collect(), |it| &it.id),
        token_issuers: token_issuer(data_plane, issuer, token_keys).into_iter().collect(),
        lag_watches: sorted(lag_watches.into_iter().map(lag_watch).collect(), |it| &it.rule_id),
        compute_pools: sorted(compute_pools.into_iter().map(compute_pool).collect(), |it| &it.id),
        jobs: sorted(jobs.into_iter().map(job).collect(), |it| &it.id),
        schemas: sorted(contract::schemas(contracts), |it| &it.id),
    }
}

/// What the broker calls a topic: `w<suffix of the cluster's id>-<name>`.
pub(in crate::link) fn physical_name(cluster: Id<kind::Cluster>, name: &str) -> String {
    format!("w{}-{name}", cluster.suffix())
}

fn cluster(row: ClusterRow) -> Cluster {
    let ClusterRow {
        id,
        tenant_id,
        environment_id,
        environment_name: _,
        broker_pool_id,
        name,
        access,
        adopts,
        kafka_cluster_id,
        deleted,
    } = row;
    Cluster {
        id: type_id::<kind::Cluster>(id),
        tenant_id: TenantId::from_uuid(tenant_id).to_string(),
        environment_id: type_id::<kind::Environment>(environment_id),
        name,
        broker_pool_id: type_id::<kind::BrokerPool>(broker_pool_id),
        kafka_cluster_id,
        deleted,
        adopts,
        access: match access {
            ClusterAccess::Gateway => wire::ClusterAccess::Gateway,
            ClusterAccess::Native => wire::ClusterAccess::Native,
        }
        .into(),
    }
}

fn key(row: KeyRow) -> ApiKey {
    let KeyRow {
        id,
        service_account_id,
        cluster_id,
        secret_sha256,
        scram_iterations,
        scram_256,
        scram_512,
        sealed,
        expires_at_unix_seconds,
        public_key_sha256,
    } = row;
    let native = sealed.is_some();
    let scram = |row: ScramRow| {
        let ScramRow {
            salt,
            stored_key,
            server_key,
        } = row;
        // A key by certificate has none.
        (!stored_key.is_empty()).then(|| Scram {
            salt,
            iterations: count(scram_iterations),
            stored_key,
            server_key,
        })
    };
    ApiKey {
        id: type_id::<kind::ApiKey>(id),
        principal_id: type_id::<kind::ServiceAccount>(service_account_id),
        cluster_id: type_id::<kind::Cluster>(cluster_id),
        // Gateways have no use for a key of a native cluster, so it comes without verifiers.
        sha256: if native { Vec::new() } else { secret_sha256 },
        scram_sha_256: scram(scram_256).filter(|_| !native),
        scram_sha_512: scram(scram_512).filter(|_| !native),
        sealed: sealed.unwrap_or_default(),
        expires_at_unix_seconds,
        public_key_sha256,
        cluster_link_id: String::new(),
    }
}

/// Who acts on which cluster: service accounts with a key, those whose rights a job has, and those as whom a link reads.
fn holders(
    here: DataPlaneId,
    keys: &[KeyRow],
    jobs: &[JobRow],
    links: &[ClusterLinkRow],
) -> BTreeSet<(Uuid, Uuid)> {
    let keys = keys.iter().map(|it| (it.cluster_id, it.service_account_id));
    let jobs = jobs.iter().map(|it| (it.cluster_id, it.service_account_id));
    let links = links.iter().filter(|it| it.is_read_at(here));
    let links = links.map(|it| (it.source_cluster_id, it.service_account_id));
    keys.chain(jobs).chain(links).collect()
}

fn grants(clusters: &[ClusterRow], holders: BTreeSet<(Uuid, Uuid)>, bindings: &[BindingRow]) -> Vec<Grant> {
    let mut bindings_of: BTreeMap<(Uuid, Uuid), Vec<&BindingRow>> = BTreeMap::new();
    for binding in bindings {
        let holder = (binding.tenant_id, binding.service_account_id);
        bindings_of.entry(holder).or_default().push(binding);
    }
    let clusters: BTreeMap<Uuid, &ClusterRow> = clusters.iter().map(|it| (it.id, it)).collect();
    let mut grants = Vec::new();
    for (cluster_id, principal) in holders {
        let Some(cluster) = clusters.get(&cluster_id) else {
            continue;
        };
        let held = bindings_of
            .get(&(cluster.tenant_id, principal))
            .into_iter()
            .flatten();
        for binding in held {
            let granted = topic_pattern(&binding.resource, &cluster.environment_name, &cluster.name)
                .zip(access_role(&binding.role));
            if let Some((pattern, role)) = granted {
                grants.push(Grant {
                    principal_id: type_id::<kind::ServiceAccount>(principal),
                    cluster_id: type_id::<kind::Cluster>(cluster_id),
                    pattern,
                    role: role.into(),
                });
            }
        }
    }
    grants
}

/// What a binding's resource says about the topics of one cluster: `*`, a name, a prefix with `*`, or nothing.
fn topic_pattern(resource: &str, environment: &str, cluster: &str) -> Option<String> {
    let path = format!("environment={environment}/cluster={cluster}");
    if matches_pattern(resource, &path) {
        return Some("*".to_owned());
    }
    let below = resource.strip_prefix(&path)?.strip_prefix('/')?;
    if let Some(pattern) = below.strip_prefix("topic=") {
        return (!pattern.is_empty()).then(|| pattern.to_owned());
    }
    // `.../*`, or a prefix that stops inside the word `topic=`.
    let prefix = below.strip_suffix('*')?;
    "topic=".starts_with(prefix).then(|| "*".to_owned())
}

fn access_role(role: &str) -> Option<AccessRole> {
    match role {
        "READER" => Some(AccessRole::Reader),
        "DEVELOPER" => Some(AccessRole::Developer),
        "TENANT_ADMIN" => Some(AccessRole::Admin),
        _above_tenants => None,
    }
}

pub(super) fn type_id<K: Kind>(id: Uuid) -> String {
    Id::<K>::from_uuid(id).to_string()
}

pub(super) fn count(value: i32) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

fn sorted<T>(mut items: Vec<T>, id: impl Fn(&T) -> &String) -> Vec<T> {
    items.sort_by(|a, b| id(a).cmp(id(b)));
    items
}

#[cfg(test)]
#[path = "build_tests.rs"]
mod tests;
