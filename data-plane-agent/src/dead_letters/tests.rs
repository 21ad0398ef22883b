//! The copier over brokers in memory that fail and stop answering at every step.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use weir_proto::lane::v1::{Snapshot, Upstream};

use super::routes::tests::{ORDERS, snapshot, topic};
use super::scan::walk;
use super::{Copier, DeadLetters, Post, routes};
use crate::driver::Directory;
use crate::gateway::contract::mark;
use crate::gateway::contract::samples::{Sample, batch};
use crate::gateway::contract::unpack::Codec;
use crate::platform::fake_logs::{FakeLogs, When};
use crate::platform::kafka::PoolAddress;

const SOURCE: &str = "w01h2xcejqtf2nbrexx3vqjhp41-orders";
const TARGET: &str = "w01h2xcejqtf2nbrexx3vqjhp41-letters";
const LONG: Duration = Duration::from_secs(30);

fn served(targets: bool) -> Snapshot {
    let mut topics = vec![topic(ORDERS, "orders", Some("topic_dead"))];
    if targets {
        topics.push(topic("topic_dead", "letters", None));
    }
    Snapshot {
        upstreams: vec![Upstream {
            broker_pool_id: "pool_1".to_owned(),
            ..Upstream::default()
        }],
        ..snapshot(topics)
    }
}

fn good(value: &str) -> Sample {
    Sample::of(Some(b"k"), Some(value.as_bytes())).with(&[("own", Some(b"1"))])
}

fn bad(value: &str) -> Sample {
    good(value).with(&[
        (mark::KIND, Some(b"CONDITION")),
        (mark::PART, Some(b"VALUE")),
        (mark::RULE, Some(b"positive")),
        (mark::REASON, Some(b"the condition positive does not hold")),
        (mark::WITHHELD, Some(b"DLQ")),
    ])
}

struct Scene {
    logs: FakeLogs,
    snapshot: watch::Sender<Arc<Snapshot>>,
    directory: Arc<ArcSwap<Directory>>,
    status: Arc<DeadLetters>,
}

impl Scene {
    fn new(partitions: i32) -> Self {
        let logs = FakeLogs::default();
        logs.make(SOURCE, partitions);
        logs.make(TARGET, 2);
        let pool = PoolAddress {
            pool_id: "pool_1".to_owned(),
            ..PoolAddress::default()
        };
        let snapshot = served(true);
        let directory = Directory::of(&snapshot, &BTreeMap::from([("pool_1".to_owned(), pool)]));
        Self {
            logs,
            snapshot: watch::Sender::new(Arc::new(snapshot)),
            directory: Arc::new(ArcSwap::from_pointee(directory)),
            status: Arc::default(),
        }
    }

    fn start(&self) -> JoinHandle<()> {
        let copier = Copier {
            post: Post {
                logs: Arc::new(self.logs.clone()),
                snapshot: self.snapshot.subscribe(),
                directory: Arc::clone(&self.directory),
            },
            status: Arc::clone(&self.status),
        };
        tokio::spawn(copier.run())
    }

    /// What a reader of the dead-letter topic sees: (origin, value, names of headers).
    fn letters(&self) -> Vec<(String, String, Vec<String>)> {
        let mut all = Vec::new();
        for partition in 0..2 {
            let read = self.logs.look(TARGET, partition);
            walk(&read, 0, &mut |_at, record, _codec| {
                let header = |name| String::from_utf8(record.last_header(name).unwrap().to_vec()).unwrap();
                let origin = format!(
                    "{}:{}",
                    header(super::headers::ORIGIN_PARTITION),
                    header(super::headers::ORIGIN_OFFSET)
                );
                let value = record.value.map(|it| String::from_utf8(it.to_vec()).unwrap());
                let names = record
                    .headers()
                    .map(|(name, _value)| String::from_utf8(name.to_vec()).unwrap());
                all.push((origin, value.unwrap_or_default(), names.collect()));
                true
            });
        }
        all
    }

    fn values(&self) -> Vec<String> {
        self.letters().into_iter().map(|it| it.1).collect()
    }

    async fn until_there_are(&self, count: usize, what: &str) -> Vec<String> {
        let until = Instant::now() + LONG;
        loop {
            let values = self.values();
            if values.len() >= count {
                return values;
            }
            assert!(
                Instant::now() < until,
                "{what}: {values:?} {:?}",
                self.status.list()
            );
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn fill(&self) {
        for (codec, at) in [(Codec::None, 0), (Codec::Gzip, 2), (Codec::Zstd, 4)] {
            let some = [
                good("good"),
                bad(&format!("a{at}")),
                bad(&format!("a{}", at + 1)),
                good("good"),
            ];
            self.logs.put(SOURCE, 0, &batch(codec, &some));
        }
        self.logs
            .put(SOURCE, 0, &batch(Codec::None, &[good("good"), good("good")]));
        self.logs.put(SOURCE, 1, &batch(Codec::Snappy, &[bad("b0")]));
    }
}

const FILLED: [&str; 7] = ["a0", "a1", "a2", "a3", "a4", "a5", "b0"];

#[tokio::test]
async fn letters_are_the_records_as_they_were_sent_and_say_why() {
    let scene = Scene::new(2);
    scene.fill();
    let running = scene.start();
    assert_eq!(scene.until_there_are(7, "letters").await, FILLED);
    let letters = scene.letters();
    assert_eq!(letters[0].0, "0:1");
    assert_eq!(
        letters[0].2,
        [
            "own",
            "__rule.name",
            "__rule.mode",
            "__rule.subject",
            "__rule.topic",
            "__rule.exception",
            "__weir.origin.partition",
            "__weir.origin.offset",
            "__weir.origin.timestamp",
        ]
    );
    let row = scene.status.list().remove(0);
    assert_eq!((row.copied, row.too_large, row.left_out), (7, 0, 0));
    assert_eq!((row.behind_records, row.waits_for), (Some(0), None));
    running.abort();
}

#[tokio::test]
async fn whatever_fails_or_ends_at_any_step_each_letter_is_there_once() {
    let calls = {
        let scene = Scene::new(2);
        scene.fill();
        let running = scene.start();
        scene.until_there_are(7, "undisturbed").await;
        running.abort();
        scene.logs.calls()
    };
    let last = calls.iter().position(|it| *it == "end").unwrap();
    assert!(last >= 8, "{calls:?}");
    let cases = (0..=last + 1).flat_map(|at| {
        [When::Before, When::After, When::StuckBefore, When::StuckAfter].map(|when| (at, when))
    });
    let runs = cases.map(|(at, when)| async move {
        let scene = Scene::new(2);
        scene.fill();
        scene.logs.fail(at, when);
        let first = scene.start();
        let until = Instant::now() + LONG;
        while scene.logs.calls().len() <= at {
            assert!(Instant::now() < until);
            sleep(Duration::from_millis(5)).await;
        }
        // A process that stopped answering is replaced by another; one that was told of an error goes on.
        let second = matches!(when, When::StuckBefore | When::StuckAfter).then(|| {
            first.abort();
            scene.start()
        });
        let what = format!("{at} {when:?}");
        assert_eq!(scene.until_there_are(7, &what).await, FILLED, "{what}");
        scene
            .logs
            .put(SOURCE, 1, &batch(Codec::None, &[bad("later"), good("good")]));
        let values = scene.until_there_are(8, &what).await;
        assert_eq!((values.len(), values[7].as_str()), (8, "later"), "{what}");
        first.abort();
        second.iter().for_each(JoinHandle::abort);
    });
    join_all(runs).await;
}

#[tokio::test]
async fn two_agents_at_once_copy_nothing_twice() {
    let scene = Scene::new(2);
    scene.fill();
    let both = [scene.start(), scene.start()];
    scene.until_there_are(7, "both").await;
    for at in 0..5 {
        scene
            .logs
            .put(SOURCE, 0, &batch(Codec::Lz4, &[bad(&format!("c{at}"))]));
        sleep(Duration::from_millis(300)).await;
    }
    let mut values = scene.until_there_are(12, "both").await;
    values.sort();
    assert_eq!(values, [&FILLED[..], &["c0", "c1", "c2", "c3", "c4"]].concat());
    both.iter().for_each(JoinHandle::abort);
}

#[tokio::test]
async fn what_was_given_up_never_arrives_and_what_is_open_waits() {
    let scene = Scene::new(1);
    let some = |value| batch(Codec::None, &[bad(value), good("good")]);
    scene.logs.put_in_transaction(SOURCE, 1, &some("one"), Some(true));
    scene
        .logs
        .put_in_transaction(SOURCE, 2, &some("two"), Some(false));
    scene
        .logs
        .put_in_transaction(SOURCE, 2, &some("three"), Some(true));
    scene.logs.put_in_transaction(SOURCE, 3, &some("four"), None);
    scene.logs.put(SOURCE, 0, &some("five"));
    let running = scene.start();
    assert_eq!(scene.until_there_are(2, "committed").await, ["one", "three"]);
    sleep(Duration::from_millis(1500)).await;
    assert_eq!(scene.values().len(), 2);
    scene
        .logs
        .put_in_transaction(SOURCE, 3, &some("six"), Some(false));
    assert_eq!(
        scene.until_there_are(3, "after the transaction").await,
        ["one", "three", "five"]
    );
    running.abort();
}

#[tokio::test]
async fn what_the_topic_does_not_take_has_a_stand_in_and_the_rest_goes_on() {
    let scene = Scene::new(1);
    scene.logs.limit(TARGET, 700);
    let large = "x".repeat(800);
    scene.logs.put(
        SOURCE,
        0,
        &batch(
            Codec::None,
            &[bad("a"), bad("b"), bad(&large), bad("c"), good("good")],
        ),
    );
    let running = scene.start();
    assert_eq!(scene.until_there_are(4, "stand-in").await, ["a", "b", "", "c"]);
    let letters = scene.letters();
    assert_eq!(
        (letters[2].0.as_str(), letters[2].2.last().unwrap().as_str()),
        ("0:2", "__weir.too_large")
    );
    let row = scene.status.list().remove(0);
    assert_eq!((row.copied, row.too_large, row.left_out), (3, 1, 0));
    scene.logs.limit(TARGET, 70);
    scene.logs.put(SOURCE, 0, &batch(Codec::None, &[bad("d")]));
    while scene.status.list()[0].left_out == 0 {
        sleep(Duration::from_millis(20)).await;
    }
    scene.logs.limit(TARGET, 7000);
    scene.logs.put(SOURCE, 0, &batch(Codec::None, &[bad("e")]));
    assert_eq!(scene.until_there_are(5, "after").await, ["a", "b", "", "c", "e"]);
    running.abort();
}

#[tokio::test]
async fn a_missing_topic_is_waited_for_and_what_expired_is_passed_over() {
    let scene = Scene::new(1);
    scene.logs.remove(TARGET);
    scene
        .logs
        .put(SOURCE, 0, &batch(Codec::None, &[bad("a"), bad("b")]));
    let running = scene.start();
    let waits = || scene.status.list().first().and_then(|it| it.waits_for.clone());
    while waits().is_none() {
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(waits().unwrap(), "Kafka refused with code 3");
    scene.logs.make(TARGET, 2);
    assert_eq!(scene.until_there_are(2, "made").await, ["a", "b"]);
    running.abort();
    scene.logs.put(SOURCE, 0, &batch(Codec::None, &[bad("c")]));
    scene.logs.expire(SOURCE, 0, 3);
    scene.logs.put(SOURCE, 0, &batch(Codec::None, &[bad("d")]));
    let running = scene.start();
    assert_eq!(scene.until_there_are(3, "expired").await, ["a", "b", "d"]);
    assert_eq!(waits(), None);
    running.abort();
}

#[tokio::test]
async fn without_dlq_brokers_are_not_asked_anything() {
    let scene = Scene::new(1);
    scene.fill();
    scene.snapshot.send_replace(Arc::new(served(false)));
    let running = scene.start();
    sleep(Duration::from_millis(300)).await;
    assert_eq!(scene.logs.calls(), [""; 0]);
    scene.snapshot.send_replace(Arc::new(served(true)));
    scene.until_there_are(6, "under DLQ").await;
    scene.snapshot.send_replace(Arc::new(served(false)));
    sleep(Duration::from_millis(1500)).await;
    let calls = scene.logs.calls().len();
    scene
        .logs
        .put(SOURCE, 0, &batch(Codec::None, &[bad("no letter")]));
    sleep(Duration::from_millis(1500)).await;
    assert_eq!((scene.logs.calls().len(), scene.status.list().len()), (calls, 0));
    scene.snapshot.send_replace(Arc::new(served(true)));
    assert_eq!(
        scene.until_there_are(7, "again").await[6],
        "no letter",
        "it was withheld, and is still one"
    );
    let owner = &routes::of(&served(true))[ORDERS].owner;
    assert_eq!(scene.logs.stand_of(owner)[&(SOURCE.to_owned(), 0)].offset, 15);
    running.abort();
}
