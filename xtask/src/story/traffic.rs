//! Chapter 9. 200,000 card payments through the gateway: half by kcat with PLAIN, half by Kafka's Java producer with
//! SCRAM; then two groups read all of them, one by each client, and every record must come back as it was sent.

use super::{Story, payments};
use crate::progress::{Step, seconds, thousands};
use crate::trouble::Trouble;
use crate::workspace::write;
use anyhow::Result;
use std::time::Instant;

/// Payments of one run.
pub const PAYMENTS: u64 = 200_000;

/// What was sent.
pub struct Batch {
    /// Its number: each run's payments are others.
    pub number: u64,
    /// Records sent.
    pub sent: u64,
    /// Records that all consumers together delivered; after a run that broke off that is more than they sent.
    pub delivered: u64,
}

/// The chapter.
pub async fn run(story: &mut Story<'_>) -> Result<Batch> {
    story.stack.settings.batches += 1;
    story.stack.settings.save()?;
    let batch = story.stack.settings.batches;
    let mut sent = produce(story, batch).await?;
    sent.sort_unstable();
    let mut delivered = 0;
    for (client, how) in [
        ("kcat", "kcat, SCRAM-SHA-512"),
        ("java", "Java console consumer, SCRAM-SHA-256"),
    ] {
        let step = story
            .progress
            .step(format!("group fraud-{client} consumes ({how})"));
        let began = Instant::now();
        let (mut got, records) = consume(story, client, batch, &step).await?;
        delivered += records;
        got.sort_unstable();
        if got != sent {
            let strange = got.iter().find(|it| sent.binary_search(it).is_err());
            return Err(Trouble::new(format!(
                "group fraud-{client} read {} records that are not the {} sent, for example {strange:?}",
                got.len(),
                sent.len()
            ))
            .into());
        }
        let rate = per_second(PAYMENTS, began);
        step.done(format!(
            "{} records, contents equal, {rate} a second",
            thousands(PAYMENTS)
        ));
    }
    Ok(Batch {
        number: batch,
        sent: PAYMENTS,
        delivered,
    })
}

/// Produces by both clients; returns all values.
async fn produce(story: &Story<'_>, batch: u64) -> Result<Vec<String>> {
    let (clients, user) = (story.clients(), story.user("payments")?);
    let mut values = Vec::new();
    for (client, how, from, to) in [
        ("kcat", "kcat, PLAIN", 0, PAYMENTS / 2),
        (
            "java",
            "Java console producer, SCRAM-SHA-256",
            PAYMENTS / 2,
            PAYMENTS,
        ),
    ] {
        let step = story
            .progress
            .step(format!("{} payments by {how}", thousands(to - from)));
        let lines = payments::lines("payments", batch, from, to);
        values.extend(
            lines
                .lines()
                .filter_map(|it| it.split_once('\t'))
                .map(|(_, value)| value.to_owned()),
        );
        let input = clients.folder.join(format!("payments-{client}.tsv"));
        write(&input, &lines)?;
        let began = Instant::now();
        let name = format!("produce-{client}");
        if client == "kcat" {
            let file = input.display().to_string();
            let command = clients.kcat("payments", &["-P", "-t", "payments", "-K", "\t", "-l", &file]);
            clients.produce(&name, command, None).await?;
        } else {
            clients
                .produce(&name, clients.console_producer(user, "payments"), Some(&input))
                .await?;
        }
        let rate = per_second(to - from, began);
        std::fs::remove_file(&input).ok();
        step.done(format!(
            "acknowledged in {}, {rate} a second",
            seconds(began.elapsed())
        ));
    }
    Ok(values)
}

async fn consume(story: &Story<'_>, client: &str, batch: u64, step: &Step) -> Result<(Vec<String>, u64)> {
    let (clients, user) = (story.clients(), story.user("payments")?);
    let group = format!("fraud-{client}");
    let command = if client == "kcat" {
        let scram = ["-X", "sasl.mechanisms=SCRAM-SHA-512"];
        let mut command = clients.kcat("payments", &scram);
        command.args(["-u", "-X", "auto.offset.reset=earliest", "-G", &group, "payments"]);
        command
    } else {
        clients.console_consumer(user, "payments", &group)
    };
    let mut consumer = clients.consume(&format!("consume-{client}"), command)?;
    let want = usize::try_from(PAYMENTS)?;
    let records = consumer
        .read(&payments::marker("payments", batch), want, step)
        .await?;
    Ok((records, consumer.stop().await?))
}

fn per_second(records: u64, began: Instant) -> String {
    let rate = records as f64 / began.elapsed().as_secs_f64().max(0.001);
    thousands(rate as u64)
}
