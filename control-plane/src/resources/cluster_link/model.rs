//! What a cluster link is, and what a change makes of its topics.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::{
    ClusterId, DataPlaneId, Error, FieldError, Id, Labels, Result, ServiceAccountId, check_name, code, kind,
};
use crate::resources::topic::{self, TopicId, mirror::Mirrored};

/// Id of a cluster link.
pub type ClusterLinkId = Id<kind::ClusterLink>;

/// Topics of one link.
const TOPICS_MAX: usize = 100;

/// What is wished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClusterLinkSpec {
    /// Unique in the tenant.
    #[schema(pattern = "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
    pub name: String,
    /// The cluster that is read; never changes.
    pub source_cluster: ClusterId,
    /// The cluster that is written; never changes.
    pub target_cluster: ClusterId,
    /// As whom the source is read, with its rights and no more; never changes.
    pub service_account: ServiceAccountId,
    /// What is copied. What is taken out stays in the target as an ordinary topic.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub topics: Vec<LinkedTopic>,
    /// Where a copy begins; never changes.
    #[serde(default)]
    pub start: ClusterLinkStart,
    /// Whether it copies.
    #[serde(default)]
    pub desired_state: ClusterLinkState,
}

/// A topic that is copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkedTopic {
    /// A topic of the source; one that shows another tenant's, too.
    pub topic: TopicId,
    /// What the copy is called; left out, as its source. Never changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[a-zA-Z0-9._-]{1,200}$")]
    pub name: Option<String>,
}

/// Where a copy begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ClusterLinkStart {
    /// With the oldest record that is left.
    #[default]
    Earliest,
    /// With the first record after its start.
    Latest,
}

impl ClusterLinkStart {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Earliest => "EARLIEST",
            Self::Latest => "LATEST",
        }
    }

    /// Reads a stored name; the column's check knows no other.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        match name {
            "LATEST" => Self::Latest,
            _ => Self::Earliest,
        }
    }
}

/// What is wished of a link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ClusterLinkState {
    /// It copies.
    #[default]
    Running,
    /// It does not, and keeps its place.
    Paused,
}

impl ClusterLinkState {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
        }
    }

    /// Reads a stored name; the column's check knows no other.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        match name {
            "PAUSED" => Self::Paused,
            _ => Self::Running,
        }
    }
}

/// A row.
#[derive(Debug, Clone)]
pub struct ClusterLink {
    /// Id.
    pub id: ClusterLinkId,
    /// What is wished; every topic with the name of its copy.
    pub spec: ClusterLinkSpec,
    /// The copies, in the order of the spec's topics.
    pub mirrors: Vec<Mirrored>,
    /// The data plane of the source.
    pub source_data_plane: DataPlaneId,
    /// The data plane of the target.
    pub target_data_plane: DataPlaneId,
    /// The generation of the source's data plane that carries the row as it is.
    pub source_desired_n: i64,
    /// The generation of the target's.
    pub target_desired_n: i64,
    /// Free labels.
    pub labels: Labels,
    /// Rises with each change.
    pub generation: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When spec or labels last changed.
    pub updated_at: DateTime<Utc>,
}

impl ClusterLink {
    /// Name within the tenant.
    #[must_use]
    pub fn resource_name(&self) -> String {
        format!("cluster_link={}", self.spec.name)
    }
}

/// Collects what is wrong with a spec.
pub fn validate(spec: &ClusterLinkSpec, errors: &mut Vec<FieldError>) {
    let ClusterLinkSpec {
        name,
        source_cluster,
        target_cluster,
        service_account: _,
        topics,
        start: _,
        desired_state: _,
    } = spec;
    check_name("/spec/name", name, errors);
    let mut refuse = |pointer: String, code: &str, detail: String| {
        errors.push(FieldError {
            pointer,
            code: code.into(),
            detail,
        });
    };
    if source_cluster == target_cluster {
        let detail = "A link is between two clusters.".to_owned();
        refuse("/spec/target_cluster".into(), code::BAD_REFERENCE, detail);
    }
    if topics.len() > TOPICS_MAX {
        let detail = format!("A link copies {TOPICS_MAX} topics at most.");
        refuse("/spec/topics".into(), code::OUT_OF_RANGE, detail);
    }
    let (mut seen, mut named) = (BTreeSet::new(), BTreeSet::new());
    for (at, LinkedTopic { topic, name }) in topics.iter().enumerate() {
        if !seen.insert(*topic) {
            let detail = "The topic is in the list already: a link copies it once.".to_owned();
            refuse(format!("/spec/topics/{at}/topic"), code::BAD_REFERENCE, detail);
        }
        let Some(name) = name else { continue };
        let pointer = format!("/spec/topics/{at}/name");
        if !topic::is_name(name) {
            refuse(pointer, code::BAD_NAME, topic::NAME_RULE.into());
        } else if !named.insert(name.as_str()) {
            let detail = "Another topic of the list has this name.".to_owned();
            refuse(pointer, code::NAME_TAKEN, detail);
        }
    }
}

/// What a change does with the topics of a link.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TopicChanges {
    /// New ones, with their place in the wished list.
    pub added: Vec<(usize, LinkedTopic)>,
    /// Copies that become ordinary topics.
    pub removed: Vec<TopicId>,
}

/// Compares what is copied with what is wished. What stays keeps its name, said or not.
///
/// # Errors
/// 422 at a name that would change.
pub fn topic_changes(held: &[Mirrored], wished: &[LinkedTopic]) -> Result<TopicChanges> {
    let mut changes = TopicChanges::default();
    let mut errors = Vec::new();
    for (at, topic) in wished.iter().enumerate() {
        let Some(mirror) = held.iter().find(|it| it.source == topic.topic) else {
            changes.added.push((at, topic.clone()));
            continue;
        };
        if topic.name.as_ref().is_some_and(|it| *it != mirror.name) {
            errors.push(FieldError {
                pointer: format!("/spec/topics/{at}/name"),
                code: code::IMMUTABLE.into(),
                detail: format!("The copy is called {}, and keeps its name.", mirror.name),
            });
        }
    }
    let stays = |it: &&Mirrored| !wished.iter().any(|topic| topic.topic == it.source);
    changes.removed = held.iter().filter(stays).map(|it| it.topic).collect();
    Error::check(errors)?;
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(topics: Vec<LinkedTopic>) -> ClusterLinkSpec {
        ClusterLinkSpec {
            name: "home".into(),
            source_cluster: Id::generate(),
            target_cluster: Id::generate(),
            service_account: Id::generate(),
            topics,
            start: ClusterLinkStart::Earliest,
            desired_state: ClusterLinkState::Running,
        }
    }

    fn linked(topic: TopicId, name: Option<&str>) -> LinkedTopic {
        LinkedTopic {
            topic,
            name: name.map(Into::into),
        }
    }

    fn found(spec: &ClusterLinkSpec) -> Vec<(String, String)> {
        let mut errors = Vec::new();
        validate(spec, &mut errors);
        errors.into_iter().map(|it| (it.pointer, it.code)).collect()
    }

    #[test]
    fn what_cannot_be_a_link_is_refused_where_it_stands() {
        let (a, b) = (Id::generate(), Id::generate());
        assert!(found(&spec(vec![linked(a, None), linked(b, Some("copy"))])).is_empty());
        let twice = spec(vec![linked(a, None), linked(a, None)]);
        assert_eq!(
            found(&twice),
            [("/spec/topics/1/topic".into(), code::BAD_REFERENCE.into())]
        );
        let named = spec(vec![
            linked(a, Some("x")),
            linked(b, Some("x")),
            linked(Id::generate(), Some("a b")),
        ]);
        let codes: Vec<_> = found(&named).into_iter().map(|(_, code)| code).collect();
        assert_eq!(codes, [code::NAME_TAKEN, code::BAD_NAME]);
        let mut own = spec(Vec::new());
        own.target_cluster = own.source_cluster;
        own.name = "Home".into();
        assert_eq!(found(&own).len(), 2);
        let many = (0..=TOPICS_MAX).map(|_| linked(Id::generate(), None)).collect();
        assert_eq!(
            found(&spec(many)),
            [("/spec/topics".into(), code::OUT_OF_RANGE.into())]
        );
    }

    #[test]
    fn a_change_adds_and_takes_out_and_renames_nothing() {
        let held: Vec<Mirrored> = (0..2)
            .map(|at| Mirrored {
                topic: Id::generate(),
                name: format!("copy-{at}"),
                source: Id::generate(),
                source_name: format!("source-{at}"),
            })
            .collect();
        let new = Id::generate();
        let changes = topic_changes(&held, &[linked(new, None), linked(held[1].source, None)]).unwrap();
        assert_eq!(changes.added, [(0, linked(new, None))]);
        assert_eq!(changes.removed, [held[0].topic]);
        let same = [
            linked(held[0].source, Some("copy-0")),
            linked(held[1].source, None),
        ];
        assert_eq!(topic_changes(&held, &same).unwrap(), TopicChanges::default());
        let renamed = [
            linked(held[0].source, Some("other")),
            linked(held[1].source, None),
        ];
        assert!(topic_changes(&held, &renamed).is_err());
    }
}
