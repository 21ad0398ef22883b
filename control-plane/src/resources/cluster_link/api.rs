//! What the API promises of a cluster link.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::{DataPlaneId, kind};
use crate::resources::cluster_link::model::{ClusterLink, ClusterLinkSpec};
use crate::resources::cluster_link::standing::{self, Told};
use crate::resources::cluster_link::store::{Copied, Said};
use crate::resources::served::Standing;
use crate::resources::topic::TopicId;
use crate::resources::topic::mirror::Mirrored;
use crate::rest::{Metadata, Object, Phase, Resource};

/// What is so.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ClusterLinkStatus {
    /// RUNNING when both ends do and no topic stands still; PENDING, DEGRADED, FAILED, or STOPPED as wished.
    pub phase: Phase,
    /// A code that says why it does not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// The same as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub message: Option<String>,
    /// The end that is read.
    pub source: ClusterLinkEnd,
    /// The end that reads and writes.
    pub target: ClusterLinkEnd,
    /// The copies, in the order of the spec.
    pub topics: Vec<LinkedTopicStatus>,
    /// What is left to copy of all topics; null while nobody knows of one.
    pub lag_records: Option<i64>,
}

/// One end of a link.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ClusterLinkEnd {
    /// Where it is.
    #[schema(value_type = String)]
    pub data_plane: DataPlaneId,
    /// Where it stands, as its own agent says.
    pub phase: Phase,
    /// A code that says why it does not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// The same as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub message: Option<String>,
    /// When its agent last said so.
    pub reported_at: Option<DateTime<Utc>>,
    /// The lines that this end's own policy needs, in its own network: they name the key of the other end. Null until that end's agent has told
    /// it. Compare the key with what the other end's people see where it runs.
    pub expects: Option<String>,
}

/// How a copy goes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LinkedTopicStatus {
    /// A topic of the source.
    #[schema(value_type = String)]
    pub topic: TopicId,
    /// What that is called.
    pub source_name: String,
    /// The copy: a topic of the target.
    #[schema(value_type = String)]
    pub mirror: TopicId,
    /// What the copy is called.
    pub name: String,
    /// Where it stands.
    pub phase: Phase,
    /// A code that says why it does not go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// The same as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub message: Option<String>,
    /// Offsets between what was copied and the end of the source, of all partitions; null while nobody knows.
    pub lag_records: Option<i64>,
    /// Records copied since the target's agent began.
    pub records: i64,
    /// The same in bytes, as they were written.
    pub bytes: i64,
    /// When nothing was left to copy; null: never yet.
    pub caught_up_at: Option<DateTime<Utc>>,
    /// Partitions of the source; null while nobody knows.
    pub partitions: Option<i32>,
    /// When this was said.
    pub reported_at: Option<DateTime<Utc>>,
}

impl Resource for kind::ClusterLink {
    type Spec = ClusterLinkSpec;
    type Status = ClusterLinkStatus;
}

/// A row and what agents said as an object.
pub fn view(row: ClusterLink, said: &Said) -> Object<kind::ClusterLink> {
    let resource_name = row.resource_name();
    let status = status(&row, said);
    let ClusterLink {
        id,
        spec,
        mirrors: _,
        source_data_plane: _,
        target_data_plane: _,
        source_desired_n: _,
        target_desired_n: _,
        labels,
        generation,
        created_at,
        updated_at,
    } = row;
    let metadata = Metadata {
        resource_name,
        created_at,
        updated_at,
        generation,
        labels,
    };
    Object::new(id, metadata, spec, status)
}

fn status(row: &ClusterLink, said: &Said) -> ClusterLinkStatus {
    let id = row.id.uuid();
    let (source, target) = (said.sources.get(&id), said.targets.get(&id));
    let standings = (
        standing::end(row.source_desired_n, source),
        standing::end(row.target_desired_n, target),
    );
    let copies: Vec<(Standing, &Mirrored, Option<&Copied>)> = row
        .mirrors
        .iter()
        .map(|mirror| {
            let copied = said.topics.get(&mirror.topic.uuid());
            let (phase, reason) = copied.map_or(("PENDING", ""), |it| (&it.phase, &it.reason));
            (standing::topic(phase, reason), mirror, copied)
        })
        .collect();
    let each: Vec<Standing> = copies.iter().map(|(standing, ..)| standing.clone()).collect();
    let whole = standing::whole(&standings.0, &standings.1, &each);
    let lags = copies
        .iter()
        .map(|(_, _, copied)| copied.and_then(|it| it.lag_records));
    let lag_records = lags.sum::<Option<i64>>().filter(|_| !copies.is_empty());
    let key = |data_plane: DataPlaneId| said.keys.get(&data_plane.uuid());
    let reads_with = key(row.target_data_plane).and_then(|it| it.reads_with.as_deref());
    let serves_with = key(row.source_data_plane).and_then(|it| it.serves_with.as_deref());
    ClusterLinkStatus {
        phase: whole.phase,
        reason: whole.reason,
        message: whole.message,
        source: end(
            row.source_data_plane,
            standings.0,
            source,
            reads_with.map(|it| policy(row.target_data_plane, "reads_with", it)),
        ),
        target: end(
            row.target_data_plane,
            standings.1,
            target,
            serves_with.map(|it| policy(row.source_data_plane, "serves_with", it)),
        ),
        topics: copies.into_iter().map(copy).collect(),
        lag_records,
    }
}

fn end(
    data_plane: DataPlaneId,
    standing: Standing,
    told: Option<&Told>,
    expects: Option<String>,
) -> ClusterLinkEnd {
    let Standing {
        phase,
        reason,
        message,
    } = standing;
    ClusterLinkEnd {
        data_plane,
        phase,
        reason,
        message,
        reported_at: told.map(|it| it.reported_at),
        expects,
    }
}

/// What an end's policy says of the other end.
fn policy(peer: DataPlaneId, word: &str, sha256: &[u8]) -> String {
    let hexadecimal: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("[[cluster_links]]\ndata_plane = \"{peer}\"\n{word} = \"sha256:{hexadecimal}\"\n")
}

fn copy((standing, mirror, copied): (Standing, &Mirrored, Option<&Copied>)) -> LinkedTopicStatus {
    let Standing {
        phase,
        reason,
        message,
    } = standing;
    let Mirrored {
        topic,
        name,
        source,
        source_name,
    } = mirror.clone();
    LinkedTopicStatus {
        topic: source,
        source_name,
        mirror: topic,
        name,
        phase,
        reason,
        message,
        lag_records: copied.and_then(|it| it.lag_records),
        records: copied.map_or(0, |it| it.records),
        bytes: copied.map_or(0, |it| it.bytes),
        caught_up_at: copied.and_then(|it| it.caught_up_at),
        partitions: copied.and_then(|it| it.partitions),
        reported_at: copied.map(|it| it.reported_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policys_lines_are_those_that_agents_read() {
        let peer = DataPlaneId::from_uuid(uuid::Uuid::from_u128(1));
        assert_eq!(
            policy(peer, "reads_with", &[0xab; 2]),
            "[[cluster_links]]\ndata_plane = \"data_plane_00000000000000000000000001\"\nreads_with = \"sha256:abab\"\n"
        );
    }
}
