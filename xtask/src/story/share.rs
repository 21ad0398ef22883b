//! Chapter 14. payments shares the large ones of `high-risk-payments` with risk: cards hidden, at a price. risk takes the share into its
//! own cluster and reads it with its own key, groups and a statement in SQL, cannot write, is slowed down by the share's bound, and is denied once
//! payments takes the share back.

use super::{Story, payments, share_sql, traffic, usage};
use crate::progress::{Step, thousands};
use crate::run::captured;
use crate::trouble::Trouble;
use crate::workspace::write;
use anyhow::{Context, Result, bail};
use http::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const TOPIC: &str = "high-risk-payments";
const SHARE: &str = "large-payments";
const PREFIX: &str = "payments.";
const ALIAS: &str = "large";
pub(super) const MOUNT: &str = "payments.large";
/// From here on, in cents, a payment is a large one.
const LARGE: u64 = 240_000;
/// What the share's readers may fetch while it is narrow: of some megabytes.
const NARROW: u64 = 100_000;
/// How long usage may take to be told.
const WITHIN: Duration = Duration::from_secs(120);

/// The chapter.
pub async fn run(story: &Story<'_>, batch: u64) -> Result<()> {
    let began = Instant::now();
    let share = offer(story).await?;
    let received = accept(story, &share).await?;
    let expected = expected(batch)?;
    kcat_reads(story, batch, &expected, began).await?;
    java_reads(story, batch, &expected).await?;
    share_sql::run(story, batch, &expected).await?;
    nobody_writes(story).await?;
    slower(story, &share, batch, expected.len()).await?;
    bills(story, &share, &received).await?;
    revoke(story, &share, &received).await
}

/// The provider's side. What a run before left is ended.
async fn offer(story: &Story<'_>) -> Result<String> {
    let step = story
        .progress
        .step(format!("payments shares its large {TOPIC} with risk"));
    for (api, body) in [
        (&story.payments, json!({"gives": true, "receives": false})),
        (&story.risk, json!({"gives": false, "receives": true})),
    ] {
        let answer = api.send(Method::PUT, "/v1/sharing", Some(&body), None).await?;
        if answer.status != 200 {
            bail!("PUT /v1/sharing: {} {}", answer.status, answer.body);
        }
    }
    let cluster = story.id("payments.cluster")?;
    for old in story.payments.list("/v1/shares").await? {
        let live = matches!(
            old["status"]["phase"].as_str(),
            Some("INVITED" | "PREVIEWED" | "ACTIVE")
        );
        if live && old["spec"]["name"] == SHARE {
            let id = old["id"].as_str().context("a share has no id")?;
            let path = format!("/v1/shares/{id}/revoke?wait=30s");
            story.payments.post(&path, &json!({})).await?;
        }
    }
    let like = json!({"cluster": cluster, "name": TOPIC});
    let topic = story.payments.find("/v1/topics", &like).await?;
    let topic = topic.with_context(|| format!("there is no topic {TOPIC}"))?;
    let spec = json!({
        "cluster": cluster,
        "name": SHARE,
        "description": "Payments of 2,400 and more, without cards.",
        "topics": [{
            "topic": topic["id"],
            "alias": ALIAS,
            "steps": [
                {"filter": {"where": "double(message.amount) >= 2400.0"}},
                {"mask": {"fields": ["card"], "how": "REDACT"}},
            ],
        }],
        "recipient": {"kind": "TENANT", "tenant": story.id("risk.tenant")?},
        "terms": "Not to be passed on.",
        "price": {"currency": "EUR", "per_gib": "2.00"},
    });
    let made = story
        .payments
        .post("/v1/shares", &json!({ "spec": spec }))
        .await?;
    let id = made["id"].as_str().context("a share has no id")?.to_owned();
    step.done("of 2,400 and more, cards hidden, 2.00 EUR a GiB");
    Ok(id)
}

/// The recipient's side: what it sees before, and that it has it after.
async fn accept(story: &Story<'_>, share: &str) -> Result<String> {
    let step = story.progress.step("risk looks at it and accepts");
    let id = share.replacen("share_", "received_share_", 1);
    let preview = format!("/v1/received-shares/{id}/preview");
    let seen = story.risk.post(&preview, &json!({})).await?;
    if seen["spec"]["terms"] != "Not to be passed on." || seen["topics"][0]["keys"] != "HASHED" {
        bail!("the preview shows other terms, or other keys: {seen}");
    }
    if seen.to_string().contains(TOPIC) {
        bail!("the preview tells the provider's name of the topic: {seen}");
    }
    let body = json!({"cluster": story.id("risk.cluster")?, "name_prefix": PREFIX, "terms_accepted": true});
    let path = format!("/v1/received-shares/{id}/accept?wait=30s");
    let taken = story.risk.post(&path, &body).await?;
    let status = &taken["status"];
    if status["phase"] != "ACTIVE" || status["enforced"] != true {
        bail!("the share is not served after thirty seconds: {status}");
    }
    step.done(format!("{MOUNT} in its own cluster, served by every gateway"));
    Ok(id)
}

/// The large payments of a batch, without their cards; computed without the share. Members in the order of their names.
fn expected(batch: u64) -> Result<Vec<String>> {
    let all = (0..traffic::PAYMENTS).map(|number| large(&payments::payment("payments", batch, number).1));
    let mut all: Vec<String> = all.filter_map(Result::transpose).collect::<Result<_>>()?;
    all.sort_unstable();
    Ok(all)
}

fn large(payment: &str) -> Result<Option<String>> {
    let mut payment: Value = serde_json::from_str(payment).context("read a payment")?;
    let amount = payment["amount"].as_str().context("a payment has no amount")?;
    let (euros, cents) = amount.split_once('.').context("an amount has no cents")?;
    if euros.parse::<u64>()? * 100 + cents.parse::<u64>()? < LARGE {
        return Ok(None);
    }
    payment["card"] = "***".into();
    Ok(Some(payment.to_string()))
}

async fn kcat_reads(story: &Story<'_>, batch: u64, expected: &[String], began: Instant) -> Result<()> {
    let step = story.progress.step(format!("risk reads {MOUNT} (kcat)"));
    let text = kcat(
        story,
        &["-C", "-t", MOUNT, "-e", "-o", "beginning", "-f", "%k\t%s\n"],
    )
    .await?;
    if text.contains("4000-") {
        bail!("a card is in what risk was sent");
    }
    let found: Vec<&str> = text
        .lines()
        .filter_map(|it| Some(it.split_once('\t')?.1))
        .collect();
    equal(&found, batch, expected)?;
    let seconds = began.elapsed().as_secs();
    let count = thousands(expected.len() as u64);
    step.done(format!(
        "{count} of {}, contents equal, no card in keys or values, {seconds} s after the offer",
        thousands(traffic::PAYMENTS)
    ));
    Ok(())
}

async fn java_reads(story: &Story<'_>, batch: u64, expected: &[String]) -> Result<()> {
    let step = story
        .progress
        .step("risk reads it in a group of its own (Java consumer)");
    let (clients, user) = (story.clients(), story.user("risk")?);
    let command = clients.console_consumer(user, MOUNT, "large-payments");
    let mut consumer = clients.consume("consume-shared", command)?;
    let marker = payments::marker("payments", batch);
    let found = consumer.read(&marker, expected.len(), &step).await?;
    consumer.stop().await?;
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    equal(&found, batch, expected)?;
    step.done(format!("{}, contents equal", thousands(expected.len() as u64)));
    Ok(())
}

/// Of a batch, those and no others, each once.
fn equal(found: &[&str], batch: u64, expected: &[String]) -> Result<()> {
    let marker = payments::marker("payments", batch);
    let mut own = Vec::new();
    for record in found.iter().filter(|it| it.contains(&marker)) {
        let record: Value = serde_json::from_str(record).context("read a record")?;
        own.push(record.to_string());
    }
    own.sort_unstable();
    if own != expected {
        let strange = own.iter().find(|it| expected.binary_search(it).is_err());
        bail!(
            "risk was sent {} records and not {}, for example {strange:?}",
            own.len(),
            expected.len()
        );
    }
    Ok(())
}

async fn nobody_writes(story: &Story<'_>) -> Result<()> {
    let step = story.progress.step("risk writes to it (Java producer)");
    let (clients, user) = (story.clients(), story.user("risk")?);
    let input = clients.folder.join("shared.tsv");
    write(&input, "a\tb\n")?;
    let command = clients.console_producer(user, MOUNT);
    let sent = clients.produce("produce-shared", command, Some(&input)).await;
    let said = crate::workspace::read(&clients.complaints("produce-shared"))?;
    if sent.is_ok() || !said.contains("TopicAuthorizationException") {
        bail!("the producer was not refused: {said}");
    }
    step.done("refused");
    Ok(())
}

/// Denied, and for that reason.
fn refused(output: &std::process::Output) -> Result<()> {
    let said = String::from_utf8_lossy(&output.stderr).to_lowercase();
    let denied = said.contains("authorization") || said.contains("unknown topic");
    if !output.stdout.is_empty() || !denied {
        bail!("kcat was not refused: {said}");
    }
    Ok(())
}

/// The bound is of the share, not of risk's key: the same again takes longer.
async fn slower(story: &Story<'_>, share: &str, batch: u64, count: usize) -> Result<()> {
    let step = story.progress.step(format!(
        "payments bounds the share to {} bytes a second",
        thousands(NARROW)
    ));
    let free = again(story, batch, count).await?;
    let change = json!({"spec": {"fetch_bytes_per_second": NARROW}});
    let path = format!("/v1/shares/{share}?wait=30s");
    story.payments.patch(&path, &change).await?;
    let bounded = again(story, batch, count).await?;
    if bounded < free + Duration::from_secs(1) {
        bail!("risk read the share in {free:?}, and in {bounded:?} when it was bounded");
    }
    step.done(format!(
        "{:.1} s before, {:.1} s since",
        free.as_secs_f64(),
        bounded.as_secs_f64()
    ));
    Ok(())
}

/// How long it takes to read all of it.
async fn again(story: &Story<'_>, batch: u64, count: usize) -> Result<Duration> {
    let began = Instant::now();
    let text = kcat(story, &["-C", "-t", MOUNT, "-e", "-o", "beginning"]).await?;
    let marker = payments::marker("payments", batch);
    let own = text.lines().filter(|it| it.contains(&marker)).count();
    if own != count {
        bail!("risk read {own} of {count} records");
    }
    Ok(began.elapsed())
}

/// The same amount on both sides.
async fn bills(story: &Story<'_>, share: &str, received: &str) -> Result<()> {
    let step = story.progress.step("risk pays, payments is credited");
    let deadline = Instant::now() + WITHIN;
    loop {
        let charge = amount(story, "risk", share, received).await?;
        let credit = amount(story, "payments", share, received).await?;
        if charge > Decimal::ZERO && charge + credit == Decimal::ZERO {
            step.done(format!("{charge} EUR and {credit} EUR"));
            return Ok(());
        }
        if Instant::now() > deadline {
            let what = format!("risk pays {charge} EUR for the share, payments gets {credit} EUR");
            return Err(Trouble::new(what).into());
        }
        waits(&step, charge).await;
    }
}

async fn waits(step: &Step, charge: Decimal) {
    step.note(format!("{charge} EUR so far"));
    tokio::time::sleep(Duration::from_secs(1)).await;
}

async fn amount(story: &Story<'_>, tenant: &str, share: &str, received: &str) -> Result<Decimal> {
    let api = if tenant == "risk" {
        &story.risk
    } else {
        &story.payments
    };
    let answer = api
        .get(&format!("{}&group_by=share", usage::period("/v1/costs")?))
        .await?;
    let mut sum = Decimal::ZERO;
    for row in answer["data"].as_array().context("costs have no data")? {
        if row["share"] == share || row["share"] == received {
            let text = row["amount"].as_str().context("a cost has no amount")?;
            sum += text
                .parse::<Decimal>()
                .with_context(|| format!("read the amount {text}"))?;
        }
    }
    Ok(sum)
}

async fn revoke(story: &Story<'_>, share: &str, received: &str) -> Result<()> {
    let step = story.progress.step("payments takes the share back");
    let path = format!("/v1/shares/{share}/revoke?wait=30s");
    story.payments.post(&path, &json!({})).await?;
    let began = Instant::now();
    let arguments = [
        "-C",
        "-t",
        MOUNT,
        "-e",
        "-o",
        "beginning",
        "-X",
        "topic.metadata.propagation.max.ms=1000",
    ];
    refused(&captured(story.clients().kcat("risk", &arguments)).await?)?;
    let took = began.elapsed();
    let seen = story.risk.get(&format!("/v1/received-shares/{received}")).await?;
    if seen["status"]["phase"] != "REVOKED" || seen["status"]["read_records"].as_i64() < Some(1) {
        bail!(
            "risk does not see what it read of a revoked share: {}",
            seen["status"]
        );
    }
    step.done(format!(
        "risk is denied ({:.1} s for a new client), and still sees that it read {} records",
        took.as_secs_f64(),
        thousands(seen["status"]["read_records"].as_u64().unwrap_or_default())
    ));
    Ok(())
}

/// What risk's kcat says.
pub(super) async fn kcat(story: &Story<'_>, arguments: &[&str]) -> Result<String> {
    let out = captured(story.clients().kcat("risk", arguments)).await?;
    if !out.status.success() {
        bail!("risk's kcat failed: {}", String::from_utf8_lossy(&out.stderr));
    }
    String::from_utf8(out.stdout).context("what kcat read is no text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_payment_has_no_card_and_a_smaller_one_is_none() {
        let payment = |amount: &str| json!({"card": "4000-0001", "amount": amount}).to_string();
        let shown = json!({"card": "***", "amount": "2400.00"}).to_string();
        assert_eq!(large(&payment("2400.00")).unwrap(), Some(shown));
        assert_eq!(large(&payment("2399.99")).unwrap(), None);
    }
}
