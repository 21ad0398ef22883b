//! Cluster links as the agents at their ends are told of them, and the key by which one end is opened to the other.

mod store;

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use weir_proto::agent::v1::{
    ApiKey, ClusterLink, ClusterLinkSource, ClusterLinkState, ClusterLinkTarget, LinkStart, LinkedTopic,
};

pub(super) use self::store::rows;
use super::build::type_id;
use super::topic::TopicRow;
use crate::kernel::{DataPlaneId, Id, TenantId, kind};
use crate::resources::cluster_link::{ClusterLinkStart, ClusterLinkState as Wished};

/// A link that has an end at the data plane.
#[derive(Debug)]
pub(in crate::link) struct ClusterLinkRow {
    pub(in crate::link) id: Uuid,
    pub(in crate::link) tenant_id: Uuid,
    pub(in crate::link) name: String,
    pub(in crate::link) source_cluster_id: Uuid,
    pub(in crate::link) source_data_plane_id: Uuid,
    pub(in crate::link) target_cluster_id: Uuid,
    pub(in crate::link) target_data_plane_id: Uuid,
    pub(in crate::link) service_account_id: Uuid,
    pub(in crate::link) start: ClusterLinkStart,
    pub(in crate::link) desired_state: Wished,
    /// By which key the target's agent reads.
    pub(in crate::link) reads_with: Option<Vec<u8>>,
    /// Where the source's gateways are.
    pub(in crate::link) bootstrap: Option<(String, i32)>,
}

impl ClusterLinkRow {
    /// Is its source here?
    pub(super) fn is_read_at(&self, here: DataPlaneId) -> bool {
        self.source_data_plane_id == here.uuid()
    }
}

/// A topic that a link writes, as its row says.
#[derive(Debug)]
pub(in crate::link) struct MirrorRow {
    pub(in crate::link) link_id: Uuid,
    pub(in crate::link) source_name: String,
}

/// Every link with what it copies, which the rows of its copies say.
pub(super) fn told(here: DataPlaneId, links: Vec<ClusterLinkRow>, topics: &[TopicRow]) -> Vec<ClusterLink> {
    let mut copied: BTreeMap<Uuid, Vec<(Uuid, String)>> = BTreeMap::new();
    for topic in topics {
        if let Some(MirrorRow { link_id, source_name }) = &topic.mirror {
            let of_link = copied.entry(*link_id).or_default();
            of_link.push((topic.id, source_name.clone()));
        }
    }
    let links = links.into_iter().map(|row| {
        let copied = copied.remove(&row.id).unwrap_or_default();
        cluster_link(here, row, copied)
    });
    links.collect()
}

fn cluster_link(here: DataPlaneId, row: ClusterLinkRow, copied: Vec<(Uuid, String)>) -> ClusterLink {
    let ClusterLinkRow {
        id,
        tenant_id,
        name,
        source_cluster_id,
        source_data_plane_id,
        target_cluster_id,
        target_data_plane_id,
        service_account_id: _,
        start,
        desired_state,
        reads_with,
        bootstrap,
    } = row;
    let source = (source_data_plane_id == here.uuid()).then(|| ClusterLinkSource {
        cluster_id: type_id::<kind::Cluster>(source_cluster_id),
        peer_data_plane_id: type_id::<kind::DataPlane>(target_data_plane_id),
        peer_key_sha256: hexadecimal(reads_with.as_deref().unwrap_or_default()),
    });
    let (host, port) = bootstrap.unwrap_or_default();
    let target = (target_data_plane_id == here.uuid()).then(|| ClusterLinkTarget {
        cluster_id: type_id::<kind::Cluster>(target_cluster_id),
        source_cluster_id: type_id::<kind::Cluster>(source_cluster_id),
        peer_data_plane_id: type_id::<kind::DataPlane>(source_data_plane_id),
        bootstrap_host: host,
        bootstrap_port: u32::try_from(port).unwrap_or(0),
        state: match desired_state {
            Wished::Running => ClusterLinkState::Running,
            Wished::Paused => ClusterLinkState::Paused,
        }
        .into(),
        topics: topics(start, copied),
    });
    ClusterLink {
        id: type_id::<kind::ClusterLink>(id),
        tenant_id: TenantId::from_uuid(tenant_id).to_string(),
        name,
        source,
        target,
    }
}

fn topics(start: ClusterLinkStart, copied: Vec<(Uuid, String)>) -> Vec<LinkedTopic> {
    let start = match start {
        ClusterLinkStart::Earliest => LinkStart::Earliest,
        ClusterLinkStart::Latest => LinkStart::Latest,
    };
    let mut topics: Vec<LinkedTopic> = copied
        .into_iter()
        .map(|(topic, source_name)| LinkedTopic {
            topic_id: type_id::<kind::Topic>(topic),
            source_name,
            start: start.into(),
        })
        .collect();
    topics.sort_by(|a, b| a.topic_id.cmp(&b.topic_id));
    topics
}

/// The keys that open sources here to the agents that read them. An agent has one public key, and with two of the same on a cluster it would be
/// nobody's: links of one target that read one cluster, as the same account, have one between them.
pub(super) fn keys(here: DataPlaneId, links: &[ClusterLinkRow]) -> Vec<ApiKey> {
    let mut links: Vec<&ClusterLinkRow> = links.iter().filter(|it| it.is_read_at(here)).collect();
    links.sort_by_key(|it| it.id);
    let mut opened = BTreeSet::new();
    links
        .into_iter()
        .filter_map(|link| {
            let public_key = link.reads_with.clone()?;
            opened
                .insert((link.source_cluster_id, public_key.clone()))
                .then(|| ApiKey {
                    // The link's own number under a key's name: it is the same for ever.
                    id: Id::<kind::ApiKey>::from_uuid(link.id).to_string(),
                    principal_id: type_id::<kind::ServiceAccount>(link.service_account_id),
                    cluster_id: type_id::<kind::Cluster>(link.source_cluster_id),
                    public_key_sha256: public_key,
                    cluster_link_id: type_id::<kind::ClusterLink>(link.id),
                    ..ApiKey::default()
                })
        })
        .collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane(bits: u128) -> DataPlaneId {
        DataPlaneId::from_uuid(Uuid::from_u128(bits))
    }

    fn row(id: u128, source_cluster: u128) -> ClusterLinkRow {
        ClusterLinkRow {
            id: Uuid::from_u128(id),
            tenant_id: Uuid::from_u128(2),
            name: "home".into(),
            source_cluster_id: Uuid::from_u128(source_cluster),
            source_data_plane_id: Uuid::from_u128(10),
            target_cluster_id: Uuid::from_u128(4),
            target_data_plane_id: Uuid::from_u128(20),
            service_account_id: Uuid::from_u128(5),
            start: ClusterLinkStart::Latest,
            desired_state: Wished::Paused,
            reads_with: Some(vec![0xab; 32]),
            bootstrap: Some(("gw.example".into(), 9092)),
        }
    }

    #[test]
    fn each_end_is_told_its_own_part() {
        let copied = vec![(Uuid::from_u128(9), "b".into()), (Uuid::from_u128(8), "a".into())];
        let at_source = cluster_link(plane(10), row(1, 3), Vec::new());
        let source = at_source.source.expect("a source");
        assert_eq!(source.peer_key_sha256, "ab".repeat(32));
        assert_eq!(source.peer_data_plane_id, plane(20).to_string());
        assert!(at_source.target.is_none());
        let at_target = cluster_link(plane(20), row(1, 3), copied);
        let target = at_target.target.expect("a target");
        assert!(at_target.source.is_none());
        assert_eq!(
            (target.bootstrap_host.as_str(), target.bootstrap_port),
            ("gw.example", 9092)
        );
        assert_eq!(target.state(), ClusterLinkState::Paused);
        let told: Vec<_> = target
            .topics
            .iter()
            .map(|it| (it.source_name.as_str(), it.start()))
            .collect();
        assert_eq!(
            told,
            [("a", LinkStart::Latest), ("b", LinkStart::Latest)],
            "by id"
        );
        // Both ends in one place; and what nobody said yet is empty.
        let mut both = row(1, 3);
        (both.target_data_plane_id, both.reads_with, both.bootstrap) = (Uuid::from_u128(10), None, None);
        assert!(keys(plane(10), std::slice::from_ref(&both)).is_empty());
        let told = cluster_link(plane(10), both, Vec::new());
        assert_eq!(told.source.expect("a source").peer_key_sha256, "");
        assert_eq!(told.target.expect("a target").bootstrap_port, 0);
    }

    #[test]
    fn an_agent_has_one_key_on_a_cluster() {
        let links = [row(7, 3), row(1, 3), row(8, 4)];
        let found: Vec<_> = keys(plane(10), &links)
            .into_iter()
            .map(|it| (it.id, it.cluster_link_id, it.public_key_sha256.len()))
            .collect();
        let id = |bits| Id::<kind::ApiKey>::from_uuid(Uuid::from_u128(bits)).to_string();
        let link = |bits| type_id::<kind::ClusterLink>(Uuid::from_u128(bits));
        assert_eq!(found, [(id(1), link(1), 32), (id(8), link(8), 32)]);
        assert!(keys(plane(20), &links).is_empty(), "the source's own");
    }
}
