//! From what the customer admitted to what a gateway serves. Pure.

use std::collections::{BTreeMap, BTreeSet};

use weir_proto::agent::v1::{ApiKey, Cluster, ClusterAccess, DesiredState};
use weir_proto::lane::v1::{Ban, BannedAct, LogicalCluster, LogicalTopic, Snapshot};

use super::upstreams::upstream;
use crate::platform::kafka::{PhysicalId, PoolAddress};
use crate::policy::{Kind, Policy};
use crate::resources::physical_prefix;

/// Builds the content of a snapshot; its version is given when it is published.
///
/// Topics appear once Kafka has given them an id. Clusters appear once their pool has a seat. Keys and grants follow their cluster.
/// `jobs` are the keys that the agent made for jobs; nobody else gives a key of such an id.
#[must_use]
pub fn build(
    admitted: &DesiredState,
    pools: &BTreeMap<String, PoolAddress>,
    physical_id: impl Fn(&str) -> Option<PhysicalId>,
    policy: &Policy,
    jobs: &[ApiKey],
) -> Snapshot {
    let mut topics = own_topics(admitted, &physical_id);
    for (cluster, mount) in mounts(admitted, &topics) {
        topics.entry(cluster).or_default().push(mount);
    }
    // Names that stand for themselves: only where all that is there is the customer's own.
    let attached: BTreeSet<&str> = admitted
        .broker_pools
        .iter()
        .filter(|pool| pool.attached.is_some())
        .map(|pool| pool.id.as_str())
        .collect();
    let living = admitted
        .clusters
        .iter()
        // Clients of a cluster in native mode reach the brokers themselves: no gateway knows it.
        .filter(|cluster| cluster.access() != ClusterAccess::Native)
        .filter(|cluster| !cluster.deleted && pools.contains_key(&cluster.broker_pool_id));
    let clusters: Vec<LogicalCluster> = living
        .filter_map(|cluster| {
            Some(LogicalCluster {
                id: cluster.id.clone(),
                kafka_cluster_id: cluster.kafka_cluster_id.clone(),
                broker_pool_id: cluster.broker_pool_id.clone(),
                physical_prefix: physical_prefix(&cluster.id)?,
                own_names: cluster.adopts && attached.contains(cluster.broker_pool_id.as_str()),
                topics: topics.remove(cluster.id.as_str()).unwrap_or_default(),
            })
        })
        .collect();
    let served: BTreeSet<&str> = clusters.iter().map(|cluster| cluster.id.as_str()).collect();
    let (mut api_keys, job_keys) = keys(&admitted.api_keys, jobs, &served);
    api_keys.retain(|key| policy.opens(&admitted.cluster_links, key));
    Snapshot {
        version: 0,
        upstreams: pools
            .values()
            .map(|pool| upstream(pool, attached.contains(pool.pool_id.as_str())))
            .collect(),
        api_keys,
        job_keys,
        grants: those(&admitted.grants, |grant| {
            served.contains(grant.cluster_id.as_str())
        }),
        quotas: those(&admitted.quotas, |quota| {
            served.contains(quota.cluster_id.as_str())
        }),
        token_issuers: admitted.token_issuers.clone(),
        bans: bans(policy),
        schemas: admitted.schemas.clone(),
        clusters,
    }
}

/// Topics that Kafka has, by cluster.
fn own_topics(
    admitted: &DesiredState,
    physical_id: impl Fn(&str) -> Option<PhysicalId>,
) -> BTreeMap<&str, Vec<LogicalTopic>> {
    let mut topics: BTreeMap<&str, Vec<LogicalTopic>> = BTreeMap::new();
    let living = admitted
        .topics
        .iter()
        .filter(|it| !it.deleted && it.mount.is_none());
    for topic in living {
        if let Some(id) = physical_id(&topic.id) {
            topics.entry(&topic.cluster_id).or_default().push(LogicalTopic {
                id: topic.id.clone(),
                name: topic.name.clone(),
                physical_name: topic.physical_name.clone(),
                physical_id: id.to_vec(),
                partitions: topic.partitions,
                contract: topic.contract.clone(),
                mount: None,
                mount_key: Vec::new(),
                key_ring: None,
                mirror: !topic.mirror_link_id.is_empty(),
            });
        }
    }
    topics
}

/// What clusters are shown of other tenants' topics: each topic once in a cluster, since committed offsets are by the broker's name.
/// Nobody writes there, so of the contract only its dead letters count, which are withheld here, too.
fn mounts<'a>(
    admitted: &'a DesiredState,
    topics: &BTreeMap<&str, Vec<LogicalTopic>>,
) -> Vec<(&'a str, LogicalTopic)> {
    let clusters: BTreeMap<&str, &Cluster> =
        admitted.clusters.iter().map(|it| (it.id.as_str(), it)).collect();
    let shown: BTreeMap<&str, (&str, &LogicalTopic)> = topics
        .iter()
        .flat_map(|(cluster, all)| all.iter().map(|it| (it.id.as_str(), (*cluster, it))))
        .collect();
    let mut seen = BTreeSet::new();
    let living = admitted.topics.iter().filter(|it| !it.deleted);
    living
        .filter_map(|topic| {
            let mount = topic.mount.as_ref()?;
            let (home, original) = *shown.get(mount.topic_id.as_str())?;
            let (at, home) = (clusters.get(topic.cluster_id.as_str())?, clusters.get(home)?);
            let reachable = at.broker_pool_id == home.broker_pool_id && at.id != home.id;
            let first = reachable && seen.insert((at.id.as_str(), mount.topic_id.as_str()));
            first.then(|| {
                let logical = LogicalTopic {
                    id: topic.id.clone(),
                    name: topic.name.clone(),
                    mount: Some(mount.clone()),
                    ..original.clone()
                };
                (at.id.as_str(), logical)
            })
        })
        .collect()
}

/// All keys of clusters that are served, and the ids of those that are jobs'.
fn keys(others: &[ApiKey], jobs: &[ApiKey], served: &BTreeSet<&str>) -> (Vec<ApiKey>, Vec<String>) {
    let jobs: BTreeMap<&str, &ApiKey> = jobs
        .iter()
        .filter(|key| served.contains(key.cluster_id.as_str()))
        .map(|key| (key.id.as_str(), key))
        .collect();
    let mut keys = those(others, |key| {
        served.contains(key.cluster_id.as_str()) && !jobs.contains_key(key.id.as_str())
    });
    let job_keys = jobs.keys().map(|id| (*id).to_owned()).collect();
    keys.extend(jobs.into_values().cloned());
    (keys, job_keys)
}

fn those<T: Clone>(all: &[T], wanted: impl Fn(&T) -> bool) -> Vec<T> {
    all.iter().filter(|it| wanted(it)).cloned().collect()
}

/// What gateways refuse by themselves, since it never becomes a wish.
fn bans(policy: &Policy) -> Vec<Ban> {
    let acts = [
        (BannedAct::DeleteRecords, Kind::RecordsDelete),
        (BannedAct::DeleteGroup, Kind::GroupDelete),
    ];
    let bans = acts.into_iter().flat_map(|(act, kind)| {
        let names = policy.refused_names(kind).into_iter();
        names.map(move |pattern| Ban {
            act: act.into(),
            pattern,
        })
    });
    bans.collect()
}

#[cfg(test)]
#[path = "snapshot_links_tests.rs"]
mod links_tests;
#[cfg(test)]
mod tests {
    use super::*;
    use weir_proto::agent::v1::{Cluster, Grant, Mount, Quota, Topic};

    fn admitted() -> DesiredState {
        let cluster = |id: &str, pool: &str, deleted| Cluster {
            id: id.to_owned(),
            broker_pool_id: pool.to_owned(),
            deleted,
            ..Default::default()
        };
        let topic = |id: &str, cluster: &str, deleted| Topic {
            id: id.to_owned(),
            cluster_id: cluster.to_owned(),
            deleted,
            ..Default::default()
        };
        let key = |id: &str, cluster: &str| ApiKey {
            id: id.to_owned(),
            cluster_id: cluster.to_owned(),
            ..Default::default()
        };
        let grant = |cluster: &str| Grant {
            cluster_id: cluster.to_owned(),
            ..Default::default()
        };
        DesiredState {
            clusters: vec![
                cluster("cluster_1", "pool_1", false),
                cluster("cluster_2", "pool_1", true),
                cluster("cluster_3", "pool_away", false),
            ],
            topics: vec![
                topic("topic_1", "cluster_1", false),
                topic("topic_2", "cluster_1", true),
                topic("topic_3", "cluster_1", false),
                topic("topic_4", "cluster_2", false),
            ],
            api_keys: vec![
                key("key_1", "cluster_1"),
                key("key_2", "cluster_2"),
                key("key_9", ""),
            ],
            grants: vec![grant("cluster_1"), grant("cluster_2")],
            quotas: ["cluster_1", "cluster_2"]
                .map(|cluster| Quota {
                    cluster_id: cluster.to_owned(),
                    ..Default::default()
                })
                .into(),
            ..Default::default()
        }
    }

    #[test]
    fn only_what_lives_and_exists_is_served() {
        let pool = PoolAddress {
            pool_id: "pool_1".to_owned(),
            brokers: vec![(1, "127.0.0.1".to_owned(), 9671)],
            username: "user".to_owned(),
            password: "secret".to_owned(),
            ..PoolAddress::default()
        };
        let pools = BTreeMap::from([("pool_1".to_owned(), pool)]);
        let known = |id: &str| (id != "topic_3").then_some([5; 16]);
        let policy = Policy::parse("refuse = [\"group.delete\"]").unwrap();
        let snapshot = build(&admitted(), &pools, known, &policy, &[]);
        assert_eq!(
            snapshot.bans,
            [Ban {
                act: BannedAct::DeleteGroup.into(),
                pattern: "*".to_owned()
            }]
        );
        let clusters: Vec<_> = snapshot.clusters.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(
            clusters,
            ["cluster_1"],
            "a deleted one and one without a pool are not served"
        );
        assert_eq!(snapshot.clusters[0].physical_prefix, "w1-");
        let topics: Vec<_> = snapshot.clusters[0]
            .topics
            .iter()
            .map(|it| it.id.as_str())
            .collect();
        assert_eq!(
            topics,
            ["topic_1"],
            "deleted and not yet made ones are not served"
        );
        assert_eq!(snapshot.api_keys.len(), 1);
        assert_eq!(snapshot.grants.len(), 1);
        assert_eq!(snapshot.quotas.len(), 1);
        assert_eq!(snapshot.upstreams[0].brokers[0].port, 9671);
        assert_eq!(
            build(&admitted(), &pools, known, &policy, &[]),
            snapshot,
            "equal input, equal snapshot"
        );
    }

    #[test]
    fn a_shared_topic_is_shown_once_in_clusters_of_its_pool() {
        let mut admitted = admitted();
        let cluster = |id: &str, pool: &str| Cluster {
            id: id.to_owned(),
            broker_pool_id: pool.to_owned(),
            ..Default::default()
        };
        admitted
            .clusters
            .extend([cluster("cluster_4", "pool_1"), cluster("cluster_5", "pool_2")]);
        admitted.topics[0].physical_name = "w1-payments".to_owned();
        admitted.topics[0].partitions = 6;
        let mount = |id: &str, cluster: &str, topic: &str| Topic {
            id: id.to_owned(),
            cluster_id: cluster.to_owned(),
            name: format!("{id}-here"),
            mount: Some(Mount {
                topic_id: topic.to_owned(),
                expires_at_unix_seconds: 7,
                ..Default::default()
            }),
            ..Default::default()
        };
        admitted.topics.extend([
            mount("topic_a", "cluster_4", "topic_1"),
            mount("topic_b", "cluster_4", "topic_1"),
            mount("topic_c", "cluster_5", "topic_1"),
            mount("topic_d", "cluster_1", "topic_1"),
            mount("topic_e", "cluster_4", "topic_2"),
            mount("topic_f", "cluster_4", "topic_a"),
        ]);
        let pools = ["pool_1", "pool_2"].map(|it| (it.to_owned(), PoolAddress::default()));
        let known = |id: &str| (!id.contains("topic_a")).then_some([5; 16]);
        let snapshot = build(&admitted, &pools.into(), known, &Policy::default(), &[]);
        let shown: Vec<_> = snapshot
            .clusters
            .iter()
            .flat_map(|cluster| cluster.topics.iter().map(|it| (cluster.id.as_str(), it)))
            .filter(|(_cluster, it)| it.mount.is_some())
            .collect();
        assert_eq!(
            shown
                .iter()
                .map(|(cluster, it)| (*cluster, it.id.as_str()))
                .collect::<Vec<_>>(),
            [("cluster_4", "topic_a")],
            "not twice, not across pools, not at home, not what is gone, not what is itself shown"
        );
        let topic = shown[0].1;
        assert_eq!(
            (topic.name.as_str(), topic.physical_name.as_str()),
            ("topic_a-here", "w1-payments")
        );
        assert_eq!((topic.partitions, &topic.physical_id[..]), (6, &[5; 16][..]));
    }

    #[test]
    fn keys_of_jobs_are_the_agents_own_and_told_as_such() {
        let pools = BTreeMap::from([("pool_1".to_owned(), PoolAddress::default())]);
        let known = |_id: &str| Some([5; 16]);
        let policy = Policy::default();
        let job = |id: &str, cluster: &str| ApiKey {
            id: id.to_owned(),
            cluster_id: cluster.to_owned(),
            sha256: vec![1],
            ..Default::default()
        };
        let jobs = [
            job("job_1", "cluster_1"),
            job("job_2", "cluster_2"),
            job("key_1", "cluster_1"),
        ];
        let with_jobs = build(&admitted(), &pools, known, &policy, &jobs);
        assert_eq!(
            with_jobs.job_keys,
            ["job_1", "key_1"],
            "those of clusters that are served"
        );
        let keys: Vec<_> = with_jobs
            .api_keys
            .iter()
            .map(|it| (it.id.as_str(), it.sha256.len()))
            .collect();
        assert_eq!(
            keys,
            [("job_1", 1), ("key_1", 1)],
            "of two keys of one id the agent's own counts"
        );
    }
}
