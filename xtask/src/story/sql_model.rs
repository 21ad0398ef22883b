//! Chapters 8 and 13. The same model asked from SQL, by chat completions and with a key: Flink asks the agent, which has the key
//! and the customer's policy. What the model cannot score goes to a topic of its own.

use super::model::features;
use super::{Story, job, payments, traffic};
use crate::model::{KEY, fails_at, score};
use crate::progress::thousands;
use crate::trouble::Trouble;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TOPIC: &str = "suspected-fraud-sql";
const DEAD: &str = "unscored-payments-sql";
const JOB: &str = "score-payments-sql";
/// The name of the key in the customer's own files.
const SECRET: &str = "story-model";
/// Payments up to this are not asked about here: Flink's client asks five questions at a time.
const ABOVE_CENTS: u64 = 220_000;
/// How long the job may take to write what it found.
const WITHIN: Duration = Duration::from_secs(300);

/// The chapter: the key, the topics, and the job, until it runs.
pub async fn run(story: &mut Story<'_>) -> Result<()> {
    let step = story.progress.step(format!(
        "the model's key beside the agent; topics {TOPIC} and {DEAD}"
    ));
    let host = format!("127.0.0.1:{}", story.stack.ports().model());
    story.stack.give_secret(SECRET, &host, KEY)?;
    let topic = job::topic(story, TOPIC).await?;
    let dead = job::topic(story, DEAD).await?;
    let roles = [("READER", "payments"), ("DEVELOPER", TOPIC), ("DEVELOPER", DEAD)];
    let account = job::account(story, JOB, &roles).await?;
    step.done("the program will say its name");

    let step = story.progress.step("job in SQL that asks the model");
    let column = |name: &str, kind: &str| json!({"name": name, "type": kind});
    let texts = |names: &[&str]| -> Vec<Value> { names.iter().map(|it| column(it, "STRING")).collect() };
    let mut scored = texts(&["batch", "payment"]);
    scored.push(column("score", "DOUBLE"));
    let job = json!({
        "cluster": story.id("payments.cluster")?,
        "name": JOB,
        "description": "Asks a model about large payments, in SQL.",
        "compute_pool": story.id("payments.sql_pool")?,
        "service_account": account,
        "program": {
            "kind": "SQL",
            "statement": statement(&host),
            "sources": [{
                "name": "paid",
                "topic": story.id("payments.topic")?,
                "columns": texts(&["batch", "payment", "amount", "merchant"]),
            }],
            "sinks": [
                {"name": "suspected", "topic": topic, "columns": scored},
                {"name": "unscored", "topic": dead, "columns": texts(&["batch", "payment", "answer"])},
            ],
        },
        "desired_state": "RUNNING",
    });
    let job = story
        .payments
        .ensure("/v1/jobs", &["cluster", "name"], job)
        .await?;
    story.keep("payments.sql_model_job", job.id()?);
    step.done(format!("{}, on the same Flink", job.how()));
    Ok(())
}

fn statement(host: &str) -> String {
    let euros = ABOVE_CENTS / 100;
    format!(
        "CREATE MODEL fraud INPUT (question STRING) OUTPUT (answer STRING) WITH (
  'provider' = 'openai', 'endpoint' = 'http://{host}/v1/chat/completions', 'model' = 'fraud', 'secret' = '{SECRET}',
  'timeout' = '5 s', 'retry-num' = '1', 'error-handling-strategy' = 'answer',
  'system-prompt' = 'Answer with a number from 0 to 1.');
CREATE TEMPORARY VIEW asked AS SELECT `batch`, payment,
  JSON_OBJECT(KEY 'payment' VALUE payment, KEY 'amount' VALUE amount, KEY 'merchant' VALUE merchant) AS question
  FROM paid WHERE CAST(amount AS DECIMAL(12, 2)) > {euros};
CREATE TEMPORARY VIEW scored AS SELECT `batch`, payment, answer, TRY_CAST(answer AS DOUBLE) AS score
  FROM ML_PREDICT(TABLE asked, MODEL fraud, DESCRIPTOR(question));
EXECUTE STATEMENT SET BEGIN
  INSERT INTO suspected SELECT `batch`, payment, score FROM scored WHERE score > 0.5;
  INSERT INTO unscored SELECT `batch`, payment, answer FROM scored WHERE score IS NULL;
END"
    )
}

/// After the payments: both topics hold what an independent computation makes of what was sent, each record once.
pub async fn check(story: &Story<'_>, batch: u64) -> Result<()> {
    let expected = expected(batch)?;
    for (topic, expected, what) in [
        (TOPIC, expected.suspected, "what the model suspects"),
        (DEAD, expected.unscored, "those at which it failed"),
    ] {
        let step = story
            .progress
            .step(format!("{topic} has {what}, once, in SQL as well"));
        let deadline = Instant::now() + WITHIN;
        let found = loop {
            let progress = job::progress(story, story.id("payments.sql_model_job")?).await?;
            let found = job::written(story, topic, batch).await?;
            if found.len() >= expected.len() {
                break found;
            }
            if Instant::now() > deadline {
                let what = format!(
                    "{topic} has {} of {} records after {WITHIN:?}: {progress}",
                    found.len(),
                    expected.len()
                );
                return Err(Trouble::new(what)
                    .remedy("read Flink's logs in the agent's state folder: flink/compute_pool_*/logs")
                    .into());
            }
            step.note(format!("{} of {}", found.len(), expected.len()));
            tokio::time::sleep(Duration::from_secs(1)).await;
        };
        let count = thousands(found.len() as u64);
        job::equal(found, expected)?;
        let asked = thousands(asked(batch)?);
        step.done(format!(
            "{count} of the {asked} above {}, equal",
            ABOVE_CENTS / 100
        ));
    }
    Ok(())
}

/// What is to be written; computed without the job.
#[derive(Debug, Default)]
struct Expected {
    suspected: Vec<String>,
    unscored: Vec<String>,
}

/// The number, amount and merchant of each payment that is asked about.
fn questions(batch: u64) -> Result<Vec<(u64, u64, u64)>> {
    let mut all = Vec::new();
    for number in 0..traffic::PAYMENTS {
        let (_card, record) = payments::payment("payments", batch, number);
        let (cents, merchant) = features(&serde_json::from_str(&record).context("read a payment")?)?;
        if cents > ABOVE_CENTS {
            all.push((number, cents, merchant));
        }
    }
    Ok(all)
}

fn asked(batch: u64) -> Result<u64> {
    Ok(questions(batch)?.len() as u64)
}

fn expected(batch: u64) -> Result<Expected> {
    let mut expected = Expected::default();
    for (number, cents, merchant) in questions(batch)? {
        let (batch_name, payment) = (format!("payments-{batch}"), format!("p-{batch}-{number}"));
        let score = score(cents, merchant);
        if fails_at(number) {
            let record = json!({"batch": batch_name, "payment": payment, "answer": "weir:CALL_5XX"});
            expected.unscored.push(record.to_string());
        } else if score > 0.5 {
            let record = json!({"batch": batch_name, "payment": payment, "score": score});
            expected.suspected.push(record.to_string());
        }
    }
    Ok(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_large_payments_are_suspected_and_a_few_have_no_score() {
        let Expected { suspected, unscored } = expected(3).unwrap();
        let asked = asked(3).unwrap();
        assert!((20_000..30_000).contains(&asked), "{asked}");
        assert!(
            (1_000..asked).contains(&(suspected.len() as u64)),
            "{}",
            suspected.len()
        );
        assert!((1..50).contains(&unscored.len()), "{}", unscored.len());
    }

    #[test]
    fn the_statement_names_the_secret_and_has_no_key() {
        let text = statement("127.0.0.1:1");
        assert!(text.contains("'secret' = 'story-model'") && !text.contains(KEY));
    }
}
