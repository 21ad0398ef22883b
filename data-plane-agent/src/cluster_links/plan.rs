//! What is to be done about the links that have an end here: from what the customer admitted, and what the customer's policy says. Pure.

use std::collections::BTreeMap;

use weir_proto::agent::v1::{
    ClusterAccess, ClusterLink, ClusterLinkSource, ClusterLinkState, ClusterLinkTarget, DesiredState,
    LinkStart, Phase, Reason, Topic,
};
use weir_proto::lane::v1::Snapshot;

use crate::platform::kafka::PoolAddress;
use crate::policy::Policy;
use crate::resources::physical_prefix;
use crate::upstream::{Mechanism, Peer, Security, Shown};

/// Plans by the link's id.
pub type Plans = BTreeMap<String, Plan>;

/// A link that is written here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its id.
    pub link_id: String,
    /// Under this name Kafka knows its producer and its group. No cluster's names begin so: no tenant sees them.
    pub owner: String,
    /// Whether it goes.
    pub goes: Goes,
    /// Where it writes.
    pub here: PoolAddress,
    /// Where it reads: the one front of the source's gateways.
    pub there: PoolAddress,
    /// What is copied to what.
    pub routes: Vec<Route>,
    /// Copies that do not exist yet.
    pub waiting: Vec<String>,
}

/// Whether a link goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goes {
    /// It does.
    On,
    /// Not now: somebody paused it, or something is missing.
    Held(Phase, Reason),
}

/// One topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The copy's id.
    pub topic_id: String,
    /// The copy, as Kafka knows it here.
    pub copy: String,
    /// The source, as its cluster's clients know it.
    pub source: String,
    /// Where it begins.
    pub latest: bool,
}

/// What plans are made of.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// What the customer admitted.
    pub admitted: &'a DesiredState,
    /// What is served.
    pub snapshot: &'a Snapshot,
    /// Where pools are.
    pub pools: &'a BTreeMap<String, PoolAddress>,
    /// The customer's word.
    pub policy: &'a Policy,
    /// What we read with.
    pub shown: &'a Shown,
}

/// The plans of all links that are written here.
#[must_use]
pub fn plans(around: Around<'_>) -> Plans {
    let links = around.admitted.cluster_links.iter();
    let planned = links.filter_map(|link| {
        let plan = plan(link, link.target.as_ref()?, around)?;
        Some((link.id.clone(), plan))
    });
    planned.collect()
}

/// How the end that is read stands. `named`: gateways know their clusters by name, else certificates open nothing.
#[must_use]
pub fn source(source: &ClusterLinkSource, admitted: bool, named: bool, policy: &Policy) -> (Phase, Reason) {
    if !admitted {
        (Phase::Pending, Reason::PolicyRefused)
    } else if source.peer_key_sha256.is_empty() {
        (Phase::Pending, Reason::Unspecified)
    } else if !policy.confirms(source) {
        (Phase::Pending, Reason::PeerUnconfirmed)
    } else if !named {
        (Phase::Pending, Reason::Unsupported)
    } else {
        (Phase::Ready, Reason::Unspecified)
    }
}

fn plan(link: &ClusterLink, target: &ClusterLinkTarget, around: Around<'_>) -> Option<Plan> {
    let mut plan = Plan {
        link_id: link.id.clone(),
        owner: format!("{}link", physical_prefix(&link.id)?),
        goes: Goes::On,
        here: PoolAddress::default(),
        there: PoolAddress::default(),
        routes: Vec::new(),
        waiting: Vec::new(),
    };
    let named = |it: &&weir_proto::agent::v1::Cluster| it.id == target.cluster_id && !it.deleted;
    let cluster = around.admitted.clusters.iter().find(named);
    let pool = cluster.and_then(|it| around.pools.get(&it.broker_pool_id));
    let Some((cluster, pool)) = cluster.zip(pool) else {
        plan.goes = Goes::Held(Phase::Pending, Reason::PoolNotReady);
        return Some(plan);
    };
    plan.here = pool.clone();
    topics(&mut plan, link, target, around);
    plan.goes = if target.state() == ClusterLinkState::Paused {
        Goes::Held(Phase::Stopped, Reason::Unspecified)
    } else if cluster.access() == ClusterAccess::Native {
        // Nothing would keep its clients from writing there.
        Goes::Held(Phase::Failed, Reason::Unsupported)
    } else {
        match there(link, target, around) {
            Ok(there) => {
                plan.there = there;
                Goes::On
            }
            Err((phase, reason)) => Goes::Held(phase, reason),
        }
    };
    Some(plan)
}

/// The source's gateways, by the key that the policy names.
fn there(
    link: &ClusterLink,
    target: &ClusterLinkTarget,
    around: Around<'_>,
) -> Result<PoolAddress, (Phase, Reason)> {
    let serves = around.policy.serves_with(&target.peer_data_plane_id);
    let serves = serves.ok_or((Phase::Pending, Reason::PeerUnconfirmed))?;
    let port = u16::try_from(target.bootstrap_port).unwrap_or(0);
    if target.bootstrap_host.is_empty() || port == 0 {
        return Err((Phase::Pending, Reason::Unspecified));
    }
    let peer = Peer::new(around.shown, serves.key, serves.via);
    let peer = peer.map_err(|error| {
        tracing::error!(%error, link = link.id, "the key that other data planes are read with cannot be used");
        (Phase::Failed, Reason::Unsupported)
    })?;
    Ok(PoolAddress {
        pool_id: link.id.clone(),
        brokers: vec![(-1, target.bootstrap_host.clone(), port)],
        security: Security {
            trust: None,
            mechanism: Mechanism::Anonymous,
            peer: Some(peer),
        },
        ..PoolAddress::default()
    })
}

/// Only topics that are this link's to write, by their own word, and that exist.
fn topics(plan: &mut Plan, link: &ClusterLink, target: &ClusterLinkTarget, around: Around<'_>) {
    let is_ours = |it: &Topic| {
        it.mirror_link_id == link.id
            && it.cluster_id == target.cluster_id
            && !it.deleted
            && it.mount.is_none()
    };
    for wished in &target.topics {
        let admitted = around.admitted.topics.iter();
        let ours = admitted
            .filter(|it| is_ours(it))
            .any(|it| it.id == wished.topic_id);
        let clusters = around.snapshot.clusters.iter();
        let mut served = clusters
            .filter(|it| it.id == target.cluster_id)
            .flat_map(|it| &it.topics);
        // One copy of a topic; nothing is written from two.
        let twice = plan
            .routes
            .iter()
            .any(|it| it.source == wished.source_name || it.topic_id == wished.topic_id);
        match served.find(|it| ours && !twice && it.id == wished.topic_id && it.mirror) {
            Some(topic) => plan.routes.push(Route {
                topic_id: wished.topic_id.clone(),
                copy: topic.physical_name.clone(),
                source: wished.source_name.clone(),
                latest: wished.start() == LinkStart::Latest,
            }),
            None => plan.waiting.push(wished.topic_id.clone()),
        }
    }
}

/// Where a broker of the source is spoken to. Certificates open a cluster under its name only, and gateways that know clusters by name have
/// one name for each broker below it, all on one port (docs/identity.md): what they tell of addresses is not needed, and not followed.
#[must_use]
pub fn brokers(front: &PoolAddress, nodes: impl Iterator<Item = i32>) -> PoolAddress {
    let mut at = front.clone();
    if let Some((_none, host, port)) = front.brokers.first() {
        at.brokers = nodes
            .filter(|it| *it >= 0)
            .map(|node| (node, format!("b{node}-{host}"), *port))
            .collect();
    }
    at
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
