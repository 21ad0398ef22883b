//! Which topics' dead letters go where: read off the snapshot that gateways serve. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_proto::agent::v1::{Enforcement, PartContract};
use weir_proto::lane::v1::{LogicalCluster, LogicalTopic, Snapshot};

use crate::resources::physical_prefix;

/// Where one topic's dead letters go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The topic's id.
    pub topic_id: String,
    /// Its pool.
    pub pool_id: String,
    /// Its name, as the tenant knows it.
    pub name: String,
    /// And as Kafka does.
    pub source: String,
    /// The dead-letter topic, as the tenant knows it.
    pub target_name: String,
    /// And as Kafka does.
    pub target: Arc<str>,
    /// And its id.
    pub target_id: String,
    /// The subject of keys, where it goes by the topic's name.
    pub key_subject: String,
    /// The same of values.
    pub value_subject: String,
    /// Under this name Kafka knows the copier's producer and group. No cluster's names begin so: they begin with the
    /// cluster's id, or, where a cluster's names are Kafka's own, with no id at all. So no tenant sees it.
    pub owner: String,
}

/// Every topic under DLQ. Dead letters stay within the cluster, whatever the snapshot says.
#[must_use]
pub fn of(snapshot: &Snapshot) -> BTreeMap<String, Route> {
    let clusters = snapshot.clusters.iter();
    let routes = clusters.flat_map(|cluster| cluster.topics.iter().filter_map(|topic| route(cluster, topic)));
    routes.map(|it| (it.topic_id.clone(), it)).collect()
}

/// What only shows another cluster's topic has none: they are that one's.
fn is_dlq(topic: &LogicalTopic) -> bool {
    let own = topic.contract.as_ref().filter(|_contract| topic.mount.is_none());
    own.is_some_and(|it| it.enforcement() == Enforcement::Dlq)
}

fn route(cluster: &LogicalCluster, topic: &LogicalTopic) -> Option<Route> {
    let contract = topic.contract.as_ref().filter(|_contract| is_dlq(topic))?;
    let target = cluster
        .topics
        .iter()
        .find(|it| it.id == contract.dead_letter_topic_id)?;
    // A circle would go on for ever.
    // What a cluster link writes is nobody else's to write.
    if target.mirror || is_dlq(target) || target.physical_name == topic.physical_name {
        return None;
    }
    let subject = |part: Option<&PartContract>| part.map(|it| it.subject.clone()).unwrap_or_default();
    Some(Route {
        topic_id: topic.id.clone(),
        pool_id: cluster.broker_pool_id.clone(),
        name: topic.name.clone(),
        source: topic.physical_name.clone(),
        target_name: target.name.clone(),
        target: target.physical_name.as_str().into(),
        target_id: target.id.clone(),
        key_subject: subject(contract.key.as_ref()),
        value_subject: subject(contract.value.as_ref()),
        owner: format!("{}dead-letters", physical_prefix(&topic.id)?),
    })
}

/// A dead-letter topic, and the cluster that it is of.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    cluster: &'a LogicalCluster,
    /// It.
    pub topic: &'a LogicalTopic,
}

/// The dead-letter topic of this id: one that the contract of another topic of its cluster names, whatever is enforced now.
#[must_use]
pub fn target<'a>(snapshot: &'a Snapshot, id: &str) -> Option<Target<'a>> {
    let mut topics = snapshot.clusters.iter().flat_map(|cluster| {
        let topics = cluster.topics.iter();
        topics.map(move |topic| Target { cluster, topic })
    });
    topics.find(|it| it.topic.id == id && !is_dlq(it.topic) && it.sources().next().is_some())
}

impl<'a> Target<'a> {
    /// The topics whose contracts name it: nothing of it goes anywhere else.
    pub fn sources(self) -> impl Iterator<Item = &'a LogicalTopic> {
        let Self { cluster, topic } = self;
        let names = move |it: &&LogicalTopic| {
            let contract = it.contract.as_ref().filter(|_own| it.mount.is_none());
            contract.is_some_and(|it| it.dead_letter_topic_id == topic.id)
                && it.physical_name != topic.physical_name
        };
        cluster.topics.iter().filter(names)
    }

    /// Under this name Kafka knows what redrives it; see [`Route::owner`].
    #[must_use]
    pub fn owner(self) -> Option<String> {
        Some(format!("{}redrive", physical_prefix(&self.topic.id)?))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use weir_proto::agent::v1::TopicContract;

    use super::*;
    use crate::names::Naming;

    const CLUSTER: &str = "cluster_01h2xcejqtf2nbrexx3vqjhp41";
    pub(in crate::dead_letters) const ORDERS: &str = "topic_01h2xcejqtf2nbrexx3vqjhp42";

    pub(in crate::dead_letters) fn topic(id: &str, name: &str, target: Option<&str>) -> LogicalTopic {
        let contract = target.map(|target| TopicContract {
            enforcement: Enforcement::Dlq.into(),
            value: Some(PartContract {
                subject: format!("{name}-value"),
                ..PartContract::default()
            }),
            dead_letter_topic_id: target.to_owned(),
            ..TopicContract::default()
        });
        LogicalTopic {
            id: id.to_owned(),
            name: name.to_owned(),
            physical_name: format!("w01h2xcejqtf2nbrexx3vqjhp41-{name}"),
            contract,
            ..LogicalTopic::default()
        }
    }

    pub(in crate::dead_letters) fn snapshot(topics: Vec<LogicalTopic>) -> Snapshot {
        Snapshot {
            clusters: vec![LogicalCluster {
                id: CLUSTER.to_owned(),
                broker_pool_id: "pool_1".to_owned(),
                topics,
                ..LogicalCluster::default()
            }],
            ..Snapshot::default()
        }
    }

    #[test]
    fn a_route_stays_within_its_cluster_and_leads_to_an_end() {
        let letters = topic("topic_dead", "letters", None);
        let routes = of(&snapshot(vec![
            topic(ORDERS, "orders", Some("topic_dead")),
            letters.clone(),
        ]));
        let route = &routes[ORDERS];
        assert_eq!(
            (route.name.as_str(), route.target_name.as_str()),
            ("orders", "letters")
        );
        assert_eq!(
            (route.key_subject.as_str(), route.value_subject.as_str()),
            ("", "orders-value")
        );
        let mut two = snapshot(vec![topic(ORDERS, "orders", Some("topic_dead"))]);
        assert_eq!(of(&two).len(), 0, "there is no such topic");
        two.clusters.push(LogicalCluster {
            topics: vec![letters],
            ..LogicalCluster::default()
        });
        assert_eq!(of(&two).len(), 0, "another cluster's topic");
        let circle = vec![
            topic(ORDERS, "orders", Some("topic_b")),
            topic("topic_b", "back", Some(ORDERS)),
            topic("topic_c", "self", Some("topic_c")),
        ];
        assert_eq!(of(&snapshot(circle)).len(), 0);
        let mut marked = topic(ORDERS, "orders", Some("topic_dead"));
        if let Some(contract) = &mut marked.contract {
            contract.enforcement = Enforcement::Mark.into();
        }
        assert_eq!(
            of(&snapshot(vec![marked, topic("topic_dead", "letters", None)])).len(),
            0
        );
    }

    #[test]
    fn no_tenant_sees_what_copies() {
        let routes = of(&snapshot(vec![
            topic(ORDERS, "orders", Some("topic_dead")),
            topic("topic_dead", "letters", None),
        ]));
        let owner = &routes[ORDERS].owner;
        for (prefix, own_names) in [
            ("w01h2xcejqtf2nbrexx3vqjhp41-", false),
            ("w01h2xcejqtf2nbrexx3vqjhp41-", true),
        ] {
            assert_eq!(Naming::new(prefix.to_owned(), own_names).back(owner), None);
        }
    }
}
