//! A link over brokers in memory, for tests.

use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use weir_proto::agent::v1::{ClusterLinkEnd, ClusterLinkStatus, Phase, Reason};

use super::plan::{Goes, Route};
use super::*;
use crate::dead_letters::walk;
use crate::gateway::contract::samples::{Sample, batch};
use crate::gateway::contract::unpack::Codec;
use crate::platform::fake;
use crate::platform::fake_logs::FakeLogs;
use crate::platform::kafka::PoolAddress;

pub const COPY: &str = "w01d-orders";
pub const OWNER: &str = "w1-link";
pub const LONG: Duration = Duration::from_secs(40);

pub fn route(latest: bool) -> Route {
    Route {
        topic_id: "topic_1".to_owned(),
        copy: COPY.to_owned(),
        source: "orders".to_owned(),
        latest,
    }
}

pub fn plan(routes: Vec<Route>) -> Plan {
    let pool = PoolAddress {
        pool_id: "pool_1".to_owned(),
        brokers: vec![(1, "near.test".to_owned(), 1)],
        ..PoolAddress::default()
    };
    Plan {
        link_id: "link_1".to_owned(),
        owner: OWNER.to_owned(),
        goes: Goes::On,
        here: pool.clone(),
        there: pool,
        routes,
        waiting: Vec::new(),
    }
}

pub struct Scene {
    pub logs: FakeLogs,
    pub folder: TempDir,
    pub ground: Ground,
    pub platform: Platform,
}

/// Links of which there are none.
pub fn idle(folder: &Path) -> Arc<Links> {
    let (platform, _kafka, _processes) = fake::platform();
    Links::open(&platform, &Ground::default(), folder, CancellationToken::new())
}

pub struct Process {
    pub links: Arc<Links>,
    pub task: JoinHandle<()>,
    pub stop: CancellationToken,
}

impl Process {
    /// As a kill does: at whatever step it is.
    pub fn kill(&self) {
        self.task.abort();
    }
}

impl Scene {
    pub fn new(partitions: i32) -> Self {
        let logs = FakeLogs::default();
        logs.make("orders", partitions);
        logs.make(COPY, partitions);
        let (mut platform, _kafka, _processes) = fake::platform();
        platform.logs = Arc::new(logs.clone());
        let ground = Ground::default();
        let key = ("link_1".to_owned(), i32::from(ClusterLinkEnd::Target));
        ground.reports.named(None, &[key]);
        Self {
            logs,
            folder: tempfile::tempdir().unwrap(),
            ground,
            platform,
        }
    }

    pub fn wish(&self, plan: Option<Plan>) {
        let plans: Plans = plan.into_iter().map(|it| (it.link_id.clone(), it)).collect();
        self.ground.plans.send_replace(Some(Arc::new(plans)));
    }

    /// One worker by itself, so that a kill stops it at any step.
    pub fn start(&self) -> Process {
        let stop = CancellationToken::new();
        let links = Links::open(&self.platform, &self.ground, self.folder.path(), stop.clone());
        std::fs::create_dir_all(&links.common.folder).unwrap();
        let worker = Worker::new(links.common.clone(), plan(vec![route(false)]), stop.clone());
        Process {
            links,
            task: tokio::spawn(worker.run()),
            stop,
        }
    }

    /// All of it, by the plans.
    pub fn start_all(&self) -> Process {
        let stop = CancellationToken::new();
        let links = Links::open(&self.platform, &self.ground, self.folder.path(), stop.clone());
        std::fs::create_dir_all(&links.common.folder).unwrap();
        let task = tokio::spawn(Arc::clone(&links).run());
        Process { links, task, stop }
    }

    pub fn put(&self, partition: i32, values: &[&str]) {
        let records: Vec<Sample> = values.iter().map(|it| sample(it)).collect();
        self.logs.put("orders", partition, &batch(Codec::Zstd, &records));
    }

    /// What a reader of the copy sees of a partition.
    pub fn copied(&self, partition: i32) -> Vec<String> {
        let mut all = Vec::new();
        walk(&self.logs.look(COPY, partition), 0, &mut |_at, record, _codec| {
            all.push(String::from_utf8(record.value.unwrap().to_vec()).unwrap());
            true
        });
        all
    }

    pub async fn until(&self, what: &str, look: impl Fn() -> bool) {
        let until = Instant::now() + LONG;
        while !look() {
            let (status, copied) = (self.status(), self.copied(0));
            assert!(Instant::now() < until, "{what}: {copied:?} {status:?}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn status(&self) -> ClusterLinkStatus {
        let end = i32::from(ClusterLinkEnd::Target);
        self.ground.reports.of("link_1", end).unwrap_or_default()
    }

    pub fn goes(&self, phase: Phase, reason: Reason) -> bool {
        let status = self.status();
        (status.phase(), status.reason()) == (phase, reason)
    }
}

pub fn sample(value: &str) -> Sample {
    Sample::of(Some(b"k"), Some(value.as_bytes()))
}

/// Batches, transactions that hold and one that does not, over two partitions.
pub fn fill(scene: &Scene) {
    scene.put(0, &["a0", "a1"]);
    let some = |value: &str| batch(Codec::None, &[sample(value)]);
    scene
        .logs
        .put_in_transaction("orders", 1, &some("gone"), Some(false));
    scene
        .logs
        .put_in_transaction("orders", 2, &some("a2"), Some(true));
    scene.put(1, &["b0"]);
    scene.put(0, &["a3"]);
}

pub const FILLED: [&[&str]; 2] = [&["a0", "a1", "a2", "a3"], &["b0"]];
