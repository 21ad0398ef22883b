//! A topic's row as its agent is told of it.

use std::collections::BTreeMap;

use uuid::Uuid;
use weir_proto::agent::v1::{self as wire, Config, Topic};

use super::build::{count, physical_name, type_id};
use super::cluster_link::MirrorRow;
use super::mount::{MountRow, mount};
use crate::kernel::{Id, kind};
use crate::resources::topic::TopicContract;

#[derive(Debug)]
pub(in crate::link) struct TopicRow {
    pub(in crate::link) id: Uuid,
    pub(in crate::link) cluster_id: Uuid,
    pub(in crate::link) name: String,
    pub(in crate::link) partitions: i32,
    pub(in crate::link) retention_ms: i64,
    pub(in crate::link) retention_bytes: i64,
    pub(in crate::link) cleanup_policy: String,
    pub(in crate::link) max_message_bytes: i32,
    pub(in crate::link) configs: BTreeMap<String, String>,
    pub(in crate::link) adopted: bool,
    pub(in crate::link) changed_settings: Vec<String>,
    pub(in crate::link) contract: Option<TopicContract>,
    pub(in crate::link) mount: Option<MountRow>,
    pub(in crate::link) mirror: Option<MirrorRow>,
    pub(in crate::link) deleted: bool,
}

/// `contract` is what it promises of its records.
pub(super) fn topic(
    row: TopicRow,
    replication_factor: u32,
    native: bool,
    contract: Option<wire::TopicContract>,
) -> Topic {
    let TopicRow {
        id,
        cluster_id,
        name,
        partitions,
        retention_ms,
        retention_bytes,
        cleanup_policy,
        max_message_bytes,
        mut configs,
        adopted,
        changed_settings,
        contract: _,
        mount: shown,
        mirror,
        deleted,
    } = row;
    if let Some(shown) = shown {
        return showing(id, cluster_id, name, deleted, shown);
    }
    let cleanup_policy = match cleanup_policy.as_str() {
        "COMPACT" => "compact",
        "COMPACT_DELETE" => "compact,delete",
        _delete => "delete",
    };
    // The fields of the spec win over the free settings: the latter may not name them.
    configs.extend([
        ("cleanup.policy".to_owned(), cleanup_policy.to_owned()),
        ("max.message.bytes".to_owned(), max_message_bytes.to_string()),
        ("retention.bytes".to_owned(), retention_bytes.to_string()),
        ("retention.ms".to_owned(), retention_ms.to_string()),
    ]);
    if adopted {
        // What nobody changed here stays as Kafka has it.
        configs.retain(|name, _value| changed_settings.contains(name));
    }
    let cluster = Id::<kind::Cluster>::from_uuid(cluster_id);
    Topic {
        id: type_id::<kind::Topic>(id),
        cluster_id: cluster.to_string(),
        physical_name: if adopted || native {
            name.clone()
        } else {
            physical_name(cluster, &name)
        },
        name,
        partitions: count(partitions),
        replication_factor,
        configs: configs
            .into_iter()
            .map(|(name, value)| Config { name, value })
            .collect(),
        deleted,
        adopted,
        contract,
        mount: None,
        mirror_link_id: mirror.map_or_else(String::new, |it| type_id::<kind::ClusterLink>(it.link_id)),
    }
}

/// A topic that shows another. It has no name at the brokers, no settings and no partitions of its own: whoever does not know mounts cannot make
/// it.
fn showing(id: Uuid, cluster_id: Uuid, name: String, deleted: bool, shown: MountRow) -> Topic {
    Topic {
        id: type_id::<kind::Topic>(id),
        cluster_id: type_id::<kind::Cluster>(cluster_id),
        name,
        deleted,
        mount: Some(mount(shown)),
        ..Topic::default()
    }
}
