//! G2: what the gateway adds to a one-record produce, beside what `HAProxy` adds; open loop before a null broker.

use crate::client::Login;
use crate::lane::{self, SECRET};
use crate::measure::{Bar, Figure, Pairs};
use crate::pace::{self, Latencies, Pace, Paced, micros};
use crate::run::{Run, null_plan};
use anyhow::Result;
use std::net::SocketAddr;
use std::time::Duration;

const RATE: f64 = 2_000.0;
const CONNECTIONS: usize = 8;
const TIME: Duration = Duration::from_secs(5);
const PERCENTILES: [(&str, f64); 3] = [("p50", 50.0), ("p99", 99.0), ("p999", 99.9)];

/// The benchmark.
pub fn run(run: &mut Run) -> Result<Vec<Figure>> {
    let bench = run.before_null("latency", |broker| null_plan(broker, 1, 1, 1))?;
    let haproxy = run.programs.haproxy("latency", 3, bench.broker.address)?;
    let open = |address: SocketAddr, user: &str, password: &str| {
        let login = Login {
            address,
            username: user.to_owned(),
            password: password.to_owned(),
            client_id: "bench".to_owned(),
        };
        pace::open(
            &login,
            &Pace {
                topic: "topic-0".to_owned(),
                partitions: 8,
                connections: CONNECTIONS,
                rate: RATE,
                records_per_request: 1,
                record_bytes: 1024,
            },
        )
    };
    let mut sides = [
        open(bench.gateway.address, &lane::user(0, 0), SECRET)?,
        open(haproxy.address, "null", "null")?,
        open(bench.broker.address, "null", "null")?,
    ];
    for side in &mut sides {
        side.run(TIME)?;
    }
    let mut seen: Vec<[Latencies; 3]> = Vec::new();
    for round in 0..run.pairs {
        let [ours, haproxy, direct] = &mut sides;
        let latencies = if round % 2 == 0 {
            [ours.run(TIME)?, haproxy.run(TIME)?, direct.run(TIME)?]
        } else {
            let (direct, haproxy) = (direct.run(TIME)?, haproxy.run(TIME)?);
            [ours.run(TIME)?, haproxy, direct]
        };
        for (name, latencies) in ["gateway", "haproxy", "direct"].iter().zip(&latencies) {
            let [p50, p99, p999] = PERCENTILES.map(|(_name, it)| micros(latencies, it));
            run.say(&format!(
                "round {} {name:<8} p50 {p50:.0} p99 {p99:.0} p99.9 {p999:.0} us",
                round + 1
            ));
        }
        seen.push(latencies);
    }
    run.setting(
        "G2.load",
        "2,000 produce requests a second of one 1 KiB record over 8 connections, open loop, null broker",
    );
    Ok(figures(&seen))
}

/// Added: minus the direct connection's of the same round.
fn figures(seen: &[[Latencies; 3]]) -> Vec<Figure> {
    let mut out = Vec::new();
    for (name, percentile) in PERCENTILES {
        let (mut added, mut whole) = (Pairs::default(), Pairs::default());
        for round in seen {
            let [ours, haproxy, direct] = [0, 1, 2].map(|at: usize| micros(&round[at], percentile));
            // The clock's grain: a proxy that adds nothing is taken to add a microsecond.
            added.add((ours - direct).max(1.0), (haproxy - direct).max(1.0));
            whole.add(ours, direct);
        }
        let (ship, goal) = match name {
            "p50" => (Some(2.0), Some(1.3)),
            "p99" => (Some(3.0), Some(1.5)),
            _tail => (None, None),
        };
        let mut figure = added.figure(Bar {
            id: "",
            what: "",
            peer: "haproxy",
            version: "2.6",
            ship,
            goal,
            less: true,
        });
        figure.id = format!("G2.{name}");
        figure.what = format!("added latency of a one-record produce, {name}, microseconds");
        out.push(figure);
        let mut figure = whole.figure(Bar {
            id: "",
            what: "",
            peer: "direct",
            version: "null broker",
            ship: None,
            goal: None,
            less: true,
        });
        figure.id = format!("G2.{name}.whole");
        figure.what = format!("latency of a one-record produce, {name}, microseconds");
        out.push(figure);
    }
    out
}

/// Runs one measurement and takes a percentile in microseconds.
pub fn percentile(paced: &mut Paced, time: Duration, percentile: f64) -> Result<f64> {
    Ok(micros(&paced.run(time)?, percentile))
}
