//! Consumer groups whose lag alert rules ask for, as agents are told of them. Pure.

use uuid::Uuid;
use weir_proto::agent::v1::LagWatch;

use crate::kernel::{ClusterId, Id, kind};

#[derive(Debug)]
pub(in crate::link) struct LagWatchRow {
    pub(in crate::link) id: Uuid,
    pub(in crate::link) cluster_id: Uuid,
    pub(in crate::link) group_id: String,
    pub(in crate::link) topic_name: Option<String>,
}

/// A row as it is sent.
pub(super) fn lag_watch(row: LagWatchRow) -> LagWatch {
    let LagWatchRow {
        id,
        cluster_id,
        group_id,
        topic_name,
    } = row;
    LagWatch {
        rule_id: Id::<kind::AlertRule>::from_uuid(id).to_string(),
        cluster_id: ClusterId::from_uuid(cluster_id).to_string(),
        group_id,
        topic_name: topic_name.unwrap_or_default(),
    }
}
