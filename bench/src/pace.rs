//! Open loops: requests at fixed moments, latencies from the moment at which each was due.

use crate::batch::{Template, batch};
use crate::client::{Client, Login};
use crate::load::acknowledgement;
use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use std::io::Write as _;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How often, and what.
#[derive(Debug, Clone)]
pub struct Pace {
    pub topic: String,
    pub partitions: i32,
    pub connections: usize,
    /// Requests a second, of all connections together.
    pub rate: f64,
    pub records_per_request: usize,
    pub record_bytes: usize,
}

/// Latencies in nanoseconds.
pub type Latencies = Histogram<u64>;

/// Connections that are logged in, for several measurements.
pub struct Paced {
    lines: Vec<(Client, Template)>,
    rate: f64,
}

/// Connects.
pub fn open(login: &Login, pace: &Pace) -> Result<Paced> {
    let made = [batch(pace.records_per_request, pace.record_bytes)?];
    let mut lines = Vec::new();
    for at in 0..pace.connections {
        let mut client = Client::open(login)?;
        let topic = client.topic(&pace.topic)?;
        let partition = i32::try_from(at)? % pace.partitions;
        let template = Template::new(&mut client, &topic, &[partition], &made, None)?;
        lines.push((client, template));
    }
    Ok(Paced {
        lines,
        rate: pace.rate,
    })
}

impl Paced {
    /// Sends for so long; the histogram of all connections.
    pub fn run(&mut self, time: Duration) -> Result<Latencies> {
        let count = self.lines.len();
        let every = Duration::from_secs_f64(count as f64 / self.rate);
        let began = Instant::now() + Duration::from_millis(5);
        std::thread::scope(|scope| {
            let mut threads = Vec::new();
            for (at, (client, template)) in self.lines.iter_mut().enumerate() {
                // Connections take turns: arrivals are spread evenly.
                let first = began + every.mul_f64(at as f64 / count as f64);
                threads.push(scope.spawn(move || line(client, template, first, every, began + time)));
            }
            let mut all = histogram()?;
            for thread in threads {
                let one = thread
                    .join()
                    .map_err(|_panic| anyhow::anyhow!("a connection's thread failed"))??;
                all.add(one).context("add up latencies")?;
            }
            Ok(all)
        })
    }
}

fn histogram() -> Result<Latencies> {
    Histogram::new_with_bounds(1_000, 120_000_000_000, 3).context("make a histogram")
}

fn line(
    client: &mut Client,
    template: &mut Template,
    first: Instant,
    every: Duration,
    end: Instant,
) -> Result<Latencies> {
    let version = template.version;
    let mut write = client.stream.try_clone().context("share a socket")?;
    let (due, dues) = mpsc::channel::<Instant>();
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || -> Result<()> {
            // Sleeps end when they should, not fifty microseconds later.
            let _kept = std::fs::write("/proc/thread-self/timerslack_ns", "1");
            let (mut at, mut number) = (first, 0_i32);
            while at < end {
                std::thread::sleep(at.saturating_duration_since(Instant::now()));
                number = number.wrapping_add(1) & i32::MAX;
                if due.send(at).is_err() {
                    break;
                }
                write.write_all(template.next(number)).context("send a request")?;
                at += every;
            }
            Ok(())
        });
        let mut seen = histogram()?;
        while let Ok(at) = dues.recv() {
            acknowledgement(client, version)?;
            let nanos = u64::try_from(at.elapsed().as_nanos()).unwrap_or(u64::MAX);
            seen.saturating_record(nanos);
        }
        writer
            .join()
            .map_err(|_panic| anyhow::anyhow!("a sender failed"))??;
        Ok(seen)
    })
}

/// A percentile in microseconds.
pub fn micros(latencies: &Latencies, percentile: f64) -> f64 {
    latencies.value_at_percentile(percentile) as f64 / 1_000.0
}
