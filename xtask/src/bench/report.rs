//! Result files of benchmarks, `target/bench/<name>.json`, and how they are printed.

use crate::run::captured;
use crate::workspace::{Workspace, make_dir, write};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::time::Instant;
use tokio::process::Command;

/// One benchmark's file.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Its name.
    pub bench: String,
    /// What was measured.
    pub commit: String,
    /// When, RFC 3339.
    pub started_at: String,
    /// On what.
    pub machine: Machine,
    /// Settings that matter: versions, flags, sizes.
    pub settings: BTreeMap<String, String>,
    /// The figures.
    pub results: Vec<Figure>,
}

/// The machine, with its physical limits at start and end of the run.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// Logical processors.
    pub cpus: usize,
    /// Memory.
    pub memory_bytes: u64,
    /// `<limit>.start` and `<limit>.end`.
    pub limits: BTreeMap<String, f64>,
}

/// One figure: a ratio to a peer in the same run, or an absolute.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figure {
    /// The bar's id.
    pub id: String,
    /// In words.
    pub what: String,
    /// Median of the paired ratios, or the figure itself.
    pub value: f64,
    /// Unit of `value`.
    pub unit: String,
    /// What stands beside it.
    pub peer: String,
    /// Its version.
    pub peer_version: String,
    /// How many pairs.
    pub pairs: usize,
    /// The least of the pairs.
    pub min: f64,
    /// The greatest of the pairs.
    pub max: f64,
    /// The bar to ship, if there is one yet.
    pub ship: Option<f64>,
    /// Where it should go.
    pub goal: Option<f64>,
    /// Medians of both sides, ours first, in work per CPU-second or the unit that `what` names.
    /// An absolute figure has one side.
    pub sides: [Option<f64>; 2],
    /// The bars are upper ones.
    #[serde(default)]
    pub less_is_better: bool,
}

impl Figure {
    /// Is the bar to ship reached? `None`: there is no bar.
    pub fn ships(&self) -> Option<bool> {
        let ship = self.ship?;
        Some(if self.less_is_better {
            self.value <= ship
        } else {
            self.value >= ship
        })
    }
}

impl Report {
    /// Begins a report.
    pub async fn begin(ws: &Workspace, bench: impl Into<String>) -> Result<Self> {
        let mut git = Command::new("git");
        git.args(["describe", "--always", "--dirty"])
            .current_dir(&ws.root);
        let commit = String::from_utf8_lossy(&captured(git).await?.stdout)
            .trim()
            .to_owned();
        let memory = crate::workspace::read(std::path::Path::new("/proc/meminfo"))?;
        let kibibytes = memory
            .split_whitespace()
            .nth(1)
            .and_then(|it| it.parse::<u64>().ok())
            .unwrap_or(0);
        let mut report = Self {
            bench: bench.into(),
            commit,
            started_at: crate::clock::format(crate::story::usage::unix_now()?),
            machine: Machine {
                cpus: std::thread::available_parallelism()
                    .context("count the processors")?
                    .get(),
                memory_bytes: kibibytes * 1024,
                limits: BTreeMap::new(),
            },
            settings: BTreeMap::new(),
            results: Vec::new(),
        };
        report.limits("start")?;
        Ok(report)
    }

    /// Notes a setting.
    pub fn setting(&mut self, name: &str, value: impl Into<String>) {
        self.settings.insert(name.to_owned(), value.into());
    }

    /// Measures what the machine can do at all.
    fn limits(&mut self, when: &str) -> Result<()> {
        let limits = &mut self.machine.limits;
        limits.insert(format!("loopback_bytes_per_second.{when}"), loopback()?);
        limits.insert(format!("fnv_bytes_per_second_one_core.{when}"), hashing());
        Ok(())
    }

    /// Measures the limits again, writes the file and prints the figures.
    pub fn close(mut self, ws: &Workspace) -> Result<()> {
        self.limits("end")?;
        let folder = ws.target.join("bench");
        make_dir(&folder)?;
        let path = folder.join(format!("{}.json", self.bench));
        write(
            &path,
            &serde_json::to_string_pretty(&self).context("encode the report")?,
        )?;
        println!(
            "\n{:<30} {:>10} {:>10} {:>10} {:>12} {:>12} {:>6} {:>4}  what",
            "id", "value", "min", "max", "ours", "peer", "ship", "met"
        );
        for it in &self.results {
            let side = |at: usize| it.sides[at].map_or(String::new(), |it| format!("{it:.1}"));
            let met = it.ships().map_or("", |it| if it { "yes" } else { "NO" });
            println!(
                "{:<30} {:>10.3} {:>10.3} {:>10.3} {:>12} {:>12} {:>6} {met:>4}  {} beside {} ({} pairs)",
                it.id,
                it.value,
                it.min,
                it.max,
                side(0),
                side(1),
                it.ship.map_or(String::new(), |it| it.to_string()),
                it.what,
                it.peer,
                it.pairs
            );
        }
        println!("written to {}", path.display());
        Ok(())
    }
}

/// Paired measurements, ours and the peer's, taken A-B-B-A.
#[derive(Debug, Default)]
pub struct Pairs {
    ours: Vec<f64>,
    peers: Vec<f64>,
}

impl Pairs {
    /// Adds one measurement of each side.
    pub fn add(&mut self, ours: f64, peer: f64) {
        self.ours.push(ours);
        self.peers.push(peer);
    }

    /// The figure that they make.
    pub fn figure(&self, id: &str, what: &str, peer: &str, peer_version: &str) -> Figure {
        let ratios: Vec<f64> = self.ours.iter().zip(&self.peers).map(|(a, b)| a / b).collect();
        Figure {
            id: id.to_owned(),
            what: what.to_owned(),
            value: median(&ratios),
            unit: "ratio".to_owned(),
            peer: peer.to_owned(),
            peer_version: peer_version.to_owned(),
            pairs: ratios.len(),
            min: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            max: ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            ship: None,
            goal: None,
            sides: [Some(median(&self.ours)), Some(median(&self.peers))],
            less_is_better: false,
        }
    }
}

/// The middle value; of an even count the mean of the two.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        even if even % 2 == 0 => f64::midpoint(sorted[half - 1], sorted[half]),
        _odd => sorted[half],
    }
}

/// Bytes a second through a loopback connection, over a quarter of a gibibyte.
fn loopback() -> Result<f64> {
    const TOTAL: usize = 256 << 20;
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).context("listen on loopback")?;
    let address = listener.local_addr().context("listen on loopback")?;
    let reader = std::thread::spawn(move || -> std::io::Result<usize> {
        let (mut stream, _peer) = listener.accept()?;
        let (mut buffer, mut total) = (vec![0_u8; 1 << 18], 0);
        loop {
            match stream.read(&mut buffer)? {
                0 => return Ok(total),
                count => total += count,
            }
        }
    });
    let began = Instant::now();
    let mut stream = std::net::TcpStream::connect(address).context("connect on loopback")?;
    let chunk = vec![7_u8; 1 << 18];
    for _ in 0..TOTAL / chunk.len() {
        stream.write_all(&chunk).context("write on loopback")?;
    }
    drop(stream);
    let total = reader
        .join()
        .map_err(|_panic| anyhow::anyhow!("the loopback reader failed"))?;
    Ok(total.context("read on loopback")? as f64 / began.elapsed().as_secs_f64())
}

/// Bytes a second through a byte-wise hash on one core: tells a throttled machine.
fn hashing() -> f64 {
    let bytes = vec![1_u8; 32 << 20];
    let began = Instant::now();
    std::hint::black_box(crate::workspace::fingerprint([bytes.as_slice()]));
    bytes.len() as f64 / began.elapsed().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_pairs() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        let mut pairs = Pairs::default();
        pairs.add(1.0, 2.0);
        pairs.add(3.0, 4.0);
        pairs.add(9.0, 9.0);
        let figure = pairs.figure("G", "it", "peer", "1");
        assert!((figure.value - 0.75).abs() < f64::EPSILON && (figure.min - 0.5).abs() < f64::EPSILON);
        assert!((figure.max - 1.0).abs() < f64::EPSILON);
        assert_eq!(figure.ships(), None);
        let bar = Figure {
            ship: Some(0.8),
            ..figure
        };
        assert_eq!(bar.ships(), Some(false));
        assert_eq!(
            Figure {
                less_is_better: true,
                ..bar
            }
            .ships(),
            Some(true)
        );
    }
}
