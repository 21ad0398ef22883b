//! Chapter 14, too: risk reads what payments shares with a statement of its own, on a Flink of its own that ends with it. A mount is
//! a table as any topic.

use super::share::MOUNT;
use super::{Story, payments};
use crate::progress::thousands;
use crate::trouble::Trouble;
use anyhow::{Context, Result, bail};
use http::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TOPIC: &str = "large-seen";
/// As the statement calls the mount; `large` is a word of Calcite's.
const TABLE: &str = "offered";
/// How long the statement may take, with Flink's start.
const WITHIN: Duration = Duration::from_secs(180);

/// The statement, until it ended and what it wrote is what was shared.
pub(super) async fn run(story: &Story<'_>, batch: u64, expected: &[String]) -> Result<()> {
    let step = story
        .progress
        .step("risk reads it with a statement (Flink SQL on units that payments lends)");
    let began = Instant::now();
    let job = job(story, batch).await?;
    let path = format!("/v1/jobs/{job}");
    loop {
        let status = story.risk.get(&path).await?["status"].take();
        match status["phase"].as_str() {
            Some("COMPLETED") => break,
            Some("FAILED") => bail!("risk's statement failed: {status}"),
            phase if began.elapsed() > WITHIN => {
                let what = format!("risk's statement is {phase:?} after {WITHIN:?}: {status}");
                return Err(Trouble::new(what)
                    .remedy("read Flink's logs in the agent's state folder: flink/compute_pool_*/logs")
                    .into());
            }
            phase => step.note(phase.unwrap_or("-").to_owned()),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    equal(story, batch, expected).await?;
    let gone = story.risk.send(Method::DELETE, &path, None, None).await?;
    if gone.status >= 300 {
        bail!("DELETE {path}: {} {}", gone.status, gone.body);
    }
    step.done(format!(
        "{}, contents equal, {} s with Flink's start",
        thousands(expected.len() as u64),
        began.elapsed().as_secs()
    ));
    Ok(())
}

/// Everything that the job needs, and the job.
async fn job(story: &Story<'_>, batch: u64) -> Result<String> {
    let (api, cluster) = (&story.risk, story.id("risk.cluster")?);
    let ensure = async |path: &str, by: &[&str], spec: Value| api.ensure(path, by, spec).await?.id();
    let shared = json!({"cluster": cluster, "name": MOUNT});
    let shared = api.find("/v1/topics", &shared).await?;
    let shared = shared.with_context(|| format!("risk has no topic {MOUNT}"))?;
    let seen = json!({"cluster": cluster, "name": TOPIC, "partitions": 1});
    let seen = ensure("/v1/topics", &["cluster", "name"], seen).await?;
    let account = json!({"name": TOPIC, "description": "Whose rights the statement has"});
    let account = ensure("/v1/service-accounts", &["name"], account).await?;
    for (role, topic) in [("READER", MOUNT), ("DEVELOPER", TOPIC)] {
        let resource = format!("environment=prod/cluster=scoring/topic={topic}");
        let binding = json!({"principal": account, "role": role, "resource": resource});
        ensure("/v1/role-bindings", &["principal", "role", "resource"], binding).await?;
    }
    let pool = json!({"data_plane": story.id("data_plane")?, "name": "lent", "max_units": 2});
    let pool = ensure("/v1/compute-pools", &["data_plane", "name"], pool).await?;
    let columns: Vec<Value> = ["payment", "card", "amount"]
        .map(|name| json!({"name": name, "type": "STRING"}))
        .into();
    let spec = json!({
        "cluster": cluster,
        "name": format!("{TOPIC}-{batch}"),
        "description": "Copies what is shared, to its end.",
        "compute_pool": pool,
        "service_account": account,
        "program": {
            "kind": "SQL",
            "statement": format!(
                "SET 'scan.bounded.mode' = 'latest-offset'; INSERT INTO seen SELECT payment, card, amount FROM {TABLE}"
            ),
            "sources": [{"name": TABLE, "topic": shared["id"], "columns": columns}],
            "sinks": [{"name": "seen", "topic": seen, "columns": columns}],
        },
        "desired_state": "RUNNING",
    });
    ensure("/v1/jobs", &["cluster", "name"], spec).await
}

/// What it wrote of the batch is what was shared of it, each once.
async fn equal(story: &Story<'_>, batch: u64, expected: &[String]) -> Result<()> {
    let text = super::share::kcat(story, &["-C", "-t", TOPIC, "-e", "-o", "beginning"]).await?;
    let mut found = Vec::new();
    for line in text.lines() {
        let record: Value = serde_json::from_str(line).context("read a record")?;
        if payments::is_of(&record, batch) {
            found.push(record.to_string());
        }
    }
    found.sort_unstable();
    let mut wanted = Vec::with_capacity(expected.len());
    for record in expected {
        let record: Value = serde_json::from_str(record).context("read a payment")?;
        let kept = json!({"payment": record["payment"], "card": record["card"], "amount": record["amount"]});
        wanted.push(kept.to_string());
    }
    wanted.sort_unstable();
    if found != wanted {
        let strange = found.iter().find(|it| wanted.binary_search(it).is_err());
        bail!(
            "risk's statement wrote {} records and not {}, for example {strange:?}",
            found.len(),
            wanted.len()
        );
    }
    Ok(())
}
