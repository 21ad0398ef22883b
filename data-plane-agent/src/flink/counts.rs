//! What a job has done, by the metrics of its sources and sinks.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::job_manager::JobManager;
use super::rest::{RestError, part};
use super::shape::Vertex;

/// What a job has done since its last restart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records that its sources read.
    pub records_in: u64,
    /// Records that its sinks wrote.
    pub records_out: u64,
    /// Records that its sources know of and have not read; `None`: a source did not say.
    pub pending: Option<u64>,
    /// How far event time has come at its sinks, Unix time; 0: not told.
    pub watermark_ms: i64,
    /// The same of each vertex that reads a table.
    pub sources: BTreeMap<String, SourceCounts>,
}

/// What one vertex that reads a table has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SourceCounts {
    /// Records that it read; `None`: not told.
    pub records_in: Option<u64>,
    /// Records that it knows of and has not read; `None`: not told.
    pub pending: Option<u64>,
}

impl JobManager {
    /// What it has done, by the metrics of its sources and sinks; their names hold those of tables, so they are listed first.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn counts(&self, id: &str, vertices: &[Vertex]) -> Result<Counts, RestError> {
        let mut counts = Counts::default();
        for vertex in vertices {
            let path = format!(
                "/jobs/{}/vertices/{}/subtasks/metrics",
                part(id)?,
                part(&vertex.id)?
            );
            let listed = self.rest.get(&path).await?;
            let listed = listed.as_array().ok_or(RestError::Unreadable)?;
            let names = listed.iter().filter_map(|it| it["id"].as_str());
            let wanted: Vec<&str> = names
                .filter(|it| Counted::of(it).is_some())
                .take(COUNTED_MAX)
                .collect();
            // One unknown name makes the answer empty, and a comma in a name is taken for two names: these are asked alone.
            for name in wanted {
                let query = form_escaped(name);
                let told = self.rest.get(&format!("{path}?get={query}&agg=sum,min")).await?;
                counts.add(&vertex.id, name, &told[0]);
            }
        }
        Ok(counts)
    }
}

/// Metrics of one vertex that are asked for.
const COUNTED_MAX: usize = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counted {
    Read,
    Written,
    Pending,
    Watermark,
}

impl Counted {
    fn of(name: &str) -> Option<Self> {
        let (of, what) = name.rsplit_once('.')?;
        match what {
            "numRecordsIn" if of.starts_with("Source__") => Some(Self::Read),
            "pendingRecords" if of.starts_with("Source__") => Some(Self::Pending),
            "numRecordsSend" if of.ends_with("Writer") => Some(Self::Written),
            "currentInputWatermark" if of.ends_with("Writer") => Some(Self::Watermark),
            _other => None,
        }
    }
}

impl Counts {
    fn add(&mut self, vertex: &str, name: &str, told: &Value) {
        let number = |field: &str| told[field].as_f64().unwrap_or(0.0);
        // An answer without the number says nothing of it.
        let sum = told["sum"].as_f64().map(whole);
        match Counted::of(name) {
            Some(Counted::Read) => {
                self.records_in += sum.unwrap_or(0);
                let source = self.sources.entry(vertex.to_owned()).or_default();
                source.records_in = sum.map(|it| source.records_in.unwrap_or(0) + it);
            }
            Some(Counted::Written) => self.records_out += whole(number("sum")),
            Some(Counted::Pending) => {
                *self.pending.get_or_insert(0) += sum.unwrap_or(0);
                let source = self.sources.entry(vertex.to_owned()).or_default();
                source.pending = sum.map(|it| source.pending.unwrap_or(0) + it);
            }
            Some(Counted::Watermark) => {
                let at = i64::try_from(whole(number("min"))).unwrap_or(0);
                self.watermark_ms = if self.watermark_ms == 0 {
                    at
                } else {
                    self.watermark_ms.min(at)
                };
            }
            None => {}
        }
    }
}

/// Flink tells counts as floating-point numbers; below zero is what it says of no watermark.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count, not negative and far below the bound of exact whole numbers"
)]
fn whole(number: f64) -> u64 {
    if (0.0..9e15).contains(&number) {
        number as u64
    } else {
        0
    }
}

/// A name as a query's value.
fn form_escaped(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _infallible = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
