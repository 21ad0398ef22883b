//! Where what is served lives: for questions that come down the link. Built from the snapshot, so that it knows no more.

use std::collections::BTreeMap;

use weir_proto::lane::v1::Snapshot;

use crate::platform::kafka::PoolAddress;

/// Everything that is served now.
#[derive(Debug, Default)]
pub struct Directory {
    /// (pool, physical name) by topic id.
    pub topics: BTreeMap<String, (PoolAddress, String)>,
    /// Logical clusters by id.
    pub clusters: BTreeMap<String, Place>,
}

/// One logical cluster.
#[derive(Debug)]
pub struct Place {
    /// Its pool.
    pub pool: PoolAddress,
    /// What stands before its groups' ids at the broker.
    prefix: String,
    /// (topic id, logical name) by physical name.
    pub topics: BTreeMap<String, (String, String)>,
}

impl Directory {
    /// What this snapshot serves.
    #[must_use]
    pub fn of(snapshot: &Snapshot, pools: &BTreeMap<String, PoolAddress>) -> Self {
        let mut directory = Self::default();
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
            let place = Place {
                pool: pool.clone(),
                prefix: cluster.physical_prefix.clone(),
                topics,
            };
            directory.clusters.insert(cluster.id.clone(), place);
        }
        directory
    }
}

impl Place {
    /// A group as clients know it; `None` when it is another cluster's.
    #[must_use]
    pub fn group_in<'a>(&self, physical: &'a str) -> Option<&'a str> {
        physical
            .strip_prefix(self.prefix.as_str())
            .filter(|_logical| !self.prefix.is_empty())
    }

    /// A group as the broker knows it.
    #[must_use]
    pub fn group_out(&self, logical: &str) -> String {
        format!("{}{logical}", self.prefix)
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
            brokers: Vec::new(),
            username: String::new(),
            password: String::new(),
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
