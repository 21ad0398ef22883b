//! Chapter 5. A contract: a refund has a positive amount, whatever client sends it. First its breaches are only counted, then
//! they are refused, and the producer that is connected stays so.

use super::Story;
use crate::process::open_log;
use crate::run::{Group, captured};
use crate::trouble::Trouble;
use crate::workspace::read;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin};

const TOPIC: &str = "refunds";
const RULE: &str = "amount-is-positive";
/// How long a record may take to its topic, and a verdict to the API.
const WITHIN: Duration = Duration::from_secs(20);

/// The chapter.
pub async fn run(story: &mut Story<'_>) -> Result<()> {
    let step = story
        .progress
        .step("schema and rule registered, topic under them in SHADOW");
    register(story).await?;
    let topic = under_contract(story, "SHADOW").await?;
    step.done(format!("{TOPIC}-value: {RULE}"));

    story.stack.settings.batches += 1;
    story.stack.settings.save()?;
    let run = story.stack.settings.batches;
    let refund =
        |name: &str, cents: i64| json!({"refund": format!("r-{run}-{name}"), "amount": cents}).to_string();

    let step = story
        .progress
        .step("Kafka's console producer sends a refund of -5: SHADOW counts it");
    let counted = violations(story, &topic).await?;
    let mut producer = Producer::start(story)?;
    producer.send(&refund("shadow", -5)).await?;
    arrives(story, &refund("shadow", -5)).await?;
    let connection = connection(story).await?;
    counts_more(story, &topic, counted).await?;
    step.done("it passed, and the rule's count rose");

    let step = story.progress.step("the contract refuses from now on");
    under_contract(story, "REJECT").await?;
    producer.send(&refund("refused", -7)).await?;
    let said = producer.complains().await?;
    producer.send(&refund("good", 7)).await?;
    arrives(story, &refund("good", 7)).await?;
    if self::connection(story).await? != connection {
        bail!("the producer had to connect again when the contract changed");
    }
    producer.end().await?;
    if records(story).await?.contains(&refund("refused", -7)) {
        bail!("the refund of -7 is in the topic although its producer was refused");
    }
    step.done(format!("-7: {said}; 7 passes, on the same connection"));
    Ok(())
}

/// Registers the subject as any serializer would; once it is there, nothing new is.
async fn register(story: &Story<'_>) -> Result<()> {
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Refund",
        "type": "object",
        "properties": {"refund": {"type": "string"}, "amount": {"type": "integer", "description": "In cents."}},
        "required": ["refund", "amount"],
    });
    let rule = json!({"name": RULE, "doc": "A refund gives money back.", "kind": "CONDITION", "mode": "WRITE", "type": "CEL",
        "expr": "message.amount > 0", "onFailure": "ERROR"});
    let body = json!({
        "schemaType": "JSON",
        "schema": schema.to_string(),
        "metadata": {"properties": {"owner": "cards"}},
        "ruleSet": {"domainRules": [rule]},
    });
    let path = format!("/registry/subjects/:.prod:{TOPIC}-value/versions");
    story.payments.post(&path, &body).await?;
    Ok(())
}

/// The topic, judged in this way; on every gateway when this returns.
async fn under_contract(story: &Story<'_>, enforcement: &str) -> Result<String> {
    let contract =
        json!({"enforcement": enforcement, "value": {"strategy": "TOPIC_NAME", "unframed": "JSON"}});
    let spec = json!({"cluster": story.id("payments.cluster")?, "name": TOPIC, "partitions": 1, "contract": contract});
    let topic = story
        .payments
        .ensure("/v1/topics", &["cluster", "name"], spec)
        .await?;
    let id = topic.id()?;
    let path = format!("/v1/topics/{id}");
    let change = json!({"spec": {"contract": contract}});
    let value = story.payments.patch(&format!("{path}?wait=30s"), &change).await?;
    let changed = super::client::Object {
        value,
        created: false,
    };
    story.payments.until_ready("/v1/topics", changed).await?;
    Ok(id)
}

/// How many records broke the rule, as the API tells it.
async fn violations(story: &Story<'_>, topic: &str) -> Result<u64> {
    let told = story
        .payments
        .get(&format!("/v1/topics/{topic}/violations"))
        .await?;
    let rows = told["violations"].as_array().context("violations are no list")?;
    let of_rule = rows.iter().filter(|it| it["rule"] == RULE);
    Ok(of_rule.filter_map(|it| it["records"].as_u64()).sum())
}

async fn counts_more(story: &Story<'_>, topic: &str, before: u64) -> Result<()> {
    let deadline = Instant::now() + WITHIN;
    while Instant::now() < deadline {
        if violations(story, topic).await? > before {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    bail!("the breach is not counted after {WITHIN:?}")
}

/// What the topic holds.
async fn records(story: &Story<'_>) -> Result<Vec<String>> {
    let command = story
        .clients()
        .kcat("payments", &["-C", "-t", TOPIC, "-e", "-o", "beginning"]);
    let out = captured(command).await?;
    if !out.status.success() {
        bail!(
            "kcat cannot read {TOPIC}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&out.stdout)
        .lines()
        .map(str::to_owned)
        .collect())
}

async fn arrives(story: &Story<'_>, record: &str) -> Result<()> {
    let deadline = Instant::now() + WITHIN;
    loop {
        match records(story).await {
            Ok(found) if found.iter().any(|it| it == record) => return Ok(()),
            // Brokers that were begun just now may not answer yet.
            Err(error) if Instant::now() > deadline => return Err(error),
            Ok(_) if Instant::now() > deadline => bail!("{record} is not in {TOPIC} after {WITHIN:?}"),
            _not_yet => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// The connection of the producer: of those of its key the one with the most bytes sent.
async fn connection(story: &Story<'_>) -> Result<Value> {
    let path = format!("/v1/clusters/{}/connections", story.id("payments.cluster")?);
    let connections = story.payments.list(&path).await?;
    let sent = |it: &Value| it["ingress_bytes"].as_u64().unwrap_or(0);
    let busiest = connections.iter().max_by_key(|it| sent(it));
    let busiest = busiest
        .filter(|it| sent(it) > 0)
        .context("nobody who sends is connected")?;
    Ok(busiest["id"].clone())
}

/// Kafka's console producer, which stays connected and sends each line that it is given.
struct Producer {
    child: Child,
    input: ChildStdin,
    group: Group,
    complaints: std::path::PathBuf,
}

impl Producer {
    fn start(story: &Story<'_>) -> Result<Self> {
        let clients = story.clients();
        let complaints = clients.complaints("refunds-produce");
        crate::workspace::write(&complaints, "")?;
        let mut child = clients
            .console_producer(story.user("payments")?, TOPIC)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(open_log(&complaints)?)
            .process_group(0)
            .spawn()
            .context("start the console producer")?;
        let group = Group::of(&child);
        let input = child.stdin.take().context("write to the console producer")?;
        Ok(Self {
            child,
            input,
            group,
            complaints,
        })
    }

    async fn send(&mut self, record: &str) -> Result<()> {
        let line = format!("refund\t{record}\n");
        self.input
            .write_all(line.as_bytes())
            .await
            .context("write to the console producer")?;
        self.input.flush().await.context("write to the console producer")
    }

    /// What it says of the record that was refused.
    async fn complains(&self) -> Result<String> {
        let deadline = Instant::now() + WITHIN;
        while Instant::now() < deadline {
            let said = read(&self.complaints)?;
            let refusal = said
                .lines()
                .find_map(|line| line.split_once("InvalidRecordException: "));
            if let Some((_before, why)) = refusal {
                return Ok(why.trim().to_owned());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(
            Trouble::new("the console producer is not told that the refund of -7 was refused")
                .log(&self.complaints)
                .into(),
        )
    }

    async fn end(self) -> Result<()> {
        let Self {
            mut child,
            input,
            group,
            complaints: _,
        } = self;
        drop(input);
        let ended = tokio::time::timeout(WITHIN, child.wait()).await;
        ended
            .context("the console producer does not end")?
            .context("wait for the console producer")?;
        group.ended();
        Ok(())
    }
}
