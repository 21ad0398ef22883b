//! What a new snapshot costs those who are served meanwhile, and what many tenants cost each record.

use crate::client::Login;
use crate::lane::{self, Lane, SECRET};
use crate::latency::percentile;
use crate::load::{self, Shape, Until};
use crate::measure::{Bar, Figure, Meter, Pairs, absolute, memory};
use crate::pace::{self, Pace};
use crate::parts::Part;
use crate::run::{Run, null_plan};
use anyhow::Result;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const MANY: usize = 10_000;
const TIME: Duration = Duration::from_secs(6);

fn login(address: SocketAddr, cluster: usize) -> Login {
    Login {
        address,
        username: lane::user(cluster, 0),
        password: SECRET.to_owned(),
        client_id: "bench".to_owned(),
    }
}

/// A snapshot of 10,000 principals and 10,000 topics is replaced every second while clients produce.
pub fn swap(run: &mut Run) -> Result<Vec<Figure>> {
    let bench = run.before_null("swap", |broker| null_plan(broker, 1, MANY, MANY))?;
    let pace = Pace {
        topic: "topic-0".to_owned(),
        partitions: 8,
        connections: 8,
        rate: 1_000.0,
        records_per_request: 1,
        record_bytes: 1024,
    };
    let mut paced = pace::open(&login(bench.gateway.address, 0), &pace)?;
    percentile(&mut paced, TIME, 99.0)?;
    let (mut pairs, mut obeyed) = (Pairs::default(), Vec::new());
    for round in 0..run.pairs {
        let before = |paced: &mut pace::Paced| percentile(paced, TIME, 99.0);
        let (during, before) = if round % 2 == 0 {
            let before = before(&mut paced)?;
            (swapping(&bench.lane, &mut paced, &mut obeyed)?, before)
        } else {
            (
                swapping(&bench.lane, &mut paced, &mut obeyed)?,
                before(&mut paced)?,
            )
        };
        run.say(&format!(
            "round {}: p99 {during:.0} us during swaps, {before:.0} us before",
            round + 1
        ));
        pairs.add(during, before);
    }
    run.setting("swap.load", "1,000 one-record produce requests a second over 8 connections; 10,000 principals with a key and a grant each, 10,000 topics, replaced once a second");
    let p99 = pairs.figure(Bar {
        id: "swap.p99",
        what: "p99 of a one-record produce while snapshots are replaced, microseconds",
        peer: "before",
        version: "",
        ship: None,
        goal: None,
        less: true,
    });
    let time = absolute(
        Bar {
            id: "swap.obeyed",
            what: "published until obeyed by every connection",
            peer: "",
            version: "",
            ship: None,
            goal: None,
            less: true,
        },
        "seconds",
        &obeyed,
    );
    Ok(vec![p99, time])
}

fn swapping(lane: &Lane, paced: &mut pace::Paced, obeyed: &mut Vec<f64>) -> Result<f64> {
    std::thread::scope(|scope| {
        let swaps = scope.spawn(|| {
            let (end, mut took) = (Instant::now() + TIME, Vec::new());
            while Instant::now() < end {
                let began = Instant::now();
                let version = lane.republish();
                lane.obeyed(version, 1, Duration::from_secs(20))?;
                took.push(began.elapsed().as_secs_f64());
                std::thread::sleep(Duration::from_secs(1).saturating_sub(began.elapsed()));
            }
            anyhow::Ok(took)
        });
        let seen = percentile(paced, TIME, 99.0);
        obeyed.extend(
            swaps
                .join()
                .map_err(|_panic| anyhow::anyhow!("the swaps failed"))??,
        );
        seen
    })
}

const CLUSTERS: usize = 1_000;
/// Connections, each of another tenant where there are as many.
const CONNECTIONS: usize = 48;
const RECORDS: u64 = 2_000_000;

/// The same load over connections of one tenant, and of as many tenants among 1,000.
pub fn clusters(run: &mut Run) -> Result<Vec<Figure>> {
    let broker = run.programs.null_broker()?;
    let mut ends = Vec::new();
    for (number, clusters) in [(0, CLUSTERS), (1, 1)] {
        let lane = Lane::open(&run.folder(&format!("lane-clusters-{clusters}"))?)?;
        let version = lane.publish(null_plan(&broker, clusters, 1, 10).snapshot());
        let gateway = run.programs.gateway(number, &lane)?;
        lane.obeyed(version, 1, Duration::from_secs(30))?;
        ends.push((gateway, lane, clusters));
    }
    let at_rest: Vec<f64> = ends
        .iter()
        .map(|it| memory(it.0.pid(), "VmRSS"))
        .collect::<Result<_>>()?;
    let mut pairs = Pairs::default();
    for (gateway, _lane, clusters) in &ends {
        per_cpu(gateway, *clusters)?;
    }
    for round in 0..run.pairs {
        let of = |at: usize| per_cpu(&ends[at].0, ends[at].2);
        let (many, one) = if round % 2 == 0 {
            let many = of(0)?;
            (many, of(1)?)
        } else {
            let one = of(1)?;
            (of(0)?, one)
        };
        run.say(&format!(
            "round {}: records per CPU-second {many:.0} of 1,000 tenants, {one:.0} of one",
            round + 1
        ));
        pairs.add(many, one);
    }
    run.setting("clusters.load", "48 connections, 16 KiB requests, null broker; 1,000 clusters of 10 topics and a key each beside 1 cluster");
    let cost = pairs.figure(Bar {
        id: "clusters.1000",
        what: "records per CPU-second with 1,000 logical clusters, 48 of them active",
        peer: "1 logical cluster",
        version: "",
        ship: None,
        goal: None,
        less: false,
    });
    let each = (at_rest[0] - at_rest[1]) / (CLUSTERS - 1) as f64;
    let held = absolute(
        Bar {
            id: "clusters.memory",
            what: "memory per further logical cluster of 10 topics",
            peer: "",
            version: "",
            ship: None,
            goal: None,
            less: true,
        },
        "bytes",
        &[each],
    );
    Ok(vec![cost, held])
}

fn per_cpu(gateway: &Part, clusters: usize) -> Result<f64> {
    let mut producers = Vec::new();
    for at in 0..CONNECTIONS {
        let cluster = at * (clusters / CONNECTIONS).max(1) % clusters;
        let shape = Shape {
            topic: "topic-0".to_owned(),
            partitions: vec![vec![i32::try_from(at % 8)?]],
            records_per_batch: 15,
            record_bytes: 1024,
            idempotent: true,
        };
        producers.extend(load::producers(&login(gateway.address, cluster), &shape)?);
    }
    let meter = Meter::start(&[gateway.pid()])?;
    let done = load::produce(&mut producers, Until::Records(RECORDS))?;
    let (cpu, _seconds) = meter.stop()?;
    Ok(done.records as f64 / cpu[0])
}
