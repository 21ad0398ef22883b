//! G5 and G6: how exactly a quota is kept by one gateway and by three, beside Kafka's own; what a neighbour feels.

use crate::client::Login;
use crate::lane::{self, Lane, Plan, SECRET, cluster_id, principal_id};
use crate::latency::percentile;
use crate::load::{self, Done, Shape, Until, windows};
use crate::measure::{Bar, Figure, Pairs, absolute};
use crate::pace::{self, Pace};
use crate::parts::{BROKER_PASSWORD, BROKER_USER, Part};
use crate::run::{Run, null_plan};
use anyhow::{Context, Result};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use weir_proto::agent::v1::{Quota, QuotaLimits, QuotaMode, QuotaSubject};

/// More than 20 times the largest request.
const LIMIT: u64 = 5 << 20;
const TIME: Duration = Duration::from_secs(14);
/// Afterwards the rate is steady.
const SETTLED: f64 = 4.0;
const CONNECTIONS: usize = 3;
const GATEWAYS: u16 = 3;

fn quota(id: &str, cluster: usize, principals: &[usize], subject: QuotaSubject, bytes: u64) -> Quota {
    Quota {
        id: id.to_owned(),
        cluster_id: cluster_id(cluster),
        subject: subject.into(),
        principal_ids: principals.iter().map(|it| principal_id(cluster, *it)).collect(),
        mode: QuotaMode::Enforce.into(),
        limits: Some(QuotaLimits {
            ingress_bytes_per_second: bytes,
            ..QuotaLimits::default()
        }),
        ..Quota::default()
    }
}

/// Requests of 16 KiB.
fn shape(topic: &str, connections: usize) -> Shape {
    Shape {
        topic: topic.to_owned(),
        partitions: (0..connections)
            .map(|at| vec![i32::try_from(at % 6).unwrap_or(0)])
            .collect(),
        records_per_batch: 15,
        record_bytes: 1024,
        idempotent: false,
    }
}

fn own_login(address: SocketAddr, cluster: usize, principal: usize) -> Login {
    Login {
        address,
        username: lane::user(cluster, principal),
        password: SECRET.to_owned(),
        client_id: "bench".to_owned(),
    }
}

fn pour(login: &Login, topic: &str, connections: usize, time: Duration) -> Result<Done> {
    let mut producers = load::producers(login, &shape(topic, connections))?;
    load::produce(&mut producers, Until::Time(Instant::now() + time))
}

/// How far any steady window was off, and how far any at all was above.
fn judge(done: &Done) -> (f64, f64) {
    let (limit, end) = (LIMIT as f64, TIME.as_secs_f64());
    let steady = windows(&done.arrivals, SETTLED, end)
        .into_iter()
        .map(|it| (it / limit - 1.0).abs());
    let all = windows(&done.arrivals, 0.0, end)
        .into_iter()
        .map(|it| it / limit - 1.0);
    (steady.fold(0.0, f64::max), all.fold(0.0, f64::max))
}

/// One principal with a limit of its own, one with a budget that all gateways share.
fn limited_plan(broker: &Part) -> Plan {
    let mut plan = null_plan(broker, 1, 2, 1);
    plan.quotas = vec![
        quota("quota_one", 0, &[0], QuotaSubject::Principals, LIMIT),
        quota("quota_shared", 0, &[1], QuotaSubject::Shared, LIMIT),
    ];
    plan
}

/// G5.
pub fn precision(run: &mut Run) -> Result<Vec<Figure>> {
    let kafka = run.programs.kafka()?;
    run.programs.create_topic(kafka.address, "quota")?;
    let add = format!("producer_byte_rate={LIMIT}");
    let arguments = [
        "--alter",
        "--add-config",
        &add,
        "--entity-type",
        "clients",
        "--entity-name",
        "limited",
    ];
    run.programs
        .administer(kafka.address, "kafka.admin.ConfigCommand", &arguments)?;
    let lane = Lane::open(&run.folder("lane-quota")?)?;
    let broker = run.programs.null_broker()?;
    let version = lane.publish(limited_plan(&broker).snapshot());
    let gateways: Vec<Part> = (0..GATEWAYS)
        .map(|at| run.programs.gateway(at, &lane))
        .collect::<Result<_>>()?;
    lane.obeyed(version, u32::from(GATEWAYS), Duration::from_secs(20))?;
    // Budgets are lent from one term after the beginning.
    std::thread::sleep(Duration::from_secs(6));
    let limited = Login {
        address: kafka.address,
        username: BROKER_USER.to_owned(),
        password: BROKER_PASSWORD.to_owned(),
        client_id: "limited".to_owned(),
    };
    let first = gateways.first().context("no gateway")?.address;
    pour(
        &Login {
            client_id: "free".to_owned(),
            ..limited.clone()
        },
        "quota",
        CONNECTIONS,
        Duration::from_secs(5),
    )?;
    let (mut steady, mut above) = (
        [Vec::new(), Vec::new(), Vec::new()],
        [Pairs::default(), Pairs::default()],
    );
    for round in 0..run.pairs {
        let one = || judged(|| pour(&own_login(first, 0, 0), "topic-0", CONNECTIONS, TIME));
        let three = || judged(|| spread(&gateways));
        let theirs = || judged(|| pour(&limited, "quota", CONNECTIONS, TIME));
        let (one, three, theirs) = if round % 2 == 0 {
            (one()?, three()?, theirs()?)
        } else {
            let theirs = theirs()?;
            let three = three()?;
            (one()?, three, theirs)
        };
        run.say(&format!(
            "round {}: off / above: one {one:.3?}, three {three:.3?}, Kafka {theirs:.3?}",
            round + 1
        ));
        for (at, it) in [one, three, theirs].into_iter().enumerate() {
            steady[at].push(it.0);
        }
        above[0].add(one.1, theirs.1);
        above[1].add(three.1, theirs.1);
        // Kafka looks back over eleven seconds: it forgets before it is asked again.
        std::thread::sleep(Duration::from_secs(12));
    }
    run.setting("G5.load", "limit 5 MiB/s of ingress, requests of 15 KiB, 3 connections per gateway, 14 s; windows of 1 s at steps of 0.1 s; steady: after 4 s; above: from the first byte");
    Ok(quota_figures(&steady, &above))
}

fn judged(work: impl FnOnce() -> Result<Done>) -> Result<(f64, f64)> {
    Ok(judge(&work()?))
}

/// The shared budget over all gateways at once.
fn spread(gateways: &[Part]) -> Result<Done> {
    let runs = gateways.iter().map(|gateway| {
        let login = own_login(gateway.address, 0, 1);
        let work: Box<dyn FnOnce() -> Result<Done> + Send> =
            Box::new(move || pour(&login, "topic-0", CONNECTIONS, TIME));
        work
    });
    let mut all = Done::default();
    for done in load::alongside(runs.collect())? {
        all.arrivals.extend(done.arrivals);
    }
    all.arrivals.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(all)
}

fn quota_figures(steady: &[Vec<f64>; 3], above: &[Pairs; 2]) -> Vec<Figure> {
    let bar = |id, what, ship, goal| Bar {
        id,
        what,
        peer: "the limit",
        version: "",
        ship,
        goal,
        less: true,
    };
    let (ship, goal) = (Some(0.03), Some(0.01));
    let what = "largest deviation of any steady window of 1 s from the limit";
    let over = |id, what| Bar {
        id,
        what,
        peer: "kafka",
        version: "4.3.1",
        ship: Some(0.5),
        goal: Some(0.2),
        less: true,
    };
    vec![
        absolute(
            bar("G5.precision.1", what, ship, goal),
            "share, 1 gateway",
            &steady[0],
        ),
        absolute(
            bar("G5.precision.3", what, ship, goal),
            "share, 3 gateways",
            &steady[1],
        ),
        absolute(
            bar("G5.precision.kafka", what, None, None),
            "share, Kafka's own",
            &steady[2],
        ),
        above[0].figure(over(
            "G5.overshoot.1",
            "most that any window of 1 s was above the limit, 1 gateway",
        )),
        above[1].figure(over(
            "G5.overshoot.3",
            "most that any window of 1 s was above the limit, 3 gateways",
        )),
    ]
}

const AGGRESSORS: usize = 10;
const AGGRESSOR_BYTES: u64 = 1 << 20;
const VICTIM_TIME: Duration = Duration::from_secs(8);

/// G6: ten principals of another tenant send as much as they may, and ask for ten times as much.
pub fn neighbour(run: &mut Run) -> Result<Vec<Figure>> {
    let bench = run.before_null("neighbour", |broker| {
        let mut plan = null_plan(broker, 2, AGGRESSORS, 1);
        let all: Vec<usize> = (0..AGGRESSORS).collect();
        plan.quotas = vec![quota(
            "quota_each",
            1,
            &all,
            QuotaSubject::Principals,
            AGGRESSOR_BYTES,
        )];
        plan
    })?;
    let address = bench.gateway.address;
    let pace = Pace {
        topic: "topic-0".to_owned(),
        partitions: 6,
        connections: 4,
        rate: 250.0,
        records_per_request: 4,
        record_bytes: 1024,
    };
    let mut victim = pace::open(&own_login(address, 0, 0), &pace)?;
    percentile(&mut victim, Duration::from_secs(5), 99.0)?;
    let mut pairs = Pairs::default();
    for round in 0..run.pairs {
        let alone = |victim: &mut pace::Paced| percentile(victim, VICTIM_TIME, 99.0);
        let (ours, peer) = if round % 2 == 0 {
            let alone = alone(&mut victim)?;
            (crowded(&mut victim, address)?, alone)
        } else {
            (crowded(&mut victim, address)?, alone(&mut victim)?)
        };
        run.say(&format!(
            "round {}: p99 {ours:.0} us among aggressors, {peer:.0} us alone",
            round + 1
        ));
        pairs.add(ours, peer);
    }
    run.setting("G6.load", "victim: 250 requests a second of 4 KiB, open loop; 10 aggressors of another tenant, quota 1 MiB/s each, 10 MiB/s asked for");
    Ok(vec![pairs.figure(Bar {
        id: "G6",
        what: "victim's p99 of produce among 10 aggressors at 10x their quota, microseconds",
        peer: "the victim alone",
        version: "",
        ship: Some(1.5),
        goal: Some(1.2),
        less: true,
    })])
}

fn crowded(victim: &mut pace::Paced, address: SocketAddr) -> Result<f64> {
    let mut aggressors = Vec::new();
    for principal in 0..AGGRESSORS {
        aggressors.push(load::producers(
            &own_login(address, 1, principal),
            &shape("topic-0", 1),
        )?);
    }
    let end = Instant::now() + VICTIM_TIME + Duration::from_secs(3);
    std::thread::scope(|scope| {
        let running: Vec<_> = aggressors
            .iter_mut()
            .map(|it| scope.spawn(move || load::produce(it, Until::Time(end))))
            .collect();
        // The first seconds' savings are spent.
        std::thread::sleep(Duration::from_secs(2));
        let seen = percentile(victim, VICTIM_TIME, 99.0);
        for one in running {
            one.join()
                .map_err(|_panic| anyhow::anyhow!("an aggressor failed"))??;
        }
        seen
    })
}
