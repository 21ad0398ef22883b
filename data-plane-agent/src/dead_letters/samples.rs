//! A dead-letter topic in memory, for tests of who asks for it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use weir_proto::agent::v1::{Enforcement, TopicContract};
use weir_proto::lane::v1::{LogicalCluster, LogicalTopic, Snapshot};

use super::{Office, Post};
use crate::driver::Directory;
use crate::gateway::contract::samples::{Sample, batch};
use crate::gateway::contract::unpack::Codec;
use crate::platform::fake_logs::FakeLogs;
use crate::platform::kafka::PoolAddress;

/// The dead-letter topic.
pub const LETTERS: &str = "topic_2";
/// The topic whose contract names it, and lets everything pass.
pub const ORDERS: &str = "topic_1";

/// An office with so many letters, one in each partition in turn; its state is kept in this folder.
#[must_use]
pub fn office(folder: &Path, count: usize) -> (Office, FakeLogs) {
    let (post, logs) = post(count);
    (Office::new(post, folder), logs)
}

/// What it reads.
#[must_use]
pub fn post(count: usize) -> (Post, FakeLogs) {
    let topic = |id: &str, name: &str, contract| LogicalTopic {
        id: id.to_owned(),
        name: name.to_owned(),
        physical_name: name.to_owned(),
        contract,
        ..LogicalTopic::default()
    };
    let shadow = TopicContract {
        enforcement: Enforcement::Shadow.into(),
        dead_letter_topic_id: LETTERS.to_owned(),
        ..TopicContract::default()
    };
    let snapshot = Snapshot {
        clusters: vec![LogicalCluster {
            broker_pool_id: "pool_1".to_owned(),
            topics: vec![
                topic(ORDERS, "orders", Some(shadow)),
                topic(LETTERS, "letters", None),
            ],
            ..LogicalCluster::default()
        }],
        ..Snapshot::default()
    };
    let pools = BTreeMap::from([("pool_1".to_owned(), PoolAddress::default())]);
    let logs = FakeLogs::default();
    logs.make("orders", 1);
    logs.make("letters", 2);
    for at in 0..count {
        let letter = Sample::of(Some(&[0xff]), Some(format!("value {at}").as_bytes())).with(&[
            ("__rule.name", Some(b"small")),
            ("__rule.topic", Some(b"orders")),
            ("__weir.origin.partition", Some(b"0")),
            ("__weir.origin.offset", Some(b"7")),
        ]);
        logs.put("letters", i32::from(at % 2 == 1), &batch(Codec::Gzip, &[letter]));
    }
    let post = Post {
        logs: Arc::new(logs.clone()),
        directory: Arc::new(ArcSwap::from_pointee(Directory::of(&snapshot, &pools))),
        snapshot: watch::Sender::new(Arc::new(snapshot)).subscribe(),
    };
    (post, logs)
}
