//! Chapters 8 and 13. A second job asks a model, which runs in the tenant's own network, how much each payment looks like
//! fraud; those above 0.5 go to `suspected-fraud`, those that the model cannot score to the dead letters.

use super::job::{self, Job};
use super::{Story, payments, traffic};
use crate::model::{fails_at, score};
use crate::progress::thousands;
use crate::trouble::Trouble;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TOPIC: &str = "suspected-fraud";
const DEAD: &str = "unscored-payments";
const JOB: &str = "score-payments";
/// Requests of a worker at the same time.
const CONCURRENCY: u32 = 128;
/// How long the agent may take to say what the customer's policy says.
const POLICY_WITHIN: Duration = Duration::from_secs(30);

/// The chapter: the model, its job, which the customer's policy refuses at first, and the line in the policy that lets it ask.
pub async fn run(story: &mut Story<'_>) -> Result<()> {
    let step = story.progress.step("a model listens in the tenant's own network");
    story.stack.start_model().await?;
    let port = story.stack.ports().model();
    step.done(format!("http://127.0.0.1:{port}/v1/score"));

    let step = story
        .progress
        .step(format!("topics {TOPIC} and {DEAD}, and an account"));
    let topic = job::topic(story, TOPIC).await?;
    let dead = job::topic(story, DEAD).await?;
    let roles = [("READER", "payments"), ("DEVELOPER", TOPIC), ("DEVELOPER", DEAD)];
    let account = job::account(story, JOB, &roles).await?;
    step.done("reader of payments, writer of its own two");

    let step = story.progress.step("job that asks the model");
    let spec = json!({
        "cluster": story.id("payments.cluster")?,
        "name": JOB,
        "description": "Asks a model about each payment.",
        "compute_pool": story.id("payments.compute_pool")?,
        "service_account": account,
        "program": {
            "kind": "ACTION",
            "source": {"topic": story.id("payments.topic")?, "start": "EARLIEST"},
            "steps": steps(port),
            "sinks": [{"topic": topic}],
            "dead_letter": dead,
        },
        "desired_state": "RUNNING",
    });
    let known = story
        .payments
        .find("/v1/jobs", &json!({"cluster": spec["cluster"], "name": JOB}))
        .await?;
    if known.is_none() {
        let body = json!({"spec": spec.clone()});
        let made = story.payments.post("/v1/jobs", &body).await?;
        let id = made["id"].as_str().context("the job has no id")?.to_owned();
        refused(story, &id).await?;
        step.done("refused by the agent: the customer's policy names no host that jobs may call");
        let step = story
            .progress
            .step("the customer writes the model into the agent's policy");
        story.stack.let_jobs_call(&format!("127.0.0.1:{port}"))?;
        step.done(format!("hosts = [\"127.0.0.1:{port}\"]"));
        runs(story, spec).await
    } else {
        step.done("found");
        runs(story, spec).await
    }
}

/// What the job does: a question without the card, the answer beside the payment, and who looks like fraud.
fn steps(port: u16) -> Value {
    json!([
        {"call": {
            "url": format!("http://127.0.0.1:{port}/v1/score"),
            "body": "{'payment': message.payment, 'amount': message.amount, 'merchant': message.merchant}",
            "set": {"score": "response.score"},
            "timeout_ms": 5000,
            "retries": 1,
            "concurrency": CONCURRENCY,
        }},
        {"filter": {"where": "message.score > 0.5"}},
    ])
}

/// Waits until the agent says that the customer's policy refuses the job.
async fn refused(story: &Story<'_>, id: &str) -> Result<()> {
    let deadline = Instant::now() + POLICY_WITHIN;
    loop {
        let status = story.payments.get(&format!("/v1/jobs/{id}")).await?["status"].clone();
        if status["reason"] == "POLICY_REFUSED" {
            return Ok(());
        }
        if status["phase"] == "RUNNING" || Instant::now() > deadline {
            return Err(
                Trouble::new(format!("the policy does not refuse the job: {status}"))
                    .log(story.stack.state.log("agent"))
                    .into(),
            );
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until it runs.
async fn runs(story: &mut Story<'_>, spec: Value) -> Result<()> {
    let step = story.progress.step(format!("job {JOB} runs"));
    let deadline = Instant::now() + POLICY_WITHIN;
    // FAILED until the agent has read its policy again, which is what `ensure` would give up at.
    let like = json!({"cluster": spec["cluster"], "name": JOB});
    loop {
        let job = story
            .payments
            .find("/v1/jobs", &like)
            .await?
            .context("the job is gone")?;
        if job["status"]["phase"] == "RUNNING" {
            let id = job["id"].as_str().context("the job has no id")?;
            story.keep("payments.score_job", id.to_owned());
            break;
        }
        if Instant::now() > deadline {
            return Err(Trouble::new(format!("the job does not run: {}", job["status"]))
                .log(story.stack.state.log("agent"))
                .into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    step.done(format!("{CONCURRENCY} questions at the same time"));
    Ok(())
}

/// What comes of one payment, computed without the job.
#[derive(Debug, PartialEq)]
enum Fate {
    /// It looks like none.
    Passed,
    /// It looks like fraud; the record with its score.
    Suspected(String),
    /// The model has no answer; the record as it came.
    Unscored(String),
}

/// Amount in cents, and the merchant's number.
pub(super) fn features(payment: &Value) -> Result<(u64, u64)> {
    let amount = payment["amount"].as_str().context("a payment has no amount")?;
    let (euros, cents) = amount.split_once('.').context("an amount has no cents")?;
    let cents = euros.parse::<u64>()? * 100 + cents.parse::<u64>()?;
    let merchant = payment["merchant"]
        .as_str()
        .context("a payment has no merchant")?;
    Ok((cents, merchant.trim_start_matches('m').parse()?))
}

fn fate(number: u64, payment: &str) -> Result<Fate> {
    let mut read: Value = serde_json::from_str(payment).context("read a payment")?;
    let (cents, merchant) = features(&read)?;
    if fails_at(number) {
        return Ok(Fate::Unscored(read.to_string()));
    }
    let score = score(cents, merchant);
    if score <= 0.5 {
        return Ok(Fate::Passed);
    }
    read["score"] = score.into();
    Ok(Fate::Suspected(read.to_string()))
}

/// After the payments: both topics hold what an independent computation makes of what was sent, each record once.
pub async fn check(story: &Story<'_>, batch: u64) -> Result<()> {
    let step = story
        .progress
        .step(format!("{TOPIC} has what the model suspects, once"));
    let (mut suspected, mut unscored) = (Vec::new(), Vec::new());
    for number in 0..traffic::PAYMENTS {
        match fate(number, &payments::payment("payments", batch, number).1)? {
            Fate::Passed => {}
            Fate::Suspected(record) => suspected.push(record),
            Fate::Unscored(record) => unscored.push(record),
        }
    }
    let asked = Job {
        id: story.id("payments.score_job")?,
        topic: TOPIC,
    };
    let found = job::done(story, &asked, batch, suspected.len(), &step).await?;
    job::equal(found, suspected.clone())?;
    step.done(format!(
        "{} of {}, contents equal",
        thousands(suspected.len() as u64),
        thousands(traffic::PAYMENTS)
    ));

    let step = story
        .progress
        .step(format!("{DEAD} has those at which the model failed"));
    let found = job::written(story, DEAD, batch).await?;
    job::equal(found, unscored.clone())?;
    let codes = codes(story).await?;
    if codes.iter().any(|it| it != "CALL_5XX") {
        bail!("dead letters say {codes:?}, and each should say CALL_5XX");
    }
    step.done(format!("{} dead letters, CALL_5XX, as they came", unscored.len()));
    let load = story.stack.model_load()?;
    let step = story.progress.step("the model was asked");
    step.done(format!(
        "{} times, up to {} in a second, {} at once",
        thousands(load.requests),
        thousands(load.in_a_second),
        load.at_once
    ));
    Ok(())
}

/// What dead letters say of why they are.
async fn codes(story: &Story<'_>) -> Result<Vec<String>> {
    let headers = job::kcat(story, DEAD, &["-f", "%h\n"]).await?;
    let codes = headers.lines().map(|line| {
        let code = line.split(',').find_map(|it| it.strip_prefix("__rule.name="));
        code.unwrap_or("nothing").to_owned()
    });
    Ok(codes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_passes_is_suspected_or_has_no_score() {
        let payment = |amount: &str| json!({"amount": amount, "merchant": "m006"}).to_string();
        assert_eq!(fate(1, &payment("1000.00")).unwrap(), Fate::Passed);
        let Fate::Unscored(record) = fate(42, &payment("2400.00")).unwrap() else {
            panic!("the model fails there");
        };
        assert_eq!(
            serde_json::from_str::<Value>(&record).unwrap()["amount"],
            "2400.00"
        );
        let Fate::Suspected(record) = fate(1, &payment("2400.00")).unwrap() else {
            panic!("it looks like fraud");
        };
        assert_eq!(
            serde_json::from_str::<Value>(&record).unwrap()["score"],
            score(240_000, 6)
        );
        assert!(fate(1, "{}").is_err());
    }
}
