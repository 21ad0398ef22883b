//! What topics promise, as gateways are told of it: which schemas each may carry, and those schemas with all that they refer to.
//! Read in three steps, so that no text is read which is not sent: what stands in the subjects, what that refers to, the texts.

mod choice;
mod store;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;
use weir_proto::agent::v1::{self as wire, PartContract, Schema, SchemaFormat, SchemaReference};

use super::build::{ClusterRow, TopicRow};
use crate::kernel::{DataPlaneId, Result, kind};
use crate::resources::topic::{Enforcement, SubjectStrategy, TopicContract, Unframed};
use crate::runtime::Tx;

/// The subjects of one environment that a part of a topic's records takes its schemas from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::link) struct Source {
    pub(in crate::link) tenant: Uuid,
    pub(in crate::link) environment: Uuid,
    pub(in crate::link) subjects: Subjects,
}

/// Which subjects.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::link) enum Subjects {
    /// The one of this name.
    Named(String),
    /// Those that are called as a record of their schema.
    Records,
    /// Those that are called as this topic and a record of their schema.
    RecordsOf(String),
}

/// A schema that records may be of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::link) struct Member {
    pub(in crate::link) schema: Uuid,
    pub(in crate::link) json: bool,
}

/// A schema as it is stored.
#[derive(Debug)]
pub(in crate::link) struct SchemaRow {
    pub(in crate::link) id: Uuid,
    pub(in crate::link) schema_id: i32,
    pub(in crate::link) guid: Uuid,
    pub(in crate::link) format: String,
    pub(in crate::link) text: String,
    pub(in crate::link) metadata: Option<Value>,
    pub(in crate::link) rule_set: Option<Value>,
    /// How the text calls others, and which they are.
    pub(in crate::link) references: Vec<(String, Uuid)>,
}

/// What all contracts of a data plane's topics take.
#[derive(Debug, Default)]
pub(in crate::link) struct Contracts {
    /// The schemas of each source, newest first.
    pub(in crate::link) members: BTreeMap<Source, Vec<Member>>,
    /// Those, and what they refer to.
    pub(in crate::link) schemas: Vec<SchemaRow>,
}

/// Reads what the contracts of these topics take.
pub(super) async fn read(
    tx: &mut Tx,
    data_plane: DataPlaneId,
    clusters: &[ClusterRow],
    topics: &[TopicRow],
) -> Result<Contracts> {
    let wanted = wanted(clusters, topics);
    if wanted.is_empty() {
        return Ok(Contracts::default());
    }
    let standing = store::standing(tx, wanted.keys()).await?;
    let references = store::references(tx, &standing).await?;
    let choice = choice::choose(&wanted, standing, &references);
    if choice.left_out > 0 {
        tracing::warn!(%data_plane, left_out = choice.left_out,
            "more schemas stand in the subjects of contracts than a desired state has room for; the oldest are left out");
    }
    let mut schemas = store::schemas(tx, &choice.schemas).await?;
    for schema in &mut schemas {
        schema.references = references.of(schema.id);
    }
    Ok(Contracts {
        members: choice.members,
        schemas,
    })
}

/// What the contracts of living topics take their schemas from, and how many parts of topics each.
fn wanted(clusters: &[ClusterRow], topics: &[TopicRow]) -> BTreeMap<Source, usize> {
    let clusters: BTreeMap<Uuid, &ClusterRow> = clusters.iter().map(|it| (it.id, it)).collect();
    let mut wanted = BTreeMap::new();
    for topic in topics.iter().filter(|it| !it.deleted) {
        let Some((contract, cluster)) = topic.contract.as_ref().zip(clusters.get(&topic.cluster_id)) else {
            continue;
        };
        for part in [Part::Key, Part::Value] {
            if let Some((source, _unframed)) = source(contract, part, cluster, &topic.name) {
                *wanted.entry(source).or_insert(0) += 1;
            }
        }
    }
    wanted
}

#[derive(Clone, Copy)]
enum Part {
    Key,
    Value,
}

/// What a part takes its schemas from; nothing where nothing is judged.
fn source(
    contract: &TopicContract,
    part: Part,
    cluster: &ClusterRow,
    topic: &str,
) -> Option<(Source, Unframed)> {
    if !contract.judges() {
        return None;
    }
    let (promised, suffix) = match part {
        Part::Key => (contract.key?, "key"),
        Part::Value => (contract.value?, "value"),
    };
    let subjects = match promised.strategy {
        SubjectStrategy::TopicName => Subjects::Named(format!("{topic}-{suffix}")),
        SubjectStrategy::RecordName => Subjects::Records,
        SubjectStrategy::TopicRecordName => Subjects::RecordsOf(topic.to_owned()),
    };
    let source = Source {
        tenant: cluster.tenant_id,
        environment: cluster.environment_id,
        subjects,
    };
    Some((source, promised.unframed))
}

impl Contracts {
    /// What each living topic promises.
    pub(super) fn promises(
        &self,
        clusters: &[ClusterRow],
        topics: &[TopicRow],
    ) -> BTreeMap<Uuid, wire::TopicContract> {
        let clusters: BTreeMap<Uuid, &ClusterRow> = clusters.iter().map(|it| (it.id, it)).collect();
        let living = topics.iter().filter(|it| !it.deleted);
        living
            .filter_map(|topic| {
                let cluster = clusters.get(&topic.cluster_id)?;
                Some((
                    topic.id,
                    self.promise(topic.contract.as_ref()?, cluster, &topic.name),
                ))
            })
            .collect()
    }

    fn promise(&self, contract: &TopicContract, cluster: &ClusterRow, topic: &str) -> wire::TopicContract {
        let part = |part| {
            let (source, unframed) = source(contract, part, cluster, topic)?;
            Some(self.part(&source, unframed))
        };
        let dead_letters = contract.dead_letter_topic.map(|it| it.to_string());
        wire::TopicContract {
            enforcement: enforcement(contract.enforcement).into(),
            key: part(Part::Key),
            value: part(Part::Value),
            dead_letter_topic_id: dead_letters.unwrap_or_default(),
        }
    }

    fn part(&self, source: &Source, unframed: Unframed) -> PartContract {
        let members = self.members.get(source).map_or(&[][..], Vec::as_slice);
        // One schema may be several versions.
        let ids: BTreeSet<String> = members.iter().map(|it| schema_id(it.schema)).collect();
        let newest = members.first().filter(|it| it.json && unframed == Unframed::Json);
        let subject = match &source.subjects {
            Subjects::Named(subject) => subject.clone(),
            Subjects::Records | Subjects::RecordsOf(_) => String::new(),
        };
        PartContract {
            schema_ids: ids.into_iter().collect(),
            unframed_schema_id: newest.map(|it| schema_id(it.schema)).unwrap_or_default(),
            subject,
        }
    }
}

/// The schemas as they are sent.
pub(super) fn schemas(contracts: Contracts) -> Vec<Schema> {
    let rows = contracts.schemas.into_iter();
    rows.map(|row| {
        let SchemaRow {
            id,
            schema_id: number,
            guid,
            format,
            text,
            metadata,
            rule_set,
            references,
        } = row;
        let references = references.into_iter().map(|(name, id)| SchemaReference {
            name,
            id: schema_id(id),
        });
        Schema {
            id: schema_id(id),
            schema_id: super::build::count(number),
            guid: guid.as_bytes().to_vec(),
            format: self::format(&format).into(),
            text,
            references: references.collect(),
            metadata: metadata.map(|it| it.to_string()).unwrap_or_default(),
            rule_set: rule_set.map(|it| it.to_string()).unwrap_or_default(),
        }
    })
    .collect()
}

fn schema_id(id: Uuid) -> String {
    super::build::type_id::<kind::ContractSchema>(id)
}

fn format(name: &str) -> SchemaFormat {
    match name {
        "AVRO" => SchemaFormat::Avro,
        "JSON" => SchemaFormat::Json,
        "PROTOBUF" => SchemaFormat::Protobuf,
        _ => SchemaFormat::Unspecified,
    }
}

const fn enforcement(of: Enforcement) -> wire::Enforcement {
    match of {
        Enforcement::Off => wire::Enforcement::Off,
        Enforcement::Shadow => wire::Enforcement::Shadow,
        Enforcement::Mark => wire::Enforcement::Mark,
        Enforcement::Dlq => wire::Enforcement::Dlq,
        Enforcement::Reject => wire::Enforcement::Reject,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
