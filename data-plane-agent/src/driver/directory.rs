//! Where what is served lives: for questions that come down the link. Built from the snapshot, so that it knows no more.

use std::collections::{BTreeMap, BTreeSet};

use weir_proto::agent::v1::{Cluster, Topic};
use weir_proto::lane::v1::Snapshot;

use crate::names::Naming;
use crate::platform::kafka::PoolAddress;
use crate::resources::physical_prefix;

/// Everything that is served now.
#[derive(Debug, Default)]
pub struct Directory {
    /// (pool, physical name) by topic id.
    pub topics: BTreeMap<String, (PoolAddress, String)>,
    /// Logical clusters by id.
    pub clusters: BTreeMap<String, Place>,
    /// Attached pools by id.
    pub attached: BTreeMap<String, PoolAddress>,
}

/// One logical cluster.
#[derive(Debug)]
pub struct Place {
    /// Its pool.
    pub pool: PoolAddress,
    /// How its groups are called at the broker.
    naming: Naming,
    /// (topic id, logical name) by physical name.
    pub topics: BTreeMap<String, (String, String)>,
    /// Physical names of those that are other tenants', shared.
    pub shared: BTreeSet<String>,
}

impl Directory {
    /// What this snapshot serves.
    #[must_use]
    pub fn of(snapshot: &Snapshot, pools: &BTreeMap<String, PoolAddress>) -> Self {
        let attached = snapshot.upstreams.iter().filter(|it| it.attached);
        let attached = attached.filter_map(|it| {
            let pool = pools.get(&it.broker_pool_id)?;
            Some((it.broker_pool_id.clone(), pool.clone()))
        });
        let mut directory = Self {
            attached: attached.collect(),
            ..Self::default()
        };
        for cluster in &snapshot.clusters {
            let Some(pool) = pools.get(&cluster.broker_pool_id) else {
                continue;
            };
            let mut topics = BTreeMap::new();
            for topic in &cluster.topics {
                let at = (pool.clone(), topic.physical_name.clone());
                directory.topics.insert(topic.id.clone(), at);
                let names = (topic.id.clone(), topic.name.clone());
                topics.insert(topic.physical_name.clone(), names);
            }
            let shared = cluster.topics.iter().filter(|it| it.mount.is_some());
            let place = Place {
                pool: pool.clone(),
                naming: Naming::new(cluster.physical_prefix.clone(), cluster.own_names),
                topics,
                shared: shared.map(|it| it.physical_name.clone()).collect(),
            };
            directory.clusters.insert(cluster.id.clone(), place);
        }
        directory
    }
}

impl Directory {
    /// With clusters that no gateway serves: their names are Kafka's own.
    #[must_use]
    pub fn with_native<'a>(
        mut self,
        clusters: impl Iterator<Item = &'a Cluster>,
        topics: &[Topic],
        pools: &BTreeMap<String, PoolAddress>,
    ) -> Self {
        for cluster in clusters.filter(|it| !it.deleted) {
            let pool = pools.get(&cluster.broker_pool_id);
            let Some((pool, prefix)) = pool.zip(physical_prefix(&cluster.id)) else {
                continue;
            };
            let mut place = Place {
                pool: pool.clone(),
                naming: Naming::new(prefix, true),
                topics: BTreeMap::new(),
                shared: BTreeSet::new(),
            };
            for topic in topics
                .iter()
                // Nothing is shown where no gateway stands before it.
                .filter(|it| !it.deleted && it.cluster_id == cluster.id && it.mount.is_none())
            {
                let at = (pool.clone(), topic.physical_name.clone());
                self.topics.insert(topic.id.clone(), at);
                let names = (topic.id.clone(), topic.name.clone());
                place.topics.insert(topic.physical_name.clone(), names);
            }
            self.clusters.insert(cluster.id.clone(), place);
        }
        self
    }
}

impl Place {
    /// A group as clients know it; `None` when it is another cluster's.
    #[must_use]
    pub fn group_in<'a>(&self, physical: &'a str) -> Option<&'a str> {
        self.naming.back(physical)
    }

    /// A group as the broker knows it.
    #[must_use]
    pub fn group_out(&self, logical: &str) -> String {
        self.naming.out(logical)
    }

    /// The physical name of a topic of this cluster.
    #[must_use]
    pub fn physical_name(&self, topic_id: &str) -> Option<&String> {
        let named = self.topics.iter().find(|(_name, (id, _logical))| id == topic_id);
        named.map(|(name, _ids)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_proto::lane::v1::LogicalCluster;

    #[test]
    fn a_cluster_sees_its_own_groups_only() {
        let pool = PoolAddress {
            pool_id: "pool_1".to_owned(),
            ..PoolAddress::default()
        };
        let cluster = |id: &str, prefix: &str| LogicalCluster {
            id: id.to_owned(),
            broker_pool_id: "pool_1".to_owned(),
            physical_prefix: prefix.to_owned(),
            ..Default::default()
        };
        let snapshot = Snapshot {
            clusters: vec![cluster("cluster_1", "w1-"), cluster("cluster_2", "w2-")],
            ..Default::default()
        };
        let pools = BTreeMap::from([("pool_1".to_owned(), pool)]);
        let directory = Directory::of(&snapshot, &pools);
        let one = &directory.clusters["cluster_1"];
        assert_eq!(one.group_in("w1-app"), Some("app"));
        assert_eq!(one.group_in("w2-app"), None);
        assert_eq!(one.group_in("app"), None);
        assert_eq!(one.group_out("app"), "w1-app");
    }
}
