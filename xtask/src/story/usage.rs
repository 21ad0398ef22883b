//! Chapter 11. What was metered equals what was sent, and what lies in the broker's log, to the byte.

use super::{Story, isolation};
use crate::progress::thousands;
use crate::trouble::Trouble;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Usage comes in windows of five seconds; this is far more than a window, a report and an acknowledgement take.
const COUNTED_WITHIN: Duration = Duration::from_secs(90);

/// Metered beside measured, for payments' topic and the application's own account, since the topic exists. Jobs are metered as
/// theirs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Meters {
    /// Records that usage says were produced.
    pub produced_records: u64,
    /// Bytes that usage says were produced.
    pub produced_bytes: u64,
    /// Records that usage says were fetched.
    pub fetched_records: u64,
    /// Bytes that usage says were fetched.
    pub fetched_bytes: u64,
    /// Records in the topic by the broker's offsets.
    pub log_records: u64,
    /// Bytes of the topic's log by the broker's own account.
    pub log_bytes: u64,
}

impl Meters {
    /// The meters once everything that happened so far is counted.
    pub async fn settled(story: &Story<'_>) -> Result<Self> {
        let now = unix_now()?;
        let deadline = Instant::now() + COUNTED_WITHIN;
        while story.has_usage().await? && complete_until(story).await? < now {
            if Instant::now() > deadline {
                return Err(late(story, "usage of earlier traffic is not complete"));
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        Self::read(story).await
    }

    /// Reads usage by the API, and the topic's extent by asking the agent.
    pub async fn read(story: &Story<'_>) -> Result<Self> {
        let mut meters = Self::default();
        let topic = story.id("payments.topic")?;
        let principal = story.id("payments.principal")?;
        let usage = story
            .payments
            .get(&format!(
                "{}&group_by=topic,principal,direction",
                period("/v1/usage")?
            ))
            .await?;
        for row in usage["data"].as_array().context("usage has no data")? {
            if row["topic"] != topic || row["principal"] != principal {
                continue;
            }
            let (bytes, records) = (count(&row["bytes"])?, count(&row["records"])?);
            match row["direction"].as_str() {
                Some("PRODUCE") => {
                    meters.produced_bytes += bytes;
                    meters.produced_records += records;
                }
                Some("FETCH") => {
                    meters.fetched_bytes += bytes;
                    meters.fetched_records += records;
                }
                other => bail!("usage has a row with direction {other:?}"),
            }
        }
        let extent = story.payments.get(&format!("/v1/topics/{topic}/extent")).await?;
        for partition in extent["partitions"]
            .as_array()
            .context("the extent has no partitions")?
        {
            meters.log_bytes += count(&partition["size_bytes"])?;
            meters.log_records += count(&partition["log_end_offset"])?;
        }
        Ok(meters)
    }

    fn since(self, before: Self) -> Self {
        Self {
            produced_records: self.produced_records - before.produced_records,
            produced_bytes: self.produced_bytes - before.produced_bytes,
            fetched_records: self.fetched_records - before.fetched_records,
            fetched_bytes: self.fetched_bytes - before.fetched_bytes,
            log_records: self.log_records - before.log_records,
            log_bytes: self.log_bytes - before.log_bytes,
        }
    }
}

impl Story<'_> {
    async fn has_usage(&self) -> Result<bool> {
        let usage = self.payments.get(&period("/v1/usage")?).await?;
        Ok(usage["data"].as_array().is_some_and(|it| !it.is_empty()))
    }
}

/// Waits until `produced` and `fetched` records since `before` are counted, and holds them against the log.
pub async fn check(story: &Story<'_>, before: &Meters, produced: u64, fetched: u64) -> Result<()> {
    let step = story.progress.step("usage equals records and the broker's log");
    let until = unix_now()?;
    let deadline = Instant::now() + COUNTED_WITHIN;
    // Equal once is not enough: what is complete must still be equal, or something was counted twice.
    let after = loop {
        let complete = complete_until(story).await? >= until;
        let now = Meters::read(story).await?.since(*before);
        let equal = now.produced_records == produced && now.produced_bytes == now.log_bytes;
        let over = now.produced_records > produced || now.fetched_records > fetched;
        if (complete && equal && now.fetched_records == fetched) || over || Instant::now() > deadline {
            break now;
        }
        step.note(format!(
            "{} of {} records counted",
            now.produced_records, produced
        ));
        tokio::time::sleep(Duration::from_millis(250)).await;
    };
    let told = format!(
        "produced {} records {} bytes; log {} records {} bytes; fetched {} records {} bytes",
        thousands(after.produced_records),
        thousands(after.produced_bytes),
        thousands(after.log_records),
        thousands(after.log_bytes),
        thousands(after.fetched_records),
        thousands(after.fetched_bytes)
    );
    if after.produced_records != produced
        || after.log_records != produced
        || after.produced_bytes != after.log_bytes
        || after.fetched_records != fetched
    {
        return Err(late(
            story,
            &format!("usage is not exact: {told}; sent {produced}, read {fetched}"),
        ));
    }
    step.done(told);
    segments(story).await
}

/// The broker's account of its log, held against the segment files on disk.
async fn segments(story: &Story<'_>) -> Result<()> {
    let step = story
        .progress
        .step("the log's size equals the segment files on disk");
    let physical = isolation::physical_topic(story, "payments", "payments")?;
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let on_disk = segment_bytes(&story.stack.state.agent(), &physical)?;
        let told = Meters::read(story).await?.log_bytes;
        if on_disk == told && told > 0 {
            step.done(format!("{} bytes", thousands(told)));
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("{physical}: the broker tells {told} bytes, its segment files hold {on_disk}");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Bytes of all `.log` files of a topic's partitions, wherever they lie below `folder`.
fn segment_bytes(folder: &Path, topic: &str) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry
            .with_context(|| format!("list {}", folder.display()))?
            .path();
        if !path.is_dir() {
            continue;
        }
        let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
        let partition = name.strip_prefix(topic).and_then(|it| it.strip_prefix('-'));
        if partition.is_some_and(|it| it.parse::<u32>().is_ok()) {
            for file in std::fs::read_dir(&path).with_context(|| format!("list {}", path.display()))? {
                let file = file.with_context(|| format!("list {}", path.display()))?;
                if file.path().extension().is_some_and(|it| it == "log") {
                    bytes += file
                        .metadata()
                        .with_context(|| format!("read {}", file.path().display()))?
                        .len();
                }
            }
        } else {
            bytes += segment_bytes(&path, topic)?;
        }
    }
    Ok(bytes)
}

/// Until when usage is complete, in seconds since 1970.
async fn complete_until(story: &Story<'_>) -> Result<u64> {
    let usage = story.payments.get(&period("/v1/usage")?).await?;
    usage["metadata"]["complete_until"]
        .as_str()
        .map_or(Ok(0), crate::clock::parse)
}

/// `path` with a period that holds the whole life of a development stack.
pub fn period(path: &str) -> Result<String> {
    let now = unix_now()?;
    let (start, end) = (now - now % 86_400 - 30 * 86_400, now - now % 86_400 + 2 * 86_400);
    Ok(format!(
        "{path}?start={}&end={}&granularity=DAILY",
        crate::clock::format(start),
        crate::clock::format(end)
    ))
}

/// Seconds since 1970.
pub fn unix_now() -> Result<u64> {
    Ok(SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("read the clock")?
        .as_secs())
}

fn count(value: &Value) -> Result<u64> {
    value
        .as_u64()
        .with_context(|| format!("read a count from {value}"))
}

fn late(story: &Story<'_>, what: &str) -> anyhow::Error {
    Trouble::new(what)
        .log(story.stack.state.log("agent"))
        .remedy("logs of gateway and broker lie below the agent's folder; please report this")
        .into()
}
