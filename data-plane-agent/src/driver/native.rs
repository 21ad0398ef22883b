//! The driver's part for clusters in native mode: one look at a pool's users, rules and quotas, their difference, and a look at
//! every other broker before anything is called READY.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;
use weir_credentials::SealingKey;
use weir_proto::agent::v1::{Cluster, ClusterAccess, Reason};

use super::topics::Place;
use super::{Driver, FRESH};
use crate::platform::kafka::{KafkaError, PoolAddress};
use crate::platform::native::SeenNative;
use crate::policy::Policy;
use crate::resources::native::{
    Acted, Hands, Plan, Served, USER_PREFIX, Wish, Written, act, diff, reason, wish,
};

/// What is known of all native clusters.
pub(super) struct NativeSide {
    pub(super) key: Arc<SealingKey>,
    pub(super) written: Written,
    pub(super) clusters: BTreeMap<String, NativeOutcome>,
}

/// How the newest turn ended for one cluster.
#[derive(Default)]
pub(super) struct NativeOutcome {
    wish: Option<Wish>,
    looked_at: Option<Instant>,
    /// Why nothing could be done.
    pub(super) stuck: Option<Reason>,
    /// Users that not every broker has as wished.
    waiting: BTreeSet<String>,
    /// Users that cannot be made, and why.
    failed: BTreeMap<String, Reason>,
    /// Users that the policy stopped something for.
    forbidden: BTreeSet<String>,
    /// Users whose quotas the policy stopped.
    unlimited: BTreeSet<String>,
    /// Nothing of it is in Kafka.
    pub(super) empty: bool,
}

impl NativeOutcome {
    /// How Kafka has one key.
    pub(super) fn of_key(&self, id: &str) -> Served {
        match (self.stuck, self.failed.get(id)) {
            (Some(reason), _) | (None, Some(&reason)) => Served::Stuck(reason),
            (None, None) if self.waiting.contains(id) || !self.names(id) => Served::Waiting,
            (None, None) => Served::Everywhere,
        }
    }

    fn names(&self, id: &str) -> bool {
        self.wish.as_ref().is_some_and(|it| it.users.contains_key(id))
    }

    /// Did the policy stop something for this key?
    pub(super) fn forbids(&self, id: &str) -> bool {
        self.forbidden.contains(id)
    }

    /// How Kafka has the quota of those principals (none: of all), whether the policy stopped it, and the most keys of one.
    pub(super) fn of_quota(&self, principals: &[String]) -> (Served, bool, usize) {
        let Some(wish) = &self.wish else {
            return (self.stuck.map_or(Served::Waiting, Served::Stuck), false, 0);
        };
        let concerned = wish
            .users
            .iter()
            .filter(|(_name, user)| principals.is_empty() || principals.contains(&user.principal_id));
        let mut keys: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut waits, mut stopped) = (false, false);
        for (name, user) in concerned {
            *keys.entry(&user.principal_id).or_default() += 1;
            waits |= self.waiting.contains(name) && !self.unlimited.contains(name);
            stopped |= self.unlimited.contains(name);
        }
        let served = match self.stuck {
            Some(reason) => Served::Stuck(reason),
            None if waits => Served::Waiting,
            None => Served::Everywhere,
        };
        (served, stopped, keys.values().copied().max().unwrap_or(0))
    }

    fn is_settled(&self) -> bool {
        let stopped = |it: &String| self.forbidden.contains(it) || self.unlimited.contains(it);
        self.stuck.is_none() && self.waiting.iter().all(stopped) && self.failed.is_empty()
    }
}

/// Is it in native mode?
pub(super) fn is_native(cluster: &Cluster) -> bool {
    cluster.access() == ClusterAccess::Native
}

impl Driver {
    /// The pools whose brokers shall take clients themselves.
    pub(super) fn native_pools(&self) -> BTreeSet<String> {
        let living = self
            .admitted
            .clusters
            .iter()
            .filter(|it| !it.deleted && is_native(it));
        living.map(|it| it.broker_pool_id.clone()).collect()
    }

    /// Is this cluster, which the customer let in, in native mode?
    pub(super) fn is_native(&self, cluster_id: &str) -> bool {
        self.admitted
            .clusters
            .iter()
            .any(|it| it.id == cluster_id && is_native(it))
    }

    pub(super) async fn turn_native(&mut self, policy: &Policy, changed: bool) -> io::Result<()> {
        let clusters: Vec<Cluster> = self
            .admitted
            .clusters
            .iter()
            .filter(|it| is_native(it))
            .cloned()
            .collect();
        self.native
            .clusters
            .retain(|id, _outcome| clusters.iter().any(|it| it.id == *id));
        let mut taken: BTreeSet<&str> = BTreeSet::new();
        for cluster in &clusters {
            // Names that stand for themselves can be one cluster's only.
            let alone = cluster.deleted || taken.insert(&cluster.broker_pool_id);
            let mut outcome = self.native.clusters.remove(&cluster.id).unwrap_or_default();
            let done = if alone {
                self.one_native(cluster, &mut outcome, policy, changed).await
            } else {
                outcome.stuck = Some(Reason::Unsupported);
                Ok(())
            };
            match outcome.stuck {
                Some(Reason::KafkaUnreachable | Reason::PoolNotReady) => self.unsettled = true,
                Some(_lasting) => self.obstructed = true,
                None if !outcome.failed.is_empty() => self.obstructed = true,
                None => self.unsettled |= !outcome.is_settled(),
            }
            self.native.clusters.insert(cluster.id.clone(), outcome);
            done?;
        }
        Ok(())
    }

    async fn one_native(
        &mut self,
        cluster: &Cluster,
        outcome: &mut NativeOutcome,
        policy: &Policy,
        changed: bool,
    ) -> io::Result<()> {
        let at = match self.place(&cluster.broker_pool_id) {
            Place::At(at) => at,
            Place::NotReady => {
                outcome.stuck = Some(Reason::PoolNotReady);
                return Ok(());
            }
            Place::Nowhere => {
                // The pool is gone with all that was in it, or was let go.
                outcome.stuck = Some(Reason::Unsupported);
                outcome.empty = true;
                return Ok(());
            }
        };
        let exclusive = !self.is_attached(&cluster.broker_pool_id);
        let brokers = u32::try_from(at.brokers.len()).unwrap_or(1);
        let Some(wish) = wish(cluster, &self.admitted, brokers, exclusive, now()) else {
            outcome.stuck = Some(Reason::Unsupported);
            return Ok(());
        };
        let now = Instant::now();
        let fresh = outcome.looked_at.is_some_and(|at| now.duration_since(at) < FRESH);
        if !changed && fresh && outcome.is_settled() && outcome.wish.as_ref() == Some(&wish) {
            return Ok(());
        }
        outcome.looked_at = Some(now);
        let done = self.reach(&at, &wish, policy).await?;
        match done {
            Ok((plan, acted)) => {
                outcome.stuck = acted.failed;
                outcome.empty = wish.users.is_empty() && plan.unsettled.is_empty();
                outcome.waiting = plan.unsettled;
                outcome.failed = plan.refused;
                outcome.failed.extend(acted.stuck);
                outcome.forbidden = acted.forbidden;
                outcome.unlimited = acted.unlimited;
            }
            Err(error) => outcome.stuck = Some(reason(error)),
        }
        outcome.wish = Some(wish);
        Ok(())
    }

    /// Looks at one broker and does what is missing; when nothing is, looks at the others.
    async fn reach(
        &mut self,
        at: &PoolAddress,
        wish: &Wish,
        policy: &Policy,
    ) -> io::Result<Result<(Plan, Acted), KafkaError>> {
        let nodes: Vec<i32> = match self.platform.kafka.brokers_ready(at).await {
            Ok(nodes) => nodes.into_iter().collect(),
            Err(error) => return Ok(Err(error)),
        };
        let Some((first, others)) = nodes.split_first() else {
            return Ok(Err(KafkaError::Unreachable));
        };
        let mut plan = match self.look(at, *first).await {
            Ok(seen) => self.plan(wish, &seen),
            Err(error) => return Ok(Err(error)),
        };
        let mut hands = Hands {
            policy,
            kafka: self.platform.kafka.as_ref(),
            at,
            key: &self.native.key,
            written: &mut self.native.written,
        };
        let acted = act(&plan, wish, &mut hands).await?;
        if !acted.changed {
            for node in others {
                match self.look(at, *node).await {
                    Ok(seen) => plan.unsettled.extend(self.plan(wish, &seen).unsettled),
                    Err(error) => return Ok(Err(error)),
                }
            }
        }
        Ok(Ok((plan, acted)))
    }

    async fn look(&self, at: &PoolAddress, node: i32) -> Result<SeenNative, KafkaError> {
        self.platform.kafka.native_of(at, node, USER_PREFIX).await
    }

    fn plan(&self, wish: &Wish, seen: &SeenNative) -> Plan {
        diff(wish, seen, |name, user| {
            self.native.written.has(&wish.cluster_id, name, user)
        })
    }

    /// Is it somebody's Kafka?
    pub(super) fn is_attached(&self, pool: &str) -> bool {
        self.admitted
            .broker_pools
            .iter()
            .any(|it| it.id == pool && it.attached.is_some())
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
