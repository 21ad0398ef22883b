//! Chapters 7 and 12. A job in SQL on Apache Flink: which cards paid more than ten times within an hour, by the time at which
//! they paid and not at which the payments came, which is out of order.

use super::{Story, job, payments, traffic};
use crate::progress::thousands;
use crate::trouble::Trouble;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const TOPIC: &str = "busy-cards";
const JOB: &str = "busy-cards";
const HOUR_MS: u64 = 3_600_000;
/// Payments come up to four minutes out of order; so long the job waits for those that are late.
const DELAY_MS: u64 = 900_000;
/// Of a batch's day the payments themselves end these hours; what comes after ends with the next batch.
const HOURS: u64 = 6;
/// How long the job may take to write what it found.
const WITHIN: Duration = Duration::from_secs(180);

/// The chapter: a compute pool with a Flink of its own, and the job, until it runs.
pub async fn run(story: &mut Story<'_>) -> Result<()> {
    let step = story
        .progress
        .step(format!("topic {TOPIC}, an account, a compute pool for Flink"));
    let topic = job::topic(story, TOPIC).await?;
    let roles = [("READER", "payments"), ("DEVELOPER", TOPIC)];
    let account = job::account(story, JOB, &roles).await?;
    let pool = json!({"data_plane": story.id("data_plane")?, "name": "windows", "max_units": 3});
    let pool = story
        .payments
        .ensure("/v1/compute-pools", &["data_plane", "name"], pool)
        .await?
        .id()?;
    story.keep("payments.sql_pool", pool.clone());
    step.done("three units: one for JobManager and SQL gateway, two for TaskManagers");

    let step = story
        .progress
        .step("job: cards with more than ten payments in an hour");
    let column = |name: &str, kind: &str| json!({"name": name, "type": kind});
    let job = json!({
        "cluster": story.id("payments.cluster")?,
        "name": JOB,
        "description": "Cards with more than ten payments in an hour.",
        "compute_pool": pool,
        "service_account": account,
        "program": {
            "kind": "SQL",
            // Payments come to all partitions at all times: none is left behind because it was silent for a while.
            "statement": "SET 'table.exec.source.idle-timeout' = '0 s'; \
                SELECT card, window_start, COUNT(*) AS payments \
                FROM TABLE(TUMBLE(TABLE paid, DESCRIPTOR(event_time), INTERVAL '1' HOUR)) \
                GROUP BY card, window_start, window_end HAVING COUNT(*) > 10",
            "sources": [{
                "name": "paid",
                "topic": story.id("payments.topic")?,
                "columns": [column("card", "STRING"), column("at", "BIGINT")],
                "event_time": {"column": "at", "delay_ms": DELAY_MS},
            }],
            "sinks": [{
                "name": "busy",
                "topic": topic,
                "key": ["card"],
                "columns": [column("card", "STRING"), column("window_start", "TIMESTAMP(3)"), column("payments", "BIGINT")],
            }],
        },
        "desired_state": "RUNNING",
    });
    let job = story
        .payments
        .ensure("/v1/jobs", &["cluster", "name"], job)
        .await?;
    story.keep("payments.sql_job", job.id()?);
    step.done(format!("{}, on a Flink of its own", job.how()));
    Ok(())
}

/// After the payments: what the job wrote of a batch's first hours is what an independent computation finds.
pub async fn check(story: &Story<'_>, batch: u64) -> Result<()> {
    let step = story
        .progress
        .step(format!("{TOPIC} has each card's busy hours, once"));
    let expected = busy(batch)?;
    let deadline = Instant::now() + WITHIN;
    let found = loop {
        let progress = job::progress(story, story.id("payments.sql_job")?).await?;
        let found = found(story, batch).await?;
        if found.len() >= expected.len() {
            break found;
        }
        if Instant::now() > deadline {
            let what = format!(
                "the job in SQL found {} of {} busy hours after {WITHIN:?}: {progress}",
                found.len(),
                expected.len()
            );
            return Err(Trouble::new(what)
                .remedy("read Flink's logs in the agent's state folder: flink/compute_pool_*/logs")
                .into());
        }
        step.note(format!(
            "{} of {} found, event time is at {}",
            found.len(),
            expected.len(),
            progress["watermark_at"].as_str().unwrap_or("-")
        ));
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    if found != expected {
        let strange = found.iter().find(|(at, count)| expected.get(at) != Some(count));
        bail!("the job in SQL found other hours than are busy, for example {strange:?}");
    }
    step.done(format!(
        "{} hours of {} payments, equal",
        thousands(found.len() as u64),
        thousands(traffic::PAYMENTS)
    ));
    Ok(())
}

/// Card and begin of the hour, and how many payments; computed without the job.
fn busy(batch: u64) -> Result<BTreeMap<(String, u64), u64>> {
    let mut all: BTreeMap<(String, u64), u64> = BTreeMap::new();
    for number in 0..traffic::PAYMENTS {
        let (card, record) = payments::payment("payments", batch, number);
        let record: Value = serde_json::from_str(&record).context("read a payment")?;
        let at = record["at"].as_u64().context("a payment has no time")?;
        *all.entry((card, at - at % HOUR_MS)).or_default() += 1;
    }
    let ends = payments::day_of(batch) + HOURS * HOUR_MS;
    all.retain(|(_card, hour), count| *hour < ends && *count > 10);
    Ok(all)
}

/// The same, as the job wrote it. An hour that is told twice is an error.
async fn found(story: &Story<'_>, batch: u64) -> Result<BTreeMap<(String, u64), u64>> {
    let begins = payments::day_of(batch);
    let mut all = BTreeMap::new();
    for line in job::kcat(story, TOPIC, &[]).await?.lines() {
        let record: Value = serde_json::from_str(line).context("read a record")?;
        let at = record["window_start"].as_str().and_then(unix_ms);
        let (Some(card), Some(at), Some(count)) = (record["card"].as_str(), at, record["payments"].as_u64())
        else {
            bail!("{TOPIC} has a record that is none of the job's: {line}");
        };
        let mine = (begins..begins + HOURS * HOUR_MS).contains(&at);
        if mine && all.insert((card.to_owned(), at), count).is_some() {
            bail!("{TOPIC} has an hour twice: {line}");
        }
    }
    Ok(all)
}

/// Of `2026-01-06T02:00:00`, as Flink writes times (ISO 8601, UTC).
fn unix_ms(time: &str) -> Option<u64> {
    let time: chrono::NaiveDateTime = time.parse().ok()?;
    u64::try_from(time.and_utc().timestamp_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_cards_are_busy_and_some_are_not() {
        let found = busy(3).unwrap();
        assert!((100..64 * 6).contains(&found.len()), "{}", found.len());
        let hours: std::collections::BTreeSet<u64> = found.keys().map(|(_card, hour)| *hour).collect();
        assert_eq!(hours.len(), 6);
    }

    #[test]
    fn times_are_read_as_flink_writes_them() {
        assert_eq!(unix_ms("2026-01-01T00:00:00"), Some(payments::day_of(0)));
        assert_eq!(
            unix_ms("2026-01-02T01:00:00.000"),
            Some(payments::day_of(1) + HOUR_MS)
        );
        assert_eq!(unix_ms("yesterday"), None);
    }
}
