//! A gateway that is asked to stop answers what it took, hands its counters over, and its clients notice nothing.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::api::Person;
use crate::clients::program::{Program, tool};
use crate::meters::{self, Logged};
use crate::rights::Login;
use crate::scene;
use crate::stack;
use crate::victims::{self, Part, Signal};

const PATIENCE: Duration = Duration::from_secs(60);
/// How often the gateway is stopped under load.
const ROUNDS: usize = 3;
/// Records that must pass between two stops.
const BETWEEN: u64 = 4_000;
/// A usage window and a report.
const TOLD: Duration = Duration::from_secs(12);

/// How many records the program had acknowledged so far.
fn acknowledged(progress: &Path) -> u64 {
    let text = std::fs::read_to_string(progress).unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}

async fn pass(progress: &Path, count: u64) {
    let from = acknowledged(progress);
    let end = Instant::now() + PATIENCE;
    while acknowledged(progress) < from + count {
        let passed = acknowledged(progress) - from;
        assert!(Instant::now() < end, "only {passed} records passed");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_gateway_that_stops_loses_nothing_and_its_clients_see_no_error() {
    let person = Person::sign_in("payments").await;
    let name = crate::rights::unique("drained");
    let topic = scene::topic("payments", &name, 4, &json!({})).await;
    let topic = topic["id"].as_str().expect("an id").to_owned();
    let folder = tempfile::tempdir().expect("a folder");
    let (progress, stop) = (folder.path().join("progress"), folder.path().join("stop"));
    let owner = Login::of_story("payments").json();
    let settings = json!({
        "bootstrap": stack::text("/kafka/payments/bootstrap"),
        "owner": owner, "other": owner, "reader": owner,
        "topic": name, "group_topic": name, "foreign_topic": name, "run": name,
        "progress": progress, "stop": stop,
    });
    let program = Program::new(&tool("WEIR_CLIENTS_PYTHON"), &["confluent-kafka/steady.py"]);
    let running = tokio::spawn(async move { program.with(&settings).await });
    pass(&progress, BETWEEN).await;
    let mut slowest = Duration::ZERO;
    for _round in 0..ROUNDS {
        let begun = Instant::now();
        let before = victims::end(Part::Gateway, Signal::Terminate).await;
        slowest = slowest.max(begun.elapsed());
        let after = victims::running(Part::Gateway).await;
        assert_ne!(before.pid, after.pid);
        pass(&progress, BETWEEN).await;
    }
    std::fs::write(&stop, "").expect("end the program");
    let lines = running.await.expect("the program ends");
    let failed: Vec<_> = lines.iter().filter(|it| !it.ok).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    for required in ["no error", "nothing lost", "nothing twice"] {
        assert!(
            lines.iter().any(|it| it.check == required),
            "{required}: {lines:?}"
        );
    }
    let sent = acknowledged(&progress);
    let metered = meters::settled(&person, &topic, chrono::Utc::now() + TOLD).await;
    let logged = meters::logged(&name);
    let sent = i64::try_from(sent).expect("a number");
    println!("{ROUNDS} stops, the slowest {slowest:?}; {sent} records; {metered:?}; {logged:?}");
    assert_eq!(logged.records, sent, "{logged:?}");
    let produced = Logged {
        bytes: metered.produced_bytes,
        records: metered.produced_records,
    };
    assert_eq!((produced, metered.uncertain_bytes), (logged, 0));
    assert_eq!(
        (metered.fetched_bytes, metered.fetched_records),
        (logged.bytes, logged.records),
        "one consumer read everything once"
    );
}
