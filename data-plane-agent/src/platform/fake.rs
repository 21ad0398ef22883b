//! A Kafka and a process table in memory, for tests of this agent and of both planes together.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, ready};
use weir_proto::agent::v1::PartitionExtent;

use super::Platform;
pub use super::fake_groups::FakeGroup;
use super::fake_logs::FakeLogs;
pub use super::fake_native::FakeNative;
use super::kafka::{Kafka, KafkaError, NewTopic, PhysicalId, PoolAddress, SeenTopic};
use super::process::{Ending, Identity, Processes, Program};

/// Kafka's code for a name that is taken.
const TOPIC_ALREADY_EXISTS: i16 = 36;

/// A Kafka in memory. Cloning shares it.
#[derive(Clone, Default)]
pub struct FakeKafka {
    inner: Arc<Mutex<FakeKafkaInner>>,
}

#[derive(Default)]
pub(super) struct FakeKafkaInner {
    pools: BTreeMap<String, BTreeMap<String, SeenTopic>>,
    pub(super) sizes: BTreeMap<String, u64>,
    pub(super) groups: BTreeMap<String, BTreeMap<String, FakeGroup>>,
    pub(super) brokers: Vec<(i32, String, u16)>,
    pub(super) away: bool,
    pub(super) edges: (i64, Option<i64>),
    pub(super) native: BTreeMap<String, FakeNative>,
    pub(super) lawless: bool,
    pub(super) refusing: Option<i16>,
    ids: u64,
    pub(super) log: Vec<String>,
}

impl FakeKafka {
    /// All brokers stop (or start) answering.
    pub fn set_away(&self, away: bool) {
        self.inner().away = away;
    }

    /// Every change is refused with this code, until `None`.
    pub fn set_refusing(&self, code: Option<i16>) {
        self.inner().refusing = code;
    }

    /// Topics whose names end so hold so much.
    pub fn set_size(&self, suffix: &str, bytes: u64) {
        self.inner().sizes.insert(suffix.to_owned(), bytes);
    }

    /// The topics of one pool.
    #[must_use]
    pub fn topics_of(&self, pool: &str) -> BTreeMap<String, SeenTopic> {
        self.inner().pools.get(pool).cloned().unwrap_or_default()
    }

    /// Changes a topic behind the agent's back.
    pub fn meddle(&self, pool: &str, name: &str, change: impl FnOnce(&mut SeenTopic)) {
        if let Some(topic) = self.inner().pools.get_mut(pool).and_then(|it| it.get_mut(name)) {
            change(topic);
        }
    }

    /// Every change that was asked for, in order: `create w..-orders`, `delete w..-orders`, `alter ..`, `partitions ..`.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.inner().log.clone()
    }

    pub(super) fn inner(&self) -> MutexGuard<'_, FakeKafkaInner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reading<T>(
        &self,
        pool: &str,
        read: impl FnOnce(&BTreeMap<String, SeenTopic>) -> T,
    ) -> Result<T, KafkaError> {
        let mut inner = self.inner();
        if inner.away {
            return Err(KafkaError::Unreachable);
        }
        Ok(read(inner.pools.entry(pool.to_owned()).or_default()))
    }

    fn changing<T>(
        &self,
        pool: &str,
        what: String,
        change: impl FnOnce(&mut BTreeMap<String, SeenTopic>, u64) -> Result<T, KafkaError>,
    ) -> Result<T, KafkaError> {
        let mut inner = self.inner();
        if inner.away {
            return Err(KafkaError::Unreachable);
        }
        if let Some(code) = inner.refusing {
            return Err(KafkaError::Refused(code));
        }
        inner.log.push(what);
        inner.ids += 1;
        let id = inner.ids;
        change(inner.pools.entry(pool.to_owned()).or_default(), id)
    }
}

impl Kafka for FakeKafka {
    fn brokers_ready<'a>(&'a self, at: &'a PoolAddress) -> BoxFuture<'a, Result<BTreeSet<i32>, KafkaError>> {
        let ids = at.brokers.iter().map(|(id, _host, _port)| *id).collect();
        Box::pin(ready(self.reading(&at.pool_id, |_topics| ids)))
    }

    fn topics<'a>(
        &'a self,
        at: &'a PoolAddress,
        names: &'a [String],
    ) -> BoxFuture<'a, Result<BTreeMap<String, SeenTopic>, KafkaError>> {
        let found = self.reading(&at.pool_id, |topics| {
            let wanted = topics.iter().filter(|(name, _topic)| names.contains(name));
            wanted
                .map(|(name, topic)| (name.clone(), topic.clone()))
                .collect()
        });
        Box::pin(ready(found))
    }

    fn create_topic<'a>(
        &'a self,
        at: &'a PoolAddress,
        topic: &'a NewTopic,
    ) -> BoxFuture<'a, Result<PhysicalId, KafkaError>> {
        let what = format!("create {}", topic.physical_name);
        let made = self.changing(&at.pool_id, what, |topics, id| {
            if topics.contains_key(&topic.physical_name) {
                return Err(KafkaError::Refused(TOPIC_ALREADY_EXISTS));
            }
            let mut physical_id = [0_u8; 16];
            physical_id[8..].copy_from_slice(&id.to_be_bytes());
            let seen = SeenTopic {
                physical_id,
                partitions: topic.partitions,
                configs: topic.configs.clone(),
            };
            topics.insert(topic.physical_name.clone(), seen);
            Ok(physical_id)
        });
        Box::pin(ready(made))
    }

    fn create_partitions<'a>(
        &'a self,
        at: &'a PoolAddress,
        name: &'a str,
        partitions: u32,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        let done = self.changing(&at.pool_id, format!("partitions {name}"), |topics, _id| {
            let topic = topics.get_mut(name).ok_or(KafkaError::Refused(3))?;
            topic.partitions = partitions;
            Ok(())
        });
        Box::pin(ready(done))
    }

    fn alter_configs<'a>(
        &'a self,
        at: &'a PoolAddress,
        name: &'a str,
        set: &'a BTreeMap<String, String>,
        remove: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        let done = self.changing(&at.pool_id, format!("alter {name}"), |topics, _id| {
            let topic = topics.get_mut(name).ok_or(KafkaError::Refused(3))?;
            topic.configs.retain(|name, _value| !remove.contains(name));
            topic.configs.extend(set.clone());
            Ok(())
        });
        Box::pin(ready(done))
    }

    fn delete_topic<'a>(
        &'a self,
        at: &'a PoolAddress,
        id: PhysicalId,
    ) -> BoxFuture<'a, Result<(), KafkaError>> {
        let name = self
            .topics_of(&at.pool_id)
            .into_iter()
            .find(|(_name, topic)| topic.physical_id == id)
            .map_or_else(|| "nothing".to_owned(), |(name, _topic)| name);
        let done = self.changing(&at.pool_id, format!("delete {name}"), |topics, _id| {
            topics.retain(|_name, topic| topic.physical_id != id);
            Ok(())
        });
        Box::pin(ready(done))
    }

    fn sizes<'a>(&'a self, at: &'a PoolAddress) -> BoxFuture<'a, Result<BTreeMap<String, u64>, KafkaError>> {
        let sizes = self.inner().sizes.clone();
        let of = |name: &String| {
            let set = sizes
                .iter()
                .find(|(suffix, _bytes)| name.ends_with(suffix.as_str()));
            set.map_or(0, |(_suffix, bytes)| *bytes)
        };
        let found = self.reading(&at.pool_id, |topics| {
            topics.keys().map(|name| (name.clone(), of(name))).collect()
        });
        Box::pin(ready(found))
    }

    fn extent<'a>(
        &'a self,
        at: &'a PoolAddress,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<Vec<PartitionExtent>>, KafkaError>> {
        let found = self.reading(&at.pool_id, |topics| {
            let empty = |partition| PartitionExtent {
                partition,
                ..Default::default()
            };
            topics
                .get(name)
                .map(|topic| (0..topic.partitions).map(empty).collect())
        });
        Box::pin(ready(found))
    }
}

/// A process table in memory. Cloning shares it, as restarts of an agent share a machine.
#[derive(Clone, Default)]
pub struct FakeProcesses {
    inner: Arc<Mutex<FakeProcessesInner>>,
}

#[derive(Default)]
struct FakeProcessesInner {
    running: BTreeMap<i32, Program>,
    started: Vec<String>,
    stubborn: bool,
}

impl FakeProcesses {
    /// Processes that ignore the polite signal.
    #[must_use]
    pub fn stubborn() -> Self {
        let fake = Self::default();
        fake.inner().stubborn = true;
        fake
    }

    /// Ends a child by itself, as a crash does.
    pub fn crash(&self, name: &str) {
        self.inner().running.retain(|_pid, program| program.name != name);
    }

    /// Does a child of this name run?
    #[must_use]
    pub fn is_alive(&self, name: &str) -> bool {
        self.inner().running.values().any(|program| program.name == name)
    }

    /// The names of everything ever started, in order; runs to an end included.
    #[must_use]
    pub fn started(&self) -> Vec<String> {
        self.inner().started.clone()
    }

    fn inner(&self) -> MutexGuard<'_, FakeProcessesInner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn identity(pid: i32) -> Identity {
    Identity {
        pid,
        started_ticks: u64::from(pid.unsigned_abs()),
        boot_id: "fake".to_owned(),
    }
}

impl Processes for FakeProcesses {
    fn spawn(&self, program: &Program) -> io::Result<Identity> {
        let mut inner = self.inner();
        inner.started.push(program.name.clone());
        let pid = i32::try_from(1000 + inner.started.len()).map_err(io::Error::other)?;
        inner.running.insert(pid, program.clone());
        Ok(identity(pid))
    }

    fn alive(&self, identity: &Identity) -> bool {
        self.inner().running.contains_key(&identity.pid)
    }

    fn find(&self, tag: &str) -> Option<Identity> {
        let inner = self.inner();
        let (pid, _program) = inner.running.iter().find(|(_pid, program)| program.tag == tag)?;
        Some(identity(*pid))
    }

    fn end(&self, identity: &Identity, how: Ending) -> io::Result<()> {
        let mut inner = self.inner();
        if how == Ending::Kill || !inner.stubborn {
            inner.running.remove(&identity.pid);
        }
        Ok(())
    }

    fn run<'a>(&'a self, program: &'a Program, _limit: Duration) -> BoxFuture<'a, io::Result<bool>> {
        self.inner().started.push(program.name.clone());
        Box::pin(ready(Ok(true)))
    }
}

/// Both fakes, and the platform over them.
#[must_use]
pub fn platform() -> (Platform, FakeKafka, FakeProcesses) {
    let (kafka, processes) = (FakeKafka::default(), FakeProcesses::default());
    let platform = Platform {
        kafka: Arc::new(kafka.clone()),
        logs: Arc::new(FakeLogs::default()),
        processes: Arc::new(processes.clone()),
    };
    (platform, kafka, processes)
}
