//! G3: records to topics with a contract beside the same records to a topic without one, through the same gateway before
//! a null broker, and JSON beside Kroxylicious' record validation.
//!
//! The unit is records per CPU-second of the gateway, or of Kroxylicious.

use crate::client::Login;
use crate::lane::{self, Lane, Plan, SECRET};
use crate::load::{self, Shape, Until};
use crate::measure::{Bar, Figure, Meter, Pairs, absolute, median};
use crate::parts::Part;
use crate::promised::{ENFORCED, ONE_BAD_IN, batches, frame, snapshot, topics};
use crate::registry_stub;
use crate::run::{Run, null_plan};
use crate::sample::{FIELDS, FORMATS, Sample, word};
use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use std::time::{Duration, Instant};
use weir_contract::Format;
use weir_proto::agent::v1::Enforcement;

/// KiB of a batch, at most.
const SIZES: [usize; 2] = [16, 64];
const TIME: Duration = Duration::from_secs(3);
/// Of what is native; a JVM has [`JVM_WARM_UP`].
const WARM_UP: Duration = Duration::from_secs(1);
/// For each topic and size of batches.
const JVM_WARM_UP: Duration = Duration::from_secs(20);
/// One way of records to the null broker.
struct Way<'a> {
    name: String,
    /// The process whose CPU counts.
    proxy: &'a Part,
    login: Login,
    topic: String,
    batches: &'a [Bytes],
}

#[derive(Debug, Clone, Copy)]
struct Score {
    per_second: f64,
    per_cpu: f64,
}

/// The benchmark.
pub fn run(run: &mut Run) -> Result<Vec<Figure>> {
    let broker = run.programs.null_broker()?;
    let samples = FORMATS.map(|format| Sample::new(format, FIELDS));
    let samples: Vec<Sample> = samples.into_iter().collect::<Result<_>>()?;
    let plan = Plan {
        topics: topics(),
        ..null_plan(&broker, 1, 1, 0)
    };
    let mut gateways = Vec::new();
    // The first has contracts, the second has the same topics without.
    for (number, samples) in [(0, &samples[..]), (1, &samples[..0])] {
        let lane = Lane::open(&run.folder(&format!("lane-contracts-{number}"))?)?;
        let version = lane.publish(snapshot(&plan, samples));
        let gateway = run.programs.gateway(number, &lane)?;
        lane.obeyed(version, 1, Duration::from_secs(20))?;
        gateways.push((gateway, lane));
    }
    let [(with, lane), (without, _lane)] = &gateways[..] else {
        anyhow::bail!("two gateways were started");
    };
    let mut figures = Vec::new();
    let mut best = 0.0_f64;
    for (sample, number) in samples.iter().zip(1..) {
        for size in SIZES {
            let (made, fastest) = formats(run, (with, without), sample, number, size)?;
            figures.extend(made);
            if sample.format == Format::Json {
                best = best.max(fastest);
            }
        }
    }
    let json = samples.first().context("make records")?;
    figures.extend(kroxylicious(run, &broker, with, json)?);
    truly(run, &plan, lane)?;
    figures.push(generator(run, &broker, json, best)?);
    settings(run, &samples);
    Ok(figures)
}

fn login(address: std::net::SocketAddr) -> Login {
    Login {
        address,
        username: lane::user(0, 0),
        password: SECRET.to_owned(),
        client_id: "bench".to_owned(),
    }
}

fn way<'a>(name: &str, proxy: &'a Part, topic: &str, batches: &'a [Bytes]) -> Way<'a> {
    Way {
        name: name.to_owned(),
        proxy,
        login: login(proxy.address),
        topic: topic.to_owned(),
        batches,
    }
}

/// All ways of one format and size of batches; and the most records per second of one with a contract.
fn formats(
    run: &Run,
    (with, without): (&Part, &Part),
    sample: &Sample,
    number: u32,
    size: usize,
) -> Result<(Vec<Figure>, f64)> {
    let format = word(sample.format);
    let frame = frame(sample.format, number);
    let (good, mixed) = (
        batches(sample, &frame, size, false)?,
        batches(sample, &frame, size, true)?,
    );
    let mut ways = vec![way("plain", with, "plain", &mixed)];
    for (name, enforcement) in ENFORCED {
        // A batch with one bad record would be refused whole.
        let batches = if enforcement == Enforcement::Reject {
            &good
        } else {
            &mixed
        };
        ways.push(way(name, with, &format!("{format}-{name}"), batches));
    }
    if sample.format == Format::Json {
        ways.push(way("others", without, "plain", &mixed));
    }
    let scores = interleaved(run, &format!("{format}, {size} KiB"), &ways, WARM_UP)?;
    let goal = if sample.format == Format::Json { 0.6 } else { 0.8 };
    let mut figures = Vec::new();
    for (way, taken) in ways.iter().zip(&scores).skip(1) {
        let enforces = matches!(way.name.as_str(), "dlq" | "reject");
        let others = way.name == "others";
        // Of `others`, ours is the one with contracts for other topics.
        let (ours, peer) = if others {
            (&scores[0], taken)
        } else {
            (taken, &scores[0])
        };
        let mut figure = paired(ours, peer).figure(Bar {
            id: "",
            what: "produce, records per CPU-second of the gateway",
            peer: if others {
                "a gateway without contracts"
            } else {
                "its own pass-through"
            },
            version: env!("CARGO_PKG_VERSION"),
            ship: enforces.then_some(0.4),
            goal: if enforces {
                Some(goal)
            } else {
                others.then_some(1.0)
            },
            less: false,
        });
        figure.id = if others {
            format!("G3.others.{size}k")
        } else {
            format!("G3.passthrough.{format}.{}.{size}k", way.name)
        };
        figures.push(figure);
    }
    let judged = scores.iter().skip(1).take(ENFORCED.len());
    let fastest = judged.map(|it| median_of(it, |it| it.per_second));
    Ok((figures, fastest.fold(0.0, f64::max)))
}

/// Measures each way in each round, in turn from the front and from the back: a drift of the machine hurts all alike.
fn interleaved(run: &Run, words: &str, ways: &[Way<'_>], warm_up: Duration) -> Result<Vec<Vec<Score>>> {
    for way in ways {
        score(way, warm_up)?;
    }
    let mut scores = vec![Vec::new(); ways.len()];
    for round in 0..run.pairs {
        let mut order: Vec<usize> = (0..ways.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for at in order {
            scores[at].push(score(&ways[at], TIME)?);
        }
    }
    for (way, taken) in ways.iter().zip(&scores) {
        run.say(&format!(
            "{words}, {}: {:.0} records per CPU-second, {:.0} per second",
            way.name,
            median_of(taken, |it| it.per_cpu),
            median_of(taken, |it| it.per_second)
        ));
    }
    Ok(scores)
}

fn shape(topic: &str) -> Shape {
    Shape {
        topic: topic.to_owned(),
        partitions: vec![vec![0, 1], vec![2, 3], vec![4, 5]],
        // The batches are ours.
        records_per_batch: 0,
        record_bytes: 0,
        idempotent: true,
    }
}

fn score(way: &Way<'_>, time: Duration) -> Result<Score> {
    let of = || format!("measure {} of {}", way.topic, way.name);
    let mut producers = load::producers_of(&way.login, &shape(&way.topic), way.batches).with_context(of)?;
    let meter = Meter::start(&[way.proxy.pid()])?;
    let done = load::produce(&mut producers, Until::Time(Instant::now() + time)).with_context(of)?;
    let (cpu, _seconds) = meter.stop()?;
    Ok(Score {
        per_second: done.records as f64 / done.seconds,
        per_cpu: done.records as f64 / cpu[0],
    })
}

fn paired(ours: &[Score], peer: &[Score]) -> Pairs {
    Pairs(
        ours.iter()
            .zip(peer)
            .map(|(ours, peer)| (ours.per_cpu, peer.per_cpu))
            .collect(),
    )
}

fn median_of(scores: &[Score], of: fn(&Score) -> f64) -> f64 {
    median(&scores.iter().map(of).collect::<Vec<_>>())
}

/// The same JSON, without frames and all good: ours judges it by its schema and would refuse what is bad.
fn kroxylicious(run: &Run, broker: &Part, gateway: &Part, sample: &Sample) -> Result<Vec<Figure>> {
    let registry = registry_stub::serve(&sample.schema)?;
    let peer = run
        .programs
        .kroxylicious_validating(4, broker.address, registry)?;
    let mut figures = Vec::new();
    for size in SIZES {
        let good = batches(sample, &[], size, false)?;
        let ways = [
            way("reject", gateway, "json-unframed", &good),
            way("syntax", &peer, "syntax", &good),
            way("schema", &peer, "schema", &good),
        ];
        for way in &ways[1..] {
            run.say(&format!("warm-up of Kroxylicious, {} of {size} KiB", way.name));
            score(way, JVM_WARM_UP)?;
        }
        let scores = interleaved(run, &format!("json without frame, {size} KiB"), &ways, WARM_UP)?;
        for (way, taken) in ways.iter().zip(&scores).skip(1) {
            let mut figure = paired(&scores[0], taken).figure(Bar {
                id: "",
                what: "produce, records per CPU-second of the proxy; ours judges by the schema",
                peer: if way.name == "syntax" {
                    "Kroxylicious, which looks whether it is JSON"
                } else {
                    "Kroxylicious, which judges by the same schema"
                },
                version: "0.12.0",
                ship: Some(2.0),
                goal: Some(4.0),
                less: false,
            });
            figure.id = format!("G3.kroxylicious.{}.{size}k", way.name);
            figures.push(figure);
        }
    }
    Ok(figures)
}

/// Whether the gateway judged what it was sent, and found what is bad and nothing else.
fn truly(run: &Run, plan: &Plan, lane: &Lane) -> Result<()> {
    // The last window is told within a second or two.
    std::thread::sleep(Duration::from_secs(3));
    let judged = lane.judged();
    for topic in plan.snapshot().clusters.iter().flat_map(|it| &it.topics) {
        let Some((_format, way)) = topic.name.split_once('-') else {
            continue;
        };
        let (records, violating) = judged.get(&topic.id).copied().unwrap_or_default();
        let share = violating as f64 * ONE_BAD_IN as f64 / records as f64;
        run.say(&format!(
            "{}: {records} records judged, {violating} bad",
            topic.name
        ));
        let all_good = matches!(way, "reject" | "unframed");
        let expected = if all_good {
            records > 0 && violating == 0
        } else {
            (0.9..1.1).contains(&share)
        };
        ensure!(
            expected,
            "{}: {violating} of {records} records were called bad",
            topic.name
        );
    }
    Ok(())
}

/// The generator against the null broker: it must have twice what the fastest way with a contract had. Without one, a
/// gateway may take all that it gives: only CPU is told of that.
fn generator(run: &Run, broker: &Part, sample: &Sample, best: f64) -> Result<Figure> {
    let good = batches(sample, &[], 64, false)?;
    let ratio = score(&way("generator", broker, "plain", &good), TIME)?.per_second / best;
    run.say(&format!(
        "the generator has {ratio:.1} times the fastest way with a contract"
    ));
    let mut figure = absolute(
        Bar {
            id: "G3.generator",
            what: "produce, records per second of the generator against a null broker",
            peer: "the fastest way with a contract of this run, JSON",
            version: "",
            ship: Some(2.0),
            goal: Some(2.0),
            less: false,
        },
        "ratio",
        &[ratio],
    );
    figure.sides = [ratio * best, best];
    Ok(figure)
}

fn settings(run: &mut Run, samples: &[Sample]) {
    for sample in samples {
        run.setting(
            &format!("G3.{}.record", word(sample.format)),
            format!(
                "{FIELDS} fields, {} bytes on average without frame",
                sample.mean_bytes()
            ),
        );
    }
    run.setting("G3.load", "3 connections, 2 partitions each, 5 requests in flight, a batch of 16 or 64 KiB for each partition, not packed, acks=all, idempotent; null broker; 3 s each");
    run.setting("G3.bad", "1 record of 100 under SHADOW and DLQ and in their pass-through: JSON with a text for a number, Avro and Protobuf cut off; none under REJECT, which refuses whole batches");
    run.setting("G3.kroxylicious", "RecordValidation filter: syntacticallyCorrectJson, and schemaValidationConfig with a stub of Apicurio's registry that hands out the schema; heap 512 MiB, warmed for 20 s with each topic and size of batches; records without frames, all good; ours REJECT with the same schema");
}
