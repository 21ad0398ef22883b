//! What was metered of a topic, and what its segment files hold.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::api::Person;
use crate::stack;

const PATIENCE: Duration = Duration::from_secs(400);
/// A batch's header (message format 2, "Record Batch"): length at 8, attributes at 21, count of records at 57.
const HEADER: usize = 61;
/// The bit of a control batch.
const CONTROL: u16 = 1 << 5;

/// What the control plane counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Metered {
    pub produced_bytes: i64,
    pub produced_records: i64,
    pub uncertain_bytes: i64,
    pub fetched_bytes: i64,
    pub fetched_records: i64,
}

/// What lies in the log: records of clients, without the brokers' own control batches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Logged {
    pub bytes: i64,
    pub records: i64,
}

/// Usage of a topic once everything until `until` is told and nothing changes any more.
pub async fn settled(person: &Person, topic: &str, until: DateTime<Utc>) -> Metered {
    let end = Instant::now() + PATIENCE;
    loop {
        let (metered, complete) = read(person, topic, "").await;
        if complete.is_some_and(|it| it > until) {
            return metered;
        }
        assert!(Instant::now() < end, "usage is complete until {complete:?} only");
        sleep(Duration::from_millis(500)).await;
    }
}

/// What one service account did, as far as it is told.
pub async fn of_principal(person: &Person, topic: &str, principal: &str) -> Metered {
    read(person, topic, principal).await.0
}

/// Of everybody when `principal` is empty.
async fn read(person: &Person, topic: &str, principal: &str) -> (Metered, Option<DateTime<Utc>>) {
    let today = Utc::now().date_naive();
    let (from, to) = (today - chrono::Days::new(1), today + chrono::Days::new(2));
    let path = format!(
        "/v1/usage?start={from}T00:00:00Z&end={to}T00:00:00Z&granularity=DAILY&group_by=topic,principal,direction&page_size=1000"
    );
    let (status, usage) = person.call("GET", &path, &Value::Null).await;
    assert_eq!(status, 200, "{usage:#}");
    let mut all = Metered::default();
    for row in usage["data"].as_array().expect("rows") {
        let other = !principal.is_empty() && row["principal"] != principal;
        if row["topic"] != topic || other {
            continue;
        }
        let count = |name: &str| row[name].as_i64().expect("a count");
        if row["direction"] == "PRODUCE" {
            all.produced_bytes += count("bytes");
            all.produced_records += count("records");
            all.uncertain_bytes += count("uncertain_bytes");
        } else {
            all.fetched_bytes += count("bytes");
            all.fetched_records += count("records");
        }
    }
    let complete = usage["metadata"]["complete_until"].as_str();
    (all, complete.map(|it| it.parse().expect("a time")))
}

/// Walks the segment files of a topic of payments'.
pub fn logged(topic_name: &str) -> Logged {
    let cluster = stack::text("/ids/payments.cluster");
    let suffix = cluster.rsplit('_').next().expect("an id");
    let physical = format!("w{suffix}-{topic_name}");
    let mut all = Logged::default();
    for file in segments(Path::new(&stack::text("/state_dir")), &physical) {
        let bytes = std::fs::read(&file).expect("read a segment");
        let mut rest = bytes.as_slice();
        while rest.len() >= HEADER {
            let number = |at: usize| i32::from_be_bytes(rest[at..at + 4].try_into().expect("4 bytes"));
            let length = usize::try_from(number(8)).expect("a length") + 12;
            if length < HEADER || rest.len() < length {
                // Not written yet, or the zeros at the end of a preallocated file.
                break;
            }
            let attributes = u16::from_be_bytes([rest[21], rest[22]]);
            if attributes & CONTROL == 0 {
                all.bytes += i64::try_from(length).expect("a small batch");
                all.records += i64::from(number(57));
            }
            rest = &rest[length..];
        }
    }
    all
}

fn segments(folder: &Path, topic: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if !path.is_dir() {
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        let partition = name.strip_prefix(topic).and_then(|it| it.strip_prefix('-'));
        if partition.is_some_and(|it| it.parse::<u32>().is_ok()) {
            let files = std::fs::read_dir(&path).into_iter().flatten().flatten();
            found.extend(
                files
                    .map(|it| it.path())
                    .filter(|it| it.extension().is_some_and(|it| it == "log")),
            );
        } else {
            found.extend(segments(&path, topic));
        }
    }
    found
}
