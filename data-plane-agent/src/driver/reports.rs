//! The driver's part for statuses: what is wished beside what is, on the board that the link reads.

use std::collections::{BTreeMap, BTreeSet};

use weir_proto::agent::v1::{Cluster, Generation, ItemStatus, Phase, Reason, Topic};

use super::Driver;
use crate::desired::Held;
use crate::link::ledger::unix_ms;
use crate::resources::broker_pool::Room;
use crate::resources::topic::Outcome;
use crate::resources::{Served, api_key, broker_pool, cluster, compute_pool, job, native, quota, topic};

const UNKNOWN: Outcome = Outcome {
    stuck: None,
    exists: false,
    buried: false,
    drifted: false,
    refused: false,
    partitions: 0,
};

impl Driver {
    /// Writes the board anew; the link tells what differs.
    pub(super) fn report(&mut self, held: Option<&Held>) {
        let mut items = BTreeMap::new();
        let observed = held.map_or(Generation { epoch: 0, n: 0 }, |held| held.generation);
        if let Some(held) = held {
            for status in self.statuses(held) {
                items.insert(status.id.clone(), status);
            }
        }
        for status in items.values() {
            if status.phase() == Phase::Ready {
                self.ever_ready.insert(status.id.clone());
            }
        }
        self.ever_ready.retain(|id| items.contains_key(id));
        let applied = (!self.unsettled).then_some(observed);
        let gateways_live = self.shared.gateways.live();
        self.shared.board.send_if_modified(|board| {
            let mut next = board.clone();
            next.applied = applied.unwrap_or(next.applied);
            next.gateways_live = gateways_live;
            next.items = items;
            let modified = next != *board;
            *board = next;
            modified
        });
    }

    fn served(&self, id: &str) -> Served {
        self.shared.gateways.served(self.publisher.since(id))
    }

    /// In native mode nobody stands between clients and brokers.
    fn served_in(&self, cluster_id: &str, id: &str) -> Served {
        if self.is_native(cluster_id) {
            Served::Direct
        } else {
            self.served(id)
        }
    }

    fn statuses(&self, held: &Held) -> Vec<ItemStatus> {
        let mut all = self.pool_statuses(held);
        all.extend(self.cluster_statuses(held));
        all.extend(self.topic_statuses(held));
        all.extend(self.key_statuses(held));
        all.extend(self.quota_statuses(held));
        all.extend(self.compute_pool_statuses(held));
        all.extend(self.job_statuses(held));
        all
    }

    fn topic_statuses(&self, held: &Held) -> Vec<ItemStatus> {
        let admitted: BTreeMap<&str, &Topic> = self
            .admitted
            .topics
            .iter()
            .map(|it| (it.id.as_str(), it))
            .collect();
        let topics = held.state.topics.iter().map(|wish| {
            let mut outcome = self.outcomes.get(&wish.id).copied().unwrap_or(UNKNOWN);
            if self.data_keys.is_shut(&wish.id) {
                outcome.stuck = outcome.stuck.or(Some(Reason::KeyMissing));
            }
            topic::status(
                wish,
                admitted.get(wish.id.as_str()).copied(),
                self.refused.contains(&wish.id),
                outcome,
                self.served_in(&wish.cluster_id, &wish.id),
                self.ever_ready.contains(&wish.id),
                held.generation,
            )
        });
        topics.collect()
    }

    fn key_statuses(&self, held: &Held) -> Vec<ItemStatus> {
        let policy = self.policy.current();
        let let_in: BTreeSet<&str> = self.admitted.api_keys.iter().map(|it| it.id.as_str()).collect();
        let keys = held.state.api_keys.iter().map(|wish| {
            let (id, admitted) = (wish.id.as_str(), let_in.contains(wish.id.as_str()));
            let (refused, was_ready) = (self.refused.contains(id), self.ever_ready.contains(id));
            match self.native.clusters.get(&wish.cluster_id) {
                Some(native) => native::key_status(
                    wish,
                    admitted,
                    refused || native.forbids(id),
                    native.of_key(id),
                    was_ready,
                    held.generation,
                ),
                None => {
                    let served = self.served(id);
                    let status = api_key::status(wish, admitted, refused, served, was_ready, held.generation);
                    let confirmed = self.is_confirmed(wish, &policy);
                    api_key::confirmed(status, confirmed)
                }
            }
        });
        keys.collect()
    }

    fn quota_statuses(&self, held: &Held) -> Vec<ItemStatus> {
        let kept: BTreeSet<&str> = self.admitted.quotas.iter().map(|it| it.id.as_str()).collect();
        let quotas = held.state.quotas.iter().map(|wish| {
            let (id, admitted) = (wish.id.as_str(), kept.contains(wish.id.as_str()));
            let (refused, was_ready) = (self.refused.contains(id), self.ever_ready.contains(id));
            let Some(native) = self.native.clusters.get(&wish.cluster_id) else {
                let served = self.served(id);
                let item = quota::status(wish, admitted, refused, served, was_ready, held.generation);
                return quota::remarked(item, self.shared.storage.remark(id));
            };
            let (served, stopped, keys_max) = native.of_quota(&wish.principal_ids);
            native::quota_status(
                wish,
                admitted,
                refused || stopped,
                served,
                keys_max,
                was_ready,
                held.generation,
            )
        });
        quotas.collect()
    }

    fn compute_pool_statuses(&self, held: &Held) -> Vec<ItemStatus> {
        let pools = held.state.compute_pools.iter().map(|wish| {
            let admitted = self.admitted.compute_pools.iter().find(|it| it.id == wish.id);
            let (refused, left) = (self.refused.contains(&wish.id), self.workers_in(&wish.id));
            compute_pool::status(wish, admitted, refused, left, held.generation, unix_ms())
        });
        pools.collect()
    }

    fn job_statuses(&self, held: &Held) -> Vec<ItemStatus> {
        let jobs = held.state.jobs.iter().map(|wish| {
            let (stage, refused) = (self.jobs.stage(&wish.id), self.refused.contains(&wish.id));
            job::status(wish, stage, refused, self.served_job(&wish.id), held.generation)
        });
        jobs.collect()
    }

    fn pool_statuses(&self, held: &Held) -> Vec<ItemStatus> {
        let pools = held.state.broker_pools.iter().map(|wish| {
            let room = self.rooms.get(&wish.id);
            let admitted = self.admitted.broker_pools.iter().find(|it| it.id == wish.id);
            // An id that could not name a folder has no room.
            let stuck = match room {
                None if admitted.is_some_and(|it| !it.deleted) => Some(Reason::Unsupported),
                room => room.and_then(|room| room.stuck),
            };
            broker_pool::status(
                wish,
                admitted,
                self.refused.contains(&wish.id) || room.is_some_and(|room| room.refused),
                stuck,
                room.is_none_or(Room::is_gone),
                room.map_or(0, Room::brokers_ready),
                room.is_some_and(|room| room.was_ready),
                held.generation,
            )
        });
        pools.collect()
    }

    fn cluster_statuses(&self, held: &Held) -> Vec<ItemStatus> {
        let admitted: BTreeMap<&str, &Cluster> = self
            .admitted
            .clusters
            .iter()
            .map(|it| (it.id.as_str(), it))
            .collect();
        let mut left: BTreeMap<&str, usize> = BTreeMap::new();
        for topic in &self.admitted.topics {
            if self.records.get(&topic.id).is_none_or(|it| !it.buried) {
                *left.entry(&topic.cluster_id).or_default() += 1;
            }
        }
        let clusters = held.state.clusters.iter().map(|wish| {
            let pool = self.rooms.get(&wish.broker_pool_id);
            let native = self.native.clusters.get(&wish.id);
            let was_ready = self.ever_ready.contains(&wish.id);
            let answers = pool.is_some_and(|room| room.brokers_ready() > 0);
            // Brokers that are about to start anew do not take its clients yet.
            let opened = pool.is_some_and(|room| was_ready || !room.restless);
            let address = match (native, pool) {
                (None, _any) => {
                    let domain = self.config.gateway_listener.sni_domain.as_ref();
                    let named = domain.and_then(|it| it.front(&wish.id));
                    let host = named.unwrap_or_else(|| self.config.advertised_host.clone());
                    Some((host, self.config.ports.gateway()))
                }
                (Some(_native), Some(room)) => {
                    room.native_address(self.config.ports, &self.config.advertised_host)
                }
                (Some(_native), None) => None,
            };
            let (host, port) = address.unwrap_or_default();
            let in_kafka = native.is_some_and(|it| !it.empty);
            let seen = cluster::Seen {
                pool_ready: answers && (native.is_none() || opened),
                topics_left: left.get(wish.id.as_str()).copied().unwrap_or(0) + usize::from(in_kafka),
                stuck: native.and_then(|it| it.stuck),
                served: self.served_in(&wish.id, &wish.id),
                was_ready,
                bootstrap: (&host, port),
            };
            cluster::status(
                wish,
                admitted.get(wish.id.as_str()).copied(),
                self.refused.contains(&wish.id),
                seen,
                held.generation,
            )
        });
        clusters.collect()
    }
}
