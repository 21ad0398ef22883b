//! Records per CPU-second through the gateway (gateway and broker together) beside the same broker without it.
//!
//! Kafka's own performance tools are the clients of both sides, on the same topic: the same batches, acknowledgements and
//! security protocol (SASL over plain text on loopback). The unit is the CPU of the system under test, not the clients', so
//! that clients sharing the machine's cores do not decide the result.

use super::Meter;
use super::report::{Pairs, Report};
use crate::process::running_below;
use crate::run::captured;
use crate::story::Story;
use crate::story::kafka::{KafkaUser, StockClients};
use crate::trouble::Trouble;
use crate::workspace::{read, write_private};
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::time::{Duration, Instant};

const RECORD_BYTES: u64 = 1024;
const RECORDS: u64 = 400_000;
/// Kafka is a JVM: measured only after a minute of both kinds of work.
const WARM_UP: Duration = Duration::from_secs(60);

/// One way to the broker.
struct Side {
    user: KafkaUser,
    topic: String,
    pids: Vec<i32>,
}

/// The benchmark.
pub async fn run(story: &mut Story<'_>, pairs: usize, report: &mut Report) -> Result<()> {
    report.setting("G1.direct.records", RECORDS.to_string());
    report.setting("G1.direct.record_bytes", RECORD_BYTES.to_string());
    report.setting(
        "G1.direct.clients",
        "ProducerPerformance acks=all, ConsumerPerformance; Kafka 4.3.1",
    );
    report.setting(
        "G1.direct.security",
        "SASL_PLAINTEXT: SCRAM-SHA-256 at the gateway, PLAIN at the broker",
    );
    let (gateway, direct) = sides(story).await?;
    let clients = story.clients();
    clients.write_configuration(&gateway.user)?;
    write_private(&clients.java_file(&direct.user.name), &plain(&direct.user))?;
    warm_up(story, &clients, [&gateway, &direct]).await?;

    let (mut produced, mut consumed) = (Pairs::default(), Pairs::default());
    for pair in 0..pairs {
        let step = story.progress.step(format!("pair {} of {pairs}", pair + 1));
        // A-B in one pair, B-A in the next: a drift of the machine hurts both.
        let order = if pair % 2 == 0 {
            [&gateway, &direct]
        } else {
            [&direct, &gateway]
        };
        let first = (
            produce(&clients, order[0]).await?,
            consume(&clients, order[0]).await?,
        );
        let second = (
            produce(&clients, order[1]).await?,
            consume(&clients, order[1]).await?,
        );
        let (ours, peer) = if pair % 2 == 0 {
            (first, second)
        } else {
            (second, first)
        };
        produced.add(ours.0, peer.0);
        consumed.add(ours.1, peer.1);
        step.done(format!(
            "records a CPU-second, gateway + broker / broker: produce {:.0} / {:.0}, consume {:.0} / {:.0}",
            ours.0, peer.0, ours.1, peer.1
        ));
    }
    let what = [
        "produce, records per CPU-second",
        "consume, records per CPU-second",
    ];
    report.results.push(produced.figure(
        "G1.direct.produce",
        what[0],
        "the same broker without gateway",
        "4.3.1",
    ));
    report.results.push(consumed.figure(
        "G1.direct.consume",
        what[1],
        "the same broker without gateway",
        "4.3.1",
    ));
    Ok(())
}

async fn warm_up(story: &Story<'_>, clients: &StockClients, sides: [&Side; 2]) -> Result<()> {
    let step = story.progress.step("warm-up");
    let began = Instant::now();
    while began.elapsed() < WARM_UP {
        for side in sides {
            produce(clients, side).await?;
            consume(clients, side).await?;
        }
        step.note(format!(
            "{} s of {}",
            began.elapsed().as_secs(),
            WARM_UP.as_secs()
        ));
    }
    step.done(format!("{} s", began.elapsed().as_secs()));
    Ok(())
}

/// The two ways, with the processes whose CPU counts.
async fn sides(story: &Story<'_>) -> Result<(Side, Side)> {
    let spec = json!({
        "cluster": story.id("payments.cluster")?, "name": "bench", "partitions": 6, "retention_bytes": 1_073_741_824_u64,
    });
    story
        .payments
        .ensure("/v1/topics", &["cluster", "name"], spec)
        .await?;
    let running = running_below(&[&story.stack.state.agent()]);
    let gateway = running
        .iter()
        .find(|it| it.arguments.get(1).is_some_and(|verb| verb == "gateway"));
    let broker = running
        .iter()
        .find(|it| it.arguments.iter().any(|argument| argument == "kafka.Kafka"));
    let (gateway, broker) = (
        gateway.context("no gateway runs")?,
        broker.context("no broker runs")?,
    );
    let settings = broker.arguments.last().context("the broker has no settings")?;
    let settings = read(std::path::Path::new(settings))?;
    // The one principal that the broker knows is the agent's own; only this machine has it.
    let between = |from: &str| {
        settings
            .split_once(from)
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|it| it.0)
    };
    let (Some(username), Some(password)) = (between("username=\""), between("password=\"")) else {
        bail!("the broker's settings name no internal principal");
    };
    let direct = KafkaUser {
        name: "bench-direct".into(),
        bootstrap: format!("127.0.0.1:{}", story.stack.ports().broker()),
        username: username.into(),
        password: password.into(),
    };
    let physical = crate::story::isolation::physical_topic(story, "payments", "bench")?;
    let user = KafkaUser {
        name: "bench-gateway".into(),
        ..story.user("payments")?.clone()
    };
    Ok((
        Side {
            user,
            topic: "bench".into(),
            pids: vec![gateway.identity.pid, broker.identity.pid],
        },
        Side {
            user: direct,
            topic: physical,
            pids: vec![broker.identity.pid],
        },
    ))
}

fn plain(user: &KafkaUser) -> String {
    format!(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n\
         sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"{}\" password=\"{}\";\n",
        user.username, user.password
    )
}

async fn produce(clients: &StockClients, side: &Side) -> Result<f64> {
    let configuration = clients.java_file(&side.user.name).display().to_string();
    let bootstrap = format!("bootstrap.servers={}", side.user.bootstrap);
    let (records, size) = (RECORDS.to_string(), RECORD_BYTES.to_string());
    let arguments = [
        "--topic",
        &side.topic,
        "--num-records",
        &records,
        "--record-size",
        &size,
        "--throughput",
        "-1",
        "--command-config",
        &configuration,
        "--command-property",
        &bootstrap,
        "acks=all",
        "linger.ms=5",
        "batch.size=65536",
    ];
    per_cpu_second(
        clients,
        side,
        "org.apache.kafka.tools.ProducerPerformance",
        &arguments,
    )
    .await
}

async fn consume(clients: &StockClients, side: &Side) -> Result<f64> {
    let configuration = clients.java_file(&side.user.name).display().to_string();
    // A new group each time: from the beginning of what is retained.
    let group = format!("bench-{}", crate::workspace::random_hex(6)?);
    let records = RECORDS.to_string();
    let arguments = [
        "--bootstrap-server",
        &side.user.bootstrap,
        "--topic",
        &side.topic,
        "--num-records",
        &records,
        "--group",
        &group,
        "--command-config",
        &configuration,
    ];
    per_cpu_second(
        clients,
        side,
        "org.apache.kafka.tools.ConsumerPerformance",
        &arguments,
    )
    .await
}

async fn per_cpu_second(clients: &StockClients, side: &Side, tool: &str, arguments: &[&str]) -> Result<f64> {
    let meter = Meter::start(side.pids.clone());
    let output = captured(clients.java(tool, arguments)).await?;
    let (cpu, _wall) = meter.stop();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let out = String::from_utf8_lossy(&output.stdout);
        return Err(Trouble::new(format!("{tool}: {} {}", said.trim(), out.trim())).into());
    }
    if cpu < 0.2 {
        bail!("{tool} used only {cpu} CPU-seconds of the system under test: too little to measure");
    }
    Ok(RECORDS as f64 / cpu)
}
