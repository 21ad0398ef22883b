//! From a wish to what the customer lets become of it.
//!
//! An item whose change is refused keeps its last accepted version; an item that the wish does not name stays as it is, because
//! silence never deletes. Access is the exception: what the wish no longer grants is gone, and nobody can refuse that.

use std::collections::{BTreeMap, BTreeSet};

use weir_proto::agent::v1::{BrokerPool, Cluster, ClusterAccess, DesiredState, Grant, Topic};

use super::issuers::issuers;
use super::jobs::{compute_pools, job_change};
use super::keys::api_keys;
use super::links::cluster_links;
use super::mounts::mount_change;
use super::quotas::quotas;
use super::schemas::schemas;
use super::{Kind, Policy};

/// The wish after the customer's word.
#[derive(Debug, Clone, PartialEq)]
pub struct Admitted {
    /// What is to be made real.
    pub state: DesiredState,
    /// Items whose newest wish was refused. A refused grant marks its cluster.
    pub refused: BTreeSet<String>,
}

/// Compares the wish with what was admitted `before` and lets the policy judge every change.
#[must_use]
pub fn admit(before: &DesiredState, wish: &DesiredState, policy: &Policy) -> Admitted {
    let mut refused = BTreeSet::new();
    let topics = items(&before.topics, &wish.topics, policy, &mut refused, topic_change);
    let state = DesiredState {
        data_plane_id: wish.data_plane_id.clone(),
        broker_pools: items(
            &before.broker_pools,
            &wish.broker_pools,
            policy,
            &mut refused,
            pool_change,
        ),
        clusters: items(
            &before.clusters,
            &wish.clusters,
            policy,
            &mut refused,
            cluster_change,
        ),
        schemas: schemas(before, wish, &topics),
        topics,
        api_keys: api_keys(&before.api_keys, &wish.api_keys, policy, &mut refused),
        grants: grants(&before.grants, &wish.grants, policy, &mut refused),
        quotas: quotas(before, wish, policy, &mut refused),
        token_issuers: issuers(&before.token_issuers, &wish.token_issuers, policy),
        compute_pools: compute_pools(before, wish, policy, &mut refused),
        jobs: items(&before.jobs, &wish.jobs, policy, &mut refused, job_change),
        cluster_links: cluster_links(&before.cluster_links, &wish.cluster_links, policy, &mut refused),
        // Nothing is made of them: the policy is asked at each measurement.
        lag_watches: Vec::new(),
    };
    Admitted { state, refused }
}

/// What admission needs of a kind with tombstones.
pub(super) trait Item: Clone {
    fn id(&self) -> &str;
    fn name(&self) -> &str;
    fn deleted(&self) -> bool;
}

impl Item for BrokerPool {
    fn id(&self) -> &str {
        &self.id
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn deleted(&self) -> bool {
        self.deleted
    }
}

impl Item for Cluster {
    fn id(&self) -> &str {
        &self.id
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn deleted(&self) -> bool {
        self.deleted
    }
}

impl Item for Topic {
    fn id(&self) -> &str {
        &self.id
    }
    fn name(&self) -> &str {
        &self.name
    }
    fn deleted(&self) -> bool {
        self.deleted
    }
}

pub(super) fn items<T: Item>(
    before: &[T],
    wish: &[T],
    policy: &Policy,
    refused: &mut BTreeSet<String>,
    change: fn(Option<&T>, &T) -> Vec<Kind>,
) -> Vec<T> {
    let mut admitted: BTreeMap<&str, T> = before
        .iter()
        // A tombstone that is named no longer was carried out: it is forgotten.
        .filter(|item| !item.deleted())
        .map(|item| (item.id(), item.clone()))
        .collect();
    let held: BTreeMap<&str, &T> = before.iter().map(|item| (item.id(), item)).collect();
    for item in wish {
        let held = held.get(item.id()).copied();
        let kinds = change(held, item);
        if kinds.iter().all(|kind| policy.allows(*kind, item.name())) {
            admitted.insert(item.id(), item.clone());
        } else {
            refused.insert(item.id().to_owned());
        }
    }
    admitted.into_values().collect()
}

fn pool_change(held: Option<&BrokerPool>, wish: &BrokerPool) -> Vec<Kind> {
    match held {
        Some(held) if held.deleted => Vec::new(),
        // What is not ours is let go, not destroyed.
        held if wish.deleted && wish.attached.is_some() && held.is_none_or(|it| it.attached.is_some()) => {
            Vec::new()
        }
        _any if wish.deleted => vec![Kind::PoolDelete],
        None if wish.attached.is_some() => vec![Kind::PoolAttach],
        None => vec![Kind::PoolCreate],
        Some(held) if held.attached != wish.attached => vec![Kind::PoolAttach],
        Some(held) if held.restart_nonce != wish.restart_nonce => vec![Kind::PoolRestart],
        Some(_same) => Vec::new(),
    }
}

fn cluster_change(held: Option<&Cluster>, wish: &Cluster) -> Vec<Kind> {
    match held {
        Some(held) if held.deleted => Vec::new(),
        _any if wish.deleted => vec![Kind::ClusterDelete],
        None if native(wish) => vec![Kind::ClusterCreate, Kind::NativeCluster],
        None => vec![Kind::ClusterCreate],
        // No control plane wishes that; one in other hands may.
        Some(held) if native(wish) && !native(held) => vec![Kind::NativeCluster],
        Some(_held) => Vec::new(),
    }
}

fn native(cluster: &Cluster) -> bool {
    cluster.access() == ClusterAccess::Native
}

fn topic_change(held: Option<&Topic>, wish: &Topic) -> Vec<Kind> {
    if wish.mount.is_some() || held.is_some_and(|it| it.mount.is_some()) {
        return mount_change(held, wish);
    }
    // What is not ours is let go, not destroyed.
    let gone = if wish.adopted {
        Vec::new()
    } else {
        vec![Kind::TopicDelete]
    };
    let Some(held) = held else {
        return match (wish.deleted, wish.adopted) {
            (true, _any) => gone,
            (false, true) => vec![Kind::TopicAdopt],
            (false, false) => vec![Kind::TopicCreate],
        };
    };
    if held.deleted {
        return Vec::new();
    }
    if held.adopted != wish.adopted {
        // No honest wish: what could destroy it is asked for.
        return vec![Kind::TopicAdopt, Kind::TopicDelete];
    }
    if wish.deleted {
        return gone;
    }
    // That a link writes it, or none any more, changes nothing of the topic itself.
    let partitions = (held.partitions != wish.partitions).then_some(Kind::TopicPartitions);
    let configs = (held.configs != wish.configs).then_some(Kind::TopicConfigs);
    partitions.into_iter().chain(configs).collect()
}

fn grants(before: &[Grant], wish: &[Grant], policy: &Policy, refused: &mut BTreeSet<String>) -> Vec<Grant> {
    let place = |grant: &Grant| {
        (
            grant.principal_id.clone(),
            grant.cluster_id.clone(),
            grant.pattern.clone(),
        )
    };
    // Of several roles in one place the highest counts.
    let mut held: BTreeMap<_, i32> = BTreeMap::new();
    for grant in before {
        let role = held.entry(place(grant)).or_insert(grant.role);
        *role = (*role).max(grant.role);
    }
    let mut admitted = Vec::with_capacity(wish.len());
    for grant in wish {
        let role = held.get(&place(grant)).copied();
        let reduces = role.is_some_and(|role| grant.role <= role);
        if reduces || policy.allows(Kind::GrantCreate, &grant.pattern) {
            admitted.push(grant.clone());
        } else {
            refused.insert(grant.cluster_id.clone());
            admitted.extend(role.map(|role| Grant {
                role,
                ..grant.clone()
            }));
        }
    }
    admitted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use weir_proto::agent::v1::{ApiKey, Config};

    fn topic(id: &str, partitions: u32, deleted: bool) -> Topic {
        Topic {
            id: id.to_owned(),
            name: format!("name-{id}"),
            partitions,
            deleted,
            ..Default::default()
        }
    }

    fn topics(topics: &[Topic]) -> DesiredState {
        DesiredState {
            topics: topics.to_vec(),
            ..Default::default()
        }
    }

    fn refusing(kinds: &str) -> Policy {
        Policy::parse(&format!("refuse = [{kinds}]")).unwrap()
    }

    #[test]
    fn without_a_policy_the_wish_is_admitted() {
        let before = topics(&[topic("a", 1, false)]);
        let wish = topics(&[topic("a", 3, false), topic("b", 1, false)]);
        let admitted = admit(&before, &wish, &Policy::default());
        assert_eq!(admitted.state, wish);
        assert!(admitted.refused.is_empty());
    }

    #[test]
    fn a_refused_delete_keeps_the_topic_and_says_so() {
        let before = topics(&[topic("a", 1, false)]);
        let wish = topics(&[topic("a", 1, true)]);
        let admitted = admit(&before, &wish, &refusing("\"topic.delete\""));
        assert_eq!(admitted.state, before);
        assert!(admitted.refused.contains("a"));
        let unknown = admit(&topics(&[]), &wish, &refusing("\"topic.delete\""));
        assert!(
            unknown.state.topics.is_empty(),
            "a tombstone of a topic unknown here is refused too"
        );
    }

    #[test]
    fn a_refused_change_keeps_the_last_accepted_version_whole() {
        let before = topics(&[topic("a", 1, false)]);
        let mut changed = topic("a", 6, false);
        changed.configs = vec![Config {
            name: "retention.ms".to_owned(),
            value: "1000".to_owned(),
        }];
        let wish = topics(&[changed]);
        for kind in ["\"topic.partitions\"", "\"topic.configs\""] {
            let admitted = admit(&before, &wish, &refusing(kind));
            assert_eq!(admitted.state, before, "{kind}");
            assert!(admitted.refused.contains("a"));
        }
        let created = admit(&topics(&[]), &before, &refusing("\"topic.create\""));
        assert!(created.state.topics.is_empty() && created.refused.contains("a"));
    }

    #[test]
    fn silence_never_deletes_and_a_tombstone_is_forgotten_when_it_is_named_no_longer() {
        let before = topics(&[topic("a", 1, false), topic("b", 1, true)]);
        let admitted = admit(&before, &topics(&[]), &Policy::default());
        assert_eq!(admitted.state.topics, [topic("a", 1, false)]);
    }

    fn key(id: &str, sha: u8, expires: i64) -> ApiKey {
        ApiKey {
            id: id.to_owned(),
            sha256: vec![sha; 32],
            expires_at_unix_seconds: expires,
            ..Default::default()
        }
    }

    fn grant(principal: &str, role: i32) -> Grant {
        Grant {
            principal_id: principal.to_owned(),
            cluster_id: "c".to_owned(),
            pattern: "pay*".to_owned(),
            role,
        }
    }

    #[test]
    fn access_can_be_refused_but_its_reduction_cannot() {
        let policy = refusing("\"api_key.create\", \"grant.create\"");
        let before = DesiredState {
            api_keys: vec![
                key("a", 1, 0),
                key("b", 1, 0),
                key("c", 1, 900),
                key("gone", 1, 0),
            ],
            grants: vec![grant("x", 2), grant("y", 2), grant("gone", 3)],
            ..Default::default()
        };
        let wish = DesiredState {
            api_keys: vec![
                key("a", 9, 500),
                key("b", 1, 700),
                key("c", 1, 400),
                key("new", 1, 0),
            ],
            grants: vec![grant("new", 1), grant("x", 3), grant("y", 1)],
            ..Default::default()
        };
        let admitted = admit(&before, &wish, &policy);
        assert_eq!(
            admitted.state.api_keys,
            [key("a", 1, 500), key("b", 1, 700), key("c", 1, 400)],
            "a substituted verifier is refused, an earlier end is not, a missing key is revoked"
        );
        assert_eq!(
            admitted.state.grants,
            [grant("x", 2), grant("y", 1)],
            "a raise is refused, a cut is not, a missing grant is gone"
        );
        assert_eq!(admitted.refused, ["a", "c", "new"].map(str::to_owned).into());
    }

    proptest! {
        #[test]
        fn nothing_is_admitted_that_was_neither_wished_nor_held(
            before in prop::collection::vec((0_u8..6, 1_u32..4, any::<bool>()), 0..6),
            wish in prop::collection::vec((0_u8..6, 1_u32..4, any::<bool>()), 0..6),
            refuse_delete: bool,
        ) {
            let build = |list: Vec<(u8, u32, bool)>| {
                let unique: BTreeMap<u8, Topic> =
                    list.into_iter().map(|(id, n, deleted)| (id, topic(&id.to_string(), n, deleted))).collect();
                topics(&unique.into_values().collect::<Vec<_>>())
            };
            let (before, wish) = (build(before), build(wish));
            let policy = if refuse_delete { refusing("\"topic.delete\"") } else { Policy::default() };
            let admitted = admit(&before, &wish, &policy);
            for topic in &admitted.state.topics {
                prop_assert!(wish.topics.contains(topic) || before.topics.contains(topic));
                if topic.deleted && refuse_delete {
                    prop_assert!(before.topics.iter().any(|it| it.id == topic.id && it.deleted));
                }
            }
            for topic in before.topics.iter().filter(|it| !it.deleted) {
                prop_assert!(admitted.state.topics.iter().any(|it| it.id == topic.id), "silence never deletes");
            }
            let again = admit(&admitted.state, &wish, &policy);
            prop_assert_eq!(again.state, admitted.state, "admitting twice changes nothing");
        }
    }
}
