//! The driver's part for topics: one look at Kafka per pool, then each topic's difference, tombstones first.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use tokio::time::Instant;
use weir_proto::agent::v1::{DesiredState, Reason, Topic};

use super::native::is_native;
use super::{Driver, FRESH};
use crate::platform::kafka::{PoolAddress, SeenTopic};
use crate::policy::Policy;
use crate::resources::topic::{Action, Done, Names, Outcome, Seen, act, diff, reason};

/// A topic of which nothing is left to do.
const GONE: Outcome = Outcome {
    stuck: None,
    exists: false,
    buried: true,
    drifted: false,
    refused: false,
    partitions: 0,
};

/// What a topic's place looks like before anything is done.
pub(super) enum Place {
    /// Its pool can be asked.
    At(Box<PoolAddress>),
    /// Its pool is there but not ready.
    NotReady,
    /// There is no such pool, and there never will be by itself.
    Nowhere,
}

/// What is shown has the partitions of what it shows: jobs that read it are as wide, and wake for all of them.
pub(super) fn show(state: &mut DesiredState) {
    if state.topics.iter().all(|it| it.mount.is_none()) {
        return;
    }
    let own = state.topics.iter().filter(|it| it.mount.is_none());
    let partitions: BTreeMap<String, u32> = own.map(|it| (it.id.clone(), it.partitions)).collect();
    for topic in &mut state.topics {
        if let Some(mount) = &topic.mount {
            topic.partitions = partitions.get(&mount.topic_id).copied().unwrap_or(0);
        }
    }
}

impl Driver {
    pub(super) async fn turn_topics(&mut self, policy: &Policy, changed: bool) -> io::Result<()> {
        let now = Instant::now();
        let fresh = self.observed_at.is_some_and(|at| now.duration_since(at) < FRESH);
        let settled = self
            .outcomes
            .values()
            .all(|it| it.stuck.is_none() && !it.drifted && (it.exists || it.buried));
        if !changed && fresh && settled && self.outcomes.len() == self.admitted.topics.len() {
            return Ok(());
        }
        self.observed_at = Some(now);
        let pools: BTreeMap<&str, &str> = self
            .admitted
            .clusters
            .iter()
            .map(|cluster| (cluster.id.as_str(), cluster.broker_pool_id.as_str()))
            .collect();
        let mut by_pool: BTreeMap<String, Vec<Topic>> = BTreeMap::new();
        for topic in &self.admitted.topics {
            if topic.adopted && topic.deleted {
                // Nothing is done to it: it may be let go of while its Kafka is away.
                self.records.bury(&topic.id)?;
                self.outcomes.insert(topic.id.clone(), GONE);
                continue;
            }
            if topic.mount.is_some() {
                // After those that it may show.
                continue;
            }
            let pool = pools.get(topic.cluster_id.as_str()).copied().unwrap_or_default();
            by_pool.entry(pool.to_owned()).or_default().push(topic.clone());
        }
        for (pool, mut topics) in by_pool {
            topics.sort_by_key(|topic| !topic.deleted);
            match self.place(&pool) {
                Place::At(at) => self.topics_of_pool(&at, topics, policy).await?,
                Place::NotReady => self.all_stuck(&topics, Reason::PoolNotReady),
                Place::Nowhere => {
                    for topic in topics.iter().filter(|topic| topic.deleted) {
                        // Its pool is gone with all that was in it.
                        self.records.bury(&topic.id)?;
                    }
                    self.all_stuck(&topics, Reason::Unsupported);
                }
            }
        }
        self.turn_mounts()
    }

    /// What only shows another topic stands as that one does; nothing is ever done to it.
    fn turn_mounts(&mut self) -> io::Result<()> {
        let mounts: Vec<Topic> = self
            .admitted
            .topics
            .iter()
            .filter(|it| it.mount.is_some())
            .cloned()
            .collect();
        for topic in mounts {
            let outcome = if topic.deleted {
                self.records.bury(&topic.id)?;
                GONE
            } else {
                let shown = topic
                    .mount
                    .as_ref()
                    .and_then(|it| self.outcomes.get(&it.topic_id));
                let shown = shown.filter(|it| it.exists).copied();
                Outcome {
                    stuck: shown.is_none().then_some(Reason::SourceMissing),
                    exists: shown.is_some(),
                    partitions: shown.map_or(0, |it| it.partitions),
                    buried: false,
                    ..GONE
                }
            };
            self.outcomes.insert(topic.id.clone(), outcome);
        }
        Ok(())
    }

    pub(super) fn place(&self, pool: &str) -> Place {
        let wished = self
            .admitted
            .broker_pools
            .iter()
            .any(|it| it.id == pool && !it.deleted);
        match self.rooms.get(pool) {
            Some(room) if room.brokers_ready() > 0 => match room.address(self.config.ports) {
                Some(at) => Place::At(Box::new(at)),
                None => Place::NotReady,
            },
            Some(room) if !room.is_gone() || wished => Place::NotReady,
            _gone => Place::Nowhere,
        }
    }

    fn all_stuck(&mut self, topics: &[Topic], reason: Reason) {
        for topic in topics {
            let buried = self.records.get(&topic.id).is_some_and(|it| it.buried);
            let before = self.outcomes.get(&topic.id);
            let outcome = Outcome {
                stuck: Some(reason).filter(|_| !buried),
                exists: before.is_some_and(|it| it.exists) && !topic.deleted,
                buried,
                drifted: false,
                refused: false,
                partitions: before.map_or(0, |it| it.partitions),
            };
            self.outcomes.insert(topic.id.clone(), outcome);
            self.unsettled |= !buried && reason != Reason::Unsupported;
        }
    }

    async fn topics_of_pool(
        &mut self,
        at: &PoolAddress,
        topics: Vec<Topic>,
        policy: &Policy,
    ) -> io::Result<()> {
        let names: BTreeSet<String> = topics.iter().map(|topic| topic.physical_name.clone()).collect();
        let names: Vec<String> = names.into_iter().collect();
        let mut found = match self.platform.kafka.topics(at, &names).await {
            Ok(found) => found,
            Err(error) => {
                self.all_stuck(&topics, reason(error));
                return Ok(());
            }
        };
        let mut tombs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut claimed: BTreeSet<&str> = BTreeSet::new();
        for topic in &topics {
            if topic.deleted {
                tombs.entry(&topic.physical_name).or_default().push(&topic.id);
            } else {
                claimed.insert(&topic.physical_name);
            }
        }
        for topic in &topics {
            let name = topic.physical_name.as_str();
            let unburied = |id: &&str| self.records.get(id).is_none_or(|it| !it.buried);
            let name_condemned =
                !topic.deleted && tombs.get(name).is_some_and(|ids| ids.iter().any(unburied));
            let name_claimed = claimed.contains(name);
            let outcome = self
                .one_topic(at, topic, &mut found, name_condemned, name_claimed, policy)
                .await?;
            self.settle(topic, outcome);
        }
        Ok(())
    }

    /// Whose the names of a topic's cluster are.
    fn names(&self, topic: &Topic) -> Names {
        let clusters = &self.admitted.clusters;
        let native = clusters
            .iter()
            .find(|it| it.id == topic.cluster_id && is_native(it));
        match native {
            None => Names::Prefixed,
            Some(cluster) => Names::Kafkas {
                shared: self.is_attached(&cluster.broker_pool_id),
            },
        }
    }

    /// Takes the steps of one topic and says how it stands after them.
    async fn one_topic(
        &mut self,
        at: &PoolAddress,
        topic: &Topic,
        found: &mut BTreeMap<String, SeenTopic>,
        name_condemned: bool,
        name_claimed: bool,
        policy: &Policy,
    ) -> io::Result<Outcome> {
        let seen = found.get(&topic.physical_name).cloned();
        let actions = diff(
            topic,
            &Seen {
                topic: seen.as_ref(),
                record: self.records.get(&topic.id),
                name_condemned,
                name_claimed,
                names: self.names(topic),
                begun: self.records.is_begun(&topic.id),
            },
        );
        let mends = |action: &Action| {
            matches!(
                action,
                Action::Create(_) | Action::Grow(_) | Action::Configure { .. }
            )
        };
        let drifted = self.fulfilled.get(&topic.id) == Some(topic) && actions.iter().any(mends);
        if drifted {
            tracing::warn!(topic = topic.id, "a topic drifted away from its wish");
        }
        let mut outcome = Outcome {
            stuck: None,
            exists: seen.is_some() && !topic.deleted,
            buried: false,
            drifted,
            refused: false,
            partitions: seen.map_or(0, |it| it.partitions),
        };
        for action in &actions {
            match act(
                action,
                topic,
                policy,
                self.platform.kafka.as_ref(),
                at,
                &mut self.records,
            )
            .await?
            {
                Done::Yes => carried_out(&mut outcome, action, &topic.physical_name, found),
                Done::Later => self.unsettled = true,
                Done::No(reason) => outcome.stuck = Some(reason),
                Done::Forbidden => outcome.refused = true,
            }
        }
        outcome.buried = self.records.get(&topic.id).is_some_and(|it| it.buried);
        Ok(outcome)
    }

    fn settle(&mut self, topic: &Topic, outcome: Outcome) {
        match outcome.stuck {
            Some(Reason::KafkaUnreachable | Reason::PoolNotReady) => self.unsettled = true,
            Some(_lasting) => self.obstructed = true,
            None if outcome.drifted => self.unsettled = true,
            None => {}
        }
        if outcome.exists && outcome.stuck.is_none() && !outcome.refused {
            self.fulfilled.insert(topic.id.clone(), topic.clone());
        }
        self.outcomes.insert(topic.id.clone(), outcome);
    }
}

/// What an action that was carried out changed.
fn carried_out(
    outcome: &mut Outcome,
    action: &Action,
    physical_name: &str,
    found: &mut BTreeMap<String, SeenTopic>,
) {
    match action {
        Action::Create(new) => {
            outcome.exists = true;
            outcome.partitions = new.partitions;
        }
        Action::Grow(partitions) => outcome.partitions = *partitions,
        Action::Destroy(_) => {
            found.remove(physical_name);
        }
        Action::Adopt(_) | Action::Configure { .. } | Action::Bury | Action::Wait | Action::Refuse(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_proto::agent::v1::Mount;

    #[test]
    fn what_is_shown_is_as_wide_as_what_it_shows() {
        let topic = |id: &str, partitions, of: Option<&str>| Topic {
            id: id.to_owned(),
            partitions,
            mount: of.map(|it| Mount {
                topic_id: it.to_owned(),
                ..Mount::default()
            }),
            ..Topic::default()
        };
        let mut state = DesiredState {
            topics: vec![
                topic("a", 0, Some("b")),
                topic("b", 6, None),
                topic("c", 9, Some("gone")),
                topic("d", 9, Some("a")),
            ],
            ..DesiredState::default()
        };
        show(&mut state);
        let wide: Vec<u32> = state.topics.iter().map(|it| it.partitions).collect();
        assert_eq!(wide, [6, 6, 0, 0]);
    }
}
