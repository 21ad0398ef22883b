//! Where the sources of sleeping jobs begin and end: asked of the brokers every few seconds, as offsets and nothing else. No record is
//! read, and no group is asked: groups forget.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::driver::{Directory, Shared};
use crate::platform::Platform;
use crate::platform::groups::{Mark, Positions};
use crate::platform::kafka::{Kafka, PoolAddress};
use crate::resources::job::Edges;

/// How often brokers are asked while a job sleeps.
const LOOK: Duration = Duration::from_secs(2);
/// One pool's brokers answer within this time, or did not.
const POOL_MAX: Duration = Duration::from_secs(10);

/// The source of a sleeping job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The topic's id.
    pub topic_id: String,
    /// How many partitions it has.
    pub partitions: u32,
}

/// What is asked, and what was answered.
#[derive(Debug, Default)]
pub struct LogEnds {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    asked: BTreeMap<String, Asked>,
    seen: BTreeMap<String, Edges>,
}

impl LogEnds {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These jobs sleep now, and no others.
    pub fn ask(&self, asked: BTreeMap<String, Asked>) {
        let mut inner = self.inner();
        inner.seen.retain(|job, _edges| asked.contains_key(job));
        inner.asked = asked;
    }

    /// Where a job's source begins and ends, as the last round found it; nothing: not known.
    #[must_use]
    pub fn seen(&self, job: &str) -> Edges {
        self.inner().seen.get(job).cloned().unwrap_or_default()
    }

    fn asked(&self) -> BTreeMap<String, Asked> {
        self.inner().asked.clone()
    }

    /// Takes a round in; says whether it brought news.
    fn found(&self, mut round: BTreeMap<String, Edges>) -> bool {
        let mut inner = self.inner();
        round.retain(|job, _edges| inner.asked.contains_key(job));
        let news = inner.seen != round;
        inner.seen = round;
        news
    }
}

/// What asking needs of the rest of the agent.
pub struct EndsGauge {
    /// The brokers.
    pub kafka: Arc<dyn Kafka>,
    /// Where topics are.
    pub directory: Arc<ArcSwap<Directory>>,
    /// What is asked.
    pub ends: Arc<LogEnds>,
    /// Wakes the driver.
    pub wake: Arc<Notify>,
}

impl EndsGauge {
    /// Of an agent's parts.
    #[must_use]
    pub fn of(platform: &Platform, shared: &Shared) -> Self {
        Self {
            kafka: Arc::clone(&platform.kafka),
            directory: Arc::clone(&shared.directory),
            ends: Arc::clone(&shared.log_ends),
            wake: Arc::clone(&shared.wake),
        }
    }

    /// Asks for ever.
    pub async fn run(self) {
        let mut again = interval(LOOK);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            again.tick().await;
            let asked = self.ends.asked();
            if asked.is_empty() {
                continue;
            }
            let round = round(self.kafka.as_ref(), &asked, &self.directory.load_full()).await;
            if self.ends.found(round) {
                self.wake.notify_one();
            }
        }
    }
}

/// Jobs of a pool: Kafka's name of the source, and its partitions.
type Sources<'a> = BTreeMap<&'a str, (&'a str, u32)>;

/// Every job once, pool by pool.
async fn round(
    kafka: &dyn Kafka,
    asked: &BTreeMap<String, Asked>,
    directory: &Directory,
) -> BTreeMap<String, Edges> {
    let mut pools: BTreeMap<&str, (&PoolAddress, Sources<'_>)> = BTreeMap::new();
    for (job, it) in asked {
        if let Some((pool, name)) = directory.topics.get(&it.topic_id) {
            let of_pool = pools.entry(&pool.pool_id).or_insert((pool, BTreeMap::new()));
            of_pool.1.insert(job, (name, it.partitions));
        }
    }
    let mut found = BTreeMap::new();
    for (pool, jobs) in pools.into_values() {
        let Ok(of_pool) = timeout(POOL_MAX, of_pool(kafka, pool, &jobs)).await else {
            tracing::debug!(
                pool = pool.pool_id,
                "the brokers of a pool did not answer in time: its sleeping jobs sleep on"
            );
            continue;
        };
        found.extend(of_pool);
    }
    found
}

async fn of_pool(kafka: &dyn Kafka, pool: &PoolAddress, jobs: &Sources<'_>) -> BTreeMap<String, Edges> {
    let places = |(name, partitions): &(&str, u32)| {
        let name = (*name).to_owned();
        (0..*partitions).map(move |at| (name.clone(), at))
    };
    let all: BTreeSet<(String, u32)> = jobs.values().flat_map(places).collect();
    if let Some((first, last)) = both(kafka, pool, &all).await {
        let of = |it: &(&str, u32)| edges(places(it), &first, &last);
        return jobs.iter().map(|(job, it)| ((*job).to_owned(), of(it))).collect();
    }
    // A partition without a leader hides the end of those who read it, not of all.
    let mut found = BTreeMap::new();
    for (job, it) in jobs {
        if let Some((first, last)) = both(kafka, pool, &places(it).collect()).await {
            found.insert((*job).to_owned(), edges(places(it), &first, &last));
        }
    }
    found
}

async fn both(
    kafka: &dyn Kafka,
    pool: &PoolAddress,
    places: &BTreeSet<(String, u32)>,
) -> Option<(Positions, Positions)> {
    let first = kafka.offsets_at(pool, places, Mark::Earliest).await.ok()?;
    let last = kafka.offsets_at(pool, places, Mark::Stable).await.ok()?;
    Some((first, last))
}

fn edges(places: impl Iterator<Item = (String, u32)>, first: &Positions, last: &Positions) -> Edges {
    places
        .map(|place| (place.1, (first.get(&place).copied(), last.get(&place).copied())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::fake::FakeKafka;
    use crate::platform::kafka::NewTopic;

    #[tokio::test]
    async fn ends_are_of_the_source_and_of_nobody_who_is_awake() {
        let kafka = FakeKafka::default();
        let pool = PoolAddress {
            pool_id: "pool_1".to_owned(),
            ..PoolAddress::default()
        };
        let topic = NewTopic {
            physical_name: "w1-orders".to_owned(),
            partitions: 2,
            replication_factor: 1,
            configs: BTreeMap::new(),
        };
        kafka.create_topic(&pool, &topic).await.unwrap();
        kafka.set_edges(3, 50);
        let mut directory = Directory::default();
        let place = (pool, "w1-orders".to_owned());
        directory.topics.insert("topic_1".to_owned(), place);
        let asked = |topic: &str| Asked {
            topic_id: topic.to_owned(),
            partitions: 3,
        };
        let ends = LogEnds::default();
        ends.ask(BTreeMap::from([
            ("job_1".to_owned(), asked("topic_1")),
            ("job_2".to_owned(), asked("topic_9")),
        ]));
        let round_of = |asked: BTreeMap<String, Asked>| {
            let (kafka, directory) = (&kafka, &directory);
            async move { round(kafka, &asked, directory).await }
        };
        assert!(ends.found(round_of(ends.asked()).await));
        assert!(!ends.found(round_of(ends.asked()).await), "no news");
        let seen = ends.seen("job_1");
        assert_eq!(seen[&1], (Some(3), Some(50)));
        assert_eq!(seen[&2], (None, None), "a partition that is not there");
        assert!(ends.seen("job_2").is_empty());
        ends.ask(BTreeMap::new());
        assert!(ends.seen("job_1").is_empty());
    }
}
