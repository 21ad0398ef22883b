//! The registry: a lookup by id beside a bare axum server, a registration beside durable commits by pgbench, and Apicurio
//! Registry beside both.
//!
//! All sides have the same number of connections and the same load generator, closed loop. Ours is asked with the key of a
//! cluster, as a serializer does; Apicurio asks nobody who he is. It keeps lookups in memory (H2, its default), and registrations
//! on the same `PostgreSQL` server as ours.

mod commit;
mod load;
mod server;

use super::api::{CONNECTIONS, SECONDS, database_ticks, pgbench};
use super::report::{Figure, Pairs, Report};
use super::{Meter, TICKS_PER_SECOND, capture};
use crate::postgres::Postgres;
use crate::setup::peers::{self, Apicurio};
use crate::story::Story;
use crate::story::client::Api;
use anyhow::{Context, Result, bail};
use load::{Load, Registry};
use server::Server;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Schemas that are looked up, and subjects that get version after version.
const SUBJECTS: u64 = 200;
/// A JVM is measured only after a minute of the same work.
const WARM_UP: Duration = Duration::from_secs(60);

/// So often a round is done until one has all its answers.
const ROUNDS: u32 = 3;

/// A requested side and the process that serves it.
struct Side {
    load: Arc<Load>,
    pid: i32,
}

/// One measurement.
#[derive(Default, Clone, Copy)]
struct Measured {
    answered: f64,
    /// CPU-seconds of the process, and of the whole of `PostgreSQL`.
    process: f64,
    database: f64,
    seconds: f64,
}

impl Measured {
    fn per_process_second(self) -> f64 {
        self.answered / self.process
    }

    fn per_tree_second(self) -> f64 {
        self.answered / (self.process + self.database)
    }

    fn per_second(self) -> f64 {
        self.answered / self.seconds
    }
}

/// What both halves need.
struct Bench<'a, 'b> {
    story: &'a Story<'b>,
    pairs: usize,
    postgres: Postgres,
    server_version: String,
    ours: Registry,
    control_plane: i32,
    apicurio: Apicurio,
    apicurio_version: String,
}

/// The benchmark.
pub async fn run(story: &mut Story<'_>, pairs: usize, report: &mut Report) -> Result<()> {
    let postgres = story.stack.postgres()?;
    load::lift_quotas(&postgres).await?;
    let user = story.user("payments")?;
    let ours = Registry {
        api: Api::with_key(&story.stack.url(), &user.username, &user.password),
        base: "/registry",
    };
    let control_plane = story.stack.part("control-plane");
    let bench = Bench {
        story,
        pairs,
        server_version: postgres.psql("postgres", "show server_version").await?,
        postgres,
        ours,
        control_plane: control_plane.context("the control plane does not run")?.pid,
        apicurio: peers::apicurio(&story.stack.ws, &story.progress).await?,
        apicurio_version: commit::version(&story.stack.ws)?,
    };
    settings(&bench, report);
    lookups(&bench, report).await?;
    registrations(&bench, report).await
}

fn settings(bench: &Bench<'_, '_>, report: &mut Report) {
    let version = &bench.apicurio_version;
    for (name, value) in [
        ("connections", CONNECTIONS.to_string()),
        ("seconds_per_run", SECONDS.to_string()),
        ("subjects", SUBJECTS.to_string()),
        ("schema_bytes", load::schema("grown", 1).len().to_string()),
        ("level", "BACKWARD, both registries".to_owned()),
        (
            "durability",
            "fsync and synchronous_commit on, all sides".to_owned(),
        ),
        ("postgresql", bench.server_version.clone()),
        (
            "apicurio",
            format!("{version}, Java 25, -Xmx512m, no access log, no telemetry, nobody asked who he is"),
        ),
    ] {
        report.setting(&format!("G24.{name}"), value);
    }
}

/// `GET /schemas/ids/{id}` beside hello and beside Apicurio with all in its memory.
async fn lookups(bench: &Bench<'_, '_>, report: &mut Report) -> Result<()> {
    let stack = &bench.story.stack;
    let hello = Server::hello(stack).await?;
    let apicurio = Server::apicurio(stack, &bench.apicurio, None).await?;
    let sides = [
        Side {
            load: Load::lookups(&bench.ours, SUBJECTS).await?,
            pid: bench.control_plane,
        },
        Side {
            load: Load::read(&hello.api, vec!["/".to_owned()]),
            pid: hello.pid,
        },
        Side {
            load: Load::lookups(&apicurio.registry().await?, SUBJECTS).await?,
            pid: apicurio.pid,
        },
    ];
    let trips = round_trips(&bench.postgres, &sides[0].load).await?;
    report.setting("G24.lookup.round_trips", trips.to_string());
    warm_up(bench.story, "lookups", [&sides[0], &sides[2]]).await?;
    let mut found = <[Pairs; 4]>::default();
    for pair in 0..bench.pairs {
        let step = format!("lookups, pair {} of {}", pair + 1, bench.pairs);
        let step = bench.story.progress.step(step);
        let mut measured = [Measured::default(); 3];
        for at in order(pair) {
            measured[at] = measure(bench.story, &sides[at]).await?;
        }
        let [ours, hello, theirs] = measured;
        found[0].add(ours.per_process_second(), hello.per_process_second());
        found[1].add(ours.per_tree_second(), hello.per_process_second());
        found[2].add(ours.per_tree_second(), theirs.per_process_second());
        found[3].add(ours.per_second(), hello.per_second());
        step.done(format!(
            "a CPU-second: {:.0} ({:.0} with PostgreSQL), hello {:.0}, Apicurio {:.0}; a second: {:.0}, {:.0}, {:.0}",
            ours.per_process_second(),
            ours.per_tree_second(),
            hello.per_process_second(),
            theirs.per_process_second(),
            ours.per_second(),
            hello.per_second(),
            theirs.per_second(),
        ));
    }
    let what = "GET /registry/schemas/ids/{id}";
    let process = format!("{what} per CPU-second of the control plane");
    let tree = format!("{what} per CPU-second of control plane and PostgreSQL");
    let (axum, version) = ("axum hello", "0.8");
    let in_memory = "Apicurio, in memory";
    report.results.extend([
        with_bars(found[0].figure("G24.lookup", &process, axum, version), 0.4, 0.6),
        found[1].figure("G24.lookup.tree", &tree, axum, version),
        with_bars(
            found[2].figure("G24.lookup.apicurio", &tree, in_memory, &bench.apicurio_version),
            3.0,
            5.0,
        ),
        found[3].figure("G24.lookup.throughput", "the same, per second", axum, version),
    ]);
    Ok(())
}

/// `POST /subjects/{subject}/versions`, a compatible next version each time, beside pgbench and Apicurio on the same server.
async fn registrations(bench: &Bench<'_, '_>, report: &mut Report) -> Result<()> {
    let database = server::database(&bench.postgres).await?;
    let apicurio = Server::apicurio(bench.story.stack, &bench.apicurio, Some(&database)).await?;
    let theirs = apicurio.registry().await?;
    let script = commit::script(bench.story, &bench.postgres, SUBJECTS).await?;
    // Warmed up on subjects of their own, so that the measured ones begin with one version on both sides.
    let warm = registering(bench, &theirs, apicurio.pid, "warm").await?;
    let trips = round_trips(&bench.postgres, &warm[0].load).await?;
    report.setting("G24.register.round_trips", trips.to_string());
    warm_up(bench.story, "registrations", [&warm[0], &warm[1]]).await?;
    let sides = registering(bench, &theirs, apicurio.pid, "grown").await?;
    let mut found = <[Pairs; 4]>::default();
    for pair in 0..bench.pairs {
        let step = format!("registrations, pair {} of {}", pair + 1, bench.pairs);
        let step = bench.story.progress.step(step);
        let (mut measured, mut commits) = ([Measured::default(); 2], (0.0, 0.0));
        for at in order(pair) {
            match at {
                0 => measured[0] = measure(bench.story, &sides[0]).await?,
                1 => commits = pgbench(bench.story, &bench.postgres, &script).await?,
                _ => measured[1] = measure(bench.story, &sides[1]).await?,
            }
        }
        let [ours, theirs] = measured;
        found[0].add(ours.per_second(), commits.1);
        found[1].add(ours.per_tree_second(), commits.0);
        found[2].add(ours.per_second(), theirs.per_second());
        found[3].add(ours.per_tree_second(), theirs.per_tree_second());
        step.done(format!(
            "a second: {:.0}, commits {:.0}, Apicurio {:.0}; a CPU-second with PostgreSQL: {:.0}, {:.0}, {:.0}",
            ours.per_second(),
            commits.1,
            theirs.per_second(),
            ours.per_tree_second(),
            commits.0,
            theirs.per_tree_second(),
        ));
    }
    for (side, name) in sides.iter().zip(["ours", "apicurio"]) {
        let versions = side.load.versions().await?;
        report.setting(&format!("G24.register.versions.{name}"), versions.to_string());
    }
    let what = "POST /registry/subjects/{s}/versions";
    let rate = format!("{what} per second");
    let whole = format!("{what} per CPU-second of control plane and PostgreSQL");
    let (commits, theirs) = ("pgbench: the rows of a version", "Apicurio, same PostgreSQL");
    let (server, version) = (&bench.server_version, &bench.apicurio_version);
    report.results.extend([
        with_bars(found[0].figure("G24.register", &rate, commits, server), 0.25, 0.5),
        found[1].figure("G24.register.cpu", &whole, commits, server),
        found[2].figure("G24.register.apicurio", &rate, theirs, version),
        found[3].figure("G24.register.apicurio.cpu", &whole, theirs, version),
    ]);
    Ok(())
}

/// Both registries with as many new subjects.
async fn registering(bench: &Bench<'_, '_>, theirs: &Registry, pid: i32, name: &str) -> Result<[Side; 2]> {
    Ok([
        Side {
            load: Load::register(&bench.ours, name, SUBJECTS).await?,
            pid: bench.control_plane,
        },
        Side {
            load: Load::register(theirs, name, SUBJECTS).await?,
            pid,
        },
    ])
}

/// A-B-C in one pair, C-B-A in the next: a drift of the machine hurts all.
fn order(pair: usize) -> [usize; 3] {
    if pair.is_multiple_of(2) {
        [0, 1, 2]
    } else {
        [2, 1, 0]
    }
}

fn with_bars(figure: Figure, ship: f64, goal: f64) -> Figure {
    Figure {
        ship: Some(ship),
        goal: Some(goal),
        ..figure
    }
}

async fn measure(story: &Story<'_>, side: &Side) -> Result<Measured> {
    for _round in 0..ROUNDS {
        side.load.take_stalls();
        let meter = Meter::start(vec![side.pid]);
        let before = database_ticks(story)?;
        let answered = load::drive(&side.load, Duration::from_secs(SECONDS)).await?;
        let (process, seconds) = meter.stop();
        let stalls = side.load.take_stalls();
        if stalls > 0 {
            // Waiting for nothing says nothing of a registry's speed.
            story.progress.say(&format!(
                "{stalls} requests without an answer: the round is done again"
            ));
            continue;
        }
        return Ok(Measured {
            answered: answered as f64,
            process,
            database: (database_ticks(story)? - before) as f64 / TICKS_PER_SECOND,
            seconds,
        });
    }
    bail!("requests were not answered in {ROUNDS} rounds one after the other")
}

/// Ours is native and warm sooner than the JVM.
async fn warm_up(story: &Story<'_>, what: &str, [ours, jvm]: [&Side; 2]) -> Result<()> {
    let step = story.progress.step(format!("{what}, warm-up"));
    load::drive(&ours.load, Duration::from_secs(SECONDS)).await?;
    let began = Instant::now();
    while began.elapsed() < WARM_UP {
        load::drive(&jvm.load, Duration::from_secs(SECONDS)).await?;
        step.note(format!(
            "{} s of {}",
            began.elapsed().as_secs(),
            WARM_UP.as_secs()
        ));
    }
    step.done(format!("{} s", began.elapsed().as_secs()));
    Ok(())
}

/// How often one request asks the database: the least of some captures, since what else the control plane does falls into some.
async fn round_trips(postgres: &Postgres, load: &Load) -> Result<usize> {
    capture::logging(postgres, true).await?;
    let counted = async {
        let mut least = usize::MAX;
        for turn in 0..10 {
            let from = capture::position(postgres)?;
            load.send(0).await?;
            // The first ones let every session take up the new setting.
            if turn > 4 {
                least = least.min(capture::count(postgres, from)?);
            }
        }
        anyhow::Ok(least)
    };
    let counted = counted.await;
    capture::logging(postgres, false).await?;
    counted
}
