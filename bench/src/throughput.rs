//! G1: records through the gateway and through its peers, all before the same Apache Kafka, over the same topics.
//!
//! The unit is records per CPU-second of the proxy alone; `.tree` counts the broker behind it, too.

use crate::client::{Client, Login};
use crate::lane::{self, Lane, Plan, SECRET};
use crate::load::{self, Consumer, Done, Producer, Shape, Until};
use crate::measure::{Bar, Figure, Meter, Pairs, absolute, median};
use crate::parts::{BROKER_PASSWORD, BROKER_USER, Part, Programs};
use crate::run::Run;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

const RECORDS_PER_BATCH: usize = 63;
const RECORD_BYTES: usize = 1024;
/// In the topic that is read.
const PRELOADED: u64 = 360_000;
/// A JVM is warm after so many each way; so is the broker.
const WARM_UP: u64 = 3_000_000;
const PRODUCED: u64 = 800_000;
const CONSUMED: u64 = 2_400_000;

/// One way to the broker.
struct Side {
    name: &'static str,
    version: &'static str,
    login: Login,
    part: Option<Part>,
    /// Topic names on this way: written, read.
    topics: [&'static str; 2],
}

/// What one side did in one round.
#[derive(Debug, Clone, Copy)]
struct Score {
    per_second: f64,
    per_cpu: f64,
    per_tree_cpu: f64,
}

/// The benchmark.
pub fn run(run: &mut Run) -> Result<Vec<Figure>> {
    let kafka = run.programs.kafka()?;
    for topic in ["tenant-written", "tenant-read"] {
        run.programs.create_topic(kafka.address, topic)?;
    }
    let lane = Lane::open(&run.folder("lane-throughput")?)?;
    let sides = sides(&run.programs, &kafka, &lane)?;
    let direct = sides.last().context("no way to the broker")?;
    let mut preload = load::producers(&direct.login, &shape("tenant-read"))?;
    load::produce(&mut preload, Until::Records(PRELOADED))?;
    warm_up(run, &sides)?;
    let mut scores: BTreeMap<&str, Vec<[Score; 2]>> = BTreeMap::new();
    for round in 0..run.pairs {
        let mut order: Vec<&Side> = sides.iter().collect();
        // A-B-B-A: a drift of the machine hurts all alike.
        if round % 2 == 1 {
            order.reverse();
        }
        for side in order {
            let pair = [
                produce(side, kafka.pid(), PRODUCED)?,
                consume(side, kafka.pid(), CONSUMED)?,
            ];
            run.say(&format!("round {} {:<12} {pair:.0?}", round + 1, side.name));
            scores.entry(side.name).or_default().push(pair);
        }
    }
    let mut figures = figures(run, &sides, &scores)?;
    figures.extend(generator(run, &scores)?);
    Ok(figures)
}

fn shape(topic: &str) -> Shape {
    Shape {
        topic: topic.to_owned(),
        partitions: vec![vec![0, 1], vec![2, 3], vec![4, 5]],
        records_per_batch: RECORDS_PER_BATCH,
        record_bytes: RECORD_BYTES,
        idempotent: true,
    }
}

fn login(address: SocketAddr, username: &str, password: &str) -> Login {
    Login {
        address,
        username: username.to_owned(),
        password: password.to_owned(),
        client_id: "bench".to_owned(),
    }
}

/// Ours first, direct last.
fn sides(programs: &Programs, kafka: &Part, lane: &Lane) -> Result<Vec<Side>> {
    let behind = kafka.address;
    let broker = |address| login(address, BROKER_USER, BROKER_PASSWORD);
    let mut direct = Client::open(&broker(behind))?;
    let mut topics = Vec::new();
    for name in ["written", "read"] {
        let physical = format!("tenant-{name}");
        let id = direct.topic(&physical)?.id;
        topics.push((name.to_owned(), physical, id));
    }
    let plan = Plan {
        broker: behind,
        username: BROKER_USER.to_owned(),
        password: BROKER_PASSWORD.to_owned(),
        clusters: 1,
        principals: 1,
        topics,
        quotas: Vec::new(),
    };
    let version = lane.publish(plan.snapshot());
    let gateway = programs.gateway(0, lane)?;
    lane.obeyed(version, 1, Duration::from_secs(20))?;
    let haproxy = programs.haproxy("throughput", 3, behind)?;
    let kroxylicious = programs.kroxylicious(4, behind)?;
    let shotover = programs.shotover(10, behind)?;
    let own = login(gateway.address, &lane::user(0, 0), SECRET);
    let physical = ["tenant-written", "tenant-read"];
    let side = |name, version, login, part, topics| Side {
        name,
        version,
        login,
        part,
        topics,
    };
    Ok(vec![
        side(
            "gateway",
            env!("CARGO_PKG_VERSION"),
            own,
            Some(gateway),
            ["written", "read"],
        ),
        side("haproxy", "2.6", broker(haproxy.address), Some(haproxy), physical),
        side(
            "kroxylicious",
            "0.12.0",
            broker(kroxylicious.address),
            Some(kroxylicious),
            ["written", "read"],
        ),
        side(
            "shotover",
            "0.7.4",
            broker(shotover.address),
            Some(shotover),
            physical,
        ),
        side("direct", "4.3.1", broker(behind), None, physical),
    ])
}

fn warm_up(run: &Run, sides: &[Side]) -> Result<()> {
    for side in sides {
        // What is native needs no more than its caches.
        let records = if side.name == "kroxylicious" {
            WARM_UP
        } else {
            WARM_UP / 10
        };
        run.say(&format!("warm-up of {}: {records} records each way", side.name));
        load::produce(&mut producers(side)?, Until::Records(records))?;
        load::consume(&mut consumers(side)?, Until::Records(records))?;
    }
    Ok(())
}

fn producers(side: &Side) -> Result<Vec<Producer>> {
    load::producers(&side.login, &shape(side.topics[0]))
        .with_context(|| format!("produce through {}", side.name))
}

fn consumers(side: &Side) -> Result<Vec<Consumer>> {
    load::consumers(&side.login, &shape(side.topics[1]))
        .with_context(|| format!("consume through {}", side.name))
}

fn produce(side: &Side, broker: u32, records: u64) -> Result<Score> {
    let mut producers = producers(side)?;
    score(side, broker, || {
        load::produce(&mut producers, Until::Records(records))
    })
}

fn consume(side: &Side, broker: u32, records: u64) -> Result<Score> {
    let mut consumers = consumers(side)?;
    score(side, broker, || {
        load::consume(&mut consumers, Until::Records(records))
    })
}

fn score(side: &Side, broker: u32, work: impl FnOnce() -> Result<Done>) -> Result<Score> {
    let proxy = side.part.as_ref().map_or(broker, Part::pid);
    let meter = Meter::start(&[proxy, broker])?;
    let done = work().with_context(|| format!("measure {}", side.name))?;
    let (cpu, _seconds) = meter.stop()?;
    let records = done.records as f64;
    let tree = if side.part.is_some() {
        cpu[0] + cpu[1]
    } else {
        cpu[1]
    };
    Ok(Score {
        per_second: records / done.seconds,
        per_cpu: records / cpu[0],
        per_tree_cpu: records / tree,
    })
}

/// Bars: (ship, goal) of produce and of consume.
type Bars = [(Option<f64>, Option<f64>); 2];

/// What is compared: suffix of its id, words, which number, its bars.
type Kind = (&'static str, &'static str, fn(&Score) -> f64, Bars);

fn figures(run: &mut Run, sides: &[Side], scores: &BTreeMap<&str, Vec<[Score; 2]>>) -> Result<Vec<Figure>> {
    let ours = scores.get("gateway").context("no scores of the gateway")?;
    let none: Bars = [(None, None); 2];
    let throughput: Bars = [(Some(0.75), Some(0.9)); 2];
    let kroxylicious: Bars = [(Some(1.5), Some(2.5)), (Some(2.0), Some(4.0))];
    let shotover: Bars = [(Some(1.0), Some(1.5)); 2];
    let mut out = Vec::new();
    for side in sides.iter().skip(1) {
        let theirs = scores.get(side.name).context("no scores of a peer")?;
        let (second, cpu) = match side.name {
            "haproxy" => (throughput, none),
            "kroxylicious" => (none, kroxylicious),
            "shotover" => (none, shotover),
            _direct => (none, none),
        };
        for (at, verb) in ["produce", "consume"].into_iter().enumerate() {
            let kinds: [Kind; 3] = [
                (
                    "",
                    "records per CPU-second of the proxy alone",
                    |it| it.per_cpu,
                    cpu,
                ),
                (
                    ".tree",
                    "records per CPU-second of proxy and broker",
                    |it| it.per_tree_cpu,
                    none,
                ),
                (".throughput", "records per second", |it| it.per_second, second),
            ];
            for (kind, words, of, bars) in kinds {
                if side.name == "direct" && kind.is_empty() {
                    continue;
                }
                let mut pairs = Pairs::default();
                ours.iter()
                    .zip(theirs)
                    .for_each(|(ours, theirs)| pairs.add(of(&ours[at]), of(&theirs[at])));
                let (ship, goal) = bars[at];
                let mut figure = pairs.figure(Bar {
                    id: "",
                    what: "",
                    peer: side.name,
                    version: side.version,
                    ship,
                    goal,
                    less: false,
                });
                figure.id = format!("G1.{}.{verb}{kind}", side.name);
                figure.what = format!("{verb}, {words}");
                out.push(figure);
            }
        }
    }
    run.setting("G1.load", "3 connections, 2 partitions each, 5 requests in flight, batches of 63 records of 1 KiB, acks=all, idempotent; fetches of 1 MiB per partition");
    run.setting(
        "G1.broker",
        "Apache Kafka 4.3.1, one node, heap 1 GiB, SASL/PLAIN without TLS on both sides of every proxy",
    );
    run.setting(
        "G1.kroxylicious",
        "MultiTenant filter, heap 512 MiB, warmed by 3 M records each way; SASL passed through",
    );
    run.setting("G1.shotover", "KafkaSinkSingle; SASL passed through");
    Ok(out)
}

/// The generator against a null sink: it must have twice what any proxy had. Without a proxy it need not: no bar stands there.
fn generator(run: &Run, scores: &BTreeMap<&str, Vec<[Score; 2]>>) -> Result<Vec<Figure>> {
    let null = run.programs.null_broker()?;
    let login = login(null.address, BROKER_USER, BROKER_PASSWORD);
    let mut out = Vec::new();
    for (at, verb) in ["produce", "consume"].into_iter().enumerate() {
        let done = if at == 0 {
            load::produce(
                &mut load::producers(&login, &shape("null"))?,
                Until::Records(PRODUCED * 2),
            )?
        } else {
            load::consume(
                &mut load::consumers(&login, &shape("null"))?,
                Until::Records(CONSUMED * 2),
            )?
        };
        let per_second = done.records as f64 / done.seconds;
        let best = scores
            .iter()
            .filter(|(side, _scores)| **side != "direct")
            .map(|(_side, it)| median(&it.iter().map(|it| it[at].per_second).collect::<Vec<_>>()));
        let best = best.fold(0.0, f64::max);
        let mut figure = absolute(
            Bar {
                id: "",
                what: "",
                peer: "the fastest proxy of this run",
                version: "",
                ship: Some(2.0),
                goal: Some(2.0),
                less: false,
            },
            "ratio",
            &[per_second / best],
        );
        figure.id = format!("G1.generator.{verb}");
        figure.what = format!("{verb}, records per second of the generator against a null broker");
        figure.sides = [per_second, best];
        out.push(figure);
    }
    Ok(out)
}
