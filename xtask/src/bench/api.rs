//! A tenant-scoped read and a durable create through REST, beside pgbench with the same SQL in the same run.
//!
//! The system under test is control plane and `PostgreSQL`, the peer is pgbench and `PostgreSQL`: CPU of the whole of
//! each. Both have the same number of connections, closed loop. Our load generator is outside the measure.

use super::report::{Pairs, Report};
use super::{Meter, capture, script};
use crate::postgres::Postgres;
use crate::process::{Identity, pid_file};
use crate::run::captured;
use crate::story::Story;
use crate::story::client::Api;
use crate::trouble::Trouble;
use anyhow::{Context, Result, bail};
use http::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::process::Command;

/// Connections of every side.
pub const CONNECTIONS: usize = 4;
/// One measurement of one side.
pub const SECONDS: u64 = 5;

/// A request that can be repeated.
#[derive(Clone)]
enum Work {
    Read(String),
    Create,
}

/// The benchmark.
pub async fn run(story: &mut Story<'_>, pairs: usize, report: &mut Report) -> Result<()> {
    let postgres = story.stack.postgres()?;
    let version = postgres.psql("postgres", "show server_version").await?;
    report.setting("postgresql", version.clone());
    report.setting("connections", CONNECTIONS.to_string());
    report.setting("seconds_per_run", SECONDS.to_string());
    report.setting(
        "pgbench",
        "-M prepared, the captured statements one at a time, as weir_app",
    );
    report.setting("durability", "fsync and synchronous_commit on, both sides");
    lift_quota(&postgres).await?;
    let topic = format!("/v1/topics/{}", story.id("payments.topic")?);
    for (work, id, rate_id, what) in [
        (Work::Read(topic), "G20", "G20.throughput", "GET /v1/topics/{id}"),
        (Work::Create, "G21", "G21.throughput", "POST /v1/service-accounts"),
    ] {
        let file = prepare(story, &postgres, &work, id).await?;
        let (mut per_cpu, mut per_second) = (Pairs::default(), Pairs::default());
        drive(story, &work, SECONDS).await?;
        for pair in 0..pairs {
            let step = story
                .progress
                .step(format!("{what}, pair {} of {pairs}", pair + 1));
            let (ours, peer) = if pair % 2 == 0 {
                let ours = ours(story, &work).await?;
                (ours, pgbench(story, &postgres, &file).await?)
            } else {
                let peer = pgbench(story, &postgres, &file).await?;
                (ours(story, &work).await?, peer)
            };
            per_cpu.add(ours.0, peer.0);
            per_second.add(ours.1, peer.1);
            step.done(format!(
                "a CPU-second {:.0} / {:.0}, a second {:.0} / {:.0}",
                ours.0, peer.0, ours.1, peer.1
            ));
        }
        report
            .results
            .push(per_cpu.figure(id, what, "pgbench, per CPU-second", &version));
        report
            .results
            .push(per_second.figure(rate_id, what, "pgbench, per second", &version));
    }
    Ok(())
}

/// Lets tenants have as many service accounts as a run makes.
async fn lift_quota(postgres: &Postgres) -> Result<()> {
    let sql = "insert into service_quota (tenant_id, name, value) \
               select id, 'service_accounts', 100000000 from tenant \
               on conflict (tenant_id, name) do update set value = excluded.value";
    postgres.psql("weir", sql).await?;
    Ok(())
}

/// Captures the request's SQL twice and writes the pgbench script.
async fn prepare(
    story: &Story<'_>,
    postgres: &Postgres,
    work: &Work,
    id: &str,
) -> Result<std::path::PathBuf> {
    let step = story
        .progress
        .step(format!("{id}: capture the SQL of one request"));
    capture::logging(postgres, true).await?;
    let names = ["captured-one", "captured-two"].map(|it| format!("{it}-{}", story.stack.settings.port_base));
    let captures = captures(story, postgres, work, &names).await;
    capture::logging(postgres, false).await?;
    let (one, other, names) = captures?;
    let text = script::from(postgres, &one, &other, [&names[0], &names[1]]).await?;
    let file = story.stack.ws.scratch("bench")?.join(format!("{id}.sql"));
    crate::workspace::write(&file, &text)?;
    step.done(format!("{} statements, {}", one.len(), file.display()));
    Ok(file)
}

type Captures = (Vec<capture::Statement>, Vec<capture::Statement>, [String; 2]);

/// Two captures of the same request that ran the same statements: what else the control plane does from time to time
/// falls into one of two, so it is tried again.
async fn captures(
    story: &Story<'_>,
    postgres: &Postgres,
    work: &Work,
    names: &[String; 2],
) -> Result<Captures> {
    for turn in 0..20 {
        let names = [0, 1].map(|at| format!("{}-{turn}", names[at]));
        let mut captured = Vec::new();
        for name in &names {
            // The first of two equal requests lets every session take up the new setting.
            call(&story.payments, work, &format!("{name}-before")).await?;
            let from = capture::position(postgres)?;
            call(&story.payments, work, name).await?;
            // A statement is logged before it runs, so the answer comes after its last line.
            captured.push(capture::since(postgres, from)?);
        }
        if let (Some(other), Some(one)) = (captured.pop(), captured.pop())
            && one.iter().map(|it| &it.sql).eq(other.iter().map(|it| &it.sql))
        {
            return Ok((one, other, names));
        }
    }
    bail!("twenty times, two captures of the same request ran different statements")
}

async fn call(api: &Api, work: &Work, name: &str) -> Result<()> {
    let answer = match work {
        Work::Read(path) => api.send(Method::GET, path, None, None).await?,
        Work::Create => {
            let body = json!({"spec": {"name": name, "description": "A benchmark's"}});
            api.send(Method::POST, "/v1/service-accounts", Some(&body), Some(name))
                .await?
        }
    };
    if matches!(answer.status, 200 | 201) {
        return Ok(());
    }
    bail!(
        "answered {} {}",
        answer.status,
        answer.body.get("detail").unwrap_or(&Value::Null)
    )
}

/// Sends requests over all connections; returns how many were answered.
async fn drive(story: &Story<'_>, work: &Work, seconds: u64) -> Result<u64> {
    let answered = Arc::new(AtomicU64::new(0));
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (api, work, answered) = (story.payments.clone(), work.clone(), answered.clone());
        let nonce = crate::workspace::random_hex(6)?;
        workers.spawn(async move {
            let mut turn = 0_u64;
            while Instant::now() < until {
                turn += 1;
                call(&api, &work, &format!("bench-{nonce}-{turn}")).await?;
                answered.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = workers.join_next().await {
        ended.context("run a worker")??;
    }
    Ok(answered.load(Ordering::Relaxed))
}

/// Requests per CPU-second of control plane and database, and per second.
async fn ours(story: &Story<'_>, work: &Work) -> Result<(f64, f64)> {
    let control_plane = story
        .stack
        .part("control-plane")
        .context("the control plane does not run")?;
    let meter = Meter::start(vec![control_plane.pid]);
    let before = database_ticks(story)?;
    let answered = drive(story, work, SECONDS).await?;
    let (cpu, wall) = meter.stop();
    let database = (database_ticks(story)? - before) as f64 / super::TICKS_PER_SECOND;
    Ok((answered as f64 / (cpu + database), answered as f64 / wall))
}

/// Transactions per CPU-second of pgbench and database, and per second.
pub async fn pgbench(story: &Story<'_>, postgres: &Postgres, file: &std::path::Path) -> Result<(f64, f64)> {
    let secrets = &story.stack.settings.secrets;
    let password = secrets
        .get("postgres.weir_app")
        .context("the application's role has no password")?;
    let mut command = Command::new(postgres.bin.join("pgbench"));
    let (clients, seconds, port) = (
        CONNECTIONS.to_string(),
        SECONDS.to_string(),
        postgres.port.to_string(),
    );
    command
        .args([
            "-n", "-M", "prepared", "-c", &clients, "-j", "1", "-T", &seconds, "-f",
        ])
        .arg(file)
        .args(["-h", "127.0.0.1", "-p", &port, "-U", "weir_app", "weir"])
        .env("PGPASSWORD", password);
    let (before, own) = (database_ticks(story)?, reaped_ticks("self")?);
    let output = captured(command).await?;
    let used = database_ticks(story)? - before + reaped_ticks("self")? - own;
    let text = String::from_utf8_lossy(&output.stdout);
    let number = |name: &str| -> Result<f64> {
        let line = text
            .lines()
            .find(|it| it.starts_with(name))
            .with_context(|| format!("pgbench tells no {name}"))?;
        let word = line[name.len()..]
            .trim_start_matches([':', ' ', '='])
            .split([' ', '/'])
            .next()
            .unwrap_or_default();
        word.parse().with_context(|| format!("read {line}"))
    };
    let failed = number("number of failed transactions").unwrap_or(0.0);
    if !output.status.success() || failed > 0.0 {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(
            Trouble::new(format!("pgbench: {failed} failed transactions; {said}"))
                .log(file)
                .into(),
        );
    }
    let transactions = number("number of transactions actually processed")?;
    Ok((
        transactions / (used as f64 / super::TICKS_PER_SECOND),
        number("tps")?,
    ))
}

/// CPU of the server and all its sessions, those that ended included.
pub fn database_ticks(story: &Story<'_>) -> Result<u64> {
    let server =
        Identity::load(&pid_file(&story.stack.state.run(), "postgres")).context("no database runs")?;
    let mut pids = vec![server.pid];
    let children = format!("/proc/{0}/task/{0}/children", server.pid);
    let children = std::fs::read_to_string(children).context("list the database's sessions")?;
    pids.extend(
        children
            .split_whitespace()
            .filter_map(|it| it.parse::<i32>().ok()),
    );
    Ok(super::ticks(&pids) + reaped_ticks(&server.pid.to_string())?)
}

/// CPU of the children of a process that have ended.
fn reaped_ticks(pid: &str) -> Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("read a process's times")?;
    let fields: Vec<&str> = text
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let number = |at: usize| fields.get(at).and_then(|it| it.parse::<u64>().ok()).unwrap_or(0);
    Ok(number(13) + number(14))
}
