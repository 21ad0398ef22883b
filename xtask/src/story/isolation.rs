//! Chapter 10. risk owns a topic of the same name on the same brokers, and can neither see nor read payments'.

use super::{Story, guest, payments};
use crate::run::captured;
use crate::trouble::Trouble;
use crate::workspace::write;
use anyhow::{Context, Result, bail};
use http::Method;
use serde_json::Value;

/// Records that risk sends to its own topic.
const RECORDS: u64 = 500;

/// The chapter.
pub async fn run(story: &mut Story<'_>) -> Result<()> {
    own_topic_only(story).await?;
    own_records_only(story).await?;
    physical_name(story).await?;
    rest(story).await
}

/// What kcat -L shows to risk's key.
async fn own_topic_only(story: &Story<'_>) -> Result<()> {
    let step = story.progress.step("risk's key lists topics");
    let mut command = story.clients().kcat("risk", &["-L", "-J"]);
    command.kill_on_drop(true);
    let output = captured(command).await?;
    let seen: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("read kcat -L: {}", String::from_utf8_lossy(&output.stderr)))?;
    let topics: Vec<(String, usize)> = seen["topics"]
        .as_array()
        .context("kcat lists no topics")?
        .iter()
        .map(|it| {
            (
                it["topic"].as_str().unwrap_or_default().to_owned(),
                it["partitions"].as_array().map_or(0, Vec::len),
            )
        })
        .collect();
    let expected = vec![("payments".to_owned(), guest::PARTITIONS as usize)];
    if topics != expected {
        bail!("risk should see its own topic {expected:?} and sees {topics:?}");
    }
    step.done(format!(
        "one: its own `payments` with {} partitions",
        guest::PARTITIONS
    ));
    Ok(())
}

/// risk writes and reads: only its own records come back, from the beginning of the topic.
async fn own_records_only(story: &Story<'_>) -> Result<()> {
    let step = story.progress.step("risk reads `payments`");
    let clients = story.clients();
    let batch = story.stack.settings.batches;
    let lines = payments::lines("risk", batch, 0, RECORDS);
    let input = clients.folder.join("risk.tsv");
    write(&input, &lines)?;
    let file = input.display().to_string();
    let command = clients.kcat("risk", &["-P", "-t", "payments", "-K", "\t", "-l", &file]);
    clients.produce("produce-risk", command, None).await?;
    // -e: to the very end of every partition.
    let command = clients.kcat("risk", &["-C", "-t", "payments", "-o", "beginning", "-e"]);
    let output = captured(command).await?;
    let text = String::from_utf8_lossy(&output.stdout);
    let foreign = text
        .lines()
        .filter(|it| !it.contains("\"batch\":\"risk-"))
        .count();
    let own = text
        .lines()
        .filter(|it| it.contains(&payments::marker("risk", batch)))
        .count();
    if foreign > 0 || own != usize::try_from(RECORDS)? {
        bail!("risk read {own} of its {RECORDS} records, and {foreign} that are not its own");
    }
    step.done(format!("its own {RECORDS} records, none of payments'"));
    Ok(())
}

/// Knowing the broker's own name of payments' topic does not help.
async fn physical_name(story: &Story<'_>) -> Result<()> {
    let step = story
        .progress
        .step("risk asks for payments' topic by its name on the broker");
    let physical = physical_topic(story, "payments", "payments")?;
    let arguments = [
        "-C",
        "-t",
        &physical,
        "-o",
        "beginning",
        "-e",
        "-X",
        "topic.metadata.propagation.max.ms=1000",
    ];
    let command = story.clients().kcat("risk", &arguments);
    let output = captured(command).await?;
    if output.status.success() || !output.stdout.is_empty() {
        return Err(Trouble::new(format!("risk's key could open {physical}")).into());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let known = ["unknown topic", "authorization", "invalid topic"]
        .iter()
        .any(|it| said.to_lowercase().contains(it));
    if !known {
        bail!("kcat failed for another reason: {}", said.trim());
    }
    step.done("refused");
    Ok(())
}

/// The topic's name on the broker, as the contract between control plane and agent makes it.
pub fn physical_topic(story: &Story<'_>, tenant: &str, topic: &str) -> Result<String> {
    let cluster = story.id(&format!("{tenant}.cluster"))?;
    let suffix = cluster.rsplit('_').next().context("read a cluster's id")?;
    Ok(format!("w{suffix}-{topic}"))
}

/// The same by REST: another tenant's object is not there.
async fn rest(story: &Story<'_>) -> Result<()> {
    let step = story
        .progress
        .step("risk's admin asks the API for payments' topic");
    let path = format!("/v1/topics/{}", story.id("payments.topic")?);
    let answer = story.risk.send(Method::GET, &path, None, None).await?;
    if answer.status != 404 {
        bail!("GET {path} answers {} to another tenant", answer.status);
    }
    step.done("404");
    Ok(())
}
