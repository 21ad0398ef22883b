//! A dead-letter topic in memory with letters of orders, and what came of them: for tests of redriving.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use weir_proto::agent::v1::{Enforcement, Schema, SchemaFormat, TopicContract as Wished};
use weir_proto::lane::v1::{LogicalTopic, Snapshot};

use super::{Phase, Progress, Wish};
use crate::dead_letters::headers::{
    ORIGIN_OFFSET, ORIGIN_PARTITION, ORIGIN_TIMESTAMP, RULE_EXCEPTION, RULE_MODE, RULE_NAME, RULE_SUBJECT,
    RULE_TOPIC,
};
use crate::dead_letters::routes::tests::{ORDERS, snapshot, topic};
use crate::dead_letters::scan::walk;
use crate::dead_letters::{Office, Post};
use crate::driver::Directory;
use crate::gateway::contract::samples::{Sample, batch, schema, wish};
use crate::gateway::contract::unpack::Codec;
use crate::platform::fake_logs::FakeLogs;
use crate::platform::kafka::PoolAddress;

pub const SOURCE: &str = "w01h2xcejqtf2nbrexx3vqjhp41-orders";
pub const TARGET: &str = "w01h2xcejqtf2nbrexx3vqjhp41-letters";
pub const OTHER: &str = "w01h2xcejqtf2nbrexx3vqjhp41-other";
pub const DEAD: &str = "topic_01h2xcejqtf2nbrexx3vqjhp43";
pub const OWNER: &str = "w01h2xcejqtf2nbrexx3vqjhp43-redrive";
pub const LONG: Duration = Duration::from_secs(30);

/// Orders below an amount, without frames: judged by the newest, which is all that records name.
pub fn orders(number: u32, below: u32) -> Schema {
    let rules = format!(
        r#"{{"domainRules":[{{"name":"below_{below}","kind":"CONDITION","type":"CEL","mode":"WRITE","expr":"message.amount < {below}"}}]}}"#
    );
    let text = r#"{"type":"object","required":["amount"],"properties":{"amount":{"type":"number"}}}"#;
    schema(number, SchemaFormat::Json, text, &rules)
}

pub const TIGHT: u32 = 7;
pub const LOOSE: u32 = 8;

pub fn contract(enforcement: Enforcement, number: u32) -> Wished {
    let mut wished = wish(enforcement, &[number]);
    if let Some(value) = &mut wished.value {
        value.unframed_schema_id = format!("schema_{number}");
        value.subject = "orders-value".to_owned();
    }
    wished.dead_letter_topic_id = DEAD.to_owned();
    wished
}

pub fn served(contract: Option<Wished>) -> Snapshot {
    let topics = vec![
        LogicalTopic {
            contract,
            ..topic(ORDERS, "orders", None)
        },
        topic(DEAD, "letters", None),
        // It takes everything, but its dead letters go elsewhere.
        LogicalTopic {
            contract: Some(Wished {
                dead_letter_topic_id: "topic_elsewhere".to_owned(),
                ..wish(Enforcement::Off, &[])
            }),
            ..topic("topic_other", "other", None)
        },
    ];
    Snapshot {
        schemas: vec![orders(TIGHT, 1000), orders(LOOSE, 100_000)],
        ..snapshot(topics)
    }
}

pub struct Scene {
    pub logs: FakeLogs,
    pub snapshot: watch::Sender<Arc<Snapshot>>,
    folder: TempDir,
}

/// A record as a reader of its topic sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub at: (i32, i64),
    pub value: String,
    pub headers: Vec<(String, String)>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(it, _value)| it == name);
        found.map(|(_name, value)| value.as_str())
    }

    pub fn names(&self) -> Vec<&str> {
        self.headers.iter().map(|(name, _value)| name.as_str()).collect()
    }
}

impl Scene {
    pub fn new(enforcement: Enforcement, number: u32) -> Self {
        let logs = FakeLogs::default();
        for name in [SOURCE, TARGET, OTHER] {
            logs.make(name, 2);
        }
        Self {
            logs,
            snapshot: watch::Sender::new(Arc::new(served(Some(contract(enforcement, number))))),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn office(&self) -> Office {
        let pool = PoolAddress {
            pool_id: "pool_1".to_owned(),
            ..PoolAddress::default()
        };
        let pools = BTreeMap::from([("pool_1".to_owned(), pool)]);
        let directory = Directory::of(&self.snapshot.borrow(), &pools);
        let post = Post {
            logs: Arc::new(self.logs.clone()),
            snapshot: self.snapshot.subscribe(),
            directory: Arc::new(ArcSwap::from_pointee(directory)),
        };
        Office::new(post, self.folder.path())
    }

    pub async fn redriven(&self, wish: Wish) -> Progress {
        let office = self.office();
        assert_eq!(office.begin(DEAD, wish).unwrap().phase, Phase::Running);
        ended(&office).await
    }

    pub fn seen(&self, topic: &str) -> Vec<Seen> {
        let mut seen = Vec::new();
        for partition in 0..2 {
            let read = self.logs.look(topic, partition);
            walk(&read, 0, &mut |at, record, _codec| {
                let text = |it: Option<&[u8]>| String::from_utf8(it.unwrap_or_default().to_vec()).unwrap();
                let headers = record
                    .headers()
                    .map(|(name, value)| (text(Some(name)), text(value)));
                seen.push(Seen {
                    at: (at.partition, at.offset),
                    value: text(record.value),
                    headers: headers.collect(),
                });
                true
            });
        }
        seen
    }

    /// Letters behind the position: those that are not dealt with.
    pub fn left(&self) -> Vec<Seen> {
        let stand = self.logs.stand_of(OWNER);
        let mut left = self.seen(TARGET);
        left.retain(|it| {
            let position = stand.get(&(TARGET.to_owned(), it.at.0));
            position.is_none_or(|position| it.at.1 >= position.offset)
        });
        left
    }

    pub fn put(&self, partition: i32, codec: Codec, letters: &[Sample]) {
        self.logs.put(TARGET, partition, &batch(codec, letters));
    }
}

pub async fn ended(office: &Office) -> Progress {
    let until = Instant::now() + LONG;
    loop {
        let progress = office.look(DEAD).unwrap();
        if progress.phase != Phase::Running {
            return progress;
        }
        assert!(Instant::now() < until, "{progress:?}");
        sleep(Duration::from_millis(10)).await;
    }
}

pub fn amount(amount: u32) -> String {
    format!("{{\"amount\":{amount}}}")
}

pub fn told<'a>(topic: &'a str, rule: &'a str, partition: &'a str) -> [(&'a str, Option<&'a [u8]>); 8] {
    [
        (RULE_NAME, rule),
        (RULE_MODE, "WRITE"),
        (RULE_SUBJECT, "orders-value"),
        (RULE_TOPIC, topic),
        (RULE_EXCEPTION, "it was not below"),
        (ORIGIN_PARTITION, partition),
        (ORIGIN_OFFSET, "7"),
        (ORIGIN_TIMESTAMP, "5"),
    ]
    .map(|(name, value)| (name, Some(value.as_bytes())))
}

pub fn of(topic: &str, rule: &str, partition: &str, value: u32) -> Sample {
    Sample::of(Some(b"k"), Some(amount(value).as_bytes()))
        .with(&[("own", Some(b"1"))])
        .with(&told(topic, rule, partition))
}

pub fn letter(value: u32) -> Sample {
    of("orders", "below_1000", "1", value)
}

pub fn values(seen: &[Seen]) -> Vec<String> {
    let mut values: Vec<String> = seen.iter().map(|it| it.value.clone()).collect();
    values.sort();
    values
}

pub fn amounts(of: &[u32]) -> Vec<String> {
    let mut values: Vec<String> = of.iter().map(|it| amount(*it)).collect();
    values.sort();
    values
}
