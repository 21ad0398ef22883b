//! Chapters 6 and 12. A job, written without code: payments above 100 go to `high-risk-payments` with their cards masked, each
//! once. It runs beside the payments that come next, with the rights of a service account of its own.

use super::{Story, payments, traffic};
use crate::progress::{Step, thousands};
use crate::run::captured;
use crate::trouble::Trouble;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TOPIC: &str = "high-risk-payments";
const JOB: &str = "high-risk";
/// How long the job may take to reach the end of what was sent.
const WITHIN: Duration = Duration::from_secs(300);

/// The chapter: everything that the job needs, and the job, until it runs.
pub async fn run(story: &mut Story<'_>) -> Result<()> {
    let step = story
        .progress
        .step(format!("topic {TOPIC}, and an account that may read and write"));
    let topic = topic(story, TOPIC).await?;
    let account = account(story, JOB, &[("READER", "payments"), ("DEVELOPER", TOPIC)]).await?;
    step.done("reader of payments, writer of its own topic, no more");

    let step = story.progress.step("compute pool and job");
    let pool = json!({"data_plane": story.id("data_plane")?, "name": "steady", "max_units": 2});
    let pool = story
        .payments
        .ensure("/v1/compute-pools", &["data_plane", "name"], pool)
        .await?
        .id()?;
    story.keep("payments.compute_pool", pool.clone());
    let job = json!({
        "cluster": story.id("payments.cluster")?,
        "name": JOB,
        "description": "Payments above 100, cards masked.",
        "compute_pool": pool,
        "service_account": account,
        "program": {
            "kind": "ACTION",
            "source": {"topic": story.id("payments.topic")?, "start": "EARLIEST"},
            "steps": [
                {"filter": {"where": "double(message.amount) > 100.0"}},
                {"mask": {"fields": ["card"], "how": {"KEEP_LAST": {"n": 4}}}},
            ],
            "sinks": [{"topic": topic}],
        },
        "desired_state": "RUNNING",
    });
    let job = story
        .payments
        .ensure("/v1/jobs", &["cluster", "name"], job)
        .await?;
    story.keep("payments.job", job.id()?);
    step.done(format!("{}, running in the tenant's own network", job.how()));
    Ok(())
}

/// A topic of the payments cluster.
pub(super) async fn topic(story: &Story<'_>, name: &str) -> Result<String> {
    let topic = json!({"cluster": story.id("payments.cluster")?, "name": name, "partitions": 3});
    let made = story.payments.ensure("/v1/topics", &["cluster", "name"], topic);
    made.await?.id()
}

/// A job's service account, with roles on topics.
pub(super) async fn account(story: &Story<'_>, name: &str, roles: &[(&str, &str)]) -> Result<String> {
    let spec = json!({"name": name, "description": "Whose rights the job has"});
    let account = story
        .payments
        .ensure("/v1/service-accounts", &["name"], spec)
        .await?;
    let account = account.id()?;
    let cluster = "environment=prod/cluster=cards";
    for (role, topic) in roles {
        let binding =
            json!({"principal": account, "role": role, "resource": format!("{cluster}/topic={topic}")});
        story
            .payments
            .ensure("/v1/role-bindings", &["principal", "role", "resource"], binding)
            .await?;
    }
    Ok(account)
}

/// After the payments: what the job wrote is what an independent computation makes of what was sent, each record once.
pub async fn check(story: &Story<'_>, batch: u64) -> Result<()> {
    let step = story
        .progress
        .step(format!("{TOPIC} has each payment above 100, once"));
    let expected: Vec<String> = (0..traffic::PAYMENTS)
        .filter_map(|number| high_risk(&payments::payment("payments", batch, number).1).transpose())
        .collect::<Result<_>>()?;
    let job = Job {
        id: story.id("payments.job")?,
        topic: TOPIC,
    };
    let found = done(story, &job, batch, expected.len(), &step).await?;
    let count = found.len() as u64;
    equal(found, expected)?;
    step.done(format!(
        "{} of {} payments, contents equal",
        thousands(count),
        thousands(traffic::PAYMENTS)
    ));
    Ok(())
}

/// A job, and where it writes.
pub(super) struct Job<'a> {
    pub id: &'a str,
    pub topic: &'a str,
}

/// Waits until the job is at the end and at least `least` records of the batch are written; says which.
pub(super) async fn done(
    story: &Story<'_>,
    job: &Job<'_>,
    batch: u64,
    least: usize,
    step: &Step,
) -> Result<Vec<String>> {
    let deadline = Instant::now() + WITHIN;
    loop {
        let progress = progress(story, job.id).await?;
        let waits = progress["lag"].as_u64();
        if waits == Some(0) {
            let found = written(story, job.topic, batch).await?;
            if found.len() >= least {
                return Ok(found);
            }
        }
        if Instant::now() > deadline {
            let what = format!("the job is not at the end after {WITHIN:?}: {progress}");
            return Err(Trouble::new(what)
                .remedy("read the job's log in the agent's state folder: logs/job_*-worker-*.log")
                .into());
        }
        step.note(format!("{} records wait", thousands(waits.unwrap_or_default())));
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The records are those, each once.
pub(super) fn equal(mut found: Vec<String>, mut expected: Vec<String>) -> Result<()> {
    found.sort_unstable();
    expected.sort_unstable();
    if found != expected {
        let strange = found.iter().find(|it| expected.binary_search(it).is_err());
        bail!(
            "the job wrote {} records, {} were to be written; for example {strange:?}",
            found.len(),
            expected.len()
        );
    }
    Ok(())
}

/// What comes of a payment, computed without the job; nothing of a small one.
fn high_risk(payment: &str) -> Result<Option<String>> {
    let mut payment: Value = serde_json::from_str(payment).context("read a payment")?;
    let amount = payment["amount"].as_str().context("a payment has no amount")?;
    let (euros, cents) = amount.split_once('.').context("an amount has no cents")?;
    if euros.parse::<u64>()? * 100 + cents.parse::<u64>()? <= 10_000 {
        return Ok(None);
    }
    let card = payment["card"].as_str().context("a payment has no card")?;
    let hidden = card.len().saturating_sub(4);
    payment["card"] = format!("{}{}", "*".repeat(hidden), &card[hidden..]).into();
    Ok(Some(payment.to_string()))
}

/// How a job goes.
pub(super) async fn progress(story: &Story<'_>, job: &str) -> Result<Value> {
    let job = story.payments.get(&format!("/v1/jobs/{job}")).await?;
    let status = &job["status"];
    if status["phase"] == "FAILED" {
        bail!("the job failed: {status}");
    }
    Ok(status["progress"].clone())
}

/// Committed records of a batch, members in the order of their names.
pub(super) async fn written(story: &Story<'_>, topic: &str, batch: u64) -> Result<Vec<String>> {
    let marker = payments::marker("payments", batch);
    let text = kcat(story, topic, &[]).await?;
    let of_batch = text.lines().filter(|it| it.contains(&marker));
    of_batch
        .map(|it| {
            Ok(serde_json::from_str::<Value>(it)
                .context("read a record")?
                .to_string())
        })
        .collect()
}

/// What kcat shows of all committed records of a topic.
pub(super) async fn kcat(story: &Story<'_>, topic: &str, more: &[&str]) -> Result<String> {
    let mut arguments = vec!["-C", "-t", topic, "-e", "-o", "beginning"];
    arguments.extend(["-X", "isolation.level=read_committed"]);
    arguments.extend(more);
    let out = captured(story.clients().kcat("payments", &arguments)).await?;
    if !out.status.success() {
        bail!(
            "kcat cannot read {topic}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
    }
    String::from_utf8(out.stdout).context("what kcat read is no text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_above_100_has_its_card_masked_and_a_smaller_one_is_none() {
        let payment = |amount: &str| json!({"card": "4000-0001-0002-0003", "amount": amount}).to_string();
        let masked = json!({"card": "***************0003", "amount": "100.01"}).to_string();
        assert_eq!(high_risk(&payment("100.01")).unwrap(), Some(masked));
        assert_eq!(high_risk(&payment("100.00")).unwrap(), None);
        assert!(high_risk("{}").is_err());
    }
}
