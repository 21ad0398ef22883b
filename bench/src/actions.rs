//! ACTION jobs beside what else does their work: records per CPU-second of a worker as it runs in production, of a bare loop of the same
//! Kafka client, of Kafka Streams and of Flink SQL, on the same broker and with the same settings.
//!
//! Each side runs all the time and has topics of its own. A round stops the side's process, writes its records, lets it go on, and reads
//! its CPU off when all of them came out.

mod sides;
mod topics;

pub use topics::login;

use crate::measure::{Bar, Figure, Meter, Pairs, memory};
use crate::run::Run;
use anyhow::{Context, Result, ensure};
use sides::{Kind, Side};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use topics::Topics;

/// Records of a round.
const RECORDS: u64 = 200_000;
/// A JVM works for so long before it is measured, others for a round.
const WARM_UP: Duration = Duration::from_secs(60);
/// Nothing comes out for so long: the round is over.
const QUIET: Duration = Duration::from_millis(400);
/// A round takes no longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is done with each record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A condition over one field, which all records meet: they go out byte for byte.
    Filter,
    /// Three fields are overwritten: each record is written anew.
    Mask,
}

impl Work {
    const fn word(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Mask => "mask",
        }
    }
}

/// The benchmark.
pub fn run(run: &mut Run) -> Result<Vec<Figure>> {
    run.setting("G8.records", RECORDS.to_string());
    run.setting(
        "G8.record",
        "JSON of 20 fields, 1,022 bytes, lz4; 8 partitions on one broker, no TLS",
    );
    run.setting(
        "G8.settings",
        "acks=all, linger 5 ms, batches of up to 1 MB, lz4, read_committed; a transaction every 200 ms (Flink: a checkpoint a second)",
    );
    run.setting("G8.java", "heap 512 MB, G1, warmed for 60 s; one task");
    let broker = run.programs.kafka()?;
    let topics = Topics::of(broker.address)?;
    let mut figures = Vec::new();
    for work in [Work::Filter, Work::Mask] {
        figures.extend(measured(run, &topics, work).with_context(|| work.word().to_owned())?);
    }
    Ok(figures)
}

fn measured(run: &mut Run, topics: &Topics, work: Work) -> Result<Vec<Figure>> {
    let mut sides = Vec::new();
    for kind in Kind::ALL {
        let side = Side::start(run, topics, kind, work)?;
        let (began, least) = (
            Instant::now(),
            if kind.is_java() { WARM_UP } else { Duration::ZERO },
        );
        loop {
            round(topics, &side)?;
            if began.elapsed() >= least {
                break;
            }
        }
        run.say(&format!("{} {} is warm", work.word(), kind.name()));
        sides.push(side);
    }
    let mut rates: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for pair in 0..run.pairs {
        let mut order: Vec<&Side> = sides.iter().collect();
        if pair % 2 == 1 {
            order.reverse();
        }
        for side in order {
            rates
                .entry(side.kind.name())
                .or_default()
                .push(round(topics, side)?);
        }
        let each = rates
            .iter()
            .filter_map(|(name, rates)| Some(format!("{name} {:.0}", rates.last()?)));
        let told: Vec<String> = each.collect();
        run.say(&format!(
            "{}, pair {}: {}",
            work.word(),
            pair + 1,
            told.join(", ")
        ));
    }
    for side in &sides {
        let name = format!("G8.{}.{}.memory_bytes", side.kind.name(), work.word());
        run.setting(&name, format!("{:.0}", memory(side.pid(), "VmRSS")?));
    }
    let ours = sides.first().context("no side")?;
    let written = topics.count(&ours.sink)?;
    ensure!(
        written == ours.written.get(),
        "{written} records came out of {}",
        ours.written.get()
    );
    Ok(figures(work, &rates))
}

/// Records per CPU-second of the side's process.
fn round(topics: &Topics, side: &Side) -> Result<f64> {
    let before = topics.ends(&side.sink)?;
    side.pause()?;
    let written = topics.write(&side.source, RECORDS);
    side.go_on()?;
    written?;
    side.written.set(side.written.get() + RECORDS);
    let meter = Meter::start(&[side.pid()])?;
    let deadline = Instant::now() + PATIENCE;
    let (mut seen, mut since) = (before, Instant::now());
    loop {
        std::thread::sleep(Duration::from_millis(20));
        let now = topics.ends(&side.sink)?;
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
        if now - before >= RECORDS && since.elapsed() > QUIET {
            break;
        }
        side.lives()?;
        ensure!(
            Instant::now() < deadline,
            "{}: {} of {RECORDS} records came out",
            side.kind.name(),
            now - before
        );
    }
    let (used, _seconds) = meter.stop()?;
    let used: f64 = used.iter().sum();
    ensure!(
        used > 0.1,
        "{} used too little CPU to be measured",
        side.kind.name()
    );
    Ok(RECORDS as f64 / used)
}

fn figures(work: Work, rates: &BTreeMap<&str, Vec<f64>>) -> Vec<Figure> {
    let ours = rates.get(Kind::Ours.name()).cloned().unwrap_or_default();
    let peers = Kind::ALL.into_iter().filter(|it| *it != Kind::Ours);
    peers
        .map(|kind| {
            let mut pairs = Pairs::default();
            let theirs = rates.get(kind.name()).into_iter().flatten();
            for (ours, theirs) in ours.iter().zip(theirs) {
                pairs.add(*ours, *theirs);
            }
            let (ship, goal) = kind.bars(work).unzip();
            let bar = Bar {
                id: "",
                what: "records per CPU-second of the process",
                peer: kind.what(),
                version: kind.version(),
                ship,
                goal,
                less: false,
            };
            let mut figure = pairs.figure(bar);
            figure.id = match work {
                Work::Filter => format!("G8.{}", kind.name()),
                Work::Mask => format!("G8.{}.mask", kind.name()),
            };
            figure
        })
        .collect()
}
