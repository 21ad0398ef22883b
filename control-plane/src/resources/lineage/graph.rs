//! From facts to nodes and edges, within bounds. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::kernel::{Id, kind};
use crate::resources::cluster::ClusterId;
use crate::resources::lineage::api::{
    Lineage, LineageEdge, LineageEdgeKind, LineageGroups, LineageNode, LineageNodeKind,
};
use crate::resources::lineage::model::{Consumes, Governs, Topic, Traffic};
use crate::resources::topic::{JobPart, JobUse, TopicId};

/// Nodes of one answer.
pub const NODES_MAX: usize = 1_000;
/// Edges of one answer.
pub const EDGES_MAX: usize = 5_000;

/// What is drawn.
#[derive(Debug, Default)]
pub struct Facts {
    pub topics: Vec<Topic>,
    pub governs: Vec<Governs>,
    pub traffic: Vec<Traffic>,
    pub groups: Option<Vec<Consumes>>,
    pub jobs: Vec<JobUse>,
    /// Was one of these cut already?
    pub truncated: bool,
}

#[derive(Default)]
struct Graph {
    nodes: BTreeMap<String, LineageNode>,
    edges: BTreeMap<(String, String, LineageEdgeKind), LineageEdge>,
    truncated: bool,
}

impl Graph {
    /// Puts a node, unless there is no room; says whether it is there.
    fn node(&mut self, node: LineageNode) -> bool {
        if self.nodes.contains_key(&node.id) {
            return true;
        }
        if self.nodes.len() >= NODES_MAX {
            self.truncated = true;
            return false;
        }
        self.nodes.insert(node.id.clone(), node);
        true
    }

    /// Puts an edge between nodes that are there.
    fn edge(&mut self, edge: LineageEdge) {
        if !self.nodes.contains_key(&edge.from) || !self.nodes.contains_key(&edge.to) {
            return;
        }
        if self.edges.len() >= EDGES_MAX {
            self.truncated = true;
            return;
        }
        let key = (edge.from.clone(), edge.to.clone(), edge.kind);
        self.edges.insert(key, edge);
    }
}

fn edge(kind: LineageEdgeKind, from: String, to: String) -> LineageEdge {
    LineageEdge {
        from,
        to,
        kind,
        last_seen_at: None,
        bytes_last_day: None,
    }
}

fn topic_node(topic: TopicId) -> String {
    format!("TOPIC:{topic}")
}

fn contract_node(contract: Id<kind::Contract>) -> String {
    format!("CONTRACT:{contract}")
}

fn group_node(cluster: ClusterId, group: &str) -> String {
    format!("CONSUMER_GROUP:{cluster}/{group}")
}

/// Draws. What comes first has room first: topics, contracts, jobs, those who move most, groups.
#[must_use]
pub fn draw(facts: Facts) -> Lineage {
    let Facts {
        topics,
        governs,
        traffic,
        groups,
        jobs,
        truncated,
    } = facts;
    let mut graph = Graph {
        truncated,
        ..Graph::default()
    };
    put_topics(&mut graph, &topics);
    put_contracts(&mut graph, &governs);
    put_jobs(&mut graph, &jobs);
    put_traffic(&mut graph, traffic);
    let known = if groups.is_some() {
        LineageGroups::Known
    } else {
        LineageGroups::Unknown
    };
    // A job reads as a group of its own, which says nothing more.
    let own: BTreeSet<String> = jobs.iter().map(|it| it.job.to_string()).collect();
    let mut groups = groups.unwrap_or_default();
    groups.retain(|it| !own.contains(&it.group));
    put_groups(&mut graph, groups);
    let mut nodes: Vec<_> = graph.nodes.into_values().collect();
    nodes.sort_by(|a, b| (a.kind, &a.name, &a.id).cmp(&(b.kind, &b.name, &b.id)));
    Lineage {
        kind: "Lineage",
        nodes,
        edges: graph.edges.into_values().collect(),
        groups: known,
        truncated: graph.truncated,
    }
}

fn put_topics(graph: &mut Graph, topics: &[Topic]) {
    for topic in topics {
        graph.node(LineageNode {
            id: topic_node(topic.id),
            kind: LineageNodeKind::Topic,
            object_id: Some(topic.id.to_string()),
            name: topic.name.clone(),
            detail: topic.enforcement.clone(),
            cluster_id: Some(topic.cluster),
        });
    }
    let links = topics.iter().filter_map(|it| Some((it.id, it.dead_letters?)));
    for (from, to) in links {
        graph.edge(edge(
            LineageEdgeKind::DeadLetters,
            topic_node(from),
            topic_node(to),
        ));
    }
}

fn put_contracts(graph: &mut Graph, governs: &[Governs]) {
    for it in governs {
        let placed = graph.node(LineageNode {
            id: contract_node(it.contract),
            kind: LineageNodeKind::Contract,
            object_id: Some(it.contract.to_string()),
            name: it.subject.clone(),
            detail: Some(format!("version {}", it.version)),
            cluster_id: None,
        });
        if placed {
            let (from, to) = (contract_node(it.contract), topic_node(it.topic));
            graph.edge(edge(LineageEdgeKind::Governs, from, to));
        }
    }
}

fn put_jobs(graph: &mut Graph, jobs: &[JobUse]) {
    for it in jobs {
        let JobUse {
            job,
            name,
            cluster,
            desired_state,
            topic,
            part,
        } = it;
        let (who, what) = (format!("JOB:{job}"), topic_node(*topic));
        let node = LineageNode {
            id: who.clone(),
            kind: LineageNodeKind::Job,
            object_id: Some(job.to_string()),
            name: name.clone(),
            detail: Some(desired_state.clone()),
            cluster_id: Some(*cluster),
        };
        if !graph.nodes.contains_key(&what) || !graph.node(node) {
            continue;
        }
        let (kind, from, to) = match part {
            JobPart::Source => (LineageEdgeKind::Consumes, what, who),
            JobPart::Sink => (LineageEdgeKind::Produces, who, what),
            JobPart::DeadLetter => (LineageEdgeKind::DeadLetters, who, what),
        };
        graph.edge(edge(kind, from, to));
    }
}

fn put_traffic(graph: &mut Graph, mut traffic: Vec<Traffic>) {
    traffic.sort_by_key(|it| std::cmp::Reverse(it.bytes_last_day));
    for it in traffic {
        let Traffic {
            topic,
            account,
            produces,
            last_hour,
            bytes_last_day,
        } = it;
        // Who is no service account of the tenant is somebody, without a name or an id.
        let object_id = account
            .as_ref()
            .map(|(id, _name)| Id::<kind::ServiceAccount>::from_uuid(*id).to_string());
        let node = LineageNode {
            id: format!("SERVICE_ACCOUNT:{}", object_id.as_deref().unwrap_or("gone")),
            kind: LineageNodeKind::ServiceAccount,
            object_id,
            name: account.map_or_else(|| "(deleted)".to_owned(), |(_id, name)| name),
            detail: None,
            cluster_id: None,
        };
        let (who, what) = (node.id.clone(), topic_node(topic));
        if !graph.nodes.contains_key(&what) || !graph.node(node) {
            continue;
        }
        let (kind, from, to) = if produces {
            (LineageEdgeKind::Produces, who, what)
        } else {
            (LineageEdgeKind::Consumes, what, who)
        };
        graph.edge(LineageEdge {
            from,
            to,
            kind,
            last_seen_at: Some(last_hour),
            bytes_last_day: Some(bytes_last_day),
        });
    }
}

fn put_groups(graph: &mut Graph, groups: Vec<Consumes>) {
    let groups: BTreeSet<Consumes> = groups.into_iter().collect();
    for it in groups {
        let Consumes {
            cluster,
            group,
            state,
            topic,
        } = it;
        let what = topic_node(topic);
        let node = LineageNode {
            id: group_node(cluster, &group),
            kind: LineageNodeKind::ConsumerGroup,
            object_id: None,
            name: group,
            detail: Some(state.to_owned()),
            cluster_id: Some(cluster),
        };
        let who = node.id.clone();
        if graph.nodes.contains_key(&what) && graph.node(node) {
            graph.edge(edge(LineageEdgeKind::Consumes, what, who));
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;

    fn topic(bits: u128) -> Topic {
        Topic {
            id: Id::from_uuid(Uuid::from_u128(bits)),
            name: format!("t{bits}"),
            cluster: Id::from_uuid(Uuid::from_u128(1)),
            data_plane: Id::from_uuid(Uuid::from_u128(2)),
            enforcement: None,
            dead_letters: None,
        }
    }

    fn traffic(topic: u128, account: Option<u128>, bytes: i64) -> Traffic {
        Traffic {
            topic: Id::from_uuid(Uuid::from_u128(topic)),
            account: account.map(|it| (Uuid::from_u128(it), format!("a{it}"))),
            produces: true,
            last_hour: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
            bytes_last_day: bytes,
        }
    }

    #[test]
    fn what_is_of_no_topic_here_is_not_drawn() {
        let groups = vec![Consumes {
            cluster: Id::from_uuid(Uuid::from_u128(1)),
            group: "billing".into(),
            state: "STABLE",
            topic: Id::from_uuid(Uuid::from_u128(8)),
        }];
        let drawn = draw(Facts {
            topics: vec![topic(7)],
            traffic: vec![
                traffic(8, Some(1), 5),
                traffic(7, None, 5),
                traffic(7, Some(3), 1),
            ],
            groups: Some(groups),
            ..Facts::default()
        });
        let names: Vec<_> = drawn.nodes.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["t7", "(deleted)", "a3"]);
        assert_eq!(
            (drawn.edges.len(), drawn.groups, drawn.truncated),
            (2, LineageGroups::Known, false)
        );
        assert_eq!(drawn.nodes[1].object_id, None);
    }

    #[test]
    fn a_job_stands_between_its_topics_and_its_own_group_is_not_drawn() {
        let job = Id::from_uuid(Uuid::from_u128(9));
        let uses = |topic: u128, part| JobUse {
            job,
            name: "enrich".into(),
            cluster: Id::from_uuid(Uuid::from_u128(1)),
            desired_state: "RUNNING".into(),
            topic: Id::from_uuid(Uuid::from_u128(topic)),
            part,
        };
        let drawn = draw(Facts {
            topics: vec![topic(7), topic(8)],
            jobs: vec![
                uses(7, JobPart::Source),
                uses(8, JobPart::Sink),
                uses(3, JobPart::DeadLetter),
            ],
            groups: Some(vec![Consumes {
                cluster: Id::from_uuid(Uuid::from_u128(1)),
                group: job.to_string(),
                state: "STABLE",
                topic: Id::from_uuid(Uuid::from_u128(7)),
            }]),
            ..Facts::default()
        });
        let kinds: Vec<_> = drawn.edges.iter().map(|it| it.kind).collect();
        assert_eq!(kinds, [LineageEdgeKind::Produces, LineageEdgeKind::Consumes]);
        assert_eq!(drawn.edges[0].to, topic_node(Id::from_uuid(Uuid::from_u128(8))));
        let last = drawn.nodes.last().unwrap();
        assert_eq!((last.kind, drawn.nodes.len()), (LineageNodeKind::Job, 3));
    }

    #[test]
    fn a_graph_is_bounded_and_says_so() {
        let accounts = (0..2_000).map(|it| traffic(7, Some(it), i64::try_from(it).unwrap()));
        let drawn = draw(Facts {
            topics: vec![topic(7)],
            traffic: accounts.collect(),
            ..Facts::default()
        });
        assert_eq!((drawn.nodes.len(), drawn.edges.len()), (NODES_MAX, NODES_MAX - 1));
        assert!(drawn.truncated && drawn.groups == LineageGroups::Unknown);
        assert!(
            drawn.nodes.iter().any(|it| it.name == "a1999"),
            "who moves most comes first"
        );
        let pairs = (0..200).flat_map(|topic| (0..50).map(move |it| traffic(topic, Some(it), 1)));
        let drawn = draw(Facts {
            topics: (0..200).map(topic).collect(),
            traffic: pairs.collect(),
            ..Facts::default()
        });
        assert_eq!((drawn.edges.len(), drawn.truncated), (EDGES_MAX, true));
    }
}
