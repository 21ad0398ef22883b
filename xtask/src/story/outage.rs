//! Chapter 15. Control plane, then agent, are killed with SIGKILL while clients run: the clients notice nothing, brokers
//! and gateway keep their processes, and the usage of that time arrives exactly once.

use super::kafka::Consumer;
use super::{Story, data_plane, payments, usage};
use crate::process::{Identity, open_log, running_below};
use crate::progress::{Step, thousands};
use crate::run::{Group, captured};
use crate::trouble::Trouble;
use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, ChildStdin};
use tokio::task::JoinHandle;

/// Payments a second while parts are killed.
const RATE: u64 = 2_000;
/// Payments that must pass while a part is dead.
const THROUGH: u64 = 10_000;

/// The chapter.
pub async fn run(story: &mut Story<'_>) -> Result<()> {
    let before = usage::Meters::settled(story).await?;
    story.stack.settings.batches += 1;
    story.stack.settings.save()?;
    let mut traffic = Traffic::start(story)?;
    let step = story.progress.step("clients run: kcat produces, Java consumes");
    traffic.pass(RATE, &step).await?;
    step.done(format!("{} payments a second", thousands(RATE)));

    control_plane_dies(story, &mut traffic).await?;
    agent_dies(story, &mut traffic).await?;

    let step = story.progress.step("clients end");
    let (sent, delivered) = traffic.finish(story).await?;
    step.done(format!(
        "{} sent, the same arrived once each, no client saw an error",
        thousands(sent)
    ));
    usage::check(story, &before, sent, delivered).await
}

/// Everything goes on without the control plane; a client that comes new is served as well.
async fn control_plane_dies(story: &mut Story<'_>, traffic: &mut Traffic) -> Result<()> {
    let step = story.progress.step("control plane killed with SIGKILL");
    let victim = story
        .stack
        .part("control-plane")
        .context("the control plane does not run")?;
    kill(victim).await?;
    traffic.pass(THROUGH, &step).await?;
    let command = story.clients().kcat("risk", &["-L", "-J"]);
    let newcomer = captured(command).await?;
    if !newcomer.status.success() {
        bail!(
            "a new client is not served meanwhile: {}",
            String::from_utf8_lossy(&newcomer.stderr)
        );
    }
    step.done(format!(
        "{} payments passed without it, a new client signed in",
        thousands(THROUGH)
    ));

    let step = story.progress.step("control plane started again");
    story.stack.start_control_plane().await?;
    step.done("ready");
    data_plane::connected(story, story.id("data_plane")?).await
}

/// Brokers and gateway keep their processes, and the next agent adopts them.
async fn agent_dies(story: &mut Story<'_>, traffic: &mut Traffic) -> Result<()> {
    let step = story.progress.step("agent killed with SIGKILL");
    let victim = story.stack.part("agent").context("the agent does not run")?;
    let before = data_plane_processes(story)?;
    kill(victim).await?;
    traffic.pass(THROUGH, &step).await?;
    step.done(format!("{} payments passed without it", thousands(THROUGH)));

    let step = story.progress.step("agent started again");
    let known = story.stack.settings.agent.clone();
    story.stack.start_agent(&known)?;
    data_plane_reconnected(story).await?;
    traffic.pass(RATE, &step).await?;
    let after = data_plane_processes(story)?;
    if before != after {
        return Err(
            Trouble::new(format!("brokers and gateway were {before:?} and are {after:?}"))
                .log(story.stack.state.log("agent"))
                .into(),
        );
    }
    let pids: Vec<String> = after.iter().map(|it| format!("{} {}", it.0, it.1.pid)).collect();
    step.done(format!("adopted {}", pids.join(", ")));
    Ok(())
}

/// Waits for a sign of the new agent: the old one's heartbeat may still count as connected.
async fn data_plane_reconnected(story: &Story<'_>) -> Result<()> {
    let path = format!("/v1/data-planes/{}", story.id("data_plane")?);
    let started = usage::unix_now()?;
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        let status = story.payments.get(&path).await?["status"].clone();
        let seen = status["last_seen_at"]
            .as_str()
            .map_or(Ok(0), crate::clock::parse)?;
        if status["connected"] == true && seen > started {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(Trouble::new("the agent does not come back")
        .log(story.stack.state.log("agent"))
        .into())
}

async fn kill(victim: Identity) -> Result<()> {
    victim.signal(Signal::KILL);
    if victim.gone(Duration::from_secs(5)).await {
        Ok(())
    } else {
        bail!("process {} survives SIGKILL", victim.pid)
    }
}

/// The processes that carry the clients' traffic.
fn data_plane_processes(story: &Story<'_>) -> Result<Vec<(&'static str, Identity)>> {
    let mut found: Vec<(&str, Identity)> = running_below(&[&story.stack.state.agent()])
        .into_iter()
        .filter_map(|it| {
            if it.arguments.iter().any(|argument| argument == "kafka.Kafka") {
                Some(("broker", it.identity))
            } else if it.arguments.get(1).is_some_and(|verb| verb == "gateway") {
                Some(("gateway", it.identity))
            } else {
                None
            }
        })
        .collect();
    found.sort_by_key(|it| (it.0, it.1.pid));
    if !["broker", "gateway"]
        .iter()
        .all(|name| found.iter().any(|it| it.0 == *name))
    {
        bail!("broker and gateway should run; these do: {found:?}");
    }
    Ok(found)
}

/// A producer that sends at a steady rate and a consumer that reads along.
struct Traffic {
    batch: u64,
    enough: Arc<AtomicBool>,
    arrived: Arc<AtomicU64>,
    feeding: JoinHandle<Result<u64>>,
    reading: JoinHandle<Result<(Consumer, Vec<String>)>>,
    /// How many the reader waits for, once the producer has ended.
    total: tokio::sync::watch::Sender<Option<u64>>,
    producer: Child,
    group: Group,
}

impl Traffic {
    fn start(story: &Story<'_>) -> Result<Self> {
        let (clients, user, batch) = (
            story.clients(),
            story.user("payments")?,
            story.stack.settings.batches,
        );
        // This group has read everything before, so it reads exactly what comes now.
        let command = clients.console_consumer(user, "payments", "fraud-java");
        let consumer = clients.consume("outage-consume", command)?;
        let complaints = clients.complaints("outage-produce");
        crate::workspace::write(&complaints, "")?;
        let mut producer = clients
            .kcat("payments", &["-P", "-t", "payments", "-K", "\t"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(open_log(&complaints)?)
            .process_group(0)
            .spawn()
            .context("start kcat")?;
        let group = Group::of(&producer);
        let input = producer.stdin.take().context("write to kcat")?;
        let (enough, arrived) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (total, wanted) = tokio::sync::watch::channel(None);
        let feeding = tokio::spawn(feed(input, batch, enough.clone()));
        let reading = tokio::spawn(follow(
            consumer,
            payments::marker("payments", batch),
            arrived.clone(),
            wanted,
        ));
        Ok(Self {
            batch,
            enough,
            arrived,
            feeding,
            reading,
            total,
            producer,
            group,
        })
    }

    /// Waits until `count` further payments went all the way.
    async fn pass(&mut self, count: u64, step: &Step) -> Result<()> {
        let from = self.arrived.load(Ordering::Relaxed);
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let through = self.arrived.load(Ordering::Relaxed) - from;
            step.note(format!("{through} payments passed"));
            if through >= count {
                return Ok(());
            }
            if self.feeding.is_finished() || self.reading.is_finished() || Instant::now() > deadline {
                bail!(
                    "only {through} of {count} payments passed; see outage-*.stderr among the clients' files"
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Ends producer and consumer; every payment must have arrived once. Returns what was sent and what was delivered.
    async fn finish(mut self, story: &Story<'_>) -> Result<(u64, u64)> {
        self.enough.store(true, Ordering::Relaxed);
        let sent = self.feeding.await.context("feed kcat")??;
        let status = self.producer.wait().await.context("wait for kcat")?;
        self.group.ended();
        if !status.success() {
            bail!("kcat ended with {status}");
        }
        self.total.send_replace(Some(sent));
        let (consumer, mut got) = self.reading.await.context("read from the consumer")??;
        let delivered = consumer.stop().await?;
        let mut expected: Vec<String> = (0..sent)
            .map(|number| payments::payment("payments", self.batch, number).1)
            .collect();
        expected.sort_unstable();
        got.sort_unstable();
        if got != expected {
            bail!(
                "{sent} payments were sent while parts were killed; {} arrived, or others did",
                got.len()
            );
        }
        let clients = story.clients();
        clients.without_complaints("outage-produce")?;
        clients.without_complaints("outage-consume")?;
        Ok((sent, delivered))
    }
}

/// Writes payments to kcat at the rate until it is enough; returns how many.
async fn feed(mut input: ChildStdin, batch: u64, enough: Arc<AtomicBool>) -> Result<u64> {
    let mut sent = 0;
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    while !enough.load(Ordering::Relaxed) {
        ticks.tick().await;
        let next = sent + RATE / 20;
        let lines = payments::lines("payments", batch, sent, next);
        input.write_all(lines.as_bytes()).await.context("write to kcat")?;
        sent = next;
    }
    Ok(sent)
}

/// Reads records of the batch until the total is known and reached.
async fn follow(
    mut consumer: Consumer,
    marker: String,
    arrived: Arc<AtomicU64>,
    mut wanted: tokio::sync::watch::Receiver<Option<u64>>,
) -> Result<(Consumer, Vec<String>)> {
    let mut records = Vec::new();
    loop {
        if wanted.borrow().is_some_and(|total| records.len() as u64 >= total) {
            return Ok((consumer, records));
        }
        tokio::select! {
            record = consumer.next() => {
                let record = record?;
                if record.contains(&marker) {
                    records.push(record);
                    arrived.store(records.len() as u64, Ordering::Relaxed);
                }
            }
            changed = wanted.changed() => changed.context("the producer's end is lost")?,
        }
    }
}
